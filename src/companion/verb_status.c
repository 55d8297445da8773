/* SPDX-License-Identifier: ISC */
/* runas-policy status: what a running app really is, beside what its policy promises. */
#include "companion/compare.h"
#include "companion/table.h"
#include "companion/verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct status {
	struct options options;
	struct draft *draft;	  /* NULL: no policy is known */
	struct rehearsal *wanted; /* the same */
	int around;		  /* filters that every process here has */
	struct findings findings;
};

static const char *const how_names[] = {"same", "changed", "differs", "unknown", "shown"};

/* --- which policy --- */

static bool take_policy(struct status *s, const char *app) {
	s->draft = draft_open(&s->options.image, app, &s->findings);
	if (s->draft == NULL)
		return false;
	if (s->draft->is_valid && s->draft->has_accounts)
		s->wanted = compare_plan(s->draft, &s->findings);
	return s->wanted != NULL;
}

static void drop_policy(struct status *s) {
	rehearsal_free(s->wanted);
	draft_free(s->draft);
	findings_free(&s->findings);
	s->wanted = NULL;
	s->draft = NULL;
}

/* The one app whose user this is. false: there is none, or there are several; said. */
static bool find_policy(struct status *s, uint32_t uid) {
	char **apps = draft_list(&s->options.image), *found = NULL;
	char *all = output_memory(strdup(""));
	size_t count = 0;

	for (char **app = apps; app != NULL && *app != NULL; app++) {
		if (take_policy(s, *app) && s->wanted->plan.uid.value == uid) {
			char *longer = output_format("%s %s", all, *app);

			free(all);
			all = longer;
			free(found);
			found = output_memory(strdup(*app));
			count++;
		}
		drop_policy(s);
	}
	for (char **app = apps; app != NULL && *app != NULL; app++)
		free(*app);
	free(apps);
	if (count > 1)
		output_fail("--app NAME says which", "status: several apps run as uid %u:%s", uid, all);
	else if (count == 0)
		output_fail("--app NAME compares with one all the same", "status: no app's policy has uid %u%s", uid,
			    apps == NULL ? ", or the policies cannot be read" : "");
	free(all);
	count = count == 1 && take_policy(s, found);
	free(found);
	return count == 1;
}

/* --- for people --- */

static enum output_colour colour_of(enum comparison how) {
	return how == COMPARE_DIFFERS	? OUTPUT_RED
	       : how == COMPARE_CHANGED ? OUTPUT_YELLOW
	       : how == COMPARE_SAME	? OUTPUT_GREEN
					: OUTPUT_DIM;
}

static void print_comparisons(const struct comparisons *all, bool has_policy) {
	static const char *const marks[] = {"ok", "~", "!!", "?", "."};
	struct table *table = table_new(4, (const char *const[]){"", "WHAT", "POLICY", "IS"}, 0);

	for (size_t i = 0; i < all->count; i++) {
		const struct compared *one = &all->list[i];
		const char *should = one->should != NULL ? one->should : has_policy ? "-" : "";

		table_row(table, colour_of(one->how),
			  (const char *const[]){marks[one->how], one->what, should, one->is});
	}
	table_print(table, stdout);
}

static void print_descriptors(const struct process *p) {
	if (!p->has_descriptors) {
		puts("\ndescriptors: not readable: ask as root, or as the app's user");
		return;
	}
	puts("\ndescriptors:");
	for (size_t i = 0; i < p->descriptor_count; i++) {
		char *target = output_escaped(p->descriptors[i].target, strlen(p->descriptors[i].target));

		printf("  %3d  %s\n", p->descriptors[i].number, target);
		free(target);
	}
}

static void print_names(const struct process *p) {
	if (!p->has_environment) {
		puts("\nenvironment: not readable: ask as root, or as the app's user");
		return;
	}
	puts("\nenvironment (names only):");
	for (size_t i = 0; i < p->name_count; i++) {
		char *name = output_escaped(p->names[i], strlen(p->names[i]));

		printf("%s%s", i % 6 == 0 ? i == 0 ? "  " : "\n  " : " ", name);
		free(name);
	}
	puts("");
}

