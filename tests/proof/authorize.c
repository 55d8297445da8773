/* SPDX-License-Identifier: ISC */
/*
 * authorize_caller answers ALLOW if, and only if: the caller is root; or it has no root and is, uniformly, the app's
 * user; or it has root through the setuid bit and an allow_users or allow_groups of the policy means one of its ids.
 * Given: policy_next and accounts_id do what is written here; scripts/prove proves both (lookup.c).
 */
#include "tests/proof/lookup.h"

/*@ requires valid_policy(p) && valid_accounts(a);
    assigns \nothing;
    ensures \result == DECISION_ALLOW || \result == DECISION_DENY;
    ensures \result == DECISION_ALLOW <==> is_named(p, a, key, id); */
static enum decision match_id(const struct policy *p, const struct accounts *a, enum policy_key key, uint32_t id);

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures \result <==> c->has_root && c->uid.value == 0; */
bool caller_is_root(const struct caller *c);

/*@ requires valid_policy(p) && valid_accounts(a) && \valid_read(c);
    requires c->group_count <= 65536 && (c->group_count == 0 || \valid_read(c->groups + (0 .. c->group_count - 1)));
    assigns \nothing;
    ensures \result == DECISION_ALLOW || \result == DECISION_DENY;
    behavior root:
      assumes c->has_root && c->uid.value == 0;
      ensures \result == DECISION_ALLOW;
    behavior itself:
      assumes !c->has_root;
      ensures \result == DECISION_ALLOW <==> c->is_uniform && is_named(p, a, KEY_USER, c->uid.value);
    behavior others:
      assumes c->has_root && c->uid.value != 0;
      ensures \result == DECISION_ALLOW <==> is_named(p, a, KEY_ALLOW_USERS, c->uid.value) ||
        is_named(p, a, KEY_ALLOW_GROUPS, c->gid.value) ||
        \exists integer i; 0 <= i < c->group_count && is_named(p, a, KEY_ALLOW_GROUPS, c->groups[i]);
    complete behaviors;
    disjoint behaviors; */
enum decision authorize_caller(const struct policy *p, const struct accounts *a, const struct caller *c);

#include "src/policy/authorize.c"
