/* SPDX-License-Identifier: ISC */
/* nginx, supervisor and gunicorn with Django, as the recipe has them: who runs, who reads, who restarts whom. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recipe.h"
#include "server.h"
#include "shop.h"

TestSuite(supervisor, .timeout = 120);

enum { PROCESSES_MAX = 64, WORKERS = 2 };

/* --- questions --- */

static const char *expect_answer(const char *path, const char *status) {
	const char *answer = shop_ask(path);
	const char *found = world_value_in(answer, "status");

	cr_expect(found && strcmp(found, status) == 0, "%s: %s\n%s\n%s", path, answer,
		  world_read("/var/log/nginx/error.log"), world_read(SHOP_LOG));
	return answer;
}

static void expect_fact(const char *answer, const char *key, const char *expected) {
	const char *found = world_value_in(answer, key);

	cr_expect(found && strcmp(found, expected) == 0, "%s is `%s`, not `%s`", key, found ? found : "missing",
		  expected);
}

static void expect_number(const char *answer, const char *key, long expected) {
	char number[32];

	snprintf(number, sizeof(number), "%ld", expected);
	expect_fact(answer, key, number);
}

static pid_t supervised_pid(void) {
	struct world_run *run = shop_supervisorctl("pid", NULL);

	cr_assert(world_exited(run, 0) && atoi(run->out) > 1, "%s%s", run->out, run->err);
	return atoi(run->out);
}

/* --- identity --- */

static bool is_the_apps(const char *status) {
	const char *uid = world_value_in(status, "Uid");

	return uid && (uid_t)atoi(uid) == shop_user.pw_uid;
}

/* All processes here whose real user is the app's. */
static size_t app_processes(pid_t *pids) {
	pid_t all[PROCESSES_MAX];
	size_t count = server_processes(all, PROCESSES_MAX), found = 0;

	for (size_t i = 0; i < count; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%d/status", all[i]);
		const char *status = world_read(path);
		if (status && is_the_apps(status))
			pids[found++] = all[i];
	}
	return found;
}

static bool has_variable(const char *environment, size_t length, const char *start) {
	for (size_t at = 0; at < length; at += strlen(environment + at) + 1) {
		if (strncmp(environment + at, start, strlen(start)) == 0)
			return true;
	}
	return false;
}

static void expect_environment(pid_t pid) {
	static const char *const absent[] = {"SUPERVISOR_", "HOME=/root", "MARK="};
	static const char *const present[] = {"HOME=" SHOP_HOME,
					      "USER=shop",
					      "LOGNAME=shop",
					      "PWD=" SHOP_HOME "/current",
					      "DJANGO_SETTINGS_MODULE=shop.settings",
					      "SECRET_KEY="};
	char path[64], text[16384];

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	FILE *file = fopen(path, "r");
	cr_assert(file);
	size_t length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		cr_expect(!has_variable(text, length, absent[i]), "%d has %s", pid, absent[i]);
	for (size_t i = 0; i < sizeof(present) / sizeof(present[0]); i++)
		cr_expect(has_variable(text, length, present[i]), "%d has no %s", pid, present[i]);
}

/* Supervisor's child, whom the others are the children of. */
static pid_t gunicorn_master;

static bool is_master(const char *status) { return atoi(world_value_in(status, "Pid")) == gunicorn_master; }

static bool is_worker(const char *status) { return is_the_apps(status) && !is_master(status); }

static void expect_identity(pid_t master) {
	pid_t pids[PROCESSES_MAX];
	char uids[64], gids[64], group[32], supervisor[32], parent[32];
	size_t count;

	gunicorn_master = master;
	for (long limit = server_now() + 10000; (count = app_processes(pids)) != 1 + WORKERS && server_now() < limit;)
		usleep(20000);
	cr_expect(count == 1 + WORKERS, "%zu processes", count);
	snprintf(uids, sizeof(uids), "%u %u %u %u", shop_user.pw_uid, shop_user.pw_uid, shop_user.pw_uid,
		 shop_user.pw_uid);
	snprintf(gids, sizeof(gids), "%u %u %u %u", shop_user.pw_gid, shop_user.pw_gid, shop_user.pw_gid,
		 shop_user.pw_gid);
	snprintf(group, sizeof(group), "%u", shop_user.pw_gid);
	snprintf(supervisor, sizeof(supervisor), "%d", shop_supervisord->pid);
	snprintf(parent, sizeof(parent), "%d", master);
	const struct server_fact facts[] = {{"Uid", uids},     {"Gid", gids},	{"Groups", group},
					    {"Umask", "0027"}, SERVER_CONFINED, {NULL, NULL}};
	cr_expect(server_expect_each(is_the_apps, facts) == count);
	cr_expect(server_expect_each(is_master,
				     (const struct server_fact[]){{"Uid", uids}, {"PPid", supervisor}, {NULL, NULL}}) ==
			  1,
		  "supervisor's child %d is not the app's", master);
	cr_expect(server_expect_each(is_worker, (const struct server_fact[]){{"PPid", parent}, {NULL, NULL}}) ==
		  count - 1);
	for (size_t i = 0; i < count; i++)
		expect_environment(pids[i]);
}

