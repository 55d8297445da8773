/* SPDX-License-Identifier: ISC */
/* access: what it says is what the kernel does, over owners, modes, ACLs, mounts, attributes, symlinks and Landlock. */
#include "companion/access.h"
#include "companion/draft.h"
#include "companion/shell.h"
#include "tests/helpers/skip.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char acl_attribute[] = "system.posix_acl_access"; /* xattr(7) */
static char top[] = "/tmp/access.XXXXXX";

static void make_top(void) {
	if (geteuid() != 0)
		SKIP("only root can be somebody else, and ask the kernel");
	cr_assert_not_null(mkdtemp(top));
	cr_assert_eq(chmod(top, 0755), 0);
	cr_assert_eq(chdir(top), 0);
	umask(0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
	(void)status, (void)kind, (void)where;
	return remove(path);
}

static void remove_top(void) {
	if (geteuid() != 0)
		return;
	cr_expect_eq(chdir("/"), 0);
	umount2(top, MNT_DETACH); /* what a failed test left mounted */
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

TestSuite(access, .init = make_top, .fini = remove_top);

/* The same numbers each time: a case that fails can be looked at. */
static uint32_t state = 20261121;

static uint32_t any(uint32_t below) {
	state = state * 1664525U + 1013904223U;
	return (state >> 10) % below;
}

static uint32_t one_of(const uint32_t *list, uint32_t count) { return list[any(count)]; }

#define ONE_OF(...) one_of((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static const struct access_who people[] = {
	{.uid = 4001, .gid = 4001, .groups = (const uint32_t[]){4001, 4005}, .group_count = 2},
	{.uid = 4002, .gid = 4002},
	{.uid = 4003, .gid = 4006, .groups = (const uint32_t[]){4001, 4005}, .group_count = 2},
	{.uid = 0, .gid = 0, .overrides = true},
};

/* What the kernel answers them: 0 or errno. */
static int ask_kernel(const char *path, enum access_mode mode) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	char beside[512];
	bool is_directory;
	int fd = -1;

	switch (mode) {
	case ACCESS_ENTER: return chdir(path) == 0 ? 0 : errno;
	case ACCESS_READ: fd = open(path, O_RDONLY | O_NONBLOCK); break;
	case ACCESS_WRITE:
		snprintf(beside, sizeof beside, "%s/new", path);
		is_directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
		fd = is_directory
			     ? open(beside, O_WRONLY | O_CREAT | O_EXCL, 0600)
			     : open(path,
				    O_WRONLY | O_NONBLOCK | (access(path, F_OK) != 0 && errno == ENOENT ? O_CREAT : 0),
				    0600);
		break;
	case ACCESS_EXECUTE: execl(path, path, (char *)NULL); return errno;
	case ACCESS_CONNECT:
		memcpy(address.sun_path, path, strnlen(path, sizeof address.sun_path - 1));
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN ? 0
													      : errno;
	case ACCESS_DELETE:
		snprintf(beside, sizeof beside, "%s.away", path);
		return rename(path, beside) == 0 ? 0 : errno;
	}
	return fd >= 0 ? 0 : errno;
}

static void limit(const struct access_who *who) {
	const uint64_t rights =
		UINT64_C(0x3fff) &
		~(uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
	const struct landlock_ruleset_attr attributes = {.handled_access_fs = rights};
	const int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0L);
	struct stat status;

	for (size_t i = 0; i < who->write_count; i++) {
		struct landlock_path_beneath_attr rule = {.parent_fd = open(who->writes[i], O_PATH)};

		fstat(rule.parent_fd, &status);
		rule.allowed_access = S_ISDIR(status.st_mode) ? rights : LANDLOCK_ACCESS_FS_WRITE_FILE;
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0L) != 0)
			_exit(201);
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0L) != 0)
		_exit(202);
}

static int ask_as(const struct access_who *who, const char *path, enum access_mode mode) {
	gid_t groups[8];
	const pid_t child = fork();
	int status = 0;

	cr_assert(child >= 0);
	if (child == 0) {
		for (size_t i = 0; i < who->group_count; i++)
			groups[i] = who->groups[i];
		if (setgroups(who->group_count, groups) != 0 || setresgid(who->gid, who->gid, who->gid) != 0)
			_exit(200);
		/* Landlock paths are opened by the launcher as the app's user; what they are is what counts here. */
		if (who->is_limited)
			limit(who);
		if (setresuid(who->uid, who->uid, who->uid) != 0)
			_exit(200);
		_exit(ask_kernel(path, mode));
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) < 200, "status %x", (unsigned)status);
	return WEXITSTATUS(status);
}

