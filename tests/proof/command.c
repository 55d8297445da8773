/* SPDX-License-Identifier: ISC */
/*
 * Patterns and commands: for every text, also a malformed pattern, nothing beside it is read and each loop ends.
 * A token lies in the pattern's bytes, and each takes some away. A word fits a token only if it begins with the token's
 * head and ends with its tail, byte for byte, without overlap; without a hole it is as long as the head.
 * What command_find finds is a `command` or `serve` of this policy; the path is that one's bytes, or empty; and
 * what the caller typed is the path's end, byte for byte.
 * Not said: that command_find finds what there is, and which argument took which token.
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
    ensures readable(\result) && inside(\result, path);
    ensures \result.length > 0 ==> \result.at + \result.length == path.at + path.length; */
static struct text last_part(struct text path);

/*@ requires readable(path) && readable(typed) && readable(directory) && directory.length <= POLICY_MAX_BYTES;
    assigns \nothing;
    ensures \result ==> typed.length <= path.length &&
      same(path.at + (path.length - typed.length), typed.at, typed.length); */
static bool fits_first(struct text path, struct text typed, struct text directory);

/*@ requires readable(pattern) && \valid(why);
    assigns *why; */
bool command_check(struct text pattern, struct problem *why);

/*@ predicate valid_request(struct request *r) = \valid_read(r) && 1 <= r->words <= 0x7fffffff &&
      \valid_read(r->command + (0 .. r->words - 1));
    predicate readable_values(struct policy *p) =
      \forall integer i; 0 <= i < p->count ==> readable(p->settings[i].value);
    predicate ends(struct text path, char *typed) = string_length(typed) <= path.length &&
      same(path.at + (path.length - string_length(typed)), typed, string_length(typed));
    predicate is_found(struct policy *p, struct request *r, struct command_match m, integer words) = m.by == \null ||
      \exists integer i; 0 <= i < p->count && m.by == &p->settings[i] &&
        (p->settings[i].key == KEY_COMMAND || p->settings[i].key == KEY_SERVE) &&
        inside(m.path, p->settings[i].value) && (words > 0 && m.path.length > 0 ==> ends(m.path, r->command[0])); */

/*@ requires (nearest.by == \null || \valid_read(nearest.by)) && valid_request(r) && \valid(why);
    requires \separated(why, r, nearest.by) && \separated(why, r->command + (0 .. r->words - 1));
    assigns *why;
    ensures !\result; */
static bool refuse(struct command_match nearest, size_t most, const struct request *r, struct problem *why);

/*@ requires valid_policy(p) && readable_values(p) && valid_request(r) && readable(directory);
    requires directory.length <= POLICY_MAX_BYTES;
    requires \valid(ret) && \valid(why) && \separated(ret, why, p, r);
    requires \separated(ret, r->command + (0 .. r->words - 1)) && \separated(why, r->command + (0 .. r->words - 1));
    assigns *ret, *why;
    ensures \result ==> ret->by != \null && is_found(p, r, *ret, 1); */
bool command_find(const struct policy *p, const struct request *r, struct text directory, struct command_match *ret,
		  struct problem *why);

#include "src/policy/command.c"

/* Behind the source, which alone knows what a token is. */

/*@ predicate whole(struct token t, struct text in) = readable(t.head) && readable(t.hole) && readable(t.tail) &&
      t.head.length + t.hole.length + t.tail.length <= in.length && inside(t.head, in); */

/*@ requires readable(word) && \valid(ret) && \valid(why) && \separated(ret, why);
    requires ret->hole.length == 0 && ret->tail.length == 0;
    assigns ret->head, ret->hole, ret->tail, *why;
    ensures \result ==> whole(*ret, word); */
static bool split_word(struct text word, struct token *ret, struct problem *why);

/*@ requires \valid(rest) && readable(*rest) && \valid(ret) && \valid(why);
    requires \separated(rest, ret, why);
    assigns *rest, *ret, *why;
    ensures \result ==> readable(*rest) && rest->length < \old(rest->length);
    ensures \result && ret->is_rest ==> ret->head.length == 0;
    ensures \result ==> whole(*ret, \old(*rest)) && inside(*rest, \old(*rest)); */
static bool next_token(struct text *rest, struct token *ret, struct problem *why);

/*@ requires \valid_read(first) && readable(first->head) && readable(rest) && valid_request(r) && readable(directory);
    requires directory.length <= POLICY_MAX_BYTES && (first->is_rest ==> first->head.length == 0);
    assigns \nothing;
    ensures \result <= r->words + 3;
    ensures \result > 0 && first->head.length > 0 ==> ends(first->head, r->command[0]); */
static size_t count_fits(const struct token *first, struct text rest, const struct request *r, struct text directory);

/*@ requires \valid_read(t) && readable(t->head) && readable(t->hole) && readable(t->tail) && readable(word);
    requires t->head.length + t->tail.length <= 0xffffffffffffffff;
    assigns \nothing;
    ensures \result ==> word.length >= t->head.length + t->tail.length && same(word.at, t->head.at, t->head.length) &&
      same(word.at + word.length - t->tail.length, t->tail.at, t->tail.length);
    ensures \result && t->hole.length == 0 ==> word.length == t->head.length + t->tail.length; */
static bool fits_token(const struct token *t, struct text word);
