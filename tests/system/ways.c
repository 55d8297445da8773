/* SPDX-License-Identifier: ISC */
#include "ways.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container.h"
#include "gifts.h"

#define PLAIN "/usr/local/bin/runas-plain"

static void become_poor(void) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];
	const uint32_t both = 1U << CAP_SYS_RESOURCE | 1U << CAP_SYS_NICE;

	gift_need(prctl(PR_CAPBSET_DROP, (unsigned long)CAP_SYS_RESOURCE, 0L, 0L, 0L) == 0 &&
			  prctl(PR_CAPBSET_DROP, (unsigned long)CAP_SYS_NICE, 0L, 0L, 0L) == 0,
		  "bounding set");
	gift_need(syscall(SYS_capget, &header, sets) == 0, "capget");
	sets[0].effective &= ~both;
	sets[0].permitted &= ~both;
	sets[0].inheritable &= ~both;
	gift_need(syscall(SYS_capset, &header, sets) == 0, "capset");
}

static void give(const void *data) {
	const struct way_gift *gift = data;

	if (gift->limit)
		gift_need(setrlimit((__rlimit_resource_t)gift->resource, gift->limit) == 0, "limit");
	if (gift->nice)
		gift_need(setpriority(PRIO_PROCESS, 0, gift->nice) == 0, "nice");
	if (gift->oom)
		gift_write("/proc/self/oom_score_adj", gift->oom);
	if (gift->has_no_proc)
		gift_need(unshare(CLONE_NEWNS) == 0 && mount("none", "/proc", "tmpfs", 0, "mode=0755") == 0,
			  "no /proc");
	if (gift->is_poor)
		become_poor();
}

const struct way ways[WAYS] = {
	{"root", &world_root, WORLD_RUNAS, true},
	{"deploy, through the setuid bit", &world_deploy, WORLD_RUNAS, true},
	{"the app's user, without root", &world_app, PLAIN, false},
};

struct world_call way_call(const struct way *way, const struct way_gift *gift) {
	static const char *const argv[] = {"runas-app", "probe", "--", WORLD_PROBE, NULL};

	return (struct world_call){
		.who = way->who, .program = way->program, .argv = argv, .as_root = give, .data = gift};
}

struct world_run *way_run(const struct way *way, const struct way_gift *gift) {
	const struct world_call call = way_call(way, gift);

	return world_run(&call);
}

void way_enter(void) {
	world_enter();
	world_copy(WORLD_RUNAS, PLAIN, 0755);
}

void way_policy(const char *format, ...) {
	char lines[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(lines, sizeof(lines), format, arguments);
	va_end(arguments);
	world_app_policy("probe", lines);
}

int way_ask_kernel(const struct way *way, const struct way_gift *gift, int (*attempt)(const void *), const void *data) {
	int status = 0;
	const pid_t pid = fork();

	cr_assert(pid >= 0);
	if (pid == 0) {
		give(gift);
		if (!way->has_root) {
			gift_need(syscall(SYS_setresgid, WORLD_APP, WORLD_APP, WORLD_APP) == 0 &&
					  syscall(SYS_setresuid, WORLD_APP, WORLD_APP, WORLD_APP) == 0,
				  "become the app's user");
			prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);
		}
		errno = 0;
		_exit(attempt(data) == 0 ? 0 : errno);
	}
	cr_assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) != WORLD_CHILD_BROKE,
		  "the kernel was not asked: status %#x", (unsigned)status);
	return WEXITSTATUS(status);
}

void way_expect_app(const struct way *way, const struct world_run *run) {
	world_expect_confined(run, WORLD_APP, WORLD_APP, "4002", way->has_root);
}

void way_expect_refused(const struct way *way, const struct world_run *run, const char *key, const char *cure) {
	const char *hint = strstr(run->err, "\nhint: ");

	world_expect_refused(run, 125, key);
	cr_expect(strstr(run->err, "[restore]") != NULL, "%s: %s", way->name, run->err);
	cr_expect(hint && strstr(hint, cure), "%s: no hint with %s: %s", way->name, cure, run->err);
	cr_expect(hint && strstr(run->err, key) < hint, "%s: %s is not in the message itself: %s", way->name, key,
		  run->err);
}

bool way_expect_key(const struct way *way, const struct way_gift *gift, const struct way_key *key) {
	const int answer = way_ask_kernel(way, gift, key->attempt, key->data);

	cr_assert(answer == 0 || answer == EPERM || answer == EACCES, "%s: %s", key->name, strerror(answer));
	way_policy("%s = %s\n", key->name, key->value);
	struct world_run *run = way_run(way, gift);
	if (answer != 0) {
		way_expect_refused(way, run, key->name, key->cure);
		return false;
	}
	way_expect_app(way, run);
	world_expect_value(run, key->shown, key->value);
	return true;
}

/* --- the same in a container --- */

#define IMAGE_POLICY "runas-app = 1\nuser = ra_app\ncommand = /usr/local/bin/probe *\n"

const struct way_entrance way_entrances[WAY_ENTRANCES] = {
	{{"root of a container", &world_root, NULL, true}, CONTAINER_AS_ROOT},
	{{"the app's user in a container", &world_app, NULL, false}, CONTAINER_AS_APP ", 'additionalGids': [4002]"},
};

struct world_run *way_run_in_container(const struct way_entrance *e, const char *lines, const char *process,
				       const char *mounts) {
	char text[1024];

	snprintf(text, sizeof(text), IMAGE_POLICY "%s", lines);
	container_policy("app", text);
	return container_run(&(struct container){.user = e->user,
						 .capabilities = CONTAINER_FOURTEEN,
						 .is_root = e->way.has_root,
						 .app = "app",
						 .process = process,
						 .mounts = mounts});
}
