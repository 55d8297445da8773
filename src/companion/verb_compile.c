/* SPDX-License-Identifier: ISC */
/*
 * `runas-policy compile`: turns the site's profile texts into the files that the launcher loads.
 *
 * Runs as:  root, or whoever owns DIR; never with more rights than its caller.
 * Given:    NAME.profile in DIR/etc/runas-app/profiles; with --dry-run, a FILE that anybody may have written.
 * Promises: NAME.filter is replaced as a whole or stays what it was; what the new one changes, or would, is printed.
 * Never:    writes a filter that program_read, the launcher's own judge, would not accept.
 */
#include "companion/verb.h"

#include "companion/findings.h"
#include "companion/generate.h"
#include "companion/replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char site_directory[] = "/etc/runas-app/profiles";

/* One at a time is written (image_lock), so that one name is enough, and a killed run leaves no litter. */
static const char new_file[] = ".new.filter";

enum { MOST_ERRORS = 100 };

struct compiled {
	_Alignas(8) unsigned char bytes[PROGRAM_MAX_FILE];
	size_t length;
	struct program_file parsed;
};

static bool build(const struct profile *profile, struct compiled *ret, char why[GENERATE_WHY_SIZE]) {
	struct generated *programs = malloc(2 * sizeof *programs);
	struct program_header header = {.magic = PROGRAM_MAGIC, .format = PROGRAM_FORMAT, .arch = generate_arch()};
	size_t behind = offsetof(struct program_header, format);
	struct problem problem;
	bool good;

	snprintf(why, GENERATE_WHY_SIZE, "out of memory");
	good = programs != NULL && generate_profile(profile, GENERATE_ENFORCE, &programs[0], why) &&
	       generate_profile(profile, GENERATE_COMPLAIN, &programs[1], why);
	if (good) {
		header.enforce_count = programs[0].count;
		header.complain_count = programs[1].count;
		header.source_count = (uint32_t)profile->source_count;
		for (size_t i = 0; i < profile->source_count; i++) {
			memcpy(header.sources[i].name, profile->sources[i].name, PROGRAM_NAME_SIZE);
			header.sources[i].digest = profile->sources[i].digest;
		}
		ret->length = sizeof header;
		for (size_t i = 0; i < 2; i++) {
			memcpy(ret->bytes + ret->length, programs[i].code,
			       programs[i].count * sizeof programs[i].code[0]);
			ret->length += programs[i].count * sizeof programs[i].code[0];
		}
		memcpy(ret->bytes, &header, sizeof header);
		header.digest = program_digest(ret->bytes + behind, ret->length - behind);
		memcpy(ret->bytes, &header, sizeof header);
		good = program_read(ret->bytes, ret->length, generate_arch(), &ret->parsed, &problem);
		if (!good)
			snprintf(why, GENERATE_WHY_SIZE, "the launcher would not take the result: %s", problem.what);
	}
	free(programs);
	return good;
}

/* The filter that is there now, if it is one. */
static bool read_old(int directory, const char *file, struct compiled *ret) {
	int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct problem ignored;
	struct stat status;
	ssize_t got = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= (off_t)sizeof ret->bytes)
		got = read(fd, ret->bytes, sizeof ret->bytes);
	close(fd);
	ret->length = got < 0 ? 0 : (size_t)got;
	return got >= 0 && program_read(ret->bytes, ret->length, generate_arch(), &ret->parsed, &ignored);
}

static const char *describe(const struct program *program, uint32_t number) {
	const struct evaluate_answer answer = generate_ask(program, number);

	if (!answer.valid)
		return "broken";
	if (answer.looks > 0)
		return "allowed with conditions";
	if (answer.action == SECCOMP_RET_ALLOW)
		return "allowed";
	return answer.action == (SECCOMP_RET_ERRNO | EPERM) ? "refused" : "missing";
}

