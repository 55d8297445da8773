/* SPDX-License-Identifier: ISC */
/*
 * Purpose   the machine of the recipe for supervisor: nginx, supervisor and gunicorn with a Django app, set up by the very
 *           files of policy/examples (shop.*) beside Debian's own configuration of nginx and supervisor.
 * Runs as   root, in a world and a network that shop_enter enters itself.
 * Given     the servers that scripts/bootstrap check installs; one that is missing is a loud skip.
 * Promises  what is started can be told to stop, and has to have been running until then.
 * Never     waits without a limit.
 */
#ifndef SYSTEM_SHOP_H
#define SYSTEM_SHOP_H

#include <pwd.h>
#include <stdbool.h>

#include "world.h"

#define SHOP_HOME "/srv/shop"
#define SHOP_SOCKET "/run/shop/gunicorn.sock"
#define SHOP_POLICY "/etc/runas-app/shop.conf"
#define SHOP_SECRETS "/etc/runas-app/shop.env"
#define SHOP_KEY "/etc/ssl/private/shop.key"
#define SHOP_TOOL "/usr/local/bin/runas-policy"
#define SHOP_LOG "/var/log/supervisor/shop.log"

extern struct passwd shop_user; /* whom the recipe has made */
extern struct world_run *shop_supervisord, *shop_nginx;

/* Once, first, in each test. Those that wait for RUNNING more than once are not patient: they have a shorter startsecs. */
void shop_enter(bool is_patient);

/* A release, and `current` that leads to it. */
void shop_make_release(const char *name);
void shop_flip(const char *name);

/* To its end; as root it has to succeed. */
struct world_run *shop_run(const struct world_person *who, const char *directory, const char *const *argv);
struct world_run *shop_do_as_root(const char *const *argv);
#define SHOP_AS_ROOT(...) shop_do_as_root(WORLD_LIST(__VA_ARGS__))

void shop_start_supervisor(void);
void shop_start_nginx(void);
void shop_stop(struct world_run *run);
void shop_stop_all(void);

/* supervisorctl WORD [MORE] shop */
struct world_run *shop_supervisorctl(const char *word, const char *more);
void shop_expect_state(const char *expected);
void shop_expect_running(void); /* and it has its socket */

/* What a browser gets, and behind it a line with the status. */
char *shop_ask(const char *path);

#endif
