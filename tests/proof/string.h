/* SPDX-License-Identifier: ISC */
/*
 * string.h as the proofs see it: what is assumed of libc, and nothing more.
 * Given:    strings end; whoever calls strlen, is_string and strncmp (for a) hands over a literal, or a string of the kernel (argv).
 * Promises: bytes are bytes: memcmp is only asked about char here, so it takes char.
 */
#pragma once

#define __FC_STRING_H_ /* keeps the one of Frama-C out */

#include <stddef.h>

/*@ axiomatic Strings { logic integer string_length(char *s) reads s[0 ..]; } */

/*@ predicate string(char *s) = 0 <= string_length(s) < 0x7fffffffffffffff && \valid_read(s + (0 .. string_length(s))) &&
      \forall integer i; 0 <= i <= string_length(s) ==> (s[i] == 0 <==> i == string_length(s)); */

/*@ assigns \nothing;
    ensures \result == string_length(s) && string(s); */
size_t strlen(const char *s);

/* For a loop over a string: what strlen would say of it, without asking. */
/*@ ghost
    /@ assigns \nothing;
       ensures string(s); @/
    void is_string(const char *s); */

/*@ requires \valid_read(a + (0 .. n - 1)) && \valid_read(b + (0 .. n - 1));
    assigns \nothing;
    ensures \result == 0 <==> \forall integer i; 0 <= i < n ==> a[i] == b[i]; */
int memcmp(const char *a, const char *b, size_t n);

/*@ requires \valid_read(b + (0 .. n - 1));
    assigns \nothing;
    ensures \result == 0 && string_length(a) == n ==> \forall integer i; 0 <= i < n ==> a[i] == b[i]; */
int strncmp(const char *a, const char *b, size_t n);

/*@ requires \valid_read(s + (0 .. n - 1));
    assigns \nothing;
    ensures \result == \null || \exists integer k; 0 <= k < n && \result == s + k && s[k] == (char)c; */
char *memchr(const char *s, int c, size_t n);

/*@ requires \valid(to + (0 .. n - 1)) && \valid_read(from + (0 .. n - 1));
    requires \separated(to + (0 .. n - 1), from + (0 .. n - 1));
    assigns to[0 .. n - 1];
    ensures \result == to && \forall integer i; 0 <= i < n ==> to[i] == from[i]; */
char *memcpy(char *to, const char *from, size_t n);

/* Only of functions that are not proved yet. */
void *memset(void *s, int c, size_t n);
