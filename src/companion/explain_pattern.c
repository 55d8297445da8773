/* SPDX-License-Identifier: ISC */
#include "companion/explain_pattern.h"

#include "companion/output.h"

#include <stdlib.h>

bool explain_pattern_next(struct text *rest, struct explain_pattern_token *ret) {
	struct text word;

	*rest = text_trim(*rest);
	*ret = (struct explain_pattern_token){0};
	if (rest->length == 0)
		return false;
	ret->whole.at = rest->at;
	if (rest->at[0] == '"') {
		*rest = text_after(*rest, 1);
		ret->head = text_until(rest, "\"");
		ret->whole.length = ret->head.length + 2;
		*rest = text_after(*rest, 1);
		return true;
	}
	ret->whole = word = text_word(rest);
	ret->is_rest = text_is(word, "*");
	ret->head = text_until(&word, "{");
	if (word.length > 0) {
		word = text_after(word, 1);
		ret->hole = text_until(&word, "}");
		ret->tail = text_after(word, 1);
	}
	return true;
}

size_t explain_pattern_fitting(const struct setting *pattern, const struct request *request, struct text directory) {
	struct policy *alone = output_memory(calloc(1, sizeof *alone));
	struct command_match match;
	struct problem why = {0};
	size_t fitting = request->words + 1;

	alone->settings[alone->count++] = *pattern;
	if (!command_find(alone, request, directory, &match, &why))
		for (fitting = 0; fitting < request->words && why.about.at != request->command[fitting];)
			fitting++;
	free(alone);
	return fitting;
}

struct text explain_pattern_taken(const struct explain_pattern_token *token, struct text word) {
	const size_t around = token->head.length + token->tail.length;

	return around <= word.length ? (struct text){word.at + token->head.length, word.length - around}
				     : (struct text){0};
}

char *explain_pattern_takes(const struct explain_pattern_token *token, bool is_first) {
	struct text choices = token->hole, choice;
	char *list = NULL;

	if (token->is_rest)
		return output_format("* takes any further arguments");
	if (is_first)
		return output_format("takes the path, its last part, or the path relative to directory");
	if (token->hole.length == 0)
		return output_format("takes exactly this");
	if (text_is(token->hole, "int"))
		return output_format("{int} takes 1 to 10 digits");
	if (text_is(token->hole, "word"))
		return output_format("{word} takes letters, digits, _ and .,:@%%+=- (these not first)");
	if (text_starts(token->hole, text_of("path:"))) {
		char *base = output_escaped(token->hole.at + 5, token->hole.length - 5);

		list = token->tail.length > 0
			       ? output_format("{path} takes what is below %s, without . .. or //", base)
			       : output_format("{path} takes %s and what is below, without . .. or //", base);
		free(base);
		return list;
	}
	while (text_field(&choices, "|", &choice)) {
		char *shown = output_escaped(choice.at, choice.length), *more;

		more = list == NULL				   ? output_format("takes %s", shown)
		       : choices.at == NULL || choices.length == 0 ? output_format("%s or %s", list, shown)
								   : output_format("%s, %s", list, shown);
		free(shown);
		free(list);
		list = more;
	}
	return output_memory(list);
}
