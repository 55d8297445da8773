/* SPDX-License-Identifier: ISC */
/*
 * process: what a running process is, as far as the kernel tells us.
 *
 * Purpose:  one reading of /proc for all that is said about a process.
 * Given:    a pid; it may end, or become another one, while we look.
 * Promises: what could not be read is marked as not known, and never taken for zero or empty.
 * Never:    attaches to the process, or disturbs it.
 */
#ifndef COMPANION_PROCESS_H
#define COMPANION_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { PROCESS_LIMITS = 16, PROCESS_SETS = 5 };

extern const char *const process_set_names[PROCESS_SETS]; /* effective permitted inheritable bounding ambient */

struct process {
	pid_t pid;
	char name[64];
	char *exe, *cwd, *command; /* NULL: not known; command: words between blanks */
	bool has_cwd_status;
	struct stat cwd_status;
	uint32_t uids[4], gids[4]; /* real, effective, saved, file system */
	uint32_t *groups;
	size_t group_count;
	uint64_t sets[PROCESS_SETS];
	int no_new_privs, seccomp, filters, umask; /* -1: not known */
	struct {
		bool is_known;
		uint64_t soft, hard; /* UINT64_MAX: unlimited */
	} limits[PROCESS_LIMITS];    /* in the kernel's order */
	bool has_nice, has_oom;
	int nice, oom_score_adj;
	bool has_descriptors, has_environment;
	size_t descriptor_count, name_count;
	struct process_descriptor {
		int number;
		char *target;
	} * descriptors;
	char **names; /* of its environment when it was executed */
};

/* NULL with errno: ESRCH when there is none. */
struct process *process_read(pid_t pid);
void process_free(struct process *process);
/* How many filters the first process and we both have: those of a container, which every process in it has. */
int process_filters_around(void);

/* Every pid, in order; ends with 0; a new array. NULL: /proc cannot be listed. */
pid_t *process_list(void);

#endif
