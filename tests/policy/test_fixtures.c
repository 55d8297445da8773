/* SPDX-License-Identifier: ISC */
/*
 * Whole policies as files: tests/fixtures/policy/{good,bad}/NAME.conf, and policy/examples.
 *
 * bad/NAME.expect says in its first line `LINE WORD` (line 0: about the whole file); each further line stands
 * somewhere in the message or its hint. good/NAME.expect has one line a setting: `LINE KEY VALUE`.
 */
#include "tests/policy/given.h"

#include <dirent.h>
#include <stdio.h>

TestSuite(policy_files, .timeout = 30);

#define FIXTURES "tests/fixtures/policy"
#define EXAMPLES "policy/examples"

/* The file, with one byte more than the format allows if it is that long. */
static struct text read_file(const char *directory, const char *name, const char *suffix) {
	char path[512], *bytes = given_room(2 * POLICY_MAX_BYTES);
	struct text ret = {bytes, 0};
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s%s", directory, name, suffix);
	f = fopen(path, "re");
	cr_assert(f != NULL, "%s: cannot be opened; tests run at the top of the repository", path);
	ret.length = fread(bytes, 1, 2 * POLICY_MAX_BYTES, f);
	cr_assert(fclose(f) == 0);
	return given_bytes(ret.at, ret.length);
}

typedef void visitor(const char *directory, const char *name);

/* Calls visit for every NAME.conf, and says how many there were; fleet.rsyslog.conf is another program's. */
static size_t walk(const char *directory, visitor *visit) {
	DIR *d = opendir(directory);
	struct dirent *entry;
	size_t count = 0;

	cr_assert(d != NULL, "%s: cannot be opened; tests run at the top of the repository", directory);
	while ((entry = readdir(d)) != NULL) {
		char name[256];
		char *end;

		snprintf(name, sizeof(name), "%s", entry->d_name);
		end = strrchr(name, '.');
		if (end == NULL || strcmp(end, ".conf") != 0 || strchr(name, '.') != end)
			continue;
		*end = '\0';
		visit(directory, name);
		count++;
	}
	cr_assert(closedir(d) == 0);
	return count;
}

static bool load(struct text bytes, struct policy *p, struct problem *why) {
	memset(p, 0x5a, sizeof(*p));
	memset(why, 0, sizeof(*why));
	return parse_policy(bytes, p, why) && check_policy(p, why);
}

/* What a person gets to see of a problem, in one string. */
static const char *message(const struct problem *why) {
	const size_t size = 2 * POLICY_MAX_LINE;
	char *words = given_room(size);

	snprintf(words, size, "%s \"%.*s\" hint: %s%.*s", why->what, SHOWN(why->about),
		 why->hint != NULL ? why->hint : "", SHOWN(why->hint_about));
	return words;
}

static void visit_bad(const char *directory, const char *name) {
	struct text rest = read_file(directory, name, ".expect"), line = text_until(&rest, "\n");
	struct policy *p = (struct policy *)(void *)given_room(sizeof(*p));
	struct problem why;
	char start[128];

	if (load(read_file(directory, name, ".conf"), p, &why)) {
		cr_expect_fail("%s: accepted", name);
		return;
	}
	cr_assert(why.word != NULL && why.what != NULL, "%s", name);
	snprintf(start, sizeof(start), "%u %s", why.line, why.word);
	cr_expect(text_is(line, start), "%s: \"%s\" (%s), not \"%.*s\"", name, start, message(&why), SHOWN(line));
	cr_expect(why.status == PROBLEM_SELF, "%s", name);
	for (rest = text_after(rest, 1); rest.length > 0; rest = text_after(rest, 1)) {
		line = text_until(&rest, "\n");
		cr_expect(strstr(message(&why), given_string(line)) != NULL, "%s: \"%s\" does not say \"%.*s\"", name,
			  message(&why), SHOWN(line));
	}
}

static void visit_good(const char *directory, const char *name) {
	struct text want = read_file(directory, name, ".expect");
	struct policy *p = (struct policy *)(void *)given_room(sizeof(*p));
	struct sink dump = {.at = given_room(POLICY_MAX_BYTES), .size = POLICY_MAX_BYTES};
	struct problem why;

	cr_assert(load(read_file(directory, name, ".conf"), p, &why), "%s: line %u: %s", name, why.line, message(&why));
	for (size_t i = 0; i < p->count; i++) {
		const struct setting *s = &p->settings[i];

		sink_number(&dump, "", s->line);
		sink_byte(&dump, ' ');
		sink_words(&dump, policy_key_name(s->key));
		sink_byte(&dump, ' ');
		sink_text(&dump, s->value);
		sink_byte(&dump, '\n');
	}
	cr_expect(text_equal((struct text){dump.at, dump.used}, want), "%s:\n%.*s--- is not ---\n%.*s", name,
		  (int)dump.used, dump.at, SHOWN(want));
}

Test(policy_files, bad_ones_are_refused_for_the_reason_that_stands_beside_them) {
	cr_expect(walk(FIXTURES "/bad", visit_bad) >= 235);
}

Test(policy_files, good_ones_say_what_stands_beside_them) { cr_expect(walk(FIXTURES "/good", visit_good) >= 15); }

static void visit_example(const char *directory, const char *name) {
	struct policy *p = (struct policy *)(void *)given_room(sizeof(*p));
	struct problem why;

	cr_expect(text_is_app(text_of(name)), "%s", name);
	cr_assert(load(read_file(directory, name, ".conf"), p, &why), "%s: line %u: %s", name, why.line, message(&why));
	cr_expect(policy_next(p, KEY_COMMAND, NULL) != NULL, "%s allows no command", name);
}

Test(policy_files, examples_are_policies) { cr_expect(walk(EXAMPLES, visit_example) >= 4); }
