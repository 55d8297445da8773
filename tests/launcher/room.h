/* SPDX-License-Identifier: ISC */
/*
 * room: a forked child in which one stage of the launcher is done to the kernel.
 *
 * Purpose:  run what cannot be undone (ids, filters, closed descriptors) and see what became of it.
 * Runs as:  root; otherwise the test is skipped, loudly.
 * Given:    a function that does the stage and checks with ROOM_EXPECT.
 * Promises: the checks reach the test through shared memory, so that a child without descriptors or under a
 *           filter still reports; what it writes to 1 and 2 is kept; a child that hangs is killed.
 * Never:    mocks the kernel.
 */
#ifndef TESTS_LAUNCHER_ROOM_H
#define TESTS_LAUNCHER_ROOM_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/stages.h"
#include "tests/helpers/skip.h"

#define ROOM_SECONDS 30
#define ROOM_CALLER 4001
#define ROOM_APP 4002
#define ROOM_WEB 4010
#define ROOM_EXTRA 4011
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct room {
	bool is_done;	    /* the function returned */
	bool is_lacking;    /* the kernel lacks what the test is about */
	volatile int asked; /* of room_answer_nth */
	size_t used;
	char failures[16384];
};
static struct room *room;

struct room_end {
	int status;	  /* of exit; -1 when a signal ended it */
	char said[16384]; /* to 1 and 2 */
};

__attribute__((format(printf, 4, 5))) static inline void room_expect(bool is_true, const char *what, int line,
								     const char *format, ...) {
	va_list rest;
	const size_t size = sizeof(room->failures);

	if (is_true || room->used >= size - 1)
		return;
	room->used += (size_t)snprintf(room->failures + room->used, size - room->used, "  line %d: %s: ", line, what);
	if (room->used < size - 1) {
		va_start(rest, format);
		room->used += (size_t)vsnprintf(room->failures + room->used, size - room->used, format, rest);
		va_end(rest);
	}
	if (room->used < size - 1)
		room->used += (size_t)snprintf(room->failures + room->used, size - room->used, "\n");
	if (room->used > size - 1)
		room->used = size - 1;
}

#define ROOM_EXPECT(condition, ...) room_expect(condition, #condition, __LINE__, " " __VA_ARGS__)

/* The capabilities that this process has; a container's root may lack some. */
static inline unsigned long long room_capabilities(void) {
	char line[256] = "";
	unsigned long long effective = 0;
	FILE *status = fopen("/proc/self/status", "re");

	cr_assert(status != NULL);
	while (fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	cr_assert(fclose(status) == 0);
	return effective;
}

static inline void room_need_root(void) {
	static const int needed[] = {6, 7, 8, 21, 23};

	if (geteuid() != 0)
		SKIP("needs root");
	for (size_t i = 0; i < COUNT(needed); i++)
		if ((room_capabilities() >> needed[i] & 1) == 0)
			SKIP("needs a root with CAP_SETGID, SETUID, SETPCAP, SYS_ADMIN and SYS_NICE");
}

static inline void room_start_child(void (*body)(void), int output) {
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(output, 1);
	dup2(output, 2);
	syscall(SYS_close_range, 3U, ~0U, 0U); /* what the test framework holds open is not our caller's */
	(void)setpriority(PRIO_PROCESS, 0, 0); /* nice make check-root */
	body();
	room->is_done = true;
	syscall(SYS_exit_group, 0);
}

static inline void room_make(void) {
	if (room == NULL) {
		room = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		cr_assert(room != MAP_FAILED);
	}
	memset(room, 0, sizeof(*room));
}

static inline struct room_end room_run(void (*body)(void)) {
	struct room_end end = {.status = -1};
	size_t held = 0;
	int ends[2], status = 0, waited = 0;
	pid_t child;

	room_need_root();
	room_make();
	cr_assert(pipe(ends) == 0);
	fflush(NULL);
	child = fork();
	cr_assert(child >= 0);
	if (child == 0)
		room_start_child(body, ends[1]);
	close(ends[1]);
	for (;;) {
		struct pollfd wait = {.fd = ends[0], .events = POLLIN};
		ssize_t got;

		if (poll(&wait, 1, 1000) == 0 && ++waited == ROOM_SECONDS)
			kill(child, SIGKILL);
		if (wait.revents == 0)
			continue;
		got = read(ends[0], end.said + held, sizeof(end.said) - 1 - held);
		if (got <= 0)
			break;
		held += (size_t)got;
	}
	close(ends[0]);
	while (waitpid(child, &status, WNOHANG) == 0) {
		usleep(10000);
		if (++waited == ROOM_SECONDS * 100)
			kill(child, SIGKILL);
	}
	end.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return end;
}

/* The function did all that it is there for, and nobody complained. */
static inline void room_passes(void (*body)(void)) {
	struct room_end end = room_run(body);

	if (room->is_lacking)
		SKIP(room->failures);
	cr_assert(room->is_done, "ended with status %d and said: %s%s", end.status, end.said, room->failures);
	cr_expect(room->used == 0, "\n%s", room->failures);
}

/* The stage refused: status, and words that must be said (NULL: nothing may be). */
static inline void room_refuses(void (*body)(void), int status, const char *words) {
	struct room_end end = room_run(body);

	if (room->is_lacking)
		SKIP(room->failures);
	cr_expect(!room->is_done, "went on (and said: %s)", end.said);
	cr_expect(room->used == 0, "\n%s", room->failures);
	cr_expect(end.status == status, "status %d, not %d; said: %s", end.status, status, end.said);
	if (words == NULL)
		cr_expect(end.said[0] == '\0', "said: %s", end.said);
	else
		cr_expect(strstr(end.said, words) != NULL, "said: \"%s\", not \"%s\"", end.said, words);
}

/* In the child: the test ends as skipped. */
static inline void room_lacks(const char *what) {
	room->is_lacking = true;
	snprintf(room->failures, sizeof(room->failures), "%s", what);
	_exit(0);
}

/* A line of /proc/PID/status, without its name and blanks around. */
static inline const char *room_status_of(pid_t pid, const char *name) {
	static char value[8192];
	char path[64], line[8192];
	const size_t length = strlen(name);
	FILE *f;

	snprintf(path, sizeof(path), pid == 0 ? "/proc/self/status" : "/proc/%d/status", (int)pid);
	snprintf(value, sizeof(value), "no line %s", name);
	f = fopen(path, "re");
	if (f == NULL)
		return "no status";
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, length) == 0 && line[length] == ':') {
			char *start = line + length + 1 + strspn(line + length + 1, " \t");
			size_t end = strlen(start);

			while (end > 0 && (start[end - 1] == '\n' || start[end - 1] == ' '))
				start[--end] = '\0';
			snprintf(value, sizeof(value), "%s", start);
		}
	fclose(f);
	return value;
}

