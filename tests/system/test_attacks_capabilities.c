/* SPDX-License-Identifier: ISC */
/* The attack catalogue of SECURITY.md, part E: capabilities, namespaces, and filters that were there before. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "world.h"

TestSuite(attacks, .timeout = 120);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool load(unsigned short length, const struct sock_filter *code) {
	const struct sock_fprog program = {length, (struct sock_filter *)(uintptr_t)code};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static void silence(int number) {
	const struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
					   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
					   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
					   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

	if (!load(COUNT(code), code))
		_exit(WORLD_CHILD_BROKE);
}

/* --- E4: root of a namespace that answers 0 --- */

struct inside {
	const char *map; /* of user ids; NULL: none */
	const char *group_map;
	int silenced[8]; /* calls that answer 0; 0 ends */
};

static void write_file(const char *path, const char *text) {
	const int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(WORLD_CHILD_BROKE);
	close(fd);
}

/* The caller is root in there, and may load filters without no_new_privs. */
static void go_inside(const void *data) {
	const struct inside *inside = data;

	if (unshare(CLONE_NEWUSER) != 0)
		_exit(WORLD_NO_PROGRAM);
	if (inside->map) {
		write_file("/proc/self/setgroups", "deny");
		write_file("/proc/self/uid_map", inside->map);
		write_file("/proc/self/gid_map", inside->group_map);
	}
	for (int i = 0; inside->silenced[i]; i++)
		silence(inside->silenced[i]);
}

Test(attacks, e4_root_of_a_user_namespace_starts_nothing) {
	static const struct inside ways[] = {
		{NULL, NULL, {0}},
		{"0 4001 1", "0 4001 1", {0}},
		{"4001 4001 1", "4001 4001 1", {0}},
		{"4002 4001 1", "4002 4001 1", {0}},
		{"0 4001 1", "0 4001 1", {SYS_setgroups}},
		{"0 4001 1", "0 4001 1", {SYS_setgroups, SYS_setresgid, SYS_setresuid}},
		{"0 4001 1", "0 4001 1", {SYS_getresuid, SYS_getresgid, SYS_getgroups}},
		{"0 4001 1",
		 "0 4001 1",
		 {SYS_setgroups, SYS_setresgid, SYS_setresuid, SYS_getresuid, SYS_getresgid, SYS_getgroups, SYS_fstat}},
		{"4002 4001 1", "4002 4001 1", {SYS_fstat, SYS_setgroups, SYS_getgroups}}};

	world_enter();
	world_policy("probe", "runas-app = 1\nallow_users = deploy\nuser = ra_app\ndirectory = /\ncommand = *\n");
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct world_run *run = world_probe(&world_deploy, go_inside, &ways[i]);
		if (world_exited(run, WORLD_NO_PROGRAM))
			SKIP("user namespaces: not for unprivileged users on this machine");
		cr_expect(run->out_length == 0, "way %zu: it ran:\n%.600s", i, run->out);
		cr_expect(world_exited(run, 125) || world_exited(run, 126), "way %zu: status %#x: %s", i,
			  (unsigned)run->status, run->err);
	}
}

/* --- E7: as many filters as the kernel takes --- */

/* As many, the largest first, as `keep` says: each next one fills half of the room that is left. */
static void stack_filters(const void *data) {
	static struct sock_filter code[4096];
	int keep = *(const int *)data;

	for (size_t i = 0; i < COUNT(code); i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (unsigned short length = 4096; length > 0; length /= 2)
		while (keep > 0 && load(length, code))
			keep--;
}

Test(attacks, e7_stacked_filters_leave_room_for_ours_or_for_no_app) {
	int with_room = 0, without = 0;

	world_enter();
	world_app_policy("probe", "");
	for (int keep = 0; keep < 24; keep++) {
		struct world_run *run = world_probe(&world_root, stack_filters, &keep);
		if (world_value(run, "end")) {
			world_expect_app(run);
			cr_expect(without == 0, "%d filters leave more room than fewer", keep);
			with_room++;
			continue;
		}
		world_expect_refused(run, 125, "[filter]");
		without++;
	}
	cr_expect(with_room > 2 && without > 0, "room %d, none %d", with_room, without);
}

/* --- E1, E6: securebits and ambient capabilities, all of root's at once --- */

static void take_everything_along(const void *data) {
	struct {
		uint32_t version;
		int pid;
	} header = {0x20080522, 0};
	uint32_t sets[6];

	if (syscall(SYS_capget, &header, sets) != 0)
		_exit(WORLD_CHILD_BROKE);
	sets[2] = sets[1];
	sets[5] = sets[4];
	if (syscall(SYS_capset, &header, sets) != 0)
		_exit(WORLD_CHILD_BROKE);
	for (unsigned long i = 0; i < 64; i++)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0L, 0L);
	if (prctl(PR_SET_SECUREBITS, (unsigned long)*(const int *)data, 0L, 0L, 0L) != 0)
		_exit(WORLD_CHILD_BROKE);
}

/* Each combination of the eight bits that root can set, locks among them, with every capability inheritable and ambient. */
Test(attacks, e1_e6_no_securebits_and_no_ambient_capability_reach_the_app) {
	int ran = 0, refused = 0;

	world_enter();
	world_app_policy("probe", "");
	for (int bits = 0; bits < 256; bits++) {
		struct world_run *run = world_probe(&world_root, take_everything_along, &bits);
		cr_assert(!world_exited(run, WORLD_CHILD_BROKE));
		if (world_value(run, "end")) {
			world_expect_app(run);
			ran++;
		} else {
			cr_expect(run->out_length == 0 && world_exited(run, 125), "%#x: status %#x: %s%s",
				  (unsigned)bits, (unsigned)run->status, run->out, run->err);
			refused++;
		}
		world_log();
	}
	cr_expect(ran > 30 && refused > 30, "%d ran, %d were refused", ran, refused);
}
