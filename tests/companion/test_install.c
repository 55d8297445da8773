/* SPDX-License-Identifier: ISC */
/* runas-policy install: what is good comes into place as a whole; otherwise everything stays as it was. */
#include "tests/companion/given_image.h"
#include "tests/companion/golden.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASK(...) WORDS("--root", "IMAGE", __VA_ARGS__)
#define APP "/etc/runas-app/app.conf"

static const char old_text[] = "runas-app = 1\nallow_users = app\nuser = app\ncommand = /usr/bin/true\n";
static const char new_text[] = "runas-app = 1\nallow_users = app\nuser = app\numask = 0077\ncommand = /usr/bin/true\n";
static const char bad_text[] = "runas-app = 1\nuser = app\numsk = 0077\n";
static const char difference[] =
	"--- IMAGE/etc/runas-app/app.conf\n+++ IMAGE/etc/runas-app/app.conf\n@@ -1,4 +1,5 @@\n"
	" runas-app = 1\n allow_users = app\n user = app\n+umask = 0077\n command = /usr/bin/true\n";

static void make(void) {
	given_image_needs(false);
	given_image_make("user app 4002 4002 /srv\ngroup app 4002\n");
	given_image_file("/drafts/app.conf", new_text, 0644);
}

TestSuite(install, .init = make, .fini = given_image_remove, .timeout = 60);

static void expect_file(const char *path, const char *text) {
	const char *bytes = golden_read(given_image_path(path));

	if (text == NULL)
		cr_expect_null(bytes, "%s is there", path);
	else
		cr_expect(bytes != NULL && strcmp(bytes, text) == 0, "%s: %s", path, bytes == NULL ? "(none)" : bytes);
}

static void expect_no_litter(void) {
	DIR *list = opendir(given_image_path("/etc/runas-app"));
	struct dirent *entry;

	while (list != NULL && (entry = readdir(list)) != NULL)
		cr_expect(entry->d_name[0] != '.' || strlen(entry->d_name) < 3, "%s stayed behind", entry->d_name);
	if (list != NULL)
		closedir(list);
}

static mode_t mode_of(const char *path) {
	struct stat status = {0};

	lstat(given_image_path(path), &status);
	return status.st_mode;
}

Test(install, makes_directory_and_file_whatever_the_umask_is) {
	const char *said;

	cr_assert_eq(rmdir(given_image_path("/etc/runas-app/profiles")), 0);
	cr_assert_eq(rmdir(given_image_path("/etc/runas-app")), 0);
	umask(077);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("--dry-run", "app.conf"), &said), 0, "%s", said);
	cr_expect(strstr(said, "--- /dev/null\n+++ IMAGE/etc/runas-app/app.conf\n@@ -0,0 +1,5 @@\n+runas-app = 1\n"),
		  "%s", said);
	cr_expect(strstr(said, "app: would be installed\n"), "%s", said);
	cr_expect_eq(mode_of("/etc/runas-app"), 0, "a dry run makes nothing");
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 0, "%s", said);
	cr_expect(strstr(said, "app: installed\n"), "%s", said);
	umask(022);
	cr_expect_eq(mode_of("/etc/runas-app"), S_IFDIR | 0755);
	cr_expect_eq(mode_of(APP), S_IFREG | 0644);
	expect_file(APP, new_text);
	expect_no_litter();
	/* And check finds nothing to say about it. */
	cr_expect_eq(given_image_ask(&verb_check, 0, ASK("app"), &said), 0);
	cr_expect_str_eq(said, "app: ok\n");
}

