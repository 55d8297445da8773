/* SPDX-License-Identifier: ISC */
#include "companion/sudoers.h"

#include "policy/text.h"

#include <stdlib.h>
#include <string.h>

static const char holes[] = "write it by hand with {int}, {word}, {a|b} or {path:/DIR} where the wildcard stands";

/* --- strings that grow --- */

static void join(char **to, const char *separator, const char *more) {
	char *joined = output_format("%s%s%s", *to, **to != '\0' ? separator : "", more);

	free(*to);
	*to = joined;
}

static char *empty(void) { return output_memory(strdup("")); }

static bool has_word(const char *list, const char *word) {
	struct text rest = text_of(list), one;

	while ((one = text_word(&rest)).length > 0)
		if (text_is(one, word))
			return true;
	return false;
}

/* --- who, as whom, how --- */

struct people {
	char *shown, *users, *groups;
	char *reason; /* why they cannot be named in a policy, or NULL; "": root alone */
};

static void refuse(char **reason, char *why) {
	if (*reason == NULL)
		*reason = why;
	else
		free(why);
}

/* As sudoers writes it: new string. */
static char *member_shown(json_t *member) {
	const char *kind = json_object_iter_key(json_object_iter(member)), *mark = "";
	json_t *value = NULL;
	const char *key;
	char *name, *ret;

	json_object_foreach(member, key, value) {
		if (strcmp(key, "negated") != 0) {
			kind = key;
			break;
		}
	}
	value = json_object_get(member, kind == NULL ? "" : kind);
	name = json_is_integer(value) ? output_format("%lld", (long long)json_integer_value(value))
				      : output_escaped(json_string_value(value), json_string_length(value));
	if (kind != NULL)
		mark = strcmp(kind, "userid") == 0	   ? "#"
		       : strcmp(kind, "usergroup") == 0	   ? "%"
		       : strcmp(kind, "usergid") == 0	   ? "%#"
		       : strcmp(kind, "netgroup") == 0	   ? "+"
		       : strcmp(kind, "nonunixgroup") == 0 ? "%:"
		       : strcmp(kind, "nonunixgid") == 0   ? "%:#"
							   : "";
	ret = output_format("%s%s%s", json_is_true(json_object_get(member, "negated")) ? "!" : "", mark, name);
	free(name);
	return ret;
}

/* A policy takes digits for a number, sudoers only behind a #. */
static bool is_name_or_number(const char *name, bool is_number) {
	uint64_t unused;

	return is_number ? text_number(text_of(name), UINT32_MAX - 1, &unused) : text_is_account(text_of(name));
}

static bool is_root(const char *shown) { return strcmp(shown, "root") == 0 || strcmp(shown, "#0") == 0; }

static struct people read_callers(json_t *list) {
	struct people ret = {empty(), empty(), empty(), NULL};
	json_t *member;
	size_t at;

	json_array_foreach(list, at, member) {
		const bool is_group =
			json_object_get(member, "usergroup") != NULL || json_object_get(member, "usergid") != NULL;
		const bool is_user =
			json_object_get(member, "username") != NULL || json_object_get(member, "userid") != NULL;
		char *shown = member_shown(member);
		const char *name = shown + strspn(shown, "%#");

		join(&ret.shown, " ", shown);
		if (shown[0] == '!')
			refuse(&ret.reason, output_format("%s: who is left out cannot be said", shown));
		else if (strcmp(shown, "ALL") == 0)
			refuse(&ret.reason, output_format("everybody may run it"));
		else if (is_root(shown))
			; /* may start every app anyway */
		else if ((!is_group && !is_user) || !is_name_or_number(name, name > shown && name[-1] == '#'))
			refuse(&ret.reason,
			       output_format("%s is no user or group of /etc/passwd and /etc/group", shown));
		else
			join(is_group ? &ret.groups : &ret.users, " ", name);
		free(shown);
	}
	if (ret.reason == NULL && *ret.users == '\0' && *ret.groups == '\0')
		ret.reason = empty();
	return ret;
}

