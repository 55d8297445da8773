/* SPDX-License-Identifier: ISC */
/*
 * inspect: the system around a policy: is everything there that it names, and is it what the policy counts on?
 *
 * Purpose:  what `check` finds beyond the text: accounts, directories, command files, profiles, other policies.
 * Given:    a valid draft; the files of its image, which anybody may change at any time.
 * Promises: an error is what would stop a launch or undo the policy's point; a warning, what probably is not meant; a
 *           note, what is good to know. What only a later step makes (directories, commands, a compiled profile) is a
 *           warning in a draft and an error once it is installed. What could not be looked at is a note.
 * Never:    executes anything; reads more of a command file than its first line.
 */
#ifndef COMPANION_INSPECT_H
#define COMPANION_INSPECT_H

#include "companion/access.h"
#include "companion/draft.h"

void inspect_system(struct draft *draft, struct findings *to);

/* --- for its own parts: inspect_*.c --- */

struct inspection {
	struct draft *draft;
	struct findings *to;
	enum finding_kind absent; /* of what need not be there yet */
	enum finding_kind trust;  /* of what others than root could have written */
	bool is_live;		  /* this system: its kernel may be asked */
	bool has_callers;	  /* others than root may start it */
	struct person app;	  /* the ids that the plan has, complete */
	struct access_who who;	  /* the same, `write` left aside */
	struct access_names names;
	const char *script; /* whose interpreter is being looked at, or NULL; all that is said then says so */
	char **shown;
	size_t shown_count;
};

/* At the setting's value, or at a part of it (any range of the policy's bytes). hint may be NULL. */
__attribute__((format(printf, 7, 8))) void inspect_say(struct inspection *i, enum finding_kind kind,
						       const struct setting *at, struct text part, const char *word,
						       const char *hint, const char *format, ...);

/* Both live as long as the inspection. */
const char *inspect_shown(struct inspection *i, const char *bytes, size_t length); /* escaped */
__attribute__((format(printf, 2, 3))) const char *inspect_words(struct inspection *i, const char *format, ...);
const char *inspect_user(struct inspection *i, uint32_t uid); /* the name, or the number */

const char *inspect_path(struct inspection *i, const char *path);   /* escaped, with the image's prefix */
const char *inspect_quoted(struct inspection *i, const char *path); /* the same, for a shell */

/*
 * May the app do this there? false: said, and of this kind, unless it is not there (i->absent, but no more than kind) or
 * could not be found out (a note). *ret: the way there, or NULL for none; access_free it.
 */
bool inspect_reach(struct inspection *i, const struct setting *at, struct text part, const char *path,
		   enum access_mode mode, enum finding_kind kind, const char *word, struct access **ret);
/* Says who else could put something else where this way leads; what: "run"... what the app would do with it. */
void inspect_replaceable(struct inspection *i, const struct setting *at, struct text part, const struct access *way,
			 const char *word, const char *what);

const char *inspect_members(struct inspection *i, uint32_t gid); /* others than the app that have it; "" for nobody */
bool inspect_accounts(struct inspection *i); /* fills i->app; false: there is no identity to go on with */
void inspect_paths(struct inspection *i);
void inspect_commands(struct inspection *i);
void inspect_profile(struct inspection *i);
void inspect_settings(struct inspection *i);   /* what a value means, whatever the files are */
void inspect_neighbours(struct inspection *i); /* the other policies */

#endif
