/* SPDX-License-Identifier: ISC */
#include "world.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
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

enum { RUNNING_MAX = 16, LOG_MAX = 64, LOG_BYTES = 8192, OUTPUT_MAX = 8 << 20 };

const struct world_person world_root = {0, 0, 0, {0}};
const struct world_person world_deploy = {WORLD_DEPLOY, WORLD_DEPLOY, 2, {WORLD_DEPLOY, WORLD_GROUP_DEPLOYERS}};
const struct world_person world_app = {WORLD_APP, WORLD_APP, 1, {WORLD_APP}};
const struct world_person world_other = {WORLD_OTHER, WORLD_OTHER, 1, {WORLD_OTHER}};

static const char *const plain_environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/deploy",
						"LANG=C.UTF-8", NULL};

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

static struct world_run *running[RUNNING_MAX];
static int log_socket = -1;
static char log_lines[LOG_MAX][LOG_BYTES];
static size_t log_count;

/* --- small things --- */

__attribute__((format(printf, 2, 3))) static void must(bool good, const char *format, ...) {
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

static long milliseconds(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int tree_clone(const char *path) {
	return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC);
}

static void tree_attach(int tree, const char *path) {
	must(syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0, "mount on %s", path);
	close(tree);
}

static void fresh(const char *path, const char *options) {
	must(mount("runas-test", path, "tmpfs", 0, options) == 0, "tmpfs on %s", path);
}

void world_file_bytes(const char *path, uid_t uid, gid_t gid, mode_t mode, const void *bytes, size_t length) {
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(fd >= 0, "%s", path);
	for (size_t done = 0; done < length;) {
		ssize_t written = write(fd, (const char *)bytes + done, length - done);
		must(written > 0, "write %s", path);
		done += (size_t)written;
	}
	must(fchown(fd, uid, gid) == 0, "chown %s", path);
	must(fchmod(fd, mode) == 0, "chmod %s", path);
	close(fd);
}

void world_file(const char *path, uid_t uid, gid_t gid, mode_t mode, const char *text) {
	world_file_bytes(path, uid, gid, mode, text, strlen(text));
}

void world_directory(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	must(mkdir(path, 0700) == 0 || errno == EEXIST, "mkdir %s", path);
	must(chown(path, uid, gid) == 0, "chown %s", path);
	must(chmod(path, mode) == 0, "chmod %s", path);
}

void world_copy(const char *from, const char *to, mode_t mode) {
	char block[65536];
	ssize_t got;
	int in = open(from, O_RDONLY | O_CLOEXEC);

	must(in >= 0, "%s", from);
	unlink(to);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	must(out >= 0, "%s", to);
	while ((got = read(in, block, sizeof(block))) > 0)
		must(write(out, block, (size_t)got) == got, "write %s", to);
	must(got == 0, "read %s", from);
	must(fchown(out, 0, 0) == 0 && fchmod(out, mode) == 0, "mode of %s", to);
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

	must(pipe2(ends, O_CLOEXEC) == 0, "pipe");
	pid_t first = fork();
	must(first >= 0, "fork");
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
	static const char *const ours[] = {".",	     "..",     "passwd",  "group",    "passwd-",
					   "group-", "shadow", "gshadow", "runas-app", ".pwd.lock"};
	int original = tree_clone("/etc");

	must(original >= 0, "clone /etc");
	fresh("/etc", "mode=0755");
	must(mkdir("/etc/.host", 0755) == 0, "/etc/.host");
	tree_attach(original, "/etc/.host");

	DIR *listing = opendir("/etc/.host");
	must(listing != NULL, "list /etc");
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
		must(symlink(length >= 0 ? there : from, to) == 0, "link %s", to);
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
	must(symlink("pts/ptmx", "/dev/ptmx") == 0, "/dev/ptmx");
	must(symlink("/proc/self/fd", "/dev/fd") == 0, "/dev/fd");
	must(symlink("/proc/self/fd/0", "/dev/stdin") == 0, "/dev/stdin");
	must(symlink("/proc/self/fd/1", "/dev/stdout") == 0, "/dev/stdout");
	must(symlink("/proc/self/fd/2", "/dev/stderr") == 0, "/dev/stderr");

	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	log_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(log_socket >= 0, "log socket");
	must(bind(log_socket, (struct sockaddr *)&address, sizeof(address)) == 0, "/dev/log");
	must(chmod("/dev/log", 0666) == 0, "/dev/log");
}

void world_enter(void) {
	static const char *const wanted[] = {"/etc", "/dev", "/srv", "/home", "/tmp", "/run", "/usr/local/bin"};

	if (geteuid() != 0)
		SKIP("system tests install a setuid binary in a private mount namespace: run them as root");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		must(access(wanted[i], F_OK) == 0, "%s", wanted[i]);

	const char *build = getenv("RUNAS_BUILD");
	char where[PATH_MAX];
	must(realpath(build && *build ? build : BUILD_DIR, where) != NULL, "build directory %s",
	     build && *build ? build : BUILD_DIR);

	int caretaker = post_caretaker();
	if (unshare(CLONE_NEWNS) != 0)
		SKIP("no private mount namespace: unshare says EPERM; CAP_SYS_ADMIN is needed");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	must(prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) == 0, "subreaper");
	must(dprintf(caretaker, "%ld", (long)gettid()) > 0, "caretaker");
	atexit(world_leave);
	umask(022);

	/* The build directory may lie below any of the places that are about to be hidden. */
	int built = tree_clone(where);
	must(built >= 0, "clone %s", where);
	must(chdir("/") == 0, "chdir /");
	fresh("/srv", "mode=0755");
	fresh("/home", "mode=0755");
	fresh("/tmp", "mode=1777");
	fresh("/run", "mode=0755");
	fresh("/usr/local/bin", "mode=0755");
	make_etc();
	make_dev();
	must(mkdir("/run/build", 0755) == 0, "/run/build");
	tree_attach(built, "/run/build");

	world_directory("/srv/ra_app", WORLD_APP, WORLD_APP, 0750);
	world_directory("/srv/rails", WORLD_RAILS, WORLD_RAILS, 0750);
	world_directory("/home/deploy", WORLD_DEPLOY, WORLD_DEPLOY, 0700);
	world_directory("/home/other", WORLD_OTHER, WORLD_OTHER, 0700);

	must(world_built("runas-app") != NULL, "%s/runas-app is not built", where);
	world_copy(world_built("runas-app"), WORLD_RUNAS, 04755);
	must(world_built("probe") != NULL, "%s/probe is not built", where);
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

/* --- running --- */

static void child_fails(const char *what) {
	dprintf(STDERR_FILENO, "the test's child: %s: %s\n", what, strerror(errno));
	_exit(WORLD_CHILD_BROKE);
}

static _Noreturn void become_and_run(const struct world_call *call, int out, int err) {
	int input = open("/dev/null", O_RDONLY);

	if (input < 0 || dup2(input, 0) != 0 || dup2(out, 1) != 1 || dup2(err, 2) != 2)
		child_fails("standard descriptors");
	syscall(SYS_close_range, 3U, ~0U, 0U);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	if (setsid() < 0)
		child_fails("setsid");
	if (call->as_root)
		call->as_root(call->data);
	if (call->who->uid != 0) {
		/* Raw: the test process has more threads than this one, and libc would ask them all. */
		if (syscall(SYS_setgroups, call->who->group_count, call->who->groups) != 0 ||
		    syscall(SYS_setresgid, call->who->gid, call->who->gid, call->who->gid) != 0 ||
		    syscall(SYS_setresuid, call->who->uid, call->who->uid, call->who->uid) != 0)
			child_fails("become the caller");
		/* As after a login: what /proc keeps for the owner of a process is the caller's. */
		prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);
	}
	if (chdir(call->directory ? call->directory : "/") != 0)
		child_fails("chdir");
	if (call->as_caller)
		call->as_caller(call->data);
	execve(call->program ? call->program : call->argv[0], (char *const *)(uintptr_t)call->argv,
	       (char *const *)(uintptr_t)(call->envp ? call->envp : plain_environment));
	_exit(WORLD_NO_PROGRAM);
}

