/* SPDX-License-Identifier: ISC */
/* Open and read what root alone could have written. Each test has a root directory of its own. */
#include "tests/launcher/room.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#define SIZE 4096
#define FILE_NAME "/etc/runas-app/app.conf"

static char base[32];
static int root = -1;

static void make_file(const char *name, const char *bytes) {
	int fd = openat(root, name + 1, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert(fd >= 0 && write(fd, bytes, strlen(bytes)) == (ssize_t)strlen(bytes) && fchmod(fd, 0644) == 0 &&
		  close(fd) == 0);
}

static void make_root(void) {
	if (geteuid() != 0)
		SKIP("needs root");
	umask(022);
	snprintf(base, sizeof(base), "/tmp/trusted.XXXXXX");
	cr_assert(mkdtemp(base) != NULL && chmod(base, 0755) == 0);
	root = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert(root > 2);
	cr_assert(mkdirat(root, "etc", 0755) == 0 && mkdirat(root, "etc/runas-app", 0755) == 0);
	make_file(FILE_NAME, "runas-app = 1\n");
}

static void remove_root(void) {
	char command[64];

	if (base[0] == '\0')
		return;
	snprintf(command, sizeof(command), "rm -rf -- %s", base);
	cr_expect(system(command) == 0);
}

TestSuite(trusted_file, .timeout = 60, .init = make_root, .fini = remove_root);

static char buffer[65536];

static size_t descriptors(void) {
	DIR *d = opendir("/proc/self/fd");
	size_t count = 0;

	cr_assert(d != NULL);
	while (readdir(d) != NULL)
		count++;
	closedir(d);
	return count;
}

struct outcome {
	bool is_read, is_missing;
	struct text bytes;
	struct problem why;
};

static struct outcome read_path(const char *path, size_t size) {
	const size_t before = descriptors();
	struct outcome o = {0};

	memset(buffer, 'x', sizeof(buffer));
	o.is_read = trusted_read(root, text_of(path), TRUST_FILE, buffer, size, &o.bytes, &o.why);
	o.is_missing = !o.is_read && o.why.error == ENOENT && text_is(o.why.object, path); /* as main.c tells it */
	cr_expect(descriptors() == before, "%s: a descriptor was left open", path);
	for (size_t i = size; i < sizeof(buffer); i++)
		cr_assert(buffer[i] == 'x', "%s: wrote behind the %zu bytes", path, size);
	return o;
}

static void expect_read(const char *path, const char *bytes) {
	struct outcome o = read_path(path, SIZE);

	cr_assert(o.is_read, "%s: %s", path, o.why.what);
	cr_expect(text_is(o.bytes, bytes), "%s: %.*s", path, (int)o.bytes.length, o.bytes.at);
}

static struct outcome expect_refused(const char *path, const char *word, const char *object) {
	struct outcome o = read_path(path, SIZE);

	cr_assert(!o.is_read, "%s was read", path);
	cr_assert(o.why.word != NULL && o.why.what != NULL);
	cr_expect(strcmp(o.why.word, word) == 0, "%s: %s (%s), not %s", path, o.why.word, o.why.what, word);
	cr_expect(text_is(o.why.object, object), "%s: %.*s, not %s", path, (int)o.why.object.length, o.why.object.at,
		  object);
	return o;
}

Test(trusted_file, reads_the_whole_file) {
	expect_read(FILE_NAME, "runas-app = 1\n");
	make_file("/empty", "");
	expect_read("/empty", "");
	cr_assert(fchmodat(root, "etc/runas-app/app.conf", 0400, 0) == 0);
	expect_read(FILE_NAME, "runas-app = 1\n");
}

/* No rule about hard links: the walk proves what matters, and image stores link files. */
/* Attack F2. */
Test(trusted_file, hard_links_are_files) {
	cr_assert(linkat(root, "etc/runas-app/app.conf", root, "etc/runas-app/other.conf", 0) == 0);
	expect_read("/etc/runas-app/other.conf", "runas-app = 1\n");
}

Test(trusted_file, a_missing_file_is_told_from_a_missing_directory) {
	cr_expect(expect_refused("/etc/runas-app/none.conf", "policy-missing", "/etc/runas-app/none.conf").is_missing);
	cr_expect(!expect_refused("/etc/none/app.conf", "policy-missing", "/etc/none").is_missing);
	cr_expect(!expect_refused("/none/runas-app/app.conf", "policy-missing", "/none").is_missing);
	cr_expect(!read_path(FILE_NAME, SIZE).is_missing);
}

Test(trusted_file, symlinks_are_refused_in_every_place) {
	cr_assert(symlinkat("app.conf", root, "etc/runas-app/link.conf") == 0);
	cr_assert(symlinkat("none", root, "etc/runas-app/dangling.conf") == 0);
	cr_assert(symlinkat("runas-app", root, "etc/linked") == 0);
	cr_assert(symlinkat("etc", root, "top") == 0);
	cr_expect(expect_refused("/etc/runas-app/link.conf", "policy-type", "/etc/runas-app/link.conf").why.hint !=
		  NULL);
	cr_expect(!expect_refused("/etc/runas-app/dangling.conf", "policy-type", "/etc/runas-app/dangling.conf")
			   .is_missing);
	expect_refused("/etc/linked/app.conf", "policy-type", "/etc/linked");
	expect_refused("/top/runas-app/app.conf", "policy-type", "/top");
	const struct problem why =
		expect_refused("/etc/runas-app/link.conf", "policy-type", "/etc/runas-app/link.conf").why;
	cr_expect(strcmp(why.what, "is a symlink") == 0 && why.error == 0, "%s: %d", why.what, why.error);
}

/* A FIFO must not block us: without a writer it would, for ever. */
Test(trusted_file, what_is_no_regular_file_is_refused, .timeout = 20) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(mkfifoat(root, "etc/runas-app/fifo.conf", 0644) == 0);
	expect_refused("/etc/runas-app/fifo.conf", "policy-type", "/etc/runas-app/fifo.conf");
	cr_assert(mkdirat(root, "etc/runas-app/directory.conf", 0755) == 0);
	expect_refused("/etc/runas-app/directory.conf", "policy-type", "/etc/runas-app/directory.conf");
	expect_refused("/etc/runas-app/app.conf/x", "policy-type", "/etc/runas-app/app.conf");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/etc/runas-app/s.conf", base);
	cr_assert(s >= 0 && bind(s, (struct sockaddr *)&address, sizeof(address)) == 0 && close(s) == 0);
	cr_expect(!read_path("/etc/runas-app/s.conf", SIZE).is_read, "a socket");
	if (mknodat(root, "etc/runas-app/device.conf", S_IFCHR | 0644, makedev(1, 3)) == 0)
		cr_expect(!read_path("/etc/runas-app/device.conf", SIZE).is_read, "a device");
}

