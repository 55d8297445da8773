/* SPDX-License-Identifier: ISC */
#include "launcher/trusted_file.h"

#include "policy/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(struct problem *why, struct text path, const char *what) {
	problem_about(why, errno == ENOENT ? "policy-missing" : "policy-unreadable", what, (struct text){0}, NULL);
	why->object = path;
	why->error = errno;
	return false;
}

static bool judge(int fd, enum trust_kind kind, uint64_t most, struct text path, struct stat *ret, struct problem *why) {
	if (fstat(fd, ret) != 0)
		return fail(why, path, "cannot be looked at");
	return trust_check(kind, ret->st_uid, ret->st_mode, (uint64_t)ret->st_size, most, path, why);
}

/* -1, or the opened file; every directory on the way was judged before the next was opened. */
static int open_trusted(int root, const char *path, uint64_t most, struct stat *ret, bool *ret_is_missing, struct problem *why) {
	const struct text whole = text_of(path);
	struct text rest = whole, seen = {path, 1};
	int at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret_is_missing = false;
	while (at > STDERR_FILENO) { /* 0 to 2 are taken: such an answer is a filter's */
		char name[256];
		struct text part;
		int next, error;

		if (!judge(at, rest.length > 0 ? TRUST_DIRECTORY : TRUST_FILE, most, seen, ret, why)) {
			close(at);
			return -1;
		}
		if (rest.length == 0)
			return at;
		rest = text_after(rest, 1);
		part = text_until(&rest, "/");
		if (part.length >= sizeof(name)) {
			close(at);
			errno = ENAMETOOLONG;
			break;
		}
		memcpy(name, part.at, part.length);
		name[part.length] = '\0';
		seen.length = whole.length - rest.length;
		next = openat(at, name, rest.length > 0 ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
							: O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
		error = errno;
		close(at);
		*ret_is_missing = next < 0 && error == ENOENT && rest.length == 0;
		at = next;
		errno = error;
	}
	fail(why, seen, "cannot be opened");
	if (errno == ELOOP || errno == ENOTDIR)
		why->word = "policy-type";
	why->hint = errno == ELOOP || errno == ENOTDIR ? "no symlinks: in Kubernetes mount it with subPath, or copy it" : NULL;
	return -1;
}

static bool close_unchanged(int fd, const struct stat *before, uint64_t taken, struct text path, struct problem *why) {
	struct stat now = {0};
	const bool is_same = fstat(fd, &now) == 0 && (uint64_t)now.st_size == taken && now.st_ino == before->st_ino && now.st_dev == before->st_dev &&
			     now.st_size == before->st_size && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
			     now.st_mtim.tv_nsec == before->st_mtim.tv_nsec && now.st_uid == 0;

	errno = EEXIST;
	return close(fd) == 0 && (is_same || fail(why, path, "cannot be believed"));
}

bool trusted_stream(int root, const char *path, char *buffer, size_t size, trusted_taker *take, void *context, struct problem *why) {
	struct stat before;
	bool is_missing;
	const int fd = open_trusted(root, path, INT64_MAX, &before, &is_missing, why);
	size_t held = 0;
	uint64_t taken = 0;
	ssize_t got = 1;

	if (fd < 0)
		return false;
	while (got > 0) {
		size_t used = 0;

		got = read(fd, buffer + held, size - 1 - held);
		held += (size_t)(got > 0 ? got : 0);
		taken += (uint64_t)(got > 0 ? got : 0);
		if (got == 0 && held > 0)
			buffer[held++] = '\n';
		if (got == 0 || held == size - 1 || memchr(buffer, '\n', held) != NULL)
			used = take(context, (struct text){buffer, held});
		memmove(buffer, buffer + used, held - used);
		held -= used;
	}
	return close_unchanged(fd, &before, taken, text_of(path), why);
}

bool trusted_read(int root, const char *path, char *buffer, size_t size, struct text *ret, bool *ret_is_missing, struct problem *why) {
	struct stat before;
	const int fd = open_trusted(root, path, size, &before, ret_is_missing, why);
	size_t held = 0;
	ssize_t got = 1;

	if (fd < 0)
		return false;
	for (; got > 0 && held < size; held += (size_t)(got > 0 ? got : 0))
		got = read(fd, buffer + held, size - held);
	*ret = (struct text){buffer, held};
	return close_unchanged(fd, &before, held, text_of(path), why);
}
