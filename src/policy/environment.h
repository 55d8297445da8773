/* SPDX-License-Identifier: ISC */
/*
 * environment: what the app gets instead of the caller's environment, built from nothing.
 * Given:    the caller's environment, untrusted, as it arrived; NULL ends it.
 * Promises: a kept value is printable unless the caller is root or the app itself; no name appears
 *           twice; loader and interpreter names are never kept (CVE-2023-4911 and its many relatives).
 * Never:    drops in silence what `env_keep` named: a value that cannot be kept refuses the launch; puts a byte of
 *           env_file in a message, which may be read by others.
 */
#pragma once

#include "policy/policy.h"

#define ENVIRONMENT_MAX_COUNT 1024
#define ENVIRONMENT_MAX_VALUE 32768 /* bytes of one variable, name and = included */
#define ENVIRONMENT_MAX_BYTES 131072

struct environment {
	char *strings[ENVIRONMENT_MAX_COUNT + 1]; /* NULL-terminated: envp */
	size_t count;
};

bool environment_is_assignment(struct text t);
bool environment_is_keep_word(struct text t);
bool environment_is_ours(struct text name);
struct text environment_name(struct text assignment);
struct text environment_get(char *const *caller, const char *name); /* its value, or an empty text */

/* Both add to envp, and the bytes to a sink. One: "NAME=" and its value, or "" and both in rest. */
bool environment_set(struct environment *e, struct sink *to, const char *start, struct text rest, struct problem *why);
/* Then `env`, the same in env_file, and what `env_keep` takes from the caller's; and the NULL that ends envp. */
bool environment_fill(struct environment *e, struct sink *bytes, const struct policy *p, struct text secrets,
		      char *const *caller, bool is_trusted, struct problem *why);
