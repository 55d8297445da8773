/* SPDX-License-Identifier: ISC */
/* Names of the policy, looked up in the bytes of /etc/passwd and /etc/group. */
#include "tests/policy/looked_up.h"

#include <stdio.h>

TestSuite(accounts, .timeout = 30);

static int64_t user_in(const char *passwd) {
	struct policy *p = given_policy("group = 4002\n");

	return id_of(given_accounts(p, passwd, ""), p, KEY_USER);
}

static int64_t group_in(const char *group) {
	struct policy *p = given_policy("group = web\n");

	return id_of(given_accounts(p, "", group), p, KEY_GROUP);
}

Test(accounts, finds_a_user_whole) {
	struct policy *p = given_policy("");
	struct accounts *a = given_accounts(p, GIVEN_PASSWD, GIVEN_GROUP);

	cr_expect(id_of(a, p, KEY_USER) == 4002);
	cr_assert(a->user.state == ACCOUNTS_FOUND);
	cr_expect(a->user.uid == 4002 && a->user.gid == 4002);
	given_expect_text(a->user.name, "app", "name");
	given_expect_text(a->user.home, "/srv/app", "home");
	given_expect_text(a->user.shell, "/usr/sbin/nologin", "shell");
}

/* A group's line says nothing of the user that has its name. */
Test(accounts, a_group_is_no_user) {
	struct policy *p = given_policy("group = app\n");
	struct accounts *a = given_accounts(p, GIVEN_PASSWD, GIVEN_GROUP);

	cr_expect(a->user.state == ACCOUNTS_FOUND && a->user.uid == 4002 && a->user.gid == 4002);
	a = given_accounts(p, "deploy:x:4001:4001::/home/deploy:/bin/sh\n", GIVEN_GROUP);
	cr_expect(a->user.state == ACCOUNTS_ABSENT);
}

Test(accounts, finds_a_user_by_number_with_its_name) {
	struct policy *p = given_whole_policy("runas-app = 1\nuser = 4002\n");
	struct accounts *a = given_accounts(p, GIVEN_PASSWD, "");

	cr_expect(id_of(a, p, KEY_USER) == 4002);
	cr_assert(a->user.state == ACCOUNTS_FOUND);
	given_expect_text(a->user.name, "app", "name");
	p = given_whole_policy("runas-app = 1\nuser = 4002\ngroup = web\nallow_groups = deployers\n");
	a = given_accounts(p, GIVEN_PASSWD, GIVEN_GROUP);
	cr_expect(a->user.state == ACCOUNTS_FOUND, "whatever stands behind it");
}

Test(accounts, a_number_needs_no_entry) {
	struct policy *p = given_whole_policy("runas-app = 1\nuser = 10001\ngroup = 10002\n");
	struct accounts *a = given_accounts(p, GIVEN_PASSWD, GIVEN_GROUP);

	cr_expect(id_of(a, p, KEY_USER) == 10001);
	cr_expect(id_of(a, p, KEY_GROUP) == 10002);
	cr_expect(a->user.state == ACCOUNTS_ABSENT);
}

Test(accounts, empty_home_and_shell_are_well_formed) {
	cr_expect(user_in("app:x:4002:4002:::\n") == 4002);
	cr_expect(user_in("app::4002:4002::/:/bin/sh\n") == 4002);
}

/* The entry is somebody's all the same; what is no path is not taken for one. */
Test(accounts, homes_and_shells_that_are_no_paths) {
	static const char *const lines[] = {"app:x:4002:4002::srv/app:sh\n", "app:x:4002:4002::~:-\n"};

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct policy *p = given_policy("");
		struct accounts *a = given_accounts(p, lines[i], "");

		cr_expect(id_of(a, p, KEY_USER) == -1 || (a->user.home.length == 0 && a->user.shell.length == 0), "%s",
			  lines[i]);
	}
	cr_expect(user_in("app:x:4002:4002::/srv/app/:/bin/sh\n") == 4002,
		  "a slash at the end is no reason not to know somebody");
}

