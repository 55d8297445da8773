/* SPDX-License-Identifier: ISC */
/* As the entry point of a container: Docker's situation, rebuilt with runc and an image that holds two files. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "world.h"

TestSuite(container, .timeout = 60);

#define BUNDLE "/srv/bundle"
#define ROOT BUNDLE "/rootfs"

/* What Docker gives a container. */
#define FOURTEEN                                                                                                       \
	"CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID CAP_SETUID CAP_SETFCAP "    \
	"CAP_SETPCAP "                                                                                                 \
	"CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE"

/* What Docker's default filter refuses to a container without more capabilities, as far as a launcher might meet it. */
static const char refused_calls[] = "acct add_key bpf clock_settime delete_module fanotify_init finit_module fsconfig "
				    "fsmount fsopen fspick get_mempolicy "
				    "init_module kcmp kexec_load keyctl lookup_dcookie mbind mount mount_setattr "
				    "move_mount move_pages name_to_handle_at "
				    "open_by_handle_at open_tree perf_event_open pivot_root ptrace quotactl reboot "
				    "request_key set_mempolicy setdomainname "
				    "sethostname setns settimeofday swapoff swapon umount2 unshare userfaultfd vhangup";

struct container {
	const char *user;	  /* the `user` object's members */
	const char *capabilities; /* of the bounding set, blank-separated */
	bool is_root;		  /* then they are effective, too */
	bool no_new_privileges;
	const char *app;
};

/* Blank-separated words as the strings of a JSON list. */
static const char *list_of(const char *words, char *into, size_t size) {
	size_t length = 0;

	into[0] = '\0';
	for (; *words; words += strcspn(words, " "), words += strspn(words, " ")) {
		length += (size_t)snprintf(into + length, size - length, "%s\"%.*s\"", length ? "," : "",
					   (int)strcspn(words, " "), words);
		cr_assert(length < size, "the list is too long");
	}
	return into;
}

static void enter(void) {
	/* clang-format off */
	static const char *const directories[] = {
		BUNDLE, ROOT, ROOT "/proc", ROOT "/dev", ROOT "/etc", ROOT "/etc/runas-app", ROOT "/usr", ROOT "/usr/local",
		ROOT "/usr/local/bin", ROOT "/srv", ROOT "/tmp",
	};
	/* clang-format on */

	world_enter();
	if (access("/usr/sbin/runc", X_OK) != 0 && access("/usr/bin/runc", X_OK) != 0)
		SKIP("runc is missing: scripts/bootstrap check installs it");
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		world_directory(directories[i], 0, 0, 0755);
	world_directory(ROOT "/srv/ra_app", WORLD_APP, WORLD_APP, 0750);
	/* As `COPY --from=... runas-app /usr/local/bin/` leaves it: no setuid bit is needed where root starts it. */
	world_copy(WORLD_RUNAS, ROOT "/usr/local/bin/runas-app", 0755);
	world_copy(WORLD_PROBE, ROOT "/usr/local/bin/probe", 0755);
	world_file(ROOT "/etc/passwd", 0, 0, 0644,
		   "root:x:0:0:root:/root:/bin/sh\nra_app:x:4002:4002::/srv/ra_app:/bin/sh\n");
	world_file(ROOT "/etc/group", 0, 0, 0644, "root:x:0:\nra_app:x:4002:\nra_web:x:4010:\n");
	world_file(ROOT "/etc/runas-app/app.conf", 0, 0, 0644,
		   "runas-app = 1\nuser = ra_app\ncommand = /usr/local/bin/probe *\nenv_keep = *\n");
	world_file(ROOT "/etc/runas-app/two.conf", 0, 0, 0644,
		   "runas-app = 1\nuser = ra_app\ngroups = ra_app ra_web\ncommand = /usr/local/bin/probe *\n");
	world_file(ROOT "/etc/runas-app/number.conf", 0, 0, 0644,
		   "runas-app = 1\nuser = 5000\ngroup = 5000\nhome = /tmp\ndirectory = /tmp\ncommand = "
		   "/usr/local/bin/probe *\n");
}

