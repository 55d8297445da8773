/* SPDX-License-Identifier: ISC */
#include "companion/evaluate.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

/* One aligned 32-bit word of struct seccomp_data. */
static bool load_word(const struct evaluate_call *call, uint32_t offset, uint32_t *ret) {
	struct seccomp_data data = {.nr = (int)call->number, .arch = call->arch};

	if (offset % 4 != 0 || offset > sizeof data - 4)
		return false;
	for (size_t i = 0; i < 6; i++)
		data.args[i] = call->arguments[i];
	memcpy(ret, (const char *)&data + offset, 4);
	return true;
}

struct evaluate_answer evaluate_program(const struct program *program, const struct evaluate_call *call) {
	struct evaluate_answer answer = {0};
	uint32_t accumulator = 0, at = 0;

	/* Jumps go forwards only, so this ends. */
	while (at < program->count) {
		struct program_instruction in = program->code[at++];
		bool jump;

		if (answer.looks == 0)
			answer.decided_at = at - 1;

		switch (in.code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (!load_word(call, in.k, &accumulator))
				return answer;
			answer.looks += in.k >= offsetof(struct seccomp_data, args);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			accumulator &= in.k;
			continue;
		case BPF_RET | BPF_K:
			answer.valid = true;
			answer.action = in.k;
			return answer;
		case BPF_JMP | BPF_JA:
			if (in.k >= program->count - at)
				return answer;
			at += in.k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = accumulator == in.k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			jump = accumulator > in.k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			jump = accumulator >= in.k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			jump = (accumulator & in.k) != 0;
			break;
		default:
			return answer;
		}
		at += jump ? in.jt : in.jf;
	}
	return answer;
}
