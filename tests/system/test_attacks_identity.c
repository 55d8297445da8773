/* SPDX-License-Identifier: ISC */
/* The attack catalogue of SECURITY.md, part B: who somebody is. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "world.h"

TestSuite(attacks, .timeout = 120);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- B1, B2: numbers that are no ids --- */

/* The last four are 4001 and 4002 to whoever forgets the upper half, or reads another base. */
static const char *const no_ids[] = {"-1",
				     "+1",
				     "\" 1\"",
				     "0x1000",
				     "01000",
				     "1e3",
				     "0",
				     "00",
				     "-0",
				     "4294967295",
				     "4294967296",
				     "18446744073709551615",
				     "18446744073709551616",
				     "1_000",
				     "1.0",
				     "1,0",
				     "#1000",
				     "#-1",
				     "\xd9\xa1",
				     "1000\xc2\xa0",
				     "4294971297",
				     "4294971298",
				     "0xfa1",
				     "07642"};

static void expect_no_id(const char *what, const char *id, const struct world_person *who, int status) {
	struct world_run *run = world_probe(who, NULL, NULL);

	cr_expect(run->out_length == 0 && world_exited(run, status), "%s %s: status %#x, %s%.200s", what, id,
		  (unsigned)run->status, run->err, run->out);
	cr_expect(!strstr(run->err, "[identity]") && !strstr(run->err, "[capabilities]"), "%s %s came too far: %s",
		  what, id, run->err);
	world_log();
}

Test(attacks, b1_what_is_no_id_is_never_read_as_one_CVE_2019_14287) {
	static const char *const keys[] = {"user", "user = ra_app\ngroup", "user = ra_app\ngroups"};
	char text[512];

	world_enter();
	for (size_t i = 0; i < COUNT(no_ids); i++) {
		for (size_t k = 0; k < COUNT(keys); k++) {
			snprintf(text, sizeof(text), "runas-app = 1\nallow_users = deploy\n%s = %s\ncommand = *\n",
				 keys[k], no_ids[i]);
			world_policy("probe", text);
			expect_no_id(keys[k], no_ids[i], &world_root, 125);
		}
	}
	/* The same in the accounts; there a group of root's number is no app's either. */
	world_policy("probe", "runas-app = 1\nallow_users = 4001\nuser = ghost\ncommand = *\n");
	for (size_t i = 0; i < COUNT(no_ids); i++) {
		snprintf(text, sizeof(text), "ghost:x:%s:4100::/:/bin/sh\n", no_ids[i]);
		world_file("/etc/passwd", 0, 0, 0644, text);
		expect_no_id("uid in passwd", no_ids[i], &world_deploy, 125);
		snprintf(text, sizeof(text), "ghost:x:4100:%s::/:/bin/sh\n", no_ids[i]);
		world_file("/etc/passwd", 0, 0, 0644, text);
		expect_no_id("gid in passwd", no_ids[i], &world_deploy, 125);
	}
	world_file("/etc/passwd", 0, 0, 0644, "ghost:x:4100:4101::/:/bin/sh\n");
	world_expect_confined(world_probe(&world_deploy, NULL, NULL), 4100, 4101, "4101", true);
}

Test(attacks, b2_no_number_is_cut_to_32_bits_or_read_in_another_base) {
	static const char *const near[] = {"4294971297", "18446744073709555617", "0xfa1", "07641", "+4001",
					   "4001.0",	 "-4294963295"};
	char text[512];

	world_enter();
	/* As callers: deploy is 4001, and its group 4020. */
	for (size_t i = 0; i < COUNT(near); i++) {
		snprintf(text, sizeof(text), "runas-app = 1\nallow_users = %s\nuser = ra_app\ncommand = *\n", near[i]);
		world_policy("probe", text);
		expect_no_id("allow_users", near[i], &world_deploy, 126);
		snprintf(text, sizeof(text), "runas-app = 1\nallow_groups = %s\nuser = ra_app\ncommand = *\n", near[i]);
		world_policy("probe", text);
		expect_no_id("allow_groups", near[i], &world_deploy, 126);
	}
	world_policy("probe", "runas-app = 1\nallow_users = 4001\nuser = ra_app\ncommand = *\n");
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
}

/* --- B3: lines that are nobody's --- */

