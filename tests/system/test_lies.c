/* SPDX-License-Identifier: ISC */
/* System calls that answer without doing anything, and calls that fail: the app never runs in a wrong state. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "server.h"
#include "world.h"

TestSuite(lies, .timeout = 240);

#define TRACE "/tmp/trace"

static const char *const guarded[] = {"setresuid", "setresgid", "setgroups", "capset", "prctl", "seccomp"};
enum { GUARDED = sizeof(guarded) / sizeof(guarded[0]) };

/* What only a policy with more keys makes the launcher do. */
static const char *const further[] = {"landlock_create_ruleset",
				      "landlock_add_rule",
				      "landlock_restrict_self",
				      "socket",
				      "bind",
				      "listen",
				      "setsockopt",
				      "getsockopt",
				      "getsockname",
				      "dup3",
				      "fchown",
				      "fstatfs",
				      "open",
				      "openat",
				      "fstat",
				      "newfstatat"};
enum { FURTHER = sizeof(further) / sizeof(further[0]) };

/* Any of these answering 0 for ever is a launch that cannot come to its end. */
static const char *const never_done[] = {"landlock_create_ruleset",
					 "landlock_restrict_self",
					 "bind",
					 "listen",
					 "setsockopt",
					 "getsockopt",
					 "getsockname",
					 "fchown",
					 "fstatfs"};

#define ATTEMPT "/usr/local/bin/attempt"
#define INSIDE "write:/srv/ra_app/in/file"
#define OUTSIDE "write:/srv/ra_app/file"

/* Shows what each key has done, before it becomes the probe. */
static const char *const showing[] = {ATTEMPT,	 INSIDE,    OUTSIDE, "write:/dev/null", "socket:3", "listen-pid",
				      "owner:1", "owner:2", "--",    WORLD_PROBE,	NULL};
static const char *const plain[] = {WORLD_PROBE, NULL};
static const char *const *command = plain;

static void enter(void) {
	world_enter();
	if (access("/usr/bin/strace", X_OK) != 0)
		SKIP("strace is missing: scripts/bootstrap check installs it");
	world_app_policy("probe", "groups = ra_app ra_web\n");
}

/* Every key at once; stdio_chown is root's alone. */
static void enter_everything(const char *user) {
	char text[2048];

	if (syscall(444 /* landlock_create_ruleset */, NULL, 0L, 1L) < 3)
		SKIP("Landlock is missing or older than Linux 6.2 (ABI 3)");
	enter();
	server_enter_network();
	command = showing;
	cr_assert(world_built("attempt") != NULL, "attempt is not built");
	world_copy(world_built("attempt"), ATTEMPT, 0755);
	world_directory("/srv/ra_app/in", WORLD_APP, WORLD_APP, 0755);
	world_directory("/srv/ra_app/tmp", WORLD_APP, WORLD_APP, 0755);
	world_file("/srv/ra_app/in/file", WORLD_APP, WORLD_APP, 0644, "");
	world_file("/srv/ra_app/file", WORLD_APP, WORLD_APP, 0644, "");
	world_file("/etc/runas-app/secrets.env", 0, 0, 0600, "DB_PASSWORD=secret\n");
	snprintf(text, sizeof(text),
		 "runas-app = 1\nallow_users = deploy\nuser = ra_app\ngroups = ra_app ra_web\ndirectory = /srv/ra_app\n"
		 "serve = " ATTEMPT
		 " *\nlisten = tcp 127.0.0.1:80\nlisten = tcp [::1]:443\nenv_file = /etc/runas-app/secrets.env\n"
		 "write = /srv/ra_app/in\ntmp = /srv/ra_app/tmp\nwrite_enforce = strict\n%s",
		 user ? "" : "stdio_chown = yes\n");
	world_policy("probe", text);
}

