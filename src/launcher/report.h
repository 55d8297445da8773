/* SPDX-License-Identifier: ISC */
/*
 * report: the only way out, and the only voice.
 * Given:    who called and whether they may know the reason; constant words; bytes that it escapes.
 * Promises: what root opened is closed and root is gone for good before a byte is written (CVE-2012-0056); if that
 *           fails it exits in silence. A caller that is not entitled learns nothing but "not permitted".
 * Never:    formats with a caller's bytes; returns after a failure.
 */
#pragma once

#include "policy/plan.h"

struct report {
	const struct request *request;
	const struct caller *caller;
	struct text file; /* the policy's path, for messages about one of its lines */
	bool is_entitled; /* may be told the reason */
	bool is_sealed;	  /* filters are loaded: only write, close and exit are sure to be left */
	struct text log;  /* as the policy has it; until it was read, and without the key, empty: syslog */
	uint32_t *scratch; /* room for CALLER_MAX_GROUPS ids, or one message */
};

_Noreturn void report_problem(const struct report *to, const struct problem *why);

/* A stage failed at what. hint may be NULL; error is an errno, or 0 for a value that was read back wrong. */
_Noreturn void report_stage(const struct report *to, const char *word, const char *what, const char *hint, int error);

/* The same with errno, unless it went well: then errno becomes 0, which a wrong value of the next act leaves so. */
void must(bool is_done, const struct report *to, const char *word, const char *object, const char *hint);

/* Both end here; and help and version. */
_Noreturn void report_leave(const struct report *to, int fd, struct text words, int status);

/* One line to the system log. false: not delivered. */
bool report_allowed(const struct report *to, const struct launch_plan *plan, struct text syscalls);
