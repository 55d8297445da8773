/* SPDX-License-Identifier: ISC */
#include "tests/companion/ask.h"

#include <fcntl.h>
#include <grp.h>
#include <locale.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_ASKED = 99, LEAKED = 98 };

/* Of AddressSanitizer, where the test is built with it. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static bool put(const char *path, const char *text) {
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const bool is_done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return is_done;
}

/* Only in a child: the test itself has threads, and those cannot change their user namespace. */
static bool become_root(void) {
	char uids[32], gids[32];

	if (geteuid() == 0)
		return true;
	snprintf(uids, sizeof uids, "0 %u 1", geteuid());
	snprintf(gids, sizeof gids, "0 %u 1", getegid());
	return unshare(CLONE_NEWUSER) == 0 && put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", uids) &&
	       put("/proc/self/gid_map", gids);
}

bool ask_can_be_root(void) {
	int status = 0;
	pid_t child;

	if (geteuid() == 0)
		return true;
	child = fork();
	if (child == 0)
		_exit(!become_root());
	cr_assert(child > 0 && waitpid(child, &status, 0) == child);
	return status == 0;
}

static int run(const struct verb *verb, int argc, char **argv, const struct ask_how *how, int out, int error,
	       int leaks) {
	struct rlimit size;
	int status;

	if ((how->is_root && !become_root()) || dup2(out, 1) != 1 || dup2(error, 2) != 2 ||
	    (how->directory != NULL && chdir(how->directory) != 0) ||
	    (how->uid != 0 && (setgroups(0, NULL) != 0 || setresgid(how->uid, how->uid, how->uid) != 0 ||
			       setresuid(how->uid, how->uid, how->uid) != 0)))
		return NOT_ASKED;
	setlocale(LC_CTYPE, "C.UTF-8");
	if (how->prepare != NULL)
		how->prepare();
	status = verb->run(argc, argv);
	fflush(NULL);
	if (__lsan_do_recoverable_leak_check == NULL)
		return status;
	/* Its report is not the verb's; and where prepare let us write no more than a little, it would wait for ever. */
	if (getrlimit(RLIMIT_FSIZE, &size) != 0 || dup2(leaks, 2) != 2 ||
	    setrlimit(RLIMIT_FSIZE, &(struct rlimit){size.rlim_max, size.rlim_max}) != 0)
		return NOT_ASKED;
	return __lsan_do_recoverable_leak_check() != 0 ? LEAKED : status;
}

/* What was written there, with the image called IMAGE. */
static void take(int fd, const char *image, char *to, size_t size) {
	static char raw[sizeof((struct said *)NULL)->out];
	const ssize_t got = pread(fd, raw, sizeof raw - 1, 0);
	const char *const end = to + size - sizeof "IMAGE";

	close(fd);
	cr_assert(got >= 0 && (size_t)got < sizeof raw - 1, "%zd bytes", got);
	raw[got] = '\0';
	for (const char *at = raw; *at != '\0';) {
		cr_assert_lt((const void *)to, (const void *)end);
		if (image != NULL && strncmp(at, image, strlen(image)) == 0) {
			to = stpcpy(to, "IMAGE");
			at += strlen(image);
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
}

const struct said *ask(const struct verb *verb, const char *const *words, const struct ask_how *how) {
	static const struct ask_how plain;
	static struct said said;
	const int out = memfd_create("out", MFD_CLOEXEC), error = memfd_create("error", MFD_CLOEXEC),
		  leaks = memfd_create("leaks", MFD_CLOEXEC);
	char *argv[32];
	int argc = 0, status;
	pid_t child;

	how = how == NULL ? &plain : how;
	for (; words[argc] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)(how->image != NULL && strcmp(words[argc], "IMAGE") == 0 ? how->image
													 : words[argc]);
	argv[argc] = NULL;
	fflush(NULL);
	child = fork();
	cr_assert(child >= 0 && out >= 0 && error >= 0 && leaks >= 0);
	if (child == 0)
		_exit(run(verb, argc, argv, how, out, how->is_together ? out : error, leaks));
	cr_assert_eq(waitpid(child, &status, 0), child);
	take(out, how->image, said.out, sizeof said.out);
	take(error, how->image, said.error, sizeof said.error);
	cr_assert(WIFEXITED(status), "%s died: %d\n%s%s", verb->name, WTERMSIG(status), said.out, said.error);
	said.status = WEXITSTATUS(status);
	cr_assert_neq(said.status, NOT_ASKED, "%s could not be asked so", verb->name);
	if (said.status == LEAKED)
		take(leaks, NULL, said.error, sizeof said.error);
	else
		close(leaks);
	cr_assert_neq(said.status, LEAKED, "%s leaves memory behind:\n%s", verb->name, said.error);
	return &said;
}
