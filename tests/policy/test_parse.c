/* SPDX-License-Identifier: ISC */
/* From the bytes of a policy to settings. What files show line by line is in tests/fixtures/policy. */
#include "tests/policy/given.h"

#include <stdio.h>

TestSuite(policy_parse, .timeout = 20);

static struct policy *parse(struct text bytes, bool *ret_is_good, struct problem *why) {
	struct policy *p = (struct policy *)(void *)given_room(sizeof(*p));

	memset(p, 0x5a, sizeof(*p));
	memset(why, 0, sizeof(*why));
	*ret_is_good = parse_policy(bytes, p, why);
	return p;
}

/* The third line, behind GIVEN_START. */
static void expect_refused(struct text line, const char *word) {
	bool is_good;
	struct problem why;

	parse(given_joined(given(GIVEN_START), line), &is_good, &why);
	cr_assert(!is_good, "accepted: %.*s", SHOWN(line));
	cr_assert(why.word != NULL && why.what != NULL);
	cr_expect(strcmp(why.word, word) == 0, "%.*s: %s, not %s", SHOWN(line), why.word, word);
	cr_expect(why.line == 3, "%.*s: line %u", SHOWN(line), why.line);
	cr_expect(why.status == PROBLEM_SELF);
}

static void expect_accepted(struct text line, size_t settings) {
	bool is_good;
	struct problem why;
	struct policy *p = parse(given_joined(given(GIVEN_START), line), &is_good, &why);

	cr_assert(is_good, "%.*s: %s", SHOWN(line), why.what);
	cr_expect(p->count == 2 + settings, "%.*s: %zu settings", SHOWN(line), p->count);
}

static void expect_value_refused(const char *key, const char *value) {
	char line[512];

	snprintf(line, sizeof(line), "%s = %s\n", key, value);
	expect_refused(given(line), "policy-value");
}

static void expect_value(const char *key, const char *value) {
	char line[512];

	snprintf(line, sizeof(line), "%s = %s\n", key, value);
	expect_accepted(given(line), 1);
}

/* As expect_value, for `user`, which GIVEN_START has already. */
static bool accepts_user(const char *value) {
	bool is_good;
	struct problem why;

	parse(given_joined(given("runas-app = 1\nuser = "), given(value)), &is_good, &why);
	return is_good;
}

static const char *const bad_ids[] = {
	"-1",
	"+1",
	"0x1000",
	"01000",
	"00",
	"1e3",
	"4294967295",
	"4294967296",
	"18446744073709551616",
	"1_000",
	"\xd9\xa1",
	"1.0",
	"12a",
	"\"5\"",
	"-",
	"+",
	"+@nis",
	"-app",
	"a:b",
	"a/b",
	"a$",
	".",
	"#5",
	"5,",
	"a,b",
	"abcdefghijklmnopqrstuvwxyz0123456",
};

Test(policy_parse, ids_are_plain_numbers_or_names) {
	static const char *const keys[] = {"allow_users", "allow_groups", "group", "groups"};
	static const char *const good[] = {"app", "www-data", "_x", "1", "65534", "4294967294", "A.b-c_9"};

	for (size_t k = 0; k < COUNT(keys); k++) {
		for (size_t i = 0; i < COUNT(bad_ids); i++)
			expect_value_refused(keys[k], bad_ids[i]);
		for (size_t i = 0; i < COUNT(good); i++)
			expect_value(keys[k], good[i]);
	}
	for (size_t i = 0; i < COUNT(bad_ids); i++)
		cr_expect(!accepts_user(bad_ids[i]), "user = %s", bad_ids[i]);
	for (size_t i = 0; i < COUNT(good); i++)
		cr_expect(accepts_user(good[i]), "user = %s", good[i]);
	cr_expect(!accepts_user("\" 0\""), "a quoted blank");
	cr_expect(!accepts_user("a b"), "two names");
}