/* A number finds its line by the number: what stands before it must be a name all the same. */
Test(attacks, b3_a_number_finds_no_line_of_nis_or_without_a_name) {
	static const char *const lines[] = {"+ghost:x:4100:4100::/:/bin/sh",  "-ghost:x:4100:4100::/:/bin/sh",
					    ":x:4100:4100::/:/bin/sh",	      " ghost:x:4100:4100::/:/bin/sh",
					    "+:x:4100:4100::/:/bin/sh",	      "+@ghosts:x:4100:4100::/:/bin/sh",
					    "#ghost:x:4100:4100::/:/bin/sh",  "gh/ost:x:4100:4100::/:/bin/sh",
					    "4100:x:4100:4100::/:/bin/sh",    "ghost:x:4100:4100::/:/bin/sh:",
					    "ghost:x:4100:4100::/:/bin/sh\r", "ghost\033[2J:x:4100:4100::/:/bin/sh"};

	world_enter();
	world_policy("probe", "runas-app = 1\nallow_users = 4001\nuser = 4100\ncommand = *\n");
	for (size_t i = 0; i < COUNT(lines); i++) {
		world_file("/etc/passwd", 0, 0, 0644, lines[i]);
		expect_no_id("user = 4100", lines[i], &world_deploy, 125);
	}
	world_file("/etc/passwd", 0, 0, 0644, "ghost:x:4100:4100::/:/bin/sh");
	world_expect_confined(world_probe(&world_deploy, NULL, NULL), 4100, 4100, "4100", true);
}

/* --- B4: lines that undo each other --- */

Test(attacks, b4_nothing_is_negated_ordered_or_included) {
	static const char *const bad[] = {"allow_users = !other\n",   "allow_users = deploy !deploy\n",
					  "allow_users = *\n",	      "allow_users =\n",
					  "allow_users = dep*\n",     "allow_users = @deployers\n",
					  "deny_users = deploy\n",    "include = /etc/runas-app/more.conf\n",
					  "@include more.conf\n",     "#include more.conf\nuser = other\n",
					  "command = !/usr/bin/id\n", "command = /usr/bin/*\n",
					  "command = ALL\n"};
	/* Each order of these says the same. */
	static const char *const settings[] = {"allow_users = deploy\n", "user = ra_app\n", "umask = 0077\n",
					       "command = " WORLD_PROBE "\n", "groups = ra_app ra_web\n"};
	char text[1024];

	world_enter();
	world_file("/etc/runas-app/more.conf", 0, 0, 0644, "allow_users = other\nuser = other\ncommand = *\n");
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(text, sizeof(text),
			 "runas-app = 1\nallow_users = deploy\nuser = ra_app\ncommand = " WORLD_PROBE "\n%s", bad[i]);
		world_policy("probe", text);
		expect_no_id("root", bad[i], &world_root, 125);
		expect_no_id("deploy", bad[i], &world_deploy, 126);
		expect_no_id("other", bad[i], &world_other, 126);
	}
	srand(4);
	for (int round = 0; round < 20; round++) {
		unsigned done = 0;
		size_t length = (size_t)snprintf(text, sizeof(text), "runas-app = 1\n");
		while (done != (1U << COUNT(settings)) - 1) {
			const int next = rand() % (int)COUNT(settings);
			if (done & 1U << next)
				continue;
			done |= 1U << next;
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s", settings[next]);
		}
		world_policy("probe", text);
		struct world_run *run = world_probe(&world_deploy, NULL, NULL);
		world_expect_confined(run, WORLD_APP, WORLD_APP, "4002 4010", true);
		world_expect_value(run, "umask", "0077");
		world_expect_refused(world_probe(&world_other, NULL, NULL), 126, "[not-permitted]");
		world_log();
	}
}

/* --- B5: names that become paths, and paths as long as there are --- */

/* Not there, or a name too long to be there: the same, whether the kernel finds that or the plan. */
static void expect_not_run(const struct world_run *run, bool is_too_long) {
	world_expect_refused(run, is_too_long ? 126 : 127, is_too_long ? "[not-executable]" : "[not-found]");
}

