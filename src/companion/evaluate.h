/* SPDX-License-Identifier: ISC */
/*
 * evaluate: what a compiled filter answers to a system call, without loading it.
 *
 * Purpose:  check libseccomp's work, and show what a new compile changed.
 * Runs as:  runas-policy and embed-profiles; never in the launcher.
 * Given:    a program of any origin, a wrong one too.
 * Promises: runs only the instructions that seccomp filters may have, forwards, inside the program.
 * Never:    asks the kernel.
 */
#ifndef COMPANION_EVALUATE_H
#define COMPANION_EVALUATE_H

#include "policy/program.h"

struct evaluate_call {
	uint32_t number, arch;
	uint64_t arguments[6];
};

struct evaluate_answer {
	bool valid;	     /* false: the program broke off, or has an instruction that seccomp has not */
	uint32_t looks;	     /* at arguments: with any, the answer may be another one for other arguments */
	uint32_t action;     /* SECCOMP_RET_..., with its data */
	uint32_t decided_at; /* the instruction that first looks at an argument; where none does, the one that answers */
};

struct evaluate_answer evaluate_program(const struct program *program, const struct evaluate_call *call);

#endif
