/* SPDX-License-Identifier: ISC */
/* The attack catalogue of SECURITY.md, part D: what makes a launch fail half-way, or be caught there. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recording.h"
#include "steps.h"
#include "world.h"

TestSuite(attacks, .timeout = 120);

/* --- D1: signals in the window --- */

static bool may_signal(const struct world_person *who, pid_t pid) {
	int status = 0;
	const pid_t child = fork();

	cr_assert(child >= 0);
	if (child == 0) {
		steps_become(who);
		if (kill(pid, SIGSTOP) == 0)
			_exit(0);
		_exit(errno == EPERM ? 1 : 2);
	}
	cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 0;
}

static unsigned id_of(pid_t pid, const char *key, int field) {
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	char *text = world_read(path);
	const char *value = text ? world_value_in(text, key) : NULL;
	unsigned ids[4] = {0};
	cr_assert(value && sscanf(value, "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4);
	free(text);
	return ids[field];
}

/* Stopped anywhere by whoever can and continued, it comes to its end; once the caller's real uid is gone, nobody but root
 * and, at last, the app's user can stop it any more. */
Test(attacks, d1_the_caller_cannot_stop_it_once_it_changes_its_groups_CVE_2025_46805) {
	int stop = 0, stoppable = 0;
	bool was_refused = false;

	world_enter();
	world_app_policy("probe", "");
	for (;; stop++) {
		int status = 0;
		const pid_t child =
			steps_to(&world_deploy, WORLD_LIST("runas-app", "probe", "--", "/bin/true"), NULL, stop, true);
		if (child == 0)
			break;
		steps_leave_standing(child);
		const bool by_caller = may_signal(&world_deploy, child), by_other = may_signal(&world_other, child);
		const bool is_the_callers = id_of(child, "Uid", 0) == WORLD_DEPLOY;
		cr_expect(by_caller == is_the_callers, "stop %d: the caller %s signal it", stop,
			  by_caller ? "may" : "may not");
		cr_expect(!by_caller || !was_refused, "stop %d: the caller may signal it again", stop);
		cr_expect(!by_caller || id_of(child, "Gid", 1) == WORLD_DEPLOY, "stop %d: its groups changed before",
			  stop);
		cr_expect(!by_other, "stop %d: a stranger may signal it", stop);
		was_refused = was_refused || !by_caller;
		stoppable += by_caller;
		cr_assert(kill(child, SIGCONT) == 0 && waitpid(child, &status, 0) == child);
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "stop %d: status %#x", stop, (unsigned)status);
		world_log();
	}
	cr_expect(stoppable > 20 && stop - stoppable > 50, "%d of %d stops: not stepped through", stoppable, stop);
}

Test(attacks, d1_it_signals_nobody_and_waits_for_nothing_CVE_2025_46805) {
	static const uint64_t never[] = {SYS_kill,  SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_pidfd_send_signal,
					 SYS_flock, SYS_wait4, SYS_clone,  SYS_clone3,		SYS_nanosleep,
#ifdef __x86_64__
					 SYS_fork,  SYS_vfork, SYS_pause
#endif
	};
	static const struct world_person *const callers[] = {&world_deploy, &world_root, &world_other};

	world_enter();
	world_app_policy("probe", "");
	for (size_t who = 0; who < 3; who++) {
		const struct recording made =
			recording_make(callers[who], WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE), NULL);
		cr_expect(made.came_to_its_command == (who < 2));
		for (size_t i = 0; i < made.count; i++)
			for (size_t k = 0; k < sizeof(never) / sizeof(never[0]); k++)
				cr_expect(made.calls[i].number != never[k], "call %lu", (unsigned long)never[k]);
	}
}

/* --- D3: no process left --- */

#define NPROC_USER                                                                                                     \
	"runas-app = 1\nallow_users = deploy\nuser = 4977\ngroup = 4977\nhome = /\ndirectory = /\ncommand = *\n"

Test(attacks, d3_a_used_up_process_limit_is_a_refusal) {
	world_enter();
	/* A user whom nobody else on this machine has. */
	world_policy("sleeper", NPROC_USER);
	world_policy("probe", NPROC_USER "limit_nproc = 1\n");
	struct world_run *sleepers[2];
	for (int i = 0; i < 2; i++) {
		sleepers[i] = world_start(
			&(struct world_call){.who = &world_deploy,
					     .program = WORLD_RUNAS,
					     .argv = WORLD_LIST("runas-app", "sleeper", "--", WORLD_PROBE, "--sleep")});
		world_collect(sleepers[i], "end: yes", 10);
	}
	struct world_run *run = world_probe(&world_deploy, NULL, NULL);
	world_expect_refused(run, 126, "limit_nproc");
	run = world_probe(&world_root, NULL, NULL);
	world_expect_refused(run, 126, "limit_nproc");
	for (int i = 0; i < 2; i++) {
		kill(sleepers[i]->pid, SIGKILL);
		world_wait(sleepers[i], 5);
	}
	world_expect_confined(world_probe(&world_deploy, NULL, NULL), 4977, 4977, "4977", true);
}

/* --- D8: what can be taken from a process that changes its ids, or dies --- */

static void expect_nothing_to_take(const struct world_person *who, const char *const *argv, const char *what) {
	static const uint64_t changing[] = {SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_exit_group, SYS_execve};
	const struct recording made = recording_make(who, argv, NULL);
	size_t seen = 0;

	for (size_t i = 0; i < made.count; i++) {
		for (size_t k = 0; k < sizeof(changing) / sizeof(changing[0]); k++) {
			if (made.calls[i].number != changing[k])
				continue;
			seen++;
			cr_expect(!made.calls[i].has_descriptors, "%s: call %zu (%lu) with a descriptor open", what, i,
				  (unsigned long)changing[k]);
		}
	}
	cr_expect(seen > 0, "%s: neither a change of ids nor an end", what);
}

/* The kernel once let pidfd_getfd reach into a process that was on its way out, whatever its ids had been. */
Test(attacks, d8_no_file_is_open_when_ids_change_or_it_ends_CVE_2026_46333) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root, &world_other, &world_app};

	world_enter();
	world_app_policy("probe", "env_file = /etc/runas-app/secrets.env\nwrite = /srv/ra_app\n");
	world_file("/etc/runas-app/secrets.env", 0, 0, 0600, "SECRET=1\n");
	world_app_policy("broken", "umaks = 022\n");
	world_app_policy("nowhere", "directory = /root/x\n");
	world_app_policy("site", "syscalls = nowhere\n");
	world_app_policy("open", "");
	cr_assert(world_read("/etc/passwd") != NULL);
	for (size_t who = 0; who < 4; who++) {
		static const char *const apps[] = {"probe", "broken", "nowhere", "site", "open", "missing", "../x"};
		for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++)
			expect_nothing_to_take(callers[who], WORLD_LIST("runas-app", apps[i], "--", WORLD_PROBE),
					       apps[i]);
		expect_nothing_to_take(callers[who], WORLD_LIST("runas-app", "open", "--", "/no/such/command"),
				       "no command");
	}
}
