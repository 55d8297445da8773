/* SPDX-License-Identifier: ISC */
#include "policy/text.h"

#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool is_one_of(char c, const char *bytes) {
	return c != '\0' && strchr(bytes, c) != NULL;
}

static bool is_shaped(struct text t, size_t most, const char *first, const char *rest) {
	if (t.length < 1 || t.length > most || !is_one_of(t.at[0], first))
		return false;
	for (size_t i = 1; i < t.length; i++)
		if (!is_one_of(t.at[i], rest))
			return false;
	return true;
}

struct text text_of(const char *words) {
	return (struct text){words, strlen(words)};
}

bool text_equal(struct text a, struct text b) {
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

bool text_is(struct text t, const char *words) {
	return text_equal(t, text_of(words));
}

bool text_starts(struct text t, struct text prefix) {
	return t.length >= prefix.length && text_equal((struct text){t.at, prefix.length}, prefix);
}

struct text text_after(struct text t, size_t skip) {
	return skip < t.length ? (struct text){t.at + skip, t.length - skip} : (struct text){0};
}

struct text text_trim(struct text t) {
	while (t.length > 0 && is_one_of(t.at[0], " \t"))
		t = text_after(t, 1);
	while (t.length > 0 && is_one_of(t.at[t.length - 1], " \t"))
		t.length--;
	return t;
}

struct text text_until(struct text *rest, const char *stops) {
	struct text part = {rest->at, 0};

	while (part.length < rest->length && !is_one_of(rest->at[part.length], stops))
		part.length++;
	*rest = text_after(*rest, part.length);
	return part;
}

struct text text_word(struct text *rest) {
	*rest = text_trim(*rest);
	return text_until(rest, " \t");
}

bool text_number(struct text t, uint64_t most, uint64_t *ret) {
	uint64_t sum = 0;

	if (!is_shaped(t, 19, DIGIT, DIGIT) || (t.length > 1 && t.at[0] == '0'))
		return false;
	for (size_t i = 0; i < t.length; i++)
		sum = sum * 10 + (uint64_t)(t.at[i] - '0');
	*ret = sum;
	return sum <= most;
}

bool text_umask(struct text t, uint32_t *ret) {
	uint32_t sum = 0;

	if (!is_shaped(t, 4, "01234567", "01234567") || t.length < 3 || (t.length == 4 && t.at[0] != '0'))
		return false;
	for (size_t i = 0; i < t.length; i++)
		sum = sum * 8 + (uint32_t)(t.at[i] - '0');
	*ret = sum;
	return true;
}

bool text_is_choice(struct text t, struct text choices) {
	for (bool more = true; more; choices = text_after(choices, 1)) {
		if (text_equal(text_until(&choices, "|"), t))
			return true;
		more = choices.length > 0;
	}
	return false;
}

bool text_is_digits(struct text t, size_t most) {
	return is_shaped(t, most, DIGIT, DIGIT);
}

bool text_is_app(struct text t) {
	return is_shaped(t, 31, LOWER, LOWER DIGIT "_-");
}

bool text_is_account(struct text t) {
	return is_shaped(t, 32, LOWER UPPER "_", LOWER UPPER DIGIT "_.-");
}

bool text_is_variable(struct text t) {
	return is_shaped(t, 256, LOWER UPPER "_", LOWER UPPER DIGIT "_");
}

bool text_is_word(struct text t) {
	return is_shaped(t, t.length, LOWER UPPER DIGIT "_", LOWER UPPER DIGIT "_.,:@%+=-");
}

bool text_is_printable(struct text t) {
	for (size_t i = 0; i < t.length; i++)
		if ((unsigned char)t.at[i] < 0x20 || t.at[i] == 0x7f)
			return false;
	return true;
}

bool text_is_path(struct text t) {
	if (t.length < 1 || t.length >= 4096 || t.at[0] != '/' || !text_is_printable(t))
		return false;
	while (t.length > 1) {
		struct text part;

		t = text_after(t, 1);
		part = text_until(&t, "/");
		if (part.length == 0 || text_is(part, ".") || text_is(part, "..") || text_is(t, "/"))
			return false;
	}
	return true;
}

bool text_is_below(struct text path, struct text base) {
	return base.length == 1 || (text_starts(path, base) && (path.length == base.length || path.at[base.length] == '/'));
}

void sink_byte(struct sink *s, char byte) {
	if (s->used < s->size)
		s->at[s->used++] = byte;
	else
		s->full = true;
}

void sink_text(struct sink *s, struct text t) {
	for (size_t i = 0; i < t.length; i++)
		sink_byte(s, t.at[i]);
}

void sink_words(struct sink *s, const char *words) {
	sink_text(s, text_of(words));
}

void sink_number(struct sink *s, uint64_t number) {
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	sink_text(s, (struct text){digits + n, sizeof(digits) - n});
}

void sink_escaped(struct sink *s, struct text t) {
	for (size_t i = 0; i < t.length; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if (c >= 0x20 && c <= 0x7e && c != '"' && c != '\\') {
			sink_byte(s, (char)c);
			continue;
		}
		sink_byte(s, '\\');
		for (int shift = 6; shift >= 0; shift -= 3)
			sink_byte(s, (char)('0' + (c >> shift & 7)));
	}
}
