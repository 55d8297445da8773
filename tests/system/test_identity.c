/* SPDX-License-Identifier: ISC */
/* Who the command is, and that it is the very process that was started. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

TestSuite(identity, .timeout = 60);

Test(identity, deploy_becomes_exactly_the_app_user) {
	world_enter();
	world_app_policy("probe", "");
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
}

Test(identity, root_becomes_exactly_the_app_user) {
	world_enter();
	world_app_policy("probe", "");
	world_expect_app(world_probe(&world_root, NULL, NULL));
}

Test(identity, one_more_filter_than_the_caller_has) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	world_app_policy("probe", "");
	for (size_t i = 0; i < 2; i++) {
		struct world_run *before = world_probe_directly(callers[i], NULL, NULL);
		struct world_run *after = world_probe(callers[i], NULL, NULL);
		const char *few = world_value(before, "seccomp_filters"), *more = world_value(after, "seccomp_filters");
		cr_assert(few && more, "stderr: %s", after->err);
		cr_expect(atoi(more) == atoi(few) + 1, "%s filters before, %s after", few, more);
	}
}

Test(identity, groups_of_the_policy_are_the_complete_list) {
	static const struct {
		const char *lines, *groups;
		unsigned gid;
	} cases[] = {
		{"", "4002", 4002},
		{"groups = none\n", "none", 4002},
		{"groups = ra_web\n", "4010", 4002},
		{"groups = ra_extra ra_app ra_web\n", "4002 4010 4011", 4002},
		{"groups = ra_extra\ngroups = ra_web ra_extra 4010\n", "4010 4011", 4002},
		{"group = ra_web\n", "4010", 4010},
		{"group = 4011\ngroups = 4100 4099\n", "4099 4100", 4011},
	};

	world_enter();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_app_policy("probe", cases[i].lines);
		world_expect_confined(world_probe(&world_deploy, NULL, NULL), 4002, cases[i].gid, cases[i].groups,
				      true);
		world_expect_confined(world_probe(&world_root, NULL, NULL), 4002, cases[i].gid, cases[i].groups, true);
	}
}

static void join_powerful_groups(const void *data) {
	const gid_t groups[] = {0, 4, 42, 4020};

	(void)data;
	if (syscall(SYS_setgroups, sizeof(groups) / sizeof(groups[0]), groups) != 0)
		_exit(WORLD_CHILD_BROKE);
}

Test(identity, no_group_of_the_caller_stays) {
	world_enter();
	world_app_policy("probe", "allow_groups = deployers\n");
	struct world_run *run =
		world_run(&(struct world_call){.who = &world_root,
					       .program = WORLD_RUNAS,
					       .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
					       .as_root = join_powerful_groups});
	world_expect_app(run);
}

Test(identity, a_number_without_an_account_works_when_the_policy_says_the_rest) {
	world_enter();
	world_policy("probe",
		     "runas-app = 1\nallow_users = deploy\nuser = 4777\ngroup = 4778\nhome = /tmp\ndirectory = /tmp\n"
		     "command = *\n");
	struct world_run *run = world_probe(&world_deploy, NULL, NULL);
	world_expect_confined(run, 4777, 4778, "4778", true);
	cr_expect(world_env(run, "USER") == NULL, "USER is set for a user that has no name");
	cr_expect(world_env(run, "LOGNAME") == NULL, "LOGNAME is set for a user that has no name");
	cr_expect(world_env(run, "SHELL") == NULL, "SHELL is set for a user that has no shell");
}

Test(identity, callers_are_known_by_name_number_and_group) {
	static const char *const lines[] = {"allow_users = deploy\n",
					    "allow_users = 4001\n",
					    "allow_groups = deployers\n",
					    "allow_groups = 4020\n",
					    "allow_users = other\nallow_users = ra_app deploy\n",
					    "allow_groups = deploy\n"};
	char text[512];

	world_enter();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "runas-app = 1\n%suser = ra_app\ncommand = *\n", lines[i]);
		world_policy("probe", text);
		world_expect_app(world_probe(&world_deploy, NULL, NULL));
	}
}

Test(identity, the_command_is_the_same_process) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root};
	char pid[16];

	world_enter();
	world_app_policy("probe", "");
	for (size_t i = 0; i < 2; i++) {
		struct world_run *run = world_probe(callers[i], NULL, NULL);
		snprintf(pid, sizeof(pid), "%d", run->pid);
		world_expect_value(run, "pid", pid);
	}
}

Test(identity, the_status_is_the_commands_own) {
	static const int statuses[] = {0, 1, 42, 125, 126, 127, 255};
	char number[8];

	world_enter();
	world_app_policy("probe", "");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		snprintf(number, sizeof(number), "%d", statuses[i]);
		struct world_run *run =
			world_launch(&world_deploy, WORLD_LIST("probe", "--", WORLD_PROBE, "--exit", number));
		cr_expect(world_exited(run, statuses[i]), "wait status %#x for %d\n%s", (unsigned)run->status,
			  statuses[i], run->err);
		cr_expect(run->err_length == 0, "a launch that works said: %s", run->err);
	}
}

/* Attack A1. */
Test(identity, arguments_arrive_byte_for_byte) {
	static char big[100000];

	world_enter();
	world_app_policy("probe", "");
	memset(big, '\\', sizeof(big) - 1);
	const char *const argv[] = {"runas-app",
				    "probe",
				    "--",
				    WORLD_PROBE,
				    "--",
				    "-u",
				    "root",
				    "",
				    " a  b ",
				    "\\\\\"'$(id)`id`;*",
				    "--policy=/tmp/x",
				    "\n\t\x1b[2J\x9b",
				    big,
				    NULL};
	struct world_run *run =
		world_run(&(struct world_call){.who = &world_deploy, .program = WORLD_RUNAS, .argv = argv});
	world_expect_value(run, "argc", "10");
	world_expect_value(run, "argv_1", "--");
	world_expect_value(run, "argv_2", "-u");
	world_expect_value(run, "argv_3", "root");
	world_expect_value(run, "argv_4", "");
	world_expect_value(run, "argv_5", " a  b ");
	world_expect_value(run, "argv_6", "\\134\\134\"'$(id)`id`;*");
	world_expect_value(run, "argv_7", "--policy=/tmp/x");
	world_expect_value(run, "argv_8", "\\012\\011\\033[2J\\233");
	const char *back = world_value(run, "argv_9");
	cr_assert(back);
	cr_expect(strlen(back) == 4 * (sizeof(big) - 1), "%zu bytes came back", strlen(back));
}

