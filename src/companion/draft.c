/* SPDX-License-Identifier: ISC */
#include "companion/draft_text.h"
#include "companion/generate.h"
#include "companion/suggest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POLICIES "/etc/runas-app"
#define PROFILES POLICIES "/profiles"

static bool is_part_trusted(const struct image *image, const char *part, enum trust_kind last, enum finding_kind kind,
			    struct findings *findings) {
	struct problem why;
	struct stat status;
	char *shown;

	if (!image_lstat(image, part, &status))
		return false;
	if (trust_check(last, status.st_uid, status.st_mode, 0, 0, text_of(part), &why))
		return true;
	shown = output_format("%s%s", image->prefix, part);
	why.object = text_of(shown);
	why.hint_about = why.hint_about.length > 0 ? why.object : why.hint_about;
	findings_problem(findings, kind, shown, (struct text){0}, &why);
	free(shown);
	return false;
}

bool draft_is_trusted(const struct image *image, const char *path, enum trust_kind last, enum finding_kind kind,
		      struct findings *findings) {
	bool is_good = is_part_trusted(image, "/", TRUST_DIRECTORY, kind, findings);

	for (size_t end = 1; is_good && path[end - 1] != '\0' && path[1] != '\0'; end++) {
		if (path[end] != '/' && path[end] != '\0')
			continue;
		char *part = output_memory(strndup(path, end));
		is_good = is_part_trusted(image, part, path[end] == '\0' ? last : TRUST_DIRECTORY, kind, findings);
		free(part);
	}
	return is_good;
}

static bool feed(struct draft *draft, const char *path, enum accounts_file file, struct findings *findings) {
	size_t length = 0, used = 0;
	char *bytes = image_read(draft->image, path, IMAGE_MOST_ACCOUNTS, &length);

	if (bytes == NULL) {
		const int error = errno;
		char *shown = output_format("%s%s", draft->image->prefix, path);

		findings_add(findings, FINDING_WARNING, shown, "account", NULL, "cannot be read, so no name can be looked up: %s",
			     strerror(error));
		free(shown);
		return false;
	}
	if (length > 0 && bytes[length - 1] != '\n')
		bytes[length++] = '\n';
	while (used < length) {
		const size_t took = accounts_feed(&draft->accounts, &draft->policy, file,
						  (struct text){bytes + used, length - used});
		if (took == 0)
			break;
		used += took;
	}
	free(bytes);
	return true;
}

static void name_app(struct draft *draft, const char *name) {
	const char *slash = strrchr(name, '/'), *base = slash == NULL ? name : slash + 1;
	struct text stem = text_of(base);

	if (stem.length > 5 && strcmp(base + stem.length - 5, ".conf") == 0)
		stem.length -= 5;
	if (!text_is_app(stem))
		stem = text_of("draft");
	snprintf(draft->app, sizeof draft->app, "%.*s", (int)stem.length, stem.at);
}

/* The caller's own file, wherever it is: no image, no rule. */
static char *read_file(const char *path, size_t most, size_t *ret_length) {
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *bytes = fd < 0 ? NULL : output_memory(malloc(most + 2));
	ssize_t got = 1;

	*ret_length = 0;
	while (fd >= 0 && got > 0 && *ret_length <= most) {
		got = read(fd, bytes + *ret_length, most + 1 - *ret_length);
		*ret_length += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0)
		close(fd);
	if (bytes != NULL && (got < 0 || *ret_length > most)) {
		free(bytes);
		errno = got < 0 ? errno : EFBIG;
		return NULL;
	}
	if (bytes != NULL)
		bytes[*ret_length] = '\0';
	return bytes;
}

static void say_unread(const struct draft *draft, int error) {
	struct suggestion near = suggest_for(text_of(draft->app));
	char **const apps = error == ENOENT && draft->is_installed ? draft_list(draft->image) : NULL, *hint = NULL;

	for (size_t i = 0; apps != NULL && apps[i] != NULL; i++) {
		suggest_offer(&near, text_of(apps[i]));
		free(apps[i]);
	}
	free(apps);
	if (near.best[0] != '\0')
		hint = output_format("did you mean %s?", near.best);
	else if (error == ENOENT && draft->is_installed)
		hint = output_format("runas-policy list shows the apps; a file needs a / or a dot in its name");
	output_fail(error == EACCES ? "ask as root" : hint, "%s: %s", draft->path, strerror(error));
	free(hint);
}

struct draft *draft_open(const struct image *image, const char *name, struct findings *findings) {
	struct draft *draft = output_memory(calloc(1, sizeof *draft));
	char *inside = output_format(POLICIES "/%s.conf", name);
	size_t length = 0;

