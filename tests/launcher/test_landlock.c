/* SPDX-License-Identifier: ISC */
/* Write lists, by Landlock: what the app user, which owns everything here, can still write to. */
#include "tests/launcher/written.h"

#include <sys/ioctl.h>

TestSuite(landlock, .timeout = 120);

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
