/* SPDX-License-Identifier: ISC */
/* The secrets of env_file: what is taken, and that no byte of them is told. */
#include "tests/policy/filled.h"

#include <stdint.h>
#include <stdio.h>

TestSuite(environment, .timeout = 20);

#define SECRET_PATH "/etc/app.env"

static struct filled *fill_secrets(const char *lines, struct text secrets, char *const *caller, bool is_trusted) {
	struct filled *f = (struct filled *)(void *)given_room(sizeof(*f));
	struct sink bytes = {.at = given_room(ENVIRONMENT_MAX_BYTES), .size = ENVIRONMENT_MAX_BYTES};
	const char *whole = given_string(given_joined(given("env_file = " SECRET_PATH "\n"), given(lines)));

	memset(f, 0, sizeof(*f));
	f->is_done = environment_fill(&f->e, &bytes, given_policy(whole), secrets, caller, is_trusted, &f->why);
	return f;
}

static struct filled *fill_file(const char *secrets) { return fill_secrets("", given(secrets), CALLER(NULL), false); }

static bool is_inside(const char *at, struct text t) {
	return at != NULL && (uintptr_t)at >= (uintptr_t)t.at && (uintptr_t)at <= (uintptr_t)t.at + t.length;
}

/* Whatever is wrong with it: the file and the line are named, and no byte of the line is. */
static void expect_secret_kept(struct text secrets, const struct filled *f, const char *words, unsigned line) {
	const struct problem *why = &f->why;
	const struct text fields[] = {why->about, why->hint_about, why->object};

	cr_assert(!f->is_done, "not refused: %.40s", secrets.at);
	cr_assert(why->word != NULL && why->what != NULL);
	cr_expect(strcmp(why->word, "env-file") == 0, "%s, not env-file (%s)", why->word, why->what);
	cr_expect(strstr(why->what, words) != NULL, "\"%s\", not \"%s\"", why->what, words);
	cr_expect(why->line == line, "line %u, not %u: %s", why->line, line, why->what);
	given_expect_text(why->object, SECRET_PATH, "object");
	given_expect_text(why->about, "", "about");
	given_expect_text(why->hint_about, "", "behind the hint");
	cr_expect((why->hint != NULL) == (strncmp(words, "not NAME", 8) == 0), "%s: %s", words, why->hint);
	cr_expect(!is_inside(why->word, secrets) && !is_inside(why->what, secrets) && !is_inside(why->hint, secrets));
	for (size_t i = 0; i < COUNT(fields); i++)
		cr_expect(!is_inside(fields[i].at, secrets), "field %zu shows the file", i);
}

Test(environment, a_file_of_secrets_is_added) {
	struct filled *f =
		fill_file("# a comment = 'x'\n#\n\n  \t \nA=1\nDATABASE_URL=postgres://u:p#w=x@h/d?a=b&c\nEMPTY=\n"
			  "B= two  blanks \nUTF8=\xc3\xa4\xe2\x82\xac\nQ=it's \"half\nLD_PRELOAD=/x\n_l=last");

	cr_assert(f->is_done, "%s in line %u", f->why.what, f->why.line);
	cr_expect(f->e.count == 8, "%zu", f->e.count);
	expect_value(f, "A", "1");
	expect_value(f, "DATABASE_URL", "postgres://u:p#w=x@h/d?a=b&c");
	expect_value(f, "EMPTY", "");
	expect_value(f, "B", " two  blanks ");
	expect_value(f, "UTF8", "\xc3\xa4\xe2\x82\xac");
	expect_value(f, "Q", "it's \"half");
	expect_value(f, "LD_PRELOAD", "/x");
	expect_value(f, "_l", "last");
}

Test(environment, a_file_of_secrets_may_be_empty) {
	static const char *const files[] = {"", "\n", "\n\n", "#", "# A=1", " ", "\t\n"};

	for (size_t i = 0; i < COUNT(files); i++) {
		struct filled *f = fill_file(files[i]);

		cr_expect(f->is_done && f->e.count == 0, "case %zu: %s", i, f->why.what);
	}
	cr_expect(fill_secrets("", (struct text){0}, CALLER(NULL), false)->is_done);
}

Test(environment, secrets_go_before_what_the_caller_has) {
	struct filled *f = fill_secrets("env = B=policy\nenv_keep = * A LANG\n", given("A=secret\nLANG=de\n"),
					CALLER("A=caller", "A=again", "LANG=C", "B=caller", "C=caller"), true);

	cr_assert(f->is_done, "%s", f->why.what);
	cr_expect(f->e.count == 4, "%zu", f->e.count);
	expect_value(f, "A", "secret");
	expect_value(f, "LANG", "de");
	expect_value(f, "B", "policy");
	expect_value(f, "C", "caller");
}

static const char not_an_assignment[] = "not NAME=value (the line is a secret, so not shown)";

