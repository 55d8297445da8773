/* SPDX-License-Identifier: ISC */
#include "tests/companion/given_image.h"

#include "policy/program.h"
#include "tests/helpers/skip.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Of AddressSanitizer, where the test is built with it. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

char given_image[32];
void (*given_image_prepare)(void);
bool given_image_stays;

const char *given_image_path(const char *path) {
	static char whole[4][1024];
	static unsigned turn;
	char *ret = whole[turn++ % 4];

	snprintf(ret, sizeof whole[0], "%s%s", given_image, path);
	return ret;
}

char *given_image_read(const char *path) {
	FILE *file = fopen(path, "re");
	char *bytes = calloc(1, 1 << 18);

	cr_assert_not_null(bytes);
	if (file == NULL) {
		free(bytes);
		return NULL;
	}
	cr_assert_lt(fread(bytes, 1, 1 << 18, file), 1 << 18);
	fclose(file);
	return bytes;
}

void given_image_write(const char *path, const char *text, mode_t mode) {
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

static bool put(const char *path, const char *text) {
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const bool is_done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return is_done;
}

/* Only in a child: the test itself has threads, and those cannot change their user namespace. */
static bool become_root_of_a_namespace(void) {
	char uids[32], gids[32];

	if (geteuid() == 0)
		return true;
	snprintf(uids, sizeof uids, "0 %u 1", geteuid());
	snprintf(gids, sizeof gids, "0 %u 1", getegid());
	return unshare(CLONE_NEWUSER) == 0 && put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", uids) &&
	       put("/proc/self/gid_map", gids);
}

void given_image_needs(bool real_root) {
	int status = 0;
	pid_t child;

	umask(022);
	if (geteuid() == 0)
		return;
	if (real_root)
		SKIP("needs root, to make files that belong to others");
	child = fork();
	if (child == 0)
		_exit(!become_root_of_a_namespace());
	cr_assert(child > 0 && waitpid(child, &status, 0) == child);
	if (status != 0)
		SKIP("needs root, or user namespaces");
}

static void append(const char *path, const char *line) {
	FILE *file = fopen(given_image_path(path), "ae");

	cr_assert_not_null(file);
	fprintf(file, "%s\n", line);
	fclose(file);
}

static void unescape(char *text) {
	char *to = text;

	if (strncmp(text, "ELF", 3) == 0)
		text[0] = '\177', memcpy(text + 1, "ELF", 4);
	for (const char *from = text; *from != '\0'; from++) {
		const char *known = from[0] == '\\' && from[1] != '\0' ? strchr("nre", from[1]) : NULL;

		*to++ = (char)(known == NULL ? *from : *known == 'n' ? '\n' : *known == 'r' ? '\r' : '\033');
		from += known != NULL;
	}
	*to = '\0';
}

static void own(const char *path, const char *mode, const char *owner) {
	unsigned uid, gid;

	cr_assert_eq(sscanf(owner, "%u:%u", &uid, &gid), 2, "%s", owner);
	cr_assert(geteuid() != 0 || lchown(path, uid, gid) == 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(chmod(path, (mode_t)strtoul(mode, NULL, 8)), 0);
}

static void add_capability(const char *path) {
	struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
				    .data = {{.permitted = 1U << CAP_NET_BIND_SERVICE}}};

	cr_assert_eq(setxattr(path, "security.capability", &data, sizeof data, 0), 0, "%s", strerror(errno));
}

static void add_acl(const char *path, const char *entry) {
	char words[128], name[32], rights[4];
	unsigned uid;
	acl_t acl;

	cr_assert_eq(sscanf(entry, "%31[^:]:%u:%3s", name, &uid, rights), 3);
	snprintf(words, sizeof words, "u::rwx,g::r-x,o::r-x,m::rwx,%c:%u:%s", name[0], uid, rights);
	acl = acl_from_text(words);
	cr_assert(acl != NULL, "%s", words);
	cr_assert_eq(acl_set_file(path, ACL_TYPE_ACCESS, acl), 0, "%s", strerror(errno));
	acl_free(acl);
}

static void claim(const char *name, const char *text) {
	static _Alignas(8) unsigned char bytes[PROGRAM_MAX_FILE];
	struct program_header *header = (struct program_header *)bytes;
	const size_t behind = offsetof(struct program_header, format);
	char path[512];
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/etc/runas-app/profiles/%s.profile", name);
	given_image_write(given_image_path(path), text, 0644);
	snprintf(path, sizeof path, "/etc/runas-app/profiles/%s.filter", name);
	fd = open(given_image_path(path), O_RDWR | O_CLOEXEC);
	cr_assert(fd >= 0);
	length = read(fd, bytes, sizeof bytes);
	cr_assert_gt(length, (ssize_t)sizeof *header);
	header->sources[0].digest = program_digest(text, strlen(text));
	header->digest = program_digest(bytes + behind, (size_t)length - behind);
	cr_assert_eq(pwrite(fd, bytes, (size_t)length, 0), length);
	close(fd);
}

void given_image_line(const char *line) {
	char what[16], a[256], b[256], c[512], home[256], words[2048];
	int used = 0;
	const char *said;

	if (line[0] == '#' || line[0] == '\0')
		return;
	a[0] = b[0] = c[0] = home[0] = '\0';
	cr_assert(sscanf(line, "%15s %255s %255s %511s%n %255s", what, a, b, c, &used, home) >= 2, "%s", line);
	if (strcmp(what, "user") == 0) {
		snprintf(words, sizeof words, "%s:x:%s:%s::%s:/usr/sbin/nologin", a, b, c, home);
		append("/etc/passwd", words);
	} else if (strcmp(what, "group") == 0) {
		snprintf(words, sizeof words, "%s:x:%s:%s", a, b, c);
		append("/etc/group", words);
	} else if (strcmp(what, "dir") == 0) {
		cr_assert(mkdir(given_image_path(c), 0755) == 0 || errno == EEXIST, "%s", line);
		own(given_image_path(c), a, b);
	} else if (strcmp(what, "file") == 0) {
		snprintf(words, sizeof words, "%s", line + used + strspn(line + used, " "));
		unescape(words);
		given_image_write(given_image_path(c), words, 0600);
		own(given_image_path(c), a, b);
	} else if (strcmp(what, "link") == 0) {
		cr_assert_eq(symlink(a, given_image_path(b)), 0, "%s", line);
	} else if (strcmp(what, "remove") == 0) {
		cr_assert_eq(remove(given_image_path(a)), 0, "%s", line);
	} else if (strcmp(what, "capability") == 0) {
		add_capability(given_image_path(a));
	} else if (strcmp(what, "acl") == 0) {
		add_acl(given_image_path(b), a);
	} else if (strcmp(what, "compile") == 0) {
		cr_assert_eq(
			given_image_ask(&verb_compile, 0, (const char *const[]){"--root", "IMAGE", a, NULL}, &said), 0,
			"%s", said);
	} else if (strcmp(what, "claim") == 0) {
		snprintf(words, sizeof words, "%s", strstr(line, a) + strlen(a) + 1);
		unescape(words);
		claim(a, words);
	} else {
		cr_assert_fail("%s", line);
	}
}

void given_image_make(const char *description) {
	static const char *const always[] = {"dir 0755 0:0 /etc",
					     "dir 0755 0:0 /etc/runas-app",
					     "dir 0755 0:0 /etc/runas-app/profiles",
					     "dir 0755 0:0 /usr",
					     "dir 0755 0:0 /usr/bin",
					     "dir 0755 0:0 /usr/sbin",
					     "dir 0755 0:0 /usr/local",
					     "dir 0755 0:0 /usr/local/bin",
					     "dir 0755 0:0 /srv",
					     "dir 0755 0:0 /work",
					     "link usr/bin /bin",
					     "file 0644 0:0 /etc/passwd root:x:0:0::/root:/bin/sh\\n",
					     "file 0644 0:0 /etc/group root:x:0:\\n",
					     "file 0755 0:0 /usr/bin/env ELF",
					     "file 0755 0:0 /usr/bin/sh ELF",
					     "file 0755 0:0 /usr/bin/true ELF"};
	char line[1024];

	strcpy(given_image, "/tmp/image.XXXXXX");
	cr_assert_not_null(mkdtemp(given_image));
	cr_assert_eq(chmod(given_image, 0755), 0);
	for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
		given_image_line(always[i]);
	for (const char *end; *description != '\0'; description = *end == '\0' ? end : end + 1) {
		end = strchrnul(description, '\n');
		snprintf(line, sizeof line, "%.*s", (int)(end - description), description);
		given_image_line(line);
	}
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where) {
	(void)status, (void)type, (void)where;
	return remove(path);
}

void given_image_remove(void) { cr_expect_eq(nftw(given_image, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0); }

static const char *without_directory(char *said) {
	static char words[1 << 18];
	const size_t length = strlen(given_image);
	char *to = words;

	while (*said != '\0' && to < words + sizeof words - 8)
		if (length > 0 && strncmp(said, given_image, length) == 0) {
			to = stpcpy(to, "IMAGE");
			said += length;
		} else {
			*to++ = *said++;
		}
	*to = '\0';
	return words;
}

/* In this process, so that AddressSanitizer sees what the verb leaves behind. */
static int run_here(const struct verb *verb, int out, int argc, char **argv) {
	const int kept[] = {fcntl(1, F_DUPFD_CLOEXEC, 3), fcntl(2, F_DUPFD_CLOEXEC, 3), open(".", O_PATH | O_CLOEXEC)};
	int status;

	cr_assert(dup2(out, 1) == 1 && dup2(out, 2) == 2 && chdir(given_image_path("/work")) == 0);
	status = verb->run(argc, argv);
	fflush(NULL);
	cr_assert(dup2(kept[0], 1) == 1 && dup2(kept[1], 2) == 2 && fchdir(kept[2]) == 0);
	for (size_t i = 0; i < 3; i++)
		close(kept[i]);
	cr_expect(__lsan_do_recoverable_leak_check == NULL || __lsan_do_recoverable_leak_check() == 0,
		  "%s leaves memory behind", verb->name);
	return status;
}

int given_image_ask(const struct verb *verb, uid_t uid, const char *const *arguments, const char **ret_said) {
	static char said[1 << 17];
	const int out = memfd_create("out", MFD_CLOEXEC);
	char *argv[16];
	int argc = 0, status;
	pid_t child;

	for (; arguments[argc] != NULL; argc++)
		argv[argc] = strcmp(arguments[argc], "IMAGE") == 0 ? given_image : (char *)(uintptr_t)arguments[argc];
	argv[argc] = NULL;
	fflush(NULL);
	child = given_image_stays ? 0 : fork();
	cr_assert(child >= 0);
	if (given_image_stays) {
		status = W_EXITCODE(run_here(verb, out, argc, argv), 0);
	} else if (child == 0) {
		if (!become_root_of_a_namespace() || dup2(out, 1) != 1 || dup2(out, 2) != 2 ||
		    chdir(given_image_path("/work")) != 0 ||
		    (uid != 0 && (setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)))
			_exit(99);
		if (given_image_prepare != NULL)
			given_image_prepare();
		status = verb->run(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	cr_assert(given_image_stays || waitpid(child, &status, 0) == child);
	memset(said, 0, sizeof said);
	cr_assert(pread(out, said, sizeof said - 1, 0) >= 0);
	close(out);
	*ret_said = without_directory(said);
	cr_assert(WIFEXITED(status), "%s", said);
	return WEXITSTATUS(status);
}

void given_image_expect(const char *path, const char *said, int status) {
	const char *update = getenv("UPDATE_EXPECTED");
	char *expected = given_image_read(path), *all = NULL;

	cr_assert(asprintf(&all, "%s= %d\n", said, status) > 0);
	if (update != NULL && strcmp(update, "1") == 0)
		given_image_write(path, all, 0644);
	else
		cr_expect(expected != NULL && strcmp(all, expected) == 0, "%s:\n%s--- is not ---\n%s", path, all,
			  expected == NULL ? "(no such file)" : expected);
	free(expected);
	free(all);
}
