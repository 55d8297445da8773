/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66 /* Linux 6.3 */
#endif
#define KERNEL_TIMER_SLACK 50000 /* ns; 0 would mean what the caller's parent had */

/* sched_setattr(2); libc has none. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t clamp_least, clamp_most;
};
#define CLAMP_FLAGS 0x60 /* SCHED_FLAG_UTIL_CLAMP; -1 puts a clamp back to the system's */

static bool has_scheduling(int nice, bool is_ordinary) {
	struct scheduling now;

	memset(&now, 0xff, sizeof(now));
	errno = 0;
	return syscall(SYS_sched_getattr, 0L, &now, sizeof(now), 0L) == 0 && now.nice == nice &&
	       (!is_ordinary || (now.policy == 0 && (now.flags & 1) == 0));
}

static bool restore_scheduling(const struct launch_plan *plan) {
	struct scheduling then = {.size = sizeof(then), .flags = CLAMP_FLAGS, .clamp_least = ~0U, .clamp_most = ~0U};
	uint64_t every[128]; /* 8192 processors; the kernel cuts it to what the cpuset allows */

	if (!plan->restores) /* a class that root chose stays */
		return !plan->nice.is_set || (setpriority(PRIO_PROCESS, 0, plan->nice.value) == 0 && has_scheduling(plan->nice.value, false));
	memset(every, 0xff, sizeof(every));
	for (int i = 0; i < 2; i++) /* twice, since what these set cannot be told from what was there before */
		if (syscall(SYS_sched_setaffinity, 0L, sizeof(every), every) != 0 ||
		    (syscall(SYS_ioprio_set, 1L, 0L, 0L) != 0 && errno != ENOSYS))
			return false;
	then.nice = plan->nice.value;
	if (syscall(SYS_sched_setattr, 0L, &then, 0L) != 0) {
		then.flags = 0; /* EOPNOTSUPP: this kernel has no clamps to undo */
		if (errno != EOPNOTSUPP || syscall(SYS_sched_setattr, 0L, &then, 0L) != 0)
			return false;
	}
	return has_scheduling(plan->nice.value, true);
}

bool restore_limit(int resource, uint64_t soft, uint64_t hard) {
	const struct rlimit then = {soft, hard};
	struct rlimit now = {~soft, ~hard};

	if (syscall(SYS_prlimit64, 0L, resource, &then, NULL) != 0)
		return false;
	errno = 0;
	return getrlimit(resource, &now) == 0 && now.rlim_cur == soft && now.rlim_max == hard;
}

/* Root without CAP_SYS_RESOURCE can only lower: then what it found stays, if it is enough. */
static bool restore_planned(int resource, const struct plan_limit *limit) {
	const uint64_t soft = resource == RLIMIT_CORE ? 0 : limit->soft;
	struct rlimit now = {1, 0};

	if (restore_limit(resource, soft, limit->hard))
		return true;
	if (errno != EPERM || getrlimit(resource, &now) != 0 || now.rlim_max < limit->least_hard || now.rlim_cur > now.rlim_max)
		return false;
	return restore_limit(resource, soft < now.rlim_max ? soft : now.rlim_max, now.rlim_max);
}

/* Has a file of /proc/self say `want`, by writing `text` where it says something else. */
static bool restore_proc(const char *path, const char *text, const char *want) {
	bool is_right = false;

	for (int flags = O_RDONLY; !is_right && flags <= O_RDWR; flags += O_RDWR) {
		char now[24] = {0};
		const int fd = open(path, flags | O_CLOEXEC);

		if (fd <= STDERR_FILENO) /* a filter's false answer, where it is not -1 */
			return false;
		if (flags == O_RDONLY || write(fd, text, strlen(text)) == (ssize_t)strlen(text))
			is_right = pread(fd, now, sizeof(now) - 1, 0) > 0 && strcmp(now, want) == 0;
		if (close(fd) != 0)
			return false;
	}
	return is_right;
}

static bool restore_oom_score(int value) {
	char text[16] = {0}, want[16] = {0};
	struct sink s = {.at = want, .size = sizeof(want) - 1};

	sink_words(&s, value < 0 ? "-" : "");
	sink_number(&s, (uint64_t)(value < 0 ? -value : value));
	memcpy(text, want, sizeof(text));
	sink_byte(&s, '\n');
	return restore_proc("/proc/self/oom_score_adj", text, want);
}