Test(attacks, b5_a_name_is_no_path_CVE_2023_42456) {
	static const size_t lengths[] = {32, 33, 255, 256, 4095, 4096, 131071};
	static const char *const names[] = {
		"../../tmp/evil", "evil/../probe", "./probe", "probe/", "/etc/runas-app/probe", "probe.conf", "..",
		"\xff",		  "pro\001be"};
	static char name[131072], path[131072];
	char text[256];

	world_enter();
	world_app_policy("probe", "");
	world_file("/tmp/evil.conf", 0, 0, 0644,
		   "runas-app = 1\nallow_users = deploy\nuser = other\ndirectory = /\ncommand = *\n");
	for (size_t i = 0; i < COUNT(names); i++)
		world_expect_refused(world_launch(&world_deploy, WORLD_LIST(names[i], "--", WORLD_PROBE)), 125,
				     "[usage]");
	for (size_t i = 0; i < COUNT(lengths); i++) {
		memset(name, 'a', lengths[i]);
		name[lengths[i]] = '\0';
		world_expect_refused(world_launch(&world_deploy, WORLD_LIST(name, "--", WORLD_PROBE)), 125, "[usage]");
		/* The same as the command: a path longer than any that there is. */
		memset(path, '/', lengths[i]);
		memcpy(path + lengths[i] - strlen(WORLD_PROBE), WORLD_PROBE, sizeof(WORLD_PROBE));
		struct world_run *run = world_launch(&world_deploy, WORLD_LIST("probe", "--", path));
		if (lengths[i] < 4096)
			world_expect_app(run);
		else
			expect_not_run(run, true);
		memset(path, 'b', lengths[i]);
		path[lengths[i]] = '\0';
		expect_not_run(world_launch(&world_deploy, WORLD_LIST("probe", "--", path)), lengths[i] > 255);
		world_log();
	}
	/* In the policy names stand for accounts, and for files nowhere. */
	static const char *const users[] = {"../ra_app", "ra_app/", "/etc/passwd", ".", "ra_app/../root"};
	for (size_t i = 0; i < COUNT(users); i++) {
		snprintf(text, sizeof(text), "runas-app = 1\nallow_users = deploy\nuser = %s\ncommand = *\n", users[i]);
		world_policy("probe", text);
		expect_no_id("user", users[i], &world_root, 125);
	}
}

/* In a directory whose path no buffer of PATH_MAX holds, and in one where it just fits. */
static void go_deep(const void *data) {
	char name[201];

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int depth = *(const int *)data; depth > 0; depth--)
		if ((mkdir(name, 0755) != 0 && errno != EEXIST) || chdir(name) != 0)
			_exit(WORLD_CHILD_BROKE);
}

Test(attacks, b5_a_directory_longer_than_PATH_MAX_is_not_kept) {
	static const int depths[] = {19, 20, 21, 25, 100};

	world_enter();
	world_directory("/srv/app", WORLD_DEPLOY, WORLD_DEPLOY, 0755);
	world_app_policy("probe", "directory_below = /srv/app\n");
	for (size_t i = 0; i < COUNT(depths); i++) {
		struct world_run *run =
			world_run(&(struct world_call){.who = &world_deploy,
						       .program = WORLD_RUNAS,
						       .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
						       .directory = "/srv/app",
						       .as_caller = go_deep,
						       .data = &depths[i]});
		world_expect_app(run);
		const char *cwd = world_value(run, "cwd");
		cr_assert(cwd);
		if (depths[i] < 20)
			cr_expect(strlen(cwd) == strlen("/srv/app") + 201U * (unsigned)depths[i], "%zu", strlen(cwd));
		else if (depths[i] > 20)
			cr_expect(strcmp(cwd, "/srv/ra_app") == 0, "%.60s", cwd);
	}
}

/* --- B6: groups --- */

/* The caller has as many groups as there can be, root's and the disk's among them. */
static void take_all_groups(const void *data) {
	static gid_t groups[65536];
	const struct world_person *who = data;

	for (gid_t i = 0; i < 65536; i++)
		groups[i] = i;
	if (syscall(SYS_setgroups, 65536L, groups) != 0 ||
	    (who->uid != 0 && (syscall(SYS_setresgid, who->gid, who->gid, who->gid) != 0 ||
			       syscall(SYS_setresuid, who->uid, who->uid, who->uid) != 0)))
		_exit(WORLD_CHILD_BROKE);
}

Test(attacks, b6_no_group_of_the_caller_stays_CVE_2009_0034_CVE_2026_35535) {
	static const struct {
		const char *line, *groups;
	} policies[] = {{"", "4002"},
			{"groups = none\n", "none"},
			{"groups = ra_web\n", "4010"},
			{"groups = ra_extra ra_app ra_web\n", "4002 4010 4011"}};
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	for (size_t i = 0; i < COUNT(policies); i++) {
		world_app_policy("probe", policies[i].line);
		for (size_t who = 0; who < COUNT(callers); who++) {
			struct world_run *run = world_run(
				&(struct world_call){.who = &world_root, /* take_all_groups becomes the caller */
						     .program = WORLD_RUNAS,
						     .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
						     .as_root = take_all_groups,
						     .data = callers[who]});
			world_expect_confined(run, WORLD_APP, WORLD_APP, policies[i].groups, true);
		}
	}
	/* More than a policy can name is refused, not shortened. */
	char text[1024] = "groups =";
	for (int i = 0; i < 65; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", 5000 + i);
	strcat(text, "\n");
	world_app_policy("probe", text);
	expect_no_id("groups", "65", &world_root, 125);
}
