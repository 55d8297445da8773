/* SPDX-License-Identifier: ISC */
/*
 * stages: the launch, one function a stage, in the order of main.c; each room implements its own. Before them
 *         stand report, the only way out and voice, and trusted_file, which reads what root alone could have written.
 * Given:    nothing from the caller is believed but by plan_build. Each comment names the room, and whom it runs as.
 * Promises: each act is read back through another call, into buffers that held something else, because a root caller
 *           can carry a filter that answers 0 without doing the call. A stage without work proves its state too.
 *           What root opened is closed and root is gone for good before report writes a byte (CVE-2012-0056); if that
 *           fails it exits in silence. A caller that is not entitled learns nothing but "not permitted".
 * Never:    returns with less than it promises: failures end in report, which does not return, nor formats with a
 *           caller's bytes: its words are constant, or escaped. A receipt is built in one room only.
 */
#pragma once

#include "policy/plan.h"

/* Every room asks the kernel itself, by syscall(2) where libc would do more than asked (setresuid, sigaction). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLER_MAX_GROUPS 65536 /* NGROUPS_MAX: getgroups(2) */
#define CALLER_MAX_CWD 4096	/* bytes, with the NUL: getcwd(2) */

struct report {
	const struct request *request;
	const struct caller *caller;
	struct text file; /* the policy's path, for messages about one of its lines */
	bool is_entitled; /* may be told the reason */
	bool is_sealed;	  /* the filter is loaded: only write, close and exit are sure to be left */
	struct text log;  /* as the policy has it; until it was read, and without the key, empty: syslog */
	uint32_t *scratch; /* room for CALLER_MAX_GROUPS ids, or one message */
};

_Noreturn void report_problem(const struct report *to, const struct problem *why);
/* A stage failed at what. hint may be NULL; error is an errno, or 0 for a value that was read back wrong. */
_Noreturn void report_stage(const struct report *to, const char *word, const char *what, const char *hint, int error);
/* The same with errno, unless it went well: then errno becomes 0, which a wrong value of the next act leaves so. */
void must(bool is_done, const struct report *to, const char *word, const char *object, const char *hint);
/* All end here; and help and version. */
_Noreturn void report_leave(const struct report *to, int fd, struct text words, int status);
/* One line to the system log. false: not delivered. */
bool report_allowed(const struct report *to, const struct launch_plan *plan, struct text syscalls);

/*
 * trusted_file, root: walks absolute paths without empty, . or .. parts from root, an open directory that stays open
 * (none, or one of 0 to 2, is refused), and follows no symlink. Each descriptor, root's too, is judged (policy/trust),
 * never a path; nothing changed while it was read; what was opened here is closed again. Nothing is opened for writing
 * or blocks on a FIFO. trusted_read: the whole file, of this kind (no directory), at most size bytes; a problem's
 * object is what was tried of path. trusted_stream: piece by piece, of any size; a last line without its newline gets
 * one.
 */
bool trusted_read(int root, struct text path, enum trust_kind kind, char *buffer, size_t size, struct text *ret,
		  struct problem *why);
/* Takes a piece of the file, and says how many of its bytes it used up. */
typedef size_t trusted_taker(void *context, struct text piece);
bool trusted_stream(int root, struct text path, char *buffer, size_t size, trusted_taker *take, void *context,
		    struct problem *why);
/* false: not answered, whatever the kernel's filter says; *ret then holds no old bytes. */
bool trusted_fstat(int fd, struct stat *ret);

struct entered { /* receipt */
	struct rlimit core;	  /* RLIMIT_CORE as the caller had it, bytes */
	char *const *environment; /* untrusted */
};
struct restored { /* receipt */ struct rlimit core; }; /* set last of all, by handover */
struct grouped { /* receipt */ uint32_t gid; };
struct confined { /* receipt */ uint32_t securebits; };
struct assumed { /* receipt */ uint32_t uid; };
struct powerless { /* receipt */ uint32_t uid; };
struct handed_over { /* receipt */ uint32_t umask; };
struct limited { /* receipt */ uint32_t umask; };
struct sealed { /* receipt */ uint32_t instructions; };

/*
 * entry, root (or not), before a file is opened or a byte parsed. Afterwards 0-2 are open; signals 1..64 are blocked, at
 * their default and not pending (an ignored SIGHUP stays, for nohup); no timer runs; umask 077; neither dumpable nor
 * core; libc sees an empty environment.
 */
