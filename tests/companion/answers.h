/* SPDX-License-Identifier: ISC */
/* For tests of generated filters: a profile to begin with, and what a filter answers, in one number. */
#pragma once

#include "companion/evaluate.h"
#include "companion/generate.h"

#include <criterion/criterion.h>
#include <linux/seccomp.h>
#include <string.h>

enum { ALLOWED = 0, COMPLAINED = -1, KILLED = -2, BROKEN = -3 }; /* else the errno */

static const uint64_t garbage = 0xffffffff00000000;

static inline int answer_of(const struct program *program, uint32_t number, const uint64_t *arguments, uint32_t arch) {
	struct evaluate_call call = {.number = number, .arch = arch};
	struct evaluate_answer answer;

	if (arguments != NULL)
		memcpy(call.arguments, arguments, sizeof call.arguments);
	answer = evaluate_program(program, &call);
	if (!answer.valid)
		return BROKEN;
	switch (answer.action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return ALLOWED;
	case SECCOMP_RET_LOG:
		return COMPLAINED;
	case SECCOMP_RET_KILL_PROCESS:
		return KILLED;
	case SECCOMP_RET_ERRNO:
		return (int)(answer.action & SECCOMP_RET_DATA);
	default:
		return BROKEN;
	}
}

static inline void read_shipped(const char *label, struct profile *ret) {
	const struct profile_store store = {
		.shipped = shipped_texts, .shipped_count = shipped_text_count, .site_directory = -1, .site_prefix = ""};
	struct profile_error error;

	cr_assert(profile_read(&store, label, ret, &error), "%s", error.what);
}
