/* SPDX-License-Identifier: ISC */
#include "policy/accounts.h"

#include <string.h>

#define PASSWD_FIELDS 7
#define GROUP_FIELDS 4

static void want(struct accounts *a, const struct policy *p, enum policy_key key, enum accounts_file file) {
	for (const struct setting *s = NULL; (s = policy_next(p, key, s)) != NULL;)
		if (text_is_account(s->value) && !(key == KEY_GROUPS && text_is(s->value, "none")))
			a->wanted[a->count++] = (struct accounts_wanted){s, file, ACCOUNTS_ABSENT, 0};
}

void accounts_begin(struct accounts *a, const struct policy *p) {
	a->count = 0;
	a->in_long_line = false;
	a->user.state = ACCOUNTS_ABSENT;
	want(a, p, KEY_ALLOW_USERS, ACCOUNTS_PASSWD);
	want(a, p, KEY_USER, ACCOUNTS_PASSWD);
	want(a, p, KEY_ALLOW_GROUPS, ACCOUNTS_GROUP);
	want(a, p, KEY_GROUP, ACCOUNTS_GROUP);
	want(a, p, KEY_GROUPS, ACCOUNTS_GROUP);
}

bool accounts_wants(const struct accounts *a, const struct policy *p, enum accounts_file file) {
	for (size_t i = 0; i < a->count; i++)
		if (a->wanted[i].file == file)
			return true;
	return file == ACCOUNTS_PASSWD && (policy_next(p, KEY_GROUP, NULL) == NULL || policy_next(p, KEY_HOME, NULL) == NULL ||
					   policy_next(p, KEY_DIRECTORY, NULL) == NULL);
}

/* How many fields there are; one more than asked for tells that there are too many. */
static size_t split(struct text line, struct text fields[PASSWD_FIELDS + 1]) {
	size_t n = 0;

	for (bool more = true; more && n <= PASSWD_FIELDS; line = text_after(line, 1)) {
		fields[n++] = text_until(&line, ":");
		more = line.length > 0;
	}
	return n;
}

static size_t keep_path(char *to, struct text from) {
	if (from.length == 0 || from.length >= ACCOUNTS_MAX_FIELD || from.at[0] != '/')
		return 0;
	memcpy(to, from.at, from.length);
	return from.length;
}

static void take_user(struct accounts *a, const struct text *fields, uint32_t uid, uint32_t gid) {
	if (a->user.state != ACCOUNTS_ABSENT) {
		a->user.state = a->user.uid == uid && a->user.gid == gid ? a->user.state : ACCOUNTS_AMBIGUOUS;
		return;
	}
	a->user.state = ACCOUNTS_FOUND;
	a->user.uid = uid;
	a->user.gid = gid;
	a->user.name_length = fields[0].length;
	memcpy(a->user.name, fields[0].at, fields[0].length);
	a->user.home_length = keep_path(a->user.home, fields[5]);
	a->user.shell_length = keep_path(a->user.shell, fields[6]);
}

static void take_line(struct accounts *a, const struct policy *p, enum accounts_file file, struct text line) {
	const bool is_passwd = file == ACCOUNTS_PASSWD;
	const struct setting *user = policy_next(p, KEY_USER, NULL);
	struct text fields[PASSWD_FIELDS + 1];
	uint64_t id, gid = 0, target;

	if (split(line, fields) != (is_passwd ? PASSWD_FIELDS : GROUP_FIELDS) || !text_is_account(fields[0]) ||
	    !text_number(fields[2], UINT32_MAX - 1, &id) ||
	    (is_passwd && (!text_number(fields[3], UINT32_MAX - 1, &gid) || !text_is_printable(line))))
		return;
	for (struct accounts_wanted *w = a->wanted; w < a->wanted + a->count; w++) {
		if (w->file != file || !text_equal(w->by->value, fields[0]))
			continue;
		if (w->state != ACCOUNTS_ABSENT && w->id != id)
			w->state = ACCOUNTS_AMBIGUOUS;
		else if (w->state == ACCOUNTS_ABSENT)
			*w = (struct accounts_wanted){w->by, file, ACCOUNTS_FOUND, (uint32_t)id};
	}
	if (is_passwd && user != NULL && (text_equal(user->value, fields[0]) ||
					  (text_number(user->value, UINT32_MAX - 1, &target) && target == id)))
		take_user(a, fields, (uint32_t)id, (uint32_t)gid);
}

size_t accounts_feed(struct accounts *a, const struct policy *p, enum accounts_file file, struct text piece) {
	size_t used = 0;

	while (used < piece.length) {
		struct text line = text_after(piece, used);
		const char *end = memchr(line.at, '\n', line.length);

		if (end == NULL && used > 0)
			break;
		line.length = end != NULL ? (size_t)(end - line.at) : line.length;
		/* A passwd line longer than the piece is no account's; a group's tail holds members, not asked for. */
		if (!a->in_long_line && (end != NULL || file == ACCOUNTS_GROUP))
			take_line(a, p, file, line);
		a->in_long_line = end == NULL;
		used += line.length + (end != NULL);
	}
	return used;
}

bool accounts_id(const struct accounts *a, const struct setting *s, uint32_t *ret) {
	uint64_t number;

	for (const struct accounts_wanted *w = a->wanted; w < a->wanted + a->count; w++)
		if (w->by == s) {
			*ret = w->state == ACCOUNTS_FOUND ? w->id : *ret;
			return w->state == ACCOUNTS_FOUND;
		}
	if (!text_number(s->value, UINT32_MAX - 1, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}
