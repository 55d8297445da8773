/* SPDX-License-Identifier: ISC */
/*
 * embed-profiles OUTDIR FILE.profile...: at build time, shipped profiles become constant data.
 *
 * Writes OUTDIR/shipped_programs.c (filters, for the launcher) and OUTDIR/shipped_texts.c (texts, for site profiles that
 * include them). The same files give the same bytes, in whatever order they are named.
 */
#include "companion/generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* program.c looks shipped programs up in these; this program is the one that makes them, and has none yet. */
const struct shipped_program shipped_programs[1] = {{0}};
const size_t shipped_program_count = 0;

enum { MAX_FILES = 64 };

static const char suffix[] = ".profile";

_Noreturn static void stop(const char *what, const char *about) {
	fprintf(stderr, "embed-profiles: %s: %s\n", about, what);
	exit(1);
}

static int by_name(const void *a, const void *b) {
	return strcmp(((const struct shipped_text *)a)->name, ((const struct shipped_text *)b)->name);
}

static void load(const char *path, struct shipped_text *ret) {
	const char *base = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	char *name = strdup(base), *bytes = malloc(PROFILE_MAX_TEXT + 1);
	FILE *file = fopen(path, "re");
	size_t length, name_length;

	if (name == NULL || bytes == NULL || file == NULL)
		stop("cannot open it", path);
	name_length = strlen(name);
	if (name_length < sizeof suffix || strcmp(name + name_length - (sizeof suffix - 1), suffix) != 0)
		stop("the name does not end in .profile", path);
	name[name_length - (sizeof suffix - 1)] = 0;
	if (!text_is_app(text_of(name)))
		stop("not a profile's name", path);
	length = fread(bytes, 1, PROFILE_MAX_TEXT + 1, file);
	if (ferror(file) || length > PROFILE_MAX_TEXT)
		stop("cannot read it, or it is too large", path);
	fclose(file);
	*ret = (struct shipped_text){name, bytes, length};
}

static FILE *begin(const char *directory, const char *name, const char *header) {
	char path[4096];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s.new", directory, name);
	out = fopen(path, "we");
	if (out == NULL)
		stop("cannot write it", path);
	fprintf(out,
		"/* SPDX-License-Identifier: ISC */\n/* Written by embed-profiles from policy/profiles. */\n#include "
		"\"%s\"\n",
		header);
	return out;
}

/* Only a whole file gets its name, so that make never takes half of one for done. */
static void end(FILE *out, const char *directory, const char *name) {
	char from[4096], to[4096];
	int failed = ferror(out);

	snprintf(from, sizeof from, "%s/%s.new", directory, name);
	snprintf(to, sizeof to, "%s/%s", directory, name);
	if (fclose(out) != 0 || failed || rename(from, to) != 0)
		stop("cannot write it", name);
}

/* C has no - in names. */
static void put_identifier(FILE *out, const char *prefix, const char *name) {
	fputs(prefix, out);
	for (; *name != 0; name++)
		fputc(*name == '-' ? '_' : *name, out);
}

/* Of the digests of all filters so far. */
static uint64_t digest_of_all;

static void put_code(FILE *out, const char *prefix, const char *name, const struct generated *filter) {
	const uint64_t both[] = {digest_of_all, program_digest(filter->code, filter->count * sizeof filter->code[0])};

	digest_of_all = program_digest(both, sizeof both);
	fputs("\nstatic const struct program_instruction ", out);
	put_identifier(out, prefix, name);
	fputs("[] = {\n", out);
	for (uint32_t i = 0; i < filter->count; i++)
		fprintf(out, "\t{0x%02x, %u, %u, 0x%08x},\n", filter->code[i].code, filter->code[i].jt,
			filter->code[i].jf, filter->code[i].k);
	fputs("};\n", out);
}

