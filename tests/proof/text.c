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

/*@ requires readable(t) && \valid(ret) && \separated(ret, t.at + (0 .. t.length - 1));
    requires most <= 19 && (base == 8 || base == 10);
    assigns *ret;
    ensures \result <==> number(t, most, base);
    ensures \result ==> *ret == value(t.at, t.length, base) <= most_of(t.length); */
static bool read_digits(struct text t, size_t most, unsigned base, uint64_t *ret);

#include "src/policy/text.c"