static void show(const char *path) {
	struct stat status;
	unsigned char acl[128];
	const ssize_t length = getxattr(path, acl_attribute, acl, sizeof acl);

	if (lstat(path, &status) == 0)
		fprintf(stderr, "  %s %o %u:%u ACL of %zd bytes\n", path, status.st_mode, status.st_uid, status.st_gid,
			length);
}

static struct image here;

static size_t refused, allowed;

static void compare(const struct access_who *who, const char *relative, enum access_mode mode) {
	char path[256];
	struct access *answer;
	int error;

	snprintf(path, sizeof path, "%s/%s", top, relative);
	answer = access_path(&here, who, path, mode);
	error = ask_as(who, path, mode);
	if ((answer->verdict == ACCESS_ALLOWED) != (error == 0) ||
	    (error != 0 && answer->denials == 1 && answer->first->reason != ACCESS_WRONG_TYPE &&
	     answer->first->error != error)) {
		show("d");
		show(relative);
		show("l");
		show("l/link");
		cr_expect(false, "%u:%u %s %s: verdict %d (%s, error %d), kernel: %s", who->uid, who->gid,
			  access_mode_name(mode), relative, answer->verdict,
			  answer->first == NULL ? "-" : answer->first->path,
			  answer->first == NULL ? 0 : answer->first->error, strerror(error));
	}
	cr_expect_neq(answer->verdict, ACCESS_UNKNOWN);
	cr_expect_eq(answer->verdict == ACCESS_DENIED, answer->first != NULL);
	refused += error != 0;
	allowed += error == 0;
	access_free(answer);
}

static void add_entry(struct posix_acl_xattr_entry **to, unsigned tag, uint32_t id) {
	*(*to)++ = (struct posix_acl_xattr_entry){.e_tag = (uint16_t)tag, .e_perm = (uint16_t)any(8), .e_id = id};
}

/* Owner, group, mode and, often, an ACL: anything. */
static void shuffle(const char *path) {
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[9];
	} acl = {.header.a_version = POSIX_ACL_XATTR_VERSION};
	struct posix_acl_xattr_entry *to = acl.entries;
	const uint32_t most = ONE_OF(0, 0007, 0070, 0770, 0777, 0707);

	cr_assert_eq(lchown(path, ONE_OF(0, 4001, 4002), ONE_OF(0, 4001, 4005, 4006)), 0);
	removexattr(path, acl_attribute);
	cr_assert_eq(chmod(path, (any(01000) | most) | (any(4) == 0 ? S_ISVTX : 0)), 0);
	if (any(2) == 0)
		return;
	add_entry(&to, ACL_USER_OBJ, ACL_UNDEFINED_ID);
	for (uint32_t id = 4001; id <= 4002; id++)
		if (any(3) == 0)
			add_entry(&to, ACL_USER, id);
	add_entry(&to, ACL_GROUP_OBJ, ACL_UNDEFINED_ID);
	for (uint32_t id = 4005; id <= 4006; id++)
		if (any(2) == 0)
			add_entry(&to, ACL_GROUP, id);
	add_entry(&to, ACL_MASK, ACL_UNDEFINED_ID);
	if (any(3) != 0)
		to[-1].e_perm = 7;
	add_entry(&to, ACL_OTHER, ACL_UNDEFINED_ID);
	if (setxattr(path, acl_attribute, &acl, sizeof acl.header + (size_t)(to - acl.entries) * sizeof *acl.entries,
		     0) != 0)
		cr_assert_eq(errno, ENOTSUP, "%m");
}

static void copy_program(const char *to) {
	const int from = open("/bin/true", O_RDONLY | O_CLOEXEC), fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	cr_assert(from >= 0 && fd >= 0);
	while (sendfile(fd, from, NULL, 1 << 20) > 0)
		;
	close(from);
	close(fd);
}

static int make_objects(void) {
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "d/socket"};
	const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(image_open(&here, NULL));
	cr_assert_eq(mkdir("d", 0755), 0);
	cr_assert_eq(mkdir("d/directory", 0755), 0);
	cr_assert_eq(mkdir("l", 0755), 0);
	copy_program("d/file");
	cr_assert_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(listener, 4096), 0);
	return listener;
}

