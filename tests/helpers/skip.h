/* SPDX-License-Identifier: ISC */
/*
 * Purpose:  end a test whose surroundings lack something, loudly.
 * Runs as:  anyone.
 * Given:    why, one line naming what is missing.
 * Promises: the test ends here; run-tests lists the reason. With MUST_RUN=1 in the environment it is a failure.
 * Never:    call it after the thing under test has misbehaved.
 *
 * NOT_SHOWN is for a test that goes on and passes, though this machine cannot show one part of what it is about:
 * run-tests lists what, whatever MUST_RUN says.
 */
#ifndef TESTS_HELPERS_SKIP_H
#define TESTS_HELPERS_SKIP_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline bool
skip_is_failure(void)
{
	const char *must_run = getenv("MUST_RUN");

	return must_run != NULL && strcmp(must_run, "") != 0 && strcmp(must_run, "0") != 0;
}

#define SKIP(why) \
	do { \
		if (skip_is_failure()) \
			cr_assert_fail("must run, but: %s", (why)); \
		cr_skip_test("%s", (why)); \
	} while (0)

#define NOT_SHOWN(what) dprintf(2, "not shown: %s\n", (what))

#endif
