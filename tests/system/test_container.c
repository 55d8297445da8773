/* SPDX-License-Identifier: ISC */
/*
 * As the entry point of a container: Docker's situation, rebuilt with runc. What is expected, row by row:
 *
 *   started                                       the app
 *   as root, Docker's 14 capabilities and filter  runs: the policy's ids, groups and umask, no capability, empty bounding set
 *   as root, SETUID SETGID SETPCAP alone          the same
 *   as root, noNewPrivileges                      the same
 *   as root, without SETPCAP                      refused, 125 [capability-missing]: names it, and --cap-add
 *   as the app's uid and gid                      runs; the bounding set is the container's, which no_new_privs makes void
 *   the same, and an fsGroup the policy has       runs
 *   the same, and an fsGroup it has not           refused, 125: names the group that differs
 *   as another uid                                refused, 126 [not-root]: setuid bit or no_new_privs
 *   as another uid, the file setuid               refused, 126 [not-permitted], unless allow_users has it
 *   on a read-only root, or a writable one        runs; the app's own attempts get EROFS, or what modes say
 *   without /proc                                 runs; with oom_score_adj in the policy refused (test_limits_nice.c)
 *   root's pipe as stdout, reopened by the app    EACCES, with stdio_chown = yes it works
 *   the same, as the app's uid                    works: the runtime has given it the pipe; stdio_chown is refused
 *   a signal to the container                     reaches the app, which is PID 1; its exit status is the container's
 *   with an environment, env_keep = *             all of it, lines and emptiness too, but what loaders obey
 *   with a policy of mode 0664                    refused, 125 [policy-mode]: COPY --chmod=0644
 *   with a policy that is a symlink (ConfigMap)   refused, 125 [policy-type]: subPath
 *   app.Dockerfile, app.pod.yaml, app.conf        serve a page
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"
#include "recipe.h"
#include "server.h"
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
	/* The container's filter, and ours. */
	world_expect_value(run, "seccomp_filters", "2");
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
	world_expect_value(run, "seccomp_filters", "2");
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
	world_expect_refused(run, 126, "[not-root]");
	/* The runtime sets no_new_privs, and the image's file has no setuid bit: without the one it would still fail. */
	cr_expect(strstr(run->err, "is not setuid root") != NULL, "%s", run->err);
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

/* --- with a shell in the image --- */

#define SHELL(script) ", 'args': ['runas-app', 'shell', '--', 'sh', '-c', '" script "']"

static void enter_with_shell(void) {
	enter();
	server_needs(CONTAINER_BUSYBOX);
	container_policy("shell", "runas-app = 1\nuser = ra_app\ncommand = *\nenv_keep = *\n");
}

static struct container shell_container(const char *user, const char *process) {
	return (struct container){.user = user,
				  .capabilities = CONTAINER_FOURTEEN,
				  .is_root = user == as_root,
				  .app = "shell",
				  .process = process};
}

static void expect_output(const struct world_run *run, const char *expected) {
	cr_expect(world_exited(run, 0) && strcmp(run->out, expected) == 0, "status %#x, not `%s`: %s%s",
		  (unsigned)run->status, expected, run->out, run->err);
}

Test(container, a_root_file_system_that_cannot_be_written_is_enough) {
	static const char writes[] = SHELL("for d in / /srv/ra_app /etc; do echo x >$d/new; done 2>&1; :");
	struct container c = shell_container(as_root, writes);

	enter_with_shell();
	expect_output(container_run(&c), "sh: can't create //new: Read-only file system\n"
					 "sh: can't create /srv/ra_app/new: Read-only file system\n"
					 "sh: can't create /etc/new: Read-only file system\n");
	c.is_writable = true;
	expect_output(container_run(&c), "sh: can't create //new: Permission denied\n"
					 "sh: can't create /etc/new: Permission denied\n");
	struct stat facts;
	cr_expect(stat(CONTAINER_ROOT "/srv/ra_app/new", &facts) == 0 && facts.st_uid == WORLD_APP &&
			  (facts.st_mode & 0777) == 0640,
		  "the app's own file, under the policy's umask");
}

