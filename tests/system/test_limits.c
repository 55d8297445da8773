/* SPDX-License-Identifier: ISC */
/*
 * What a policy demands of limits, nice, oom_score_adj and the log is exactly so, or the launch is refused with the key
 * and what is missing; never silently less. What this machine's root may do is asked of the kernel first, so that each
 * test knows which of the two it must see: without CAP_SYS_RESOURCE refusals, with it the exact value.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "container.h"
#include "world.h"

TestSuite(limits, .timeout = 120);

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PLAIN "/usr/local/bin/runas-plain"
#define LIMITS 16

static void need(bool good, const char *what) {
	if (good)
		return;
	dprintf(2, "the test's gift %s: %s\n", what, strerror(errno));
	_exit(WORLD_CHILD_BROKE);
}

/* --- who starts it, and what was done to that process before --- */

struct gift {
	bool is_poor; /* without CAP_SYS_RESOURCE and CAP_SYS_NICE, for this process and all that it starts */
	int resource; /* of `limit` */
	const struct rlimit *limit;
	int nice;	 /* 0: as it is */
	const char *oom; /* NULL: as it is */
	bool has_no_proc;
};

static void write_oom(const char *text) {
	const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "oom_score_adj");
	close(fd);
}

static void become_poor(void) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];
	const uint32_t both = 1U << CAP_SYS_RESOURCE | 1U << CAP_SYS_NICE;

	need(prctl(PR_CAPBSET_DROP, (unsigned long)CAP_SYS_RESOURCE, 0L, 0L, 0L) == 0 &&
		     prctl(PR_CAPBSET_DROP, (unsigned long)CAP_SYS_NICE, 0L, 0L, 0L) == 0,
	     "bounding set");
	need(syscall(SYS_capget, &header, sets) == 0, "capget");
	sets[0].effective &= ~both;
	sets[0].permitted &= ~both;
	sets[0].inheritable &= ~both;
	need(syscall(SYS_capset, &header, sets) == 0, "capset");
}

static void give(const void *data) {
	const struct gift *gift = data;

	if (gift->limit)
		need(setrlimit((__rlimit_resource_t)gift->resource, gift->limit) == 0, "limit");
	if (gift->nice)
		need(setpriority(PRIO_PROCESS, 0, gift->nice) == 0, "nice");
	if (gift->oom)
		write_oom(gift->oom);
	if (gift->has_no_proc)
		need(unshare(CLONE_NEWNS) == 0 && mount("none", "/proc", "tmpfs", 0, "mode=0755") == 0, "no /proc");
	if (gift->is_poor)
		become_poor();
}

static const struct way {
	const char *name;
	const struct world_person *who;
	const char *program;
	bool has_root;
} ways[] = {
	{"root", &world_root, WORLD_RUNAS, true},
	{"deploy, through the setuid bit", &world_deploy, WORLD_RUNAS, true},
	{"the app's user, without root", &world_app, PLAIN, false},
};

static struct world_call call_of(const struct way *way, const struct gift *gift) {
	static const char *const argv[] = {"runas-app", "probe", "--", WORLD_PROBE, NULL};

	return (struct world_call){
		.who = way->who, .program = way->program, .argv = argv, .as_root = give, .data = gift};
}

static struct world_run *run_as(const struct way *way, const struct gift *gift) {
	const struct world_call call = call_of(way, gift);

	return world_run(&call);
}

static void enter(void) {
	world_enter();
	world_copy(WORLD_RUNAS, PLAIN, 0755);
}

static void set_policy(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void set_policy(const char *format, ...) {
	char lines[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(lines, sizeof(lines), format, arguments);
	va_end(arguments);
	world_app_policy("probe", lines);
}

/* What a plain process in the same situation is told by the kernel: 0 or an errno. */
static int ask_kernel(const struct way *way, const struct gift *gift, int (*attempt)(const void *), const void *data) {
	int status = 0;
	const pid_t pid = fork();

	cr_assert(pid >= 0);
	if (pid == 0) {
		give(gift);
		if (!way->has_root) {
			need(syscall(SYS_setresgid, WORLD_APP, WORLD_APP, WORLD_APP) == 0 &&
				     syscall(SYS_setresuid, WORLD_APP, WORLD_APP, WORLD_APP) == 0,
			     "become the app's user");
			prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);
		}
		errno = 0;
		_exit(attempt(data) == 0 ? 0 : errno);
	}
	cr_assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) != WORLD_CHILD_BROKE,
		  "the kernel was not asked: status %#x", (unsigned)status);
	return WEXITSTATUS(status);
}

