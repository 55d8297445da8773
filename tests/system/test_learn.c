/* SPDX-License-Identifier: ISC */
/* runas-policy learn: what it finds, pasted into profile and policy, makes the very same run work in force. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "server.h"
#include "world.h"

TestSuite(learn, .timeout = 180);

#define PROFILES "/etc/runas-app/profiles/"
#define PROFILE PROFILES "mine.profile"
#define POLICY "/etc/runas-app/app.conf"
#define PORT 3124
#define UNUSED "/srv/unused"

static char tool[256];

static void append(const char *path, const char *text) {
	FILE *file = fopen(path, "a");

	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s: %s", path, strerror(errno));
}

static void compile(void) {
	struct world_run *run =
		world_run(&(struct world_call){.who = &world_root, .argv = WORLD_LIST(tool, "compile", "mine")});

	cr_assert(world_exited(run, 0), "compile: %s%s\n%s", run->out, run->err, world_read(PROFILE));
}

/* A shipped part without these words; read before the world hides the place where the sources may be. */
static char *read_part(const char *name, const char *const *without) {
	char path[512];

	snprintf(path, sizeof(path), "policy/profiles/part-%s.profile", name);
	char *text = world_read(path);
	if (!text) {
		snprintf(path, sizeof(path), BUILD_DIR "/../policy/profiles/part-%s.profile", name);
		text = world_read(path);
	}
	cr_assert(text, "%s", path);
	for (; *without; without++) {
		size_t length = strlen(*without);
		char *at = strstr(text, *without);
		cr_assert(at, "%s has no `%s`", path, *without);
		for (; at; at = strstr(at, *without))
			memmove(at, at + length, strlen(at + length) + 1);
	}
	return text;
}

/* @app-server without socket and mkdir. */
static void enter(void) {
	char *files = read_part("files", WORLD_LIST(" mkdir mkdirat"));
	char *network = read_part("network",
				  WORLD_LIST("allow = socket if arg0 == AF_UNIX", "allow = socket if arg0 == AF_INET6",
					     "allow = socket if arg0 == AF_INET",
					     "allow = socket if arg0 == AF_NETLINK and arg2 == NETLINK_ROUTE"));

	world_enter();
	if (world_landlock_abi() < 2)
		SKIP("no Landlock of ABI 2: a write list cannot be in force here");
	snprintf(tool, sizeof(tool), "%s", world_built("runas-policy"));
	world_file(PROFILES "files.profile", 0, 0, 0644, files);
	world_file(PROFILES "network.profile", 0, 0, 0644, network);
	world_file(PROFILE, 0, 0, 0644,
		   "runas-profile = 1\n"
		   "include = @part-identity @part-process @part-memory @part-ipc @part-time @part-refused files "
		   "network\n");
	compile();
	world_directory(UNUSED, WORLD_APP, WORLD_APP, 0755);
	world_app_policy("app", "syscalls = mine\nwrite = " UNUSED "\n");
}

static struct world_run *start_learning(const char *const *words, const char *more) {
	static const char *argv[64];
	size_t count = 0;

	for (const char *const *first = WORLD_LIST(tool, "learn", "app", "--launcher", WORLD_RUNAS); *first; first++)
		argv[count++] = *first;
	if (more)
		argv[count++] = more;
	argv[count++] = "--";
	for (; *words; words++)
		argv[count++] = *words;
	argv[count] = NULL;
	return world_start(&(struct world_call){.who = &world_root, .argv = argv});
}

static struct world_run *learn(const char *const *words, const char *more) {
	struct world_run *run = start_learning(words, more);

	world_wait(run, 60);
	cr_assert(!run->timed_out, "%s%s", run->out, run->err);
	return run;
}

static void expect_line(const struct world_run *run, const char *line) {
	cr_expect(strstr(run->out, line), "no `%s` in\n%s\n%s", line, run->out, run->err);
}

static void expect_no_line(const struct world_run *run, const char *line) {
	cr_expect(!strstr(run->out, line), "`%s` is in\n%s", line, run->out);
}

