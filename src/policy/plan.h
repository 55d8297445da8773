/* SPDX-License-Identifier: ISC */
/*
 * plan: the whole launch as numbers and bytes, decided before anything is given up.
 * Given:    a caller and a command that were allowed; accounts that have seen both files.
 * Promises: ids are never 0 or 4294967295; groups are sorted and unique; everything that can be
 *           refused has been when it returns true. The companion prints the very same plan.
 * Never:    asks the system anything, and nothing is decided after it.
 */
#pragma once

#include "policy/authorize.h"
#include "policy/command.h"
#include "policy/environment.h"
#include "policy/program.h"

#define PLAN_MAX_GROUPS POLICY_MAX_WORDS
#define PLAN_PATH_BYTES (81920 + POLICY_MAX_BYTES) /* what `path` makes of a command, and all write paths */

struct launch_plan {
	struct app_uid uid;
	struct app_gid gid;
	uint32_t groups[PLAN_MAX_GROUPS];
	size_t group_count;
	uint32_t umask;
	struct text start;     /* the directory: where a relative COMMAND may start from, too, unless keeps_cwd */
	const char *directory; /* the same for chdir(2), as the app user */
	bool keeps_cwd;	       /* it is the caller's cwd, and must be the same one when entered by path */
	bool has_root;	       /* ids and capabilities are changed; otherwise they are only proven */
	bool restores;	       /* what the caller set (section 4 of SECURITY.md) goes to fixed defaults */
	struct plan_number {   /* put in place; or, not set, the caller's that stays */
		bool is_set;
		int value;
	} nice, oom_score_adj;
	struct plan_limit {
		bool is_set;
		uint64_t soft, hard, least_hard; /* least_hard: enough where the hard limit cannot be raised */
	} limits[POLICY_LIMITS];
	uint32_t keep_fds; /* those of `listen` too */
	struct policy_listen listens[POLICY_MAX_LISTEN]; /* for `serve` commands, from descriptor 3 */
	size_t listen_count;
	bool owns_stdio;   /* root-made pipes on 0-2 become the app user's */
	const char *writes[POLICY_MAX_WRITES];
	size_t write_count;
	int landlock_abi;      /* for the log: -1 nothing is limited by policy, 0 nor by the kernel */
	uint64_t write_rights; /* those of landlock(7) that mean writing and that its ABI limits; 0: nothing is limited */
	const struct program *profile; /* NULL: `syscalls = none` */
	char *const *argv;
	const char *paths[POLICY_MAX_CANDIDATES]; /* tried in order */
	size_t path_count;
	struct environment environment;
	char bytes[ENVIRONMENT_MAX_BYTES + PLAN_PATH_BYTES]; /* of the environment, then of all paths */
};

struct plan_given {
	const struct request *request;
	const struct caller *caller;
	const struct policy *policy;
	const struct accounts *accounts;
	struct command_match match;
	const struct program *profile; /* this and what follows is read after the caller and the command were allowed */
	struct text secrets; /* of env_file */
	int landlock_abi;    /* or -errno */
};

struct plan_profile plan_profile(const struct policy *p);
/* The target's ids; refuses 0, unknown and ambiguous names. */
bool plan_identity(const struct policy *p, const struct accounts *a, struct launch_plan *ret, struct problem *why);
/* start and keeps_cwd: `directory`, home, or a kept cwd. */
bool plan_directory(const struct policy *p, const struct accounts *a, const struct caller *c, struct launch_plan *ret,
		    struct problem *why);
bool plan_build(const struct plan_given *given, struct launch_plan *ret, struct problem *why);
