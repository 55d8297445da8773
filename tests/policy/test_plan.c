/* SPDX-License-Identifier: ISC */
/* The whole launch as numbers and bytes, or a refusal: who, where, with which environment, and what is executed. */
#include "tests/policy/launch.h"

#include <stdio.h>
#include <sys/resource.h>

TestSuite(plan, .timeout = 20);

/* --- who ---------------------------------------------------------------------------------------------------- */

static void expect_groups(const struct launch_plan *plan, size_t count, const uint32_t *want) {
	cr_assert(plan->group_count == count, "%zu groups, not %zu", plan->group_count, count);
	for (size_t i = 0; i < count; i++)
		cr_expect(plan->groups[i] == want[i], "group %zu is %u, not %u", i, plan->groups[i], want[i]);
}

Test(plan, identity_by_names) {
	const struct launch_plan *plan = built(by_deploy(""));

	cr_expect(plan->uid.value == 4002 && plan->gid.value == 4002);
	expect_groups(plan, 1, (const uint32_t[]){4002});
	cr_expect(plan->has_root && plan->restores);
	cr_expect(built(by_deploy("group = web\n"))->gid.value == 4010);
	expect_groups(built(by_deploy("group = web\n")), 1, (const uint32_t[]){4010});
}

Test(plan, groups_are_sorted_and_unique) {
	expect_groups(built(by_deploy("groups = extra web app\n")), 3, (const uint32_t[]){4002, 4010, 4011});
	expect_groups(built(by_deploy("groups = extra 4011 web extra\ngroups = 4010\n")), 2,
		      (const uint32_t[]){4010, 4011});
	expect_groups(built(by_deploy("groups = 9 8 7 4294967294 1\n")), 5,
		      (const uint32_t[]){1, 7, 8, 9, 4294967294u});
	expect_groups(built(by_deploy("groups = 4294967294 4294967290\n")), 2,
		      (const uint32_t[]){4294967290u, 4294967294u});
	expect_groups(built(by_deploy("groups = none\n")), 0, NULL);
	cr_expect(built(by_deploy("groups = none\n"))->gid.value == 4002);
}

Test(plan, as_many_groups_as_a_policy_can_name) {
	struct text line = given("groups =");
	const struct launch_plan *plan;
	char word[16];

	for (unsigned i = POLICY_MAX_WORDS; i > 0; i--) {
		snprintf(word, sizeof(word), " %u", 5000 + i);
		line = given_joined(line, given(word));
	}
	plan = built(by_deploy(given_string(given_joined(line, given("\n")))));
	cr_assert(plan->group_count == POLICY_MAX_WORDS);
	for (unsigned i = 0; i < POLICY_MAX_WORDS; i++)
		cr_expect(plan->groups[i] == 5001 + i, "%u", i);
}

Test(plan, a_number_without_an_entry_needs_group_home_and_directory) {
	struct launch l = by_deploy(NULL);
	const struct launch_plan *plan;

	l.policy = "runas-app = 1\nuser = 10001\ngroup = 10002\nhome = /data\ndirectory = /app\ncommand = *\n";
	plan = built(l);
	cr_expect(plan->uid.value == 10001 && plan->gid.value == 10002);
	expect_groups(plan, 1, (const uint32_t[]){10002});
	expect_variable(plan, "HOME", "/data");
	expect_variable(plan, "USER", NULL);
	expect_variable(plan, "LOGNAME", NULL);
	expect_variable(plan, "SHELL", NULL);
	l.policy = "runas-app = 1\nuser = 10001\nhome = /data\ndirectory = /app\ncommand = *\n";
	expect_refused(l, "account", "10001");
	l.policy = "runas-app = 1\nuser = 10001\ngroup = 10002\ndirectory = /app\ncommand = *\n";
	expect_refused(l, "policy-value", "");
	l.policy = "runas-app = 1\nuser = 10001\ngroup = 10002\ncommand = *\n";
	expect_refused(l, "policy-value", "");
}

Test(plan, unknown_names_are_refused_and_never_guessed) {
	struct launch l = by_deploy("");

	l.passwd = "root:x:0:0::/:/bin/sh\n+:x:4002:4002::/:/bin/sh\n";
	expect_refused(l, "account", "app");
	expect_refused(by_deploy("group = ghost\n"), "account", "ghost");
	expect_refused(by_deploy("groups = web ghost\n"), "account", "ghost");
}