Test(accounts, a_home_too_long_to_keep) {
	struct text home = given_joined(given("/"), given_times("h", ACCOUNTS_MAX_FIELD));
	struct text line = given_joined(given("app:x:4002:4002::"),
					given_joined(home, given_joined(given(":"), given_joined(home, given("\n")))));
	struct policy *p = given_policy("");
	struct accounts *a = given_accounts(p, given_string(line), "");

	cr_expect(a->user.state != ACCOUNTS_FOUND ||
		  (a->user.home.length < ACCOUNTS_MAX_FIELD && a->user.shell.length < ACCOUNTS_MAX_FIELD));
}

Test(accounts, malformed_user_lines_never_match) {
	static const char *const lines[] = {
		"app:x:4002:4002::/srv/app\n",		/* 6 fields */
		"app:x:4002:4002::/srv/app:/bin/sh:\n", /* 8 fields */
		"app:x:4002:4002::/srv/app:/bin/sh:x\n",
		"app:x:4002\n",
		"app\n",
		"app:\n",
		"app:x:4002:4002:\n",
		"app:x: 4002:4002::/srv/app:/bin/sh\n",
		"app:x:4002 :4002::/srv/app:/bin/sh\n",
		"app:x:+4002:4002::/srv/app:/bin/sh\n",
		"app:x:-1:4002::/srv/app:/bin/sh\n",
		"app:x:04002:4002::/srv/app:/bin/sh\n",
		"app:x:0x1000:4002::/srv/app:/bin/sh\n",
		"app:x:1e3:4002::/srv/app:/bin/sh\n",
		"app:x::4002::/srv/app:/bin/sh\n",
		"app:x:4294967295:4002::/srv/app:/bin/sh\n",
		"app:x:4294967296:4002::/srv/app:/bin/sh\n",
		"app:x:18446744073709555618:4002::/srv/app:/bin/sh\n",
		"app:x:4002:4294967295::/srv/app:/bin/sh\n",
		"app:x:4002: 0::/srv/app:/bin/sh\n",
		"app:x:4002:::/srv/app:/bin/sh\n",
		"app:x:4002:-1::/srv/app:/bin/sh\n",
		"app:x:4002:4294967296::/srv/app:/bin/sh\n",
		"app:x:4002:4002::/srv/app:/bin/sh\r\n",
		"app:x:4002\r:4002::/srv/app:/bin/sh\n",
		" app:x:4002:4002::/srv/app:/bin/sh\n",
		"app :x:4002:4002::/srv/app:/bin/sh\n",
		"\tapp:x:4002:4002::/srv/app:/bin/sh\n",
		"+app:x:4002:4002::/srv/app:/bin/sh\n",
		"-app:x:4002:4002::/srv/app:/bin/sh\n",
		"App:x:4002:4002::/srv/app:/bin/sh\n",
		"ap:x:4002:4002::/srv/app:/bin/sh\n",
		"app2:x:4002:4002::/srv/app:/bin/sh\n",
		"#app:x:4002:4002::/srv/app:/bin/sh\n",
		"app;x;4002;4002;;/srv/app;/bin/sh\n",
		("app:x:4002:4002::/srv/app:/bin/"
		 "sh:::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::::\n"),
	};

	for (size_t i = 0; i < COUNT(lines); i++)
		cr_expect(user_in(lines[i]) == -1, "%s", lines[i]);
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct text both = given_joined(given(lines[i]), given(GIVEN_PASSWD));

		cr_expect(user_in(given_string(both)) == 4002, "what stands behind is still found: %s", lines[i]);
	}
}

