/* SPDX-License-Identifier: ISC */
/*
 * replace: a new file in the place of an old one.
 *
 * Purpose:  one way to write what a launch may read at the same moment.
 * Runs as:  root; for an image of their own, its owner.
 * Given:    a directory that nobody else writes to, locked by the caller, so that one name for the new file is enough and
 *           what a killed run left under it can go.
 * Promises: the file is ours, has mode 0644 whatever the umask is, and is replaced as a whole or stays what it was, also
 *           over a power cut; what stands in its place, or in the new one's, is not followed.
 * Never:    leaves the new file behind when it fails.
 */
#ifndef COMPANION_REPLACE_H
#define COMPANION_REPLACE_H

#include "policy/text.h"

/* false: errno. */
bool replace_file(int directory, const char *file, const char *new_file, struct text bytes);

#endif
