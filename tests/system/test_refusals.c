/* SPDX-License-Identifier: ISC */
/* What must not run does not: one message, one line in the system log, and the right exit status. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/program.h"
#include "world.h"

TestSuite(refusals, .timeout = 120);

#define POLICY "/etc/runas-app/probe.conf"

/* Root hears the reason; the unprivileged caller only that it may not; the log has the reason both times. */
static void expect_refused_policy(const char *what, const char *word, const char *detail) {
	struct world_run *run = world_probe(&world_root, NULL, NULL);

	cr_log_info("%s: %s", what, run->err);
	world_expect_refused(run, 125, word);
	cr_expect(strstr(run->err, detail) != NULL, "%s: no `%s` in: %s", what, detail, run->err);
	world_expect_logged(what, word);
	cr_expect(strstr(world_log_line(0), "decision=refuse") != NULL, "%s", world_log_line(0));

	run = world_probe(&world_deploy, NULL, NULL);
	world_expect_refused(run, 126, "[not-permitted]");
	cr_expect(strstr(run->err, detail) == NULL && !strstr(run->err, word), "%s: the caller learns the reason: %s",
		  what, run->err);
	world_expect_logged(what, word);
	cr_expect(strstr(world_log_line(0), "caller=4001") != NULL, "%s: %s", what, world_log_line(0));
}

/* --- callers and apps --- */

Test(refusals, an_unknown_caller_is_not_permitted) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *run = world_probe(&world_other, NULL, NULL);
	world_expect_refused(run, 126, "runas-app: probe: not permitted [not-permitted]");
	world_expect_logged("unknown caller", "decision=refuse word=not-permitted");
	cr_expect(strstr(world_log_line(0), "caller=4003") != NULL, "%s", world_log_line(0));
}

/* Attack A7. */
Test(refusals, the_environment_says_nothing_about_who_calls) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *run = world_run(&(struct world_call){
		.who = &world_other,
		.program = WORLD_RUNAS,
		.argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
		.envp = WORLD_LIST("USER=deploy", "LOGNAME=deploy", "SUDO_USER=root", "SUDO_UID=0", "UID=0")});
	world_expect_refused(run, 126, "[not-permitted]");
}

Test(refusals, the_apps_own_user_needs_to_be_allowed_like_anybody) {
	world_enter();
	world_app_policy("probe", "");
	/* The plain file, without the setuid bit, would be another matter: nothing is given then. */
	world_expect_refused(world_probe(&world_app, NULL, NULL), 126, "not");
}

Test(refusals, an_unknown_app_is_125) {
	world_enter();
	world_app_policy("probe", "");
	static const struct world_person *const callers[] = {&world_deploy, &world_root, &world_other};
	for (size_t i = 0; i < 3; i++) {
		struct world_run *run = world_launch(callers[i], WORLD_LIST("nothing", "--", WORLD_PROBE));
		world_expect_refused(run, 125, "[no-such-app]");
		world_expect_logged("unknown app", "nothing");
	}
}