/* runc itself wants a /proc: the image once more, where nothing is mounted, is entered from inside. */
Test(container, no_proc_is_needed) {
	static const char mount[] =
		", {'destination': '/inner', 'type': 'bind', 'source': '" CONTAINER_ROOT "', 'options': ['bind']}";
	static const char *const entries[][2] = {
		{", 'args': ['chroot', '/inner', 'runas-app', 'shell', '--', 'sh', '-c', 'ls /proc; echo none']",
		 ", 'args': ['chroot', '/inner', 'runas-app', 'app', '--', 'probe']"},
		{", 'args': ['chroot', '/inner', 'su', '-s', '/bin/sh', 'ra_app', '-c', "
		 "'runas-app shell -- sh -c \\\"ls /proc; echo none\\\"']",
		 ", 'args': ['chroot', '/inner', 'su', '-s', '/bin/sh', 'ra_app', '-c', "
		 "'/usr/local/bin/runas-app app -- probe']"}};

	enter_with_shell();
	world_directory(CONTAINER_ROOT "/inner", 0, 0, 0755);
	for (size_t i = 0; i < 2; i++) {
		struct container c = shell_container(as_root, entries[i][0]);
		c.mounts = mount;
		expect_output(container_run(&c), "none\n");
		c.process = entries[i][1];
		world_expect_confined(container_run(&c), WORLD_APP, WORLD_APP, "4002", i == 0);
	}
}

Test(container, a_pipe_as_stdout_can_be_opened_again) {
	static const char reopens[] = SHELL("echo again >/dev/stdout");
	static const char chowns[] = "runas-app = 1\nuser = ra_app\ncommand = *\nstdio_chown = yes\n";
	struct container root = shell_container(as_root, reopens), app = shell_container(as_app, reopens);

	enter_with_shell();
	struct world_run *run = container_run(&root);
	cr_expect(!world_exited(run, 0) && strstr(run->err, "can't create /dev/stdout: Permission denied"), "%s%s",
		  run->out, run->err);
	expect_output(container_run(&app), "again\n");
	container_policy("shell", chowns);
	expect_output(container_run(&root), "again\n");
	world_expect_refused(container_run(&app), 125, "stdio_chown");
}

Test(container, the_app_is_pid_1_and_signals_reach_it) {
	static const char *const users[] = {as_root, as_app};
	static const char waits[] =
		SHELL("trap \\\"echo reloaded\\\" HUP; trap \\\"echo ended; exit 7\\\" TERM; echo pid $$; "
		      "while :; do sleep 0.1; done");

	enter_with_shell();
	for (size_t i = 0; i < 2; i++) {
		struct container c = shell_container(users[i], waits);
		struct world_run *run = container_start(&c);
		world_collect(run, "pid 1\n", 20);
		container_signal("HUP");
		world_collect(run, "reloaded\n", 20);
		container_signal("TERM");
		container_wait(run);
		cr_expect(world_exited(run, 7), "status %#x", (unsigned)run->status);
		cr_expect(strcmp(run->out, "pid 1\nreloaded\nended\n") == 0, "%s", run->out);
	}
}

