/* SPDX-License-Identifier: ISC */
/* runas-policy import-sudoers: what it carries over is what sudo allowed, and the rest is named. */
#include "companion/sudoers.h"
#include "tests/companion/ask.h"
#include "tests/companion/golden.h"
#include "tests/helpers/skip.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HERE "tests/fixtures/companion/sudoers"

TestSuite(import_sudoers);

static void need_sudo(void) {
	if (access("/usr/bin/cvtsudoers", X_OK) != 0)
		SKIP("cvtsudoers (package sudo) is not installed");
}

/* --- one command --- */

struct expected {
	const char *command, *pattern, *reason; /* one of the two; reason: part of it */
	bool widens;
};

Test(import_sudoers, each_command_becomes_a_pattern_or_a_reason) {
	static const struct expected all[] = {
		{"/bin/a", "/bin/a *", NULL, false},
		{"/bin/a \"\"", "/bin/a", NULL, false},
		{"/bin/a b c", "/bin/a b c", NULL, false},
		{"/bin/a *", "/bin/a *", NULL, false},
		{"/bin/a b *", "/bin/a b *", NULL, true},
		{"/bin/a {b}", "/bin/a \"{b}\"", NULL, false},
		{"/bin/a \\*", "/bin/a \"*\"", NULL, false},
		{"/bin/a b\\[c", "/bin/a b[c", NULL, false},
		{"/bin/a a=b,c:d", "/bin/a a=b,c:d", NULL, false},
		{"/bin/a * b", NULL, "spans words", false},
		{"/bin/a *.log", NULL, "spans words", false},
		{"/bin/a b?", NULL, "wildcard ?", false},
		{"/bin/a [0-9]", NULL, "character class", false},
		{"/bin/a ^b$", NULL, "regular expression", false},
		{"^/bin/a$", NULL, "regular expression", false},
		{"/bin/a b \"\"", NULL, "quotation mark", false},
		{"/bin/a \"b c\"", NULL, "quotation mark", false},
		{"/bin/a b\\", NULL, "backslash", false},
		{"/bin/*", NULL, "wildcard in the command", false},
		{"/bin/", NULL, "directory", false},
		{"/bin/../a", NULL, "no path", false},
		{"ALL", NULL, "ALL", false},
		{"sudoedit /etc/x", NULL, "sudoedit", false},
		{"list", NULL, "no path", false},
		{"", NULL, "no command", false},
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		const struct expected *e = &all[i];
		const char *reason;
		bool widens;
		char *pattern = sudoers_pattern(e->command, &reason, &widens);

		if (e->pattern != NULL)
			cr_expect(pattern != NULL && strcmp(pattern, e->pattern) == 0, "%s: %s %s", e->command, pattern,
				  reason);
		else
			cr_expect(pattern == NULL && strstr(reason, e->reason) != NULL, "%s: %s", e->command, reason);
		cr_expect_eq(widens, e->widens, "%s", e->command);
		free(pattern);
	}
}

/* --- rules that take each other back --- */

/* Runs a rule file through cvtsudoers: "NAME may" for each that was carried over, joined by blanks. */
static void expect_carried(const char *rules, const char *carried) {
	char path[] = "/tmp/sudoers.XXXXXX", found[512] = "";
	int fd = mkstemp(path);
	struct sudoers sudoers;
	json_t *document;

	cr_assert(fd >= 0 && write(fd, rules, strlen(rules)) == (ssize_t)strlen(rules));
	close(fd);
	document = sudoers_load(path, -1);
	unlink(path);
	cr_assert_not_null(document, "%s", rules);
	sudoers = sudoers_rules(document);
	for (size_t i = 0; i < sudoers.count; i++)
		if (sudoers.rules[i].pattern != NULL)
			snprintf(found + strlen(found), sizeof found - strlen(found), "[%s>%s %s]",
				 sudoers.rules[i].callers, sudoers.rules[i].target, sudoers.rules[i].pattern);
	cr_expect_str_eq(found, carried, "%s", rules);
	sudoers_free(&sudoers);
}

Test(import_sudoers, the_last_rule_decides) {
	need_sudo();
	expect_carried("a ALL=(r) NOPASSWD: /bin/x, !/bin/x b\n", "");
	expect_carried("a ALL=(r) NOPASSWD: !/bin/x b, /bin/x\n", "[a>r /bin/x *]");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b, !/bin/x c\n", "[a>r /bin/x b]");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b c, !/bin/x b *\n", "");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b *, !/bin/x b c\n", "");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b\na ALL=(r) NOPASSWD: !/bin/[xy]\n", "");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b\nb ALL=(r) !/bin/x\n", "[a>r /bin/x b]");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b\n%g ALL=(r) !/bin/x\n", "");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b\na ALL=(s) !/bin/x\n", "[a>r /bin/x b]");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b\nALL ALL=(ALL) !ALL\n", "");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b\na ALL=(r) /bin/x b\n", "");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b\n%g ALL=(ALL) ALL\n", "[a>r /bin/x b]");
	expect_carried("a ALL=(r) NOPASSWD: /bin/x b\na ALL=(ALL) ALL\n", "");
}