Test(policy_parse, values_that_are_not_of_their_keys_shape) {
	static const struct {
		const char *key, *values[12];
	} cases[] = {
		{"umask", {"27", "1027", "00027", "028", "abc", "-27", "0 27", "u=rwx"}},
		{"directory", {"srv", "./srv", "/srv/", "/srv//a", "/srv/../etc", "/srv/.", "~"}},
		{"directory_below", {"srv", "/srv/", "/srv/..", "//"}},
		{"home", {"home", "/home/", "/home/../root"}},
		{"shell", {"bash", "/bin/", "/bin/../sh"}},
		{"path",
		 {"bin", "/bin:", ":/bin", "/bin::/usr/bin", "/bin:.", "/bin:usr", "/bin/", "/bin /usr/bin/", "~/bin"}},
		{"env", {"A", "=b", "A =b", "export A=b", "A='b'", "A=\"b\"", "1A=b"}},
		{"env_keep", {"A,B", "LD_PRELOAD", "PATH", "HOME", "LISTEN_FDS", "A*", "@x", "A=b", "RUBYOPT"}},
		{"syscalls",
		 {"@", "@App", "none x", "@app-server extra", "complain", "complain none", "complain @", "../x", "a.b",
		  "@app-server,x", "/etc/x"}},
		{"nice", {"-21", "20", "+5", "-0", "05", "1.5", "--1", "high", "-", "99999999999999999999"}},
		{"oom_score_adj", {"-1001", "1001", "+1", "-0", "01", "x"}},
		{"keep_fds", {"2", "32", "-3", "03", "3,4", "3-5", "stdin", "+4"}},
		{"log", {"yes", "file", "syslog,none", "Syslog", "/dev/log"}},
		{"limit_nofile",
		 {"-1", "+1", "1k", "010", "2:1", "unlimited:5", ":", "5:", ":5", "5:6:7", "9223372036854775808",
		  "1 2"}},
		{"limit_core", {"infinity", "none", "0x10", "1,2"}},
		{"write", {"srv", "./srv", "/srv/", "/srv//a", "/srv/../etc", "/srv/.", "~", "//"}},
		{"tmp", {"tmp", "/tmp/", "/tmp/..", "$HOME/tmp", "//"}},
		{"env_file", {"app.env", "-/etc/app.env", "/etc/../app.env", "/etc/", "~/app.env"}},
		{"write_enforce", {"yes", "no", "none", "Required", "best effort", "strict|required", "|", "strict,"}},
		{"stdio_chown", {"maybe", "true", "1", "YES", "yes no", "yes|no", "|", "yes,"}},
		{"listen",
		 {"tcp", "80", "tcp 80", "tcp :80", "tcp 0.0.0.0", "tcp 0.0.0.0:", "tcp 0.0.0.0:0", "tcp 0.0.0.0:65536",
		  "tcp 0.0.0.0:080", "tcp 0.0.0.0:+80", "tcp 0.0.0.0:80 x", "tcp 0.0.0.0:80,81"}},
		{"listen",
		 {"tcp localhost:80", "tcp *:80", "tcp 1.1:80", "tcp ::1:80", "tcp [::1:80", "tcp ::1]:80", "tcp []:80",
		  "tcp [::1]", "tcp [fe80::1%lo]:80", "tcp [127.0.0.1]:80", "udp 0.0.0.0:80", "unix /run/x"}},
		{"listen",
		 {"tcp x::1]:80", "tcp [::1x:80", "tcp [[::1]]:80", "tcp [::1]]:80", "tcp 0.0.0.0]:80", "tcp ]::[:80"}},
		{"runas-app", {NULL}},
	};

	for (size_t k = 0; k < COUNT(cases); k++)
		for (size_t i = 0; i < 12 && cases[k].values[i] != NULL; i++)
			expect_value_refused(cases[k].key, cases[k].values[i]);
}

