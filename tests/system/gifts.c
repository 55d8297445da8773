/* SPDX-License-Identifier: ISC */
#include "gifts.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void gift_need(bool good, const char *what) {
	if (good)
		return;
	dprintf(2, "the test's gift %s: %s\n", what, strerror(errno));
	_exit(WORLD_CHILD_BROKE);
}

void gift_expect_not_to_arrive(const struct world_person *who, void (*gift)(const void *), const void *data,
			       const char *key, const char *expected) {
	struct world_run *direct = world_probe_directly(who, gift, data);
	const char *arrived = world_value(direct, key);

	cr_assert(arrived, "the probe shows no %s without runas-app: %s", key, direct->err);
	cr_expect(strcmp(arrived, expected) != 0, "the gift does not even reach a plain command: %s is %s", key,
		  arrived);

	struct world_run *run = world_probe(who, gift, data);
	world_expect_app(run);
	world_expect_value(run, key, expected);
}

void gift_write(const char *path, const char *text) {
	int fd = open(path, O_WRONLY);

	gift_need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

void gift_soft_limit(int resource, unsigned long long soft) {
	struct rlimit limit;

	gift_need(getrlimit((__rlimit_resource_t)resource, &limit) == 0, "getrlimit");
	limit.rlim_cur = soft;
	gift_need(setrlimit((__rlimit_resource_t)resource, &limit) == 0, "setrlimit");
}

void gift_ambient(int capability) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	gift_need(syscall(SYS_capget, &header, sets) == 0, "capget");
	sets[capability / 32].inheritable |= 1U << capability % 32;
	gift_need(syscall(SYS_capset, &header, sets) == 0, "capset");
	gift_need(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)capability, 0L, 0L) == 0, "ambient");
}
