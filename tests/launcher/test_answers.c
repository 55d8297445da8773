/* SPDX-License-Identifier: ISC */
/*
 * A call that fails is a failure, even where what it should do is so already: each answer of the kernel counts, and
 * what is read back counts beside it.
 */
#include "tests/launcher/room.h"

#include <linux/keyctl.h>
#include <sys/resource.h>
#include <sys/time.h>

TestSuite(answers, .timeout = 120);

#define ANY (-1)
#define KEEP UINT32_MAX /* -1 as an id: leave it as it is */

static struct {
	void (*stage)(void);
	long number;
	int64_t first, second; /* of its arguments */
	int nth;	       /* from 1; 0: every time */
	unsigned error;
	const char *words;
} row;

static void let_it_fail(void) {
	if (row.nth > 0)
		room_answer_nth(row.number, row.nth, (int)row.error, 0);
	else
		room_answer_where(row.number, row.first, row.second, row.error);
}

static void become_app(void) {
	room_become_app();
	ROOM_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0); /* or it could load no filter */
}

/* --- the stages, where there is nothing left to do --- */

static void join(void) {
	identity_join_groups(room_ordinary_plan(), (struct restored){0}, &room_report);
	let_it_fail();
	identity_join_groups(&room_plan, (struct restored){0}, &room_report);
}

static void assume(void) {
	room_ordinary_plan();
	become_app();
	let_it_fail();
	identity_assume_user(&room_plan, (struct confined){0}, &room_report);
}

static void leave(void) {
	let_it_fail();
	must(identity_leave_caller(), &room_report, "identity", "real uid", NULL);
}

static void require(void) {
	room_ordinary_plan();
	let_it_fail();
	capabilities_require(&room_plan, &room_report);
}

static void confine(void) {
	room_ordinary_plan();
	let_it_fail();
	capabilities_confine(&room_plan, (struct grouped){ROOM_APP}, &room_report);
}

static void confine_locked(void) {
	ROOM_EXPECT(prctl(PR_SET_SECUREBITS, 0xEB, 0, 0, 0) == 0);
	confine();
}

static void drop(void) {
	room_ordinary_plan();
	become_app();
	let_it_fail();
	capabilities_drop(&room_plan, (struct assumed){ROOM_APP}, &room_report);
}

static char *const one_argument[] = {(char *)"runas-app", NULL};
static char *no_variables[] = {NULL};

static void enter(void) {
	entry_secure(1, one_argument, no_variables, &room_report);
	let_it_fail();
	entry_secure(1, one_argument, no_variables, &room_report);
}

static void secure(void) {
	let_it_fail();
	descriptors_secure(true, &room_report);
}

/* Asked, ignored, asked, set to its default, asked: the numbers before it are asked only. */
static void enter_ignoring(void) {
	ROOM_EXPECT(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
	let_it_fail();
	entry_secure(1, one_argument, no_variables, &room_report);
}

static void enter_without_counter(void) {
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) != 0)
		room_lacks("needs a processor with PR_SET_TSC");
	let_it_fail();
	entry_secure(1, one_argument, no_variables, &room_report);
}

static void hide(void) {
	ROOM_EXPECT(entry_hide());
	let_it_fail();
	must(entry_hide(), &room_report, "entry", "hidden", NULL);
}

static void unblock(void) {
	ROOM_EXPECT(entry_unblock_signals());
	let_it_fail();
	must(entry_unblock_signals(), &room_report, "entry", "unblocked", NULL);
}

static void handover(void) {
	room_ordinary_plan();
	room_plan.keep_fds = UINT32_C(1) << POLICY_FD_FIRST;
	ROOM_EXPECT(dup2(0, POLICY_FD_FIRST) == POLICY_FD_FIRST && chdir("/") == 0);
	become_app();
	let_it_fail();
	handover_prepare(&room_plan, (struct restored){{0, 0}}, (struct powerless){ROOM_APP}, &room_report);
}

