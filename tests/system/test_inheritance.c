/* SPDX-License-Identifier: ISC */
/* What a hostile caller hands over does not reach the app; what root set on purpose does. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "world.h"

TestSuite(inheritance, .timeout = 60);

enum { CAPABILITY_SYS_RESOURCE = 24 };

static void need(bool good, const char *what) {
	if (good)
		return;
	dprintf(2, "the test's gift %s: %s\n", what, strerror(errno));
	_exit(WORLD_CHILD_BROKE);
}

/* The gift must arrive at a command that is started directly, or the test would prove nothing; through runas-app the
 * app must see `expected`. */
static void expect_not_to_arrive(const struct world_person *who, void (*gift)(const void *), const void *data,
				 const char *key, const char *expected) {
	struct world_run *direct = world_probe_directly(who, gift, data);
	const char *arrived = world_value(direct, key);

	cr_assert(arrived, "the probe shows no %s without runas-app: %s", key, direct->err);
	cr_expect(strcmp(arrived, expected) != 0, "the gift does not even reach a plain command: %s is %s", key,
		  arrived);

	struct world_run *run = world_probe(who, gift, data);
	world_expect_app(run);
	world_expect_value(run, key, expected);
}

/* --- umask, directory --- */

static void give_umask(const void *data) {
	(void)data;
	umask(0);
}

/* Attack D7. */
Test(inheritance, umask_is_the_policys) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_umask, NULL, "umask", "0027");
	expect_not_to_arrive(&world_root, give_umask, NULL, "umask", "0027");
	world_app_policy("probe", "umask = 0002\n");
	expect_not_to_arrive(&world_deploy, give_umask, NULL, "umask", "0002");
	world_app_policy("probe", "umask = 077\n");
	expect_not_to_arrive(&world_root, give_umask, NULL, "umask", "0077");
}

static void give_directory(const void *data) {
	need(chdir(data) == 0, "chdir");
}

static void give_vanished_directory(const void *data) {
	(void)data;
	need(mkdir("/tmp/gone", 0700) == 0 && chdir("/tmp/gone") == 0 && rmdir("/tmp/gone") == 0, "vanished directory");
}

/* Attack D7. */
Test(inheritance, directory_is_the_policys) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_directory, "/home/deploy", "cwd", "/srv/ra_app");
	expect_not_to_arrive(&world_root, give_directory, "/tmp", "cwd", "/srv/ra_app");
	expect_not_to_arrive(&world_deploy, give_vanished_directory, NULL, "cwd", "/srv/ra_app");
	cr_expect(strcmp(world_env(world_probe(&world_deploy, give_directory, "/tmp"), "PWD"), "/srv/ra_app") == 0);
}

Test(inheritance, a_directory_below_the_policys_is_kept) {
	world_enter();
	world_directory("/srv/app", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app/releases", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app/releases/2", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app2", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app/private", WORLD_DEPLOY, WORLD_DEPLOY, 0700);
	world_app_policy("probe", "directory_below = /srv/app\n");

	struct world_run *run = world_probe(&world_deploy, give_directory, "/srv/app/releases/2");
	world_expect_app(run);
	world_expect_value(run, "cwd", "/srv/app/releases/2");
	cr_expect(strcmp(world_env(run, "PWD"), "/srv/app/releases/2") == 0);
	world_expect_value(world_probe(&world_deploy, give_directory, "/srv/app"), "cwd", "/srv/app");
	world_expect_value(world_probe(&world_deploy, give_directory, "/srv/app2"), "cwd", "/srv/ra_app");
	/* Below it, but not the app's to enter: no falling back to another place. */
	run = world_probe(&world_deploy, give_directory, "/srv/app/private");
	world_expect_refused(run, 125, "/srv/app/private");
}

/* --- descriptors --- */

struct descriptors {
	int closed;	 /* bit mask of 0-2 */
	int opened[8];	 /* 0 ends */
	int lower_limit; /* RLIMIT_NOFILE afterwards, 0: as it is */
};

