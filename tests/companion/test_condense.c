/* SPDX-License-Identifier: ISC */
/* What libseccomp writes, and what is left of it, are asked the same questions; they have to give the same answers. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "companion/condense.h"
#include "companion/evaluate.h"

static struct generated before, after;

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
	cr_assert(condense_filter(&after, generate_arch()));
}

static void add(scmp_filter_ctx filter, uint32_t action, int number) {
	cr_assert_eq(seccomp_rule_add_exact(filter, action, number, 0), 0);
}

static void add_masked(scmp_filter_ctx filter, int number, unsigned argument, uint32_t mask, uint32_t value) {
	cr_assert_eq(seccomp_rule_add_exact(filter, SCMP_ACT_ALLOW, number, 1,
					    SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value)),
		     0);
}

static void expect_same(uint32_t arch, uint32_t number, const uint64_t arguments[6]) {
	const struct program old = {before.code, before.count}, new = {after.code, after.count};
	struct evaluate_call call = {.number = number, .arch = arch};

	for (size_t i = 0; i < 6; i++)
		call.arguments[i] = arguments[i];
	const struct evaluate_answer a = evaluate_program(&old, &call), b = evaluate_program(&new, &call);
	cr_assert(a.valid && b.valid && a.action == b.action && a.read_arguments == b.read_arguments,
		  "call %#x of %#x: %#x (%d), %#x (%d)", number, arch, a.action, a.read_arguments, b.action,
		  b.read_arguments);
}

static void expect_same_answers(void) {
	static const uint32_t edges[] = {0x3ffeffff, 0x3fff0000, 0x3fff0001, 0x3fff0002, 0x3fff0003,
					 0x3fffffff, 0x40000000, 0x40000001, 0x40000200, 0x7fffffff,
					 0x80000000, 0xfffffffe, 0xffffffff};
	static const uint64_t values[] = {0,	  1,	      2,	   16,		0x5412,
					  0x541c, 0xffffffff, 0x100000000, 0x100005412, UINT64_MAX};
	uint64_t arguments[6] = {0};

	for (size_t v = 0; v < sizeof values / sizeof values[0]; v++)
		for (size_t i = 0; i < 6; i++) {
			arguments[i] = values[v];
			for (uint32_t number = 0; number < 1200; number++)
				expect_same(generate_arch(), number, arguments);
			for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++)
				expect_same(generate_arch(), edges[e], arguments);
			expect_same(AUDIT_ARCH_I386, 4, arguments);
			expect_same(AUDIT_ARCH_ARM, 4, arguments);
			expect_same(0, 0, arguments);
		}
}

Test(condense, neighbours_with_one_answer_share_a_comparison) {
	scmp_filter_ctx filter = begin();

	for (int number = 0; number < 300; number++)
		add(filter, number % 100 == 7 ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW, number);
	end(filter);
	cr_expect_lt(after.count, 40, "%u instructions are left of %u", after.count, before.count);
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

Test(condense, a_filter_that_breaks_off_is_left_alone) {
	scmp_filter_ctx filter = begin();

	add(filter, SCMP_ACT_ALLOW, 1);
	end(filter);
	after = before;
	after.count--;
	cr_expect(condense_filter(&after, generate_arch()) == false);
	cr_expect_eq(after.count, before.count - 1);
	cr_expect_arr_eq(after.code, before.code, after.count * sizeof after.code[0]);
}

Test(condense, one_that_is_short_already_is_left_as_it_is) {
	scmp_filter_ctx filter = begin();

	add(filter, SCMP_ACT_ALLOW, 1);
	end(filter);
	cr_expect_leq(after.count, before.count);
	expect_same_answers();
}
