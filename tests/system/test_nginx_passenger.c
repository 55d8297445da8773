/* SPDX-License-Identifier: ISC */
/* The first of the four systems, as its recipe in policy/examples sets it up: nginx in front, Passenger behind a unix
 * socket, a deployer who owns the code and an app user who runs it, releases as Capistrano lays them out. */
#include <criterion/criterion.h>
#include <errno.h>
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

TestSuite(nginx_passenger, .timeout = 120);

#define HOME "/srv/rails-app"
#define SHARED HOME "/shared"
#define LOG SHARED "/log/production.log"
#define RUN "/run/rails-app"
#define SOCKET RUN "/rails-app.sock"
#define PID_FILE SHARED "/tmp/passenger.pid"
#define POLICY "/run/build/runas-policy"
#define NGINX_LOG "/run/nginx/error.log"

enum { WEB = 33 };

/* --- the files of the recipe, and where they belong --- */

enum { CONF, SETUP, TMPFILES, NGINX, LOGROTATE, DEPLOY, RECIPE };

static const struct {
	const char *name, *path;
} recipe[RECIPE] = {
	[CONF] = {"rails-app.conf", "/etc/runas-app/rails-app.conf"},
	[SETUP] = {"rails-app.setup", "/run/setup"},
	[TMPFILES] = {"rails-app.tmpfiles", "/etc/tmpfiles.d/rails-app.conf"},
	[NGINX] = {"rails-app.nginx", "/etc/nginx/sites-enabled/rails-app"},
	[LOGROTATE] = {"rails-app.logrotate", "/etc/logrotate.d/rails-app"},
	[DEPLOY] = {"rails-app.deploy.rb", "/home/deploy/app/config/deploy.rb"},
};

static char *recipe_texts[RECIPE];

/* --- the app --- */

static const char nginx_main[] = "user www-data;\n"
				 "worker_processes 2;\n"
				 "pid /run/nginx/nginx.pid;\n"
				 "error_log " NGINX_LOG ";\n"
				 "events { worker_connections 64; }\n"
				 "http {\n"
				 "	default_type text/plain;\n"
				 "	access_log off;\n"
				 "	client_body_temp_path /run/nginx/body;\n"
				 "	proxy_temp_path /run/nginx/proxy;\n"
				 "	fastcgi_temp_path /run/nginx/fastcgi;\n"
				 "	uwsgi_temp_path /run/nginx/uwsgi;\n"
				 "	scgi_temp_path /run/nginx/scgi;\n"
				 "	include /etc/nginx/sites-enabled/*;\n"
				 "}\n";

/* Its log is opened once, as Rails does. */
static const char config_ru[] =
	"log = File.open('log/production.log', 'a')\n"
	"log.sync = true\n"
	"release = File.read('RELEASE').strip\n"
	"run(lambda do |env|\n"
	"  log.puts env['PATH_INFO']\n"
	"  [200, { 'Content-Type' => 'text/plain' }, [\"release #{release} of #{Process.uid}\\n\"]]\n"
	"end)\n";

static const char rakefile[] =
	"task 'db:migrate' do\n"
	"  abort 'this migration fails' if File.exist?('broken')\n"
	"  current = File.symlink?('" HOME "/current') ? File.realpath('" HOME "/current') : 'nothing'\n"
	"  File.open('log/migrations', 'a') do |file|\n"
	"    release = File.read('RELEASE').strip\n"
	"    file.puts \"release #{release} in #{Dir.pwd} as #{Process.uid}, current is #{current}\"\n"
	"  end\n"
	"end\n"
	"task 'assets:precompile' do\n"
	"  File.write(\"public/assets/#{File.read('RELEASE').strip}.css\", 'made as rails')\n"
	"end\n";

static struct world_run *run_in(const struct world_person *who, const char *directory, const char *command) {
	static const char *const as_root[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
					      "HOME=/root", NULL};

