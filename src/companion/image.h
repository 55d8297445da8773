/* SPDX-License-Identifier: ISC */
/*
 * image: the files of the system that is being looked at: this one, or one that is not running (--root DIR).
 *
 * Purpose:  absolute paths of policies and accounts, resolved below DIR, symlinks too.
 * Given:    absolute paths; DIR may hold anything.
 * Promises: nothing outside of DIR is opened, whatever symlinks it holds (openat2(2), RESOLVE_IN_ROOT).
 * Never:    writes; blocks on a FIFO; goes to NSS: accounts are those that the launcher sees.
 */
#ifndef COMPANION_IMAGE_H
#define COMPANION_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { IMAGE_MOST_ACCOUNTS = 256 << 20 }; /* bytes of /etc/passwd or /etc/group */

struct image {
	int root;	    /* descriptor, O_PATH */
	const char *prefix; /* what names in messages begin with: "" for / */
};

/* directory NULL: this system. false: errno. */
bool image_open(struct image *ret, const char *directory);

/* -1 with errno. O_CLOEXEC, O_NONBLOCK and O_NOCTTY are added. */
int image_descriptor(const struct image *image, const char *path, int flags);
bool image_stat(const struct image *image, const char *path, struct stat *ret);	  /* symlinks followed */
bool image_lstat(const struct image *image, const char *path, struct stat *ret); /* the last one not */

/* The whole regular file with a NUL behind it, a new buffer; NULL with errno (EFBIG: larger than most; EINVAL: a device
 * or a FIFO, which is not opened). */
char *image_read(const struct image *image, const char *path, size_t most, size_t *ret_length);

/* The path of runas-app there, as hints and templates name it: where it is installed, else where a package puts it. */
const char *image_launcher(const struct image *image);

/*
 * Waits until nobody else writes in this directory: a descriptor for image_unlock, or -1. The `.lock` that it makes is for
 * root alone: the directory itself anybody may open and lock, and so keep root from changing a policy.
 */
int image_lock(int directory);
void image_unlock(int directory, int lock);

/* --- accounts, from the image's /etc/passwd and /etc/group --- */

struct person {
	char name[64]; /* "" when the number has no entry */
	uint32_t uid, gid;
	uint32_t *groups; /* the primary one, and those of /etc/group: what a login gets */
	size_t group_count;
	char *home, *shell; /* "" when it has none */
};

/* By name or number; a number without an entry is a person with that uid, its gid the same. NULL: no such user, or errno. */
struct person *image_person(const struct image *image, const char *name_or_number);
void person_free(struct person *person);
bool person_has_group(const struct person *person, uint32_t gid);

/* New strings: the name, or NULL when there is none. */
char *image_user_name(const struct image *image, uint32_t uid);
char *image_group_name(const struct image *image, uint32_t gid);

#endif
