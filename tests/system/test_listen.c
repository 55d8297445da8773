/* SPDX-License-Identifier: ISC */
/* `listen` and `serve`: exactly the policy's sockets, from descriptor 3, for exactly the commands that serve. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container.h"
#include "server.h"
#include "steps.h"
#include "world.h"

TestSuite(listen, .timeout = 120);

#define ATTEMPT "/usr/local/bin/attempt"
#define PLAIN "/usr/local/bin/runas-plain"
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { CAP_NET_BIND = 10 };

/* The attempt serves, the probe does not. */
static void app_policy(const char *app, const char *listens) {
	char text[2048];

	snprintf(text, sizeof(text),
		 "runas-app = 1\nallow_users = deploy\nuser = ra_app\ndirectory = /srv/ra_app\ncommand = " WORLD_PROBE
		 " *\n"
		 "serve = " ATTEMPT " *\nserve = /usr/local/bin/served *\n%s",
		 listens);
	world_policy(app, text);
}

static void enter(void) {
	world_enter();
	server_enter_network();
	cr_assert(world_built("attempt") != NULL, "attempt is not built");
	world_copy(world_built("attempt"), ATTEMPT, 0755);
	world_copy(WORLD_PROBE, "/usr/local/bin/served", 0755);
	world_copy(WORLD_RUNAS, PLAIN, 0755);
}

struct way {
	const char *name, *program;
	const struct world_person *who;
};

static const struct way ways[] = {{"deploy", WORLD_RUNAS, &world_deploy}, {"root", WORLD_RUNAS, &world_root}};
static const struct way itself = {"the app user, without root", PLAIN, &world_app};

#define THREE "listen = tcp 127.0.0.1:80\nlisten = tcp [::1]:443\nlisten = tcp 0.0.0.0:8080\n"

static void expect_three(const struct world_run *run) {
	world_expect_value(run, "socket:3", "127.0.0.1 80 listening=1");
	world_expect_value(run, "socket:4", "::1 443 listening=1");
	world_expect_value(run, "socket:5", "0.0.0.0 8080 listening=1");
	for (int fd = 6; fd <= 9; fd++) {
		char key[32];
		snprintf(key, sizeof(key), "is-open:%d", fd);
		world_expect_value(run, key, "EBADF");
	}
	world_expect_value(run, "env:LISTEN_FDS", "3");
	world_expect_value(run, "env:LISTEN_FDNAMES", "80:443:8080");
	world_expect_value(run, "listen-pid", "mine");
	cr_expect(world_exited(run, 0), "%s", run->err);
}

#define LOOKS                                                                                                          \
	"socket:3", "socket:4", "socket:5", "is-open:6", "is-open:7", "is-open:8", "is-open:9", "env:LISTEN_FDS",      \
		"env:LISTEN_FDNAMES", "listen-pid"

Test(listen, sockets_come_in_order_and_without_a_capability) {
	enter();
	app_policy("app", THREE);
	for (size_t i = 0; i < COUNT(ways); i++) {
		expect_three(world_launch(ways[i].who, WORLD_LIST("app", "--", ATTEMPT, LOOKS)));
		struct world_run *run =
			world_launch(ways[i].who, WORLD_LIST("app", "--", "/usr/local/bin/served", "x"));
		world_expect_app(run);
		cr_expect(world_value(run, "fd_3") && strncmp(world_value(run, "fd_3"), "socket", 6) == 0, "%s",
			  run->out);
		cr_expect(world_env(run, "LISTEN_FDS") && strcmp(world_env(run, "LISTEN_FDS"), "3") == 0);
	}
}

static void expect_no_socket(const struct world_run *run) {
	world_expect_app(run);
	for (int fd = 3; fd <= 9; fd++) {
		char key[16];
		snprintf(key, sizeof(key), "fd_%d", fd);
		cr_expect(world_value(run, key) == NULL, "%s is %s", key, world_value(run, key));
	}
	cr_expect(strstr(run->out, "LISTEN_") == NULL, "%s", run->out);
}

static const char *lying_environment[] = {"PATH=/usr/bin", "LISTEN_FDS=6", "LISTEN_PID=1", "LISTEN_FDNAMES=a:b:c:d:e:f",
					  NULL};

/* LISTEN_PID is this process: as systemd says it, and as a caller may say it, too. */
static void open_three_to_eight(const void *data) {
	static char mine[32];

	(void)data;
	int fd = open("/etc/passwd", O_RDONLY);
	for (int to = 3; to <= 8; to++) {
		if (fd < 0 || (fd != to && dup2(fd, to) != to))
			_exit(WORLD_CHILD_BROKE);
	}
	snprintf(mine, sizeof(mine), "LISTEN_PID=%ld", (long)getpid());
	lying_environment[2] = mine;
}

