/* SPDX-License-Identifier: ISC */
/*
 * runas-policy explain. Golden files: tests/fixtures/companion/explain/NAME.txt and NAME.json, what is said about the
 * image tests/fixtures/companion/image; counts of system calls and instructions, which libseccomp may change, stand
 * there as N.
 */
#include "companion/generate.h"
#include "companion/image.h"
#include "tests/companion/given_image.h"
#include "tests/companion/golden.h"
#include "tests/helpers/skip.h"

#include <ctype.h>
#include <grp.h>
#include <jansson.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIXTURES "tests/fixtures/companion/"
#define IMAGE "--root", FIXTURES "image"
#define FULL FIXTURES "explain/full.conf"

TestSuite(explain, .timeout = 60);

static const struct golden {
	const char *name;
	int status;
	const char *words[16];
} goldens[] = {
	{"rails-app",
	 0,
	 {"policy/examples/rails-app.conf", "--as", "deploy", "--", "passenger", "status", "--port", "3000"}},
	{"blog", 0, {"policy/examples/blog.conf", "--as", "deploy", "--", "php", "artisan", "queue:work", "--tries=3"}},
	{"shop",
	 0,
	 {"policy/examples/shop.conf", "--", "gunicorn", "shop.wsgi", "--bind", "unix:/run/shop/gunicorn.sock",
	  "--workers", "4"}},
	{"app", 0, {"policy/examples/app.conf", "--without-root", "--", "bundle", "exec", "puma"}},
	{"rails-app-no-command", 0, {"policy/examples/rails-app.conf", "--as", "deploy"}},
	{"rails-app-differs",
	 1,
	 {"policy/examples/rails-app.conf", "--as", "deploy", "--", "passenger", "stop", "--port", "80x", "y"}},
	{"rails-app-too-long", 1, {"policy/examples/rails-app.conf", "--", "rake", "x"}},
	{"blog-stranger", 1, {"policy/examples/blog.conf", "--as", "stranger", "--", "php", "artisan", "about"}},
	{"full-serve", 0, {FULL, "--as", "3001", "--", "passenger", "start"}},
	{"full-holes",
	 0,
	 {FULL, "--as", "deploy", "--", "kill", "{int}", "preapost", "/srv/x/z/y", "more", "\033[1m\n"}},
	{"full-anything", 0, {FULL, "--as", "root", "--", "kill", "1"}},
};

/* Of libseccomp's making, or of its knowledge. */
static void mask_text(char *text) {
	bool is_counted = false;

	for (char *at = text, *line = text; *at != '\0'; at++) {
		if (at == line)
			is_counted = strncmp(at, "  allowed ", 10) == 0 || strncmp(at, "  conditional ", 14) == 0 ||
				     strncmp(at, "  refused ", 10) == 0 || strncmp(at, "  missing ", 10) == 0 ||
				     strncmp(at, "  filter ", 9) == 0;
		if (*at == '\n')
			line = at + 1;
		if (is_counted && isdigit((unsigned char)*at)) {
			size_t digits = strspn(at, "0123456789");

			*at = 'N';
			memmove(at + 1, at + digits, strlen(at + digits) + 1);
		}
	}
}

static void mask_json(json_t *document) {
	static const char *const counted[] = {"allowed", "conditional", "refused", "missing", "filter"};
	json_t *syscalls = json_object_get(json_object_get(document, "plan"), "syscalls");

	for (size_t i = 0; syscalls != NULL && i < sizeof counted / sizeof counted[0]; i++)
		json_object_set_new(json_object_get(syscalls, counted[i]), "value", json_string("N"));
	json_object_del(json_object_get(json_object_get(syscalls, "dangerous"), "value"), "missing");
}

static void compare(const char *name, const char *suffix, const char *now) {
	char path[256];

	snprintf(path, sizeof path, FIXTURES "explain/%s.%s", name, suffix);
	golden_expect(path, now);
}

