/* SPDX-License-Identifier: ISC */
/*
 * Purpose   print everything that a process inherits, one `key: value` line each, asking the kernel itself.
 * Runs as   anybody: it is what the tests and the demo start through runas-app, and beside it.
 * Given     the process as it was handed over. Without /proc the lines that need it say `-`; a question that
 *           the kernel refuses is answered with the error's name (`EPERM`).
 * Promises  nothing is changed that a later line shows; descriptors are looked at before any is opened.
 * Never     gives up on one refused question: a confined process must still be able to show what it is.
 *
 * probe [--to FILE | --accept FD] [--ioctl] [--regain] [--fds-only] [--sleep] [--exit N] [anything else is only shown]
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* Named here because the musl headers of the oldest supported system lack some of them. */
enum {
	ASK_CAPBSET_READ = 23,
	ASK_GET_TSC = 25,
	ASK_GET_SECUREBITS = 27,
	ASK_GET_TIMERSLACK = 30,
	ASK_MCE_KILL_GET = 34,
	ASK_GET_SUBREAPER = 37,
	ASK_GET_NO_NEW_PRIVS = 39,
	ASK_GET_THP_DISABLE = 42,
	ASK_CAP_AMBIENT = 47,
	ASK_GET_SPECULATION = 52,
	ASK_GET_MDWE = 66,
	ASK_GET_MEMORY_MERGE = 68
};
enum { KEYCTL_GET_KEYRING = 0, KEYCTL_TELL = 6, SESSION_KEYRING = -3 };
enum { LAST_SCANNED_DESCRIPTOR = 8191 };

static char buffer[1 << 16];
static size_t used;
static int output = STDOUT_FILENO;

static void flush(void) {
	size_t done = 0;

	while (done < used) {
		ssize_t written = write(output, buffer + done, used - done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			break;
		done += (size_t)written;
	}
	used = 0;
}

static void put_bytes(const char *bytes, size_t length) {
	for (size_t i = 0; i < length; i++) {
		if (used == sizeof(buffer))
			flush();
		buffer[used++] = bytes[i];
	}
}

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...) {
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length > 0)
		put_bytes(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

/* A reader may split the output at line ends and never be fooled by what a caller put into a value. */
static void put_escaped(const char *text) {
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte < 0x20 || byte > 0x7e || byte == '\\')
			put("\\%03o", byte);
		else
			put_bytes(text, 1);
	}
	put("\n");
}

static const char *error_name(int error) {
	static char number[16];

	switch (error) {
	case 0: return "ok";
	case EPERM: return "EPERM";
	case ENOENT: return "ENOENT";
	case EBADF: return "EBADF";
	case EACCES: return "EACCES";
	case EFAULT: return "EFAULT";
	case EINVAL: return "EINVAL";
	case ENOTTY: return "ENOTTY";
	case ENOSYS: return "ENOSYS";
	case EAGAIN: return "EAGAIN";
	}
#ifdef ENOKEY
	if (error == ENOKEY)
		return "ENOKEY";
#endif
	snprintf(number, sizeof(number), "E%d", error);
	return number;
}

static void put_answer(const char *key, long answer) {
	if (answer == -1)
		put("%s: %s\n", key, error_name(errno));
	else
		put("%s: %ld\n", key, answer);
}

static void put_prctl(const char *key, int question) { put_answer(key, prctl(question, 0L, 0L, 0L, 0L)); }

/* --- /proc, where there is one --- */

static size_t read_whole(const char *path, char *into, size_t size) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;

	if (fd < 0)
		return 0;
	while (length < size - 1) {
		ssize_t got = read(fd, into + length, size - 1 - length);
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	close(fd);
	into[length] = '\0';
	return length;
}

static void put_proc_file(const char *key, const char *path) {
	char text[256];
	size_t length = read_whole(path, text, sizeof(text));

	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	put("%s: %s\n", key, length ? text : "-");
}

static void put_status_field(const char *key, const char *field) {
	static char text[8192];
	size_t length = read_whole("/proc/self/status", text, sizeof(text));
	size_t field_length = strlen(field);

	for (char *line = text; length && line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, field, field_length) != 0 || line[field_length] != ':')
			continue;
		char *value = line + field_length + 1;
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		put("%s: %s\n", key, value);
		return;
	}
	put("%s: -\n", key);
}

/* --- the sections --- */

