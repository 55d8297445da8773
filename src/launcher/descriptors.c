/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <linux/magic.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/vfs.h>

#define CLOEXEC_RANGE (1U << 2) /* CLOSE_RANGE_CLOEXEC of linux/close_range.h */

union address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

uint32_t descriptors_secure(bool is_asked, const struct report *to) {
	uint32_t given = 0;

	/* What came through an exec does not close on the next one, but ours does, even if no close ever worked. */
	for (int fd = POLICY_FD_FIRST; is_asked && fd <= POLICY_FD_LAST; fd++) {
		const int flags = fcntl(fd, F_GETFD);
		must(flags >= 0 || errno == EBADF, to, "entry", "descriptors", NULL);
		given |= flags == 0 ? UINT32_C(1) << fd : 0;
	}
	const int canary = fcntl(0, F_DUPFD, POLICY_FD_FIRST);
	must(canary >= 0 && syscall(SYS_close_range, 3U, ~0U, CLOEXEC_RANGE) == 0 &&
	     fcntl(canary, F_GETFD) == FD_CLOEXEC && close(canary) == 0, to, "entry", "descriptors",
	     "needs Linux 5.11 (close_range) and an open file limit of 16");
	return given;
}

static bool is_on(int fd, int level, int option) {
	int value = -1;
	socklen_t length = sizeof(value);
	return getsockopt(fd, level, option, &value, &length) == 0 && value == 1;
}

static bool switch_on(int fd, int level, int option) {
	return setsockopt(fd, level, option, &(int){1}, sizeof(int)) == 0 && is_on(fd, level, option);
}

/* At exactly this descriptor, the first free one, so that LISTEN_FDS finds it. */
static bool listen_on(const struct policy_listen *l, int fd) {
	const sa_family_t family = l->is_ipv6 ? AF_INET6 : AF_INET;
	const int made = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union address then = {.ipv6 = {.sin6_family = family, .sin6_port = htons(l->port)}}, now; /* both have these there */
	const socklen_t length = l->is_ipv6 ? sizeof(then.ipv6) : sizeof(then.ipv4);
	socklen_t now_length = sizeof(now);

	memcpy(l->is_ipv6 ? (void *)&then.ipv6.sin6_addr : &then.ipv4.sin_addr, l->address, l->is_ipv6 ? 16 : 4);
	memset(&now, 0xff, sizeof(now));
	/* cppcheck-suppress resourceLeak ; it is the app's, or the launch ends */
	return made == fd && switch_on(fd, SOL_SOCKET, SO_REUSEADDR) && /* a restart need not wait: tcp(7) */
	       (!l->is_ipv6 || switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
	       bind(fd, &then.any, length) == 0 && listen(fd, SOMAXCONN) == 0 && is_on(fd, SOL_SOCKET, SO_ACCEPTCONN) &&
	       getsockname(fd, &now.any, &now_length) == 0 && now_length == length && memcmp(&then, &now, length) == 0;
}

void descriptors_listen(const struct launch_plan *plan, const struct report *to) {
	if (plan->listen_count == 0)
		return;
	must(syscall(SYS_close_range, (unsigned)POLICY_FD_FIRST, ~0U, 0U) == 0, to, "listen", "descriptors", NULL);
	/* Or the caller could stop us here, and hold the ports for as long as it likes. */
	must(!plan->has_root || identity_leave_caller(), to, "listen", "real uid", NULL);
	for (size_t i = 0; i < plan->listen_count; i++) {
		errno = 0;
		if (listen_on(&plan->listens[i], POLICY_FD_FIRST + (int)i))
			continue;
		const char *const hint =
			errno == EADDRINUSE ? "something listens there already; `ss -ltnp` as root shows what"
			: errno == EACCES ? "ports below 1024 need CAP_NET_BIND_SERVICE: --cap-add=NET_BIND_SERVICE"
			: errno == EADDRNOTAVAIL ? "no interface has this address now; 0.0.0.0 or [::] is every address"
			: NULL;
		report_problem(to, &(struct problem){.status = PROBLEM_SELF, .word = "listen", .what = "cannot be bound",
						     .object = plan->listens[i].by, .hint = hint, .error = errno});
	}
}

/* Files, terminals and /dev/null have owners and rights of their own: pipes have only what their maker left. */
static bool give_pipe(int fd, const struct launch_plan *plan) {
	struct stat file;
	struct statfs fs = {0};

	if (!trusted_fstat(fd, &file) || fstatfs(fd, &fs) != 0 || fs.f_type == 0)
		return false;
	if (!S_ISFIFO(file.st_mode) || file.st_uid != 0 || fs.f_type != PIPEFS_MAGIC)
		return true;
	return fchown(fd, plan->uid.value, plan->gid.value) == 0 && trusted_fstat(fd, &file) &&
	       file.st_uid == plan->uid.value && file.st_gid == plan->gid.value;
}

void descriptors_give_stdio(const struct launch_plan *plan, const struct report *to) {
	for (int fd = 0; plan->owns_stdio && fd <= STDERR_FILENO; fd++)
		must(give_pipe(fd, plan), to, "stdio-chown", "descriptors 0 to 2", "needs CAP_CHOWN: --cap-add=CHOWN");
}
