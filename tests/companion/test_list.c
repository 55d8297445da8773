/* SPDX-License-Identifier: ISC */
/* runas-policy list: the examples, and what is wrong with others, in an image of the test's own. */
#include "tests/companion/given_image.h"
#include "tests/companion/golden.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#define ACCOUNTS "tests/fixtures/companion/image/etc/"

static void make(void) {
	given_image_make("");
	given_image_copy(ACCOUNTS "passwd", "/etc/passwd");
	given_image_copy(ACCOUNTS "group", "/etc/group");
	for (const char *const *app = WORDS("app", "blog", "rails-app", "shop"); *app != NULL; app++) {
		char from[64], to[64];

		snprintf(from, sizeof from, "policy/examples/%s.conf", *app);
		snprintf(to, sizeof to, "/etc/runas-app/%s.conf", *app);
		given_image_copy(from, to);
	}
	given_image_file("/etc/runas-app/shop.env", "SECRET_KEY=x\n", 0600);
}

TestSuite(list, .init = make, .fini = given_image_remove, .timeout = 60);

static const struct said *ask_list(const char *const *words) {
	return ask(&verb_list, words, &(struct ask_how){.image = given_image});
}

#define LIST(...) ask_list(WORDS("--root", "IMAGE", ##__VA_ARGS__))

Test(list, all) {
	const struct said *said;

	given_image_needs(true);
	said = LIST();
	cr_expect_eq(said->status, 0, "%s%s", said->out, said->error);
	golden_expect("tests/fixtures/companion/list.txt", said->out);
}

Test(list, only_what_a_user_may_start) {
	const struct said *said = LIST("--as", "deploy");

	expect_said(said->out, "/usr/bin/php artisan schedule:run"); /* through a group */
	expect_said(said->out, "/usr/bin/passenger {status|stop}");  /* by name */
	expect_unsaid(said->out, "gunicorn");
	expect_unsaid(said->out, "10001");
	said = LIST("--as", "stranger");
	cr_expect_eq(said->status, 0);
	expect_said(said->out, "no app may be started by stranger");
	expect_unsaid(said->out, "/usr/bin");
	said = LIST("--as", "0");
	expect_said(said->out, "gunicorn");
	/* The app's own user is nobody special where runas-app has root: design, section 4. */
	said = LIST("--as", "rails");
	expect_said(said->out, "no app may be started by rails");
}

Test(list, says_what_is_wrong_first) {
	static const struct {
		const char *text, *what;
	} cases[] = {
		{"runas-app = 1\nusr = x\n", "line 2: unknown key \"usr\" [policy-key]"},
		{"runas-app = 1\nuser = nobody-here\n",
		 "line 2: no entry in /etc/passwd, or several: \"nobody-here\" [account]"},
		{"runas-app = 1\nuser = rails\nsyscalls = gone\n", "[policy-missing]"},
		{"runas-app = 1\nuser = rails\nenv_file = /etc/runas-app/gone\n", "[env-file]"},
		{"", "[policy-version]"},
	};

	given_image_needs(true);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct said *said;

		given_image_file("/etc/runas-app/broken.conf", cases[i].text, 0644);
		said = LIST();
		cr_expect_eq(said->status, 1, "%s", cases[i].text);
		expect_said(said->out, "broken    broken");
		expect_said(said->out, cases[i].what);
		expect_said(said->out, "rails-app ok");
	}
	given_image_file("/etc/runas-app/broken.conf", "runas-app = 1\nuser = rails\n", 0666);
	expect_said(LIST()->out, "[policy-mode]");
	given_image_file("/etc/runas-app/broken.conf", "runas-app = 1\nuser = rails\n", 0644);
	expect_said(LIST()->out, "(none: nothing runs)");
	cr_expect_eq(LIST()->status, 0);
}

Test(list, a_broken_policy_is_not_hidden_by_as) {
	const struct said *said;

	given_image_file("/etc/runas-app/broken.conf", "runas-app = 1\nuser =\n", 0644);
	said = LIST("--as", "stranger");
	cr_expect_eq(said->status, 1);
	expect_said(said->out, "1 broken or unreadable");
}

/* In 80 columns, too: the names of callers are wrapped, and then those of commands have a column to be wrapped in. */
Test(list, many_callers_leave_room_for_commands) {
	const char *row;

	given_image_file("/etc/runas-app/many.conf",
			 "runas-app = 1\nuser = rails\n"
			 "allow_users = 20001 20002 20003 20004 20005 20006 20007 20008 20009\n"
			 "command = /usr/bin/passenger start\n",
			 0644);
	row = strstr(LIST()->out, "root 20001 20002 /usr/bin/passenger start\n");
	cr_assert_not_null(row, "%s", LIST()->out);
	expect_said(row, "\n                            20003 20004\n");
	expect_said(row, "\n                            20009\n");
}

Test(list, json) {
	const struct said *said;
	json_t *document, *apps, *one;

	given_image_file("/etc/runas-app/aaa.conf", "runas-app = 1\nusr = x\n", 0644);
	said = LIST("--json");
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
	cr_expect_eq(LIST("app")->status, 2);
	cr_expect_eq(LIST("--as", "no-such-user")->status, 2);
	cr_expect_eq(ask_list(WORDS("--root", given_image_path("/etc")))->status, 2);
	expect_said(ask_list(WORDS("--root", given_image_path("/etc")))->error, "/etc/runas-app: No such file");
}
