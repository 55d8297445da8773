/* SPDX-License-Identifier: ISC */
/* Descriptors of a hostile caller: closed, opened, kept. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gifts.h"
#include "world.h"

TestSuite(inheritance, .timeout = 60);

struct descriptors {
	int closed;	 /* bit mask of 0-2 */
	int opened[8];	 /* 0 ends */
	int lower_limit; /* RLIMIT_NOFILE afterwards, 0: as it is */
};

static void give_descriptors(const void *data) {
	const struct descriptors *gift = data;

	for (int i = 0; i < 8 && gift->opened[i]; i++) {
		int fd = open("/etc/passwd", O_RDONLY);
		gift_need(fd >= 0, "open");
		if (fd == gift->opened[i])
			continue;
		gift_need(dup2(fd, gift->opened[i]) >= 0, "dup2");
		close(fd);
	}
	if (gift->lower_limit) {
		struct rlimit limit = {(rlim_t)gift->lower_limit, (rlim_t)gift->lower_limit};
		gift_need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
	}
	for (int fd = 0; fd < 3; fd++) {
		if (gift->closed & (1 << fd))
			close(fd);
	}
}

static int count_descriptors(const char *text) {
	int count = 0;

	for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		count += strncmp(line, "fd_", 3) == 0;
	return count;
}

/* Attack D5. */
Test(inheritance, closed_standard_descriptors_become_dev_null) {
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	world_app_policy("probe", "");
	for (int who = 0; who < 2; who++) {
		for (int closed = 0; closed < 8; closed++) {
			unlink("/srv/ra_app/out");
			struct descriptors gift = {.closed = closed};
			struct world_run *run = world_run(&(struct world_call){
				.who = callers[who],
				.program = WORLD_RUNAS,
				.argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE, "--to", "/srv/ra_app/out"),
				.as_caller = give_descriptors,
				.data = &gift});
			cr_assert(world_exited(run, 0), "closed %d: wait status %#x: %s", closed, (unsigned)run->status,
				  run->err);
			char *shown = world_read("/srv/ra_app/out");
			cr_assert(shown, "closed %d: no output", closed);
			cr_expect(count_descriptors(shown) == 3, "closed %d:\n%.300s", closed, shown);
			for (int fd = 0; fd < 3; fd++) {
				char key[8];
				snprintf(key, sizeof(key), "fd_%d", fd);
				const char *line = world_value_in(shown, key);
				cr_assert(line, "closed %d: %d is not open", closed, fd);
				bool is_null = strstr(line, "/dev/null") != NULL;
				cr_expect(is_null || (fd > 0 && !(closed & (1 << fd))), "closed %d: %d is %s", closed,
					  fd, line);
			}
			cr_expect(strcmp(world_value_in(shown, "ruid"), "4002") == 0);
		}
	}
}

/* Attack D5. */
Test(inheritance, refusals_with_closed_descriptors_write_into_no_file) {
	world_enter();
	for (int closed = 0; closed < 8; closed++) {
		struct descriptors gift = {.closed = closed};
		struct world_run *run =
			world_run(&(struct world_call){.who = &world_other,
						       .program = WORLD_RUNAS,
						       .argv = WORLD_LIST("runas-app", "missing", "--", WORLD_PROBE),
						       .as_caller = give_descriptors,
						       .data = &gift});
		cr_expect(world_exited(run, 125), "closed %d: wait status %#x", closed, (unsigned)run->status);
		cr_expect(run->out_length == 0);
	}
}

/* Attack D6. */
Test(inheritance, no_other_descriptor_arrives) {
	static const struct descriptors gifts[] = {{.opened = {3}},
						   {.opened = {9}},
						   {.opened = {1023}},
						   {.opened = {3, 4, 9, 31, 32, 1023}},
						   {.opened = {700, 1000}, .lower_limit = 64}};
	static const struct world_person *const callers[] = {&world_deploy, &world_root};

	world_enter();
	world_app_policy("probe", "limit_nofile = 64:64\n");
	for (int who = 0; who < 2; who++) {
		for (size_t i = 0; i < sizeof(gifts) / sizeof(gifts[0]); i++) {
			struct world_run *direct = world_probe_directly(callers[who], give_descriptors, &gifts[i]);
			cr_expect(count_descriptors(direct->out) > 3, "gift %zu does not reach a plain command", i);
			struct world_run *run = world_probe(callers[who], give_descriptors, &gifts[i]);
			world_expect_app(run);
			cr_expect(count_descriptors(run->out) == 3, "gift %zu arrived:\n%.500s", i, run->out);
		}
	}
}

Test(inheritance, descriptors_that_the_policy_keeps_arrive_if_they_were_open) {
	world_enter();
	world_app_policy("probe", "keep_fds = 5 7 31\n");
	struct descriptors gift = {.opened = {4, 5, 6, 31}};
	struct world_run *run = world_probe(&world_deploy, give_descriptors, &gift);
	world_expect_app(run);
	cr_expect(count_descriptors(run->out) == 5, "%.500s", run->out);
	for (int fd = 5; fd <= 31; fd += 26) {
		char key[8];
		snprintf(key, sizeof(key), "fd_%d", fd);
		const char *line = world_value(run, key);
		cr_assert(line, "%d was not kept", fd);
		cr_expect(strstr(line, "/etc/passwd") != NULL, "%d is %s", fd, line);
	}
	/* 3 and 7 are what our own opens would get. */
	world_app_policy("probe", "keep_fds = 3 4 5 6 7 8\n");
	run = world_probe(&world_deploy, NULL, NULL);
	world_expect_app(run);
	cr_expect(count_descriptors(run->out) == 3, "a descriptor of the launcher's own leaked:\n%.500s", run->out);
}
