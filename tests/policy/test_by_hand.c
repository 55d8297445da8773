/* SPDX-License-Identifier: ISC */
/*
 * What parse.c and check.c never let through, made by hand: the code behind them does not rely on it, but for one thing that
 * is proved of them: no value is empty.
 * A value that cannot be read means nothing is granted, or the launch is refused.
 */
#include "tests/policy/given.h"

#include <sys/resource.h>

#include "policy/command.h"
#include "policy/environment.h"
#include "policy/plan.h"

TestSuite(by_hand, .timeout = 30);

static char *const nothing[] = {NULL};
static char *const true_command[] = {(char *)"true", NULL};
static const struct request request = {.app = {"x", 1}, .command = true_command, .words = 1};
static const struct caller root = {.has_root = true, .pid = 77, .open_fds = ~0U, .environment = nothing};

/* The value of the one line of this key becomes these bytes. */
static struct policy *with(const char *lines, enum policy_key key, struct text value) {
	struct policy *p = given_policy(lines);

	for (size_t i = 0; i < p->count; i++)
		if (p->settings[i].key == key)
			p->settings[i].value = value;
	return p;
}

static struct launch_plan plan[1];
static struct problem why;

static bool build(const struct policy *p, const struct accounts *a) {
	struct plan_given from = {.request = &request, .caller = &root, .policy = p, .accounts = a, .landlock_abi = 6};

	memset(plan, 0x5a, sizeof(*plan));
	cr_assert(command_find(p, &request, (struct text){0}, &from.match, &why), "%s", why.what);
	memset(&why, 0, sizeof(why));
	return plan_build(&from, plan, &why);
}

static bool build_policy(const struct policy *p) { return build(p, given_accounts(p, GIVEN_PASSWD, GIVEN_GROUP)); }

Test(by_hand, a_command_that_cannot_be_read_allows_nothing) {
	static const char *const bad[] = {"", " ", "\"/bin/x", "/bin/x{"};
	struct command_match match;

	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct policy *p = with("command = /bin/true\n", KEY_COMMAND, given(bad[i]));
		cr_expect(!command_find(p, &request, (struct text){0}, &match, &why), "allowed by \"%s\"", bad[i]);
	}
}

Test(by_hand, a_number_that_cannot_be_read_keeps_no_descriptor) {
	cr_assert(build_policy(with("command = *\nkeep_fds = 5\n", KEY_KEEP_FDS, given("5"))));
	cr_expect(plan->keep_fds == 1U << 5);
	cr_assert(build_policy(with("command = *\nkeep_fds = 5\n", KEY_KEEP_FDS, given("five"))));
	cr_expect(plan->keep_fds == 0);
}

Test(by_hand, a_limit_that_cannot_be_read_is_none) {
	const enum policy_key key = (enum policy_key)(KEY_LIMIT + RLIMIT_NOFILE);

	cr_assert(build_policy(with("command = *\nlimit_nofile = 64\n", key, given("64"))));
	cr_expect(plan->limits[RLIMIT_NOFILE].is_set && plan->limits[RLIMIT_NOFILE].hard == 64);
	cr_assert(build_policy(with("command = *\nlimit_nofile = 64\n", key, given("many"))));
	cr_expect(!plan->limits[RLIMIT_NOFILE].is_set);
}

Test(by_hand, an_address_of_another_key_is_not_listened_on) {
	const struct policy *p =
		with("serve = *\nlisten = tcp 127.0.0.1:80\nlog = none\n", KEY_LOG, given("tcp 127.0.0.1:81"));

	cr_assert(build_policy(p));
	cr_expect(plan->listen_count == 1 && plan->keep_fds == 1U << 3);
}

Test(by_hand, variables_of_the_policy_that_do_not_fit_are_refused) {
	struct environment e = {.count = ENVIRONMENT_MAX_COUNT};
	struct sink bytes = {.at = given_room(8), .size = 8};

	cr_expect(!environment_fill(&e, &bytes, given_policy("env = A=1\n"), (struct text){0}, nothing, true, &why));
	cr_expect(strcmp(why.word, "environment") == 0 && e.count == ENVIRONMENT_MAX_COUNT);
	e.count = 0;
	cr_expect(!environment_fill(&e, &bytes, given_policy("env = ABCD=1234\n"), (struct text){0}, nothing, true,
				    &why));
	cr_expect(strcmp(why.word, "environment") == 0 && e.count == 0);
}

/* One of our own variables after the other is the one for which no room is left. */
Test(by_hand, our_own_variables_that_do_not_fit_are_refused) {
	static const char *const ours[] = {"HOME", "USER",   "LOGNAME",	   "SHELL",	 "PATH",
					   "PWD",  "TMPDIR", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};
	static const char lines[] = "serve = *\nlisten = tcp 127.0.0.1:80\nhome = /h\ndirectory = /d\ntmp = /t\n";
	const struct text huge = given_times("h", ENVIRONMENT_MAX_BYTES);
	bool is_seen[COUNT(ours)] = {false};
	size_t fitting = 0;

	for (size_t length = ENVIRONMENT_MAX_BYTES - 256; length < ENVIRONMENT_MAX_BYTES; length += 3) {
		const struct policy *p = with(lines, KEY_HOME, (struct text){huge.at, length});
		if (build_policy(p)) {
			fitting++;
			continue;
		}
		cr_assert(strcmp(why.word, "environment") == 0, "%s", why.word);
		for (size_t i = 0; i < COUNT(ours); i++)
			is_seen[i] = is_seen[i] || text_is(why.about, ours[i]);
	}
	for (size_t i = 0; i < COUNT(ours); i++)
		cr_expect(is_seen[i], "%s was never the first that did not fit", ours[i]);
	cr_expect(fitting > 0);
}

Test(by_hand, an_account_with_the_number_of_no_account_is_refused) {
	static const uint32_t never[] = {0, UINT32_MAX};

	for (size_t i = 0; i < COUNT(never); i++) {
		const struct policy *p = given_policy("command = *\n");
		struct accounts *a = given_accounts(p, GIVEN_PASSWD, GIVEN_GROUP);

		a->user.gid = never[i];
		cr_expect(!build(p, a) && strcmp(why.word, "policy-root") == 0, "gid %u", never[i]);
	}
}
