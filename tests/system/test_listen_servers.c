/* SPDX-License-Identifier: ISC */
/* Real servers on ports below 1024 without a single capability, and everything else under the same policy beside them. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "server.h"
#include "world.h"

TestSuite(listen_servers, .timeout = 120);

#define HOME "/srv/ra_app"
#define SERVE_GUNICORN "serve = /usr/bin/gunicorn app:app *\n"
#define GUNICORN WORLD_LIST("runas-app", "app", "--", "gunicorn", "app:app", "--workers", "1")

static const int ports[] = {80, 443};

/* clang-format off */
static const char policy_head[] =
	"runas-app = 1\n"
	"allow_users = deploy\n"
	"user = ra_app\n"
	"directory = " HOME "\n"
	"listen = tcp 127.0.0.1:80\n"
	"listen = tcp 127.0.0.1:443\n"
	"command = /usr/bin/python3 manage.py {word}\n"
	"command = /usr/bin/python3 -i\n"
	"command = /usr/bin/kill {-HUP|-USR2|-TERM} {int}\n";

static const char python_app[] =
	"import os\n"
	"def app(environ, start):\n"
	"    start('200 OK', [('Content-Type', 'text/plain')])\n"
	"    return [('hello from %d\\nworker: %d\\nmaster: %d\\n' % (os.getuid(), os.getpid(), os.getppid())).encode()]\n";

/* gunicorn 20.1 tells the master that USR2 starts that its sockets begin at 3; this makes it true. */
static const char gunicorn_configuration[] =
	"import fcntl, os\n"
	"def pre_exec(server):\n"
	"    spare = [fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD, 64) for listener in server.LISTENERS]\n"
	"    for number, descriptor in enumerate(spare, 3):\n"
	"        os.dup2(descriptor, number)\n";

static const char ruby_app[] =
	"booted = Process.clock_gettime(Process::CLOCK_MONOTONIC)\n"
	"run(lambda do |env|\n"
	"  [200, { 'Content-Type' => 'text/plain' },\n"
	"   [\"hello from #{Process.uid}\\nworker: #{Process.pid}\\nmaster: #{Process.ppid}\\nbooted: #{booted}\\n\"]]\n"
	"end)\n";

/* What a stand-in for `migrate` sees; the sockets in state 0A (listening) are all of this network. */
static const char manage[] =
	"import os, socket, sys\n"
	"def is_open(number):\n"
	"    try: os.fstat(number)\n"
	"    except OSError: return False\n"
	"    return True\n"
	"with open('/proc/self/net/tcp') as file: states = [line.split()[3] for line in file]\n"
	"print('did:', sys.argv[1:])\n"
	"print('descriptors:', [number for number in range(3, 64) if is_open(number)])\n"
	"print('environment:', [name for name in os.environ if name.startswith('LISTEN')])\n"
	"print('listening:', states.count('0A'))\n"
	"for number in range(3, 5) if 'sockets' in sys.argv else ():\n"
	"    given = socket.socket(fileno=number)\n"
	"    print('%d:' % number, given.getsockname(),\n"
	"        'listening' if given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) else 'idle',\n"
	"        'blocking' if os.get_blocking(number) else 'non-blocking')\n";

static const char fpm_configuration[] =
	"[global]\n"
	"daemonize = no\n"
	"error_log = " HOME "/fpm.log\n"
	"[web]\n"
	"listen = 127.0.0.1:80\n"
	"pm = static\n"
	"pm.max_children = 1\n"
	"[other]\n"
	"listen = 127.0.0.1:443\n"
	"pm = static\n"
	"pm.max_children = 1\n";
/* clang-format on */

static void enter(const char *program, const char *more) {
	char text[2048];

	world_enter();
	server_needs(program);
	server_enter_network();
	world_file(HOME "/app.py", WORLD_APP, WORLD_APP, 0640, python_app);
	world_file(HOME "/manage.py", WORLD_APP, WORLD_APP, 0640, manage);
	world_file(HOME "/config.ru", WORLD_APP, WORLD_APP, 0640, ruby_app);
	snprintf(text, sizeof(text), "%s%s", policy_head, more);
	world_policy("app", text);
}