static void expect_app(const struct way *way, const struct world_run *run) {
	world_expect_confined(run, WORLD_APP, WORLD_APP, "4002", way->has_root);
}

/* 125, nothing ran, the key by name, the stage, and a hint that has `cure`. */
static void expect_refused(const struct way *way, const struct world_run *run, const char *key, const char *cure) {
	const char *hint = strstr(run->err, "\nhint: ");

	world_expect_refused(run, 125, key);
	cr_expect(strstr(run->err, "[restore]") != NULL, "%s: %s", way->name, run->err);
	cr_expect(hint && strstr(hint, cure), "%s: no hint with %s: %s", way->name, cure, run->err);
	cr_expect(hint && strstr(run->err, key) < hint, "%s: %s is not in the message itself: %s", way->name, key,
		  run->err);
}

/* --- limits --- */

static const struct limit {
	const char *name, *line; /* the line of /proc/PID/limits */
	uint64_t soft, hard;	 /* with which everything still runs, and to which anybody may lower */
} limits[LIMITS] = {
	{"cpu", "Max cpu time", 500, 1000},
	{"fsize", "Max file size", 1000000, 2000000},
	{"data", "Max data size", 400000000, 500000000},
	{"stack", "Max stack size", 1048576, 2097152},
	{"core", "Max core file size", 10, 20},
	{"rss", "Max resident set", 5, 6},
	{"nproc", "Max processes", 800, 900},
	{"nofile", "Max open files", 99, 100},
	{"memlock", "Max locked memory", 4096, 8192},
	{"as", "Max address space", 800000000, 900000000},
	{"locks", "Max file locks", 8, 9},
	{"sigpending", "Max pending signals", 7, 8},
	{"msgqueue", "Max msgqueue size", 6, 7},
	{"nice", "Max nice priority", 0, 0},
	{"rtprio", "Max realtime priority", 0, 0},
	{"rttime", "Max realtime timeout", 500000, 1000000},
};

static const char *number_of(uint64_t value, char into[24]) {
	if (value == UINT64_MAX)
		return "unlimited";
	snprintf(into, 24, "%llu", (unsigned long long)value);
	return into;
}

static const char *pair_of(const struct rlimit *limit) {
	static char pair[48];
	char soft[24], hard[24];

	snprintf(pair, sizeof(pair), "%s:%s", number_of(limit->rlim_cur, soft), number_of(limit->rlim_max, hard));
	return pair;
}

struct wish {
	int resource;
	struct rlimit limit;
};

static int try_limit(const void *data) {
	const struct wish *wish = data;

	return setrlimit((__rlimit_resource_t)wish->resource, &wish->limit);
}

/* As the probe reads it of itself, and as the kernel shows it to us. */
static void expect_limits(const struct way *way, const struct rlimit wanted[LIMITS]) {
	static const char *const argv[] = {"runas-app", "probe", "--", WORLD_PROBE, "--sleep", NULL};
	const struct gift nothing = {0};
	struct world_call call = call_of(way, &nothing);
	char path[64], key[32], soft[24], hard[24], line[128];

	call.argv = argv;
	struct world_run *run = world_start(&call);
	world_collect(run, "end: yes\n", 10);
	snprintf(path, sizeof(path), "/proc/%ld/limits", (long)run->pid);
	char *shown = world_read(path);
	cr_assert(shown, "%s: %s", path, strerror(errno));
	expect_app(way, run);
	for (int i = 0; i < LIMITS; i++) {
		snprintf(key, sizeof(key), "rlimit_%s", limits[i].name);
		world_expect_value(run, key, pair_of(&wanted[i]));
		snprintf(line, sizeof(line), "%-25s %-20s %-20s ", limits[i].line, number_of(wanted[i].rlim_cur, soft),
			 number_of(wanted[i].rlim_max, hard));
		cr_expect(strstr(shown, line), "%s: no `%s` in\n%s", way->name, line, shown);
	}
	kill(run->pid, SIGKILL);
	world_wait(run, 10);
	free(shown);
}

