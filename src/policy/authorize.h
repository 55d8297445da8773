/* SPDX-License-Identifier: ISC */
/*
 * authorize: may this caller start this app at all? The one decision about people; commands are command_find's.
 * accounts: the policy's names, looked up in the bytes of /etc/passwd and /etc/group, without NSS.
 * trust: could anybody but root have written this? The one rule for every directory and file that is believed.
 * Given:    the kernel's real uid, real gid and supplementary groups, never a name from the environment; account
 *           files in pieces of any size, lines of any length; st_uid, st_mode and st_size of an opened descriptor.
 * Promises: ALLOW only for root, for who is in allow_users or allow_groups, for the app's user if it gains nothing.
 *           Only well-formed lines match (7 or 4 fields, strict numbers and names), so "+", "-" and NIS lines never do;
 *           a name that stands twice with different ids is ambiguous, and so nobody's. Trusted is only root's own that
 *           neither group nor others may write; an ACL shows in the group bits (acl(5)).
 * Never:    answers anything but its two constants; zero, or a flipped bit, means deny (CVE-2023-42465). Lets a name
 *           fall back to a number, to 0, or to the caller. Judges a path, which may name another file a moment later.
 */
#pragma once

#include "policy/policy.h"

#define ACCOUNTS_MAX_WANTED (3 * POLICY_MAX_WORDS + 2)
#define ACCOUNTS_MAX_FIELD 4096

enum accounts_file { ACCOUNTS_PASSWD, ACCOUNTS_GROUP };
enum accounts_state { ACCOUNTS_ABSENT, ACCOUNTS_FOUND, ACCOUNTS_AMBIGUOUS };

struct accounts {
	bool is_number; /* the target is given as one: its line may have any name */
	bool in_long_line; /* the next piece begins within a line: one too long, or one that was passed over */
	struct accounts_user { /* the target's passwd entry; home and shell may be empty, or all of it */
		enum accounts_state state;
		uint32_t uid, gid;
		struct text name, home, shell; /* these stand in bytes */
	} user;
	size_t count;
	struct accounts_wanted { /* every account setting; a number is found from the start */
		const struct setting *by;
		enum accounts_file file;
		enum accounts_state state;
		uint32_t id;
	} wanted[ACCOUNTS_MAX_WANTED];
	char bytes[3 * ACCOUNTS_MAX_FIELD];
};

void accounts_begin(struct accounts *a, const struct policy *p);
/* Does anything have to be looked up there? The target's own entry counts for /etc/passwd. */
bool accounts_wants(const struct accounts *a, const struct policy *p, enum accounts_file file);
/* Takes the whole lines of a piece, and the head of one longer than it; returns how many bytes it used, which may end
 * within a line that cannot matter. */
size_t accounts_feed(struct accounts *a, const struct policy *p, enum accounts_file file, struct text piece);
/* The id of an account setting. false: no such name, or an ambiguous one. */
bool accounts_id(const struct accounts *a, const struct setting *s, uint32_t *ret);

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
	uint32_t open_fds;	  /* bit N: descriptor N (3..31) is the caller's; asked only for `keep_fds` */
	uint32_t pid;
	struct text cwd;	  /* empty when it has no path; asked only for `directory_below` */
	char *const *environment; /* untrusted */
};

bool caller_is_root(const struct caller *c);
enum decision authorize_caller(const struct policy *p, const struct accounts *a, const struct caller *c);

enum trust_kind { TRUST_DIRECTORY, TRUST_FILE, TRUST_SECRET }; /* the last: read by root alone, too */

/* most: largest size of a file, in bytes. The problem's object is the path. */
bool trust_check(enum trust_kind kind, uint32_t uid, uint32_t mode, uint64_t size, uint64_t most, struct text path,
		 struct problem *why);
