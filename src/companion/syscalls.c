/* SPDX-License-Identifier: ISC */
#include "companion/syscalls.h"

#include "companion/suggest.h"

#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Numbers that Debian 12's libseccomp does not know yet. Linux gives calls above 423 one number on all architectures;
 * the two probes' trampolines are x86-64 only.
 */
static const struct newer {
	const char *name;
	uint32_t number;
	bool only_x86_64;
} newer_calls[] = {
	{"uretprobe", 335, true},
	{"uprobe", 336, true},
	{"set_mempolicy_home_node", 450, false},
	{"cachestat", 451, false},
	{"fchmodat2", 452, false},
	{"map_shadow_stack", 453, false},
	{"futex_wake", 454, false},
	{"futex_wait", 455, false},
	{"futex_requeue", 456, false},
	{"statmount", 457, false},
	{"listmount", 458, false},
	{"lsm_get_self_attr", 459, false},
	{"lsm_set_self_attr", 460, false},
	{"lsm_list_modules", 461, false},
	{"mseal", 462, false},
	{"setxattrat", 463, false},
	{"getxattrat", 464, false},
	{"listxattrat", 465, false},
	{"removexattrat", 466, false},
	{"open_tree_attr", 467, false},
	{"file_getattr", 468, false},
	{"file_setattr", 469, false},
};

static const char *const dangerous_calls[] = {
	/* other processes' memory and descriptors */
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"process_madvise",
	"pidfd_getfd",
	"kcmp",
	"move_pages",
	"migrate_pages",
	/* large kernel surfaces, a row of root exploits behind each */
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"keyctl",
	"add_key",
	"request_key",
	"vmsplice",
	"memfd_secret",
	"modify_ldt",
	"uselib",
	"lookup_dcookie",
	"fanotify_init",
	"name_to_handle_at",
	"open_by_handle_at",
	"map_shadow_stack",
	"remap_file_pages",
	/* mounts, roots, namespaces */
	"mount",
	"umount",
	"umount2",
	"pivot_root",
	"chroot",
	"setns",
	"unshare",
	"clone",
	"clone3",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"open_tree",
	"open_tree_attr",
	"move_mount",
	"mount_setattr",
	"statmount",
	"listmount",
	/* the machine itself */
	"kexec_load",
	"kexec_file_load",
	"init_module",
	"finit_module",
	"delete_module",
	"create_module",
	"query_module",
	"get_kernel_syms",
	"reboot",
	"swapon",
	"swapoff",
	"acct",
	"quotactl",
	"quotactl_fd",
	"settimeofday",
	"clock_settime",
	"stime",
	"adjtimex",
	"clock_adjtime",
	"iopl",
	"ioperm",
	"syslog",
	"sethostname",
	"setdomainname",
	"vhangup",
	"nfsservctl",
	"ustat",
	"sysfs",
	"_sysctl",
	"pciconfig_read",
	"pciconfig_write",
	"pciconfig_iobase",
	/* new programs, identities, devices, and doors with many rooms behind them */
	"execve",
	"execveat",
	"setuid",
	"setgid",
	"setreuid",
	"setregid",
	"setresuid",
	"setresgid",
	"setgroups",
	"setfsuid",
	"setfsgid",
	"capset",
	"mknod",
	"mknodat",
	"ioctl",
	"prctl",
	"arch_prctl",
	"seccomp",
	"personality",
	"socket",
	"socketcall",
	"ipc",
	"syscall",
	"memfd_create",
	"lsm_set_self_attr",
	"uretprobe",
	"uprobe",
};

const char *const syscalls_launcher_needs[] = {
	"write", "close", "execve", "exit", "exit_group", "rt_sigreturn", NULL,
};

enum syscalls_where syscalls_find(const char *name, uint32_t *ret_number) {
	int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, name);

	if (number >= 0 && number < SYSCALLS_NUMBERS) {
		*ret_number = (uint32_t)number;
		return SYSCALLS_HERE;
	}
	/* libseccomp's pseudo numbers: another architecture's calls. Some newer ones are in our table nonetheless. */
	for (size_t i = 0; i < sizeof newer_calls / sizeof newer_calls[0]; i++) {
		if (strcmp(name, newer_calls[i].name) != 0)
			continue;
		if (newer_calls[i].only_x86_64 && seccomp_arch_native() != SCMP_ARCH_X86_64)
			return SYSCALLS_ELSEWHERE;
		*ret_number = newer_calls[i].number;
		return SYSCALLS_HERE;
	}
	return number == __NR_SCMP_ERROR ? SYSCALLS_NOWHERE : SYSCALLS_ELSEWHERE;
}

bool syscalls_name(uint32_t number, char ret[SYSCALLS_NAME_SIZE]) {
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);

	ret[0] = 0;
	if (name != NULL)
		snprintf(ret, SYSCALLS_NAME_SIZE, "%s", name);
	free(name);
	for (size_t i = 0; ret[0] == 0 && i < sizeof newer_calls / sizeof newer_calls[0]; i++)
		if (newer_calls[i].number == number &&
		    (!newer_calls[i].only_x86_64 || seccomp_arch_native() == SCMP_ARCH_X86_64))
			snprintf(ret, SYSCALLS_NAME_SIZE, "%s", newer_calls[i].name);
	return ret[0] != 0;
}

void syscalls_nearest(const char *name, char ret[SYSCALLS_NAME_SIZE]) {
	struct suggestion near = suggest_for(text_of(name));
	char candidate[SYSCALLS_NAME_SIZE];

	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++)
		if (syscalls_name(number, candidate))
			suggest_offer(&near, text_of(candidate));
	snprintf(ret, SYSCALLS_NAME_SIZE, "%.*s", SYSCALLS_NAME_SIZE - 1, near.best);
}

bool syscalls_is_dangerous(const char *name) {
	for (size_t i = 0; i < sizeof dangerous_calls / sizeof dangerous_calls[0]; i++)
		if (strcmp(name, dangerous_calls[i]) == 0)
			return true;
	return false;
}
