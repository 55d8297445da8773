/* SPDX-License-Identifier: ISC */
/* Write lists, by Landlock: what the app user, which owns everything here, can still write to. */
#include "tests/launcher/room.h"

#include <linux/landlock.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

TestSuite(landlock, .timeout = 120);

#define ABI_2_RIGHTS UINT64_C(0x3ff2) /* WRITE_FILE, REMOVE_*, MAKE_*, REFER */
#define ABI_3_RIGHTS UINT64_C(0x7ff2) /* and TRUNCATE */

/*
 * BASE/in and BASE/out, both the app's, with file, victim, moved and directory/; BASE/in/up -> /; BASE/out/link -> in;
 * BASE/closed (root's, 0700) /in. All but BASE itself is the app's to change, so that EACCES is Landlock's.
 * Made by the test, gone when it ends.
 */
static char base[32];

static const char *at(const char *name) {
	static char paths[8][128];
	static size_t next;
	char *path = paths[next++ % COUNT(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", base, name);
	return path;
}

static void make_file(const char *name, uid_t uid) {
	int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	cr_assert(fd >= 0 && write(fd, "bytes", 5) == 5 && fchown(fd, uid, uid) == 0 && close(fd) == 0, "%s", name);
}

static void make_directory(const char *name, uid_t uid, mode_t mode) {
	cr_assert(mkdir(at(name), 0700) == 0 && chown(at(name), uid, uid) == 0 && chmod(at(name), mode) == 0, "%s",
		  name);
}

static void make_tree(void) {
	room_need_root();
	snprintf(base, sizeof(base), "/tmp/landlock.XXXXXX");
	cr_assert(mkdtemp(base) != NULL && chmod(base, 0755) == 0);
	for (int i = 0; i < 2; i++) {
		const char *const top = i == 0 ? "in" : "out";
		char name[64];

		make_directory(top, ROOM_APP, 0755);
		snprintf(name, sizeof(name), "%s/directory", top);
		make_directory(name, ROOM_APP, 0755);
		for (int k = 0; k < 3; k++) {
			snprintf(name, sizeof(name), "%s/%s", top, k == 0 ? "file" : k == 1 ? "victim" : "moved");
			make_file(name, ROOM_APP);
		}
	}
	make_directory("closed", 0, 0700);
	make_directory("closed/in", ROOM_APP, 0755);
	cr_assert(symlink("../in", at("out/link")) == 0 && symlink("/", at("in/up")) == 0);
}

static void remove_tree(void) {
	char command[64];

	if (base[0] == '\0')
		return;
	snprintf(command, sizeof(command), "rm -rf -- %s", base);
	cr_expect(system(command) == 0);
	base[0] = '\0';
}

static void need_landlock(int least) {
	if (landlock_abi() < least)
		SKIP(least < 3 ? "the kernel has no Landlock of ABI 2" : "the kernel has no Landlock of ABI 3");
}

static void make_tree_for_abi_2(void) {
	need_landlock(2);
	make_tree();
}

static void make_tree_for_abi_3(void) {
	need_landlock(3);
	make_tree();
}

/* --- what is tried; each leaves things as they were ------------------------------------------------------------- */

static int as_error(long answer) { return answer < 0 ? errno : 0; }

static int try_open(const char *path, int flags) {
	const int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600), error = errno;

	if (fd >= 0)
		close(fd);
	return fd < 0 ? error : 0;
}

static int try_append(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/file", directory);
	return try_open(path, O_WRONLY | O_APPEND);
}

static int try_read_write(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/file", directory);
	return try_open(path, O_RDWR);
}

static int try_truncate(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/file", directory);
	return as_error(truncate(path, 5));
}

static int try_open_truncating(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/file", directory);
	return try_open(path, O_RDONLY | O_TRUNC);
}

static int try_create(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/new", directory);
	int error = try_open(path, O_WRONLY | O_CREAT | O_EXCL);
	if (error == 0)
		error = as_error(unlink(path));
	return error;
}

static int try_unlink(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/victim", directory);
	return as_error(unlink(path));
}

static int try_rmdir(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/directory", directory);
	return as_error(rmdir(path));
}

static int try_mkdir(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/new", directory);
	const int error = as_error(mkdir(path, 0700));
	return error != 0 ? error : as_error(rmdir(path));
}

static int try_rename(const char *directory) {
	char from[160], to[160];

	snprintf(from, sizeof(from), "%s/moved", directory);
	snprintf(to, sizeof(to), "%s/away", directory);
	const int error = as_error(rename(from, to));
	return error != 0 ? error : as_error(rename(to, from));
}

static int try_exchange(const char *directory) {
	char from[160], to[160];

	snprintf(from, sizeof(from), "%s/moved", directory);
	snprintf(to, sizeof(to), "%s/file", directory);
	return as_error(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE));
}

