/* SPDX-License-Identifier: ISC */
#include "policy/trust.h"

bool trust_check(enum trust_kind kind, uint32_t uid, uint32_t mode, uint64_t size, uint64_t most, struct text path,
		 struct problem *why) {
	const uint32_t type = mode & 0170000; /* inode(7): S_IFMT */

	if (type != (kind == TRUST_DIRECTORY ? 0040000 : 0100000))
		problem_about(why, "policy-type", kind == TRUST_DIRECTORY ? "is not a directory" : "is not a regular file",
			      (struct text){0}, "no symlink, FIFO or device; in Kubernetes mount it with subPath, or copy it");
	else if (uid != 0)
		problem_about(why, "policy-owner", "does not belong to root", (struct text){0}, "chown root: ");
	else if ((mode & 022) != 0)
		problem_about(why, "policy-mode", "can be written by others than root", (struct text){0},
			      "chmod go-w (in a Dockerfile: COPY --chmod=0644) ");
	else if (kind == TRUST_FILE && size > most)
		problem_about(why, "policy-size", "is too large", (struct text){0}, NULL);
	else
		return true;
	why->object = path;
	why->hint_about = why->hint != NULL && why->hint[0] == 'c' ? path : (struct text){0}; /* chown, chmod */
	return false;
}
