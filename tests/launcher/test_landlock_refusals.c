/* SPDX-License-Identifier: ISC */
/* Write lists that cannot be had: paths that are not there, kernels that refuse, and kernels that only say they did. */
#include "tests/launcher/written.h"

#include <linux/landlock.h>

TestSuite(landlock, .timeout = 120);

static const char *listed;

static void listing(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	add_write(listed);
	limit();
}

static void expect_unreachable(const char *path, const char *first, const char *error) {
	char words[512];

	listed = at(path);
	snprintf(words, sizeof(words),
		 "runas-app: %s: the app user cannot reach \"%s\": %s [write]\nhint: a write path must exist", listed,
		 at(first), error);
	room_refuses(listing, 125, words);
}

Test(landlock, a_missing_path_is_refused_by_its_first_missing_part, .init = make_tree_for_abi_3, .fini = remove_tree) {
	expect_unreachable("in/none", "in/none", "No such file or directory");
	expect_unreachable("none/deeper/still", "none", "No such file or directory");
	expect_unreachable("in/none/deeper", "in/none", "No such file or directory");
	expect_unreachable("in/file/deeper", "in/file", "Not a directory");
}

Test(landlock, a_path_that_the_app_user_cannot_enter_is_refused, .init = make_tree_for_abi_3, .fini = remove_tree) {
	expect_unreachable("closed/in", "closed", "Permission denied");
	expect_unreachable("closed/in/deeper", "closed", "Permission denied");
}

static void wrong_order(void) {
	become_ready(0);
	landlock_limit(&room_plan, (struct handed_over){0}, &room_report);
}

Test(landlock, receipts_of_another_plan_are_refused) { room_refuses(wrong_order, 125, "[write]"); }

static void without_no_new_privs(void) {
	room_become_app();
	room_ordinary_plan();
	room_plan.write_rights = ABI_3_RIGHTS;
	limit();
}

Test(landlock, what_the_kernel_refuses_is_named) {
	need_landlock(3);
	room_refuses(without_no_new_privs, 125, "landlock_restrict_self: failed: Operation not permitted [write]");
}

static void unknown_right(void) {
	become_ready(ABI_3_RIGHTS | UINT64_C(1) << 60);
	limit();
}

Test(landlock, a_right_that_the_kernel_does_not_know_is_refused) {
	need_landlock(3);
	room_refuses(unknown_right, 125, "landlock_create_ruleset: failed: Invalid argument [write]");
}

static void everything_listed(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in/up")); /* -> / */
	limit();
}

/* A limit that shows nowhere cannot be told from one that is not there. */
Test(landlock, a_list_that_limits_nothing_is_refused, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_refuses(everything_listed, 125, "Landlock: did not take effect [write]");
}

static void layer_17(void) {
	const struct landlock_ruleset_attr handled = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_CHAR};

	become_ready(ABI_3_RIGHTS);
	for (int i = 0; i < 16; i++) {
		const int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0L);

		ROOM_EXPECT(ruleset > 2 && syscall(SYS_landlock_restrict_self, (long)ruleset, 0L) == 0 &&
			    close(ruleset) == 0);
	}
	limit();
}

/* Attack E7. */
Test(landlock, the_17th_layer_is_refused_by_name) {
	need_landlock(3);
	room_refuses(layer_17, 125,
		     "landlock_restrict_self: failed: Argument list too long [write]\nhint: it takes 16 layers");
}

/* --- a kernel that says it did ------------------------------------------------------------------------------------------ */

static long lie;
static unsigned lie_error;

static void lied_to(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	room_answer(lie, lie_error);
	limit();
}

Test(landlock, calls_that_answer_0_without_being_done_are_noticed, .init = make_tree_for_abi_3, .fini = remove_tree) {
	static const struct {
		long call;
		const char *object;
	} lies[] = {
		{SYS_landlock_create_ruleset, "landlock_create_ruleset"},
		{SYS_landlock_restrict_self, "Landlock"},
		{SYS_openat, "/dev/null"},
	};
	char words[128];

	for (size_t i = 0; i < COUNT(lies); i++) {
		lie = lies[i].call;
		lie_error = 0;
		snprintf(words, sizeof(words), "runas-app: %s: did not take effect [write]", lies[i].object);
		room_refuses(lied_to, 125, words);
	}
}

Test(landlock, calls_that_fail_are_refused, .init = make_tree_for_abi_3, .fini = remove_tree) {
	static const struct {
		long call;
		const char *object;
	} calls[] = {
		{SYS_landlock_create_ruleset, "landlock_create_ruleset"},
		{SYS_landlock_add_rule, "/dev/null"},
		{SYS_landlock_restrict_self, "landlock_restrict_self"},
		{SYS_openat, "/dev/null"},
	};
	static const unsigned errors[] = {ENOSYS, EPERM, EINVAL, ENOMEM};
	char words[128];

	for (size_t i = 0; i < COUNT(calls) * COUNT(errors); i++) {
		lie = calls[i / COUNT(errors)].call;
		lie_error = errors[i % COUNT(errors)];
		snprintf(words, sizeof(words), "runas-app: %s: failed: %s [write]", calls[i / COUNT(errors)].object,
			 strerror((int)lie_error));
		room_refuses(lied_to, 125, words);
	}
}

/* Then the list is shorter than planned: less may be written, never more. */
static void lied_to_about_rules(void) {
	lied_to();
	expect_attempts("in", EACCES, __LINE__);
	expect_attempts("out", EACCES, __LINE__);
	ROOM_EXPECT(try_open("/dev/null", O_WRONLY) == EACCES);
}

Test(landlock, a_rule_that_was_not_added_allows_nothing, .init = make_tree_for_abi_3, .fini = remove_tree) {
	lie = SYS_landlock_add_rule;
	room_passes(lied_to_about_rules);
}

static void lied_to_about_files(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	room_answer(SYS_newfstatat, 0);
	room_answer(SYS_fstat, 0);
	limit();
}

Test(landlock, a_status_that_was_not_read_is_noticed, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_refuses(lied_to_about_files, 125, "runas-app: /dev/null: did not take effect [write]");
}

/* The ruleset stays open, and closes on exec. */
static void lied_to_about_closing(void) {
	lie = SYS_close;
	lied_to();
	for (int fd = 3; fd < 64; fd++)
		ROOM_EXPECT(fcntl(fd, F_GETFD) == -1 || fcntl(fd, F_GETFD) == FD_CLOEXEC, "descriptor %d", fd);
}

Test(landlock, what_a_false_close_leaves_closes_on_exec, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_passes(lied_to_about_closing);
}