/* Attack B5. */
Test(refusals, app_names_that_are_paths_or_no_names_are_usage) {
	static const char *const names[] = {"../x",
					    "a/b",
					    ".",
					    "..",
					    "",
					    "Probe",
					    "probe.conf",
					    "1a",
					    "probe\n",
					    "a1234567890123456789012345678901",
					    "-x",
					    "--",
					    "--policy=/tmp/x",
					    "%00",
					    "pro be"};

	world_enter();
	world_app_policy("probe", "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct world_run *run = world_launch(&world_deploy, WORLD_LIST(names[i], "--", WORLD_PROBE));
		world_expect_refused(run, 125, "[usage]");
		for (const char *at = run->err; *at; at++)
			cr_expect(*at == '\n' || ((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f), "%s",
				  run->err);
	}
}

Test(refusals, usage_errors_are_125) {
	world_enter();
	world_app_policy("probe", "");
	static const char *const calls[][4] = {{"probe"},
					       {"probe", "--"},
					       {"probe", "--", ""},
					       {"probe", "-x", WORLD_PROBE},
					       {"--help", "probe"},
					       {"--version", "probe"},
					       {"--user=root", "probe", WORLD_PROBE}};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		world_expect_refused(world_launch(&world_deploy, calls[i]), 125, "[usage]");
	world_expect_refused(world_run(&(struct world_call){
				     .who = &world_deploy, .program = WORLD_RUNAS, .argv = WORLD_LIST("runas-app")}),
			     125, "[usage]");
}

Test(refusals, no_arguments_at_all_start_nothing) {
	static const char *const none[] = {NULL};

	world_enter();
	world_app_policy("probe", "");
	struct world_run *run = world_run(&(struct world_call){.who = &world_deploy,
							       .program = WORLD_RUNAS,
							       .argv = none,
							       .envp = WORLD_LIST("probe", "--", WORLD_PROBE)});
	cr_expect(world_exited(run, 125), "wait status %#x", (unsigned)run->status);
	cr_expect(run->out_length == 0, "%s", run->out);
}

Test(refusals, help_and_version_work_for_anybody_and_run_nothing) {
	world_enter();
	struct world_run *run = world_launch(&world_other, WORLD_LIST("--help"));
	cr_expect(world_exited(run, 0) && strstr(run->out, "runas-app APP") != NULL, "%s%s", run->out, run->err);
	run = world_launch(&world_other, WORLD_LIST("--version"));
	cr_expect(world_exited(run, 0) &&
			  strncmp(run->out, "runas-app " RUNAS_VERSION ", ", sizeof("runas-app " RUNAS_VERSION)) == 0,
		  "%s%s", run->out, run->err);
}

Test(refusals, a_policy_of_a_newer_format_is_refused_with_what_both_know) {
	world_enter();
	world_policy("newer", "# of next year\nrunas-app = 2\nallow_users = deploy\nconfine = everything\n");
	struct world_run *run = world_launch(&world_root, WORLD_LIST("newer", "--", WORLD_PROBE));
	world_expect_refused(run, 125, "[policy-version]");
	cr_expect(strstr(run->err, "newer.conf:2: this runas-app reads format " POLICY_FORMAT ";") != NULL &&
			  strstr(run->err, "for format \"2\"") != NULL &&
			  strstr(run->err, "\nhint: upgrade runas-app") != NULL,
		  "%s", run->err);
	/* Whom it allows is not known. */
	world_expect_refused(world_launch(&world_deploy, WORLD_LIST("newer", "--", WORLD_PROBE)), 126,
			     "[not-permitted]");
}

Test(refusals, a_command_that_no_pattern_allows_is_126_and_the_nearest_is_shown) {
	world_enter();
	world_policy("probe",
		     "runas-app = 1\nallow_users = deploy\nuser = ra_app\ncommand = " WORLD_PROBE " --exit {int}\n"
		     "command = /usr/bin/id\n");
	struct world_run *run = world_launch(&world_deploy, WORLD_LIST("probe", "--", WORLD_PROBE, "--exit", "soon"));
	world_expect_refused(run, 126, "soon");
	cr_expect(strstr(run->err, "{int}") != NULL, "the nearest pattern is not shown: %s", run->err);
	world_expect_logged("command", "decision=refuse");
	world_expect_refused(world_launch(&world_deploy, WORLD_LIST("probe", "--", "/bin/sh", "-c", "id")), 126, "[");
	world_expect_refused(world_launch(&world_root, WORLD_LIST("probe", "--", "/bin/sh", "-c", "id")), 126, "[");
	world_expect_refused(world_launch(&world_deploy, WORLD_LIST("probe", "--", "id", "-u")), 126, "[");
	/* Who may not call at all learns nothing of the patterns. */
	run = world_launch(&world_other, WORLD_LIST("probe", "--", WORLD_PROBE, "--exit", "soon"));
	world_expect_refused(run, 126, "[not-permitted]");
	cr_expect(strstr(run->err, "{int}") == NULL, "%s", run->err);
}

/* --- who could have written the policy --- */

Test(refusals, a_policy_that_others_could_have_written) {
	world_enter();
	static const mode_t modes[] = {0664, 0646, 0666, 0602, 0620, 0777};
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		world_app_policy("probe", "");
		chmod(POLICY, modes[i]);
		expect_refused_policy("mode", "policy-mode", POLICY);
	}
	world_app_policy("probe", "");
	cr_assert(chown(POLICY, WORLD_DEPLOY, 0) == 0);
	expect_refused_policy("owner", "policy-owner", POLICY);
	cr_assert(chown(POLICY, WORLD_APP, WORLD_APP) == 0);
	expect_refused_policy("owner", "policy-owner", POLICY);
	/* Only root's user matters: a group may own it if it cannot write. */
	cr_assert(chown(POLICY, 0, WORLD_GROUP_WEB) == 0 && chmod(POLICY, 0640) == 0);
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
}

