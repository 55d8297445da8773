/* SPDX-License-Identifier: ISC */
/*
 * runas-app: become an app's user exactly as a root-owned policy says, confine, exec.
 *
 * This file is the table of contents. Stages stand in the order in which they must run; each that cannot be undone
 * takes the receipt of the one before it, so that two swapped lines do not compile.
 */
#include "launcher/stages.h"
#include "launcher/trusted_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <unistd.h>

#define POLICIES "/etc/runas-app"
#define SITE_PROFILES POLICIES "/profiles"
#define PASSWD "/etc/passwd"
#define GROUP "/etc/group"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef VERSION
#define VERSION "0.1"
#endif

static const char help[] = "usage: runas-app APP [--] COMMAND [ARG...]\n"
			   "       runas-app --help | --version\n"
			   "Starts COMMAND as the user that " POLICIES "/APP.conf names, if that policy allows it to you.\n"
			   "Exit status: the command's own; 127 not found; 126 not permitted or not executable; 125 runas-app itself failed.\n";

/* All memory that there is: no heap, and no large frames, since a caller may set a small stack. */
struct workspace {
	struct request request;
	struct caller caller;
	struct policy policy;
	struct accounts accounts;
	struct program_file site;
	struct report report;
	char policy_path[64], profile_path[96], cwd[4096], policy_bytes[POLICY_MAX_BYTES], chunk[POLICY_MAX_BYTES];
	struct launch_plan plan;
	uint64_t site_bytes[PROGRAM_MAX_FILE / sizeof(uint64_t)];
	uint32_t groups[CALLER_MAX_GROUPS], scratch[CALLER_MAX_GROUPS];
};

static void join(char *to, size_t size, const char *directory, struct text name, const char *suffix) {
	struct sink s = {.at = to, .size = size - 1};

	sink_words(&s, directory);
	sink_byte(&s, '/');
	sink_text(&s, name);
	sink_words(&s, suffix);
	to[s.used] = '\0';
}

static void read_request(struct workspace *w, int argc, char *const *argv) {
	struct problem why;

	w->report.is_entitled = !w->caller.has_root || caller_is_root(&w->caller);
	w->report.caller = &w->caller;
	w->report.request = &w->request;
	if (!request_parse(argc, argv, &w->request, &why))
		report_problem(&w->report, &why);
	if (w->request.kind != REQUEST_RUN)
		report_words(&w->report, w->request.kind == REQUEST_HELP ? help : "runas-app " VERSION "\n");
}

static void read_policy(struct workspace *w, int root) {
	struct problem why;
	struct text bytes, log;
	bool is_missing;

	join(w->policy_path, sizeof(w->policy_path), POLICIES, w->request.app, ".conf");
	w->report.file = text_of(w->policy_path);
	if (!trusted_read(root, w->policy_path, w->policy_bytes, sizeof(w->policy_bytes), &bytes, &is_missing, &why)) {
		if (is_missing)
			problem_about(&why, "no-such-app", "no such app: there is no", w->report.file, NULL);
		else if (!w->caller.has_root && text_is(text_of(why.word), "policy-owner"))
			caller_explain(&why); /* a user namespace in which root has no number */
		report_problem(&w->report, &why);
	}
	if (!parse_policy(bytes, &w->policy, &why) || !check_policy(&w->policy, &why))
		report_problem(&w->report, &why);
	log = policy_value(&w->policy, KEY_LOG);
	w->report.log = text_is(log, "none") ? REPORT_LOG_NONE : text_is(log, "required") ? REPORT_LOG_REQUIRED : REPORT_LOG_SYSLOG;
}

static size_t take_passwd(void *w, struct text piece) {
	return accounts_feed(&((struct workspace *)w)->accounts, &((struct workspace *)w)->policy, ACCOUNTS_PASSWD, piece);
}

static size_t take_group(void *w, struct text piece) {
	return accounts_feed(&((struct workspace *)w)->accounts, &((struct workspace *)w)->policy, ACCOUNTS_GROUP, piece);
}

static void read_accounts(struct workspace *w, int root) {
	struct problem why;

	accounts_begin(&w->accounts, &w->policy);
	if ((accounts_wants(&w->accounts, &w->policy, ACCOUNTS_PASSWD) &&
	     !trusted_stream(root, PASSWD, w->chunk, sizeof(w->chunk), take_passwd, w, &why)) ||
	    (accounts_wants(&w->accounts, &w->policy, ACCOUNTS_GROUP) &&
	     !trusted_stream(root, GROUP, w->chunk, sizeof(w->chunk), take_group, w, &why)))
		report_problem(&w->report, &why);
}

static struct command_match authorize(struct workspace *w) {
	struct command_match match;
	struct problem why;
	struct text directory;
	bool keeps_cwd;

