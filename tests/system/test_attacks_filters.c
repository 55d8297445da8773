/* SPDX-License-Identifier: ISC */
/* The attack catalogue of SECURITY.md, part H: ways round a filter, tried on the loaded one. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "recording.h"
#include "world.h"

TestSuite(attacks, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ATTEMPT "/usr/local/bin/attempt"

static const char *const profiles[] = {"@app-server", "@app-server-debug", "@web-static"};

static void enter(void) {
	world_enter();
	cr_assert(world_built("attempt") != NULL, "attempt is not built");
	world_copy(world_built("attempt"), ATTEMPT, 0755);
}

/* Through runas-app under this profile, or without it where there is none. */
static struct world_run *attempt(const char *profile, const char *const *deeds) {
	const char *argv[256] = {"runas-app", "probe", "--"};
	size_t count = profile ? 3 : 0;
	char line[64];

	argv[count++] = ATTEMPT;
	while (*deeds)
		argv[count++] = *deeds++;
	argv[count] = NULL;
	snprintf(line, sizeof(line), "syscalls = %s\n", profile ? profile : "none");
	world_app_policy("probe", line);
	return world_run(&(struct world_call){
		.who = profile ? &world_deploy : &world_app, .program = profile ? WORLD_RUNAS : ATTEMPT, .argv = argv});
}

struct trial {
	const char *deed;
	const char *answer; /* under every shipped profile */
};

/* Under every shipped profile; and, or it would prove nothing, `at_least` so many otherwise without one. */
static void expect_answers(const struct trial *trials, size_t count, size_t at_least) {
	const char *deeds[64] = {NULL};
	size_t others = 0;

	enter();
	for (size_t i = 0; i < count; i++)
		deeds[i] = trials[i].deed;
	const struct world_run *direct = attempt(NULL, deeds);
	for (size_t k = 0; k < COUNT(profiles); k++) {
		const struct world_run *run = attempt(profiles[k], deeds);
		cr_expect(world_value(run, "end"), "%s: status %#x: %s%s", profiles[k], (unsigned)run->status, run->out,
			  run->err);
		for (size_t i = 0; i < count; i++)
			world_expect_value(run, trials[i].deed, trials[i].answer);
	}
	for (size_t i = 0; i < count; i++) {
		const char *found = world_value(direct, trials[i].deed);
		others += found && strcmp(found, trials[i].answer) != 0;
	}
	cr_expect(others >= at_least, "only %zu of %zu calls are answered otherwise without a filter:\n%s", others,
		  count, direct->out);
}

#ifdef __x86_64__

Test(attacks, h2_io_uring_does_not_go_round_the_filter) {
	static const struct trial trials[] = {{"call:425:4.0", "EPERM"},
					      {"call:426:-1.1.1.1", "EPERM"},
					      {"call:427:-1.0", "EPERM"},
					      {"ring", "EPERM"}};

	expect_answers(trials, COUNT(trials), 2);
}

Test(attacks, h3_new_ways_to_an_old_act_are_shut_CVE_2021_41133) {
	static const struct trial trials[] = {
		{"call:435:0.0", "ENOSYS"},	   /* clone3 */
		{"call:56:0x10000011", "ENOSYS"},  /* clone: a user namespace */
		{"call:56:0x100020011", "ENOSYS"}, /* a mount namespace, and an upper half that the kernel ignores */
		{"call:272:0x10000000", "EPERM"},  /* unshare */
		{"call:165:0.0.0.0.0", "EPERM"},   /* mount */
		{"call:428:-100.0.1", "EPERM"},	   /* open_tree */
		{"call:429:-1.0.-1.0.4", "EPERM"}, /* move_mount */
		{"call:430:0.0", "EPERM"},	   /* fsopen */
		{"call:442:-1.0.0.0.0", "EPERM"},  /* mount_setattr */
		{"call:308:-1.0", "EPERM"},	   /* setns */
		{"call:321:0.0.0", "EPERM"},	   /* bpf */
		{"call:323:0", "EPERM"},	   /* userfaultfd */
		{"call:250:0.-3.0", "EPERM"},	   /* keyctl */
	};

	expect_answers(trials, COUNT(trials), 8);
}

