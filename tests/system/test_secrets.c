/* SPDX-License-Identifier: ISC */
/* `env_file`: its values reach the app, and nobody and nothing else. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "steps.h"
#include "world.h"

TestSuite(secrets, .timeout = 240);

#define SECRETS "/etc/runas-app/probe-secrets.env"
#define PLAIN "/usr/local/bin/runas-plain"
#define TRACE "/tmp/trace"
/* Half of it, so that no copy of this test's own text is taken for a find. */
#define HALF "tell-nobody-"
#define SECRET HALF "7c1f"
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct world_person *const callers[] = {&world_deploy, &world_root};

static void enter(const char *more) {
	char text[4096];

	world_enter();
	snprintf(text, sizeof(text), "env_file = " SECRETS "\n%s", more);
	world_app_policy("probe", text);
	world_file(SECRETS, 0, 0, 0600, "DB_PASSWORD=" SECRET "\n");
}

static void expect_silence(const struct world_run *run, const char *when) {
	cr_expect(!memmem(run->out, run->out_length, HALF, strlen(HALF)), "%s: on stdout", when);
	cr_expect(!memmem(run->err, run->err_length, HALF, strlen(HALF)), "%s: on stderr: %s", when, run->err);
	size_t records = world_log();
	cr_expect(records > 0, "%s: no record at all", when);
	for (size_t i = 0; i < records; i++)
		cr_expect(strstr(world_log_line(i), HALF) == NULL, "%s: in the log: %s", when, world_log_line(i));
}

Test(secrets, they_reach_the_app_s_environment_byte_for_byte) {
	enter("");
	world_file(SECRETS, 0, 0, 0600,
		   "# a comment\n\nDB_PASSWORD=" SECRET "\nURL=postgres://u:p=" SECRET
		   "@h/x?a=b&c=#d\nEMPTY=\nSPACED= a  b \nLAST=" SECRET);
	for (size_t i = 0; i < COUNT(callers); i++) {
		world_log();
		struct world_run *run = world_probe(callers[i], NULL, NULL);
		world_expect_app(run);
		static const char *const wanted[][2] = {{"DB_PASSWORD", SECRET},
							{"URL", "postgres://u:p=" SECRET "@h/x?a=b&c=#d"},
							{"EMPTY", ""},
							{"SPACED", " a  b "},
							{"LAST", SECRET}};
		for (size_t j = 0; j < COUNT(wanted); j++) {
			const char *value = world_env(run, wanted[j][0]);
			cr_expect(value && strcmp(value, wanted[j][1]) == 0, "%s is `%s`", wanted[j][0],
				  value ? value : "missing");
		}
		cr_expect(run->err_length == 0, "%s", run->err);
		cr_assert(world_log() == 1);
		cr_expect(strstr(world_log_line(0), HALF) == NULL, "%s", world_log_line(0));
	}
}

/* --- never said --- */

Test(secrets, no_bad_line_is_ever_shown) {
	static const char *const files[] = {
		SECRET "\n",				  /* no name */
		"export DB=" SECRET "\n",		  /* as shells write it */
		"DB='" SECRET "'\n",			  /* as shells quote it */
		"DB=\"" SECRET "\"\n",			  /* again */
		"=" SECRET "\n",			  /* an empty name */
		"1DB=" SECRET "\n",			  /* no name of a variable */
		SECRET "=" SECRET "\n",			  /* a name that holds it */
		"DB=" SECRET "\r\n",			  /* from another system */
		"DB=" SECRET "\x1b[2J\n",		  /* to a terminal */
		"DB=" SECRET "\nDB=" SECRET "\n",	  /* twice */
		"PATH=" SECRET "\n",			  /* ours */
		"LISTEN_FDS=" SECRET "\n",		  /* ours */
		"OK=" SECRET "\nAND=" SECRET "\n" SECRET, /* good ones before, no newline after */
		"COLOR=" SECRET "\n",			  /* also in the policy */
	};

	enter("env = COLOR=blue\n");
	for (size_t i = 0; i < COUNT(files); i++) {
		world_file(SECRETS, 0, 0, 0600, files[i]);
		for (size_t j = 0; j < COUNT(callers); j++) {
			world_log();
			struct world_run *run = world_probe(callers[j], NULL, NULL);
			world_expect_refused(run, 125, "[env-file]");
			cr_expect(strstr(run->err, SECRETS ":") != NULL, "the line is not named: %s", run->err);
			expect_silence(run, files[i]);
		}
	}
}

