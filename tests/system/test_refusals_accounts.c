/* SPDX-License-Identifier: ISC */
/* Accounts as the launcher reads them: what matches nobody, whose files are believed, and when they are not read. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

TestSuite(refusals, .timeout = 120);

/* Attack B3. */
Test(refusals, malformed_lines_of_passwd_never_match) {
	static const char *const lines[] = {"+",
					    "+ghost",
					    "+ghost::::::",
					    "-ghost:x:4100:4100::/:/bin/sh",
					    "ghost:x:4100:4100::/srv",
					    "ghost:x:4100:4100::/srv:/bin/sh:more",
					    "ghost:x: 4100:4100::/srv:/bin/sh",
					    "ghost:x:+4100:4100::/srv:/bin/sh",
					    "ghost:x:04100:4100::/srv:/bin/sh",
					    "ghost:x:4100:-1::/srv:/bin/sh",
					    "ghost:x:0x1000:4100::/srv:/bin/sh",
					    "ghost:x:4294967295:4100::/srv:/bin/sh",
					    "ghost:x:4294967296:4100::/srv:/bin/sh",
					    "ghost:x::4100::/srv:/bin/sh",
					    "ghost:x:4100::/srv:/bin/sh",
					    " ghost:x:4100:4100::/srv:/bin/sh",
					    "ghost :x:4100:4100::/srv:/bin/sh",
					    "ghost:x:0:0::/srv:/bin/sh",
					    "ghost:x:4100:0::/srv:/bin/sh",
					    "ghost:x:4100:4100::srv:/bin/sh",
					    "ghost:x:4100:4100::/srv:/bin/sh\r",
					    "#ghost:x:4100:4100::/srv:/bin/sh",
					    "ghost:x:4100:4100::/srv:/bin/sh\x01"};
	char text[1024];

	world_enter();
	world_policy("probe", "runas-app = 1\nallow_users = deploy\nuser = ghost\ndirectory = /\ncommand = *\n");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text),
			 "root:x:0:0:root:/root:/bin/bash\n%s\ndeploy:x:4001:4001::/home/deploy:/bin/sh\n", lines[i]);
		world_file("/etc/passwd", 0, 0, 0644, text);
		struct world_run *run = world_probe(&world_root, NULL, NULL);
		cr_expect(world_exited(run, 125), "`%s` matched: status %#x, %s%.200s", lines[i], (unsigned)run->status,
			  run->err, run->out);
		world_expect_refused(run, 125, "[");
	}
	world_file("/etc/passwd", 0, 0, 0644,
		   "ghost:x:4100:4100::/srv:/bin/sh\ndeploy:x:4001:4001::/home/deploy:/bin/sh\n");
	world_expect_confined(world_probe(&world_deploy, NULL, NULL), 4100, 4100, "4100", true);
}

Test(refusals, an_account_without_a_home_needs_a_directory) {
	static const char policy[] = "runas-app = 1\nallow_users = deploy\nuser = ghost\ncommand = *\n%s";
	char text[256];

	world_enter();
	world_file("/etc/passwd", 0, 0, 0644,
		   "deploy:x:4001:4001::/home/deploy:/bin/sh\nghost:x:4100:4100::srv:/bin/sh\n");
	snprintf(text, sizeof(text), policy, "");
	world_policy("probe", text);
	world_expect_refused(world_probe(&world_deploy, NULL, NULL), 125, "no directory to start in");
	snprintf(text, sizeof(text), policy, "directory = /\n");
	world_policy("probe", text);
	world_expect_refused(world_probe(&world_deploy, NULL, NULL), 125, "no home");
	snprintf(text, sizeof(text), policy, "directory = /\nhome = /srv\n");
	world_policy("probe", text);
	world_expect_confined(world_probe(&world_deploy, NULL, NULL), 4100, 4100, "4100", true);
}

/* Attack B3. */
Test(refusals, a_name_that_stands_for_two_users_is_refused) {
	world_enter();
	world_app_policy("probe", "");
	char *text = world_read("/etc/passwd");
	char more[4096];
	snprintf(more, sizeof(more), "%sra_app:x:4009:4002::/srv/ra_app:/bin/sh\n", text);
	world_file("/etc/passwd", 0, 0, 0644, more);
	world_expect_refused(world_probe(&world_root, NULL, NULL), 125, "[");
}

Test(refusals, long_lines_and_large_account_files_are_no_obstacle) {
	static char text[2 << 20];
	size_t length = 0;

	world_enter();
	world_app_policy("probe", "groups = big ra_app\n");
	length += (size_t)snprintf(text + length, sizeof(text) - length, "big:x:4300:");
	for (int i = 0; i < 100000; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "member%06d,", i);
	length += (size_t)snprintf(text + length, sizeof(text) - length, "last\nra_app:x:4002:\nra_web:x:4010:\n");
	world_file_bytes("/etc/group", 0, 0, 0644, text, length);
	world_expect_confined(world_probe(&world_deploy, NULL, NULL), 4002, 4002, "4002 4300", true);
}

Test(refusals, account_files_that_others_could_have_written_are_refused) {
	world_enter();
	world_app_policy("probe", "groups = ra_web\n");
	cr_assert(chmod("/etc/passwd", 0666) == 0);
	world_expect_refused(world_probe(&world_root, NULL, NULL), 125, "/etc/passwd");
	cr_assert(chmod("/etc/passwd", 0644) == 0 && chown("/etc/group", WORLD_DEPLOY, 0) == 0);
	world_expect_refused(world_probe(&world_root, NULL, NULL), 125, "/etc/group");
	cr_assert(chown("/etc/group", 0, 0) == 0);
	world_expect_confined(world_probe(&world_root, NULL, NULL), 4002, 4002, "4010", true);
}

/* Images without any accounts: numbers need no files. */
Test(refusals, account_files_that_nothing_is_looked_up_in_are_not_read) {
	world_enter();
	world_policy("probe", "runas-app = 1\nallow_users = 4001\nuser = 4002\ngroup = 4002\nhome = /srv/ra_app\n"
			      "directory = /srv/ra_app\ncommand = *\n");
	cr_assert(rename("/etc/passwd", "/etc/passwd.gone") == 0 && rename("/etc/group", "/etc/group.gone") == 0);
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
}
