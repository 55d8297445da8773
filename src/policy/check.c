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
	struct text soft = text_until(&value, ":");

	return read_half(soft, ret_soft) && read_half(value.length > 0 ? text_after(value, 1) : soft, ret_hard) &&
	       *ret_soft <= *ret_hard;
}

static bool at_line(const struct setting *s, struct problem *why, const char *word, const char *what, struct text about) {
	problem_about(why, word, what, about, NULL);
	why->line = s->line;
	return false;
}

static bool check_env(const struct policy *p, struct problem *why) {
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_ENV, s)) != NULL;) {
		const struct text name = environment_name(s->value);

		if (environment_is_ours(name))
			return at_line(s, why, "policy-value", "runas-app itself sets", name);
		for (const struct setting *before = NULL; (before = policy_next(p, KEY_ENV, before)) != s;)
			if (text_equal(environment_name(before->value), name))
				return at_line(s, why, "policy-twice", "is set twice:", name);
	}
	return true;
}

/* root is never the target, and 0 is the one id that every mistake turns into. */
static bool check_zero(const struct policy *p, enum policy_key key, struct problem *why) {
	for (const struct setting *s = NULL; (s = policy_next(p, key, s)) != NULL;)
		if (text_is_choice(s->value, text_of("0|root")))
			return at_line(s, why, "policy-root", "an app never runs as root or in its group:", s->value);
	return true;
}

bool check_policy(const struct policy *p, struct problem *why) {
	const struct setting *first = policy_next(p, KEY_GROUPS, NULL);

	if (p->count == 0)
		return problem_about(why, "policy-version", "the file says nothing", (struct text){0}, "runas-app = 1");
	if (policy_next(p, KEY_USER, NULL) == NULL)
		return problem_about(why, "policy-value", "no user to run the app as", (struct text){0}, "user = NAME");
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_GROUPS, s)) != NULL;)
		if (text_is(s->value, "none") && (s != first || policy_next(p, KEY_GROUPS, s) != NULL))
			return at_line(s, why, "policy-value", "stands alone or not at all:", s->value);
	return check_zero(p, KEY_USER, why) && check_zero(p, KEY_GROUP, why) && check_zero(p, KEY_GROUPS, why) &&
	       check_env(p, why);
}