static void expect_file(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	struct stat facts;

	cr_assert(stat(path, &facts) == 0, "%s: %s", path, strerror(errno));
	cr_expect(facts.st_uid == uid && facts.st_gid == gid && (facts.st_mode & 07777) == mode, "%s: %u:%u %04o", path,
		  facts.st_uid, facts.st_gid, facts.st_mode & 07777);
}

static int why(const char *path, const char *user, const char *expected) {
	struct world_run *run = shop_run(&world_root, "/", WORLD_LIST(SHOP_TOOL, "why", "shop", path, "--user", user));

	cr_expect(!expected || strstr(run->out, expected) || strstr(run->err, expected), "no `%s` in %s%s", expected,
		  run->out, run->err);
	return WIFEXITED(run->status) ? WEXITSTATUS(run->status) : -1;
}

static struct world_run *manage_py(const char *directory, const char *verb, const char *more) {
	struct world_run *run = shop_run(&world_root, directory,
					 WORLD_LIST(WORLD_RUNAS, "shop", "--", "python", "manage.py", verb, more));

	cr_assert(world_exited(run, 0), "%s: status %#x\n%s%s", verb, (unsigned)run->status, run->out, run->err);
	return run;
}

/* --- */

Test(supervisor, recipe_is_found_good) {
	shop_enter(false);
	struct world_run *run = shop_run(&world_root, "/", WORLD_LIST(SHOP_TOOL, "check", "--strict", "shop"));
	/* With a note that only root may start it, which supervisor is. */
	cr_expect(world_exited(run, 0) && strstr(run->out, "\nshop: ok\n") != NULL, "%s%s", run->out, run->err);
}

Test(supervisor, gunicorn_is_supervisors_own_process_with_the_policys_identity) {
	shop_enter(false);
	shop_start_supervisor();
	shop_start_nginx();
	shop_expect_running();
	pid_t master = supervised_pid(), pids[PROCESSES_MAX];
	const char *answer = expect_answer("/", "200");
	expect_number(answer, "master", master);
	expect_number(answer, "uid", shop_user.pw_uid);
	expect_fact(answer, "release", "first");
	expect_fact(answer, "cwd", SHOP_HOME "/releases/first");
	expect_identity(master);

	/* What it makes, its group can read, and nobody else. */
	answer = expect_answer("/upload", "200");
	expect_fact(answer, "mkdir", "ok");
	expect_fact(answer, "file", "ok");
	expect_file(SHOP_HOME "/media/made", shop_user.pw_uid, shop_user.pw_gid, 02750);
	expect_file(SHOP_HOME "/media/made/upload", shop_user.pw_uid, shop_user.pw_gid, 0640);

	/* The socket is everybody's, and its directory nginx's alone. */
	expect_file(SHOP_SOCKET, shop_user.pw_uid, 33, 0777);
	expect_file("/run/shop", shop_user.pw_uid, 33, 02750);
	cr_expect(why(SHOP_SOCKET, "www-data", NULL) == 0);
	cr_expect(why(SHOP_SOCKET, "other", "/run/shop") == 1);

	/* Restart and stop reach it. */
	struct world_run *run = shop_supervisorctl("restart", NULL);
	cr_expect(world_exited(run, 0), "%s%s", run->out, run->err);
	shop_expect_running();
	pid_t second = supervised_pid();
	cr_expect(second != master && kill(master, 0) != 0);
	expect_number(expect_answer("/", "200"), "master", second);
	expect_identity(second);

	run = shop_supervisorctl("stop", NULL);
	cr_expect(world_exited(run, 0), "%s%s", run->out, run->err);
	shop_expect_state("STOPPED");
	cr_expect(app_processes(pids) == 0, "workers are left");
	const char *log = world_read(SHOP_LOG);
	cr_expect(log && strstr(log, "Handling signal: term"), "%s", log);
	/* By itself, in its own time: it took its socket away. */
	cr_expect(access(SHOP_SOCKET, F_OK) != 0);
	expect_answer("/", "502");
	shop_stop_all();
}

