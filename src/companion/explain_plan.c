/* SPDX-License-Identifier: ISC */
#include "companion/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct sheet_from always = {"always", 0};

struct sheet_from explain_from(const struct draft *draft, enum policy_key key, const char *otherwise) {
	const struct setting *s = policy_next(&draft->policy, key, NULL);

	return s == NULL ? (struct sheet_from){otherwise, 0} : (struct sheet_from){"policy", s->line};
}

static char *named(char *name, uint32_t id) {
	char *ret = name == NULL ? output_format("%u (no name)", id) : output_format("%s (%u)", name, id);

	free(name);
	return ret;
}

char *explain_user(const struct image *image, uint32_t uid) { return named(image_user_name(image, uid), uid); }
char *explain_group(const struct image *image, uint32_t gid) { return named(image_group_name(image, gid), gid); }

json_t *explain_id(uint32_t id, char *name_or_null) {
	json_t *ret = output_memory(json_pack("{s:I}", "id", (json_int_t)id));

	json_object_set_new(ret, "name",
			    name_or_null == NULL ? json_null() : output_json_text(name_or_null, strlen(name_or_null)));
	free(name_or_null);
	return ret;
}

json_t *explain_text(struct text t) { return output_json_text(t.at, t.length); }

/* The kernel knows where a descriptor is; below the image's own place that is the path inside. */
static char *resolve(const struct image *image, const char *path) {
	const int fds[2] = {image->root, image_descriptor(image, path, O_PATH)};
	char places[2][4096] = {{0}}, link[64];
	size_t skip;

	if (fds[1] < 0)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fds[i]);
		if (readlink(link, places[i], sizeof places[i] - 1) < 0)
			places[i][0] = '\0';
	}
	close(fds[1]);
	skip = strcmp(places[0], "/") == 0 ? 0 : strlen(places[0]);
	if (places[1][0] == '\0' || strncmp(places[0], places[1], skip) != 0)
		return output_memory(strdup(path)); /* without /proc */
	return output_memory(strdup(places[1][skip] == '\0' ? "/" : places[1] + skip));
}

char *explain_path(const struct image *image, const char *path, json_t **ret) {
	char *to = resolve(image, path), *text;
	const char *const why = to != NULL ? NULL : errno == ENOENT ? "not there" : strerror(errno);

	*ret = output_memory(json_pack("{s:o,s:o}", "path", output_json_text(path, strlen(path)), "resolved",
				       to == NULL ? json_null() : output_json_text(to, strlen(to))));
	if (why != NULL)
		json_object_set_new(*ret, "problem", json_string(why));
	text = to == NULL	       ? output_format("%s (%s)", path, why)
	       : strcmp(to, path) == 0 ? output_memory(strdup(path))
				       : output_format("%s -> %s", path, to);
	free(to);
	return text;
}

/* --- who --- */

char *explain_callers(const struct draft *draft) {
	char *ret = output_memory(strdup("root"));

	for (enum policy_key key = KEY_ALLOW_USERS; key <= KEY_ALLOW_GROUPS; key++)
		for (const struct setting *s = NULL; (s = policy_next(&draft->policy, key, s)) != NULL;) {
			char *more = output_format("%s %s%.*s", ret, key == KEY_ALLOW_GROUPS ? "%" : "",
						   (int)s->value.length, s->value.at);
			free(ret);
			ret = more;
		}
	return ret;
}

static void mode_string(uint32_t mode, char kind, char ret[11]) {
	static const char bits[] = "rwxrwxrwx";

	ret[0] = kind;
	for (unsigned i = 0; i < 9; i++)
		ret[i + 1] = (char)((mode >> (8 - i) & 1) != 0 ? bits[i] : '-');
	ret[10] = '\0';
}