static int try_mkfifo(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/new", directory);
	const int error = as_error(mkfifo(path, 0600));
	return error != 0 ? error : as_error(unlink(path));
}

static int try_mknod(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/new", directory);
	const int error = as_error(mknod(path, S_IFREG | 0600, 0));
	return error != 0 ? error : as_error(unlink(path));
}

static int try_symlink(const char *directory) {
	char path[160];

	snprintf(path, sizeof(path), "%s/new", directory);
	const int error = as_error(symlink("/etc/passwd", path));
	return error != 0 ? error : as_error(unlink(path));
}

static int try_link(const char *directory) {
	char from[160], to[160];

	snprintf(from, sizeof(from), "%s/file", directory);
	snprintf(to, sizeof(to), "%s/new", directory);
	const int error = as_error(link(from, to));
	return error != 0 ? error : as_error(unlink(to));
}

static int try_unix_bind(const char *directory) {
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s/new", directory);
	const int error = as_error(bind(fd, (struct sockaddr *)&name, sizeof(name)));
	close(fd);
	return error != 0 ? error : as_error(unlink(name.sun_path));
}

static int try_temporary(const char *directory) { return try_open(directory, O_TMPFILE | O_WRONLY); }

/* unlink and rmdir last: what they take does not come back. */
static const struct attempt {
	const char *name;
	int (*try)(const char *directory);
} attempts[] = {
	{"append", try_append},	    {"read and write", try_read_write},
	{"create", try_create},	    {"mkdir", try_mkdir},
	{"rename", try_rename},	    {"exchange", try_exchange},
	{"mkfifo", try_mkfifo},	    {"mknod", try_mknod},
	{"symlink", try_symlink},   {"link", try_link},
	{"bind", try_unix_bind},    {"O_TMPFILE", try_temporary},
	{"truncate", try_truncate}, {"O_TRUNC", try_open_truncating},
	{"unlink", try_unlink},	    {"rmdir", try_rmdir},
};

static void expect_attempts(const char *directory, int want, int line) {
	for (size_t i = 0; i < COUNT(attempts); i++) {
		const int error = attempts[i].try(at(directory));

		room_expect(error == want, attempts[i].name, line, "in %s: errno %d", directory, error);
	}
}

/* --- the stage ----------------------------------------------------------------------------------------------------- */

static const struct handed_over ready = {0027};

static void become_ready(uint64_t rights) {
	room_become_app();
	ROOM_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	room_ordinary_plan();
	room_plan.write_rights = rights;
}

static void add_write(const char *path) { room_plan.writes[room_plan.write_count++] = path; }

static void limit(void) {
	errno = 0; /* as the stage before leaves it */
	ROOM_EXPECT(landlock_limit(&room_plan, ready, &room_report).umask == 0027);
}

static void unlimited(void) {
	become_ready(0);
	add_write(at("in"));
	limit();
	expect_attempts("in", 0, __LINE__);
	expect_attempts("out", 0, __LINE__);
}

/* Also the proof that the attempts below fail by nothing but the list. */
Test(landlock, without_rights_nothing_is_limited, .init = make_tree, .fini = remove_tree) { room_passes(unlimited); }

