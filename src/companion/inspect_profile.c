/* SPDX-License-Identifier: ISC */
#include "companion/generate.h"
#include "companion/inspect.h"
#include "companion/suggest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROFILES "/etc/runas-app/profiles"

/* What the setting says in its last word: the profile's name, with its @. */
static struct text name_in(const struct setting *s) {
	struct text rest = s->value, name = {0};

	for (struct text word; (word = text_word(&rest)).length > 0;)
		name = word;
	return name;
}

static const char *nearest(struct inspection *i, struct text name) {
	const bool is_shipped = text_starts(name, text_of("@"));
	struct suggestion near = suggest_for(text_after(name, is_shipped));
	const int fd = is_shipped ? -1 : image_descriptor(i->draft->image, PROFILES, O_RDONLY | O_DIRECTORY);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	/* A site profile that is not there may well be a shipped one without its @. */
	for (size_t n = 0; n < shipped_program_count; n++)
		if (is_shipped || text_is(name, shipped_programs[n].name)) {
			suggest_offer(&near, text_of(shipped_programs[n].name));
			if (near.least == 0)
				near.least = 1;
		}
	if (near.best[0] != '\0') {
		if (list != NULL)
			closedir(list);
		return inspect_words(i, "did you mean @%s?", near.best);
	}
	for (const struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
		struct text file = text_of(entry->d_name);

		if (file.length <= 8 || strcmp(entry->d_name + file.length - 8, ".profile") != 0)
			continue;
		file.length -= 8;
		if (text_is_app(file))
			suggest_offer(&near, file);
	}
	if (list != NULL)
		closedir(list);
	return near.best[0] == '\0' ? NULL : inspect_words(i, "did you mean %s?", near.best);
}

static bool has_text(const struct inspection *i, struct text name) {
	char *path = output_format(PROFILES "/%.*s.profile", (int)name.length, name.at);
	struct stat status;
	const bool is_found = image_lstat(i->draft->image, path, &status) || errno != ENOENT;

	free(path);
	return is_found;
}

static void say_unusable(struct inspection *i, const struct setting *s, struct problem *why, const char *path) {
	const struct text name = name_in(s);
	const struct plan_profile wanted = plan_profile(&i->draft->policy);
	const bool is_missing = strcmp(why->word, "filter-missing") == 0 || strcmp(why->word, "policy-missing") == 0;
	const bool has_no_text = is_missing && wanted.is_site && !has_text(i, wanted.name);
	const char *hint = has_no_text || (is_missing && !wanted.is_site) ? nearest(i, name) : NULL;
	enum finding_kind kind = !wanted.is_site ? FINDING_ERROR : i->absent;

	if (has_no_text) {
		inspect_say(i, i->absent, s, name, "filter-missing",
			    hint != NULL ? hint : inspect_words(i, "write it, see runas-app.profile(5)"),
			    "no such site profile: there is no %s" PROFILES "/%.*s.profile", i->draft->image->prefix,
			    (int)wanted.name.length, wanted.name.at);
		return;
	}
	if (why->error == EACCES)
		kind = FINDING_NOTE;
	if (hint == NULL && why->hint != NULL)
		hint = inspect_words(i, "%s%.*s", why->hint, (int)why->hint_about.length, why->hint_about.at);
	if (path[0] == '\0')
		inspect_say(i, kind, s, name, why->word, hint, "%s \"%.*s\"", why->what, (int)name.length, name.at);
	else
		inspect_say(i, kind, s, name, why->word, hint, "%s%s: %s%s%s", i->draft->image->prefix, path, why->what,
			    why->error != 0 ? ": " : "", why->error != 0 ? strerror(why->error) : "");
}

/* A compiled file holds what the shipped profiles were on that day: compile once more, and compare. */
static void inspect_age(struct inspection *i, const struct setting *s, const struct program_file *site,
			struct text name) {
	char *label = output_memory(strndup(name.at, name.length)),
	     *prefix = output_format("%s" PROFILES "/", i->draft->image->prefix);
	struct profile_store store = {
		.shipped = shipped_texts, .shipped_count = shipped_text_count, .site_prefix = prefix};
	struct profile *profile = output_memory(malloc(sizeof *profile));
	struct generated *now = output_memory(malloc(sizeof *now));
	struct profile_error error;
	char why[GENERATE_WHY_SIZE];

	store.site_directory = image_descriptor(i->draft->image, PROFILES, O_RDONLY | O_DIRECTORY);
	if (store.site_directory >= 0 && profile_read(&store, label, profile, &error) &&
	    generate_profile(profile, GENERATE_ENFORCE, now, why) &&
	    (now->count != site->enforce.count ||
	     memcmp(now->code, site->enforce.code, now->count * sizeof now->code[0]) != 0))
		inspect_say(
			i, FINDING_WARNING, s, name, "filter-aged", inspect_words(i, "runas-policy compile %s", label),
			"the filter was compiled with other shipped profiles than today's; compile shows what changes");
	if (store.site_directory >= 0)
		close(store.site_directory);
	free(now);
	free(profile);
	free(prefix);
	free(label);
}

static void inspect_site(struct inspection *i, const struct program_file *site) {
	const struct plan_profile wanted = plan_profile(&i->draft->policy);
	char *path = output_format(PROFILES "/%.*s.filter", (int)wanted.name.length, wanted.name.at);
	bool is_good = draft_is_trusted(i->draft->image, path, TRUST_FILE, i->trust, i->to);

	free(path);
	for (size_t n = 0; is_good && n < site->source_count; n++) {
		path = output_format(PROFILES "/%s.profile", site->sources[n].name);
		is_good = draft_is_trusted(i->draft->image, path, TRUST_FILE, i->trust, i->to);
		free(path);
	}
}

void inspect_profile(struct inspection *i) {
	const struct setting *s = policy_next(&i->draft->policy, KEY_SYSCALLS, NULL);
	const struct plan_profile wanted = plan_profile(&i->draft->policy);
	struct program_file file;
	struct problem why = {0};
	void *bytes = NULL;
	char path[512];

	if (s == NULL)
		return; /* the default is in the launcher */
	if (wanted.is_none)
		inspect_say(i, FINDING_WARNING, s, s->value, "syscalls",
			    "leave the line out, or: syscalls = complain @app-server",
			    "no system call is refused but typing into terminals");
	if (wanted.is_complaining)
		inspect_say(i, FINDING_WARNING, s, s->value, "syscalls",
			    inspect_words(i, "when the log is quiet: syscalls = %.*s", (int)name_in(s).length,
					  name_in(s).at),
			    "nothing is refused: what the profile does not allow is only logged");
	if (!draft_profile(i->draft, &file, &bytes, &why, path)) {
		say_unusable(i, s, &why, path);
	} else if (wanted.is_site) {
		inspect_site(i, &file);
		inspect_age(i, s, &file, wanted.name);
	}
	free(bytes);
}
