/* SPDX-License-Identifier: ISC */
#include "policy/authorize.h"

enum { GROUP_FIELDS = 4, PASSWD_FIELDS = 7, BLOCK = 256 /* bytes */, FEW = 8 /* names that are asked for together */ };

static bool is_id(struct text t, uint64_t *ret) { return text_number(t, UINT32_MAX - 1, ret); }

void accounts_begin(struct accounts *a, const struct policy *p) {
	a->count = 0;
	a->is_number = a->in_long_line = false;
	a->user = (struct accounts_user){0};
	for (const struct setting *s = p->settings; s < p->settings + p->count; s++) {
		const bool is_user = s->key == KEY_ALLOW_USERS || s->key == KEY_USER;
		uint64_t id = 0;
		if (!is_user && s->key != KEY_ALLOW_GROUPS && s->key != KEY_GROUP &&
		    (s->key != KEY_GROUPS || text_is(s->value, "none")))
			continue;
		const enum accounts_state state = is_id(s->value, &id) ? ACCOUNTS_FOUND : ACCOUNTS_ABSENT;
		a->wanted[a->count++] =
			(struct accounts_wanted){s, is_user ? ACCOUNTS_PASSWD : ACCOUNTS_GROUP, state, (uint32_t)id};
		a->is_number = a->is_number || (s->key == KEY_USER && state == ACCOUNTS_FOUND);
	}
}

bool accounts_wants(const struct accounts *a, const struct policy *p, enum accounts_file file) {
	for (size_t i = 0; i < a->count; i++)
		if (a->wanted[i].file == file && a->wanted[i].state == ACCOUNTS_ABSENT)
			return true;
	return file == ACCOUNTS_PASSWD && (policy_next(p, KEY_GROUP, NULL) == NULL ||
		policy_next(p, KEY_HOME, NULL) == NULL || policy_next(p, KEY_DIRECTORY, NULL) == NULL);
}

static struct text keep(char *to, struct text from, struct text start) {
	if (from.length == 0 || from.length >= ACCOUNTS_MAX_FIELD || !text_starts(from, start))
		return (struct text){0};
	return (struct text){memcpy(to, from.at, from.length), from.length};
}

/* A second sight of the same is fine; of anything else, and the account is nobody's. */
static enum accounts_state seen(enum accounts_state before, bool is_same) {
	return before == ACCOUNTS_ABSENT || (before == ACCOUNTS_FOUND && is_same) ? ACCOUNTS_FOUND : ACCOUNTS_AMBIGUOUS;
}

/* Of 100,000 lines most are told by their first byte; only for a target that is a number any may be its own. */
static bool may_matter(const struct accounts *a, enum accounts_file file, struct text line) {
	bool may_matter = a->is_number && file == ACCOUNTS_PASSWD;
	/*@ loop invariant \exists integer k; 0 <= k <= a->count && w == &a->wanted[k];
	    loop assigns w, may_matter;
	    loop variant a->count - (w - &a->wanted[0]); */
	for (const struct accounts_wanted *w = a->wanted; !may_matter && w < a->wanted + a->count; w++)
		may_matter = w->file == file && w->by->value.at[0] == line.at[0] && text_starts(line, w->by->value);
	return may_matter;
}

/*
 * Is there a newline in this block with this byte nth behind it? It says yes too often, as it compares only the difference
 * of the two. One subtraction, and no early end, is what compilers make vectors of: looking costs less than reading.
 */
static bool may_start(const char *at, size_t from, size_t nth, char byte) {
	unsigned char hit = 0;
	/*@ loop invariant i <= BLOCK;
	    loop invariant hit == 0 ==> \forall integer j; from <= j < from + i ==>
	      at[j] != '\n' || at[j + nth] != byte;
	    loop assigns i, hit;
	    loop variant BLOCK - i; */
	for (size_t i = 0; i < BLOCK; i++)
		hit |= (unsigned char)(at[from + i + nth] - at[from + i]) == (unsigned char)(byte - '\n') ? 0xff : 0;
	return hit;
}

/* How many bytes, in whole blocks, can be passed over: no line that may matter starts behind a newline among them. */
static size_t pass_over(const struct accounts *a, enum accounts_file file, size_t nth, struct text t) {
	char bytes[FEW];
	size_t n = 0, passed = 0;
	/*@ loop invariant i <= a->count && n <= i;
	    loop invariant \forall integer j; 0 <= j < i && a->wanted[j].file == file ==>
	      \exists integer k; 0 <= k < n && bytes[k] == a->wanted[j].by->value.at[nth - 1];
	    loop assigns i, n, bytes[0 .. FEW - 1];
	    loop variant a->count - i; */
	for (size_t i = 0; i < a->count; i++) /* neighbours that are alike only once: each costs a look */
		if (a->wanted[i].file == file && (n == 0 || bytes[n - 1] != a->wanted[i].by->value.at[nth - 1]))
			bytes[n++] = a->wanted[i].by->value.at[nth - 1];
	/*@ loop invariant passed <= t.length && (passed > 0 ==> passed + nth <= t.length);
	    loop invariant \forall integer i, k; 0 <= i < passed && 0 <= k < n ==>
	      t.at[i] != '\n' || t.at[i + nth] != bytes[k];
	    loop assigns passed;
	    loop variant t.length - passed; */
	for (; t.length - passed >= BLOCK + nth; passed += BLOCK)
		/*@ loop invariant k <= n;
		    loop invariant \forall integer i, l; passed <= i < passed + BLOCK && 0 <= l < k ==>
		      t.at[i] != '\n' || t.at[i + nth] != bytes[l];
		    loop assigns k;
		    loop variant n - k; */
		for (size_t k = 0; k < n; k++)
			if (may_start(t.at, passed, nth, bytes[k]))
				return passed;
	return passed;
}