Test(policy_parse, values_that_are) {
	static const struct {
		const char *key, *values[8];
	} cases[] = {
		{"umask", {"027", "0027", "777", "000"}},
		{"directory", {"/", "/srv/my app", "/srv/a.b"}},
		{"path", {"/bin", "/usr/local/bin:/usr/bin:/bin", "/a:/b:/c:/d:/e:/f:/g:/h:/i:/j:/k:/l:/m:/n:/o:/p"}},
		{"syscalls", {"@app-server", "site", "none", "complain @app-server", "complain  site", "@web-static"}},
		{"nice", {"-20", "19", "0", "-1"}},
		{"oom_score_adj", {"-1000", "1000", "0"}},
		{"keep_fds", {"3", "31"}},
		{"log", {"syslog", "required", "none"}},
		{"limit_nofile", {"0", "1024", "1024:4096", "unlimited", "0:unlimited", "5:5", "9223372036854775807"}},
		{"limit_core", {"0"}},
		{"write", {"/srv", "/srv/my app", "/srv/a,b", "/dev/null"}},
		{"tmp", {"/tmp", "/srv/app/tmp"}},
		{"env_file", {"/etc/runas-app/app.env", "/x"}},
		{"write_enforce", {"required", "strict", "best-effort"}},
		{"stdio_chown", {"yes", "no"}},
		{"listen", {"tcp 0.0.0.0:80", "tcp [::]:443", "tcp 127.0.0.1:65535", "tcp   [::1]:1", "tcp\t[::1]:1"}},
		{"serve", {"/bin/x", "*", "/bin/x {int} *"}},
		{"limit_cpu", {"1"}},
		{"limit_fsize", {"1"}},
		{"limit_data", {"1"}},
		{"limit_stack", {"1"}},
		{"limit_rss", {"1"}},
		{"limit_nproc", {"1"}},
		{"limit_memlock", {"1"}},
		{"limit_as", {"1"}},
		{"limit_locks", {"1"}},
		{"limit_sigpending", {"1"}},
		{"limit_msgqueue", {"1"}},
		{"limit_nice", {"1"}},
		{"limit_rtprio", {"1"}},
		{"limit_rttime", {"1"}},
	};

	for (size_t k = 0; k < COUNT(cases); k++)
		for (size_t i = 0; i < 8 && cases[k].values[i] != NULL; i++)
			expect_value(cases[k].key, cases[k].values[i]);
	expect_refused(given("path = /a:/b:/c:/d:/e:/f:/g:/h:/i:/j:/k:/l:/m:/n:/o:/p:/q\n"), "policy-value");
}

Test(policy_parse, limits_are_in_the_kernels_order) {
	static const char *const names[POLICY_LIMITS] = {
		"cpu",	   "fsize", "data",  "stack",	   "core",     "rss",  "nproc",	 "nofile",
		"memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"};
	char want[32];

	for (unsigned i = 0; i < POLICY_LIMITS; i++) {
		snprintf(want, sizeof(want), "limit_%s", names[i]);
		cr_expect(strcmp(policy_key_name((enum policy_key)(KEY_LIMIT + i)), want) == 0, "%u is %s", i, want);
	}
}

Test(policy_parse, every_key_has_a_name_of_its_own) {
	for (unsigned a = 0; a < KEY_COUNT; a++)
		for (unsigned b = 0; b < a; b++)
			cr_expect(strcmp(policy_key_name((enum policy_key)a), policy_key_name((enum policy_key)b)) != 0,
				  "%u and %u", a, b);
}

