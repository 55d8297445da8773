/* SPDX-License-Identifier: ISC */
/*
 * Sockets that a service manager opened, handed on through `keep_fds`: sd_listen_fds(3). With systemd-socket-activate,
 * and with a stand-in that does what it does: sockets from 3 up, and LISTEN_* for the process that executes runas-app.
 * The app answers on its socket with all that it is.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "gifts.h"
#include "world.h"

TestSuite(activation, .timeout = 60);

#define ACTIVATE "/usr/bin/systemd-socket-activate"
#define PLAIN "/usr/local/bin/runas-plain"

enum { PORT = 8000, SOCKETS = 4 };

/* A network of this test's own: any port is free, and nobody else can connect. */
static void enter(void) {
	struct ifreq request = {.ifr_name = "lo"};

	world_enter();
	world_copy(WORLD_RUNAS, PLAIN, 0755);
	if (unshare(CLONE_NEWNET) != 0)
		SKIP("no network namespace: unshare says EPERM; CAP_SYS_ADMIN is needed");
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	request.ifr_flags |= IFF_UP;
	cr_assert(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "lo: %s", strerror(errno));
	close(fd);
}

static struct sockaddr_in loopback(int port) {
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Connected, or -1: nobody listens there within that time. */
static int connect_to(int port, int milliseconds) {
	const struct sockaddr_in address = loopback(port);
	const struct timeval patience = {10, 0};

	for (int waited = 0;; waited += 5) {
		const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		cr_assert(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		cr_assert(errno == ECONNREFUSED, "connect: %s", strerror(errno));
		close(fd);
		if (waited >= milliseconds)
			return -1;
		usleep(5000);
	}
}

/* All that the app says to whoever connects to this port, as if it were its output; it may go on running. */
static struct world_run *ask(struct world_run *from, int port) {
	enum { SIZE = 1 << 18 };
	const int connection = connect_to(port, 5000);
	struct world_run *answer = calloc(1, sizeof(*answer));
	ssize_t got = 1;

	if (connection < 0) {
		world_wait(from, 0);
		cr_assert_fail("nobody listens on %d\nstdout: %s\nstderr: %s", port, from->out, from->err);
	}
	cr_assert(answer && (answer->out = calloc(1, SIZE)) != NULL);
	while (got > 0 && answer->out_length < SIZE - 1 && !strstr(answer->out, "end: yes\n")) {
		got = recv(connection, answer->out + answer->out_length, SIZE - 1 - answer->out_length, 0);
		answer->out_length += got > 0 ? (size_t)got : 0;
	}
	close(connection);
	cr_assert(world_value(answer, "end"), "no whole answer: `%.200s`", answer->out);
	answer->err = from->err;
	answer->pid = from->pid;
	return answer;
}

static void expect_env(const struct world_run *run, const char *name, const char *value) {
	const char *found = world_env(run, name);

	cr_expect((!found && !value) || (found && value && strcmp(found, value) == 0), "%s is %s, not %s", name,
		  found ? found : "missing", value ? value : "missing");
}

static void expect_no_activation(const struct world_run *run) {
	cr_expect(world_value(run, "end") && !strstr(run->out, "env: LISTEN_"), "stderr: %s\n%s", run->err, run->out);
}

static void expect_sockets(const struct world_run *run, const char *count, const char *names) {
	char pid[16];

	snprintf(pid, sizeof(pid), "%ld", (long)run->pid);
	expect_env(run, "LISTEN_FDS", count);
	expect_env(run, "LISTEN_PID", pid);
	expect_env(run, "LISTEN_FDNAMES", names);
	world_expect_value(run, "pid", pid);
}

/* Which of 3 to 9 the app has, as "3 4"; each must be a socket. */
static const char *kept(const struct world_run *run) {
	static char list[64];
	size_t length = 0;

	list[0] = '\0';
	for (int fd = 3; fd < 10; fd++) {
		char key[8];
		snprintf(key, sizeof(key), "fd_%d", fd);
		const char *line = world_value(run, key);
		if (!line)
			continue;
		cr_expect(strncmp(line, "socket ", 7) == 0, "%s: %s", key, line);
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%d", length ? " " : "", fd);
	}
	return list;
}

/* --- systemd's own --- */

static struct world_run *start_activate(const char *const *argv) {
	if (access(ACTIVATE, X_OK) != 0)
		SKIP("systemd-socket-activate is missing: scripts/bootstrap check installs it");
	return world_start(&(struct world_call){.who = &world_root, .program = ACTIVATE, .argv = argv});
}

Test(activation, systemd_starts_it_on_the_first_connection) {
	enter();
	world_app_policy("probe", "keep_fds = 3\n");
	struct world_run *run =
		start_activate(WORLD_LIST("systemd-socket-activate", "-l", "127.0.0.1:8000", "--fdname=web",
					  WORLD_RUNAS, "probe", "--", WORLD_PROBE, "--accept", "3"));
	struct world_run *answer = ask(run, PORT);
	world_expect_app(answer);
	expect_sockets(answer, "1", "web");
	cr_expect(strcmp(kept(answer), "3") == 0, "%s", kept(answer));
	world_wait(run, 10);
	cr_expect(world_exited(run, 0));
	cr_expect(connect_to(PORT, 0) < 0, "the app was not the last to have it");
}

Test(activation, systemd_hands_two_sockets_on) {
	enter();
	world_app_policy("probe", "keep_fds = 3 4\n");
	struct world_run *run = start_activate(WORLD_LIST("systemd-socket-activate", "-l", "127.0.0.1:8000", "-l",
							  "127.0.0.1:8001", "--fdname=web:admin", WORLD_RUNAS, "probe",
							  "--", WORLD_PROBE, "--accept", "4"));
	struct world_run *answer = ask(run, PORT + 1);
	world_expect_app(answer);
	expect_sockets(answer, "2", "web:admin");
	cr_expect(strcmp(kept(answer), "3 4") == 0, "%s", kept(answer));
	world_wait(run, 10);
	cr_expect(world_exited(run, 0));
}

/* --- a stand-in: what it hands over can be chosen --- */

struct activation {
	int sockets; /* from 3 up, listening on PORT and so on */
	const char *count, *names;
	bool is_for_another; /* LISTEN_PID is the parent's */
	bool has_no_pid;
};

static char listen_pid[32], listen_fds[32], listen_names[64];

static void hand_over(const void *data) {
	const struct activation *a = data;
	const int yes = 1;

	for (int i = 0; i < a->sockets; i++) {
		const struct sockaddr_in address = loopback(PORT + i);
		const int fd = socket(AF_INET, SOCK_STREAM, 0);
		gift_need(fd == 3 + i, "the first free descriptor is not the next one");
		gift_need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
				  bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
				  listen(fd, 8) == 0,
			  "listen");
	}
	snprintf(listen_pid, sizeof(listen_pid), "%s%ld",
		 a->has_no_pid ? "NO=" : "LISTEN_PID=", (long)(a->is_for_another ? getppid() : getpid()));
	snprintf(listen_fds, sizeof(listen_fds), "LISTEN_FDS=%s", a->count);
	snprintf(listen_names, sizeof(listen_names), "%s%s",
		 a->names ? "LISTEN_FDNAMES=" : "NO_NAMES=", a->names ? a->names : "");
}

static struct world_call activate(const struct world_person *who, const char *program, const char *const *argv,
				  const struct activation *a) {
	static const char *const environment[] = {"PATH=/usr/bin:/bin", listen_pid, listen_fds, listen_names, NULL};

	return (struct world_call){
		.who = who, .program = program, .argv = argv, .envp = environment, .as_caller = hand_over, .data = a};
}

static struct world_run *activate_probe(const struct world_person *who, const char *program,
					const struct activation *a) {
	static const char *const argv[] = {"runas-app", "probe", "--", WORLD_PROBE, NULL};
	const struct world_call call = activate(who, program, argv, a);

	return world_run(&call);
}

static void expect_both_sockets(struct world_run *run) {
	struct world_run *answer = ask(run, PORT);

	expect_sockets(answer, "2", "web:admin");
	world_expect_value(answer, "euid", "0");
	cr_expect(strcmp(kept(answer), "3 4") == 0, "%s", kept(answer));
	world_wait(run, 10);
}

/* What is handed over reaches a plain command, or nothing below would be shown; and it is what systemd hands over. */
Test(activation, the_stand_in_does_what_systemd_does) {
	const struct activation two = {.sockets = 2, .count = "2", .names = "web:admin"};

	enter();
	const struct world_call call =
		activate(&world_root, WORLD_PROBE, WORLD_LIST(WORLD_PROBE, "--accept", "3"), &two);
	expect_both_sockets(world_start(&call));
	expect_both_sockets(
		start_activate(WORLD_LIST("systemd-socket-activate", "-l", "127.0.0.1:8000", "-l", "127.0.0.1:8001",
					  "--fdname=web:admin", WORLD_PROBE, "--accept", "3")));
}

Test(activation, the_app_serves_what_the_policy_keeps_and_nothing_else_stays_open) {
	const struct activation two = {.sockets = 2, .count = "2", .names = "web:admin"};

	enter();
	for (int both = 0; both < 2; both++) {
		world_app_policy("probe", both ? "keep_fds = 3 4\n" : "keep_fds = 3\n");
		const struct world_call call =
			activate(&world_root, WORLD_RUNAS,
				 WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE, "--accept", "3", "--sleep"), &two);
		struct world_run *run = world_start(&call);
		struct world_run *answer = ask(run, PORT);
		world_expect_app(answer);
		expect_sockets(answer, both ? "2" : "1", both ? "web:admin" : "web");
		cr_expect(strcmp(kept(answer), both ? "3 4" : "3") == 0, "%s", kept(answer));
		/* The app still runs: a socket that nobody has open refuses. */
		int connection = connect_to(PORT, 0);
		cr_expect(connection >= 0, "the app's own socket is closed");
		close(connection);
		connection = connect_to(PORT + 1, 0);
		cr_expect((connection >= 0) == both, "the second socket is %s", both ? "closed" : "still open");
		close(connection);
		kill(run->pid, SIGKILL);
		world_wait(run, 10);
	}
}

