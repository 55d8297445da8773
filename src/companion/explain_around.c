/* SPDX-License-Identifier: ISC */
/* What is around the app: its environment, and the system calls that it has. */
#include "companion/explain.h"

#include "companion/generate.h"
#include "companion/syscalls.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

/* --- files --- */

static void trust_profile(const struct draft *draft, const char *name, size_t length, const char *suffix,
			  struct findings *findings) {
	char *path = output_format("/etc/runas-app/profiles/%.*s%s", (int)length, name, suffix);

	draft_is_trusted(draft->image, path, TRUST_FILE, FINDING_ERROR, findings);
	free(path);
}

static void trust_secrets(const struct draft *draft, const struct rehearsal *r, const struct setting *s,
			  struct findings *findings) {
	char *path = output_memory(strndup(s->value.at, s->value.length));
	char *hint = output_format("as root: install -m 0600 /dev/null %s", path);
	const bool is_there = r->has_secrets || (r->secrets_error != ENOENT && r->secrets_error != ENOTDIR);

	if (draft->is_installed)
		draft_is_trusted(draft->image, path, TRUST_SECRET, FINDING_ERROR, findings);
	if (!r->has_secrets)
		finding_place(findings_add(findings, is_there || !draft->is_installed ? FINDING_WARNING : FINDING_ERROR,
					   draft->path, "env-file", is_there ? "ask as root" : hint,
					   "cannot be read, so its variables are missing here: %s",
					   strerror(r->secrets_error)),
			      draft->bytes, s->line, s->value);
	free(hint);
	free(path);
}

/* A policy of numbers only needs neither file. */
static void trust_accounts(const struct draft *draft, struct findings *findings) {
	struct accounts *before = output_memory(calloc(1, sizeof *before));

	accounts_begin(before, &draft->policy);
	if (accounts_wants(before, &draft->policy, ACCOUNTS_PASSWD))
		draft_is_trusted(draft->image, "/etc/passwd", TRUST_FILE, FINDING_ERROR, findings);
	if (accounts_wants(before, &draft->policy, ACCOUNTS_GROUP))
		draft_is_trusted(draft->image, "/etc/group", TRUST_FILE, FINDING_ERROR, findings);
	free(before);
}

void explain_trust(const struct draft *draft, const struct rehearsal *r, struct findings *findings) {
	const struct setting *const secrets = policy_next(&draft->policy, KEY_ENV_FILE, NULL);
	const struct plan_profile profile = plan_profile(&draft->policy);

	if (secrets != NULL && r->caller.has_root)
		trust_secrets(draft, r, secrets, findings);
	if (!draft->is_installed)
		return;
	trust_accounts(draft, findings);
	if (!profile.is_site)
		return;
	trust_profile(draft, profile.name.at, profile.name.length, ".filter", findings);
	for (size_t i = 0; i < r->site.source_count; i++)
		trust_profile(draft, r->site.sources[i].name, strlen(r->site.sources[i].name), ".profile", findings);
}

/* --- environment --- */

static const struct setting *setter(const struct policy *p, struct text name) {
	const struct setting *s = NULL;

	while ((s = policy_next(p, KEY_ENV, s)) != NULL && !text_equal(environment_name(s->value), name))
		;
	return s;
}

static bool is_secret(const struct rehearsal *r, struct text name) {
	struct text rest = text_of(r->has_secrets ? r->secrets : ""), line;

	while (text_field(&rest, "\n", &line))
		if (line.length > name.length && text_equal(environment_name(line), name))
			return true;
	return false;
}

struct known {
	const char *name;
	enum policy_key key;
	const char *otherwise;
};

/* Of the names that runas-app sets itself; NULL: it does not. */
static const struct known *known_name(struct text name) {
	static const struct known all[] = {
		{"HOME", KEY_HOME, "account"},		{"USER", KEY_USER, "account"},
		{"LOGNAME", KEY_USER, "account"},	{"SHELL", KEY_SHELL, "account"},
		{"PATH", KEY_PATH, "default"},		{"PWD", KEY_DIRECTORY, "account"},
		{"TMPDIR", KEY_TMP, "default"},		{"LISTEN_FDS", KEY_LISTEN, "keep_fds"},
		{"LISTEN_PID", KEY_LISTEN, "keep_fds"}, {"LISTEN_FDNAMES", KEY_LISTEN, "keep_fds"},
	};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (text_is(name, all[i].name))
			return &all[i];
	return NULL;
}