Test(refusals, a_policy_in_a_directory_that_others_can_write) {
	world_enter();
	world_app_policy("probe", "");
	static const struct {
		const char *path;
		uid_t uid;
		mode_t mode;
	} cases[] = {{"/etc/runas-app", 0, 0775},
		     {"/etc/runas-app", 0, 01777},
		     {"/etc/runas-app", WORLD_DEPLOY, 0755},
		     {"/etc", 0, 0775},
		     {"/etc", WORLD_OTHER, 0755}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(chown(cases[i].path, cases[i].uid, 0) == 0 && chmod(cases[i].path, cases[i].mode) == 0);
		expect_refused_policy(cases[i].path, cases[i].uid ? "policy-owner" : "policy-mode", cases[i].path);
		cr_assert(chown(cases[i].path, 0, 0) == 0 && chmod(cases[i].path, 0755) == 0);
	}
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
}

Test(refusals, a_symlink_is_no_policy) {
	world_enter();
	world_app_policy("real", "");
	unlink(POLICY);
	cr_assert(symlink("real.conf", POLICY) == 0);
	expect_refused_policy("symlink", "policy-", POLICY);

	/* Nor is a symlink on the way. */
	unlink(POLICY);
	world_app_policy("probe", "");
	cr_assert(rename("/etc/runas-app", "/etc/elsewhere") == 0 && symlink("elsewhere", "/etc/runas-app") == 0);
	expect_refused_policy("symlinked directory", "policy-", "/etc/runas-app");
	cr_assert(unlink("/etc/runas-app") == 0); /* which is not to say that there is no such app */
	expect_refused_policy("no directory", "policy-missing", "/etc/runas-app");
}

/* Attack A4. */
Test(refusals, what_is_no_regular_file_is_refused_without_waiting) {
	world_enter();
	cr_assert(mkfifo(POLICY, 0644) == 0);
	chmod(POLICY, 0644);
	expect_refused_policy("FIFO", "policy-type", POLICY);
	unlink(POLICY);

	cr_assert(mkdir(POLICY, 0755) == 0);
	expect_refused_policy("directory", "policy-", POLICY);
	rmdir(POLICY);

	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = POLICY};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && chmod(POLICY, 0644) == 0);
	expect_refused_policy("socket", "policy-", POLICY);
	close(fd);
	unlink(POLICY);

	world_file(POLICY, 0, 0, 0644, "");
	cr_assert(mount("/dev/zero", POLICY, NULL, MS_BIND, NULL) == 0);
	expect_refused_policy("device", "policy-", POLICY);
	umount(POLICY);
}

/* Attack A4. */
Test(refusals, a_policy_of_two_gibibytes_is_refused_at_once) {
	world_enter();
	world_app_policy("probe", "");
	cr_assert(truncate(POLICY, (off_t)2 << 30) == 0);
	expect_refused_policy("sparse", "policy-size", POLICY);
	cr_assert(truncate(POLICY, 65537) == 0);
	expect_refused_policy("one byte too long", "policy-size", POLICY);
}