Test(secrets, a_file_with_a_NUL_or_too_much_in_it_is_refused_in_silence) {
	static char much[70000];

	enter("");
	world_file_bytes(SECRETS, 0, 0, 0600, "DB=" SECRET "\0x\n", sizeof("DB=" SECRET "\0x\n") - 1);
	world_log();
	struct world_run *run = world_probe(&world_deploy, NULL, NULL);
	world_expect_refused(run, 125, "[env-file]");
	expect_silence(run, "NUL");

	memset(much, 'x', sizeof(much) - 1);
	memcpy(much, "DB=" SECRET, sizeof("DB=" SECRET) - 1);
	world_file_bytes(SECRETS, 0, 0, 0600, much, 40000);
	run = world_probe(&world_deploy, NULL, NULL);
	world_expect_refused(run, 125, "[env-file]");
	expect_silence(run, "a long value");
	world_file_bytes(SECRETS, 0, 0, 0600, much, sizeof(much) - 1);
	run = world_probe(&world_deploy, NULL, NULL);
	world_expect_refused(run, 125, "[policy-size]");
	expect_silence(run, "a large file");

	size_t length = 0;
	for (int i = 0; i < 1100; i++)
		length += (size_t)snprintf(much + length, sizeof(much) - length, "N%d=" SECRET "\n", i);
	world_file_bytes(SECRETS, 0, 0, 0600, much, length);
	run = world_probe(&world_deploy, NULL, NULL);
	world_expect_refused(run, 125, "[env-file]");
	expect_silence(run, "too many");
}

Test(secrets, what_fails_later_does_not_show_them) {
	static const struct {
		const char *more, *command, *word;
		int status;
	} failures[] = {
		{"", "/usr/bin/no-such-command", "[not-found]", 127},
		{"", "/etc/passwd", "[not-executable]", 126},
		{"write = /srv/ra_app/absent\n", WORLD_PROBE, "[write]", 125},
		{"limit_nofile = 999999999:999999999\n", WORLD_PROBE, "limit_nofile", 125},
		{"listen = tcp 203.0.113.7:8080\nserve = /usr/local/bin/probe *\n", WORLD_PROBE, "[listen]", 125},
		{"syscalls = missing\n", WORLD_PROBE, "[", 125},
	};

	enter("");
	for (size_t i = 0; i < COUNT(failures); i++) {
		char text[4096];
		snprintf(text, sizeof(text),
			 "runas-app = 1\nallow_users = deploy\nuser = ra_app\ndirectory = /srv/ra_app\nenv_file "
			 "= " SECRETS "\n%s%s",
			 failures[i].more, strstr(failures[i].more, "serve") ? "" : "command = *\n");
		world_policy("probe", text);
		for (size_t j = 0; j < COUNT(callers); j++) {
			world_log();
			struct world_run *run =
				world_launch(callers[j], WORLD_LIST("probe", "--", failures[i].command));
			world_expect_refused(run, failures[i].status, failures[i].word);
			expect_silence(run, failures[i].more);
		}
	}
}

/* --- whose file --- */

static void expect_file_refused(const char *word, const char *what) {
	for (size_t i = 0; i < COUNT(callers); i++) {
		world_log();
		struct world_run *run = world_probe(callers[i], NULL, NULL);
		world_expect_refused(run, 125, word);
		cr_expect(strstr(run->err, "secrets") != NULL, "%s: the file is not named: %s", what, run->err);
		expect_silence(run, what);
	}
}

Test(secrets, only_a_file_that_root_alone_reads_is_believed) {
	static const mode_t good[] = {0600, 0400, 0700};
	static const struct {
		mode_t mode;
		const char *word;
	} bad[] = {{0640, "[env-file]"}, {0604, "[env-file]"},	  {0601, "[env-file]"},	   {0610, "[env-file]"},
		   {0644, "[env-file]"}, {0620, "[policy-mode]"}, {0602, "[policy-mode]"}, {0660, "[policy-mode]"}};

	enter("");
	for (size_t i = 0; i < COUNT(good); i++) {
		cr_assert(chmod(SECRETS, good[i]) == 0);
		world_expect_app(world_probe(&world_deploy, NULL, NULL));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		cr_assert(chmod(SECRETS, bad[i].mode) == 0);
		expect_file_refused(bad[i].word, "mode");
	}
	world_file(SECRETS, WORLD_APP, WORLD_APP, 0600, "DB=" SECRET "\n");
	expect_file_refused("[policy-owner]", "the app user's");
	cr_assert(unlink(SECRETS) == 0);
	expect_file_refused("[policy-missing]", "missing");
	world_file("/etc/runas-app/secrets.real", 0, 0, 0600, "DB=" SECRET "\n");
	cr_assert(symlink("secrets.real", SECRETS) == 0);
	expect_file_refused("[policy-type]", "a symlink");
	cr_assert(unlink(SECRETS) == 0 && mkfifo(SECRETS, 0600) == 0);
	expect_file_refused("[policy-type]", "a FIFO");
	cr_assert(unlink(SECRETS) == 0 && mkdir(SECRETS, 0700) == 0);
	expect_file_refused("[policy-type]", "a directory");
}

