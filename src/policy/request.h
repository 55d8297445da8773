/* SPDX-License-Identifier: ISC */
/*
 * request: what the caller asked for, untrusted: runas-app APP [--] COMMAND [ARG...], --help, --version.
 * Given:    argc and argv as the kernel has them.
 * Promises: argv is kept by pointer, never unescaped, joined or rewritten (CVE-2021-3156); the only
 *           place it is split at is the first "--" (CVE-2023-22809); no option weakens a policy.
 * Never:    looks at argv[0] (CVE-2023-6246), or at anything before argc is known (CVE-2021-4034).
 */
#pragma once

#include "policy/problem.h"

enum request_kind { REQUEST_RUN, REQUEST_HELP, REQUEST_VERSION };

struct request {
	enum request_kind kind;
	struct text app;
	char *const *command; /* COMMAND and its arguments, NULL-terminated */
	size_t words;	      /* how many, at least 1 */
};

bool request_parse(int argc, char *const *argv, struct request *ret, struct problem *why);
