/* SPDX-License-Identifier: ISC */
/*
 * nginx, supervisor and gunicorn with Django, set up by the very files of policy/examples (shop.*) beside Debian's own
 * configuration of nginx and supervisor.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "recipe.h"
#include "server.h"
#include "world.h"

TestSuite(supervisor, .timeout = 120);

#define HOME "/srv/shop"
#define SOCKET "/run/shop/gunicorn.sock"
#define POLICY "/etc/runas-app/shop.conf"
#define SECRETS "/etc/runas-app/shop.env"
#define KEY "/etc/ssl/private/shop.key"
#define TOOL "/usr/local/bin/runas-policy"
#define APP_LOG "/var/log/supervisor/shop.log"
#define SITE "https://shop.example.org"

enum { PROCESSES_MAX = 64, WORKERS = 2 };

/* --- the recipe, and where its files belong --- */

static const struct {
	const char *example, *path;
} recipe[] = {
	{"shop.conf", POLICY},
	{"shop.supervisor.conf", "/etc/supervisor/conf.d/shop.conf"},
	{"shop.nginx.conf", "/etc/nginx/sites-enabled/shop"},
	{"shop.tmpfiles.conf", "/etc/tmpfiles.d/shop.conf"},
	{"shop.setup", "/root/shop.setup"},
};
enum { RECIPE = sizeof(recipe) / sizeof(recipe[0]) };

static char *recipe_text[RECIPE];
static struct passwd shop;

/* --- the app --- */

/* clang-format off */
static const char manage[] =
	"#!/srv/shop/venv/bin/python\n"
	"import sys\n"
	"from django.core.management import execute_from_command_line\n"
	"with open('RELEASE') as file: print('release:', file.read(), flush=True)\n"
	"execute_from_command_line(sys.argv)\n";

static const char settings[] =
	"import os\n"
	"from pathlib import Path\n"
	"BASE = Path(__file__).resolve().parent.parent\n"
	"SECRET_KEY = os.environ['SECRET_KEY']\n"
	"ALLOWED_HOSTS = ['shop.example.org']\n"
	"INSTALLED_APPS = ['django.contrib.sessions', 'django.contrib.staticfiles']\n"
	"MIDDLEWARE = ['django.contrib.sessions.middleware.SessionMiddleware']\n"
	"DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': '/srv/shop/media/database'}}\n"
	"ROOT_URLCONF = 'shop.urls'\n"
	"STATIC_URL = '/static/'\n"
	"STATIC_ROOT = '/srv/shop/static'\n"
	"STATICFILES_DIRS = [BASE / 'assets']\n"
	"FILE_UPLOAD_PERMISSIONS = None\n"
	"USE_TZ = True\n";

static const char urls[] =
	"import errno, os\n"
	"from django.http import HttpResponse\n"
	"from django.urls import path\n"
	"with open(os.path.dirname(__file__) + '/../RELEASE') as file: release = file.read().strip()\n"
	"def outcome(act, *words):\n"
	"    try: act(*words)\n"
	"    except OSError as error: return errno.errorcode[error.errno]\n"
	"    return 'ok'\n"
	"def answer(**facts):\n"
	"    text = ''.join('%s: %s\\n' % fact for fact in facts.items())\n"
	"    return HttpResponse(text, content_type='text/plain')\n"
	"def state(request):\n"
	"    return answer(release=release, uid=os.getuid(), worker=os.getpid(), master=os.getppid(), cwd=os.getcwd())\n"
	/* The session is a row of the database that `migrate` has made. */
	"def visit(request):\n"
	"    request.session['visits'] = request.session.get('visits', 0) + 1\n"
	"    return answer(visits=request.session['visits'])\n"
	"def upload(request):\n"
	"    return answer(mkdir=outcome(os.mkdir, '/srv/shop/media/made'),\n"
	"        file=outcome(lambda: open('/srv/shop/media/made/upload', 'x').close()))\n"
	"def attempts(request):\n"
	"    return answer(key=outcome(open, '" KEY "'), secrets=outcome(open, '" SECRETS "'),\n"
	"        code=outcome(open, '/srv/shop/current/RELEASE', 'a'), flip=outcome(os.symlink, '/tmp', '/srv/shop/new'),\n"
	"        key_link=outcome(os.symlink, '" KEY "', '/srv/shop/static/key'),\n"
	"        secrets_link=outcome(os.symlink, '" SECRETS "', '/srv/shop/static/secrets'),\n"
	"        others=outcome(lambda: open('/srv/open/new', 'x').close()))\n"
	"urlpatterns = [path('', state), path('visit', visit), path('upload', upload), path('attempts', attempts)]\n";