struct world_run *world_start(const struct world_call *call) {
	struct world_run *run = calloc(1, sizeof(*run));
	int out[2], err[2];

	must(run != NULL, "memory");
	must(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0, "pipes");
	fflush(NULL);
	run->pid = fork();
	must(run->pid >= 0, "fork");
	if (run->pid == 0)
		become_and_run(call, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	run->out_fd = out[0];
	run->err_fd = err[0];
	fcntl(run->out_fd, F_SETFL, O_NONBLOCK);
	fcntl(run->err_fd, F_SETFL, O_NONBLOCK);
	run->out = calloc(1, 1);
	run->err = calloc(1, 1);
	size_t slot = 0;
	while (slot < RUNNING_MAX && running[slot])
		slot++;
	must(slot < RUNNING_MAX, "too many commands at once");
	running[slot] = run;
	return run;
}

void world_was_reaped(struct world_run *run, int status) {
	run->ended = true;
	run->status = status;
	for (size_t i = 0; i < RUNNING_MAX; i++) {
		if (running[i] == run)
			running[i] = NULL;
	}
}

/* Whatever ended is reaped at once, orphans too: a daemon's stop command waits until the daemon's pid is gone, and a
 * zombie of ours would keep it. */
static void reap(void) {
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		for (size_t i = 0; i < RUNNING_MAX; i++) {
			if (running[i] && running[i]->pid == pid)
				world_was_reaped(running[i], status);
		}
	}
}

