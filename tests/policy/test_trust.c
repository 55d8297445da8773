/* SPDX-License-Identifier: ISC */
/* The one rule for every file and directory that the launcher believes. */
#include "tests/policy/given.h"

#include <stdint.h>
#include <sys/stat.h>

#include "policy/authorize.h"

TestSuite(trust, .timeout = 20);

Test(trust, believes_what_root_alone_can_write) {
	static const struct {
		enum trust_kind kind;
		uint32_t mode;
		uint64_t size;
	} cases[] = {
		{TRUST_FILE, S_IFREG | 0644, 0},	 {TRUST_FILE, S_IFREG | 0600, 65536},
		{TRUST_FILE, S_IFREG | 0400, 1},	 {TRUST_FILE, S_IFREG | 0755, 1},
		{TRUST_FILE, S_IFREG | 04755, 1},	 {TRUST_DIRECTORY, S_IFDIR | 0755, UINT64_MAX},
		{TRUST_DIRECTORY, S_IFDIR | 0700, 4096}, {TRUST_DIRECTORY, S_IFDIR | 0555, 4096},
	};
	struct problem why;

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect(trust_check(cases[i].kind, 0, cases[i].mode, cases[i].size, 65536, given("/x"), &why),
			  "mode %o", cases[i].mode);
}