	draft->image = image;
	draft->is_installed = text_is_app(text_of(name));
	draft->path = draft->is_installed ? output_format("%s%s", image->prefix, inside) : output_memory(strdup(name));
	name_app(draft, name);
	draft->buffer = draft->is_installed ? image_read(image, inside, POLICY_MAX_BYTES, &length)
					    : read_file(name, POLICY_MAX_BYTES, &length);
	draft->is_read = draft->buffer != NULL;
	if (!draft->is_read) {
		say_unread(draft, errno);
		free(inside);
		draft_free(draft);
		return NULL;
	}
	draft->bytes = (struct text){draft->buffer, length};
	if (draft->is_installed)
		draft_is_trusted(image, inside, TRUST_FILE, FINDING_ERROR, findings);
	free(inside);
	draft_text_read(draft, findings);
	if (draft->is_valid) {
		accounts_begin(&draft->accounts, &draft->policy);
		draft->has_accounts = feed(draft, "/etc/passwd", ACCOUNTS_PASSWD, findings) &&
				      feed(draft, "/etc/group", ACCOUNTS_GROUP, findings);
	}
	return draft;
}

void draft_free(struct draft *draft) {
	if (draft == NULL)
		return;
	free(draft->path);
	free(draft->buffer);
	free(draft);
}

static int is_policy(const struct dirent *entry) {
	const struct text name = text_of(entry->d_name);

	return name.length > 5 && strcmp(entry->d_name + name.length - 5, ".conf") == 0 &&
	       text_is_app((struct text){name.at, name.length - 5});
}

char **draft_list(const struct image *image) {
	const int fd = image_descriptor(image, POLICIES, O_RDONLY | O_DIRECTORY);
	struct dirent **entries = NULL;
	const int count = fd < 0 ? -1 : scandirat(fd, ".", &entries, is_policy, alphasort);
	char **ret = count < 0 ? NULL : output_memory(calloc((size_t)count + 1, sizeof *ret));
	const int saved = errno;

	for (int i = 0; i < count; i++) {
		ret[i] = output_memory(strndup(entries[i]->d_name, strlen(entries[i]->d_name) - 5));
		free(entries[i]);
	}
	free(entries);
	if (fd >= 0)
		close(fd);
	errno = saved;
	return ret;
}

struct text draft_value(const struct draft *draft, enum policy_key key, const char *otherwise, unsigned *ret_line) {
	const struct setting *s = policy_next(&draft->policy, key, NULL);

	if (ret_line != NULL)
		*ret_line = s == NULL ? 0 : s->line;
	return s == NULL ? text_of(otherwise) : s->value;
}

/* --- a launch --- */

int rehearsal_landlock_abi(void) {
	const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0L, (long)LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? -errno : (int)abi;
}

static bool read_site(const struct draft *draft, struct text name, struct program_file *ret, void **ret_bytes,
		      struct problem *why, char path[512]) {
	size_t length = 0;

	snprintf(path, 512, PROFILES "/%.*s.filter", (int)name.length, name.at);
	*ret_bytes = image_read(draft->image, path, PROGRAM_MAX_FILE, &length);
	if (*ret_bytes == NULL) {
		const int error = errno;

		problem_set(why, PROBLEM_SELF,
			    error == ENOENT			   ? "policy-missing"
			    : error == ELOOP || error == ENOTDIR ? "policy-type"
								 : "policy-unreadable",
			    "cannot be opened");
		why->error = error;
		return false;
	}
	if (!program_read(*ret_bytes, length, shipped_arch, ret, why))
		return false;
	if (ret->source_count == 0 || !text_is(name, ret->sources[0].name))
		return problem_set(why, PROBLEM_SELF, "filter-stale", "was compiled from another profile");
	for (size_t i = 0; i < ret->source_count; i++) {
		char *bytes;
		bool is_same;

		snprintf(path, 512, PROFILES "/%s.profile", ret->sources[i].name);
		bytes = image_read(draft->image, path, POLICY_MAX_BYTES, &length);
		is_same = bytes != NULL && program_digest(bytes, length) == ret->sources[i].digest;
		free(bytes);
		if (!is_same)
			return problem_set(why, PROBLEM_SELF, "filter-stale", "has changed since the filter was compiled");
	}
	return true;
}