static void set_limits(const struct rlimit wanted[LIMITS], bool has_pairs) {
	char lines[2048];
	size_t length = 0;

	for (int i = 0; i < LIMITS; i++) {
		char number[24];
		length += (size_t)snprintf(lines + length, sizeof(lines) - length, "limit_%s = %s\n", limits[i].name,
					   has_pairs ? pair_of(&wanted[i]) : number_of(wanted[i].rlim_cur, number));
	}
	set_policy("%s", lines);
}

/* What everybody may have: nice and rtprio 0, where this machine's root may not raise them. */
static struct rlimit allowed_or(int resource, struct rlimit wanted, struct rlimit otherwise) {
	const struct gift nothing = {0};
	const struct wish wish = {resource, wanted};

	return ask_kernel(&ways[2], &nothing, try_limit, &wish) == 0 ? wanted : otherwise;
}

Test(limits, every_one_reaches_the_app_exactly) {
	struct rlimit pairs[LIMITS], numbers[LIMITS], most[LIMITS], floor[LIMITS];

	enter();
	for (int i = 0; i < LIMITS; i++) {
		struct rlimit now = {1, 0};

		cr_assert(getrlimit((__rlimit_resource_t)i, &now) == 0);
		pairs[i] = allowed_or(i, (struct rlimit){limits[i].soft, limits[i].hard},
				      (struct rlimit){now.rlim_cur, now.rlim_max});
		numbers[i] = (struct rlimit){pairs[i].rlim_max, pairs[i].rlim_max};
		/* As much as there is: for most of them that is no limit at all. */
		most[i] = (struct rlimit){now.rlim_max, now.rlim_max};
		/* A soft limit of nothing under a hard one that stays, where a process can live with it. */
		floor[i] = (struct rlimit){i == RLIMIT_CORE || i == RLIMIT_MEMLOCK || i == RLIMIT_MSGQUEUE ||
							   i == RLIMIT_RSS || i == RLIMIT_LOCKS || i == RLIMIT_NICE ||
							   i == RLIMIT_RTPRIO
						   ? 0
						   : pairs[i].rlim_cur,
					   now.rlim_max};
	}
	for (size_t w = 0; w < COUNT(ways); w++) {
		set_limits(pairs, true);
		expect_limits(&ways[w], pairs);
		set_limits(numbers, false);
		expect_limits(&ways[w], numbers);
		set_limits(most, false);
		expect_limits(&ways[w], most);
		set_limits(floor, true);
		expect_limits(&ways[w], floor);
	}
}

/* Exactly what the policy says where the kernel lets a plain process have it; else refused. Returns what it was. */
static bool expect_wish(const struct way *way, const struct gift *gift, int resource, struct rlimit wanted) {
	const struct wish wish = {resource, wanted};
	const int answer = ask_kernel(way, gift, try_limit, &wish);
	char key[32];

	cr_assert(answer == 0 || answer == EPERM, "%s: %s", limits[resource].name, strerror(answer));
	set_policy("limit_%s = %s\n", limits[resource].name, pair_of(&wanted));
	struct world_run *run = run_as(way, gift);
	if (answer != 0) {
		snprintf(key, sizeof(key), "limit_%s", limits[resource].name);
		expect_refused(way, run, key, "CAP_SYS_RESOURCE");
		return false;
	}
	expect_app(way, run);
	snprintf(key, sizeof(key), "rlimit_%s", limits[resource].name);
	world_expect_value(run, key, pair_of(&wanted));
	return true;
}

