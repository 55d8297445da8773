/* SPDX-License-Identifier: ISC */
/*
 * condense: a filter that answers the same in fewer instructions.
 *
 * Purpose:  at each launch the kernel checks, translates and compiles every instruction, and walks from the beginning to
 *           the answer for every number, and that is the larger part of what loading a filter costs. libseccomp compares
 *           with one number after the other; neighbours that get the same answer, which most calls are, need one
 *           comparison, and one more for each single number among them that does not.
 * Runs as:  runas-policy and embed-profiles; never in the launcher.
 * Given:    a filter as libseccomp writes it: architecture, number, then arguments, jumping forwards only.
 * Promises: every number of that architecture gets the same answer, by the same looks at the arguments, but for those
 *           that see nothing: half an argument, masked out. The guard stands before what the filter says of its call,
 *           which libseccomp cannot write: it has no "and otherwise" for a masked comparison.
 * Never:    understands arguments: what looks at them is copied as it is. The caller proves the result again.
 */
#ifndef COMPANION_CONDENSE_H
#define COMPANION_CONDENSE_H

#include "companion/generate.h"

/* Of this call, these values of an argument's lower half get this answer, whatever else the filter says of it. */
struct condense_guard {
	uint32_t number, argument, values[2], action;
};

/* false: it is none of those filters, or would be longer than the kernel takes; nothing is changed then. */
bool condense_filter(struct generated *filter, uint32_t arch, const struct condense_guard *guard);

#endif
