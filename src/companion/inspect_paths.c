/* SPDX-License-Identifier: ISC */
#include "companion/inspect.h"
#include "companion/shell.h"

#include <stdlib.h>
#include <string.h>

const char *inspect_path(struct inspection *i, const char *path) {
	return inspect_words(i, "%s%s", i->draft->image->prefix, inspect_shown(i, path, strlen(path)));
}

const char *inspect_quoted(struct inspection *i, const char *path) {
	char *whole = output_format("%s%s", i->draft->image->prefix, path), *quoted = shell_quoted(whole);
	const char *ret = inspect_words(i, "%s", quoted);

	free(quoted);
	free(whole);
	return ret;
}

static const char *mend_missing(struct inspection *i, const char *path) {
	char *group = image_group_name(i->draft->image, i->who.gid);
	const char *ret = group != NULL ? inspect_words(i, "install -d -o %s -g %s -m 0750 %s", i->names.person, group,
							inspect_quoted(i, path))
					: inspect_words(i, "install -d -o %s -g %u -m 0750 %s", i->names.person,
							i->who.gid, inspect_quoted(i, path));

	free(group);
	return ret;
}

bool inspect_reach(struct inspection *i, const struct setting *at, struct text part, const char *path,
		   enum access_mode mode, enum finding_kind kind, const char *word, struct access **ret) {
	struct access *way = access_path(i->draft->image, &i->who, path, mode);
	const struct access_step *first = way->creates ? &way->steps[way->count - 1] : way->first;
	const bool is_good = way->verdict == ACCESS_ALLOWED && !way->creates;

	if (!is_good && (way->creates || first->reason == ACCESS_MISSING)) {
		inspect_say(i, kind > i->absent ? kind : i->absent, at, part, word,
			    mode == ACCESS_WRITE ? mend_missing(i, path) : NULL, "there is no %s%s%s",
			    inspect_path(i, first->path), strcmp(first->path, path) == 0 ? "" : ", on the way to ",
			    strcmp(first->path, path) == 0 ? "" : inspect_path(i, path));
	} else if (!is_good && way->verdict == ACCESS_UNKNOWN) {
		inspect_say(i, FINDING_NOTE, at, part, word, "ask as root", "%s cannot be looked at: %s",
			    inspect_path(i, first->path), strerror(first->error));
	} else if (!is_good) {
		char *why = access_words(i->draft->image, way, first, &i->names);
		char *mend = access_mend(i->draft->image, &i->who, way, first, &i->names);

		/* That Landlock lets it write is one thing; the launcher asks no more than that it is there. */
		if (mode == ACCESS_WRITE && first == way->target)
			kind = FINDING_WARNING;
		/* Without a caret "it" would be anything. */
		inspect_say(i, kind, at, part, word, mend, "%s cannot %s %s: %s: %s", i->names.person,
			    access_mode_name(mode), part.length > 0 ? "it" : inspect_path(i, path),
			    inspect_path(i, first->path), why);
		free(why);
		free(mend);
	}
	if (ret != NULL)
		*ret = way;
	else
		access_free(way);
	return is_good;
}

/* --- who could put something else there --- */

static bool is_writable_by_all(const struct access_step *step) {
	const mode_t mode = step->status.st_mode;

	return (mode & S_IWOTH) != 0 && !(S_ISDIR(mode) && (mode & S_ISVTX) != 0) && !S_ISLNK(mode);
}

/* The first group with others in it that may write; named ACL entries are people that somebody chose. */
static const char *writers_of(struct inspection *i, const struct access_step *step) {
	const mode_t mode = step->status.st_mode;
	const struct stat *status = &step->status;

	if (S_ISLNK(mode))
		return "";
	if (status->st_uid != 0 && status->st_uid != i->app.uid)
		return inspect_user(i, status->st_uid);
	if ((mode & S_IWGRP) == 0 || (S_ISDIR(mode) && (mode & S_ISVTX) != 0))
		return "";
	for (size_t n = 0; n < step->acl_count; n++) {
		const struct access_entry *entry = &step->acl[n];

		if ((entry->bits & ACCESS_W) == 0 || entry->is_mask)
			continue;
		if (entry->class == ACCESS_NAMED_USER && entry->id != 0 && entry->id != i->app.uid)
			return inspect_user(i, entry->id);
		if (entry->class == ACCESS_NAMED_GROUP && inspect_members(i, entry->id)[0] != '\0')
			return inspect_members(i, entry->id);
	}
	return status->st_gid == 0 ? "" : inspect_members(i, status->st_gid);
}

