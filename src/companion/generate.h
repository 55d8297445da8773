/* SPDX-License-Identifier: ISC */
/*
 * generate: profiles into filters.
 *
 * Purpose:  let libseccomp write the filter, and prove that it wrote the right one.
 * Runs as:  runas-policy and embed-profiles; never in the launcher.
 * Given:    a profile that profile_read accepted.
 * Promises: every number below SYSCALLS_NUMBERS, the proofs and other architectures were asked of the result, and each
 *           got the profile's answer; but ioctl TIOCSTI and TIOCLINUX get EPERM, whatever the profile says.
 * Never:    hands out a filter after libseccomp reported anything odd, nor uses its context again then.
 */
#ifndef COMPANION_GENERATE_H
#define COMPANION_GENERATE_H

#include "companion/evaluate.h"
#include "companion/profile.h"

struct generated {
	struct program_instruction code[PROGRAM_MAX_INSTRUCTIONS];
	uint32_t count;
};

enum generate_mode {
	GENERATE_ENFORCE = 0,
	GENERATE_COMPLAIN, /* what the profile does not allow is logged by the kernel, and done */
};

enum { GENERATE_WHY_SIZE = 256 };

/* The architecture all this is for, as the kernel and a compiled file name it. */
uint32_t generate_arch(void);

bool generate_profile(const struct profile *profile, enum generate_mode mode, struct generated *ret,
		      char reterr[GENERATE_WHY_SIZE]);

/* Without a profile. Every filter, this one too, lets no app type into the terminal that it was started from. */
bool generate_terminal(struct generated *ret, char reterr[GENERATE_WHY_SIZE]);

/* What the profile says of this number: of a filter made here, but for the look at ioctl's request that all of them have. */
struct evaluate_answer generate_ask(const struct program *program, uint32_t number);

#endif
