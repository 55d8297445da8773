/* SPDX-License-Identifier: ISC */
/* `write`, `tmp` and `write_enforce`: what cannot be written outside of the list, what still can, and what refuses. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "world.h"

TestSuite(write, .timeout = 120);

#define ATTEMPT "/usr/local/bin/attempt"
#define PLAIN "/usr/local/bin/runas-plain"

#define IN "/srv/ra_app/in"    /* listed */
#define TMP "/srv/ra_app/tmp"  /* listed as tmp */
#define HOME_OUT "/srv/ra_app" /* the app's own home, not listed */
#define OPEN_OUT "/srv/open"   /* anybody may write there, not listed */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif

/* Everywhere the same things, all of them the app user's: where it is refused, it is not for want of permission. */
static void fill(const char *directory) {
	static const char *const files[] = {"file", "other",   "gone",	    "moved",	 "leaves",
					    "kept", "swapped", "ring-gone", "ring-moved"};
	char path[256];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		world_file(path, WORLD_APP, WORLD_APP, 0666, "text");
	}
	snprintf(path, sizeof(path), "%s/empty", directory);
	world_directory(path, WORLD_APP, WORLD_APP, 0755);
	snprintf(path, sizeof(path), "%s/sub", directory);
	world_directory(path, WORLD_APP, WORLD_APP, 0755);
}

/* As new for every launch: what one of them did is not the next one's state. */
static void lay_out(void) {
	umount2("/srv", MNT_DETACH);
	cr_assert(mount("runas-test", "/srv", "tmpfs", 0, "mode=0755") == 0, "%s", strerror(errno));
	world_directory(HOME_OUT, WORLD_APP, WORLD_APP, 0755);
	world_directory(IN, WORLD_APP, WORLD_APP, 0755);
	world_directory(TMP, WORLD_APP, WORLD_APP, 0755);
	world_directory(OPEN_OUT, 0, 0, 0777);
	fill(HOME_OUT);
	fill(IN);
	fill(OPEN_OUT);
}

static void enter(void) {
	if (world_landlock_abi() < 3)
		SKIP("Landlock is missing or older than Linux 6.2 (ABI 3)");
	world_enter();
	cr_assert(world_built("attempt") != NULL, "attempt is not built");
	world_copy(world_built("attempt"), ATTEMPT, 0755);
	world_copy(WORLD_RUNAS, PLAIN, 0755);
	/* As a container has it; the host's own may let nobody open its multiplexer there. */
	cr_assert(mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") ==
			  0,
		  "devpts: %s", strerror(errno));
	lay_out();
}

enum { MOST_DEEDS = 120 };

static const char *deeds[MOST_DEEDS + 8];
static size_t deed_count;

static void forget_deeds(void) { deed_count = 0; }

/* With every @ replaced by the place: remembered for the next launch, and returned. */
static const char *deed(const char *pattern, const char *place) {
	char text[512];
	size_t length = 0;

	for (const char *at = pattern; *at; at++) {
		cr_assert(length + strlen(place) + 2 < sizeof(text));
		if (*at == '@')
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s", place);
		else
			text[length++] = *at;
	}
	text[length] = '\0';
	cr_assert(deed_count < MOST_DEEDS);
	return deeds[deed_count++] = strdup(text);
}

struct way {
	const char *name, *program;
	const struct world_person *who;
};

static const struct way ways[] = {{"deploy", WORLD_RUNAS, &world_deploy},
				  {"root", WORLD_RUNAS, &world_root},
				  {"the app user, without root", PLAIN, &world_app}};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static struct world_run *launch_with(const struct way *way, const char *app, void (*as_caller)(const void *),
				     const void *data) {
	const char *argv[MOST_DEEDS + 8] = {"runas-app", app, "--", ATTEMPT};

	for (size_t i = 0; i < deed_count; i++)
		argv[4 + i] = deeds[i];
	return world_run(&(struct world_call){.who = way->who,
					      .program = way->program,
					      .argv = argv,
					      .as_caller = as_caller,
					      .data = data,
					      .seconds = 20});
}

