/* SPDX-License-Identifier: ISC */
/*
 * `runas-policy import-sudoers`: policies that allow what rules of sudo allowed.
 *
 * Runs as:  whoever can read the sudoers file.
 * Given:    a sudoers file; cvtsudoers of the package sudo.
 * Promises: a draft passes the launcher's own parser; what is not carried over is named with the reason, in the draft and
 *           on standard error. Rules for different callers never share a draft: each would get the other's commands.
 * Never:    overwrites a file, or runs anything but cvtsudoers.
 */
#include "companion/verb.h"

#include "companion/findings.h"
#include "companion/sudoers.h"
#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_TEXT = 1 << 20 };

struct import {
	const struct image *image;
	const char *file;
	struct sudoers sudoers;
	char **apps; /* of each rule: its draft's name, or NULL */
};

static bool is_same_draft(const struct sudoers_rule *a, const struct sudoers_rule *b) {
	return strcmp(a->target, b->target) == 0 && strcmp(a->users, b->users) == 0 &&
	       strcmp(a->groups, b->groups) == 0;
}

/* A user's name, or a number, as an app's name. */
static char *app_name(const char *target, const char *more) {
	char *name = output_format("%s%s%s%s", target[0] >= '0' && target[0] <= '9' ? "uid-" : "", target,
				   more[0] == '\0' ? "" : "-", more);

	for (char *at = name; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + ('a' - 'A'));
		else if (!(*at >= 'a' && *at <= 'z') && !(*at >= '0' && *at <= '9') && *at != '_')
			*at = at == name ? 'x' : '-';
	}
	if (name[0] == '_')
		name[0] = 'x';
	name[strnlen(name, 28)] = '\0';
	return name;
}

static bool is_taken(const struct import *in, size_t count, const char *name) {
	for (size_t i = 0; i < count; i++)
		if (in->apps[i] != NULL && strcmp(in->apps[i], name) == 0)
			return true;
	return false;
}

static char *new_name(const struct import *in, size_t count) {
	const struct sudoers_rule *rule = &in->sudoers.rules[count];
	struct text callers = text_of(*rule->users != '\0' ? rule->users : rule->groups), first = text_word(&callers);
	char *caller = output_memory(strndup(first.at, first.length)), *name = app_name(rule->target, "");

	if (is_taken(in, count, name)) {
		free(name);
		name = app_name(rule->target, caller);
	}
	for (unsigned n = 2; is_taken(in, count, name); n++) {
		char *next = output_format("%.*s-%u", (int)strcspn(name, "-"), name, n);

		free(name);
		name = next;
	}
	free(caller);
	return name;
}

static void name_drafts(struct import *in) {
	in->apps = output_memory(calloc(in->sudoers.count + 1, sizeof *in->apps));
	for (size_t i = 0; i < in->sudoers.count; i++) {
		for (size_t j = 0; j < i && in->apps[i] == NULL; j++)
			if (in->apps[j] != NULL && is_same_draft(&in->sudoers.rules[i], &in->sudoers.rules[j]))
				in->apps[i] = output_memory(strdup(in->apps[j]));
		if (in->apps[i] == NULL && in->sudoers.rules[i].pattern != NULL)
			in->apps[i] = new_name(in, i);
	}
}

/* --- one draft --- */

static void print_setting(FILE *out, const char *key, const char *value) {
	if (value != NULL && *value != '\0')
		fprintf(out, "%s = %s\n", key, value);
}

/* What a comment can hold of bytes from elsewhere: one line, not too long. */
static void print_comment(FILE *out, const char *before, const char *bytes) {
	char *shown = output_escaped(bytes, strlen(bytes));

	fprintf(out, "# %s%.1000s%s\n", before, shown, strlen(shown) > 1000 ? " ..." : "");
	free(shown);
}

static void print_account(const struct import *in, const char *target, FILE *out) {
	struct person *person = image_person(in->image, target);
	const bool is_known = person != NULL && person->name[0] != '\0';
	char *elsewhere = output_format("/srv/%s", target);

	if (is_known && person->group_count > 1) {
		fprintf(out, "\n# sudo gave it all the groups that it has in /etc/group; take the # away if the app "
			     "needs them.\n"
			     "# groups =");
		for (size_t i = 0; i < person->group_count; i++) {
			char *name = image_group_name(in->image, person->groups[i]);

			if (name != NULL)
				fprintf(out, " %s", name);
			else
				fprintf(out, " %u", person->groups[i]);
			free(name);
		}
		fputc('\n', out);
	}
	fprintf(out,
		is_known ? "\n# sudo stayed where the caller was. Without this line the app starts in its home.\n"
			 : "\n# sudo stayed where the caller was. %s has no entry in /etc/passwd: if it stays so, it "
			   "must be a number\n"
			   "# with `group` and `home`, too.\n",
		target);
	print_comment(out, "directory = ", is_known && person->home[0] == '/' ? person->home : elsewhere);
	free(elsewhere);
	person_free(person);
}

