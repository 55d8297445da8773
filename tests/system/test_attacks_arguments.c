/* SPDX-License-Identifier: ISC */
/* The attack catalogue of SECURITY.md, part A: arguments and memory at the front door. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "recording.h"
#include "steps.h"
#include "world.h"

TestSuite(attacks, .timeout = 120);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- A1: argv that something rewrites --- */

enum { MOST_WORDS = 100000, MOST_BYTES = 1400000, WORD_MOST = 131071 };

static const char *const echo_argv[] = {"/bin/sh", "-c", "cat /proc/$$/cmdline"};

struct words {
	size_t count, bytes;
	const char *argv[MOST_WORDS + 8];
	char text[MOST_BYTES + MOST_WORDS];
};

/* A word of `length` bytes 1 to 255; `byte` 0: any. */
static void add_word(struct words *w, size_t length, unsigned char byte) {
	if (w->count == MOST_WORDS || w->bytes + length + 1 > sizeof(w->text))
		return;
	char *at = w->text + w->bytes;
	for (size_t i = 0; i < length; i++)
		at[i] = (char)(byte ? byte : 1 + rand() % 255);
	at[length] = '\0';
	w->argv[3 + COUNT(echo_argv) + w->count++] = at;
	w->bytes += length + 1;
}

static void expect_untouched(struct words *w, const char *what) {
	const size_t given = COUNT(echo_argv);
	char *wanted = malloc(w->bytes + 256), *at = wanted;

	w->argv[0] = "runas-app";
	w->argv[1] = "probe";
	w->argv[2] = "--";
	memcpy(w->argv + 3, echo_argv, sizeof(echo_argv));
	w->argv[3 + given + w->count] = NULL;
	for (size_t i = 0; i < given; i++)
		at = stpcpy(at, echo_argv[i]) + 1;
	memcpy(at, w->text, w->bytes);
	at += w->bytes;

	struct world_run *run = world_run(
		&(struct world_call){.who = &world_deploy, .program = WORLD_RUNAS, .argv = w->argv, .seconds = 30});
	cr_assert(world_exited(run, 0), "%s: status %#x: %.300s", what, (unsigned)run->status, run->err);
	cr_expect(run->out_length == (size_t)(at - wanted) && memcmp(run->out, wanted, run->out_length) == 0,
		  "%s: %zu words, %zu bytes came back, of %zu", what, w->count, run->out_length, (size_t)(at - wanted));
	world_log();
	free(run->out);
	free(run->err);
	free(run);
	free(wanted);
	w->count = w->bytes = 0;
}

Test(attacks, a1_argv_arrives_byte_for_byte_CVE_2021_3156) {
	struct words *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert(w != MAP_FAILED);
	world_enter();
	world_app_policy("probe", "");
	srand(3156);
	add_word(w, 65536, '\\');
	add_word(w, 1, '\\');
	expect_untouched(w, "backslashes");
	for (size_t length = 0; length < 9; length++)
		add_word(w, WORD_MOST - (length == 0 ? 0 : 1U << length), length % 2 ? '\\' : 0);
	expect_untouched(w, "words as long as the kernel takes");
	for (int i = 0; i < MOST_WORDS; i++)
		add_word(w, (size_t)(rand() % 4), '\\');
	expect_untouched(w, "a hundred thousand words");
	for (int launch = 0; launch < 150; launch++) {
		for (int words = rand() % 60; words >= 0; words--)
			add_word(w, (size_t)(rand() % 8 ? rand() % 300 : rand() % 20000), rand() % 5 ? 0 : '\\');
		expect_untouched(w, "random bytes");
	}
}

/* --- A2: no argv at all --- */

/* Kernels since 5.18 put an empty word there. So it is taken away again, on the stack of the real program: argc 0, argv
 * NULL, and the environment where argv[1] would be. */
