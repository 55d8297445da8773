/* SPDX-License-Identifier: ISC */
/*
 * output: how runas-policy speaks: colours, messages, options that every verb has, and JSON.
 *
 * Purpose:  one look for every verb.
 * Given:    texts that may hold any byte; what comes from files and callers is shown with control characters escaped.
 * Promises: colour only on a terminal, and never with NO_COLOR (no-color.org); --json prints one document and no more.
 * Never:    exits; a verb returns its status.
 */
#ifndef COMPANION_OUTPUT_H
#define COMPANION_OUTPUT_H

#include "companion/image.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

enum output_colour { OUTPUT_NONE, OUTPUT_RED, OUTPUT_YELLOW, OUTPUT_GREEN, OUTPUT_BOLD, OUTPUT_DIM };

/* Exit statuses of every verb: 0 it is as it should be; the others: */
enum { OUTPUT_BAD = 1, OUTPUT_USAGE = 2 /* or it could not be found out */ };

/* The escape sequence, or "" where stream gets no colour; OUTPUT_NONE ends one. */
const char *output_colour(FILE *stream, enum output_colour colour);

/* "runas-policy: ..." and, unless NULL, "hint: ..." on standard error; returns OUTPUT_USAGE. */
__attribute__((format(printf, 2, 3))) int output_fail(const char *hint, const char *format, ...);

/* With control characters, and bytes that are no UTF-8, as \ooo: a new string, or NULL bytes give "". Never NULL. */
char *output_escaped(const char *bytes, size_t length);

/* printf into a new string. Never NULL: memory that is not there ends the program. */
__attribute__((format(printf, 1, 2))) char *output_format(const char *format, ...);
__attribute__((format(printf, 1, 0))) char *output_vformat(const char *format, va_list arguments);
void *output_memory(void *bytes_or_null); /* the same for other allocations: NULL ends the program, with a message */

/* This directory, made if it is missing (what is above it is not); -1: errno. */
int output_directory(const char *path);

/* A JSON string from bytes that may be no UTF-8; new reference. */
json_t *output_json_text(const char *bytes, size_t length);
/* To an array; takes one over. NULL: there was no memory for it. */
void output_append(json_t *list, json_t *one);
/* Prints and releases; NULL: there was no memory for it. false: standard output took it not, which was said. */
bool output_json(json_t *document);

/* The last of a verb: status where standard output took all that was printed; else says that, and OUTPUT_USAGE. */
int output_done(int status);

struct output_option {
	const char *name;   /* without -- */
	const char **value; /* where its argument goes, or NULL for a flag */
	bool *flag;
};

struct options {
	struct image image; /* of --root, or / */
	bool json;
	int argc; /* what is left */
	char **argv;
	char **command; /* behind --, or NULL */
};

/*
 * --root DIR and --json where the verb has them ("json" 0: it prints nothing for machines), its own, then arguments, then
 * "--" and a command where has_command. false: *ret_status is what to return; the reason was said.
 */
bool options_read(const char *verb, int argc, char **argv, const struct output_option *own, size_t count, bool has_json,
		  bool has_command, struct options *ret, int *ret_status);

#endif
