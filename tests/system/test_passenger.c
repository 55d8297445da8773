/* SPDX-License-Identifier: ISC */
/* The main job: an unprivileged deployer starts, asks and stops a real Passenger that serves a real Rack app as its user. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "recipe.h"
#include "server.h"
#include "world.h"

TestSuite(passenger, .timeout = 120);

#define APP "rails-app"
#define PORT "3123"
#define PORT_NUMBER 3123
#define LOG "log/passenger.log"

static char home[512]; /* where the policy starts the app: Capistrano's `current`, a link */
static char pid_file[600];
static char *policy;

/* --- the machine --- */

static void make_below(const char *path) {
	char part[600];

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", slash ? (int)(slash - path) : (int)strlen(path), path);
		if (access(part, F_OK) != 0)
			world_directory(part, WORLD_RAILS, WORLD_RAILS, 0750);
		if (!slash)
			break;
	}
}

static void make_app(void) {
	static const char *const directories[] = {"", "/log", "/tmp", "/tmp/pids", "/public"};
	char release[600], path[640];

	const char *slash = strrchr(home, '/');
	snprintf(release, sizeof(release), "%.*s/releases/1", (int)(slash - home), home);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", release, directories[i]);
		make_below(path);
	}
	cr_assert(symlink("releases/1", home) == 0, "%s: %s", home, strerror(errno));
	snprintf(pid_file, sizeof(pid_file), "%s/tmp/pids/passenger.pid", home);
	snprintf(path, sizeof(path), "%s/config.ru", home);
	/* The app shows itself: /probe is what a child of the worker inherits, everything else writes a log as Rails does. */
	world_file(path, WORLD_RAILS, WORLD_RAILS, 0640,
		   "require 'rack'\n"
		   "run(lambda do |env|\n"
		   "  if env['PATH_INFO'] == '/probe'\n"
		   "    [200, { 'Content-Type' => 'text/plain' }, [IO.popen(['" WORLD_PROBE "'], &:read)]]\n"
		   "  else\n"
		   "    File.open('log/production.log', 'a') { |f| f.puts env['PATH_INFO'] }\n"
		   "    [200, { 'Content-Type' => 'text/plain' }, [\"hello from #{Process.uid}\\n\"]]\n"
		   "  end\n"
		   "end)\n");
}

static void enter(void) {
	policy = recipe_read("rails-app.conf");
	world_enter();
	server_needs("/usr/bin/passenger");
	server_enter_network();
	world_policy(APP, policy);

	const char *directory = NULL;
	for (const char *line = policy; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, "directory = ", 12) == 0)
			directory = line + 12;
	}
	snprintf(home, sizeof(home), "%.*s", directory ? (int)strcspn(directory, "\n") : 10,
		 directory ? directory : "/srv/rails");
	cr_assert(strncmp(home, "/srv/", 5) == 0, "the example starts in %s, not below /srv", home);
	make_app();
}

/* --- Passenger's processes: all that live in this network namespace --- */

/* What the policy says, as /proc shows it. */
struct expected {
	char groups[128], mask[16], filters[16];
};

static struct expected read_expectations(void) {
	struct expected expected = {.groups = "4005", .mask = "0027"};
	struct world_run *plain = world_probe_directly(&world_deploy, NULL, NULL);

	for (const char *line = policy; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, "umask = ", 8) == 0)
			snprintf(expected.mask, sizeof(expected.mask), "%s%.*s",
				 strcspn(line + 8, "\n") == 3 ? "0" : "", (int)strcspn(line + 8, "\n"), line + 8);
		cr_assert(strncmp(line, "groups = ", 9) != 0 || strncmp(line, "groups = rails\n", 15) == 0,
			  "the example now has other groups: teach this test their numbers");
	}
	snprintf(expected.filters, sizeof(expected.filters), "%d", atoi(world_value(plain, "seccomp_filters")) + 1);
	return expected;
}

static void expect_all_confined(const struct expected *expected) {
	const struct server_fact facts[] = {{"Uid", "4005 4005 4005 4005"},
					    {"Gid", "4005 4005 4005 4005"},
					    {"Groups", expected->groups},
					    {"Umask", expected->mask},
					    SERVER_CONFINED,
					    {"Seccomp_filters", expected->filters},
					    {NULL, NULL}};
	const size_t seen = server_expect_each(NULL, facts);

	cr_expect(seen >= 4, "%zu processes only: launcher's successor, watchdog, core and app are four", seen);
}

/* --- the deployer --- */

static void expect_answer(const char *answer) {
	cr_assert(answer, "no answer");
	cr_assert(strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, " 200", 4) == 0, "%s", answer);
	cr_expect(strstr(answer, "hello from 4005"), "%s", answer);
}

static struct world_run *start_passenger(void) {
	struct world_run *run = world_start(&(struct world_call){
		.who = &world_deploy,
		.program = WORLD_RUNAS,
		.argv = WORLD_LIST("runas-app", APP, "--", "passenger", "start", "--engine=builtin", "--address",
				   "127.0.0.1", "--port", PORT, "--environment", "production", "--max-pool-size", "1",
				   "--no-install-runtime", "--no-compile-runtime", "--disable-security-update-check",
				   "--disable-anonymous-telemetry", "--log-file", LOG, "--pid-file", pid_file),
		.directory = "/home/deploy"});
	long limit = server_now() + 40000;
	char *answer = NULL;

