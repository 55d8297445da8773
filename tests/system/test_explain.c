/* SPDX-License-Identifier: ISC */
/* What runas-policy explain says is what runas-app does: the same callers and commands, asked and then launched. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../helpers/skip.h"
#include "world.h"

TestSuite(explained, .timeout = 60);

static const char *const surroundings[] = {
	"PATH=/usr/bin:/bin", "HOME=/home/deploy", "LANG=C.UTF-8",	   "PORT=8080",
	"LC_ALL=C",	      "RUBYOPT=-rx",	   "SECRET=not-asked-for", NULL};

static const char settings[] = "allow_groups = deployers\n"
			       "group = ra_web\n"
			       "groups = ra_web ra_extra\n"
			       "umask = 0007\n"
			       "directory_below = /srv/ra_app/releases\n"
			       "shell = /bin/dash\n"
			       "env = GREETING=two words \n"
			       "env_file = /etc/runas-app/secrets\n"
			       "env_keep = PORT\n"
			       "limit_nofile = 64:128\n"
			       "limit_core = 0\n"
			       "nice = 5\n"
			       "oom_score_adj = 100\n";

static void set_policy(const char *more) {
	char text[2048];

	snprintf(text, sizeof text, "%s%s", settings, more);
	world_app_policy("probe", text);
}

static void set_up(void) {
	world_enter();
	if (world_built("runas-policy") == NULL)
		SKIP("runas-policy is not built");
	set_policy("");
	world_file("/etc/runas-app/secrets", 0, 0, 0600, "DB_PASSWORD=hunter2\n");
	world_directory("/srv/ra_app", WORLD_APP, WORLD_APP, 0755);
	world_directory("/srv/ra_app/releases", WORLD_APP, WORLD_APP, 0755);
	world_directory("/srv/ra_app/releases/7", WORLD_APP, WORLD_APP, 0755);
}

/* The document; *ret_status is explain's. */
static json_t *ask(const struct world_person *who, const char *directory, const char *const *command, int *ret_status) {
	const char *argv[16] = {NULL, "explain", "probe", "--json", "--"};
	char program[256];
	size_t count = 5;
	json_t *document;
	struct world_run *run;

	snprintf(program, sizeof program, "%s", world_built("runas-policy"));
	argv[0] = program;
	while (*command != NULL)
		argv[count++] = *command++;
	run = world_run(&(struct world_call){.who = who, .argv = argv, .envp = surroundings, .directory = directory});
	document = json_loads(run->out, 0, NULL);
	cr_assert(document != NULL && WIFEXITED(run->status), "no document: %s%s", run->out, run->err);
	*ret_status = WEXITSTATUS(run->status);
	return document;
}

static struct world_run *launch(const struct world_person *who, const char *directory, const char *const *command) {
	const char *argv[16] = {WORLD_RUNAS, "probe", "--"};
	size_t count = 3;

	while (*command != NULL)
		argv[count++] = *command++;
	return world_run(&(struct world_call){.who = who, .argv = argv, .envp = surroundings, .directory = directory});
}

static json_t *value(const json_t *document, const char *section, const char *name) {
	const json_t *plan = json_object_get(document, "plan");

	return json_object_get(json_object_get(json_object_get(plan, section), name), "value");
}

static void expect_number(const struct world_run *run, const char *key, const json_t *number) {
	const char *is = world_value(run, key);

	cr_expect(is != NULL && json_is_integer(number) && atoll(is) == json_integer_value(number),
		  "%s: %s, and explained as %lld", key, is, (long long)json_integer_value(number));
}

static void expect_limit(const struct world_run *run, const char *name, const json_t *entry) {
	const json_t *soft = json_object_get(json_object_get(entry, "value"), "soft");
	const json_t *hard = json_object_get(json_object_get(entry, "value"), "hard");
	char key[64], expected[64];
	const char *is;

	snprintf(key, sizeof key, "r%s", name);
	is = world_value(run, key);
	cr_assert(is != NULL, "%s", key);
	if (json_object_get(entry, "line") == NULL)
		return; /* root without CAP_SYS_RESOURCE cannot raise what it has, and the caller's own is whatever it is */
	snprintf(expected, sizeof expected, "%lld:%lld", (long long)json_integer_value(soft),
		 (long long)json_integer_value(hard));
	cr_expect_str_eq(is, expected, "%s", name);
}

static void expect_environment(const struct world_run *run, const json_t *all) {
	const char *count = world_value(run, "env_count");
	size_t i;
	json_t *one;

	cr_assert(json_array_size(all) > 8);
	cr_expect_eq((size_t)atoi(count), json_array_size(all), "%s variables, and %zu explained", count,
		     json_array_size(all));
	json_array_foreach(all, i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));
		const char *is = world_env(run, name), *said = json_string_value(json_object_get(one, "value"));

		cr_expect(is != NULL, "%s is explained, and not there", name);
		cr_expect(said == NULL || is == NULL || strcmp(is, said) == 0, "%s: %s, and explained as %s", name, is,
			  said);
	}
}

