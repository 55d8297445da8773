/* SPDX-License-Identifier: ISC */
/* The app's environment is made from nothing: the policy's words, and what it lets through. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

TestSuite(environment, .timeout = 60);

/* ld.so(8), glibc's list of insecure variables, and what shells and interpreters obey. */
static const char *const hostile[] = {"LD_PRELOAD=/tmp/evil.so",
				      "LD_LIBRARY_PATH=/tmp",
				      "LD_AUDIT=/tmp/evil.so",
				      "LD_DEBUG=all",
				      "LD_BIND_NOW=1",
				      "GLIBC_TUNABLES=glibc.malloc.check=3",
				      "GCONV_PATH=/tmp",
				      "GETCONF_DIR=/tmp",
				      "HOSTALIASES=/etc/shadow",
				      "LOCALDOMAIN=evil",
				      "LOCPATH=/tmp",
				      "MALLOC_TRACE=/tmp/t",
				      "NIS_PATH=/tmp",
				      "NLSPATH=/tmp",
				      "RESOLV_HOST_CONF=/etc/shadow",
				      "RES_OPTIONS=x",
				      "TMPDIR=/home/deploy",
				      "TZDIR=/tmp",
				      "BASH_ENV=/tmp/evil",
				      "ENV=/tmp/evil",
				      "SHELLOPTS=xtrace",
				      "PS4=$(id)",
				      "IFS=/",
				      "CDPATH=/tmp",
				      "BASH_FUNC_ls%%=() { id; }",
				      "PATH=/home/deploy/bin:/tmp",
				      "HOME=/home/deploy",
				      "USER=root",
				      "LOGNAME=root",
				      "SHELL=/tmp/evil",
				      "PWD=/etc",
				      "OLDPWD=/etc",
				      "RUBYOPT=-r/tmp/evil",
				      "RUBYLIB=/tmp",
				      "GEM_HOME=/tmp",
				      "BUNDLE_GEMFILE=/tmp/Gemfile",
				      "PYTHONPATH=/tmp",
				      "PYTHONSTARTUP=/tmp/evil",
				      "NODE_OPTIONS=--require=/tmp/evil",
				      "JAVA_TOOL_OPTIONS=-javaagent:/tmp/evil.jar",
				      "PERL5OPT=-M/tmp/evil",
				      "PHPRC=/tmp",
				      "SUDO_USER=root",
				      "SUDO_UID=0",
				      "EDITOR=vi -- /etc/passwd",
				      "LISTEN_FDS=3",
				      "LISTEN_PID=1",
				      "NOTIFY_SOCKET=@evil",
				      "RAILS_ENV=production",
				      "FOO",
				      "=bar",
				      "",
				      NULL};

static struct world_run *run_with(const struct world_person *who, const char *const *environment) {
	return world_run(&(struct world_call){.who = who,
					      .program = WORLD_RUNAS,
					      .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
					      .envp = environment});
}

static void expect_env(const struct world_run *run, const char *name, const char *value) {
	const char *found = world_env(run, name);

	if (!value)
		cr_expect(!found, "%s=%s reached the app", name, found);
	else
		cr_expect(found && strcmp(found, value) == 0, "%s is `%s`, not `%s`\n%s", name,
			  found ? found : "missing", value, run->err);
}

static void expect_plain(const struct world_run *run, const char *count) {
	world_expect_app(run);
	expect_env(run, "HOME", "/srv/ra_app");
	expect_env(run, "USER", "ra_app");
	expect_env(run, "LOGNAME", "ra_app");
	expect_env(run, "SHELL", "/bin/sh");
	expect_env(run, "PATH", "/usr/local/bin:/usr/bin:/bin");
	expect_env(run, "PWD", "/srv/ra_app");
	world_expect_value(run, "env_count", count);
}

/* Attack C1. */
Test(environment, nothing_of_a_hostile_caller_arrives) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *direct =
		world_run(&(struct world_call){.who = &world_deploy, .argv = WORLD_LIST(WORLD_PROBE), .envp = hostile});
	cr_assert(atoi(world_value(direct, "env_count")) > 40,
		  "the hostile environment does not even reach a plain command");
	expect_plain(run_with(&world_deploy, hostile), "6");
	expect_plain(run_with(&world_root, hostile), "6");
}

