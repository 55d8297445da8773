/* SPDX-License-Identifier: ISC */
/*
 * Answers of the kernel that its own tests have no reason to give: one call, one argument or one occurrence answers
 * otherwise than the machine would, and the room either bears it, because design.md accepts it, or refuses.
 */
#include "tests/launcher/faults.h"

#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <net/if.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

TestSuite(faults, .timeout = 60);

static long number;
static unsigned first, error;
static int nth;

/* --- caller -------------------------------------------------------------------------------------------------------- */

static struct caller identify(void) {
	static uint32_t groups[CALLER_MAX_GROUPS];
	static char cwd[4096];
	const struct entered entered = {0};

	struct caller c = caller_identify(&entered, groups, &room_report);
	c.cwd = caller_directory(cwd, &room_report);
	return c;
}

static void any_other_id(void) {
	ROOM_EXPECT(setgroups(0, NULL) == 0);
	ROOM_EXPECT(identify().is_uniform);
	ROOM_EXPECT(setresgid(0, 0, ROOM_APP) == 0);
	ROOM_EXPECT(!identify().is_uniform, "the saved gid is another");
	ROOM_EXPECT(setresgid(0, ROOM_APP, 0) == 0);
	ROOM_EXPECT(!identify().is_uniform, "the effective gid is another");
	ROOM_EXPECT(setresgid(0, 0, 0) == 0 && setresuid(0, 0, ROOM_APP) == 0);
	ROOM_EXPECT(!identify().is_uniform, "the saved uid is another");
}

Test(faults, who_has_two_ids_is_not_simply_the_app) { room_passes(any_other_id); }

static void outside_of_root(void) {
	ROOM_EXPECT(chdir("/usr") == 0 && chroot("/usr/lib") == 0);
	ROOM_EXPECT(identify().cwd.length == 0, "(unreachable) is no path");
}

Test(faults, a_directory_outside_of_the_root_is_no_cwd) { room_passes(outside_of_root); }

static void directory_unknown(void) {
	room_answer(SYS_getcwd, error);
	ROOM_EXPECT(identify().cwd.length == 0);
}

Test(faults, a_directory_that_is_gone_or_too_deep_is_no_cwd_and_any_other_answer_none) {
	error = ENAMETOOLONG;
	room_passes(directory_unknown);
	error = ENOENT;
	room_passes(directory_unknown);
	error = EPERM;
	room_refuses(directory_unknown, 125, "directory");
	error = 0;
	room_refuses(directory_unknown, 125, "directory");
}

static void explain_without_proc(void) {
	struct problem why;

	ROOM_EXPECT(chroot("/usr/lib") == 0 && chdir("/") == 0);
	caller_explain(&why);
	ROOM_EXPECT(strstr(why.what, "user namespace") != NULL && why.status == PROBLEM_DENIED, "%s", why.what);
	ROOM_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	caller_explain(&why);
	ROOM_EXPECT(strstr(why.what, "no_new_privs") != NULL, "%s", why.what);
}

Test(faults, without_proc_the_explanation_names_the_rest) { room_passes(explain_without_proc); }

static unsigned long flags;

/* What a launcher without root is like: explained from its own file. */
static void explain_file(void) {
	struct problem why;

	enter_proc_with("exe", "");
	ROOM_EXPECT(chmod("/proc/self/exe", 0755 | (mode_t)nth) == 0);
	ROOM_EXPECT(mount(NULL, "/", NULL, MS_REMOUNT | flags, NULL) == 0);
	caller_explain(&why);
	ROOM_EXPECT(strstr(why.what, nth == 0	  ? "not setuid root"
				     : flags != 0 ? "nosuid"
						  : "user namespace") != NULL,
		    "%s", why.what);
}

Test(faults, a_file_without_effect_is_explained, .init = make_base, .fini = remove_base) {
	flags = 0;
	nth = 0;
	room_passes(explain_file);
	nth = S_ISUID;
	room_passes(explain_file);
	flags = MS_NOSUID;
	room_passes(explain_file);
}

/* --- entry --------------------------------------------------------------------------------------------------------- */

static void enter_without_null(void) {
	static char *arguments[] = {(char *)"runas-app", NULL}, *nothing[] = {NULL};

	close(0);
	room_answer(SYS_openat, EACCES);
	entry_secure(1, arguments, nothing, &room_report);
}

