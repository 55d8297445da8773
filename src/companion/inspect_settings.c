/* SPDX-License-Identifier: ISC */
#include "companion/inspect.h"

#include <stdlib.h>
#include <string.h>

/* Programs to which the word behind their options is another program, or a script. */
static const char runners[] = "sh|bash|dash|zsh|ksh|fish|nice|nohup|setsid|timeout|watch|awk|sed|vi|vim|ed|less|more|"
			      "tar|rsync|ssh|git|rails|bundle|"
			      "bundler|npm|yarn|pnpm|node|deno|bun|python|python3|ruby|perl|php|lua|java|go|cargo|"
			      "gunicorn|uwsgi|strace|gdb|setpriv|"
			      "systemd-run|docker|podman";

/* ... to which any argument may be one, or name any task. */
static const char takers[] = "make|rake|env|xargs|find|parallel|npx|sudo|su|doas|runuser";

static struct text last_part(struct text path) {
	struct text part = path;

	while (text_field(&path, "/", &part))
		;
	return part;
}

/* The pattern's token that lets the caller name what runs: {word} or a final * behind such a program. */
static struct text open_token(struct text pattern) {
	struct text token = text_word(&pattern);
	bool is_runner = text_is_choice(last_part(token), text_of(runners)),
	     is_taker = text_is_choice(last_part(token), text_of(takers));

	while ((token = text_word(&pattern)).length > 0) {
		if ((is_runner || is_taker) && (text_is(token, "*") || text_starts(token, text_of("{word}"))))
			return token;
		is_taker = is_taker || text_is_choice(last_part(token), text_of(takers));
		/* `bundle exec NAME`, `sh -c NAME`: what comes next is still the program. */
		is_runner =
			text_is_choice(last_part(token), text_of(runners)) ||
			(is_runner && (text_is_choice(token, text_of("exec|run")) || text_starts(token, text_of("-"))));
	}
	return (struct text){0};
}

static void inspect_patterns(struct inspection *i) {
	const struct policy *p = &i->draft->policy;
	size_t count = 0;

	for (const struct setting *s = p->settings; s < p->settings + p->count; s++) {
		struct text open;

		if (s->key != KEY_COMMAND && s->key != KEY_SERVE)
			continue;
		count++;
		if (!i->has_callers)
			continue;
		open = open_token(s->value);
		if (text_is(s->value, "*"))
			inspect_say(i, FINDING_WARNING, s, s->value, "command-open",
				    "one line for each command that they need",
				    "who is in allow_users or allow_groups can run anything as the app's user");
		else if (open.length > 0)
			inspect_say(i, FINDING_WARNING, s, open, "command-open", "name what may stand here: {a|b|c}",
				    "the caller names here what runs, so this allows anything as the app's user");
	}
	if (count == 0)
		inspect_say(i, FINDING_WARNING, policy_next(p, KEY_USER, NULL), (struct text){0}, "command",
			    "command = /usr/bin/NAME ARGUMENT ...", "no `command`: nothing can be started");
}

/* Larger than the kernel's own ceiling, and no launch gets it, root or not. */
static void inspect_open_files(struct inspection *i) {
	const struct setting *s = policy_next(&i->draft->policy, (enum policy_key)(KEY_LIMIT + 7), NULL);
	uint64_t soft, hard, most;
	size_t length;
	char *bytes;

	if (s == NULL || !i->is_live || !policy_read_limit(s->value, &soft, &hard))
		return;
	bytes = image_read(i->draft->image, "/proc/sys/fs/nr_open", 64, &length);
	if (bytes != NULL && text_number((struct text){bytes, length - (length > 0)}, INT64_MAX, &most) && hard > most)
		inspect_say(i, FINDING_ERROR, s, s->value, "limits",
			    inspect_words(i, "limit_nofile = %llu", (unsigned long long)most),
			    "no process may have more than %llu (sysctl fs.nr_open), so nothing would start",
			    (unsigned long long)most);
	free(bytes);
}

static void inspect_numbers(struct inspection *i) {
	const struct policy *p = &i->draft->policy;
	const struct setting *nice = policy_next(p, KEY_NICE, NULL), *score = policy_next(p, KEY_OOM_SCORE_ADJ, NULL);
	int number;

	if (nice != NULL && policy_read_number(nice->value, -20, 19, &number) && number < 0)
		inspect_say(i, FINDING_NOTE, nice, nice->value, "limits", NULL,
			    "nice is below 0, so a container that starts it needs CAP_SYS_NICE");
	if (score != NULL && policy_read_number(score->value, -1000, 1000, &number) && number < 0)
		inspect_say(i, FINDING_NOTE, score, score->value, "limits", NULL,
			    "oom_score_adj is below 0, so a container that starts it needs CAP_SYS_RESOURCE");
	inspect_open_files(i);
}

static void inspect_writes(struct inspection *i) {
	const struct policy *p = &i->draft->policy;
	const struct setting *enforce = policy_next(p, KEY_WRITE_ENFORCE, NULL), *s = policy_next(p, KEY_WRITE, NULL);
	const int abi = i->is_live ? rehearsal_landlock_abi() : INT32_MAX;

	if (enforce != NULL && text_is(enforce->value, "best-effort"))
		inspect_say(i, FINDING_WARNING, enforce, enforce->value, "landlock",
			    "leave the line out where the kernel has Landlock",
			    "where the kernel cannot limit writing, the app starts all the same%s",
			    abi < 2 ? ", as on this kernel" : "");
	s = s == NULL ? policy_next(p, KEY_TMP, NULL) : s;
	if (s != NULL && abi == 2)
		inspect_say(
			i, FINDING_WARNING, s, s->value, "landlock", "Linux 6.2; write_enforce = strict asks for it",
			"this kernel's Landlock (ABI 2) does not stop truncate(2): what the app owns, it can empty");
}

void inspect_settings(struct inspection *i) {
	const struct policy *p = &i->draft->policy;
	const struct setting *log = policy_next(p, KEY_LOG, NULL), *chown = policy_next(p, KEY_STDIO_CHOWN, NULL);

	inspect_patterns(i);
	/* Who has stdio_chown means callers that are root. */
	if (!i->has_callers && !(chown != NULL && text_is(chown->value, "yes")))
		inspect_say(i, FINDING_NOTE, NULL, (struct text){0}, "allow",
			    "allow_users = NAME; or, where that is meant, allow_users = root",
			    "no allow_users or allow_groups: only root may start it, or in a container the app's user");
	if (log != NULL && text_is(log->value, "none"))
		inspect_say(i, FINDING_WARNING, log, log->value, "log", "leave the line out: syslog",
			    "no launch and no refusal is logged");
	if (chown != NULL && text_is(chown->value, "yes") && i->has_callers)
		inspect_say(i, FINDING_WARNING, chown, chown->value, "stdio-chown", "take one of the two out",
			    "stdio_chown is for callers that are root: with it nobody in allow_users or allow_groups "
			    "can start the "
			    "app");
	inspect_numbers(i);
	inspect_writes(i);
}