static void identify(void) {
	static uint32_t groups[CALLER_MAX_GROUPS];
	static char cwd[4096];

	let_it_fail();
	(void)caller_identify(&(struct entered){0}, groups, &room_report);
	(void)caller_directory(cwd, &room_report);
}

static void restore(void) {
	room_ordinary_plan();
	room_plan.limits[RLIMIT_CORE] = (struct plan_limit){true, 0, 0, 0};
	room_plan.oom_score_adj.is_set = true;
	restore_defaults(&room_plan, &(struct entered){0}, &room_report);
	let_it_fail();
	restore_defaults(&room_plan, &(struct entered){0}, &room_report);
}

/* The policy names nothing. */
static void restore_plainly(void) {
	room_ordinary_plan();
	let_it_fail();
	restore_defaults(&room_plan, &(struct entered){0}, &room_report);
}

/* The caller left it as no app shall have it. */
static void restore_wrong(void) {
	room_ordinary_plan();
	ROOM_EXPECT(prctl(PR_SET_TIMERSLACK, 1000) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	ROOM_EXPECT(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	ROOM_EXPECT(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) == 0);
	ROOM_EXPECT(syscall(SYS_personality, 0x0040000L) >= 0); /* ADDR_NO_RANDOMIZE */
	let_it_fail();
	restore_defaults(&room_plan, &(struct entered){0}, &room_report);
}

Test(answers, what_fails_is_refused_though_all_is_as_it_should_be) {
	static const __typeof__(row) rows[] = {
		{join, SYS_setgroups, ANY, ANY, 0, EPERM, "setgroups"},
		{join, SYS_setresgid, ANY, ANY, 0, EPERM, "setresgid"},
		{join, SYS_prctl, PR_SET_DUMPABLE, ANY, 0, EPERM, "setresgid"},
		{assume, SYS_setresuid, KEEP, ROOM_APP, 0, EPERM, "setresuid"}, /* the first step */
		{assume, SYS_setresuid, ROOM_APP, ANY, 0, EPERM, "setresuid"},
		{assume, SYS_prctl, ANY, ANY, 1, EPERM, "setresuid"}, /* hidden, and seen to be, after each step */
		{assume, SYS_prctl, ANY, ANY, 2, EPERM, "setresuid"},
		{assume, SYS_prctl, ANY, ANY, 3, EPERM, "setresuid"},
		{assume, SYS_prctl, ANY, ANY, 4, EPERM, "setresuid"},
		{leave, SYS_setresuid, ANY, ANY, 0, EPERM, "real uid"},
		{require, SYS_capget, ANY, ANY, 0, EPERM, "capget"},
		{confine, SYS_prctl, ANY, ANY, 1, EPERM, "securebits"},
		{confine, SYS_prctl, PR_CAP_AMBIENT, ANY, 0, EPERM, "ambient"},
		{confine_locked, SYS_prctl, PR_SET_SECUREBITS, ANY, 0, EPERM, "securebits"},
		{drop, SYS_capset, ANY, ANY, 0, EPERM, "capset"},
		{secure, SYS_close, ANY, ANY, 0, EIO, "descriptors"},
		{secure, SYS_fcntl, 5, F_GETFD, 0, EIO, "descriptors"},
		{enter_ignoring, SYS_rt_sigaction, ANY, ANY, SIGUSR1 + 1, EPERM, "signals"},
		{enter, SYS_rt_sigprocmask, ANY, ANY, 1, EPERM, "signals"},
		{enter, SYS_rt_sigpending, ANY, ANY, 0, EPERM, "signals"},
		{enter, SYS_setitimer, ITIMER_REAL, ANY, 0, EPERM, "timers"},
		{enter, SYS_setitimer, ITIMER_PROF, ANY, 0, EPERM, "timers"},
		{enter, SYS_prctl, PR_SET_DUMPABLE, ANY, 0, EPERM, "core dumps"},
		{enter, SYS_prlimit64, ANY, ANY, 1, EPERM, "core dumps"},
		{enter, SYS_prlimit64, ANY, ANY, 2, EPERM, "core dumps"},
		{hide, SYS_prctl, PR_SET_DUMPABLE, ANY, 0, EPERM, "hidden"},
		{hide, SYS_prctl, PR_GET_DUMPABLE, ANY, 0, EPERM, "hidden"},
		{unblock, SYS_rt_sigprocmask, ANY, ANY, 1, EPERM, "unblocked"},
		{unblock, SYS_rt_sigprocmask, ANY, ANY, 2, EPERM, "unblocked"},
		{handover, SYS_fcntl, POLICY_FD_FIRST, F_SETFD, 0, EPERM, "keep_fds"},
		{handover, SYS_fcntl, POLICY_FD_FIRST, F_GETFD, 0, EPERM, "keep_fds"},
		{handover, SYS_prctl, PR_SET_NO_NEW_PRIVS, ANY, 0, EPERM, "no_new_privs"},
		{handover, SYS_prctl, PR_GET_NO_NEW_PRIVS, ANY, 0, EPERM, "no_new_privs"},
		{handover, SYS_prlimit64, ANY, ANY, 1, EPERM, "limit_core"},
		{identify, SYS_getpid, ANY, ANY, 0, 0, "[caller]"},
		{restore, SYS_sched_setaffinity, ANY, ANY, 1, EPERM, "affinity"},
		{restore, SYS_sched_setaffinity, ANY, ANY, 2, EPERM, "affinity"},
		{restore, SYS_ioprio_set, ANY, ANY, 2, EPERM, "affinity"},
		{restore, SYS_sched_setattr, ANY, ANY, 0, EPERM, "affinity"},
		{restore, SYS_sched_setattr, ANY, ANY, 1, EPERM, "affinity"},
		{restore, SYS_sched_setattr, ANY, ANY, 0, EOPNOTSUPP, "affinity"},
		{restore, SYS_sched_getattr, ANY, ANY, 0, EPERM, "affinity"},
		{restore, SYS_prctl, PR_SET_TIMERSLACK, ANY, 0, EPERM, "timer slack"},
		{restore, SYS_prctl, PR_SET_CHILD_SUBREAPER, ANY, 0, EPERM, "subreaper"},
		{restore, SYS_prctl, PR_GET_CHILD_SUBREAPER, ANY, 0, EPERM, "subreaper"},
		{restore, SYS_prctl, PR_SET_THP_DISABLE, ANY, 0, EPERM, "huge pages"},
		{restore, SYS_prctl, PR_GET_THP_DISABLE, ANY, 0, EPERM, "huge pages"},
		{restore, SYS_prctl, PR_MCE_KILL, ANY, 0, EPERM, "machine check"},
		{restore, SYS_prctl, PR_MCE_KILL_GET, ANY, 0, EPERM, "machine check"},
		{restore, SYS_personality, ANY, ANY, 1, EPERM, "personality"},
		{restore, SYS_personality, ANY, ANY, 2, EPERM, "personality"},
		{restore, SYS_get_mempolicy, ANY, ANY, 0, 0, "memory policy"},
		{restore, SYS_pread64, ANY, ANY, 0, EIO, "/proc/self/oom_score_adj"},
		{restore, SYS_close, ANY, ANY, 0, EIO, "/proc/self/oom_score_adj"},
		{restore, SYS_prlimit64, ANY, ANY, 1, EIO, "limit_core"},
		{restore, SYS_prlimit64, ANY, ANY, 3, EIO, "limit_core"},
		{restore_plainly, SYS_openat, ANY, ANY, 1, EACCES, "coredump_filter"},
		{restore_plainly, SYS_keyctl, KEYCTL_SET_REQKEY_KEYRING, ANY, 0, EDQUOT, "keyring"},
		{restore_plainly, SYS_keyctl, KEYCTL_SET_REQKEY_KEYRING, UINT32_MAX, 0, EDQUOT, "keyring"}, /* asked */
		{restore_plainly, SYS_keyctl, KEYCTL_GET_KEYRING_ID, ANY, 0, 0, "keyring"},
		{restore_wrong, SYS_prctl, PR_SET_TIMERSLACK, ANY, 0, 0, "timer slack"},
		{restore_wrong, SYS_prctl, PR_SET_CHILD_SUBREAPER, ANY, 0, 0, "subreaper"},
		{restore_wrong, SYS_prctl, PR_SET_THP_DISABLE, ANY, 0, 0, "huge pages"},
		{restore_wrong, SYS_prctl, PR_MCE_KILL, ANY, 0, 0, "machine check"},
		{restore_wrong, SYS_personality, ANY, ANY, 1, 0, "personality"},
		{restore, SYS_setresuid, ANY, ANY, 0, EPERM, "real uid"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		memcpy(&row, &rows[i], sizeof(row));
		const struct room_end end = room_run(row.stage);
		cr_expect(!room->is_done && room->used == 0 && end.status == 125,
			  "row %zu, %s: %s, status %d, said: %s%s", i, row.words, room->is_done ? "went on" : "refused",
			  end.status, end.said, room->failures);
		cr_expect(strstr(end.said, row.words) != NULL || end.said[0] == '\0', "row %zu: %s: %s", i, row.words,
			  end.said);
	}
}

/* --- answers that fit each other, but not the machine --- */

static void bounding_answers(uint32_t option, unsigned from, unsigned to, unsigned error) {
	for (unsigned i = from; i <= to; i++)
		room_answer_where(SYS_prctl, option, i, error);
}

static unsigned ends_at;

/* As a kernel that has fewer capabilities than the first that had close_range. */
static void few(void) {
	bounding_answers(PR_CAPBSET_DROP, ends_at, ends_at, EINVAL);
	bounding_answers(PR_CAPBSET_READ, ends_at, ends_at, EINVAL);
	confine();
}

static void without_end(void) {
	bounding_answers(PR_CAPBSET_DROP, 0, 63, 0);
	bounding_answers(PR_CAPBSET_READ, 0, 63, 0);
	confine();
}

static void another_end(void) {
	unsigned end = 0;

	while (prctl(PR_CAPBSET_READ, end, 0, 0, 0) >= 0)
		end++;
	bounding_answers(PR_CAPBSET_READ, end, end, EPERM);
	confine();
}

Test(answers, a_bounding_set_ends_where_a_kernels_ends) {
	row.number = SYS_getpid; /* which capabilities do not ask */
	row.first = ANY;
	ends_at = 0;
	room_refuses(few, 125, "bounding set");
	ends_at = 40; /* CAP_CHECKPOINT_RESTORE */
	room_refuses(few, 125, "bounding set");
	room_refuses(without_end, 125, "bounding set");
	room_refuses(another_end, 125, "bounding set");
}

static void nothing_read(void) {
	room_ordinary_plan();
	become_app();
	capabilities_drop(&room_plan, (struct assumed){ROOM_APP}, &room_report); /* leaves zeros where it reads to */
	room_answer(SYS_capget, 0);
	capabilities_drop(&room_plan, (struct assumed){ROOM_APP}, &room_report);
}

static const uint32_t apps[] = {ROOM_APP, ROOM_WEB, ROOM_EXTRA};

static void groups_not_read(void) {
	const gid_t others[] = {1, 2, 3};

	ROOM_EXPECT(setgroups(3, others) == 0 && setresgid(ROOM_APP, ROOM_APP, ROOM_APP) == 0);
	memcpy(room_scratch, apps, sizeof(apps));
	room_answer_nth(SYS_getgroups, 2, 0, 3);
	ROOM_EXPECT(!identity_has_groups(ROOM_APP, apps, 3, room_scratch));
}

Test(answers, what_was_read_before_is_no_answer) {
	room_refuses(nothing_read, 125, "inheritable sets");
	room_passes(groups_not_read);
}

/* --- what is not asked --- */

static void only_verified(void) {
	room_ordinary_plan();
	room_plan.has_root = false;
	become_app();
	room_answer(SYS_setresuid, EPERM);
	identity_assume_user(&room_plan, (struct confined){0}, &room_report);
}

static void without_a_keyring(void) {
	room_ordinary_plan();
	room_plan.has_root = room_plan.restores = false;
	room_plan.nice.is_set = false;
	become_app();
	room_answer(SYS_keyctl, EDQUOT);
	restore_defaults(&room_plan, &(struct entered){0}, &room_report);
}

Test(answers, without_root_no_id_is_set_and_no_keyring_joined) {
	room_passes(only_verified);
	room_passes(without_a_keyring);
}

static void with_yama(void) {
	room_ordinary_plan();
	room_answer_where(SYS_prctl, PR_SET_PTRACER, ANY, 0);
	restore_defaults(&room_plan, &(struct entered){0}, &room_report);
}

Test(answers, with_yama_there_is_a_tracer_to_forget) { room_passes(with_yama); }

static void stdio_given(void) {
	struct stat file;
	int ends[2];

	room_ordinary_plan();
	room_plan.owns_stdio = true;
	ROOM_EXPECT(pipe(ends) == 0 && dup2(ends[0], 0) == 0);
	restore_defaults(&room_plan, &(struct entered){0}, &room_report);
	ROOM_EXPECT(fstat(0, &file) == 0 && file.st_uid == ROOM_APP && file.st_gid == ROOM_APP);
}

Test(answers, pipes_are_given_by_restore) { room_passes(stdio_given); }

/* --- as a set, as long as that is no work --- */

static void backwards(size_t count, bool is_same) {
	uint32_t groups[PLAN_MAX_GROUPS + 1];

	for (size_t i = 0; i < count; i++)
		groups[i] = 5000 + (uint32_t)i;
	ROOM_EXPECT(setgroups(count, groups) == 0);
	for (size_t i = 0; i < count; i++)
		groups[i] = 5000 + (uint32_t)(count - 1 - i);
	ROOM_EXPECT(identity_has_groups(0, groups, count, room_scratch) == is_same, "%zu groups", count);
}

static void backwards_twice(void) {
	backwards(PLAN_MAX_GROUPS, true);
	backwards(PLAN_MAX_GROUPS + 1, false);
}

Test(answers, only_a_plans_groups_may_have_another_order) { room_passes(backwards_twice); }

/* --- entry --- */

static void enter_with_closed(void) {
	close(ends_at > 0 ? 2 : 0);
	if (ends_at > 0)
		room_answer(SYS_openat, EACCES);
	else
		room_answer_where(SYS_fcntl, 0, F_GETFD, EIO); /* which is not: closed */
	entry_secure(1, one_argument, no_variables, &room_report);
}

static void null_is_for_both(void) {
	close(0);
	entry_secure(1, one_argument, no_variables, &room_report);
	ROOM_EXPECT((fcntl(0, F_GETFL) & O_ACCMODE) == O_RDWR);
}

static void counter_stays_off(void) {
	row.number = SYS_prctl;
	row.first = PR_SET_TSC;
	row.second = ANY;
	enter_without_counter();
}

static void no_core_at_all(void) {
	const struct rlimit none = {0, 0};

	ROOM_EXPECT(setrlimit(RLIMIT_CORE, &none) == 0);
	ROOM_EXPECT(entry_secure(1, one_argument, no_variables, &room_report).core.rlim_max == 0);
}

Test(answers, standard_descriptors_and_limits_at_their_edge) {
	ends_at = 0;
	room_refuses(enter_with_closed, 125, "descriptors");
	ends_at = 1;
	room_refuses(enter_with_closed, 125, NULL);
	memset(&row, 0, sizeof(row));
	room_refuses(counter_stays_off, 125, "timers");
	room_passes(null_is_for_both);
	room_passes(no_core_at_all);
}
