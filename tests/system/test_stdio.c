/* SPDX-License-Identifier: ISC */
/* `stdio_chown`: root's pipes on 0 to 2 become the app's, and nothing else does. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"
#include "world.h"

TestSuite(stdio, .timeout = 60);

#define ATTEMPT "/usr/local/bin/attempt"
#define PLAIN "/usr/local/bin/runas-plain"
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void enter(void) {
	world_enter();
	cr_assert(world_built("attempt") != NULL, "attempt is not built");
	world_copy(world_built("attempt"), ATTEMPT, 0755);
	world_copy(WORLD_RUNAS, PLAIN, 0755);
	world_app_policy("plain", "");
	world_app_policy("owns", "stdio_chown = yes\n");
	world_app_policy("says-no", "stdio_chown = no\n");
}

static struct world_run *launch(const char *app, void (*as_caller)(const void *), const void *data) {
	return world_run(&(struct world_call){.who = &world_root,
					      .program = WORLD_RUNAS,
					      .argv = WORLD_LIST("runas-app", app, "--", ATTEMPT, "owner:0", "owner:1",
								 "owner:2", "write:/dev/stdout", "write:/dev/stderr",
								 "append:/dev/stdout", "append:/proc/self/fd/2"),
					      .as_caller = as_caller,
					      .data = data});
}

Test(stdio, an_entry_point_s_app_opens_its_output_again) {
	static const char *const openings[] = {"write:/dev/stdout", "write:/dev/stderr", "append:/dev/stdout",
					       "append:/proc/self/fd/2"};

	enter();
	struct world_run *without = launch("plain", NULL, NULL), *no = launch("says-no", NULL, NULL);
	struct world_run *with = launch("owns", NULL, NULL);
	for (size_t i = 0; i < COUNT(openings); i++) {
		world_expect_value(without, openings[i], "EACCES");
		world_expect_value(no, openings[i], "EACCES");
		world_expect_value(with, openings[i], "ok");
	}
	for (int fd = 1; fd <= 2; fd++) {
		world_expect_value(without, fd == 1 ? "owner:1" : "owner:2", "0:0 10600");
		world_expect_value(with, fd == 1 ? "owner:1" : "owner:2", "4002:4002 10600");
	}
	cr_expect(with->err_length == 0, "%s", with->err);

	/* What is written there arrives. */
	with = world_launch(&world_root, WORLD_LIST("owns", "--", "/bin/sh", "-c",
						    "echo out > /dev/stdout; echo err > /dev/stderr"));
	cr_expect(strcmp(with->out, "out\n") == 0 && strcmp(with->err, "err\n") == 0, "%s%s", with->out, with->err);
}

/* --- what is on 0 and 2 instead; 1 stays the test's --- */

static void place(int fd) {
	if (fd < 0 || dup2(fd, 0) != 0 || dup2(fd, 2) != 2)
		_exit(WORLD_CHILD_BROKE);
	close(fd);
}

static void own_pipe(const void *data) {
	int ends[2];

	(void)data;
	place(pipe(ends) == 0 ? ends[1] : -1);
}

static void foreign_pipe(const void *data) {
	int ends[2];

	(void)data;
	if (pipe(ends) != 0 || fchown(ends[1], WORLD_OTHER, WORLD_OTHER) != 0)
		_exit(WORLD_CHILD_BROKE);
	place(ends[1]);
}

static void named(const void *path) { place(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK)); }

static void unix_socket(const void *data) {
	int ends[2];

	(void)data;
	place(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 ? ends[0] : -1);
}

static void terminal(const void *data) {
	int unlock = 0, number = -1, master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	char path[64];

	(void)data;
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0 || ioctl(master, TIOCGPTN, &number) != 0)
		_exit(WORLD_CHILD_BROKE);
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	named(path);
}

