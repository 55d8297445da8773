/* SPDX-License-Identifier: ISC */
/*
 * `runas-policy why`: may the app's user, or another one, reach this file; and if not, what is in the way and what mends it.
 *
 * Runs as:  anyone; root sees everything.
 * Promises: status 0 yes, 1 no, 2 it could not be found out. The way from / is shown, symlinks too.
 * Never:    opens what it is asked about to find out.
 */
#include "companion/verb.h"

#include "companion/target.h"
#include "companion/why_notes.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct question {
	struct options options;
	struct access_who who;
	struct access_names names;
	struct target target;
	struct person *person; /* --user */
	struct draft *draft;
	struct findings notes, hints;
	char *path;
	enum access_mode mode;
	const struct access *answer;
};

static char *owner_text(const struct image *image, const struct access_step *step, bool is_group) {
	const uint32_t id = is_group ? step->status.st_gid : step->status.st_uid;
	char *name = !step->is_there ? output_memory(strdup(""))
		     : is_group	     ? image_group_name(image, id)
				     : image_user_name(image, id);

	return name != NULL ? name : output_format("%u", id);
}

static char *mode_text(const struct access_step *step) {
	const unsigned mode = step->status.st_mode;
	char text[12] = "?rwxrwxrwx";

	if (!step->is_there)
		return output_memory(strdup("?"));
	text[0] = S_ISDIR(mode)	   ? 'd'
		  : S_ISLNK(mode)  ? 'l'
		  : S_ISSOCK(mode) ? 's'
		  : S_ISFIFO(mode) ? 'p'
		  : S_ISCHR(mode)  ? 'c'
		  : S_ISBLK(mode)  ? 'b'
				   : '-';
	for (unsigned i = 0; i < 9; i++)
		if ((mode >> (8 - i) & 1) == 0)
			text[1 + i] = '-';
	if ((mode & S_ISUID) != 0)
		text[3] = text[3] == 'x' ? 's' : 'S';
	if ((mode & S_ISGID) != 0)
		text[6] = text[6] == 'x' ? 's' : 'S';
	if ((mode & S_ISVTX) != 0)
		text[9] = text[9] == 'x' ? 't' : 'T';
	if (step->has_acl)
		text[10] = '+';
	return output_memory(strdup(text));
}

static char *needs_text(const struct access_step *step) {
	return output_format("%s%s%s", (step->needs & ACCESS_R) != 0 ? "r" : "",
			     (step->needs & ACCESS_W) != 0 ? "w" : "", (step->needs & ACCESS_X) != 0 ? "x" : "");
}

static char *mount_text(const struct access_step *step) {
	const struct {
		unsigned long flag;
		const char *name;
	} flags[] = {{ST_RDONLY, "ro"}, {ST_NOSUID, "nosuid"}, {ST_NODEV, "nodev"}, {ST_NOEXEC, "noexec"}};
	char *text = output_memory(strdup(""));

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if ((step->mount & flags[i].flag) != 0) {
			char *longer = output_format("%s%s%s", text, text[0] != '\0' ? "," : "", flags[i].name);

			free(text);
			text = longer;
		}
	return text;
}

static char *name_text(const struct access_step *step) {
	char *name = output_escaped(step->name, strlen(step->name));
	char *link = step->link == NULL ? output_memory(strdup("")) : output_escaped(step->link, strlen(step->link));
	char *ret =
		output_format("%*s%s%s%s", (int)(2 * step->depth), "", name, step->link != NULL ? " -> " : "", link);

	free(name);
	free(link);
	return ret;
}

