/* SPDX-License-Identifier: ISC */
/* audit: sockets of the app that the web server cannot connect to. */
#include "companion/audit.h"

#include <stdlib.h>
#include <string.h>

static void check(struct audit *a, const char *path, bool is_promised) {
	struct access *access = access_path(a->image, &a->nginx, path, ACCESS_CONNECT);
	const struct access_names names = {.person = a->nginx_name};
	const struct access_step *first = access->first;

	/* One that is not there is no drift: its server is not running. */
	if (access->verdict == ACCESS_DENIED && first->reason != ACCESS_MISSING) {
		char *shown = audit_shown(a, path), *why = access_words(a->image, access, first, &names);
		char *hint = access_mend(a->image, &a->nginx, access, first, &names);
		char *where = output_escaped(first->path, strlen(first->path));

		audit_add(a, is_promised ? FINDING_ERROR : FINDING_WARNING, shown, "audit-socket", hint,
			  "%s cannot connect: %s: %s", a->nginx_name, where, why);
		free(shown);
		free(where);
		free(why);
		free(hint);
	}
	access_free(access);
}

/* unix:/run/shop/gunicorn.sock, --socket /run/x, unix:///run/x.sock: a path that looks like a socket's. */
static char *socket_in(struct text token) {
	struct text rest = token;
	bool is_unix;

	text_until(&rest, "/");
	if (rest.length == 0)
		return NULL;
	is_unix = token.length - rest.length >= 5 && memcmp(rest.at - 5, "unix:", 5) == 0;
	while (rest.length > 1 && rest.at[1] == '/')
		rest = text_after(rest, 1);
	rest = text_until(&rest, "?");
	if (memchr(rest.at, '{', rest.length) != NULL || memchr(rest.at, '"', rest.length) != NULL)
		return NULL;
	if (!is_unix && (rest.length < 5 || memcmp(rest.at + rest.length - 5, ".sock", 5) != 0))
		return NULL;
	return output_memory(strndup(rest.at, rest.length));
}

static bool is_known(char *const *list, size_t count, const char *path) {
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], path) == 0)
			return true;
	return false;
}

void audit_sockets(struct audit *a) {
	static const enum policy_key keys[] = {KEY_COMMAND, KEY_SERVE, KEY_ENV};
	char **promised = NULL;
	size_t count = 0;

	if (a->nginx_name == NULL)
		return;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		for (const struct setting *s = NULL; (s = policy_next(&a->draft->policy, keys[i], s)) != NULL;) {
			struct text rest = s->value, word;

			while ((word = text_word(&rest)).length > 0) {
				char *path = socket_in(word);

				if (path != NULL && !is_known(promised, count, path))
					audit_keep(&promised, &count, path);
				else
					free(path);
			}
		}
	for (size_t i = 0; i < count; i++)
		check(a, promised[i], true);
	for (size_t i = 0; i < a->socket_count; i++)
		if (!is_known(promised, count, a->sockets[i]))
			check(a, a->sockets[i], false);
	for (size_t i = 0; i < count; i++)
		free(promised[i]);
	free(promised);
}
