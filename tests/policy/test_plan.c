/* SPDX-License-Identifier: ISC */
/* The whole launch as numbers and bytes, or a refusal. */
#include "tests/policy/given.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <sys/resource.h>

#include "policy/plan.h"

TestSuite(plan, .timeout = 20);

/* One launch that plan_build is asked about; a test changes what it is about. */
struct launch {
	const char *policy; /* whole, or NULL: GIVEN_START and `lines` */
	const char *lines, *passwd, *group;
	struct caller caller;
	char *const *command;
	struct plan_given given;
	/* what came of it */
	struct launch_plan *plan;
	struct problem why;
};

static char *const nothing[] = {NULL};
static char *const true_command[] = {(char *)"true", NULL};

static struct launch by_deploy(const char *lines) {
	return (struct launch){
		.lines = lines,
		.passwd = GIVEN_PASSWD,
		.group = GIVEN_GROUP,
		.caller = {.uid = {4001},
			   .gid = {4001},
			   .has_root = true,
			   .pid = 77,
			   .cwd = text_of("/home/deploy"),
			   .environment = nothing},
		.command = true_command,
	};
}

static struct launch by_root(const char *lines) {
	struct launch l = by_deploy(lines);

	l.caller.uid.value = 0;
	l.caller.gid.value = 0;
	return l;
}

static struct launch by_app(const char *lines, const uint32_t *groups, size_t count) {
	struct launch l = by_deploy(lines);

	l.caller = (struct caller){.uid = {4002},
				   .gid = {4002},
				   .groups = groups,
				   .group_count = count,
				   .is_uniform = true,
				   .pid = 77,
				   .cwd = text_of("/"),
				   .environment = nothing};
	return l;
}

static bool build(struct launch *l) {
	struct policy *p = l->policy != NULL
				   ? given_whole_policy(l->policy)
				   : given_policy(given_string(given_joined(given(l->lines), given("command = *\n"))));
	struct request r = {.app = text_of("x"), .command = l->command};

	while (l->command[r.words] != NULL)
		r.words++;
	l->plan = (struct launch_plan *)(void *)given_room(sizeof(*l->plan));
	memset(l->plan, 0x5a, sizeof(*l->plan));
	memset(&l->why, 0, sizeof(l->why));
	l->given.request = &r;
	l->given.caller = &l->caller;
	l->given.policy = p;
	l->given.accounts = given_accounts(p, l->passwd, l->group);
	cr_assert(command_find(p, &r, (struct text){0}, &l->given.match, &l->why), "%s", l->why.what);
	memset(&l->why, 0, sizeof(l->why));
	return plan_build(&l->given, l->plan, &l->why);
}

static const struct launch_plan *built(struct launch l) {
	cr_assert(build(&l), "%s %.*s", l.why.what, SHOWN(l.why.about));
	return l.plan;
}

static void expect_refused(struct launch l, const char *word, const char *about) {
	cr_assert(!build(&l), "not refused: %s", l.lines != NULL ? l.lines : l.policy);
	cr_assert(l.why.word != NULL && l.why.what != NULL);
	cr_expect(strcmp(l.why.word, word) == 0, "%s (%s), not %s", l.why.word, l.why.what, word);
	given_expect_text(l.why.about, about, l.why.what);
}

static const char *variable(const struct launch_plan *plan, const char *name) {
	for (size_t i = 0; i < plan->environment.count; i++)
		if (text_is(environment_name(text_of(plan->environment.strings[i])), name))
			return plan->environment.strings[i] + strlen(name) + 1;
	return NULL;
}

static void expect_variable(const struct launch_plan *plan, const char *name, const char *want) {
	const char *is = variable(plan, name);

	cr_expect(want == NULL ? is == NULL : is != NULL && strcmp(is, want) == 0, "%s is %s, not %s", name, is, want);
}

