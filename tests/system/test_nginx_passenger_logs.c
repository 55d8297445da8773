/* SPDX-License-Identifier: ISC */
/* Logs of an app behind nginx and Passenger: rotated, made by root, and found by audit before it hurts. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rails.h"
#include "recipe.h"
#include "server.h"

TestSuite(nginx_passenger, .timeout = 120);

static void rotate(void) {
	server_needs("/usr/sbin/logrotate");
	rails_do(&world_root, "logrotate --force --state /run/logrotate.state /etc/logrotate.d/rails-app");
}

Test(nginx_passenger, logs_are_rotated_as_the_app_which_goes_on_writing) {
	rails_serve_first_release();
	rails_expect_answer("/before", 200, "");
	rotate();
	cr_expect(rails_holds(RAILS_LOG ".1", "/before\n"), "nothing was rotated");
	rails_expect_answer("/after", 200, "");
	const char *text = world_read(RAILS_LOG);
	cr_expect(text && strncmp(text, "/after\n", 7) == 0, "after the rotation: %s", text);
	rails_expect_owner(RAILS_LOG, WORLD_RAILS, WORLD_RAILS, 0640);
	rails_expect_owner(RAILS_LOG ".1", WORLD_RAILS, WORLD_RAILS, 0640);
	rotate();
	rails_expect_owner(RAILS_LOG ".2.gz", WORLD_RAILS, WORLD_RAILS, 0640);
	rails_expect_policy(0, "audit rails-app", " 0 errors, 0 warnings");
	rails_stop_everything();
}

/* The other way: a new file, which the app opens when it is told to start again. */
Test(nginx_passenger, a_rotation_that_makes_a_new_file_and_restarts_the_app) {
	struct stat before, after;

	rails_serve_first_release();
	world_file(rails_recipe[RAILS_LOGROTATE].path, 0, 0, 0644,
		   recipe_replaced(rails_recipe_texts[RAILS_LOGROTATE], "\tcopytruncate\n",
				   "\tcreate 0640 rails rails\n\tsharedscripts\n\tpostrotate\n\t\t" WORLD_RUNAS
				   " rails-app -- passenger-config restart-app " RAILS_HOME
				   " --ignore-app-not-running\n\tendscript\n"));
	rails_expect_answer("/before", 200, "");
	cr_assert(stat(RAILS_LOG, &before) == 0);
	rotate();
	rails_expect_answer("/after", 200, "release 1 of 4005");
	cr_assert(stat(RAILS_LOG, &after) == 0 && before.st_ino != after.st_ino);
	cr_expect(rails_holds(RAILS_LOG ".1", "/before\n") && !rails_holds(RAILS_LOG ".1", "/after\n"), "%s",
		  world_read(RAILS_LOG ".1"));
	cr_expect(rails_holds(RAILS_LOG, "/after\n") && !rails_holds(RAILS_LOG, "/before\n"), "%s",
		  world_read(RAILS_LOG));
	rails_expect_owner(RAILS_LOG, WORLD_RAILS, WORLD_RAILS, 0640);
	rails_expect_policy(0, "audit rails-app", " 0 errors");
	rails_stop_everything();
}

Test(nginx_passenger, a_log_that_root_made_stops_the_app_and_audit_mends_it) {
	rails_enter();
	rails_make_release("1");
	rails_make_current("1");
	world_file(RAILS_LOG, 0, 0, 0644, "");
	rails_start_passenger();
	rails_start_nginx();
	rails_expect_answer("/", 500, "");
	cr_expect(rails_holds(RAILS_SHARED "/log/passenger.log", "Permission denied"), "%s",
		  world_read(RAILS_SHARED "/log/passenger.log"));
	rails_expect_policy(1, "why rails-app log/production.log write", "find /srv -path " RAILS_LOG " -inum ");
	rails_expect_policy(1, "audit rails-app",
			    RAILS_LOG ": error: belongs to root, not to rails: made by a run as root? [audit-owner]");
	rails_follow_hint("audit rails-app");
	rails_expect_policy(0, "audit rails-app", " 0 errors");
	rails_restart_app();
	rails_expect_answer("/", 200, "release 1 of 4005");
	rails_stop_everything();
}

/* Audit knows of a rotation that would make the next one. */
Test(nginx_passenger, a_rotation_that_makes_roots_log_is_found_before_it_runs) {
	rails_serve_first_release();
	world_file(rails_recipe[RAILS_LOGROTATE].path, 0, 0, 0644,
		   recipe_replaced(recipe_replaced(rails_recipe_texts[RAILS_LOGROTATE], "\tsu rails rails\n", ""),
				   "\tcopytruncate\n", "\tcreate 0640 root root\n"));
	rails_expect_policy(1, "audit rails-app", "it cannot write its log after a rotation [audit-logrotate]");
	rotate();
	rails_restart_app();
	rails_expect_answer("/", 500, "");
	rails_expect_policy(1, "audit rails-app", RAILS_LOG ": error: belongs to root");
	rails_stop_everything();
}
