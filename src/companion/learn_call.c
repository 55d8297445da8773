/* SPDX-License-Identifier: ISC */
#include "companion/learn_call.h"

#include "companion/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define WRITING_FLAGS (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)
#define TEMPORARY (O_TMPFILE & ~O_DIRECTORY)

enum act { OPEN, OPEN_HOW, CREATE, MAKE, REMOVE, RENAME, LINK, TRUNCATE, BIND };

/* Numbers of arguments; directory -1: paths start from the cwd. */
static const struct writer {
	const char *name;
	enum act act;
	int directory, path, other_directory, other_path, flags;
} writers[] = {
	{"open", OPEN, -1, 0, -1, -1, 1},	   {"openat", OPEN, 0, 1, -1, -1, 2},
	{"openat2", OPEN_HOW, 0, 1, -1, -1, 2},	   {"creat", CREATE, -1, 0, -1, -1, -1},
	{"mkdir", MAKE, -1, 0, -1, -1, -1},	   {"mkdirat", MAKE, 0, 1, -1, -1, -1},
	{"mknod", MAKE, -1, 0, -1, -1, -1},	   {"mknodat", MAKE, 0, 1, -1, -1, -1},
	{"symlink", MAKE, -1, 1, -1, -1, -1},	   {"symlinkat", MAKE, 1, 2, -1, -1, -1},
	{"unlink", REMOVE, -1, 0, -1, -1, -1},	   {"unlinkat", REMOVE, 0, 1, -1, -1, -1},
	{"rmdir", REMOVE, -1, 0, -1, -1, -1},	   {"rename", RENAME, -1, 0, -1, 1, -1},
	{"renameat", RENAME, 0, 1, 2, 3, -1},	   {"renameat2", RENAME, 0, 1, 2, 3, -1},
	{"link", LINK, -1, 0, -1, 1, -1},	   {"linkat", LINK, 0, 1, 2, 3, -1},
	{"truncate", TRUNCATE, -1, 0, -1, -1, -1}, {"bind", BIND, -1, 1, -1, -1, -1},
};

static const struct writer *find_writer(uint32_t number) {
	char name[SYSCALLS_NAME_SIZE];

	if (!syscalls_name(number, name))
		return NULL;
	for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++)
		if (strcmp(writers[i].name, name) == 0)
			return &writers[i];
	return NULL;
}

bool learn_call_is_writing(uint32_t number, int *ret_flags_argument, uint32_t *ret_flags) {
	const struct writer *writer = find_writer(number);

	*ret_flags_argument = writer != NULL && writer->act == OPEN ? writer->flags : -1;
	*ret_flags = WRITING_FLAGS;
	return writer != NULL;
}

/* --- the task --- */

struct reader {
	pid_t task;
	const struct learn_identity *app;
	const uint64_t *arguments;
};

/* A page at a time: what lies behind a string may not be mapped. */
static bool read_string(const struct reader *r, uint64_t address, char ret[PATH_MAX]) {
	for (size_t done = 0; done < PATH_MAX;) {
		size_t here = 4096 - ((address + done) & 4095);
		struct iovec local, remote = {(void *)(uintptr_t)(address + done), 0};

		here = here < PATH_MAX - done ? here : PATH_MAX - done;
		local = (struct iovec){ret + done, here};
		remote.iov_len = here;
		if (process_vm_readv(r->task, &local, 1, &remote, 1, 0) != (ssize_t)here)
			return false;
		if (memchr(ret + done, '\0', here) != NULL)
			return true;
		done += here;
	}
	return false;
}

static bool read_bytes(const struct reader *r, uint64_t address, void *ret, size_t size) {
	struct iovec local = {ret, size}, remote = {(void *)(uintptr_t)address, size};

	return process_vm_readv(r->task, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* Permissions are asked for as the app has them; the groups are the app's all the time. */
static void become_app(const struct reader *r) {
	setfsgid(r->app->gid);
	setfsuid(r->app->uid);
}

static void become_root(void) {
	setfsuid(0);
	setfsgid(0);
}

/* Where a path without a / at its beginning starts; -1: nowhere. */
static int open_start(const struct reader *r, int argument) {
	char path[64];

	if (argument < 0 || (int)r->arguments[argument] == AT_FDCWD)
		snprintf(path, sizeof path, "/proc/%d/cwd", (int)r->task);
	else
		snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)r->task, (int)r->arguments[argument]);
	return open(path, O_PATH | O_CLOEXEC);
}

/* Names that mean the task itself would mean us. */
static void translate(const struct reader *r, char path[PATH_MAX]) {
	static const char *const names[][2] = {{"/proc/self/", ""},	{"/proc/thread-self/", ""},
					       {"/dev/fd/", "fd/"},	{"/dev/stdin", "fd/0"},
					       {"/dev/stdout", "fd/1"}, {"/dev/stderr", "fd/2"}};
	char copy[PATH_MAX];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const size_t length = strlen(names[i][0]);

		if (strncmp(path, names[i][0], length) != 0)
			continue;
		memcpy(copy, path + length, strlen(path + length) + 1);
		if (snprintf(path, PATH_MAX, "/proc/%d/%s%s", (int)r->task, names[i][1], copy) >= PATH_MAX)
			path[0] = '\0';
		return;
	}
}

/* O_PATH, as the app; -1 with errno. path is changed. */
static int look_up(const struct reader *r, int directory, char path[PATH_MAX], int flags) {
	const int start = path[0] == '/' ? AT_FDCWD : open_start(r, directory);
	int fd, saved;

	if (path[0] != '/' && start < 0)
		return -1;
	become_app(r);
	fd = openat(start, path[0] == '\0' ? "." : path, O_PATH | O_CLOEXEC | flags);
	saved = errno;
	become_root();
	if (start >= 0)
		close(start);
	errno = saved;
	return fd;
}

