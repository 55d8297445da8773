/* SPDX-License-Identifier: ISC */
/* Sockets bound for the app, each in a network of its own; and the pipes that stdio_chown gives away. */
#include "tests/launcher/room.h"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

TestSuite(descriptors, .timeout = 60);

static void drop_capability(int number) {
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	ROOM_EXPECT(syscall(SYS_capget, &head, sets) == 0);
	for (int i = 0; i < 2; i++) {
		const unsigned bit = i == number / 32 ? 1U << number % 32 : 0;

		sets[i].effective &= ~bit;
		sets[i].permitted &= ~bit;
	}
	ROOM_EXPECT(syscall(SYS_capset, &head, sets) == 0);
}

/* --- listen -------------------------------------------------------------------------------------------------------- */

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
	static const char hint[] =
		"cannot be bound: Address already in use [listen]\nhint: something listens there already";
	char words[256];

	snprintf(words, sizeof(words), "runas-app: tcp 0.0.0.0:80 (again): %s", hint);
	room_refuses(in_use, 125, words);
	snprintf(words, sizeof(words), "runas-app: tcp 0.0.0.0:80: %s", hint);
	room_refuses(in_use_by_address, 125, words);
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
	static const char hint[] =
		"cannot be bound: Cannot assign requested address [listen]\nhint: no interface has this address now";
	char words[256];

	snprintf(words, sizeof(words), "runas-app: tcp 192.0.2.1:80: %s", hint);
	room_refuses(not_ours, 125, words);
	snprintf(words, sizeof(words), "runas-app: tcp [2001:db8::1]:80: %s", hint);
	room_refuses(not_ours_ipv6, 125, words);
}

static void without_net_bind_service(void) {
	begin_listening();
	drop_capability(CAP_NET_BIND_SERVICE);
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
	static const char hint[] =
		"cannot be bound: Permission denied [listen]\nhint: ports below 1024 need CAP_NET_BIND_SERVICE: "
		"--cap-add=NET_BIND_SERVICE\n";
	char words[256];

	snprintf(words, sizeof(words), "runas-app: tcp 127.0.0.1:80: %s", hint);
	room_refuses(without_net_bind_service, 125, words);
	snprintf(words, sizeof(words), "runas-app: tcp 127.0.0.1:1023: %s", hint);
	room_refuses(without_root, 125, words);
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
	static const long lies[] = {SYS_close_range, SYS_socket, SYS_setsockopt, SYS_bind, SYS_listen,
				    SYS_getsockopt, SYS_getsockname};

	for (size_t i = 0; i < COUNT(lies); i++) {
		lie = lies[i];
		lie_error = 0;
		room_refuses(lied_to, 125, "runas-app: tcp [::1]:80: cannot be bound [listen]");
	}
}

Test(descriptors, calls_that_fail_are_refused) {
	static const long calls[] = {SYS_socket, SYS_setsockopt, SYS_bind, SYS_listen,
				     SYS_getsockopt, SYS_getsockname};

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

/* --- stdio_chown -------------------------------------------------------------------------------------------------------- */

static struct stat status_of(int fd) {
	struct stat file;
	char path[32];

	memset(&file, 0xff, sizeof(file));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ROOM_EXPECT(stat(path, &file) == 0, "%s: errno %d", path, errno);
	return file;
}

static void expect_owner(int fd, uid_t uid, gid_t gid, int line) {
	const struct stat file = status_of(fd);

	room_expect(file.st_uid == uid && file.st_gid == gid, "owner", line, "descriptor %d: %u:%u, not %u:%u", fd,
		    file.st_uid, file.st_gid, uid, gid);
}

/* One pipe each on 0, 1 and 2, as `docker run` makes them; the other ends stand at 10 to 12. */
static void make_stdio_pipes(void) {
	const int said = fcntl(2, F_DUPFD_CLOEXEC, 20);

	ROOM_EXPECT(said == 20);
	for (int fd = 0; fd <= 2; fd++) {
		int ends[2];

		ROOM_EXPECT(pipe2(ends, O_CLOEXEC) == 0);
		ROOM_EXPECT(dup2(ends[fd == 0 ? 0 : 1], fd) == fd &&
			    dup3(ends[fd == 0 ? 1 : 0], 10 + fd, O_CLOEXEC) == 10 + fd);
		close(ends[0]);
		close(ends[1]);
	}
	room_ordinary_plan();
	room_plan.owns_stdio = true;
	room_plan.gid.value = ROOM_WEB;
}

static void give(void) {
	errno = 0; /* as the stage before leaves it */
	descriptors_give_stdio(&room_plan, &room_report);
}

static void pipes_given(void) {
	make_stdio_pipes();
	for (int fd = 0; fd <= 2; fd++)
		expect_owner(fd, 0, 0, __LINE__);
	give();
	for (int fd = 0; fd <= 2; fd++)
		expect_owner(fd, ROOM_APP, ROOM_WEB, __LINE__);
	give();
	expect_owner(0, ROOM_APP, ROOM_WEB, __LINE__);
	room_become_app();
	const int again = open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC);
	ROOM_EXPECT(again > 2 && write(again, "x", 1) == 1, "as a shell's > /dev/stdout: errno %d", errno);
	ROOM_EXPECT(open("/proc/self/fd/20", O_WRONLY | O_CLOEXEC) == -1 && errno == EACCES,
		    "any other pipe stays root's");
}

