/* SPDX-License-Identifier: ISC */
/*
 * What the shapes of values are asked through, for the prover: they read nothing beside the value, and change nothing.
 * Given: command_check, environment_is_assignment, environment_is_keep_word and policy_read_listen keep this too; they
 * are not proved.
 */
#pragma once

#include "tests/proof/lookup.h"

#include "policy/command.h"
#include "policy/environment.h"

/*@ requires \valid(why);
    assigns *why;
    ensures !\result; */
bool problem_about(struct problem *why, const char *word, const char *what, struct text about, const char *hint);

/*@ requires readable(value) && \valid(ret) && \separated(ret, value.at + (0 .. value.length - 1));
    assigns *ret;
    ensures \result ==> least <= *ret <= most; */
bool policy_read_number(struct text value, int least, int most, int *ret);

/*@ requires readable(value) && \valid(ret_soft) && \valid(ret_hard) && \separated(ret_soft, ret_hard) &&
      \separated(ret_soft, value.at + (0 .. value.length - 1)) &&
      \separated(ret_hard, value.at + (0 .. value.length - 1));
    assigns *ret_soft, *ret_hard;
    ensures \result ==> *ret_soft <= *ret_hard; */
bool policy_read_limit(struct text value, uint64_t *ret_soft, uint64_t *ret_hard);

/*@ requires readable(value) && \valid(ret);
    assigns *ret;
    ensures \result ==> 0 < ret->name.length <= 31; */
bool policy_read_profile(struct text value, struct plan_profile *ret);

/*@ requires readable(value) && \valid(ret);
    assigns *ret;
    ensures \result ==> ret->port != 0; */
bool policy_read_listen(struct text value, struct policy_listen *ret);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result ==> t.length > 0; */
bool environment_is_assignment(struct text t);

/*@ requires readable(t);
    assigns \nothing;
    ensures \result ==> t.length > 0; */
bool environment_is_keep_word(struct text t);

/*@ requires readable(pattern) && \valid(why);
    assigns *why; */
bool command_check(struct text pattern, struct problem *why);
