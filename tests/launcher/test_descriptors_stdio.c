/* SPDX-License-Identifier: ISC */
/* stdio_chown: which of descriptors 0 to 2 become the app user's. */
#include "tests/launcher/room.h"

#include <sys/fsuid.h>
#include <sys/socket.h>

TestSuite(descriptors, .timeout = 60);

static struct stat status_of(int fd) {
	struct stat file;
	char path[32];

	memset(&file, 0xff, sizeof(file));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ROOM_EXPECT(stat(path, &file) == 0, "%s: errno %d", path, errno);
	return file;
}

static void expect_owner(int fd, uid_t uid, gid_t gid, int line) {
	const struct stat file = status_of(fd);

	room_expect(file.st_uid == uid && file.st_gid == gid, "owner", line, "descriptor %d: %u:%u, not %u:%u", fd,
		    file.st_uid, file.st_gid, uid, gid);
}

/* One pipe each on 0, 1 and 2, as `docker run` makes them; the other ends stand at 10 to 12. */
static void make_stdio_pipes(void) {
	const int said = fcntl(2, F_DUPFD_CLOEXEC, 20);

	ROOM_EXPECT(said == 20);
	for (int fd = 0; fd <= 2; fd++) {
		int ends[2];

		ROOM_EXPECT(pipe2(ends, O_CLOEXEC) == 0);
		ROOM_EXPECT(dup2(ends[fd == 0 ? 0 : 1], fd) == fd &&
			    dup3(ends[fd == 0 ? 1 : 0], 10 + fd, O_CLOEXEC) == 10 + fd);
		close(ends[0]);
		close(ends[1]);
	}
	room_ordinary_plan();
	room_plan.owns_stdio = true;
	room_plan.gid.value = ROOM_WEB;
}

static void give(void) {
	errno = 0; /* as the stage before leaves it */
	descriptors_give_stdio(&room_plan, &room_report);
}

static void pipes_given(void) {
	make_stdio_pipes();
	for (int fd = 0; fd <= 2; fd++)
		expect_owner(fd, 0, 0, __LINE__);
	give();
	for (int fd = 0; fd <= 2; fd++)
		expect_owner(fd, ROOM_APP, ROOM_WEB, __LINE__);
	give();
	expect_owner(0, ROOM_APP, ROOM_WEB, __LINE__);
	room_become_app();
	const int again = open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC);
	ROOM_EXPECT(again > 2 && write(again, "x", 1) == 1, "as a shell's > /dev/stdout: errno %d", errno);
	ROOM_EXPECT(open("/proc/self/fd/20", O_WRONLY | O_CLOEXEC) == -1 && errno == EACCES,
		    "any other pipe stays root's");
}

Test(descriptors, pipes_that_root_made_become_the_app_users) { room_passes(pipes_given); }

static void one_pipe_twice(void) {
	make_stdio_pipes();
	ROOM_EXPECT(dup2(1, 2) == 2);
	give();
	expect_owner(1, ROOM_APP, ROOM_WEB, __LINE__);
	expect_owner(2, ROOM_APP, ROOM_WEB, __LINE__);
}

Test(descriptors, one_pipe_at_1_and_2_is_given_once) { room_passes(one_pipe_twice); }

static void not_asked(void) {
	make_stdio_pipes();
	room_plan.owns_stdio = false;
	give();
	for (int fd = 0; fd <= 2; fd++)
		expect_owner(fd, 0, 0, __LINE__);
}

Test(descriptors, without_stdio_chown_nothing_is_given) { room_passes(not_asked); }

/* Puts it at 0, where the other two are pipes, and expects the same owner, rights and times of change afterwards. */
static void expect_untouched(int fd, int line) {
	room_expect(fd > 2 && dup2(fd, 0) == 0, "opened", line, "errno %d", errno);
	const struct stat before = status_of(0);
	usleep(20000); /* a clock tick: chown to the same owner would show in st_ctime */
	give();
	const struct stat after = status_of(0);

	room_expect(after.st_uid == before.st_uid && after.st_gid == before.st_gid && after.st_mode == before.st_mode &&
			    memcmp(&after.st_ctim, &before.st_ctim, sizeof(after.st_ctim)) == 0,
		    "untouched", line, "%u:%u, was %u:%u", after.st_uid, after.st_gid, before.st_uid, before.st_gid);
	expect_owner(1, ROOM_APP, ROOM_WEB, line);
	expect_owner(2, ROOM_APP, ROOM_WEB, line);
}

static void anothers_pipe(void) {
	int ends[2];

	make_stdio_pipes();
	setfsuid(ROOM_CALLER);
	setfsgid(ROOM_CALLER);
	ROOM_EXPECT(pipe2(ends, O_CLOEXEC) == 0);
	setfsuid(0);
	setfsgid(0);
	expect_owner(ends[0], ROOM_CALLER, ROOM_CALLER, __LINE__);
	expect_untouched(ends[0], __LINE__);
}

Test(descriptors, a_pipe_of_another_owner_is_not_touched) { room_passes(anothers_pipe); }

