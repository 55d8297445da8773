/* SPDX-License-Identifier: ISC */
/* The five sets, emptied and proven empty; libcap-ng, which the launcher does not use, is the witness. */
#include "tests/launcher/room.h"

#include <cap-ng.h>
#include <linux/capability.h>
#include <linux/securebits.h>

TestSuite(capabilities, .timeout = 60);

#define NONE "0000000000000000"

static void expect_none_by_libcap_ng(int line) {
	static const struct {
		capng_type_t type;
		const char *name;
	} sets[] = {
		{CAPNG_EFFECTIVE, "effective"},	  {CAPNG_PERMITTED, "permitted"}, {CAPNG_INHERITABLE, "inheritable"},
		{CAPNG_BOUNDING_SET, "bounding"}, {CAPNG_AMBIENT, "ambient"},
	};

	capng_setpid((int)getpid());
	room_expect(capng_get_caps_process() == 0, "capng_get_caps_process", line, " ");
	for (size_t i = 0; i < COUNT(sets); i++)
		for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++)
			room_expect(capng_have_capability(sets[i].type, capability) == 0, "libcap-ng", line,
				    "%s set has %s", sets[i].name, capng_capability_to_name(capability));
}

static void expect_none(int line) {
	static const char *const names[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

	for (size_t i = 0; i < COUNT(names); i++)
		room_expect(strcmp(room_status_of(0, names[i]), NONE) == 0, names[i], line, "%s",
			    room_status_of(0, names[i]));
	expect_none_by_libcap_ng(line);
}

static struct powerless all_stages(void) {
	const struct grouped grouped = identity_join_groups(&room_plan, (struct restored){0}, &room_report);
	const struct confined confined = capabilities_confine(&room_plan, grouped, &room_report);
	const struct assumed assumed = identity_assume_user(&room_plan, confined, &room_report);

	return capabilities_drop(&room_plan, assumed, &room_report);
}

static void expect_no_way_back(int line) {
	room_expect(setresuid((uid_t)-1, 0, (uid_t)-1) != 0 && errno == EPERM, "setresuid", line, " ");
	room_expect(setresgid((gid_t)-1, 0, (gid_t)-1) != 0 && errno == EPERM, "setresgid", line, " ");
	room_expect(setgroups(0, NULL) != 0 && errno == EPERM, "setgroups", line, " ");
	room_expect(prctl(PR_SET_SECUREBITS, 0) != 0 && errno == EPERM, "securebits", line, " ");
	room_expect(prctl(PR_SET_KEEPCAPS, 1) != 0 && errno == EPERM, "keep_caps", line, " ");
	room_expect(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) != 0 && errno == EPERM, "ambient",
		    line, " ");
}

static void confine_and_drop(void) {
	room_ordinary_plan();
	ROOM_EXPECT(all_stages().uid == ROOM_APP);
	expect_none(__LINE__);
	ROOM_EXPECT((prctl(PR_GET_SECUREBITS) & 0xff) == 0xEB, "0x%x", (unsigned)prctl(PR_GET_SECUREBITS));
	expect_no_way_back(__LINE__);
}

Test(capabilities, all_five_sets_end_empty) { room_passes(confine_and_drop); }

static void confine(void) {
	struct confined receipt;

	room_ordinary_plan();
	receipt = capabilities_confine(&room_plan, (struct grouped){ROOM_APP}, &room_report);
	ROOM_EXPECT((receipt.securebits & 0xff) == 0xEB);
	ROOM_EXPECT(prctl(PR_GET_SECUREBITS) == (int)receipt.securebits);
	ROOM_EXPECT_STATUS("CapBnd", NONE);
	ROOM_EXPECT_STATUS("CapAmb", NONE);
	ROOM_EXPECT_STATUS("CapInh", NONE);
	ROOM_EXPECT_STATUS("CapPrm", "00000000000000c0"); /* SETGID and SETUID: to become the app user, or the caller */
	ROOM_EXPECT_STATUS("CapEff", "00000000000000c0");
	ROOM_EXPECT(prctl(PR_SET_SECUREBITS, 0) != 0 && errno == EPERM);
	ROOM_EXPECT(prctl(PR_SET_KEEPCAPS, 1) != 0 && errno == EPERM);
	/* NO_SETUID_FIXUP is locked off, so that the change of uid itself takes what is left. */
	ROOM_EXPECT(setresuid(ROOM_APP, ROOM_APP, ROOM_APP) == 0);
	ROOM_EXPECT_STATUS("CapPrm", NONE);
	ROOM_EXPECT_STATUS("CapEff", NONE);
}

Test(capabilities, confined_leaves_the_kernels_own_clearing_on) { room_passes(confine); }

/* What a caller in a container may have set up so that capabilities survive. */
static void hostile_securebits(void) {
	room_ordinary_plan();
	ROOM_EXPECT(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS) == 0);
	all_stages();
	expect_none(__LINE__);
	ROOM_EXPECT((prctl(PR_GET_SECUREBITS) & 0xff) == 0xEB);
}

