/* SPDX-License-Identifier: ISC */
/* The one rule for every file and directory that the launcher believes. */
#include "tests/policy/given.h"

#include <stdint.h>
#include <sys/stat.h>

#include "policy/trust.h"

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
