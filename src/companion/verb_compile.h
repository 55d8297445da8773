/* SPDX-License-Identifier: ISC */
/*
 * verb_compile: `runas-policy compile [--root DIR] [NAME...]`.
 *
 * Purpose:  turn the site's profile texts into the files that the launcher loads.
 * Runs as:  root, or whoever owns DIR; never with more rights than its caller.
 * Given:    NAME.profile in DIR/etc/runas-app/profiles.
 * Promises: NAME.filter is replaced as a whole or stays what it was; what the new one changes is printed.
 * Never:    writes a filter that program_read, the launcher's own judge, would not accept.
 */
#ifndef COMPANION_VERB_COMPILE_H
#define COMPANION_VERB_COMPILE_H

/* Arguments behind the verb; the exit status: 0, 1 (a profile was refused or not written), 2 (usage). */
int verb_compile(int argc, char **argv);

#endif
