/* SPDX-License-Identifier: ISC */
/*
 * The line parser: a policy of at most POLICY_MAX_BYTES is cut into lines and these into settings, without reading
 * beside it or writing beside the policy, and it ends. Every setting has one of the keys, the number of its line, and a
 * value that is not empty and stands within that line; there are never more than POLICY_MAX_SETTINGS.
 * Given: what shapes.h says of the functions that know a value's shape.
 */
#include "tests/proof/shapes.h"

/*@ predicate are_settings(struct policy *p, integer begin, struct text from, integer first, integer last) =
      \forall integer i; begin <= i < p->count ==> p->settings[i].value.length > 0 &&
        \valid_read(p->settings[i].value.at + (0 .. p->settings[i].value.length - 1)) &&
        \base_addr(p->settings[i].value.at) == \base_addr(from.at) && from.at <= p->settings[i].value.at &&
        p->settings[i].value.at + p->settings[i].value.length <= from.at + from.length &&
        KEY_VERSION <= p->settings[i].key < KEY_COUNT && first <= p->settings[i].line <= last;
*/

/*@ requires readable(name) && \valid(ret) && \valid(why) && \separated(ret, why);
    assigns *ret, *why;
    ensures \result ==> KEY_VERSION <= *ret < KEY_COUNT; */
static bool find_key(struct text name, enum policy_key *ret, struct problem *why);

/*@ requires readable(t);
    assigns \nothing; */
static bool is_search_path(struct text t);

/*@ requires readable(value) && value.length > 0 && \valid(p) && p->count <= POLICY_MAX_SETTINGS;
    requires \valid(why) && \separated(p, why) && KEY_VERSION <= id < KEY_COUNT;
    assigns p->settings[p->count .. POLICY_MAX_SETTINGS - 1], p->count, *why;
    ensures p->count <= POLICY_MAX_SETTINGS && p->count == \old(p->count) + (\result ? 1 : 0);
    ensures are_settings(p, \old(p->count), value, line, line); */
static bool add_setting(struct policy *p, enum policy_key id, struct text value, unsigned line, struct problem *why);

/*@ requires readable(words) && \valid(p) && p->count <= POLICY_MAX_SETTINGS;
    requires \valid(why) && \separated(p, why) && KEY_VERSION <= key < KEY_COUNT;
    assigns p->settings[p->count .. POLICY_MAX_SETTINGS - 1], p->count, *why;
    ensures \old(p->count) <= p->count <= POLICY_MAX_SETTINGS;
    ensures are_settings(p, \old(p->count), words, line, line); */
static bool add_words(struct policy *p, enum policy_key key, struct text words, unsigned line, struct problem *why);

/*@ requires readable(line) && \valid(p) && p->count <= POLICY_MAX_SETTINGS && \valid(why) && \separated(p, why);
    assigns p->settings[p->count .. POLICY_MAX_SETTINGS - 1], p->count, *why;
    ensures \old(p->count) <= p->count <= POLICY_MAX_SETTINGS;
    ensures are_settings(p, \old(p->count), line, number, number); */
static bool parse_line(struct text line, unsigned number, struct policy *p, struct problem *why);

/*@ requires readable(line) && \valid(why);
    assigns *why;
    ensures \result ==> line.length <= POLICY_MAX_LINE; */
static bool check_bytes(struct text line, struct problem *why);

/*@ requires readable(bytes) && bytes.length <= POLICY_MAX_BYTES && \valid(ret) && \valid(why) && \separated(ret, why);
    assigns *ret, *why;
    ensures ret->count <= POLICY_MAX_SETTINGS;
    ensures are_settings(ret, 0, bytes, 1, POLICY_MAX_BYTES + 1); */
bool parse_policy(struct text bytes, struct policy *ret, struct problem *why);

#include "src/policy/parse.c"

/* Behind the source, which alone knows what a key is. */

/*@ requires \valid_read(key) && readable(t) && \valid(why);
    assigns *why; */
static bool fits(const struct key *key, struct text t, struct problem *why);