static void give_descriptors(const void *data) {
	const struct descriptors *gift = data;

	for (int i = 0; i < 8 && gift->opened[i]; i++) {
		int fd = open("/etc/passwd", O_RDONLY);
		need(fd >= 0, "open");
		if (fd == gift->opened[i])
			continue;
		need(dup2(fd, gift->opened[i]) >= 0, "dup2");
		close(fd);
	}
	if (gift->lower_limit) {
		struct rlimit limit = {(rlim_t)gift->lower_limit, (rlim_t)gift->lower_limit};
		need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
	}
	for (int fd = 0; fd < 3; fd++) {
		if (gift->closed & (1 << fd))
			close(fd);
	}
}

static int count_descriptors(const char *text) {
	int count = 0;

	for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		count += strncmp(line, "fd_", 3) == 0;
	return count;
}

/* Attack D5. */
Test(inheritance, closed_standard_descriptors_become_dev_null) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	world_app_policy("probe", "");
	for (int who = 0; who < 2; who++) {
		for (int closed = 0; closed < 8; closed++) {
			unlink("/srv/ra_app/out");
			struct descriptors gift = {.closed = closed};
			struct world_run *run = world_run(&(struct world_call){
				.who = callers[who],
				.program = WORLD_RUNAS,
				.argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE, "--to", "/srv/ra_app/out"),
				.as_caller = give_descriptors,
				.data = &gift});
			cr_assert(world_exited(run, 0), "closed %d: wait status %#x: %s", closed, (unsigned)run->status,
				  run->err);
			char *shown = world_read("/srv/ra_app/out");
			cr_assert(shown, "closed %d: no output", closed);
			cr_expect(count_descriptors(shown) == 3, "closed %d:\n%.300s", closed, shown);
			for (int fd = 0; fd < 3; fd++) {
				char key[8];
				snprintf(key, sizeof(key), "fd_%d", fd);
				const char *line = world_value_in(shown, key);
				cr_assert(line, "closed %d: %d is not open", closed, fd);
				bool is_null = strstr(line, "/dev/null") != NULL;
				cr_expect(is_null || (fd > 0 && !(closed & (1 << fd))), "closed %d: %d is %s", closed,
					  fd, line);
			}
			cr_expect(strcmp(world_value_in(shown, "ruid"), "4002") == 0);
		}
	}
}

/* Attack D5. */
Test(inheritance, refusals_with_closed_descriptors_write_into_no_file) {
	world_enter();
	for (int closed = 0; closed < 8; closed++) {
		struct descriptors gift = {.closed = closed};
		struct world_run *run =
			world_run(&(struct world_call){.who = &world_other,
						       .program = WORLD_RUNAS,
						       .argv = WORLD_LIST("runas-app", "missing", "--", WORLD_PROBE),
						       .as_caller = give_descriptors,
						       .data = &gift});
		cr_expect(world_exited(run, 125), "closed %d: wait status %#x", closed, (unsigned)run->status);
		cr_expect(run->out_length == 0);
	}
}

/* Attack D6. */
Test(inheritance, no_other_descriptor_arrives) {
	static const struct descriptors gifts[] = {{.opened = {3}},
						   {.opened = {9}},
						   {.opened = {1023}},
						   {.opened = {3, 4, 9, 31, 32, 1023}},
						   {.opened = {700, 1000}, .lower_limit = 64}};
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	world_app_policy("probe", "limit_nofile = 64:64\n");
	for (int who = 0; who < 2; who++) {
		for (size_t i = 0; i < sizeof(gifts) / sizeof(gifts[0]); i++) {
			struct world_run *direct = world_probe_directly(callers[who], give_descriptors, &gifts[i]);
			cr_expect(count_descriptors(direct->out) > 3, "gift %zu does not reach a plain command", i);
			struct world_run *run = world_probe(callers[who], give_descriptors, &gifts[i]);
			world_expect_app(run);
			cr_expect(count_descriptors(run->out) == 3, "gift %zu arrived:\n%.500s", i, run->out);
		}
	}
}

