/* SPDX-License-Identifier: ISC */
#include "companion/why_notes.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char word[] = "why-note";

struct process {
	char name[64];
	bool has_uid;
	char groups[8192]; /* " 4 33 " */
};

static void read_status(int proc, const char *pid, uint32_t uid, struct process *ret) {
	char path[64], line[8192];
	unsigned real, effective;
	FILE *file;
	int fd;

	*ret = (struct process){.groups = " "};
	snprintf(path, sizeof path, "%.32s/status", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	file = fd < 0 ? NULL : fdopen(fd, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		const size_t used = strlen(ret->groups);

		/* NOLINTBEGIN(cert-err34-c): the kernel's numbers fit what it says that they are */
		if (sscanf(line, "Uid: %u %u", &real, &effective) == 2)
			ret->has_uid = effective == uid;
		else if (strncmp(line, "Name:", 5) == 0)
			snprintf(ret->name, sizeof ret->name, "%.*s", (int)strcspn(line + 6, "\n"), line + 6);
		else if (sscanf(line, "Gid: %u %u", &real, &effective) == 2)
			snprintf(ret->groups + used, sizeof ret->groups - used, "%u ", effective);
		/* NOLINTEND(cert-err34-c) */
		else if (strncmp(line, "Groups:", 7) == 0)
			snprintf(ret->groups + used, sizeof ret->groups - used, "%.*s ", (int)strcspn(line + 8, "\n"),
				 line + 8);
	}
	if (file != NULL)
		fclose(file);
}

static bool counts_on_the_way(const struct access *access, uint32_t group) {
	for (const struct access_step *step = access->steps; step < access->steps + access->count; step++) {
		if (step->is_there && step->status.st_gid == group)
			return true;
		for (size_t i = 0; i < step->acl_count; i++)
			if (step->acl[i].class == ACCESS_NAMED_GROUP && step->acl[i].id == group)
				return true;
	}
	return false;
}

void why_note_processes(const struct image *image, const struct person *person, const struct access *access,
			struct findings *notes) {
	DIR *proc = image->prefix[0] != '\0' ? NULL : opendir("/proc");
	struct process process;
	const struct dirent *entry;
	char first[128] = "", number[16];
	uint32_t missing = 0;
	size_t count = 0;

	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		read_status(dirfd(proc), entry->d_name, person->uid, &process);
		for (size_t i = 0; process.has_uid && i < person->group_count; i++) {
			snprintf(number, sizeof number, " %u ", person->groups[i]);
			if (strstr(process.groups, number) != NULL || !counts_on_the_way(access, person->groups[i]))
				continue;
			if (count++ == 0) {
				char *name = output_escaped(process.name, strlen(process.name));

				snprintf(first, sizeof first, "process %.16s (%.64s)", entry->d_name, name);
				missing = person->groups[i];
				free(name);
			}
			break;
		}
	}
	if (proc != NULL)
		closedir(proc);
	if (count > 0) {
		char *group = image_group_name(image, missing);

		if (group == NULL)
			group = output_format("%u", missing);
		findings_add(notes, FINDING_NOTE, NULL, "why-groups", "restart what it belongs to",
			     "%s, which runs as this user, is not in the group %s: it was started before its user was "
			     "added%s",
			     first, group, count > 1 ? "; others too" : "");
		free(group);
	}
}

/* /proc/net/unix: "Num RefCount Protocol Flags Type St Inode Path"; bit 16 of the flags: it listens. */
static void note_socket(const char *path, struct findings *notes) {
	FILE *list = fopen("/proc/net/unix", "re");
	bool is_served = list == NULL;
	char *line = NULL;
	size_t size = 0;
	unsigned flags, type;
	int at;

	while (!is_served && getline(&line, &size, list) > 0) {
		line[strcspn(line, "\n")] = '\0';
		at = 0;
		/* NOLINTNEXTLINE(cert-err34-c): as above */
		if (sscanf(line, "%*s %*s %*s %x %x %*s %*s %n", &flags, &type, &at) < 2 || at == 0)
			continue;
		is_served = strcmp(line + at, path) == 0 && ((flags & 0x10000) != 0 || type == 2 /* SOCK_DGRAM */);
	}
	free(line);
	if (list != NULL)
		fclose(list);
	if (!is_served)
		findings_add(
			notes, FINDING_NOTE, NULL, "why-socket", "start its server",
			"no process listens there under this name: whoever may connect gets \"Connection refused\"");
}

static void note_script(const struct image *image, const struct access_who *who, const struct access_step *file,
			struct findings *notes) {
	char start[2] = "";
	const int fd = image_descriptor(image, file->path, O_RDONLY | O_NOFOLLOW);
	struct stat status;

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && status.st_dev == file->status.st_dev && status.st_ino == file->status.st_ino &&
	    read(fd, start, 2) == 2 && start[0] == '#' && start[1] == '!' &&
	    !access_permits(who, file, ACCESS_R, NULL, NULL))
		findings_add(notes, FINDING_NOTE, NULL, word, NULL,
			     "it is a script: its interpreter must be able to read it, too");
	close(fd);
}

static void note_filesystem(const struct image *image, const char *path, struct findings *notes) {
	const int fd = image_descriptor(image, path, O_PATH);
	struct statfs system;

	if (fd >= 0 && fstatfs(fd, &system) == 0 &&
	    (system.f_type == NFS_SUPER_MAGIC || system.f_type == (__typeof__(system.f_type))CIFS_SUPER_MAGIC ||
	     system.f_type == FUSE_SUPER_MAGIC || system.f_type == V9FS_MAGIC))
		findings_add(notes, FINDING_NOTE, NULL, word, NULL,
			     "its file system asks a server or a program, which may say no on its own");
	if (fd >= 0)
		close(fd);
}

void why_note_access(const struct image *image, const struct access_who *who, const struct access *access,
		     struct findings *notes) {
	const struct access_step *target = access->target;

	if (target == NULL)
		return;
	if (access->mode == ACCESS_CONNECT && S_ISSOCK(target->status.st_mode) && image->prefix[0] == '\0')
		note_socket(target->path, notes);
	if (access->mode == ACCESS_EXECUTE && S_ISREG(target->status.st_mode))
		note_script(image, who, target, notes);
	if (access->mode == ACCESS_WRITE && S_ISDIR(target->status.st_mode) && (target->status.st_mode & S_ISVTX) != 0)
		findings_add(notes, FINDING_NOTE, NULL, word, NULL,
			     "the directory is sticky (+t): files of others cannot be removed from it");
	if (access->mode == ACCESS_WRITE && (target->attributes & STATX_ATTR_APPEND) != 0)
		findings_add(notes, FINDING_NOTE, NULL, word, NULL,
			     "the file has the attribute a: it can only be appended to");
	note_filesystem(image, target->path, notes);
}
