/* SPDX-License-Identifier: ISC */
/* What stands in the log of a launch and of a refusal: nothing that a caller typed can look like more than that. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

TestSuite(refusals, .timeout = 120);

/* Attack G2. */
Test(refusals, what_a_caller_types_cannot_forge_a_log_line) {
	static char big[120000];
	static const char *const words[] = {
		"\n<0>root: all is well", "\x1b[2J\x1b]0;x\a", "\x9b", "\" decision=allow \"", "a\rb", big};

	world_enter();
	memset(big, 'x', sizeof(big) - 1);
	world_app_policy("probe", "");
	world_policy("strict", "runas-app = 1\nallow_users = deploy\nuser = ra_app\ncommand = " WORLD_PROBE "\n");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct world_run *run = world_launch(&world_deploy, WORLD_LIST("probe", "--", WORLD_PROBE, words[i]));
		world_expect_app(run);
		world_expect_logged("allowed", "decision=allow");
		cr_expect(strlen(world_log_line(0)) < 2048, "%zu bytes of log", strlen(world_log_line(0)));
		cr_expect(strstr(world_log_line(0), "decision=allow \"") == NULL, "%s", world_log_line(0));

		run = world_launch(&world_deploy, WORLD_LIST("strict", "--", WORLD_PROBE, words[i]));
		world_expect_refused(run, 126, "[");
		world_expect_logged("refused", "decision=refuse");
		cr_expect(strstr(world_log_line(0), "decision=allow") == NULL ||
				  strstr(world_log_line(0), "\\042 decision=allow"),
			  "a refusal that looks like an allowance: %s", world_log_line(0));
		for (const char *at = run->err; *at; at++)
			cr_expect(*at == '\n' || ((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f),
				  "byte %#x on stderr", (unsigned)(unsigned char)*at);
	}
}

Test(refusals, the_log_names_caller_app_and_user) {
	world_enter();
	world_app_policy("probe", "");
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
	world_expect_logged("allowed", "decision=allow");
	static const char *const parts[] = {
		"caller=4001", "app=", "probe", "user=4002", "command=\"" WORLD_PROBE "\"", "syscalls=\"@app-server\""};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		cr_expect(strstr(world_log_line(0), parts[i]) != NULL, "no %s in: %s", parts[i], world_log_line(0));
}

Test(refusals, without_a_log_reader_only_log_required_refuses) {
	world_enter();
	unlink("/dev/log");
	world_app_policy("probe", "");
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
	world_app_policy("probe", "log = none\n");
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
	world_app_policy("probe", "log = required\n");
	struct world_run *run = world_probe(&world_deploy, NULL, NULL);
	world_expect_refused(run, 125, "log");
}

/* Attack G3. */
Test(refusals, a_full_log_queue_delays_nothing) {
	world_enter();
	world_app_policy("probe", "");
	for (int i = 0; i < 40; i++)
		world_expect_app(world_probe(&world_deploy, NULL, NULL));
	world_app_policy("probe", "log = none\n");
	world_log();
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
	cr_expect(world_log() == 0, "`log = none`, and yet: %s", world_log_line(0));
}
