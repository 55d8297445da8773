/* SPDX-License-Identifier: ISC */
#include "companion/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One file being read; `outer` is the file that includes it. */
struct reader {
	const struct profile_store *store;
	const struct reader *outer;
	const char *label;
	unsigned depth;
	struct text line;	 /* without its end */
	struct text reason;	 /* the comment on it */
	const char *end;	 /* of the statement on it */
	unsigned line_number;	 /* 0: about the whole file */
	unsigned first_own_line; /* of allow, refuse or missing; includes must stand above */
	struct profile *profile;
	struct profile_error *error;
};

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

/* Writes "did you mean", with the one of these names that is a slip of the pen away, or what otherwise says; returns it. */
static const char *suggest(const char *written, const char *const *names, const char *before, const char *otherwise,
			   char *hint, size_t size) {
	unsigned best = strlen(written) < 6 ? 2 : 3;

	snprintf(hint, size, "%s", otherwise);
	for (; *names != NULL; names++) {
		const unsigned far = syscalls_distance(written, *names);

		if (far >= best)
			continue;
		best = far;
		snprintf(hint, size, "did you mean `%s%s`?", before, *names);
	}
	return hint;
}

/* The same of the shipped profiles' names, which label is to be compared with without its @. */
static const char *suggest_shipped(const struct profile_store *store, const char *label, const char *otherwise,
				   char *hint, size_t size) {
	const char **names = calloc(store->shipped_count + 1, sizeof *names);

	for (size_t i = 0; names != NULL && i < store->shipped_count; i++)
		names[i] = store->shipped[i].name;
	if (names != NULL)
		suggest(label + (label[0] == '@'), names, "@", otherwise, hint, size);
	else
		snprintf(hint, size, "%s", otherwise);
	free(names);
	return hint;
}

static void describe_file(const struct profile_store *store, const char *label, struct profile_error *error) {
	memset(error, 0, sizeof *error);
	if (label[0] == '@')
		snprintf(error->file, sizeof error->file, "%s", label);
	else
		snprintf(error->file, sizeof error->file, "%s%s.profile", store->site_prefix, label);
}

/* The error stands at `at`, a place in the line, or is about the whole file when that is NULL. */
__attribute__((format(printf, 4, 5))) static bool fail(const struct reader *r, const char *at, const char *hint,
						       const char *what, ...) {
	struct profile_error *error = r->error;
	va_list arguments;

	describe_file(r->store, r->label, error);
	va_start(arguments, what);
	vsnprintf(error->what, sizeof error->what, what, arguments);
	va_end(arguments);
	snprintf(error->hint, sizeof error->hint, "%s", hint == NULL ? "" : hint);
	error->is_last = at == NULL || r->outer != NULL;
	if (at == NULL)
		return false;
	error->line = r->line_number;
	error->column = (unsigned)(at - r->line.at) + 1;
	for (size_t i = 0; i < r->line.length && i < PROFILE_MAX_LINE; i++) {
		unsigned char byte = (unsigned char)r->line.at[i];

		error->excerpt[i] = (byte < 0x20 && byte != '\t') || byte == 0x7f ? '?' : (char)byte;
	}
	return false;
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
		const char *digit = memchr(digits, word.at[i] | 0x20, 16);

		if (digit == NULL)
			return false;
		number = number << 4 | (uint64_t)(digit - digits);
	}
	*ret = (uint32_t)number;
	return true;
}

static bool fail_number(const struct reader *r, struct text word) {
	return fail(r, word.at, "decimal, 0x and hexadecimal digits (at most 32 bits), or a constant such as AF_INET",
		    "`%.*s` is not a number", (int)word.length, word.at);
}

