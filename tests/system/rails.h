/* SPDX-License-Identifier: ISC */
/*
 * Purpose   the machine of the recipe for Rails: nginx in front, Passenger behind a unix socket, a deployer who owns the
 *           code and an app user who runs it, releases as Capistrano lays them out; all by the files of policy/examples.
 * Runs as   root, in a world and a network that rails_enter enters itself.
 * Given     the servers that scripts/bootstrap check installs; one that is missing is a loud skip.
 * Promises  what an act needs it asserts, and what is asked about it says with the logs beside it.
 * Never     waits without a limit.
 */
#ifndef SYSTEM_RAILS_H
#define SYSTEM_RAILS_H

#include <stdbool.h>

#include "world.h"

#define RAILS_HOME "/srv/rails-app"
#define RAILS_SHARED RAILS_HOME "/shared"
#define RAILS_LOG RAILS_SHARED "/log/production.log"
#define RAILS_RUN "/run/rails-app"
#define RAILS_SOCKET RAILS_RUN "/rails-app.sock"
#define RAILS_NGINX_LOG "/run/nginx/error.log"

enum { RAILS_WEB = 33 };

enum { RAILS_CONF, RAILS_SETUP, RAILS_TMPFILES, RAILS_NGINX, RAILS_LOGROTATE, RAILS_DEPLOY, RAILS_FILES };

/* The files of the recipe, where they belong, and what was written there. */
extern const struct rails_file { const char *name, *path; } rails_recipe[RAILS_FILES];
extern char *rails_recipe_texts[RAILS_FILES];

/* Once, first, in each test; or with a release that is served already. */
void rails_enter(void);
void rails_serve_first_release(void);

/* A shell's command line, to its end; rails_do's has to succeed. */
struct world_run *rails_run(const struct world_person *who, const char *directory, const char *command);
struct world_run *rails_do(const struct world_person *who, const char *command);

/* What Capistrano does, by hand; rails_write_release is the deployer's own copy of the code alone. */
void rails_write_release(const char *name);
void rails_make_release(const char *name);
void rails_make_current(const char *name);

void rails_start_nginx(void);
void rails_restart_nginx_workers(void); /* which have the groups that their user had when they started */

/* By the deployer, through the policy. */
extern const char *const rails_start_command[];
void rails_start_passenger(void);
void rails_stop_passenger(void);
void rails_restart_app(void);

void rails_stop_everything(void);

/* GET, through nginx: this status, and a text that is part of the answer. */
void rails_expect_answer(const char *path, int status, const char *text);

/* runas-policy ARGUMENTS; and what its first hint says, done. */
void rails_expect_policy(int status, const char *arguments, const char *text);
void rails_follow_hint(const char *arguments);

void rails_expect_owner(const char *path, uid_t uid, gid_t gid, mode_t mode);
bool rails_holds(const char *path, const char *text);

/* Passenger's processes are all that are neither root's nor nginx's workers. */
void rails_expect_confined(void);

#endif