/* Enough that a stage which is left out shows. */
static void give_something_to_undo(const void *data) {
	(void)data;
	umask(0);
	int fd = open("/etc/passwd", O_RDONLY);
	if (setpriority(PRIO_PROCESS, 0, 7) != 0 || prctl(PR_SET_TIMERSLACK, 40000000UL) != 0 || fd < 0 ||
	    dup2(fd, 9) != 9)
		_exit(WORLD_CHILD_BROKE);
	close(fd);
}

/* What strace is told decides everything; NULL: only watch. */
static struct world_run *run_traced(const char *user, const char *trace, const char *inject) {
	const char *argv[32];
	int count = 0;
	char tracing[128], injecting[160];

	argv[count++] = "strace";
	argv[count++] = "-qqq";
	argv[count++] = "-o";
	argv[count++] = TRACE;
	if (user) {
		argv[count++] = "-u";
		argv[count++] = user;
	}
	if (trace) {
		snprintf(tracing, sizeof(tracing), "trace=%s", trace);
		argv[count++] = "-e";
		argv[count++] = tracing;
	}
	if (inject) {
		snprintf(injecting, sizeof(injecting), "inject=%s", inject);
		argv[count++] = "-e";
		argv[count++] = injecting;
	}
	argv[count++] = WORLD_RUNAS;
	argv[count++] = "probe";
	argv[count++] = "--";
	for (size_t i = 0; command[i]; i++)
		argv[count++] = command[i];
	argv[count] = NULL;
	unlink(TRACE);
	return world_run(&(struct world_call){.who = &world_root,
					      .program = "/usr/bin/strace",
					      .argv = argv,
					      .as_root = give_something_to_undo,
					      .seconds = 20});
}

/* The state that matters: everything the probe says, but for what differs from run to run anyway. */
static char *state_of(const char *out) {
	static const char *const varies[] = {"pid:", "ppid:", "pgid:", "sid:", "session_keyring", "env: LISTEN_PID="};
	char *state = calloc(1, strlen(out) + 1);
	size_t length = 0;

	for (const char *line = out; *line;) {
		size_t span = strcspn(line, "\n"), kept = span;
		bool skip = false;
		for (size_t i = 0; i < sizeof(varies) / sizeof(varies[0]); i++)
			skip = skip || strncmp(line, varies[i], strlen(varies[i])) == 0;
		const char *pipe = memmem(line, span, "pipe:[", 6), *bound = memmem(line, span, "socket:[", 8);
		if (pipe || bound)
			kept = (size_t)((pipe ? pipe : bound) - line);
		if (!skip) {
			memcpy(state + length, line, kept);
			length += kept;
			state[length++] = '\n';
		}
		line += span + (line[span] == '\n');
	}
	return state;
}

struct seen {
	char name[32];
	unsigned count;
};

/* How often each call is made between the launcher's own start and its exec. */
static size_t read_trace(struct seen *calls, size_t most) {
	char *text = world_read(TRACE);
	size_t count = 0;
	unsigned execs = 0;

	cr_assert(text, "no trace");
	for (char *line = text; *line;) {
		char *end = line + strcspn(line, "\n");
		size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
		if (name > 0 && name < sizeof(calls->name) && line[name] == '(') {
			size_t at = 0;
			while (at < count &&
			       (strlen(calls[at].name) != name || strncmp(calls[at].name, line, name) != 0))
				at++;
			if (at == count) {
				cr_assert(count < most, "more kinds of calls than expected");
				memcpy(calls[count].name, line, name);
				calls[count].name[name] = '\0';
				calls[count++].count = 0;
			}
			calls[at].count++;
			if (strncmp(line, "execve(", 7) == 0 && ++execs == 2)
				break;
		}
		line = *end ? end + 1 : end;
	}
	free(text);
	cr_assert(execs == 2, "the trace shows %u execve, not 2", execs);
	return count;
}

