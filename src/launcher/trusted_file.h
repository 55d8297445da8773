/* SPDX-License-Identifier: ISC */
/*
 * trusted_file: open and read what root alone could have written.
 *
 * Purpose:  walk from a root directory without following any symlink, judge each opened descriptor
 *           (policy/trust), read once, and look again that nothing changed meanwhile.
 * Runs as:  effective uid 0 (or without root, with its own rights).
 * Given:    constant absolute directories, and names that have been checked as app or profile names.
 * Promises: every descriptor that it opens is closed when it returns (CVE-2026-46333).
 * Never:    opens for writing, blocks on a FIFO, or judges by path what it read by descriptor.
 */
#ifndef LAUNCHER_TRUSTED_FILE_H
#define LAUNCHER_TRUSTED_FILE_H

#include "policy/problem.h"

/* Takes a piece of the file, and says how many of its bytes it used up. */
typedef size_t trusted_taker(void *context, struct text piece);

/*
 * path: absolute. The whole file, at most size bytes, goes to buffer. *ret_is_missing: there is no such file,
 * as the last component.
 */
bool trusted_read(int root, const char *path, char *buffer, size_t size, struct text *ret, bool *ret_is_missing, struct problem *why);

/* The file piece by piece, of any size; a last line without its newline gets one. */
bool trusted_stream(int root, const char *path, char *buffer, size_t size, trusted_taker *take, void *context, struct problem *why);

#endif