Test(limits, a_hard_limit_is_raised_or_refused_by_name) {
	int raised = 0;

	enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		for (int i = 0; i < LIMITS; i++) {
			struct rlimit low = {limits[i].soft, limits[i].hard}, now = {1, 0};

			cr_assert(getrlimit((__rlimit_resource_t)i, &now) == 0);
			if (low.rlim_max > now.rlim_max)
				low = now;
			const struct gift rich = {.resource = i, .limit = &low};
			const struct gift poor = {.is_poor = true, .resource = i, .limit = &low};
			const struct rlimit one_more = {low.rlim_cur, low.rlim_max + 1};
			const struct rlimit all = {low.rlim_cur, UINT64_MAX};
			const struct rlimit same = {low.rlim_max, low.rlim_max};

			cr_expect(!expect_wish(&ways[w], &poor, i, one_more));
			cr_expect(!expect_wish(&ways[w], &poor, i, all));
			/* A soft limit goes up to the hard one without any capability. */
			cr_expect(expect_wish(&ways[w], &poor, i, same));
			raised += expect_wish(&ways[w], &rich, i, one_more);
		}
	}
	cr_expect(raised == 0 || raised == 2 * LIMITS, "root raised %d of its limits", raised);
	if (raised == 0)
		NOT_SHOWN("a hard limit that is raised. This machine's root lacks CAP_SYS_RESOURCE");
}

Test(limits, more_open_files_than_the_kernel_gives_anybody_are_refused) {
	enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		set_policy("limit_nofile = unlimited\n");
		expect_refused(&ways[w], run_as(&ways[w], &(struct gift){0}), "limit_nofile", "hard limit");
	}
}

/* A caller who lowers its own hard limits must not make an app run with less than its policy says. */
/* Attack D4. */
Test(limits, a_caller_cannot_lower_what_the_policy_names) {
	static const struct rlimit low = {50, 60};
	const struct gift poor = {.is_poor = true, .resource = RLIMIT_NOFILE, .limit = &low};

	enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		cr_expect(!expect_wish(&ways[w], &poor, RLIMIT_NOFILE, (struct rlimit){64, 128}));
		cr_expect(!expect_wish(&ways[w], &poor, RLIMIT_NOFILE, (struct rlimit){50, 61}));
		cr_expect(expect_wish(&ways[w], &poor, RLIMIT_NOFILE, (struct rlimit){60, 60}));
		cr_expect(expect_wish(&ways[w], &poor, RLIMIT_NOFILE, (struct rlimit){20, 40}));
	}
}

/* --- nice --- */

static int try_nice(const void *data) { return setpriority(PRIO_PROCESS, 0, *(const int *)data); }

static bool expect_nice(const struct way *way, const struct gift *gift, int wanted) {
	char number[16];
	const int answer = ask_kernel(way, gift, try_nice, &wanted);

	set_policy("nice = %d\n", wanted);
	struct world_run *run = run_as(way, gift);
	if (answer != 0) {
		expect_refused(way, run, "nice", "CAP_SYS_NICE");
		return false;
	}
	expect_app(way, run);
	snprintf(number, sizeof(number), "%d", wanted);
	world_expect_value(run, "nice", number);
	return true;
}

Test(limits, nice_is_exact_or_refused) {
	static const struct gift rich = {0}, poor = {.is_poor = true}, lazy = {.is_poor = true, .nice = 10};
	/* The kernel's own way to allow it without a capability: getrlimit(2), 20 - nice. */
	static const struct rlimit none = {0, 0};
	static const struct gift bound = {.is_poor = true, .resource = RLIMIT_NICE, .limit = &none};
	bool lowered = false;

	enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		cr_expect(expect_nice(&ways[w], &poor, 0));
		cr_expect(expect_nice(&ways[w], &poor, 7));
		cr_expect(expect_nice(&ways[w], &poor, 19));
		cr_expect(expect_nice(&ways[w], &lazy, 10));
		cr_expect(expect_nice(&ways[w], &lazy, 11));
		expect_nice(&ways[w], &poor, -1);
		expect_nice(&ways[w], &lazy, 9);
		cr_expect(!expect_nice(&ways[w], &bound, -1));
		cr_expect(!expect_nice(&ways[w], &bound, -20));
		lowered = expect_nice(&ways[w], &rich, -20) || lowered;
		expect_nice(&ways[w], &rich, -1);
	}
	if (!lowered)
		NOT_SHOWN("nice that is lowered. This machine's root lacks CAP_SYS_NICE");
}