static void one_directory(void) {
	struct stat file = {.st_size = -1};

	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	limit();
	expect_attempts("out", EACCES, __LINE__);
	expect_attempts("in", 0, __LINE__);
	ROOM_EXPECT(access(at("out/victim"), F_OK) == 0 && access(at("out/directory"), F_OK) == 0);
	ROOM_EXPECT(stat(at("out/file"), &file) == 0 && file.st_size == 5, "%ld bytes are left", (long)file.st_size);
}

Test(landlock, what_is_not_listed_cannot_be_written, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_passes(one_directory);
}

static void below(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in/directory"));
	limit();
	ROOM_EXPECT(mkdir(at("in/directory/deep"), 0700) == 0 && try_create(at("in/directory/deep")) == 0);
	ROOM_EXPECT(try_create(at("in")) == EACCES && try_append(at("in")) == EACCES && try_rmdir(at("in")) == EACCES);
	ROOM_EXPECT(try_append(at("in/directory/../../out")) == EACCES && try_append(at("in/directory/..")) == EACCES);
}

Test(landlock, everything_below_a_listed_directory_and_nothing_above, .init = make_tree_for_abi_3,
     .fini = remove_tree) {
	room_passes(below);
}

/* A hard link or a rename into the list would open what is outside; out of it, it would leave what is inside anywhere. */
static int cross(int which) {
	switch (which) {
	case 0: return as_error(link(at("out/file"), at("in/new")));
	case 1: return as_error(link(at("in/file"), at("out/new")));
	case 2: return as_error(rename(at("out/file"), at("in/new")));
	case 3: return as_error(rename(at("in/file"), at("out/new")));
	case 4: return as_error(rename(at("in/moved"), at("out/victim")));
	case 5: return as_error(rename(at("out/directory"), at("in/new")));
	case 6: return as_error(rename(at("in/directory"), at("out/new")));
	default: return as_error(renameat2(AT_FDCWD, at("in/file"), AT_FDCWD, at("out/file"), RENAME_EXCHANGE));
	}
}

static int crossing;

static void cross_limited(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	limit();
	const int error = cross(crossing);
	ROOM_EXPECT(error == EXDEV || error == EACCES, "crossing %d: errno %d", crossing, error);
}

static void cross_unlimited(void) {
	become_ready(0);
	limit();
	const int error = cross(crossing);
	ROOM_EXPECT(error == 0, "crossing %d: errno %d", crossing, error);
}

Test(landlock, nothing_moves_into_the_list_or_out_of_it, .fini = remove_tree) {
	need_landlock(3);
	for (crossing = 0; crossing < 8; crossing++) {
		make_tree();
		room_passes(cross_limited);
		room_passes(cross_unlimited);
		remove_tree();
	}
}

static void two_lists(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	add_write(at("out/directory"));
	limit();
	ROOM_EXPECT(try_create(at("in")) == 0 && try_create(at("out/directory")) == 0 &&
		    try_create(at("out")) == EACCES);
	ROOM_EXPECT(rename(at("in/file"), at("out/directory/file")) == 0, "REFER is allowed in both: errno %d", errno);
}

Test(landlock, every_listed_path_counts, .init = make_tree_for_abi_3, .fini = remove_tree) { room_passes(two_lists); }

static void one_file(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("out/file"));
	limit();
	ROOM_EXPECT(try_append(at("out")) == 0 && try_read_write(at("out")) == 0);
	ROOM_EXPECT(try_truncate(at("out")) == 0 && try_open_truncating(at("out")) == 0);
	ROOM_EXPECT(try_open(at("out/victim"), O_WRONLY) == EACCES && truncate(at("out/victim"), 0) == -1 &&
		    errno == EACCES);
	ROOM_EXPECT(try_create(at("out")) == EACCES && try_unlink(at("out")) == EACCES &&
		    try_rename(at("out")) == EACCES);
	ROOM_EXPECT(unlink(at("out/file")) == -1 && errno == EACCES, "nor is it replaced: errno %d", errno);
	ROOM_EXPECT(rename(at("out/victim"), at("out/file")) == -1 && errno == EACCES, "errno %d", errno);
}

