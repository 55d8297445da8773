/* SPDX-License-Identifier: ISC */
/* For tests of accounts: what a setting's name was found to be. */
#pragma once

#include "tests/policy/given.h"

/* The id of the first value of a key; -1 when there is none to be had. */
static inline int64_t id_of(const struct accounts *a, const struct policy *p, enum policy_key key) {
	uint32_t id = 0xdeadbeef;

	return accounts_id(a, policy_next(p, key, NULL), &id) ? (int64_t)id : -1;
}
