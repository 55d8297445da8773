/* SPDX-License-Identifier: ISC */
/* What the system log hears, byte for byte, and what is said of what cannot be told it. */
#include "tests/launcher/room.h"

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

TestSuite(log, .timeout = 60);

static const gid_t groups[] = {27, ROOM_CALLER};
static char *long_command[] = {(char *)"a", NULL, (char *)"c", NULL};
static char *const command[] = {(char *)"passenger", (char *)"st\nart", NULL};
static struct request request;
static struct caller caller;
static struct report to;
static struct problem why;
static int ears;

/* A /dev of our own with a log, for this child only; who calls is the setuid bit's. */
static void begin(void) {
	const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

	if (unshare(CLONE_NEWNS) != 0)
		room_lacks("needs a mount namespace of its own");
	ROOM_EXPECT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	ROOM_EXPECT(mount("runas-test", "/dev", "tmpfs", 0, "mode=0755") == 0);
	ears = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ROOM_EXPECT(bind(ears, (const struct sockaddr *)&log, sizeof(log)) == 0 && chmod("/dev/log", 0666) == 0);
	caller = (struct caller){
		.uid = {ROOM_CALLER}, .gid = {ROOM_CALLER}, .groups = groups, .group_count = 2, .has_root = true};
	request = (struct request){.app = text_of("app"), .command = command, .words = 2};
	to = (struct report){.request = &request,
			     .caller = &caller,
			     .is_entitled = true,
			     .scratch = room_scratch,
			     .file = text_of("/etc/runas-app/app.conf")};
	room_ordinary_plan();
	room_plan.landlock_abi = -1;
}

static bool allowed(void) { return report_allowed(&to, &room_plan, text_of("@app-server")); }

__attribute__((format(printf, 2, 3))) static void expect_heard(int line, const char *format, ...) {
	char is[8192] = "", want[8192];
	va_list rest;

	va_start(rest, format);
	vsnprintf(want, sizeof(want), format, rest);
	va_end(rest);
	room_expect(recv(ears, is, sizeof(is) - 1, 0) > 0 || want[0] == '\0', "something heard", line, "%s",
		    strerror(errno));
	room_expect(strcmp(is, want) == 0, "heard", line, "\"%s\", not \"%s\"", is, want);
}

static void what_is_allowed(void) {
	int next;

	begin();
	next = dup(0);
	close(next);
	ROOM_EXPECT(allowed());
	expect_heard(
		__LINE__,
		"<86>runas-app[%d]: caller=4001 app=\"app\" command=\"passenger st\\012art\" decision=allow user=4002 "
		"syscalls=\"@app-server\"",
		(int)getpid());
	room_plan.landlock_abi = 2;
	request.words = 1;
	ROOM_EXPECT(allowed());
	expect_heard(__LINE__,
		     "<86>runas-app[%d]: caller=4001 app=\"app\" command=\"passenger\" decision=allow user=4002 "
		     "syscalls=\"@app-server\" landlock=2 unlimited=truncate",
		     (int)getpid());
	ROOM_EXPECT(dup(0) == next, "the log's descriptor is left open");
	close(next);
	to.log = text_of("none");
	ROOM_EXPECT(allowed());
	expect_heard(__LINE__, "%s", "");
}

Test(log, what_is_allowed) { room_passes(what_is_allowed); }