static void explain_groups(const struct explained *e) {
	const struct launch_plan *plan = &e->rehearsal->plan;
	json_t *all = output_memory(json_array());
	char *list = output_memory(strdup(""));

	for (size_t i = 0; i < plan->group_count; i++) {
		char *one = explain_group(e->image, plan->groups[i]);
		char *more = output_format("%s%s%s", list, i > 0 ? ", " : "", one);

		output_append(all, explain_id(plan->groups[i], image_group_name(e->image, plan->groups[i])));
		free(one);
		free(list);
		list = more;
	}
	sheet_row(e->sheet, "groups", explain_from(e->draft, KEY_GROUPS, "default"), all, "%s",
		  plan->group_count == 0 ? "none" : list);
	free(list);
}

void explain_identity(const struct explained *e) {
	const struct launch_plan *plan = &e->rehearsal->plan;
	char *user = explain_user(e->image, plan->uid.value), *group = explain_group(e->image, plan->gid.value);
	char file[11], directory[11], octal[8];

	sheet_section(e->sheet, "identity", "Identity", false);
	sheet_row(e->sheet, "user", explain_from(e->draft, KEY_USER, "account"),
		  explain_id(plan->uid.value, image_user_name(e->image, plan->uid.value)), "%s", user);
	sheet_row(e->sheet, "group", explain_from(e->draft, KEY_GROUP, "account"),
		  explain_id(plan->gid.value, image_group_name(e->image, plan->gid.value)), "%s", group);
	explain_groups(e);
	mode_string(0666 & ~plan->umask, '-', file);
	mode_string(0777 & ~plan->umask, 'd', directory);
	snprintf(octal, sizeof octal, "%04o", plan->umask);
	sheet_row(
		e->sheet, "umask", explain_from(e->draft, KEY_UMASK, "default"),
		output_memory(json_pack("{s:s,s:s,s:s}", "octal", octal, "new_file", file, "new_directory", directory)),
		"%s: a new file %s, a new directory %s", octal, file, directory);
	sheet_row(e->sheet, "capabilities", always,
		  json_pack("{s:[],s:b,s:b}", "sets", "empty_bounding_set", plan->has_root, "no_new_privs", 1),
		  plan->has_root ? "none, and an empty bounding set; no_new_privs, locked securebits"
				 : "none, and no_new_privs; the bounding set stays as inherited, powerless");
	sheet_row(e->sheet, "restored", always, json_string(plan->restores ? "defaults" : "kept"),
		  plan->restores
			  ? "the caller's scheduler, affinity, personality, memory policy ... go to fixed defaults"
			  : "nothing: scheduler, affinity ... stay as the caller, root or the app's user, has them");
	free(user);
	free(group);
}

/* --- where, and what --- */

static void explain_candidates(const struct explained *e) {
	const struct launch_plan *plan = &e->rehearsal->plan;
	const struct setting *by = e->rehearsal->match.by;
	const bool is_searched = e->rehearsal->match.path.length == 0 && strchr(plan->argv[0], '/') == NULL;
	json_t *all = output_memory(json_array());
	bool is_found = false;

	for (size_t i = 0; i < plan->path_count; i++) {
		struct stat status;
		const char *state = !image_stat(e->image, plan->paths[i], &status)
					    ? (errno == ENOENT || errno == ENOTDIR ? "not there" : strerror(errno))
				    : !S_ISREG(status.st_mode)	   ? "not a file"
				    : (status.st_mode & 0111) == 0 ? "not executable"
				    : is_found			   ? "not reached"
								   : "runs";

		is_found = is_found || strcmp(state, "runs") == 0;
		output_append(all, json_pack("{s:o,s:s}", "path",
						     output_json_text(plan->paths[i], strlen(plan->paths[i])), "state",
						     state));
		sheet_row(e->sheet, i == 0 ? "file" : NULL,
			  is_searched ? explain_from(e->draft, KEY_PATH, "default")
				      : (struct sheet_from){"policy", by->line},
			  NULL, "%s (%s)", plan->paths[i], state);
	}
	sheet_value(e->sheet, "file", (struct sheet_from){"policy", by->line}, all);
}

