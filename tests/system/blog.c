/* SPDX-License-Identifier: ISC */
#include "blog.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "recipe.h"
#include "server.h"

#define PORT 80

/* --- the examples --- */

static const char *const names[BLOG_EXAMPLES] = {[BLOG_POLICY] = "blog.conf",
						 [BLOG_SETUP] = "blog.setup",
						 [BLOG_POOL] = "blog.fpm",
						 [BLOG_NGINX] = "blog.nginx",
						 [BLOG_APACHE] = "blog.apache",
						 [BLOG_CRON] = "blog.cron",
						 [BLOG_TMPFILES] = "blog.tmpfiles",
						 [BLOG_UNIT] = "blog.service"};

char *blog_examples[BLOG_EXAMPLES];

static void read_examples(void) {
	for (size_t i = 0; i < BLOG_EXAMPLES; i++)
		blog_examples[i] = recipe_read(names[i]);
}

const char *const *blog_unit_words(const char *key, pid_t main_pid) {
	static char line[1024], number[16];
	static const char *words[32];
	size_t count = 0;
	const char *at = strstr(blog_examples[BLOG_UNIT], key);

	cr_assert(at, "the unit has no %s", key);
	at += strlen(key);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	snprintf(number, sizeof(number), "%d", main_pid);
	for (char *word = strtok(line, " "); word && count < 31; word = strtok(NULL, " "))
		words[count++] = strcmp(word, "$MAINPID") == 0 ? number : word;
	words[count] = NULL;
	return words;
}

/* --- the app --- */

/* clang-format off */
static const char app[] =
	"<?php\n"
	"const DOORS = ['nginx', 'apache', 'cli', 'cron', 'crontab'];\n"
	"const OUTSIDE = ['" BLOG_HOME "', '" BLOG_CURRENT "', '/srv/open', '/tmp', '/home/deploy', '/run'];\n"
	"function report($what, $act) {\n"
	"    error_clear_last();\n"
	"    $line = $what . ': ' . (@$act() ? 'ok' : error_get_last()['message'] ?? 'failed') . \"\\n\";\n"
	"    echo $line;\n"
	"    file_put_contents('" BLOG_SHARED "/log/app.log', $line, FILE_APPEND);\n"
	"}\n"
	/* Everything that others left for this door is changed and removed, and something is left for each of them. */
	"function visit($door) {\n"
	"    $lock = fopen(__FILE__, 'r');\n"
	"    flock($lock, LOCK_EX);\n"
	"    umask() == 027 || report(\"$door has another umask\", fn() => false);\n"
	"    foreach (DOORS as $other) {\n"
	"        $theirs = '" BLOG_SHARED "/storage/' . \"$other-for-$door\";\n"
	"        $ours = '" BLOG_SHARED "/storage/' . \"$door-for-$other\";\n"
	"        if (is_dir($theirs)) {\n"
	"            report(\"$door changes a file of $other\", fn() => file_put_contents(\"$theirs/file\", $door, FILE_APPEND));\n"
	"            report(\"$door adds to a directory of $other\", fn() => mkdir(\"$theirs/deep\") && touch(\"$theirs/deep/new\"));\n"
	"            report(\"$door renames a file of $other\", fn() => rename(\"$theirs/file\", \"$theirs/deep/old\"));\n"
	"            report(\"$door changes a mode of $other\", fn() => chmod(\"$theirs/deep/old\", 0600));\n"
	"            report(\"$door removes a file of $other\", fn() => unlink(\"$theirs/deep/old\") && unlink(\"$theirs/deep/new\"));\n"
	"            report(\"$door removes a directory of $other\", fn() => rmdir(\"$theirs/deep\") && rmdir($theirs));\n"
	"        }\n"
	"        if ($other != $door && !is_dir($ours))\n"
	"            report(\"$door leaves something for $other\", fn() => mkdir($ours) && file_put_contents(\"$ours/file\", $door));\n"
	"    }\n"
	"    foreach (OUTSIDE as $place)\n"
	"        report(\"$door creates $place/new\", fn() => touch(\"$place/new\"));\n"
	"    report(\"$door empties its code\", fn() => fopen(__FILE__, 'r+'));\n"
	"    flock($lock, LOCK_UN);\n"
	"}\n";

static const char index_php[] =
	"<?php\n"
	"require '" BLOG_CURRENT "/app.php';\n"
	"header('Content-Type: text/plain');\n"
	"echo 'uid ', posix_getuid(), ' environment ', getenv('APP_ENV'), \"\\n\";\n"
	"session_start();\n"
	"echo 'session ', session_write_close() ? 'kept' : 'lost', \"\\n\";\n"
	"echo 'temporary ', dirname(tempnam(sys_get_temp_dir(), 'up')), \"\\n\";\n"
	"if ($_SERVER['REQUEST_URI'] == '/visit')\n"
	"    visit(strncmp($_SERVER['SERVER_SOFTWARE'], 'nginx', 5) == 0 ? 'nginx' : 'apache');\n"
	/* As a framework's developer meets it. */
	"if ($_SERVER['REQUEST_URI'] == '/mistake') {\n"
	"    ini_set('display_errors', '1');\n"
	"    ini_set('html_errors', '0');\n"
	"    file_put_contents('" BLOG_CURRENT "/cache/page', 'x');\n"
	"    file_put_contents('/srv/open/page', 'x');\n"
	"}\n";

