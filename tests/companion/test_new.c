/* SPDX-License-Identifier: ISC */
/* runas-policy new: each template is whole, and its neighbours start only what its policy allows. */
#include "companion/draft.h"
#include "companion/templates.h"
#include "tests/companion/ask.h"
#include "tests/companion/golden.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HERE "tests/fixtures/companion/new"

TestSuite(new);

static const struct said *new_shop(const char *name, const char *into) {
	return ask(&verb_new,
		   WORDS("shop", "--root", HERE "/image", "--caller", "deploy", "--template", name,
			 into == NULL ? NULL : "--output", into),
		   NULL);
}

Test(new, the_templates_are_as_reviewed) {
	char path[128];

	for (const struct template *t = templates; t->name != NULL; t++) {
		const struct said *said = new_shop(t->name, NULL);

		expect_status(said, 0);
		cr_expect_str_empty(said->error);
		snprintf(path, sizeof path, HERE "/%s.expected", t->name);
		golden_expect(path, said->out);
	}
}

/* The words behind "runas-app shop -- " of each line, launched in thought as root. */
static size_t expect_launches(struct draft *draft, char *text) {
	static const char before[] = "/usr/bin/runas-app shop -- ";
	size_t count = 0;

	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char *at = strstr(line, before), *words[32] = {NULL}, *rest;
		struct rehearsal *rehearsal;
		size_t n = 0;

		if (at == NULL || line[0] == '#')
			continue;
		at += strlen(before);
		for (rest = at; n < 31 && (at = strsep(&rest, " ")) != NULL;)
			words[n++] = at;
		rehearsal = draft_rehearse(draft, &(struct rehearsal_call){.command = words,
									   .environment = (char *[]){NULL},
									   .cwd = "/",
									   .landlock_abi = 4});
		cr_expect_eq(rehearsal->stage, REHEARSAL_READY, "%s ... %s: %s %.*s", words[0], words[n - 1],
			     rehearsal->why.what, (int)rehearsal->why.about.length, rehearsal->why.about.at);
		rehearsal_free(rehearsal);
		count++;
	}
	return count;
}

Test(new, neighbours_start_what_the_policy_allows) {
	char directory[] = "/tmp/new.XXXXXX", path[256];
	struct image image;

	cr_assert_not_null(mkdtemp(directory));
	cr_assert(image_open(&image, HERE "/image"));
	for (const struct template *t = templates; t->name != NULL; t++) {
		struct findings findings = {0};
		struct draft *draft;
		const char *text;
		size_t launches = 0;

		expect_status(new_shop(t->name, directory), 0);
		snprintf(path, sizeof path, "%s/shop.conf", directory);
		draft = draft_open(&image, path, &findings);
		cr_assert(draft != NULL && draft->is_valid && draft->has_accounts && findings.count == 0, "%s",
			  t->name);
		for (const struct template_file *f = t->files; f->file != NULL; f++) {
			snprintf(path, sizeof path, "%s/%s%s", directory, f->file[0] == '@' ? "shop" : f->file,
				 f->file[0] == '@' ? f->file + strlen("@APP@") : "");
			text = golden_read(path);
			cr_assert_not_null(text, "%s", path);
			launches += expect_launches(draft, (char *)(uintptr_t)text);
			cr_expect_eq(unlink(path), 0, "%s", path);
		}
		/* supervisor's, systemd's and cron's; an image has none of them */
		cr_expect_eq(launches, strcmp(t->name, "container") == 0 ? 0 : 3, "%s: %zu", t->name, launches);
		draft_free(draft);
		findings_free(&findings);
	}
	close(image.root);
	cr_expect_eq(rmdir(directory), 0);
}

Test(new, nothing_is_overwritten) {
	char directory[] = "/tmp/new.XXXXXX", path[256];
	const struct said *said;
	struct stat status;

	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(rmdir(directory), 0); /* it is made, what is above it not */
	snprintf(path, sizeof path, "%s/a/b", directory);
	expect_status(new_shop("container", path), 2);
	expect_status(new_shop("container", directory), 0);
	snprintf(path, sizeof path, "%s/Dockerfile", directory);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink("/nowhere", path), 0);
	snprintf(path, sizeof path, "%s/shop.conf", directory);
	cr_assert_eq(unlink(path), 0);
	said = new_shop("container", directory);
	snprintf(path, sizeof path, "%s/Dockerfile", directory);
	expect_status(said, 1);
	cr_expect(strstr(said->error, "Dockerfile: File exists") != NULL, "%s", said->error);
	cr_expect(lstat(path, &status) == 0 && S_ISLNK(status.st_mode));
	cr_expect_eq(unlink(path), 0);
	snprintf(path, sizeof path, "%s/shop.conf", directory);
	cr_expect_eq(unlink(path), 0);
	cr_expect_eq(rmdir(directory), 0);
}

Test(new, options_change_what_they_say) {
	const struct said *said = ask(&verb_new,
				      WORDS("web", "--template", "puma", "--user", "ruby", "--directory", "/opt/web",
					    "--group", "caddy", "--root", HERE "/image", "--json"),
				      NULL);
	json_t *document, *files;

	expect_status(said, 0);
	document = json_loads(said->out, 0, NULL);
	files = json_object_get(document, "files");
	cr_assert_eq(json_array_size(files), 8, "%s", said->out);
	cr_expect_str_eq(json_string_value(json_object_get(json_array_get(files, 0), "path")),
			 "/etc/runas-app/web.conf");
	json_decref(document);
	cr_expect(strstr(said->out, "\\nuser  = ruby\\n") != NULL);
	cr_expect(strstr(said->out, "\\n# allow_users = deploy\\n") != NULL);
	cr_expect(strstr(said->out, "\\ndirectory = /opt/web/current\\n") != NULL);
	cr_expect(strstr(said->out, "d /run/web 2750 ruby caddy -") != NULL);
	cr_expect(strstr(said->out, "shop") == NULL && strstr(said->out, "/srv") == NULL);
	for (const char *mark = said->out; (mark = strchr(mark, '@')) != NULL; mark++)
		cr_expect(mark[1] < 'A' || mark[1] > 'Z', "not filled in: %.20s", mark);
}

Test(new, what_cannot_stand_in_all_files_is_refused) {
	static const char *const bad[][4] = {
		{"Shop", "puma"},
		{"shop", "rails"},
		{"shop", "puma", "--user", "root"},
		{"shop", "puma", "--user", "0"},
		{"shop", "puma", "--user", "a b"},
		{"shop", "puma", "--directory", "srv"},
		{"shop", "puma", "--directory", "/srv/a b"},
		{"shop", "puma", "--directory", "/srv/$(id)"},
		{"shop", "puma", "--directory", "/"},
		{"shop", "puma", "--group", "w;x"},
		{"shop", "puma", "--caller", "a\nuser = b"},
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const struct said *said =
			ask(&verb_new, WORDS(bad[i][0], "--template", bad[i][1], bad[i][2], bad[i][3]), NULL);

		expect_status(said, 2);
		cr_expect(*said->out == '\0' && *said->error != '\0', "%zu", i);
	}
	expect_status(ask(&verb_new, WORDS("shop"), NULL), 2);
	expect_status(ask(&verb_new, WORDS("--template", "puma"), NULL), 2);
}
