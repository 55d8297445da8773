/* SPDX-License-Identifier: ISC */
#include "policy/text.h"

/* In a set, z stands for a to z, Z for A to Z, and 9 for every digit. */
static bool is_in(char c, const char *set) {
	const char kind = (char)(c >= 'a' && c <= 'z' ? 'z' : c >= 'A' && c <= 'Z' ? 'Z' : c >= '0' && c <= '9' ? '9' : c);
	/*@ ghost is_string(set); */
	/*@ loop invariant \at(set, Pre) <= set <= \at(set, Pre) + string_length(\at(set, Pre));
	    loop invariant set == \at(set, Pre) + (set - \at(set, Pre));
	    loop assigns set;
	    loop variant string_length(\at(set, Pre)) - (set - \at(set, Pre)); */
	while (*set != '\0' && *set != kind)
		set++;
	return *set != '\0';
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool is_shaped(struct text t, size_t most, const char *first, const char *rest) {
	bool fits = t.length > 0 && t.length <= most;
	/*@ loop invariant fits ==> 0 < t.length <= most;
	    loop assigns i, fits;
	    loop variant t.length - i; */
	for (size_t i = 0; fits && i < t.length; i++)
		fits = is_in(t.at[i], i == 0 ? first : rest);
	return fits;
}

bool text_is_app(struct text t) { return is_shaped(t, 31, "z", "z9_-"); }
bool text_is_account(struct text t) { return is_shaped(t, 32, "zZ_", "zZ9_.-"); }
bool text_is_variable(struct text t) { return is_shaped(t, 256, "zZ_", "zZ9_"); }
bool text_is_word(struct text t) { return is_shaped(t, t.length, "zZ9_", "zZ9_.,:@%+=-"); }

struct text text_of_number(char digits[20], uint64_t number) {
	size_t n = 20;
	/*@ loop invariant 1 <= n <= 20 && (n == 20 || number <= most_of(n));
	    loop assigns n, number, digits[0 .. 19];
	    loop variant n; */
	do
		digits[--n] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return (struct text){digits + n, 20 - n};
}

bool text_equal(struct text a, struct text b) {
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

struct text text_trim(struct text t) {
	size_t skip = 0;
	/*@ loop invariant inside(t, \at(t, Pre));
	    loop assigns t.length;
	    loop variant t.length; */
	while (t.length > 0 && is_blank(t.at[t.length - 1]))
		t.length--;
	/*@ loop invariant skip <= t.length;
	    loop assigns skip;
	    loop variant t.length - skip; */
	while (skip < t.length && is_blank(t.at[skip]))
		skip++;
	return text_after(t, skip);
}

struct text text_until(struct text *rest, const char *stops) {
	struct text part = *rest;
	/*@ ghost is_string(stops); */
	/*@ loop invariant i <= string_length(stops) && part.at == rest->at && part.length <= rest->length;
	    loop assigns i, part.length;
	    loop variant string_length(stops) - i; */
	for (size_t i = 0; stops[i] != '\0'; i++) {
		size_t n = 0;
		/*@ loop invariant n <= part.length;
		    loop assigns n;
		    loop variant part.length - n; */
		while (n < part.length && part.at[n] != stops[i])
			n++;
		part.length = n;
	}
	*rest = text_after(*rest, part.length);
	return part;
}

struct text text_word(struct text *rest) {
	*rest = text_trim(*rest);
	return text_until(rest, " \t");
}

bool text_field(struct text *rest, const char *stop, struct text *ret) {
	if (rest->at == NULL)
		return false;
	*ret = text_until(rest, stop);
	*rest = rest->length > 0 ? (struct text){rest->at + 1, rest->length - 1} : (struct text){0};
	return true;
}

static bool read_digits(struct text t, size_t most, unsigned base, uint64_t *ret) {
	bool fits = t.length > 0 && t.length <= most;
	*ret = 0;
	/*@ loop invariant fits <==> 0 < t.length <= most && in_base(t, i, base);
	    loop invariant fits ==> i <= t.length && *ret == value(t.at, i, base) <= most_of(i);
	    loop assigns i, fits, *ret;
	    loop variant t.length - i; */
	for (size_t i = 0; fits && i < t.length; i++) {
		const int digit = t.at[i] - '0';
		fits = digit >= 0 && digit < (int)base;
		/*@ assert fits ==> *ret * base + digit <= most_of(i + 1); */
		*ret = fits ? *ret * base + (unsigned)digit : 0;
	}
	return fits;
}

bool text_is_digits(struct text t, size_t most) {
	uint64_t number;
	return read_digits(t, most, 10, &number);
}

bool text_number(struct text t, uint64_t most, uint64_t *ret) {
	return read_digits(t, 19, 10, ret) && (t.length == 1 || t.at[0] != '0') && *ret <= most;
}

bool text_umask(struct text t, uint64_t *ret) {
	return read_digits(t, 4, 8, ret) && t.length >= 3 && (t.length == 3 || t.at[0] == '0');
}

bool text_is_choice(struct text t, struct text choices) {
	/*@ loop invariant readable(choices);
	    loop assigns choices, choice;
	    loop variant left(choices); */
	for (struct text choice; text_field(&choices, "|", &choice);)
		if (text_equal(t, choice))
			return true;
	return false;
}

bool text_is_printable(struct text t) {
	/*@ loop invariant i <= t.length && printable(t, i);
	    loop assigns i;
	    loop variant t.length - i; */
	for (size_t i = 0; i < t.length; i++)
		if ((unsigned char)t.at[i] < 0x20 || t.at[i] == 0x7f)
			return false;
	return true;
}

bool text_is_path(struct text t) {
	struct text part, parts = text_after(t, 1);
	/*@ loop invariant readable(parts);
	    loop assigns parts, part;
	    loop variant left(parts); */
	while (text_field(&parts, "/", &part))
		if (text_starts(text_of(".."), part))
			return false;
	return t.length > 0 && t.length < 4096 && t.at[0] == '/' && text_is_printable(t);
}

bool text_is_below(struct text path, struct text base) {
	return base.length == 1 ||
	       (text_starts(path, base) && (path.length == base.length || path.at[base.length] == '/'));
}

void sink_text(struct sink *s, struct text t) {
	const size_t room = s->size - s->used, taken = t.length < room ? t.length : room;
	if (taken > 0)
		memcpy(s->at + s->used, t.at, taken);
	s->used += taken;
	s->full = s->full || taken < t.length;
}

void sink_byte(struct sink *s, char byte) {
	if (s->used < s->size)
		s->at[s->used++] = byte;
	else
		s->full = true;
}

void sink_number(struct sink *s, const char *before, uint64_t number) {
	char digits[20];
	sink_words(s, before);
	sink_text(s, text_of_number(digits, number));
}

void sink_escaped(struct sink *s, struct text t) {
	/*@ loop invariant i <= t.length && goes_on(*s, \at(*s, Pre));
	    loop assigns i, s->used, s->full, s->at[0 .. s->size - 1];
	    loop variant t.length - i; */
	for (size_t i = 0; i < t.length; i++) {
		const unsigned char c = (unsigned char)t.at[i];
		const bool is_plain = c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
		sink_byte(s, (char)(is_plain ? c : '\\'));
		/*@ loop invariant -3 <= shift <= 6 && goes_on(*s, \at(*s, Pre));
		    loop assigns shift, s->used, s->full, s->at[0 .. s->size - 1];
		    loop variant shift; */
		for (int shift = 6; !is_plain && shift >= 0; shift -= 3)
			sink_byte(s, (char)('0' + (c >> shift) % 8));
	}
}

bool problem_set(struct problem *why, enum problem_status status, const char *word, const char *what) {
	*why = (struct problem){.status = status, .word = word, .what = what};
	return false;
}

bool problem_about(struct problem *why, const char *word, const char *what, struct text about, const char *hint) {
	*why = (struct problem){.status = PROBLEM_SELF, .word = word, .what = what, .about = about, .hint = hint};
	return false;
}