Test(faults, a_missing_descriptor_that_cannot_be_opened) { room_refuses(enter_without_null, 125, "descriptors"); }

/* The same launch, by a caller that left a signal ignored: set to ignored and then to default, each read back. */
static void enter_with_a_signal(void) {
	static char *arguments[] = {(char *)"runas-app", NULL}, *nothing[] = {NULL};

	signal(SIGUSR1, SIG_IGN);
	room_answer_nth(SYS_rt_sigaction, nth, 0, 0);
	entry_secure(1, arguments, nothing, &room_report);
}

Test(faults, a_signal_that_does_not_go_to_its_default) {
	const int before = SIGUSR1 - 1; /* one question each */

	nth = before + 2; /* ask, ignore, ask, default, ask: the ignoring is already so */
	room_passes(enter_with_a_signal);
	nth = before + 4;
	room_refuses(enter_with_a_signal, 125, "signals, timers");
}

static void enter_without_counter(void) {
	static char *arguments[] = {(char *)"runas-app", NULL}, *nothing[] = {NULL};

	room_answer_where(SYS_prctl, PR_GET_TSC, -1, error);
	if (error != 0)
		room_answer_where(SYS_prctl, PR_SET_TSC, -1, first);
	entry_secure(1, arguments, nothing, &room_report);
}

Test(faults, a_processor_without_the_switch_of_the_time_stamp_counter) {
	error = first = EINVAL;
	room_passes(enter_without_counter);
	error = EPERM;
	room_refuses(enter_without_counter, 125, "signals, timers");
	error = EINVAL;
	first = 0; /* set, and not to be read back */
	room_refuses(enter_without_counter, 125, "signals, timers");
}

/* --- descriptors --------------------------------------------------------------------------------------------------- */

static void listen_lacking(void) {
	room_ordinary_plan();
	if (unshare(CLONE_NEWNET) != 0)
		room_lacks("needs a network namespace of its own");
	ROOM_EXPECT(policy_read_listen(text_of("tcp 0.0.0.0:80"), &room_plan.listens[0]));
	room_plan.listen_count = 1;
	room_answer(number, error);
	descriptors_listen(&room_plan, &room_report);
}

Test(faults, listening_without_one_of_its_calls) {
	number = SYS_close_range;
	error = ENOSYS;
	room_refuses(listen_lacking, 125, NULL); /* nor can the report close what root opened: silence */
	number = SYS_setresuid;
	error = EPERM;
	room_refuses(listen_lacking, 125, NULL);
}

static void give_to_a_group(void) {
	int ends[2];

	room_ordinary_plan();
	room_plan.owns_stdio = true;
	ROOM_EXPECT(pipe(ends) == 0 && dup2(ends[0], 0) == 0);
	if (nth == 0)
		room_plan.uid.value = 0; /* so that the gid alone is wrong */
	else
		ROOM_EXPECT(fchown(0, 0, ROOM_APP) == 0 && fchown(1, 0, ROOM_APP) == 0); /* so that the uid alone is */
	room_answer(SYS_fchown, 0);
	descriptors_give_stdio(&room_plan, &room_report);
}

static void give_unseen(void) {
	int ends[2];

	room_ordinary_plan();
	room_plan.owns_stdio = true;
	ROOM_EXPECT(pipe(ends) == 0 && dup2(ends[0], 0) == 0);
	room_answer_nth(number, nth, EIO, 0);
	descriptors_give_stdio(&room_plan, &room_report);
}

Test(faults, a_pipe_that_cannot_be_looked_at) {
	number = SYS_fstatfs;
	nth = 1;
	room_refuses(give_unseen, 125, "[stdio-chown]");
	number = SYS_fstat;
	room_refuses(give_unseen, 125, "[stdio-chown]");
	nth = 2; /* after it was given */
	room_refuses(give_unseen, 125, "[stdio-chown]");
	nth = 9;
	room_passes(give_unseen);
}

Test(faults, a_pipe_that_did_not_get_its_owner_or_its_group) {
	for (nth = 0; nth <= 1; nth++)
		room_refuses(give_to_a_group, 125, "[stdio-chown]");
}

/* --- identity and capabilities ------------------------------------------------------------------------------------- */

