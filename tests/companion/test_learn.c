/* SPDX-License-Identifier: ISC */
/* runas-policy learn, what of it needs no root: which calls are asked about, and which directories cover what was written. */
#include "companion/evaluate.h"
#include "companion/learn_copy.h"
#include "companion/learn_watch.h"
#include "companion/output.h"
#include "companion/verb.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- paths --- */

static char *cover(const char *const *files, const char *const *directories, size_t most) {
	struct learn_paths seen = {0}, covered;
	char *ret = output_memory(strdup(""));

	for (; files != NULL && *files != NULL; files++)
		learn_paths_add(&seen, *files, false);
	for (; directories != NULL && *directories != NULL; directories++)
		learn_paths_add(&seen, *directories, true);
	covered = learn_paths_cover(&seen, most);
	for (size_t i = 0; i < covered.count; i++) {
		char *longer = output_format("%s %s", ret, covered.list[i].path);

		free(ret);
		ret = longer;
	}
	learn_paths_free(&covered);
	learn_paths_free(&seen);
	return ret;
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_cover(const char *const *files, const char *const *directories, size_t most, const char *expected) {
	char *got = cover(files, directories, most);

	cr_expect_str_eq(got, expected);
	free(got);
}

Test(learn, proposes_few_directories) {
	/* One file alone stays a file; two are a directory. */
	expect_cover(LIST("/srv/a/one"), NULL, 9, " /srv/a/one");
	expect_cover(LIST("/srv/a/one", "/srv/a/one"), NULL, 9, " /srv/a/one");
	expect_cover(LIST("/srv/a/one", "/srv/a/two"), NULL, 9, " /srv/a");
	/* What is made in a directory is its matter, however deep; a name that only begins alike is another one. */
	expect_cover(LIST("/srv/a/x/y/file", "/srv/ab/file"), LIST("/srv/a/x", "/srv/a"), 9, " /srv/a /srv/ab/file");
	expect_cover(NULL, LIST("/srv/b/log", "/srv/b/tmp", "/srv/a"), 9, " /srv/a /srv/b/log /srv/b/tmp");
	/* Never wider than asked for below the top of the tree. */
	expect_cover(LIST("/etc/one", "/etc/two"), NULL, 1, " /etc/one /etc/two");
	expect_cover(NULL, LIST("/", "/proc", "/dev", "/dev/shm"), 9, " /dev/shm");
	/* Too many: where the most brothers are. */
	expect_cover(NULL, LIST("/srv/a/1", "/srv/a/2", "/srv/a/3", "/srv/b/1", "/srv/b/2"), 3,
		     " /srv/a /srv/b/1 /srv/b/2");
	expect_cover(NULL, NULL, 9, "");
}

Test(learn, drops_what_is_allowed) {
	struct learn_paths seen = {0};

	for (const char *const *path = LIST("/srv/a", "/srv/a/b", "/srv/ab", "/srv/a/b"); *path != NULL; path++)
		learn_paths_add(&seen, *path, true);
	cr_expect_eq(learn_paths_drop(&seen, "/srv/a"), 3);
	cr_assert_eq(seen.count, 1);
	cr_expect_str_eq(seen.list[0].path, "/srv/ab");
	cr_expect(learn_paths_is_below("/srv/a", "/srv/a") && learn_paths_is_below("/srv", "/"));
	cr_expect_not(learn_paths_is_below("/srv", "/srv/a"));
	learn_paths_free(&seen);
}

/* --- which calls are asked about --- */

static uint32_t asked(const struct generated *filter, uint32_t number, int argument, uint64_t value) {
	const struct program program = {filter->code, filter->count};
	struct evaluate_call call = {.number = number, .arch = generate_arch()};

	if (argument >= 0)
		call.arguments[argument] = value;
	return evaluate_program(&program, &call).action;
}

Test(learn, asks_about_what_is_not_allowed_and_what_writes) {
	const struct shipped_program *shipped = program_find((struct text){"app-server", 10});
	struct generated *filter = output_memory(malloc(sizeof *filter));

	cr_assert_not_null(shipped);
	cr_assert(learn_watch_filter(&shipped->enforce, filter));
	for (const uint32_t *number =
		     (const uint32_t[]){SYS_mount, SYS_clone3, SYS_io_uring_setup, SYS_mkdirat, SYS_renameat2, SYS_bind,
					SYS_socket, SYS_clone, SYS_openat2, 1000, 0};
	     *number != 0; number++)
		cr_expect_eq(asked(filter, *number, -1, 0), SECCOMP_RET_USER_NOTIF, "call %u", *number);
	for (const uint32_t *number =
		     (const uint32_t[]){SYS_write, SYS_mmap, SYS_execve, SYS_exit_group, SYS_sendmsg, SYS_ioctl, 0};
	     *number != 0; number++)
		cr_expect_eq(asked(filter, *number, -1, 0), SECCOMP_RET_ALLOW, "call %u", *number);
	/* The launcher proves its filter with one of these. */
	cr_expect_eq(asked(filter, PROGRAM_PROOF_PROFILE, -1, 0), SECCOMP_RET_ALLOW);
	cr_expect_eq(asked(filter, PROGRAM_PROOF_TERMINAL, -1, 0), SECCOMP_RET_ALLOW);
	/* Reading is none of our business. */
	cr_expect_eq(asked(filter, SYS_openat, 2, O_RDONLY | O_CLOEXEC | O_DIRECTORY), SECCOMP_RET_ALLOW);
	for (const int *flags = (const int[]){O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE | O_RDWR, 0}; *flags != 0;
	     flags++)
		cr_expect_eq(asked(filter, SYS_openat, 2, (uint64_t)*flags), SECCOMP_RET_USER_NOTIF, "flags %#x",
			     *flags);

	/* `syscalls = none`: only what writes. */
	cr_assert(learn_watch_filter(NULL, filter));
	cr_expect_eq(asked(filter, SYS_mount, -1, 0), SECCOMP_RET_ALLOW);
	cr_expect_eq(asked(filter, SYS_mkdirat, -1, 0), SECCOMP_RET_USER_NOTIF);
	free(filter);
}

/* --- the copy of the policy --- */

static char *copy_of(const char *text) {
	char path[] = "/tmp/learn.XXXXXX.conf", *ret;
	struct findings findings = {0};
	struct draft *draft;
	struct image image;
	const int fd = mkstemps(path, 5);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	cr_assert(image_open(&image, NULL));
	draft = draft_open(&image, path, &findings);
	unlink(path);
	cr_assert(draft != NULL && draft->is_valid);
	ret = learn_copy_text(draft);
	draft_free(draft);
	findings_free(&findings);
	return ret;
}

Test(learn, takes_out_of_the_policy_what_it_is_to_learn) {
	char *copy =
		copy_of("runas-app = 1\nuser = 4002\n# why\n\nwrite = /srv/a\nwrite_enforce = strict\nsyscalls = mine\n"
			"tmp = /srv/tmp\ncommand = *");

	cr_expect_str_eq(copy,
			 "runas-app = 1\nuser = 4002\n# why\n\n#\n#\nsyscalls = complain mine\nenv = TMPDIR=/srv/tmp\n"
			 "command = *\n");
	free(copy);
	copy = copy_of("runas-app = 1\nuser = 4002\ncommand = *\n");
	cr_expect_str_eq(copy, "runas-app = 1\nuser = 4002\ncommand = *\nsyscalls = complain @app-server\n");
	free(copy);
	copy = copy_of("runas-app = 1\nuser = 4002\nsyscalls = none\ncommand = *\n");
	cr_expect_str_eq(copy, "runas-app = 1\nuser = 4002\nsyscalls = none\ncommand = *\n");
	free(copy);
}