bool draft_profile(const struct draft *draft, struct program_file *ret, void **ret_bytes, struct problem *why,
		   char ret_path[512]) {
	const struct plan_profile wanted = plan_profile(&draft->policy);
	const struct shipped_program *shipped = program_find(wanted.name);

	*ret = (struct program_file){0};
	*ret_bytes = NULL;
	ret_path[0] = '\0';
	if (wanted.is_none)
		return true;
	if (wanted.is_site) {
		if (read_site(draft, wanted.name, ret, ret_bytes, why, ret_path))
			return true;
		why->hint = "runas-policy compile ";
		why->hint_about = wanted.name;
		return false;
	}
	if (shipped == NULL) {
		problem_about(why, "filter-missing", "no shipped profile is called", wanted.name,
			      "@app-server, @app-server-debug, @web-static");
		why->line = policy_next(&draft->policy, KEY_SYSCALLS, NULL)->line;
		return false;
	}
	ret->enforce = shipped->enforce;
	ret->complain = shipped->complain;
	return true;
}

/* As main.c of the launcher does it, stage by stage. */
static enum rehearsal_stage walk(struct draft *draft, const struct rehearsal_call *call, struct rehearsal *r) {
	struct plan_given given = {.request = &r->request,
				   .caller = &r->caller,
				   .policy = &draft->policy,
				   .accounts = &draft->accounts,
				   .landlock_abi = call->landlock_abi};
	const struct setting *secret = policy_next(&draft->policy, KEY_ENV_FILE, NULL);
	const struct plan_profile wanted = plan_profile(&draft->policy);
	char path[512];
	size_t length = 0;

	if (authorize_caller(&draft->policy, &draft->accounts, &r->caller) != DECISION_ALLOW) {
		problem_set(&r->why, PROBLEM_DENIED, "not-permitted", "the caller is in neither allow_users nor allow_groups");
		return REHEARSAL_CALLER;
	}
	if (!plan_identity(&draft->policy, &draft->accounts, &r->plan, &r->why) ||
	    !plan_directory(&draft->policy, &draft->accounts, &r->caller, &r->plan, &r->why))
		return REHEARSAL_PLAN;
	if (call->command == NULL)
		r->match.by = policy_next(&draft->policy, KEY_USER, NULL); /* not `serve`: it gets no sockets */
	else if (!command_find(&draft->policy, &r->request, !r->plan.keeps_cwd ? r->plan.start : (struct text){0},
			       &r->match, &r->why))
		return REHEARSAL_COMMAND;
	if (!draft_profile(draft, &r->site, &r->site_bytes, &r->why, r->profile_path)) {
		r->why.object = text_of(r->profile_path);
		return REHEARSAL_PROFILE;
	}
	if (!wanted.is_none)
		given.profile = wanted.is_complaining ? &r->site.complain : &r->site.enforce;
	if (secret != NULL) {
		snprintf(path, sizeof path, "%.*s", (int)secret->value.length, secret->value.at);
		r->secrets = image_read(draft->image, path, POLICY_MAX_BYTES, &length);
		r->has_secrets = r->secrets != NULL;
		r->secrets_error = r->has_secrets ? 0 : errno;
		given.secrets = (struct text){r->secrets, length};
	}
	given.match = r->match;
	return plan_build(&given, &r->plan, &r->why) ? REHEARSAL_READY : REHEARSAL_PLAN;
}

struct rehearsal *draft_rehearse(struct draft *draft, const struct rehearsal_call *call) {
	static char empty[] = "", *const nothing[] = {empty, NULL};
	struct rehearsal *r = output_memory(calloc(1, sizeof *r));
	char *const *const command = call->command == NULL ? nothing : call->command;
	const struct person *as = call->as;

	r->cwd_length = strnlen(call->cwd, sizeof r->cwd - 1);
	memcpy(r->cwd, call->cwd, r->cwd_length);
	r->request = (struct request){.kind = REQUEST_RUN, .app = text_of(draft->app), .command = command};
	while (command[r->request.words] != NULL)
		r->request.words++;
	r->caller = (struct caller){
		.uid = {as == NULL ? 0 : as->uid},
		.gid = {as == NULL ? 0 : as->gid},
		.groups = as == NULL ? NULL : as->groups,
		.group_count = as == NULL ? 0 : as->group_count,
		.has_root = !call->without_root,
		.is_uniform = call->without_root || as == NULL || as->uid == 0,
		.pid = (uint32_t)getpid(),
		.cwd = {r->cwd, r->cwd_length},
		.environment = call->environment,
	};
	r->stage = walk(draft, call, r);
	return r;
}

void rehearsal_free(struct rehearsal *rehearsal) {
	if (rehearsal == NULL)
		return;
	free(rehearsal->site_bytes);
	free(rehearsal->secrets);
	free(rehearsal);
}
