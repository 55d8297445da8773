/* SPDX-License-Identifier: ISC */
#include "companion/access.h"

#include "companion/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MOST_LINKS = 40, NOSYMFOLLOW = 0x2000 /* ST_NOSYMFOLLOW, newer than our headers */ };

static const char *const mode_names[] = {"enter", "read", "write", "execute", "connect", "delete"};

const char *access_mode_name(enum access_mode mode) { return mode_names[mode]; }

bool access_mode_read(const char *word, enum access_mode *ret) {
	for (size_t i = 0; i < sizeof mode_names / sizeof mode_names[0]; i++)
		if (strcmp(word, mode_names[i]) == 0) {
			*ret = (enum access_mode)i;
			return true;
		}
	return false;
}

/* --- the way there --- */

struct walk {
	const struct image *image;
	const struct access_who *who;
	struct access *to;
	enum access_mode mode;
	struct level {
		int fd;
		size_t step;
	} * levels; /* directories from the top to where we are */
	size_t level_count;
	size_t target, parent; /* SIZE_MAX: none */
	unsigned links;
	bool protects_links;
};

static struct access_step *deny(struct access_step *step, enum access_reason reason, int error) {
	if (step->reason == ACCESS_FINE) {
		step->reason = reason;
		step->error = error;
	}
	return step;
}

static void need(struct walk *w, size_t at, unsigned bits) {
	struct access_step *step = &w->to->steps[at];
	enum access_class class;
	unsigned has;
	const bool is_good = access_permits(w->who, step, bits, &class, &has);

	step->needs |= bits;
	if (step->reason == ACCESS_FINE) {
		step->class = class;
		step->has = has;
	}
	if (!is_good)
		deny(step, ACCESS_PERMISSION, EACCES);
}

static char *join(const char *directory, const char *name) {
	return output_format("%s%s%s", directory, strcmp(directory, "/") == 0 ? "" : "/", name);
}

static size_t add_step(struct walk *w, const char *name, char *path, unsigned depth) {
	struct access *to = w->to;

	to->steps = output_memory(reallocarray(to->steps, to->count + 1, sizeof *to->steps));
	to->steps[to->count] = (struct access_step){
		.name = output_memory(strdup(name)), .path = path, .depth = depth, .class = ACCESS_OTHER};
	return to->count++;
}

static void push(struct walk *w, int fd, size_t step) {
	w->levels = output_memory(reallocarray(w->levels, w->level_count + 1, sizeof *w->levels));
	w->levels[w->level_count++] = (struct level){fd, step};
}

static void pop(struct walk *w, size_t least) {
	while (w->level_count > least)
		close(w->levels[--w->level_count].fd);
}

static uint64_t mount_id(int fd) {
	struct statx more = {0};

	return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &more) == 0 ? more.stx_mnt_id : 0;
}

static bool walk_names(struct walk *w, const char *path, unsigned depth, bool is_last, bool wants_directory);

static bool follow(struct walk *w, int fd, size_t at, bool is_last, bool wants_directory) {
	struct access_step *step = &w->to->steps[at];
	const struct stat *above = &w->to->steps[w->levels[w->level_count - 1].step].status;
	const bool is_sticky = (above->st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH);
	char target[PATH_MAX], *copy;
	const ssize_t length = readlinkat(fd, "", target, sizeof target - 1);
	struct statfs system;
	bool is_good;

	if (length < 0) {
		deny(step, ACCESS_UNREADABLE, errno);
		return false;
	}
	target[length] = '\0';
	step->link = output_memory(strdup(target));
	if (++w->links > MOST_LINKS)
		deny(step, ACCESS_LOOP, ELOOP);
	else if (fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC &&
		 strcmp(step->path, "/proc/mounts") != 0 && strcmp(step->path, "/proc/net") != 0)
		deny(step, ACCESS_PROCESS_LINK, 0);
	else if ((step->mount & NOSYMFOLLOW) != 0)
		deny(step, ACCESS_NOSYMFOLLOW, ELOOP);
	if (step->reason != ACCESS_FINE)
		return false;
	if (is_last && w->protects_links && is_sticky && step->status.st_uid != w->who->uid &&
	    step->status.st_uid != above->st_uid)
		deny(step, ACCESS_STICKY_LINK, EACCES);
	copy = output_memory(strdup(target));
	is_good = walk_names(w, copy, step->depth + 1, is_last, wants_directory);
	free(copy);
	return is_good;
}

