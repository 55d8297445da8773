/* SPDX-License-Identifier: ISC */
/*
 * authorize: may this caller start this app at all? The one decision about people; commands are command_find's.
 * Given:    the kernel's real uid, real gid and supplementary groups; never a name from the environment.
 * Promises: ALLOW only for root, for who is in allow_users or allow_groups, for the app's user if it gains nothing.
 * Never:    answers anything but its two constants; zero, or a flipped bit, means deny (CVE-2023-42465).
 */
#pragma once

#include "policy/accounts.h"

enum decision { DECISION_DENY = 0, DECISION_ALLOW = 0x2b5a94d3 };

/* The caller's and the app's ids do not convert into each other: mixing them up does not compile. */
struct caller_uid { uint32_t value; };
struct caller_gid { uint32_t value; };
struct app_uid { uint32_t value; };
struct app_gid { uint32_t value; };

struct caller {
	struct caller_uid uid; /* real */
	struct caller_gid gid; /* real */
	const uint32_t *groups;
	size_t group_count;
	bool has_root;		  /* effective and saved uid 0: real root, or through the setuid bit */
	bool is_uniform;	  /* real = effective = saved, for uid and gid */
	uint32_t open_fds;	  /* bit N: its descriptor N (3..31) is open; asked only for `keep_fds` */
	uint32_t pid;
	struct text cwd;	  /* empty when it has no path */
	char *const *environment; /* untrusted */
};

bool caller_is_root(const struct caller *c);
enum decision authorize_caller(const struct policy *p, const struct accounts *a, const struct caller *c);
