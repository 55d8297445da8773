/* SPDX-License-Identifier: ISC */
/* The last things the app inherits, and exec itself. */
#include "tests/launcher/room.h"

#include <sys/resource.h>

TestSuite(handover, .timeout = 60);

/* /tmp/.../open (0755) /closed (0700, root's) /inner; made by the test, gone when it ends. */
static char base[32], open_directory[64], closed_directory[96], inner_directory[128];

static void make_tree(void) {
	room_need_root();
	snprintf(base, sizeof(base), "/tmp/handover.XXXXXX");
	cr_assert(mkdtemp(base) != NULL && chmod(base, 0755) == 0);
	snprintf(open_directory, sizeof(open_directory), "%s/open", base);
	snprintf(closed_directory, sizeof(closed_directory), "%s/closed", open_directory);
	snprintf(inner_directory, sizeof(inner_directory), "%s/inner", closed_directory);
	cr_assert(mkdir(open_directory, 0755) == 0 && chmod(open_directory, 0755) == 0);
	cr_assert(mkdir(closed_directory, 0700) == 0 && mkdir(inner_directory, 0755) == 0);
}

static const char *file_of(const char *name) {
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", open_directory, name);
	return path;
}

static void make_file(const char *name, const char *bytes, mode_t mode) {
	int fd = open(file_of(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	cr_assert(fd >= 0 && write(fd, bytes, strlen(bytes)) == (ssize_t)strlen(bytes) && fchmod(fd, mode) == 0 &&
		  close(fd) == 0);
}

static void remove_tree(void) {
	static const char *const names[] = {"text", "data", "script", "lost", "link"};

	if (base[0] == '\0')
		return;
	for (size_t i = 0; i < COUNT(names); i++)
		unlink(file_of(names[i]));
	rmdir(inner_directory);
	rmdir(closed_directory);
	rmdir(open_directory);
	cr_expect(rmdir(base) == 0);
	base[0] = '\0';
}

static struct handed_over prepare(struct restored limits) {
	return handover_prepare(&room_plan, limits, (struct powerless){room_plan.uid.value}, &room_report);
}

static void state(void) {
	struct rlimit core = {9, 9};
	uint64_t all = ~UINT64_C(0);
	char cwd[256] = "";

	ROOM_EXPECT(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)) == 0);
	for (int fd = 3; fd <= 6; fd++)
		ROOM_EXPECT(dup2(1, fd) == fd && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
	room_become_app();
	umask(077);
	room_ordinary_plan();
	room_plan.directory = "/usr";
	room_plan.keep_fds = UINT32_C(1) << 4 | UINT32_C(1) << 6;
	ROOM_EXPECT(prepare((struct restored){{0, 5000}}).umask == 0027);
	ROOM_EXPECT(getcwd(cwd, sizeof(cwd)) != NULL && strcmp(cwd, "/usr") == 0, "%s", cwd);
	ROOM_EXPECT_STATUS("Umask", "0027");
	ROOM_EXPECT_STATUS("NoNewPrivs", "1");
	ROOM_EXPECT_STATUS("SigBlk", "0000000000000000");
	ROOM_EXPECT(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 5000);
	for (int fd = 3; fd <= 6; fd++)
		ROOM_EXPECT(fcntl(fd, F_GETFD) == (fd % 2 == 0 ? 0 : FD_CLOEXEC), "fd %d", fd);
}

Test(handover, leaves_directory_umask_core_limit_and_no_new_privs) { room_passes(state); }

static void last_kept(void) {
	ROOM_EXPECT(dup2(1, POLICY_FD_LAST) == POLICY_FD_LAST && fcntl(POLICY_FD_LAST, F_SETFD, FD_CLOEXEC) == 0);
	room_become_app();
	room_ordinary_plan();
	room_plan.keep_fds = UINT32_C(1) << POLICY_FD_LAST;
	prepare((struct restored){0});
	ROOM_EXPECT(fcntl(POLICY_FD_LAST, F_GETFD) == 0);
}

Test(handover, the_last_descriptor_that_can_be_kept) { room_passes(last_kept); }

static const char *directory;

static void enter(void) {
	room_become_app();
	room_ordinary_plan();
	room_plan.directory = directory;
	prepare((struct restored){0});
}

Test(handover, a_closed_directory_is_named, .init = make_tree, .fini = remove_tree) {
	char words[512];

	/* What was meant, and the first part of it that is closed. */
	directory = inner_directory;
	snprintf(words, sizeof(words), "runas-app: %s: the app user cannot enter \"%s\": Permission denied [directory]",
		 inner_directory, closed_directory);
	room_refuses(enter, 125, words);
	directory = closed_directory;
	snprintf(words, sizeof(words), "cannot enter \"%s\"", closed_directory);
	room_refuses(enter, 125, words);
	directory = open_directory;
	room_passes(enter);
}

Test(handover, a_missing_directory_is_named, .init = make_tree, .fini = remove_tree) {
	char path[256], words[512];

	snprintf(path, sizeof(path), "%s/none/inner", open_directory);
	snprintf(words, sizeof(words),
		 "cannot enter \"%s/none\": No such file or directory [directory]\nhint: make it, or ", open_directory);
	directory = path;
	room_refuses(enter, 125, words);
}

static void kept(void) {
	ROOM_EXPECT(chdir("/usr") == 0);
	room_become_app();
	room_ordinary_plan();
	room_plan.keeps_cwd = true;
	room_plan.directory = directory;
	prepare((struct restored){0});
}

/* By path the app user must come to the same directory in which the caller stands. */
Test(handover, a_kept_cwd_must_be_the_same_directory) {
	directory = "/usr";
	room_passes(kept);
	directory = "/etc";
	room_refuses(kept, 125, "is not the directory that was meant");
}

static void wrong_order(void) {
	room_become_app();
	room_ordinary_plan();
	handover_prepare(&room_plan, (struct restored){0}, (struct powerless){0}, &room_report);
}

Test(handover, receipts_of_another_plan_are_refused) { room_refuses(wrong_order, 125, "[handover]"); }

static long lie;

static void lied_to(void) {
	const struct rlimit core = {100, 5000};
	uint64_t all = ~UINT64_C(0);

	ROOM_EXPECT(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)) == 0);
	ROOM_EXPECT(setrlimit(RLIMIT_CORE, &core) == 0);
	ROOM_EXPECT(fcntl(1, F_DUPFD_CLOEXEC, 3) == 3);
	umask(077);
	room_ordinary_plan();
	room_plan.directory = "/usr";
	room_plan.keep_fds = UINT32_C(1) << 3;
	room_answer(lie, 0);
	prepare((struct restored){{0, 0}});
}