Test(import_sudoers, a_password_is_asked_unless_the_rules_say_otherwise) {
	need_sudo();
	expect_carried("a ALL=(r) /bin/x b\n", "");
	expect_carried("a ALL=(r) PASSWD: /bin/x b\n", "");
	expect_carried("Defaults !authenticate\na ALL=(r) /bin/x b\n", "[a>r /bin/x b]");
	expect_carried("Defaults:c !authenticate\na ALL=(r) /bin/x b\n", "");
	expect_carried("Defaults !authenticate\nDefaults:a authenticate\na ALL=(r) /bin/x b\n", "");
	expect_carried("Defaults !authenticate\na ALL=(r) PASSWD: /bin/x b\n", "");
}

Test(import_sudoers, who_and_as_whom_must_be_certain) {
	need_sudo();
	expect_carried("a, %g ALL=(r, s) NOPASSWD: /bin/x b\n", "[a %g>r /bin/x b][a %g>s /bin/x b]");
	expect_carried("#7, %#8 ALL=(#9) NOPASSWD: /bin/x b\n", "[#7 %#8>9 /bin/x b]");
	expect_carried("7 ALL=(r) NOPASSWD: /bin/x b\n", "");
	expect_carried("%8 ALL=(r) NOPASSWD: /bin/x b\n", "");
	expect_carried("a ALL=(9) NOPASSWD: /bin/x b\n", "");
	expect_carried("root, a ALL=(r) NOPASSWD: /bin/x b\n", "[root a>r /bin/x b]");
	expect_carried("root ALL=(r) NOPASSWD: /bin/x b\n", "");
	expect_carried("ALL ALL=(r) NOPASSWD: /bin/x b\n", "");
	expect_carried("a ALL=(root, r, #0, ALL, %g, +n, !s) NOPASSWD: /bin/x b\n", "[a>r /bin/x b]");
	expect_carried("a ALL=NOPASSWD: /bin/x b\n", "");
	expect_carried("Defaults runas_default=r\na ALL=NOPASSWD: /bin/x b\n", "[a>r /bin/x b]");
	expect_carried("a ALL=(:g) NOPASSWD: /bin/x b\n", "");
	expect_carried("a h1=(r) NOPASSWD: /bin/x b\n", "");
	expect_carried("a ALL,!h1=(r) NOPASSWD: /bin/x b\n", "");
	expect_carried("a ALL=(r) TIMEOUT=3 NOPASSWD: /bin/x b\n", "");
	expect_carried("a ALL=(r) NOTAFTER=20300101000000Z NOPASSWD: /bin/x b\n", "");
	expect_carried("a ALL=(r) NOPASSWD: NOEXEC: /bin/x b\n", "");
	expect_carried("a ALL=(r) NOPASSWD: EXEC: NOSETENV: NOLOG_INPUT: /bin/x b\n", "[a>r /bin/x b]");
}

/* cvtsudoers 1.9.13 writes these options without the braces round them. */
Test(import_sudoers, broken_json_of_cvtsudoers_is_mended) {
	static const char broken[] =
		"{\"User_Specs\": [{\"Options\": [\n  \"runcwd\": \"/srv\",\n  { \"authenticate\": false }\n"
		"]},{\"SELinux_Spec\": [\n\"role\": \"x\",\n\"type\": \"y\"\n]}]}\n";
	json_error_t error;
	json_t *document = sudoers_parse(broken, strlen(broken), &error);

	cr_assert_not_null(document, "%d: %s", error.line, error.text);
	json_decref(document);
	cr_expect_null(sudoers_parse("{\"a\": [\n1 2\n]}", 13, &error));
	cr_expect_eq(error.line, 2);
	need_sudo();
	expect_carried("a ALL=(r) CWD=/srv NOPASSWD: /bin/x b\n", "");
	expect_carried("a ALL=(r) ROLE=x TYPE=y NOPASSWD: /bin/x b\nc ALL=(r) NOPASSWD: /bin/x b\n", "[c>r /bin/x b]");
}

/* --- the verb --- */

static const struct said *ask_here(const char *const *words) {
	return ask(&verb_import_sudoers, words, &(struct ask_how){.directory = HERE});
}

Test(import_sudoers, what_is_included_is_said) {
	char directory[] = "/tmp/sudoers.XXXXXX", path[128], other[128];
	const struct said *said;

	need_sudo();
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/main", directory);
	snprintf(other, sizeof other, "%s/other", directory);
	FILE *file = fopen(path, "w");
	fprintf(file, "# include nothing\n@include other\n#include other\n");
	fclose(file);
	file = fopen(other, "w");
	fprintf(file, "deploy ALL=(nobody) NOPASSWD: /bin/true \"\"\n");
	fclose(file);
	said = ask(&verb_import_sudoers, WORDS("main"), &(struct ask_how){.directory = directory});
	cr_expect_eq(said->status, 0, "%s", said->error);
	cr_expect_str_eq(said->error,
			 "main: note: what it includes is read with it, as sudo does: @include other [include]\n"
			 "main: note: what it includes is read with it, as sudo does: #include other [include]\n");
	expect_said(said->out, "command = /bin/true\n");
	unlink(other);
	said = ask(&verb_import_sudoers, WORDS("main"), &(struct ask_how){.directory = directory});
	cr_expect_eq(said->status, 2);
	expect_said(said->error, "@include other [include]\n");
	unlink(path);
	rmdir(directory);
}

