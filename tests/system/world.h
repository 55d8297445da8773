/* SPDX-License-Identifier: ISC */
/*
 * Purpose   a throwaway machine for one test: own /etc/passwd, /etc/group, /etc/runas-app, /dev/log, /srv, /home, /tmp and
 *           the real setuid runas-app in /usr/local/bin, all in a private mount namespace of the test process.
 * Runs as   root; a test that cannot be root is skipped loudly.
 * Given     the binaries of the build directory: $RUNAS_BUILD, else BUILD_DIR as compiled in, else `build`.
 * Promises  the host's files, sockets and mounts stay as they were, and what a test leaves running is killed, even when
 *           the test itself was.
 * Never     waits without a limit.
 */
#ifndef SYSTEM_WORLD_H
#define SYSTEM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WORLD_RUNAS "/usr/local/bin/runas-app"
#define WORLD_PROBE "/usr/local/bin/probe"
#define WORLD_LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

enum {
	WORLD_DEPLOY = 4001, /* may call */
	WORLD_APP = 4002,    /* what apps run as */
	WORLD_OTHER = 4003,  /* may do nothing */
	WORLD_RAILS = 4005,  /* as WORLD_APP, for the real servers */
	WORLD_GROUP_WEB = 4010,
	WORLD_GROUP_EXTRA = 4011,
	WORLD_GROUP_DEPLOYERS = 4020
};

/* Exit statuses of a child that failed before it became the program under test. */
enum { WORLD_CHILD_BROKE = 98, WORLD_NO_PROGRAM = 97 };

struct world_person {
	uid_t uid;
	gid_t gid;
	size_t group_count;
	gid_t groups[4];
};

extern const struct world_person world_root, world_deploy, world_app, world_other;

struct world_call {
	const struct world_person *who;
	const char *const *argv;
	const char *program;		     /* what is executed; argv[0] when not given */
	const char *const *envp;	     /* a small plain environment when not given */
	const char *directory;		     /* cwd; / when not given */
	void (*as_root)(const void *data);   /* in the child, still root */
	void (*as_caller)(const void *data); /* in the child, already the caller: the last act before exec */
	const void *data;
	int seconds; /* time limit; 10 when not given */
};

struct world_run {
	pid_t pid;
	bool ended, timed_out;
	int status; /* of waitpid */
	size_t out_length, err_length;
	char *out, *err;
	int out_fd, err_fd; /* while it runs */
};

/* Once, first, in each test. */
void world_enter(void);

/* Kill what still runs below this process; also done when the test process ends. */
void world_leave(void);

/* A file with exactly this owner and mode, replacing what was there. */
void world_file(const char *path, uid_t uid, gid_t gid, mode_t mode, const char *text);
void world_file_bytes(const char *path, uid_t uid, gid_t gid, mode_t mode, const void *bytes, size_t length);
void world_directory(const char *path, uid_t uid, gid_t gid, mode_t mode);
void world_copy(const char *from, const char *to, mode_t mode);

/* A file of the build directory, as its path in this world (/run/build/NAME), or NULL where it was not built. */
const char *world_built(const char *name);

/* Of Landlock, as this kernel has it; negative: it has none. */
int world_landlock_abi(void);

/* /etc/runas-app/APP.conf: world_policy writes `text` as it is; world_app_policy writes a good policy (deploy may run
 * anything as ra_app, in /srv/ra_app, without a profile beyond the default) with `more` lines after it. */
void world_policy(const char *app, const char *text);
void world_app_policy(const char *app, const char *more);

struct world_run *world_start(const struct world_call *call);
void world_wait(struct world_run *run, int seconds); /* to its end, collecting output; kills it after `seconds` */
void world_collect(struct world_run *run, const char *until, int seconds); /* until stdout contains this */
bool world_ended(struct world_run *run);				   /* without waiting */
struct world_run *world_run(const struct world_call *call);
void world_was_reaped(struct world_run *run, int status); /* by the test itself, with waitpid */

/* runas-app with these arguments, nothing special. */
struct world_run *world_launch(const struct world_person *who, const char *const *arguments);

/* runas-app probe -- /usr/local/bin/probe, with this as the caller's last act before exec. The policy `probe` must exist. */
struct world_run *world_probe(const struct world_person *who, void (*as_caller)(const void *), const void *data);

/* The same without runas-app: what a test's hook does must be seen to arrive before it may be seen not to. */
struct world_run *world_probe_directly(const struct world_person *who, void (*as_caller)(const void *),
				       const void *data);

/* One `key: value` line of the probe, NULL where there is none; the value lives as long as the run. */
const char *world_value(const struct world_run *run, const char *key);
const char *world_value_in(const char *text, const char *key);
const char *world_env(const struct world_run *run, const char *name);
bool world_exited(const struct world_run *run, int status);
char *world_read(const char *path); /* whole file, allocated; NULL where it cannot be read */

/* The datagrams that reached /dev/log since the last call; each valid until the next call. */
size_t world_log(void);
const char *world_log_line(size_t index);

/* --- checks; each explains itself with the run's output --- */

/* The probe ran as exactly this: all four ids, groups list as the probe prints it, powerless and confined. `as_root_built`
 * is false for launches that were started without root: bounding set and securebits are then the caller's. */
void world_expect_confined(const struct world_run *run, unsigned uid, unsigned gid, const char *groups,
			   bool as_root_built);
void world_expect_app(const struct world_run *run); /* the usual: ra_app, its group only, confined */

/* Nothing ran, this status, and exactly one message that contains `word`. */
void world_expect_refused(const struct world_run *run, int status, const char *word);
/* One record, one line, with this part, and nothing in it that a terminal or a log reader would obey. */
void world_expect_logged(const char *what, const char *part);
void world_expect_value(const struct world_run *run, const char *key, const char *value);

#endif