Test(policy_parse, rejects_unknown_keys) {
	static const char *const lines[] = {"User = a\n",	 "users = a\n",	   "limit_ = 1\n",   "limit_foo = 1\n",
					    "allow-users = a\n", "= a\n",	   " = a\n",	     "user group = a\n",
					    "\"user\" = a\n",	 "include = /x\n", "env_Keep = A\n", "limit = 1\n",
					    "user+ = a\n"};

	for (size_t i = 0; i < COUNT(lines); i++)
		expect_refused(given(lines[i]), "policy-key");
	/* Longer than any key: what lies behind the row of a key's name is not looked at (sanitizers). */
	expect_refused(given_joined(given_times("k", 21), given(" = 1\n")), "policy-key");
	expect_refused(given_joined(given_times("k", POLICY_MAX_LINE - 4), given(" = 1\n")), "policy-key");
}

Test(policy_parse, rejects_lines_without_an_equals_sign) {
	expect_refused(given("umask 027\n"), "policy-syntax");
	expect_refused(given("[section]\n"), "policy-syntax");
	expect_refused(given("umask: 027\n"), "policy-syntax");
}

Test(policy_parse, rejects_single_keys_that_are_set_twice) {
	static const char *const lines[] = {"group = a\n",	   "umask = 027\n",
					    "directory = /a\n",	   "home = /a\n",
					    "shell = /a\n",	   "path = /a\n",
					    "syscalls = none\n",   "nice = 1\n",
					    "oom_score_adj = 1\n", "log = none\n",
					    "limit_nofile = 1\n",  "tmp = /a\n",
					    "env_file = /a\n",	   "write_enforce = strict\n",
					    "stdio_chown = no\n"};

	for (size_t i = 0; i < COUNT(lines); i++) {
		bool is_good;
		struct problem why;

		parse(given_joined(
			      given(GIVEN_START),
			      given_joined(given(lines[i]), given_joined(given("# between\n\n"), given(lines[i])))),
		      &is_good, &why);
		cr_assert(!is_good, "%s", lines[i]);
		cr_expect(strcmp(why.word, "policy-twice") == 0, "%s: %s", lines[i], why.word);
		cr_expect(why.line == 6, "%s: line %u", lines[i], why.line);
	}
	expect_refused(given("user = app\n"), "policy-twice");
}

Test(policy_parse, the_version_stands_first_and_once) {
	static const struct {
		const char *bytes, *word;
		unsigned line;
	} cases[] = {
		{"user = app\nrunas-app = 1\n", "policy-version", 1},
		{"# x\n\numask = 027\n", "policy-version", 3},
		{"runas-app = 2\n", "policy-version", 1},
		{"# x\nrunas-app = 4294967295\nno line of format 1\n", "policy-version", 2},
		{"runas-app = 4294967296\n", "policy-value", 1},
		{"runas-app = 0\n", "policy-value", 1},
		{"runas-app = -2\n", "policy-value", 1},
		{"runas-app = 01\n", "policy-value", 1},
		{"runas-app = 1.0\n", "policy-value", 1},
		{"runas-app =\n", "policy-value", 1},
		{"runas-app\n", "policy-syntax", 1},
		{"runas-app = 1\nrunas-app = 1\n", "policy-version", 2},
		{"\xef\xbb\xbfrunas-app = 1\n", "policy-key", 1},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool is_good;
		struct problem why;

		parse(given(cases[i].bytes), &is_good, &why);
		cr_assert(!is_good, "%s", cases[i].bytes);
		cr_expect(strcmp(why.word, cases[i].word) == 0 && why.line == cases[i].line, "%s: %s in line %u",
			  cases[i].bytes, why.word, why.line);
	}
}

Test(policy_parse, rejects_empty_values) {
	static const char *const lines[] = {"umask =\n",    "umask = \n", "umask = \t \n", "groups =\n",
					    "command = \n", "env =\n",	  "env_keep =",	   "umask="};

	for (size_t i = 0; i < COUNT(lines); i++)
		expect_refused(given(lines[i]), "policy-value");
}

