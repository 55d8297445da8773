/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

_Static_assert(sizeof(struct sock_filter) == sizeof(struct program_instruction) &&
		       offsetof(struct sock_filter, jf) == offsetof(struct program_instruction, jf) &&
		       offsetof(struct sock_filter, k) == offsetof(struct program_instruction, k), "one layout");

/* PR_GET_SECCOMP would prove nothing: inside a container it is 2 from the start. */
static void load(const struct program *program, long number, int answer, const char *what, const struct report *to) {
	struct sock_filter *const code = (struct sock_filter *)(uintptr_t)program->code; /* the kernel only reads it */
	const struct sock_fprog filter = {.len = (unsigned short)program->count, .filter = code};
	must(syscall(SYS_seccomp, (long)SECCOMP_SET_MODE_FILTER, 0L, &filter) == 0, to, "filter", what, NULL);
	if (syscall(number) != -1 || errno != answer)
		report_stage(to, "filter", what, "the filter does not answer: an outer filter hides seccomp(2)", 0);
}

struct sealed filter_install(const struct launch_plan *plan, struct limited after, struct report *to) {
	must(after.umask == plan->umask, to, "filter", "order", NULL);
	load(&shipped_terminal, PROGRAM_PROOF_TERMINAL, PROGRAM_ERRNO_TERMINAL, "terminal filter", to);
	to->is_sealed = true;
	if (plan->profile != NULL)
		load(plan->profile, PROGRAM_PROOF_PROFILE, PROGRAM_ERRNO_PROFILE, "profile", to);
	return (struct sealed){plan->profile != NULL ? 2 : 1};
}
