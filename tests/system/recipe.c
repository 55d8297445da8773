/* SPDX-License-Identifier: ISC */
#include "recipe.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#ifndef BUILD_DIR
#define BUILD_DIR "build"
#endif

char *recipe_read(const char *name) {
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "policy/examples/%s", name);
	char *text = world_read(path);
	snprintf(path, sizeof(path), BUILD_DIR "/../policy/examples/%s", name);
	if (!text)
		text = world_read(path);
	cr_assert(text, "%s cannot be read from here", path);
	return text;
}

char *recipe_replaced(const char *text, const char *from, const char *to) {
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, from)); at += strlen(from))
		count++;
	cr_assert(count > 0, "the recipe has no `%s`", from);
	char *whole = calloc(1, strlen(text) + count * strlen(to) + 1), *end = whole;
	cr_assert(whole);
	for (const char *at; (at = strstr(text, from)); text = at + strlen(from))
		end += sprintf(end, "%.*s%s", (int)(at - text), text, to);
	strcpy(end, text);
	return whole;
}

static void keep_in_sight(const char *path, const char *name) {
	char from[PATH_MAX], to[PATH_MAX];

	snprintf(from, sizeof(from), "/etc/.host%s/%s", path + strlen("/etc"), name);
	snprintf(to, sizeof(to), "%s/%s", path, name);
	cr_assert(symlink(from, to) == 0, "%s: %s", to, strerror(errno));
}

void recipe_own(const char *path, const char *const *keep) {
	unlink(path);
	world_directory(path, 0, 0, 0755);
	for (; keep && *keep; keep++)
		keep_in_sight(path, *keep);
}

void recipe_own_with_all(const char *path) {
	char from[PATH_MAX];

	recipe_own(path, NULL);
	snprintf(from, sizeof(from), "/etc/.host%s", path + strlen("/etc"));
	DIR *listing = opendir(from);
	cr_assert(listing, "%s", from);
	for (struct dirent *entry; (entry = readdir(listing));) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			keep_in_sight(path, entry->d_name);
	}
	closedir(listing);
}

void recipe_hide(const char *path) {
	cr_assert(mount("runas-test", path, "tmpfs", 0, "mode=0755") == 0, "tmpfs on %s: %s", path, strerror(errno));
}

struct world_run *recipe_run_as_deployer(const char *const *argv) {
	return world_run(&(struct world_call){.who = &world_deploy,
					      .program = WORLD_RUNAS,
					      .argv = argv,
					      .directory = "/home/deploy",
					      .seconds = 40});
}
