/* SPDX-License-Identifier: ISC */
/*
 * Who calls with which words, and what the patterns say: a byte for the caller, lines of the policy (command, serve,
 * listen), NUL, directory, NUL, the words of the command line, each with its NUL.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define WORDS 40
#define START "runas-app = 1\nuser = 4002\ngroup = 4002\nallow_users = 1000\nallow_groups = 20\n"

static struct policy policy, reversed;
static struct accounts accounts;

/* Said again, in other words than authorize.c's: an answer that two texts agree on. */
static void check_caller(uint8_t bits) {
	static const uint32_t uids[] = {0, 1000, 1001, 4002}, gids[] = {20, 21, 4002, 0};
	const struct caller c = {
		.uid = {uids[bits & 3]},
		.gid = {gids[bits >> 4 & 3]},
		.groups = gids,
		.group_count = bits >> 6,
		.has_root = (bits & 4) != 0,
		.is_uniform = (bits & 8) != 0,
	};
	bool is_allowed = false;

	if (c.has_root && (c.uid.value == 0 || c.uid.value == 1000 || c.gid.value == 20 || c.group_count > 0))
		is_allowed = true;
	if (!c.has_root && c.uid.value == 4002 && c.is_uniform)
		is_allowed = true;
	MUST(authorize_caller(&policy, &accounts, &c) == (is_allowed ? DECISION_ALLOW : DECISION_DENY));
}

static bool find(const struct policy *p, const struct request *r, struct text directory, struct command_match *ret) {
	struct problem why;

	memset(&why, 0x5a, sizeof(why));
	memset(ret, 0x5a, sizeof(*ret));
	if (command_find(p, r, directory, ret, &why))
		return true;
	fuzz_check_problem(&why);
	MUST(why.status == PROBLEM_DENIED);
	return false;
}

static bool is_option(const char *word) { return word[0] == '-'; }

/* The holes that a pattern writes alone stand for what the documents say, and for one argument each. */
static void check_match(const struct command_match *m, const struct request *r) {
	struct text rest = m->by->value, word;
	size_t i = 0;
	bool is_rest = false;

	MUST(m->by->key == KEY_COMMAND || m->by->key == KEY_SERVE);
	MUST(m->path.length == 0 || text_is_path(m->path));
	for (const char *quote = m->by->value.at; quote < m->by->value.at + m->by->value.length; quote++)
		if (*quote == '"')
			return;
	for (; (word = text_word(&rest)).length > 0 && !is_rest; i += !is_rest) {
		is_rest = text_is(word, "*") && rest.length == 0;
		MUST(is_rest || i < r->words);
		if (i == 0 || is_rest)
			continue;
		if (text_is(word, "{int}"))
			MUST(text_is_digits(text_of(r->command[i]), 10));
		else if (text_is(word, "{word}"))
			MUST(r->command[i][0] != '\0' && !is_option(r->command[i]) && r->command[i][0] != '/');
		else if (text_starts(word, text_of("{path:")) && word.at[word.length - 1] == '}')
			MUST(r->command[i][0] == '/' && strstr(r->command[i], "/../") == NULL &&
			     strstr(r->command[i], "//") == NULL);
		else if (memchr(word.at, '{', word.length) == NULL)
			MUST(text_is(word, r->command[i]));
	}
	MUST(is_rest || i == r->words);
	MUST(m->path.length > 0 || i == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static char lines[POLICY_MAX_BYTES + sizeof(START)];
	struct sink s = {.at = lines, .size = sizeof(lines)};
	struct text rest = {(const char *)data + 1, size - 1};
	struct command_match match, again;
	struct request request;
	struct problem why;
	size_t count;

	if (size < 1 || size > POLICY_MAX_BYTES)
		return 0;
	sink_words(&s, START);
	sink_text(&s, fuzz_part(&rest));
	if (!fuzz_read_policy((struct text){lines, s.used}, &policy))
		return 0;
	if (policy_next(&policy, KEY_ALLOW_USERS, policy_next(&policy, KEY_ALLOW_USERS, NULL)) == NULL &&
	    policy_next(&policy, KEY_ALLOW_GROUPS, policy_next(&policy, KEY_ALLOW_GROUPS, NULL)) == NULL) {
		accounts_begin(&accounts, &policy);
		check_caller(data[0]);
	}
	const struct text given = fuzz_part(&rest), directory = text_is_path(given) ? given : (struct text){0};
	char **const argv = fuzz_strings(&rest, WORDS, &count);
	memset(&why, 0x5a, sizeof(why));
	memset(&request, 0x5a, sizeof(request));
	if (!request_parse((int)count, argv, &request, &why)) {
		fuzz_check_problem(&why);
		return 0;
	}
	if (request.kind != REQUEST_RUN)
		return 0;
	MUST(request.words >= 1 && request.command + request.words == argv + count && text_is_app(request.app));
	MUST(request.command[0][0] != '\0');
	reversed.count = policy.count;
	for (size_t i = 0; i < policy.count; i++)
		reversed.settings[i] = policy.settings[policy.count - 1 - i];
	const bool is_found = find(&policy, &request, directory, &match);
	MUST(is_found == find(&reversed, &request, directory, &again));
	if (is_found) {
		check_match(&match, &request);
		/* The order of lines means nothing: another line may have said it, but no other file runs. */
		MUST(text_equal(match.path, again.path) && match.by->key == again.by->key);
	}
	return 0;
}