Test(landlock, a_file_can_be_listed_without_its_directory, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_passes(one_file);
}

/* It is the directory at launch that counts: a `current` that is turned later still means the release that was. */
static void by_symlink(void) {
	int go[2];

	become_ready(ABI_3_RIGHTS);
	ROOM_EXPECT(pipe2(go, O_CLOEXEC) == 0);
	if (fork() == 0) { /* not limited: it turns the link as soon as the other end closes */
		char byte;

		close(go[1]);
		_exit(read(go[0], &byte, 1) != 0 || unlink(at("out/link")) != 0 ||
		      symlink("directory", at("out/link")) != 0);
	}
	add_write(at("out/link"));
	limit();
	ROOM_EXPECT(try_create(at("in")) == 0 && try_create(at("out/link")) == 0);
	ROOM_EXPECT(try_create(at("out")) == EACCES);
	ROOM_EXPECT(unlink(at("out/link")) == -1 && errno == EACCES, "the link itself is not in the list: errno %d",
		    errno);
	int turned = -1;
	close(go[1]);
	ROOM_EXPECT(wait(&turned) > 0 && turned == 0);
	ROOM_EXPECT(try_create(at("in")) == 0 && try_create(at("out/link")) == EACCES,
		    "it points to out/directory now");
}

Test(landlock, a_symlink_is_what_it_pointed_at, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_passes(by_symlink);
}

static void abi_2(void) {
	become_ready(ABI_2_RIGHTS);
	add_write(at("in"));
	add_write(at("out/victim"));
	limit();
	for (size_t i = 0; i < COUNT(attempts); i++) {
		const bool is_hole = attempts[i].try == try_truncate || attempts[i].try == try_open_truncating;
		const int error = attempts[i].try(at("out"));

		ROOM_EXPECT(error == (is_hole ? 0 : EACCES), "%s: errno %d", attempts[i].name, error);
	}
	ROOM_EXPECT(try_open(at("out/victim"), O_WRONLY | O_TRUNC) == 0);
	expect_attempts("in", 0, __LINE__);
}

/* What log and documents say of ABI 2: everything is refused but emptying a file. */
Test(landlock, the_rights_of_abi_2_leave_truncate_open, .init = make_tree_for_abi_2, .fini = remove_tree) {
	room_passes(abi_2);
}

