/* SPDX-License-Identifier: ISC */
/* As test_faults: what restore bears, and what it does not. */
#include "tests/launcher/faults.h"

#include <linux/keyctl.h>
#include <sys/resource.h>

TestSuite(faults_restore, .timeout = 60);

static long number;
static unsigned first, error;
static int nth;

static struct restored restore(void) {
	static const struct entered after_entry = {.core = {0, 0}};

	return restore_defaults(&room_plan, &after_entry, &room_report);
}

static void restore_lacking(void) {
	room_ordinary_plan();
	room_answer(number, error);
	restore();
}

Test(faults_restore, what_a_container_closes_to_all_is_accepted_and_any_other_error_is_not) {
	static const struct {
		long number;
		unsigned error;
		const char *words; /* NULL: accepted */
	} cases[] = {
		{SYS_ioprio_set, ENOSYS, NULL},
		{SYS_ioprio_set, EPERM, "affinity"},
		{SYS_set_mempolicy, ENOSYS, NULL},
		{SYS_set_mempolicy, EPERM, NULL},
		{SYS_set_mempolicy, ENOMEM, "memory policy"},
		{SYS_get_mempolicy, ENOSYS, NULL},
		{SYS_get_mempolicy, ENOMEM, "memory policy"},
		{SYS_unshare, EPERM, NULL},
		{SYS_unshare, ENOMEM, "semaphore"},
		{SYS_keyctl, ENOSYS, NULL},
		{SYS_keyctl, EDQUOT, "keyring"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		number = cases[i].number;
		error = cases[i].error;
		if (cases[i].words == NULL)
			room_passes(restore_lacking);
		else
			room_refuses(restore_lacking, 125, cases[i].words);
	}
}

static void restore_when(void) {
	room_ordinary_plan();
	room_answer_where(number, first, -1, error);
	restore();
}

Test(faults_restore, without_yama_there_is_no_tracer_to_forget) {
	number = SYS_prctl;
	first = PR_SET_PTRACER;
	error = EINVAL;
	room_passes(restore_when);
	error = EPERM;
	room_refuses(restore_when, 125, "tracer");
}

Test(faults_restore, what_an_older_kernel_does_not_have_cannot_be_left_on) {
	number = SYS_prctl;
	first = 67; /* PR_SET_MEMORY_MERGE, Linux 6.4 */
	error = EINVAL;
	room_passes(restore_when);
	error = EPERM;
	room_refuses(restore_when, 125, "memory merging");
}

static void keyrings_half_closed(void) {
	room_ordinary_plan();
	if (first != 0)
		room_answer_where(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, -1, first);
	room_answer_where(SYS_keyctl, KEYCTL_SET_REQKEY_KEYRING, -1, EPERM);
	room_answer_where(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -1, error);
	restore();
}

Test(faults_restore, keyrings_are_closed_to_all_or_not_at_all) {
	error = first = EPERM;
	room_passes(keyrings_half_closed);
	error = EDQUOT;
	room_refuses(keyrings_half_closed, 125, "keyring");
	error = EPERM;
	first = EDQUOT;
	room_refuses(keyrings_half_closed, 125, "keyring");
	first = 0; /* joined, and not to be seen */
	room_refuses(keyrings_half_closed, 125, "keyring");
}

static int class;

static void scheduling_kept(void) {
	const struct sched_param none = {0};

	room_ordinary_plan();
	ROOM_EXPECT(sched_setscheduler(0, class, &none) == 0);
	room_answer(SYS_sched_setattr, 0);
	restore();
}

Test(faults_restore, a_scheduling_class_that_did_not_change) {
	class = SCHED_BATCH;
	room_refuses(scheduling_kept, 125, "scheduler");
	class = SCHED_OTHER | SCHED_RESET_ON_FORK;
	room_refuses(scheduling_kept, 125, "scheduler");
	class = SCHED_OTHER; /* and one that is right already */
	room_passes(scheduling_kept);
}

static void nice_unknown(void) {
	room_ordinary_plan();
	room_plan.restores = false;
	room_plan.nice = (struct plan_number){.is_set = true, .value = nth};
	if (number == SYS_sched_getattr)
		restore(); /* so that the right answer is where the next one goes */
	room_answer(number, error);
	restore();
}

Test(faults_restore, a_nice_that_was_not_set_or_cannot_be_read_back) {
	number = SYS_sched_getattr;
	nth = -1;
	error = EPERM;
	room_refuses(nice_unknown, 125, "nice");
	nth = 3;
	room_refuses(nice_unknown, 125, "nice");
	error = 0;
	room_refuses(nice_unknown, 125, "nice");
	number = SYS_setpriority;
	room_refuses(nice_unknown, 125, "nice");
	nth = 0; /* as it is already */
	error = EPERM;
	room_refuses(nice_unknown, 125, "nice");
}

static void class_kept(void) {
	const struct sched_param none = {0};

	room_ordinary_plan();
	room_plan.restores = false;
	room_plan.nice = (struct plan_number){.is_set = true, .value = 3};
	ROOM_EXPECT(sched_setscheduler(0, SCHED_BATCH, &none) == 0);
	restore();
	ROOM_EXPECT(sched_getscheduler(0) == SCHED_BATCH && getpriority(PRIO_PROCESS, 0) == 3);
}

Test(faults_restore, a_class_that_root_chose_stays_beside_the_policys_nice) { room_passes(class_kept); }

static void hard_limit_kept(void) {
	struct rlimit now;

	ROOM_EXPECT(getrlimit(RLIMIT_NOFILE, &now) == 0);
	room_answer_nth(SYS_prlimit64, 1, 0, 0);
	ROOM_EXPECT(!restore_limit(RLIMIT_NOFILE, now.rlim_cur, now.rlim_max - 1),
		    "the soft limit is right, the hard one is not");
	ROOM_EXPECT(restore_limit(RLIMIT_NOFILE, now.rlim_cur, now.rlim_max));
}

static void soft_limit_kept(void) {
	struct rlimit now;

	ROOM_EXPECT(getrlimit(RLIMIT_NOFILE, &now) == 0);
	room_answer_nth(SYS_prlimit64, 1, 0, 0);
	ROOM_EXPECT(!restore_limit(RLIMIT_NOFILE, now.rlim_cur - 1, now.rlim_max));
}

Test(faults_restore, half_a_limit_that_did_not_change) {
	room_passes(hard_limit_kept);
	room_passes(soft_limit_kept);
}

static struct plan_limit wanted;

static void limit_not_set(void) {
	const struct rlimit low = {100, 100};
	struct rlimit now;

	room_ordinary_plan();
	room_plan.limits[RLIMIT_NOFILE] = wanted;
	ROOM_EXPECT(setrlimit(RLIMIT_NOFILE, &low) == 0);
	room_answer_nth(SYS_prlimit64, 1, (int)error, 0);
	restore();
	ROOM_EXPECT(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == (wanted.soft < 100 ? wanted.soft : 100));
}

/* Where prlimit64 is to set something, not where it only asks. */
static void limits_never_set(void) {
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	room_ordinary_plan();
	room_plan.limits[RLIMIT_NOFILE] = (struct plan_limit){true, 1, UINT64_MAX, 1};
	room_load(code, COUNT(code));
	restore();
}

Test(faults_restore, only_a_root_that_may_not_raise_a_limit_takes_a_lower_one) {
	error = EPERM;
	wanted = (struct plan_limit){true, 1024, 524288, 50};
	room_passes(limit_not_set);
	wanted.soft = 60;
	room_passes(limit_not_set);
	error = EINVAL;
	room_refuses(limit_not_set, 125, "limit_nofile");
	error = EPERM;
	wanted.hard = 100; /* nothing to raise */
	room_refuses(limit_not_set, 125, "limit_nofile");
	wanted.hard = 90;
	room_refuses(limit_not_set, 125, "limit_nofile");
	room_refuses(limits_never_set, 125, "limit_nofile");
}

static void core_half_raised(void) {
	const struct rlimit low = {0, 30};

	room_ordinary_plan();
	room_plan.limits[RLIMIT_CORE] = (struct plan_limit){true, 60, 100, 10};
	ROOM_EXPECT(setrlimit(RLIMIT_CORE, &low) == 0);
	room_answer_nth(SYS_prlimit64, 1, EPERM, 0);
	const struct restored limits = restore();
	ROOM_EXPECT(limits.core.rlim_cur == 30 && limits.core.rlim_max == 30, "%lu:%lu", (unsigned long)limits.core.rlim_cur,
		    (unsigned long)limits.core.rlim_max);
}

Test(faults_restore, no_core_is_larger_than_its_hard_limit) { room_passes(core_half_raised); }

/* prctl says 1: for some it is an answer, and for none what it should be after this. */
static void a_switch_is_on(void) {
	room_ordinary_plan();
	room_answer_nth(SYS_prctl, nth, 0, 1);
	restore();
}

Test(faults_restore, memory_merging_that_stays_on) {
	int of_merging = 0;

	for (nth = 1; nth <= 16; nth++)
		of_merging += strstr(room_run(a_switch_is_on).said, "memory merging") != NULL;
	cr_expect(of_merging == 2, "%d: when it is switched off, and when it is asked for", of_merging);
}

/* --- /proc/self ---------------------------------------------------------------------------------------------------- */

static void right_already(void) {
	room_ordinary_plan();
	room_plan.oom_score_adj = (struct plan_number){.is_set = true, .value = nth};
	restore();
	ROOM_EXPECT(fcntl(3, F_GETFD) < 0, "a descriptor is left open");
	room_answer(SYS_write, EACCES);
	restore();
}

Test(faults_restore, what_is_right_already_is_not_written) {
	nth = 0;
	room_passes(right_already);
	nth = 900;
	room_passes(right_already);
}

static void below_zero(void) {
	room_ordinary_plan();
	enter_proc_with("oom_score_adj", "-900\n");
	room_answer(SYS_write, EACCES); /* or it would say whatever is written */
	room_plan.restores = room_plan.nice.is_set = false;
	room_plan.oom_score_adj = (struct plan_number){.is_set = true, .value = -900};
	restore();
}

/* To have the kernel take such a one needs CAP_SYS_RESOURCE. */
Test(faults_restore, a_score_below_zero_is_written_so, .init = make_base, .fini = remove_base) {
	room_passes(below_zero);
}

static void standard_error_for_a_file(void) {
	room_ordinary_plan();
	room_answer_nth(SYS_openat, 1, 0, 2);
	restore();
}

Test(faults_restore, standard_error_is_no_file_of_proc) {
	room_refuses(standard_error_for_a_file, 125, "/proc/self/coredump_filter: did not take effect [restore]");
}

static bool has_stat;

static void without_coredump_filter(void) {
	room_ordinary_plan();
	enter_proc_with(has_stat ? "stat" : NULL, "");
	restore();
}

Test(faults_restore, a_kernel_without_core_dumps_is_not_a_missing_proc, .init = make_base, .fini = remove_base) {
	has_stat = true;
	room_passes(without_coredump_filter);
	has_stat = false;
	room_refuses(without_coredump_filter, 125, "coredump_filter");
}