	return world_run(&(struct world_call){.who = who,
					      .envp = who->uid == 0 ? as_root : NULL,
					      .program = "/bin/sh",
					      .argv = WORLD_LIST("sh", "-c", command),
					      .directory = directory,
					      .seconds = 60});
}

static struct world_run *do_as(const struct world_person *who, const char *command) {
	struct world_run *run = run_in(who, "/", command);

	cr_assert(world_exited(run, 0), "%s: status %#x\n%s%s", command, (unsigned)run->status, run->out, run->err);
	return run;
}

static void write_release(const char *name) {
	char text[64];

	snprintf(text, sizeof(text), "%s\n", name);
	world_file("/home/deploy/app/RELEASE", WORLD_DEPLOY, WORLD_DEPLOY, 0640, text);
}

/* The code as the deployer has it. */
static void make_code(void) {
	static const char *const directories[] = {"", "/config", "/public"};
	static const struct {
		const char *name, *text;
	} files[] = {{"config.ru", config_ru},
		     {"Rakefile", rakefile},
		     {"Gemfile", "gem 'rake'\ngem 'rack'\n"},
		     {"public/robots.txt", "read by nginx\n"}};
	char path[256];

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		snprintf(path, sizeof(path), "/home/deploy/app%s", directories[i]);
		world_directory(path, WORLD_DEPLOY, WORLD_DEPLOY, 0750);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/home/deploy/app/%s", files[i].name);
		world_file(path, WORLD_DEPLOY, WORLD_DEPLOY, 0640, files[i].text);
	}
	do_as(&world_deploy, "cd ~/app && bundle lock --local");
}

/* What Capistrano does with it, by hand. */
static void make_release(const char *name) {
	char command[1024];

	write_release(name);
	snprintf(command, sizeof(command),
		 "umask 027; cd " HOME "/releases && mkdir %s && cd %s && cp -r ~/app/* . && ln -s " SHARED
		 "/log " SHARED "/tmp . && ln -s " SHARED "/public/assets public/",
		 name, name);
	do_as(&world_deploy, command);
}

static void make_current(const char *name) {
	char command[256];

	snprintf(command, sizeof(command),
		 "cd " HOME "/releases && ln -s " HOME "/releases/%s current && mv current ..", name);
	do_as(&world_deploy, command);
}

/* --- the machine --- */

static void enter(void) {
	for (int i = 0; i < RECIPE; i++)
		recipe_texts[i] = recipe_read(recipe[i].name);
	world_enter();
	server_needs("/usr/bin/passenger");
	server_needs("/usr/sbin/nginx");
	server_needs("/usr/bin/bundle");
	server_needs("/usr/bin/systemd-tmpfiles");
	server_needs("/usr/sbin/usermod");
	server_enter_network();

	recipe_own("/etc/tmpfiles.d", NULL);
	recipe_own("/etc/logrotate.d", NULL);
	recipe_own("/etc/nginx", NULL);
	recipe_own("/etc/nginx/sites-enabled", NULL);
	recipe_own("/run/nginx", NULL);
	world_file("/etc/nginx/nginx.conf", 0, 0, 0644, nginx_main);
	make_code();
	if (recipe_has_landlock()) {
		recipe_texts[CONF] = recipe_replaced(recipe_texts[CONF], "\n# write = ", "\nwrite = ");
		recipe_texts[CONF] = recipe_replaced(recipe_texts[CONF], "\n# tmp   = ", "\ntmp   = ");
	} else {
		NOT_SHOWN("this kernel has no Landlock: the lines `write` and `tmp` of the example");
	}
	for (int i = 0; i < RECIPE; i++)
		world_file(recipe[i].path, i == DEPLOY ? WORLD_DEPLOY : 0, i == DEPLOY ? WORLD_DEPLOY : 0, 0644,
			   recipe_texts[i]);
	do_as(&world_root, ". /run/setup");
}

