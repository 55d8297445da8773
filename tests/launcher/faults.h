/* SPDX-License-Identifier: ISC */
/*
 * faults: a place of its own for a child of room.h.
 *
 * Purpose:  files, directories and a /proc that are only there for the stage under test.
 * Runs as:  root; otherwise the test is skipped, loudly.
 * Given:    make_base and remove_base as .init and .fini of the test.
 * Promises: what is made lies on a file system that ends with the child.
 * Never:    touches a file of the host, but for one empty directory in /tmp.
 */
#ifndef TESTS_LAUNCHER_FAULTS_H
#define TESTS_LAUNCHER_FAULTS_H

#include "tests/launcher/room.h"

#include <sys/mount.h>

/* /tmp/faults.XXXXXX while there is one. */
static char base[32];

static inline void make_base(void) {
	room_need_root();
	snprintf(base, sizeof(base), "/tmp/faults.XXXXXX");
	cr_assert(mkdtemp(base) != NULL && chmod(base, 0755) == 0);
}

static inline void remove_base(void) {
	if (base[0] != '\0')
		cr_expect(rmdir(base) == 0);
	base[0] = '\0';
}

/* A file system of our own on the empty directory, for this child only. */
static inline void mount_own(const char *options) {
	if (unshare(CLONE_NEWNS) != 0)
		room_lacks("needs a mount namespace of its own");
	ROOM_EXPECT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	ROOM_EXPECT(mount("runas-test", base, "tmpfs", 0, options) == 0);
}

static inline void write_file(const char *path, const char *bytes, size_t length, mode_t mode) {
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ROOM_EXPECT(fd >= 0 && write(fd, bytes, length) == (ssize_t)length && fchmod(fd, mode) == 0 && close(fd) == 0);
}

/* Without root a filter needs no_new_privs first. */
static inline void become_app(void) {
	room_become_app();
	ROOM_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

/* A /proc that has but this file. */
static inline void enter_proc_with(const char *name, const char *text) {
	char path[64];

	mount_own("mode=0755");
	snprintf(path, sizeof(path), "%s/proc", base);
	ROOM_EXPECT(mkdir(path, 0755) == 0);
	snprintf(path, sizeof(path), "%s/proc/self", base);
	ROOM_EXPECT(mkdir(path, 0755) == 0);
	snprintf(path, sizeof(path), "%s/proc/self/%s", base, name != NULL ? name : "");
	if (name != NULL)
		write_file(path, text, strlen(text), 0644);
	ROOM_EXPECT(chroot(base) == 0 && chdir("/") == 0);
}

#endif