/* As JSON: call, now, was. */
static json_t *list_changes(const struct program *old, const struct program *new) {
	json_t *list = output_memory(json_array());

	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		const char *before = describe(old, number), *after = describe(new, number);
		char name[SYSCALLS_NAME_SIZE];

		if (strcmp(before, after) == 0)
			continue;
		if (!syscalls_name(number, name))
			snprintf(name, sizeof name, "number %u", number);
		output_append(list, json_pack("{s:s, s:s, s:s}", "call", name, "now", after, "was", before));
	}
	return list;
}

static bool has_same_code(const struct program *a, const struct program *b) {
	return a->count == b->count && memcmp(a->code, b->code, a->count * sizeof a->code[0]) == 0;
}

/* What came of one profile, for people and for machines. has_unknown: there was one, but nothing can be read from it. */
static void report(const char *label, const struct profile *profile, const struct compiled *new,
		   const struct compiled *old, bool has_unknown, json_t *list) {
	static const char *const counted[] = {"missing", "refused", "allowed"};
	size_t counts[3] = {0};
	json_t *one = json_pack("{s:s, s:i}", "name", label, "instructions", (int)new->parsed.enforce.count), *changes,
	       *change;
	size_t at;

	for (size_t i = 0; i < profile->call_count; i++)
		counts[profile->calls[i].answer]++;
	for (size_t i = PROFILE_REFUSE; i <= PROFILE_ALLOW; i++)
		json_object_set_new(one, counted[i], json_integer((json_int_t)counts[i]));
	changes = old == NULL ? json_null() : list_changes(&old->parsed.enforce, &new->parsed.enforce);
	json_object_set_new(one, "changes", changes);
	if (list != NULL) {
		output_append(list, one);
		return;
	}
	printf("%s: %zu calls allowed, %zu refused, the rest missing; %u instructions\n", label, counts[PROFILE_ALLOW],
	       counts[PROFILE_REFUSE], new->parsed.enforce.count);
	json_array_foreach(changes, at, change) {
		const char *now = json_string_value(json_object_get(change, "now"));
		const enum output_colour colour = strcmp(now, "allowed") == 0	? OUTPUT_YELLOW
						  : strcmp(now, "refused") == 0 ? OUTPUT_GREEN
										: OUTPUT_NONE;

		printf("  %s: %s%s%s, was %s\n", json_string_value(json_object_get(change, "call")),
		       colour == OUTPUT_NONE ? "" : output_colour(stdout, colour), now,
		       output_colour(stdout, OUTPUT_NONE), json_string_value(json_object_get(change, "was")));
	}
	if (old == NULL && has_unknown)
		printf("  the filter that was there is damaged, or of another release: not compared\n");
	if (old != NULL && json_array_size(changes) == 0 && !has_same_code(&old->parsed.enforce, &new->parsed.enforce))
		printf("  other instructions; of the answers at most those that depend on arguments\n");
	json_decref(one);
}

static void add_error(struct findings *to, const struct profile_error *error) {
	struct finding *finding = findings_add(to, FINDING_ERROR, error->file, "profile",
					       error->hint[0] == '\0' ? NULL : error->hint, "%s", error->what);

	finding->line = error->line;
	finding->column = error->column;
	if (error->column > 0) {
		finding->excerpt = output_memory(strdup(error->excerpt));
		if (strlen(error->excerpt) >= error->column) /* otherwise something is missing behind the line's end */
			finding->length = (unsigned)strcspn(error->excerpt + error->column - 1, " \t,=#");
	}
}

/* Every error of the profile, not only the first: each line that has one is passed over, and the rest read again. */
static bool read_profile(const struct profile_store *store, const char *label, struct profile *ret,
			 struct findings *to) {
	struct profile_store passing = *store;
	unsigned lines[MOST_ERRORS];
	struct profile_error error;

	passing.known_bad = lines;
	while (!profile_read(&passing, label, ret, &error)) {
		/* That the profile no longer begins as it should, or is empty, is only so without those lines. */
		if (passing.known_bad_count == 0 || error.line != 0)
			add_error(to, &error);
		if (error.is_last || error.line == 0 || passing.known_bad_count == MOST_ERRORS)
			return false;
		lines[passing.known_bad_count++] = error.line;
	}
	return passing.known_bad_count == 0;
}