Test(inheritance, descriptors_that_the_policy_keeps_arrive_if_they_were_open) {
	world_enter();
	world_app_policy("probe", "keep_fds = 5 7 31\n");
	struct descriptors gift = {.opened = {4, 5, 6, 31}};
	struct world_run *run = world_probe(&world_deploy, give_descriptors, &gift);
	world_expect_app(run);
	cr_expect(count_descriptors(run->out) == 5, "%.500s", run->out);
	for (int fd = 5; fd <= 31; fd += 26) {
		char key[8];
		snprintf(key, sizeof(key), "fd_%d", fd);
		const char *line = world_value(run, key);
		cr_assert(line, "%d was not kept", fd);
		cr_expect(strstr(line, "/etc/passwd") != NULL, "%d is %s", fd, line);
	}
	/* 3 and 7 are what our own opens would get. */
	world_app_policy("probe", "keep_fds = 3 4 5 6 7 8\n");
	run = world_probe(&world_deploy, NULL, NULL);
	world_expect_app(run);
	cr_expect(count_descriptors(run->out) == 3, "a descriptor of the launcher's own leaked:\n%.500s", run->out);
}

/* --- signals, timers --- */

struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static void block_all(const void *data) {
	uint64_t all = ~UINT64_C(0);

	(void)data;
	need(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)) == 0, "block");
}

static void ignore_all(const void *data) {
	struct kernel_action action = {.handler = (void *)SIG_IGN};

	(void)data;
	for (int number = 1; number <= 64; number++) {
		if (number != SIGKILL && number != SIGSTOP)
			need(syscall(SYS_rt_sigaction, number, &action, NULL, sizeof(action.mask)) == 0, "ignore");
	}
}

static void leave_all_pending(const void *data) {
	block_all(data);
	for (int number = 1; number <= 64; number++) {
		if (number == SIGKILL || number == SIGSTOP)
			continue;
		need(kill(getpid(), number) == 0, "kill");
		need(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number) == 0, "tgkill");
	}
}

static void leave_all_pending_and_ignored(const void *data) {
	leave_all_pending(data);
	/* Ignoring throws away what is pending; so first ignore, then send. */
	ignore_all(data);
	leave_all_pending(data);
}

/* Attack D2. */
Test(inheritance, no_signal_is_blocked) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, block_all, NULL, "sig_blocked", "0000000000000000");
	expect_not_to_arrive(&world_root, block_all, NULL, "sig_blocked", "0000000000000000");
}

Test(inheritance, no_signal_but_hangup_is_ignored) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, ignore_all, NULL, "sig_ignored", "0000000000000001");
	expect_not_to_arrive(&world_root, ignore_all, NULL, "sig_ignored", "0000000000000001");
}

/* Attack D2. */
Test(inheritance, no_signal_is_pending_and_none_kills_the_launch) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, leave_all_pending, NULL, "sig_pending", "0000000000000000");
	expect_not_to_arrive(&world_root, leave_all_pending, NULL, "sig_pending", "0000000000000000");
	expect_not_to_arrive(&world_deploy, leave_all_pending_and_ignored, NULL, "sig_pending", "0000000000000000");
	struct world_run *run = world_probe(&world_deploy, leave_all_pending, NULL);
	world_expect_value(run, "sig_thread_pending", "0000000000000000");
	world_expect_value(run, "sig_shared_pending", "0000000000000000");
	world_expect_value(run, "sig_blocked", "0000000000000000");
}

static void set_timer(const void *data) {
	struct itimerval timer = {{7, 0}, {30, 0}};

	need(setitimer(*(const int *)data, &timer, NULL) == 0, "setitimer");
}

/* Attack D2. */
Test(inheritance, no_timer_ticks) {
	static const int timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
	static const char *const keys[] = {"itimer_real", "itimer_virtual", "itimer_prof"};

	world_enter();
	world_app_policy("probe", "");
	for (int i = 0; i < 3; i++) {
		expect_not_to_arrive(&world_deploy, set_timer, &timers[i], keys[i], "0.000000 every 0.000000");
		expect_not_to_arrive(&world_root, set_timer, &timers[i], keys[i], "0.000000 every 0.000000");
	}
}

/* --- scheduling and memory --- */

static void give_nice(const void *data) {
	(void)data;
	need(setpriority(PRIO_PROCESS, 0, 7) == 0, "nice");
}

