/* SPDX-License-Identifier: ISC */
/*
 * sheet: settings in sections, each with where it comes from; built once, shown to people or to machines.
 *
 * Purpose:  what a person reads and what --json says cannot drift apart.
 * Given:    texts that may hold any byte.
 * Promises: sections and rows in the order in which they were added; texts are escaped.
 * Never:    leaves a setting out of one of the two.
 */
#ifndef COMPANION_SHEET_H
#define COMPANION_SHEET_H

#include "companion/output.h"

struct sheet;

struct sheet_from {
	const char *word; /* "policy", "default", "account" ...: one of a few, lower-case */
	unsigned line;	  /* of the policy; 0: none */
};

struct sheet *sheet_new(void);

/* title: for people. is_list: its rows' names are data (variables, paths), so machines get an array; else an object. */
void sheet_section(struct sheet *sheet, const char *key, const char *title, bool is_list);

/*
 * name: also the key for machines, where the section is an object; NULL: one more line of the row before, for people.
 * value is what machines get, released here; NULL: nothing. The text, escaped here, is what people get.
 */
__attribute__((format(printf, 5, 6))) void sheet_row(struct sheet *sheet, const char *name, struct sheet_from from,
						     json_t *value, const char *format, ...);

/* The same, for machines only. */
void sheet_value(struct sheet *sheet, const char *name, struct sheet_from from, json_t *value);

void sheet_print(const struct sheet *sheet, FILE *stream);
json_t *sheet_json(const struct sheet *sheet); /* new reference */
void sheet_free(struct sheet *sheet);

#endif
