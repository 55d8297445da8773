/* SPDX-License-Identifier: ISC */
/* What a process inherits and exec does not reset. */
#include "tests/launcher/room.h"

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65 /* Linux 6.3 */
#endif
#define MODE_BIND 2 /* set_mempolicy(2) */

TestSuite(restore, .timeout = 60);

static const struct entered after_entry = {.core = {11, 22}};

static struct restored restore(void) { return restore_defaults(&room_plan, &after_entry, &room_report); }

/* Everything that a caller can leave behind, one after the other; each is seen to have worked. */
static void make_hostile(void) {
	const struct sched_param none = {0};
	const struct rlimit low = {100, 5000};
	unsigned long nodes = 1;
	cpu_set_t one;
	int fd;

	ROOM_EXPECT(sched_setscheduler(0, SCHED_BATCH, &none) == 0);
	ROOM_EXPECT(setpriority(PRIO_PROCESS, 0, 5) == 0);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ROOM_EXPECT(sched_setaffinity(0, sizeof(one), &one) == 0);
	ROOM_EXPECT(prctl(PR_SET_TIMERSLACK, 50000000UL) == 0);
	ROOM_EXPECT(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	ROOM_EXPECT(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	ROOM_EXPECT(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) == 0);
	ROOM_EXPECT(personality(ADDR_NO_RANDOMIZE) >= 0);
	ROOM_EXPECT(syscall(SYS_set_mempolicy, MODE_BIND, &nodes, 8L) == 0 || errno == ENOSYS || errno == EPERM);
	ROOM_EXPECT(setrlimit(RLIMIT_NOFILE, &low) == 0);
	fd = open("/proc/self/coredump_filter", O_WRONLY);
	ROOM_EXPECT(fd >= 0 && write(fd, "0xff", 4) == 4);
	close(fd);
	fd = open("/proc/self/oom_score_adj", O_WRONLY);
	ROOM_EXPECT(fd >= 0 && write(fd, "700", 3) == 3);
	close(fd);
}

static const char *read_proc(const char *path) {
	static char line[64];
	int fd = open(path, O_RDONLY);
	ssize_t length = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;

	close(fd);
	snprintf(line + (length > 0 ? length : 0), 8, "%s", length > 0 ? "" : "?");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static int mempolicy(void) {
	int mode = -1;

	return syscall(SYS_get_mempolicy, &mode, NULL, 0L, NULL, 0L) == 0 ? mode : 0;
}

static int processors(void) {
	cpu_set_t now;

	CPU_ZERO(&now);
	return sched_getaffinity(0, sizeof(now), &now) == 0 ? CPU_COUNT(&now) : -1;
}

static void caller_restored(void) {
	struct rlimit nofile = {0, 0};
	struct restored receipt;
	cpu_set_t all;

	/* Whoever runs the tests may have been given fewer (taskset); what is restored goes back to all. */
	memset(&all, 0xff, sizeof(all));
	ROOM_EXPECT(sched_setaffinity(0, sizeof(all), &all) == 0);
	const int before = processors();
	room_ordinary_plan();
	room_plan.limits[RLIMIT_NOFILE] = (struct plan_limit){true, 150, 200, 200};
	room_plan.limits[RLIMIT_CORE] = (struct plan_limit){true, 0, 0, 0};
	make_hostile();
	receipt = restore();
	ROOM_EXPECT(sched_getscheduler(0) == SCHED_OTHER);
	errno = 0;
	ROOM_EXPECT(getpriority(PRIO_PROCESS, 0) == 0 && errno == 0);
	ROOM_EXPECT(processors() == before, "%d of %d processors", processors(), before);
	ROOM_EXPECT(prctl(PR_GET_TIMERSLACK) == 50000, "%d", prctl(PR_GET_TIMERSLACK));
	int subreaper = 1;
	ROOM_EXPECT(prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper == 0);
	ROOM_EXPECT(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0);
	ROOM_EXPECT(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_DEFAULT);
	ROOM_EXPECT(strcmp(read_proc("/proc/self/personality"), "00000000") == 0, "%s",
		    read_proc("/proc/self/personality"));
	ROOM_EXPECT(mempolicy() == 0);
	ROOM_EXPECT(strcmp(read_proc("/proc/self/coredump_filter"), "00000033") == 0, "%s",
		    read_proc("/proc/self/coredump_filter"));
	ROOM_EXPECT(getrlimit(RLIMIT_NOFILE, &nofile) == 0 && nofile.rlim_cur == 150 && nofile.rlim_max == 200);
	ROOM_EXPECT(receipt.core.rlim_cur == 0 && receipt.core.rlim_max == 0);
}

Test(restore, what_a_caller_left_goes_to_fixed_defaults) { room_passes(caller_restored); }

static void root_kept(void) {
	struct rlimit nofile = {0, 0};
	struct restored receipt;
	int subreaper = 0;

	room_ordinary_plan();
	room_plan.restores = false;
	room_plan.nice.is_set = false;
	make_hostile();
	receipt = restore();
	ROOM_EXPECT(sched_getscheduler(0) == SCHED_BATCH);
	ROOM_EXPECT(getpriority(PRIO_PROCESS, 0) == 5);
	ROOM_EXPECT(processors() == 1);
	ROOM_EXPECT(prctl(PR_GET_TIMERSLACK) == 50000000);
	ROOM_EXPECT(prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper == 1);
	ROOM_EXPECT(getrlimit(RLIMIT_NOFILE, &nofile) == 0 && nofile.rlim_cur == 100 && nofile.rlim_max == 5000);
	ROOM_EXPECT(strcmp(read_proc("/proc/self/oom_score_adj"), "700") == 0);
	ROOM_EXPECT(receipt.core.rlim_cur == 11 && receipt.core.rlim_max == 22, "the core limit as entry found it");
}

Test(restore, what_root_set_is_kept) { room_passes(root_kept); }

static void named_by_the_policy(void) {
	struct rlimit limit = {0, 0};
	struct restored receipt;

	room_ordinary_plan();
	room_plan.restores = false;
	room_plan.nice = (struct plan_number){true, -3};
	room_plan.oom_score_adj = (struct plan_number){true, 900};
	room_plan.limits[RLIMIT_NPROC] = (struct plan_limit){true, 77, 88, 88};
	room_plan.limits[RLIMIT_CORE] = (struct plan_limit){true, 40, 50, 50};
	receipt = restore();
	ROOM_EXPECT(getpriority(PRIO_PROCESS, 0) == -3);
	ROOM_EXPECT(strcmp(read_proc("/proc/self/oom_score_adj"), "900") == 0, "%s",
		    read_proc("/proc/self/oom_score_adj"));
	ROOM_EXPECT(getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur == 77 && limit.rlim_max == 88);
	ROOM_EXPECT(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0, "no core before the handover");
	ROOM_EXPECT(receipt.core.rlim_cur == 40 && receipt.core.rlim_max == 50);
}

Test(restore, what_the_policy_names_holds_for_root_too) { room_passes(named_by_the_policy); }

static void without_root(void) {
	struct rlimit limit = {0, 0};

	room_become_app();
	ROOM_EXPECT(prctl(PR_SET_DUMPABLE, 1) == 0, "as after an exec: /proc/self is the app user's");
	room_ordinary_plan();
	room_plan.has_root = room_plan.restores = false;
	room_plan.nice = (struct plan_number){true, 4};
	room_plan.oom_score_adj = (struct plan_number){true, 950};
	room_plan.limits[RLIMIT_NOFILE] = (struct plan_limit){true, 64, 64, 64};
	restore();
	ROOM_EXPECT(getpriority(PRIO_PROCESS, 0) == 4);
	ROOM_EXPECT(strcmp(read_proc("/proc/self/oom_score_adj"), "950") == 0);
	ROOM_EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max == 64);
	ROOM_EXPECT_STATUS("Uid", "4002\t4002\t4002\t4002");
}

Test(restore, without_root_what_the_policy_names_is_applied) { room_passes(without_root); }

static void lower_nice_without_root(void) {
	room_become_app();
	room_ordinary_plan();
	room_plan.has_root = room_plan.restores = false;
	room_plan.nice = (struct plan_number){true, -5};
	restore();
}

Test(restore, what_cannot_be_had_is_refused_with_the_capability) {
	room_refuses(lower_nice_without_root, 125, "CAP_SYS_NICE");
}

static void real_uid(void) {
	const gid_t group = ROOM_CALLER;

	room_become_setuid(&group, 1);
	room_ordinary_plan();
	restore();
	ROOM_EXPECT_STATUS("Uid", "0\t0\t0\t0");
}

Test(restore, the_caller_cannot_signal_us_any_more) { room_passes(real_uid); }

static void keyring(void) {
	const long before = syscall(SYS_keyctl, (long)KEYCTL_JOIN_SESSION_KEYRING, NULL);
	long after;

	if (before < 0)
		room_lacks("needs keyctl(2)");
	room_ordinary_plan();
	restore();
	after = syscall(SYS_keyctl, (long)KEYCTL_GET_KEYRING_ID, (long)KEY_SPEC_SESSION_KEYRING, 0L);
	ROOM_EXPECT(after > 0 && after != before, "%ld, before %ld", after, before);
}

Test(restore, the_session_keyring_is_a_new_one) { room_passes(keyring); }

static void keyring_closed_to_all(void) {
	room_answer(SYS_keyctl, EPERM);
	room_answer(SYS_set_mempolicy, EPERM);
	room_answer(SYS_get_mempolicy, EPERM);
	room_ordinary_plan();
	restore();
}

Test(restore, what_a_container_refuses_to_everybody_is_no_obstacle) { room_passes(keyring_closed_to_all); }

static void memory_deny_write_execute(void) {
	if (prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0)
		room_lacks("needs Linux 6.3 (PR_SET_MDWE)");
	room_ordinary_plan();
	restore();
}

Test(restore, what_cannot_be_undone_is_refused) { room_refuses(memory_deny_write_execute, 125, "PR_SET_MDWE"); }

/* --- hard limits ------------------------------------------------------------------------------------------------------ */

static uint64_t least;

static void low_hard_limit(void) {
	const struct rlimit low = {100, 100};
	struct rlimit now = {0, 0};

	room_drop_capability(CAP_SYS_RESOURCE);
	ROOM_EXPECT(setrlimit(RLIMIT_NOFILE, &low) == 0);
	room_ordinary_plan();
	room_plan.limits[RLIMIT_NOFILE] = (struct plan_limit){true, 1024, 524288, least};
	restore();
	ROOM_EXPECT(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 100 && now.rlim_max == 100);
}

Test(restore, a_hard_limit_that_cannot_be_raised) {
	least = 4096;
	room_refuses(low_hard_limit, 125, "limit_nofile");
	least = 100;
	room_passes(low_hard_limit);
}

static void one_limit(void) {
	struct rlimit now = {0, 0};

	ROOM_EXPECT(restore_limit(RLIMIT_NOFILE, 60, 70));
	ROOM_EXPECT(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 60 && now.rlim_max == 70);
	ROOM_EXPECT(!restore_limit(RLIMIT_NOFILE, 80, 70), "soft above hard");
}

Test(restore, one_limit) { room_passes(one_limit); }

/* --- lies --------------------------------------------------------------------------------------------------------------- */

static long lie;

static void lied_to(void) {
	room_ordinary_plan();
	room_plan.limits[RLIMIT_NOFILE] = (struct plan_limit){true, 150, 200, 200};
	room_plan.oom_score_adj = (struct plan_number){true, 800};
	make_hostile();
	room_become_setuid(NULL, 0);
	room_answer(lie, 0);
	restore();
}

/* sched_setaffinity, ioprio_set and unshare cannot be read back, and 0 is what personality should answer. */
Test(restore, calls_that_answer_0_without_being_done_are_noticed) {
	static const long lies[] = {SYS_setresuid, SYS_getresuid, SYS_prctl, SYS_set_mempolicy, SYS_sched_setattr,
				    SYS_prlimit64, SYS_keyctl,	  SYS_write, SYS_pread64};

	for (size_t i = 0; i < COUNT(lies); i++) {
		struct room_end end;

		lie = lies[i];
		end = room_run(lied_to);
		if (lie == SYS_set_mempolicy && end.status == 0)
			continue; /* no memory policy on this kernel */
		cr_expect(!room->is_done && end.status == 125, "system call %ld: status %d, %s: %s%s", lie, end.status,
			  room->is_done ? "went on" : "refused", end.said, room->failures);
	}
}