/* What denies, and what the mode does not show. */
static char *remark_text(const struct question *q, const struct access_step *step) {
	char *acl = access_acl_text(&q->options.image, step), *mount = mount_text(step), *ret;
	const bool shows_mount = step->is_mount && mount[0] != '\0';
	const bool is_hidden = step->reason == ACCESS_UNREADABLE || step->reason == ACCESS_PROCESS_LINK;
	const char *denies = is_hidden			   ? "<- hidden"
			     : step == q->answer->first	   ? "<- denies"
			     : step->reason != ACCESS_FINE ? "<- denies too"
			     : !step->is_there		   ? "(to be made)"
							   : "";

	ret = output_format("%s%s%s%s%s%s", denies, denies[0] != '\0' && (acl[0] != '\0' || shows_mount) ? "  " : "",
			    acl, acl[0] != '\0' && shows_mount ? "  " : "", shows_mount ? "mount: " : "",
			    shows_mount ? mount : "");
	free(acl);
	free(mount);
	return ret;
}

static void print_table(const struct question *q) {
	struct libscols_table *table = output_memory(scols_new_table());
	static const char *const headings[] = {"MODE", "OWNER", "GROUP", "NEEDS", "NAME", ""};
	const bool is_coloured = output_colour(stdout, OUTPUT_RED)[0] != '\0';
	char *text = NULL;

	for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++)
		scols_table_new_column(table, headings[i], 0, 0);
	scols_table_enable_colors(table, is_coloured);
	scols_table_enable_minout(table, 1);
	for (size_t i = 0; i < q->answer->count; i++) {
		const struct access_step *step = &q->answer->steps[i];
		struct libscols_line *line = output_memory(scols_table_new_line(table, NULL));

		scols_line_refer_data(line, 0, mode_text(step));
		scols_line_refer_data(line, 1, owner_text(&q->options.image, step, false));
		scols_line_refer_data(line, 2, owner_text(&q->options.image, step, true));
		scols_line_refer_data(line, 3, needs_text(step));
		scols_line_refer_data(line, 4, name_text(step));
		scols_line_refer_data(line, 5, remark_text(q, step));
		if (step->reason != ACCESS_FINE && is_coloured)
			scols_line_set_color(line, step == q->answer->first ? "red" : "yellow");
	}
	if (scols_print_table_to_string(table, &text) != 0)
		output_memory(NULL);
	/* The headings are filled up with blanks that nobody sees, but that diff and golden files do. */
	for (const char *at = text, *end; *at != '\0'; at = *end == '\0' ? end : end + 1) {
		size_t length;

		end = strchrnul(at, '\n');
		for (length = (size_t)(end - at); length > 0 && at[length - 1] == ' ';)
			length--;
		printf("%.*s\n", (int)length, at);
	}
	free(text);
	scols_unref_table(table);
}

static char *verdict_text(const struct question *q) {
	static const char *const words[] = {
		[ACCESS_DENIED] = "no", [ACCESS_ALLOWED] = "yes", [ACCESS_UNKNOWN] = "cannot tell"};
	const struct access_step *first = q->answer->first;
	char *path = output_escaped(q->path, strlen(q->path)), *ret, *why, *where;
	const char *act = q->answer->creates	      ? "make"
			  : q->mode == ACCESS_CONNECT ? "connect to"
						      : access_mode_name(q->mode);

	if (first == NULL) {
		ret = output_format("%s: %s may %s %s", words[q->answer->verdict], q->names.person, act, path);
	} else {
		where = output_escaped(first->path, strlen(first->path));
		why = access_words(&q->options.image, q->answer, first, &q->names);
		ret = output_format("%s: %s %s %s %s: %s%s%s", words[q->answer->verdict], q->names.person,
				    q->answer->verdict == ACCESS_DENIED ? "may not" : "might", act, path,
				    strcmp(path, where) == 0 ? "" : where, strcmp(path, where) == 0 ? "" : ": ", why);
		free(where);
		free(why);
	}
	free(path);
	return ret;
}

