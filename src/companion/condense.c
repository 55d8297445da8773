/* SPDX-License-Identifier: ISC */
#include "companion/condense.h"

#include "companion/evaluate.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

/*
 * At load the kernel walks through the filter for every number that it has, 470 in Linux 6.18, and remembers what is always
 * allowed (since 5.11). Later only calls whose arguments are looked at run it.
 */
enum { NUMBERS_ASKED = 480, WEIGHT_OF_ARGUMENTS = 16 };

/* Measured: one more instruction costs at load what one more comparison for so many numbers does. */
enum { WEIGHT_OF_INSTRUCTION = 100 };

/* The guard stands before the old filter: a jump over it, its own instructions, and what it answers. */
enum { GUARD_ENTRY = 1, GUARD_FIRST = 2, GUARD_SECOND = 3, GUARD_OTHERWISE = 4, GUARD_ANSWER = 5, GUARD_LENGTH = 6 };

enum { MOST_OLD = GUARD_LENGTH + PROGRAM_MAX_INSTRUCTIONS, MOST_STEPS = 2 * MOST_OLD + 3, MOST_STEPS_OF_GROUP = 32 };

struct old {
	struct program_instruction code[MOST_OLD];
	uint32_t count;
};

/* The numbers from `first` to the next step's: the instruction of the old filter that answers, or begins to look. */
struct step {
	uint64_t first;
	uint32_t leaf;
};

