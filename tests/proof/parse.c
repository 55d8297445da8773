/* SPDX-License-Identifier: ISC */
/*
 * The line splitter: a policy of at most POLICY_MAX_BYTES is cut into lines, each looked at and its key found, without
 * reading beside it, and it ends.
 * Given: parse_line keeps what is written here. It, and add_setting and fits behind it, are not proved.
 */
#include "tests/proof/lookup.h"

/*@ requires \valid(why);
    assigns *why;
    ensures !\result; */
bool problem_about(struct problem *why, const char *word, const char *what, struct text about, const char *hint);

/*@ requires readable(name) && \valid(ret) && \valid(why) && \separated(ret, why);
    assigns *ret, *why;
    ensures \result ==> KEY_VERSION <= *ret < KEY_COUNT; */
static bool find_key(struct text name, enum policy_key *ret, struct problem *why);

/*@ requires readable(line) && \valid(p) && p->count <= POLICY_MAX_SETTINGS && \valid(why) && \separated(p, why);
    assigns *p, *why;
    ensures p->count <= POLICY_MAX_SETTINGS; */
static bool parse_line(struct text line, unsigned number, struct policy *p, struct problem *why);

/*@ requires readable(line) && \valid(why);
    assigns *why;
    ensures \result ==> line.length <= POLICY_MAX_LINE; */
static bool check_bytes(struct text line, struct problem *why);

/*@ requires readable(bytes) && bytes.length <= POLICY_MAX_BYTES && \valid(ret) && \valid(why) && \separated(ret, why);
    assigns *ret, *why;
    ensures ret->count <= POLICY_MAX_SETTINGS; */
bool parse_policy(struct text bytes, struct policy *ret, struct problem *why);

#include "src/policy/parse.c"
