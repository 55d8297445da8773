/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <sys/statvfs.h>

struct caller caller_identify(const struct entered *after, uint32_t *groups, const struct report *to) {
	uint32_t u[3] = {~0U, ~0U, ~0U}, g[3] = {~0U, ~0U, ~0U};
	const bool has_ids = syscall(SYS_getresuid, &u[0], &u[1], &u[2]) == 0 && u[0] != ~0U &&
			     syscall(SYS_getresgid, &g[0], &g[1], &g[2]) == 0 && g[0] != ~0U;
	const long count = syscall(SYS_getgroups, 0L, NULL); /* asked twice: 0 may be a lie */
	const bool has_groups = count >= 0 && syscall(SYS_getgroups, (long)CALLER_MAX_GROUPS, groups) == count;

	const pid_t pid = getpid();
	must(has_ids && has_groups && pid > 0, to, "caller", "ids and groups", NULL);
	return (struct caller){
		.uid = {u[0]}, .gid = {g[0]}, .groups = groups, .group_count = (size_t)count,
		.has_root = u[1] == 0 && u[2] == 0,
		.is_uniform = u[0] == u[1] && u[0] == u[2] && g[0] == g[1] && g[0] == g[2],
		.environment = after->environment, .pid = (uint32_t)pid,
	};
}

struct text caller_directory(char *cwd, const struct report *to) {
	const long length = syscall(SYS_getcwd, cwd, (long)CALLER_MAX_CWD); /* with its NUL */
	must(length > 0 || (length < 0 && (errno == ENOENT || errno == ENAMETOOLONG)), to, "caller", "directory", NULL);
	return (struct text){cwd, length > 1 && cwd[0] == '/' ? (size_t)length - 1 : 0}; /* no "(unreachable)/..." */
}

void caller_explain(struct problem *why) {
	struct statvfs fs = {0};
	struct stat self = {.st_mode = S_ISUID};

	problem_set(why, PROBLEM_DENIED, "not-root",
		    "not root: in a user namespace, traced, or runas-app does not belong to root");
	why->hint = "start as root or as the app user";
	if (stat("/proc/self/exe", &self) == 0 && (self.st_mode & S_ISUID) == 0) {
		why->what = "not root: the file runas-app is not setuid root";
		why->hint = "chown root and chmod 4755 it; or start as root or as the app user";
	} else if (statvfs("/proc/self/exe", &fs) == 0 && (fs.f_flag & ST_NOSUID) != 0) {
		why->what = "not root: the file system of runas-app is mounted nosuid";
		why->hint = "install it on a file system without nosuid";
	} else if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
		why->what = "not root: no_new_privs is set, so the setuid bit has no effect";
		why->hint = "container: allowPrivilegeEscalation; systemd: NoNewPrivileges=; "
			    "or start as root or as the app user";
	}
}