Test(attacks, a2_argc_zero_CVE_2021_4034) {
#ifdef __x86_64__
	static const char *const none[] = {NULL};
	struct __ptrace_syscall_info info;
	struct user_regs_struct registers;
	int status = 0, calls = 0;

	world_enter();
	world_app_policy("probe", "");
	const pid_t child = steps_start(&world_deploy, none, NULL);
	while (steps_next(child, &info, &status) != STEP_EXEC)
		cr_assert(WIFSTOPPED(status));
	cr_assert(ptrace(PTRACE_GETREGS, child, NULL, &registers) == 0);
	uint64_t top[3] = {0}, zero = 0;
	struct iovec here = {top, sizeof(top)}, there = {(void *)(uintptr_t)registers.rsp, sizeof(top)};
	cr_assert(process_vm_readv(child, &here, 1, &there, 1, 0) == sizeof(top));
	cr_assert(top[0] == 1 && top[1] != 0 && top[2] == 0, "this is not how a stack begins");
	registers.rsp += sizeof(uint64_t);
	there = (struct iovec){(void *)(uintptr_t)registers.rsp, sizeof(zero)};
	here = (struct iovec){&zero, sizeof(zero)};
	cr_assert(process_vm_writev(child, &here, 1, &there, 1, 0) == sizeof(zero));
	cr_assert(ptrace(PTRACE_SETREGS, child, NULL, &registers) == 0);
	for (enum step step; (step = steps_next(child, &info, &status)) != STEP_GONE;) {
		cr_assert(step != STEP_EXEC, "something was executed");
		calls += step == STEP_ENTRY && info.entry.nr != SYS_arch_prctl && info.entry.nr != SYS_set_tid_address;
		cr_expect(step != STEP_ENTRY || info.entry.nr != SYS_openat, "a file was opened");
	}
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 125, "status %#x", (unsigned)status);
	cr_expect(calls < 8, "%d system calls before it gave up", calls);
	cr_expect(world_log() == 0, "%s", world_log_line(0));
#else
	SKIP("what a stack looks like is known for x86-64 here; launcher/test_entry.c has the same without the kernel");
#endif
}

/* --- A3: argv[0] is the caller's --- */

Test(attacks, a3_the_programs_name_is_never_used_CVE_2023_6246_CVE_2025_0395) {
	static char big[65536];
	static const char *const names[] = {big, "%n%n%n%s%s%s%s", "\n<0>root: all is well\n", "\x1b]0;x\a",
					    "",	 "/tmp/runas-app"};

	world_enter();
	world_app_policy("probe", "");
	for (size_t i = 0; i + 2 < sizeof(big); i += 4)
		memcpy(big + i, "%n%s", 4);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct world_run *run =
			world_run(&(struct world_call){.who = &world_deploy,
						       .program = WORLD_RUNAS,
						       .argv = WORLD_LIST(names[i], "probe", "--", WORLD_PROBE)});
		world_expect_app(run);
		cr_expect(world_log() == 1 && strncmp(world_log_line(0), "<86>runas-app[", 14) == 0 &&
				  strlen(world_log_line(0)) < 300 && !strchr(world_log_line(0), '%'),
			  "%s", world_log_line(0));
		run = world_run(&(struct world_call){.who = &world_deploy,
						     .program = WORLD_RUNAS,
						     .argv = WORLD_LIST(names[i], "none", "--", WORLD_PROBE)});
		world_expect_refused(run, 125, "runas-app: none: ");
		cr_expect(run->err_length < 300 && !strchr(run->err, '%'), "%s", run->err);
		cr_expect(world_log() == 1 && strncmp(world_log_line(0), "<84>runas-app[", 14) == 0, "%s",
			  world_log_line(0));
	}
}

/* --- A4: input that outgrows a buffer --- */

