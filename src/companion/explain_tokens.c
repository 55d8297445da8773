/* SPDX-License-Identifier: ISC */
/* A typed command under a pattern: token under token, up to the first that differs. */
#include "companion/explain.h"
#include "companion/explain_pattern.h"

#include <stdlib.h>
#include <string.h>

static struct text relative_to(const struct draft *d, const struct rehearsal *r) {
	struct launch_plan *plan = output_memory(calloc(1, sizeof *plan));
	struct problem why;
	const bool has_start = plan_directory(&d->policy, &d->accounts, &r->caller, plan, &why) && !plan->keeps_cwd;
	const struct text start = has_start ? plan->start : (struct text){0};

	free(plan);
	return start;
}

static char *why_fits(const struct explain_pattern_token *token, size_t n, struct text word) {
	const struct text slash = {"/", 1};
	const struct text taken = explain_pattern_taken(token, word);
	char *shown, *ret;

	if (token->is_rest)
		return output_format("* takes anything further");
	if (n == 0)
		return output_memory(strdup(text_starts(word, slash)			? "the path itself"
					    : memchr(word.at, '/', word.length) == NULL ? "its last part"
											: "relative to directory"));
	if (token->hole.length == 0)
		return output_memory(strdup("the same"));
	if (text_starts(token->hole, text_of("path:")) || text_is(token->hole, "int") || text_is(token->hole, "word")) {
		struct text kind = token->hole;

		kind = text_until(&kind, ":");
		shown = output_escaped(taken.at, taken.length);
		ret = output_format("{%.*s} is %s", (int)kind.length, kind.at, shown);
		free(shown);
		return ret;
	}
	if (taken.length == word.length)
		return output_memory(strdup("one of these"));
	shown = output_escaped(taken.at, taken.length);
	ret = output_format("%s is one of these", shown);
	free(shown);
	return ret;
}

static void add_token(json_t *all, struct table *table, const struct explain_pattern_token *token, const char *word,
		      const char *state, char *why) {
	const struct text whole = token == NULL ? text_of("(end)") : token->whole;
	const struct text taken = text_of(word == NULL ? "(end)" : word);
	char *pattern = output_escaped(whole.at, whole.length);
	char *typed = output_escaped(taken.at, taken.length);
	const bool is_bad = strcmp(state, "differs") == 0;

	table_row(table, is_bad ? OUTPUT_RED : OUTPUT_NONE, (const char *const[]){pattern, typed, why});
	output_append(all, json_pack("{s:o,s:o,s:s,s:o}", "pattern",
				     token == NULL ? json_null() : explain_text(token->whole), "word",
				     word == NULL ? json_null() : output_json_text(word, strlen(word)), "state", state,
				     "why", output_json_text(why, strlen(why))));
	free(pattern);
	free(typed);
	free(why);
}

struct table *explain_tokens(const struct draft *draft, const struct rehearsal *r, const struct setting *by,
			     json_t *ret, struct text *ret_differs) {
	static const char *const titles[] = {"PATTERN", "TYPED", "WHY"};
	const struct request *request = &r->request;
	const size_t fitting = explain_pattern_fitting(by, request, relative_to(draft, r));
	struct table *table = table_new(3, titles, 4);
	struct text rest = by->value;
	struct explain_pattern_token token = {0};
	bool has_token = true;

	for (size_t n = 0; n < request->words || has_token; n++) {
		const char *const word = n < request->words ? request->command[n] : NULL;

		has_token = token.is_rest ? n < request->words : explain_pattern_next(&rest, &token);
		if (!has_token && word == NULL)
			break;
		if (token.is_rest && word == NULL)
			add_token(ret, table, &token, "", "fits", output_format("* may take nothing"));
		else if (n < fitting)
			add_token(ret, table, &token, word, "fits", why_fits(&token, n, text_of(word)));
		else if (n > fitting)
			add_token(ret, table, has_token ? &token : NULL, word == NULL ? "" : word, "unchecked",
				  output_memory(strdup("")));
		else {
			*ret_differs = has_token ? token.whole : (struct text){0};
			add_token(ret, table, has_token ? &token : NULL, word, "differs",
				  has_token ? explain_pattern_takes(&token, n == 0)
					    : output_memory(strdup("the pattern ends here; a last * would take more")));
		}
		if (token.is_rest && word == NULL)
			break;
	}
	return table;
}
