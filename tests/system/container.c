/* SPDX-License-Identifier: ISC */
#include "container.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../helpers/skip.h"

#define BUNDLE "/srv/bundle"
#define ROOT CONTAINER_ROOT

/* What Docker's default filter refuses to a container without more capabilities, as far as a launcher might meet it. */
static const char refused_calls[] = "acct add_key bpf clock_settime delete_module fanotify_init finit_module fsconfig "
				    "fsmount fsopen fspick get_mempolicy "
				    "init_module kcmp kexec_load keyctl lookup_dcookie mbind mount mount_setattr "
				    "move_mount move_pages name_to_handle_at "
				    "open_by_handle_at open_tree perf_event_open pivot_root ptrace quotactl reboot "
				    "request_key set_mempolicy setdomainname "
				    "sethostname setns settimeofday swapoff swapon umount2 unshare userfaultfd vhangup";

/* clang-format off */
static const char configuration[] =
	"{'ociVersion': '1.0.2',"
	" 'process': {"
	"  'terminal': false, 'user': {%s}, 'cwd': '/', 'args': ['runas-app', '%s', '--', 'probe'],"
	"  'env': ['PATH=/usr/local/bin:/bin', 'APP_COLOR=blue', 'LD_PRELOAD=/x'],"
	"  'capabilities': {'bounding': [%s], 'effective': [%s], 'permitted': [%s]}, 'noNewPrivileges': %s%s},"
	" 'root': {'path': 'rootfs', 'readonly': %s}, 'hostname': 'app',"
	" 'mounts': ["
	"  {'destination': '/proc', 'type': 'proc', 'source': 'proc'},"
	"  {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'mode=755']}%s],"
	" 'linux': {"
	"  'namespaces': [{'type': 'pid'}, {'type': 'mount'}, {'type': 'ipc'}, {'type': 'uts'}%s],"
	"  'seccomp': {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': ["
	"   {'names': [%s], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 1},"
	"   {'names': ['clone3'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 38}]}}}";
/* clang-format on */

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

static const char *find_runc(void) {
	return access("/usr/sbin/runc", X_OK) == 0  ? "/usr/sbin/runc"
	       : access("/usr/bin/runc", X_OK) == 0 ? "/usr/bin/runc"
						    : NULL;
}

void container_policy(const char *app, const char *text) {
	char path[256];

	snprintf(path, sizeof(path), ROOT "/etc/runas-app/%s.conf", app);
	world_file(path, 0, 0, 0644, text);
}

static void use_busybox(void) {
	static const char *const names[] = {"sh", "httpd", "sleep", "ls", "su", "chroot"};
	char path[256];

	if (access(CONTAINER_BUSYBOX, X_OK) != 0)
		return;
	world_directory(ROOT "/bin", 0, 0, 0755);
	world_copy(CONTAINER_BUSYBOX, ROOT CONTAINER_BUSYBOX, 0755);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), ROOT "/bin/%s", names[i]);
		cr_assert(symlink("busybox", path) == 0);
	}
}

void container_enter(void) {
	/* clang-format off */
	static const char *const directories[] = {
		BUNDLE, ROOT, ROOT "/proc", ROOT "/dev", ROOT "/etc", ROOT "/etc/runas-app", ROOT "/usr", ROOT "/usr/local",
		ROOT "/usr/local/bin", ROOT "/srv", ROOT "/tmp",
	};
	/* clang-format on */

	world_enter();
	if (!find_runc())
		SKIP("runc is missing: scripts/bootstrap check installs it");
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		world_directory(directories[i], 0, 0, 0755);
	world_directory(ROOT "/srv/ra_app", WORLD_APP, WORLD_APP, 0750);
	/* As `COPY --from=... runas-app /usr/local/bin/` leaves it: no setuid bit is needed where root starts it. */
	world_copy(WORLD_RUNAS, ROOT "/usr/local/bin/runas-app", 0755);
	world_copy(WORLD_PROBE, ROOT "/usr/local/bin/probe", 0755);
	use_busybox();
	world_file(ROOT "/etc/passwd", 0, 0, 0644,
		   "root:x:0:0:root:/root:/bin/sh\nra_app:x:4002:4002::/srv/ra_app:/bin/sh\n");
	world_file(ROOT "/etc/group", 0, 0, 0644, "root:x:0:\nra_app:x:4002:\nra_web:x:4010:\n");
}

static void write_configuration(const struct container *c) {
	static char text[8192], capabilities[1024], calls[2048];
	int length;

	list_of(c->capabilities, capabilities, sizeof(capabilities));
	list_of(refused_calls, calls, sizeof(calls));
	length = snprintf(text, sizeof(text), configuration, c->user, c->app ? c->app : "app", capabilities,
			  c->is_root ? capabilities : "", c->is_root ? capabilities : "",
			  c->no_new_privileges ? "true" : "false", c->process ? c->process : "",
			  c->is_writable ? "false" : "true", c->mounts ? c->mounts : "",
			  c->shares_network ? "" : ", {'type': 'network'}", calls);
	cr_assert(length > 0 && (size_t)length < sizeof(text), "the configuration is too long");
	for (char *quote; (quote = strchr(text, '\'')) != NULL;)
		*quote = '"';
	world_file(BUNDLE "/config.json", 0, 0, 0644, text);
}

static char container_name[64];

static struct world_run *run_runc(const char *const *argv) {
	return world_run(&(struct world_call){.who = &world_root, .program = find_runc(), .argv = argv});
}

struct world_run *container_start(const struct container *c) {
	static unsigned number;

	write_configuration(c);
	snprintf(container_name, sizeof(container_name), "runas-app-test-%ld-%u", (long)getpid(), ++number);
	return world_start(&(struct world_call){
		.who = &world_root,
		.program = find_runc(),
		.argv = WORLD_LIST("runc", "--root", "/run/runc", "run", "-b", BUNDLE, container_name)});
}

void container_signal(const char *signal) {
	struct world_run *run = run_runc(WORLD_LIST("runc", "--root", "/run/runc", "kill", container_name, signal));

	cr_assert(world_exited(run, 0), "runc kill: %s", run->err);
}

void container_wait(struct world_run *run) {
	world_wait(run, 20);
	if (run->timed_out)
		run_runc(WORLD_LIST("runc", "--root", "/run/runc", "delete", "-f", container_name));
	/* This machine's own trouble with containers is no verdict about runas-app. */
	if (!strstr(run->err, "runas-app: ") && run->out_length == 0 && strstr(run->err, "runc"))
		dprintf(2, "runc: %s\n", run->err);
}

struct world_run *container_run(const struct container *c) {
	struct world_run *run = container_start(c);

	container_wait(run);
	return run;
}
