/* SPDX-License-Identifier: ISC */
/* access, in words: why a component denies, and the least that would mend it. */
#include "companion/access.h"

#include "companion/output.h"
#include "companion/shell.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

static char *user_of(const struct image *image, uint32_t uid) {
	char *name = image_user_name(image, uid);

	return name != NULL ? name : output_format("%u", uid);
}

static char *group_of(const struct image *image, uint32_t gid) {
	char *name = image_group_name(image, gid);

	return name != NULL ? name : output_format("%u", gid);
}

static void bits_text(unsigned bits, char ret[4]) {
	snprintf(ret, 4, "%s%s%s", (bits & ACCESS_R) != 0 ? "r" : "", (bits & ACCESS_W) != 0 ? "w" : "",
		 (bits & ACCESS_X) != 0 ? "x" : "");
}

char *access_acl_text(const struct image *image, const struct access_step *step) {
	char *text = output_memory(strdup(""));

	for (size_t i = 0; step->has_acl && i < step->acl_count; i++) {
		const struct access_entry *entry = &step->acl[i];
		const bool is_user = entry->class == ACCESS_NAMED_USER, is_group = entry->class == ACCESS_NAMED_GROUP;
		const char *tag = entry->is_mask ? "mask" : is_user ? "user" : "group";
		char *name, *longer;

		/* The group's own entry is not what the mode shows. */
		if (!entry->is_mask && !is_user && !is_group && entry->class != ACCESS_GROUP)
			continue;
		name = is_user	  ? user_of(image, entry->id)
		       : is_group ? group_of(image, entry->id)
				  : output_memory(strdup(""));
		longer = output_format("%s%s%s:%s:%c%c%c", text, text[0] != '\0' ? " " : "", tag, name,
				       (entry->bits & ACCESS_R) != 0 ? 'r' : '-',
				       (entry->bits & ACCESS_W) != 0 ? 'w' : '-',
				       (entry->bits & ACCESS_X) != 0 ? 'x' : '-');
		free(name);
		free(text);
		text = longer;
	}
	return text;
}

static const struct access_entry *named_entry(const struct access_step *step, uint32_t uid) {
	for (size_t i = 0; i < step->acl_count; i++)
		if (step->acl[i].class == ACCESS_NAMED_USER && step->acl[i].id == uid)
			return &step->acl[i];
	return NULL;
}

static char *permission_words(const struct image *image, const struct access_step *step,
			      const struct access_names *names) {
	char lacks[4], *owner = user_of(image, step->status.st_uid), *group = group_of(image, step->status.st_gid),
		       *ret = NULL;

	bits_text(step->needs & ~step->has, lacks);
	switch (step->class) {
	case ACCESS_OWNER: ret = output_format("its owner %s has no %s", owner, lacks); break;
	case ACCESS_NAMED_USER:
		ret = output_format("its ACL entry for %s, as far as the mask lets it, gives no %s", names->person,
				    lacks);
		break;
	case ACCESS_GROUP:
		ret = output_format("%s is in its group %s, which has no %s", names->person, group, lacks);
		break;
	case ACCESS_NAMED_GROUP:
		ret = output_format("its ACL entries for groups of %s, as far as the mask lets them, give no %s",
				    names->person, lacks);
		break;
	case ACCESS_OTHER:
		ret = output_format("others have no %s, and %s is neither its owner (%s) nor in its group (%s)", lacks,
				    names->person, owner, group);
		break;
	case ACCESS_OVERRIDE: ret = output_format("nobody has %s, which even root needs", lacks); break;
	}
	free(owner);
	free(group);
	return ret;
}

