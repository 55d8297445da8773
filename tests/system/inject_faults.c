/* SPDX-License-Identifier: ISC */
/*
 * Every system call of a launch goes wrong, one at a time and in thirteen ways: either the app does not run, and the
 * launch says so, or it runs exactly as planned. scripts/inject-faults starts this and adds up.
 *
 * INJECT_CALL, INJECT_WHEN, INJECT_FAULT   only this one; INJECT_ALL: all calls, where otherwise a row of calls that
 * differ in a number only (rt_sigaction of the signals 1 to 64) is represented by its first, its last and one between.
 * INJECT_SLOTS   a directory: one file a processor, which who holds its lock stays on.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "gifts.h"
#include "inject.h"
#include "server.h"

TestSuite(faults, .timeout = 600);

#define PLAIN "/usr/local/bin/runas-plain"
#define ATTEMPT "/usr/local/bin/attempt"
#define PROC "/run/proc"
#define PENDING 34 /* beside SIGUSR2: one that libraries keep to themselves */
#define INSIDE "write:/srv/ra_app/in/file"
#define TEMPORARY "write:/srv/ra_app/tmp/file"
#define OUTSIDE "write:/srv/ra_app/file"
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum policy { MINIMAL, FULL, KEPT };

struct scenario {
	const char *caller, *policy_name;
	const struct world_person *who;
	enum policy policy;
	bool has_no_proc;
};

/* --- what the caller has set before: whatever a stage leaves out then shows --- */

static void give_as_root(const void *data) {
	const struct world_person *who = ((const struct scenario *)data)->who;
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} batch = {.size = sizeof(batch), .policy = SCHED_BATCH, .flags = 1 /* SCHED_FLAG_RESET_ON_FORK */, .nice = 7};
	unsigned long nodes = 1;

	gift_need(syscall(SYS_sched_setattr, 0, &batch, 0) == 0, "nice, class");
	gift_need(prctl(PR_SET_TIMERSLACK, 40000000UL) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) == 0 &&
			  prctl(PR_SET_THP_DISABLE, 1L, 0L, 0L, 0L) == 0,
		  "switches");
	gift_need(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 7) == 0, "ioprio");
	gift_need(personality(ADDR_NO_RANDOMIZE) >= 0, "personality");
	/* Not in every kernel, nor on every machine. */
	(void)prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0L, 0L);
	(void)prctl(67 /* PR_SET_MEMORY_MERGE */, 1L, 0L, 0L, 0L);
	(void)syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &nodes, sizeof(nodes) * 8);
	gift_write(PROC "/self/coredump_filter", "0xff");
	/* Without root only what is there already can be had. */
	gift_write(PROC "/self/oom_score_adj", who == &world_root || who->uid == WORLD_DEPLOY ? "700" : "300");
	gift_soft_limit(RLIMIT_NOFILE, 333);
	gift_soft_limit(RLIMIT_CORE, 1000);
	gift_soft_limit(RLIMIT_STACK, 4 << 20);
	gift_soft_limit(RLIMIT_LOCKS, 55);
	if (who->uid == 0)
		gift_ambient(CAP_NET_RAW);
}

static void give_as_caller(const void *data) {
	const struct scenario *s = data;
	const struct itimerval timer = {{70, 0}, {300, 0}};
	const uint64_t all = ~UINT64_C(0);

	umask(0);
	int fd = open("/etc/passwd", O_RDONLY);
	gift_need(fd >= 0 && dup2(fd, 9) == 9 && dup2(fd, 5) == 5 && close(fd) == 0, "descriptors");
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		gift_need(setitimer((__itimer_which_t)which, &timer, NULL) == 0, "timer");
	gift_need(signal(SIGUSR1, SIG_IGN) != SIG_ERR && signal(SIGCHLD, SIG_IGN) != SIG_ERR, "ignored");
	gift_need(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)) == 0, "blocked");
	if (s->policy == FULL) /* elsewhere each refusal's message is seen instead: see is_before_signals */
		gift_need(kill(getpid(), SIGUSR2) == 0 && kill(getpid(), PENDING) == 0, "pending");
	(void)syscall(SYS_keyctl, 1 /* join */, "hostile", 0, 0, 0);
	(void)prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
}

/* --- the launches --- */

static const struct world_person app_in_web = {WORLD_APP, WORLD_APP, 2, {WORLD_APP, WORLD_GROUP_WEB}};

static bool has_landlock;