static char *hosts_reason(json_t *list) {
	char *names = empty();
	bool is_everywhere = false;
	json_t *member;
	size_t at;

	json_array_foreach(list, at, member) {
		char *shown = member_shown(member);

		is_everywhere = is_everywhere || strcmp(shown, "ALL") == 0;
		is_everywhere = is_everywhere && shown[0] != '!';
		join(&names, " ", shown);
		free(shown);
	}
	if (!is_everywhere) {
		char *reason = output_format("only on the hosts %s", names);

		free(names);
		return reason;
	}
	free(names);
	return NULL;
}

struct manner {
	char *remark, *reason;
	bool asks_password;
};

static struct manner read_options(json_t *spec, bool is_asking) {
	struct manner ret = {.asks_password = is_asking};
	json_t *option, *value;
	const char *key;
	size_t at;

	json_array_foreach(json_object_get(spec, "Options"), at, option) {
		json_object_foreach(option, key, value) {
			if (strcmp(key, "authenticate") == 0)
				ret.asks_password = !json_is_false(value);
			else if (json_is_false(value))
				; /* a tag that takes something away: FOLLOW, EXEC, NOSETENV ... is how it is here */
			else if (strcmp(key, "setenv") == 0)
				refuse(&ret.remark,
				       output_format("SETENV let the caller set variables: name those in env_keep"));
			else if (strncmp(key, "log_", 4) == 0 || strcmp(key, "send_mail") == 0)
				refuse(&ret.remark,
				       output_format("sudo's %s: here there is one line in the system log", key));
			else
				refuse(&ret.reason, output_format("sudo's option %s", key));
		}
	}
	json_array_foreach(json_object_get(spec, "SELinux_Spec"), at, option)
		refuse(&ret.reason, output_format("an SELinux role or type"));
	if (ret.asks_password)
		refuse(&ret.reason, output_format("asks for a password, which runas-app never does"));
	return ret;
}

/* --- rules --- */

static struct sudoers_rule *add(struct sudoers *to) {
	to->rules = output_memory(reallocarray(to->rules, to->count + 1, sizeof *to->rules));
	to->rules[to->count] = (struct sudoers_rule){0};
	return &to->rules[to->count++];
}

static char *copy(const char *text) { return text == NULL ? NULL : output_memory(strdup(text)); }

/* Why nobody can be named as `user`, or NULL and in *ret_target who it is. */
static char *target_reason(json_t *member, char **ret_target) {
	char *shown = member_shown(member), *reason = NULL;
	const char *name = shown + (shown[0] == '#');

	*ret_target = empty();
	if (shown[0] == '!')
		reason = output_format("%s: who is left out cannot be said", shown);
	else if (strcmp(shown, "ALL") == 0)
		reason = output_format("as ALL users: an app has one");
	else if (is_root(shown))
		reason = output_format("as root, which no app ever is");
	else if (json_object_get(member, "username") == NULL && json_object_get(member, "userid") == NULL)
		reason = output_format("as anybody of %s: an app has one user", shown);
	else if (shown[0] == '\0')
		reason = output_format("as the caller itself, which needs no sudo");
	else if (!is_name_or_number(name, shown[0] == '#'))
		reason = output_format("%s is no user of /etc/passwd", shown);
	else
		join(ret_target, "", name);
	free(shown);
	return reason;
}

