/* SPDX-License-Identifier: ISC */
/*
 * learn_paths: where an app wrote, and the shortest list of `write` lines that covers it.
 *
 * Purpose:  few directories rather than many files: what an app made today has another name tomorrow.
 * Given:    absolute real paths, in any order, as often as they come.
 * Promises: everything that was added is at or below a path of the cover, but for what a policy may not name (/, /dev,
 *           /proc); no path of the cover is below another; nothing is made wider to a top directory such as /etc.
 * Never:    asks the system anything.
 */
#ifndef COMPANION_LEARN_PATHS_H
#define COMPANION_LEARN_PATHS_H

#include <stdbool.h>
#include <stddef.h>

struct learn_path {
	char *path;
	bool is_directory; /* names were made or taken away in it; otherwise a file that was there was written */
	unsigned long times;
};

struct learn_paths {
	struct learn_path *list;
	size_t count;
};

void learn_paths_add(struct learn_paths *to, const char *path, bool is_directory);

/* The same path, or one that is above it. */
bool learn_paths_is_below(const char *path, const char *base);

/* Takes out what is at or below base; how many times it had been written to. */
unsigned long learn_paths_drop(struct learn_paths *from, const char *base);

/*
 * Sorted, at most `most` where that can be done without naming the top of the tree: brothers give way to their directory,
 * where the most of them are first. Free it with learn_paths_free.
 */
struct learn_paths learn_paths_cover(const struct learn_paths *seen, size_t most);

void learn_paths_free(struct learn_paths *paths);

#endif
