/* SPDX-License-Identifier: ISC */
#include "policy/environment.h"

/* In rows, so that most words cost one byte to look at; the NUL of each fits in, too, and "" ends a list. */
typedef char names[][24];

static const names ours = {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "PWD", "LISTEN_*", ""};
static const names by_default = {"LANG", "LC_*", "TERM", "TZ", "COLORTERM", ""};
static const names systemd = {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", ""};

/* ld.so(8), and what interpreters load code, options or start-up files from. */
static const names obeyed = {
	"LD_*", "GLIBC_*", "GCONV_*", "MALLOC_*", "MUSL_*", "LOCPATH", "NLSPATH", "RES_OPTIONS", "HOSTALIASES",
	"LOCALDOMAIN", "TERMINFO", "TERMINFO_*", "TERMCAP", "TZDIR", "GETCONF_*", "RESOLV_*", "ENV", "BASH_ENV",
	"BASHOPTS", "SHELLOPTS", "IFS", "CDPATH", "GLOBIGNORE", "PS4", "BASH_FUNC_*", "PROMPT_COMMAND", "RUBYOPT",
	"RUBYLIB", "RUBYSHELL", "RUBY_*", "GEM_*", "BUNDLE_*", "PYTHON*", "PERL5*", "PERLLIB", "PERL_*", "PERLIO*",
	"NODE_OPTIONS", "NODE_PATH", "NODE_REPL_*", "JAVA_*", "JDK_JAVA_*", "_JAVA_*", "CLASSPATH", "PHPRC",
	"PHP_INI_*", "LUA_*", "TCLLIBPATH", "OPENSSL_*", "DOTNET_*", "ERL_*", "GUNICORN_CMD_ARGS", "UWSGI_*", "ZDOTDIR",
	"NIS_PATH", "RUBYPATH", ""};

/* Does a word of env_keep, NAME or PREFIX*, never empty, stand for this name? */
static bool word_covers(struct text word, struct text name) {
	if (word.at[word.length - 1] == '*')
		return text_starts(name, (struct text){word.at, word.length - 1});
	return text_equal(word, name);
}

static bool list_covers(const names list, struct text name) {
	for (; **list != '\0'; list++) {
		size_t n = 0;
		while (n < name.length && (*list)[n] == name.at[n] && (*list)[n] != '\0')
			n++;
		if ((*list)[n] == '*' || (n == name.length && (*list)[n] == '\0'))
			return true;
	}
	return false;
}

bool environment_is_ours(struct text name) { return list_covers(ours, name); }
struct text environment_name(struct text assignment) { return text_until(&assignment, "="); }

static bool is_never_kept(struct text name) {
	return !text_is_variable(name) || list_covers(ours, name) || list_covers(obeyed, name);
}

bool environment_is_assignment(struct text t) {
	const struct text name = text_until(&t, "="), value = text_after(t, 1);
	const char quote = (char)(value.length > 1 ? value.at[0] : '\0');
	return t.length > 0 && text_is_variable(name) &&
	       !((quote == '"' || quote == '\'') && value.at[value.length - 1] == quote);
}

bool environment_is_keep_word(struct text t) {
	const bool is_prefix = t.length > 2 && t.at[t.length - 1] == '*' && t.at[t.length - 2] == '_';
	const struct text stem = {t.at, t.length - is_prefix};
	return !is_never_kept(stem) || text_is_choice(t, text_of("*|none|@systemd"));
}

/* Or the NULL behind them. A NUL in name would end both: of env_file's lines only well-formed ones come here. */
static char *const *find(char *const *strings, struct text name) {
	while (*strings != NULL && (strncmp(*strings, name.at, name.length) != 0 || (*strings)[name.length] != '='))
		strings++;
	return strings;
}

struct text environment_get(char *const *caller, const char *name) {
	const char *const found = *find(caller, text_of(name));
	return found != NULL ? text_of(found + strlen(name) + 1) : (struct text){0};
}

static bool refuse(struct problem *why, const char *what, struct text name) {
	return problem_about(why, "environment", what, name, "unset it, or take it out of `env_keep`");
}

bool environment_set(struct environment *e, struct sink *to, const char *start, struct text rest, struct problem *why) {
	char *const at = to->at + to->used;
	const bool is_full = e->count >= ENVIRONMENT_MAX_COUNT;

	sink_words(to, start);
	sink_text(to, rest);
	sink_byte(to, '\0');
	if (is_full || to->full)
		return refuse(why, is_full ? "more than 1024 variables, from" : "more than 128 KiB of environment, from",
			      environment_name(start[0] != '\0' ? text_of(start) : rest));
	e->strings[e->count++] = at;
	e->strings[e->count] = NULL;
	return true;
}

/* Of what nobody asked for, only what names no file: TZ=:/a/fifo would have the app open it (as CVE-2014-9680). */
static bool is_harmless(struct text value) {
	bool is_found = false;

	for (size_t i = 0; !is_found && i < value.length; i++)
		is_found = value.at[i] == '/' && (i == 0 || value.at[i - 1] == ':' || value.at[i - 1] == '.');
	return !is_found || text_is_choice(value, text_of(":/etc/localtime|/etc/localtime"));
}

static bool is_kept(const struct policy *p, struct text name, const char *value, bool is_cleared, bool is_trusted) {
	bool is_named = !is_cleared && list_covers(by_default, name) && (is_trusted || is_harmless(text_of(value)));

	for (const struct setting *s = NULL; !is_named && (s = policy_next(p, KEY_ENV_KEEP, s)) != NULL;)
		is_named = s->value.at[0] == '@' ? list_covers(systemd, name) : word_covers(s->value, name) &&
			   !text_is(s->value, "none") && (is_trusted || !text_is(s->value, "*"));
	return is_named && !is_never_kept(name); /* asked last: most names are in no list but that long one */
}

static bool add_secrets(struct environment *e, struct sink *bytes, struct text secrets, struct text path,
			struct problem *why) {
	unsigned number = 1;

	for (struct text line; text_field(&secrets, "\n", &line); number++) {
		const struct text name = environment_name(line);
		const bool is_shaped = text_is_printable(line) && environment_is_assignment(line);
		const char *what = !is_shaped ? "not NAME=value (the line is a secret, so not shown)"
				   : line.length > ENVIRONMENT_MAX_VALUE ? "longer than 32 KiB"
				   : environment_is_ours(name) ? "runas-app itself sets this name"
				   : *find(e->strings, name) != NULL ? "this name is set twice" : NULL;

		if (text_trim(line).length == 0 || line.at[0] == '#' ||
		    (what == NULL && environment_set(e, bytes, "", line, why)))
			continue;
		problem_about(why, "env-file", what != NULL ? what : "more than 1024 variables or 128 KiB of environment",
			      (struct text){0}, is_shaped ? NULL : "NAME=value: no export, quotes round the value, or control characters");
		why->object = path;
		why->line = number;
		return false;
	}
	return true;
}

/* A set of first bytes; that two of them may share a bit only costs a closer look. */
static uint64_t bit(char c) { return UINT64_C(1) << (c & 63); }

static uint64_t first_bytes(const names list) {
	uint64_t found = 0;
	for (; **list != '\0'; list++)
		found |= bit(**list);
	return found;
}

bool environment_fill(struct environment *e, struct sink *bytes, const struct policy *p, struct text secrets,
		      char *const *caller, bool is_trusted, struct problem *why) {
	uint64_t wanted = first_bytes(by_default);
	bool is_cleared = false;

	e->strings[e->count] = NULL;
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_ENV, s)) != NULL;)
		if (!environment_set(e, bytes, "", s->value, why))
			return false;
	if (!add_secrets(e, bytes, secrets, policy_value(p, KEY_ENV_FILE), why))
		return false;
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_ENV_KEEP, s)) != NULL;) {
		const char c = s->value.at[0];
		is_cleared = is_cleared || text_is(s->value, "none");
		wanted |= c == '*' ? UINT64_MAX : c == '@' ? first_bytes(systemd) : bit(c);
	}
	for (char *const *const own = e->strings + e->count; *caller != NULL; caller++) {
		const char *const end = (wanted & bit(**caller)) != 0 ? strchr(*caller, '=') : NULL;
		const struct text name = {*caller, end != NULL ? (size_t)(end - *caller) : 0};
		char *const *at;

		if (end == NULL || !is_kept(p, name, end + 1, is_cleared, is_trusted) ||
		    (at = find(e->strings, name)) < own)
			continue;
		const struct text pair = text_of(*caller);
		const char *what = *at != NULL ? "the caller's environment holds it twice:"
				   : pair.length > ENVIRONMENT_MAX_VALUE ? "longer than 32 KiB:"
				   : !is_trusted && !text_is_printable(pair) ? "holds a control character:" : NULL;
		if (what != NULL)
			return refuse(why, what, name);
		if (!environment_set(e, bytes, "", pair, why))
			return false;
	}
	return true;
}
