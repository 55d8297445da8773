/* SPDX-License-Identifier: ISC */
/* The launcher's memory and descriptors are nobody's but root's, and it speaks only as its caller. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.h"
#include "world.h"

TestSuite(memory, .timeout = 240);

/* --- the attack --- */

enum {
	GOT_READ = 1,
	GOT_WRITE = 2,
	GOT_SEIZE = 4,
	GOT_COPY = 8,
	GOT_DESCRIPTOR = 16,
	GOT_MAPS = 32,
	GOT_ENVIRONMENT = 64,
	GOT_EXE = 128
};

static int attack_as(const struct world_person *who, pid_t victim) {
	pid_t child = fork();

	cr_assert(child >= 0);
	if (child == 0) {
		char path[64], byte;
		int got = 0, fd;

		steps_become(who);
		snprintf(path, sizeof(path), "/proc/%d/mem", victim);
		got |= open(path, O_RDONLY) >= 0 ? GOT_READ : 0;
		got |= open(path, O_RDWR) >= 0 ? GOT_WRITE : 0;
		snprintf(path, sizeof(path), "/proc/%d/maps", victim);
		fd = open(path, O_RDONLY);
		got |= fd >= 0 && read(fd, &byte, 1) == 1 ? GOT_MAPS : 0;
		snprintf(path, sizeof(path), "/proc/%d/environ", victim);
		got |= open(path, O_RDONLY) >= 0 ? GOT_ENVIRONMENT : 0;
		snprintf(path, sizeof(path), "/proc/%d/exe", victim);
		got |= readlink(path, &byte, 1) == 1 ? GOT_EXE : 0;
		struct iovec here = {&byte, 1}, there = {(void *)(uintptr_t)0x1000, 1};
		got |= syscall(SYS_process_vm_readv, victim, &here, 1UL, &there, 1UL, 0UL) >= 0 || errno == EFAULT
			       ? GOT_COPY
			       : 0;
		snprintf(path, sizeof(path), "/proc/%d/fd/0", victim);
		got |= readlink(path, &byte, 1) == 1 ? GOT_DESCRIPTOR : 0;
		fd = (int)syscall(SYS_pidfd_open, victim, 0);
		got |= fd >= 0 && syscall(SYS_pidfd_getfd, fd, 0, 0) >= 0 ? GOT_DESCRIPTOR : 0;
		if (ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0)
			got |= GOT_SEIZE;
		_exit(got);
	}
	int status = 0;
	cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(memory, the_attack_itself_works_on_a_plain_process_of_the_app_user) {
	world_enter();
	struct world_run *run =
		world_start(&(struct world_call){.who = &world_app, .argv = WORLD_LIST(WORLD_PROBE, "--sleep")});
	world_collect(run, "end: yes", 10);
	int got = attack_as(&world_app, run->pid);
	cr_expect(got == (GOT_READ | GOT_WRITE | GOT_SEIZE | GOT_COPY | GOT_DESCRIPTOR | GOT_MAPS | GOT_ENVIRONMENT |
			  GOT_EXE),
		  "only %#x works: the tests below would prove little", (unsigned)got);
	cr_expect(attack_as(&world_other, run->pid) == 0);
	kill(run->pid, SIGKILL);
	world_wait(run, 5);
}

static void (*gift)(void); /* the caller's last act before exec */

/* false: the launch was over before that stop. */
static bool stop_and_attack(const struct world_person *who, int stop, bool from_start, const char *setting) {
	pid_t child = steps_to(who, WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE), gift, stop, from_start);

	if (child == 0)
		return false;
	steps_leave_standing(child);
	int by_app = attack_as(&world_app, child), by_caller = who->uid ? attack_as(who, child) : 0;
	cr_expect(by_app == 0, "%s, stop %d: the app user got %#x of the launcher", setting, stop, (unsigned)by_app);
	cr_expect(by_caller == 0, "%s, stop %d: the caller got %#x of the launcher", setting, stop,
		  (unsigned)by_caller);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return true;
}

static void attack_everywhere(bool from_start) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	steps_keep(STEPS_DUMPABLE);
	world_enter();
	world_app_policy("probe", "");
	for (char value = '0'; value <= '2'; value++) {
		char setting[32] = "fs.suid_dumpable 0";
		setting[strlen(setting) - 1] = value;
		steps_set(STEPS_DUMPABLE, (char[]){value, '\0'});
		for (int who = 0; who < 2; who++) {
			int stops = 0;
			while (stop_and_attack(callers[who], stops, from_start, setting))
				stops++;
			cr_expect(stops > 10, "%d stops only: the launch was not stepped through", stops);
		}
	}
}

/* Attack D8. */
Test(memory, nobody_opens_the_launcher_after_it_became_the_app_user) { attack_everywhere(false); }

/* Attack D8. */
Test(memory, nobody_opens_the_launcher_before_it_became_the_app_user) { attack_everywhere(true); }

/* --- the voice --- */

static const char *field(const char *text, const char *key) {
	const char *value = world_value_in(text, key);

	return value ? value : "missing";
}