Test(listen, what_a_caller_brings_does_not_get_in) {
	enter();
	app_policy("app", THREE "env_keep = *\n");
	struct world_run *direct = world_run(&(struct world_call){.who = &world_root,
								  .argv = WORLD_LIST(WORLD_PROBE),
								  .envp = lying_environment,
								  .as_caller = open_three_to_eight});
	cr_assert(world_value(direct, "fd_8") && world_env(direct, "LISTEN_FDS"), "the gift does not arrive");
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct world_call call = {.who = ways[i].who,
					  .program = WORLD_RUNAS,
					  .argv = WORLD_LIST("runas-app", "app", "--", ATTEMPT, LOOKS),
					  .envp = lying_environment,
					  .as_caller = open_three_to_eight};
		expect_three(world_run(&call));
		call.argv = WORLD_LIST("runas-app", "app", "--", WORLD_PROBE);
		expect_no_socket(world_run(&call));
	}
}

/* --- a connection --- */

static int connect_to(int port) {
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void expect_hello(int port) {
	char answer[32] = "";
	int fd = connect_to(port);

	cr_assert(fd >= 0, "nobody listens on %d: %s", port, strerror(errno));
	for (size_t length = 0; length < 6;) {
		ssize_t got = read(fd, answer + length, sizeof(answer) - 1 - length);
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	cr_expect(strcmp(answer, "hello\n") == 0, "`%s`", answer);
	cr_expect(read(fd, answer, 1) == 0, "the server closes first");
	close(fd);
}

/* Sockets of this network on this local port in this state, as /proc/net/tcp numbers them: 6 TIME_WAIT, 10 listening. */
static int count_sockets(int port, unsigned state) {
	char *table = world_read("/proc/thread-self/net/tcp");
	int count = 0;

	cr_assert(table);
	for (char *line = table; (line = strchr(line, '\n')); line++) {
		unsigned local, here;
		if (sscanf(line, " %*u: %*x:%x %*x:%*x %x", &local, &here) == 2 && local == (unsigned)port &&
		    here == state)
			count++;
	}
	free(table);
	return count;
}

static struct world_run *start_server(const struct world_person *who) {
	struct world_run *run = world_start(&(struct world_call){
		.who = who,
		.program = WORLD_RUNAS,
		.argv = WORLD_LIST("runas-app", "app", "--", ATTEMPT, "pid", "serve:3", "serve:3", "serve:3")});
	world_collect(run, "pid: ", 10);
	return run;
}

Test(listen, it_serves_and_may_be_started_again_at_once) {
	enter();
	app_policy("app", "listen = tcp 127.0.0.1:80\n");
	for (int round = 1; round <= 3; round++) {
		struct world_run *run = start_server(ways[round % 2].who);
		for (int connection = 0; connection < 3; connection++)
			expect_hello(80);
		world_wait(run, 10);
		cr_expect(world_exited(run, 0), "%s", run->err);
		/* Without these, an address that is still in use would not be tried. */
		cr_assert(count_sockets(80, 6) >= 3 && count_sockets(80, 10) == 0, "%d", count_sockets(80, 6));
	}
}

Test(listen, other_commands_neither_bind_nor_fail_while_it_serves) {
	enter();
	app_policy("app", "listen = tcp 127.0.0.1:80\n");
	expect_no_socket(world_launch(&world_deploy, WORLD_LIST("app", "--", WORLD_PROBE)));
	struct world_run *server = start_server(&world_deploy);
	for (size_t i = 0; i < COUNT(ways); i++)
		expect_no_socket(world_launch(ways[i].who, WORLD_LIST("app", "--", WORLD_PROBE)));
	cr_expect(count_sockets(80, 10) == 1);
	for (int connection = 0; connection < 3; connection++)
		expect_hello(80);
	world_wait(server, 10);
}

/* --- refusals --- */

static void expect_refused(const struct world_run *run, const char *object, const char *hint) {
	world_expect_refused(run, 125, "[listen]");
	cr_expect(strstr(run->err, object) != NULL, "no `%s`: %s", object, run->err);
	const char *told = strstr(run->err, "hint: ");
	cr_expect(told && strstr(told, hint), "no `%s`: %s", hint, run->err);
	/* One line, and it does not say that anything was allowed. */
	size_t records = world_log();
	cr_expect(records == 1, "%zu records", records);
	cr_expect(strstr(world_log_line(0), "decision=refuse word=listen") != NULL, "%s", world_log_line(0));
}

Test(listen, an_address_in_use_or_not_there_is_named) {
	enter();
	app_policy("app", "listen = tcp 127.0.0.1:8080\nlisten = tcp 127.0.0.1:80\n");
	app_policy("absent", "listen = tcp 127.0.0.1:8081\nlisten = tcp 203.0.113.7:80\n");
	struct world_run *taken =
		world_start(&(struct world_call){.who = &world_root, .argv = WORLD_LIST(ATTEMPT, "listen:80", "wait")});
	world_collect(taken, "listen:80: ok", 10);
	for (size_t i = 0; i < COUNT(ways); i++) {
		world_log();
		expect_refused(world_launch(ways[i].who, WORLD_LIST("app", "--", ATTEMPT, "socket:3")),
			       "tcp 127.0.0.1:80: ", "ss -ltnp");
		expect_refused(world_launch(ways[i].who, WORLD_LIST("absent", "--", ATTEMPT, "socket:3")),
			       "tcp 203.0.113.7:80: ", "no interface");
		/* What was bound before the refusal is free again. */
		cr_expect(count_sockets(8080, 10) == 0 && count_sockets(8081, 10) == 0);
	}
	kill(taken->pid, SIGKILL);
	world_wait(taken, 5);
	expect_three((app_policy("app", THREE), world_launch(&world_deploy, WORLD_LIST("app", "--", ATTEMPT, LOOKS))));
}

static void drop_bind(const void *data) {
	(void)data;
	if (prctl(PR_CAPBSET_DROP, (unsigned long)CAP_NET_BIND, 0L, 0L, 0L) != 0)
		_exit(WORLD_CHILD_BROKE);
}

Test(listen, without_the_capability_low_ports_are_refused_and_the_capability_named) {
	enter();
	app_policy("app", "listen = tcp 127.0.0.1:80\n");
	app_policy("high", "listen = tcp 127.0.0.1:8080\n");
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct world_call call = {.who = ways[i].who,
					  .program = WORLD_RUNAS,
					  .argv = WORLD_LIST("runas-app", "app", "--", ATTEMPT, "socket:3"),
					  .as_root = drop_bind};
		world_log();
		expect_refused(world_run(&call), "tcp 127.0.0.1:80: ", "NET_BIND_SERVICE");
		call.argv = WORLD_LIST("runas-app", "high", "--", ATTEMPT, "socket:3");
		world_expect_value(world_run(&call), "socket:3", "127.0.0.1 8080 listening=1");
	}
}

Test(listen, the_app_user_itself_binds_what_anybody_may) {
	enter();
	app_policy("app", "listen = tcp 127.0.0.1:80\n");
	app_policy("high", "listen = tcp 127.0.0.1:8080\n");
	struct world_call call = {
		.who = itself.who,
		.program = itself.program,
		.argv = WORLD_LIST("runas-app", "high", "--", ATTEMPT, "socket:3", "env:LISTEN_FDS", "listen-pid")};
	struct world_run *run = world_run(&call);
	world_expect_value(run, "socket:3", "127.0.0.1 8080 listening=1");
	world_expect_value(run, "env:LISTEN_FDS", "1");
	world_expect_value(run, "listen-pid", "mine");
	call.argv = WORLD_LIST("runas-app", "app", "--", ATTEMPT, "socket:3");
	world_log();
	expect_refused(world_run(&call), "tcp 127.0.0.1:80: ", "CAP_NET_BIND_SERVICE");
	/* Of this network namespace only. */
	int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY);
	cr_assert(fd >= 0 && write(fd, "80", 2) == 2);
	close(fd);
	world_expect_value(world_run(&call), "socket:3", "127.0.0.1 80 listening=1");
}

