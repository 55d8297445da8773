/* SPDX-License-Identifier: ISC */
#include "rails.h"

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

#define PID_FILE RAILS_SHARED "/tmp/passenger.pid"
#define POLICY "/run/build/runas-policy"

/* --- the files of the recipe, and where they belong --- */

const struct rails_file rails_recipe[RAILS_FILES] = {
	[RAILS_CONF] = {"rails-app.conf", "/etc/runas-app/rails-app.conf"},
	[RAILS_SETUP] = {"rails-app.setup", "/run/setup"},
	[RAILS_TMPFILES] = {"rails-app.tmpfiles", "/etc/tmpfiles.d/rails-app.conf"},
	[RAILS_NGINX] = {"rails-app.nginx", "/etc/nginx/sites-enabled/rails-app"},
	[RAILS_LOGROTATE] = {"rails-app.logrotate", "/etc/logrotate.d/rails-app"},
	[RAILS_DEPLOY] = {"rails-app.deploy.rb", "/home/deploy/app/config/deploy.rb"},
};

char *rails_recipe_texts[RAILS_FILES];

/* --- the app --- */

static const char nginx_main[] = "user www-data;\n"
				 "worker_processes 2;\n"
				 "pid /run/nginx/nginx.pid;\n"
				 "error_log " RAILS_NGINX_LOG ";\n"
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
	"  current = File.symlink?('" RAILS_HOME "/current') ? File.realpath('" RAILS_HOME "/current') : 'nothing'\n"
	"  File.open('log/migrations', 'a') do |file|\n"
	"    release = File.read('RELEASE').strip\n"
	"    file.puts \"release #{release} in #{Dir.pwd} as #{Process.uid}, current is #{current}\"\n"
	"  end\n"
	"end\n"
	"task 'assets:precompile' do\n"
	"  File.write(\"public/assets/#{File.read('RELEASE').strip}.css\", 'made as rails')\n"
	"end\n";

struct world_run *rails_run(const struct world_person *who, const char *directory, const char *command) {
	static const char *const as_root[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
					      "HOME=/root", NULL};

	return world_run(&(struct world_call){.who = who,
					      .envp = who->uid == 0 ? as_root : NULL,
					      .program = "/bin/sh",
					      .argv = WORLD_LIST("sh", "-c", command),
					      .directory = directory,
					      .seconds = 60});
}

struct world_run *rails_do(const struct world_person *who, const char *command) {
	struct world_run *run = rails_run(who, "/", command);

	cr_assert(world_exited(run, 0), "%s: status %#x\n%s%s", command, (unsigned)run->status, run->out, run->err);
	return run;
}

void rails_write_release(const char *name) {
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
	rails_do(&world_deploy, "cd ~/app && bundle lock --local");
}

void rails_make_release(const char *name) {
	char command[1024];

	rails_write_release(name);
	snprintf(command, sizeof(command),
		 "umask 027; cd " RAILS_HOME "/releases && mkdir %s && cd %s && cp -r ~/app/* . && ln -s " RAILS_SHARED
		 "/log " RAILS_SHARED "/tmp . && ln -s " RAILS_SHARED "/public/assets public/",
		 name, name);
	rails_do(&world_deploy, command);
}

void rails_make_current(const char *name) {
	char command[256];

	snprintf(command, sizeof(command),
		 "cd " RAILS_HOME "/releases && ln -s " RAILS_HOME "/releases/%s current && mv current ..", name);
	rails_do(&world_deploy, command);
}

/* --- the machine --- */

void rails_enter(void) {
	for (int i = 0; i < RAILS_FILES; i++)
		rails_recipe_texts[i] = recipe_read(rails_recipe[i].name);
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
	if (world_landlock_abi() >= 2) {
		rails_recipe_texts[RAILS_CONF] =
			recipe_replaced(rails_recipe_texts[RAILS_CONF], "\n# write = ", "\nwrite = ");
		rails_recipe_texts[RAILS_CONF] =
			recipe_replaced(rails_recipe_texts[RAILS_CONF], "\n# tmp   = ", "\ntmp   = ");
	} else {
		NOT_SHOWN("this kernel has no Landlock: the lines `write` and `tmp` of the example");
	}
	for (int i = 0; i < RAILS_FILES; i++)
		world_file(rails_recipe[i].path, i == RAILS_DEPLOY ? WORLD_DEPLOY : 0,
			   i == RAILS_DEPLOY ? WORLD_DEPLOY : 0, 0644, rails_recipe_texts[i]);
	rails_do(&world_root, ". /run/setup");
}

