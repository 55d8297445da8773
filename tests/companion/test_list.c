/* SPDX-License-Identifier: ISC */
/* runas-policy list: the examples, and what is wrong with others, in an image of the test's own. */
#include "tests/companion/said.h"
#include "tests/helpers/skip.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#define ACCOUNTS "tests/fixtures/companion/image/etc/"

static char root[] = "/tmp/list.XXXXXX";

static const char *path_of(const char *name) {
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", root, name);
	return path;
}

static void put(const char *name, const char *bytes, mode_t mode) {
	const int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0, "%s", name);
	cr_assert_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void copy(const char *from, const char *to) {
	static char bytes[64 * 1024];
	FILE *file = fopen(from, "re");
	size_t length;

	cr_assert(file != NULL, "%s: tests run at the top of the repository", from);
	length = fread(bytes, 1, sizeof bytes - 1, file);
	bytes[length] = '\0';
	fclose(file);
	put(to, bytes, 0644);
}

static void make_image(void) {
	cr_assert_not_null(mkdtemp(root));
	umask(022);
	for (const char *const *part = WORDS("", "etc", "etc/runas-app"); *part != NULL; part++) {
		cr_assert(mkdir(path_of(*part), 0755) == 0 || **part == '\0');
		cr_assert_eq(chmod(path_of(*part), 0755), 0);
	}
	copy(ACCOUNTS "passwd", "etc/passwd");
	copy(ACCOUNTS "group", "etc/group");
	for (const char *const *app = WORDS("app", "blog", "rails-app", "shop"); *app != NULL; app++) {
		char from[64], to[64];

		snprintf(from, sizeof from, "policy/examples/%s.conf", *app);
		snprintf(to, sizeof to, "etc/runas-app/%s.conf", *app);
		copy(from, to);
	}
	put("etc/runas-app/shop.env", "SECRET_KEY=x\n", 0600);
}

static void remove_image(void) {
	for (const char *const *part = WORDS("etc/runas-app", "etc", ""); *part != NULL; part++) {
		DIR *list = opendir(path_of(*part));
		struct dirent *entry;

		while (list != NULL && (entry = readdir(list)) != NULL)
			unlinkat(dirfd(list), entry->d_name, 0);
		closedir(list);
		cr_expect_eq(rmdir(path_of(*part)), 0, "%s", *part);
	}
}

TestSuite(list, .init = make_image, .fini = remove_image, .timeout = 60);

static void need_root(void) {
	if (geteuid() == 0)
		return;
	remove_image(); /* a test that is skipped gets no .fini */
	SKIP("root alone can make policies that are trusted");
}

static void expect_golden(const char *path, const char *now) {
	static char then[64 * 1024];
	const char *write = getenv("GOLDEN"); /* =write: as in test_explain.c */
	FILE *file = fopen(path, write != NULL && strcmp(write, "write") == 0 ? "w+e" : "re");

	cr_assert(file != NULL, "%s", path);
	if (write != NULL && strcmp(write, "write") == 0)
		fputs(now, file);
	rewind(file);
	then[fread(then, 1, sizeof then - 1, file)] = '\0';
	fclose(file);
	cr_expect(strcmp(now, then) == 0, "%s is not what is said now:\n%s", path, now);
}

Test(list, all) {
	const struct said *said;

	need_root();
	said = said_run(&verb_list, WORDS("--root", root), NULL);
	cr_expect_eq(said->status, 0, "%s%s", said->out, said->err);
	expect_golden("tests/fixtures/companion/list.txt", said->out);
}

Test(list, only_what_a_user_may_start) {
	const struct said *said = said_run(&verb_list, WORDS("--root", root, "--as", "deploy"), NULL);

	expect_said(said->out, "/usr/bin/php artisan schedule:run"); /* through a group */
	expect_said(said->out, "/usr/bin/passenger {status|stop}");  /* by name */
	expect_unsaid(said->out, "gunicorn");
	expect_unsaid(said->out, "10001");
	said = said_run(&verb_list, WORDS("--root", root, "--as", "stranger"), NULL);
	cr_expect_eq(said->status, 0);
	expect_said(said->out, "no app may be started by stranger");
	expect_unsaid(said->out, "/usr/bin");
	said = said_run(&verb_list, WORDS("--root", root, "--as", "0"), NULL);
	expect_said(said->out, "gunicorn");
	/* The app's own user is nobody special where runas-app has root: design, section 4. */
	said = said_run(&verb_list, WORDS("--root", root, "--as", "rails"), NULL);
	expect_said(said->out, "no app may be started by rails");
}