Test(activation, variables_agree_with_what_is_kept) {
	static const struct {
		const char *keep;
		struct activation given;
		const char *fds, *count, *names; /* no count: no LISTEN_* at all */
	} cases[] = {
		{"3", {.sockets = 2, .count = "2", .names = "web:admin"}, "3", "1", "web"},
		{"3 4", {.sockets = 2, .count = "2", .names = "web:admin"}, "3 4", "2", "web:admin"},
		{"3 4", {.sockets = 2, .count = "2"}, "3 4", "2", NULL},
		{"3 4", {.sockets = 2, .count = "1", .names = "web"}, "3 4", "1", "web"},
		/* Numbers that were not open: neither counted, nor filled with a descriptor of the launcher's own. */
		{"3 4 5 6 7 8 9", {.sockets = 2, .count = "2", .names = "web:admin"}, "3 4", "2", "web:admin"},
		{"3 4 5", {.sockets = 2, .count = "3", .names = "web:admin:debug"}, "3 4", "2", "web:admin"},
		{"3 4", {.sockets = 0, .count = "2", .names = "web:admin"}, "", NULL, NULL},
		/* sd_listen_fds counts from 3: without it, the others cannot be told. */
		{"4", {.sockets = 2, .count = "2", .names = "web:admin"}, "4", NULL, NULL},
		{NULL, {.sockets = 2, .count = "2", .names = "web:admin"}, "", NULL, NULL},
		/* Not for this process, or for nobody: the descriptors are the policy's, the variables are not. */
		{"3 4", {.sockets = 2, .count = "2", .names = "web:admin", .is_for_another = true}, "3 4", NULL, NULL},
		{"3 4", {.sockets = 2, .count = "2", .names = "web:admin", .has_no_pid = true}, "3 4", NULL, NULL},
		{"3 4", {.sockets = 2, .count = "two", .names = "web:admin"}, "3 4", NULL, NULL},
	};

	enter();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int keeps_all = 0; keeps_all < 2; keeps_all++) {
			char lines[128];

			snprintf(lines, sizeof(lines), "%s%s%s%s", cases[i].keep ? "keep_fds = " : "",
				 cases[i].keep ? cases[i].keep : "", cases[i].keep ? "\n" : "",
				 keeps_all ? "env_keep = *\n" : "");
			world_app_policy("probe", lines);
			struct world_run *run = activate_probe(&world_root, WORLD_RUNAS, &cases[i].given);
			world_expect_app(run);
			if (cases[i].count)
				expect_sockets(run, cases[i].count, cases[i].names);
			else
				expect_no_activation(run);
			cr_expect(strcmp(kept(run), cases[i].fds) == 0, "case %zu: kept %s", i, kept(run));
		}
	}
}