/* is_named: somebody asked for this very profile, so that a part is a mistake. list: for machines, or NULL. */
static void compile_one(const struct profile_store *store, const char *label, bool is_named, bool is_dry,
			struct findings *to, json_t *list) {
	struct compiled *compiled = output_memory(calloc(2, sizeof *compiled));
	struct profile *profile = output_memory(malloc(sizeof *profile));
	char file[PROGRAM_NAME_SIZE + sizeof ".filter"], why[GENERATE_WHY_SIZE];
	char *path = output_format("%s%s.filter", store->site_prefix, label);
	struct profile_error error;

	snprintf(file, sizeof file, "%s.filter", label);
	if (!read_profile(store, label, profile, to)) {
		; /* said */
	} else if (profile->part && !is_named) {
		if (list == NULL)
			printf("%s: a part, only for including\n", label);
	} else if (!profile_is_whole(store, label, profile, &error)) {
		add_error(to, &error);
	} else if (!build(profile, &compiled[0], why)) {
		findings_add(to, FINDING_ERROR, path, "filter", NULL, "%s", why);
	} else {
		const bool had = read_old(store->site_directory, file, &compiled[1]);

		if (is_dry || replace_file(store->site_directory, file, new_file,
					   (struct text){(const char *)compiled[0].bytes, compiled[0].length}))
			report(label, profile, &compiled[0], had ? &compiled[1] : NULL, compiled[1].length > 0, list);
		else
			findings_add(to, FINDING_ERROR, path, "filter",
				     errno == EACCES || errno == EPERM || errno == EROFS
					     ? "only root writes there; the old filter is still in place"
					     : "the old filter is still in place",
				     "cannot be written: %s", strerror(errno));
	}
	free(path);
	free(compiled);
	free(profile);
}

static int is_profile(const struct dirent *entry) {
	size_t length = strlen(entry->d_name), suffix = sizeof ".profile" - 1;

	return length > suffix && strcmp(entry->d_name + length - suffix, ".profile") == 0;
}

static bool compile_all(const struct profile_store *store, bool is_dry, struct findings *to, json_t *list) {
	struct dirent **entries;
	int count = scandirat(store->site_directory, ".", &entries, is_profile, alphasort);

	if (count < 0) {
		output_fail(NULL, "cannot list %s: %m", store->site_prefix);
		return false;
	}
	if (count == 0 && list == NULL)
		printf("no profiles in %s\n", store->site_prefix);
	for (int i = 0; i < count; i++) {
		struct text name = text_of(entries[i]->d_name);

		name.length -= sizeof ".profile" - 1;
		if (text_is_app(name)) {
			entries[i]->d_name[name.length] = '\0';
			compile_one(store, entries[i]->d_name, false, is_dry, to, list);
		} else {
			char *shown = output_escaped(name.at, name.length),
			     *path = output_format("%s%s.profile", store->site_prefix, shown);

			findings_add(to, FINDING_ERROR, path, "profile", "lower-case letters, digits, _ and -",
				     "not a profile's name");
			free(shown);
			free(path);
		}
		free(entries[i]);
	}
	free(entries);
	return true;
}

static bool is_file(const char *argument) { return strpbrk(argument, "/.") != NULL; }

/* A text that is not in place yet: with its name it is compared with what is. */
static void try_file(const struct profile_store *site, const char *path, struct findings *to, json_t *list) {
	const char *slash = strrchr(path, '/');
	char *name = output_memory(strdup(slash == NULL ? path : slash + 1)), *suffix = strrchr(name, '.');
	struct profile_store store = *site;

	if (suffix != NULL && strcmp(suffix, ".profile") == 0)
		*suffix = '\0';
	store.draft_label = text_is_app(text_of(name)) ? name : "draft";
	store.draft_path = path;
	compile_one(&store, store.draft_label, false, true, to, list);
	free(name);
}

