/* SPDX-License-Identifier: ISC */
#include "policy/authorize.h"

bool caller_is_root(const struct caller *c) { return c->has_root && c->uid.value == 0; }

static enum decision match_id(const struct policy *p, const struct accounts *a, enum policy_key key, uint32_t id) {
	uint32_t named;
	/*@ loop invariant s == \null || \exists integer k; 0 <= k < p->count && s == &p->settings[k];
	    loop invariant \forall integer j; 0 <= j < p->count && s != \null && &p->settings[j] <= s &&
	      p->settings[j].key == key ==> !means(a, &p->settings[j], id);
	    loop assigns s, named;
	    loop variant s == \null ? p->count : p->count - 1 - (s - &p->settings[0]); */
	for (const struct setting *s = NULL; (s = policy_next(p, key, s)) != NULL;)
		if (accounts_id(a, s, &named) && named == id)
			return DECISION_ALLOW;
	return DECISION_DENY;
}

enum decision authorize_caller(const struct policy *p, const struct accounts *a, const struct caller *c) {
	if (caller_is_root(c))
		return DECISION_ALLOW;
	if (!c->has_root) /* nobody gains anything: only the app's own user gets further */
		return c->is_uniform ? match_id(p, a, KEY_USER, c->uid.value) : DECISION_DENY;
	enum decision decision = match_id(p, a, KEY_ALLOW_USERS, c->uid.value);
	/*@ loop invariant i <= c->group_count + 1 && (decision == DECISION_ALLOW || decision == DECISION_DENY);
	    loop invariant decision == DECISION_ALLOW <==> is_named(p, a, KEY_ALLOW_USERS, c->uid.value) ||
	      (i > c->group_count && is_named(p, a, KEY_ALLOW_GROUPS, c->gid.value)) ||
	      \exists integer j; 0 <= j < i && j < c->group_count && is_named(p, a, KEY_ALLOW_GROUPS, c->groups[j]);
	    loop assigns i, decision;
	    loop variant c->group_count + 1 - i; */
	for (size_t i = 0; i <= c->group_count && decision != DECISION_ALLOW; i++)
		decision = match_id(p, a, KEY_ALLOW_GROUPS, i < c->group_count ? c->groups[i] : c->gid.value);
	return decision;
}
