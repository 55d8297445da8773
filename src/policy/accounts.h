/* SPDX-License-Identifier: ISC */
/*
 * accounts: the policy's names, looked up in the bytes of /etc/passwd and /etc/group, without NSS.
 * Given:    the file in pieces of any size; lines may be of any length.
 * Promises: only well-formed lines match (7 or 4 fields, strict numbers and names), so "+", "-" and NIS lines never do;
 *           a name that stands twice with different ids is ambiguous, and so nobody's.
 * Never:    lets a name fall back to a number, to 0, or to the caller.
 */
#pragma once

#include "policy/policy.h"

#define ACCOUNTS_MAX_WANTED (3 * POLICY_MAX_WORDS + 2)
#define ACCOUNTS_MAX_FIELD 4096

enum accounts_file { ACCOUNTS_PASSWD, ACCOUNTS_GROUP };
enum accounts_state { ACCOUNTS_ABSENT, ACCOUNTS_FOUND, ACCOUNTS_AMBIGUOUS };

struct accounts {
	bool is_number; /* the target is given as one: its line may have any name */
	bool in_long_line;
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

/* Takes the whole lines of a piece (and the head of one longer than it), returns how many bytes it used. */
size_t accounts_feed(struct accounts *a, const struct policy *p, enum accounts_file file, struct text piece);

/* The id of an account setting. false: no such name, or an ambiguous one. */
bool accounts_id(const struct accounts *a, const struct setting *s, uint32_t *ret);
