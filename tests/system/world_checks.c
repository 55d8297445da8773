/* SPDX-License-Identifier: ISC */
/* Of world.h: what a run and the system log say, and whether that is what was to be. */
#include "world_inside.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOG_MAX = 64, LOG_BYTES = 8192 };

static int log_socket = -1;
static char log_lines[LOG_MAX][LOG_BYTES];
static size_t log_count;

/* --- reading --- */

static char *copy_line(const char *at) { return strndup(at, strcspn(at, "\n")); }

const char *world_value_in(const char *text, const char *key) {
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, key, length) == 0 && line[length] == ':')
			return copy_line(line[length + 1] == ' ' ? line + length + 2 : line + length + 1);
	}
	return NULL;
}

const char *world_value(const struct world_run *run, const char *key) { return world_value_in(run->out, key); }

const char *world_env(const struct world_run *run, const char *name) {
	size_t length = strlen(name);

	for (const char *line = run->out; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, "env: ", 5) == 0 && strncmp(line + 5, name, length) == 0 && line[5 + length] == '=')
			return copy_line(line + 6 + length);
	}
	return NULL;
}

bool world_exited(const struct world_run *run, int status) {
	return !run->timed_out && WIFEXITED(run->status) && WEXITSTATUS(run->status) == status;
}

/* --- the log --- */

void world_open_log(void) {
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	log_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	world_must(log_socket >= 0, "log socket");
	world_must(bind(log_socket, (struct sockaddr *)&address, sizeof(address)) == 0, "/dev/log");
	world_must(chmod("/dev/log", 0666) == 0, "/dev/log");
}

size_t world_log(void) {
	log_count = 0;
	while (log_count < LOG_MAX) {
		ssize_t got = recv(log_socket, log_lines[log_count], LOG_BYTES - 1, MSG_DONTWAIT);
		if (got < 0)
			break;
		/* A NUL inside a record would hide what follows it. */
		for (ssize_t i = 0; i < got; i++) {
			if (log_lines[log_count][i] == '\0')
				log_lines[log_count][i] = '\1';
		}
		log_lines[log_count++][got] = '\0';
	}
	return log_count;
}

const char *world_log_line(size_t index) { return index < log_count ? log_lines[index] : ""; }

/* --- checks --- */

static const char *how_it_ended(const struct world_run *run) {
	static char text[64];

	if (run->timed_out)
		return "ran out of time";
	if (WIFSIGNALED(run->status))
		snprintf(text, sizeof(text), "was killed by signal %d", WTERMSIG(run->status));
	else
		snprintf(text, sizeof(text), "exited with %d", WEXITSTATUS(run->status));
	return text;
}

void world_expect_value(const struct world_run *run, const char *key, const char *value) {
	const char *found = world_value(run, key);

	cr_expect(found && strcmp(found, value) == 0, "%s is `%s`, not `%s` (it %s)\nstderr: %s", key,
		  found ? found : "missing", value, how_it_ended(run), run->err);
}

void world_expect_confined(const struct world_run *run, unsigned uid, unsigned gid, const char *groups,
			   bool as_root_built) {
	static const char *const user_keys[] = {"ruid", "euid", "suid", "fsuid"};
	static const char *const group_keys[] = {"rgid", "egid", "sgid", "fsgid"};
	static const char *const sets[] = {"cap_inheritable", "cap_permitted", "cap_effective", "cap_ambient",
					   "cap_bounding"};
	char number[16];

	cr_assert(world_value(run, "end"), "the probe did not run: it %s\nstdout: %s\nstderr: %s", how_it_ended(run),
		  run->out, run->err);
	snprintf(number, sizeof(number), "%u", uid);
	for (size_t i = 0; i < 4; i++)
		world_expect_value(run, user_keys[i], number);
	snprintf(number, sizeof(number), "%u", gid);
	for (size_t i = 0; i < 4; i++)
		world_expect_value(run, group_keys[i], number);
	world_expect_value(run, "groups", groups);
	for (size_t i = 0; i < (as_root_built ? 5 : 4); i++)
		world_expect_value(run, sets[i], "0000000000000000");
	if (as_root_built)
		world_expect_value(run, "securebits", "0xEB");
	world_expect_value(run, "no_new_privs", "1");
	world_expect_value(run, "seccomp", "2");
}

void world_expect_app(const struct world_run *run) { world_expect_confined(run, WORLD_APP, WORLD_APP, "4002", true); }

void world_expect_refused(const struct world_run *run, int status, const char *word) {
	size_t messages = 0;

	cr_expect(world_exited(run, status), "it %s, not with %d\nstdout: %s\nstderr: %s", how_it_ended(run), status,
		  run->out, run->err);
	cr_expect(run->out_length == 0, "something ran or spoke on stdout:\n%s", run->out);
	for (const char *line = run->err; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, "runas-app: ", 11) == 0)
			messages++;
		else
			cr_expect(strncmp(line, "hint: ", 6) == 0, "neither message nor hint on stderr: %s", line);
	}
	cr_expect(messages == 1, "%zu messages, not one:\n%s", messages, run->err);
	cr_expect(strstr(run->err, word) != NULL, "no `%s` in: %s", word, run->err);
}

void world_expect_logged(const char *what, const char *part) {
	size_t lines = world_log();

	cr_expect(lines == 1, "%s: %zu log records, not one: %s", what, lines, world_log_line(0));
	const char *line = world_log_line(0);
	for (const char *at = line; *at; at++)
		cr_expect((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f, "%s: byte %#x in the log: %s", what,
			  (unsigned)(unsigned char)*at, line);
	cr_expect(strstr(line, part) != NULL, "%s: no `%s` in the log: %s", what, part, line);
	cr_expect(strncmp(line, "<84>runas-app[", 14) == 0 || strncmp(line, "<86>runas-app[", 14) == 0, "%s: %s", what,
		  line);
}
