/* SPDX-License-Identifier: ISC */
#include "policy/problem.h"

bool problem_set(struct problem *why, enum problem_status status, const char *word, const char *what) {
	*why = (struct problem){.status = status, .word = word, .what = what};
	return false;
}

bool problem_about(struct problem *why, const char *word, const char *what, struct text about, const char *hint) {
	*why = (struct problem){.status = PROBLEM_SELF, .word = word, .what = what, .about = about, .hint = hint};
	return false;
}