Test(capabilities, keep_caps_and_no_setuid_fixup_are_undone) { room_passes(hostile_securebits); }

static void hostile_ambient(void) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	room_ordinary_plan();
	ROOM_EXPECT(syscall(SYS_capget, &header, sets) == 0);
	sets[0].inheritable = sets[0].permitted;
	sets[1].inheritable = sets[1].permitted;
	ROOM_EXPECT(syscall(SYS_capset, &header, sets) == 0);
	ROOM_EXPECT(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0) == 0);
	ROOM_EXPECT(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETPCAP, 0, 0) == 0);
	all_stages();
	expect_none(__LINE__);
}

Test(capabilities, ambient_and_inheritable_are_cleared) { room_passes(hostile_ambient); }

static bool is_roots_own;

static void upper_bits(void) {
	room_ordinary_plan();
	room_plan.restores = !is_roots_own;
	if (prctl(PR_SET_SECUREBITS, 0x100) != 0) /* SECBIT_EXEC_RESTRICT_FILE */
		room_lacks("needs Linux 6.14 (SECBIT_EXEC_RESTRICT_FILE)");
	all_stages();
	ROOM_EXPECT(prctl(PR_GET_SECUREBITS) == (is_roots_own ? 0x1EB : 0xEB), "0x%x",
		    (unsigned)prctl(PR_GET_SECUREBITS));
	expect_none(__LINE__);
}

Test(capabilities, upper_securebits_are_kept_only_for_root_who_set_them) {
	is_roots_own = true;
	room_passes(upper_bits);
	is_roots_own = false;
	room_passes(upper_bits);
}

static void locked_by_the_caller(void) {
	room_ordinary_plan();
	ROOM_EXPECT(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED) == 0);
	all_stages();
}

Test(capabilities, securebits_that_the_caller_locked_are_refused) {
	room_refuses(locked_by_the_caller, 125, "securebits");
}

/* --- without root ---------------------------------------------------------------------------------------------- */

static void without_root(void) {
	struct confined confined;

	room_become_app();
	room_ordinary_plan();
	room_plan.has_root = room_plan.restores = false;
	capabilities_require(&room_plan, &room_report);
	confined = capabilities_confine(&room_plan, (struct grouped){ROOM_APP}, &room_report);
	ROOM_EXPECT(confined.securebits == 0);
	ROOM_EXPECT(capabilities_drop(&room_plan, (struct assumed){ROOM_APP}, &room_report).uid == ROOM_APP);
	ROOM_EXPECT_STATUS("CapPrm", NONE);
	ROOM_EXPECT_STATUS("CapEff", NONE);
	ROOM_EXPECT_STATUS("CapInh", NONE);
	ROOM_EXPECT_STATUS("CapAmb", NONE);
	ROOM_EXPECT(strcmp(room_status_of(0, "CapBnd"), NONE) != 0, "the bounding set stays as it was inherited");
}

Test(capabilities, without_root_four_sets_end_empty) { room_passes(without_root); }

/* A container's app user with capabilities: they must go too, not only be looked at. */
static void app_with_capabilities(void) {
	room_ordinary_plan();
	ROOM_EXPECT(prctl(PR_SET_KEEPCAPS, 1) == 0);
	room_become_app();
	ROOM_EXPECT(strcmp(room_status_of(0, "CapPrm"), NONE) != 0);
	room_plan.has_root = room_plan.restores = false;
	capabilities_drop(&room_plan, (struct assumed){ROOM_APP}, &room_report);
	ROOM_EXPECT_STATUS("CapPrm", NONE);
	ROOM_EXPECT_STATUS("CapEff", NONE);
}

Test(capabilities, what_an_app_user_was_given_goes) { room_passes(app_with_capabilities); }

/* --- few capabilities --------------------------------------------------------------------------------------------- */

static int lacking;

static void lack(void) {
	room_ordinary_plan();
	room_drop_capability(lacking);
	capabilities_require(&room_plan, &room_report);
}

Test(capabilities, a_missing_one_is_named_with_what_adds_it) {
	static const struct {
		int capability;
		const char *name, *hint;
	} cases[] = {{CAP_SETUID, "CAP_SETUID", "--cap-add=SETUID"},
		     {CAP_SETGID, "CAP_SETGID", "--cap-add=SETGID"},
		     {CAP_SETPCAP, "CAP_SETPCAP", "--cap-add=SETPCAP"}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		lacking = cases[i].capability;
		room_refuses(lack, 125, cases[i].name);
		room_refuses(lack, 125, cases[i].hint);
		room_refuses(lack, 125, "[capability-missing]");
	}
}

static void lack_of_what_is_not_needed(void) {
	lacking = CAP_SYS_ADMIN;
	lack();
	lacking = CAP_NET_RAW;
	lack();
	all_stages();
	expect_none(__LINE__);
}

Test(capabilities, others_are_not_needed) { room_passes(lack_of_what_is_not_needed); }