static void long_words(void) {
	char words[400], cut[257];

	begin();
	memset(words, 'b', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	long_command[1] = words;
	request.command = long_command;
	request.words = 3;
	memset(cut, 'b', sizeof(cut));
	memcpy(cut, "a ", 2);
	cut[256] = '\0';
	ROOM_EXPECT(allowed());
	expect_heard(__LINE__,
		     "<86>runas-app[%d]: caller=4001 app=\"app\" command=\"%s\" decision=allow user=4002 "
		     "syscalls=\"@app-server\"",
		     (int)getpid(), cut);
}

Test(log, a_command_is_cut) { room_passes(long_words); }

static pid_t teller;

/* Said in another process: it does not come back. */
static void tell(int line, const char *want) {
	int ends[2], status;
	char said[8192] = "";
	size_t held = 0;
	ssize_t got;

	ROOM_EXPECT(pipe(ends) == 0);
	teller = fork();
	if (teller == 0) {
		dup2(ends[1], 2);
		room_become_setuid(groups, 2);
		report_problem(&to, &why);
	}
	close(ends[1]);
	while ((got = read(ends[0], said + held, sizeof(said) - 1 - held)) > 0)
		held += (size_t)got;
	close(ends[0]);
	ROOM_EXPECT(waitpid(teller, &status, 0) == teller);
	room_expect(strcmp(said, want) == 0, "said", line, "\"%s\", not \"%s\"", said, want);
}

static void what_is_refused(void) {
	begin();
	why = (struct problem){
		.status = PROBLEM_SELF, .word = "policy-key", .what = "unknown key", .about = text_of("x"), .line = 7};
	tell(__LINE__, "runas-app: app: /etc/runas-app/app.conf:7: unknown key \"x\" [policy-key]\n");
	expect_heard(__LINE__,
		     "<84>runas-app[%d]: caller=4001 app=\"app\" command=\"passenger st\\012art\" decision=refuse "
		     "word=policy-key reason=\"/etc/runas-app/app.conf:7: unknown key \\042x\\042\"",
		     (int)teller);
	why = (struct problem){.status = PROBLEM_SELF, .word = "account", .what = "no single entry", .line = 3};
	tell(__LINE__, "runas-app: app: /etc/runas-app/app.conf:3: no single entry [account]\n");
	expect_heard(__LINE__,
		     "<84>runas-app[%d]: caller=4001 app=\"app\" command=\"passenger st\\012art\" decision=refuse "
		     "word=account reason=\"/etc/runas-app/app.conf:3: no single entry\"",
		     (int)teller);
	to.log = text_of("none");
	why = (struct problem){.status = PROBLEM_SELF, .word = "policy-version", .what = "the file says nothing"};
	tell(__LINE__, "runas-app: app: /etc/runas-app/app.conf: the file says nothing [policy-version]\n");
	why.object = text_of("/etc");
	tell(__LINE__, "runas-app: app: /etc: the file says nothing [policy-version]\n");
	expect_heard(__LINE__, "%s", "");
	to.log = text_of("syslog");
	to.is_sealed = true; /* nothing but write is sure to be left */
	why.object = text_of("/srv");
	tell(__LINE__, "runas-app: app: /srv: the file says nothing [policy-version]\n");
	expect_heard(__LINE__, "%s", "");
	to.is_sealed = false;
	to.is_entitled = false;
	tell(__LINE__, "runas-app: app: not permitted [not-permitted]\n");
	expect_heard(__LINE__,
		     "<84>runas-app[%d]: caller=4001 app=\"app\" command=\"passenger st\\012art\" decision=refuse "
		     "word=policy-version reason=\"/srv: the file says nothing\"",
		     (int)teller);
	request.app = (struct text){0};
	why = (struct problem){.status = PROBLEM_SELF, .word = "usage", .what = "how"};
	tell(__LINE__, "runas-app: how [usage]\n");
	expect_heard(__LINE__, "%s", "");
}

Test(log, what_is_refused) { room_passes(what_is_refused); }

static void long_object(void) {
	char object[601], about[301], want[1024];

	begin();
	to.log = text_of("none");
	memset(object, 'o', 600);
	memset(about, 'a', 300);
	object[600] = about[300] = '\0';
	why = (struct problem){
		.status = PROBLEM_SELF, .word = "x", .what = "is", .object = text_of(object), .about = text_of(about)};
	snprintf(want, sizeof(want), "runas-app: app: %.512s: is \"%.256s\" [x]\n", object, about);
	tell(__LINE__, want);
}

Test(log, what_is_said_is_cut) { room_passes(long_object); }

/* --- a log that does not hear --- */

static void nobody(void) {
	begin();
	close(ears);
	ROOM_EXPECT(!allowed(), "nobody listens");
	ROOM_EXPECT(unlink("/dev/log") == 0 && !allowed(), "there is no log");
}

static void full(void) {
	begin();
	const int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

	ROOM_EXPECT(connect(other, (const struct sockaddr *)&log, sizeof(log)) == 0);
	while (send(other, "x", 1, 0) == 1)
		;
	alarm(5);
	ROOM_EXPECT(!allowed(), "the log is full, and nobody waits for it");
}

static long false_answer;

static void descriptor_of_others(void) {
	int ends[2];

	begin();
	ROOM_EXPECT(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) == 0 &&
		    dup2(ends[0], (int)false_answer) >= 0);
	room_answer_nth(SYS_socket, 1, 0, false_answer);
	ROOM_EXPECT(!allowed());
	ROOM_EXPECT(fcntl((int)false_answer, F_GETFD) >= 0, "%ld was closed", false_answer);
	expect_heard(__LINE__, "%s", "");
}

static void close_fails(void) {
	begin();
	room_answer(SYS_close, EIO);
	ROOM_EXPECT(!allowed());
}