static struct world_run *start(const char *const *argv) {
	return world_start(&(struct world_call){
		.who = &world_deploy, .program = WORLD_RUNAS, .argv = argv, .directory = "/home/deploy"});
}

/* Both ports answer, as the app's user; returns one line of the last answer as a number. */
static double expect_serving(struct world_run *run, const char *key) {
	const char *value = NULL;

	for (size_t i = 0; i < 2; i++) {
		const char *answer = server_first_answer(run, ports[i], "/");
		cr_assert(strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, " 200", 4) == 0, "port %d: %s",
			  ports[i], answer);
		cr_assert(strstr(answer, "hello from 4002\n"), "port %d: %s", ports[i], answer);
		value = world_value_in(answer, key);
		cr_assert(value, "port %d: no %s in %s", ports[i], key, answer);
	}
	return atof(value);
}

static double expect_changed(const char *key, double from, struct world_run *run) {
	long limit = server_now() + 20000;
	double now;

	while ((now = expect_serving(run, key)) == from && server_now() < limit)
		usleep(20000);
	cr_assert(now != from, "%s is still %f", key, from);
	return now;
}

static void signal_through_the_policy(const char *signal, pid_t pid) {
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	struct world_run *run = world_launch(&world_deploy, WORLD_LIST("app", "--", "kill", signal, number));
	cr_assert(world_exited(run, 0), "kill %s %s: %s", signal, number, run->err);
}

