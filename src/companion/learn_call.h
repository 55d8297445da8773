/* SPDX-License-Identifier: ISC */
/*
 * learn_call: what a system call that waits for our answer is about to write to.
 *
 * Purpose:  the paths that Landlock would be asked about, from the call's arguments and the caller's memory.
 * Runs as:  root; looks paths up with the file system ids of the app, so that what would fail anyhow is not counted.
 * Given:    a task that waits in seccomp user notification, under control of the app: what it says is only learnt from.
 * Promises: absolute real paths, symlinks followed as the call would; nothing for a call that is going to fail (no such
 *           directory, no permission, already there), nor for pipes, sockets and what has no name any more.
 * Never:    opens a file for reading or writing, or waits for the task.
 */
#ifndef COMPANION_LEARN_CALL_H
#define COMPANION_LEARN_CALL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct learn_identity {
	uint32_t uid, gid;
};

struct learn_write {
	char path[PATH_MAX];
	bool is_directory; /* names are made or taken away in it */
};

enum { LEARN_WRITES = 2 }; /* the most that one call has */

/* Which argument of the call has the flags that say whether it writes, and which; -1: it always may. false: never. */
bool learn_call_is_writing(uint32_t number, int *ret_flags_argument, uint32_t *ret_flags);

/* The supplementary groups must be the app's already. *ret_is_unread: the kernel does not let us read its memory. */
size_t learn_call_writes(pid_t task, const struct learn_identity *app, uint32_t number, const uint64_t arguments[6],
			 struct learn_write ret[LEARN_WRITES], bool *ret_is_unread);

#endif
