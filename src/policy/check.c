/* SPDX-License-Identifier: ISC */
#include "policy/environment.h"

#include <arpa/inet.h>

const struct setting *policy_next(const struct policy *p, enum policy_key key, const struct setting *after) {
	/*@ loop invariant \exists integer k; 0 <= k <= p->count && s == &p->settings[k];
	    loop invariant after == \null || after < s;
	    loop invariant \forall integer j; 0 <= j < p->count && &p->settings[j] < s &&
	      (after == \null || after < &p->settings[j]) ==> p->settings[j].key != key;
	    loop assigns s;
	    loop variant p->count - (s - &p->settings[0]); */
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
	const int sign = text_starts(value, text_of("-")) ? -1 : 1;
	uint64_t n;

	if (!text_number(text_after(value, sign < 0), 1000, &n) || (sign < 0 && n == 0) ||
	    sign * (int)n < least || sign * (int)n > most)
		return false;
	*ret = sign * (int)n;
	return true;
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

bool policy_read_listen(struct text value, struct policy_listen *ret) {
	const struct text by = value, kind = text_word(&value), place = text_word(&value);
	struct text rest = place, port = {0}, host;
	char address[INET6_ADDRSTRLEN] = {0};
	uint64_t number;

	while (text_field(&rest, ":", &port))
		;
	if (!text_is(kind, "tcp") || value.length > 0 || port.length == place.length ||
	    !text_number(port, UINT16_MAX, &number) || number == 0)
		return false;
	host = (struct text){place.at, place.length - port.length - 1};
	*ret = (struct policy_listen){.by = by, .port = (uint16_t)number};
	ret->is_ipv6 = host.length > 2 && host.at[0] == '[' && host.at[host.length - 1] == ']';
	host = ret->is_ipv6 ? (struct text){host.at + 1, host.length - 2} : host;
	return host.length < sizeof(address) && memcpy(address, host.at, host.length) != NULL &&
	       inet_pton(ret->is_ipv6 ? AF_INET6 : AF_INET, address, ret->address) == 1;
}

bool policy_refuse(struct problem *why, const struct setting *s, const char *word, const char *what, struct text about,
		   const char *hint) {
	problem_about(why, word, what, about, hint);
	why->line = s->line;
	return false;
}

/* Alone, or together, these would do something else than what was meant. */
static bool check_company(const struct policy *p, const struct setting *s, struct problem *why) {
	const bool is_write = s->key == KEY_WRITE || s->key == KEY_TMP;
	const char *what = NULL, *hint = NULL;

	if (s->key == KEY_LISTEN && policy_value(p, KEY_SERVE).length == 0)
		what = "no command would get this socket:", hint = "serve = /usr/bin/SERVER ...";
	if (s->key == KEY_SERVE && policy_value(p, KEY_LISTEN).length == 0)
		what = "without `listen` there is nothing to serve on:", hint = "listen = tcp ADDRESS:PORT; or `command`";
	if (s->key == KEY_LISTEN && policy_value(p, KEY_KEEP_FDS).length > 0)
		what = "its sockets take descriptors 3 and up, so not with keep_fds:", hint = "take one of the two out";
	if (s->key == KEY_WRITE_ENFORCE && policy_value(p, KEY_WRITE).length + policy_value(p, KEY_TMP).length == 0)
		what = "there is no `write` or `tmp` to enforce:", hint = "write = PATH";
	for (const struct setting *t = p->settings; is_write && t < p->settings + p->count; t++)
		if ((t->key == KEY_WRITE || t->key == KEY_TMP) && t->value.length > 1 &&
		    text_is_below(s->value, t->value) && s->value.length > t->value.length)
			what = "below another of them, so the app could put a symlink to anywhere in its place:",
			hint = "that one is enough; for tmp: env = TMPDIR=PATH";
	if (is_write && text_is_choice(s->value, text_of("/|/dev|/proc")))
		what = "too wide to limit anything:", hint = "name the directories that the app writes to";
	return what == NULL || policy_refuse(why, s, "policy-value", what, s->value, hint);
}

static bool check_setting(const struct policy *p, const struct setting *s, struct problem *why) {
	const bool is_none = s->key == KEY_GROUPS && text_is(s->value, "none");

	/* root is never the target, and 0 is the one id that every mistake turns into. */
	if (s->key >= KEY_USER && s->key <= KEY_GROUPS && (text_is(s->value, "0") || text_is(s->value, "root")))
		return policy_refuse(why, s, "policy-root", "an app never runs as root or in its group:", s->value, NULL);
	if (is_none && (s != policy_next(p, KEY_GROUPS, NULL) || policy_next(p, KEY_GROUPS, s) != NULL))
		return policy_refuse(why, s, "policy-value", "stands alone or not at all:", s->value, NULL);
	if (s->key != KEY_ENV && s->key != KEY_LISTEN)
		return check_company(p, s, why);
	const struct text name = environment_name(s->value);
	if (environment_is_ours(name) || (text_is(name, "TMPDIR") && policy_value(p, KEY_TMP).length > 0))
		return policy_refuse(why, s, "policy-value", "runas-app itself sets", name, NULL);
	for (const struct setting *t = p->settings; t < s; t++)
		if (t->key == s->key && text_equal(environment_name(t->value), name))
			return policy_refuse(why, s, "policy-twice", "is set twice:", name, NULL);
	return check_company(p, s, why);
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