static void expect_unreadable(const struct world_person *who, const char *path) {
	struct world_run *run = shop_run(who, "/", WORLD_LIST("/bin/cat", path));

	cr_expect(world_exited(run, 1) && strstr(run->err, "Permission denied"), "%u reads %s: %s%s", who->uid, path,
		  run->out, run->err);
}

/* The groups of nginx's real workers. */
static struct world_person web_worker(void) {
	struct world_person person = {33, 33, 0, {0}};
	pid_t pids[PROCESSES_MAX];
	size_t count = server_processes(pids, PROCESSES_MAX);

	for (size_t i = 0; i < count; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%d/status", pids[i]);
		const char *status = world_read(path), *uid = status ? world_value_in(status, "Uid") : NULL;
		if (!uid || atoi(uid) != 33)
			continue;
		char *at = (char *)(size_t)world_value_in(status, "Groups"), *end;
		for (; person.group_count < 4; at = end) {
			gid_t gid = (gid_t)strtoul(at, &end, 10);
			if (end == at)
				break;
			person.groups[person.group_count++] = gid;
		}
		return person;
	}
	cr_assert_fail("nginx has no worker");
	return person;
}

Test(supervisor, static_files_through_the_group_and_secrets_not_at_all) {
	shop_enter(false);
	manage_py("/", "collectstatic", "--noinput");
	expect_file(SHOP_HOME "/static/site.css", shop_user.pw_uid, shop_user.pw_gid, 0640);
	shop_start_supervisor();
	shop_start_nginx();
	shop_expect_running();
	const char *answer = expect_answer("/static/site.css", "200");
	cr_expect(strstr(answer, "color: black"), "%s", answer);

	/* The app tries, then leads nginx to what it cannot have itself. */
	answer = expect_answer("/attempts", "200");
	for (const char *const *key = WORLD_LIST("key", "secrets", "code", "flip"); *key; key++)
		expect_fact(answer, *key, "EACCES");
	expect_fact(answer, "key_link", "ok");
	expect_fact(answer, "secrets_link", "ok");
	expect_fact(answer, "others", world_landlock_abi() >= 2 ? "EACCES" : "ok");
	expect_answer("/static/key", "403");
	expect_answer("/static/secrets", "403");

	struct world_person web = web_worker(), app = {shop_user.pw_uid, shop_user.pw_gid, 1, {shop_user.pw_gid}};
	bool in_group = false;
	for (size_t i = 0; i < web.group_count; i++)
		in_group = in_group || web.groups[i] == shop_user.pw_gid;
	cr_expect(in_group, "nginx's worker is not in the app's group");
	for (const char *const *path = WORLD_LIST(SHOP_KEY, SHOP_SECRETS); *path; path++) {
		expect_unreadable(&web, *path);
		expect_unreadable(&app, *path);
	}
	/* It reads, and writes nothing. */
	struct world_run *run = shop_run(
		&web, "/",
		WORLD_LIST("/bin/sh", "-c",
			   "cat " SHOP_HOME
			   "/static/site.css; for x in static media releases current/shop .; do echo >" SHOP_HOME
			   "/$x/by-nginx; done; echo >>" SHOP_HOME "/static/site.css"));
	cr_expect(strstr(run->out, "color: black"), "%s", run->err);
	run = SHOP_AS_ROOT("/usr/bin/find", SHOP_HOME, "-name", "by-nginx");
	cr_expect(run->out_length == 0, "%s", run->out);
	cr_expect(strstr(world_read(SHOP_HOME "/static/site.css"), "black }\n\n") == NULL);

	/* The value is in no file but its own. */
	const char *value = strchr(world_read(SHOP_SECRETS), '=') + 1;
	char *secret = strndup(value, strcspn(value, "\n"));
	cr_assert(strlen(secret) == 64, "%s", secret);
	run = shop_run(&world_root, "/",
		       WORLD_LIST("/bin/grep", "-rlF", "--exclude-dir=.host", "--exclude-dir=build", secret, "/srv",
				  "/var/log", "/run", "/etc"));
	cr_expect(strcmp(run->out, SHOP_SECRETS "\n") == 0, "%s%s", run->out, run->err);

	/* Out of the group, the same request is a 403, and `why` says so. */
	shop_stop(shop_nginx);
	SHOP_AS_ROOT("/usr/bin/gpasswd", "--delete", "www-data", "shop");
	shop_start_nginx();
	expect_answer("/static/site.css", "403");
	cr_expect(why(SHOP_HOME "/static/site.css", "www-data", "usermod -aG shop www-data") == 1);
	/* The socket needs no group of the app's. */
	expect_answer("/", "200");
	shop_stop_all();
}