Test(container, the_containers_environment_comes_along) {
	static const char *const users[] = {as_root, as_app};
	static const char environment[] = ", 'args': ['/usr/local/bin/runas-app', 'app', '--', 'probe'], "
					  "'env': ['PATH=/evil', 'HOME=/evil', 'LINES_=one\\ntwo', 'EMPTY=', "
					  "'UTF8=\xc3\xa4', 'LD_PRELOAD=/x', 'LD_LIBRARY_PATH=/x', 'RUBYOPT=-r/x', "
					  "'PYTHONPATH=/x', 'BASH_ENV=/x', 'ENV=/x', 'IFS=x', 'GCONV_PATH=/x']";
	static const char *const dropped[] = {
		"LD_PRELOAD", "LD_LIBRARY_PATH", "RUBYOPT", "PYTHONPATH", "BASH_ENV", "ENV", "IFS", "GCONV_PATH"};

	enter();
	for (size_t i = 0; i < 2; i++) {
		struct container c = {.user = users[i],
				      .capabilities = CONTAINER_FOURTEEN,
				      .is_root = i == 0,
				      .app = "app",
				      .process = environment};
		struct world_run *run = container_run(&c);
		cr_assert(world_exited(run, 0), "%s", run->err);
		static const char *const kept[] = {"\nenv: EMPTY=\n", "\nenv: LINES_=one\\012two\n",
						   "\nenv: UTF8=\\303\\244\n"};
		for (size_t k = 0; k < sizeof(kept) / sizeof(kept[0]); k++)
			cr_expect(strstr(run->out, kept[k]), "no `%s` in %s", kept[k], run->out);
		cr_expect(strcmp(world_env(run, "HOME"), "/srv/ra_app") == 0, "HOME is the policy's");
		cr_expect(strcmp(world_env(run, "PATH"), "/usr/local/bin:/usr/bin:/bin") == 0, "PATH is the policy's");
		for (size_t k = 0; k < sizeof(dropped) / sizeof(dropped[0]); k++)
			cr_expect(world_env(run, dropped[k]) == NULL, "%s is kept", dropped[k]);
	}
}

Test(container, a_policy_that_the_image_has_wrong_is_refused_with_the_cure) {
	enter();
	cr_assert(chmod(CONTAINER_ROOT "/etc/runas-app/app.conf", 0664) == 0);
	struct world_run *run = run_container(as_root, CONTAINER_FOURTEEN, true, false, "app");
	world_expect_refused(run, 125, "[policy-mode]");
	cr_expect(strstr(run->err, "COPY --chmod=0644"), "%s", run->err);
	/* As a ConfigMap is mounted. */
	world_directory(CONTAINER_ROOT "/etc/runas-app/..data", 0, 0, 0755);
	cr_assert(chmod(CONTAINER_ROOT "/etc/runas-app/app.conf", 0644) == 0);
	cr_assert(rename(CONTAINER_ROOT "/etc/runas-app/app.conf", CONTAINER_ROOT "/etc/runas-app/..data/app.conf") ==
		  0);
	cr_assert(symlink("..data/app.conf", CONTAINER_ROOT "/etc/runas-app/app.conf") == 0);
	run = run_container(as_root, CONTAINER_FOURTEEN, true, false, "app");
	world_expect_refused(run, 125, "[policy-type]");
	cr_expect(strstr(run->err, "subPath"), "%s", run->err);
}

/* --- policy/examples/app.* --- */

static char *dockerfile, *pod, *policy;

/* What follows `key` in its line. */
static const char *value_of(const char *text, const char *key) {
	static char values[8][256];
	static size_t next;
	const char *at = strstr(text, key);
	char *value = values[next++ % 8];

	cr_assert(at, "no `%s` in the example", key);
	at += strlen(key);
	at += strspn(at, " ");
	snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(at, "\n"), at);
	return value;
}

/* The Dockerfile's COPY lines, with the mode that each names. */
static void build_image(void) {
	for (const char *line = dockerfile; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		char name[64], to[128], path[256];
		unsigned mode = 0;
		if (sscanf(line, "COPY --chmod=%o %63s %127s", &mode, name, to) != 3)
			continue;
		snprintf(path, sizeof(path), CONTAINER_ROOT "%s%s", to, name);
		if (strcmp(name, "runas-app") == 0)
			world_copy(WORLD_RUNAS, path, mode);
		else if (strcmp(name, "app.conf") == 0)
			world_file(path, 0, 0, mode, policy);
		else
			cr_assert_fail("the Dockerfile copies %s: teach this test what it is", name);
	}
	cr_assert(strstr(dockerfile, "\nCOPY public /app/public\n"));
	world_directory(CONTAINER_ROOT "/app", 0, 0, 0755);
	world_directory(CONTAINER_ROOT "/app/public", 0, 0, 0755);
	world_file(CONTAINER_ROOT "/app/public/index.html", 0, 0, 0644, "hello from a container\n");
}