Test(descriptors, pipes_that_root_made_become_the_app_users) { room_passes(pipes_given); }

static void one_pipe_twice(void) {
	make_stdio_pipes();
	ROOM_EXPECT(dup2(1, 2) == 2);
	give();
	expect_owner(1, ROOM_APP, ROOM_WEB, __LINE__);
	expect_owner(2, ROOM_APP, ROOM_WEB, __LINE__);
}

Test(descriptors, one_pipe_at_1_and_2_is_given_once) { room_passes(one_pipe_twice); }

static void not_asked(void) {
	make_stdio_pipes();
	room_plan.owns_stdio = false;
	give();
	for (int fd = 0; fd <= 2; fd++)
		expect_owner(fd, 0, 0, __LINE__);
}

Test(descriptors, without_stdio_chown_nothing_is_given) { room_passes(not_asked); }

/* Puts it at 0, where the other two are pipes, and expects the same owner, rights and times of change afterwards. */
static void expect_untouched(int fd, int line) {
	room_expect(fd > 2 && dup2(fd, 0) == 0, "opened", line, "errno %d", errno);
	const struct stat before = status_of(0);
	usleep(20000); /* a clock tick: chown to the same owner would show in st_ctime */
	give();
	const struct stat after = status_of(0);

	room_expect(after.st_uid == before.st_uid && after.st_gid == before.st_gid && after.st_mode == before.st_mode &&
			    memcmp(&after.st_ctim, &before.st_ctim, sizeof(after.st_ctim)) == 0,
		    "untouched", line, "%u:%u, was %u:%u", after.st_uid, after.st_gid, before.st_uid, before.st_gid);
	expect_owner(1, ROOM_APP, ROOM_WEB, line);
	expect_owner(2, ROOM_APP, ROOM_WEB, line);
}

static void anothers_pipe(void) {
	int ends[2];

	make_stdio_pipes();
	setfsuid(ROOM_CALLER);
	setfsgid(ROOM_CALLER);
	ROOM_EXPECT(pipe2(ends, O_CLOEXEC) == 0);
	setfsuid(0);
	setfsgid(0);
	expect_owner(ends[0], ROOM_CALLER, ROOM_CALLER, __LINE__);
	expect_untouched(ends[0], __LINE__);
}

Test(descriptors, a_pipe_of_another_owner_is_not_touched) { room_passes(anothers_pipe); }

/* A group that somebody chose on purpose is no sign of a pipe that is not root's. */
static void roots_pipe_of_a_group(void) {
	make_stdio_pipes();
	ROOM_EXPECT(fchown(0, 0, ROOM_EXTRA) == 0);
	give();
	expect_owner(0, ROOM_APP, ROOM_WEB, __LINE__);
}

Test(descriptors, the_owner_alone_decides) { room_passes(roots_pipe_of_a_group); }

static char base[32], fifo[64], regular[64];

