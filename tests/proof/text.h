/* SPDX-License-Identifier: ISC */
/*
 * What src/policy/text promises, for the prover; the words are in src/policy/text.h.
 * Given:    a text's bytes are readable up to its length (the only thing asked of a caller).
 */
#pragma once

#include "tests/proof/string.h" /* keeps the other one out of the next */

#include "policy/text.h"

/*@ predicate readable(struct text t) = t.length == 0 || \valid_read(t.at + (0 .. t.length - 1));
    predicate inside(struct text part, struct text whole) = part.length <= whole.length && (part.length == 0 ||
      (\base_addr(part.at) == \base_addr(whole.at) && whole.at <= part.at &&
       part.at + part.length <= whole.at + whole.length));
    predicate same(char *a, char *b, integer length) = \forall integer i; 0 <= i < length ==> a[i] == b[i];
    predicate equal(struct text a, struct text b) = a.length == b.length && same(a.at, b.at, a.length);
    predicate starts(struct text t, struct text with) = t.length >= with.length && same(t.at, with.at, with.length);
    predicate in_base(struct text t, integer end, integer base) =
      \forall integer i; 0 <= i < t.length && i < end ==> '0' <= t.at[i] < '0' + base;
    predicate number(struct text t, integer most, integer base) =
      0 < t.length <= most && in_base(t, t.length, base);
    predicate printable(struct text t, integer end) =
      \forall integer i; 0 <= i < end ==> t.at[i] != 0x7f && (unsigned char)t.at[i] >= 0x20;
    logic integer left(struct text t) = t.at == \null ? 0 : t.length + 1;
    predicate is_last(struct text part, struct text rest, struct text whole) = rest.at == \null ?
      part.at + part.length == whole.at + whole.length : rest.at + rest.length == whole.at + whole.length;
    axiomatic Numbers {
      logic integer value(char *at, integer length, integer base) reads at[0 .. length - 1];
      axiom value_none: \forall char *at, integer base; value(at, 0, base) == 0;
      axiom value_more: \forall char *at, integer length, base; length > 0 ==>
        value(at, length, base) == value(at, length - 1, base) * base + (at[length - 1] - '0');
    }
    logic integer most_of(integer n) =
      n == 0 ? 1 - 1 :
      n == 1 ? 10 - 1 :
      n == 2 ? 100 - 1 :
      n == 3 ? 1000 - 1 :
      n == 4 ? 10000 - 1 :
      n == 5 ? 100000 - 1 :
      n == 6 ? 1000000 - 1 :
      n == 7 ? 10000000 - 1 :
      n == 8 ? 100000000 - 1 :
      n == 9 ? 1000000000 - 1 :
      n == 10 ? 10000000000 - 1 :
      n == 11 ? 100000000000 - 1 :
      n == 12 ? 1000000000000 - 1 :
      n == 13 ? 10000000000000 - 1 :
      n == 14 ? 100000000000000 - 1 :
      n == 15 ? 1000000000000000 - 1 :
      n == 16 ? 10000000000000000 - 1 :
      n == 17 ? 100000000000000000 - 1 :
      n == 18 ? 1000000000000000000 - 1 :
      10000000000000000000 - 1;
    lemma most_of_all: \forall integer n; 0 <= most_of(n) <= 10000000000000000000 - 1;
    lemma one_more: \forall integer n, sum, digit, base; 0 <= n <= 18 && 0 <= sum <= most_of(n) &&
      (base == 8 || base == 10) && 0 <= digit < base ==> sum * base + digit <= most_of(n + 1);
*/

/*@ assigns \nothing;
    ensures \result.at == words && \result.length == string_length(words) && readable(\result); */
struct text text_of(const char *words);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result ==> t.length == string_length(words) && same(t.at, words, t.length); */
bool text_is(struct text t, const char *words);

/*@ requires readable(a) && readable(b);
    assigns \nothing;
    ensures \result <==> equal(a, b); */
bool text_equal(struct text a, struct text b);

/*@ requires readable(t) && readable(prefix);
    assigns \nothing;
    ensures \result <==> starts(t, prefix); */
bool text_starts(struct text t, struct text prefix);

/*@ requires readable(t);
    assigns \nothing;
    ensures readable(\result) && inside(\result, t);
    ensures skip < t.length ==> \result.at == t.at + skip && \result.length == t.length - skip;
    ensures skip >= t.length ==> \result.at == \null && \result.length == 0; */
struct text text_after(struct text t, size_t skip);

/*@ requires readable(t);
    assigns \nothing;
    ensures readable(\result) && inside(\result, t); */
struct text text_trim(struct text t);

/*@ requires \valid(rest) && readable(*rest);
    assigns *rest;
    ensures readable(\result) && readable(*rest);
    ensures \result.at == \old(rest->at) && \result.length + rest->length == \old(rest->length);
    ensures inside(\result, \old(*rest)) && inside(*rest, \old(*rest));
    ensures rest->length > 0 ==> rest->at == \old(rest->at) + \result.length;
    ensures rest->length == 0 ==> rest->at == \null; */
struct text text_until(struct text *rest, const char *stops);

/*@ requires \valid(rest) && readable(*rest);
    assigns *rest;
    ensures readable(\result) && readable(*rest);
    ensures inside(\result, \old(*rest)) && inside(*rest, \old(*rest));
    ensures \result.length + rest->length <= \old(rest->length); */