/* clang-format off: the OCI configuration, with ' where JSON has " */
static const char configuration[] =
	"{'ociVersion': '1.0.2',"
	" 'process': {"
	"  'terminal': false, 'user': {%s}, 'cwd': '/', 'args': ['runas-app', '%s', '--', 'probe'],"
	"  'env': ['PATH=/usr/local/bin:/bin', 'APP_COLOR=blue', 'LD_PRELOAD=/x'],"
	"  'capabilities': {'bounding': [%s], 'effective': [%s], 'permitted': [%s]}, 'noNewPrivileges': %s},"
	" 'root': {'path': 'rootfs', 'readonly': true}, 'hostname': 'app',"
	" 'mounts': ["
	"  {'destination': '/proc', 'type': 'proc', 'source': 'proc'},"
	"  {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'mode=755']}],"
	" 'linux': {"
	"  'namespaces': [{'type': 'pid'}, {'type': 'mount'}, {'type': 'ipc'}, {'type': 'uts'}, {'type': 'network'}],"
	"  'seccomp': {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': ["
	"   {'names': [%s], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 1},"
	"   {'names': ['clone3'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 38}]}}}";
/* clang-format on */

static struct world_run *run_container(const struct container *c) {
	static char text[8192], capabilities[1024], calls[2048];
	static unsigned number;
	char name[64];

	list_of(c->capabilities, capabilities, sizeof(capabilities));
	list_of(refused_calls, calls, sizeof(calls));
	snprintf(text, sizeof(text), configuration, c->user, c->app, capabilities, c->is_root ? capabilities : "",
		 c->is_root ? capabilities : "", c->no_new_privileges ? "true" : "false", calls);
	for (char *quote; (quote = strchr(text, '\'')) != NULL;)
		*quote = '"';
	world_file(BUNDLE "/config.json", 0, 0, 0644, text);
	snprintf(name, sizeof(name), "runas-app-test-%ld-%u", (long)getpid(), ++number);
	struct world_run *run = world_run(&(struct world_call){
		.who = &world_root,
		.program = access("/usr/sbin/runc", X_OK) == 0 ? "/usr/sbin/runc" : "/usr/bin/runc",
		.argv = WORLD_LIST("runc", "--root", "/run/runc", "run", "-b", BUNDLE, name),
		.seconds = 20});
	if (run->timed_out)
		world_run(&(struct world_call){
			.who = &world_root,
			.program = access("/usr/sbin/runc", X_OK) == 0 ? "/usr/sbin/runc" : "/usr/bin/runc",
			.argv = WORLD_LIST("runc", "--root", "/run/runc", "delete", "-f", name)});
	/* This machine's own trouble with containers is no verdict about runas-app. */
	if (!strstr(run->err, "runas-app: ") && run->out_length == 0 && strstr(run->err, "runc"))
		cr_log_warn("runc: %s", run->err);
	return run;
}

static const char as_root[] = "'uid': 0, 'gid': 0";
static const char as_app[] = "'uid': 4002, 'gid': 4002";

Test(container, root_becomes_the_app_user_with_dockers_capabilities_and_filter) {
	enter();
	struct world_run *run = run_container(&(struct container){as_root, FOURTEEN, true, false, "app"});
	world_expect_app(run);
	/* The container's filter, and our two. */
	world_expect_value(run, "seccomp_filters", "3");
	world_expect_value(run, "pid", "1");
	world_expect_value(run, "umask", "0027");
	world_expect_value(run, "cwd", "/srv/ra_app");
	cr_expect(world_env(run, "APP_COLOR") && strcmp(world_env(run, "APP_COLOR"), "blue") == 0,
		  "env_keep = * of real root");
	cr_expect(world_env(run, "LD_PRELOAD") == NULL, "the loader's variables are never kept");
	cr_expect(world_exited(run, 0));
}

Test(container, root_under_no_new_privileges_works_too) {
	enter();
	world_expect_app(run_container(&(struct container){as_root, FOURTEEN, true, true, "app"}));
}