Test(environment, no_byte_of_a_bad_secret_is_told) {
	static const struct {
		const char *line, *words;
	} cases[] = {
		{"hunter2", not_an_assignment},
		{"=hunter2", not_an_assignment},
		{" A=hunter2", not_an_assignment},
		{"\tA=hunter2", not_an_assignment},
		{" # hunter2", not_an_assignment},
		{"A =hunter2", not_an_assignment},
		{"A-B=hunter2", not_an_assignment},
		{"1A=hunter2", not_an_assignment},
		{"export A=hunter2", not_an_assignment},
		{"A='hunter2'", not_an_assignment},
		{"A=\"hunter2\"", not_an_assignment},
		{"A=\"\"", not_an_assignment},
		{"A=hunter2\r", not_an_assignment},
		{"\r", not_an_assignment},
		{"A=hunter2\thunter2", not_an_assignment},
		{"A=hunter2\x1b[2J", not_an_assignment},
		{"A=hunter2\x7f", not_an_assignment},
		{"A=hunter2\x01", not_an_assignment},
		{"\xef\xbb\xbf"
		 "A=hunter2",
		 not_an_assignment},
		{"\xc3\xa4=hunter2", not_an_assignment},
		{"FIRST=hunter2", "this name is set twice"},
		{"FROM_ENV=hunter2", "this name is set twice"},
		{"HOME=hunter2", "runas-app itself sets this name"},
		{"USER=hunter2", "runas-app itself sets this name"},
		{"LOGNAME=hunter2", "runas-app itself sets this name"},
		{"SHELL=hunter2", "runas-app itself sets this name"},
		{"PATH=hunter2", "runas-app itself sets this name"},
		{"PWD=hunter2", "runas-app itself sets this name"},
		{"LISTEN_FDS=hunter2", "runas-app itself sets this name"},
		{"LISTEN_PID=hunter2", "runas-app itself sets this name"},
		{"LISTEN_ANYTHING=hunter2", "runas-app itself sets this name"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (int is_last = 0; is_last < 2; is_last++) {
			struct text secrets = given_joined(given("# comment\nFIRST=1\n\n"), given(cases[i].line));

			secrets = given_joined(secrets, given(is_last ? "" : "\nLATER=hunter2\n"));
			expect_secret_kept(secrets, fill_secrets("env = FROM_ENV=1\n", secrets, CALLER(NULL), true),
					   cases[i].words, 4);
		}
}

/* A NUL would end the app's string early; the rest of the line would still lie in the launcher's memory. */
Test(environment, a_nul_in_a_secret_refuses) {
	static const char in_value[] = "A=hunter2\0more\nB=1\n", in_name[] = "B=1\nA\0A=hunter2", alone[] = "\0";
	const struct text cases[] = {given_bytes(in_value, sizeof(in_value) - 1), given_bytes(alone, 1)};
	const struct text second = given_bytes(in_name, sizeof(in_name) - 1);

	for (size_t i = 0; i < COUNT(cases); i++)
		expect_secret_kept(cases[i], fill_secrets("", cases[i], CALLER(NULL), true), not_an_assignment, 1);
	expect_secret_kept(second, fill_secrets("", second, CALLER(NULL), true), not_an_assignment, 2);
}

Test(environment, a_secret_has_32_kib) {
	const struct text most = given_joined(given("A="), given_times("x", ENVIRONMENT_MAX_VALUE - 2));
	const struct text more = given_joined(given("A="), given_times("x", ENVIRONMENT_MAX_VALUE - 1));
	struct filled *f = fill_secrets("", most, CALLER(NULL), false);

	cr_expect(f->is_done && strlen(value(f, "A")) == ENVIRONMENT_MAX_VALUE - 2, "%s", f->why.what);
	expect_secret_kept(more, fill_secrets("", more, CALLER(NULL), false), "longer than 32 KiB", 1);
}

/* What the sink holds is what the app gets: the byte before and the byte behind every cut. */
Test(environment, a_file_of_secrets_cut_anywhere_is_never_read_past_its_end) {
	static const char whole[] = "# c\nA=1\nB='2\nexport C=3\nD=\"4\"\n\r\nE=5";

	for (size_t length = 0; length < sizeof(whole); length++) {
		const struct text secrets = given_bytes(whole, length);
		struct filled *f = fill_secrets("", secrets, CALLER(NULL), false);

		cr_expect(f->is_done || (strcmp(f->why.word, "env-file") == 0 && f->why.line > 0), "cut at %zu",
			  length);
	}
}

/* Names of secrets are no less its bytes, also where it is the sum that is too much. */
Test(environment, more_secrets_than_there_is_room_for_are_not_named) {
	const struct text each = given_times("x", ENVIRONMENT_MAX_VALUE - 8);
	struct text many = given(""), much = given("");
	char line[32];

	for (int i = 0; i <= ENVIRONMENT_MAX_COUNT; i++) {
		snprintf(line, sizeof(line), "V%d=\n", i);
		many = given_joined(many, given(line));
	}
	for (int i = 0; i < 5; i++) {
		snprintf(line, sizeof(line), "V%d=", i);
		much = given_joined(much, given_joined(given(line), given_joined(each, given("\n"))));
	}
	expect_secret_kept(many, fill_secrets("", many, CALLER(NULL), true), "1024 variables",
			   ENVIRONMENT_MAX_COUNT + 1);
	expect_secret_kept(much, fill_secrets("", much, CALLER(NULL), true), "128 KiB", 5);
}