bool world_ended(struct world_run *run) {
	reap();
	return run->ended;
}

/* Take what is there now; false once the other side is closed. */
static bool take(int fd, char **text, size_t *length) {
	char block[16384];

	for (;;) {
		ssize_t got = read(fd, block, sizeof(block));
		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		if (got == 0)
			return false;
		if (*length + (size_t)got > OUTPUT_MAX)
			continue;
		*text = realloc(*text, *length + (size_t)got + 1);
		must(*text != NULL, "memory");
		memcpy(*text + *length, block, (size_t)got);
		*length += (size_t)got;
		(*text)[*length] = '\0';
	}
}

static void take_both(struct world_run *run, int timeout) {
	struct pollfd sources[2] = {{.fd = run->out_fd, .events = POLLIN}, {.fd = run->err_fd, .events = POLLIN}};

	poll(sources, 2, timeout);
	if (run->out_fd >= 0 && !take(run->out_fd, &run->out, &run->out_length)) {
		close(run->out_fd);
		run->out_fd = -1;
	}
	if (run->err_fd >= 0 && !take(run->err_fd, &run->err, &run->err_length)) {
		close(run->err_fd);
		run->err_fd = -1;
	}
}

void world_collect(struct world_run *run, const char *until, int seconds) {
	long limit = milliseconds() + seconds * 1000L;

	while (milliseconds() < limit && !strstr(run->out, until) && (run->out_fd >= 0 || run->err_fd >= 0))
		take_both(run, 20);
	cr_assert(strstr(run->out, until), "no `%s` within %d s; stdout:\n%s\nstderr:\n%s", until, seconds, run->out,
		  run->err);
}

void world_wait(struct world_run *run, int seconds) {
	long limit = milliseconds() + seconds * 1000L;
	bool ended;

	/* The end is the process's end: a daemon that it leaves behind may hold the pipes for ever. */
	do {
		ended = world_ended(run);
		if (!ended && !run->timed_out && milliseconds() > limit) {
			run->timed_out = true;
			kill(-run->pid, SIGKILL);
			kill(run->pid, SIGKILL);
		}
		if (run->out_fd >= 0 || run->err_fd >= 0)
			take_both(run, ended ? 0 : 10);
		else if (!ended)
			usleep(1000);
	} while (!ended);
	if (run->out_fd >= 0)
		close(run->out_fd);
	if (run->err_fd >= 0)
		close(run->err_fd);
	run->out_fd = run->err_fd = -1;
}

struct world_run *world_run(const struct world_call *call) {
	struct world_run *run = world_start(call);

	world_wait(run, call->seconds ? call->seconds : 10);
	return run;
}

struct world_run *world_launch(const struct world_person *who, const char *const *arguments) {
	const char *argv[128] = {"runas-app"};
	size_t count = 1;

	for (; arguments[count - 1]; count++) {
		cr_assert(count < 126, "too many arguments for world_launch");
		argv[count] = arguments[count - 1];
	}
	return world_run(&(struct world_call){.who = who, .program = WORLD_RUNAS, .argv = argv});
}

struct world_run *world_probe(const struct world_person *who, void (*as_caller)(const void *), const void *data) {
	return world_run(&(struct world_call){.who = who,
					      .program = WORLD_RUNAS,
					      .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
					      .as_caller = as_caller,
					      .data = data});
}

struct world_run *world_probe_directly(const struct world_person *who, void (*as_caller)(const void *),
				       const void *data) {
	return world_run(&(struct world_call){
		.who = who, .argv = WORLD_LIST(WORLD_PROBE), .as_caller = as_caller, .data = data});
}

/* --- reading --- */

static char *copy_line(const char *at) {
	return strndup(at, strcspn(at, "\n"));
}

