/* SPDX-License-Identifier: ISC */
#include "companion/learn_report.h"

#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PROFILES "/etc/runas-app/profiles/"

enum { FEW_PATHS = 32 }; /* half of what a policy may have */

struct lines {
	char **list;
	size_t count;
};

struct report {
	const struct draft *draft;
	const struct learn_watch *watch;
	struct plan_profile wanted;
	char own[PROFILE_LABEL_SIZE]; /* the profile that the lines are for */
	struct learn_paths paths;     /* what the write list lacks */
	bool needs_tmp, is_limited;
	struct lines profile, policy, notes;
	struct lines suggested; /* for a policy that has no write list */
};

__attribute__((format(printf, 2, 3))) static void add(struct lines *to, const char *format, ...) {
	va_list arguments;
	char *line;

	va_start(arguments, format);
	line = output_vformat(format, arguments);
	va_end(arguments);
	to->list = output_memory(reallocarray(to->list, to->count + 1, sizeof *to->list));
	to->list[to->count++] = line;
}

static void free_lines(struct lines *lines) {
	for (size_t i = 0; i < lines->count; i++)
		free(lines->list[i]);
	free(lines->list);
}

static const char *plural(unsigned long count) { return count == 1 ? "" : "s"; }

/* --- system calls --- */

static const struct profile_call *named(const struct profile *profile, uint32_t number) {
	for (size_t i = 0; profile != NULL && i < profile->call_count; i++)
		if (profile->calls[i].number == number)
			return &profile->calls[i];
	return NULL;
}

static char *number_words(const char *call, uint32_t argument, uint32_t value) {
	static const struct {
		uint32_t value;
		const char *name;
	} families[] = {{AF_UNIX, "AF_UNIX"}, {AF_INET, "AF_INET"}, {AF_INET6, "AF_INET6"}, {AF_NETLINK, "AF_NETLINK"}};

	for (size_t i = 0; strncmp(call, "socket", 6) == 0 && argument == 0 && i < 4; i++)
		if (families[i].value == value)
			return output_memory(strdup(families[i].name));
	return output_format(value < 10 ? "%u" : "0x%x", value);
}

static char *conditions(const char *call, const uint32_t masks[6], const uint32_t values[6]) {
	char *ret = output_memory(strdup(""));

	for (uint32_t i = 0; i < 6; i++) {
		char *value = number_words(call, i, values[i]), *mask = output_format(" & 0x%x", masks[i]), *longer;

		longer = masks[i] == 0 ? output_memory(strdup(ret))
				       : output_format("%s%sarg%u%s == %s", ret, ret[0] != '\0' ? " and " : " if ", i,
						       masks[i] == UINT32_MAX ? "" : mask, value);
		free(ret);
		free(value);
		free(mask);
		ret = longer;
	}
	return ret;
}

/* The file's own `if` lines replace those of what it includes: so these come along. */
static void keep_rules(struct report *r, const struct profile_call *call) {
	for (size_t i = 0; i < call->rule_count; i++) {
		uint32_t masks[6] = {0}, values[6] = {0};
		char *when;

		for (size_t j = 0; j < call->rules[i].condition_count; j++) {
			masks[call->rules[i].conditions[j].argument] = call->rules[i].conditions[j].mask;
			values[call->rules[i].conditions[j].argument] = call->rules[i].conditions[j].value;
		}
		when = conditions(call->name, masks, values);
		add(&r->profile, "allow = %s%s   # as %s has it", call->name, when, call->origin);
		free(when);
	}
}

static char *times_words(const struct learn_seen *seen, unsigned long times) {
	char *by = output_escaped(seen->name, strlen(seen->name));
	char *ret = output_format("seen %lu time%s, first by %s(%d)", times, plural(times), by, (int)seen->task);

	free(by);
	return ret;
}