/* One command may mend several components (a group that is joined); it is said once. */
static void find_hints(struct question *q) {
	for (size_t i = 0; i < q->answer->count; i++) {
		const struct access_step *step = &q->answer->steps[i];
		char *command = step->reason == ACCESS_FINE
					? NULL
					: access_mend(&q->options.image, &q->who, q->answer, step, &q->names);
		bool is_known = command == NULL;

		for (size_t k = 0; k < q->hints.count; k++)
			is_known = is_known || strstr(q->hints.list[k].what, command) != NULL;
		if (!is_known)
			findings_add(&q->hints, FINDING_NOTE, NULL, "why-hint", NULL, "%s", command);
		if (!is_known && strncmp(command, "usermod", 7) == 0 && q->hints.count == 1)
			findings_add(
				&q->notes, FINDING_NOTE, NULL, "why-groups", NULL,
				"processes that run now keep the groups they started with: restart them after usermod");
		if (!is_known && S_ISSOCK(step->status.st_mode))
			findings_add(&q->notes, FINDING_NOTE, NULL, "why-socket", NULL,
				     "the server makes its socket anew when it starts: set the mode in its "
				     "configuration, too");
		if (!is_known && S_ISDIR(step->status.st_mode) && strncmp(step->path, "/run/", 5) == 0)
			findings_add(&q->notes, FINDING_NOTE, NULL, "why-run", NULL,
				     "what is below /run is made anew at each boot: set the mode in tmpfiles.d or the "
				     "unit (RuntimeDirectoryMode=), too");
		free(command);
	}
	if (q->answer->is_outside && q->answer->verdict == ACCESS_DENIED && q->answer->first->reason != ACCESS_LANDLOCK)
		findings_add(&q->notes, FINDING_NOTE, NULL, "why-landlock", NULL,
			     "the policy's `write` list does not have it either: a launch could not write there");
	if (q->draft != NULL && q->person == NULL && q->who.is_limited &&
	    text_is(policy_value(&q->draft->policy, KEY_WRITE_ENFORCE), "best-effort"))
		findings_add(&q->notes, FINDING_NOTE, NULL, "why-landlock", NULL,
			     "write_enforce = best-effort: a kernel without Landlock does not hold the app to its "
			     "`write` list");
}

static void print_text(const struct question *q) {
	char *verdict = verdict_text(q);

	print_table(q);
	printf("\n%s%s%s\n",
	       output_colour(stdout, q->answer->verdict == ACCESS_ALLOWED  ? OUTPUT_GREEN
				     : q->answer->verdict == ACCESS_DENIED ? OUTPUT_RED
									   : OUTPUT_YELLOW),
	       verdict, output_colour(stdout, OUTPUT_NONE));
	for (size_t i = 0; i < q->hints.count; i++)
		printf("hint: %s\n", q->hints.list[i].what);
	findings_print(&q->notes, stdout);
	free(verdict);
}

static void set_new_text(json_t *object, const char *key, char *text) {
	json_object_set_new(object, key, output_json_text(text, strlen(text)));
	free(text);
}

static json_t *step_json(const struct question *q, const struct access_step *step) {
	json_t *one = output_memory(json_object());

	set_new_text(one, "path", output_memory(strdup(step->path)));
	json_object_set_new(one, "denies", json_boolean(step->reason != ACCESS_FINE));
	if (step->reason != ACCESS_FINE)
		set_new_text(one, "reason", access_words(&q->options.image, q->answer, step, &q->names));
	if (!step->is_there)
		return one;
	set_new_text(one, "mode", mode_text(step));
	set_new_text(one, "owner", owner_text(&q->options.image, step, false));
	set_new_text(one, "group", owner_text(&q->options.image, step, true));
	json_object_set_new(one, "uid", json_integer(step->status.st_uid));
	json_object_set_new(one, "gid", json_integer(step->status.st_gid));
	set_new_text(one, "needs", needs_text(step));
	set_new_text(one, "acl", access_acl_text(&q->options.image, step));
	set_new_text(one, "mount", mount_text(step));
	if (step->link != NULL)
		set_new_text(one, "link", output_memory(strdup(step->link)));
	return one;
}

