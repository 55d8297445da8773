/* SPDX-License-Identifier: ISC */
/* audit: logrotate stanzas about the app's logs that make files the policy would not. */
#include "companion/audit.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct directive {
	unsigned line;	  /* 0: not there */
	struct text text; /* the whole line, without blanks around it */
};

struct stanza {
	unsigned line;
	struct text patterns; /* up to the { */
	struct directive create, nocreate, copytruncate, su;
};

struct file {
	const char *path; /* in the image */
	struct text bytes;
};

/* The part of a pattern that names a directory for sure. */
static char *fixed_directory(const char *pattern) {
	const size_t length = strcspn(pattern, "*?[");
	const char *slash = memrchr(pattern, '/', length);

	return slash == NULL ? output_memory(strdup("")) : output_memory(strndup(pattern, (size_t)(slash - pattern)));
}

/* Is this pattern about the app? *ret_directory: where the logs are, in the image, or NULL. */
static bool covers(const struct audit *a, const char *pattern, char **ret_directory) {
	char *fixed = fixed_directory(pattern);
	bool is_found = false;

	*ret_directory = NULL;
	for (size_t i = 0; i < a->place_count && !is_found && fixed[0] != '\0'; i++)
		is_found = text_is_below(text_of(fixed), text_of(a->places[i].path)) ||
			   text_is_below(text_of(fixed), text_of(a->places[i].written)) ||
			   (a->places[i].is_written && strcmp(pattern, a->places[i].written) == 0);
	if (is_found)
		*ret_directory = output_memory(strdup(fixed));
	for (size_t i = 0; i < a->log_count && !is_found; i++)
		if (fnmatch(pattern, a->logs[i], FNM_PATHNAME | FNM_PERIOD) == 0) {
			*ret_directory =
				output_memory(strndup(a->logs[i], (size_t)(strrchr(a->logs[i], '/') - a->logs[i])));
			is_found = true;
		}
	free(fixed);
	return is_found;
}

static char *next_pattern(struct text *rest) {
	struct text word;

	*rest = text_trim(*rest);
	while (rest->length > 0 && (rest->at[0] == '\n' || rest->at[0] == ' ' || rest->at[0] == '\t'))
		*rest = text_after(*rest, 1);
	if (rest->length == 0)
		return NULL;
	if (rest->at[0] == '"' || rest->at[0] == '\'') {
		const char stop[2] = {rest->at[0], '\0'};

		*rest = text_after(*rest, 1);
		word = text_until(rest, stop);
		*rest = text_after(*rest, rest->length > 0);
	} else {
		word = text_until(rest, " \t\n");
	}
	return output_memory(strndup(word.at, word.length));
}

static struct finding *add(struct audit *a, const struct file *file, enum finding_kind kind, const struct directive *at,
			   const char *hint, const char *what, const char *object) {
	char *shown = audit_shown(a, file->path), *escaped = output_escaped(object, strlen(object));
	struct finding *ret = audit_add(a, kind, shown, "audit-logrotate", hint, "%s%s", what, escaped);

	if (ret != NULL)
		finding_place(ret, file->bytes, at->line, at->text);
	free(shown);
	free(escaped);
	return ret;
}

static bool is_user(const struct audit *a, const char *name, uint32_t uid) {
	struct person *person = image_person(a->image, name);
	const bool ret = person != NULL && person->uid == uid;

	person_free(person);
	return ret;
}

static bool is_group(const struct audit *a, const char *name, uint32_t gid) {
	char *known = image_group_name(a->image, gid), *number = output_format("%u", gid);
	const bool ret = (known != NULL && strcmp(known, name) == 0) || strcmp(number, name) == 0;

	free(known);
	free(number);
	return ret;
}

