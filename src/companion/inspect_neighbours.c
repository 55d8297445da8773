/* SPDX-License-Identifier: ISC */
#include "companion/inspect.h"

#include <stdlib.h>
#include <string.h>

struct neighbour {
	char *bytes;
	struct policy policy;
};

/* false: not readable, or no policy; `check` of that app says why. */
static bool read_neighbour(const struct inspection *i, const char *app, struct neighbour *ret) {
	char *path = output_format("/etc/runas-app/%s.conf", app);
	struct problem why = {0};
	size_t length = 0;

	ret->bytes = image_read(i->draft->image, path, POLICY_MAX_BYTES, &length);
	free(path);
	return ret->bytes != NULL && parse_policy((struct text){ret->bytes, length}, &ret->policy, &why) &&
	       check_policy(&ret->policy, &why);
}

static bool is_any(const struct policy_listen *l) {
	static const unsigned char zero[16];

	return memcmp(l->address, zero, l->is_ipv6 ? 16 : 4) == 0;
}

/* IPv6 sockets are bound with V6ONLY, so the two families do not meet. */
static bool collide(const struct policy_listen *a, const struct policy_listen *b) {
	return a->port == b->port && a->is_ipv6 == b->is_ipv6 &&
	       (is_any(a) || is_any(b) || memcmp(a->address, b->address, a->is_ipv6 ? 16 : 4) == 0);
}

/* app: NULL where it is our own policy, each of whose lines is compared with those above it. */
static void compare_sockets(struct inspection *i, const struct policy *other, const char *app) {
	const struct policy *p = &i->draft->policy;
	struct policy_listen mine, theirs;

	for (const struct setting *s = NULL; (s = policy_next(p, KEY_LISTEN, s)) != NULL;)
		for (const struct setting *t = NULL; (t = policy_next(other, KEY_LISTEN, t)) != NULL && t != s;)
			if (policy_read_listen(s->value, &mine) && policy_read_listen(t->value, &theirs) &&
			    collide(&mine, &theirs)) {
				if (app == NULL)
					inspect_say(i, FINDING_ERROR, s, s->value, "listen", "take one of them out",
						    "meets %.*s (line %u): no command of `serve` could start",
						    (int)t->value.length, t->value.at, t->line);
				else
					inspect_say(i, FINDING_WARNING, s, s->value, "listen",
						    "give one of them another port",
						    "%s has %.*s (line %u): only one of them can be running", app,
						    (int)t->value.length, t->value.at, t->line);
			}
}

static bool has_user(const struct inspection *i, const struct policy *p) {
	const struct text value = policy_value(p, KEY_USER);
	char *name = output_memory(strndup(value.at, value.length));
	struct person *person = image_person(i->draft->image, name);
	const bool is_same = person != NULL && person->uid == i->app.uid;

	person_free(person);
	free(name);
	return is_same;
}

void inspect_neighbours(struct inspection *i) {
	const struct setting *user = policy_next(&i->draft->policy, KEY_USER, NULL);
	struct neighbour *other = output_memory(calloc(1, sizeof *other));
	char **apps = draft_list(i->draft->image);

	compare_sockets(i, &i->draft->policy, NULL);
	for (size_t n = 0; apps != NULL && apps[n] != NULL; n++) {
		if (strcmp(apps[n], i->draft->app) != 0 && read_neighbour(i, apps[n], other)) {
			compare_sockets(i, &other->policy, apps[n]);
			if (has_user(i, &other->policy))
				inspect_say(
					i, FINDING_NOTE, user, user->value, "account", NULL,
					"%s runs as the same user: each can read, change and stop what is the other's",
					apps[n]);
		}
		free(other->bytes);
		other->bytes = NULL;
		free(apps[n]);
	}
	free(apps);
	free(other);
}
