# SPDX-License-Identifier: ISC
# Processes, threads, signals and scheduling.
runas-profile = 1 part

# Start and end. clone3 keeps its flags in memory, where no filter can look: libc falls back to clone on ENOSYS.
# 0x7e020000 is CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
allow	= execve execveat				# starting programs is what a server's master does
allow	= clone if arg0 & 0x7e020000 == 0		# processes and threads, but no new namespace
missing	= clone3
allow	= fork vfork exit exit_group wait4 waitid restart_syscall
allow	= getpid getppid gettid getpgid getpgrp setpgid getsid setsid
allow	= pidfd_open pidfd_send_signal process_mrelease

# Threads.
allow	= set_tid_address set_robust_list get_robust_list rseq membarrier
allow	= futex futex_waitv futex_wake futex_wait futex_requeue
allow	= set_thread_area get_thread_area
allow	= arch_prctl					# libc's thread pointer on x86-64
allow	= map_shadow_stack				# makecontext where shadow stacks are on

# Signals.
allow	= rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack
allow	= kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo signalfd signalfd4 pause

# Scheduling and limits: each process its own, downwards.
allow	= sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam
allow	= sched_getscheduler sched_setscheduler sched_getattr sched_setattr
allow	= sched_get_priority_max sched_get_priority_min sched_rr_get_interval
allow	= getpriority setpriority ioprio_get ioprio_set getcpu
allow	= getrlimit setrlimit prlimit64 getrusage times

# About itself and the machine.
allow	= uname sysinfo getrandom
allow	= prctl						# names, dumpable, parent-death signal: libc and Passenger
allow	= personality if arg0 == PER_LINUX		# what it has already
allow	= personality if arg0 == PER_QUERY		# asks, changes nothing
allow	= seccomp					# an app may confine itself further; filters only add up
allow	= landlock_create_ruleset landlock_add_rule landlock_restrict_self
allow	= uretprobe uprobe				# the kernel's own trampolines; SIGILL from anywhere else