char *access_words(const struct image *image, const struct access *access, const struct access_step *step,
		   const struct access_names *names) {
	const char *type_words[] = {
		[ACCESS_ENTER] = "is not a directory",
		[ACCESS_READ] = "is a socket: it can be connected to, not opened",
		[ACCESS_WRITE] = "is a socket: it can be connected to, not opened",
		[ACCESS_EXECUTE] = "is not a regular file",
		[ACCESS_CONNECT] = "is not a socket: connection refused",
		[ACCESS_DELETE] = "cannot be removed",
	};

	switch (step->reason) {
	case ACCESS_FINE: return output_format("is no obstacle");
	case ACCESS_PERMISSION: return permission_words(image, step, names);
	case ACCESS_MISSING:
		return output_format(access->mode == ACCESS_CONNECT
					     ? "does not exist: its server makes it when it starts"
					     : "does not exist");
	case ACCESS_UNREADABLE:
		return output_format("may not be looked at by who asks here: %s", strerror(step->error));
	case ACCESS_NOT_DIRECTORY: return output_format("is not a directory");
	case ACCESS_WRONG_TYPE: return output_format("%s", type_words[access->mode]);
	case ACCESS_LOOP: return output_format("is one symlink too many: a loop?");
	case ACCESS_PROCESS_LINK:
		return output_format("leads each process to something of its own; it cannot be told from here");
	case ACCESS_STICKY_LINK:
		return output_format("is somebody's symlink in a directory that all may write to, and not followed "
				     "(fs.protected_symlinks)");
	case ACCESS_STICKY:
		return output_format(
			"belongs to somebody else, and its directory (mode +t) lets only owners remove things");
	case ACCESS_READ_ONLY: return output_format("is on a file system that is mounted read-only");
	case ACCESS_NOEXEC: return output_format("is on a file system that is mounted noexec");
	case ACCESS_NODEV: return output_format("is a device on a file system that is mounted nodev");
	case ACCESS_NOSYMFOLLOW: return output_format("is a symlink on a file system that is mounted nosymfollow");
	case ACCESS_IMMUTABLE: return output_format("has the attribute i (immutable)");
	case ACCESS_APPEND_ONLY: return output_format("has the attribute a (append only)");
	case ACCESS_LANDLOCK: return output_format("is not at or below a `write` path of the policy");
	}
	return output_format("denies");
}

/* --- commands --- */

static const struct access_step *above(const struct access *access, const struct access_step *step) {
	const size_t length = (size_t)(strrchr(step->path, '/') - step->path);

	for (size_t i = 0; i < access->count; i++)
		if (length == 0 ? strcmp(access->steps[i].path, "/") == 0
				: strlen(access->steps[i].path) == length &&
					  strncmp(access->steps[i].path, step->path, length) == 0)
			return &access->steps[i];
	return NULL;
}

