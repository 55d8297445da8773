/* SPDX-License-Identifier: ISC */
#include "shop.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "recipe.h"
#include "server.h"

#define SITE "https://shop.example.org"

/* --- the recipe, and where its files belong --- */

static const struct {
	const char *example, *path;
} recipe[] = {
	{"shop.conf", SHOP_POLICY},
	{"shop.supervisor", "/etc/supervisor/conf.d/shop.conf"},
	{"shop.nginx", "/etc/nginx/sites-enabled/shop"},
	{"shop.tmpfiles", "/etc/tmpfiles.d/shop.conf"},
	{"shop.setup", "/root/shop.setup"},
};
enum { RECIPE = sizeof(recipe) / sizeof(recipe[0]) };

static char *recipe_text[RECIPE];
struct passwd shop_user;

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
	"    return answer(key=outcome(open, '" SHOP_KEY "'), secrets=outcome(open, '" SHOP_SECRETS "'),\n"
	"        code=outcome(open, '/srv/shop/current/RELEASE', 'a'), flip=outcome(os.symlink, '/tmp', '/srv/shop/new'),\n"
	"        key_link=outcome(os.symlink, '" SHOP_KEY "', '/srv/shop/static/key'),\n"
	"        secrets_link=outcome(os.symlink, '" SHOP_SECRETS "', '/srv/shop/static/secrets'),\n"
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

void shop_make_release(const char *name) {
	const struct {
		const char *path, *text;
	} files[] = {{"manage.py", manage},  {"shop/__init__.py", ""}, {"shop/settings.py", settings},
		     {"shop/urls.py", urls}, {"shop/wsgi.py", wsgi},   {"assets/site.css", "body { color: black }\n"},
		     {"RELEASE", name}};
	static const char *const rooms[] = {"", "/shop", "/assets"};
	char path[256];

	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		snprintf(path, sizeof(path), SHOP_HOME "/releases/%s%s", name, rooms[i]);
		world_directory(path, 0, shop_user.pw_gid, 02750);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), SHOP_HOME "/releases/%s/%s", name, files[i].path);
		world_file(path, 0, shop_user.pw_gid, 0640, files[i].text);
	}
}

void shop_flip(const char *name) {
	char target[64];

	snprintf(target, sizeof(target), "releases/%s", name);
	unlink(SHOP_HOME "/next");
	cr_assert(symlink(target, SHOP_HOME "/next") == 0 && rename(SHOP_HOME "/next", SHOP_HOME "/current") == 0);
}

/* --- the machine --- */

struct world_run *shop_run(const struct world_person *who, const char *directory, const char *const *argv) {
	static const char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
						  "HOME=/root", "LANG=C.UTF-8", NULL};

	return world_run(&(struct world_call){
		.who = who, .argv = argv, .envp = environment, .directory = directory, .seconds = 30});
}

struct world_run *shop_do_as_root(const char *const *argv) {
	struct world_run *run = shop_run(&world_root, "/", argv);

	cr_assert(world_exited(run, 0), "%s: status %#x\n%s%s", argv[0], (unsigned)run->status, run->out, run->err);
	return run;
}

static void make_venv(void) {
	static const char *const rooms[] = {SHOP_HOME, SHOP_HOME "/venv", SHOP_HOME "/venv/bin"};

	for (size_t i = 0; i < 3; i++)
		world_directory(rooms[i], 0, 0, 0755);
	SHOP_AS_ROOT("/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages", SHOP_HOME "/venv");
	world_file(SHOP_HOME "/venv/bin/gunicorn", 0, 0, 0755, gunicorn);
}

