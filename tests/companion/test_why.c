/* SPDX-License-Identifier: ISC */
/* runas-policy why: the three classic errors, and that its hints, obeyed, mend what it found. */
#include "tests/companion/given_image.h"
#include "tests/companion/golden.h"

#include "companion/image.h"
#include "companion/why_notes.h"

#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/acl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHOP = 4001, OTHER = 4002, WWW = 4033, WEB = 4010 };

static const char policy[] = "runas-app = 1\nuser = shop\ngroup = shop\ngroups = shop\numask = 0027\n"
			     "directory = /home/shop\ncommand = *\n";

static void make(void) {
	given_image_needs(true);
	given_image_make("");
	given_image_owned("/etc/passwd", 0, 0, 0644,
			  "root:x:0:0:root:/root:/bin/sh\nshop:x:4001:4001::/home/shop:/bin/sh\n"
			  "other:x:4002:4002::/:/bin/sh\nwww-data:x:4033:4033::/var/www:/usr/sbin/nologin\n");
	given_image_owned("/etc/group", 0, 0, 0644,
			  "root:x:0:\nshop:x:4001:\nother:x:4002:\nweb:x:4010:\nwww-data:x:4033:\n");
	given_image_owned("/etc/runas-app/shop.conf", 0, 0, 0644, policy);
	given_image_directory("/home", 0, 0, 0755);
	given_image_directory("/home/shop", SHOP, SHOP, 0750);
}

TestSuite(why, .init = make, .fini = given_image_remove);

static const char *said;
static uid_t asker;

static int why(const char *const *words) { return given_image_ask(&verb_why, asker, words, &said); }

#define WHY(...) why(WORDS("--root", "IMAGE", __VA_ARGS__))

/* Does the kernel let this person, with the groups that /etc/group now gives? */
static int ask_kernel(const char *user, const char *path, int flags) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *whole = given_image_path(path);
	struct image image;
	struct person *person;
	gid_t groups[8];
	int status = 0;
	pid_t child;

	cr_assert(image_open(&image, given_image));
	person = image_person(&image, user);
	cr_assert_not_null(person);
	for (size_t i = 0; i < person->group_count; i++)
		groups[i] = person->groups[i];
	fflush(NULL);
	child = fork();
	cr_assert(child >= 0);
	if (child == 0) {
		if (setgroups(person->group_count, groups) != 0 ||
		    setresgid(person->gid, person->gid, person->gid) != 0 ||
		    setresuid(person->uid, person->uid, person->uid) != 0)
			_exit(200);
		if (flags == -1) {
			snprintf(address.sun_path, sizeof address.sun_path, "%.100s", whole);
			_exit(connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&address,
				      sizeof address) == 0
				      ? 0
				      : errno);
		}
		_exit(open(whole, flags) >= 0 ? 0 : errno);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) != 200);
	person_free(person);
	close(image.root);
	return WEXITSTATUS(status);
}

/* What setfacl -m u:UID:BITS PATH does, for machines without it. */
static bool set_acl(const char *command) {
	char bits[8] = "", path[256] = "";
	acl_entry_t entry;
	acl_permset_t set;
	unsigned uid;
	acl_t acl;
	bool is_done;

	if (sscanf(command, "setfacl -m u:%u:%7[rwx] %255s", &uid, bits, path) != 3)
		return false;
	acl = acl_get_file(path, ACL_TYPE_ACCESS);
	cr_assert_not_null(acl, "%s: %m", path);
	for (int which = ACL_FIRST_ENTRY; acl_get_entry(acl, which, &entry) == 1; which = ACL_NEXT_ENTRY) {
		acl_tag_t tag;
		id_t *id;

		acl_get_tag_type(entry, &tag);
		id = tag == ACL_USER ? acl_get_qualifier(entry) : NULL;
		if (id != NULL && *id == uid)
			acl_delete_entry(acl, entry);
		if (id != NULL)
			acl_free(id);
	}
	acl_create_entry(&acl, &entry);
	acl_set_tag_type(entry, ACL_USER);
	acl_set_qualifier(entry, &(const id_t){uid});
	acl_get_permset(entry, &set);
	acl_clear_perms(set);
	for (const char *bit = bits; *bit != '\0'; bit++)
		acl_add_perm(set, *bit == 'r' ? ACL_READ : *bit == 'w' ? ACL_WRITE : ACL_EXECUTE);
	is_done = acl_calc_mask(&acl) == 0 && acl_set_file(path, ACL_TYPE_ACCESS, acl) == 0;
	acl_free(acl);
	return is_done;
}

/* The hint, as somebody would paste it. */
static bool obey(const char *hint) {
	char command[1024];

	return set_acl(hint) || (snprintf(command, sizeof command, "exec 2>&1; %s", hint) > 0 && system(command) == 0);
}

