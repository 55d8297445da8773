/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <linux/capability.h>
#include <linux/securebits.h>

#define MAX_CAPABILITY 63
#define LOCKED_BITS 0xEB /* NOROOT, NO_CAP_AMBIENT_RAISE and all four locks; NO_SETUID_FIXUP, KEEP_CAPS locked off */
#define UPPER_BITS 0xF00 /* SECBIT_EXEC_*, Linux 6.14: what root or the app user itself set is kept */

typedef struct __user_cap_data_struct capability_sets[2];

static bool read_sets(capability_sets sets) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	memset(sets, 0xff, sizeof(capability_sets));
	return syscall(SYS_capget, &header, sets) == 0;
}

/* With nothing inheritable the kernel empties the ambient set too: capabilities(7). */
static void set_exactly(uint32_t permitted, const struct report *to) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const capability_sets then = {{.effective = permitted, .permitted = permitted}};
	capability_sets now;
	must(syscall(SYS_capset, &header, then) == 0, to, "capabilities", "capset", NULL);
	must(read_sets(now) && memcmp(now, then, sizeof(now)) == 0, to, "capabilities",
	     "permitted, effective, inheritable sets", NULL);
}

void capabilities_require(const struct launch_plan *plan, const struct report *to) {
	static const char *const names[] = {"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP"}; /* 6, 7, 8 */
	static const char *const hint = "add it to the container: --cap-add=SETGID --cap-add=SETUID --cap-add=SETPCAP";
	capability_sets sets;

	if (!plan->has_root)
		return;
	must(read_sets(sets), to, "capabilities", "capget", NULL);
	for (unsigned i = CAP_SETGID; i <= CAP_SETPCAP; i++) /* the securebits want SETPCAP even if nothing is bounded */
		if ((sets[0].effective >> i & 1) == 0)
			report_stage(to, "capability-missing", names[i - CAP_SETGID], hint, EPERM);
}

struct confined capabilities_confine(const struct launch_plan *plan, struct grouped after, const struct report *to) {
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	unsigned end = 0, kept = 0;

	must(after.gid == plan->gid.value && bits >= 0, to, "capabilities", "securebits", NULL);
	if (!plan->has_root)
		return (struct confined){(uint32_t)bits};
	/* Dropped without asking first, and read afterwards: no single false answer can hide a capability. */
	while (end <= MAX_CAPABILITY && prctl(PR_CAPBSET_DROP, end, 0, 0, 0) == 0)
		end++;
	for (unsigned i = 0; i < end; i++) /* 1 in the set, 0 not, -1 past the last capability of this kernel */
		kept += prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 0;
	if (kept != 0 || end <= CAP_CHECKPOINT_RESTORE || end > MAX_CAPABILITY ||
	    prctl(PR_CAPBSET_READ, end, 0, 0, 0) != -1 || errno != EINVAL)
		report_stage(to, "capabilities", "bounding set", NULL, 0);
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0, to, "capabilities", "ambient set", NULL);
	must(prctl(PR_SET_SECUREBITS, (plan->restores ? 0 : bits & UPPER_BITS) | LOCKED_BITS, 0, 0, 0) == 0, to,
	     "capabilities", "securebits", "the caller locked them, or CAP_SETPCAP is missing");
	bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	must(bits >= 0 && (bits & 0xff) == LOCKED_BITS, to, "capabilities", "securebits", NULL);
	set_exactly(1U << CAP_SETUID | 1U << CAP_SETGID, to); /* for the next stage, and the way back */
	return (struct confined){(uint32_t)bits};
}

/* It has to fail as it fails for anybody. EINVAL: a user namespace without uid 0. */
static void must_fail(long result, const char *way, const struct report *to) {
	must(result != 0 && (errno == EPERM || errno == EINVAL), to, "capabilities", way, "a way back to root is open");
}

struct powerless capabilities_drop(const struct launch_plan *plan, struct assumed after, const struct report *to) {
	const int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	must(after.uid == plan->uid.value, to, "capabilities", "order", NULL);
	set_exactly(0, to);
	must_fail(syscall(SYS_setresuid, -1L, 0L, -1L), "setresuid", to);
	must_fail(syscall(SYS_setresgid, -1L, 0L, -1L), "setresgid", to);
	must_fail(syscall(SYS_setgroups, 0L, NULL), "setgroups", to);
	must_fail(prctl(PR_SET_SECUREBITS, bits ^ SECBIT_NOROOT, 0, 0, 0), "securebits", to);
	return (struct powerless){after.uid};
}
