/* SPDX-License-Identifier: ISC */
/*
 * `runas-policy explain`: would this caller get this command, by which lines, and what would the app then be like.
 *
 * Runs as:  whoever asks.
 * Promises: the decision and the plan are those of the launcher's own code, in its order (draft_rehearse).
 * Never:    shows a secret, nor starts anything.
 */
#include "companion/explain.h"
#include "companion/table.h"
#include "companion/verb.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASSUMED_LANDLOCK = 7 }; /* of a kernel that is not here: that it can what the policy asks for */

struct asked {
	struct options options;
	const char *as;
	bool without_root;
	struct draft *draft;
	struct person *caller; /* NULL: root */
	const char *caller_from;
	struct rehearsal *rehearsal;
	struct findings findings;
	struct sheet *decision, *plan;
	json_t *tokens;
};

/* --- the caller --- */

/* Real ids and groups of this process: what the kernel would tell the launcher. */
static struct person *this_process(const struct image *image) {
	char *number = output_format("%u", getuid());
	struct person *person = output_memory(image_person(image, number));
	const int count = getgroups(0, NULL);

	free(number);
	free(person->groups);
	person->gid = getgid();
	person->groups = output_memory(calloc((size_t)(count < 0 ? 0 : count) + 1, sizeof *person->groups));
	person->group_count = count > 0 && getgroups(count, person->groups) == count ? (size_t)count : 0;
	return person;
}

/* As a container is started right: `docker run --user UID:GID` and its groups. */
static struct person *app_itself(struct draft *draft) {
	struct launch_plan *plan = output_memory(calloc(1, sizeof *plan));
	struct person *person = NULL;
	struct problem why = {0};
	char *number;

	if (plan_identity(&draft->policy, &draft->accounts, plan, &why)) {
		number = output_format("%u", plan->uid.value);
		person = output_memory(image_person(draft->image, number));
		free(number);
		free(person->groups);
		person->gid = plan->gid.value;
		person->group_count = plan->group_count;
		person->groups = output_memory(calloc(plan->group_count + 1, sizeof *person->groups));
		memcpy(person->groups, plan->groups, plan->group_count * sizeof *person->groups);
	}
	free(plan);
	return person;
}

static bool choose_caller(struct asked *a) {
	const struct image *image = &a->options.image;

	a->caller_from = "--as";
	if (a->as != NULL) {
		a->caller = image_person(image, a->as);
		if (a->caller == NULL)
			output_fail("accounts are looked up in /etc/passwd, as runas-app does it; a number works too",
				    "%s/etc/passwd: no such user: %s", image->prefix, a->as);
		return a->caller != NULL;
	}
	if (a->without_root) {
		a->caller_from = "default";
		a->caller = app_itself(a->draft);
		if (a->caller == NULL)
			output_fail("runas-policy check", "%s: its user or group does not exist", a->draft->path);
		return a->caller != NULL;
	}
	a->caller_from = image->prefix[0] == '\0' ? "process" : "default";
	if (image->prefix[0] == '\0' && getuid() != 0)
		a->caller = this_process(image);
	return true;
}

static void show_caller(const struct asked *a) {
	const struct image *image = &a->options.image;
	const struct sheet_from from = {a->caller_from, 0};
	char *user = explain_user(image, a->caller == NULL ? 0 : a->caller->uid), *list = output_memory(strdup(""));
	json_t *groups = output_memory(json_array()), *value;

	for (size_t i = 0; a->caller != NULL && i < a->caller->group_count; i++) {
		char *one = explain_group(image, a->caller->groups[i]);
		char *more = output_format("%s%s%s", list, i == 0 ? ", groups " : ", ", one);

		output_append(groups,
				      explain_id(a->caller->groups[i], image_group_name(image, a->caller->groups[i])));
		free(one);
		free(list);
		list = more;
	}
	value = explain_id(a->caller == NULL ? 0 : a->caller->uid,
			   image_user_name(image, a->caller == NULL ? 0 : a->caller->uid));
	json_object_set_new(value, "groups", groups);
	json_object_set_new(value, "without_root", json_boolean(a->without_root));
	sheet_row(a->decision, "caller", from, value, "%s%s%s", user, list,
		  a->without_root ? "; runas-app itself without root" : "");
	free(user);
	free(list);
}

/* --- why --- */

