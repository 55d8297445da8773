/* SPDX-License-Identifier: ISC */
/* The judge of compiled filters: whatever the bytes are, it says no with the right word, or what it returns is inside them. */
#include "policy/program.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { ARCH = 0xc000003e };

struct file {
	_Alignas(8) unsigned char bytes[PROGRAM_MAX_FILE + 8];
	size_t length;
};

static struct program_header *header_of(struct file *file) { return (struct program_header *)(void *)file->bytes; }

static void seal(struct file *file) {
	size_t behind = offsetof(struct program_header, format);

	header_of(file)->digest = program_digest(file->bytes + behind, file->length - behind);
}

/* A good file with these counts, made of two sources; valid until the next one is made. */
static struct file *make_file(uint32_t enforce, uint32_t complain) {
	static struct file only;
	struct file *file = memset(&only, 0, sizeof only);
	struct program_header *header = header_of(file);
	struct program_instruction *code = (struct program_instruction *)(void *)(file->bytes + sizeof *header);

	memcpy(header->magic, PROGRAM_MAGIC, 8);
	header->format = PROGRAM_FORMAT;
	header->arch = ARCH;
	header->enforce_count = enforce;
	header->complain_count = complain;
	header->source_count = 2;
	strcpy(header->sources[0].name, "shop");
	header->sources[0].digest = 0x1122334455667788;
	strcpy(header->sources[1].name, "a-name-of-thirty-one-letters-ok");
	for (uint32_t i = 0; i < enforce + complain && i < 2u * PROGRAM_MAX_INSTRUCTIONS; i++)
		code[i] = (struct program_instruction){.code = 6, .k = i};
	file->length = sizeof *header + (enforce + complain) * sizeof *code;
	if (file->length <= sizeof file->bytes)
		seal(file);
	return file;
}

static void expect_word(const struct file *file, size_t length, const char *word, const char *of) {
	struct program_file ret;
	struct problem why = {0};

	memset(&ret, 0x55, sizeof(ret));
	cr_expect_not(program_read(file->bytes, length, ARCH, &ret, &why), "%s was accepted", of);
	cr_expect_str_eq(why.word, word, "%s: %s", of, why.word);
	cr_expect_not_null(why.what);
	cr_expect_eq(why.status, PROBLEM_SELF);
	cr_expect_null(ret.enforce.code, "%s: nothing may be used of a refused file", of);
}

Test(program, digest_is_fnv_1a) {
	cr_assert_eq(program_digest("", 0), 0xcbf29ce484222325);
	cr_assert_eq(program_digest("a", 1), 0xaf63dc4c8601ec8c);
	cr_assert_eq(program_digest("foobar", 6), 0x85944171f73967e8);
}

Test(program, reads_what_was_written) {
	struct file *file = make_file(3, 2);
	struct program_file ret;
	struct problem why;

	cr_assert(program_read(file->bytes, file->length, ARCH, &ret, &why));
	cr_expect_eq(ret.enforce.count, 3);
	cr_expect_eq(ret.complain.count, 2);
	cr_expect_eq(ret.enforce.code[0].k, 0);
	cr_expect_eq(ret.complain.code[0].k, 3);
	cr_expect_eq((const void *)(ret.complain.code + 2), (const void *)(file->bytes + file->length));
	cr_assert_eq(ret.source_count, 2);
	cr_expect(strcmp(ret.sources[0].name, "shop") == 0);
	cr_expect_eq(ret.sources[0].digest, 0x1122334455667788);
	cr_expect(strcmp(ret.sources[1].name, "a-name-of-thirty-one-letters-ok") == 0);
}

Test(program, reads_the_largest_file_and_none_larger) {
	struct file *file = make_file(PROGRAM_MAX_INSTRUCTIONS, PROGRAM_MAX_INSTRUCTIONS);
	struct program_file ret;
	struct problem why;

	cr_assert_eq(file->length, PROGRAM_MAX_FILE);
	cr_assert(program_read(file->bytes, file->length, ARCH, &ret, &why));
	expect_word(file, file->length + 1, "filter-size", "a byte more");
	file = make_file(PROGRAM_MAX_INSTRUCTIONS + 1, 1);
	expect_word(file, file->length, "filter-size", "4097 instructions");
	file = make_file(1, PROGRAM_MAX_INSTRUCTIONS + 1);
	expect_word(file, file->length, "filter-size", "4097 instructions to complain");
}

Test(program, every_truncation_is_refused) {
	struct file *file = make_file(3, 2);

	for (size_t length = 0; length < file->length; length++) {
		/* On the heap, to its length, so that a sanitizer sees a read behind the end. */
		unsigned char *exact = malloc(length + 1);
		struct program_file ret;
		struct problem why;

		memcpy(exact, file->bytes, length);
		cr_expect_not(program_read(exact, length, ARCH, &ret, &why), "cut to %zu", length);
		cr_expect_str_eq(why.word, "filter-truncated");
		free(exact);
	}
	expect_word(file, file->length + 8, "filter-size", "an instruction more");
}