static void put_back(const char *path) {
	char beside[256];

	snprintf(beside, sizeof beside, "%s.away", path);
	rename(beside, path);
	snprintf(beside, sizeof beside, "%s/new", path);
	unlink(beside);
	unlink("d/absent");
}

static const struct {
	const char *name;
	enum access_mode modes[5];
	size_t mode_count;
} objects[] = {
	{"file", {ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE, ACCESS_DELETE, ACCESS_ENTER}, 5},
	{"directory", {ACCESS_ENTER, ACCESS_READ, ACCESS_WRITE, ACCESS_DELETE}, 4},
	{"socket", {ACCESS_CONNECT, ACCESS_DELETE}, 2},
	{"absent", {ACCESS_READ, ACCESS_WRITE}, 2},
};

static void compare_all(const struct access_who *who, const char *directory) {
	for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++)
		for (size_t mode = 0; mode < objects[i].mode_count; mode++) {
			char path[128], real[128];

			snprintf(path, sizeof path, "%s/%s", directory, objects[i].name);
			snprintf(real, sizeof real, "d/%s", objects[i].name);
			compare(who, path, objects[i].modes[mode]);
			put_back(real);
		}
}

Test(access, agrees_with_the_kernel_on_owners_modes_and_acls) {
	const int listener = make_objects();

	for (size_t round = 0; round < 150; round++) {
		shuffle("d");
		shuffle("d/file");
		shuffle("d/directory");
		shuffle("d/socket");
		compare_all(&people[round % 4], "d");
	}
	cr_expect_gt(refused, 200);
	cr_expect_gt(allowed, 200);
	close(listener);
}

Test(access, agrees_with_the_kernel_on_symlinks) {
	static const char *const targets[] = {"../d/file", "../d", "../d/directory/",	"../d/file/", "../d/absent",
					      "nowhere/x", "link", "../d/../d/./socket"};
	const int listener = make_objects();
	char absolute[64];

	snprintf(absolute, sizeof absolute, "%s/d/./file", top);
	for (size_t round = 0; round < 60; round++) {
		const char *target = targets[round % (sizeof targets / sizeof targets[0])];

		unlink("l/link");
		cr_assert_eq(symlink(round % 11 == 10 ? absolute : target, "l/link"), 0);
		cr_assert_eq(lchown("l/link", ONE_OF(0, 4001, 4002), 0), 0);
		shuffle("d");
		shuffle("d/file");
		cr_assert_eq(chown("l", ONE_OF(0, 4001), 0), 0);
		cr_assert_eq(chmod("l", ONE_OF(0755, 0777, 01777, 01777)), 0);
		for (size_t mode = ACCESS_ENTER; mode <= ACCESS_CONNECT; mode++) {
			compare(&people[any(4)], "l/link", (enum access_mode)mode);
			put_back("d/directory");
			put_back("d");
			unlink("d/new");
			unlink("d/absent");
		}
		compare(&people[any(4)], "l/link", ACCESS_DELETE);
		rename("l/link.away", "l/link");
	}
	close(listener);
}

Test(access, agrees_with_the_kernel_on_loops) {
	char from[16], to[16];

	make_objects();
	copy_program("x0");
	for (unsigned i = 1; i <= 42; i++) {
		snprintf(to, sizeof to, "x%u", i - 1);
		snprintf(from, sizeof from, "x%u", i);
		cr_assert_eq(symlink(to, from), 0);
	}
	for (unsigned i = 38; i <= 42; i++) {
		snprintf(from, sizeof from, "x%u", i);
		compare(&people[0], from, ACCESS_READ);
	}
	cr_expect_eq(allowed, 3);
	cr_expect_eq(refused, 2);
}

/* What the policy's `write` list does, by the rules that the launcher makes of it. */
Test(access, agrees_with_the_kernel_on_landlock) {
	char paths[4][64];
	const char *const all[] = {paths[0], paths[1], paths[2], paths[3]};
	struct access_who who;
	int listener;

	if (rehearsal_landlock_abi() < 2)
		SKIP("no Landlock here");
	listener = make_objects();
	snprintf(paths[0], sizeof paths[0], "%s/d", top);
	snprintf(paths[1], sizeof paths[1], "%s/d/file", top);
	snprintf(paths[2], sizeof paths[2], "%s/d/directory", top);
	snprintf(paths[3], sizeof paths[3], "%s/l", top);
	cr_assert_eq(symlink("../d", "l/link"), 0);
	for (size_t round = 0; round < 24; round++) {
		if (round >= 12) {
			shuffle("d");
			shuffle("d/file");
		}
		who = people[round % 3];
		who.is_limited = true;
		who.writes = all + round % 4;
		who.write_count = round % 5 == 4 ? 0 : 1 + (round % 4 < 3);
		chmod("d", round < 12 ? 0777 : 0755);
		chmod("d/directory", 0777);
		chmod("d/file", 0777);
		compare_all(&who, round % 2 == 0 ? "d" : "l/link");
	}
	cr_expect_gt(refused, 10);
	cr_expect_gt(allowed, 10);
	close(listener);
}