static const char artisan[] =
	"<?php\n"
	"require __DIR__ . '/app.php';\n"
	"visit(['schedule:run' => 'cron', 'queue:work' => 'crontab', 'cache:clear' => 'cli'][$argv[1]]);\n";

/* Debian's own has more sites than ours; Debian's modules, its user and its ways of doing it. */
static const char nginx_conf[] =
	"user www-data;\n"
	"worker_processes 2;\n"
	"pid /run/nginx.pid;\n"
	"events {}\n"
	"http {\n"
	"	include mime.types;\n"
	"	access_log /var/log/nginx/access.log;\n"
	"	include /etc/nginx/conf.d/*.conf;\n"
	"}\n";

static const char apache_conf[] =
	"ServerName localhost\n"
	"PidFile /run/apache2.pid\n"
	"DefaultRuntimeDir /run\n"
	"ErrorLog /run/apache2-error.log\n"
	"User www-data\n"
	"Group www-data\n"
	"LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n"
	"LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n"
	"LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so\n"
	"LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so\n"
	"LoadModule proxy_fcgi_module /usr/lib/apache2/modules/mod_proxy_fcgi.so\n"
	"Listen 80\n"
	"StartServers 1\n"
	"Include /etc/apache2/sites-enabled/blog.conf\n";
/* clang-format on */

/* --- the machine --- */

static void add_line(const char *path, const char *line) {
	char *text = world_read(path), whole[8192];

	snprintf(whole, sizeof(whole), "%s%s", text ? text : "", line);
	world_file(path, 0, 0, 0644, whole);
	free(text);
}

struct world_run *blog_run(const struct world_person *who, const char *const *argv) {
	return world_run(&(struct world_call){.who = who, .argv = argv, .program = argv[0], .seconds = 20});
}

/* All lines of the setup but those that make accounts, check, and start. */
static void set_up(void) {
	for (const char *line = blog_examples[BLOG_SETUP]; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char command[512];
		snprintf(command, sizeof(command), "%.*s", (int)strcspn(line, "\n"), line);
		if (strncmp(command, "install ", 8) != 0 && strncmp(command, "ln ", 3) != 0 &&
		    strncmp(command, "systemd-tmpfiles ", 17) != 0)
			continue;
		struct world_run *run = blog_run(&world_root, WORLD_LIST("/bin/sh", "-c", command));
		cr_assert(world_exited(run, 0), "%s: %s%s", command, run->out, run->err);
	}
}

void blog_enter(void) {
	static const char *const programs[] = {"/usr/sbin/php-fpm8.2", "/usr/bin/php", "/usr/sbin/nginx"};

	read_examples();
	world_enter();
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		server_needs(programs[i]);
	if (world_landlock_abi() < 2)
		SKIP("this kernel has no Landlock with which `write` can be kept (ABI 2)");
	server_enter_network();

	add_line("/etc/passwd", "blog:x:4006:4006::" BLOG_HOME ":/usr/sbin/nologin\n");
	add_line("/etc/group", "blog:x:4006:www-data\n");
	recipe_own("/etc/tmpfiles.d", NULL);
	recipe_own("/etc/php", WORLD_LIST("8.2"));
	recipe_own("/etc/nginx", WORLD_LIST("mime.types", "fastcgi_params"));
	world_directory("/etc/nginx/conf.d", 0, 0, 0755);
	recipe_hide("/var/log/nginx");
	recipe_hide("/var/lib/nginx");
	world_policy("blog", blog_examples[BLOG_POLICY]);
	world_file("/etc/php/blog-fpm.conf", 0, 0, 0644, blog_examples[BLOG_POOL]);
	world_file("/etc/tmpfiles.d/blog.conf", 0, 0, 0644, blog_examples[BLOG_TMPFILES]);
	world_file("/etc/nginx/nginx.conf", 0, 0, 0644, nginx_conf);
	world_file("/etc/nginx/conf.d/blog.conf", 0, 0, 0644, blog_examples[BLOG_NGINX]);
	set_up();

	world_directory(BLOG_CURRENT "/public", WORLD_DEPLOY, BLOG_USER, 02750);
	world_directory(BLOG_CURRENT "/cache", WORLD_DEPLOY, BLOG_USER, 02750);
	world_file(BLOG_CURRENT "/public/index.php", WORLD_DEPLOY, BLOG_USER, 0640, index_php);
	world_file(BLOG_CURRENT "/public/other.php", WORLD_DEPLOY, BLOG_USER, 0640, "<?php the secret of the source\n");
	world_file(BLOG_CURRENT "/public/style.css", WORLD_DEPLOY, BLOG_USER, 0640, "body { color: green }\n");
	world_file(BLOG_CURRENT "/app.php", WORLD_DEPLOY, BLOG_USER, 0640, app);
	world_file(BLOG_CURRENT "/artisan", WORLD_DEPLOY, BLOG_USER, 0640, artisan);
	/* Where modes would let the app write. */
	world_directory("/srv/open", 0, 0, 0777);
}