Test(trusted_file, files_that_others_can_write_are_refused) {
	static const mode_t modes[] = {0664, 0646, 0620, 0602, 0666, 0777, 02664};

	for (size_t i = 0; i < COUNT(modes); i++) {
		cr_assert(fchmodat(root, "etc/runas-app/app.conf", modes[i], 0) == 0);
		expect_refused(FILE_NAME, "policy-mode", FILE_NAME);
	}
	cr_assert(fchmodat(root, "etc/runas-app/app.conf", 0644, 0) == 0);
	expect_read(FILE_NAME, "runas-app = 1\n");
}

Test(trusted_file, files_of_others_are_refused) {
	cr_assert(fchownat(root, "etc/runas-app/app.conf", 4001, 0, 0) == 0);
	expect_refused(FILE_NAME, "policy-owner", FILE_NAME);
	cr_assert(fchownat(root, "etc/runas-app/app.conf", 0, 4001, 0) == 0);
	expect_read(FILE_NAME, "runas-app = 1\n");
}

Test(trusted_file, directories_that_others_can_write_are_refused_at_every_depth) {
	static const struct {
		const char *path, *shown;
	} places[] = {{".", "/"}, {"etc", "/etc"}, {"etc/runas-app", "/etc/runas-app"}};
	static const mode_t modes[] = {0775, 0757, 0777, 01777, 02775};

	for (size_t i = 0; i < COUNT(places); i++) {
		for (size_t m = 0; m < COUNT(modes); m++) {
			cr_assert(fchmodat(root, places[i].path, modes[m], 0) == 0);
			expect_refused(FILE_NAME, "policy-mode", places[i].shown);
		}
		cr_assert(fchmodat(root, places[i].path, 0755, 0) == 0);
		cr_assert(fchownat(root, places[i].path, 4001, 0, 0) == 0);
		expect_refused(FILE_NAME, "policy-owner", places[i].shown);
		cr_assert(fchownat(root, places[i].path, 0, 0, 0) == 0);
	}
	expect_read(FILE_NAME, "runas-app = 1\n");
}