Test(identity, there_is_no_way_back) {
	static const char *const roads[] = {"regain_uid", "regain_gid", "regain_groups", "regain_securebits"};

	world_enter();
	world_app_policy("probe", "");
	struct world_run *run = world_launch(&world_deploy, WORLD_LIST("probe", "--", WORLD_PROBE, "--regain"));
	for (size_t i = 0; i < sizeof(roads) / sizeof(roads[0]); i++)
		world_expect_value(run, roads[i], "EPERM");
	world_expect_value(run, "regain_capabilities", "EPERM");
}

Test(identity, the_terminal_cannot_be_typed_into) {
	static const char *const typed[] = {"ioctl_5412", "ioctl_541c", "ioctl_100005412", "ioctl_7fffffff0000541c",
					    "ioctl_ffffffff00005412"};
	static const char *const settings[] = {"", "syscalls = none\n", "syscalls = complain @app-server\n",
					       "syscalls = @app-server-debug\n", "syscalls = @web-static\n"};

	world_enter();
	for (size_t set = 0; set < sizeof(settings) / sizeof(settings[0]); set++) {
		world_app_policy("probe", settings[set]);
		struct world_run *run = world_launch(&world_deploy, WORLD_LIST("probe", "--", WORLD_PROBE, "--ioctl"));
		for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
			world_expect_value(run, typed[i], "EPERM");
		world_expect_value(run, "ioctl_5401", "EBADF");
	}
}

