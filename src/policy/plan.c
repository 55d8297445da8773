/* SPDX-License-Identifier: ISC */
#include "policy/plan.h"

#include <errno.h>

#define NO_LIMIT UINT64_MAX
#define ANY {true, NO_LIMIT, NO_LIMIT, NO_LIMIT}

/*
 * For callers whose limits are not trusted: the kernel's and systemd's usual ones, in RLIMIT order. The third number is
 * the hard limit that still is enough where root lacks CAP_SYS_RESOURCE and cannot raise what it found: the kernel's
 * own nproc and sigpending depend on the machine.
 */
static const struct plan_limit usual_limits[POLICY_LIMITS] = {
	ANY, ANY, ANY, {true, 8388608, NO_LIMIT, 8388608},			/* cpu, fsize, data, stack (bytes) */
	{true, 0, NO_LIMIT, 0}, ANY, {true, NO_LIMIT, NO_LIMIT, 1024},		/* core, rss, nproc */
	{true, 1024, 524288, 4096}, {true, 8388608, 8388608, 65536}, ANY, ANY,	/* nofile, memlock (bytes), as, locks */
	{true, NO_LIMIT, NO_LIMIT, 1024}, {true, 819200, 819200, 819200},	/* sigpending, msgqueue (bytes) */
	{true, 0, 0, 0}, {true, 0, 0, 0}, ANY,					/* nice, rtprio, rttime */
};

static struct text value_or(const struct policy *p, enum policy_key key, struct text otherwise) {
	const struct setting *s = policy_next(p, key, NULL);
	return s != NULL ? s->value : otherwise;
}

struct plan_profile plan_profile(const struct policy *p) {
	struct plan_profile profile;
	(void)policy_read_profile(value_or(p, KEY_SYSCALLS, text_of("@app-server")), &profile);
	return profile;
}

