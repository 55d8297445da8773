/* SPDX-License-Identifier: ISC */
/* What the caller left open, and sockets bound for the app, each in a network of its own. */
#include "tests/launcher/room.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

TestSuite(descriptors, .timeout = 60);

static bool is_asked;

/* --- what the caller left open --- */

static const int given[] = {3, 9, 31, 32, 200, 1000};

static void further_descriptors(void) {
	const struct rlimit low = {32, 4096};

	for (size_t i = 0; i < COUNT(given); i++)
		ROOM_EXPECT(dup2(1, given[i]) == given[i]);
	ROOM_EXPECT(setrlimit(RLIMIT_NOFILE, &low) == 0, "some stay above the lowered limit");
	ROOM_EXPECT(descriptors_secure(is_asked, &room_report) ==
		    (is_asked ? UINT32_C(1) << 3 | UINT32_C(1) << 9 | UINT32_C(1) << 31 : 0));
	for (size_t i = 0; i < COUNT(given); i++)
		ROOM_EXPECT(fcntl(given[i], F_GETFD) == FD_CLOEXEC, "fd %d", given[i]);
	for (int fd = 4; fd < 9; fd++)
		ROOM_EXPECT(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "fd %d was left open", fd);
}

Test(descriptors, those_from_3_close_on_exec_and_the_callers_are_known_when_asked_for) {
	for (int i = 0; i < 2; i++) {
		is_asked = i == 1;
		room_passes(further_descriptors);
	}
}

/* What we opened ourselves, and no close has closed, must not pass for a descriptor of the caller's. */
static void own_descriptors(void) {
	ROOM_EXPECT(open("/", O_PATH | O_CLOEXEC) == 3 && open("/dev/null", O_RDWR | O_CLOEXEC) == 4 &&
		    open("/dev/null", O_RDWR) == 5);
	ROOM_EXPECT(descriptors_secure(true, &room_report) == UINT32_C(1) << 5);
}

Test(descriptors, our_own_are_not_the_callers) { room_passes(own_descriptors); }

static void path_only(void) {
	ROOM_EXPECT(open("/", O_PATH) == 3);
	ROOM_EXPECT(descriptors_secure(true, &room_report) == UINT32_C(1) << 3);
}

Test(descriptors, one_that_is_only_a_path_is_the_callers_too) { room_passes(path_only); }

static void no_room_for_a_descriptor(void) {
	const struct rlimit low = {3, 3};

	ROOM_EXPECT(setrlimit(RLIMIT_NOFILE, &low) == 0);
	descriptors_secure(false, &room_report);
}

Test(descriptors, a_limit_of_three_descriptors_is_refused) {
	room_refuses(no_room_for_a_descriptor, 125, "open file limit");
}

static void not_answered(void) {
	room_answer_where(SYS_fcntl, 17, F_GETFD, EIO);
	descriptors_secure(true, &room_report);
}

static void not_marked(void) {
	dup2(1, 3);
	room_answer(SYS_close_range, 0);
	descriptors_secure(true, &room_report);
}

Test(descriptors, an_answer_that_is_none_is_refused) {
	room_refuses(not_answered, 125, "[entry]");
	room_refuses(not_marked, 125, "[entry]");
}

/* --- sockets --- */

/* A network where nobody listens and lo is up; it goes with the child. */
static void enter_network(void) {
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	if (unshare(CLONE_NEWNET) != 0)
		room_lacks("needs a network namespace of its own");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ROOM_EXPECT(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0 && close(fd) == 0);
}

static void need_ipv6(void) {
	const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		room_lacks("needs IPv6");
	close(fd);
}

static void add_listen(const char *words) {
	ROOM_EXPECT(policy_read_listen(text_of(words), &room_plan.listens[room_plan.listen_count++]), "%s", words);
}

static void begin_listening(void) {
	room_ordinary_plan();
	enter_network();
}

static int option(int fd, int level, int name) {
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, name, &value, &length) == 0 ? value : -errno;
}