/* Nobody named it, and yet a deployer's nice is to be undone; what root and the app's own user chose is theirs. */
Test(limits, a_callers_nice_that_cannot_be_undone_is_refused) {
	static const struct rlimit none = {0, 0};
	const struct gift lazy = {.is_poor = true, .nice = 10, .resource = RLIMIT_NICE, .limit = &none};

	enter();
	set_policy("%s", "");
	expect_refused(&ways[1], run_as(&ways[1], &lazy), "nice", "CAP_SYS_NICE");
	for (size_t w = 0; w < COUNT(ways); w += 2) {
		struct world_run *run = run_as(&ways[w], &lazy);
		expect_app(&ways[w], run);
		world_expect_value(run, "nice", "10");
	}
}

/* --- oom_score_adj --- */

static int try_oom(const void *data) {
	char text[16];
	const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	const int length = snprintf(text, sizeof(text), "%d", *(const int *)data);

	return fd >= 0 && write(fd, text, (size_t)length) == length ? 0 : -1;
}

static int read_oom(void) {
	char *text = world_read("/proc/self/oom_score_adj");

	cr_assert(text, "/proc/self/oom_score_adj");
	const int now = atoi(text);
	free(text);
	return now;
}

static bool expect_oom(const struct way *way, const struct gift *gift, int wanted) {
	char number[16];
	const int answer = ask_kernel(way, gift, try_oom, &wanted);

	set_policy("oom_score_adj = %d\n", wanted);
	struct world_run *run = run_as(way, gift);
	if (answer != 0) {
		expect_refused(way, run, "oom_score_adj", "CAP_SYS_RESOURCE");
		return false;
	}
	expect_app(way, run);
	snprintf(number, sizeof(number), "%d", wanted);
	world_expect_value(run, "oom_score_adj", number);
	return true;
}

Test(limits, oom_score_adj_is_exact_or_refused) {
	static const struct gift rich = {0}, poor = {.is_poor = true};
	bool lowered = false;

	enter();
	const int now = read_oom();
	for (size_t w = 0; w < 2; w++) {
		cr_expect(expect_oom(&ways[w], &poor, now));
		cr_expect(expect_oom(&ways[w], &poor, 1000));
		expect_oom(&ways[w], &poor, now > -1000 ? now - 1 : now);
		expect_oom(&ways[w], &poor, -1000);
		lowered = expect_oom(&ways[w], &rich, -1000) || lowered;
		cr_expect(expect_oom(&ways[w], &(struct gift){.is_poor = true, .oom = "700"}, 800));
		expect_oom(&ways[w], &(struct gift){.oom = "700"}, 300);
	}
	if (!lowered)
		NOT_SHOWN("an oom score that is lowered. This machine's root lacks CAP_SYS_RESOURCE");
}

/* Hidden from its own user, the launcher's /proc files are root's: what is there already is enough, all else is not. */
Test(limits, the_app_user_without_root_cannot_set_its_oom_score) {
	const struct way *const app = &ways[2];
	const struct gift scored = {.oom = "700"};

	enter();
	set_policy("oom_score_adj = 700\n");
	struct world_run *run = run_as(app, &scored);
	expect_app(app, run);
	world_expect_value(run, "oom_score_adj", "700");
	for (int wanted = 699; wanted <= 701; wanted += 2) {
		set_policy("oom_score_adj = %d\n", wanted);
		expect_refused(app, run_as(app, &scored), "oom_score_adj", "root");
	}
	set_policy("%s", "");
	run = run_as(app, &scored);
	expect_app(app, run);
	world_expect_value(run, "oom_score_adj", "700");
}

Test(limits, without_proc_an_oom_score_cannot_be_shown_and_is_refused) {
	const struct gift blind = {.has_no_proc = true};
	char line[64];

	enter();
	snprintf(line, sizeof(line), "oom_score_adj = %d\n", read_oom());
	for (size_t w = 0; w < COUNT(ways); w += 2) {
		set_policy("%s", line);
		expect_refused(&ways[w], run_as(&ways[w], &blind), "oom_score_adj", "/proc");
	}
	/* Nothing to set, nothing to show: no /proc is needed then. */
	set_policy("limit_nofile = 64\nnice = 3\n");
	for (size_t w = 0; w < COUNT(ways); w += 2) {
		struct world_run *run = run_as(&ways[w], &blind);
		expect_app(&ways[w], run);
		world_expect_value(run, "oom_score_adj", "-");
		world_expect_value(run, "rlimit_nofile", "64:64");
		world_expect_value(run, "nice", "3");
	}
	/* What a deployer may have set has to be put back, and cannot be. */
	expect_refused(&ways[1], run_as(&ways[1], &blind), "/proc/self/", "");
	set_policy("%s", line);
	expect_refused(&ways[1], run_as(&ways[1], &blind), "/proc/self/", "");
}

