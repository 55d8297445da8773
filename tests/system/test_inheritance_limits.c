/* SPDX-License-Identifier: ISC */
/* Limits of a hostile caller: put back, or the launch is refused; root's own stay. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "gifts.h"
#include "world.h"

TestSuite(inheritance, .timeout = 60);

enum { CAPABILITY_SYS_RESOURCE = 24 };

struct limit_case {
	int resource;
	const char *key;
	rlim_t small;
};

static const struct limit_case limit_cases[] = {
	{RLIMIT_CPU, "rlimit_cpu", 100},
	{RLIMIT_FSIZE, "rlimit_fsize", 1 << 20},
	{RLIMIT_DATA, "rlimit_data", 64 << 20},
	{RLIMIT_STACK, "rlimit_stack", 512 << 10},
	{RLIMIT_CORE, "rlimit_core", 12345},
	{RLIMIT_RSS, "rlimit_rss", 64 << 20},
	{RLIMIT_NPROC, "rlimit_nproc", 500},
	{RLIMIT_NOFILE, "rlimit_nofile", 77},
	{RLIMIT_MEMLOCK, "rlimit_memlock", 4096},
	{RLIMIT_AS, "rlimit_as", 256 << 20},
	{RLIMIT_LOCKS, "rlimit_locks", 5},
	{RLIMIT_SIGPENDING, "rlimit_sigpending", 50},
	{RLIMIT_MSGQUEUE, "rlimit_msgqueue", 4096},
	{RLIMIT_RTTIME, "rlimit_rttime", 1000000},
};

static void give_soft_limit(const void *data) {
	const struct limit_case *one = data;

	gift_soft_limit(one->resource, one->small);
}

static void give_hard_limit(const void *data) {
	const struct limit_case *one = data;
	struct rlimit limit = {one->small, one->small};

	gift_need(setrlimit((__rlimit_resource_t)one->resource, &limit) == 0, one->key);
}

Test(inheritance, soft_limits_of_a_caller_are_undone) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *plain = world_probe(&world_deploy, NULL, NULL);
	world_expect_app(plain);
	for (size_t i = 0; i < sizeof(limit_cases) / sizeof(limit_cases[0]); i++)
		gift_expect_not_to_arrive(&world_deploy, give_soft_limit, &limit_cases[i], limit_cases[i].key,
					  world_value(plain, limit_cases[i].key));
}

/* Without CAP_SYS_RESOURCE a lowered hard limit stays lowered. Then either what applies, the soft limit, is the usual one
 * all the same, or the launch is refused. */
static void expect_usual_or_refused(const struct limit_case *one, const char *usual) {
	struct world_run *run = world_probe(&world_deploy, give_hard_limit, one);
	const char *now = world_value(run, one->key);

	if (!now) {
		world_expect_refused(run, 125, "SYS_RESOURCE");
		return;
	}
	world_expect_app(run);
	cr_expect(strncmp(now, usual, strcspn(usual, ":") + 1) == 0, "%s is %s instead of %s", one->key, now, usual);
}

Test(inheritance, hard_limits_of_a_caller_are_undone_or_the_missing_capability_is_named) {
	bool may_raise = prctl(PR_CAPBSET_READ, (unsigned long)CAPABILITY_SYS_RESOURCE) == 1;

	world_enter();
	world_app_policy("probe", "");
	struct world_run *plain = world_probe(&world_deploy, NULL, NULL);
	world_expect_app(plain);
	for (size_t i = 0; i < sizeof(limit_cases) / sizeof(limit_cases[0]); i++) {
		const char *usual = world_value(plain, limit_cases[i].key);
		if (may_raise)
			gift_expect_not_to_arrive(&world_deploy, give_hard_limit, &limit_cases[i], limit_cases[i].key,
						  usual);
		else
			expect_usual_or_refused(&limit_cases[i], usual);
	}
}

Test(inheritance, limits_of_the_policy_are_exact) {
	world_enter();
	world_app_policy(
		"probe",
		"limit_cpu = 1000\nlimit_fsize = 1000000:2000000\nlimit_data = 500000000\nlimit_stack = 1048576\n"
		"limit_core = 10:20\nlimit_rss = 5:6\nlimit_nproc = 900\nlimit_nofile = 99:100\nlimit_memlock = 0\n"
		"limit_as = 900000000\nlimit_locks = 9\nlimit_sigpending = 8\nlimit_msgqueue = 7\nlimit_nice = 0\n"
		"limit_rtprio = 0\nlimit_rttime = 5:50\n");
	static const char *const expected[][2] = {{"rlimit_cpu", "1000:1000"},
						  {"rlimit_fsize", "1000000:2000000"},
						  {"rlimit_data", "500000000:500000000"},
						  {"rlimit_stack", "1048576:1048576"},
						  {"rlimit_core", "10:20"},
						  {"rlimit_rss", "5:6"},
						  {"rlimit_nproc", "900:900"},
						  {"rlimit_nofile", "99:100"},
						  {"rlimit_memlock", "0:0"},
						  {"rlimit_as", "900000000:900000000"},
						  {"rlimit_locks", "9:9"},
						  {"rlimit_sigpending", "8:8"},
						  {"rlimit_msgqueue", "7:7"},
						  {"rlimit_nice", "0:0"},
						  {"rlimit_rtprio", "0:0"},
						  {"rlimit_rttime", "5:50"}};
	static const struct world_person *const callers[] = {&world_deploy, &world_root};
	for (int who = 0; who < 2; who++) {
		struct world_run *run = world_probe(callers[who], NULL, NULL);
		world_expect_app(run);
		for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
			world_expect_value(run, expected[i][0], expected[i][1]);
	}
}

/* Attack D4. */
Test(inheritance, no_limit_lets_the_app_run_in_a_wrong_state) {
	static const rlim_t values[] = {0, 1, 4096, 131072};

	/* A launch may fail here, for many reasons; what it may not do is start the app as anything else. */
	world_enter();
	world_app_policy("probe", "");
	for (int who = 0; who < 2; who++) {
		for (int resource = 0; resource < 16; resource++) {
			for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
				struct limit_case one = {resource, "limit", values[i]};
				struct world_run *run =
					world_probe(who ? &world_root : &world_deploy, give_hard_limit, &one);
				cr_expect(!run->timed_out);
				if (world_value(run, "ruid"))
					world_expect_app(run);
				else
					cr_expect(!world_exited(run, 0),
						  "limit %d of %lu: nothing ran, and the status is 0", resource,
						  (unsigned long)values[i]);
			}
		}
	}
}

Test(inheritance, the_core_limit_of_root_arrives_although_the_launcher_lowers_its_own) {
	static const struct limit_case core = {RLIMIT_CORE, "rlimit_core", 54321};

	world_enter();
	world_app_policy("probe", "");
	world_expect_value(world_probe(&world_root, give_hard_limit, &core), "rlimit_core", "54321:54321");
}
