/* SPDX-License-Identifier: ISC */
/*
 * draft_text: every problem of a policy's text.
 *
 * Purpose:  the pure code stops at the first problem; a person wants all of them, each with what may have been meant.
 * Given:    a draft whose bytes were read.
 * Promises: the draft is valid only where the pure code takes the whole text as it is.
 * Never:    says what is wrong only because another line was.
 */
#ifndef COMPANION_DRAFT_TEXT_H
#define COMPANION_DRAFT_TEXT_H

#include "companion/draft.h"

/* Sets draft->is_valid and, where it is, draft->policy. */
void draft_text_read(struct draft *draft, struct findings *findings);

#endif
