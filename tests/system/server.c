/* SPDX-License-Identifier: ISC */
#include "server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../helpers/skip.h"

enum { PROCESSES_MAX = 64, ANSWER_MAX = 65536 };

long server_now(void) {
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void server_enter_network(void) {
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	if (unshare(CLONE_NEWNET) != 0)
		SKIP("no network namespace: unshare says EPERM; CAP_SYS_ADMIN is needed");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0, "loopback: %s", strerror(errno));
	close(fd);
}

void server_needs(const char *program) {
	static char why[256];

	snprintf(why, sizeof(why), "%s is missing: scripts/bootstrap check installs it", program);
	if (access(program, X_OK) != 0)
		SKIP(why);
}

/* --- questions --- */

static int patient(int fd) {
	struct timeval patience = {.tv_sec = 20};

	cr_assert(fd >= 0, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

static int connect_port(int port) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = patient(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int connect_path(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = patient(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static size_t read_all(int fd, char *into, size_t size) {
	size_t length = 0;

	for (ssize_t got; length < size - 1 && (got = read(fd, into + length, size - 1 - length)) > 0;)
		length += (size_t)got;
	into[length] = '\0';
	return length;
}

char *server_ask(int port, const char *path) {
	static char answer[ANSWER_MAX];
	char question[512];
	int fd = connect_port(port);

	if (fd < 0)
		return NULL;
	int size = snprintf(question, sizeof(question), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
	answer[0] = '\0';
	if (send(fd, question, (size_t)size, MSG_NOSIGNAL) == size)
		read_all(fd, answer, sizeof(answer));
	close(fd);
	return answer;
}

static size_t put_record(unsigned char *at, int type, size_t length) {
	/* version, type, request 1, length of the content; no padding */
	const unsigned char head[8] = {1, (unsigned char)type,		0,
				       1, (unsigned char)(length >> 8), (unsigned char)length};

	memcpy(at, head, sizeof(head));
	return sizeof(head);
}

static size_t put_parameter(unsigned char *at, const char *name, const char *value) {
	size_t name_length = strlen(name), value_length = strlen(value);

	cr_assert(name_length < 128 && value_length < 128, "too long for a short FastCGI parameter: %s", value);
	at[0] = (unsigned char)name_length;
	at[1] = (unsigned char)value_length;
	memcpy(at + 2, name, name_length);
	memcpy(at + 2 + name_length, value, value_length);
	return 2 + name_length + value_length;
}

static char *ask_fastcgi(int fd, const char *script) {
	static const unsigned char responder[8] = {0, 1};
	static unsigned char records[ANSWER_MAX];
	static char answer[ANSWER_MAX];
	unsigned char question[1024];
	size_t size = 0, length = 0, parameters;

	if (fd < 0)
		return NULL;
	size += put_record(question + size, 1, sizeof(responder)); /* FCGI_BEGIN_REQUEST */
	memcpy(question + size, responder, sizeof(responder));
	size += sizeof(responder);
	size_t head = size;
	size += 8;
	size += put_parameter(question + size, "REQUEST_METHOD", "GET");
	size += put_parameter(question + size, "SCRIPT_FILENAME", script);
	size += put_parameter(question + size, "SCRIPT_NAME", "/");
	size += put_parameter(question + size, "REQUEST_URI", "/");
	parameters = size - head - 8;
	put_record(question + head, 4, parameters); /* FCGI_PARAMS */
	size += put_record(question + size, 4, 0);
	size += put_record(question + size, 5, 0); /* FCGI_STDIN */
	size_t received = 0;
	if (send(fd, question, size, MSG_NOSIGNAL) == (ssize_t)size)
		received = read_all(fd, (char *)records, sizeof(records));
	close(fd);

	for (size_t at = 0; at + 8 <= received;) {
		size_t content = (size_t)records[at + 4] << 8 | records[at + 5];
		bool spoken = records[at + 1] == 6 || records[at + 1] == 7; /* FCGI_STDOUT, FCGI_STDERR */
		if (at + 8 + content > received)
			break;
		if (spoken) {
			memcpy(answer + length, records + at + 8, content);
			length += content;
		}
		at += 8 + content + records[at + 6];
	}
	answer[length] = '\0';
	return answer;
}

char *server_ask_fastcgi(const char *socket_path, const char *script) {
	return ask_fastcgi(connect_path(socket_path), script);
}

char *server_ask_fastcgi_port(int port, const char *script) { return ask_fastcgi(connect_port(port), script); }

char *server_first_answer(struct world_run *run, int port, const char *path) {
	long limit = server_now() + 40000;
	char *answer = NULL;

	while (!(answer = server_ask(port, path))) {
		if (world_ended(run)) {
			world_wait(run, 1);
			cr_assert_fail("the server ended: status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
		}
		cr_assert(server_now() < limit, "no answer within 40 s");
		usleep(50000);
	}
	return answer;
}

/* --- processes --- */

size_t server_processes(pid_t *pids, size_t most) {
	char path[64], ours[64] = "", theirs[64];
	size_t count = 0;

	cr_assert(readlink("/proc/thread-self/ns/net", ours, sizeof(ours) - 1) > 0);
	DIR *listing = opendir("/proc");
	cr_assert(listing);
	for (struct dirent *entry; (entry = readdir(listing));) {
		if (!isdigit((unsigned char)entry->d_name[0]) || atoi(entry->d_name) == getpid())
			continue;
		memset(theirs, 0, sizeof(theirs));
		snprintf(path, sizeof(path), "/proc/%.16s/ns/net", entry->d_name);
		if (readlink(path, theirs, sizeof(theirs) - 1) > 0 && strcmp(ours, theirs) == 0 && count < most)
			pids[count++] = atoi(entry->d_name);
	}
	closedir(listing);
	return count;
}

void server_expect_gone(const char *how) {
	pid_t pids[PROCESSES_MAX];
	long limit = server_now() + 20000;

	while (server_processes(pids, PROCESSES_MAX) > 0 && server_now() < limit) {
		waitpid(-1, NULL, WNOHANG); /* daemons are this process's orphans */
		usleep(20000);
	}
	size_t left = server_processes(pids, PROCESSES_MAX);
	for (size_t i = 0; i < left; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%d/comm", pids[i]);
		const char *name = world_read(path);
		cr_log_warn("%s: process %d is left: %s", how, pids[i], name ? name : "gone now");
	}
	cr_expect(left == 0, "%s: %zu processes are left", how, left);
}

void server_stop(struct world_run *run, int signal) {
	cr_assert(!world_ended(run), "the server had ended: status %#x\n%s%s", (unsigned)run->status, run->out,
		  run->err);
	cr_assert(kill(run->pid, signal) == 0);
	world_wait(run, 20);
	cr_expect(!run->timed_out, "the server did not end on signal %d\n%s%s", signal, run->out, run->err);
	server_expect_gone("stopped");
}

static void expect_fact(const char *status, pid_t pid, const char *key, const char *expected) {
	const char *value = world_value_in(status, key);
	char squeezed[256];
	size_t length = 0;

	for (const char *at = value ? value : ""; *at && length < sizeof(squeezed) - 1; at++) {
		bool blank = *at == '\t' || *at == ' ';
		if (!blank)
			squeezed[length++] = *at;
		else if (length > 0 && squeezed[length - 1] != ' ')
			squeezed[length++] = ' ';
	}
	while (length > 0 && squeezed[length - 1] == ' ')
		length--;
	squeezed[length] = '\0';
	cr_expect(value && strcmp(squeezed, expected) == 0, "process %d (%s): %s is `%s`, not `%s`", pid,
		  world_value_in(status, "Name"), key, squeezed, expected);
}

size_t server_expect_each(bool (*is_meant)(const char *status), const struct server_fact *facts) {
	pid_t pids[PROCESSES_MAX];
	char path[64];
	size_t count = server_processes(pids, PROCESSES_MAX), seen = 0;

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/status", pids[i]);
		char *status = world_read(path);
		if (!status)
			continue;
		/* Empty: it ended between the two. */
		if (*status && (!is_meant || is_meant(status))) {
			seen++;
			for (const struct server_fact *fact = facts; fact->key; fact++)
				expect_fact(status, pids[i], fact->key, fact->value);
		}
		free(status);
	}
	return seen;
}

void server_expect_powerless(unsigned uid, size_t least) {
	char ids[64];

	snprintf(ids, sizeof(ids), "%u %u %u %u", uid, uid, uid, uid);
	const size_t seen =
		server_expect_each(NULL, (const struct server_fact[]){{"Uid", ids}, SERVER_CONFINED, {NULL, NULL}});
	cr_expect(seen >= least, "%zu processes only, not %zu", seen, least);
}
