/* SPDX-License-Identifier: ISC */
/* The caller's terminal, a real one: the app may use it, the keyboard's signals reach the app, and nothing that the app
 * does arrives as if it had been typed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "world.h"

TestSuite(terminal, .timeout = 60);

#define TYPIST "/usr/local/bin/typist"
#define BARE_RUNAS "/usr/local/bin/runas-app-bare"
#define APPS_REPORT "/srv/ra_app/report"
#define CALLERS_REPORT "/tmp/report"
#define TYPED "typed"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What typist tries; a list that differs from its own is seen by the number of tries. */
static const char *const foreign_ways[] = {
#ifdef __x86_64__
	"int80", "x32-16", "x32-514"
#endif
};
static const char *const requests[] = {"5412",	 "deadbeef00005412", "100005412",	   "ffffffff00005412",
				       "541c/2", "541c/3",	     "deadbeef0000541c/2", "deadbeef0000541c/3"};
static const char *const targets[] = {"fd0", "fd1", "fd2", "dev-tty"};

struct terminal {
	int master, slave;
	char name[64];
};

static void pass_time(void) { usleep(2000); }

static int waiting(const struct terminal *terminal) {
	int count = -1;

	cr_assert(ioctl(terminal->slave, FIONREAD, &count) == 0, "FIONREAD: %s", strerror(errno));
	return count;
}

static void type(const struct terminal *terminal, const char *text) {
	cr_assert(write(terminal->master, text, strlen(text)) == (ssize_t)strlen(text));
}

/* As a login leaves it: owned by the caller. `raw`: every byte of input counts at once, and none is a signal. */
static struct terminal open_terminal(const struct world_person *owner, bool raw) {
	const struct winsize size = {.ws_row = 31, .ws_col = 97};
	struct terminal terminal;
	struct termios settings;

	if (openpty(&terminal.master, &terminal.slave, terminal.name, NULL, &size) != 0)
		SKIP("no pseudo terminal to be had");
	fcntl(terminal.master, F_SETFD, FD_CLOEXEC);
	fcntl(terminal.slave, F_SETFD, FD_CLOEXEC);
	cr_assert(fchown(terminal.slave, owner->uid, 5) == 0 && fchmod(terminal.slave, 0620) == 0);
	if (raw) {
		cr_assert(tcgetattr(terminal.slave, &settings) == 0);
		cfmakeraw(&settings);
		settings.c_cc[VMIN] = 0;
		settings.c_cc[VTIME] = 0;
		cr_assert(tcsetattr(terminal.slave, TCSANOW, &settings) == 0);
		type(&terminal, TYPED);
		for (int i = 0; i < 1000 && waiting(&terminal) < (int)strlen(TYPED); i++)
			pass_time();
	}
	return terminal;
}

static void close_terminal(const struct terminal *terminal) {
	close(terminal->master);
	close(terminal->slave);
}

/* All of the terminal's input, as its reader would get it; valid until the next call. */
static const char *read_input(const struct terminal *terminal) {
	static char input[8192];
	size_t length = 0;

	cr_assert(waiting(terminal) < (int)sizeof(input));
	for (ssize_t got; (got = read(terminal->slave, input + length, sizeof(input) - 1 - length)) > 0;)
		length += (size_t)got;
	input[length] = '\0';
	return input;
}

/* What was written to the terminal: messages, when something went wrong. */
static const char *read_output(const struct terminal *terminal) {
	static char output[8192];
	struct pollfd source = {.fd = terminal->master, .events = POLLIN};
	ssize_t got = poll(&source, 1, 0) > 0 ? read(terminal->master, output, sizeof(output) - 1) : 0;

	output[got > 0 ? got : 0] = '\0';
	return output;
}

/* In the child, leader of a new session. */
static void take_terminal(const void *data) {
	const struct terminal *terminal = data;
	int fd = open(terminal->name, O_RDWR | O_NOCTTY);

	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
		_exit(WORLD_CHILD_BROKE);
	for (int target = 0; target < 3; target++)
		if (dup2(fd, target) != target)
			_exit(WORLD_CHILD_BROKE);
	if (fd > 2)
		close(fd);
}

static void enter(void) {
	world_enter();
	cr_assert(world_built("typist") != NULL, "typist is not built");
	world_copy(world_built("typist"), TYPIST, 0755);
	world_copy(WORLD_RUNAS, BARE_RUNAS, 0755);
}