void explain_start(const struct explained *e) {
	const struct launch_plan *plan = &e->rehearsal->plan;
	json_t *value;
	char *directory = explain_path(e->image, plan->directory, &value);
	const struct setting *s = NULL;

	sheet_section(e->sheet, "start", "Start", false);
	json_object_set_new(value, "is_callers", json_boolean(plan->keeps_cwd));
	sheet_row(e->sheet, "directory",
		  plan->keeps_cwd ? explain_from(e->draft, KEY_DIRECTORY_BELOW, "caller")
				  : explain_from(e->draft, KEY_DIRECTORY, "account"),
		  value, "%s%s", directory, plan->keeps_cwd ? ": where this process is, and so kept" : "");
	free(directory);
	for (value = NULL; (s = policy_next(&e->draft->policy, KEY_DIRECTORY_BELOW, s)) != NULL;) {
		value = value == NULL ? output_memory(json_array()) : value;
		output_append(value, explain_text(s->value));
		sheet_row(e->sheet, "directory_below", (struct sheet_from){"policy", s->line}, NULL,
			  "%.*s: a caller who is there or below stays there", (int)s->value.length, s->value.at);
	}
	if (value != NULL)
		sheet_value(e->sheet, "directory_below", explain_from(e->draft, KEY_DIRECTORY_BELOW, "default"), value);
	if (e->has_command)
		explain_candidates(e);
}

/* --- limits --- */

static const char *const units[POLICY_LIMITS] = {
	" seconds",
	" bytes",
	" bytes",
	" bytes",
	" bytes",
	" bytes",
	" processes and threads of the user",
	" descriptors",
	" bytes",
	" bytes",
	"",
	" signals",
	" bytes",
	"",
	"",
	" microseconds",
};

static char *amount(uint64_t n, const char *unit) {
	static const char *const names[] = {"", " KiB", " MiB", " GiB", " TiB"};
	uint64_t rest = n;
	size_t i = 0;

	if (n == UINT64_MAX)
		return output_memory(strdup("unlimited"));
	for (; i < 4 && rest > 0 && rest % 1024 == 0; i++)
		rest /= 1024;
	return i == 0 ? output_format("%llu%s", (unsigned long long)n, unit)
		      : output_format("%llu%s (%llu%s)", (unsigned long long)n, unit, (unsigned long long)rest,
				      names[i]);
}

static json_t *limit_json(uint64_t n) {
	return output_memory(n == UINT64_MAX ? json_string("unlimited") : json_integer((json_int_t)n));
}

static bool is_bytes(unsigned i) { return strcmp(units[i], " bytes") == 0; }

static void explain_limit(const struct explained *e, unsigned i, struct sheet_from from) {
	const struct plan_limit *limit = &e->rehearsal->plan.limits[i];
	const char *const name = policy_key_name((enum policy_key)(KEY_LIMIT + i));
	json_t *value =
		output_memory(json_pack("{s:o,s:o}", "soft", limit_json(limit->soft), "hard", limit_json(limit->hard)));
	char *soft, *hard;

	if (limit->soft == UINT64_MAX && from.line == 0) {
		sheet_value(e->sheet, name, from, value);
		return;
	}
	soft = is_bytes(i) || limit->soft == UINT64_MAX
		       ? amount(limit->soft, units[i])
		       : output_format("%llu%s", (unsigned long long)limit->soft, units[i]);
	hard = is_bytes(i) || limit->hard == UINT64_MAX ? amount(limit->hard, "")
							: output_format("%llu", (unsigned long long)limit->hard);
	if (limit->soft == limit->hard)
		sheet_row(e->sheet, name, from, value, "%s", soft);
	else
		sheet_row(e->sheet, name, from, value, "%s, hard %s", soft, hard);
	free(soft);
	free(hard);
}

