/* SPDX-License-Identifier: ISC */
#include "companion/learn_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif

#define POLICIES "/etc/runas-app"

static const struct setting *of_line(const struct draft *draft, unsigned line) {
	for (size_t i = 0; i < draft->policy.count; i++)
		if (draft->policy.settings[i].line == line)
			return &draft->policy.settings[i];
	return NULL;
}

/* NULL: the line stays. */
static char *replacement(const struct draft *draft, const struct setting *s) {
	const struct plan_profile profile = plan_profile(&draft->policy);

	if (s != NULL && s->key == KEY_SYSCALLS && !profile.is_none)
		return output_format("syscalls = complain %s%.*s", profile.is_site ? "" : "@", (int)profile.name.length,
				     profile.name.at);
	if (s != NULL && (s->key == KEY_WRITE || s->key == KEY_WRITE_ENFORCE))
		return output_format("#");
	if (s != NULL && s->key == KEY_TMP)
		return output_format("env = TMPDIR=%.*s", (int)s->value.length, s->value.at);
	return NULL;
}

char *learn_copy_text(const struct draft *draft) {
	struct text rest = draft->bytes, row;
	char *ret = NULL;
	size_t size = 0;
	FILE *to = output_memory(open_memstream(&ret, &size));

	for (unsigned line = 1; text_field(&rest, "\n", &row) && (row.length > 0 || rest.length > 0); line++) {
		char *other = replacement(draft, of_line(draft, line));

		if (other != NULL)
			fprintf(to, "%s\n", other);
		else
			fprintf(to, "%.*s\n", (int)row.length, row.length > 0 ? row.at : "");
		free(other);
	}
	if (policy_next(&draft->policy, KEY_SYSCALLS, NULL) == NULL)
		fputs("syscalls = complain @app-server\n", to);
	if (fclose(to) != 0)
		output_memory(NULL);
	return ret;
}

static bool write_file(const char *path, const char *text) {
	const size_t length = strlen(text);
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const bool is_written = fd >= 0 && write(fd, text, length) == (ssize_t)length && fchmod(fd, 0644) == 0;

	return (fd < 0 || close(fd) == 0) && is_written;
}

bool learn_copy_enter(const char *app, const char *text) {
	char *path = output_format(POLICIES "/%s.conf", app);
	const char *what = "a private mount namespace";
	bool is_done = false;
	int file = -1;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
		goto out;
	/* Only for as long as it takes to make a file that is nowhere else. */
	what = "a file system in memory on " POLICIES;
	if (mount("runas-policy", POLICIES, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=1m") != 0)
		goto out;
	if (write_file(path, text))
		file = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | O_CLOEXEC);
	if (umount2(POLICIES, MNT_DETACH) != 0)
		goto out;
	what = path;
	is_done = file >= 0 && syscall(SYS_move_mount, file, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0;
out:
	if (!is_done)
		output_fail("it needs CAP_SYS_ADMIN, and a container that lets it mount", "%s: %m", what);
	if (file >= 0)
		close(file);
	free(path);
	return is_done;
}
