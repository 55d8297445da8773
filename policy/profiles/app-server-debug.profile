# SPDX-License-Identifier: ISC
# @app-server, and looking into processes of the same user: gdb, strace, rbspy, py-spy, jattach, perf. Not for always: what
# a debugger can do to the app, the app taken over can do to its neighbours of the same user.
runas-profile = 1
include = @app-server

allow = ptrace process_vm_readv		# debuggers and samplers read memory and registers
allow = perf_event_open			# perf, async-profiler; /proc/sys/kernel/perf_event_paranoid still decides
allow = pidfd_getfd kcmp		# debuggers look at another process's descriptors
allow = personality if arg0 == PER_LINUX	# as in @app-server
allow = personality if arg0 == PER_QUERY	# as in @app-server
allow = personality if arg0 == ADDR_NO_RANDOMIZE	# gdb starts programs without address randomisation