static bool is_callers(const struct asked *a, const struct setting *s) {
	const struct caller *c = &a->rehearsal->caller;
	uint32_t id;

	if (!accounts_id(&a->draft->accounts, s, &id))
		return false;
	if (s->key == KEY_ALLOW_USERS)
		return id == c->uid.value;
	for (size_t i = 0; i < c->group_count; i++)
		if (c->groups[i] == id)
			return true;
	return id == c->gid.value;
}

/* The line that authorize_caller found first. */
static const struct setting *allowing(const struct asked *a) {
	for (enum policy_key key = KEY_ALLOW_USERS; key <= KEY_ALLOW_GROUPS; key++)
		for (const struct setting *s = NULL; (s = policy_next(&a->draft->policy, key, s)) != NULL;)
			if (is_callers(a, s))
				return s;
	return NULL;
}

static void show_authority(const struct asked *a) {
	const bool is_allowed = a->rehearsal->stage > REHEARSAL_CALLER;
	const struct setting *by;

	if (!is_allowed) {
		sheet_row(a->decision, "may_start", (struct sheet_from){"always", 0}, json_false(),
			  a->without_root ? "no: without root only the app's own user starts it"
					  : "no: neither allow_users nor allow_groups has this caller");
	} else if (a->without_root) {
		sheet_row(a->decision, "may_start", explain_from(a->draft, KEY_USER, "policy"), json_true(),
			  "yes: it is the app's user already, and gains nothing; allow_* is not asked");
	} else if (caller_is_root(&a->rehearsal->caller)) {
		sheet_row(a->decision, "may_start", (struct sheet_from){"always", 0}, json_true(),
			  "yes: root starts every app");
	} else if ((by = allowing(a)) != NULL) {
		sheet_row(a->decision, "may_start", (struct sheet_from){"policy", by->line}, json_true(),
			  "yes: %s has %.*s", policy_key_name(by->key), (int)by->value.length, by->value.at);
	}
}

/* The pattern that matched, or that came nearest. */
static const struct setting *shown_pattern(const struct asked *a) {
	const struct rehearsal *r = a->rehearsal;

	if (r->match.by != NULL)
		return r->match.by;
	for (const struct setting *s = a->draft->policy.settings;
	     s < a->draft->policy.settings + a->draft->policy.count; s++)
		if (r->stage == REHEARSAL_COMMAND && (s->key == KEY_COMMAND || s->key == KEY_SERVE) &&
		    r->why.hint_about.at == s->value.at)
			return s;
	return NULL;
}

static void show_patterns(const struct asked *a) {
	const struct policy *p = &a->draft->policy;

	sheet_section(a->plan, "commands", "Commands", true);
	for (const struct setting *s = p->settings; s < p->settings + p->count; s++)
		if (s->key == KEY_COMMAND || s->key == KEY_SERVE)
			sheet_row(a->plan, policy_key_name(s->key), (struct sheet_from){"policy", s->line},
				  explain_text(s->value), "%.*s", (int)s->value.length, s->value.at);
	if (policy_next(p, KEY_COMMAND, NULL) == NULL && policy_next(p, KEY_SERVE, NULL) == NULL)
		sheet_row(a->plan, "command", (struct sheet_from){"default", 0}, NULL, "none: nothing runs");
}

static void add_refusal(struct asked *a, const struct setting *by, struct text differs) {
	const struct rehearsal *r = a->rehearsal;
	struct problem why = r->why;
	char *callers = explain_callers(a->draft), *hint = NULL;
	struct finding *finding;

	if (r->stage == REHEARSAL_CALLER && a->without_root)
		why.what = "without root only the app's own user may start it",
		why.hint = "start as root or as the app user";
	else if (r->stage == REHEARSAL_CALLER)
		why.hint = hint = output_format("it is started by %s; --as USER asks for another caller", callers);
	finding = findings_problem(&a->findings, FINDING_ERROR, a->draft->path, a->draft->bytes, &why);
	if (r->stage == REHEARSAL_COMMAND && by != NULL)
		finding_place(finding, a->draft->bytes, by->line, differs);
	free(callers);
	free(hint);
}

static struct table *decide(struct asked *a) {
	const struct setting *by = a->options.command == NULL ? NULL : shown_pattern(a);
	struct table *tokens = NULL;
	struct text differs = {0};

