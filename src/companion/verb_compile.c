/* SPDX-License-Identifier: ISC */
/*
 * `runas-policy compile`: turns the site's profile texts into the files that the launcher loads.
 *
 * Runs as:  root, or whoever owns DIR; never with more rights than its caller.
 * Given:    NAME.profile in DIR/etc/runas-app/profiles.
 * Promises: NAME.filter is replaced as a whole or stays what it was; what the new one changes is printed.
 * Never:    writes a filter that program_read, the launcher's own judge, would not accept.
 */
#include "companion/verb.h"

#include "companion/evaluate.h"
#include "companion/generate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char site_directory[] = "/etc/runas-app/profiles";

/* One at a time is written (the directory is locked), so that one name is enough, and a killed run leaves no litter. */
static const char new_file[] = ".new.filter";

struct compiled {
	_Alignas(8) unsigned char bytes[PROGRAM_MAX_FILE];
	size_t length;
	struct program_file parsed;
};

__attribute__((format(printf, 1, 2))) static bool complain(const char *what, ...) {
	va_list arguments;

	fputs("runas-policy: ", stderr);
	va_start(arguments, what);
	vfprintf(stderr, what, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return false;
}

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

static bool write_new(int directory, const char *file, const struct compiled *compiled) {
	size_t done = 0;
	int fd, saved;

	if (unlinkat(directory, new_file, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(directory, new_file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	while (done < compiled->length) {
		ssize_t put = write(fd, compiled->bytes + done, compiled->length - done);

		if (put < 0 && errno != EINTR)
			break;
		done += put > 0 ? (size_t)put : 0;
	}
	/* The data must be on disk before the name is: after a power cut there is the old file or the new one. */
	if (done == compiled->length && fchmod(fd, 0644) == 0 && fsync(fd) == 0 &&
	    renameat(directory, new_file, directory, file) == 0) {
		close(fd);
		return fsync(directory) == 0;
	}
	saved = errno;
	close(fd);
	unlinkat(directory, new_file, 0);
	errno = saved;
	return false;
}

static const char *describe(const struct program *program, uint32_t number) {
	const struct evaluate_call call = {.number = number, .arch = generate_arch()};
	struct evaluate_answer answer = evaluate_program(program, &call);

	if (!answer.valid)
		return "broken";
	if (answer.read_arguments)
		return "allowed with conditions";
	if (answer.action == SECCOMP_RET_ALLOW)
		return "allowed";
	return answer.action == (SECCOMP_RET_ERRNO | EPERM) ? "refused" : "missing";
}

static void print_changes(const struct program *old, const struct program *new) {
	bool named = false;

	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		const char *before = describe(old, number), *after = describe(new, number);
		char name[SYSCALLS_NAME_SIZE];

		if (strcmp(before, after) == 0)
			continue;
		if (!syscalls_name(number, name))
			snprintf(name, sizeof name, "number %u", number);
		printf("  %s: %s, was %s\n", name, after, before);
		named = true;
	}
	if (!named && (old->count != new->count || memcmp(old->code, new->code, old->count * sizeof old->code[0]) != 0))
		printf("  the conditions of some calls changed\n");
}

static void print_summary(const char *label, const struct profile *profile, const struct compiled *compiled) {
	size_t counts[3] = {0};

	for (size_t i = 0; i < profile->call_count; i++)
		counts[profile->calls[i].answer]++;
	printf("%s: %zu calls allowed, %zu refused, the rest missing; %u instructions\n", label, counts[PROFILE_ALLOW],
	       counts[PROFILE_REFUSE], compiled->parsed.enforce.count);
}

/* named: somebody asked for this very profile, so that a part is a mistake. */
static bool compile_one(const struct profile_store *store, const char *label, bool named) {
	struct compiled *compiled = calloc(2, sizeof *compiled);
	struct profile *profile = malloc(sizeof *profile);
	char file[PROGRAM_NAME_SIZE + sizeof ".filter"], why[GENERATE_WHY_SIZE];
	struct profile_error error;
	bool good = false;

	snprintf(file, sizeof file, "%s.filter", label);
	if (compiled == NULL || profile == NULL) {
		complain("out of memory");
	} else if (!profile_read(store, label, profile, &error)) {
		fflush(stdout);
		profile_error_print(&error, STDERR_FILENO);
	} else if (profile->part && !named) {
		printf("%s: a part, only for including\n", label);
		good = true;
	} else if (!profile_is_whole(store, label, profile, &error)) {
		fflush(stdout);
		profile_error_print(&error, STDERR_FILENO);
	} else if (!build(profile, &compiled[0], why)) {
		complain("%s: %s", label, why);
	} else {
		bool had = read_old(store->site_directory, file, &compiled[1]);

		good = write_new(store->site_directory, file, &compiled[0]);
		if (!good) {
			int saved = errno;

			complain("cannot write %s%s: %s", store->site_prefix, file, strerror(saved));
			if (saved == EACCES || saved == EPERM || saved == EROFS)
				fputs("hint: only root writes there; the old filter is still in place\n", stderr);
		} else {
			print_summary(label, profile, &compiled[0]);
			if (had)
				print_changes(&compiled[1].parsed.enforce, &compiled[0].parsed.enforce);
		}
	}
	free(compiled);
	free(profile);
	return good;
}

static int is_profile(const struct dirent *entry) {
	size_t length = strlen(entry->d_name), suffix = sizeof ".profile" - 1;

	return length > suffix && strcmp(entry->d_name + length - suffix, ".profile") == 0;
}

static bool compile_all(const struct profile_store *store) {
	struct dirent **entries;
	int count = scandirat(store->site_directory, ".", &entries, is_profile, alphasort);
	bool good = true;

	if (count < 0)
		return complain("cannot list %s: %s", store->site_prefix, strerror(errno));
	if (count == 0)
		printf("no profiles in %s\n", store->site_prefix);
	for (int i = 0; i < count; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - (sizeof ".profile" - 1)] = 0;
		if (text_is_app(text_of(entries[i]->d_name)))
			good &= compile_one(store, entries[i]->d_name, false);
		else
			good = complain("%s%s.profile: not a profile's name (lower-case letters, digits, _ and -)",
					store->site_prefix, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return good;
}

static int usage(void) {
	fputs("usage: runas-policy compile [--root DIR] [NAME...]\n", stderr);
	return 2;
}

static int run(int argc, char **argv) {
	struct profile_store store = {.shipped = shipped_texts, .shipped_count = shipped_text_count};
	const char *root = "";
	char prefix[4096];
	bool good = true;

	while (argc > 0 && argv[0][0] == '-') {
		if (strcmp(argv[0], "--root") != 0 || argc < 2)
			return usage();
		root = argv[1];
		argc -= 2;
		argv += 2;
	}
	for (int i = 0; i < argc; i++) {
		if (!text_is_app(text_of(argv[i]))) {
			complain("`%s` is not a profile's name; write it without @ and .profile", argv[i]);
			return 2;
		}
	}
	if (snprintf(prefix, sizeof prefix, "%s%s/", root, site_directory) >= (int)sizeof prefix) {
		complain("--root is too long");
		return 2;
	}
	store.site_prefix = prefix;
	store.site_directory = open(prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store.site_directory < 0) {
		complain("cannot open %s: %s", prefix, strerror(errno));
		return 1;
	}
	if (flock(store.site_directory, LOCK_EX) != 0) {
		complain("cannot lock %s: %s", prefix, strerror(errno));
		return 1;
	}
	if (argc == 0)
		good = compile_all(&store);
	for (int i = 0; i < argc; i++)
		good &= compile_one(&store, argv[i], true);
	close(store.site_directory);
	if (fflush(stdout) != 0)
		good = complain("cannot write to standard output: %s", strerror(errno));
	return good ? 0 : 1;
}

const struct verb verb_compile = {
	.name = "compile",
	.arguments = "[--root DIR] [NAME...]",
	.what = "compile the site's system call profiles",
	.help = "Compiles /etc/runas-app/profiles/NAME.profile to NAME.filter beside it, which runas-app loads; without NAME all\n"
		"of them. The old filter is replaced as a whole, or stays when there is an error. What the new one allows\n"
		"or refuses otherwise than the old one is printed. runas-app.profile(5) describes the language.\n"
		"\n"
		"  --root DIR   the profiles of an image that is not running\n"
		"\n"
		"Exit status: 0 all were compiled, 1 one was refused or could not be written, 2 usage.\n",
	.run = run,
};
