/* SPDX-License-Identifier: ISC */
/*
 * why_notes: what a verdict about files does not show: running processes, sockets that nobody serves, scripts.
 *
 * Purpose:  a right verdict that does not explain what somebody sees is no help.
 * Given:    a verdict of access_path; /proc of this system, asked only when the image is this system.
 * Promises: each note stands alone; what cannot be read makes no note.
 * Never:    changes the verdict.
 */
#ifndef COMPANION_WHY_NOTES_H
#define COMPANION_WHY_NOTES_H

#include "companion/access.h"
#include "companion/findings.h"

/* Processes of this user that lack a group which counts on this way: they started before somebody gave it. */
void why_note_processes(const struct image *image, const struct person *person, const struct access *access,
			struct findings *notes);

void why_note_access(const struct image *image, const struct access_who *who, const struct access *access,
		     struct findings *notes);

#endif
