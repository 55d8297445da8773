/* SPDX-License-Identifier: ISC */
/* Descriptors for the app: those of the caller that are kept, and the sockets of `listen`. */
#include "tests/policy/launch.h"

#include <stdio.h>

TestSuite(plan, .timeout = 20);

/* --- keep_fds, as systemd passes sockets -------------------------------------------------------------------------------- */

/* sd_listen_fds(3): real root, kept descriptors that were open, addressed to this very process. */
Test(plan, listen_fds_are_rebuilt_from_what_is_kept) {
	static const struct {
		const char *keep, *pid, *count, *names, *want_count, *want_names;
		uint32_t open_fds;
	} cases[] = {
		{"3 4", "77", "2", "http:https", "2", "http:https", 0x18},
		{"3", "77", "2", "http:https", "1", "http", 0x18},
		{"4", "77", "2", "http:https", NULL, NULL, 0x18},
		{"3 4", "77", "1", "http", "1", "http", 0x18},
		{"3", "77", "2", ":b", "1", NULL, 0x18}, /* the first has no name */
		{"3 4 5", "77", "3", "a:b:c", "1", "a", 0x08},
		{"3 4", "76", "2", "a:b", NULL, NULL, 0x18},
		{"3 4", "77", "2", NULL, "2", NULL, 0x18},
		{"3 4", "77", "-1", NULL, NULL, NULL, 0x18},
		{"3 4", "77", "99999999999", NULL, NULL, NULL, 0x18},
		{"3 4", "077", "2", NULL, NULL, NULL, 0x18},
		{"3 4", "77", "0", NULL, NULL, NULL, 0x18},
		{"3 4", NULL, "2", NULL, NULL, NULL, 0x18},
		{"3 4", "77", NULL, NULL, NULL, NULL, 0x18},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char keep[64], pid[64], fds[64], names[64], *environment[] = {NULL, NULL, NULL, NULL};
		size_t n = 0;
		struct launch l = by_root(keep);
		const struct launch_plan *plan;

		snprintf(keep, sizeof(keep), "keep_fds = %s\n", cases[i].keep);
		if (cases[i].pid != NULL && snprintf(pid, sizeof(pid), "LISTEN_PID=%s", cases[i].pid) > 0)
			environment[n++] = pid;
		if (cases[i].count != NULL && snprintf(fds, sizeof(fds), "LISTEN_FDS=%s", cases[i].count) > 0)
			environment[n++] = fds;
		if (cases[i].names != NULL && snprintf(names, sizeof(names), "LISTEN_FDNAMES=%s", cases[i].names) > 0)
			environment[n++] = names;
		l.caller.environment = environment;
		l.caller.open_fds = cases[i].open_fds;
		plan = built(l);
		expect_variable(plan, "LISTEN_FDS", cases[i].want_count);
		expect_variable(plan, "LISTEN_FDNAMES", cases[i].want_names);
		expect_variable(plan, "LISTEN_PID", cases[i].want_count != NULL ? "77" : NULL);
		l.caller.uid.value = 4001;
		plan = built(l);
		expect_variable(plan, "LISTEN_FDS", NULL);
		expect_variable(plan, "LISTEN_PID", NULL);
		expect_variable(plan, "LISTEN_FDNAMES", NULL);
	}
}

Test(plan, only_descriptors_that_were_open_are_kept) {
	struct launch l = by_deploy("keep_fds = 3 5 31\n");

	l.caller.open_fds = UINT32_C(1) << 3 | UINT32_C(1) << 4 | UINT32_C(1) << 31;
	cr_expect(built(l)->keep_fds == (UINT32_C(1) << 3 | UINT32_C(1) << 31), "%x", built(l)->keep_fds);
	l.lines = "nice = 4\noom_score_adj = 31\n";
	cr_expect(built(l)->keep_fds == 0, "other keys have such numbers too");
}

/* --- listen and serve --------------------------------------------------------------------------------------------- */

static char *const server_command[] = {(char *)"server", (char *)"-p", NULL};

