/* SPDX-License-Identifier: ISC */
#include "policy/authorize.h"

bool caller_is_root(const struct caller *c) {
	return c->has_root && c->uid.value == 0;
}

static enum decision match_id(const struct policy *p, const struct accounts *a, enum policy_key key, uint32_t uid) {
	for (const struct setting *s = NULL; (s = policy_next(p, key, s)) != NULL;) {
		uint32_t id;

		if (accounts_id(a, s, &id) && id == uid)
			return DECISION_ALLOW;
	}
	return DECISION_DENY;
}

enum decision authorize_caller(const struct policy *p, const struct accounts *a, const struct caller *c) {
	if (caller_is_root(c))
		return DECISION_ALLOW;
	if (!c->has_root) /* nobody gains anything: only the app's own user gets further */
		return c->is_uniform ? match_id(p, a, KEY_USER, c->uid.value) : DECISION_DENY;
	if (match_id(p, a, KEY_ALLOW_USERS, c->uid.value) == DECISION_ALLOW ||
	    match_id(p, a, KEY_ALLOW_GROUPS, c->gid.value) == DECISION_ALLOW)
		return DECISION_ALLOW;
	for (size_t i = 0; i < c->group_count; i++)
		if (match_id(p, a, KEY_ALLOW_GROUPS, c->groups[i]) == DECISION_ALLOW)
			return DECISION_ALLOW;
	return DECISION_DENY;
}