Test(environment, an_empty_environment_gives_the_same) {
	world_enter();
	world_app_policy("probe", "");
	expect_plain(run_with(&world_deploy, WORLD_LIST(NULL)), "6");
}

Test(environment, language_and_terminal_come_along) {
	world_enter();
	world_app_policy("probe", "");
	struct world_run *run = run_with(&world_deploy, WORLD_LIST("LANG=C.UTF-8", "LC_ALL=C", "TERM=xterm", "TZ=UTC",
								   "COLORTERM=truecolor", "FOO=1"));
	expect_plain(run, "11");
	expect_env(run, "LANG", "C.UTF-8");
	expect_env(run, "LC_ALL", "C");
	expect_env(run, "TERM", "xterm");
	expect_env(run, "TZ", "UTC");
	world_app_policy("probe", "env_keep = none\n");
	expect_plain(run_with(&world_deploy, WORLD_LIST("LANG=C.UTF-8", "LC_ALL=C", "TERM=xterm")), "6");
}

Test(environment, the_policys_own_arrive_byte_for_byte_and_win) {
	world_enter();
	world_app_policy("probe",
			 "env = RAILS_ENV=production\nenv = GREETING=a = b  \"c\" #d\nenv = LD_PRELOAD=/lib/ok.so\n"
			 "env = TZ=Europe/Berlin\nenv_keep = RAILS_ENV\n");
	struct world_run *run = run_with(&world_deploy, WORLD_LIST("RAILS_ENV=test", "TZ=/etc/shadow"));
	world_expect_app(run);
	expect_env(run, "RAILS_ENV", "production");
	expect_env(run, "GREETING", "a = b  \"c\" #d");
	expect_env(run, "LD_PRELOAD", "/lib/ok.so");
	expect_env(run, "TZ", "Europe/Berlin");
	world_expect_value(run, "env_count", "10");
}

Test(environment, kept_names_and_prefixes_arrive_and_no_others) {
	world_enter();
	world_app_policy("probe", "env_keep = RAILS_ENV APP_*\n");
	struct world_run *run = run_with(
		&world_deploy, WORLD_LIST("RAILS_ENV=test", "APP_ONE=1", "APP_=empty", "APPLE=1", "RAILS_ENVY=1"));
	world_expect_app(run);
	expect_env(run, "RAILS_ENV", "test");
	expect_env(run, "APP_ONE", "1");
	expect_env(run, "APPLE", NULL);
	expect_env(run, "RAILS_ENVY", NULL);
}

Test(environment, a_star_is_for_root_and_the_app_user_only) {
	world_enter();
	world_app_policy("probe", "env_keep = *\n");
	static const char *const given[] = {"FOO=1",	       "MULTI=a\nb", "LD_PRELOAD=/tmp/evil.so",
					    "PYTHONPATH=/tmp", "HOME=/root", NULL};
	struct world_run *run = run_with(&world_root, given);
	world_expect_app(run);
	expect_env(run, "FOO", "1");
	expect_env(run, "MULTI", "a\\012b");
	expect_env(run, "LD_PRELOAD", NULL);
	expect_env(run, "PYTHONPATH", NULL);
	expect_env(run, "HOME", "/srv/ra_app");
	run = run_with(&world_deploy, given);
	if (world_value(run, "end"))
		expect_plain(run, "6");
	else
		world_expect_refused(run, 125, "env");
}

Test(environment, kept_values_are_printable_and_bounded) {
	static char long_value[40000];
	static const char *const bad[] = {"APP_X=a\nb", "APP_X=\x1b[2J", "APP_X=\x7f"};

	world_enter();
	world_app_policy("probe", "env_keep = APP_*\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct world_run *run = run_with(&world_deploy, WORLD_LIST(bad[i]));
		world_expect_refused(run, 125, "APP_X");
	}
	memset(long_value, 'a', sizeof(long_value) - 1);
	memcpy(long_value, "APP_X=", 6);
	world_expect_refused(run_with(&world_deploy, WORLD_LIST(long_value)), 125, "APP_X");
	world_expect_refused(run_with(&world_deploy, WORLD_LIST("APP_X=1", "APP_X=2")), 125, "APP_X");
}