static bool look_up(struct walk *w, const char *name, unsigned depth, bool is_last, bool wants_directory) {
	const struct level here = w->levels[w->level_count - 1];
	struct access_step *step;
	bool is_good;
	size_t at;
	int fd;

	need(w, here.step, ACCESS_X);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		if (name[1] == '.' && w->level_count > 1)
			pop(w, w->level_count - 1);
		return true;
	}
	fd = openat(here.fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	at = add_step(w, name, join(w->to->steps[here.step].path, name), depth);
	step = &w->to->steps[at];
	if (fd < 0 || !access_look(fd, step)) {
		deny(step, fd < 0 && errno == ENOENT ? ACCESS_MISSING : ACCESS_UNREADABLE, errno);
		if (is_last && !wants_directory && step->reason == ACCESS_MISSING && w->mode == ACCESS_WRITE) {
			step->reason = ACCESS_FINE;
			step->error = 0;
			w->to->creates = true;
			w->parent = here.step;
		}
		if (fd >= 0)
			close(fd);
		return false;
	}
	step->is_mount = mount_id(fd) != mount_id(here.fd);
	w->parent = here.step;
	if (S_ISLNK(step->status.st_mode) && (w->mode != ACCESS_DELETE || !is_last || wants_directory)) {
		is_good = follow(w, fd, at, is_last, wants_directory);
		close(fd);
		return is_good;
	}
	if (S_ISDIR(step->status.st_mode) && (w->mode != ACCESS_DELETE || !is_last)) {
		push(w, fd, at);
		return true;
	}
	close(fd);
	w->target = at;
	if (is_last && (!wants_directory || S_ISDIR(step->status.st_mode)))
		return true;
	deny(step, ACCESS_NOT_DIRECTORY, ENOTDIR);
	return false;
}

static bool walk_names(struct walk *w, const char *path, unsigned depth, bool is_last, bool wants_directory) {
	if (path[0] == '/')
		pop(w, 1);
	for (const char *end; *(path += strspn(path, "/")) != '\0'; path = end) {
		char *name;
		bool is_good;
		const size_t length = strcspn(path, "/");

		end = path + length;
		name = output_memory(strndup(path, length));
		w->target = SIZE_MAX;
		if (end[strspn(end, "/")] != '\0')
			is_good = look_up(w, name, depth, false, true);
		else
			is_good = look_up(w, name, depth, is_last, wants_directory || *end == '/');
		free(name);
		if (!is_good)
			return false;
	}
	if (w->target == SIZE_MAX)
		w->target = w->levels[w->level_count - 1].step;
	return true;
}

/* --- what is asked of the end of the way --- */

static bool is_same(const struct stat *a, const struct stat *b) {
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* As src/launcher/landlock.c grants it: everything below a directory of the list; files, and our devices, to write. */
static bool landlock_grants(const struct walk *w, const struct stat *file) {
	static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full",
					      "/dev/tty",  "/dev/ptmx", "/dev/pts"};
	const size_t device_count = sizeof devices / sizeof devices[0];

	for (size_t i = 0; i < w->who->write_count + device_count; i++) {
		const bool is_device = i >= w->who->write_count;
		struct stat granted;

		if (!image_stat(w->image, is_device ? devices[i - w->who->write_count] : w->who->writes[i], &granted))
			continue;
		if (file != NULL && is_same(file, &granted))
			return true;
		for (size_t level = 0; level < w->level_count && (file != NULL || !is_device); level++)
			if (is_same(&w->to->steps[w->levels[level].step].status, &granted))
				return true;
	}
	return false;
}

/* To make or remove a name: of this directory. blamed: what the `write` list is asked about, and shown for. */
static void change_directory(struct walk *w, size_t directory, size_t blamed) {
	struct access_step *step = &w->to->steps[directory];

	need(w, directory, ACCESS_W | ACCESS_X);
	if ((step->mount & ST_RDONLY) != 0)
		deny(step, ACCESS_READ_ONLY, EROFS);
	if ((step->attributes & STATX_ATTR_IMMUTABLE) != 0)
		deny(step, ACCESS_IMMUTABLE, EPERM);
	w->to->is_outside = w->who->is_limited && !landlock_grants(w, NULL);
	if (w->to->is_outside)
		deny(&w->to->steps[blamed], ACCESS_LANDLOCK, EACCES);
}

static void end_delete(struct walk *w, size_t at) {
	struct access_step *step = &w->to->steps[at], *above = &w->to->steps[w->parent];
	const uint64_t kept = (step->attributes | above->attributes) & STATX_ATTR_APPEND;

	change_directory(w, w->parent, at);
	if ((above->status.st_mode & S_ISVTX) != 0 && !w->who->overrides && w->who->uid != step->status.st_uid &&
	    w->who->uid != above->status.st_uid)
		deny(step, ACCESS_STICKY, EPERM);
	if ((step->attributes & STATX_ATTR_IMMUTABLE) != 0)
		deny(step, ACCESS_IMMUTABLE, EPERM);
	if (kept != 0)
		deny((step->attributes & STATX_ATTR_APPEND) != 0 ? step : above, ACCESS_APPEND_ONLY, EPERM);
}

