/* SPDX-License-Identifier: ISC */
/*
 * runas-policy check: all that a person gets to see, word for word.
 *
 * The text of policies: tests/fixtures/policy/bad/NAME.conf and tests/fixtures/companion/check/text/NAME.conf, and what is
 * said about them in .../text/NAME.expected. The system around them: .../system/NAME.conf, the system in NAME.image
 * (given_image.h), what is said in NAME.expected; with a first line "# installed" in NAME.image it is an installed one.
 * GOLDEN=write writes the .expected files.
 */
#include "companion/draft.h"
#include "tests/companion/given_image.h"
#include "tests/companion/golden.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK "tests/fixtures/companion/check/"

TestSuite(check, .timeout = 120);

static int is_policy(const struct dirent *entry) {
	const char *end = strrchr(entry->d_name, '.');

	return end != NULL && strcmp(end, ".conf") == 0;
}

typedef void visitor(const char *directory, const char *name);

static size_t walk(const char *directory, visitor *visit) {
	struct dirent **list;
	const int count = scandir(directory, &list, is_policy, alphasort);

	cr_assert(count >= 0, "%s: tests run at the top of the repository", directory);
	for (int i = 0; i < count; i++) {
		*strrchr(list[i]->d_name, '.') = '\0';
		visit(directory, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return (size_t)count;
}

/* The last line is the exit status. */
static void expect_expected(const char *path, const char *said, int status) {
	char *all = NULL;

	cr_assert(asprintf(&all, "%s= %d\n", said, status) > 0);
	golden_expect(path, all);
	free(all);
}

static void visit_text(const char *directory, const char *name) {
	char from[512], to[512], expected[512], file[256];
	const char *said;
	int status;

	snprintf(from, sizeof from, "%s/%s.conf", directory, name);
	snprintf(file, sizeof file, "%s.conf", name);
	snprintf(to, sizeof to, "/drafts/%s", file);
	snprintf(expected, sizeof expected, CHECK "text/%s.expected", name);
	given_image_copy(from, to);
	status = given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", file), &said);
	expect_expected(expected, said, status);
	unlink(given_image_path(to));
}

Test(check, words_for_every_wrong_text) {
	given_image_needs(false);
	given_image_make("user app 4002 4002 /srv\ngroup app 4002\ngroup web 4010\n");
	cr_expect_geq(walk("tests/fixtures/policy/bad", visit_text), 100);
	cr_expect_geq(walk(CHECK "text", visit_text), 4);
	given_image_remove();
}

static void visit_system(const char *directory, const char *name) {
	char path[512], target[256];
	const char *said, *description;
	bool is_installed;
	int status;

	snprintf(path, sizeof path, "%s/%s.image", directory, name);
	description = golden_read(path);
	cr_assert(description != NULL, "%s", path);
	given_image_make(description);
	is_installed = strncmp(description, "# installed", 11) == 0;
	snprintf(path, sizeof path, "%s/%s.conf", directory, name);
	snprintf(target, sizeof target, is_installed ? "/etc/runas-app/%s.conf" : "/drafts/%s.conf", name);
	given_image_copy(path, target);
	snprintf(target, sizeof target, is_installed ? "%s" : "%s.conf", name);
	status = given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", target), &said);
	snprintf(path, sizeof path, "%s/%s.expected", directory, name);
	expect_expected(path, said, status);
	given_image_remove();
}

Test(check, words_for_what_is_wrong_around_it) {
	given_image_needs(true);
	cr_expect_geq(walk(CHECK "system", visit_system), 60);
}

static const char sound[] = "user app 4002 4002 /srv/app\ngroup app 4002\ndir 0750 4002:4002 /srv/app\n";
static const char good[] = "runas-app = 1\nallow_users = app\nuser = app\ngroups = app\ncommand = /usr/bin/true\n";

Test(check, a_draft_may_be_anybodys_but_an_installed_policy_only_roots) {
	const char *said;

	given_image_needs(true);
	given_image_make(sound);
	given_image_file("/drafts/app.conf", good, 0666);
	cr_assert_eq(chown(given_image_path("/drafts/app.conf"), 12345, 12345), 0);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "./app.conf"), &said), 0, "%s", said);
	cr_expect(strstr(said, "./app.conf: warning: does not belong to root [policy-owner]"), "%s", said);
	cr_expect(strstr(said, "./app.conf: ok, 1 warning\n"), "%s", said);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "--strict", "./app.conf"), &said), 1,
		     "%s", said);
	cr_assert_eq(rename(given_image_path("/drafts/app.conf"), given_image_path("/drafts/tmpx7f3")), 0);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "./tmpx7f3"), &said), 0, "%s", said);
	cr_assert_eq(rename(given_image_path("/drafts/tmpx7f3"), given_image_path("/etc/runas-app/app.conf")), 0);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "app"), &said), 1, "%s", said);
	cr_expect(strstr(said, "error: does not belong to root [policy-owner]"), "%s", said);
	cr_assert_eq(chown(given_image_path("/etc/runas-app/app.conf"), 0, 0), 0);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "app"), &said), 1, "%s", said);
	cr_expect(strstr(said, "error: can be written by others than root [policy-mode]"), "%s", said);
	cr_assert_eq(chmod(given_image_path("/etc/runas-app/app.conf"), 0644), 0);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "app"), &said), 0, "%s", said);
	cr_expect_str_eq(said, "app: ok\n");
	/* By its path it is the same app. */
	cr_expect_eq(given_image_ask(&verb_check, 0,
				     WORDS("--root", "IMAGE", given_image_path("/etc/runas-app/app.conf")), &said),
		     0);
	cr_expect_str_eq(said, "app: ok\n");
	given_image_remove();
}