static bool may_start(const struct inspection *i, uint32_t uid) {
	char number[16];
	struct person *person;
	bool is_allowed;

	snprintf(number, sizeof number, "%u", uid);
	person = image_person(i->draft->image, number);
	if (person == NULL)
		return false;
	const struct caller caller = {.uid = {uid},
				      .gid = {person->gid},
				      .groups = person->groups,
				      .group_count = person->group_count,
				      .has_root = true};
	is_allowed = authorize_caller(&i->draft->policy, &i->draft->accounts, &caller) == DECISION_ALLOW;
	person_free(person);
	return is_allowed;
}

/* Only in words: what `write` names need not be there. */
static bool is_in_write_list(const struct inspection *i, const char *path) {
	for (enum policy_key key = KEY_WRITE; key <= KEY_TMP; key++)
		for (const struct setting *s = NULL; (s = policy_next(&i->draft->policy, key, s)) != NULL;)
			if (text_is_below(text_of(path), s->value))
				return true;
	return false;
}

void inspect_replaceable(struct inspection *i, const struct setting *at, struct text part, const struct access *way,
			 const char *word, const char *what) {
	const struct access_step *open = NULL, *foreign = NULL, *own = NULL;

	for (const struct access_step *step = way->steps; step < way->steps + way->count; step++) {
		if (!step->is_there)
			continue;
		if (open == NULL && is_writable_by_all(step))
			open = step;
		if (foreign == NULL && writers_of(i, step)[0] != '\0')
			foreign = step;
		if (is_in_write_list(i, step->path) && !S_ISLNK(step->status.st_mode) &&
		    access_permits(&i->who, step, ACCESS_W, NULL, NULL))
			own = step;
	}
	if (open != NULL) {
		inspect_say(i, i->trust, at, part, word,
			    inspect_words(i, "chmod o-w %s", inspect_quoted(i, open->path)),
			    "every user of this system can change what the app would %s: %s is writable by all", what,
			    inspect_path(i, open->path));
	} else if (foreign != NULL) {
		const uint32_t owner = foreign->status.st_uid;
		const bool is_caller = owner != 0 && owner != i->app.uid && may_start(i, owner);

		inspect_say(i, FINDING_WARNING, at, part, word, NULL,
			    "others can change what the app would %s: %s can write %s%s", what, writers_of(i, foreign),
			    inspect_path(i, foreign->path),
			    is_caller ? ", so for that caller `command` is no limit" : "");
	}
	if (own != NULL)
		inspect_say(i, FINDING_WARNING, at, part, word,
			    "list only what the app must write to, such as its log and tmp",
			    "`write` lets the app itself change what it would %s the next time: %s", what,
			    inspect_path(i, own->path));
}

/* --- the keys --- */

static void inspect_directory(struct inspection *i, struct text home) {
	const struct setting *s = policy_next(&i->draft->policy, KEY_DIRECTORY, NULL);
	const struct setting *at = s != NULL ? s : policy_next(&i->draft->policy, KEY_USER, NULL);
	const struct text value = s != NULL ? s->value : home, part = s != NULL ? value : (struct text){0};
	char *path = output_memory(strndup(value.at, value.length));
	struct access *way;

	/* What every command is relative to; who can change it needs no `command` line. */
	if (inspect_reach(i, at, part, path, ACCESS_ENTER, FINDING_ERROR, "directory", &way))
		for (const struct access_step *step = way->steps; step < way->steps + way->count; step++)
			if (is_writable_by_all(step)) {
				inspect_say(i, i->trust, at, part, "directory", NULL,
					    "every user of this system can put files or another directory there: %s is "
					    "writable by all",
					    inspect_path(i, step->path));
				break;
			}
	access_free(way);
	free(path);
}

