/* SPDX-License-Identifier: ISC */
/* Real servers under a tight list of writable paths. Each serves an app that tries, from its own handler, to write beside
 * the list where owner and mode would let it; the same app without the list shows that they would. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "server.h"
#include "world.h"

TestSuite(write_servers, .timeout = 120);

#define HOME "/srv/ra_app"
#define CODE HOME "/code"
#define LOG HOME "/log"
#define VAR HOME "/var"
#define TMP HOME "/tmp"
#define RUN HOME "/run"
#define PORT 8000

/* What the app tries at each place; the results of both sides of a rename and a link are asked of VAR. */
static const char *const attempts[] = {"create",  "write", "truncate",	 "mkdir",     "rmdir",	  "unlink",
				       "symlink", "bind",  "rename_out", "rename_in", "link_out", "link_in"};
enum { ATTEMPTS = sizeof(attempts) / sizeof(attempts[0]), ON_ONE_FILE_SYSTEM = 4 };

static const char *const places[] = {LOG, CODE, "/srv/open", "/tmp"};
enum { PLACES = sizeof(places) / sizeof(places[0]), INSIDE = 1 };
#define PLACES_TEXT LOG ":" CODE ":/srv/open:/tmp"

/* clang-format off */
static const char python_app[] =
	"import errno, os, socket, tempfile\n"
	"inside = os.environ['INSIDE']\n"
	"def bind(path):\n"
	"    socket.socket(socket.AF_UNIX).bind(path)\n"
	"def overwrite(path):\n"
	"    with open(path, 'r+') as file: file.write('changed')\n"
	"def make(path):\n"
	"    open(path, 'x').close()\n"
	"    return path\n"
	"def attempts(place):\n"
	"    yield 'create', lambda: make(place + '/new')\n"
	"    yield 'write', lambda: overwrite(place + '/file')\n"
	"    yield 'truncate', lambda: os.truncate(place + '/file', 0)\n"
	"    yield 'mkdir', lambda: os.mkdir(place + '/directory')\n"
	"    yield 'rmdir', lambda: os.rmdir(place + '/empty')\n"
	"    yield 'unlink', lambda: os.unlink(place + '/goner')\n"
	"    yield 'symlink', lambda: os.symlink('file', place + '/symlink')\n"
	"    yield 'bind', lambda: bind(place + '/socket')\n"
	"    if os.stat(place).st_dev != os.stat(inside).st_dev: return\n"
	"    ours = inside + '/' + place.replace('/', '-')\n"
	"    yield 'rename_out', lambda: os.rename(make(ours + '-a'), place + '/renamed')\n"
	"    yield 'rename_in', lambda: os.rename(place + '/wanted', ours + '-b')\n"
	"    yield 'link_out', lambda: os.link(make(ours + '-c'), place + '/linked')\n"
	"    yield 'link_in', lambda: os.link(place + '/file', ours + '-d')\n"
	"def outcome(act):\n"
	"    try: act()\n"
	"    except OSError as error: return errno.errorcode[error.errno]\n"
	"    return 'ok'\n"
	"def app(environ, start):\n"
	"    with tempfile.NamedTemporaryFile() as file: text = 'hello from %d\\ntemporary: %s\\n' % (os.getuid(), file.name)\n"
	"    if environ['PATH_INFO'] == '/attempts':\n"
	"        for place in os.environ['PLACES'].split(':'):\n"
	"            for name, act in attempts(place): text += '%s %s: %s\\n' % (name, place, outcome(act))\n"
	"    start('200 OK', [('Content-Type', 'text/plain')])\n"
	"    return [text.encode()]\n";