static void expect_groups(const struct launch_plan *plan, size_t count, const uint32_t *want) {
	cr_assert(plan->group_count == count, "%zu groups, not %zu", plan->group_count, count);
	for (size_t i = 0; i < count; i++)
		cr_expect(plan->groups[i] == want[i], "group %zu is %u, not %u", i, plan->groups[i], want[i]);
}

/* --- who ---------------------------------------------------------------------------------------------------- */

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

/* --- limits, nice, umask -------------------------------------------------------------------------------------- */

Test(plan, a_callers_limits_go_to_fixed_ones) {
	const struct launch_plan *plan = built(by_deploy("limit_nofile = 100:200\nlimit_core = unlimited\n"));

	for (int i = 0; i < POLICY_LIMITS; i++) {
		cr_expect(plan->limits[i].is_set, "%d", i);
		cr_expect(plan->limits[i].soft <= plan->limits[i].hard, "%d", i);
		cr_expect(plan->limits[i].least_hard <= plan->limits[i].hard, "%d", i);
	}
	cr_expect(plan->limits[RLIMIT_NOFILE].soft == 100 && plan->limits[RLIMIT_NOFILE].hard == 200);
	cr_expect(plan->limits[RLIMIT_NOFILE].least_hard == 200, "what the policy names is kept to the letter");
	cr_expect(plan->limits[RLIMIT_CORE].soft == UINT64_MAX);
	cr_expect(plan->limits[RLIMIT_STACK].soft == 8388608 && plan->limits[RLIMIT_CPU].soft == UINT64_MAX);
	cr_expect(built(by_deploy(""))->limits[RLIMIT_CORE].soft == 0);
	cr_expect(built(by_deploy(""))->limits[RLIMIT_NICE].hard == 0 &&
		  built(by_deploy(""))->limits[RLIMIT_RTPRIO].hard == 0);
	cr_expect(plan->nice.is_set && plan->nice.value == 0 && plan->oom_score_adj.is_set &&
		  plan->oom_score_adj.value == 0);
}

/* The table of SECURITY.md, section 4. */
Test(plan, the_fixed_limits_are_these) {
	const uint64_t no = UINT64_MAX;
	const struct plan_limit wants[POLICY_LIMITS] = {
		[RLIMIT_CPU] = {true, no, no, no},
		[RLIMIT_FSIZE] = {true, no, no, no},
		[RLIMIT_DATA] = {true, no, no, no},
		[RLIMIT_STACK] = {true, 8388608, no, 8388608},
		[RLIMIT_CORE] = {true, 0, no, 0},
		[RLIMIT_RSS] = {true, no, no, no},
		[RLIMIT_NPROC] = {true, no, no, 1024},
		[RLIMIT_NOFILE] = {true, 1024, 524288, 4096},
		[RLIMIT_MEMLOCK] = {true, 8388608, 8388608, 65536},
		[RLIMIT_AS] = {true, no, no, no},
		[RLIMIT_LOCKS] = {true, no, no, no},
		[RLIMIT_SIGPENDING] = {true, no, no, 1024},
		[RLIMIT_MSGQUEUE] = {true, 819200, 819200, 819200},
		[RLIMIT_NICE] = {true, 0, 0, 0},
		[RLIMIT_RTPRIO] = {true, 0, 0, 0},
		[RLIMIT_RTTIME] = {true, no, no, no},
	};
	const struct launch_plan *plan = built(by_deploy(""));

	for (int i = 0; i < POLICY_LIMITS; i++) {
		const struct plan_limit *is = &plan->limits[i], *want = &wants[i];

		cr_expect(is->is_set && is->soft == want->soft && is->hard == want->hard &&
				  is->least_hard == want->least_hard,
			  "limit %d: %" PRIu64 " %" PRIu64 " %" PRIu64, i, is->soft, is->hard, is->least_hard);
	}
}

