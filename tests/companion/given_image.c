/* SPDX-License-Identifier: ISC */
#include "tests/companion/given_image.h"

#include "policy/program.h"
#include "tests/helpers/skip.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

char given_image[32];

const char *given_image_path(const char *path) {
	static char whole[4][1024];
	static unsigned turn;
	char *ret = whole[turn++ % 4];

	snprintf(ret, sizeof whole[0], "%s%s", given_image, path);
	return ret;
}

void given_image_needs(bool real_root) {
	const bool is_here = geteuid() == 0 || (!real_root && ask_can_be_root());

	if (is_here)
		return;
	given_image_remove();
	SKIP(real_root ? "needs root, to make files that belong to others" : "needs root, or user namespaces");
}

static void own(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	cr_assert(geteuid() != 0 || lchown(path, uid, gid) == 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(chmod(path, mode), 0);
}

void given_image_directory(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	const char *whole = given_image_path(path);

	cr_assert(mkdir(whole, 0755) == 0 || errno == EEXIST, "%s: %s", whole, strerror(errno));
	own(whole, uid, gid, mode);
}

static void write_file(const char *path, const char *bytes, size_t length, mode_t mode) {
	const int fd = open(given_image_path(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

void given_image_file(const char *path, const char *text, mode_t mode) { write_file(path, text, strlen(text), mode); }

void given_image_owned(const char *path, uid_t uid, gid_t gid, mode_t mode, const char *text) {
	write_file(path, text, strlen(text), 0600);
	own(given_image_path(path), uid, gid, mode);
}

void given_image_copy(const char *from_host, const char *path) {
	static char bytes[1 << 18];
	FILE *file = fopen(from_host, "re");
	size_t length;

	cr_assert(file != NULL, "%s: tests run at the top of the repository", from_host);
	length = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	cr_assert_lt(length, sizeof bytes);
	write_file(path, bytes, length, 0644);
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

static void read_owner(const char *words, uid_t *ret_uid, gid_t *ret_gid) {
	cr_assert_eq(sscanf(words, "%u:%u", ret_uid, ret_gid), 2, "%s", words);
}

static mode_t mode_of(const char *word) { return (mode_t)strtoul(word, NULL, 8); }

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
	given_image_file(path, text, 0644);
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
	uid_t uid;
	gid_t gid;

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
		read_owner(b, &uid, &gid);
		given_image_directory(c, uid, gid, mode_of(a));
	} else if (strcmp(what, "file") == 0) {
		snprintf(words, sizeof words, "%s", line + used + strspn(line + used, " "));
		unescape(words);
		read_owner(b, &uid, &gid);
		given_image_owned(c, uid, gid, mode_of(a), words);
	} else if (strcmp(what, "link") == 0) {
		cr_assert_eq(symlink(a, given_image_path(b)), 0, "%s", line);
	} else if (strcmp(what, "remove") == 0) {
		cr_assert_eq(remove(given_image_path(a)), 0, "%s", line);
	} else if (strcmp(what, "capability") == 0) {
		add_capability(given_image_path(a));
	} else if (strcmp(what, "acl") == 0) {
		add_acl(given_image_path(b), a);
	} else if (strcmp(what, "compile") == 0) {
		cr_assert_eq(given_image_ask(&verb_compile, 0, WORDS("--root", "IMAGE", a), &said), 0, "%s", said);
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
					     "dir 0755 0:0 /drafts",
					     "link usr/bin /bin",
					     "file 0644 0:0 /etc/passwd root:x:0:0::/root:/bin/sh\\n",
					     "file 0644 0:0 /etc/group root:x:0:\\n",
					     "file 0755 0:0 /usr/bin/env ELF",
					     "file 0755 0:0 /usr/bin/sh ELF",
					     "file 0755 0:0 /usr/bin/true ELF"};
	char line[1024];

	umask(022);
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

void given_image_remove(void) {
	if (given_image[0] != '\0')
		cr_expect_eq(nftw(given_image, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	given_image[0] = '\0';
}

static int ask_here(const struct verb *verb, uid_t uid, void (*prepare)(void), const char *const *words,
		    const char **ret_said) {
	const struct said *said = ask(verb, words,
				      &(struct ask_how){.directory = given_image_path("/drafts"),
							.image = given_image,
							.uid = uid,
							.is_together = true,
							.is_root = true,
							.prepare = prepare});

	*ret_said = said->out;
	return said->status;
}

int given_image_ask(const struct verb *verb, uid_t uid, const char *const *words, const char **ret_said) {
	return ask_here(verb, uid, NULL, words, ret_said);
}

int given_image_ask_prepared(const struct verb *verb, void (*prepare)(void), const char *const *words,
			     const char **ret_said) {
	return ask_here(verb, 0, prepare, words, ret_said);
}
