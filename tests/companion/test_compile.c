/* SPDX-License-Identifier: ISC */
/* runas-policy compile: what it writes is what the launcher takes, and what it cannot write leaves the old as it was. */
#include "companion/generate.h"
#include "tests/companion/given_image.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char good_text[] = "runas-profile = 1\ninclude = @app-server\nrefuse = setsid\n";

#define PROFILES "/etc/runas-app/profiles"

static const char *path_of(const char *name) {
	static char path[64];

	snprintf(path, sizeof path, PROFILES "/%s", name);
	return given_image_path(path);
}

static void make(void) {
	given_image_needs(false);
	given_image_make("");
}

TestSuite(compile, .init = make, .fini = given_image_remove);

static void put(const char *name, const char *text, mode_t mode) {
	char path[64];

	snprintf(path, sizeof path, PROFILES "/%s", name);
	given_image_file(path, text, mode);
}

static void put_text(const char *name, const char *text) { put(name, text, 0644); }

/* The whole file, aligned as the launcher has it. */
static size_t get(const char *name, unsigned char **ret) {
	static _Alignas(8) unsigned char bytes[PROGRAM_MAX_FILE];
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
	ssize_t length;

	cr_assert(fd >= 0, "%s", name);
	length = read(fd, bytes, sizeof bytes);
	cr_assert(length >= 0);
	close(fd);
	*ret = bytes;
	return (size_t)length;
}

static struct program_file read_filter(const char *name) {
	struct program_file filter;
	struct problem why = {0};
	unsigned char *bytes;
	size_t length = get(name, &bytes);

	cr_assert(program_read(bytes, length, generate_arch(), &filter, &why), "%s: %s", name, why.what);
	return filter;
}

static uint64_t digest_of(const char *name) {
	unsigned char *bytes;
	size_t length = get(name, &bytes);

	return program_digest(bytes, length);
}

/* prepare and ret_said may be NULL. */
static int compile(const char *const *names, void (*prepare)(void), const char **ret_said) {
	const char *words[8] = {"--root", "IMAGE"}, *said;
	size_t count = 2;

	while (*names != NULL)
		words[count++] = *names++;
	return given_image_ask_prepared(&verb_compile, prepare, words, ret_said == NULL ? &said : ret_said);
}

static void expect_no_litter(void) {
	struct dirent *entry;
	DIR *list = opendir(given_image_path(PROFILES));

	while ((entry = readdir(list)) != NULL)
		cr_expect(entry->d_name[0] != '.' || strlen(entry->d_name) < 3, "%s stayed behind", entry->d_name);
	closedir(list);
}

static void tight_umask(void) { umask(077); }

