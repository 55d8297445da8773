/* SPDX-License-Identifier: ISC */
/* Started without root, with few capabilities, or with odd ones: the policy's state, or a refusal that says why. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "gifts.h"
#include "world.h"

TestSuite(without_root, .timeout = 60);

#define PLAIN "/usr/local/bin/runas-plain"

enum { CAP_CHOWN_ = 0, CAP_SETGID_ = 6, CAP_SETUID_ = 7, CAP_SETPCAP_ = 8, CAP_NET_RAW_ = 13 };

static struct world_run *run_plain(const struct world_person *who, void (*as_caller)(const void *), const void *data) {
	return world_run(&(struct world_call){.who = who,
					      .program = PLAIN,
					      .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
					      .as_caller = as_caller,
					      .data = data});
}

static void enter(const char *more) {
	world_enter();
	world_copy(WORLD_RUNAS, PLAIN, 0755);
	world_app_policy("probe", more);
}

/* --- already the app's user --- */

Test(without_root, the_app_user_itself_needs_nobody_s_leave) {
	enter("");
	struct world_run *run = run_plain(&world_app, NULL, NULL);
	world_expect_confined(run, WORLD_APP, WORLD_APP, "4002", false);
	world_expect_value(run, "umask", "0027");
	world_expect_value(run, "cwd", "/srv/ra_app");
	cr_expect(world_exited(run, 0));
}

Test(without_root, the_command_is_asked_all_the_same) {
	enter("");
	world_policy("probe", "runas-app = 1\nuser = ra_app\ncommand = /usr/bin/id\n");
	struct world_run *run = run_plain(&world_app, NULL, NULL);
	world_expect_refused(run, 126, WORLD_PROBE);
}

Test(without_root, no_supplementary_group_is_the_policys_set_too) {
	static const struct world_person alone = {WORLD_APP, WORLD_APP, 0, {0}};

	enter("");
	struct world_run *run = run_plain(&alone, NULL, NULL);
	cr_assert(world_value(run, "end"), "%s", run->err);
	world_expect_value(run, "ruid", "4002");
	world_expect_value(run, "no_new_privs", "1");
}

Test(without_root, groups_that_differ_are_refused_and_the_difference_is_named) {
	static const struct world_person more = {WORLD_APP, WORLD_APP, 2, {WORLD_APP, WORLD_GROUP_WEB}};
	static const struct world_person elsewhere = {WORLD_APP, WORLD_GROUP_WEB, 1, {WORLD_GROUP_WEB}};

	enter("");
	struct world_run *run = run_plain(&more, NULL, NULL);
	world_expect_refused(run, 125, "group");
	cr_expect(strstr(run->err, "4010") != NULL, "the group that is too much is not named: %s", run->err);
	cr_expect(strstr(run->err, "hint: ") != NULL, "%s", run->err);

	run = run_plain(&elsewhere, NULL, NULL);
	world_expect_refused(run, 125, "group");
	cr_expect(strstr(run->err, "4010") != NULL || strstr(run->err, "4002") != NULL, "neither group is named: %s",
		  run->err);

	world_app_policy("probe", "groups = ra_app ra_extra\n");
	run = run_plain(&world_app, NULL, NULL);
	world_expect_refused(run, 125, "group");
	cr_expect(strstr(run->err, "4011") != NULL, "the group that lacks is not named: %s", run->err);
}

static void forbid_new_privileges(const void *data) {
	(void)data;
	gift_need(prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0, "no_new_privs");
}

Test(without_root, the_setuid_file_under_no_new_privs_is_the_plain_one_for_the_app_user) {
	enter("");
	world_expect_confined(world_probe(&world_app, forbid_new_privileges, NULL), WORLD_APP, WORLD_APP, "4002",
			      false);
}

/* --- somebody else: which of the reasons is it? --- */

Test(without_root, a_missing_setuid_bit_is_named) {
	enter("");
	struct world_run *run = run_plain(&world_deploy, NULL, NULL);
	cr_expect(run->out_length == 0 && !world_exited(run, 0), "%s", run->out);
	cr_expect(strstr(run->err, "setuid") != NULL, "%s", run->err);
}