/* Neighbouring steps that lead to one leaf, but for single numbers: each of those is asked for by itself. */
struct group {
	const struct step *steps;
	size_t count;
	uint32_t usual, weight;
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

/* One instruction is enough for all that say the same. */
static uint32_t add_answer(struct reverse *to, uint32_t action) {
	for (uint32_t i = 0; i < to->count; i++)
		if (to->code[i].code == (BPF_RET | BPF_K) && to->code[i].k == action)
			return i;
	return add(to, (struct program_instruction){.code = BPF_RET | BPF_K, .k = action});
}

static bool is_conditional(const struct program_instruction *in) {
	return BPF_CLASS(in->code) == BPF_JMP && BPF_OP(in->code) != BPF_JA;
}

/* Of an argument of 64 bits libseccomp compares the half that is masked out, too: 0 with 0. What comes next loads anew. */
static void pass_over_empty_masks(struct old *filter) {
	for (uint32_t i = 0; i + 3 < filter->count; i++) {
		struct program_instruction *in = &filter->code[i];
		const uint32_t next = i + 3 + in[2].jt;

		if (in[0].code == (BPF_LD | BPF_W | BPF_ABS) && in[1].code == (BPF_ALU | BPF_AND | BPF_K) &&
		    in[1].k == 0 && in[2].code == (BPF_JMP | BPF_JEQ | BPF_K) && in[2].k == 0 && next < filter->count &&
		    (BPF_CLASS(filter->code[next].code) == BPF_LD || BPF_CLASS(filter->code[next].code) == BPF_RET))
			in[0] = (struct program_instruction){.code = BPF_JMP | BPF_JA, .k = next - i - 1};
	}
}

static int by_number(const void *a, const void *b) {
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* What the guard's call meant before is found with the steps; until then its last jump leads to its own answer. */
static void begin_with_guard(struct old *old, const struct generated *filter, const struct condense_guard *guard) {
	const struct program_instruction code[GUARD_LENGTH] = {
		{.code = BPF_JMP | BPF_JA, .k = GUARD_LENGTH - 1},
		{.code = BPF_LD | BPF_W | BPF_ABS,
		 .k = (uint32_t)(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * guard->argument)},
		{BPF_JMP | BPF_JEQ | BPF_K, GUARD_ANSWER - GUARD_FIRST - 1, 0, guard->values[0]},
		{BPF_JMP | BPF_JEQ | BPF_K, GUARD_ANSWER - GUARD_SECOND - 1, 0, guard->values[1]},
		{.code = BPF_JMP | BPF_JA},
		{.code = BPF_RET | BPF_K, .k = guard->action},
	};

	memcpy(old->code, code, sizeof code);
	memcpy(old->code + GUARD_LENGTH, filter->code, filter->count * sizeof filter->code[0]);
	old->count = GUARD_LENGTH + filter->count;
}

/* Only where the old filter compares with a constant can its answer change from one number to the next. Closes the guard. */
static size_t find_steps(struct old *old, uint32_t arch, uint32_t guarded, struct step steps[MOST_STEPS]) {
	static uint32_t firsts[MOST_STEPS];
	const struct program program = {old->code, old->count};
	size_t candidates = 3, count = 0;

	firsts[0] = 0;
	firsts[1] = guarded;
	firsts[2] = guarded + 1;
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
		for (uint32_t k = 0; answer.looks == 0 && k < leaf; k++)
			if (old->code[k].code == (BPF_RET | BPF_K) && old->code[k].k == answer.action)
				leaf = k;
		if (firsts[i] == guarded) {
			old->code[GUARD_OTHERWISE].k = leaf - GUARD_OTHERWISE - 1;
			leaf = GUARD_ENTRY;
		}
		if (count == 0 || steps[count - 1].leaf != leaf)
			steps[count++] = (struct step){firsts[i], leaf};
	}
	return count;
}

/* What can be reached from the leaves is copied in its order, so that what falls through still does. false: it breaks off. */
static bool copy_leaves(const struct old *old, const struct step *steps, size_t count, struct reverse *to,
			uint32_t at[MOST_OLD]) {
	static bool is_reached[MOST_OLD];

	memset(is_reached, 0, sizeof is_reached);
	for (size_t i = 0; i < count; i++)
		is_reached[steps[i].leaf] = true;
	for (uint32_t i = 0; i < old->count; i++) {
		const struct program_instruction *in = &old->code[i];
		uint32_t yes = 0, no = 0;

		if (!is_reached[i] || BPF_CLASS(in->code) == BPF_RET)
			continue;
		if (is_conditional(in)) {
			yes = in->jt;
			no = in->jf;
		} else if (BPF_CLASS(in->code) == BPF_JMP) {
			yes = no = in->k;
		}
		if (yes >= old->count - i - 1 || no >= old->count - i - 1)
			return false;
		is_reached[i + 1 + yes] = is_reached[i + 1 + no] = true;
	}
	for (uint32_t i = old->count; i-- > 0;) {
		const struct program_instruction *in = &old->code[i];

		if (!is_reached[i])
			continue;
		if (is_conditional(in)) {
			at[i] = add_jump(to, in->code, in->k, at[i + 1 + in->jt], at[i + 1 + in->jf]);
		} else if (BPF_CLASS(in->code) == BPF_JMP) {
			at[i] = at[i + 1 + in->k];
		} else if (BPF_CLASS(in->code) == BPF_RET) {
			at[i] = add_answer(to, in->k);
		} else {
			if (at[i + 1] + 1 != to->count)
				add(to, (struct program_instruction){.code = BPF_JMP | BPF_JA,
								     .k = to->count - at[i + 1] - 1});
			at[i] = add(to, *in);
		}
	}
	return true;
}

static uint32_t weight(const struct old *old, const struct step *step) {
	const uint64_t end = step[1].first < NUMBERS_ASKED ? step[1].first : NUMBERS_ASKED;
	const bool is_answer = BPF_CLASS(old->code[step->leaf].code) == BPF_RET;

	return (uint32_t)(step->first < end ? end - step->first : 0) + (is_answer ? 1 : WEIGHT_OF_ARGUMENTS);
}

static uint64_t width(const struct step *step) {
	return step[1].first - step->first;
}

/* Where the widest step leads, the others must be single. Returns how many those are, or SIZE_MAX. */
static size_t count_exceptions(const struct step *steps, size_t count, uint32_t *ret_usual) {
	const struct step *widest = steps;
	size_t exceptions = 0;

	for (size_t i = 1; i < count; i++)
		if (width(&steps[i]) > width(widest))
			widest = &steps[i];
	for (size_t i = 0; i < count; i++)
		if (steps[i].leaf != widest->leaf) {
			if (width(&steps[i]) > 1)
				return SIZE_MAX;
			exceptions++;
		}
	*ret_usual = widest->leaf;
	return exceptions;
}

/*
 * The cheapest way to part the steps into groups: of the first so many, from the cheapest ways for fewer and one group more.
 * A group costs the instruction by which the tree finds it, and one for each exception. All numbers of the group wait for
 * each of these comparisons, but the first is free: without it the group would be two, and the tree one comparison deeper.
 */
static size_t find_groups(const struct old *old, const struct step *steps, size_t count,
			  struct group groups[MOST_STEPS]) {
	static struct group last[MOST_STEPS + 1]; /* of the first n steps */
	static uint64_t cost[MOST_STEPS + 1];
	size_t group_count = 0;

