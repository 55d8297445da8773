/* SPDX-License-Identifier: ISC */
/* The text of a system call profile; it may include the shipped ones. */
#include "companion/profile_parse.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static struct profile profile;
static struct profile_error error;

/* Shown on a terminal as it is: no control bytes, and each in its room. */
static bool is_line(const char *bytes, size_t size) {
	const size_t length = strnlen(bytes, size);
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != '\t' && !text_is_printable((struct text){bytes + i, 1}))
			return false;
	return length < size;
}

static void check_call(const struct profile_call *call, const struct profile_call *before) {
	MUST(before == NULL || before->number < call->number);
	MUST(call->answer <= PROFILE_ALLOW && call->rule_count <= PROFILE_MAX_RULES);
	MUST(call->rule_count == 0 || call->answer == PROFILE_ALLOW);
	MUST(is_line(call->name, sizeof(call->name)) && call->name[0] != '\0');
	MUST(call->own || call->rival[0] == '\0');
	for (size_t i = 0; i < call->rule_count; i++) {
		const struct profile_rule *const rule = &call->rules[i];
		MUST(rule->condition_count >= 1 && rule->condition_count <= PROFILE_MAX_CONDITIONS);
		for (size_t n = 0; n < rule->condition_count; n++)
			MUST(rule->conditions[n].argument <= 5 && rule->conditions[n].mask != 0 &&
			     (rule->conditions[n].value & ~rule->conditions[n].mask) == 0);
		for (size_t other = 0; other < i; other++)
			MUST(!profile_same_rule(rule, &call->rules[other]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct profile_store store = {.shipped = shipped_texts,
					    .shipped_count = shipped_text_count,
					    .site_directory = -1,
					    .site_prefix = "/etc/runas-app/profiles/"};
	struct profile_reader r = {.store = &store, .label = "site", .depth = 1, .profile = &profile, .error = &error};
	const struct text text = {(const char *)data, size};

	if (size > PROFILE_MAX_TEXT)
		return 0;
	profile.part = false;
	profile.call_count = profile.source_count = 0;
	memset(&error, 0, sizeof(error));
	if (!profile_parse(&r, text)) {
		MUST(error.what[0] != '\0' && error.file[0] != '\0' && error.line <= size + 1);
		MUST(is_line(error.what, sizeof(error.what)) && is_line(error.hint, sizeof(error.hint)));
		MUST(is_line(error.excerpt, sizeof(error.excerpt)) && error.column <= PROFILE_MAX_LINE + 1);
		return 0;
	}
	MUST(profile.call_count <= PROFILE_MAX_CALLS && profile.source_count == 0);
	for (size_t i = 0; i < profile.call_count; i++)
		check_call(&profile.calls[i], i > 0 ? &profile.calls[i - 1] : NULL);
	(void)profile_is_whole(&store, "site", &profile, &error);
	return 0;
}
