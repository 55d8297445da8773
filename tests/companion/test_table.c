/* SPDX-License-Identifier: ISC */
/* Tables: as wide as they are in a file, and wrapped between words on a terminal. */
#include "companion/table.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

TestSuite(table, .timeout = 30);

static const char *const titles[] = {"NAME", "WORDS"};

static struct table *make(void) {
	struct table *table;

	setlocale(LC_CTYPE, "C.UTF-8");
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	table = table_new(2, titles, 2);
	table_row(table, OUTPUT_RED, (const char *const[]){"grün", "one two three four five six"});
	table_row(table, OUTPUT_NONE, (const char *const[]){NULL, "ääää öööö üüüü ßßßß ääää öööö"});
	table_row(table, OUTPUT_NONE, (const char *const[]){"x", "aVeryLongWordWithoutAnyBlankInIt"});
	table_row(table, OUTPUT_NONE, (const char *const[]){"y", NULL});
	return table;
}

Test(table, one_row_is_one_line_in_a_file) {
	char *text = NULL;
	size_t length = 0;
	FILE *stream = tmpfile();

	cr_assert_not_null(stream);
	table_print(make(), stream);
	rewind(stream);
	cr_assert(getdelim(&text, &length, EOF, stream) > 0);
	cr_expect_str_eq(text, "  NAME WORDS\n"
			       "  grün one two three four five six\n"
			       "       ääää öööö üüüü ßßßß ääää öööö\n"
			       "  x    aVeryLongWordWithoutAnyBlankInIt\n"
			       "  y\n");
	free(text);
	fclose(stream);
}

/* What a terminal of this width gets, without its carriage returns. */
static void print_to_terminal(unsigned short width, char *ret, size_t size) {
	const struct winsize window = {.ws_row = 24, .ws_col = width};
	const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	FILE *stream;
	size_t used = 0;
	ssize_t got;
	char *to = ret;

	cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	stream = fdopen(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC), "r+");
	cr_assert(stream != NULL && ioctl(fileno(stream), TIOCSWINSZ, &window) == 0);
	table_print(make(), stream);
	fclose(stream);
	/* What was written line by line may be read so. */
	while (used < size - 1 && (got = read(master, ret + used, size - 1 - used)) > 0)
		used += (size_t)got;
	cr_assert(used > 0);
	ret[used] = '\0';
	for (const char *from = ret; *from != '\0'; from++)
		if (*from != '\r')
			*to++ = *from;
	*to = '\0';
	close(master);
}

Test(table, wraps_between_words_on_a_terminal) {
	char text[4096];

	print_to_terminal(27, text, sizeof text);
	cr_expect_str_eq(text, "  NAME WORDS\n"
			       "  \033[31mgrün\033[0m one two three four\n"
			       "       five six\n"
			       "       ääää öööö üüüü ßßßß\n"
			       "       ääää öööö\n"
			       "  x    aVeryLongWordWithout\n"
			       "       AnyBlankInIt\n"
			       "  y\n");
}

Test(table, leaves_it_to_a_terminal_that_is_too_narrow) {
	char text[4096];

	print_to_terminal(20, text, sizeof text);
	cr_expect(strstr(text, " one two three four five six\n") != NULL, "%s", text);
}
