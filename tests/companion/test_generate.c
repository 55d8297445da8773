/* SPDX-License-Identifier: ISC */
/*
 * What the shipped filters answer. The kernel itself is the oracle: a copy of a filter in which "allow" became an errno that
 * nobody else uses tells us its answer for every number, without any of the calls being done.
 */
#include "tests/companion/answers.h"
#include "tests/helpers/skip.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int answer_to(const char *profile, long number, uint64_t first, uint64_t second, uint64_t third) {
	const uint64_t arguments[6] = {first, second, third};

	return answer_of(&program_find(text_of(profile))->enforce, (uint32_t)number, arguments, shipped_arch);
}

/* --- every number --- */

static void expect_calls(const char *profile, int expected, const char *const *names) {
	for (; *names != NULL; names++) {
		int number = seccomp_syscall_resolve_name(*names);

		cr_assert_neq(number, __NR_SCMP_ERROR, "%s", *names);
		if (number >= 0)
			cr_expect_eq(answer_to(profile, number, 0, 0, 0), expected, "%s %s: %d", profile, *names,
				     answer_to(profile, number, 0, 0, 0));
	}
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(generate, what_nine_real_servers_called_is_allowed) {
	FILE *list = fopen("tests/fixtures/profiles/measured-calls", "re");
	char name[64];
	unsigned seen = 0;

	cr_assert_not_null(list, "run this from the top of the repository");
	while (fscanf(list, "%63s", name) == 1) {
		seen++;
		if (strcmp(name, "clone3") == 0)
			expect_calls("app-server", ENOSYS, NAMES("clone3"));
		else if (strcmp(name, "socket") == 0 || strcmp(name, "socketpair") == 0)
			cr_expect_eq(answer_to("app-server", seccomp_syscall_resolve_name(name), AF_UNIX, 0, 0),
				     ALLOWED);
		else
			expect_calls("app-server", ALLOWED, NAMES(name));
	}
	fclose(list);
	cr_expect_eq(seen, 128);
}

/* Attack H3. */
Test(generate, the_dangerous_calls_are_refused) {
	const char *const *refused = NAMES(
		"ptrace", "process_vm_readv", "process_vm_writev", "bpf", "perf_event_open", "userfaultfd",
		"io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "mount",
		"umount2", "pivot_root", "chroot", "setns", "unshare", "fsopen", "fsconfig", "fsmount", "fspick",
		"open_tree", "move_mount", "mount_setattr", "kexec_load", "kexec_file_load", "init_module",
		"finit_module", "delete_module", "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd",
		"settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "iopl", "ioperm", "modify_ldt",
		"open_by_handle_at", "name_to_handle_at", "fanotify_init", "lookup_dcookie", "move_pages",
		"migrate_pages", "kcmp", "pidfd_getfd", "process_madvise", "syslog", "sethostname", "setdomainname",
		"vhangup", "nfsservctl", "uselib", "ustat", "sysfs", "_sysctl", "vmsplice", "memfd_secret");

	expect_calls("app-server", EPERM, refused);
	expect_calls("web-static", EPERM, refused);
}

Test(generate, the_setuid_family_keeps_its_answers_everywhere) {
	for (size_t i = 0; i < shipped_program_count; i++)
		expect_calls(shipped_programs[i].name, ALLOWED,
			     NAMES("setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
				   "setfsuid", "setfsgid", "getuid", "prctl", "seccomp", "landlock_restrict_self",
				   "execve", "write", "exit_group", "rt_sigreturn"));
}

Test(generate, debug_opens_debugging_and_nothing_else) {
	const struct program *plain = &program_find(text_of("app-server"))->enforce;
	const struct program *debug = &program_find(text_of("app-server-debug"))->enforce;
	const char *const *opened = NAMES("ptrace", "process_vm_readv", "perf_event_open", "pidfd_getfd", "kcmp");

	expect_calls("app-server-debug", ALLOWED, opened);
	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		bool is_opened = false;

		for (const char *const *name = opened; *name != NULL; name++)
			is_opened |= seccomp_syscall_resolve_name(*name) == (int)number;
		if (!is_opened)
			cr_expect_eq(answer_of(plain, number, NULL, shipped_arch),
				     answer_of(debug, number, NULL, shipped_arch), "%u", number);
	}
}