Test(install, shows_the_difference_and_does_nothing_twice) {
	const char *said;
	struct stat before, after;

	given_image_file(APP, old_text, 0600);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("--dry-run", "app.conf"), &said), 0);
	cr_expect(strstr(said, difference), "%s", said);
	expect_file(APP, old_text);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 0);
	cr_expect(strstr(said, difference) && strstr(said, "app: installed\n"), "%s", said);
	expect_file(APP, new_text);
	cr_expect_eq(mode_of(APP), S_IFREG | 0644);
	cr_assert_eq(stat(given_image_path(APP), &before), 0);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 0);
	cr_expect_str_eq(said, "app: unchanged\n");
	cr_assert_eq(stat(given_image_path(APP), &after), 0);
	cr_expect_eq(before.st_ino, after.st_ino);
	/* The right words with the wrong mode are not the right file. */
	cr_assert_eq(chmod(given_image_path(APP), 0664), 0);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 0);
	cr_expect_str_eq(said, "app: installed\n");
	cr_expect_eq(mode_of(APP), S_IFREG | 0644);
}

Test(install, an_error_in_one_stops_all) {
	const char *said;

	given_image_file(APP, old_text, 0644);
	given_image_file("/drafts/bad.conf", bad_text, 0644);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf", "bad.conf"), &said), 1);
	cr_expect(strstr(said, "bad.conf:3:1: error: unknown key \"umsk\"") && strstr(said, "bad: refused\n") &&
			  strstr(said, "app: not installed\n"),
		  "%s", said);
	expect_file(APP, old_text);
	expect_file("/etc/runas-app/bad.conf", NULL);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf", "gone.conf"), &said), 2, "%s", said);
	expect_file(APP, old_text);
	given_image_file("/drafts/app.conf", "runas-app = 1\nuser = ap\ncommand = /usr/bin/true\n", 0644);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 1);
	cr_expect(strstr(said, "did you mean app?"), "%s", said);
	expect_file(APP, old_text);
}

Test(install, warnings_stop_it_when_strict) {
	const char *said;

	given_image_file("/drafts/app.conf", "runas-app = 1\nuser = app\ncommand = /usr/bin/gone\n", 0644);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("--strict", "app.conf"), &said), 1, "%s", said);
	expect_file(APP, NULL);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 0, "%s", said);
	cr_expect(strstr(said, "warning: there is no IMAGE/usr/bin/gone"), "%s", said);
	expect_file(APP, "runas-app = 1\nuser = app\ncommand = /usr/bin/gone\n");
}

Test(install, takes_its_name_from_the_file_or_from_the_option) {
	const char *said;

	given_image_file("/drafts/Production.txt", new_text, 0644);
	given_image_file("/drafts/plain", new_text, 0644);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("Production.txt"), &said), 2);
	cr_expect(strstr(said, "not an app's name"), "%s", said);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("--as-app", "shop", "Production.txt"), &said), 0, "%s",
		     said);
	expect_file("/etc/runas-app/shop.conf", new_text);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("plain"), &said), 0, "%s", said);
	expect_file("/etc/runas-app/plain.conf", new_text);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("--as-app", "../shop", "plain"), &said), 2);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("--as-app", "shop", "plain", "app.conf"), &said), 2);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("--dry-run"), &said), 2);
	expect_file(APP, NULL);
}