static void make_files(void) {
	room_need_root();
	snprintf(base, sizeof(base), "/tmp/descriptors.XXXXXX");
	cr_assert(mkdtemp(base) != NULL);
	snprintf(fifo, sizeof(fifo), "%s/fifo", base);
	snprintf(regular, sizeof(regular), "%s/file", base);
	int fd = open(regular, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert(fd >= 0 && close(fd) == 0 && mkfifo(fifo, 0600) == 0);
}

static void remove_files(void) {
	if (base[0] == '\0')
		return;
	unlink(fifo);
	unlink(regular);
	cr_expect(rmdir(base) == 0);
	base[0] = '\0';
}

static const char *opened;

static void a_file(void) {
	make_stdio_pipes();
	expect_untouched(open(opened, O_RDWR | O_NOCTTY | O_CLOEXEC), __LINE__);
}

/* What has a name has an administrator who chose its owner. */
Test(descriptors, what_has_a_name_is_not_touched, .init = make_files, .fini = remove_files) {
	const char *const files[] = {regular, fifo, "/dev/null", "/dev/zero"};

	for (size_t i = 0; i < COUNT(files); i++) {
		opened = files[i];
		room_passes(a_file);
	}
}

static void a_directory(void) {
	make_stdio_pipes();
	expect_untouched(open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), __LINE__);
}

Test(descriptors, a_directory_is_not_touched, .init = make_files, .fini = remove_files) { room_passes(a_directory); }

static void a_terminal(void) {
	const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	if (master < 0)
		room_lacks("needs /dev/ptmx");
	ROOM_EXPECT(grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	make_stdio_pipes();
	expect_owner(slave, 0, status_of(slave).st_gid, __LINE__);
	expect_untouched(slave, __LINE__);
	expect_untouched(master, __LINE__);
}

Test(descriptors, a_terminal_is_never_given) { room_passes(a_terminal); }

static void a_socket(void) {
	int ends[2];

	make_stdio_pipes();
	ROOM_EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	expect_untouched(ends[0], __LINE__);
}

Test(descriptors, a_socket_is_not_touched) { room_passes(a_socket); }

static void a_higher_one(void) {
	int ends[2];

	make_stdio_pipes();
	ROOM_EXPECT(pipe2(ends, 0) == 0 && dup2(ends[0], 3) == 3);
	give();
	expect_owner(3, 0, 0, __LINE__);
}

Test(descriptors, only_0_to_2_are_given) { room_passes(a_higher_one); }

/* What is said goes where the room hears it. */
static void hear(void) { ROOM_EXPECT(dup2(20, 2) == 2); }

static void without_chown(void) {
	make_stdio_pipes();
	hear();
	drop_capability(CAP_CHOWN);
	give();
}

Test(descriptors, without_the_capability_it_is_refused_by_name) {
	room_refuses(without_chown, 125,
		     "runas-app: descriptors 0 to 2: failed: Operation not permitted [stdio-chown]\nhint: needs "
		     "CAP_CHOWN: --cap-add=CHOWN\n");
}

static void nothing_to_give(void) {
	make_stdio_pipes();
	for (int fd = 0; fd <= 2; fd++)
		ROOM_EXPECT(fchown(fd, ROOM_CALLER, ROOM_CALLER) == 0);
	drop_capability(CAP_CHOWN);
	give();
}

Test(descriptors, the_capability_is_not_missed_where_there_is_no_such_pipe) { room_passes(nothing_to_give); }

static void lied_to_about_owners(void) {
	make_stdio_pipes();
	hear();
	room_answer(lie, 0);
	give();
}

Test(descriptors, a_chown_that_was_not_done_is_noticed) {
	lie = SYS_fchown;
	room_refuses(lied_to_about_owners, 125, "runas-app: descriptors 0 to 2: did not take effect [stdio-chown]");
}

static long other_lie;

static void lied_to_about_status(void) {
	make_stdio_pipes();
	hear();
	room_answer(lie, 0);
	if (other_lie != lie)
		room_answer(other_lie, 0);
	give();
}

/* Otherwise the launch would go on with less than stdio_chown promises. */
Test(descriptors, a_status_that_was_not_read_is_noticed) {
	static const long lies[][2] = {{SYS_newfstatat, SYS_fstat}, {SYS_fstatfs, SYS_fstatfs}};

	for (size_t i = 0; i < COUNT(lies); i++) {
		lie = lies[i][0];
		other_lie = lies[i][1];
		room_refuses(lied_to_about_status, 125,
			     "runas-app: descriptors 0 to 2: did not take effect [stdio-chown]");
	}
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