static void many_groups(void) {
	enum { MANY = PLAN_MAX_GROUPS + 1 };
	gid_t groups[MANY];

	for (gid_t i = 0; i < MANY; i++)
		groups[i] = 5000 + i;
	ROOM_EXPECT(setgroups(MANY, groups) == 0);
	ROOM_EXPECT(identity_has_groups(0, groups, MANY, room_scratch), "a caller may have more than a plan");
	groups[MANY - 1] = 4999;
	ROOM_EXPECT(!identity_has_groups(0, groups, MANY, room_scratch));
}

Test(faults, a_caller_with_more_groups_than_any_plan) { room_passes(many_groups); }

static void still_dumpable(void) {
	room_ordinary_plan();
	room_plan.has_root = false;
	become_app();
	room_answer_where(SYS_prctl, PR_SET_DUMPABLE, -1, error);
	identity_assume_user(&room_plan, (struct confined){0}, &room_report);
}

Test(faults, without_root_too_nobody_may_trace_us) {
	error = EINVAL;
	room_refuses(still_dumpable, 125, "setresuid");
}

static void securebits_kept(void) {
	room_ordinary_plan();
	room_answer_where(SYS_prctl, PR_SET_SECUREBITS, -1, 0);
	capabilities_confine(&room_plan, (struct grouped){ROOM_APP}, &room_report);
}

Test(faults, securebits_that_did_not_change) { room_refuses(securebits_kept, 125, "securebits"); }

static void no_root_to_go_back_to(void) {
	room_ordinary_plan();
	room_plan.has_root = false;
	become_app();
	room_answer_where(SYS_prctl, PR_SET_SECUREBITS, -1, EPERM);
	room_answer(SYS_setresuid, error);
	capabilities_drop(&room_plan, (struct assumed){ROOM_APP}, &room_report);
}

Test(faults, a_way_back_is_closed_by_these_two_errors_only) {
	error = EINVAL; /* a user namespace without uid 0 */
	room_passes(no_root_to_go_back_to);
	error = EPERM;
	room_passes(no_root_to_go_back_to);
	error = ENOSYS;
	room_refuses(no_root_to_go_back_to, 125, "a way back to root is open");
}

/* --- handover ------------------------------------------------------------------------------------------------------ */

static void very_long(void) {
	static char path[6000];

	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	errno = ENAMETOOLONG;
	handover_unreachable(path, "directory", "cannot be entered", NULL, &room_report);
}

Test(faults, a_path_longer_than_any_is_not_looked_into) { room_refuses(very_long, 125, "File name too long"); }

static void other_file_system(void) {
	static char other[64];

	room_ordinary_plan();
	mount_own("mode=0755");
	snprintf(other, sizeof(other), "%s/other", base);
	ROOM_EXPECT(mkdir(other, 0755) == 0 && mount("runas-test", other, "tmpfs", 0, "mode=0755") == 0);
	ROOM_EXPECT(chdir(base) == 0); /* the root of each has the same inode number */
	room_plan.keeps_cwd = error == 0;
	room_plan.directory = other;
	become_app();
	if (error != 0)
		room_answer(SYS_chdir, 0);
	handover_prepare(&room_plan, (struct restored){0}, (struct powerless){ROOM_APP}, &room_report);
}

Test(faults, the_same_inode_of_another_file_system_is_another_directory, .init = make_base, .fini = remove_base) {
	error = 0;
	room_refuses(other_file_system, 125, "[directory]");
	error = 1; /* chdir lies */
	room_refuses(other_file_system, 125, "[directory]");
}

static const char *bytes;
static size_t length;
static mode_t mode;

static void execute(void) {
	static char path[64];
	static char *arguments[] = {path, NULL};

	room_ordinary_plan();
	mount_own("mode=0755");
	snprintf(path, sizeof(path), "%s/file", base);
	write_file(path, bytes, length, mode);
	room_plan.paths[0] = path;
	room_plan.path_count = 1;
	room_plan.argv = arguments;
	room_plan.environment.strings[0] = NULL;
	become_app();
	room_answer(SYS_execve, error);
	handover_exec(&room_plan, (struct sealed){1}, &room_report);
}

Test(faults, what_execve_says_is_explained, .init = make_base, .fini = remove_base) {
	static const struct {
		unsigned error;
		int status;
		const char *hint;
	} cases[] = {
		{EPERM, 126, "setcap -r"},
		{EAGAIN, 126, "limit_nproc"},
		{EACCES, 126, "without noexec"},
		{EIO, 126, "[not-executable]"},
	};

	bytes = "x";
	length = 1;
	mode = 0755;
	for (size_t i = 0; i < COUNT(cases); i++) {
		error = cases[i].error;
		room_refuses(execute, cases[i].status, cases[i].hint);
	}
	cr_expect(strstr(room_run(execute).said, "hint") == NULL, "nothing is known about the last of them");
}

