/* SPDX-License-Identifier: ISC */
/*
 * suggest: what somebody may have meant who wrote a word that nobody knows.
 *
 * Purpose:  "did you mean user?" for keys, holes, profiles, accounts and apps.
 * Given:    any bytes; the known words, one after the other.
 * Promises: the nearest known word, if it is near: one edit for short words, two for longer ones.
 * Never:    guesses more than a spelling.
 */
#ifndef COMPANION_SUGGEST_H
#define COMPANION_SUGGEST_H

#include "policy/text.h"

struct suggestion {
	struct text word;
	size_t least;  /* how many edits the nearest needs; one more than may be, before there is one */
	char best[64]; /* "" while there is none */
};

struct suggestion suggest_for(struct text word);
void suggest_offer(struct suggestion *s, struct text known);
/* Every first field of the lines of an account file. */
void suggest_offer_accounts(struct suggestion *s, struct text file);

#endif