/* Attack E3. */
Test(without_root, no_new_privs_is_named) {
	enter("");
	struct world_run *run = world_probe(&world_deploy, forbid_new_privileges, NULL);
	cr_expect(run->out_length == 0 && !world_exited(run, 0), "%s", run->out);
	cr_expect(strstr(run->err, "no_new_privs") != NULL, "%s", run->err);
}

/* Attack E3. */
Test(without_root, a_nosuid_mount_is_named) {
	enter("");
	world_directory("/srv/nosuid", 0, 0, 0755);
	cr_assert(mount("runas-test", "/srv/nosuid", "tmpfs", MS_NOSUID, "mode=0755") == 0);
	world_copy(WORLD_RUNAS, "/srv/nosuid/runas-app", 04755);
	struct world_run *run =
		world_run(&(struct world_call){.who = &world_deploy,
					       .program = "/srv/nosuid/runas-app",
					       .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE)});
	cr_expect(run->out_length == 0 && !world_exited(run, 0), "%s", run->out);
	cr_expect(strstr(run->err, "nosuid") != NULL, "%s", run->err);
}

Test(without_root, being_traced_is_named) {
	enter("");
	if (access("/usr/bin/strace", X_OK) != 0)
		SKIP("strace is missing: scripts/bootstrap check installs it");
	/* Traced by somebody who is not root, the kernel ignores the setuid bit. */
	struct world_run *run =
		world_run(&(struct world_call){.who = &world_deploy,
					       .argv = WORLD_LIST("/usr/bin/strace", "-qqq", "-o", "/dev/null",
								  WORLD_RUNAS, "probe", "--", WORLD_PROBE)});
	cr_expect(run->out_length == 0 && !world_exited(run, 0), "%s", run->out);
	cr_expect(strstr(run->err, "traced") != NULL, "%s", run->err);
}

static void enter_user_namespace(const void *data) {
	(void)data;
	gift_need(unshare(CLONE_NEWUSER) == 0, "user namespace");
}

static void enter_mapped_user_namespace(const void *data) {
	static const char *const files[] = {"/proc/self/setgroups", "/proc/self/uid_map", "/proc/self/gid_map"};
	static const char *const texts[] = {"deny", "0 4001 1", "0 4001 1"};

	enter_user_namespace(data);
	for (int i = 0; i < 3; i++)
		gift_write(files[i], texts[i]);
}

/* Attack E4. */
Test(without_root, a_user_namespace_is_named) {
	enter("");
	struct world_run *run = world_probe(&world_deploy, enter_user_namespace, NULL);
	if (world_exited(run, WORLD_CHILD_BROKE))
		SKIP("user namespaces: not for unprivileged users on this machine");
	cr_expect(run->out_length == 0 && !world_exited(run, 0), "%s", run->out);
	cr_expect(strstr(run->err, "user namespace") != NULL, "%s", run->err);

	/* Root only inside: it cannot become the app's user, and files of the real root are not its own. */
	run = world_probe(&world_deploy, enter_mapped_user_namespace, NULL);
	cr_expect(run->out_length == 0 && !world_exited(run, 0) && !world_exited(run, WORLD_CHILD_BROKE),
		  "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
}

/* --- root that lacks something --- */

static void drop_capability(const void *data) {
	gift_need(prctl(PR_CAPBSET_DROP, (unsigned long)*(const int *)data, 0L, 0L, 0L) == 0, "PR_CAPBSET_DROP");
}

/* Attack E5. */
Test(without_root, a_capability_that_lacks_is_named) {
	static const int lacking[] = {CAP_SETPCAP_, CAP_SETUID_, CAP_SETGID_};
	static const char *const names[] = {"SETPCAP", "SETUID", "SETGID"};
	static const struct world_person *const callers[] = {&world_root, &world_deploy};

	enter("");
	for (int i = 0; i < 3; i++) {
		for (int who = 0; who < 2; who++) {
			struct world_run *run = world_run(
				&(struct world_call){.who = callers[who],
						     .program = WORLD_RUNAS,
						     .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
						     .as_root = drop_capability,
						     .data = &lacking[i]});
			/* The deployer's own child could not have become the deployer either. */
			if (world_exited(run, WORLD_CHILD_BROKE))
				continue;
			world_expect_refused(run, 125, names[i]);
			cr_expect(strstr(run->err, "hint: ") != NULL, "no hint: %s", run->err);
		}
	}
}

static void keep_three_capabilities(const void *data) {
	(void)data;
	for (unsigned long one = 0; one < 64; one++) {
		if (one != CAP_SETGID_ && one != CAP_SETUID_ && one != CAP_SETPCAP_)
			prctl(PR_CAPBSET_DROP, one, 0L, 0L, 0L);
	}
}

Test(without_root, three_capabilities_are_enough_for_root) {
	enter("");
	world_expect_app(world_probe(&world_root, keep_three_capabilities, NULL));
}

static void set_securebits(const void *data) {
	gift_need(prctl(PR_SET_SECUREBITS, (unsigned long)*(const int *)data, 0L, 0L, 0L) == 0, "securebits");
}

/* Attack E1. */
Test(without_root, securebits_of_root_are_replaced_or_refused) {
	/* bit 2: no_setuid_fixup, bit 4: keep_caps, bit 6: no ambient; each one left its lock. */
	static const int replaced[] = {0x04, 0x10, 0x14, 0x40, 0x20, 0x54, 0xE8};
	static const int refused[] = {0x0C, 0x02, 0x03, 0x01, 0x30};

	enter("");
	for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++)
		world_expect_app(world_probe(&world_root, set_securebits, &replaced[i]));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct world_run *run = world_probe(&world_root, set_securebits, &refused[i]);
		/* keep_caps is cleared by exec where it is not locked, and noroot leaves root powerless: never a wrong state. */
		if (world_value(run, "end"))
			world_expect_app(run);
		else
			world_expect_refused(run, 125, "[");
	}
	struct world_run *run = world_probe(&world_root, set_securebits, &refused[0]);
	cr_expect(run->out_length == 0, "a locked no_setuid_fixup cannot be undone: %.200s", run->out);
}

