/* SPDX-License-Identifier: ISC */
/*
 * `runas-policy audit`: what drifted away from the policy: files, sockets, log rotation, and who else runs the app.
 *
 * Runs as:  anyone; root sees everything.
 * Promises: status 0 nothing is wrong (warnings allowed), 1 something is, 2 it could not be found out.
 * Never:    changes anything, or follows symlinks out of the app's places.
 */
#include "companion/verb.h"

#include "companion/audit.h"
#include "companion/shell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct audit_kind *kind_of(struct audit *a, const char *word) {
	for (size_t i = 0; i < a->kind_count; i++)
		if (strcmp(a->kinds[i].word, word) == 0)
			return &a->kinds[i];
	a->kinds[a->kind_count] = (struct audit_kind){.word = word};
	return &a->kinds[a->kind_count++];
}

struct finding *audit_add(struct audit *a, enum finding_kind kind, const char *file, const char *word, const char *hint,
			  const char *format, ...) {
	struct audit_kind *to = kind_of(a, word);
	char *escaped = file == NULL ? NULL : output_escaped(file, strlen(file)), *text = NULL;
	struct finding *ret = NULL;
	va_list arguments;

	a->errors += kind == FINDING_ERROR;
	a->warnings += kind == FINDING_WARNING;
	if (to->total++ < AUDIT_SHOWN || a->all) {
		va_start(arguments, format);
		text = output_vformat(format, arguments);
		va_end(arguments);
		ret = findings_add(&to->shown, kind, escaped, word, hint, "%s", text);
		free(text);
	}
	free(escaped);
	return ret;
}

void audit_keep(char ***list, size_t *count, char *text) {
	*list = output_memory(reallocarray(*list, *count + 1, sizeof **list));
	(*list)[(*count)++] = text;
}

char *audit_shown(const struct audit *a, const char *path) { return output_format("%s%s", a->image->prefix, path); }

char *audit_shell_path(const struct audit *a, const char *path) {
	char *whole = audit_shown(a, path), *ret = shell_quoted(whole);

	free(whole);
	return ret;
}

