/* SPDX-License-Identifier: ISC */
/* An environment that was filled, and what stands in it; for test_environment and test_environment_secrets. */
#pragma once

#include "tests/policy/given.h"

#include "policy/environment.h"

struct filled {
	struct environment e;
	struct problem why;
	bool is_done;
};

static inline struct filled *fill(const char *lines, char *const *caller, bool is_trusted) {
	struct filled *f = (struct filled *)(void *)given_room(sizeof(*f));
	struct sink bytes = {.at = given_room(ENVIRONMENT_MAX_BYTES), .size = ENVIRONMENT_MAX_BYTES};

	memset(f, 0, sizeof(*f));
	f->is_done =
		environment_fill(&f->e, &bytes, given_policy(lines), (struct text){0}, caller, is_trusted, &f->why);
	return f;
}

/* The value of a variable that was let in; NULL when it was not. */
static inline const char *value(const struct filled *f, const char *name) {
	for (size_t i = 0; i < f->e.count; i++)
		if (text_is(environment_name(text_of(f->e.strings[i])), name))
			return f->e.strings[i] + strlen(name) + 1;
	return NULL;
}

static inline void expect_value(const struct filled *f, const char *name, const char *want) {
	const char *is = value(f, name);

	cr_expect(want == NULL ? is == NULL : is != NULL && strcmp(is, want) == 0, "%s is %s, not %s", name,
		  is != NULL ? is : "not there", want != NULL ? want : "left out");
}

/* A caller's environment from literals. */
#define CALLER(...) ((char *const *)(const char *const[]){__VA_ARGS__, NULL})
