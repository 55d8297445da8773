/* SPDX-License-Identifier: ISC */
#include "companion/compare.h"

#include <cap-ng.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FILTER_MODE = SECCOMP_MODE_FILTER };

static void add(struct comparisons *to, enum comparison how, const char *what, char *is, char *should) {
	to->list = output_memory(reallocarray(to->list, to->count + 1, sizeof *to->list));
	to->list[to->count++] = (struct compared){how, output_memory(strdup(what)), is, should};
	to->different += how == COMPARE_DIFFERS;
}

/* should NULL: the policy says nothing. */
static void add_equal(struct comparisons *to, const char *what, bool is_same, char *is, char *should) {
	add(to, should == NULL ? COMPARE_SHOWN : is_same ? COMPARE_SAME : COMPARE_DIFFERS, what, is, should);
}

static char *words(const char *text) { return output_memory(strdup(text)); }

/* --- what is planned --- */

struct rehearsal *compare_plan(struct draft *draft, struct findings *findings) {
	static char *nothing[] = {NULL};
	const struct rehearsal_call call = {.environment = nothing, .cwd = "/", .landlock_abi = 7};
	struct policy *policy = &draft->policy;
	struct rehearsal *ret;
	size_t kept = 0;

	/* What a launch makes of a process does not hang on these, and they may be secret or stale. */
	for (size_t i = 0; i < policy->count; i++) {
		const enum policy_key key = policy->settings[i].key;

		if (key != KEY_ENV_FILE && key != KEY_SYSCALLS && key != KEY_STDIO_CHOWN)
			policy->settings[kept++] = policy->settings[i];
	}
	policy->count = kept;
	ret = draft_rehearse(draft, &call);
	if (ret->stage == REHEARSAL_READY)
		return ret;
	findings_problem(findings, FINDING_ERROR, draft->path, draft->bytes, &ret->why);
	rehearsal_free(ret);
	return NULL;
}

/* --- one thing after the other --- */

static char *account_words(const struct image *image, const uint32_t ids[4], size_t count, bool is_user) {
	char *ret = words("");

	for (size_t i = 0; i < count; i++) {
		char *name = is_user ? image_user_name(image, ids[i]) : image_group_name(image, ids[i]), *longer;

		longer = output_format("%s%s%u%s%s%s", ret, i > 0 ? " " : "", ids[i], name == NULL ? "" : "(",
				       name == NULL ? "" : name, name == NULL ? "" : ")");
		free(name);
		free(ret);
		ret = longer;
	}
	return ret;
}

/* Once, if all four are one. */
static void add_ids(struct comparisons *to, const struct image *image, const char *what, const uint32_t ids[4],
		    const uint32_t *planned, bool is_user) {
	const bool is_one = ids[0] == ids[1] && ids[0] == ids[2] && ids[0] == ids[3];
	char *is = account_words(image, ids, is_one ? 1 : 4, is_user), *longer;

	longer = output_format("%s%s", is, is_one ? "" : "  (real effective saved file-system)");
	free(is);
	add_equal(to, what, is_one && planned != NULL && ids[0] == *planned, longer,
		  planned == NULL ? NULL : account_words(image, planned, 1, is_user));
}