static void print_defaults(const struct import *in, const struct sudoers_rule *rule, FILE *out) {
	static const struct {
		const char *setting, *before, *key;
	} known[] = {
		{"env_keep",
		 "Defaults env_keep: what the caller may choose. Take the # away from the names that the app needs.",
		 "env_keep"},
		{"secure_path", "Defaults secure_path. Without this line: /usr/local/bin:/usr/bin:/bin.", "path"},
		{"umask", "Defaults umask. Without this line: 0027, whatever the caller's is.", "umask"},
	};
	char *names = output_format("%s %s %s", rule->target, rule->users, rule->groups);

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		char *value = sudoers_default(&in->sudoers, known[i].setting, names);

		if (value != NULL && *value != '\0') {
			char *line = output_format("%s = ", known[i].key);

			fprintf(out, "\n# %s\n", known[i].before);
			print_comment(out, line, value);
			free(line);
		}
		free(value);
	}
	free(names);
}

static bool is_repeated(const struct import *in, size_t rule) {
	for (size_t j = 0; j < rule; j++)
		if (in->apps[j] != NULL && strcmp(in->apps[j], in->apps[rule]) == 0 &&
		    in->sudoers.rules[j].pattern != NULL &&
		    strcmp(in->sudoers.rules[j].pattern, in->sudoers.rules[rule].pattern) == 0)
			return true;
	return false;
}

static void print_rules(const struct import *in, const char *app, FILE *out) {
	bool has_left = false;

	for (size_t i = 0; i < in->sudoers.count; i++) {
		const struct sudoers_rule *rule = &in->sudoers.rules[i];

		if (in->apps[i] == NULL || strcmp(in->apps[i], app) != 0 || rule->pattern == NULL || is_repeated(in, i))
			continue;
		if (rule->remark != NULL)
			fprintf(out, "# %s\n", rule->remark);
		fprintf(out, "command = %s\n", rule->pattern);
	}
	for (size_t i = 0; i < in->sudoers.count; i++) {
		const struct sudoers_rule *rule = &in->sudoers.rules[i];

		if (in->apps[i] == NULL || strcmp(in->apps[i], app) != 0 || rule->pattern != NULL)
			continue;
		fputs(has_left ? "" : "\n# NOT CARRIED OVER:\n", out);
		print_comment(out, rule->is_negated ? "  !" : "  ", rule->shown);
		print_comment(out, "      ", rule->reason);
		has_left = true;
	}
}

static char *draft_text(const struct import *in, size_t rule) {
	const struct sudoers_rule *first = &in->sudoers.rules[rule];
	char *text = NULL;
	size_t length = 0;
	FILE *out = output_memory(open_memstream(&text, &length));

	fprintf(out, "# ===== %s.conf =====\n", in->apps[rule]);
	print_comment(out, "Drafted by runas-policy import-sudoers from ", in->file);
	fprintf(out,
		"#   sudo -u %s COMMAND...  becomes  runas-app %s -- COMMAND...\n"
		"# Each word of a command is one argument; a final * stands for any further ones, as in sudoers no "
		"arguments do.\n"
		"\nrunas-app = 1\n\n",
		first->target, in->apps[rule]);
	print_setting(out, "allow_users", first->users);
	print_setting(out, "allow_groups", first->groups);
	fprintf(out, "\nuser = %s\n", first->target);
	print_account(in, first->target, out);
	print_defaults(in, first, out);
	fputc('\n', out);
	print_rules(in, in->apps[rule], out);
	if (fclose(out) != 0)
		output_memory(NULL);
	return text;
}

/* The launcher's own judges. */
static bool is_good(const char *text, const char *app, struct findings *findings) {
	struct policy *policy = output_memory(malloc(sizeof *policy));
	struct problem why = {0};
	char *file = output_format("%s.conf", app);
	const bool is_valid = parse_policy(text_of(text), policy, &why) && check_policy(policy, &why);

	if (!is_valid)
		findings_problem(findings, FINDING_ERROR, file, text_of(text), &why);
	free(file);
	free(policy);
	return is_valid;
}

