/* SPDX-License-Identifier: ISC */
/* audit: cron lines, supervisor programs and systemd units that run the app in another way than through runas-app. */
#include "companion/audit.h"

#include <stdlib.h>
#include <string.h>

struct source {
	const char *path; /* in the image */
	struct text bytes;
};

struct job {
	struct text command, user, directory;
	unsigned command_line, user_line;
	const char *what;	     /* "this cron line" */
	const char *before, *behind; /* how it should look: before runas-app, and behind APP */
};

static const char separators[] = " \t\n;&|()\"'`<>";

static bool next_token(struct text *rest, struct text *ret) {
	while (rest->length > 0 && strchr(separators, rest->at[0]) != NULL)
		*rest = text_after(*rest, 1);
	*ret = text_until(rest, separators);
	return ret->length > 0;
}

static struct text base_of(struct text path) {
	const char *slash = path.length == 0 ? NULL : memrchr(path.at, '/', path.length);

	return slash == NULL ? path : text_after(path, (size_t)(slash - path.at) + 1);
}

static bool is_below_code(const struct audit *a, struct text path) {
	bool is_found = false;

	for (size_t i = 0; i < a->place_count && !is_found; i++)
		is_found = a->places[i].is_code && (text_is_below(path, text_of(a->places[i].written)) ||
						    text_is_below(path, text_of(a->places[i].path)));
	return is_found;
}

/* A program of the app, or a file that one of its commands names (php artisan). */
static bool is_app_file(const struct audit *a, struct text token) {
	const struct text directory = policy_value(&a->draft->policy, KEY_DIRECTORY);
	bool is_found = false;
	struct stat status;
	char *path;

	if (!is_below_code(a, token))
		return false;
	path = output_memory(strndup(token.at, token.length));
	is_found = image_stat(a->image, path, &status) && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0;
	free(path);
	if (directory.length == 0 || !text_starts(token, directory) || token.length <= directory.length + 1)
		return is_found;
	token = text_after(token, directory.length + 1);
	for (enum policy_key key = KEY_COMMAND; key <= KEY_SERVE; key++)
		for (const struct setting *s = NULL; (s = policy_next(&a->draft->policy, key, s)) != NULL;) {
			struct text rest = s->value, word;

			for (bool is_first = true; (word = text_word(&rest)).length > 0; is_first = false)
				is_found = is_found || (!is_first && text_equal(word, token));
		}
	return is_found;
}

static bool has_token(struct text command, struct text wanted, bool by_base) {
	struct text token;

	while (next_token(&command, &token))
		if (text_equal(token, wanted) || (by_base && text_equal(base_of(token), base_of(wanted))))
			return true;
	return false;
}

/* The program and every word of a command line of the policy that has no hole; and at least one such word. */
static bool is_command(const struct audit *a, struct text command) {
	for (enum policy_key key = KEY_COMMAND; key <= KEY_SERVE; key++)
		for (const struct setting *s = NULL; (s = policy_next(&a->draft->policy, key, s)) != NULL;) {
			struct text rest = s->value, word = text_word(&rest);
			bool is_same = has_token(command, word, true);
			size_t words = 0;

			while (is_same && (word = text_word(&rest)).length > 0) {
				if (text_is(word, "*") || memchr(word.at, '{', word.length) != NULL ||
				    word.at[0] == '"')
					continue;
				words++;
				is_same = has_token(command, word, false);
			}
			if (is_same && words > 0)
				return true;
		}
	return false;
}

/* What runs the app in this command, or an empty text. */
static struct text find_app(const struct audit *a, struct text command) {
	struct text rest = command, token, before = {0};

	while (next_token(&rest, &token)) {
		if (is_app_file(a, token) || (text_is(before, "cd") && is_below_code(a, token)))
			return token;
		before = token;
	}
	return is_command(a, command) ? text_trim(command) : (struct text){0};
}

static bool has_launcher(const struct audit *a, struct text command) {
	struct text token, before = {0};

	while (next_token(&command, &token)) {
		if (text_is(base_of(before), "runas-app") && text_is(token, a->draft->app))
			return true;
		before = token;
	}
	return false;
}

static struct text find_switcher(struct text command) {
	static const char *const programs[] = {
		"sudo",	     "su",	     "runuser", "setpriv",	    "gosu", "su-exec", "chpst",
		"setuidgid", "s6-setuidgid", "doas",	"start-stop-daemon"};
	struct text token;

	while (next_token(&command, &token))
		for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
			if (text_is(base_of(token), programs[i]))
				return token;
	return (struct text){0};
}

static void place(const struct source *file, struct finding *finding, unsigned line, struct text part) {
	/* A command may go on over lines; the caret stays on the first. */
	struct text rest = part;

	if (finding != NULL)
		finding_place(finding, file->bytes, line, text_until(&rest, "\n"));
}