Test(compile, writes_a_file_that_the_launcher_takes) {
	struct program_file filter;
	struct stat status;
	uint64_t mine, shared;

	put_text("mine.profile", "runas-profile = 1\ninclude = shared\nallow = ptrace # measures\n");
	put_text("shared.profile", good_text);
	cr_assert_eq(compile(WORDS("mine"), tight_umask, NULL), 0);
	mine = digest_of("mine.profile");
	shared = digest_of("shared.profile");
	cr_assert_eq(stat(path_of("mine.filter"), &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0644, "whatever the umask is");
	filter = read_filter("mine.filter");
	cr_assert_eq(filter.source_count, 2);
	cr_expect(strcmp(filter.sources[0].name, "mine") == 0);
	cr_expect_eq(filter.sources[0].digest, mine);
	cr_expect(strcmp(filter.sources[1].name, "shared") == 0);
	cr_expect_eq(filter.sources[1].digest, shared);
	cr_expect_neq(access(path_of("shared.filter"), F_OK), 0, "only what was asked for");
	expect_no_litter();
}

Test(compile, without_names_compiles_all_but_parts) {
	const char *said;

	put_text("one.profile", good_text);
	put_text("two.profile", good_text);
	put_text("piece.profile", "runas-profile = 1 part\nallow = read\n");
	put_text("notes.txt", "not a profile");
	cr_expect_eq(compile(WORDS(), NULL, &said), 0, "%s", said);
	read_filter("one.filter");
	read_filter("two.filter");
	cr_expect_neq(access(path_of("piece.filter"), F_OK), 0);
	cr_expect(strstr(said, "piece: a part, only for including"), "%s", said);
	cr_expect_eq(compile(WORDS("piece"), NULL, &said), 1);
	cr_expect(strstr(said, "a part cannot be a profile by itself"), "%s", said);
}

Test(compile, an_empty_directory_is_no_error) { cr_expect_eq(compile(WORDS(), NULL, NULL), 0); }

Test(compile, a_refused_profile_keeps_its_old_filter_and_the_others_are_compiled) {
	const char *said;
	uint64_t before;

	put_text("a.profile", good_text);
	cr_assert_eq(compile(WORDS("a"), NULL, NULL), 0);
	before = digest_of("a.filter");
	put_text("a.profile", "runas-profile = 1\ninclude = @app-server\nallow = ptrace\n");
	put_text("b.profile", good_text);
	put_text("Bad.profile", good_text);
	cr_expect_eq(compile(WORDS(), NULL, &said), 1);
	cr_expect(strstr(said, "a.profile:3:9: error: `ptrace` is dangerous"), "%s", said);
	cr_expect(strstr(said, "Bad.profile: error: not a profile's name"), "%s", said);
	cr_expect_eq(digest_of("a.filter"), before);
	read_filter("b.filter");
	expect_no_litter();
}

Test(compile, says_what_the_new_filter_changes) {
	const char *said;

	put_text("mine.profile", good_text);
	cr_assert_eq(compile(WORDS("mine"), NULL, &said), 0);
	cr_expect_null(strstr(said, ", was "), "there was none before: %s", said);
	cr_expect_null(strstr(said, "compared"), "there was none before: %s", said);
	cr_assert_eq(compile(WORDS("mine"), NULL, &said), 0);
	cr_expect_null(strstr(said, ", was "), "nothing changed: %s", said);
	put_text("mine.profile", "runas-profile = 1\ninclude = @app-server\nallow = ptrace # why\nmissing = vfork\n"
				 "allow = socketpair\nallow = kill if arg1 == 0\n");
	cr_assert_eq(compile(WORDS("mine"), NULL, &said), 0);
	cr_expect(strstr(said, "  setsid: allowed, was refused\n"), "%s", said);
	cr_expect(strstr(said, "  ptrace: allowed, was refused\n"), "%s", said);
	cr_expect(strstr(said, "  vfork: missing, was allowed\n"), "%s", said);
	cr_expect(strstr(said, "  socketpair: allowed, was allowed with conditions\n"), "%s", said);
	cr_expect(strstr(said, "  kill: allowed with conditions, was allowed\n"), "%s", said);
	cr_expect_null(strstr(said, "read:"), "%s", said);
	put_text("mine.profile", "runas-profile = 1\ninclude = @app-server\nallow = ptrace # why\nmissing = vfork\n"
				 "allow = socketpair\nallow = kill if arg1 == 1\n");
	cr_assert_eq(compile(WORDS("mine"), NULL, &said), 0);
	cr_expect(strstr(said, "at most those that depend on arguments"), "%s", said);
}

static rlim_t room;

static void no_space(void) {
	struct rlimit limit = {room, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
}

Test(compile, a_full_disk_keeps_the_old_filter) {
	static const char other_text[] = "runas-profile = 1\ninclude = @web-static\n";
	struct stat status;
	const char *said;
	uint64_t before;

	put_text("mine.profile", good_text);
	put_text("other.profile", other_text);
	cr_assert_eq(compile(WORDS("mine", "other"), NULL, NULL), 0);
	before = digest_of("mine.filter");
	put_text("mine.profile", other_text);
	cr_assert_eq(stat(path_of("other.filter"), &status), 0);
	room = (rlim_t)status.st_size * 3 / 4;
	cr_expect_eq(compile(WORDS("mine"), no_space, &said), 1);
	expect_said(said, "mine.filter: error: cannot be written: File too large");
	cr_expect_eq(digest_of("mine.filter"), before);
	expect_no_litter();
}

Test(compile, replaces_whatever_stands_in_its_place) {
	struct stat status;
	const char *said;

	put_text("mine.profile", good_text);
	put_text("innocent", "stays");
	put("mine.filter", "damaged", 0666);
	put_text(".new.filter", "of a killed run");
	cr_assert_eq(compile(WORDS("mine"), NULL, &said), 0);
	cr_expect(strstr(said, "is damaged, or of another release: not compared\n"), "%s", said);
	read_filter("mine.filter");
	cr_assert_eq(stat(path_of("mine.filter"), &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0644);
	cr_assert_eq(unlink(path_of("mine.filter")), 0);
	cr_assert_eq(symlink("innocent", path_of("mine.filter")), 0);
	cr_assert_eq(symlink("innocent", path_of(".new.filter")), 0);
	cr_assert_eq(compile(WORDS("mine"), NULL, NULL), 0);
	read_filter("mine.filter");
	cr_assert_eq(lstat(path_of("mine.filter"), &status), 0);
	cr_expect(S_ISREG(status.st_mode));
	cr_expect_eq(digest_of("innocent"), program_digest("stays", 5), "nothing is written through a link");
	expect_no_litter();
}

Test(compile, wrong_use_is_two_and_writes_nothing) {
	const char *said;

	put_text("mine.profile", good_text);
	cr_expect_eq(compile(WORDS("@app-server"), NULL, NULL), 2);
	cr_expect_eq(compile(WORDS("../mine"), NULL, NULL), 2);
	cr_expect_eq(compile(WORDS("mine.profile"), NULL, NULL), 2);
	cr_expect_eq(compile(WORDS(""), NULL, NULL), 2);
	cr_expect_eq(compile(WORDS("--force"), NULL, NULL), 2);
	cr_expect_eq(compile(WORDS("--root"), NULL, NULL), 2);
	cr_expect_neq(access(path_of("mine.filter"), F_OK), 0);
	cr_expect_eq(compile(WORDS("nowhere"), NULL, &said), 1);
	cr_expect(strstr(said, "nowhere.profile: No such file or directory"), "%s", said);
	cr_expect_eq(compile(WORDS("--root", "/tmp/compile.nowhere"), NULL, &said), 2);
	cr_expect(strstr(said, "/tmp/compile.nowhere: No such file or directory"), "%s", said);
	cr_expect_eq(compile(WORDS("--root", "/dev/fd"), NULL, &said), 2);
	cr_expect(strstr(said, "cannot open /dev/fd/etc/runas-app/profiles/"), "%s", said);
}

Test(compile, shows_every_error_of_a_profile) {
	static const char text[] = "runas-profile = 1\n"
				   "include = @app-sever\n"
				   "include = @app-server\n"
				   "alow = read\n"
				   "allow = opennat\n"
				   "\tallow = ptrace\n"
				   "allow = bpf # why not\n"
				   "refuse = read if arg0 == 1\n";
	static const char *const expected[] = {
		"mine.profile:2:11: error: there is no shipped profile @app-sever [profile]\n",
		"    hint: did you mean `@app-server`?\n",
		"mine.profile:4:1: error: unknown key `alow` [profile]\n    alow = read\n    ^~~~\n",
		"    hint: did you mean `allow`?\n",
		"mine.profile:5:9: error: `opennat` is no system call [profile]\n",
		"[profile]\n    allow = opennat\n            ^~~~~~~\n",
		"    hint: did you mean `openat`?\n",
		"mine.profile:6:10: error: `ptrace` is dangerous, and is allowed here without a reason",
		"mine.profile:8:15: error: only `allow` can have conditions",
	};
	const char *said, *at, *found;

	put_text("mine.profile", text);
	cr_expect_eq(compile(WORDS("mine"), NULL, &said), 1);
	at = said;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		found = strstr(at, expected[i]);
		cr_expect(found != NULL, "no %s in order in\n%s", expected[i], said);
		at = found == NULL ? at : found;
	}
	cr_expect_null(strstr(said, "bpf"), "%s", said);
	put_text("mine.profile", "allow = read\nalow = write\n");
	cr_expect_eq(compile(WORDS("mine"), NULL, &said), 1);
	cr_expect(strstr(said, "mine.profile:1:1: error: the first statement must be the version"), "%s", said);
	cr_expect_null(strstr(said, "alow"), "nothing is known of what stands behind: %s", said);
	put_text("mine.profile", "runas-profile = 1\nalow = read\n");
	cr_expect_eq(compile(WORDS("mine"), NULL, &said), 1);
	cr_expect_null(strstr(said, "execve"), "perhaps the bad line allows it: %s", said);
}

Test(compile, as_json) {
	const char *said;
	json_t *document, *one;

	put_text("mine.profile", good_text);
	cr_assert_eq(compile(WORDS("--json"), NULL, &said), 0);
	document = json_loads(said, 0, NULL);
	cr_assert_not_null(document, "%s", said);
	one = json_array_get(json_object_get(document, "profiles"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(one, "name")), "mine");
	cr_expect(json_integer_value(json_object_get(one, "allowed")) > 200);
	cr_expect(json_is_null(json_object_get(one, "changes")), "there was none before");
	json_decref(document);
	put_text("mine.profile", "runas-profile = 1\ninclude = @app-server\n");
	put_text("bad.profile", "runas-profile = 2\n");
	cr_assert_eq(compile(WORDS("--json"), NULL, &said), 1);
	document = json_loads(said, 0, NULL);
	cr_assert_not_null(document, "%s", said);
	one = json_array_get(json_object_get(json_array_get(json_object_get(document, "profiles"), 0), "changes"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(one, "call")), "setsid");
	cr_expect_str_eq(json_string_value(json_object_get(one, "now")), "allowed");
	cr_expect_str_eq(json_string_value(json_object_get(one, "was")), "refused");
	one = json_array_get(json_object_get(document, "findings"), 0);
	cr_expect_eq(json_integer_value(json_object_get(one, "line")), 1);
	json_decref(document);
}

/* An image may hold any symlink: none leads out of it. */
Test(compile, stays_in_the_image) {
	char outside[] = "/tmp/outside.XXXXXX", link[64], text[96];
	const char *said;
	FILE *file;

	cr_assert_not_null(mkdtemp(outside));
	snprintf(text, sizeof text, "%s/mine.profile", outside);
	file = fopen(text, "we");
	fputs(good_text, file);
	fclose(file);
	snprintf(link, sizeof link, "%s" PROFILES, given_image);
	cr_assert_eq(rmdir(link), 0);
	cr_assert_eq(symlink(outside, link), 0);
	cr_expect_eq(compile(WORDS("mine"), NULL, &said), 2, "%s", said);
	cr_assert_eq(unlink(link), 0);
	cr_assert_eq(mkdir(link, 0755), 0);
	cr_expect_eq(unlink(text), 0);
	cr_expect_eq(rmdir(outside), 0);
}

static void put_draft(const char *name, const char *text) {
	char path[64];

	snprintf(path, sizeof path, "/drafts/%s", name);
	given_image_file(path, text, 0666);
}

Test(compile, a_dry_run_takes_a_file_and_writes_nothing) {
	const char *said;
	uint64_t before;

	put_text("mine.profile", good_text);
	put_text("shared.profile", "runas-profile = 1 part\nallow = ptrace # why\n");
	cr_assert_eq(compile(WORDS("mine"), NULL, NULL), 0);
	before = digest_of("mine.filter");
	put_draft("mine.profile", "runas-profile = 1\ninclude = shared @app-server\nallow = ptrace # why\n");
	cr_expect_eq(compile(WORDS("--dry-run", "./mine.profile"), NULL, &said), 0, "%s", said);
	expect_said(said, "  setsid: allowed, was refused\n");
	expect_said(said, "  ptrace: allowed, was refused\n");
	put_draft("tmp.x7f3", good_text);
	cr_expect_eq(compile(WORDS("--dry-run", "tmp.x7f3"), NULL, &said), 0, "%s", said);
	expect_said(said, "draft: ");
	put_draft("part", "runas-profile = 1 part\nallow = read\n");
	cr_expect_eq(compile(WORDS("--dry-run", "./part"), NULL, &said), 0, "%s", said);
	put_draft("bad", "runas-profile = 1\nallow = opennat\n");
	cr_expect_eq(compile(WORDS("--dry-run", "./bad"), NULL, &said), 1);
	expect_said(said, "./bad:2:9: error: `opennat` is no system call");
	cr_expect_eq(compile(WORDS("--dry-run", "./gone"), NULL, &said), 1);
	expect_said(said, "cannot open ./gone: No such file");
	cr_expect_eq(compile(WORDS("./mine.profile"), NULL, &said), 2, "a FILE is for a dry run");
	put_text("mine.profile", "runas-profile = 1\ninclude = @web-static\n");
	cr_expect_eq(compile(WORDS("--dry-run", "mine"), NULL, &said), 0, "%s", said);
	cr_expect_eq(compile(WORDS("--dry-run"), NULL, &said), 0, "%s", said);
	cr_expect_eq(digest_of("mine.filter"), before, "nothing was written");
	expect_no_litter();
	/* In a checkout, where nothing is installed. */
	cr_assert_eq(rename(given_image_path(PROFILES), given_image_path("/etc/runas-app/elsewhere")), 0);
	cr_expect_eq(compile(WORDS("--dry-run", "./tmp.x7f3"), NULL, &said), 0, "%s", said);
	cr_expect_eq(compile(WORDS("--dry-run"), NULL, &said), 2);
	cr_assert_eq(rename(given_image_path("/etc/runas-app/elsewhere"), given_image_path(PROFILES)), 0);
}
