/* SPDX-License-Identifier: ISC */
#include "companion/learn_paths.h"

#include "companion/output.h"

#include <stdlib.h>
#include <string.h>

bool learn_paths_is_below(const char *path, const char *base) {
	const size_t length = strlen(base);

	if (strcmp(base, "/") == 0)
		return path[0] == '/';
	return strncmp(path, base, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static void add_times(struct learn_paths *to, const char *path, bool is_directory, unsigned long times) {
	for (size_t i = 0; i < to->count; i++) {
		if (strcmp(to->list[i].path, path) != 0)
			continue;
		to->list[i].is_directory |= is_directory;
		to->list[i].times += times;
		return;
	}
	to->list = output_memory(reallocarray(to->list, to->count + 1, sizeof *to->list));
	to->list[to->count++] = (struct learn_path){output_memory(strdup(path)), is_directory, times};
}

void learn_paths_add(struct learn_paths *to, const char *path, bool is_directory) {
	add_times(to, path, is_directory, 1);
}

static void remove_at(struct learn_paths *from, size_t at) {
	free(from->list[at].path);
	memmove(&from->list[at], &from->list[at + 1], (from->count - at - 1) * sizeof *from->list);
	from->count--;
}

unsigned long learn_paths_drop(struct learn_paths *from, const char *base) {
	unsigned long times = 0;

	for (size_t i = from->count; i-- > 0;) {
		if (!learn_paths_is_below(from->list[i].path, base))
			continue;
		times += from->list[i].times;
		remove_at(from, i);
	}
	return times;
}

/* NULL: it is the top of the tree, or one of its rooms (/etc, /dev): too wide to be proposed for what lies in it. */
static char *directory_of(const char *path) {
	const char *slash = strrchr(path, '/');
	char *ret = slash == NULL ? NULL : output_memory(strndup(path, (size_t)(slash - path)));

	if (ret != NULL && strrchr(ret, '/') > ret)
		return ret;
	free(ret);
	return NULL;
}

/* All that is at or below the directory becomes that directory. */
static void fold(struct learn_paths *paths, const char *directory) {
	const unsigned long times = learn_paths_drop(paths, directory);

	add_times(paths, directory, true, times);
}

static size_t brothers(const struct learn_paths *paths, const char *directory, bool files_only) {
	size_t count = 0;

	for (size_t i = 0; i < paths->count; i++) {
		const char *path = paths->list[i].path;

		count += learn_paths_is_below(path, directory) && (!files_only || !paths->list[i].is_directory) &&
			 strrchr(path, '/') == path + strlen(directory);
	}
	return count;
}

static void fold_files(struct learn_paths *paths) {
	for (size_t i = 0; i < paths->count; i++) {
		char *directory = paths->list[i].is_directory ? NULL : directory_of(paths->list[i].path);

		if (directory != NULL && brothers(paths, directory, true) > 1) {
			fold(paths, directory);
			i = (size_t)-1; /* the list is another one now, and shorter */
		}
		free(directory);
	}
}

static void fold_nested(struct learn_paths *paths) {
	for (size_t i = 0; i < paths->count; i++) {
		for (size_t j = paths->count; j-- > 0;) {
			if (j == i || !learn_paths_is_below(paths->list[j].path, paths->list[i].path))
				continue;
			paths->list[i].times += paths->list[j].times;
			remove_at(paths, j);
			i -= j < i;
		}
	}
}

/* false: nothing is left that may be made wider. */
static bool fold_most(struct learn_paths *paths) {
	char *best = NULL;
	size_t most = 1;

	for (size_t i = 0; i < paths->count; i++) {
		char *directory = directory_of(paths->list[i].path);
		const size_t count = directory == NULL ? 0 : brothers(paths, directory, false);

		if (count > most) {
			free(best);
			best = directory;
			most = count;
		} else {
			free(directory);
		}
	}
	if (best != NULL)
		fold(paths, best);
	free(best);
	return most > 1;
}

static int by_path(const void *a, const void *b) {
	return strcmp(((const struct learn_path *)a)->path, ((const struct learn_path *)b)->path);
}

struct learn_paths learn_paths_cover(const struct learn_paths *seen, size_t most) {
	struct learn_paths ret = {0};

	for (size_t i = 0; i < seen->count; i++)
		if (strcmp(seen->list[i].path, "/") != 0 && strcmp(seen->list[i].path, "/dev") != 0 &&
		    strcmp(seen->list[i].path, "/proc") != 0)
			add_times(&ret, seen->list[i].path, seen->list[i].is_directory, seen->list[i].times);
	fold_nested(&ret);
	fold_files(&ret);
	while (ret.count > most && fold_most(&ret))
		continue;
	if (ret.count > 1)
		qsort(ret.list, ret.count, sizeof *ret.list, by_path);
	return ret;
}

void learn_paths_free(struct learn_paths *paths) {
	for (size_t i = 0; i < paths->count; i++)
		free(paths->list[i].path);
	free(paths->list);
	*paths = (struct learn_paths){0};
}