static void expect_listens(int fd, const char *address, int port, int line) {
	struct sockaddr_storage name;
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)&name;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)(void *)&name;
	socklen_t length = sizeof(name);
	char words[64] = "nothing";

	room_expect(getsockname(fd, (struct sockaddr *)&name, &length) == 0, "getsockname", line, "%d: errno %d", fd,
		    errno);
	if (name.ss_family == AF_INET)
		inet_ntop(AF_INET, &ipv4->sin_addr, words, sizeof(words));
	else
		inet_ntop(AF_INET6, &ipv6->sin6_addr, words, sizeof(words));
	room_expect(strcmp(words, address) == 0, "address", line, "descriptor %d: %s, not %s", fd, words, address);
	room_expect(ntohs(name.ss_family == AF_INET ? ipv4->sin_port : ipv6->sin6_port) == port, "port", line,
		    "descriptor %d", fd);
	room_expect(option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM, "stream", line, "descriptor %d", fd);
	room_expect(option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1, "listens", line, "descriptor %d", fd);
	room_expect(option(fd, SOL_SOCKET, SO_REUSEADDR) == 1, "SO_REUSEADDR", line, "descriptor %d", fd);
	room_expect(option(fd, SOL_SOCKET, SO_REUSEPORT) == 0, "SO_REUSEPORT, which would let others join", line,
		    "descriptor %d", fd);
	room_expect(fcntl(fd, F_GETFD) == FD_CLOEXEC, "close on exec", line, "descriptor %d", fd);
	if (name.ss_family == AF_INET6)
		room_expect(option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1, "V6ONLY", line, "descriptor %d", fd);
}

static bool is_answered(int family, int port) {
	struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 ipv6 = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	const bool is_connected = family == AF_INET ? connect(fd, (struct sockaddr *)&ipv4, sizeof(ipv4)) == 0
						    : connect(fd, (struct sockaddr *)&ipv6, sizeof(ipv6)) == 0;
	close(fd);
	return is_connected;
}

static void expect_closed_from(int first, int line) {
	for (int fd = first; fd < 64; fd++)
		room_expect(fcntl(fd, F_GETFD) == -1, "closed", line, "descriptor %d is open", fd);
}

static void ipv4(void) {
	begin_listening();
	add_listen("tcp 127.0.0.1:80");
	add_listen("tcp 0.0.0.0:443");
	memset(room_plan.listens[0].address + 4, 0xff, sizeof(room_plan.listens[0].address) - 4); /* is not looked at */
	ROOM_EXPECT(!is_answered(AF_INET, 80));
	descriptors_listen(&room_plan, &room_report);
	expect_listens(3, "127.0.0.1", 80, __LINE__);
	expect_listens(4, "0.0.0.0", 443, __LINE__);
	expect_closed_from(5, __LINE__);
	ROOM_EXPECT(is_answered(AF_INET, 80) && is_answered(AF_INET, 443));
}

Test(descriptors, listens_on_ipv4) { room_passes(ipv4); }

/* Each family has its own socket, so that the two wildcards of one port do not meet. */
static void both_families(void) {
	need_ipv6();
	begin_listening();
	add_listen("tcp [::]:80");
	add_listen("tcp 0.0.0.0:80");
	add_listen("tcp [::1]:8080");
	descriptors_listen(&room_plan, &room_report);
	expect_listens(3, "::", 80, __LINE__);
	expect_listens(4, "0.0.0.0", 80, __LINE__);
	expect_listens(5, "::1", 8080, __LINE__);
	expect_closed_from(6, __LINE__);
	ROOM_EXPECT(is_answered(AF_INET, 80) && is_answered(AF_INET6, 80) && is_answered(AF_INET6, 8080));
	ROOM_EXPECT(!is_answered(AF_INET, 8080));
}

Test(descriptors, listens_on_both_families_of_one_port) { room_passes(both_families); }

static void only_ipv6(void) {
	need_ipv6();
	begin_listening();
	add_listen("tcp [::]:80");
	descriptors_listen(&room_plan, &room_report);
	ROOM_EXPECT(is_answered(AF_INET6, 80) && !is_answered(AF_INET, 80));
}

Test(descriptors, an_ipv6_wildcard_is_no_ipv4_one) { room_passes(only_ipv6); }

/* sd_listen_fds(3) counts from 3, whatever the caller left there: it is closed. */
static uint32_t taken;

