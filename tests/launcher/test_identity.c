/* SPDX-License-Identifier: ISC */
/* Becoming somebody: exactly the given ids, read back, and for good. */
#include "tests/launcher/room.h"

TestSuite(identity, .timeout = 60);

static void join(void) {
	const gid_t before[] = {4, 27, 1000};
	struct grouped receipt;

	ROOM_EXPECT(setgroups(3, before) == 0);
	receipt = identity_join_groups(room_ordinary_plan(), (struct restored){0}, &room_report);
	ROOM_EXPECT(receipt.gid == ROOM_APP);
	ROOM_EXPECT_STATUS("Groups", "4002 4010 4011");
	ROOM_EXPECT_STATUS("Gid", "4002\t4002\t4002\t4002");
	ROOM_EXPECT_STATUS("Uid", "0\t0\t0\t0");
	ROOM_EXPECT(prctl(PR_GET_DUMPABLE) == 0);
}

Test(identity, joins_exactly_the_plans_groups) { room_passes(join); }

static void join_none(void) {
	const gid_t before[] = {0, 4, 27};

	ROOM_EXPECT(setgroups(3, before) == 0);
	room_ordinary_plan();
	room_plan.group_count = 0;
	identity_join_groups(&room_plan, (struct restored){0}, &room_report);
	ROOM_EXPECT_STATUS("Groups", "");
	ROOM_EXPECT_STATUS("Gid", "4002\t4002\t4002\t4002");
}

Test(identity, no_groups_means_none) { room_passes(join_none); }

static void join_many(void) {
	char want[1024] = "";

	room_ordinary_plan();
	for (unsigned i = 0; i < PLAN_MAX_GROUPS; i++) {
		char word[16];

		room_plan.groups[i] = 5000 + i;
		snprintf(word, sizeof(word), i > 0 ? " %u" : "%u", 5000 + i);
		strcat(want, word);
	}
	room_plan.group_count = PLAN_MAX_GROUPS;
	identity_join_groups(&room_plan, (struct restored){0}, &room_report);
	ROOM_EXPECT_STATUS("Groups", want);
}

Test(identity, as_many_groups_as_a_plan_can_have) { room_passes(join_many); }

static void assume(void) {
	struct assumed receipt;

	identity_join_groups(room_ordinary_plan(), (struct restored){0}, &room_report);
	receipt = identity_assume_user(&room_plan, (struct confined){0}, &room_report);
	ROOM_EXPECT(receipt.uid == ROOM_APP);
	ROOM_EXPECT_STATUS("Uid", "4002\t4002\t4002\t4002");
	ROOM_EXPECT_STATUS("CapPrm", "0000000000000000");
	ROOM_EXPECT_STATUS("CapEff", "0000000000000000");
	ROOM_EXPECT(prctl(PR_GET_DUMPABLE) == 0);
	ROOM_EXPECT(setresuid((uid_t)-1, 0, (uid_t)-1) != 0 && errno == EPERM);
	ROOM_EXPECT(setresgid((gid_t)-1, 0, (gid_t)-1) != 0 && errno == EPERM);
	ROOM_EXPECT(setgroups(0, NULL) != 0 && errno == EPERM);
}

Test(identity, assumes_the_user_for_good) { room_passes(assume); }

static void leave_caller(void) {
	const gid_t none = ROOM_CALLER;

	room_become_setuid(&none, 1);
	ROOM_EXPECT_STATUS("Uid", "4001\t0\t0\t0");
	ROOM_EXPECT(identity_leave_caller());
	ROOM_EXPECT_STATUS("Uid", "0\t0\t0\t0");
}

Test(identity, the_callers_real_uid_can_be_left) { room_passes(leave_caller); }

static void verify_only(void) {
	room_become_app();
	room_ordinary_plan();
	room_plan.has_root = room_plan.restores = false;
	ROOM_EXPECT(identity_join_groups(&room_plan, (struct restored){0}, &room_report).gid == ROOM_APP);
	ROOM_EXPECT(identity_assume_user(&room_plan, (struct confined){0}, &room_report).uid == ROOM_APP);
	ROOM_EXPECT_STATUS("Uid", "4002\t4002\t4002\t4002");
}

Test(identity, without_root_it_only_verifies) { room_passes(verify_only); }

static void verify_another(void) {
	room_become_app();
	room_ordinary_plan();
	room_plan.has_root = room_plan.restores = false;
	room_plan.uid.value = 4003;
	identity_assume_user(&room_plan, (struct confined){0}, &room_report);
}

