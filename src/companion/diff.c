/* SPDX-License-Identifier: ISC */
#include "companion/diff.h"

#include "companion/output.h"

#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 3, MOST_CELLS = 1 << 24 };

struct change {
	char sign; /* ' ', '-' or '+' */
	struct text line;
};

struct lines {
	struct text *at;
	size_t count;
};

/* Each with its newline, so that a missing last one is a difference too. */
static struct lines split(struct text bytes) {
	struct lines ret = {output_memory(calloc(bytes.length + 1, sizeof *ret.at)), 0};

	while (bytes.length > 0) {
		const char *end = memchr(bytes.at, '\n', bytes.length);
		const size_t length = end == NULL ? bytes.length : (size_t)(end - bytes.at) + 1;

		ret.at[ret.count++] = (struct text){bytes.at, length};
		bytes = text_after(bytes, length);
	}
	return ret;
}

/* The longest common subsequence of what differs: lengths of it from each pair of lines on. */
static size_t compare(const struct text *old, size_t olds, const struct text *new, size_t news, struct change *ret) {
	const size_t width = news + 1;
	uint32_t *table =
		(olds + 1) * width > MOST_CELLS ? NULL : output_memory(calloc((olds + 1) * width, sizeof *table));
	size_t count = 0, i = 0, j = 0;

	for (size_t a = olds; table != NULL && a-- > 0;)
		for (size_t b = news; b-- > 0;) {
			const uint32_t down = table[(a + 1) * width + b], right = table[a * width + b + 1];

			table[a * width + b] = text_equal(old[a], new[b]) ? table[(a + 1) * width + b + 1] + 1
					       : down > right		  ? down
									  : right;
		}
	while (i < olds || j < news) {
		if (table != NULL && i < olds && j < news && text_equal(old[i], new[j])) {
			ret[count++] = (struct change){' ', old[i++]};
			j++;
		} else if (i < olds &&
			   (table == NULL || j == news || table[(i + 1) * width + j] >= table[i * width + j + 1])) {
			ret[count++] = (struct change){'-', old[i++]};
		} else {
			ret[count++] = (struct change){'+', new[j++]};
		}
	}
	free(table);
	return count;
}

static void print_line(FILE *stream, const struct change *c) {
	const bool is_ended = c->line.at[c->line.length - 1] == '\n';
	char *shown = output_escaped(c->line.at, c->line.length - is_ended);

	fprintf(stream, "%s%c%s%s\n",
		output_colour(stream, c->sign == '-'   ? OUTPUT_RED
				      : c->sign == '+' ? OUTPUT_GREEN
						       : OUTPUT_NONE),
		c->sign, shown, output_colour(stream, OUTPUT_NONE));
	if (!is_ended)
		fputs("\\ No newline at end of file\n", stream);
	free(shown);
}

/* As diff(1) has it: an empty range is named by the line before it. */
static void print_hunk(FILE *stream, const struct change *from, const struct change *to, size_t old_at, size_t new_at) {
	size_t olds = 0, news = 0;

	for (const struct change *c = from; c < to; c++) {
		olds += c->sign != '+';
		news += c->sign != '-';
	}
	fprintf(stream, "@@ -%zu,%zu +%zu,%zu @@\n", old_at + (olds > 0), olds, new_at + (news > 0), news);
	for (const struct change *c = from; c < to; c++)
		print_line(stream, c);
}

static void print_hunks(FILE *stream, const struct change *all, size_t count) {
	size_t old_at = 0, new_at = 0, at = 0; /* at: the first change that is not printed yet */

	for (size_t next = 0; next < count;) {
		size_t from, end, quiet = 0;

		for (next = at; next < count && all[next].sign == ' '; next++)
			;
		if (next == count)
			return;
		from = next - at > CONTEXT ? next - CONTEXT : at;
		old_at += from - at;
		new_at += from - at;
		for (end = next; end < count && quiet <= CONTEXT + CONTEXT; end++)
			quiet = all[end].sign == ' ' ? quiet + 1 : 0;
		end -= quiet > CONTEXT ? quiet - CONTEXT : 0;
		print_hunk(stream, all + from, all + end, old_at, new_at);
		for (size_t i = from; i < end; i++) {
			old_at += all[i].sign != '+';
			new_at += all[i].sign != '-';
		}
		at = next = end;
	}
}

void diff_print(FILE *stream, const char *old_name, struct text old, const char *new_name, struct text new) {
	struct lines before = split(old), after = split(new);
	struct change *all = output_memory(calloc(before.count + after.count + 1, sizeof *all));
	size_t head = 0, tail = 0, count = 0;

	while (head < before.count && head < after.count && text_equal(before.at[head], after.at[head]))
		all[count++] = (struct change){' ', before.at[head++]};
	while (tail < before.count - head && tail < after.count - head &&
	       text_equal(before.at[before.count - tail - 1], after.at[after.count - tail - 1]))
		tail++;
	count += compare(before.at + head, before.count - head - tail, after.at + head, after.count - head - tail,
			 all + count);
	for (size_t i = before.count - tail; i < before.count; i++)
		all[count++] = (struct change){' ', before.at[i]};
	if (!text_equal(old, new)) {
		fprintf(stream, "%s--- %s\n+++ %s%s\n", output_colour(stream, OUTPUT_BOLD), old_name, new_name,
			output_colour(stream, OUTPUT_NONE));
		print_hunks(stream, all, count);
	}
	free(all);
	free(before.at);
	free(after.at);
}