static struct world_run *launch(const struct way *way, const char *app) { return launch_with(way, app, NULL, NULL); }

static void expect(const struct world_run *run, const struct way *way, const char *done, const char *answer) {
	const char *found = world_value(run, done);

	cr_expect(found && strcmp(found, answer) == 0, "%s: %s is `%s`, not `%s`; stderr: %s", way->name, done,
		  found ? found : "missing", answer, run->err);
}

/* In this order, so that none needs what an earlier one may have been refused. */
static const char *const writing[] = {
	"write:@/file",
	"append:@/file",
	"empty:@/file",
	"empty-read:@/file",
	"truncate:@/file",
	"create:@/new",
	"tmpfile:@",
	"mkdir:@/newdir",
	"rmdir:@/empty",
	"mkfifo:@/fifo",
	"mknod:@/node",
	"mkdevice:@/device",
	"symlink:@/link",
	"link:@/file:@/file2",
	"rename:@/moved:@/moved2",
	"rename:@/kept:@/sub/kept",
	"exchange:@/file:@/other",
	"unlink:@/gone",
	"bind:@/socket",
};
static const char *const ringing[] = {"ring-mkdir:@/ring-dir", "ring-open:@/ring-file", "ring-open:@/file",
				      "ring-unlink:@/ring-gone", "ring-rename:@/ring-moved:@/ring-moved2"};