/* The word of `env_keep` that a kept variable came through; NULL: the default list. */
static const struct setting *keeper(const struct explained *e, struct text name) {
	const struct setting *s = NULL;

	while ((s = policy_next(&e->draft->policy, KEY_ENV_KEEP, s)) != NULL) {
		const bool is_prefix = s->value.length > 0 && s->value.at[s->value.length - 1] == '*';
		const bool is_systemd = text_is(s->value, "@systemd") &&
					text_is_choice(name, text_of("NOTIFY_SOCKET|WATCHDOG_PID|WATCHDOG_USEC"));

		if (is_systemd || text_equal(s->value, name) ||
		    (is_prefix && text_starts(name, (struct text){s->value.at, s->value.length - 1})))
			return s;
	}
	return NULL;
}

static void explain_variable(const struct explained *e, const char *string) {
	const struct text name = environment_name(text_of(string)),
			  value = text_after(text_of(string), name.length + 1);
	const struct setting *const set = setter(&e->draft->policy, name), *const kept = keeper(e, name);
	const struct known *const known = set == NULL ? known_name(name) : NULL;
	char *shown = output_memory(strndup(name.at, name.length));

	if (set != NULL)
		sheet_row(e->sheet, shown, (struct sheet_from){"policy", set->line}, explain_text(value), "%.*s",
			  (int)value.length, value.at);
	else if (is_secret(e->rehearsal, name))
		sheet_row(e->sheet, shown, explain_from(e->draft, KEY_ENV_FILE, "policy"), json_null(),
			  "(secret, of env_file: not shown)");
	else if (known != NULL && text_is(name, "LISTEN_PID"))
		sheet_row(e->sheet, shown, explain_from(e->draft, known->key, known->otherwise), json_null(),
			  "(the process id of the launch)");
	else if (text_is(name, "PWD") && e->rehearsal->plan.keeps_cwd)
		sheet_row(e->sheet, shown, (struct sheet_from){"caller", 0}, explain_text(value), "%.*s",
			  (int)value.length, value.at);
	else if (known != NULL)
		sheet_row(e->sheet, shown, explain_from(e->draft, known->key, known->otherwise), explain_text(value),
			  "%.*s", (int)value.length, value.at);
	else if (kept != NULL) /* it may be a secret of the caller's, and such reports are passed on */
		sheet_row(e->sheet, shown, (struct sheet_from){"policy", kept->line}, json_null(),
			  "(the caller's, kept: not shown)");
	else
		sheet_row(e->sheet, shown, (struct sheet_from){"caller", 0}, explain_text(value),
			  "%.*s (the caller's, kept)", (int)value.length, value.at);
	free(shown);
}

void explain_environment(const struct explained *e) {
	const struct environment *all = &e->rehearsal->plan.environment;
	const struct setting *s = NULL;
	const char *by_default = "LANG LC_* TERM TZ COLORTERM";
	char *words = output_memory(strdup(""));

	sheet_section(e->sheet, "environment", "Environment", true);
	for (size_t i = 0; i < all->count; i++)
		explain_variable(e, all->strings[i]);
	while ((s = policy_next(&e->draft->policy, KEY_ENV_KEEP, s)) != NULL) {
		char *more;

		if (text_is(s->value, "none")) {
			by_default = "";
			continue;
		}
		more = output_format("%s %.*s", words, (int)s->value.length, s->value.at);
		free(words);
		words = more;
	}
	if (by_default[0] == '\0' && words[0] == '\0')
		sheet_row(e->sheet, "env_keep", explain_from(e->draft, KEY_ENV_KEEP, "default"), NULL,
			  "nothing of the caller's");
	else
		sheet_row(e->sheet, "env_keep", explain_from(e->draft, KEY_ENV_KEEP, "default"), NULL,
			  "%s%s: the caller's, where set%s", by_default, words + (by_default[0] == '\0'),
			  e->is_live ? "; above, as this process has them" : "");
	free(words);
}

/* --- system calls --- */

enum answer { REFUSED, ALLOWED, CONDITIONAL, MISSING, ANSWERS };

static enum answer ask(const struct program *program, uint32_t number) {
	const struct evaluate_answer answer = generate_ask(program, number);

	return answer.looks > 0				      ? CONDITIONAL
	       : answer.action == SECCOMP_RET_ALLOW	      ? ALLOWED
	       : answer.action == (SECCOMP_RET_ERRNO | EPERM) ? REFUSED
							      : MISSING;
}

struct tally {
	unsigned counts[ANSWERS];
	json_t *notable[ANSWERS]; /* of the dangerous ones, the names */
	char *lists[ANSWERS];
};