static void check_create(struct audit *a, const struct file *file, const struct directive *create) {
	const struct target *app = &a->target;
	const unsigned usual = 0666U & ~app->umask;
	char *line = output_memory(strndup(create->text.at, create->text.length));
	char words[3][64] = {"", "", ""}, *hint, *object;
	const char *owner = NULL, *group = NULL;
	const int count = sscanf(line, "create %63s %63s %63s", words[0], words[1], words[2]);
	const bool has_mode = count >= 1 && words[0][0] >= '0' && words[0][0] <= '7';
	const unsigned long mode = has_mode ? strtoul(words[0], NULL, 8) : 0;

	/* create [MODE] [OWNER] [GROUP]; what is left out is as the rotated file had it. */
	if (count >= 1 + has_mode)
		owner = words[has_mode];
	if (count >= 2 + has_mode)
		group = words[1 + has_mode];
	hint = output_format("create %04o %s %s", usual, app->user, app->group);
	if (owner != NULL && !is_user(a, owner, app->who.uid)) {
		object = output_format("%s, and the app runs as %s: it cannot write its log after a rotation", owner,
				       app->user);
		add(a, file, FINDING_ERROR, create, hint, "makes the new log file for ", object);
		free(object);
	} else if (group != NULL && !is_group(a, group, app->who.gid)) {
		object = output_format("%s, and files of the app have %s", group, app->group);
		add(a, file, FINDING_ERROR, create, hint, "gives the new log file the group ", object);
		free(object);
	}
	if (has_mode && (mode & 0600) != 0600)
		add(a, file, FINDING_ERROR, create, hint, "makes a log file that its owner cannot read and write", "");
	else if (has_mode && (mode & ~usual) != 0)
		add(a, file, (mode & app->umask & 022) != 0 ? FINDING_ERROR : FINDING_WARNING, create, hint,
		    "is more open than the policy's umask lets a file be", "");
	else if (has_mode && (usual & 040 & ~mode) != 0)
		add(a, file, FINDING_WARNING, create, hint,
		    "takes from the group what the policy's umask gives it: to read the log", "");
	free(line);
	free(hint);
}

static void check_su(struct audit *a, const struct file *file, const struct stanza *s, const char *directory) {
	const struct target *app = &a->target;
	char *hint = output_format("su %s %s", app->user, app->group), user[64] = "", *object, *line;
	const struct directive at = {.line = s->line, .text = text_trim(s->patterns)};
	struct stat status;

	if (s->su.line > 0) {
		line = output_memory(strndup(s->su.text.at, s->su.text.length));
		if (sscanf(line, "su %63s", user) != 1)
			user[0] = '\0';
		free(line);
		if (!is_user(a, user, app->who.uid) && !is_user(a, user, 0)) {
			object = output_format("%s, and the logs belong to %s", user, app->user);
			add(a, file, FINDING_ERROR, &s->su, hint, "rotates as ", object);
			free(object);
		}
	} else if (directory != NULL && image_stat(a->image, directory, &status)) {
		const bool is_open =
			(status.st_mode & S_IWOTH) != 0 || (status.st_gid != 0 && (status.st_mode & S_IWGRP) != 0);

		object = output_escaped(directory, strlen(directory));
		if (is_open)
			add(a, file, FINDING_ERROR, &at, hint,
			    "never rotates: without `su`, logrotate refuses a directory that a group or others can "
			    "write to: ",
			    object);
		else if (status.st_uid == app->who.uid)
			add(a, file, FINDING_WARNING, &at, hint,
			    "rotates as root in a directory of the app, which can play tricks there: ", object);
		free(object);
	}
	free(hint);
}

static void check_stanza(struct audit *a, const struct file *file, const struct stanza *s,
			 const struct stanza *global) {
	struct text rest = s->patterns;
	char *pattern, *directory = NULL;
	bool is_ours = false;

	while (!is_ours && (pattern = next_pattern(&rest)) != NULL) {
		is_ours = covers(a, pattern, &directory);
		free(pattern);
	}
	if (!is_ours)
		return;
	if (s->su.line != 0 || global->su.line == 0)
		check_su(a, file, s, directory);
	/* copytruncate keeps the file; nocreate leaves it to the app. */
	if (s->create.line > s->nocreate.line && s->copytruncate.line == 0)
		check_create(a, file, &s->create);
	else if (s->create.line == 0 && s->nocreate.line == 0 && s->copytruncate.line == 0 &&
		 global->create.line > global->nocreate.line) {
		/* The global line is another file's: said where it does harm. */
		char *line = output_memory(strndup(global->create.text.at, global->create.text.length)), owner[64] = "";

		if (sscanf(line, "create %*o %63s", owner) == 1 && !is_user(a, owner, a->target.who.uid)) {
			char *hint = output_format("create %04o %s %s", 0666U & ~a->target.umask, a->target.user,
						   a->target.group);
			const struct directive at = {.line = s->line, .text = text_trim(s->patterns)};

			add(a, file, FINDING_ERROR, &at, hint,
			    "has no `create`, and /etc/logrotate.conf makes new log files for ", owner);
			free(hint);
		}
		free(line);
	}
	free(directory);
}

