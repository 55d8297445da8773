/* SPDX-License-Identifier: ISC */
/* The attack catalogue of SECURITY.md, part F: files that change, or are not what they seem. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "recording.h"
#include "world.h"

TestSuite(attacks, .timeout = 120);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define POLICY "/etc/runas-app/probe.conf"
#define ELSEWHERE "/etc/elsewhere"
#define EVIL "runas-app = 1\nallow_users = deploy\nuser = other\ngroup = other\ndirectory = /\ncommand = *\n"

/* --- F1: swapped while it is looked at --- */

/* Of each race; there are four. A machine that is busy with something else gets through fewer launches in its seconds. */
enum { LAUNCHES = 250, FEWEST = 80, SECONDS = 12, RENAMES = 25000 };

struct race {
	pid_t swapper;
	time_t begin;
	unsigned long *renames; /* shared with it */
};

static struct race start_race(const char *a, const char *b) {
	struct race race = {.renames = mmap(NULL, sizeof(unsigned long), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0)};

	cr_assert(race.renames != MAP_FAILED);
	race.begin = time(NULL);
	race.swapper = fork();
	cr_assert(race.swapper >= 0);
	while (race.swapper == 0)
		*race.renames += syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) == 0;
	return race;
}

static bool goes_on(const struct race *race, int launches) {
	return launches < LAUNCHES && (launches < FEWEST || time(NULL) - race->begin < SECONDS);
}

/* Both outcomes must have been seen, or nothing was raced. */
static void end_race(const struct race *race, const char *what, int ran, int launches) {
	for (int i = 0; i < 10000 && *race->renames < RENAMES; i++)
		usleep(1000);
	kill(race->swapper, SIGKILL);
	waitpid(race->swapper, NULL, 0);
	cr_log_info("%s: %lu renames, %d of %d launches ran", what, *race->renames, ran, launches);
	cr_expect(*race->renames >= RENAMES, "%s: %lu renames only", what, *race->renames);
	cr_expect(ran > 0 && ran < launches, "%s: %d of %d launches ran: nothing was swapped", what, ran, launches);
}

/* `b` stands where `a` did half of the time, and is never believed. */
static void race_the_policy(const char *what, const char *a, const char *b) {
	const struct race race = start_race(a, b);
	int ran = 0, launches = 0;

	for (; goes_on(&race, launches); launches++) {
		struct world_run *run = world_probe(launches % 2 ? &world_root : &world_deploy, NULL, NULL);
		if (world_value(run, "end")) {
			world_expect_app(run);
			world_expect_value(run, "umask", "0022");
			ran++;
		} else {
			world_expect_refused(run, launches % 2 ? 125 : 126,
					     launches % 2 ? "[policy-" : "[not-permitted]");
		}
		world_log();
	}
	end_race(&race, what, ran, launches);
}

static void enter(void) {
	world_enter();
	world_app_policy("probe", "umask = 0022\n");
}

Test(attacks, f1_a_policy_swapped_for_anothers_file_CVE_2005_1993_CVE_2021_44731) {
	enter();
	world_file("/etc/runas-app/swap", WORLD_DEPLOY, WORLD_DEPLOY, 0644, EVIL);
	race_the_policy("file", POLICY, "/etc/runas-app/swap");
}

Test(attacks, f1_a_policy_swapped_for_a_symlink_CVE_2021_23240_CVE_2026_53612) {
	enter();
	world_file("/etc/other.conf", 0, 0, 0644, EVIL);
	cr_assert(symlink("../other.conf", "/etc/runas-app/swap") == 0);
	race_the_policy("symlink", POLICY, "/etc/runas-app/swap");
}

