/* SPDX-License-Identifier: ISC */
/* runas-policy audit: finds what drifted, names the command, and says nothing about what is as it should be. */
#include "tests/companion/given_image.h"
#include "tests/companion/golden.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { RAILS = 4005, DEPLOY = 4001, WWW = 4033 };

static const char policy[] =
	"runas-app = 1\nallow_users = deploy\nuser = rails\ngroup = rails\ngroups = rails\numask = 0027\n"
	"directory = /srv/rails-app/current\nhome = /srv/rails-app\n"
	"write = /srv/rails-app/shared\n"
	"command = /usr/bin/passenger start --socket /srv/rails-app/shared/app.sock *\n"
	"command = /usr/bin/bundle exec rake {db:migrate|db:version}\n";

static void make(void) {
	given_image_needs(true);
	given_image_make("");
	given_image_owned(
		"/etc/passwd", 0, 0, 0644,
		"root:x:0:0:root:/root:/bin/sh\nrails:x:4005:4005::/srv/rails-app:/bin/sh\n"
		"deploy:x:4001:4001::/home/deploy:/bin/sh\nwww-data:x:4033:4033::/var/www:/usr/sbin/nologin\n");
	given_image_owned("/etc/group", 0, 0, 0644,
			  "root:x:0:\nrails:x:4005:www-data\ndeploy:x:4001:\nwww-data:x:4033:\n");
	given_image_owned("/etc/runas-app/rails-app.conf", 0, 0, 0644, policy);
	for (const char *const *path = WORDS("/etc/logrotate.d", "/etc/cron.d", "/etc/supervisor",
					     "/etc/supervisor/conf.d", "/etc/systemd", "/etc/systemd/system", "/var",
					     "/var/spool", "/var/spool/cron", "/var/spool/cron/crontabs");
	     *path != NULL; path++)
		given_image_directory(*path, 0, 0, 0755);
	given_image_directory("/srv/rails-app", RAILS, RAILS, 0750);
	given_image_directory("/srv/rails-app/shared", RAILS, RAILS, 0750);
	given_image_directory("/srv/rails-app/shared/log", RAILS, RAILS, 0750);
	given_image_directory("/srv/rails-app/releases", DEPLOY, RAILS, 0755);
	given_image_directory("/srv/rails-app/releases/1", DEPLOY, DEPLOY, 0755);
	given_image_owned("/srv/rails-app/releases/1/config.ru", DEPLOY, DEPLOY, 0644, "");
	given_image_owned("/srv/rails-app/shared/log/production.log", RAILS, RAILS, 0640, "");
	cr_assert_eq(symlink("releases/1", given_image_path("/srv/rails-app/current")), 0);
	cr_assert_eq(lchown(given_image_path("/srv/rails-app/current"), RAILS, RAILS), 0);
}

TestSuite(audit, .init = make, .fini = given_image_remove);

static const char *said;
static uid_t asker;

static int audit(const char *const *words) { return given_image_ask(&verb_audit, asker, words, &said); }

#define AUDIT(...) audit(WORDS("--root", "IMAGE", "rails-app", ##__VA_ARGS__))

static size_t count_of(const char *what) {
	size_t count = 0;

	for (const char *at = said; (at = strstr(at, what)) != NULL; at++)
		count++;
	return count;
}

static void make_socket(const char *path, uid_t uid, gid_t gid, mode_t mode) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", given_image_path(path));
	cr_assert_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(chown(address.sun_path, uid, gid), 0);
	cr_assert_eq(chmod(address.sun_path, mode), 0);
	close(listener);
}

Test(audit, a_good_app_has_nothing) {
	make_socket("/srv/rails-app/shared/app.sock", RAILS, RAILS, 0666);
	given_image_owned("/etc/logrotate.d/rails", 0, 0, 0644,
			  "/srv/rails-app/shared/log/*.log {\n\tsu rails rails\n\tcreate 0640 rails rails\n}\n"
			  "/var/log/other.log {\n\tcreate 0666 nobody nogroup\n}\n");
	given_image_owned(
		"/etc/cron.d/rails", 0, 0, 0644,
		"PATH=/usr/bin\n# root cd /srv/rails-app/current\n* * * * * root /usr/bin/runas-app rails-app -- "
		"bundle exec rake db:migrate\n"
		"0 4 * * * root tar cf /backup.tar /srv/rails-app\n");
	given_image_owned("/etc/supervisor/conf.d/rails.conf", 0, 0, 0644,
			  "[program:rails]\ncommand=/usr/bin/runas-app rails-app -- passenger "
			  "start\n[program:b]\ncommand=/usr/bin/true\nuser=nobody\n");
	cr_expect_eq(AUDIT(), 0);
	golden_expect("tests/fixtures/companion/audit-good.txt", said);
}

