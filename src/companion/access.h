/* SPDX-License-Identifier: ISC */
/*
 * access: may somebody read, write, execute, enter, connect to or delete what a path names, and if not, what is in the
 * way?
 *
 * Purpose:  the kernel's answer, component by component, without being that somebody.
 * Runs as:  anyone; what the caller may not look at makes the answer ACCESS_UNKNOWN.
 * Given:    an image, an absolute path in it, ids; symlinks and names may be anybody's.
 * Promises: owner, group, mode, ACL, mount flags, attributes, fs.protected_symlinks and the policy's `write` list are
 *           weighed as Linux does; the walk goes through descriptors, so that nobody can swap what was looked at.
 * Never:    opens a file for reading, writes, or asks what AppArmor, SELinux or a file server think.
 */
#ifndef COMPANION_ACCESS_H
#define COMPANION_ACCESS_H

#include "companion/image.h"

enum access_mode { ACCESS_ENTER, ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE, ACCESS_CONNECT, ACCESS_DELETE };
enum access_verdict { ACCESS_DENIED = 0, ACCESS_ALLOWED, ACCESS_UNKNOWN };
enum { ACCESS_R = 4, ACCESS_W = 2, ACCESS_X = 1 }; /* as in a mode; x of a directory is to go through it */

struct access_who {
	uint32_t uid, gid;
	const uint32_t *groups; /* besides gid, or with it */
	size_t group_count;
	bool overrides;	 /* root with CAP_DAC_OVERRIDE and CAP_FOWNER */
	bool is_limited; /* the policy has a `write` list: only these and the launcher's devices are writable */
	const char *const *writes; /* absolute paths in the image */
	size_t write_count;
};

enum access_reason {
	ACCESS_FINE,
	ACCESS_PERMISSION, /* owner, group, mode, ACL: `class` says which of them decided */
	ACCESS_MISSING,
	ACCESS_UNREADABLE, /* we ourselves may not look there, errno in `error` */
	ACCESS_NOT_DIRECTORY,
	ACCESS_WRONG_TYPE,   /* a socket to read, a file to connect to ... */
	ACCESS_LOOP,	     /* more than 40 symlinks */
	ACCESS_PROCESS_LINK, /* of /proc: where it goes depends on who asks */
	ACCESS_STICKY_LINK,  /* fs.protected_symlinks */
	ACCESS_STICKY,	     /* another one's file in a directory like /tmp cannot be deleted */
	ACCESS_READ_ONLY,
	ACCESS_NOEXEC,
	ACCESS_NODEV,
	ACCESS_NOSYMFOLLOW,
	ACCESS_IMMUTABLE,   /* chattr +i */
	ACCESS_APPEND_ONLY, /* chattr +a: nothing can be deleted */
	ACCESS_LANDLOCK,    /* not in the `write` list */
};

/* What of an inode's permissions is about this person. */
enum access_class {
	ACCESS_OWNER,
	ACCESS_NAMED_USER, /* an ACL entry, as is the next but one */
	ACCESS_GROUP,
	ACCESS_NAMED_GROUP,
	ACCESS_OTHER,
	ACCESS_OVERRIDE,
};

struct access_entry { /* of an ACL */
	enum access_class class;
	bool is_mask;
	uint32_t id;
	unsigned bits;
};

struct access_step {
	char *name;	/* as written; "/" for the top */
	char *path;	/* where it really is, in the image; no symlink but itself */
	unsigned depth; /* how many symlinks it stands in */
	bool is_there;
	struct stat status;
	char *link; /* where a symlink goes; NULL: it is none */
	struct access_entry *acl;
	size_t acl_count;
	bool has_acl;	     /* beyond the mode */
	bool lacks_acls;     /* the file system knows none */
	bool is_mount;	     /* the first component on its mount */
	unsigned long mount; /* flags of statvfs(3): ST_RDONLY ... */
	uint64_t attributes; /* of statx(2) */
	unsigned needs;	     /* what was asked of it; 0: nothing */
	enum access_reason reason;
	enum access_class class; /* what decided ... */
	unsigned has;		 /* ... and what it gives */
	int error;		 /* what the kernel would answer, or why we could not look */
};

struct access {
	enum access_mode mode;
	enum access_verdict verdict;
	bool is_outside;		  /* what is to be written, made or removed is not in the `write` list */
	bool creates;			  /* to write a file that is not there is to make it */
	const struct access_step *first;  /* the first that denies (or, unknown, that hides); NULL: none */
	const struct access_step *target; /* what the path names; NULL: nothing */
	size_t count, denials;
	struct access_step *steps;
};

/* path: absolute. Free with access_free. Never NULL. */
struct access *access_path(const struct image *image, const struct access_who *who, const char *path,
			   enum access_mode mode);
void access_free(struct access *access);

/* The rights alone, of anything that was looked at: do these bits (ACCESS_R ...) suffice? ret_* may be NULL. */
bool access_permits(const struct access_who *who, const struct access_step *at, unsigned bits,
		    enum access_class *ret_class, unsigned *ret_has);

/* Fills status, ACL, mount flags and attributes from a descriptor (O_PATH will do). false: errno. */
bool access_look(int fd, struct access_step *ret);
void access_forget(struct access_step *step); /* what access_look allocated, and the names */

/* "enter" ...; false: no such mode. */
bool access_mode_read(const char *word, enum access_mode *ret);
const char *access_mode_name(enum access_mode mode);

/* --- in words; new strings --- */

struct access_names {		   /* how messages and commands call the person */
	const char *person;	   /* a name or a number */
	const char *policy_path;   /* of the app, when its policy can mend it; NULL: another user */
	const char *policy_groups; /* what its `groups` is now: "shop web" */
};

/* Why this step denies: "others have no x, and www-data is not in the group app". */
char *access_words(const struct image *image, const struct access *access, const struct access_step *step,
		   const struct access_names *names);

/* The least that would mend this step and opens it to nobody else where that can be had; NULL: nothing known. */
char *access_mend(const struct image *image, const struct access_who *who, const struct access *access,
		  const struct access_step *step, const struct access_names *names);

/* "user:www-data:r-x group:web:r-x mask::r-x": what an ACL says beyond owner, group and others; "" for none. */
char *access_acl_text(const struct image *image, const struct access_step *step);

#endif