void shop_enter(bool is_patient) {
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
	world_copy(program, SHOP_TOOL, 0755);
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
	if (world_landlock_abi() < 2) {
		NOT_SHOWN("this kernel has no Landlock: the lines `write` and `tmp` of the example");
		recipe_text[0] = recipe_replaced(recipe_text[0], "\ntmp ", "\nwrite_enforce = best-effort\ntmp ");
	}
	if (!is_patient)
		recipe_text[1] = recipe_replaced(recipe_text[1], "\nstartsecs=8\n", "\nstartsecs=1\n");
	for (size_t i = 0; i < RECIPE; i++)
		world_file(recipe[i].path, 0, 0, 0644, recipe_text[i]);
	SHOP_AS_ROOT("/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
		     "-nodes", "-days", "2", "-subj", "/CN=shop.example.org", "-addext",
		     "subjectAltName=DNS:shop.example.org", "-keyout", SHOP_KEY, "-out", "/etc/ssl/shop.pem");
	cr_assert(chmod(SHOP_KEY, 0600) == 0);
	make_venv();
	SHOP_AS_ROOT("/bin/sh", "/root/shop.setup");
	const struct passwd *entry = getpwnam("shop");
	cr_assert(entry && entry->pw_uid != 0, "the setup made no user");
	shop_user = *entry;
	world_directory("/srv/open", 0, 0, 0777);
	shop_make_release("first");
	shop_flip("first");
}

/* --- the programs --- */

struct world_run *shop_supervisord, *shop_nginx;

static struct world_run *start_as_root(const char *const *argv) {
	static const char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
						  "HOME=/root", "MARK=root's", NULL};

	return world_start(&(struct world_call){.who = &world_root, .argv = argv, .envp = environment});
}

struct world_run *shop_supervisorctl(const char *word, const char *more) {
	return shop_run(&world_root, "/",
			WORLD_LIST("/usr/bin/supervisorctl", word, more ? more : "shop", more ? "shop" : NULL));
}

/* "shop   RUNNING   pid 12, uptime 0:00:03", without the blanks in a row. */
static const char *state(void) {
	static char line[256];
	size_t length = 0;
	struct world_run *run = shop_supervisorctl("status", NULL);

	for (const char *at = run->out; *at && *at != '\n' && length < sizeof(line) - 1; at++) {
		if (*at != ' ' || (length > 0 && line[length - 1] != ' '))
			line[length++] = *at;
	}
	line[length] = '\0';
	return line;
}

void shop_expect_state(const char *expected) {
	char start[64];
	long limit = server_now() + 40000;
	const char *now;

	snprintf(start, sizeof(start), "shop %s ", expected);
	while (strncmp(now = state(), start, strlen(start)) != 0 && server_now() < limit)
		usleep(200000);
	const char *log = world_read(SHOP_LOG);
	cr_assert(strncmp(now, start, strlen(start)) == 0, "`%s`, not %s\n%s", now, expected, log ? log : "no log");
}

/* RUNNING only says that it has not ended yet. */
void shop_expect_running(void) {
	long limit = server_now() + 20000;

	shop_expect_state("RUNNING");
	while (access(SHOP_SOCKET, F_OK) != 0 && server_now() < limit)
		usleep(20000);
	cr_assert(access(SHOP_SOCKET, F_OK) == 0, "no socket\n%s", world_read(SHOP_LOG));
}

void shop_start_supervisor(void) {
	shop_supervisord =
		start_as_root(WORLD_LIST("/usr/bin/supervisord", "-n", "-c", "/etc/supervisor/supervisord.conf"));
}

void shop_start_nginx(void) {
	shop_nginx = start_as_root(WORLD_LIST("/usr/sbin/nginx", "-g", "daemon off;"));
	long limit = server_now() + 10000;
	while (!server_ask(80, "/") && server_now() < limit)
		usleep(20000);
}

void shop_stop(struct world_run *run) {
	cr_assert(!world_ended(run), "it had ended: status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
	kill(run->pid, SIGTERM);
	world_wait(run, 40);
	cr_expect(!run->timed_out, "it did not end\n%s%s", run->out, run->err);
}

void shop_stop_all(void) {
	shop_stop(shop_supervisord);
	shop_stop(shop_nginx);
	server_expect_gone("stopped");
}

/* --- questions --- */

char *shop_ask(const char *path) {
	char url[256];

	snprintf(url, sizeof(url), SITE "%s", path);
	struct world_run *run = shop_run(
		&world_root, "/",
		WORLD_LIST("/usr/bin/curl", "-q", "--silent", "--show-error", "--max-time", "20", "--cacert",
			   "/etc/ssl/shop.pem", "--resolve", "shop.example.org:443:127.0.0.1", "--write-out",
			   "\nstatus: %{http_code}\n", "--cookie", "/root/jar", "--cookie-jar", "/root/jar", url));
	cr_assert(world_exited(run, 0), "%s: %s%s", url, run->out, run->err);
	return run->out;
}
