/* SPDX-License-Identifier: ISC */
#include "policy/plan.h"

#define NO_LIMIT UINT64_MAX
#define ANY {true, NO_LIMIT, NO_LIMIT, NO_LIMIT}
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/*
 * For callers whose limits are not trusted: the kernel's and systemd's usual ones, in RLIMIT order. The third number is
 * the hard limit that still is enough where root lacks CAP_SYS_RESOURCE and cannot raise what it found.
 */
static const struct plan_limit usual_limits[POLICY_LIMITS] = {
	ANY, ANY, ANY,				 /* cpu, fsize, data */
	{true, 8388608, NO_LIMIT, 8388608},	 /* stack, bytes */
	{true, 0, NO_LIMIT, 0}, ANY,		 /* core, rss */
	{true, NO_LIMIT, NO_LIMIT, 1024},	 /* nproc: the kernel's own depends on the machine */
	{true, 1024, 524288, 4096},		 /* nofile */
	{true, 8388608, 8388608, 65536},	 /* memlock, bytes */
	ANY, ANY,				 /* as, locks */
	{true, NO_LIMIT, NO_LIMIT, 1024},	 /* sigpending: as nproc */
	{true, 819200, 819200, 819200},		 /* msgqueue, bytes */
	{true, 0, 0, 0}, {true, 0, 0, 0}, ANY, /* nice, rtprio, rttime */
};

static bool bad(struct problem *why, const struct setting *at, const char *word, const char *what, const char *hint) {
	problem_about(why, word, what, at->value, hint);
	why->line = at->line;
	return false;
}

struct plan_profile plan_profile(const struct policy *p) {
	struct text rest = policy_value(p, KEY_SYSCALLS);
	struct plan_profile profile = {.name = text_word(&rest)};

	profile.is_complaining = text_is(profile.name, "complain");
	if (profile.is_complaining)
		profile.name = text_word(&rest);
	if (profile.name.length == 0)
		profile.name = text_of("@app-server");
	profile.is_none = text_is(profile.name, "none");
	profile.is_site = !profile.is_none && profile.name.at[0] != '@';
	profile.name = text_after(profile.name, profile.name.at[0] == '@');
	return profile;
}

static bool has_id(const uint32_t *ids, size_t count, uint32_t id) {
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void add_group(struct launch_plan *plan, uint32_t gid) {
	size_t at = plan->group_count;

	if (has_id(plan->groups, plan->group_count, gid))
		return;
	for (; at > 0 && plan->groups[at - 1] > gid; at--)
		plan->groups[at] = plan->groups[at - 1];
	plan->groups[at] = gid;
	plan->group_count++;
}

static bool is_root_id(uint32_t id) {
	return id == 0 || id == UINT32_MAX;
}

bool plan_identity(const struct policy *p, const struct accounts *a, struct launch_plan *ret, struct problem *why) {
	static const char *const no_group = "no single entry in /etc/group:", *const for_root = "an app never runs as root or in its group:";
	const struct setting *user = policy_next(p, KEY_USER, NULL), *group = policy_next(p, KEY_GROUP, NULL);
	const struct setting *groups = policy_next(p, KEY_GROUPS, NULL);

	if (a->user.state == ACCOUNTS_AMBIGUOUS || !accounts_id(a, user, &ret->uid.value))
		return bad(why, user, "account", "no single entry in /etc/passwd:", "useradd, or mend /etc/passwd");
	if (group == NULL && a->user.state != ACCOUNTS_FOUND)
		return bad(why, user, "account", "no entry in /etc/passwd:", "set group, home and directory too");
	ret->gid.value = a->user.gid;
	if (group != NULL && !accounts_id(a, group, &ret->gid.value))
		return bad(why, group, "account", no_group, "groupadd, or mend /etc/group");
	if (is_root_id(ret->uid.value) || is_root_id(ret->gid.value))
		return bad(why, user, "policy-root", for_root, NULL);
	ret->group_count = 0;
	if (groups == NULL)
		add_group(ret, ret->gid.value);
	for (; groups != NULL && !text_is(groups->value, "none"); groups = policy_next(p, KEY_GROUPS, groups)) {
		uint32_t gid;

		if (!accounts_id(a, groups, &gid))
			return bad(why, groups, "account", no_group, "groupadd, or mend /etc/group");
		if (is_root_id(gid))
			return bad(why, groups, "policy-root", for_root, NULL);
		add_group(ret, gid);
	}
	return true;
}

/* The policy's value, or the target's of /etc/passwd, or nothing. */
static struct text value_or(const struct policy *p, enum policy_key key, const struct accounts *a, const char *at, size_t length) {
	const struct text value = policy_value(p, key);

	return value.length > 0 || a->user.state != ACCOUNTS_FOUND ? value : (struct text){at, length};
}

static struct text home_of(const struct policy *p, const struct accounts *a) {
	return value_or(p, KEY_HOME, a, a->user.home, a->user.home_length);
}

bool plan_directory(const struct policy *p, const struct accounts *a, const struct caller *c, struct text *ret,
		    bool *ret_keeps_cwd, struct problem *why) {
	*ret_keeps_cwd = false;
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_DIRECTORY_BELOW, s)) != NULL;)
		*ret_keeps_cwd = *ret_keeps_cwd || (text_is_path(c->cwd) && text_is_below(c->cwd, s->value));
	*ret = *ret_keeps_cwd ? c->cwd : policy_value(p, KEY_DIRECTORY);
	if (ret->length == 0)
		*ret = home_of(p, a);
	return ret->length > 0 || problem_about(why, "policy-value", "no directory to start in, and no home in /etc/passwd",
						(struct text){0}, "directory = /srv/app");
}

