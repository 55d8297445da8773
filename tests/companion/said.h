/* SPDX-License-Identifier: ISC */
/*
 * said: run a verb as main would, in a child, and keep what it said.
 *
 * Given:    the top of the repository as working directory.
 * Promises: standard output and standard error apart, each with a NUL behind it; a child that dies fails the test.
 */
#ifndef TESTS_COMPANION_SAID_H
#define TESTS_COMPANION_SAID_H

#include "companion/verb.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct said {
	int status;
	char out[256 * 1024], err[16 * 1024];
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static inline void said_read(int fd, char *to, size_t size) {
	const ssize_t got = pread(fd, to, size - 1, 0);

	cr_assert(got >= 0 && (size_t)got < size - 1, "%zd bytes", got);
	to[got] = '\0';
	close(fd);
}

/* prepare runs in the child; NULL: nothing. The result is valid until the next call. */
static inline const struct said *said_run(const struct verb *verb, const char *const *words, void (*prepare)(void)) {
	static struct said said;
	const int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	char *argv[32];
	int argc = 0, status;
	pid_t child;

	for (; words[argc] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	argv[argc] = NULL;
	fflush(NULL);
	child = fork();
	cr_assert(child >= 0);
	if (child == 0) {
		dup2(out, 1);
		dup2(err, 2);
		setlocale(LC_CTYPE, "C.UTF-8");
		if (prepare != NULL)
			prepare();
		status = verb->run(argc, argv);
		fflush(NULL);
		exit(status); /* not _exit: LeakSanitizer looks then */
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	said_read(out, said.out, sizeof said.out);
	said_read(err, said.err, sizeof said.err);
	cr_assert(WIFEXITED(status), "%s%s", said.out, said.err);
	said.status = WEXITSTATUS(status);
	return &said;
}

#define expect_said(text, part) cr_expect(strstr(text, part) != NULL, "missing: %s\nin:\n%s", part, text)
#define expect_unsaid(text, part) cr_expect(strstr(text, part) == NULL, "not wanted: %s\nin:\n%s", part, text)

#endif
