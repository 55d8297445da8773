/* SPDX-License-Identifier: ISC */
/*
 * trust: could anybody but root have written this? The one rule for every directory and file that is believed.
 * Given:    st_uid, st_mode and st_size of an opened descriptor.
 * Promises: true only for root's own that neither group nor others may write; an ACL shows in the group bits (acl(5)).
 * Never:    judges a path, which may name another file a moment later.
 */
#pragma once

#include "policy/problem.h"

enum trust_kind { TRUST_DIRECTORY, TRUST_FILE, TRUST_SECRET }; /* the last: read by root alone, too */

/* most: largest size of a file, in bytes. The problem's object is the path. */
bool trust_check(enum trust_kind kind, uint32_t uid, uint32_t mode, uint64_t size, uint64_t most, struct text path,
		 struct problem *why);