Test(environment, loader_and_interpreter_names_cannot_be_kept) {
	static const char *const names[] = {"LD_PRELOAD", "LD_*",    "BASH_ENV",     "ENV",	  "IFS",
					    "PYTHONPATH", "RUBYOPT", "NODE_OPTIONS", "PERL5LIB",  "GLIBC_TUNABLES",
					    "HOME",	  "PATH",    "USER",	     "LISTEN_FDS"};
	char more[128];

	world_enter();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(more, sizeof(more), "env_keep = %s\n", names[i]);
		world_app_policy("probe", more);
		struct world_run *run = run_with(&world_root, WORLD_LIST("A=b"));
		world_expect_refused(run, 125, "/etc/runas-app/probe.conf:6:");
		cr_expect(strstr(run->err, names[i]) != NULL, "%s", run->err);
	}
}

Test(environment, passed_sockets_of_root_are_announced_anew) {
	world_enter();
	world_app_policy("probe", "keep_fds = 3 4\n");
	/* Without the right pid nothing is announced. */
	struct world_run *run = run_with(&world_root, WORLD_LIST("LISTEN_FDS=2", "LISTEN_PID=1", "LISTEN_FDNAMES=a:b"));
	expect_plain(run, "6");
	run = run_with(&world_deploy, WORLD_LIST("LISTEN_FDS=2", "LISTEN_PID=1", "LISTEN_FDNAMES=a:b"));
	expect_plain(run, "6");

	/* With it, what is kept is announced under the same pid, which stays the command's. */
	run = world_run(&(struct world_call){
		.who = &world_root,
		.argv = WORLD_LIST("/bin/sh", "-c",
				   "exec 3</etc/passwd 4</etc/group 5</etc/shells; "
				   "LISTEN_PID=$$ LISTEN_FDS=3 LISTEN_FDNAMES=web:admin:other exec " WORLD_RUNAS
				   " probe -- " WORLD_PROBE)});
	world_expect_app(run);
	expect_env(run, "LISTEN_FDS", "2");
	expect_env(run, "LISTEN_PID", world_value(run, "pid"));
	expect_env(run, "LISTEN_FDNAMES", "web:admin");
	cr_expect(world_value(run, "fd_3") && world_value(run, "fd_4") && !world_value(run, "fd_5"), "%.600s",
		  run->out);
	run = world_run(&(struct world_call){
		.who = &world_deploy,
		.argv = WORLD_LIST("/bin/sh", "-c",
				   "exec 3</etc/passwd 4</etc/group; LISTEN_PID=$$ LISTEN_FDS=2 exec " WORLD_RUNAS
				   " probe -- " WORLD_PROBE),
		.envp = WORLD_LIST("PATH=/usr/bin:/bin")});
	expect_plain(run, "6");
}

Test(environment, of_what_nobody_asked_for_no_value_names_a_file) {
	static const char *const zones[] = {"TZ=/tmp/fifo", "TZ=:/tmp/fifo", "TZ=../../tmp/fifo", "LANG=/tmp/x", "LC_ALL=a:/tmp"};

	world_enter();
	world_app_policy("probe", "");
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		struct world_run *run = world_run(&(struct world_call){.who = &world_deploy,
								       .program = WORLD_RUNAS,
								       .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
								       .envp = WORLD_LIST(zones[i], "TERM=xterm")});
		world_expect_value(run, "ruid", "4002");
		cr_expect(strstr(run->out, "env: TERM=xterm\n") != NULL && strstr(run->out, zones[i]) == NULL, "%s", zones[i]);
	}
	static const char *const plain[] = {"TZ=Europe/Berlin", "TZ=:/etc/localtime", "LANG=de_DE.UTF-8@euro"};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct world_run *run = world_run(&(struct world_call){.who = &world_deploy,
								       .program = WORLD_RUNAS,
								       .argv = WORLD_LIST("runas-app", "probe", "--", WORLD_PROBE),
								       .envp = WORLD_LIST(plain[i])});
		cr_expect(strstr(run->out, plain[i]) != NULL, "%s", plain[i]);
	}
}