/* With runas-app: is it started by somebody who may? */
static void check_launched(struct audit *a, const struct source *file, const struct job *job) {
	char *user, *shown;

	if (job->user.length == 0 || text_is(job->user, "root") || text_is(job->user, "0"))
		return;
	user = output_escaped(job->user.at, job->user.length);
	if (strcmp(user, a->target.user) == 0) {
		shown = audit_shown(a, file->path);
		place(file,
		      audit_add(a, FINDING_WARNING, shown, "audit-service",
				"leave the user out: runas-app becomes the app's user itself",
				"%s is %s before runas-app starts, which needs allow_users for it", job->what, user),
		      job->user_line, job->user);
		free(shown);
	}
	free(user);
}

static void check_job(struct audit *a, const struct source *file, const struct job *job) {
	struct text found, switcher;
	char *shown, *hint, *user, *with;

	if (has_launcher(a, job->command)) {
		check_launched(a, file, job);
		return;
	}
	found = find_app(a, job->command);
	if (found.length == 0 && job->directory.length > 0 && is_below_code(a, job->directory))
		found = text_trim(job->command);
	if (found.length == 0)
		return;
	shown = audit_shown(a, file->path);
	hint = output_format("%s%s %s%s", job->before, image_launcher(a->image), a->draft->app, job->behind);
	user = output_escaped(job->user.length > 0 ? job->user.at : "root",
			      job->user.length > 0 ? job->user.length : 4);
	switcher = find_switcher(job->command);
	with = output_escaped(switcher.length > 0 ? switcher.at : "", switcher.length);
	if (switcher.length > 0)
		place(file,
		      audit_add(a, FINDING_ERROR, shown, "audit-service", hint,
				"%s runs the app through %s: not with the policy's groups, "
				"umask, environment and limits",
				job->what, with),
		      job->command_line, switcher);
	else if (strcmp(user, a->target.user) == 0)
		place(file,
		      audit_add(
			      a, FINDING_WARNING, shown, "audit-service", hint,
			      "%s runs the app as %s, but without the policy's groups, umask, environment and profile",
			      job->what, user),
		      job->user_line > 0 ? job->user_line : job->command_line, job->user_line > 0 ? job->user : found);
	else
		place(file,
		      audit_add(a, FINDING_ERROR, shown, "audit-service", hint, "%s runs the app as %s, not as %s",
				job->what, user, a->target.user),
		      job->user_line > 0 ? job->user_line : job->command_line, job->user_line > 0 ? job->user : found);
	free(shown);
	free(hint);
	free(user);
	free(with);
}

/* --- cron --- */

static void check_cron(struct audit *a, const struct source *file, const char *owner) {
	struct text rest = file->bytes, row;

	for (unsigned line = 1; text_field(&rest, "\n", &row); line++) {
		struct job job = {.what = "this cron line",
				  .before = owner == NULL ? "as root: " : "in /etc/cron.d, as root: ",
				  .behind = " -- COMMAND"};
		struct text left = text_trim(row);
		const struct text whole = left;
		const size_t equals = whole.length == 0 ? 0 : strcspn(whole.at, "= \t\n*");

		if (whole.length == 0 || whole.at[0] == '#' ||
		    (equals < whole.length && whole.at[equals] == '=' && whole.at[0] != '@'))
			continue;
		for (unsigned field = 0; field < (whole.at[0] == '@' ? 1U : 5U); field++)
			text_word(&left);
		job.user_line = owner == NULL ? line : 0;
		job.user = owner == NULL ? text_word(&left) : text_of(owner);
		job.command = text_trim(left);
		job.command_line = line;
		check_job(a, file, &job);
	}
}

/* --- INI files: [section], key = value, and lines that go on --- */

struct ini {
	struct text section, key, value; /* value: to the end of its last line */
	unsigned line;
};

static bool next_setting(struct text *rest, unsigned *line, bool by_backslash, struct ini *ret) {
	struct text row, after;

	while (text_field(rest, "\n", &row)) {
		const struct text trimmed = text_trim(row);

		ret->line = ++*line;
		if (trimmed.length == 0 || trimmed.at[0] == '#' || trimmed.at[0] == ';')
			continue;
		after = trimmed;
		if (trimmed.at[0] == '[') {
			ret->section = text_after(trimmed, 1);
			after = ret->section;
			ret->section = text_until(&after, "]");
			ret->key = ret->value = (struct text){0};
			return true;
		}
		ret->key = text_trim(text_until(&after, "="));
		if (after.length == 0)
			continue;
		ret->value = text_trim(text_after(after, 1));
		/* systemd: a backslash at the end; supervisor: blanks at the start of the next line. */
		while (rest->at != NULL && rest->length > 0 &&
		       (by_backslash ? row.length > 0 && row.at[row.length - 1] == '\\'
				     : rest->at[0] == ' ' || rest->at[0] == '\t')) {
			text_field(rest, "\n", &row);
			++*line;
			ret->value.length = (size_t)(row.at + row.length - ret->value.at);
		}
		return true;
	}
	return false;
}

