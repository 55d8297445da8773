/* SPDX-License-Identifier: ISC */
/*
 * command: the token patterns of `command`: is a typed command one that a pattern describes, token by token?
 * Given:    patterns that command_check has passed.
 * Promises: a hole stands for part of ONE argument and {word} and {int} never for an option;
 *           literal text matches byte for byte; the file that runs is the pattern's, not the caller's.
 * Never:    joins arguments, so nothing can span two of them, as a sudoers wildcard can.
 */
#pragma once

#include "policy/policy.h"
#include "policy/request.h"

struct command_match {
	const struct setting *by; /* the pattern */
	struct text path;	  /* its first token; empty: `*`, so what the caller typed */
};

bool command_check(struct text pattern, struct problem *why);

/*
 * directory: where a relative COMMAND may be relative to; empty when the caller's cwd is kept. Of several that fit, one
 * without a last `*` comes first, then one with words before it, then `*` alone; of two alike the `serve`.
 */
bool command_find(const struct policy *p, const struct request *r, struct text directory, struct command_match *ret,
		  struct problem *why);