/* --- the log --- */

/* A socket of this type, or -1 and nothing there but its file. */
static int put_socket(const char *path, int type, bool has_reader) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && chmod(path, 0666) == 0,
		  "%s: %s", path, strerror(errno));
	cr_assert(type == SOCK_DGRAM || listen(fd, 4) == 0);
	if (has_reader)
		return fd;
	close(fd);
	return -1;
}

static size_t count_datagrams(int fd) {
	size_t count = 0;

	while (recv(fd, (char[1]){0}, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0)
		count++;
	return count;
}

/* Nobody reads. A sender's own limit may come before the queue's, so it is full when a new one cannot send. */
static int put_full_socket(void) {
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	const int reader = put_socket("/dev/log", SOCK_DGRAM, true);
	int sent = 1;

	for (int senders = 0; sent > 0; senders++) {
		const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		cr_assert(fd >= 0 && senders < 1000);
		for (sent = 0; sendto(fd, "x", 1, 0, (const struct sockaddr *)&address, sizeof(address)) == 1; sent++)
			continue;
		cr_assert(errno == EAGAIN, "%s", strerror(errno));
		close(fd);
	}
	return reader;
}

enum log_state { LOG_MISSING, LOG_UNREAD, LOG_FULL, LOG_STREAM, LOG_FILE, LOG_DIRECTORY, LOG_DANGLING, LOG_STATES };

static const char *const log_states[LOG_STATES] = {
	"no /dev/log", "a socket that nobody has open", "a queue that is full", "a stream socket", "a regular file",
	"a directory", "a symlink to nothing"};

static int break_log(enum log_state state) {
	unlink("/dev/log");
	rmdir("/dev/log");
	switch (state) {
	case LOG_MISSING: return -1;
	case LOG_UNREAD: return put_socket("/dev/log", SOCK_DGRAM, false);
	case LOG_FULL: return put_full_socket();
	case LOG_STREAM: return put_socket("/dev/log", SOCK_STREAM, true);
	case LOG_FILE: world_file("/dev/log", 0, 0, 0666, ""); return -1;
	case LOG_DIRECTORY: world_directory("/dev/log", 0, 0, 0777); return -1;
	case LOG_DANGLING: cr_assert(symlink("/run/no-such-socket", "/dev/log") == 0); return -1;
	case LOG_STATES: break;
	}
	cr_assert_fail("no such state");
	return -1;
}

static void expect_no_log(const struct way *way, enum log_state state, const struct world_run *run) {
	cr_expect(strstr(run->err, "/dev/log"), "%s, %s: %s", way->name, log_states[state], run->err);
	world_expect_refused(run, 125, "[log]");
	cr_expect(strstr(run->err, "\nhint: "), "%s, %s: %s", way->name, log_states[state], run->err);
}

Test(limits, a_log_that_is_required_and_cannot_be_reached_refuses) {
	enter();
	for (enum log_state state = LOG_MISSING; state < LOG_STATES; state++) {
		const int fd = break_log(state);
		for (size_t w = 0; w < COUNT(ways); w++) {
			set_policy("log = required\n");
			expect_no_log(&ways[w], state, run_as(&ways[w], &(struct gift){0}));
			/* The same trouble, and nobody minds. */
			set_policy("log = syslog\n");
			expect_app(&ways[w], run_as(&ways[w], &(struct gift){0}));
			set_policy("log = none\n");
			expect_app(&ways[w], run_as(&ways[w], &(struct gift){0}));
		}
		if (state == LOG_STREAM)
			cr_expect(accept(fd, NULL, NULL) < 0 && errno == EAGAIN, "something connected");
		close(fd);
	}
}

Test(limits, a_log_that_is_required_has_the_record_before_the_app_runs) {
	int fd;

	enter();
	fd = put_socket("/dev/log", SOCK_DGRAM, true);
	for (size_t w = 0; w < COUNT(ways); w++) {
		set_policy("log = required\n");
		expect_app(&ways[w], run_as(&ways[w], &(struct gift){0}));
		cr_expect(count_datagrams(fd) == 1);
	}
	/* One place in the queue is enough, and the next launch is refused. */
	close(fd);
	fd = put_full_socket();
	cr_assert(recv(fd, (char[1]){0}, 1, 0) == 1);
	expect_app(&ways[1], run_as(&ways[1], &(struct gift){0}));
	expect_no_log(&ways[1], LOG_FULL, run_as(&ways[1], &(struct gift){0}));
	cr_assert(count_datagrams(fd) > 0);
	expect_app(&ways[1], run_as(&ways[1], &(struct gift){0}));
	close(fd);
	/* As systemd has it: /dev/log is a symlink. */
	fd = put_socket("/run/dev-log", SOCK_DGRAM, true);
	cr_assert(unlink("/dev/log") == 0 && symlink("/run/dev-log", "/dev/log") == 0);
	expect_app(&ways[1], run_as(&ways[1], &(struct gift){0}));
	cr_expect(count_datagrams(fd) == 1);
	close(fd);
}

Test(limits, a_log_that_only_root_may_write_is_enough_for_root_alone) {
	enter();
	const int fd = put_socket("/dev/log", SOCK_DGRAM, true);
	cr_assert(chmod("/dev/log", 0600) == 0);
	set_policy("log = required\n");
	for (size_t w = 0; w < 2; w++) {
		expect_app(&ways[w], run_as(&ways[w], &(struct gift){0}));
		cr_expect(count_datagrams(fd) == 1);
	}
	expect_no_log(&ways[2], LOG_UNREAD, run_as(&ways[2], &(struct gift){0}));
	close(fd);
}

Test(limits, log_none_sends_nothing) {
	enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		const int fd = put_socket("/dev/log", SOCK_DGRAM, true);
		set_policy("log = none\n");
		expect_app(&ways[w], run_as(&ways[w], &(struct gift){0}));
		/* A refusal by a stage, too. */
		set_policy("log = none\nlimit_nofile = unlimited\n");
		expect_refused(&ways[w], run_as(&ways[w], &(struct gift){0}), "limit_nofile", "hard limit");
		cr_expect(count_datagrams(fd) == 0, "%s: `log = none`, and yet something came", ways[w].name);
		set_policy("log = syslog\n");
		expect_app(&ways[w], run_as(&ways[w], &(struct gift){0}));
		cr_expect(count_datagrams(fd) == 1, "%s: nothing came, so the silence above shows nothing",
			  ways[w].name);
		close(fd);
	}
}

