/* SPDX-License-Identifier: ISC */
#include "companion/generate.h"

#include "companion/condense.h"
#include "companion/evaluate.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(PROGRAM_ERRNO_TERMINAL == ENOANO && PROGRAM_ERRNO_PROFILE == EBADRQC,
	       "the proofs' errnos have these names");

/* The kernel looks at the lower half of the request alone. */
static const struct condense_guard terminal = {
	.number = SYS_ioctl, .argument = 1, .values = {TIOCSTI, TIOCLINUX}, .action = SECCOMP_RET_ERRNO | EPERM};

uint32_t generate_arch(void) {
	return seccomp_arch_native();
}

/* libseccomp reports what went wrong as a negative errno. */
static bool went_wrong(char reterr[GENERATE_WHY_SIZE], const char *what, const char *name, int negative) {
	snprintf(reterr, GENERATE_WHY_SIZE, "libseccomp: %s%s%s: %s", what, name[0] != 0 ? " " : "", name,
		 strerror(-negative));
	return false;
}

/*
 * Only equality under a 32-bit mask: other comparisons are merged wrongly by libseccomp 2.5.4 (GHSA-4q85-33p6-j5g6),
 * and a comparison of all 64 bits is passed by garbage in the upper half, which the kernel ignores (CVE-2019-7303).
 */
static int add_rule(scmp_filter_ctx filter, uint32_t action, uint32_t number, const struct profile_rule *rule) {
	struct scmp_arg_cmp compared[PROFILE_MAX_CONDITIONS];

	for (size_t i = 0; i < rule->condition_count; i++)
		compared[i] = (struct scmp_arg_cmp){.arg = rule->conditions[i].argument,
						    .op = SCMP_CMP_MASKED_EQ,
						    .datum_a = rule->conditions[i].mask,
						    .datum_b = rule->conditions[i].value};
	return seccomp_rule_add_exact_array(filter, action, (int)number, (unsigned)rule->condition_count, compared);
}

static scmp_filter_ctx new_filter(uint32_t otherwise, char reterr[GENERATE_WHY_SIZE]) {
	scmp_filter_ctx filter;
	int rc;

	switch (generate_arch()) {
	case SCMP_ARCH_X86_64:
	case SCMP_ARCH_AARCH64:
		break;
	default:
		/* Elsewhere clone's flags or socket calls may come another way, and nobody has looked. */
		snprintf(reterr, GENERATE_WHY_SIZE, "profiles were written for x86-64 and arm64 only");
		return NULL;
	}
	/* Level 3 knows LOG and KILL_PROCESS; asked by itself, libseccomp would believe the kernel that builds. */
	filter = seccomp_api_set(3) == 0 ? seccomp_init(otherwise) : NULL;
	if (filter == NULL) {
		snprintf(reterr, GENERATE_WHY_SIZE, "libseccomp: cannot begin a filter");
		return NULL;
	}
	/* A wrong architecture ends the whole process: the default, one thread, can leave a server hanging. */
	if ((rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) == 0 &&
	    (rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)) == 0)
		return filter;
	went_wrong(reterr, "attributes", "", rc);
	seccomp_release(filter);
	return NULL;
}

static bool export_filter(scmp_filter_ctx filter, struct generated *ret, char reterr[GENERATE_WHY_SIZE]) {
	int ends[2], rc;
	ssize_t length, more;
	char rest;

	memset(ret, 0, sizeof *ret);
	/* A pipe holds the largest filter twice, and no limit of file size or full disk touches it. */
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return went_wrong(reterr, "pipe", "", -errno);
	rc = seccomp_export_bpf(filter, ends[1]);
	length = read(ends[0], ret->code, sizeof ret->code);
	more = read(ends[0], &rest, 1);
	close(ends[0]);
	close(ends[1]);
	if (rc != 0)
		return went_wrong(reterr, "export", "", rc);
	if (length <= 0 || length % (ssize_t)sizeof ret->code[0] != 0 || more > 0) {
		snprintf(reterr, GENERATE_WHY_SIZE,
			 "the filter has no instructions, or more than the %d that the kernel takes",
			 PROGRAM_MAX_INSTRUCTIONS);
		return false;
	}
	ret->count = (uint32_t)((size_t)length / sizeof ret->code[0]);
	return true;
}