Test(trusted_file, files_have_a_size) {
	int fd = openat(root, "etc/runas-app/app.conf", O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && ftruncate(fd, SIZE) == 0);
	cr_expect(read_path(FILE_NAME, SIZE).is_read && read_path(FILE_NAME, SIZE).bytes.length == SIZE, "just fits");
	cr_assert(ftruncate(fd, SIZE + 1) == 0);
	expect_refused(FILE_NAME, "policy-size", FILE_NAME);
	cr_assert(ftruncate(fd, 2147483648LL) == 0);
	expect_refused(FILE_NAME, "policy-size", FILE_NAME);
	close(fd);
}

Test(trusted_file, names_too_long_for_a_file) {
	char path[600] = "/etc/";

	memset(path + 5, 'n', 256);
	cr_expect(!read_path(path, SIZE).is_read);
	strcpy(path + 5 + 256, "/app.conf");
	cr_expect(!read_path(path, SIZE).is_read);
	path[5 + 255] = '\0';
	cr_expect(read_path(path, SIZE).is_missing, "255 bytes are a name");
}

/* --- piece by piece --------------------------------------------------------------------------------------------------------- */

struct taken {
	char bytes[200000];
	size_t length, pieces, step; /* step: how many bytes to use up at most; 0: whole lines */
	void (*meanwhile)(void);
};
static struct taken taken;

static size_t take(void *context, struct text piece) {
	struct taken *t = context;
	size_t used = piece.length;

	if (t->meanwhile != NULL && t->pieces == 0)
		t->meanwhile();
	t->pieces++;
	if (t->step == 0) {
		for (; used > 0 && piece.at[used - 1] != '\n'; used--)
			;
		used = used == 0 ? piece.length : used; /* a line longer than the piece */
	} else if (used > t->step)
		used = t->step;
	cr_assert(t->length + used <= sizeof(t->bytes));
	if (used > 0)
		memcpy(t->bytes + t->length, piece.at, used);
	t->length += used;
	return used;
}

static bool stream(size_t size, struct problem *why) {
	const size_t before = descriptors();
	bool is_read;

	taken.length = taken.pieces = 0;
	is_read = trusted_stream(root, text_of(FILE_NAME), buffer, size, take, &taken, why);
	cr_expect(descriptors() == before, "a descriptor was left open");
	return is_read;
}

Test(trusted_file, a_stream_gives_every_byte_once) {
	static const char bytes[] =
		"root:x:0:0::/:/bin/sh\n\napp:x:4002:4002::/srv/app:/usr/sbin/nologin\nlast:x:1:1::/:/bin/sh\n";
	struct problem why;

	make_file(FILE_NAME, bytes);
	for (size_t size = 2; size < sizeof(bytes) + 8; size++) {
		cr_assert(stream(size, &why), "pieces of %zu: %s", size, why.what);
		cr_expect(taken.length == sizeof(bytes) - 1 && memcmp(taken.bytes, bytes, taken.length) == 0,
			  "pieces of %zu: %.*s", size, (int)taken.length, taken.bytes);
	}
}

