/* SPDX-License-Identifier: ISC */
/* Names looked up behind lines that are passed over by blocks. */
#include "tests/policy/looked_up.h"

#include <stdio.h>

TestSuite(accounts, .timeout = 30);

/*
 * Most of a file is passed over in blocks. Where one begins depends on where the last line
 * that was looked at ended, so that each place is tried; pieces of given_feed end where their memory does.
 */
#define BLOCK 256
#define APP_LINE "app:x:4002:4002::/srv/app:/bin/sh\n"

/* So many bytes, of lines that share what the words begin with, and of one that is as long as is left. */
static struct text filler(const char *words, size_t length) {
	const size_t lines = length / 2 / (strlen(words) + 1);
	struct text bytes = given_joined(given_times(given_string(given_joined(given(words), given("\n"))), lines),
					 given_times("z", length - lines * (strlen(words) + 1)));

	if (length > 0)
		*(char *)(uintptr_t)(bytes.at + length - 1) = '\n';
	return bytes;
}

static int64_t user_behind(const struct policy *p, const char *words, size_t before, const char *line, size_t size) {
	struct text bytes = given_joined(given_joined(filler(words, before), given(line)), filler(words, 2 * BLOCK));
	struct accounts *a = given_accounts(p, "", "");

	given_feed(a, p, ACCOUNTS_PASSWD, bytes, size);
	return id_of(a, p, KEY_USER);
}

Test(accounts, a_line_is_found_wherever_blocks_end) {
	static const char *const words[] = {"other:x:1:1::/:/bin/sh", "a", "app2:x:0:0::/:/bin/sh", ""};
	const struct policy *p = given_policy("group = 4002\nallow_users = apron\n");

	for (size_t i = 0; i < COUNT(words); i++)
		for (size_t before = 0; before < 2 * BLOCK + 40; before++) {
			cr_assert(user_behind(p, words[i], before, APP_LINE, 65536) == 4002, "%s, %zu", words[i],
				  before);
			cr_assert(user_behind(p, words[i], before, "-" APP_LINE, 65536) == -1, "%s, %zu", words[i],
				  before);
		}
}

Test(accounts, a_line_is_found_wherever_pieces_end) {
	const struct policy *p = given_policy("group = 4002\nallow_users = apron\n");

	for (size_t size = BLOCK - 10; size < BLOCK + 60; size++)
		for (size_t before = 0; before < 2 * BLOCK; before += 7) {
			cr_assert(user_behind(p, "apply:x:1:1::/:/", before, APP_LINE, size) == 4002, "%zu, %zu", size,
				  before);
			cr_assert(user_behind(p, "x", before, "-" APP_LINE, size) == -1, "%zu, %zu", size, before);
		}
}

/* The first piece ends in a line of which blocks were passed over: what the next one begins with is still that line. */
Test(accounts, the_rest_of_a_line_that_was_passed_over_is_no_line) {
	const struct policy *p = given_policy("group = 4002\n");

	for (size_t length = BLOCK - 5; length < BLOCK + 5; length++)
		for (size_t size = length; size < length + 30; size++) {
			struct text line = given_joined(given_times("z", length), given(APP_LINE));
			struct accounts *a = given_accounts(p, "", "");

			given_feed(a, p, ACCOUNTS_PASSWD, given_joined(given("x:x:1:1::/:/\n"), line), size);
			cr_assert(id_of(a, p, KEY_USER) == -1, "%zu, %zu", length, size);
			given_feed(a, p, ACCOUNTS_PASSWD, given(APP_LINE), size);
			cr_assert(id_of(a, p, KEY_USER) == 4002, "%zu, %zu", length, size);
		}
}

/* How much is used of a piece that ends in a long line tells whether that was passed over. */
static size_t used_of(const char *policy, enum accounts_file file, const char *words) {
	struct policy *p = given_whole_policy(policy);
	struct accounts *a = given_accounts(p, "", "");

	a->in_long_line = false;
	return accounts_feed(a, p, file, given_joined(given(words), given_times("z", 2 * BLOCK)));
}

#define MANY "runas-app = 1\nuser = a\nallow_users = b c d e f g\n"