static void give_batch(const void *data) {
	struct sched_param none = {0};

	(void)data;
	need(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none) == 0, "SCHED_BATCH");
}

static void give_idle(const void *data) {
	struct sched_param none = {0};

	(void)data;
	need(sched_setscheduler(0, SCHED_IDLE, &none) == 0, "SCHED_IDLE");
}

static void give_one_processor(const void *data) {
	cpu_set_t one;

	(void)data;
	CPU_ZERO(&one);
	CPU_SET(1, &one);
	need(sched_setaffinity(0, sizeof(one), &one) == 0, "affinity");
}

static void give_memory_policy(const void *data) {
	unsigned long nodes = 1;

	(void)data;
	need(syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &nodes, sizeof(nodes) * 8) == 0, "set_mempolicy");
}

static void give_slack(const void *data) {
	(void)data;
	need(prctl(PR_SET_TIMERSLACK, 50000000UL) == 0, "timer slack");
}

static void give_trapping_counter(const void *data) {
	(void)data;
	need(prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0, "PR_SET_TSC");
}

static void give_subreaper(const void *data) {
	(void)data;
	need(prctl(PR_SET_CHILD_SUBREAPER, 1UL) == 0, "subreaper");
}

static void give_memory_merging(const void *data) {
	(void)data;
	need(prctl(67 /* PR_SET_MEMORY_MERGE */, 1UL, 0UL, 0UL, 0UL) == 0, "memory merging");
}

static void give_real_time(const void *data) {
	const struct sched_param priority = {.sched_priority = 1};

	(void)data;
	need(sched_setscheduler(0, SCHED_RR, &priority) == 0, "real-time class");
}

static void give_no_huge_pages(const void *data) {
	(void)data;
	need(prctl(PR_SET_THP_DISABLE, 1UL, 0UL, 0UL, 0UL) == 0, "PR_SET_THP_DISABLE");
}

static void give_io_priority(const void *data) {
	(void)data;
	need(syscall(SYS_ioprio_set, 1, 0, (2 << 13) | 7) == 0, "ioprio_set");
}

static void write_proc(const char *path, const char *text) {
	int fd = open(path, O_WRONLY);

	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

static void give_oom_score(const void *data) {
	(void)data;
	write_proc("/proc/self/oom_score_adj", "700");
}

static void give_core_filter(const void *data) {
	(void)data;
	write_proc("/proc/self/coredump_filter", "0xff");
}

Test(inheritance, nice_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_nice, NULL, "nice", "0");
	world_app_policy("probe", "nice = 3\n");
	expect_not_to_arrive(&world_deploy, give_nice, NULL, "nice", "3");
	expect_not_to_arrive(&world_root, give_nice, NULL, "nice", "3");
}

Test(inheritance, scheduler_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_batch, NULL, "scheduler", "policy=0 priority=0 flags=0");
	expect_not_to_arrive(&world_deploy, give_idle, NULL, "scheduler", "policy=0 priority=0 flags=0");
}

Test(inheritance, io_priority_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *plain = world_probe_directly(&world_deploy, NULL, NULL);
	expect_not_to_arrive(&world_deploy, give_io_priority, NULL, "ioprio", world_value(plain, "ioprio"));
}

Test(inheritance, affinity_of_a_caller_is_undone) {
	world_enter();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("one processor only: no affinity to narrow");
	world_app_policy("probe", "");
	struct world_run *plain = world_probe_directly(&world_deploy, NULL, NULL);
	expect_not_to_arrive(&world_deploy, give_one_processor, NULL, "affinity", world_value(plain, "affinity"));
}

Test(inheritance, memory_policy_of_a_caller_is_undone) {
	unsigned long nodes = 1;

	world_enter();
	if (syscall(SYS_set_mempolicy, 2, &nodes, sizeof(nodes) * 8) != 0)
		SKIP("set_mempolicy: not in this kernel, or a filter refuses it");
	syscall(SYS_set_mempolicy, 0, NULL, 0);
	world_app_policy("probe", "syscalls = none\n");
	expect_not_to_arrive(&world_deploy, give_memory_policy, NULL, "mempolicy", "mode=0 nodes=0");
}

Test(inheritance, timer_slack_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_slack, NULL, "timerslack", "50000");
}

