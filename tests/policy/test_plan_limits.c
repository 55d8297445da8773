/* SPDX-License-Identifier: ISC */
/* Limits, nice and oom_score_adj: what is named, what goes to fixed values, and what stays as root or the app set it. */
#include "tests/policy/launch.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

TestSuite(plan, .timeout = 20);

Test(plan, a_callers_limits_go_to_fixed_ones) {
	const struct launch_plan *plan = built(by_deploy("limit_nofile = 100:200\nlimit_core = unlimited\n"));

	for (int i = 0; i < POLICY_LIMITS; i++) {
		cr_expect(plan->limits[i].is_set, "%d", i);
		cr_expect(plan->limits[i].soft <= plan->limits[i].hard, "%d", i);
		cr_expect(plan->limits[i].least_hard <= plan->limits[i].hard, "%d", i);
	}
	cr_expect(plan->limits[RLIMIT_NOFILE].soft == 100 && plan->limits[RLIMIT_NOFILE].hard == 200);
	cr_expect(plan->limits[RLIMIT_NOFILE].least_hard == 200, "what the policy names is kept to the letter");
	cr_expect(plan->limits[RLIMIT_CORE].soft == UINT64_MAX);
	cr_expect(plan->limits[RLIMIT_STACK].soft == 8388608 && plan->limits[RLIMIT_CPU].soft == UINT64_MAX);
	cr_expect(built(by_deploy(""))->limits[RLIMIT_CORE].soft == 0);
	cr_expect(built(by_deploy(""))->limits[RLIMIT_NICE].hard == 0 &&
		  built(by_deploy(""))->limits[RLIMIT_RTPRIO].hard == 0);
	cr_expect(plan->nice.is_set && plan->nice.value == 0 && plan->oom_score_adj.is_set &&
		  plan->oom_score_adj.value == 0);
}

/* The table of SECURITY.md, section 4. */
Test(plan, the_fixed_limits_are_these) {
	const uint64_t no = UINT64_MAX;
	const struct plan_limit wants[POLICY_LIMITS] = {
		[RLIMIT_CPU] = {true, no, no, no},
		[RLIMIT_FSIZE] = {true, no, no, no},
		[RLIMIT_DATA] = {true, no, no, no},
		[RLIMIT_STACK] = {true, 8388608, no, 8388608},
		[RLIMIT_CORE] = {true, 0, no, 0},
		[RLIMIT_RSS] = {true, no, no, no},
		[RLIMIT_NPROC] = {true, no, no, 1024},
		[RLIMIT_NOFILE] = {true, 1024, 524288, 4096},
		[RLIMIT_MEMLOCK] = {true, 8388608, 8388608, 65536},
		[RLIMIT_AS] = {true, no, no, no},
		[RLIMIT_LOCKS] = {true, no, no, no},
		[RLIMIT_SIGPENDING] = {true, no, no, 1024},
		[RLIMIT_MSGQUEUE] = {true, 819200, 819200, 819200},
		[RLIMIT_NICE] = {true, 0, 0, 0},
		[RLIMIT_RTPRIO] = {true, 0, 0, 0},
		[RLIMIT_RTTIME] = {true, no, no, no},
	};
	const struct launch_plan *plan = built(by_deploy(""));

	for (int i = 0; i < POLICY_LIMITS; i++) {
		const struct plan_limit *is = &plan->limits[i], *want = &wants[i];

		cr_expect(is->is_set && is->soft == want->soft && is->hard == want->hard &&
				  is->least_hard == want->least_hard,
			  "limit %d: %" PRIu64 " %" PRIu64 " %" PRIu64, i, is->soft, is->hard, is->least_hard);
	}
}

Test(plan, what_root_set_stays) {
	const struct launch_plan *plan = built(by_root("limit_nofile = 100\n"));

	cr_expect(plan->has_root && !plan->restores);
	for (int i = 0; i < POLICY_LIMITS; i++)
		cr_expect(plan->limits[i].is_set == (i == RLIMIT_NOFILE), "%d", i);
	cr_expect(!plan->nice.is_set && !plan->oom_score_adj.is_set);
	plan = built(by_root("nice = -20\noom_score_adj = -1000\n"));
	cr_expect(plan->nice.is_set && plan->nice.value == -20 && plan->oom_score_adj.is_set &&
		  plan->oom_score_adj.value == -1000);
	plan = built(by_root("nice = 19\noom_score_adj = 1000\n"));
	cr_expect(plan->nice.value == 19 && plan->oom_score_adj.value == 1000);
}

Test(plan, limits_stand_at_the_kernels_numbers) {
	static const struct {
		const char *name;
		int resource;
	} cases[] = {
		{"cpu", RLIMIT_CPU},	       {"fsize", RLIMIT_FSIZE},
		{"data", RLIMIT_DATA},	       {"stack", RLIMIT_STACK},
		{"core", RLIMIT_CORE},	       {"rss", RLIMIT_RSS},
		{"nproc", RLIMIT_NPROC},       {"nofile", RLIMIT_NOFILE},
		{"memlock", RLIMIT_MEMLOCK},   {"as", RLIMIT_AS},
		{"locks", RLIMIT_LOCKS},       {"sigpending", RLIMIT_SIGPENDING},
		{"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
		{"rtprio", RLIMIT_RTPRIO},     {"rttime", RLIMIT_RTTIME},
	};
	char line[64];

	cr_expect(COUNT(cases) == POLICY_LIMITS);
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(line, sizeof(line), "limit_%s = 7:8\n", cases[i].name);
		const struct plan_limit *limit = &built(by_root(line))->limits[cases[i].resource];
		cr_expect(limit->is_set && limit->soft == 7 && limit->hard == 8, "%s", cases[i].name);
	}
}

/* What the app user itself set is its own, also where the setuid bit gives root. */
Test(plan, what_the_apps_own_user_set_stays) {
	struct launch l = by_deploy("limit_nofile = 100\n");
	const struct launch_plan *plan;

	l.caller.uid.value = 4002;
	plan = built(l);
	cr_expect(plan->has_root && !plan->restores);
	for (int i = 0; i < POLICY_LIMITS; i++)
		cr_expect(plan->limits[i].is_set == (i == RLIMIT_NOFILE), "%d", i);
	cr_expect(!plan->nice.is_set && !plan->oom_score_adj.is_set);
	l.caller.uid.value = 4003;
	plan = built(l);
	cr_expect(plan->restores && plan->nice.is_set && plan->oom_score_adj.is_set);
}
