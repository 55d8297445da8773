/* SPDX-License-Identifier: ISC */
/*
 * Purpose   an image (--root) with files of several owners, and a verb that looks at it.
 * Runs as   root: only root makes files of others, and becomes them to ask the kernel. Otherwise tests are skipped.
 * Promises  everything is below one directory of /tmp, removed at the end.
 * Never     changes an account or a file of this system.
 */
#ifndef TESTS_COMPANION_IMAGE_FOR_TESTS_H
#define TESTS_COMPANION_IMAGE_FOR_TESTS_H

#include "companion/verb.h"
#include "tests/helpers/skip.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static uid_t image_asker; /* who runs the verb */
static char image_top[] = "/tmp/image.XXXXXX";

static const char *image_path(const char *path) {
	static char whole[4][512];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(whole[next], sizeof whole[next], "%s%s", image_top, path);
	return whole[next];
}

static void image_directory(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	const char *whole = image_path(path);

	cr_assert(mkdir(whole, 0755) == 0 || access(whole, F_OK) == 0, "%s: %m", whole);
	cr_assert_eq(chown(whole, uid, gid), 0);
	cr_assert_eq(chmod(whole, mode), 0);
}

static void image_file(const char *path, uid_t uid, gid_t gid, mode_t mode, const char *text) {
	const char *whole = image_path(path);
	const int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0, "%s: %m", whole);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchown(fd, uid, gid), 0);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void image_make(void) {
	if (geteuid() != 0)
		SKIP("only root makes files of others");
	umask(022);
	cr_assert_not_null(mkdtemp(image_top));
	image_directory("/", 0, 0, 0755);
	image_directory("/etc", 0, 0, 0755);
	image_directory("/etc/runas-app", 0, 0, 0755);
}

static int image_remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
	(void)status, (void)kind, (void)where;
	return remove(path);
}

static void image_remove(void) {
	if (geteuid() == 0)
		nftw(image_top, image_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* The verb with --root and these arguments, in a child, as main would call it. What it said, with the image's own name
 * as IMAGE; valid until the next call. */
static int image_ask(const struct verb *verb, const char *const *arguments, const char **ret_said) {
	static char raw[256 * 1024], said[256 * 1024];
	char *argv[16] = {(char *)(uintptr_t) "--root", image_top}, *to = said;
	int argc = 2, status, out = memfd_create("out", MFD_CLOEXEC);
	ssize_t length;
	pid_t child;

	for (; *arguments != NULL; arguments++)
		argv[argc++] = (char *)(uintptr_t)*arguments;
	fflush(NULL);
	child = fork();
	cr_assert(child >= 0);
	if (child == 0) {
		dup2(out, 1);
		dup2(out, 2);
		if (setresuid(image_asker, image_asker, image_asker) != 0)
			_exit(99);
		status = verb->run(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	length = pread(out, raw, sizeof raw - 1, 0);
	close(out);
	cr_assert(length >= 0);
	raw[length] = '\0';
	for (const char *at = raw, *hit; (hit = strstr(at, image_top)) != NULL; at = hit + strlen(image_top)) {
		memcpy(to, at, (size_t)(hit - at));
		to = stpcpy(to + (hit - at), "IMAGE");
		*to = '\0';
	}
	{
		const char *last = raw, *hit;

		while ((hit = strstr(last, image_top)) != NULL)
			last = hit + strlen(image_top);
		strcpy(to, last);
	}
	cr_assert(WIFEXITED(status), "status %x: %s", (unsigned)status, said);
	*ret_said = said;
	return WEXITSTATUS(status);
}

/* tests/fixtures/companion/NAME is what it said. UPDATE=1 in the environment writes it anew: then read the difference. */
static void image_expect(const char *name, const char *said) {
	static char wanted[256 * 1024];
	char path[128];
	FILE *file;
	size_t length;

	snprintf(path, sizeof path, "tests/fixtures/companion/%s", name);
	if (getenv("UPDATE") != NULL) {
		file = fopen(path, "we");
		cr_assert_not_null(file, "%s: %m", path);
		fputs(said, file);
		fclose(file);
	}
	file = fopen(path, "re");
	cr_assert_not_null(file, "%s: %m", path);
	length = fread(wanted, 1, sizeof wanted - 1, file);
	fclose(file);
	wanted[length] = '\0';
	cr_expect_str_eq(said, wanted, "%s:\n%s", path, said);
}

#endif
