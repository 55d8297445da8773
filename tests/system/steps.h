/* SPDX-License-Identifier: ISC */
/*
 * Purpose   stop a real launch after any of its system calls, and look at it there.
 * Runs as   root, in a world (world.h).
 * Given     who calls, and with which arguments.
 * Promises  a sysctl that was kept goes back to what it was, even if the test is killed.
 * Never     leaves a launch behind: it ends with its tracer.
 */
#ifndef SYSTEM_STEPS_H
#define SYSTEM_STEPS_H

#include <stdbool.h>
#include <sys/ptrace.h>

#include "world.h"

#define STEPS_DUMPABLE "/proc/sys/fs/suid_dumpable"
#define STEPS_CORE_PATTERN "/proc/sys/kernel/core_pattern"

void steps_keep(const char *sysctl); /* before steps_set */
void steps_set(const char *sysctl, const char *value);

/* This process, or the end of it. */
void steps_become(const struct world_person *who);

/* runas-app, stopped before its exec; gift: the caller's last act, or NULL. */
pid_t steps_start(const struct world_person *who, const char *const *argv, void (*gift)(void));

enum step { STEP_ENTRY, STEP_EXIT, STEP_EXEC, STEP_GONE };
enum step steps_next(pid_t child, struct __ptrace_syscall_info *info, int *status);

/* Starts it and goes on to the `stop`th return of a system call since the first setresuid, or since the launcher's own
 * start; it is traced still. 0: the launch had come to its command, and was ended there. */
pid_t steps_to(const struct world_person *who, const char *const *argv, void (*gift)(void), int stop, bool from_start);

/* No tracer any more, and standing: SIGSTOP cannot be blocked. */
void steps_leave_standing(pid_t child);

#endif
