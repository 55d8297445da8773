/* SPDX-License-Identifier: ISC */
/* `log` of a policy: what is required is there before the app runs, or it does not; `none` says nothing. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "container.h"
#include "ways.h"

TestSuite(limits, .timeout = 120);

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
	way_enter();
	for (enum log_state state = LOG_MISSING; state < LOG_STATES; state++) {
		const int fd = break_log(state);
		for (size_t w = 0; w < COUNT(ways); w++) {
			way_policy("log = required\n");
			expect_no_log(&ways[w], state, way_run(&ways[w], &(struct way_gift){0}));
			/* The same trouble, and nobody minds. */
			way_policy("log = syslog\n");
			way_expect_app(&ways[w], way_run(&ways[w], &(struct way_gift){0}));
			way_policy("log = none\n");
			way_expect_app(&ways[w], way_run(&ways[w], &(struct way_gift){0}));
		}
		if (state == LOG_STREAM)
			cr_expect(accept(fd, NULL, NULL) < 0 && errno == EAGAIN, "something connected");
		close(fd);
	}
}

Test(limits, a_log_that_is_required_has_the_record_before_the_app_runs) {
	int fd;

	way_enter();
	fd = put_socket("/dev/log", SOCK_DGRAM, true);
	for (size_t w = 0; w < COUNT(ways); w++) {
		way_policy("log = required\n");
		way_expect_app(&ways[w], way_run(&ways[w], &(struct way_gift){0}));
		cr_expect(count_datagrams(fd) == 1);
	}
	/* One place in the queue is enough, and the next launch is refused. */
	close(fd);
	fd = put_full_socket();
	cr_assert(recv(fd, (char[1]){0}, 1, 0) == 1);
	way_expect_app(&ways[1], way_run(&ways[1], &(struct way_gift){0}));
	expect_no_log(&ways[1], LOG_FULL, way_run(&ways[1], &(struct way_gift){0}));
	cr_assert(count_datagrams(fd) > 0);
	way_expect_app(&ways[1], way_run(&ways[1], &(struct way_gift){0}));
	close(fd);
	/* As systemd has it: /dev/log is a symlink. */
	fd = put_socket("/run/dev-log", SOCK_DGRAM, true);
	cr_assert(unlink("/dev/log") == 0 && symlink("/run/dev-log", "/dev/log") == 0);
	way_expect_app(&ways[1], way_run(&ways[1], &(struct way_gift){0}));
	cr_expect(count_datagrams(fd) == 1);
	close(fd);
}

Test(limits, a_log_that_only_root_may_write_is_enough_for_root_alone) {
	way_enter();
	const int fd = put_socket("/dev/log", SOCK_DGRAM, true);
	cr_assert(chmod("/dev/log", 0600) == 0);
	way_policy("log = required\n");
	for (size_t w = 0; w < 2; w++) {
		way_expect_app(&ways[w], way_run(&ways[w], &(struct way_gift){0}));
		cr_expect(count_datagrams(fd) == 1);
	}
	expect_no_log(&ways[2], LOG_UNREAD, way_run(&ways[2], &(struct way_gift){0}));
	close(fd);
}

Test(limits, log_none_sends_nothing) {
	way_enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		const int fd = put_socket("/dev/log", SOCK_DGRAM, true);
		way_policy("log = none\n");
		way_expect_app(&ways[w], way_run(&ways[w], &(struct way_gift){0}));
		/* A refusal by a stage, too. */
		way_policy("log = none\nlimit_nofile = unlimited\n");
		way_expect_refused(&ways[w], way_run(&ways[w], &(struct way_gift){0}), "limit_nofile", "hard limit");
		cr_expect(count_datagrams(fd) == 0, "%s: `log = none`, and yet something came", ways[w].name);
		way_policy("log = syslog\n");
		way_expect_app(&ways[w], way_run(&ways[w], &(struct way_gift){0}));
		cr_expect(count_datagrams(fd) == 1, "%s: nothing came, so the silence above shows nothing",
			  ways[w].name);
		close(fd);
	}
}

/* --- the same in a container --- */

Test(limits, container_without_a_log_refuses_what_requires_one) {
	static const char mount[] = ", {'destination': '/dev/log', 'type': 'bind', 'source': '/dev/log',"
				    "   'options': ['bind']}";

	container_enter();
	for (size_t e = 0; e < COUNT(way_entrances); e++) {
		const struct way *const way = &way_entrances[e].way;

		expect_no_log(way, LOG_MISSING,
			      way_run_in_container(&way_entrances[e], "log = required\n", NULL, NULL));
		way_expect_app(way, way_run_in_container(&way_entrances[e], "log = syslog\n", NULL, NULL));
		/* docker run -v /dev/log:/dev/log */
		const int fd = put_socket("/dev/log", SOCK_DGRAM, true);
		way_expect_app(way, way_run_in_container(&way_entrances[e], "log = required\n", NULL, mount));
		cr_expect(count_datagrams(fd) == 1);
		close(fd);
	}
}