Test(generate, static_servers_get_less) {
	expect_calls("web-static", ENOSYS,
		     NAMES("shmget", "semop", "msgsnd", "mq_open", "memfd_create", "mbind", "mknod", "setxattr",
			   "pidfd_open", "pkey_alloc", "sched_setscheduler", "mlockall", "execveat", "clone3"));
	expect_calls("web-static", ALLOWED,
		     NAMES("read", "sendfile", "writev", "accept4", "epoll_wait", "epoll_pwait", "fork", "futex",
			   "inotify_init1", "recvmsg", "eventfd2", "io_submit", "sigaltstack", "tgkill",
			   "sched_getaffinity"));
}

Test(generate, every_number_has_one_of_the_four_answers) {
	for (size_t i = 0; i < shipped_program_count; i++) {
		const struct program *enforce = &shipped_programs[i].enforce, *complain = &shipped_programs[i].complain;
		unsigned counts[3] = {0};

		for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
			int answer = answer_of(enforce, number, NULL, shipped_arch);

			counts[answer == ALLOWED ? 0 : answer == EPERM ? 1 : 2]++;
			cr_expect(answer == ALLOWED || answer == EPERM || answer == ENOSYS, "%u: %d", number, answer);
			cr_expect(number < 470 || answer == ENOSYS, "nobody knows %u yet", number);
			cr_expect_eq(answer_of(complain, number, NULL, shipped_arch),
				     answer == ALLOWED ? ALLOWED : COMPLAINED, "%u", number);
		}
		cr_expect(counts[0] > 200 && counts[0] < 320, "%s allows %u", shipped_programs[i].name, counts[0]);
		cr_expect_gt(counts[1], 50);
	}
}

/* Attack H5. */
Test(generate, other_architectures_end_the_process) {
	static const uint32_t others[] = {SCMP_ARCH_X86, SCMP_ARCH_ARM, SCMP_ARCH_PPC64LE, 0, UINT32_MAX};

	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		for (size_t i = 0; i < shipped_program_count; i++) {
			for (size_t j = 0; j < sizeof others / sizeof others[0]; j++) {
				cr_expect_eq(answer_of(&shipped_programs[i].enforce, number, NULL, others[j]), KILLED);
				cr_expect_eq(answer_of(&shipped_programs[i].complain, number, NULL, others[j]), KILLED);
				cr_expect_eq(answer_of(&shipped_terminal, number, NULL, others[j]), KILLED);
			}
			if (shipped_arch == SCMP_ARCH_X86_64)
				cr_expect_eq(answer_of(&shipped_programs[i].enforce, number | 0x40000000, NULL,
						       shipped_arch),
					     KILLED, "x32");
		}
	}
	cr_expect_eq(answer_of(&shipped_terminal, SYS_read, NULL, shipped_arch), ALLOWED);
}

/* --- arguments --- */

Test(generate, arguments_are_compared_by_their_low_half_only) {
	static const struct {
		long number;
		uint64_t arguments[3];
		int answer;
	} table[] = {
		{SYS_socket, {AF_UNIX, 1, 0}, ALLOWED},
		{SYS_socket, {AF_INET, 1, 6}, ALLOWED},
		{SYS_socket, {AF_INET6, 2, 17}, ALLOWED},
		{SYS_socket, {AF_NETLINK, 3, 0}, ALLOWED},
		{SYS_socket, {AF_NETLINK, 3, 9}, ENOSYS}, /* audit */
		{SYS_socket, {AF_PACKET, 3, 0}, ENOSYS},
		{SYS_socket, {38, 5, 0}, ENOSYS}, /* AF_ALG */
		{SYS_socket, {40, 1, 0}, ENOSYS}, /* AF_VSOCK */
		{SYS_socket, {0, 1, 0}, ENOSYS},
		{SYS_socketpair, {AF_UNIX, 1, 0}, ALLOWED},
		{SYS_socketpair, {30, 1, 0}, ENOSYS}, /* AF_TIPC */
		{SYS_clone, {SIGCHLD, 0, 0}, ALLOWED},
		{SYS_clone, {0x3d0f00, 0, 0}, ALLOWED}, /* a pthread */
		{SYS_clone, {CLONE_NEWUSER | SIGCHLD, 0, 0}, ENOSYS},
		{SYS_clone, {CLONE_NEWNS, 0, 0}, ENOSYS},
		{SYS_clone, {CLONE_NEWNET | 0x3d0f00, 0, 0}, ENOSYS},
		{SYS_clone, {CLONE_NEWPID, 0, 0}, ENOSYS},
		{SYS_clone, {CLONE_NEWIPC, 0, 0}, ENOSYS},
		{SYS_clone, {CLONE_NEWUTS, 0, 0}, ENOSYS},
		{SYS_clone, {CLONE_NEWCGROUP, 0, 0}, ENOSYS},
		{SYS_personality, {0, 0, 0}, ALLOWED},
		{SYS_personality, {0xffffffff, 0, 0}, ALLOWED},
		{SYS_personality, {0x40000, 0, 0}, ENOSYS},  /* ADDR_NO_RANDOMIZE */
		{SYS_personality, {0x400000, 0, 0}, ENOSYS}, /* READ_IMPLIES_EXEC */
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		for (unsigned dirty = 0; dirty < 8; dirty++) {
			uint64_t arguments[3];

			for (size_t j = 0; j < 3; j++)
				arguments[j] = table[i].arguments[j] | (dirty >> j & 1 ? garbage : 0);
			cr_expect_eq(answer_to("app-server", table[i].number, arguments[0], arguments[1], arguments[2]),
				     table[i].answer, "row %zu, garbage %u", i, dirty);
		}
	}
	cr_expect_eq(answer_to("app-server-debug", SYS_personality, 0x40000 | garbage, 0, 0), ALLOWED);
}

