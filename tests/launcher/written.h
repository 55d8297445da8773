/* SPDX-License-Identifier: ISC */
/*
 * written: a tree of the app's, and every way to write to it.
 *
 * Purpose:  what the tests of Landlock try before and after the stage.
 * Runs as:  root makes the tree; a child of room.h, that became the app user, tries.
 * Given:    a test whose .init is make_tree (or one of its kin) and whose .fini is remove_tree.
 * Promises: all but the tree's own directory is the app's to change, so that EACCES is Landlock's; what is tried leaves
 *           things as they were, but for unlink and rmdir.
 * Never:    writes outside of /tmp.
 */
#ifndef TESTS_LAUNCHER_WRITTEN_H
#define TESTS_LAUNCHER_WRITTEN_H

#include "tests/launcher/room.h"

#include <sys/socket.h>
#include <sys/un.h>

#define ABI_2_RIGHTS UINT64_C(0x3ff2) /* WRITE_FILE, REMOVE_*, MAKE_*, REFER */
#define ABI_3_RIGHTS UINT64_C(0x7ff2) /* and TRUNCATE */

/*
 * BASE/in and BASE/out, both the app's, with file, victim, moved and directory/; BASE/in/up -> /; BASE/out/link -> in;
 * BASE/closed (root's, 0700) /in. All but BASE itself is the app's to change, so that EACCES is Landlock's.
 * Made by the test, gone when it ends.
 */
static char base[32];