static void count_calls(const struct program *program, struct tally *ret) {
	for (size_t i = 0; i < ANSWERS; i++) {
		ret->counts[i] = 0;
		ret->notable[i] = output_memory(json_array());
		ret->lists[i] = output_memory(strdup(""));
	}
	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		char name[SYSCALLS_NAME_SIZE], *more;
		enum answer answer;

		if (!syscalls_name(number, name))
			continue;
		answer = ask(program, number);
		ret->counts[answer]++;
		if (!syscalls_is_dangerous(name))
			continue;
		output_append(ret->notable[answer], json_string(name));
		more = output_format("%s%s%s", ret->lists[answer], ret->lists[answer][0] == '\0' ? "" : " ", name);
		free(ret->lists[answer]);
		ret->lists[answer] = more;
	}
}

static void explain_calls(const struct explained *e, const struct program *enforced) {
	/* What people ask for first; the rest is in the JSON. */
	static const char *const asked[] = {"ptrace",	   "mount",	 "bpf",		"io_uring_setup",
					    "unshare",	   "setns",	 "keyctl",	"perf_event_open",
					    "userfaultfd", "kexec_load", "init_module", "clone3"};
	static const struct sheet_from from = {"profile", 0};
	struct tally tally;
	char *text = output_memory(strdup(""));

	count_calls(enforced, &tally);
	sheet_row(e->sheet, "allowed", from, json_integer(tally.counts[ALLOWED]), "%u calls, whatever their arguments",
		  tally.counts[ALLOWED]);
	sheet_row(e->sheet, "conditional", from, json_integer(tally.counts[CONDITIONAL]),
		  "%u calls, with some arguments only", tally.counts[CONDITIONAL]);
	sheet_row(e->sheet, "refused", from, json_integer(tally.counts[REFUSED]), "%u calls, with EPERM",
		  tally.counts[REFUSED]);
	sheet_row(e->sheet, "missing", from, json_integer(tally.counts[MISSING]),
		  "%u known calls and all unknown ones, with ENOSYS", tally.counts[MISSING]);
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		static const char *const words[ANSWERS] = {"", "=ALLOWED", "=conditional", "=ENOSYS"};
		uint32_t number;
		char *more;

		if (syscalls_find(asked[i], &number) != SYSCALLS_HERE)
			continue;
		more = output_format("%s%s%s%s", text, text[0] == '\0' ? "" : " ", asked[i],
				     words[ask(enforced, number)]);
		free(text);
		text = more;
	}
	sheet_row(e->sheet, "notable", from, NULL, "refused, unless it says otherwise: %s", text);
	if (tally.lists[ALLOWED][0] != '\0')
		sheet_row(e->sheet, "dangerous", from, NULL, "allowed: %s", tally.lists[ALLOWED]);
	if (tally.lists[CONDITIONAL][0] != '\0')
		sheet_row(e->sheet, tally.lists[ALLOWED][0] != '\0' ? NULL : "dangerous", from, NULL,
			  "with some arguments: %s", tally.lists[CONDITIONAL]);
	sheet_value(e->sheet, "dangerous", from,
		    json_pack("{s:o,s:o,s:o,s:o}", "allowed", tally.notable[ALLOWED], "conditional",
			      tally.notable[CONDITIONAL], "refused", tally.notable[REFUSED], "missing",
			      tally.notable[MISSING]));
	for (size_t i = 0; i < ANSWERS; i++)
		free(tally.lists[i]);
	free(text);
}

void explain_syscalls(const struct explained *e) {
	const struct plan_profile wanted = plan_profile(&e->draft->policy);
	const struct text value = draft_value(e->draft, KEY_SYSCALLS, "@app-server", NULL);
	const bool is_bare = e->rehearsal->plan.profile == NULL;
	const struct program *const loaded = is_bare ? &shipped_terminal : e->rehearsal->plan.profile;

	sheet_section(e->sheet, "syscalls", "System calls", false);
	sheet_row(e->sheet, "syscalls", explain_from(e->draft, KEY_SYSCALLS, "default"), explain_text(value), "%.*s%s",
		  (int)value.length, value.at,
		  wanted.is_none	  ? ": every call, but for typing into the terminal"
		  : wanted.is_complaining ? ": NOTHING is refused; what would be is logged by the kernel"
					  : "");
	sheet_row(e->sheet, "terminal", (struct sheet_from){"always", 0}, json_true(),
		  "ioctl TIOCSTI and TIOCLINUX refused");
	sheet_row(e->sheet, "filter", (struct sheet_from){is_bare ? "always" : "profile", 0},
		  json_integer(loaded->count), "%u instructions%s", loaded->count,
		  wanted.is_complaining ? "; what it would refuse, enforced:" : "");
	if (!is_bare)
		explain_calls(e, &e->rehearsal->site.enforce);
}
