/* SPDX-License-Identifier: ISC */
#include "world_inside.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/skip.h"

#ifndef BUILD_DIR
#define BUILD_DIR "build"
#endif

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/bash\n"
				  "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
				  "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
				  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
				  "deploy:x:4001:4001:Deployer:/home/deploy:/bin/sh\n"
				  "ra_app:x:4002:4002:The app:/srv/ra_app:/usr/sbin/nologin\n"
				  "other:x:4003:4003:Somebody:/home/other:/bin/sh\n"
				  "rails:x:4005:4005:Rails:/srv/rails:/bin/bash\n";

static const char group_text[] = "root:x:0:\n"
				 "daemon:x:1:\n"
				 "tty:x:5:\n"
				 "www-data:x:33:\n"
				 "nogroup:x:65534:\n"
				 "deploy:x:4001:\n"
				 "ra_app:x:4002:\n"
				 "other:x:4003:\n"
				 "rails:x:4005:\n"
				 "ra_web:x:4010:ra_app,www-data\n"
				 "ra_extra:x:4011:ra_app\n"
				 "deployers:x:4020:deploy\n";

/* --- small things --- */

void world_must(bool good, const char *format, ...) {
	char text[1024];
	va_list arguments;

	if (good)
		return;
	int error = errno;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	cr_assert_fail("the test world: %s: %s", text, strerror(error));
}

static int tree_clone(const char *path) {
	return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC);
}

static void tree_attach(int tree, const char *path) {
	world_must(syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0, "mount on %s",
		   path);
	close(tree);
}

static void fresh(const char *path, const char *options) {
	world_must(mount("runas-test", path, "tmpfs", 0, options) == 0, "tmpfs on %s", path);
}

void world_file_bytes(const char *path, uid_t uid, gid_t gid, mode_t mode, const void *bytes, size_t length) {
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	world_must(fd >= 0, "%s", path);
	for (size_t done = 0; done < length;) {
		ssize_t written = write(fd, (const char *)bytes + done, length - done);
		world_must(written > 0, "write %s", path);
		done += (size_t)written;
	}
	world_must(fchown(fd, uid, gid) == 0, "chown %s", path);
	world_must(fchmod(fd, mode) == 0, "chmod %s", path);
	close(fd);
}

void world_file(const char *path, uid_t uid, gid_t gid, mode_t mode, const char *text) {
	world_file_bytes(path, uid, gid, mode, text, strlen(text));
}

void world_directory(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	world_must(mkdir(path, 0700) == 0 || errno == EEXIST, "mkdir %s", path);
	world_must(chown(path, uid, gid) == 0, "chown %s", path);
	world_must(chmod(path, mode) == 0, "chmod %s", path);
}

void world_copy(const char *from, const char *to, mode_t mode) {
	char block[65536];
	ssize_t got;
	int in = open(from, O_RDONLY | O_CLOEXEC);

	world_must(in >= 0, "%s", from);
	unlink(to);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	world_must(out >= 0, "%s", to);
	while ((got = read(in, block, sizeof(block))) > 0)
		world_must(write(out, block, (size_t)got) == got, "write %s", to);
	world_must(got == 0, "read %s", from);
	world_must(fchown(out, 0, 0) == 0 && fchmod(out, mode) == 0, "mode of %s", to);
	close(in);
	close(out);
}

char *world_read(const char *path) {
	size_t size = 1 << 16, length = 0;
	char *text = malloc(size);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !text) {
		free(text);
		return NULL;
	}
	for (;;) {
		ssize_t got = read(fd, text + length, size - length - 1);
		if (got <= 0)
			break;
		length += (size_t)got;
		if (length + 1 == size)
			text = realloc(text, size *= 2);
	}
	close(fd);
	text[length] = '\0';
	return text;
}

/* --- what outlives the test --- */

static bool read_namespace(const char *process, char *into, size_t size) {
	char path[64];

	memset(into, 0, size);
	snprintf(path, sizeof(path), "/proc/%.16s/ns/mnt", process);
	return readlink(path, into, size - 1) > 0;
}