static void start_nginx(void) {
	struct world_run *run = world_start(&(struct world_call){
		.who = &world_root,
		.argv = WORLD_LIST("/usr/sbin/nginx", "-e", NGINX_LOG, "-c", "/etc/nginx/nginx.conf")});

	world_wait(run, 20);
	cr_assert(world_exited(run, 0), "nginx: %s%s", run->out, run->err);
}

static pid_t nginx_master(void) {
	const char *text = world_read("/run/nginx/nginx.pid");

	return text ? (pid_t)atol(text) : -1;
}

static pid_t a_worker(void) {
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", nginx_master(), nginx_master());
	const char *text = world_read(path);
	return text ? (pid_t)atol(text) : -1;
}

/* Workers have the groups that their user had when they started. */
static void restart_nginx_workers(void) {
	pid_t old = a_worker();

	cr_assert(old > 0 && kill(nginx_master(), SIGHUP) == 0);
	for (long limit = server_now() + 10000; kill(old, 0) == 0;) {
		cr_assert(server_now() < limit, "nginx's worker %d stays", old);
		usleep(20000);
	}
}

/* --- questions --- */

static bool answers(const char *path, int status) {
	char expected[8];
	const char *answer = server_ask(80, path);

	snprintf(expected, sizeof(expected), " %d ", status);
	return answer && strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, expected, 5) == 0;
}

static void expect_answer(const char *path, int status, const char *text) {
	bool right = answers(path, status);
	const char *answer = strdup(server_ask(80, path) ?: "nothing");

	cr_expect(right && strstr(answer, text), "GET %s is not %d with `%s`, but:\n%s\nnginx's log:\n%s", path, status,
		  text, answer, world_read(NGINX_LOG));
}

static void deployer_does(const char *const *argv) {
	struct world_run *run = recipe_run_as_deployer(argv);

	cr_assert(world_exited(run, 0), "%s %s: status %#x\n%s%s\n%s", argv[3], argv[4], (unsigned)run->status,
		  run->out, run->err, world_read(SHARED "/log/passenger.log"));
}

static const char *const start_command[] = {"runas-app",  "rails-app",	 "--",	       "passenger",
					    "start",	  "--daemonize", "--socket",   SOCKET,
					    "--pid-file", PID_FILE,	 "--log-file", SHARED "/log/passenger.log",
					    NULL};

static void start_passenger(void) { deployer_does(start_command); }

static void stop_passenger(void) {
	deployer_does(WORLD_LIST("runas-app", "rails-app", "--", "passenger", "stop", "--pid-file", PID_FILE));
}

static void restart_app(void) {
	deployer_does(WORLD_LIST("runas-app", "rails-app", "--", "passenger-config", "restart-app", HOME));
}

static void stop_everything(void) {
	stop_passenger();
	expect_answer("/", 502, "");
	kill(nginx_master(), SIGQUIT);
	server_expect_gone("passenger stop and nginx's end");
}

static void expect_policy(int status, const char *arguments, const char *text) {
	char command[512];

	snprintf(command, sizeof(command), POLICY " %s", arguments);
	struct world_run *run = run_in(&world_root, "/", command);
	cr_expect(world_exited(run, status) && strstr(run->out, text),
		  "runas-policy %s: status %#x, not %d with `%s`\n%s%s", arguments, (unsigned)run->status, status, text,
		  run->out, run->err);
}

/* What the first hint says, done. */
static void follow_hint(const char *arguments) {
	char command[512];

	snprintf(command, sizeof(command), POLICY " %s", arguments);
	const char *said = run_in(&world_root, "/", command)->out, *hint = strstr(said, "hint: ");
	cr_assert(hint, "runas-policy %s has no hint:\n%s", arguments, said);
	do_as(&world_root, strndup(hint + 6, strcspn(hint + 6, "\n")));
}