static char *shown_command(const struct process *p) {
	char *whole = p->command == NULL || p->command[0] == '\0' ? output_format("[%s]", p->name)
								  : output_memory(strdup(p->command));
	char *ret = output_escaped(whole, strlen(whole) < 100 ? strlen(whole) : 100);

	free(whole);
	return ret;
}

static void print_process(const struct status *s, const struct process *p, const struct comparisons *all) {
	char *command = shown_command(p);

	printf("%s%d%s  %s\n", output_colour(stdout, OUTPUT_BOLD), (int)p->pid, output_colour(stdout, OUTPUT_NONE),
	       command);
	free(command);
	if (s->draft != NULL)
		printf("policy  %s\n", s->draft->path);
	puts("");
	print_comparisons(all, s->wanted != NULL);
	print_descriptors(p);
	print_names(p);
}

/* --- for machines --- */

static json_t *text_or_null(const char *text) {
	return text == NULL ? json_null() : output_json_text(text, strlen(text));
}

static json_t *json_ids(const uint32_t *ids, size_t count) {
	json_t *ret = output_memory(json_array());

	for (size_t i = 0; i < count; i++)
		output_append(ret, json_integer(ids[i]));
	return ret;
}

static json_t *json_known(int value) { return value < 0 ? json_null() : json_integer(value); }

static json_t *json_process(const struct process *p, const struct comparisons *all, bool has_policy) {
	json_t *sets = output_memory(json_object()), *descriptors = output_memory(json_array());
	json_t *names = output_memory(json_array()), *compared = output_memory(json_array());

	for (size_t i = 0; i < PROCESS_SETS; i++) {
		char *text = compare_capabilities(p->sets[i]);

		json_object_set_new(sets, process_set_names[i], json_string(text));
		free(text);
	}
	for (size_t i = 0; i < p->descriptor_count; i++)
		output_append(descriptors, json_pack("{s:i,s:o}", "number", p->descriptors[i].number, "target",
							     text_or_null(p->descriptors[i].target)));
	for (size_t i = 0; i < p->name_count; i++)
		output_append(names, text_or_null(p->names[i]));
	for (size_t i = 0; i < all->count; i++)
		output_append(compared, json_pack("{s:s,s:s,s:o,s:o}", "what", all->list[i].what, "result",
							  how_names[all->list[i].how], "policy",
							  text_or_null(all->list[i].should), "is",
							  text_or_null(all->list[i].is)));
	if (!p->has_descriptors) {
		json_decref(descriptors);
		descriptors = json_null();
	}
	if (!p->has_environment) {
		json_decref(names);
		names = json_null();
	}
	return output_memory(json_pack(
		"{s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "pid", (int)p->pid, "name",
		text_or_null(p->name), "exe", text_or_null(p->exe), "command", text_or_null(p->command), "directory",
		text_or_null(p->cwd), "uids", json_ids(p->uids, 4), "gids", json_ids(p->gids, 4), "groups",
		json_ids(p->groups, p->group_count), "capabilities", sets, "no_new_privs", json_known(p->no_new_privs),
		"seccomp", json_known(p->seccomp), "filters", json_known(p->filters), "umask", json_known(p->umask),
		"descriptors", descriptors, "environment", names, "launched_by_runas_app",
		has_policy ? json_boolean(all->is_launched || all->is_rootless) : json_null(), "compared", compared));
}

/* Takes list over. One document, too, where there is nothing to show: what reads it need not expect less. */
static int print_json(const struct status *s, const char *app, json_t *list, int status) {
	return output_json(json_pack("{s:o,s:o,s:o}", "app", text_or_null(app), "processes", list, "findings",
				     findings_json(&s->findings)))
		       ? status
		       : OUTPUT_USAGE;
}

