/* SPDX-License-Identifier: ISC */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_broken(const char *rule, const char *file, int line) {
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, rule);
	abort();
}

struct text fuzz_part(struct text *rest) {
	const char *const end = rest->length > 0 ? memchr(rest->at, 0, rest->length) : NULL;
	const struct text part = {rest->at, end != NULL ? (size_t)(end - rest->at) : rest->length};

	*rest = text_after(*rest, part.length + 1);
	return part;
}

char **fuzz_strings(struct text *rest, size_t most, size_t *ret_count) {
	static char **strings;
	static char *bytes;
	char *to;

	free(strings);
	free(bytes);
	strings = malloc((most + 1) * sizeof(*strings));
	to = bytes = malloc(rest->length + 1);
	MUST(strings != NULL && bytes != NULL);
	for (*ret_count = 0; *ret_count < most && rest->length > 0; ++*ret_count) {
		const struct text part = fuzz_part(rest);

		strings[*ret_count] = to;
		if (part.length > 0)
			memcpy(to, part.at, part.length);
		to[part.length] = '\0';
		to += part.length + 1;
	}
	strings[*ret_count] = NULL;
	return strings;
}

bool fuzz_is_inside(struct text part, struct text bytes) {
	return part.length == 0 || (part.at >= bytes.at && part.length <= bytes.length &&
				    (size_t)(part.at - bytes.at) <= bytes.length - part.length);
}

/* No byte that a terminal or a log reader would take for anything but a character. */
static bool is_plain(struct text t) {
	for (size_t i = 0; i < t.length; i++)
		if (t.at[i] < 0x20 || t.at[i] > 0x7e)
			return false;
	return true;
}

static bool is_words(const char *words) { return is_plain(text_of(words)) && strlen(words) < 200; }

void fuzz_check_problem(const struct problem *why) {
	char message[8192];
	struct sink s = {.at = message, .size = sizeof(message)};

	MUST(why->status == PROBLEM_SELF || why->status == PROBLEM_DENIED || why->status == PROBLEM_NOT_FOUND);
	MUST(why->word != NULL && why->word[0] != '\0' &&
	     strspn(why->word, "abcdefghijklmnopqrstuvwxyz-") == strlen(why->word));
	MUST(why->what != NULL && why->what[0] != '\0' && is_words(why->what));
	MUST(why->hint == NULL || is_words(why->hint));
	MUST(why->hint_about.length == 0 || why->hint != NULL);
	/* Reads all that the report would read, so that a range that points nowhere is seen. */
	sink_escaped(&s, why->object);
	sink_escaped(&s, why->hint_about);
	sink_escaped(&s, why->about);
	MUST(s.used <= sizeof(message) && is_plain((struct text){message, s.used}));
}

static size_t count_of(const struct policy *p, enum policy_key key) {
	size_t n = 0;
	for (const struct setting *s = NULL; (s = policy_next(p, key, s)) != NULL;)
		n++;
	return n;
}

void fuzz_check_policy(const struct policy *p) {
	static const enum policy_key lists[] = {KEY_ALLOW_USERS, KEY_ALLOW_GROUPS, KEY_GROUPS, KEY_ENV_KEEP,
						KEY_KEEP_FDS};
	static const enum policy_key lines[] = {KEY_COMMAND, KEY_SERVE, KEY_ENV, KEY_DIRECTORY_BELOW};
	unsigned line = 0;
	size_t single = 0, all = 0;

	MUST(p->count >= 2 && p->count <= POLICY_MAX_SETTINGS);
	MUST(p->settings[0].key == KEY_VERSION && text_is(p->settings[0].value, "1"));
	MUST(policy_value(p, KEY_USER).length > 0);
	for (const struct setting *s = p->settings; s < p->settings + p->count; s++) {
		const bool is_target = s->key == KEY_USER || s->key == KEY_GROUP || s->key == KEY_GROUPS;

		MUST(s->key < KEY_COUNT && s->line >= line && s->line > 0);
		line = s->line;
		MUST(s->value.length > 0 && s->value.length < POLICY_MAX_LINE);
		for (size_t i = 0; i < s->value.length; i++)
			MUST(s->value.at[i] == '\t' || text_is_printable((struct text){s->value.at + i, 1}));
		MUST(!is_target || (!text_is(s->value, "0") && !text_is(s->value, "root") && s->value.at[0] != '-' &&
				    s->value.at[0] != '+' && !text_is(s->value, "4294967295")));
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		MUST(count_of(p, lists[i]) <= POLICY_MAX_WORDS);
		all += count_of(p, lists[i]);
	}
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		MUST(count_of(p, lines[i]) <= POLICY_MAX_LINES);
		all += count_of(p, lines[i]);
	}
	MUST(count_of(p, KEY_WRITE) + count_of(p, KEY_TMP) <= POLICY_MAX_WRITES);
	MUST(count_of(p, KEY_LISTEN) <= POLICY_MAX_LISTEN);
	all += count_of(p, KEY_WRITE) + count_of(p, KEY_LISTEN);
	for (enum policy_key key = KEY_VERSION; key < KEY_COUNT; key++)
		single += count_of(p, key) == 1;
	/* What is neither a list nor repeatable stands once. */
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		single -= count_of(p, lists[i]) == 1;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		single -= count_of(p, lines[i]) == 1;
	single -= (count_of(p, KEY_WRITE) == 1) + (count_of(p, KEY_LISTEN) == 1);
	MUST(single + all == p->count);
}

void fuzz_check_environment(const struct environment *e, const char *bytes, size_t size) {
	MUST(e->count <= ENVIRONMENT_MAX_COUNT);
	for (size_t i = 0; i < e->count; i++) {
		const struct text pair = text_of(e->strings[i]), name = environment_name(pair);

		MUST(pair.at >= bytes && pair.at + pair.length < bytes + size);
		MUST(text_is_variable(name) && name.length < pair.length);
		for (size_t j = 0; j < i; j++)
			MUST(!text_equal(environment_name(text_of(e->strings[j])), name));
	}
}

bool fuzz_read_policy(struct text bytes, struct policy *ret) {
	struct problem why;

	memset(ret, 0x5a, sizeof(*ret));
	memset(&why, 0x5a, sizeof(why));
	if (parse_policy(bytes, ret, &why) && check_policy(ret, &why)) {
		fuzz_check_policy(ret);
		return true;
	}
	fuzz_check_problem(&why);
	MUST(fuzz_is_inside(why.about, bytes) || policy_next(ret, KEY_VERSION, NULL) != NULL || why.about.length < 32);
	MUST(why.line <= bytes.length + 1);
	return false;
}
