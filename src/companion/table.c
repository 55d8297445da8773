/* SPDX-License-Identifier: ISC */
#include "companion/table.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct table {
	struct libscols_table *scols;
	size_t count, indent;
};

static void need(bool is_done) { (void)output_memory(is_done ? (void *)1 : NULL); }

struct table *table_new(size_t count, const char *const *titles, size_t indent) {
	struct table *table = output_memory(calloc(1, sizeof *table));

	table->scols = output_memory(scols_new_table());
	table->count = count;
	table->indent = indent;
	scols_table_enable_noheadings(table->scols, titles == NULL);
	for (size_t i = 0; i < count; i++)
		output_memory(scols_table_new_column(table->scols, titles == NULL ? "" : titles[i], 0,
						     i + 1 == count ? SCOLS_FL_WRAP : 0));
	return table;
}

void table_row(struct table *table, enum output_colour colour, const char *const *cells) {
	struct libscols_line *line = output_memory(scols_table_new_line(table->scols, NULL));

	for (size_t i = 0; i < table->count; i++)
		need(scols_line_set_data(line, i, cells[i] == NULL ? "" : cells[i]) == 0);
	if (colour != OUTPUT_NONE)
		need(scols_cell_set_color(scols_line_get_cell(line, 0), output_colour(stdout, colour)) == 0);
}

/* libsmartcols fills some cells up with blanks that nobody sees, but that diff and golden files do. */
static void print_line(FILE *stream, const char *at, size_t length, size_t indent) {
	while (length > 0 && at[length - 1] == ' ')
		length--;
	fprintf(stream, "%*s%.*s\n", length == 0 ? 0 : (int)indent, "", (int)length, at);
}

void table_print(struct table *table, FILE *stream) {
	const bool is_terminal = isatty(fileno(stream)) == 1;
	char *text = NULL;

	scols_table_enable_colors(table->scols, output_colour(stream, OUTPUT_BOLD)[0] != '\0');
	scols_table_set_termforce(table->scols, is_terminal ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (is_terminal)
		scols_table_reduce_termwidth(table->scols, table->indent);
	if (!scols_table_is_empty(table->scols)) {
		need(scols_print_table_to_string(table->scols, &text) == 0);
		for (const char *at = text, *end; *at != '\0'; at = *end == '\0' ? end : end + 1) {
			end = strchrnul(at, '\n');
			print_line(stream, at, (size_t)(end - at), table->indent);
		}
		free(text);
	}
	table_free(table);
}

void table_free(struct table *table) {
	scols_unref_table(table->scols);
	free(table);
}