static const char wsgi[] =
	"from django.core.wsgi import get_wsgi_application\n"
	"application = get_wsgi_application()\n";

/* What pip writes. */
static const char gunicorn[] =
	"#!/srv/shop/venv/bin/python\n"
	"import sys\n"
	"from gunicorn.app.wsgiapp import run\n"
	"sys.exit(run())\n";
/* clang-format on */

static void make_release(const char *name) {
	const struct {
		const char *path, *text;
	} files[] = {{"manage.py", manage},  {"shop/__init__.py", ""}, {"shop/settings.py", settings},
		     {"shop/urls.py", urls}, {"shop/wsgi.py", wsgi},   {"assets/site.css", "body { color: black }\n"},
		     {"RELEASE", name}};
	static const char *const rooms[] = {"", "/shop", "/assets"};
	char path[256];

	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		snprintf(path, sizeof(path), HOME "/releases/%s%s", name, rooms[i]);
		world_directory(path, 0, shop.pw_gid, 02750);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), HOME "/releases/%s/%s", name, files[i].path);
		world_file(path, 0, shop.pw_gid, 0640, files[i].text);
	}
}

static void flip(const char *name) {
	char target[64];

	snprintf(target, sizeof(target), "releases/%s", name);
	unlink(HOME "/next");
	cr_assert(symlink(target, HOME "/next") == 0 && rename(HOME "/next", HOME "/current") == 0);
}

/* --- the machine --- */

static struct world_run *run_in(const struct world_person *who, const char *directory, const char *const *argv) {
	static const char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
						  "HOME=/root", "LANG=C.UTF-8", NULL};

	return world_run(&(struct world_call){
		.who = who, .argv = argv, .envp = environment, .directory = directory, .seconds = 30});
}

static struct world_run *do_as_root(const char *const *argv) {
	struct world_run *run = run_in(&world_root, "/", argv);

	cr_assert(world_exited(run, 0), "%s: status %#x\n%s%s", argv[0], (unsigned)run->status, run->out, run->err);
	return run;
}

#define ROOT(...) do_as_root(WORLD_LIST(__VA_ARGS__))

static void make_venv(void) {
	static const char *const rooms[] = {HOME, HOME "/venv", HOME "/venv/bin"};

	for (size_t i = 0; i < 3; i++)
		world_directory(rooms[i], 0, 0, 0755);
	ROOT("/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages", HOME "/venv");
	world_file(HOME "/venv/bin/gunicorn", 0, 0, 0755, gunicorn);
}

/* Tests that wait for RUNNING more than once do it with a shorter startsecs. */
static void enter(bool is_patient) {
	char program[PATH_MAX];

	for (size_t i = 0; i < RECIPE; i++)
		recipe_text[i] = recipe_read(recipe[i].example);
	world_enter();
	server_needs("/usr/sbin/nginx");
	server_needs("/usr/bin/supervisord");
	server_needs("/usr/bin/gunicorn");
	server_needs("/usr/bin/django-admin");
	server_enter_network();
	snprintf(program, sizeof(program), "%s", world_built("runas-policy"));
	world_copy(program, TOOL, 0755);
	recipe_hide("/root");
	recipe_hide("/var/log");
	recipe_hide("/var/lib/nginx");
	world_directory("/var/log/nginx", 0, 0, 0755);
	world_directory("/var/log/supervisor", 0, 0, 0755);
	recipe_own_with_all("/etc/nginx");
	recipe_own_with_all("/etc/supervisor");
	recipe_own_with_all("/etc/ssl");
	recipe_own("/etc/nginx/sites-enabled", NULL);
	recipe_own("/etc/supervisor/conf.d", NULL);
	recipe_own("/etc/tmpfiles.d", NULL);
	recipe_own("/etc/ssl/private", NULL);
	world_directory("/etc/ssl/private", 0, 0, 0700);
	if (!recipe_has_landlock()) {
		NOT_SHOWN("this kernel has no Landlock: the lines `write` and `tmp` of the example");
		recipe_text[0] = recipe_replaced(recipe_text[0], "\ntmp ", "\nwrite_enforce = best-effort\ntmp ");
	}
	if (!is_patient)
		recipe_text[1] = recipe_replaced(recipe_text[1], "\nstartsecs=8\n", "\nstartsecs=1\n");
	for (size_t i = 0; i < RECIPE; i++)
		world_file(recipe[i].path, 0, 0, 0644, recipe_text[i]);
	ROOT("/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
	     "-days", "2", "-subj", "/CN=shop.example.org", "-addext", "subjectAltName=DNS:shop.example.org", "-keyout",
	     KEY, "-out", "/etc/ssl/shop.pem");
	cr_assert(chmod(KEY, 0600) == 0);
	make_venv();
	ROOT("/bin/sh", "/root/shop.setup");
	const struct passwd *entry = getpwnam("shop");
	cr_assert(entry && entry->pw_uid != 0, "the setup made no user");
	shop = *entry;
	world_directory("/srv/open", 0, 0, 0777);
	make_release("first");
	flip("first");
}