Test(accounts, malformed_group_lines_never_match) {
	static const char *const lines[] = {
		"web:x:4010\n",
		"web:x\n",
		"web\n",
		"web:x:4010::\n",
		"web:x:4010:a:b\n",
		"web:x: 4010:\n",
		"web:x:+4010:\n",
		"web:x:-1:\n",
		"web:x:04010:\n",
		"web:x::\n",
		"web:x:4294967295:\n",
		"web:x:4294967296:\n",
		"web:x:4010\r:\n",
		" web:x:4010:\n",
		"+web:x:4010:\n",
		"-web:x:4010:\n",
		"Web:x:4010:\n",
		"web2:x:4010:\n",
		"we:x:4010:\n",
		"x:web:4010:web\n",
		"x:x:4010:web\n",
	};

	for (size_t i = 0; i < COUNT(lines); i++) {
		cr_expect(group_in(lines[i]) == -1, "%s", lines[i]);
		cr_expect(group_in(given_string(given_joined(given(lines[i]), given(GIVEN_GROUP)))) == 4010,
			  "what stands behind is still found: %s", lines[i]);
	}
}

/* What NIS lines, empty names and the like must never do: stand for a name, and least of all with id 0. */
/* Attack B3. */
Test(accounts, nis_lines_and_blank_names_match_nothing) {
	static const char *const passwd =
		"+\n-\n+::0:0:::\n-::0:0:::\n+@nis::::::\n-@nis::::::\n+app::0:0:::\n::0:0:::\n\n   \n:\n::::::\n"
		"-app:x:0:0::/:/bin/sh\n+nis:x:0:0::/:/bin/sh\n";
	static const char *const group = "+\n-\n+:::\n+@nis:::\n-web::0:\n+web::0:\n::0:\n\n:::\n";

	cr_expect(user_in(passwd) == -1);
	cr_expect(group_in(group) == -1);
	cr_expect(user_in(given_string(given_joined(given(passwd), given(GIVEN_PASSWD)))) == 4002);
	cr_expect(group_in(given_string(given_joined(given(group), given(GIVEN_GROUP)))) == 4010);
}

Test(accounts, a_nul_ends_no_field) {
	static const char passwd[] =
		"app\0:x:0:0::/:/bin/sh\nap\0p:x:0:0::/:/bin/sh\napp:x:0\0:0::/:/bin/sh\napp:x:40\0:0::/:/bin/sh\n";
	struct policy *p = given_policy("group = 4002\n");
	struct accounts *a = given_accounts(p, "", "");

	given_feed(a, p, ACCOUNTS_PASSWD, given_bytes(passwd, sizeof(passwd) - 1), 65536);
	cr_expect(id_of(a, p, KEY_USER) == -1);
	given_feed(a, p, ACCOUNTS_PASSWD, given(GIVEN_PASSWD), 65536);
	cr_expect(id_of(a, p, KEY_USER) == 4002);
}

Test(accounts, twice_with_one_id_is_one) {
	cr_expect(user_in("app:x:4002:4002::/srv/app:/bin/sh\nx:x:1:1::/:/bin/sh\napp:x:4002:4002::/other:/bin/sh\n") ==
		  4002);
	cr_expect(group_in("web:x:4010:a\nweb:x:4010:b\n") == 4010);
}

Test(accounts, twice_with_different_ids_is_nobody) {
	cr_expect(user_in("app:x:4002:4002::/srv/app:/bin/sh\napp:x:4003:4002::/srv/app:/bin/sh\n") == -1);
	cr_expect(user_in("app:x:4002:1::/:/bin/sh\napp:x:0:1::/:/bin/sh\napp:x:4002:1::/:/bin/sh\n") == -1,
		  "nor when the first comes again");
	cr_expect(group_in("web:x:4010:\nweb:x:4011:\n") == -1);
	cr_expect(group_in("web:x:4010:\nweb:x:0:\nweb:x:4010:\n") == -1);
	cr_expect(group_in("web:x:4010:\nweb:x:4011:\nweb:x:4011:\n") == -1, "nor when the second comes again");
}

Test(accounts, the_largest_id_is_one_below_minus_one) {
	cr_expect(user_in("app:x:4294967294:4294967294::/srv/app:/bin/sh\n") == 4294967294);
	cr_expect(group_in("web:x:4294967294:\n") == 4294967294);
}

