/* SPDX-License-Identifier: ISC */
/* What libseccomp writes, and what is left of it, are asked the same questions; they have to give the same answers. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "companion/condense.h"
#include "companion/evaluate.h"

static struct generated before, after;

static const struct condense_guard plain = {30, 1, {0x5412, 0x541c}, SECCOMP_RET_ERRNO | ENOANO};

static scmp_filter_ctx begin(void) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	cr_assert(filter != NULL);
	cr_assert_eq(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), 0);
	return filter;
}

static void end(scmp_filter_ctx filter) {
	const int fd = memfd_create("filter", MFD_CLOEXEC);

	cr_assert_eq(seccomp_export_bpf(filter, fd), 0);
	const ssize_t length = pread(fd, before.code, sizeof before.code, 0);
	cr_assert(length > 0);
	before.count = (uint32_t)length / sizeof before.code[0];
	close(fd);
	seccomp_release(filter);
	after = before;
	cr_assert(condense_filter(&after, generate_arch(), &plain));
}

static void add(scmp_filter_ctx filter, uint32_t action, int number) {
	cr_assert_eq(seccomp_rule_add_exact(filter, action, number, 0), 0);
}

static void add_masked(scmp_filter_ctx filter, int number, unsigned argument, uint32_t mask, uint32_t value) {
	cr_assert_eq(seccomp_rule_add_exact(filter, SCMP_ACT_ALLOW, number, 1,
					    SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value)),
		     0);
}

static void expect_same(const struct condense_guard *guard, uint32_t arch, uint32_t number,
			const uint64_t arguments[6]) {
	const struct program old = {before.code, before.count}, new = {after.code, after.count};
	struct evaluate_call call = {.number = number, .arch = arch};

	for (size_t i = 0; i < 6; i++)
		call.arguments[i] = arguments[i];
	struct evaluate_answer a = evaluate_program(&old, &call), b = evaluate_program(&new, &call);
	const uint32_t half = (uint32_t)arguments[guard->argument];
	const bool is_guarded = arch == generate_arch() && number == guard->number;

	if (is_guarded && (half == guard->values[0] || half == guard->values[1]))
		a.action = guard->action;
	cr_assert(a.valid && b.valid && a.action == b.action && (is_guarded || a.looks > 0) == (b.looks > 0),
		  "guarded %#x: call %#x of %#x: %#x (%u), %#x (%u)", guard->number, number, arch, a.action, a.looks,
		  b.action, b.looks);
}

static void expect_same_but_for(const struct condense_guard *guard) {
	static const uint32_t edges[] = {0x3ffeffff, 0x3fff0000, 0x3fff0001, 0x3fff0002, 0x3fff0003,
					 0x3fffffff, 0x40000000, 0x40000001, 0x40000200, 0x7fffffff,
					 0x80000000, 0xfffffffe, 0xffffffff};
	static const uint64_t values[] = {0,	  1,	      2,	   16,		0x5412,	   0x541c,
					  0x541d, 0xffffffff, 0x100000000, 0x100005412, UINT64_MAX};
	uint64_t arguments[6] = {0};

	for (size_t v = 0; v < sizeof values / sizeof values[0]; v++)
		for (size_t i = 0; i < 6; i++) {
			arguments[i] = values[v];
			for (uint32_t number = 0; number < 1200; number++)
				expect_same(guard, generate_arch(), number, arguments);
			for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++)
				expect_same(guard, generate_arch(), edges[e], arguments);
			expect_same(guard, AUDIT_ARCH_I386, 4, arguments);
			expect_same(guard, AUDIT_ARCH_ARM, guard->number, arguments);
			expect_same(guard, 0, 0, arguments);
		}
}

/* Whatever the guarded number meant before: allowed, refused, by an argument, nothing, or the first or last of all. */
static void expect_same_answers(void) {
	static const uint32_t guarded[] = {0, 7, 16, 41, 50, 60, 1199, 0xfffffffe, 0xffffffff};
	const struct generated condensed = after;

	expect_same_but_for(&plain);
	for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
		const struct condense_guard guard = {guarded[i], (uint32_t)i % 6, {0x5412, 2}, SECCOMP_RET_ALLOW};

		after = before;
		cr_assert(condense_filter(&after, generate_arch(), &guard));
		expect_same_but_for(&guard);
	}
	after = condensed;
}