static void add_call(struct report *r, uint32_t number, const struct learn_seen *seen) {
	const struct profile_call *call = named(r->watch->profile, number);
	const bool is_own = call != NULL && strcmp(call->origin, r->own) == 0;
	char name[SYSCALLS_NAME_SIZE], *seen_words = times_words(seen, seen->times);
	uint32_t masks[6];

	if (!syscalls_name(number, name)) {
		add(&r->notes, "system call %u has no name here, and no line can allow it; %s", number, seen_words);
	} else if (seen->is_refused) {
		add(&r->notes, "%s: %s refuses it on purpose (it was told %s); %s", name,
		    call != NULL ? call->origin : "the profile",
		    strerrorname_np((int)(seen->answer & SECCOMP_RET_DATA)), seen_words);
	} else {
		const char *danger = syscalls_is_dangerous(name) ? "DANGEROUS, say why instead: " : "";

		if (is_own && call->answer != PROFILE_ALLOW)
			add(&r->notes, "%s: take it out of its `%s` line in " PROFILES "%s.profile first", name,
			    call->answer == PROFILE_REFUSE ? "refuse" : "missing", r->own);
		if (!learn_watch_masks(r->watch->profile, number, masks)) {
			add(&r->profile, "allow = %s   # %s%s", name, danger, seen_words);
		} else {
			if (call != NULL && call->answer == PROFILE_ALLOW && !is_own)
				keep_rules(r, call);
			for (size_t i = 0; i < seen->variant_count; i++) {
				const struct learn_variant *variant = &seen->variants[i];
				char *when = conditions(name, masks, variant->values),
				     *times = times_words(seen, variant->times);

				/* The families of every server are in every profile. */
				add(&r->profile, "allow = %s%s   # %s%s", name, when,
				    strstr(when, " == AF_") != NULL ? "" : danger, times);
				free(times);
				free(when);
			}
		}
		if (seen->has_more_variants)
			add(&r->notes, "%s: was called with more different arguments than are shown", name);
	}
	free(seen_words);
}

static void find_calls(struct report *r) {
	const struct setting *s = policy_next(&r->draft->policy, KEY_SYSCALLS, NULL);
	struct lines whole = {0};

	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++)
		if (r->watch->calls[number].times > 0)
			add_call(r, number, &r->watch->calls[number]);
	if (r->profile.count == 0 || r->wanted.is_site)
		return;
	/* There is no site profile yet: the lines make one. */
	add(&whole, "runas-profile = 1");
	add(&whole, "include = @%.*s", (int)r->wanted.name.length, r->wanted.name.at);
	for (size_t i = 0; i < r->profile.count; i++)
		add(&whole, "%s", r->profile.list[i]);
	free_lines(&r->profile);
	r->profile = whole;
	add(&r->policy, "syscalls = %s", r->own);
	if (s != NULL)
		add(&r->notes, "syscalls = %s goes in the place of line %u", r->own, s->line);
}

/* --- writes --- */

static void drop_real(struct learn_paths *from, struct text path) {
	char *text = output_memory(strndup(path.at, path.length)), *real = realpath(text, NULL);

	learn_paths_drop(from, real != NULL ? real : text);
	free(real);
	free(text);
}

static void note_replaced(struct report *r, const char *path, enum policy_key key) {
	for (const struct setting *s = NULL; (s = policy_next(&r->draft->policy, key, s)) != NULL;)
		if (text_is_below(s->value, text_of(path)) && !text_is(s->value, path))
			add(&r->notes, "write = %s holds what line %u names, which has to go: %s = %.*s", path, s->line,
			    policy_key_name(key), (int)s->value.length, s->value.at);
}

