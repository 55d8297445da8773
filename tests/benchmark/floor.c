/* SPDX-License-Identifier: ISC */
/*
 * floor: what a launch cannot cost less than. The system calls that change something, as the launcher makes them, with
 * constants instead of a policy: nothing is read, parsed, decided, checked, read back or logged. Only for measuring.
 *
 * Runs as:  root, or setuid root: then it also puts back what the launcher puts back for other callers.
 * Never:    is installed, or safe.
 */
#include "policy/program.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define CLOEXEC_RANGE 4U
#define LIMITS 16

static void put_back(void) {
	struct sched_attr attributes = {.size = sizeof(attributes),
					.sched_flags = SCHED_FLAG_UTIL_CLAMP,
					.sched_util_min = ~0U,
					.sched_util_max = ~0U};
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	uint64_t every[128];

	memset(every, 0xff, sizeof(every));
	syscall(SYS_sched_setaffinity, 0L, sizeof(every), every);
	syscall(SYS_ioprio_set, 1L, 0L, 0L);
	if (syscall(SYS_sched_setattr, 0L, &attributes, 0L) != 0) {
		attributes.sched_flags = 0;
		syscall(SYS_sched_setattr, 0L, &attributes, 0L);
	}
	prctl(PR_SET_TIMERSLACK, 50000, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0);
	prctl(67, 0, 0, 0, 0);
	prctl(PR_SET_PTRACER, 0, 0, 0, 0);
	syscall(SYS_unshare, 0x40000L);
	syscall(SYS_personality, 0L);
	syscall(SYS_set_mempolicy, 0L, NULL, 0L);
	for (int i = 0; i < LIMITS; i++)
		syscall(SYS_prlimit64, 0L, i, &unlimited, NULL);
}

static void load(const struct program *program) {
	struct sock_fprog filter = {(unsigned short)program->count, (struct sock_filter *)(uintptr_t)program->code};
	syscall(SYS_seccomp, (long)SECCOMP_SET_MODE_FILTER, 0L, &filter);
}

int main(int argc, char **argv) {
	static char home[] = "HOME=/srv/app", user[] = "USER=bench_app", path[] = "PATH=/usr/bin:/bin";
	static char *const environment[] = {home, user, path, NULL};
	static const struct itimerval off;
	static const uint32_t groups[] = {FLOOR_APP, FLOOR_WEB};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {0};
	const uint64_t all = ~UINT64_C(0), empty = 0;
	const struct rlimit no_core = {0, RLIM_INFINITY};

	if (argc < 2)
		return 2;
	syscall(SYS_close_range, 3U, ~0U, CLOEXEC_RANGE);
	syscall(SYS_rt_sigprocmask, 2L, &all, NULL, sizeof(all));
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		setitimer(which, &off, NULL);
	prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
	umask(077);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	syscall(SYS_prlimit64, 0L, RLIMIT_CORE, &no_core, NULL);
	if (getuid() != 0)
		put_back();
	syscall(SYS_setresuid, 0L, 0L, 0L);
	syscall(SYS_keyctl, (long)KEYCTL_JOIN_SESSION_KEYRING, NULL);
	syscall(SYS_keyctl, (long)KEYCTL_SET_REQKEY_KEYRING, (long)KEY_REQKEY_DEFL_DEFAULT);
	syscall(SYS_setgroups, 2L, groups);
	syscall(SYS_setresgid, (long)FLOOR_APP, (long)FLOOR_APP, (long)FLOOR_APP);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	for (int i = 0; i <= 40; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	prctl(PR_SET_SECUREBITS, 0xEB, 0, 0, 0);
	syscall(SYS_setresuid, (long)FLOOR_APP, (long)FLOOR_APP, (long)FLOOR_APP);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	syscall(SYS_capset, &header, none);
	if (chdir("/") != 0)
		return 2;
	umask(027);
	syscall(SYS_prlimit64, 0L, RLIMIT_CORE, &no_core, NULL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_rt_sigprocmask, 2L, &empty, NULL, sizeof(empty));
	load(&program_find((struct text){"app-server", 10})->enforce);
	execve(argv[1], argv + 1, environment);
	return 127;
}
