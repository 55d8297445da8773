/* SPDX-License-Identifier: ISC */
/*
 * target: who an app is, as its policy says, for questions about files.
 *
 * Purpose:  audit and why ask about the very app that the launcher would start.
 * Given:    a valid draft with accounts.
 * Promises: the ids, groups and `write` paths that the launcher would use (plan_identity decides).
 * Never:    merges groups of /etc/group in, as a login would.
 */
#ifndef COMPANION_TARGET_H
#define COMPANION_TARGET_H

#include "companion/access.h"
#include "companion/draft.h"

struct target {
	struct access_who who;
	struct access_names names;
	char *user, *group; /* names, or numbers that have none */
	char *groups;	    /* as `groups` should name them: "shop web", "none" */
	uint32_t umask;
	struct launch_plan *plan;
	char **writes;
};

/* false: why, said by output_fail. Free with target_free in any case. */
bool target_read(const struct draft *draft, struct target *ret);
void target_free(struct target *target);

/* The same from an account and its groups of /etc/group. */
struct access_who target_of_person(const struct person *person);

#endif
