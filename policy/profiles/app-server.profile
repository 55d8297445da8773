# SPDX-License-Identifier: ISC
# What application servers need: Passenger, Puma, Gunicorn, uWSGI, PHP-FPM, Node, Java, Go, nginx were watched, and their
# relatives thought of. The default.
runas-profile = 1
include = @part-identity @part-process @part-memory @part-files @part-network @part-ipc @part-time @part-refused
