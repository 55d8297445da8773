/* SPDX-License-Identifier: ISC */
/*
 * version: what this release calls itself, and the one place where it says so; the packages read it here, too.
 * Promises: `runas-app --version` prints VERSION_WORDS, `runas-policy --version` the same behind its own name.
 */
#pragma once

#include <stdint.h> /* glibc says that it is there; musl does not */

#define RUNAS_VERSION "0.2"
/* The first line of a policy, `runas-app = 1`. A newer one may mean what this release does not know: refused. */
#define POLICY_FORMAT "1"

#ifdef __GLIBC__
#define VERSION_LIBC "glibc"
#else
#define VERSION_LIBC "musl"
#endif

/* digest: of the filters of all shipped profiles, as the launcher loads them. */
#define VERSION_WORDS(digest)                                                                                          \
	"runas-app " RUNAS_VERSION ", " VERSION_LIBC ", profiles " digest ", policy format " POLICY_FORMAT "\n"

/* Written at build time by embed-profiles, beside those filters. */
extern const char shipped_version[];
