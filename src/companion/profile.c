/* SPDX-License-Identifier: ISC */
#include "companion/profile_parse.h"

#include "companion/suggest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_draft(const struct profile_store *store, const char *label) {
	return store->draft_label != NULL && strcmp(store->draft_label, label) == 0;
}

static void describe_file(const struct profile_store *store, const char *label, struct profile_error *error) {
	memset(error, 0, sizeof *error);
	if (label[0] == '@' || is_draft(store, label))
		snprintf(error->file, sizeof error->file, "%s", label[0] == '@' ? label : store->draft_path);
	else
		snprintf(error->file, sizeof error->file, "%s%s.profile", store->site_prefix, label);
}

/* The error stands at `at`, a place in the line, or is about the whole file when that is NULL. */
bool profile_fail(const struct profile_reader *r, const char *at, const char *hint, const char *what, ...) {
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

		error->excerpt[i] = (char)((byte < 0x20 && byte != '\t') || byte == 0x7f ? '?' : byte);
	}
	return false;
}

/* --- calls --- */

struct profile_call *profile_find_call(struct profile *profile, uint32_t number) {
	for (size_t i = 0; i < profile->call_count; i++)
		if (profile->calls[i].number == number)
			return &profile->calls[i];
	return NULL;
}

/* A new call in its sorted place; NULL when there is no room. */
struct profile_call *profile_insert_call(struct profile *profile, uint32_t number) {
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

bool profile_same_rule(const struct profile_rule *a, const struct profile_rule *b) {
	return memcmp(a, b, sizeof *a) == 0;
}

static bool same_answer(const struct profile_call *a, const struct profile_call *b) {
	if (a->answer != b->answer || a->rule_count != b->rule_count)
		return false;
	for (size_t i = 0; i < a->rule_count; i++)
		if (!profile_same_rule(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}

/* --- where texts come from --- */

/* Writes "did you mean" with the shipped profile that is a slip of the pen away, or what otherwise says; returns it. */
static const char *suggest_shipped(const struct profile_store *store, const char *label, const char *otherwise,
				   char *hint, size_t size) {
	struct suggestion near = suggest_for(text_of(label + (label[0] == '@')));

	for (size_t i = 0; i < store->shipped_count; i++)
		suggest_offer(&near, text_of(store->shipped[i].name));
	if (near.best[0] != '\0')
		snprintf(hint, size, "did you mean `@%s`?", near.best);
	else
		snprintf(hint, size, "%s", otherwise);
	return hint;
}

/* A site text, as bytes on the heap; checked as strictly as the launcher will, so that it finds what was compiled. */
static char *read_site_text(const struct profile_reader *at_name, const char *at, const char *label,
			    size_t *ret_length) {
	const struct profile_store *store = at_name->store;
	const bool is_anybodys = is_draft(store, label);
	const int directory = is_anybodys ? AT_FDCWD : store->site_directory;
	char name[PROGRAM_NAME_SIZE + sizeof ".profile"], hint[160], *bytes = NULL;
	const char *prefix = is_anybodys ? "" : store->site_prefix, *file = is_anybodys ? store->draft_path : name;
	struct stat status;
	ssize_t length = 0;
	int fd = -1;

	snprintf(name, sizeof name, "%s.profile", label);
	if (directory >= 0 || is_anybodys)
		fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	else
		errno = ENOENT;
	if (fd < 0) {
		const int error = errno;

		suggest_shipped(store, label, "shipped profiles are written with @: @app-server", hint, sizeof hint);
		profile_fail(at_name, at, error == ENOENT ? hint : NULL, "cannot open %s%s: %s", prefix, file,
			     error == ELOOP ? "it is a symbolic link" : strerror(error));
		return NULL;
	}
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		profile_fail(at_name, at, NULL, "%s%s is not a regular file", prefix, file);
	} else if (!is_anybodys &&
		   ((status.st_mode & 022) != 0 || (status.st_uid != 0 && status.st_uid != geteuid()))) {
		profile_fail(at_name, at, "chown root, chmod go-w: the launcher would not trust it either",
			     "%s%s can be written by others than root", prefix, file);
	} else if (status.st_size > PROFILE_MAX_TEXT) {
		profile_fail(at_name, at, NULL, "%s%s is larger than %d bytes", prefix, file, PROFILE_MAX_TEXT);
	} else if ((bytes = malloc(PROFILE_MAX_TEXT + 1)) == NULL) {
		profile_fail(at_name, at, NULL, "out of memory");
	} else {
		for (ssize_t got = 1; got > 0 && length <= PROFILE_MAX_TEXT; length += got > 0 ? got : 0) {
			got = read(fd, bytes + length, (size_t)(PROFILE_MAX_TEXT + 1 - length));
			if (got < 0 && errno != EINTR)
				length = -1;
		}
		if (length != status.st_size) {
			profile_fail(at_name, at, "compile again", "%s%s changed while it was read", prefix, file);
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
static bool read_file(const struct profile_reader *outer, const char *at, const char *label,
		      const struct profile_store *store, struct profile *ret, struct profile_error *error) {
	struct profile_reader r = {.store = store, .outer = outer, .label = label, .profile = ret, .error = error};
	const struct profile_reader *named_by = outer != NULL ? outer : &r;
	char *bytes = NULL, hint[160];
	size_t length;
	bool good;

	r.depth = outer != NULL ? outer->depth + 1 : 1;
	memset(ret, 0, sizeof *ret);
	for (const struct profile_reader *o = outer; o != NULL; o = o->outer)
		if (strcmp(o->label, label) == 0)
			return profile_fail(outer, at, NULL, "%s includes itself%s", label,
					    o == outer ? "" : ", by way of others");
	if (r.depth > PROFILE_MAX_DEPTH)
		return profile_fail(outer, at, NULL, "includes are nested more than %d deep", PROFILE_MAX_DEPTH);
	if (label[0] == '@') {
		const struct shipped_text *shipped = find_shipped(store, label);

		if (shipped == NULL)
			return profile_fail(
				named_by, at,
				suggest_shipped(
					store, label,
					"shipped are: @app-server @app-server-debug @web-static, and their parts", hint,
					sizeof hint),
				"there is no shipped profile %s", label);
		return profile_parse(&r, (struct text){shipped->at, shipped->length});
	}
	bytes = read_site_text(named_by, at, label, &length);
	if (bytes == NULL)
		return false;
	snprintf(ret->sources[0].name, sizeof ret->sources[0].name, "%s", label);
	ret->sources[0].digest = program_digest(bytes, length);
	ret->source_count = 1;
	good = profile_parse(&r, (struct text){bytes, length});
	free(bytes);
	return good;
}

/* What an included file says, as far as this one and the ones included before do not say it. */
static bool merge(const struct profile_reader *r, const char *at, const struct profile *from) {
	for (size_t i = 0; i < from->call_count; i++) {
		const struct profile_call *theirs = &from->calls[i];
		struct profile_call *ours = profile_find_call(r->profile, theirs->number);

		if (ours == NULL) {
			ours = profile_insert_call(r->profile, theirs->number);
			if (ours == NULL)
				return profile_fail(r, at, NULL, "more than %d calls", PROFILE_MAX_CALLS);
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
			return profile_fail(r, at, NULL, "made of more than %d site profiles", PROGRAM_MAX_SOURCES);
		into->sources[into->source_count++] = from->sources[i];
	}
	return true;
}

bool profile_include(const struct profile_reader *r, const char *at, const char *label) {
	struct profile *included = calloc(1, sizeof *included);
	bool good;

	if (included == NULL)
		return profile_fail(r, NULL, NULL, "out of memory");
	good = read_file(r, at, label, r->store, included, r->error) && merge(r, at, included);
	free(included);
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