Test(audit, everything_that_drifts) {
	make_socket("/srv/rails-app/shared/app.sock", RAILS, RAILS, 0640);
	make_socket("/srv/rails-app/shared/control.sock", RAILS, RAILS, 0600);
	given_image_owned("/srv/rails-app/shared/log/production.log", 0, 0, 0640, "");
	given_image_owned("/srv/rails-app/shared/log/open.log", RAILS, RAILS, 0666, "");
	given_image_owned("/srv/rails-app/shared/log/narrow.log", RAILS, RAILS, 0600, "");
	given_image_owned("/srv/rails-app/shared/master.key", RAILS, RAILS, 0600, "");
	given_image_owned("/srv/rails-app/shared/it's $(reboot)\n\033[31m", 0, 0, 0640, "");
	given_image_directory("/srv/rails-app/shared/cache", 0, 0, 0755);
	given_image_owned("/srv/rails-app/shared/cache/deep", 0, 0, 0640, "");
	given_image_owned("/srv/rails-app/shared/linked", 0, 0, 0640, "");
	cr_assert_eq(link(given_image_path("/srv/rails-app/shared/linked"), given_image_path("/srv/elsewhere")), 0);
	given_image_owned("/srv/rails-app/releases/1/by-root", 0, 0, 0644, "");
	given_image_directory("/outside", 0, 0, 0777);
	given_image_owned("/outside/not-mine", 0, 0, 0666, "");
	cr_assert_eq(symlink("/outside", given_image_path("/srv/rails-app/shared/way-out")), 0);
	cr_assert_eq(lchown(given_image_path("/srv/rails-app/shared/way-out"), RAILS, RAILS), 0);
	given_image_owned(
		"/etc/logrotate.d/rails", 0, 0, 0644,
		"/srv/rails-app/shared/log/*.log\n/srv/other/*.log {\n\tweekly\n\tcreate 0644 root root\n\tsu "
		"deploy deploy\n"
		"\tpostrotate\n\t\ttrue\n\t\tcreate 1 2 3\n\tendscript\n}\n\"/srv/rails-app/shared/log/open.log\" "
		"{\n\tcopytruncate\n}\n");
	given_image_owned("/etc/logrotate.d/rails.dpkg-old", 0, 0, 0644,
			  "/srv/rails-app/shared/log/*.log {\n\tcreate 0666 root root\n}\n");
	given_image_owned("/etc/cron.d/rails", 0, 0, 0644,
			  "MAILTO=root\n* * * * * root cd /srv/rails-app/current && bundle exec rake db:migrate\n"
			  "@daily rails /usr/bin/bundle exec rake\n"
			  "5 * * * * deploy sudo -u rails sh -c 'cd /srv/rails-app/current; rake'\n");
	given_image_owned("/etc/cron.d/rails.bak", 0, 0, 0644, "* * * * * root cd /srv/rails-app/current && rake\n");
	given_image_owned("/var/spool/cron/crontabs/deploy", DEPLOY, 0, 0600,
			  "@reboot passenger start --socket /srv/rails-app/shared/app.sock\n");
	given_image_owned("/etc/supervisor/conf.d/rails.conf", 0, 0, 0644,
			  "[program:rails]\ncommand=passenger start\n  --socket /srv/rails-app/shared/app.sock ; as "
			  "before\nuser=deploy\n"
			  "[program:twice]\ncommand=/usr/bin/runas-app rails-app -- passenger start\nuser=rails\n");
	given_image_owned(
		"/etc/systemd/system/rails.service", 0, 0, 0644,
		"[Service]\nWorkingDirectory=/srv/rails-app/current\nExecStart=/usr/bin/passenger start \\\n  "
		"--daemonize\nUser=www-data\n");
	cr_expect_eq(AUDIT(), 1);
	golden_expect("tests/fixtures/companion/audit-drift.txt", said);
	cr_expect_eq(count_of("/outside/"), 0);
	cr_expect_eq(AUDIT("--json"), 1);
	golden_expect("tests/fixtures/companion/audit-drift.json", said);
}