static void explain_number(const struct explained *e, enum policy_key key, const struct plan_number *number) {
	const struct sheet_from from = explain_from(e->draft, key, number->is_set ? "usual" : "caller");

	if (number->is_set)
		sheet_row(e->sheet, policy_key_name(key), from, json_integer(number->value), "%d", number->value);
	else
		sheet_row(e->sheet, policy_key_name(key), from, json_null(), "the caller's own, kept");
}

void explain_limits(const struct explained *e) {
	const struct launch_plan *plan = &e->rehearsal->plan;
	char *unlimited = output_memory(strdup(""));
	bool has_kept = false, has_own = false;

	sheet_section(e->sheet, "limits", "Limits (soft, and hard where it is another)", false);
	for (unsigned i = 0; i < POLICY_LIMITS; i++) {
		const struct sheet_from from = explain_from(e->draft, (enum policy_key)(KEY_LIMIT + i), "usual");
		const char *const name = policy_key_name((enum policy_key)(KEY_LIMIT + i));
		char *more;

		if (!plan->limits[i].is_set) {
			has_kept = true;
			sheet_value(e->sheet, name, (struct sheet_from){"caller", 0}, json_null());
			continue;
		}
		has_own = true;
		explain_limit(e, i, from);
		if (plan->limits[i].soft != UINT64_MAX || from.line > 0)
			continue;
		more = output_format("%s%s%s", unlimited, unlimited[0] == '\0' ? "" : " ", name + strlen("limit_"));
		free(unlimited);
		unlimited = more;
	}
	if (unlimited[0] != '\0')
		sheet_row(e->sheet, "limit_*", (struct sheet_from){"usual", 0}, NULL, "unlimited: %s", unlimited);
	if (has_kept)
		sheet_row(e->sheet, "limit_*", (struct sheet_from){"caller", 0}, NULL, "%sthe caller's own, kept",
			  has_own ? "all others: " : "");
	explain_number(e, KEY_NICE, &plan->nice);
	explain_number(e, KEY_OOM_SCORE_ADJ, &plan->oom_score_adj);
	free(unlimited);
}

/* --- where it may write --- */

static void explain_landlock(const struct explained *e) {
	const struct launch_plan *plan = &e->rehearsal->plan;
	const struct sheet_from from = {"system", 0};

	if (!e->is_live)
		sheet_row(e->sheet, "landlock", from, json_null(), "as far as the kernel there has it");
	else if (plan->write_rights == 0)
		sheet_row(e->sheet, "landlock", from, json_integer(0),
			  "this kernel cannot limit it: NOTHING is limited here");
	else
		sheet_row(e->sheet, "landlock", from, json_integer(e->landlock_abi), "ABI %d of this kernel: %s",
			  e->landlock_abi,
			  e->landlock_abi < 3 ? "all writing but truncate(2) of files elsewhere, which it cannot limit"
					      : "all writing");
}

void explain_writes(const struct explained *e) {
	static const char devices[] = "/dev/null /dev/zero /dev/full /dev/tty /dev/ptmx /dev/pts";
	static const char *const meanings[] = {
		"required: Landlock of ABI 2 (Linux 5.19) or newer, or no launch",
		"strict: Landlock of ABI 3 (Linux 6.2) or newer, or no launch",
		"best-effort: where the kernel cannot limit it, the app starts all the same",
	};
	const struct text enforce = draft_value(e->draft, KEY_WRITE_ENFORCE, "required", NULL);
	const struct policy *p = &e->draft->policy;

	sheet_section(e->sheet, "write", "Where it may write", false);
	if (e->rehearsal->plan.landlock_abi < 0) {
		sheet_row(e->sheet, "write", (struct sheet_from){"default", 0}, json_null(),
			  "not limited: the permissions of files alone decide");
		return;
	}
	json_t *all = output_memory(json_array());
	for (enum policy_key key = KEY_WRITE; key <= KEY_TMP; key++)
		for (const struct setting *s = NULL; (s = policy_next(p, key, s)) != NULL;) {
			char *path = output_memory(strndup(s->value.at, s->value.length)), *shown;
			json_t *value;

			shown = explain_path(e->image, path, &value);
			json_object_set_new(value, "line", json_integer(s->line));
			output_append(all, value);
			sheet_row(e->sheet, policy_key_name(key), (struct sheet_from){"policy", s->line}, NULL,
				  "%s%s%s", shown, key == KEY_TMP ? ", and TMPDIR" : "",
				  json_object_get(value, "problem") != NULL ? ": no launch without it" : "");
			free(shown);
			free(path);
		}
	sheet_value(e->sheet, "write", explain_from(e->draft, KEY_WRITE, "policy"), all);
	sheet_row(e->sheet, "devices", always, json_string(devices), "%s", devices);
	sheet_row(e->sheet, "write_enforce", explain_from(e->draft, KEY_WRITE_ENFORCE, "default"),
		  explain_text(enforce), "%s",
		  meanings[text_is(enforce, "strict")	     ? 1
			   : text_is(enforce, "best-effort") ? 2
							     : 0]);
	explain_landlock(e);
}