	sheet_section(a->decision, "decision", "Decision", false);
	show_caller(a);
	show_authority(a);
	if (a->options.command != NULL && (by != NULL || a->rehearsal->stage == REHEARSAL_COMMAND))
		sheet_row(a->decision, "command", (struct sheet_from){"policy", by == NULL ? 0 : by->line},
			  json_boolean(a->rehearsal->match.by != NULL), "%s%.*s",
			  a->rehearsal->match.by != NULL ? "yes: "
			  : by != NULL			 ? "no; the nearest is: "
							 : "no",
			  by == NULL ? 0 : (int)by->value.length, by == NULL ? "" : by->value.at);
	if (by != NULL)
		tokens = explain_tokens(a->draft, a->rehearsal, by, a->tokens, &differs);
	if (a->rehearsal->stage != REHEARSAL_READY)
		add_refusal(a, by, differs);
	return tokens;
}

static void plan(struct asked *a) {
	const struct explained e = {
		.image = &a->options.image,
		.is_live = a->options.image.prefix[0] == '\0',
		.draft = a->draft,
		.rehearsal = a->rehearsal,
		.has_command = a->options.command != NULL,
		.landlock_abi = rehearsal_landlock_abi(),
		.sheet = a->plan,
	};

	if (!e.has_command || a->rehearsal->stage == REHEARSAL_COMMAND)
		show_patterns(a);
	if (a->rehearsal->stage != REHEARSAL_READY)
		return;
	explain_trust(a->draft, a->rehearsal, &a->findings);
	explain_identity(&e);
	explain_start(&e);
	explain_environment(&e);
	explain_limits(&e);
	explain_syscalls(&e);
	explain_writes(&e);
	explain_descriptors(&e);
}

/* --- output --- */

static bool is_allowed(const struct asked *a) {
	return a->rehearsal != NULL && a->rehearsal->stage == REHEARSAL_READY && a->findings.errors == 0;
}

static int print_json(const struct asked *a) {
	json_t *document = output_memory(json_pack("{s:s,s:o,s:b,s:b,s:o}", "app", a->draft->app, "file",
						   output_json_text(a->draft->path, strlen(a->draft->path)),
						   "is_installed", a->draft->is_installed, "is_allowed", is_allowed(a),
						   "findings", findings_json(&a->findings)));

	if (a->rehearsal != NULL) {
		json_t *sections = sheet_json(a->decision), *words = output_memory(json_array());

		json_object_update(document, sections);
		json_decref(sections);
		for (char *const *word = a->options.command; word != NULL && *word != NULL; word++)
			output_append(words, output_json_text(*word, strlen(*word)));
		json_object_set_new(document, "command", words);
		json_object_set_new(document, "tokens", json_incref(a->tokens));
		json_object_set_new(document, "plan", sheet_json(a->plan));
	}
	return output_json(document) ? (is_allowed(a) ? 0 : OUTPUT_BAD) : OUTPUT_USAGE;
}

static int print_text(const struct asked *a, struct table *tokens) {
	const enum output_colour colour = is_allowed(a) ? OUTPUT_GREEN : OUTPUT_RED;
	char *path = output_escaped(a->draft->path, strlen(a->draft->path));

	printf("%s%s: %s%s (%s%s)\n", output_colour(stdout, colour), a->draft->app,
	       !is_allowed(a)		    ? "refused"
	       : a->options.command == NULL ? "may be started"
					    : "allowed",
	       output_colour(stdout, OUTPUT_NONE), path, a->draft->is_installed ? "" : ", not installed");
	free(path);
	if (a->rehearsal != NULL)
		sheet_print(a->decision, stdout);
	if (tokens != NULL) {
		putchar('\n');
		table_print(tokens, stdout);
	}
	if (a->findings.count > 0)
		putchar('\n');
	findings_print(&a->findings, stdout);
	if (a->rehearsal != NULL)
		sheet_print(a->plan, stdout);
	return output_done(is_allowed(a) ? 0 : OUTPUT_BAD);
}

/* --- the verb --- */

static void rehearse(struct asked *a) {
	static char *const nothing[] = {NULL};
	const bool is_live = a->options.image.prefix[0] == '\0';
	char cwd[4096] = "";
	const struct rehearsal_call call = {
		.as = a->caller,
		.without_root = a->without_root,
		.command = a->options.command,
		.environment = is_live ? environ : nothing,
		.cwd = is_live && getcwd(cwd, sizeof cwd) != NULL ? cwd : "",
		.landlock_abi = is_live ? rehearsal_landlock_abi() : ASSUMED_LANDLOCK,
	};

	a->rehearsal = draft_rehearse(a->draft, &call);
}

