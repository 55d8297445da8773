/* SPDX-License-Identifier: ISC */
/*
 * templates: policies to start from, and their neighbours' files.
 *
 * Purpose:  what `runas-policy new` prints.
 * Given:    nothing.
 * Promises: every command that a neighbour starts through runas-app is one that the policy beside it allows.
 * Never:    holds a secret, or a line that needs what the setup lines do not make.
 *
 * In the texts and paths, @APP@ stands for the app's name, @USER@ for whom it runs as, @DIR@ for its directory, @WEB@ for
 * the web server's group, @CALLER@ for who deploys, @ALLOW@ for the line that lets them, and @RUNAS@ for the path of runas-app.
 */
#ifndef COMPANION_TEMPLATES_H
#define COMPANION_TEMPLATES_H

#include <stddef.h>

struct template_file {
	const char *file; /* its name where all are written into one directory */
	const char *path; /* where it belongs */
	const char *text;
};

struct template {
	const char *name;
	const char *user;		   /* usual; NULL: the app's name */
	const char *directory;		   /* usual */
	const struct template_file *files; /* the policy is the first; NULL behind the last */
};

extern const struct template templates[]; /* name NULL behind the last */

#endif
