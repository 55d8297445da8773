/* SPDX-License-Identifier: ISC */
/* nice and oom_score_adj of a policy: exactly so, or refused with what is missing, in a container too. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "container.h"
#include "ways.h"

TestSuite(limits, .timeout = 120);

/* --- nice --- */

static int try_nice(const void *data) { return setpriority(PRIO_PROCESS, 0, *(const int *)data); }

static bool expect_number(const struct way *way, const struct way_gift *gift, struct way_key key, int wanted) {
	char number[16];

	snprintf(number, sizeof(number), "%d", wanted);
	key.shown = key.name;
	key.value = number;
	key.data = &wanted;
	return way_expect_key(way, gift, &key);
}

static bool expect_nice(const struct way *way, const struct way_gift *gift, int wanted) {
	return expect_number(way, gift, (struct way_key){.name = "nice", .attempt = try_nice, .cure = "CAP_SYS_NICE"},
			     wanted);
}

Test(limits, nice_is_exact_or_refused) {
	static const struct way_gift rich = {0}, poor = {.is_poor = true}, lazy = {.is_poor = true, .nice = 10};
	/* The kernel's own way to allow it without a capability: getrlimit(2), 20 - nice. */
	static const struct rlimit none = {0, 0};
	static const struct way_gift bound = {.is_poor = true, .resource = RLIMIT_NICE, .limit = &none};
	bool lowered = false;

	way_enter();
	for (size_t w = 0; w < COUNT(ways); w++) {
		cr_expect(expect_nice(&ways[w], &poor, 0));
		cr_expect(expect_nice(&ways[w], &poor, 7));
		cr_expect(expect_nice(&ways[w], &poor, 19));
		cr_expect(expect_nice(&ways[w], &lazy, 10));
		cr_expect(expect_nice(&ways[w], &lazy, 11));
		expect_nice(&ways[w], &poor, -1);
		expect_nice(&ways[w], &lazy, 9);
		cr_expect(!expect_nice(&ways[w], &bound, -1));
		cr_expect(!expect_nice(&ways[w], &bound, -20));
		lowered = expect_nice(&ways[w], &rich, -20) || lowered;
		expect_nice(&ways[w], &rich, -1);
	}
	if (!lowered)
		NOT_SHOWN("nice that is lowered. This machine's root lacks CAP_SYS_NICE");
}

/* Nobody named it, and yet a deployer's nice is to be undone; what root and the app's own user chose is theirs. */
Test(limits, a_callers_nice_that_cannot_be_undone_is_refused) {
	static const struct rlimit none = {0, 0};
	const struct way_gift lazy = {.is_poor = true, .nice = 10, .resource = RLIMIT_NICE, .limit = &none};

	way_enter();
	way_policy("%s", "");
	way_expect_refused(&ways[1], way_run(&ways[1], &lazy), "nice", "CAP_SYS_NICE");
	for (size_t w = 0; w < COUNT(ways); w += 2) {
		struct world_run *run = way_run(&ways[w], &lazy);
		way_expect_app(&ways[w], run);
		world_expect_value(run, "nice", "10");
	}
}

/* --- oom_score_adj --- */

static int try_oom(const void *data) {
	char text[16];
	const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	const int length = snprintf(text, sizeof(text), "%d", *(const int *)data);

	return fd >= 0 && write(fd, text, (size_t)length) == length ? 0 : -1;
}

static int read_oom(void) {
	char *text = world_read("/proc/self/oom_score_adj");

	cr_assert(text, "/proc/self/oom_score_adj");
	const int now = atoi(text);
	free(text);
	return now;
}

static bool expect_oom(const struct way *way, const struct way_gift *gift, int wanted) {
	return expect_number(way, gift,
			     (struct way_key){.name = "oom_score_adj", .attempt = try_oom, .cure = "CAP_SYS_RESOURCE"},
			     wanted);
}

Test(limits, oom_score_adj_is_exact_or_refused) {
	static const struct way_gift rich = {0}, poor = {.is_poor = true};
	bool lowered = false;

	way_enter();
	const int now = read_oom();
	for (size_t w = 0; w < 2; w++) {
		cr_expect(expect_oom(&ways[w], &poor, now));
		cr_expect(expect_oom(&ways[w], &poor, 1000));
		expect_oom(&ways[w], &poor, now > -1000 ? now - 1 : now);
		expect_oom(&ways[w], &poor, -1000);
		lowered = expect_oom(&ways[w], &rich, -1000) || lowered;
		cr_expect(expect_oom(&ways[w], &(struct way_gift){.is_poor = true, .oom = "700"}, 800));
		expect_oom(&ways[w], &(struct way_gift){.oom = "700"}, 300);
	}
	if (!lowered)
		NOT_SHOWN("an oom score that is lowered. This machine's root lacks CAP_SYS_RESOURCE");
}

