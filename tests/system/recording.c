/* SPDX-License-Identifier: ISC */
#include "recording.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "steps.h"

enum { MOST_CALLS = 4096 };

static struct recorded_call calls[MOST_CALLS];

/* Which argument is a path; -1: none. */
static int path_argument(uint64_t number) {
	switch (number) {
	case SYS_open:
	case SYS_creat:
	case SYS_stat:
	case SYS_lstat:
	case SYS_access:
	case SYS_readlink:
	case SYS_unlink:
	case SYS_rmdir:
	case SYS_mkdir:
	case SYS_chmod:
	case SYS_chown:
	case SYS_lchown:
	case SYS_rename:
	case SYS_truncate:
	case SYS_chdir:
	case SYS_chroot:
	case SYS_statfs:
	case SYS_execve: return 0;
	case SYS_openat:
	case SYS_openat2:
	case SYS_newfstatat:
	case SYS_statx:
	case SYS_faccessat:
	case SYS_readlinkat:
	case SYS_unlinkat:
	case SYS_mkdirat:
	case SYS_fchmodat:
	case SYS_fchownat: return 1;
	default: return -1;
	}
}

static void copy_string(pid_t child, uint64_t from, char to[256]) {
	struct iovec here = {to, 255}, there = {(void *)(uintptr_t)from, 255};

	memset(to, 0, 256);
	/* The string may end shortly before a page that is not there. */
	if (process_vm_readv(child, &here, 1, &there, 1, 0) <= 0) {
		there.iov_len = here.iov_len = 4096 - from % 4096 < 255 ? 4096 - from % 4096 : 255;
		process_vm_readv(child, &here, 1, &there, 1, 0);
	}
}

static unsigned status_number(const char *text, const char *key, int field) {
	const char *value = world_value_in(text, key);

	cr_assert(value, "no %s in /proc", key);
	for (; field > 0; field--)
		value += strspn(value, "\t ") + strcspn(value + strspn(value, "\t "), "\t ");
	return (unsigned)strtoul(value, NULL, 10);
}

static bool has_descriptors(pid_t child) {
	char path[64];
	bool has = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", child);
	DIR *listing = opendir(path);
	for (struct dirent *entry; listing && (entry = readdir(listing));)
		has = has || (entry->d_name[0] != '.' && atoi(entry->d_name) > 2);
	if (listing)
		closedir(listing);
	return has;
}

static void record(pid_t child, const struct __ptrace_syscall_info *info, struct recorded_call *call) {
	const int path = path_argument(info->entry.nr);
	char name[64];

	memset(call, 0, sizeof(*call));
	call->number = info->entry.nr;
	for (int i = 0; i < 6; i++)
		call->arguments[i] = info->entry.args[i];
	if (path >= 0)
		copy_string(child, info->entry.args[path], call->path);
	snprintf(name, sizeof(name), "/proc/%d/status", child);
	char *text = world_read(name);
	cr_assert(text, "%s", name);
	call->effective_uid = status_number(text, "Uid", 1);
	call->threads = status_number(text, "Threads", 0);
	free(text);
	call->has_descriptors = has_descriptors(child);
}

struct recording recording_make(const struct world_person *who, const char *const *argv, void (*gift)(void)) {
	struct recording recording = {.calls = calls};
	struct __ptrace_syscall_info info;
	int execs = 0;
	pid_t child = steps_start(who, argv, gift);

	for (;;) {
		const enum step step = steps_next(child, &info, &recording.status);
		if (step == STEP_GONE)
			break;
		execs += step == STEP_EXEC;
		if (execs == 2) {
			recording.came_to_its_command = true;
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
			break;
		}
		if (execs != 1 || step != STEP_ENTRY)
			continue;
		cr_assert(recording.count < MOST_CALLS, "a launch of more than %d calls", MOST_CALLS);
		record(child, &info, &calls[recording.count++]);
	}
	cr_assert(recording.count > 20, "%zu calls only: the launch was not followed", recording.count);
	return recording;
}
