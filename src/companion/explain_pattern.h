/* SPDX-License-Identifier: ISC */
/*
 * explain_pattern: a `command` pattern token by token, for showing. Whether a command matches is command_find's to say.
 *
 * Purpose:  a person sees which word fits which token, and what would have.
 * Given:    patterns that command_check has passed.
 * Promises: what fits and what differs first are command_find's own answers.
 * Never:    decides anything.
 */
#ifndef COMPANION_EXPLAIN_PATTERN_H
#define COMPANION_EXPLAIN_PATTERN_H

#include "policy/command.h"

struct explain_pattern_token {
	struct text whole;	      /* as written, quotes too */
	struct text head, hole, tail; /* head{hole}tail; without a hole the head is all */
	bool is_rest;		      /* a final * */
};

/* Cuts the next token off *rest; false: none was left. */
bool explain_pattern_next(struct text *rest, struct explain_pattern_token *ret);

/* How many words of the command fit this one pattern, from the first; one more than it has when the whole of it does. */
size_t explain_pattern_fitting(const struct setting *pattern, const struct request *request, struct text directory);

/* What stands for the hole in a word that fits. */
struct text explain_pattern_taken(const struct explain_pattern_token *token, struct text word);

/* What a token takes, in words: "1 to 10 digits"; a new string. */
char *explain_pattern_takes(const struct explain_pattern_token *token, bool is_first);

#endif