/* A new file, or an error. */
static bool write_draft(int directory, const char *prefix, const char *app, const char *text, char **ret_path) {
	char *name = output_format("%s.conf", app);
	const int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool is_done = out != NULL && fputs(text, out) >= 0;

	*ret_path = output_format("%s/%s", prefix, name);
	if (out != NULL)
		is_done = fclose(out) == 0 && is_done;
	if (!is_done)
		output_fail(errno == EEXIST ? "it was left as it is: compare, and remove it if it is no longer wanted"
					    : NULL,
			    "%s: %s", *ret_path, strerror(errno));
	if (!is_done && out != NULL)
		unlinkat(directory, name, 0);
	free(name);
	return is_done;
}

/* --- all of it --- */

static void list_left(const struct import *in, struct findings *findings) {
	for (size_t i = 0; i < in->sudoers.count; i++) {
		const struct sudoers_rule *rule = &in->sudoers.rules[i];
		const bool is_roots = rule->pattern == NULL && *rule->reason == '\0';

		if (rule->pattern == NULL)
			findings_add(findings, is_roots ? FINDING_NOTE : FINDING_WARNING, in->file,
				     is_roots ? "not-needed" : "not-carried", rule->hint, "%s%s%s may%s run %s: %s",
				     rule->callers, *rule->target != '\0' ? " as " : "", rule->target,
				     rule->is_negated ? " not" : "", rule->shown,
				     is_roots ? "root may start every app" : rule->reason);
		else if (rule->remark != NULL)
			findings_add(findings, FINDING_NOTE, in->file, "differs", NULL, "%s as %s may run %s: %s",
				     rule->callers, rule->target, rule->shown, rule->remark);
	}
}

static void note_several(const struct import *in, size_t rule, struct findings *findings) {
	for (size_t j = 0; j < rule; j++) {
		if (in->apps[j] == NULL || strcmp(in->sudoers.rules[j].target, in->sudoers.rules[rule].target) != 0 ||
		    strcmp(in->apps[j], in->apps[rule]) == 0)
			continue;
		findings_add(findings, FINDING_NOTE, in->file, "several", NULL,
			     "%s has a draft of its own beside %s: in one policy its callers would get each other's "
			     "commands",
			     in->apps[rule], in->apps[j]);
		return;
	}
}

/* The drafts, each where it belongs; how many could not be had. */
static size_t put_drafts(struct import *in, const char *into, bool is_json, json_t *list, struct findings *findings) {
	const int directory = into == NULL ? -1 : output_directory(into);
	size_t failed = 0;

	if (into != NULL && directory < 0) {
		output_fail(NULL, "%s: %m", into);
		return 1;
	}
	for (size_t i = 0; i < in->sudoers.count; i++) {
		char *text, *path = NULL;

		if (in->apps[i] == NULL || in->sudoers.rules[i].pattern == NULL || is_taken(in, i, in->apps[i]))
			continue;
		note_several(in, i, findings);
		text = draft_text(in, i);
		if (!is_good(text, in->apps[i], findings) ||
		    (into != NULL && !write_draft(directory, into, in->apps[i], text, &path))) {
			failed++;
		} else if (is_json) {
			json_t *one =
				json_pack("{s:s, s:s, s:o}", "app", in->apps[i], "user", in->sudoers.rules[i].target,
					  "policy", output_json_text(text, strlen(text)));

			if (path != NULL)
				json_object_set_new(one, "path", output_json_text(path, strlen(path)));
			output_append(list, one);
		} else if (into != NULL) {
			printf("wrote %s\n", path);
		} else {
			printf("%s%s", json_array_size(list) > 0 ? "\n" : "", text);
			output_append(list, json_null());
		}
		free(text);
		free(path);
	}
	if (directory >= 0)
		close(directory);
	return failed;
}

/* # too, which else starts a comment. */
static bool is_include(struct text row) {
	const struct text word = text_word(&row);

	return text_is_choice(word, text_of("@include|@includedir|#include|#includedir"));
}

/* The bytes are looked at for what cvtsudoers does not tell. */
static void look_at_text(const char *text, const char *file, bool is_image, struct findings *findings) {
	for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL) {
		const struct text row = {line, strcspn(line, "\n")};
		const char *blank = memmem(row.at, row.length, "\\ ", 2);

		if (is_include(row)) {
			char *shown = output_escaped(row.at, row.length);

			findings_add(findings, is_image ? FINDING_WARNING : FINDING_NOTE, file, "include",
				     is_image ? "name the included files one by one" : NULL,
				     is_image ? "what it includes is looked for on this system, not in the image: %s"
					      : "what it includes is read with it, as sudo does: %s",
				     shown);
			free(shown);
		}
		if (blank != NULL && row.at[0] != '#')
			findings_add(
				findings, FINDING_WARNING, file, "blank", "look at the commands of the draft",
				"a backslash before a blank: cvtsudoers does not tell whether it is part of a path");
	}
}

