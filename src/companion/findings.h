/* SPDX-License-Identifier: ISC */
/*
 * findings: what a verb has to say about files, line by line, and how it is shown.
 *
 * Purpose:  errors, warnings and notes with file:line:column, the line, a caret, and a hint that mends it.
 * Given:    what the pure code found (struct problem), or a verb's own words.
 * Promises: in the order in which they were found, or stand in their file; the same for people and, as JSON, for machines.
 * Never:    prints bytes of a file unescaped.
 */
#ifndef COMPANION_FINDINGS_H
#define COMPANION_FINDINGS_H

#include "companion/output.h"
#include "policy/text.h"

enum finding_kind { FINDING_ERROR, FINDING_WARNING, FINDING_NOTE };

struct finding {
	enum finding_kind kind;
	char *file;		       /* or NULL */
	unsigned line, column, length; /* bytes, from 1; 0: none */
	char *excerpt;		       /* that line as it is, or NULL */
	char *word, *what, *hint;      /* hint may be NULL */
};

struct findings {
	struct finding *list;
	size_t count, errors, warnings;
};

/* The finding is valid until the next one is added. hint may be NULL. */
__attribute__((format(printf, 6, 7))) struct finding *findings_add(struct findings *to, enum finding_kind kind,
								   const char *file, const char *word,
								   const char *hint, const char *format, ...);

/* Puts it at a range of the bytes of its file; part may be anywhere, and then only the line is known. */
void finding_place(struct finding *finding, struct text bytes, unsigned line, struct text part);

/* A problem of the pure code, in the file with these bytes. */
struct finding *findings_problem(struct findings *to, enum finding_kind kind, const char *file, struct text bytes,
				 const struct problem *why);

/* Those from this one on: by file as they came, each file's by line; those about no line last. */
void findings_sort(struct findings *all, size_t from);

void findings_print(const struct findings *all, FILE *stream);
json_t *findings_json(const struct findings *all); /* an array; new reference */
void findings_free(struct findings *all);

#endif
