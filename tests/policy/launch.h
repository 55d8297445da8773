/* SPDX-License-Identifier: ISC */
/*
 * launch: one launch that the tests of plan_build ask about.
 *
 * Purpose:  who calls, the policy, the accounts and the command in one struct, of which a test changes what it is about.
 * Runs as:  anyone.
 * Given:    the lines of a policy after GIVEN_START, as given.h takes them.
 * Promises: the plan starts as noise, so that what plan_build leaves out is seen.
 * Never:    touches the system: caller, accounts and kernel are what the test says.
 */
#ifndef TESTS_POLICY_LAUNCH_H
#define TESTS_POLICY_LAUNCH_H

#include "tests/policy/given.h"

#include "policy/plan.h"

/* One launch that plan_build is asked about; a test changes what it is about. */
struct launch {
	const char *policy; /* whole, or NULL: GIVEN_START and `lines` */
	const char *lines, *passwd, *group;
	struct caller caller;
	char *const *command;
	struct plan_given given;
	/* what came of it */
	struct launch_plan *plan;
	struct problem why;
};

static char *const nothing[] = {NULL};
static char *const true_command[] = {(char *)"true", NULL};

static inline struct launch by_deploy(const char *lines) {
	return (struct launch){
		.lines = lines,
		.passwd = GIVEN_PASSWD,
		.group = GIVEN_GROUP,
		.caller = {.uid = {4001},
			   .gid = {4001},
			   .has_root = true,
			   .pid = 77,
			   .cwd = text_of("/home/deploy"),
			   .environment = nothing},
		.command = true_command,
	};
}

static inline struct launch by_root(const char *lines) {
	struct launch l = by_deploy(lines);

	l.caller.uid.value = 0;
	l.caller.gid.value = 0;
	return l;
}

static inline struct launch by_app(const char *lines, const uint32_t *groups, size_t count) {
	struct launch l = by_deploy(lines);

	l.caller = (struct caller){.uid = {4002},
				   .gid = {4002},
				   .groups = groups,
				   .group_count = count,
				   .is_uniform = true,
				   .pid = 77,
				   .cwd = text_of("/"),
				   .environment = nothing};
	return l;
}

static inline bool build(struct launch *l) {
	struct policy *p = l->policy != NULL
				   ? given_whole_policy(l->policy)
				   : given_policy(given_string(given_joined(given(l->lines), given("command = *\n"))));
	struct request r = {.app = text_of("x"), .command = l->command};

	while (l->command[r.words] != NULL)
		r.words++;
	l->plan = (struct launch_plan *)(void *)given_room(sizeof(*l->plan));
	memset(l->plan, 0x5a, sizeof(*l->plan));
	memset(&l->why, 0, sizeof(l->why));
	l->given.request = &r;
	l->given.caller = &l->caller;
	l->given.policy = p;
	l->given.accounts = given_accounts(p, l->passwd, l->group);
	cr_assert(command_find(p, &r, (struct text){0}, &l->given.match, &l->why), "%s", l->why.what);
	memset(&l->why, 0, sizeof(l->why));
	return plan_build(&l->given, l->plan, &l->why);
}

static inline const struct launch_plan *built(struct launch l) {
	cr_assert(build(&l), "%s %.*s", l.why.what, SHOWN(l.why.about));
	return l.plan;
}

static inline void expect_refused(struct launch l, const char *word, const char *about) {
	cr_assert(!build(&l), "not refused: %s", l.lines != NULL ? l.lines : l.policy);
	cr_assert(l.why.word != NULL && l.why.what != NULL);
	cr_expect(strcmp(l.why.word, word) == 0, "%s (%s), not %s", l.why.word, l.why.what, word);
	given_expect_text(l.why.about, about, l.why.what);
}

static inline const char *variable(const struct launch_plan *plan, const char *name) {
	for (size_t i = 0; i < plan->environment.count; i++)
		if (text_is(environment_name(text_of(plan->environment.strings[i])), name))
			return plan->environment.strings[i] + strlen(name) + 1;
	return NULL;
}

static inline void expect_variable(const struct launch_plan *plan, const char *name, const char *want) {
	const char *is = variable(plan, name);

	cr_expect(want == NULL ? is == NULL : is != NULL && strcmp(is, want) == 0, "%s is %s, not %s", name,
		  is ? is : "unset", want ? want : "unset");
}

#endif