/* Names never begin with a digit: a number in the policy is that number, whatever somebody is called. */
Test(accounts, a_name_like_a_number_is_nobody) {
	struct policy *p = given_whole_policy("runas-app = 1\nuser = 4002\ngroup = 4010\n");
	struct accounts *a = given_accounts(p, "4002:x:5:5::/:/bin/sh\n", "4010:x:6:\n");

	cr_expect(id_of(a, p, KEY_USER) == 4002 && id_of(a, p, KEY_GROUP) == 4010);
	cr_expect(a->user.state == ACCOUNTS_ABSENT);
	given_feed(a, p, ACCOUNTS_PASSWD, given_joined(given_times("n", 33), given(":x:4002:4002::/:/bin/sh\n")),
		   65536);
	cr_expect(a->user.state == ACCOUNTS_ABSENT, "33 bytes are no name");
}

Test(accounts, what_is_longest_and_still_kept) {
	const struct text kept = given_joined(given("/"), given_times("h", ACCOUNTS_MAX_FIELD - 2));
	const struct text lost = given_joined(kept, given("h"));
	struct policy *p = given_policy("");
	struct text line = given_joined(given("app:x:4002:4002::"), kept);
	struct accounts *a;

	line = given_joined(given_joined(line, given(":")), given_joined(lost, given("\n")));
	a = given_accounts(p, given_string(line), "");
	cr_assert(a->user.state == ACCOUNTS_FOUND);
	cr_expect(a->user.home.length == ACCOUNTS_MAX_FIELD - 1 && a->user.shell.length == 0);
}

Test(accounts, only_what_is_counted_is_looked_at) {
	struct policy *p = given_policy("");
	struct accounts *a = given_accounts(p, "", "");
	const size_t wanted = a->count;
	uint32_t id;

	p->settings[p->count] = (struct setting){given("ghost"), KEY_ALLOW_USERS, 1};
	accounts_begin(a, p);
	cr_expect(a->count == wanted);
	a->wanted[wanted] = (struct accounts_wanted){&p->settings[p->count], ACCOUNTS_PASSWD, ACCOUNTS_FOUND, 0};
	cr_expect(!accounts_id(a, &p->settings[p->count], &id));
	a->wanted[wanted].file = ACCOUNTS_GROUP;
	a->wanted[wanted].state = ACCOUNTS_ABSENT;
	cr_expect(!accounts_wants(a, p, ACCOUNTS_GROUP));
	a->wanted[wanted].file = ACCOUNTS_PASSWD;
	a->wanted[wanted].by = NULL; /* whose value cannot be held against a line */
	given_feed(a, p, ACCOUNTS_PASSWD, given("other:x:1:1::/:/bin/sh\n"), 65536);
}

Test(accounts, all_whole_lines_of_a_piece_are_used) {
	struct policy *p = given_policy("");
	struct accounts *a = given_accounts(p, "", "");

	cr_expect(accounts_feed(a, p, ACCOUNTS_PASSWD, given("a\nb\nc")) == 4);
}

Test(accounts, the_target_is_ambiguous_when_any_of_its_ids_is) {
	struct policy *p = given_policy("");
	struct accounts *a = given_accounts(p, "app:x:4002:4002::/a:/bin/sh\napp:x:4002:0::/a:/bin/sh\n", "");
	struct policy *by_number = given_whole_policy("runas-app = 1\nuser = 4002\n");

	cr_expect(a->user.state == ACCOUNTS_AMBIGUOUS, "one uid, two gids");
	a = given_accounts(p, "app:x:4002:4002::/a:/bin/sh\napp:x:0:4002::/a:/bin/sh\n", "");
	cr_expect(a->user.state == ACCOUNTS_AMBIGUOUS, "two uids, one gid");
	a = given_accounts(p, "app:x:1:2::/:/bin/sh\napp:x:1:3::/:/bin/sh\napp:x:1:2::/:/bin/sh\n", "");
	cr_expect(a->user.state == ACCOUNTS_AMBIGUOUS, "nor when the first comes again");
	a = given_accounts(by_number, "app:x:4002:4002::/a:/bin/sh\nalias:x:4002:7::/a:/bin/sh\n", "");
	cr_expect(a->user.state == ACCOUNTS_AMBIGUOUS, "two names of the number, two gids");
	a = given_accounts(by_number, "app:x:4002:4002::/a:/bin/sh\nalias:x:4002:4002::/b:/bin/sh\n", "");
	cr_expect(a->user.state == ACCOUNTS_FOUND, "two names of one uid and gid");
	given_expect_text(a->user.name, "app", "the first one");
}

