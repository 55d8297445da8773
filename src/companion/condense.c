/* SPDX-License-Identifier: ISC */
#include "companion/condense.h"

#include "companion/evaluate.h"
#include "companion/syscalls.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

/*
 * At load the kernel asks the filter about every number once, and remembers what is always allowed (Linux 5.11). Later
 * only calls whose arguments are looked at run it.
 */
enum { WEIGHT_OF_ARGUMENTS = 16 };

enum { MOST_STEPS = 2 * PROGRAM_MAX_INSTRUCTIONS + 1 };

/* The numbers from `first` to the next step's: the instruction of the old filter that answers, or begins to look. */
struct step {
	uint32_t first, leaf;
};

/* Built from its end, as every jump needs to know how far its target is: instruction 0 is the last. */
struct reverse {
	struct program_instruction code[PROGRAM_MAX_INSTRUCTIONS];
	uint32_t count;
	bool is_full;
};

static uint32_t add(struct reverse *to, struct program_instruction in) {
	to->is_full = to->is_full || to->count >= PROGRAM_MAX_INSTRUCTIONS;
	if (!to->is_full)
		to->code[to->count++] = in;
	return to->count - 1;
}

/* Where a conditional jump that is added next can reach the target from: it has eight bits, an unconditional one 32. */
static uint32_t near(struct reverse *to, uint32_t target, uint32_t room) {
	if (to->count + room - target - 1 <= UINT8_MAX)
		return target;
	return add(to, (struct program_instruction){.code = BPF_JMP | BPF_JA, .k = to->count - target - 1});
}

static uint32_t add_jump(struct reverse *to, uint16_t code, uint32_t k, uint32_t yes, uint32_t no) {
	yes = near(to, yes, 1);
	no = near(to, no, 0);
	return add(to, (struct program_instruction){.code = code,
						    .jt = (uint8_t)(to->count - yes - 1),
						    .jf = (uint8_t)(to->count - no - 1),
						    .k = k});
}

static bool is_conditional(const struct program_instruction *in) {
	return BPF_CLASS(in->code) == BPF_JMP && BPF_OP(in->code) != BPF_JA;
}

