/* SPDX-License-Identifier: ISC */
/*
 * audit: what the parts of `runas-policy audit` share. Each part looks at one kind of thing and adds findings.
 *
 * Purpose:  one verb that looks at many things is many small files, which share places, counts and folding.
 * Given:    a valid policy, and files that the app, its deployers or their attackers may have made.
 * Promises: nothing outside of the app's places is walked, whatever symlinks say; findings of one kind are folded after
 *           the first 20 unless all are wanted.
 * Never:    changes anything.
 */
#ifndef COMPANION_AUDIT_H
#define COMPANION_AUDIT_H

#include "companion/target.h"

enum {
	AUDIT_SHOWN = 20,
	AUDIT_MOST_KINDS = 16,
	AUDIT_MOST_FILES = 4000000,
	AUDIT_MOST_LOGS = 4096,
	AUDIT_MOST_DEPTH = 200
};

struct audit_place {
	char *written;	 /* as the policy says it */
	char *path;	 /* where that really is */
	bool is_written; /* the app makes files there: `write`, `tmp` */
	bool is_scratch; /* `tmp`: how open a file is there, its program decides */
	bool is_code;	 /* `directory` or the home: who runs something from there runs the app */
};

struct audit {
	const struct image *image;
	struct draft *draft;
	struct target target;
	struct access_who nginx;
	const char *nginx_name; /* NULL: there is none */
	bool all;
	struct audit_place *places;
	size_t place_count;
	struct audit_kind {
		const char *word;
		size_t total;
		struct findings shown;
	} kinds[AUDIT_MOST_KINDS];
	size_t kind_count, errors, warnings;
	size_t unread_files;
	size_t seen, unread, foreign,
		readable; /* entries; directories; files of deployers; more open to read than the umask */
	char **logs, **sockets;
	size_t log_count, socket_count;
};

/* NULL: folded. The finding is valid until the next one of its kind. word must be a constant. */
__attribute__((format(printf, 6, 7))) struct finding *audit_add(struct audit *a, enum finding_kind kind,
								const char *file, const char *word, const char *hint,
								const char *format, ...);

void audit_keep(char ***list, size_t *count, char *text); /* takes the text over */

/* PATH as a message or a command names it: with the image's directory before it, a new string. */
char *audit_shown(const struct audit *a, const char *path);
char *audit_shell_path(const struct audit *a, const char *path);
char *audit_chown(const struct audit *a, uint32_t uid, uint32_t gid, const char *path);

/* Names of regular files and links in a directory of the image, sorted; NULL-terminated, free both; NULL: errno. */
char **audit_list(const struct audit *a, const char *directory, bool (*is_wanted)(const char *name));
void audit_list_free(char **list);

/* The parts. */
void audit_places(struct audit *a); /* first: the others ask for places */
void audit_files(struct audit *a);  /* fills logs and sockets */
void audit_sockets(struct audit *a);
void audit_logrotate(struct audit *a);
void audit_services(struct audit *a); /* cron, supervisor, systemd */

#endif
