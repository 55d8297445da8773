/* SPDX-License-Identifier: ISC */
/* runas-policy learn: run an app for real, and say what its profile and its write list would have refused. */
#include "companion/draft.h"
#include "companion/learn_copy.h"
#include "companion/learn_report.h"
#include "companion/learn_watch.h"
#include "companion/verb.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROFILES "/etc/runas-app/profiles"

static bool can_do(void) {
	static const struct {
		unsigned capability;
		const char *what;
	} needed[] = {{CAP_SYS_ADMIN, "watching system calls and a private mount namespace"},
		      {CAP_SYS_PTRACE, "reading what the app's calls name"},
		      {CAP_SETUID, "asking as the app's user"},
		      {CAP_SETGID, "asking with the app's groups"},
		      {CAP_KILL, "ending the app"}};
	bool is_able = true;

	if (geteuid() != 0) {
		output_fail("sudo runas-policy learn ...",
			    "learn: only root may: it starts the app without its limits");
		return false;
	}
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_get_caps_process() != 0) {
		output_fail(NULL, "learn: own capabilities cannot be read");
		return false;
	}
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		if (capng_have_capability(CAPNG_EFFECTIVE, needed[i].capability))
			continue;
		output_fail("a container needs --cap-add for it; or run learn on the host",
			    "learn: capability %s is missing: %s", capng_capability_to_name(needed[i].capability),
			    needed[i].what);
		is_able = false;
	}
	return is_able;
}

