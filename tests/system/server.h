/* SPDX-License-Identifier: ISC */
/*
 * Purpose   what the tests of real servers share: a network of their own, questions over loopback, and the processes that
 *           serve there.
 * Runs as   root, inside world_enter().
 * Given     servers that scripts/bootstrap check installs; one that is missing is a loud skip.
 * Promises  nothing leaves or reaches this machine: a network namespace with loopback alone, where every port is free.
 * Never     waits without a limit.
 */
#ifndef SYSTEM_SERVER_H
#define SYSTEM_SERVER_H

#include "world.h"

/* Monotonic, in milliseconds. */
long server_now(void);

/* Once, after world_enter(). */
void server_enter_network(void);

/* Skips unless this program is there. */
void server_needs(const char *program);

/* The answer to GET, head and body, valid until the next question; NULL where nobody listens. */
char *server_ask(int port, const char *path);

/* The same of a FastCGI server on a unix socket: what the script prints, headers first. */
char *server_ask_fastcgi(const char *socket_path, const char *script);
char *server_ask_fastcgi_port(int port, const char *script);

/* The first answer of a server that has just been started; fails with its output if it ends before that. */
char *server_first_answer(struct world_run *run, int port, const char *path);

/* All processes of this network namespace but the test's own. */
size_t server_processes(pid_t *pids, size_t most);

/* Signals the process that the launch became, and waits until nobody of the namespace is left. */
void server_stop(struct world_run *run, int signal);
void server_expect_gone(const char *how);

/* Lines of /proc/PID/status, blanks squeezed; a list of them ends with one without a key. */
struct server_fact {
	const char *key, *value;
};

#define SERVER_NO_CAPABILITIES                                                                                         \
	{"CapInh", "0000000000000000"}, {"CapPrm", "0000000000000000"}, {"CapEff", "0000000000000000"},                \
		{"CapBnd", "0000000000000000"}, {                                                                      \
		"CapAmb", "0000000000000000"                                                                           \
	}
#define SERVER_CONFINED                                                                                                \
	SERVER_NO_CAPABILITIES, {"NoNewPrivs", "1"}, { "Seccomp", "2" }

/* Each process of the namespace whose status is meant (NULL: all of them): returns how many there are. */
size_t server_expect_each(bool (*is_meant)(const char *status), const struct server_fact *facts);

/* Every process there runs as `uid` alone with five empty capability sets under no_new_privs and filters, and there are
 * at least `least`. */
void server_expect_powerless(unsigned uid, size_t least);

#endif