Test(inheritance, a_trapping_time_stamp_counter_is_undone) {
	int mode = 0;

	world_enter();
	if (prctl(PR_GET_TSC, &mode) != 0)
		SKIP("PR_GET_TSC: not on this processor");
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_trapping_counter, NULL, "tsc", "on");
	expect_not_to_arrive(&world_root, give_trapping_counter, NULL, "tsc", "on");
}

Test(inheritance, subreaper_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_subreaper, NULL, "subreaper", "0");
}

Test(inheritance, memory_merging_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	if (world_exited(world_probe_directly(&world_deploy, give_memory_merging, NULL), WORLD_CHILD_BROKE))
		SKIP("PR_SET_MEMORY_MERGE: this kernel has no same-page merging");
	expect_not_to_arrive(&world_deploy, give_memory_merging, NULL, "memory_merge", "0");
}

Test(inheritance, real_time_class_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	struct world_call call = {.who = &world_deploy, .argv = WORLD_LIST(WORLD_PROBE), .as_root = give_real_time};
	struct world_run *direct = world_run(&call);
	cr_expect(strncmp(world_value(direct, "scheduler"), "policy=2", 8) == 0, "%s", world_value(direct, "scheduler"));
	call.program = WORLD_RUNAS;
	call.argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE);
	struct world_run *run = world_run(&call);
	world_expect_app(run);
	world_expect_value(run, "scheduler", "policy=0 priority=0 flags=0");
	world_expect_value(run, "timerslack", "50000");
}

Test(inheritance, huge_page_flag_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_no_huge_pages, NULL, "thp_disable", "0");
}

Test(inheritance, oom_score_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_oom_score, NULL, "oom_score_adj", "0");
	world_app_policy("probe", "oom_score_adj = 300\n");
	expect_not_to_arrive(&world_deploy, give_oom_score, NULL, "oom_score_adj", "300");
	expect_not_to_arrive(&world_root, give_oom_score, NULL, "oom_score_adj", "300");
}

Test(inheritance, core_filter_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_core_filter, NULL, "coredump_filter", "00000033");
}

static void give_personality(const void *data) {
	(void)data;
	/* The setuid bit makes the kernel clear the first two of these, and not the others. */
	need(personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC | UNAME26 | STICKY_TIMEOUTS | WHOLE_SECONDS) >= 0,
	     "personality");
}

/* Attack D10. */
Test(inheritance, personality_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_personality, NULL, "personality", "0");
}

static void give_death_signal(const void *data) {
	(void)data;
	need(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0, "PR_SET_PDEATHSIG");
}

Test(inheritance, the_app_does_not_die_with_the_callers_parent) {
	world_enter();
	world_app_policy("probe", "");
	expect_not_to_arrive(&world_deploy, give_death_signal, NULL, "pdeathsig", "0");
}

static void give_write_or_execute(const void *data) {
	(void)data;
	need(prctl(65 /* PR_SET_MDWE */, 1UL, 0UL, 0UL, 0UL) == 0, "PR_SET_MDWE");
}

Test(inheritance, memory_deny_write_execute_cannot_be_undone_and_is_refused) {
	world_enter();
	if (prctl(66 /* PR_GET_MDWE */, 0UL, 0UL, 0UL, 0UL) < 0)
		SKIP("PR_SET_MDWE: this kernel is older than 6.3");
	world_app_policy("probe", "");
	cr_assert(strcmp(world_value(world_probe_directly(&world_deploy, give_write_or_execute, NULL), "mdwe"), "1") ==
		  0);
	world_expect_refused(world_probe(&world_deploy, give_write_or_execute, NULL), 125, "write-execute");
}

/* --- keyring --- */

static void give_keyring(const void *data) {
	(void)data;
	need(syscall(SYS_keyctl, 1 /* join */, "hostile", 0, 0, 0) > 0, "session keyring");
}