static void show_descriptors(void) {
	for (int fd = 0; fd <= LAST_SCANNED_DESCRIPTOR; fd++) {
		int flags = fcntl(fd, F_GETFL);
		if (flags < 0)
			continue;

		char path[64], target[512];
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t length = readlink(path, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';

		struct stat facts;
		const char *kind = "other";
		if (fstat(fd, &facts) == 0) {
			kind = S_ISREG(facts.st_mode)	 ? "file"
			       : S_ISDIR(facts.st_mode)	 ? "directory"
			       : S_ISCHR(facts.st_mode)	 ? "device"
			       : S_ISFIFO(facts.st_mode) ? "pipe"
			       : S_ISSOCK(facts.st_mode) ? "socket"
							 : "other";
		}
		put("fd_%d: %s flags=%o %s ", fd, kind, (unsigned)flags,
		    (flags & O_ACCMODE) == O_RDONLY ? "read" : "write");
		put_escaped(length > 0 ? target : "-");
	}
}

static int compare_ids(const void *left, const void *right) {
	gid_t a = *(const gid_t *)left, b = *(const gid_t *)right;

	return a < b ? -1 : a > b;
}

static void show_identity(void) {
	static gid_t groups[65536];
	uid_t real = 77, effective = 77, saved = 77;
	gid_t real_group = 77, effective_group = 77, saved_group = 77;

	put("pid: %ld\nppid: %ld\npgid: %ld\nsid: %ld\n", (long)getpid(), (long)getppid(), (long)getpgid(0),
	    (long)getsid(0));
	syscall(SYS_getresuid, &real, &effective, &saved);
	syscall(SYS_getresgid, &real_group, &effective_group, &saved_group);
	put("ruid: %u\neuid: %u\nsuid: %u\n", real, effective, saved);
	put("fsuid: %ld\n", syscall(SYS_setfsuid, (uid_t)-1));
	put("rgid: %u\negid: %u\nsgid: %u\n", real_group, effective_group, saved_group);
	put("fsgid: %ld\n", syscall(SYS_setfsgid, (gid_t)-1));

	int count = getgroups((int)(sizeof(groups) / sizeof(groups[0])), groups);
	put("groups:");
	if (count < 0)
		put(" %s", error_name(errno));
	if (count == 0)
		put(" none");
	if (count > 0)
		qsort(groups, (size_t)count, sizeof(groups[0]), compare_ids);
	for (int i = 0; i < count; i++)
		put(" %u", groups[i]);
	put("\n");
}

static void show_capabilities(void) {
	struct {
		uint32_t version;
		int pid;
	} header = {0x20080522, 0};
	struct {
		uint32_t effective, permitted, inheritable;
	} sets[2];
	uint64_t bounding = 0, ambient = 0;

	memset(sets, 0x5a, sizeof(sets));
	if (syscall(SYS_capget, &header, sets) != 0) {
		put("cap_inheritable: %s\ncap_permitted: %s\ncap_effective: %s\n", error_name(errno), error_name(errno),
		    error_name(errno));
	} else {
		put("cap_inheritable: %08x%08x\n", sets[1].inheritable, sets[0].inheritable);
		put("cap_permitted: %08x%08x\n", sets[1].permitted, sets[0].permitted);
		put("cap_effective: %08x%08x\n", sets[1].effective, sets[0].effective);
	}
	for (unsigned long one = 0; one < 64; one++) {
		if (prctl(ASK_CAPBSET_READ, one, 0L, 0L, 0L) == 1)
			bounding |= UINT64_C(1) << one;
		if (prctl(ASK_CAP_AMBIENT, 1L, one, 0L, 0L) == 1)
			ambient |= UINT64_C(1) << one;
	}
	put("cap_bounding: %016llx\n", (unsigned long long)bounding);
	put("cap_ambient: %016llx\n", (unsigned long long)ambient);

	int bits = prctl(ASK_GET_SECUREBITS, 0L, 0L, 0L, 0L);
	if (bits < 0)
		put("securebits: %s\n", error_name(errno));
	else
		put("securebits: 0x%02X\n", (unsigned)bits);
	put_prctl("no_new_privs", ASK_GET_NO_NEW_PRIVS);
	put_prctl("seccomp", PR_GET_SECCOMP);
	put_status_field("seccomp_filters", "Seccomp_filters");
}

static void show_signals(void) {
	uint64_t blocked = 0, pending = 0, ignored = 0, caught = 0;

	/* Raw: libraries keep 32 to 34 for themselves and hide them. */
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof(blocked));
	syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	for (int number = 1; number <= 64; number++) {
		struct {
			void *handler;
			unsigned long flags;
			void *restorer;
			uint64_t mask;
		} action;
		memset(&action, 0, sizeof(action));
		if (syscall(SYS_rt_sigaction, number, NULL, &action, sizeof(action.mask)) != 0)
			continue;
		if (action.handler == (void *)SIG_IGN)
			ignored |= UINT64_C(1) << (number - 1);
		else if (action.handler != (void *)SIG_DFL)
			caught |= UINT64_C(1) << (number - 1);
	}
	put("sig_blocked: %016llx\n", (unsigned long long)blocked);
	put("sig_ignored: %016llx\n", (unsigned long long)ignored);
	put("sig_caught: %016llx\n", (unsigned long long)caught);
	put("sig_pending: %016llx\n", (unsigned long long)pending);
	put_status_field("sig_thread_pending", "SigPnd");
	put_status_field("sig_shared_pending", "ShdPnd");

	static const char *const timers[] = {"itimer_real", "itimer_virtual", "itimer_prof"};
	for (int which = 0; which < 3; which++) {
		struct itimerval timer;
		if (getitimer(which, &timer) != 0)
			put("%s: %s\n", timers[which], error_name(errno));
		else
			put("%s: %ld.%06ld every %ld.%06ld\n", timers[which], (long)timer.it_value.tv_sec,
			    (long)timer.it_value.tv_usec, (long)timer.it_interval.tv_sec,
			    (long)timer.it_interval.tv_usec);
	}
}