static void kill_namespace(const char *name) {
	DIR *listing = opendir("/proc");

	for (struct dirent *entry; listing && (entry = readdir(listing));) {
		char theirs[64];
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    read_namespace(entry->d_name, theirs, sizeof(theirs)) && strcmp(theirs, name) == 0)
			kill((pid_t)atol(entry->d_name), SIGKILL);
	}
	if (listing)
		closedir(listing);
}

/* A test that runs out of time is killed, and cleans nothing up. So somebody outside of its world waits for its end, and
 * then ends what is left in that world: returns the descriptor that holds him back. */
static int post_caretaker(void) {
	int ends[2];

	world_must(pipe2(ends, O_CLOEXEC) == 0, "pipe");
	pid_t first = fork();
	world_must(first >= 0, "fork");
	if (first == 0) {
		char thread[17] = "", path[64], name[64], rest;
		if (fork() != 0)
			_exit(0);
		setsid();
		dup2(ends[0], 0);
		syscall(SYS_close_range, 1U, ~0U, 0U);
		/* Held open, the world keeps its number: otherwise the next test's could have it, and be killed instead. */
		if (read(0, thread, sizeof(thread) - 1) > 0 && read_namespace(thread, name, sizeof(name)) &&
		    snprintf(path, sizeof(path), "/proc/%s/ns/mnt", thread) > 0 && open(path, O_RDONLY) >= 0) {
			while (read(0, &rest, 1) < 0 && errno == EINTR)
				continue;
			kill_namespace(name);
		}
		_exit(0);
	}
	waitpid(first, NULL, 0);
	close(ends[0]);
	return ends[1];
}

/* --- the world --- */

/* Everything of /etc stays in sight (ld.so.cache, alternatives, ssl ...), through links beside our own files; an overlay
 * would do it in one call, but is not to be had inside every container. */
static void make_etc(void) {
	static const char *const ours[] = {".",	     "..",     "passwd",  "group",     "passwd-",
					   "group-", "shadow", "gshadow", "runas-app", ".pwd.lock"};
	int original = tree_clone("/etc");

	world_must(original >= 0, "clone /etc");
	fresh("/etc", "mode=0755");
	world_must(mkdir("/etc/.host", 0755) == 0, "/etc/.host");
	tree_attach(original, "/etc/.host");

	DIR *listing = opendir("/etc/.host");
	world_must(listing != NULL, "list /etc");
	for (struct dirent *entry; (entry = readdir(listing));) {
		char from[PATH_MAX], to[PATH_MAX], there[PATH_MAX];
		bool skip = false;
		for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
			skip = skip || strcmp(entry->d_name, ours[i]) == 0;
		if (skip)
			continue;
		snprintf(from, sizeof(from), "/etc/.host/%s", entry->d_name);
		snprintf(to, sizeof(to), "/etc/%s", entry->d_name);
		/* A link of /etc is kept as it is: `../usr/lib/os-release` would point elsewhere from one room deeper. */
		ssize_t length = readlink(from, there, sizeof(there) - 1);
		if (length >= 0)
			there[length] = '\0';
		world_must(symlink(length >= 0 ? there : from, to) == 0, "link %s", to);
	}
	closedir(listing);

	world_file("/etc/passwd", 0, 0, 0644, passwd_text);
	world_file("/etc/group", 0, 0, 0644, group_text);
	world_directory("/etc/runas-app", 0, 0, 0755);
	world_directory("/etc/runas-app/profiles", 0, 0, 0755);
}

static void make_dev(void) {
	static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty", "pts", "shm"};
	enum { COUNT = sizeof(nodes) / sizeof(nodes[0]) };
	int trees[COUNT];
	char path[64];

	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof(path), "/dev/%s", nodes[i]);
		trees[i] = tree_clone(path);
	}
	fresh("/dev", "mode=0755");
	for (int i = 0; i < COUNT; i++) {
		if (trees[i] < 0)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", nodes[i]);
		if (i >= COUNT - 2)
			world_directory(path, 0, 0, 0755);
		else
			world_file(path, 0, 0, 0644, "");
		tree_attach(trees[i], path);
	}
	world_must(symlink("pts/ptmx", "/dev/ptmx") == 0, "/dev/ptmx");
	world_must(symlink("/proc/self/fd", "/dev/fd") == 0, "/dev/fd");
	world_must(symlink("/proc/self/fd/0", "/dev/stdin") == 0, "/dev/stdin");
	world_must(symlink("/proc/self/fd/1", "/dev/stdout") == 0, "/dev/stdout");
	world_must(symlink("/proc/self/fd/2", "/dev/stderr") == 0, "/dev/stderr");
	world_open_log();
}

