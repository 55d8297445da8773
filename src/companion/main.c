/* SPDX-License-Identifier: ISC */
/* runas-policy: everything that helps people with policies and profiles. Never setuid. */
#include "companion/verb_compile.h"

#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#ifndef VERSION
#define VERSION "0.1"
#endif

static const struct verb {
	const char *name, *arguments, *what;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"compile", "[--root DIR] [NAME...]", "compile the site's system call profiles (all, or these)", verb_compile},
};

static void print_help(FILE *out) {
	fputs("usage: runas-policy VERB [ARGUMENT...]\n       runas-policy --help | --version\n\n", out);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		fprintf(out, "  %s %s\n        %s\n", verbs[i].name, verbs[i].arguments, verbs[i].what);
}

int main(int argc, char **argv) {
	/* It reads and writes what its caller names; with more rights than the caller that would be a hole. */
	if (getauxval(AT_SECURE) != 0) {
		fputs("runas-policy: runs with more rights than its caller (setuid, setgid or file capabilities)\n"
		      "hint: chmod 0755 it, and use sudo or a root shell\n",
		      stderr);
		return 2;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("runas-policy " VERSION);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 2, argv + 2);
	if (argc > 1)
		fprintf(stderr, "runas-policy: unknown verb `%s`\n", argv[1]);
	print_help(stderr);
	return 2;
}
