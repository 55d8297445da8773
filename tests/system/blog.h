/* SPDX-License-Identifier: ISC */
/*
 * Purpose   the machine of the recipe for PHP: PHP-FPM behind nginx and behind Apache, and an app that tries at each visit
 *           what it may and may not; the policy and the files around it are those of policy/examples (blog.*).
 * Runs as   root, in a world and a network that blog_enter enters itself.
 * Given     the servers that scripts/bootstrap check installs, and Landlock; without them the test is skipped loudly.
 * Promises  what is started can be told to stop, and has to have been running until then.
 * Never     waits without a limit.
 */
#ifndef SYSTEM_BLOG_H
#define SYSTEM_BLOG_H

#include "world.h"

#define BLOG_HOME "/srv/blog"
#define BLOG_CURRENT BLOG_HOME "/current"
#define BLOG_SHARED BLOG_HOME "/shared"
#define BLOG_SOCKET "/run/blog/blog.sock"

enum { BLOG_USER = 4006, BLOG_WEB_USER = 33 };

enum {
	BLOG_POLICY,
	BLOG_SETUP,
	BLOG_POOL,
	BLOG_NGINX,
	BLOG_APACHE,
	BLOG_CRON,
	BLOG_TMPFILES,
	BLOG_UNIT,
	BLOG_EXAMPLES
};

extern char *blog_examples[BLOG_EXAMPLES]; /* what they say */

/* Once, first, in each test; then what else it needs. */
void blog_enter(void);
void blog_enter_apache(void);

/* What follows `KEY=` in the unit, split at blanks; MAINPID is a word of it. */
const char *const *blog_unit_words(const char *key, pid_t main_pid);

struct world_run *blog_run(const struct world_person *who, const char *const *argv);
struct world_run *blog_start(const struct world_person *who, const char *const *argv);
struct world_run *blog_start_fpm(void); /* as systemd does */
struct world_run *blog_start_nginx(void);
struct world_run *blog_start_apache(void);
void blog_stop(struct world_run *run, int signal);

/* A copy, for the next question overwrites the answer. */
char *blog_ask(const char *path);

void blog_expect_status(const char *answer, int status);
void blog_expect_said(const char *text, const char *part);
void blog_expect_page(const char *answer);

/* Master and workers, and nobody else: no process of PHP-FPM was root or anything else than the policy says. */
void blog_expect_fpm_confined(void);

/* runas-policy ARGUMENTS; and that it ends so, and says so (NULL: whatever it says). */
struct world_run *blog_policy(const char *const *arguments);
void blog_expect_policy(const char *const *arguments, int status, const char *part);

#endif