Test(plan, what_root_set_stays) {
	const struct launch_plan *plan = built(by_root("limit_nofile = 100\n"));

	cr_expect(plan->has_root && !plan->restores);
	for (int i = 0; i < POLICY_LIMITS; i++)
		cr_expect(plan->limits[i].is_set == (i == RLIMIT_NOFILE), "%d", i);
	cr_expect(!plan->nice.is_set && !plan->oom_score_adj.is_set);
	plan = built(by_root("nice = -5\noom_score_adj = -1000\n"));
	cr_expect(plan->nice.is_set && plan->nice.value == -5 && plan->oom_score_adj.is_set &&
		  plan->oom_score_adj.value == -1000);
}

Test(plan, limits_stand_at_the_kernels_numbers) {
	static const struct {
		const char *name;
		int resource;
	} cases[] = {
		{"cpu", RLIMIT_CPU},	       {"fsize", RLIMIT_FSIZE},
		{"data", RLIMIT_DATA},	       {"stack", RLIMIT_STACK},
		{"core", RLIMIT_CORE},	       {"rss", RLIMIT_RSS},
		{"nproc", RLIMIT_NPROC},       {"nofile", RLIMIT_NOFILE},
		{"memlock", RLIMIT_MEMLOCK},   {"as", RLIMIT_AS},
		{"locks", RLIMIT_LOCKS},       {"sigpending", RLIMIT_SIGPENDING},
		{"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
		{"rtprio", RLIMIT_RTPRIO},     {"rttime", RLIMIT_RTTIME},
	};
	char line[64];

	cr_expect(COUNT(cases) == POLICY_LIMITS);
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(line, sizeof(line), "limit_%s = 7:8\n", cases[i].name);
		const struct plan_limit *limit = &built(by_root(line))->limits[cases[i].resource];
		cr_expect(limit->is_set && limit->soft == 7 && limit->hard == 8, "%s", cases[i].name);
	}
}

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

/* sd_listen_fds(3): real root, kept descriptors that were open, addressed to this very process. */
Test(plan, listen_fds_are_rebuilt_from_what_is_kept) {
	static const struct {
		const char *keep, *pid, *count, *names, *want_count, *want_names;
		uint32_t open_fds;
	} cases[] = {
		{"3 4", "77", "2", "http:https", "2", "http:https", 0x18},
		{"3", "77", "2", "http:https", "1", "http", 0x18},
		{"4", "77", "2", "http:https", NULL, NULL, 0x18},
		{"3 4", "77", "1", "http", "1", "http", 0x18},
		{"3", "77", "2", ":b", "1", NULL, 0x18}, /* the first has no name */
		{"3 4 5", "77", "3", "a:b:c", "1", "a", 0x08},
		{"3 4", "76", "2", "a:b", NULL, NULL, 0x18},
		{"3 4", "77", "2", NULL, "2", NULL, 0x18},
		{"3 4", "77", "-1", NULL, NULL, NULL, 0x18},
		{"3 4", "77", "99999999999", NULL, NULL, NULL, 0x18},
		{"3 4", "077", "2", NULL, NULL, NULL, 0x18},
		{"3 4", "77", "0", NULL, NULL, NULL, 0x18},
		{"3 4", NULL, "2", NULL, NULL, NULL, 0x18},
		{"3 4", "77", NULL, NULL, NULL, NULL, 0x18},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char keep[64], pid[64], fds[64], names[64], *environment[] = {NULL, NULL, NULL, NULL};
		size_t n = 0;
		struct launch l = by_root(keep);
		const struct launch_plan *plan;

		snprintf(keep, sizeof(keep), "keep_fds = %s\n", cases[i].keep);
		if (cases[i].pid != NULL && snprintf(pid, sizeof(pid), "LISTEN_PID=%s", cases[i].pid) > 0)
			environment[n++] = pid;
		if (cases[i].count != NULL && snprintf(fds, sizeof(fds), "LISTEN_FDS=%s", cases[i].count) > 0)
			environment[n++] = fds;
		if (cases[i].names != NULL && snprintf(names, sizeof(names), "LISTEN_FDNAMES=%s", cases[i].names) > 0)
			environment[n++] = names;
		l.caller.environment = environment;
		l.caller.open_fds = cases[i].open_fds;
		plan = built(l);
		expect_variable(plan, "LISTEN_FDS", cases[i].want_count);
		expect_variable(plan, "LISTEN_FDNAMES", cases[i].want_names);
		expect_variable(plan, "LISTEN_PID", cases[i].want_count != NULL ? "77" : NULL);
		l.caller.uid.value = 4001;
		plan = built(l);
		expect_variable(plan, "LISTEN_FDS", NULL);
		expect_variable(plan, "LISTEN_PID", NULL);
		expect_variable(plan, "LISTEN_FDNAMES", NULL);
	}
}

