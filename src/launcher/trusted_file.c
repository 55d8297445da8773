/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

/* The system call itself, which has libc's struct stat: libc's own would pass old bytes of its stack for an answer. */
bool trusted_fstat(int fd, struct stat *ret) {
	memset(ret, 0xff, sizeof(*ret));
	return syscall(SYS_fstat, (long)fd, ret) == 0 && ret->st_uid != ~0U;
}

static bool fail(struct problem *why, struct text path, const char *what) {
	const bool is_link = errno == ELOOP, is_type = is_link || errno == ENOTDIR;
	*why = (struct problem){.status = PROBLEM_SELF, .what = is_link ? "is a symlink" : what, .object = path,
				.error = is_link ? 0 : errno};
	why->word = is_type ? "policy-type" : errno == ENOENT ? "policy-missing" : "policy-unreadable";
	why->hint = is_type ? "no symlinks: in Kubernetes mount it with subPath, or copy it" : NULL;
	return false;
}

/* -1, or the opened file; every directory on the way was judged before the next was opened. */
static int open_trusted(int root, struct text path, enum trust_kind last, uint64_t most, struct stat *ret,
			struct problem *why) {
	struct text rest = path, seen = {path.at, 1};
	int at = root;

	while (at > STDERR_FILENO) { /* 0 to 2 are taken: such an answer is a filter's */
		const enum trust_kind kind = rest.length > 0 ? TRUST_DIRECTORY : last;
		const bool is_known = trusted_fstat(at, ret) || fail(why, seen, "cannot be looked at");
		char name[256] = {0};
		int next = -1;

		if (!is_known || !trust_check(kind, ret->st_uid, ret->st_mode, (uint64_t)ret->st_size, most, seen, why))
			break;
		if (kind == last)
			return at;
		rest = text_after(rest, 1);
		const struct text part = text_until(&rest, "/");
		seen.length = path.length - rest.length;
		errno = ENAMETOOLONG;
		if (part.length < sizeof(name))
			next = openat(at, memcpy(name, part.at, part.length), O_NOFOLLOW | O_CLOEXEC |
				      (rest.length > 0 ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK | O_NOCTTY));
		if (at != root)
			close(at);
		at = next;
	}
	if (at <= STDERR_FILENO)
		fail(why, seen, "cannot be opened");
	else if (at != root) /* judged, and not believed */
		close(at);
	return -1;
}

static bool close_unchanged(int fd, const struct stat *before, uint64_t taken, struct text path, struct problem *why) {
	struct stat now;
	const bool is_same = trusted_fstat(fd, &now) && (uint64_t)now.st_size == taken && now.st_size == before->st_size &&
			     now.st_ino == before->st_ino && now.st_dev == before->st_dev && now.st_uid == 0 &&
			     memcmp(&now.st_mtim, &before->st_mtim, sizeof(now.st_mtim)) == 0;
	errno = EEXIST;
	return (close(fd) == 0 && is_same) || fail(why, path, "cannot be believed");
}

/* Until the buffer is full, nothing is left of the file, or it cannot be read: then close_unchanged misses something. */
static size_t fill(int fd, char *buffer, size_t size, uint64_t left) {
	size_t held = 0;
	size = left < size ? (size_t)left : size;
	for (ssize_t got = 1; got > 0 && held < size; held += got > 0 ? (size_t)got : 0)
		got = read(fd, buffer + held, size - held);
	return held;
}

bool trusted_stream(int root, struct text path, char *buffer, size_t size, trusted_taker *take, void *context,
		    struct problem *why) {
	struct stat before;
	const int fd = open_trusted(root, path, TRUST_FILE, INT64_MAX, &before, why);
	size_t got = 1, held = 0, used;
	uint64_t taken = 0;

	if (fd < 0)
		return false;
	for (; got > 0; taken += got) {
		got = fill(fd, buffer + held, size - 1 - held, (uint64_t)before.st_size - taken);
		held += got;
		if (held > 0 && taken + got == (uint64_t)before.st_size && buffer[held - 1] != '\n')
			buffer[held++] = '\n';
		used = take(context, (struct text){buffer, held});
		memmove(buffer, buffer + used, held - used);
		held -= used;
	}
	return close_unchanged(fd, &before, taken, path, why);
}

bool trusted_read(int root, struct text path, enum trust_kind kind, char *buffer, size_t size, struct text *ret,
		  struct problem *why) {
	struct stat before;
	const int fd = open_trusted(root, path, kind, size, &before, why);
	*ret = (struct text){buffer, fd < 0 ? 0 : fill(fd, buffer, size, (uint64_t)before.st_size)};
	return fd >= 0 && close_unchanged(fd, &before, ret->length, path, why);
}
