/* SPDX-License-Identifier: ISC */
/* What only the whole policy shows, and the readers of checked values. */
#include "tests/policy/given.h"

#include <stdio.h>

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

/* A variable is set twice by two lines of env, not by a value that is called as it is. */
Test(policy_check, a_variable_that_is_called_as_the_user) {
	struct problem why;

	cr_expect(check("runas-app = 1\nuser = app\nenv = app=1\n", &why), "%s", why.what);
}

Test(policy_check, a_file_that_says_nothing) {
	expect_refused("", "policy-version", 0);
	expect_refused("\n# only a comment\n", "policy-version", 0);
}

Test(policy_check, what_stands_behind_the_last_setting_is_none) {
	struct policy *p = given_policy("");
	struct problem why;

	p->settings[p->count] = (struct setting){given("root"), KEY_GROUP, 3};
	cr_expect(check_policy(p, &why), "%s", why.what);
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

Test(policy_check, zero_is_a_number_like_any_other_where_it_is_no_id) {
	struct problem why;

	cr_expect(check(GIVEN_START "nice = 0\noom_score_adj = 0\nlimit_core = 0\n", &why), "%s", why.what);
}

Test(policy_check, none_stands_alone_in_groups) {
	struct problem why;

	cr_expect(check(GIVEN_START "groups = none\n", &why), "%s", why.what);
	expect_refused(GIVEN_START "groups = none a\n", "policy-value", 3);
	expect_refused(GIVEN_START "groups = a none\n", "policy-value", 3);
	expect_refused(GIVEN_START "groups = a\ngroups = none\n", "policy-value", 4);
	expect_refused(GIVEN_START "groups = none\ngroups = none\n", "policy-value", 3);
}

Test(policy_check, none_stands_beside_others_where_it_is_no_group) {
	struct problem why;

	cr_expect(check(GIVEN_START "env_keep = none PORT\n", &why), "%s", why.what);
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

		cr_expect(fits == cases[i].fits && number == (fits ? cases[i].number : 12345), "%s", cases[i].words);
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

/* --- keys that need or exclude each other --------------------------------------------------------------------- */

static void expect_good(const char *bytes) {
	struct problem why;

	cr_expect(check(bytes, &why), "%s: %s \"%.*s\"", bytes, why.what, SHOWN(why.about));
}

Test(policy_check, listen_and_serve_come_together) {
	expect_good(GIVEN_START "listen = tcp 0.0.0.0:80\nserve = /bin/x\n");
	expect_good(GIVEN_START "serve = *\nserve = /bin/x\nlisten = tcp 0.0.0.0:80\nlisten = tcp [::]:80\n");
	expect_refused(GIVEN_START "listen = tcp 0.0.0.0:80\n", "policy-value", 3);
	expect_refused(GIVEN_START "command = *\nlisten = tcp 0.0.0.0:80\n", "policy-value", 4);
	expect_refused(GIVEN_START "command = *\nserve = /bin/x\n", "policy-value", 4);
}

/* Both number from descriptor 3. */
Test(policy_check, listen_excludes_keep_fds) {
	expect_refused(GIVEN_START "listen = tcp 0.0.0.0:80\nserve = *\nkeep_fds = 9\n", "policy-value", 3);
	expect_refused(GIVEN_START "keep_fds = 9\nserve = *\nlisten = tcp 0.0.0.0:80\n", "policy-value", 5);
	expect_good(GIVEN_START "keep_fds = 9\ncommand = *\n");
}

Test(policy_check, an_address_is_bound_once) {
	expect_refused(GIVEN_START "serve = *\nlisten = tcp [::1]:80\nlisten = tcp 0.0.0.0:80\nlisten = tcp [::1]:80\n",
		       "policy-twice", 6);
	expect_good(GIVEN_START "serve = *\nlisten = tcp 0.0.0.0:80\nlisten = tcp 0.0.0.0:81\nlisten = tcp [::]:80\n");
}

Test(policy_check, write_enforce_needs_something_to_enforce) {
	expect_refused(GIVEN_START "write_enforce = strict\n", "policy-value", 3);
	expect_refused(GIVEN_START "write_enforce = best-effort\n", "policy-value", 3);
	expect_good(GIVEN_START "write_enforce = strict\nwrite = /srv\n");
	expect_good(GIVEN_START "write_enforce = strict\ntmp = /srv\n");
}

/* /dev and /proc hold what proves the limit, and other processes' memory. */
Test(policy_check, a_write_list_limits_something) {
	static const char *const wide[] = {"/", "/dev", "/proc"}, *const narrow[] = {"/dev/shm", "/srv",
										     "/development"};
	char lines[128];

	for (size_t i = 0; i < COUNT(wide); i++) {
		snprintf(lines, sizeof(lines), GIVEN_START "write = %s\n", wide[i]);
		expect_refused(lines, "policy-value", 3);
		snprintf(lines, sizeof(lines), GIVEN_START "write = /srv\nwrite = %s\n", wide[i]);
		expect_refused(lines, "policy-value", 4);
		snprintf(lines, sizeof(lines), GIVEN_START "tmp = %s\n", wide[i]);
		expect_refused(lines, "policy-value", 3);
	}
	for (size_t i = 0; i < COUNT(narrow); i++) {
		snprintf(lines, sizeof(lines), GIVEN_START "write = %s\ntmp = %s\n", narrow[i], narrow[i]);
		expect_good(lines);
	}
	expect_good(GIVEN_START "directory = /\nhome = /proc\n");
}

Test(policy_check, no_write_path_lies_below_another) {
	struct policy *p = given_policy("write = /srv/a/b\n");
	struct problem why;

	expect_refused(GIVEN_START "write = /srv/a\nwrite = /srv/a/b\n", "policy-value", 4);
	expect_refused(GIVEN_START "write = /srv/a\ntmp = /srv/a/b\n", "policy-value", 4);
	expect_refused(GIVEN_START "write = /srv/a/b\ntmp = /srv/a\n", "policy-value", 3);
	expect_good(GIVEN_START "write = /srv/a\nwrite = /srv/ab\ntmp = /srv/b\n");
	expect_good(GIVEN_START "directory = /srv\nhome = /srv\nwrite = /srv/a\n");
	expect_refused(GIVEN_START "write = /srv/a/b\nwrite = /srv/a\n", "policy-value", 3);
	expect_refused(GIVEN_START "write = /a\nwrite = /a/b\n", "policy-value", 4);
	expect_good(GIVEN_START "write = /srv/a\ndirectory = /srv/a/b\nhome = /srv/a/b/c\n");
	p->settings[p->count] = (struct setting){given("/srv/a"), KEY_WRITE, 9};
	cr_expect(check_policy(p, &why), "behind the last setting");
}

Test(policy_check, tmpdir_is_set_by_one_of_two) {
	expect_refused(GIVEN_START "tmp = /srv/tmp\nenv = TMPDIR=/srv/tmp\n", "policy-value", 4);
	expect_refused(GIVEN_START "env = TMPDIR=/tmp\ntmp = /srv/tmp\n", "policy-value", 3);
	expect_good(GIVEN_START "env = TMPDIR=/tmp\nwrite = /tmp\n");
	expect_good(GIVEN_START "env = TMPDIRS=/tmp\nenv = TMP=/tmp\ntmp = /srv/tmp\n");
}

Test(policy_check, an_address_longer_than_any_is_none) {
	struct policy_listen l;

	for (size_t length = 40; length < 60; length++)
		cr_expect(!policy_read_listen(
			given_joined(given_joined(given("tcp "), given_times("1", length)), given(":80")), &l));
}

Test(policy_check, reads_addresses) {
	static const struct {
		const char *words;
		bool is_ipv6;
		uint16_t port;
		unsigned char address[16];
	} cases[] = {
		{"tcp 0.0.0.0:80", false, 80, {0}},
		{"tcp 127.0.0.1:1", false, 1, {127, 0, 0, 1}},
		{"tcp 255.254.253.252:65535", false, 65535, {255, 254, 253, 252}},
		{"tcp \t192.0.2.1:443", false, 443, {192, 0, 2, 1}},
		{"tcp [::]:80", true, 80, {0}},
		{"tcp [::1]:8080", true, 8080, {[15] = 1}},
		{"tcp [2001:DB8::a]:443", true, 443, {0x20, 0x01, 0x0d, 0xb8, [15] = 0x0a}},
		{"tcp [1:2:3:4:5:6:7:8]:256", true, 256, {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}},
		{"tcp [::ffff:192.0.2.1]:443", true, 443, {[10] = 0xff, 0xff, 192, 0, 2, 1}},
		{"tcp [ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
		 true,
		 65535,
		 {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_listen l;

		memset(&l, 0x5a, sizeof(l));
		cr_assert(policy_read_listen(given(cases[i].words), &l), "%s", cases[i].words);
		cr_expect(l.is_ipv6 == cases[i].is_ipv6 && l.port == cases[i].port, "%s: port %u", cases[i].words,
			  l.port);
		cr_expect(memcmp(l.address, cases[i].address, l.is_ipv6 ? 16 : 4) == 0, "%s", cases[i].words);
		given_expect_text(l.by, cases[i].words, "by");
	}
}
