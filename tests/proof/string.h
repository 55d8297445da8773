/* SPDX-License-Identifier: ISC */
/*
 * string.h as the proofs see it: what is assumed of libc, and nothing more.
 * Given:    strings end; whoever calls strlen, strchr and strncmp (for a) hands over a literal, or a string of the kernel (argv).
 * Promises: bytes are bytes: memcmp is only asked about char here, so it takes char.
 */
#pragma once

#define __FC_STRING_H_ /* keeps the one of Frama-C out */

#include <stddef.h>

/*@ axiomatic Strings { logic integer string_length(char *s) reads s[0 ..]; } */

/*@ assigns \nothing;
    ensures \result == string_length(s) && \valid_read(s + (0 .. \result)) && \result < 0x7fffffffffffffff; */
size_t strlen(const char *s);

/*@ assigns \nothing;
    ensures \result == \null || (\valid_read(\result) && *\result == (char)c && \base_addr(\result) == \base_addr(s)); */
char *strchr(const char *s, int c);

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