/* The inner launch is the app user's own, and must not take the outer filter's answers for its own. */
Test(identity, a_launch_inside_a_launch_loads_its_filter_too) {
	static const char *const settings[] = {"", "syscalls = none\n", "syscalls = complain @web-static\n"};
	char filters[16];

	world_enter();
	struct world_run *before = world_probe_directly(&world_deploy, NULL, NULL);
	snprintf(filters, sizeof(filters), "%d", atoi(world_value(before, "seccomp_filters")) + 2);
	for (size_t outer = 0; outer < 3; outer++)
		for (size_t inner = 0; inner < 3; inner++) {
			world_app_policy("outer", settings[outer]);
			world_app_policy("probe", settings[inner]);
			struct world_run *run =
				world_launch(&world_deploy, WORLD_LIST("outer", "--", WORLD_RUNAS, "probe", "--",
								       WORLD_PROBE, "--ioctl"));
			world_expect_app(run);
			world_expect_value(run, "seccomp_filters", filters);
			world_expect_value(run, "ioctl_5412", "EPERM");
		}
}

/* --- signals to a running app --- */

static struct world_run *start_sleeper(const struct world_person *who, void (*as_caller)(const void *)) {
	struct world_run *run =
		world_start(&(struct world_call){.who = who,
						 .program = WORLD_RUNAS,
						 .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE, "--sleep"),
						 .as_caller = as_caller});
	world_collect(run, "end: yes", 10);
	return run;
}

static int kill_as(const struct world_person *who, pid_t pid, int number) {
	pid_t child = fork();

	cr_assert(child >= 0);
	if (child == 0) {
		if (who->uid != 0 && (syscall(SYS_setgroups, 0, NULL) != 0 ||
				      syscall(SYS_setresgid, who->gid, who->gid, who->gid) != 0 ||
				      syscall(SYS_setresuid, who->uid, who->uid, who->uid) != 0))
			_exit(200);
		_exit(kill(pid, number) == 0 ? 0 : errno);
	}
	int status = 0;
	cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(identity, sigterm_of_root_and_of_the_app_reaches_the_command_and_the_callers_does_not) {
	static const struct world_person *const may[] = {&world_root, &world_app};

	world_enter();
	world_app_policy("probe", "");
	for (size_t i = 0; i < 2; i++) {
		struct world_run *run = start_sleeper(&world_deploy, NULL);
		cr_expect(kill_as(&world_deploy, run->pid, SIGTERM) == EPERM, "the caller's SIGTERM was not refused");
		cr_expect(kill_as(&world_other, run->pid, SIGTERM) == EPERM, "a stranger's SIGTERM was not refused");
		cr_expect(kill(run->pid, 0) == 0, "the app is gone");
		cr_expect(kill_as(may[i], run->pid, SIGTERM) == 0);
		world_wait(run, 5);
		cr_expect(WIFSIGNALED(run->status) && WTERMSIG(run->status) == SIGTERM, "wait status %#x",
			  (unsigned)run->status);
	}
}

Test(identity, the_callers_kill_works_through_a_policy_that_allows_it) {
	char number[16];

	world_enter();
	world_app_policy("probe", "");
	world_policy("stop",
		     "runas-app = 1\nallow_users = deploy\nuser = ra_app\ncommand = /usr/bin/kill -TERM {int}\n");
	struct world_run *run = start_sleeper(&world_deploy, NULL);
	snprintf(number, sizeof(number), "%d", run->pid);
	struct world_run *stop = world_launch(&world_deploy, WORLD_LIST("stop", "--", "kill", "-TERM", number));
	cr_expect(world_exited(stop, 0), "%s", stop->err);
	world_wait(run, 5);
	cr_expect(WIFSIGNALED(run->status) && WTERMSIG(run->status) == SIGTERM, "wait status %#x",
		  (unsigned)run->status);
}

static void ignore_hangup(const void *data) {
	(void)data;
	signal(SIGHUP, SIG_IGN);
}

Test(identity, nohup_works) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *run = start_sleeper(&world_deploy, ignore_hangup);
	world_expect_value(run, "sig_ignored", "0000000000000001");
	cr_expect(kill(run->pid, SIGHUP) == 0);
	usleep(100000);
	cr_expect(!world_ended(run), "SIGHUP killed what nohup started");
	kill(run->pid, SIGKILL);
	world_wait(run, 5);

	run = start_sleeper(&world_deploy, NULL);
	cr_expect(kill(run->pid, SIGHUP) == 0);
	world_wait(run, 5);
	cr_expect(WIFSIGNALED(run->status) && WTERMSIG(run->status) == SIGHUP, "without nohup SIGHUP must end it");
}
