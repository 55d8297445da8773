/* SPDX-License-Identifier: ISC */
/* The attack catalogue of SECURITY.md, part C: the environment and the loader. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recording.h"
#include "world.h"

TestSuite(attacks, .timeout = 60);

/* What loaders, C libraries, time zones, catalogues and terminals are told by; all of it names files. */
static void start_with_a_hostile_environment(void) {
	static const char *const hostile[] = {
		"TZ=/etc/shadow",
		"TZDIR=/tmp",
		"LANG=../../tmp/evil",
		"LC_ALL=/tmp/evil",
		"LANGUAGE=/tmp/evil",
		"LOCPATH=/tmp",
		"NLSPATH=/tmp/%N",
		"INPUTRC=/etc/shadow",
		"TERMINFO=/tmp",
		"TERMCAP=/etc/shadow",
		"HOSTALIASES=/etc/shadow",
		"RESOLV_HOST_CONF=/etc/shadow",
		"GCONV_PATH=/tmp",
		"LD_PRELOAD=/tmp/evil.so",
		"LD_LIBRARY_PATH=/tmp",
		"LD_AUDIT=/tmp/evil.so",
		"LD_DEBUG=all",
		"LD_DEBUG_OUTPUT=/tmp/debug",
		"MALLOC_TRACE=/tmp/trace",
		"GLIBC_TUNABLES=glibc.malloc.mxfast=glibc.malloc.mxfast=AAAAAAAAAAAAAAAAAAAAAAA",
		"LIBMOUNT_FORCE_MOUNT2=always",
		"LIBSECCOMP_LOG=1",
		"TMPDIR=/home/deploy",
		"HOME=/home/deploy",
		"XDG_CONFIG_HOME=/home/deploy",
		"XDG_RUNTIME_DIR=/home/deploy",
		"PATH=/home/deploy/bin",
		"MALLOC_CONF=stats_print:true",
		NULL};
	static const char *const argv[] = {"runas-app", "probe", "--", WORLD_PROBE, NULL};

	execve(WORLD_RUNAS, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)hostile);
	_exit(WORLD_NO_PROGRAM);
}

static void start_with_no_environment(void) {
	static const char *const argv[] = {"runas-app", "probe", "--", WORLD_PROBE, NULL};

	execve(WORLD_RUNAS, (char *const *)(uintptr_t)argv, (char *[]){NULL});
	_exit(WORLD_NO_PROGRAM);
}

/* Root asks the environment nothing, so that it does the same whatever stands there, call by call. */
Test(attacks, c2_c3_root_obeys_no_variable_CVE_2014_9680_CVE_2022_0563_CVE_2026_53614) {
	world_enter();
	world_app_policy("probe", "");
	world_file("/tmp/evil.so", 0, 0, 0755, "");
	const struct recording first =
		recording_make(&world_deploy, WORLD_LIST("runas-app"), start_with_no_environment);
	cr_assert(first.came_to_its_command);
	struct recorded_call *calls = calloc(first.count, sizeof(*calls));
	const size_t count = first.count;
	memcpy(calls, first.calls, count * sizeof(*calls));

	const struct recording second =
		recording_make(&world_deploy, WORLD_LIST("runas-app"), start_with_a_hostile_environment);
	cr_assert(second.came_to_its_command);
	cr_expect(second.count == count, "%zu calls, and %zu with a hostile environment", count, second.count);
	for (size_t i = 0; i < count && i < second.count; i++) {
		const struct recorded_call *now = &second.calls[i];
		cr_assert(calls[i].number == now->number && strcmp(calls[i].path, now->path) == 0,
			  "call %zu was %lu %s, and is %lu %s", i, (unsigned long)calls[i].number, calls[i].path,
			  (unsigned long)now->number, now->path);
	}
	cr_expect(access("/tmp/debug", F_OK) != 0 && access("/tmp/trace", F_OK) != 0);
	free(calls);
}
