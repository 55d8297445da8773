/* SPDX-License-Identifier: ISC */
/* access: one inode: what is known of it, and what it gives to whom. */
#include "companion/access.h"

#include "companion/output.h"

#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct access_entry read_entry(acl_entry_t entry) {
	struct access_entry ret = {0};
	acl_tag_t tag = ACL_UNDEFINED_TAG;
	acl_permset_t bits = NULL;
	void *id;

	acl_get_tag_type(entry, &tag);
	acl_get_permset(entry, &bits);
	ret.bits = (acl_get_perm(bits, ACL_READ) == 1 ? ACCESS_R : 0U) |
		   (acl_get_perm(bits, ACL_WRITE) == 1 ? ACCESS_W : 0U) |
		   (acl_get_perm(bits, ACL_EXECUTE) == 1 ? ACCESS_X : 0U);
	ret.is_mask = tag == ACL_MASK;
	ret.class = tag == ACL_USER_OBJ	   ? ACCESS_OWNER
		    : tag == ACL_USER	   ? ACCESS_NAMED_USER
		    : tag == ACL_GROUP_OBJ ? ACCESS_GROUP
		    : tag == ACL_GROUP	   ? ACCESS_NAMED_GROUP
					   : ACCESS_OTHER;
	if (tag == ACL_USER || tag == ACL_GROUP) {
		id = output_memory(acl_get_qualifier(entry));
		ret.id = *(const uint32_t *)id;
		acl_free(id);
	}
	return ret;
}

static bool read_acl(int fd, struct access_step *ret) {
	acl_entry_t entry;
	char path[40];
	int which = ACL_FIRST_ENTRY, is_extended;
	acl_t acl;

	/* An O_PATH descriptor answers neither fgetxattr(2) nor acl_get_fd(3); its name in /proc is the inode itself. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	is_extended = acl_extended_file(path);
	ret->lacks_acls = is_extended < 0 && errno == ENOTSUP;
	if (is_extended <= 0)
		return is_extended == 0 || ret->lacks_acls;
	acl = acl_get_file(path, ACL_TYPE_ACCESS);
	if (acl == NULL)
		return false;
	for (; acl_get_entry(acl, which, &entry) == 1; which = ACL_NEXT_ENTRY) {
		ret->acl = output_memory(reallocarray(ret->acl, ret->acl_count + 1, sizeof *ret->acl));
		ret->acl[ret->acl_count++] = read_entry(entry);
	}
	acl_free(acl);
	ret->has_acl = ret->acl_count > 3; /* a directory may have a default ACL only */
	return true;
}

bool access_look(int fd, struct access_step *ret) {
	struct statx more = {0};
	struct statvfs mount;

	if (fstat(fd, &ret->status) != 0)
		return false;
	ret->is_there = true;
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &more) == 0)
		ret->attributes = more.stx_attributes & more.stx_attributes_mask;
	if (fstatvfs(fd, &mount) == 0)
		ret->mount = mount.f_flag;
	return S_ISLNK(ret->status.st_mode) || read_acl(fd, ret);
}

void access_forget(struct access_step *step) {
	free(step->name);
	free(step->path);
	free(step->link);
	free(step->acl);
	*step = (struct access_step){0};
}

static bool is_in(const struct access_who *who, uint32_t gid) {
	bool is_found = who->gid == gid;

	for (size_t i = 0; i < who->group_count; i++)
		is_found = is_found || who->groups[i] == gid;
	return is_found;
}

static unsigned mask_of(const struct access_step *at) {
	for (size_t i = 0; i < at->acl_count; i++)
		if (at->acl[i].is_mask)
			return at->acl[i].bits;
	return ACCESS_R | ACCESS_W | ACCESS_X;
}

/* posix_acl_permission() of the kernel: the named user, else any group that gives all, else any group, else others. */
static enum access_class judge_acl(const struct access_who *who, const struct access_step *at, unsigned bits,
				   unsigned *ret_has) {
	const unsigned mask = mask_of(at);
	enum access_class class = ACCESS_OTHER;

	*ret_has = at->status.st_mode & 7U;
	for (size_t i = 0; i < at->acl_count; i++)
		if (at->acl[i].class == ACCESS_NAMED_USER && at->acl[i].id == who->uid) {
			*ret_has = at->acl[i].bits & mask;
			return ACCESS_NAMED_USER;
		}
	for (size_t i = 0; i < at->acl_count; i++) {
		const struct access_entry *entry = &at->acl[i];
		const bool is_ours = (entry->class == ACCESS_GROUP && is_in(who, at->status.st_gid)) ||
				     (entry->class == ACCESS_NAMED_GROUP && is_in(who, entry->id));

		if (!is_ours || (class != ACCESS_OTHER && (entry->bits & bits) != bits))
			continue;
		class = entry->class;
		*ret_has = entry->bits & mask;
		if ((entry->bits & bits) == bits)
			break;
	}
	return class;
}

static enum access_class judge(const struct access_who *who, const struct access_step *at, unsigned bits,
			       unsigned *ret_has) {
	const unsigned mode = at->status.st_mode;

	if (at->status.st_uid == who->uid) {
		*ret_has = mode >> 6 & 7;
		return ACCESS_OWNER;
	}
	/* An ACL whose mask gives nothing is not even looked at: then named users are others (fs/namei.c). */
	if (at->has_acl && (mode & S_IRWXG) != 0)
		return judge_acl(who, at, bits, ret_has);
	*ret_has = is_in(who, at->status.st_gid) ? mode >> 3 & 7 : mode & 7;
	return is_in(who, at->status.st_gid) ? ACCESS_GROUP : ACCESS_OTHER;
}

bool access_permits(const struct access_who *who, const struct access_step *at, unsigned bits,
		    enum access_class *ret_class, unsigned *ret_has) {
	const unsigned mode = at->status.st_mode;
	unsigned has;
	enum access_class class = judge(who, at, bits, &has);

	if ((has & bits) != bits && who->overrides) {
		class = ACCESS_OVERRIDE;
		has = ACCESS_R | ACCESS_W | (S_ISDIR(mode) || (mode & 0111) != 0 ? ACCESS_X : 0U);
	}
	if (ret_class != NULL)
		*ret_class = class;
	if (ret_has != NULL)
		*ret_has = has;
	return (has & bits) == bits;
}