/* `command = *` stands behind it, so that what serve does not name runs too, without sockets. */
#define LISTENING "listen = tcp 0.0.0.0:80\nlisten = tcp [::1]:443\nlisten = tcp 127.0.0.1:80\nserve = /bin/server *\n"

Test(plan, sockets_are_for_serve_commands_only) {
	struct launch l = by_deploy(LISTENING);
	const struct launch_plan *plan;

	l.command = server_command;
	plan = built(l);
	cr_assert(plan->listen_count == 3, "%zu", plan->listen_count);
	given_expect_text(plan->listens[0].by, "tcp 0.0.0.0:80", "0");
	given_expect_text(plan->listens[1].by, "tcp [::1]:443", "1");
	cr_expect(plan->listens[0].port == 80 && !plan->listens[0].is_ipv6);
	cr_expect(plan->listens[1].port == 443 && plan->listens[1].is_ipv6 && plan->listens[1].address[15] == 1);
	cr_expect(plan->listens[2].port == 80 && plan->listens[2].address[0] == 127);
	cr_expect(plan->keep_fds == 0x38, "descriptors 3 to 5, whatever was open: %x", plan->keep_fds);
	expect_variable(plan, "LISTEN_FDS", "3");
	expect_variable(plan, "LISTEN_PID", "77");
	expect_variable(plan, "LISTEN_FDNAMES", "80:443:80");

	l.command = true_command;
	plan = built(l);
	cr_expect(plan->listen_count == 0 && plan->keep_fds == 0);
	expect_variable(plan, "LISTEN_FDS", NULL);
	expect_variable(plan, "LISTEN_PID", NULL);
	expect_variable(plan, "LISTEN_FDNAMES", NULL);
}

/* The sockets are ours: neither the caller's variables nor its descriptors get among them. */
Test(plan, the_callers_sockets_do_not_mix_with_listen) {
	static char *const environment[] = {(char *)"LISTEN_FDS=5", (char *)"LISTEN_PID=77",
					    (char *)"LISTEN_FDNAMES=a:b:c:d:e", NULL};
	struct launch l = by_root(LISTENING "env_keep = *\n");
	const struct launch_plan *plan;

	l.caller.environment = environment;
	l.caller.open_fds = UINT32_MAX;
	l.command = server_command;
	plan = built(l);
	cr_expect(plan->keep_fds == 0x38, "%x", plan->keep_fds);
	expect_variable(plan, "LISTEN_FDS", "3");
	expect_variable(plan, "LISTEN_FDNAMES", "80:443:80");
	l.command = true_command;
	plan = built(l);
	cr_expect(plan->keep_fds == 0);
	expect_variable(plan, "LISTEN_FDS", NULL);
}

Test(plan, as_many_sockets_as_a_policy_can_have) {
	struct text lines = given("serve = *\n"), names = given("");
	char words[64];
	const struct launch_plan *plan;
	struct launch l;

	for (int i = 0; i < POLICY_MAX_LISTEN; i++) {
		snprintf(words, sizeof(words), "listen = tcp 127.0.0.1:%d\n", 65535 - i);
		lines = given_joined(lines, given(words));
		snprintf(words, sizeof(words), "%s%d", i > 0 ? ":" : "", 65535 - i);
		names = given_joined(names, given(words));
	}
	l = by_deploy(given_string(lines));
	plan = built(l);
	cr_expect(plan->listen_count == POLICY_MAX_LISTEN && plan->keep_fds == UINT32_C(0xffff) << 3, "%x",
		  plan->keep_fds);
	expect_variable(plan, "LISTEN_FDS", "16");
	expect_variable(plan, "LISTEN_FDNAMES", given_string(names));
}

/* Bound as the app's own user, where the port allows it. */
Test(plan, sockets_without_root) {
	struct launch l = by_app(LISTENING, NULL, 0);

	l.command = server_command;
	cr_expect(built(l)->listen_count == 3 && built(l)->keep_fds == 0x38);
}
