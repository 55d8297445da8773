/* SPDX-License-Identifier: ISC */
/* PHP-FPM without root behind nginx and behind Apache, as the recipe has it: reached, reloaded, stopped, and kept in. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blog.h"
#include "server.h"

TestSuite(php, .timeout = 60);

Test(php, fpm_needs_no_root_reloads_and_stops_through_the_policy) {
	blog_enter();
	/* By the deployer: not even who starts it is root. */
	const char *const *words = blog_unit_words("ExecStart=", 0);
	struct world_run *fpm = blog_start(&world_deploy, words);
	struct world_run *nginx = blog_start_nginx();
	for (long limit = server_now() + 20000; access(BLOG_SOCKET, F_OK) != 0 && server_now() < limit;)
		usleep(20000);
	char *answer = blog_ask("/");
	blog_expect_page(answer);
	blog_expect_fpm_confined();
	struct stat facts;
	cr_expect(stat(BLOG_SOCKET, &facts) == 0 && facts.st_uid == BLOG_USER && facts.st_gid == BLOG_WEB_USER &&
			  (facts.st_mode & 0777) == 0660,
		  "the socket is %u:%u %o", facts.st_uid, facts.st_gid, facts.st_mode);

	/* A reload executes FPM again, under the same identity and the same filters. */
	struct world_run *reload = blog_start(&world_deploy, blog_unit_words("ExecReload=", fpm->pid));
	world_wait(reload, 10);
	cr_assert(world_exited(reload, 0), "%s%s", reload->out, reload->err);
	for (long limit = server_now() + 20000; server_now() < limit; usleep(50000)) {
		char *log = world_read(BLOG_SHARED "/log/fpm.log");
		const char *again = log ? strstr(log, "reloading: execvp") : NULL;
		bool ready = again && strstr(again, "ready to handle connections");
		free(log);
		if (ready)
			break;
		cr_assert(server_now() + 100 < limit, "FPM did not reload: %s", world_read(BLOG_SHARED "/log/fpm.log"));
	}
	cr_expect(!world_ended(fpm), "the same process goes on");
	answer = blog_ask("/");
	blog_expect_page(answer);
	blog_expect_fpm_confined();

	char number[16];
	snprintf(number, sizeof(number), "%d", fpm->pid);
	struct world_run *quit =
		blog_run(&world_deploy, WORLD_LIST(WORLD_RUNAS, "blog", "--", "kill", "-QUIT", number));
	cr_expect(world_exited(quit, 0), "%s%s", quit->out, quit->err);
	world_wait(fpm, 20);
	cr_expect(world_exited(fpm, 0), "status %#x: %s%s", (unsigned)fpm->status, fpm->out, fpm->err);
	blog_expect_status(blog_ask("/"), 502);
	blog_stop(nginx, SIGTERM);
	server_expect_gone("stopped");
}

static void expect_front_end(struct world_run *(*start_server)(void)) {
	struct world_run *fpm = blog_start_fpm();
	struct world_run *front = start_server();

	blog_expect_page(blog_ask("/"));
	blog_expect_page(blog_ask("/any/page"));
	char *answer = blog_ask("/style.css");
	blog_expect_status(answer, 200);
	blog_expect_said(answer, "color: green");
	answer = blog_ask("/other.php");
	cr_expect(!strstr(answer, "secret of the source"), "a script is served as text: %s", answer);
	blog_expect_policy(WORLD_LIST("why", "blog", BLOG_SOCKET, "connect", "--user", "www-data"), 0, NULL);

	/* Others than the web server and the app do not get in. */
	struct world_run *stranger = blog_run(&world_other, WORLD_LIST("/usr/bin/stat", BLOG_SOCKET));
	cr_expect(!world_exited(stranger, 0) && strstr(stranger->err, "Permission denied"), "%s", stranger->err);

	/* A directory that the web server's user cannot enter. */
	world_directory("/run/blog", BLOG_USER, WORLD_GROUP_EXTRA, 02750);
	answer = blog_ask("/");
	cr_expect(strstr(answer, " 502 ") || strstr(answer, " 503 "), "%s", answer);
	blog_expect_policy(WORLD_LIST("why", "blog", BLOG_SOCKET, "connect", "--user", "www-data"), 1, "/run/blog");
	blog_expect_policy(WORLD_LIST("audit", "blog"), 0,
			   BLOG_SOCKET ": warning: www-data cannot connect: /run/blog: ");
	blog_stop(front, SIGTERM);
	server_stop(fpm, SIGQUIT);
}