Test(attacks, h4_calls_that_nobody_knew_do_not_exist) {
	static char words[200][24];
	static const char *deeds[200];
	size_t count = 0, known = 0;

	enter();
	/* Up to 467, open_tree_attr, the profiles speak of each by its name. */
	for (int number = 468; number < 640; number++) {
		snprintf(words[count], sizeof(words[count]), "call:%d:-1.0", number);
		deeds[count] = words[count];
		count++;
	}
	const struct world_run *direct = attempt(NULL, deeds);
	for (size_t k = 0; k < COUNT(profiles); k++) {
		const struct world_run *run = attempt(profiles[k], deeds);
		cr_expect(world_value(run, "end"), "%s: %s%s", profiles[k], run->out, run->err);
		for (size_t i = 0; i < count; i++) {
			const char *found = world_value(run, deeds[i]), *plain = world_value(direct, deeds[i]);
			cr_expect(found && strcmp(found, "ENOSYS") == 0, "%s: %s is %s", profiles[k], deeds[i],
				  found ? found : "missing");
			known += plain && strcmp(plain, "ENOSYS") != 0;
		}
	}
	if (known == 0)
		NOT_SHOWN("that a call newer than the filters would do something: this kernel has none");
}

Test(attacks, h7_rare_socket_families_are_shut_CVE_2026_31431) {
	static const struct trial trials[] = {{"call:41:38.5.0", "ENOSYS"},
					      {"call:41:0x100000026.5.0", "ENOSYS"}, /* AF_ALG */
					      {"call:41:0xdeadbeef00000026.5.0", "ENOSYS"},
					      {"call:41:17.3.0", "ENOSYS"},  /* AF_PACKET */
					      {"call:41:15.3.2", "ENOSYS"},  /* AF_KEY */
					      {"call:41:16.3.12", "ENOSYS"}, /* AF_NETLINK: NETFILTER */
					      {"call:41:16.3.0x10000000c", "ENOSYS"},
					      {"call:41:40.1.0", "ENOSYS"},   /* AF_VSOCK */
					      {"call:41:44.3.0", "ENOSYS"},   /* AF_XDP */
					      {"call:41:31.3.1", "ENOSYS"},   /* AF_BLUETOOTH */
					      {"call:41:29.3.1", "ENOSYS"},   /* AF_CAN */
					      {"call:41:9.5.0", "ENOSYS"},    /* AF_X25 */
					      {"call:53:38.5.0.0", "ENOSYS"}, /* socketpair */
					      {"call:41:1.1.0", "ok"},
					      {"call:41:2.1.0", "ok"},
					      {"call:41:16.3.0", "ok"}};

	expect_answers(trials, COUNT(trials), 5);
}

/* Another entry into the kernel ends all of the process, not one thread of it. */
Test(attacks, h1_h5_another_entry_ends_the_whole_process) {
	enter();
	const struct world_run *direct = attempt(NULL, WORLD_LIST("thread-i386"));
	if (WIFSIGNALED(direct->status))
		SKIP("int 0x80: this kernel has no i386 entry");
	cr_assert(strcmp(world_value(direct, "thread-i386"), "ok") == 0);
	for (size_t k = 0; k < COUNT(profiles); k++) {
		const struct world_run *run = attempt(profiles[k], WORLD_LIST("thread-i386"));
		cr_expect(WIFSIGNALED(run->status) && WTERMSIG(run->status) == SIGSYS && run->out_length == 0,
			  "%s: status %#x: %s", profiles[k], (unsigned)run->status, run->out);
	}
	const struct world_run *bare = attempt("none", WORLD_LIST("thread-i386"));
	cr_expect(WIFSIGNALED(bare->status) && WTERMSIG(bare->status) == SIGSYS, "%#x", (unsigned)bare->status);
}

#endif

/* Filter and ids belong to threads: there is one, from the first call to the last. */
Test(attacks, h6_there_is_one_thread_when_the_filter_is_loaded) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	world_app_policy("probe", "");
	for (size_t who = 0; who < COUNT(callers); who++) {
		const struct recording made = recording_of_probe(callers[who]);
		size_t loaded = 0;
		for (size_t i = 0; i < made.count; i++) {
			cr_expect(made.calls[i].threads == 1, "call %zu: %u threads", i, made.calls[i].threads);
			loaded += made.calls[i].number == SYS_seccomp;
		}
		cr_expect(loaded == 1, "%zu filters were loaded", loaded);
	}
}
