/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In a user namespace the kernel may give a sorted list back in another order; ours have no id twice. */
static bool same_set(const uint32_t *a, const uint32_t *b, size_t count) {
	size_t found = 0;

	if (count > PLAN_MAX_GROUPS || memcmp(a, b, count * sizeof(*a)) == 0)
		return memcmp(a, b, count * sizeof(*a)) == 0;
	for (size_t i = 0; i < count * count; i++)
		found += a[i / count] == b[i % count];
	return found == count;
}

bool identity_has_groups(uint32_t gid, const uint32_t *groups, size_t count, uint32_t *scratch) {
	uint32_t real = ~gid, effective = ~gid, saved = ~gid;

	memset(scratch, 0xff, count * sizeof(*scratch));
	return syscall(SYS_getresgid, &real, &effective, &saved) == 0 && real == gid && effective == gid && saved == gid &&
	       (uint32_t)syscall(SYS_setfsgid, -1L) == gid && syscall(SYS_getgroups, 0L, NULL) == (long)count &&
	       syscall(SYS_getgroups, (long)CALLER_MAX_GROUPS, scratch) == (long)count && same_set(groups, scratch, count);
}

static bool has_user(uint32_t uid) {
	uint32_t real = ~uid, effective = ~uid, saved = ~uid;

	errno = 0;
	return syscall(SYS_getresuid, &real, &effective, &saved) == 0 && real == uid && effective == uid && saved == uid &&
	       (uint32_t)syscall(SYS_setfsuid, -1L) == uid;
}

bool identity_set_groups(uint32_t gid, const uint32_t *groups, size_t count, uint32_t *scratch) {
	if (syscall(SYS_setgroups, count, groups) != 0 || syscall(SYS_setresgid, gid, gid, gid) != 0)
		return false;
	errno = 0;
	return identity_has_groups(gid, groups, count, scratch);
}

/*
 * In two steps, because with fs.suid_dumpable 1 a change of the effective uid makes us dumpable: meanwhile no process of
 * the new uid may trace us, for our real and saved uid still are root's (ptrace(2), access mode checking).
 */
bool identity_set_user(uint32_t uid) {
	return syscall(SYS_setresuid, -1L, uid, -1L) == 0 && entry_hide() && syscall(SYS_setresuid, uid, uid, uid) == 0 &&
	       has_user(uid) && entry_hide();
}

bool identity_leave_caller(void) {
	return syscall(SYS_setresuid, 0L, 0L, 0L) == 0 && has_user(0);
}

struct grouped identity_join_groups(const struct launch_plan *plan, struct restored after, const struct report *to) {
	const uint32_t gid = plan->gid.value;

	(void)after;
	if (plan->has_root && (!identity_set_groups(gid, plan->groups, plan->group_count, to->scratch) || !entry_hide()))
		report_stage(to, "identity", "setgroups, setresgid", "in a user namespace: map the app's group, allow setgroups", errno);
	return (struct grouped){gid};
}

struct assumed identity_assume_user(const struct launch_plan *plan, struct confined after, const struct report *to) {
	const uint32_t uid = plan->uid.value;

	(void)after;
	if (plan->has_root ? !identity_set_user(uid) : !(has_user(uid) && entry_hide()))
		report_stage(to, "identity", "setresuid", "in a user namespace: map the app's user", errno);
	return (struct assumed){uid};
}
