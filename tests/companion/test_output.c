/* SPDX-License-Identifier: ISC */
/* What every verb does alike: a standard output that takes nothing is an error that is said, once. */
#include "tests/companion/given_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char policy[] = "runas-app = 1\nuser = app\ncommand = /usr/bin/true\n";

static void make(void) {
	given_image_needs(true);
	given_image_make("user app 4002 4002 /srv\ngroup app 4002\n");
	given_image_file("/etc/runas-app/app.conf", policy, 0644);
	given_image_file("/etc/runas-app/profiles/mine.profile", "runas-profile = 1\ninclude = @web-static\n", 0644);
	given_image_file("/drafts/new.conf", policy, 0644);
	given_image_file("/etc/sudoers", "deploy ALL=(app) NOPASSWD: /usr/bin/true\n", 0440);
}

TestSuite(output, .init = make, .fini = given_image_remove, .timeout = 60);

static void full(void) {
	if (dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), 1) != 1)
		_exit(97);
}

Test(output, that_takes_nothing_is_said) {
	static const struct {
		const struct verb *verb;
		const char *words[5];
	} asked[] = {
		{&verb_check, {"app"}},
		{&verb_explain, {"app"}},
		{&verb_list, {NULL}},
		{&verb_compile, {"mine"}},
		{&verb_why, {"app", "/etc/passwd"}},
		{&verb_audit, {"app"}},
		{&verb_import_sudoers, {NULL}},
		{&verb_new, {"shop", "--template", "puma"}},
		{&verb_install, {"--dry-run", "new.conf"}},
	};
	static const char *const what = "runas-policy: cannot write to standard output";

	for (size_t i = 0; i < 2 * sizeof asked / sizeof asked[0]; i++) {
		const struct verb *verb = asked[i / 2].verb;
		const char *const *w = asked[i / 2].words, *words[8] = {"--root", "IMAGE"}, *first;
		const struct said *said;
		size_t count = 2;

		if (verb == &verb_import_sudoers && access("/usr/bin/cvtsudoers", X_OK) != 0)
			continue;
		if (i % 2 == 1)
			words[count++] = "--json";
		for (; *w != NULL; w++)
			words[count++] = *w;
		said = ask(verb, words,
			   &(struct ask_how){
				   .directory = given_image_path("/drafts"), .image = given_image, .prepare = full});
		first = strstr(said->error, what);
		cr_expect_eq(said->status, 2, "%s: status %d", verb->name, said->status);
		cr_expect(first != NULL && strstr(first + 1, what) == NULL, "%s: %s", verb->name, said->error);
	}
}