static void expect_same(const struct world_person *who, const char *directory) {
	const char *const command[] = {"/usr/local/bin/probe", "x", NULL};
	int status;
	json_t *document = ask(who, directory, command, &status), *group;
	const struct world_run *run = launch(who, directory, command);
	char groups[128] = "";
	const char *name;
	json_t *entry;
	size_t i;

	cr_assert(status == 0 && world_exited(run, 0), "%d; %s%s", status, run->out, run->err);
	expect_number(run, "euid", json_object_get(value(document, "identity", "user"), "id"));
	expect_number(run, "egid", json_object_get(value(document, "identity", "group"), "id"));
	json_array_foreach(value(document, "identity", "groups"), i, group)
		snprintf(groups + strlen(groups), sizeof groups - strlen(groups), "%s%lld", i > 0 ? " " : "",
			 (long long)json_integer_value(json_object_get(group, "id")));
	world_expect_value(run, "groups", groups);
	world_expect_value(run, "umask",
			   json_string_value(json_object_get(value(document, "identity", "umask"), "octal")));
	world_expect_value(run, "cwd",
			   json_string_value(json_object_get(value(document, "start", "directory"), "resolved")));
	expect_number(run, "nice", value(document, "limits", "nice"));
	expect_number(run, "oom_score_adj", value(document, "limits", "oom_score_adj"));
	json_object_foreach(json_object_get(json_object_get(document, "plan"), "limits"), name,
			    entry) if (strncmp(name, "limit_", 6) == 0) expect_limit(run, name, entry);
	if (who->uid == 0) /* others cannot read env_file, so that its names are missing; a warning says so */
		expect_environment(run, json_object_get(json_object_get(document, "plan"), "environment"));
	json_decref(document);
}

Test(explained, a_launch_is_what_was_explained) {
	set_up();
	expect_same(&world_root, "/");
	expect_same(&world_deploy, "/");
}

Test(explained, so_is_a_kept_directory) {
	set_up();
	expect_same(&world_root, "/srv/ra_app/releases/7");
	expect_same(&world_deploy, "/srv/ra_app/releases/7");
}

static const char *umask_file(const char *mode) {
	static struct stat status;
	static char shown[11];

	cr_assert_eq(stat("/srv/ra_app/made", &status), 0, "%s", mode);
	for (unsigned i = 0; i < 9; i++)
		shown[i + 1] = (status.st_mode >> (8 - i) & 1) != 0 ? "rwxrwxrwx"[i] : '-';
	shown[0] = S_ISDIR(status.st_mode) ? 'd' : '-';
	return shown;
}

Test(explained, a_new_file_and_a_new_directory_look_like_the_examples) {
	const char *const touch[] = {"touch", "/srv/ra_app/made", NULL}, *const make[] = {"mkdir", "/srv/ra_app/made",
											  NULL};
	int status;
	json_t *document;

	set_up();
	document = ask(&world_root, "/", touch, &status);
	cr_assert(world_exited(launch(&world_root, "/", touch), 0));
	cr_expect_str_eq(umask_file("file"),
			 json_string_value(json_object_get(value(document, "identity", "umask"), "new_file")));
	cr_assert_eq(unlink("/srv/ra_app/made"), 0);
	cr_assert(world_exited(launch(&world_root, "/", make), 0));
	cr_expect_str_eq(umask_file("directory"),
			 json_string_value(json_object_get(value(document, "identity", "umask"), "new_directory")));
	json_decref(document);
}

Test(explained, a_refusal_is_one_for_both) {
	static const struct {
		const struct world_person *who;
		const char *more, *word;
		int status;
		const char *command[4];
	} cases[] = {
		{&world_other, "", "not-permitted", 126, {"/usr/local/bin/probe"}},
		{&world_deploy,
		 "write = /srv/ra_app\ntmp = /srv/ra_app/tmp\n",
		 "policy-value",
		 126,
		 {"/usr/local/bin/probe"}},
		{&world_deploy, "syscalls = no-such-profile\n", "policy-missing", 125, {"/usr/local/bin/probe"}},
		{&world_root, "groups = no-such-group\n", "account", 125, {"/usr/local/bin/probe"}},
		{&world_deploy, "stdio_chown = yes\n", "stdio-chown", 125, {"/usr/local/bin/probe"}},
	};

	set_up();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct world_run *run;
		json_t *document;
		char *text;
		int status;

		set_policy(cases[i].more);
		document = ask(cases[i].who, "/", cases[i].command, &status);
		run = launch(cases[i].who, "/", cases[i].command);
		text = json_dumps(json_object_get(document, "findings"), 0);
		cr_expect_eq(status, 1, "%s: %s", cases[i].word, text);
		cr_expect(strstr(text, cases[i].word) != NULL, "%s: %s", cases[i].word, text);
		cr_expect(world_exited(run, cases[i].status), "%s: %s", cases[i].word, run->err);
		/* A caller that is not entitled is told no more than "not permitted"; the log has the word. */
		cr_expect(strstr(run->err, cases[i].word) != NULL || strstr(run->err, "[not-permitted]") != NULL,
			  "%s: %s", cases[i].word, run->err);
		free(text);
		json_decref(document);
	}
}
