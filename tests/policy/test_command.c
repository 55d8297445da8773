/* SPDX-License-Identifier: ISC */
/* Token patterns: which typed command is one that a pattern describes. */
#include "tests/policy/given.h"

#include "policy/command.h"

TestSuite(command, .timeout = 20);

#define MAX_WORDS 12

/* Cuts a typed command at blanks; "" and "a b" cannot be written so, see typed_words. */
static char *const *typed(const char *words) {
	char **argv = (char **)(void *)given_room((MAX_WORDS + 1) * sizeof(char *));
	struct text rest = given(words), word;
	size_t n = 0;

	while ((word = text_word(&rest)).length > 0 && n < MAX_WORDS)
		argv[n++] = given_string(word);
	argv[n] = NULL;
	return argv;
}

static struct request request_of(char *const *argv) {
	struct request r = {.command = argv};

	while (argv[r.words] != NULL)
		r.words++;
	return r;
}

static bool find(const char *lines, char *const *argv, const char *directory, struct command_match *m,
		 struct problem *why) {
	const struct request r = request_of(argv);

	memset(m, 0, sizeof(*m));
	memset(why, 0, sizeof(*why));
	return command_find(given_policy(lines), &r, given(directory), m, why);
}

static bool allows(const char *pattern, char *const *argv, const char *directory) {
	struct text line = given_joined(given_joined(given("command = "), given(pattern)), given("\n"));
	struct command_match m;
	struct problem why;
	bool is_allowed = find(given_string(line), argv, directory, &m, &why);

	if (!is_allowed) {
		cr_expect(why.status == PROBLEM_DENIED, "status %d", (int)why.status);
		cr_expect(why.word != NULL && why.what != NULL);
		cr_expect(m.by == NULL, "a refusal names no pattern as matching");
	}
	return is_allowed;
}

struct match_case {
	const char *pattern, *typed;
	bool is_allowed;
};

static void expect_matches(const struct match_case *cases, size_t count) {
	for (size_t i = 0; i < count; i++)
		cr_expect(allows(cases[i].pattern, typed(cases[i].typed), "") == cases[i].is_allowed, "`%s` %s `%s`",
			  cases[i].pattern, cases[i].is_allowed ? "refuses" : "allows", cases[i].typed);
}

Test(command, patterns_that_can_be_written) {
	static const char *const patterns[] = {
		"*",
		"/bin/true",
		"/bin/true *",
		"/bin/x a b c",
		"/bin/x {int}",
		"/bin/x --n={int}",
		"/bin/x {int}%",
		"/bin/x a{word}b",
		"/bin/x {a|b}",
		"/bin/x {a|b|c|d}",
		"/bin/x --{start|stop}-now",
		"/bin/x {path:/srv}",
		"/bin/x {path:/}",
		"/bin/x f={path:/srv/app}",
		"\"/opt/my app/run\" x",
		"/bin/x \"a b\"",
		"/bin/x \"{int}\"",
		"/bin/x \"*\" y",
		"/bin/x \"\"",
		"/bin/x \"a\" *",
		"/bin/x \"a b\"\tc",
		"/bin/x\t{word}\t*",
		"/bin/x a,b",
		"/bin/x #",
		"/bin/x $HOME `id`",
	};

	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct problem why = {0};

		cr_expect(command_check(given(patterns[i]), &why), "%s: %s", patterns[i], why.what);
	}
}

