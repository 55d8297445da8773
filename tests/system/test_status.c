/* SPDX-License-Identifier: ISC */
/* runas-policy status, of what runas-app really started. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "world.h"

TestSuite(status, .timeout = 60);

enum { STATUS_USER = 47021 }; /* nobody else's: processes are seen from every mount namespace */

static const struct world_person stranger = {STATUS_USER, STATUS_USER, 1, {STATUS_USER}};

static struct world_run *status(const char *what) {
	char tool[256];

	snprintf(tool, sizeof(tool), "%s", world_built("runas-policy"));
	return world_run(&(struct world_call){.who = &world_root, .argv = WORLD_LIST(tool, "status", what)});
}

static struct world_run *start(const char *command) {
	struct world_run *run = world_start(
		&(struct world_call){.who = &world_deploy,
				     .program = WORLD_RUNAS,
				     .argv = WORLD_LIST("runas-app", "app", "--", "/bin/sh", "-c", command)});

	world_collect(run, "ready", 20);
	return run;
}

static void enter(const char *more) {
	char text[512];

	world_enter();
	snprintf(text, sizeof(text),
		 "runas-app = 1\nallow_users = deploy\nuser = %d\ngroup = %d\nhome = /srv\ndirectory = /srv\numask = "
		 "0027\n"
		 "limit_nofile = 64:128\nnice = 3\noom_score_adj = 10\ngroups = ra_web\ncommand = *\n%s",
		 STATUS_USER, STATUS_USER, more);
	world_policy("app", text);
}

Test(status, of_a_launch_is_all_as_the_policy_says) {
	char pid[16];

	enter("");
	struct world_run *app = start("echo ready; sleep 60");
	struct world_run *run = status("app");
	cr_expect(world_exited(run, 0), "%s%s", run->out, run->err);
	snprintf(pid, sizeof(pid), "%d", app->pid);
	cr_expect(strstr(run->out, pid) && strstr(run->out, "runas-app"), "%s", run->out);
	run = status(pid);
	cr_expect(world_exited(run, 0), "%s%s", run->out, run->err);
	cr_expect(!strstr(run->out, "!! ") && !strstr(run->out, "~  "), "%s", run->out);
	for (const char *const *line =
		     WORLD_LIST("\nok user ", "\nok groups ", "\nok capabilities, bounding ", "\nok no_new_privs ",
				"\nok system call filters ", "\nok umask ", "\nok limit_nofile ", "\nok nice ",
				"\nok oom_score_adj ", "\nok directory ");
	     *line; line++)
		cr_expect(strstr(run->out, *line), "no `%s` in %s", *line + 1, run->out);
}

Test(status, tells_what_the_app_did_since_and_who_came_otherwise) {
	enter("syscalls = none\n");
	start("umask 0; echo ready; sleep 60");
	struct world_run *run = status("app");
	cr_expect(world_exited(run, 1), "%s%s", run->out, run->err);
	cr_expect(strstr(run->out, "umask: the policy says 0027, but it is 0000 [differs]"), "%s", run->out);
	cr_expect(!strstr(run->out, "started-by-others"), "%s", run->out);

	struct world_run *other = world_start(
		&(struct world_call){.who = &stranger, .argv = WORLD_LIST("/bin/sh", "-c", "echo ready; sleep 60")});
	world_collect(other, "ready", 20);
	run = status("app");
	cr_expect(strstr(run->out, "[started-by-others]"), "%s", run->out);
}

Test(status, of_an_app_that_does_not_run_cannot_be_told) {
	enter("");
	struct world_run *run = status("app");
	cr_expect(world_exited(run, 2) && strstr(run->err, "no process runs as uid"), "%s%s", run->out, run->err);
}