static const struct said *explain(const char *const *before, const char *const *words) {
	const char *all[32];
	size_t count = 0;

	while (*before != NULL)
		all[count++] = *before++;
	while (*words != NULL)
		all[count++] = *words++;
	all[count] = NULL;
	return ask(&verb_explain, all, NULL);
}

Test(explain, golden_text) {
	if (generate_arch() != AUDIT_ARCH_X86_64)
		SKIP("the golden files name the system calls of x86_64");
	for (const struct golden *g = goldens; g < goldens + sizeof goldens / sizeof goldens[0]; g++) {
		char *text = strdup(explain(WORDS(IMAGE), g->words)->out);

		mask_text(text);
		compare(g->name, "txt", text);
		free(text);
		cr_expect_eq(explain(WORDS(IMAGE), g->words)->status, g->status, "%s", g->name);
	}
}

Test(explain, golden_json) {
	if (generate_arch() != AUDIT_ARCH_X86_64)
		SKIP("the golden files name the system calls of x86_64");
	for (const struct golden *g = goldens; g < goldens + sizeof goldens / sizeof goldens[0]; g++) {
		const struct said *said = explain(WORDS(IMAGE, "--json"), g->words);
		json_t *document = json_loads(said->out, 0, NULL);
		char *text;

		cr_assert(document != NULL, "%s: not one JSON document: %s", g->name, said->out);
		cr_expect_eq(said->status, g->status, "%s", g->name);
		cr_expect_eq(json_is_true(json_object_get(document, "is_allowed")), g->status == 0, "%s", g->name);
		mask_json(document);
		text = json_dumps(document, JSON_INDENT(1));
		compare(g->name, "json", text);
		free(text);
		json_decref(document);
	}
}

/* --- secrets --- */

static void with_secrets_around(void) {
	clearenv();
	setenv("PORT", "not-for-reports", 1);
	setenv("LANG", "de_DE.UTF-8", 1);
	setenv("LD_PRELOAD", "/tmp/evil.so", 1);
	setenv("UNNAMED", "never-passed-on", 1);
}

Test(explain, shows_names_of_secrets_and_never_values) {
	static const char *const json[] = {"--json", NULL}, *const text[] = {NULL};

	for (size_t i = 0; i < 2; i++) {
		const struct said *said =
			explain(i == 0 ? json : text, WORDS(IMAGE, FULL, "--as", "deploy", "--", "passenger", "start"));

		expect_said(said->out, "DB_PASSWORD");
		expect_unsaid(said->out, "from-env-file");
		expect_unsaid(said->error, "from-env-file");
	}
}

/* An image with policies of its own; whoever runs the test owns it. */
static void make_image(void) { given_image_make("user me 4002 4002 /srv\ngroup me 4002\ndir 0755 0:0 /srv/below\n"); }

static const char *make_file(const char *path, const char *text, mode_t mode) {
	given_image_file(path, text, mode);
	return given_image_path(path);
}

TestSuite(explain_image, .init = make_image, .fini = given_image_remove, .timeout = 60);

#define NUMBERS "runas-app = 1\nuser = 4002\ngroup = 4002\nhome = /srv\ndirectory = /\n"

/* On the running system, since of an image the environment of this process says nothing. */
Test(explain_image, shows_what_the_caller_passes_on_but_not_what_may_be_secret) {
	const struct said *said = ask(
		&verb_explain,
		WORDS(make_file("/x.conf", NUMBERS "env_keep = PORT\ncommand = *\n", 0644), "--as", "0", "--", "true"),
		&(struct ask_how){.prepare = with_secrets_around});

	cr_expect_eq(said->status, 0, "%s%s", said->out, said->error);
	expect_said(said->out, "de_DE.UTF-8 (the caller's, kept)");
	expect_said(said->out, "PORT");
	expect_unsaid(said->out, "not-for-reports");
	expect_unsaid(said->out, "LD_PRELOAD");
	expect_unsaid(said->out, "UNNAMED");
}

/* --- the decision --- */