static void expect_owner(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	struct stat facts = {0};

	cr_expect(stat(path, &facts) == 0 && facts.st_uid == uid && facts.st_gid == gid &&
			  (facts.st_mode & 07777) == mode,
		  "%s: %s, %u:%u %o, not %u:%u %o", path, strerror(errno), facts.st_uid, facts.st_gid,
		  facts.st_mode & 07777, uid, gid, mode);
}

static bool holds(const char *path, const char *text) {
	const char *whole = world_read(path);

	return whole && strstr(whole, text);
}

static bool is_passengers(const char *status) {
	const char *name = world_value_in(status, "Name");

	return name && !strstr(name, "nginx");
}

/* Passenger's processes are all that are neither root's nor nginx's workers. */
static void expect_confined(void) {
	static const struct server_fact facts[] = {{"Uid", "4005 4005 4005 4005"},
						   {"Gid", "4005 4005 4005 4005"},
						   {"Groups", "4005"},
						   {"Umask", "0027"},
						   SERVER_CONFINED,
						   {NULL, NULL}};
	const size_t seen = server_expect_each(is_passengers, facts);

	cr_expect(seen >= 3, "%zu processes only: watchdog, core and app are three", seen);
}

static void serve_first_release(void) {
	enter();
	make_release("1");
	make_current("1");
	start_passenger();
	start_nginx();
	expect_answer("/", 200, "release 1 of 4005");
}

/* --- the tests --- */

Test(nginx_passenger, the_recipe_serves_app_and_files_and_checks_find_nothing) {
	serve_first_release();
	expect_answer("/robots.txt", 200, "read by nginx");
	expect_confined();
	expect_owner(RUN, WORLD_RAILS, WEB, 02750);
	expect_owner(LOG, WORLD_RAILS, WORLD_RAILS, 0640);
	expect_policy(0, "check rails-app", "");
	expect_policy(0, "audit rails-app", " 0 errors, 0 warnings");

	/* Those who are neither the app nor the web server reach neither. */
	cr_expect(run_in(&world_other, "/", "cat " HOME "/current/public/robots.txt || ls " RUN)->status != 0);
	stop_everything();
}

Test(nginx_passenger, a_socket_directory_of_the_wrong_group_is_502_and_why_names_it) {
	serve_first_release();
	do_as(&world_root, "chgrp deployers " RUN);
	expect_answer("/", 502, "");
	cr_expect(holds(NGINX_LOG, "connect() to unix:" SOCKET " failed (13: Permission denied)"), "%s",
		  world_read(NGINX_LOG));
	expect_policy(1, "why --user www-data " SOCKET,
		      "no: www-data may not connect to " SOCKET ": " RUN
		      ": others have no x, and www-data is neither its "
		      "owner (rails) nor in its group (deployers)");
	expect_policy(0, "audit rails-app", SOCKET ": warning: www-data cannot connect: " RUN ": others have no x");
	do_as(&world_root, "systemd-tmpfiles --create /etc/tmpfiles.d/rails-app.conf");
	expect_policy(0, "why --user www-data " SOCKET, "");
	expect_answer("/", 200, "release 1 of 4005");
	stop_everything();
}

Test(nginx_passenger, after_a_boot_tmpfiles_makes_the_directory_that_the_launch_names) {
	serve_first_release();
	stop_passenger();
	do_as(&world_root, "rm -rf " RUN);
	if (strstr(recipe_texts[CONF], "\nwrite = " RUN "\n"))
		world_expect_refused(recipe_run_as_deployer(start_command), 125, RUN);
	do_as(&world_root, "systemd-tmpfiles --create /etc/tmpfiles.d/rails-app.conf");
	start_passenger();
	expect_answer("/", 200, "release 1 of 4005");

	/* A socket that was left behind is no obstacle. */
	stop_passenger();
	start_passenger();
	expect_answer("/", 200, "release 1 of 4005");
	stop_everything();
}

#define ASSET HOME "/current/public/assets/app.css"

