/* SPDX-License-Identifier: ISC */
/* One PHP app through every door: PHP-FPM behind nginx and behind Apache, the deployer's command line, and the jobs of a
 * real cron daemon. The policy and the files around it are those of policy/examples. */
#include <criterion/criterion.h>
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "recipe.h"
#include "server.h"
#include "world.h"

TestSuite(php, .timeout = 60);

#define HOME "/srv/blog"
#define CURRENT HOME "/current"
#define SHARED HOME "/shared"
#define SOCKET "/run/blog/blog.sock"
#define PORT 80
#define RUNAS WORLD_RUNAS

enum { BLOG = 4006, WEB_USER = 33 };

/* --- the examples --- */

enum example { POLICY, SETUP, POOL, NGINX, APACHE, CRON, TMPFILES, UNIT, EXAMPLES };

static const char *const example_names[EXAMPLES] = {[POLICY] = "blog.conf",
						    [SETUP] = "blog.setup",
						    [POOL] = "blog.fpm.conf",
						    [NGINX] = "blog.nginx.conf",
						    [APACHE] = "blog.apache.conf",
						    [CRON] = "blog.cron",
						    [TMPFILES] = "blog.tmpfiles.conf",
						    [UNIT] = "blog.service"};

static char *examples[EXAMPLES];

static void read_examples(void) {
	for (size_t i = 0; i < EXAMPLES; i++)
		examples[i] = recipe_read(example_names[i]);
}