Test(identity, without_root_another_user_is_refused) { room_refuses(verify_another, 125, "setresuid"); }

static void as_sets(void) {
	const gid_t now[] = {ROOM_APP, ROOM_WEB, ROOM_EXTRA};
	const uint32_t other_order[] = {ROOM_EXTRA, ROOM_APP, ROOM_WEB}, another[] = {ROOM_APP, ROOM_WEB, 4012};

	ROOM_EXPECT(setgroups(3, now) == 0);
	ROOM_EXPECT(setresgid(ROOM_APP, ROOM_APP, ROOM_APP) == 0);
	ROOM_EXPECT(identity_has_groups(ROOM_APP, other_order, 3, room_scratch));
	ROOM_EXPECT(!identity_has_groups(ROOM_APP, another, 3, room_scratch));
	ROOM_EXPECT(!identity_has_groups(ROOM_APP, other_order, 2, room_scratch));
	ROOM_EXPECT(!identity_has_groups(ROOM_APP, NULL, 0, room_scratch));
	ROOM_EXPECT(!identity_has_groups(ROOM_WEB, other_order, 3, room_scratch));
	ROOM_EXPECT(setresgid(ROOM_APP, ROOM_APP, ROOM_WEB) == 0);
	ROOM_EXPECT(!identity_has_groups(ROOM_APP, other_order, 3, room_scratch), "another saved gid");
	ROOM_EXPECT(setresgid(ROOM_WEB, ROOM_APP, ROOM_APP) == 0);
	ROOM_EXPECT(!identity_has_groups(ROOM_APP, other_order, 3, room_scratch), "another real gid");
	ROOM_EXPECT(setresgid(ROOM_APP, ROOM_APP, ROOM_APP) == 0 && syscall(SYS_setfsgid, ROOM_WEB) == ROOM_APP);
	ROOM_EXPECT(!identity_has_groups(ROOM_APP, other_order, 3, room_scratch), "another fsgid");
	ROOM_EXPECT(setresgid(ROOM_APP, ROOM_WEB, ROOM_APP) == 0 && syscall(SYS_setfsgid, ROOM_APP) == ROOM_WEB);
	ROOM_EXPECT(!identity_has_groups(ROOM_APP, other_order, 3, room_scratch), "another effective gid");
}

/* Attack B6. */
Test(identity, groups_are_compared_as_a_set_with_every_gid) { room_passes(as_sets); }

/* A caller's, to whom a report goes back: more than any plan has. */
static void hundred_groups(void) {
	gid_t groups[100];

	for (unsigned i = 0; i < COUNT(groups); i++)
		groups[i] = 5000 + i;
	ROOM_EXPECT(identity_set_groups(ROOM_APP, groups, COUNT(groups), room_scratch));
	groups[50] = 4999;
	ROOM_EXPECT(!identity_has_groups(ROOM_APP, groups, COUNT(groups), room_scratch));
}

Test(identity, a_caller_may_have_more_groups_than_a_plan) { room_passes(hundred_groups); }

static void stay_caller(void) {
	const gid_t none = ROOM_CALLER;

	room_become_setuid(&none, 1);
	room_answer(SYS_setresuid, 0);
	ROOM_EXPECT(!identity_leave_caller());
}

Test(identity, a_real_uid_that_stays_is_noticed) { room_passes(stay_caller); }

/* A root caller's filter can answer 0 without doing the call. */
static long lie;

static void lied_to(void) {
	room_ordinary_plan();
	room_answer(lie, 0);
	identity_join_groups(&room_plan, (struct restored){0}, &room_report);
	identity_assume_user(&room_plan, (struct confined){0}, &room_report);
}

Test(identity, calls_that_answer_0_without_being_done_are_noticed) {
	static const struct {
		long number;
		const char *words;
	} lies[] = {
		{SYS_setgroups, "setgroups"}, {SYS_setresgid, "setresgid"}, {SYS_setresuid, "setresuid"},
		{SYS_getgroups, "setgroups"}, {SYS_getresgid, "setresgid"}, {SYS_getresuid, NULL},
	};

	for (size_t i = 0; i < COUNT(lies); i++) {
		lie = lies[i].number;
		room_refuses(lied_to, 125, lies[i].words);
	}
}

static void without_setgid(void) {
	room_ordinary_plan();
	room_answer(SYS_setgroups, EPERM);
	identity_join_groups(&room_plan, (struct restored){0}, &room_report);
}

Test(identity, a_failing_call_is_named) {
	room_refuses(without_setgid, 125, "setgroups, setresgid: failed: Operation not permitted [identity]");
}
