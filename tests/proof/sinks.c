/* SPDX-License-Identifier: ISC */
/* The bounded writing of src/policy/text: nothing is written past size, what does not fit makes `full` true for good. */
#include "tests/proof/text.c"