/* Hidden from its own user, the launcher's /proc files are root's: what is there already is enough, all else is not. */
Test(limits, the_app_user_without_root_cannot_set_its_oom_score) {
	const struct way *const app = &ways[2];
	const struct way_gift scored = {.oom = "700"};

	way_enter();
	way_policy("oom_score_adj = 700\n");
	struct world_run *run = way_run(app, &scored);
	way_expect_app(app, run);
	world_expect_value(run, "oom_score_adj", "700");
	for (int wanted = 699; wanted <= 701; wanted += 2) {
		way_policy("oom_score_adj = %d\n", wanted);
		way_expect_refused(app, way_run(app, &scored), "oom_score_adj", "root");
	}
	way_policy("%s", "");
	run = way_run(app, &scored);
	way_expect_app(app, run);
	world_expect_value(run, "oom_score_adj", "700");
}

Test(limits, without_proc_an_oom_score_cannot_be_shown_and_is_refused) {
	const struct way_gift blind = {.has_no_proc = true};
	char line[64];

	way_enter();
	snprintf(line, sizeof(line), "oom_score_adj = %d\n", read_oom());
	for (size_t w = 0; w < COUNT(ways); w += 2) {
		way_policy("%s", line);
		way_expect_refused(&ways[w], way_run(&ways[w], &blind), "oom_score_adj", "/proc");
	}
	/* Nothing to set, nothing to show: no /proc is needed then. */
	way_policy("limit_nofile = 64\nnice = 3\n");
	for (size_t w = 0; w < COUNT(ways); w += 2) {
		struct world_run *run = way_run(&ways[w], &blind);
		way_expect_app(&ways[w], run);
		world_expect_value(run, "oom_score_adj", "-");
		world_expect_value(run, "rlimit_nofile", "64:64");
		world_expect_value(run, "nice", "3");
	}
	/* What a deployer may have set has to be put back, and cannot be. */
	way_expect_refused(&ways[1], way_run(&ways[1], &blind), "/proc/self/", "");
	way_policy("%s", line);
	way_expect_refused(&ways[1], way_run(&ways[1], &blind), "/proc/self/", "");
}

/* --- the same in a container --- */

Test(limits, container_nice_is_exact_or_refused) {
	container_enter();
	for (size_t e = 0; e < COUNT(way_entrances); e++) {
		way_expect_refused(&way_entrances[e].way,
				   way_run_in_container(&way_entrances[e], "nice = -5\n", WAY_ULIMITS, NULL), "nice",
				   "CAP_SYS_NICE");
		struct world_run *run = way_run_in_container(&way_entrances[e], "nice = 5\n", NULL, NULL);
		way_expect_app(&way_entrances[e].way, run);
		world_expect_value(run, "nice", "5");
	}
}

Test(limits, container_oom_score_is_exact_or_refused) {
	static const struct way_gift poor = {.is_poor = true};
	static const int lower = -900;

	container_enter();
	/* runc sets it before anything is dropped, as Kubernetes has it for a pod of the lowest class. */
	static const char lowest_class[] = ", 'oomScoreAdj': 1000";
	for (size_t e = 0; e < COUNT(way_entrances); e++) {
		const struct way *const way = &way_entrances[e].way;

		struct world_run *run = way_run_in_container(&way_entrances[e], "", lowest_class, NULL);
		way_expect_app(way, run);
		world_expect_value(run, "oom_score_adj", "1000");
		run = way_run_in_container(&way_entrances[e], "oom_score_adj = 1000\n", lowest_class, NULL);
		way_expect_app(way, run);
		world_expect_value(run, "oom_score_adj", "1000");
		run = way_run_in_container(&way_entrances[e], "oom_score_adj = -900\n", NULL, NULL);
		if (!way->has_root || way_ask_kernel(way, &poor, try_oom, &lower) != 0)
			way_expect_refused(way, run, "oom_score_adj", "CAP_SYS_RESOURCE");
		else
			way_expect_app(way, run);
		run = way_run_in_container(&way_entrances[e], "oom_score_adj = 900\n", NULL, NULL);
		if (way->has_root) {
			way_expect_app(way, run);
			world_expect_value(run, "oom_score_adj", "900");
		} else {
			way_expect_refused(way, run, "oom_score_adj", "where the container is started");
		}
	}
}
