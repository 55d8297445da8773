/* SPDX-License-Identifier: ISC */
/*
 * learn_report: what was learnt, as lines to paste.
 *
 * Purpose:  nobody has to turn a list of calls and paths into policy and profile.
 * Given:    a policy, and what its app did without its limits.
 * Promises: the lines, in the files that they are for, make the same run work in force; a call gets no more than it used
 *           where its arguments can be told apart; what no line can or should mend is said in a note.
 * Never:    proposes what the policy has already.
 */
#ifndef COMPANION_LEARN_REPORT_H
#define COMPANION_LEARN_REPORT_H

#include "companion/draft.h"
#include "companion/learn_watch.h"

/* Prints it on standard output; the verb's status. */
int learn_report(const struct draft *draft, const struct learn_watch *watch, bool as_json);

#endif
