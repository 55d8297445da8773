/* SPDX-License-Identifier: ISC */
/*
 * Purpose   try what it is told, in order, and print what the kernel said: one `DEED: answer` line each.
 * Runs as   anybody: it is what the tests start through runas-app, and beside it as the control.
 * Given     deeds as arguments, `verb:path[:path]`, `verb:number` or `verb`; the table at the end lists them.
 *           `fork` does the rest in a forked child that executes this program again; `--` executes what follows.
 * Promises  the answer is the errno's name, `ok`, or the value that was asked for; an unknown deed ends it with 99.
 * Never     stops at a refusal; waits longer than ten seconds for a connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2U
#endif

static char answer[4096];

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(answer, sizeof(answer), format, arguments);
	va_end(arguments);
}

static void say_error(int error) {
	static const struct {
		int number;
		const char *name;
	} names[] = {{0, "ok"},
		     {EPERM, "EPERM"},
		     {ENOENT, "ENOENT"},
		     {ENXIO, "ENXIO"},
		     {EBADF, "EBADF"},
		     {EACCES, "EACCES"},
		     {EEXIST, "EEXIST"},
		     {EXDEV, "EXDEV"},
		     {EINVAL, "EINVAL"},
		     {EROFS, "EROFS"},
		     {ENOSYS, "ENOSYS"},
		     {EOPNOTSUPP, "EOPNOTSUPP"},
		     {EADDRINUSE, "EADDRINUSE"},
		     {ENOTDIR, "ENOTDIR"},
		     {ETXTBSY, "ETXTBSY"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == error) {
			say("%s", names[i].name);
			return;
		}
	}
	say("E%d", error);
}

/* --- files --- */

static long try_open(const char *path, int flags) {
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

	return fd < 0 ? -1 : close(fd);
}

static long do_write(const char *a, const char *b) {
	(void)b;
	return try_open(a, O_WRONLY);
}

static long do_read(const char *a, const char *b) {
	(void)b;
	return try_open(a, O_RDONLY);
}

static long do_list(const char *a, const char *b) {
	(void)b;
	return try_open(a, O_RDONLY | O_DIRECTORY);
}

static long do_create(const char *a, const char *b) {
	(void)b;
	return try_open(a, O_WRONLY | O_CREAT | O_EXCL);
}

static long do_append(const char *a, const char *b) {
	(void)b;
	return try_open(a, O_WRONLY | O_APPEND);
}

static long do_empty(const char *a, const char *b) {
	(void)b;
	return try_open(a, O_WRONLY | O_TRUNC);
}

static long do_empty_read(const char *a, const char *b) {
	(void)b;
	return try_open(a, O_RDONLY | O_TRUNC);
}

static long do_tmpfile(const char *a, const char *b) {
	(void)b;
	return try_open(a, O_RDWR | O_TMPFILE);
}

static long do_truncate(const char *a, const char *b) {
	(void)b;
	return truncate(a, 0);
}

static long do_mkdir(const char *a, const char *b) {
	(void)b;
	return mkdir(a, 0700);
}

static long do_rmdir(const char *a, const char *b) {
	(void)b;
	return rmdir(a);
}

static long do_mkfifo(const char *a, const char *b) {
	(void)b;
	return mkfifo(a, 0600);
}

static long do_mknod(const char *a, const char *b) {
	(void)b;
	return mknod(a, S_IFREG | 0600, 0);
}

/* A whiteout: the one device that everybody may make. */
static long do_mkdevice(const char *a, const char *b) {
	(void)b;
	return mknod(a, S_IFCHR | 0600, 0);
}

static long do_symlink(const char *a, const char *b) {
	(void)b;
	return symlink("nowhere", a);
}

static long do_link(const char *a, const char *b) { return link(a, b); }

static long do_rename(const char *a, const char *b) { return rename(a, b); }

