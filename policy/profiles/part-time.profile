# SPDX-License-Identifier: ISC
# Reading clocks and waiting. Setting them is refused (part-refused).
runas-profile = 1 part

allow = clock_gettime clock_getres gettimeofday time
allow = nanosleep clock_nanosleep alarm getitimer setitimer
allow = timer_create timer_settime timer_gettime timer_getoverrun timer_delete
allow = timerfd_create timerfd_settime timerfd_gettime
