/* SPDX-License-Identifier: ISC */
#include "policy/environment.h"
#include "policy/policy.h"

const struct setting *policy_next(const struct policy *p, enum policy_key key, const struct setting *after) {
	for (const struct setting *s = after == NULL ? p->settings : after + 1; s < p->settings + p->count; s++)
		if (s->key == key)
			return s;
	return NULL;
}

struct text policy_value(const struct policy *p, enum policy_key key) {
	const struct setting *s = policy_next(p, key, NULL);
	return s != NULL ? s->value : (struct text){0};
}

bool policy_read_number(struct text value, int least, int most, int *ret) {
	const bool minus = text_starts(value, text_of("-"));
	uint64_t n;

	if (!text_number(text_after(value, minus), 1000, &n) || (minus && n == 0))
		return false;
	*ret = minus ? -(int)n : (int)n;
	return *ret >= least && *ret <= most;
}

static bool read_half(struct text t, uint64_t *ret) {
	*ret = UINT64_MAX; /* RLIM_INFINITY */
	return text_is(t, "unlimited") || text_number(t, INT64_MAX, ret);
}

bool policy_read_limit(struct text value, uint64_t *ret_soft, uint64_t *ret_hard) {
	const struct text soft = text_until(&value, ":");
	return read_half(soft, ret_soft) && read_half(value.length > 0 ? text_after(value, 1) : soft, ret_hard) &&
	       *ret_soft <= *ret_hard;
}

bool policy_read_profile(struct text value, struct plan_profile *ret) {
	const struct text first = text_word(&value);
	const bool is_complaining = text_is(first, "complain");
	const struct text name = is_complaining ? text_word(&value) : first;
	const bool is_none = text_is(name, "none"), is_shipped = text_starts(name, text_of("@"));
	*ret = (struct plan_profile){text_after(name, is_shipped), is_none, !is_none && !is_shipped, is_complaining};
	return value.length == 0 && text_is_app(ret->name) && !(is_complaining && is_none);
}

bool policy_refuse(struct problem *why, const struct setting *s, const char *word, const char *what, struct text about,
		   const char *hint) {
	problem_about(why, word, what, about, hint);
	why->line = s->line;
	return false;
}

static bool check_setting(const struct policy *p, const struct setting *s, struct problem *why) {
	const bool is_groups = s->key == KEY_GROUPS;
	const bool is_alone = s == policy_next(p, s->key, NULL) && policy_next(p, s->key, s) == NULL;
	const struct text name = environment_name(s->value);

	/* root is never the target, and 0 is the one id that every mistake turns into. */
	if ((s->key == KEY_USER || s->key == KEY_GROUP || is_groups) && text_is_choice(s->value, text_of("0|root")))
		return policy_refuse(why, s, "policy-root", "an app never runs as root or in its group:", s->value, NULL);
	if (is_groups && !is_alone && text_is(s->value, "none"))
		return policy_refuse(why, s, "policy-value", "stands alone or not at all:", s->value, NULL);
	if (s->key == KEY_ENV && environment_is_ours(name))
		return policy_refuse(why, s, "policy-value", "runas-app itself sets", name, NULL);
	for (const struct setting *t = NULL; s->key == KEY_ENV && (t = policy_next(p, KEY_ENV, t)) != s;)
		if (text_equal(environment_name(t->value), name))
			return policy_refuse(why, s, "policy-twice", "is set twice:", name, NULL);
	return true;
}

bool check_policy(const struct policy *p, struct problem *why) {
	if (p->count == 0)
		return problem_about(why, "policy-version", "the file says nothing", (struct text){0}, "runas-app = 1");
	if (policy_next(p, KEY_USER, NULL) == NULL)
		return problem_about(why, "policy-value", "no user to run the app as", (struct text){0}, "user = NAME");
	for (const struct setting *s = p->settings; s < p->settings + p->count; s++)
		if (!check_setting(p, s, why))
			return false;
	return true;
}
