/* SPDX-License-Identifier: ISC */
/*
 * explain: the launch plan, setting by setting, each with where it comes from; the parts of `runas-policy explain`.
 *
 * Purpose:  every line of a report says why it is so, and verbs that list policies say it in the same words.
 * Given:    a rehearsal that is READY, so that the plan is plan_build's.
 * Promises: values are the plan's; no value of env_file, and none that the caller's environment would give to a name of
 *           `env_keep`, is shown.
 * Never:    decides: the rehearsal did.
 */
#ifndef COMPANION_EXPLAIN_H
#define COMPANION_EXPLAIN_H

#include "companion/draft.h"
#include "companion/sheet.h"
#include "companion/table.h"

struct explained {
	const struct image *image;
	bool is_live; /* this system, not one of --root */
	const struct draft *draft;
	const struct rehearsal *rehearsal;
	bool has_command;
	int landlock_abi;
	struct sheet *sheet;
};

/* Where a key's value comes from: its line, or this word. */
struct sheet_from explain_from(const struct draft *draft, enum policy_key key, const char *otherwise);

/* "deploy (1001)", or "1001 (no name)": new strings. */
char *explain_user(const struct image *image, uint32_t uid);
char *explain_group(const struct image *image, uint32_t gid);
json_t *explain_id(uint32_t id, char *name_or_null); /* {"id": 1001, "name": "deploy"}; frees the name */
json_t *explain_text(struct text t);

/* Where a path leads, symlinks followed inside of the image: "/a -> /b", "/a (not there)"; a new string. */
char *explain_path(const struct image *image, const char *path, json_t **ret);

/* "root deploy %admins": who may start it, groups with a %; a new string. */
char *explain_callers(const struct draft *draft);

/*
 * The pattern's tokens beside the typed words, up to the first that differs: rows for people, objects added to ret for
 * machines. *ret_differs: the pattern's token there; unchanged when none differs, empty when the pattern ends first.
 */
struct table *explain_tokens(const struct draft *draft, const struct rehearsal *r, const struct setting *by,
			     json_t *ret, struct text *ret_differs);

/*
 * What else than the policy the launcher reads only if root alone could have written it: accounts, env_file, a site's
 * profile. Adds an error for each that it would refuse; of what is not there too.
 */
void explain_trust(const struct draft *draft, const struct rehearsal *r, struct findings *findings);

void explain_identity(const struct explained *e);
void explain_start(const struct explained *e);
void explain_limits(const struct explained *e);
void explain_writes(const struct explained *e);
void explain_descriptors(const struct explained *e);

void explain_environment(const struct explained *e);
void explain_syscalls(const struct explained *e);

#endif
