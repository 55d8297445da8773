/* SPDX-License-Identifier: ISC */
/*
 * policy: what /etc/runas-app/APP.conf says, as checked settings, and every cap of the format.
 * Given:    only parse_policy and check_policy make one; its values point into the file's bytes.
 * Promises: each setting has its key, its line, and a value of the shape that its key demands.
 * Never:    holds a default; those are the plan's.
 */
#pragma once

#include "policy/text.h"

#define POLICY_MAX_BYTES 65536 /* of the file */
#define POLICY_MAX_LINE 4096   /* bytes, without the newline */
#define POLICY_MAX_WORDS 64    /* of one list key: allow_users, groups, env_keep ... */
#define POLICY_MAX_LINES 256   /* of one repeatable key: command, env */
#define POLICY_MAX_SETTINGS 1024
#define POLICY_MAX_CANDIDATES 16 /* directories in `path` */
#define POLICY_LIMITS 16	 /* RLIMIT_CPU .. RLIMIT_RTTIME */
#define POLICY_FD_FIRST 3	 /* keep_fds: the descriptors that may be kept */
#define POLICY_FD_LAST 31
#define POLICY_MAX_WRITES 64 /* `write` paths, `tmp` among them */
#define POLICY_MAX_LISTEN 16

enum policy_key {
	KEY_VERSION, KEY_ALLOW_USERS, KEY_ALLOW_GROUPS, KEY_USER, KEY_GROUP, KEY_GROUPS, KEY_UMASK,
	KEY_DIRECTORY, KEY_DIRECTORY_BELOW, KEY_HOME, KEY_SHELL, KEY_PATH, KEY_COMMAND, KEY_SERVE, KEY_LISTEN,
	KEY_ENV, KEY_ENV_KEEP, KEY_ENV_FILE, KEY_SYSCALLS, KEY_WRITE, KEY_TMP, KEY_WRITE_ENFORCE, KEY_NICE, KEY_OOM_SCORE_ADJ,
	KEY_KEEP_FDS, KEY_STDIO_CHOWN, KEY_LOG,
	KEY_LIMIT, /* + RLIMIT_CPU (0) .. + RLIMIT_RTTIME (15), in the kernel's order */
	KEY_COUNT = KEY_LIMIT + POLICY_LIMITS,
};

struct policy {
	size_t count;
	struct setting {
		struct text value;
		enum policy_key key;
		unsigned line;
	} settings[POLICY_MAX_SETTINGS];
};

struct plan_profile { /* what `syscalls` names */
	struct text name; /* without @ */
	bool is_none, is_site, is_complaining;
};

struct policy_listen {
	struct text by; /* as written: tcp ADDRESS:PORT */
	bool is_ipv6;
	uint16_t port; /* never 0 */
	unsigned char address[16]; /* 4 of them when it is not IPv6; network byte order */
};

/* The first setting with this key behind `after` (NULL: of all), or NULL. */
const struct setting *policy_next(const struct policy *p, enum policy_key key, const struct setting *after);
struct text policy_value(const struct policy *p, enum policy_key key); /* of the first, or empty */
const char *policy_key_name(enum policy_key key);		       /* as it is written in the file */

/* Readers of values whose shape parse_policy has checked. false: not of that shape. */
bool policy_read_number(struct text value, int least, int most, int *ret);
bool policy_read_limit(struct text value, uint64_t *ret_soft, uint64_t *ret_hard);
bool policy_read_profile(struct text value, struct plan_profile *ret);
bool policy_read_listen(struct text value, struct policy_listen *ret); /* numbers only: names would need NSS */

/* problem_about, with the setting's line. */
bool policy_refuse(struct problem *why, const struct setting *s, const char *word, const char *what, struct text about,
		   const char *hint);

/* From bytes to settings, each of its key's shape; stops at the first problem. */
bool parse_policy(struct text bytes, struct policy *ret, struct problem *why);
/* What only the whole policy shows: required keys, contradictions, names set twice. */
bool check_policy(const struct policy *p, struct problem *why);