Test(trust, refuses_everything_else_and_says_why) {
	static const struct {
		enum trust_kind kind;
		uint32_t uid, mode;
		uint64_t size;
		const char *word;
	} cases[] = {
		{TRUST_FILE, 4001, S_IFREG | 0644, 1, "policy-owner"},
		{TRUST_FILE, UINT32_MAX, S_IFREG | 0644, 1, "policy-owner"},
		{TRUST_FILE, 65534, S_IFREG | 0644, 1, "policy-owner"},
		{TRUST_FILE, 0, S_IFREG | 0664, 1, "policy-mode"},
		{TRUST_FILE, 0, S_IFREG | 0646, 1, "policy-mode"},
		{TRUST_FILE, 0, S_IFREG | 0620, 1, "policy-mode"},
		{TRUST_FILE, 0, S_IFREG | 0777, 1, "policy-mode"},
		{TRUST_FILE, 0, S_IFREG | 0644, 65537, "policy-size"},
		{TRUST_FILE, 0, S_IFREG | 0644, 2147483648u, "policy-size"},
		{TRUST_FILE, 0, S_IFREG | 0644, UINT64_MAX, "policy-size"},
		{TRUST_FILE, 0, S_IFDIR | 0755, 1, "policy-type"},
		{TRUST_FILE, 0, S_IFLNK | 0755, 1, "policy-type"},
		{TRUST_FILE, 0, S_IFIFO | 0644, 0, "policy-type"},
		{TRUST_FILE, 0, S_IFSOCK | 0644, 0, "policy-type"},
		{TRUST_FILE, 0, S_IFCHR | 0644, 0, "policy-type"},
		{TRUST_FILE, 0, S_IFBLK | 0644, 0, "policy-type"},
		{TRUST_FILE, 0, 0644, 0, "policy-type"},
		{TRUST_DIRECTORY, 4001, S_IFDIR | 0755, 1, "policy-owner"},
		{TRUST_DIRECTORY, 0, S_IFDIR | 0775, 1, "policy-mode"},
		{TRUST_DIRECTORY, 0, S_IFDIR | 0757, 1, "policy-mode"},
		{TRUST_DIRECTORY, 0, S_IFDIR | S_ISVTX | 0777, 1, "policy-mode"},
		{TRUST_DIRECTORY, 0, S_IFREG | 0644, 1, "policy-type"},
		{TRUST_DIRECTORY, 0, S_IFLNK | 0755, 1, "policy-type"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct problem why = {0};

		cr_expect(!trust_check(cases[i].kind, cases[i].uid, cases[i].mode, cases[i].size, 65536,
				       given("/etc/x"), &why),
			  "uid %u mode %o size %llu", cases[i].uid, cases[i].mode, (unsigned long long)cases[i].size);
		cr_assert(why.word != NULL);
		cr_expect(strcmp(why.word, cases[i].word) == 0, "uid %u mode %o: %s, not %s", cases[i].uid,
			  cases[i].mode, why.word, cases[i].word);
		cr_expect(why.status == PROBLEM_SELF);
		given_expect_text(why.object, "/etc/x", "object");
	}
}

/* What is said of a file does for no directory, and the path stands only behind a command. */
Test(trust, says_what_it_is_and_how_to_mend_it) {
	static const struct {
		enum trust_kind kind;
		uint32_t uid, mode;
		const char *what, *hint;
		bool has_path;
	} cases[] = {
		{TRUST_FILE, 0, S_IFDIR | 0755, "is not a regular file", "no symlink", false},
		{TRUST_DIRECTORY, 0, S_IFREG | 0644, "is not a directory", "no symlink", false},
		{TRUST_FILE, 1, S_IFREG | 0644, "does not belong to root", "chown root: ", true},
		{TRUST_FILE, 0, S_IFREG | 0664, "can be written", "COPY --chmod=0644) ", true},
		{TRUST_DIRECTORY, 0, S_IFDIR | 0775, "can be written", "chmod go-w ", true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct problem why = {0};

		cr_assert(!trust_check(cases[i].kind, cases[i].uid, cases[i].mode, 1, 65536, given("/etc/x"), &why));
		cr_expect(strstr(why.what, cases[i].what) != NULL, "%zu: %s", i, why.what);
		cr_expect(strstr(why.hint, cases[i].hint) != NULL, "%zu: %s", i, why.hint);
		cr_expect(cases[i].kind == TRUST_FILE || strstr(why.hint, "COPY") == NULL || !cases[i].has_path);
		given_expect_text(why.hint_about, cases[i].has_path ? "/etc/x" : "", "behind the hint");
	}
}

/* Every mode that there is: only the write bits of group and others matter. */
Test(trust, write_bits_of_others_in_every_combination) {
	struct problem why;

	for (uint32_t mode = 0; mode <= 07777; mode++) {
		cr_expect(trust_check(TRUST_FILE, 0, S_IFREG | mode, 1, 65536, given("/x"), &why) ==
				  ((mode & 022) == 0),
			  "%o", mode);
		cr_expect(trust_check(TRUST_DIRECTORY, 0, S_IFDIR | mode, 1, 65536, given("/x"), &why) ==
				  ((mode & 022) == 0),
			  "%o", mode);
	}
}

/* What holds secrets: nobody but root may read it, either. Directories on the way are judged as ever. */
Test(trust, a_secret_in_every_mode) {
	static const struct {
		uint32_t bits;
		const char *word;
	} cases[] = {
		{0, NULL},
		{0400, NULL},
		{0600, NULL},
		{0700, NULL},
		{04600, NULL},
		{0640, "env-file"},
		{0604, "env-file"},
		{0644, "env-file"},
		{0610, "env-file"},
		{0601, "env-file"},
		{0440, "env-file"},
		{0620, "policy-mode"},
		{0602, "policy-mode"},
		{0666, "policy-mode"},
		{0777, "policy-mode"},
	};
	struct problem why;

	for (uint32_t mode = 0; mode <= 07777; mode++)
		cr_expect(trust_check(TRUST_SECRET, 0, S_IFREG | mode, 1, 65536, given("/x"), &why) ==
				  ((mode & 077) == 0),
			  "%o", mode);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const bool is_good =
			trust_check(TRUST_SECRET, 0, S_IFREG | cases[i].bits, 1, 65536, given("/etc/s"), &why);

		cr_assert(is_good == (cases[i].word == NULL), "%o", cases[i].bits);
		if (is_good)
			continue;
		cr_expect(strcmp(why.word, cases[i].word) == 0, "%o: %s", cases[i].bits, why.word);
		given_expect_text(why.object, "/etc/s", "object");
		given_expect_text(why.hint_about, "/etc/s", "chmod of what");
		cr_expect(why.hint != NULL && strncmp(why.hint, "chmod ", 6) == 0, "%o: %s", cases[i].bits, why.hint);
	}
}

Test(trust, a_secret_is_roots_and_a_file_and_bounded) {
	static const struct {
		uint32_t uid, mode;
		uint64_t size;
		const char *word;
	} cases[] = {
		{4002, S_IFREG | 0600, 1, "policy-owner"}, {UINT32_MAX, S_IFREG | 0400, 1, "policy-owner"},
		{0, S_IFDIR | 0700, 1, "policy-type"},	   {0, S_IFLNK | 0777, 1, "policy-type"},
		{0, S_IFIFO | 0600, 0, "policy-type"},	   {0, S_IFCHR | 0600, 0, "policy-type"},
		{0, S_IFSOCK | 0600, 0, "policy-type"},	   {0, S_IFREG | 0600, 65537, "policy-size"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct problem why = {0};

		cr_expect(!trust_check(TRUST_SECRET, cases[i].uid, cases[i].mode, cases[i].size, 65536, given("/x"),
				       &why));
		cr_expect(why.word != NULL && strcmp(why.word, cases[i].word) == 0, "case %zu: %s", i, why.word);
	}
}
