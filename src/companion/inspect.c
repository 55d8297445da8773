/* SPDX-License-Identifier: ISC */
#include "companion/inspect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *keep(struct inspection *i, char *words) {
	i->shown = output_memory(reallocarray(i->shown, i->shown_count + 1, sizeof *i->shown));
	i->shown[i->shown_count++] = words;
	return words;
}

const char *inspect_shown(struct inspection *i, const char *bytes, size_t length) {
	return keep(i, output_escaped(bytes, length));
}

const char *inspect_words(struct inspection *i, const char *format, ...) {
	va_list arguments;
	char *words;

	va_start(arguments, format);
	words = output_vformat(format, arguments);
	va_end(arguments);
	return keep(i, words);
}

void inspect_say(struct inspection *i, enum finding_kind kind, const struct setting *at, struct text part,
		 const char *word, const char *hint, const char *format, ...) {
	struct finding *finding;
	va_list arguments;
	char *words;

	va_start(arguments, format);
	words = output_vformat(format, arguments);
	va_end(arguments);
	finding = findings_add(i->to, kind, i->draft->path, word, hint,
			       i->script == NULL ? "%s%s" : "%s (the interpreter of %s)", words,
			       i->script == NULL ? "" : i->script);
	if (at != NULL)
		finding_place(finding, i->draft->bytes, at->line, part);
	free(words);
}

const char *inspect_user(struct inspection *i, uint32_t uid) {
	char *name = image_user_name(i->draft->image, uid);

	return name == NULL ? inspect_words(i, "uid %u", uid) : keep(i, name);
}

/* As the launcher does: root's alone, down every directory. */
static void inspect_trust(struct inspection *i) {
	const struct image *image = i->draft->image;

	draft_is_trusted(image, "/etc/passwd", TRUST_FILE, i->trust, i->to);
	draft_is_trusted(image, "/etc/group", TRUST_FILE, i->trust, i->to);
	if (!i->draft->is_installed)
		draft_is_trusted(image, "/etc/runas-app", TRUST_DIRECTORY, FINDING_WARNING, i->to);
}

/* The bytes of env_file, which only root may read; NULL: not there, or not for us, and said. */
static char *read_secrets(struct inspection *i, const struct setting *by, size_t *ret_length) {
	char *path = output_memory(strndup(by->value.at, by->value.length));
	char *secrets = image_read(i->draft->image, path, POLICY_MAX_BYTES, ret_length);
	const int error = secrets == NULL ? errno : 0;

	if (error == ENOENT || error == ENOTDIR)
		inspect_say(i, i->absent, by, by->value, "env-file",
			    inspect_words(i, "install -m 600 -o root -g root /dev/null %s", inspect_quoted(i, path)),
			    "there is no %s", inspect_path(i, path));
	else if (error != 0)
		inspect_say(i, error == EACCES ? FINDING_NOTE : FINDING_ERROR, by, by->value, "env-file",
			    error == EACCES ? "ask as root" : NULL,
			    "cannot be read, so its variables were not checked: %s", strerror(error));
	draft_is_trusted(i->draft->image, path, TRUST_SECRET, i->trust, i->to);
	free(path);
	return secrets;
}

/* The launcher's own plan, for root and any command: what it refuses, no launch gets past. */
static void inspect_plan(struct inspection *i) {
	struct draft *draft = i->draft;
	const struct setting *secret = policy_next(&draft->policy, KEY_ENV_FILE, NULL);
	const struct setting *serve = policy_next(&draft->policy, KEY_SERVE, NULL);
	char anything[] = "/", *command[] = {anything, NULL}, *environment[] = {NULL};
	const struct request request = {REQUEST_RUN, text_of(draft->app), command, 1};
	const struct caller root = {.has_root = true, .is_uniform = true, .pid = 1, .environment = environment};
	struct plan_given given = {.request = &request,
				   .caller = &root,
				   .policy = &draft->policy,
				   .accounts = &draft->accounts,
				   .match = {serve != NULL ? serve : draft->policy.settings, text_of(anything)},
				   .landlock_abi = i->is_live ? rehearsal_landlock_abi() : INT32_MAX};
	struct launch_plan *plan = output_memory(calloc(1, sizeof *plan));
	struct problem why = {0};
	size_t length = 0;
	char *secrets = secret == NULL ? NULL : read_secrets(i, secret, &length);

	given.secrets = (struct text){secrets, length};
	for (bool is_built = false; !is_built;) {
		is_built = plan_build(&given, plan, &why);
		if (is_built)
			break;
		/* A draft may be meant for another kernel; and there may be more to say than that. */
		is_built = strcmp(why.word, "landlock") != 0 || given.landlock_abi == INT32_MAX;
		if (why.object.length > 0)
			why.object = text_of(inspect_words(i, "%s%.*s", draft->image->prefix, (int)why.object.length,
							   why.object.at));
		findings_problem(i->to, is_built ? FINDING_ERROR : i->absent, draft->path, draft->bytes, &why);
		given.landlock_abi = INT32_MAX;
	}
	free(plan);
	free(secrets);
}

void inspect_system(struct draft *draft, struct findings *to) {
	struct inspection i = {
		.draft = draft,
		.to = to,
		.absent = draft->is_installed ? FINDING_ERROR : FINDING_WARNING,
		.trust = draft->is_installed ? FINDING_ERROR : FINDING_WARNING,
		.is_live = draft->image->prefix[0] == '\0',
		.has_callers = policy_next(&draft->policy, KEY_ALLOW_USERS, NULL) != NULL ||
			       policy_next(&draft->policy, KEY_ALLOW_GROUPS, NULL) != NULL,
	};

	const size_t from = to->count;

	inspect_trust(&i);
	inspect_settings(&i);
	inspect_profile(&i);
	if (draft->has_accounts && inspect_accounts(&i)) {
		inspect_plan(&i);
		inspect_paths(&i);
		inspect_commands(&i);
		inspect_neighbours(&i);
	}
	findings_sort(to, from);
	for (size_t n = 0; n < i.shown_count; n++)
		free(i.shown[n]);
	free(i.shown);
	free(i.app.groups);
}