Test(stdio, terminals_files_devices_sockets_and_foreign_pipes_are_left_alone) {
	static const struct {
		const char *what;
		void (*give)(const void *);
		const char *data;
	} others[] = {{"a terminal", terminal, NULL},	      {"a regular file", named, "/srv/file"},
		      {"/dev/null", named, "/dev/null"},      {"a socket", unix_socket, NULL},
		      {"a foreign pipe", foreign_pipe, NULL}, {"a named FIFO", named, "/srv/fifo"},
		      {"/dev/zero", named, "/dev/zero"}};

	enter();
	world_file("/srv/file", 0, 0, 0600, "");
	cr_assert(mkfifo("/srv/fifo", 0600) == 0);
	/* The way to place them works: a pipe of root's does change. */
	struct world_run *run = launch("owns", own_pipe, NULL);
	world_expect_value(run, "owner:0", "4002:4002 10600");
	world_expect_value(run, "owner:2", "4002:4002 10600");
	for (size_t i = 0; i < COUNT(others); i++) {
		struct world_run *before = launch("plain", others[i].give, others[i].data);
		struct world_run *after = launch("owns", others[i].give, others[i].data);
		for (int fd = 0; fd <= 2; fd += 2) {
			const char *key = fd == 0 ? "owner:0" : "owner:2", *was = world_value(before, key),
				   *is = world_value(after, key);
			cr_assert(was && is, "%s: %s%s", others[i].what, before->out, after->out);
			cr_expect(strcmp(was, is) == 0, "%s was %s and is %s", others[i].what, was, is);
			cr_expect(strncmp(is, "4002:", 5) != 0, "%s became the app user's", others[i].what);
		}
		world_expect_value(after, "owner:1", "4002:4002 10600");
	}
	struct stat facts;
	cr_expect(stat("/srv/file", &facts) == 0 && facts.st_uid == 0 && (facts.st_mode & 07777) == 0600);
	cr_expect(stat("/srv/fifo", &facts) == 0 && facts.st_uid == 0 && (facts.st_mode & 07777) == 0600);
	cr_expect(stat("/dev/null", &facts) == 0 && facts.st_uid == 0);
}

Test(stdio, other_callers_are_refused_by_name) {
	static const struct {
		const struct world_person *who;
		const char *program;
	} callers[] = {{&world_deploy, WORLD_RUNAS}, {&world_app, PLAIN}};

	enter();
	for (size_t i = 0; i < COUNT(callers); i++) {
		struct stat facts;
		struct world_run *run = world_start(
			&(struct world_call){.who = callers[i].who,
					     .program = callers[i].program,
					     .argv = WORLD_LIST("runas-app", "owns", "--", ATTEMPT, "memfd")});
		for (int turns = 0; turns < 1000 && !world_ended(run); turns++)
			usleep(10000);
		cr_expect(fstat(run->out_fd, &facts) == 0 && facts.st_uid == 0, "the pipe is %u's now", facts.st_uid);
		world_wait(run, 10);
		world_expect_refused(run, 125, "[stdio-chown]");
		cr_expect(strstr(run->err, "stdio_chown") && strstr(run->err, "hint: "), "%s", run->err);
	}
}

/* --- an entry point --- */

#define REOPENS ", 'args': ['runas-app', 'app', '--', 'probe', '--to', '/dev/stdout']"
#define POLICY "runas-app = 1\nuser = ra_app\ncommand = /usr/local/bin/probe *\n"

Test(stdio, in_a_container_it_takes_the_chown_capability) {
	static const char without_chown[] = "CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_DAC_OVERRIDE CAP_FOWNER";
	static const char with_chown[] = "CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_CHOWN";
	const struct container fourteen = {.user = CONTAINER_AS_ROOT,
					   .capabilities = CONTAINER_FOURTEEN,
					   .is_root = true,
					   .app = "app",
					   .process = REOPENS};
	struct container few = fourteen;

	container_enter();
	container_policy("app", POLICY);
	struct world_run *run = container_run(&fourteen);
	cr_expect(world_exited(run, 120), "without the key the probe cannot open it: %#x %s%s", (unsigned)run->status,
		  run->out, run->err);
	container_policy("app", POLICY "stdio_chown = yes\n");
	world_expect_app(container_run(&fourteen));
	few.capabilities = with_chown;
	world_expect_app(container_run(&few));
	few.capabilities = without_chown;
	run = container_run(&few);
	world_expect_refused(run, 125, "[stdio-chown]");
	cr_expect(strstr(run->err, "--cap-add=CHOWN") != NULL, "%s", run->err);
}