Test(policy_parse, rejects_every_control_character_but_tab) {
	for (unsigned c = 0; c < 256; c++) {
		const char line[] = {'e', 'n', 'v', '=', 'A', '=', 'a', (char)c, 'b', '\n'};
		const char comment[] = {'#', ' ', (char)c, '\n'};
		const bool is_control = (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;

		if (c == '\n')
			continue;
		if (is_control) {
			expect_refused(given_bytes(line, sizeof(line)), "policy-syntax");
			expect_refused(given_bytes(comment, sizeof(comment)), "policy-syntax");
		} else {
			expect_accepted(given_bytes(line, sizeof(line)), 1);
			expect_accepted(given_bytes(comment, sizeof(comment)), 0);
		}
	}
}

Test(policy_parse, rejects_dos_line_ends_with_a_hint) {
	bool is_good;
	struct problem why;

	parse(given("runas-app = 1\r\nuser = app\r\n"), &is_good, &why);
	cr_assert(!is_good);
	cr_expect(why.line == 1 && why.hint != NULL && strstr(why.hint, "Unix line ends") != NULL, "%s", why.what);
	given_expect_text(why.about, "\r", "about");
}

Test(policy_parse, other_hints_are_about_the_key) {
	static const char *const lines[] = {"allow_users = +a\n", "group = a,b\n", "umask = 7,7\n"};
	bool is_good;
	struct problem why;

	for (size_t i = 0; i < COUNT(lines); i++) {
		parse(given_joined(given(GIVEN_START), given(lines[i])), &is_good, &why);
		cr_assert(!is_good && why.hint != NULL, "%s", lines[i]);
		cr_expect(strstr(why.hint, "commas") == NULL, "%s: %s", lines[i], why.hint);
	}
	parse(given("runas-app\x01= 1\n"), &is_good, &why);
	cr_expect(!is_good && why.hint == NULL, "%s", why.hint);
}

Test(policy_parse, commas_get_a_hint) {
	static const char *const lines[] = {"allow_users = a,b\n", "allow_groups = a, b\n", "groups = a ,b\n",
					    "env_keep = A,B\n", "keep_fds = 3,4\n"};

	for (size_t i = 0; i < COUNT(lines); i++) {
		bool is_good;
		struct problem why;

		parse(given_joined(given(GIVEN_START), given(lines[i])), &is_good, &why);
		cr_assert(!is_good, "%s", lines[i]);
		cr_assert(why.hint != NULL);
		cr_expect(strstr(why.hint, "blanks, not commas") != NULL, "%s: %s", lines[i], why.hint);
	}
}

Test(policy_parse, lines_have_4096_bytes) {
	struct text most = given_joined(given("env = A="), given_times("x", POLICY_MAX_LINE - 8));
	struct text most_comment = given_joined(given("#"), given_times("x", POLICY_MAX_LINE - 1));

	expect_accepted(given_joined(most, given("\n")), 1);
	expect_accepted(most, 1);
	expect_accepted(given_joined(most_comment, given("\n")), 0);
	expect_refused(given_joined(most, given("x\n")), "policy-size");
	expect_refused(given_joined(most, given("x")), "policy-size");
	expect_refused(given_joined(most_comment, given("x\n")), "policy-size");
	expect_refused(given_times(" ", POLICY_MAX_LINE + 1), "policy-size");
}

Test(policy_parse, the_last_newline_may_lack) {
	expect_accepted(given("umask = 027"), 1);
	expect_accepted(given("# the end"), 0);
	expect_accepted(given(""), 0);
	expect_accepted(given("\n\n\n"), 0);
}

Test(policy_parse, blanks_and_comments) {
	expect_accepted(given("\t umask\t=\t027 \t\n"), 1);
	expect_accepted(given("umask=027\n"), 1);
	expect_accepted(given("   # comment\n\t\n#\n#umask = 999\n"), 0);
	expect_refused(given("umask = 027 # comment\n"), "policy-value");
	expect_accepted(given("command = /bin/x # an argument\n"), 1);
}

Test(policy_parse, list_keys_accumulate_one_setting_a_word) {
	bool is_good;
	struct problem why;
	struct policy *p = parse(given(GIVEN_START "groups = a  b\tc\nallow_users = x\ngroups = d\n"), &is_good, &why);
	const char *const want[] = {"a", "b", "c", "d"};
	size_t i = 0;

	cr_assert(is_good);
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_GROUPS, s)) != NULL; i++) {
		cr_assert(i < 4);
		given_expect_text(s->value, want[i], "group");
		cr_expect(s->line == (i < 3 ? 3u : 5u));
	}
	cr_expect(i == 4);
}