static inline const char *at(const char *name) {
	static char paths[8][128];
	static size_t next;
	char *path = paths[next++ % COUNT(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", base, name);
	return path;
}

static inline void make_file(const char *name, uid_t uid) {
	int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	cr_assert(fd >= 0 && write(fd, "bytes", 5) == 5 && fchown(fd, uid, uid) == 0 && close(fd) == 0, "%s", name);
}

static inline void make_directory(const char *name, uid_t uid, mode_t mode) {
	cr_assert(mkdir(at(name), 0700) == 0 && chown(at(name), uid, uid) == 0 && chmod(at(name), mode) == 0, "%s",
		  name);
}

static inline void make_tree(void) {
	room_need_root();
	snprintf(base, sizeof(base), "/tmp/landlock.XXXXXX");
	cr_assert(mkdtemp(base) != NULL && chmod(base, 0755) == 0);
	for (int i = 0; i < 2; i++) {
		const char *const top = i == 0 ? "in" : "out";
		char name[64];

		make_directory(top, ROOM_APP, 0755);
		snprintf(name, sizeof(name), "%s/directory", top);
		make_directory(name, ROOM_APP, 0755);
		for (int k = 0; k < 3; k++) {
			snprintf(name, sizeof(name), "%s/%s", top, k == 0 ? "file" : k == 1 ? "victim" : "moved");
			make_file(name, ROOM_APP);
		}
	}
	make_directory("closed", 0, 0700);
	make_directory("closed/in", ROOM_APP, 0755);
	cr_assert(symlink("../in", at("out/link")) == 0 && symlink("/", at("in/up")) == 0);
}

static inline void remove_tree(void) {
	char command[64];

	if (base[0] == '\0')
		return;
	snprintf(command, sizeof(command), "rm -rf -- %s", base);
	cr_expect(system(command) == 0);
	base[0] = '\0';
}

static inline void need_landlock(int least) {
	if (landlock_abi() < least)
		SKIP(least < 3 ? "the kernel has no Landlock of ABI 2" : "the kernel has no Landlock of ABI 3");
}

static inline void make_tree_for_abi_2(void) {
	need_landlock(2);
	make_tree();
}

static inline void make_tree_for_abi_3(void) {
	need_landlock(3);
	make_tree();
}

/* --- what is tried; each leaves things as they were ------------------------------------------------------------- */

static inline int as_error(long answer) { return answer < 0 ? errno : 0; }

static inline int try_open(const char *path, int flags) {
	const int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600), error = errno;

	if (fd >= 0)
		close(fd);
	return fd < 0 ? error : 0;
}

/* NAME of a directory; good until the second next. */
static inline const char *in(const char *directory, const char *name) {
	static char paths[2][160];
	static size_t next;
	char *path = paths[next++ % COUNT(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static inline int try_append(const char *directory) { return try_open(in(directory, "file"), O_WRONLY | O_APPEND); }

static inline int try_read_write(const char *directory) { return try_open(in(directory, "file"), O_RDWR); }

static inline int try_truncate(const char *directory) { return as_error(truncate(in(directory, "file"), 5)); }

static inline int try_open_truncating(const char *directory) {
	return try_open(in(directory, "file"), O_RDONLY | O_TRUNC);
}

static inline int try_create(const char *directory) {
	const char *const path = in(directory, "new");

	int error = try_open(path, O_WRONLY | O_CREAT | O_EXCL);
	if (error == 0)
		error = as_error(unlink(path));
	return error;
}

static inline int try_unlink(const char *directory) { return as_error(unlink(in(directory, "victim"))); }

static inline int try_rmdir(const char *directory) { return as_error(rmdir(in(directory, "directory"))); }

static inline int try_mkdir(const char *directory) {
	const char *const path = in(directory, "new");

	const int error = as_error(mkdir(path, 0700));
	return error != 0 ? error : as_error(rmdir(path));
}

static inline int try_rename(const char *directory) {
	const char *const from = in(directory, "moved"), *const to = in(directory, "away");

	const int error = as_error(rename(from, to));
	return error != 0 ? error : as_error(rename(to, from));
}

static inline int try_exchange(const char *directory) {
	const char *const from = in(directory, "moved"), *const to = in(directory, "file");

	return as_error(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE));
}

static inline int try_mkfifo(const char *directory) {
	const char *const path = in(directory, "new");

	const int error = as_error(mkfifo(path, 0600));
	return error != 0 ? error : as_error(unlink(path));
}

static inline int try_mknod(const char *directory) {
	const char *const path = in(directory, "new");

	const int error = as_error(mknod(path, S_IFREG | 0600, 0));
	return error != 0 ? error : as_error(unlink(path));
}

static inline int try_symlink(const char *directory) {
	const char *const path = in(directory, "new");

	const int error = as_error(symlink("/etc/passwd", path));
	return error != 0 ? error : as_error(unlink(path));
}

static inline int try_link(const char *directory) {
	const char *const from = in(directory, "file"), *const to = in(directory, "new");

	const int error = as_error(link(from, to));
	return error != 0 ? error : as_error(unlink(to));
}

static inline int try_unix_bind(const char *directory) {
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s/new", directory);
	const int error = as_error(bind(fd, (struct sockaddr *)&name, sizeof(name)));
	close(fd);
	return error != 0 ? error : as_error(unlink(name.sun_path));
}

static inline int try_temporary(const char *directory) { return try_open(directory, O_TMPFILE | O_WRONLY); }

/* unlink and rmdir last: what they take does not come back. */
static const struct attempt {
	const char *name;
	int (*try)(const char *directory);
} attempts[] = {
	{"append", try_append},	    {"read and write", try_read_write},
	{"create", try_create},	    {"mkdir", try_mkdir},
	{"rename", try_rename},	    {"exchange", try_exchange},
	{"mkfifo", try_mkfifo},	    {"mknod", try_mknod},
	{"symlink", try_symlink},   {"link", try_link},
	{"bind", try_unix_bind},    {"O_TMPFILE", try_temporary},
	{"truncate", try_truncate}, {"O_TRUNC", try_open_truncating},
	{"unlink", try_unlink},	    {"rmdir", try_rmdir},
};

static inline void expect_attempts(const char *directory, int want, int line) {
	for (size_t i = 0; i < COUNT(attempts); i++) {
		const int error = attempts[i].try(at(directory));

		room_expect(error == want, attempts[i].name, line, "in %s: errno %d", directory, error);
	}
}

/* --- the stage ----------------------------------------------------------------------------------------------------- */

static const struct handed_over ready = {0027};

static inline void become_ready(uint64_t rights) {
	room_become_app();
	ROOM_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	room_ordinary_plan();
	room_plan.write_rights = rights;
}

static inline void add_write(const char *path) { room_plan.writes[room_plan.write_count++] = path; }

static inline void limit(void) {
	errno = 0; /* as the stage before leaves it */
	ROOM_EXPECT(landlock_limit(&room_plan, ready, &room_report).umask == 0027);
}

#endif
