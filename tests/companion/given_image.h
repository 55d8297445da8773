/* SPDX-License-Identifier: ISC */
/*
 * given_image: a small system for runas-policy to look at, and a way to ask about it.
 *
 * Purpose:  tests say in a few lines what the system is like, and get all that a person would see.
 * Runs as:  root, where files must belong to somebody; otherwise they are the caller's own, and given_image_ask makes it
 *           root of a user namespace, where they look like root's.
 * Promises: a new directory in /tmp, removed by given_image_remove; the same words whatever its name is.
 * Never:    changes an account or a file of this system.
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

#include "tests/companion/ask.h"

extern char given_image[32]; /* its directory; "" while there is none */

void given_image_make(const char *description);
void given_image_remove(void);
void given_image_line(const char *line); /* one more */

/* Paths below are those inside the image. What is there already gets this owner, mode and text. */
void given_image_directory(const char *path, uid_t uid, gid_t gid, mode_t mode);
void given_image_owned(const char *path, uid_t uid, gid_t gid, mode_t mode, const char *text);
void given_image_file(const char *path, const char *text, mode_t mode); /* the caller's own */
void given_image_copy(const char *from_host, const char *path);		/* byte for byte, mode 0644 */
const char *given_image_path(const char *path);				/* on the host; of the last four calls */

/*
 * Ends the test with SKIP unless this process is root, or can be that of a user namespace; an image that there is already
 * is removed, because what is skipped gets no .fini.
 */
void given_image_needs(bool real_root);

/*
 * What verb says, both outputs in one, from the image's /drafts, as root or as uid (see ask_how); a word IMAGE is the
 * directory. *ret_said is valid until the next call; returns the exit status.
 */
int given_image_ask(const struct verb *verb, uid_t uid, const char *const *words, const char **ret_said);
int given_image_ask_prepared(const struct verb *verb, void (*prepare)(void), const char *const *words,
			     const char **ret_said);

#endif