static void check_supervisor(struct audit *a, const struct source *file) {
	const struct job empty = {.what = "this supervisor program",
				  .before = "command=",
				  .behind = " -- COMMAND, without user= and umask="};
	struct text rest = file->bytes;
	struct ini at = {0};
	struct job job = empty;
	unsigned line = 0;

	while (next_setting(&rest, &line, false, &at)) {
		/* "; comment" ends a value. */
		struct text value = at.value;
		const char *comment = value.length == 0 ? NULL : memmem(value.at, value.length, " ;", 2);

		value.length = comment != NULL ? (size_t)(comment - value.at) : value.length;
		if (at.key.length == 0) {
			check_job(a, file, &job);
			job = empty;
		} else if (!text_starts(at.section, text_of("program:"))) {
			continue;
		} else if (text_is(at.key, "command")) {
			job.command = value;
			job.command_line = at.line;
		} else if (text_is(at.key, "user")) {
			job.user = value;
			job.user_line = at.line;
		} else if (text_is(at.key, "directory")) {
			job.directory = value;
		}
	}
	check_job(a, file, &job);
}

/* User= stands anywhere in the file, so it is read first. */
static void check_systemd(struct audit *a, const struct source *file) {
	struct job job = {
		.what = "this unit", .before = "ExecStart=", .behind = " -- COMMAND, without User= and Group="};

	for (unsigned round = 0; round < 2; round++) {
		struct text rest = file->bytes;
		struct ini at = {0};
		unsigned line = 0;

		while (next_setting(&rest, &line, true, &at)) {
			if (!text_is(at.section, "Service") || at.key.length == 0)
				continue;
			if (round == 0 && text_is(at.key, "User")) {
				job.user = at.value;
				job.user_line = at.line;
			} else if (round == 0 && text_is(at.key, "WorkingDirectory")) {
				job.directory = at.value;
			} else if (round == 1 && text_starts(at.key, text_of("Exec"))) {
				job.command = at.value;
				job.command_line = at.line;
				/* Of @, -, :, + and !, the last two are root whatever User= says. */
				struct job as_written = job;

				while (job.command.length > 0 && strchr("@-:+!", job.command.at[0]) != NULL) {
					if (job.command.at[0] == '+' || job.command.at[0] == '!')
						as_written.user = (struct text){0}, as_written.user_line = 0;
					job.command = text_after(job.command, 1);
				}
				as_written.command = job.command;
				check_job(a, file, &as_written);
			}
		}
	}
}

/* --- where they are --- */

/* cron reads no other names there. */
static bool is_cron_name(const char *name) {
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

static bool is_conf(const char *name) { return strlen(name) > 5 && strcmp(name + strlen(name) - 5, ".conf") == 0; }

static bool is_service(const char *name) {
	return strlen(name) > 8 && strcmp(name + strlen(name) - 8, ".service") == 0;
}

enum kind { CRON, CRONTAB, SUPERVISOR, SYSTEMD };

static void check_file(struct audit *a, const char *path, enum kind kind, const char *owner) {
	size_t length = 0;
	char *bytes = image_read(a->image, path, 1 << 20, &length);
	const struct source file = {path, {bytes, length}};

	if (bytes == NULL) {
		struct stat status;

		a->unread_files += image_lstat(a->image, path, &status);
		return;
	}
	if (kind == CRON || kind == CRONTAB)
		check_cron(a, &file, owner);
	else if (kind == SUPERVISOR)
		check_supervisor(a, &file);
	else
		check_systemd(a, &file);
	free(bytes);
}

void audit_services(struct audit *a) {
	static const struct {
		const char *directory;
		bool (*is_wanted)(const char *name);
		enum kind kind;
	} places[] = {
		{"/etc/cron.d", is_cron_name, CRON},
		{"/var/spool/cron/crontabs", is_cron_name, CRONTAB},
		{"/etc/supervisor/conf.d", is_conf, SUPERVISOR},
		{"/etc/systemd/system", is_service, SYSTEMD},
	};

	check_file(a, "/etc/crontab", CRON, NULL);
	check_file(a, "/etc/supervisor/supervisord.conf", SUPERVISOR, NULL);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		char **names = audit_list(a, places[i].directory, places[i].is_wanted);

		for (size_t k = 0; names != NULL && names[k] != NULL; k++) {
			char *path = output_format("%s/%s", places[i].directory, names[k]);

			check_file(a, path, places[i].kind, places[i].kind == CRONTAB ? names[k] : NULL);
			free(path);
		}
		audit_list_free(names);
	}
}
