/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

/* In a user namespace the kernel may give a sorted list back in another order; ours have no id twice. */
static bool same_set(const uint32_t *a, const uint32_t *b, size_t count) {
	size_t found = 0;
	for (size_t i = 0; count <= PLAN_MAX_GROUPS && i < count * count; i++)
		found += a[i / count] == b[i % count];
	return found == count || memcmp(a, b, count * sizeof(*a)) == 0;
}

/* Real, effective and saved as getresuid or getresgid has them, and what setfsuid or setfsgid answers. */
static bool has_id(long get, long set_fs, uint32_t id) {
	uint32_t real = ~id, effective = ~id, saved = ~id;
	errno = 0;
	return syscall(get, &real, &effective, &saved) == 0 && real == id && effective == id && saved == id &&
	       (uint32_t)syscall(set_fs, -1L) == id;
}

bool identity_has_groups(uint32_t gid, const uint32_t *groups, size_t count, uint32_t *scratch) {
	memset(scratch, 0xff, count * sizeof(*scratch));
	return has_id(SYS_getresgid, SYS_setfsgid, gid) && syscall(SYS_getgroups, 0L, NULL) == (long)count &&
	       syscall(SYS_getgroups, (long)CALLER_MAX_GROUPS, scratch) == (long)count &&
	       same_set(groups, scratch, count);
}

bool identity_set_groups(uint32_t gid, const uint32_t *groups, size_t count, uint32_t *scratch) {
	return syscall(SYS_setgroups, count, groups) == 0 && syscall(SYS_setresgid, gid, gid, gid) == 0 &&
	       identity_has_groups(gid, groups, count, scratch);
}

/*
 * In two steps, because with fs.suid_dumpable 1 a change of the effective uid makes us dumpable: meanwhile no process
 * of the new uid may trace us, for our real and saved uid still are root's (ptrace(2), access mode checking).
 */
bool identity_set_user(uint32_t uid) {
	return syscall(SYS_setresuid, -1L, uid, -1L) == 0 && entry_hide() &&
	       syscall(SYS_setresuid, uid, uid, uid) == 0 && has_id(SYS_getresuid, SYS_setfsuid, uid) && entry_hide();
}

bool identity_leave_caller(void) {
	return syscall(SYS_setresuid, 0L, 0L, 0L) == 0 && has_id(SYS_getresuid, SYS_setfsuid, 0);
}

struct grouped identity_join_groups(const struct launch_plan *plan, struct restored after, const struct report *to) {
	(void)after;
	must(!plan->has_root || (identity_set_groups(plan->gid.value, plan->groups, plan->group_count, to->scratch) &&
				 entry_hide()), to, "identity", "setgroups, setresgid",
	     "in a user namespace: map the app's group, allow setgroups");
	return (struct grouped){plan->gid.value};
}

struct assumed identity_assume_user(const struct launch_plan *plan, struct confined after, const struct report *to) {
	const uint32_t uid = plan->uid.value;
	(void)after;
	must(plan->has_root ? identity_set_user(uid) : has_id(SYS_getresuid, SYS_setfsuid, uid) && entry_hide(), to,
	     "identity", "setresuid", "in a user namespace: map the app's user");
	return (struct assumed){uid};
}