	if (authorize_caller(&w->policy, &w->accounts, &w->caller) != DECISION_ALLOW) {
		problem_set(&why, PROBLEM_DENIED, "not-permitted", "not permitted: the caller is in neither allow_users nor allow_groups");
		if (!w->caller.has_root)
			caller_explain(&why);
		report_problem(&w->report, &why);
	}
	w->report.is_entitled = true;
	if (!plan_identity(&w->policy, &w->accounts, &w->plan, &why) ||
	    !plan_directory(&w->policy, &w->accounts, &w->caller, &directory, &keeps_cwd, &why) ||
	    !command_find(&w->policy, &w->request, keeps_cwd ? (struct text){0} : directory, &match, &why))
		report_problem(&w->report, &why);
	return match;
}

/* The filter is stale when a text that it was compiled from is not the one that is there now. */
static bool read_site_profile(struct workspace *w, int root, struct text name, struct problem *why) {
	struct text bytes, source;
	bool is_missing;

	join(w->profile_path, sizeof(w->profile_path), SITE_PROFILES, name, ".filter");
	if (!trusted_read(root, w->profile_path, (char *)w->site_bytes, sizeof(w->site_bytes), &bytes, &is_missing, why) ||
	    !program_read(bytes.at, bytes.length, ARCHITECTURE, &w->site, why))
		return false;
	if (w->site.source_count == 0 || !text_equal(w->site.sources[0].name, name))
		return problem_set(why, PROBLEM_SELF, "filter-stale", "was compiled from another profile");
	for (size_t i = 0; i < w->site.source_count; i++) {
		join(w->profile_path, sizeof(w->profile_path), SITE_PROFILES, w->site.sources[i].name, ".profile");
		if (!trusted_read(root, w->profile_path, w->chunk, sizeof(w->chunk), &source, &is_missing, why))
			return false;
		if (program_digest(source.at, source.length) != w->site.sources[i].digest)
			return problem_set(why, PROBLEM_SELF, "filter-stale", "has changed since the filter was compiled");
	}
	return true;
}

static const struct program *read_profile(struct workspace *w, int root) {
	const struct plan_profile wanted = plan_profile(&w->policy);
	const struct shipped_program *shipped;
	struct problem why;

	if (wanted.is_none)
		return NULL;
	if (wanted.is_site) {
		if (read_site_profile(w, root, wanted.name, &why))
			return wanted.is_complaining ? &w->site.complain : &w->site.enforce;
		why.object = text_of(w->profile_path);
		why.hint = "runas-policy compile ";
		why.hint_about = wanted.name;
		report_problem(&w->report, &why);
	}
	shipped = program_find(wanted.name);
	if (shipped == NULL) {
		problem_about(&why, "filter-missing", "no shipped profile is called", wanted.name, "@app-server, @app-server-debug, @web-static");
		why.line = policy_next(&w->policy, KEY_SYSCALLS, NULL)->line;
		report_problem(&w->report, &why);
	}
	return wanted.is_complaining ? &shipped->complain : &shipped->enforce;
}

static void make_plan(struct workspace *w, const struct command_match *match, const struct program *profile) {
	const struct text syscalls = policy_value(&w->policy, KEY_SYSCALLS);
	struct problem why;

	if (!plan_build(&w->request, &w->caller, &w->policy, &w->accounts, match, profile, &w->plan, &why))
		report_problem(&w->report, &why);
	capabilities_require(&w->plan, &w->report);
	if (!report_allowed(&w->report, w->plan.uid.value, syscalls.length > 0 ? syscalls : text_of("@app-server")) &&
	    w->report.log == REPORT_LOG_REQUIRED)
		report_stage(&w->report, "log", "/dev/log", "the policy says log = required: is a system logger running?", 0);
}

int main(int argc, char *argv[], char *envp[]) {
	static struct workspace w;

	w.report.scratch = w.scratch;
	const struct entered entered = entry_secure(argc, argv, envp, &w.report);
	caller_identify(&entered, w.groups, w.cwd, &w.caller, &w.report);
	read_request(&w, argc, argv);

	const int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root <= STDERR_FILENO)
		report_stage(&w.report, "policy-unreadable", "/", NULL, errno);
	read_policy(&w, root);
	read_accounts(&w, root);
	const struct command_match match = authorize(&w);
	const struct program *const profile = read_profile(&w, root);
	(void)close(root); /* nothing that root opened outlives the plan (CVE-2026-46333) */
	make_plan(&w, &match, profile);

	/* Point of no return: from here on nothing is decided, only applied. */
	const struct launch_plan *const plan = &w.plan;
	const struct restored restored = restore_defaults(plan, &entered, &w.report);
	const struct grouped grouped = identity_join_groups(plan, restored, &w.report);
	const struct confined confined = capabilities_confine(plan, grouped, &w.report);
	const struct assumed assumed = identity_assume_user(plan, confined, &w.report);
	const struct powerless powerless = capabilities_drop(plan, assumed, &w.report);
	const struct handed_over handed_over = handover_prepare(plan, restored, powerless, &w.report);
	const struct sealed sealed = filter_install(plan, handed_over, &w.report);
	handover_exec(plan, sealed, &w.report);
}
