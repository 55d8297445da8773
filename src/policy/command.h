/* SPDX-License-Identifier: ISC */
/*
 * request: what the caller asked for, untrusted: runas-app APP [--] COMMAND [ARG...], --help, --version.
 * command: the token patterns of `command`: is that command one that a pattern describes, token by token?
 * Given:    argc and argv as the kernel has them; patterns that command_check has passed.
 * Promises: argv is kept by pointer, never unescaped, joined or rewritten (CVE-2021-3156), split only at the first
 *           "--" (CVE-2023-22809); no option weakens a policy. A hole stands for part of ONE argument, {word} and {int}
 *           never for an option; literal text matches byte for byte; the file that runs is the pattern's.
 * Never:    looks at argv[0] (CVE-2023-6246), or at anything before argc is known (CVE-2021-4034); joins arguments, so
 *           nothing can span two of them, as a sudoers wildcard can.
 */
#pragma once

#include "policy/policy.h"

enum request_kind { REQUEST_RUN, REQUEST_HELP, REQUEST_VERSION };

struct request {
	enum request_kind kind;
	struct text app;
	char *const *command; /* COMMAND and its arguments, NULL-terminated */
	size_t words;	      /* how many, at least 1 */
};

bool request_parse(int argc, char *const *argv, struct request *ret, struct problem *why);

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