/* Which descriptors stay is the policy's decision; that they are a service's sockets is believed of root alone. */
Test(activation, the_word_of_another_caller_is_not_taken) {
	const struct activation two = {.sockets = 2, .count = "2", .names = "web:admin"};

	enter();
	for (int keeps_all = 0; keeps_all < 2; keeps_all++) {
		world_app_policy("probe", keeps_all ? "keep_fds = 3 4\nenv_keep = *\n" : "keep_fds = 3 4\n");
		struct world_run *run = activate_probe(&world_deploy, WORLD_RUNAS, &two);
		world_expect_app(run);
		expect_no_activation(run);
		cr_expect(strcmp(kept(run), "3 4") == 0, "%s", kept(run));
		run = activate_probe(&world_app, PLAIN, &two);
		world_expect_confined(run, WORLD_APP, WORLD_APP, "4002", false);
		expect_no_activation(run);
		cr_expect(strcmp(kept(run), "3 4") == 0, "%s", kept(run));
	}
	/* Nor can a policy be written that lets it through. */
	static const char *const lines[] = {"keep_fds = 3 4\nenv_keep = LISTEN_FDS\n", "env_keep = LISTEN_*\n",
					    "env = LISTEN_FDS=2\n", "env = LISTEN_PID=1\n"};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		world_app_policy("probe", lines[i]);
		world_expect_refused(activate_probe(&world_root, WORLD_RUNAS, &two), 125, "LISTEN_");
	}
}
