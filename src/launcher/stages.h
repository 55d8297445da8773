/* SPDX-License-Identifier: ISC */
/*
 * stages: the launch, one function a stage, in the order of main.c; each room implements its own.
 * Given:    nothing from the caller is believed but by plan_build. Each comment names the room, and whom it runs as.
 * Promises: each act is read back through another call, into buffers that held something else, because a root caller
 *           can carry a filter that answers 0 without doing the call. A stage without work proves its state too.
 * Never:    returns with less than it promises: failures end in report.h. A receipt is built in one room only.
 */
#pragma once

#include "launcher/report.h"

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

struct entered { /* receipt */
	uint64_t core_soft, core_hard; /* RLIMIT_CORE as the caller had it, bytes */
	char *const *environment;      /* untrusted */
};
struct restored { /* receipt */ uint64_t core_soft, core_hard; }; /* set last of all, by handover */
struct grouped { /* receipt */ uint32_t gid; };
struct confined { /* receipt */ uint32_t securebits; };
struct assumed { /* receipt */ uint32_t uid; };
struct powerless { /* receipt */ uint32_t uid; };
struct handed_over { /* receipt */ uint32_t umask; };
struct limited { /* receipt */ uint32_t umask; };
struct sealed { /* receipt */ uint32_t filters; };

/*
 * entry, root (or not), before a file is opened or a byte parsed. Afterwards 0-2 are open; 3 and up close on exec;
 * signals 1..64 are blocked, at their default and not pending (an ignored SIGHUP stays, for nohup); no timer runs;
 * umask 077; neither dumpable nor core; libc sees an empty environment.
 */
struct entered entry_secure(int argc, char *const *argv, char **envp, const struct report *to);
bool entry_hide(void);		  /* PR_SET_DUMPABLE 0: every change of ids needs it again */
bool entry_unblock_signals(void);
void entry_ignore_pipe(void); /* one that came meanwhile acts now, on us */

/* caller, root (or not): who asked, as the kernel says it. groups: CALLER_MAX_GROUPS ids; cwd: CALLER_MAX_CWD bytes. */
struct caller caller_identify(const struct entered *after, uint32_t *groups, char *cwd, const struct report *to);
void caller_explain(struct problem *why); /* why there is no root */

/* capabilities, root: refuses, while nothing is given up yet, when root lacks what the launch needs; names it. */
void capabilities_require(const struct launch_plan *plan, const struct report *to);

/* descriptors, root (or the app user): bit N: N of 3..31 is open. Asked when nothing of ours is: all is the caller's. */
uint32_t descriptors_inherited(const struct report *to);
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
/* filter, the app user: the terminal filter always, then the profile; each must answer its reserved call number. */
struct sealed filter_install(const struct launch_plan *plan, struct limited after, struct report *to);
/* exec, filtered: the plan's paths in order; never a shell for what is no program. */
_Noreturn void handover_exec(const struct launch_plan *plan, struct sealed after, const struct report *to);