static bool is_below(const char *path, const char *directory) {
	const size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Groups that are worth far more than one file: nobody joins them for it. */
static bool is_powerful(const char *group) {
	static const char *const powerful[] = {"root", "adm",  "bin",	 "daemon", "disk", "docker", "kmem",
					       "kvm",  "lxd",  "shadow", "staff",  "sudo", "sys",    "systemd-journal",
					       "tty",  "wheel"};

	for (size_t i = 0; i < sizeof powerful / sizeof powerful[0]; i++)
		if (strcmp(group, powerful[i]) == 0)
			return true;
	return false;
}

static bool is_below_any(const char *path, const char *const *directories) {
	for (; *directories != NULL; directories++)
		if (is_below(path, *directories))
			return true;
	return false;
}

/* What no app and no web server should get at, whatever they ask for: it belongs elsewhere. */
static bool is_roots_alone(const struct access_step *step) {
	static const char *const secrets[] = {
		"/root", "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssl/private", NULL};
	static const char *const system[] = {"/bin",   "/boot", "/etc", "/lib", "/lib32",
					     "/lib64", "/sbin", "/usr", NULL};
	const bool is_written = (step->needs & ACCESS_W) != 0;

	return step->status.st_uid == 0 &&
	       (is_below_any(step->path, secrets) ||
		(is_written && (strcmp(step->path, "/") == 0 || is_below_any(step->path, system))));
}

/* In an image that is not running, only numbers mean what they mean here. */
static char *person_word(const struct image *image, const struct access_who *who, const struct access_names *names) {
	return image->prefix[0] != '\0' ? output_format("%u", who->uid) : shell_quoted(names->person);
}

static char *group_word(const struct image *image, uint32_t gid) {
	return image->prefix[0] != '\0' ? output_format("%u", gid) : group_of(image, gid);
}

static char *join_group(const struct image *image, const struct access_names *names, const char *group) {
	char *person = shell_quoted(names->person), *quoted = shell_quoted(group),
	     *prefix = shell_quoted(image->prefix), *ret;

	if (names->policy_path != NULL)
		ret = output_format("in %s: groups = %s %s", names->policy_path, names->policy_groups, group);
	else if (image->prefix[0] != '\0')
		ret = output_format("usermod -P %s -aG %s %s", prefix, quoted, person);
	else
		ret = output_format("usermod -aG %s %s", quoted, person);
	free(person);
	free(quoted);
	free(prefix);
	return ret;
}

/* Others' rights are what is missing; the group, or an ACL entry, lets in one person and not everybody. */
static char *mend_other(const struct image *image, const struct access_who *who, const struct access_step *step,
			const struct access_names *names, const char *path, const char *person) {
	const bool is_made_anew =
		S_ISSOCK(step->status.st_mode) || is_below(step->path, "/run") || is_below(step->path, "/var/run");
	char *group = image_group_name(image, step->status.st_gid), *ret, *join;
	const unsigned lacks = step->needs & ~(step->status.st_mode >> 3 & 7U);
	char bits[4], needed[4];

	bits_text(lacks, bits);
	bits_text(step->needs, needed);
	const bool can_join =
		group != NULL && !step->has_acl && !is_powerful(group) &&
		(names->policy_path != NULL || names->person[strspn(names->person, "0123456789")] != '\0');
	if (can_join && (lacks == 0 || is_made_anew || step->lacks_acls)) {
		join = join_group(image, names, group);
		ret = lacks == 0 ? output_format("%s", join) : output_format("%s; chmod g+%s %s", join, bits, path);
		free(join);
	} else if (is_made_anew || step->lacks_acls) {
		char *own = group_word(image, who->gid);

		bits_text(step->needs, bits);
		ret = output_format("chgrp %s %s; chmod g+%s %s", own, path, bits, path);
		free(own);
	} else {
		ret = output_format("setfacl -m u:%s:%s %s", person, needed, path);
	}
	free(group);
	return ret;
}

static char *mend_permission(const struct image *image, const struct access_who *who, const struct access *access,
			     const struct access_step *step, const struct access_names *names, const char *path) {
	const struct access_step *directory = above(access, step);
	const struct access_entry *entry = named_entry(step, who->uid);
	char bits[4], *person = person_word(image, who, names), *group = group_word(image, who->gid), *ret;

	bits_text(step->needs & ~step->has, bits);
	if (step->class != ACCESS_OWNER && is_roots_alone(step)) {
		free(person);
		free(group);
		return output_format("use another place: %s is for root alone%s", path,
				     (step->needs & ACCESS_W) != 0 ? " to write" : "");
	}
	/* Whose the directory is could put another file in its place anyway: to own this one gives nothing more. With a
	 * second name it might be a file that matters elsewhere. */
	if (step->class != ACCESS_OWNER && S_ISREG(step->status.st_mode) && directory != NULL &&
	    directory->status.st_uid == who->uid && (directory->status.st_mode & S_ISVTX) == 0 &&
	    step->status.st_nlink == 1 && (step->status.st_mode >> 6 & step->needs) == step->needs)
		ret = output_format("chown -h %s:%s %s", person, group, path);
	else if (step->class == ACCESS_OVERRIDE || step->class == ACCESS_OWNER)
		ret = output_format("chmod u+%s %s", bits, path);
	else if (step->class == ACCESS_GROUP && !step->has_acl)
		ret = output_format("chmod g+%s %s", bits, path);
	else if (step->class == ACCESS_OTHER && (!step->has_acl || entry == NULL))
		ret = mend_other(image, who, step, names, path, person);
	else {
		bits_text(step->needs | (entry != NULL ? entry->bits : step->has), bits);
		ret = output_format("setfacl -m u:%s:%s %s", person, bits, path);
	}
	free(person);
	free(group);
	return ret;
}

static char *mend_mount(const struct image *image, const struct access *access, const struct access_step *step,
			const char *option) {
	const struct access_step *mount = step;
	char *whole, *quoted, *ret;

	while (mount != NULL && !mount->is_mount && strcmp(mount->path, "/") != 0)
		mount = above(access, mount);
	whole = output_format("%s%s", image->prefix, mount == NULL ? "/" : mount->path);
	quoted = shell_quoted(whole);
	ret = output_format("mount -o remount,%s %s", option, quoted);
	free(whole);
	free(quoted);
	return ret;
}

static char *mend_write(const struct access *access, const struct access_step *step, const struct access_names *names) {
	const struct access_step *directory = above(access, step);

	if (names->policy_path == NULL || directory == NULL)
		return NULL;
	if (step->is_there && S_ISDIR(step->status.st_mode) && access->mode != ACCESS_DELETE)
		directory = step;
	return output_format("in %s: write = %s", names->policy_path, directory->path);
}

/* A command that changes the rights of what is at the path: see shell_command. */
static char *guarded(const struct image *image, const char *path, const char *quoted, char *mend) {
	const size_t end = strlen(quoted);
	size_t length;
	char *ret;

	if (mend == NULL)
		return NULL;
	length = strlen(mend);
	if (length <= end + 1 || strcmp(mend + length - end, quoted) != 0 || strchr(mend, ';') != NULL ||
	    (strncmp(mend, "ch", 2) != 0 && strncmp(mend, "setfacl ", 8) != 0) || strncmp(mend, "chattr", 6) == 0)
		return mend;
	mend[length - end - 1] = '\0';
	ret = shell_command(image, path, mend);
	free(mend);
	return ret;
}

char *access_mend(const struct image *image, const struct access_who *who, const struct access *access,
		  const struct access_step *step, const struct access_names *names) {
	char *whole = output_format("%s%s", image->prefix, step->path), *path = shell_quoted(whole), *ret = NULL;
	char *person = person_word(image, who, names), *group = group_word(image, who->gid);

	switch (step->reason) {
	case ACCESS_PERMISSION: ret = mend_permission(image, who, access, step, names, path); break;
	case ACCESS_MISSING:
		if (access->mode == ACCESS_WRITE || access->mode == ACCESS_ENTER)
			ret = output_format("install -d -o %s -g %s -m 0750 %s", person, group, path);
		break;
	case ACCESS_STICKY_LINK:
	case ACCESS_STICKY: ret = output_format("chown -h %s %s", person, path); break;
	case ACCESS_READ_ONLY: ret = mend_mount(image, access, step, "rw"); break;
	case ACCESS_NOEXEC: ret = mend_mount(image, access, step, "exec"); break;
	case ACCESS_NODEV: ret = mend_mount(image, access, step, "dev"); break;
	case ACCESS_NOSYMFOLLOW: ret = mend_mount(image, access, step, "symfollow"); break;
	case ACCESS_IMMUTABLE: ret = output_format("chattr -i %s", path); break;
	case ACCESS_APPEND_ONLY: ret = output_format("chattr -a %s", path); break;
	case ACCESS_LANDLOCK: ret = mend_write(access, step, names); break;
	case ACCESS_FINE:
	case ACCESS_UNREADABLE:
	case ACCESS_NOT_DIRECTORY:
	case ACCESS_WRONG_TYPE:
	case ACCESS_LOOP:
	case ACCESS_PROCESS_LINK: break;
	}
	ret = guarded(image, step->path, path, ret);
	free(whole);
	free(path);
	free(person);
	free(group);
	return ret;
}