static void note(struct stanza *s, struct text row, unsigned line) {
	struct text rest = row;
	const struct text word = text_word(&rest);
	const struct directive at = {line, row};

	if (text_is(word, "create"))
		s->create = at;
	else if (text_is(word, "nocreate"))
		s->nocreate = at;
	else if (text_is(word, "copytruncate") || text_is(word, "copy"))
		s->copytruncate = at;
	else if (text_is(word, "su"))
		s->su = at;
}

/* global: in, and for /etc/logrotate.conf also out. */
static void check_file(struct audit *a, const struct file *file, struct stanza *global, bool is_main) {
	struct text rest = file->bytes, row;
	struct stanza s = {0};
	const char *start = NULL; /* of the patterns before a { */
	bool is_inside = false, is_script = false;

	for (unsigned line = 1; text_field(&rest, "\n", &row); line++) {
		struct text trimmed = text_trim(row), after = trimmed;
		const struct text word = text_word(&after);
		const char *brace;

		if (trimmed.length == 0 || trimmed.at[0] == '#')
			continue;
		if (is_script) {
			is_script = !text_is(word, "endscript");
			continue;
		}
		is_script = text_is(word, "postrotate") || text_is(word, "prerotate") || text_is(word, "firstaction") ||
			    text_is(word, "lastaction") || text_is(word, "preremove");
		if (is_script)
			continue;
		if (is_inside) {
			if (trimmed.at[0] == '}') {
				check_stanza(a, file, &s, global);
				is_inside = false;
			} else {
				note(&s, trimmed, line);
			}
			continue;
		}
		brace = memchr(trimmed.at, '{', trimmed.length);
		if (start == NULL && (trimmed.at[0] == '/' || trimmed.at[0] == '"' || trimmed.at[0] == '\'')) {
			start = trimmed.at;
			s = (struct stanza){.line = line};
		}
		if (brace != NULL && start != NULL) {
			s.patterns = (struct text){start, (size_t)(brace - start)};
			start = NULL;
			is_inside = true;
		} else if (start == NULL && is_main) {
			note(global, trimmed, line);
		}
	}
}

/* logrotate's own taboo list, the part that packages leave behind. */
static bool is_read(const char *name) {
	const size_t length = strlen(name);

	return name[0] != '.' && name[length - 1] != '~' && strstr(name, ".dpkg-") == NULL &&
	       strstr(name, ".rpm") == NULL && strstr(name, ".bak") == NULL && strstr(name, ".disabled") == NULL &&
	       strstr(name, ".swp") == NULL;
}

void audit_logrotate(struct audit *a) {
	static const char directory[] = "/etc/logrotate.d";
	char **names = audit_list(a, directory, is_read), *main_bytes, *bytes;
	struct stanza global = {0};
	size_t length = 0;

	main_bytes = image_read(a->image, "/etc/logrotate.conf", 1 << 20, &length);
	if (main_bytes != NULL)
		check_file(a, &(const struct file){"/etc/logrotate.conf", {main_bytes, length}}, &global, true);
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		char *path = output_format("%s/%s", directory, names[i]);

		bytes = image_read(a->image, path, 1 << 20, &length);
		if (bytes != NULL)
			check_file(a, &(const struct file){path, {bytes, length}}, &global, false);
		else
			a->unread_files++;
		free(bytes);
		free(path);
	}
	audit_list_free(names);
	free(main_bytes);
}