static bool has_id(const uint32_t *ids, size_t count, uint32_t id) {
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void add_group(struct launch_plan *plan, uint32_t gid) {
	if (has_id(plan->groups, plan->group_count, gid))
		return;
	size_t at = plan->group_count++;
	for (; at > 0 && plan->groups[at - 1] > gid; at--)
		plan->groups[at] = plan->groups[at - 1];
	plan->groups[at] = gid;
}

static bool check_id(uint32_t id, const struct setting *s, struct problem *why) {
	return (id != 0 && id != UINT32_MAX) ||
	       policy_refuse(why, s, "policy-root", "an app never runs as root or in its group:", s->value, NULL);
}

static bool group_id(const struct accounts *a, const struct setting *s, uint32_t *ret, struct problem *why) {
	return accounts_id(a, s, ret) || policy_refuse(why, s, "account", "no entry in /etc/group, or several:", s->value,
						       "groupadd, or mend /etc/group");
}

bool plan_identity(const struct policy *p, const struct accounts *a, struct launch_plan *ret, struct problem *why) {
	const struct setting *user = policy_next(p, KEY_USER, NULL), *group = policy_next(p, KEY_GROUP, NULL);
	const struct setting *s = policy_next(p, KEY_GROUPS, NULL);
	uint32_t gid;

	if (a->user.state == ACCOUNTS_AMBIGUOUS || !accounts_id(a, user, &ret->uid.value))
		return policy_refuse(why, user, "account", "no entry in /etc/passwd, or several:", user->value,
				     "useradd, or mend /etc/passwd");
	if (group == NULL && a->user.state != ACCOUNTS_FOUND)
		return policy_refuse(why, user, "account", "no entry in /etc/passwd:", user->value,
				     "set group, home and directory too");
	ret->gid.value = a->user.gid;
	if ((group != NULL && !group_id(a, group, &ret->gid.value, why)) || !check_id(ret->uid.value, user, why) ||
	    !check_id(ret->gid.value, user, why))
		return false;
	ret->group_count = 0;
	if (s == NULL)
		add_group(ret, ret->gid.value);
	for (; s != NULL && !text_is(s->value, "none"); s = policy_next(p, KEY_GROUPS, s)) {
		if (!group_id(a, s, &gid, why) || !check_id(gid, s, why))
			return false;
		add_group(ret, gid);
	}
	return true;
}

static struct text search_path(const struct policy *p) {
	return value_or(p, KEY_PATH, text_of("/usr/local/bin:/usr/bin:/bin"));
}

bool plan_directory(const struct policy *p, const struct accounts *a, const struct caller *c, struct launch_plan *ret,
		    struct problem *why) {
	ret->keeps_cwd = false;
	for (const struct setting *s = NULL; (s = policy_next(p, KEY_DIRECTORY_BELOW, s)) != NULL;)
		ret->keeps_cwd = ret->keeps_cwd || (text_is_path(c->cwd) && text_is_below(c->cwd, s->value));
	ret->start = ret->keeps_cwd ? c->cwd : value_or(p, KEY_DIRECTORY, value_or(p, KEY_HOME, a->user.home));
	return ret->start.length > 0 ||
	       problem_about(why, "policy-value", "no directory to start in, and no home in /etc/passwd", ret->start,
			     "directory = /srv/app");
}

/* As systemd handed them over: only real root hands sockets on, and only those that the policy keeps. */
static uint64_t kept_sockets(const struct caller *c, uint32_t keep_fds, struct text *ret_names) {
	struct text names = environment_get(c->environment, "LISTEN_FDNAMES"), rest = names;
	uint64_t pid, passed, kept = 0;

	if (!caller_is_root(c) || !text_number(environment_get(c->environment, "LISTEN_PID"), UINT32_MAX, &pid) ||
	    pid != c->pid || !text_number(environment_get(c->environment, "LISTEN_FDS"), POLICY_FD_LAST, &passed))
		return 0;
	for (; kept < passed && ((uint64_t)keep_fds >> (POLICY_FD_FIRST + kept) & 1) != 0; kept++) {
		rest = text_after(rest, kept > 0);
		text_until(&rest, ":");
	}
	*ret_names = (struct text){names.at, names.length - rest.length};
	return kept;
}

/* sd_listen_fds(3). A port is the name of the socket that is bound to it. */
static uint64_t sockets_of(const struct caller *c, const struct launch_plan *plan, struct sink *ports, struct text *ret) {
	if (plan->listen_count == 0)
		return plan->keep_fds != 0 ? kept_sockets(c, plan->keep_fds, ret) : 0;
	for (const struct policy_listen *l = plan->listens; l < plan->listens + plan->listen_count; l++)
		sink_number(ports, l > plan->listens ? ":" : "", l->port);
	*ret = (struct text){ports->at, ports->used};
	return plan->listen_count;
}

static bool plan_environment(const struct plan_given *g, struct sink *bytes, struct launch_plan *ret, struct problem *why) {
	static const char unusable[] = "|/usr/sbin/nologin|/sbin/nologin|/bin/false|/usr/bin/false";
	const struct policy *const p = g->policy;
	const struct text user = g->accounts->user.name, home = value_or(p, KEY_HOME, g->accounts->user.home);
	const struct text shell = value_or(p, KEY_SHELL, g->accounts->user.shell);
	const bool is_usable = user.length == 0 || !text_is_choice(shell, text_of(unusable));
	char ports[6 * POLICY_MAX_LISTEN], count[20], pid[20];
	struct sink named = {.at = ports, .size = sizeof(ports)};
	struct text names = {0};
	const uint64_t sockets = sockets_of(g->caller, ret, &named, &names);
	const struct { const char *start; struct text value; } own[] = {
		{"HOME=", home}, {"USER=", user}, {"LOGNAME=", user},
		{"SHELL=", is_usable ? shell : text_of("/bin/sh")}, {"PATH=", search_path(p)},
		{"PWD=", ret->start}, {"TMPDIR=", policy_value(p, KEY_TMP)},
		{"LISTEN_FDS=", sockets > 0 ? text_of_number(count, sockets) : names},
		{"LISTEN_PID=", sockets > 0 ? text_of_number(pid, g->caller->pid) : names}, {"LISTEN_FDNAMES=", names},
	};

	if (home.length == 0)
		return problem_about(why, "policy-value", "no home, and none in /etc/passwd", home, "home = /srv/app");
	ret->environment.count = 0;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i].value.length > 0 &&
		    !environment_set(&ret->environment, bytes, own[i].start, own[i].value, why))
			return false;
	return environment_fill(&ret->environment, bytes, p, g->secrets, g->caller->environment,
				caller_is_root(g->caller) || g->caller->uid.value == ret->uid.value, why);
}

