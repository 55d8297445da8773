/* SPDX-License-Identifier: ISC */
#include "companion/profile_parse.h"

#include "companion/suggest.h"

#include <stdio.h>
#include <string.h>

static const struct constant {
	const char *name;
	uint32_t value;
} constants[] = {
	{"AF_UNIX", 1},
	{"AF_INET", 2},
	{"AF_INET6", 10},
	{"AF_NETLINK", 16},
	{"AF_PACKET", 17},
	{"AF_BLUETOOTH", 31},
	{"AF_CAN", 29},
	{"AF_ALG", 38},
	{"AF_VSOCK", 40},
	{"NETLINK_ROUTE", 0},
	{"CLONE_NEWNS", 0x00020000},
	{"CLONE_NEWCGROUP", 0x02000000},
	{"CLONE_NEWUTS", 0x04000000},
	{"CLONE_NEWIPC", 0x08000000},
	{"CLONE_NEWUSER", 0x10000000},
	{"CLONE_NEWPID", 0x20000000},
	{"CLONE_NEWNET", 0x40000000},
	{"PER_LINUX", 0},
	{"PER_QUERY", 0xffffffff},
	{"ADDR_NO_RANDOMIZE", 0x00040000},
};

static const char *const answer_words[] = {
	[PROFILE_MISSING] = "missing", [PROFILE_REFUSE] = "refuse", [PROFILE_ALLOW] = "allow"};

static bool find_byte(struct text t, char byte, size_t *ret_at) {
	const char *found = t.length == 0 ? NULL : memchr(t.at, byte, t.length);

	if (found != NULL)
		*ret_at = (size_t)(found - t.at);
	return found != NULL;
}

/* Writes "did you mean", with the one of the keys that is a slip of the pen away, or which there are; returns it. */
static const char *suggest_key(struct text key, char *hint, size_t size) {
	struct suggestion near = suggest_for(key);

	for (const char *const *name = (const char *const[]){"include", "allow", "refuse", "missing", NULL};
	     *name != NULL; name++)
		suggest_offer(&near, text_of(*name));
	if (near.best[0] == '\0')
		return "the keys are: include allow refuse missing";
	snprintf(hint, size, "did you mean `%s`?", near.best);
	return hint;
}

/* A word as a C string for messages and look-ups; false when it is too long to be any name we know. */
static bool copy_word(struct text word, char *ret, size_t size) {
	size_t length = word.length < size ? word.length : size - 1;

	memcpy(ret, word.at, length);
	ret[length] = 0;
	return word.length < size;
}

static bool parse_number(struct text word, uint32_t *ret) {
	uint64_t number = 0;

	for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
		if (text_is(word, constants[i].name)) {
			*ret = constants[i].value;
			return true;
		}
	}
	if (!text_starts(word, text_of("0x"))) {
		if (!text_number(word, UINT32_MAX, &number))
			return false;
		*ret = (uint32_t)number;
		return true;
	}
	if (word.length < 3 || word.length > 10)
		return false;
	for (size_t i = 2; i < word.length; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = strchr(digits, word.at[i] | 0x20);

		if (digit == NULL)
			return false;
		number = number << 4 | (uint64_t)(digit - digits);
	}
	*ret = (uint32_t)number;
	return true;
}

static bool fail_number(const struct profile_reader *r, struct text word) {
	return profile_fail(r, word.at,
			    "decimal, 0x and hexadecimal digits (at most 32 bits), or a constant such as AF_INET",
			    "`%.*s` is not a number", (int)word.length, word.at);
}

/* argN [& MASK] == VALUE, then `and` or the end. */
static bool parse_condition(const struct profile_reader *r, struct text *rest, struct profile_condition *ret) {
	static const char form[] = "argN == VALUE, or argN & MASK == VALUE, with blanks between all of them";
	struct text word = text_word(rest);

	if (word.length == 0)
		return profile_fail(r, r->end, form, "a condition is missing here");
	if (word.length != 4 || !text_starts(word, text_of("arg")) || word.at[3] < '0' || word.at[3] > '5')
		return profile_fail(r, word.at, form, "`%.*s` is not an argument, arg0 to arg5", (int)word.length,
				    word.at);
	*ret = (struct profile_condition){.argument = (uint32_t)(word.at[3] - '0'), .mask = UINT32_MAX};
	word = text_word(rest);
	if (text_is(word, "&")) {
		word = text_word(rest);
		if (!parse_number(word, &ret->mask))
			return word.length == 0 ? profile_fail(r, r->end, form, "a mask is missing here")
						: fail_number(r, word);
		if (ret->mask == 0)
			return profile_fail(r, word.at, "leave the condition out", "a mask of 0 compares nothing");
		word = text_word(rest);
	}
	if (!text_is(word, "=="))
		return profile_fail(r, word.length == 0 ? r->end : word.at, form,
				    "expected ==, the only comparison there is");
	word = text_word(rest);
	if (!parse_number(word, &ret->value))
		return word.length == 0 ? profile_fail(r, r->end, form, "a value is missing here")
					: fail_number(r, word);
	if ((ret->value & ~ret->mask) != 0)
		return profile_fail(r, word.at, "the kernel would never find them equal",
				    "the value has bits that the mask takes away");
	return true;
}

