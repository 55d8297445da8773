/* SPDX-License-Identifier: ISC */
/*
 * fuzz: what the harnesses share: one LLVMFuzzerTestOneInput a file, for libFuzzer and for AFL++ alike.
 *
 * Purpose:  any bytes, and what must hold whatever they are: the rules that MUST states, beside what sanitizers see.
 * Runs as:  anyone; asks the system nothing.
 * Given:    bytes of the engine; parts of them are separated by NUL (fuzz_part), as in /proc/PID/environ.
 * Promises: a broken rule is an abort, which both engines keep the input of.
 * Never:    depends on anything but the input, so that a find is one again.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "policy/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(rule) ((rule) ? (void)0 : fuzz_broken(#rule, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *rule, const char *file, int line);

/* The bytes up to the next NUL; the NUL is cut off too. When nothing is left it is empty. */
struct text fuzz_part(struct text *rest);

/* Up to `most` parts as C strings, NULL behind them, until the next call. They live in one heap block of their size. */
char **fuzz_strings(struct text *rest, size_t most, size_t *ret_count);

/* A range lies in the bytes, or is empty. */
bool fuzz_is_inside(struct text part, struct text bytes);

/* A reason that can be shown: constant words that are plain and short, and a message that stays one bounded line. */
void fuzz_check_problem(const struct problem *why);

/* A policy that was accepted has only what the format allows. */
void fuzz_check_policy(const struct policy *p);

/* Every name once, every byte within its room. */
void fuzz_check_environment(const struct environment *e, const char *bytes, size_t size);

/* parse and check, with every byte of *ret filled before, so that what was not set shows. */
bool fuzz_read_policy(struct text bytes, struct policy *ret);

#endif