static const char *const command[] = {
	"runas-app", "probe",	   "--",      ATTEMPT,	 INSIDE, TEMPORARY,   OUTSIDE,	 "write:/dev/null", "socket:3",
	"socket:4",  "listen-pid", "owner:1", "owner:2", "--",	 WORLD_PROBE, "--ioctl", "--regain",	    NULL};

static void write_minimal(void) {
	world_policy("probe", "runas-app = 1\nallow_users = deploy\nuser = ra_app\ngroups = ra_app ra_web\n"
			      "directory = /srv/ra_app\ncommand = *\n");
}

/* Every key that may stand beside the others; some are root's to use. */
static void write_full(const struct scenario *s) {
	const bool has_root = s->who->uid != WORLD_APP;
	char text[4096];

	world_file("/etc/runas-app/secrets.env", 0, 0, 0600, "DB_PASSWORD=secret\n");
	snprintf(text, sizeof(text),
		 "runas-app = 1\nallow_users = deploy\nallow_groups = deployers\nuser = ra_app\ngroup = ra_app\n"
		 "groups = ra_app ra_web\numask = 0007\ndirectory = /srv/ra_app\nhome = /srv/ra_app\nshell = /bin/sh\n"
		 "path = /usr/local/bin:/usr/bin\nserve = " ATTEMPT " *\nlisten = tcp 127.0.0.1:%d\n"
		 "listen = tcp [::1]:%d\nenv = MODE=production\nenv_keep = TERM\nsyscalls = @app-server\n%s%s%s%s"
		 "nice = 10\nlog = required\nlimit_cpu = 3000:4000\nlimit_fsize = 1000000000\nlimit_data = unlimited\n"
		 "limit_stack = 8388608\nlimit_core = 0:1500\nlimit_rss = 900000000\nlimit_nproc = 3000\n"
		 "limit_nofile = 500:600\nlimit_memlock = 65536\nlimit_as = 2000000000\nlimit_locks = 44\n"
		 "limit_sigpending = 99\nlimit_msgqueue = 4096\nlimit_nice = 0\nlimit_rtprio = 0\n"
		 "limit_rttime = 1000000\n",
		 has_root ? 80 : 8080, has_root ? 443 : 8443,
		 has_landlock ? "write = /srv/ra_app/in\ntmp = /srv/ra_app/tmp\nwrite_enforce = strict\n" : "",
		 has_root ? "env_file = /etc/runas-app/secrets.env\n" : "",
		 s->who->uid == 0 ? "stdio_chown = yes\n" : "", s->has_no_proc ? "" : "oom_score_adj = 300\n");
	world_policy("probe", text);
}

/* What excludes something of the other: kept descriptors and directory, the site's own profile, no log. */
static void write_kept(void) {
	static const char compiler[] = "/run/build/runas-policy";

	world_directory("/srv/below", 0, 0, 0755);
	world_directory("/srv/below/1", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_file("/etc/runas-app/profiles/mine.profile", 0, 0, 0644,
		   "runas-profile = 1\ninclude = @app-server\nrefuse = mkdir mkdirat\n");
	world_policy("probe", "runas-app = 1\nallow_groups = deployers\nuser = 4002\ngroups = ra_app ra_web\n"
			      "directory_below = /srv/below\ncommand = " ATTEMPT " *\ncommand = /bin/true\n"
			      "keep_fds = 3 4 5 9 11\nsyscalls = mine\nenv_keep = TERM @systemd\nlog = none\n");
	struct world_run *run =
		world_run(&(struct world_call){.who = &world_root, .argv = WORLD_LIST(compiler, "compile", "mine")});
	cr_assert(world_exited(run, 0), "compile: %s", run->err);
}

/* On a processor of its own: who traces and who is traced then wake each other at once. */
static void take_processor(void) {
	const char *slots = getenv("INJECT_SLOTS");
	cpu_set_t all, one;

	cr_assert(sched_getaffinity(0, sizeof(all), &all) == 0);
	for (size_t cpu = 0; slots && cpu < CPU_SETSIZE; cpu++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%zu", slots, cpu);
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (!CPU_ISSET(cpu, &all))
			continue;
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
			cr_assert(sched_setaffinity(0, sizeof(one), &one) == 0);
			return; /* held until this process ends */
		}
		close(fd);
	}
}

static struct world_call enter(const struct scenario *s) {
	const bool is_app = s->who->uid == WORLD_APP;

