/* SPDX-License-Identifier: ISC */
#include "companion/sudoers.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char program[] = "/usr/bin/cvtsudoers";

enum { MOST_BYTES = 64 * 1024 * 1024, MOST_SLIPS = 1000 };

static char *read_all(int fd, size_t *ret_length) {
	struct stat status;
	char *bytes;

	*ret_length = 0;
	if (fstat(fd, &status) != 0 || status.st_size > MOST_BYTES)
		return NULL;
	bytes = output_memory(malloc((size_t)status.st_size + 1));
	for (ssize_t got = 1; got > 0 && *ret_length<(size_t)status.st_size; *ret_length += got> 0 ? (size_t)got : 0)
		got = pread(fd, bytes + *ret_length, (size_t)status.st_size - *ret_length, (off_t)*ret_length);
	bytes[*ret_length] = '\0';
	return bytes;
}

/* Its outputs go into memory: no pipe to fill up, whatever it prints. */
static int run(const char *path, int input, int output, int error) {
	char *const argv[] = {(char *)(uintptr_t) "cvtsudoers", (char *)(uintptr_t) "-e", (char *)(uintptr_t) "-c",
			      (char *)(uintptr_t) "/dev/null",	(char *)(uintptr_t) "-f", (char *)(uintptr_t) "json",
			      (char *)(uintptr_t) "--",		(char *)(uintptr_t)path,  NULL};
	char *const environment[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", (char *)(uintptr_t) "LC_ALL=C", NULL};
	posix_spawn_file_actions_t actions;
	int status = -1, failure;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	if (input >= 0)
		posix_spawn_file_actions_adddup2(&actions, input, 0);
	else
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, error, 2);
	failure = posix_spawn(&child, program, &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	if (failure != 0) {
		errno = failure;
		return -1;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* {"role": "x"} without its braces, in a list: cvtsudoers 1.9.13 writes CWD, CHROOT, ROLE and TYPE so. */
static char *mend(char *text, size_t *length, int line) {
	char *start = text, *end, *mended;
	size_t before;

	for (int i = 1; i < line && start != NULL; i++) {
		start = strchr(start, '\n');
		start += start != NULL;
	}
	if (start == NULL)
		return NULL;
	start += strspn(start, " \t");
	end = strchrnul(start, '\n');
	while (end > start && (end[-1] == ',' || end[-1] == ' '))
		end--;
	if (*start != '"' || strstr(start, "\": ") == NULL || strstr(start, "\": ") > end)
		return NULL;
	before = (size_t)(start - text);
	mended = output_memory(malloc(*length + 3));
	memcpy(mended, text, before);
	mended[before] = '{';
	memcpy(mended + before + 1, start, (size_t)(end - start));
	mended[before + 1 + (size_t)(end - start)] = '}';
	memcpy(mended + before + 2 + (size_t)(end - start), end, *length - (size_t)(end - text) + 1);
	*length += 2;
	return mended;
}

json_t *sudoers_parse(const char *text, size_t length, json_error_t *error) {
	char *held = output_memory(malloc(length + 1)), *mended;
	json_t *document = NULL;

	memcpy(held, text, length);
	held[length] = '\0';
	for (int slips = 0; slips < MOST_SLIPS; slips++) {
		document = json_loadb(held, length, JSON_REJECT_DUPLICATES, error);
		if (document != NULL || (mended = mend(held, &length, error->line)) == NULL)
			break;
		free(held);
		held = mended;
	}
	free(held);
	return document;
}

static void say_failure(int status, const char *path, const char *said, size_t length) {
	char *shown = output_escaped(path, strlen(path)), *words;

	while (length > 0 && said[length - 1] == '\n')
		length--;
	words = output_escaped(said, length);
	/* Its message is about a line, the line and a caret: kept as they are. */
	for (char *at = words, *to = words;; at++, to++) {
		const bool is_break = strncmp(at, "\\012", 4) == 0;

		*to = (char)(is_break ? '\n' : *at);
		at += is_break ? 3 : 0;
		if (*to == '\0')
			break;
	}
	if (status < 0)
		output_fail(errno == ENOENT
				    ? "install the package sudo, or run this where sudo is: the drafts can be copied"
				    : NULL,
			    "%s: %m", program);
	else
		output_fail(geteuid() != 0 && access(path, R_OK) != 0 ? "ask as root"
								      : "visudo -c shows where it is wrong",
			    "%s: cvtsudoers cannot read it%s%s", shown, length > 0 ? ":\n" : "", words);
	free(shown);
	free(words);
}

json_t *sudoers_load(const char *path, int fd) {
	const int output = memfd_create("json", MFD_CLOEXEC), error = memfd_create("messages", MFD_CLOEXEC);
	const int status = output < 0 || error < 0 ? -1 : run(fd >= 0 ? "-" : path, fd, output, error);
	const int saved = errno;
	size_t length = 0, said_length = 0;
	char *text = output < 0 ? NULL : read_all(output, &length),
	     *said = error < 0 ? NULL : read_all(error, &said_length);
	json_t *document = NULL;
	json_error_t why;

	errno = saved;
	if (status != 0 || text == NULL)
		say_failure(status, path, said == NULL ? "" : said, said_length);
	else if ((document = sudoers_parse(text, length, &why)) == NULL)
		output_fail(NULL, "%s: what cvtsudoers wrote is no JSON: line %d: %s", path, why.line, why.text);
	free(text);
	free(said);
	if (output >= 0)
		close(output);
	if (error >= 0)
		close(error);
	return document;
}
