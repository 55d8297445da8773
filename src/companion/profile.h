/* SPDX-License-Identifier: ISC */
/*
 * profile: the text that says which system calls an app may make.
 *
 * Purpose:  read a profile and what it includes, and refuse what is wrong, unclear or unexplained.
 * Runs as:  runas-policy and embed-profiles; never in the launcher.
 * Given:    text that anyone may have written; shipped texts, and the directory of the site's profiles.
 * Promises: what it returns is complete and without contradiction; the first error is shown where it stands.
 * Never:    guesses what was meant, or goes on after an error.
 *
 * The language, one statement a line; # starts a comment anywhere:
 *
 *	runas-profile = 1                  the first statement; "1 part" when it is only meant to be included
 *	include = @app-server mysite       shipped (@) and site profiles; before everything below
 *	allow   = read write openat        may be called
 *	allow   = clone if arg0 & 0x7e020000 == 0
 *	allow   = socket if arg0 == AF_NETLINK and arg2 == 0
 *	refuse  = ptrace mount             answers EPERM: known, and not wanted
 *	missing = clone3                   answers ENOSYS, as every call does that is not named
 *
 * Several `if` lines for one call are alternatives; when none holds, the call answers ENOSYS. A comparison is about the
 * low 32 bits of an argument, because that is what the kernel reads of the arguments worth comparing (CVE-2019-7303);
 * there is no other operator, because libseccomp 2.5.4 may merge them wrongly (GHSA-4q85-33p6-j5g6).
 * What a file says itself stands above what it includes. Two included files that disagree must be told apart by the
 * including file. A dangerous call may be allowed only with a reason: a comment on the same line.
 */
#ifndef COMPANION_PROFILE_H
#define COMPANION_PROFILE_H

#include "companion/syscalls.h"
#include "policy/program.h"

enum {
	PROFILE_MAX_TEXT = 64 * 1024,
	PROFILE_MAX_LINE = 4096,
	PROFILE_MAX_DEPTH = 8,
	PROFILE_MAX_CALLS = 640,
	PROFILE_MAX_RULES = 16,
	PROFILE_MAX_CONDITIONS = 6,
	PROFILE_LABEL_SIZE = PROGRAM_NAME_SIZE + 1, /* @name */
};

enum profile_answer {
	PROFILE_MISSING = 0,
	PROFILE_REFUSE,
	PROFILE_ALLOW,
};

struct profile_condition {
	uint32_t argument, mask, value;
};

struct profile_rule {
	size_t condition_count; /* all must hold */
	struct profile_condition conditions[PROFILE_MAX_CONDITIONS];
};

struct profile_call {
	char name[SYSCALLS_NAME_SIZE];
	uint32_t number;
	enum profile_answer answer;
	size_t rule_count; /* of an allowed call: 0 means always, else any of them */
	struct profile_rule rules[PROFILE_MAX_RULES];
	char origin[PROFILE_LABEL_SIZE]; /* the file that said so */
	char rival[PROFILE_LABEL_SIZE];	 /* an included file that says otherwise, or "" */
	unsigned rival_line;		 /* the include line that brought the rival */
	bool own;			 /* said by the file that is being read */
};

struct profile {
	bool part;
	size_t call_count; /* sorted by number */
	struct profile_call calls[PROFILE_MAX_CALLS];
	size_t source_count; /* site texts only; the first is the profile itself unless it is shipped */
	struct profile_source {
		char name[PROGRAM_NAME_SIZE];
		uint64_t digest;
	} sources[PROGRAM_MAX_SOURCES];
};

struct shipped_text {
	const char *name; /* without the @ */
	const char *at;
	size_t length;
};

/* In shipped_texts.c, written by embed-profiles. */
extern const struct shipped_text shipped_texts[];
extern const size_t shipped_text_count;

struct profile_store {
	const struct shipped_text *shipped;
	size_t shipped_count;
	int site_directory;	 /* descriptor, or -1 for none */
	const char *site_prefix; /* what file names in messages begin with: "/etc/runas-app/profiles/" */
	/* The text of this label is that file, which may be anybody's: one that is not in place yet. Or NULL. */
	const char *draft_label, *draft_path;
	/* Lines of the profile itself that are passed over, because what is wrong with them is known already. */
	const unsigned *known_bad;
	size_t known_bad_count;
};

struct profile_error {
	char file[512];
	unsigned line, column; /* from 1; 0 when it is about the whole file */
	char what[320];
	char excerpt[PROFILE_MAX_LINE + 1];
	char hint[320];
	bool is_last; /* what else is wrong cannot be said before this is mended */
};

/* label is "@name" or "name". The result is large: keep it on the heap. */
bool profile_read(const struct profile_store *store, const char *label, struct profile *ret,
		  struct profile_error *reterr);

/* Is it one that can be loaded: no part, and with all that the launcher needs itself? */
bool profile_is_whole(const struct profile_store *store, const char *label, const struct profile *profile,
		      struct profile_error *reterr);

/* "file:line:column: what", the line, a caret, "hint: ...". */
void profile_error_print(const struct profile_error *error, int descriptor);

#endif