/* ENOENT of a file that is there is its interpreter's; only a script names one. */
Test(faults, only_a_script_names_its_interpreter, .init = make_base, .fini = remove_base) {
	static const char *const no_scripts[] = {"", "#!", "\177ELF", "#x/bin/sh", "x!/bin/sh"};

	error = ENOENT;
	mode = 0755;
	for (size_t i = 0; i < COUNT(no_scripts); i++) {
		bytes = no_scripts[i];
		length = strlen(bytes);
		room_refuses(execute, 127, "its interpreter does not exist: [not-found]");
	}
	bytes = "#! /gone x\n";
	length = strlen(bytes);
	room_refuses(execute, 127, "its interpreter does not exist: \"/gone\" [not-found]");
	mode = 0711; /* which the app user may not read */
	room_refuses(execute, 127, "its interpreter does not exist: [not-found]");
}

/* --- landlock ------------------------------------------------------------------------------------------------------ */

static void become_limited(bool has_root) {
	room_ordinary_plan();
	if (landlock_abi() < 3)
		room_lacks("needs Landlock, ABI 3 (Linux 6.2)");
	room_plan.has_root = has_root;
	room_plan.write_rights = 0x7ff2;
	become_app();
}

static void limit(void) { landlock_limit(&room_plan, (struct handed_over){room_plan.umask}, &room_report); }

static void twice(void) {
	become_limited(false);
	limit();
	limit();
}

static void twice_as_root(void) {
	become_limited(false);
	limit();
	room_plan.has_root = true;
	limit();
}

Test(faults, a_launch_inside_a_launch_needs_no_new_proof_where_nothing_is_gained) {
	room_passes(twice);
	room_refuses(twice_as_root, 125, "to prove it");
}

static void abi_of_another_kernel(void) {
	room_answer_nth(SYS_landlock_create_ruleset, 1, (int)error, nth);
	const int is = landlock_abi();
	ROOM_EXPECT(is == (error != 0 ? -(int)error : nth), "%d", is);
}

Test(faults, the_abi_is_what_the_kernel_says) {
	error = 0;
	for (nth = 0; nth <= 9; nth += 3)
		room_passes(abi_of_another_kernel);
	error = EOPNOTSUPP;
	room_passes(abi_of_another_kernel);
}

static void closed_by_an_error(void) {
	become_limited(true);
	room_answer(SYS_landlock_restrict_self, 0);
	room_answer_nth(SYS_openat, 9, EIO, 0); /* two proofs, six devices, and the first proof again */
	limit();
}

Test(faults, only_landlocks_own_error_is_a_proof) { room_refuses(closed_by_an_error, 125, "to prove it"); }

/* 0 to 2 are taken: who is given one of them is lied to, and leaves it alone. */
static void given_standard_error(void) {
	become_limited(true);
	room_answer_nth(number, nth, 0, 2);
	limit();
	ROOM_EXPECT(fcntl(2, F_GETFD) >= 0, "it was closed");
}

Test(faults, standard_error_is_no_ruleset_and_no_file) {
	number = SYS_landlock_create_ruleset;
	nth = 1;
	room_refuses(given_standard_error, 125, "landlock_create_ruleset: did not take effect [write]");
	number = SYS_openat;
	room_passes(given_standard_error); /* the second proof is enough */
	nth = 2;
	room_passes(given_standard_error); /* so is the first */
	nth = 3;
	room_refuses(given_standard_error, 125, "/dev/null: did not take effect [write]");
}

/* Closed before: writing to what the first directory is not. */
static void close_beforehand(const char *left_open) {
	const struct landlock_ruleset_attr handled = {.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE};
	struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE};
	const int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);

	rule.parent_fd = open(left_open, O_PATH | O_CLOEXEC);
	ROOM_EXPECT(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0);
	ROOM_EXPECT(syscall(SYS_landlock_restrict_self, ruleset, 0) == 0);
	close(ruleset);
	close(rule.parent_fd);
}

static const char *open_place;