static const char *const harmless[] = {
	"read:@/file", "list:@",	   "read:/etc/passwd", "list:/",	  "read:/proc/self/status",
	"memfd",       "abstract:attempt", "write:/dev/null",  "write:/dev/zero", "write:/dev/full",
	"terminal",
};
/* Landlock knows nothing of these: stated here, in runas-app.conf(5) and in SECURITY.md. */
static const char *const not_stopped[] = {"chmod:@/file", "utime:@/file", "setxattr:@/file"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void expect_all(const struct way *way, const char *app, const char *const *patterns, size_t count,
		       const char *place, const char *answer) {
	forget_deeds();
	for (size_t i = 0; i < count; i++)
		deed(patterns[i], place);
	lay_out();
	struct world_run *run = launch(way, app);
	for (size_t i = 0; i < count; i++)
		expect(run, way, deeds[i], answer);
	cr_expect(world_exited(run, 0), "%s: status %#x: %s", way->name, (unsigned)run->status, run->err);
}

#define LIMITED "write = " IN "\ntmp = " TMP "\n"

static void expect_limited(const char *app, const struct way *way) {
	expect_all(way, app, writing, COUNT(writing), IN, "ok");
	expect_all(way, app, writing, COUNT(writing), OPEN_OUT, "EACCES");
	expect_all(way, app, writing, COUNT(writing), HOME_OUT, "EACCES");
	expect_all(way, app, harmless, COUNT(harmless), OPEN_OUT, "ok");
	expect_all(way, app, not_stopped, COUNT(not_stopped), OPEN_OUT, "ok");
}

Test(write, without_a_list_everything_here_succeeds) {
	enter();
	world_app_policy("free", "syscalls = none\n");
	for (size_t i = 0; i < WAYS; i++) {
		expect_all(&ways[i], "free", writing, COUNT(writing), OPEN_OUT, "ok");
		expect_all(&ways[i], "free", writing, COUNT(writing), HOME_OUT, "ok");
		expect_all(&ways[i], "free", harmless, COUNT(harmless), OPEN_OUT, "ok");
		expect_all(&ways[i], "free", not_stopped, COUNT(not_stopped), OPEN_OUT, "ok");
	}
}

Test(write, only_the_list_is_writable_whoever_starts_it) {
	enter();
	world_app_policy("app", "syscalls = none\n" LIMITED);
	for (size_t i = 0; i < WAYS; i++)
		expect_limited("app", &ways[i]);
}

Test(write, the_default_profile_changes_nothing_of_it) {
	enter();
	world_app_policy("app", LIMITED);
	expect_limited("app", &ways[0]);
	forget_deeds();
	const char *ring = deed("ring", "");
	expect(launch(&ways[0], "app"), &ways[0], ring, "EPERM");
}

Test(write, terminals_can_be_made_where_the_multiplexer_is_a_device_too) {
	enter();
	world_app_policy("app", LIMITED);
	cr_assert(unlink("/dev/ptmx") == 0 && mknod("/dev/ptmx", S_IFCHR | 0666, makedev(5, 2)) == 0 &&
		  chmod("/dev/ptmx", 0666) == 0);
	forget_deeds();
	deed("terminal", "");
	for (size_t i = 0; i < WAYS; i++)
		expect(launch(&ways[i], "app"), &ways[i], "terminal", "ok");
}

Test(write, io_uring_is_limited_too_where_a_policy_lets_it_be) {
	enter();
	forget_deeds();
	deed("ring", "");
	struct world_run *direct =
		world_run(&(struct world_call){.who = &world_app, .argv = WORLD_LIST(ATTEMPT, "ring")});
	if (!world_value(direct, "ring") || strcmp(world_value(direct, "ring"), "ok") != 0)
		SKIP("io_uring is switched off (kernel.io_uring_disabled) or not built in");
	world_app_policy("free", "syscalls = none\n");
	world_app_policy("app", "syscalls = none\n" LIMITED);
	expect_all(&ways[0], "free", ringing, COUNT(ringing), OPEN_OUT, "ok");
	for (size_t i = 0; i < WAYS; i++) {
		expect_all(&ways[i], "app", ringing, COUNT(ringing), IN, "ok");
		expect_all(&ways[i], "app", ringing, COUNT(ringing), OPEN_OUT, "EACCES");
	}
}

Test(write, nothing_is_carried_over_the_border) {
	static const struct {
		const char *deed, *answer;
	} crossing[] = {
		{"link:" IN "/file:" OPEN_OUT "/l", "EACCES"},
		{"rename:" IN "/leaves:" OPEN_OUT "/leaves2", "EACCES"},
		{"rename:" IN "/leaves:" OPEN_OUT "/other", "EACCES"},
		{"rename:" IN "/sub:" OPEN_OUT "/sub2", "EACCES"},
		{"exchange:" IN "/swapped:" OPEN_OUT "/swapped", "EACCES"},
		{"rename:" OPEN_OUT "/leaves:" IN "/leaves2", "EACCES"},
		/* To make a link is not to write where the file is: only its change of parent is refused. */
		{"link:" OPEN_OUT "/file:" IN "/l", "EXDEV"},
		/* From one listed place to another. */
		{"rename:" IN "/moved:" TMP "/moved", "ok"},
		{"link:" IN "/file:" TMP "/file", "ok"},
	};

	enter();
	world_app_policy("free", "syscalls = none\n");
	world_app_policy("app", "syscalls = none\n" LIMITED);
	for (size_t round = 0; round < COUNT(crossing); round++) {
		forget_deeds();
		deed(crossing[round].deed, "");
		lay_out();
		expect(launch(&ways[0], "free"), &ways[0], crossing[round].deed, "ok");
		for (size_t i = 0; i < WAYS; i++) {
			lay_out();
			expect(launch(&ways[i], "app"), &ways[i], crossing[round].deed, crossing[round].answer);
		}
	}
}

Test(write, a_listed_file_is_that_file_only) {
	enter();
	world_app_policy("app", "write = " HOME_OUT "/file\n");
	forget_deeds();
	const char *good[] = {deed("append:@/file", HOME_OUT), deed("empty:@/file", HOME_OUT),
			      deed("truncate:@/file", HOME_OUT)};
	const char *bad[] = {deed("write:@/other", HOME_OUT), deed("unlink:@/file", HOME_OUT),
			     deed("create:@/new", HOME_OUT), deed("rename:@/file:@/file.1", HOME_OUT)};
	for (size_t i = 0; i < WAYS; i++) {
		lay_out();
		struct world_run *run = launch(&ways[i], "app");
		for (size_t j = 0; j < COUNT(good); j++)
			expect(run, &ways[i], good[j], "ok");
		for (size_t j = 0; j < COUNT(bad); j++)
			expect(run, &ways[i], bad[j], "EACCES");
	}
}

Test(write, tmp_is_writable_and_TMPDIR) {
	enter();
	world_app_policy("app", "tmp = " TMP "\n");
	forget_deeds();
	deed("env:TMPDIR", "");
	const char *inside = deed("create:@/x", TMP), *file = deed("tmpfile:@", TMP),
		   *outside = deed("create:/tmp/x", ""), *home = deed("create:@/x", HOME_OUT);
	for (size_t i = 0; i < WAYS; i++) {
		lay_out();
		struct world_run *run = launch(&ways[i], "app");
		expect(run, &ways[i], "env:TMPDIR", TMP);
		expect(run, &ways[i], inside, "ok");
		expect(run, &ways[i], file, "ok");
		expect(run, &ways[i], outside, "EACCES");
		expect(run, &ways[i], home, "EACCES");
	}
}

Test(write, children_are_limited_as_their_parent) {
	enter();
	world_app_policy("app", LIMITED);
	forget_deeds();
	deed("fork", "");
	const char *inside = deed("create:@/x", IN), *outside = deed("create:@/x", OPEN_OUT);
	deed("fork", "");
	const char *deeper = deed("create:@/y", OPEN_OUT);
	for (size_t i = 0; i < WAYS; i++) {
		lay_out();
		struct world_run *run = launch(&ways[i], "app");
		expect(run, &ways[i], inside, "ok");
		expect(run, &ways[i], outside, "EACCES");
		expect(run, &ways[i], deeper, "EACCES");
	}
}

Test(write, a_launch_inside_a_launch_has_both_lists) {
	enter();
	world_app_policy("outer", "write = " IN "\nwrite = " TMP "\n");
	world_app_policy("inner", "write = " TMP "\nwrite = " OPEN_OUT "\n");
	forget_deeds();
	deed("--", "");
	deed(WORLD_RUNAS, "");
	deed("inner", "");
	deed("--", "");
	deed(ATTEMPT, "");
	const char *both = deed("create:@/x", TMP), *first = deed("create:@/x", IN),
		   *second = deed("create:@/x", OPEN_OUT);
	for (size_t i = 0; i < WAYS; i++) {
		lay_out();
		struct world_run *run = launch(&ways[i], "outer");
		expect(run, &ways[i], both, "ok");
		expect(run, &ways[i], first, "EACCES");
		expect(run, &ways[i], second, "EACCES");
	}
}

/* --- what is bound, and when --- */

Test(write, a_symlink_in_the_path_stands_for_where_it_led_at_the_launch) {
	enter();
	lay_out();
	world_directory(HOME_OUT "/releases", 0, 0, 0755);
	world_directory(HOME_OUT "/releases/1", WORLD_APP, WORLD_APP, 0755);
	world_directory(HOME_OUT "/releases/2", WORLD_APP, WORLD_APP, 0755);
	cr_assert(symlink("releases/1", HOME_OUT "/current") == 0);
	world_app_policy("app", "write = " HOME_OUT "/current\n");
	const char *const argv[] = {"runas-app",
				    "app",
				    "--",
				    ATTEMPT,
				    "create:" HOME_OUT "/current/before",
				    "until:" HOME_OUT "/flipped",
				    "create:" HOME_OUT "/current/after",
				    "create:" HOME_OUT "/releases/1/after",
				    NULL};
	struct world_run *run =
		world_start(&(struct world_call){.who = &world_deploy, .program = WORLD_RUNAS, .argv = argv});
	world_collect(run, "/before: ", 10);
	cr_assert(symlink("releases/2", HOME_OUT "/next") == 0);
	cr_assert(rename(HOME_OUT "/next", HOME_OUT "/current") == 0);
	world_file(HOME_OUT "/flipped", 0, 0, 0644, "");
	world_wait(run, 15);
	expect(run, &ways[0], "create:" HOME_OUT "/current/before", "ok");
	expect(run, &ways[0], "create:" HOME_OUT "/current/after", "EACCES");
	expect(run, &ways[0], "create:" HOME_OUT "/releases/1/after", "ok");
	forget_deeds();
	deed("create:@/current/restarted", HOME_OUT);
	expect(launch(&ways[0], "app"), &ways[0], deeds[0], "ok");
}

static void open_five(const void *data) {
	int fd = open(data, O_RDWR);

	if (fd < 0 || dup2(fd, 5) != 5)
		_exit(WORLD_CHILD_BROKE);
}

Test(write, a_descriptor_that_was_open_before_stays_what_it_was) {
	enter();
	world_app_policy("app", "keep_fds = 5\n" LIMITED);
	forget_deeds();
	const char *again = deed("write:@/file", OPEN_OUT);
	deed("fd-write:5", "");
	deed("fd-truncate:5", "");
	for (size_t i = 0; i < WAYS; i++) {
		lay_out();
		struct world_run *run = launch_with(&ways[i], "app", open_five, OPEN_OUT "/file");
		expect(run, &ways[i], again, "EACCES");
		expect(run, &ways[i], "fd-write:5", "ok");
		expect(run, &ways[i], "fd-truncate:5", "ok");
	}
}

/* --- refusals --- */

static void expect_nothing_ran(const struct way *way, const char *app, const char *object) {
	forget_deeds();
	deed("create:@/ran", IN);
	deed("create:@/ran", OPEN_OUT);
	struct world_run *run = launch(way, app);
	world_expect_refused(run, 125, "[write]");
	cr_expect(strstr(run->err, object) != NULL, "%s: %s is not named: %s", way->name, object, run->err);
	cr_expect(strstr(run->err, "hint: ") != NULL, "%s", run->err);
	cr_expect(access(IN "/ran", F_OK) != 0 && access(OPEN_OUT "/ran", F_OK) != 0, "something ran");
}

Test(write, a_missing_path_is_refused_with_its_first_missing_part) {
	enter();
	world_directory("/srv/closed", 0, 0, 0700);
	world_directory("/srv/closed/log", WORLD_APP, WORLD_APP, 0755);
	world_app_policy("last", "write = " IN "\nwrite = " HOME_OUT "/absent\n");
	world_app_policy("early", "write = " HOME_OUT "/shared/log/deep\n");
	world_app_policy("temporary", "tmp = " HOME_OUT "/nowhere/tmp\n");
	world_app_policy("closed", "write = /srv/closed/log\n");
	for (size_t i = 0; i < WAYS; i++) {
		expect_nothing_ran(&ways[i], "last", "\"" HOME_OUT "/absent\"");
		expect_nothing_ran(&ways[i], "early", "\"" HOME_OUT "/shared\"");
		expect_nothing_ran(&ways[i], "temporary", "\"" HOME_OUT "/nowhere\"");
		expect_nothing_ran(&ways[i], "closed", "\"/srv/closed\"");
	}
}

/* --- kernels without it, as a root caller's filter can play them --- */

struct answer {
	int number, error;
};

static void load_answer(const void *data) {
	const struct answer *given = data;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)given->number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)given->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT(code), code};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		_exit(WORLD_CHILD_BROKE);
}