static void set_exec_securebits(const void *data) {
	(void)data;
	if (prctl(PR_SET_SECUREBITS, 0x100UL, 0L, 0L, 0L) != 0)
		_exit(WORLD_CHILD_BROKE);
}

Test(without_root, securebits_that_are_not_about_capabilities_stay_if_root_set_them) {
	enter("");
	struct world_run *direct = world_probe_directly(&world_deploy, set_exec_securebits, NULL);
	if (world_exited(direct, WORLD_CHILD_BROKE))
		SKIP("SECBIT_EXEC_RESTRICT_FILE: this kernel is older than 6.14");
	struct world_run *run = world_probe(&world_deploy, set_exec_securebits, NULL);
	world_expect_value(run, "ruid", "4002");
	world_expect_value(run, "securebits", "0xEB");
	run = world_probe(&world_root, set_exec_securebits, NULL);
	world_expect_value(run, "ruid", "4002");
	world_expect_value(run, "securebits", "0x1EB");
}

static void raise_ambient(const void *data) {
	(void)data;
	gift_ambient(CAP_NET_RAW_);
}

Test(without_root, ambient_and_inheritable_capabilities_of_root_are_gone) {
	enter("");
	/* As root the ambient set is part of what exec gives anyway; the inheritable one shows that the gift arrives. */
	struct world_run *direct = world_probe_directly(&world_root, raise_ambient, NULL);
	cr_assert(strcmp(world_value(direct, "cap_inheritable"), "0000000000002000") == 0);
	world_expect_app(world_probe(&world_root, raise_ambient, NULL));
}

/* Attack E6. */
Test(without_root, ambient_capabilities_of_the_app_user_are_gone_too) {
	enter("");
	/* Ambient capabilities survive the change to the app's user only with keep_caps: as a container runtime does it. */
	struct world_run *run = world_run(
		&(struct world_call){.who = &world_root,
				     .argv = WORLD_LIST("/usr/bin/setpriv", "--reuid=4002", "--regid=4002",
							"--groups=4002", "--inh-caps=+net_raw",
							"--ambient-caps=+net_raw", PLAIN, "probe", "--", WORLD_PROBE)});
	world_expect_confined(run, WORLD_APP, WORLD_APP, "4002", false);
}

/* Attack E3. */
Test(without_root, root_under_no_new_privs_works) {
	enter("");
	world_expect_app(world_probe(&world_root, forbid_new_privileges, NULL));
}
