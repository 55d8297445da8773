/* SPDX-License-Identifier: ISC */
/* What is written through one door - web, command line, cron - can be changed through every other, and nothing else can. */
#include <criterion/criterion.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "blog.h"
#include "recipe.h"
#include "server.h"

TestSuite(php, .timeout = 60);

static void visit_by_cli(void) {
	struct world_run *run = blog_run(
		&world_deploy, WORLD_LIST(WORLD_RUNAS, "blog", "--", "php", "artisan", "cache:clear", "--force"));

	cr_assert(world_exited(run, 0), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
	blog_expect_said(run->out, "cli ");
}

static void visit_by_web(const char *door) {
	char first[64];
	char *answer = blog_ask("/visit");

	snprintf(first, sizeof(first), "\n%s creates " BLOG_HOME "/new: ", door);
	blog_expect_page(answer);
	blog_expect_said(answer, first);
	free(answer);
}

/* For this process alone the next minute is three seconds away: waiting for it would be half of this program's time. */
static struct world_run *start_before_minute(const char *const *argv) {
	static char preload[512], offset[64];
	glob_t found;

	if (glob("/usr/lib/*/faketime/libfaketime.so.1", 0, NULL, &found) != 0)
		SKIP("libfaketime is missing: scripts/bootstrap check installs it");
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", found.gl_pathv[0]);
	globfree(&found);
	snprintf(offset, sizeof(offset), "FAKETIME=+%ds", (int)(60 + 57 - time(NULL) % 60) % 60);
	return world_start(&(struct world_call){
		.who = &world_root, .program = argv[0], .argv = argv, .envp = WORLD_LIST(preload, offset)});
}

/* Everything of the host's that the daemon would run or write is hidden. */
static void enter_cron(void) {
	server_needs("/usr/sbin/cron");
	recipe_own("/etc/cron.d", NULL);
	recipe_own("/etc/pam.d", NULL);
	world_file("/etc/crontab", 0, 0, 0644, "");
	/* Debian's own asks for the audit daemon's login uid, which a container may not set. */
	world_file("/etc/pam.d/cron", 0, 0, 0644,
		   "auth required pam_permit.so\naccount required pam_unix.so\nsession required pam_permit.so\n");
	world_file("/etc/shadow", 0, 0, 0600, "root:*:19000::::::\ndeploy:*:19000::::::\n");
	recipe_hide("/var/spool/cron");
	world_directory("/var/spool/cron/crontabs", 0, 0, 0730);
	world_file("/etc/cron.d/blog", 0, 0, 0644, blog_examples[BLOG_CRON]);
	world_file("/var/spool/cron/crontabs/deploy", WORLD_DEPLOY, WORLD_DEPLOY, 0600,
		   "* * * * * " WORLD_RUNAS " blog -- php artisan queue:work --tries=3\n");
}

static bool log_has(const char *line) {
	char *log = world_read(BLOG_SHARED "/log/app.log");
	bool has = log && strstr(log, line);

	free(log);
	return has;
}

static void wait_for_cron(struct world_run *cron) {
	long limit = server_now() + 40000;

	while (!log_has("\ncron empties its code") || !log_has("\ncrontab empties its code")) {
		if (world_ended(cron) || server_now() > limit) {
			size_t lines = world_log();
			for (size_t i = 0; i < lines; i++)
				cr_log_warn("%s", world_log_line(i));
			cr_assert_fail("the cron daemon's jobs did not run: %s",
				       world_read(BLOG_SHARED "/log/app.log"));
		}
		usleep(50000);
		/* It waits where nobody reads the log. */
		world_log();
	}
}

static void expect_taken_over(const char *log, const char *door, const char *from) {
	static const char *const acts[] = {"changes a file of", "adds to a directory of", "renames a file of",
					   "changes a mode of", "removes a file of",	  "removes a directory of"};
	char line[128];

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		snprintf(line, sizeof(line), "\n%s %s %s: ok\n", door, acts[i], from);
		cr_expect(strstr(log, line), "not in the log: %s", line);
	}
}

static void expect_kept_in(const char *log, const char *door) {
	static const char *const places[] = {BLOG_HOME, BLOG_CURRENT, "/srv/open", "/tmp", "/home/deploy", "/run"};
	char line[256];
	struct stat facts;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(line, sizeof(line),
			 "\n%s creates %s/new: touch(): Unable to create file %s/new because Permission denied\n", door,
			 places[i], places[i]);
		cr_expect(strstr(log, line), "not in the log: %s", line);
		snprintf(line, sizeof(line), "%s/new", places[i]);
		cr_expect(lstat(line, &facts) != 0, "%s was made", line);
	}
	snprintf(line, sizeof(line), "\n%s empties its code: fopen(", door);
	cr_expect(strstr(log, line), "not in the log: %s", line);
}