static bool parse_conditions(const struct profile_reader *r, struct text rest, struct profile_rule *ret) {
	memset(ret, 0, sizeof *ret);
	for (;;) {
		struct text word;

		if (ret->condition_count == PROFILE_MAX_CONDITIONS)
			return profile_fail(r, r->end, NULL, "more than %d conditions", PROFILE_MAX_CONDITIONS);
		if (!parse_condition(r, &rest, &ret->conditions[ret->condition_count]))
			return false;
		for (size_t i = 0; i < ret->condition_count; i++)
			if (ret->conditions[i].argument == ret->conditions[ret->condition_count].argument)
				return profile_fail(
					r, r->line.at,
					"one comparison for one argument; alternatives go on their own line",
					"arg%u is compared twice", (unsigned)ret->conditions[i].argument);
		ret->condition_count++;
		word = text_word(&rest);
		if (word.length == 0)
			return true;
		if (!text_is(word, "and"))
			return profile_fail(r, word.at, "join conditions with `and`; alternatives go on their own line",
					    "`%.*s` was not expected here", (int)word.length, word.at);
	}
}

/* Says what the file that is being read says about one call. rule is NULL for "always". */
static bool declare_call(const struct profile_reader *r, struct text word, enum profile_answer answer,
			 const struct profile_rule *rule) {
	char name[SYSCALLS_NAME_SIZE], near[SYSCALLS_NAME_SIZE];
	struct profile_call *call;
	uint32_t number;
	enum syscalls_where where = SYSCALLS_NOWHERE;

	if (copy_word(word, name, sizeof name))
		where = syscalls_find(name, &number);
	if (where == SYSCALLS_NOWHERE) {
		char hint[96];

		syscalls_nearest(name, near);
		snprintf(hint, sizeof hint, near[0] != 0 ? "did you mean `%s`?" : "`man 2 syscalls` lists them%s",
			 near);
		return profile_fail(r, word.at, hint, "`%s` is no system call", name);
	}
	if (answer == PROFILE_ALLOW && r->reason.length == 0 && syscalls_is_dangerous(name))
		return profile_fail(r, word.at, "say why on the same line: allow = CALL  # the reason",
				    "`%s` is dangerous, and is allowed here without a reason", name);
	if (where == SYSCALLS_ELSEWHERE)
		return true;
	call = profile_find_call(r->profile, number);
	if (call == NULL)
		call = profile_insert_call(r->profile, number);
	if (call == NULL)
		return profile_fail(r, word.at, NULL, "more than %d calls", PROFILE_MAX_CALLS);
	if (!call->own) {
		memset(call, 0, sizeof *call);
		call->number = number;
		call->own = true;
		call->answer = answer;
		snprintf(call->name, sizeof call->name, "%s", name);
		snprintf(call->origin, sizeof call->origin, "%s", r->label);
	} else if (call->answer != answer || (rule == NULL) != (call->rule_count == 0)) {
		return profile_fail(r, word.at, "keep one of the two lines",
				    "`%s` already has another answer in this file", name);
	}
	if (rule == NULL)
		return true;
	for (size_t i = 0; i < call->rule_count; i++)
		if (profile_same_rule(&call->rules[i], rule))
			return true;
	if (call->rule_count == PROFILE_MAX_RULES)
		return profile_fail(r, word.at, NULL, "more than %d `if` lines for `%s`", PROFILE_MAX_RULES, name);
	call->rules[call->rule_count++] = *rule;
	return true;
}

static bool parse_calls(struct profile_reader *r, enum profile_answer answer, struct text value) {
	struct text rest = value, first = text_word(&rest), after = rest, word = text_word(&after);
	struct profile_rule rule;

	if (r->first_own_line == 0)
		r->first_own_line = r->line_number;
	if (text_is(word, "if")) {
		if (answer != PROFILE_ALLOW)
			return profile_fail(r, word.at,
					    "allow what is wanted; when no `if` of a call holds, it answers ENOSYS",
					    "only `allow` can have conditions");
		return parse_conditions(r, after, &rule) && declare_call(r, first, answer, &rule);
	}
	for (rest = value, word = text_word(&rest); word.length != 0; word = text_word(&rest)) {
		if (text_is(word, "if"))
			return profile_fail(r, word.at, "allow = CALL if CONDITION, one call a line",
					    "conditions are for one call, and this line has several");
		if (!declare_call(r, word, answer, NULL))
			return false;
	}
	return true;
}

