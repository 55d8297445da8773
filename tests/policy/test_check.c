/* SPDX-License-Identifier: ISC */
/* What only the whole policy shows, and the readers of checked values. */
#include "tests/policy/given.h"

TestSuite(policy_check, .timeout = 20);

static bool check(const char *bytes, struct problem *why) {
	struct policy *p = (struct policy *)(void *)given_room(sizeof(*p));

	memset(why, 0, sizeof(*why));
	cr_assert(parse_policy(given(bytes), p, why), "%s: %s", bytes, why->what);
	memset(why, 0, sizeof(*why));
	return check_policy(p, why);
}

static void expect_refused(const char *bytes, const char *word, unsigned line) {
	struct problem why;

	cr_assert(!check(bytes, &why), "%s", bytes);
	cr_assert(why.word != NULL && why.what != NULL);
	cr_expect(strcmp(why.word, word) == 0 && why.line == line, "%s: %s in line %u, not %s in line %u", bytes,
		  why.word, why.line, word, line);
	cr_expect(why.status == PROBLEM_SELF);
}

Test(policy_check, the_smallest_policy) {
	struct problem why;

	cr_expect(check("runas-app = 1\nuser = app\n", &why), "%s", why.what);
}

Test(policy_check, a_file_that_says_nothing) {
	expect_refused("", "policy-version", 0);
	expect_refused("\n# only a comment\n", "policy-version", 0);
}

Test(policy_check, the_user_is_required) {
	expect_refused("runas-app = 1\n", "policy-value", 0);
	expect_refused("runas-app = 1\ngroup = app\ncommand = *\n", "policy-value", 0);
}

Test(policy_check, rejects_uid_zero) {
	expect_refused("runas-app = 1\nuser = 0\n", "policy-root", 2);
	expect_refused("runas-app = 1\nuser = root\n", "policy-root", 2);
}

Test(policy_check, rejects_gid_zero) {
	expect_refused(GIVEN_START "group = 0\n", "policy-root", 3);
	expect_refused(GIVEN_START "group = root\n", "policy-root", 3);
	expect_refused(GIVEN_START "groups = 0\n", "policy-root", 3);
	expect_refused(GIVEN_START "groups = a root b\n", "policy-root", 3);
	expect_refused(GIVEN_START "groups = a\ngroups = b 0\n", "policy-root", 4);
}

/* Who may call is another question than who the app is. */
Test(policy_check, root_may_be_named_as_a_caller) {
	struct problem why;

	cr_expect(check(GIVEN_START "allow_users = root 0\nallow_groups = root 0\n", &why), "%s", why.what);
}

Test(policy_check, none_stands_alone_in_groups) {
	struct problem why;

	cr_expect(check(GIVEN_START "groups = none\n", &why), "%s", why.what);
	expect_refused(GIVEN_START "groups = none a\n", "policy-value", 3);
	expect_refused(GIVEN_START "groups = a none\n", "policy-value", 3);
	expect_refused(GIVEN_START "groups = a\ngroups = none\n", "policy-value", 4);
	expect_refused(GIVEN_START "groups = none\ngroups = none\n", "policy-value", 3);
}

Test(policy_check, our_variables_cannot_be_set) {
	static const char *const lines[] = {"HOME=/x",		"USER=x",	    "LOGNAME=x",    "SHELL=/x",
					    "PATH=/x",		"PWD=/x",	    "LISTEN_FDS=1", "LISTEN_PID=1",
					    "LISTEN_FDNAMES=a", "LISTEN_ANYTHING=1"};

	for (size_t i = 0; i < COUNT(lines); i++)
		expect_refused(given_string(given_joined(given(GIVEN_START "env = A=1\nenv = "), given(lines[i]))),
			       "policy-value", 4);
}

Test(policy_check, a_variable_is_set_once) {
	struct problem why;

	expect_refused(GIVEN_START "env = A=1\nenv = B=2\nenv = A=3\n", "policy-twice", 5);
	expect_refused(GIVEN_START "env = A=1\nenv = A=1\n", "policy-twice", 4);
	cr_expect(check(GIVEN_START "env = A=1\nenv = AA=1\nenv = a=1\n", &why));
}

Test(policy_check, names_that_interpreters_obey_may_be_set) {
	struct problem why;

	cr_expect(check(GIVEN_START
			"env = RUBYOPT=-W0\nenv = LD_PRELOAD=/usr/lib/libjemalloc.so.2\nenv = MALLOC_ARENA_MAX=2\n",
			&why),
		  "%s", why.what);
}

Test(policy_check, reads_signed_numbers_between_bounds) {
	static const struct {
		const char *words;
		int least, most;
		bool fits;
		int number;
	} cases[] = {
		{"-20", -20, 19, true, -20},
		{"19", -20, 19, true, 19},
		{"0", -20, 19, true, 0},
		{"-21", -20, 19, false, 0},
		{"20", -20, 19, false, 0},
		{"-0", -20, 19, false, 0},
		{"", -20, 19, false, 0},
		{"-", -20, 19, false, 0},
		{"+1", -20, 19, false, 0},
		{"1001", -9999, 9999, false, 0},
		{"-1000", -1000, 1000, true, -1000},
		{"-4294967295", -20, 19, false, 0},
		{"4294967297", -20, 19, false, 0},
		{"18446744073709551615", -20, 19, false, 0},
		{"2", 3, 31, false, 0},
		{"3", 3, 31, true, 3},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int number = 12345;
		bool fits = policy_read_number(given(cases[i].words), cases[i].least, cases[i].most, &number);

		cr_expect(fits == cases[i].fits && (!fits || number == cases[i].number), "%s", cases[i].words);
	}
}

Test(policy_check, reads_limits) {
	static const struct {
		const char *words;
		bool fits;
		uint64_t soft, hard;
	} cases[] = {
		{"5", true, 5, 5},
		{"5:6", true, 5, 6},
		{"unlimited", true, UINT64_MAX, UINT64_MAX},
		{"0:unlimited", true, 0, UINT64_MAX},
		{"unlimited:unlimited", true, UINT64_MAX, UINT64_MAX},
		{"9223372036854775807", true, INT64_MAX, INT64_MAX},
		{"18446744073709551615", false, 0, 0},
		{"6:5", false, 0, 0},
		{"unlimited:6", false, 0, 0},
		{"5:", false, 0, 0},
		{":5", false, 0, 0},
		{"5:6:7", false, 0, 0},
		{"-1", false, 0, 0},
		{"5 :6", false, 0, 0},
		{"", false, 0, 0},
		{"Unlimited", false, 0, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t soft = 99, hard = 99;
		bool fits = policy_read_limit(given(cases[i].words), &soft, &hard);

		cr_expect(fits == cases[i].fits && (!fits || (soft == cases[i].soft && hard == cases[i].hard)), "%s",
			  cases[i].words);
	}
}