static void devices(void) {
	static const char *const open_ones[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/ptmx"};
	static const char *const others[] = {"/dev/random", "/dev/urandom"};
	int master, number = -1, unlock = 0;
	char name[32];

	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	limit();
	for (size_t i = 0; i < COUNT(open_ones); i++)
		ROOM_EXPECT(try_open(open_ones[i], O_RDWR) == 0, "%s: errno %d", open_ones[i],
			    try_open(open_ones[i], O_RDWR));
	ROOM_EXPECT(try_open("/dev/null", O_WRONLY | O_TRUNC) == 0, "as a shell's > opens it");
	ROOM_EXPECT(try_open("/dev/tty", O_RDWR) != EACCES);
	for (size_t i = 0; i < COUNT(others); i++)
		ROOM_EXPECT(try_open(others[i], O_WRONLY) == EACCES, "%s", others[i]);
	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	ROOM_EXPECT(master >= 0 && ioctl(master, TIOCSPTLCK, &unlock) == 0 && ioctl(master, TIOCGPTN, &number) == 0);
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	ROOM_EXPECT(try_open(name, O_RDWR) == 0, "%s: errno %d", name, try_open(name, O_RDWR));
}

Test(landlock, the_devices_that_programs_need_stay_open, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_passes(devices);
}

static void only_devices(void) {
	become_ready(ABI_3_RIGHTS);
	limit();
	expect_attempts("in", EACCES, __LINE__);
	ROOM_EXPECT(try_open("/dev/null", O_WRONLY) == 0);
}

Test(landlock, an_empty_list_still_limits, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_passes(only_devices);
}

/* What is documented as left: it can be taken away elsewhere (its owner, no descriptors), not by Landlock. */
static void left_open(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	const int before = open(at("out/file"), O_WRONLY | O_CLOEXEC);
	limit();
	ROOM_EXPECT(chmod(at("out/file"), 0600) == 0, "errno %d", errno);
	ROOM_EXPECT(utimensat(AT_FDCWD, at("out/file"), NULL, 0) == 0, "errno %d", errno);
	ROOM_EXPECT(before > 2 && write(before, "still", 5) == 5, "errno %d", errno);
	ROOM_EXPECT(try_open(at("out/file"), O_RDONLY) == 0, "reading is not limited");
}

Test(landlock, what_it_does_not_stop_is_as_documented, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_passes(left_open);
}

static void leaves_nothing_open(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	add_write(at("out/file"));
	limit();
	for (int fd = 3; fd < 64; fd++)
		ROOM_EXPECT(fcntl(fd, F_GETFD) == -1, "descriptor %d", fd);
}

Test(landlock, no_descriptor_is_left, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_passes(leaves_nothing_open);
}

/* --- refusals -------------------------------------------------------------------------------------------------------- */

static const char *listed;

static void listing(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	add_write(listed);
	limit();
}

static void expect_unreachable(const char *path, const char *first, const char *error) {
	char words[512];

	listed = at(path);
	snprintf(words, sizeof(words),
		 "runas-app: %s: the app user cannot reach \"%s\": %s [write]\nhint: a write path must exist", listed,
		 at(first), error);
	room_refuses(listing, 125, words);
}

Test(landlock, a_missing_path_is_refused_by_its_first_missing_part, .init = make_tree_for_abi_3, .fini = remove_tree) {
	expect_unreachable("in/none", "in/none", "No such file or directory");
	expect_unreachable("none/deeper/still", "none", "No such file or directory");
	expect_unreachable("in/none/deeper", "in/none", "No such file or directory");
	expect_unreachable("in/file/deeper", "in/file", "Not a directory");
}

Test(landlock, a_path_that_the_app_user_cannot_enter_is_refused, .init = make_tree_for_abi_3, .fini = remove_tree) {
	expect_unreachable("closed/in", "closed", "Permission denied");
	expect_unreachable("closed/in/deeper", "closed", "Permission denied");
}

static void wrong_order(void) {
	become_ready(0);
	landlock_limit(&room_plan, (struct handed_over){0}, &room_report);
}

Test(landlock, receipts_of_another_plan_are_refused) { room_refuses(wrong_order, 125, "[write]"); }

static void without_no_new_privs(void) {
	room_become_app();
	room_ordinary_plan();
	room_plan.write_rights = ABI_3_RIGHTS;
	limit();
}

Test(landlock, what_the_kernel_refuses_is_named) {
	need_landlock(3);
	room_refuses(without_no_new_privs, 125, "landlock_restrict_self: failed: Operation not permitted [write]");
}

static void unknown_right(void) {
	become_ready(ABI_3_RIGHTS | UINT64_C(1) << 60);
	limit();
}

Test(landlock, a_right_that_the_kernel_does_not_know_is_refused) {
	need_landlock(3);
	room_refuses(unknown_right, 125, "landlock_create_ruleset: failed: Invalid argument [write]");
}

static void everything_listed(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in/up")); /* -> / */
	limit();
}

/* A limit that shows nowhere cannot be told from one that is not there. */
Test(landlock, a_list_that_limits_nothing_is_refused, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_refuses(everything_listed, 125, "Landlock: did not take effect [write]");
}

static void layer_17(void) {
	const struct landlock_ruleset_attr handled = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_CHAR};

	become_ready(ABI_3_RIGHTS);
	for (int i = 0; i < 16; i++) {
		const int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0L);

		ROOM_EXPECT(ruleset > 2 && syscall(SYS_landlock_restrict_self, (long)ruleset, 0L) == 0 &&
			    close(ruleset) == 0);
	}
	limit();
}

