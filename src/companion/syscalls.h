/* SPDX-License-Identifier: ISC */
/*
 * syscalls: what the names in a profile mean on this machine.
 *
 * Purpose:  turn system call names into numbers, and know which calls need a reason or must not be missing.
 * Runs as:  runas-policy and embed-profiles; never in the launcher.
 * Given:    libseccomp's tables for the native architecture, and our own of numbers that are newer than them.
 * Promises: a name that only other architectures have is told apart from one that nobody has.
 * Never:    guesses a number.
 */
#ifndef COMPANION_SYSCALLS_H
#define COMPANION_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SYSCALLS_NAME_SIZE = 40,
	SYSCALLS_NUMBERS = 1024, /* every number in use on any architecture that we compile for is below */
};

enum syscalls_where {
	SYSCALLS_NOWHERE = 0,
	SYSCALLS_HERE,
	SYSCALLS_ELSEWHERE, /* not on this architecture */
};

enum syscalls_where syscalls_find(const char *name, uint32_t *ret_number);

/* False when the number has no name here. */
bool syscalls_name(uint32_t number, char ret[SYSCALLS_NAME_SIZE]);

/* The most similar name, or "" when nothing is close enough to be a slip of the pen. */
void syscalls_nearest(const char *name, char ret[SYSCALLS_NAME_SIZE]);

/* Allowing this call widens what a taken-over app can try, so the profile must say why it does. */
bool syscalls_is_dangerous(const char *name);

/* NULL-terminated: what the launcher calls between loading the profile and the end of execve, or to report failure. */
extern const char *const syscalls_launcher_needs[];

#endif
