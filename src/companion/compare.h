/* SPDX-License-Identifier: ISC */
/*
 * compare: a process beside the launch that its app's policy plans.
 *
 * Purpose:  what is wrong with a running app is seen without reading /proc by hand.
 * Given:    a plan, and a process that may have done since what a process may: lower its limits, change its directory.
 * Promises: DIFFERS for what the policy promises and the process has not, or could not have come to by itself; CHANGED
 *           for what an app may do by itself; UNKNOWN for what cannot be seen from outside.
 * Never:    takes what it could not read for what it should be.
 */
#ifndef COMPANION_COMPARE_H
#define COMPANION_COMPARE_H

#include "companion/draft.h"
#include "companion/process.h"

enum comparison { COMPARE_SAME, COMPARE_CHANGED, COMPARE_DIFFERS, COMPARE_UNKNOWN, COMPARE_SHOWN };

struct compared {
	enum comparison how;
	char *what, *is, *should; /* should may be NULL */
};

struct comparisons {
	struct compared *list;
	size_t count, different;
	bool is_launched; /* no_new_privs, a filter, no capabilities, an empty bounding set: as runas-app makes it */
	bool is_rootless; /* the same, but for a bounding set: as in a container that is the app's user already */
};

/* What a launch of this policy makes, whatever the command; NULL: findings say why. The draft's profile is the default one then. */
struct rehearsal *compare_plan(struct draft *draft, struct findings *findings);

/* draft and plan NULL: only what is so. around: how many filters every process here has, as process_filters_around says. */
struct comparisons compare_process(const struct image *image, const struct draft *draft, const struct launch_plan *plan,
				   int around, const struct process *process);
void compare_free(struct comparisons *all);

/* "cap_chown cap_kill", "all", or "none"; a new string. */
char *compare_capabilities(uint64_t set);

#endif