static bool has_id(const uint32_t *ids, size_t count, uint32_t id) {
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void add_groups(struct comparisons *to, const struct image *image, const struct process *p,
		       const struct launch_plan *plan) {
	bool is_same = plan != NULL;

	for (size_t i = 0; is_same && i < p->group_count; i++)
		is_same = p->groups[i] == plan->gid.value || has_id(plan->groups, plan->group_count, p->groups[i]);
	for (size_t i = 0; is_same && i < plan->group_count; i++)
		is_same = plan->groups[i] == p->gids[0] || has_id(p->groups, p->group_count, plan->groups[i]);
	add_equal(to, "groups", is_same,
		  p->group_count == 0 ? words("none") : account_words(image, p->groups, p->group_count, false),
		  plan == NULL		   ? NULL
		  : plan->group_count == 0 ? words("none")
					   : account_words(image, plan->groups, plan->group_count, false));
}

/* In one line, if that can be: what is missing from a set that is nearly full is the shorter list. */
char *compare_capabilities(uint64_t set) {
	enum { FEW = 8 };
	uint64_t known = 0, listed;
	char *ret;

	for (unsigned i = 0; i < 64; i++)
		known |= (uint64_t)(capng_capability_to_name(i) != NULL) << i;
	if (set == 0 || (set & known) == known)
		return words(set == 0 ? "none" : "all");
	listed = __builtin_popcountll(known & ~set) > FEW ? set : known & ~set;
	ret = words(listed == set ? "" : "all but");
	for (unsigned i = 0; i < 64; i++) {
		const char *name = capng_capability_to_name(i);
		char *longer;

		if ((listed >> i & 1) == 0)
			continue;
		longer = name != NULL ? output_format("%s%s%s", ret, ret[0] == '\0' ? "" : " ", name)
				      : output_format("%s%s%u", ret, ret[0] == '\0' ? "" : " ", i);
		free(ret);
		ret = longer;
	}
	return ret;
}

static void add_capabilities(struct comparisons *to, const struct process *p, bool has_plan) {
	for (size_t i = 0; i < PROCESS_SETS; i++) {
		const bool is_bounding = strcmp(process_set_names[i], "bounding") == 0;
		char *what = output_format("capabilities, %s", process_set_names[i]);
		enum comparison how = !has_plan ? COMPARE_SHOWN : p->sets[i] == 0 ? COMPARE_SAME : COMPARE_DIFFERS;

		if (is_bounding && how == COMPARE_DIFFERS && to->is_rootless)
			how = COMPARE_CHANGED;
		add(to, how, what, compare_capabilities(p->sets[i]),
		    !has_plan		     ? NULL
		    : how == COMPARE_CHANGED ? words("none, when started by root (powerless under no_new_privs)")
					     : words("none"));
		free(what);
	}
}

/* Which one, only the kernel and root's debugger know; old kernels do not say how many. */
static bool has_own_filter(const struct process *p, int around) {
	return p->seccomp == FILTER_MODE && (p->filters < 0 || p->filters > around);
}

static void add_confinement(struct comparisons *to, const struct process *p, bool has_plan, int around) {
	static const char *const modes[] = {"off", "strict", "filter"};

	add_equal(to, "no_new_privs", p->no_new_privs == 1,
		  words(p->no_new_privs < 0    ? "not known"
			: p->no_new_privs == 1 ? "on"
					       : "OFF"),
		  has_plan ? words("on") : NULL);
	add_equal(to, "system call filters", has_own_filter(p, around),
		  p->seccomp < 0 ? words("not known")
		  : p->filters < 0
			  ? output_format("%s, the kernel does not say how many", modes[p->seccomp % 3])
			  : output_format("%d%s", p->filters, p->seccomp == FILTER_MODE ? "" : " (mode is not filter)"),
		  has_plan ? output_format("%d or more", around + 1) : NULL);
	add(to, COMPARE_UNKNOWN, "securebits", words("the kernel shows them to the process itself only"),
	    has_plan ? words("0xeb, when started by root") : NULL);
}

static void add_landlock(struct comparisons *to, const struct launch_plan *plan) {
	add(to, COMPARE_UNKNOWN, "Landlock", words("the kernel shows it to nobody"),
	    plan == NULL ? NULL
	    : plan->write_count == 0
		    ? words("no write list")
		    : output_format("%zu path%s", plan->write_count, plan->write_count == 1 ? "" : "s"));
}

static char *limit_words(uint64_t soft, uint64_t hard) {
	char *first = soft == UINT64_MAX ? words("unlimited") : output_format("%llu", (unsigned long long)soft);
	char *second = hard == UINT64_MAX ? words("unlimited") : output_format("%llu", (unsigned long long)hard), *ret;

	ret = output_format("%s:%s", first, second);
	free(first);
	free(second);
	return ret;
}

/* A process may lower both, and move the soft one below the hard one; nothing else. */
static void add_limits(struct comparisons *to, const struct process *p, const struct draft *draft,
		       const struct launch_plan *plan) {
	for (unsigned i = 0; i < PROCESS_LIMITS; i++) {
		const enum policy_key key = (enum policy_key)(KEY_LIMIT + i);
		const bool is_named = plan != NULL && policy_next(&draft->policy, key, NULL) != NULL;
		enum comparison how = COMPARE_SHOWN;

		if (is_named && !p->limits[i].is_known)
			how = COMPARE_UNKNOWN;
		else if (is_named)
			how = p->limits[i].hard > plan->limits[i].hard ? COMPARE_DIFFERS
			      : p->limits[i].hard < plan->limits[i].hard || p->limits[i].soft != plan->limits[i].soft
				      ? COMPARE_CHANGED
				      : COMPARE_SAME;
		add(to, how, policy_key_name(key),
		    p->limits[i].is_known ? limit_words(p->limits[i].soft, p->limits[i].hard) : words("not known"),
		    is_named ? limit_words(plan->limits[i].soft, plan->limits[i].hard) : NULL);
	}
}

/* Both numbers may go up by the process itself, and not down. */
static void add_number(struct comparisons *to, const char *what, bool is_known, int is,
		       const struct plan_number *planned, bool is_named) {
	add(to,
	    !is_known		   ? COMPARE_UNKNOWN
	    : !is_named		   ? COMPARE_SHOWN
	    : is == planned->value ? COMPARE_SAME
	    : is > planned->value  ? COMPARE_CHANGED
				   : COMPARE_DIFFERS,
	    what, is_known ? output_format("%d", is) : words("not known"),
	    is_named ? output_format("%d", planned->value) : NULL);
}

/* The kernel knows no symlink: where `current` leads, the app started there. */
static bool is_at(const struct process *p, const struct image *image, const char *planned) {
	struct stat there;

	return strcmp(p->cwd, planned) == 0 ||
	       (p->has_cwd_status && image_stat(image, planned, &there) && p->cwd_status.st_dev == there.st_dev &&
		p->cwd_status.st_ino == there.st_ino);
}

static void add_rest(struct comparisons *to, const struct image *image, const struct process *p,
		     const struct draft *draft, const struct launch_plan *plan) {
	const bool has_plan = plan != NULL;

	add(to,
	    p->umask < 0			? COMPARE_UNKNOWN
	    : !has_plan				? COMPARE_SHOWN
	    : (uint32_t)p->umask == plan->umask ? COMPARE_SAME
						: COMPARE_DIFFERS,
	    "umask", p->umask < 0 ? words("not known") : output_format("%04o", (unsigned)p->umask),
	    has_plan ? output_format("%04o", plan->umask) : NULL);
	add_limits(to, p, draft, plan);
	add_number(to, "nice", p->has_nice, p->nice, has_plan ? &plan->nice : NULL,
		   has_plan && policy_next(&draft->policy, KEY_NICE, NULL) != NULL);
	add_number(to, "oom_score_adj", p->has_oom, p->oom_score_adj, has_plan ? &plan->oom_score_adj : NULL,
		   has_plan && policy_next(&draft->policy, KEY_OOM_SCORE_ADJ, NULL) != NULL);
	add(to,
	    p->cwd == NULL					? COMPARE_UNKNOWN
	    : !has_plan						? COMPARE_SHOWN
	    : is_at(p, image, plan->directory) ? COMPARE_SAME
								: COMPARE_CHANGED,
	    "directory",
	    p->cwd == NULL ? words("not readable: ask as root, or as the app's user")
			   : output_escaped(p->cwd, strlen(p->cwd)),
	    has_plan ? output_escaped(plan->directory, strlen(plan->directory)) : NULL);
}

struct comparisons compare_process(const struct image *image, const struct draft *draft, const struct launch_plan *plan,
				   int around, const struct process *p) {
	struct comparisons ret = {0};
	bool is_confined = p->no_new_privs == 1 && has_own_filter(p, around);
	bool is_bounded = true;

	for (size_t i = 0; i < PROCESS_SETS; i++) {
		const bool is_bounding = strcmp(process_set_names[i], "bounding") == 0;

		is_confined = is_confined && (is_bounding || p->sets[i] == 0);
		is_bounded = is_bounded && (!is_bounding || p->sets[i] == 0);
	}
	ret.is_launched = is_confined && is_bounded;
	ret.is_rootless = is_confined && !is_bounded;
	add_ids(&ret, image, "user", p->uids, plan == NULL ? NULL : &plan->uid.value, true);
	add_ids(&ret, image, "group", p->gids, plan == NULL ? NULL : &plan->gid.value, false);
	add_groups(&ret, image, p, plan);
	add_capabilities(&ret, p, plan != NULL);
	add_confinement(&ret, p, plan != NULL, around);
	add_landlock(&ret, plan);
	add_rest(&ret, image, p, draft, plan);
	return ret;
}

void compare_free(struct comparisons *all) {
	for (size_t i = 0; i < all->count; i++) {
		free(all->list[i].what);
		free(all->list[i].is);
		free(all->list[i].should);
	}
	free(all->list);
	*all = (struct comparisons){0};
}