Test(container, the_three_capabilities_alone_are_enough) {
	enter();
	world_expect_app(
		run_container(&(struct container){as_root, "CAP_SETUID CAP_SETGID CAP_SETPCAP", true, true, "app"}));
}

Test(container, supplementary_groups_and_numbers_work) {
	enter();
	world_expect_confined(run_container(&(struct container){as_root, FOURTEEN, true, false, "two"}), WORLD_APP,
			      WORLD_APP, "4002 4010", true);
	world_expect_confined(run_container(&(struct container){as_root, FOURTEEN, true, false, "number"}), 5000, 5000,
			      "5000", true);
}

Test(container, already_running_as_the_app_user_works) {
	enter();
	struct world_run *run = run_container(&(struct container){as_app, FOURTEEN, false, false, "app"});
	cr_assert(world_value(run, "end"), "stderr: %s", run->err);
	world_expect_value(run, "ruid", "4002");
	world_expect_value(run, "rgid", "4002");
	world_expect_value(run, "no_new_privs", "1");
	world_expect_value(run, "cap_permitted", "0000000000000000");
	world_expect_value(run, "cap_effective", "0000000000000000");
	world_expect_value(run, "cap_inheritable", "0000000000000000");
	world_expect_value(run, "cap_ambient", "0000000000000000");
	world_expect_value(run, "seccomp_filters", "3");
	world_expect_value(run, "umask", "0027");
	cr_expect(world_env(run, "APP_COLOR") && strcmp(world_env(run, "APP_COLOR"), "blue") == 0,
		  "env_keep = * of the app user");
	cr_expect(world_exited(run, 0));
}

Test(container, the_app_user_with_groups_that_differ_is_told_which) {
	enter();
	struct world_run *run = run_container(&(struct container){"'uid': 4002, 'gid': 4002, 'additionalGids': [4011]",
								  FOURTEEN, false, true, "app"});
	world_expect_refused(run, 125, "4011");
	run = run_container(&(struct container){as_app, FOURTEEN, false, true, "two"});
	world_expect_refused(run, 125, "4010");
	run = run_container(&(struct container){"'uid': 4002, 'gid': 4002, 'additionalGids': [4010]", FOURTEEN, false,
						true, "two"});
	cr_expect(world_exited(run, 0), "%s", run->err);
	world_expect_value(run, "ruid", "4002");
}

Test(container, another_user_is_refused_with_the_reason) {
	enter();
	struct world_run *run =
		run_container(&(struct container){"'uid': 4003, 'gid': 4003", FOURTEEN, false, true, "app"});
	cr_expect(run->out_length == 0 && !world_exited(run, 0), "%s", run->out);
	cr_expect(strstr(run->err, "no_new_privs") != NULL || strstr(run->err, "setuid") != NULL, "%s", run->err);
}

Test(container, root_without_setpcap_is_refused_and_told_what_to_add) {
	enter();
	struct world_run *run = run_container(
		&(struct container){as_root, "CAP_CHOWN CAP_SETGID CAP_SETUID CAP_KILL", true, false, "app"});
	world_expect_refused(run, 125, "SETPCAP");
	cr_expect(strstr(run->err, "hint: ") && strstr(run->err, "--cap-add"), "the runtime's flag is not named: %s",
		  run->err);
}

Test(container, a_setuid_copy_asks_the_policy_who_may_call) {
	enter();
	cr_assert(chmod(ROOT "/usr/local/bin/runas-app", 04755) == 0);
	struct world_run *run = run_container(&(struct container){as_app, FOURTEEN, false, false, "app"});
	world_expect_refused(run, 126, "[not-permitted]");
	world_file(ROOT "/etc/runas-app/app.conf", 0, 0, 0644,
		   "runas-app = 1\nallow_users = ra_app\nuser = ra_app\ncommand = /usr/local/bin/probe *\n");
	world_expect_app(run_container(&(struct container){as_app, FOURTEEN, false, false, "app"}));
}
