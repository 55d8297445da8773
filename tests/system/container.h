/* SPDX-License-Identifier: ISC */
/*
 * Purpose   a command in Docker's situation, rebuilt with runc: an image that holds runas-app, the probe and, where it
 *           is there, busybox; a read-only root, Docker's 14 capabilities and what its filter refuses.
 * Runs as   root, inside a world that container_enter enters itself.
 * Given     runc; without it the test is skipped loudly.
 * Promises  every container has ended when container_run returns; its files go away with the world.
 * Never     has a network, a daemon, or anything of the host's but the kernel.
 */
#ifndef SYSTEM_CONTAINER_H
#define SYSTEM_CONTAINER_H

#include <stdbool.h>

#include "world.h"

#define CONTAINER_ROOT "/srv/bundle/rootfs"
#define CONTAINER_BUSYBOX "/bin/busybox" /* Debian's busybox-static, the host's and the image's */

/* What Docker gives a container. */
#define CONTAINER_FOURTEEN                                                                                             \
	"CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID CAP_SETUID CAP_SETFCAP "    \
	"CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE"

#define CONTAINER_AS_ROOT "'uid': 0, 'gid': 0"
#define CONTAINER_AS_APP "'uid': 4002, 'gid': 4002"

/* Pieces of the OCI configuration have ' where JSON has ". */
struct container {
	const char *user;	  /* the `user` object's members */
	const char *capabilities; /* of the bounding set, blank-separated */
	bool is_root;		  /* then they are effective, too */
	bool no_new_privileges;
	const char *app;     /* runas-app APP -- probe */
	const char *process; /* more members of `process`, each with a comma before it */
	const char *mounts;  /* more mounts, each with a comma before it */
	bool is_writable, shares_network;
};

/* Once, first, in each test; instead of world_enter. */
void container_enter(void);

/* /etc/runas-app/APP.conf of the image. */
void container_policy(const char *app, const char *text);

struct world_run *container_run(const struct container *c);

/* The same, but it goes on: signals go to its PID 1, and one that has not ended is ended by container_wait. */
struct world_run *container_start(const struct container *c);
void container_signal(const char *signal);
void container_wait(struct world_run *run);

#endif
