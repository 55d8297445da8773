/* SPDX-License-Identifier: ISC */
#include "companion/inspect.h"
#include "companion/suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Who is in one of these can make itself root, or read what only root may: an app there is not confined. */
static const char powerful[] = "docker|podman|lxd|lxc|incus|libvirt|disk|kmem|mem|shadow|sudo|wheel|admin|root";

/* What everything without an account of its own runs as, so that they can all reach into one another. */
static const char shared[] = "nobody|daemon|www-data|nginx|apache|http|bin|sys|65534";

static char *read_accounts(const struct inspection *i, enum accounts_file file, struct text *ret) {
	size_t length = 0;
	char *bytes = image_read(i->draft->image, file == ACCOUNTS_PASSWD ? "/etc/passwd" : "/etc/group", SIZE_MAX / 4,
				 &length);

	*ret = (struct text){bytes == NULL ? "" : bytes, length};
	return bytes;
}

static void say_unknown(struct inspection *i, const struct accounts_wanted *w) {
	const struct setting *s = w->by;
	const bool is_user = w->file == ACCOUNTS_PASSWD, is_ambiguous = w->state == ACCOUNTS_AMBIGUOUS;
	const bool is_caller = s->key == KEY_ALLOW_USERS || s->key == KEY_ALLOW_GROUPS;
	const char *name = inspect_shown(i, s->value.at, s->value.length), *const path = is_user ? "passwd" : "group";
	struct suggestion near = suggest_for(s->value);
	const char *hint;
	struct text file;
	char *bytes = read_accounts(i, w->file, &file);

	suggest_offer_accounts(&near, file);
	free(bytes);
	hint = is_ambiguous	      ? inspect_words(i, "mend /etc/%s", path)
	       : near.best[0] != '\0' ? inspect_words(i, "did you mean %s?", near.best)
	       : is_user	      ? inspect_words(i, "%s %s", is_caller ? "useradd" : "useradd --system", name)
				      : inspect_words(i, "%s %s", is_caller ? "groupadd" : "groupadd --system", name);
	inspect_say(i, is_caller ? FINDING_WARNING : FINDING_ERROR, s, s->value, "account", hint, "%s%s",
		    is_ambiguous
			    ? inspect_words(i,
					    "\"%s\" stands in /etc/%s twice with different numbers, and so is nobody's",
					    name, path)
			    : inspect_words(i, "no %s \"%s\" in /etc/%s", is_user ? "user" : "group", name, path),
		    is_caller ? "; this word allows nobody" : "");
}

const char *inspect_members(struct inspection *i, uint32_t gid) {
	const char *found = "";
	struct text rest, line, field, members = {0}, fields[7];
	char *bytes = read_accounts(i, ACCOUNTS_GROUP, &rest);
	uint64_t number;

	while (text_field(&rest, "\n", &line)) {
		size_t n = 0;

		while (n < 4 && text_field(&line, ":", &fields[n]))
			n++;
		if (n != 4 || !text_number(fields[2], UINT32_MAX, &number) || number != gid)
			continue;
		members = fields[3];
		while (text_field(&members, ",", &field))
			if (field.length > 0 && !text_is(field, i->app.name))
				found = inspect_words(i, "%s%s%s", found, found[0] == '\0' ? "" : ", ",
						      inspect_shown(i, field.at, field.length));
	}
	free(bytes);
	bytes = read_accounts(i, ACCOUNTS_PASSWD, &rest);
	while (text_field(&rest, "\n", &line)) {
		size_t n = 0;

		while (n < 7 && text_field(&line, ":", &fields[n]))
			n++;
		if (n == 7 && text_number(fields[3], UINT32_MAX, &number) && number == gid &&
		    !text_is(fields[0], i->app.name))
			found = inspect_words(i, "%s%s%s", found, found[0] == '\0' ? "" : ", ",
					      inspect_shown(i, fields[0].at, fields[0].length));
	}
	free(bytes);
	return found;
}

