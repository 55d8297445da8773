/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

_Static_assert(sizeof(struct sock_filter) == sizeof(struct program_instruction) &&
		       offsetof(struct sock_filter, jf) == offsetof(struct program_instruction, jf) &&
		       offsetof(struct sock_filter, k) == offsetof(struct program_instruction, k), "one layout");

struct sealed filter_install(const struct launch_plan *plan, struct limited after, struct report *to) {
	const bool is_bare = plan->profile == NULL;
	const struct program *const program = is_bare ? &shipped_terminal : plan->profile;
	/* Not const there, but the kernel only reads it. */
	const struct sock_fprog filter = {(unsigned short)program->count, (void *)(uintptr_t)program->code};
	const char *const what = is_bare ? "terminal filter" : "profile";
	must(after.umask == plan->umask, to, "filter", "order", NULL);
	must(syscall(SYS_seccomp, (long)SECCOMP_SET_MODE_FILTER, 0L, &filter) == 0, to, "filter", what, NULL);
	/* PR_GET_SECCOMP would prove nothing: inside a container it is 2 from the start. */
	if (syscall(is_bare ? PROGRAM_PROOF_TERMINAL : PROGRAM_PROOF_PROFILE) != -1 ||
	    errno != (is_bare ? PROGRAM_ERRNO_TERMINAL : PROGRAM_ERRNO_PROFILE))
		report_stage(to, "filter", what, "the filter does not answer: an outer filter hides seccomp(2)", 0);
	to->is_sealed = true;
	return (struct sealed){program->count};
}
