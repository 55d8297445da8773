/* SPDX-License-Identifier: ISC */
/*
 * The bytes of /etc/passwd and /etc/group: how the pieces are cut, NUL, the policy's users and groups, NUL, passwd,
 * NUL, group. What is found must not depend on where the pieces end.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static struct policy policy;
static struct accounts whole, pieces;
static struct launch_plan plan; /* too large for a stack */

/* A block of its own for each piece: AddressSanitizer sees a read behind it. */
static size_t feed(struct accounts *a, enum accounts_file file, struct text piece) {
	char *const copy = malloc(piece.length + (piece.length == 0));
	size_t used;

	MUST(copy != NULL);
	if (piece.length > 0)
		memcpy(copy, piece.at, piece.length);
	used = accounts_feed(a, &policy, file, (struct text){copy, piece.length});
	MUST(used <= piece.length && (used > 0 || piece.length == 0));
	free(copy);
	return used;
}

/* As trusted_stream does it: what was not used comes again, and a last line without its end gets one. */
static void stream(struct accounts *a, enum accounts_file file, struct text bytes, struct text cuts, bool whole_lines) {
	char *const all = malloc(bytes.length + 1);
	struct text rest = {all, bytes.length};

	MUST(all != NULL);
	if (bytes.length > 0)
		memcpy(all, bytes.at, bytes.length);
	if (rest.length > 0 && all[rest.length - 1] != '\n')
		all[rest.length++] = '\n';
	for (size_t n = 0; rest.length > 0; n++) {
		const size_t cut = cuts.length > 0 ? 1 + (unsigned char)cuts.at[n % cuts.length] : rest.length;
		struct text piece = {rest.at, cut < rest.length ? cut : rest.length};

		/* A buffer that is too small for a line is another question. */
		while (whole_lines && memchr(piece.at, '\n', piece.length) == NULL)
			piece.length++;
		rest = text_after(rest, feed(a, file, piece));
	}
	free(all);
}

static void read_both(struct accounts *a, struct text passwd, struct text group, struct text cuts, bool whole_lines) {
	memset(a, 0x5a, sizeof(*a));
	accounts_begin(a, &policy);
	stream(a, ACCOUNTS_PASSWD, passwd, cuts, whole_lines);
	stream(a, ACCOUNTS_GROUP, group, cuts, whole_lines);
	MUST(a->count <= ACCOUNTS_MAX_WANTED);
	for (size_t i = 0; i < a->count; i++) {
		uint32_t id = 0x5a5a5a5a;
		const struct accounts_wanted *const w = &a->wanted[i];
		MUST(w->state <= ACCOUNTS_AMBIGUOUS);
		MUST(accounts_id(a, w->by, &id) == (w->state == ACCOUNTS_FOUND) &&
		     (w->state != ACCOUNTS_FOUND || id == w->id));
		MUST(w->state != ACCOUNTS_FOUND || id != UINT32_MAX);
	}
	MUST(a->user.state == ACCOUNTS_ABSENT || text_is_account(a->user.name));
	MUST(a->user.state != ACCOUNTS_ABSENT || a->user.name.length + a->user.home.length + a->user.shell.length == 0);
	MUST(a->user.home.length == 0 || a->user.home.at[0] == '/');
	MUST(a->user.shell.length == 0 || a->user.shell.at[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static char lines[POLICY_MAX_BYTES];
	struct text rest = {(const char *)data, size};
	const struct text cuts = fuzz_part(&rest), names = fuzz_part(&rest), passwd = fuzz_part(&rest);
	struct sink s = {.at = lines, .size = sizeof(lines)};
	struct problem why;

	sink_words(&s, "runas-app = 1\n");
	sink_text(&s, names);
	if (size > sizeof(lines) || !fuzz_read_policy((struct text){lines, s.used}, &policy))
		return 0;
	read_both(&whole, passwd, rest, (struct text){0}, true);
	read_both(&pieces, passwd, rest, cuts, true);
	MUST(whole.count == pieces.count && whole.user.state == pieces.user.state);
	for (size_t i = 0; i < whole.count; i++)
		MUST(whole.wanted[i].state == pieces.wanted[i].state && whole.wanted[i].id == pieces.wanted[i].id);
	MUST(whole.user.state == ACCOUNTS_ABSENT ||
	     memcmp(&whole.user, &pieces.user,
		    offsetof(struct accounts, user.name) - offsetof(struct accounts, user)) == 0);
	read_both(&pieces, passwd, rest, cuts, false);
	memset(&why, 0x5a, sizeof(why));
	if (!plan_identity(&policy, &whole, &plan, &why)) {
		fuzz_check_problem(&why);
		return 0;
	}
	MUST(plan.uid.value != 0 && plan.uid.value != UINT32_MAX && plan.gid.value != 0 &&
	     plan.gid.value != UINT32_MAX);
	for (size_t i = 0; i < plan.group_count; i++)
		MUST(plan.groups[i] != 0 && plan.groups[i] != UINT32_MAX);
	return 0;
}
