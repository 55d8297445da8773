/* SPDX-License-Identifier: ISC */
/*
 * The policy's settings and the accounts that they mean, for the prover.
 * Given: accounts is accounts_begin's and accounts_feed's: it points into the same policy's settings.
 */
#pragma once

#include "tests/proof/text.h"

#include "policy/authorize.h"

/*@ predicate valid_policy(struct policy *p) = \valid_read(p) && p->count <= POLICY_MAX_SETTINGS;
    predicate readable_policy(struct policy *p) = valid_policy(p) && \forall integer i; 0 <= i < p->count ==>
      \valid_read(p->settings[i].value.at + (0 .. p->settings[i].value.length - 1));
    predicate valid_accounts(struct accounts *a) = \valid_read(a) && a->count <= ACCOUNTS_MAX_WANTED;
    predicate means(struct accounts *a, struct setting *s, integer id) =
      \exists integer w; 0 <= w < a->count && a->wanted[w].by == s && a->wanted[w].state == ACCOUNTS_FOUND &&
        a->wanted[w].id == id && \forall integer v; 0 <= v < w ==>
          a->wanted[v].by != s || a->wanted[v].state != ACCOUNTS_FOUND;
    predicate is_named(struct policy *p, struct accounts *a, integer key, integer id) =
      \exists integer i; 0 <= i < p->count && p->settings[i].key == key && means(a, &p->settings[i], id);
*/

/*@ requires valid_policy(p) && (after == \null || \exists integer k; 0 <= k < p->count && after == &p->settings[k]);
    assigns \nothing;
    ensures \result == \null || \exists integer i; 0 <= i < p->count && \result == &p->settings[i] &&
      p->settings[i].key == key && (after == \null || after < \result) &&
      \forall integer j; 0 <= j < i && (after == \null || after < &p->settings[j]) ==> p->settings[j].key != key;
    ensures \result == \null ==> \forall integer j; 0 <= j < p->count && (after == \null || after < &p->settings[j]) ==>
      p->settings[j].key != key; */
const struct setting *policy_next(const struct policy *p, enum policy_key key, const struct setting *after);

/*@ requires readable_policy(p);
    assigns \nothing;
    ensures readable(\result); */
struct text policy_value(const struct policy *p, enum policy_key key);

/*@ requires valid_accounts(a) && \valid_read(s) && \valid(ret) && \separated(ret, a) && \separated(ret, s);
    assigns *ret;
    ensures \result ==> means(a, s, *ret);
    ensures !\result ==> \forall integer id; !means(a, s, id); */
bool accounts_id(const struct accounts *a, const struct setting *s, uint32_t *ret);