	for (size_t end = 1; end <= count; end++) {
		uint32_t all = 0;

		cost[end] = UINT64_MAX;
		for (size_t n = 1; n <= end && n <= MOST_STEPS_OF_GROUP; n++) {
			const struct step *first = &steps[end - n];
			uint32_t usual = 0;
			const size_t exceptions = count_exceptions(first, n, &usual);
			uint64_t sum;

			if (exceptions == SIZE_MAX)
				break;
			all += weight(old, first);
			sum = cost[end - n] + WEIGHT_OF_INSTRUCTION * (1 + exceptions) +
			      (exceptions > 1 ? (exceptions - 1) * all : 0);
			if (sum < cost[end]) {
				cost[end] = sum;
				last[end] = (struct group){first, n, usual, all};
			}
		}
	}
	for (size_t end = count; end > 0; end -= last[end].count)
		group_count++;
	for (size_t end = count, i = group_count; i-- > 0; end -= last[end].count)
		groups[i] = last[end];
	return group_count;
}

/* One comparison parts the groups into halves of about the same weight, and so on. Returns where it begins. */
static uint32_t add_tree(const struct group *groups, size_t count, struct reverse *to, const uint32_t at[MOST_OLD]) {
	uint32_t all = 0, left = groups[0].weight, high, low;
	size_t half = 1;

	if (count == 1) {
		low = at[groups[0].usual];
		for (const struct step *step = groups[0].steps + groups[0].count; step-- > groups[0].steps;)
			if (step->leaf != groups[0].usual)
				low = add_jump(to, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)step->first, at[step->leaf],
					       low);
		return low;
	}
	for (size_t i = 0; i < count; i++)
		all += groups[i].weight;
	for (; half < count - 1 && 2 * left + groups[half].weight <= all; half++)
		left += groups[half].weight;
	high = add_tree(groups + half, count - half, to, at);
	low = add_tree(groups, half, to, at);
	return add_jump(to, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)groups[half].steps->first, high, low);
}

bool condense_filter(struct generated *filter, uint32_t arch, const struct condense_guard *guard) {
	static struct step steps[MOST_STEPS + 1];
	static struct group groups[MOST_STEPS];
	static struct reverse to;
	static struct old old;
	static uint32_t at[MOST_OLD];
	const struct program program = {filter->code, filter->count};
	const struct evaluate_call foreign = {.arch = ~arch};
	const struct evaluate_answer answer = evaluate_program(&program, &foreign);
	uint32_t entry, other;
	size_t count;

	begin_with_guard(&old, filter, guard);
	pass_over_empty_masks(&old);
	count = find_steps(&old, arch, guard->number, steps);
	if (count < 2 || !answer.valid || answer.looks > 0)
		return false;
	to.count = 0;
	to.is_full = false;
	other = add_answer(&to, answer.action);
	if (!copy_leaves(&old, steps, count, &to, at))
		return false;
	steps[count].first = 1ull << 32;
	entry = add_tree(groups, find_groups(&old, steps, count, groups), &to, at);
	if (entry != to.count - 1)
		return false;
	entry = add(&to, (struct program_instruction){.code = BPF_LD | BPF_W | BPF_ABS,
						      .k = offsetof(struct seccomp_data, nr)});
	add_jump(&to, BPF_JMP | BPF_JEQ | BPF_K, arch, entry, other);
	add(&to,
	    (struct program_instruction){.code = BPF_LD | BPF_W | BPF_ABS, .k = offsetof(struct seccomp_data, arch)});
	if (to.is_full)
		return false;
	for (uint32_t i = 0; i < to.count; i++)
		filter->code[i] = to.code[to.count - 1 - i];
	filter->count = to.count;
	return true;
}
