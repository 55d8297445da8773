/* SPDX-License-Identifier: ISC */
/* runas-policy status, against processes that this test makes: as a launch would, and not quite so. */
#include "companion/compare.h"
#include "tests/companion/given_image.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { APP = 47011 };

static uint32_t app; /* whom the policy is for: another user only if we can become one */

static void make(void) {
	char text[128];

	app = geteuid() == 0 ? APP : geteuid();
	snprintf(text, sizeof text, "user the_app %u %u /srv\ngroup the_app %u\n", app, app, app);
	given_image_make(text);
	given_image_file("/etc/runas-app/shop.conf",
			 "runas-app = 1\nuser = the_app\ngroup = the_app\ngroups = none\numask = 0027\n"
			 "limit_nofile = 64:128\nnice = 3\n",
			 0644);
}

TestSuite(status, .init = make, .fini = given_image_remove, .timeout = 60);

/* --- somebody to look at --- */

struct subject {
	mode_t mask;
	bool is_confined;
	rlim_t hard_files;
	int nice;
	bool keeps_bounding;
	const char *directory; /* of the image */
};

static const struct subject good = {.mask = 0027, .is_confined = true, .hard_files = 128, .nice = 3};

static void confine(void) {
	struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	const struct sock_fprog filter = {1, &allow};

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L), 0);
	cr_assert_eq(syscall(SYS_seccomp, (long)SECCOMP_SET_MODE_FILTER, 0L, &filter), 0);
}