Test(plan, ambiguous_names_are_refused) {
	struct launch l = by_deploy("");

	l.passwd = GIVEN_PASSWD "app:x:4099:4002::/srv/app:/bin/sh\n";
	expect_refused(l, "account", "app");
	l.passwd = GIVEN_PASSWD "app:x:4002:0::/srv/app:/bin/sh\n";
	expect_refused(l, "account", "app");
	l = by_deploy("group = web\n");
	l.group = GIVEN_GROUP "web:x:4099:\n";
	expect_refused(l, "account", "web");
	l = by_deploy("groups = web\n");
	l.group = GIVEN_GROUP "web:x:4099:\n";
	expect_refused(l, "account", "web");
}

/* Another name of uid or gid 0 is root all the same, whatever else the policy says. */
Test(plan, a_number_with_two_groups_is_refused) {
	struct launch l = by_deploy("");

	l.policy = "runas-app = 1\nallow_users = deploy\nuser = 4002\ngroup = 4002\ncommand = *\n";
	l.passwd = GIVEN_PASSWD "alias:x:4002:7::/a:/bin/sh\n";
	expect_refused(l, "account", "4002");
}

Test(plan, without_a_home_there_is_nowhere_to_start) {
	struct launch l = by_deploy("");

	l.passwd = "deploy:x:4001:4001::/home/deploy:/bin/sh\napp:x:4002:4002:::/bin/sh\n";
	expect_refused(l, "policy-value", "");
	cr_assert(!build(&l));
	cr_expect(strstr(l.why.what, "no directory to start in") != NULL, "%s", l.why.what);
}

Test(plan, refuses_root_by_any_name) {
	static const char *const lines[] = {"",
					    "groups = none\n",
					    "groups = web\n",
					    "groups = 4002\n",
					    "group = web\n",
					    "group = web\ngroups = none\n"};
	static const char *const gids[] = {"", "groups = none\n", "groups = web\n"};

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct launch l = by_deploy(lines[i]);

		l.passwd = "app:x:0:4002::/srv/app:/bin/sh\n";
		expect_refused(l, "policy-root", "app");
	}
	for (size_t i = 0; i < COUNT(gids); i++) {
		struct launch l = by_deploy(gids[i]);

		l.passwd = "app:x:4002:0::/srv/app:/bin/sh\n";
		expect_refused(l, "policy-root", "app");
	}
	struct launch l = by_deploy("group = wheel\ngroups = none\n");
	l.group = "wheel:x:0:\n";
	expect_refused(l, "policy-root", "app");
	l.lines = "group = wheel\n";
	expect_refused(l, "policy-root", "app");
	l.lines = "groups = wheel\n";
	expect_refused(l, "policy-root", "wheel");
	l.lines = "groups = 5 wheel 6\n";
	expect_refused(l, "policy-root", "wheel");
}

/* --- started without root ------------------------------------------------------------------------------------ */

Test(plan, without_root_the_groups_must_be_the_policys) {
	static const uint32_t own[] = {4002}, web[] = {4010}, both[] = {4010, 4002}, more[] = {4002, 4010, 27};

	cr_expect(build(&(struct launch[]){by_app("", NULL, 0)}[0]), "gid alone is the set of `group`");
	cr_expect(build(&(struct launch[]){by_app("", own, 1)}[0]));
	cr_expect(build(&(struct launch[]){by_app("groups = web\n", web, 1)}[0]));
	cr_expect(build(&(struct launch[]){by_app("groups = web\n", both, 2)}[0]));
	cr_expect(build(&(struct launch[]){by_app("groups = web app\n", web, 1)}[0]), "gid counts as held");
	cr_expect(build(&(struct launch[]){by_app("groups = none\n", NULL, 0)}[0]));
	expect_refused(by_app("", web, 1), "identity", "4010");
	expect_refused(by_app("", more, 3), "identity", "4010");
	expect_refused(by_app("groups = none\n", web, 1), "identity", "4010");
	expect_refused(by_app("groups = web\n", NULL, 0), "identity", "4010");
	expect_refused(by_app("groups = web extra\n", both, 2), "identity", "4011");
	expect_refused(by_app("group = web\n", web, 1), "identity", "4010");
}