static void put_programs(const char *directory, const struct profile_store *store) {
	static struct generated filter;
	static bool whole[MAX_FILES];
	struct profile *profile = malloc(sizeof *profile);
	FILE *out = begin(directory, "shipped_programs.c", "policy/program.h");
	char why[GENERATE_WHY_SIZE], label[PROFILE_LABEL_SIZE];
	struct profile_error error;
	uint32_t terminal_count;

	if (profile == NULL)
		stop("out of memory", "profiles");
	if (!generate_terminal(&filter, why))
		stop(why, "terminal filter");
	put_code(out, "terminal", "", &filter);
	terminal_count = filter.count;
	for (size_t i = 0; i < store->shipped_count; i++) {
		snprintf(label, sizeof label, "@%s", store->shipped[i].name);
		if (!profile_read(store, label, profile, &error) ||
		    (!profile->part && !profile_is_whole(store, label, profile, &error))) {
			profile_error_print(&error, STDERR_FILENO);
			exit(1);
		}
		whole[i] = !profile->part;
		if (!whole[i])
			continue;
		if (!generate_profile(profile, GENERATE_ENFORCE, &filter, why))
			stop(why, label);
		put_code(out, "enforce_", store->shipped[i].name, &filter);
		printf("%s: %zu calls, %u instructions", label, profile->call_count, filter.count);
		if (!generate_profile(profile, GENERATE_COMPLAIN, &filter, why))
			stop(why, label);
		put_code(out, "complain_", store->shipped[i].name, &filter);
		printf(", %u to complain\n", filter.count);
	}
	fputs("\nconst struct shipped_program shipped_programs[] = {\n", out);
	for (size_t i = 0; i < store->shipped_count; i++) {
		if (!whole[i])
			continue;
		fprintf(out, "\t{\"%s\",", store->shipped[i].name);
		for (unsigned mode = 0; mode < 2; mode++) {
			const char *prefix = mode == 0 ? "enforce_" : "complain_";

			fprintf(out, " {%s", prefix);
			put_identifier(out, "", store->shipped[i].name);
			fprintf(out, ", sizeof %s", prefix);
			put_identifier(out, "", store->shipped[i].name);
			fputs(mode == 0 ? " / 8}," : " / 8}},\n", out);
		}
	}
	fprintf(out,
		"};\nconst size_t shipped_program_count = sizeof shipped_programs / sizeof shipped_programs[0];\n"
		"const struct program shipped_terminal = {terminal, %u};\nconst uint32_t shipped_arch = 0x%08x;\n"
		"const char shipped_version[] = VERSION_WORDS(\"%016llx\");\n",
		terminal_count, generate_arch(), (unsigned long long)digest_of_all);
	end(out, directory, "shipped_programs.c");
	free(profile);
}

static void put_texts(const char *directory, const struct profile_store *store) {
	FILE *out = begin(directory, "shipped_texts.c", "companion/profile.h");

	for (size_t i = 0; i < store->shipped_count; i++) {
		put_identifier(out, "\nstatic const char text_", store->shipped[i].name);
		fputs("[] = {", out);
		for (size_t j = 0; j < store->shipped[i].length; j++)
			fprintf(out, "%s%d,", j % 24 == 0 ? "\n\t" : " ", store->shipped[i].at[j]);
		fputs("\n};\n", out);
	}
	fputs("\nconst struct shipped_text shipped_texts[] = {\n", out);
	for (size_t i = 0; i < store->shipped_count; i++) {
		fprintf(out, "\t{\"%s\",", store->shipped[i].name);
		put_identifier(out, " text_", store->shipped[i].name);
		put_identifier(out, ", sizeof text_", store->shipped[i].name);
		fputs("},\n", out);
	}
	fputs("};\nconst size_t shipped_text_count = sizeof shipped_texts / sizeof shipped_texts[0];\n", out);
	end(out, directory, "shipped_texts.c");
}

int main(int argc, char **argv) {
	static struct shipped_text texts[MAX_FILES];
	struct profile_store store = {.shipped = texts, .site_directory = -1, .site_prefix = ""};

	if (argc < 3 || argc - 2 > MAX_FILES) {
		fputs("usage: embed-profiles OUTDIR FILE.profile...\n", stderr);
		return 1;
	}
	for (int i = 2; i < argc; i++)
		load(argv[i], &texts[store.shipped_count++]);
	qsort(texts, store.shipped_count, sizeof texts[0], by_name);
	for (size_t i = 1; i < store.shipped_count; i++)
		if (strcmp(texts[i - 1].name, texts[i].name) == 0)
			stop("two files have this name", texts[i].name);
	put_programs(argv[1], &store);
	put_texts(argv[1], &store);
	return 0;
}