Test(list, says_what_is_wrong_first) {
	static const struct {
		const char *text, *what;
	} cases[] = {
		{"runas-app = 1\nusr = x\n", "line 2: unknown key \"usr\" [policy-key]"},
		{"runas-app = 1\nuser = nobody-here\n",
		 "line 2: no single entry in /etc/passwd: \"nobody-here\" [account]"},
		{"runas-app = 1\nuser = rails\nsyscalls = gone\n", "[policy-missing]"},
		{"runas-app = 1\nuser = rails\nenv_file = /etc/runas-app/gone\n", "[env-file]"},
		{"", "[policy-version]"},
	};

	need_root();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct said *said;

		put("etc/runas-app/broken.conf", cases[i].text, 0644);
		said = said_run(&verb_list, WORDS("--root", root), NULL);
		cr_expect_eq(said->status, 1, "%s", cases[i].text);
		expect_said(said->out, "broken    broken");
		expect_said(said->out, cases[i].what);
		expect_said(said->out, "rails-app ok");
	}
	put("etc/runas-app/broken.conf", "runas-app = 1\nuser = rails\n", 0666);
	expect_said(said_run(&verb_list, WORDS("--root", root), NULL)->out, "[policy-mode]");
	put("etc/runas-app/broken.conf", "runas-app = 1\nuser = rails\n", 0644);
	expect_said(said_run(&verb_list, WORDS("--root", root), NULL)->out, "(none: nothing runs)");
	cr_expect_eq(said_run(&verb_list, WORDS("--root", root), NULL)->status, 0);
}

Test(list, a_broken_policy_is_not_hidden_by_as) {
	const struct said *said;

	put("etc/runas-app/broken.conf", "runas-app = 1\nuser =\n", 0644);
	said = said_run(&verb_list, WORDS("--root", root, "--as", "stranger"), NULL);
	cr_expect_eq(said->status, 1);
	expect_said(said->out, "1 broken or unreadable");
}

Test(list, json) {
	const struct said *said;
	json_t *document, *apps, *one;

	put("etc/runas-app/aaa.conf", "runas-app = 1\nusr = x\n", 0644);
	said = said_run(&verb_list, WORDS("--root", root, "--json"), NULL);
	cr_expect_eq(said->status, 1);
	document = json_loads(said->out, 0, NULL);
	cr_assert(document != NULL, "%s", said->out);
	apps = json_object_get(document, "apps");
	cr_expect_eq(json_array_size(apps), 5);
	one = json_array_get(apps, 0);
	cr_expect_str_eq(json_string_value(json_object_get(one, "app")), "aaa");
	cr_expect(json_is_false(json_object_get(one, "is_ok")));
	one = json_array_get(apps, 3);
	cr_expect_str_eq(json_string_value(json_object_get(one, "app")), "rails-app");
	cr_expect_eq(json_is_true(json_object_get(one, "is_ok")), geteuid() == 0);
	cr_expect_str_eq(json_string_value(json_object_get(one, "runs_as")), "rails:rails");
	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(one, "allow_users"), 0)), "deploy");
	one = json_array_get(json_object_get(one, "commands"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(one, "pattern")), "/usr/bin/passenger start");
	cr_expect_eq(json_integer_value(json_object_get(one, "line")), 50);
	json_decref(document);
}

Test(list, usage) {
	cr_expect_eq(said_run(&verb_list, WORDS("--root", root, "app"), NULL)->status, 2);
	cr_expect_eq(said_run(&verb_list, WORDS("--root", root, "--as", "no-such-user"), NULL)->status, 2);
	cr_expect_eq(said_run(&verb_list, WORDS("--root", path_of("etc")), NULL)->status, 2);
	expect_said(said_run(&verb_list, WORDS("--root", path_of("etc")), NULL)->err, "/etc/runas-app: No such file");
}