/* --- the same in a container --- */

#define IMAGE_POLICY "runas-app = 1\nuser = ra_app\ncommand = /usr/local/bin/probe *\n"

static const struct entrance {
	struct way way;
	const char *user;
} entrances[] = {
	{{"root of a container", &world_root, NULL, true}, CONTAINER_AS_ROOT},
	{{"the app's user in a container", &world_app, NULL, false}, CONTAINER_AS_APP ", 'additionalGids': [4002]"},
};

/* As by docker run --ulimit; nice and rtprio as everywhere, should this machine have others. */
static const char ulimits[] = ", 'rlimits': [{'type': 'RLIMIT_NOFILE', 'soft': 1000, 'hard': 2000},"
			      "{'type': 'RLIMIT_CORE', 'soft': 100, 'hard': 200},"
			      "{'type': 'RLIMIT_NICE', 'soft': 0, 'hard': 0},"
			      "{'type': 'RLIMIT_RTPRIO', 'soft': 0, 'hard': 0}]";

static struct world_run *run_in(const struct entrance *e, const char *lines, const char *process, const char *mounts) {
	char text[1024];

	snprintf(text, sizeof(text), IMAGE_POLICY "%s", lines);
	container_policy("app", text);
	return container_run(&(struct container){.user = e->user,
						 .capabilities = CONTAINER_FOURTEEN,
						 .is_root = e->way.has_root,
						 .app = "app",
						 .process = process,
						 .mounts = mounts});
}