Test(refusals, an_empty_policy_is_none) {
	world_enter();
	world_policy("probe", "");
	expect_refused_policy("empty", "policy-version", POLICY);
}

Test(refusals, a_missing_directory_of_policies_is_not_a_missing_app) {
	world_enter();
	world_app_policy("probe", "");
	cr_assert(rename("/etc/runas-app", "/etc/elsewhere") == 0);
	world_expect_refused(world_probe(&world_root, NULL, NULL), 125, "[policy-missing]");
	world_directory("/etc/runas-app", 0, 0, 0755);
	world_expect_refused(world_probe(&world_root, NULL, NULL), 125, "[no-such-app]");
}

static void enter_open_root(const void *data) {
	(void)data;
	if (mkdir("/run/open", 0755) != 0 || mount("runas-test", "/run/open", "tmpfs", 0, "mode=0777") != 0)
		_exit(WORLD_CHILD_BROKE);
	world_copy(world_built("runas-app"), "/run/open/runas-app", 04755);
	if (chroot("/run/open") != 0 || chdir("/") != 0)
		_exit(WORLD_CHILD_BROKE);
}

/* Not the owner of / but its mode: that is no user namespace. */
Test(refusals, a_root_directory_that_others_can_write) {
	world_enter();
	world_expect_refused(world_run(&(struct world_call){.who = &world_root,
							    .program = "/runas-app",
							    .argv = WORLD_LIST("runas-app", "probe", "true"),
							    .as_root = enter_open_root}),
			     125, "[policy-mode]");
}

/* --- what the policy says --- */

struct content {
	const char *what, *text;
	unsigned line; /* that the message names; 0: of the whole file */
};

#define GOOD "runas-app = 1\nallow_users = deploy\nuser = ra_app\ncommand = *\n"