/* What a filter is to answer, but for the terminal's requests and other architectures. */
struct meaning {
	const struct profile_call *calls, *end; /* sorted by number */
	uint32_t refused, otherwise, proof_profile, proof_terminal;
};

static bool holds(const struct profile_rule *rule, const uint64_t *arguments) {
	size_t held = 0;

	while (held < rule->condition_count && (arguments[rule->conditions[held].argument] &
						rule->conditions[held].mask) == rule->conditions[held].value)
		held++;
	return held == rule->condition_count;
}

/* Worked out without the filter. call: what the profile says of this number, or NULL. */
static uint32_t expected(const struct meaning *means, const struct profile_call *call, uint32_t number,
			 const uint64_t *arguments) {
	const uint32_t request = (uint32_t)arguments[1];
	bool is_allowed = call != NULL && call->answer == PROFILE_ALLOW && call->rule_count == 0;

	if (number == SYS_ioctl && (request == TIOCSTI || request == TIOCLINUX))
		return SECCOMP_RET_ERRNO | EPERM;
	for (size_t i = 0; call != NULL && i < call->rule_count; i++)
		is_allowed |= holds(&call->rules[i], arguments);
	return is_allowed					? SECCOMP_RET_ALLOW
	       : call != NULL && call->answer == PROFILE_REFUSE ? means->refused
								: means->otherwise;
}

/* What the filter must answer when it need not look at arguments. */
static bool answers(const struct generated *filter, uint32_t arch, uint32_t number, uint32_t action) {
	const struct program program = {filter->code, filter->count};
	const struct evaluate_call call = {.number = number, .arch = arch};
	struct evaluate_answer answer = evaluate_program(&program, &call);

	return answer.valid && answer.looks == 0 && answer.action == action;
}

/*
 * The values of one alternative, with all other bits 0 and then all 1, and each of these with any one bit wrong. request:
 * of the terminal, which comes first whatever the alternative says of this argument; or NULL.
 */
static bool answers_rule(const struct generated *filter, const struct meaning *means, const struct profile_call *asked,
			 uint32_t number, const struct profile_rule *rule, const uint32_t *request) {
	const struct program program = {filter->code, filter->count};
	struct evaluate_call call = {.number = number, .arch = generate_arch()};
	const size_t every_bit = sizeof call.arguments * 8;

	for (unsigned garbage = 0; garbage < 2; garbage++) {
		for (size_t i = 0; i < 6; i++)
			call.arguments[i] = garbage == 0 ? 0 : UINT64_MAX;
		for (size_t i = 0; i < rule->condition_count; i++) {
			uint64_t *argument = &call.arguments[rule->conditions[i].argument];

			*argument = (*argument & ~(uint64_t)rule->conditions[i].mask) | rule->conditions[i].value;
		}
		if (request != NULL)
			call.arguments[1] = (call.arguments[1] & ~(uint64_t)UINT32_MAX) | *request;
		for (size_t bit = 0; bit <= every_bit; bit++) {
			uint64_t *wrong = &call.arguments[bit / 64 % 6],
				 flipped = bit < every_bit ? 1ull << bit % 64 : 0;
			struct evaluate_answer answer;

			*wrong ^= flipped;
			answer = evaluate_program(&program, &call);
			if (!answer.valid || answer.action != expected(means, asked, number, call.arguments))
				return false;
			*wrong ^= flipped;
		}
	}
	return true;
}

static const struct profile_rule always = {0};