/* A group that somebody chose on purpose is no sign of a pipe that is not root's. */
static void roots_pipe_of_a_group(void) {
	make_stdio_pipes();
	ROOM_EXPECT(fchown(0, 0, ROOM_EXTRA) == 0);
	give();
	expect_owner(0, ROOM_APP, ROOM_WEB, __LINE__);
}

Test(descriptors, the_owner_alone_decides) { room_passes(roots_pipe_of_a_group); }

static char base[32], fifo[64], regular[64];

static void make_files(void) {
	room_need_root();
	snprintf(base, sizeof(base), "/tmp/descriptors.XXXXXX");
	cr_assert(mkdtemp(base) != NULL);
	snprintf(fifo, sizeof(fifo), "%s/fifo", base);
	snprintf(regular, sizeof(regular), "%s/file", base);
	int fd = open(regular, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert(fd >= 0 && close(fd) == 0 && mkfifo(fifo, 0600) == 0);
}

static void remove_files(void) {
	if (base[0] == '\0')
		return;
	unlink(fifo);
	unlink(regular);
	cr_expect(rmdir(base) == 0);
	base[0] = '\0';
}

static const char *opened;

static void a_file(void) {
	make_stdio_pipes();
	expect_untouched(open(opened, O_RDWR | O_NOCTTY | O_CLOEXEC), __LINE__);
}

/* What has a name has an administrator who chose its owner. */
Test(descriptors, what_has_a_name_is_not_touched, .init = make_files, .fini = remove_files) {
	const char *const files[] = {regular, fifo, "/dev/null", "/dev/zero"};

	for (size_t i = 0; i < COUNT(files); i++) {
		opened = files[i];
		room_passes(a_file);
	}
}

static void a_directory(void) {
	make_stdio_pipes();
	expect_untouched(open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), __LINE__);
}

Test(descriptors, a_directory_is_not_touched, .init = make_files, .fini = remove_files) { room_passes(a_directory); }

static void a_terminal(void) {
	const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	if (master < 0)
		room_lacks("needs /dev/ptmx");
	ROOM_EXPECT(grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	make_stdio_pipes();
	expect_owner(slave, 0, status_of(slave).st_gid, __LINE__);
	expect_untouched(slave, __LINE__);
	expect_untouched(master, __LINE__);
}

Test(descriptors, a_terminal_is_never_given) { room_passes(a_terminal); }

static void a_socket(void) {
	int ends[2];

	make_stdio_pipes();
	ROOM_EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	expect_untouched(ends[0], __LINE__);
}

Test(descriptors, a_socket_is_not_touched) { room_passes(a_socket); }

static void a_higher_one(void) {
	int ends[2];

	make_stdio_pipes();
	ROOM_EXPECT(pipe2(ends, 0) == 0 && dup2(ends[0], 3) == 3);
	give();
	expect_owner(3, 0, 0, __LINE__);
}

Test(descriptors, only_0_to_2_are_given) { room_passes(a_higher_one); }

/* What is said goes where the room hears it. */
static void hear(void) { ROOM_EXPECT(dup2(20, 2) == 2); }

static void without_chown(void) {
	make_stdio_pipes();
	hear();
	room_drop_capability(CAP_CHOWN);
	give();
}

Test(descriptors, without_the_capability_it_is_refused_by_name) {
	room_refuses(without_chown, 125,
		     "runas-app: descriptors 0 to 2: failed: Operation not permitted [stdio-chown]\nhint: needs "
		     "CAP_CHOWN: --cap-add=CHOWN\n");
}

static void nothing_to_give(void) {
	make_stdio_pipes();
	for (int fd = 0; fd <= 2; fd++)
		ROOM_EXPECT(fchown(fd, ROOM_CALLER, ROOM_CALLER) == 0);
	room_drop_capability(CAP_CHOWN);
	give();
}

Test(descriptors, the_capability_is_not_missed_where_there_is_no_such_pipe) { room_passes(nothing_to_give); }

static long lie;

static void lied_to_about_owners(void) {
	make_stdio_pipes();
	hear();
	room_answer(lie, 0);
	give();
}

Test(descriptors, a_chown_that_was_not_done_is_noticed) {
	lie = SYS_fchown;
	room_refuses(lied_to_about_owners, 125, "runas-app: descriptors 0 to 2: did not take effect [stdio-chown]");
}

static long other_lie;

static void lied_to_about_status(void) {
	make_stdio_pipes();
	hear();
	room_answer(lie, 0);
	if (other_lie != lie)
		room_answer(other_lie, 0);
	give();
}

/* Otherwise the launch would go on with less than stdio_chown promises. */
Test(descriptors, a_status_that_was_not_read_is_noticed) {
	static const long lies[][2] = {{SYS_newfstatat, SYS_fstat}, {SYS_fstatfs, SYS_fstatfs}};

	for (size_t i = 0; i < COUNT(lies); i++) {
		lie = lies[i][0];
		other_lie = lies[i][1];
		room_refuses(lied_to_about_status, 125,
			     "runas-app: descriptors 0 to 2: did not take effect [stdio-chown]");
	}
}