Test(nginx_passenger, files_of_a_web_server_outside_the_apps_group_are_403_and_why_mends_it) {
	serve_first_release();
	world_file(SHARED "/public/assets/app.css", WORLD_RAILS, WORLD_RAILS, 0640, "made by the app");
	expect_answer("/assets/app.css", 200, "made by the app");
	do_as(&world_root, "sed -i 's/^\\(rails:x:4005:\\).*/\\1/' /etc/group");
	restart_nginx_workers();
	expect_answer("/assets/app.css", 403, "");
	/* Where the app is asked for what is not there, it is asked for what nginx cannot see, too. */
	expect_answer("/robots.txt", 200, "release 1 of 4005");
	expect_policy(
		1, "why --user www-data " ASSET,
		"no: www-data may not read " ASSET ": " HOME
		"/releases: others have no x, and www-data is neither its owner (deploy) nor in its group (rails)");
	follow_hint("why --user www-data " ASSET);
	expect_policy(0, "why --user www-data " ASSET, "");
	restart_nginx_workers();
	expect_answer("/assets/app.css", 200, "made by the app");
	expect_answer("/robots.txt", 200, "read by nginx");
	stop_everything();
}

static void rotate(void) {
	server_needs("/usr/sbin/logrotate");
	do_as(&world_root, "logrotate --force --state /run/logrotate.state /etc/logrotate.d/rails-app");
}

Test(nginx_passenger, logs_are_rotated_as_the_app_which_goes_on_writing) {
	serve_first_release();
	expect_answer("/before", 200, "");
	rotate();
	cr_expect(holds(LOG ".1", "/before\n"), "nothing was rotated");
	expect_answer("/after", 200, "");
	const char *text = world_read(LOG);
	cr_expect(text && strncmp(text, "/after\n", 7) == 0, "after the rotation: %s", text);
	expect_owner(LOG, WORLD_RAILS, WORLD_RAILS, 0640);
	expect_owner(LOG ".1", WORLD_RAILS, WORLD_RAILS, 0640);
	rotate();
	expect_owner(LOG ".2.gz", WORLD_RAILS, WORLD_RAILS, 0640);
	expect_policy(0, "audit rails-app", " 0 errors, 0 warnings");
	stop_everything();
}

/* The other way: a new file, which the app opens when it is told to start again. */
Test(nginx_passenger, a_rotation_that_makes_a_new_file_and_restarts_the_app) {
	struct stat before, after;

	serve_first_release();
	world_file(recipe[LOGROTATE].path, 0, 0, 0644,
		   recipe_replaced(recipe_texts[LOGROTATE], "\tcopytruncate\n",
				   "\tcreate 0640 rails rails\n\tsharedscripts\n\tpostrotate\n\t\t" WORLD_RUNAS
				   " rails-app -- passenger-config restart-app " HOME
				   " --ignore-app-not-running\n\tendscript\n"));
	expect_answer("/before", 200, "");
	cr_assert(stat(LOG, &before) == 0);
	rotate();
	expect_answer("/after", 200, "release 1 of 4005");
	cr_assert(stat(LOG, &after) == 0 && before.st_ino != after.st_ino);
	cr_expect(holds(LOG ".1", "/before\n") && !holds(LOG ".1", "/after\n"), "%s", world_read(LOG ".1"));
	cr_expect(holds(LOG, "/after\n") && !holds(LOG, "/before\n"), "%s", world_read(LOG));
	expect_owner(LOG, WORLD_RAILS, WORLD_RAILS, 0640);
	expect_policy(0, "audit rails-app", " 0 errors");
	stop_everything();
}

