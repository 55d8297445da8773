/* SPDX-License-Identifier: ISC */
/* The last step: which file runs, and what is said when it cannot. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

TestSuite(exec, .timeout = 60);

static struct world_run *launch(const char *command) {
	return world_launch(&world_deploy, WORLD_LIST("probe", "--", command));
}

Test(exec, a_missing_command_is_127) {
	world_enter();
	world_app_policy("probe", "");
	world_expect_refused(launch("/usr/bin/does-not-exist"), 127, "/usr/bin/does-not-exist");
	world_expect_refused(launch("does-not-exist"), 127, "does-not-exist");
	world_expect_refused(launch("/etc/passwd/x"), 127, "/etc/passwd/x");
}

Test(exec, a_missing_interpreter_is_127_and_named) {
	world_enter();
	world_app_policy("probe", "");
	world_file("/usr/local/bin/script", 0, 0, 0755, "#!/opt/no/such/ruby -w\nputs 1\n");
	struct world_run *run = launch("/usr/local/bin/script");
	world_expect_refused(run, 127, "/opt/no/such/ruby");
	cr_expect(strstr(run->err, "/usr/local/bin/script") != NULL, "the script is not named: %s", run->err);
}

Test(exec, what_is_not_executable_is_126) {
	world_enter();
	world_app_policy("probe", "");
	world_file("/usr/local/bin/data", 0, 0, 0644, "#!/bin/sh\necho ran\n");
	world_file("/usr/local/bin/private", 0, 0, 0700, "#!/bin/sh\necho ran\n");
	world_expect_refused(launch("/usr/local/bin/data"), 126, "/usr/local/bin/data");
	world_expect_refused(launch("/usr/local/bin/private"), 126, "/usr/local/bin/private");
	world_expect_refused(launch("/usr/bin"), 126, "/usr/bin");
}

/* Attack C4. */
Test(exec, a_text_without_interpreter_is_126_and_never_given_to_a_shell) {
	world_enter();
	world_app_policy("probe", "");
	world_file("/usr/local/bin/plain", 0, 0, 0755, "echo ran\n");
	world_file("/usr/local/bin/empty", 0, 0, 0755, "");
	struct world_run *run = launch("/usr/local/bin/plain");
	world_expect_refused(run, 126, "/usr/local/bin/plain");
	world_expect_refused(launch("plain"), 126, "plain");
	world_expect_refused(launch("/usr/local/bin/empty"), 126, "/usr/local/bin/empty");
}

Test(exec, a_script_with_interpreter_runs) {
	world_enter();
	world_app_policy("probe", "");
	world_file("/usr/local/bin/script", 0, 0, 0755, "#!/bin/sh\necho \"ran as $(id -u) with $1\"\n");
	struct world_run *run = world_launch(&world_deploy, WORLD_LIST("probe", "--", "script", "one argument"));
	cr_expect(world_exited(run, 0), "%s", run->err);
	cr_expect(strcmp(run->out, "ran as 4002 with one argument\n") == 0, "%s", run->out);
}

Test(exec, a_word_is_looked_up_along_the_policys_path_and_what_cannot_be_run_is_passed_over) {
	world_enter();
	world_directory("/srv/one", 0, 0, 0755);
	world_directory("/srv/two", 0, 0, 0755);
	world_directory("/srv/secret", 0, 0, 0700);
	world_app_policy("probe", "path = /srv/missing:/srv/secret:/srv/one:/srv/two\n");
	world_file("/srv/secret/tool", 0, 0, 0755, "#!/bin/sh\necho secret\n");
	world_file("/srv/one/tool", 0, 0, 0644, "#!/bin/sh\necho one\n");
	world_file("/srv/two/tool", 0, 0, 0755, "#!/bin/sh\necho two\n");
	struct world_run *run = launch("tool");
	cr_expect(world_exited(run, 0), "%s", run->err);
	cr_expect(strcmp(run->out, "two\n") == 0, "%s", run->out);
	unlink("/srv/two/tool");
	world_expect_refused(launch("tool"), 126, "tool");
}

