/* SPDX-License-Identifier: ISC */
/* The profile language, by the files of tests/fixtures/profiles: bad/NAME.expected is the whole message for bad/NAME.profile. */
#include "companion/profile.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *read_whole(int directory, const char *name, size_t *ret_length) {
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	char *bytes = calloc(1, 128 * 1024);
	ssize_t length;

	cr_assert(fd >= 0, "%s", name);
	length = read(fd, bytes, 128 * 1024 - 1);
	cr_assert(length >= 0);
	close(fd);
	if (ret_length != NULL)
		*ret_length = (size_t)length;
	return bytes;
}

static void put(int directory, const char *name, const char *bytes, size_t length, mode_t mode) {
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

/* A directory of our own with the fixtures' profiles: a checkout may be group-writable, and such files are refused. */
static int copy_profiles(const char *from) {
	char to[] = "/tmp/profiles.XXXXXX";
	int source, target;
	struct dirent *entry;
	DIR *list;

	cr_assert_not_null(mkdtemp(to));
	target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(source >= 0 && target >= 0, "run this from the top of the repository: %s", from);
	list = fdopendir(dup(source));
	while ((entry = readdir(list)) != NULL) {
		size_t length;
		char *bytes;

		if (strstr(entry->d_name, ".profile") == NULL)
			continue;
		bytes = read_whole(source, entry->d_name, &length);
		put(target, entry->d_name, bytes, length, 0644);
		free(bytes);
	}
	closedir(list);
	close(source);
	return target;
}

static void remove_profiles(int directory) {
	struct dirent *entry;
	char path[64], real[256] = "";
	DIR *list;

	snprintf(path, sizeof path, "/proc/self/fd/%d", directory);
	cr_assert(readlink(path, real, sizeof real - 1) > 0);
	list = fdopendir(directory);
	while ((entry = readdir(list)) != NULL)
		unlinkat(directory, entry->d_name, 0);
	closedir(list);
	cr_expect_eq(rmdir(real), 0);
}

static struct profile_store store_of(int directory) {
	return (struct profile_store){.shipped = shipped_texts,
				      .shipped_count = shipped_text_count,
				      .site_directory = directory,
				      .site_prefix = ""};
}

/* What a person would see; valid until the next one. */
static const char *message_for(int directory, const char *label) {
	struct profile_store store = store_of(directory);
	struct profile *profile = malloc(sizeof *profile);
	struct profile_error error;
	int fd = memfd_create("message", MFD_CLOEXEC);
	static char message[16 * 1024];

	memset(message, 0, sizeof message);
	if (!profile_read(&store, label, profile, &error) || !profile_is_whole(&store, label, profile, &error))
		profile_error_print(&error, fd);
	cr_assert(pread(fd, message, sizeof message - 1, 0) >= 0);
	close(fd);
	free(profile);
	return message;
}

static struct profile *read_good(int directory, const char *label) {
	struct profile_store store = store_of(directory);
	struct profile *profile = malloc(sizeof *profile);
	struct profile_error error;

	cr_assert(profile_read(&store, label, profile, &error), "%s:%u: %s", label, error.line, error.what);
	return profile;
}

static const struct profile_call *call_of(const struct profile *profile, const char *name) {
	for (size_t i = 0; i < profile->call_count; i++)
		if (strcmp(profile->calls[i].name, name) == 0)
			return &profile->calls[i];
	return NULL;
}

static void expect_answer(const struct profile *profile, const char *name, enum profile_answer answer, size_t rules) {
	const struct profile_call *call = call_of(profile, name);

	cr_assert_not_null(call, "%s", name);
	cr_expect_eq(call->answer, answer, "%s", name);
	cr_expect_eq(call->rule_count, rules, "%s has %zu", name, call->rule_count);
}

Test(profile, bad_profiles_get_their_messages) {
	int copied = copy_profiles("tests/fixtures/profiles/bad"), here;
	struct dirent *entry;
	unsigned seen = 0;
	DIR *list;

	here = open("tests/fixtures/profiles/bad", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fdopendir(dup(here));
	while ((entry = readdir(list)) != NULL) {
		char label[sizeof entry->d_name], *end, *expected;
		const char *got;

		snprintf(label, sizeof label, "%s", entry->d_name);
		end = strstr(label, ".expected");
		if (end == NULL)
			continue;
		*end = 0;
		expected = read_whole(here, entry->d_name, NULL);
		got = message_for(copied, label);
		cr_expect(expected[0] != 0 && strcmp(got, expected) == 0, "%s: expected\n%sgot\n%s", label, expected,
			  got);
		free(expected);
		seen++;
	}
	closedir(list);
	close(here);
	remove_profiles(copied);
	cr_assert(seen >= 51, "%u bad profiles", seen);
}

Test(profile, good_profiles_are_whole) {
	static const char *const names[] = {"smallest",		"override", "conditions", "includes-site",
					    "disagree-settled", "diamond",  "elsewhere"};
	int directory = copy_profiles("tests/fixtures/profiles/good");

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *message = message_for(directory, names[i]);

		cr_expect_str_empty(message, "%s: %s", names[i], message);
	}
	remove_profiles(directory);
}

Test(profile, what_a_file_says_itself_stands_above_what_it_includes) {
	int directory = copy_profiles("tests/fixtures/profiles/good");
	struct profile *profile = read_good(directory, "override");

	expect_answer(profile, "setsid", PROFILE_REFUSE, 0);
	expect_answer(profile, "ptrace", PROFILE_MISSING, 0);
	expect_answer(profile, "bpf", PROFILE_ALLOW, 0);
	expect_answer(profile, "socket", PROFILE_ALLOW, 1);
	expect_answer(profile, "mount", PROFILE_REFUSE, 0);
	expect_answer(profile, "read", PROFILE_ALLOW, 0);
	free(profile);
	remove_profiles(directory);
}

Test(profile, conditions_are_read_to_the_bit) {
	int directory = copy_profiles("tests/fixtures/profiles/good");
	struct profile *profile = read_good(directory, "conditions");
	const struct profile_call *call = call_of(profile, "personality");

	expect_answer(profile, "personality", PROFILE_ALLOW, 2);
	cr_assert_eq(call->rules[0].condition_count, 2);
	cr_expect_eq(call->rules[0].conditions[0].argument, 0);
	cr_expect_eq(call->rules[0].conditions[0].mask, 0xff00);
	cr_expect_eq(call->rules[0].conditions[0].value, 0x1200);
	cr_expect_eq(call->rules[0].conditions[1].argument, 3);
	cr_expect_eq(call->rules[0].conditions[1].mask, 0xffffffff);
	cr_expect_eq(call->rules[0].conditions[1].value, 0xffffffff);
	cr_assert_eq(call->rules[1].condition_count, 1);
	cr_expect_eq(call->rules[1].conditions[0].argument, 5);
	cr_expect_eq(call->rules[1].conditions[0].value, 7);
	free(profile);
	remove_profiles(directory);
}

Test(profile, sources_are_the_site_texts_with_the_profile_itself_first) {
	int directory = copy_profiles("tests/fixtures/profiles/good");
	struct profile *profile = read_good(directory, "diamond");
	static const char *const names[] = {"diamond", "includes-site", "smallest", "override-part"};

	cr_assert_eq(profile->source_count, 4, "%zu", profile->source_count);
	for (size_t i = 0; i < 4; i++) {
		char file[64], *bytes;
		size_t length;

		cr_expect_str_eq(profile->sources[i].name, names[i]);
		snprintf(file, sizeof file, "%s.profile", names[i]);
		bytes = read_whole(directory, file, &length);
		cr_expect_eq(profile->sources[i].digest, program_digest(bytes, length));
		free(bytes);
	}
	expect_answer(profile, "getppid", PROFILE_ALLOW, 0);
	free(profile);
	remove_profiles(directory);
}

Test(profile, calls_of_other_machines_are_skipped_and_newer_ones_known) {
	int directory = copy_profiles("tests/fixtures/profiles/good");
	struct profile *profile = read_good(directory, "elsewhere");

	cr_expect_null(call_of(profile, "socketcall"));
	cr_expect_eq(call_of(profile, "mseal")->number, 462);
	cr_expect_eq(call_of(profile, "setxattrat")->number, 463);
	cr_expect_eq(call_of(profile, "lsm_list_modules")->number, 461);
	free(profile);
	remove_profiles(directory);
}

Test(profile, calls_are_sorted_and_unique) {
	struct profile *profile = read_good(-1, "@app-server");

	for (size_t i = 1; i < profile->call_count; i++)
		cr_expect_lt(profile->calls[i - 1].number, profile->calls[i].number);
	cr_expect_eq(profile->source_count, 0, "shipped texts are no sources");
	free(profile);
}

Test(profile, files_that_others_could_write_are_refused) {
	static const char text[] = "runas-profile = 1\ninclude = @app-server\n";
	int directory = copy_profiles("tests/fixtures/profiles/good");
	char *large = calloc(1, PROFILE_MAX_TEXT + 1);

	put(directory, "group.profile", text, strlen(text), 0664);
	put(directory, "world.profile", text, strlen(text), 0646);
	cr_assert_eq(symlinkat("smallest.profile", directory, "link.profile"), 0);
	cr_assert_eq(mkfifoat(directory, "fifo.profile", 0644), 0);
	cr_expect(strstr(message_for(directory, "group"), "can be written by others than root"));
	cr_expect(strstr(message_for(directory, "world"), "can be written by others than root"));
	cr_expect(strstr(message_for(directory, "link"), "it is a symbolic link"));
	cr_expect(strstr(message_for(directory, "fifo"), "is not a regular file"), "and does not wait for a writer");
	memset(large, '#', PROFILE_MAX_TEXT + 1);
	put(directory, "large.profile", large, PROFILE_MAX_TEXT + 1, 0644);
	cr_expect(strstr(message_for(directory, "large"), "is larger than 65536 bytes"));
	free(large);
	remove_profiles(directory);
}

/* One changed byte gives a message or another profile, never a crash; the sanitizer build watches. */
Test(profile, any_single_byte_change_is_survived) {
	static const char text[] = "runas-profile = 1\n"
				   "include = @part-time # all\n"
				   "allow = read socketpair # x\n"
				   "allow = clone if arg0 & 0x7e020000 == 0 and arg2 == AF_UNIX # y\n"
				   "refuse = ptrace\nmissing = clone3\n";
	static const unsigned char bytes[] = {0, '\n', ' ', '#', '=', 'a', '0', '9', '@', ',', 0x7f, 0x80, 0xff};
	struct profile *profile = malloc(sizeof *profile);
	char changed[sizeof text];
	unsigned refused = 0, accepted = 0;

	for (size_t at = 0; at < sizeof text - 1; at++) {
		for (size_t i = 0; i < sizeof bytes; i++) {
			struct shipped_text shipped[2] = {{"mutant", changed, sizeof text - 1}};
			struct profile_store store = {
				.shipped = shipped, .shipped_count = 2, .site_directory = -1, .site_prefix = ""};
			struct profile_error error = {0};

			for (size_t j = 0; j < shipped_text_count; j++)
				if (strcmp(shipped_texts[j].name, "part-time") == 0)
					shipped[1] = shipped_texts[j];
			memcpy(changed, text, sizeof text);
			changed[at] = (char)bytes[i];
			if (profile_read(&store, "@mutant", profile, &error)) {
				accepted++;
				continue;
			}
			refused++;
			cr_expect(error.what[0] != 0 && error.line < 12 && error.column <= sizeof text);
		}
	}
	cr_expect_gt(refused, 500);
	cr_expect_gt(accepted, 100);
	free(profile);
}