static long do_exchange(const char *a, const char *b) {
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static long do_unlink(const char *a, const char *b) {
	(void)b;
	return unlink(a);
}

static long do_chmod(const char *a, const char *b) {
	(void)b;
	return chmod(a, 0640);
}

static long do_utime(const char *a, const char *b) {
	const struct timespec then[2] = {{1000000000, 0}, {1000000000, 0}};

	(void)b;
	return utimensat(AT_FDCWD, a, then, 0);
}

static long do_setxattr(const char *a, const char *b) {
	(void)b;
	return setxattr(a, "user.attempt", "x", 1, 0);
}

static long do_fd_write(const char *a, const char *b) {
	(void)b;
	return write(atoi(a), "x", 1);
}

static long do_fd_truncate(const char *a, const char *b) {
	(void)b;
	return ftruncate(atoi(a), 1);
}

static long do_is_open(const char *a, const char *b) {
	(void)b;
	return fcntl(atoi(a), F_GETFD);
}

static long do_owner(const char *a, const char *b) {
	struct stat facts;

	(void)b;
	if (fstat(atoi(a), &facts) != 0)
		return -1;
	say("%u:%u %o", facts.st_uid, facts.st_gid, facts.st_mode);
	return 1;
}

static long do_memfd(const char *a, const char *b) {
	int fd = (int)syscall(SYS_memfd_create, "attempt", 0);

	(void)a;
	(void)b;
	return fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 4096) == 0 ? 0 : -1;
}

/* Master and slave opened and written, and the slave once more as /dev/tty. Its own session: nothing is lost to a test. */
static long do_terminal(const char *a, const char *b) {
	pid_t child = fork();
	int status = 0;

	(void)a;
	(void)b;
	if (child == 0) {
		char name[64];
		int unlock = 0, number = -1, master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
		if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0 || ioctl(master, TIOCGPTN, &number) != 0)
			_exit(errno);
		snprintf(name, sizeof(name), "/dev/pts/%d", number);
		setsid();
		int slave = open(name, O_RDWR | O_NOCTTY);
		if (slave < 0 || write(slave, "x", 1) != 1 || ioctl(slave, TIOCSCTTY, 0) != 0)
			_exit(errno);
		int tty = open("/dev/tty", O_RDWR);
		_exit(tty >= 0 && write(tty, "y", 1) == 1 ? 0 : errno);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno == 0 ? 0 : -1;
}

static long bind_unix(const char *path, bool is_abstract) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || length + 1 >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path + is_abstract, path, length);
	long done = bind(fd, (struct sockaddr *)&address, (socklen_t)(sizeof(sa_family_t) + is_abstract + length));
	int error = errno;
	close(fd);
	errno = error;
	return done;
}

static long do_bind(const char *a, const char *b) {
	(void)b;
	return bind_unix(a, false);
}

static long do_abstract(const char *a, const char *b) {
	(void)b;
	return bind_unix(a, true);
}

/* --- io_uring, by hand: its worker could be thought to be somebody else --- */

struct ring_offsets {
	uint32_t head, tail, mask, entries, flags, more[3]; /* [1] of sq: the array; [0] of cq: the entries */
	uint64_t address;
};

struct ring_parameters {
	uint32_t sq_entries, cq_entries, flags, sq_cpu, sq_idle, features, wq_fd, reserved[3];
	struct ring_offsets sq, cq;
};

struct ring_entry {
	uint8_t opcode, flags;
	uint16_t ioprio;
	int32_t fd;
	uint64_t second, address;
	uint32_t length, how;
	uint64_t user_data, pad[3];
};

enum { RING_OPENAT = 18, RING_RENAMEAT = 35, RING_UNLINKAT = 36, RING_MKDIRAT = 37 };

static long in_ring(const struct ring_entry *entry) {
	struct ring_parameters p;
	long result = -1;

	memset(&p, 0, sizeof(p));
	int ring = (int)syscall(425 /* io_uring_setup */, 4U, &p);
	if (ring < 0 || !entry)
		return ring;
	/* Four entries: each of the three fits a page. */
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *sq = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0);
	char *cq = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0x8000000);
	struct ring_entry *entries = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0x10000000);
	if (sq == MAP_FAILED || cq == MAP_FAILED || entries == MAP_FAILED)
		return -1;
	entries[0] = *entry;
	uint32_t *array = (uint32_t *)(void *)(sq + p.sq.more[1]), *tail = (uint32_t *)(void *)(sq + p.sq.tail);
	array[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(426 /* io_uring_enter */, ring, 1U, 1U, 1U /* GETEVENTS */, NULL, 0UL) == 1) {
		const int32_t *done = (int32_t *)(void *)(cq + p.cq.more[0] + sizeof(uint64_t));
		result = *done < 0 ? -1 : *done;
		errno = *done < 0 ? -*done : 0;
	}
	munmap(sq, page);
	munmap(cq, page);
	munmap(entries, page);
	return result;
}

