/* SPDX-License-Identifier: ISC */
/*
 * given: what the tests of the pure code start from.
 *
 * Purpose:  policies, accounts and byte ranges for a test, in as few words as possible.
 * Runs as:  anyone.
 * Given:    string literals.
 * Promises: every range lies alone at the end of its own heap block and has no NUL behind it, so that
 *           AddressSanitizer sees a read past its length.
 * Never:    hides a refusal: what cannot be built fails the test.
 */
#ifndef TESTS_POLICY_GIVEN_H
#define TESTS_POLICY_GIVEN_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "policy/authorize.h"
#include "policy/policy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Blocks stay reachable until the test's process ends, so that LeakSanitizer has nothing to say. */
struct given_block {
	struct given_block *next;
	char bytes[];
};

static struct given_block *given_blocks;

static inline char *given_room(size_t length) {
	struct given_block *block = malloc(sizeof(*block) + length);

	cr_assert(block != NULL);
	block->next = given_blocks;
	given_blocks = block;
	return block->bytes;
}

static inline struct text given_bytes(const void *bytes, size_t length) {
	char *room = given_room(length);

	if (length > 0)
		memcpy(room, bytes, length);
	return (struct text){room, length};
}

static inline struct text given(const char *words) { return given_bytes(words, strlen(words)); }

/* The same words `times` times, one behind the other. */
static inline struct text given_times(const char *words, size_t times) {
	const size_t length = strlen(words);
	char *room = given_room(length * times);

	for (size_t i = 0; i < times; i++)
		memcpy(room + i * length, words, length);
	return (struct text){room, length * times};
}

static inline struct text given_joined(struct text a, struct text b) {
	char *room = given_room(a.length + b.length);

	if (a.length > 0)
		memcpy(room, a.at, a.length);
	if (b.length > 0)
		memcpy(room + a.length, b.at, b.length);
	return (struct text){room, a.length + b.length};
}

/* NUL-terminated, for a caller's argument or variable. */
static inline char *given_string(struct text t) {
	char *room = given_room(t.length + 1);

	if (t.length > 0)
		memcpy(room, t.at, t.length);
	room[t.length] = '\0';
	return room;
}

/* A range as something that printf can show. */
#define SHOWN(t) ((int)(t).length), ((t).length > 0 ? (t).at : "")

static inline void given_expect_text(struct text is, const char *want, const char *what) {
	cr_expect(text_is(is, want), "%s: \"%.*s\", not \"%s\"", what, SHOWN(is), want);
}

#define GIVEN_START "runas-app = 1\nuser = app\n"

/* The policy that starts with GIVEN_START and goes on with these lines. */
static inline struct policy *given_policy(const char *lines) {
	struct policy *p = (struct policy *)(void *)given_room(sizeof(struct policy));
	struct problem why = {0};

	memset(p, 0x5a, sizeof(*p));
	cr_assert(parse_policy(given_joined(given(GIVEN_START), given(lines)), p, &why), "%s: %.*s (line %u)", why.what,
		  SHOWN(why.about), why.line);
	cr_assert(check_policy(p, &why), "%s: %.*s (line %u)", why.what, SHOWN(why.about), why.line);
	return p;
}

/* A policy whose user line the test chooses too. */
static inline struct policy *given_whole_policy(const char *bytes) {
	struct policy *p = (struct policy *)(void *)given_room(sizeof(struct policy));
	struct problem why = {0};

	memset(p, 0x5a, sizeof(*p));
	cr_assert(parse_policy(given(bytes), p, &why), "%s: %.*s (line %u)", why.what, SHOWN(why.about), why.line);
	cr_assert(check_policy(p, &why), "%s: %.*s (line %u)", why.what, SHOWN(why.about), why.line);
	return p;
}

/* Feeds a file as a reader with a buffer of `size` bytes does: what was not used up comes again. */
static inline void given_feed(struct accounts *a, const struct policy *p, enum accounts_file file, struct text bytes,
			      size_t size) {
	size_t at = 0;

	while (at < bytes.length) {
		size_t length = bytes.length - at < size ? bytes.length - at : size;
		size_t used = accounts_feed(a, p, file, given_bytes(bytes.at + at, length));

		cr_assert(used > 0 && used <= length, "%zu bytes used of %zu", used, length);
		at += used;
	}
}

#define GIVEN_PASSWD                                                                                                   \
	"root:x:0:0:root:/root:/bin/bash\n"                                                                            \
	"deploy:x:4001:4001::/home/deploy:/bin/sh\n"                                                                   \
	"app:x:4002:4002:The App:/srv/app:/usr/sbin/nologin\n"
#define GIVEN_GROUP                                                                                                    \
	"root:x:0:\n"                                                                                                  \
	"app:x:4002:\n"                                                                                                \
	"web:x:4010:www-data\n"                                                                                        \
	"extra:x:4011:a,b,c\n"                                                                                         \
	"deployers:x:4020:deploy\n"

static inline struct accounts *given_accounts(const struct policy *p, const char *passwd, const char *group) {
	struct accounts *a = (struct accounts *)(void *)given_room(sizeof(struct accounts));

	memset(a, 0x5a, sizeof(*a));
	accounts_begin(a, p);
	given_feed(a, p, ACCOUNTS_PASSWD, given(passwd), 65536);
	given_feed(a, p, ACCOUNTS_GROUP, given(group), 65536);
	return a;
}

#endif