/* The whole report of one run; the caller frees it. */
static char *run_typist(const struct terminal *terminal, const struct world_person *who, const char *program,
			const char *const *argv, const char *report) {
	unlink(report);
	struct world_run *run = world_run(&(struct world_call){.who = who,
							       .program = program,
							       .argv = argv,
							       .as_root = take_terminal,
							       .data = terminal,
							       .seconds = 20});
	char *text = world_read(report);
	cr_assert(world_exited(run, 0) && text && world_value_in(text, "end"), "status %#x\nreport:\n%s\nterminal:\n%s",
		  (unsigned)run->status, text ? text : "none", read_output(terminal));
	return text;
}

/* `int $0x80` is a fault where the kernel was built, or started, without the i386 entry: then nothing goes that way. */
static const char *shut_to_int80(void) {
#ifdef __x86_64__
	int status = 0;
	pid_t child = fork();

	cr_assert(child >= 0);
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		long answer = 20; /* getpid */
		__asm__ volatile("int $0x80" : "+a"(answer) : : "r8", "r9", "r10", "r11", "memory", "cc");
		_exit(0);
	}
	cr_assert(waitpid(child, &status, 0) == child);
	if (WIFSIGNALED(status))
		return "signal 11";
#endif
	return "SIGSYS";
}

static void expect_line(const char *report, const char *way, const char *request, const char *target,
			const char *wanted) {
	char key[128];

	snprintf(key, sizeof(key), "%s %s %s", way, request, target);
	const char *found = world_value_in(report, key);
	cr_expect(found && strcmp(found, wanted) == 0, "%s: `%s`, not `%s`", key, found ? found : "missing", wanted);
}

static void expect_tries(const char *report) {
	const char *found = world_value_in(report, "tries");

	cr_expect(found && strtoul(found, NULL, 10) ==
				   (1 + COUNT(foreign_ways)) * COUNT(requests) * (COUNT(targets) + 1),
		  "typist tries something else: %s", found ? found : "nothing");
}

/* Each road is shut, and by the filter: a descriptor that does not exist is not even looked at. */
static void expect_shut(const char *report) {
	const char *int80 = shut_to_int80();

	for (size_t what = 0; what < COUNT(requests); what++) {
		for (size_t target = 0; target <= COUNT(targets); target++) {
			const char *at = target < COUNT(targets) ? targets[target] : "no-fd";
			expect_line(report, "libc", requests[what], at, "EPERM");
			for (size_t i = 0; i < COUNT(foreign_ways); i++)
				expect_line(report, foreign_ways[i], requests[what], at,
					    strcmp(foreign_ways[i], "int80") == 0 ? int80 : "SIGSYS");
		}
	}
	expect_tries(report);
}

static void expect_usable(const char *report) {
	char key[64];

	for (size_t target = 0; target < COUNT(targets); target++) {
		static const char *const asked[][2] = {{"TCGETS", "ok"}, {"TIOCGWINSZ", "31x97"}, {"FIONREAD", "5"}};
		for (size_t i = 0; i < COUNT(asked); i++) {
			snprintf(key, sizeof(key), "%s %s", asked[i][0], targets[target]);
			const char *found = world_value_in(report, key);
			cr_expect(found && strcmp(found, asked[i][1]) == 0, "%s: %s", key, found ? found : "missing");
		}
	}
}

/* The app runs, uses its terminal, tries everything; the terminal's input holds what the keyboard sent, and no more. */
static void expect_nothing_typed(const struct world_person *who, const char *program) {
	struct terminal terminal = open_terminal(who, true);
	char *report = run_typist(&terminal, who, program, WORLD_LIST("runas-app", "app", "--", TYPIST, APPS_REPORT),
				  APPS_REPORT);
	const char *uid = world_value_in(report, "uid");

	cr_expect(uid && strtoul(uid, NULL, 10) == WORLD_APP, "it ran as %s", uid);
	expect_usable(report);
	expect_shut(report);
	const char *input = read_input(&terminal);
	cr_expect(strcmp(input, TYPED) == 0, "the terminal's input is `%s`", input);
	free(report);
	close_terminal(&terminal);
}

static void expect_nothing_typed_under(const char *profile) {
	char line[128];

	snprintf(line, sizeof(line), "syscalls = %s\n", profile);
	world_app_policy("app", line);
	expect_nothing_typed(&world_deploy, WORLD_RUNAS);
}

/* --- what would be possible otherwise --- */

static size_t count_ok(const char *report) {
	size_t count = 0;

	for (const char *at = report; (at = strstr(at, "5412")) != NULL; at++)
		count += strncmp(at + strcspn(at, "\n") - 4, ": ok", 4) == 0;
	return count;
}

