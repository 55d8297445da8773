/* SPDX-License-Identifier: ISC */
/*
 * `runas-policy install`: visudo's safety without an editor.
 *
 * Runs as:  root; for an image of one's own, its owner.
 * Given:    drafts that anybody may have written, and may be changing.
 * Promises: what is installed is what was checked and shown: the file is read once. The old policy is replaced as a
 *           whole, or stays; with several drafts, nothing is installed unless all are good.
 * Never:    follows a symlink below the image's top, or writes to a directory that others could have written.
 */
#include "companion/diff.h"
#include "companion/inspect.h"
#include "companion/replace.h"
#include "companion/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One at a time is written (image_lock), so that one name is enough, and a killed run leaves no litter. */
static const char new_file[] = ".new.conf";

struct job {
	struct draft *draft;
	struct findings findings;
	char *file;	  /* APP.conf */
	char *difference; /* for --json */
	const char *state;
};

struct install {
	struct image *image;
	const char *as_app;
	bool is_strict, is_dry, is_quiet; /* quiet: --json */
	int directory;			  /* /etc/runas-app; -1: not there yet */
};

/* --- where it goes --- */

/* Root's, or in an image the one's who makes it; and nobody else may write there. */
static bool is_ours(const struct install *in, int fd, const char *path) {
	const bool may_be_mine = in->image->prefix[0] != '\0';
	struct problem why = {0};
	struct stat status;

	if (fstat(fd, &status) != 0)
		return output_fail(NULL, "%s%s: %m", in->image->prefix, path) == 0;
	if (may_be_mine && status.st_uid == geteuid())
		status.st_uid = 0;
	if (trust_check(TRUST_DIRECTORY, status.st_uid, status.st_mode, 0, 0, text_of(path), &why))
		return true;
	return output_fail(NULL, "%s%s: %s", in->image->prefix, path, why.what) == 0;
}

static bool open_directory(struct install *in) {
	static const char *const parts[] = {"/", "/etc", "/etc/runas-app"};
	int at = openat(in->image->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < 3; i++) {
		const char *name = i == 0 ? NULL : strrchr(parts[i], '/') + 1;
		const int above = at;

		if (name != NULL) {
			at = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (at < 0 && errno == ENOENT && i == 2) {
				if (in->is_dry) {
					close(above);
					in->directory = -1;
					return true;
				}
				const bool is_made = mkdirat(above, name, 0755) == 0;
				at = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
				/* The mode whatever the umask is; and on disk before what goes in. */
				if (is_made && at >= 0 && (fchmod(at, 0755) != 0 || fsync(above) != 0)) {
					const int failure = errno;
					close(at);
					errno = failure;
					at = -1;
				}
			}
			const int error = errno;
			close(above);
			errno = error;
		}
		if (at < 0)
			return output_fail(errno == ELOOP || errno == ENOTDIR
						   ? "a symlink, or no directory: runas-app follows none"
						   : NULL,
					   "%s%s: %m", in->image->prefix, parts[i]) == 0;
		if (!is_ours(in, at, parts[i])) {
			close(at);
			return false;
		}
	}
	in->directory = at;
	return true;
}

/* The old policy; NULL: there is none, or nothing that can be compared. */
static char *read_old(const struct install *in, const char *file, size_t *ret_length, bool *ret_is_right) {
	const int fd = in->directory < 0
			       ? -1
			       : openat(in->directory, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *bytes = NULL;
	struct stat status;
	ssize_t got = 1;

	*ret_length = 0;
	*ret_is_right = false;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		bytes = output_memory(malloc(POLICY_MAX_BYTES + 1));
		while (got > 0 && *ret_length <= POLICY_MAX_BYTES) {
			got = read(fd, bytes + *ret_length, POLICY_MAX_BYTES + 1 - *ret_length);
			*ret_length += got > 0 ? (size_t)got : 0;
		}
		*ret_is_right = got == 0 && status.st_uid == geteuid() && (status.st_mode & 07777) == 0644;
	}
	close(fd);
	return bytes;
}