static void put_limit(uint64_t value) {
	if (value == UINT64_MAX)
		put("unlimited");
	else
		put("%llu", (unsigned long long)value);
}

static void show_limits(void) {
	static const char *const names[] = {"cpu",	"fsize",  "data",    "stack", "core",  "rss",
					    "nproc",	"nofile", "memlock", "as",    "locks", "sigpending",
					    "msgqueue", "nice",	  "rtprio",  "rttime"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct {
			uint64_t soft, hard;
		} limit;
		put("rlimit_%s: ", names[i]);
		if (syscall(SYS_prlimit64, 0, i, NULL, &limit) != 0) {
			put("%s\n", error_name(errno));
			continue;
		}
		put_limit(limit.soft);
		put(":");
		put_limit(limit.hard);
		put("\n");
	}
}

static void show_scheduling(void) {
	struct sched_attr attributes;
	unsigned char affinity[128];
	unsigned long nodes[64];
	int mode = -1;

	long raw = syscall(SYS_getpriority, PRIO_PROCESS, 0);
	if (raw < 0)
		put("nice: %s\n", error_name(errno));
	else
		put("nice: %ld\n", 20 - raw);

	memset(&attributes, 0, sizeof(attributes));
	if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0)
		put("scheduler: %s\n", error_name(errno));
	else
		put("scheduler: policy=%u priority=%u flags=%llx\nuclamp: %u-%u\n", attributes.sched_policy,
		    attributes.sched_priority, (unsigned long long)attributes.sched_flags, attributes.sched_util_min,
		    attributes.sched_util_max);

	long length = syscall(SYS_sched_getaffinity, 0, sizeof(affinity), affinity);
	if (length < 0) {
		put("affinity: %s\n", error_name(errno));
	} else {
		put("affinity:");
		for (long cpu = 0; cpu < length * 8; cpu++) {
			if (affinity[cpu / 8] & (1 << (cpu % 8)))
				put(" %ld", cpu);
		}
		put("\n");
	}

	memset(nodes, 0, sizeof(nodes));
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0) != 0)
		put("mempolicy: %s\n", error_name(errno));
	else
		put("mempolicy: mode=%d nodes=%lx\n", mode, nodes[0]);

	put_answer("ioprio", syscall(SYS_ioprio_get, 1, 0));
	put_prctl("timerslack", ASK_GET_TIMERSLACK);
}

static void show_odds(void) {
	int subreaper = -1, tsc = -1, death_signal = -1;

	if (prctl(ASK_GET_SUBREAPER, &subreaper, 0L, 0L, 0L) != 0)
		put("subreaper: %s\n", error_name(errno));
	else
		put("subreaper: %d\n", subreaper);
	put_prctl("thp_disable", ASK_GET_THP_DISABLE);
	put_prctl("mdwe", ASK_GET_MDWE);
	put_prctl("memory_merge", ASK_GET_MEMORY_MERGE);
	put_prctl("mce_kill", ASK_MCE_KILL_GET);
	put_prctl("speculation_ssb", ASK_GET_SPECULATION);
	if (prctl(ASK_GET_TSC, &tsc, 0L, 0L, 0L) != 0)
		put("tsc: %s\n", error_name(errno));
	else
		put("tsc: %s\n", tsc == 1 ? "on" : "SIGSEGV");
	put_proc_file("oom_score_adj", "/proc/self/oom_score_adj");
	put_proc_file("coredump_filter", "/proc/self/coredump_filter");
	put("personality: ");
	long personality = syscall(SYS_personality, 0xffffffffUL);
	if (personality < 0)
		put("%s\n", error_name(errno));
	else
		put("%lx\n", (unsigned long)personality);
	put_prctl("dumpable", PR_GET_DUMPABLE);
	if (prctl(PR_GET_PDEATHSIG, &death_signal, 0L, 0L, 0L) != 0)
		put("pdeathsig: %s\n", error_name(errno));
	else
		put("pdeathsig: %d\n", death_signal);

	long keyring = syscall(SYS_keyctl, KEYCTL_GET_KEYRING, SESSION_KEYRING, 0, 0, 0);
	put_answer("session_keyring", keyring);
	char description[256];
	memset(description, 0, sizeof(description));
	long length =
		keyring < 0 ? -1 : syscall(SYS_keyctl, KEYCTL_TELL, keyring, description, sizeof(description) - 1, 0);
	put("session_keyring_is: ");
	if (length < 0)
		put("%s\n", error_name(errno));
	else
		put_escaped(description);
}

