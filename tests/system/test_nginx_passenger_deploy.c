/* SPDX-License-Identifier: ISC */
/* Releases: migrated before they are current, by hand and by Capistrano. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "rails.h"
#include "server.h"

TestSuite(nginx_passenger, .timeout = 120);

static struct world_run *migrate(const char *directory) {
	return rails_run(&world_deploy, directory, "exec " WORLD_RUNAS " rails-app -- bundle exec rake db:migrate");
}

Test(nginx_passenger, a_release_migrates_before_it_is_current_and_serves_after_a_restart) {
	rails_serve_first_release();
	rails_make_release("2");
	struct world_run *run = migrate(RAILS_HOME "/releases/2");
	cr_assert(world_exited(run, 0), "status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
	cr_expect(rails_holds(RAILS_SHARED "/log/migrations",
			      "release 2 in " RAILS_HOME "/releases/2 as 4005, current is " RAILS_HOME "/releases/1\n"),
		  "%s", world_read(RAILS_SHARED "/log/migrations"));
	rails_expect_owner(RAILS_SHARED "/log/migrations", WORLD_RAILS, WORLD_RAILS, 0640);
	rails_expect_answer("/", 200, "release 1 of 4005");

	/* From elsewhere it is the current release that migrates. */
	run = migrate("/home/deploy");
	cr_assert(world_exited(run, 0), "status %#x\n%s%s", (unsigned)run->status, run->out, run->err);
	cr_expect(rails_holds(RAILS_SHARED "/log/migrations", "release 1 in " RAILS_HOME "/releases/1 as 4005"), "%s",
		  world_read(RAILS_SHARED "/log/migrations"));

	rails_make_current("2");
	rails_restart_app();
	rails_expect_answer("/", 200, "release 2 of 4005");
	rails_expect_confined();
	rails_stop_everything();
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
	rails_do(&world_root, "echo 'sshd:x:110:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd\n"
			      "ssh-keygen -q -t ed25519 -N '' -f /run/sshd/key");
	rails_do(&world_deploy, "umask 077; mkdir ~/.ssh && cd ~/.ssh && ssh-keygen -q -t ed25519 -N '' -f id_ed25519\n"
				"cp id_ed25519.pub authorized_keys\n"
				"echo \"127.0.0.1 $(cat /run/sshd/key.pub)\" >known_hosts");
	rails_do(&world_root, "/usr/sbin/sshd -E /run/sshd/log -f /run/sshd/config");
}

static void commit(const char *release) {
	rails_write_release(release);
	rails_do(&world_deploy,
		 "cd ~/app && git add -A && git -c user.name=d -c user.email=d@localhost commit -qm release &&"
		 " git push -q /srv/git/rails-app.git HEAD:master");
}

static struct world_run *cap_deploy(void) {
	return rails_run(&world_deploy, "/home/deploy/app", "umask 027; exec cap production deploy");
}

static void expect_deployed(const char *release) {
	char text[128];
	struct world_run *run = cap_deploy();

	cr_assert(world_exited(run, 0), "cap: status %#x\n%s%s\n%s", (unsigned)run->status, run->out, run->err,
		  world_read(RAILS_SHARED "/log/passenger.log"));
	snprintf(text, sizeof(text), "release %s in " RAILS_HOME "/releases/", release);
	cr_expect(rails_holds(RAILS_SHARED "/log/migrations", text), "%s\n%s", run->out,
		  world_read(RAILS_SHARED "/log/migrations"));
	snprintf(text, sizeof(text), RAILS_SHARED "/public/assets/%s.css", release);
	rails_expect_owner(text, WORLD_RAILS, WORLD_RAILS, 0640);
}

Test(nginx_passenger, capistrano_deploys_through_its_command_map) {
	rails_enter();
	server_needs("/usr/bin/cap");
	server_needs("/usr/bin/git");
	server_needs("/usr/sbin/sshd");
	world_directory("/srv/git", WORLD_DEPLOY, WORLD_DEPLOY, 0750);
	world_directory("/home/deploy/app/config/deploy", WORLD_DEPLOY, WORLD_DEPLOY, 0750);
	world_file("/home/deploy/app/config/deploy/production.rb", WORLD_DEPLOY, WORLD_DEPLOY, 0640, stage_rb);
	world_file("/home/deploy/app/Capfile", WORLD_DEPLOY, WORLD_DEPLOY, 0640,
		   "require 'capistrano/setup'\nrequire 'capistrano/deploy'\nrequire 'capistrano/scm/git'\n"
		   "install_plugin Capistrano::SCM::Git\n");
	rails_do(&world_deploy, "git init -q --bare -b master /srv/git/rails-app.git && git init -q ~/app");
	start_sshd();

	commit("one");
	expect_deployed("one");
	cr_expect(rails_holds(RAILS_SHARED "/log/migrations", "as 4005, current is nothing\n"), "%s",
		  world_read(RAILS_SHARED "/log/migrations"));
	rails_start_passenger();
	rails_start_nginx();
	rails_expect_answer("/", 200, "release one of 4005");
	rails_expect_answer("/assets/one.css", 200, "made as rails");

	commit("two");
	char *first = realpath(RAILS_HOME "/current", NULL);
	expect_deployed("two");
	char text[512];
	snprintf(text, sizeof(text), "as 4005, current is %s\n", first);
	cr_expect(rails_holds(RAILS_SHARED "/log/migrations", text), "%s", world_read(RAILS_SHARED "/log/migrations"));
	rails_expect_answer("/", 200, "release two of 4005");

	/* A migration that fails leaves everything as it was. */
	world_file("/home/deploy/app/broken", WORLD_DEPLOY, WORLD_DEPLOY, 0640, "");
	commit("three");
	struct world_run *run = cap_deploy();
	cr_expect(!world_exited(run, 0) && strstr(run->err, "this migration fails"), "status %#x\n%s%s",
		  (unsigned)run->status, run->out, run->err);
	rails_expect_answer("/", 200, "release two of 4005");

	rails_expect_policy(0, "audit rails-app", " 0 errors, 0 warnings");
	rails_do(&world_root, "kill $(cat /run/sshd/pid)");
	rails_stop_everything();
}
