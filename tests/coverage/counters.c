/* SPDX-License-Identifier: ISC */
/*
 * counters: keeps the coverage counters of an instrumented program where no exec, _exit, signal or filter can lose them.
 *
 * Purpose:  part of `make coverage` only. Linked into the instrumented launcher and test programs, never into another.
 * Given:    objects made with -fprofile-instr-generate. With -mllvm -runtime-counter-relocation every counter is reached by
 *           way of a bias, which the constructor here sets to a shared mapping of the file COUNTERS_DIR/NAME; without it
 *           (the bits of MC/DC have no bias) they are added to that file at exit, which is enough for the unit tests.
 * Promises: with the bias nothing is left to do when a process ends, however it does; a program without such a file just
 *           does not count. RUNAS_COUNTERS=begin makes the file, =end writes NAME.profraw from it; both for root only.
 * Never:    leaves a descriptor open, or stops the program that it is in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char __start___llvm_prf_cnts[], __stop___llvm_prf_cnts[];
extern char __start___llvm_prf_bits[] __attribute__((weak)), __stop___llvm_prf_bits[] __attribute__((weak));
extern int64_t __llvm_profile_counter_bias __attribute__((weak));
extern uint64_t __llvm_profile_get_size_for_buffer(void);
extern int __llvm_profile_write_buffer(char *buffer);

/* Where the build directory is seen: by its own path, and by the one that the tests' world gives it. */
static const char *const rooms[] = {COUNTERS_DIR "/", "/run/build/counters/"};

static char *shared;

/* ROOM.PROGRAM of a test: it has namesakes in other rooms, and calls itself otherwise in its children. The launcher alone is
 * static: one name is enough for it, and /proc need not be there to ask. */
static const char *own_name(void) {
#ifdef __GLIBC__
	static char path[512];
	char *at = path;
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) <= 0)
		return "unknown";
	if ((at = strrchr(path, '/')) != NULL)
		*at = '.';
	at = strrchr(path, '/');
	return at == NULL ? path : at + 1;
#else
	return "runas-app";
#endif
}

static size_t counters_size(void) { return (size_t)(__stop___llvm_prf_cnts - __start___llvm_prf_cnts); }

/* What shows that a condition decided alone (MC/DC). */
static size_t bits_size(void) { return (size_t)(__stop___llvm_prf_bits - __start___llvm_prf_bits); }

static int open_file(const char *room, const char *suffix, int flags) {
	char path[512] = "";
	if (strlen(room) + strlen(own_name()) + strlen(suffix) >= sizeof(path))
		return -1;
	/* The system call itself: to an injected answer of 0 musl's open would add FD_CLOEXEC, which the caller's 0 has not. */
	return (int)syscall(SYS_openat, AT_FDCWD, strcat(strcat(strcpy(path, room), own_name()), suffix),
			    flags | O_CLOEXEC | O_NOCTTY, 0666);
}

static char *map_file(int fd) {
	const size_t size = counters_size() + bits_size();
	struct stat file = {0};
	void *mapped = MAP_FAILED;
	const bool is_ours = fd >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && (size_t)file.st_size == size;

	if (is_ours)
		mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (is_ours || fd > STDERR_FILENO) /* where an injected fault answers 0, that is the caller's */
		while (close(fd) != 0 && errno != EBADF) /* an injected error: it would pass for the caller's */
			;
	return mapped == MAP_FAILED ? NULL : mapped;
}

static _Noreturn void begin(void) {
	const int fd = open_file(rooms[0], "", O_RDWR | O_CREAT | O_TRUNC);
	/* The app user counts too. */
	_exit(fd < 0 || fchmod(fd, 0666) != 0 || ftruncate(fd, (off_t)(counters_size() + bits_size())) != 0);
}

static _Noreturn void end(void) {
	const size_t size = (size_t)__llvm_profile_get_size_for_buffer();
	char *const buffer = calloc(1, size), *const counted = map_file(open_file(rooms[0], "", O_RDWR));
	const int fd = open_file(rooms[0], ".profraw", O_WRONLY | O_CREAT | O_TRUNC);

	if (buffer == NULL || counted == NULL || fd < 0)
		_exit(1);
	memcpy(__start___llvm_prf_cnts, counted, counters_size());
	if (bits_size() > 0)
		memcpy(__start___llvm_prf_bits, counted + counters_size(), bits_size());
	_exit(__llvm_profile_write_buffer(buffer) != 0 || write(fd, buffer, size) != (ssize_t)size);
}

__attribute__((constructor)) static void share(void) {
	const char *const wish = geteuid() == 0 && getuid() == 0 ? getenv("RUNAS_COUNTERS") : NULL;
	const int error = errno;

	if (wish != NULL && strcmp(wish, "begin") == 0)
		begin();
	if (wish != NULL && strcmp(wish, "end") == 0)
		end();
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]) && shared == NULL; i++)
		shared = map_file(open_file(rooms[i], "", O_RDWR));
	if (shared != NULL && &__llvm_profile_counter_bias != NULL)
		__llvm_profile_counter_bias = shared - __start___llvm_prf_cnts;
	errno = error;
}

__attribute__((destructor)) static void add_up(void) {
	uint64_t *const counters = (uint64_t *)(void *)shared, *const own = (uint64_t *)(void *)__start___llvm_prf_cnts;

	for (size_t i = 0; shared != NULL && &__llvm_profile_counter_bias == NULL && i < counters_size() / sizeof(*own);
	     i++)
		__atomic_fetch_add(&counters[i], own[i], __ATOMIC_RELAXED);
	for (size_t i = 0; shared != NULL && i < bits_size(); i++)
		__atomic_fetch_or(shared + counters_size() + i, __start___llvm_prf_bits[i], __ATOMIC_RELAXED);
}
