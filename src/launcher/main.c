/* SPDX-License-Identifier: ISC */
/*
 * runas-app: become an app's user exactly as a root-owned policy says, confine, exec.
 *
 * This file is the table of contents. Stages stand in the order in which they must run; each that cannot be undone
 * takes the receipt of the one before it, so that two swapped lines do not compile.
 */
#include "launcher/stages.h"

#define POLICIES "/etc/runas-app/"
#define PROFILES POLICIES "profiles/"

static const char help[] =
	"usage: runas-app APP [--] COMMAND [ARG...]\n"
	"       runas-app --help | --version\n"
	"Starts COMMAND as the user that " POLICIES "APP.conf names, if that policy allows it to you.\n"
	"Exit status: the command's own; 127 not found; 126 not permitted or not executable; "
	"125 runas-app itself failed.\n";

/* All memory that there is: no heap, and no large frames, since a caller may set a small stack. */
struct workspace {
	struct request request; /* what is small stands first, in few pages: each page that is touched costs */
	struct caller caller;
	enum accounts_file account_file; /* the one that is being read */
	struct program_file profile;
	struct plan_given given;
	struct report report;
	struct problem why;
	char policy_name[96], profile_name[96];
	struct text profile_path; /* stands in profile_name */
	char *free;		  /* of words: POLICY_MAX_BYTES at least are */
	struct launch_plan plan;
	struct policy policy;
	struct accounts accounts;
	/* Policy, cwd, secrets; behind them what is only looked through, and then the report's: no page more is touched. */
	uint32_t words[(CALLER_MAX_CWD + 3 * POLICY_MAX_BYTES) / sizeof(uint32_t) + CALLER_MAX_GROUPS];
	uint64_t site_bytes[PROGRAM_MAX_FILE / sizeof(uint64_t)];
	uint32_t groups[CALLER_MAX_GROUPS];
};

static void refuse_unless(const struct workspace *w, bool is_good) {
	if (!is_good)
		report_problem(&w->report, &w->why);
}

static struct text join(char to[96], const char *directory, struct text name, const char *suffix) {
	struct sink s = {.at = to, .size = 96};
	sink_words(&s, directory);
	sink_text(&s, name);
	sink_words(&s, suffix);
	return (struct text){to, s.used};
}

static void read_request(struct workspace *w, int argc, char *const *argv) {
	w->report.is_entitled = !w->caller.has_root || caller_is_root(&w->caller);
	w->report.caller = &w->caller;
	w->report.request = &w->request;
	w->given = (struct plan_given){.request = &w->request, .caller = &w->caller,
				       .policy = &w->policy, .accounts = &w->accounts};
	refuse_unless(w, request_parse(argc, argv, &w->request, &w->why));
	if (w->request.kind != REQUEST_RUN)
		report_leave(&w->report, STDOUT_FILENO,
			     text_of(w->request.kind == REQUEST_HELP ? help : shipped_version), 0);
}

static void read_policy(struct workspace *w, int root) {
	struct text bytes;

	w->report.file = join(w->policy_name, POLICIES, w->request.app, ".conf");
	const bool is_read = trusted_read(root, w->report.file, TRUST_FILE, w->free, POLICY_MAX_BYTES, &bytes, &w->why);
	w->free += bytes.length;
	if (!is_read && w->why.error == ENOENT && text_equal(w->why.object, w->report.file))
		problem_about(&w->why, "no-such-app", "no such app: there is no", w->report.file, NULL);
	else if (!is_read && text_is(text_of(w->why.word), "policy-owner") && text_is(w->why.object, "/"))
		caller_explain(&w->why); /* a user namespace: / is always root's, but root has no number here */
	refuse_unless(w, is_read && parse_policy(bytes, &w->policy, &w->why) && check_policy(&w->policy, &w->why));
	w->report.log = policy_value(&w->policy, KEY_LOG);
}

static size_t take_accounts(void *context, struct text piece) {
	struct workspace *w = context;
	return accounts_feed(&w->accounts, &w->policy, w->account_file, piece);
}

static void read_accounts(struct workspace *w, int root) {
	static const char *const files[] = {[ACCOUNTS_PASSWD] = "/etc/passwd", [ACCOUNTS_GROUP] = "/etc/group"};

	accounts_begin(&w->accounts, &w->policy);
	for (w->account_file = ACCOUNTS_PASSWD; w->account_file <= ACCOUNTS_GROUP; w->account_file++)
		refuse_unless(w, !accounts_wants(&w->accounts, &w->policy, w->account_file) ||
				 trusted_stream(root, text_of(files[w->account_file]), w->free, POLICY_MAX_BYTES,
						take_accounts, w, &w->why));
}

static void authorize(struct workspace *w) {
	if (authorize_caller(&w->policy, &w->accounts, &w->caller) != DECISION_ALLOW) {
		problem_set(&w->why, PROBLEM_DENIED, "not-permitted",
			    "not permitted: the caller is in neither allow_users nor allow_groups");
		if (!w->caller.has_root)
			caller_explain(&w->why);
		report_problem(&w->report, &w->why);
	}
	w->report.is_entitled = true;
	if (policy_next(&w->policy, KEY_DIRECTORY_BELOW, NULL) != NULL)
		w->caller.cwd = caller_directory(w->free, &w->report);
	w->free += w->caller.cwd.length;
	refuse_unless(w, plan_identity(&w->policy, &w->accounts, &w->plan, &w->why) &&
			 plan_directory(&w->policy, &w->accounts, &w->caller, &w->plan, &w->why) &&
			 command_find(&w->policy, &w->request, !w->plan.keeps_cwd ? w->plan.start : (struct text){0},
				      &w->given.match, &w->why));
}

