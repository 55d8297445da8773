/* SPDX-License-Identifier: ISC */
#include "companion/image.h"

#include "companion/output.h"
#include "policy/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

bool image_open(struct image *ret, const char *directory) {
	ret->root = open(directory == NULL ? "/" : directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ret->prefix = directory == NULL || strcmp(directory, "/") == 0 ? "" : directory;
	return ret->root >= 0;
}

int image_descriptor(const struct image *image, const char *path, int flags) {
	const struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY)),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, image->root, path, &how, sizeof how);
}

static bool stat_with(const struct image *image, const char *path, int flags, struct stat *ret) {
	const int fd = image_descriptor(image, path, O_PATH | flags);
	bool is_done;
	int saved;

	if (fd < 0)
		return false;
	is_done = fstat(fd, ret) == 0;
	saved = errno;
	close(fd);
	errno = saved;
	return is_done;
}

bool image_stat(const struct image *image, const char *path, struct stat *ret) {
	return stat_with(image, path, 0, ret);
}

bool image_lstat(const struct image *image, const char *path, struct stat *ret) {
	return stat_with(image, path, O_NOFOLLOW, ret);
}

/* To open a device may do something (a watchdog), and to read it may never end: so it is looked at first. */
static int open_file(const struct image *image, const char *path) {
	const int seen = image_descriptor(image, path, O_PATH);
	struct stat status;
	char name[32];
	int fd = -1;

	if (seen < 0)
		return -1;
	if (fstat(seen, &status) == 0) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
		snprintf(name, sizeof name, "/proc/self/fd/%d", seen);
		if (S_ISREG(status.st_mode)) /* this very inode, whatever has its name now */
			fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (S_ISREG(status.st_mode) && fd < 0 && errno == ENOENT) /* no /proc here */
			fd = image_descriptor(image, path, O_RDONLY);
	}
	const int saved = errno;

	close(seen);
	errno = saved;
	return fd;
}

const char *image_launcher(const struct image *image) {
	static const char package[] = "/usr/bin/runas-app", local[] = "/usr/local/bin/runas-app";
	struct stat found;

	return image_stat(image, local, &found) && !image_stat(image, package, &found) ? local : package;
}

int image_lock(int directory) {
	for (;;) {
		const int fd = openat(directory, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
		struct stat held, named;

		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX) != 0 || fstat(fd, &held) != 0) {
			close(fd);
			return -1;
		}
		if (fstatat(directory, ".lock", &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == held.st_ino)
			return fd;
		close(fd); /* who held it before has removed it */
	}
}

void image_unlock(int directory, int lock) {
	if (lock < 0)
		return;
	unlinkat(directory, ".lock", 0);
	close(lock);
}

char *image_read(const struct image *image, const char *path, size_t most, size_t *ret_length) {
	const int fd = open_file(image, path);
	char *bytes = NULL;
	size_t size = 0, held = 0;
	ssize_t got = 1;
	int error = 0;

	if (fd < 0)
		return NULL;
	while (got > 0) {
		if (held + 1 >= size)
			bytes = output_memory(realloc(bytes, size = size == 0 ? 65536 : 2 * size));
		got = read(fd, bytes + held, size - held - 1);
		held += got > 0 ? (size_t)got : 0;
		if (got < 0 || held > most) {
			error = got < 0 ? errno : EFBIG;
			break;
		}
	}
	close(fd);
	if (error != 0) {
		free(bytes);
		errno = error;
		return NULL;
	}
	bytes[held] = '\0';
	*ret_length = held;
	return bytes;
}

static FILE *accounts(const struct image *image, const char *path) {
	const int fd = open_file(image, path);
	struct stat status;
	FILE *file;

	if (fd >= 0 && (fstat(fd, &status) != 0 || status.st_size > IMAGE_MOST_ACCOUNTS)) {
		close(fd);
		errno = EFBIG;
		return NULL;
	}
	file = fd < 0 ? NULL : fdopen(fd, "re");
	if (fd >= 0 && file == NULL)
		close(fd);
	return file;
}

static void add_group(struct person *person, uint32_t gid) {
	if (person_has_group(person, gid))
		return;
	person->groups = output_memory(reallocarray(person->groups, person->group_count + 1, sizeof *person->groups));
	person->groups[person->group_count++] = gid;
}

struct person *image_person(const struct image *image, const char *name_or_number) {
	FILE *passwd = accounts(image, "/etc/passwd"), *group;
	struct person *ret = output_memory(calloc(1, sizeof *ret));
	const struct passwd *entry = NULL;
	const struct group *members;
	uint64_t number = 0;
	const bool is_number = text_number(text_of(name_or_number), UINT32_MAX - 1, &number);
	bool is_found = false;

	while (!is_found && passwd != NULL && (entry = fgetpwent(passwd)) != NULL)
		is_found = is_number ? entry->pw_uid == number : strcmp(entry->pw_name, name_or_number) == 0;
	if (is_found) {
		snprintf(ret->name, sizeof ret->name, "%s", entry->pw_name);
		ret->uid = entry->pw_uid;
		ret->gid = entry->pw_gid;
	} else {
		ret->uid = ret->gid = (uint32_t)number;
	}
	ret->home = output_memory(strdup(is_found ? entry->pw_dir : ""));
	ret->shell = output_memory(strdup(is_found ? entry->pw_shell : ""));
	if (passwd != NULL)
		fclose(passwd);
	if (!is_found && !is_number) {
		person_free(ret);
		errno = passwd == NULL ? errno : ENOENT;
		return NULL;
	}
	add_group(ret, ret->gid);
	group = accounts(image, "/etc/group");
	while (group != NULL && ret->name[0] != '\0' && (members = fgetgrent(group)) != NULL)
		for (char **member = members->gr_mem; *member != NULL; member++)
			if (strcmp(*member, ret->name) == 0)
				add_group(ret, members->gr_gid);
	if (group != NULL)
		fclose(group);
	return ret;
}

void person_free(struct person *person) {
	if (person == NULL)
		return;
	free(person->groups);
	free(person->home);
	free(person->shell);
	free(person);
}

bool person_has_group(const struct person *person, uint32_t gid) {
	for (size_t i = 0; i < person->group_count; i++)
		if (person->groups[i] == gid)
			return true;
	return false;
}

char *image_user_name(const struct image *image, uint32_t uid) {
	FILE *passwd = accounts(image, "/etc/passwd");
	const struct passwd *entry;
	char *name = NULL;

	while (name == NULL && passwd != NULL && (entry = fgetpwent(passwd)) != NULL)
		if (entry->pw_uid == uid)
			name = output_escaped(entry->pw_name, strlen(entry->pw_name));
	if (passwd != NULL)
		fclose(passwd);
	return name;
}

char *image_group_name(const struct image *image, uint32_t gid) {
	FILE *group = accounts(image, "/etc/group");
	const struct group *entry;
	char *name = NULL;

	while (name == NULL && group != NULL && (entry = fgetgrent(group)) != NULL)
		if (entry->gr_gid == gid)
			name = output_escaped(entry->gr_name, strlen(entry->gr_name));
	if (group != NULL)
		fclose(group);
	return name;
}