/* Asks, obeys the first hint, asks again ... until it says yes. NULL ends the arguments. */
static int obey_until_yes(const char *const *arguments, char first[512]) {
	const char *with_json[10] = {"--root", "IMAGE", "--json"};
	size_t count = 3;

	for (size_t i = 0; arguments[i] != NULL; i++)
		with_json[count++] = arguments[i];
	first[0] = '\0';
	for (int rounds = 0; rounds < 8; rounds++) {
		const int status = why(with_json);
		char hint[1024] = "";
		const char *at = strstr(said, "\"hints\": [\n");
		json_t *all;
		json_error_t error;

		if (status == 0)
			return rounds;
		cr_assert_not_null(at, "%s", said);
		all = json_loads(said, 0, &error);
		cr_assert_not_null(all, "%s", error.text);
		for (const char *part = json_string_value(json_array_get(json_object_get(all, "hints"), 0)), *hit;
		     part != NULL; part = hit) {
			const char *name = strstr(part, "IMAGE");
			const size_t used = strlen(hint);

			hit = name == NULL ? NULL : name + 5;
			snprintf(hint + used, sizeof hint - used, "%.*s%s",
				 (int)(name == NULL ? (ptrdiff_t)strlen(part) : name - part), part,
				 name == NULL ? "" : given_image);
		}
		if (first[0] == '\0')
			snprintf(first, 512, "%s", json_string_value(json_array_get(json_object_get(all, "hints"), 0)));
		json_decref(all);
		cr_assert(obey(hint), "%s", hint);
	}
	return -1;
}

/* nginx's worker and /home/shop/static/logo.png: 403. */
Test(why, explains_403) {
	char hint[512];

	given_image_directory("/home/shop/static", SHOP, SHOP, 0750);
	given_image_owned("/home/shop/static/logo.png", SHOP, SHOP, 0640, "x");
	cr_expect_eq(ask_kernel("www-data", "/home/shop/static/logo.png", O_RDONLY), EACCES);
	cr_expect_eq(WHY("shop", "static/logo.png", "--user", "www-data"), 1);
	golden_expect("tests/fixtures/companion/why-403.txt", said);
	cr_expect_eq(WHY("shop", "static/logo.png", "--user", "www-data", "--json"), 1);
	golden_expect("tests/fixtures/companion/why-403.json", said);
	cr_expect_eq(obey_until_yes(WORDS("--user", "www-data", "/home/shop/static/logo.png"), hint), 1);
	cr_expect_str_eq(hint, "usermod -P IMAGE -aG shop www-data");
	cr_expect_eq(ask_kernel("www-data", "/home/shop/static/logo.png", O_RDONLY), 0);
	cr_expect_eq(ask_kernel("other", "/home/shop/static/logo.png", O_RDONLY), EACCES);
}

/* nginx and gunicorn's socket: 502. */
Test(why, explains_502) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char hint[512];

	given_image_directory("/run", 0, 0, 0755);
	given_image_directory("/run/shop", SHOP, SHOP, 02700);
	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", given_image_path("/run/shop/gunicorn.sock"));
	cr_assert_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(listener, 16), 0);
	cr_assert_eq(chown(address.sun_path, SHOP, SHOP), 0);
	cr_assert_eq(chmod(address.sun_path, 0660), 0);
	cr_expect_eq(ask_kernel("www-data", "/run/shop/gunicorn.sock", -1), EACCES);
	cr_expect_eq(WHY("shop", "/run/shop/gunicorn.sock", "--user", "www-data"), 1);
	golden_expect("tests/fixtures/companion/why-502.txt", said);
	cr_expect_eq(obey_until_yes(WORDS("--user", "www-data", "/run/shop/gunicorn.sock"), hint), 1);
	cr_expect_eq(ask_kernel("www-data", "/run/shop/gunicorn.sock", -1), 0);
	cr_expect_eq(ask_kernel("other", "/run/shop/gunicorn.sock", -1), EACCES);
	close(listener);
}

/* The log that logrotate, as root, made 0640. */
Test(why, explains_a_log_after_rotation) {
	char hint[512];

	given_image_directory("/home/shop/log", SHOP, SHOP, 0750);
	given_image_owned("/home/shop/log/production.log", 0, 0, 0640, "x");
	cr_expect_eq(ask_kernel("shop", "/home/shop/log/production.log", O_WRONLY), EACCES);
	cr_expect_eq(WHY("shop", "log/production.log", "write"), 1);
	golden_expect("tests/fixtures/companion/why-log.txt", said);
	cr_expect_eq(obey_until_yes(WORDS("shop", "log/production.log", "write"), hint), 1);
	cr_expect_str_eq(hint, "chown -h 4001:4001 IMAGE/home/shop/log/production.log");
	cr_expect_eq(ask_kernel("shop", "/home/shop/log/production.log", O_WRONLY), 0);
}