/* sd_listen_fds(3): only real root hands sockets on, and only those that the policy keeps. */
static bool plan_sockets(const struct caller *c, struct launch_plan *ret, struct sink *bytes, struct problem *why) {
	struct text pid = environment_get(c->environment, "LISTEN_PID"), names = environment_get(c->environment, "LISTEN_FDNAMES");
	struct text rest = names;
	char digits[20];
	struct sink count = {.at = digits, .size = sizeof(digits)};
	uint64_t number, passed, kept = 0;

	if (!caller_is_root(c) || !text_number(pid, UINT32_MAX, &number) || number != c->pid ||
	    !text_number(environment_get(c->environment, "LISTEN_FDS"), POLICY_FD_LAST, &passed))
		return true;
	for (; kept < passed && (ret->keep_fds >> (POLICY_FD_FIRST + kept) & 1) != 0; kept++) {
		rest = text_after(rest, kept > 0);
		text_until(&rest, ":");
	}
	names.length -= rest.length;
	sink_number(&count, kept);
	return kept == 0 || (environment_set(&ret->environment, bytes, "LISTEN_FDS", (struct text){digits, count.used}, why) &&
			     environment_set(&ret->environment, bytes, "LISTEN_PID", pid, why) &&
			     (names.length == 0 || environment_set(&ret->environment, bytes, "LISTEN_FDNAMES", names, why)));
}

static bool plan_environment(const struct policy *p, const struct accounts *a, const struct caller *c, struct text directory,
			     struct launch_plan *ret, struct problem *why) {
	struct sink bytes = {.at = ret->environment_bytes, .size = sizeof(ret->environment_bytes)};
	const struct text path = policy_value(p, KEY_PATH), user = {a->user.name, a->user.state == ACCOUNTS_FOUND ? a->user.name_length : 0};
	struct text shell = value_or(p, KEY_SHELL, a, a->user.shell, a->user.shell_length);

	if (user.length > 0 && text_is_choice(shell, text_of("|/usr/sbin/nologin|/sbin/nologin|/bin/false|/usr/bin/false")))
		shell = text_of("/bin/sh");
	const struct {
		const char *name;
		struct text value;
	} own[] = {{"HOME", home_of(p, a)}, {"USER", user}, {"LOGNAME", user}, {"SHELL", shell},
		   {"PATH", path.length > 0 ? path : text_of(DEFAULT_PATH)}, {"PWD", directory}};
	if (own[0].value.length == 0)
		return problem_about(why, "policy-value", "no home, and none in /etc/passwd", (struct text){0}, "home = /srv/app");
	ret->environment.count = 0;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i].value.length > 0 && !environment_set(&ret->environment, &bytes, own[i].name, own[i].value, why))
			return false;
	if (!plan_sockets(c, ret, &bytes, why) || !environment_fill(&ret->environment, &bytes, p, c->environment,
								     caller_is_root(c) || c->uid.value == ret->uid.value, why))
		return false;
	ret->environment.strings[ret->environment.count] = NULL;
	return true;
}

static const char *add_path(struct sink *bytes, struct text directory, struct text file) {
	const char *const start = bytes->at + bytes->used;

	sink_text(bytes, directory);
	sink_words(bytes, directory.length > 0 && file.length > 0 ? "/" : "");
	sink_text(bytes, file);
	sink_byte(bytes, '\0');
	return start;
}