void blog_enter_apache(void) {
	server_needs("/usr/sbin/apache2");
	recipe_own("/etc/apache2", NULL);
	world_directory("/etc/apache2/sites-enabled", 0, 0, 0755);
	world_file("/etc/apache2/apache2.conf", 0, 0, 0644, apache_conf);
	world_file("/etc/apache2/sites-enabled/blog.conf", 0, 0, 0644, blog_examples[BLOG_APACHE]);
}

/* --- the servers --- */

struct world_run *blog_start(const struct world_person *who, const char *const *argv) {
	return world_start(&(struct world_call){.who = who, .program = argv[0], .argv = argv});
}

struct world_run *blog_start_fpm(void) {
	struct world_run *run = blog_start(&world_root, blog_unit_words("ExecStart=", 0));

	for (long limit = server_now() + 20000; access(BLOG_SOCKET, F_OK) != 0; usleep(20000)) {
		if (world_ended(run) || server_now() > limit) {
			char *log = world_read(BLOG_SHARED "/log/fpm.log");
			world_wait(run, 1);
			cr_assert_fail("FPM does not listen: status %#x\n%s%s%s", (unsigned)run->status, run->out,
				       run->err, log ? log : "");
		}
	}
	return run;
}

struct world_run *blog_start_nginx(void) {
	struct world_run *run = blog_start(&world_root, WORLD_LIST("/usr/sbin/nginx", "-g", "daemon off;"));

	server_first_answer(run, PORT, "/style.css");
	return run;
}

struct world_run *blog_start_apache(void) {
	struct world_run *run = blog_start(
		&world_root, WORLD_LIST("/usr/sbin/apache2", "-f", "/etc/apache2/apache2.conf", "-D", "FOREGROUND"));

	server_first_answer(run, PORT, "/style.css");
	return run;
}

void blog_stop(struct world_run *run, int signal) {
	cr_assert(!world_ended(run), "it had ended: status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
	kill(run->pid, signal);
	world_wait(run, 20);
	cr_expect(!run->timed_out, "it did not end on signal %d", signal);
}

char *blog_ask(const char *path) {
	char *answer = server_ask(PORT, path);

	cr_assert(answer, "nobody listens");
	return strdup(answer);
}

void blog_expect_status(const char *answer, int status) {
	cr_expect(atoi(answer + strcspn(answer, " \n")) == status, "not %d: %s", status, answer);
}

void blog_expect_said(const char *text, const char *part) {
	cr_expect(strstr(text, part) != NULL, "`%s` is not in: %s", part, text);
}

void blog_expect_page(const char *answer) {
	blog_expect_status(answer, 200);
	blog_expect_said(answer, "uid 4006 environment production\n");
	blog_expect_said(answer, "session kept\n");
	blog_expect_said(answer, "temporary " BLOG_HOME "/tmp\n");
}

static bool is_fpm(const char *status) {
	const char *name = world_value_in(status, "Name");

	return name && strncmp(name + strspn(name, "\t"), "php-fpm", 7) == 0;
}

void blog_expect_fpm_confined(void) {
	static const struct server_fact facts[] = {{"Uid", "4006 4006 4006 4006"},
						   {"Gid", "4006 4006 4006 4006"},
						   {"Groups", "4006"},
						   {"Umask", "0027"},
						   SERVER_CONFINED,
						   {NULL, NULL}};
	const size_t seen = server_expect_each(is_fpm, facts);

	cr_expect(seen >= 3, "%zu processes of PHP-FPM only: a master and two workers are three", seen);
}

/* --- runas-policy --- */

struct world_run *blog_policy(const char *const *arguments) {
	const char *argv[16] = {"runas-policy"};

	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = arguments[i];
	return world_run(&(struct world_call){
		.who = &world_root, .program = world_built("runas-policy"), .argv = argv, .seconds = 20});
}

void blog_expect_policy(const char *const *arguments, int status, const char *part) {
	struct world_run *run = blog_policy(arguments);

	cr_expect(world_exited(run, status), "%s %s: status %#x, not %d\n%s%s", arguments[0], arguments[1],
		  (unsigned)run->status, status, run->out, run->err);
	if (part)
		cr_expect(strstr(run->out, part) || strstr(run->err, part), "%s %s: `%s` is not in\n%s%s", arguments[0],
			  arguments[1], part, run->out, run->err);
}
