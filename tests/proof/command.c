/* SPDX-License-Identifier: ISC */
/*
 * The matcher of one token: a word fits only if it begins with the token's head and ends with its tail, byte for byte,
 * without overlap; without a hole it is as long as the head. Not proved: next_token, and with it count_fitting,
 * command_check and command_find, which go through the tokens and the patterns.
 */
#include "tests/proof/lookup.h"

#include "policy/command.h"

/*@ requires \valid(why);
    assigns *why;
    ensures !\result; */
bool problem_set(struct problem *why, enum problem_status status, const char *word, const char *what);

/*@ requires \valid(why);
    assigns *why;
    ensures !\result; */
bool problem_about(struct problem *why, const char *word, const char *what, struct text about, const char *hint);

/*@ requires \valid(why);
    assigns *why;
    ensures !\result; */
static bool bad(struct problem *why, const char *what, struct text about, const char *hint);

/*@ requires readable(hole) && \valid(why);
    assigns *why; */
static bool check_hole(struct text hole, struct problem *why);

/*@ requires readable(hole) && readable(tail) && readable(part);
    assigns \nothing;
    ensures \result && hole.length == 0 ==> part.length == 0; */
static bool fits_hole(struct text hole, struct text tail, struct text part);

/*@ requires readable(path);
    assigns \nothing;
    ensures readable(\result); */
static struct text last_part(struct text path);

/*@ requires readable(path) && readable(typed) && readable(directory) && directory.length <= POLICY_MAX_BYTES;
    assigns \nothing; */
static bool fits_first(struct text path, struct text typed, struct text directory);

#include "src/policy/command.c"

/* Behind the source, which alone knows what a token is. */

/*@ requires \valid_read(t) && readable(t->head) && readable(t->hole) && readable(t->tail) && readable(word);
    requires t->head.length + t->tail.length <= 0xffffffffffffffff;
    assigns \nothing;
    ensures \result ==> word.length >= t->head.length + t->tail.length && same(word.at, t->head.at, t->head.length) &&
      same(word.at + word.length - t->tail.length, t->tail.at, t->tail.length);
    ensures \result && t->hole.length == 0 ==> word.length == t->head.length + t->tail.length; */
static bool fits_token(const struct token *t, struct text word);
