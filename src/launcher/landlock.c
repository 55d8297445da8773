/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <linux/landlock.h>

#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_WRITE_FILE | UINT64_C(1) << 14) /* and TRUNCATE: all that a file can have */

int landlock_abi(void) {
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0L, (long)LANDLOCK_CREATE_RULESET_VERSION);
	return abi < 0 ? -errno : (int)abi;
}

static bool allow(int ruleset, const char *path, uint64_t rights) {
	struct landlock_path_beneath_attr rule = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
	struct stat file = {0};
	bool is_done = rule.parent_fd > STDERR_FILENO && trusted_fstat(rule.parent_fd, &file);

	rule.allowed_access = S_ISDIR(file.st_mode) ? rights : rights & FILE_RIGHTS;
	is_done = is_done && !syscall(SYS_landlock_add_rule, (long)ruleset, (long)LANDLOCK_RULE_PATH_BENEATH, &rule, 0L);
	if (rule.parent_fd > STDERR_FILENO)
		(void)close(rule.parent_fd); /* it also closes on exec; what worked leaves errno alone */
	return is_done;
}

static void allow_planned(int ruleset, const struct launch_plan *plan, const struct report *to) {
	/* Whatever else `write` says: programs without these break, and their own permissions still decide. */
	static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts"};

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		must(allow(ruleset, devices[i], plan->write_rights & FILE_RIGHTS) || errno == ENOENT || errno == EACCES, to,
		     "write", devices[i], NULL);
	for (size_t i = 0; i < plan->write_count; i++)
		if (!allow(ruleset, plan->writes[i], plan->write_rights))
			handover_unreachable(plan->writes[i], "write", "the app user cannot reach",
					     "a write path must exist at launch: install -d -o USER -g GROUP PATH", to);
}

static bool can_write(const char *path) {
	const int fd = (int)syscall(SYS_openat, (long)AT_FDCWD, path, (long)(O_WRONLY | O_CLOEXEC | O_NOCTTY));
	return fd > STDERR_FILENO && close(fd) == 0;
}

struct limited landlock_limit(const struct launch_plan *plan, struct handed_over after, const struct report *to) {
	/* Anybody may open them for writing, and `write` cannot name what is above them: nothing else shows a domain. */
	static const char *const proofs[] = {"/dev/random", "/proc/self/attr/current"};
	const struct landlock_ruleset_attr handled = {.handled_access_fs = plan->write_rights};

	must(after.umask == plan->umask, to, "write", "order", NULL);
	if (plan->write_rights == 0)
		return (struct limited){after.umask};
	const bool could[] = {can_write(proofs[0]), can_write(proofs[1])};
	/* Within another launch both are closed already; who starts without root has nothing to gain from a lie. */
	bool is_closed = !plan->has_root && !could[0] && !could[1];
	const int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0L);
	must(ruleset > STDERR_FILENO, to, "write", "landlock_create_ruleset", NULL);
	allow_planned(ruleset, plan, to);
	must(syscall(SYS_landlock_restrict_self, (long)ruleset, 0L) == 0 && close(ruleset) == 0, to, "write",
	     "landlock_restrict_self", "it takes 16 layers at most: is this a launch inside a launch?");
	for (size_t i = 0; i < 2; i++)
		is_closed = is_closed || (could[i] && !can_write(proofs[i]) && errno == EACCES);
	must(is_closed, to, "write", "Landlock", "to prove it, /dev/random or /proc must be there, and not be listed");
	return (struct limited){after.umask};
}