Test(handover, calls_that_answer_0_without_being_done_are_noticed) {
	static const long lies[] = {SYS_chdir, SYS_umask, SYS_prlimit64, SYS_prctl, SYS_rt_sigprocmask};

	for (size_t i = 0; i < COUNT(lies); i++) {
		struct room_end end;

		lie = lies[i];
		end = room_run(lied_to);
		cr_expect(!room->is_done && end.status == 125, "system call %ld: status %d, %s: %s%s", lie, end.status,
			  room->is_done ? "went on" : "refused", end.said, room->failures);
	}
}

/* --- exec ------------------------------------------------------------------------------------------------------------------ */

static const char *candidates[4];
static char *arguments[] = {(char *)"name", (char *)"a b", (char *)"", NULL};

static void execute(void) {
	static char variable[] = "ONLY=this";

	room_become_app();
	room_ordinary_plan();
	room_plan.argv = arguments;
	for (room_plan.path_count = 0; candidates[room_plan.path_count] != NULL; room_plan.path_count++)
		room_plan.paths[room_plan.path_count] = candidates[room_plan.path_count];
	room_plan.environment.strings[0] = variable;
	room_plan.environment.count = 1;
	handover_exec(&room_plan, (struct sealed){1}, &room_report);
}

static void set_candidates(const char *a, const char *b, const char *c) {
	candidates[0] = a;
	candidates[1] = b;
	candidates[2] = c;
}