/* --- descriptors --- */

static void explain_sockets(const struct explained *e) {
	const struct policy *p = &e->draft->policy;
	const bool is_served = e->rehearsal->plan.listen_count > 0;
	json_t *all = output_memory(json_array());
	int fd = POLICY_FD_FIRST;

	for (const struct setting *s = NULL; (s = policy_next(p, KEY_LISTEN, s)) != NULL; fd++) {
		struct policy_listen socket;

		(void)policy_read_listen(s->value, &socket);
		output_append(all,
				      json_pack("{s:i,s:o,s:i,s:b}", "descriptor", fd, "socket", explain_text(s->value),
						"line", (int)s->line, "is_handed_over", is_served));
		sheet_row(e->sheet, "listen", (struct sheet_from){"policy", s->line}, NULL, "%.*s as descriptor %d%s",
			  (int)s->value.length, s->value.at, fd,
			  is_served	   ? ", in LISTEN_FDNAMES its port"
			  : e->has_command ? ": not for this one, which is no `serve` command"
					   : ", for `serve` commands");
	}
	if (fd > POLICY_FD_FIRST)
		sheet_value(e->sheet, "listen", explain_from(e->draft, KEY_LISTEN, "default"), all);
	else
		json_decref(all);
}

void explain_descriptors(const struct explained *e) {
	const struct text log = draft_value(e->draft, KEY_LOG, "syslog", NULL);
	const struct setting *s = NULL;
	json_t *all = output_memory(json_array());
	char *numbers = output_memory(strdup(""));

	sheet_section(e->sheet, "descriptors", "Descriptors and log", false);
	sheet_row(e->sheet, "stdio_chown", explain_from(e->draft, KEY_STDIO_CHOWN, "default"),
		  json_boolean(e->rehearsal->plan.owns_stdio),
		  e->rehearsal->plan.owns_stdio ? "0 to 2 are the caller's; pipes that root made become the app user's"
						: "0 to 2 are the caller's, as they are");
	explain_sockets(e);
	while ((s = policy_next(&e->draft->policy, KEY_KEEP_FDS, s)) != NULL) {
		char *more = output_format("%s%.*s ", numbers, (int)s->value.length, s->value.at);
		int fd = 0;

		(void)policy_read_number(s->value, POLICY_FD_FIRST, POLICY_FD_LAST, &fd);
		output_append(all, json_integer(fd));
		free(numbers);
		numbers = more;
	}
	sheet_row(e->sheet, "keep_fds", explain_from(e->draft, KEY_KEEP_FDS, "default"), all, "%s%s", numbers,
		  numbers[0] == '\0' ? "none of the caller's" : "of the caller's, where they are open at the launch");
	sheet_row(e->sheet, "log", explain_from(e->draft, KEY_LOG, "default"), explain_text(log), "%s",
		  text_is(log, "none")	     ? "none: no launch is written down"
		  : text_is(log, "required") ? "required: no launch without its line in syslog"
					     : "syslog, where there is one");
	free(numbers);
}
