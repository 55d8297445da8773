/* SPDX-License-Identifier: ISC */
#include "policy/command.h"

enum hole { HOLE_NONE, HOLE_INT, HOLE_WORD, HOLE_CHOICE, HOLE_PATH, HOLE_REST };

struct token {
	struct text head, inside, tail; /* head{inside}tail */
	enum hole hole;
};

static bool bad(struct problem *why, const char *what, struct text about, const char *hint) {
	return problem_about(why, "policy-command", what, about, hint);
}

static bool parse_hole(struct token *t, struct problem *why) {
	if (text_is(t->inside, "int"))
		t->hole = HOLE_INT;
	else if (text_is(t->inside, "word"))
		t->hole = HOLE_WORD;
	else if (text_starts(t->inside, text_of("path:"))) {
		t->hole = HOLE_PATH;
		t->inside = text_after(t->inside, 5);
		return text_is_path(t->inside) ||
		       bad(why, "no absolute path in the hole", t->inside, "{path:/srv/app}");
	} else {
		struct text rest = t->inside;
		bool more = text_until(&rest, "|").length > 0 && rest.length > 0;

		for (t->hole = HOLE_CHOICE; more && rest.length > 0;) {
			rest = text_after(rest, 1);
			more = text_until(&rest, "|").length > 0;
		}
		return more || bad(why, "unknown hole", t->inside, "{int} {word} {a|b} {path:/dir}; quote a literal brace");
	}
	return true;
}

/* Cuts the next token off *rest. false: malformed, or none left (then why->word stays NULL). */
static bool next_token(struct text *rest, struct token *ret, struct problem *why) {
	struct text word;

	*rest = text_trim(*rest);
	*why = (struct problem){0};
	*ret = (struct token){0};
	if (rest->length == 0)
		return false;
	if (rest->at[0] == '"') {
		*rest = text_after(*rest, 1);
		ret->head = text_until(rest, "\"");
		if (rest->length == 0 || (rest->length > 1 && rest->at[1] != ' ' && rest->at[1] != '\t'))
			return bad(why, "a quoted token ends with a quote and a blank", ret->head, NULL);
		*rest = text_after(*rest, 1);
		return true;
	}
	word = text_word(rest);
	if (text_is(word, "*") && text_trim(*rest).length == 0) {
		ret->hole = HOLE_REST;
		return true;
	}
	ret->head = text_until(&word, "{}*\"");
	if (word.length == 0)
		return true;
	if (word.at[0] != '{')
		return bad(why, "misplaced in a token:", (struct text){word.at, 1}, "quote it; * stands alone at the end");
	word = text_after(word, 1);
	ret->inside = text_until(&word, "{}*\"");
	if (word.length == 0 || word.at[0] != '}')
		return bad(why, "hole without its closing brace", ret->inside, NULL);
	ret->tail = text_after(word, 1);
	word = ret->tail;
	text_until(&word, "{}*\"");
	return word.length == 0 ? parse_hole(ret, why) : bad(why, "one hole a token", ret->tail, NULL);
}

bool command_check(struct text pattern, struct problem *why) {
	struct token token;

	if (!next_token(&pattern, &token, why))
		return why->word == NULL ? bad(why, "no command", pattern, NULL) : false;
	if (token.hole != HOLE_REST && (token.hole != HOLE_NONE || !text_is_path(token.head)))
		return bad(why, "must start with a literal absolute path", token.head, "command = /usr/bin/NAME ...");
	while (next_token(&pattern, &token, why))
		;
	return why->word == NULL;
}

static bool fits_hole(const struct token *t, struct text part) {
	struct text rest = t->inside;

	switch (t->hole) {
	case HOLE_NONE:
		return part.length == 0;
	case HOLE_INT:
		return text_is_digits(part, 10);
	case HOLE_WORD:
		return part.length > 0 && text_is_word(part);
	case HOLE_PATH:
		return text_is_path(part) && text_is_below(part, t->inside);
	case HOLE_CHOICE:
		while (rest.length > 0) {
			if (text_equal(text_until(&rest, "|"), part))
				return true;
			rest = text_after(rest, 1);
		}
		return false;
	case HOLE_REST:
		return true;
	}
	return false;
}

static bool fits_token(const struct token *t, struct text word) {
	size_t around = t->head.length + t->tail.length;

	return word.length >= around && text_starts(word, t->head) &&
	       text_equal(text_after(word, word.length - t->tail.length), t->tail) &&
	       fits_hole(t, (struct text){word.at + t->head.length, word.length - around});
}

static struct text last_part(struct text path) {
	for (size_t n = path.length; n > 0; n--)
		if (path.at[n - 1] == '/')
			return text_after(path, n);
	return path;
}

static bool fits_first(struct text path, struct text typed, struct text directory) {
	return text_equal(typed, path) || text_equal(typed, last_part(path)) ||
	       (directory.length > 1 && text_is_below(path, directory) &&
		text_equal(text_after(path, directory.length + 1), typed));
}

/* How many words of the command fit, from the first; *ret_all when the whole of it does. */
static size_t count_fitting(struct text pattern, const struct request *r, struct text directory, bool *ret_all) {
	struct token token;
	struct problem unused;
	bool fits = true;
	size_t n = 0;

	while (fits && next_token(&pattern, &token, &unused)) {
		if (token.hole == HOLE_REST) {
			n = r->words;
			break;
		}
		fits = n < r->words && (n == 0 ? fits_first(token.head, text_of(r->command[0]), directory)
					       : fits_token(&token, text_of(r->command[n])));
		n += fits;
	}
	*ret_all = fits && n == r->words;
	return n;
}

bool command_find(const struct policy *p, const struct request *r, struct text directory, struct command_match *ret,
		  struct problem *why) {
	const struct text typed = text_of(r->command[0]);
	const struct setting *nearest = NULL, *anything = NULL;
	struct text named = {0};
	size_t most = 0;

	*ret = (struct command_match){0};
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_COMMAND, s)) != NULL;) {
		struct text rest = s->value;
		struct token first;
		bool all;
		size_t fitting;

		if (!next_token(&rest, &first, why))
			return false;
		if (first.hole == HOLE_REST) {
			anything = s;
			continue;
		}
		if (text_equal(last_part(first.head), typed)) {
			if (named.length > 0 && !text_equal(named, first.head))
				return problem_set(why, PROBLEM_DENIED, "command-ambiguous", "two commands have this name; type the path");
			named = first.head;
		}
		fitting = count_fitting(s->value, r, directory, &all);
		if (all && ret->by == NULL)
			*ret = (struct command_match){s, first.head};
		if (nearest == NULL || fitting > most) {
			nearest = s;
			most = fitting;
		}
	}
	if (ret->by == NULL && anything != NULL)
		ret->by = anything;
	if (ret->by != NULL)
		return true;
	problem_set(why, PROBLEM_DENIED, "command", "no `command` of the policy allows it; this differs first:");
	why->about = most < r->words ? text_of(r->command[most]) : text_of("(the end: an argument is missing)");
	why->hint = nearest != NULL ? "the nearest is: " : "the policy has no command line";
	why->hint_about = nearest != NULL ? nearest->value : (struct text){0};
	return false;
}
