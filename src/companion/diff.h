/* SPDX-License-Identifier: ISC */
/*
 * diff: what changes between two versions of a file, line by line, as `diff -u` shows it.
 *
 * Purpose:  what `install` is about to change, before it does.
 * Given:    texts that may hold any byte; what is printed is escaped.
 * Promises: the fewest changed lines, except between texts so large and so different that finding them takes too long.
 * Never:    reads files.
 */
#ifndef COMPANION_DIFF_H
#define COMPANION_DIFF_H

#include "policy/text.h"

#include <stdio.h>

/* Nothing at all when both are the same. */
void diff_print(FILE *stream, const char *old_name, struct text old, const char *new_name, struct text new);

#endif
