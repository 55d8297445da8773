/* SPDX-License-Identifier: ISC */
/*
 * answer: what the code says about given bytes, one line for each line of standard input; differential.py compares it
 * with what model.py says. Fields are separated by a blank; bytes are written as hexadecimal digits, none as "-".
 *
 *	policy BYTES                      refuse WORD LINE | accept KEY=VALUE[=MEANING]...
 *	match LINES DIRECTORY WORD...     refuse WORD | allow KEY NUMBER PATH (the NUMBERth command line, from 0)
 *	accounts LINES CUT PASSWD GROUP   refuse WORD | accept USER... | KEY=VALUE=STATE[=ID]...
 *	environment LINES TRUSTED SECRETS PAIR...   refuse WORD | accept PAIR...
 */
#include "policy/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 256

static struct field {
	char *bytes; /* a NUL behind them */
	size_t length;
} fields[MAX_FIELDS];
static size_t field_count;

static struct policy policy;
static struct accounts accounts;
static struct environment environment;

static void fail(const char *what) {
	fprintf(stderr, "answer: %s\n", what);
	exit(2);
}

static struct text text_in(size_t i) {
	return i < field_count ? (struct text){fields[i].bytes, fields[i].length} : (struct text){0};
}

static void show(const char *before, struct text t) {
	printf("%s%s", before, t.length == 0 ? "-" : "");
	for (size_t i = 0; i < t.length; i++)
		printf("%02x", (unsigned char)t.at[i]);
}

static unsigned digit(char c) {
	static const char digits[] = "0123456789abcdef";
	const char *const at = c != '\0' ? strchr(digits, c) : NULL;
	if (at == NULL)
		fail("not a hexadecimal digit");
	return (unsigned)(at - digits);
}

/* Each in a block of its own, so that AddressSanitizer sees a read behind it. */
static void add_field(const char *word) {
	struct field *const f = &fields[field_count++];
	const size_t length = strcmp(word, "-") == 0 ? 0 : strlen(word) / 2;

	f->bytes = malloc(length + 1);
	if (f->bytes == NULL)
		fail("out of memory");
	for (size_t i = 0; i < length; i++)
		f->bytes[i] = (char)(digit(word[2 * i]) << 4 | digit(word[2 * i + 1]));
	f->bytes[length] = '\0';
	f->length = length;
}

static bool read_policy(struct text bytes, struct problem *why) {
	memset(&policy, 0x5a, sizeof(policy));
	return parse_policy(bytes, &policy, why) && check_policy(&policy, why);
}

static void show_meaning(const struct setting *s) {
	struct plan_profile profile;
	struct policy_listen listen;
	uint64_t soft, hard, mask;
	int number;

	if (s->key >= KEY_LIMIT && policy_read_limit(s->value, &soft, &hard))
		printf("=%llu:%llu", (unsigned long long)soft, (unsigned long long)hard);
	else if (s->key == KEY_UMASK && text_umask(s->value, &mask))
		printf("=%u", (unsigned)mask);
	else if ((s->key == KEY_NICE || s->key == KEY_OOM_SCORE_ADJ || s->key == KEY_KEEP_FDS) &&
		 policy_read_number(s->value, -1000, 1000, &number))
		printf("=%d", number);
	else if (s->key == KEY_SYSCALLS && policy_read_profile(s->value, &profile)) {
		show("=", profile.name);
		printf(":%d%d%d", profile.is_none, profile.is_site, profile.is_complaining);
	} else if (s->key == KEY_LISTEN && policy_read_listen(s->value, &listen)) {
		show("=", (struct text){(const char *)listen.address, listen.is_ipv6 ? 16 : 4});
		printf(":%u", (unsigned)listen.port);
	}
}

static void answer_policy(void) {
	struct problem why = {0};

	if (!read_policy(text_in(1), &why)) {
		printf("refuse %s %u", why.word, why.line);
		return;
	}
	printf("accept");
	for (const struct setting *s = policy.settings; s < policy.settings + policy.count; s++) {
		printf(" %s", policy_key_name(s->key));
		show("=", s->value);
		show_meaning(s);
	}
}