/* A name never falls back: not to a number, not to 0, not to the caller. */
Test(accounts, what_is_absent_has_no_id) {
	struct policy *p = given_policy("group = web\nallow_users = ghost\nallow_groups = ghosts\n");
	struct accounts *a = given_accounts(p, "", "");
	const enum policy_key keys[] = {KEY_USER, KEY_GROUP, KEY_ALLOW_USERS, KEY_ALLOW_GROUPS};

	for (size_t i = 0; i < COUNT(keys); i++)
		cr_expect(id_of(a, p, keys[i]) == -1, "%s", policy_key_name(keys[i]));
}

/* One name in both files: each is looked up where it belongs. */
Test(accounts, users_and_groups_do_not_mix) {
	struct policy *p = given_policy("group = app\nallow_users = web\nallow_groups = deploy\n");
	struct accounts *a =
		given_accounts(p, "app:x:1:2::/:/bin/sh\ndeploy:x:3:4::/:/bin/sh\n", "app:x:5:\nweb:x:6:\n");

	cr_expect(id_of(a, p, KEY_USER) == 1);
	cr_expect(id_of(a, p, KEY_GROUP) == 5);
	cr_expect(id_of(a, p, KEY_ALLOW_USERS) == -1);
	cr_expect(id_of(a, p, KEY_ALLOW_GROUPS) == -1);
}

Test(accounts, every_wanted_name_of_a_full_policy) {
	struct text lines = given(""), passwd = given(GIVEN_PASSWD), group = given(GIVEN_GROUP);
	struct policy *p;
	struct accounts *a;
	char line[128];

	for (unsigned i = 0; i < POLICY_MAX_WORDS; i++) {
		snprintf(line, sizeof(line), "allow_users = u%u\nallow_groups = g%u\ngroups = s%u\n", i, i, i);
		lines = given_joined(lines, given(line));
		snprintf(line, sizeof(line), "u%u:x:%u:1::/:/bin/sh\n", i, 10000 + i);
		passwd = given_joined(passwd, given(line));
		snprintf(line, sizeof(line), "g%u:x:%u:\ns%u:x:%u:\n", i, 20000 + i, i, 30000 + i);
		group = given_joined(group, given(line));
	}
	p = given_policy(given_string(given_joined(lines, given("group = web\n"))));
	a = given_accounts(p, given_string(passwd), given_string(group));
	cr_expect(a->count <= ACCOUNTS_MAX_WANTED);
	for (int kind = 0; kind < 3; kind++) {
		const enum policy_key keys[] = {KEY_ALLOW_USERS, KEY_ALLOW_GROUPS, KEY_GROUPS};
		uint32_t want = 10000 * (uint32_t)(kind + 1), id;

		for (const struct setting *s = NULL; (s = policy_next(p, keys[kind], s)) != NULL; want++)
			cr_expect(accounts_id(a, s, &id) && id == want, "%u", want);
	}
	cr_expect(id_of(a, p, KEY_GROUP) == 4010);
}