Test(attacks, a4_lines_of_any_length_CVE_2019_18634_CVE_2025_14104_CVE_2026_4897) {
	static char text[3 << 20];
	size_t length = 0;

	world_enter();
	world_app_policy("probe", "");
	/* A name longer than the launcher's buffer, whose rest looks like a line; a full name, a home; no end of the last line. */
	memset(text, 'a', 65535);
	length += 65535;
	length += (size_t)sprintf(text + length, "ra_app:x:4003:4003::/:/bin/sh\nother:x:4003:4003:");
	memset(text + length, 'b', 1 << 20);
	length += 1 << 20;
	length += (size_t)sprintf(text + length, ":/home/other:/bin/sh\nra_other:x:4101:4101::/");
	memset(text + length, 'c', 1 << 20);
	length += 1 << 20;
	length += (size_t)sprintf(text + length, ":/bin/sh\ndeploy:x:4001:4001::/:/bin/sh\n"
						 "ra_app:x:4002:4002::/srv/ra_app:/bin/sh");
	world_file_bytes("/etc/passwd", 0, 0, 0644, text, length);
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
	cr_expect(world_log() == 1);
	/* Two gibibytes of NUL behind the app's line: it is no line any more, and nothing of it is kept. */
	cr_assert(truncate("/etc/passwd", (off_t)2 << 30) == 0);
	struct world_run *run =
		world_run(&(struct world_call){.who = &world_deploy,
					       .program = WORLD_RUNAS,
					       .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
					       .seconds = 30});
	world_expect_refused(run, 125, "[account]");
}

/* --- A5: words that the environment brings --- */

Test(attacks, a5_no_word_comes_from_the_environment_CVE_2023_22809) {
	static const char *const hostile[] = {"EDITOR=vim -- /etc/passwd",
					      "VISUAL=vim -- /etc/passwd",
					      "SUDO_EDITOR=vim -- /etc/shadow",
					      "SHELL=/bin/sh --",
					      "IFS=-",
					      "PATH=-- /etc/shadow:/tmp",
					      "RUNAS_APP_OPTIONS=--user=root",
					      "_=--",
					      NULL};
	static const char *const argv[] = {"runas-app", "probe", "--", WORLD_PROBE,	  "--",
					   "-u",	"root",	 "--", "--policy=/tmp/x", "--user=root",
					   "-h",	NULL};
	char key[16];

	world_enter();
	world_app_policy("probe", "");
	struct world_run *run = world_run(
		&(struct world_call){.who = &world_deploy, .program = WORLD_RUNAS, .argv = argv, .envp = hostile});
	world_expect_app(run);
	world_expect_value(run, "argc", "8");
	for (int i = 1; i < 8; i++) {
		snprintf(key, sizeof(key), "argv_%d", i);
		world_expect_value(run, key, argv[3 + i]);
	}
	/* The only word that is skipped is the first --, and only where it stands behind the app. */
	world_expect_refused(world_launch(&world_deploy, WORLD_LIST("--", "probe", WORLD_PROBE)), 125, "[usage]");
	world_policy("probe", "runas-app = 1\nallow_users = deploy\nuser = ra_app\ncommand = " WORLD_PROBE "\n");
	world_expect_refused(world_launch(&world_deploy, WORLD_LIST("probe", "--", "--", WORLD_PROBE)), 126, "[");
	world_expect_refused(world_launch(&world_deploy, WORLD_LIST("probe", "--", WORLD_PROBE, "--")), 126, "[");
}

/* --- A6: options and roots --- */

Test(attacks, a6_no_option_changes_what_is_decided_CVE_2025_32462) {
	static const char *const options[] = {"-h",	  "--host=elsewhere",
					      "-R",	  "--chroot=/tmp",
					      "-D",	  "--chdir=/",
					      "-u",	  "--user=root",
					      "-u#0",	  "-g",
					      "-l",	  "--list",
					      "-s",	  "-i",
					      "-e",	  "-E",
					      "-A",	  "-n",
					      "-c",	  "--config=/tmp/x",
					      "--root=/", "--json",
					      "--help=x", "-V"};

	world_enter();
	world_app_policy("probe", "");
	for (size_t i = 0; i < COUNT(options); i++) {
		world_expect_refused(world_launch(&world_deploy, WORLD_LIST(options[i], "probe", "--", WORLD_PROBE)),
				     125, "[usage]");
		world_expect_refused(world_launch(&world_deploy, WORLD_LIST("probe", options[i], "--", WORLD_PROBE)),
				     125, "[usage]");
		world_expect_refused(world_launch(&world_deploy, WORLD_LIST(options[i], "probe")), 125, "[usage]");
	}
	static const char *const modes[] = {"--help", "--version"};
	for (size_t i = 0; i < COUNT(modes); i++) {
		world_expect_refused(world_launch(&world_deploy, WORLD_LIST(modes[i], "probe", "--", WORLD_PROBE)), 125,
				     "[usage]");
		world_expect_refused(world_launch(&world_deploy, WORLD_LIST("probe", modes[i], WORLD_PROBE)), 125,
				     "[usage]");
	}
}