Test(policy_parse, what_stands_behind_the_last_setting_is_none) {
	bool is_good;
	struct problem why;
	struct policy *p = parse(given(GIVEN_START), &is_good, &why);

	cr_assert(is_good && policy_next(p, KEY_SHELL, NULL) == NULL);
	p->settings[p->count].key = KEY_SHELL;
	cr_expect(policy_next(p, KEY_SHELL, NULL) == NULL);
}

Test(policy_parse, lines_that_repeat_take_their_value_whole) {
	bool is_good;
	struct problem why;
	struct policy *p = parse(given(GIVEN_START "command = /bin/x a  b \nenv = A= b \ncommand = /bin/y\nenv =B=\n"),
				 &is_good, &why);
	const struct setting *s;

	cr_assert(is_good, "%s", why.what);
	s = policy_next(p, KEY_COMMAND, NULL);
	given_expect_text(s->value, "/bin/x a  b", "command");
	given_expect_text(policy_next(p, KEY_COMMAND, s)->value, "/bin/y", "command");
	s = policy_next(p, KEY_ENV, NULL);
	given_expect_text(s->value, "A= b ", "env, byte for byte");
	given_expect_text(policy_next(p, KEY_ENV, s)->value, "B=", "env");
	cr_expect(policy_value(p, KEY_SHELL).length == 0);
}

Test(policy_parse, list_keys_have_64_values) {
	expect_accepted(given_joined(given("groups ="), given_times(" a", POLICY_MAX_WORDS)), POLICY_MAX_WORDS);
	expect_refused(given_joined(given("groups ="), given_times(" a", POLICY_MAX_WORDS + 1)), "policy-size");
	expect_accepted(given_times("keep_fds = 3\n", POLICY_MAX_WORDS), POLICY_MAX_WORDS);
}

Test(policy_parse, repeated_keys_have_256_lines) {
	struct text most = given_times("command = /bin/x\n", POLICY_MAX_LINES);
	bool is_good;
	struct problem why;

	expect_accepted(most, POLICY_MAX_LINES);
	parse(given_joined(given(GIVEN_START), given_joined(most, given("command = /bin/y\n"))), &is_good, &why);
	cr_expect(!is_good);
	cr_expect(strcmp(why.word, "policy-size") == 0 && why.line == POLICY_MAX_LINES + 3, "%s in line %u", why.word,
		  why.line);
}

/* 64 write paths with tmp among them, whichever way round. */
Test(policy_parse, write_has_63_lines_and_listen_16) {
	bool is_good;
	struct problem why;

	expect_accepted(given_joined(given("tmp = /t\n"), given_times("write = /w\n", POLICY_MAX_WRITES - 1)),
			POLICY_MAX_WRITES);
	parse(given_joined(given(GIVEN_START), given_times("write = /w\n", POLICY_MAX_WRITES)), &is_good, &why);
	cr_expect(!is_good && strcmp(why.word, "policy-size") == 0 && why.line == POLICY_MAX_WRITES + 2);
	given_expect_text(why.about, "write", "key");
	expect_accepted(given_times("listen = tcp 0.0.0.0:80\n", POLICY_MAX_LISTEN), POLICY_MAX_LISTEN);
	parse(given_joined(given(GIVEN_START), given_times("listen = tcp 0.0.0.0:80\n", POLICY_MAX_LISTEN + 1)),
	      &is_good, &why);
	cr_expect(!is_good && strcmp(why.word, "policy-size") == 0 && why.line == POLICY_MAX_LISTEN + 3);
	given_expect_text(why.about, "listen", "key");
	expect_accepted(given_times("serve = /bin/x\n", POLICY_MAX_LINES), POLICY_MAX_LINES);
}

