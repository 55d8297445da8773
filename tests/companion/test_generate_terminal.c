/* SPDX-License-Identifier: ISC */
/* No filter lets an app type into its terminal, whatever its profile says of ioctl. */
#include "tests/companion/answers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

static const struct {
	uint64_t request;
	bool is_typing;
} requests[] = {{TIOCSTI, true},
		{TIOCSTI | garbage, true},
		{0x100000000 | TIOCSTI, true},
		{TIOCLINUX, true},
		{0x7fffffff00000000 | TIOCLINUX, true},
		{TIOCSTI - 1, false},
		{TIOCSTI + 1, false},
		{TIOCLINUX + 1, false},
		{(uint64_t)TIOCSTI << 32, false},
		{TCGETS, false},
		{FIONBIO | garbage, false},
		{0, false}};

/* otherwise: to other requests; allowed: the only one, where the profile has a condition. */
static void expect_terminal_closed(const struct program *program, int otherwise, uint32_t allowed, const char *name) {
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		const uint64_t arguments[6] = {garbage, requests[i].request, garbage};
		const bool is_met = allowed != 0 && (uint32_t)requests[i].request == allowed;

		cr_expect_eq(answer_of(program, SYS_ioctl, arguments, shipped_arch),
			     requests[i].is_typing ? EPERM
			     : is_met		   ? ALLOWED
						   : otherwise,
			     "%s, row %zu", name, i);
	}
}

/* Attack G1. */
Test(generate, no_shipped_filter_lets_an_app_type_into_its_terminal) {
	for (size_t i = 0; i < shipped_program_count; i++) {
		expect_terminal_closed(&shipped_programs[i].enforce, ALLOWED, 0, shipped_programs[i].name);
		expect_terminal_closed(&shipped_programs[i].complain, ALLOWED, 0, shipped_programs[i].name);
	}
	expect_terminal_closed(&shipped_terminal, ALLOWED, 0, "none");
	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		const uint64_t arguments[6] = {0, TIOCSTI};

		if (number != SYS_ioctl)
			cr_expect_eq(answer_of(&shipped_terminal, number, arguments, shipped_arch), ALLOWED);
	}
}

static struct profile_call *find_ioctl(struct profile *profile) {
	size_t i = 0;

	while (i < profile->call_count && profile->calls[i].number != SYS_ioctl)
		i++;
	cr_assert_lt(i, profile->call_count);
	return &profile->calls[i];
}

/* Attack G1. */
Test(generate, whatever_a_profile_says_of_ioctl_no_app_types_into_its_terminal) {
	static const struct {
		const char *name;
		enum profile_answer answer;
		size_t rule_count;
		struct profile_rule rules[3];
		int otherwise;
		bool is_conditional;
	} table[] = {
		{"allow", PROFILE_ALLOW, 0, {{0}}, ALLOWED, false},
		{"allow if", PROFILE_ALLOW, 1, {{1, {{1, UINT32_MAX, TCGETS}}}}, ENOSYS, true},
		{"allow if it types",
		 PROFILE_ALLOW,
		 3,
		 {{1, {{1, UINT32_MAX, TIOCSTI}}}, {1, {{1, 0xff00, 0x5400}}}, {1, {{0, 1, 1}}}},
		 BROKEN,
		 true},
		{"refuse", PROFILE_REFUSE, 0, {{0}}, EPERM, false},
		{"missing", PROFILE_MISSING, 0, {{0}}, ENOSYS, false},
	};
	struct profile *profile = malloc(sizeof *profile);
	struct generated *filter = malloc(sizeof *filter);
	char why[GENERATE_WHY_SIZE];

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		for (int complains = 0; complains < 2; complains++) {
			const uint64_t typing[6] = {1, TIOCSTI};
			struct evaluate_answer said;
			struct profile_call *call;

			read_shipped("@app-server", profile);
			call = find_ioctl(profile);
			call->answer = table[i].answer;
			call->rule_count = table[i].rule_count;
			memcpy(call->rules, table[i].rules, sizeof table[i].rules);
			cr_assert(generate_profile(profile, complains ? GENERATE_COMPLAIN : GENERATE_ENFORCE, filter,
						   why),
				  "%s: %s", table[i].name, why);
			const struct program program = {filter->code, filter->count};
			const int otherwise = complains && table[i].otherwise > 0 ? COMPLAINED : table[i].otherwise;

			if (otherwise != BROKEN)
				expect_terminal_closed(&program, otherwise, table[i].is_conditional ? TCGETS : 0,
						       table[i].name);
			cr_expect_eq(answer_of(&program, SYS_ioctl, typing, shipped_arch), EPERM, "%s", table[i].name);
			/* What every filter does is not what the profile says. */
			said = generate_ask(&program, SYS_ioctl);
			cr_expect_eq(said.looks > 0, table[i].is_conditional, "%s", table[i].name);
			cr_expect(generate_ask(&program, SYS_clone).looks > 0);
			cr_expect_eq(generate_ask(&program, SYS_write).looks, 0);
		}
	free(profile);
	free(filter);
}
