/* SPDX-License-Identifier: ISC */
/*
 * Purpose   try to type into the terminal that the caller left us, by every road to ioctl that this machine has, one
 *           `WAY REQUEST TARGET: ANSWER` line a try; then wait for what the terminal does to us, if asked to.
 * Runs as   anybody: tests/system/test_terminal.c starts it through runas-app, and beside it.
 * Given     a terminal on 0, 1 and 2. The lines go to FILE: on a terminal they would be output among which input hides.
 * Promises  each try is made by a child of its own, so that an answer may be a deadly signal; every try types a letter,
 *           so that one that succeeds is seen in the terminal's input.
 * Never     changes the terminal, and never waits longer than half a minute.
 *
 * typist FILE [--wait]
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { X32 = 0x40000000, X32_IOCTL = 514, I386_IOCTL = 54, SECONDS_MAX = 30 };
enum { SET_SELECTION = 2, PASTE_SELECTION = 3 };

/* A try: may be anything that reaches ioctl; errno as a negative number, as the kernel gives it. */
typedef long (*way)(long fd, unsigned long request, const char *argument);

static long by_libc(long fd, unsigned long request, const char *argument) {
	long answer = syscall(SYS_ioctl, fd, request, argument);

	return answer < 0 ? -errno : answer;
}

#ifdef __x86_64__
static long by_number(long number, long fd, unsigned long request, const char *argument) {
	long answer;

	__asm__ volatile("syscall"
			 : "=a"(answer)
			 : "0"(number), "D"(fd), "S"(request), "d"(argument)
			 : "rcx", "r11", "memory", "cc");
	return answer;
}

static long by_x32_common(long fd, unsigned long request, const char *argument) {
	return by_number(X32 | SYS_ioctl, fd, request, argument);
}

static long by_x32_own(long fd, unsigned long request, const char *argument) {
	return by_number(X32 | X32_IOCTL, fd, request, argument);
}

/* The argument lies below 4 GB; the request's upper half is left in the register for the kernel to cut. */
static long by_int80(long fd, unsigned long request, const char *argument) {
	long answer;

	__asm__ volatile("int $0x80"
			 : "=a"(answer)
			 : "0"((long)I386_IOCTL), "b"(fd), "c"(request), "d"(argument)
			 : "r8", "r9", "r10", "r11", "memory", "cc");
	return (int)answer;
}
#endif

static const struct {
	const char *name;
	way go;
} ways[] = {
	{"libc", by_libc},
#ifdef __x86_64__
	{"int80", by_int80},
	{"x32-16", by_x32_common},
	{"x32-514", by_x32_own},
#endif
};

/* TIOCLINUX takes what to do from the argument's first byte. */
static const struct {
	unsigned long request;
	char argument; /* 0: a letter, to be typed */
} requests[] = {
	{0x5412, 0},
	{0xdeadbeef00005412, 0},
	{0x100005412, 0},
	{0xffffffff00005412, 0},
	{0x541c, SET_SELECTION},
	{0x541c, PASTE_SELECTION},
	{0xdeadbeef0000541c, SET_SELECTION},
	{0xdeadbeef0000541c, PASTE_SELECTION},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *error_name(int error) {
	static char number[16];

	switch (error) {
	case 0: return "ok";
	case EPERM: return "EPERM";
	case EIO: return "EIO";
	case EBADF: return "EBADF";
	case ENOTTY: return "ENOTTY";
	case ENOSYS: return "ENOSYS";
	case ENXIO: return "ENXIO";
	default: snprintf(number, sizeof(number), "E%d", error); return number;
	}
}

static void try_one(FILE *out, size_t which, size_t what, const char *target, int fd, char *argument) {
	int status = 0;
	pid_t child;

	fflush(out);
	memset(argument, 0, 16);
	argument[0] = (char)(requests[what].argument ? requests[what].argument : 'x');
	child = fork();
	if (child == 0) {
		long answer = ways[which].go(fd, requests[what].request, argument);
		_exit(answer < 0 ? (int)-answer & 0xff : 0);
	}
	fprintf(out, "%s %lx", ways[which].name, requests[what].request);
	if (requests[what].argument)
		fprintf(out, "/%d", requests[what].argument);
	fprintf(out, " %s: ", target);
	if (child < 0 || waitpid(child, &status, 0) != child)
		fprintf(out, "no child\n");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		fprintf(out, "SIGSYS\n");
	else if (WIFSIGNALED(status))
		fprintf(out, "signal %d\n", WTERMSIG(status));
	else
		fprintf(out, "%s\n", error_name(WEXITSTATUS(status)));
}

/* What an ordinary program asks a terminal. */
static void show_ordinary(FILE *out, const char *target, int fd) {
	struct termios settings;
	struct winsize size = {0};
	int waiting = -1;

	fprintf(out, "TCGETS %s: %s\n", target, error_name(tcgetattr(fd, &settings) == 0 ? 0 : errno));
	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		fprintf(out, "TIOCGWINSZ %s: %dx%d\n", target, size.ws_row, size.ws_col);
	else
		fprintf(out, "TIOCGWINSZ %s: %s\n", target, error_name(errno));
	if (ioctl(fd, FIONREAD, &waiting) == 0)
		fprintf(out, "FIONREAD %s: %d\n", target, waiting);
	else
		fprintf(out, "FIONREAD %s: %s\n", target, error_name(errno));
}

int main(int argc, char **argv) {
	static const char *const targets[] = {"fd0", "fd1", "fd2", "dev-tty", "no-fd"};
	const int fds[] = {0, 1, 2, open("/dev/tty", O_RDWR | O_CLOEXEC), -1};
	const struct rlimit no_core = {0, 0};
	size_t tries = 0;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	FILE *out = argc > 1 ? fopen(argv[1], "we") : NULL;

	if (!out)
		return 120;
#ifdef MAP_32BIT
	flags |= MAP_32BIT;
#endif
	char *argument = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (argument == MAP_FAILED) {
		fclose(out);
		return 120;
	}
	setrlimit(RLIMIT_CORE, &no_core);
	alarm(SECONDS_MAX);

	fprintf(out, "uid: %ld\nforeground: %ld\npgrp: %ld\n", (long)getuid(), (long)tcgetpgrp(0), (long)getpgrp());
	if (argc > 2 && strcmp(argv[2], "--wait") == 0) {
		fprintf(out, "end: yes\n");
		fclose(out);
		for (;;)
			pause();
	}
	for (size_t target = 0; target < COUNT(targets) - 1; target++)
		show_ordinary(out, targets[target], fds[target]);
	for (size_t which = 0; which < COUNT(ways); which++)
		for (size_t what = 0; what < COUNT(requests); what++)
			for (size_t target = 0; target < COUNT(targets); target++, tries++)
				try_one(out, which, what, targets[target], fds[target], argument);
	fprintf(out, "tries: %zu\nend: yes\n", tries);
	return fclose(out) == 0 ? 0 : 121;
}
