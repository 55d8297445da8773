/* SPDX-License-Identifier: ISC */
/*
 * text: byte ranges and bounded writing, the only string handling that the launcher has. Pure code.
 * problem: why something was refused, as data, from the place that found it to the one place that reports it.
 * Given:    ranges into buffers that outlive them; a range may hold any byte, NUL too. What is added to a sink stands
 *           elsewhere than in its own bytes, and used is never above size. A problem's words are string literals.
 * Promises: readers never look past length; a sink never writes past size, and says so in `full`. All that a message
 *           needs is in its problem.
 * Never:    allocates, guesses, or takes a partly good number for a number; writes a problem anywhere before it is
 *           known who may read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *at;
	size_t length;
};

struct sink {
	char *at;
	size_t size, used;
	bool full;
};

static inline struct text text_of(const char *words) { return (struct text){words, strlen(words)}; }
bool text_equal(struct text a, struct text b);
struct text text_of_number(char digits[20], uint64_t number); /* stands in digits, without a NUL */
static inline bool text_is(struct text t, const char *words) { return text_equal(t, text_of(words)); }
static inline bool text_starts(struct text t, struct text prefix) {
	return t.length >= prefix.length && text_equal((struct text){t.at, prefix.length}, prefix);
}
static inline struct text text_after(struct text t, size_t skip) {
	return skip < t.length ? (struct text){t.at + skip, t.length - skip} : (struct text){0};
}
struct text text_trim(struct text t);

struct text text_until(struct text *rest, const char *stops); /* cut off; the stop itself stays in *rest */
struct text text_word(struct text *rest);		      /* the next one between blanks; empty: none was left */
bool text_field(struct text *rest, const char *stop, struct text *ret); /* and the stop: "a:" has two; false: no more */

/* Decimal digits only: no sign, blank, 0x or leading zero (CVE-2019-14287 began with "-1"). */
bool text_number(struct text t, uint64_t most, uint64_t *ret);
bool text_umask(struct text t, uint64_t *ret);		 /* 3 octal digits, or 4 of which the first is 0 */
bool text_is_choice(struct text t, struct text choices); /* one of a|b|c */
bool text_is_digits(struct text t, size_t most);	 /* of digits alone; most: 19 or less */
bool text_is_printable(struct text t);			/* no byte below 0x20, no 0x7f */
bool text_is_app(struct text t);			/* APP and site profiles: [a-z][a-z0-9_-]{0,30} */
bool text_is_account(struct text t);			/* [A-Za-z_][A-Za-z0-9_.-]{0,31}: no "+" or "-" line */
bool text_is_variable(struct text t);			/* [A-Za-z_][A-Za-z0-9_]{0,255} */
bool text_is_word(struct text t);			/* what {word} takes: never starts with "-" or "/" */
bool text_is_path(struct text t);			/* absolute, < 4096 bytes, no empty, "." or ".." part */
bool text_is_below(struct text path, struct text base); /* at base or below it, by whole parts */

void sink_byte(struct sink *s, char byte);
void sink_text(struct sink *s, struct text t);
static inline void sink_words(struct sink *s, const char *words) { sink_text(s, text_of(words)); }
void sink_number(struct sink *s, const char *before, uint64_t number); /* behind these words */
/* Bytes outside 0x20..0x7e, and " and \, become \ooo: readers see one plain line (CVE-2023-28486). */
void sink_escaped(struct sink *s, struct text t);

/* Exit statuses, as chroot(1), env(1) and POSIX have them. */
enum problem_status {
	PROBLEM_SELF = 125,	 /* runas-app itself: usage, policy, a stage failed */
	PROBLEM_DENIED = 126,	 /* not permitted; or found but not executable */
	PROBLEM_NOT_FOUND = 127, /* the command does not exist */
};

struct problem {
	enum problem_status status;
	const char *word;	/* stable name, listed in runas-app(8) DIAGNOSTICS */
	const char *what;	/* the sentence */
	struct text about;	/* the bytes it is about, shown escaped and quoted; empty for none */
	const char *hint;	/* how to mend it, or NULL */
	struct text hint_about; /* stands behind the hint; or empty */
	struct text object;	/* the file or thing; empty: the policy file */
	unsigned line;		/* of the policy, from 1; 0 when it is about no line */
	int error;		/* errno, or 0 */
};

/* Both clear *why, fill it and return false, so that a refusal is one expression: rule || problem_about(...). */
bool problem_set(struct problem *why, enum problem_status status, const char *word, const char *what);
bool problem_about(struct problem *why, const char *word, const char *what, struct text about, const char *hint);
