/* SPDX-License-Identifier: ISC */
#include "companion/process.h"

#include "companion/output.h"

#include <cap-ng.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

const char *const process_set_names[PROCESS_SETS] = {"effective", "permitted", "inheritable", "bounding", "ambient"};

static const char *const set_keys[PROCESS_SETS] = {"CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"};

static char *path_of(pid_t pid, const char *file) { return output_format("/proc/%d/%s", (int)pid, file); }

/* prctl(2) PR_SET_MM_MAP: anybody can have a command line of terabytes. */
enum { MOST_BYTES = 4 << 20 };

/* With a NUL behind it, and cut off where it is too long; NULL: it cannot be read. */
static char *slurp(pid_t pid, const char *file, size_t *ret_length) {
	char *path = path_of(pid, file), *bytes = NULL;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0, length = 0;
	ssize_t got = fd < 0 ? -1 : 1;
	int saved = errno;

	while (got > 0 && length < MOST_BYTES) {
		if (length + 1 >= size)
			bytes = output_memory(realloc(bytes, size = size == 0 ? 8192 : 2 * size));
		got = read(fd, bytes + length, size - length - 1);
		length += got > 0 ? (size_t)got : 0;
		saved = got < 0 ? errno : saved;
	}
	if (fd >= 0)
		close(fd);
	free(path);
	if (got < 0) {
		free(bytes);
		errno = saved;
		return NULL;
	}
	bytes[length] = '\0';
	*ret_length = length;
	return bytes;
}

static char *link_of(pid_t pid, const char *file) {
	char *path = path_of(pid, file), target[4096];
	const ssize_t length = readlink(path, target, sizeof target - 1);

	free(path);
	return length < 0 ? NULL : output_memory(strndup(target, (size_t)length));
}

/* What stands behind "KEY:" on its line; NULL: there is no such line. */
static const char *field(const char *status, const char *key) {
	const size_t length = strlen(key);

	for (const char *at = status; at != NULL; at = strchr(at, '\n'), at = at == NULL ? NULL : at + 1)
		if (strncmp(at, key, length) == 0 && at[length] == ':')
			return at + length + 1;
	return NULL;
}

static int number(const char *status, const char *key, int base) {
	const char *at = field(status, key);

	return at == NULL ? -1 : (int)strtol(at, NULL, base);
}

static void read_ids(const char *at, uint32_t ret[4]) {
	for (size_t i = 0; i < 4; i++) {
		char *end = NULL;

		ret[i] = at == NULL ? UINT32_MAX : (uint32_t)strtoul(at, &end, 10);
		at = end;
	}
}

static void read_groups(const char *at, struct process *to) {
	while (at != NULL && *at != '\n' && *at != '\0') {
		char *end;
		const unsigned long group = strtoul(at, &end, 10);

		if (end == at || memchr(at, '\n', (size_t)(end - at)) != NULL)
			return;
		to->groups = output_memory(reallocarray(to->groups, to->group_count + 1, sizeof *to->groups));
		to->groups[to->group_count++] = (uint32_t)group;
		at = end;
	}
}

/* Twice, by the kernel's text and by libcap-ng, and what either of them has counts. */
static void read_sets(const char *status, struct process *to) {
	static const capng_type_t types[PROCESS_SETS] = {CAPNG_EFFECTIVE, CAPNG_PERMITTED, CAPNG_INHERITABLE,
							 CAPNG_BOUNDING_SET, CAPNG_AMBIENT};
	bool has_library;

	capng_clear(CAPNG_SELECT_ALL);
	capng_setpid(to->pid);
	has_library = capng_get_caps_process() == 0;
	for (size_t i = 0; i < PROCESS_SETS; i++) {
		const char *at = field(status, set_keys[i]);

		to->sets[i] = at == NULL ? 0 : strtoull(at, NULL, 16);
		for (unsigned capability = 0; has_library && capability < 64; capability++)
			if (capng_capability_to_name(capability) != NULL &&
			    capng_have_capability(types[i], capability) == 1)
				to->sets[i] |= UINT64_C(1) << capability;
	}
}

static uint64_t limit(const char *at, char **end) {
	at += strspn(at, " ");
	if (strncmp(at, "unlimited", 9) != 0)
		return strtoull(at, end, 10);
	*end = (char *)(uintptr_t)at + 9;
	return UINT64_MAX;
}

static void read_limits(struct process *to) {
	static const char *const lines[PROCESS_LIMITS] = {
		"Max cpu time",	      "Max file size",	   "Max data size",	    "Max stack size",
		"Max core file size", "Max resident set",  "Max processes",	    "Max open files",
		"Max locked memory",  "Max address space", "Max file locks",	    "Max pending signals",
		"Max msgqueue size",  "Max nice priority", "Max realtime priority", "Max realtime timeout"};
	size_t length;
	char *text = slurp(to->pid, "limits", &length);

	for (size_t i = 0; text != NULL && i < PROCESS_LIMITS; i++) {
		const char *at = strstr(text, lines[i]);
		char *end;

		if (at == NULL)
			continue;
		to->limits[i].soft = limit(at + strlen(lines[i]), &end);
		to->limits[i].hard = limit(end, &end);
		to->limits[i].is_known = true;
	}
	free(text);
}