/* Attack E8. */
Test(inheritance, the_session_keyring_is_a_new_one) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	if (syscall(SYS_keyctl, 0, -3, 0, 0, 0) < 0 && errno != ENOKEY)
		SKIP("keyctl: not in this kernel, or a filter refuses it");
	world_app_policy("probe", "syscalls = none\n");
	for (int i = 0; i < 2; i++) {
		struct world_run *direct = world_probe_directly(callers[i], give_keyring, NULL);
		const char *before = world_value(direct, "session_keyring_is");
		cr_assert(before && strstr(before, "hostile"), "the keyring does not even reach a plain command: %s",
			  before);
		struct world_run *run = world_probe(callers[i], give_keyring, NULL);
		world_expect_app(run);
		const char *after = world_value(run, "session_keyring_is");
		cr_assert(after);
		cr_expect(!strstr(after, "hostile"), "the caller's keyring arrived: %s", after);
		cr_expect(!strstr(after, "_uid_ses") && !strstr(after, "_uid."), "no session keyring of its own: %s",
			  after);
	}
}

/* --- limits --- */

struct limit_case {
	int resource;
	const char *key;
	rlim_t small;
};

static const struct limit_case limit_cases[] = {
	{RLIMIT_CPU, "rlimit_cpu", 100},
	{RLIMIT_FSIZE, "rlimit_fsize", 1 << 20},
	{RLIMIT_DATA, "rlimit_data", 64 << 20},
	{RLIMIT_STACK, "rlimit_stack", 512 << 10},
	{RLIMIT_CORE, "rlimit_core", 12345},
	{RLIMIT_RSS, "rlimit_rss", 64 << 20},
	{RLIMIT_NPROC, "rlimit_nproc", 500},
	{RLIMIT_NOFILE, "rlimit_nofile", 77},
	{RLIMIT_MEMLOCK, "rlimit_memlock", 4096},
	{RLIMIT_AS, "rlimit_as", 256 << 20},
	{RLIMIT_LOCKS, "rlimit_locks", 5},
	{RLIMIT_SIGPENDING, "rlimit_sigpending", 50},
	{RLIMIT_MSGQUEUE, "rlimit_msgqueue", 4096},
	{RLIMIT_RTTIME, "rlimit_rttime", 1000000},
};

static void give_soft_limit(const void *data) {
	const struct limit_case *one = data;
	struct rlimit limit;

	need(getrlimit((__rlimit_resource_t)one->resource, &limit) == 0, "getrlimit");
	limit.rlim_cur = one->small;
	need(setrlimit((__rlimit_resource_t)one->resource, &limit) == 0, one->key);
}

static void give_hard_limit(const void *data) {
	const struct limit_case *one = data;
	struct rlimit limit = {one->small, one->small};

	need(setrlimit((__rlimit_resource_t)one->resource, &limit) == 0, one->key);
}

Test(inheritance, soft_limits_of_a_caller_are_undone) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *plain = world_probe(&world_deploy, NULL, NULL);
	world_expect_app(plain);
	for (size_t i = 0; i < sizeof(limit_cases) / sizeof(limit_cases[0]); i++)
		expect_not_to_arrive(&world_deploy, give_soft_limit, &limit_cases[i], limit_cases[i].key,
				     world_value(plain, limit_cases[i].key));
}

/* Without CAP_SYS_RESOURCE a lowered hard limit stays lowered. Then either what applies, the soft limit, is the usual one
 * all the same, or the launch is refused. */
static void expect_usual_or_refused(const struct limit_case *one, const char *usual) {
	struct world_run *run = world_probe(&world_deploy, give_hard_limit, one);
	const char *now = world_value(run, one->key);

	if (!now) {
		world_expect_refused(run, 125, "SYS_RESOURCE");
		return;
	}
	world_expect_app(run);
	cr_expect(strncmp(now, usual, strcspn(usual, ":") + 1) == 0, "%s is %s instead of %s", one->key, now, usual);
}

Test(inheritance, hard_limits_of_a_caller_are_undone_or_the_missing_capability_is_named) {
	bool may_raise = prctl(PR_CAPBSET_READ, (unsigned long)CAPABILITY_SYS_RESOURCE) == 1;

	world_enter();
	world_app_policy("probe", "");
	struct world_run *plain = world_probe(&world_deploy, NULL, NULL);
	world_expect_app(plain);
	for (size_t i = 0; i < sizeof(limit_cases) / sizeof(limit_cases[0]); i++) {
		const char *usual = world_value(plain, limit_cases[i].key);
		if (may_raise)
			expect_not_to_arrive(&world_deploy, give_hard_limit, &limit_cases[i], limit_cases[i].key,
					     usual);
		else
			expect_usual_or_refused(&limit_cases[i], usual);
	}
}