/* Reads both files with a buffer of `size` bytes, and says everything that was found as one string. */
static void look_up(const struct policy *p, struct text passwd, struct text group, size_t size, char *ret,
		    size_t room) {
	struct accounts *a = given_accounts(p, "", "");

	given_feed(a, p, ACCOUNTS_PASSWD, passwd, size);
	a->in_long_line = false;
	given_feed(a, p, ACCOUNTS_GROUP, group, size);
	snprintf(ret, room, "%d %d %d %d user %d", (int)id_of(a, p, KEY_USER), (int)id_of(a, p, KEY_GROUP),
		 (int)id_of(a, p, KEY_ALLOW_USERS), (int)id_of(a, p, KEY_ALLOW_GROUPS), (int)a->user.state);
}

Test(accounts, pieces_of_every_size_that_holds_a_line_give_one_answer) {
	static const char passwd[] = "+::::::\n" GIVEN_PASSWD "bad:x:1\ndeploy:x:4001:4001::/home/deploy:/bin/sh\n";
	static const char group[] =
		"+:::\nx\n" GIVEN_GROUP "last:x:9:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\n";
	struct policy *p = given_policy("group = web\nallow_users = deploy\nallow_groups = deployers\n");
	char want[128], is[128];

	look_up(p, given(passwd), given(group), sizeof(passwd) + sizeof(group), want, sizeof(want));
	cr_assert(strcmp(want, "4002 4010 4001 4020 user 1") == 0, "%s", want);
	for (size_t size = 64; size <= sizeof(passwd) + sizeof(group); size++) {
		look_up(p, given(passwd), given(group), size, is, sizeof(is));
		cr_expect(strcmp(is, want) == 0, "pieces of %zu: %s, not %s", size, is, want);
	}
}

/* Shorter pieces may find less, but never another id: half a number is not a number. */
Test(accounts, pieces_too_small_for_a_line_never_give_another_answer) {
	static const char passwd[] = GIVEN_PASSWD "deploy:x:4001:4001::/home/deploy:/bin/sh\n";
	static const char group[] = GIVEN_GROUP;
	struct policy *p = given_policy("group = web\nallow_users = deploy\nallow_groups = deployers\n");
	const enum policy_key keys[] = {KEY_USER, KEY_GROUP, KEY_ALLOW_USERS, KEY_ALLOW_GROUPS};
	const int64_t ids[] = {4002, 4010, 4001, 4020};

	for (size_t size = 1; size < 64; size++) {
		struct accounts *a = given_accounts(p, "", "");

		given_feed(a, p, ACCOUNTS_PASSWD, given(passwd), size);
		a->in_long_line = false;
		given_feed(a, p, ACCOUNTS_GROUP, given(group), size);
		for (int i = 0; i < 4; i++) {
			int64_t id = id_of(a, p, keys[i]);

			cr_expect(id == ids[i] || id == -1, "pieces of %zu: %d, not %d", size, (int)id, (int)ids[i]);
		}
	}
}

Test(accounts, a_user_line_longer_than_the_piece_is_no_account) {
	struct text line =
		given_joined(given("app:x:4002:4002:"), given_joined(given_times("g", 70000), given(":/:/bin/sh\n")));
	struct policy *p = given_policy("group = 4002\n");
	struct accounts *a = given_accounts(p, "", "");

	/* Its tail looks like an entry of root's. */
	given_feed(a, p, ACCOUNTS_PASSWD, given_joined(line, given("x:x:5:5::/:/bin/sh\n")), 65536);
	cr_expect(id_of(a, p, KEY_USER) == -1);
	given_feed(a, p, ACCOUNTS_PASSWD, given(GIVEN_PASSWD), 65536);
	cr_expect(id_of(a, p, KEY_USER) == 4002, "the lines behind it are read");
	a = given_accounts(p, "", "");
	line = given_joined(given("app:x:4002:4002::/:/bin/"), given_joined(given_times("s", 70000), given("\n")));
	given_feed(a, p, ACCOUNTS_PASSWD, line, 65536);
	cr_expect(id_of(a, p, KEY_USER) == -1, "though its head has all the fields");
}

