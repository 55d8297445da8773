/* SPDX-License-Identifier: ISC */
#include "tests/proof/lookup.h"

#include "src/policy/check.c"