Test(explain, says_what_each_token_takes) {
	static const struct {
		const char *pattern, *word, *why;
	} cases[] = {
		{"{int}", "12345678901", "{int} takes 1 to 10 digits"},
		{"{int}", "-1", "{int} takes 1 to 10 digits"},
		{"{word}", "-x", "{word} takes letters, digits"},
		{"{path:/srv/app}", "/srv/app2", "{path} takes /srv/app and what is below"},
		{"{path:/srv/app}", "/srv/app/../x", "{path} takes /srv/app and what is below"},
		{"{path:/srv/app}.rb", "/srv/app.rb", "{path} takes what is below /srv/app"},
		{"{start|stop|status}", "sto", "takes start, stop or status"},
		{"--x={a|b}", "--x=c", "takes a or b"},
		{"literal", "Literal", "takes exactly this"},
		{"\"two words\"", "two", "takes exactly this"},
	};

	make_image();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[256];
		const struct said *said;

		snprintf(text, sizeof text, NUMBERS "command = /bin/x %s last\n", cases[i].pattern);
		said = ask(&verb_explain,
			   WORDS("--root", given_image, make_file("/x.conf", text, 0644), "--", "x", cases[i].word,
				 "last"),
			   NULL);
		cr_expect_eq(said->status, 1, "%s", cases[i].pattern);
		expect_said(said->out, cases[i].why);
		expect_said(said->out, "x.conf:6:18: error:");
	}
	given_image_remove();
}

