/* SPDX-License-Identifier: ISC */
#include "policy/command.h"

#define SPECIAL "{}*\""

struct token {
	struct text head, hole, tail; /* head{hole}tail; without a hole the head is all */
	bool is_rest;		      /* a final * */
};

static bool bad(struct problem *why, const char *what, struct text about, const char *hint) {
	return problem_about(why, "policy-command", what, about, hint);
}

static bool check_hole(struct text hole, struct problem *why) {
	const bool is_path = text_starts(hole, text_of("path:"));
	struct text choices = hole;

	if (is_path || text_is(hole, "int") || text_is(hole, "word"))
		return !is_path || text_is_path(text_after(hole, 5)) ||
		       bad(why, "no absolute path in the hole", text_after(hole, 5), "{path:/srv/app}");
	text_until(&choices, "|");
	return (choices.length > 0 && !text_is_choice((struct text){0}, hole)) ||
	       bad(why, "unknown hole", hole, "{int} {word} {a|b} {path:/dir}; quote a literal brace");
}

static bool split_word(struct text word, struct token *ret, struct problem *why) {
	ret->head = text_until(&word, SPECIAL);
	if (word.length == 0)
		return true;
	if (word.at[0] != '{')
		return bad(why, "misplaced in a token:", (struct text){word.at, 1}, "quote it; * stands alone at the end");
	word = text_after(word, 1);
	ret->hole = text_until(&word, SPECIAL);
	if (word.length == 0 || word.at[0] != '}')
		return bad(why, "hole without its closing brace", ret->hole, NULL);
	word = ret->tail = text_after(word, 1);
	text_until(&word, SPECIAL);
	return word.length == 0 ? check_hole(ret->hole, why) : bad(why, "one hole a token", ret->tail, NULL);
}

/* Cuts the next token off *rest. false: malformed, or none left (then why->word stays NULL). */
static bool next_token(struct text *rest, struct token *ret, struct problem *why) {
	*rest = text_trim(*rest);
	why->word = NULL;
	*ret = (struct token){.is_rest = rest->length == 1 && rest->at[0] == '*'};
	if (!ret->is_rest && rest->length > 0 && rest->at[0] == '"') {
		*rest = text_after(*rest, 1);
		const bool is_closed = text_field(rest, "\"", &ret->head) && rest->at != NULL &&
				       (rest->length == 0 || rest->at[0] == ' ' || rest->at[0] == '\t');
		return is_closed || bad(why, "a quoted token ends with a quote and a blank", ret->head, NULL);
	}
	const struct text word = text_word(rest);
	return word.length > 0 && (ret->is_rest || split_word(word, ret, why));
}

bool command_check(struct text pattern, struct problem *why) {
	struct token token;

	if (!next_token(&pattern, &token, why))
		return why->word == NULL && bad(why, "no command", pattern, NULL);
	if (!token.is_rest && (token.hole.length > 0 || !text_is_path(token.head)))
		return bad(why, "must start with a literal absolute path", token.head, "command = /usr/bin/NAME ...");
	/*@ loop invariant readable(pattern);
	    loop assigns pattern, token, *why;
	    loop variant pattern.length; */
	while (next_token(&pattern, &token, why))
		;
	return why->word == NULL;
}

/* With a tail, {path:/srv/app} is below /srv/app only: /srv/app.rb is beside it. */
static bool fits_hole(struct text hole, struct text tail, struct text part) {
	const struct text base = text_after(hole, 5);
	if (hole.length == 0)
		return part.length == 0;
	if (text_is(hole, "int"))
		return text_is_digits(part, 10);
	if (text_is(hole, "word"))
		return text_is_word(part);
	if (text_starts(hole, text_of("path:")))
		return text_is_path(part) && text_is_below(part, base) && (tail.length == 0 || part.length > base.length);
	return text_is_choice(part, hole);
}

static bool fits_token(const struct token *t, struct text word) {
	const size_t around = t->head.length + t->tail.length;
	return word.length >= around && text_starts(word, t->head) &&
	       text_equal(text_after(word, word.length - t->tail.length), t->tail) &&
	       fits_hole(t->hole, t->tail, (struct text){word.at + t->head.length, word.length - around});
}

static struct text last_part(struct text path) {
	size_t n = path.length;
	/*@ loop invariant n <= path.length;
	    loop assigns n;
	    loop variant n; */
	while (n > 0 && path.at[n - 1] != '/')
		n--;
	return text_after(path, n);
}

static bool fits_first(struct text path, struct text typed, struct text directory) {
	return text_equal(typed, path) || text_equal(typed, last_part(path)) ||
	       (directory.length > 1 && text_is_below(path, directory) &&
		text_equal(text_after(path, directory.length + 1), typed));
}

/* How many words of the command fit, from the first; more than it has when all do: least by `*` alone, most without a
 * last `*`. A pattern that command_check would refuse fits nothing that reaches its fault. */
static size_t count_fits(const struct token *first, struct text rest, const struct request *r, struct text directory) {
	struct token token;
	struct problem wrong;
	size_t n = 1;

	if (first->is_rest || !fits_first(first->head, text_of(r->command[0]), directory))
		return first->is_rest ? r->words + 1 : 0;
	/*@ loop invariant readable(rest) && 1 <= n <= r->words;
	    loop assigns rest, token, wrong, n;
	    loop variant r->words - n; */
	for (; next_token(&rest, &token, &wrong) && !token.is_rest; n++)
		if (n >= r->words || !fits_token(&token, text_of(r->command[n])))
			return n;
	return token.is_rest ? r->words + 2 : n == r->words && wrong.word == NULL ? r->words + 3 : n;
}

static bool refuse(struct command_match nearest, size_t most, const struct request *r, struct problem *why) {
	problem_set(why, PROBLEM_DENIED, "command", "no `command` of the policy allows it; this differs first:");
	why->about = text_of(most < r->words ? r->command[most] : "(the end: an argument is missing)");
	why->hint = nearest.by == NULL ? "the policy has no command line"
		    : most > 0 ? "the nearest is: " : "what the policy allows, for one: ";
	why->hint_about = nearest.by != NULL ? nearest.by->value : (struct text){0};
	return false;
}

bool command_find(const struct policy *p, const struct request *r, struct text directory, struct command_match *ret,
		  struct problem *why) {
	struct command_match nearest = {0};
	struct text named = {0};
	size_t most = 0;

	/*@ loop invariant i <= p->count && readable(named) && is_found(p, r, nearest, most);
	    loop assigns i, named, most, nearest, *why;
	    loop variant p->count - i; */
	for (size_t i = 0; i < p->count; i++) {
		const struct setting *const s = &p->settings[i];
		struct text rest = s->value;
		struct token first;

		if (s->key != KEY_COMMAND && s->key != KEY_SERVE)
			continue;
		if (!next_token(&rest, &first, why))
			return false;
		const size_t fitting = count_fits(&first, rest, r, directory);
		/* The first, so that the hint has one; then, of two that fit alike, `serve`. */
		const bool is_preferred = nearest.by == NULL || s->key == KEY_SERVE;
		if (!first.is_rest && text_equal(last_part(first.head), text_of(r->command[0]))) {
			if (named.length > 0 && !text_equal(named, first.head))
				return problem_set(why, PROBLEM_DENIED, "command-ambiguous",
						   "two commands have this name; type the path");
			named = first.head;
		}
		if (fitting + is_preferred > most) {
			nearest = (struct command_match){s, first.head};
			most = fitting;
		}
	}
	*ret = most > r->words ? nearest : (struct command_match){0};
	return ret->by != NULL || refuse(nearest, most, r, why);
}