Test(install, goes_through_no_symlink_and_into_no_open_directory) {
	const char *said;

	cr_assert_eq(chmod(given_image_path("/etc/runas-app"), 0775), 0);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 2);
	cr_expect(strstr(said, "IMAGE/etc/runas-app: can be written by others than root"), "%s", said);
	expect_file(APP, NULL);
	cr_assert_eq(chmod(given_image_path("/etc/runas-app"), 0755), 0);
	cr_assert_eq(chmod(given_image_path("/etc"), 0777), 0);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 2);
	cr_assert_eq(chmod(given_image_path("/etc"), 0755), 0);
	expect_file(APP, NULL);
	cr_assert_eq(rename(given_image_path("/etc/runas-app"), given_image_path("/etc/elsewhere")), 0);
	cr_assert_eq(symlink("elsewhere", given_image_path("/etc/runas-app")), 0);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 2);
	cr_expect(strstr(said, "hint: a symlink, or no directory: runas-app follows none"), "%s", said);
	expect_file("/etc/elsewhere/app.conf", NULL);
	cr_assert_eq(unlink(given_image_path("/etc/runas-app")), 0);
	cr_assert_eq(rename(given_image_path("/etc/elsewhere"), given_image_path("/etc/runas-app")), 0);
	/* A link in the policy's own place, or in that of the new file, is replaced; what it names is not touched. */
	given_image_file("/etc/innocent", "stays", 0644);
	cr_assert_eq(symlink("../innocent", given_image_path(APP)), 0);
	cr_assert_eq(symlink("../innocent", given_image_path("/etc/runas-app/.new.conf")), 0);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 0, "%s", said);
	expect_file("/etc/innocent", "stays");
	cr_expect_eq(mode_of(APP), S_IFREG | 0644);
	expect_no_litter();
	/* What cannot be replaced stays. */
	cr_assert_eq(unlink(given_image_path(APP)), 0);
	cr_assert_eq(mkdir(given_image_path(APP), 0755), 0);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 2);
	cr_expect(strstr(said, "cannot write IMAGE/etc/runas-app/app.conf") && strstr(said, "app: failed\n"), "%s",
		  said);
	expect_no_litter();
}

static void no_space(void) {
	const struct rlimit limit = {20, RLIM_INFINITY};
	const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	dup2(null, 1); /* the limit is for regular files, and our own outputs are some */
	dup2(null, 2);
}

Test(install, a_full_disk_keeps_the_old_policy) {
	const char *said;

	given_image_file(APP, old_text, 0644);
	cr_expect_eq(given_image_ask_prepared(&verb_install, no_space, ASK("app.conf"), &said), 2);
	expect_file(APP, old_text);
	expect_no_litter();
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 0);
	expect_file(APP, new_text);
}

/* The lock is on the file, and the kernel's: it went with who held it, and only the file's name is still there. */
Test(install, what_a_killed_one_left_hinders_nobody) {
	const char *said;

	given_image_file("/etc/runas-app/.lock", "", 0600);
	given_image_file("/etc/runas-app/.new.conf", "runas-app = 1\nuser = ", 0600);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("app.conf"), &said), 0, "%s", said);
	expect_file(APP, new_text);
	expect_no_litter();
}

Test(install, json_has_the_difference) {
	const char *said;
	json_t *document, *one;

	given_image_file(APP, old_text, 0644);
	cr_expect_eq(given_image_ask(&verb_install, 0, ASK("--json", "app.conf"), &said), 0);
	document = json_loads(said, 0, NULL);
	cr_assert(document != NULL, "%s", said);
	one = json_array_get(json_object_get(document, "policies"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(one, "app")), "app");
	cr_expect_str_eq(json_string_value(json_object_get(one, "state")), "installed");
	cr_expect(strstr(json_string_value(json_object_get(one, "diff")), "+umask = 0077\n"));
	cr_expect_eq(json_array_size(json_object_get(one, "findings")), 0);
	json_decref(document);
}

Test(install, says_that_it_takes_root) {
	const char *said;

	given_image_needs(true);
	cr_assert_eq(chmod(given_image_path("/drafts/app.conf"), 0644), 0);
	cr_expect_eq(given_image_ask(&verb_install, 65534, WORDS("./app.conf"), &said), 2);
	cr_expect(strstr(said, "only root writes to /etc/runas-app") && strstr(said, "--dry-run"), "%s", said);
	/* An image that is somebody else's. */
	cr_expect_eq(given_image_ask(&verb_install, 65534, ASK("app.conf"), &said), 2);
	cr_expect(strstr(said, "Permission denied"), "%s", said);
	expect_file(APP, NULL);
	/* One's own. */
	for (const char *const *path = (const char *const[]){"/", "/etc", "/etc/runas-app", NULL}; *path != NULL;
	     path++)
		cr_assert_eq(chown(given_image_path(*path), 65534, 65534), 0);
	cr_expect_eq(given_image_ask(&verb_install, 65534, ASK("app.conf"), &said), 0, "%s", said);
	expect_file(APP, new_text);
}
