/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

#define GET_MDWE 66		 /* PR_GET_MDWE, Linux 6.3 */
#define SET_MEMORY_MERGE 67	 /* PR_SET_MEMORY_MERGE, Linux 6.4; 68 asks */
#define KERNEL_TIMER_SLACK 50000 /* ns; 0 would mean what the caller's parent had */

static bool has_scheduling(int nice, bool is_ordinary) {
	struct sched_attr now;
	memset(&now, 0x7f, sizeof(now)); /* 0xff would be a nice of -1 */
	errno = 0;
	return syscall(SYS_sched_getattr, 0L, &now, sizeof(now), 0L) == 0 && now.sched_nice == nice &&
	       (!is_ordinary || (now.sched_policy == SCHED_NORMAL && !(now.sched_flags & SCHED_FLAG_RESET_ON_FORK)));
}

static bool restore_scheduling(const struct launch_plan *plan) {
	const int nice = plan->nice.value;
	struct sched_attr then = {.size = sizeof(then), .sched_nice = nice, .sched_flags = SCHED_FLAG_UTIL_CLAMP,
				  .sched_util_min = ~0U, .sched_util_max = ~0U}; /* -1: the system's own clamps */
	uint64_t every[128]; /* 8192 processors; the kernel cuts it to what the cpuset allows */

	if (!plan->restores) /* a class that root chose stays */
		return !plan->nice.is_set || (setpriority(PRIO_PROCESS, 0, nice) == 0 && has_scheduling(nice, false));
	memset(every, 0xff, sizeof(every));
	for (int i = 0; i < 2; i++) /* twice, since what these set cannot be told from what was there before */
		if (syscall(SYS_sched_setaffinity, 0L, sizeof(every), every) != 0 ||
		    (syscall(SYS_ioprio_set, 1L, 0L, 0L) != 0 && errno != ENOSYS))
			return false;
	const bool is_done = syscall(SYS_sched_setattr, 0L, &then, 0L) == 0;
	then.sched_flags = 0; /* EOPNOTSUPP: this kernel has no clamps to undo */
	return (is_done || (errno == EOPNOTSUPP && syscall(SYS_sched_setattr, 0L, &then, 0L) == 0)) &&
	       has_scheduling(nice, true);
}

bool restore_ask_limit(int resource, struct rlimit *ret) {
	*ret = (struct rlimit){1, 0}; /* which no limit can be */
	return getrlimit(resource, ret) == 0 && ret->rlim_cur <= ret->rlim_max;
}

bool restore_limit(int resource, uint64_t soft, uint64_t hard) {
	const struct rlimit then = {soft, hard};
	struct rlimit now = {~soft, ~hard};
	return syscall(SYS_prlimit64, 0L, resource, &then, NULL) == 0 && getrlimit(resource, &now) == 0 &&
	       now.rlim_cur == soft && now.rlim_max == hard;
}

/* Root without CAP_SYS_RESOURCE can only lower: then what it found stays, if it is enough. */
static bool restore_planned(int resource, const struct plan_limit *limit) {
	const uint64_t soft = resource == RLIMIT_CORE ? 0 : limit->soft;
	struct rlimit now;
	return restore_limit(resource, soft, limit->hard) ||
	       (errno == EPERM && restore_ask_limit(resource, &now) &&
		now.rlim_max >= limit->least_hard && now.rlim_max < limit->hard &&
		restore_limit(resource, soft < now.rlim_max ? soft : now.rlim_max, now.rlim_max));
}

/* Has a file of /proc/self say `want`, by writing `text` where it says something else. */
static bool restore_proc(const char *path, const char *text, const char *want) {
	bool is_right = false;

	for (int flags = O_RDONLY; !is_right && flags <= O_RDWR; flags += O_RDWR) {
		const int fd = open(path, flags | O_CLOEXEC);
		char now[24] = {0};
		if (fd <= STDERR_FILENO) /* if not -1, a false answer, and now one of 0 to 2 closes on exec */
			return false;
		is_right = (flags == O_RDONLY || write(fd, text, strlen(text)) == (ssize_t)strlen(text)) &&
			   pread(fd, now, sizeof(now) - 1, 0) > 0 && strcmp(now, want) == 0;
		if (close(fd) != 0)
			return false;
	}
	return is_right;
}

static bool restore_oom_score(int value) {
	char text[16] = {0};
	struct sink s = {.at = text, .size = sizeof(text) - 1};
	sink_words(&s, value < 0 ? "-" : "");
	sink_number(&s, "", (uint64_t)(value < 0 ? -value : value));
	sink_byte(&s, '\n');
	return restore_proc("/proc/self/oom_score_adj", text, text);
}

/* A container may refuse these calls to everybody: then the caller could not use them, nor can the app. */
static bool is_closed_to_all(void) { return errno == ENOSYS || errno == EPERM; }

