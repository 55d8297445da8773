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
	ret->what = output_vformat(format, arguments);
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

/* Of its own: with ours as well it would be ""0027"". */
static bool has_quotes(struct text t) { return t.at[0] == '"' || t.at[t.length - 1] == '"'; }

struct finding *findings_problem(struct findings *to, enum finding_kind kind, const char *file, struct text bytes,
				 const struct problem *why) {
	char *about = output_escaped(why->about.at, why->about.length), *more = NULL;
	char *object = output_escaped(why->object.at, why->object.length);
	const char *quote = why->about.length == 0 || has_quotes(why->about) ? "" : "\"";
	struct finding *ret;

	if (why->hint != NULL) {
		char *behind = output_escaped(why->hint_about.at, why->hint_about.length);

		more = output_format("%s%s", why->hint, behind);
		free(behind);
	}
	ret = findings_add(to, kind, why->object.length > 0 ? object : file, why->word, more, "%s%s%s%s%s%s%s",
			   why->what, why->about.length > 0 ? " " : "", quote, about, quote,
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

/* The first finding about the same file stands for it. */
static size_t file_of(const struct findings *all, const struct finding *f) {
	size_t i = 0;

	while (i < all->count &&
	       (f->file == NULL || all->list[i].file == NULL ? f->file != all->list[i].file
							     : strcmp(f->file, all->list[i].file) != 0))
		i++;
	return i;
}

void findings_sort(struct findings *all, size_t from) {
	size_t *files = output_memory(calloc(all->count + 1, sizeof *files));

	for (size_t i = from; i < all->count; i++)
		files[i] = file_of(all, &all->list[i]);
	for (size_t i = from + 1; i < all->count; i++) {
		const struct finding moved = all->list[i];
		const size_t file = files[i];
		const unsigned line = moved.line > 0 ? moved.line : UINT32_MAX;
		size_t at = i;

		for (; at > from; at--) {
			const unsigned before = all->list[at - 1].line > 0 ? all->list[at - 1].line : UINT32_MAX;

			if (files[at - 1] < file || (files[at - 1] == file && before <= line))
				break;
			all->list[at] = all->list[at - 1];
			files[at] = files[at - 1];
		}
		all->list[at] = moved;
		files[at] = file;
	}
	free(files);
}

static bool is_inside_character(const char *at) { return ((unsigned char)*at & 0xc0) == 0x80; }

/* On the screen; wide characters are taken for one column, and combining ones too. */
static size_t columns(const char *shown) {
	size_t count = 0;

	for (; *shown != '\0'; shown++)
		count += !is_inside_character(shown);
	return count;
}

/* Of a long line, only what is around the place. */
static void print_caret(const struct finding *f, FILE *stream) {
	enum { MOST = 160, BEFORE = 80 };
	const size_t whole = strlen(f->excerpt), column = f->column > 0 ? f->column - 1 : 0,
		     place = column < whole ? column : whole;
	size_t from = whole > MOST && place > BEFORE ? place - BEFORE : 0,
	       end = whole - from > MOST ? from + MOST : whole;
	char *shown, *before, *under;

	while (from > 0 && is_inside_character(f->excerpt + from))
		from--;
	while (end < whole && is_inside_character(f->excerpt + end))
		end++;
	shown = output_escaped(f->excerpt + from, end - from);
	before = output_escaped(f->excerpt + from, place - from);
	under = output_escaped(f->excerpt + place, place + f->length < end ? f->length : end - place);
	fprintf(stream, "    %s%s%s\n", from > 0 ? "..." : "", shown, end < whole ? "..." : "");
	if (f->column > 0) {
		fprintf(stream, "    %*s%s", (int)(columns(before) + (from > 0 ? 3 : 0)), "",
			output_colour(stream, OUTPUT_GREEN));
		for (size_t i = 0; i < columns(under) || i == 0; i++)
			fputc(i == 0 ? '^' : '~', stream);
		fprintf(stream, "%s\n", output_colour(stream, OUTPUT_NONE));
	}
	free(shown);
	free(before);
	free(under);
}

void findings_print(const struct findings *all, FILE *stream) {
	static const enum output_colour colours[] = {OUTPUT_RED, OUTPUT_YELLOW, OUTPUT_DIM};

	for (size_t i = 0; i < all->count; i++) {
		const struct finding *const f = &all->list[i];
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

	for (size_t i = 0; i < all->count; i++) {
		const struct finding *const f = &all->list[i];
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
		output_append(ret, one);
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
