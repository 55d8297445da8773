/* SPDX-License-Identifier: ISC */
/* The only way out: root is gone before a byte reaches a descriptor of the caller's. */
#include "tests/launcher/room.h"

#include <dirent.h>
#include <sys/ptrace.h>

TestSuite(report, .timeout = 60);

static const gid_t groups[] = {27, ROOM_CALLER, 4020};
static char *const command[] = {(char *)"passenger", (char *)"start", NULL};
static struct request request;
static struct caller caller;
static struct problem problem;
static bool is_entitled;

static struct report *report_of_caller(void) {
	static struct report r;

	caller = (struct caller){
		.uid = {ROOM_CALLER}, .gid = {ROOM_CALLER}, .groups = groups, .group_count = 3, .has_root = true};
	request = (struct request){.app = text_of("app"), .command = command, .words = 2};
	r = (struct report){.request = &request,
			    .caller = &caller,
			    .file = text_of("/etc/runas-app/app.conf"),
			    .is_entitled = is_entitled,
			    .log = text_of("none"),
			    .scratch = room_scratch};
	return &r;
}

static void say(void) {
	room_become_setuid(groups, 3);
	report_problem(report_of_caller(), &problem);
}

static void expect_said(int status, const char *words) {
	struct room_end end = room_run(say);

	cr_expect(!room->is_done && room->used == 0, "%s", room->failures);
	cr_expect(end.status == status, "status %d, not %d", end.status, status);
	cr_expect(strcmp(end.said, words) == 0, "\"%s\", not \"%s\"", end.said, words);
}

/* --- what is said ------------------------------------------------------------------------------------------------------------ */

Test(report, a_message_is_one_line_with_a_hint) {
	is_entitled = true;
	problem = (struct problem){.status = PROBLEM_SELF,
				   .word = "policy-key",
				   .what = "unknown key",
				   .about = text_of("users"),
				   .hint = "look at ",
				   .hint_about = text_of("it"),
				   .line = 7};
	expect_said(
		125,
		"runas-app: app: /etc/runas-app/app.conf:7: unknown key \"users\" [policy-key]\nhint: look at it\n");
	problem = (struct problem){.status = PROBLEM_NOT_FOUND,
				   .word = "not-found",
				   .what = "gone",
				   .object = text_of("/bin/x"),
				   .error = ENOENT};
	expect_said(127, "runas-app: app: /bin/x: gone: No such file or directory [not-found]\n");
	problem = (struct problem){.status = PROBLEM_DENIED, .word = "command", .what = "not that"};
	expect_said(126, "runas-app: app: not that [command]\n");
}

/* CVE-2023-28486: what a caller chose is shown as plain characters, and not without end. */
Test(report, bytes_of_others_are_escaped_and_capped) {
	char *end;

	is_entitled = true;
	problem = (struct problem){.status = PROBLEM_DENIED,
				   .word = "command",
				   .what = "not that",
				   .about = text_of("a\n\x1b[2J\"\\\x9b\x7f"
						    "b")};
	expect_said(126, "runas-app: app: not that \"a\\012\\033[2J\\042\\134\\233\\177b\" [command]\n");
	end = calloc(1, 100001);
	cr_assert(end != NULL);
	memset(end, '\n', 100000);
	problem.about = text_of(end);
	problem.object = text_of(end);
	cr_expect(strlen(room_run(say).said) < 4096, "%zu bytes", strlen(room_run(say).said));
	free(end);
}

Test(report, who_is_not_entitled_learns_nothing) {
	static const char *const words[] = {"policy-key",   "command",	"policy-mode", "account",
					    "filter-stale", "not-root", "usages",      ""};

	is_entitled = false;
	for (size_t i = 0; i < COUNT(words); i++) {
		problem = (struct problem){.status = PROBLEM_NOT_FOUND,
					   .word = words[i],
					   .what = "secret",
					   .about = text_of("secret"),
					   .hint = "secret",
					   .object = text_of("/secret"),
					   .line = 7,
					   .error = ENOENT};
		expect_said(126, "runas-app: app: not permitted [not-permitted]\n");
	}
	problem = (struct problem){.status = PROBLEM_SELF, .word = "no-such-app", .what = "no such app"};
	expect_said(125, "runas-app: app: no such app [no-such-app]\n");
	problem.word = "usage";
	expect_said(125, "runas-app: app: no such app [usage]\n");
}

static void stage(void) {
	room_become_setuid(groups, 3);
	is_entitled = true;
	report_stage(report_of_caller(), "identity", "setresuid", "look", EPERM);
}

static void stage_without_effect(void) {
	room_become_setuid(groups, 3);
	is_entitled = true;
	report_stage(report_of_caller(), "identity", "setresuid", NULL, 0);
}

Test(report, a_stage_that_failed) {
	room_refuses(stage, 125, "runas-app: app: setresuid: failed: Operation not permitted [identity]\nhint: look\n");
	room_refuses(stage_without_effect, 125, "runas-app: app: setresuid: did not take effect [identity]\n");
}

static void words(void) {
	room_become_setuid(groups, 3);
	report_leave(report_of_caller(), STDOUT_FILENO, text_of("usage: this\n"), 0);
}

