/* SPDX-License-Identifier: ISC */
/*
 * Purpose   what a caller does to its own process before it starts runas-app, and the proof that it does not reach the app.
 * Runs as   root, in a world (world.h); gifts in the child that becomes the command.
 * Given     a policy `probe`.
 * Promises  a gift that cannot be made ends the child with WORLD_CHILD_BROKE and says which.
 * Never     believes a gift that a plain command does not see either.
 */
#ifndef SYSTEM_GIFTS_H
#define SYSTEM_GIFTS_H

#include <stdbool.h>

#include "world.h"

/* In the child, with errno: what a gift cannot do without. */
void gift_need(bool good, const char *what);

/* Into a file that is there: /proc/self/... */
void gift_write(const char *path, const char *text);

/* Under the hard one, which stays: to raise that again root needs a capability that it may not have. */
void gift_soft_limit(int resource, unsigned long long soft);

/* Inheritable and ambient, so that it would reach even a command that is not root's. */
void gift_ambient(int capability);

/* The gift must arrive at a command that is started directly, or the test would prove nothing; through runas-app the app
 * must see `expected`. */
void gift_expect_not_to_arrive(const struct world_person *who, void (*gift)(const void *), const void *data,
			       const char *key, const char *expected);

#endif