Test(program, every_damaged_bit_is_found) {
	struct file *file = make_file(3, 2);

	for (size_t bit = 0; bit < 8 * file->length; bit++) {
		struct program_file ret;
		struct problem why;

		file->bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		cr_expect_not(program_read(file->bytes, file->length, ARCH, &ret, &why), "bit %zu", bit);
		file->bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
}

Test(program, foreign_and_odd_headers_are_refused_even_with_a_good_digest) {
	struct file *file = make_file(3, 2);

	header_of(file)->arch = 0xc00000b7;
	seal(file);
	expect_word(file, file->length, "filter-arch", "arm64's");
	file = make_file(3, 2);
	header_of(file)->format = PROGRAM_FORMAT + 1;
	seal(file);
	expect_word(file, file->length, "filter-magic", "a later format");
	file = make_file(3, 2);
	header_of(file)->format = PROGRAM_FORMAT - 1;
	seal(file);
	expect_word(file, file->length, "filter-magic", "an earlier format");
	file = make_file(3, 2);
	header_of(file)->magic[0] = 'R';
	expect_word(file, file->length, "filter-magic", "another magic");
	file = make_file(0, 2);
	expect_word(file, file->length, "filter-size", "no instructions");
	file = make_file(2, 0);
	expect_word(file, file->length, "filter-size", "no instructions to complain");
	file = make_file(3, 2);
	header_of(file)->zero = 1;
	seal(file);
	expect_word(file, file->length, "filter-damaged", "a field that must be zero");
	file = make_file(3, 2);
	header_of(file)->source_count = 0;
	seal(file);
	expect_word(file, file->length, "filter-damaged", "no source");
	file = make_file(3, 2);
	header_of(file)->source_count = PROGRAM_MAX_SOURCES + 1;
	seal(file);
	expect_word(file, file->length, "filter-damaged", "17 sources");
	file = make_file(3, 2);
	header_of(file)->enforce_count = 0xffffffff;
	header_of(file)->complain_count = 6;
	seal(file);
	expect_word(file, file->length, "filter-size", "counts whose sum overflows");
}

Test(program, source_names_are_site_names) {
	static const char *const bad[] = {"",
					  "Shop",
					  "../shop",
					  "a/b",
					  "shop.profile",
					  "@app-server",
					  "-shop",
					  "1shop",
					  "a b",
					  "a-name-that-fills-all-of-its-fiel"};
	struct file *file;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		file = make_file(3, 2);
		memset(header_of(file)->sources[1].name, 0, PROGRAM_NAME_SIZE);
		memcpy(header_of(file)->sources[1].name, bad[i], strnlen(bad[i], PROGRAM_NAME_SIZE));
		seal(file);
		expect_word(file, file->length, "filter-damaged", bad[i]);
	}
	file = make_file(3, 2);
	memcpy(header_of(file)->sources[0].name, "shop\0x", 6);
	seal(file);
	expect_word(file, file->length, "filter-damaged", "bytes behind the NUL");
}

/* A seventeenth would be read from the instructions, which could look like one. */
Test(program, sixteen_sources_and_no_more) {
	struct file *file = make_file(30, 2);
	struct program_source *sources = header_of(file)->sources;
	struct program_file ret;
	struct problem why = {0};

	memset(sources, 0, PROGRAM_MAX_SOURCES * sizeof(*sources));
	for (int i = 0; i < PROGRAM_MAX_SOURCES; i++)
		strcpy(sources[i].name, "shop");
	header_of(file)->source_count = PROGRAM_MAX_SOURCES;
	memset(file->bytes + sizeof(struct program_header), 0, sizeof(*sources));
	memcpy(file->bytes + sizeof(struct program_header), "shop", 4);
	seal(file);
	cr_expect(program_read(file->bytes, file->length, ARCH, &ret, &why), "%s", why.what);
	header_of(file)->source_count = PROGRAM_MAX_SOURCES + 1;
	seal(file);
	expect_word(file, file->length, "filter-damaged", "17 sources");
}

Test(program, garbage_is_refused) {
	struct file *file = make_file(1, 1);
	uint64_t state = 1;

	for (unsigned round = 0; round < 2000; round++) {
		struct program_file ret;
		struct problem why;
		size_t length;

		for (size_t i = 0; i < 1024; i++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			file->bytes[i] = (unsigned char)(state >> 56);
		}
		length = state >> 33 & 1023;
		if (round % 2 == 0) {
			memcpy(header_of(file)->magic, PROGRAM_MAGIC, 8);
			header_of(file)->format = PROGRAM_FORMAT;
			header_of(file)->arch = ARCH;
			header_of(file)->enforce_count &= 7;
			header_of(file)->complain_count &= 7;
		}
		cr_expect_not(program_read(file->bytes, length, ARCH, &ret, &why), "round %u", round);
	}
}

Test(program, finds_shipped_profiles_by_their_whole_name) {
	static const char *const names[] = {"app-server", "app-server-debug", "web-static"};

	cr_expect_eq(shipped_program_count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct shipped_program *found = program_find(text_of(names[i]));

		cr_assert_not_null(found, "%s", names[i]);
		cr_expect_str_eq(found->name, names[i]);
		cr_expect(found->enforce.count > 50 && found->enforce.count <= PROGRAM_MAX_INSTRUCTIONS);
		cr_expect(found->complain.count > 50 && found->complain.count <= PROGRAM_MAX_INSTRUCTIONS);
	}
	cr_expect_null(program_find(text_of("@app-server")));
	cr_expect_null(program_find(text_of("app-serve")));
	cr_expect_null(program_find(text_of("app-servers")));
	cr_expect_null(program_find(text_of("part-files")), "a part is no profile");
	cr_expect_null(program_find(text_of("")));
}
