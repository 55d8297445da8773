/* SPDX-License-Identifier: ISC */
/*
 * Purpose   the ways in which an app is started, and what a policy demands of each: exactly so, or refused by the key and
 *           what is missing; never silently less.
 * Runs as   root, in a world that way_enter or container_enter enters.
 * Given     a policy `probe`, whose command is the probe.
 * Promises  what this machine's root may do is asked of the kernel first, so that each test knows which of the two it
 *           must see: without CAP_SYS_RESOURCE refusals, with it the exact value.
 * Never     takes a refusal of another stage, or without a cure, for the right one.
 */
#ifndef SYSTEM_WAYS_H
#define SYSTEM_WAYS_H

#include <stdbool.h>
#include <sys/resource.h>

#include "world.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Done to the process before it starts the app. */
struct way_gift {
	bool is_poor; /* without CAP_SYS_RESOURCE and CAP_SYS_NICE, for this process and all that it starts */
	int resource; /* of `limit` */
	const struct rlimit *limit;
	int nice;	 /* 0: as it is */
	const char *oom; /* NULL: as it is */
	bool has_no_proc;
};

enum { WAYS = 3, WAY_ENTRANCES = 2 };

/* As root, by a deployer, and by the app's user without root. */
extern const struct way {
	const char *name;
	const struct world_person *who;
	const char *program;
	bool has_root;
} ways[WAYS];

/* One line of a policy, and where the probe shows it. */
struct way_key {
	const char *name, *value, *shown;
	int (*attempt)(const void *data); /* what a plain process does for it */
	const void *data;
	const char *cure; /* that the hint names where the kernel says no */
};

/* Once, first, in each test. */
void way_enter(void);

/* The usual policy with these lines. */
void way_policy(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct world_call way_call(const struct way *way, const struct way_gift *gift);
struct world_run *way_run(const struct way *way, const struct way_gift *gift);

/* What a plain process in the same situation is told by the kernel: 0 or an errno. */
int way_ask_kernel(const struct way *way, const struct way_gift *gift, int (*attempt)(const void *), const void *data);

void way_expect_app(const struct way *way, const struct world_run *run);

/* 125, nothing ran, the key by name, the stage, and a hint that has `cure`. */
void way_expect_refused(const struct way *way, const struct world_run *run, const char *key, const char *cure);

/* Exactly what the policy says where the kernel lets a plain process have it; else refused. Returns what it was. */
bool way_expect_key(const struct way *way, const struct way_gift *gift, const struct way_key *key);

/* --- the same in a container, after container_enter --- */

extern const struct way_entrance {
	struct way way;
	const char *user;
} way_entrances[WAY_ENTRANCES];

/* As by docker run --ulimit; nice and rtprio as everywhere, should this machine have others. */
#define WAY_ULIMITS                                                                                                    \
	", 'rlimits': [{'type': 'RLIMIT_NOFILE', 'soft': 1000, 'hard': 2000},"                                         \
	"{'type': 'RLIMIT_CORE', 'soft': 100, 'hard': 200},"                                                           \
	"{'type': 'RLIMIT_NICE', 'soft': 0, 'hard': 0},"                                                               \
	"{'type': 'RLIMIT_RTPRIO', 'soft': 0, 'hard': 0}]"

/* `process` and `mounts` as in struct container. */
struct world_run *way_run_in_container(const struct way_entrance *entrance, const char *lines, const char *process,
				       const char *mounts);

#endif