static void inspect_home(struct inspection *i, struct text from_passwd) {
	const struct policy *p = &i->draft->policy;
	const struct setting *s = policy_next(p, KEY_HOME, NULL);
	const struct text value = s != NULL ? s->value : from_passwd;
	char *path = output_memory(strndup(value.at == NULL ? "" : value.at, value.length));

	/* Without `directory` it was asked about already. */
	if (value.length > 0 && policy_next(p, KEY_DIRECTORY, NULL) != NULL &&
	    !text_equal(value, policy_value(p, KEY_DIRECTORY)))
		inspect_reach(i, s != NULL ? s : policy_next(p, KEY_USER, NULL), s != NULL ? value : (struct text){0},
			      path, ACCESS_ENTER, FINDING_WARNING, "home", NULL);
	free(path);
}

static void inspect_search(struct inspection *i) {
	const struct setting *s = policy_next(&i->draft->policy, KEY_PATH, NULL);
	struct text rest = s != NULL ? s->value : (struct text){0};

	for (struct text part; text_field(&rest, ":", &part);) {
		char *path = output_memory(strndup(part.at, part.length));
		struct access *way;

		if (inspect_reach(i, s, part, path, ACCESS_ENTER, FINDING_WARNING, "path", &way))
			inspect_replaceable(i, s, part, way, "path", "find there and run");
		access_free(way);
		free(path);
	}
}

static void inspect_below(struct inspection *i) {
	for (const struct setting *s = NULL; (s = policy_next(&i->draft->policy, KEY_DIRECTORY_BELOW, s)) != NULL;) {
		char *path = output_memory(strndup(s->value.at, s->value.length));

		inspect_reach(i, s, s->value, path, ACCESS_ENTER, FINDING_WARNING, "directory", NULL);
		free(path);
	}
}

static void inspect_write(struct inspection *i, const struct setting *s) {
	char *path = output_memory(strndup(s->value.at, s->value.length));
	const struct access_step *link = NULL, *end;
	struct access *way;

	inspect_reach(i, s, s->value, path, ACCESS_WRITE, FINDING_ERROR, "write", &way);
	end = way->target;
	for (const struct access_step *step = way->steps; step < way->steps + way->count && link == NULL; step++)
		link = step->link != NULL ? step : NULL;
	/* Landlock's rule is about the directory itself, found once, at launch. */
	if (link != NULL && end != NULL)
		inspect_say(i, FINDING_WARNING, s, s->value, "write",
			    "list directories that stay, such as shared and releases",
			    "%s is a symlink: when it is pointed elsewhere, a running app may still write only where "
			    "it led before",
			    inspect_path(i, link->path));
	if (end != NULL && end->status.st_uid != 0 && end->status.st_uid != i->app.uid) {
		char *name = image_user_name(i->draft->image, end->status.st_uid);

		if (name == NULL || strcmp(name, "nobody") == 0)
			inspect_say(i, FINDING_WARNING, s, s->value, "write",
				    inspect_words(i, "chown %s %s", i->names.person,
						  inspect_quoted(i, end->path)),
				    "%s belongs to %s, which is nobody in particular", inspect_path(i, end->path),
				    inspect_user(i, end->status.st_uid));
		free(name);
	}
	access_free(way);
	free(path);
}

void inspect_paths(struct inspection *i) {
	const struct accounts *a = &i->draft->accounts;
	const struct text home = a->user.home;
	const struct policy *p = &i->draft->policy;
	const struct text start = policy_value(p, KEY_HOME).length > 0 ? policy_value(p, KEY_HOME) : home;

	if (policy_value(p, KEY_DIRECTORY).length > 0 || start.length > 0) /* otherwise the plan said so */
		inspect_directory(i, start);
	inspect_home(i, home);
	inspect_search(i);
	inspect_below(i);
	for (enum policy_key key = KEY_WRITE; key <= KEY_TMP; key++)
		for (const struct setting *s = NULL; (s = policy_next(p, key, s)) != NULL;)
			inspect_write(i, s);
}