static bool plan_paths(const struct policy *p, const struct request *r, const struct command_match *m, struct text directory,
		       struct launch_plan *ret, struct problem *why) {
	struct sink bytes = {.at = ret->path_bytes, .size = sizeof(ret->path_bytes)};
	struct text typed = text_of(r->command[0]), search = policy_value(p, KEY_PATH), slash = typed;

	ret->directory = add_path(&bytes, directory, (struct text){0});
	ret->path_count = 0;
	text_until(&slash, "/");
	if (m->path.length > 0 || slash.length > 0)
		ret->paths[ret->path_count++] = add_path(&bytes, (struct text){0}, m->path.length > 0 ? m->path : typed);
	else
		for (search = search.length > 0 ? search : text_of(DEFAULT_PATH); search.length > 0; search = text_after(search, 1))
			ret->paths[ret->path_count++] = add_path(&bytes, text_until(&search, ":"), typed);
	return !bytes.full || problem_set(why, PROBLEM_NOT_FOUND, "not-found", "no file has a name as long as this command's");
}

static void plan_settings(const struct policy *p, const struct caller *c, struct launch_plan *ret) {
	const struct setting *s;
	int number;

	ret->umask = 0027;
	if ((s = policy_next(p, KEY_UMASK, NULL)) != NULL)
		(void)text_umask(s->value, &ret->umask);
	ret->nice = ret->oom_score_adj = (struct plan_number){ret->restores, 0};
	if ((s = policy_next(p, KEY_NICE, NULL)) != NULL)
		ret->nice.is_set = policy_read_number(s->value, -20, 19, &ret->nice.value);
	if ((s = policy_next(p, KEY_OOM_SCORE_ADJ, NULL)) != NULL)
		ret->oom_score_adj.is_set = policy_read_number(s->value, -1000, 1000, &ret->oom_score_adj.value);
	for (unsigned i = 0; i < POLICY_LIMITS; i++) {
		struct plan_limit *limit = &ret->limits[i];

		*limit = ret->restores ? usual_limits[i] : (struct plan_limit){0};
		if ((s = policy_next(p, (enum policy_key)(KEY_LIMIT + i), NULL)) != NULL)
			limit->is_set = policy_read_limit(s->value, &limit->soft, &limit->hard);
		limit->least_hard = s != NULL ? limit->hard : limit->least_hard;
	}
	ret->keep_fds = 0;
	for (s = NULL; (s = policy_next(p, KEY_KEEP_FDS, s)) != NULL;)
		if (policy_read_number(s->value, POLICY_FD_FIRST, POLICY_FD_LAST, &number))
			ret->keep_fds |= c->open_fds & UINT32_C(1) << number;
}

/* Without root nothing can be changed, so the gids must make the policy's set already. */
static bool check_identity(const struct caller *c, struct launch_plan *plan, struct problem *why) {
	const char *what = c->gid.value != plan->gid.value ? "started as the app user, but its group is not the policy's:" : NULL;
	uint32_t gid = plan->gid.value;
	struct sink number = {.at = plan->path_bytes, .size = sizeof(plan->path_bytes)};

	for (size_t i = 0; i < c->group_count && what == NULL; i++)
		if ((gid = c->groups[i]) != plan->gid.value && !has_id(plan->groups, plan->group_count, gid))
			what = "started as the app user, with a group that `groups` does not have:";
	for (size_t i = 0; i < plan->group_count && what == NULL; i++)
		if ((gid = plan->groups[i]) != c->gid.value && !has_id(c->groups, c->group_count, gid))
			what = "started as the app user, without a group that `groups` has:";
	sink_number(&number, gid);
	return what == NULL || problem_about(why, "identity", what, (struct text){number.at, number.used},
					     "container: USER uid:gid, fsGroup, supplementalGroups; or start as root");
}

bool plan_build(const struct request *r, const struct caller *c, const struct policy *p, const struct accounts *a,
		const struct command_match *m, const struct program *profile, struct launch_plan *ret, struct problem *why) {
	struct text directory;

	ret->has_root = c->has_root;
	ret->restores = c->has_root && c->uid.value != 0;
	ret->profile = profile;
	ret->argv = r->command;
	if (!plan_identity(p, a, ret, why) || (!c->has_root && !check_identity(c, ret, why)) ||
	    !plan_directory(p, a, c, &directory, &ret->keeps_cwd, why))
		return false;
	plan_settings(p, c, ret);
	return plan_environment(p, a, c, directory, ret, why) && plan_paths(p, r, m, directory, ret, why);
}