struct entered entry_secure(int argc, char *const *argv, char **envp, const struct report *to);
bool entry_hide(void);		  /* PR_SET_DUMPABLE 0: every change of ids needs it again */
bool entry_unblock_signals(void); /* one that came meanwhile acts now, on us */
void entry_ignore_pipe(void);

/* caller, root (or not): who asked, as the kernel says it. groups: CALLER_MAX_GROUPS ids; cwd: CALLER_MAX_CWD bytes. */
struct caller caller_identify(const struct entered *after, uint32_t *groups, const struct report *to);
struct text caller_directory(char *cwd, const struct report *to); /* for directory_below; empty: it has no path */
void caller_explain(struct problem *why); /* why there is no root */

/* descriptors, root (or not): 3 and up close on exec. If asked, which of 3..31 are the caller's: bit N, descriptor N. */
uint32_t descriptors_secure(bool is_asked, const struct report *to);

/* capabilities, root: refuses, while nothing is given up yet, when root lacks what the launch needs; names it. */
void capabilities_require(const struct launch_plan *plan, const struct report *to);

/*
 * descriptors, root (or the app user): with `listen` all from 3 up are closed first, which may block as long as the
 * caller likes (SO_LINGER, FUSE): while it can kill us, and before a port is held. Then its sockets, from descriptor 3,
 * closing on exec; the last thing that may be refused. And root only: the pipes of `stdio_chown`, which a shell's
 * > /dev/stdout has to open again.
 */
void descriptors_listen(const struct launch_plan *plan, const struct report *to);
void descriptors_give_stdio(const struct launch_plan *plan, const struct report *to);

/*
 * restore, root (or the app user): what exec does not reset goes to the policy's values and, for callers other than
 * root, to fixed defaults. What real root or the app user itself set and no key names is kept.
 */
struct restored restore_defaults(const struct launch_plan *plan, const struct entered *after, const struct report *to);
bool restore_ask_limit(int resource, struct rlimit *ret);
bool restore_limit(int resource, uint64_t soft, uint64_t hard);

/* identity, root: exactly the plan's groups and gid, then its uid; the parts are the report's way back too. */
struct grouped identity_join_groups(const struct launch_plan *plan, struct restored after, const struct report *to);
struct assumed identity_assume_user(const struct launch_plan *plan, struct confined after, const struct report *to);
bool identity_has_groups(uint32_t gid, const uint32_t *groups, size_t count, uint32_t *scratch);
bool identity_set_groups(uint32_t gid, const uint32_t *groups, size_t count, uint32_t *scratch);
bool identity_set_user(uint32_t uid);
bool identity_leave_caller(void); /* real uid 0: the caller cannot signal us, and what we make is not the caller's */

/* capabilities, root: bounding set emptied, ambient cleared, securebits 0xEB (NO_SETUID_FIXUP locked OFF). */
struct confined capabilities_confine(const struct launch_plan *plan, struct grouped after, const struct report *to);
/* capabilities, the app user: all sets zero, and every way back to root is tried and fails. */
struct powerless capabilities_drop(const struct launch_plan *plan, struct assumed after, const struct report *to);

/* handover, the app user: directory (its rights decide), umask, core limit, no_new_privs, kept descriptors, signals. */
struct handed_over handover_prepare(const struct launch_plan *plan, struct restored limits, struct powerless after,
				    const struct report *to);
/* With errno, and the first part of path that the app user cannot enter. */
_Noreturn void handover_unreachable(const char *path, const char *word, const char *what, const char *hint,
				    const struct report *to);
/* landlock, the app user: writing is limited to the plan's paths, as they are now. */
struct limited landlock_limit(const struct launch_plan *plan, struct handed_over after, const struct report *to);
int landlock_abi(void); /* of this kernel, or -errno */
/* filter, the app user: the profile's, or the one that closes the terminal alone; it must answer its reserved number. */
struct sealed filter_install(const struct launch_plan *plan, struct limited after, struct report *to);
/* exec, filtered: the plan's paths in order; never a shell for what is no program. */
_Noreturn void handover_exec(const struct launch_plan *plan, struct sealed after, const struct report *to);
