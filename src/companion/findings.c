/* SPDX-License-Identifier: ISC */
#include "companion/findings.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"error", "warning", "note"};

struct finding *findings_add(struct findings *to, enum finding_kind kind, const char *file, const char *word,
			     const char *hint, const char *format, ...) {
	struct finding *ret;
	va_list arguments;

	to->list = output_memory(reallocarray(to->list, to->count + 1, sizeof *to->list));
	ret = &to->list[to->count++];
	*ret = (struct finding){.kind = kind};
	ret->file = file == NULL ? NULL : output_memory(strdup(file));
	ret->word = output_memory(strdup(word));
	ret->hint = hint == NULL ? NULL : output_memory(strdup(hint));
	va_start(arguments, format);
	if (vasprintf(&ret->what, format, arguments) < 0)
		ret->what = output_memory(NULL);
	va_end(arguments);
	to->errors += kind == FINDING_ERROR;
	to->warnings += kind == FINDING_WARNING;
	return ret;
}

void finding_place(struct finding *finding, struct text bytes, unsigned line, struct text part) {
	struct text row = {0};

	finding->line = line;
	for (unsigned i = 0; i < line; i++)
		if (!text_field(&bytes, "\n", &row))
			return;
	if (line == 0)
		return;
	free(finding->excerpt);
	finding->excerpt = output_memory(strndup(row.length > 0 ? row.at : "", row.length));
	/* One column, as carets count, and not \\011. */
	for (char *tab = finding->excerpt; (tab = strchr(tab, '\t')) != NULL;)
		*tab = ' ';
	if (part.length > 0 && part.at >= row.at && part.at + part.length <= row.at + row.length) {
		finding->column = (unsigned)(part.at - row.at) + 1;
		finding->length = (unsigned)part.length;
	}
}

struct finding *findings_problem(struct findings *to, enum finding_kind kind, const char *file, struct text bytes,
				 const struct problem *why) {
	char *about = output_escaped(why->about.at, why->about.length), *more = NULL;
	char *object = output_escaped(why->object.at, why->object.length);
	struct finding *ret;

	if (why->hint != NULL) {
		char *behind = output_escaped(why->hint_about.at, why->hint_about.length);

		more = output_format("%s%s", why->hint, behind);
		free(behind);
	}
	ret = findings_add(to, kind, why->object.length > 0 ? object : file, why->word, more, "%s%s%s%s%s%s", why->what,
			   why->about.length > 0 ? " \"" : "", about, why->about.length > 0 ? "\"" : "",
			   why->error != 0 ? ": " : "", why->error != 0 ? strerror(why->error) : "");
	if (why->object.length == 0)
		finding_place(ret, bytes, why->line, why->about);
	else
		ret->line = why->line;
	free(about);
	free(object);
	free(more);
	return ret;
}

static void print_caret(const struct finding *f, FILE *stream) {
	char *shown = output_escaped(f->excerpt, strlen(f->excerpt));
	char *before = output_escaped(f->excerpt, f->column > 0 ? f->column - 1 : 0);
	char *under = output_escaped(f->excerpt + (f->column > 0 ? f->column - 1 : 0), f->length);

	fprintf(stream, "    %s\n", shown);
	if (f->column > 0) {
		fprintf(stream, "    %*s%s", (int)strlen(before), "", output_colour(stream, OUTPUT_GREEN));
		for (size_t i = 0; i < strlen(under) || i == 0; i++)
			fputc(i == 0 ? '^' : '~', stream);
		fprintf(stream, "%s\n", output_colour(stream, OUTPUT_NONE));
	}
	free(shown);
	free(before);
	free(under);
}

void findings_print(const struct findings *all, FILE *stream) {
	static const enum output_colour colours[] = {OUTPUT_RED, OUTPUT_YELLOW, OUTPUT_DIM};

	for (const struct finding *f = all->list; f < all->list + all->count; f++) {
		const char *const off = output_colour(stream, OUTPUT_NONE);

		if (f->file != NULL)
			fprintf(stream, "%s%s", output_colour(stream, OUTPUT_BOLD), f->file);
		if (f->file != NULL && f->line > 0)
			fprintf(stream, ":%u", f->line);
		if (f->file != NULL && f->column > 0)
			fprintf(stream, ":%u", f->column);
		fprintf(stream, "%s%s%s%s:%s %s [%s]\n", f->file != NULL ? ": " : "", off,
			output_colour(stream, colours[f->kind]), names[f->kind], off, f->what, f->word);
		if (f->excerpt != NULL)
			print_caret(f, stream);
		if (f->hint != NULL)
			fprintf(stream, "    hint: %s\n", f->hint);
	}
}

json_t *findings_json(const struct findings *all) {
	json_t *ret = output_memory(json_array());

	for (const struct finding *f = all->list; f < all->list + all->count; f++) {
		json_t *one = output_memory(json_pack("{s:s,s:s,s:o}", "kind", names[f->kind], "word", f->word,
						      "message", output_json_text(f->what, strlen(f->what))));

		if (f->file != NULL)
			json_object_set_new(one, "file", output_json_text(f->file, strlen(f->file)));
		if (f->line > 0)
			json_object_set_new(one, "line", json_integer(f->line));
		if (f->column > 0)
			json_object_set_new(one, "column", json_integer(f->column));
		if (f->hint != NULL)
			json_object_set_new(one, "hint", output_json_text(f->hint, strlen(f->hint)));
		json_array_append_new(ret, one);
	}
	return ret;
}

void findings_free(struct findings *all) {
	for (size_t i = 0; i < all->count; i++) {
		free(all->list[i].file);
		free(all->list[i].excerpt);
		free(all->list[i].word);
		free(all->list[i].what);
		free(all->list[i].hint);
	}
	free(all->list);
	*all = (struct findings){0};
}