static size_t occurrences(const char *text, const char *word) {
	size_t count = 0;

	for (const char *at = text; at && (at = strstr(at, word)); at++)
		count++;
	return count;
}

Test(supervisor, a_wrong_policy_is_fatal_with_the_reason_in_the_log) {
	shop_enter(true);
	char *good = world_read(SHOP_POLICY), *wrong = strdup(good);
	memcpy(strstr(wrong, "\nuser "), "\nusr  ", 6);
	world_file(SHOP_POLICY, 0, 0, 0644, wrong);
	shop_start_supervisor();
	shop_expect_state("FATAL");
	const char *log = world_read(SHOP_LOG);
	cr_expect(occurrences(log, "runas-app: shop: " SHOP_POLICY ":13: unknown key \"usr\" [policy-key]\nhint: ") ==
			  4,
		  "startretries=3, and the first: %s", log);
	sleep(2);
	cr_expect(occurrences(world_read(SHOP_LOG), "[policy-key]") == 4, "it goes on: %s", world_read(SHOP_LOG));

	/* Mended, it is started by hand. */
	world_file(SHOP_POLICY, 0, 0, 0644, good);
	struct world_run *run = shop_supervisorctl("start", NULL);
	cr_expect(world_exited(run, 0) && strcmp(run->out, "shop: started\n") == 0, "%s%s", run->out, run->err);
	shop_stop(shop_supervisord);
	server_expect_gone("stopped");
}

Test(supervisor, after_a_reboot_the_sockets_directory_is_made_anew) {
	shop_enter(false);
	shop_start_supervisor();
	shop_start_nginx();
	shop_expect_running();
	expect_answer("/", "200");
	shop_stop_all();

	recipe_hide("/run");
	unlink(SHOP_LOG);
	shop_start_supervisor();
	shop_start_nginx();
	const char *log, *missing = world_landlock_abi() >= 2 ? "runas-app: shop: /run/shop: " : SHOP_SOCKET;
	long limit = server_now() + 20000;
	while (!((log = world_read(SHOP_LOG)) && strstr(log, missing)) && server_now() < limit)
		usleep(100000);
	cr_expect(log && strstr(log, missing), "%s", log);
	cr_expect(world_landlock_abi() < 2 || strstr(log, "[write]\nhint: "), "%s", log);
	expect_answer("/", "502");
	shop_stop_all();

	/* As every boot does, before the services. */
	SHOP_AS_ROOT("/usr/bin/systemd-tmpfiles", "--create", "/etc/tmpfiles.d/shop.conf");
	shop_start_supervisor();
	shop_start_nginx();
	shop_expect_running();
	expect_answer("/", "200");
	expect_identity(supervised_pid());
	shop_stop_all();
}

Test(supervisor, hup_serves_the_release_that_current_leads_to) {
	shop_enter(false);
	manage_py("/", "migrate", "--noinput");
	shop_start_supervisor();
	shop_start_nginx();
	shop_expect_running();
	pid_t master = supervised_pid();
	expect_fact(expect_answer("/visit", "200"), "visits", "1");

	/* Migrated in its own directory before it is current, as the app's user. */
	shop_make_release("second");
	unlink(SHOP_HOME "/media/database");
	world_expect_value(manage_py(SHOP_HOME "/releases/second", "migrate", "--noinput"), "release", "second");
	expect_file(SHOP_HOME "/media/database", shop_user.pw_uid, shop_user.pw_gid, 0640);
	expect_fact(expect_answer("/", "200"), "release", "first");
	shop_flip("second");
	struct world_run *run = shop_supervisorctl("signal", "HUP");
	cr_expect(world_exited(run, 0), "%s%s", run->out, run->err);

	const char *answer;
	long limit = server_now() + 20000;
	while (strcmp(world_value_in(answer = expect_answer("/", "200"), "release"), "second") != 0 &&
	       server_now() < limit)
		usleep(50000);
	expect_fact(answer, "release", "second");
	expect_fact(answer, "cwd", SHOP_HOME "/releases/second");
	expect_number(answer, "master", master);
	expect_identity(master);
	for (int i = 0; i < 20; i++)
		expect_fact(expect_answer("/", "200"), "release", "second");
	shop_expect_running();
	cr_expect(supervised_pid() == master);
	expect_fact(expect_answer("/visit", "200"), "visits", "1");
	world_expect_value(manage_py("/", "clearsessions", NULL), "release", "second");
	shop_stop_all();
}