	take_processor();
	world_enter();
	server_enter_network();
	has_landlock = world_landlock_abi() >= 3;
	if (!has_landlock && s->policy == FULL)
		NOT_SHOWN("faults of `write`: Landlock is missing or older than Linux 6.2 (ABI 3)");
	cr_assert(world_built("attempt") != NULL, "attempt is not built");
	world_copy(world_built("attempt"), ATTEMPT, 0755);
	world_copy(WORLD_RUNAS, PLAIN, 0755);
	world_directory("/srv/ra_app", WORLD_APP, WORLD_APP, 0755);
	world_directory("/srv/ra_app/in", WORLD_APP, WORLD_APP, 0755);
	world_directory("/srv/ra_app/tmp", WORLD_APP, WORLD_APP, 0755);
	world_file("/srv/ra_app/in/file", WORLD_APP, WORLD_APP, 0644, "");
	world_file("/srv/ra_app/tmp/file", WORLD_APP, WORLD_APP, 0644, "");
	world_file("/srv/ra_app/file", WORLD_APP, WORLD_APP, 0644, "");
	if (s->policy == MINIMAL)
		write_minimal();
	else if (s->policy == FULL)
		write_full(s);
	else
		write_kept();
	world_directory(PROC, 0, 0, 0755);
	cr_assert(mount("/proc", PROC, NULL, MS_BIND | MS_REC, NULL) == 0, "/proc: %s", strerror(errno));
	if (s->has_no_proc)
		cr_assert(mount("runas-test", "/proc", "tmpfs", 0, "mode=0555") == 0, "no /proc: %s", strerror(errno));
	return (struct world_call){.who = s->who,
				   .program = is_app ? PLAIN : WORLD_RUNAS,
				   .argv = command,
				   .directory = s->policy == KEPT ? "/srv/below/1" : "/",
				   .as_root = give_as_root,
				   .as_caller = give_as_caller,
				   .data = s};
}

/* --- the oracle --- */