Test(check, without_a_name_all_apps_and_the_worst_decides) {
	const char *said;

	given_image_needs(true);
	given_image_make(sound);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE"), &said), 0);
	cr_expect_str_eq(said, "no policies in IMAGE/etc/runas-app\n");
	given_image_file("/etc/runas-app/one.conf", good, 0644);
	given_image_file("/etc/runas-app/two.conf", "runas-app = 1\nuser = app\nusr = x\n", 0644);
	given_image_file("/etc/runas-app/README", "no policy", 0644);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE"), &said), 1);
	cr_expect(strstr(said, "one: ok\n") && strstr(said, "two: 1 error\n") && strstr(said, "did you mean user?"),
		  "%s", said);
	cr_expect_null(strstr(said, "README"));
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "one"), &said), 0, "%s", said);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "one", "three"), &said), 2, "%s", said);
	cr_expect(strstr(said, "three.conf: No such file or directory") && strstr(said, "one: ok"), "%s", said);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "--nonsense"), &said), 2, "%s", said);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "/nowhere"), &said), 2, "%s", said);
	cr_assert_eq(unlink(given_image_path("/etc/runas-app/one.conf")), 0);
	given_image_remove();
}

Test(check, json_says_the_same) {
	const char *said;
	json_t *document, *policy, *finding;

	given_image_needs(true);
	given_image_make(sound);
	given_image_file("/drafts/two.conf",
			 "runas-app = 1\nuser = app\ncommand = /usr/bin/true\numask = 0002\n  usr = x\n", 0644);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "--json", "two.conf"), &said), 1);
	document = json_loads(said, 0, NULL);
	cr_assert(document != NULL, "%s", said);
	cr_expect_eq(json_integer_value(json_object_get(document, "errors")), 1);
	policy = json_array_get(json_object_get(document, "policies"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(policy, "app")), "two");
	cr_expect(json_is_false(json_object_get(policy, "ok")));
	cr_expect(json_is_false(json_object_get(policy, "installed")));
	finding = json_array_get(json_object_get(policy, "findings"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(finding, "kind")), "error");
	cr_expect_str_eq(json_string_value(json_object_get(finding, "word")), "policy-key");
	cr_expect_eq(json_integer_value(json_object_get(finding, "line")), 5);
	cr_expect_eq(json_integer_value(json_object_get(finding, "column")), 3);
	cr_expect_str_eq(json_string_value(json_object_get(finding, "hint")), "did you mean user?");
	json_decref(document);
	given_image_remove();
}