/* The filter is stale when a text that it was compiled from is not the one that is there now. */
static bool read_site_profile(struct workspace *w, int root, struct text name) {
	const struct program_file *const site = &w->profile;
	struct text bytes, *const path = &w->profile_path;

	*path = join(w->profile_name, PROFILES, name, ".filter");
	if (!trusted_read(root, *path, TRUST_FILE, (char *)w->site_bytes, sizeof(w->site_bytes), &bytes, &w->why) ||
	    !program_read(bytes.at, bytes.length, shipped_arch, &w->profile, &w->why))
		return false;
	if (!text_is(name, site->sources[0].name)) /* program_read: there is at least one */
		return problem_set(&w->why, PROBLEM_SELF, "filter-stale", "was compiled from another profile");
	for (const struct program_source *from = site->sources; from < site->sources + site->source_count; from++) {
		*path = join(w->profile_name, PROFILES, text_of(from->name), ".profile");
		if (!trusted_read(root, *path, TRUST_FILE, w->free, POLICY_MAX_BYTES, &bytes, &w->why))
			return false;
		if (program_digest(bytes.at, bytes.length) != from->digest)
			return problem_set(&w->why, PROBLEM_SELF, "filter-stale",
					   "has changed since the filter was compiled");
	}
	return true;
}

static const struct program *read_profile(struct workspace *w, int root) {
	const struct plan_profile wanted = plan_profile(&w->policy);
	const struct shipped_program *const shipped = program_find(wanted.name);

	if (wanted.is_none)
		return NULL;
	if (wanted.is_site && !read_site_profile(w, root, wanted.name)) {
		w->why.object = w->profile_path;
		w->why.hint = "runas-policy compile ";
		w->why.hint_about = wanted.name;
		report_problem(&w->report, &w->why);
	}
	if (wanted.is_site)
		return wanted.is_complaining ? &w->profile.complain : &w->profile.enforce;
	if (shipped == NULL) {
		policy_refuse(&w->why, policy_next(&w->policy, KEY_SYSCALLS, NULL), "filter-missing",
			      "no shipped profile is called", wanted.name, "@app-server, @app-server-debug, @web-static");
		report_problem(&w->report, &w->why);
	}
	return wanted.is_complaining ? &shipped->complain : &shipped->enforce;
}

/* Without root plan_build refuses. */
static void read_secrets(struct workspace *w, int root) {
	const struct text path = policy_value(&w->policy, KEY_ENV_FILE);
	refuse_unless(w, path.length == 0 || !w->caller.has_root ||
			 trusted_read(root, path, TRUST_SECRET, w->free, POLICY_MAX_BYTES, &w->given.secrets,
				      &w->why));
	w->free += w->given.secrets.length; /* what is read after them does not take their place */
}

static void make_plan(struct workspace *w) {
	const struct text syscalls = policy_value(&w->policy, KEY_SYSCALLS);
	refuse_unless(w, plan_build(&w->given, &w->plan, &w->why));
	capabilities_require(&w->plan, &w->report);
	descriptors_listen(&w->plan, &w->report);
	errno = 0;
	must(report_allowed(&w->report, &w->plan, syscalls.length > 0 ? syscalls : text_of("@app-server")) ||
	     !text_is(w->report.log, "required"), &w->report, "log", "/dev/log", "log = required: is a system logger "
	     "running, and keeping up? container: mount its /dev/log; or log = syslog");
}

int main(int argc, char *argv[], char *envp[]) {
	static struct workspace w;

	w.report.scratch = w.words; /* until the plan is made only ids, when a refusal has its words */
	w.report.is_entitled = true; /* to what its own process is like */
	const struct entered entered = entry_secure(argc, argv, envp, &w.report);
	w.caller = caller_identify(&entered, w.groups, &w.report);
	w.free = (char *)w.words;
	const int root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(root > STDERR_FILENO, &w.report, "entry", "/", "needs an open file limit of 16");

	read_request(&w, argc, argv);
	read_policy(&w, root);
	w.caller.open_fds = descriptors_secure(policy_next(&w.policy, KEY_KEEP_FDS, NULL) != NULL, &w.report);
	read_accounts(&w, root);
	authorize(&w);
	w.given.profile = read_profile(&w, root);
	read_secrets(&w, root);
	if (policy_next(&w.policy, KEY_WRITE, NULL) != NULL || policy_next(&w.policy, KEY_TMP, NULL) != NULL)
		w.given.landlock_abi = landlock_abi();
	(void)close(root); /* nothing that root opened outlives the plan (CVE-2026-46333) */
	w.report.scratch += (w.free - (char *)w.words + 3) / 4; /* the log line, behind all that the plan points to */
	make_plan(&w);

	/* Point of no return: from here on nothing is decided, only applied. */
	const struct launch_plan *const plan = &w.plan;
	const struct restored restored = restore_defaults(plan, &entered, &w.report);
	const struct grouped grouped = identity_join_groups(plan, restored, &w.report);
	const struct confined confined = capabilities_confine(plan, grouped, &w.report);
	const struct assumed assumed = identity_assume_user(plan, confined, &w.report);
	const struct powerless powerless = capabilities_drop(plan, assumed, &w.report);
	const struct handed_over handed_over = handover_prepare(plan, restored, powerless, &w.report);
	const struct limited limited = landlock_limit(plan, handed_over, &w.report);
	const struct sealed sealed = filter_install(plan, limited, &w.report);
	handover_exec(plan, sealed, &w.report);
}
