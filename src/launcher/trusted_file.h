/* SPDX-License-Identifier: ISC */
/*
 * trusted_file: open and read what root alone could have written, walking from root without following a symlink.
 * Given:    root, an open directory above descriptor 2, which stays open; absolute paths without empty, . or .. parts:
 *           of the policies, profiles and accounts, and env_file.
 * Promises: each descriptor, root's too, is judged (policy/trust); nothing changed while it was read; what was opened
 *           here is closed again.
 * Never:    opens for writing, blocks on a FIFO, or judges by path what it read by descriptor.
 */
#pragma once

#include "policy/trust.h"

#include <sys/stat.h>

/* false: not answered, whatever the kernel's filter says; *ret then holds no old bytes. */
bool trusted_fstat(int fd, struct stat *ret);

/* Takes a piece of the file, and says how many of its bytes it used up. */
typedef size_t trusted_taker(void *context, struct text piece);

/* The whole file, of this kind (no directory), at most size bytes. A problem's object is what was tried of path. */
bool trusted_read(int root, struct text path, enum trust_kind kind, char *buffer, size_t size, struct text *ret,
		  struct problem *why);

/* The file piece by piece, of any size; a last line without its newline gets one. */
bool trusted_stream(int root, struct text path, char *buffer, size_t size, trusted_taker *take, void *context,
		    struct problem *why);