static void allow_300_but_one_in(int few) {
	scmp_filter_ctx filter = begin();

	for (int number = 0; number < 300; number++)
		add(filter, number % few == 7 ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW, number);
	end(filter);
}

Test(condense, neighbours_with_one_answer_share_a_comparison) {
	allow_300_but_one_in(100);
	cr_expect_lt(after.count, 22, "%u instructions are left of %u", after.count, before.count);
	expect_same_answers();
}

Test(condense, what_looks_at_arguments_still_does) {
	scmp_filter_ctx filter = begin();

	cr_assert_eq(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
	for (int number = 20; number < 280; number++)
		if (number != 41 && number != 56 && number != 157)
			add(filter, number / 10 % 3 == 0 ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW, number);
	for (unsigned value = 1; value < 200; value += 2)
		add_masked(filter, 16, 1, UINT32_MAX, value);
	add_masked(filter, 41, 0, UINT32_MAX, 1);
	add_masked(filter, 41, 0, UINT32_MAX, 2);
	add_masked(filter, 56, 0, 0x7e020000, 0);
	add_masked(filter, 157, 0, 0xffff, 16);
	end(filter);
	cr_expect_lt(after.count, before.count);
	expect_same_answers();
}

/* Every other number another answer: hundreds of comparisons, so that jumps are longer than eight bits reach. */
Test(condense, far_jumps_arrive) {
	scmp_filter_ctx filter = begin();

	for (int number = 0; number < 1100; number += 2)
		add(filter, SCMP_ACT_ERRNO((unsigned)(1 + number % 120)), number);
	for (int number = 1; number < 1100; number += 50)
		add_masked(filter, number, 2, UINT32_MAX, (uint32_t)number);
	end(filter);
	expect_same_answers();
}

static uint32_t count_loads(const struct generated *filter, uint32_t offset) {
	uint32_t count = 0;

	for (uint32_t i = 0; i < filter->count; i++)
		count += filter->code[i].code == (BPF_LD | BPF_W | BPF_ABS) && filter->code[i].k == offset;
	return count;
}

/* Of the condensed filter, for a number whose arguments it does not look at. */
static uint32_t count_comparisons(uint32_t number) {
	uint32_t count = 0, at = 3; /* architecture and number are loaded */

	for (; BPF_CLASS(after.code[at].code) != BPF_RET; count++) {
		const struct program_instruction in = after.code[at];

		cr_assert(in.code == (BPF_JMP | BPF_JGE | BPF_K) || in.code == (BPF_JMP | BPF_JEQ | BPF_K));
		at += 1u + ((BPF_OP(in.code) == BPF_JGE ? number >= in.k : number == in.k) ? in.jt : in.jf);
	}
	return count;
}

/* An exception costs all the others a comparison: of many, few are asked for one after the other. */
Test(condense, no_number_waits_for_many_others) {
	allow_300_but_one_in(10);
	cr_expect_lt(after.count, 59, "%u instructions are left of %u", after.count, before.count);
	for (uint32_t number = 0; number < 300; number++)
		cr_expect(number == plain.number || count_comparisons(number) <= 9, "%u: %u", number,
			  count_comparisons(number));
	expect_same_answers();
}

/* libseccomp compares both halves of an argument; of one with a mask of 32 bits the upper is 0 whatever it holds. */
Test(condense, what_is_masked_out_is_not_loaded) {
	const uint32_t half = offsetof(struct seccomp_data, args);
	scmp_filter_ctx filter = begin();

	add_masked(filter, 50, 0, 0xff, 1);
	end(filter);
	cr_expect_eq(count_loads(&before, half) + count_loads(&before, half + 4), 2, "libseccomp has learned it");
	cr_expect_eq(count_loads(&after, half) + count_loads(&after, half + 4), 1);
	expect_same_answers();
}

#define LOAD(offset) BPF_LD | BPF_W | BPF_ABS, 0, 0, offset
#define MASK(mask) BPF_ALU | BPF_AND | BPF_K, 0, 0, mask
#define EQUAL(value, yes, no) BPF_JMP | BPF_JEQ | BPF_K, yes, no, value
#define LEAST(value, yes, no) BPF_JMP | BPF_JGE | BPF_K, yes, no, value
#define ANSWER(action) BPF_RET | BPF_K, 0, 0, action

/* Behind the number that libseccomp loads; and so long that anything is shorter. */
static void condense_by_hand(const struct program_instruction *code, size_t count) {
	const struct program_instruction first[] = {{LOAD(offsetof(struct seccomp_data, arch))},
						    {EQUAL(generate_arch(), 1, 0)},
						    {ANSWER(SECCOMP_RET_KILL_PROCESS)},
						    {LOAD(offsetof(struct seccomp_data, nr))}},
					 nothing = {EQUAL(900, 0, 0)}, allow = {ANSWER(SECCOMP_RET_ALLOW)},
					 refuse = {ANSWER(SECCOMP_RET_ERRNO | EPERM)};

	memcpy(before.code, first, sizeof first);
	before.count = 4;
	for (size_t i = 0; i < 20; i++)
		before.code[before.count++] = nothing;
	memcpy(before.code + before.count, code, count * sizeof *code);
	before.count += (uint32_t)count;
	before.code[before.count++] = allow;
	before.code[before.count++] = refuse;
	after = before;
	cr_assert(condense_filter(&after, generate_arch(), &plain));
	cr_assert_lt(after.count, before.count);
	expect_same_answers();
}

/* There is one number after 0xfffffffe, and none after that. */
Test(condense, the_last_numbers_are_two) {
	static const struct program_instruction from[] = {
		{LEAST(0xfffffffe, 1, 0)}, {LEAST(0xffffffff, 1, 0)}, {LEAST(1, 1, 0)}};

	for (size_t i = 0; i < sizeof from / sizeof from[0]; i++)
		condense_by_hand(&from[i], 1);
}

/* As libseccomp does not write it: looks that are at something, or needed, or where something falls through to them. */
Test(condense, only_looks_at_nothing_are_passed_over) {
	enum { ARGUMENT = offsetof(struct seccomp_data, args) };
	static const struct program_instruction cases[][6] = {
		/* nothing is left of it */
		{{EQUAL(60, 0, 5)},
		 {LOAD(ARGUMENT + 4)},
		 {MASK(0)},
		 {EQUAL(0, 0, 2)},
		 {LOAD(ARGUMENT)},
		 {EQUAL(16, 0, 1)}},
		/* a bit is */
		{{EQUAL(60, 0, 5)}, {LOAD(ARGUMENT)}, {MASK(2)}, {EQUAL(0, 0, 2)}, {LOAD(ARGUMENT)}, {EQUAL(16, 0, 1)}},
		/* it is not 1 */
		{{EQUAL(60, 0, 5)}, {LOAD(ARGUMENT)}, {MASK(0)}, {EQUAL(1, 0, 2)}, {LOAD(ARGUMENT)}, {EQUAL(16, 0, 1)}},
		/* it is compared once more */
		{{EQUAL(60, 0, 5)},
		 {LOAD(ARGUMENT)},
		 {MASK(0)},
		 {EQUAL(0, 0, 1)},
		 {EQUAL(0, 1, 0)},
		 {ANSWER(SECCOMP_RET_KILL_PROCESS)}},
		/* what is before it leads to what follows it, far away */
		{{EQUAL(60, 0, 5)},
		 {LOAD(ARGUMENT + 8)},
		 {LOAD(ARGUMENT)},
		 {MASK(0)},
		 {EQUAL(0, 2, 1)},
		 {ANSWER(SECCOMP_RET_KILL_PROCESS)}},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		condense_by_hand(cases[i], 6);
}

static void expect_left_alone(void) {
	after = before;
	cr_expect(condense_filter(&after, generate_arch(), &plain) == false);
	cr_expect_eq(after.count, before.count);
	cr_expect_arr_eq(after.code, before.code, before.count * sizeof before.code[0]);
}

Test(condense, a_filter_that_breaks_off_is_left_alone) {
	scmp_filter_ctx filter = begin();

	add(filter, SCMP_ACT_ALLOW, 1);
	end(filter);
	before.count--;
	expect_left_alone();
}

/* Behind what looks at an argument, where no number alone leads: the end, and jumps past it. */
Test(condense, what_breaks_off_behind_an_argument_is_left_alone) {
	static const struct program_instruction last[] = {{LOAD(offsetof(struct seccomp_data, args))},
							  {EQUAL(1, 200, 0)},
							  {EQUAL(1, 0, 200)},
							  {BPF_JMP | BPF_JA, 0, 0, 1},
							  {BPF_JMP | BPF_JA, 0, 0, 0xffffffff}};
	const struct program_instruction code[] = {{LOAD(offsetof(struct seccomp_data, arch))},
						   {EQUAL(generate_arch(), 1, 0)},
						   {ANSWER(SECCOMP_RET_KILL_PROCESS)},
						   {LOAD(offsetof(struct seccomp_data, nr))},
						   {EQUAL(60, 1, 0)},
						   {ANSWER(SECCOMP_RET_ALLOW)},
						   {LOAD(offsetof(struct seccomp_data, args))},
						   {EQUAL(0, 0, 1)},
						   {ANSWER(SECCOMP_RET_ALLOW)}};
	const size_t count = sizeof code / sizeof code[0];

	for (size_t i = 0; i < sizeof last / sizeof last[0]; i++) {
		memcpy(before.code, code, sizeof code);
		before.code[count] = last[i];
		before.code[count + 1] = (struct program_instruction){ANSWER(SECCOMP_RET_ALLOW)};
		before.count = (uint32_t)count + (i > 0 ? 2 : 1);
		expect_left_alone();
	}
}

/* Answers that nobody shares: nothing can be saved, and the guard comes on top. */
Test(condense, what_would_be_too_long_is_left_alone) {
	uint32_t number = 0;

	before.count = 0;
	before.code[before.count++] = (struct program_instruction){LOAD(offsetof(struct seccomp_data, arch))};
	before.code[before.count++] = (struct program_instruction){EQUAL(generate_arch(), 1, 0)};
	before.code[before.count++] = (struct program_instruction){ANSWER(SECCOMP_RET_KILL_PROCESS)};
	before.code[before.count++] = (struct program_instruction){LOAD(offsetof(struct seccomp_data, nr))};
	for (; before.count < PROGRAM_MAX_INSTRUCTIONS - 2; number += 2) {
		before.code[before.count++] = (struct program_instruction){EQUAL(number, 0, 1)};
		before.code[before.count++] = (struct program_instruction){ANSWER(SECCOMP_RET_ERRNO | (number + 1))};
	}
	before.code[before.count++] = (struct program_instruction){ANSWER(SECCOMP_RET_ALLOW)};
	expect_left_alone();
}

Test(condense, one_that_is_short_already_gets_the_guard_too) {
	scmp_filter_ctx filter = begin();

	add(filter, SCMP_ACT_ALLOW, 1);
	end(filter);
	expect_same_answers();
}