static void answer_match(void) {
	char *words[MAX_FIELDS] = {NULL};
	struct request request = {.kind = REQUEST_RUN, .command = words};
	struct command_match match;
	struct problem why = {0};
	size_t number = 0;

	for (size_t i = 3; i < field_count; i++)
		words[request.words++] = fields[i].bytes;
	if (!read_policy(text_in(1), &why) || !command_find(&policy, &request, text_in(2), &match, &why)) {
		printf("refuse %s", why.word);
		return;
	}
	for (const struct setting *s = policy.settings; s < match.by; s++)
		number += s->key == KEY_COMMAND || s->key == KEY_SERVE;
	printf("allow %s %zu", policy_key_name(match.by->key), number);
	show(" ", match.path);
}

/* As trusted_stream does it, with a buffer of `size` bytes. */
static void feed(enum accounts_file file, struct text bytes, size_t size) {
	char *const all = malloc(bytes.length + 1);
	struct text rest = {all, bytes.length};

	if (all == NULL)
		fail("out of memory");
	if (bytes.length > 0)
		memcpy(all, bytes.at, bytes.length);
	if (rest.length > 0 && all[rest.length - 1] != '\n')
		all[rest.length++] = '\n';
	while (rest.length > 0) {
		const struct text piece = {rest.at, rest.length < size ? rest.length : size};
		rest = text_after(rest, accounts_feed(&accounts, &policy, file, piece));
	}
	free(all);
}

static void answer_accounts(void) {
	static const char *const states[] = {"absent", "found", "ambiguous"};
	struct problem why = {0};
	uint64_t cut;

	if (!read_policy(text_in(1), &why)) {
		printf("refuse %s", why.word);
		return;
	}
	if (!text_number(text_in(2), 65536, &cut) || cut == 0)
		fail("CUT is a number from 1 to 65536");
	memset(&accounts, 0x5a, sizeof(accounts));
	accounts_begin(&accounts, &policy);
	feed(ACCOUNTS_PASSWD, text_in(3), cut);
	feed(ACCOUNTS_GROUP, text_in(4), cut);
	printf("accept %s", states[accounts.user.state]);
	if (accounts.user.state == ACCOUNTS_FOUND) {
		printf(" %u %u", (unsigned)accounts.user.uid, (unsigned)accounts.user.gid);
		show(" ", accounts.user.name);
		show(" ", accounts.user.home);
		show(" ", accounts.user.shell);
	}
	for (const struct accounts_wanted *w = accounts.wanted; w < accounts.wanted + accounts.count; w++) {
		printf(" %s", policy_key_name(w->by->key));
		show("=", w->by->value);
		printf("=%s", states[w->state]);
		if (w->state == ACCOUNTS_FOUND)
			printf("=%u", (unsigned)w->id);
	}
}

static void answer_environment(void) {
	static char bytes[ENVIRONMENT_MAX_BYTES];
	struct sink to = {.at = bytes, .size = sizeof(bytes)};
	char *caller[MAX_FIELDS] = {NULL};
	struct problem why = {0};

	for (size_t i = 4; i < field_count; i++)
		caller[i - 4] = fields[i].bytes;
	environment.count = 0;
	if (!read_policy(text_in(1), &why) ||
	    !environment_fill(&environment, &to, &policy, text_in(3), caller, text_is(text_in(2), "1"), &why)) {
		printf("refuse %s", why.word);
		return;
	}
	printf("accept");
	for (size_t i = 0; i < environment.count; i++)
		show(" ", text_of(environment.strings[i]));
}

int main(void) {
	static const struct {
		const char *name;
		void (*answer)(void);
	} kinds[] = {{"policy", answer_policy},
		     {"match", answer_match},
		     {"accounts", answer_accounts},
		     {"environment", answer_environment}};
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		size_t kind = 0;

		field_count = 0;
		for (char *rest = line, *word; (word = strsep(&rest, " \n")) != NULL && field_count < MAX_FIELDS;) {
			if (word[0] == '\0')
				continue;
			if (field_count > 0) {
				add_field(word);
				continue;
			}
			while (kind < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[kind].name, word) != 0)
				kind++;
			fields[field_count++] = (struct field){NULL, 0};
		}
		if (kind == sizeof(kinds) / sizeof(kinds[0]))
			fail("unknown kind of question");
		kinds[kind].answer();
		putchar('\n');
		while (field_count > 0)
			free(fields[--field_count].bytes);
	}
	free(line);
	return fflush(stdout) == 0 ? 0 : 2;
}