Test(command, patterns_that_cannot) {
	static const struct {
		const char *pattern, *words;
	} cases[] = {
		{"", "no command"},
		{"true", "absolute path"},
		{"bin/true", "absolute path"},
		{"./true", "absolute path"},
		{"/bin/../true", "absolute path"},
		{"/bin//true", "absolute path"},
		{"/bin/", "absolute path"},
		{"{word}", "absolute path"},
		{"/bin/{word}", "absolute path"},
		{"{path:/bin}", "absolute path"},
		{"/bin/x{int}", "absolute path"},
		{"/bin/x{a|b}y", "absolute path"},
		{"\"true\"", "absolute path"},
		{"\"\"", "absolute path"},
		{"* x", "misplaced"},
		{"/bin/x * y", "misplaced"},
		{"/bin/*", "misplaced"},
		{"/bin/x a*", "misplaced"},
		{"/bin/x *a", "misplaced"},
		{"/bin/x **", "misplaced"},
		{"/bin/x }", "misplaced"},
		{"/bin/x a}b", "misplaced"},
		{"/bin/x a\"b\"", "misplaced"},
		{"/bin/x \"a\"b", "quote"},
		{"/bin/x \"a", "quote"},
		{"/bin/x \"", "quote"},
		{"/bin/x {", "closing"},
		{"/bin/x {int", "closing"},
		{"/bin/x {a b|c}", "closing"},
		{"/bin/x {in{t}", "closing"},
		{"/bin/x {int}{int}", "one hole"},
		{"/bin/x {int}*", "one hole"},
		{"/bin/x {int}\"a\"", "one hole"},
		{"/bin/x {int}}", "one hole"},
		{"/bin/x {}", "unknown hole"},
		{"/bin/x {a}", "unknown hole"},
		{"/bin/x {|}", "unknown hole"},
		{"/bin/x {a|}", "unknown hole"},
		{"/bin/x {|a}", "unknown hole"},
		{"/bin/x {a||b}", "unknown hole"},
		{"/bin/x {INT}", "unknown hole"},
		{"/bin/x {int:5}", "unknown hole"},
		{"/bin/x {path}", "unknown hole"},
		{"/bin/x {path:}", "absolute path"},
		{"/bin/x {path:srv}", "absolute path"},
		{"/bin/x {path:/srv/}", "absolute path"},
		{"/bin/x {path:/srv/../etc}", "absolute path"},
		{"/bin/x {path:/srv//a}", "absolute path"},
		{"/bin/x {path:/.}", "absolute path"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct problem why = {0};

		cr_expect(!command_check(given(cases[i].pattern), &why), "%s", cases[i].pattern);
		cr_assert(why.word != NULL && why.what != NULL, "%s", cases[i].pattern);
		cr_expect(strcmp(why.word, "policy-command") == 0, "%s: %s", cases[i].pattern, why.word);
		cr_expect(strstr(why.what, cases[i].words) != NULL, "%s: \"%s\", not \"%s\"", cases[i].pattern,
			  why.what, cases[i].words);
	}
}

Test(command, literal_text_matches_byte_for_byte) {
	static const struct match_case cases[] = {
		{"/bin/x start", "/bin/x start", true},
		{"/bin/x start", "x start", true},
		{"/bin/x start", "x", false},
		{"/bin/x start", "x start now", false},
		{"/bin/x start", "x Start", false},
		{"/bin/x start", "x star", false},
		{"/bin/x start", "x starts", false},
		{"/bin/x start", "start", false},
		{"/bin/x", "x", true},
		{"/bin/x", "x y", false},
		{"/bin/x", "X", false},
		{"/bin/x", "/bin/y", false},
		{"/bin/x", "/usr/bin/x", false},
		{"/bin/x", "./x", false},
		{"/bin/x", "bin/x", false},
		{"/bin/x", "//bin/x", false},
		{"/bin/x", "/bin/./x", false},
		{"/bin/x", "../bin/x", false},
		{"/bin/x", "/bin/x/", false},
		{"/bin/x", "/bin/xx", false},
		{"/bin/x", "/bin/", false},
		{"/bin/x", "n/x", false},
		{"/bin/x a.b", "x axb", false},
		{"/bin/x [ab]", "x a", false},
		{"/bin/x ?", "x a", false},
		{"/bin/x (a)", "x a", false},
	};

	expect_matches(cases, COUNT(cases));
}

Test(command, int_takes_one_to_ten_digits) {
	static const struct match_case cases[] = {
		{"/bin/x {int}", "x 0", true},		 {"/bin/x {int}", "x 007", true},
		{"/bin/x {int}", "x 1234567890", true},	 {"/bin/x {int}", "x 12345678901", false},
		{"/bin/x {int}", "x -1", false},	 {"/bin/x {int}", "x +1", false},
		{"/bin/x {int}", "x 1a", false},	 {"/bin/x {int}", "x 0x1", false},
		{"/bin/x {int}", "x 1.5", false},	 {"/bin/x {int}", "x", false},
		{"/bin/x {int}", "x 1 2", false},	 {"/bin/x --n={int}", "x --n=5", true},
		{"/bin/x --n={int}", "x --n=", false},	 {"/bin/x --n={int}", "x --n 5", false},
		{"/bin/x --n={int}s", "x --n=5s", true}, {"/bin/x --n={int}s", "x --n=s", false},
		{"/bin/x --n={int}s", "x --n=5", false}, {"/bin/x {int}0", "x 0", false},
		{"/bin/x {int}0", "x 10", true},	 {"/bin/x 1{int}1", "x 1", false},
		{"/bin/x 1{int}1", "x 11", false},	 {"/bin/x 1{int}1", "x 101", true},
	};

	expect_matches(cases, COUNT(cases));
}

Test(command, word_never_takes_an_option_or_a_path) {
	static const struct match_case cases[] = {
		{"/bin/x {word}", "x db:migrate", true}, {"/bin/x {word}", "x a=b,c%d+e@f-g.h_i", true},
		{"/bin/x {word}", "x _", true},		 {"/bin/x {word}", "x 9", true},
		{"/bin/x {word}", "x -a", false},	 {"/bin/x {word}", "x --help", false},
		{"/bin/x {word}", "x /etc", false},	 {"/bin/x {word}", "x a/b", false},
		{"/bin/x {word}", "x ..", false},	 {"/bin/x {word}", "x a;b", false},
		{"/bin/x {word}", "x $(id)", false},	 {"/bin/x {word}", "x a\\b", false},
		{"/bin/x {word}", "x a'b", false},	 {"/bin/x {word}", "x a\"b", false},
		{"/bin/x {word}", "x \xc3\xa4", false},	 {"/bin/x {word}.rb", "x a.rb", true},
		{"/bin/x {word}.rb", "x a.rb.rb", true}, {"/bin/x {word}.rb", "x .rb", false},
		{"/bin/x -{word}", "x -a", true},	 {"/bin/x -{word}", "x --a", false},
		{"/bin/x a{word}a", "x aa", false},	 {"/bin/x a{word}a", "x a", false},
		{"/bin/x a{word}a", "x aba", true},
	};
	char *const empty[] = {(char *)"x", (char *)"", NULL}, *const blank[] = {(char *)"x", (char *)"a b", NULL};
	char *const newline[] = {(char *)"x", (char *)"a\nb", NULL};

	expect_matches(cases, COUNT(cases));
	cr_expect(!allows("/bin/x {word}", empty, ""), "an empty argument");
	cr_expect(!allows("/bin/x {word}", blank, ""), "one argument with a blank");
	cr_expect(!allows("/bin/x {word}", newline, ""), "one argument with a newline");
	cr_expect(!allows("/bin/x a b", blank, ""), "one argument is not two");
	cr_expect(!allows("/bin/x \"a b\"", typed("x a b"), ""), "two arguments are not one");
	cr_expect(allows("/bin/x \"a b\"", blank, ""));
}

Test(command, a_choice_takes_one_of_its_words_and_nothing_else) {
	static const struct match_case cases[] = {
		{"/bin/x {start|stop}", "x start", true},
		{"/bin/x {start|stop}", "x stop", true},
		{"/bin/x {start|stop}", "x sto", false},
		{"/bin/x {start|stop}", "x stops", false},
		{"/bin/x {start|stop}", "x start|stop", false},
		{"/bin/x {start|stop}", "x |", false},
		{"/bin/x {start|stop}", "x", false},
		{"/bin/x {a|ab|abc}", "x ab", true},
		{"/bin/x {a|ab|abc}", "x abc", true},
		{"/bin/x -{a|b}-", "x -a-", true},
		{"/bin/x -{a|b}-", "x --", false},
		{"/bin/x {-f|--force}", "x --force", true},
		{"/bin/x {a.c|b}", "x abc", false},
	};
	char *const empty[] = {(char *)"x", (char *)"", NULL};

	expect_matches(cases, COUNT(cases));
	cr_expect(!allows("/bin/x {start|stop}", empty, ""), "an empty argument");
}

Test(command, path_takes_the_directory_and_what_is_below) {
	static const struct match_case cases[] = {
		{"/bin/x {path:/srv/app}", "x /srv/app", true},
		{"/bin/x {path:/srv/app}", "x /srv/app/a/b", true},
		{"/bin/x {path:/srv/app}.rb", "x /srv/app/a.rb", true},
		{"/bin/x {path:/srv/app}.rb", "x /srv/app.rb", false},
		{"/bin/x {path:/srv/app}", "x /srv/app2", false},
		{"/bin/x {path:/srv/app}", "x /srv", false},
		{"/bin/x {path:/srv/app}", "x /srv/app/", false},
		{"/bin/x {path:/srv/app}", "x /srv/app/../../etc", false},
		{"/bin/x {path:/srv/app}", "x /srv/app/..", false},
		{"/bin/x {path:/srv/app}", "x /srv/app/./a", false},
		{"/bin/x {path:/srv/app}", "x /srv/app//a", false},
		{"/bin/x {path:/srv/app}", "x //srv/app", false},
		{"/bin/x {path:/srv/app}", "x srv/app", false},
		{"/bin/x {path:/srv/app}", "x /srv/app/...", true},
		{"/bin/x {path:/srv/app}", "x /srv/app/-f", true},
		{"/bin/x {path:/}", "x /etc/passwd", true},
		{"/bin/x {path:/}", "x /", true},
		{"/bin/x {path:/}", "x etc", false},
		{"/bin/x f={path:/srv}", "x f=/srv/a", true},
		{"/bin/x f={path:/srv}", "x /srv/a", false},
		{"/bin/x {path:/srv}.rb", "x /srv/a.rb", true},
		{"/bin/x {path:/srv/app}.rb", "x /srv/app/a.rb", true},
		{"/bin/x {path:/srv/app}.rb", "x /srv/app.rb", false},
		{"/bin/x {path:/srv}.rb", "x /srv/a/..rb", false},
	};
	char *const blank[] = {(char *)"x", (char *)"/srv/app/my file", NULL}, *const newline[] = {
										       (char *)"x",
										       (char *)"/srv/app/a\nb", NULL};

	expect_matches(cases, COUNT(cases));
	cr_expect(allows("/bin/x {path:/srv/app}", blank, ""), "a name with a blank is one argument all the same");
	cr_expect(!allows("/bin/x {path:/srv/app}", newline, ""));
}

Test(command, what_stands_behind_a_hole_is_compared) {
	static const struct match_case cases[] = {
		{"/bin/x --n={int}s", "x --n=5t", false}, {"/bin/x {word}.rb", "x a.py", false},
		{"/bin/x -{a|b}-", "x -a+", false},	  {"/bin/x {path:/srv}.rb", "x /srv/a.py", false},
		{"/bin/x a{word}bc", "x abc", false},	  {"/bin/x a=/b{path:/b}/b", "x a=/b", false},
	};

	expect_matches(cases, COUNT(cases));
}

Test(command, a_final_star_takes_any_further_arguments) {
	static const struct match_case cases[] = {
		{"/bin/x *", "x", true},       {"/bin/x *", "x -a --b /c ..", true}, {"/bin/x a *", "x a", true},
		{"/bin/x a *", "x a b", true}, {"/bin/x a *", "x b a", false},	     {"/bin/x a *", "x", false},
		{"/bin/x \"*\"", "x *", true}, {"/bin/x \"*\"", "x a", false},	     {"/bin/x \"*\"", "x", false},
		{"/bin/x *", "y", false},
	};

	expect_matches(cases, COUNT(cases));
}

Test(command, quotes_make_one_literal_token) {
	static const struct match_case cases[] = {
		{"/bin/x \"{int}\"", "x {int}", true}, {"/bin/x \"{int}\"", "x 5", false},
		{"/bin/x \"a\"", "x a", true},	       {"/bin/x \"a\"", "x \"a\"", false},
		{"/bin/x \"\\\"", "x \\", true},
	};
	char *const empty[] = {(char *)"x", (char *)"", NULL};
	char *const spaced[] = {(char *)"/opt/my app/run", NULL}, *const base[] = {(char *)"run", NULL};

	expect_matches(cases, COUNT(cases));
	cr_expect(allows("/bin/x \"\"", empty, ""), "an empty argument is an argument");
	cr_expect(!allows("/bin/x \"\"", typed("x"), ""), "and no argument is none");
	cr_expect(!allows("/bin/x", empty, ""));
	cr_expect(allows("\"/opt/my app/run\"", spaced, ""));
	cr_expect(allows("\"/opt/my app/run\"", base, ""));
	cr_expect(allows("\"/opt/my app/run\"\tx", typed("run x"), ""), "a tab ends it as a blank does");
}

Test(command, star_alone_runs_what_was_typed) {
	struct command_match m;
	struct problem why;

	cr_assert(find("command = *\n", typed("anything -at all"), "", &m, &why));
	cr_expect(m.by != NULL && m.path.length == 0);
	cr_assert(find("command = *\ncommand = /bin/x\n", typed("x"), "", &m, &why));
	given_expect_text(m.path, "/bin/x", "a pattern that names the file goes first");
	cr_assert(find("command = *\ncommand = /bin/x\n", typed("x y"), "", &m, &why));
	cr_expect(m.path.length == 0, "what no other pattern describes is typed as it is");
	cr_assert(find("command = *\ncommand = /bin/x *\n", typed("x y"), "", &m, &why));
	given_expect_text(m.path, "/bin/x", "nor does it go before one that ends in *");
}

Test(command, the_file_is_the_patterns_and_never_the_callers) {
	struct command_match m;
	struct problem why;

	cr_assert(find("command = /usr/bin/x\n", typed("x"), "", &m, &why));
	given_expect_text(m.path, "/usr/bin/x", "path");
	given_expect_text(m.by->value, "/usr/bin/x", "pattern");
	cr_expect(m.by->line == 3);
}

Test(command, one_basename_of_two_files_needs_its_path) {
	static const char lines[] = "command = /usr/bin/x a\ncommand = /opt/bin/x b\n";
	struct command_match m;
	struct problem why;

	cr_expect(!find(lines, typed("x a"), "", &m, &why));
	cr_expect(why.status == PROBLEM_DENIED && strcmp(why.word, "command-ambiguous") == 0, "%s", why.word);
	cr_expect(!find(lines, typed("x b"), "", &m, &why), "whichever of them it would be");
	cr_expect(!find("command = *\ncommand = /usr/bin/x a\ncommand = /opt/bin/x b\n", typed("x"), "", &m, &why),
		  "with * too");
	cr_assert(find(lines, typed("/opt/bin/x b"), "", &m, &why));
	given_expect_text(m.path, "/opt/bin/x", "path");
	cr_expect(!find(lines, typed("/opt/bin/x a"), "", &m, &why), "the other one's arguments");
	cr_assert(find("command = /bin/x a\ncommand = /bin/x b\n", typed("x b"), "", &m, &why),
		  "two patterns of one file");
	cr_expect(m.by->line == 4);
}

Test(command, relative_to_the_directory) {
	static const struct {
		const char *typed, *directory;
		bool is_allowed;
	} cases[] = {
		{"bin/rails", "/srv/app", true},
		{"app/bin/rails", "/srv", true},
		{"rails", "/srv/app", true},
		{"rails", "/srv/app/bin", true},
		{"rails", "", true},
		{"bin/rails", "", false},
		{"bin/rails", "/srv/ap", false},
		{"bin/rails", "/srv", false},
		{"bin/rails", "/srv/app2", false},
		{"./bin/rails", "/srv/app", false},
		{"../app/bin/rails", "/srv/app", false},
		{"/bin/rails", "/srv/app", false},
		{"in/rails", "/srv/app/b", false},
		{"/srv/app/bin/rails", "/srv/app", true},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect(allows("/srv/app/bin/rails", typed(cases[i].typed), cases[i].directory) ==
				  cases[i].is_allowed,
			  "%s from \"%s\"", cases[i].typed, cases[i].directory);
}

Test(command, only_below_the_directory_a_path_may_be_left_out) {
	cr_expect(!allows("/usr/bin/php", typed("bin/php"), "/opt"), "as long as /usr");
	cr_expect(!allows("/usr/bin/php", typed("sr/bin/php"), "/"));
	cr_expect(allows("/a/bin/x", typed("bin/x"), "/a"));
}

Test(command, a_pattern_that_nobody_checked_allows_nothing) {
	struct policy *p = given_policy("command = /bin/x\n");
	const struct request r = request_of(typed("x")), behind = request_of(typed("y"));
	struct command_match m;
	struct problem why;

	p->settings[p->count] = (struct setting){given("/bin/y"), KEY_COMMAND, 9};
	cr_expect(command_find(p, &r, given(""), &m, &why) && m.by->line == 3);
	p->settings[p->count - 1].value = given("\"/bin/x");
	cr_expect(!command_find(p, &r, given(""), &m, &why));
	p->settings[p->count - 1].key = KEY_ENV;
	cr_expect(!command_find(p, &behind, given(""), &m, &why), "behind the last setting");
}

Test(command, nothing_runs_without_a_command_line) {
	struct command_match m;
	struct problem why;

	cr_expect(!find("", typed("/bin/true"), "", &m, &why));
	cr_expect(why.status == PROBLEM_DENIED && strcmp(why.word, "command") == 0);
	cr_assert(why.hint != NULL);
	cr_expect(strstr(why.hint, "no command") != NULL, "%s", why.hint);
}

Test(command, a_refusal_names_the_nearest_pattern_and_what_differs) {
	static const char lines[] = "command = /bin/x start --port={int}\ncommand = /bin/x stop\ncommand = /bin/y\n";
	static const struct {
		const char *typed, *about, *nearest;
	} cases[] = {
		{"x start --port=a", "--port=a", "/bin/x start --port={int}"},
		{"x stop now", "now", "/bin/x stop"},
		{"x restart", "restart", "/bin/x start --port={int}"},
		{"z", "z", "/bin/x start --port={int}"},
		{"y z", "z", "/bin/y"},
		{"x start", "(the end: an argument is missing)", "/bin/x start --port={int}"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct command_match m;
		struct problem why;

		cr_assert(!find(lines, typed(cases[i].typed), "", &m, &why), "%s", cases[i].typed);
		cr_expect(strcmp(why.word, "command") == 0, "%s: %s", cases[i].typed, why.word);
		given_expect_text(why.about, cases[i].about, cases[i].typed);
		given_expect_text(why.hint_about, cases[i].nearest, cases[i].typed);
		cr_expect((strstr(why.hint, "nearest") != NULL) == (cases[i].typed[0] != 'z'), "%s: %s", cases[i].typed,
			  why.hint);
	}
}

Test(command, a_problem_shows_what_it_is_about) {
	struct problem why;

	cr_expect(!command_check(given("/bin/x {path:srv}"), &why));
	given_expect_text(why.about, "srv", "the path of a hole");
	cr_expect(!command_check(given("/bin/x a*b"), &why));
	given_expect_text(why.about, "*", "what is misplaced");
}

/* --- serve: a command that gets the sockets of `listen` -------------------------------------------------------- */

static const char sockets[] = "listen = tcp 127.0.0.1:80\n";

static void expect_found(const char *lines, const char *words, enum policy_key key, unsigned line) {
	struct command_match m;
	struct problem why;
	const char *all = given_string(given_joined(given(sockets), given(lines)));

	cr_assert(find(all, typed(words), "", &m, &why), "%s `%s`: %s", lines, words, why.what);
	cr_expect(m.by->key == key && m.by->line == line, "%s `%s`: line %u, key %s", lines, words, m.by->line,
		  policy_key_name(m.by->key));
}

Test(command, serve_lines_allow_commands_too) {
	struct command_match m;
	struct problem why;

	expect_found("serve = /bin/x {int}\ncommand = /bin/y\n", "x 5", KEY_SERVE, 4);
	expect_found("serve = /bin/x {int}\ncommand = /bin/y\n", "y", KEY_COMMAND, 5);
	cr_expect(!find("listen = tcp 127.0.0.1:80\nserve = /bin/x {int}\n", typed("x a"), "", &m, &why));
	cr_expect(why.status == PROBLEM_DENIED && strcmp(why.word, "command") == 0);
	given_expect_text(why.about, "a", "what differs");
	given_expect_text(why.hint_about, "/bin/x {int}", "the nearest");
}

Test(command, of_two_that_fit_alike_serve_is_preferred) {
	expect_found("serve = /bin/x *\ncommand = /bin/x *\n", "x a", KEY_SERVE, 4);
	expect_found("command = /bin/x *\nserve = /bin/x *\n", "x a", KEY_SERVE, 5);
	expect_found("command = /bin/x a\nserve = /bin/x a\n", "x a", KEY_SERVE, 5);
	expect_found("command = *\nserve = *\n", "x a", KEY_SERVE, 5);
	expect_found("serve = *\ncommand = *\n", "x a", KEY_SERVE, 4);
}

/* A serve line that fits less of what was typed gets nothing: `migrate` neither binds nor fails while the server runs. */
Test(command, a_serve_line_that_does_not_fit_takes_nothing) {
	expect_found("serve = /bin/x serve *\ncommand = /bin/x migrate\n", "x migrate", KEY_COMMAND, 5);
	expect_found("command = /bin/x migrate\nserve = /bin/x serve\n", "x migrate", KEY_COMMAND, 4);
	expect_found("serve = /bin/x serve\ncommand = *\n", "x migrate", KEY_COMMAND, 5);
	expect_found("serve = /bin/x *\ncommand = /bin/x migrate\n", "x migrate", KEY_COMMAND, 5);
	expect_found("command = /bin/x {word}\nserve = /bin/x *\n", "x migrate", KEY_COMMAND, 4);
	expect_found("command = /bin/x migrate\nserve = /bin/x *\n", "x serve", KEY_SERVE, 5);
}

Test(command, an_exact_pattern_beats_star_across_keys) {
	struct command_match m;
	struct problem why;

	expect_found("serve = *\ncommand = /bin/x\n", "x", KEY_COMMAND, 5);
	expect_found("command = /bin/x\nserve = *\n", "x", KEY_COMMAND, 4);
	expect_found("command = *\nserve = /bin/x\n", "x", KEY_SERVE, 5);
	expect_found("serve = *\ncommand = /bin/x\n", "x y", KEY_SERVE, 4);
	cr_assert(find("listen = tcp 127.0.0.1:80\nserve = *\n", typed("x y"), "", &m, &why));
	cr_expect(m.path.length == 0, "what was typed");
}

Test(command, one_basename_of_two_files_across_keys) {
	static const char lines[] = "listen = tcp 127.0.0.1:80\nserve = /opt/bin/x\ncommand = /usr/bin/x\n";
	struct command_match m;
	struct problem why;

	cr_expect(!find(lines, typed("x"), "", &m, &why));
	cr_expect(why.status == PROBLEM_DENIED && strcmp(why.word, "command-ambiguous") == 0, "%s", why.word);
	cr_assert(find(lines, typed("/usr/bin/x"), "", &m, &why));
	cr_expect(m.by->key == KEY_COMMAND);
	cr_assert(find(lines, typed("/opt/bin/x"), "", &m, &why));
	cr_expect(m.by->key == KEY_SERVE);
}

/* parse_policy takes no such pattern: whoever forgets it still allows nothing. */
Test(command, a_pattern_that_was_never_checked_allows_nothing) {
	static const char *const patterns[] = {"/bin/x {",	    "/bin/x {}", "/bin/x a*", "/bin/x \"",
					       "/bin/x a{nothing}", "{",	 "\""};
	const struct request r = request_of(typed("x"));

	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct policy p = {.count = 1};
		struct command_match m;
		struct problem why;

		p.settings[0] = (struct setting){given(patterns[i]), KEY_COMMAND, 2};
		cr_expect(!command_find(&p, &r, given(""), &m, &why), "`%s` allows x", patterns[i]);
	}
}