static const char *add_path(struct sink *bytes, struct text directory, struct text file) {
	const char *const start = bytes->at + bytes->used;

	sink_text(bytes, directory);
	sink_words(bytes, directory.length > 0 && file.length > 0 ? "/" : "");
	sink_text(bytes, file);
	sink_byte(bytes, '\0');
	return start;
}

static bool plan_paths(const struct plan_given *g, struct sink *bytes, struct launch_plan *ret, struct problem *why) {
	const struct text file = g->match.path.length > 0 ? g->match.path : text_of(g->request->command[0]);
	struct text slash = file, part;

	ret->directory = add_path(bytes, ret->start, (struct text){0});
	ret->write_count = 0;
	for (enum policy_key key = KEY_WRITE; key <= KEY_TMP; key++)
		for (const struct setting *s = NULL; (s = policy_next(g->policy, key, s)) != NULL;)
			ret->writes[ret->write_count++] = add_path(bytes, s->value, (struct text){0});
	ret->path_count = 0;
	text_until(&slash, "/");
	struct text search = slash.length > 0 ? text_of("") : search_path(g->policy); /* one part, which is empty */
	while (text_field(&search, ":", &part))
		ret->paths[ret->path_count++] = add_path(bytes, part, file);
	return !bytes->full ||
	       problem_set(why, PROBLEM_DENIED, "not-executable", "no file has a name as long as this command's");
}

static bool plan_writes(const struct policy *p, int abi, struct launch_plan *ret, struct problem *why) {
	const struct setting *const write = policy_next(p, KEY_WRITE, NULL), *const tmp = policy_next(p, KEY_TMP, NULL);
	const struct text enforce = policy_value(p, KEY_WRITE_ENFORCE);
	const bool is_limited = write != NULL || tmp != NULL;

	/* WRITE_FILE, REMOVE_*, MAKE_*, REFER; from 3 on TRUNCATE. ABI 1 refuses every rename between directories. */
	ret->write_rights = !is_limited || abi < 2 ? 0 : abi == 2 ? 0x3ff2 : 0x7ff2;
	ret->landlock_abi = !is_limited ? -1 : abi < 2 ? 0 : abi;
	if (!is_limited || text_is(enforce, "best-effort") || abi >= (text_is(enforce, "strict") ? 3 : 2))
		return true;
	policy_refuse(why, write != NULL ? write : tmp, "landlock", abi >= 0 ? "this kernel's Landlock is too old"
		      : abi == -EOPNOTSUPP ? "Landlock is not switched on at boot" : "this kernel has no Landlock for us",
		      (struct text){0}, abi == -EOPNOTSUPP ? "add landlock to lsm= of the kernel's command line"
		      : abi == -EPERM ? "have the container's seccomp profile allow the landlock system calls"
		      : "Linux 5.19 has it, 6.2 for strict; or accept less: write_enforce = best-effort");
	why->error = abi < 0 ? -abi : 0;
	return false;
}

