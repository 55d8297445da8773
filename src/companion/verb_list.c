/* SPDX-License-Identifier: ISC */
/*
 * `runas-policy list`: every app, who may start it, as whom, and which commands.
 *
 * Runs as:  whoever asks.
 * Promises: an app is "ok" only when runas-app would start it for root; --as asks runas-app's own code.
 * Never:    stops at a broken policy: it is listed with what is wrong first.
 */
#include "companion/explain.h"
#include "companion/verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ASSUMED_LANDLOCK = 7, /* of a kernel that is not here */
	CALLERS_WIDTH = 16,   /* columns; so that some are left for commands where there are 80 */
};

struct listing {
	struct options options;
	const char *as;
	struct person *person; /* of --as; may be root */
	struct table *table;
	json_t *apps;
	size_t shown, broken, unknown; /* unknown: broken ones, so that nobody can tell who might start them */
};

/* As root, whom every policy lets in: what is left is what is wrong with the policy, or with the system for it. */
static void look_for_trouble(struct draft *draft, bool is_live, struct findings *findings) {
	static char *const nothing[] = {NULL};
	const struct rehearsal_call call = {
		.environment = nothing,
		.cwd = "",
		.landlock_abi = is_live ? rehearsal_landlock_abi() : ASSUMED_LANDLOCK,
	};
	struct rehearsal *r;

	if (!draft->is_valid || !draft->has_accounts || findings->errors > 0)
		return;
	r = draft_rehearse(draft, &call);
	if (r->stage != REHEARSAL_READY)
		findings_problem(findings, FINDING_ERROR, draft->path, draft->bytes, &r->why);
	else
		explain_trust(draft, r, findings);
	rehearsal_free(r);
}

/* May --as USER start it? Asked of the launcher's own code. */
static bool is_for(const struct listing *l, const struct draft *draft) {
	const struct caller caller = {
		.uid = {l->person->uid},
		.gid = {l->person->gid},
		.groups = l->person->groups,
		.group_count = l->person->group_count,
		.has_root = true,
		.is_uniform = l->person->uid == 0,
	};

	return draft->is_valid && draft->has_accounts &&
	       authorize_caller(&draft->policy, &draft->accounts, &caller) == DECISION_ALLOW;
}

static json_t *words(const struct draft *draft, enum policy_key key) {
	json_t *ret = output_memory(json_array());

	for (const struct setting *s = NULL; draft->is_valid && (s = policy_next(&draft->policy, key, s)) != NULL;)
		output_append(ret, explain_text(s->value));
	return ret;
}

static char *runs_as(const struct draft *draft) {
	const struct text user = policy_value(&draft->policy, KEY_USER),
			  group = policy_value(&draft->policy, KEY_GROUP);
	char *own, *ret;

	if (group.length > 0)
		return output_format("%.*s:%.*s", (int)user.length, user.at, (int)group.length, group.at);
	own = draft->accounts.user.state == ACCOUNTS_FOUND ? image_group_name(draft->image, draft->accounts.user.gid)
							   : NULL;
	ret = own != NULL ? output_format("%.*s:%s", (int)user.length, user.at, own)
			  : output_format("%.*s", (int)user.length, user.at);
	free(own);
	return ret;
}

static const struct setting *next_command(const struct policy *p, const struct setting *s) {
	for (s = s == NULL ? p->settings : s + 1; s < p->settings + p->count; s++)
		if (s->key == KEY_COMMAND || s->key == KEY_SERVE)
			return s;
	return NULL;
}

static json_t *commands_json(const struct draft *draft) {
	json_t *ret = output_memory(json_array());

	for (const struct setting *s = NULL; draft->is_valid && (s = next_command(&draft->policy, s)) != NULL;)
		output_append(ret, json_pack("{s:o,s:i,s:b}", "pattern", explain_text(s->value), "line", (int)s->line,
					     "is_served", s->key == KEY_SERVE));
	return ret;
}

static void add_json(struct listing *l, const struct draft *draft, const struct findings *findings) {
	char *as = draft->is_valid ? runs_as(draft) : NULL;

	output_append(l->apps,
			      json_pack("{s:s,s:o,s:b,s:o,s:o,s:o,s:o,s:o}", "app", draft->app, "file",
					output_json_text(draft->path, strlen(draft->path)), "is_ok",
					findings->errors == 0, "allow_users", words(draft, KEY_ALLOW_USERS),
					"allow_groups", words(draft, KEY_ALLOW_GROUPS), "runs_as",
					as == NULL ? json_null() : output_json_text(as, strlen(as)), "commands",
					commands_json(draft), "findings", findings_json(findings)));
	free(as);
}

/* As many of the words as fit into the column, and at least one. "": there are no more. New string. */
static char *next_words(struct text *rest) {
	const struct text start = *rest;
	struct text after = *rest, ret = {start.at, 0};

	while (text_word(&after).length > 0 && (ret.length == 0 || start.length - after.length <= CALLERS_WIDTH)) {
		ret.length = start.length - after.length;
		*rest = after;
	}
	ret = text_trim(ret);
	return output_memory(strndup(ret.length == 0 ? "" : ret.at, ret.length));
}