/* argN [& MASK] == VALUE, then `and` or the end. */
static bool parse_condition(const struct reader *r, struct text *rest, struct profile_condition *ret) {
	static const char form[] = "argN == VALUE, or argN & MASK == VALUE, with blanks between all of them";
	struct text word = text_word(rest);

	if (word.length == 0)
		return fail(r, r->end, form, "a condition is missing here");
	if (word.length != 4 || !text_starts(word, text_of("arg")) || word.at[3] < '0' || word.at[3] > '5')
		return fail(r, word.at, form, "`%.*s` is not an argument, arg0 to arg5", (int)word.length, word.at);
	*ret = (struct profile_condition){.argument = (uint32_t)(word.at[3] - '0'), .mask = UINT32_MAX};
	word = text_word(rest);
	if (text_is(word, "&")) {
		word = text_word(rest);
		if (!parse_number(word, &ret->mask))
			return word.length == 0 ? fail(r, r->end, form, "a mask is missing here")
						: fail_number(r, word);
		if (ret->mask == 0)
			return fail(r, word.at, "leave the condition out", "a mask of 0 compares nothing");
		word = text_word(rest);
	}
	if (!text_is(word, "=="))
		return fail(r, word.length == 0 ? r->end : word.at, form, "expected ==, the only comparison there is");
	word = text_word(rest);
	if (!parse_number(word, &ret->value))
		return word.length == 0 ? fail(r, r->end, form, "a value is missing here") : fail_number(r, word);
	if ((ret->value & ~ret->mask) != 0)
		return fail(r, word.at, "the kernel would never find them equal",
			    "the value has bits that the mask takes away");
	return true;
}

static bool parse_conditions(const struct reader *r, struct text rest, struct profile_rule *ret) {
	memset(ret, 0, sizeof *ret);
	for (;;) {
		struct text word;

		if (ret->condition_count == PROFILE_MAX_CONDITIONS)
			return fail(r, r->end, NULL, "more than %d conditions", PROFILE_MAX_CONDITIONS);
		if (!parse_condition(r, &rest, &ret->conditions[ret->condition_count]))
			return false;
		for (size_t i = 0; i < ret->condition_count; i++)
			if (ret->conditions[i].argument == ret->conditions[ret->condition_count].argument)
				return fail(r, r->line.at,
					    "one comparison for one argument; alternatives go on their own line",
					    "arg%u is compared twice", (unsigned)ret->conditions[i].argument);
		ret->condition_count++;
		word = text_word(&rest);
		if (word.length == 0)
			return true;
		if (!text_is(word, "and"))
			return fail(r, word.at, "join conditions with `and`; alternatives go on their own line",
				    "`%.*s` was not expected here", (int)word.length, word.at);
	}
}

static struct profile_call *find_call(struct profile *profile, uint32_t number) {
	for (size_t i = 0; i < profile->call_count; i++)
		if (profile->calls[i].number == number)
			return &profile->calls[i];
	return NULL;
}

/* A new call in its sorted place; NULL when there is no room. */
static struct profile_call *insert_call(struct profile *profile, uint32_t number) {
	size_t at = profile->call_count;

	if (at == PROFILE_MAX_CALLS)
		return NULL;
	while (at > 0 && profile->calls[at - 1].number > number)
		at--;
	memmove(&profile->calls[at + 1], &profile->calls[at], (profile->call_count - at) * sizeof profile->calls[0]);
	profile->call_count++;
	memset(&profile->calls[at], 0, sizeof profile->calls[at]);
	profile->calls[at].number = number;
	return &profile->calls[at];
}

static bool same_rule(const struct profile_rule *a, const struct profile_rule *b) {
	return memcmp(a, b, sizeof *a) == 0;
}