static bool print_json(const struct question *q) {
	static const char *const verdicts[] = {
		[ACCESS_DENIED] = "denied", [ACCESS_ALLOWED] = "allowed", [ACCESS_UNKNOWN] = "unknown"};
	json_t *all = output_memory(json_object()), *steps = json_array(), *hints = json_array(),
	       *groups = json_array();

	json_object_set_new(all, "verdict", json_string(verdicts[q->answer->verdict]));
	json_object_set_new(all, "access", json_string(access_mode_name(q->mode)));
	set_new_text(all, "path", output_memory(strdup(q->path)));
	set_new_text(all, "user", output_memory(strdup(q->names.person)));
	json_object_set_new(all, "uid", json_integer(q->who.uid));
	json_object_set_new(all, "gid", json_integer(q->who.gid));
	for (size_t i = 0; i < q->who.group_count; i++)
		output_append(groups, json_integer(q->who.groups[i]));
	json_object_set_new(all, "groups", groups);
	set_new_text(all, "message", verdict_text(q));
	for (size_t i = 0; i < q->answer->count; i++)
		output_append(steps, step_json(q, &q->answer->steps[i]));
	json_object_set_new(all, "steps", steps);
	for (size_t i = 0; i < q->hints.count; i++)
		output_append(hints, output_json_text(q->hints.list[i].what, strlen(q->hints.list[i].what)));
	json_object_set_new(all, "hints", hints);
	json_object_set_new(all, "notes", findings_json(&q->notes));
	return output_json(all);
}

static int answer(struct question *q) {
	static const int statuses[] = {
		[ACCESS_DENIED] = OUTPUT_BAD, [ACCESS_ALLOWED] = 0, [ACCESS_UNKNOWN] = OUTPUT_USAGE};
	struct access *access = access_path(&q->options.image, &q->who, q->path, q->mode);
	int status = statuses[access->verdict];

	q->answer = access;
	find_hints(q);
	why_note_access(&q->options.image, &q->who, access, &q->notes);
	if (q->person != NULL)
		why_note_processes(&q->options.image, q->person, access, &q->notes);
	if (q->options.json)
		status = print_json(q) ? status : OUTPUT_USAGE;
	else
		print_text(q);
	access_free(access);
	return output_done(status);
}

static enum access_mode usual_mode(const struct question *q) {
	struct stat status;

	if (!image_stat(&q->options.image, q->path, &status))
		return ACCESS_READ;
	return S_ISDIR(status.st_mode) ? ACCESS_ENTER : S_ISSOCK(status.st_mode) ? ACCESS_CONNECT : ACCESS_READ;
}

static bool read_person(struct question *q, const char *user) {
	q->person = image_person(&q->options.image, user);
	if (q->person == NULL) {
		output_fail("names are those of /etc/passwd; a number works, too", "no such user: %s", user);
		return false;
	}
	q->who = target_of_person(q->person);
	q->names = (struct access_names){.person = q->person->name[0] != '\0' ? q->person->name : user};
	return true;
}

static bool read_app(struct question *q, const char *app, bool is_asked) {
	struct findings findings = {0};

	q->draft = draft_open(&q->options.image, app, &findings);
	if (q->draft != NULL && !q->draft->is_valid)
		findings_print(&findings, stderr);
	findings_free(&findings);
	if (q->draft == NULL || !is_asked)
		return q->draft != NULL;
	if (!target_read(q->draft, &q->target))
		return false;
	q->who = q->target.who;
	q->names = q->target.names;
	return true;
}

/* A path without a / at its start is below the app's `directory`. */
static bool read_path(struct question *q, const char *path) {
	struct text base = {0};

	if (path[0] == '/') {
		q->path = output_memory(strdup(path));
		return true;
	}
	if (q->draft != NULL && q->draft->is_valid)
		base = policy_value(&q->draft->policy, KEY_DIRECTORY);
	if (q->draft != NULL && q->draft->is_valid && base.length == 0)
		base = q->draft->accounts.user.home;
	if (path[0] == '\0' || base.length == 0) {
		output_fail("write it from / on", "not an absolute path: %s", path);
		return false;
	}
	q->path = output_format("%.*s/%s", (int)base.length, base.at, path);
	return true;
}