static void inspect_umask(struct inspection *i) {
	const struct setting *s = policy_next(&i->draft->policy, KEY_UMASK, NULL);
	const struct text value = s != NULL ? s->value : (struct text){0};
	const char *others;
	uint64_t mask;

	if (s == NULL || !text_umask(value, &mask))
		return; /* the default is a tight one */
	if ((mask & 0002) == 0)
		inspect_say(i, FINDING_WARNING, s, value, "umask", "umask = 0027",
			    "every user of this system may write the files that the app makes");
	others = (mask & 0020) == 0 ? inspect_members(i, i->app.gid) : "";
	if ((mask & 0002) != 0 && others[0] != '\0')
		inspect_say(i, FINDING_WARNING, s, value, "umask", "umask = 0027, if they need only read",
			    "the app's files can be written by its group, which others have too: %s", others);
	if ((mask & 0700) != 0)
		inspect_say(i, FINDING_WARNING, s, value, "umask", "umask = 0027",
			    "takes rights from the app itself: it could not %s what it makes",
			    (mask & 0400) != 0	 ? "read"
			    : (mask & 0200) != 0 ? "write"
						 : "enter");
}

static void inspect_power(struct inspection *i) {
	const struct policy *p = &i->draft->policy;
	const struct setting *user = policy_next(p, KEY_USER, NULL);

	if (text_is_choice(user->value, text_of(shared)))
		inspect_say(
			i, FINDING_WARNING, user, user->value, "account", "useradd --system APP",
			"an account that other programs run as too: they could read and stop this app, and it them");
	for (enum policy_key key = KEY_GROUP; key <= KEY_GROUPS; key++)
		for (const struct setting *s = NULL; (s = policy_next(p, key, s)) != NULL;) {
			uint32_t gid;
			char *name = accounts_id(&i->draft->accounts, s, &gid) ? image_group_name(i->draft->image, gid)
									       : NULL;

			if (name != NULL && text_is_choice(text_of(name), text_of(powerful)))
				inspect_say(i, FINDING_WARNING, s, s->value, "account", NULL,
					    "who is in the group %s can become root, or read root's secrets", name);
			free(name);
		}
}

static void name_app(struct inspection *i) {
	const struct policy *p = &i->draft->policy;
	const char *groups = "";

	for (const struct setting *s = NULL; (s = policy_next(p, KEY_GROUPS, s)) != NULL;)
		groups = inspect_words(i, "%s%s%.*s", groups, groups[0] == '\0' ? "" : " ", (int)s->value.length,
				       s->value.at);
	if (groups[0] == '\0') {
		char *own = image_group_name(i->draft->image, i->app.gid);

		groups = own != NULL ? inspect_words(i, "%s", own) : inspect_words(i, "%u", i->app.gid);
		free(own);
	}
	i->names = (struct access_names){
		.person = i->app.name[0] != '\0' ? i->app.name : inspect_words(i, "uid %u", i->app.uid),
		.policy_path = i->draft->path,
		.policy_groups = groups,
	};
}

bool inspect_accounts(struct inspection *i) {
	const struct draft *draft = i->draft;
	struct launch_plan *plan = output_memory(calloc(1, sizeof *plan));
	struct problem why = {0};
	bool is_known = true;

	for (const struct accounts_wanted *w = draft->accounts.wanted;
	     w < draft->accounts.wanted + draft->accounts.count; w++) {
		if (w->state == ACCOUNTS_FOUND)
			continue;
		say_unknown(i, w);
		is_known = is_known && (w->by->key == KEY_ALLOW_USERS || w->by->key == KEY_ALLOW_GROUPS);
	}
	if (is_known && !plan_identity(&draft->policy, &draft->accounts, plan, &why)) {
		findings_problem(i->to, FINDING_ERROR, draft->path, draft->bytes, &why);
		is_known = false;
	}
	if (is_known) {
		snprintf(i->app.name, sizeof i->app.name, "%.*s", (int)draft->accounts.user.name.length,
			 draft->accounts.user.name.at);
		i->app.uid = plan->uid.value;
		i->app.gid = plan->gid.value;
		i->app.group_count = plan->group_count;
		i->app.groups = output_memory(calloc(plan->group_count + 1, sizeof *i->app.groups));
		memcpy(i->app.groups, plan->groups, plan->group_count * sizeof *i->app.groups);
		i->who = (struct access_who){.uid = i->app.uid,
					     .gid = i->app.gid,
					     .groups = i->app.groups,
					     .group_count = i->app.group_count};
		name_app(i);
		inspect_power(i);
		inspect_umask(i);
	}
	free(plan);
	return is_known;
}