/* --- the kernel --- */

/* Set where the kernel is asked, so that only those calls meet the changed copy of a filter. */
static const uint32_t asked_mark = 0x5eccc0de;
enum { SAID_ALLOW = 4001, SAID_LOG = 4002 };

static bool load_filter(const struct program_instruction *code, uint32_t count) {
	struct sock_fprog filter = {(unsigned short)count, (struct sock_filter *)(uintptr_t)code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

static bool load_asked_copy(const struct program *program) {
	static struct program_instruction code[PROGRAM_MAX_INSTRUCTIONS + 3];
	uint32_t count = 0;

	code[count++] =
		(struct program_instruction){BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args[5])};
	code[count++] = (struct program_instruction){BPF_JMP | BPF_JEQ | BPF_K, 1, 0, asked_mark};
	code[count++] = (struct program_instruction){BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	for (uint32_t i = 0; i < program->count; i++) {
		code[count] = program->code[i];
		if (code[count].code == (BPF_RET | BPF_K) && code[count].k == SECCOMP_RET_ALLOW)
			code[count].k = SECCOMP_RET_ERRNO | SAID_ALLOW;
		if (code[count].code == (BPF_RET | BPF_K) && code[count].k == SECCOMP_RET_LOG)
			code[count].k = SECCOMP_RET_ERRNO | SAID_LOG;
		count++;
	}
	return load_filter(code, count);
}

static const uint64_t asked_arguments[][5] = {
	{0, 0, 0, 0, 0},
	{1, 1, 1, 1, 1},
	{2, TIOCSTI, 0, 0, 0},
	{garbage | 2, garbage | TIOCSTI, garbage, 0, 0},
	{10, TIOCLINUX, 9, 0, 0},
	{16, TCGETS, 0, 0, 0},
	{garbage | 16, 0x100005412, garbage | 9, 0, 0},
	{38, 1, 0, 0, 0},
	{CLONE_NEWUSER, 0, 0, 0, 0},
	{garbage | 0x3d0f00, 0, 0, 0, 0},
	{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
	{0x40000, 0, 0, 0, 0},
};
enum { ASKED = sizeof asked_arguments / sizeof asked_arguments[0] };

/* Linux 6.14 answers the probes' trampolines before it asks any filter: SIGILL, unless the kernel put them there. */
static bool is_past_filters(long number) {
	return shipped_arch == SCMP_ARCH_X86_64 && (number == 335 || number == 336);
}

/* Each number with each set of arguments, as the kernel answers it and as we say that it does. */
static void expect_kernel_agrees(const struct program *program, const char *name) {
	uint16_t(*answers)[ASKED] = mmap(NULL, SYSCALLS_NUMBERS * sizeof *answers, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t child;

	cr_assert_neq((void *)answers, MAP_FAILED);
	child = fork();
	cr_assert(child >= 0);
	if (child == 0) {
		if (!load_asked_copy(program))
			_exit(errno == ENOSYS || errno == EINVAL ? 77 : 1);
		for (long number = 0; number < SYSCALLS_NUMBERS; number++) {
			for (size_t i = 0; i < ASKED && !is_past_filters(number); i++) {
				const uint64_t *a = asked_arguments[i];

				errno = 0;
				syscall(number, a[0], a[1], a[2], a[3], a[4], (unsigned long)asked_mark);
				answers[number][i] = (uint16_t)errno;
			}
		}
		syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0); /* _exit would leave the mark in its register */
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("this kernel or container has no seccomp filters");
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %x", name, (unsigned)status);
	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		for (size_t i = 0; i < ASKED && !is_past_filters(number); i++) {
			uint64_t arguments[6];
			int ours;

			memcpy(arguments, asked_arguments[i], sizeof asked_arguments[i]);
			arguments[5] = asked_mark;
			ours = answer_of(program, number, arguments, shipped_arch);
			cr_expect_eq(answers[number][i],
				     ours == ALLOWED	  ? SAID_ALLOW
				     : ours == COMPLAINED ? SAID_LOG
							  : ours,
				     "%s: call %u, arguments %zu: the kernel says %u, we %d", name, number, i,
				     answers[number][i], ours);
		}
	}
	munmap(answers, SYSCALLS_NUMBERS * sizeof *answers);
}

Test(generate, the_kernel_reads_the_filters_as_we_do) {
	for (size_t i = 0; i < shipped_program_count; i++) {
		expect_kernel_agrees(&shipped_programs[i].enforce, shipped_programs[i].name);
		expect_kernel_agrees(&shipped_programs[i].complain, shipped_programs[i].name);
	}
	expect_kernel_agrees(&shipped_terminal, "terminal");
}

/* In a child under the filter: the number of the first check that failed, 0 for none, or the signal as 1000 + signal. */
static int run_filtered(const struct program *program, int (*checks)(void)) {
	int status;
	pid_t child = fork();

	cr_assert(child >= 0);
	if (child == 0) {
		if (!load_filter(program->code, program->count))
			_exit(errno == ENOSYS || errno == EINVAL ? 77 : 76);
		_exit(checks());
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("this kernel or container has no seccomp filters");
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool fails(int error, long number, unsigned long first, unsigned long second) {
	errno = 0;
	return syscall(number, first, second, 0, 0, 0, 0) == -1 && errno == error;
}

/* Each of the two kinds answers its own number, and leaves the other one to the kernel, which has none. */
static bool proves_only(bool is_profile) {
	for (unsigned twice = 0; twice < 2; twice++)
		if (!fails(is_profile ? ENOSYS : PROGRAM_ERRNO_TERMINAL, PROGRAM_PROOF_TERMINAL, 0, 0) ||
		    !fails(is_profile ? PROGRAM_ERRNO_PROFILE : ENOSYS, PROGRAM_PROOF_PROFILE, 0, 0))
			return false;
	return true;
}

static int enforced(void) {
	int check = 1;

	if (!proves_only(true))
		return check;
	check++;
	if (!fails(EPERM, SYS_keyctl, -1ul, 0))
		return check;
	check++; /* 3 */
	if (!fails(EPERM, SYS_unshare, CLONE_NEWUSER, 0) || !fails(EPERM, SYS_ptrace, 0, 0) ||
	    !fails(EPERM, SYS_bpf, 0, 0))
		return check;
	check++;
	if (!fails(ENOSYS, 9999, 0, 0) || !fails(ENOSYS, SYS_clone3, 0, 0))
		return check;
	check++;
	if (!fails(ENOSYS, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0) ||
	    !fails(ENOSYS, SYS_clone, garbage | CLONE_NEWNS, 0))
		return check;
	check++;
	if (!fails(ENOSYS, SYS_socket, 38, 5) || !fails(ENOSYS, SYS_socket, garbage | 38, 5))
		return check;
	check++; /* 7 */
	if (!fails(EPERM, SYS_ioctl, -1ul, TIOCSTI) || !fails(EPERM, SYS_ioctl, -1ul, 0x100000000 | TIOCLINUX))
		return check;
	check++;
	if (!fails(EBADF, SYS_ioctl, -1ul, TCGETS))
		return check;
	check++;
	if (!fails(ENOSYS, SYS_personality, 0x40000, 0))
		return check;
	check++;
	if (syscall(SYS_socket, garbage | AF_UNIX, SOCK_STREAM, 0) < 0)
		return check;
	return 0;
}

static int complained(void) {
	if (!proves_only(true))
		return 1;
	if (!fails(EINVAL, SYS_clone3, 0, 0)) /* the kernel's own word */
		return 2;
	if (!fails(EINVAL, SYS_unshare, 1, 0))
		return 3;
	if (!fails(EPERM, SYS_ioctl, -1ul, TIOCSTI))
		return 4;
	return 0;
}

static int without_profile(void) {
	if (!proves_only(false))
		return 1;
	if (!fails(EPERM, SYS_ioctl, -1ul, TIOCSTI) || !fails(EPERM, SYS_ioctl, -1ul, 0x100000000 | TIOCLINUX))
		return 2;
	if (!fails(EBADF, SYS_ioctl, -1ul, TCGETS))
		return 3;
	return 0;
}

#ifdef __x86_64__
static int called_as_i386(void) {
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20L) : "memory", "r8", "r9", "r10", "r11"); /* getpid */
	return ret > 0 ? 50 : 51;
}

static int called_as_x32(void) {
	return fails(ENOSYS, 0x40000000 | SYS_getpid, 0, 0) ? 52 : 53;
}
#endif

Test(generate, loaded_filters_do_what_they_say) {
	int result = run_filtered(&shipped_terminal, without_profile);

	cr_expect_eq(result, 0, "without a profile: check %d", result);

	for (size_t i = 0; i < shipped_program_count; i++) {
		if (strcmp(shipped_programs[i].name, "app-server-debug") != 0) {
			result = run_filtered(&shipped_programs[i].enforce, enforced);
			cr_expect_eq(result, 0, "%s: check %d", shipped_programs[i].name, result);
		}
		result = run_filtered(&shipped_programs[i].complain, complained);
		cr_expect_eq(result, 0, "%s complaining: check %d", shipped_programs[i].name, result);
	}
}

#ifdef __x86_64__
/* Attack H1. */
Test(generate, calls_of_another_abi_end_the_process) {
	const struct program *profile = &program_find(text_of("app-server"))->enforce;

	cr_expect_eq(run_filtered(profile, called_as_i386), 1000 + SIGSYS);
	cr_expect_eq(run_filtered(profile, called_as_x32), 1000 + SIGSYS);
}
#endif

/* --- the evaluator and the generator themselves --- */

Test(generate, broken_programs_have_no_valid_answer) {
	static const struct program_instruction no_return[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}},
						far_jump[] = {{BPF_JMP | BPF_JA, 0, 0, 0xffffffff},
							      {BPF_RET | BPF_K, 0, 0, 0}},
						far_branch[] = {{BPF_JMP | BPF_JEQ | BPF_K, 255, 255, 0},
								{BPF_RET | BPF_K, 0, 0, 0}},
						odd_load[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 2},
							      {BPF_RET | BPF_K, 0, 0, 0}},
						far_load[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 64},
							      {BPF_RET | BPF_K, 0, 0, 0}},
						unknown[] = {{0xffff, 0, 0, 0}, {BPF_RET | BPF_K, 0, 0, 0}};
	const struct program broken[] = {{no_return, 1}, {far_jump, 2}, {far_branch, 2}, {odd_load, 2},
					 {far_load, 2},	 {unknown, 2},	{NULL, 0}};

	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		cr_expect_eq(answer_of(&broken[i], 0, NULL, 0), BROKEN, "%zu", i);
}

Test(generate, the_same_profile_gives_the_same_filter) {
	struct profile *profile = malloc(sizeof *profile);
	struct generated *filter = malloc(sizeof *filter);
	char why[GENERATE_WHY_SIZE];

	for (size_t i = 0; i < shipped_program_count; i++) {
		char label[PROFILE_LABEL_SIZE];
		const struct program *shipped = &shipped_programs[i].enforce;

		snprintf(label, sizeof label, "@%s", shipped_programs[i].name);
		read_shipped(label, profile);
		cr_assert(generate_profile(profile, GENERATE_ENFORCE, filter, why), "%s", why);
		cr_expect_eq(filter->count, shipped->count);
		cr_expect_arr_eq(filter->code, shipped->code, shipped->count * sizeof *shipped->code);
	}
	free(profile);
	free(filter);
}
