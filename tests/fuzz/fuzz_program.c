/* SPDX-License-Identifier: ISC */
/*
 * A compiled filter: the first byte says what to mend before it is read, since no fuzzer finds a digest: bit 0 the
 * magic, format and architecture, bit 1 the length, bit 2 the digest.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define ARCH 0xc000003e

static uint64_t bytes[PROGRAM_MAX_FILE / 8 + 2];

static size_t mend(uint8_t what, size_t length) {
	struct program_header header;
	const size_t room = PROGRAM_MAX_FILE + 8;

	if (length < sizeof(header))
		return length;
	memcpy(&header, bytes, sizeof(header));
	if ((what & 1) != 0) {
		memcpy(header.magic, PROGRAM_MAGIC, sizeof(header.magic));
		header.format = PROGRAM_FORMAT;
		header.arch = ARCH;
	}
	memcpy(bytes, &header, sizeof(header));
	if ((what & 2) != 0) {
		const uint64_t whole = sizeof(header) + ((uint64_t)header.enforce_count + header.complain_count) * 8;
		length = whole < room ? (size_t)whole : length;
	}
	if ((what & 4) != 0) {
		header.digest = program_digest((const char *)bytes + 16, length - 16);
		memcpy(bytes, &header, sizeof(header));
	}
	return length;
}

static bool is_within(struct program p, const char *from, size_t length) {
	const char *const at = (const char *)p.code;
	return p.count > 0 && p.count <= PROGRAM_MAX_INSTRUCTIONS && at >= from &&
	       (size_t)(at - from) + (size_t)p.count * 8 <= length && (uintptr_t)at % 8 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct program_file file, again;
	struct problem why;
	char *copy;

	if (size < 1 || size - 1 > sizeof(bytes))
		return 0;
	memset(bytes, 0,
	       size + sizeof(struct program_header) < sizeof(bytes) ? size + sizeof(struct program_header)
								    : sizeof(bytes));
	memcpy(bytes, data + 1, size - 1);
	const size_t length = mend(data[0], size - 1);
	/* In a block of its own size, so that AddressSanitizer sees a read behind it. */
	copy = aligned_alloc(8, (length + 7) / 8 * 8 + (length == 0) * 8);
	MUST(copy != NULL);
	memcpy(copy, bytes, length);
	memset(&file, 0x5a, sizeof(file));
	memset(&why, 0x5a, sizeof(why));
	if (program_read(copy, length, ARCH, &file, &why)) {
		MUST(is_within(file.enforce, copy, length) && is_within(file.complain, copy, length));
		MUST(file.complain.code == file.enforce.code + file.enforce.count);
		MUST((const char *)(file.complain.code + file.complain.count) == copy + length);
		MUST(file.source_count >= 1 && file.source_count <= PROGRAM_MAX_SOURCES);
		for (size_t i = 0; i < file.source_count; i++)
			MUST(text_is_app(text_of(file.sources[i].name)));
		/* One bit anywhere behind the digest, and it is damaged. */
		const size_t at = 16 + data[size / 2] * length / 256 % (length - 16);
		copy[at] = (char)(copy[at] ^ 1 << data[0] % 8);
		MUST(!program_read(copy, length, ARCH, &again, &why));
		copy[at] = (char)(copy[at] ^ 1 << data[0] % 8);
		MUST(!program_read(copy, length - 1, ARCH, &again, &why));
		MUST(!program_read(copy, length, ARCH ^ 1, &again, &why));
	} else {
		fuzz_check_problem(&why);
		MUST(text_starts(text_of(why.word), text_of("filter-")));
		MUST(file.enforce.count == 0 || file.source_count == 0);
	}
	free(copy);
	return 0;
}