static int run(int argc, char **argv) {
	const char *user = NULL;
	const struct output_option own[] = {{"user", &user, NULL}};
	struct question q = {0};
	bool has_mode, has_app, is_good;
	int status;

	if (!options_read("why", argc, argv, own, 1, true, false, &q.options, &status))
		return status;
	argc = q.options.argc;
	argv = q.options.argv;
	has_mode = argc >= 2 && access_mode_read(argv[argc - 1], &q.mode);
	argc -= has_mode;
	has_app = argc == 2;
	status = OUTPUT_USAGE;
	if (argc < 1 || argc > 2 || (!has_app && user == NULL)) {
		output_fail("runas-policy why APP PATH [read|write|execute|enter|connect|delete] [--user NAME]",
			    "why: %s",
			    argc > 2 ? "no such access, or too many arguments"
				     : "needs an app and a path, or --user and a path");
		goto out;
	}
	is_good = (user == NULL || read_person(&q, user)) && (!has_app || read_app(&q, argv[0], user == NULL)) &&
		  read_path(&q, argv[argc - 1]);
	if (is_good && !has_mode)
		q.mode = usual_mode(&q);
	if (is_good)
		status = answer(&q);
out:
	free(q.path);
	findings_free(&q.notes);
	findings_free(&q.hints);
	person_free(q.person);
	target_free(&q.target);
	draft_free(q.draft);
	close(q.options.image.root);
	return status;
}

const struct verb verb_why = {
	.name = "why",
	.arguments = "APP|FILE PATH [read|write|execute|enter|connect|delete] [--user NAME] [--json] [--root DIR]\n"
		     "       runas-policy why --user NAME PATH [read|write|execute|enter|connect|delete] [--json] "
		     "[--root DIR]",
	.what = "may the app, or nginx, reach this file, and what is in the way",
	.help = "Walks to PATH from / and asks of each component what the kernel would ask, for the user, group and "
		"groups of\n"
		"APP's policy: owner, mode, ACL, mount flags (ro, noexec, nodev), attributes (chattr), symlinks in "
		"directories like\n"
		"/tmp, and the policy's `write` list. A PATH without / at its start is below the app's `directory`. "
		"FILE is a policy\n"
		"that need not be installed. Without an access it asks enter for a directory, connect for a socket, "
		"else read.\n"
		"\n"
		"  read           open for reading; of a directory, list it\n"
		"  write          open for writing, or make it where it does not exist; of a directory, make files in "
		"it\n"
		"  execute        run it\n"
		"  enter          start in it, or go through it\n"
		"  connect        talk to the server behind a socket: needs w of it, and x of every directory on the "
		"way\n"
		"  delete         remove or rename it: needs w and x of its directory, and in a sticky one to own it\n"
		"  --user NAME    ask for this user (name or number) with the groups of /etc/group, such as nginx's "
		"www-data; the\n"
		"                 policy's `write` list is not theirs. APP may then be left out.\n"
		"  --json         one document: verdict, steps, hints, notes\n"
		"  --root DIR     an image that is not running; commands then name users by number\n"
		"\n"
		"One line a component, symlinks with what they lead to indented below. NEEDS is what was asked of it. "
		"The first\n"
		"component that denies is marked `<- denies`, others that would deny as well `<- denies too`; hints "
		"are the least\n"
		"that mends each, and prefer what does not open anything to everybody. What AppArmor, SELinux, a file "
		"server or a\n"
		"profile's system calls forbid is not asked.\n"
		"\n"
		"Exit status: 0 yes, 1 no, 2 it could not be found out (or usage).\n"
		"\n"
		"  runas-policy why shop /home/shop/static/logo.png --user www-data     nginx says 403\n"
		"  runas-policy why --user www-data /run/shop/gunicorn.sock             nginx says 502\n"
		"  runas-policy why rails-app log/production.log write                  after a rotation\n",
	.run = run,
};