/* What root opens, relative to the directory that was opened before. */
static const char *const opened_as_root[] = {"/",
					     ".",
					     "etc",
					     "runas-app",
					     "passwd",
					     "group",
					     "probe.conf",
					     "/dev/null",
					     "profiles",
					     "/proc/self/coredump_filter",
					     "/proc/self/oom_score_adj"};

Test(attacks, a6_root_opens_nothing_but_the_policy_and_the_accounts_CVE_2025_32463) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	world_app_policy("probe", "groups = ra_app ra_web\n");
	for (size_t who = 0; who < COUNT(callers); who++) {
		const struct recording made = recording_of_probe(callers[who]);
		size_t opened = 0;
		int flags;
		for (size_t i = 0; i < made.count; i++) {
			const struct recorded_call *call = &made.calls[i];
			bool is_known = false;
			cr_expect(call->number != SYS_chroot && call->number != SYS_mount &&
				  call->number != SYS_pivot_root && call->number != SYS_setns);
			if (call->effective_uid != 0 || !recorded_open(call, &flags))
				continue;
			opened++;
			for (size_t k = 0; k < COUNT(opened_as_root); k++)
				is_known = is_known || strcmp(call->path, opened_as_root[k]) == 0;
			cr_expect(is_known, "root opened %s", call->path);
		}
		cr_expect(opened >= 8, "only %zu files were seen being opened", opened);
	}
}

/* --- A7: who asks, and what the answer tells --- */

/* To somebody whom the policy does not name every policy answers alike: which files exist is not told. */
Test(attacks, a7_a_refusal_is_no_oracle_CVE_1999_1496_CVE_2025_46804) {
	static const char *const more[] = {"user = ra_app\ncommand = *\n",
					   "user = ra_app\ncommand = *\ndirectory = /root/nowhere\n",
					   "user = ra_app\ncommand = *\nenv_file = /etc/shadow\n",
					   "user = ra_app\ncommand = *\nenv_file = /etc/nowhere\n",
					   "user = ra_app\ncommand = *\nsyscalls = nowhere\n",
					   "user = ra_app\ncommand = /usr/bin/id\n",
					   "user = ra_app\ncommand = *\nwrite = /root/nowhere\n",
					   "user = nobody_knows\ncommand = *\n",
					   "user = ra_app\ngroups = nobody_knows\ncommand = *\n",
					   "user = root\ncommand = *\n",
					   "umaks = 022\n",
					   ""};
	char text[256], *first = NULL;

	world_enter();
	for (size_t i = 0; i < COUNT(more); i++) {
		snprintf(text, sizeof(text), "runas-app = 1\nallow_users = deploy\n%s", more[i]);
		world_policy("probe", text);
		struct world_run *run = world_run(&(struct world_call){
			.who = &world_other,
			.program = WORLD_RUNAS,
			.argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
			.envp = WORLD_LIST("USER=deploy", "SUDO_USER=deploy", "SUDO_UID=4001", "LOGNAME=root")});
		world_expect_refused(run, 126, "[not-permitted]");
		if (!first)
			first = strdup(run->err);
		cr_expect(strcmp(run->err, first) == 0, "case %zu tells itself apart: %s", i, run->err);
		world_log();
	}
}