Test(secrets, only_directories_that_root_alone_changes_lead_to_it) {
	enter("");
	world_app_policy("probe", "env_file = /srv/secrets/app.env\n");
	world_directory("/srv/secrets", 0, 0, 0755);
	world_file("/srv/secrets/app.env", 0, 0, 0600, "DB=" SECRET "\n");
	world_expect_app(world_probe(&world_deploy, NULL, NULL));
	cr_assert(chmod("/srv/secrets", 0775) == 0);
	expect_file_refused("[policy-mode]", "a group's directory");
	cr_assert(chmod("/srv/secrets", 01777) == 0);
	expect_file_refused("[policy-mode]", "everybody's directory");
	world_directory("/srv/secrets", WORLD_APP, WORLD_APP, 0755);
	expect_file_refused("[policy-owner]", "the app user's directory");
	world_directory("/srv/secrets", 0, 0, 0755);
	cr_assert(rename("/srv/secrets", "/srv/elsewhere") == 0 && symlink("elsewhere", "/srv/secrets") == 0);
	expect_file_refused("[policy-type]", "a symlink on the way");
}

Test(secrets, without_root_it_is_refused_by_name) {
	enter("");
	world_copy(WORLD_RUNAS, PLAIN, 0755);
	world_log();
	struct world_run *run = world_run(&(struct world_call){
		.who = &world_app, .program = PLAIN, .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE)});
	world_expect_refused(run, 125, "[env-file]");
	cr_expect(strstr(run->err, SECRETS) && strstr(run->err, "hint: "), "%s", run->err);
	expect_silence(run, "without root");
	/* Even one that the app user could read is not read. */
	cr_assert(chown(SECRETS, WORLD_APP, WORLD_APP) == 0);
	run = world_run(&(struct world_call){
		.who = &world_app, .program = PLAIN, .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE)});
	world_expect_refused(run, 125, "[env-file]");
	expect_silence(run, "without root, readable");
}

/* --- when it is read --- */

static unsigned count_opens(const char *user, const char *command) {
	unlink(TRACE);
	world_run(&(struct world_call){.who = &world_root,
				       .program = "/usr/bin/strace",
				       .argv = WORLD_LIST("strace", "-f", "-qqq", "-o", TRACE, "-u", user, "-e",
							  "trace=open,openat,openat2", WORLD_RUNAS, "probe", "--",
							  command),
				       .seconds = 20});
	char *trace = world_read(TRACE);
	unsigned opens = 0;
	cr_assert(trace && strstr(trace, "probe.conf"), "the trace does not show the policy's own opening");
	for (const char *at = trace; (at = strstr(at, "probe-secrets.env")); at++)
		opens++;
	free(trace);
	return opens;
}

Test(secrets, nobody_who_is_refused_has_it_opened) {
	enter("");
	if (access("/usr/bin/strace", X_OK) != 0)
		SKIP("strace is missing: scripts/bootstrap check installs it");
	world_policy("probe", "runas-app = 1\nallow_users = deploy\nuser = ra_app\ncommand = " WORLD_PROBE
			      "\nenv_file = " SECRETS "\n");
	cr_expect(count_opens("deploy", WORLD_PROBE) == 1, "an allowed launch opens it once");
	cr_expect(count_opens("deploy", "/bin/sh") == 0, "a command that is not allowed");
	cr_expect(count_opens("other", WORLD_PROBE) == 0, "a caller that is not allowed");
	/* So its trouble is nobody's who is not allowed. */
	cr_assert(chmod(SECRETS, 0644) == 0);
	struct world_run *run = world_probe(&world_other, NULL, NULL);
	world_expect_refused(run, 126, "[not-permitted]");
	cr_expect(strstr(run->err, "secrets") == NULL, "%s", run->err);
}

/* --- memory --- */

enum found { CLOSED, SEARCHED, FOUND };

static bool search_mapping(int memory, unsigned long from, unsigned long to) {
	static char block[(1 << 20) + 64];
	const char *const secret = SECRET;

	for (unsigned long at = from; at < to; at += 1 << 20) {
		size_t wanted = to - at < sizeof(block) ? to - at : sizeof(block);
		ssize_t got = pread(memory, block, wanted, (off_t)at);
		if (got > 0 && memmem(block, (size_t)got, secret, strlen(secret)))
			return true;
	}
	return false;
}

static enum found search_as(const struct world_person *who, pid_t victim) {
	pid_t child = fork();

