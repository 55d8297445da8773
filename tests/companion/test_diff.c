/* SPDX-License-Identifier: ISC */
/* What diff_print prints is a difference that patch(1) would take: from the old text it makes the new one. */
#include "companion/diff.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static char *difference(const char *old, const char *new) {
	char *said = NULL;
	size_t size;
	FILE *stream = open_memstream(&said, &size);

	diff_print(stream, "old", text_of(old), "new", text_of(new));
	fclose(stream);
	return said;
}

static void expect(const char *old, const char *new, const char *want) {
	char *said = difference(old, new);

	cr_expect_str_eq(said, want);
	free(said);
}

#define HEAD "--- old\n+++ new\n"

Test(diff, says_nothing_about_the_same) {
	expect("", "", "");
	expect("a\nb\n", "a\nb\n", "");
}

Test(diff, says_what_changed_and_three_lines_around_it) {
	expect("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
	       HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
	expect("a\nb\n", "b\n", HEAD "@@ -1,2 +1,1 @@\n-a\n b\n");
	expect("a\n", "a\nb\n", HEAD "@@ -1,1 +1,2 @@\n a\n+b\n");
	expect("", "a\n", HEAD "@@ -0,0 +1,1 @@\n+a\n");
	expect("a\n", "", HEAD "@@ -1,1 +0,0 @@\n-a\n");
}

Test(diff, far_changes_are_apart_and_near_ones_together) {
	expect("A\n1\n2\n3\n4\n5\n6\nB\n", "a\n1\n2\n3\n4\n5\n6\nb\n",
	       HEAD "@@ -1,8 +1,8 @@\n-A\n+a\n 1\n 2\n 3\n 4\n 5\n 6\n-B\n+b\n");
	expect("A\n1\n2\n3\n4\n5\n6\n7\nB\n", "a\n1\n2\n3\n4\n5\n6\n7\nb\n",
	       HEAD "@@ -1,4 +1,4 @@\n-A\n+a\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-B\n+b\n");
}

Test(diff, a_missing_last_newline_is_a_difference_and_controls_are_shown) {
	expect("a\nb", "a\nb\n", HEAD "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n");
	expect("a\n", "a\x1b[2J\n", HEAD "@@ -1,1 +1,1 @@\n-a\n+a\\033[2J\n");
}

/* Applies a difference to old; NULL: it does not fit. */
static char *patched(const char *old, const char *said) {
	char *ret = calloc(1, 1 << 16), *to = ret;
	size_t at = 0, start, olds, news, line = 0, here;
	const char *rest = old;

	if (*said == '\0')
		return strcpy(ret, old);
	said = strchr(strchr(said, '\n') + 1, '\n') + 1;
	while (sscanf(said, "@@ -%zu,%zu +%zu,%zu @@", &start, &olds, &here, &news) == 4) {
		start -= olds > 0;
		for (; line < start; line++) {
			const size_t length = strcspn(rest, "\n") + 1;

			to = mempcpy(to, rest, length);
			rest += length;
			at++;
		}
		if (at + (news > 0) != here)
			goto wrong;
		for (said = strchr(said, '\n') + 1; olds + news > 0; said = strchr(said, '\n') + 1) {
			const size_t length = strcspn(said + 1, "\n") + 1;

			if (*said != '+') {
				if (olds == 0 || strncmp(rest, said + 1, length) != 0)
					goto wrong;
				rest += length;
				olds--;
				line++;
			}
			if (*said != '-') {
				if (news == 0)
					goto wrong;
				to = mempcpy(to, said + 1, length);
				news--;
				at++;
			}
		}
	}
	strcpy(to, rest);
	if (*said == '\0')
		return ret;
wrong:
	free(ret);
	return NULL;
}

static void make_text(char *to, unsigned *seed) {
	for (int lines = rand_r(seed) % 40; lines > 0; lines--) {
		*to++ = (char)('a' + rand_r(seed) % 5);
		*to++ = '\n';
	}
	*to = '\0';
}

Test(diff, makes_the_new_text_out_of_the_old_one) {
	unsigned seed = 7;
	char old[128], new[128];

	for (int round = 0; round < 3000; round++) {
		char *said, *made;

		make_text(old, &seed);
		make_text(new, &seed);
		said = difference(old, new);
		made = patched(old, said);
		cr_assert(made != NULL && strcmp(made, new) == 0, "old:\n%snew:\n%ssaid:\n%s", old, new, said);
		free(made);
		free(said);
	}
}

/* 30000 lines against 30000 others would be a table of 3.6 GB. */
Test(diff, large_texts_end_too, .timeout = 20) {
	enum { LINES = 30000 };
	char *old = calloc(2, LINES + 1), *new = calloc(2, LINES + 1), *said;
	struct rusage used;

	for (size_t i = 0; i < LINES; i++) {
		memcpy(old + 2 * i, "a\n", 2);
		memcpy(new + 2 * i, "b\n", 2);
	}
	said = difference(old, new);
	cr_expect_eq(strlen(said), strlen(HEAD "@@ -1,30000 +1,30000 @@\n") + 6 * LINES);
	cr_assert_eq(getrusage(RUSAGE_SELF, &used), 0);
	cr_expect_lt(used.ru_maxrss, 512 * 1024, "%ld KiB", used.ru_maxrss);
	free(said);
	free(new);
	free(old);
}