static void end_open(struct walk *w, size_t at, unsigned bits) {
	struct access_step *step = &w->to->steps[at];
	const unsigned type = step->status.st_mode & S_IFMT;

	need(w, at, bits);
	if (type == S_IFSOCK)
		deny(step, ACCESS_WRONG_TYPE, ENXIO);
	if ((type == S_IFCHR || type == S_IFBLK) && (step->mount & ST_NODEV) != 0)
		deny(step, ACCESS_NODEV, EACCES);
	if (bits != ACCESS_W)
		return;
	if (type == S_IFREG && (step->mount & ST_RDONLY) != 0)
		deny(step, ACCESS_READ_ONLY, EROFS);
	if ((step->attributes & STATX_ATTR_IMMUTABLE) != 0)
		deny(step, ACCESS_IMMUTABLE, EPERM);
	w->to->is_outside = w->who->is_limited && !landlock_grants(w, &step->status);
	if (w->to->is_outside)
		deny(step, ACCESS_LANDLOCK, EACCES);
}

static void end(struct walk *w) {
	struct access_step *step;
	unsigned type;

	if (w->to->creates)
		change_directory(w, w->parent, w->to->count - 1);
	if (w->target == SIZE_MAX)
		return;
	step = &w->to->steps[w->target];
	type = step->status.st_mode & S_IFMT;
	switch (w->mode) {
	case ACCESS_ENTER:
		if (type != S_IFDIR)
			deny(step, ACCESS_NOT_DIRECTORY, ENOTDIR);
		else
			need(w, w->target, ACCESS_X);
		break;
	case ACCESS_READ: end_open(w, w->target, ACCESS_R); break;
	case ACCESS_WRITE:
		if (type == S_IFDIR)
			change_directory(w, w->target, w->target);
		else
			end_open(w, w->target, ACCESS_W);
		break;
	case ACCESS_EXECUTE:
		if (type != S_IFREG)
			deny(step, ACCESS_WRONG_TYPE, EACCES);
		need(w, w->target, ACCESS_X);
		if ((step->mount & ST_NOEXEC) != 0)
			deny(step, ACCESS_NOEXEC, EACCES);
		break;
	case ACCESS_CONNECT:
		/* The kernel says so only to those who may write; people want to know it first. */
		if (type != S_IFSOCK)
			deny(step, ACCESS_WRONG_TYPE, ECONNREFUSED);
		need(w, w->target, ACCESS_W);
		break;
	case ACCESS_DELETE:
		if (w->target == 0)
			deny(step, ACCESS_WRONG_TYPE, EBUSY);
		else
			end_delete(w, w->target);
		break;
	}
}

static bool protects_links(void) {
	const int fd = open("/proc/sys/fs/protected_symlinks", O_RDONLY | O_CLOEXEC);
	char value = '1';

	/* Where /proc does not say, as systemd sets it. */
	if (fd >= 0 && read(fd, &value, 1) != 1)
		value = '1';
	if (fd >= 0)
		close(fd);
	return value != '0';
}

static void conclude(struct access *to) {
	const struct access_step *hidden = NULL;

	for (size_t i = 0; i < to->count; i++) {
		const struct access_step *step = &to->steps[i];

		if (step->reason == ACCESS_UNREADABLE || step->reason == ACCESS_PROCESS_LINK)
			hidden = step;
		else if (step->reason != ACCESS_FINE && to->denials++ == 0)
			to->first = step;
	}
	to->verdict = to->denials > 0 ? ACCESS_DENIED : hidden != NULL ? ACCESS_UNKNOWN : ACCESS_ALLOWED;
	to->first = to->denials > 0 ? to->first : hidden;
}

struct access *access_path(const struct image *image, const struct access_who *who, const char *path,
			   enum access_mode mode) {
	struct access *to = output_memory(calloc(1, sizeof *to));
	struct walk w = {.image = image, .who = who, .to = to, .mode = mode, .protects_links = protects_links()};
	const size_t top = add_step(&w, "/", output_memory(strdup("/")), 0);

	to->mode = mode;
	w.target = w.parent = SIZE_MAX;
	push(&w, fcntl(image->root, F_DUPFD_CLOEXEC, 0), top);
	to->steps[top].is_mount = true;
	if (!access_look(w.levels[0].fd, &to->steps[top]))
		deny(&to->steps[top], ACCESS_UNREADABLE, errno);
	else {
		if (!walk_names(&w, path, 0, true, false))
			w.target = SIZE_MAX;
		end(&w);
	}
	to->target = w.target == SIZE_MAX ? NULL : &to->steps[w.target];
	conclude(to);
	pop(&w, 0);
	free(w.levels);
	return to;
}

void access_free(struct access *access) {
	if (access == NULL)
		return;
	for (size_t i = 0; i < access->count; i++)
		access_forget(&access->steps[i]);
	free(access->steps);
	free(access);
}
