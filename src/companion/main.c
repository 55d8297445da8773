/* SPDX-License-Identifier: ISC */
/* runas-policy: everything that helps people with policies and profiles. Never setuid. */
#include "companion/output.h"
#include "companion/suggest.h"
#include "companion/verb.h"
#include "policy/program.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

static const struct verb *const verbs[] = {
	&verb_check,
	&verb_explain,
	&verb_list,
	&verb_compile,
	&verb_why,
	&verb_audit,
	&verb_learn,
	&verb_import_sudoers,
	&verb_new,
	&verb_install,
	&verb_status,
};

static int print_help(FILE *out) {
	fputs("usage: runas-policy VERB [ARGUMENT...]\n       runas-policy VERB --help\n"
	      "       runas-policy --help | --version\n\n",
	      out);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		fprintf(out, "  %s%-15s%s %s\n", output_colour(out, OUTPUT_BOLD), verbs[i]->name,
			output_colour(out, OUTPUT_NONE), verbs[i]->what);
	return output_done(0);
}

static int print_verb_help(const struct verb *verb) {
	printf("usage: runas-policy %s %s\n\n%s", verb->name, verb->arguments, verb->help);
	return output_done(0);
}

static void say_no_such_verb(const char *word) {
	struct suggestion near = suggest_for(text_of(word));
	char *hint;

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		suggest_offer(&near, text_of(verbs[i]->name));
	hint = near.best[0] == '\0' ? NULL : output_format("did you mean %s?", near.best);
	output_fail(hint != NULL ? hint : "runas-policy --help lists the verbs", "no such verb: %s", word);
	free(hint);
}

static bool wants_help(int argc, char **argv) {
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

int main(int argc, char **argv) {
	/* It reads and writes what its caller names; with more rights than the caller that would be a hole. */
	if (getauxval(AT_SECURE) != 0) {
		fputs("runas-policy: runs with more rights than its caller (setuid, setgid or file capabilities)\n"
		      "hint: chmod 0755 it, and use sudo or a root shell\n",
		      stderr);
		return 2;
	}
	setlocale(LC_CTYPE, ""); /* or tables would show letters beyond ASCII as numbers */
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return print_help(stdout);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("runas-policy%s", strchr(shipped_version, ' '));
		return output_done(0);
	}
	for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(argv[1], verbs[i]->name) == 0)
			return wants_help(argc - 2, argv + 2) ? print_verb_help(verbs[i])
							      : verbs[i]->run(argc - 2, argv + 2);
	if (argc > 1)
		say_no_such_verb(argv[1]);
	else
		print_help(stderr);
	return OUTPUT_USAGE;
}
