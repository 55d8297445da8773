/* SPDX-License-Identifier: ISC */
/*
 * Purpose   one launch in which one system call goes wrong: it fails, answers 0 without doing anything, or is where the
 *           launch is stopped or killed.
 * Runs as   root, in a world (world.h): the tracer of a setuid program has to be root.
 * Given     a call of world_run; which system call, by its place in the launch, as inject_watch has recorded it.
 * Promises  the launcher alone is traced, by no name and no file that it could see: after the fault, or at its own
 *           exec, nothing traces it any more. A launch that differs from the recorded one fails the test.
 * Never     waits without a limit that the test suite does not set.
 */
#ifndef SYSTEM_INJECT_H
#define SYSTEM_INJECT_H

#include "world.h"

#include <stdint.h>

struct inject_call {
	char name[28];
	unsigned when; /* the how manyth of this name, from 1: as strace counts */
	uint64_t number, arguments[6];
	int64_t result; /* -errno */
};

struct inject_fault {
	const char *name;
	enum { INJECT_ANSWER, INJECT_STOP, INJECT_KILL } kind;
	int64_t answer;
};

enum { INJECT_FAULTS = 13, INJECT_CALLS_MAX = 2048 };
extern const struct inject_fault inject_faults[INJECT_FAULTS];

/* The system calls from the launcher's start to its execve that succeeds, or to its end: at most INJECT_CALLS_MAX. */
size_t inject_watch(const struct world_call *call, struct inject_call *calls, struct world_run **ret);

/* The same launch, and this call of it goes wrong. NULL: the launch made other calls before. */
struct world_run *inject_into(const struct world_call *call, const struct inject_call *calls, size_t index,
			      const struct inject_fault *fault);

/* The same launch, and no call with this number does anything: 0 is all that it answers. */
struct world_run *inject_always(const struct world_call *call, uint64_t number);

#endif