static void among_others(void) {
	begin_listening();
	for (int fd = 3; fd <= 31; fd++)
		if ((taken >> fd & 1) != 0)
			ROOM_EXPECT(dup3(0, fd, O_CLOEXEC) == fd);
	add_listen("tcp 127.0.0.1:8001");
	add_listen("tcp 127.0.0.1:8002");
	add_listen("tcp 127.0.0.1:8003");
	add_listen("tcp 127.0.0.1:8004");
	descriptors_listen(&room_plan, &room_report);
	for (int i = 0; i < 4; i++)
		expect_listens(3 + i, "127.0.0.1", 8001 + i, __LINE__);
	expect_closed_from(7, __LINE__);
}

Test(descriptors, sockets_stand_at_3_whatever_was_there) {
	static const uint32_t cases[] = {0, 0x1f8, 0x8, 0x10, 0x28, 0x50, 0x180, 0xfffffff8};

	for (size_t i = 0; i < COUNT(cases); i++) {
		taken = cases[i];
		room_passes(among_others);
	}
}

static void sixteen(void) {
	char words[POLICY_MAX_LISTEN][64];

	begin_listening();
	for (int i = 0; i < POLICY_MAX_LISTEN; i++) {
		snprintf(words[i], sizeof(words[i]), "tcp 127.0.0.%d:80", i + 1);
		add_listen(words[i]);
	}
	descriptors_listen(&room_plan, &room_report);
	for (int i = 0; i < POLICY_MAX_LISTEN; i++)
		expect_listens(3 + i, strtok(words[i] + strlen("tcp "), ":"), 80, __LINE__);
	expect_closed_from(3 + POLICY_MAX_LISTEN, __LINE__);
}

Test(descriptors, as_many_sockets_as_a_policy_can_have) { room_passes(sixteen); }

static void none(void) {
	room_ordinary_plan();
	ROOM_EXPECT(dup2(1, 9) == 9); /* for keep_fds */
	descriptors_listen(&room_plan, &room_report);
	ROOM_EXPECT(close(9) == 0, "it was closed");
	expect_closed_from(3, __LINE__);
}

Test(descriptors, without_listen_nothing_is_opened) { room_passes(none); }

static void by_the_app(void) {
	begin_listening();
	room_become_app();
	room_plan.has_root = false;
	add_listen("tcp 127.0.0.1:8080");
	descriptors_listen(&room_plan, &room_report);
	expect_listens(3, "127.0.0.1", 8080, __LINE__);
}

Test(descriptors, the_app_user_may_bind_what_needs_no_root) { room_passes(by_the_app); }

/* Connections that ended a moment ago hold their port (TIME_WAIT): a restart does not wait for them. */
static void restarted(void) {
	const struct sockaddr_in server = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	begin_listening();
	add_listen("tcp 127.0.0.1:80");
	descriptors_listen(&room_plan, &room_report);
	const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ROOM_EXPECT(connect(client, (const struct sockaddr *)&server, sizeof(server)) == 0);
	const int accepted = accept(3, NULL, NULL);
	ROOM_EXPECT(accepted > 3 && close(accepted) == 0 && close(client) == 0 && close(3) == 0);
	descriptors_listen(&room_plan, &room_report);
	expect_listens(3, "127.0.0.1", 80, __LINE__);
}

Test(descriptors, a_restart_does_not_wait_for_old_connections) { room_passes(restarted); }

/* --- listen: refusals ------------------------------------------------------------------------------------------------ */

static void expect_unbound(void (*body)(void), const char *address, const char *words) {
	char message[256];

	snprintf(message, sizeof(message), "runas-app: %s: cannot be bound: %s", address, words);
	room_refuses(body, 125, message);
}

static void in_use(void) {
	begin_listening();
	add_listen("tcp 0.0.0.0:80");
	descriptors_listen(&room_plan, &room_report);
	ROOM_EXPECT(dup2(3, 0) == 0); /* what is above is closed */
	room_plan.listens[0].by = text_of("tcp 0.0.0.0:80 (again)");
	descriptors_listen(&room_plan, &room_report);
}

static void in_use_by_address(void) {
	begin_listening();
	add_listen("tcp 127.0.0.1:8080");
	add_listen("tcp 127.0.0.1:80");
	add_listen("tcp 0.0.0.0:80");
	descriptors_listen(&room_plan, &room_report);
}