static void find_writes(struct report *r) {
	/* What the launcher always lets an app write. */
	static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full",
					      "/dev/tty",  "/dev/ptmx", "/dev/pts"};
	const struct policy *policy = &r->draft->policy;
	struct lines *to = r->is_limited ? &r->policy : &r->suggested;
	struct learn_paths left = {0};
	unsigned long times;

	for (size_t i = 0; i < r->watch->written.count; i++) {
		learn_paths_add(&left, r->watch->written.list[i].path, r->watch->written.list[i].is_directory);
		left.list[i].times = r->watch->written.list[i].times;
	}
	for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
		learn_paths_drop(&left, devices[i]);
	for (enum policy_key key = KEY_WRITE; key <= KEY_TMP; key++)
		for (const struct setting *s = NULL; (s = policy_next(policy, key, s)) != NULL;)
			drop_real(&left, s->value);
	if ((times = learn_paths_drop(&left, "/proc")) > 0)
		add(&r->notes,
		    "files below /proc were opened for writing %lu time%s: no line can allow that for all of an app's "
		    "processes",
		    times, plural(times));
	if (policy_next(policy, KEY_TMP, NULL) == NULL)
		r->needs_tmp = learn_paths_drop(&left, "/tmp") > 0;
	r->paths = learn_paths_cover(&left, FEW_PATHS);
	learn_paths_free(&left);
	if (r->needs_tmp) {
		add(to, "tmp = /tmp");
		add(&r->notes,
		    "it wrote to /tmp; a directory that is the app's alone is better: tmp = PATH also sets TMPDIR");
	}
	for (size_t i = 0; i < r->paths.count; i++) {
		char *path = output_escaped(r->paths.list[i].path, strlen(r->paths.list[i].path));

		if (strcmp(path, r->paths.list[i].path) != 0)
			add(&r->notes, "a policy cannot name %s", path);
		else
			add(to, "write = %s", path);
		note_replaced(r, path, KEY_WRITE);
		note_replaced(r, path, KEY_TMP);
		free(path);
	}
}

/* --- the report --- */

static char *ending(const struct learn_watch *watch) {
	const int status = watch->status;

	return watch->was_stopped    ? output_format("was stopped")
	       : WIFSIGNALED(status) ? output_format("was killed by signal %d", WTERMSIG(status))
				     : output_format("ended with status %d", WEXITSTATUS(status));
}

static void print_lines(const struct lines *lines, const char *file, const char *more) {
	if (lines->count == 0)
		return;
	printf("\n%s# %s%s%s\n", output_colour(stdout, OUTPUT_BOLD), file, more, output_colour(stdout, OUTPUT_NONE));
	for (size_t i = 0; i < lines->count; i++) {
		const char *comment = strstr(lines->list[i], "   # ");
		const int length = (int)(comment == NULL ? strlen(lines->list[i]) : (size_t)(comment - lines->list[i]));
		const char *colour = comment != NULL && strncmp(comment, "   # DANGEROUS", 14) == 0
					     ? output_colour(stdout, OUTPUT_RED)
					     : output_colour(stdout, OUTPUT_DIM);

		printf("%.*s%s%s%s\n", length, lines->list[i], comment == NULL ? "" : colour,
		       comment == NULL ? "" : comment, comment == NULL ? "" : output_colour(stdout, OUTPUT_NONE));
	}
}

static void print_text(const struct report *r, const char *profile_file, bool is_clean) {
	char *end = ending(r->watch), *compile = output_format(", then: runas-policy compile %s", r->own);
	char *fresh = output_format(", a new file%s", compile);

	printf("# runas-policy learn %s: it %s\n", r->draft->app, end);
	print_lines(&r->profile, profile_file, r->wanted.is_site ? compile : fresh);
	print_lines(&r->policy, r->draft->path, "");
	print_lines(&r->suggested, r->draft->path, " has no write list; this would be one");
	if (is_clean)
		printf("\n# no line is needed: the profile%s let this run be as it was\n",
		       r->is_limited ? " and the write list" : "");
	if (r->notes.count > 0)
		printf("\n");
	for (size_t i = 0; i < r->notes.count; i++)
		printf("# %snote:%s %s\n", output_colour(stdout, OUTPUT_YELLOW), output_colour(stdout, OUTPUT_NONE),
		       r->notes.list[i]);
	free(end);
	free(compile);
	free(fresh);
}