static void add_command(struct sudoers *to, json_t *command, const struct people *callers, const char *target,
			const char *reason, const struct manner *manner) {
	const char *words = json_string_value(json_object_get(command, "command")), *key, *no = NULL;
	struct sudoers_rule *rule = add(to);
	char *pattern = NULL;
	bool widens = false;
	json_t *value;

	words = words == NULL ? "" : words;
	rule->target = copy(target);
	rule->callers = copy(callers->shown);
	rule->users = copy(callers->users);
	rule->groups = copy(callers->groups);
	rule->shown = output_escaped(words, strlen(words));
	rule->is_negated = json_is_true(json_object_get(command, "negated"));
	rule->asks_password = manner->asks_password;
	rule->reason = copy(reason);
	if (rule->is_negated)
		refuse(&rule->reason, output_format("a policy only allows: what it does not name is refused"));
	json_object_foreach(command, key, value) {
		if (strncmp(key, "sha", 3) == 0)
			refuse(&rule->reason, output_format("a digest of the file: have only root write it"));
	}
	pattern = sudoers_pattern(words, &no, &widens);
	rule->path = sudoers_path(words);
	if (pattern == NULL && rule->reason == NULL) {
		rule->reason = copy(no);
		rule->hint =
			strstr(no, "wildcard") != NULL || strstr(no, "class") != NULL || strstr(no, "regular") != NULL
				? holes
				: NULL;
	}
	rule->words = pattern;
	if (rule->reason != NULL)
		return;
	rule->pattern = copy(pattern);
	rule->remark = copy(manner->remark);
	if (widens)
		refuse(&rule->remark, output_format("any further arguments, or none; sudo wanted one at least"));
}

static void read_commands(struct sudoers *to, json_t *spec, const struct people *callers, const char *why_not,
			  bool is_asking) {
	struct manner manner = read_options(spec, is_asking);
	json_t *targets = json_object_get(spec, "runasusers"), *member, *command;
	const bool has_groups = json_array_size(json_object_get(spec, "runasgroups")) > 0;
	char *usual = sudoers_default(to, "runas_default", "");
	json_t *nobody = json_pack("[{s:s}]", "username", has_groups ? "" : usual != NULL ? usual : "root");
	size_t at, i;

	if (json_array_size(targets) == 0)
		targets = nobody;
	if (has_groups)
		refuse(&manner.remark, output_format("sudo -g: another group needs a policy of its own, with `group`"));
	json_array_foreach(json_object_get(spec, "Commands"), i, command) {
		json_array_foreach(targets, at, member) {
			char *target, *reason = target_reason(member, &target);

			/* Who may, before as whom, before how. */
			add_command(to, command, callers, target,
				    why_not != NULL  ? why_not
				    : reason != NULL ? reason
						     : manner.reason,
				    &manner);
			free(target);
			free(reason);
		}
	}
	json_decref(nobody);
	free(usual);
	free(manner.remark);
	free(manner.reason);
}

/* Whether somebody is certainly, or (is_certain false) possibly, among both. */
static bool share_callers(const struct sudoers_rule *a, const struct sudoers_rule *b, bool is_certain) {
	struct text rest = text_of(a->callers), word;

	if (has_word(b->callers, "ALL") || has_word(a->callers, "ALL"))
		return true;
	while ((word = text_word(&rest)).length > 0) {
		struct text others = text_of(b->callers), other;

		while ((other = text_word(&others)).length > 0)
			if (text_equal(word, other) || (!is_certain && (strchr("%+!#", word.at[0]) != NULL ||
									strchr("%+!#", other.at[0]) != NULL)))
				return true;
	}
	return false;
}

/* Whether one command line may fit both. */
static bool share_words(const struct sudoers_rule *a, const struct sudoers_rule *b) {
	struct text one = text_of(a->words == NULL ? "" : a->words), other = text_of(b->words == NULL ? "" : b->words);
	const bool is_open = one.length > 0 && one.at[one.length - 1] == '*';
	const bool is_other_open = other.length > 0 && other.at[other.length - 1] == '*';

	if (*a->path == '\0' || *b->path == '\0')
		return true;
	if (strcmp(a->path, b->path) != 0)
		return false;
	if (a->words == NULL || b->words == NULL)
		return true;
	one = text_trim((struct text){one.at, one.length - is_open});
	other = text_trim((struct text){other.at, other.length - is_other_open});
	return text_equal(one, other) || (is_open && text_starts(other, one)) ||
	       (is_other_open && text_starts(one, other));
}

