/* SPDX-License-Identifier: ISC */
/*
 * measure: starts programs and says what each start cost. Small and static: what vfork copies of it is in every figure,
 * and its own resident size in every peak (exec takes the peak of the memory that the child leaves).
 *
 * Given:  measure launch ROUNDS      each variant once a round, in another order each time
 *         measure burst COUNT JOBS   each variant COUNT times, JOBS of them at once
 *         measure log PATH           takes the records of the socket PATH until SIGTERM; prints how many
 *         For the first two, variants on standard input, a line each: NAME, caller's uid, PROGRAM, ARGS, tab-separated.
 * Prints: launch: NAME, ns, minor page faults, peak resident KiB, status. burst: NAME, ns for all, how many exited 0.
 */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_VARIANTS = 64, MOST_WORDS = 64 };

static struct variant {
	char *line, *name, *argv[MOST_WORDS];
	long uid;
} variants[MOST_VARIANTS];
static size_t count;

static void die(const char *what) {
	perror(what);
	exit(2);
}

static void read_variants(void) {
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while (count < MOST_VARIANTS && (length = getline(&line, &size, stdin)) > 0) {
		struct variant *v = &variants[count++];
		size_t words = 0;
		line[length - 1] = '\0';
		v->line = strdup(line);
		v->name = strtok(v->line, "\t");
		const char *uid = strtok(NULL, "\t");
		for (char *word; words < MOST_WORDS - 1 && (word = strtok(NULL, "\t")) != NULL;)
			v->argv[words++] = word;
		if (uid == NULL || words == 0) {
			fprintf(stderr, "measure: a variant is NAME, UID, PROGRAM: %s\n", line);
			exit(2);
		}
		v->uid = strtol(uid, NULL, 10);
	}
	free(line);
}

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static pid_t start(const struct variant *v) {
	(void)lseek(9, 0, SEEK_SET); /* a filter that bwrap takes from there, and reads to its end */
	const pid_t child = vfork();
	if (child != 0)
		return child;
	if (v->uid != 0 &&
	    (syscall(SYS_setgroups, 0L, NULL) != 0 || syscall(SYS_setresgid, v->uid, v->uid, v->uid) != 0 ||
	     syscall(SYS_setresuid, v->uid, v->uid, v->uid) != 0))
		_exit(126);
	execve(v->argv[0], v->argv, environ);
	_exit(127);
}

static void launch(long rounds) {
	uint64_t random = 88172645463325252U;
	size_t order[MOST_VARIANTS];

	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (long round = 0; round < rounds; round++) {
		for (size_t i = count; i > 1; i--) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			const size_t other = random % i, kept = order[i - 1];
			order[i - 1] = order[other];
			order[other] = kept;
		}
		for (size_t i = 0; i < count; i++) {
			const struct variant *v = &variants[order[i]];
			struct rusage used;
			int status;
			const int64_t before = now();
			const pid_t child = start(v);
			if (child < 0 || wait4(child, &status, 0, &used) != child)
				die(v->name);
			const int64_t after = now();
			printf("%s\t%lld\t%ld\t%ld\t%d\n", v->name, (long long)(after - before), used.ru_minflt,
			       used.ru_maxrss, status);
		}
	}
}

static void burst(long total, long jobs) {
	for (size_t i = 0; i < count; i++) {
		long running = 0, started = 0, good = 0;
		const int64_t before = now();
		while (started < total || running > 0) {
			int status;
			for (; started < total && running < jobs; started++, running++)
				if (start(&variants[i]) < 0)
					die(variants[i].name);
			if (wait(&status) < 0)
				die("wait");
			running--;
			good += status == 0;
		}
		printf("%s\t%lld\t%ld\n", variants[i].name, (long long)(now() - before), good);
	}
}

static volatile sig_atomic_t is_over;
static void end(int signal) { is_over = signal; }

static void take_log(const char *path) {
	const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct sigaction action = {.sa_handler = end};
	struct timeval pause = {.tv_usec = 200000};
	char record[4096];
	long records = 0;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || chmod(path, 0666) != 0)
		die(path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof(pause));
	sigaction(SIGTERM, &action, NULL);
	for (;;) {
		if (recv(fd, record, sizeof(record), 0) > 0)
			records++;
		else if (is_over) /* and nothing came any more */
			break;
	}
	printf("%ld\n", records);
}

int main(int argc, char **argv) {
	if (argc == 3 && strcmp(argv[1], "log") == 0) {
		take_log(argv[2]);
		return 0;
	}
	read_variants();
	if (argc == 3 && strcmp(argv[1], "launch") == 0)
		launch(strtol(argv[2], NULL, 10));
	else if (argc == 4 && strcmp(argv[1], "burst") == 0)
		burst(strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10));
	else {
		fputs("usage: measure launch ROUNDS | burst COUNT JOBS | log PATH\n", stderr);
		return 2;
	}
	return 0;
}