Test(accounts, only_what_cannot_matter_is_passed_over) {
	const size_t passed = 1 + 2 * BLOCK;

	cr_expect(used_of("runas-app = 1\nuser = app\n", ACCOUNTS_PASSWD, "x\n") == passed);
	cr_expect(used_of("runas-app = 1\nuser = app\n", ACCOUNTS_PASSWD, "x\na") == 2, "that may be the app's");
	cr_expect(used_of("runas-app = 1\nuser = app\n", ACCOUNTS_GROUP, "x\na") == passed, "of which none is wanted");
	cr_expect(used_of("runas-app = 1\nuser = app\n", ACCOUNTS_PASSWD, "x\nay\naz\n") == 3 + passed,
		  "told by another byte, when the first hit");
	cr_expect(used_of("runas-app = 1\nuser = 5\n", ACCOUNTS_PASSWD, "x\n") == 2, "any line may have that number");
	cr_expect(used_of("runas-app = 1\nuser = 5\ngroup = web\n", ACCOUNTS_GROUP, "x\n") == passed);
	cr_expect(used_of(MANY "group = h\n", ACCOUNTS_PASSWD, "x\n") == passed);
	cr_expect(used_of("runas-app = 1\nuser = a\nallow_users = b c d e f g h\n", ACCOUNTS_PASSWD, "x\n") == passed);
	cr_expect(used_of(MANY "group = h\ngroups = i\n", ACCOUNTS_PASSWD, "x\n") == 2, "too many to ask for");
}

/* What stands behind the name in the policy is a newline, and so would be asked for: two equal bytes at that distance. */
Test(accounts, no_byte_behind_a_name_is_asked_for) {
	const struct text odd = given_joined(given_times("zyxw", 10), given("\n"));
	struct policy *p = given_whole_policy("runas-app = 1\nuser = a\n");
	struct accounts *a = given_accounts(p, "", "");
	struct text bytes = given_joined(given_joined(given("x\n"), odd), given("a:xy:17:18::/hs:/\n"));

	given_feed(a, p, ACCOUNTS_PASSWD, given_joined(bytes, given_times("zyxw", BLOCK)), 65536);
	cr_expect(id_of(a, p, KEY_USER) == 17);
}

/* Each of as many names as are asked for together, and of one more. */
Test(accounts, each_of_many_names_is_found_behind_blocks) {
	for (size_t more = 0; more < 2; more++)
		for (char name = 'a'; name <= 'g'; name++) {
			struct policy *p =
				given_whole_policy(more ? MANY "group = h\ngroups = i\n" : MANY "group = h\n");
			struct accounts *a = given_accounts(p, "", "");
			const char line[] = {name, ':', 'x', ':', '7', ':', '7', ':', ':', '/', ':', '/', '\n', '\0'};
			size_t found = 0;

			given_feed(a, p, ACCOUNTS_PASSWD,
				   given_joined(given_joined(filler("x", BLOCK), given(line)), filler("x", 2 * BLOCK)),
				   65536);
			for (size_t i = 0; i < a->count; i++)
				found += a->wanted[i].state == ACCOUNTS_FOUND && a->wanted[i].by->value.at[0] == name &&
					 a->wanted[i].id == 7;
			cr_expect(found == 1, "%c", name);
		}
}

/* Each of these is asked for by a byte that the other has beside the one that is asked for. */
Test(accounts, names_with_each_others_bytes_are_both_found) {
	static const char *const names[][2] = {{"ab", "ca"}, {"ab", "xa"}, {"ba", "ab"}, {"abc", "bca"}};

	for (size_t i = 0; i < 2 * COUNT(names); i++) {
		const char *const *pair = names[i / 2];
		char words[64], line[32];

		snprintf(words, sizeof(words), "group = 1\nallow_users = %s %s\n", pair[0], pair[1]);
		snprintf(line, sizeof(line), "%s:x:7:7::/:/\n", pair[i % 2]);
		for (size_t before = 0; before < 2; before++) {
			const struct policy *p = given_policy(words);
			struct accounts *a = given_accounts(p, "", "");
			size_t found = 0;

			given_feed(a, p, ACCOUNTS_PASSWD,
				   given_joined(given_joined(given(before == 1 ? "x\ncd\nad\nbd\n" : "x\n"), filler("-", BLOCK)),
						given_joined(given(line), filler("-", 2 * BLOCK))),
				   65536);
			for (size_t k = 0; k < a->count; k++)
				found += a->wanted[k].state == ACCOUNTS_FOUND && a->wanted[k].id == 7;
			cr_expect(found == 1, "%s of %s and %s", line, pair[0], pair[1]);
		}
	}
}