/*
 * How far to go on behind a line: over its newline, or over blocks. All names there may begin alike, so that after a
 * hit another byte of the wanted ones is asked for.
 */
static size_t go_on(const struct accounts *a, enum accounts_file file, size_t *nth, struct text t) {
	size_t shortest = a->count > FEW || (a->is_number && file == ACCOUNTS_PASSWD) ? 0 : BLOCK;
	/*@ loop invariant i <= a->count && shortest <= BLOCK && (shortest == 0 || a->count <= FEW);
	    loop invariant \forall integer j; 0 <= j < i && a->wanted[j].file == file ==>
	      shortest <= a->wanted[j].by->value.length;
	    loop assigns i, shortest;
	    loop variant a->count - i; */
	for (size_t i = 0; i < a->count && shortest > 0; i++)
		if (a->wanted[i].file == file && a->wanted[i].by->value.length < shortest)
			shortest = a->wanted[i].by->value.length;
	const size_t passed = *nth <= shortest ? pass_over(a, file, *nth, t) : 0;
	*nth = passed > 0 ? *nth : *nth < shortest ? *nth + 1 : 1;
	return passed > 0 ? passed : t.length > 0;
}

static void take_id(struct accounts *a, enum accounts_file file, struct text name, uint32_t id) {
	/*@ loop invariant i <= a->count && fed(a);
	    loop assigns i, a->wanted[0 .. ACCOUNTS_MAX_WANTED - 1];
	    loop variant a->count - i; */
	for (size_t i = 0; i < a->count; i++)
		if (a->wanted[i].file == file && text_equal(a->wanted[i].by->value, name)) {
			a->wanted[i].state = seen(a->wanted[i].state, a->wanted[i].id == id);
			a->wanted[i].id = id;
		}
}

static void take_user(struct accounts *a, struct accounts_user user) {
	if (a->user.state == ACCOUNTS_ABSENT) {
		a->user.uid = user.uid;
		a->user.gid = user.gid;
		a->user.name = keep(a->bytes, user.name, text_of(""));
		a->user.home = keep(a->bytes + a->user.name.length, user.home, text_of("/"));
		a->user.shell = keep(a->bytes + a->user.name.length + a->user.home.length, user.shell, text_of("/"));
	}
	a->user.state = seen(a->user.state, a->user.uid == user.uid && a->user.gid == user.gid);
}

static void take_line(struct accounts *a, const struct policy *p, enum accounts_file file, struct text line) {
	const bool is_passwd = file == ACCOUNTS_PASSWD;
	const struct text user = policy_value(p, KEY_USER);
	struct text rest = line, fields[PASSWD_FIELDS + 1];
	uint64_t id, gid = 0, target;
	size_t n = 0;

	/*@ loop invariant readable(rest) && inside(rest, line) && n <= PASSWD_FIELDS + 1;
	    loop invariant \forall integer i; 0 <= i < n ==> readable(fields[i]) && inside(fields[i], line);
	    loop assigns rest, n, fields[0 .. PASSWD_FIELDS];
	    loop variant PASSWD_FIELDS + 1 - n; */
	while (n <= PASSWD_FIELDS && text_field(&rest, ":", &fields[n]))
		n++;
	if (n != (is_passwd ? PASSWD_FIELDS : GROUP_FIELDS) || !text_is_account(fields[0]) || !is_id(fields[2], &id) ||
	    (is_passwd && (!is_id(fields[3], &gid) || !text_is_printable(line))))
		return;
	take_id(a, file, fields[0], (uint32_t)id);
	if (!is_passwd || (!text_equal(user, fields[0]) && (!is_id(user, &target) || target != id)))
		return;
	take_user(a, (struct accounts_user){.uid = (uint32_t)id, .gid = (uint32_t)gid,
					    .name = fields[0], .home = fields[5], .shell = fields[6]});
}

size_t accounts_feed(struct accounts *a, const struct policy *p, enum accounts_file file, struct text piece) {
	size_t used = 0, nth = 1;

	/*@ loop invariant used <= piece.length && fed(a);
	    loop invariant 1 <= nth;
	    loop assigns used, nth, *a;
	    loop variant piece.length - used; */
	while (used < piece.length) {
		struct text line = text_after(piece, used);
		const char *end = memchr(line.at, '\n', line.length);

		if (end == NULL && used > 0)
			break;
		line.length = end != NULL ? (size_t)(end - line.at) : line.length;
		/* A passwd line longer than the piece is no account's; a group's tail holds members, not asked for. */
		if (!a->in_long_line && (end != NULL || file == ACCOUNTS_GROUP) && may_matter(a, file, line))
			take_line(a, p, file, line);
		used += line.length;
		const size_t passed = go_on(a, file, &nth, text_after(piece, used));
		a->in_long_line = (end == NULL) | (passed > 1); /* | as || would double what has to be proved */
		used += passed;
	}
	return used;
}

bool accounts_id(const struct accounts *a, const struct setting *s, uint32_t *ret) {
	/*@ loop invariant \exists integer k; 0 <= k <= a->count && w == &a->wanted[k];
	    loop invariant \forall integer j; 0 <= j < a->count && &a->wanted[j] < w ==>
	      a->wanted[j].by != s || a->wanted[j].state != ACCOUNTS_FOUND;
	    loop assigns w;
	    loop variant a->count - (w - &a->wanted[0]); */
	for (const struct accounts_wanted *w = a->wanted; w < a->wanted + a->count; w++)
		if (w->by == s && w->state == ACCOUNTS_FOUND) {
			*ret = w->id;
			return true;
		}
	return false;
}
