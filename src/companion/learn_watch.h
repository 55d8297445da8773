/* SPDX-License-Identifier: ISC */
/*
 * learn_watch: runs the launcher and its app, and looks at every system call that the policy would have refused.
 *
 * Purpose:  what an app does in truth, at the cost of a message to us for each call in question.
 * Runs as:  root with CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SETUID and CAP_SETGID; its supplementary groups become the app's.
 * Given:    the program of the filter that would be in force, and a launcher that loads no more than its complaining twin.
 * Promises: the launcher works as ever (its own calls pass, and its proofs are not ours to answer); every call passes but
 *           those that a shipped profile refuses by name, which are answered as in force; when it ends, so has the app.
 * Never:    lets the app outlive it, unless it is killed itself; then what it watched is answered ENOSYS.
 */
#ifndef COMPANION_LEARN_WATCH_H
#define COMPANION_LEARN_WATCH_H

#include "companion/generate.h"
#include "companion/learn_call.h"
#include "companion/learn_paths.h"

#include <sys/types.h>

enum { LEARN_VARIANTS = 12, LEARN_TASK_NAME = 32 };

struct learn_seen {
	unsigned long times;
	uint32_t answer; /* SECCOMP_RET_ERRNO with what the app would have been told */
	bool is_refused; /* it was told so: a shipped profile refuses this call on purpose */
	pid_t task;	 /* the first that asked */
	char name[LEARN_TASK_NAME];
	size_t variant_count; /* of the arguments that a rule for this call looks at */
	struct learn_variant {
		uint32_t values[6];
		unsigned long times;
	} variants[LEARN_VARIANTS];
	bool has_more_variants;
};

struct learn_watch {
	/* what to do */
	const struct program *enforce; /* NULL: no profile */
	const struct profile *profile; /* NULL: only its program is known */
	struct learn_identity app;
	const uint32_t *groups;
	size_t group_count;
	const char *launcher;
	char *const *argv;
	unsigned seconds; /* 0: until it ends */

	/* what came of it */
	struct learn_seen calls[SYSCALLS_NUMBERS];
	struct learn_paths written;
	unsigned long unread; /* writing calls whose path we could not read */
	bool has_started;     /* the launcher became the app */
	bool was_stopped;     /* by a signal to us, or after its seconds */
	int status;	      /* of waitpid(2) */
};

/* false: it could not be done, and why was said. */
bool learn_watch(struct learn_watch *watch);

/*
 * Which calls come to us: those that `enforce` does not allow whatever their arguments, and those that write. The numbers
 * that prove the launcher's filter never do.
 */
bool learn_watch_filter(const struct program *enforce, struct generated *ret);

/* The bits of the arguments that rules for this call look at, and whether there are any. */
bool learn_watch_masks(const struct profile *profile, uint32_t number, uint32_t ret[6]);

#endif