static int by_number(const void *a, const void *b) {
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Only where the old filter compares with a constant can its answer change from one number to the next. */
static size_t find_steps(const struct generated *old, uint32_t arch, struct step steps[MOST_STEPS]) {
	static uint32_t firsts[MOST_STEPS];
	const struct program program = {old->code, old->count};
	size_t candidates = 1, count = 0;

	firsts[0] = 0;
	for (const struct program_instruction *in = old->code; in < old->code + old->count; in++)
		if (is_conditional(in)) {
			firsts[candidates++] = in->k;
			firsts[candidates++] = in->k + 1;
		}
	qsort(firsts, candidates, sizeof firsts[0], by_number);
	for (size_t i = 0; i < candidates; i++) {
		const struct evaluate_call call = {.number = firsts[i], .arch = arch};
		const struct evaluate_answer answer = evaluate_program(&program, &call);
		uint32_t leaf = answer.decided_at;

		if (!answer.valid)
			return 0;
		/* One of the instructions that say the same stands for all of them. */
		for (uint32_t k = 0; !answer.read_arguments && k < leaf; k++)
			if (old->code[k].code == (BPF_RET | BPF_K) && old->code[k].k == answer.action)
				leaf = k;
		if (count == 0 || steps[count - 1].leaf != leaf)
			steps[count++] = (struct step){firsts[i], leaf};
	}
	return count;
}

/* What can be reached from the leaves is copied in its order, so that what falls through still does. */
static void copy_leaves(const struct generated *old, const struct step *steps, size_t count, struct reverse *to,
			uint32_t at[PROGRAM_MAX_INSTRUCTIONS]) {
	static bool is_reached[PROGRAM_MAX_INSTRUCTIONS + 1];

	memset(is_reached, 0, sizeof is_reached);
	for (size_t i = 0; i < count; i++)
		is_reached[steps[i].leaf] = true;
	for (uint32_t i = 0; i < old->count; i++) {
		const struct program_instruction *in = &old->code[i];

		if (!is_reached[i] || BPF_CLASS(in->code) == BPF_RET)
			continue;
		if (BPF_CLASS(in->code) != BPF_JMP)
			is_reached[i + 1] = true;
		else if (is_conditional(in))
			is_reached[i + 1 + in->jt] = is_reached[i + 1 + in->jf] = true;
		else
			is_reached[i + 1 + in->k] = true;
	}
	for (uint32_t i = old->count; i-- > 0;) {
		const struct program_instruction *in = &old->code[i];

		if (!is_reached[i])
			continue;
		if (is_conditional(in))
			at[i] = add_jump(to, in->code, in->k, at[i + 1 + in->jt], at[i + 1 + in->jf]);
		else if (BPF_CLASS(in->code) == BPF_JMP)
			at[i] = add(to, (struct program_instruction){.code = in->code,
								     .k = to->count - at[i + 1 + in->k] - 1});
		else
			at[i] = add(to, *in);
	}
}

/* Of a step that ends before the number `end`. */
static uint32_t weight(const struct generated *old, const struct step *step, uint32_t end) {
	const uint32_t last = end < SYSCALLS_NUMBERS ? end : SYSCALLS_NUMBERS;
	const bool is_answer = BPF_CLASS(old->code[step->leaf].code) == BPF_RET;

	return (step->first < last ? last - step->first : 0) + (is_answer ? 1 : WEIGHT_OF_ARGUMENTS);
}

/* One comparison parts the steps before `end` into halves of the same weight, and so on. Returns where it begins. */
static uint32_t add_tree(const struct generated *old, const struct step *steps, size_t count, uint32_t end,
			 struct reverse *to, const uint32_t at[PROGRAM_MAX_INSTRUCTIONS]) {
	uint32_t all = 0, left = 0, high, low;
	size_t half = 1;

	if (count == 1)
		return at[steps[0].leaf];
	for (size_t i = 0; i < count; i++)
		all += weight(old, &steps[i], i + 1 < count ? steps[i + 1].first : end);
	for (left = weight(old, &steps[0], steps[1].first); half < count - 1; half++) {
		left += weight(old, &steps[half], steps[half + 1].first);
		if (2 * left > all)
			break;
	}
	high = add_tree(old, steps + half, count - half, end, to, at);
	low = add_tree(old, steps, half, steps[half].first, to, at);
	return add_jump(to, BPF_JMP | BPF_JGE | BPF_K, steps[half].first, high, low);
}

bool condense_filter(struct generated *filter, uint32_t arch) {
	static struct step steps[MOST_STEPS];
	static struct reverse to;
	static uint32_t at[PROGRAM_MAX_INSTRUCTIONS];
	const struct program program = {filter->code, filter->count};
	const struct evaluate_call foreign = {.arch = ~arch};
	const struct evaluate_answer answer = evaluate_program(&program, &foreign);
	const size_t count = find_steps(filter, arch, steps);
	uint32_t entry, other;

	if (count < 2 || !answer.valid || answer.read_arguments)
		return false;
	to.count = 0;
	to.is_full = false;
	copy_leaves(filter, steps, count, &to, at);
	other = add(&to, (struct program_instruction){.code = BPF_RET | BPF_K, .k = answer.action});
	entry = add_tree(filter, steps, count, UINT32_MAX, &to, at);
	if (entry != to.count - 1)
		return false;
	entry = add(&to, (struct program_instruction){.code = BPF_LD | BPF_W | BPF_ABS,
						      .k = offsetof(struct seccomp_data, nr)});
	add_jump(&to, BPF_JMP | BPF_JEQ | BPF_K, arch, entry, other);
	add(&to,
	    (struct program_instruction){.code = BPF_LD | BPF_W | BPF_ABS, .k = offsetof(struct seccomp_data, arch)});
	if (to.is_full || to.count >= filter->count)
		return !to.is_full;
	for (uint32_t i = 0; i < to.count; i++)
		filter->code[i] = to.code[to.count - 1 - i];
	filter->count = to.count;
	return true;
}