/* --- the programs --- */

static struct world_run *supervisord, *nginx;

static struct world_run *start_as_root(const char *const *argv) {
	static const char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
						  "HOME=/root", "MARK=root's", NULL};

	return world_start(&(struct world_call){.who = &world_root, .argv = argv, .envp = environment});
}

static struct world_run *supervisorctl(const char *word, const char *more) {
	return run_in(&world_root, "/",
		      WORLD_LIST("/usr/bin/supervisorctl", word, more ? more : "shop", more ? "shop" : NULL));
}

/* "shop   RUNNING   pid 12, uptime 0:00:03", without the blanks in a row. */
static const char *state(void) {
	static char line[256];
	size_t length = 0;
	struct world_run *run = supervisorctl("status", NULL);

	for (const char *at = run->out; *at && *at != '\n' && length < sizeof(line) - 1; at++) {
		if (*at != ' ' || (length > 0 && line[length - 1] != ' '))
			line[length++] = *at;
	}
	line[length] = '\0';
	return line;
}

static void expect_state(const char *expected) {
	char start[64];
	long limit = server_now() + 40000;
	const char *now;

	snprintf(start, sizeof(start), "shop %s ", expected);
	while (strncmp(now = state(), start, strlen(start)) != 0 && server_now() < limit)
		usleep(200000);
	const char *log = world_read(APP_LOG);
	cr_assert(strncmp(now, start, strlen(start)) == 0, "`%s`, not %s\n%s", now, expected, log ? log : "no log");
}

/* RUNNING only says that it has not ended yet. */
static void expect_running(void) {
	long limit = server_now() + 20000;

	expect_state("RUNNING");
	while (access(SOCKET, F_OK) != 0 && server_now() < limit)
		usleep(20000);
	cr_assert(access(SOCKET, F_OK) == 0, "no socket\n%s", world_read(APP_LOG));
}

static void start_supervisor(void) {
	supervisord = start_as_root(WORLD_LIST("/usr/bin/supervisord", "-n", "-c", "/etc/supervisor/supervisord.conf"));
}

static void start_nginx(void) {
	nginx = start_as_root(WORLD_LIST("/usr/sbin/nginx", "-g", "daemon off;"));
	long limit = server_now() + 10000;
	while (!server_ask(80, "/") && server_now() < limit)
		usleep(20000);
}