static int by_number(const void *a, const void *b) {
	return ((const struct process_descriptor *)a)->number - ((const struct process_descriptor *)b)->number;
}

static void read_descriptors(struct process *to) {
	char *path = path_of(to->pid, "fd");
	DIR *list = opendir(path);

	to->has_descriptors = list != NULL;
	for (struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
		char *file, *target;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		file = output_format("fd/%s", entry->d_name);
		target = link_of(to->pid, file);
		free(file);
		if (target == NULL)
			continue;
		to->descriptors =
			output_memory(reallocarray(to->descriptors, to->descriptor_count + 1, sizeof *to->descriptors));
		to->descriptors[to->descriptor_count++] =
			(struct process_descriptor){(int)strtol(entry->d_name, NULL, 10), target};
	}
	if (list != NULL)
		closedir(list);
	if (to->descriptor_count > 1)
		qsort(to->descriptors, to->descriptor_count, sizeof *to->descriptors, by_number);
	free(path);
}

/* Names only: the values may be secrets. */
static void read_names(struct process *to) {
	size_t length = 0;
	char *bytes = slurp(to->pid, "environ", &length);

	to->has_environment = bytes != NULL;
	for (size_t at = 0; bytes != NULL && at < length; at += strlen(bytes + at) + 1) {
		const size_t name = strcspn(bytes + at, "=");

		if (bytes[at] == '\0')
			continue;
		to->names = output_memory(reallocarray(to->names, to->name_count + 1, sizeof *to->names));
		to->names[to->name_count++] = output_memory(strndup(bytes + at, name));
	}
	free(bytes);
}

static char *read_command(pid_t pid) {
	size_t length = 0;
	char *bytes = slurp(pid, "cmdline", &length);

	while (bytes != NULL && length > 0 && bytes[length - 1] == '\0')
		length--;
	for (size_t i = 0; bytes != NULL && i < length; i++)
		if (bytes[i] == '\0')
			bytes[i] = ' ';
	return bytes;
}

struct process *process_read(pid_t pid) {
	struct process *to;
	size_t length = 0;
	char *status = slurp(pid, "status", &length), *oom, *path;
	const char *name = status == NULL ? NULL : field(status, "Name");

	if (name == NULL) {
		/* Without its text, or with one that is cut off: it is ending. */
		const int saved = status != NULL || errno == ENOENT ? ESRCH : errno;

		free(status);
		errno = saved;
		return NULL;
	}
	to = output_memory(calloc(1, sizeof *to));
	to->pid = pid;
	name += strspn(name, "\t ");
	snprintf(to->name, sizeof to->name, "%.*s", (int)strcspn(name, "\n"), name);
	read_ids(field(status, "Uid"), to->uids);
	read_ids(field(status, "Gid"), to->gids);
	read_groups(field(status, "Groups"), to);
	read_sets(status, to);
	to->no_new_privs = number(status, "NoNewPrivs", 10);
	to->seccomp = number(status, "Seccomp", 10);
	to->filters = number(status, "Seccomp_filters", 10);
	to->umask = number(status, "Umask", 8);
	free(status);
	read_limits(to);
	errno = 0;
	to->nice = getpriority(PRIO_PROCESS, (id_t)pid);
	to->has_nice = errno == 0;
	oom = slurp(pid, "oom_score_adj", &length);
	to->has_oom = oom != NULL;
	to->oom_score_adj = oom == NULL ? 0 : (int)strtol(oom, NULL, 10);
	free(oom);
	to->exe = link_of(pid, "exe");
	to->cwd = link_of(pid, "cwd");
	path = path_of(pid, "cwd");
	to->has_cwd_status = stat(path, &to->cwd_status) == 0;
	free(path);
	to->command = read_command(pid);
	read_descriptors(to);
	read_names(to);
	return to;
}

int process_filters_around(void) {
	const pid_t both[] = {1, getpid()};
	int least = INT_MAX;

	for (size_t i = 0; i < 2; i++) {
		struct process *p = process_read(both[i]);
		const int has = p == NULL || p->filters < 0 ? 0 : p->filters;

		least = has < least ? has : least;
		process_free(p);
	}
	return least;
}

void process_free(struct process *process) {
	if (process == NULL)
		return;
	for (size_t i = 0; i < process->descriptor_count; i++)
		free(process->descriptors[i].target);
	for (size_t i = 0; i < process->name_count; i++)
		free(process->names[i]);
	free(process->descriptors);
	free(process->names);
	free(process->groups);
	free(process->exe);
	free(process->cwd);
	free(process->command);
	free(process);
}

static int by_value(const void *a, const void *b) { return *(const pid_t *)a - *(const pid_t *)b; }

pid_t *process_list(void) {
	DIR *list = opendir("/proc");
	pid_t *ret = NULL;
	size_t count = 0;

	for (struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		ret = output_memory(reallocarray(ret, count + 2, sizeof *ret));
		ret[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	if (list != NULL)
		closedir(list);
	if (ret == NULL)
		return NULL;
	qsort(ret, count, sizeof *ret, by_value);
	ret[count] = 0;
	return ret;
}