Test(plan, without_root_nothing_is_restored) {
	const struct launch_plan *plan = built(by_app("limit_nofile = 5:6\nnice = 3\n", NULL, 0));

	cr_expect(!plan->has_root && !plan->restores);
	cr_expect(plan->limits[RLIMIT_NOFILE].is_set && plan->nice.is_set && plan->nice.value == 3,
		  "what the policy names is still applied");
	cr_expect(!plan->limits[RLIMIT_CPU].is_set && !plan->oom_score_adj.is_set);
}

/* --- umask ------------------------------------------------------------------------------------------------------ */

Test(plan, umask) {
	cr_expect(built(by_deploy(""))->umask == 0027, "the default");
	cr_expect(built(by_deploy("umask = 007\n"))->umask == 0007);
	cr_expect(built(by_deploy("umask = 0000\n"))->umask == 0);
}

/* --- directory ------------------------------------------------------------------------------------------------ */

Test(plan, directory_then_home_then_the_entrys_home) {
	cr_expect(strcmp(built(by_deploy("directory = /d\nhome = /h\n"))->directory, "/d") == 0);
	cr_expect(strcmp(built(by_deploy("home = /h\n"))->directory, "/h") == 0);
	cr_expect(strcmp(built(by_deploy(""))->directory, "/srv/app") == 0);
	cr_expect(!built(by_deploy("directory = /d\n"))->keeps_cwd);
	expect_variable(built(by_deploy("directory = /d\nhome = /h\n")), "PWD", "/d");
	expect_variable(built(by_deploy("directory = /d\nhome = /h\n")), "HOME", "/h");
}

