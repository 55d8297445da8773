/* SPDX-License-Identifier: ISC */
/* `runas-policy check`: syntax, cross-field rules, and the system around a policy. */
#include "companion/inspect.h"
#include "companion/verb.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tally {
	size_t errors, warnings, unreadable;
	bool is_strict;
	const char *as_app; /* what the one FILE is going to be called, or NULL */
	json_t *policies;   /* NULL: for people */
};

/* The path of an installed policy is that app. New string. */
static char *app_of(const struct image *image, const char *name) {
	char *start = output_format("%s/etc/runas-app/", image->prefix);
	const size_t length = strlen(start), whole = strlen(name);
	char *ret = NULL;

	if (strncmp(name, start, length) == 0 && whole > length + 5 && strcmp(name + whole - 5, ".conf") == 0) {
		ret = output_memory(strndup(name + length, whole - length - 5));
		if (!text_is_app(text_of(ret))) {
			free(ret);
			ret = NULL;
		}
	}
	free(start);
	return ret != NULL ? ret : output_memory(strdup(name));
}

/* Before it is installed it may be anybody's; but it should not be copied as it is. */
static void check_draft_file(const struct draft *draft, bool is_named, struct findings *findings) {
	const char *slash = strrchr(draft->path, '/'), *base = slash == NULL ? draft->path : slash + 1;
	struct problem why = {0};
	struct stat status;

	if (stat(draft->path, &status) == 0 && S_ISREG(status.st_mode) &&
	    !trust_check(TRUST_FILE, status.st_uid, status.st_mode, 0, 0, text_of(draft->path), &why)) {
		why.hint = "runas-policy install makes it root's, 0644";
		why.hint_about = (struct text){0};
		findings_problem(findings, FINDING_WARNING, draft->path, (struct text){0}, &why);
	}
	if (!is_named && strlen(base) > 5 && strcmp(base + strlen(base) - 5, ".conf") == 0 &&
	    strcmp(draft->app, "draft") == 0 && strcmp(base, "draft.conf") != 0)
		findings_add(findings, FINDING_WARNING, draft->path, "policy-name",
			     "runas-policy install --as-app NAME FILE",
			     "the file's name is no app's: a small letter, then at most 30 of a-z 0-9 _ -");
}

static const char *plural(size_t count) { return count == 1 ? "" : "s"; }

static void print_summary(const struct draft *draft, const struct findings *f, const struct tally *tally) {
	char *name = output_escaped(draft->path, strlen(draft->path));
	const bool is_bad = f->errors > 0 || (tally->is_strict && f->warnings > 0);

	printf("%s", draft->is_installed ? draft->app : name);
	if (tally->as_app != NULL)
		printf(" as %s", tally->as_app);
	printf(": %s", output_colour(stdout, is_bad ? OUTPUT_RED : OUTPUT_GREEN));
	if (!is_bad)
		printf("ok");
	if (f->errors > 0)
		printf("%zu error%s", f->errors, plural(f->errors));
	if (f->warnings > 0)
		printf("%s%zu warning%s", !is_bad || f->errors > 0 ? ", " : "", f->warnings, plural(f->warnings));
	printf("%s\n", output_colour(stdout, OUTPUT_NONE));
	free(name);
}

static void add_json(json_t *to, const struct draft *draft, const struct findings *f, bool is_strict) {
	json_t *one =
		json_pack("{s:s,s:o,s:b,s:b,s:I,s:I,s:o}", "app", draft->app, "file",
			  output_json_text(draft->path, strlen(draft->path)), "installed", draft->is_installed, "ok",
			  f->errors == 0 && !(is_strict && f->warnings > 0), "errors", (json_int_t)f->errors,
			  "warnings", (json_int_t)f->warnings, "findings", findings_json(f));

	output_append(to, one);
}

static void check_one(const struct image *image, const char *name, struct tally *tally) {
	struct findings findings = {0};
	char *app = app_of(image, name);
	struct draft *draft = draft_open(image, app, &findings);

	if (draft == NULL) {
		tally->unreadable++;
	} else {
		if (tally->as_app != NULL)
			snprintf(draft->app, sizeof draft->app, "%s", tally->as_app);
		if (!draft->is_installed)
			check_draft_file(draft, tally->as_app != NULL, &findings);
		if (draft->is_valid)
			inspect_system(draft, &findings);
		if (tally->policies != NULL) {
			add_json(tally->policies, draft, &findings, tally->is_strict);
		} else {
			findings_print(&findings, stdout);
			print_summary(draft, &findings, tally);
		}
	}
	tally->errors += findings.errors;
	tally->warnings += findings.warnings;
	findings_free(&findings);
	draft_free(draft);
	free(app);
}

