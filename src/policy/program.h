/* SPDX-License-Identifier: ISC */
/*
 * program: compiled seccomp filters, embedded ones and the checked file of a site profile.
 * Given:    a buffer aligned to 8 that outlives what is read from it; its bytes are not believed.
 * Promises: every count and name is checked before use, and the digest covers all but the magic and itself.
 * Never:    says that a program is a good one: digests find damage and forgotten compiles, not attackers.
 */
#pragma once

#include "policy/text.h"

/*
 * A loaded filter proves that it runs by answering one number that no kernel has with an errno that no kernel gives.
 * The filter of `syscalls = none` and those of profiles leave each other's number alone, so that a launch inside one of
 * the other kind asks its own. Inside its own kind the outer filter answers, too.
 */
enum {
	PROGRAM_PROOF_TERMINAL = 0x3fff0001, PROGRAM_ERRNO_TERMINAL = 55, /* ENOANO */
	PROGRAM_PROOF_PROFILE = 0x3fff0002, PROGRAM_ERRNO_PROFILE = 56,	  /* EBADRQC */
	PROGRAM_MAX_INSTRUCTIONS = 4096,				  /* the kernel's BPF_MAXINSNS */
	PROGRAM_MAX_SOURCES = 16, PROGRAM_NAME_SIZE = 32, PROGRAM_FORMAT = 2, /* 1: without the terminal's refusal */
};

/* struct sock_filter, which a pure file cannot include. */
struct program_instruction {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

struct program {
	const struct program_instruction *code;
	uint32_t count;
};

/* Written at build time by embed-profiles; all for the architecture shipped_arch (an AUDIT_ARCH value). */
extern const struct shipped_program {
	const char *name; /* without the @ */
	struct program enforce, complain;
} shipped_programs[];
extern const size_t shipped_program_count;
extern const struct program shipped_terminal;
extern const uint32_t shipped_arch;
extern const char shipped_version[]; /* VERSION_WORDS, which both programs print */

/* The one place that says which release this is; the packages read it here, too. */
#define RUNAS_VERSION "0.2"
/* The first line of a policy, `runas-app = 1`. A newer one may mean what this release does not know: refused. */
#define POLICY_FORMAT "1"
#ifdef __GLIBC__ /* musl does not say that it is there */
#define VERSION_LIBC "glibc"
#else
#define VERSION_LIBC "musl"
#endif
/* digest: of the filters of all shipped profiles, as the launcher loads them. */
#define VERSION_WORDS(digest)                                                                                          \
	"runas-app " RUNAS_VERSION ", " VERSION_LIBC ", profiles " digest ", policy format " POLICY_FORMAT "\n"

/* A compiled file is this header, the enforce program, the complain program, and nothing more. */
struct program_header {
	char magic[8];
	uint64_t digest; /* of every byte behind this field */
	uint32_t format, arch, enforce_count, complain_count, source_count, zero;
	struct program_source {
		char name[PROGRAM_NAME_SIZE]; /* NUL padded; program_read refuses one without a NUL */
		uint64_t digest;
	} sources[PROGRAM_MAX_SOURCES];
};

#define PROGRAM_MAGIC "runasBPF" /* 8 bytes, no NUL */
#define PROGRAM_MAX_FILE (sizeof(struct program_header) + sizeof(uint64_t) * 2 * PROGRAM_MAX_INSTRUCTIONS)

/* The first source is the profile itself; the others are the site profiles that it includes. */
struct program_file {
	struct program enforce, complain;
	size_t source_count;
	const struct program_source *sources;
};

uint64_t program_digest(const void *bytes, size_t length); /* FNV-1a, 64 bits */

/* NULL when no shipped profile has that name (written without @). */
const struct shipped_program *program_find(struct text name);
/* What *ret holds points into bytes. arch is the AUDIT_ARCH of the process that will load it. */
bool program_read(const void *bytes, size_t length, uint32_t arch, struct program_file *ret, struct problem *why);