Test(plan, a_cwd_at_or_below_directory_below_is_kept) {
	static const struct {
		const char *cwd;
		bool is_kept;
	} cases[] = {
		{"/srv/releases", true},
		{"/srv/releases/7", true},
		{"/srv/releases2", false},
		{"/srv", false},
		{"/", false},
		{"/opt/x/y", true},
		{"", false},
		{"(unreachable)/srv/releases", false},
		{"/srv/releases/../../etc", false},
		{"srv/releases", false},
		{"/srv/releases/a\nb", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct launch l =
			by_deploy("directory = /d\ndirectory_below = /srv/releases\ndirectory_below = /opt/x\n");
		const struct launch_plan *plan;

		l.caller.cwd = given(cases[i].cwd);
		plan = built(l);
		cr_expect(plan->keeps_cwd == cases[i].is_kept, "%s", cases[i].cwd);
		cr_expect(strcmp(plan->directory, cases[i].is_kept ? cases[i].cwd : "/d") == 0, "%s: %s", cases[i].cwd,
			  plan->directory);
		expect_variable(plan, "PWD", plan->directory);
	}
}

/* --- environment ------------------------------------------------------------------------------------------------ */

Test(plan, our_variables_come_from_the_entry_and_the_policy) {
	const struct launch_plan *plan = built(by_deploy(""));
	static char *const hostile[] = {(char *)"HOME=/evil",	    (char *)"USER=root",
					(char *)"PATH=/evil",	    (char *)"PWD=/evil",
					(char *)"LOGNAME=root",	    (char *)"SHELL=/evil",
					(char *)"LD_PRELOAD=/evil", (char *)"LISTEN_FDS=1",
					(char *)"LANG=C",	    NULL};
	struct launch l = by_root("env_keep = *\n");

	expect_variable(plan, "HOME", "/srv/app");
	expect_variable(plan, "USER", "app");
	expect_variable(plan, "LOGNAME", "app");
	expect_variable(plan, "SHELL", "/bin/sh");
	expect_variable(plan, "PATH", "/usr/local/bin:/usr/bin:/bin");
	expect_variable(plan, "PWD", "/srv/app");
	cr_expect(plan->environment.count == 6);
	cr_expect(plan->environment.strings[6] == NULL, "NULL ends it");
	l.caller.environment = hostile;
	plan = built(l);
	expect_variable(plan, "HOME", "/srv/app");
	expect_variable(plan, "USER", "app");
	expect_variable(plan, "LANG", "C");
	cr_expect(plan->environment.count == 7, "%zu", plan->environment.count);
}

Test(plan, the_shell_is_one_that_runs) {
	static const struct {
		const char *shell, *want;
	} cases[] = {
		{"", "/bin/sh"},	   {"/usr/sbin/nologin", "/bin/sh"}, {"/sbin/nologin", "/bin/sh"},
		{"/bin/false", "/bin/sh"}, {"/usr/bin/false", "/bin/sh"},    {"/bin/bash", "/bin/bash"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct launch l = by_deploy("");

		l.passwd = given_string(given_joined(given("app:x:4002:4002::/srv/app:"),
						     given_joined(given(cases[i].shell), given("\n"))));
		expect_variable(built(l), "SHELL", cases[i].want);
		l.lines = "shell = /bin/dash\n";
		expect_variable(built(l), "SHELL", "/bin/dash");
	}
}

Test(plan, star_keeps_for_root_and_for_the_apps_own_user) {
	static char *const environment[] = {(char *)"PORT=80", NULL};
	struct launch deploy = by_deploy("env_keep = *\n"), root = by_root("env_keep = *\n"),
		      app = by_app("env_keep = *\n", NULL, 0);

	deploy.caller.environment = root.caller.environment = app.caller.environment = environment;
	expect_variable(built(deploy), "PORT", NULL);
	expect_variable(built(root), "PORT", "80");
	expect_variable(built(app), "PORT", "80");
}

/* --- what is executed ------------------------------------------------------------------------------------------ */

static void expect_paths(struct launch l, const char *const *want) {
	const struct launch_plan *plan = built(l);
	size_t n = 0;

	for (; want[n] != NULL; n++) {
		cr_assert(n < plan->path_count, "%zu paths", plan->path_count);
		cr_expect(strcmp(plan->paths[n], want[n]) == 0, "%s, not %s", plan->paths[n], want[n]);
	}
	cr_expect(plan->path_count == n, "%zu paths", plan->path_count);
	cr_expect(plan->argv == l.command, "argv is the caller's, untouched");
}

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(plan, what_star_runs) {
	static char *const slash[] = {(char *)"bin/x", (char *)"y", NULL}, *const absolute[] = {(char *)"/opt/x", NULL};
	struct launch l = by_deploy("");

	expect_paths(l, PATHS("/usr/local/bin/true", "/usr/bin/true", "/bin/true"));
	l.lines = "path = /opt/bin\n";
	expect_paths(l, PATHS("/opt/bin/true"));
	l.lines = "path = /a:/b:/c:/d:/e:/f:/g:/h:/i:/j:/k:/l:/m:/n:/o:/p\n";
	cr_expect(built(l)->path_count == POLICY_MAX_CANDIDATES);
	l.command = slash;
	expect_paths(l, PATHS("bin/x"));
	l.command = absolute;
	expect_paths(l, PATHS("/opt/x"));
}

Test(plan, a_pattern_runs_its_own_file) {
	struct launch l = by_deploy("path = /evil\ncommand = /usr/bin/true *\n");

	expect_paths(l, PATHS("/usr/bin/true"));
}

/* As the kernel's own answer to such a name: there may be a file, but not one that can be executed by it. */
Test(plan, names_too_long_for_any_file_are_not_executable) {
	char *const command[] = {given_string(given_times("x", 100000)), NULL};
	struct launch l = by_deploy("");

	l.command = command;
	cr_assert(!build(&l));
	cr_expect(l.why.status == PROBLEM_DENIED && strcmp(l.why.word, "not-executable") == 0, "%s", l.why.word);
}

/* The longest of everything that the format lets in. */
Test(plan, the_longest_paths_fit) {
	struct text longest = given_joined(given("/"), given_times("d", POLICY_MAX_LINE - sizeof("directory = ")));
	char *const command[] = {given_string(given_times("x", 255)), NULL};
	struct text line = given_joined(given("directory = "), given_joined(longest, given("\npath = /a")));
	struct launch l;

	for (int i = 1; i < POLICY_MAX_CANDIDATES; i++)
		line = given_joined(line, given_joined(given(":/"), given_times("p", 250)));
	l = by_deploy(given_string(given_joined(line, given("\n"))));
	l.command = command;
	cr_expect(built(l)->path_count == POLICY_MAX_CANDIDATES);
}

Test(plan, the_profile_that_syscalls_names) {
	static const struct {
		const char *lines, *name;
		bool is_none, is_site, is_complaining;
	} cases[] = {
		{"", "app-server", false, false, false},
		{"syscalls = @web-static\n", "web-static", false, false, false},
		{"syscalls = mine\n", "mine", false, true, false},
		{"syscalls = complain mine\n", "mine", false, true, true},
		{"syscalls = complain @app-server\n", "app-server", false, false, true},
		{"syscalls = none\n", "none", true, false, false},
		{"syscalls = @none\n", "none", false, false, false},
		{"syscalls = @complain\n", "complain", false, false, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct plan_profile profile = plan_profile(given_policy(cases[i].lines));

		given_expect_text(profile.name, cases[i].name, cases[i].lines);
		cr_expect(profile.is_none == cases[i].is_none && profile.is_site == cases[i].is_site &&
				  profile.is_complaining == cases[i].is_complaining,
			  "%s", cases[i].lines);
	}
}

Test(plan, the_profile_is_passed_on) {
	static const struct program program = {NULL, 3};
	struct launch l = by_deploy("");

	l.given.profile = &program;
	cr_expect(built(l)->profile == &program);
	l.given.profile = NULL;
	cr_expect(built(l)->profile == NULL);
}

/* --- env_file, stdio_chown ----------------------------------------------------------------------------------------- */

Test(plan, secrets_are_planned_where_there_is_root) {
	struct launch l = by_deploy("env_file = /etc/app.env\nenv_keep = A\n");

	l.given.secrets = given("A=hunter2\n# B=1\n");
	l.caller.environment = (char *const[]){(char *)"A=caller", NULL};
	expect_variable(built(l), "A", "hunter2");
	expect_variable(built(l), "B", NULL);
	l.caller.uid.value = 0;
	expect_variable(built(l), "A", "hunter2");
	l.caller.uid.value = 4002;
	expect_variable(built(l), "A", "hunter2");
}

Test(plan, env_file_without_root_is_refused) {
	struct launch l = by_app("env = A=1\nenv_file = /etc/app.env\n", NULL, 0);

	expect_refused(l, "env-file", "/etc/app.env");
	cr_assert(!build(&l));
	cr_expect(l.why.line == 4 && l.why.status == PROBLEM_SELF && strstr(l.why.hint, "root") != NULL);
	l.given.secrets = given("B=hunter2\n");
	expect_refused(l, "env-file", "/etc/app.env");
}

Test(plan, a_bad_secret_refuses_the_launch_without_showing_it) {
	struct launch l = by_root("env_file = /etc/app.env\n");

	l.given.secrets = given("A=1\nexport B=hunter2\n");
	expect_refused(l, "env-file", "");
	cr_assert(!build(&l));
	given_expect_text(l.why.object, "/etc/app.env", "object");
	cr_expect(l.why.line == 2 && l.why.hint_about.length == 0);
}

Test(plan, stdio_is_given_for_root_only) {
	struct launch app_by_setuid = by_deploy("stdio_chown = yes\n");

	cr_expect(built(by_root("stdio_chown = yes\n"))->owns_stdio);
	cr_expect(!built(by_root("stdio_chown = no\n"))->owns_stdio && !built(by_root(""))->owns_stdio);
	expect_refused(by_deploy("stdio_chown = yes\n"), "stdio-chown", "");
	expect_refused(by_app("stdio_chown = yes\n", NULL, 0), "stdio-chown", "");
	app_by_setuid.caller.uid.value = 4002;
	app_by_setuid.caller.gid.value = 4002;
	expect_refused(app_by_setuid, "stdio-chown", "");
	cr_assert(!build(&app_by_setuid));
	cr_expect(app_by_setuid.why.line == 3 && app_by_setuid.why.hint != NULL);
	cr_expect(!built(by_deploy("stdio_chown = no\n"))->owns_stdio);
}