Test(inheritance, limits_of_the_policy_are_exact) {
	world_enter();
	world_app_policy(
		"probe",
		"limit_cpu = 1000\nlimit_fsize = 1000000:2000000\nlimit_data = 500000000\nlimit_stack = 1048576\n"
		"limit_core = 10:20\nlimit_rss = 5:6\nlimit_nproc = 900\nlimit_nofile = 99:100\nlimit_memlock = 0\n"
		"limit_as = 900000000\nlimit_locks = 9\nlimit_sigpending = 8\nlimit_msgqueue = 7\nlimit_nice = 0\n"
		"limit_rtprio = 0\nlimit_rttime = 5:50\n");
	static const char *const expected[][2] = {{"rlimit_cpu", "1000:1000"},
						  {"rlimit_fsize", "1000000:2000000"},
						  {"rlimit_data", "500000000:500000000"},
						  {"rlimit_stack", "1048576:1048576"},
						  {"rlimit_core", "10:20"},
						  {"rlimit_rss", "5:6"},
						  {"rlimit_nproc", "900:900"},
						  {"rlimit_nofile", "99:100"},
						  {"rlimit_memlock", "0:0"},
						  {"rlimit_as", "900000000:900000000"},
						  {"rlimit_locks", "9:9"},
						  {"rlimit_sigpending", "8:8"},
						  {"rlimit_msgqueue", "7:7"},
						  {"rlimit_nice", "0:0"},
						  {"rlimit_rtprio", "0:0"},
						  {"rlimit_rttime", "5:50"}};
	static const struct world_person *const callers[] = {&world_deploy, &world_root};
	for (int who = 0; who < 2; who++) {
		struct world_run *run = world_probe(callers[who], NULL, NULL);
		world_expect_app(run);
		for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
			world_expect_value(run, expected[i][0], expected[i][1]);
	}
}

/* Attack D4. */
Test(inheritance, no_limit_lets_the_app_run_in_a_wrong_state) {
	static const rlim_t values[] = {0, 1, 4096, 131072};

	/* A launch may fail here, for many reasons; what it may not do is start the app as anything else. */
	world_enter();
	world_app_policy("probe", "");
	for (int who = 0; who < 2; who++) {
		for (int resource = 0; resource < 16; resource++) {
			for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
				struct limit_case one = {resource, "limit", values[i]};
				struct world_run *run =
					world_probe(who ? &world_root : &world_deploy, give_hard_limit, &one);
				cr_expect(!run->timed_out);
				if (world_value(run, "ruid"))
					world_expect_app(run);
				else
					cr_expect(!world_exited(run, 0),
						  "limit %d of %lu: nothing ran, and the status is 0", resource,
						  (unsigned long)values[i]);
			}
		}
	}
}

/* --- what root set on purpose --- */

static void give_what_root_means(const void *data) {
	struct rlimit files = {333, 444};

	give_nice(data);
	give_oom_score(data);
	need(setrlimit(RLIMIT_NOFILE, &files) == 0, "RLIMIT_NOFILE");
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		give_one_processor(data);
}

Test(inheritance, what_root_set_on_purpose_stays) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *run = world_probe(&world_root, give_what_root_means, NULL);
	world_expect_app(run);
	world_expect_value(run, "nice", "7");
	world_expect_value(run, "oom_score_adj", "700");
	world_expect_value(run, "rlimit_nofile", "333:444");
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		world_expect_value(run, "affinity", "1");
}

Test(inheritance, the_core_limit_of_root_arrives_although_the_launcher_lowers_its_own) {
	static const struct limit_case core = {RLIMIT_CORE, "rlimit_core", 54321};

	world_enter();
	world_app_policy("probe", "");
	world_expect_value(world_probe(&world_root, give_hard_limit, &core), "rlimit_core", "54321:54321");
}