Test(nginx_passenger, a_log_that_root_made_stops_the_app_and_audit_mends_it) {
	enter();
	make_release("1");
	make_current("1");
	world_file(LOG, 0, 0, 0644, "");
	start_passenger();
	start_nginx();
	expect_answer("/", 500, "");
	cr_expect(holds(SHARED "/log/passenger.log", "Permission denied"), "%s",
		  world_read(SHARED "/log/passenger.log"));
	expect_policy(1, "why rails-app log/production.log write", "find /srv -path " LOG " -inum ");
	expect_policy(1, "audit rails-app",
		      LOG ": error: belongs to root, not to rails: made by a run as root? [audit-owner]");
	follow_hint("audit rails-app");
	expect_policy(0, "audit rails-app", " 0 errors");
	restart_app();
	expect_answer("/", 200, "release 1 of 4005");
	stop_everything();
}

/* Audit knows of a rotation that would make the next one. */
Test(nginx_passenger, a_rotation_that_makes_roots_log_is_found_before_it_runs) {
	serve_first_release();
	world_file(recipe[LOGROTATE].path, 0, 0, 0644,
		   recipe_replaced(recipe_replaced(recipe_texts[LOGROTATE], "\tsu rails rails\n", ""),
				   "\tcopytruncate\n", "\tcreate 0640 root root\n"));
	expect_policy(1, "audit rails-app", "it cannot write its log after a rotation [audit-logrotate]");
	rotate();
	restart_app();
	expect_answer("/", 500, "");
	expect_policy(1, "audit rails-app", LOG ": error: belongs to root");
	stop_everything();
}

static struct world_run *migrate(const char *directory) {
	return run_in(&world_deploy, directory, "exec " WORLD_RUNAS " rails-app -- bundle exec rake db:migrate");
}