static const char ruby_app[] =
	"require 'rack'\n"
	"require 'socket'\n"
	"require 'tempfile'\n"
	"def make(path)\n"
	"  File.open(path, File::WRONLY | File::CREAT | File::EXCL).close\n"
	"  path\n"
	"end\n"
	"def attempts(place, inside)\n"
	"  yield 'create', -> { make(\"#{place}/new\") }\n"
	"  yield 'write', -> { File.open(\"#{place}/file\", 'r+') { |file| file.write('changed') } }\n"
	"  yield 'truncate', -> { File.truncate(\"#{place}/file\", 0) }\n"
	"  yield 'mkdir', -> { Dir.mkdir(\"#{place}/directory\") }\n"
	"  yield 'rmdir', -> { Dir.rmdir(\"#{place}/empty\") }\n"
	"  yield 'unlink', -> { File.unlink(\"#{place}/goner\") }\n"
	"  yield 'symlink', -> { File.symlink('file', \"#{place}/symlink\") }\n"
	"  yield 'bind', -> { UNIXServer.new(\"#{place}/socket\").close }\n"
	"  return if File.stat(place).dev != File.stat(inside).dev\n"
	"  ours = \"#{inside}/#{place.tr('/', '-')}\"\n"
	"  yield 'rename_out', -> { File.rename(make(\"#{ours}-a\"), \"#{place}/renamed\") }\n"
	"  yield 'rename_in', -> { File.rename(\"#{place}/wanted\", \"#{ours}-b\") }\n"
	"  yield 'link_out', -> { File.link(make(\"#{ours}-c\"), \"#{place}/linked\") }\n"
	"  yield 'link_in', -> { File.link(\"#{place}/file\", \"#{ours}-d\") }\n"
	"end\n"
	"def outcome(act)\n"
	"  act.call\n"
	"  'ok'\n"
	"rescue SystemCallError => error\n"
	"  error.class.name.split('::').last\n"
	"end\n"
	"run(lambda do |env|\n"
	"  text = Tempfile.create('app') { |file| \"hello from #{Process.uid}\\ntemporary: #{file.path}\\n\" }\n"
	"  if env['PATH_INFO'] == '/attempts'\n"
	"    ENV['PLACES'].split(':').each do |place|\n"
	"      attempts(place, ENV['INSIDE']) { |name, act| text += \"#{name} #{place}: #{outcome(act)}\\n\" }\n"
	"    end\n"
	"  end\n"
	"  [200, { 'Content-Type' => 'text/plain' }, [text]]\n"
	"end)\n";

/* PHP names no errno: its words for it do. */
static const char php_app[] =
	"<?php\n"
	"error_reporting(0);\n"
	"function make($path) { return ($file = fopen($path, 'x')) && fclose($file) ? $path : ''; }\n"
	"function report($name, $place, $done) {\n"
	"    $words = error_get_last()['message'] ?? 'nothing';\n"
	"    error_clear_last();\n"
	"    $why = ['Permission denied' => 'EACCES', 'Invalid cross-device link' => 'EXDEV'];\n"
	"    $result = $done ? 'ok' : $words;\n"
	"    foreach ($why as $text => $errno) if (!$done && strpos($words, $text) !== false) $result = $errno;\n"
	"    echo \"$name $place: $result\\n\";\n"
	"}\n"
	"header('Content-Type: text/plain');\n"
	"$file = tempnam(sys_get_temp_dir(), 'app');\n"
	"echo 'hello from ', posix_getuid(), \"\\ntemporary: $file\\n\";\n"
	"unlink($file);\n"
	"$inside = getenv('INSIDE');\n"
	"foreach (explode(':', getenv('PLACES')) as $place) {\n"
	"    error_clear_last();\n"
	"    report('create', $place, make(\"$place/new\"));\n"
	"    report('write', $place, ($file = fopen(\"$place/file\", 'r+')) && fwrite($file, 'changed'));\n"
	"    report('truncate', $place, fopen(\"$place/file\", 'w'));\n"
	"    report('mkdir', $place, mkdir(\"$place/directory\"));\n"
	"    report('rmdir', $place, rmdir(\"$place/empty\"));\n"
	"    report('unlink', $place, unlink(\"$place/goner\"));\n"
	"    report('symlink', $place, symlink('file', \"$place/symlink\"));\n"
	"    report('bind', $place, socket_bind(socket_create(AF_UNIX, SOCK_STREAM, 0), \"$place/socket\"));\n"
	"    if (stat($place)['dev'] != stat($inside)['dev']) continue;\n"
	"    $ours = $inside . '/' . strtr($place, '/', '-');\n"
	"    report('rename_out', $place, rename(make(\"$ours-a\"), \"$place/renamed\"));\n"
	"    report('rename_in', $place, rename(\"$place/wanted\", \"$ours-b\"));\n"
	"    report('link_out', $place, link(make(\"$ours-c\"), \"$place/linked\"));\n"
	"    report('link_in', $place, link(\"$place/file\", \"$ours-d\"));\n"
	"}\n";

static const char fpm_configuration[] =
	"[global]\n"
	"daemonize = no\n"
	"error_log = " LOG "/fpm.log\n"
	"pid = " RUN "/fpm.pid\n"
	"[app]\n"
	"listen = " RUN "/fpm.sock\n"
	"pm = static\n"
	"pm.max_children = 1\n"
	/* FPM empties its workers' environment but for these. */
	"env[TMPDIR] = $TMPDIR\n"
	"env[INSIDE] = $INSIDE\n"
	"env[PLACES] = $PLACES\n";
/* clang-format on */