/* runc's own are in no second pid namespace. */
static bool is_inside(const char *status) {
	const char *numbers = world_value_in(status, "NSpid");

	return numbers && strchr(numbers + 1, '\t');
}

static void expect_page_from(const struct container *c) {
	static const struct server_fact facts[] = {{"Name", "httpd"},
						   {"Uid", "10001 10001 10001 10001"},
						   {"Gid", "10001 10001 10001 10001"},
						   {"Umask", "0027"},
						   {"CapEff", "0000000000000000"},
						   {"CapBnd", "0000000000000000"},
						   {"NoNewPrivs", "1"},
						   {"Seccomp", "2"},
						   {NULL, NULL}};
	struct world_run *run = container_start(c);
	const char *answer = server_first_answer(run, 8080, "/");

	cr_expect(strstr(answer, " 200 OK") && strstr(answer, "hello from a container"), "%s", answer);
	const size_t seen = server_expect_each(is_inside, facts);
	/* Each is an httpd, as looked at above; the child that answered the last connection may not have ended yet. */
	cr_expect(seen == 1 || seen == 2, "%zu processes, not the server alone", seen);
	/* busybox's server has no handler, which PID 1 would need for TERM. */
	container_signal("KILL");
	container_wait(run);
	server_expect_gone("ended");
}

static void enter_example(void) {
	dockerfile = recipe_read("app.Dockerfile");
	pod = recipe_read("app.pod.yaml");
	policy = recipe_read("app.conf");
	container_enter();
	server_needs(CONTAINER_BUSYBOX);
	server_enter_network();
	build_image();
}

/* 'args' from two lists of a Dockerfile. */
static const char *arguments_of(const char *entrypoint, const char *command) {
	static char text[1024];

	snprintf(text, sizeof(text), ", 'args': %.*s, %s", (int)strcspn(entrypoint, "]"), entrypoint, command + 1);
	return text;
}

Test(container, the_example_image_serves_as_root) {
	enter_example();
	expect_page_from(&(struct container){
		.user = as_root,
		.capabilities = CONTAINER_FOURTEEN,
		.is_root = true,
		.process = arguments_of(value_of(dockerfile, "\nENTRYPOINT"), value_of(dockerfile, "\nCMD")),
		.shares_network = true});
}

static struct container pod_container(const char *more_groups) {
	static char user[128];

	snprintf(user, sizeof(user), "'uid': %s, 'gid': %s%s", value_of(pod, " runAsUser:"),
		 value_of(pod, " runAsGroup:"), more_groups);
	cr_assert(strcmp(value_of(pod, " drop:"), "[\"ALL\"]") == 0);
	return (struct container){
		.user = user,
		.capabilities = "",
		.no_new_privileges = strcmp(value_of(pod, " allowPrivilegeEscalation:"), "false") == 0,
		.is_writable = strcmp(value_of(pod, " readOnlyRootFilesystem:"), "true") != 0,
		.process = arguments_of(value_of(dockerfile, "\nENTRYPOINT"), value_of(pod, " args:")),
		.shares_network = true};
}

Test(container, the_example_pod_serves_without_ever_being_root) {
	enter_example();
	struct container c = pod_container("");
	cr_expect(c.no_new_privileges && !c.is_writable);
	expect_page_from(&c);
	c = pod_container(", 'additionalGids': [2000]");
	struct world_run *run = container_run(&c);
	world_expect_refused(run, 125, "2000");
	cr_expect(strstr(run->err, "fsGroup"), "%s", run->err);
	/* What the comment says: named in the policy, it works. */
	char named[8192];
	const char *line = strstr(policy, "\ngroups = 10001");
	cr_assert(line);
	snprintf(named, sizeof(named), "%.*s\ngroups = 10001 2000%s", (int)(line - policy), policy,
		 line + strlen("\ngroups = 10001"));
	container_policy("app", named);
	expect_page_from(&c);
}