/* One row a command, so that the last column can wrap; the one before it is wrapped here. */
static void add_rows(struct listing *l, const struct draft *draft, bool is_ok) {
	const struct setting *s = next_command(&draft->policy, NULL);
	char *may = explain_callers(draft), *as = runs_as(draft);
	const char *cells[] = {draft->app, is_ok ? "ok" : "broken", as, NULL, NULL};
	struct text rest = text_of(may);

	for (bool is_first = true; is_first || s != NULL || rest.length > 0; is_first = false) {
		char *callers = next_words(&rest);
		char *shown = s != NULL	 ? output_escaped(s->value.at, s->value.length)
			      : is_first ? output_memory(strdup("(none: nothing runs)"))
					 : NULL;

		cells[3] = callers;
		cells[4] = shown;
		table_row(l->table, is_ok ? OUTPUT_NONE : OUTPUT_RED, cells);
		cells[0] = cells[1] = cells[2] = NULL;
		free(callers);
		free(shown);
		s = s == NULL ? NULL : next_command(&draft->policy, s);
	}
	free(may);
	free(as);
}

/* app: NULL below the rows of one whose policy can be read. */
static void add_trouble(struct listing *l, const char *app, const struct findings *findings) {
	const struct finding *f = findings->list;
	char *place, *text;

	while (f->kind != FINDING_ERROR)
		f++;
	place = f->line > 0 ? output_format("line %u: ", f->line) : output_memory(strdup(""));
	text = output_format("%s%s [%s]", place, f->what, f->word);
	table_row(l->table, app == NULL ? OUTPUT_NONE : OUTPUT_RED,
		  (const char *const[]){app, app == NULL ? NULL : "broken", NULL, NULL, text});
	free(place);
	free(text);
}

static void list_app(struct listing *l, const char *app) {
	const bool is_live = l->options.image.prefix[0] == '\0';
	struct findings findings = {0};
	struct draft *draft = draft_open(&l->options.image, app, &findings);

	if (draft == NULL) { /* draft_open has said why */
		l->unknown++;
		findings_free(&findings);
		return;
	}
	look_for_trouble(draft, is_live, &findings);
	if (l->person != NULL && !draft->is_valid) {
		l->unknown++;
	} else if (l->person == NULL || is_for(l, draft)) {
		const bool is_ok = findings.errors == 0 && draft->has_accounts;

		l->shown++;
		l->broken += !is_ok;
		add_json(l, draft, &findings);
		if (draft->is_valid)
			add_rows(l, draft, is_ok);
		if (!is_ok)
			add_trouble(l, draft->is_valid ? NULL : draft->app, &findings);
	}
	draft_free(draft);
	findings_free(&findings);
}

static int print(struct listing *l) {
	const int status = l->broken + l->unknown > 0 ? OUTPUT_BAD : 0;

	if (l->options.json) {
		table_free(l->table);
		return output_json(
			       json_pack("{s:o,s:I}", "apps", json_incref(l->apps), "unknown", (json_int_t)l->unknown))
			       ? status
			       : OUTPUT_USAGE;
	}
	table_print(l->table, stdout);
	if (l->shown == 0)
		printf(l->as == NULL ? "no app has a policy\n" : "no app may be started by %s\n", l->as);
	if (l->broken > 0)
		puts("hint: runas-policy check APP says all that is wrong");
	if (l->unknown > 0 && l->as != NULL)
		printf("%zu broken or unreadable: runas-policy list\n", l->unknown);
	return output_done(status);
}

static int list(struct listing *l) {
	static const char *const titles[] = {"APP", "STATE", "RUNS AS", "STARTED BY", "COMMANDS"};
	char **apps = draft_list(&l->options.image);
	int status;

	if (apps == NULL)
		return output_fail(errno == ENOENT ? "make install makes it; policies are /etc/runas-app/APP.conf"
						   : NULL,
				   "%s/etc/runas-app: %s", l->options.image.prefix, strerror(errno));
	if (l->as != NULL && (l->person = image_person(&l->options.image, l->as)) == NULL) {
		status = output_fail("accounts are looked up in /etc/passwd, as runas-app does it; a number works too",
				     "%s/etc/passwd: no such user: %s", l->options.image.prefix, l->as);
	} else {
		l->table = table_new(5, titles, 0);
		l->apps = output_memory(json_array());
		for (char **app = apps; *app != NULL; app++)
			list_app(l, *app);
		status = print(l);
	}
	for (char **app = apps; *app != NULL; app++)
		free(*app);
	free(apps);
	return status;
}

static int run(int argc, char **argv) {
	struct listing l = {0};
	const struct output_option own[] = {{"as", &l.as, NULL}};
	int status;

	if (!options_read("list", argc, argv, own, 1, true, false, &l.options, &status))
		return status;
	status = l.options.argc > 0
			 ? output_fail("runas-policy list --help", "list: needs no argument: %s", l.options.argv[0])
			 : list(&l);
	close(l.options.image.root);
	person_free(l.person);
	json_decref(l.apps);
	return status;
}

const struct verb verb_list = {
	.name = "list",
	.arguments = "[--as USER] [--root DIR] [--json]",
	.what = "all apps: who may start them, as whom, which commands",
	.help = "Lists every policy of /etc/runas-app: the app, whether runas-app would take its policy here and now, "
		"the\n"
		"user and group that it runs as, who may start it (%NAME is a group), and the patterns of its "
		"commands, one a\n"
		"line. Below a broken one stands what is wrong first; `runas-policy check APP` says all of it.\n"
		"\n"
		"  --as USER    only what this user, a name or a number with the groups of a login, may start\n"
		"  --root DIR   the policies and accounts of an image that is not running\n"
		"  --json       one document for machines\n"
		"\n"
		"Exit status: 0 all are ok, 1 one is broken or could not be read, 2 usage, or there are no policies to "
		"list.\n"
		"\n"
		"  runas-policy list --as deploy\n"
		"  runas-policy list --json | jq -r '.apps[] | select(.is_ok | not) | .app'\n",
	.run = run,
};
