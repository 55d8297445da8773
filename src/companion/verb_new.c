/* SPDX-License-Identifier: ISC */
/*
 * `runas-policy new`: a policy to start from, with its neighbours' files.
 *
 * Runs as:  anyone.
 * Given:    names and a directory of the app to be.
 * Promises: what it prints passes the launcher's own parser.
 * Never:    overwrites a file, or makes users and directories: it prints the commands that do.
 */
#include "companion/verb.h"

#include "companion/output.h"
#include "companion/templates.h"
#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct word {
	const char *mark, *value;
};

/* A new string: marks in values are replaced, too. */
static char *filled(const char *text, const struct word *words) {
	char *ret = NULL;
	size_t length = 0;
	FILE *out = output_memory(open_memstream(&ret, &length));

	while (*text != '\0') {
		const struct word *w = words;

		while (w->mark != NULL && strncmp(text, w->mark, strlen(w->mark)) != 0)
			w++;
		if (w->mark == NULL) {
			fputc(*text++, out);
			continue;
		}
		fputs(w->value, out);
		text += strlen(w->mark);
	}
	if (fclose(out) != 0)
		output_memory(NULL);
	return ret;
}

static const struct template *find_template(const char *name) {
	for (const struct template *t = templates; t->name != NULL; t++)
		if (name != NULL && strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static bool is_name_or_number(const char *name) {
	uint64_t number;

	return text_is_account(text_of(name)) || (text_number(text_of(name), UINT32_MAX - 1, &number) && number != 0);
}

/* It stands in shell commands and in the files of others: no byte that means something there. */
static bool is_plain_path(const char *path) {
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";

	return text_is_path(text_of(path)) && path[strspn(path, plain)] == '\0' && path[1] != '\0';
}

static bool write_file(int directory, const char *into, const char *name, const char *text) {
	const int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool is_done = out != NULL && fputs(text, out) >= 0;

	if (out != NULL)
		is_done = fclose(out) == 0 && is_done;
	if (!is_done)
		output_fail(errno == EEXIST ? "it was left as it is" : NULL, "%s/%s: %m", into, name);
	return is_done;
}

static bool is_good(const char *text) {
	struct policy *policy = output_memory(malloc(sizeof *policy));
	struct problem why = {0};
	const bool is_valid = parse_policy(text_of(text), policy, &why) && check_policy(policy, &why);

	if (!is_valid)
		output_fail(why.hint, "line %u: %s \"%.*s\"", why.line, why.what, (int)why.about.length, why.about.at);
	free(policy);
	return is_valid;
}

static int put(const struct template *t, const struct word *words, const char *into, bool is_json) {
	const int directory = into == NULL ? -1 : output_directory(into);
	json_t *list = output_memory(json_array());
	int status = 0;

	if (into != NULL && directory < 0)
		status = output_fail(NULL, "%s: %m", into);
	for (const struct template_file *f = t->files; f->file != NULL && status != OUTPUT_USAGE; f++) {
		char *file = filled(f->file, words), *path = filled(f->path, words), *body = filled(f->text, words);
		char *text = output_format("%c ===== %s =====\n%s", body[0] == ';' ? ';' : '#', path, body);

		if (f == t->files && !is_good(text))
			status = OUTPUT_USAGE;
		else if (into != NULL && !write_file(directory, into, file, text))
			status = OUTPUT_BAD;
		else if (is_json)
			output_append(list,
					      json_pack("{s:s, s:s, s:s}", "file", file, "path", path, "text", text));
		else if (into != NULL)
			printf("wrote %s/%s\n", into, file);
		else
			printf("%s%s", f == t->files ? "" : "\n", text);
		free(file);
		free(path);
		free(body);
		free(text);
	}
	if (directory >= 0)
		close(directory);
	if (is_json && status != OUTPUT_USAGE)
		status = output_json(json_pack("{s:s, s:s, s:O}", "app", words[0].value, "template", t->name, "files",
					       list))
				 ? status
				 : OUTPUT_USAGE;
	json_decref(list);
	return output_done(status);
}

static int new_policy(const struct options *options, const char *template, const char *user, const char *directory,
		      const char *web, const char *caller, const char *into) {
	const struct template *t = find_template(template);
	const char *app = options->argc == 1 ? options->argv[0] : "";
	struct word words[8] = {{"@APP@", app}};
	char *usual_directory, *allow;
	int status;

	if (options->argc != 1 || !text_is_app(text_of(app)))
		return output_fail("a lower-case letter, then letters, digits, _ or -; 31 at most", "new: %s",
				   options->argc == 1 ? "that cannot be the name of an app" : "which app? one name");
	if (t == NULL)
		return output_fail("passenger gunicorn puma php-fpm container", "new: %s",
				   template == NULL ? "--template is missing" : "there is no such template");
	user = user != NULL ? user : t->user != NULL ? t->user : app;
	if (!is_name_or_number(user))
		return output_fail(NULL, "new: --user: not the name of a user");
	if (!text_is_account(text_of(web)) || (caller != NULL && !text_is_account(text_of(caller))))
		return output_fail(NULL, "new: --group, --caller: not the name of a group or user");
	usual_directory = filled(t->directory, words);
	directory = directory != NULL ? directory : usual_directory;
	allow = caller != NULL ? output_format("allow_users = %s", caller) : output_format("# allow_users = deploy");
	words[1] = (struct word){"@USER@", user};
	words[2] = (struct word){"@DIR@", directory};
	words[3] = (struct word){"@WEB@", web};
	words[4] = (struct word){"@CALLER@", caller != NULL ? caller : "root"};
	words[5] = (struct word){"@ALLOW@", allow};
	words[6] = (struct word){"@RUNAS@", image_launcher(&options->image)};
	status = !is_plain_path(directory) ? output_fail("an absolute path of letters, digits, / . _ and -",
							 "new: --directory: not one that all "
							 "files can hold")
					   : put(t, words, into, options->json);
	free(usual_directory);
	free(allow);
	return status;
}

static int run(int argc, char **argv) {
	const char *template = NULL, *user = NULL, *directory = NULL, *web = "www-data", *caller = NULL, *into = NULL;
	const struct output_option own[] = {
		{"template", &template, NULL}, {"user", &user, NULL},	  {"directory", &directory, NULL},
		{"group", &web, NULL},	       {"caller", &caller, NULL}, {"output", &into, NULL},
	};
	struct options options;
	int status;

	if (!options_read("new", argc, argv, own, sizeof own / sizeof own[0], true, false, &options, &status))
		return status;
	status = new_policy(&options, template, user, directory, web, caller, into);
	close(options.image.root);
	return status;
}

const struct verb verb_new = {
	.name = "new",
	.arguments = "APP --template NAME [--user USER] [--directory DIR] [--group GROUP]\n"
		     "                        [--caller USER] [--output DIR] [--root DIR] [--json]",
	.what = "start a policy, and its neighbours' files, from a template",
	.help = "Prints a commented policy for APP, and the lines that belong to it: the commands that make its user "
		"and directories,\n"
		"tmpfiles.d, supervisor, a systemd unit, nginx, logrotate and cron; for a container, lines of a "
		"Dockerfile. Each file\n"
		"begins with the path where it belongs. Nothing is installed: read it, change it, then\n"
		"runas-policy install FILE.\n"
		"\n"
		"  --template NAME   passenger, gunicorn, puma, php-fpm or container\n"
		"  --user USER       whom it runs as; otherwise a user that is called like APP, or 10001 in a "
		"container\n"
		"  --directory DIR   where the app is; otherwise /srv/APP, or /app in a container\n"
		"  --group GROUP     the web server's group, which reaches the socket; otherwise www-data\n"
		"  --caller USER     who deploys and may start it besides root; otherwise nobody\n"
		"  --output DIR      write the files into DIR, which is made if it is missing, and overwrite none; "
		"without it they\n"
		"                    go to standard output\n"
		"  --root DIR        an image that is not running: where runas-app is installed there\n"
		"  --json            app, template and files (file, path, text), as one document\n"
		"\n"
		"Exit status: 0 done, 1 a file could not be written, 2 usage.\n"
		"\n"
		"Example:\n"
		"  runas-policy new shop --template gunicorn --caller deploy --output /root/shop\n",
	.run = run,
};
