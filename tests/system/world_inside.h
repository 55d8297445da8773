/* SPDX-License-Identifier: ISC */
/*
 * Purpose   what the files that make up world.h know of each other.
 * Runs as   root, in the test's process.
 * Given     nothing.
 * Promises  a world that cannot be made fails the test and says where.
 * Never     included by a test.
 */
#ifndef SYSTEM_WORLD_INSIDE_H
#define SYSTEM_WORLD_INSIDE_H

#include "world.h"

/* With errno. */
__attribute__((format(printf, 2, 3))) void world_must(bool good, const char *format, ...);

/* Once /dev is the world's own. */
void world_open_log(void);

#endif