static void plan_settings(const struct policy *p, const struct caller *c, bool is_served, struct launch_plan *ret) {
	uint64_t soft, hard, mask;
	int number;

	ret->umask = text_umask(policy_value(p, KEY_UMASK), &mask) ? (uint32_t)mask : 0027;
	ret->owns_stdio = text_is(policy_value(p, KEY_STDIO_CHOWN), "yes");
	ret->nice = ret->oom_score_adj = (struct plan_number){.is_set = ret->restores};
	ret->keep_fds = 0;
	ret->listen_count = 0;
	for (unsigned i = 0; i < POLICY_LIMITS; i++)
		ret->limits[i] = ret->restores ? usual_limits[i] : (struct plan_limit){0};
	for (const struct setting *s = p->settings; s < p->settings + p->count; s++) {
		if (s->key == KEY_NICE)
			ret->nice.is_set = policy_read_number(s->value, -20, 19, &ret->nice.value);
		if (s->key == KEY_OOM_SCORE_ADJ)
			ret->oom_score_adj.is_set = policy_read_number(s->value, -1000, 1000, &ret->oom_score_adj.value);
		if (s->key == KEY_KEEP_FDS && policy_read_number(s->value, POLICY_FD_FIRST, POLICY_FD_LAST, &number))
			ret->keep_fds |= c->open_fds & UINT32_C(1) << number;
		if (s->key == KEY_LISTEN && is_served && policy_read_listen(s->value, &ret->listens[ret->listen_count]))
			ret->keep_fds |= UINT32_C(1) << (POLICY_FD_FIRST + ret->listen_count++);
		if (s->key >= KEY_LIMIT && policy_read_limit(s->value, &soft, &hard))
			ret->limits[s->key - KEY_LIMIT] = (struct plan_limit){true, soft, hard, hard};
	}
}

/* Without root nothing can be changed, so the gids must make the policy's set already. */
static bool check_identity(const struct caller *c, struct launch_plan *plan, struct problem *why) {
	uint32_t gid = plan->gid.value;
	const char *what = c->gid.value != gid ? "started as the app user, but its group is not the policy's:" : NULL;

	for (size_t i = 0; i < c->group_count && what == NULL; i++)
		if ((gid = c->groups[i]) != plan->gid.value && !has_id(plan->groups, plan->group_count, gid))
			what = "started as the app user, with a group that `groups` does not have:";
	for (size_t i = 0; i < plan->group_count && what == NULL; i++)
		if ((gid = plan->groups[i]) != c->gid.value && !has_id(c->groups, c->group_count, gid))
			what = "started as the app user, without a group that `groups` has:";
	return what == NULL || problem_about(why, "identity", what, text_of_number(plan->bytes, gid),
					     "container: USER uid:gid, fsGroup, supplementalGroups; or start as root");
}

/* What is root's alone to read, or to give away. */
static bool check_rootly(const struct policy *p, const struct caller *c, const struct launch_plan *plan, struct problem *why) {
	const struct setting *const secret = policy_next(p, KEY_ENV_FILE, NULL);

	if (secret != NULL && !c->has_root)
		return policy_refuse(why, secret, "env-file", "started without root, which alone may read", secret->value,
				     "start as root; or take the line out, and env_keep = * passes the container's variables");
	return !plan->owns_stdio || caller_is_root(c) ||
	       policy_refuse(why, policy_next(p, KEY_STDIO_CHOWN, NULL), "stdio-chown", "stdio_chown is for callers that are root",
			     (struct text){0}, "start as root; or take the line out");
}

bool plan_build(const struct plan_given *g, struct launch_plan *ret, struct problem *why) {
	const struct policy *const p = g->policy;
	const struct caller *const c = g->caller;
	struct sink bytes = {.at = ret->bytes, .size = ENVIRONMENT_MAX_BYTES};

	ret->has_root = c->has_root;
	ret->profile = g->profile;
	ret->argv = g->request->command;
	if (!plan_identity(p, g->accounts, ret, why) || (!c->has_root && !check_identity(c, ret, why)) ||
	    !plan_directory(p, g->accounts, c, ret, why) || !plan_writes(p, g->landlock_abi, ret, why))
		return false;
	ret->restores = c->has_root && c->uid.value != 0 && c->uid.value != ret->uid.value;
	plan_settings(p, c, g->match.by->key == KEY_SERVE, ret);
	if (!check_rootly(p, c, ret, why) || !plan_environment(g, &bytes, ret, why))
		return false;
	bytes.size = bytes.used + PLAN_PATH_BYTES;
	return plan_paths(g, &bytes, ret, why);
}
