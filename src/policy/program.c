/* SPDX-License-Identifier: ISC */
#include "policy/program.h"

#define SIGNED_FROM offsetof(struct program_header, format)

_Static_assert(sizeof(struct program_instruction) == 8, "struct sock_filter is 8 bytes");
_Static_assert(sizeof(struct program_header) == 680, "no padding, and what is behind it stays aligned");
_Static_assert(SIGNED_FROM == 16, "the digest starts behind itself");

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

static bool refuse(struct problem *why, const char *word, const char *what) {
	return problem_set(why, PROBLEM_SELF, word, what);
}

/* A name that fills its field has no NUL, and bytes behind the NUL would be a second, hidden name. */
static bool is_source_name(const char field[PROGRAM_NAME_SIZE]) {
	static const char padding[PROGRAM_NAME_SIZE];
	const char *const end = memchr(field, 0, PROGRAM_NAME_SIZE);
	return end != NULL && text_is_app((struct text){field, (size_t)(end - field)}) &&
	       memcmp(end, padding, (size_t)(field + PROGRAM_NAME_SIZE - end)) == 0;
}

bool program_read(const void *bytes, size_t length, uint32_t arch, struct program_file *ret, struct problem *why) {
	const char *const at = bytes;
	struct program_header header;

	memset(ret, 0, sizeof(*ret));
	if (length < sizeof(header))
		return refuse(why, "filter-truncated", "the compiled filter is cut short");
	memcpy(&header, bytes, sizeof(header));
	const size_t enforce = header.enforce_count, complain = header.complain_count;
	const size_t whole = sizeof(header) + (enforce + complain) * sizeof(struct program_instruction);
	if (memcmp(header.magic, PROGRAM_MAGIC, sizeof(header.magic)) != 0 || header.format != PROGRAM_FORMAT)
		return refuse(why, "filter-magic", "not a compiled filter of this version of runas-app");
	if (header.arch != arch)
		return refuse(why, "filter-arch", "the filter was compiled for another architecture");
	if (enforce == 0 || enforce > PROGRAM_MAX_INSTRUCTIONS || complain == 0 || complain > PROGRAM_MAX_INSTRUCTIONS)
		return refuse(why, "filter-size", "no instructions, or more than the kernel takes");
	if (length < whole)
		return refuse(why, "filter-truncated", "the compiled filter is cut short");
	if (length > whole)
		return refuse(why, "filter-size", "the compiled filter has bytes behind its end");
	if (header.digest != program_digest(at + SIGNED_FROM, length - SIGNED_FROM) || header.zero != 0 ||
	    header.source_count == 0 || header.source_count > PROGRAM_MAX_SOURCES)
		return refuse(why, "filter-damaged", "the compiled filter is damaged");
	for (size_t i = 0; i < header.source_count; i++)
		if (!is_source_name(header.sources[i].name))
			return refuse(why, "filter-damaged", "the compiled filter names no real source");
	ret->source_count = header.source_count;
	ret->sources = (const void *)(at + offsetof(struct program_header, sources));
	ret->enforce = (struct program){(const void *)(at + sizeof(header)), header.enforce_count};
	ret->complain = (struct program){ret->enforce.code + enforce, header.complain_count};
	return true;
}