static long do_ring(const char *a, const char *b) {
	(void)a;
	(void)b;
	return in_ring(NULL);
}

static long do_ring_mkdir(const char *a, const char *b) {
	(void)b;
	return in_ring(
		&(struct ring_entry){.opcode = RING_MKDIRAT, .fd = AT_FDCWD, .address = (uintptr_t)a, .length = 0700});
}

static long do_ring_open(const char *a, const char *b) {
	(void)b;
	return in_ring(&(struct ring_entry){.opcode = RING_OPENAT,
					    .fd = AT_FDCWD,
					    .address = (uintptr_t)a,
					    .length = 0600,
					    .how = O_WRONLY | O_CREAT});
}

static long do_ring_unlink(const char *a, const char *b) {
	(void)b;
	return in_ring(&(struct ring_entry){.opcode = RING_UNLINKAT, .fd = AT_FDCWD, .address = (uintptr_t)a});
}

static long do_ring_rename(const char *a, const char *b) {
	return in_ring(&(struct ring_entry){.opcode = RING_RENAMEAT,
					    .fd = AT_FDCWD,
					    .second = (uintptr_t)b,
					    .address = (uintptr_t)a,
					    .length = (uint32_t)AT_FDCWD});
}

/* --- what was handed over --- */

static long do_env(const char *a, const char *b) {
	const char *value = getenv(a);

	(void)b;
	say("%s", value ? value : "-");
	return 1;
}

/* LISTEN_PID is whose sockets they are: sd_listen_fds(3) looks away from any other number. */
static long do_listen_pid(const char *a, const char *b) {
	const char *value = getenv("LISTEN_PID");

	(void)a;
	(void)b;
	say("%s", !value ? "-" : atol(value) == (long)getpid() ? "mine" : "another's");
	return 1;
}

static long do_socket(const char *a, const char *b) {
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} at;
	socklen_t length = sizeof(at), size = sizeof(int);
	char text[INET6_ADDRSTRLEN] = "";
	int listens = -1, fd = atoi(a);

	(void)b;
	memset(&at, 0, sizeof(at));
	if (getsockname(fd, &at.any, &length) != 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0)
		return -1;
	if (at.any.sa_family == AF_INET)
		inet_ntop(AF_INET, &at.ipv4.sin_addr, text, sizeof(text));
	else if (at.any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &at.ipv6.sin6_addr, text, sizeof(text));
	say("%s %u listening=%d", text, ntohs(at.any.sa_family == AF_INET6 ? at.ipv6.sin6_port : at.ipv4.sin_port),
	    listens);
	return 1;
}

/* The server closes first, so that its side of the connection is what stays in TIME_WAIT. */
static long do_serve(const char *a, const char *b) {
	struct pollfd wait = {.fd = atoi(a), .events = POLLIN};

	(void)b;
	if (poll(&wait, 1, 10000) != 1) {
		errno = ETIMEDOUT;
		return -1;
	}
	int client = accept(wait.fd, NULL, NULL);
	if (client < 0 || write(client, "hello\n", 6) != 6)
		return -1;
	return close(client);
}

static long do_listen(const char *a, const char *b) {
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(a))};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	(void)b;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 ? listen(fd, 1) : -1;
}

/* Somebody else's turn, ten seconds at most. */
static long do_until(const char *a, const char *b) {
	(void)b;
	for (int turns = 0; turns < 1000; turns++, usleep(10000)) {
		if (access(a, F_OK) == 0)
			return 0;
	}
	errno = ETIMEDOUT;
	return -1;
}

static _Noreturn long do_wait(const char *a, const char *b) {
	(void)a;
	(void)b;
	for (;;)
		pause();
}

static long do_pid(const char *a, const char *b) {
	(void)a;
	(void)b;
	say("%ld", (long)getpid());
	return 1;
}