void world_enter(void) {
	static const char *const wanted[] = {"/etc", "/dev", "/srv", "/home", "/tmp", "/run", "/usr/local/bin"};

	if (geteuid() != 0)
		SKIP("system tests install a setuid binary in a private mount namespace: run them as root");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		world_must(access(wanted[i], F_OK) == 0, "%s", wanted[i]);

	const char *build = getenv("RUNAS_BUILD");
	char where[PATH_MAX];
	world_must(realpath(build && *build ? build : BUILD_DIR, where) != NULL, "build directory %s",
		   build && *build ? build : BUILD_DIR);

	int caretaker = post_caretaker();
	if (unshare(CLONE_NEWNS) != 0)
		SKIP("no private mount namespace: unshare says EPERM; CAP_SYS_ADMIN is needed");
	world_must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	world_must(prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) == 0, "subreaper");
	world_must(dprintf(caretaker, "%ld", (long)gettid()) > 0, "caretaker");
	atexit(world_leave);
	umask(022);
	(void)setpriority(PRIO_PROCESS, 0, 0); /* nice make check-root */

	/* The build directory may lie below any of the places that are about to be hidden. */
	int built = tree_clone(where);
	world_must(built >= 0, "clone %s", where);
	world_must(chdir("/") == 0, "chdir /");
	fresh("/srv", "mode=0755");
	fresh("/home", "mode=0755");
	fresh("/tmp", "mode=1777");
	fresh("/run", "mode=0755");
	fresh("/usr/local/bin", "mode=0755");
	make_etc();
	make_dev();
	world_must(mkdir("/run/build", 0755) == 0, "/run/build");
	tree_attach(built, "/run/build");

	world_directory("/srv/ra_app", WORLD_APP, WORLD_APP, 0750);
	world_directory("/srv/rails", WORLD_RAILS, WORLD_RAILS, 0750);
	world_directory("/home/deploy", WORLD_DEPLOY, WORLD_DEPLOY, 0700);
	world_directory("/home/other", WORLD_OTHER, WORLD_OTHER, 0700);

	world_must(world_built("runas-app") != NULL, "%s/runas-app is not built", where);
	world_copy(world_built("runas-app"), WORLD_RUNAS, 04755);
	world_must(world_built("probe") != NULL, "%s/probe is not built", where);
	world_copy(world_built("probe"), WORLD_PROBE, 0755);
}

const char *world_built(const char *name) {
	static const char *const rooms[] = {"", "tests/", "tests/helpers/", "helpers/"};
	static char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		struct stat facts;
		snprintf(path, sizeof(path), "/run/build/%s%s", rooms[i], name);
		if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode))
			return path;
	}
	errno = ENOENT;
	return NULL;
}

/* Everything below this process, orphans included: it is their reaper. By pid, and only what the kernel lists as ours. */
void world_leave(void) {
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
	for (int rounds = 0; rounds < 100; rounds++) {
		char *children = world_read(path);
		bool any = false;
		for (char *at = children; at && *at;) {
			char *end;
			long pid = strtol(at, &end, 10);
			if (end == at)
				break;
			at = end + strspn(end, " \n");
			any = pid > 1 && kill((pid_t)pid, SIGKILL) == 0;
			waitpid((pid_t)pid, NULL, 0);
		}
		free(children);
		if (!any)
			return;
	}
}

void world_policy(const char *app, const char *text) {
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/etc/runas-app/%s.conf", app);
	world_file(path, 0, 0, 0644, text);
}

void world_app_policy(const char *app, const char *more) {
	char text[65536];

	snprintf(text, sizeof(text),
		 "runas-app = 1\n"
		 "allow_users = deploy\n"
		 "user = ra_app\n"
		 "directory = /srv/ra_app\n"
		 "command = *\n"
		 "%s",
		 more);
	world_policy(app, text);
}

int world_landlock_abi(void) {
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0L, 1L /* LANDLOCK_CREATE_RULESET_VERSION */);
}