/* Each request and those beside it, with each alternative that the profile has. */
static bool refuses_terminal(const struct generated *filter, const struct meaning *means,
			     const struct profile_call *asked) {
	static const uint32_t requests[] = {TIOCSTI, TIOCSTI - 1, TIOCSTI + 1, TIOCLINUX, TIOCLINUX - 1, TIOCLINUX + 1};
	const size_t rules = asked == NULL ? 0 : asked->rule_count;
	bool good = answers_rule(filter, means, asked, SYS_ioctl, &always, NULL);

	for (size_t i = 0; good && i < sizeof requests / sizeof requests[0]; i++) {
		good = answers_rule(filter, means, asked, SYS_ioctl, &always, &requests[i]);
		for (size_t j = 0; good && j < rules; j++)
			good = answers_rule(filter, means, asked, SYS_ioctl, &asked->rules[j], &requests[i]);
	}
	return good;
}

/* Of any other ABI that this number may come from, or a comparison that is not exact would take for ours. */
static bool ends_foreigners(const struct generated *filter, uint32_t number) {
	const uint32_t native = generate_arch();

	return answers(filter, native + 1, number, SECCOMP_RET_KILL_PROCESS) &&
	       answers(filter, native - 1, number, SECCOMP_RET_KILL_PROCESS) &&
	       answers(filter, SCMP_ARCH_X86, number, SECCOMP_RET_KILL_PROCESS) &&
	       answers(filter, SCMP_ARCH_ARM, number, SECCOMP_RET_KILL_PROCESS) &&
	       /* x32 calls come as the native architecture with this bit. */
	       (native != SCMP_ARCH_X86_64 || answers(filter, native, number | 0x40000000, SECCOMP_RET_KILL_PROCESS));
}

/*
 * The numbers that no call has yet: between two constants of the filter's comparisons no answer changes, so at each of them
 * and beside it they are asked for all.
 */
static bool answers_the_rest(const struct generated *filter, uint32_t otherwise) {
	const uint32_t native = generate_arch();
	bool good = true;

	for (const struct program_instruction *in = filter->code; good && in < filter->code + filter->count; in++)
		for (uint32_t number = in->k - 1; good && BPF_CLASS(in->code) == BPF_JMP && number != in->k + 2; number++) {
			const bool is_x32 = native == SCMP_ARCH_X86_64 && number >= 0x40000000 && number != UINT32_MAX;

			if (number >= SYSCALLS_NUMBERS && number != PROGRAM_PROOF_PROFILE && number != PROGRAM_PROOF_TERMINAL)
				good = answers(filter, native, number, is_x32 ? SECCOMP_RET_KILL_PROCESS : otherwise);
		}
	return good;
}

static bool is_proven(const struct generated *filter, const struct meaning *means, char reterr[GENERATE_WHY_SIZE]) {
	const uint32_t native = generate_arch();
	bool good = answers(filter, native, PROGRAM_PROOF_PROFILE, means->proof_profile) &&
		    answers(filter, native, PROGRAM_PROOF_TERMINAL, means->proof_terminal) &&
		    answers_the_rest(filter, means->otherwise);
	const struct profile_call *next = means->calls;
	uint32_t number = 0;

	while (good && number < SYSCALLS_NUMBERS) {
		static const uint64_t arguments[6];
		const struct profile_call *call = next < means->end && next->number == number ? next++ : NULL;
		const size_t rules = call == NULL ? 0 : call->rule_count;

		good = ends_foreigners(filter, number);
		for (size_t i = 0; good && i < rules; i++)
			good = answers_rule(filter, means, call, number, &call->rules[i], NULL);
		if (good && number == SYS_ioctl)
			good = refuses_terminal(filter, means, call);
		else if (good && rules == 0)
			good = answers(filter, native, number, expected(means, call, number, arguments));
		number += good;
	}
	good = good && next == means->end;
	if (!good)
		snprintf(reterr, GENERATE_WHY_SIZE, "the compiled filter answers call %u wrongly, or a proof", number);
	return good;
}

