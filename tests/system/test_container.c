/* SPDX-License-Identifier: ISC */
/* As the entry point of a container: Docker's situation, rebuilt with runc and an image that holds two files. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "container.h"
#include "world.h"

TestSuite(container, .timeout = 60);

static const char as_root[] = CONTAINER_AS_ROOT;
static const char as_app[] = CONTAINER_AS_APP;

static void enter(void) {
	container_enter();
	container_policy("app", "runas-app = 1\nuser = ra_app\ncommand = /usr/local/bin/probe *\nenv_keep = *\n");
	container_policy("two", "runas-app = 1\nuser = ra_app\ngroups = ra_app ra_web\n"
				"command = /usr/local/bin/probe *\n");
	container_policy("number", "runas-app = 1\nuser = 5000\ngroup = 5000\nhome = /tmp\ndirectory = /tmp\n"
				   "command = /usr/local/bin/probe *\n");
}

static struct world_run *run_container(const char *user, const char *capabilities, bool is_root, bool no_new_privileges,
				       const char *app) {
	return container_run(&(struct container){.user = user,
						 .capabilities = capabilities,
						 .is_root = is_root,
						 .no_new_privileges = no_new_privileges,
						 .app = app});
}

Test(container, root_becomes_the_app_user_with_dockers_capabilities_and_filter) {
	enter();
	struct world_run *run = run_container(as_root, CONTAINER_FOURTEEN, true, false, "app");
	world_expect_app(run);
	/* The container's filter, and our two. */
	world_expect_value(run, "seccomp_filters", "3");
	world_expect_value(run, "pid", "1");
	world_expect_value(run, "umask", "0027");
	world_expect_value(run, "cwd", "/srv/ra_app");
	cr_expect(world_env(run, "APP_COLOR") && strcmp(world_env(run, "APP_COLOR"), "blue") == 0,
		  "env_keep = * of real root");
	cr_expect(world_env(run, "LD_PRELOAD") == NULL, "the loader's variables are never kept");
	cr_expect(world_exited(run, 0));
}

Test(container, root_under_no_new_privileges_works_too) {
	enter();
	world_expect_app(run_container(as_root, CONTAINER_FOURTEEN, true, true, "app"));
}

Test(container, the_three_capabilities_alone_are_enough) {
	enter();
	world_expect_app(run_container(as_root, "CAP_SETUID CAP_SETGID CAP_SETPCAP", true, true, "app"));
}

Test(container, supplementary_groups_and_numbers_work) {
	enter();
	world_expect_confined(run_container(as_root, CONTAINER_FOURTEEN, true, false, "two"), WORLD_APP, WORLD_APP,
			      "4002 4010", true);
	world_expect_confined(run_container(as_root, CONTAINER_FOURTEEN, true, false, "number"), 5000, 5000, "5000",
			      true);
}

Test(container, already_running_as_the_app_user_works) {
	enter();
	struct world_run *run = run_container(as_app, CONTAINER_FOURTEEN, false, false, "app");
	cr_assert(world_value(run, "end"), "stderr: %s", run->err);
	world_expect_value(run, "ruid", "4002");
	world_expect_value(run, "rgid", "4002");
	world_expect_value(run, "no_new_privs", "1");
	world_expect_value(run, "cap_permitted", "0000000000000000");
	world_expect_value(run, "cap_effective", "0000000000000000");
	world_expect_value(run, "cap_inheritable", "0000000000000000");
	world_expect_value(run, "cap_ambient", "0000000000000000");
	world_expect_value(run, "seccomp_filters", "3");
	world_expect_value(run, "umask", "0027");
	cr_expect(world_env(run, "APP_COLOR") && strcmp(world_env(run, "APP_COLOR"), "blue") == 0,
		  "env_keep = * of the app user");
	cr_expect(world_exited(run, 0));
}

Test(container, the_app_user_with_groups_that_differ_is_told_which) {
	enter();
	struct world_run *run = run_container("'uid': 4002, 'gid': 4002, 'additionalGids': [4011]", CONTAINER_FOURTEEN,
					      false, true, "app");
	world_expect_refused(run, 125, "4011");
	run = run_container(as_app, CONTAINER_FOURTEEN, false, true, "two");
	world_expect_refused(run, 125, "4010");
	run = run_container("'uid': 4002, 'gid': 4002, 'additionalGids': [4010]", CONTAINER_FOURTEEN, false, true,
			    "two");
	cr_expect(world_exited(run, 0), "%s", run->err);
	world_expect_value(run, "ruid", "4002");
}

Test(container, another_user_is_refused_with_the_reason) {
	enter();
	struct world_run *run = run_container("'uid': 4003, 'gid': 4003", CONTAINER_FOURTEEN, false, true, "app");
	cr_expect(run->out_length == 0 && !world_exited(run, 0), "%s", run->out);
	cr_expect(strstr(run->err, "no_new_privs") != NULL || strstr(run->err, "setuid") != NULL, "%s", run->err);
}

Test(container, root_without_setpcap_is_refused_and_told_what_to_add) {
	enter();
	struct world_run *run = run_container(as_root, "CAP_CHOWN CAP_SETGID CAP_SETUID CAP_KILL", true, false, "app");
	world_expect_refused(run, 125, "SETPCAP");
	cr_expect(strstr(run->err, "hint: ") && strstr(run->err, "--cap-add"), "the runtime's flag is not named: %s",
		  run->err);
}

Test(container, a_setuid_copy_asks_the_policy_who_may_call) {
	enter();
	cr_assert(chmod(CONTAINER_ROOT "/usr/local/bin/runas-app", 04755) == 0);
	struct world_run *run = run_container(as_app, CONTAINER_FOURTEEN, false, false, "app");
	world_expect_refused(run, 126, "[not-permitted]");
	container_policy("app",
			 "runas-app = 1\nallow_users = ra_app\nuser = ra_app\ncommand = /usr/local/bin/probe *\n");
	world_expect_app(run_container(as_app, CONTAINER_FOURTEEN, false, false, "app"));
}
