/* SPDX-License-Identifier: ISC */
#include "companion/sheet.h"

#include "companion/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct row {
	bool is_title;
	char *name, *from, *text;
};

struct sheet {
	struct row *rows;
	size_t count;
	json_t *document, *section; /* the second is borrowed from the first */
};

struct sheet *sheet_new(void) {
	struct sheet *sheet = output_memory(calloc(1, sizeof *sheet));

	sheet->document = output_memory(json_object());
	return sheet;
}

static struct row *add(struct sheet *sheet) {
	sheet->rows = output_memory(reallocarray(sheet->rows, sheet->count + 1, sizeof *sheet->rows));
	sheet->rows[sheet->count] = (struct row){0};
	return &sheet->rows[sheet->count++];
}

void sheet_section(struct sheet *sheet, const char *key, const char *title, bool is_list) {
	struct row *row = add(sheet);

	row->is_title = true;
	row->name = output_memory(strdup(title));
	sheet->section = output_memory(is_list ? json_array() : json_object());
	json_object_set_new(sheet->document, key, sheet->section);
}

static json_t *entry(const char *name, struct sheet_from from, json_t *value) {
	json_t *ret = output_memory(json_object());

	if (name != NULL)
		json_object_set_new(ret, "name", output_json_text(name, strlen(name)));
	json_object_set_new(ret, "value", value);
	json_object_set_new(ret, "from", json_string(from.word));
	if (from.line > 0)
		json_object_set_new(ret, "line", json_integer(from.line));
	return ret;
}

void sheet_row(struct sheet *sheet, const char *name, struct sheet_from from, json_t *value, const char *format, ...) {
	struct row *row = add(sheet);
	char *text;
	va_list arguments;

	va_start(arguments, format);
	text = output_vformat(format, arguments);
	va_end(arguments);
	row->text = output_escaped(text, strlen(text));
	free(text);
	row->name = name == NULL ? NULL : output_escaped(name, strlen(name));
	row->from = name == NULL    ? NULL
		    : from.line > 0 ? output_format("line %u", from.line)
				    : output_memory(strdup(from.word));
	if (value != NULL)
		sheet_value(sheet, name, from, value);
}

void sheet_value(struct sheet *sheet, const char *name, struct sheet_from from, json_t *value) {
	if (json_is_array(sheet->section))
		output_append(sheet->section, entry(name, from, value));
	else
		json_object_set_new(sheet->section, name, entry(NULL, from, value));
}

/* One table a section, so that one long name does not push all values to the right. */
void sheet_print(const struct sheet *sheet, FILE *stream) {
	for (size_t i = 0; i < sheet->count;) {
		struct table *table = table_new(3, NULL, 2);

		fprintf(stream, "\n%s%s%s\n", output_colour(stream, OUTPUT_BOLD), sheet->rows[i].name,
			output_colour(stream, OUTPUT_NONE));
		while (++i < sheet->count && !sheet->rows[i].is_title) {
			const struct row *const row = &sheet->rows[i];
			char *name = output_format("%-15s", row->name == NULL ? "" : row->name);
			char *from = output_format("%-8s", row->from == NULL ? "" : row->from);

			table_row(table, OUTPUT_NONE, (const char *const[]){name, from, row->text});
			free(name);
			free(from);
		}
		table_print(table, stream);
	}
}

json_t *sheet_json(const struct sheet *sheet) { return json_incref(sheet->document); }

void sheet_free(struct sheet *sheet) {
	for (size_t i = 0; i < sheet->count; i++) {
		free(sheet->rows[i].name);
		free(sheet->rows[i].from);
		free(sheet->rows[i].text);
	}
	free(sheet->rows);
	json_decref(sheet->document);
	free(sheet);
}
