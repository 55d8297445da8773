# SPDX-License-Identifier: ISC
# Files, directories and what is done with open ones. Which files is for ownership, modes and `write` to say.
runas-profile = 1 part

# Open and close. open_by_handle_at is not among them: it goes round directory permissions.
allow = open openat openat2 creat close close_range
allow = dup dup2 dup3 fcntl flock umask

# Read and write.
allow = read write readv writev pread64 pwrite64 preadv preadv2 pwritev pwritev2 lseek
allow = sendfile splice tee copy_file_range
allow = fsync fdatasync sync syncfs sync_file_range fadvise64 readahead cachestat
allow = truncate ftruncate fallocate
allow = io_setup io_destroy io_submit io_getevents io_pgetevents io_cancel	# the old aio; nginx `aio on`

# Look.
allow = stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2
allow = getdents getdents64 readlink readlinkat getcwd chdir fchdir

# Change names.
allow = rename renameat renameat2 link linkat symlink symlinkat unlink unlinkat mkdir mkdirat rmdir
allow = mknod mknodat			# FIFOs (Passenger); devices answer EPERM without capabilities

# Change what is known of them.
allow = chmod fchmod fchmodat fchmodat2 chown fchown fchownat lchown
allow = utime utimes utimensat futimesat
allow = setxattr lsetxattr fsetxattr setxattrat getxattr lgetxattr fgetxattr getxattrat
allow = listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat

# Watch them, and talk to terminals and sockets. TIOCSTI and TIOCLINUX are taken out of ioctl in every profile.
allow = inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
allow = ioctl				# terminals, FIONBIO, FIONREAD: every server
