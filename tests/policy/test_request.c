/* SPDX-License-Identifier: ISC */
/* argv is split once, and never rewritten. */
#include "tests/policy/given.h"

#include "policy/command.h"

TestSuite(request, .timeout = 20);

#define MAX_WORDS 12

struct line {
	const char *words[MAX_WORDS];
};

static int count(const struct line *line) {
	int n = 0;

	while (line->words[n] != NULL)
		n++;
	return n;
}

Test(request, an_app_and_its_command) {
	static const struct {
		struct line line;
		int command; /* index of COMMAND */
	} cases[] = {
		{{{"runas-app", "app", "true"}}, 2},
		{{{"runas-app", "app", "--", "true"}}, 3},
		{{{"runas-app", "app", "true", "--"}}, 2},
		{{{"runas-app", "app", "--", "--"}}, 3},
		{{{"runas-app", "app", "--", "--", "x"}}, 3},
		{{{"runas-app", "app", "--", "-u", "root"}}, 3},
		{{{"runas-app", "app", "true", "--policy=/tmp/x", "--help"}}, 2},
		{{{"runas-app", "app", "--", "--help"}}, 3},
		{{{"", "app", "true"}}, 2},
		{{{"%n%s\n<0>root:", "app", "true", "\\", "", "\"a b\""}}, 2},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *const *argv = (char *const *)cases[i].line.words;
		struct request r;
		struct problem why = {0};
		int argc = count(&cases[i].line);

		cr_assert(request_parse(argc, argv, &r, &why), "case %zu: %s", i, why.what);
		cr_expect(r.kind == REQUEST_RUN);
		given_expect_text(r.app, "app", "app");
		cr_expect(r.command == argv + cases[i].command, "case %zu: the command is argv itself", i);
		cr_expect(r.words == (size_t)(argc - cases[i].command), "case %zu: %zu words", i, r.words);
	}
}

Test(request, without_anything_both_are_asked_for) {
	struct request r = {0};
	struct problem why = {0};
	char *const argv[] = {(char *)"runas-app", NULL};

	cr_expect(!request_parse(1, argv, &r, &why));
	cr_expect(strstr(why.what, "an app and a command") != NULL, "%s", why.what);
}

Test(request, help_and_version_stand_alone) {
	static const struct line help = {{"runas-app", "--help"}}, version = {{"runas-app", "--version"}};
	struct request r;
	struct problem why;

	cr_assert(request_parse(2, (char *const *)help.words, &r, &why));
	cr_expect(r.kind == REQUEST_HELP);
	cr_assert(request_parse(2, (char *const *)version.words, &r, &why));
	cr_expect(r.kind == REQUEST_VERSION);
}

Test(request, anything_else_is_a_usage_error) {
	static const struct line cases[] = {
		{{NULL}},
		{{"runas-app"}},
		{{"runas-app", "app"}},
		{{"runas-app", "app", "--"}},
		{{"runas-app", "app", ""}},
		{{"runas-app", "app", "--", ""}},
		{{"runas-app", "app", "-x", "true"}},
		{{"runas-app", "app", "--user=root", "--", "true"}},
		{{"runas-app", "app", "--help"}},
		{{"runas-app", "--help", "app"}},
		{{"runas-app", "--version", "true"}},
		{{"runas-app", "-h"}},
		{{"runas-app", "-u", "root", "true"}},
		{{"runas-app", "--", "app", "true"}},
		{{"runas-app", "", "true"}},
		{{"runas-app", ".", "true"}},
		{{"runas-app", "../app", "true"}},
		{{"runas-app", "a/b", "true"}},
		{{"runas-app", "App", "true"}},
		{{"runas-app", "app.conf", "true"}},
		{{"runas-app", "app\n", "true"}},
		{{"runas-app", "abcdefghijklmnopqrstuvwxyz012345", "true"}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request r = {0};
		struct problem why = {0};

		cr_expect(!request_parse(count(&cases[i]), (char *const *)cases[i].words, &r, &why), "case %zu", i);
		cr_assert(why.word != NULL, "case %zu", i);
		cr_expect(strcmp(why.word, "usage") == 0, "case %zu: %s", i, why.word);
		cr_expect(why.status == PROBLEM_SELF, "case %zu", i);
	}
}

/* What is no app name must not get anywhere where an app's name is expected: a path, a log field. */
Test(request, a_bad_app_name_is_not_kept) {
	static const struct line line = {{"runas-app", "../etc/passwd", "true"}};
	struct request r;
	struct problem why;

	cr_expect(!request_parse(3, (char *const *)line.words, &r, &why));
	cr_expect(r.app.length == 0);
	given_expect_text(why.about, "../etc/passwd", "about");
}