/* A container may refuse these calls to everybody: then the caller could not use them, nor can the app. */
static bool is_closed_to_all(void) {
	return errno == ENOSYS || errno == EPERM;
}

static bool restore_memory_policy(void) {
	int mode = -1;

	if (syscall(SYS_set_mempolicy, 0L, NULL, 0L) != 0 && !is_closed_to_all())
		return false;
	return syscall(SYS_get_mempolicy, &mode, NULL, 0L, NULL, 0L) == 0 ? mode == 0 : is_closed_to_all();
}

/* While the real uid is root's: it owns the keyring, and its quota is the one that no caller can fill. */
static bool restore_keyring(void) {
	const long joined = syscall(SYS_keyctl, (long)KEYCTL_JOIN_SESSION_KEYRING, NULL);
	const bool is_closed = joined < 0 && is_closed_to_all();
	const long now = syscall(SYS_keyctl, (long)KEYCTL_GET_KEYRING_ID, (long)KEY_SPEC_SESSION_KEYRING, 0L);

	return now < 0 ? is_closed && is_closed_to_all() : joined > 0 && now == joined;
}

/* NULL, or what could not be put back. */
static const char *restore_switches(void) {
	int subreaper = 1;

	if (prctl(PR_GET_MDWE, 0, 0, 0, 0) > 0 || prctl(PR_GET_MDWE, 0, 0, 0, 0) > 0) /* twice: 0 may be a lie */
		return "memory-deny-write-execute (PR_SET_MDWE)";
	if (prctl(PR_SET_TIMERSLACK, KERNEL_TIMER_SLACK, 0, 0, 0) != 0 || prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) != KERNEL_TIMER_SLACK)
		return "timer slack";
	if (prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) != 0 || prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0) != 0 || subreaper != 0)
		return "child subreaper";
	if (prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) != 0)
		return "transparent huge pages";
	if (prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0) != 0 || prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) != PR_MCE_KILL_DEFAULT)
		return "machine check policy";
	if (syscall(SYS_personality, 0L) < 0 || syscall(SYS_personality, 0xffffffffL) != 0)
		return "personality";
	if (!restore_memory_policy())
		return "memory policy";
	errno = 0; /* a kernel without core dumps has no such file: core(5) */
	if (!restore_proc("/proc/self/coredump_filter", "0x33", "00000033\n") && (errno != ENOENT || access("/proc/self/stat", F_OK) != 0))
		return "/proc/self/coredump_filter";
	return NULL;
}

struct restored restore_defaults(const struct launch_plan *plan, const struct entered *after, const struct report *to) {
	const struct plan_limit *core = &plan->limits[RLIMIT_CORE];
	struct rlimit now = {1, 0};
	const char *failed;

	if (plan->has_root && !identity_leave_caller())
		report_stage(to, "restore", "real uid", NULL, errno);
	if (plan->restores && (failed = restore_switches()) != NULL)
		report_stage(to, "restore", failed, "the caller changed it, and it cannot be put back here", errno);
	if (!restore_scheduling(plan))
		report_stage(to, "restore", "nice, scheduler, affinity", "to lower nice root needs CAP_SYS_NICE: --cap-add=SYS_NICE", errno);
	if (plan->oom_score_adj.is_set && !restore_oom_score(plan->oom_score_adj.value))
		report_stage(to, "restore", "/proc/self/oom_score_adj", "needs /proc, and CAP_SYS_RESOURCE to lower it", errno);
	for (int i = 0; i < POLICY_LIMITS; i++)
		if (plan->limits[i].is_set && !restore_planned(i, &plan->limits[i]))
			report_stage(to, "restore", policy_key_name((enum policy_key)(KEY_LIMIT + i)),
				     "to raise a hard limit root needs CAP_SYS_RESOURCE; or set it in the policy, within the hard limit", errno);
	if (plan->has_root && !restore_keyring())
		report_stage(to, "restore", "session keyring", NULL, errno);
	if (!core->is_set)
		return (struct restored){after->core_soft, after->core_hard};
	if (getrlimit(RLIMIT_CORE, &now) != 0 || now.rlim_cur > now.rlim_max)
		report_stage(to, "restore", "limit_core", NULL, errno);
	return (struct restored){core->soft < now.rlim_max ? core->soft : now.rlim_max, now.rlim_max};
}