/* Everything that the app says, but for what differs from run to run anyway. */
static char *state_of(const char *out) {
	static const char *const varies[] = {"pid:", "ppid:", "pgid:", "sid:", "session_keyring:", "env: LISTEN_PID="};
	char *state = calloc(1, strlen(out) + 2);
	size_t length = 0;

	cr_assert(state);
	for (const char *line = out; *line;) {
		size_t span = strcspn(line, "\n"), kept = span;
		bool skip = false;
		for (size_t i = 0; i < COUNT(varies); i++)
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

enum outcome {
	AS_PLANNED, /* the app ran so; or, where the launch itself is a refusal, it was refused so */
	REFUSED,    /* 125 to 127, and a message */
	KILLED,	    /* by our SIGKILL */
	/* From here on bad, unless `exceptions` expects it of this call. */
	SILENT,	   /* refused without a message */
	CRASHED,   /* died of another signal than ours */
	SIGNALLED, /* died of what the caller had left pending */
	LESS,	   /* the app may write less than planned, never more */
	UNLOGGED,  /* as planned, but no record of it */
	WRONG	   /* anything else */
};

static const char *const outcomes[] = {"as planned", "refused",	       "killed",     "silent", "crashed",
				       "signalled",  "may write less", "not logged", "WRONG"};

/* The listed paths that `run` could not write are not held against it: `ret_is_less`. */
static bool is_planned(const char *state, const char *planned, bool *ret_is_less, char *why, size_t size) {
	static const char *const listed[] = {INSIDE ":", TEMPORARY ":", "write:/dev/null:"};

	while (*state || *planned) {
		size_t here = strcspn(state, "\n"), there = strcspn(planned, "\n");
		if (here != there || memcmp(state, planned, here) != 0) {
			bool is_listed = false;
			for (size_t i = 0; i < COUNT(listed); i++) {
				size_t length = strlen(listed[i]);
				is_listed = is_listed || (strncmp(planned, listed[i], length) == 0 &&
							  strncmp(state, listed[i], length) == 0 &&
							  strncmp(state + length, " EACCES\n", 8) == 0);
			}
			*ret_is_less = *ret_is_less || is_listed;
			if (!is_listed) {
				snprintf(why, size, "`%.*s` instead of `%.*s`", (int)here, state, (int)there, planned);
				return false;
			}
		}
		state += here + (state[here] == '\n');
		planned += there + (planned[there] == '\n');
	}
	return true;
}

static bool was_logged(void) {
	bool is_logged = false;

	for (size_t i = world_log(); i > 0; i--)
		is_logged = is_logged || strstr(world_log_line(i - 1), "decision=allow") != NULL;
	return is_logged;
}

static enum outcome judge(const struct scenario *s, const struct world_run *run, const struct world_run *clean,
			  const struct inject_fault *fault, char *why, size_t size) {
	const bool is_logged = was_logged(), is_planned_to_run = clean->out_length > 0;

	why[0] = '\0';
	snprintf(why, size, "wait status %#x%s, stdout %zu bytes, stderr `%.200s`", (unsigned)run->status,
		 run->timed_out ? ", out of time" : "", run->out_length, run->err);
	if (run->timed_out || (run->out_length > 0 && (!is_planned_to_run || fault->kind == INJECT_KILL)))
		return WRONG;
	if (run->out_length > 0) {
		char *planned = state_of(clean->out), *state = state_of(run->out);
		bool is_less = false, is_good = is_planned(state, planned, &is_less, why, size);
		free(planned);
		free(state);
		if (!is_good || run->status != clean->status || strcmp(run->err, clean->err) != 0)
			return WRONG;
		return is_less ? LESS : is_logged || s->policy == KEPT ? AS_PLANNED : UNLOGGED;
	}
	if (WIFSIGNALED(run->status))
		return fault->kind == INJECT_KILL && WTERMSIG(run->status) == SIGKILL	      ? KILLED
		       : WTERMSIG(run->status) == SIGUSR2 || WTERMSIG(run->status) == PENDING ? SIGNALLED
											      : CRASHED;
	if (!WIFEXITED(run->status) || WEXITSTATUS(run->status) < 125 || WEXITSTATUS(run->status) > 127 ||
	    fault->kind == INJECT_KILL)
		return WRONG;
	if (fault->kind == INJECT_STOP && (is_planned_to_run || strcmp(run->err, clean->err) != 0))
		return WRONG;
	return strncmp(run->err, "runas-app: ", 11) == 0 ? REFUSED : SILENT;
}

/* --- what is expected of some calls, each with its reason: nothing else may be anything but good --- */

struct launch {
	const struct scenario *scenario;
	struct inject_call calls[INJECT_CALLS_MAX];
	size_t count;
	struct world_run *clean;
};

static size_t find_last(const struct launch *l, uint64_t number) {
	size_t i = l->count;

	while (i > 0 && l->calls[i - 1].number != number)
		i--;
	return i;
}

/* Behind setresuid(-1, uid, -1), up to setresuid(uid, uid, uid). */
static bool is_halfway(const struct launch *l, size_t index) {
	size_t before = index;

	while (before > 0 && l->calls[before - 1].number != SYS_setresuid)
		before--;
	if (before == 0)
		return false;
	const struct inject_call *call = &l->calls[before - 1];
	return call->result == 0 && (uint32_t)call->arguments[0] == ~UINT32_C(0) && (uint32_t)call->arguments[1] != 0;
}

static bool is_before_signals(const struct launch *l, size_t index) {
	return l->scenario->policy == FULL && index < find_last(l, SYS_setitimer);
}

static bool is_report(const struct launch *l, size_t index) {
	return l->clean->out_length == 0 && index >= find_last(l, SYS_sendto);
}

static bool needs_no_log(const struct launch *l, size_t index) {
	(void)index;
	return l->scenario->policy == MINIMAL;
}

static const struct exception {
	enum outcome outcome;
	const char *calls; /* a|b; NULL: any */
	const char *fault; /* NULL: any */
	bool (*applies)(const struct launch *l, size_t index);
	const char *why;
} exceptions[] = {
	{CRASHED, "arch_prctl|poll", NULL, NULL,
	 "libc ends itself before main when it has no thread pointer, or no 0 to 2"},
	{SIGNALLED, NULL, NULL, is_before_signals,
	 "what the caller left pending is not thrown away yet; the refusal unblocks it, so that nobody can hold it up"},
	{SILENT, NULL, NULL, is_halfway,
	 "neither root nor anybody: nothing may be written to what is the caller's, so nothing is"},
	{SILENT, NULL, NULL, is_report, "the one line cannot be written safely, or not at all; the status stays"},
	{UNLOGGED, "socket|connect|sendto", NULL, needs_no_log, "log = required was not asked for"},
	{LESS, "landlock_add_rule", NULL, NULL, "a rule that is missing cannot be seen to be; it only takes away"},
	{LESS, "open|fstat", "EACCES", NULL,
	 "a device that the app user cannot reach needs no rule; it only takes away"},
};

static bool is_one_of(const char *names, const char *name) {
	const size_t length = strlen(name);

	for (const char *at = names; (at = strstr(at, name)) != NULL; at += length) {
		if ((at == names || at[-1] == '|') && (at[length] == '|' || at[length] == '\0'))
			return true;
	}
	return false;
}

static bool is_expected(const struct launch *l, size_t index, const struct inject_fault *fault, enum outcome outcome) {
	for (size_t i = 0; i < COUNT(exceptions); i++) {
		const struct exception *e = &exceptions[i];
		if (e->outcome == outcome && (!e->calls || is_one_of(e->calls, l->calls[index].name)) &&
		    (!e->fault || strcmp(e->fault, fault->name) == 0) && (!e->applies || e->applies(l, index)))
			return true;
	}
	return false;
}

/* The launch without any fault; everything else is compared with it. */
static void expect_right(const struct launch *l) {
	static const char *const refused[] = {"ioctl_5412", "ioctl_541c", "ioctl_100005412", "ioctl_7fffffff0000541c"};
	static const char *const limited[][2] = {
		{INSIDE, "ok"}, {TEMPORARY, "ok"}, {OUTSIDE, "EACCES"}, {"write:/dev/null", "ok"}};
	const struct scenario *s = l->scenario;
	const bool has_root = s->who->uid != WORLD_APP;
	const struct world_run *run = l->clean;
	char filters[16];

	if (s->has_no_proc && s->who->uid == WORLD_DEPLOY) {
		world_expect_refused(run, 125, "oom_score_adj");
		return;
	}
	cr_assert(world_exited(run, 0) && run->err_length == 0, "status %#x: %s", (unsigned)run->status, run->err);
	world_expect_confined(run, WORLD_APP, WORLD_APP, "4002 4010", has_root);
	for (size_t i = 0; i < COUNT(refused); i++)
		world_expect_value(run, refused[i], "EPERM");
	char *own = world_read(PROC "/self/status");
	const char *before = world_value_in(own, "Seccomp_filters");
	snprintf(filters, sizeof(filters), "%ld", before ? strtol(before + strspn(before, "\t "), NULL, 10) + 1 : -1);
	free(own);
	if (!s->has_no_proc)
		world_expect_value(run, "seccomp_filters", filters);
	world_expect_value(run, "cwd", s->policy == KEPT ? "/srv/below/1" : "/srv/ra_app");
	cr_expect((world_value(run, "fd_5") && world_value(run, "fd_9")) == (s->policy == KEPT), "keep_fds");
	if (s->policy != FULL)
		return;
	for (size_t i = 0; has_landlock && i < COUNT(limited); i++)
		world_expect_value(run, limited[i][0], limited[i][1]);
	world_expect_value(run, "socket:3", has_root ? "127.0.0.1 80 listening=1" : "127.0.0.1 8080 listening=1");
	world_expect_value(run, "socket:4", has_root ? "::1 443 listening=1" : "::1 8443 listening=1");
	world_expect_value(run, "listen-pid", "mine");
	world_expect_value(run, "rlimit_nofile", "500:600");
	world_expect_value(run, "nice", "10");
	world_expect_value(run, "owner:1", s->who->uid == 0 ? "4002:4002 10600" : "0:0 10600");
	cr_expect(!has_root || world_env(run, "DB_PASSWORD") != NULL, "env_file");
}

/* --- all of them --- */

/* One of a row that differs in a number only, as in: for each signal, for each descriptor, for each capability. */
static bool is_same_row(const struct inject_call *a, const struct inject_call *b) {
	if (a->number != b->number || a->result != b->result)
		return false;
	return a->number == SYS_prctl	       ? a->arguments[0] == b->arguments[0]
	       : a->number == SYS_fcntl	       ? a->arguments[1] == b->arguments[1]
	       : a->number == SYS_rt_sigaction ? a->arguments[1] == 0 && b->arguments[1] == 0
					       : false;
}

static bool represents_its_row(const struct inject_call *calls, size_t count, size_t index) {
	size_t first = index, last = index;

	while (first > 0 && is_same_row(&calls[first - 1], &calls[index]))
		first--;
	while (last + 1 < count && is_same_row(&calls[last + 1], &calls[index]))
		last++;
	return index == first || index == last || index == (first + last) / 2;
}

static bool is_wanted(const struct inject_call *calls, size_t count, size_t index) {
	const char *name = getenv("INJECT_CALL"), *when = getenv("INJECT_WHEN");

	if (name && (strcmp(name, calls[index].name) != 0 || (when && strtoul(when, NULL, 10) != calls[index].when)))
		return false;
	return name || getenv("INJECT_ALL") || represents_its_row(calls, count, index);
}

struct counts {
	size_t injections, calls, bad, expected, of[WRONG + 1];
};

static void inject_each(const struct launch *l, const struct world_call *call, size_t index, struct counts *counts) {
	const struct inject_call *at = &l->calls[index];
	const char *only = getenv("INJECT_FAULT");
	char why[1024];

	for (const struct inject_fault *fault = inject_faults; fault < inject_faults + INJECT_FAULTS; fault++) {
		if (only && strcmp(only, fault->name) != 0)
			continue;
		struct world_run *run = inject_into(call, l->calls, index, fault);
		cr_assert(run, "%s#%u: this launch differs from the one before", at->name, at->when);
		const enum outcome outcome = judge(l->scenario, run, l->clean, fault, why, sizeof(why));
		const bool is_odd = outcome >= SILENT, is_accepted = is_odd && is_expected(l, index, fault, outcome);
		counts->of[outcome]++;
		counts->injections++;
		counts->expected += is_accepted;
		counts->bad += is_odd && !is_accepted;
		if (is_odd && !is_accepted)
			dprintf(2, "BAD: --caller %s --policy %s --call %s --when %u --fault %s: %s: %s\n",
				l->scenario->caller, l->scenario->policy_name, at->name, at->when, fault->name,
				outcomes[outcome], why);
		if (getenv("INJECT_SHOW"))
			dprintf(2, "%s#%u %s: %s: %s\n%s", at->name, at->when, fault->name, outcomes[outcome], why,
				run->out);
		free(run->out);
		free(run->err);
		free(run);
	}
}

static void inject(const struct scenario *s) {
	static struct launch l;
	struct counts counts = {0};
	char why[1024];

	l.scenario = s;
	const struct world_call call = enter(s);
	const long begin = server_now();
	l.count = inject_watch(&call, l.calls, &l.clean);
	expect_right(&l);
	cr_assert(s->policy == KEPT || was_logged(), "the log");
	for (size_t i = 0; i < l.count; i++) {
		if (!is_wanted(l.calls, l.count, i))
			continue;
		counts.calls++;
		inject_each(&l, &call, i, &counts);
	}
	dprintf(2,
		"faults: %s %s: %zu injections into %zu of %zu calls, %zu bad; %zu as planned, %zu refused, %zu "
		"killed, "
		"%zu accepted (%ld.%ld s)\n",
		s->caller, s->policy_name, counts.injections, counts.calls, l.count, counts.bad, counts.of[AS_PLANNED],
		counts.of[REFUSED], counts.of[KILLED], counts.expected, (server_now() - begin) / 1000,
		(server_now() - begin) / 100 % 10);
	cr_expect(counts.bad == 0, "%zu bad outcomes", counts.bad);
	/* Nothing of all that was left behind that hinders anybody. */
	const enum outcome planned = l.clean->out_length > 0 ? AS_PLANNED : REFUSED;
	const enum outcome after = judge(s, world_run(&call), l.clean, &inject_faults[0], why, sizeof(why));
	cr_expect(after == planned, "after all that, a plain launch is %s: %s", outcomes[after], why);
	cr_expect(access("/run/runas-app", F_OK) != 0, "something was left in /run");
}

#define SCENARIO(caller, who, policy_name, policy, has_no_proc)                                                        \
	Test(faults, caller##_##policy_name) {                                                                         \
		inject(&(struct scenario){#caller, #policy_name, who, policy, has_no_proc});                           \
	}

SCENARIO(deploy, &world_deploy, minimal, MINIMAL, false)
SCENARIO(deploy, &world_deploy, full, FULL, false)
SCENARIO(deploy, &world_deploy, kept, KEPT, false)
SCENARIO(deploy, &world_deploy, minimal_without_proc, MINIMAL, true)
SCENARIO(root, &world_root, minimal, MINIMAL, false)
SCENARIO(root, &world_root, full, FULL, false)
SCENARIO(root, &world_root, kept, KEPT, false)
SCENARIO(root, &world_root, full_without_proc, FULL, true)
SCENARIO(app, &app_in_web, minimal, MINIMAL, false)
SCENARIO(app, &app_in_web, full, FULL, false)
SCENARIO(app, &app_in_web, kept, KEPT, false)
SCENARIO(app, &app_in_web, full_without_proc, FULL, true)