Test(log, what_was_not_heard_is_known) {
	room_passes(nobody);
	room_passes(full);
	for (false_answer = 0; false_answer <= 2; false_answer++)
		room_passes(descriptor_of_others);
	room_passes(close_fails);
}

/* --- root's own message comes without a change of ids --- */

static long broken;

static void root_says(void) {
	static const gid_t others[] = {1, 2};

	begin();
	to.log = text_of("none");
	caller = (struct caller){.groups = groups, .group_count = 2};
	ROOM_EXPECT(setgroups(2, others) == 0);
	room_answer(broken, EPERM);
	why = (struct problem){.status = PROBLEM_SELF, .word = "x", .what = "said"};
	report_problem(&to, &why);
}

Test(log, root_hears_whatever_cannot_be_set) {
	broken = SYS_setgroups;
	room_refuses(root_says, 125, "runas-app: app: said [x]");
	broken = SYS_setresuid;
	room_refuses(root_says, 125, "runas-app: app: said [x]");
}

static void root_half_way(void) {
	begin();
	to.log = text_of("none");
	caller = (struct caller){.groups = groups, .group_count = 2};
	why = (struct problem){.status = PROBLEM_SELF, .word = "x", .what = "said"};
	ROOM_EXPECT(setresuid(0, 0, ROOM_APP) == 0);
	report_problem(&to, &why);
}

Test(log, root_that_is_half_somebody_else_hears_nothing) { room_refuses(root_half_way, 125, NULL); }

/* --- before a byte is said --------------------------------------------------------------------------------------- */

static bool is_sealed;

static void says(void) {
	begin();
	to.log = text_of("none");
	to.is_sealed = is_sealed;
	why = (struct problem){.status = PROBLEM_SELF, .word = "x", .what = "said"};
	if (is_sealed) {
		ROOM_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	} else
		room_become_setuid(groups, 2);
	room_answer(broken, EPERM);
	report_problem(&to, &why);
}

Test(log, what_is_said_needs_only_what_is_left) {
	is_sealed = false; /* who has the groups already needs not set them */
	broken = SYS_setgroups;
	room_refuses(says, 125, "runas-app: app: said [x]");
	broken = SYS_rt_sigprocmask;
	room_refuses(says, 125, NULL);
	is_sealed = true; /* a filter may have taken all but write, close and exit */
	broken = SYS_getresuid;
	room_refuses(says, 125, "runas-app: app: said [x]");
	broken = SYS_close_range;
	room_refuses(says, 125, "runas-app: app: said [x]");
}

static void terminated_meanwhile(void) {
	uint64_t all = ~UINT64_C(0);

	begin();
	to.log = text_of("none");
	why = (struct problem){.status = PROBLEM_SELF, .word = "x", .what = "said"};
	ROOM_EXPECT(signal(SIGTERM, SIG_DFL) != SIG_ERR);
	ROOM_EXPECT(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)) == 0 && raise(SIGTERM) == 0);
	room_become_setuid(groups, 2);
	report_problem(&to, &why);
}

Test(log, a_signal_that_came_meanwhile_acts_before_a_word_is_said) { room_refuses(terminated_meanwhile, -1, NULL); }

static int held;

/* Its reader is slow: what else we have open must not wait for it. */
static void holds_while_it_says(void) {
	int ends[2], slow[2];
	struct pollfd end = {.events = POLLIN};

	begin();
	to.log = text_of("none");
	to.is_sealed = true;
	why = (struct problem){.status = PROBLEM_SELF, .word = "x", .what = "said"};
	ROOM_EXPECT(pipe2(ends, O_CLOEXEC) == 0 && pipe2(slow, O_NONBLOCK) == 0);
	while (write(slow[1], "x", 1) == 1)
		;
	ROOM_EXPECT(fcntl(slow[1], F_SETFL, 0) == 0);
	teller = fork();
	if (teller == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(slow[1], 2);
		dup2(ends[1], held);
		syscall(SYS_close_range, 3U, (unsigned)held - 1, 0U);
		syscall(SYS_close_range, (unsigned)held + 1, ~0U, 0U);
		report_problem(&to, &why);
	}
	close(ends[1]);
	end.fd = ends[0];
	ROOM_EXPECT(poll(&end, 1, 5000) == 1 && (end.revents & POLLHUP) != 0, "%d is held", held);
	ROOM_EXPECT(waitpid(teller, NULL, WNOHANG) == 0, "it still says it");
}

Test(log, a_slow_reader_holds_no_socket) {
	held = POLICY_FD_FIRST + 6;
	room_passes(holds_while_it_says);
	held = POLICY_FD_LAST;
	room_passes(holds_while_it_says);
}