static void empty_bounding_set(void) {
	for (unsigned long i = 0; prctl(PR_CAPBSET_DROP, i) == 0; i++)
		;
	lacking = CAP_SETPCAP;
	lack();
}

/* Nothing has to be dropped then, but the securebits could not be locked. */
Test(capabilities, setpcap_is_required_when_the_bounding_set_is_empty_too) {
	room_refuses(empty_bounding_set, 125, "CAP_SETPCAP");
}

/* Whoever skips that check still meets a wall. */
static void confine_without_setpcap(void) {
	room_ordinary_plan();
	room_drop_capability(CAP_SETPCAP);
	all_stages();
}

/* Attack E5. */
Test(capabilities, a_bounding_set_that_cannot_be_emptied_is_refused) {
	room_refuses(confine_without_setpcap, 125, "bounding set");
}

/* --- ways back, lies and wrong order ----------------------------------------------------------------------------------- */

static void drop_as_root(void) {
	room_ordinary_plan();
	capabilities_drop(&room_plan, (struct assumed){ROOM_APP}, &room_report);
}

Test(capabilities, an_open_way_back_to_root_is_refused) {
	room_refuses(drop_as_root, 125, "a way back to root is open");
}

static void drop_with_saved_root(void) {
	room_ordinary_plan();
	identity_join_groups(&room_plan, (struct restored){0}, &room_report);
	ROOM_EXPECT(setresuid(ROOM_APP, ROOM_APP, 0) == 0);
	capabilities_drop(&room_plan, (struct assumed){ROOM_APP}, &room_report);
}

Test(capabilities, a_saved_uid_of_root_is_refused) {
	room_refuses(drop_with_saved_root, 125, "a way back to root is open");
}

static void wrong_order(void) {
	room_ordinary_plan();
	capabilities_confine(&room_plan, (struct grouped){0}, &room_report);
}

static void wrong_order_of_drop(void) {
	room_become_app();
	room_ordinary_plan();
	capabilities_drop(&room_plan, (struct assumed){0}, &room_report);
}

Test(capabilities, receipts_of_another_plan_are_refused) {
	room_refuses(wrong_order, 125, "[capabilities]");
	room_refuses(wrong_order_of_drop, 125, "runas-app: order: ");
}

static long lie;

static void lied_to(void) {
	room_ordinary_plan();
	room_answer(lie, 0);
	all_stages();
}

Test(capabilities, calls_that_answer_0_without_being_done_are_noticed) {
	static const long lies[] = {SYS_prctl, SYS_capset, SYS_capget};

	for (size_t i = 0; i < COUNT(lies); i++) {
		lie = lies[i];
		room_refuses(lied_to, 125, "[capabilities]");
	}
}

/* --- one call among many that lies ------------------------------------------------------------------------------- */

static struct {
	long number;
	uint32_t first;
	int64_t second;
	unsigned error;
} answer;

static void one_lie(void) {
	room_ordinary_plan();
	room_answer_where(answer.number, answer.first, answer.second, answer.error);
	all_stages();
}

Test(capabilities, one_false_answer_is_noticed) {
	static const struct {
		uint32_t option;
		int64_t capability;
		const char *words;
	} lies[] = {
		{PR_CAPBSET_DROP, CAP_KILL, "bounding set"}, {PR_CAPBSET_DROP, -1, "bounding set"},
		{PR_CAPBSET_READ, -1, "bounding set"},	     {PR_SET_SECUREBITS, -1, "securebits"},
		{PR_GET_SECUREBITS, -1, "securebits"},
	};

	for (size_t i = 0; i < COUNT(lies); i++) {
		answer.number = SYS_prctl;
		answer.first = lies[i].option;
		answer.second = lies[i].capability;
		answer.error = 0;
		room_refuses(one_lie, 125, lies[i].words);
	}
}

static void road_answers(void) {
	room_become_app();
	room_ordinary_plan();
	room_plan.has_root = room_plan.restores = false;
	ROOM_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0); /* or no filter could be loaded */
	room_answer_where(answer.number, answer.first, answer.second, answer.error);
	capabilities_drop(&room_plan, (struct assumed){ROOM_APP}, &room_report);
}

/* Each is tried; closed is what the kernel says of a road that is closed, and nothing else. */
Test(capabilities, every_way_back_is_tried) {
	static const struct {
		long number;
		uint32_t first;
		const char *words;
	} roads[] = {
		{SYS_setresuid, UINT32_MAX, "setresuid"},
		{SYS_setresgid, UINT32_MAX, "setresgid"},
		{SYS_setgroups, 0, "setgroups"},
		{SYS_prctl, PR_SET_SECUREBITS, "securebits"},
	};

	for (size_t i = 0; i < COUNT(roads); i++) {
		answer.number = roads[i].number;
		answer.first = roads[i].first;
		answer.second = -1;
		answer.error = 0;
		room_refuses(road_answers, 125, roads[i].words);
		answer.error = ENOSYS;
		room_refuses(road_answers, 125, roads[i].words);
		answer.error = EINVAL; /* a user namespace without uid 0 */
		room_passes(road_answers);
	}
}