static void show_given(int argc, char **argv, char **envp) {
	char directory[4096];

	put("cwd: ");
	if (getcwd(directory, sizeof(directory)))
		put_escaped(directory);
	else
		put("%s\n", error_name(errno));
	mode_t mask = umask(077);
	umask(mask);
	put("umask: %04o\n", (unsigned)mask);

	put("argc: %d\n", argc);
	for (int i = 0; i < argc; i++) {
		put("argv_%d: ", i);
		put_escaped(argv[i]);
	}
	int count = 0;
	for (char **entry = envp; *entry; entry++, count++) {
		put("env: ");
		put_escaped(*entry);
	}
	put("env_count: %d\n", count);
}

/* --- what a confined process may try --- */

static void try_ioctl(unsigned long request) {
	char byte = 0;

	errno = 0;
	syscall(SYS_ioctl, -1, request, &byte);
	put("ioctl_%lx: %s\n", request, error_name(errno));
}

static void try_roads_back(void) {
	struct {
		uint32_t version;
		int pid;
	} header = {0x20080522, 0};
	uint32_t sets[6] = {1, 1, 0, 0, 0, 0};

	errno = 0;
	syscall(SYS_setresuid, -1, 0, -1);
	put("regain_uid: %s\n", error_name(errno));
	errno = 0;
	syscall(SYS_setresgid, -1, 0, -1);
	put("regain_gid: %s\n", error_name(errno));
	errno = 0;
	syscall(SYS_setgroups, 0, NULL);
	put("regain_groups: %s\n", error_name(errno));
	errno = 0;
	syscall(SYS_capset, &header, sets);
	put("regain_capabilities: %s\n", error_name(errno));
	errno = 0;
	prctl(PR_SET_SECUREBITS, 0L, 0L, 0L, 0L);
	put("regain_securebits: %s\n", error_name(errno));
	errno = 0;
	prctl(PR_SET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L);
	put("regain_new_privs: %s\n", error_name(errno));
}

int main(int argc, char **argv, char **envp) {
	bool pauses = false, tries_ioctl = false, tries_roads = false, descriptors_only = false;
	const char *file = NULL;
	int status = 0, listener = -1;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--sleep") == 0)
			pauses = true;
		else if (strcmp(argv[i], "--ioctl") == 0)
			tries_ioctl = true;
		else if (strcmp(argv[i], "--regain") == 0)
			tries_roads = true;
		else if (strcmp(argv[i], "--fds-only") == 0)
			descriptors_only = true;
		else if (strcmp(argv[i], "--exit") == 0 && i + 1 < argc)
			status = atoi(argv[++i]);
		else if (strcmp(argv[i], "--to") == 0 && i + 1 < argc)
			file = argv[++i];
		else if (strcmp(argv[i], "--accept") == 0 && i + 1 < argc)
			listener = atoi(argv[++i]);
	}

	show_descriptors();
	if (listener >= 0) {
		output = accept(listener, NULL, NULL);
		if (output < 0)
			return 121;
	}
	if (file) {
		output = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (output < 0)
			return 120;
	}
	if (!descriptors_only) {
		show_identity();
		show_given(argc, argv, envp);
		show_capabilities();
		show_signals();
		show_limits();
		show_scheduling();
		show_odds();
	}
	if (tries_ioctl) {
		static const unsigned long requests[] = {
			0x5412, 0x541c, 0x5401, 0x100005412UL, 0x7fffffff0000541cUL, 0xffffffff00005412UL};
		for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
			try_ioctl(requests[i]);
	}
	if (tries_roads)
		try_roads_back();
	put("end: yes\n");
	flush();
	if (pauses)
		for (;;)
			pause();
	return status;
}