Test(terminal, without_runas_app_the_same_program_types) {
	const struct world_person *const askers[] = {&world_deploy, &world_root};
	char *report = NULL;
	struct terminal terminal;

	enter();
	/* With dev.tty.legacy_tiocsti = 0 only CAP_SYS_ADMIN may. */
	for (size_t i = 0; i < COUNT(askers); i++) {
		terminal = open_terminal(askers[i], true);
		report = run_typist(&terminal, askers[i], TYPIST, WORLD_LIST("typist", CALLERS_REPORT), CALLERS_REPORT);
		if (strcmp(world_value_in(report, "libc 5412 fd0"), "EIO") != 0)
			break;
	}
	if (strcmp(world_value_in(report, "libc 5412 fd0"), "EIO") == 0)
		SKIP("this kernel lets not even root type into a terminal: what runas-app adds cannot be seen");
	for (size_t what = 0; what < COUNT(requests); what++) {
		bool types = strstr(requests[what], "5412") != NULL;
		for (size_t target = 0; target < COUNT(targets); target++)
			expect_line(report, "libc", requests[what], targets[target], types ? "ok" : "ENOTTY");
		expect_line(report, "libc", requests[what], "no-fd", "EBADF");
	}
	expect_usable(report);
	expect_tries(report);
	for (size_t i = 0; i < COUNT(foreign_ways); i++) {
		char key[64];
		snprintf(key, sizeof(key), "%s 5412 fd0", foreign_ways[i]);
		cr_log_info("without runas-app, %s: %s\n", key, world_value_in(report, key));
	}

	const char *input = read_input(&terminal);
	cr_expect(strncmp(input, TYPED, strlen(TYPED)) == 0, "%s", input);
	cr_expect_eq(strspn(input + strlen(TYPED), "x"), count_ok(report), "%s\n%s", input, report);
	cr_expect_geq(count_ok(report), 16, "%s", report);
	cr_expect_eq(strlen(input), strlen(TYPED) + count_ok(report), "%s", input);
	free(report);
	close_terminal(&terminal);
}

/* --- typing --- */

/* Attack G1. */
Test(terminal, nothing_is_typed_under_any_shipped_profile) {
	static const char *const profiles[] = {"@app-server", "@app-server-debug", "@web-static"};

	enter();
	world_app_policy("app", "");
	expect_nothing_typed(&world_deploy, WORLD_RUNAS);
	for (size_t i = 0; i < COUNT(profiles); i++)
		expect_nothing_typed_under(profiles[i]);
}

Test(terminal, nothing_is_typed_while_a_profile_only_complains) {
	static const char *const profiles[] = {"complain @app-server", "complain @app-server-debug",
					       "complain @web-static"};

	enter();
	for (size_t i = 0; i < COUNT(profiles); i++)
		expect_nothing_typed_under(profiles[i]);
}

/* Attack G1. */
Test(terminal, nothing_is_typed_without_a_profile) {
	enter();
	expect_nothing_typed_under("none");
}

Test(terminal, nothing_is_typed_under_a_profile_of_the_site_that_allows_every_ioctl) {
	char program[256];

	enter();
	world_directory("/etc/runas-app/profiles", 0, 0, 0755);
	world_file("/etc/runas-app/profiles/mine.profile", 0, 0, 0644,
		   "runas-profile = 1\ninclude = @app-server\nallow = ioctl # all of it\n");
	snprintf(program, sizeof(program), "%s", world_built("runas-policy"));
	const struct world_run *compiled =
		world_run(&(struct world_call){.who = &world_root, .argv = WORLD_LIST(program, "compile", "mine")});
	cr_assert(world_exited(compiled, 0), "%s", compiled->err);
	expect_nothing_typed_under("mine");
	expect_nothing_typed_under("complain mine");
}

/* Attack G1. */
Test(terminal, nothing_is_typed_whoever_starts_the_app) {
	static const char *const settings[] = {"", "syscalls = none\n"};

	enter();
	for (size_t i = 0; i < COUNT(settings); i++) {
		world_app_policy("app", settings[i]);
		expect_nothing_typed(&world_root, WORLD_RUNAS);
		/* Started without root, as in a container that runs as the app's user. */
		expect_nothing_typed(&world_app, BARE_RUNAS);
	}
}

/* --- the keyboard's signals --- */

static struct world_run *start_waiting(struct terminal *terminal, void (*as_caller)(const void *)) {
	static const char *const argv[] = {"runas-app", "app", "--", TYPIST, APPS_REPORT, "--wait", NULL};
	char *report = NULL;