static int compile(const struct options *options, bool is_dry, struct profile_store *store) {
	struct findings findings = {0};
	json_t *list = options->json ? output_memory(json_array()) : NULL;
	int status = 0;

	if (options->argc == 0 && !compile_all(store, is_dry, &findings, list))
		status = OUTPUT_USAGE;
	for (int i = 0; i < options->argc; i++)
		if (is_dry && is_file(options->argv[i]))
			try_file(store, options->argv[i], &findings, list);
		else
			compile_one(store, options->argv[i], true, is_dry, &findings, list);
	if (status == 0 && findings.errors > 0)
		status = OUTPUT_BAD;
	status = output_done(status);
	if (!options->json)
		findings_print(&findings, stderr);
	if (options->json &&
	    !output_json(json_pack("{s:o, s:o}", "profiles", list, "findings", findings_json(&findings))))
		status = OUTPUT_USAGE;
	findings_free(&findings);
	return status;
}

static int run(int argc, char **argv) {
	struct profile_store store = {.shipped = shipped_texts, .shipped_count = shipped_text_count};
	struct options options;
	bool is_dry = false;
	const struct output_option own[] = {{"dry-run", NULL, &is_dry}};
	char *prefix;
	int status, lock = -1;

	if (!options_read("compile", argc, argv, own, 1, true, false, &options, &status))
		return status;
	prefix = output_format("%s%s/", options.image.prefix, site_directory);
	store.site_prefix = prefix;
	store.site_directory = -1;
	for (int i = 0; i < options.argc && status == 0; i++)
		if (!text_is_app(text_of(options.argv[i])) && !(is_dry && is_file(options.argv[i])))
			status = output_fail("write it without @ and .profile; shipped profiles are compiled already; "
					     "--dry-run takes a FILE",
					     "compile: that is not a site profile's name");
	if (status == 0)
		store.site_directory = image_descriptor(&options.image, site_directory, O_RDONLY | O_DIRECTORY);
	/* A build machine that tries a FILE need not have the directory. */
	if (status == 0 && store.site_directory < 0 && !(is_dry && options.argc > 0 && errno == ENOENT))
		status = output_fail(NULL, "cannot open %s: %m", prefix);
	/* Who may not write there writes nothing, and still learns what is wrong with a profile. */
	else if (status == 0 && !is_dry && (lock = image_lock(store.site_directory)) < 0 && errno != EACCES &&
		 errno != EPERM && errno != EROFS)
		status = output_fail(NULL, "cannot lock %s: %m", prefix);
	if (status == 0)
		status = compile(&options, is_dry, &store);
	image_unlock(store.site_directory, lock);
	if (store.site_directory >= 0)
		close(store.site_directory);
	close(options.image.root);
	free(prefix);
	return status;
}

const struct verb verb_compile = {
	.name = "compile",
	.arguments = "[--dry-run] [--root DIR] [--json] [NAME|FILE...]",
	.what = "compile the site's system call profiles",
	.help = "Compiles /etc/runas-app/profiles/NAME.profile to NAME.filter beside it, which runas-app loads; "
		"without NAME all\n"
		"of them. The old filter is replaced as a whole, or stays when there is an error. What the new one "
		"allows\n"
		"or refuses otherwise than the old one is printed. runas-app.profile(5) describes the language.\n"
		"\n"
		"A profile is refused that does not allow what runas-app itself needs (write, close, execve, exit, "
		"exit_group,\n"
		"rt_sigreturn), or allows a dangerous call without a reason beside it. Every error of a profile is "
		"shown.\n"
		"\n"
		"  --dry-run    writes nothing, and needs no root; takes a FILE, with a / or a dot, that is not in "
		"place "
		"yet\n"
		"               and may be anybody's; what it includes is the site's\n"
		"  --root DIR   the profiles of an image that is not running\n"
		"  --json       profiles (name, allowed, refused, instructions, changes) and findings, as one "
		"document\n"
		"\n"
		"Exit status: 0 all were compiled, 1 one was refused or could not be written, 2 usage, or the "
		"directory could not\n"
		"be read.\n"
		"\n"
		"Examples:\n"
		"  runas-policy compile rails-app\n"
		"  runas-policy compile --dry-run ./rails-app.profile     what would it change here?\n"
		"  Ansible: template: dest=/etc/runas-app/profiles/shop.profile validate='runas-policy compile "
		"--dry-run "
		"%s'\n",
	.run = run,
};
