/* SPDX-License-Identifier: ISC */
/*
 * What the app gets of three places: a byte (bit 0: trusted caller), lines of the policy (env, env_keep, env_file),
 * NUL, the bytes of env_file, NUL, the caller's variables, each with its NUL.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define VARIABLES 1100

static struct policy policy;
static struct environment environment;
static char bytes[ENVIRONMENT_MAX_BYTES];

static bool is_among(char *const *strings, const char *wanted) {
	for (; *strings != NULL; strings++)
		if (strcmp(*strings, wanted) == 0)
			return true;
	return false;
}

static bool names(struct text file, struct text name) {
	for (struct text line; text_field(&file, "\n", &line);)
		if (text_equal(environment_name(line), name))
			return true;
	return false;
}

static void check_origin(struct text secrets, char *const *caller, bool is_trusted) {
	static const char *const never[] = {"RUBYOPT", "NODE_OPTIONS", "BASH_ENV", "IFS"};
	static const char *const never_begins[] = {"LD_", "PYTHON", "PERL5", "GLIBC_", "GEM_"};

	for (size_t i = 0; i < environment.count; i++) {
		const struct text pair = text_of(environment.strings[i]), name = environment_name(pair);
		bool is_ours = names(secrets, name);

		for (const struct setting *s = NULL; (s = policy_next(&policy, KEY_ENV, s)) != NULL;)
			is_ours = is_ours || text_equal(pair, s->value);
		MUST(!environment_is_ours(name));
		if (is_ours)
			continue;
		MUST(is_among(caller, environment.strings[i]) && pair.length <= ENVIRONMENT_MAX_VALUE);
		MUST(is_trusted || text_is_printable(pair));
		for (size_t n = 0; n < sizeof(never) / sizeof(never[0]); n++)
			MUST(!text_is(name, never[n]));
		for (size_t n = 0; n < sizeof(never_begins) / sizeof(never_begins[0]); n++)
			MUST(!text_starts(name, text_of(never_begins[n])));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static char lines[2 * POLICY_MAX_BYTES];
	struct sink s = {.at = lines, .size = sizeof(lines)}, to = {.at = bytes, .size = sizeof(bytes)};
	struct text rest = {(const char *)data + 1, size - 1};
	struct problem why;
	size_t count;

	if (size < 1)
		return 0;
	sink_words(&s, "runas-app = 1\nuser = app\n");
	sink_text(&s, fuzz_part(&rest));
	if (s.used > POLICY_MAX_BYTES || !fuzz_read_policy((struct text){lines, s.used}, &policy))
		return 0;
	const struct text secrets = fuzz_part(&rest);
	char **const caller = fuzz_strings(&rest, VARIABLES, &count);
	const bool is_trusted = (data[0] & 1) != 0;
	environment.count = 0;
	memset(&why, 0x5a, sizeof(why));
	if (environment_fill(&environment, &to, &policy, secrets, caller, is_trusted, &why)) {
		MUST(!to.full && to.used <= sizeof(bytes));
		fuzz_check_environment(&environment, bytes, sizeof(bytes));
		check_origin(secrets, caller, is_trusted);
	} else {
		fuzz_check_problem(&why);
		/* Messages are read by others than those who may read the file. */
		MUST(why.about.length == 0 || !fuzz_is_inside(why.about, secrets));
		MUST(why.hint_about.length == 0 || !fuzz_is_inside(why.hint_about, secrets));
	}
	return 0;
}
