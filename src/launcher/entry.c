/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2) /* linux/close_range.h */
#endif
#define UNBLOCKABLE (UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1))

/* As the kernel has it: libc's own hides the signals 32 to 34, which it uses itself. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

/* Which of 3..31 the caller gave us has to be known before we open anything; the canary proves that close_range did it. */
static bool secure_descriptors(struct entered *ret) {
	int canary;

	for (int fd = POLICY_FD_FIRST; fd <= POLICY_FD_LAST; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			ret->open_fds |= UINT32_C(1) << fd;
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && (errno != EBADF || open("/dev/null", O_RDWR | O_NOCTTY) != fd))
			return false;
	canary = fcntl(0, F_DUPFD, POLICY_FD_FIRST);
	return canary >= 0 && syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
	       fcntl(canary, F_GETFD) == FD_CLOEXEC && close(canary) == 0;
}

static bool mask_signals(uint64_t mask) {
	uint64_t now = ~mask;

	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask)) == 0 &&
	       syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, sizeof(now)) == 0 &&
	       (now | UNBLOCKABLE) == (mask | UNBLOCKABLE);
}

/* Asks, and with a handler sets it first. SIG_ERR: no answer. */
static void (*disposition(int signal, void (*handler)(int)))(int) {
	const struct kernel_sigaction then = {.handler = handler};
	struct kernel_sigaction now = {.handler = SIG_ERR};

	if ((handler != SIG_ERR && syscall(SYS_rt_sigaction, signal, &then, NULL, sizeof(uint64_t)) != 0) ||
	    syscall(SYS_rt_sigaction, signal, NULL, &now, sizeof(uint64_t)) != 0)
		return SIG_ERR;
	return now.handler;
}

/* What is pending came for the caller, not for us: ignoring a signal once throws it away (sigaction(2)). */
static bool secure_signals(void) {
	uint64_t pending = ~UINT64_C(0);

	if (!mask_signals(~UINT64_C(0)) || syscall(SYS_rt_sigpending, &pending, sizeof(pending)) != 0)
		return false;
	for (int signal = 1; signal <= 64; signal++) {
		void (*const now)(int) = disposition(signal, SIG_ERR);

		if ((now == SIG_DFL && (pending >> (signal - 1) & 1) == 0) || (now == SIG_IGN && signal == SIGHUP))
			continue;
		if (disposition(signal, SIG_IGN) != SIG_IGN || disposition(signal, SIG_DFL) != SIG_DFL)
			return false;
	}
	return true;
}

static bool secure_timers(void) {
	const struct itimerval off = {0};

	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
		struct itimerval now = {{1, 0}, {1, 0}};

		if (setitimer(which, &off, NULL) != 0 || getitimer(which, &now) != 0 || now.it_value.tv_sec != 0 ||
		    now.it_value.tv_usec != 0 || now.it_interval.tv_sec != 0 || now.it_interval.tv_usec != 0)
			return false;
	}
	return true;
}

/* The caller may have had the time stamp counter fault. Other processors have no such switch: EINVAL. */
static bool secure_counter(void) {
	const bool is_set = prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0) == 0;
	int now = 0;

	return prctl(PR_GET_TSC, &now, 0, 0, 0) == 0 ? now == PR_TSC_ENABLE : !is_set && errno == EINVAL;
}

static bool secure_core(struct entered *ret) {
	struct rlimit now = {1, 0}; /* which no limit can be */

	if (!entry_hide() || getrlimit(RLIMIT_CORE, &now) != 0 || now.rlim_cur > now.rlim_max)
		return false;
	ret->core_soft = now.rlim_cur;
	ret->core_hard = now.rlim_max;
	return restore_limit(RLIMIT_CORE, 0, now.rlim_max);
}

bool entry_hide(void) {
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

bool entry_unblock_signals(void) {
	return mask_signals(0);
}

struct entered entry_secure(int argc, char *const *argv, char **envp, const struct report *to) {
	static char *nothing[] = {NULL};
	struct entered ret = {.environment = envp};

	environ = nothing;
	if (argc < 1 || argv[0] == NULL) /* CVE-2021-4034 */
		_exit(PROBLEM_SELF);
	if (!secure_descriptors(&ret))
		report_stage(to, "entry", "descriptors", "needs Linux 5.11 (close_range) and an open file limit of 16", errno);
	if (!secure_signals() || !secure_timers() || !secure_counter())
		report_stage(to, "entry", "signals, timers", NULL, errno);
	umask(077);
	if (umask(077) != 077 || !secure_core(&ret))
		report_stage(to, "entry", "umask, core dumps", NULL, errno);
	return ret;
}
