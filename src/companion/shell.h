/* SPDX-License-Identifier: ISC */
/*
 * shell: words of a command that somebody will paste.
 *
 * Purpose:  a hint can be pasted, whatever a file is called.
 * Given:    any bytes, such as the name of a file that an attacker chose.
 * Promises: sh -c 'echo WORD' gives the bytes back, and a terminal shows nothing but printable characters; where that
 *           needs $'...' (control characters, no UTF-8), bash, zsh, ksh and POSIX.1-2024 shells read it.
 * Never:    runs anything.
 */
#ifndef COMPANION_SHELL_H
#define COMPANION_SHELL_H

#include "companion/image.h"

char *shell_quoted(const char *word); /* a new string; words that need no quotes stay as they are */

/*
 * COMMAND (chown -h, chmod, setfacl) for what is at this absolute path of the image, to be pasted by root. Between the
 * question and the paste, whoever may write above the path could put a symlink there, and have root change a file that is
 * its own. So, unless root alone can: as the file's owner where that is enough, else by find(1), which follows no symlink
 * and takes this very inode. An image that is not running, nobody changes: there it is the plain command.
 */
char *shell_command(const struct image *image, const char *path, const char *command);

#endif