/* A system call by its number, `a` its number, `b` its arguments, dots between them; the filter's answer, or the kernel's. */
static long do_call(const char *a, const char *b) {
	unsigned long long arguments[6] = {0};
	char *rest = (char *)(uintptr_t)b;

	for (size_t i = 0; i < 6 && *rest; i++) {
		arguments[i] = strtoull(rest, &rest, 0);
		rest += *rest == '.';
	}
	return syscall((long)strtoull(a, NULL, 0), arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
		       arguments[5]);
}

static void *call_i386(void *data) {
#ifdef __x86_64__
	long result = 20; /* getpid */
	__asm__ volatile("int $0x80" : "+a"(result) : : "r8", "r9", "r10", "r11", "memory", "cc");
#endif
	return data;
}

/* One thread of two enters the kernel another way; the answer only comes if the other one outlives it. */
static long do_thread_i386(const char *a, const char *b) {
	pthread_t thread;

	(void)a;
	(void)b;
	if (pthread_create(&thread, NULL, call_i386, NULL) != 0)
		return -1;
	return poll(NULL, 0, 500);
}

static const struct deed {
	const char *verb;
	long (*act)(const char *a, const char *b); /* 1: it has said its answer itself */
	bool answers;
} deeds[] = {
	{"write", do_write, false},
	{"read", do_read, false},
	{"list", do_list, false},
	{"create", do_create, false},
	{"append", do_append, false},
	{"empty", do_empty, false},
	{"empty-read", do_empty_read, false},
	{"tmpfile", do_tmpfile, false},
	{"truncate", do_truncate, false},
	{"mkdir", do_mkdir, false},
	{"rmdir", do_rmdir, false},
	{"mkfifo", do_mkfifo, false},
	{"mknod", do_mknod, false},
	{"mkdevice", do_mkdevice, false},
	{"symlink", do_symlink, false},
	{"link", do_link, false},
	{"rename", do_rename, false},
	{"exchange", do_exchange, false},
	{"unlink", do_unlink, false},
	{"chmod", do_chmod, false},
	{"utime", do_utime, false},
	{"setxattr", do_setxattr, false},
	{"fd-write", do_fd_write, false},
	{"fd-truncate", do_fd_truncate, false},
	{"is-open", do_is_open, false},
	{"memfd", do_memfd, false},
	{"terminal", do_terminal, false},
	{"bind", do_bind, false},
	{"abstract", do_abstract, false},
	{"ring", do_ring, false},
	{"ring-mkdir", do_ring_mkdir, false},
	{"ring-open", do_ring_open, false},
	{"ring-unlink", do_ring_unlink, false},
	{"ring-rename", do_ring_rename, false},
	{"env", do_env, true},
	{"listen-pid", do_listen_pid, true},
	{"socket", do_socket, true},
	{"serve", do_serve, false},
	{"listen", do_listen, false},
	{"wait", do_wait, false},
	{"pid", do_pid, true},
	{"until", do_until, false},
	{"owner", do_owner, true},
	{"call", do_call, false},
	{"thread-i386", do_thread_i386, false},
};

static bool attempt(const char *word) {
	char text[4096], *rest = text, *a, *b;

	snprintf(text, sizeof(text), "%s", word);
	const char *verb = strsep(&rest, ":");
	a = strsep(&rest, ":");
	b = strsep(&rest, ":");
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		if (strcmp(deeds[i].verb, verb) != 0)
			continue;
		errno = 0;
		if (deeds[i].act(a ? a : "", b ? b : "") < 0)
			say_error(errno);
		else if (!deeds[i].answers)
			say_error(0);
		printf("%s: %s\n", word, answer);
		fflush(stdout);
		return true;
	}
	return false;
}

int main(int argc, char **argv) {
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0 && i + 1 < argc) {
			execve(argv[i + 1], argv + i + 1, environ);
			printf("--: %s\n", strerror(errno));
			return 98;
		}
		if (strcmp(argv[i], "fork") == 0) {
			int status = 0;
			pid_t child = fork();
			if (child == 0) {
				argv[i] = argv[0];
				execve("/proc/self/exe", argv + i, environ);
				_exit(98);
			}
			if (child < 0 || waitpid(child, &status, 0) != child)
				return 98;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
		}
		if (!attempt(argv[i])) {
			fprintf(stderr, "attempt: what is `%s`?\n", argv[i]);
			return 99;
		}
	}
	printf("end: yes\n");
	return 0;
}
