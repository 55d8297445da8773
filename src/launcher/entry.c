/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <signal.h>
#include <sys/time.h>

#define UNBLOCKABLE (UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1))

/* The kernel's, in words of 64 bits: handler, flags, restorer, mask. libc's own hides 32 to 34, which it uses itself. */
typedef sighandler_t kernel_sigaction[4];

static bool mask_signals(uint64_t mask) {
	uint64_t now = ~mask;
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask)) == 0 &&
	       syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, sizeof(now)) == 0 &&
	       (now | UNBLOCKABLE) == (mask | UNBLOCKABLE);
}

/* What the kernel has, after `then` was set unless it is SIG_ERR. SIG_ERR: no answer. */
static sighandler_t disposition(int signal, sighandler_t then) {
	kernel_sigaction now = {SIG_ERR};
	if (then != SIG_ERR && syscall(SYS_rt_sigaction, signal, (kernel_sigaction){then}, NULL, sizeof(uint64_t)) != 0)
		return SIG_ERR;
	return syscall(SYS_rt_sigaction, signal, NULL, now, sizeof(uint64_t)) == 0 ? now[0] : SIG_ERR;
}

/* What is pending came for the caller, not for us: ignoring a signal once throws it away (sigaction(2)). */
static bool secure_signals(void) {
	uint64_t pending = ~UINT64_C(0);
	bool is_done = mask_signals(~UINT64_C(0)) && syscall(SYS_rt_sigpending, &pending, sizeof(pending)) == 0;

	for (int signal = 1; is_done && signal <= 64; signal++) {
		const sighandler_t now = disposition(signal, SIG_ERR);
		if ((now != SIG_DFL || (pending >> (signal - 1) & 1) != 0) && (now != SIG_IGN || signal != SIGHUP))
			is_done = disposition(signal, SIG_IGN) == SIG_IGN && disposition(signal, SIG_DFL) == SIG_DFL;
	}
	return is_done;
}

static bool secure_timers(void) {
	const struct itimerval off = {0};
	bool is_off = true;
	for (int which = ITIMER_REAL; is_off && which <= ITIMER_PROF; which++) {
		struct itimerval now = {{1, 0}, {1, 0}};
		is_off = setitimer(which, &off, NULL) == 0 && getitimer(which, &now) == 0;
		is_off = is_off && memcmp(&now, &off, sizeof(now)) == 0;
	}
	return is_off;
}

/* The caller may have had the time stamp counter fault. Other processors have no such switch: EINVAL. */
static bool secure_counter(void) {
	const bool is_set = prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0) == 0;
	int now = 0;
	return prctl(PR_GET_TSC, &now, 0, 0, 0) == 0 ? now == PR_TSC_ENABLE : !is_set && errno == EINVAL;
}

bool entry_hide(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0; }
void entry_ignore_pipe(void) { (void)disposition(SIGPIPE, SIG_IGN); }
bool entry_unblock_signals(void) { return mask_signals(0); }

struct entered entry_secure(int argc, char *const *argv, char **envp, const struct report *to) {
	struct entered ret = {.environment = envp};

	environ = NULL; /* as clearenv(3) leaves it */
	if (argc < 1 || argv[0] == NULL) /* CVE-2021-4034 */
		_exit(PROBLEM_SELF);
	for (int fd = 0; fd <= 2; fd++)
		must(fcntl(fd, F_GETFD) >= 0 || (errno == EBADF && open("/dev/null", O_RDWR | O_NOCTTY) == fd), to,
		     "entry", "descriptors", NULL);
	must(secure_signals() && secure_timers() && secure_counter(), to, "entry", "signals, timers", NULL);
	umask(077);
	must(umask(077) == 077 && entry_hide() && restore_ask_limit(RLIMIT_CORE, &ret.core) &&
	     restore_limit(RLIMIT_CORE, 0, ret.core.rlim_max), to, "entry", "umask, core dumps", NULL);
	return ret;
}