#define ROOM_EXPECT_STATUS(name, want)                                                                                 \
	do {                                                                                                           \
		const char *is_ = room_status_of(0, name);                                                             \
		room_expect(strcmp(is_, want) == 0, name, __LINE__, "\"%s\", not \"%s\"", is_, want);                  \
	} while (0)

static inline void room_load(struct sock_filter *code, unsigned short length) {
	const struct sock_fprog filter = {length, code};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0)
		ROOM_EXPECT(false, "seccomp: %s", strerror(errno));
}

/*
 * From now on this system call answers `error` without being done; 0 is the lie that it went well. The number is the
 * native architecture's: what comes in another way is not the launcher. Only where the call's first argument, and its
 * second, are these; -1: whatever they are.
 */
static inline void room_answer_where(long number, int64_t first, int64_t second, unsigned error) {
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)first, 0, first < 0 ? 0 : 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)second, 0, second < 0 ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	room_load(code, COUNT(code));
}

static inline void room_answer(long number, unsigned error) { room_answer_where(number, -1, -1, error); }

/*
 * As room_answer, but only the nth time, from 1, and without an error with any value: a process beside us answers, and
 * dies with us.
 */
static inline void room_answer_nth(long number, int nth, int error, long value) {
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {COUNT(code), code};
	/* It is there before the filter, which would ask it about its own calls. */
	const pid_t beside = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0L, 0L, 0L, 0L);
	int asked;

	if (beside != 0) {
		asked = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
		ROOM_EXPECT(beside > 0 && asked > 0, "%s", strerror(errno));
		room->asked = asked;
		while (room->asked > 0)
			sched_yield();
		close(asked);
		return;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (room->asked == 0)
		sched_yield();
	asked = room->asked;
	(void)unshare(CLONE_FILES);
	syscall(SYS_close_range, 0U, (unsigned)asked - 1, 0U); /* the pipe to the test among them */
	room->asked = -1;
	for (int seen = 1;; seen++) {
		struct seccomp_notif what = {0};
		struct seccomp_notif_resp answer = {0};

		if (ioctl(asked, SECCOMP_IOCTL_NOTIF_RECV, &what) != 0)
			_exit(0);
		answer.id = what.id;
		answer.error = seen == nth ? -error : 0;
		answer.val = seen == nth ? value : 0;
		answer.flags = seen == nth ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		(void)ioctl(asked, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/* --- what main would have built ------------------------------------------------------------------------------- */

static uint32_t room_scratch[CALLER_MAX_GROUPS];
__attribute__((unused)) static struct report room_report = {
	.scratch = room_scratch, .is_entitled = true, .log = {"none", 4}};
static struct launch_plan room_plan;

static inline const struct launch_plan *room_ordinary_plan(void) {
	static char *nothing[] = {NULL};

	memset(&room_plan, 0, sizeof(room_plan));
	room_plan.uid.value = ROOM_APP;
	room_plan.gid.value = ROOM_APP;
	room_plan.groups[0] = ROOM_APP;
	room_plan.groups[1] = ROOM_WEB;
	room_plan.groups[2] = ROOM_EXTRA;
	room_plan.group_count = 3;
	room_plan.umask = 0027;
	room_plan.directory = "/";
	room_plan.has_root = true;
	room_plan.restores = true;
	room_plan.nice.is_set = true;
	room_plan.argv = nothing;
	return &room_plan;
}

/* A root that lacks one, as a container's may. */
static inline void room_drop_capability(int number) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	ROOM_EXPECT(syscall(SYS_capget, &header, sets) == 0);
	sets[number / 32].effective &= ~(1U << number % 32);
	sets[number / 32].permitted &= ~(1U << number % 32);
	ROOM_EXPECT(syscall(SYS_capset, &header, sets) == 0);
}

/* The setuid bit's state: real ids of a caller, effective and saved root. */
static inline void room_become_setuid(const gid_t *groups, size_t count) {
	ROOM_EXPECT(setgroups(count, groups) == 0);
	ROOM_EXPECT(setresgid(ROOM_CALLER, ROOM_CALLER, ROOM_CALLER) == 0);
	ROOM_EXPECT(setresuid(ROOM_CALLER, 0, 0) == 0);
}

/* The app user, by plain means and not by the stages under test. */
static inline void room_become_app(void) {
	const gid_t groups[] = {ROOM_APP, ROOM_WEB, ROOM_EXTRA};

	ROOM_EXPECT(setgroups(3, groups) == 0);
	ROOM_EXPECT(setresgid(ROOM_APP, ROOM_APP, ROOM_APP) == 0);
	ROOM_EXPECT(setresuid(ROOM_APP, ROOM_APP, ROOM_APP) == 0);
}

#endif
