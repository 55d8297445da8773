/* SPDX-License-Identifier: ISC */
#include "tests/proof/text.h"

/*@ assigns \nothing; */
static bool is_in(char c, const char *set);

/*@ assigns \nothing; */
static bool is_blank(char c);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result ==> 0 < t.length <= most; */
static bool is_shaped(struct text t, size_t most, const char *first, const char *rest);

/*@ requires readable(t) && 2 <= base <= 10;
    assigns \nothing;
    ensures \result <==> number(t, most, base); */
static bool are_digits(struct text t, size_t most, unsigned base);

/*@ requires readable(digits) && number(digits, 19, base) && (base == 8 || base == 10);
    assigns \nothing;
    ensures \result == value(digits.at, digits.length, base); */
static uint64_t sum_of(struct text digits, unsigned base);

#include "src/policy/text.c"
