/* SPDX-License-Identifier: ISC */
/*
 * sudoers: what a sudoers file allows, rule by rule, as far as a policy of runas-app can say the same.
 *
 * Purpose:  sudo's own parser (cvtsudoers) reads the file; each command, for each user that it may run as, becomes a
 *           pattern, or a reason why not.
 * Given:    JSON of cvtsudoers with aliases expanded; names and commands may hold any byte.
 * Promises: a pattern allows what sudo allowed, and no more but what its remark says; a rule that a later one takes back,
 *           or may take back, has none. What differs from sudo without being wider is not a reason.
 * Never:    guesses what a wildcard was meant for.
 */
#ifndef COMPANION_SUDOERS_H
#define COMPANION_SUDOERS_H

#include "companion/output.h"

struct sudoers_rule {
	char *target;	      /* the user it runs as, name or number; "" when that is no single user */
	char *callers;	      /* as sudoers writes them, separated by blanks: deploy %web #1001 */
	char *users, *groups; /* the same for allow_users and allow_groups; may be "" */
	char *path;	      /* of the command; "" when that is no single file */
	char *words;   /* all it fits, as `command` would have it, carried over or not; NULL: more than can be said */
	char *shown;   /* the command as sudoers has it, escaped */
	char *pattern; /* for `command`; NULL: not carried over */
	char *remark;  /* what stands above it, or NULL */
	char *reason;  /* why it has no pattern; "": root alone may run it, and needs no rule */
	const char *hint; /* or NULL */
	bool is_negated, asks_password;
};

struct sudoers {
	struct sudoers_rule *rules;
	size_t count;
	json_t *document;
};

/*
 * Asks cvtsudoers about the file at path; or, if fd is not -1, about what that descriptor reads. NULL: it was said why on
 * standard error. New reference.
 */
json_t *sudoers_load(const char *path, int fd);

/* The same from text that cvtsudoers wrote; its known slips are mended. NULL: *error says why not. New reference. */
json_t *sudoers_parse(const char *text, size_t length, json_error_t *error);

/* Takes the reference. Free with sudoers_free. */
struct sudoers sudoers_rules(json_t *document);
void sudoers_free(struct sudoers *sudoers);

/*
 * The value of a Defaults setting that applies to everybody or to one of these names (blank-separated), lists joined by
 * blanks: a new string, or NULL when it is not set.
 */
char *sudoers_default(const struct sudoers *sudoers, const char *setting, const char *names);

/* One command of sudoers as a pattern: a new string, or NULL and *ret_reason, a literal; *ret_widens: sudo wanted one more. */
char *sudoers_pattern(const char *command, const char **ret_reason, bool *ret_widens);

/* The file that it runs, a new string: "" when that is no single one. */
char *sudoers_path(const char *command);

#endif
