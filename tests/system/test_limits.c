/* SPDX-License-Identifier: ISC */
/* The limits of a policy: exactly so, or refused by their names, in a container too. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../helpers/skip.h"
#include "container.h"
#include "ways.h"

TestSuite(limits, .timeout = 120);

#define LIMITS 16

static const struct limit {
	const char *name, *line; /* the line of /proc/PID/limits */
	uint64_t soft, hard;	 /* with which everything still runs, and to which anybody may lower */
} limits[LIMITS] = {
	{"cpu", "Max cpu time", 500, 1000},
	{"fsize", "Max file size", 1000000, 2000000},
	{"data", "Max data size", 400000000, 500000000},
	{"stack", "Max stack size", 1048576, 2097152},
	{"core", "Max core file size", 10, 20},
	{"rss", "Max resident set", 5, 6},
	{"nproc", "Max processes", 800, 900},
	{"nofile", "Max open files", 99, 100},
	{"memlock", "Max locked memory", 4096, 8192},
	{"as", "Max address space", 800000000, 900000000},
	{"locks", "Max file locks", 8, 9},
	{"sigpending", "Max pending signals", 7, 8},
	{"msgqueue", "Max msgqueue size", 6, 7},
	{"nice", "Max nice priority", 0, 0},
	{"rtprio", "Max realtime priority", 0, 0},
	{"rttime", "Max realtime timeout", 500000, 1000000},
};

static const char *number_of(uint64_t value, char into[24]) {
	if (value == UINT64_MAX)
		return "unlimited";
	snprintf(into, 24, "%llu", (unsigned long long)value);
	return into;
}

static const char *pair_of(const struct rlimit *limit) {
	static char pair[48];
	char soft[24], hard[24];

	snprintf(pair, sizeof(pair), "%s:%s", number_of(limit->rlim_cur, soft), number_of(limit->rlim_max, hard));
	return pair;
}

struct wish {
	int resource;
	struct rlimit limit;
};

static int try_limit(const void *data) {
	const struct wish *wish = data;

	return setrlimit((__rlimit_resource_t)wish->resource, &wish->limit);
}

/* As the probe reads it of itself, and as the kernel shows it to us. */
static void expect_limits(const struct way *way, const struct rlimit wanted[LIMITS]) {
	static const char *const argv[] = {"runas-app", "probe", "--", WORLD_PROBE, "--sleep", NULL};
	const struct way_gift nothing = {0};
	struct world_call call = way_call(way, &nothing);
	char path[64], key[32], soft[24], hard[24], line[128];

	call.argv = argv;
	struct world_run *run = world_start(&call);
	world_collect(run, "end: yes\n", 10);
	snprintf(path, sizeof(path), "/proc/%ld/limits", (long)run->pid);
	char *shown = world_read(path);
	cr_assert(shown, "%s: %s", path, strerror(errno));
	way_expect_app(way, run);
	for (int i = 0; i < LIMITS; i++) {
		snprintf(key, sizeof(key), "rlimit_%s", limits[i].name);
		world_expect_value(run, key, pair_of(&wanted[i]));
		snprintf(line, sizeof(line), "%-25s %-20s %-20s ", limits[i].line, number_of(wanted[i].rlim_cur, soft),
			 number_of(wanted[i].rlim_max, hard));
		cr_expect(strstr(shown, line), "%s: no `%s` in\n%s", way->name, line, shown);
	}
	kill(run->pid, SIGKILL);
	world_wait(run, 10);
	free(shown);
}

static void set_limits(const struct rlimit wanted[LIMITS], bool has_pairs) {
	char lines[2048];
	size_t length = 0;

	for (int i = 0; i < LIMITS; i++) {
		char number[24];
		length += (size_t)snprintf(lines + length, sizeof(lines) - length, "limit_%s = %s\n", limits[i].name,
					   has_pairs ? pair_of(&wanted[i]) : number_of(wanted[i].rlim_cur, number));
	}
	way_policy("%s", lines);
}

/* What everybody may have: nice and rtprio 0, where this machine's root may not raise them. */
static struct rlimit allowed_or(int resource, struct rlimit wanted, struct rlimit otherwise) {
	const struct way_gift nothing = {0};
	const struct wish wish = {resource, wanted};

	return way_ask_kernel(&ways[2], &nothing, try_limit, &wish) == 0 ? wanted : otherwise;
}

Test(limits, every_one_reaches_the_app_exactly) {
	struct rlimit pairs[LIMITS], numbers[LIMITS], most[LIMITS], floor[LIMITS];

	way_enter();
	for (int i = 0; i < LIMITS; i++) {
		struct rlimit now = {1, 0};

		cr_assert(getrlimit((__rlimit_resource_t)i, &now) == 0);
		pairs[i] = allowed_or(i, (struct rlimit){limits[i].soft, limits[i].hard},
				      (struct rlimit){now.rlim_cur, now.rlim_max});
		numbers[i] = (struct rlimit){pairs[i].rlim_max, pairs[i].rlim_max};
		/* As much as there is: for most of them that is no limit at all. */
		most[i] = (struct rlimit){now.rlim_max, now.rlim_max};
		/* A soft limit of nothing under a hard one that stays, where a process can live with it. */
		floor[i] = (struct rlimit){i == RLIMIT_CORE || i == RLIMIT_MEMLOCK || i == RLIMIT_MSGQUEUE ||
							   i == RLIMIT_RSS || i == RLIMIT_LOCKS || i == RLIMIT_NICE ||
							   i == RLIMIT_RTPRIO
						   ? 0
						   : pairs[i].rlim_cur,
					   now.rlim_max};
	}
	for (size_t w = 0; w < COUNT(ways); w++) {
		set_limits(pairs, true);
		expect_limits(&ways[w], pairs);
		set_limits(numbers, false);
		expect_limits(&ways[w], numbers);
		set_limits(most, false);
		expect_limits(&ways[w], most);
		set_limits(floor, true);
		expect_limits(&ways[w], floor);
	}
}

