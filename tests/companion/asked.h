/* SPDX-License-Identifier: ISC */
/*
 * asked: a verb of runas-policy, run in a child as main would run it, and what it said.
 *
 * Runs as:  anyone.
 * Given:    arguments behind the verb; where it is to stand.
 * Promises: standard output and error apart, whole, with a NUL behind them; the status.
 */
#ifndef TESTS_COMPANION_ASKED_H
#define TESTS_COMPANION_ASKED_H

#include "companion/verb.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct asked {
	int status; /* 128 and more: the signal that ended it */
	char out[128 * 1024], error[64 * 1024];
};

#define ASKED_WORDS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* directory NULL: where the test stands. The result is valid until the next one. */
static inline const struct asked *ask(const struct verb *verb, const char *directory, const char *const *words) {
	static struct asked ret;
	char *argv[32] = {NULL};
	int argc = 0, status, out = memfd_create("out", MFD_CLOEXEC), error = memfd_create("error", MFD_CLOEXEC);
	pid_t child;

	for (; *words != NULL; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	fflush(NULL);
	child = fork();
	cr_assert(child >= 0 && out >= 0 && error >= 0);
	if (child == 0) {
		if ((directory != NULL && chdir(directory) != 0) || dup2(out, 1) < 0 || dup2(error, 2) < 0)
			_exit(99);
		status = verb->run(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	memset(&ret, 0, sizeof ret);
	cr_assert(pread(out, ret.out, sizeof ret.out - 1, 0) >= 0);
	cr_assert(pread(error, ret.error, sizeof ret.error - 1, 0) >= 0);
	close(out);
	close(error);
	ret.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return &ret;
}

static inline void asked_status(const struct asked *said, int status) {
	cr_assert_eq(said->status, status, "status %d, not %d\n%s%s", said->status, status, said->out, said->error);
}

/* A whole file; the result is valid until the next one. */
static inline const char *asked_file(const char *path) {
	static char bytes[128 * 1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, bytes, sizeof bytes - 1);

	cr_assert(length >= 0, "%s cannot be read", path);
	bytes[length] = '\0';
	close(fd);
	return bytes;
}

#endif