/* Attack C4. */
Test(exec, the_callers_path_and_directory_do_not_choose_the_file) {
	world_enter();
	world_app_policy("probe", "");
	world_file("/tmp/probe", WORLD_DEPLOY, WORLD_DEPLOY, 0755, "#!/bin/sh\necho evil\n");
	struct world_run *run = world_run(&(struct world_call){.who = &world_deploy,
							       .program = WORLD_RUNAS,
							       .argv = WORLD_LIST("runas-app", "probe", "--", "probe"),
							       .envp = WORLD_LIST("PATH=/tmp:/usr/bin"),
							       .directory = "/tmp"});
	world_expect_app(run);
	world_expect_value(run, "argv_0", "probe");
}

Test(exec, an_open_file_limit_that_is_used_up_is_not_a_reason_to_fail) {
	world_enter();
	world_app_policy("probe", "limit_nofile = 3:3\n");
	world_expect_app(launch(WORLD_PROBE));
}

Test(exec, a_directory_that_cannot_be_entered_is_refused_and_named) {
	world_enter();
	world_directory("/srv/closed", 0, 0, 0700);
	world_policy("probe",
		     "runas-app = 1\nallow_users = deploy\nuser = ra_app\ndirectory = /srv/closed\ncommand = *\n");
	world_expect_refused(launch(WORLD_PROBE), 125, "/srv/closed");
	world_policy("probe",
		     "runas-app = 1\nallow_users = deploy\nuser = ra_app\ndirectory = /srv/nowhere\ncommand = *\n");
	world_expect_refused(launch(WORLD_PROBE), 125, "/srv/nowhere");
}

Test(exec, relative_commands_and_last_components_match_their_pattern) {
	world_enter();
	world_directory("/srv/ra_app/bin", 0, 0, 0755);
	world_copy(WORLD_PROBE, "/srv/ra_app/bin/rails", 0755);
	world_policy(
		"probe",
		"runas-app = 1\nallow_users = deploy\nuser = ra_app\ncommand = /srv/ra_app/bin/rails {a|b} {int} *\n");
	static const char *const typed[] = {"/srv/ra_app/bin/rails", "rails", "bin/rails"};
	for (size_t i = 0; i < 3; i++) {
		struct world_run *run =
			world_launch(&world_deploy, WORLD_LIST("probe", "--", typed[i], "a", "12", "any thing"));
		world_expect_app(run);
		world_expect_value(run, "argv_0", typed[i]);
		world_expect_value(run, "argv_3", "any thing");
	}
	static const char *const others[][3] = {
		{"rails", "c", "12"},	       {"rails", "a", "-1"},
		{"./bin/rails", "a", "1"},     {"/srv/ra_app/bin/../bin/rails", "a", "1"},
		{"rails", "a", "12345678901"}, {"probe", "a", "1"}};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct world_run *run = world_launch(
			&world_deploy, WORLD_LIST("probe", "--", others[i][0], others[i][1], others[i][2]));
		world_expect_refused(run, 126, "[");
	}
}

static void break_stderr(const void *data) {
	int ends[2];

	(void)data;
	if (pipe(ends) != 0 || close(ends[0]) != 0 || dup2(ends[1], 2) != 2)
		_exit(WORLD_CHILD_BROKE);
}

Test(exec, a_message_that_nobody_reads_does_not_change_the_status) {
	world_enter();
	world_app_policy("probe", "");
	struct world_call call = {.who = &world_deploy, .program = WORLD_RUNAS, .as_caller = break_stderr,
				  .argv = WORLD_LIST("runas-app", "no-such-app", "--", "x")};
	cr_expect(world_exited(world_run(&call), 125));
	call.argv = WORLD_LIST("runas-app", "probe", "--", "/usr/local/bin/no-such-file");
	struct world_run *run = world_run(&call);
	cr_expect(world_exited(run, 126) || world_exited(run, 127), "%#x", (unsigned)run->status);
}
