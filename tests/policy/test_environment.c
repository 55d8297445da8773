/* SPDX-License-Identifier: ISC */
/* What the app gets instead of the caller's environment. */
#include "tests/policy/filled.h"

#include <stdint.h>
#include <stdio.h>

TestSuite(environment, .timeout = 20);

static const char *const dangerous[] = {
	/* glibc's own list of what a setuid program must not see, but TMPDIR, which only programs read */
	"GCONV_PATH",
	"GETCONF_DIR",
	"GLIBC_TUNABLES",
	"HOSTALIASES",
	"LD_AUDIT",
	"LD_BIND_NOT",
	"LD_BIND_NOW",
	"LD_DEBUG",
	"LD_DEBUG_OUTPUT",
	"LD_DYNAMIC_WEAK",
	"LD_HWCAP_MASK",
	"LD_LIBRARY_PATH",
	"LD_ORIGIN_PATH",
	"LD_PRELOAD",
	"LD_PROFILE",
	"LD_SHOW_AUXV",
	"LD_VERBOSE",
	"LD_WARN",
	"LOCALDOMAIN",
	"LOCPATH",
	"MALLOC_ARENA_MAX",
	"MALLOC_CHECK_",
	"MALLOC_PERTURB_",
	"MALLOC_TRACE",
	"NLSPATH",
	"RESOLV_HOST_CONF",
	"RES_OPTIONS",
	"TZDIR",
	/* shells */
	"ENV",
	"BASH_ENV",
	"BASHOPTS",
	"SHELLOPTS",
	"IFS",
	"CDPATH",
	"PS4",
	"GLOBIGNORE",
	"PROMPT_COMMAND",
	"BASH_FUNC_ls",
	/* interpreters */
	"RUBYOPT",
	"RUBYLIB",
	"RUBYSHELL",
	"GEM_HOME",
	"GEM_PATH",
	"BUNDLE_GEMFILE",
	"BUNDLE_BIN_PATH",
	"PYTHONPATH",
	"PYTHONHOME",
	"PYTHONSTARTUP",
	"PYTHONINSPECT",
	"PERL5LIB",
	"PERL5OPT",
	"PERL5DB",
	"PERLLIB",
	"PERL_MB_OPT",
	"NODE_OPTIONS",
	"NODE_PATH",
	"JAVA_TOOL_OPTIONS",
	"JDK_JAVA_OPTIONS",
	"_JAVA_OPTIONS",
	"CLASSPATH",
	"PHPRC",
	"PHP_INI_SCAN_DIR",
	"LUA_PATH",
	"LUA_INIT",
	"OPENSSL_CONF",
	"OPENSSL_ENGINES",
	"TERMINFO",
	"TERMINFO_DIRS",
	"TERMCAP",
	"MUSL_LOCPATH",
	"NIS_PATH",
	"ZDOTDIR",
	"RUBYPATH",
	"RUBY_GC_HEAP_INIT_SLOTS",
	"PERLIO",
	"NODE_REPL_EXTERNAL_MODULE",
	"TCLLIBPATH",
	"DOTNET_STARTUP_HOOKS",
	"ERL_FLAGS",
	"GUNICORN_CMD_ARGS",
	"UWSGI_INI",
};

