/* SPDX-License-Identifier: ISC */
/* The filter, loaded and proven to run. What the profiles allow is tested where they are compiled. */
#include "tests/launcher/room.h"

#include <sys/ioctl.h>

TestSuite(filter, .timeout = 60);

#define LINUX_IOCTL 0x541CUL /* TIOCLINUX */

static const struct limited ready = {0027};

static void become_ready(void) {
	room_become_app();
	ROOM_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	room_ordinary_plan();
}

static void expect_proof(bool has_profile, int line) {
	for (int i = 0; i < 2; i++) {
		errno = 0;
		room_expect(syscall(PROGRAM_PROOF_TERMINAL) == -1 &&
				    errno == (has_profile ? ENOSYS : PROGRAM_ERRNO_TERMINAL),
			    "terminal filter", line, "errno %d", errno);
		errno = 0;
		room_expect(syscall(PROGRAM_PROOF_PROFILE) == -1 &&
				    errno == (has_profile ? PROGRAM_ERRNO_PROFILE : ENOSYS),
			    "profile", line, "errno %d", errno);
	}
}

static void expect_terminal_closed(int line) {
	static const unsigned long refused[] = {TIOCSTI, LINUX_IOCTL, TIOCSTI | 1UL << 32,
						LINUX_IOCTL | 0xffffffffUL << 32};
	char byte = 0;

	for (size_t i = 0; i < COUNT(refused); i++) {
		errno = 0;
		room_expect(syscall(SYS_ioctl, 0, refused[i], &byte) == -1 && errno == EPERM, "ioctl", line,
			    "0x%lx: errno %d", refused[i], errno);
	}
	errno = 0;
	room_expect(syscall(SYS_ioctl, 0, (unsigned long)TIOCGWINSZ, &byte) == -1 && errno == ENOTTY, "ioctl", line,
		    "others are answered: errno %d", errno);
}

static int filters(void) { return atoi(room_status_of(0, "Seccomp_filters")); }

static void terminal_only(void) {
	int before;

	become_ready();
	before = filters();
	ROOM_EXPECT(filter_install(&room_plan, ready, &room_report).instructions == shipped_terminal.count);
	ROOM_EXPECT_STATUS("Seccomp", "2");
	ROOM_EXPECT(filters() == before + 1, "%d, before %d", filters(), before);
	ROOM_EXPECT(room_report.is_sealed);
	expect_proof(false, __LINE__);
	expect_terminal_closed(__LINE__);
}

Test(filter, without_a_profile_the_terminal_is_closed) { room_passes(terminal_only); }

static const char *profile;
static bool is_complaining;

static void profile_only(void) {
	const struct shipped_program *shipped = program_find(text_of(profile));
	int before;

	become_ready();
	before = filters();
	ROOM_EXPECT(shipped != NULL);
	room_plan.profile = is_complaining ? &shipped->complain : &shipped->enforce;
	ROOM_EXPECT(filter_install(&room_plan, ready, &room_report).instructions == room_plan.profile->count);
	expect_proof(true, __LINE__);
	expect_terminal_closed(__LINE__);
	ROOM_EXPECT(room_report.is_sealed);
	ROOM_EXPECT(filters() == before + 1, "%d, before %d", filters(), before);
	errno = 0;
	ROOM_EXPECT(is_complaining || (syscall(SYS_unshare, 0x10000000L) == -1 && errno == EPERM), "errno %d", errno);
}

Test(filter, shipped_profiles_load_and_answer) {
	static const char *const names[] = {"app-server", "app-server-debug", "web-static"};

	for (size_t i = 0; i < COUNT(names); i++)
		for (int complains = 0; complains < 2; complains++) {
			profile = names[i];
			is_complaining = complains != 0;
			room_passes(profile_only);
		}
}

/* --- refusals ----------------------------------------------------------------------------------------------------------- */

static void lied_to(void) {
	become_ready();
	room_answer(SYS_seccomp, 0);
	filter_install(&room_plan, ready, &room_report);
}

Test(filter, a_seccomp_that_answers_0_without_loading_is_noticed) {
	room_refuses(lied_to, 125, "terminal filter: did not take effect [filter]");
}

static void without_no_new_privs(void) {
	room_become_app();
	room_ordinary_plan();
	filter_install(&room_plan, ready, &room_report);
}

Test(filter, what_the_kernel_refuses_is_named) {
	room_refuses(without_no_new_privs, 125, "terminal filter: failed: Permission denied [filter]");
}

static const struct program_instruction allow_all = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
static uint32_t instructions;

static void silent_profile(void) {
	const struct program program = {&allow_all, instructions};

	become_ready();
	room_plan.profile = &program;
	filter_install(&room_plan, ready, &room_report);
}

Test(filter, a_profile_that_does_not_answer_is_refused) {
	instructions = 1;
	room_refuses(silent_profile, 125, "profile: did not take effect [filter]");
}

/* What answers for `syscalls = none` is no proof of a profile. */
static void another_kinds_proof(void) {
	become_ready();
	room_plan.profile = &shipped_terminal;
	filter_install(&room_plan, ready, &room_report);
}

Test(filter, a_profile_that_gives_the_other_proof_is_refused) {
	room_refuses(another_kinds_proof, 125, "profile: did not take effect [filter]");
}

Test(filter, a_profile_without_instructions_is_refused) {
	instructions = 0;
	room_refuses(silent_profile, 125, "profile: failed: Invalid argument [filter]");
}

static void wrong_order(void) {
	become_ready();
	filter_install(&room_plan, (struct limited){0}, &room_report);
}

Test(filter, receipts_of_another_plan_are_refused) { room_refuses(wrong_order, 125, "[filter]"); }