/* Attack E7. */
Test(landlock, the_17th_layer_is_refused_by_name) {
	need_landlock(3);
	room_refuses(layer_17, 125,
		     "landlock_restrict_self: failed: Argument list too long [write]\nhint: it takes 16 layers");
}

/* --- a kernel that says it did ------------------------------------------------------------------------------------------ */

static long lie;
static unsigned lie_error;

static void lied_to(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	room_answer(lie, lie_error);
	limit();
}

Test(landlock, calls_that_answer_0_without_being_done_are_noticed, .init = make_tree_for_abi_3, .fini = remove_tree) {
	static const struct {
		long call;
		const char *object;
	} lies[] = {
		{SYS_landlock_create_ruleset, "landlock_create_ruleset"},
		{SYS_landlock_restrict_self, "Landlock"},
		{SYS_openat, "/dev/null"},
	};
	char words[128];

	for (size_t i = 0; i < COUNT(lies); i++) {
		lie = lies[i].call;
		lie_error = 0;
		snprintf(words, sizeof(words), "runas-app: %s: did not take effect [write]", lies[i].object);
		room_refuses(lied_to, 125, words);
	}
}

Test(landlock, calls_that_fail_are_refused, .init = make_tree_for_abi_3, .fini = remove_tree) {
	static const struct {
		long call;
		const char *object;
	} calls[] = {
		{SYS_landlock_create_ruleset, "landlock_create_ruleset"},
		{SYS_landlock_add_rule, "/dev/null"},
		{SYS_landlock_restrict_self, "landlock_restrict_self"},
		{SYS_openat, "/dev/null"},
	};
	static const unsigned errors[] = {ENOSYS, EPERM, EINVAL, ENOMEM};
	char words[128];

	for (size_t i = 0; i < COUNT(calls) * COUNT(errors); i++) {
		lie = calls[i / COUNT(errors)].call;
		lie_error = errors[i % COUNT(errors)];
		snprintf(words, sizeof(words), "runas-app: %s: failed: %s [write]", calls[i / COUNT(errors)].object,
			 strerror((int)lie_error));
		room_refuses(lied_to, 125, words);
	}
}

/* Then the list is shorter than planned: less may be written, never more. */
static void lied_to_about_rules(void) {
	lied_to();
	expect_attempts("in", EACCES, __LINE__);
	expect_attempts("out", EACCES, __LINE__);
	ROOM_EXPECT(try_open("/dev/null", O_WRONLY) == EACCES);
}

Test(landlock, a_rule_that_was_not_added_allows_nothing, .init = make_tree_for_abi_3, .fini = remove_tree) {
	lie = SYS_landlock_add_rule;
	room_passes(lied_to_about_rules);
}

static void lied_to_about_files(void) {
	become_ready(ABI_3_RIGHTS);
	add_write(at("in"));
	room_answer(SYS_newfstatat, 0);
	room_answer(SYS_fstat, 0);
	limit();
}

Test(landlock, a_status_that_was_not_read_is_noticed, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_refuses(lied_to_about_files, 125, "runas-app: /dev/null: did not take effect [write]");
}

/* The ruleset stays open, and closes on exec. */
static void lied_to_about_closing(void) {
	lie = SYS_close;
	lied_to();
	for (int fd = 3; fd < 64; fd++)
		ROOM_EXPECT(fcntl(fd, F_GETFD) == -1 || fcntl(fd, F_GETFD) == FD_CLOEXEC, "descriptor %d", fd);
}

Test(landlock, what_a_false_close_leaves_closes_on_exec, .init = make_tree_for_abi_3, .fini = remove_tree) {
	room_passes(lied_to_about_closing);
}