static int explain(struct asked *a) {
	struct table *tokens = NULL;

	a->draft = draft_open(&a->options.image, a->options.argv[0], &a->findings);
	if (a->draft == NULL)
		return OUTPUT_USAGE;
	if (a->draft->is_valid && !a->draft->has_accounts) {
		findings_print(&a->findings, stderr);
		return output_fail("explain needs them to know anybody", "the accounts could not be read");
	}
	if (a->draft->is_valid) {
		if (!choose_caller(a))
			return OUTPUT_USAGE;
		rehearse(a);
		tokens = decide(a);
		plan(a);
	}
	if (!a->options.json)
		return print_text(a, tokens);
	table_free(tokens);
	return print_json(a);
}

static int run(int argc, char **argv) {
	struct asked a = {.decision = sheet_new(), .plan = sheet_new(), .tokens = output_memory(json_array())};
	const struct output_option own[] = {{"as", &a.as, NULL}, {"without-root", NULL, &a.without_root}};
	int status;

	if (!options_read("explain", argc, argv, own, sizeof own / sizeof own[0], true, true, &a.options, &status))
		goto out;
	if (a.options.argc != 1 || (a.options.command != NULL && a.options.command[0] == NULL))
		status = output_fail("runas-policy explain APP [--as USER] [-- COMMAND ARG...]; --help says more",
				     "explain: %s",
				     a.options.argc != 1 ? "one APP or FILE is needed, and the command behind --"
							 : "no command behind --");
	else
		status = explain(&a);
	close(a.options.image.root);
out:
	rehearsal_free(a.rehearsal);
	person_free(a.caller);
	draft_free(a.draft);
	findings_free(&a.findings);
	sheet_free(a.decision);
	sheet_free(a.plan);
	json_decref(a.tokens);
	return status;
}

const struct verb verb_explain = {
	.name = "explain",
	.arguments = "APP|FILE [--as USER] [--without-root] [--root DIR] [--json] [-- COMMAND ARG...]",
	.what = "what would happen: the decision, by which lines, and the whole launch",
	.help = "Says whether a caller may start COMMAND under the policy of APP, which line of it decides so, how "
		"COMMAND\n"
		"fits the pattern token by token (or which token differs from the nearest pattern, and what it would "
		"take),\n"
		"and what the app would then be: identity, umask, directory, environment, limits, system calls, where "
		"it\n"
		"may write, sockets and descriptors. It is runas-app's own code that decides and plans; nothing is "
		"started.\n"
		"\n"
		"APP is the name of an installed policy; FILE, with a / or a dot in its name, one that need not be "
		"installed.\n"
		"Without COMMAND: whether the caller may start the app at all, all patterns, and the part of the plan "
		"that\n"
		"no command changes.\n"
		"\n"
		"  --as USER        the caller, a name or a number, with the groups of a login; without it you, with "
		"the\n"
		"                   groups that you have now; in an image, root\n"
		"  --without-root   runas-app is started without root, as in a container that runs as the app's user; "
		"the\n"
		"                   caller then is that user, with exactly the policy's groups, unless --as says "
		"otherwise\n"
		"  --root DIR       the policy, the accounts and the files of an image that is not running\n"
		"  --json           one document for machines\n"
		"\n"
		"Each line has the name of a setting, where it comes from, and its value:\n"
		"\n"
		"  line N    this line of the policy\n"
		"  default   the default of runas-app.conf(5); usual: the limit of a system without settings, which a "
		"caller\n"
		"            other than root or the app's user gets\n"
		"  account   /etc/passwd; profile: the system call profile; system: the kernel; always: every launch\n"
		"  caller    whoever starts it: directory and environment are those of this very process, and none in "
		"an\n"
		"            image. Values of env_file are never shown, nor those that env_keep takes from the "
		"caller's.\n"
		"\n"
		"Exit status: 0 it would be launched, 1 it would be refused, 2 usage, or the policy could not be "
		"read.\n"
		"What only the launch itself shows is not asked here: a directory without x, a port that is taken, a hard\n"
		"limit that root in a container may not raise.\n"
		"\n"
		"  runas-policy explain rails-app --as deploy -- passenger stop --port 3000\n"
		"  runas-policy explain ./draft.conf --json | jq .plan.identity.umask.value.octal\n",
	.run = run,
};