Test(limits, container_limits_are_exact_or_refused) {
	static const struct {
		const char *line, *key, *value; /* no value: refused */
	} cases[] = {
		{"", "nofile", "1000:2000"},
		{"", "core", "100:200"},
		{"limit_nofile = 500:900\n", "nofile", "500:900"},
		{"limit_nofile = 2000\n", "nofile", "2000:2000"},
		{"limit_nofile = 1000:2001\n", "nofile", NULL},
		{"limit_nofile = 65536\n", "nofile", NULL},
		{"limit_core = unlimited\n", "core", NULL},
		{"limit_core = 0\n", "core", "0:0"},
		{"limit_rtprio = 99\n", "rtprio", NULL},
		{"limit_nice = 1\n", "nice", NULL},
		{"limit_cpu = 100:200\n", "cpu", "100:200"},
	};

	container_enter();
	for (size_t e = 0; e < COUNT(entrances); e++) {
		for (size_t i = 0; i < COUNT(cases); i++) {
			struct world_run *run = run_in(&entrances[e], cases[i].line, ulimits, NULL);
			char key[32];

			snprintf(key, sizeof(key), "%slimit_%s", cases[i].value ? "r" : "", cases[i].key);
			if (!cases[i].value) {
				expect_refused(&entrances[e].way, run, key, "CAP_SYS_RESOURCE");
				continue;
			}
			expect_app(&entrances[e].way, run);
			world_expect_value(run, key, cases[i].value);
		}
	}
}

Test(limits, container_nice_is_exact_or_refused) {
	container_enter();
	for (size_t e = 0; e < COUNT(entrances); e++) {
		expect_refused(&entrances[e].way, run_in(&entrances[e], "nice = -5\n", ulimits, NULL), "nice",
			       "CAP_SYS_NICE");
		struct world_run *run = run_in(&entrances[e], "nice = 5\n", NULL, NULL);
		expect_app(&entrances[e].way, run);
		world_expect_value(run, "nice", "5");
	}
}

Test(limits, container_oom_score_is_exact_or_refused) {
	static const struct gift poor = {.is_poor = true};
	static const int lower = -900;

	container_enter();
	/* runc sets it before anything is dropped, as Kubernetes has it for a pod of the lowest class. */
	static const char lowest_class[] = ", 'oomScoreAdj': 1000";
	for (size_t e = 0; e < COUNT(entrances); e++) {
		const struct way *const way = &entrances[e].way;

		struct world_run *run = run_in(&entrances[e], "", lowest_class, NULL);
		expect_app(way, run);
		world_expect_value(run, "oom_score_adj", "1000");
		run = run_in(&entrances[e], "oom_score_adj = 1000\n", lowest_class, NULL);
		expect_app(way, run);
		world_expect_value(run, "oom_score_adj", "1000");
		run = run_in(&entrances[e], "oom_score_adj = -900\n", NULL, NULL);
		if (!way->has_root || ask_kernel(way, &poor, try_oom, &lower) != 0)
			expect_refused(way, run, "oom_score_adj", "CAP_SYS_RESOURCE");
		else
			expect_app(way, run);
		run = run_in(&entrances[e], "oom_score_adj = 900\n", NULL, NULL);
		if (way->has_root) {
			expect_app(way, run);
			world_expect_value(run, "oom_score_adj", "900");
		} else {
			expect_refused(way, run, "oom_score_adj", "where the container is started");
		}
	}
}

Test(limits, container_without_a_log_refuses_what_requires_one) {
	static const char mount[] = ", {'destination': '/dev/log', 'type': 'bind', 'source': '/dev/log',"
				    "   'options': ['bind']}";

	container_enter();
	for (size_t e = 0; e < COUNT(entrances); e++) {
		const struct way *const way = &entrances[e].way;

		expect_no_log(way, LOG_MISSING, run_in(&entrances[e], "log = required\n", NULL, NULL));
		expect_app(way, run_in(&entrances[e], "log = syslog\n", NULL, NULL));
		/* docker run -v /dev/log:/dev/log */
		const int fd = put_socket("/dev/log", SOCK_DGRAM, true);
		expect_app(way, run_in(&entrances[e], "log = required\n", NULL, mount));
		cr_expect(count_datagrams(fd) == 1);
		close(fd);
	}
}