	while (server_now() < limit && !(answer = server_ask(PORT_NUMBER, "/"))) {
		if (world_ended(run)) {
			world_wait(run, 1);
			char path[600];
			snprintf(path, sizeof(path), "%s/" LOG, home);
			cr_assert_fail("passenger ended: status %#x\n%s%s\n%s", (unsigned)run->status, run->out,
				       run->err, world_read(path));
		}
		usleep(100000);
	}
	expect_answer(answer);
	return run;
}

Test(passenger, serves_a_rack_app_as_its_user_and_stops_for_the_deployer) {
	char path[600];
	struct stat facts;

	enter();
	struct expected expected = read_expectations();
	struct world_run *run = start_passenger();
	expect_all_confined(&expected);

	const char *shown = strdup(server_ask(PORT_NUMBER, "/probe"));
	cr_expect(strcmp(world_value_in(shown, "ruid"), "4005") == 0, "%s", shown);
	cr_expect(strcmp(world_value_in(shown, "securebits"), "0xEB") == 0, "securebits %s",
		  world_value_in(shown, "securebits"));
	cr_expect(strcmp(world_value_in(shown, "cap_bounding"), "0000000000000000") == 0);
	cr_expect(strcmp(world_value_in(shown, "cap_ambient"), "0000000000000000") == 0);
	cr_expect(strcmp(world_value_in(shown, "no_new_privs"), "1") == 0);
	cr_expect(strcmp(world_value_in(shown, "seccomp_filters"), expected.filters) == 0);
	expect_all_confined(&expected);

	/* What it writes is the app's, with the policy's umask. */
	static const char *const logs[] = {"log/production.log", LOG};
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", home, logs[i]);
		cr_assert(stat(path, &facts) == 0, "%s", path);
		cr_expect(facts.st_uid == WORLD_RAILS && facts.st_gid == WORLD_RAILS, "%s belongs to %u:%u", path,
			  facts.st_uid, facts.st_gid);
		cr_expect((facts.st_mode & (mode_t)strtol(expected.mask, NULL, 8)) == 0, "%s has mode %o", path,
			  facts.st_mode & 07777);
	}

	/* The deployer cannot simply kill it, and does not need to. */
	struct world_run *stop =
		recipe_run_as_deployer(WORLD_LIST("runas-app", APP, "--", "passenger", "stop", "--pid-file", pid_file));
	cr_expect(world_exited(stop, 0), "passenger stop: %s%s", stop->out, stop->err);
	world_wait(run, 20);
	cr_expect(!run->timed_out, "passenger did not end");
	server_expect_gone("passenger stop");
}

/* The very lines of the example's first comment. */
static void expect_daemon(void) {
	struct expected expected = read_expectations();
	struct world_run *run = recipe_run_as_deployer(
		WORLD_LIST("runas-app", APP, "--", "passenger", "start", "--daemonize", "--port", PORT));
	cr_assert(world_exited(run, 0), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
	expect_answer(server_ask(PORT_NUMBER, "/"));
	expect_all_confined(&expected);

	run = recipe_run_as_deployer(WORLD_LIST("runas-app", APP, "--", "passenger", "status", "--port", PORT));
	cr_expect(world_exited(run, 0) && strstr(run->out, "running"), "status %#x: %s%s", (unsigned)run->status,
		  run->out, run->err);
	run = recipe_run_as_deployer(
		WORLD_LIST("runas-app", APP, "--", "passenger-config", "restart-app", "/srv/rails-app"));
	cr_expect(world_exited(run, 0), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
	expect_answer(server_ask(PORT_NUMBER, "/"));
	expect_all_confined(&expected);

	run = recipe_run_as_deployer(WORLD_LIST("runas-app", APP, "--", "passenger", "stop", "--port", PORT));
	cr_expect(world_exited(run, 0), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
	server_expect_gone("passenger stop");
}

Test(passenger, runs_as_a_daemon_that_the_deployer_asks_restarts_and_stops) {
	enter();
	expect_daemon();
}

/* The same policy, where the app may write nothing but its logs and temporary files, the pid file among them. */
Test(passenger, runs_as_a_daemon_under_a_write_list) {
	static const char write[] = "write = /srv/rails-app/current/log\ntmp = /srv/rails-app/current/tmp\n";
	char text[16384];

	enter();
	if (world_landlock_abi() < 2)
		SKIP("this kernel has no Landlock for `write` (ABI 2)");
	snprintf(text, sizeof(text), "%s%s", policy, write);
	world_policy(APP, text);
	expect_daemon();
}

Test(passenger, ends_on_the_sigterm_of_a_supervisor) {
	enter();
	struct world_run *run = start_passenger();
	/* The same process: what supervisord or systemd would signal. */
	cr_assert(kill(run->pid, SIGTERM) == 0);
	world_wait(run, 20);
	cr_expect(!run->timed_out, "passenger did not end");
	server_expect_gone("SIGTERM");
}

Test(passenger, refuses_other_commands_of_the_deployer) {
	enter();
	static const char *const commands[] = {"/bin/sh", "/usr/bin/ruby", "/usr/bin/id", "bash"};
	for (size_t i = 0; i < 4; i++) {
		struct world_run *run = world_launch(&world_deploy, WORLD_LIST(APP, "--", commands[i]));
		world_expect_refused(run, 126, "[");
	}
	world_expect_refused(world_launch(&world_other, WORLD_LIST(APP, "--", "passenger", "status")), 126,
			     "[not-permitted]");
}