static void lied_to_without_root(void) {
	become_limited(false);
	close_beforehand(open_place);
	room_answer(SYS_landlock_restrict_self, 0);
	limit();
}

Test(faults, without_root_a_limit_that_did_not_come_is_seen_where_anything_was_open) {
	open_place = "/dev";
	room_refuses(lied_to_without_root, 125, "to prove it");
	open_place = "/proc";
	room_refuses(lied_to_without_root, 125, "to prove it");
}

static void close_fails(void) {
	become_limited(true);
	room_answer(SYS_close, EIO);
	limit();
}

static void one_close_fails(void) {
	become_limited(true);
	room_answer_nth(SYS_close, nth, EIO, 0);
	limit();
}

Test(faults, a_close_that_fails) {
	int of_the_ruleset = 0;

	room_refuses(close_fails, 125, "[write]");
	for (nth = 1; nth <= 16; nth++) {
		const struct room_end end = room_run(one_close_fails);

		if (room->is_lacking)
			SKIP(room->failures);
		cr_expect(room->used == 0, "%s", room->failures);
		cr_expect(room->is_done || end.status == 125, "close %d: status %d", nth, end.status);
		of_the_ruleset += !room->is_done && strstr(end.said, "landlock_restrict_self") != NULL;
	}
	cr_expect(of_the_ruleset == 1, "%d times", of_the_ruleset);
}

static const char *options;

static void without_devices(void) {
	room_ordinary_plan();
	snprintf(base, sizeof(base), "/dev");
	mount_own(options);
	base[0] = '\0';
	become_limited(true);
	limit();
}

Test(faults, devices_that_are_not_there_are_not_needed) {
	options = "mode=0755";
	room_passes(without_devices);
	options = "mode=0700"; /* not for the app to see */
	room_passes(without_devices);
}

/* --- trusted files are in test_trusted_file; report ---------------------------------------------------------------- */

static int abi;
static const char *said;

static void allowed_and_logged(void) {
	const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	const int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	static const struct request request = {0};
	static const struct caller caller = {0};
	struct report r = room_report;
	char line[1024] = "";

	snprintf(base, sizeof(base), "/dev");
	mount_own("mode=0755");
	ROOM_EXPECT(bind(to, (const struct sockaddr *)&log, sizeof(log)) == 0);
	room_ordinary_plan();
	room_plan.landlock_abi = abi;
	memset(&r.log, 0, sizeof(r.log)); /* syslog */
	r.caller = &caller;
	r.request = &request;
	ROOM_EXPECT(report_allowed(&r, &room_plan, text_of("none")));
	ROOM_EXPECT(recv(to, line, sizeof(line) - 1, 0) > 0);
	ROOM_EXPECT((strstr(line, "landlock=") != NULL) == (abi >= 0) && strstr(line, said) != NULL, "%s", line);
	ROOM_EXPECT((strstr(line, "unlimited=truncate") != NULL) == (abi == 2), "%s", line);
}

Test(faults, what_an_older_landlock_leaves_open_is_said_at_every_launch) {
	static const struct {
		int abi;
		const char *said;
	} cases[] = {{-1, "syscalls="}, {0, "landlock=0"}, {2, "landlock=2 unlimited=truncate"}, {3, "landlock=3"}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		abi = cases[i].abi;
		said = cases[i].said;
		room_passes(allowed_and_logged);
	}
}

static void report_saved_root(void) {
	const struct problem why = {.status = PROBLEM_SELF, .word = "x", .what = "said"};

	ROOM_EXPECT(setresuid(ROOM_CALLER, ROOM_CALLER, 0) == 0);
	report_problem(&room_report, &why);
}

static void report_without_setgroups(void) {
	const struct problem why = {.status = PROBLEM_SELF, .word = "x", .what = "said"};
	static const gid_t theirs[] = {27, 4020};
	static const struct request request = {0};
	static struct caller caller = {.uid = {ROOM_CALLER}, .gid = {ROOM_CALLER}, .groups = theirs, .group_count = 2};
	static struct report r;

	r = room_report;
	r.caller = &caller;
	r.request = &request;
	room_answer(SYS_setgroups, EPERM);
	report_problem(&r, &why);
}

Test(faults, the_report_is_silent_where_root_is_not_quite_gone) {
	room_refuses(report_saved_root, 125, NULL);
	room_refuses(report_without_setgroups, 125, NULL);
}