Test(descriptors, an_address_in_use_is_refused_by_name) {
	static const char hint[] = "Address already in use [listen]\nhint: something listens there already";

	expect_unbound(in_use, "tcp 0.0.0.0:80 (again)", hint);
	expect_unbound(in_use_by_address, "tcp 0.0.0.0:80", hint);
}

static void not_ours(void) {
	begin_listening();
	add_listen("tcp 127.0.0.1:80");
	add_listen("tcp 192.0.2.1:80");
	descriptors_listen(&room_plan, &room_report);
}

static void not_ours_ipv6(void) {
	need_ipv6();
	begin_listening();
	add_listen("tcp [2001:db8::1]:80");
	descriptors_listen(&room_plan, &room_report);
}

Test(descriptors, an_address_of_no_interface_is_refused_by_name) {
	static const char hint[] = "Cannot assign requested address [listen]\nhint: no interface has this address now";

	expect_unbound(not_ours, "tcp 192.0.2.1:80", hint);
	expect_unbound(not_ours_ipv6, "tcp [2001:db8::1]:80", hint);
}

static void without_net_bind_service(void) {
	begin_listening();
	room_drop_capability(CAP_NET_BIND_SERVICE);
	add_listen("tcp 127.0.0.1:1024");
	add_listen("tcp 127.0.0.1:80");
	descriptors_listen(&room_plan, &room_report);
}

static void without_root(void) {
	begin_listening();
	room_become_app();
	room_plan.has_root = false;
	add_listen("tcp 127.0.0.1:1023");
	descriptors_listen(&room_plan, &room_report);
}

Test(descriptors, a_port_below_1024_needs_the_capability) {
	static const char hint[] = "Permission denied [listen]\nhint: ports below 1024 need CAP_NET_BIND_SERVICE: "
				   "--cap-add=NET_BIND_SERVICE\n";

	expect_unbound(without_net_bind_service, "tcp 127.0.0.1:80", hint);
	expect_unbound(without_root, "tcp 127.0.0.1:1023", hint);
}

static long lie;
static unsigned lie_error;

static void lied_to(void) {
	need_ipv6();
	begin_listening();
	ROOM_EXPECT(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) == 3); /* the caller's, where ours has to stand */
	add_listen("tcp [::1]:80");
	room_answer(lie, lie_error);
	errno = EBUSY; /* an older call's */
	descriptors_listen(&room_plan, &room_report);
}

Test(descriptors, calls_that_answer_0_without_being_done_are_noticed) {
	static const long lies[] = {SYS_close_range, SYS_socket,     SYS_setsockopt, SYS_bind,
				    SYS_listen,	     SYS_getsockopt, SYS_getsockname};

	for (size_t i = 0; i < COUNT(lies); i++) {
		lie = lies[i];
		lie_error = 0;
		room_refuses(lied_to, 125, "runas-app: tcp [::1]:80: cannot be bound [listen]");
	}
}

Test(descriptors, calls_that_fail_are_refused) {
	static const long calls[] = {SYS_socket, SYS_setsockopt, SYS_bind, SYS_listen, SYS_getsockopt, SYS_getsockname};

	for (size_t i = 0; i < COUNT(calls); i++) {
		lie = calls[i];
		lie_error = ENOMEM;
		room_refuses(lied_to, 125, "tcp [::1]:80: cannot be bound: Cannot allocate memory [listen]");
	}
	lie = SYS_bind;
	cr_expect(strstr(room_run(lied_to).said, "hint") == NULL, "nothing is known about it");
	lie = SYS_close_range; /* of which the report's own way out needs one, too */
	room_refuses(lied_to, 125, "");
}

static void lied_to_about_ipv4(void) {
	begin_listening();
	add_listen("tcp 127.0.0.1:80");
	room_answer(SYS_setsockopt, 0);
	descriptors_listen(&room_plan, &room_report);
}

Test(descriptors, an_option_that_was_not_set_is_noticed) {
	room_refuses(lied_to_about_ipv4, 125, "runas-app: tcp 127.0.0.1:80: cannot be bound [listen]");
}
