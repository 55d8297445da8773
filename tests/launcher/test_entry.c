/* SPDX-License-Identifier: ISC */
/* The first thing that runs: what a hostile caller hands over is taken out of its hands. */
#include "tests/launcher/room.h"

#include <sys/resource.h>
#include <sys/time.h>

TestSuite(entry, .timeout = 120);

#define UNBLOCKED "fffffffffffbfeff" /* all but SIGKILL and SIGSTOP */

static char *arguments[] = {(char *)"runas-app", NULL};
static char *variables[] = {(char *)"LD_PRELOAD=/evil", (char *)"LANG=C", NULL};

static struct entered enter(void) { return entry_secure(1, arguments, variables, &room_report); }

/* As the kernel has it: libc's own hides the signals that it uses itself. */
struct raw_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static void set_disposition(int number, void (*handler)(int)) {
	const struct raw_action action = {.handler = handler};

	if (number != SIGKILL && number != SIGSTOP)
		ROOM_EXPECT(syscall(SYS_rt_sigaction, number, &action, NULL, sizeof(uint64_t)) == 0, "signal %d",
			    number);
}

static void set_mask(uint64_t mask) {
	ROOM_EXPECT(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask)) == 0);
}

/* --- descriptors --------------------------------------------------------------------------------------------------- */

static int subset;

static void closed_standard_descriptors(void) {
	for (int fd = 0; fd <= 2; fd++)
		if ((subset >> fd & 1) != 0)
			close(fd);
	enter();
	for (int fd = 0; fd <= 2; fd++) {
		struct stat is, null;

		ROOM_EXPECT(fstat(fd, &is) == 0 && stat("/dev/null", &null) == 0);
		if ((subset >> fd & 1) != 0)
			ROOM_EXPECT(S_ISCHR(is.st_mode) && is.st_rdev == null.st_rdev, "fd %d is not /dev/null", fd);
		else
			ROOM_EXPECT(fd == 0 || S_ISFIFO(is.st_mode), "fd %d is not what it was", fd);
		ROOM_EXPECT(fcntl(fd, F_GETFD) == 0, "fd %d", fd);
	}
	for (int fd = 3; fd < 64; fd++)
		ROOM_EXPECT(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "fd %d was left open", fd);
}

Test(entry, opens_0_to_2_whichever_are_closed) {
	for (subset = 0; subset < 8; subset++)
		room_passes(closed_standard_descriptors);
}

/* --- signals ----------------------------------------------------------------------------------------------------------- */

static void hostile_signals(void) {
	set_mask(~UINT64_C(0));
	for (int number = 1; number <= 64; number++) {
		if (number == SIGKILL || number == SIGSTOP)
			continue;
		ROOM_EXPECT(syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), number) == 0, "signal %d",
			    number);
		ROOM_EXPECT(kill(getpid(), number) == 0, "signal %d", number);
		if (number % 2 == 0)
			set_disposition(number, SIG_IGN);
	}
	set_disposition(SIGHUP, SIG_DFL);
	/* Ignoring a signal threw its pending ones away: have them pending while ignored. */
	for (int number = 2; number <= 64; number += 2)
		ROOM_EXPECT(kill(getpid(), number == SIGSTOP ? 0 : number) == 0);
	enter();
	ROOM_EXPECT_STATUS("SigBlk", UNBLOCKED);
	ROOM_EXPECT_STATUS("SigPnd", "0000000000000000");
	ROOM_EXPECT_STATUS("ShdPnd", "0000000000000000");
	ROOM_EXPECT_STATUS("SigIgn", "0000000000000000");
	ROOM_EXPECT_STATUS("SigCgt", "0000000000000000");
	ROOM_EXPECT(entry_unblock_signals());
	ROOM_EXPECT_STATUS("SigBlk", "0000000000000000");
}

Test(entry, signals_1_to_64_are_blocked_default_and_not_pending) { room_passes(hostile_signals); }

static void ignored_hangup(void) {
	set_disposition(SIGHUP, SIG_IGN);
	set_disposition(SIGPIPE, SIG_IGN);
	set_disposition(SIGCHLD, SIG_IGN);
	set_disposition(SIGXFSZ, SIG_IGN);
	enter();
	ROOM_EXPECT_STATUS("SigIgn", "0000000000000001");
	ROOM_EXPECT_STATUS("SigCgt", "0000000000000000");
}

Test(entry, an_ignored_hangup_stays_for_nohup) { room_passes(ignored_hangup); }