Test(check, says_what_a_plain_user_cannot_see) {
	const char *said;

	given_image_needs(true);
	given_image_make(sound);
	given_image_line("dir 0700 0:0 /etc/secrets");
	given_image_line("file 0600 0:0 /etc/secrets/env KEY=value\\n");
	given_image_file("/etc/runas-app/app.conf",
			 "runas-app = 1\nallow_users = app\nuser = app\ndirectory = /srv/app/current\n"
			 "command = /usr/bin/true\nenv_file "
			 "= /etc/secrets/env\n",
			 0644);
	given_image_line("dir 0755 4002:4002 /srv/app/current");
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "app"), &said), 0, "%s", said);
	cr_expect_str_eq(said, "app: ok\n");
	cr_expect_eq(given_image_ask(&verb_check, 65534, WORDS("--root", "IMAGE", "app"), &said), 0, "%s", said);
	cr_expect(strstr(said, "note: cannot be read, so its variables were not checked: Permission denied [env-file]"),
		  "%s", said);
	cr_expect(strstr(said, "note: IMAGE/srv/app/current cannot be looked at: Permission denied [directory]"), "%s",
		  said);
	cr_expect(strstr(said, "hint: ask as root") && strstr(said, "app: ok\n"), "%s", said);
	given_image_remove();
}

/* Only of the system that runs is the kernel asked. */
Test(check, asks_this_kernel_about_limits_and_landlock) {
	static const char text[] =
		"runas-app = 1\nuser = 4002\ngroup = 4002\nhome = /\ndirectory = /\ncommand = /bin/sh -x\n"
		"write = /tmp\nlimit_nofile = 4000000000\n";
	const int abi = rehearsal_landlock_abi();
	const char *said;

	given_image_needs(false);
	given_image_make("");
	given_image_file("/drafts/app.conf", text, 0644);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("app.conf"), &said), 1);
	cr_expect(strstr(said, "app.conf:8:16: error: no process may have more than "), "%s", said);
	if (abi < 2)
		cr_expect(strstr(said, "app.conf:7:9: warning: ") && strstr(said, "[landlock]"), "%s", said);
	else
		cr_expect_eq(strstr(said, "[landlock]") != NULL, abi == 2, "%s", said);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "app.conf"), &said), 0);
	cr_expect(!strstr(said, "[limits]") && !strstr(said, "[landlock]"), "%s", said);
	given_image_remove();
}

/* A configuration management's temporary file has some name; its policy may be there already, with the same port. */
Test(check, a_file_by_another_name_is_not_its_own_neighbour) {
	static const char text[] = "runas-app = 1\nallow_users = app\nuser = app\nserve = /usr/bin/true\n"
				   "listen = tcp 127.0.0.1:8080\n";
	const char *said;

	given_image_needs(true);
	given_image_make(sound);
	given_image_file("/etc/runas-app/shop.conf", text, 0644);
	given_image_file("/drafts/.source.conf", text, 0644);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", ".source.conf"), &said), 0);
	expect_said(said, "the file's name is no app's");
	expect_said(said, "shop has tcp 127.0.0.1:8080");
	cr_expect_eq(given_image_ask(&verb_check, 0,
				     WORDS("--root", "IMAGE", "--strict", "--as-app", "shop", ".source.conf"), &said),
		     0, "%s", said);
	cr_expect_str_eq(said, ".source.conf as shop: ok\n");
	cr_expect_eq(
		given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "--as-app", "blog", ".source.conf"), &said),
		0);
	expect_said(said, "shop has tcp 127.0.0.1:8080");
	cr_expect_eq(
		given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "--as-app", "Shop", ".source.conf"), &said),
		2);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "--as-app", "shop"), &said), 2);
	cr_expect_eq(given_image_ask(&verb_check, 0, WORDS("--root", "IMAGE", "--as-app", "shop", "a.conf", "b.conf"),
				     &said),
		     2);
	given_image_remove();
}