struct kind {
	const char *program;
	const char *const *argv; /* what the deployer types */
	const char *command;	 /* lines of the policy */
	const char *write;	 /* the tightest lines that it runs with */
	const char *script;	 /* of FastCGI; NULL: HTTP */
};

static const struct kind gunicorn = {
	.program = "/usr/bin/gunicorn",
	.argv = WORLD_LIST("runas-app", "app", "--", "gunicorn", "app:app", "--bind", "127.0.0.1:8000"),
	.command = "command = /usr/bin/gunicorn app:app --bind 127.0.0.1:{int}\n",
	.write = "tmp = " TMP "\n"};

static const struct kind passenger = {
	.program = "/usr/bin/passenger",
	.argv = WORLD_LIST("runas-app", "app", "--", "passenger", "start", "--engine=builtin", "--address", "127.0.0.1",
			   "--port", "8000", "--max-pool-size", "1", "--no-install-runtime", "--no-compile-runtime",
			   "--disable-security-update-check", "--disable-anonymous-telemetry", "--log-file",
			   LOG "/passenger.log", "--pid-file", RUN "/passenger.pid"),
	.command = "command = /usr/bin/passenger start --engine=builtin *\n",
	.write = "write = " RUN "\ntmp = " TMP "\n"};

static const struct kind fpm = {
	.program = "/usr/sbin/php-fpm8.2",
	/* opcache makes a lock file in /tmp, whatever TMPDIR says. */
	.argv = WORLD_LIST("runas-app", "app", "--", "php-fpm8.2", "--nodaemonize", "--fpm-config", CODE "/fpm.conf",
			   "-d", "opcache.lockfile_path=" TMP),
	.command = "command = /usr/sbin/php-fpm8.2 --nodaemonize --fpm-config " CODE "/fpm.conf -d "
		   "opcache.lockfile_path=" TMP "\n"
		   "command = /usr/bin/php index.php\n",
	.write = "write = " RUN "\ntmp = " TMP "\n",
	.script = CODE "/index.php"};

static void make_place(const char *place) {
	static const char *const files[] = {"file", "wanted", "goner"};
	char path[256];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", place, files[i]);
		world_file(path, WORLD_APP, WORLD_APP, 0666, "kept");
	}
	snprintf(path, sizeof(path), "%s/empty", place);
	world_directory(path, WORLD_APP, WORLD_APP, 0777);
}

static void enter(const struct kind *kind, bool confined) {
	static const char *const rooms[] = {CODE, CODE "/public", LOG, VAR, TMP, RUN};
	char text[4096];

	world_enter();
	server_needs(kind->program);
	if (confined && world_landlock_abi() < 3)
		SKIP("this kernel has no Landlock that refuses to truncate (ABI 3)");
	server_enter_network();
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		world_directory(rooms[i], WORLD_APP, WORLD_APP, 0750);
	world_directory("/srv/open", 0, 0, 0777);
	for (size_t i = 0; i < PLACES; i++)
		make_place(places[i]);
	world_file(CODE "/app.py", WORLD_APP, WORLD_APP, 0640, python_app);
	world_file(CODE "/config.ru", WORLD_APP, WORLD_APP, 0640, ruby_app);
	world_file(CODE "/index.php", WORLD_APP, WORLD_APP, 0640, php_app);
	world_file(CODE "/fpm.conf", WORLD_APP, WORLD_APP, 0640, fpm_configuration);
	snprintf(text, sizeof(text),
		 "runas-app = 1\nallow_users = deploy\nuser = ra_app\ndirectory = " CODE "\n"
		 "env = INSIDE=" VAR "\nenv = PLACES=" PLACES_TEXT "\n%s%s%s",
		 kind->command, confined ? "write = " VAR "\nwrite = " LOG "\n" : "env = TMPDIR=" TMP "\n",
		 confined ? kind->write : "");
	world_policy("app", text);
}

static char *ask(const struct kind *kind, const char *path) {
	return kind->script ? server_ask_fastcgi(RUN "/fpm.sock", kind->script) : server_ask(PORT, path);
}