/* The lines below the heading that names the file, as somebody would copy them. */
static char *section(const char *report, const char *file) {
	char heading[256];

	snprintf(heading, sizeof(heading), "\n# %s", file);
	const char *at = strstr(report, heading);
	if (!at)
		return strdup("");
	at += strcspn(at + 1, "\n") + 2;
	const char *end = strstr(at, "\n\n");
	return strndup(at, end ? (size_t)(end - at) + 1 : strlen(at));
}

static void paste(const struct world_run *run) {
	append(PROFILE, section(run->out, PROFILE));
	append(POLICY, section(run->out, POLICY));
	compile();
}

/* --- a shell --- */

#define DEEDS                                                                                                          \
	"mkdir -p made/below && echo text >made/below/file && mv made/below/file made/file && ln -s file made/link "   \
	"&& "                                                                                                          \
	"rm made/link && echo text >>one && cat one >/dev/null && echo text >/tmp/learn.$$ && rm /tmp/learn.$$ && "    \
	"mv /srv/from/file /srv/into/file && "                                                                         \
	"perl -MSocket -e 'socket(A,AF_UNIX,SOCK_STREAM,0) && bind(A,pack_sockaddr_un(\"/srv/run/s\")) && "            \
	"socket(B,AF_INET,SOCK_STREAM,0) or die $!' && echo all done"

static const char *const shell[] = {"/bin/sh", "-c", DEEDS, NULL};