	cr_assert(child >= 0);
	if (child == 0) {
		char path[64], line[512];
		unsigned long from, to;
		bool is_found = false;
		steps_become(who);
		snprintf(path, sizeof(path), "/proc/%d/mem", victim);
		int memory = open(path, O_RDONLY);
		snprintf(path, sizeof(path), "/proc/%d/maps", victim);
		FILE *maps = fopen(path, "r");
		if (memory < 0 || !maps)
			_exit(CLOSED);
		while (fgets(line, sizeof(line), maps))
			is_found = is_found || (sscanf(line, "%lx-%lx r", &from, &to) == 2 && !strstr(line, "[v") &&
						search_mapping(memory, from, to));
		_exit(is_found ? FOUND : SEARCHED);
	}
	int status = 0;
	cr_assert(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) <= FOUND);
	return (enum found)WEXITSTATUS(status);
}

static const char *const launch_words[] = {"runas-app", "probe", "--", WORLD_PROBE, NULL};

Test(secrets, the_launcher_s_memory_gives_them_to_root_only) {
	steps_keep(STEPS_DUMPABLE);
	enter("");
	for (const char *value = "0\0001\0002\0"; *value; value += 2) {
		steps_set(STEPS_DUMPABLE, value);
		for (size_t who = 0; who < COUNT(callers); who++) {
			int stops = 0, finds = 0;
			for (pid_t child; (child = steps_to(callers[who], launch_words, NULL, stops, true)) != 0;
			     stops++) {
				steps_leave_standing(child);
				finds += search_as(&world_root, child) == FOUND;
				cr_expect(search_as(&world_app, child) == CLOSED,
					  "suid_dumpable %s, stop %d: the app user looked in", value, stops);
				if (callers[who]->uid != 0)
					cr_expect(search_as(callers[who], child) == CLOSED,
						  "suid_dumpable %s, stop %d: the caller looked in", value, stops);
				kill(child, SIGKILL);
				waitpid(child, NULL, 0);
			}
			cr_expect(stops > 60 && finds > 30,
				  "%d stops, %d with a secret to be found: this proves little", stops, finds);
		}
	}
}

/* --- core files --- */

#define CORES "/tmp/cores"

static void allow_cores(void) {
	struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_CORE, &most) != 0)
		_exit(WORLD_CHILD_BROKE);
}

static unsigned cores, telling;

static void take_cores(void) {
	DIR *listing = opendir(CORES);
	char path[512];

	cores = telling = 0;
	cr_assert(listing);
	for (struct dirent *entry; (entry = readdir(listing));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), CORES "/%s", entry->d_name);
		int fd = open(path, O_RDONLY);
		struct stat facts;
		cr_assert(fd >= 0 && fstat(fd, &facts) == 0);
		cores++;
		telling += search_mapping(fd, 0, (unsigned long)facts.st_size);
		close(fd);
		unlink(path);
	}
	closedir(listing);
}

/* A fault of its own: a signal from outside would be blocked, and so come at another time. */
static void crash(pid_t child) {
	struct user_regs_struct registers;
	int status = 0;

	cr_assert(ptrace(PTRACE_GETREGS, child, NULL, &registers) == 0);
	registers.rip = 8;
	cr_assert(ptrace(PTRACE_SETREGS, child, NULL, &registers) == 0);
	cr_assert(ptrace(PTRACE_DETACH, child, NULL, NULL) == 0);
	cr_assert(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
		  "it did not crash: %#x", (unsigned)status);
}

Test(secrets, no_core_file_holds_them_wherever_the_launcher_crashes) {
	steps_keep(STEPS_DUMPABLE);
	steps_keep(STEPS_CORE_PATTERN);
	enter("");
	world_directory(CORES, 0, 0, 01777);
	steps_set(STEPS_CORE_PATTERN, CORES "/core.%p");

	/* What does crash into a core that tells: the app itself, which has them by right. */
	steps_set(STEPS_DUMPABLE, "0");
	struct world_run *run = world_start(&(struct world_call){.who = &world_app,
								 .argv = WORLD_LIST(WORLD_PROBE, "--sleep"),
								 .envp = WORLD_LIST("DB=" SECRET),
								 .as_caller = (void (*)(const void *))allow_cores});
	world_collect(run, "end: yes", 10);
	kill(run->pid, SIGSEGV);
	world_wait(run, 10);
	take_cores();
	cr_assert(cores == 1 && telling == 1, "%u cores, %u telling: the test would see none", cores, telling);

	for (const char *value = "0\0001\0002\0"; *value; value += 2) {
		steps_set(STEPS_DUMPABLE, value);
		for (size_t who = 0; who < COUNT(callers); who++) {
			int stops = 0;
			for (pid_t child; (child = steps_to(callers[who], launch_words, allow_cores, stops, true)) != 0;
			     stops++) {
				crash(child);
				take_cores();
				cr_expect(telling == 0, "suid_dumpable %s, stop %d: a core file tells", value, stops);
			}
			cr_expect(stops > 60, "%d stops only", stops);
		}
	}
}
