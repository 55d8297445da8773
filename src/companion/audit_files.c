/* SPDX-License-Identifier: ISC */
/* audit: whose the app's files are, and what the policy's umask would not have made. */
#include "companion/audit.h"

#include "companion/shell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- places --- */

static const struct access_who anybody = {.overrides = true};

/* Where a path of the policy really is, and its status; NULL: not there. */
static char *resolve(struct audit *a, const char *path, struct access_step *ret_step) {
	struct access *access = access_path(a->image, &anybody, path, ACCESS_READ);
	char *ret = access->target == NULL ? NULL : output_memory(strdup(access->target->path));

	if (ret != NULL)
		ret_step->status = access->target->status;
	a->unread += access->verdict == ACCESS_UNKNOWN;
	access_free(access);
	return ret;
}

static bool is_too_wide(const struct audit *a, const char *path, const struct stat *status) {
	const bool is_shared = (status->st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH);

	return strcmp(path, "/") == 0 || is_shared ||
	       (strchr(path + 1, '/') == NULL && status->st_uid != a->target.who.uid);
}

static void add_place(struct audit *a, struct text written, struct audit_place is, bool must_own) {
	char *name = output_memory(strndup(written.length == 0 ? "" : written.at, written.length)), *path = NULL;
	struct access_step step = {0};
	bool is_new = written.length > 0;

	if (is_new)
		path = resolve(a, name, &step);
	is_new = path != NULL && (!must_own || step.status.st_uid == a->target.who.uid);
	for (size_t i = 0; is_new && i < a->place_count; i++)
		if (strcmp(a->places[i].path, path) == 0 && strcmp(a->places[i].written, name) == 0) {
			a->places[i].is_written |= is.is_written;
			a->places[i].is_scratch |= is.is_scratch;
			a->places[i].is_code |= is.is_code;
			is_new = false;
		}
	if (is_new && is_too_wide(a, path, &step.status)) {
		char *shown = audit_shown(a, path);

		audit_add(a, FINDING_NOTE, shown, "audit-place", NULL, "is shared with others, so it was not walked");
		free(shown);
		is_new = false;
	}
	if (!is_new) {
		free(name);
		free(path);
		return;
	}
	a->places = output_memory(reallocarray(a->places, a->place_count + 1, sizeof *a->places));
	is.written = name;
	is.path = path;
	a->places[a->place_count++] = is;
}

void audit_places(struct audit *a) {
	const struct policy *policy = &a->draft->policy;
	const struct text own_home = a->draft->accounts.user.home;
	struct text directory = policy_value(policy, KEY_DIRECTORY), home = policy_value(policy, KEY_HOME);
	static const char current[] = "/current";
	const size_t tail = sizeof current - 1;

	home = home.length > 0 ? home : own_home;
	directory = directory.length > 0 ? directory : home;
	add_place(a, directory, (struct audit_place){.is_code = true}, false);
	/* Capistrano and its like: current -> releases/N, and what outlives a release in shared. */
	if (directory.length > tail && memcmp(directory.at + directory.length - tail, current, tail) == 0) {
		char *shared = output_format("%.*s/shared", (int)(directory.length - tail), directory.at);

		add_place(a, text_of(shared), (struct audit_place){0}, false);
		free(shared);
	}
	add_place(a, home, (struct audit_place){.is_code = true}, true);
	for (enum policy_key key = KEY_WRITE; key <= KEY_TMP; key++)
		for (const struct setting *s = NULL; (s = policy_next(policy, key, s)) != NULL;)
			add_place(a, s->value, (struct audit_place){.is_written = true, .is_scratch = key == KEY_TMP},
				  false);
}

/* --- files --- */

struct directory {
	int fd;
	const char *path;
	const struct stat *status;
	bool is_apps;	 /* the app makes files there, so they should be its own */
	bool is_scratch; /* at or below `tmp` */
	unsigned depth;
	dev_t device;
};

static void show_progress(struct audit *a, bool is_end) {
	static struct timespec last;
	struct timespec now;

	if (!isatty(STDERR_FILENO) || (!is_end && a->seen % 1024 != 0))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (is_end && last.tv_sec != 0)
		fputs("\r\033[K", stderr);
	else if (!is_end && (last.tv_sec == 0 || now.tv_sec != last.tv_sec)) {
		fprintf(stderr, "\r%zu files ...\033[K", a->seen);
		last = now;
	}
}

static char *name_of_user(const struct audit *a, uint32_t uid) {
	char *name = image_user_name(a->image, uid);

	return name != NULL ? name : output_format("the number %u", uid);
}

/* With a second name it may be a file that matters elsewhere: no command for that. */
static char *mend_owner(const struct audit *a, const char *path, const struct stat *status, uint32_t uid,
			uint32_t gid) {
	char *quoted, *ret;

	if (S_ISDIR(status->st_mode) || status->st_nlink == 1)
		return audit_chown(a, uid, gid, path);
	quoted = audit_shell_path(a, path);
	ret = output_format(
		"it has %ju names, and another one may matter elsewhere: look first (find / -xdev -samefile %s)",
		(uintmax_t)status->st_nlink, quoted);
	free(quoted);
	return ret;
}