static bool may_write(const struct reader *r, int fd, bool is_directory) {
	const long wanted = is_directory ? W_OK | X_OK : W_OK;
	bool is_allowed;

	become_app(r);
	is_allowed =
		syscall(SYS_faccessat2, fd, "", wanted, (long)(AT_EMPTY_PATH | AT_EACCESS)) == 0 || errno == ENOSYS;
	become_root();
	return is_allowed;
}

/* Closes it. false: it has no name, or the app may not write there. */
static bool take(const struct reader *r, int fd, struct learn_write *ret) {
	char link[32];
	struct stat status;
	ssize_t length = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && status.st_nlink > 0 && !S_ISLNK(status.st_mode) &&
	    may_write(r, fd, S_ISDIR(status.st_mode))) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		length = readlink(link, ret->path, sizeof ret->path - 1);
	}
	close(fd);
	if (length <= 0 || ret->path[0] != '/')
		return false;
	ret->path[length] = '\0';
	ret->is_directory = S_ISDIR(status.st_mode);
	return true;
}

/* The directory in which the last name of the path stands. */
static bool take_directory(const struct reader *r, int directory, const char *path, struct learn_write *ret) {
	char copy[PATH_MAX];
	size_t length = strlen(path);

	memcpy(copy, path, length + 1);
	while (length > 1 && copy[length - 1] == '/')
		length--;
	while (length > 0 && copy[length - 1] != '/')
		length--;
	copy[length] = '\0';
	return take(r, look_up(r, directory, copy, O_DIRECTORY), ret);
}

static bool exists(const struct reader *r, int directory, const char *path) {
	char copy[PATH_MAX];
	int fd;

	memcpy(copy, path, strlen(path) + 1);
	fd = look_up(r, directory, copy, O_NOFOLLOW);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static size_t opens(const struct reader *r, int directory, char path[PATH_MAX], uint64_t flags,
		    struct learn_write *ret) {
	const bool is_writing = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
	const bool is_exclusive = (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0;
	char copy[PATH_MAX];
	int fd;

	if ((flags & O_PATH) != 0 || (!is_writing && (flags & O_CREAT) == 0))
		return 0;
	memcpy(copy, path, strlen(path) + 1);
	fd = look_up(r, directory, copy, (flags & O_NOFOLLOW) != 0 || is_exclusive ? O_NOFOLLOW : 0);
	if (fd < 0)
		return errno == ENOENT && (flags & O_CREAT) != 0 && take_directory(r, directory, path, ret);
	if (is_exclusive || !is_writing) {
		close(fd);
		return 0;
	}
	/* A directory is opened for writing only to make a file without a name in it. */
	return take(r, fd, ret) && ret->is_directory == ((flags & TEMPORARY) != 0);
}

/* A socket's name is a file; abstract ones and other families are none. */
static bool read_socket(const struct reader *r, char path[PATH_MAX]) {
	struct sockaddr_un address = {.sun_family = AF_UNSPEC};
	const uint64_t size = r->arguments[2];

	if (size <= sizeof address.sun_family || size > sizeof address ||
	    !read_bytes(r, r->arguments[1], &address, size) || address.sun_family != AF_UNIX ||
	    address.sun_path[0] == '\0')
		return false;
	snprintf(path, PATH_MAX, "%.*s", (int)(size - sizeof address.sun_family), address.sun_path);
	return true;
}

size_t learn_call_writes(pid_t task, const struct learn_identity *app, uint32_t number, const uint64_t arguments[6],
			 struct learn_write ret[LEARN_WRITES], bool *ret_is_unread) {
	const struct reader reader = {task, app, arguments}, *r = &reader;
	const struct writer *w = find_writer(number);
	char path[PATH_MAX], other[PATH_MAX];
	struct open_how how;
	size_t count = 0;

	*ret_is_unread = false;
	if (w == NULL || (w->act == BIND && !read_socket(r, path)))
		return 0;
	if (w->act != BIND && !read_string(r, arguments[w->path], path)) {
		*ret_is_unread = errno == EPERM;
		return 0;
	}
	if (path[0] == '\0')
		return 0;
	translate(r, path);
	switch (w->act) {
	case OPEN: return opens(r, w->directory, path, (uint32_t)arguments[w->flags], ret);
	case OPEN_HOW:
		return read_bytes(r, arguments[w->flags], &how, sizeof how)
			       ? opens(r, w->directory, path, how.flags, ret)
			       : 0;
	case CREATE: return opens(r, w->directory, path, O_WRONLY | O_CREAT | O_TRUNC, ret);
	case TRUNCATE: return take(r, look_up(r, w->directory, path, 0), ret) && !ret->is_directory;
	case MAKE:
	case BIND: return !exists(r, w->directory, path) && take_directory(r, w->directory, path, ret);
	case REMOVE: return exists(r, w->directory, path) && take_directory(r, w->directory, path, ret);
	case RENAME:
	case LINK:
		if (!read_string(r, arguments[w->other_path], other) || other[0] == '\0')
			return 0;
		translate(r, other);
		if (!exists(r, w->directory, path) || (w->act == LINK && exists(r, w->other_directory, other)))
			return 0;
		count += take_directory(r, w->other_directory, other, &ret[count]);
		/* A file may leave its directory only where both may be written: LANDLOCK_ACCESS_FS_REFER. */
		if (count > 0 && take_directory(r, w->directory, path, &ret[count]) &&
		    strcmp(ret[0].path, ret[1].path) != 0)
			count++;
		return count;
	}
	return count;
}