Test(write, a_kernel_that_cannot_is_refused_unless_the_policy_takes_it) {
	static const struct {
		struct answer answer;
		const char *what, *hint;
	} kernels[] = {
		{{SYS_landlock_create_ruleset, ENOSYS}, "no Landlock", "Linux 5.19"},
		{{SYS_landlock_create_ruleset, EOPNOTSUPP}, "not switched on", "lsm="},
		{{SYS_landlock_create_ruleset, EPERM}, "no Landlock", "seccomp profile"},
	};

	enter();
	world_app_policy("required", LIMITED);
	world_app_policy("strict", "write_enforce = strict\n" LIMITED);
	world_app_policy("effort", "write_enforce = best-effort\n" LIMITED);
	world_app_policy("unlimited", "");
	for (size_t i = 0; i < COUNT(kernels); i++) {
		forget_deeds();
		const char *outside = deed("create:@/ran", OPEN_OUT);
		static const char *const refusing[] = {"required", "strict"};
		for (size_t j = 0; j < COUNT(refusing); j++) {
			lay_out();
			struct world_run *run = launch_with(&ways[1], refusing[j], load_answer, &kernels[i].answer);
			world_expect_refused(run, 125, "[landlock]");
			cr_expect(strstr(run->err, kernels[i].what) != NULL, "no `%s`: %s", kernels[i].what, run->err);
			const char *hint = strstr(run->err, "hint: ");
			cr_expect(hint && strstr(hint, kernels[i].hint), "no `%s`: %s", kernels[i].hint, run->err);
			cr_expect(access(OPEN_OUT "/ran", F_OK) != 0, "it ran");
		}
		world_log();
		lay_out();
		struct world_run *run = launch_with(&ways[1], "effort", load_answer, &kernels[i].answer);
		expect(run, &ways[1], outside, "ok");
		cr_assert(world_log() == 1, "not one record");
		cr_expect(strstr(world_log_line(0), " landlock=0") != NULL, "%s", world_log_line(0));
		/* TMPDIR does not depend on the limit. */
		lay_out();
		run = launch_with(&ways[1], "unlimited", load_answer, &kernels[i].answer);
		expect(run, &ways[1], outside, "ok");
		cr_assert(world_log() == 1, "not one record");
		cr_expect(strstr(world_log_line(0), "landlock=") == NULL, "%s", world_log_line(0));
	}
}

