/* SPDX-License-Identifier: ISC */
#include "steps.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the sysctls are the host's --- */

void steps_set(const char *sysctl, const char *value) {
	int fd = open(sysctl, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		_exit(WORLD_CHILD_BROKE);
	close(fd);
}

/* The writing end is never closed by hand: the end of the test is. */
void steps_keep(const char *sysctl) {
	char *before = world_read(sysctl);
	int ends[2];

	cr_assert(before && pipe2(ends, O_CLOEXEC) == 0);
	pid_t first = fork();
	cr_assert(first >= 0);
	if (first == 0) {
		char byte;
		/* Nobody's child, so that the end of the test does not end it. */
		if (fork() != 0)
			_exit(0);
		setsid();
		dup2(ends[0], 0);
		syscall(SYS_close_range, 3U, ~0U, 0U);
		while (read(0, &byte, 1) < 0 && errno == EINTR)
			;
		steps_set(sysctl, before);
		_exit(0);
	}
	close(ends[0]);
	waitpid(first, NULL, 0);
}

/* --- stepping --- */

void steps_become(const struct world_person *who) {
	if (who->uid != 0 && (syscall(SYS_setgroups, who->group_count, who->groups) != 0 ||
			      syscall(SYS_setresgid, who->gid, who->gid, who->gid) != 0 ||
			      syscall(SYS_setresuid, who->uid, who->uid, who->uid) != 0))
		_exit(WORLD_CHILD_BROKE);
}

pid_t steps_start(const struct world_person *who, const char *const *argv, void (*gift)(void)) {
	int gate[2];

	cr_assert(pipe2(gate, O_CLOEXEC) == 0);
	pid_t child = fork();
	cr_assert(child >= 0);
	if (child == 0) {
		char byte;
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		/* Root must attach: under PTRACE_TRACEME the tracer counts as no more than the traced, and exec ignores the bit. */
		dup2(gate[0], 3);
		syscall(SYS_close_range, 4U, ~0U, 0U);
		if (read(3, &byte, 1) != 1)
			_exit(WORLD_CHILD_BROKE);
		close(3);
		steps_become(who);
		if (gift)
			gift();
		execve(WORLD_RUNAS, (char *const *)(uintptr_t)argv,
		       (char *const *)(uintptr_t)WORLD_LIST("PATH=/usr/bin:/bin"));
		_exit(WORLD_NO_PROGRAM);
	}
	int status = 0;
	cr_assert(ptrace(PTRACE_ATTACH, child, NULL, NULL) == 0);
	cr_assert(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	cr_assert(ptrace(PTRACE_SETOPTIONS, child, NULL,
			 (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) == 0);
	cr_assert(write(gate[1], "g", 1) == 1);
	close(gate[0]);
	close(gate[1]);
	return child;
}

enum step steps_next(pid_t child, struct __ptrace_syscall_info *info, int *status) {
	int signal = 0;

	for (;;) {
		cr_assert(ptrace(PTRACE_SYSCALL, child, NULL, (void *)(uintptr_t)signal) == 0, "step: %s",
			  strerror(errno));
		cr_assert(waitpid(child, status, 0) == child);
		if (!WIFSTOPPED(*status))
			return STEP_GONE;
		if (*status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
			return STEP_EXEC;
		if (WSTOPSIG(*status) != (SIGTRAP | 0x80)) {
			signal = WSTOPSIG(*status);
			continue;
		}
		memset(info, 0, sizeof(*info));
		cr_assert(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(*info), info) > 0);
		return info->op == PTRACE_SYSCALL_INFO_ENTRY ? STEP_ENTRY : STEP_EXIT;
	}
}

pid_t steps_to(const struct world_person *who, const char *const *argv, void (*gift)(void), int stop, bool from_start) {
	struct __ptrace_syscall_info info;
	int status = 0, returns = 0, execs = 0;
	bool counting = false;
	uint64_t call = 0;
	pid_t child = steps_start(who, argv, gift);

	for (;;) {
		enum step step = steps_next(child, &info, &status);
		if (step == STEP_GONE)
			cr_assert_fail("the launch did not come to its exec: status %#x", (unsigned)status);
		if (step == STEP_EXEC) {
			counting = counting || from_start;
			if (++execs == 2) {
				kill(child, SIGKILL);
				waitpid(child, NULL, 0);
				return 0;
			}
		}
		if (step == STEP_ENTRY)
			call = info.entry.nr;
		if (step != STEP_EXIT)
			continue;
		if (execs == 1 && call == SYS_setresuid)
			counting = true;
		if (counting && execs == 1 && returns++ == stop)
			return child;
	}
}

void steps_leave_standing(pid_t child) {
	int status = 0;

	cr_assert(ptrace(PTRACE_DETACH, child, NULL, (void *)(uintptr_t)SIGSTOP) == 0);
	cr_assert(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
}
