/* SPDX-License-Identifier: ISC */
#include "companion/sudoers.h"

#include "policy/command.h"

#include <stdlib.h>
#include <string.h>

static void append(char **pattern, const char *word) {
	char *longer = output_format("%s %s", *pattern, word);

	free(*pattern);
	*pattern = longer;
}

/* A word of sudoers, wildcards and escapes in it, as a token of ours. NULL: *ret_reason. */
static char *token(struct text word, const char **ret_reason) {
	char *plain = output_memory(malloc(word.length + 1)), *to = plain, *ret;
	bool is_special = false;

	*ret_reason = NULL;
	for (size_t i = 0; i < word.length && *ret_reason == NULL; i++) {
		const unsigned char byte = (unsigned char)word.at[i];

		if (byte == '*' || byte == '?' || byte == '[')
			*ret_reason = byte == '['   ? "a character class"
				      : byte == '?' ? "the wildcard ?"
						    : "a wildcard that spans words, and directories too";
		else if (byte == '"' || (byte == '\\' && (i + 1 == word.length || word.at[i + 1] == '"')))
			*ret_reason = "a quotation mark or a lone backslash, which mean something else here";
		else if (byte < 0x20 || byte == 0x7f)
			*ret_reason = "a control character";
		else
			*to++ = word.at[byte == '\\' ? ++i : i];
		is_special = is_special || (to > plain && strchr("{}*", to[-1]) != NULL);
	}
	*to = '\0';
	ret = *ret_reason != NULL ? NULL : output_format(is_special ? "\"%s\"" : "%s", plain);
	free(plain);
	return ret;
}

static const char *path_reason(struct text path) {
	if (path.length == 0)
		return "no command";
	if (text_is(path, "ALL"))
		return "ALL commands";
	if (text_is(path, "sudoedit"))
		return "sudoedit: let the app's group write the file, or edit a copy";
	if (path.at[0] == '^')
		return "a regular expression";
	for (size_t i = 0; i < path.length; i++)
		if (strchr("*?[]\\", path.at[i]) != NULL)
			return "a wildcard in the command's path";
	if (path.at[path.length - 1] == '/')
		return "every file of a directory, also those that come there later";
	return text_is_path(path) ? NULL : "no path of a command";
}

char *sudoers_pattern(const char *command, const char **ret_reason, bool *ret_widens) {
	struct text rest = text_of(command), word = text_word(&rest);
	char *pattern;
	struct problem why;

	*ret_widens = false;
	*ret_reason = path_reason(word);
	if (*ret_reason == NULL && text_starts(text_trim(rest), text_of("^")))
		*ret_reason = "a regular expression";
	if (*ret_reason != NULL)
		return NULL;
	pattern = token(word, ret_reason);
	if (pattern == NULL)
		return NULL;
	rest = text_trim(rest);
	if (rest.length == 0) { /* sudo: any arguments */
		append(&pattern, "*");
	} else if (text_is(rest, "\"\"")) { /* none */
		rest.length = 0;
	}
	for (size_t count = 0; (word = text_word(&rest)).length > 0; count++) {
		char *next;

		if (text_is(word, "*") && rest.length == 0) {
			append(&pattern, "*");
			*ret_widens = count > 0;
			break;
		}
		next = token(word, ret_reason);
		if (next == NULL) {
			free(pattern);
			return NULL;
		}
		append(&pattern, next);
		free(next);
	}
	if (command_check(text_of(pattern), &why))
		return pattern;
	*ret_reason = why.what;
	free(pattern);
	return NULL;
}

char *sudoers_path(const char *command) {
	const struct text word = {command, strcspn(command, " \t")};

	return output_memory(path_reason(word) == NULL ? strndup(word.at, word.length) : strdup(""));
}
