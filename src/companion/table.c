/* SPDX-License-Identifier: ISC */
#include "companion/table.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { LEAST_WIDTH = 20 }; /* of the last column: in less than that, wrapping makes it worse */

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
		output_memory(scols_table_new_column(table->scols, titles == NULL ? "" : titles[i], 0, 0));
	return table;
}

void table_row(struct table *table, enum output_colour colour, const char *const *cells) {
	static const char *const names[] = {NULL, "red", "yellow", "green", "bold", "halfbright"}; /* output_colour's */
	struct libscols_line *line = output_memory(scols_table_new_line(table->scols, NULL));

	for (size_t i = 0; i < table->count; i++)
		need(scols_line_set_data(line, i, cells[i] == NULL ? "" : cells[i]) == 0);
	if (colour != OUTPUT_NONE)
		need(scols_cell_set_color(scols_line_get_cell(line, 0), names[colour]) == 0);
}

/* How many bytes of at fill this many columns; escape sequences fill none. */
static size_t bytes_of(const char *at, size_t length, size_t columns) {
	mbstate_t state = {0};
	size_t i = 0;

	while (i < length) {
		wchar_t letter;
		size_t bytes = mbrtowc(&letter, at + i, length - i, &state);
		int width;

		if (at[i] == '\033') {
			i += strcspn(at + i, "m") + 1;
			continue;
		}
		if (bytes == 0 || bytes > length - i) {
			bytes = 1;
			letter = L'?';
			state = (mbstate_t){0};
		}
		width = wcwidth(letter);
		if (width > 0 && columns < (size_t)width)
			break;
		columns -= width > 0 ? (size_t)width : 0;
		i += bytes;
	}
	return i < length ? i : length;
}

/* libsmartcols fills some cells up with blanks that nobody sees, but that diff and golden files do. */
static void print_row(FILE *stream, const char *at, size_t length, size_t indent) {
	while (length > 0 && at[length - 1] == ' ')
		length--;
	fprintf(stream, "%*s%.*s\n", length == 0 ? 0 : (int)indent, "", (int)length, at);
}

/* The last column goes on below itself, at a blank where there is one. start: its first column; width: of the terminal. */
static void print_wrapped(FILE *stream, const char *at, size_t length, size_t indent, size_t start, size_t width) {
	size_t from = bytes_of(at, length, start), head = from;

	while (true) {
		const size_t most = bytes_of(at + from, length - from, width - start - indent);
		size_t end = from + most;

		while (end < length && end > from && at[end] != ' ')
			end--;
		end = end == from ? from + most : end;
		if (head > 0)
			print_row(stream, at, end, indent);
		else
			print_row(stream, at + from, end - from, indent + start);
		head = 0;
		from = end + strspn(at + end, " ");
		if (from >= length)
			return;
	}
}

void table_print(struct table *table, FILE *stream) {
	const bool is_terminal = isatty(fileno(stream)) == 1;
	struct winsize window = {0};
	size_t start = 0;
	char *text = NULL;

	scols_table_enable_colors(table->scols, output_colour(stream, OUTPUT_BOLD)[0] != '\0');
	scols_table_set_termforce(table->scols, SCOLS_TERMFORCE_NEVER);
	if (!scols_table_is_empty(table->scols)) {
		need(scols_print_table_to_string(table->scols, &text) == 0);
		for (size_t i = 0; i + 1 < table->count; i++)
			start += scols_column_get_width(scols_table_get_column(table->scols, i)) + 1;
		if (is_terminal && ioctl(fileno(stream), TIOCGWINSZ, &window) != 0)
			window.ws_col = 0;
		for (const char *at = text, *end; *at != '\0'; at = *end == '\0' ? end : end + 1) {
			end = strchrnul(at, '\n');
			if (window.ws_col >= start + table->indent + LEAST_WIDTH)
				print_wrapped(stream, at, (size_t)(end - at), table->indent, start, window.ws_col);
			else
				print_row(stream, at, (size_t)(end - at), table->indent);
		}
		free(text);
	}
	table_free(table);
}

void table_free(struct table *table) {
	if (table == NULL)
		return;
	scols_unref_table(table->scols);
	free(table);
}