Test(learn, finds_what_a_run_in_force_lacks) {
	enter();
	for (const char *const *path = WORLD_LIST("/srv/run", "/srv/from", "/srv/into"); *path; path++)
		world_directory(*path, WORLD_APP, WORLD_APP, 0755);
	world_file("/srv/from/file", WORLD_APP, WORLD_APP, 0644, "");
	struct world_run *run = world_launch(&world_deploy, WORLD_LIST("app", "--", "/bin/sh", "-c", DEEDS));
	cr_expect(!world_exited(run, 0), "nothing is lacking: %s", run->out);

	char *before = world_read(POLICY);
	run = learn(shell, NULL);
	cr_expect(world_exited(run, 1), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
	cr_expect(strstr(run->out, "all done"), "%s%s", run->out, run->err);
	cr_expect(strstr(run->err, "permissive"), "%s", run->err);
	expect_line(run, "\nallow = mkdir   # seen ");
	expect_line(run, "\nallow = socket if arg0 == AF_UNIX   # seen ");
	expect_line(run, "\nallow = socket if arg0 == AF_INET   # seen ");
	expect_line(run, "\nwrite = /srv/ra_app\n");
	expect_line(run, "\nwrite = /srv/run\n");
	expect_line(run, "\nwrite = /srv/from\n");
	expect_line(run, "\nwrite = /srv/into\n");
	expect_line(run, "\ntmp = /tmp\n");
	expect_no_line(run, "\nwrite = /dev");
	expect_no_line(run, "\nwrite = /tmp");
	expect_no_line(run, "AF_INET6");
	expect_no_line(run, "setresuid"); /* the launcher's, before the app is there */
	cr_expect(strcmp(before, world_read(POLICY)) == 0, "the policy has been touched");

	rmdir("/srv/ra_app/made/below");
	unlink("/srv/ra_app/made/file");
	rmdir("/srv/ra_app/made");
	unlink("/srv/ra_app/one");
	unlink("/srv/run/s");
	world_file("/srv/from/file", WORLD_APP, WORLD_APP, 0644, "");
	paste(run);
	run = world_launch(&world_deploy, WORLD_LIST("app", "--", "/bin/sh", "-c", DEEDS));
	cr_expect(world_exited(run, 0), "status %#x: %s%s\n%s%s", (unsigned)run->status, run->out, run->err,
		  world_read(PROFILE), world_read(POLICY));

	/* And then there is nothing left to learn. */
	run = learn(WORLD_LIST("/bin/sh", "-c", "echo text >/srv/ra_app/one"), NULL);
	cr_expect(world_exited(run, 0), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
	expect_line(run, "no line is needed");
}

Test(learn, counts_no_write_that_fails_anyhow) {
	enter();
	world_file("/srv/ra_app/mine", 0, 0, 0644, "");
	world_directory("/srv/theirs", 0, 0, 0755);
	struct world_run *run = learn(WORLD_LIST("/bin/sh", "-c",
						 "echo >mine; echo >/srv/theirs/x; mkdir /srv/ra_app; rm nothing; "
						 "echo >/dev/null; echo >" UNUSED "/x; cat /etc/passwd; echo all done"),
				      NULL);
	cr_expect(strstr(run->out, "all done"), "%s", run->out);
	expect_no_line(run, "\nwrite = ");
	expect_no_line(run, "\ntmp = ");
}

Test(learn, runs_the_app_as_ever_but_for_what_it_learns) {
	enter();
	struct world_run *plain = world_probe_directly(&world_root, NULL, NULL);
	struct world_run *run = learn(WORLD_LIST(WORLD_PROBE), NULL);
	char filters[16];

	snprintf(filters, sizeof(filters), "%d", atoi(world_value(plain, "seccomp_filters")) + 2);
	for (const char *const *pair =
		     WORLD_LIST("ruid", "4002", "euid", "4002", "suid", "4002", "rgid", "4002", "cap_bounding",
				"0000000000000000", "cap_ambient", "0000000000000000", "no_new_privs", "1",
				"securebits", "0xEB", "seccomp_filters", filters);
	     *pair; pair += 2)
		world_expect_value(run, pair[0], pair[1]);
}

Test(learn, answers_as_in_force_what_a_shipped_profile_refuses_by_name) {
	enter();
	char script[96];

	snprintf(script, sizeof(script), "syscall(%ld, 0, 0, 0, 0, 0); print \"$!\\n\"", (long)SYS_mount);
	struct world_run *run = learn(WORLD_LIST("/usr/bin/perl", "-e", script), NULL);
	expect_line(run, "Operation not permitted");
	expect_line(run, "note: mount: @part-refused refuses it on purpose (it was told EPERM)");
	expect_no_line(run, "allow = mount");
}

Test(learn, reports_as_one_json_document) {
	enter();
	struct world_run *run = learn(WORLD_LIST("/bin/sh", "-c", "echo from the app; mkdir made"), "--json");
	cr_expect(world_exited(run, 1), "%s%s", run->out, run->err);
	cr_expect(run->out[0] == '{' && strstr(run->out, "from the app") == NULL, "%s", run->out);
	cr_expect(strstr(run->err, "from the app"), "%s", run->err);
	expect_line(run, "\"name\": \"mkdir\"");
	expect_line(run, "\"write = /srv/ra_app\"");
}

Test(learn, ends_all_of_the_app_after_its_seconds_or_a_signal) {
	enter();
	struct world_run *run =
		learn(WORLD_LIST("/bin/sh", "-c", "setsid sleep 600 & mkdir made; exec sleep 600"), "--seconds=1");
	cr_expect(world_exited(run, 1), "status %#x %s%s", (unsigned)run->status, run->out, run->err);
	expect_line(run, "it was stopped");
	expect_line(run, "\nallow = mkdir ");

	run = start_learning(WORLD_LIST("/bin/sh", "-c",
					"trap '' TERM; (setsid sleep 601 & echo daemon $!); while :; do sleep 1; done"),
			     NULL);
	world_collect(run, "daemon ", 20);
	usleep(100000);
	pid_t daemon = (pid_t)atoi(strstr(run->out, "daemon ") + 7);
	cr_expect(daemon > 1 && kill(daemon, 0) == 0, "%s", run->out);
	kill(run->pid, SIGTERM);
	usleep(300000);
	kill(run->pid, SIGINT); /* impatient */
	world_wait(run, 20);
	cr_expect(!run->timed_out && WIFEXITED(run->status), "%s%s", run->out, run->err);
	cr_expect(kill(daemon, 0) != 0, "the daemon is still there");
}

Test(learn, says_why_it_could_not) {
	enter();
	world_app_policy("app", "syscalls = mine\n");
	struct world_run *run = learn(WORLD_LIST("/usr/bin/nothing-of-that-name"), NULL);
	cr_expect(world_exited(run, 2) && strstr(run->err, "[not-found]") && strstr(run->err, "was not started"),
		  "%s%s", run->out, run->err);
	run = world_run(&(struct world_call){.who = &world_deploy,
					     .argv = WORLD_LIST(tool, "learn", "app", "--", "/bin/true")});
	cr_expect(world_exited(run, 2) && strstr(run->err, "only root may"), "%s", run->err);
}

/* --- Passenger --- */

#define LOG "/srv/rails/log"

static const char *const passenger[] = {"passenger",
					"start",
					"--engine=builtin",
					"--address",
					"127.0.0.1",
					"--port",
					"3124",
					"--environment",
					"production",
					"--max-pool-size",
					"1",
					"--no-install-runtime",
					"--no-compile-runtime",
					"--disable-security-update-check",
					"--disable-anonymous-telemetry",
					"--log-file",
					LOG "/passenger.log",
					"--pid-file",
					"/srv/rails/tmp/passenger.pid",
					NULL};

static struct world_run *start_in_force(void) {
	const char *argv[32] = {"runas-app", "app", "--"};

	for (size_t i = 0; passenger[i]; i++)
		argv[3 + i] = passenger[i];
	return world_start(&(struct world_call){.who = &world_deploy, .program = WORLD_RUNAS, .argv = argv});
}

Test(learn, makes_passenger_serve_in_force) {
	enter();
	server_needs("/usr/bin/passenger");
	server_enter_network();
	for (const char *const *name = WORLD_LIST("log", "tmp", "public"); *name; name++) {
		char path[64];
		snprintf(path, sizeof(path), "/srv/rails/%s", *name);
		world_directory(path, WORLD_RAILS, WORLD_RAILS, 0750);
	}
	world_file("/srv/rails/config.ru", WORLD_RAILS, WORLD_RAILS, 0640,
		   "run(lambda do |env|\n"
		   "  Dir.mkdir('tmp/made') unless Dir.exist?('tmp/made')\n"
		   "  File.open('log/production.log', 'a') { |f| f.puts env['PATH_INFO'] }\n"
		   "  [200, { 'Content-Type' => 'text/plain' }, [\"hello from #{Process.uid}\\n\"]]\n"
		   "end)\n");
	world_policy("app", "runas-app = 1\nallow_users = deploy\nuser = rails\ndirectory = /srv/rails\ncommand = *\n"
			    "syscalls = mine\nwrite = " UNUSED "\n");

	struct world_run *run = start_in_force();
	world_wait(run, 20);
	cr_expect(!run->timed_out && !world_exited(run, 0), "it needs nothing of what was taken away: %s%s", run->out,
		  run->err);

	run = start_learning(passenger, NULL);
	cr_expect(strstr(server_first_answer(run, PORT, "/"), "hello from 4005") != NULL);
	kill(run->pid, SIGINT);
	world_wait(run, 40);
	/* Whatever learn left would be out of sight of world_leave: it lives in learn's own mounts. */
	pid_t left[64];
	const size_t count = server_processes(left, 64);
	for (size_t i = 0; i < count; i++)
		kill(left[i], SIGKILL);
	cr_expect(count == 0, "%zu processes outlived learn", count);
	cr_assert(!run->timed_out && world_exited(run, 1), "status %#x %s%s", (unsigned)run->status, run->out,
		  run->err);
	expect_line(run, "\nallow = mkdir   # seen ");
	expect_line(run, "\nallow = socket if arg0 == AF_UNIX   # seen ");
	expect_line(run, "\nallow = socket if arg0 == AF_INET   # seen ");
	expect_line(run, "\nwrite = " LOG "\n");
	expect_line(run, "\nwrite = /srv/rails/tmp\n");
	expect_line(run, "\ntmp = /tmp\n");

	unlink(LOG "/passenger.log");
	unlink(LOG "/production.log");
	rmdir("/srv/rails/tmp/made");
	paste(run);
	run = start_in_force();
	cr_expect(strstr(server_first_answer(run, PORT, "/"), "hello from 4005") != NULL);
	server_expect_powerless(WORLD_RAILS, 4);
	server_stop(run, SIGTERM);
	cr_expect(access(LOG "/production.log", F_OK) == 0 && access("/srv/rails/tmp/made", F_OK) == 0);
}