Test(report, help_ends_with_status_0) {
	struct room_end end = room_run(words);

	cr_expect(!room->is_done && end.status == 0 && strcmp(end.said, "usage: this\n") == 0, "status %d: %s",
		  end.status, end.said);
}

static void reader_is_gone(void) {
	int ends[2];

	ROOM_EXPECT(pipe(ends) == 0 && dup2(ends[1], 2) == 2 && close(ends[0]) == 0);
	say();
}

Test(report, nobody_who_reads_changes_no_status) {
	problem = (struct problem){.status = PROBLEM_DENIED, .word = "command", .what = "not that"};
	room_refuses(reader_is_gone, 126, NULL);
}

/* --- as whom it is said ---------------------------------------------------------------------------------------------------------- */

static void (*traced)(void);

static void start_traced(void) {
	ROOM_EXPECT(fcntl(1, F_DUPFD, 7) == 7, "something that root opened");
	ROOM_EXPECT(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	raise(SIGSTOP);
	traced();
}

/* Runs body up to its first write to descriptor fd, and leaves it stopped there. -1: it never wrote. */
static pid_t run_to_write(void (*body)(void), int fd) {
	struct __ptrace_syscall_info info;
	pid_t child;
	int status;

	room_need_root();
	room_make();
	traced = body;
	child = fork();
	cr_assert(child >= 0);
	if (child == 0)
		room_start_child(start_traced, open("/dev/null", O_WRONLY));
	cr_assert(waitpid(child, &status, 0) == child && WIFSTOPPED(status), "tracing: status 0x%x", (unsigned)status);
	cr_assert(ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
	while (ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
	       WIFSTOPPED(status)) {
		memset(&info, 0, sizeof(info));
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) &&
		    ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) > 0 &&
		    info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_write &&
		    info.entry.args[0] == (unsigned)fd)
			return child;
	}
	return -1;
}

static void expect_to_be_the_caller(pid_t child) {
	char path[64];
	struct dirent *entry;
	DIR *d;

	cr_assert(child > 0, "nothing was written: %s", room->failures);
	cr_expect(strcmp(room_status_of(child, "Uid"), "4001\t4001\t4001\t4001") == 0, "%s",
		  room_status_of(child, "Uid"));
	cr_expect(strcmp(room_status_of(child, "Gid"), "4001\t4001\t4001\t4001") == 0, "%s",
		  room_status_of(child, "Gid"));
	cr_expect(strcmp(room_status_of(child, "Groups"), "27 4001 4020") == 0, "%s", room_status_of(child, "Groups"));
	cr_expect(strcmp(room_status_of(child, "CapPrm"), "0000000000000000") == 0, "%s",
		  room_status_of(child, "CapPrm"));
	cr_expect(strcmp(room_status_of(child, "CapEff"), "0000000000000000") == 0, "%s",
		  room_status_of(child, "CapEff"));
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)child);
	d = opendir(path);
	cr_assert(d != NULL);
	while ((entry = readdir(d)) != NULL)
		cr_expect(entry->d_name[0] == '.' || atoi(entry->d_name) <= 2, "descriptor %s is still open",
			  entry->d_name);
	closedir(d);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void say_as_setuid(void) { say(); }

static void say_with_the_apps_groups(void) {
	const gid_t app[] = {ROOM_APP, ROOM_WEB};

	room_become_setuid(groups, 3);
	ROOM_EXPECT(setresuid(0, 0, 0) == 0 && setgroups(2, app) == 0 && setresgid(ROOM_APP, ROOM_APP, ROOM_APP) == 0);
	report_problem(report_of_caller(), &problem);
}

static void say_words(void) { words(); }

Test(report, never_writes_as_root) {
	is_entitled = true;
	problem = (struct problem){.status = PROBLEM_SELF, .word = "policy-key", .what = "unknown key"};
	expect_to_be_the_caller(run_to_write(say_as_setuid, 2));
	expect_to_be_the_caller(run_to_write(say_with_the_apps_groups, 2));
	expect_to_be_the_caller(run_to_write(say_words, 1));
}

/* --- when it cannot become the caller, it says nothing ------------------------------------------------------------------------------ */

static long broken;
static unsigned answer;

static void say_without(void) {
	room_become_setuid(groups, 3);
	room_answer(broken, answer);
	report_problem(report_of_caller(), &problem);
}

Test(report, is_silent_when_root_does_not_go) {
	static const long calls[] = {SYS_setresuid, SYS_getresuid, SYS_close_range};

	is_entitled = true;
	problem = (struct problem){.status = PROBLEM_DENIED, .word = "command", .what = "not that"};
	for (size_t i = 0; i < COUNT(calls); i++) {
		broken = calls[i];
		answer = EPERM;
		room_refuses(say_without, 126, NULL);
		answer = 0;
		/* A close_range that lies closes nothing that is open here. */
		if (broken != SYS_close_range)
			room_refuses(say_without, 126, NULL);
	}
}

static void say_half_way(void) {
	room_become_setuid(groups, 3);
	ROOM_EXPECT(setresuid(0, ROOM_APP, 0) == 0);
	report_problem(report_of_caller(), &problem);
}

Test(report, is_silent_half_way_between_two_users) {
	is_entitled = true;
	problem = (struct problem){.status = PROBLEM_SELF, .word = "identity", .what = "failed"};
	room_refuses(say_half_way, 125, NULL);
}