Test(trusted_file, a_stream_ends_its_last_line) {
	struct problem why;

	make_file(FILE_NAME, "one\ntwo");
	cr_assert(stream(64, &why));
	cr_expect(taken.length == 8 && memcmp(taken.bytes, "one\ntwo\n", 8) == 0, "%.*s", (int)taken.length,
		  taken.bytes);
	make_file(FILE_NAME, "");
	cr_assert(stream(64, &why));
	cr_expect(taken.length == 0);
	/* Also where it fills the buffer: what is read next, another file, would pass for its rest. */
	make_file(FILE_NAME, "seven..");
	cr_assert(stream(8, &why));
	cr_expect(taken.length == 8 && memcmp(taken.bytes, "seven..\n", 8) == 0, "%.*s", (int)taken.length, taken.bytes);
}

Test(trusted_file, a_stream_has_lines_of_any_length) {
	struct problem why;
	int fd = openat(root, "etc/runas-app/app.conf", O_WRONLY | O_TRUNC | O_CLOEXEC);

	memset(buffer, 'm', sizeof(buffer));
	cr_assert(fd >= 0 && write(fd, buffer, 60000) == 60000 && write(fd, buffer, 60000) == 60000 &&
		  write(fd, "\nend\n", 5) == 5 && close(fd) == 0);
	cr_assert(stream(4096, &why), "%s", why.what);
	cr_expect(taken.length == 120005, "%zu", taken.length);
	cr_expect(memcmp(taken.bytes + taken.length - 5, "\nend\n", 5) == 0);
}

Test(trusted_file, a_stream_is_judged_as_a_file_is) {
	struct problem why;

	cr_assert(fchmodat(root, "etc/runas-app/app.conf", 0664, 0) == 0);
	cr_expect(!stream(4096, &why));
	cr_expect(strcmp(why.word, "policy-mode") == 0 && taken.pieces == 0);
}

static void append(void) {
	int fd = openat(root, "etc/runas-app/app.conf", O_WRONLY | O_APPEND | O_CLOEXEC);

	cr_assert(fd >= 0 && write(fd, "more\n", 5) == 5 && close(fd) == 0);
}

static void overwrite(void) {
	int fd = openat(root, "etc/runas-app/app.conf", O_WRONLY | O_CLOEXEC);
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};

	usleep(20000); /* the kernel's clock for files ticks */
	cr_assert(fd >= 0 && write(fd, "evil", 4) == 4 && futimens(fd, times) == 0 && close(fd) == 0);
}

static void cut(void) {
	int fd = openat(root, "etc/runas-app/app.conf", O_WRONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && ftruncate(fd, 3) == 0 && close(fd) == 0);
}

static void give_away(void) { cr_assert(fchownat(root, "etc/runas-app/app.conf", 4001, 0, 0) == 0); }

Test(trusted_file, what_changes_while_it_is_read_is_not_believed) {
	static void (*const changes[])(void) = {append, overwrite, cut, give_away};
	struct problem why = {0};

	for (size_t i = 0; i < COUNT(changes); i++) {
		make_file(FILE_NAME, "some line\nanother line\n");
		usleep(20000);
		taken.meanwhile = changes[i];
		cr_assert(!stream(16, &why), "change %zu", i);
		cr_expect(why.error == EEXIST || why.error == EAGAIN || strstr(why.what, "change") != NULL,
			  "change %zu: %s", i, why.what);
		cr_expect(text_is(why.object, FILE_NAME));
	}
}

/* --- a kernel that lies, in a child ---------------------------------------------------------------------------- */

static struct outcome read_in_child(void) {
	struct outcome o = {0};

	o.is_read = trusted_read(root, text_of(FILE_NAME), TRUST_FILE, buffer, SIZE, &o.bytes, &o.why);
	ROOM_EXPECT(!o.is_read && o.why.word != NULL && strcmp(o.why.word, "policy-unreadable") == 0);
	return o;
}

static void expect_what(const struct outcome *o, const char *what) {
	ROOM_EXPECT(o->why.what != NULL && strcmp(o->why.what, what) == 0, "%s", o->why.what);
	ROOM_EXPECT(o->why.hint == NULL, "a hint that is about symlinks");
}