/* In sudoers the last rule that fits decides. */
static void take_back(struct sudoers *all) {
	for (size_t i = 0; i < all->count; i++) {
		struct sudoers_rule *rule = &all->rules[i];

		for (size_t j = i + 1; j < all->count && rule->pattern != NULL; j++) {
			const struct sudoers_rule *later = &all->rules[j];
			const bool is_same_target = *later->target == '\0' || strcmp(later->target, rule->target) == 0;

			if (!share_words(rule, later) || !is_same_target ||
			    !(later->is_negated || later->asks_password) ||
			    !share_callers(rule, later, !later->is_negated))
				continue;
			rule->reason =
				output_format(later->is_negated ? "a later rule takes it, or some of it, back: !%s"
								: "a later rule asks for a password: %s",
					      later->shown);
			free(rule->pattern);
			rule->pattern = NULL;
		}
	}
}

/* Unless a rule says otherwise. With exceptions for some, whom they are about is not worth being wrong about. */
static bool asks_usually(const struct sudoers *all) {
	char *usual = sudoers_default(all, "authenticate", "");
	bool is_asking = usual == NULL || strcmp(usual, "no") != 0;
	json_t *line, *option;
	size_t at, i;

	free(usual);
	json_array_foreach(json_object_get(all->document, "Defaults"), at, line)
		json_array_foreach(json_object_get(line, "Options"), i, option) is_asking =
			is_asking || json_is_true(json_object_get(option, "authenticate"));
	return is_asking;
}

struct sudoers sudoers_rules(json_t *document) {
	struct sudoers ret = {.document = document};
	const bool is_asking = asks_usually(&ret);
	json_t *one, *spec;
	size_t at, i;

	json_array_foreach(json_object_get(document, "User_Specs"), at, one) {
		struct people callers = read_callers(json_object_get(one, "User_List"));
		char *hosts = hosts_reason(json_object_get(one, "Host_List"));

		json_array_foreach(json_object_get(one, "Cmnd_Specs"), i, spec)
			read_commands(&ret, spec, &callers, callers.reason != NULL ? callers.reason : hosts, is_asking);
		free(callers.shown);
		free(callers.users);
		free(callers.groups);
		free(callers.reason);
		free(hosts);
	}
	take_back(&ret);
	return ret;
}

void sudoers_free(struct sudoers *sudoers) {
	for (size_t i = 0; i < sudoers->count; i++) {
		struct sudoers_rule *rule = &sudoers->rules[i];

		free(rule->target);
		free(rule->callers);
		free(rule->users);
		free(rule->groups);
		free(rule->path);
		free(rule->words);
		free(rule->shown);
		free(rule->pattern);
		free(rule->remark);
		free(rule->reason);
	}
	free(sudoers->rules);
	json_decref(sudoers->document);
	*sudoers = (struct sudoers){0};
}

static bool applies(json_t *bindings, const char *names) {
	json_t *one;
	size_t at;

	json_array_foreach(bindings, at, one) {
		char *shown = member_shown(one);
		const bool is_ours = has_word(names, shown);

		free(shown);
		if (is_ours)
			return true;
	}
	return json_array_size(bindings) == 0;
}

char *sudoers_default(const struct sudoers *sudoers, const char *setting, const char *names) {
	json_t *line, *options, *value, *one;
	char *ret = NULL;
	size_t at, i, j;

	json_array_foreach(json_object_get(sudoers->document, "Defaults"), at, line) {
		if (!applies(json_object_get(line, "Binding"), names))
			continue;
		json_array_foreach(json_object_get(line, "Options"), i, options) {
			const char *operation = json_string_value(json_object_get(options, "operation"));

			value = json_object_get(options, setting);
			if (value == NULL || (operation != NULL && strcmp(operation, "list_remove") == 0))
				continue;
			if (operation == NULL || ret == NULL) {
				free(ret);
				ret = empty();
			}
			if (json_is_boolean(value))
				join(&ret, " ", json_is_true(value) ? "yes" : "no");
			else if (json_is_string(value))
				join(&ret, " ", json_string_value(value));
			json_array_foreach(value, j, one) {
				if (json_is_string(one) && !has_word(ret, json_string_value(one)))
					join(&ret, " ", json_string_value(one));
			}
		}
	}
	return ret;
}
