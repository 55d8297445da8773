/* SPDX-License-Identifier: ISC */
/*
 * profile_parse: the lines of one profile text, and what profile.c and this parser need of each other.
 *
 * Purpose:  what a line says goes into the profile; which files there are, and how they fit together, is profile.c's.
 * Runs as:  runas-policy and embed-profiles; never in the launcher.
 * Given:    a text that anyone may have written.
 * Promises: stops at the first line that is wrong, with the error where it stands.
 * Never:    opens a file.
 */
#ifndef COMPANION_PROFILE_PARSE_H
#define COMPANION_PROFILE_PARSE_H

#include "companion/profile.h"

/* One file being read; `outer` is the file that includes it. */
struct profile_reader {
	const struct profile_store *store;
	const struct profile_reader *outer;
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

bool profile_parse(struct profile_reader *r, struct text text);

/* Of profile.c: */

/* Always false. The error stands at `at`, a place in the line, or is about the whole file when that is NULL. */
__attribute__((format(printf, 4, 5))) bool profile_fail(const struct profile_reader *r, const char *at,
							const char *hint, const char *what, ...);

/* Reads what the line names at `at`, and takes what it says as far as this file and the ones before do not say it. */
bool profile_include(const struct profile_reader *r, const char *at, const char *label);

struct profile_call *profile_find_call(struct profile *profile, uint32_t number);
struct profile_call *profile_insert_call(struct profile *profile, uint32_t number); /* NULL: there is no room */
bool profile_same_rule(const struct profile_rule *a, const struct profile_rule *b);

#endif