static void open_root(void) {
	root = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ROOM_EXPECT(root > 2);
}

static void fstat_lies(void) {
	struct stat known = {0};

	open_root();
	room_answer(SYS_fstat, 0);
	ROOM_EXPECT(!trusted_fstat(root, &known), "what was there before is no answer");
	const struct outcome o = read_in_child();
	expect_what(&o, "cannot be looked at");
}

static void open_fails(void) {
	open_root();
	room_answer(SYS_openat, EIO);
	const struct outcome o = read_in_child();
	expect_what(&o, "cannot be opened");
}

static void standard_error_is_closed(void) {
	open_root();
	close(2);
	const struct outcome o = read_in_child();
	expect_what(&o, "cannot be opened");
}

Test(trusted_file, an_fstat_that_did_nothing_is_no_answer) { room_passes(fstat_lies); }
Test(trusted_file, a_root_that_cannot_be_opened_is_said) { room_passes(open_fails); }
Test(trusted_file, descriptors_0_to_2_are_nobodys_file) { room_passes(standard_error_is_closed); }

/* On the way nothing is opened that could notice it (a FIFO, a device): only directories are. */
Test(trusted_file, what_is_no_directory_is_not_opened) {
	make_file("/etc/file", "");
	cr_expect(expect_refused("/etc/file/app.conf", "policy-type", "/etc/file").why.error == ENOTDIR);
	cr_assert(symlinkat("runas-app", root, "etc/link") == 0);
	cr_expect(expect_refused("/etc/link/app.conf", "policy-type", "/etc/link").why.error == ENOTDIR);
}

Test(trusted_file, a_part_as_long_as_a_path_is_refused) {
	char path[5000] = "/etc/";

	memset(path + 5, 'a', 4000);
	expect_refused(path, "policy-unreadable", path);
}

static size_t see_descriptors(void *context, struct text piece) {
	for (int fd = 3; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			*(int *)context += (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
	return piece.length;
}

Test(trusted_file, what_is_being_read_closes_on_exec) {
	int left = 0, before = 0;
	struct problem why;

	see_descriptors(&before, (struct text){0});
	cr_assert(trusted_stream(root, text_of(FILE_NAME), buffer, SIZE, see_descriptors, &left, &why));
	cr_expect(left == before * 2, "%d, not twice %d", left,
		  before); /* it takes two pieces: the file, and its end */
}

static size_t take_nothing(void *context, struct text piece) {
	(void)context;
	return piece.length;
}

static long number;
static unsigned error;

static void call_fails(void) {
	struct problem why = {0};
	struct text bytes;

	open_root();
	room_answer(number, error);
	ROOM_EXPECT(!trusted_read(root, text_of(FILE_NAME), TRUST_FILE, buffer, SIZE, &bytes, &why));
	ROOM_EXPECT(strcmp(why.what, "cannot be believed") == 0, "%s", why.what);
	ROOM_EXPECT(!trusted_stream(root, text_of(FILE_NAME), buffer, SIZE, take_nothing, NULL, &why));
	ROOM_EXPECT(strcmp(why.what, "cannot be believed") == 0, "%s", why.what);
}

Test(trusted_file, what_could_not_be_read_to_its_end_is_not_believed) {
	number = SYS_read;
	error = EIO;
	room_passes(call_fails);
	error = 0; /* an end that is none */
	room_passes(call_fails);
	number = SYS_close;
	error = EIO;
	room_passes(call_fails);
}

/* The app user need not be able to list a directory, only to pass. */
static void only_passes(void) {
	struct problem why = {0};
	struct text bytes;

	open_root();
	ROOM_EXPECT(chmod(base, 0711) == 0 && fchmodat(root, "etc", 0711, 0) == 0);
	room_become_app();
	ROOM_EXPECT(trusted_read(root, text_of(FILE_NAME), TRUST_FILE, buffer, SIZE, &bytes, &why), "%s", why.what);
}

Test(trusted_file, directories_need_not_be_readable) { room_passes(only_passes); }
