/* SPDX-License-Identifier: ISC */
#include "recording.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
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

static bool is_in(uint64_t number, const uint64_t *numbers, size_t count) {
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* Which argument is a path; -1: none. */
static int path_argument(uint64_t number) {
	static const uint64_t first[] = {SYS_truncate, SYS_chdir,  SYS_chroot, SYS_statfs, SYS_execve,
#ifdef __x86_64__
					 SYS_open,     SYS_creat,  SYS_stat,   SYS_lstat,  SYS_access,
					 SYS_readlink, SYS_unlink, SYS_rmdir,  SYS_mkdir,  SYS_chmod,
					 SYS_chown,    SYS_lchown, SYS_rename
#endif
	};
	static const uint64_t second[] = {SYS_openat,	  SYS_openat2,	SYS_newfstatat, SYS_statx,    SYS_faccessat,
					  SYS_readlinkat, SYS_unlinkat, SYS_mkdirat,	SYS_fchmodat, SYS_fchownat};

	if (is_in(number, first, sizeof(first) / sizeof(first[0])))
		return 0;
	return is_in(number, second, sizeof(second) / sizeof(second[0])) ? 1 : -1;
}

struct recording recording_of_probe(const struct world_person *who) {
	const struct recording made = recording_make(who, WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE), NULL);

	cr_expect(made.came_to_its_command, "status %#x", (unsigned)made.status);
	return made;
}

bool recorded_open(const struct recorded_call *call, int *ret_flags) {
	*ret_flags = (int)call->arguments[2];
#ifdef __x86_64__
	if (call->number == SYS_open) {
		*ret_flags = (int)call->arguments[1];
		return true;
	}
#endif
	/* What openat2 is told lies in memory: taken for the worst. */
	if (call->number == SYS_openat2)
		*ret_flags = O_RDWR | O_CREAT;
	return call->number == SYS_openat || call->number == SYS_openat2;
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
