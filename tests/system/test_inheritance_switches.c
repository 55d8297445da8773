/* SPDX-License-Identifier: ISC */
/* How the kernel treats a process: scheduling, memory, prctl. What a caller switched is switched back; what root did stays. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "gifts.h"
#include "world.h"

TestSuite(inheritance, .timeout = 60);

static void give_nice(const void *data) {
	(void)data;
	gift_need(setpriority(PRIO_PROCESS, 0, 7) == 0, "nice");
}

static void give_batch(const void *data) {
	struct sched_param none = {0};

	(void)data;
	gift_need(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none) == 0, "SCHED_BATCH");
}

static void give_idle(const void *data) {
	struct sched_param none = {0};

	(void)data;
	gift_need(sched_setscheduler(0, SCHED_IDLE, &none) == 0, "SCHED_IDLE");
}

static void give_one_processor(const void *data) {
	cpu_set_t one;

	(void)data;
	CPU_ZERO(&one);
	CPU_SET(1, &one);
	gift_need(sched_setaffinity(0, sizeof(one), &one) == 0, "affinity");
}

static void give_memory_policy(const void *data) {
	unsigned long nodes = 1;

	(void)data;
	gift_need(syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &nodes, sizeof(nodes) * 8) == 0, "set_mempolicy");
}

/* One call of prctl. */
struct process_switch {
	int option;
	unsigned long value;
	const char *what;
};

static void give_switch(const void *data) {
	const struct process_switch *one = data;

	gift_need(prctl(one->option, one->value, 0UL, 0UL, 0UL) == 0, one->what);
}

static const struct process_switch slack = {PR_SET_TIMERSLACK, 50000000UL, "timer slack"};
static const struct process_switch trapping_counter = {PR_SET_TSC, PR_TSC_SIGSEGV, "PR_SET_TSC"};
static const struct process_switch subreaper = {PR_SET_CHILD_SUBREAPER, 1UL, "subreaper"};
static const struct process_switch memory_merging = {67 /* PR_SET_MEMORY_MERGE */, 1UL, "memory merging"};
static void give_real_time(const void *data) {
	const struct sched_param priority = {.sched_priority = 1};

	(void)data;
	gift_need(sched_setscheduler(0, SCHED_RR, &priority) == 0, "real-time class");
}

static const struct process_switch no_huge_pages = {PR_SET_THP_DISABLE, 1UL, "PR_SET_THP_DISABLE"};
static void give_io_priority(const void *data) {
	(void)data;
	gift_need(syscall(SYS_ioprio_set, 1, 0, (2 << 13) | 7) == 0, "ioprio_set");
}

static void give_oom_score(const void *data) {
	(void)data;
	gift_write("/proc/self/oom_score_adj", "700");
}

static void give_core_filter(const void *data) {
	(void)data;
	gift_write("/proc/self/coredump_filter", "0xff");
}

/* A deployer's gift, and what the app sees instead. */
static void expect_undone(void (*gift)(const void *), const void *data, const char *key, const char *usual) {
	world_enter();
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, gift, data, key, usual);
}

Test(inheritance, nice_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, give_nice, NULL, "nice", "0");
	world_app_policy("probe", "nice = 3\n");
	gift_expect_not_to_arrive(&world_deploy, give_nice, NULL, "nice", "3");
	gift_expect_not_to_arrive(&world_root, give_nice, NULL, "nice", "3");
}

Test(inheritance, scheduler_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, give_batch, NULL, "scheduler", "policy=0 priority=0 flags=0");
	gift_expect_not_to_arrive(&world_deploy, give_idle, NULL, "scheduler", "policy=0 priority=0 flags=0");
}

Test(inheritance, io_priority_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *plain = world_probe_directly(&world_deploy, NULL, NULL);
	gift_expect_not_to_arrive(&world_deploy, give_io_priority, NULL, "ioprio", world_value(plain, "ioprio"));
}

Test(inheritance, affinity_of_a_caller_is_undone) {
	cpu_set_t all;

	/* Whoever runs the tests may have been given fewer (taskset); what is undone goes back to all. */
	memset(&all, 0xff, sizeof(all));
	cr_assert(sched_setaffinity(0, sizeof(all), &all) == 0);
	world_enter();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("one processor only: no affinity to narrow");
	world_app_policy("probe", "");
	struct world_run *plain = world_probe_directly(&world_deploy, NULL, NULL);
	gift_expect_not_to_arrive(&world_deploy, give_one_processor, NULL, "affinity", world_value(plain, "affinity"));
}