Test(php, nginx_reaches_pages_and_static_files) {
	blog_enter();
	expect_front_end(blog_start_nginx);
}

Test(php, apache_reaches_pages_and_static_files) {
	blog_enter();
	blog_enter_apache();
	expect_front_end(blog_start_apache);
}

Test(php, without_the_apps_group_the_web_server_reads_no_static_file) {
	blog_enter();
	blog_enter_apache();
	char *groups = world_read("/etc/group");
	char *member = strstr(groups, "blog:x:4006:www-data");
	cr_assert(member);
	memcpy(member, "blog:x:4006:nobody\n\n", 20);
	world_file("/etc/group", 0, 0, 0644, groups);
	struct world_run *fpm = blog_start_fpm();
	struct world_run *apache = blog_start_apache();
	blog_expect_status(blog_ask("/style.css"), 403);
	blog_expect_policy(WORLD_LIST("why", "blog", BLOG_CURRENT "/public/style.css", "read", "--user", "www-data"), 1,
			   BLOG_HOME "/releases");
	blog_stop(apache, SIGTERM);
	struct world_run *nginx = blog_start_nginx();
	char *answer = blog_ask("/style.css");
	cr_expect(!strstr(answer, "color: green"), "%s", answer);
	blog_stop(nginx, SIGTERM);
	server_stop(fpm, SIGQUIT);
}

Test(php, a_write_that_fails_names_its_path_and_why_names_the_reason) {
	blog_enter();
	struct world_run *fpm = blog_start_fpm();
	struct world_run *nginx = blog_start_nginx();
	char *answer = blog_ask("/mistake");
	blog_expect_said(answer,
			 "file_put_contents(" BLOG_CURRENT "/cache/page): Failed to open stream: Permission denied");
	blog_expect_said(answer, "file_put_contents(/srv/open/page): Failed to open stream: Permission denied");
	blog_expect_policy(WORLD_LIST("why", "blog", BLOG_CURRENT "/cache/page", "write"), 1,
			   "no: blog may not make " BLOG_CURRENT "/cache/page: " BLOG_HOME
			   "/releases/first/cache: blog is in its group blog, which has no w");
	blog_expect_policy(WORLD_LIST("why", "blog", "/srv/open/page", "write"), 1,
			   "/srv/open/page: is not at or below a `write` path of the policy");
	blog_expect_policy(WORLD_LIST("why", "blog", BLOG_SHARED "/storage/page", "write"), 0, NULL);
	blog_stop(nginx, SIGTERM);
	server_stop(fpm, SIGQUIT);
}

Test(php, the_examples_are_what_their_readers_accept) {
	blog_enter();
	blog_expect_policy(WORLD_LIST("check", "blog"), 0, NULL);
	struct world_run *run = blog_run(&world_root, WORLD_LIST("/usr/sbin/nginx", "-t"));
	cr_expect(world_exited(run, 0), "%s", run->err);
	server_needs("/usr/bin/systemd-analyze");
	world_directory("/run/units", 0, 0, 0755);
	world_file("/run/units/blog.service", 0, 0, 0644, blog_examples[BLOG_UNIT]);
	run = blog_run(&world_root,
		       WORLD_LIST("/usr/bin/systemd-analyze", "verify", "--man=no", "/run/units/blog.service"));
	cr_expect(world_exited(run, 0) && run->err[0] == '\0', "%s%s", run->out, run->err);
}
