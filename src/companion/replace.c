/* SPDX-License-Identifier: ISC */
#include "companion/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool replace_file(int directory, const char *file, const char *new_file, struct text bytes) {
	size_t done = 0;
	int fd, saved;

	if (unlinkat(directory, new_file, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(directory, new_file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	while (done < bytes.length) {
		const ssize_t put = write(fd, bytes.at + done, bytes.length - done);

		if (put < 0 && errno != EINTR)
			break;
		done += put > 0 ? (size_t)put : 0;
	}
	/* The data must be on disk before the name is: after a power cut there is the old file or the new one. */
	if (done == bytes.length && fchown(fd, geteuid(), getegid()) == 0 && fchmod(fd, 0644) == 0 && fsync(fd) == 0 &&
	    renameat(directory, new_file, directory, file) == 0) {
		close(fd);
		return fsync(directory) == 0;
	}
	saved = errno;
	close(fd);
	unlinkat(directory, new_file, 0);
	errno = saved;
	return false;
}