Test(inheritance, memory_policy_of_a_caller_is_undone) {
	unsigned long nodes = 1;

	world_enter();
	if (syscall(SYS_set_mempolicy, 2, &nodes, sizeof(nodes) * 8) != 0)
		SKIP("set_mempolicy: not in this kernel, or a filter refuses it");
	syscall(SYS_set_mempolicy, 0, NULL, 0);
	world_app_policy("probe", "syscalls = none\n");
	gift_expect_not_to_arrive(&world_deploy, give_memory_policy, NULL, "mempolicy", "mode=0 nodes=0");
}

Test(inheritance, timer_slack_of_a_caller_is_undone) { expect_undone(give_switch, &slack, "timerslack", "50000"); }

Test(inheritance, a_trapping_time_stamp_counter_is_undone) {
	int mode = 0;

	world_enter();
	if (prctl(PR_GET_TSC, &mode) != 0)
		SKIP("PR_GET_TSC: not on this processor");
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, give_switch, &trapping_counter, "tsc", "on");
	gift_expect_not_to_arrive(&world_root, give_switch, &trapping_counter, "tsc", "on");
}

Test(inheritance, subreaper_of_a_caller_is_undone) { expect_undone(give_switch, &subreaper, "subreaper", "0"); }

Test(inheritance, memory_merging_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	if (world_exited(world_probe_directly(&world_deploy, give_switch, &memory_merging), WORLD_CHILD_BROKE))
		SKIP("PR_SET_MEMORY_MERGE: this kernel has no same-page merging");
	gift_expect_not_to_arrive(&world_deploy, give_switch, &memory_merging, "memory_merge", "0");
}

Test(inheritance, real_time_class_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	struct world_call call = {.who = &world_deploy, .argv = WORLD_LIST(WORLD_PROBE), .as_root = give_real_time};
	struct world_run *direct = world_run(&call);
	cr_expect(strncmp(world_value(direct, "scheduler"), "policy=2", 8) == 0, "%s",
		  world_value(direct, "scheduler"));
	call.program = WORLD_RUNAS;
	call.argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE);
	struct world_run *run = world_run(&call);
	world_expect_app(run);
	world_expect_value(run, "scheduler", "policy=0 priority=0 flags=0");
	world_expect_value(run, "timerslack", "50000");
}

Test(inheritance, huge_page_flag_of_a_caller_is_undone) {
	expect_undone(give_switch, &no_huge_pages, "thp_disable", "0");
}

Test(inheritance, oom_score_of_a_caller_is_undone) {
	world_enter();
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, give_oom_score, NULL, "oom_score_adj", "0");
	world_app_policy("probe", "oom_score_adj = 300\n");
	gift_expect_not_to_arrive(&world_deploy, give_oom_score, NULL, "oom_score_adj", "300");
	gift_expect_not_to_arrive(&world_root, give_oom_score, NULL, "oom_score_adj", "300");
}

Test(inheritance, core_filter_of_a_caller_is_undone) {
	expect_undone(give_core_filter, NULL, "coredump_filter", "00000033");
}

static void give_personality(const void *data) {
	(void)data;
	/* The setuid bit makes the kernel clear the first two of these, and not the others. */
	gift_need(personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC | UNAME26 | STICKY_TIMEOUTS | WHOLE_SECONDS) >= 0,
		  "personality");
}

/* Attack D10. */
Test(inheritance, personality_of_a_caller_is_undone) { expect_undone(give_personality, NULL, "personality", "0"); }

static const struct process_switch death_signal = {PR_SET_PDEATHSIG, SIGTERM, "PR_SET_PDEATHSIG"};
Test(inheritance, the_app_does_not_die_with_the_callers_parent) {
	expect_undone(give_switch, &death_signal, "pdeathsig", "0");
}

static const struct process_switch write_or_execute = {65 /* PR_SET_MDWE */, 1UL, "PR_SET_MDWE"};
Test(inheritance, memory_deny_write_execute_cannot_be_undone_and_is_refused) {
	world_enter();
	if (prctl(66 /* PR_GET_MDWE */, 0UL, 0UL, 0UL, 0UL) < 0)
		SKIP("PR_SET_MDWE: this kernel is older than 6.3");
	world_app_policy("probe", "");
	cr_assert(strcmp(world_value(world_probe_directly(&world_deploy, give_switch, &write_or_execute), "mdwe"),
			 "1") == 0);
	world_expect_refused(world_probe(&world_deploy, give_switch, &write_or_execute), 125, "write-execute");
}

/* --- what root set on purpose --- */

static void give_what_root_means(const void *data) {
	struct rlimit files = {333, 444};

	give_nice(data);
	give_oom_score(data);
	gift_need(setrlimit(RLIMIT_NOFILE, &files) == 0, "RLIMIT_NOFILE");
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