static bool same_answer(const struct profile_call *a, const struct profile_call *b) {
	if (a->answer != b->answer || a->rule_count != b->rule_count)
		return false;
	for (size_t i = 0; i < a->rule_count; i++)
		if (!same_rule(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}

/* Says what the file that is being read says about one call. rule is NULL for "always". */
static bool declare_call(const struct reader *r, struct text word, enum profile_answer answer,
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
		return fail(r, word.at, hint, "`%s` is no system call", name);
	}
	if (answer == PROFILE_ALLOW && r->reason.length == 0 && syscalls_is_dangerous(name))
		return fail(r, word.at, "say why on the same line: allow = CALL  # the reason",
			    "`%s` is dangerous, and is allowed here without a reason", name);
	if (where == SYSCALLS_ELSEWHERE)
		return true;
	call = find_call(r->profile, number);
	if (call == NULL)
		call = insert_call(r->profile, number);
	if (call == NULL)
		return fail(r, word.at, NULL, "more than %d calls", PROFILE_MAX_CALLS);
	if (!call->own) {
		memset(call, 0, sizeof *call);
		call->number = number;
		call->own = true;
		call->answer = answer;
		snprintf(call->name, sizeof call->name, "%s", name);
		snprintf(call->origin, sizeof call->origin, "%s", r->label);
	} else if (call->answer != answer || (rule == NULL) != (call->rule_count == 0)) {
		return fail(r, word.at, "keep one of the two lines", "`%s` already has another answer in this file",
			    name);
	}
	if (rule == NULL)
		return true;
	for (size_t i = 0; i < call->rule_count; i++)
		if (same_rule(&call->rules[i], rule))
			return true;
	if (call->rule_count == PROFILE_MAX_RULES)
		return fail(r, word.at, NULL, "more than %d `if` lines for `%s`", PROFILE_MAX_RULES, name);
	call->rules[call->rule_count++] = *rule;
	return true;
}

static bool parse_calls(struct reader *r, enum profile_answer answer, struct text value) {
	struct text rest = value, first = text_word(&rest), after = rest, word = text_word(&after);
	struct profile_rule rule;

	if (r->first_own_line == 0)
		r->first_own_line = r->line_number;
	if (text_is(word, "if")) {
		if (answer != PROFILE_ALLOW)
			return fail(r, word.at, "allow what is wanted; when no `if` of a call holds, it answers ENOSYS",
				    "only `allow` can have conditions");
		return parse_conditions(r, after, &rule) && declare_call(r, first, answer, &rule);
	}
	for (rest = value, word = text_word(&rest); word.length != 0; word = text_word(&rest)) {
		if (text_is(word, "if"))
			return fail(r, word.at, "allow = CALL if CONDITION, one call a line",
				    "conditions are for one call, and this line has several");
		if (!declare_call(r, word, answer, NULL))
			return false;
	}
	return true;
}

static bool read_file(const struct reader *outer, const char *at, const char *label, const struct profile_store *store,
		      struct profile *ret, struct profile_error *error);

/* What an included file says, as far as this one and the ones included before do not say it. */
static bool merge(const struct reader *r, const char *at, const struct profile *from) {
	for (size_t i = 0; i < from->call_count; i++) {
		const struct profile_call *theirs = &from->calls[i];
		struct profile_call *ours = find_call(r->profile, theirs->number);

		if (ours == NULL) {
			ours = insert_call(r->profile, theirs->number);
			if (ours == NULL)
				return fail(r, at, NULL, "more than %d calls", PROFILE_MAX_CALLS);
			*ours = *theirs;
			ours->own = false;
		} else if (!same_answer(ours, theirs) && ours->rival[0] == 0) {
			memcpy(ours->rival, theirs->origin, sizeof ours->rival);
			ours->rival_line = r->line_number;
		}
	}
	for (size_t i = 0; i < from->source_count; i++) {
		struct profile *into = r->profile;
		size_t known = 0;

		while (known < into->source_count && strcmp(into->sources[known].name, from->sources[i].name) != 0)
			known++;
		if (known < into->source_count)
			continue;
		if (known == PROGRAM_MAX_SOURCES)
			return fail(r, at, NULL, "made of more than %d site profiles", PROGRAM_MAX_SOURCES);
		into->sources[into->source_count++] = from->sources[i];
	}
	return true;
}

static bool parse_includes(const struct reader *r, struct text value) {
	struct profile *included;
	bool good = true;

	if (r->first_own_line != 0)
		return fail(r, r->line.at, "move it up: what a file says itself stands above what it includes",
			    "`include` must stand before allow, refuse and missing (line %u)", r->first_own_line);
	included = calloc(1, sizeof *included);
	if (included == NULL)
		return fail(r, NULL, NULL, "out of memory");
	for (struct text word = text_word(&value); good && word.length != 0; word = text_word(&value)) {
		struct text name = text_starts(word, text_of("@")) ? text_after(word, 1) : word;
		char label[PROFILE_LABEL_SIZE];

		if (!text_is_app(name) || !copy_word(word, label, sizeof label))
			good = fail(r, word.at, "a shipped profile is @name, one of the site is name, without .profile",
				    "`%.*s` is not a profile's name", (int)word.length, word.at);
		else
			good = read_file(r, word.at, label, r->store, included, r->error) &&
			       merge(r, word.at, included);
	}
	free(included);
	return good;
}

static bool parse_version(struct reader *r, struct text value) {
	struct text word = text_word(&value);

	if (!text_is(word, "1"))
		return fail(r, word.at, "this program knows version 1",
			    "`%.*s` is an unknown version of the profile language", (int)word.length, word.at);
	word = text_word(&value);
	if (text_is(word, "part")) {
		r->profile->part = true;
		word = text_word(&value);
	}
	if (word.length != 0)
		return fail(r, word.at, "runas-profile = 1, or runas-profile = 1 part", "`%.*s` was not expected here",
			    (int)word.length, word.at);
	return true;
}

static bool parse_statement(struct reader *r, bool first) {
	struct text code = r->line, key, value;
	size_t equals = 0, hash = 0, comma = 0;
	char written[SYSCALLS_NAME_SIZE], hint[96];

	r->reason = (struct text){0};
	if (find_byte(code, '#', &hash)) {
		r->reason = text_trim(text_after(code, hash + 1));
		code.length = hash;
	}
	code = text_trim(code);
	r->end = code.at + code.length;
	if (!find_byte(code, '=', &equals))
		return fail(r, code.at, "allow = read write", "expected `key = value`");
	key = text_trim((struct text){code.at, equals});
	value = text_trim(text_after(code, equals + 1));
	if (value.length == 0)
		return fail(r, code.at + equals, NULL, "nothing stands behind the =");
	if (find_byte(value, ',', &comma))
		return fail(r, value.at + comma, "names are separated by blanks", "a comma was not expected");
	if (first != text_is(key, "runas-profile"))
		return first ? fail(r, code.at, "begin with: runas-profile = 1",
				    "the first statement must be the version")
			     : fail(r, code.at, NULL, "`runas-profile` was said already");
	if (first)
		return parse_version(r, value);
	if (text_is(key, "include"))
		return parse_includes(r, value);
	for (size_t i = 0; i < sizeof answer_words / sizeof answer_words[0]; i++)
		if (text_is(key, answer_words[i]))
			return parse_calls(r, (enum profile_answer)i, value);
	copy_word(key, written, sizeof written);
	return fail(r, code.at,
		    suggest(written, (const char *const[]){"include", "allow", "refuse", "missing", NULL}, "",
			    "the keys are: include allow refuse missing", hint, sizeof hint),
		    "unknown key `%.*s`", (int)key.length, key.at);
}

static bool check_bytes(const struct reader *r) {
	for (size_t i = 0; i < r->line.length; i++) {
		unsigned char byte = (unsigned char)r->line.at[i];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return fail(r, r->line.at + i,
				    byte == '\r' ? "the file has DOS line ends; `sed -i 's/\\r$//' FILE` mends it"
						 : NULL,
				    "a control character (byte 0x%02x)", byte);
	}
	return true;
}

static bool is_known_bad(const struct reader *r) {
	for (size_t i = 0; r->outer == NULL && i < r->store->known_bad_count; i++)
		if (r->store->known_bad[i] == r->line_number)
			return true;
	return false;
}

static bool parse_text(struct reader *r, struct text text) {
	bool first = true;

	while (text.length > 0) {
		size_t end = text.length, start = 0;
		bool ended = find_byte(text, '\n', &end);

		r->line_number++;
		r->line = (struct text){text.at, end};
		text = text_after(text, ended ? end + 1 : end);
		if (r->line.length > PROFILE_MAX_LINE)
			return fail(r, NULL, NULL, "line %u is longer than %d bytes", r->line_number, PROFILE_MAX_LINE);
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
		return fail(r, NULL, "begin with: runas-profile = 1", "the profile is empty");
	for (size_t i = 0; i < r->profile->call_count; i++) {
		const struct profile_call *call = &r->profile->calls[i];
		char hint[160];

		if (call->own || call->rival[0] == 0)
			continue;
		snprintf(hint, sizeof hint, "say which in this file: allow, refuse or missing = %s", call->name);
		fail(r, NULL, hint, "%s and %s disagree about `%s`", call->origin, call->rival, call->name);
		r->error->line = call->rival_line;
		return false;
	}
	return true;
}

/* A site text, as bytes on the heap; checked as strictly as the launcher will, so that it finds what was compiled. */
static char *read_site_text(const struct reader *at_name, const char *at, const char *label, size_t *ret_length) {
	const struct profile_store *store = at_name->store;
	char file[PROGRAM_NAME_SIZE + sizeof ".profile"], hint[160], *bytes = NULL;
	struct stat status;
	ssize_t length = 0;
	int fd = -1;

	snprintf(file, sizeof file, "%s.profile", label);
	if (store->site_directory >= 0)
		fd = openat(store->site_directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	else
		errno = ENOENT;
	if (fd < 0) {
		const int error = errno;

		suggest_shipped(store, label, "shipped profiles are written with @: @app-server", hint, sizeof hint);
		fail(at_name, at, error == ENOENT ? hint : NULL, "cannot open %s%s: %s", store->site_prefix, file,
		     error == ELOOP ? "it is a symbolic link" : strerror(error));
		return NULL;
	}
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		fail(at_name, at, NULL, "%s%s is not a regular file", store->site_prefix, file);
	} else if ((status.st_mode & 022) != 0 || (status.st_uid != 0 && status.st_uid != geteuid())) {
		fail(at_name, at, "chown root, chmod go-w: the launcher would not trust it either",
		     "%s%s can be written by others than root", store->site_prefix, file);
	} else if (status.st_size > PROFILE_MAX_TEXT) {
		fail(at_name, at, NULL, "%s%s is larger than %d bytes", store->site_prefix, file, PROFILE_MAX_TEXT);
	} else if ((bytes = malloc(PROFILE_MAX_TEXT + 1)) == NULL) {
		fail(at_name, at, NULL, "out of memory");
	} else {
		for (ssize_t got = 1; got > 0 && length <= PROFILE_MAX_TEXT; length += got > 0 ? got : 0) {
			got = read(fd, bytes + length, (size_t)(PROFILE_MAX_TEXT + 1 - length));
			if (got < 0 && errno != EINTR)
				length = -1;
		}
		if (length != status.st_size) {
			fail(at_name, at, "compile again", "%s%s changed while it was read", store->site_prefix, file);
			free(bytes);
			bytes = NULL;
		}
	}
	close(fd);
	*ret_length = (size_t)length;
	return bytes;
}

static const struct shipped_text *find_shipped(const struct profile_store *store, const char *label) {
	for (size_t i = 0; i < store->shipped_count; i++)
		if (strcmp(store->shipped[i].name, label + 1) == 0)
			return &store->shipped[i];
	return NULL;
}

/* at: where the outer file names this one; NULL for the outermost. */
static bool read_file(const struct reader *outer, const char *at, const char *label, const struct profile_store *store,
		      struct profile *ret, struct profile_error *error) {
	struct reader r = {.store = store, .outer = outer, .label = label, .profile = ret, .error = error};
	const struct reader *named_by = outer != NULL ? outer : &r;
	char *bytes = NULL, hint[160];
	size_t length;
	bool good;

	r.depth = outer != NULL ? outer->depth + 1 : 1;
	memset(ret, 0, sizeof *ret);
	for (const struct reader *o = outer; o != NULL; o = o->outer)
		if (strcmp(o->label, label) == 0)
			return fail(outer, at, NULL, "%s includes itself%s", label,
				    o == outer ? "" : ", by way of others");
	if (r.depth > PROFILE_MAX_DEPTH)
		return fail(outer, at, NULL, "includes are nested more than %d deep", PROFILE_MAX_DEPTH);
	if (label[0] == '@') {
		const struct shipped_text *shipped = find_shipped(store, label);

		if (shipped == NULL)
			return fail(named_by, at,
				    suggest_shipped(
					    store, label,
					    "shipped are: @app-server @app-server-debug @web-static, and their parts",
					    hint, sizeof hint),
				    "there is no shipped profile %s", label);
		return parse_text(&r, (struct text){shipped->at, shipped->length});
	}
	bytes = read_site_text(named_by, at, label, &length);
	if (bytes == NULL)
		return false;
	snprintf(ret->sources[0].name, sizeof ret->sources[0].name, "%s", label);
	ret->sources[0].digest = program_digest(bytes, length);
	ret->source_count = 1;
	good = parse_text(&r, (struct text){bytes, length});
	free(bytes);
	return good;
}

bool profile_read(const struct profile_store *store, const char *label, struct profile *ret,
		  struct profile_error *reterr) {
	return read_file(NULL, NULL, label, store, ret, reterr);
}

bool profile_is_whole(const struct profile_store *store, const char *label, const struct profile *profile,
		      struct profile_error *reterr) {
	describe_file(store, label, reterr);
	if (profile->part) {
		snprintf(reterr->what, sizeof reterr->what, "a part cannot be a profile by itself");
		snprintf(reterr->hint, sizeof reterr->hint, "include it, or say `runas-profile = 1`");
		return false;
	}
	for (const char *const *need = syscalls_launcher_needs; *need != NULL; need++) {
		size_t i = 0;

		while (i < profile->call_count && strcmp(profile->calls[i].name, *need) != 0)
			i++;
		if (i < profile->call_count && profile->calls[i].answer == PROFILE_ALLOW &&
		    profile->calls[i].rule_count == 0)
			continue;
		snprintf(reterr->what, sizeof reterr->what, "`%s` is not allowed, or not always", *need);
		snprintf(reterr->hint, sizeof reterr->hint,
			 "runas-app itself needs it to start the app and to report failure; include = @app-server has "
			 "it");
		return false;
	}
	return true;
}

void profile_error_print(const struct profile_error *error, int descriptor) {
	if (error->line == 0)
		dprintf(descriptor, "%s: %s\n", error->file, error->what);
	else if (error->column == 0)
		dprintf(descriptor, "%s:%u: %s\n", error->file, error->line, error->what);
	else
		dprintf(descriptor, "%s:%u:%u: %s\n", error->file, error->line, error->column, error->what);
	if (error->column != 0) {
		char caret[sizeof error->excerpt + 1] = "";

		/* Tabs stay tabs, so that the caret stands under its byte. */
		for (unsigned i = 0; i + 1 < error->column; i++)
			caret[i] = error->excerpt[i] == '\t' ? '\t' : ' ';
		dprintf(descriptor, "%s\n%s^\n", error->excerpt, caret);
	}
	if (error->hint[0] != 0)
		dprintf(descriptor, "hint: %s\n", error->hint);
}