const char *world_value_in(const char *text, const char *key) {
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, key, length) == 0 && line[length] == ':')
			return copy_line(line[length + 1] == ' ' ? line + length + 2 : line + length + 1);
	}
	return NULL;
}

const char *world_value(const struct world_run *run, const char *key) {
	return world_value_in(run->out, key);
}

const char *world_env(const struct world_run *run, const char *name) {
	size_t length = strlen(name);

	for (const char *line = run->out; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, "env: ", 5) == 0 && strncmp(line + 5, name, length) == 0 && line[5 + length] == '=')
			return copy_line(line + 6 + length);
	}
	return NULL;
}

bool world_exited(const struct world_run *run, int status) {
	return !run->timed_out && WIFEXITED(run->status) && WEXITSTATUS(run->status) == status;
}

size_t world_log(void) {
	log_count = 0;
	while (log_count < LOG_MAX) {
		ssize_t got = recv(log_socket, log_lines[log_count], LOG_BYTES - 1, MSG_DONTWAIT);
		if (got < 0)
			break;
		/* A NUL inside a record would hide what follows it. */
		for (ssize_t i = 0; i < got; i++) {
			if (log_lines[log_count][i] == '\0')
				log_lines[log_count][i] = '\1';
		}
		log_lines[log_count++][got] = '\0';
	}
	return log_count;
}

const char *world_log_line(size_t index) {
	return index < log_count ? log_lines[index] : "";
}

/* --- checks --- */

static const char *how_it_ended(const struct world_run *run) {
	static char text[64];

	if (run->timed_out)
		return "ran out of time";
	if (WIFSIGNALED(run->status))
		snprintf(text, sizeof(text), "was killed by signal %d", WTERMSIG(run->status));
	else
		snprintf(text, sizeof(text), "exited with %d", WEXITSTATUS(run->status));
	return text;
}

void world_expect_value(const struct world_run *run, const char *key, const char *value) {
	const char *found = world_value(run, key);

	cr_expect(found && strcmp(found, value) == 0, "%s is `%s`, not `%s` (it %s)\nstderr: %s", key,
		  found ? found : "missing", value, how_it_ended(run), run->err);
}

void world_expect_confined(const struct world_run *run, unsigned uid, unsigned gid, const char *groups,
			   bool as_root_built) {
	static const char *const user_keys[] = {"ruid", "euid", "suid", "fsuid"};
	static const char *const group_keys[] = {"rgid", "egid", "sgid", "fsgid"};
	static const char *const sets[] = {"cap_inheritable", "cap_permitted", "cap_effective", "cap_ambient",
					   "cap_bounding"};
	char number[16];

	cr_assert(world_value(run, "end"), "the probe did not run: it %s\nstdout: %s\nstderr: %s", how_it_ended(run),
		  run->out, run->err);
	snprintf(number, sizeof(number), "%u", uid);
	for (size_t i = 0; i < 4; i++)
		world_expect_value(run, user_keys[i], number);
	snprintf(number, sizeof(number), "%u", gid);
	for (size_t i = 0; i < 4; i++)
		world_expect_value(run, group_keys[i], number);
	world_expect_value(run, "groups", groups);
	for (size_t i = 0; i < (as_root_built ? 5 : 4); i++)
		world_expect_value(run, sets[i], "0000000000000000");
	if (as_root_built)
		world_expect_value(run, "securebits", "0xEB");
	world_expect_value(run, "no_new_privs", "1");
	world_expect_value(run, "seccomp", "2");
}

void world_expect_app(const struct world_run *run) {
	world_expect_confined(run, WORLD_APP, WORLD_APP, "4002", true);
}

void world_expect_refused(const struct world_run *run, int status, const char *word) {
	size_t messages = 0;

	cr_expect(world_exited(run, status), "it %s, not with %d\nstdout: %s\nstderr: %s", how_it_ended(run), status,
		  run->out, run->err);
	cr_expect(run->out_length == 0, "something ran or spoke on stdout:\n%s", run->out);
	for (const char *line = run->err; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, "runas-app: ", 11) == 0)
			messages++;
		else
			cr_expect(strncmp(line, "hint: ", 6) == 0, "neither message nor hint on stderr: %s", line);
	}
	cr_expect(messages == 1, "%zu messages, not one:\n%s", messages, run->err);
	cr_expect(strstr(run->err, word) != NULL, "no `%s` in: %s", word, run->err);
}
