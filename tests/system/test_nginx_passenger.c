/* SPDX-License-Identifier: ISC */
/* The first of the four systems, as its recipe sets it up: nginx in front serves pages and files of the app behind it. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "rails.h"
#include "recipe.h"
#include "server.h"

TestSuite(nginx_passenger, .timeout = 120);

Test(nginx_passenger, the_recipe_serves_app_and_files_and_checks_find_nothing) {
	rails_serve_first_release();
	rails_expect_answer("/robots.txt", 200, "read by nginx");
	rails_expect_confined();
	rails_expect_owner(RAILS_RUN, WORLD_RAILS, RAILS_WEB, 02750);
	rails_expect_owner(RAILS_LOG, WORLD_RAILS, WORLD_RAILS, 0640);
	rails_expect_policy(0, "check rails-app", "");
	rails_expect_policy(0, "audit rails-app", " 0 errors, 0 warnings");

	/* Those who are neither the app nor the web server reach neither. */
	cr_expect(
		rails_run(&world_other, "/", "cat " RAILS_HOME "/current/public/robots.txt || ls " RAILS_RUN)->status !=
		0);
	rails_stop_everything();
}

Test(nginx_passenger, a_socket_directory_of_the_wrong_group_is_502_and_why_names_it) {
	rails_serve_first_release();
	rails_do(&world_root, "chgrp deployers " RAILS_RUN);
	rails_expect_answer("/", 502, "");
	cr_expect(rails_holds(RAILS_NGINX_LOG, "connect() to unix:" RAILS_SOCKET " failed (13: Permission denied)"),
		  "%s", world_read(RAILS_NGINX_LOG));
	rails_expect_policy(1, "why --user www-data " RAILS_SOCKET,
			    "no: www-data may not connect to " RAILS_SOCKET ": " RAILS_RUN
			    ": others have no x, and www-data is neither its "
			    "owner (rails) nor in its group (deployers)");
	rails_expect_policy(0, "audit rails-app",
			    RAILS_SOCKET ": warning: www-data cannot connect: " RAILS_RUN ": others have no x");
	rails_do(&world_root, "systemd-tmpfiles --create /etc/tmpfiles.d/rails-app.conf");
	rails_expect_policy(0, "why --user www-data " RAILS_SOCKET, "");
	rails_expect_answer("/", 200, "release 1 of 4005");
	rails_stop_everything();
}

Test(nginx_passenger, after_a_boot_tmpfiles_makes_the_directory_that_the_launch_names) {
	rails_serve_first_release();
	rails_stop_passenger();
	rails_do(&world_root, "rm -rf " RAILS_RUN);
	if (strstr(rails_recipe_texts[RAILS_CONF], "\nwrite = " RAILS_RUN "\n"))
		world_expect_refused(recipe_run_as_deployer(rails_start_command), 125, RAILS_RUN);
	rails_do(&world_root, "systemd-tmpfiles --create /etc/tmpfiles.d/rails-app.conf");
	rails_start_passenger();
	rails_expect_answer("/", 200, "release 1 of 4005");

	/* A socket that was left behind is no obstacle. */
	rails_stop_passenger();
	rails_start_passenger();
	rails_expect_answer("/", 200, "release 1 of 4005");
	rails_stop_everything();
}

#define ASSET RAILS_HOME "/current/public/assets/app.css"

Test(nginx_passenger, files_of_a_web_server_outside_the_apps_group_are_403_and_why_mends_it) {
	rails_serve_first_release();
	world_file(RAILS_SHARED "/public/assets/app.css", WORLD_RAILS, WORLD_RAILS, 0640, "made by the app");
	rails_expect_answer("/assets/app.css", 200, "made by the app");
	rails_do(&world_root, "sed -i 's/^\\(rails:x:4005:\\).*/\\1/' /etc/group");
	rails_restart_nginx_workers();
	rails_expect_answer("/assets/app.css", 403, "");
	/* Where the app is asked for what is not there, it is asked for what nginx cannot see, too. */
	rails_expect_answer("/robots.txt", 200, "release 1 of 4005");
	rails_expect_policy(
		1, "why --user www-data " ASSET,
		"no: www-data may not read " ASSET ": " RAILS_HOME
		"/releases: others have no x, and www-data is neither its owner (deploy) nor in its group (rails)");
	rails_follow_hint("why --user www-data " ASSET);
	rails_expect_policy(0, "why --user www-data " ASSET, "");
	rails_restart_nginx_workers();
	rails_expect_answer("/assets/app.css", 200, "made by the app");
	rails_expect_answer("/robots.txt", 200, "read by nginx");
	rails_stop_everything();
}
