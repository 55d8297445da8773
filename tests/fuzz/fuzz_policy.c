/* SPDX-License-Identifier: ISC */
/* The bytes of a policy: parsed, checked, and made into the plans of five callers, for every command that it has. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define PASSWD                                                                                                         \
	"root:x:0:0:root:/root:/bin/bash\ntoor:x:0:4002::/:/bin/sh\nwheely:x:4005:0::/:/bin/sh\ndeploy:x:4001:4001::/" \
	"home/deploy:/bin/sh\n"                                                                                        \
	"app:x:4002:4002:The App:/srv/app:/usr/sbin/nologin\nrails:x:4003:4003::/srv/rails:/bin/sh\n"
#define GROUP "root:x:0:\nwheel:x:0:\ndeploy:x:4001:\napp:x:4002:\nrails:x:4003:\nweb:x:4010:\nextra:x:4011:a,b\n"

static struct policy policy, again;
static struct launch_plan plan;
static struct accounts accounts;

/* What was understood, written down and read again, is the same; in any order of lines it is accepted too. */
static void check_meaning(void) {
	static char bytes[2 * POLICY_MAX_BYTES];

	for (int reversed = 0; reversed <= 1; reversed++) {
		struct sink s = {.at = bytes, .size = sizeof(bytes)};

		for (size_t i = 0; i < policy.count; i++) {
			const struct setting *const from = &policy.settings[reversed && i > 0 ? policy.count - i : i];
			sink_words(&s, policy_key_name(from->key));
			sink_byte(&s, '=');
			sink_text(&s, from->value);
			sink_byte(&s, '\n');
		}
		if (s.full) /* a list word with its key before it takes more room */
			return;
		MUST(fuzz_read_policy((struct text){bytes, s.used}, &again) && again.count == policy.count);
		for (size_t i = 0; i < policy.count; i++) {
			const struct setting *const a = &policy.settings[i];
			const struct setting *const b = &again.settings[reversed && i > 0 ? policy.count - i : i];
			MUST(a->key == b->key && text_equal(a->value, b->value));
		}
	}
}

static bool is_string_in(const char *string, const char *bytes, size_t size) {
	return string >= bytes && string < bytes + size && memchr(string, 0, size - (size_t)(string - bytes)) != NULL;
}

static void check_plan(const struct caller *c) {
	MUST(plan.uid.value != 0 && plan.uid.value != UINT32_MAX && plan.gid.value != 0 &&
	     plan.gid.value != UINT32_MAX);
	MUST(plan.group_count <= PLAN_MAX_GROUPS);
	for (size_t i = 0; i < plan.group_count; i++)
		MUST(plan.groups[i] != UINT32_MAX && plan.groups[i] > (i > 0 ? plan.groups[i - 1] : 0));
	MUST(plan.umask <= 0777 && (plan.keep_fds & 7) == 0);
	MUST(!plan.nice.is_set || (plan.nice.value >= -20 && plan.nice.value <= 19));
	MUST(!plan.oom_score_adj.is_set || (plan.oom_score_adj.value >= -1000 && plan.oom_score_adj.value <= 1000));
	for (size_t i = 0; i < POLICY_LIMITS; i++) {
		const struct plan_limit *const l = &plan.limits[i];
		MUST(!l->is_set || (l->soft <= l->hard && l->least_hard <= l->hard));
		MUST(l->is_set || !plan.restores);
	}
	MUST(plan.has_root == c->has_root && (!plan.restores || (c->has_root && c->uid.value != 0)));
	MUST(!plan.owns_stdio || (c->has_root && c->uid.value == 0));
	MUST(plan.path_count >= 1 && plan.path_count <= POLICY_MAX_CANDIDATES);
	for (size_t i = 0; i < plan.path_count; i++)
		MUST(is_string_in(plan.paths[i], plan.bytes, sizeof(plan.bytes)) && plan.paths[i][0] == '/');
	MUST(plan.write_count <= POLICY_MAX_WRITES && plan.listen_count <= POLICY_MAX_LISTEN);
	for (size_t i = 0; i < plan.write_count; i++)
		MUST(is_string_in(plan.writes[i], plan.bytes, sizeof(plan.bytes)) &&
		     text_is_path(text_of(plan.writes[i])));
	for (size_t i = 0; i < plan.listen_count; i++)
		MUST(plan.listens[i].port != 0 && (plan.keep_fds >> (POLICY_FD_FIRST + i) & 1) != 0);
	MUST((plan.write_count > 0) == (plan.landlock_abi >= 0));
	MUST(is_string_in(plan.directory, plan.bytes, sizeof(plan.bytes)) &&
	     text_is_path(text_of(plan.directory)));
	fuzz_check_environment(&plan.environment, plan.bytes, ENVIRONMENT_MAX_BYTES);
	MUST(plan.environment.strings[plan.environment.count] == NULL);
}

