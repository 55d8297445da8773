/* SPDX-License-Identifier: ISC */
/*
 * shell: words of a command that somebody will paste.
 *
 * Given:    any bytes, such as the name of a file that an attacker chose.
 * Promises: sh -c 'echo WORD' gives the bytes back, and a terminal shows nothing but printable characters; where that
 *           needs $'...' (control characters, no UTF-8), bash, zsh, ksh and POSIX.1-2024 shells read it.
 * Never:    runs anything.
 */
#ifndef COMPANION_SHELL_H
#define COMPANION_SHELL_H

char *shell_quoted(const char *word); /* a new string; words that need no quotes stay as they are */

#endif