static void expect_no_socket(const struct world_run *run, const char *listening) {
	cr_assert(world_exited(run, 0), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
	world_expect_value(run, "descriptors", "[]");
	world_expect_value(run, "environment", "[]");
	world_expect_value(run, "listening", listening);
}

/* --- what the server gets --- */

Test(listen_servers, sockets_arrive_from_3_on_in_the_order_of_the_policy) {
	enter(WORLD_PROBE, "serve = " WORLD_PROBE "\nserve = /usr/bin/python3 manage.py sockets\n");
	struct world_run *run = world_launch(&world_deploy, WORLD_LIST("app", "--", "probe"));

	world_expect_app(run);
	cr_assert(world_env(run, "LISTEN_FDS") && world_env(run, "LISTEN_PID") && world_env(run, "LISTEN_FDNAMES"),
		  "%s", run->out);
	cr_expect(strcmp(world_env(run, "LISTEN_FDS"), "2") == 0, "%s", world_env(run, "LISTEN_FDS"));
	cr_expect(atoi(world_env(run, "LISTEN_PID")) == run->pid, "%s", world_env(run, "LISTEN_PID"));
	cr_expect(strcmp(world_env(run, "LISTEN_FDNAMES"), "80:443") == 0, "%s", world_env(run, "LISTEN_FDNAMES"));
	cr_expect(world_value(run, "fd_3") && world_value(run, "fd_4"), "%s", run->out);
	cr_expect(world_value(run, "fd_5") == NULL, "%s", world_value(run, "fd_5"));

	run = world_launch(&world_deploy, WORLD_LIST("app", "--", "python3", "manage.py", "sockets"));
	cr_assert(world_exited(run, 0), "%s", run->err);
	world_expect_value(run, "3", "('127.0.0.1', 80) listening blocking");
	world_expect_value(run, "4", "('127.0.0.1', 443) listening blocking");
}

Test(listen_servers, gunicorn_serves_both_ports_without_a_capability) {
	enter("/usr/bin/gunicorn", SERVE_GUNICORN);
	struct world_run *run = start(GUNICORN);

	cr_expect(expect_serving(run, "master") == run->pid);
	server_expect_powerless(WORLD_APP, 2);
	server_stop(run, SIGTERM);
}

Test(listen_servers, puma_serves_both_ports_without_a_capability) {
	enter("/usr/bin/puma", "serve = /usr/bin/puma --bind tcp://127.0.0.1:80 --bind tcp://127.0.0.1:443\n");
	struct world_run *run = start(WORLD_LIST("runas-app", "app", "--", "puma", "--bind", "tcp://127.0.0.1:80",
						 "--bind", "tcp://127.0.0.1:443"));

	cr_expect(expect_serving(run, "worker") == run->pid);
	server_expect_powerless(WORLD_APP, 1);
	/* A hot restart: the same process executes puma again. */
	double booted = expect_serving(run, "booted");
	signal_through_the_policy("-USR2", run->pid);
	expect_changed("booted", booted, run);
	cr_expect(expect_serving(run, "worker") == run->pid);
	server_expect_powerless(WORLD_APP, 1);
	server_stop(run, SIGTERM);
}

Test(listen_servers, puma_serves_the_activated_sockets_only_if_told_so) {
	enter("/usr/bin/puma", "serve = /usr/bin/puma --bind-to-activated-sockets only\n");
	struct world_run *run =
		start(WORLD_LIST("runas-app", "app", "--", "puma", "--bind-to-activated-sockets", "only"));

	cr_expect(expect_serving(run, "worker") == run->pid);
	server_stop(run, SIGTERM);
}

Test(listen_servers, unicorn_serves_both_ports_without_a_capability) {
	enter("/usr/bin/unicorn", "serve = /usr/bin/unicorn\n");
	struct world_run *run = start(WORLD_LIST("runas-app", "app", "--", "unicorn"));

	cr_expect(expect_serving(run, "master") == run->pid);
	server_expect_powerless(WORLD_APP, 2);
	server_stop(run, SIGTERM);
}

#define FPM_SCRIPT "<?php echo 'hello from ', posix_getuid(), \"\\nworker: \", getmypid(), \"\\n\";\n"

/* A worker that a reload ends answers nothing. */
static double ask_worker(int port) {
	const char *answer = server_ask_fastcgi_port(port, HOME "/index.php");
	const char *worker = answer && strstr(answer, "hello from 4002\n") ? world_value_in(answer, "worker") : NULL;

	return worker ? atof(worker) : 0;
}

/* Both ports answer, each from another worker than in `workers`, where they are noted. */
static void expect_new_workers(struct world_run *run, double workers[2]) {
	long limit = server_now() + 20000;

	for (size_t i = 0; i < 2; i++) {
		double worker = ask_worker(ports[i]);
		while ((worker == 0 || worker == workers[i]) && !world_ended(run) && server_now() < limit) {
			usleep(20000);
			worker = ask_worker(ports[i]);
		}
		cr_assert(worker != 0 && worker != workers[i], "port %d: worker %f\n%s%s", ports[i], worker, run->err,
			  world_read(HOME "/fpm.log"));
		workers[i] = worker;
	}
}

Test(listen_servers, php_fpm_serves_both_ports_without_a_capability) {
	enter("/usr/sbin/php-fpm8.2", "serve = /usr/sbin/php-fpm8.2 --nodaemonize --fpm-config " HOME "/fpm.conf\n"
				      /* A reload looks for the name that was typed in PATH. */
				      "path = /usr/local/bin:/usr/bin:/bin:/usr/sbin\n"
				      "env = FPM_SOCKETS=127.0.0.1:80=3,127.0.0.1:443=4\n");
	world_file(HOME "/fpm.conf", WORLD_APP, WORLD_APP, 0640, fpm_configuration);
	world_file(HOME "/index.php", WORLD_APP, WORLD_APP, 0640, FPM_SCRIPT);
	struct world_run *run = start(
		WORLD_LIST("runas-app", "app", "--", "php-fpm8.2", "--nodaemonize", "--fpm-config", HOME "/fpm.conf"));

	double workers[2] = {0};

	expect_new_workers(run, workers);
	server_expect_powerless(WORLD_APP, 3);
	signal_through_the_policy("-USR2", run->pid);
	expect_new_workers(run, workers);
	server_expect_powerless(WORLD_APP, 3);
	server_stop(run, SIGQUIT);
}

/* --- restarts --- */

static bool has_time_wait(void) {
	/* local port 80, state TIME_WAIT */
	const char *table = world_read("/proc/thread-self/net/tcp");

	for (const char *line = table; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		unsigned slot, address, port, remote, remote_port, state;
		if (sscanf(line, " %u: %x:%x %x:%x %x", &slot, &address, &port, &remote, &remote_port, &state) == 6 &&
		    port == 80 && state == 6)
			return true;
	}
	return false;
}

Test(listen_servers, a_restart_need_not_wait_for_old_connections) {
	enter("/usr/bin/gunicorn", SERVE_GUNICORN);
	for (int round = 0; round < 3; round++) {
		struct world_run *run = start(GUNICORN);
		expect_serving(run, "worker");
		server_stop(run, SIGTERM);
		cr_expect(has_time_wait(), "nothing is in TIME_WAIT: this shows nothing");
	}
}

Test(listen_servers, gunicorn_keeps_its_sockets_over_hup) {
	enter("/usr/bin/gunicorn", SERVE_GUNICORN);
	struct world_run *run = start(GUNICORN);
	double worker = expect_serving(run, "worker");

	signal_through_the_policy("-HUP", run->pid);
	expect_changed("worker", worker, run);
	cr_expect(expect_serving(run, "master") == run->pid);
	server_expect_powerless(WORLD_APP, 2);
	server_stop(run, SIGTERM);
}

Test(listen_servers, gunicorn_hands_its_sockets_to_a_new_master_over_usr2) {
	enter("/usr/bin/gunicorn", SERVE_GUNICORN);
	world_file(HOME "/gunicorn.conf.py", WORLD_APP, WORLD_APP, 0640, gunicorn_configuration);
	struct world_run *run = start(GUNICORN);
	double master = expect_serving(run, "master");

	signal_through_the_policy("-USR2", run->pid);
	/* Both serve now; once the old one is gone, only the new one does. */
	pid_t pids[16];
	long limit = server_now() + 10000;
	while (server_processes(pids, 16) < 4 && server_now() < limit)
		usleep(20000);
	cr_assert(server_processes(pids, 16) == 4, "%s", run->err);
	signal_through_the_policy("-TERM", run->pid);
	world_wait(run, 20);
	cr_assert(!run->timed_out);
	for (size_t i = 0; i < 2; i++) {
		const char *answer = server_ask(ports[i], "/");
		cr_assert(answer && strstr(answer, "hello from 4002\n"), "port %d: %s\n%s", ports[i],
			  answer ? answer : "refused", run->err);
		cr_expect(atof(world_value_in(answer, "master")) != master, "the old master still serves");
	}
	server_expect_powerless(WORLD_APP, 2);
	signal_through_the_policy("-TERM", atoi(world_value_in(server_ask(80, "/"), "master")));
	server_expect_gone("kill -TERM");
}

/* --- beside the server --- */

static void expect_no_socket_for_others(const char *listening) {
	/* A user's crontab, and root's. */
	static const char *const cron_environment[] = {"PATH=/usr/bin:/bin", "SHELL=/bin/sh", "HOME=/root",
						       "LOGNAME=root", NULL};

	struct world_run *run = world_launch(&world_deploy, WORLD_LIST("app", "--", "python3", "manage.py", "migrate"));
	expect_no_socket(run, listening);
	world_expect_value(run, "did", "['migrate']");
	run = world_run(&(struct world_call){
		.who = &world_root,
		.program = WORLD_RUNAS,
		.argv = WORLD_LIST("runas-app", "app", "--", "/usr/bin/python3", "manage.py", "clearsessions"),
		.envp = cron_environment});
	expect_no_socket(run, listening);
	world_expect_value(run, "did", "['clearsessions']");
	/* A console; its input is /dev/null, so it ends at once. */
	run = world_launch(&world_deploy, WORLD_LIST("app", "--", "python3", "-i"));
	cr_expect(world_exited(run, 0), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
}

Test(listen_servers, other_commands_of_the_policy_bind_nothing) {
	enter("/usr/bin/gunicorn", SERVE_GUNICORN);
	expect_no_socket_for_others("0");
}

Test(listen_servers, other_commands_of_the_policy_run_while_it_serves) {
	enter("/usr/bin/gunicorn", SERVE_GUNICORN);
	struct world_run *run = start(GUNICORN);

	double worker = expect_serving(run, "worker");
	expect_no_socket_for_others("2");
	cr_expect(expect_serving(run, "worker") == worker, "they disturbed the server");
	server_stop(run, SIGTERM);
}

static void expect_in_use(const char *where) {
	struct world_run *run = start(GUNICORN);

	world_wait(run, 10);
	world_expect_refused(run, 125, "[listen]");
	cr_expect(strstr(run->err, where), "%s", run->err);
	cr_expect(strstr(run->err, "Address in use") || strstr(run->err, "Address already in use"), "%s", run->err);
	cr_expect(strstr(run->err, "\nhint: "), "%s", run->err);
}

Test(listen_servers, a_second_start_is_refused_and_the_first_goes_on) {
	enter("/usr/bin/gunicorn", SERVE_GUNICORN);
	struct world_run *run = start(GUNICORN);

	double worker = expect_serving(run, "worker");
	expect_in_use("runas-app: app: tcp 127.0.0.1:80: ");
	cr_expect(expect_serving(run, "worker") == worker);
	server_stop(run, SIGTERM);
}

/* The second of the sockets fails, and the first one is not left behind. */
Test(listen_servers, the_address_that_is_in_use_is_named) {
	enter("/usr/bin/gunicorn", SERVE_GUNICORN);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(443)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0);
	expect_in_use("runas-app: app: tcp 127.0.0.1:443: ");
	cr_expect(server_ask(80, "/") == NULL);
	close(fd);
	struct world_run *run = start(GUNICORN);
	expect_serving(run, "worker");
	server_stop(run, SIGTERM);
}

/* --- wrappers --- */

#define SCRIPT(last) "#!/bin/sh\n" last "\n"

static struct world_run *start_script(const char *text) {
	enter("/usr/bin/gunicorn", "serve = " HOME "/bin/serve\n");
	world_directory(HOME "/bin", WORLD_APP, WORLD_APP, 0750);
	world_file(HOME "/bin/serve", WORLD_APP, WORLD_APP, 0750, text);
	return start(WORLD_LIST("runas-app", "app", "--", "bin/serve"));
}

Test(listen_servers, a_wrapper_that_execs_keeps_the_sockets) {
	struct world_run *run = start_script(SCRIPT("exec gunicorn app:app --workers 1"));

	cr_expect(expect_serving(run, "master") == run->pid);
	server_stop(run, SIGTERM);
}

/* As `npm start` does: LISTEN_PID is the wrapper's, so the server listens where it does without sockets. */
Test(listen_servers, a_wrapper_that_forks_loses_them) {
	struct world_run *run = start_script(SCRIPT("gunicorn app:app --workers 1 --bind 127.0.0.1:8000; exit"));

	const char *answer = server_first_answer(run, 8000, "/");
	int master = atoi(world_value_in(answer, "master"));
	cr_expect(master != run->pid);
	signal_through_the_policy("-TERM", master);
	world_wait(run, 20);
	server_expect_gone("kill -TERM");
}

/* Where a wrapper cannot be helped, the shell can say who the server is. */
Test(listen_servers, a_wrapper_that_forks_can_name_the_server) {
	struct world_run *run =
		start_script(SCRIPT("(LISTEN_PID=$(exec sh -c 'echo $PPID') exec gunicorn app:app --workers 1); exit"));

	int master = (int)expect_serving(run, "master");
	cr_expect(master != run->pid);
	signal_through_the_policy("-TERM", master);
	world_wait(run, 20);
	server_expect_gone("kill -TERM");
}
