/* SPDX-License-Identifier: ISC */
/* Of world.h: commands that are started as somebody, and what they say. */
#include "world_inside.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNNING_MAX = 16, OUTPUT_MAX = 8 << 20 };

const struct world_person world_root = {0, 0, 0, {0}};
const struct world_person world_deploy = {WORLD_DEPLOY, WORLD_DEPLOY, 2, {WORLD_DEPLOY, WORLD_GROUP_DEPLOYERS}};
const struct world_person world_app = {WORLD_APP, WORLD_APP, 1, {WORLD_APP}};
const struct world_person world_other = {WORLD_OTHER, WORLD_OTHER, 1, {WORLD_OTHER}};

static const char *const plain_environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/deploy",
						"LANG=C.UTF-8", NULL};

static struct world_run *running[RUNNING_MAX];

static long milliseconds(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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

	world_must(run != NULL, "memory");
	world_must(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0, "pipes");
	fflush(NULL);
	run->pid = fork();
	world_must(run->pid >= 0, "fork");
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
	world_must(slot < RUNNING_MAX, "too many commands at once");
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
		world_must(*text != NULL, "memory");
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