Test(accounts, the_tail_of_a_long_line_is_no_line) {
	struct policy *p = given_policy("group = web\n");
	struct accounts *a = given_accounts(p, "", "");
	struct text head = given_joined(given("long:x:1:"), given_times("m", 91));

	cr_assert(head.length == 100);
	given_feed(a, p, ACCOUNTS_PASSWD, given_joined(head, given("app:x:0:0::/:/bin/sh\n")), 100);
	cr_expect(id_of(a, p, KEY_USER) == -1, "a user that starts just where a piece starts");
	a->in_long_line = false;
	given_feed(a, p, ACCOUNTS_GROUP, given_joined(head, given("web:x:0:\n")), 100);
	cr_expect(id_of(a, p, KEY_GROUP) == -1, "a group that starts just where a piece starts");
}

Test(accounts, a_group_of_a_hundred_thousand_members) {
	struct policy *p = given_policy("group = web\ngroups = after\n");
	struct text members = given_times("member,", 100000);
	struct text bytes =
		given_joined(given("before:x:1:\nweb:x:4010:"), given_joined(members, given("last\nafter:x:4011:\n")));

	for (size_t size = 64; size <= 1048576; size *= 4) {
		struct accounts *a = given_accounts(p, "", "");

		given_feed(a, p, ACCOUNTS_GROUP, bytes, size);
		cr_expect(id_of(a, p, KEY_GROUP) == 4010, "pieces of %zu", size);
		cr_expect(id_of(a, p, KEY_GROUPS) == 4011, "pieces of %zu", size);
	}
}

Test(accounts, which_files_are_needed) {
	static const struct {
		const char *policy;
		bool passwd, group;
	} cases[] = {
		{"runas-app = 1\nuser = app\n", true, false},
		{"runas-app = 1\nuser = app\ngroup = web\n", true, true},
		{"runas-app = 1\nuser = 5\n", true, false},
		{"runas-app = 1\nuser = 5\ngroup = 5\nhome = /\ndirectory = /\n", false, false},
		{"runas-app = 1\nuser = 5\ngroup = 5\nhome = /\ndirectory = /\nallow_users = deploy\n", true, false},
		{"runas-app = 1\nuser = 5\ngroup = 5\nhome = /\ndirectory = /\nallow_groups = web\n", false, true},
		{"runas-app = 1\nuser = 5\ngroup = 5\nhome = /\ndirectory = /\ngroups = none\n", false, false},
		{"runas-app = 1\nuser = 5\ngroup = 5\nhome = /\ndirectory = /\ngroups = web\n", false, true},
		{"runas-app = 1\nuser = 5\ngroup = 5\nhome = /\n", true, false},
		{"runas-app = 1\nuser = 5\nhome = /\ndirectory = /\n", true, false},
		{"runas-app = 1\nuser = 5\ngroup = 5\ndirectory = /\n", true, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy *p = given_whole_policy(cases[i].policy);
		struct accounts *a = given_accounts(p, "", "");

		cr_expect(accounts_wants(a, p, ACCOUNTS_PASSWD) == cases[i].passwd, "passwd: %s", cases[i].policy);
		cr_expect(accounts_wants(a, p, ACCOUNTS_GROUP) == cases[i].group, "group: %s", cases[i].policy);
	}
}

/* By its number any line may be the user's, but not one whose name is no account's. */
Test(accounts, a_line_with_a_name_of_no_account_is_nobodys_by_number_too) {
	static const char *const names[] = {"+app", "", "a b", "app,", "-app"};
	const struct policy *p = given_whole_policy("runas-app = 1\nuser = 4002\n");
	char line[64];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(line, sizeof(line), "%s:x:4002:4002::/srv/app:/bin/sh\n", names[i]);
		cr_expect(given_accounts(p, line, "")->user.state == ACCOUNTS_ABSENT, "%s", line);
	}
	cr_expect(given_accounts(p, "app:x:4002:4002::/srv/app:/bin/sh\n", "")->user.state == ACCOUNTS_FOUND);
}
