/* SPDX-License-Identifier: ISC */
/* What a hostile caller hands over does not reach the app: umask, directory, signals, timers, keys. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "gifts.h"
#include "world.h"

TestSuite(inheritance, .timeout = 60);

/* --- umask, directory --- */

static void give_umask(const void *data) {
	(void)data;
	umask(0);
}

/* Attack D7. */
Test(inheritance, umask_is_the_policys) {
	world_enter();
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, give_umask, NULL, "umask", "0027");
	gift_expect_not_to_arrive(&world_root, give_umask, NULL, "umask", "0027");
	world_app_policy("probe", "umask = 0002\n");
	gift_expect_not_to_arrive(&world_deploy, give_umask, NULL, "umask", "0002");
	world_app_policy("probe", "umask = 077\n");
	gift_expect_not_to_arrive(&world_root, give_umask, NULL, "umask", "0077");
}

static void give_directory(const void *data) { gift_need(chdir(data) == 0, "chdir"); }

static void give_vanished_directory(const void *data) {
	(void)data;
	gift_need(mkdir("/tmp/gone", 0700) == 0 && chdir("/tmp/gone") == 0 && rmdir("/tmp/gone") == 0,
		  "vanished directory");
}

/* Attack D7. */
Test(inheritance, directory_is_the_policys) {
	world_enter();
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, give_directory, "/home/deploy", "cwd", "/srv/ra_app");
	gift_expect_not_to_arrive(&world_root, give_directory, "/tmp", "cwd", "/srv/ra_app");
	gift_expect_not_to_arrive(&world_deploy, give_vanished_directory, NULL, "cwd", "/srv/ra_app");
	cr_expect(strcmp(world_env(world_probe(&world_deploy, give_directory, "/tmp"), "PWD"), "/srv/ra_app") == 0);
}

Test(inheritance, a_directory_below_the_policys_is_kept) {
	world_enter();
	world_directory("/srv/app", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app/releases", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app/releases/2", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app2", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app/private", WORLD_DEPLOY, WORLD_DEPLOY, 0700);
	world_app_policy("probe", "directory_below = /srv/app\n");

	struct world_run *run = world_probe(&world_deploy, give_directory, "/srv/app/releases/2");
	world_expect_app(run);
	world_expect_value(run, "cwd", "/srv/app/releases/2");
	cr_expect(strcmp(world_env(run, "PWD"), "/srv/app/releases/2") == 0);
	world_expect_value(world_probe(&world_deploy, give_directory, "/srv/app"), "cwd", "/srv/app");
	world_expect_value(world_probe(&world_deploy, give_directory, "/srv/app2"), "cwd", "/srv/ra_app");
	/* Below it, but not the app's to enter: no falling back to another place. */
	run = world_probe(&world_deploy, give_directory, "/srv/app/private");
	world_expect_refused(run, 125, "/srv/app/private");
}

/* --- signals, timers --- */

struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static void block_all(const void *data) {
	uint64_t all = ~UINT64_C(0);

	(void)data;
	gift_need(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)) == 0, "block");
}

static void ignore_all(const void *data) {
	struct kernel_action action = {.handler = (void *)SIG_IGN};

	(void)data;
	for (int number = 1; number <= 64; number++) {
		if (number != SIGKILL && number != SIGSTOP)
			gift_need(syscall(SYS_rt_sigaction, number, &action, NULL, sizeof(action.mask)) == 0, "ignore");
	}
}

static void leave_all_pending(const void *data) {
	block_all(data);
	for (int number = 1; number <= 64; number++) {
		if (number == SIGKILL || number == SIGSTOP)
			continue;
		gift_need(kill(getpid(), number) == 0, "kill");
		gift_need(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number) == 0, "tgkill");
	}
}

static void leave_all_pending_and_ignored(const void *data) {
	leave_all_pending(data);
	/* Ignoring throws away what is pending; so first ignore, then send. */
	ignore_all(data);
	leave_all_pending(data);
}

/* Attack D2. */
Test(inheritance, no_signal_is_blocked) {
	world_enter();
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, block_all, NULL, "sig_blocked", "0000000000000000");
	gift_expect_not_to_arrive(&world_root, block_all, NULL, "sig_blocked", "0000000000000000");
}

Test(inheritance, no_signal_but_hangup_is_ignored) {
	world_enter();
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, ignore_all, NULL, "sig_ignored", "0000000000000001");
	gift_expect_not_to_arrive(&world_root, ignore_all, NULL, "sig_ignored", "0000000000000001");
}

/* Attack D2. */
Test(inheritance, no_signal_is_pending_and_none_kills_the_launch) {
	world_enter();
	world_app_policy("probe", "");
	gift_expect_not_to_arrive(&world_deploy, leave_all_pending, NULL, "sig_pending", "0000000000000000");
	gift_expect_not_to_arrive(&world_root, leave_all_pending, NULL, "sig_pending", "0000000000000000");
	gift_expect_not_to_arrive(&world_deploy, leave_all_pending_and_ignored, NULL, "sig_pending",
				  "0000000000000000");
	struct world_run *run = world_probe(&world_deploy, leave_all_pending, NULL);
	world_expect_value(run, "sig_thread_pending", "0000000000000000");
	world_expect_value(run, "sig_shared_pending", "0000000000000000");
	world_expect_value(run, "sig_blocked", "0000000000000000");
}

static void set_timer(const void *data) {
	struct itimerval timer = {{7, 0}, {30, 0}};

	gift_need(setitimer(*(const int *)data, &timer, NULL) == 0, "setitimer");
}

/* Attack D2. */
Test(inheritance, no_timer_ticks) {
	static const int timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};
	static const char *const keys[] = {"itimer_real", "itimer_virtual", "itimer_prof"};

	world_enter();
	world_app_policy("probe", "");
	for (int i = 0; i < 3; i++) {
		gift_expect_not_to_arrive(&world_deploy, set_timer, &timers[i], keys[i], "0.000000 every 0.000000");
		gift_expect_not_to_arrive(&world_root, set_timer, &timers[i], keys[i], "0.000000 every 0.000000");
	}
}

/* --- keyring --- */

static void give_keyring(const void *data) {
	(void)data;
	gift_need(syscall(SYS_keyctl, 1 /* join */, "hostile", 0, 0, 0) > 0, "session keyring");
}

/* Attack E8. */
Test(inheritance, the_session_keyring_is_a_new_one) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	if (syscall(SYS_keyctl, 0, -3, 0, 0, 0) < 0 && errno != ENOKEY)
		SKIP("keyctl: not in this kernel, or a filter refuses it");
	world_app_policy("probe", "syscalls = none\n");
	for (int i = 0; i < 2; i++) {
		struct world_run *direct = world_probe_directly(callers[i], give_keyring, NULL);
		const char *before = world_value(direct, "session_keyring_is");
		cr_assert(before && strstr(before, "hostile"), "the keyring does not even reach a plain command: %s",
			  before);
		struct world_run *run = world_probe(callers[i], give_keyring, NULL);
		world_expect_app(run);
		const char *after = world_value(run, "session_keyring_is");
		cr_assert(after);
		cr_expect(!strstr(after, "hostile"), "the caller's keyring arrived: %s", after);
		cr_expect(!strstr(after, "_uid_ses") && !strstr(after, "_uid."), "no session keyring of its own: %s",
			  after);
	}
}