static const struct content contents[] = {
	{"no version", "user = ra_app\ncommand = *\n", 1},
	{"version later", "user = ra_app\nrunas-app = 1\ncommand = *\n", 1},
	{"version 2", "runas-app = 2\nuser = ra_app\ncommand = *\n", 1},
	{"no user", "runas-app = 1\nallow_users = deploy\ncommand = *\n", 0},
	{"unknown key", GOOD "umaks = 022\n", 5},
	{"key in capitals", GOOD "Umask = 022\n", 5},
	{"no equals sign", GOOD "umask\n", 5},
	{"no key", GOOD "= 022\n", 5},
	{"empty value", GOOD "umask =\n", 5},
	{"duplicate key", GOOD "umask = 022\numask = 022\n", 6},
	{"duplicate user", GOOD "user = ra_app\n", 5},
	{"carriage return", "runas-app = 1\r\nallow_users = deploy\r\nuser = ra_app\r\ncommand = *\r\n", 1},
	{"carriage return in a comment", GOOD "# all good\r\n", 5},
	{"control character", GOOD "umask = 022\x01\n", 5},
	{"escape sequence in a comment", GOOD "# \x1b[2J\n", 5},
	{"tab and DEL", GOOD "umask =\t022\x7f\n", 5},
	{"comma", "runas-app = 1\nallow_users = deploy, other\nuser = ra_app\ncommand = *\n", 2},
	{"comma in groups", GOOD "groups = ra_app,ra_web\n", 5},
	{"comment behind a value", GOOD "umask = 022 # group\n", 5},
	{"user root", "runas-app = 1\nallow_users = deploy\nuser = root\ncommand = *\n", 3},
	{"uid 0", "runas-app = 1\nallow_users = deploy\nuser = 0\ncommand = *\n", 3},
	{"uid 4294967295", "runas-app = 1\nallow_users = deploy\nuser = 4294967295\ncommand = *\n", 3},
	{"uid 4294967296", "runas-app = 1\nallow_users = deploy\nuser = 4294967296\ncommand = *\n", 3},
	{"uid 18446744073709551616", "runas-app = 1\nallow_users = deploy\nuser = 18446744073709551616\ncommand = *\n",
	 3},
	{"uid -1", "runas-app = 1\nallow_users = deploy\nuser = -1\ncommand = *\n", 3},
	{"uid +1", "runas-app = 1\nallow_users = deploy\nuser = +1\ncommand = *\n", 3},
	{"uid 01000", "runas-app = 1\nallow_users = deploy\nuser = 01000\ncommand = *\n", 3},
	{"uid 0x1000", "runas-app = 1\nallow_users = deploy\nuser = 0x1000\ncommand = *\n", 3},
	{"uid 1e3", "runas-app = 1\nallow_users = deploy\nuser = 1e3\ncommand = *\n", 3},
	{"uid with a quote", "runas-app = 1\nallow_users = deploy\nuser = \" 0\"\ncommand = *\n", 3},
	{"uid 0 behind blanks", "runas-app = 1\nallow_users = deploy\nuser =   0 \ncommand = *\n", 3},
	{"two users", "runas-app = 1\nallow_users = deploy\nuser = ra_app other\ncommand = *\n", 3},
	{"user without entry", "runas-app = 1\nallow_users = deploy\nuser = nobody_knows\ncommand = *\n", 3},
	{"number without entry and group", "runas-app = 1\nallow_users = deploy\nuser = 4777\ncommand = *\n", 3},
	{"gid 0", GOOD "group = 0\n", 5},
	{"group root", GOOD "group = root\n", 5},
	{"gid 4294967295", GOOD "group = 4294967295\n", 5},
	{"gid 0 in groups", GOOD "groups = ra_web 0\n", 5},
	{"root in groups", GOOD "groups = ra_web root\n", 5},
	{"gid 4294967295 in groups", GOOD "groups = 4294967295\n", 5},
	{"none among groups", GOOD "groups = none ra_web\n", 5},
	{"group without entry", GOOD "groups = nobody_knows\n", 5},
	{"umask 8", GOOD "umask = 028\n", 5},
	{"umask 1777", GOOD "umask = 1777\n", 5},
	{"umask of one digit", GOOD "umask = 2\n", 5},
	{"relative directory", GOOD "directory = srv/app\n", 5},
	{"directory with dots", GOOD "directory = /srv/../etc\n", 5},
	{"relative path", GOOD "path = /bin:bin\n", 5},
	{"empty path entry", GOOD "path = /bin::/usr/bin\n", 5},
	{"relative command", GOOD "command = bin/rails\n", 5},
	{"star inside a command", GOOD "command = /bin/ls * -l\n", 5},
	{"unknown hole", GOOD "command = /bin/ls {any}\n", 5},
	{"unclosed hole", GOOD "command = /bin/ls {int\n", 5},
	{"unclosed quote", GOOD "command = /bin/ls \"a b\n", 5},
	{"export", GOOD "env = export A=b\n", 5},
	{"quoted value", GOOD "env = A=\"b\"\n", 5},
	{"env HOME", GOOD "env = HOME=/tmp\n", 5},
	{"env twice", GOOD "env = A=1\nenv = A=2\n", 6},
	{"nice 20", GOOD "nice = 20\n", 5},
	{"oom 1001", GOOD "oom_score_adj = 1001\n", 5},
	{"limit soft above hard", GOOD "limit_nofile = 20:10\n", 5},
	{"limit with a unit", GOOD "limit_as = 1G\n", 5},
	{"unknown limit", GOOD "limit_files = 1\n", 5},
	{"keep_fds 2", GOOD "keep_fds = 2\n", 5},
	{"keep_fds 32", GOOD "keep_fds = 32\n", 5},
	{"log maybe", GOOD "log = maybe\n", 5},
	{"unknown shipped profile", GOOD "syscalls = @no-such\n", 5},
	{"two profiles", GOOD "syscalls = none @app-server\n", 5},
	{"include", GOOD "include = other.conf\n", 5},
};