static void check_owner(struct audit *a, const struct directory *in, const char *path, const struct stat *status) {
	const bool is_strange = in->is_apps && (status->st_uid == 0 || !S_ISDIR(status->st_mode));
	const bool is_root_among_others = !in->is_apps && status->st_uid == 0 && in->status->st_uid != 0;
	const uint32_t uid = is_strange ? a->target.who.uid : in->status->st_uid;
	char *shown, *hint, *owner, *wanted;

	if (!is_strange && !is_root_among_others) {
		a->foreign++;
		return;
	}
	shown = audit_shown(a, path);
	owner = name_of_user(a, status->st_uid);
	wanted = name_of_user(a, uid);
	hint = mend_owner(a, path, status, uid, is_strange ? a->target.who.gid : in->status->st_gid);
	audit_add(a, is_strange && !S_ISLNK(status->st_mode) ? FINDING_ERROR : FINDING_WARNING, shown, "audit-owner",
		  hint, is_strange ? "belongs to %s, not to %s%s" : "belongs to %s, in a directory of %s%s", owner,
		  wanted, status->st_uid == 0 ? ": made by a run as root?" : "");
	free(shown);
	free(owner);
	free(wanted);
	free(hint);
}

/* Made narrow on purpose. */
static bool is_private(const char *path) {
	const char *name = strrchr(path, '/') + 1, *dot = strrchr(name, '.');

	return name[0] == '.' || (dot != NULL && (strcmp(dot, ".key") == 0 || strcmp(dot, ".pem") == 0 ||
						  strcmp(dot, ".lock") == 0 || strcmp(dot, ".pid") == 0));
}

static bool is_log(const char *path) {
	const char *name = strrchr(path, '/') + 1;

	return strstr(name, ".log") != NULL || strstr(path, "/log/") != NULL || strstr(path, "/logs/") != NULL;
}

static bool has_acl(int directory, const char *name) {
	const int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct access_step step = {0};
	bool ret = fd < 0 || !access_look(fd, &step) || step.has_acl;

	access_forget(&step);
	if (fd >= 0)
		close(fd);
	return ret;
}

static void check_mode(struct audit *a, const struct directory *in, const char *path, const struct stat *status) {
	const unsigned mode = status->st_mode & 0777U, reading = S_ISDIR(status->st_mode) ? 050U : 040U;
	/* Temporary files are narrow on purpose: a hint that opens them to the group would give secrets away. */
	const unsigned extra = mode & a->target.umask & (in->is_scratch ? 002U : 022U);
	const unsigned lacks = in->is_scratch ? 0 : reading & ~a->target.umask & ~mode;
	char *shown, *command, *hint;

	a->readable += (mode & a->target.umask & 004U) != 0;
	/* With an ACL the group's bits are the mask's. */
	if ((extra == 0 && (lacks == 0 || is_private(path))) || has_acl(in->fd, strrchr(path, '/') + 1))
		return;
	shown = audit_shown(a, path);
	if (extra != 0) {
		const char *who = extra == 022 ? "go-w" : extra == 020 ? "g-w" : "o-w";

		command = output_format("chmod %s", who);
		hint = shell_command(a->image, path, command);
		audit_add(a, FINDING_ERROR, shown, "audit-mode", hint,
			  "mode %04o: %s may write it, which umask %04o would not have made", mode,
			  extra == 022	 ? "group and others"
			  : extra == 020 ? "the group"
					 : "others",
			  a->target.umask);
	} else {
		command = output_format("chmod g+%s", reading == 050 ? "rx" : "r");
		hint = shell_command(a->image, path, command);
		/* 0600 has two reasons: a umask that is not the policy's, or a program that wanted it (mkstemp). */
		const bool is_meant = S_ISREG(status->st_mode) && (mode & 077U) == 0 && !is_log(path);

		audit_add(a, is_meant ? FINDING_NOTE : FINDING_WARNING, shown, "audit-narrow", is_meant ? NULL : hint,
			  "mode %04o: the group cannot read it, which umask %04o would have let it%s", mode,
			  a->target.umask, is_meant ? ", unless its program wanted it so" : "");
	}
	free(shown);
	free(command);
	free(hint);
}

static void check_entry(struct audit *a, const struct directory *in, const char *path, const struct stat *status) {
	if (status->st_uid != a->target.who.uid)
		check_owner(a, in, path, status);
	else if (!S_ISLNK(status->st_mode) && !S_ISSOCK(status->st_mode))
		check_mode(a, in, path, status);
	if (S_ISSOCK(status->st_mode) && !in->is_scratch && a->socket_count < AUDIT_MOST_LOGS)
		audit_keep(&a->sockets, &a->socket_count, output_memory(strdup(path)));
	if (S_ISREG(status->st_mode) && a->log_count < AUDIT_MOST_LOGS && is_log(path))
		audit_keep(&a->logs, &a->log_count, output_memory(strdup(path)));
}