/* --- what goes there --- */

static bool name_job(const struct install *in, const char *argument, struct job *job) {
	const char *slash = strrchr(argument, '/'), *base = slash == NULL ? argument : slash + 1;
	struct text app = text_of(in->as_app != NULL ? in->as_app : base);

	if (in->as_app == NULL && app.length > 5 && strcmp(base + app.length - 5, ".conf") == 0)
		app.length -= 5;
	if (!text_is_app(app))
		return output_fail(
			       "--as-app NAME says what it is called: a small letter, then at most 30 of a-z 0-9 _ -",
			       "install: %s: not an app's name", in->as_app != NULL ? in->as_app : argument) == 0;
	job->file = output_format("%.*s.conf", (int)app.length, app.at);
	return true;
}

static void show_difference(const struct install *in, struct job *job, const char *old, size_t length) {
	char *name = output_format("%s/etc/runas-app/%s", in->image->prefix, job->file);
	size_t size = 0;
	FILE *stream = in->is_quiet ? output_memory(open_memstream(&job->difference, &size)) : stdout;

	diff_print(stream, old == NULL ? "/dev/null" : name, (struct text){old == NULL ? "" : old, length}, name,
		   job->draft->bytes);
	if (in->is_quiet && fclose(stream) != 0)
		output_memory(NULL);
	free(name);
}

/* 0: good enough to install. */
static int prepare(const struct install *in, const char *argument, struct job *job) {
	const bool is_path = strchr(argument, '/') != NULL || strchr(argument, '.') != NULL;
	char *path = output_format("%s%s", is_path ? "" : "./", argument), *old;
	bool is_right, is_good;
	size_t length;

	job->state = "unreadable";
	if (name_job(in, argument, job))
		job->draft = draft_open(in->image, path, &job->findings);
	free(path);
	if (job->draft == NULL)
		return OUTPUT_USAGE;
	snprintf(job->draft->app, sizeof job->draft->app, "%.*s", (int)(strlen(job->file) - 5), job->file);
	if (job->draft->is_valid)
		inspect_system(job->draft, &job->findings);
	is_good = job->findings.errors == 0 && !(in->is_strict && job->findings.warnings > 0);
	if (!in->is_quiet)
		findings_print(&job->findings, stdout);
	job->state = "refused";
	if (!is_good)
		return OUTPUT_BAD;
	old = read_old(in, job->file, &length, &is_right);
	show_difference(in, job, old, length);
	is_right = is_right && text_equal((struct text){old, length}, job->draft->bytes);
	job->state = is_right ? "unchanged" : in->is_dry ? "would be installed" : "checked";
	free(old);
	return 0;
}

static bool put(const struct install *in, struct job *job) {
	if (strcmp(job->state, "checked") != 0)
		return true;
	if (replace_file(in->directory, job->file, new_file, job->draft->bytes)) {
		job->state = "installed";
		return true;
	}
	job->state = "failed";
	return output_fail(NULL, "cannot write %s/etc/runas-app/%s: %m", in->image->prefix, job->file) == 0;
}

static json_t *json_of(const struct install *in, const struct job *job) {
	char *name = output_format("%s/etc/runas-app/%s", in->image->prefix, job->file == NULL ? "" : job->file);
	json_t *one =
		json_pack("{s:s,s:o,s:s,s:s,s:o}", "app", job->draft == NULL ? "" : job->draft->app, "file",
			  output_json_text(name, strlen(name)), "state", job->state, "diff",
			  job->difference == NULL ? "" : job->difference, "findings", findings_json(&job->findings));

	free(name);
	return output_memory(one);
}

