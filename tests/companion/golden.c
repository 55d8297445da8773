/* SPDX-License-Identifier: ISC */
#include "tests/companion/golden.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *golden_read(const char *path) {
	static char bytes[256 * 1024];
	FILE *file = fopen(path, "re");
	size_t length;

	cr_assert(file != NULL || errno == ENOENT, "%s: %s", path, strerror(errno));
	if (file == NULL)
		return NULL;
	length = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	cr_assert_lt(length, sizeof bytes, "%s is too large", path);
	bytes[length] = '\0';
	return bytes;
}

void golden_expect(const char *path, const char *now) {
	const char *write = getenv("GOLDEN"), *then;

	if (write != NULL && strcmp(write, "write") == 0) {
		FILE *file = fopen(path, "we");

		cr_assert(file != NULL && fputs(now, file) >= 0 && fclose(file) == 0, "%s: %s", path, strerror(errno));
	}
	then = golden_read(path);
	cr_expect(then != NULL && strcmp(now, then) == 0, "%s:\n%s--- is not ---\n%s", path, now,
		  then == NULL ? "(no such file)" : then);
}
