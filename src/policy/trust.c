/* SPDX-License-Identifier: ISC */
#include "policy/authorize.h"

bool trust_check(enum trust_kind kind, uint32_t uid, uint32_t mode, uint64_t size, uint64_t most, struct text path,
		 struct problem *why) {
	const uint32_t type = mode & 0170000; /* inode(7): S_IFMT */
	const struct text none = {0};
	const char *const not_that = kind == TRUST_DIRECTORY ? "is not a directory" : "is not a regular file";

	if ((type == (kind == TRUST_DIRECTORY ? 0040000 : 0100000) ||
	     problem_about(why, "policy-type", not_that, none,
			   "no symlink, FIFO or device; in Kubernetes mount it with subPath, or copy it")) &&
	    (uid == 0 || problem_about(why, "policy-owner", "does not belong to root", none, "chown root: ")) &&
	    ((mode & 022) == 0 || problem_about(why, "policy-mode", "can be written by others than root", none,
						kind == TRUST_DIRECTORY ? "chmod go-w "
						: "chmod go-w (in a Dockerfile: COPY --chmod=0644) ")) &&
	    (kind != TRUST_SECRET || (mode & 077) == 0 ||
	     problem_about(why, "env-file", "can be read by others than root", none, "chmod 600 ")) &&
	    (kind == TRUST_DIRECTORY || size <= most || problem_about(why, "policy-size", "is too large", none, NULL)))
		return true;
	why->object = path;
	why->hint_about = why->hint != NULL && why->hint[0] == 'c' ? path : (struct text){0}; /* chown, chmod */
	return false;
}