static const char *const drafts[] = {"rails", "rails-monitoring", "blog", "shop", "uid-2042", "ci-build"};
enum { DRAFTS = sizeof drafts / sizeof drafts[0] };

Test(import_sudoers, forty_lines_of_deploy_rules) {
	char *whole = NULL, path[128];
	const struct said *said;
	size_t length;
	FILE *together;

	need_sudo();
	together = open_memstream(&whole, &length);
	for (size_t i = 0; i < DRAFTS; i++) {
		snprintf(path, sizeof path, HERE "/expected/%s.conf", drafts[i]);
		fprintf(together, "%s%s", i == 0 ? "" : "\n", golden_read(path));
	}
	fclose(together);
	said = ask_here(WORDS("--root", "image", "deploy.sudoers"));
	expect_status(said, 1);
	cr_expect_str_eq(said->out, whole);
	golden_expect(HERE "/expected/findings", said->error);
	free(whole);
}

Test(import_sudoers, into_a_directory_and_over_nothing) {
	char directory[] = "/tmp/drafts.XXXXXX", path[128];
	const struct said *said;
	struct stat status;

	need_sudo();
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/blog.conf", directory);
	cr_assert_eq(symlink("/nowhere", path), 0);
	said = ask_here(WORDS("--root", "image", "--dir", directory, "deploy.sudoers"));
	expect_status(said, 1);
	cr_expect(strstr(said->error, "blog.conf: File exists") != NULL, "%s", said->error);
	cr_expect(strstr(said->out, "blog.conf") == NULL && strstr(said->out, "/shop.conf\n") != NULL, "%s", said->out);
	cr_expect(lstat(path, &status) == 0 && S_ISLNK(status.st_mode));
	for (size_t i = 0; i < DRAFTS; i++) {
		char expected[128], *written;

		snprintf(expected, sizeof expected, HERE "/expected/%s.conf", drafts[i]);
		snprintf(path, sizeof path, "%s/%s.conf", directory, drafts[i]);
		if (strcmp(drafts[i], "blog") != 0) {
			cr_assert_not_null(golden_read(path), "%s", path);
			written = strdup(golden_read(path));
			golden_expect(expected, written);
			free(written);
		}
		cr_expect_eq(unlink(path), 0);
	}
	cr_expect_eq(rmdir(directory), 0);
}

Test(import_sudoers, as_json) {
	const struct said *said;
	json_t *document, *one;

	need_sudo();
	said = ask_here(WORDS("--json", "--root", "image", "deploy.sudoers"));
	expect_status(said, 1);
	cr_expect_str_empty(said->error);
	document = json_loads(said->out, 0, NULL);
	cr_assert_not_null(document, "%s", said->out);
	cr_expect_str_eq(json_string_value(json_object_get(document, "file")), "deploy.sudoers");
	cr_assert_eq(json_array_size(json_object_get(document, "drafts")), DRAFTS);
	one = json_array_get(json_object_get(document, "drafts"), 1);
	cr_expect_str_eq(json_string_value(json_object_get(one, "app")), "rails-monitoring");
	cr_expect_str_eq(json_string_value(json_object_get(one, "user")), "rails");
	for (size_t i = 0; i < DRAFTS; i++) {
		char expected[128];

		snprintf(expected, sizeof expected, HERE "/expected/%s.conf", drafts[i]);
		one = json_array_get(json_object_get(document, "drafts"), i);
		golden_expect(expected, json_string_value(json_object_get(one, "policy")));
	}
	cr_expect(json_array_size(json_object_get(document, "findings")) > 10);
	json_decref(document);
}

Test(import_sudoers, what_cannot_be_read_is_two) {
	char path[] = "/tmp/sudoers.XXXXXX";
	const struct said *said;
	int fd;

	need_sudo();
	said = ask_here(WORDS("/nowhere/sudoers"));
	expect_status(said, 2);
	cr_expect(strstr(said->error, "/nowhere/sudoers: No such file") != NULL, "%s", said->error);
	expect_status(ask_here(WORDS("a", "b")), 2);
	expect_status(ask_here(WORDS("--overwrite")), 2);
	fd = mkstemp(path);
	cr_assert_eq(write(fd, "a b c (\033\n", 9), 9);
	close(fd);
	said = ask_here(WORDS(path));
	expect_status(said, 2);
	cr_expect(strstr(said->error, "syntax error\n") != NULL && strchr(said->error, '\033') == NULL, "%s",
		  said->error);
	unlink(path);
}