/* The policy's own obstacles: its groups are not those of /etc/group, and its `write` list. */
Test(why, knows_the_policy) {
	given_image_owned("/etc/group", 0, 0, 0644, "root:x:0:\nshop:x:4001:\nweb:x:4010:shop\nwww-data:x:4033:\n");
	given_image_owned("/home/upload", 0, WEB, 0660, "");
	cr_expect_eq(WHY("shop", "/home/upload"), 1);
	cr_expect_not_null(strstr(said, "hint: in IMAGE/etc/runas-app/shop.conf: groups = shop web\n"), "%s", said);
	cr_expect_eq(WHY("--user", "shop", "/home/upload"), 0);

	given_image_directory("/home/shop/shared", SHOP, SHOP, 0750);
	given_image_owned("/home/shop/file", SHOP, SHOP, 0640, "");
	cr_assert_eq(symlink("shared", given_image_path("/home/shop/current")), 0);
	given_image_owned(
		"/home/shop.conf", 0, 0, 0644,
		"runas-app = 1\nuser = shop\ncommand = *\ndirectory = /home/shop\nwrite = /home/shop/current\n");
	cr_expect_eq(WHY(given_image_path("/home/shop.conf"), "file", "write"), 1);
	cr_expect_not_null(strstr(said, "not at or below a `write` path"), "%s", said);
	cr_expect_not_null(strstr(said, ": write = /home/shop\n"), "%s", said);
	cr_expect_null(strstr(said, "does not have it either"), "%s", said);
	cr_expect_eq(WHY(given_image_path("/home/shop.conf"), "shared/new", "write"), 0);
	/* A hint about the mode alone would send people the wrong way. */
	given_image_owned("/home/shop/code", 0, 0, 0644, "");
	cr_expect_eq(WHY(given_image_path("/home/shop.conf"), "code", "write"), 1);
	cr_expect_not_null(strstr(said, "`write` list does not have it either"), "%s", said);
	cr_expect_eq(WHY("shpo", "/home"), 2);
	cr_expect_not_null(strstr(said, "hint: did you mean shop?"), "%s", said);
	cr_expect_eq(WHY(given_image_path("/home/shop.conf"), "file", "read"), 0);
	cr_expect_eq(WHY("--user", "shop", "/home/shop/file", "write"), 0);
}

/* Whatever the obstacles are: the hints, one after the other, remove them; and others still cannot come in. */
Test(why, hints_mend) {
	static const mode_t modes[] = {0700, 0750, 0710, 0755, 0000, 0070, 0007, 0770};
	uint32_t state = 7;

	for (unsigned round = 0; round < 48; round++) {
		static const char *const accesses[] = {"read", "write", "execute"};
		static const int flags[] = {O_RDONLY, O_WRONLY, O_RDONLY};
		const uid_t owners[] = {0, SHOP, OTHER, WWW};
		char hint[512];
		int rounds;

		state = state * 1664525U + 1013904223U;
		given_image_owned("/etc/group", 0, 0, 0644,
				  "root:x:0:\nshop:x:4001:\nother:x:4002:\nweb:x:4010:\nwww-data:x:4033:\n");
		given_image_directory("/home/a", owners[state >> 8 & 3], owners[state >> 10 & 3],
				      modes[state >> 12 & 7]);
		given_image_owned("/home/a/f", owners[state >> 15 & 3], owners[state >> 17 & 3], modes[state >> 19 & 7],
				  "");
		if ((state >> 22 & 1) != 0) {
			char command[128];

			snprintf(command, sizeof command, "setfacl -m u:4002:x %s", given_image_path("/home/a/f"));
			cr_assert(set_acl(command));
		}
		rounds = obey_until_yes(WORDS("--user", "www-data", "/home/a/f", accesses[round % 3]), hint);
		cr_expect_geq(rounds, 0, "round %u: %s: %s", round, hint, said);
		if (round % 3 != 2)
			cr_expect_eq(ask_kernel("www-data", "/home/a/f", flags[round % 3]), 0, "round %u", round);
		cr_assert_eq(remove(given_image_path("/home/a/f")), 0);
		cr_assert_eq(remove(given_image_path("/home/a")), 0);
	}
}