	world_app_policy("app", "");
	unlink(APPS_REPORT);
	*terminal = open_terminal(&world_deploy, false);
	struct world_run *run = world_start(&(struct world_call){.who = &world_deploy,
								 .program = WORLD_RUNAS,
								 .argv = argv,
								 .as_root = take_terminal,
								 .as_caller = as_caller,
								 .data = terminal});
	for (int i = 0; i < 5000 && !(report && world_value_in(report, "end")); i++) {
		free(report);
		pass_time();
		report = world_read(APPS_REPORT);
	}
	cr_assert(report && world_value_in(report, "end"), "the app did not start: %s", read_output(terminal));
	cr_expect_str_eq(world_value_in(report, "uid"), "4002");
	cr_expect_str_eq(world_value_in(report, "foreground"), world_value_in(report, "pgrp"));
	free(report);
	return run;
}

static void expect_killed_by(struct world_run *run, int number) {
	world_wait(run, 10);
	cr_expect(!run->timed_out && WIFSIGNALED(run->status) && WTERMSIG(run->status) == number,
		  "signal %d did not end it: %s, status %#x", number, run->timed_out ? "out of time" : "ended",
		  (unsigned)run->status);
}

Test(terminal, what_is_typed_interrupts_the_app) {
	static const struct {
		const char *key;
		int number;
	} keys[] = {{"\003", SIGINT}, {"\034", SIGQUIT}};
	struct terminal terminal;

	enter();
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct world_run *run = start_waiting(&terminal, NULL);
		pass_time();
		cr_assert_not(world_ended(run));
		type(&terminal, keys[i].key);
		expect_killed_by(run, keys[i].number);
		close_terminal(&terminal);
	}
}

Test(terminal, hanging_up_ends_the_app) {
	struct terminal terminal;

	enter();
	struct world_run *run = start_waiting(&terminal, NULL);
	pass_time();
	cr_assert_not(world_ended(run));
	close_terminal(&terminal);
	expect_killed_by(run, SIGHUP);
}

/* The caller's shell, as small as can be, with a job of two commands (`pager | runas-app ...`): it stays the session's
 * leader, gives the job the foreground, continues it as often as it stops, and says on the terminal what became of the
 * second command, which goes on to be runas-app. As the first one it would lead a group, and could not leave it. */
static void stay_behind_as_a_shell(const void *data) {
	int status;

	(void)data;
	signal(SIGTTOU, SIG_IGN);
	pid_t first = fork();
	if (first == 0) {
		alarm(30);
		for (;;)
			pause();
	}
	if (first < 0 || setpgid(first, first) != 0 || tcsetpgrp(0, first) != 0)
		_exit(WORLD_CHILD_BROKE);
	pid_t second = fork();
	if (second < 0)
		_exit(WORLD_CHILD_BROKE);
	if (second == 0) {
		if (setpgid(0, first) != 0)
			_exit(WORLD_CHILD_BROKE);
		signal(SIGTTOU, SIG_DFL);
		return;
	}
	while (waitpid(second, &status, WUNTRACED | WCONTINUED) == second) {
		if (WIFCONTINUED(status)) {
			dprintf(1, "continued\n");
		} else if (WIFSTOPPED(status)) {
			dprintf(1, "stopped by %d\n", WSTOPSIG(status));
			if (kill(-first, SIGCONT) != 0)
				_exit(WORLD_CHILD_BROKE);
		} else {
			dprintf(1, "ended by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
			_exit(0);
		}
	}
	_exit(WORLD_CHILD_BROKE);
}

static void expect_said(const struct terminal *terminal, const char *wanted) {
	static char said[8192];
	size_t length = 0;

	said[0] = '\0';
	for (int i = 0; i < 5000 && !strstr(said, wanted); i++, pass_time()) {
		const char *more = read_output(terminal);
		length += (size_t)snprintf(said + length, sizeof(said) - length, "%s", more);
		cr_assert(length < sizeof(said));
	}
	cr_assert(strstr(said, wanted) != NULL, "no `%s` on the terminal: %s", wanted, said);
}

Test(terminal, the_callers_shell_stops_and_continues_the_app) {
	struct terminal terminal;
	char wanted[32];

	enter();
	struct world_run *run = start_waiting(&terminal, stay_behind_as_a_shell);
	type(&terminal, "\032");
	snprintf(wanted, sizeof(wanted), "stopped by %d\r\ncontinued\r\n", SIGTSTP);
	expect_said(&terminal, wanted);
	cr_assert_not(world_ended(run));
	type(&terminal, "\003");
	snprintf(wanted, sizeof(wanted), "ended by %d", SIGINT);
	expect_said(&terminal, wanted);
	world_wait(run, 10);
	cr_expect(world_exited(run, 0));
	close_terminal(&terminal);
}