Test(explain_image, refuses_as_the_launcher_would) {
	static const struct {
		const char *text, *word;
		bool is_before; /* the pattern is asked, too */
	} cases[] = {
		{"runas-app = 1\nuser = nobody-here\ncommand = *\n", "[account]", true},
		{"runas-app = 1\nusr = me\n", "[policy-key]", false},
		{"runas-app = 1\nuser = root\n", "[policy-root]", false},
		{"runas-app = 1\nuser = me\ncommand = *\nsyscalls = @nothing\n", "[filter-missing]", true},
		{"runas-app = 1\nuser = me\ncommand = *\nsyscalls = site\n",
		 "/etc/runas-app/profiles/site.filter: error: cannot be opened", true},
		{"runas-app = 1\nuser = me\ncommand = /a/x\ncommand = /b/x y\n", "[command-ambiguous]", true},
		{"runas-app = 1\nuser = me\n", "[command]", true},
		{"runas-app = 1\nuser = me\ncommand = *\nlisten = tcp 0.0.0.0:80\n", "[policy-value]", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *file = make_file("/x.conf", cases[i].text, 0644);
		const struct said *said = ask(&verb_explain, WORDS("--root", given_image, file, "--", "x"), NULL);

		cr_expect_eq(said->status, 1, "%s", cases[i].text);
		expect_said(said->out, cases[i].word);
		expect_said(said->out, ": refused");
		expect_unsaid(said->out, "Identity");
		said = ask(&verb_explain, WORDS("--root", given_image, "--json", file, "--", "x"), NULL);
		cr_expect_eq(said->status, 1, "%s", cases[i].text);
		expect_said(said->out, "\"is_allowed\": false");
		cr_expect_eq(strstr(said->out, "may_start") != NULL, cases[i].is_before, "%s", said->out);
	}
}

Test(explain_image, an_installed_policy_must_be_roots) {
	const struct said *said;

	make_file("/etc/runas-app/x.conf", "runas-app = 1\nuser = me\ncommand = *\n", 0644);
	said = ask(&verb_explain, WORDS("--root", given_image, "x", "--", "x"), NULL);
	cr_expect_eq(said->status, geteuid() == 0 ? 0 : 1, "%s%s", said->out, said->error);
	expect_said(said->out, geteuid() == 0 ? "x: allowed" : "[policy-owner]");
	if (geteuid() != 0)
		return;
	make_file("/etc/runas-app/x.conf", "runas-app = 1\nuser = me\ncommand = *\n", 0664);
	said = ask(&verb_explain, WORDS("--root", given_image, "x", "--", "x"), NULL);
	cr_expect_eq(said->status, 1);
	expect_said(said->out, "x: refused");
	expect_said(said->out, "[policy-mode]");
	make_file("/etc/runas-app/x.conf", "runas-app = 1\nuser = me\ncommand = *\n", 0644);
	make_file("/etc/group", "root:x:0:\nme:x:4002:\n", 0666);
	said = ask(&verb_explain, WORDS("--root", given_image, "x", "--", "x"), NULL);
	expect_said(said->out, "x: allowed"); /* nothing of /etc/group is asked for here */
	make_file("/etc/runas-app/x.conf", "runas-app = 1\nuser = me\ngroup = me\ncommand = *\n", 0644);
	said = ask(&verb_explain, WORDS("--root", given_image, "x", "--", "x"), NULL);
	expect_said(said->out, "/etc/group: error:");
}

static void become_nobody(void) {
	if (setgid(65534) != 0 || setuid(65534) != 0)
		_exit(99);
}

Test(explain_image, env_file_must_be_there_and_roots_alone) {
	static const char policy[] = "runas-app = 1\nuser = me\ncommand = *\nenv_file = /etc/runas-app/secrets\n";
	const char *const words[] = {"--root", given_image, "x", "--", "x", NULL};
	const struct said *said;

	given_image_needs(true);
	make_file("/etc/runas-app/x.conf", policy, 0644);
	said = ask(&verb_explain, words, NULL);
	cr_expect_eq(said->status, 1);
	expect_said(said->out, "hint: as root: install -m 0600 /dev/null /etc/runas-app/secrets");
	make_file("/etc/runas-app/secrets", "PASSWORD=hunter2\n", 0640);
	said = ask(&verb_explain, words, NULL);
	cr_expect_eq(said->status, 1);
	expect_said(said->out, "/etc/runas-app/secrets: error:");
	make_file("/etc/runas-app/secrets", "PASSWORD=hunter2\n", 0600);
	said = ask(&verb_explain, words, NULL);
	cr_expect_eq(said->status, 0, "%s", said->out);
	expect_said(said->out, "PASSWORD");
	/* A plain user gets the rest, and is told what is missing. */
	said = ask(&verb_explain, words, &(struct ask_how){.prepare = become_nobody});
	cr_expect_eq(said->status, 0, "%s%s", said->out, said->error);
	expect_unsaid(said->out, "PASSWORD");
	expect_said(said->out, "x.conf:4:12: warning: cannot be read, so its variables are missing here");
	make_file("/etc/runas-app/secrets", "PASSWORD='hunter2'\n", 0600);
	said = ask(&verb_explain, words, NULL);
	cr_expect_eq(said->status, 1);
	expect_said(said->out, "/etc/runas-app/secrets:1: error:");
	expect_unsaid(said->out, "hunter2");
}

/* --- the caller --- */

static const char *where;

static void go_there(void) {
	if (chdir(where) != 0)
		_exit(99);
}

Test(explain_image, keeps_the_directory_of_this_process_where_the_policy_does) {
	char text[512], below[128];
	const struct said *said;

	snprintf(below, sizeof below, "%s/srv/below", given_image);
	snprintf(text, sizeof text, NUMBERS "directory_below = %s/srv\ncommand = *\n", given_image);
	make_file("/x.conf", text, 0644);
	where = below;
	said = ask(&verb_explain, WORDS(given_image_path("/x.conf"), "--as", "0", "--", "x"),
		   &(struct ask_how){.prepare = go_there});
	expect_said(said->out, ": where this process is, and so kept");
	expect_said(said->out, below);
	said = ask(&verb_explain, WORDS(given_image_path("/x.conf"), "--as", "0", "--", "x"), NULL);
	expect_unsaid(said->out, "and so kept");
}

/* The ids of the process, not those of a login: newgrp, or a container's. */
static void become_me(void) {
	const gid_t groups[] = {4005, 4006};

	if (setgroups(2, groups) != 0 || setgid(4007) != 0 || setuid(4008) != 0)
		_exit(99);
}

Test(explain_image, the_caller_is_this_process) {
	const struct said *said;

	given_image_needs(true);
	make_file("/x.conf", NUMBERS "allow_groups = 4006\ncommand = *\n", 0644);
	said = ask(&verb_explain, WORDS(given_image_path("/x.conf"), "--", "x"),
		   &(struct ask_how){.prepare = become_me});
	cr_expect_eq(said->status, 0, "%s%s", said->out, said->error);
	expect_said(said->out, "process  4008 (no name), groups 4005 (no name), 4006 (no name)");
	expect_said(said->out, "yes: allow_groups has 4006");
	said = ask(&verb_explain, WORDS(given_image_path("/x.conf"), "--", "x"), NULL);
	expect_said(said->out, "yes: root starts every app");
	make_file("/x.conf", NUMBERS "allow_groups = 4007\ncommand = *\n", 0644);
	said = ask(&verb_explain, WORDS(given_image_path("/x.conf"), "--", "x"),
		   &(struct ask_how){.prepare = become_me});
	expect_said(said->out, "yes: allow_groups has 4007");
	make_file("/x.conf", NUMBERS "allow_users = 4007\ncommand = *\n", 0644);
	said = ask(&verb_explain, WORDS(given_image_path("/x.conf"), "--", "x"),
		   &(struct ask_how){.prepare = become_me});
	expect_said(said->out, "hint: it is started by root 4007");
	cr_expect_eq(said->status, 1);
}

/* --- system calls: another road to the same numbers --- */

Test(explain, counts_what_the_profile_says) {
	const struct profile_store store = {
		.shipped = shipped_texts, .shipped_count = shipped_text_count, .site_directory = -1, .site_prefix = ""};
	struct profile *profile = calloc(1, sizeof *profile);
	struct profile_error error;
	json_int_t counts[3] = {0};
	json_t *document =
		json_loads(explain(WORDS(IMAGE, "--json"), WORDS("policy/examples/app.conf", "--", "x"))->out, 0, NULL);
	json_t *syscalls = json_object_get(json_object_get(document, "plan"), "syscalls");

	cr_assert(profile != NULL && profile_read(&store, "@app-server", profile, &error));
	for (size_t i = 0; i < profile->call_count; i++)
		if (profile->calls[i].answer != PROFILE_MISSING)
			counts[profile->calls[i].answer == PROFILE_REFUSE ? 2 : profile->calls[i].rule_count > 0]++;
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = {"allowed", "conditional", "refused"};

		cr_expect(counts[i] > 0);
		cr_expect_eq(json_integer_value(json_object_get(json_object_get(syscalls, names[i]), "value")),
			     counts[i], "%s", names[i]);
	}
	json_decref(document);
	free(profile);
}

/* --- usage --- */

Test(explain, usage) {
	static const struct {
		const char *words[8];
		const char *what;
	} cases[] = {
		{{NULL}, "one APP or FILE is needed"},
		{{"a", "b"}, "one APP or FILE is needed"},
		{{"policy/examples/app.conf", "--"}, "no command behind --"},
		{{"--nonsense", "a"}, "no such option: --nonsense"},
		{{"--as"}, "--as needs an argument"},
		{{IMAGE, "no-such-app"}, "/etc/runas-app/no-such-app.conf: No such file or directory"},
		{{"./no-such-file"}, "./no-such-file: No such file or directory"},
		{{"--root", "/no/such/place", "a"}, "/no/such/place: No such file or directory"},
		{{IMAGE, "policy/examples/app.conf", "--as", "no-such-user"}, "no such user: no-such-user"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct said *said = ask(&verb_explain, cases[i].words, NULL);

		cr_expect_eq(said->status, 2, "%zu", i);
		expect_said(said->error, cases[i].what);
		cr_expect_str_empty(said->out);
	}
}