Test(listen, in_a_container_it_takes_the_bind_capability) {
	static const char policy[] =
		"runas-app = 1\nuser = ra_app\nserve = /usr/local/bin/probe *\nlisten = tcp 0.0.0.0:80\n";
	struct container c = {
		.user = CONTAINER_AS_ROOT, .capabilities = CONTAINER_FOURTEEN, .is_root = true, .app = "app"};

	container_enter();
	container_policy("app", policy);
	struct world_run *run = container_run(&c);
	world_expect_app(run);
	cr_expect(world_value(run, "fd_3") && strncmp(world_value(run, "fd_3"), "socket", 6) == 0, "%s", run->out);
	c.capabilities = "CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_CHOWN";
	run = container_run(&c);
	world_expect_refused(run, 125, "[listen]");
	cr_expect(strstr(run->err, "--cap-add=NET_BIND_SERVICE") != NULL, "%s", run->err);
	c.user = CONTAINER_AS_APP;
	c.is_root = false;
	run = container_run(&c);
	world_expect_refused(run, 125, "[listen]");
}

/* --- a caller that would rather have the port than the server --- */

static int signal_as(const struct world_person *who, pid_t victim) {
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		steps_become(who);
		_exit(kill(victim, SIGSTOP) == 0 ? 0 : errno);
	}
	cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(listen, nobody_can_stop_a_launch_that_has_bound) {
	int stop = 0, bound = 0, unbound = 0;

	enter();
	app_policy("app", "listen = tcp 127.0.0.1:80\n");
	for (pid_t child; (child = steps_to(&world_deploy, WORLD_LIST("runas-app", "app", "--", ATTEMPT, "wait"), NULL,
					    stop, true)) != 0;
	     stop++) {
		steps_leave_standing(child);
		if (count_sockets(80, 10) > 0) {
			int answer = signal_as(&world_deploy, child);
			cr_expect(answer == EPERM, "stop %d: the caller's signal: %s", stop, strerror(answer));
			bound++;
		} else {
			unbound++;
		}
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	cr_expect(bound > 20 && unbound > 20, "%d stops with a socket, %d without: this proves little", bound, unbound);
}