static void expect_right_or_nothing(const struct world_run *run, const char *right, const char *what) {
	if (run->out_length == 0) {
		cr_expect(!run->timed_out, "%s: ran out of time", what);
		cr_expect(!world_exited(run, 0), "%s: nothing ran, but the status is 0", what);
		return;
	}
	char *state = state_of(run->out);
	if (strcmp(state, right) != 0) {
		size_t at = 0;
		while (state[at] && state[at] == right[at])
			at++;
		while (at > 0 && state[at - 1] != '\n')
			at--;
		cr_expect(false, "%s: the app ran in a wrong state: `%.*s` instead of `%.*s`", what,
			  (int)strcspn(state + at, "\n"), state + at, (int)strcspn(right + at, "\n"), right + at);
	}
	free(state);
}

static bool is_in(const char *name, const char *const *names, size_t count) {
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* A rule that was not added cannot be seen to be missing: the app may then write less than it should, and never more. */
static char *with_less(char *right, const struct world_run *run) {
	static const char *const listed[] = {INSIDE, "write:/dev/null"};

	for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++) {
		const char *now = world_value(run, listed[i]), *line = strstr(right, listed[i]);
		char *less = NULL;
		if (!now || strcmp(now, "EACCES") != 0)
			continue;
		cr_assert(line && asprintf(&less, "%.*s%s: EACCES%s", (int)(line - right), right, listed[i],
					   line + strcspn(line, "\n")) > 0);
		right = less;
	}
	return right;
}

enum chosen { THE_GUARDED, ALL_OTHERS, THE_FURTHER };

static void lie(const char *user, enum chosen chosen, const char *const *lies) {
	struct seen calls[96];
	char what[160];

	if (chosen == THE_FURTHER)
		enter_everything(user);
	else
		enter();
	struct world_run *clean = run_traced(user, NULL, NULL);
	world_expect_confined(clean, WORLD_APP, WORLD_APP, "4002 4010", true);
	char *right = state_of(clean->out);
	size_t kinds = read_trace(calls, sizeof(calls) / sizeof(calls[0])), runs = 0;

	for (size_t i = 0; i < kinds; i++) {
		if (strncmp(calls[i].name, "syscall_", 8) == 0)
			continue; /* the filters' proofs: strace has no name for them */
		bool is_guarded = is_in(calls[i].name, guarded, GUARDED);
		if (chosen == THE_FURTHER ? !is_in(calls[i].name, further, FURTHER)
					  : is_guarded != (chosen == THE_GUARDED))
			continue;
		/* The first execve is strace's own. */
		for (unsigned when = strcmp(calls[i].name, "execve") == 0 ? 2 : 1; when <= calls[i].count; when++) {
			for (size_t k = 0; lies[k]; k++) {
				snprintf(what, sizeof(what), "%.31s:%s:when=%u", calls[i].name, lies[k], when);
				struct world_run *run = run_traced(user, calls[i].name, what);
				const bool is_rule = strcmp(calls[i].name, "landlock_add_rule") == 0;
				expect_right_or_nothing(run, is_rule ? with_less(right, run) : right, what);
				runs++;
				free(run->out);
				free(run->err);
				free(run);
			}
		}
	}
	cr_log_info("%zu injections", runs);
	cr_expect(runs > 20, "only %zu injections: the trace was not understood", runs);
}

static void lie_always(const char *user, const char *const *names, size_t count) {
	char what[64];

	for (size_t i = 0; i < count; i++) {
		snprintf(what, sizeof(what), "%s:retval=0", names[i]);
		struct world_run *run = run_traced(user, names[i], what);
		cr_expect(run->out_length == 0, "%s: the app ran:\n%.400s", what, run->out);
		cr_expect(!run->timed_out && !world_exited(run, 0) && !world_exited(run, WORLD_CHILD_BROKE),
			  "%s: status %#x", what, (unsigned)run->status);
	}
}

Test(lies, a_guarded_call_that_never_does_anything_stops_the_launch_of_deploy) {
	enter();
	lie_always("deploy", guarded, GUARDED);
}

Test(lies, a_guarded_call_that_never_does_anything_stops_the_launch_of_root) {
	enter();
	lie_always(NULL, guarded, GUARDED);
}