char *audit_chown(const struct audit *a, uint32_t uid, uint32_t gid, const char *path) {
	/* In an image only numbers mean what they mean there. */
	char *user = a->image->prefix[0] != '\0' ? NULL : image_user_name(a->image, uid);
	char *group = a->image->prefix[0] != '\0' ? NULL : image_group_name(a->image, gid);
	char *command, *ret;

	user = user != NULL ? user : output_format("%u", uid);
	group = group != NULL ? group : output_format("%u", gid);
	command = output_format("chown -h %s:%s", user, group);
	ret = shell_command(a->image, path, command);
	free(user);
	free(group);
	free(command);
	return ret;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

char **audit_list(const struct audit *a, const char *directory, bool (*is_wanted)(const char *name)) {
	const int fd = image_descriptor(a->image, directory, O_RDONLY | O_DIRECTORY);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char **names = NULL;
	size_t count = 0;

	while (list != NULL && (entry = readdir(list)) != NULL)
		if (entry->d_name[0] != '.' && is_wanted(entry->d_name))
			audit_keep(&names, &count, output_memory(strdup(entry->d_name)));
	if (list != NULL)
		closedir(list);
	else if (fd >= 0)
		close(fd);
	if (count > 0)
		qsort(names, count, sizeof *names, by_name);
	audit_keep(&names, &count, NULL);
	return names;
}

void audit_list_free(char **list) {
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

/* --- */

/* nginx's own answer: the `user` line, else who Debian and Red Hat make it. */
static struct person *find_nginx(const struct image *image, const char *asked) {
	size_t length = 0;
	char *bytes = image_read(image, "/etc/nginx/nginx.conf", 1 << 20, &length);
	struct text rest = {bytes, length}, row;
	struct person *ret = asked == NULL ? NULL : image_person(image, asked);

	while (asked == NULL && ret == NULL && text_field(&rest, "\n", &row)) {
		if (!text_is(text_word(&row), "user"))
			continue;
		row = text_trim(row);
		row = text_until(&row, " \t;");
		char *name = output_memory(strndup(row.length == 0 ? "" : row.at, row.length));

		ret = image_person(image, name);
		free(name);
	}
	free(bytes);
	if (ret == NULL && asked == NULL)
		ret = image_person(image, "www-data");
	return ret != NULL || asked != NULL ? ret : image_person(image, "nginx");
}

static void print_text(const struct audit *a) {
	for (size_t i = 0; i < a->kind_count; i++) {
		const struct audit_kind *kind = &a->kinds[i];

		findings_print(&kind->shown, stdout);
		if (kind->total > kind->shown.count)
			printf("%sand %zu more%s [%s]; --all shows every one\n", output_colour(stdout, OUTPUT_BOLD),
			       kind->total - kind->shown.count, output_colour(stdout, OUTPUT_NONE), kind->word);
	}
	printf("%s%s: %zu file%s looked at, %zu error%s, %zu warning%s%s\n",
	       output_colour(stdout, a->errors > 0     ? OUTPUT_RED
				     : a->warnings > 0 ? OUTPUT_YELLOW
						       : OUTPUT_GREEN),
	       a->draft->app, a->seen, a->seen == 1 ? "" : "s", a->errors, a->errors == 1 ? "" : "s", a->warnings,
	       a->warnings == 1 ? "" : "s", output_colour(stdout, OUTPUT_NONE));
}

static bool print_json(const struct audit *a) {
	json_t *all = output_memory(json_object()), *findings = output_memory(json_array()),
	       *totals = output_memory(json_object());

	json_object_set_new(all, "app", json_string(a->draft->app));
	json_object_set_new(all, "user", output_json_text(a->target.user, strlen(a->target.user)));
	json_object_set_new(all, "files", json_integer((json_int_t)a->seen));
	json_object_set_new(all, "errors", json_integer((json_int_t)a->errors));
	json_object_set_new(all, "warnings", json_integer((json_int_t)a->warnings));
	for (size_t i = 0; i < a->kind_count; i++) {
		json_t *some = findings_json(&a->kinds[i].shown);

		json_array_extend(findings, some);
		json_decref(some);
		json_object_set_new(totals, a->kinds[i].word, json_integer((json_int_t)a->kinds[i].total));
	}
	json_object_set_new(all, "totals", totals);
	json_object_set_new(all, "findings", findings);
	return output_json(all);
}

static int audit(struct audit *a, bool wants_json) {
	audit_places(a);
	audit_files(a);
	audit_sockets(a);
	audit_logrotate(a);
	audit_services(a);
	if (a->unread_files > 0)
		audit_add(a, FINDING_WARNING, NULL, "audit-unread", "ask as root",
			  "%zu files of cron, logrotate and others could not be read", a->unread_files);
	if (wants_json) {
		if (!print_json(a))
			return OUTPUT_USAGE;
	} else {
		print_text(a);
	}
	return output_done(a->errors > 0		     ? OUTPUT_BAD
			   : a->unread + a->unread_files > 0 ? OUTPUT_USAGE
							     : 0);
}

static void free_all(struct audit *a) {
	for (size_t i = 0; i < a->place_count; i++) {
		free(a->places[i].written);
		free(a->places[i].path);
	}
	for (size_t i = 0; i < a->kind_count; i++)
		findings_free(&a->kinds[i].shown);
	for (size_t i = 0; i < a->log_count; i++)
		free(a->logs[i]);
	for (size_t i = 0; i < a->socket_count; i++)
		free(a->sockets[i]);
	free(a->places);
	free(a->logs);
	free(a->sockets);
	target_free(&a->target);
	draft_free(a->draft);
}

static int run(int argc, char **argv) {
	const char *nginx_user = NULL;
	struct audit a = {0};
	const struct output_option own[] = {{"nginx-user", &nginx_user, NULL}, {"all", NULL, &a.all}};
	struct findings findings = {0};
	struct person *nginx = NULL;
	struct options options;
	int status;

	if (!options_read("audit", argc, argv, own, 2, true, false, &options, &status))
		return status;
	a.image = &options.image;
	status = OUTPUT_USAGE;
	if (options.argc != 1)
		output_fail("runas-policy audit APP [--nginx-user NAME] [--all] [--json] [--root DIR]",
			    "audit: needs one app");
	else
		a.draft = draft_open(&options.image, options.argv[0], &findings);
	if (a.draft != NULL && !a.draft->is_valid)
		findings_print(&findings, stderr);
	if (a.draft != NULL && target_read(a.draft, &a.target)) {
		nginx = find_nginx(&options.image, nginx_user);
		if (nginx != NULL) {
			a.nginx = target_of_person(nginx);
			a.nginx_name = nginx->name[0] != '\0' ? nginx->name : nginx_user;
		}
		if (nginx == NULL && nginx_user != NULL)
			output_fail("names are those of /etc/passwd; a number works, too", "no such user: %s",
				    nginx_user);
		else
			status = audit(&a, options.json);
	}
	findings_free(&findings);
	person_free(nginx);
	free_all(&a);
	close(options.image.root);
	return status;
}

const struct verb verb_audit = {
	.name = "audit",
	.arguments = "APP|FILE [--nginx-user NAME] [--all] [--json] [--root DIR]",
	.what = "find files, sockets, log rotation and jobs that drifted from the policy",
	.help = "Looks at what the app has on this system, and at what others do to it, and names what does not fit "
		"its policy, each\n"
		"finding with the command that mends it:\n"
		"\n"
		"  files     below `directory`, the shared/ beside a `current` symlink, the app user's home, `write` "
		"and `tmp`: what the\n"
		"            app user does not own where the app makes files (a log that root made); modes that the "
		"umask would not\n"
		"            have made: more open to write, or closed to the group. Code of others that the app only "
		"reads is counted,\n"
		"            not listed. How closed something below `tmp` is, its program decides. Symlinks are not "
		"followed,\n"
		"            other file systems not entered.\n"
		"  sockets   there, and named in the policy: that nginx's user cannot connect to\n"
		"  logrotate stanzas of /etc/logrotate.conf and /etc/logrotate.d about the app's logs: `create` and "
		"`su`\n"
		"  jobs      lines of cron, programs of supervisor and units of /etc/systemd/system that run the app "
		"as another user,\n"
		"            through sudo and its like, or without runas-app\n"
		"\n"
		"  --nginx-user NAME  the web server's user; else the `user` line of /etc/nginx/nginx.conf, www-data "
		"or nginx\n"
		"  --all              every finding; else the first 20 of a kind, then how many more\n"
		"  --json             one document: errors, warnings, totals of each kind, findings\n"
		"  --root DIR         an image that is not running; commands then name users by number\n"
		"\n"
		"Before you run a command of a finding in a directory that the app can write to, stop the app and all else "
		"that its user runs,\n"
		"and then audit AGAIN: what was found while it ran may lead elsewhere by now. chown -h does not follow a "
		"symlink at the end\n"
		"of a path, but on the way it does, chmod always does; and the app may have renamed a file of root's, and "
		"its directory.\n"
		"\n"
		"Exit status: 0 nothing is wrong (warnings and notes there may be), 1 errors, 2 usage or it could not "
		"be found out.\n"
		"\n"
		"  runas-policy audit rails-app\n"
		"  runas-policy audit shop --json | jq -r '.findings[] | select(.word == \"audit-owner\") | .hint'\n",
	.run = run,
};
