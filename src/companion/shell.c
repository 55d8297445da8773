/* SPDX-License-Identifier: ISC */
#include "companion/shell.h"

#include "companion/output.h"

#include <stdlib.h>
#include <string.h>

static bool is_plain(const char *word) {
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:,@%=";

	/* A leading = is a command's path in zsh; a leading ~ is not harmless at all. */
	return word[0] != '\0' && word[0] != '=' && word[strspn(word, harmless)] == '\0';
}

char *shell_quoted(const char *word) {
	char *shown = output_escaped(word, strlen(word));
	/* Nothing was escaped, so nothing needs to be: output_escaped only makes texts longer. */
	const bool is_printable = strlen(shown) == strlen(word);
	char *text, *to;

	if (is_plain(word)) {
		free(shown);
		return output_memory(strdup(word));
	}
	to = text = output_memory(malloc(4 * strlen(word) + 4));
	if (!is_printable)
		*to++ = '$';
	*to++ = '\'';
	for (const char *at = word; *at != '\0'; at++) {
		if (is_printable && *at == '\'')
			to = stpcpy(to, "'\\''");
		else if (!is_printable &&
			 (*at == '\'' || *at == '\\' || (unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e))
			to += sprintf(to, "\\%03o", (unsigned char)*at);
		else
			*to++ = *at;
	}
	strcpy(to, "'");
	free(shown);
	return text;
}
