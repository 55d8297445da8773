/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CAPABILITY 63
#define LOCKED_BITS 0xEB /* NOROOT, NO_CAP_AMBIENT_RAISE and all four locks; NO_SETUID_FIXUP and KEEP_CAPS locked off */
#define UPPER_BITS 0xF00 /* SECBIT_EXEC_*, Linux 6.14: the app's to keep */

static bool read_sets(struct __user_cap_data_struct sets[2]) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	memset(sets, 0xff, 2 * sizeof(sets[0]));
	return syscall(SYS_capget, &header, sets) == 0;
}

/* With nothing inheritable the kernel empties the ambient set too: capabilities(7). */
static void set_exactly(uint32_t permitted, const struct report *to) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct then[2] = {{.effective = permitted, .permitted = permitted}};
	struct __user_cap_data_struct now[2];

	if (syscall(SYS_capset, &header, then) != 0)
		report_stage(to, "capabilities", "capset", NULL, errno);
	if (!read_sets(now) || memcmp(now, then, sizeof(now)) != 0)
		report_stage(to, "capabilities", "permitted, effective, inheritable sets", NULL, 0);
}

/* 1 in the set, 0 not, -1 past the last capability of this kernel. */
static int bounding_has(unsigned capability) {
	return prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
}

void capabilities_require(const struct launch_plan *plan, const struct report *to) {
	static const char *const names[] = {"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP"}; /* 6, 7, 8 */
	struct __user_cap_data_struct sets[2];
	bool is_bounded = false;

	if (!plan->has_root)
		return;
	if (!read_sets(sets))
		report_stage(to, "capabilities", "capget", NULL, errno);
	for (unsigned i = 0; i <= MAX_CAPABILITY && bounding_has(i) >= 0; i++)
		is_bounded = is_bounded || bounding_has(i) != 0;
	for (unsigned i = CAP_SETGID; i <= CAP_SETPCAP; i++)
		if ((sets[0].effective >> i & 1) == 0 && (i != CAP_SETPCAP || is_bounded))
			report_stage(to, "capability-missing", names[i - CAP_SETGID],
				     "add it to the container: --cap-add=SETGID --cap-add=SETUID --cap-add=SETPCAP", EPERM);
}

struct confined capabilities_confine(const struct launch_plan *plan, struct grouped after, const struct report *to) {
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	unsigned end = 0;

	if (after.gid != plan->gid.value || bits < 0)
		report_stage(to, "capabilities", "securebits", NULL, errno);
	if (!plan->has_root)
		return (struct confined){(uint32_t)bits};
	/* Dropped without asking first, and read afterwards: no single false answer can hide a capability. */
	while (end <= MAX_CAPABILITY && (prctl(PR_CAPBSET_DROP, end, 0, 0, 0) == 0 || errno == EPERM))
		end++;
	for (unsigned i = 0; i < end; i++)
		if (bounding_has(i) != 0)
			report_stage(to, "capabilities", "bounding set", NULL, 0);
	if (end <= CAP_CHECKPOINT_RESTORE || end > MAX_CAPABILITY || bounding_has(end) != -1 || errno != EINVAL)
		report_stage(to, "capabilities", "bounding set", NULL, 0);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		report_stage(to, "capabilities", "ambient set", NULL, errno);
	if (prctl(PR_SET_SECUREBITS, (bits & UPPER_BITS) | LOCKED_BITS, 0, 0, 0) != 0)
		report_stage(to, "capabilities", "securebits", "the caller locked them, or CAP_SETPCAP is missing", errno);
	bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	if (bits < 0 || (bits & 0xff) != LOCKED_BITS)
		report_stage(to, "capabilities", "securebits", NULL, 0);
	set_exactly(1U << CAP_SETUID | 1U << CAP_SETGID, to); /* for the next stage, and the way back */
	return (struct confined){(uint32_t)bits};
}

/* It has to fail as it fails for anybody. EINVAL: a user namespace without uid 0. */
static void must_fail(const struct report *to, const char *object, long result) {
	if (result == 0 || (errno != EPERM && errno != EINVAL))
		report_stage(to, "capabilities", object, "a way back to root is open", result == 0 ? 0 : errno);
}

struct powerless capabilities_drop(const struct launch_plan *plan, struct assumed after, const struct report *to) {
	int bits;

	if (after.uid != plan->uid.value)
		report_stage(to, "capabilities", "order", NULL, 0);
	set_exactly(0, to);
	bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	must_fail(to, "setresuid", syscall(SYS_setresuid, -1L, 0L, -1L));
	must_fail(to, "setresgid", syscall(SYS_setresgid, -1L, 0L, -1L));
	must_fail(to, "setgroups", syscall(SYS_setgroups, 0L, NULL));
	must_fail(to, "securebits", prctl(PR_SET_SECUREBITS, bits ^ SECBIT_NOROOT, 0, 0, 0));
	return (struct powerless){after.uid};
}