static int import(struct options *options, const char *file, const char *into) {
	const bool is_image = file == NULL && options->image.prefix[0] != '\0';
	struct import in = {.image = &options->image};
	struct findings findings = {0};
	char *shown =
		file == NULL ? output_format("%s/etc/sudoers", options->image.prefix) : output_memory(strdup(file));
	const int fd = file == NULL ? image_descriptor(&options->image, "/etc/sudoers", O_RDONLY)
				    : open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	json_t *list = output_memory(json_array()), *document;
	char *text = output_memory(calloc(1, MOST_TEXT));
	size_t failed, left;
	int status = OUTPUT_USAGE;

	in.file = shown;
	if (fd < 0) {
		output_fail(errno == EACCES ? "ask as root" : NULL, "%s: %m", shown);
		goto out;
	}
	if (pread(fd, text, MOST_TEXT - 1, 0) > 0)
		look_at_text(text, shown, is_image, &findings);
	document = sudoers_load(shown, is_image ? fd : -1);
	if (document == NULL) {
		findings_print(&findings, stderr); /* the reason may be in a file that it includes */
		goto out;
	}
	in.sudoers = sudoers_rules(document);
	name_drafts(&in);
	list_left(&in, &findings);
	failed = put_drafts(&in, into, options->json, list, &findings);
	left = findings.errors + findings.warnings;
	if (options->json) {
		document = json_pack("{s:o, s:O, s:o}", "file", output_json_text(shown, strlen(shown)), "drafts", list,
				     "findings", findings_json(&findings));
		status = output_json(document) ? (failed + left > 0 ? OUTPUT_BAD : 0) : OUTPUT_USAGE;
	} else {
		if (json_array_size(list) == 0 && into == NULL)
			output_fail(NULL, "%s: no rule of it can be carried over", shown);
		status = output_done(failed + left > 0 ? OUTPUT_BAD : 0);
		findings_print(&findings, stderr);
	}
out:
	for (size_t i = 0; i < in.sudoers.count; i++)
		free(in.apps[i]);
	free(in.apps);
	sudoers_free(&in.sudoers);
	findings_free(&findings);
	json_decref(list);
	free(text);
	free(shown);
	if (fd >= 0)
		close(fd);
	return status;
}

static int run(int argc, char **argv) {
	const char *into = NULL;
	const struct output_option own[] = {{"dir", &into, NULL}};
	struct options options;
	int status;

	if (!options_read("import-sudoers", argc, argv, own, 1, true, false, &options, &status))
		return status;
	if (options.argc > 1)
		status = output_fail("runas-policy import-sudoers --help", "import-sudoers: one file at a time");
	else
		status = import(&options, options.argc == 1 ? options.argv[0] : NULL, into);
	close(options.image.root);
	return status;
}

const struct verb verb_import_sudoers = {
	.name = "import-sudoers",
	.arguments = "[--dir DIR] [--root DIR] [--json] [FILE]",
	.what = "draft policies from the rules of sudo",
	.help = "Reads FILE, or /etc/sudoers, with sudo's own parser (cvtsudoers of the package sudo, which nothing "
		"else here needs),\n"
		"and drafts a policy for each user that its NOPASSWD rules run commands as. Callers with different "
		"rules get\n"
		"drafts of their own. A draft is for reading: then check it, and install it.\n"
		"\n"
		"What a policy cannot say as sudoers did is left out, and listed with the reason, in the draft and on "
		"standard\n"
		"error: wildcards inside words or across them, character classes, regular expressions, ALL, negations "
		"and what they\n"
		"take back, root and ALL as the user, groups of sudo -g, digests, netgroups, rules for some hosts, "
		"sudoedit,\n"
		"directories, CWD, CHROOT, NOEXEC and times, and rules that ask for a password. A * as the last "
		"argument becomes\n"
		"the * of a policy; where sudo wanted one argument at least, a comment says so.\n"
		"\n"
		"  --dir DIR    write DIR/APP.conf for each draft, and overwrite none; DIR is made if it is missing. "
		"Without it\n"
		"               they go to standard output\n"
		"  --root DIR   the sudoers file and the accounts of an image that is not running\n"
		"  --json       file, drafts (app, user, policy, path) and findings, as one document\n"
		"\n"
		"Exit status: 0 all rules are in the drafts, 1 some are not, or a draft could not be written, 2 usage, "
		"or FILE could\n"
		"not be read.\n"
		"\n"
		"Example:\n"
		"  runas-policy import-sudoers --dir /root/drafts /etc/sudoers.d/deploy\n",
	.run = run,
};
