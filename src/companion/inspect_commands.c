/* SPDX-License-Identifier: ISC */
#include "companion/inspect.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { FIRST_BYTES = 256 /* all that the kernel looks at: BINPRM_BUF_SIZE */, MOST_SCRIPTS = 5 };

static void inspect_file(struct inspection *i, const struct setting *s, struct text part, const char *path,
			 unsigned depth);

/* false: it has none, or they are not known. */
static bool has_capabilities(const struct image *image, const char *path, bool *ret_is_effective) {
	struct vfs_ns_cap_data data = {0};
	uint32_t flags;
	const int fd = image_descriptor(image, path, O_PATH);
	char name[40];
	ssize_t got = -1;

	if (fd < 0)
		return false;
	/* An O_PATH descriptor answers no fgetxattr(2); its name in /proc is the inode itself. */
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	got = getxattr(name, "security.capability", &data, sizeof data);
	close(fd);
	memcpy(&flags, &data.magic_etc, sizeof flags); /* little-endian in the file system */
	*ret_is_effective = (le32toh(flags) & VFS_CAP_FLAGS_EFFECTIVE) != 0;
	return got >= (ssize_t)sizeof flags;
}

/* With no_new_privs and an empty bounding set, no file gives anybody anything. */
static void inspect_privileges(struct inspection *i, const struct setting *s, struct text part, const char *path,
			       const struct stat *status) {
	const bool is_setuid = (status->st_mode & S_ISUID) != 0 && status->st_uid != i->app.uid;
	bool is_fatal;
	const bool is_setgid =
		(status->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && status->st_gid != i->app.gid;

	if (is_setuid || is_setgid)
		inspect_say(
			i, FINDING_WARNING, s, part, "no-new-privs", NULL,
			"%s is set%cid, which has no effect under runas-app: it runs as %s, without what it counts on",
			inspect_path(i, path), is_setuid ? 'u' : 'g', i->names.person);
	/* The effective bit promises a capability that cannot be had, and then execve(2) is EPERM. */
	if (has_capabilities(i->draft->image, path, &is_fatal))
		inspect_say(i, is_fatal ? FINDING_ERROR : FINDING_WARNING, s, part, "no-new-privs",
			    inspect_words(i, "setcap -r %s; for a port below 1024: listen = tcp ADDRESS:PORT",
					  inspect_quoted(i, path)),
			    "%s has file capabilities, which an app never gets: %s", inspect_path(i, path),
			    is_fatal ? "it cannot be executed" : "it runs without them");
}

/* `#!/usr/bin/env NAME`: what env would run is found along the policy's path. */
static void inspect_env(struct inspection *i, const struct setting *s, struct text part, const char *script,
			struct text argument) {
	const struct setting *path = policy_next(&i->draft->policy, KEY_PATH, NULL);
	struct text rest = path != NULL ? path->value : text_of("/usr/local/bin:/usr/bin:/bin"), directory, name;
	bool is_found = false;

	/* Without -S the kernel gives env all behind its name as one argument. */
	name = argument;
	if (text_starts(name, text_of("-S")))
		name = text_after(name, 2);
	name = text_word(&name);
	if (name.length == 0 || name.at[0] == '-' || memchr(name.at, '=', name.length) != NULL ||
	    memchr(name.at, '/', name.length) != NULL)
		return;
	while (!is_found && text_field(&rest, ":", &directory)) {
		char *file = output_format("%.*s/%.*s", (int)directory.length, directory.at, (int)name.length, name.at);
		struct access *way = access_path(i->draft->image, &i->who, file, ACCESS_EXECUTE);

		is_found = way->verdict != ACCESS_DENIED;
		access_free(way);
		free(file);
	}
	if (!is_found)
		inspect_say(i, i->absent, s, part, "interpreter", "install it, or add its directory to `path`",
			    "%s wants %s, which is in no directory of `path`", inspect_path(i, script),
			    inspect_shown(i, name.at, name.length));
}

static void inspect_interpreter(struct inspection *i, const struct setting *s, struct text part, const char *script,
				struct text line, unsigned depth) {
	struct text name = text_word(&line), base = name, rest;
	char *path;
	const size_t seen = i->to->count;

	if (name.length > 0 &&
	    (name.at[name.length - 1] == '\r' || (line.length > 0 && line.at[line.length - 1] == '\r'))) {
		inspect_say(
			i, FINDING_ERROR, s, part, "interpreter",
			inspect_words(i, "sed -i 's/\\r$//' %s", inspect_quoted(i, script)),
			"the #! line of %s ends with a carriage return, which becomes part of the interpreter's name",
			inspect_path(i, script));
		return;
	}
	if (name.length == 0 || name.at[0] != '/') {
		inspect_say(i, FINDING_ERROR, s, part, "interpreter", NULL, "the #! line of %s names no absolute path",
			    inspect_path(i, script));
		return;
	}
	path = output_memory(strndup(name.at, name.length));
	i->script = inspect_path(i, script);
	inspect_file(i, s, part, path, depth + 1);
	i->script = NULL;
	for (rest = name; text_field(&rest, "/", &base);)
		;
	if (i->to->count == seen && text_is(base, "env"))
		inspect_env(i, s, part, script, text_trim(line));
	free(path);
}

static void inspect_start(struct inspection *i, const struct setting *s, struct text part, const char *path,
			  unsigned depth) {
	const int fd = image_descriptor(i->draft->image, path, O_RDONLY);
	char bytes[FIRST_BYTES];
	struct text first = {bytes, 0};
	ssize_t got;

	if (fd < 0) { /* programs that only some may read are rare, and only a script's interpreter reads it */
		if (errno == EACCES)
			inspect_say(i, FINDING_NOTE, s, part, "interpreter", "ask as root", "%s cannot be read: %s",
				    inspect_path(i, path), strerror(errno));
		return;
	}
	got = read(fd, bytes, sizeof bytes);
	close(fd);
	first.length = got < 0 ? 0 : (size_t)got;
	if (text_starts(first, text_of("#!"))) {
		struct text rest = text_after(first, 2), line;

		if (depth >= MOST_SCRIPTS)
			inspect_say(i, FINDING_ERROR, s, part, "interpreter", NULL,
				    "%s: too many scripts that run in scripts", inspect_path(i, path));
		else if (text_field(&rest, "\n", &line))
			inspect_interpreter(i, s, part, path, line, depth);
	} else if (got >= 0 && !text_starts(first, text_of("\177ELF"))) {
		inspect_say(i, FINDING_WARNING, s, part, "interpreter",
			    "let it begin with #!/bin/sh, or what it is written in",
			    "%s is no program and has no #! line; a shell would guess, runas-app does not",
			    inspect_path(i, path));
	}
}

static void inspect_file(struct inspection *i, const struct setting *s, struct text part, const char *path,
			 unsigned depth) {
	const char *word = depth == 0 ? "command" : "interpreter";
	struct access *way;

	if (inspect_reach(i, s, part, path, ACCESS_EXECUTE, FINDING_ERROR, word, &way))
		inspect_start(i, s, part, path, depth);
	if (way->target != NULL && S_ISREG(way->target->status.st_mode)) {
		inspect_privileges(i, s, part, path, &way->target->status);
		inspect_replaceable(i, s, part, way, word, "run");
	}
	access_free(way);
}

/* What apps hand their mail to; with Postfix and Exim it counts on its setgid or setuid bit. */
static void inspect_mail(struct inspection *i) {
	static const char *const helpers[] = {"/usr/sbin/postdrop", "/usr/sbin/sendmail", "/usr/lib/sendmail"};

	for (size_t n = 0; n < sizeof helpers / sizeof helpers[0]; n++) {
		struct stat status;

		if (!image_stat(i->draft->image, helpers[n], &status) || (status.st_mode & (S_ISUID | S_ISGID)) == 0)
			continue;
		inspect_say(i, FINDING_NOTE, NULL, (struct text){0}, "no-new-privs",
			    "have the app send by SMTP to 127.0.0.1:25",
			    "mail handed to sendmail will fail: %s is set%cid, which has no effect under runas-app",
			    inspect_path(i, helpers[n]), (status.st_mode & S_ISUID) != 0 ? 'u' : 'g');
		return;
	}
}

static bool is_said_before(const struct policy *p, const struct setting *s, struct text file) {
	for (const struct setting *t = p->settings; t < s; t++) {
		struct text rest = t->value;

		if ((t->key == KEY_COMMAND || t->key == KEY_SERVE) && text_equal(text_word(&rest), file))
			return true;
	}
	return false;
}

void inspect_commands(struct inspection *i) {
	const struct policy *p = &i->draft->policy;

	for (const struct setting *s = p->settings; s < p->settings + p->count; s++) {
		struct text rest = s->value, file = {0};
		char *path;

		if (s->key != KEY_COMMAND && s->key != KEY_SERVE)
			continue;
		file = text_word(&rest);
		if (file.length > 1 && file.at[0] == '"') { /* a quoted token may hold blanks */
			rest = text_after(s->value, 1);
			file = text_until(&rest, "\"");
		}
		if (text_is(file, "*") || is_said_before(p, s, file))
			continue;
		path = output_memory(strndup(file.at, file.length));
		inspect_file(i, s, file, path, 0);
		free(path);
	}
	inspect_mail(i);
}
