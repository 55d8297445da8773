/* SPDX-License-Identifier: ISC */
/* keep_fds names the caller's descriptors and never one that the launcher opened, whatever goes wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gifts.h"
#include "world.h"

TestSuite(keep_fds, .timeout = 300);

#define PROBE WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE, "--fds-only", "--to", "/srv/ra_app/out")
/* All that the launcher may open, secrets and a site's filter with it, and every number that it may get. */
#define KEEPS                                                                                                          \
	"env_file = /etc/runas-app/secrets.env\nsyscalls = mine\nlog = none\n"                                         \
	"keep_fds = 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31\n"

struct gift {
	unsigned closed, given; /* bit masks */
	int limit;		/* RLIMIT_NOFILE, 0: as it is */
	int liar, answer;	/* a system call that does nothing, for root */
};

static void lie(int number, int answer) {
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
				     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
				     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)answer),
				     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {4, code};
	gift_need(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "filter");
}

static void give(const void *data) {
	const struct gift *g = data;
	int fd = open("/etc/group", O_RDONLY);

	gift_need(fd >= 0 && dup2(fd, 30) == 30, "open");
	for (fd = 3; fd <= 12; fd++)
		if ((g->given >> fd & 1) != 0)
			gift_need(dup2(30, fd) == fd, "dup2");
		else
			close(fd);
	close(30);
	for (fd = 0; fd <= 2; fd++)
		if ((g->closed >> fd & 1) != 0)
			close(fd);
	if (g->limit)
		gift_soft_limit(RLIMIT_NOFILE, (unsigned long long)g->limit);
	if (g->liar >= 0)
		lie(g->liar, g->answer);
}

static void set_up(void) {
	char program[256];

	world_enter();
	world_directory("/etc/runas-app/profiles", 0, 0, 0755);
	world_file("/etc/runas-app/profiles/mine.profile", 0, 0, 0644, "runas-profile = 1\ninclude = @app-server\n");
	world_file("/etc/runas-app/secrets.env", 0, 0, 0600, "SECRET=1\n");
	world_app_policy("probe", KEEPS);
	snprintf(program, sizeof(program), "%s", world_built("runas-policy"));
	const struct world_run *run =
		world_run(&(struct world_call){.who = &world_root, .argv = WORLD_LIST(program, "compile", "mine")});
	cr_assert(world_exited(run, 0), "%s", run->err);
}

#define NOT_RUN 1u

/* What of 3.. the app has; NOT_RUN, which no descriptor from 3 makes. */
static unsigned arrived(const struct world_person *who, const struct gift *gift, const char **ret) {
	unsigned mask = 0;

	unlink("/srv/ra_app/out");
	const struct world_run *run = world_run(&(struct world_call){
		.who = who, .program = WORLD_RUNAS, .argv = PROBE, .as_caller = give, .data = gift});
	char *shown = world_read("/srv/ra_app/out");
	*ret = shown != NULL ? shown : run->err;
	if (shown == NULL || !world_exited(run, 0))
		return NOT_RUN;
	for (const char *at = shown; (at = strstr(at, "fd_")) != NULL; at++) {
		const int fd = atoi(at + 3);
		mask |= fd > 2 ? 1u << fd : 0;
	}
	return mask;
}

Test(keep_fds, what_the_caller_has_arrives_and_nothing_else) {
	static const unsigned given[] = {0, 1u << 3, 1u << 8, 1u << 4 | 1u << 9, 0x1f8, 0x150}, closed[] = {0, 1, 4, 7};
	static const struct world_person *const callers[] = {&world_deploy, &world_root};
	static const int limits[] = {0, 40, 24, 16};

	set_up();
	for (size_t i = 0; i < 2 * 4 * 4 * 6; i++) {
		const struct gift gift = {
			.closed = closed[i / 2 % 4], .limit = limits[i / 8 % 4], .given = given[i / 32], .liar = -1};
		const char *why = "";
		const unsigned got = arrived(callers[i % 2], &gift, &why);
		cr_expect(got == gift.given, "caller %zu, closed %x, limit %d, given %x: %x\n%s", i % 2, gift.closed,
			  gift.limit, gift.given, got, why);
	}
}

/* Attack D6. */
Test(keep_fds, nothing_of_ours_passes_for_the_callers_when_closing_is_a_lie) {
	static const int calls[] = {SYS_close, SYS_close_range, SYS_fcntl};
	static const int answers[] = {0, EIO, EBADF, EINTR};

	set_up();
	for (size_t i = 0; i < 3 * 4; i++) {
		const struct gift gift = {.liar = calls[i % 3], .answer = answers[i / 3]};
		const char *why = "";
		const unsigned got = arrived(&world_root, &gift, &why);
		cr_expect(got == NOT_RUN || got == 0, "call %d answers %d: the app has %x\n%s", gift.liar, gift.answer,
			  got, why);
	}
}