Test(lies, one_guarded_call_that_does_nothing_never_leads_to_a_wrong_state_for_deploy) {
	lie("deploy", THE_GUARDED, WORLD_LIST("retval=0"));
}

Test(lies, one_guarded_call_that_does_nothing_never_leads_to_a_wrong_state_for_root) {
	lie(NULL, THE_GUARDED, WORLD_LIST("retval=0"));
}

Test(lies, one_guarded_call_that_fails_never_leads_to_a_wrong_state) {
	lie("deploy", THE_GUARDED, WORLD_LIST("error=EPERM", "error=EINTR"));
}

Test(lies, any_other_call_that_does_nothing_or_fails_never_leads_to_a_wrong_state) {
	lie("deploy", ALL_OTHERS, WORLD_LIST("retval=0", "error=EPERM"));
}

/* --- with every key of the policy --- */

static void expect_everything(const struct world_run *run, const char *user) {
	static const char *const wanted[][2] = {{INSIDE, "ok"},
						{OUTSIDE, "EACCES"},
						{"write:/dev/null", "ok"},
						{"socket:3", "127.0.0.1 80 listening=1"},
						{"listen-pid", "mine"}};

	world_expect_confined(run, WORLD_APP, WORLD_APP, "4002 4010", true);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		world_expect_value(run, wanted[i][0], wanted[i][1]);
	world_expect_value(run, "owner:1", user ? "0:0 10600" : "4002:4002 10600");
	cr_expect(world_env(run, "DB_PASSWORD") && world_env(run, "TMPDIR"));
}

static void lie_about_everything(const char *user) {
	/* Two of them are done for root's stdio_chown only. */
	const size_t count = sizeof(never_done) / sizeof(never_done[0]) - (user ? 2 : 0);

	enter_everything(user);
	expect_everything(run_traced(user, NULL, NULL), user);
	lie_always(user, never_done, count);
}

Test(lies, a_call_for_another_key_that_never_does_anything_stops_the_launch_of_deploy) {
	lie_about_everything("deploy");
}

Test(lies, a_call_for_another_key_that_never_does_anything_stops_the_launch_of_root) { lie_about_everything(NULL); }

Test(lies, one_call_for_another_key_that_does_nothing_or_fails_never_leads_to_a_wrong_state_for_deploy) {
	lie("deploy", THE_FURTHER, WORLD_LIST("retval=0", "error=EPERM"));
}

Test(lies, one_call_for_another_key_that_does_nothing_or_fails_never_leads_to_a_wrong_state_for_root) {
	lie(NULL, THE_FURTHER, WORLD_LIST("retval=0", "error=EPERM"));
}

/* --- the same without strace: a root caller may bring a filter that answers 0 --- */

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

/* --- killed or stopped anywhere, nothing stays behind --- */

/* Attack D1. */
Test(lies, a_launch_that_is_killed_anywhere_leaves_nothing_and_hinders_nobody) {
	struct seen calls[96];
	char what[96];

	enter();
	run_traced("deploy", NULL, NULL);
	size_t kinds = read_trace(calls, sizeof(calls) / sizeof(calls[0]));
	for (size_t i = 0; i < kinds; i++) {
		snprintf(what, sizeof(what), "%.31s:signal=KILL:when=%u", calls[i].name, calls[i].count);
		if (strcmp(calls[i].name, "execve") == 0 || strncmp(calls[i].name, "syscall_", 8) == 0)
			continue;
		struct world_run *run = run_traced("deploy", calls[i].name, what);
		cr_expect(WIFSIGNALED(run->status) && WTERMSIG(run->status) == SIGKILL, "%s: status %#x", what,
			  (unsigned)run->status);
		cr_expect(run->out_length == 0, "%s: the app ran", what);
	}
	cr_expect(access("/run/runas-app", F_OK) != 0, "something was left in /run");
	world_expect_confined(run_traced("deploy", NULL, NULL), WORLD_APP, WORLD_APP, "4002 4010", true);
}