static void take_place(const struct audit *a, struct directory *in) {
	for (size_t i = 0; i < a->place_count; i++)
		if (strcmp(a->places[i].path, in->path) == 0) {
			in->is_apps |= a->places[i].is_written;
			in->is_scratch |= a->places[i].is_scratch;
		}
}

static void walk(struct audit *a, const struct directory *in);

/* Takes the descriptor over. */
static void enter(struct audit *a, int fd, const char *path, const struct directory *above) {
	struct access_step step = {0};
	struct directory in = {.fd = fd,
			       .path = path,
			       .is_scratch = above != NULL && above->is_scratch,
			       .depth = above == NULL ? 0 : above->depth + 1};
	const bool was_apps = above != NULL && above->is_apps;

	if (!access_look(fd, &step)) {
		a->unread++;
		close(fd);
		return;
	}
	in.status = &step.status;
	in.device = step.status.st_dev;
	in.is_apps = step.status.st_uid == a->target.who.uid || (was_apps && step.status.st_uid == 0) ||
		     access_permits(&a->target.who, &step, ACCESS_W | ACCESS_X, NULL, NULL);
	take_place(a, &in);
	walk(a, &in);
	access_forget(&step);
	close(fd);
}

static int by_bytes(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int is_entry(const struct dirent *entry) {
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void look_at(struct audit *a, const struct directory *in, const char *name) {
	struct stat status;
	char *path;
	int fd;

	if (fstatat(in->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	a->seen++;
	show_progress(a, false);
	path = output_format("%s/%s", in->path, name);
	check_entry(a, in, path, &status);
	/* Other file systems are other places: a bind mount may even lead back here. */
	if (S_ISDIR(status.st_mode) && status.st_dev == in->device && in->depth < AUDIT_MOST_DEPTH) {
		fd = openat(in->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			enter(a, fd, path, in);
		else
			a->unread++;
	}
	free(path);
}

static void walk(struct audit *a, const struct directory *in) {
	struct dirent **entries;
	const int count = scandirat(in->fd, ".", &entries, is_entry, by_bytes);

	a->unread += count < 0;
	for (int i = 0; i < count; i++) {
		if (a->seen < AUDIT_MOST_FILES)
			look_at(a, in, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static bool is_covered(const struct audit *a, size_t place) {
	const struct text path = text_of(a->places[place].path);

	for (size_t i = 0; i < a->place_count; i++) {
		const bool is_same = strcmp(a->places[i].path, a->places[place].path) == 0;

		if (i != place && text_is_below(path, text_of(a->places[i].path)) && (!is_same || i < place))
			return true;
	}
	return false;
}

static void check_written(struct audit *a, const char *path) {
	struct access *access = access_path(a->image, &a->target.who, path, ACCESS_WRITE);

	if (access->verdict == ACCESS_DENIED) {
		char *shown = audit_shown(a, access->first->path);
		char *why = access_words(a->image, access, access->first, &a->target.names);
		char *hint = access_mend(a->image, &a->target.who, access, access->first, &a->target.names);

		audit_add(a, FINDING_ERROR, shown, "audit-write", hint, "%s cannot write to %s: %s", a->target.user,
			  path, why);
		free(shown);
		free(why);
		free(hint);
	}
	access_free(access);
}

static void finish(struct audit *a) {
	show_progress(a, true);
	if (a->seen >= AUDIT_MOST_FILES)
		audit_add(a, FINDING_WARNING, NULL, "audit-bound", NULL,
			  "more than %u files: the rest was not looked at", (unsigned)AUDIT_MOST_FILES);
	if (a->unread > 0)
		audit_add(a, FINDING_WARNING, NULL, "audit-unread", "ask as root", "%zu director%s could not be read",
			  a->unread, a->unread == 1 ? "y" : "ies");
	if (a->foreign > 0)
		audit_add(a, FINDING_NOTE, NULL, "audit-foreign", NULL,
			  "%zu of the files belong to others, in directories that the app cannot write to: code that "
			  "it only "
			  "reads",
			  a->foreign);
	if (a->readable > 0)
		audit_add(a, FINDING_NOTE, NULL, "audit-readable", NULL,
			  "%zu of the files of %s can be read by others, which umask %04o does not make", a->readable,
			  a->target.user, a->target.umask);
}

void audit_files(struct audit *a) {
	for (size_t i = 0; i < a->place_count; i++) {
		const char *path = a->places[i].path;
		const int fd = image_descriptor(a->image, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

		if (a->places[i].is_written)
			check_written(a, a->places[i].written);
		if (fd < 0 && errno != ENOTDIR)
			a->unread++;
		if (fd < 0)
			continue;
		if (is_covered(a, i))
			close(fd);
		else
			enter(a, fd, path, NULL);
	}
	finish(a);
}
