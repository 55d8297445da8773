/* SPDX-License-Identifier: ISC */
/*
 * draft: a policy as the launcher would see it, installed or not, and a launch under it, imagined.
 *
 * Purpose:  what runas-policy says is what would happen: the same parse, check, accounts, authorize, command and plan.
 * Given:    the name of an app, or of a file that need not be installed yet; a caller who need not be here.
 * Promises: every problem of the file is found, not only the first; what could not be read is said.
 * Never:    executes, binds or writes anything.
 */
#ifndef COMPANION_DRAFT_H
#define COMPANION_DRAFT_H

#include "companion/findings.h"
#include "policy/plan.h"

struct draft {
	const struct image *image;
	char app[32];	     /* of the file's name; "draft" when that is no app's name */
	char *path;	     /* as messages name it */
	bool is_installed;   /* found as /etc/runas-app/APP.conf of the image */
	bool is_read;	     /* its bytes are here */
	bool is_valid;	     /* the launcher would take the text; policy and accounts can be used */
	struct text bytes;   /* with a NUL behind them */
	struct policy policy;
	struct accounts accounts;
	bool has_accounts;   /* /etc/passwd and /etc/group could be read */
	char *buffer;
};

/*
 * name: an app's name, or a path (anything with a / or a dot). Findings: syntax and cross-field errors of the text, as
 * errors; who could have written it, as errors when installed and warnings in a draft. NULL: it could not be read; said
 * by output_fail. Free with draft_free. The result is large.
 */
struct draft *draft_open(const struct image *image, const char *name, struct findings *findings);
void draft_free(struct draft *draft);

/* Every APP.conf of the image, sorted; NULL-terminated new array of new strings; NULL: errno. */
char **draft_list(const struct image *image);

/*
 * Adds a finding where somebody else than root could have written what is at this path, or a directory above it. A
 * symlink is one too. false: there was one, or it is not there (then nothing was added).
 */
bool draft_is_trusted(const struct image *image, const char *path, enum trust_kind last, enum finding_kind kind,
		      struct findings *findings);

/* The value of a key as the policy has it, or the default as runas-app.conf(5) words it; *ret_line 0 for a default. */
struct text draft_value(const struct draft *draft, enum policy_key key, const char *otherwise, unsigned *ret_line);

/* --- a launch --- */

enum rehearsal_stage {
	REHEARSAL_CALLER,  /* not permitted */
	REHEARSAL_COMMAND, /* no pattern, or ambiguous */
	REHEARSAL_PROFILE, /* missing, stale, damaged */
	REHEARSAL_PLAN,	   /* groups, environment, Landlock ... */
	REHEARSAL_READY,
};

struct rehearsal {
	struct caller caller;
	struct request request;
	struct command_match match;
	struct program_file site; /* where the profile is a site's */
	void *site_bytes;
	char profile_path[512]; /* the file that REHEARSAL_PROFILE is about, or "": the policy */
	struct launch_plan plan;
	bool has_secrets; /* env_file was read; otherwise its variables are missing in plan.environment */
	int secrets_error; /* errno, where it could not be read */
	char *secrets;
	enum rehearsal_stage stage; /* that refused, or READY */
	struct problem why;	    /* of that stage */
	char cwd[4096];
	size_t cwd_length;
};

struct rehearsal_call {
	const struct person *as; /* NULL: root */
	bool without_root;	 /* as a container that already is the app's user */
	char *const *command;	 /* NULL-terminated, at least one word; NULL: the part that no command changes */
	char *const *environment; /* NULL-terminated */
	const char *cwd;
	int landlock_abi; /* or -errno; of the kernel that it is asked about */
};

/* A valid draft with accounts. Free with rehearsal_free. The result is large. */
struct rehearsal *draft_rehearse(struct draft *draft, const struct rehearsal_call *call);
void rehearsal_free(struct rehearsal *rehearsal);

/* The Landlock ABI of this kernel, or -errno. */
int rehearsal_landlock_abi(void);

/* The profile `syscalls` names, as the launcher would load it. false: why, and in *ret_path the file it is about. */
bool draft_profile(const struct draft *draft, struct program_file *ret, void **ret_bytes, struct problem *why,
		   char ret_path[512]);

#endif
