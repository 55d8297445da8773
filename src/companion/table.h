/* SPDX-License-Identifier: ISC */
/*
 * table: aligned columns, by libsmartcols.
 *
 * Purpose:  one look for whatever has rows.
 * Given:    cells without control characters (output_escaped).
 * Promises: no blanks at the end of a line; on a terminal the last column wraps inside its own width, elsewhere every
 *           row is one line, so that it can be searched.
 * Never:    cuts a cell short.
 */
#ifndef COMPANION_TABLE_H
#define COMPANION_TABLE_H

#include "companion/output.h"

enum { TABLE_MAX_COLUMNS = 6 };

struct table;

/* titles has count entries; NULL: no line of titles. indent: blanks in front of each line. */
struct table *table_new(size_t count, const char *const *titles, size_t indent);

/* count cells, copied; NULL is an empty one. colour is that of the first cell. */
void table_row(struct table *table, enum output_colour colour, const char *const *cells);

/* Prints to stream and frees. */
void table_print(struct table *table, FILE *stream);
void table_free(struct table *table); /* or NULL */

#endif