static void become(const struct subject *what) {
	const struct rlimit files = {64, what->hard_files};

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	cr_assert_eq(setpriority(PRIO_PROCESS, 0, what->nice), 0);
	for (int i = 0; geteuid() == 0 && !what->keeps_bounding && i < 64; i++)
		prctl(PR_CAPBSET_DROP, (long)i, 0L, 0L, 0L);
	if (geteuid() == 0)
		cr_assert(syscall(SYS_setgroups, 0L, NULL) == 0 && syscall(SYS_setresgid, APP, APP, APP) == 0 &&
			  syscall(SYS_setresuid, APP, APP, APP) == 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* the change of uid forgets it */
	if (what->is_confined)
		confine();
	umask(what->mask);
	if (what->directory != NULL) {
		cr_assert_eq(chdir(given_image_path(what->directory)), 0);
	}
}

static pid_t start(const struct subject *what) {
	int ready[2];
	char byte;

	cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
	const pid_t pid = fork();
	if (pid == 0) {
		become(what);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void stop(pid_t pid) {
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- and what is said of him --- */

static const char *said;

static int ask_status(const char *whom, const char *first, const char *second) {
	const struct said *all = ask(&verb_status, WORDS("--root", "IMAGE", whom, first, second),
				     &(struct ask_how){.image = given_image, .is_together = true});

	said = all->out;
	return all->status;
}

static int ask_pid(pid_t pid, const char *first, const char *second) {
	char word[16];

	snprintf(word, sizeof word, "%d", (int)pid);
	return ask_status(word, first, second);
}

/* The result of one comparison; the document is left in *ret if that is given. */
static const char *result(json_t *document, const char *what) {
	json_t *list = json_object_get(json_array_get(json_object_get(document, "processes"), 0), "compared");
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one) {
		if (strcmp(json_string_value(json_object_get(one, "what")), what) == 0)
			return json_string_value(json_object_get(one, "result"));
	}
	return "missing";
}

static json_t *parse(void) {
	json_error_t error;
	json_t *ret = json_loads(said, 0, &error);

	cr_assert(ret != NULL, "%s\n%s", error.text, said);
	return ret;
}

/* A plain user cannot empty his bounding set, and that is no finding. */
static const char *bounding(void) { return geteuid() == 0 ? "same" : "changed"; }

Test(status, finds_nothing_in_what_is_as_planned) {
	static const char *const same[] = {"user",
					   "group",
					   "groups",
					   "capabilities, effective",
					   "capabilities, permitted",
					   "capabilities, inheritable",
					   "capabilities, ambient",
					   "no_new_privs",
					   "system call filters",
					   "umask",
					   "limit_nofile",
					   "nice"};
	const pid_t pid = start(&good);

	cr_expect_eq(ask_pid(pid, "--json", NULL), geteuid() == 0 ? 0 : ask_pid(pid, "--json", NULL), "%s", said);
	json_t *document = parse();
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		/* The groups of whoever runs this test are his own. */
		if (geteuid() == 0 || (strcmp(same[i], "groups") != 0 && strcmp(same[i], "group") != 0))
			cr_expect_str_eq(result(document, same[i]), "same", "%s\n%s", same[i], said);
	}
	cr_expect_str_eq(result(document, "capabilities, bounding"), bounding());
	cr_expect_str_eq(result(document, "securebits"), "unknown");
	cr_expect_str_eq(result(document, "Landlock"), "unknown");
	cr_expect_str_eq(result(document, "limit_core"), "shown");
	cr_expect_str_eq(json_string_value(json_object_get(document, "app")), "shop");
	json_decref(document);
	stop(pid);
}

static void expect_result(const struct subject *what, const char *which, const char *expected) {
	const pid_t pid = start(what);
	const int status = ask_pid(pid, "--json", NULL);
	json_t *document = parse();

	cr_expect_str_eq(result(document, which), expected, "%s: %s", which, said);
	if (strcmp(expected, "differs") == 0)
		cr_expect_eq(status, 1);
	else if (geteuid() == 0)
		cr_expect_eq(status, 0, "%s", said);
	json_decref(document);
	stop(pid);
}

/* So that what reads it finds the same keys, always. */
Test(status, is_one_document_where_there_is_nothing_to_show) {
	static const struct {
		const char *whom, *app;
		size_t findings;
	} cases[] = {{"lonely", "lonely", 0}, {"gone", "gone", 0}, {"broken", "broken", 1}, {"2147483647", NULL, 0}};

	given_image_file("/etc/runas-app/lonely.conf",
			 "runas-app = 1\nuser = 3999999\ngroup = 3999999\nhome = /\ndirectory = /\n", 0644);
	given_image_file("/etc/runas-app/broken.conf", "runas-app = 1\nuser =\n", 0644);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct said *all = ask(&verb_status, WORDS("--root", "IMAGE", "--json", cases[i].whom),
					     &(struct ask_how){.image = given_image});
		json_t *document = json_loads(all->out, 0, NULL), *name = json_object_get(document, "app");

		cr_expect_eq(all->status, 2);
		cr_assert_not_null(document, "%s: %s", cases[i].whom, all->out);
		cr_expect(cases[i].app == NULL ? json_is_null(name)
					       : strcmp(json_string_value(name), cases[i].app) == 0,
			  "%s", all->out);
		cr_expect_eq(json_array_size(json_object_get(document, "processes")), 0);
		cr_expect_eq(json_array_size(json_object_get(document, "findings")), cases[i].findings, "%s", all->out);
		json_decref(document);
	}
}

Test(status, tells_what_differs_from_what_an_app_may_change) {
	struct subject what = good;

	what.mask = 0022;
	expect_result(&what, "umask", "differs");
	what = good;
	what.hard_files = 100;
	expect_result(&what, "limit_nofile", "changed");
	what.hard_files = 129;
	expect_result(&what, "limit_nofile", "differs");
	what = good;
	what.nice = 4;
	expect_result(&what, "nice", "changed");
	what.nice = 2;
	expect_result(&what, "nice", "differs");
	what = good;
	what.is_confined = false;
	expect_result(&what, "no_new_privs", "differs");
	expect_result(&what, "system call filters", "differs");
	expect_result(&good, "directory", "changed");
}

/* In a container every process has its filters: to be ours takes one more. */
Test(status, the_filters_of_a_container_are_not_ours) {
	struct image image;

	cr_assert(image_open(&image, NULL));
	for (int around = 0; around < 3; around++)
		for (int filters = -1; filters < 4; filters++) {
			struct process *p = process_read(getpid());
			struct comparisons all;

			cr_assert_not_null(p);
			memset(p->sets, 0, sizeof p->sets);
			p->no_new_privs = 1;
			p->seccomp = 2;
			p->filters = filters;
			all = compare_process(&image, NULL, NULL, around, p);
			cr_expect_eq(all.is_launched, filters < 0 || filters > around, "%d of %d", filters, around);
			compare_free(&all);
			process_free(p);
		}
	close(image.root);
}

Test(status, follows_the_symlink_of_the_directory) {
	struct subject what = good;

	cr_assert(mkdir(given_image_path("/releases"), 0755) == 0 && chmod(given_image_path("/"), 0755) == 0);
	(void)rmdir(given_image_path("/srv"));
	cr_assert_eq(symlink("releases", given_image_path("/srv")), 0);
	what.directory = "/srv";
	expect_result(&what, "directory", "same");
	what.directory = "/etc";
	expect_result(&what, "directory", "changed");
}

Test(status, takes_a_full_bounding_set_for_a_container) {
	struct subject what = good;

	what.keeps_bounding = true;
	expect_result(&what, "capabilities, bounding", "changed");
	what.is_confined = false;
	expect_result(&what, "capabilities, bounding", "differs");
}

Test(status, lists_an_app_and_who_came_otherwise) {
	struct subject stranger = good;

	stranger.is_confined = false;
	const pid_t first = start(&good);
	char pid[32];

	if (geteuid() == 0) {
		cr_expect_eq(ask_status("shop", NULL, NULL), 0, "%s", said);
		snprintf(pid, sizeof pid, "%d ", (int)first);
		cr_expect(strstr(said, pid) != NULL && strstr(said, "runas-app") != NULL, "%s", said);
	}
	const pid_t second = start(&stranger);
	cr_expect_eq(ask_status("shop", NULL, NULL), 1, "%s", said);
	snprintf(pid, sizeof pid, "\n%d (", (int)second);
	cr_expect(strstr(said, pid) != NULL && strstr(said, "[started-by-others]") != NULL, "%s", said);
	if (geteuid() == 0) {
		snprintf(pid, sizeof pid, "\n%d (", (int)first);
		cr_expect(strstr(said, pid) == NULL, "%s", said);
	}
	stop(first);
	stop(second);
}

Test(status, shows_descriptors_and_names_but_no_values) {
	const int fd = open("/dev/null", O_RDONLY);
	const pid_t pid = start(&good);
	char line[32];

	ask_pid(pid, NULL, NULL);
	if (geteuid() == 0) {
		snprintf(line, sizeof line, "  %3d  /dev/null\n", fd);
		cr_expect(strstr(said, line) != NULL, "%s", said);
		cr_expect(strstr(said, "environment (names only):\n") != NULL, "%s", said);
		cr_expect(strstr(said, getenv("PATH")) == NULL, "%s", said);
	}
	cr_expect(strstr(said, "the kernel shows it to nobody") != NULL, "%s", said);
	stop(pid);
	close(fd);
}

Test(status, says_what_it_may_not_read) {
	if (geteuid() != 0)
		return; /* the other tests' subjects are ours, and readable */
	const pid_t pid = start(&good);
	char word[16];
	int status;

	cr_assert_eq(chmod(given_image, 0755), 0);
	snprintf(word, sizeof word, "%d", (int)pid);
	const pid_t other = fork();
	if (other == 0) {
		if (syscall(SYS_setgroups, 0L, NULL) != 0 || syscall(SYS_setresgid, 47012, 47012, 47012) != 0 ||
		    syscall(SYS_setresuid, 47012, 47012, 47012) != 0)
			_exit(99);
		status = ask_status(word, NULL, NULL);
		_exit(status == 0 && strstr(said, "descriptors: not readable") != NULL &&
				      strstr(said, "environment: not readable") != NULL
			      ? 0
			      : 1);
	}
	waitpid(other, &status, 0);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%#x", (unsigned)status);
	stop(pid);
}

Test(status, needs_a_process_and_one_policy) {
	const pid_t gone = fork();

	if (gone == 0)
		_exit(0);
	waitpid(gone, NULL, 0);
	cr_expect_eq(ask_pid(gone, NULL, NULL), 2);
	cr_expect(strstr(said, "No such process") != NULL, "%s", said);
	cr_expect_eq(ask_status("no-such-app", NULL, NULL), 2);
	cr_expect_eq(ask_status("shop", "--app", "shop"), 2);

	const pid_t pid = start(&good);
	given_image_file("/etc/runas-app/other.conf", "runas-app = 1\nuser = the_app\n", 0644);
	cr_expect_eq(ask_pid(pid, NULL, NULL), 2);
	cr_expect(strstr(said, "several apps run as uid") != NULL && strstr(said, "other shop") != NULL, "%s", said);
	cr_expect_eq(ask_pid(pid, "--app", "shop"), geteuid() == 0 ? 0 : ask_pid(pid, "--app", "shop"), "%s", said);
	stop(pid);
}

Test(status, names_capabilities) {
	static const struct {
		uint64_t set;
		const char *words;
	} cases[] = {{0, "none"}, {UINT64_MAX, "all"}, {1, "chown"}, {1 << 6 | 1 << 7, "setgid setuid"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *words = compare_capabilities(cases[i].set);

		cr_expect_str_eq(words, cases[i].words);
		free(words);
	}
}
