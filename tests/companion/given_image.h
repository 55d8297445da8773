/* SPDX-License-Identifier: ISC */
/*
 * given_image: a small system for runas-policy to look at, and a way to ask it.
 *
 * Purpose:  tests say in a few lines what the system is like, and get all that a person would see.
 * Runs as:  root, where files must belong to somebody; otherwise the caller becomes root of a user namespace of its own,
 *           in which only its own files can be made.
 * Promises: a new directory in /tmp, removed by given_image_remove; the same words whatever its name is.
 *
 * A line of the description, # starts a comment:
 *
 *	user NAME UID GID HOME          a line of /etc/passwd
 *	group NAME GID [MEMBER,...]     a line of /etc/group
 *	dir MODE UID:GID PATH
 *	file MODE UID:GID PATH [TEXT]   TEXT to the end of the line; \n, \r and \e are what they say, ELF is a program's start
 *	link TARGET PATH
 *	remove PATH
 *	capability PATH                 +ep
 *	acl NAME:UID:rwx PATH           one more entry
 *	compile NAME                    runas-policy compile
 *	claim NAME TEXT                 another text for a compiled profile, which says that it was compiled from it
 *
 * All have root, nobody, /usr/bin/env, /bin/sh and the directories that a system has.
 */
#ifndef TESTS_COMPANION_GIVEN_IMAGE_H
#define TESTS_COMPANION_GIVEN_IMAGE_H

#include "companion/verb.h"

#include <stdbool.h>
#include <sys/types.h>

extern char given_image[32]; /* its directory */
extern bool given_image_stays;		  /* root: no child, so that leaks are seen */
extern void (*given_image_prepare)(void); /* in the child, before the verb; or NULL */

void given_image_make(const char *description);
void given_image_remove(void);
void given_image_line(const char *line); /* one more */

/* Ends the test with SKIP unless this process is root, or can be that of a user namespace. */
void given_image_needs(bool real_root);

/*
 * What verb says, both outputs in one, IMAGE instead of the directory, in a child, from the image's /work as uid
 * (0: stays); arguments end with NULL. *ret_said is valid until the next call; returns the exit status.
 */
int given_image_ask(const struct verb *verb, uid_t uid, const char *const *arguments, const char **ret_said);

/* A file of the host or, with given_image_path, of the image: whole, NUL-terminated, new; NULL: there is none. */
char *given_image_read(const char *path);
const char *given_image_path(const char *path); /* of the last four calls */
void given_image_write(const char *path, const char *text, mode_t mode);

/* The file says what was said, or, with UPDATE_EXPECTED=1 in the environment, it will. */
void given_image_expect(const char *path, const char *said, int status);

#endif