Test(policy_parse, all_keys_together_have_room) {
	struct text lines = given("");
	static const char *const words[] = {"allow_users = ", "allow_groups = ", "groups = ", "env_keep = "};

	lines = given_joined(lines, given_times("command = /bin/x\n", POLICY_MAX_LINES));
	lines = given_joined(lines, given_times("env = A=\n", POLICY_MAX_LINES));
	for (size_t i = 0; i < COUNT(words); i++)
		lines = given_joined(
			lines,
			given_joined(given(words[i]), given_joined(given_times("a ", POLICY_MAX_WORDS), given("\n"))));
	expect_accepted(lines, 2 * POLICY_MAX_LINES + COUNT(words) * POLICY_MAX_WORDS);
}

Test(policy_parse, more_settings_than_there_is_room_for) {
	struct text lines = given_times("command = /bin/x\n", POLICY_MAX_LINES);
	bool is_good;
	struct problem why;

	lines = given_joined(lines, given_times("env = A=\n", POLICY_MAX_LINES));
	lines = given_joined(lines, given_times("directory_below = /a\n", POLICY_MAX_LINES));
	for (int i = 0; i < 5; i++) {
		static const char *const words[] = {"allow_users", "allow_groups", "groups", "env_keep", "keep_fds"};

		lines = given_joined(
			lines, given_joined(given(words[i]),
					    given_joined(given(" ="), given_joined(given_times(i < 4 ? " a" : " 3",
											       POLICY_MAX_WORDS),
										   given("\n")))));
	}
	parse(given_joined(given(GIVEN_START), lines), &is_good, &why);
	cr_expect(!is_good && strcmp(why.word, "policy-size") == 0, "%s", is_good ? "accepted" : why.word);
}

/* A policy cut anywhere, or with one byte changed, is refused or is a policy; it is never read past its end. */
/* Attack B4. */
Test(policy_parse, survives_every_cut_and_every_changed_byte) {
	static const char whole[] =
		GIVEN_START "group = web\ngroups = a b\numask = 027\ncommand = /bin/x {a|b} \"c d\" {path:/srv} *\n"
			    "env = A=b\nenv_keep = LANG MY_*\nsyscalls = complain @app-server\nlimit_nofile = "
			    "5:6\nkeep_fds = 3 4\nlisten = tcp [::1]:80\nlisten = tcp 0.0.0.0:81\nwrite = /w\n"
			    "write_enforce = strict\nenv_file = /e\nstdio_chown = no\n";
	static const char bytes[] = {0,	  '\n', '\r', '"', '{', '}', '*', '=',	  ' ',
				     '0', '/',	':',  '|', '[', ']', '.', '\x7f', '\xff'};
	bool is_good;
	struct problem why;

	for (size_t length = 0; length < sizeof(whole); length++) {
		parse(given_bytes(whole, length), &is_good, &why);
		cr_expect(is_good || (why.word != NULL && why.line > 0), "cut at %zu", length);
	}
	for (size_t at = 0; at < sizeof(whole) - 1; at++)
		for (size_t i = 0; i < COUNT(bytes); i++) {
			struct text changed = given_bytes(whole, sizeof(whole) - 1);

			((char *)(uintptr_t)changed.at)[at] = bytes[i];
			struct policy *p = parse(changed, &is_good, &why);
			cr_expect(is_good ? p->count <= POLICY_MAX_SETTINGS : why.word != NULL && why.line > 0,
				  "byte %zu as 0x%02x", at, (unsigned char)bytes[i]);
		}
}