static void say_why(const struct world_run *run) {
	static const char *const logs[] = {LOG "/passenger.log", LOG "/fpm.log"};

	for (size_t i = 0; i < 2; i++) {
		const char *text = world_read(logs[i]);
		if (text)
			cr_log_warn("%s:\n%s", logs[i], text);
	}
	cr_assert_fail("the server ended: status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
}

/* The answer of the app after it tried everything, in a copy of its own. */
static char *serve_attempts(const struct kind *kind) {
	struct world_run *run = world_start(&(struct world_call){
		.who = &world_deploy, .program = WORLD_RUNAS, .argv = kind->argv, .directory = "/home/deploy"});
	long limit = server_now() + 40000;
	char *answer;

	while (!(answer = ask(kind, "/attempts"))) {
		if (world_ended(run)) {
			world_wait(run, 1);
			say_why(run);
		}
		cr_assert(server_now() < limit, "no answer within 40 s");
		usleep(50000);
	}
	answer = strdup(answer);
	cr_assert(strstr(answer, "\nhello from 4002\n"), "%s", answer);
	cr_expect(strstr(answer, "\ntemporary: " TMP "/"), "temporary files are not made in `tmp`: %s", answer);
	server_expect_powerless(WORLD_APP, 2);
	server_stop(run, kind->script ? SIGQUIT : SIGTERM);
	return answer;
}

static void expect_outcome(const char *answer, const char *attempt, const char *place, const char *expected) {
	char key[128];

	snprintf(key, sizeof(key), "%s %s", attempt, place);
	const char *found = world_value_in(answer, key);
	cr_expect(found && strcmp(found, expected) == 0, "%s: `%s`, not `%s`", key, found ? found : "not tried",
		  expected);
}

/* Renames and links do not leave a file system, whatever the policy says. */
static size_t attempts_at(const char *place) {
	return strcmp(place, "/tmp") == 0 ? ATTEMPTS - ON_ONE_FILE_SYSTEM : ATTEMPTS;
}

static void expect_all_succeed(const char *answer, size_t first, size_t end) {
	for (size_t i = first; i < end; i++) {
		for (size_t k = 0; k < attempts_at(places[i]); k++)
			expect_outcome(answer, attempts[k], places[i], "ok");
	}
}

static void expect_untouched(const char *place) {
	static const char *const names[] = {"new", "directory", "symlink", "socket", "renamed", "linked", NULL};
	static const char *const kept[] = {"file", "wanted", "goner", NULL};
	char path[256];
	struct stat facts;

	for (size_t i = 0; names[i]; i++) {
		snprintf(path, sizeof(path), "%s/%s", place, names[i]);
		cr_expect(lstat(path, &facts) != 0, "%s was made", path);
	}
	for (size_t i = 0; kept[i]; i++) {
		snprintf(path, sizeof(path), "%s/%s", place, kept[i]);
		const char *text = world_read(path);
		cr_expect(text && strcmp(text, "kept") == 0, "%s is `%s`", path, text ? text : "gone");
		cr_expect(stat(path, &facts) == 0 && facts.st_nlink == 1, "%s was linked", path);
	}
	snprintf(path, sizeof(path), "%s/empty", place);
	cr_expect(lstat(path, &facts) == 0, "%s is gone", path);
}

static void expect_confined(const char *answer) {
	expect_all_succeed(answer, 0, INSIDE);
	for (size_t i = INSIDE; i < PLACES; i++) {
		for (size_t k = 0; k < attempts_at(places[i]); k++) {
			/* The name to make is inside and the file stays: only where it comes from is wrong. */
			bool from_outside = strcmp(attempts[k], "link_in") == 0;
			expect_outcome(answer, attempts[k], places[i], from_outside ? "EXDEV" : "EACCES");
		}
		expect_untouched(places[i]);
	}
}

static void expect_owner_and_mode_allow_it(const struct kind *kind) {
	enter(kind, false);
	expect_all_succeed(serve_attempts(kind), 0, PLACES);
}

Test(write_servers, gunicorn_writes_where_the_policy_says_and_nowhere_else) {
	enter(&gunicorn, true);
	expect_confined(serve_attempts(&gunicorn));
}

Test(write_servers, passenger_writes_where_the_policy_says_and_nowhere_else) {
	enter(&passenger, true);
	expect_confined(serve_attempts(&passenger));
}

Test(write_servers, php_fpm_writes_where_the_policy_says_and_nowhere_else) {
	enter(&fpm, true);
	expect_confined(serve_attempts(&fpm));
}

Test(write_servers, php_on_the_command_line_is_confined_like_its_web_server) {
	enter(&fpm, true);
	const struct world_run *run = world_launch(&world_deploy, WORLD_LIST("app", "--", "php", "index.php"));

	cr_assert(world_exited(run, 0), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
	expect_confined(run->out);
}

Test(write_servers, gunicorn_could_write_there_otherwise) { expect_owner_and_mode_allow_it(&gunicorn); }

Test(write_servers, passenger_could_write_there_otherwise) { expect_owner_and_mode_allow_it(&passenger); }

Test(write_servers, php_fpm_could_write_there_otherwise) { expect_owner_and_mode_allow_it(&fpm); }