static bool restore_memory_policy(void) {
	int mode = -1;
	return (syscall(SYS_set_mempolicy, 0L, NULL, 0L) == 0 || is_closed_to_all()) &&
	       (syscall(SYS_get_mempolicy, &mode, NULL, 0L, NULL, 0L) == 0 ? mode == 0 : is_closed_to_all());
}

/* While the real uid is root's: it owns the keyring, and its quota is the one that no caller can fill. */
static bool restore_keyring(void) {
	const long joined = syscall(SYS_keyctl, (long)KEYCTL_JOIN_SESSION_KEYRING, NULL);
	const bool is_closed = joined < 0 && is_closed_to_all();
	const long chosen = syscall(SYS_keyctl, (long)KEYCTL_SET_REQKEY_KEYRING, (long)KEY_REQKEY_DEFL_DEFAULT);
	const bool is_default = chosen < 0 ? is_closed_to_all() : syscall(SYS_keyctl, (long)KEYCTL_SET_REQKEY_KEYRING,
		(long)KEY_REQKEY_DEFL_NO_CHANGE) == KEY_REQKEY_DEFL_DEFAULT;
	const long now = syscall(SYS_keyctl, (long)KEYCTL_GET_KEYRING_ID, (long)KEY_SPEC_SESSION_KEYRING, 0L);
	return is_default && (now < 0 ? is_closed && is_closed_to_all() : joined > 0 && now == joined);
}

static void put_back(bool is_done, const char *what, const struct report *to) {
	must(is_done, to, "restore", what, "the caller changed it, and it cannot be put back here");
}

static void restore_switches(const struct report *to) {
	int subreaper = 1;

	for (int i = 0; i < 2; i++) /* twice: 0 may be a lie */
		put_back(prctl(GET_MDWE, 0, 0, 0, 0) <= 0, "memory-deny-write-execute (PR_SET_MDWE)", to);
	put_back(prctl(PR_SET_TIMERSLACK, KERNEL_TIMER_SLACK, 0, 0, 0) == 0 &&
		 prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == KERNEL_TIMER_SLACK, "timer slack", to);
	put_back(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) == 0 &&
		 prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0) == 0 && subreaper == 0, "child subreaper", to);
	put_back(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) == 0 && prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0,
		 "transparent huge pages", to);
	put_back(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0) == 0 &&
		 prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_DEFAULT, "machine check policy", to);
	put_back((prctl(SET_MEMORY_MERGE, 0, 0, 0, 0) == 0 || errno == EINVAL) &&
		 prctl(SET_MEMORY_MERGE + 1, 0, 0, 0, 0) <= 0, "memory merging", to);
	put_back(prctl(PR_SET_PTRACER, 0, 0, 0, 0) == 0 || errno == EINVAL, "tracer (Yama)", to);
	put_back(syscall(SYS_unshare, (long)CLONE_SYSVSEM) == 0 || is_closed_to_all(), "semaphore undo list", to);
	put_back(syscall(SYS_personality, 0L) >= 0 && syscall(SYS_personality, 0xffffffffL) == 0, "personality", to);
	put_back(restore_memory_policy(), "memory policy", to);
	put_back(restore_proc("/proc/self/coredump_filter", "0x33", "00000033\n") || /* or no core dumps: core(5) */
		 (errno == ENOENT && access("/proc/self/stat", F_OK) == 0), "/proc/self/coredump_filter", to);
}

struct restored restore_defaults(const struct launch_plan *plan, const struct entered *after, const struct report *to) {
	const struct plan_limit *core = &plan->limits[RLIMIT_CORE];
	struct rlimit now;

	must(!plan->has_root || identity_leave_caller(), to, "restore", "real uid", NULL);
	must(restore_scheduling(plan), to, "restore", "nice, scheduler, affinity",
	     "to lower nice root needs CAP_SYS_NICE: --cap-add=SYS_NICE; without root: --ulimit nice, or leave it out");
	must(!plan->oom_score_adj.is_set || restore_oom_score(plan->oom_score_adj.value), to,
	     "restore", "/proc/self/oom_score_adj", "needs /proc, root, and CAP_SYS_RESOURCE to lower it; or set it where the "
	     "container is started, and name that value");
	if (plan->restores) /* after the scheduler: a real-time process has no timer slack */
		restore_switches(to);
	for (int i = 0; i < POLICY_LIMITS; i++)
		must(!plan->limits[i].is_set || restore_planned(i, &plan->limits[i]), to,
		     "restore", policy_key_name((enum policy_key)(KEY_LIMIT + i)),
		     "above the hard limit that is here: name less, or start the container with --ulimit; "
		     "to raise it root needs CAP_SYS_RESOURCE (nofile: never above fs.nr_open)");
	descriptors_give_stdio(plan, to);
	must(!plan->has_root || restore_keyring(), to, "restore", "session keyring", NULL);
	if (!core->is_set)
		return (struct restored){after->core};
	must(restore_ask_limit(RLIMIT_CORE, &now), to, "restore", "limit_core", NULL);
	return (struct restored){{core->soft < now.rlim_max ? core->soft : now.rlim_max, now.rlim_max}};
}
