/* SPDX-License-Identifier: ISC */
/*
 * learn_copy: the app's policy with what is to be learnt taken out, in the place of the real one, for us and ours alone.
 *
 * Purpose:  an app that is learnt about runs without the limits that it is learnt for, and no other does.
 * Runs as:  root with CAP_SYS_ADMIN.
 * Given:    an installed, valid policy.
 * Promises: the same policy but for `syscalls` (complains), `write` and `write_enforce` (not there) and `tmp` (only TMPDIR
 *           is left of it); nobody outside of this process and its children sees it, and it is gone with them.
 * Never:    writes to /etc.
 */
#ifndef COMPANION_LEARN_COPY_H
#define COMPANION_LEARN_COPY_H

#include "companion/draft.h"

/* A new string. Lines keep their numbers, so that what the launcher says about one is right. */
char *learn_copy_text(const struct draft *draft);

/* Puts it over /etc/runas-app/APP.conf, in a mount namespace of our own. false: why was said. */
bool learn_copy_enter(const char *app, const char *text);

#endif