Test(refusals, what_a_policy_may_not_say) {
	char place[64];

	world_enter();
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		world_policy("probe", contents[i].text);
		snprintf(place, sizeof(place), contents[i].line ? POLICY ":%u:" : POLICY, contents[i].line);
		struct world_run *run = world_probe(&world_root, NULL, NULL);
		cr_expect(world_exited(run, 125), "%s: wait status %#x", contents[i].what, (unsigned)run->status);
		cr_expect(strstr(run->err, place) != NULL, "%s: no `%s` in: %s", contents[i].what, place, run->err);
		world_expect_refused(run, 125, " [");
		world_expect_logged(contents[i].what, "decision=refuse");

		run = world_probe(&world_other, NULL, NULL);
		cr_expect(world_exited(run, 126) && strstr(run->err, "[not-permitted]"), "%s: %s", contents[i].what,
			  run->err);
		world_expect_refused(run, 126, "[not-permitted]");
		world_log();
	}
}

Test(refusals, a_policy_with_a_nul_or_without_its_last_newline_or_with_an_endless_line) {
	static char text[8192];
	size_t length;

	world_enter();
	length = (size_t)snprintf(text, sizeof(text), "%sumask = 022", GOOD);
	world_file_bytes(POLICY, 0, 0, 0644, text, length);
	struct world_run *run = world_probe(&world_deploy, NULL, NULL);
	/* Either answer is a good one; a last line that is silently left out is not. */
	if (world_value(run, "end"))
		world_expect_value(run, "umask", "0022");
	else
		world_expect_refused(run, 126, "[not-permitted]");
	world_log();

	text[length - 1] = '\0';
	world_file_bytes(POLICY, 0, 0, 0644, text, length);
	expect_refused_policy("NUL in a value", "policy-", POLICY ":5:");
	length = sizeof(GOOD) - 1;
	memcpy(text, GOOD "\0user = root\n", length + 14);
	world_file_bytes(POLICY, 0, 0, 0644, text, length + 13);
	expect_refused_policy("NUL at a line's start", "policy-", POLICY ":5:");

	memset(text, 'a', sizeof(text));
	memcpy(text, GOOD "# ", sizeof(GOOD) + 1);
	length = sizeof(GOOD) - 1 + 4097;
	text[length] = '\n';
	world_file_bytes(POLICY, 0, 0, 0644, text, length + 1);
	expect_refused_policy("line of 4097 bytes", "policy-", POLICY ":5:");
}

static void leave_few_descriptors(const void *data) {
	const struct rlimit low = {3, 3};

	(void)data;
	if (setrlimit(RLIMIT_NOFILE, &low) != 0)
		_exit(WORLD_CHILD_BROKE);
}

/* As before Linux 5.11, which had no such flag; only root can load it without no_new_privs. */
static void be_an_old_kernel(const void *data) {
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	(void)data;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		_exit(WORLD_CHILD_BROKE);
}

/* What is wrong with its own process or kernel anybody may know, whoever asks. */
Test(refusals, a_caller_learns_what_its_own_process_lacks) {
	world_enter();
	world_app_policy("probe", "");
	world_expect_refused(world_probe(&world_other, leave_few_descriptors, NULL), 125, "[entry]");
	world_expect_refused(world_run(&(struct world_call){.who = &world_other, .program = WORLD_RUNAS,
							    .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
							    .as_root = be_an_old_kernel}),
			     125, "needs Linux 5.11");
}

/* Where the caller chose the directory, it is no part of a command. */
Test(refusals, a_kept_directory_completes_no_command) {
	world_enter();
	world_directory("/srv/below", 0, 0, 0755);
	world_policy("probe", "runas-app = 1\nallow_users = deploy\nuser = ra_app\ndirectory = /\n"
			      "directory_below = /srv/below\ncommand = /srv/below/bin/probe\n");
	world_expect_refused(world_run(&(struct world_call){.who = &world_deploy,
							    .program = WORLD_RUNAS,
							    .argv = WORLD_LIST("runas-app", "probe", "bin/probe"),
							    .directory = "/srv/below"}),
			     126, "[command]");
}