void rails_start_nginx(void) {
	struct world_run *run = world_start(&(struct world_call){
		.who = &world_root,
		.argv = WORLD_LIST("/usr/sbin/nginx", "-e", RAILS_NGINX_LOG, "-c", "/etc/nginx/nginx.conf")});

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

void rails_restart_nginx_workers(void) {
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

void rails_expect_answer(const char *path, int status, const char *text) {
	bool right = answers(path, status);
	const char *answer = strdup(server_ask(80, path) ?: "nothing");

	cr_expect(right && strstr(answer, text), "GET %s is not %d with `%s`, but:\n%s\nnginx's log:\n%s", path, status,
		  text, answer, world_read(RAILS_NGINX_LOG));
}

static void deployer_does(const char *const *argv) {
	struct world_run *run = recipe_run_as_deployer(argv);

	cr_assert(world_exited(run, 0), "%s %s: status %#x\n%s%s\n%s", argv[3], argv[4], (unsigned)run->status,
		  run->out, run->err, world_read(RAILS_SHARED "/log/passenger.log"));
}

const char *const rails_start_command[] = {"runas-app",	 "rails-app",	"--",	      "passenger",
					   "start",	 "--daemonize", "--socket",   RAILS_SOCKET,
					   "--pid-file", PID_FILE,	"--log-file", RAILS_SHARED "/log/passenger.log",
					   NULL};

void rails_start_passenger(void) { deployer_does(rails_start_command); }

void rails_stop_passenger(void) {
	deployer_does(WORLD_LIST("runas-app", "rails-app", "--", "passenger", "stop", "--pid-file", PID_FILE));
}

void rails_restart_app(void) {
	deployer_does(WORLD_LIST("runas-app", "rails-app", "--", "passenger-config", "restart-app", RAILS_HOME));
}

void rails_stop_everything(void) {
	rails_stop_passenger();
	rails_expect_answer("/", 502, "");
	kill(nginx_master(), SIGQUIT);
	server_expect_gone("passenger stop and nginx's end");
}

void rails_expect_policy(int status, const char *arguments, const char *text) {
	char command[512];

	snprintf(command, sizeof(command), POLICY " %s", arguments);
	struct world_run *run = rails_run(&world_root, "/", command);
	cr_expect(world_exited(run, status) && strstr(run->out, text),
		  "runas-policy %s: status %#x, not %d with `%s`\n%s%s", arguments, (unsigned)run->status, status, text,
		  run->out, run->err);
}

void rails_follow_hint(const char *arguments) {
	char command[512];

	snprintf(command, sizeof(command), POLICY " %s", arguments);
	const char *said = rails_run(&world_root, "/", command)->out, *hint = strstr(said, "hint: ");
	cr_assert(hint, "runas-policy %s has no hint:\n%s", arguments, said);
	rails_do(&world_root, strndup(hint + 6, strcspn(hint + 6, "\n")));
}

void rails_expect_owner(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	struct stat facts = {0};

	cr_expect(stat(path, &facts) == 0 && facts.st_uid == uid && facts.st_gid == gid &&
			  (facts.st_mode & 07777) == mode,
		  "%s: %s, %u:%u %o, not %u:%u %o", path, strerror(errno), facts.st_uid, facts.st_gid,
		  facts.st_mode & 07777, uid, gid, mode);
}

bool rails_holds(const char *path, const char *text) {
	const char *whole = world_read(path);

	return whole && strstr(whole, text);
}

static bool is_passengers(const char *status) {
	const char *name = world_value_in(status, "Name");

	return name && !strstr(name, "nginx");
}

void rails_expect_confined(void) {
	static const struct server_fact facts[] = {{"Uid", "4005 4005 4005 4005"},
						   {"Gid", "4005 4005 4005 4005"},
						   {"Groups", "4005"},
						   {"Umask", "0027"},
						   SERVER_CONFINED,
						   {NULL, NULL}};
	const size_t seen = server_expect_each(is_passengers, facts);

	cr_expect(seen >= 3, "%zu processes only: watchdog, core and app are three", seen);
}

void rails_serve_first_release(void) {
	rails_enter();
	rails_make_release("1");
	rails_make_current("1");
	rails_start_passenger();
	rails_start_nginx();
	rails_expect_answer("/", 200, "release 1 of 4005");
}