static void expect_no_failure(const char *log) {
	for (const char *line = log; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		char text[256];
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
		bool meant = strstr(text, " creates ") || strstr(text, " empties ");
		size_t length = strlen(text);
		cr_expect(meant || (length > 4 && strcmp(text + length - 4, ": ok") == 0), "%s", text);
	}
}

/* --- tests --- */

Test(php, web_command_line_and_cron_change_and_remove_each_others_files) {
	static const char *const doors[] = {"nginx", "apache", "cli", "cron", "crontab"};

	blog_enter();
	blog_enter_apache();
	enter_cron();
	struct world_run *fpm = blog_start_fpm();
	struct world_run *nginx = blog_start_nginx();
	visit_by_web("nginx");
	visit_by_cli();
	blog_stop(nginx, SIGTERM);
	struct world_run *apache = blog_start_apache();
	visit_by_web("apache");
	struct world_run *cron = start_before_minute(WORLD_LIST("/usr/sbin/cron", "-f"));
	wait_for_cron(cron);
	visit_by_web("apache");
	visit_by_cli();
	blog_stop(apache, SIGTERM);
	nginx = blog_start_nginx();
	visit_by_web("nginx");
	blog_expect_fpm_confined();
	world_log();
	blog_stop(cron, SIGTERM);
	blog_stop(nginx, SIGTERM);
	server_stop(fpm, SIGQUIT);

	char *log = world_read(BLOG_SHARED "/log/app.log");
	cr_assert(log);
	expect_no_failure(log);
	for (size_t i = 0; i < 5; i++) {
		expect_kept_in(log, doors[i]);
		for (size_t k = 0; k < 5; k++) {
			/* The two jobs of the same minute come one after the other, whichever is first. */
			if (i != k && !(i >= 3 && k >= 3))
				expect_taken_over(log, doors[i], doors[k]);
		}
	}
	cr_expect(strstr(log, "cron changes a file of crontab: ok") ||
			  strstr(log, "crontab changes a file of cron: ok"),
		  "neither job found what the other one left");
	blog_expect_policy(WORLD_LIST("audit", "blog"), 0, NULL);
}

/* As it was before: what this project is against. */
Test(php, a_job_beside_the_policy_leaves_what_the_others_cannot_change_and_audit_finds_it) {
	blog_enter();
	struct world_run *fpm = blog_start_fpm();
	struct world_run *nginx = blog_start_nginx();
	struct world_run *beside = blog_run(
		&world_root, WORLD_LIST("/bin/sh", "-c", "umask 022; cd " BLOG_CURRENT " && php artisan schedule:run"));
	cr_assert(world_exited(beside, 0), "%s%s", beside->out, beside->err);
	char *answer = blog_ask("/visit");
	blog_expect_said(answer, "nginx changes a file of cron: file_put_contents(" BLOG_SHARED
				 "/storage/cron-for-nginx/file): Failed to open stream: Permission denied\n");
	blog_expect_said(answer, "nginx removes a directory of cron: rmdir(");

	/* Each finding has the command that mends it, and they do. */
	struct world_run *audit = blog_policy(WORLD_LIST("audit", "blog", "--all"));
	cr_expect(world_exited(audit, 1), "%s%s", audit->out, audit->err);
	blog_expect_said(audit->out,
			 BLOG_SHARED "/storage/cron-for-nginx/file: error: belongs to root, not to blog: made by a "
				     "run as root? [audit-owner]\n");
	struct world_run *mend = world_run(&(struct world_call){
		.who = &world_root,
		.program = "/bin/sh",
		.argv = WORLD_LIST("sh", "-c", "printf '%s\n' \"$1\" | sed -n 's/^ *hint: find/find/p' | sh -e", "sh",
				   audit->out)});
	cr_expect(world_exited(mend, 0), "%s", mend->err);
	blog_expect_policy(WORLD_LIST("audit", "blog"), 0, "0 errors");
	blog_expect_said(blog_ask("/visit"), "nginx removes a directory of cron: ok\n");
	blog_stop(nginx, SIGTERM);
	server_stop(fpm, SIGQUIT);
}