/* What Passenger makes in TMPDIR while it runs: opened to the group, nginx could read its passwords. */
Test(audit, how_closed_temporary_files_are_is_their_programs_business) {
	static const char tmp[] = "/srv/rails-app/tmp";
	char path[128], more[sizeof policy + 64];

	snprintf(more, sizeof more, "%stmp = %s\n", policy, tmp);
	given_image_owned("/etc/runas-app/rails-app.conf", 0, 0, 0644, more);
	given_image_directory(tmp, RAILS, RAILS, 0750);
	snprintf(path, sizeof path, "%s/passenger.x", tmp);
	given_image_directory(path, RAILS, RAILS, 0700);
	snprintf(path, sizeof path, "%s/passenger.x/core", tmp);
	make_socket(path, RAILS, RAILS, 0600);
	snprintf(path, sizeof path, "%s/passenger.x/password.txt", tmp);
	given_image_owned(path, RAILS, RAILS, 0600, "");
	snprintf(path, sizeof path, "%s/passenger.x/toucher.pid", tmp);
	given_image_owned(path, RAILS, RAILS, 0774, "");
	cr_expect_eq(AUDIT(), 0);
	expect_said(said, " 0 errors, 0 warnings\n");

	/* Not that others can write there, or that root did. */
	snprintf(path, sizeof path, "%s/open", tmp);
	given_image_owned(path, RAILS, RAILS, 0666, "");
	snprintf(path, sizeof path, "%s/passenger.x/by-root", tmp);
	given_image_owned(path, 0, 0, 0600, "");
	cr_expect_eq(AUDIT(), 1);
	expect_said(said, "open: error: mode 0666: others may write it");
	expect_said(said, "by-root: error: belongs to root");
	expect_said(said, " 2 errors, 0 warnings\n");
}

/* Who makes a file for itself alone, as mkstemp does, leaves no trace of a wrong umask. */
Test(audit, what_its_program_may_have_closed_is_a_note) {
	given_image_owned("/srv/rails-app/shared/session", RAILS, RAILS, 0600, "");
	cr_expect_eq(AUDIT(), 0);
	expect_said(said, "session: note: mode 0600: the group cannot read it, which umask 0027 would have let it, "
			  "unless its program wanted it so [audit-narrow]\n");
	expect_unsaid(said, "chmod");
	expect_said(said, " 0 errors, 0 warnings\n");
	given_image_owned("/srv/rails-app/shared/others", RAILS, RAILS, 0604, "");
	given_image_directory("/srv/rails-app/shared/closed", RAILS, RAILS, 0700);
	AUDIT();
	expect_said(said, "others: warning: mode 0604");
	expect_said(said, "closed: warning: mode 0700");
}

Test(audit, hints_name_the_runas_app_that_is_installed) {
	given_image_owned("/etc/cron.d/rails", 0, 0, 0644, "@daily root cd /srv/rails-app/current && rake\n");
	given_image_directory("/usr/local", 0, 0, 0755);
	given_image_directory("/usr/local/bin", 0, 0, 0755);
	given_image_owned("/usr/local/bin/runas-app", 0, 0, 0755, "");
	AUDIT();
	expect_said(said, "hint: as root: /usr/local/bin/runas-app rails-app -- COMMAND\n");
	given_image_owned("/usr/bin/runas-app", 0, 0, 0755, "");
	AUDIT();
	expect_said(said, "hint: as root: /usr/bin/runas-app rails-app -- COMMAND\n");
}

Test(audit, many_of_a_kind_are_folded) {
	char path[64];

	for (unsigned i = 0; i < 30; i++) {
		snprintf(path, sizeof path, "/srv/rails-app/shared/log/%02u.log", i);
		given_image_owned(path, 0, 0, 0640, "");
	}
	cr_expect_eq(AUDIT(), 1);
	cr_expect_eq(count_of("belongs to root"), 20);
	expect_said(said, "and 10 more [audit-owner]; --all shows every one\n");
	expect_said(said, "30 errors");
	cr_expect_eq(AUDIT("--all"), 1);
	cr_expect_eq(count_of("belongs to root"), 30);
}

