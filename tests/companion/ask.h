/* SPDX-License-Identifier: ISC */
/*
 * ask: a verb of runas-policy, run as main would run it, and what it said.
 *
 * Runs as:  anyone; the verb in a child, which may become somebody else first.
 * Given:    the words behind the verb.
 * Promises: standard output and error, apart or in the order in which they were written, whole, with a NUL behind; a
 *           child that is killed fails the test, and where there is LeakSanitizer one that leaves memory behind.
 */
#ifndef TESTS_COMPANION_ASK_H
#define TESTS_COMPANION_ASK_H

#include "companion/verb.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

struct said {
	int status;
	char out[256 * 1024], error[256 * 1024];
};

struct ask_how {
	const char *directory; /* where it is to stand; NULL: where the test does */
	const char *image;     /* called IMAGE in the words and in what is said; NULL: none */
	uid_t uid;	       /* it is to have, as its only group too; 0: stays who it is */
	bool is_together;      /* both in out */
	bool is_root;	       /* at least of a user namespace of its own, see ask_can_be_root */
	void (*prepare)(void); /* in the child, just before the verb; or NULL */
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* words end with NULL; how may be NULL. The result is valid until the next one. */
const struct said *ask(const struct verb *verb, const char *const *words, const struct ask_how *how);

bool ask_can_be_root(void);

static inline void expect_status(const struct said *said, int status) {
	cr_assert_eq(said->status, status, "status %d, not %d\n%s%s", said->status, status, said->out, said->error);
}

#define expect_said(text, part) cr_expect(strstr(text, part) != NULL, "missing: %s\nin:\n%s", part, text)
#define expect_unsaid(text, part) cr_expect(strstr(text, part) == NULL, "not wanted: %s\nin:\n%s", part, text)

#endif
