# SPDX-License-Identifier: ISC
# For servers that send files and pass requests on (nginx, small Go servers): no shared memory segments, message queues,
# pidfds, memory policies, device nodes, extended attributes or scheduling classes.
runas-profile = 1
include = @part-identity @part-network @part-time @part-refused

# Processes and threads.
allow	= execve				# the server itself, and its binary's upgrade
allow	= clone if arg0 & 0x7e020000 == 0	# workers and threads, but no new namespace
missing	= clone3
allow	= fork vfork exit exit_group wait4 waitid restart_syscall
allow	= getpid getppid gettid getpgid getpgrp setpgid getsid setsid
allow	= set_tid_address set_robust_list get_robust_list rseq membarrier futex futex_waitv
allow	= arch_prctl				# libc's thread pointer on x86-64
allow	= map_shadow_stack			# makecontext where shadow stacks are on
allow	= rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack
allow	= kill tkill tgkill signalfd signalfd4 pause
allow	= sched_yield sched_getaffinity sched_setaffinity getpriority setpriority getcpu
allow	= getrlimit setrlimit prlimit64 getrusage times uname sysinfo getrandom
allow	= prctl					# nginx sets dumpable and its parent-death signal
allow	= seccomp				# a server may confine itself further
allow	= landlock_create_ruleset landlock_add_rule landlock_restrict_self
allow	= uretprobe uprobe			# the kernel's own trampolines; SIGILL elsewhere

# Memory. memfd_create and pkey_* are left out: nothing here compiles code while it runs, but PCRE's JIT needs mprotect.
allow	= brk mmap munmap mprotect mremap msync mincore madvise

# Files.
allow	= open openat openat2 creat close close_range dup dup2 dup3 fcntl flock umask
allow	= read write readv writev pread64 pwrite64 preadv preadv2 pwritev pwritev2 lseek
allow	= sendfile splice copy_file_range fsync fdatasync fadvise64 readahead truncate ftruncate fallocate
allow	= io_setup io_destroy io_submit io_getevents io_cancel
allow	= stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2
allow	= getdents getdents64 readlink readlinkat getcwd chdir fchdir
allow	= rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir
allow	= chmod fchmod fchmodat fchmodat2 chown fchown fchownat lchown utimes utimensat
allow	= inotify_init1 inotify_add_watch inotify_rm_watch
allow	= ioctl					# FIONBIO, FIOASYNC; TIOCSTI is taken out everywhere
allow	= pipe pipe2 eventfd eventfd2