static void stop(struct world_run *run) {
	cr_assert(!world_ended(run), "it had ended: status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
	kill(run->pid, SIGTERM);
	world_wait(run, 40);
	cr_expect(!run->timed_out, "it did not end\n%s%s", run->out, run->err);
}

static void stop_all(void) {
	stop(supervisord);
	stop(nginx);
	server_expect_gone("stopped");
}

/* --- questions --- */

static char *ask(const char *path) {
	char url[256];

	snprintf(url, sizeof(url), SITE "%s", path);
	struct world_run *run = run_in(
		&world_root, "/",
		WORLD_LIST("/usr/bin/curl", "-q", "--silent", "--show-error", "--max-time", "20", "--cacert",
			   "/etc/ssl/shop.pem", "--resolve", "shop.example.org:443:127.0.0.1", "--write-out",
			   "\nstatus: %{http_code}\n", "--cookie", "/root/jar", "--cookie-jar", "/root/jar", url));
	cr_assert(world_exited(run, 0), "%s: %s%s", url, run->out, run->err);
	return run->out;
}

static const char *expect_answer(const char *path, const char *status) {
	const char *answer = ask(path);
	const char *found = world_value_in(answer, "status");

	cr_expect(found && strcmp(found, status) == 0, "%s: %s\n%s\n%s", path, answer,
		  world_read("/var/log/nginx/error.log"), world_read(APP_LOG));
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
	struct world_run *run = supervisorctl("pid", NULL);

	cr_assert(world_exited(run, 0) && atoi(run->out) > 1, "%s%s", run->out, run->err);
	return atoi(run->out);
}

/* --- identity --- */

/* All processes here whose real user is the app's. */
static size_t app_processes(pid_t *pids) {
	pid_t all[PROCESSES_MAX];
	size_t count = server_processes(all, PROCESSES_MAX), found = 0;

	for (size_t i = 0; i < count; i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/%d/status", all[i]);
		const char *status = world_read(path), *uid = status ? world_value_in(status, "Uid") : NULL;
		if (uid && (uid_t)atoi(uid) == shop.pw_uid)
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
	static const char *const present[] = {"HOME=" HOME,
					      "USER=shop",
					      "LOGNAME=shop",
					      "PWD=" HOME "/current",
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

static bool is_the_apps(const char *status) {
	const char *uid = world_value_in(status, "Uid");

	return uid && (uid_t)atoi(uid) == shop.pw_uid;
}

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
	snprintf(uids, sizeof(uids), "%u %u %u %u", shop.pw_uid, shop.pw_uid, shop.pw_uid, shop.pw_uid);
	snprintf(gids, sizeof(gids), "%u %u %u %u", shop.pw_gid, shop.pw_gid, shop.pw_gid, shop.pw_gid);
	snprintf(group, sizeof(group), "%u", shop.pw_gid);
	snprintf(supervisor, sizeof(supervisor), "%d", supervisord->pid);
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
	struct world_run *run = run_in(&world_root, "/", WORLD_LIST(TOOL, "why", "shop", path, "--user", user));

	cr_expect(!expected || strstr(run->out, expected) || strstr(run->err, expected), "no `%s` in %s%s", expected,
		  run->out, run->err);
	return WIFEXITED(run->status) ? WEXITSTATUS(run->status) : -1;
}

static struct world_run *manage_py(const char *directory, const char *verb, const char *more) {
	struct world_run *run = run_in(&world_root, directory,
				       WORLD_LIST(WORLD_RUNAS, "shop", "--", "python", "manage.py", verb, more));

	cr_assert(world_exited(run, 0), "%s: status %#x\n%s%s", verb, (unsigned)run->status, run->out, run->err);
	return run;
}

/* --- */

Test(supervisor, recipe_is_found_good) {
	enter(false);
	struct world_run *run = run_in(&world_root, "/", WORLD_LIST(TOOL, "check", "--strict", "shop"));
	cr_expect(world_exited(run, 0) && strcmp(run->out, "shop: ok\n") == 0, "%s%s", run->out, run->err);
}

Test(supervisor, gunicorn_is_supervisors_own_process_with_the_policys_identity) {
	enter(false);
	start_supervisor();
	start_nginx();
	expect_running();
	pid_t master = supervised_pid(), pids[PROCESSES_MAX];
	const char *answer = expect_answer("/", "200");
	expect_number(answer, "master", master);
	expect_number(answer, "uid", shop.pw_uid);
	expect_fact(answer, "release", "first");
	expect_fact(answer, "cwd", HOME "/releases/first");
	expect_identity(master);

	/* What it makes, its group can read, and nobody else. */
	answer = expect_answer("/upload", "200");
	expect_fact(answer, "mkdir", "ok");
	expect_fact(answer, "file", "ok");
	expect_file(HOME "/media/made", shop.pw_uid, shop.pw_gid, 02750);
	expect_file(HOME "/media/made/upload", shop.pw_uid, shop.pw_gid, 0640);

	/* The socket is everybody's, and its directory nginx's alone. */
	expect_file(SOCKET, shop.pw_uid, 33, 0777);
	expect_file("/run/shop", shop.pw_uid, 33, 02750);
	cr_expect(why(SOCKET, "www-data", NULL) == 0);
	cr_expect(why(SOCKET, "other", "/run/shop") == 1);

	/* Restart and stop reach it. */
	struct world_run *run = supervisorctl("restart", NULL);
	cr_expect(world_exited(run, 0), "%s%s", run->out, run->err);
	expect_running();
	pid_t second = supervised_pid();
	cr_expect(second != master && kill(master, 0) != 0);
	expect_number(expect_answer("/", "200"), "master", second);
	expect_identity(second);

	run = supervisorctl("stop", NULL);
	cr_expect(world_exited(run, 0), "%s%s", run->out, run->err);
	expect_state("STOPPED");
	cr_expect(app_processes(pids) == 0, "workers are left");
	const char *log = world_read(APP_LOG);
	cr_expect(log && strstr(log, "Handling signal: term"), "%s", log);
	/* By itself, in its own time: it took its socket away. */
	cr_expect(access(SOCKET, F_OK) != 0);
	expect_answer("/", "502");
	stop_all();
}

static void expect_unreadable(const struct world_person *who, const char *path) {
	struct world_run *run = run_in(who, "/", WORLD_LIST("/bin/cat", path));

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
	enter(false);
	manage_py("/", "collectstatic", "--noinput");
	expect_file(HOME "/static/site.css", shop.pw_uid, shop.pw_gid, 0640);
	start_supervisor();
	start_nginx();
	expect_running();
	const char *answer = expect_answer("/static/site.css", "200");
	cr_expect(strstr(answer, "color: black"), "%s", answer);

	/* The app tries, then leads nginx to what it cannot have itself. */
	answer = expect_answer("/attempts", "200");
	for (const char *const *key = WORLD_LIST("key", "secrets", "code", "flip"); *key; key++)
		expect_fact(answer, *key, "EACCES");
	expect_fact(answer, "key_link", "ok");
	expect_fact(answer, "secrets_link", "ok");
	expect_fact(answer, "others", recipe_has_landlock() ? "EACCES" : "ok");
	expect_answer("/static/key", "403");
	expect_answer("/static/secrets", "403");

	struct world_person web = web_worker(), app = {shop.pw_uid, shop.pw_gid, 1, {shop.pw_gid}};
	bool in_group = false;
	for (size_t i = 0; i < web.group_count; i++)
		in_group = in_group || web.groups[i] == shop.pw_gid;
	cr_expect(in_group, "nginx's worker is not in the app's group");
	for (const char *const *path = WORLD_LIST(KEY, SECRETS); *path; path++) {
		expect_unreadable(&web, *path);
		expect_unreadable(&app, *path);
	}
	/* It reads, and writes nothing. */
	struct world_run *run = run_in(
		&web, "/",
		WORLD_LIST("/bin/sh", "-c",
			   "cat " HOME "/static/site.css; for x in static media releases current/shop .; do echo >" HOME
			   "/$x/by-nginx; done; echo >>" HOME "/static/site.css"));
	cr_expect(strstr(run->out, "color: black"), "%s", run->err);
	run = ROOT("/usr/bin/find", HOME, "-name", "by-nginx");
	cr_expect(run->out_length == 0, "%s", run->out);
	cr_expect(strstr(world_read(HOME "/static/site.css"), "black }\n\n") == NULL);

	/* The value is in no file but its own. */
	const char *value = strchr(world_read(SECRETS), '=') + 1;
	char *secret = strndup(value, strcspn(value, "\n"));
	cr_assert(strlen(secret) == 64, "%s", secret);
	run = run_in(&world_root, "/",
		     WORLD_LIST("/bin/grep", "-rlF", "--exclude-dir=.host", "--exclude-dir=build", secret, "/srv",
				"/var/log", "/run", "/etc"));
	cr_expect(strcmp(run->out, SECRETS "\n") == 0, "%s%s", run->out, run->err);

	/* Out of the group, the same request is a 403, and `why` says so. */
	stop(nginx);
	ROOT("/usr/bin/gpasswd", "--delete", "www-data", "shop");
	start_nginx();
	expect_answer("/static/site.css", "403");
	cr_expect(why(HOME "/static/site.css", "www-data", "usermod -aG shop www-data") == 1);
	/* The socket needs no group of the app's. */
	expect_answer("/", "200");
	stop_all();
}

static size_t occurrences(const char *text, const char *word) {
	size_t count = 0;

	for (const char *at = text; at && (at = strstr(at, word)); at++)
		count++;
	return count;
}

Test(supervisor, a_wrong_policy_is_fatal_with_the_reason_in_the_log) {
	enter(true);
	char *good = world_read(POLICY), *wrong = strdup(good);
	memcpy(strstr(wrong, "\nuser "), "\nusr  ", 6);
	world_file(POLICY, 0, 0, 0644, wrong);
	start_supervisor();
	expect_state("FATAL");
	const char *log = world_read(APP_LOG);
	cr_expect(occurrences(log, "runas-app: shop: " POLICY ":13: unknown key \"usr\" [policy-key]\nhint: ") == 4,
		  "startretries=3, and the first: %s", log);
	sleep(2);
	cr_expect(occurrences(world_read(APP_LOG), "[policy-key]") == 4, "it goes on: %s", world_read(APP_LOG));

	/* Mended, it is started by hand. */
	world_file(POLICY, 0, 0, 0644, good);
	struct world_run *run = supervisorctl("start", NULL);
	cr_expect(world_exited(run, 0) && strcmp(run->out, "shop: started\n") == 0, "%s%s", run->out, run->err);
	stop(supervisord);
	server_expect_gone("stopped");
}

Test(supervisor, after_a_reboot_the_sockets_directory_is_made_anew) {
	enter(false);
	start_supervisor();
	start_nginx();
	expect_running();
	expect_answer("/", "200");
	stop_all();

	recipe_hide("/run");
	unlink(APP_LOG);
	start_supervisor();
	start_nginx();
	const char *log, *missing = recipe_has_landlock() ? "runas-app: shop: /run/shop: " : SOCKET;
	long limit = server_now() + 20000;
	while (!((log = world_read(APP_LOG)) && strstr(log, missing)) && server_now() < limit)
		usleep(100000);
	cr_expect(log && strstr(log, missing), "%s", log);
	cr_expect(!recipe_has_landlock() || strstr(log, "[write]\nhint: "), "%s", log);
	expect_answer("/", "502");
	stop_all();

	/* As every boot does, before the services. */
	ROOT("/usr/bin/systemd-tmpfiles", "--create", "/etc/tmpfiles.d/shop.conf");
	start_supervisor();
	start_nginx();
	expect_running();
	expect_answer("/", "200");
	expect_identity(supervised_pid());
	stop_all();
}

Test(supervisor, hup_serves_the_release_that_current_leads_to) {
	enter(false);
	manage_py("/", "migrate", "--noinput");
	start_supervisor();
	start_nginx();
	expect_running();
	pid_t master = supervised_pid();
	expect_fact(expect_answer("/visit", "200"), "visits", "1");

	/* Migrated in its own directory before it is current, as the app's user. */
	make_release("second");
	unlink(HOME "/media/database");
	world_expect_value(manage_py(HOME "/releases/second", "migrate", "--noinput"), "release", "second");
	expect_file(HOME "/media/database", shop.pw_uid, shop.pw_gid, 0640);
	expect_fact(expect_answer("/", "200"), "release", "first");
	flip("second");
	struct world_run *run = supervisorctl("signal", "HUP");
	cr_expect(world_exited(run, 0), "%s%s", run->out, run->err);

	const char *answer;
	long limit = server_now() + 20000;
	while (strcmp(world_value_in(answer = expect_answer("/", "200"), "release"), "second") != 0 &&
	       server_now() < limit)
		usleep(50000);
	expect_fact(answer, "release", "second");
	expect_fact(answer, "cwd", HOME "/releases/second");
	expect_number(answer, "master", master);
	expect_identity(master);
	for (int i = 0; i < 20; i++)
		expect_fact(expect_answer("/", "200"), "release", "second");
	expect_running();
	cr_expect(supervised_pid() == master);
	expect_fact(expect_answer("/visit", "200"), "visits", "1");
	world_expect_value(manage_py("/", "clearsessions", NULL), "release", "second");
	stop_all();
}