/* What libseccomp was told becomes the filter, and is asked; it is released whatever comes of it. */
static bool finish(scmp_filter_ctx filter, bool good, const struct meaning *means, struct generated *ret,
		   char reterr[GENERATE_WHY_SIZE]) {
	good = good && export_filter(filter, ret, reterr);
	seccomp_release(filter);
	if (good && !condense_filter(ret, generate_arch(), &terminal)) {
		snprintf(reterr, GENERATE_WHY_SIZE,
			 "with the terminal's requests refused the filter has more than the %d instructions that the "
			 "kernel takes, or is none of libseccomp's",
			 PROGRAM_MAX_INSTRUCTIONS);
		good = false;
	}
	return good && is_proven(ret, means, reterr);
}

bool generate_profile(const struct profile *profile, enum generate_mode mode, struct generated *ret,
		      char reterr[GENERATE_WHY_SIZE]) {
	const bool is_complaining = mode == GENERATE_COMPLAIN;
	const struct meaning means = {
		.calls = profile->calls,
		.end = profile->calls + profile->call_count,
		.refused = is_complaining ? SECCOMP_RET_LOG : SECCOMP_RET_ERRNO | EPERM,
		.otherwise = is_complaining ? SECCOMP_RET_LOG : SECCOMP_RET_ERRNO | ENOSYS,
		.proof_profile = SECCOMP_RET_ERRNO | PROGRAM_ERRNO_PROFILE,
		.proof_terminal = SECCOMP_RET_ALLOW,
	};
	scmp_filter_ctx filter = new_filter(is_complaining ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(ENOSYS), reterr);
	int rc;

	if (filter == NULL)
		return false;
	/* A launch inside this one must tell its own proofs from ours. */
	rc = add_rule(filter, SCMP_ACT_ERRNO(PROGRAM_ERRNO_PROFILE), PROGRAM_PROOF_PROFILE, &always);
	if (rc == 0)
		rc = add_rule(filter, SCMP_ACT_ALLOW, PROGRAM_PROOF_TERMINAL, &always);
	if (rc != 0)
		went_wrong(reterr, "rule for the proof", "", rc);
	/* After a failed rule libseccomp 2.5.4's state may be corrupt: stop at the first, and drop it all. */
	for (size_t i = 0; rc == 0 && i < profile->call_count; i++) {
		const struct profile_call *call = &profile->calls[i];

		if (call->answer == PROFILE_REFUSE && !is_complaining)
			rc = add_rule(filter, SCMP_ACT_ERRNO(EPERM), call->number, &always);
		if (call->answer == PROFILE_ALLOW && call->rule_count == 0)
			rc = add_rule(filter, SCMP_ACT_ALLOW, call->number, &always);
		for (size_t j = 0; rc == 0 && j < call->rule_count; j++)
			rc = add_rule(filter, SCMP_ACT_ALLOW, call->number, &call->rules[j]);
		if (rc != 0)
			went_wrong(reterr, "rule for", call->name, rc);
	}
	return finish(filter, rc == 0, &means, ret, reterr);
}

bool generate_terminal(struct generated *ret, char reterr[GENERATE_WHY_SIZE]) {
	const struct meaning means = {.otherwise = SECCOMP_RET_ALLOW,
				      .proof_profile = SECCOMP_RET_ALLOW,
				      .proof_terminal = SECCOMP_RET_ERRNO | PROGRAM_ERRNO_TERMINAL};
	scmp_filter_ctx filter = new_filter(SCMP_ACT_ALLOW, reterr);
	int rc;

	if (filter == NULL)
		return false;
	rc = add_rule(filter, SCMP_ACT_ERRNO(PROGRAM_ERRNO_TERMINAL), PROGRAM_PROOF_TERMINAL, &always);
	if (rc != 0)
		went_wrong(reterr, "rule for the proof", "", rc);
	return finish(filter, rc == 0, &means, ret, reterr);
}

struct evaluate_answer generate_ask(const struct program *program, uint32_t number) {
	const struct evaluate_call call = {.number = number, .arch = generate_arch()};
	struct evaluate_answer answer = evaluate_program(program, &call);

	if (number == terminal.number && answer.looks > 0)
		answer.looks--;
	return answer;
}