Test(access, agrees_with_the_kernel_on_mounts) {
	static const struct {
		unsigned long flags;
		enum access_reason reason;
		enum access_mode mode;
		const char *path;
	} cases[] = {
		{MS_RDONLY, ACCESS_READ_ONLY, ACCESS_WRITE, "d/file"},
		{MS_RDONLY, ACCESS_READ_ONLY, ACCESS_WRITE, "d/directory"},
		{MS_RDONLY, ACCESS_READ_ONLY, ACCESS_WRITE, "d/absent"},
		{MS_RDONLY, ACCESS_READ_ONLY, ACCESS_DELETE, "d/file"},
		{MS_NOEXEC, ACCESS_NOEXEC, ACCESS_EXECUTE, "d/file"},
		{MS_NODEV, ACCESS_NODEV, ACCESS_READ, "d/null"},
	};
	int listener;

	if (unshare(CLONE_NEWNS) != 0)
		SKIP("no mount namespaces here");
	cr_assert_eq(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	cr_assert_eq(mount("none", top, "tmpfs", 0, "mode=755"), 0);
	cr_assert_eq(chdir(top), 0);
	listener = make_objects();
	cr_assert_eq(mknod("d/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	chmod("d", 0777);
	chmod("d/file", 0777);
	chmod("d/directory", 0777);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct access *answer;
		char path[64];

		snprintf(path, sizeof path, "%s/%s", top, cases[i].path);
		cr_assert_eq(mount(NULL, top, NULL, MS_REMOUNT | cases[i].flags, NULL), 0);
		answer = access_path(&here, &people[0], path, cases[i].mode);
		cr_assert_not_null(answer->first, "%zu", i);
		cr_expect_eq(answer->first->reason, cases[i].reason);
		access_free(answer);
		compare(&people[0], cases[i].path, cases[i].mode);
		compare(&people[0], "d/socket", ACCESS_CONNECT);
		compare(&people[0], cases[i].path, ACCESS_READ);
		cr_assert_eq(mount(NULL, top, NULL, MS_REMOUNT, NULL), 0);
		compare(&people[0], cases[i].path, cases[i].mode);
		put_back(cases[i].path);
		put_back("d/directory");
	}
	close(listener);
}

Test(access, agrees_with_the_kernel_on_attributes) {
	int flags = FS_IMMUTABLE_FL, none = 0, fd;
	const int listener = make_objects();

	chmod("d", 0777);
	chmod("d/file", 0777);
	fd = open("d/file", O_RDONLY | O_CLOEXEC);
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0)
		SKIP("this file system, or this container, has no chattr +i");
	compare(&people[0], "d/file", ACCESS_WRITE);
	compare(&people[0], "d/file", ACCESS_DELETE);
	compare(&people[0], "d/file", ACCESS_READ);
	cr_expect_eq(refused, 2);
	cr_assert_eq(ioctl(fd, FS_IOC_SETFLAGS, &none), 0);
	close(fd);
	close(listener);
}

/* What cannot be seen is not guessed. */
Test(access, says_when_it_may_not_look) {
	struct access *answer;
	char path[64];
	int status;
	pid_t child;

	make_objects();
	snprintf(path, sizeof path, "%s/d/file", top);
	cr_assert_eq(chmod("d", 0700), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		if (setresuid(4009, 4009, 4009) != 0)
			_exit(9);
		answer = access_path(&here, &people[3], path, ACCESS_READ);
		_exit(answer->verdict == ACCESS_UNKNOWN && answer->first->reason == ACCESS_UNREADABLE ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	answer = access_path(&here, &people[0], "/proc/self/fd/1", ACCESS_WRITE);
	cr_expect_eq(answer->verdict, ACCESS_UNKNOWN);
	cr_assert_not_null(answer->first);
	cr_expect_eq(answer->first->reason, ACCESS_PROCESS_LINK);
	access_free(answer);
}

/* What /proc says of fs.protected_symlinks, for us alone. */
static void pretend(const char *value) {
	static bool is_alone;
	const int fd = open("switch", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert(fd >= 0 && write(fd, value, 1) == 1);
	close(fd);
	if (is_alone)
		return;
	if (unshare(CLONE_NEWNS) != 0)
		SKIP("no mount namespaces here");
	cr_assert_eq(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	cr_assert_eq(mount("switch", "/proc/sys/fs/protected_symlinks", NULL, MS_BIND, NULL), 0);
	is_alone = true;
}

/* The comparisons above show it only where the machine has it on. */
Test(access, symlinks_of_others_in_sticky_directories_are_protected) {
	const struct access_who *owner = &people[1], *other = &people[0];
	struct access *answer;
	char path[64];

	make_objects();
	pretend("1");
	snprintf(path, sizeof path, "%s/l/link", top);
	cr_assert_eq(chmod("l", 01777), 0);
	cr_assert_eq(symlink("../d/file", "l/link"), 0);
	cr_assert_eq(lchown("l/link", 4002, 4002), 0);
	answer = access_path(&here, other, path, ACCESS_READ);
	cr_assert_eq(answer->verdict, ACCESS_DENIED);
	cr_expect_eq(answer->first->reason, ACCESS_STICKY_LINK);
	access_free(answer);
	answer = access_path(&here, owner, path, ACCESS_READ);
	cr_expect_eq(answer->verdict, ACCESS_ALLOWED);
	access_free(answer);
	cr_assert_eq(chmod("l", 0777), 0);
	answer = access_path(&here, other, path, ACCESS_READ);
	cr_expect_eq(answer->verdict, ACCESS_ALLOWED);
	access_free(answer);
	cr_assert_eq(chmod("l", 01777), 0);
	pretend("0");
	answer = access_path(&here, other, path, ACCESS_READ);
	cr_expect_eq(answer->verdict, ACCESS_ALLOWED);
	access_free(answer);
	umount2("/proc/sys/fs/protected_symlinks", MNT_DETACH);
}

Test(access, stays_in_the_image) {
	struct image image;
	struct access *answer;

	make_objects();
	cr_assert(image_open(&image, top));
	cr_assert_eq(symlink("/etc/passwd", "up"), 0);
	answer = access_path(&image, &people[0], "/../../../d/file", ACCESS_READ);
	cr_expect_eq(answer->verdict, ACCESS_ALLOWED);
	cr_expect_str_eq(answer->target->path, "/d/file");
	access_free(answer);
	answer = access_path(&image, &people[0], "/d/../d/file", ACCESS_READ);
	cr_expect_eq(answer->verdict, ACCESS_ALLOWED);
	access_free(answer);
	cr_assert_eq(symlink("/d/file", "l/down"), 0);
	answer = access_path(&image, &people[0], "/l/down", ACCESS_READ);
	cr_expect_eq(answer->verdict, ACCESS_ALLOWED);
	access_free(answer);
	answer = access_path(&image, &people[0], "/up", ACCESS_READ);
	cr_expect_eq(answer->verdict, ACCESS_DENIED);
	cr_expect_eq(answer->first->reason, ACCESS_MISSING);
	access_free(answer);
	close(image.root);
}

Test(shell, words_come_back_as_they_were) {
	static const char *const words[] = {"/plain/path-1.log",
					    "two words",
					    "it's",
					    "$(reboot)",
					    "`x`",
					    "a\nb",
					    "\033[31m",
					    "\xff\xfe",
					    "",
					    "~",
					    "*",
					    "-n",
					    "a\\nb",
					    "caf\xc3\xa9 \xc3\xa9",
					    "'\x01'",
					    "=ls",
					    "a;b",
					    "#x",
					    "\xc2\x9b"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		char *quoted = shell_quoted(words[i]), got[64] = "";
		FILE *pipe;

		for (const char *at = quoted; *at != '\0'; at++)
			cr_expect(((unsigned char)*at >= 0x20 && *at != 0x7f), "%s", quoted);
		setenv("WORD", quoted, 1);
		pipe = popen("/bin/bash -c 'eval \"printf %s $WORD\"' x", "re");
		if (strcmp(words[i], "-n") != 0 && words[i][0] != '\0') {
			got[fread(got, 1, sizeof got - 1, pipe)] = '\0';
			cr_expect_str_eq(got, words[i], "%s", quoted);
		}
		pclose(pipe);
		free(quoted);
	}
}