struct text text_word(struct text *rest);

/*@ requires \valid(rest) && \valid(ret) && \separated(rest, ret) && readable(*rest);
    assigns *rest, *ret;
    ensures \result <==> \old(rest->at) != \null;
    ensures readable(*rest);
    ensures inside(*rest, \old(*rest));
    ensures !\result ==> *rest == \old(*rest) && *ret == \old(*ret);
    ensures \result ==> readable(*ret) && inside(*ret, \old(*rest)) && ret->at == \old(rest->at);
    ensures \result ==> left(*rest) < left(\old(*rest));
    ensures \result ==> is_last(*ret, *rest, \old(*rest)); */
bool text_field(struct text *rest, const char *stop, struct text *ret);

/*@ requires readable(t) && most <= 19;
    assigns \nothing;
    ensures \result <==> number(t, most, 10); */
bool text_is_digits(struct text t, size_t most);

/*@ requires readable(t) && \valid(ret) && \separated(ret, t.at + (0 .. t.length - 1));
    assigns *ret;
    ensures \result <==> number(t, 19, 10) && (t.length > 1 ==> t.at[0] != '0') && value(t.at, t.length, 10) <= most;
    ensures \result ==> *ret == value(t.at, t.length, 10); */
bool text_number(struct text t, uint64_t most, uint64_t *ret);

/*@ requires readable(t) && \valid(ret) && \separated(ret, t.at + (0 .. t.length - 1));
    assigns *ret;
    ensures \result <==> 3 <= t.length && number(t, 4, 8) && (t.length == 4 ==> t.at[0] == '0');
    ensures \result ==> *ret == value(t.at, t.length, 8) <= 0777; */
bool text_umask(struct text t, uint64_t *ret);

/*@ requires readable(t) && readable(choices);
    assigns \nothing; */
bool text_is_choice(struct text t, struct text choices);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result <==> printable(t, t.length); */
bool text_is_printable(struct text t);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result ==> 0 < t.length <= 31; */
bool text_is_app(struct text t);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result ==> 0 < t.length <= 32; */
bool text_is_account(struct text t);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result ==> 0 < t.length <= 256; */
bool text_is_variable(struct text t);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result ==> 0 < t.length; */
bool text_is_word(struct text t);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result ==> 0 < t.length < 4096 && t.at[0] == '/' && printable(t, t.length); */
bool text_is_path(struct text t);

/*@ requires readable(path) && readable(base);
    assigns \nothing;
    ensures \result <==> base.length == 1 ||
      (starts(path, base) && (path.length == base.length || path.at[base.length] == '/')); */
bool text_is_below(struct text path, struct text base);

/*@ predicate valid_sink(struct sink s) = s.used <= s.size && (s.size == 0 || \valid(s.at + (0 .. s.size - 1)));
    predicate goes_on(struct sink now, struct sink then) = valid_sink(now) && now.at == then.at &&
      now.size == then.size && then.used <= now.used && (then.full ==> now.full); */

/*@ requires \valid(s) && valid_sink(*s);
    assigns s->used, s->full, s->at[0 .. s->size - 1];
    ensures goes_on(*s, \old(*s));
    ensures \old(s->used) < s->size ==> s->used == \old(s->used) + 1 && s->at[\old(s->used)] == byte;
    ensures \old(s->used) >= s->size ==> s->full && s->used == \old(s->used); */
void sink_byte(struct sink *s, char byte);

/*@ requires \valid(s) && valid_sink(*s) && readable(t);
    requires \separated(s->at + (0 .. s->size - 1), t.at + (0 .. t.length - 1));
    assigns s->used, s->full, s->at[0 .. s->size - 1];
    ensures goes_on(*s, \old(*s));
    ensures t.length <= s->size - \old(s->used) ==> s->used == \old(s->used) + t.length;
    ensures t.length > s->size - \old(s->used) ==> s->used == s->size && s->full;
    ensures \forall integer i; 0 <= i < s->used - \old(s->used) ==> s->at[\old(s->used) + i] == t.at[i]; */
void sink_text(struct sink *s, struct text t);

/*@ requires \valid(s) && valid_sink(*s);
    requires \separated(s->at + (0 .. s->size - 1), words + (0 .. string_length(words)));
    assigns s->used, s->full, s->at[0 .. s->size - 1];
    ensures goes_on(*s, \old(*s)); */
void sink_words(struct sink *s, const char *words);

/*@ requires \valid(s) && valid_sink(*s) && readable(t);
    assigns s->used, s->full, s->at[0 .. s->size - 1];
    ensures goes_on(*s, \old(*s)); */
void sink_escaped(struct sink *s, struct text t);

/*@ requires \valid(digits + (0 .. 19));
    assigns digits[0 .. 19];
    ensures 1 <= \result.length <= 20 && readable(\result) && \result.at == digits + (20 - \result.length); */
struct text text_of_number(char digits[20], uint64_t number);

/*@ requires \valid(s) && valid_sink(*s);
    requires \separated(s->at + (0 .. s->size - 1), before + (0 .. string_length(before)));
    assigns s->used, s->full, s->at[0 .. s->size - 1];
    ensures goes_on(*s, \old(*s)); */
void sink_number(struct sink *s, const char *before, uint64_t number);