/* What follows `KEY=` in the unit, split at blanks; MAINPID is a word of it. */
static const char *const *unit_words(const char *key, pid_t main_pid) {
	static char line[1024], number[16];
	static const char *words[32];
	size_t count = 0;
	const char *at = strstr(examples[UNIT], key);

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
	"const OUTSIDE = ['" HOME "', '" CURRENT "', '/srv/open', '/tmp', '/home/deploy', '/run'];\n"
	"function report($what, $act) {\n"
	"    error_clear_last();\n"
	"    $line = $what . ': ' . (@$act() ? 'ok' : error_get_last()['message'] ?? 'failed') . \"\\n\";\n"
	"    echo $line;\n"
	"    file_put_contents('" SHARED "/log/app.log', $line, FILE_APPEND);\n"
	"}\n"
	/* Everything that others left for this door is changed and removed, and something is left for each of them. */
	"function visit($door) {\n"
	"    $lock = fopen(__FILE__, 'r');\n"
	"    flock($lock, LOCK_EX);\n"
	"    umask() == 027 || report(\"$door has another umask\", fn() => false);\n"
	"    foreach (DOORS as $other) {\n"
	"        $theirs = '" SHARED "/storage/' . \"$other-for-$door\";\n"
	"        $ours = '" SHARED "/storage/' . \"$door-for-$other\";\n"
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
	"require '" CURRENT "/app.php';\n"
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
	"    file_put_contents('" CURRENT "/cache/page', 'x');\n"
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

static struct world_run *run_as(const struct world_person *who, const char *const *argv) {
	return world_run(&(struct world_call){.who = who, .argv = argv, .program = argv[0], .seconds = 20});
}

/* All lines of the setup but those that make accounts, check, and start. */
static void set_up(void) {
	for (const char *line = examples[SETUP]; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char command[512];
		snprintf(command, sizeof(command), "%.*s", (int)strcspn(line, "\n"), line);
		if (strncmp(command, "install ", 8) != 0 && strncmp(command, "ln ", 3) != 0 &&
		    strncmp(command, "systemd-tmpfiles ", 17) != 0)
			continue;
		struct world_run *run = run_as(&world_root, WORLD_LIST("/bin/sh", "-c", command));
		cr_assert(world_exited(run, 0), "%s: %s%s", command, run->out, run->err);
	}
}

static void enter(void) {
	static const char *const programs[] = {"/usr/sbin/php-fpm8.2", "/usr/bin/php", "/usr/sbin/nginx"};

	read_examples();
	world_enter();
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		server_needs(programs[i]);
	if (!recipe_has_landlock())
		SKIP("this kernel has no Landlock with which `write` can be kept (ABI 2)");
	server_enter_network();

	add_line("/etc/passwd", "blog:x:4006:4006::" HOME ":/usr/sbin/nologin\n");
	add_line("/etc/group", "blog:x:4006:www-data\n");
	recipe_own("/etc/tmpfiles.d", NULL);
	recipe_own("/etc/php", WORLD_LIST("8.2"));
	recipe_own("/etc/nginx", WORLD_LIST("mime.types", "fastcgi_params"));
	world_directory("/etc/nginx/conf.d", 0, 0, 0755);
	recipe_hide("/var/log/nginx");
	recipe_hide("/var/lib/nginx");
	world_policy("blog", examples[POLICY]);
	world_file("/etc/php/blog-fpm.conf", 0, 0, 0644, examples[POOL]);
	world_file("/etc/tmpfiles.d/blog.conf", 0, 0, 0644, examples[TMPFILES]);
	world_file("/etc/nginx/nginx.conf", 0, 0, 0644, nginx_conf);
	world_file("/etc/nginx/conf.d/blog.conf", 0, 0, 0644, examples[NGINX]);
	set_up();

	world_directory(CURRENT "/public", WORLD_DEPLOY, BLOG, 02750);
	world_directory(CURRENT "/cache", WORLD_DEPLOY, BLOG, 02750);
	world_file(CURRENT "/public/index.php", WORLD_DEPLOY, BLOG, 0640, index_php);
	world_file(CURRENT "/public/other.php", WORLD_DEPLOY, BLOG, 0640, "<?php the secret of the source\n");
	world_file(CURRENT "/public/style.css", WORLD_DEPLOY, BLOG, 0640, "body { color: green }\n");
	world_file(CURRENT "/app.php", WORLD_DEPLOY, BLOG, 0640, app);
	world_file(CURRENT "/artisan", WORLD_DEPLOY, BLOG, 0640, artisan);
	/* Where modes would let the app write. */
	world_directory("/srv/open", 0, 0, 0777);
}

static void enter_apache(void) {
	server_needs("/usr/sbin/apache2");
	recipe_own("/etc/apache2", NULL);
	world_directory("/etc/apache2/sites-enabled", 0, 0, 0755);
	world_file("/etc/apache2/apache2.conf", 0, 0, 0644, apache_conf);
	world_file("/etc/apache2/sites-enabled/blog.conf", 0, 0, 0644, examples[APACHE]);
}

/* --- the servers --- */

static struct world_run *start(const struct world_person *who, const char *const *argv) {
	return world_start(&(struct world_call){.who = who, .program = argv[0], .argv = argv});
}

/* As systemd does. */
static struct world_run *start_fpm(void) {
	struct world_run *run = start(&world_root, unit_words("ExecStart=", 0));

	for (long limit = server_now() + 20000; access(SOCKET, F_OK) != 0; usleep(20000)) {
		if (world_ended(run) || server_now() > limit) {
			char *log = world_read(SHARED "/log/fpm.log");
			world_wait(run, 1);
			cr_assert_fail("FPM does not listen: status %#x\n%s%s%s", (unsigned)run->status, run->out,
				       run->err, log ? log : "");
		}
	}
	return run;
}

static struct world_run *start_nginx(void) {
	struct world_run *run = start(&world_root, WORLD_LIST("/usr/sbin/nginx", "-g", "daemon off;"));

	server_first_answer(run, PORT, "/style.css");
	return run;
}

static struct world_run *start_apache(void) {
	struct world_run *run = start(
		&world_root, WORLD_LIST("/usr/sbin/apache2", "-f", "/etc/apache2/apache2.conf", "-D", "FOREGROUND"));

	server_first_answer(run, PORT, "/style.css");
	return run;
}

static void stop(struct world_run *run, int signal) {
	cr_assert(!world_ended(run), "it had ended: status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
	kill(run->pid, signal);
	world_wait(run, 20);
	cr_expect(!run->timed_out, "it did not end on signal %d", signal);
}

/* A copy, for the next question overwrites the answer. */
static char *ask(const char *path) {
	char *answer = server_ask(PORT, path);

	cr_assert(answer, "nobody listens");
	return strdup(answer);
}

static void expect_status(const char *answer, int status) {
	cr_expect(atoi(answer + strcspn(answer, " \n")) == status, "not %d: %s", status, answer);
}

static void expect_said(const char *text, const char *part) {
	cr_expect(strstr(text, part) != NULL, "`%s` is not in: %s", part, text);
}

static void expect_page(const char *answer) {
	expect_status(answer, 200);
	expect_said(answer, "uid 4006 environment production\n");
	expect_said(answer, "session kept\n");
	expect_said(answer, "temporary " HOME "/tmp\n");
}

static bool is_fpm(const char *status) {
	const char *name = world_value_in(status, "Name");

	return name && strncmp(name + strspn(name, "\t"), "php-fpm", 7) == 0;
}

/* Master and workers, and nobody else: no process of PHP-FPM was root or anything else than the policy says. */
static void expect_fpm_is_blog(void) {
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

static struct world_run *policy(const char *const *arguments) {
	const char *argv[16] = {"runas-policy"};

	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = arguments[i];
	return world_run(&(struct world_call){
		.who = &world_root, .program = world_built("runas-policy"), .argv = argv, .seconds = 20});
}

static void expect_policy(const char *const *arguments, int status, const char *part) {
	struct world_run *run = policy(arguments);

	cr_expect(world_exited(run, status), "%s %s: status %#x, not %d\n%s%s", arguments[0], arguments[1],
		  (unsigned)run->status, status, run->out, run->err);
	if (part)
		cr_expect(strstr(run->out, part) || strstr(run->err, part), "%s %s: `%s` is not in\n%s%s", arguments[0],
			  arguments[1], part, run->out, run->err);
}

/* --- doors --- */

static void visit_by_cli(void) {
	struct world_run *run =
		run_as(&world_deploy, WORLD_LIST(RUNAS, "blog", "--", "php", "artisan", "cache:clear", "--force"));

	cr_assert(world_exited(run, 0), "status %#x: %s%s", (unsigned)run->status, run->out, run->err);
	expect_said(run->out, "cli ");
}

static void visit_by_web(const char *door) {
	char first[64];
	char *answer = ask("/visit");

	snprintf(first, sizeof(first), "\n%s creates " HOME "/new: ", door);
	expect_page(answer);
	expect_said(answer, first);
	free(answer);
}

/* For this process alone the next minute is three seconds away: waiting for it would be half of this program's time. */
static struct world_run *start_before_minute(const char *const *argv) {
	static char preload[512], offset[64];
	glob_t found;

	if (glob("/usr/lib/*/faketime/libfaketime.so.1", 0, NULL, &found) != 0)
		SKIP("libfaketime is missing: scripts/bootstrap check installs it");
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", found.gl_pathv[0]);
	globfree(&found);
	snprintf(offset, sizeof(offset), "FAKETIME=+%ds", (int)(60 + 57 - time(NULL) % 60) % 60);
	return world_start(&(struct world_call){
		.who = &world_root, .program = argv[0], .argv = argv, .envp = WORLD_LIST(preload, offset)});
}

/* Everything of the host's that the daemon would run or write is hidden. */
static void enter_cron(void) {
	server_needs("/usr/sbin/cron");
	recipe_own("/etc/cron.d", NULL);
	recipe_own("/etc/pam.d", NULL);
	world_file("/etc/crontab", 0, 0, 0644, "");
	/* Debian's own asks for the audit daemon's login uid, which a container may not set. */
	world_file("/etc/pam.d/cron", 0, 0, 0644,
		   "auth required pam_permit.so\naccount required pam_unix.so\nsession required pam_permit.so\n");
	world_file("/etc/shadow", 0, 0, 0600, "root:*:19000::::::\ndeploy:*:19000::::::\n");
	recipe_hide("/var/spool/cron");
	world_directory("/var/spool/cron/crontabs", 0, 0, 0730);
	world_file("/etc/cron.d/blog", 0, 0, 0644, examples[CRON]);
	world_file("/var/spool/cron/crontabs/deploy", WORLD_DEPLOY, WORLD_DEPLOY, 0600,
		   "* * * * * " RUNAS " blog -- php artisan queue:work --tries=3\n");
}

static bool log_has(const char *line) {
	char *log = world_read(SHARED "/log/app.log");
	bool has = log && strstr(log, line);

	free(log);
	return has;
}

static void wait_for_cron(struct world_run *cron) {
	long limit = server_now() + 40000;

	while (!log_has("\ncron empties its code") || !log_has("\ncrontab empties its code")) {
		if (world_ended(cron) || server_now() > limit) {
			size_t lines = world_log();
			for (size_t i = 0; i < lines; i++)
				cr_log_warn("%s", world_log_line(i));
			cr_assert_fail("the cron daemon's jobs did not run: %s", world_read(SHARED "/log/app.log"));
		}
		usleep(50000);
		/* It waits where nobody reads the log. */
		world_log();
	}
}

static void expect_taken_over(const char *log, const char *door, const char *from) {
	static const char *const acts[] = {"changes a file of", "adds to a directory of", "renames a file of",
					   "changes a mode of", "removes a file of",	  "removes a directory of"};
	char line[128];

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		snprintf(line, sizeof(line), "\n%s %s %s: ok\n", door, acts[i], from);
		cr_expect(strstr(log, line), "not in the log: %s", line);
	}
}

static void expect_kept_in(const char *log, const char *door) {
	static const char *const places[] = {HOME, CURRENT, "/srv/open", "/tmp", "/home/deploy", "/run"};
	char line[256];
	struct stat facts;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(line, sizeof(line),
			 "\n%s creates %s/new: touch(): Unable to create file %s/new because Permission denied\n", door,
			 places[i], places[i]);
		cr_expect(strstr(log, line), "not in the log: %s", line);
		snprintf(line, sizeof(line), "%s/new", places[i]);
		cr_expect(lstat(line, &facts) != 0, "%s was made", line);
	}
	snprintf(line, sizeof(line), "\n%s empties its code: fopen(", door);
	cr_expect(strstr(log, line), "not in the log: %s", line);
}

static void expect_no_failure(const char *log) {
	for (const char *line = log; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		char text[256];
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
		bool meant = strstr(text, " creates ") || strstr(text, " empties ");
		size_t length = strlen(text);
		cr_expect(meant || (length > 4 && strcmp(text + length - 4, ": ok") == 0), "%s", text);
	}
}

/* --- tests --- */

Test(php, web_command_line_and_cron_change_and_remove_each_others_files) {
	static const char *const doors[] = {"nginx", "apache", "cli", "cron", "crontab"};

	enter();
	enter_apache();
	enter_cron();
	struct world_run *fpm = start_fpm();
	struct world_run *nginx = start_nginx();
	visit_by_web("nginx");
	visit_by_cli();
	stop(nginx, SIGTERM);
	struct world_run *apache = start_apache();
	visit_by_web("apache");
	struct world_run *cron = start_before_minute(WORLD_LIST("/usr/sbin/cron", "-f"));
	wait_for_cron(cron);
	visit_by_web("apache");
	visit_by_cli();
	stop(apache, SIGTERM);
	nginx = start_nginx();
	visit_by_web("nginx");
	expect_fpm_is_blog();
	world_log();
	stop(cron, SIGTERM);
	stop(nginx, SIGTERM);
	server_stop(fpm, SIGQUIT);

	char *log = world_read(SHARED "/log/app.log");
	cr_assert(log);
	expect_no_failure(log);
	for (size_t i = 0; i < 5; i++) {
		expect_kept_in(log, doors[i]);
		for (size_t k = 0; k < 5; k++) {
			/* The two jobs of the same minute come one after the other, whichever is first. */
			if (i != k && !(i >= 3 && k >= 3))
				expect_taken_over(log, doors[i], doors[k]);
		}
	}
	cr_expect(strstr(log, "cron changes a file of crontab: ok") ||
			  strstr(log, "crontab changes a file of cron: ok"),
		  "neither job found what the other one left");
	expect_policy(WORLD_LIST("audit", "blog"), 0, NULL);
}

Test(php, fpm_needs_no_root_reloads_and_stops_through_the_policy) {
	enter();
	/* By the deployer: not even who starts it is root. */
	const char *const *words = unit_words("ExecStart=", 0);
	struct world_run *fpm = start(&world_deploy, words);
	struct world_run *nginx = start_nginx();
	for (long limit = server_now() + 20000; access(SOCKET, F_OK) != 0 && server_now() < limit;)
		usleep(20000);
	char *answer = ask("/");
	expect_page(answer);
	expect_fpm_is_blog();
	struct stat facts;
	cr_expect(stat(SOCKET, &facts) == 0 && facts.st_uid == BLOG && facts.st_gid == WEB_USER &&
			  (facts.st_mode & 0777) == 0660,
		  "the socket is %u:%u %o", facts.st_uid, facts.st_gid, facts.st_mode);

	/* A reload executes FPM again, under the same identity and the same filters. */
	struct world_run *reload = start(&world_deploy, unit_words("ExecReload=", fpm->pid));
	world_wait(reload, 10);
	cr_assert(world_exited(reload, 0), "%s%s", reload->out, reload->err);
	for (long limit = server_now() + 20000; server_now() < limit; usleep(50000)) {
		char *log = world_read(SHARED "/log/fpm.log");
		const char *again = log ? strstr(log, "reloading: execvp") : NULL;
		bool ready = again && strstr(again, "ready to handle connections");
		free(log);
		if (ready)
			break;
		cr_assert(server_now() + 100 < limit, "FPM did not reload: %s", world_read(SHARED "/log/fpm.log"));
	}
	cr_expect(!world_ended(fpm), "the same process goes on");
	answer = ask("/");
	expect_page(answer);
	expect_fpm_is_blog();

	char number[16];
	snprintf(number, sizeof(number), "%d", fpm->pid);
	struct world_run *quit = run_as(&world_deploy, WORLD_LIST(RUNAS, "blog", "--", "kill", "-QUIT", number));
	cr_expect(world_exited(quit, 0), "%s%s", quit->out, quit->err);
	world_wait(fpm, 20);
	cr_expect(world_exited(fpm, 0), "status %#x: %s%s", (unsigned)fpm->status, fpm->out, fpm->err);
	expect_status(ask("/"), 502);
	stop(nginx, SIGTERM);
	server_expect_gone("stopped");
}

static void expect_front_end(struct world_run *(*start_server)(void)) {
	struct world_run *fpm = start_fpm();
	struct world_run *front = start_server();

	expect_page(ask("/"));
	expect_page(ask("/any/page"));
	char *answer = ask("/style.css");
	expect_status(answer, 200);
	expect_said(answer, "color: green");
	answer = ask("/other.php");
	cr_expect(!strstr(answer, "secret of the source"), "a script is served as text: %s", answer);
	expect_policy(WORLD_LIST("why", "blog", SOCKET, "connect", "--user", "www-data"), 0, NULL);

	/* Others than the web server and the app do not get in. */
	struct world_run *stranger = run_as(&world_other, WORLD_LIST("/usr/bin/stat", SOCKET));
	cr_expect(!world_exited(stranger, 0) && strstr(stranger->err, "Permission denied"), "%s", stranger->err);

	/* A directory that the web server's user cannot enter. */
	world_directory("/run/blog", BLOG, WORLD_GROUP_EXTRA, 02750);
	answer = ask("/");
	cr_expect(strstr(answer, " 502 ") || strstr(answer, " 503 "), "%s", answer);
	expect_policy(WORLD_LIST("why", "blog", SOCKET, "connect", "--user", "www-data"), 1, "/run/blog");
	expect_policy(WORLD_LIST("audit", "blog"), 0, SOCKET ": warning: www-data cannot connect: /run/blog: ");
	stop(front, SIGTERM);
	server_stop(fpm, SIGQUIT);
}

Test(php, nginx_reaches_pages_and_static_files) {
	enter();
	expect_front_end(start_nginx);
}

Test(php, apache_reaches_pages_and_static_files) {
	enter();
	enter_apache();
	expect_front_end(start_apache);
}

Test(php, without_the_apps_group_the_web_server_reads_no_static_file) {
	enter();
	enter_apache();
	char *groups = world_read("/etc/group");
	char *member = strstr(groups, "blog:x:4006:www-data");
	cr_assert(member);
	memcpy(member, "blog:x:4006:nobody\n\n", 20);
	world_file("/etc/group", 0, 0, 0644, groups);
	struct world_run *fpm = start_fpm();
	struct world_run *apache = start_apache();
	expect_status(ask("/style.css"), 403);
	expect_policy(WORLD_LIST("why", "blog", CURRENT "/public/style.css", "read", "--user", "www-data"), 1,
		      HOME "/releases");
	stop(apache, SIGTERM);
	struct world_run *nginx = start_nginx();
	char *answer = ask("/style.css");
	cr_expect(!strstr(answer, "color: green"), "%s", answer);
	stop(nginx, SIGTERM);
	server_stop(fpm, SIGQUIT);
}

Test(php, a_write_that_fails_names_its_path_and_why_names_the_reason) {
	enter();
	struct world_run *fpm = start_fpm();
	struct world_run *nginx = start_nginx();
	char *answer = ask("/mistake");
	expect_said(answer, "file_put_contents(" CURRENT "/cache/page): Failed to open stream: Permission denied");
	expect_said(answer, "file_put_contents(/srv/open/page): Failed to open stream: Permission denied");
	expect_policy(WORLD_LIST("why", "blog", CURRENT "/cache/page", "write"), 1,
		      "no: blog may not make " CURRENT "/cache/page: " HOME
		      "/releases/first/cache: blog is in its group blog, which has no w");
	expect_policy(WORLD_LIST("why", "blog", "/srv/open/page", "write"), 1,
		      "/srv/open/page: is not at or below a `write` path of the policy");
	expect_policy(WORLD_LIST("why", "blog", SHARED "/storage/page", "write"), 0, NULL);
	stop(nginx, SIGTERM);
	server_stop(fpm, SIGQUIT);
}

/* As it was before: what this project is against. */
Test(php, a_job_beside_the_policy_leaves_what_the_others_cannot_change_and_audit_finds_it) {
	enter();
	struct world_run *fpm = start_fpm();
	struct world_run *nginx = start_nginx();
	struct world_run *beside = run_as(
		&world_root, WORLD_LIST("/bin/sh", "-c", "umask 022; cd " CURRENT " && php artisan schedule:run"));
	cr_assert(world_exited(beside, 0), "%s%s", beside->out, beside->err);
	char *answer = ask("/visit");
	expect_said(answer, "nginx changes a file of cron: file_put_contents(" SHARED
			    "/storage/cron-for-nginx/file): Failed to open stream: Permission denied\n");
	expect_said(answer, "nginx removes a directory of cron: rmdir(");

	/* Each finding has the command that mends it, and they do. */
	struct world_run *audit = policy(WORLD_LIST("audit", "blog", "--all"));
	cr_expect(world_exited(audit, 1), "%s%s", audit->out, audit->err);
	expect_said(audit->out, SHARED "/storage/cron-for-nginx/file: error: belongs to root, not to blog: made by a "
				       "run as root? [audit-owner]\n");
	struct world_run *mend = world_run(&(struct world_call){
		.who = &world_root,
		.program = "/bin/sh",
		.argv = WORLD_LIST("sh", "-c", "printf '%s\n' \"$1\" | sed -n 's/^ *hint: find/find/p' | sh -e", "sh",
				   audit->out)});
	cr_expect(world_exited(mend, 0), "%s", mend->err);
	expect_policy(WORLD_LIST("audit", "blog"), 0, "0 errors");
	expect_said(ask("/visit"), "nginx removes a directory of cron: ok\n");
	stop(nginx, SIGTERM);
	server_stop(fpm, SIGQUIT);
}

Test(php, the_examples_are_what_their_readers_accept) {
	enter();
	expect_policy(WORLD_LIST("check", "blog"), 0, NULL);
	struct world_run *run = run_as(&world_root, WORLD_LIST("/usr/sbin/nginx", "-t"));
	cr_expect(world_exited(run, 0), "%s", run->err);
	server_needs("/usr/bin/systemd-analyze");
	world_directory("/run/units", 0, 0, 0755);
	world_file("/run/units/blog.service", 0, 0, 0644, examples[UNIT]);
	run = run_as(&world_root,
		     WORLD_LIST("/usr/bin/systemd-analyze", "verify", "--man=no", "/run/units/blog.service"));
	cr_expect(world_exited(run, 0) && run->err[0] == '\0', "%s%s", run->out, run->err);
}
