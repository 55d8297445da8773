/* SPDX-License-Identifier: ISC */
/*
 * problem: why something was refused, as data, from the place that found it to the one place that reports it.
 * Given:    words that are string literals; ranges into buffers that outlive it.
 * Promises: all that a message needs is here.
 * Never:    written anywhere before it is known who may read it.
 */
#pragma once

#include "policy/text.h"

/* Exit statuses, as chroot(1), env(1) and POSIX have them. */
enum problem_status {
	PROBLEM_SELF = 125,	 /* runas-app itself: usage, policy, a stage failed */
	PROBLEM_DENIED = 126,	 /* not permitted; or found but not executable */
	PROBLEM_NOT_FOUND = 127, /* the command does not exist */
};

struct problem {
	enum problem_status status;
	const char *word;	/* stable name, listed in runas-app(8) DIAGNOSTICS */
	const char *what;	/* the sentence */
	struct text about;	/* the bytes it is about, shown escaped and quoted; empty for none */
	const char *hint;	/* how to mend it, or NULL */
	struct text hint_about; /* stands behind the hint; or empty */
	struct text object;	/* the file or thing; empty: the policy file */
	unsigned line;		/* of the policy, from 1; 0 when it is about no line */
	int error;		/* errno, or 0 */
};

/* Both clear *why, fill it and return false, so that a refusal is one expression: rule || problem_about(...). */
bool problem_set(struct problem *why, enum problem_status status, const char *word, const char *what);
bool problem_about(struct problem *why, const char *word, const char *what, struct text about, const char *hint);
