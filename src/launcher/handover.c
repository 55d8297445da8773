/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

_Noreturn void handover_unreachable(const char *path, const char *word, const char *what, const char *hint,
				    const struct report *to) {
	struct problem why = {.status = PROBLEM_SELF, .word = word, .what = what, .hint = hint, .error = errno,
			      .object = text_of(path), .about = text_of(path)};
	char part[4096] = {0};

	for (size_t n = 0; n < why.about.length && n < sizeof(part) - 1; part[n] = path[n], n++)
		if (n > 0 && path[n] == '/' && chdir(part) != 0)
			why.about.length = n;
	report_problem(to, &why);
}

static void enter_directory(const struct launch_plan *plan, const struct report *to) {
	static const char *const hint = "make it, or let the app in: chgrp and chmod g+x; or set `directory`";
	struct stat before = {0}, here = {.st_ino = 1}, there = {.st_ino = 2};

	if (plan->keeps_cwd)
		(void)stat(".", &before); /* still zeroes: no directory has them */
	if (chdir(plan->directory) != 0)
		handover_unreachable(plan->directory, "directory", "the app user cannot enter", hint, to);
	if (stat(".", &here) != 0 || stat(plan->directory, &there) != 0 ||
	    here.st_ino != there.st_ino || here.st_dev != there.st_dev ||
	    (plan->keeps_cwd && (here.st_ino != before.st_ino || here.st_dev != before.st_dev)))
		report_problem(to, &(struct problem){.status = PROBLEM_SELF, .word = "directory", .hint = hint,
						     .object = text_of(plan->directory),
						     .what = "is not the directory that was meant"});
}

struct handed_over handover_prepare(const struct launch_plan *plan, struct restored limits, struct powerless after,
				    const struct report *to) {
	must(after.uid == plan->uid.value, to, "handover", "order", NULL);
	enter_directory(plan, to);
	umask(plan->umask);
	must(umask(plan->umask) == plan->umask, to, "handover", "umask", NULL);
	must(restore_limit(RLIMIT_CORE, limits.core.rlim_cur, limits.core.rlim_max), to,
	     "handover", "limit_core", NULL);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, to,
	     "handover", "no_new_privs", NULL);
	for (int fd = POLICY_FD_FIRST; fd <= POLICY_FD_LAST; fd++)
		if ((plan->keep_fds >> fd & 1) != 0)
			must(fcntl(fd, F_SETFD, 0) == 0 && fcntl(fd, F_GETFD) == 0, to, "handover", "keep_fds", NULL);
	must(entry_unblock_signals(), to, "handover", "signals", NULL);
	return (struct handed_over){plan->umask};
}

/* A script whose interpreter is missing fails with the same ENOENT as a missing file. */
static struct text find_interpreter(const char *path, char *line, size_t size) {
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const ssize_t length = fd < 0 ? -1 : read(fd, line, size);
	struct text rest = {line + 2, length > 2 && line[0] == '#' && line[1] == '!' ? (size_t)length - 2 : 0};
	if (fd >= 0)
		(void)close(fd);
	rest = text_until(&rest, "\n");
	return text_word(&rest);
}

_Noreturn void handover_exec(const struct launch_plan *plan, struct sealed after, const struct report *to) {
	struct problem why = {.status = PROBLEM_NOT_FOUND, .word = "not-found", .what = "command not found:",
			      .about = text_of(plan->argv[0]), .hint = "see `path` and `command` of the policy"};
	char line[256];

	for (size_t i = 0; after.instructions > 0 && i < plan->path_count; i++) {
		const struct text path = text_of(plan->paths[i]);
		struct stat file;

		execve(path.at, plan->argv, plan->environment.strings);
		const int error = errno;
		const bool is_next = error == ENOENT || error == ENOTDIR || error == EACCES;
		/* EACCES where the app user may not even look is as good as not there. */
		if (is_next && stat(path.at, &file) != 0)
			continue;
		why = (struct problem){.status = PROBLEM_DENIED, .word = "not-executable", .what = "cannot be executed",
				       .object = path, .error = error};
		why.hint = error == EACCES ? "the app user needs x on it, on a file system without noexec"
			   : error == EPERM ? "file capabilities have no effect under an empty bounding set: setcap -r"
			   : error == EAGAIN ? "the app user's processes reach RLIMIT_NPROC: limit_nproc" : NULL;
		if (error == ENOENT)
			why = (struct problem){.status = PROBLEM_NOT_FOUND, .word = "not-found", .object = path,
					       .what = "its interpreter does not exist:",
					       .about = find_interpreter(path.at, line, sizeof(line)),
					       .hint = "install it, or mend the file's #! line"};
		if (!is_next || error == ENOENT)
			break;
	}
	report_problem(to, &why);
}