/* --- timers, umask, core dumps, time stamp counter ---------------------------------------------------------------------- */

static void hostile_timers(void) {
	const struct itimerval soon = {{5, 0}, {3600, 0}};

	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		ROOM_EXPECT(setitimer(which, &soon, NULL) == 0);
	enter();
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
		struct itimerval now = {{1, 1}, {1, 1}};

		ROOM_EXPECT(getitimer(which, &now) == 0);
		ROOM_EXPECT(now.it_value.tv_sec == 0 && now.it_value.tv_usec == 0 && now.it_interval.tv_sec == 0 &&
				    now.it_interval.tv_usec == 0,
			    "timer %d", which);
	}
}

Test(entry, timers_are_off) { room_passes(hostile_timers); }

static void mask_and_core(void) {
	const struct rlimit open = {1000, 5000};
	struct rlimit now = {7, 7};
	struct entered receipt;

	umask(0);
	ROOM_EXPECT(prctl(PR_SET_DUMPABLE, 1) == 0);
	ROOM_EXPECT(setrlimit(RLIMIT_CORE, &open) == 0);
	receipt = enter();
	ROOM_EXPECT_STATUS("Umask", "0077");
	ROOM_EXPECT(prctl(PR_GET_DUMPABLE) == 0);
	ROOM_EXPECT(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 0 && now.rlim_max == 5000);
	ROOM_EXPECT(receipt.core.rlim_cur == 1000 && receipt.core.rlim_max == 5000);
}

Test(entry, umask_077_not_dumpable_and_no_core) { room_passes(mask_and_core); }

static void hide(void) {
	ROOM_EXPECT(prctl(PR_SET_DUMPABLE, 1) == 0);
	ROOM_EXPECT(entry_hide());
	ROOM_EXPECT(prctl(PR_GET_DUMPABLE) == 0);
}

Test(entry, hiding_takes_dumpable_away) { room_passes(hide); }

static void counter(void) {
	int now = 0;

	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) != 0)
		room_lacks("needs a processor with PR_SET_TSC");
	enter();
	ROOM_EXPECT(prctl(PR_GET_TSC, &now) == 0 && now == PR_TSC_ENABLE, "%d", now);
}

Test(entry, the_time_stamp_counter_is_readable_again) { room_passes(counter); }

/* --- environment and arguments ------------------------------------------------------------------------------------------- */

static void environment(void) {
	ROOM_EXPECT(enter().environment == variables, "set aside as it arrived");
	ROOM_EXPECT(environ == NULL);
	ROOM_EXPECT(getenv("LANG") == NULL && getenv("PATH") == NULL);
}

Test(entry, libc_sees_an_empty_environment) { room_passes(environment); }

static void no_arguments(void) { entry_secure(0, arguments, variables, &room_report); }

static void no_first_argument(void) {
	static char *none[] = {NULL};

	entry_secure(1, none, variables, &room_report);
}

/* CVE-2021-4034. This kernel puts an empty argv[0] there; older ones did not. */
/* Attack A2. */
Test(entry, no_argv_at_all_ends_at_once) {
	room_refuses(no_arguments, 125, NULL);
	room_refuses(no_first_argument, 125, NULL);
}

/* --- lies --------------------------------------------------------------------------------------------------------------------- */

static long lie;

static void lied_to(void) {
	const struct itimerval far = {{3600, 0}, {3600, 0}};
	const struct rlimit open = {1000, 5000};

	/* Something for each of them to do. */
	set_disposition(SIGPIPE, SIG_IGN);
	setitimer(ITIMER_REAL, &far, NULL);
	umask(0);
	setrlimit(RLIMIT_CORE, &open);
	room_answer(lie, 0);
	enter();
}

/* prctl's own answers are of the next stages: there 0 is what is wanted. */
Test(entry, calls_that_answer_0_without_being_done_are_noticed) {
	static const long lies[] = {SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigpending, SYS_setitimer,
				    SYS_getitimer,	SYS_umask,	  SYS_prlimit64};

	for (size_t i = 0; i < COUNT(lies); i++) {
		struct room_end end;

		lie = lies[i];
		end = room_run(lied_to);
		cr_expect(!room->is_done && end.status == 125, "system call %ld: status %d, %s: %s", lie, end.status,
			  room->is_done ? "went on" : "refused", end.said);
		cr_expect(end.said[0] == '\0' || strstr(end.said, "[entry]") != NULL, "system call %ld: %s", lie,
			  end.said);
	}
}
