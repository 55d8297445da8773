/* SPDX-License-Identifier: ISC */
/* `write`, `tmp` and `write_enforce`: the paths and the rights, on every kernel. */
#include "tests/policy/launch.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdio.h>

TestSuite(plan, .timeout = 20);

#define RIGHT_REFER (UINT64_C(1) << 13)	   /* LANDLOCK_ACCESS_FS_REFER: ABI 2 */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14) /* LANDLOCK_ACCESS_FS_TRUNCATE: ABI 3 */

static const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
				LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
				LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
				LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | RIGHT_REFER;

static struct launch with_abi(const char *lines, int abi) {
	struct launch l = by_deploy(lines);

	l.given.landlock_abi = abi;
	return l;
}

/* Reading and executing are nobody's business here, and a right that the kernel does not know is EINVAL. */
static uint64_t rights_of(int abi) { return abi < 2 ? 0 : abi == 2 ? writing : writing | RIGHT_TRUNCATE; }

Test(plan, the_write_rights_of_every_abi) {
	static const int abis[] = {-ENOSYS, -EOPNOTSUPP, -EPERM, -EINVAL, -1000000, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1000};

	for (size_t i = 0; i < COUNT(abis); i++) {
		struct launch l = with_abi("write = /w\nwrite_enforce = best-effort\n", abis[i]);

		cr_assert(build(&l), "%d", abis[i]);
		cr_expect(l.plan->write_rights == rights_of(abis[i]), "ABI %d: %llx", abis[i],
			  (unsigned long long)l.plan->write_rights);
	}
}

Test(plan, write_enforce_on_every_kernel) {
	static const int abis[] = {-ENOSYS, -EOPNOTSUPP, -EPERM, 0, 1, 2, 3, 7, 9};
	static const struct {
		const char *lines;
		int least; /* the oldest ABI that is enough */
	} cases[] = {
		{"write = /w\n", 2},
		{"tmp = /w\n", 2},
		{"write = /w\nwrite_enforce = required\n", 2},
		{"tmp = /w\nwrite_enforce = strict\n", 3},
		{"write_enforce = strict\nwrite = /w\n", 3},
		{"write = /w\nwrite_enforce = best-effort\n", -1000},
		{"write_enforce = best-effort\ntmp = /w\n", -1000},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t k = 0; k < COUNT(abis); k++) {
			const int abi = abis[k];
			struct launch l = with_abi(cases[i].lines, abi);
			const bool is_good = build(&l);

			cr_assert(is_good == (abi >= cases[i].least), "%s ABI %d", cases[i].lines, abi);
			if (!is_good) {
				cr_expect(strcmp(l.why.word, "landlock") == 0 && l.why.status == PROBLEM_SELF, "%s",
					  l.why.word);
				cr_expect(l.why.line >= 3 && l.why.hint != NULL);
				cr_expect(l.why.error == (abi < 0 ? -abi : 0), "errno %d", l.why.error);
				continue;
			}
			cr_expect(l.plan->write_rights == rights_of(abi), "%s ABI %d", cases[i].lines, abi);
			cr_expect(l.plan->landlock_abi == (abi < 2 ? 0 : abi), "%s ABI %d: logged as %d",
				  cases[i].lines, abi, l.plan->landlock_abi);
			cr_expect(l.plan->write_count == 1 && strcmp(l.plan->writes[0], "/w") == 0);
		}
}

/* Without a list no kernel is too old, and the log has nothing to say. */
Test(plan, without_write_or_tmp_nothing_is_limited) {
	for (int abi = -100; abi <= 9; abi++) {
		const struct launch_plan *plan = built(with_abi("", abi));

		cr_expect(plan->write_rights == 0 && plan->write_count == 0 && plan->landlock_abi == -1, "ABI %d", abi);
	}
}

