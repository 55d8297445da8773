/* SPDX-License-Identifier: ISC */
#include "policy/program.h"

#include <string.h>

_Static_assert(sizeof(struct program_instruction) == 8, "struct sock_filter is 8 bytes");
_Static_assert(sizeof(struct program_header) == 680, "no padding, and what is behind it stays aligned");
_Static_assert(offsetof(struct program_header, format) == 16, "the digest starts behind itself");

uint64_t program_digest(const void *bytes, size_t length) {
	const unsigned char *at = bytes;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	return hash;
}

const struct shipped_program *program_find(struct text name) {
	for (size_t i = 0; i < shipped_program_count; i++)
		if (text_is(name, shipped_programs[i].name))
			return &shipped_programs[i];
	return NULL;
}

/* A name that fills its field has no NUL, and bytes behind the NUL would be a second, hidden name. */
static bool source_name(const char field[PROGRAM_NAME_SIZE], struct text *ret) {
	static const char padding[PROGRAM_NAME_SIZE];
	const char *end = memchr(field, 0, PROGRAM_NAME_SIZE);

	if (end == NULL || memcmp(end, padding, (size_t)(field + PROGRAM_NAME_SIZE - end)) != 0)
		return false;
	*ret = (struct text){field, (size_t)(end - field)};
	return text_is_app(*ret);
}

bool program_read(const void *bytes, size_t length, uint32_t arch, struct program_file *ret, struct problem *why) {
	const char *at = bytes;
	struct program_header header;
	size_t behind;

	memset(ret, 0, sizeof *ret);
	if (length > PROGRAM_MAX_FILE)
		return problem_set(why, PROBLEM_SELF, "filter-size", "larger than any compiled filter can be");
	if (length < sizeof header)
		return problem_set(why, PROBLEM_SELF, "filter-truncated", "the compiled filter is cut short");
	memcpy(&header, bytes, sizeof header);
	if (memcmp(header.magic, PROGRAM_MAGIC, sizeof header.magic) != 0 || header.format != PROGRAM_FORMAT)
		return problem_set(why, PROBLEM_SELF, "filter-magic",
				   "not a compiled filter of this version of runas-app");
	if (header.arch != arch)
		return problem_set(why, PROBLEM_SELF, "filter-arch",
				   "the filter was compiled for another architecture");
	if (header.enforce_count == 0 || header.enforce_count > PROGRAM_MAX_INSTRUCTIONS ||
	    header.complain_count == 0 || header.complain_count > PROGRAM_MAX_INSTRUCTIONS)
		return problem_set(why, PROBLEM_SELF, "filter-size", "no instructions, or more than the kernel takes");
	behind = ((size_t)header.enforce_count + header.complain_count) * sizeof(struct program_instruction);
	if (length - sizeof header < behind)
		return problem_set(why, PROBLEM_SELF, "filter-truncated", "the compiled filter is cut short");
	if (length - sizeof header > behind)
		return problem_set(why, PROBLEM_SELF, "filter-size", "the compiled filter has bytes behind its end");
	if (header.digest != program_digest(at + offsetof(struct program_header, format),
					    length - offsetof(struct program_header, format)) ||
	    header.source_count == 0 || header.source_count > PROGRAM_MAX_SOURCES || header.zero != 0)
		return problem_set(why, PROBLEM_SELF, "filter-damaged", "the compiled filter is damaged");
	for (size_t i = 0; i < header.source_count; i++) {
		size_t name = offsetof(struct program_header, sources) + i * sizeof header.sources[0];

		if (!source_name(at + name, &ret->sources[i].name))
			return problem_set(why, PROBLEM_SELF, "filter-damaged",
					   "the compiled filter names no real source");
		ret->sources[i].digest = header.sources[i].digest;
	}
	ret->source_count = header.source_count;
	ret->enforce = (struct program){(const void *)(at + sizeof header), header.enforce_count};
	ret->complain = (struct program){ret->enforce.code + header.enforce_count, header.complain_count};
	return true;
}
