# SPDX-License-Identifier: ISC
# Who the process is. All of it keeps the kernel's real answers: gunicorn's workers call setgroups and setuid to the user
# they already are, and stop when these fail. Without capabilities and with no_new_privs they can gain nothing.
runas-profile = 1 part

allow = getuid geteuid getgid getegid getresuid getresgid getgroups
allow = setuid setgid setreuid setregid setresuid setresgid	# only among ids it has: one
allow = setfsuid setfsgid setgroups				# setgroups answers EPERM, as servers expect
allow = capget
allow = capset							# can only take away, and nothing is there
