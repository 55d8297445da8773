/* SPDX-License-Identifier: ISC */
/* May this caller start this app at all? */
#include "tests/policy/given.h"

#include "policy/authorize.h"

TestSuite(authorize, .timeout = 20);

static enum decision decide(const char *lines, struct caller c) {
	struct policy *p = given_policy(lines);
	struct accounts *a = given_accounts(p, GIVEN_PASSWD, GIVEN_GROUP);

	return authorize_caller(p, a, &c);
}

/* Through the setuid bit: effective and saved uid 0. */
static struct caller setuid_caller(uint32_t uid, uint32_t gid) {
	return (struct caller){.uid = {uid}, .gid = {gid}, .has_root = true};
}

/* Attack D9. */
Test(authorize, no_flipped_bit_of_deny_or_of_allow_allows) {
	for (int bit = 0; bit < 32; bit++) {
		cr_expect(((unsigned)DECISION_ALLOW ^ 1u << bit) != (unsigned)DECISION_ALLOW);
		cr_expect(((unsigned)DECISION_DENY ^ 1u << bit) != (unsigned)DECISION_ALLOW, "bit %d", bit);
	}
	cr_expect(__builtin_popcount((unsigned)DECISION_ALLOW ^ (unsigned)DECISION_DENY) >= 12,
		  "the two are far apart");
	cr_expect(DECISION_DENY == 0);
}

/* D9 in the large: whatever a flipped bit makes of what the answer rests on, a stranger's launch is not allowed. */
Test(authorize, zeroed_inputs_deny) {
	struct policy *p = (struct policy *)(void *)given_room(sizeof(*p));
	struct accounts *a = (struct accounts *)(void *)given_room(sizeof(*a));
	struct caller c = {0};

	memset(p, 0, sizeof(*p));
	memset(a, 0, sizeof(*a));
	cr_expect(authorize_caller(p, a, &c) == DECISION_DENY, "all zero");
	c.is_uniform = true;
	cr_expect(authorize_caller(p, a, &c) == DECISION_DENY, "uid 0 without root, nothing in the policy");
	c = setuid_caller(4001, 4001);
	cr_expect(authorize_caller(p, a, &c) == DECISION_DENY, "a policy that says nothing");
	cr_expect(decide("", (struct caller){0}) == DECISION_DENY, "a zeroed caller");
}

Test(authorize, real_root_always) {
	cr_expect(decide("", setuid_caller(0, 0)) == DECISION_ALLOW);
	cr_expect(decide("", setuid_caller(0, 4001)) == DECISION_ALLOW);
}

/* Real uid 0 alone is not root: without an effective uid 0 nothing can be given. */
Test(authorize, uid_zero_without_root_is_nobody) {
	struct caller c = {.uid = {0}, .is_uniform = true};

	cr_expect(decide("allow_users = 4001\n", c) == DECISION_DENY);
	cr_expect(!caller_is_root(&c));
}

Test(authorize, nobody_without_an_allow_line) {
	cr_expect(decide("", setuid_caller(4001, 4001)) == DECISION_DENY);
	cr_expect(decide("", setuid_caller(4002, 4002)) == DECISION_DENY,
		  "nor the app's own user through the setuid bit");
}

Test(authorize, by_user) {
	static const struct {
		const char *lines;
		uint32_t uid;
		bool is_allowed;
	} cases[] = {
		{"allow_users = deploy\n", 4001, true},
		{"allow_users = deploy\n", 4002, false},
		{"allow_users = deploy\n", 4003, false},
		{"allow_users = 4003\n", 4003, true},
		{"allow_users = 4003\n", 4001, false},
		{"allow_users = nobody deploy 4003\n", 4003, true},
		{"allow_users = nobody\nallow_users = deploy\n", 4001, true},
		{"allow_users = ghost\n", 0xffffffff, false},
		{"allow_users = app\n", 4002, true},
		{"allow_groups = deploy\n", 4001, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect((decide(cases[i].lines, setuid_caller(cases[i].uid, 99)) == DECISION_ALLOW) ==
				  cases[i].is_allowed,
			  "%s uid %u", cases[i].lines, cases[i].uid);
}

Test(authorize, by_group) {
	static const uint32_t groups[] = {4, 24, 4020};
	struct caller primary = setuid_caller(4009, 4020), supplementary = setuid_caller(4009, 100),
		      neither = supplementary;

	supplementary.groups = groups;
	supplementary.group_count = 3;
	neither.groups = groups;
	neither.group_count = 2;
	cr_expect(decide("allow_groups = deployers\n", primary) == DECISION_ALLOW, "the real gid");
	cr_expect(decide("allow_groups = deployers\n", supplementary) == DECISION_ALLOW, "a supplementary group");
	cr_expect(decide("allow_groups = deployers\n", neither) == DECISION_DENY);
	cr_expect(decide("allow_groups = 24\n", neither) == DECISION_ALLOW, "by number");
	cr_expect(decide("allow_groups = ghosts\n", supplementary) == DECISION_DENY);
	cr_expect(decide("allow_users = 4020 24 100\n", supplementary) == DECISION_DENY,
		  "a user's number is no group's");
}

/* Nothing is gained there, so only the app's own user gets further, and allow lines do not matter. */
Test(authorize, without_root_only_the_app_user_itself) {
	struct caller app = {.uid = {4002}, .gid = {4002}, .is_uniform = true}, other = app, mixed = app;

	other.uid.value = 4001;
	mixed.is_uniform = false;
	cr_expect(decide("", app) == DECISION_ALLOW);
	cr_expect(decide("allow_users = deploy\n", other) == DECISION_DENY,
		  "an allowed caller without root gains nothing");
	cr_expect(decide("allow_users = app\n", mixed) == DECISION_DENY, "real, effective and saved ids differ");
}

Test(authorize, an_ambiguous_name_allows_nobody) {
	struct policy *p = given_policy("allow_users = twice\nallow_groups = both\n");
	struct accounts *a = given_accounts(p, GIVEN_PASSWD "twice:x:4005:1::/:/bin/sh\ntwice:x:4006:1::/:/bin/sh\n",
					    GIVEN_GROUP "both:x:4030:\nboth:x:4031:\n");
	const uint32_t uids[] = {4005, 4006}, gids[] = {4030, 4031};

	for (int i = 0; i < 2; i++) {
		struct caller c = setuid_caller(uids[i], gids[i]);

		cr_expect(authorize_caller(p, a, &c) == DECISION_DENY, "uid %u, gid %u", uids[i], gids[i]);
	}
}