static bool parse_includes(const struct profile_reader *r, struct text value) {
	bool good = true;

	if (r->first_own_line != 0)
		return profile_fail(r, r->line.at, "move it up: what a file says itself stands above what it includes",
				    "`include` must stand before allow, refuse and missing (line %u)",
				    r->first_own_line);
	for (struct text word = text_word(&value); good && word.length != 0; word = text_word(&value)) {
		struct text name = text_starts(word, text_of("@")) ? text_after(word, 1) : word;
		char label[PROFILE_LABEL_SIZE];

		if (!text_is_app(name) || !copy_word(word, label, sizeof label))
			good = profile_fail(r, word.at,
					    "a shipped profile is @name, one of the site is name, without .profile",
					    "`%.*s` is not a profile's name", (int)word.length, word.at);
		else
			good = profile_include(r, word.at, label);
	}
	return good;
}

static bool parse_version(struct profile_reader *r, struct text value) {
	struct text word = text_word(&value);

	if (!text_is(word, "1"))
		return profile_fail(r, word.at, "this program knows version 1",
				    "`%.*s` is an unknown version of the profile language", (int)word.length, word.at);
	word = text_word(&value);
	if (text_is(word, "part")) {
		r->profile->part = true;
		word = text_word(&value);
	}
	if (word.length != 0)
		return profile_fail(r, word.at, "runas-profile = 1, or runas-profile = 1 part",
				    "`%.*s` was not expected here", (int)word.length, word.at);
	return true;
}

static bool parse_statement(struct profile_reader *r, bool first) {
	struct text code = r->line, key, value;
	size_t equals = 0, hash = 0, comma = 0;
	char hint[96];

	r->reason = (struct text){0};
	if (find_byte(code, '#', &hash)) {
		r->reason = text_trim(text_after(code, hash + 1));
		code.length = hash;
	}
	code = text_trim(code);
	r->end = code.at + code.length;
	if (!find_byte(code, '=', &equals))
		return profile_fail(r, code.at, "allow = read write", "expected `key = value`");
	key = text_trim((struct text){code.at, equals});
	value = text_trim(text_after(code, equals + 1));
	if (value.length == 0)
		return profile_fail(r, code.at + equals, NULL, "nothing stands behind the =");
	if (find_byte(value, ',', &comma))
		return profile_fail(r, value.at + comma, "names are separated by blanks", "a comma was not expected");
	if (first != text_is(key, "runas-profile"))
		return first ? profile_fail(r, code.at, "begin with: runas-profile = 1",
					    "the first statement must be the version")
			     : profile_fail(r, code.at, NULL, "`runas-profile` was said already");
	if (first)
		return parse_version(r, value);
	if (text_is(key, "include"))
		return parse_includes(r, value);
	for (size_t i = 0; i < sizeof answer_words / sizeof answer_words[0]; i++)
		if (text_is(key, answer_words[i]))
			return parse_calls(r, (enum profile_answer)i, value);
	return profile_fail(r, code.at, suggest_key(key, hint, sizeof hint), "unknown key `%.*s`", (int)key.length,
			    key.at);
}

static bool check_bytes(const struct profile_reader *r) {
	for (size_t i = 0; i < r->line.length; i++) {
		unsigned char byte = (unsigned char)r->line.at[i];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return profile_fail(
				r, r->line.at + i,
				byte == '\r' ? "the file has DOS line ends; `sed -i 's/\\r$//' FILE` mends it" : NULL,
				"a control character (byte 0x%02x)", byte);
	}
	return true;
}

static bool is_known_bad(const struct profile_reader *r) {
	for (size_t i = 0; r->outer == NULL && i < r->store->known_bad_count; i++)
		if (r->store->known_bad[i] == r->line_number)
			return true;
	return false;
}

bool profile_parse(struct profile_reader *r, struct text text) {
	bool first = true;

	while (text.length > 0) {
		size_t end = text.length, start = 0;
		bool ended = find_byte(text, '\n', &end);

		r->line_number++;
		r->line = (struct text){text.at, end};
		text = text_after(text, ended ? end + 1 : end);
		if (r->line.length > PROFILE_MAX_LINE)
			return profile_fail(r, NULL, NULL, "line %u is longer than %d bytes", r->line_number,
					    PROFILE_MAX_LINE);
		if (is_known_bad(r))
			continue;
		if (!check_bytes(r))
			return false;
		while (start < r->line.length && (r->line.at[start] == ' ' || r->line.at[start] == '\t'))
			start++;
		if (start == r->line.length || r->line.at[start] == '#')
			continue;
		if (!parse_statement(r, first)) {
			r->error->is_last = r->error->is_last || (first && r->outer == NULL);
			return false;
		}
		first = false;
	}
	if (first)
		return profile_fail(r, NULL, "begin with: runas-profile = 1", "the profile is empty");
	for (size_t i = 0; i < r->profile->call_count; i++) {
		const struct profile_call *call = &r->profile->calls[i];
		char hint[160];

		if (call->own || call->rival[0] == 0)
			continue;
		snprintf(hint, sizeof hint, "say which in this file: allow, refuse or missing = %s", call->name);
		profile_fail(r, NULL, hint, "%s and %s disagree about `%s`", call->origin, call->rival, call->name);
		r->error->line = call->rival_line;
		return false;
	}
	return true;
}