/* Said already, for people. */
static int show_nothing(const struct status *s, const char *app) {
	if (s->options.json)
		print_json(s, app, output_memory(json_array()), OUTPUT_USAGE);
	else
		findings_print(&s->findings, stderr);
	return OUTPUT_USAGE;
}

/* --- one process, or all of an app --- */

static int show_one(struct status *s, pid_t pid) {
	struct process *p = process_read(pid);
	struct comparisons all;
	int status;

	if (p == NULL) {
		output_fail(errno == ESRCH ? NULL : "is /proc mounted with hidepid? ask as root",
			    "status: process %d: %m", (int)pid);
		return show_nothing(s, s->draft == NULL ? NULL : s->draft->app);
	}
	if (s->draft == NULL)
		find_policy(s, p->uids[0]);
	all = compare_process(&s->options.image, s->draft, s->wanted == NULL ? NULL : &s->wanted->plan, s->around, p);
	status = s->wanted == NULL ? OUTPUT_USAGE : all.different > 0 || s->findings.errors > 0 ? OUTPUT_BAD : 0;
	if (s->options.json) {
		json_t *list = output_memory(json_array());

		output_append(list, json_process(p, &all, s->wanted != NULL));
		status = print_json(s, s->draft == NULL ? NULL : s->draft->app, list, status);
	} else {
		print_process(s, p, &all);
		findings_print(&s->findings, stdout);
	}
	compare_free(&all);
	process_free(p);
	return status;
}

static bool is_of(const struct process *p, uint32_t uid) {
	for (size_t i = 0; i < 4; i++)
		if (p->uids[i] == uid)
			return true;
	return false;
}

/* One finding for each thing that differs; for one that runas-app did not start, that is all there is to say. */
static void judge(struct status *s, const struct process *p, const struct comparisons *all) {
	char *file = output_format("%d (%s)", (int)p->pid, p->name), *shown = output_escaped(file, strlen(file));

	if (!all->is_launched && !all->is_rootless)
		findings_add(&s->findings, FINDING_ERROR, shown, "started-by-others",
			     "start it through runas-app; runas-policy audit looks for cron lines and supervisors",
			     "runs as the app's user, but was started by other means than runas-app");
	for (size_t i = 0; i < all->count && (all->is_launched || all->is_rootless); i++) {
		const struct compared *one = &all->list[i];

		if (one->how == COMPARE_DIFFERS)
			findings_add(&s->findings, FINDING_ERROR, shown, "differs", NULL,
				     "%s: the policy says %s, but it is %s", one->what, one->should, one->is);
		else if (one->how == COMPARE_CHANGED && strncmp(one->what, "capabilities", 12) == 0)
			findings_add(&s->findings, FINDING_WARNING, shown, "bounding-set", NULL,
				     "was started without root: its bounding set is not empty (%s)", one->is);
	}
	free(shown);
	free(file);
}