Test(plan, only_descriptors_that_were_open_are_kept) {
	struct launch l = by_deploy("keep_fds = 3 5 31\n");

	l.caller.open_fds = UINT32_C(1) << 3 | UINT32_C(1) << 4 | UINT32_C(1) << 31;
	cr_expect(built(l)->keep_fds == (UINT32_C(1) << 3 | UINT32_C(1) << 31), "%x", built(l)->keep_fds);
	l.lines = "";
	cr_expect(built(l)->keep_fds == 0);
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

Test(plan, names_too_long_for_any_file_are_not_found) {
	char *const command[] = {given_string(given_times("x", 100000)), NULL};
	struct launch l = by_deploy("");

	l.command = command;
	cr_assert(!build(&l));
	cr_expect(l.why.status == PROBLEM_NOT_FOUND && strcmp(l.why.word, "not-found") == 0, "%s", l.why.word);
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

/* --- write, tmp, write_enforce --------------------------------------------------------------------------------- */

#define RIGHT_REFER (UINT64_C(1) << 13)	   /* LANDLOCK_ACCESS_FS_REFER: ABI 2 */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14) /* LANDLOCK_ACCESS_FS_TRUNCATE: ABI 3 */

static const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
				LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
				LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
				LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | RIGHT_REFER;

/* Reading and executing are nobody's business here, and a right that the kernel does not know is EINVAL. */
Test(plan, the_write_rights_of_every_abi) {
	static const int none[] = {-ENOSYS, -EOPNOTSUPP, -EPERM, -EINVAL, -1000000, 0, 1};

	for (size_t i = 0; i < COUNT(none); i++)
		cr_expect(plan_write_rights(none[i]) == 0, "%d", none[i]);
	cr_expect(plan_write_rights(2) == writing, "%llx", (unsigned long long)plan_write_rights(2));
	for (int abi = 3; abi <= 9; abi++)
		cr_expect(plan_write_rights(abi) == (writing | RIGHT_TRUNCATE), "ABI %d: %llx", abi,
			  (unsigned long long)plan_write_rights(abi));
	cr_expect(plan_write_rights(1000) == (writing | RIGHT_TRUNCATE));
}

static struct launch with_abi(const char *lines, int abi) {
	struct launch l = by_deploy(lines);

	l.given.landlock_abi = abi;
	return l;
}

Test(plan, write_enforce_on_every_kernel) {
	static const int abis[] = {-ENOSYS, -EOPNOTSUPP, -EPERM, 0, 1, 2, 3, 7, 9};
	static const struct {
		const char *lines;
		int least; /* the oldest ABI that is enough */
	} cases[] = {
		{"write = /w\n", 2},
		{"tmp = /w\n", 2},
		{"write = /w\nwrite_enforce = required\n", 2},
		{"tmp = /w\nwrite_enforce = strict\n", 3},
		{"write_enforce = strict\nwrite = /w\n", 3},
		{"write = /w\nwrite_enforce = best-effort\n", -1000},
		{"write_enforce = best-effort\ntmp = /w\n", -1000},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t k = 0; k < COUNT(abis); k++) {
			const int abi = abis[k];
			struct launch l = with_abi(cases[i].lines, abi);
			const bool is_good = build(&l);

			cr_assert(is_good == (abi >= cases[i].least), "%s ABI %d", cases[i].lines, abi);
			if (!is_good) {
				cr_expect(strcmp(l.why.word, "landlock") == 0 && l.why.status == PROBLEM_SELF, "%s",
					  l.why.word);
				cr_expect(l.why.line >= 3 && l.why.hint != NULL);
				cr_expect(l.why.error == (abi < 0 ? -abi : 0), "errno %d", l.why.error);
				continue;
			}
			cr_expect(l.plan->write_rights == plan_write_rights(abi), "%s ABI %d", cases[i].lines, abi);
			cr_expect(l.plan->landlock_abi == (abi < 2 ? 0 : abi), "%s ABI %d: logged as %d",
				  cases[i].lines, abi, l.plan->landlock_abi);
			cr_expect(l.plan->write_count == 1 && strcmp(l.plan->writes[0], "/w") == 0);
		}
}

/* Without a list no kernel is too old, and the log has nothing to say. */
Test(plan, without_write_or_tmp_nothing_is_limited) {
	for (int abi = -100; abi <= 9; abi++) {
		const struct launch_plan *plan = built(with_abi("", abi));

		cr_expect(plan->write_rights == 0 && plan->write_count == 0 && plan->landlock_abi == -1, "ABI %d", abi);
	}
}

/* What is missing where, and how it is mended there. */
Test(plan, the_kernels_without_landlock_are_told_apart) {
	static const struct {
		int abi;
		const char *what, *hint;
	} cases[] = {
		{-ENOSYS, "this kernel has no Landlock", "Linux 5.19"},
		{-EOPNOTSUPP, "not switched on at boot", "lsm="},
		{-EPERM, "this kernel has no Landlock for us", "container's seccomp profile"},
		{0, "too old", "Linux 5.19"},
		{1, "too old", "best-effort"},
		{2, "too old", "6.2 for strict"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct launch l =
			with_abi("umask = 027\nwrite = /w\nwrite = /v\nwrite_enforce = strict\n", cases[i].abi);

		cr_assert(!build(&l), "ABI %d", cases[i].abi);
		cr_expect(strstr(l.why.what, cases[i].what) != NULL, "ABI %d: %s", cases[i].abi, l.why.what);
		cr_expect(strstr(l.why.hint, cases[i].hint) != NULL, "ABI %d: %s", cases[i].abi, l.why.hint);
		cr_expect(l.why.line == 4, "line %u: the first of the list", l.why.line);
		l.lines = "umask = 027\ntmp = /t\nwrite = /w\nwrite_enforce = strict\n";
		cr_expect(!build(&l) && l.why.line == 5, "line %u: write before tmp", l.why.line);
		l.lines = "umask = 027\ntmp = /t\nwrite_enforce = strict\n";
		cr_expect(!build(&l) && l.why.line == 4, "line %u", l.why.line);
	}
}

static void expect_writes(const struct launch_plan *plan, size_t count, const char *const *want) {
	cr_assert(plan->write_count == count, "%zu paths", plan->write_count);
	for (size_t i = 0; i < count; i++)
		cr_expect(strcmp(plan->writes[i], want[i]) == 0, "path %zu is %s, not %s", i, plan->writes[i], want[i]);
}

Test(plan, write_paths_in_the_policys_order_and_tmp_last) {
	static const char *const want[] = {"/b", "/a b", "/c,d", "/t"};

	expect_writes(built(with_abi("write = /b\ntmp = /t\nwrite = /a b\nwrite = /c,d\n", 7)), 4, want);
	expect_writes(built(with_abi("tmp = /t\n", 7)), 1, want + 3);
}

Test(plan, as_many_write_paths_as_a_policy_can_have) {
	struct text lines = given("tmp = /t\npath = /p:/q\n");
	char line[64], want[32];
	const struct launch_plan *plan;

	for (int i = 0; i < POLICY_MAX_WRITES - 1; i++) {
		snprintf(line, sizeof(line), "write = /w/%d\n", i);
		lines = given_joined(lines, given(line));
	}
	plan = built(with_abi(given_string(lines), 7));
	cr_assert(plan->write_count == POLICY_MAX_WRITES);
	for (int i = 0; i < POLICY_MAX_WRITES - 1; i++) {
		snprintf(want, sizeof(want), "/w/%d", i);
		cr_expect(strcmp(plan->writes[i], want) == 0, "%s", plan->writes[i]);
	}
	cr_expect(strcmp(plan->writes[POLICY_MAX_WRITES - 1], "/t") == 0);
	cr_expect(strcmp(plan->directory, "/srv/app") == 0 && strcmp(plan->paths[0], "/p/true") == 0);
}

/* All that 64 KiB of policy can say about paths fits beside what `path` makes of the longest command. */
Test(plan, the_longest_write_paths_fit) {
	const struct text most = given_joined(given_times("w", 3999), given("\n"));
	char start[16];
	struct text lines = given("");
	const struct launch_plan *plan;
	struct launch l;

	for (int i = 0; i < 15; i++) { /* each another, since one below another is refused */
		snprintf(start, sizeof(start), "write = /%c", 'a' + i);
		lines = given_joined(lines, given_joined(given(start), most));
	}
	lines = given_joined(lines, given("path = /a"));
	for (int i = 1; i < POLICY_MAX_CANDIDATES; i++)
		lines = given_joined(lines, given_joined(given(":/"), given_times("p", 200)));
	l = with_abi(given_string(given_joined(lines, given("\n"))), 7);
	l.command = (char *const[]){given_string(given_times("x", 4000)), NULL};
	plan = built(l);
	cr_expect(plan->write_count == 15 && strlen(plan->writes[14]) == 4001 &&
		  plan->path_count == POLICY_MAX_CANDIDATES);
}

Test(plan, tmp_is_tmpdir_and_wins_over_the_callers) {
	static char *const environment[] = {(char *)"TMPDIR=/evil", (char *)"A=1", NULL};
	struct launch l = with_abi("tmp = /srv/tmp\nenv_keep = * TMPDIR A\n", 7);

	l.caller.environment = environment;
	expect_variable(built(l), "TMPDIR", "/srv/tmp");
	expect_variable(built(l), "A", "1");
	l.caller.uid.value = 0;
	expect_variable(built(l), "TMPDIR", "/srv/tmp");
	l.lines = "write = /srv/tmp\nenv_keep = TMPDIR\n";
	expect_variable(built(l), "TMPDIR", "/evil");
	expect_variable(built(with_abi("write = /srv/tmp\n", 7)), "TMPDIR", NULL);
	l = by_root("tmp = /srv/tmp\nenv_file = /e\n");
	l.given.landlock_abi = 7;
	l.given.secrets = given("TMPDIR=/hunter2\n");
	expect_refused(l, "env-file", "");
	cr_expect(variable(built(with_abi("tmp = /t\nwrite_enforce = best-effort\n", -ENOSYS)), "TMPDIR") != NULL);
}

/* --- listen and serve --------------------------------------------------------------------------------------------- */

static char *const server_command[] = {(char *)"server", (char *)"-p", NULL};

/* `command = *` stands behind it, so that what serve does not name runs too, without sockets. */
#define LISTENING "listen = tcp 0.0.0.0:80\nlisten = tcp [::1]:443\nlisten = tcp 127.0.0.1:80\nserve = /bin/server *\n"

Test(plan, sockets_are_for_serve_commands_only) {
	struct launch l = by_deploy(LISTENING);
	const struct launch_plan *plan;

	l.command = server_command;
	plan = built(l);
	cr_assert(plan->listen_count == 3, "%zu", plan->listen_count);
	given_expect_text(plan->listens[0].by, "tcp 0.0.0.0:80", "0");
	given_expect_text(plan->listens[1].by, "tcp [::1]:443", "1");
	cr_expect(plan->listens[0].port == 80 && !plan->listens[0].is_ipv6);
	cr_expect(plan->listens[1].port == 443 && plan->listens[1].is_ipv6 && plan->listens[1].address[15] == 1);
	cr_expect(plan->listens[2].port == 80 && plan->listens[2].address[0] == 127);
	cr_expect(plan->keep_fds == 0x38, "descriptors 3 to 5, whatever was open: %x", plan->keep_fds);
	expect_variable(plan, "LISTEN_FDS", "3");
	expect_variable(plan, "LISTEN_PID", "77");
	expect_variable(plan, "LISTEN_FDNAMES", "80:443:80");

	l.command = true_command;
	plan = built(l);
	cr_expect(plan->listen_count == 0 && plan->keep_fds == 0);
	expect_variable(plan, "LISTEN_FDS", NULL);
	expect_variable(plan, "LISTEN_PID", NULL);
	expect_variable(plan, "LISTEN_FDNAMES", NULL);
}

/* The sockets are ours: neither the caller's variables nor its descriptors get among them. */
Test(plan, the_callers_sockets_do_not_mix_with_listen) {
	static char *const environment[] = {(char *)"LISTEN_FDS=5", (char *)"LISTEN_PID=77",
					    (char *)"LISTEN_FDNAMES=a:b:c:d:e", NULL};
	struct launch l = by_root(LISTENING "env_keep = *\n");
	const struct launch_plan *plan;

	l.caller.environment = environment;
	l.caller.open_fds = UINT32_MAX;
	l.command = server_command;
	plan = built(l);
	cr_expect(plan->keep_fds == 0x38, "%x", plan->keep_fds);
	expect_variable(plan, "LISTEN_FDS", "3");
	expect_variable(plan, "LISTEN_FDNAMES", "80:443:80");
	l.command = true_command;
	plan = built(l);
	cr_expect(plan->keep_fds == 0);
	expect_variable(plan, "LISTEN_FDS", NULL);
}

Test(plan, as_many_sockets_as_a_policy_can_have) {
	struct text lines = given("serve = *\n"), names = given("");
	char words[64];
	const struct launch_plan *plan;
	struct launch l;

	for (int i = 0; i < POLICY_MAX_LISTEN; i++) {
		snprintf(words, sizeof(words), "listen = tcp 127.0.0.1:%d\n", 65535 - i);
		lines = given_joined(lines, given(words));
		snprintf(words, sizeof(words), "%s%d", i > 0 ? ":" : "", 65535 - i);
		names = given_joined(names, given(words));
	}
	l = by_deploy(given_string(lines));
	plan = built(l);
	cr_expect(plan->listen_count == POLICY_MAX_LISTEN && plan->keep_fds == UINT32_C(0xffff) << 3, "%x",
		  plan->keep_fds);
	expect_variable(plan, "LISTEN_FDS", "16");
	expect_variable(plan, "LISTEN_FDNAMES", given_string(names));
}

/* Bound as the app's own user, where the port allows it. */
Test(plan, sockets_without_root) {
	struct launch l = by_app(LISTENING, NULL, 0);

	l.command = server_command;
	cr_expect(built(l)->listen_count == 3 && built(l)->keep_fds == 0x38);
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

/* What the app user itself set is its own, also where the setuid bit gives root. */
Test(plan, what_the_apps_own_user_set_stays) {
	struct launch l = by_deploy("limit_nofile = 100\n");
	const struct launch_plan *plan;

	l.caller.uid.value = 4002;
	plan = built(l);
	cr_expect(plan->has_root && !plan->restores);
	for (int i = 0; i < POLICY_LIMITS; i++)
		cr_expect(plan->limits[i].is_set == (i == RLIMIT_NOFILE), "%d", i);
	cr_expect(!plan->nice.is_set && !plan->oom_score_adj.is_set);
	l.caller.uid.value = 4003;
	plan = built(l);
	cr_expect(plan->restores && plan->nice.is_set && plan->oom_score_adj.is_set);
}
