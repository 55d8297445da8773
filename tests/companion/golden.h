/* SPDX-License-Identifier: ISC */
/*
 * golden: what is said now is what a person once read and found good.
 *
 * Given:    the top of the repository as working directory, or whole paths.
 * Promises: the test fails, and shows both, where the file says otherwise; GOLDEN=write in the environment writes the file
 *           instead: read the difference before you commit it.
 */
#ifndef TESTS_COMPANION_GOLDEN_H
#define TESTS_COMPANION_GOLDEN_H

void golden_expect(const char *path, const char *now);

/* Any file, whole, with a NUL behind; valid until the next one. NULL: there is none. */
const char *golden_read(const char *path);

#endif