/* All are looked at before the first is written. */
static int install_all(struct install *in, char **files, size_t count) {
	struct job *jobs = output_memory(calloc(count, sizeof *jobs));
	json_t *list = output_memory(json_array());
	int worst = 0;

	for (size_t i = 0; i < count; i++) {
		const int status = prepare(in, files[i], &jobs[i]);

		worst = status > worst ? status : worst;
	}
	for (size_t i = 0; i < count; i++) {
		if (worst == 0 && !put(in, &jobs[i]))
			worst = OUTPUT_USAGE;
		if (worst != 0 && strcmp(jobs[i].state, "checked") == 0)
			jobs[i].state = "not installed";
		if (in->is_quiet)
			output_append(list, json_of(in, &jobs[i]));
		else if (jobs[i].draft != NULL)
			printf("%s: %s\n", jobs[i].draft->app, jobs[i].state);
		findings_free(&jobs[i].findings);
		draft_free(jobs[i].draft);
		free(jobs[i].file);
		free(jobs[i].difference);
	}
	if (in->is_quiet && !output_json(output_memory(json_pack("{s:O}", "policies", list))))
		worst = OUTPUT_USAGE;
	json_decref(list);
	free(jobs);
	return worst;
}

static int run(int argc, char **argv) {
	struct install in = {.directory = -1};
	struct options options;
	const struct output_option own[] = {
		{"as-app", &in.as_app, NULL}, {"strict", NULL, &in.is_strict}, {"dry-run", NULL, &in.is_dry}};
	int status, lock = -1;

	if (!options_read("install", argc, argv, own, 3, true, false, &options, &status))
		return status;
	in.image = &options.image;
	in.is_quiet = options.json;
	if (options.argc == 0 || (in.as_app != NULL && options.argc > 1))
		status = output_fail("runas-policy install --help",
				     options.argc == 0 ? "install: no FILE" : "install: --as-app is for one FILE");
	else if (geteuid() != 0 && in.image->prefix[0] == '\0' && !in.is_dry)
		status = output_fail("as root; or --dry-run shows what it would do",
				     "install: only root writes to /etc/runas-app");
	else if (!open_directory(&in) || (in.directory >= 0 && !in.is_dry && (lock = image_lock(in.directory)) < 0 &&
					  output_fail(NULL, "cannot lock %s/etc/runas-app: %m", in.image->prefix) != 0))
		status = OUTPUT_USAGE;
	else
		status = install_all(&in, options.argv, (size_t)options.argc);
	image_unlock(in.directory, lock);
	if (in.directory >= 0)
		close(in.directory);
	close(options.image.root);
	return output_done(status);
}

const struct verb verb_install = {
	.name = "install",
	.arguments = "[--as-app NAME] [--strict] [--dry-run] [--json] [--root DIR] FILE...",
	.what = "check a policy, show what it changes, put it in place",
	.help = "Does for each FILE what `runas-policy check FILE` does, prints the difference to the policy that is "
		"there now,\n"
		"and puts it in place: /etc/runas-app/APP.conf, root's, mode 0644. APP is FILE's name without .conf. "
		"Nothing is\n"
		"asked. An error in any FILE stops all of them, and the old policies stay.\n"
		"\n"
		"The new policy takes the old one's place as a whole: a launch at the same moment reads the one or the "
		"other,\n"
		"and so it is after a power cut. What is installed is what was checked: FILE is read once. "
		"/etc/runas-app is\n"
		"made if it is missing; that it, and what is above it, is root's alone and no symlink, is checked "
		"first.\n"
		"\n"
		"  --as-app NAME   what it is to be called, for one FILE whose name says something else\n"
		"  --strict        warnings stop it too\n"
		"  --dry-run       check and show the difference, but write nothing; needs no root\n"
		"  --json          one document: policies[] with app, file, state (installed, unchanged, would be "
		"installed,\n"
		"                  refused, not installed, unreadable, failed), diff and findings[] as check has them\n"
		"  --root DIR      into an image that is not running, which may belong to the caller\n"
		"\n"
		"Exit status: 0 installed, or already so; 1 a policy has errors; 2 usage, or it could not be read or "
		"written.\n"
		"\n"
		"Examples:\n"
		"  runas-policy install --dry-run shop.conf\n"
		"  sudo runas-policy install shop.conf blog.conf\n"
		"  runas-policy install --root image --as-app shop deploy/production.conf\n",
	.run = run,
};