Test(audit, the_web_server_may_be_another) {
	make_socket("/srv/rails-app/shared/app.sock", RAILS, RAILS, 0660);
	cr_expect_eq(AUDIT(), 0);
	cr_expect_eq(AUDIT("--nginx-user", "deploy"), 1);
	expect_said(said, "deploy cannot connect: /srv/rails-app: others have no x");
	given_image_directory("/etc/nginx", 0, 0, 0755);
	given_image_owned("/etc/nginx/nginx.conf", 0, 0, 0644,
			  "# user www-data;\nuser  deploy;\nworker_processes auto;\n");
	cr_expect_eq(AUDIT(), 1);
	expect_said(said, "deploy cannot connect");
	cr_expect_eq(AUDIT("--nginx-user", "nobody-there"), 2);
}

/* What logrotate itself refuses, and what its main file gives to stanzas without `create`. */
Test(audit, logrotate_in_open_directories_and_by_default) {
	given_image_owned("/etc/logrotate.conf", 0, 0, 0644,
			  "weekly\ncreate 0600 root root\ninclude /etc/logrotate.d\n");
	given_image_owned("/etc/logrotate.d/rails", 0, 0, 0644,
			  "/srv/rails-app/shared/log/production.log {\n\tdaily\n}\n");
	given_image_directory("/srv/rails-app/shared/log", RAILS, RAILS, 0770);
	cr_expect_eq(AUDIT(), 1);
	expect_said(said, "never rotates");
	expect_said(said, "has no `create`, and /etc/logrotate.conf makes new log files for root");
	given_image_owned("/etc/logrotate.d/rails", 0, 0, 0644,
			  "/srv/rails-app/shared/log/production.log {\n\tsu rails rails\n\tnocreate\n}\n");
	given_image_directory("/srv/rails-app/shared/log", RAILS, RAILS, 0750);
	cr_expect_eq(AUDIT(), 0);
}

/* A place of everybody's is no place of the app's. */
Test(audit, shared_directories_are_not_walked) {
	given_image_directory("/var/tmp", 0, 0, 01777);
	given_image_owned("/var/tmp/foreign", 0, 0, 0666, "");
	given_image_owned("/etc/runas-app/rails-app.conf", 0, 0, 0644,
			  "runas-app = 1\nuser = rails\ndirectory = /srv/rails-app\ncommand = *\nwrite = /var/tmp\n");
	cr_expect_eq(AUDIT(), 0);
	expect_said(said, "IMAGE/var/tmp: note: is shared with others");
	cr_expect_eq(count_of("/var/tmp/foreign"), 0);
}

/* A write path that the app cannot write to. */
Test(audit, write_paths_must_be_writable) {
	given_image_directory("/srv/uploads", 0, 0, 0755);
	given_image_owned(
		"/etc/runas-app/rails-app.conf", 0, 0, 0644,
		"runas-app = 1\nuser = rails\ndirectory = /srv/rails-app\ncommand = *\nwrite = /srv/uploads\n");
	cr_expect_eq(AUDIT(), 1);
	expect_said(said, "rails cannot write to /srv/uploads");
}

/* A plain user gets what a plain user can see, and is told what not. */
Test(audit, as_a_plain_user) {
	asker = 4009;
	cr_expect_eq(AUDIT(), 2);
	expect_said(said, "directories could not be read [audit-unread]\n    hint: ask as root\n");
	cr_expect_eq(chmod(given_image_path("/srv/rails-app"), 0755), 0);
	cr_expect_eq(chmod(given_image_path("/srv/rails-app/shared"), 0755), 0);
	cr_expect_eq(chmod(given_image_path("/srv/rails-app/shared/log"), 0755), 0);
	cr_expect_eq(AUDIT(), 0);
	given_image_owned("/etc/cron.d/rails", 0, 0, 0600, "");
	cr_expect_eq(AUDIT(), 2);
	expect_said(said, "1 files of cron, logrotate and others could not be read");
}

Test(audit, wrong_questions) {
	cr_expect_eq(audit(WORDS("--root", "IMAGE")), 2);
	cr_expect_eq(audit(WORDS("--root", "IMAGE", "nothing")), 2);
}
