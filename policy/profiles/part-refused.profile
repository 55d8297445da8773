# SPDX-License-Identifier: ISC
# Known, and not wanted: EPERM, which programs understand as a policy. Everything that is not named anywhere answers
# ENOSYS, which libc and runtimes understand as an old kernel, and go back to what they did before.
runas-profile = 1 part

# Into other processes.
refuse = ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp move_pages migrate_pages

# Large surfaces of the kernel. io_uring would do what other rules forbid, out of a filter's sight.
refuse = bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
refuse = keyctl add_key request_key vmsplice memfd_secret modify_ldt uselib lookup_dcookie
refuse = fanotify_init name_to_handle_at open_by_handle_at

# Mounts, roots, namespaces.
refuse = mount umount2 pivot_root chroot setns unshare
refuse = fsopen fsconfig fsmount fspick open_tree open_tree_attr move_mount mount_setattr

# The machine.
refuse = kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff acct
refuse = quotactl quotactl_fd settimeofday clock_settime adjtimex clock_adjtime iopl ioperm syslog
refuse = sethostname setdomainname vhangup nfsservctl ustat sysfs _sysctl
