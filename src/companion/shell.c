/* SPDX-License-Identifier: ISC */
#include "companion/shell.h"

#include "companion/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
	memcpy(to, "'", 2);
	free(shown);
	return text;
}

/* The longest part of the path that nobody but root can change or replace; "" when the path itself is such a one. */
static char *firm_part(const struct image *image, const char *path) {
	char *part = output_memory(strdup("/"));

	for (size_t end = 1;; end++) {
		struct stat status;

		if (path[end] != '/' && path[end] != '\0')
			continue;
		char *next = output_memory(strndup(path, end));
		if (!image_lstat(image, next, &status) || !S_ISDIR(status.st_mode) || status.st_uid != 0 ||
		    (status.st_mode & 022) != 0) {
			free(next);
			break;
		}
		free(part);
		part = next;
		if (path[end] == '\0')
			break;
	}
	/* What lies right in it can only be replaced by root, too. */
	if (strchr(path + strlen(part) + (part[1] != '\0'), '/') == NULL)
		part[0] = '\0';
	return part;
}

/* find(1) takes -path as a pattern. */
static char *pattern_of(const char *path) {
	char *ret = output_memory(malloc(2 * strlen(path) + 1)), *to = ret;

	for (; *path != '\0'; path++) {
		if (strchr("*?[\\", *path) != NULL)
			*to++ = '\\';
		*to++ = *path;
	}
	*to = '\0';
	return ret;
}

char *shell_command(const struct image *image, const char *path, const char *command) {
	char *whole = output_format("%s%s", image->prefix, path), *quoted = shell_quoted(whole), *owner = NULL, *ret;
	char *firm = image->prefix[0] != '\0' ? output_memory(strdup("")) : firm_part(image, path);
	struct stat status;

	if (firm[0] == '\0' || !image_lstat(image, path, &status)) {
		ret = output_format("%s %s", command, quoted);
	} else if (status.st_uid != 0 && strncmp(command, "chown", 5) != 0 &&
		   (owner = image_user_name(image, status.st_uid)) != NULL) {
		ret = output_format("runuser -u %s -- %s %s", owner, command, quoted);
	} else {
		char *pattern = pattern_of(path), *exact = shell_quoted(pattern), *from = shell_quoted(firm);

		ret = output_format("find %s -path %s -inum %ju -execdir %s {} +", from, exact,
				    (uintmax_t)status.st_ino, command);
		free(pattern);
		free(exact);
		free(from);
	}
	free(whole);
	free(quoted);
	free(owner);
	free(firm);
	return ret;
}