/* The policy in it is root's own; only who owns the directory tells. */
Test(attacks, f1_a_directory_swapped_for_anothers_CVE_2026_3888_CVE_2026_53613) {
	enter();
	world_directory(ELSEWHERE, WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_file(ELSEWHERE "/probe.conf", 0, 0, 0644, EVIL);
	race_the_policy("directory", "/etc/runas-app", ELSEWHERE);
}

/* Into the directory that had this name at first, whatever has it now. */
static void go_to(const void *data) {
	const struct stat *wanted = data;
	struct stat here = {0};

	while (here.st_ino != wanted->st_ino)
		if (chdir("/srv/app/here") != 0 || stat(".", &here) != 0)
			_exit(WORLD_CHILD_BROKE);
}

/* The caller's own directory changes places with one that the policy does not name: the app starts in the very one that
 * the caller stood in, or in the policy's, or not at all. */
Test(attacks, f1_a_working_directory_swapped_for_another_CVE_2007_1741) {
	struct stat inside, outside, usual;
	int ran = 0, launches = 0;

	world_enter();
	world_directory("/srv/app", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app2", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app/here", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_directory("/srv/app2/there", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_app_policy("probe", "directory_below = /srv/app\n");
	cr_assert(stat("/srv/app/here", &inside) == 0 && stat("/srv/app2/there", &outside) == 0 &&
		  stat("/srv/ra_app", &usual) == 0);
	const struct race race = start_race("/srv/app/here", "/srv/app2/there");
	for (; goes_on(&race, launches); launches++) {
		struct world_run *run = world_run(&(struct world_call){
			.who = &world_deploy,
			.program = WORLD_RUNAS,
			.argv = WORLD_LIST("runas-app", "probe", "--", "/usr/bin/stat", "-c", "%i", "."),
			.as_caller = go_to,
			.data = &inside});
		const ino_t started = strtoul(run->out, NULL, 10);
		if (world_exited(run, 0)) {
			cr_expect(started == inside.st_ino || started == usual.st_ino, "it started in %s%s", run->out,
				  started == outside.st_ino ? " which is the other one" : "");
			ran += started == inside.st_ino;
		} else {
			world_expect_refused(run, 125, "[directory]");
		}
		world_log();
	}
	end_race(&race, "working directory", ran, launches);
}

/* --- F2: hard links --- */

Test(attacks, f2_a_hard_link_is_the_same_program_and_the_same_policy_CVE_2021_44730) {
	struct stat facts;

	world_enter();
	world_app_policy("probe", "");
	/* As with fs.protected_hardlinks 0: the caller's own directory, the caller's own name. */
	world_directory("/usr/local/bin/callers", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	cr_assert(link(WORLD_RUNAS, "/usr/local/bin/callers/runas-policy") == 0);
	world_directory("/usr/local/bin/callers/etc", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_file("/usr/local/bin/callers/probe.conf", WORLD_DEPLOY, WORLD_DEPLOY, 0644, EVIL);
	struct world_call call = {.who = &world_deploy,
				  .program = "/usr/local/bin/callers/runas-policy",
				  .argv = WORLD_LIST("./runas-policy", "probe", "--", WORLD_PROBE),
				  .directory = "/usr/local/bin/callers"};
	world_expect_app(world_run(&call));
	call.who = &world_other;
	world_expect_refused(world_run(&call), 126, "[not-permitted]");

	/* A policy may have another name; who may write it is what counts, and that is one for both names. */
	world_directory("/etc/callers", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	cr_assert(link(POLICY, "/etc/callers/mine") == 0 && stat(POLICY, &facts) == 0 && facts.st_nlink == 2);
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
	cr_assert(chmod("/etc/callers/mine", 0664) == 0);
	world_expect_refused(world_probe(&world_root, NULL, NULL), 125, "[policy-mode]");
	cr_assert(chmod("/etc/callers/mine", 0644) == 0 && chown("/etc/callers/mine", WORLD_DEPLOY, 0) == 0);
	world_expect_refused(world_probe(&world_root, NULL, NULL), 125, "[policy-owner]");
}

/* --- F3: what root writes --- */

static bool makes_or_changes(uint64_t number) {
	static const uint64_t numbers[] = {
		SYS_unlinkat,  SYS_renameat, SYS_renameat2, SYS_mkdirat,   SYS_linkat,	 SYS_symlinkat,
		SYS_mknodat,   SYS_fchmod,   SYS_fchmodat,  SYS_fchown,	   SYS_fchownat, SYS_truncate,
		SYS_ftruncate, SYS_setxattr, SYS_fsetxattr, SYS_utimensat, SYS_mount,	 SYS_bind,
#ifdef __x86_64__
		SYS_creat,     SYS_unlink,   SYS_rename,    SYS_mkdir,	   SYS_rmdir,	 SYS_link,
		SYS_symlink,   SYS_mknod,    SYS_chmod,	    SYS_chown,	   SYS_lchown
#endif
	};

	for (size_t i = 0; i < COUNT(numbers); i++)
		if (numbers[i] == number)
			return true;
	return false;
}

Test(attacks, f3_root_writes_no_file_CVE_2017_5618_CVE_2022_31214_CVE_2025_23395) {
	static const char *const writable[] = {"/dev/null", "/proc/self/coredump_filter", "/proc/self/oom_score_adj"};
	static const struct world_person *const callers[] = {&world_deploy, &world_root, &world_other};
	static const char *const apps[] = {"probe", "missing"};

	world_enter();
	world_app_policy("probe", "write = /srv/ra_app\n");
	for (size_t run = 0; run < COUNT(callers) * COUNT(apps); run++) {
		const struct recording made = recording_make(
			callers[run / 2], WORLD_LIST("runas-app", apps[run % 2], "--", WORLD_PROBE), NULL);
		for (size_t i = 0; i < made.count; i++) {
			const struct recorded_call *call = &made.calls[i];
			int flags;
			bool is_known = false;
			if (call->effective_uid != 0)
				continue;
			cr_expect(!makes_or_changes(call->number), "root made call %lu %s", (unsigned long)call->number,
				  call->path);
			if (!recorded_open(call, &flags) || (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == O_RDONLY)
				continue;
			for (size_t k = 0; k < COUNT(writable); k++)
				is_known = is_known || strcmp(call->path, writable[k]) == 0;
			cr_expect(is_known && (flags & (O_CREAT | O_TRUNC)) == 0, "root opened %s to write",
				  call->path);
		}
	}
}

/* --- F4: a file system on which root is nobody --- */

static void be_squashed(const void *data) {
	(void)data;
	if (prctl(PR_CAPBSET_DROP, 1L /* DAC_OVERRIDE */, 0L, 0L, 0L) != 0 ||
	    prctl(PR_CAPBSET_DROP, 2L /* DAC_READ_SEARCH */, 0L, 0L, 0L) != 0)
		_exit(WORLD_CHILD_BROKE);
}

/* As NFS with root_squash or somebody's FUSE does it: root is refused what the mode does not give. */
Test(attacks, f4_where_root_may_not_read_nothing_is_believed_and_the_apps_own_directory_works) {
	static const struct world_person *const callers[] = {&world_root, &world_deploy};

	world_enter();
	for (size_t who = 0; who < COUNT(callers); who++) {
		const struct world_call call = {.who = callers[who],
						.program = WORLD_RUNAS,
						.argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
						.as_root = be_squashed};
		world_app_policy("probe", "");
		cr_assert(chmod("/srv/ra_app", 0700) == 0);
		struct world_run *run = world_run(&call);
		world_expect_app(run);
		world_expect_value(run, "cwd", "/srv/ra_app");
		cr_assert(chmod(POLICY, 0) == 0);
		run = world_run(&call);
		world_expect_refused(run, who ? 126 : 125, who ? "[not-permitted]" : "[policy-unreadable]");
	}
}

/* --- F5: the command is swapped --- */

/* Whatever stands at the command's path is run with the app's rights, and a setuid bit on it gives none. */
Test(attacks, f5_a_command_that_became_setuid_root_gains_nothing) {
	world_enter();
	world_policy("probe", "runas-app = 1\nallow_users = deploy\nuser = ra_app\ndirectory = /srv/ra_app\n"
			      "command = /usr/local/bin/tool\n");
	world_copy(WORLD_PROBE, "/usr/local/bin/tool", 06755);
	struct world_run *run =
		world_run(&(struct world_call){.who = &world_deploy, .argv = WORLD_LIST("/usr/local/bin/tool")});
	cr_assert(strcmp(world_value(run, "euid"), "0") == 0, "setuid has no effect here");
	world_expect_app(world_launch(&world_deploy, WORLD_LIST("probe", "--", "tool")));
	world_expect_app(world_launch(&world_root, WORLD_LIST("probe", "--", "tool")));
}