static const char *const ours[] = {"HOME", "USER",	 "LOGNAME",    "SHELL",		"PATH",
				   "PWD",  "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};

Test(environment, assignments) {
	static const struct {
		const char *words;
		bool fits;
	} cases[] = {
		{"A=b", true},	    {"A=", true},	   {"A==", true},     {"A=b=c", true},
		{"A= b ", true},    {"A='", true},	   {"A=\"", true},    {"A='b", true},
		{"A=b'", true},	    {"A=it's", true},	   {"A=\"b'", true},  {"A={\"a\":1}", true},
		{"_a1=x", true},    {"RUBYOPT=-W0", true}, {"A", false},      {"", false},
		{"=b", false},	    {"A =b", false},	   {" A=b", false},   {"export A=b", false},
		{"A-B=c", false},   {"1A=b", false},	   {"A.B=c", false},  {"A='b'", false},
		{"A=\"b\"", false}, {"A=''", false},	   {"A=\"\"", false}, {"BASH_FUNC_x%%=() { :; }", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect(environment_is_assignment(given(cases[i].words)) == cases[i].fits, "%s", cases[i].words);
}

Test(environment, words_of_env_keep) {
	static const char *const good[] = {"PORT", "DATABASE_URL", "_x",	"MY_*", "XDG_*", "*",
					   "none", "@systemd",	   "RAILS_ENV", "TZ",	"TMPDIR"};
	static const char *const bad[] = {"",	"A*",  "A*B",		"_*",  "**", "*A", "@", "@other", "A=b", "A,B",
					  "1A", "A-B", "BASH_FUNC_x%%", "A_-", "AB*"};

	for (size_t i = 0; i < COUNT(good); i++)
		cr_expect(environment_is_keep_word(given(good[i])), "%s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		cr_expect(!environment_is_keep_word(given(bad[i])), "%s", bad[i]);
}

Test(environment, names_that_loaders_and_interpreters_obey_cannot_be_named) {
	static const char *const prefixes[] = {"LD_*",	   "GLIBC_*", "PYTHON_*", "GEM_*",
					       "BUNDLE_*", "JAVA_*",  "PERL5_*",  "LISTEN_*"};

	for (size_t i = 0; i < COUNT(dangerous); i++)
		cr_expect(!environment_is_keep_word(given(dangerous[i])), "%s", dangerous[i]);
	for (size_t i = 0; i < COUNT(ours); i++)
		cr_expect(!environment_is_keep_word(given(ours[i])) && environment_is_ours(given(ours[i])), "%s",
			  ours[i]);
	for (size_t i = 0; i < COUNT(prefixes); i++)
		cr_expect(!environment_is_keep_word(given(prefixes[i])), "%s", prefixes[i]);
	cr_expect(!environment_is_ours(given("HOMES")) && !environment_is_ours(given("OLDPWD")));
}

/* Neither does a blank join two words of a list, nor a NUL lead past its end. */
Test(environment, a_name_is_held_against_one_word) {
	static const char beyond[] = "LISTEN_*\0WORDS";

	cr_expect(!environment_is_ours(given("HOME USER")) && !environment_is_ours(given("PWD LISTEN_PID")));
	for (size_t length = sizeof("LISTEN_*"); length < sizeof(beyond); length++)
		cr_expect(!environment_is_ours(given_bytes(beyond, length)), "%zu", length);
}

/* Real root with `*`, which is the most that can be let in. */
Test(environment, names_that_loaders_and_interpreters_obey_are_never_kept) {
	for (size_t i = 0; i < COUNT(dangerous) + COUNT(ours); i++) {
		const char *name = i < COUNT(dangerous) ? dangerous[i] : ours[i - COUNT(dangerous)];
		char pair[64];

		snprintf(pair, sizeof(pair), "%s=/tmp/evil", name);
		struct filled *f = fill("env_keep = *\n", CALLER(pair, "PORT=80"), true);
		cr_assert(f->is_done, "%s", name);
		expect_value(f, name, NULL);
		expect_value(f, "PORT", "80");
	}
}

/* Shorter prefixes that happen to cover such a name do not let it in either. */
Test(environment, a_prefix_does_not_let_obeyed_names_in) {
	struct filled *f = fill("env_keep = P_* NODE_* RES_*\n",
				CALLER("NODE_OPTIONS=--require=/x", "NODE_ENV=production", "RES_OPTIONS=x"), false);

	cr_assert(f->is_done);
	expect_value(f, "NODE_OPTIONS", NULL);
	expect_value(f, "NODE_ENV", "production");
	expect_value(f, "RES_OPTIONS", NULL);
}

Test(environment, by_default_only_the_terminal_and_the_language) {
	struct filled *f =
		fill("",
		     CALLER("LANG=C", "LC_ALL=de_DE.UTF-8", "LC_TIME=C", "TERM=xterm", "TZ=UTC", "COLORTERM=1",
			    "LANGUAGE=de", "TERMX=1", "PORT=80", "SECRET=1", "SUDO_UID=0", "EDITOR=vi", "TMPDIR=/x"),
		     false);

	cr_assert(f->is_done);
	cr_expect(f->e.count == 6, "%zu", f->e.count);
	expect_value(f, "LANG", "C");
	expect_value(f, "LC_ALL", "de_DE.UTF-8");
	expect_value(f, "LC_TIME", "C");
	expect_value(f, "TERM", "xterm");
	expect_value(f, "TZ", "UTC");
	expect_value(f, "COLORTERM", "1");
}

/* CVE-2014-9680: a time zone may be any file, which the app then opens. */
Test(environment, what_nobody_asked_for_names_no_file) {
	static const char *const files[] = {"/etc/passwd", ":/a/fifo",	      "./x",  "../x", "a/../x", "a:/x",
					    "/",	   "/etc/localtime/", "::/x", "a./",  "a:/b"};
	static const char *const plain[] = {"UTC",
					    "Europe/Berlin",
					    ":Europe/Berlin",
					    "a/b/c",
					    "",
					    "a//b",
					    "/etc/localtime",
					    ":/etc/localtime",
					    "a/b:c",
					    "ab/:c",
					    "a/.",
					    ".a/b"};
	static const char *const names[] = {"TZ", "TERM", "LANG"};

	for (size_t n = 0; n < COUNT(names); n++)
		for (size_t i = 0; i < COUNT(files) + COUNT(plain); i++) {
			const bool is_file = i < COUNT(files);
			const char *const is = is_file ? files[i] : plain[i - COUNT(files)];
			char *const pair =
				given_string(given_joined(given_joined(given(names[n]), given("=")), given(is)));
			char *const *const caller = CALLER(pair);
			char asked[64];

			expect_value(fill("", caller, false), names[n], is_file ? NULL : is);
			expect_value(fill("", caller, true), names[n], is);
			snprintf(asked, sizeof(asked), "env_keep = %s\n", names[n]);
			expect_value(fill(asked, caller, false), names[n], is);
		}
}

Test(environment, env_keep_adds_and_none_clears) {
	char *const *caller = CALLER("LANG=C", "PORT=80", "MY_A=1", "MY_B=2", "MYC=3", "PORTS=4", "PORK=5");
	struct filled *f = fill("env_keep = PORT MY_*\n", caller, false);

	cr_expect(f->is_done && f->e.count == 4);
	expect_value(f, "MYC", NULL);
	expect_value(f, "PORK", NULL);
	f = fill("env_keep = none\n", caller, false);
	cr_expect(f->is_done && f->e.count == 0);
	f = fill("env_keep = PORT\nenv_keep = none\n", caller, false);
	cr_expect(f->is_done && f->e.count == 1, "order does not matter");
	expect_value(f, "PORT", "80");
	f = fill("env_keep = none PORT\n", caller, false);
	cr_expect(f->is_done && f->e.count == 1, "nor the other one");
	expect_value(f, "PORT", "80");
	f = fill("env_keep = none\n", CALLER("none=1", "nonesuch=2"), false);
	cr_expect(f->is_done && f->e.count == 0, "a word of the policy is no variable's name");
}

Test(environment, systemd_is_three_names) {
	struct filled *f = fill("env_keep = @systemd\n",
				CALLER("NOTIFY_SOCKET=/run/x", "WATCHDOG_PID=1", "WATCHDOG_USEC=2", "INVOCATION_ID=3",
				       "LISTEN_FDS=1", "NOTIFY=4", "WATCHDOG_DEVICE=5", "@systemd=6", "LINES=24"),
				false);

	cr_expect(f->is_done && f->e.count == 3, "%zu", f->e.count);
	expect_value(f, "NOTIFY_SOCKET", "/run/x");
}

Test(environment, star_only_for_the_trusted) {
	char *const *caller = CALLER("ANYTHING=1", "LANG=C", "PORT=80");
	struct filled *f = fill("env_keep = * PORT\n", caller, false);

	cr_assert(f->is_done);
	expect_value(f, "ANYTHING", NULL);
	expect_value(f, "LANG", "C");
	expect_value(f, "PORT", "80");
	f = fill("env_keep = * PORT\n", caller, true);
	cr_assert(f->is_done);
	expect_value(f, "ANYTHING", "1");
}

Test(environment, names_that_are_no_names_are_left_out) {
	struct filled *f =
		fill("env_keep = *\n",
		     CALLER("=x", "NOTHING", "", "A-B=1", "1A=2", "BASH_FUNC_x%%=() { id; }", "A B=3", "\nA=4", "OK=5"),
		     true);

	cr_assert(f->is_done);
	cr_expect(f->e.count == 1, "%zu", f->e.count);
	expect_value(f, "OK", "5");
}

Test(environment, the_policy_speaks_first) {
	struct filled *f = fill("env = PORT=1\nenv = LANG=POSIX\nenv = RUBYOPT=-W0\nenv = E=\nenv_keep = PORT\n",
				CALLER("PORT=2", "LANG=C", "RUBYOPT=-r/x"), true);

	cr_assert(f->is_done, "%s", f->why.what);
	cr_expect(f->e.count == 4, "%zu", f->e.count);
	expect_value(f, "PORT", "1");
	expect_value(f, "LANG", "POSIX");
	expect_value(f, "RUBYOPT", "-W0");
	expect_value(f, "E", "");
}

Test(environment, a_value_of_the_policy_is_kept_byte_for_byte) {
	struct filled *f =
		fill("env =   B= x\ty  \nenv = C=#no comment = here\nenv = D=a,b 'c' \"d\n", CALLER("X=1"), false);

	cr_assert(f->is_done);
	expect_value(f, "B", " x\ty  ");
	expect_value(f, "C", "#no comment = here");
	expect_value(f, "D", "a,b 'c' \"d");
}

static void expect_refused(const struct filled *f, const char *words, const char *about) {
	cr_assert(!f->is_done, "not refused: %s", words);
	cr_assert(f->why.word != NULL && f->why.what != NULL);
	cr_expect(strcmp(f->why.word, "environment") == 0, "%s", f->why.word);
	cr_expect(strstr(f->why.what, words) != NULL, "\"%s\", not \"%s\"", f->why.what, words);
	given_expect_text(f->why.about, about, words);
}

Test(environment, a_name_twice_refuses) {
	expect_refused(fill("env_keep = A\n", CALLER("A=1", "B=2", "A=3"), false), "twice", "A");
	expect_refused(fill("env_keep = *\n", CALLER("A=1", "A=1"), true), "twice", "A");
	expect_refused(fill("", CALLER("LANG=C", "LANG=D"), false), "twice", "LANG");
	cr_expect(fill("", CALLER("A=1", "A=2", "LANG=C"), false)->is_done, "what is not kept may stand twice");
	cr_expect(fill("env = A=1\nenv_keep = A\n", CALLER("A=2", "A=3"), false)->is_done,
		  "and so may what the policy sets");
}

Test(environment, a_control_character_refuses_unless_trusted) {
	static const char *const values[] = {"A=a\nb", "A=\x1b[2J", "A=a\rb", "A=\x7f", "A=\t"};

	for (size_t i = 0; i < COUNT(values); i++) {
		expect_refused(fill("env_keep = A\n", CALLER(values[i]), false), "control character", "A");
		cr_expect(fill("env_keep = A\n", CALLER(values[i]), true)->is_done, "case %zu", i);
	}
	cr_expect(fill("env_keep = A\n", CALLER("A=\xc3\xa4 \xe2\x82\xac"), false)->is_done, "UTF-8 is printable");
	cr_expect(fill("", CALLER("A=\n"), false)->is_done, "what is not kept does not matter");
}

Test(environment, a_variable_has_32_kib) {
	char *const most = given_string(given_joined(given("A="), given_times("x", ENVIRONMENT_MAX_VALUE - 2)));
	char *const more = given_string(given_joined(given("A="), given_times("x", ENVIRONMENT_MAX_VALUE - 1)));

	cr_expect(fill("env_keep = A\n", CALLER(most), false)->is_done);
	expect_refused(fill("env_keep = A\n", CALLER(more), false), "32 KiB", "A");
	expect_refused(fill("env_keep = A\n", CALLER(more), true), "32 KiB", "A");
	cr_expect(fill("", CALLER(more), false)->is_done, "what is not kept may be long");
}

Test(environment, all_of_it_has_128_kib) {
	const size_t each = ENVIRONMENT_MAX_BYTES / 4; /* NAME=value and its NUL */
	char *pairs[6] = {NULL};
	struct filled *f;

	for (int i = 0; i < 4; i++) {
		char name[] = {'A', (char)('0' + i), '=', '\0'};

		pairs[i] = given_string(given_joined(given(name), given_times("x", each - 4)));
	}
	f = fill("env_keep = *\n", pairs, true);
	cr_expect(f->is_done && f->e.count == 4, "%s", f->why.what);
	pairs[4] = given_string(given("B=1"));
	expect_refused(fill("env_keep = *\n", pairs, true), "128 KiB", "B");
}

Test(environment, the_policys_own_must_fit_too) {
	struct environment e = {0};
	struct sink bytes = {.at = given_room(8), .size = 8};
	struct problem why;

	cr_expect(!environment_fill(&e, &bytes, given_policy("env = LONG=123456\n"), (struct text){0}, CALLER(NULL),
				    true, &why));
}

Test(environment, all_of_it_has_1024_variables) {
	char **pairs = (char **)(void *)given_room((ENVIRONMENT_MAX_COUNT + 2) * sizeof(char *));
	char pair[32];
	struct filled *f;

	for (int i = 0; i < ENVIRONMENT_MAX_COUNT; i++) {
		snprintf(pair, sizeof(pair), "V%d=", i);
		pairs[i] = given_string(given(pair));
	}
	pairs[ENVIRONMENT_MAX_COUNT] = NULL;
	f = fill("env_keep = *\n", pairs, true);
	cr_expect(f->is_done && f->e.count == ENVIRONMENT_MAX_COUNT, "%s", f->why.what);
	pairs[ENVIRONMENT_MAX_COUNT] = given_string(given("LAST=1"));
	pairs[ENVIRONMENT_MAX_COUNT + 1] = NULL;
	f = fill("env_keep = *\n", pairs, true);
	expect_refused(f, "more than 1024 variables", "LAST");
}

Test(environment, asking_for_one_variable) {
	char *const *caller = CALLER("A=1", "AB=2", "A=3", "C=", "D");

	given_expect_text(environment_get(caller, "A"), "1", "A");
	given_expect_text(environment_get(caller, "AB"), "2", "AB");
	given_expect_text(environment_get(caller, "C"), "", "C");
	given_expect_text(environment_get(caller, "D"), "", "D");
	given_expect_text(environment_get(caller, "B"), "", "B");
}

/* --- env_file -------------------------------------------------------------------------------------------------- */
