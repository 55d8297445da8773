/* SPDX-License-Identifier: ISC */
/*
 * What runas-policy tells root to paste, pasted: it mends what it says, and an app that put a symlink on the way
 * meanwhile has root change nothing elsewhere.
 */
#include "tests/system/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APP "/srv/ra_app"
#define LOG APP "/log/shadow"
#define ROOTS "/srv/roots"

TestSuite(hints, .timeout = 60);

static struct world_run *shell(const struct world_person *who, const char *script, const char *argument) {
	struct world_run *run = world_run(&(struct world_call){
		.who = who, .program = "/bin/sh", .argv = WORLD_LIST("sh", "-ec", script, "sh", argument)});

	cr_assert(world_exited(run, 0), "%s: %s%s", script, run->out, run->err);
	return run;
}

/* The first hint of what runas-policy says. */
static const char *hint_of(const char *words) {
	static char policy[256];

	snprintf(policy, sizeof(policy), "%s %s | sed -n 's/^ *hint: //p' | sed -n 1p", world_built("runas-policy"), words);
	const char *hint = shell(&world_root, policy, "")->out;
	cr_assert(strlen(hint) > 1, "%s: no hint", words);
	return hint;
}

static void expect_owner(const char *path, uid_t uid, mode_t mode) {
	struct stat status;

	cr_assert_eq(lstat(path, &status), 0, "%s", path);
	cr_expect(status.st_uid == uid && (status.st_mode & 07777) == mode, "%s: %u, %04o", path, status.st_uid,
		  status.st_mode & 07777);
}

static void set_up(uid_t owner, mode_t mode) {
	world_enter();
	world_app_policy("probe", "");
	world_directory(APP "/log", WORLD_APP, WORLD_APP, 0750);
	world_file(LOG, owner, owner, mode, "");
	world_directory(ROOTS, 0, 0, 0755);
	world_file(ROOTS "/shadow", 0, 0, mode, "");
}

/* As the app's user may at any time between the question and the paste. */
static void swap_directory(void) { shell(&world_app, "mv " APP "/log " APP "/old && ln -s " ROOTS " " APP "/log", ""); }

static void swap_file(void) { shell(&world_app, "mv " LOG " " LOG ".old && ln -s " ROOTS "/shadow " LOG, ""); }

static void paste(const char *hint) {
	struct world_run *run = world_run(&(struct world_call){
		.who = &world_root,
		.program = "/bin/sh",
		.argv = WORLD_LIST("sh", "-c", "eval \"$1\"", "sh", hint),
		.envp = WORLD_LIST("PATH=/usr/sbin:/usr/bin:/sbin:/bin")});

	/* What it thinks of the swap is its own business; that it ran is not. */
	cr_assert(run->ended && !world_exited(run, 127) && !world_exited(run, 126), "%s: %s", hint, run->err);
}

Test(hints, an_owner_is_mended) {
	for (size_t i = 0; i < 2; i++) {
		if (i == 0)
			set_up(0, 0640);
		else
			world_file(LOG, 0, 0, 0640, "");
		paste(hint_of(i == 0 ? "audit probe" : "why probe " LOG " write"));
		expect_owner(LOG, WORLD_APP, 0640);
	}
}

Test(hints, an_owner_elsewhere_is_left_alone) {
	static void (*const swaps[])(void) = {swap_directory, swap_file};
	static const char *const questions[] = {"audit probe", "why probe " LOG " write"};

	set_up(0, 0640);
	for (size_t i = 0; i < 4; i++) {
		shell(&world_root, "rm -rf " APP "/log " APP "/old", "");
		world_directory(APP "/log", WORLD_APP, WORLD_APP, 0750);
		world_file(LOG, 0, 0, 0640, "");
		const char *hint = hint_of(questions[i / 2]);
		swaps[i % 2]();
		paste(hint);
		expect_owner(ROOTS "/shadow", 0, 0640);
	}
}

Test(hints, a_mode_is_mended) {
	set_up(WORLD_APP, 0666);
	paste(hint_of("audit probe"));
	expect_owner(LOG, WORLD_APP, 0644);
}

Test(hints, a_mode_elsewhere_is_left_alone) {
	static void (*const swaps[])(void) = {swap_directory, swap_file};

	set_up(WORLD_APP, 0666);
	for (size_t i = 0; i < 2; i++) {
		shell(&world_root, "rm -rf " APP "/log " APP "/old", "");
		world_directory(APP "/log", WORLD_APP, WORLD_APP, 0750);
		world_file(LOG, WORLD_APP, WORLD_APP, 0666, "");
		const char *hint = hint_of("audit probe");
		swaps[i]();
		paste(hint);
		expect_owner(ROOTS "/shadow", 0, 0666);
	}
}