Test(handover, runs_with_the_plans_arguments_and_environment_only) {
	struct room_end end;

	set_candidates("/proc/self/no-such-file", "/etc/passwd/x", "/usr/bin/printenv");
	arguments[1] = NULL;
	end = room_run(execute);
	cr_expect(end.status == 0 && strcmp(end.said, "ONLY=this\n") == 0, "status %d: %s", end.status, end.said);
	arguments[1] = (char *)"%s|";
	set_candidates("/usr/bin/printf", NULL, NULL);
	end = room_run(execute);
	cr_expect(end.status == 0 && strcmp(end.said, "|") == 0, "status %d: %s", end.status, end.said);
}

Test(handover, what_is_nowhere_is_not_found) {
	set_candidates("/usr/no-such-file", "/no-such-directory/x", "/etc/passwd/x");
	room_refuses(execute, 127, "runas-app: command not found: \"name\" [not-found]");
}

Test(handover, a_file_without_x_is_not_executable, .init = make_tree, .fini = remove_tree) {
	char data[256];

	make_file("data", "no program", 0644);
	snprintf(data, sizeof(data), "%s", file_of("data"));
	set_candidates("/usr/no-such-file", data, NULL);
	room_refuses(execute, 126, "cannot be executed: Permission denied [not-executable]");
	set_candidates(data, "/usr/bin/printenv", NULL);
	arguments[1] = NULL;
	cr_expect(room_run(execute).status == 0, "a later candidate runs");
}

/* A shell would run it: execvp(3) does so. */
Test(handover, a_text_without_interpreter_is_never_handed_to_a_shell, .init = make_tree, .fini = remove_tree) {
	char text[256];

	make_file("text", "echo a shell ran this\n", 0755);
	snprintf(text, sizeof(text), "%s", file_of("text"));
	set_candidates(text, "/usr/bin/printenv", NULL);
	room_refuses(execute, 126, "Exec format error [not-executable]");
	cr_expect(strstr(room_run(execute).said, "a shell ran this") == NULL);
}

Test(handover, a_missing_interpreter_is_named, .init = make_tree, .fini = remove_tree) {
	char lost[256], words[512];

	make_file("lost", "#! /no/such/ruby -w\n", 0755);
	snprintf(lost, sizeof(lost), "%s", file_of("lost"));
	set_candidates(lost, NULL, NULL);
	snprintf(words, sizeof(words), "runas-app: %s: its interpreter does not exist: \"/no/such/ruby\" [not-found]",
		 lost);
	room_refuses(execute, 127, words);
	set_candidates(lost, "/usr/bin/printenv", NULL);
	room_refuses(execute, 127, words);
}

/* Not there is one thing, and a later candidate runs; not to be had is another. */
Test(handover, a_symlink_loop_is_named, .init = make_tree, .fini = remove_tree) {
	char loop[256];

	snprintf(loop, sizeof(loop), "%s", file_of("link"));
	cr_assert(symlink("link", loop) == 0);
	set_candidates(loop, "/usr/bin/printenv", NULL);
	room_refuses(execute, 126, "Too many levels of symbolic links [not-executable]");
}

Test(handover, a_file_in_a_closed_directory_is_as_good_as_not_there, .init = make_tree, .fini = remove_tree) {
	char hidden[256];

	snprintf(hidden, sizeof(hidden), "%s/x", closed_directory);
	set_candidates(hidden, NULL, NULL);
	room_refuses(execute, 127, "[not-found]");
}

static void execute_unsealed(void) {
	room_become_app();
	room_ordinary_plan();
	room_plan.argv = arguments;
	room_plan.paths[0] = "/usr/bin/printenv";
	room_plan.path_count = 1;
	handover_exec(&room_plan, (struct sealed){0}, &room_report);
}

Test(handover, nothing_runs_without_a_filter) {
	struct room_end end = room_run(execute_unsealed);

	cr_expect(end.status >= 125 && end.status <= 127, "status %d: %s", end.status, end.said);
}
