# SPDX-License-Identifier: ISC
# Sockets, and waiting for them.
runas-profile = 1 part

# A list of what is wanted: kernel exploits live in the rare families (AF_ALG, AF_VSOCK, AF_PACKET ...).
allow = socket if arg0 == AF_UNIX			# databases, syslog, nginx in front
allow = socket if arg0 == AF_INET			# what servers are for
allow = socket if arg0 == AF_INET6			# the same
allow = socket if arg0 == AF_NETLINK and arg2 == NETLINK_ROUTE	# getaddrinfo lists the machine's addresses
allow = socketpair if arg0 == AF_UNIX

allow = bind listen accept accept4 connect shutdown
allow = getsockname getpeername getsockopt setsockopt
allow = sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg

allow = select pselect6 poll ppoll
allow = epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