Test(write, a_filter_that_only_says_so_never_lets_the_app_run) {
	static const struct answer lies[] = {{SYS_landlock_restrict_self, 0},
					     {SYS_landlock_create_ruleset, 0},
					     {SYS_landlock_restrict_self, ENOSYS},
					     {SYS_landlock_restrict_self, E2BIG}};
	static const char *const enforces[] = {"required", "strict", "best-effort"};

	enter();
	for (size_t i = 0; i < COUNT(enforces); i++) {
		char more[256];
		snprintf(more, sizeof(more), "write_enforce = %s\n" LIMITED, enforces[i]);
		world_app_policy("app", more);
		for (size_t j = 0; j < COUNT(lies); j++) {
			/* An ABI of 0 is an honest best effort. */
			if (i == 2 && lies[j].number == SYS_landlock_create_ruleset)
				continue;
			lay_out();
			forget_deeds();
			deed("create:@/ran", IN);
			deed("create:@/ran", OPEN_OUT);
			struct world_run *run = launch_with(&ways[1], "app", load_answer, &lies[j]);
			world_expect_refused(run, 125,
					     lies[j].number == SYS_landlock_create_ruleset ? "[landlock]" : "[write]");
			cr_expect(access(IN "/ran", F_OK) != 0 && access(OPEN_OUT "/ran", F_OK) != 0, "it ran");
		}
	}
}

Test(write, the_log_says_which_Landlock) {
	char wanted[32];

	enter();
	world_app_policy("app", LIMITED);
	world_app_policy("strict", "write_enforce = strict\n" LIMITED);
	snprintf(wanted, sizeof(wanted), " landlock=%d", world_landlock_abi());
	forget_deeds();
	deed("create:@/x", IN);
	world_log();
	for (size_t i = 0; i < WAYS; i++) {
		launch(&ways[i], "app");
		cr_assert(world_log() == 1);
		cr_expect(strstr(world_log_line(0), wanted) != NULL, "%s: %s", ways[i].name, world_log_line(0));
	}
	launch(&ways[0], "strict");
	cr_assert(world_log() == 1);
	cr_expect(strstr(world_log_line(0), wanted) != NULL, "%s", world_log_line(0));
}