static int show_app(struct status *s, const char *app) {
	struct table *table = table_new(4, (const char *const[]){"PID", "STARTED", "DIFFERS", "COMMAND"}, 0);
	json_t *list = output_memory(json_array());
	pid_t *pids = process_list();
	size_t count = 0;
	int status = 0;

	for (size_t i = 0; pids != NULL && pids[i] != 0; i++) {
		struct process *p = pids[i] == getpid() ? NULL : process_read(pids[i]);
		struct comparisons all;
		char *pid, *number, *command;

		if (p == NULL || !is_of(p, s->wanted->plan.uid.value)) {
			process_free(p);
			continue;
		}
		all = compare_process(&s->options.image, s->draft, &s->wanted->plan, s->around, p);
		pid = output_format("%d", (int)p->pid);
		number = output_format("%zu", all.different);
		command = shown_command(p);
		table_row(table, colour_of(all.different > 0 ? COMPARE_DIFFERS : COMPARE_SAME),
			  (const char *const[]){pid,
						all.is_launched	  ? "runas-app"
						: all.is_rootless ? "runas-app, without root"
								  : "by other means",
						number, command});
		judge(s, p, &all);
		output_append(list, json_process(p, &all, true));
		free(pid);
		free(number);
		free(command);
		compare_free(&all);
		process_free(p);
		count++;
	}
	free(pids);
	if (s->options.json) {
		status = print_json(s, s->draft->app, json_incref(list), status);
	} else if (count > 0) {
		table_print(table, stdout);
		table = NULL;
		if (s->findings.count > 0)
			puts("");
		findings_print(&s->findings, stdout);
		printf("%srunas-policy status PID shows all of one process\n", s->findings.count > 0 ? "\n" : "");
	}
	table_free(table);
	json_decref(list);
	if (count == 0)
		status = output_fail(NULL, "status: %s: no process runs as uid %u", app, s->wanted->plan.uid.value);
	return status != 0 ? status : s->findings.errors > 0 ? OUTPUT_BAD : 0;
}

static int run(int argc, char **argv) {
	struct status s = {.around = process_filters_around()};
	const char *app = NULL;
	const struct output_option own[] = {{"app", &app, NULL}};
	uint64_t pid = 0;
	bool is_pid;
	int status;

	if (!options_read("status", argc, argv, own, 1, true, false, &s.options, &status))
		return status;
	if (s.options.argc != 1)
		return output_fail("runas-policy status PID|APP", "status: one process or one app, please");
	is_pid = text_number(text_of(s.options.argv[0]), INT32_MAX, &pid) && pid > 0;
	if (!is_pid && app != NULL)
		return output_fail("--app belongs to a PID", "status: an app and --app");
	if (!is_pid)
		app = s.options.argv[0];
	if (app != NULL && !take_policy(&s, app))
		status = show_nothing(&s, app);
	else
		status = is_pid ? show_one(&s, (pid_t)pid) : show_app(&s, app);
	drop_policy(&s);
	return output_done(status);
}

const struct verb verb_status = {
	.name = "status",
	.arguments = "PID|APP [--app NAME] [--root DIR] [--json]",
	.what = "show what a running app really is, beside its policy",
	.help = "Of a process: user, groups, capability sets, no_new_privs, system call filters, umask, limits, nice, "
		"OOM score,\n"
		"directory, descriptors and the names of its environment, each beside what the policy plans for it. "
		"The policy\n"
		"is that of the app whose user the process has.\n"
		"Of an app: every process of its user, whether runas-app started it, and what differs.\n"
		"\n"
		"The first column:\n"
		"  ok   as the policy has it\n"
		"  !!   differs: the policy promises otherwise; status 1\n"
		"  ~    other than at the start, which an app may do itself: lower limits, another directory; or a "
		"bounding set\n"
		"       that is not empty, because it was started without root, as in a container\n"
		"  ?    cannot be seen from outside (securebits, Landlock), or not by you\n"
		"  .    the policy says nothing about it\n"
		"\n"
		"A process counts as started by runas-app when it has no_new_privs, a filter (in a container, one more than "
		"its\n"
		"own), no capabilities, and an empty bounding set; any other process of the app's user was \"started by other means\", which is an error.\n"
		"Descriptors, environment and directory of a process are readable for root and for its own user only.\n"
		"\n"
		"  --app NAME   compare with this app's policy: for a user that has several apps, or none\n"
		"  --root DIR   policies and accounts of an image: of a container, /proc/PID/root\n"
		"  --json       one document: app, processes (with `compared`: what, result, policy, is), findings\n"
		"\n"
		"Exit status: 0 it is as the policy says, 1 something differs, 2 usage, no such process, or no policy "
		"for it.\n"
		"\n"
		"  runas-policy status shop\n"
		"  runas-policy status --json $(cat /run/shop/gunicorn.pid) | jq '.processes[0].compared[]'\n",
	.run = run,
};
