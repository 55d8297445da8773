/* SPDX-License-Identifier: ISC */
/*
 * Purpose   every system call that one launch makes between its own start and its command's, as the kernel saw them.
 * Runs as   root, in a world (world.h).
 * Given     who calls, with which arguments, and what the caller does last before exec.
 * Promises  the calls in their order, with the path of those that take one; valid until the next recording.
 * Never     records what the command itself does.
 */
#ifndef SYSTEM_RECORDING_H
#define SYSTEM_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world.h"

struct recorded_call {
	uint64_t number, arguments[6];
	unsigned effective_uid;
	unsigned threads;
	bool has_descriptors; /* above 2 */
	char path[256];	      /* empty: the call takes none */
};

struct recording {
	size_t count;
	const struct recorded_call *calls;
	bool came_to_its_command;
	int status; /* of waitpid; where it did not come to its command */
};

struct recording recording_make(const struct world_person *who, const char *const *argv, void (*gift)(void));

/* runas-app probe -- /usr/local/bin/probe, which it has to come to. */
struct recording recording_of_probe(const struct world_person *who);

/* It opens a file, with these flags. */
bool recorded_open(const struct recorded_call *call, int *ret_flags);

#endif