/* What is missing where, and how it is mended there. */
Test(plan, the_kernels_without_landlock_are_told_apart) {
	static const struct {
		int abi;
		const char *what, *hint;
	} cases[] = {
		{-ENOSYS, "this kernel has no Landlock", "Linux 5.19"},
		{-EOPNOTSUPP, "not switched on at boot", "lsm="},
		{-EPERM, "this kernel has no Landlock for us", "container's seccomp profile"},
		{0, "too old", "Linux 5.19"},
		{1, "too old", "best-effort"},
		{2, "too old", "6.2 for strict"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct launch l =
			with_abi("umask = 027\nwrite = /w\nwrite = /v\nwrite_enforce = strict\n", cases[i].abi);

		cr_assert(!build(&l), "ABI %d", cases[i].abi);
		cr_expect(strstr(l.why.what, cases[i].what) != NULL, "ABI %d: %s", cases[i].abi, l.why.what);
		cr_expect(strstr(l.why.hint, cases[i].hint) != NULL, "ABI %d: %s", cases[i].abi, l.why.hint);
		cr_expect(l.why.line == 4, "line %u: the first of the list", l.why.line);
		l.lines = "umask = 027\ntmp = /t\nwrite = /w\nwrite_enforce = strict\n";
		cr_expect(!build(&l) && l.why.line == 5, "line %u: write before tmp", l.why.line);
		l.lines = "umask = 027\ntmp = /t\nwrite_enforce = strict\n";
		cr_expect(!build(&l) && l.why.line == 4, "line %u", l.why.line);
	}
}

static void expect_writes(const struct launch_plan *plan, size_t count, const char *const *want) {
	cr_assert(plan->write_count == count, "%zu paths", plan->write_count);
	for (size_t i = 0; i < count; i++)
		cr_expect(strcmp(plan->writes[i], want[i]) == 0, "path %zu is %s, not %s", i, plan->writes[i], want[i]);
}

Test(plan, write_paths_in_the_policys_order_and_tmp_last) {
	static const char *const want[] = {"/b", "/a b", "/c,d", "/t"};

	expect_writes(built(with_abi("write = /b\ntmp = /t\nwrite = /a b\nwrite = /c,d\n", 7)), 4, want);
	expect_writes(built(with_abi("tmp = /t\n", 7)), 1, want + 3);
}

Test(plan, as_many_write_paths_as_a_policy_can_have) {
	struct text lines = given("tmp = /t\npath = /p:/q\n");
	char line[64], want[32];
	const struct launch_plan *plan;

	for (int i = 0; i < POLICY_MAX_WRITES - 1; i++) {
		snprintf(line, sizeof(line), "write = /w/%d\n", i);
		lines = given_joined(lines, given(line));
	}
	plan = built(with_abi(given_string(lines), 7));
	cr_assert(plan->write_count == POLICY_MAX_WRITES);
	for (int i = 0; i < POLICY_MAX_WRITES - 1; i++) {
		snprintf(want, sizeof(want), "/w/%d", i);
		cr_expect(strcmp(plan->writes[i], want) == 0, "%s", plan->writes[i]);
	}
	cr_expect(strcmp(plan->writes[POLICY_MAX_WRITES - 1], "/t") == 0);
	cr_expect(strcmp(plan->directory, "/srv/app") == 0 && strcmp(plan->paths[0], "/p/true") == 0);
}

/* All that 64 KiB of policy can say about paths fits beside what `path` makes of the longest command. */
Test(plan, the_longest_write_paths_fit) {
	const struct text most = given_joined(given_times("w", 3999), given("\n"));
	char start[16];
	struct text lines = given("");
	const struct launch_plan *plan;
	struct launch l;

	for (int i = 0; i < 15; i++) { /* each another, since one below another is refused */
		snprintf(start, sizeof(start), "write = /%c", 'a' + i);
		lines = given_joined(lines, given_joined(given(start), most));
	}
	lines = given_joined(lines, given("path = /a"));
	for (int i = 1; i < POLICY_MAX_CANDIDATES; i++)
		lines = given_joined(lines, given_joined(given(":/"), given_times("p", 200)));
	l = with_abi(given_string(given_joined(lines, given("\n"))), 7);
	l.command = (char *const[]){given_string(given_times("x", 4000)), NULL};
	plan = built(l);
	cr_expect(plan->write_count == 15 && strlen(plan->writes[14]) == 4001 &&
		  plan->path_count == POLICY_MAX_CANDIDATES);
}

Test(plan, tmp_is_tmpdir_and_wins_over_the_callers) {
	static char *const environment[] = {(char *)"TMPDIR=/evil", (char *)"A=1", NULL};
	struct launch l = with_abi("tmp = /srv/tmp\nenv_keep = * TMPDIR A\n", 7);

	l.caller.environment = environment;
	expect_variable(built(l), "TMPDIR", "/srv/tmp");
	expect_variable(built(l), "A", "1");
	l.caller.uid.value = 0;
	expect_variable(built(l), "TMPDIR", "/srv/tmp");
	l.lines = "write = /srv/tmp\nenv_keep = TMPDIR\n";
	expect_variable(built(l), "TMPDIR", "/evil");
	expect_variable(built(with_abi("write = /srv/tmp\n", 7)), "TMPDIR", NULL);
	l = by_root("tmp = /srv/tmp\nenv_file = /e\n");
	l.given.landlock_abi = 7;
	l.given.secrets = given("TMPDIR=/hunter2\n");
	expect_refused(l, "env-file", "");
	cr_expect(variable(built(with_abi("tmp = /t\nwrite_enforce = best-effort\n", -ENOSYS)), "TMPDIR") != NULL);
}