static json_t *json_lines(const struct lines *lines) {
	json_t *ret = output_memory(json_array());

	for (size_t i = 0; i < lines->count; i++)
		output_append(ret, output_json_text(lines->list[i], strlen(lines->list[i])));
	return ret;
}

static json_t *json_calls(const struct learn_watch *watch) {
	json_t *ret = output_memory(json_array());

	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		const struct learn_seen *seen = &watch->calls[number];
		char name[SYSCALLS_NAME_SIZE] = "";

		if (seen->times == 0)
			continue;
		syscalls_name(number, name);
		output_append(
			ret, json_pack("{s:s,s:I,s:I,s:s,s:b,s:o,s:I}", "name", name, "number", (json_int_t)number,
				       "times", (json_int_t)seen->times, "answer",
				       strerrorname_np((int)(seen->answer & SECCOMP_RET_DATA)), "refused_on_purpose",
				       seen->is_refused, "first_by", output_json_text(seen->name, strlen(seen->name)),
				       "first_pid", (json_int_t)seen->task));
	}
	return ret;
}

static bool print_json(const struct report *r, const char *profile_file, bool is_clean) {
	json_t *writes = output_memory(json_array()), *document;
	char *end = ending(r->watch);

	for (size_t i = 0; i < r->paths.count; i++)
		output_append(writes, json_pack("{s:o,s:b,s:I}", "path",
						output_json_text(r->paths.list[i].path,
								 strlen(r->paths.list[i].path)),
						"directory", r->paths.list[i].is_directory, "times",
						(json_int_t)r->paths.list[i].times));
	document = output_memory(json_pack("{s:s,s:s,s:b,s:b,s:o,s:o,s:{s:s,s:o},s:{s:s,s:o,s:o},s:o}", "app",
					   r->draft->app, "ended", end, "enough", is_clean, "write_list", r->is_limited,
					   "system_calls", json_calls(r->watch), "writes", writes, "profile", "file",
					   profile_file, "lines", json_lines(&r->profile), "policy", "file",
					   r->draft->path, "lines", json_lines(&r->policy), "suggested",
					   json_lines(&r->suggested), "notes", json_lines(&r->notes)));
	free(end);
	return output_json(document);
}

int learn_report(const struct draft *draft, const struct learn_watch *watch, bool as_json) {
	struct report r = {.draft = draft, .watch = watch, .wanted = plan_profile(&draft->policy)};
	const struct text own = r.wanted.is_site ? r.wanted.name : text_of(draft->app);
	char *file;
	bool is_clean, is_printed = true;

	snprintf(r.own, sizeof r.own, "%.*s", (int)own.length, own.at);
	r.is_limited = policy_next(&draft->policy, KEY_WRITE, NULL) != NULL ||
		       policy_next(&draft->policy, KEY_TMP, NULL) != NULL;
	find_calls(&r);
	find_writes(&r);
	if (watch->unread > 0)
		add(&r.notes,
		    "%lu writing call%s could not be looked at: the kernel does not let root read the app's memory "
		    "(kernel.yama.ptrace_scope)",
		    watch->unread, plural(watch->unread));
	is_clean = r.profile.count == 0 && (!r.is_limited || (r.paths.count == 0 && !r.needs_tmp));
	file = output_format(PROFILES "%s.profile", r.own);
	if (as_json)
		is_printed = print_json(&r, file, is_clean);
	else
		print_text(&r, file, is_clean);
	free(file);
	free_lines(&r.profile);
	free_lines(&r.policy);
	free_lines(&r.suggested);
	free_lines(&r.notes);
	learn_paths_free(&r.paths);
	return output_done(!is_printed ? OUTPUT_USAGE : is_clean ? 0 : OUTPUT_BAD);
}
