/* SPDX-License-Identifier: ISC */
/* What system calls cost in the process that runs this: NAME and ns a call, a line each; "-" where it is refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int zero, null;
static char byte;

static long call_getppid(void) { return syscall(SYS_getppid); }
static long call_read(void) { return read(zero, &byte, 1); }
static long call_write(void) { return write(null, &byte, 1); }
static long call_ioctl(void) {
	int pending;
	return ioctl(zero, FIONREAD, &pending) == 0 || errno == ENOTTY ? 0 : -1;
}
static long call_socket(void) {
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd < 0 ? -1 : close(fd);
}
static long call_clone(void) {
	const pid_t child = vfork();
	if (child == 0)
		_exit(0);
	return child < 0 ? -1 : waitpid(child, NULL, 0);
}

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int main(void) {
	static const struct {
		const char *name;
		long (*call)(void);
		int times;
	} calls[] = {{"getppid", call_getppid, 200000}, {"read", call_read, 200000},	{"write", call_write, 200000},
		     {"ioctl", call_ioctl, 100000},	{"socket", call_socket, 20000}, {"clone", call_clone, 2000}};

	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].call() < 0) {
			printf("%s\t-\n", calls[i].name);
			continue;
		}
		const int64_t before = now();
		for (int k = 0; k < calls[i].times; k++)
			if (calls[i].call() < 0)
				return 1;
		printf("%s\t%.1f\n", calls[i].name, (double)(now() - before) / calls[i].times);
	}
	return 0;
}
