/* SPDX-License-Identifier: ISC */
#include "policy/environment.h"

static const char *const ours[] = {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "PWD", "LISTEN_*"};
static const char *const by_default[] = {"LANG", "LC_*", "TERM", "TZ", "COLORTERM"};
static const char *const systemd[] = {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"};

/* ld.so(8), and what interpreters load code, options or start-up files from. */
static const char *const obeyed[] = {
	"LD_*", "GLIBC_*", "GCONV_*", "MALLOC_*", "LOCPATH", "NLSPATH", "RES_OPTIONS", "HOSTALIASES", "LOCALDOMAIN",
	"TERMINFO", "TERMINFO_*", "TERMCAP", "TZDIR", "GETCONF_*", "RESOLV_*",
	"ENV", "BASH_ENV", "BASHOPTS", "SHELLOPTS", "IFS", "CDPATH", "GLOBIGNORE", "PS4", "BASH_FUNC_*", "PROMPT_COMMAND",
	"RUBYOPT", "RUBYLIB", "RUBYSHELL", "RUBY_*", "GEM_*", "BUNDLE_*", "PYTHON*", "PERL5*", "PERLLIB", "PERL_*", "PERLIO*",
	"NODE_OPTIONS", "NODE_PATH", "NODE_REPL_*", "JAVA_*", "JDK_JAVA_*", "_JAVA_*", "CLASSPATH",
	"PHPRC", "PHP_INI_*", "LUA_*", "TCLLIBPATH", "OPENSSL_*",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Does a word, NAME or PREFIX*, stand for this name? */
static bool word_covers(struct text word, struct text name) {
	if (word.length > 0 && word.at[word.length - 1] == '*')
		return text_starts(name, (struct text){word.at, word.length - 1});
	return text_equal(word, name);
}

static bool list_covers(const char *const *list, size_t count, struct text name) {
	for (size_t i = 0; i < count; i++)
		if (word_covers(text_of(list[i]), name))
			return true;
	return false;
}

bool environment_is_ours(struct text name) {
	return list_covers(ours, COUNT(ours), name);
}

struct text environment_name(struct text assignment) {
	return text_until(&assignment, "=");
}

bool environment_is_assignment(struct text t) {
	const struct text name = text_until(&t, "=");
	const struct text value = text_after(t, 1);
	const char quote = value.length > 1 ? value.at[0] : '\0';

	return t.length > 0 && text_is_variable(name) &&
	       !((quote == '"' || quote == '\'') && value.at[value.length - 1] == quote);
}

bool environment_is_keep_word(struct text t) {
	struct text stem = t;

	if (text_is(t, "*") || text_is(t, "none") || text_is(t, "@systemd"))
		return true;
	if (t.length > 2 && t.at[t.length - 1] == '*' && t.at[t.length - 2] == '_')
		stem.length--;
	return text_is_variable(stem) && !environment_is_ours(stem) && !list_covers(obeyed, COUNT(obeyed), stem);
}

struct text environment_get(char *const *caller, const char *name) {
	for (; *caller != NULL; caller++)
		if (text_is(environment_name(text_of(*caller)), name))
			return text_after(text_of(*caller), text_of(name).length + 1);
	return (struct text){0};
}

static bool has(const struct environment *e, size_t count, struct text name) {
	for (size_t i = 0; i < count; i++)
		if (text_equal(environment_name(text_of(e->strings[i])), name))
			return true;
	return false;
}

static bool refuse(struct problem *why, const char *what, struct text name) {
	return problem_about(why, "environment", what, name, "unset it, or take it out of `env_keep`");
}

bool environment_set(struct environment *e, struct sink *bytes, const char *name, struct text value, struct problem *why) {
	char *start = bytes->at + bytes->used;

	if (e->count >= ENVIRONMENT_MAX_COUNT)
		return refuse(why, "more than 1024 variables, from", text_of(name));
	sink_words(bytes, name);
	if (*name != '\0')
		sink_byte(bytes, '=');
	sink_text(bytes, value);
	sink_byte(bytes, '\0');
	if (bytes->full)
		return refuse(why, "more than 128 KiB of environment, from", *name != '\0' ? text_of(name) : environment_name(value));
	e->strings[e->count++] = start;
	return true;
}

static bool is_kept(const struct policy *p, struct text name, bool is_trusted) {
	bool cleared = false;

	if (!text_is_variable(name) || environment_is_ours(name) || list_covers(obeyed, COUNT(obeyed), name))
		return false;
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_ENV_KEEP, s)) != NULL;) {
		if (text_is(s->value, "none"))
			cleared = true;
		else if (text_is(s->value, "@systemd") ? list_covers(systemd, COUNT(systemd), name)
						       : (is_trusted || !text_is(s->value, "*")) && word_covers(s->value, name))
			return true;
	}
	return !cleared && list_covers(by_default, COUNT(by_default), name);
}

bool environment_fill(struct environment *e, struct sink *bytes, const struct policy *p, char *const *caller,
		      bool is_trusted, struct problem *why) {
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_ENV, s)) != NULL;)
		if (!environment_set(e, bytes, "", s->value, why))
			return false;
	for (const size_t own = e->count; *caller != NULL; caller++) {
		const struct text pair = text_of(*caller), name = environment_name(pair);

		if (name.length == pair.length || !is_kept(p, name, is_trusted) || has(e, own, name))
			continue;
		if (has(e, e->count, name))
			return refuse(why, "the caller's environment holds it twice:", name);
		if (pair.length > ENVIRONMENT_MAX_VALUE)
			return refuse(why, "longer than 32 KiB:", name);
		if (!is_trusted && !text_is_printable(pair))
			return refuse(why, "holds a control character:", name);
		if (!environment_set(e, bytes, "", pair, why))
			return false;
	}
	return true;
}