Test(why, shows_symlinks_acls_and_bytes_that_are_no_text) {
	given_image_directory("/home/shop/a\nb", SHOP, SHOP, 0700);
	given_image_owned("/home/shop/a\nb/\033[31mf", SHOP, SHOP, 0640, "");
	cr_assert_eq(symlink("a\nb/\033[31mf", given_image_path("/home/shop/link")), 0);
	cr_assert_eq(lchown(given_image_path("/home/shop/link"), SHOP, SHOP), 0);
	cr_assert(set_acl(({
		static char command[128];
		snprintf(command, sizeof command, "setfacl -m u:4033:x %s", given_image_path("/home/shop"));
		command;
	})));
	cr_expect_eq(WHY("shop", "/home/shop/link", "--user", "www-data"), 1);
	golden_expect("tests/fixtures/companion/why-link.txt", said);
}

/* A worker that was started before usermod; and a socket file that its server left behind. */
Test(why, notes_what_runs) {
	const struct image here = {.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), .prefix = ""};
	const struct person person = {
		.uid = 45033, .gid = 45033, .groups = (uint32_t[]){45033, 45034}, .group_count = 2};
	struct access_step of_group = {.is_there = true, .status.st_gid = 45034}, of_root = {.is_there = true};
	const struct access way = {.count = 1, .steps = &of_group}, elsewhere = {.count = 1, .steps = &of_root};
	const struct access_who anybody = {.overrides = true};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct findings notes = {0};
	struct access *access;

	for (unsigned has_group = 0; has_group < 2; has_group++) {
		int ready[2];
		char byte;
		pid_t child;

		cr_assert_eq(pipe(ready), 0);
		child = fork();
		if (child == 0) {
			if (setgroups(has_group, &(const gid_t){45034}) != 0 || setresgid(45033, 45033, 45033) != 0 ||
			    setresuid(45033, 45033, 45033) != 0 || write(ready[1], "", 1) != 1)
				_exit(1);
			alarm(30);
			pause();
			_exit(0);
		}
		cr_assert_eq(read(ready[0], &byte, 1), 1);
		why_note_processes(&here, &person, &elsewhere, &notes);
		cr_expect_eq(notes.count, has_group, "a group that has no part in the way");
		why_note_processes(&here, &person, &way, &notes);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		cr_expect_eq(notes.count, 1, "%u", has_group);
		close(ready[0]);
		close(ready[1]);
	}
	cr_assert_eq(notes.count, 1);
	cr_expect_not_null(strstr(notes.list[0].what, "is not in the group 45034"), "%s", notes.list[0].what);
	findings_free(&notes);

	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", given_image_path("/socket"));
	cr_assert_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
	for (unsigned is_served = 0; is_served < 2; is_served++) {
		if (is_served == 1)
			cr_assert_eq(listen(listener, 1), 0);
		access = access_path(&here, &anybody, address.sun_path, ACCESS_CONNECT);
		why_note_access(&here, &anybody, access, &notes);
		cr_expect_eq(notes.count, 1 - is_served);
		findings_free(&notes);
		access_free(access);
	}
	close(listener);
	close(here.root);
}

/* No command that would give an app the system's own files. */
Test(why, never_advises_to_open_what_is_roots) {
	given_image_directory("/root", 0, 0, 0700);
	given_image_owned("/root/app.sock", 0, 0, 0644, "");
	given_image_directory("/usr", 0, 0, 0755);
	cr_expect_eq(WHY("shop", "/etc/passwd", "write"), 1);
	cr_expect_not_null(strstr(said, "hint: use another place: IMAGE/etc/passwd is for root alone to write\n"), "%s",
			   said);
	cr_expect_eq(WHY("shop", "/usr/new", "write"), 1);
	cr_expect_not_null(strstr(said, "hint: use another place: IMAGE/usr is for root alone to write\n"), "%s", said);
	cr_expect_eq(WHY("shop", "/root/app.sock"), 1);
	cr_expect_not_null(strstr(said, "hint: use another place: IMAGE/root is for root alone\n"), "%s", said);
	asker = 4009;
	cr_expect_eq(WHY("--user", "4009", "/root/app.sock"), 1);
	cr_expect_not_null(strstr(said, "app.sock <- hidden\n"), "%s", said);
	cr_expect_eq(WHY("--user", "root", "/root/app.sock"), 2);
}

Test(why, wrong_questions) {
	cr_expect_eq(WHY("shop"), 2);
	cr_expect_eq(WHY("shop", "/home", "look"), 2);
	cr_expect_eq(WHY("nobody-there", "/home"), 2);
	cr_expect_eq(WHY("--user", "nobody-there", "/home"), 2);
	cr_expect_eq(WHY("--user", "shop", "home"), 2);
	given_image_owned("/etc/runas-app/shop.conf", 0, 0, 0644, "runas-app = 1\nuser = nobody-there\ncommand = *\n");
	cr_expect_eq(WHY("shop", "/home"), 2);
	cr_expect_not_null(strstr(said, "nobody-there"), "%s", said);
}
