/* SPDX-License-Identifier: ISC */
#include "tests/proof/shapes.h"

/*@ requires readable(t) && \valid(ret) && \separated(ret, t.at + (0 .. t.length - 1));
    assigns *ret; */
static bool read_half(struct text t, uint64_t *ret);

#include "src/policy/check.c"
