/* SPDX-License-Identifier: ISC */
/*
 * environment: what the app gets instead of the caller's environment.
 *
 * Purpose:  build envp from nothing: our own variables, the policy's `env`, then what `env_keep` lets in.
 * Given:    the caller's environment, untrusted, as it arrived.
 * Promises: a kept value is printable unless the caller is root or the app itself; no name appears
 *           twice; loader and interpreter names are never kept (CVE-2023-4911 and its many relatives).
 * Never:    drops in silence what `env_keep` named: a value that cannot be kept refuses the launch.
 */
#ifndef POLICY_ENVIRONMENT_H
#define POLICY_ENVIRONMENT_H

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

/* Adds NAME=value; its bytes go to *bytes. */
bool environment_set(struct environment *e, struct sink *bytes, const char *name, struct text value, struct problem *why);

/* Adds the policy's `env`, then what its `env_keep` takes from the caller's (NULL-terminated). */
bool environment_fill(struct environment *e, struct sink *bytes, const struct policy *p, char *const *caller,
		      bool is_trusted, struct problem *why);

/* The caller's value of a variable, or an empty text. */
struct text environment_get(char *const *caller, const char *name);

#endif
