# SPDX-License-Identifier: ISC
# Memory. Interpreters with a JIT (Java, Node, Ruby, PHP) need to make memory executable, so mprotect is not limited.
runas-profile = 1 part

allow = brk mmap munmap mprotect mremap msync mincore madvise mseal
allow = mlock mlock2 munlock mlockall munlockall		# bounded by RLIMIT_MEMLOCK
allow = pkey_alloc pkey_free pkey_mprotect			# node asks for keys
allow = get_mempolicy set_mempolicy mbind set_mempolicy_home_node	# the JVM and allocators place memory
allow = memfd_create						# JITs map code twice through it