static bool check_all(const struct image *image, struct tally *tally) {
	char **apps = draft_list(image);

	if (apps == NULL) {
		output_fail("runas-policy install puts policies there", "%s/etc/runas-app: %m", image->prefix);
		return false;
	}
	if (apps[0] == NULL && tally->policies == NULL)
		printf("no policies in %s/etc/runas-app\n", image->prefix);
	for (size_t i = 0; apps[i] != NULL; i++) {
		check_one(image, apps[i], tally);
		free(apps[i]);
	}
	free(apps);
	return true;
}

static int run(int argc, char **argv) {
	struct tally tally = {0};
	const struct output_option own[] = {{"as-app", &tally.as_app, NULL}, {"strict", NULL, &tally.is_strict}};
	struct options options;
	bool is_good = true;
	int status;

	if (!options_read("check", argc, argv, own, 2, true, false, &options, &status))
		return status;
	if (tally.as_app != NULL && (options.argc != 1 || !text_is_app(text_of(tally.as_app)))) {
		close(options.image.root);
		return output_fail("--as-app NAME FILE",
				   "check: --as-app takes the name of an app, and is for one FILE");
	}
	if (options.json)
		tally.policies = output_memory(json_array());
	if (options.argc == 0)
		is_good = check_all(&options.image, &tally);
	for (int i = 0; i < options.argc; i++)
		check_one(&options.image, options.argv[i], &tally);
	close(options.image.root);
	is_good = is_good && tally.unreadable == 0;
	if (tally.policies != NULL)
		is_good =
			output_json(output_memory(json_pack(
				"{s:o,s:I,s:I,s:I}", "policies", tally.policies, "errors", (json_int_t)tally.errors,
				"warnings", (json_int_t)tally.warnings, "unreadable", (json_int_t)tally.unreadable))) &&
			is_good;
	else
		is_good = output_done(0) == 0 && is_good;
	if (!is_good)
		return OUTPUT_USAGE;
	return tally.errors > 0 || (tally.is_strict && tally.warnings > 0) ? OUTPUT_BAD : 0;
}

const struct verb verb_check = {
	.name = "check",
	.arguments = "[--as-app NAME] [--strict] [--json] [--root DIR] [FILE|APP...]",
	.what = "is a policy right, and is all there that it needs?",
	.help = "Checks policies as runas-app reads them, and the system around them. Without FILE or APP, all of\n"
		"/etc/runas-app. An argument with a / or a dot is a FILE: a draft that need not be installed yet, and "
		"may be\n"
		"anybody's.\n"
		"\n"
		"Of the text it finds every error, not only the first, with file:line:column, a caret under the place, "
		"and how\n"
		"to mend it. Then it asks: do the user and the groups exist, and who else has them; can the app's "
		"user, with\n"
		"the policy's groups, enter `directory` and all on the way; is each command there, executable by that "
		"user,\n"
		"its #! interpreter too; who else could put another program or directory in its place; would it fail "
		"for want\n"
		"of a setuid or setgid bit or file capabilities, which an app never gets; are the `write` paths there "
		"and\n"
		"writable; is env_file root's alone; is the profile compiled, and from the texts that are there now; "
		"do other\n"
		"policies have the same user or port; does `command` leave callers more than was meant.\n"
		"\n"
		"  --as-app NAME  what the one FILE is going to be called: it is not compared with its predecessor\n"
		"  --strict       warnings count as errors\n"
		"  --json         one document: policies[] with app, file, installed, ok, errors, warnings and "
		"findings[] (kind,\n"
		"                 word, message, and where known file, line, column, hint); errors, warnings, "
		"unreadable "
		"in all\n"
		"  --root DIR     the system is an image that is not running; its kernel is not asked\n"
		"\n"
		"An error would stop a launch, or undo the policy's point. A warning is probably not meant. A note is "
		"good to\n"
		"know, or says what could not be looked at: as root more can be. In a draft, that commands, "
		"directories or\n"
		"compiled profiles are missing, and who owns the files, are warnings. The last line of each policy "
		"sums up.\n"
		"\n"
		"Exit status: 0 no errors, 1 errors (with --strict: or warnings), 2 usage, or a policy could not be "
		"read.\n"
		"\n"
		"Examples:\n"
		"  runas-policy check                       all installed policies\n"
		"  runas-policy check --strict shop.conf    a draft, in a build pipeline\n"
		"  Ansible: template: dest=/etc/runas-app/shop.conf validate='runas-policy check --as-app shop %s'\n",
	.run = run,
};
