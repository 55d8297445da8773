/* SPDX-License-Identifier: ISC */
/*
 * Purpose   what the tests share that set a machine up by the very files of policy/examples.
 * Runs as   root, in a world (world.h); recipe_read before it.
 * Given     the sources, beside the build directory or in the current one.
 * Promises  a file or a line that an example no longer has fails the test: it would prove something else.
 * Never     changes what the host has in /etc: what is made our own there is the world's.
 */
#ifndef SYSTEM_RECIPE_H
#define SYSTEM_RECIPE_H

#include "world.h"

/* policy/examples/NAME; before world_enter, which hides the place where the sources may be. */
char *recipe_read(const char *name);

/* The text with `to` wherever it has `from`, which it must have. */
char *recipe_replaced(const char *text, const char *from, const char *to);

/* A directory of this world's alone; of what the host has there, `keep` (or nothing, or all) stays in sight. */
void recipe_own(const char *path, const char *const *keep);
void recipe_own_with_all(const char *path);

/* Something empty over a directory of the host's that is not of /etc. */
void recipe_hide(const char *path);

/* runas-app, by the deployer in its home, to its end. */
struct world_run *recipe_run_as_deployer(const char *const *argv);

#endif