Test(nginx_passenger, a_release_migrates_before_it_is_current_and_serves_after_a_restart) {
	serve_first_release();
	make_release("2");
	struct world_run *run = migrate(HOME "/releases/2");
	cr_assert(world_exited(run, 0), "status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
	cr_expect(holds(SHARED "/log/migrations",
			"release 2 in " HOME "/releases/2 as 4005, current is " HOME "/releases/1\n"),
		  "%s", world_read(SHARED "/log/migrations"));
	expect_owner(SHARED "/log/migrations", WORLD_RAILS, WORLD_RAILS, 0640);
	expect_answer("/", 200, "release 1 of 4005");

	/* From elsewhere it is the current release that migrates. */
	run = migrate("/home/deploy");
	cr_assert(world_exited(run, 0), "status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
	cr_expect(holds(SHARED "/log/migrations", "release 1 in " HOME "/releases/1 as 4005"), "%s",
		  world_read(SHARED "/log/migrations"));

	make_current("2");
	restart_app();
	expect_answer("/", 200, "release 2 of 4005");
	expect_confined();
	stop_everything();
}

/* --- Capistrano, as the deployer types it, through sshd --- */

static const char stage_rb[] = "server '127.0.0.1', user: 'deploy', roles: %w[app]\n"
			       "set :ssh_options, keys: ['/home/deploy/.ssh/id_ed25519'], keys_only: true,\n"
			       "                  user_known_hosts_file: '/home/deploy/.ssh/known_hosts',\n"
			       "                  verify_host_key: :always\n"
			       "set :format, :simpletext\n";

static const char sshd_config[] = "ListenAddress 127.0.0.1:22\n"
				  "HostKey /run/sshd/key\n"
				  "PidFile /run/sshd/pid\n"
				  "PasswordAuthentication no\n"
				  "UsePAM no\n"
				  "AllowUsers deploy\n";

/* Its log is a file: nobody reads /dev/log here, and a full one would hold it up. */
static void start_sshd(void) {
	world_directory("/run/sshd", 0, 0, 0755);
	world_file("/run/sshd/config", 0, 0, 0600, sshd_config);
	do_as(&world_root, "echo 'sshd:x:110:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd\n"
			   "ssh-keygen -q -t ed25519 -N '' -f /run/sshd/key");
	do_as(&world_deploy, "umask 077; mkdir ~/.ssh && cd ~/.ssh && ssh-keygen -q -t ed25519 -N '' -f id_ed25519\n"
			     "cp id_ed25519.pub authorized_keys\n"
			     "echo \"127.0.0.1 $(cat /run/sshd/key.pub)\" >known_hosts");
	do_as(&world_root, "/usr/sbin/sshd -E /run/sshd/log -f /run/sshd/config");
}

static void commit(const char *release) {
	write_release(release);
	do_as(&world_deploy,
	      "cd ~/app && git add -A && git -c user.name=d -c user.email=d@localhost commit -qm release &&"
	      " git push -q /srv/git/rails-app.git HEAD:master");
}

static struct world_run *cap_deploy(void) {
	return run_in(&world_deploy, "/home/deploy/app", "umask 027; exec cap production deploy");
}

static void expect_deployed(const char *release) {
	char text[128];
	struct world_run *run = cap_deploy();

	cr_assert(world_exited(run, 0), "cap: status %#x\n%s%s\n%s", (unsigned)run->status, run->out, run->err,
		  world_read(SHARED "/log/passenger.log"));
	snprintf(text, sizeof(text), "release %s in " HOME "/releases/", release);
	cr_expect(holds(SHARED "/log/migrations", text), "%s\n%s", run->out, world_read(SHARED "/log/migrations"));
	snprintf(text, sizeof(text), SHARED "/public/assets/%s.css", release);
	expect_owner(text, WORLD_RAILS, WORLD_RAILS, 0640);
}

Test(nginx_passenger, capistrano_deploys_through_its_command_map) {
	enter();
	server_needs("/usr/bin/cap");
	server_needs("/usr/bin/git");
	server_needs("/usr/sbin/sshd");
	world_directory("/srv/git", WORLD_DEPLOY, WORLD_DEPLOY, 0750);
	world_directory("/home/deploy/app/config/deploy", WORLD_DEPLOY, WORLD_DEPLOY, 0750);
	world_file("/home/deploy/app/config/deploy/production.rb", WORLD_DEPLOY, WORLD_DEPLOY, 0640, stage_rb);
	world_file("/home/deploy/app/Capfile", WORLD_DEPLOY, WORLD_DEPLOY, 0640,
		   "require 'capistrano/setup'\nrequire 'capistrano/deploy'\nrequire 'capistrano/scm/git'\n"
		   "install_plugin Capistrano::SCM::Git\n");
	do_as(&world_deploy, "git init -q --bare -b master /srv/git/rails-app.git && git init -q ~/app");
	start_sshd();

	commit("one");
	expect_deployed("one");
	cr_expect(holds(SHARED "/log/migrations", "as 4005, current is nothing\n"), "%s",
		  world_read(SHARED "/log/migrations"));
	start_passenger();
	start_nginx();
	expect_answer("/", 200, "release one of 4005");
	expect_answer("/assets/one.css", 200, "made as rails");

	commit("two");
	char *first = realpath(HOME "/current", NULL);
	expect_deployed("two");
	char text[512];
	snprintf(text, sizeof(text), "as 4005, current is %s\n", first);
	cr_expect(holds(SHARED "/log/migrations", text), "%s", world_read(SHARED "/log/migrations"));
	expect_answer("/", 200, "release two of 4005");

	/* A migration that fails leaves everything as it was. */
	world_file("/home/deploy/app/broken", WORLD_DEPLOY, WORLD_DEPLOY, 0640, "");
	commit("three");
	struct world_run *run = cap_deploy();
	cr_expect(!world_exited(run, 0) && strstr(run->err, "this migration fails"), "status %#x\n%s%s",
		  (unsigned)run->status, run->out, run->err);
	expect_answer("/", 200, "release two of 4005");

	expect_policy(0, "audit rails-app", " 0 errors, 0 warnings");
	do_as(&world_root, "kill $(cat /run/sshd/pid)");
	stop_everything();
}