static bool is_program(const char *path) {
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* A new string, or NULL: said. */
static char *find_launcher(const char *named) {
	char self[PATH_MAX], *found;
	const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	self[length < 0 ? 0 : length] = '\0';
	slash = strrchr(self, '/');
	found = output_format("%.*s/runas-app", slash == NULL ? 0 : (int)(slash - self), self);
	for (const char *const *other = (const char *const[]){"/usr/bin/runas-app", "/usr/local/bin/runas-app", NULL};
	     named == NULL && !is_program(found) && *other != NULL; other++) {
		free(found);
		found = output_memory(strdup(*other));
	}
	if (named != NULL) {
		free(found);
		found = output_memory(strdup(named));
	}
	if (is_program(found))
		return found;
	output_fail("--launcher PATH", "learn: %s: no such program", named != NULL ? named : "runas-app");
	free(found);
	return NULL;
}

/* What the profile's texts say; NULL: only its program can be asked. */
static struct profile *read_profile(const struct draft *draft) {
	const struct plan_profile wanted = plan_profile(&draft->policy);
	struct profile *ret = output_memory(calloc(1, sizeof *ret));
	struct profile_error *error = output_memory(calloc(1, sizeof *error));
	struct profile_store store = {
		.shipped = shipped_texts, .shipped_count = shipped_text_count, .site_prefix = PROFILES "/"};
	char *label = output_format("%s%.*s", wanted.is_site ? "" : "@", (int)wanted.name.length, wanted.name.at);

	store.site_directory = open(PROFILES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (wanted.is_none || !profile_read(&store, label, ret, error)) {
		free(ret);
		ret = NULL;
	}
	if (store.site_directory >= 0)
		close(store.site_directory);
	free(error);
	free(label);
	return ret;
}

static void warn(const char *app) {
	fprintf(stderr,
		"%srunas-policy: learn is permissive: %s now runs without its write list, and its profile refuses "
		"almost "
		"nothing.%s\nIt is for trying out, not for service. Ctrl-C ends the app and prints the report.\n",
		output_colour(stderr, OUTPUT_RED), app, output_colour(stderr, OUTPUT_NONE));
}

static char **launch_words(struct draft *draft, char **command) {
	static char name[] = "runas-app", dashes[] = "--";
	size_t count = 0;
	char **ret;

	while (command[count] != NULL)
		count++;
	ret = output_memory(calloc(count + 4, sizeof *ret));
	ret[0] = name;
	ret[1] = draft->app;
	ret[2] = dashes;
	memcpy(&ret[3], command, count * sizeof *ret);
	return ret;
}

/* Standard output is the report's; with --json it holds nothing else. */
static bool run_app(struct learn_watch *watch, bool is_json) {
	const int saved = is_json ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
	bool is_done;

	fflush(NULL);
	if (is_json && (saved < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0))
		return output_fail(NULL, "learn: standard output: %m"), false;
	is_done = learn_watch(watch);
	if (is_json) {
		dup2(saved, STDOUT_FILENO);
		close(saved);
	}
	return is_done;
}

static int learn(struct draft *draft, const struct options *options, const char *launcher, unsigned seconds) {
	struct learn_watch *watch = output_memory(calloc(1, sizeof *watch));
	struct launch_plan *plan = output_memory(calloc(1, sizeof *plan));
	struct profile *profile = read_profile(draft);
	struct program_file program;
	void *bytes = NULL;
	char path[512] = "", *text = NULL, **words = launch_words(draft, options->command);
	struct problem why = {0};
	int status = OUTPUT_USAGE;

	if (!plan_identity(&draft->policy, &draft->accounts, plan, &why) ||
	    !draft_profile(draft, &program, &bytes, &why, path)) {
		struct findings findings = {0};

		findings_problem(&findings, FINDING_ERROR, path[0] != '\0' ? path : draft->path, draft->bytes, &why);
		findings_print(&findings, stderr);
		findings_free(&findings);
		goto out;
	}
	*watch = (struct learn_watch){.enforce = program.enforce.count > 0 ? &program.enforce : NULL,
				      .profile = profile,
				      .app = {plan->uid.value, plan->gid.value},
				      .groups = plan->groups,
				      .group_count = plan->group_count,
				      .launcher = launcher,
				      .argv = words,
				      .seconds = seconds};
	text = learn_copy_text(draft);
	if (!learn_copy_enter(draft->app, text))
		goto out;
	warn(draft->app);
	if (!run_app(watch, options->json))
		goto out;
	if (watch->has_started)
		status = learn_report(draft, watch, options->json);
	else
		output_fail("what it says above is the reason; nothing was learnt", "learn: the app was not started");
out:
	learn_paths_free(&watch->written);
	free(words);
	free(text);
	free(bytes);
	free(profile);
	free(plan);
	free(watch);
	return status;
}

static bool read_seconds(const char *word, unsigned *ret) {
	uint64_t number = 0;

	if (word != NULL && (!text_number(text_of(word), 1000000, &number) || number == 0)) {
		output_fail("--seconds 60", "learn: --seconds: \"%s\" is no number from 1 to 1000000", word);
		return false;
	}
	*ret = (unsigned)number;
	return true;
}

static int run(int argc, char **argv) {
	const char *seconds_word = NULL, *named = NULL;
	const struct output_option own[] = {{"seconds", &seconds_word, NULL}, {"launcher", &named, NULL}};
	struct findings findings = {0};
	struct options options;
	struct draft *draft;
	char *launcher = NULL;
	unsigned seconds;
	int status;

	if (!options_read("learn", argc, argv, own, 2, true, true, &options, &status))
		return status;
	if (options.argc != 1 || options.command == NULL || options.command[0] == NULL)
		return output_fail("runas-policy learn APP -- COMMAND ARG...", "learn: an app and a command, please");
	if (options.image.prefix[0] != '\0')
		return output_fail("chroot DIR runas-policy learn ...", "learn: runs the app, so it has no --root");
	if (!read_seconds(seconds_word, &seconds) || !can_do())
		return OUTPUT_USAGE;
	draft = draft_open(&options.image, options.argv[0], &findings);
	if (draft != NULL && !draft->is_installed)
		output_fail("runas-policy install FILE", "learn: the policy must be installed: it is really run");
	else if (draft != NULL && (!draft->is_valid || !draft->has_accounts || findings.errors > 0))
		findings_print(&findings, stderr);
	else if (draft != NULL && (launcher = find_launcher(named)) != NULL)
		status = learn(draft, &options, launcher, seconds);
	if (launcher == NULL)
		status = OUTPUT_USAGE;
	free(launcher);
	draft_free(draft);
	findings_free(&findings);
	return status;
}

const struct verb verb_learn = {
	.name = "learn",
	.arguments = "APP [--seconds N] [--json] [--launcher PATH] -- COMMAND [ARG...]",
	.what = "run an app, and report what its profile and write list would have refused",
	.help = "Starts COMMAND through runas-app for real, as the app's user, and watches it and all that it starts "
		"until they\n"
		"have ended, until Ctrl-C, or for N seconds; then ends what is left, and prints the lines that the "
		"site\n"
		"profile and the policy need so that the same run works when both are in force. Only for root.\n"
		"\n"
		"It is PERMISSIVE while it runs: `write`, `tmp` and `write_enforce` are taken out of the policy (of "
		"`tmp` only\n"
		"TMPDIR stays) and the profile complains instead of refusing. The policy file is not touched: the "
		"changed one\n"
		"is seen only by this run, in a mount namespace of its own. Everything else is as ever: user, groups, "
		"umask,\n"
		"limits, no capabilities, no_new_privs. Do what the app has to do while it runs: what is not done is "
		"not learnt.\n"
		"\n"
		"What a shipped profile names in order to refuse it (ptrace, io_uring ...) is answered as in force, so "
		"that the\n"
		"app shows how it does without; such calls are listed as notes. Writing means what Landlock limits: "
		"opening\n"
		"for writing, making, renaming, linking and removing names. What would have failed anyhow, for lack "
		"of\n"
		"permission, is not counted. Directories are proposed rather than files, since new files have new "
		"names.\n"
		"Read the lines before you paste them: each is a right that the app gets.\n"
		"\n"
		"  --seconds N      end the app after N seconds\n"
		"  --json           one document on standard output; what the app prints there goes to standard error\n"
		"  --launcher PATH  this runas-app; otherwise the one beside runas-policy, in /usr/bin or "
		"/usr/local/bin\n"
		"\n"
		"Exit status: 0 no line is needed, 1 there are lines, 2 usage, or the app could not be started and "
		"watched.\n"
		"\n"
		"  runas-policy learn shop --seconds 60 -- gunicorn app:app\n"
		"  runas-policy learn rails-app --json -- passenger start --engine=builtin 2>passenger.log | jq "
		".policy.lines\n",
	.run = run,
};