/* At every write of a launch by this caller: who is it that writes? Root only where root called. */
static void expect_no_write_as_root(const struct world_person *who, const char *const *argv, const char *what) {
	struct __ptrace_syscall_info info;
	int status = 0, execs = 0, writes = 0;
	char path[64], ids[64];
	pid_t child = steps_start(who, argv, gift);

	for (;;) {
		enum step step = steps_next(child, &info, &status);
		if (step == STEP_GONE)
			break;
		if (step == STEP_EXEC && ++execs == 2)
			cr_assert_fail("%s: it ran", what);
		if (step != STEP_ENTRY || execs != 1 ||
		    (info.entry.nr != SYS_write && info.entry.nr != SYS_writev && info.entry.nr != SYS_pwrite64))
			continue;
		writes++;
		snprintf(path, sizeof(path), "/proc/%d/status", child);
		char *text = world_read(path);
		cr_assert(text);
		snprintf(ids, sizeof(ids), "\t%u\t%u\t%u\t%u", who->uid, who->uid, who->uid, who->uid);
		bool is_caller = strcmp(field(text, "Uid"), ids) == 0;
		snprintf(ids, sizeof(ids), "\t%d\t%d\t%d\t%d", WORLD_APP, WORLD_APP, WORLD_APP, WORLD_APP);
		bool is_app = strcmp(field(text, "Uid"), ids) == 0;
		cr_expect(is_caller || is_app, "%s: written as%s", what, field(text, "Uid"));
		cr_expect(who->uid == 0 || strstr(field(text, "CapPrm"), "0000000000000000"),
			  "%s: written with capabilities %s", what, field(text, "CapPrm"));
		if (is_caller && who->uid != 0) {
			snprintf(ids, sizeof(ids), "\t%u\t%u\t%u\t%u", who->gid, who->gid, who->gid, who->gid);
			cr_expect(strcmp(field(text, "Gid"), ids) == 0, "%s: written with gids%s", what,
				  field(text, "Gid"));
		}
		free(text);

		snprintf(path, sizeof(path), "/proc/%d/fd", child);
		DIR *listing = opendir(path);
		cr_assert(listing);
		for (struct dirent *entry; (entry = readdir(listing));)
			cr_expect(entry->d_name[0] == '.' || atoi(entry->d_name) < 3, "%s: descriptor %s is still open",
				  what, entry->d_name);
		closedir(listing);
	}
	cr_expect(writes > 0, "%s: it said nothing (status %#x)", what, (unsigned)status);
}

/* Stages fail at different depths; each of these makes one fail that an allowed caller can make fail. */
static void forbid_writable_code(void) { prctl(65 /* PR_SET_MDWE */, 1UL, 0UL, 0UL, 0UL); }

static void fall_short_of_files(void) {
	struct rlimit few = {100, 100};

	setrlimit(RLIMIT_NOFILE, &few);
}

Test(memory, what_a_failing_stage_says_it_says_as_its_caller) {
	world_enter();
	world_app_policy("probe", "");
	gift = forbid_writable_code;
	if (prctl(66 /* PR_GET_MDWE */, 0UL, 0UL, 0UL, 0UL) >= 0)
		expect_no_write_as_root(&world_deploy, WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
					"PR_SET_MDWE");
	gift = fall_short_of_files;
	if (prctl(PR_CAPBSET_READ, 24UL /* CAP_SYS_RESOURCE */) == 0)
		expect_no_write_as_root(&world_deploy, WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
					"RLIMIT_NOFILE");
	gift = NULL;
	world_directory("/srv/closed", 0, 0, 0700);
	world_policy("closed",
		     "runas-app = 1\nallow_users = deploy\nuser = ra_app\ndirectory = /srv/closed\ncommand = *\n");
	expect_no_write_as_root(&world_deploy, WORLD_LIST("runas-app", "closed", "--", WORLD_PROBE),
				"closed directory");
	world_app_policy("poor", "limit_nofile = 999999999:999999999\n");
	expect_no_write_as_root(&world_deploy, WORLD_LIST("runas-app", "poor", "--", WORLD_PROBE), "impossible limit");
}

Test(memory, what_runas_app_says_it_says_as_its_caller) {
	world_enter();
	world_app_policy("probe", "");
	world_app_policy("broken", "umaks = 022\n");
	world_policy("strict", "runas-app = 1\nallow_users = deploy\nuser = ra_app\ncommand = " WORLD_PROBE "\n");
	static const struct world_person *const callers[] = {&world_deploy, &world_other, &world_root};
	for (int i = 0; i < 3; i++) {
		expect_no_write_as_root(callers[i], WORLD_LIST("runas-app", "nothing", "--", WORLD_PROBE),
					"unknown app");
		expect_no_write_as_root(callers[i], WORLD_LIST("runas-app", "../x", "--", WORLD_PROBE), "usage");
		expect_no_write_as_root(callers[i], WORLD_LIST("runas-app"), "no arguments");
		expect_no_write_as_root(callers[i], WORLD_LIST("runas-app", "broken", "--", WORLD_PROBE),
					"broken policy");
		expect_no_write_as_root(callers[i], WORLD_LIST("runas-app", "strict", "--", "/bin/sh"),
					"command not allowed");
		expect_no_write_as_root(callers[i], WORLD_LIST("runas-app", "probe", "--", "/usr/bin/no-such-command"),
					"no such command");
		expect_no_write_as_root(callers[i], WORLD_LIST("runas-app", "--help"), "help");
		expect_no_write_as_root(callers[i], WORLD_LIST("runas-app", "--version"), "version");
	}
}