static void try_caller(const struct caller *c, const struct command_match *m) {
	static const struct program program = {0};
	static const int abis[] = {-95, 0, 2, 6};
	char *words[] = {(char[]){"server"}, NULL};
	const struct request request = {.kind = REQUEST_RUN, .app = text_of("app"), .command = words, .words = 1};
	struct problem why;

	for (size_t i = 0; i < sizeof(abis) / sizeof(abis[0]); i++) {
		const struct plan_given given = {.request = &request,
						 .caller = c,
						 .policy = &policy,
						 .accounts = &accounts,
						 .match = *m,
						 .profile = &program,
						 .landlock_abi = abis[i]};
		memset(&why, 0x5a, sizeof(why));
		/* Enough of it to see what was not set; all 300 KB would take longer than the rest. */
		memset(&plan, 0x5a, offsetof(struct launch_plan, environment));
		if (plan_build(&given, &plan, &why))
			check_plan(c);
		else
			fuzz_check_problem(&why);
	}
}

static void try_plans(void) {
	char *const environment[] = {(char[]){"LANG=C"},	(char[]){"TERM=xterm\033"},
				     (char[]){"LD_PRELOAD=/x"}, (char[]){"LISTEN_FDS=2"},
				     (char[]){"LISTEN_PID=77"}, (char[]){"LISTEN_FDNAMES=a:b:c"},
				     (char[]){"A=b"},		NULL};
	static const uint32_t groups[] = {4002, 4010};
	const struct caller callers[] = {
		{.uid = {0}, .gid = {0}, .has_root = true, .is_uniform = true, .open_fds = 0x18, .pid = 77},
		{.uid = {4001}, .gid = {4001}, .groups = groups, .group_count = 2, .has_root = true, .open_fds = ~0u},
		{.uid = {4002}, .gid = {4002}, .groups = groups, .group_count = 1, .is_uniform = true},
		{.uid = {4002}, .gid = {4002}, .has_root = true, .cwd = text_of("/srv/app/releases/1")},
	};

	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++) {
		struct caller c = callers[i];
		size_t tried = 0;

		c.environment = environment;
		if (authorize_caller(&policy, &accounts, &c) != DECISION_ALLOW)
			continue;
		for (const struct setting *s = policy.settings; s < policy.settings + policy.count && tried < 2; s++) {
			struct text rest = s->value;
			const struct text first = text_word(&rest);
			const bool is_any = text_is(first, "*");
			const struct command_match m = {s, is_any || first.at[0] == '"' ? (struct text){0} : first};

			if (s->key == KEY_COMMAND || s->key == KEY_SERVE) {
				try_caller(&c, &m);
				tried++;
			}
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct text bytes = {(const char *)data, size};

	/* What trusted_read never hands on. */
	if (size > POLICY_MAX_BYTES || !fuzz_read_policy(bytes, &policy))
		return 0;
	for (const struct setting *s = policy.settings; s < policy.settings + policy.count; s++)
		MUST(fuzz_is_inside(s->value, bytes));
	check_meaning();
	accounts_begin(&accounts, &policy);
	MUST(accounts_feed(&accounts, &policy, ACCOUNTS_PASSWD, text_of(PASSWD)) == strlen(PASSWD));
	MUST(accounts_feed(&accounts, &policy, ACCOUNTS_GROUP, text_of(GROUP)) == strlen(GROUP));
	try_plans();
	return 0;
}
