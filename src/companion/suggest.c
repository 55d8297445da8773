/* SPDX-License-Identifier: ISC */
#include "companion/suggest.h"

#include <stdio.h>

/* The fewest single-byte edits from one word to the other; two bytes that changed places are one edit. */
static size_t distance(struct text a, struct text b) {
	size_t rows[3][64], *before = rows[0], *last = rows[1], *row = rows[2];

	if (b.length >= 64)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.length; j++)
		before[j] = last[j] = j;
	for (size_t i = 1; i <= a.length; i++) {
		size_t *const unused = before;

		row[0] = i;
		for (size_t j = 1; j <= b.length; j++) {
			const size_t change = last[j - 1] + (a.at[i - 1] != b.at[j - 1]);
			const size_t edit = (last[j] < row[j - 1] ? last[j] : row[j - 1]) + 1;

			row[j] = change < edit ? change : edit;
			if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = unused;
	}
	return last[b.length];
}

struct suggestion suggest_for(struct text word) {
	return (struct suggestion){.word = word, .least = word.length > 5 ? 3 : word.length > 1 ? 2 : 0};
}

void suggest_offer(struct suggestion *s, struct text known) {
	const size_t far = distance(s->word, known);

	if (far >= s->least || known.length >= sizeof s->best)
		return;
	s->least = far;
	snprintf(s->best, sizeof s->best, "%.*s", (int)known.length, known.at);
}

void suggest_offer_accounts(struct suggestion *s, struct text file) {
	for (struct text line, name; text_field(&file, "\n", &line);) {
		name = text_until(&line, ":");
		if (text_is_account(name))
			suggest_offer(s, name);
	}
}
