/* SPDX-License-Identifier: ISC */
/* System calls that never do anything, and say that they did. One that goes wrong once: scripts/inject-faults. */
#include <criterion/criterion.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "inject.h"
#include "server.h"

TestSuite(lies, .timeout = 60);

/* What decides what the app may do; without each there is no launch. */
static const long guarded[] = {SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_capset, SYS_prctl, SYS_seccomp, -1};

/* What only a policy with more keys makes the launcher do; the last two for root's stdio_chown only. */
static const long further[] = {444 /* landlock_create_ruleset */,
			       446 /* landlock_restrict_self */,
			       SYS_bind,
			       SYS_listen,
			       SYS_setsockopt,
			       SYS_getsockopt,
			       SYS_getsockname,
			       -1};
static const long further_of_root[] = {SYS_fchown, SYS_fstatfs, -1};

static const struct world_person *const callers[] = {&world_deploy, &world_root};

static void expect_no_launch(const struct world_person *who, const long *numbers) {
	const struct world_call call = {
		.who = who, .program = WORLD_RUNAS, .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE)};

	world_expect_confined(world_run(&call), WORLD_APP, WORLD_APP, "4002 4010", true);
	for (; *numbers >= 0; numbers++) {
		struct world_run *run = inject_always(&call, (uint64_t)*numbers);
		cr_expect(run->out_length == 0, "call %ld: the app ran:\n%.400s", *numbers, run->out);
		cr_expect(!run->timed_out && !world_exited(run, 0) && !world_exited(run, WORLD_CHILD_BROKE),
			  "call %ld: status %#x", *numbers, (unsigned)run->status);
	}
}

Test(lies, a_guarded_call_that_never_does_anything_stops_the_launch) {
	world_enter();
	world_app_policy("probe", "groups = ra_app ra_web\n");
	for (size_t i = 0; i < 2; i++)
		expect_no_launch(callers[i], guarded);
}

Test(lies, a_call_for_another_key_that_never_does_anything_stops_the_launch) {
	char text[1024];

	if (world_landlock_abi() < 3)
		SKIP("Landlock is missing or older than Linux 6.2 (ABI 3)");
	world_enter();
	server_enter_network();
	world_directory("/srv/ra_app/in", WORLD_APP, WORLD_APP, 0755);
	for (size_t i = 0; i < 2; i++) {
		snprintf(text, sizeof(text),
			 "runas-app = 1\nallow_users = deploy\nuser = ra_app\ngroups = ra_app ra_web\n"
			 "directory = /srv/ra_app\nserve = " WORLD_PROBE " *\nlisten = tcp 127.0.0.1:80\n"
			 "listen = tcp [::1]:443\nwrite = /srv/ra_app/in\nwrite_enforce = strict\n%s",
			 i > 0 ? "stdio_chown = yes\n" : "");
		world_policy("probe", text);
		expect_no_launch(callers[i], further);
		if (i > 0)
			expect_no_launch(callers[i], further_of_root);
	}
}

/* --- a root caller may bring a filter that answers 0 --- */

static void load_silencer(const void *data) {
	const int *numbers = data;
	struct sock_filter code[32] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	unsigned short count = 1;

	for (; *numbers >= 0; numbers++) {
		code[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)*numbers, 0, 1);
		code[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0);
	}
	code[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {count, code};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		_exit(WORLD_CHILD_BROKE);
}

/* Attack E2. */
Test(lies, a_filter_that_answers_success_never_lets_the_app_run) {
	static const int sets[][10] = {{SYS_setresuid, -1},
				       {SYS_setresgid, -1},
				       {SYS_setgroups, -1},
				       {SYS_capset, -1},
				       {SYS_prctl, -1},
				       {SYS_seccomp, -1},
				       {SYS_setresuid, SYS_setresgid, SYS_setgroups, -1},
				       {SYS_getresuid, SYS_setresuid, -1},
				       {SYS_getresgid, SYS_setresgid, SYS_getgroups, SYS_setgroups, -1},
				       {SYS_capset, SYS_capget, -1},
				       {SYS_prctl, SYS_seccomp, SYS_capset, SYS_capget, -1},
				       {SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_getresuid, SYS_getresgid,
					SYS_getgroups, SYS_capset, SYS_capget, -1},
				       {SYS_setfsuid, SYS_setresuid, -1},
				       {SYS_umask, -1},
				       {SYS_close_range, -1},
				       {SYS_rt_sigprocmask, -1}};

	world_enter();
	world_app_policy("probe", "");
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct world_run *run = world_probe(&world_root, load_silencer, sets[i]);
		cr_expect(run->out_length == 0, "set %zu: the app ran:\n%.400s", i, run->out);
		cr_expect(!run->timed_out && !world_exited(run, 0) && !world_exited(run, WORLD_CHILD_BROKE),
			  "set %zu: status %#x: %s", i, (unsigned)run->status, run->err);
	}
}
