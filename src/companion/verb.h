/* SPDX-License-Identifier: ISC */
/*
 * verb: what runas-policy can be asked for. Each verb is one file, verb_NAME.c; main.c only chooses.
 *
 * Purpose:  a new verb is a new file, and one line here and in main.c.
 * Runs as:  whoever asks; a verb that needs root says so, and all others say what they could not read.
 * Given:    the words behind the verb; --help is main's.
 * Promises: status 0 when all is as it should be, 1 when something was found, 2 for usage and for what could not be
 *           found out; findings on standard output, why a verb could not work on standard error.
 * Never:    asks a question.
 */
#ifndef COMPANION_VERB_H
#define COMPANION_VERB_H

struct verb {
	const char *name, *arguments;
	const char *what; /* half a line */
	const char *help; /* behind the usage line: paragraphs, options, examples; ends with a newline */
	int (*run)(int argc, char **argv); /* what stands behind the verb, NULL behind the last */
};

extern const struct verb verb_check;
extern const struct verb verb_explain;
extern const struct verb verb_list;
extern const struct verb verb_compile;
extern const struct verb verb_why;
extern const struct verb verb_audit;
extern const struct verb verb_learn;
extern const struct verb verb_import_sudoers;
extern const struct verb verb_new;
extern const struct verb verb_install;
extern const struct verb verb_status;

#endif