static bool expect_wish(const struct way *way, const struct way_gift *gift, int resource, struct rlimit wanted) {
	const struct wish wish = {resource, wanted};
	char shown[32];

	snprintf(shown, sizeof(shown), "rlimit_%s", limits[resource].name);
	return way_expect_key(way, gift,
			      &(struct way_key){.name = shown + strlen("r"),
						.value = pair_of(&wanted),
						.shown = shown,
						.attempt = try_limit,
						.data = &wish,
						.cure = "CAP_SYS_RESOURCE"});
}

Test(limits, a_hard_limit_is_raised_or_refused_by_name) {
	int raised = 0;

	way_enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		for (int i = 0; i < LIMITS; i++) {
			struct rlimit low = {limits[i].soft, limits[i].hard}, now = {1, 0};

			cr_assert(getrlimit((__rlimit_resource_t)i, &now) == 0);
			if (low.rlim_max > now.rlim_max)
				low = now;
			const struct way_gift rich = {.resource = i, .limit = &low};
			const struct way_gift poor = {.is_poor = true, .resource = i, .limit = &low};
			const struct rlimit one_more = {low.rlim_cur, low.rlim_max + 1};
			const struct rlimit all = {low.rlim_cur, UINT64_MAX};
			const struct rlimit same = {low.rlim_max, low.rlim_max};

			cr_expect(!expect_wish(&ways[w], &poor, i, one_more));
			cr_expect(!expect_wish(&ways[w], &poor, i, all));
			/* A soft limit goes up to the hard one without any capability. */
			cr_expect(expect_wish(&ways[w], &poor, i, same));
			raised += expect_wish(&ways[w], &rich, i, one_more);
		}
	}
	cr_expect(raised == 0 || raised == 2 * LIMITS, "root raised %d of its limits", raised);
	if (raised == 0)
		NOT_SHOWN("a hard limit that is raised. This machine's root lacks CAP_SYS_RESOURCE");
}

Test(limits, more_open_files_than_the_kernel_gives_anybody_are_refused) {
	way_enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		way_policy("limit_nofile = unlimited\n");
		way_expect_refused(&ways[w], way_run(&ways[w], &(struct way_gift){0}), "limit_nofile", "hard limit");
	}
}

/* A caller who lowers its own hard limits must not make an app run with less than its policy says. */
/* Attack D4. */
Test(limits, a_caller_cannot_lower_what_the_policy_names) {
	static const struct rlimit low = {50, 60};
	const struct way_gift poor = {.is_poor = true, .resource = RLIMIT_NOFILE, .limit = &low};

	way_enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		cr_expect(!expect_wish(&ways[w], &poor, RLIMIT_NOFILE, (struct rlimit){64, 128}));
		cr_expect(!expect_wish(&ways[w], &poor, RLIMIT_NOFILE, (struct rlimit){50, 61}));
		cr_expect(expect_wish(&ways[w], &poor, RLIMIT_NOFILE, (struct rlimit){60, 60}));
		cr_expect(expect_wish(&ways[w], &poor, RLIMIT_NOFILE, (struct rlimit){20, 40}));
	}
}

/* --- the same in a container --- */

Test(limits, container_limits_are_exact_or_refused) {
	static const struct {
		const char *line, *key, *value; /* no value: refused */
	} cases[] = {
		{"", "nofile", "1000:2000"},
		{"", "core", "100:200"},
		{"limit_nofile = 500:900\n", "nofile", "500:900"},
		{"limit_nofile = 2000\n", "nofile", "2000:2000"},
		{"limit_nofile = 1000:2001\n", "nofile", NULL},
		{"limit_nofile = 65536\n", "nofile", NULL},
		{"limit_core = unlimited\n", "core", NULL},
		{"limit_core = 0\n", "core", "0:0"},
		{"limit_rtprio = 99\n", "rtprio", NULL},
		{"limit_nice = 1\n", "nice", NULL},
		{"limit_cpu = 100:200\n", "cpu", "100:200"},
	};

	container_enter();
	for (size_t e = 0; e < COUNT(way_entrances); e++) {
		for (size_t i = 0; i < COUNT(cases); i++) {
			struct world_run *run =
				way_run_in_container(&way_entrances[e], cases[i].line, WAY_ULIMITS, NULL);
			char key[32];

			snprintf(key, sizeof(key), "%slimit_%s", cases[i].value ? "r" : "", cases[i].key);
			if (!cases[i].value) {
				way_expect_refused(&way_entrances[e].way, run, key, "CAP_SYS_RESOURCE");
				continue;
			}
			way_expect_app(&way_entrances[e].way, run);
			world_expect_value(run, key, cases[i].value);
		}
	}
}
