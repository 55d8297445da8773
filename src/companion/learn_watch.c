/* SPDX-License-Identifier: ISC */
#include "companion/learn_watch.h"

#include "companion/evaluate.h"
#include "companion/output.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

#define KILL_PATIENCE 0.1 /* seconds: each round reaches one generation, whose children then are ours */

enum { TERMINAL_PATIENCE = 5, TERM_PATIENCE = 10, /* seconds */ MOST_KILLS = 200 };

/* --- which calls --- */

/* enforce: NULL where there is no profile, which allows all that nothing else refuses. */
static uint32_t answer_of(const struct program *enforce, const struct evaluate_call *call) {
	struct evaluate_answer answer = {.valid = true, .action = SECCOMP_RET_ALLOW};

	if (enforce != NULL)
		answer = evaluate_program(enforce, call);
	return answer.valid ? answer.action : SECCOMP_RET_KILL_PROCESS;
}

static bool is_always_allowed(const struct program *enforce, uint32_t number) {
	struct evaluate_answer answer = {.valid = true, .action = SECCOMP_RET_ALLOW};

	if (enforce != NULL)
		answer = generate_ask(enforce, number);
	return answer.valid && answer.action == SECCOMP_RET_ALLOW && answer.looks == 0;
}

static void emit(struct generated *to, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
	if (to->count < PROGRAM_MAX_INSTRUCTIONS)
		to->code[to->count] = (struct program_instruction){code, jt, jf, k};
	to->count++;
}

bool learn_watch_filter(const struct program *enforce, struct generated *ret) {
	ret->count = 0;
	/* Other architectures are the launcher's filter's: it kills for them. */
	emit(ret, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit(ret, BPF_JMP | BPF_JEQ | BPF_K, generate_arch(), 1, 0);
	emit(ret, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	emit(ret, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	for (uint32_t number = 0; number < SYSCALLS_NUMBERS; number++) {
		uint32_t flags = 0;
		int argument = -1;
		const bool is_writing = learn_call_is_writing(number, &argument, &flags);

		if (!is_always_allowed(enforce, number) || (is_writing && argument < 0)) {
			emit(ret, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
			emit(ret, BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
		} else if (is_writing) {
			/* The lower half of the argument: this is a little-endian machine, both that profiles are for. */
			emit(ret, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
			emit(ret, BPF_LD | BPF_W | BPF_ABS,
			     (uint32_t)(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (size_t)argument), 0,
			     0);
			emit(ret, BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
			emit(ret, BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
			emit(ret, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
		}
	}
	emit(ret, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	return ret->count <= PROGRAM_MAX_INSTRUCTIONS;
}

static const struct profile_call *named(const struct profile *profile, uint32_t number) {
	for (size_t i = 0; profile != NULL && i < profile->call_count; i++)
		if (profile->calls[i].number == number)
			return &profile->calls[i];
	return NULL;
}

bool learn_watch_masks(const struct profile *profile, uint32_t number, uint32_t ret[6]) {
	/* Where allowing the call at all would be too much, though the profile says nothing about it. */
	static const struct {
		const char *name;
		uint32_t mask;
	} first[] = {
		{"socket", UINT32_MAX}, {"socketpair", UINT32_MAX}, {"clone", 0x7e020000}, {"personality", UINT32_MAX}};
	const struct profile_call *call = named(profile, number);
	char name[SYSCALLS_NAME_SIZE];
	bool has_any = false;

	memset(ret, 0, 6 * sizeof *ret);
	for (size_t i = 0; call != NULL && call->answer == PROFILE_ALLOW && i < call->rule_count; i++)
		for (size_t j = 0; j < call->rules[i].condition_count; j++)
			ret[call->rules[i].conditions[j].argument] |= call->rules[i].conditions[j].mask;
	for (size_t i = 0; syscalls_name(number, name) && i < sizeof first / sizeof first[0]; i++)
		if (strcmp(name, first[i].name) == 0)
			ret[0] |= first[i].mask;
	for (size_t i = 0; i < 6; i++)
		has_any |= ret[i] != 0;
	return has_any;
}

/* --- the child --- */

static long install(const struct program *program, unsigned long flags) {
	const struct sock_fprog filter = {.len = (unsigned short)program->count,
					  .filter = (struct sock_filter *)(uintptr_t)program->code};

	return syscall(SYS_seccomp, (long)SECCOMP_SET_MODE_FILTER, flags, &filter);
}

struct shared {
	atomic_int listener; /* a descriptor; -1: not yet */
	atomic_int failed;   /* errno */
};

/* The parent has the same descriptors until exec, so the number is enough. */
static _Noreturn void child(const struct learn_watch *w, const struct program *program, const sigset_t *mask,
			    struct shared *shared) {
	long fd = 0;

	sigprocmask(SIG_SETMASK, mask, NULL);
	/* Without no_new_privs, which would take the setuid bit from the launcher: it is CAP_SYS_ADMIN that allows it. */
	fd = install(program, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (fd < 0 && errno == EINVAL)
		fd = install(program, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (fd < 0) {
		atomic_store(&shared->failed, errno);
		_exit(1);
	}
	atomic_store(&shared->listener, (int)fd);
	execve(w->launcher, w->argv, environ);
	atomic_store(&shared->failed, errno);
	_exit(1);
}

/* --- what the calls are --- */

struct watching {
	struct learn_watch *w;
	pid_t pid; /* the launcher, and then the app */
	int listener, signals;
	struct stat launcher, self;
	char own_name[LEARN_TASK_NAME];
	struct seccomp_notif *asked;
	struct seccomp_notif_resp *answered;
	double deadline;
	unsigned stopping; /* 0: runs; 1: was asked by the terminal; 2: SIGTERM; 3: SIGKILL */
	unsigned kills;
	int children; /* of this process, as the kernel lists them */
};

static double now(void) {
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void task_name(pid_t task, char ret[LEARN_TASK_NAME]) {
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/comm", (int)task);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, ret, LEARN_TASK_NAME - 1);
	if (fd >= 0)
		close(fd);
	ret[got < 0 ? 0 : got] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

/* Before the app, it is this program's child, and then the launcher. */
static bool is_app(const struct watching *on, pid_t task) {
	char path[64];
	struct stat exe;

	snprintf(path, sizeof path, "/proc/%d/exe", (int)task);
	return stat(path, &exe) == 0 && (exe.st_ino != on->launcher.st_ino || exe.st_dev != on->launcher.st_dev) &&
	       (exe.st_ino != on->self.st_ino || exe.st_dev != on->self.st_dev);
}

static void record(struct learn_watch *w, pid_t task, uint32_t answer, const struct evaluate_call *call) {
	struct learn_seen *seen = &w->calls[call->number];
	uint32_t masks[6], variant[6] = {0};
	size_t i = 0;

	if (seen->times++ == 0) {
		seen->task = task;
		seen->answer = answer;
		task_name(task, seen->name);
	}
	if (!learn_watch_masks(w->profile, call->number, masks))
		return;
	for (size_t j = 0; j < 6; j++)
		variant[j] = (uint32_t)call->arguments[j] & masks[j];
	while (i < seen->variant_count && memcmp(seen->variants[i].values, variant, sizeof variant) != 0)
		i++;
	if (i == LEARN_VARIANTS) {
		seen->has_more_variants = true;
		return;
	}
	if (i == seen->variant_count)
		memcpy(seen->variants[seen->variant_count++].values, variant, sizeof variant);
	seen->variants[i].times++;
}

/* What a shipped profile names to refuse it, an app has to live without: how it does is what there is to learn. */
static bool is_refused(const struct profile *profile, uint32_t number) {
	const struct profile_call *call = named(profile, number);

	return call != NULL && call->answer != PROFILE_ALLOW && call->origin[0] == '@';
}

static void judge(struct watching *on) {
	struct learn_watch *w = on->w;
	const struct seccomp_data *data = &on->asked->data;
	struct evaluate_call call = {.number = (uint32_t)data->nr, .arch = data->arch};
	const pid_t task = (pid_t)on->asked->pid;
	struct learn_write writes[LEARN_WRITES];
	uint32_t action;
	size_t count = 0;
	bool is_unread = false;

	on->answered->id = on->asked->id;
	on->answered->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	on->answered->val = on->answered->error = 0;
	if (call.number >= SYSCALLS_NUMBERS || !is_app(on, task))
		return;
	for (size_t i = 0; i < 6; i++)
		call.arguments[i] = data->args[i];
	action = answer_of(w->enforce, &call);
	if (action != SECCOMP_RET_ALLOW && is_refused(w->profile, call.number)) {
		w->calls[call.number].is_refused = true;
		on->answered->flags = 0;
		on->answered->error = -(int)(action & SECCOMP_RET_DATA);
	} else {
		count = learn_call_writes(task, &w->app, call.number, call.arguments, writes, &is_unread);
	}
	/* Otherwise it is gone, and what we read may be another's. */
	if (seccomp_notify_id_valid(on->listener, on->asked->id) != 0)
		return;
	w->has_started = true;
	w->unread += is_unread;
	if (action != SECCOMP_RET_ALLOW)
		record(w, task, action, &call);
	for (size_t i = 0; i < count; i++)
		learn_paths_add(&w->written, writes[i].path, writes[i].is_directory);
}

/* --- its life --- */

/* All children, orphans of the app among them: we are their reaper. */
static void signal_all(const struct watching *on, int signal) {
	char list[16384], *at = list, *end;
	const ssize_t got = on->children < 0 ? -1 : pread(on->children, list, sizeof list - 1, 0);
	long pid;

	if (got <= 0 && on->pid > 0)
		kill(on->pid, signal);
	list[got > 0 ? got : 0] = '\0';
	for (pid = strtol(at, &end, 10); end != at; at = end, pid = strtol(at, &end, 10))
		if (pid > 1)
			kill((pid_t)pid, signal);
}

static void stop(struct watching *on, unsigned how) {
	on->w->was_stopped = true;
	on->stopping = how;
	on->deadline = now() + (how == 1 ? TERMINAL_PATIENCE : how == 2 ? TERM_PATIENCE : KILL_PATIENCE);
	if (how > 1)
		signal_all(on, how == 2 ? SIGTERM : SIGKILL);
}

/* false: nothing is left. */
static bool reap(struct watching *on) {
	char name[LEARN_TASK_NAME];
	siginfo_t info;
	int status;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
			return errno != ECHILD;
		if (info.si_pid == 0)
			return true;
		/* A dead process still has its name, and exec changes that. */
		task_name(info.si_pid, name);
		if (waitpid(info.si_pid, &status, 0) != on->pid)
			continue;
		on->w->has_started |=
			strncmp(name, basename(on->w->launcher), 15) != 0 && strcmp(name, on->own_name) != 0;
		on->w->status = status;
		on->pid = -1;
	}
}

static void take_signal(struct watching *on) {
	struct signalfd_siginfo info;

	if (read(on->signals, &info, sizeof info) != sizeof info || info.ssi_signo == SIGCHLD)
		return;
	/* Ctrl-C reaches the app too, and it shall have time to end as it likes. */
	if (on->stopping == 0)
		stop(on, (info.ssi_signo == SIGINT || info.ssi_signo == SIGQUIT) && info.ssi_code == SI_KERNEL ? 1 : 2);
	else
		stop(on, 3);
}

static void take_call(struct watching *on) {
	memset(on->asked, 0, sizeof *on->asked);
	if (seccomp_notify_receive(on->listener, on->asked) != 0)
		return;
	judge(on);
	(void)seccomp_notify_respond(on->listener, on->answered); /* ENOENT: it was killed meanwhile */
}

static void watch_all(struct watching *on) {
	struct pollfd ready[2] = {{.fd = on->listener, .events = POLLIN}, {.fd = on->signals, .events = POLLIN}};

	while (reap(on)) {
		const double left = on->deadline - now();

		if (on->deadline > 0 && left <= 0) {
			/* What sleeps inside the kernel outlives even that, and cannot be waited for. */
			if (on->stopping == 3 && ++on->kills > MOST_KILLS)
				return output_fail("kill them: they run without their write list",
						   "learn: processes of the app are still there"), (void)0;
			stop(on, on->stopping < 2 ? 2 : 3);
			continue;
		}
		if (poll(ready, 2, on->deadline > 0 && left < 1 ? (int)(left * 1000) + 1 : 1000) <= 0)
			continue;
		if ((ready[1].revents & POLLIN) != 0)
			take_signal(on);
		if ((ready[0].revents & POLLIN) != 0)
			take_call(on);
		else if (ready[0].revents != 0)
			ready[0].fd = -1; /* nobody is under the filter any more */
	}
}

static bool start(struct watching *on, const struct program *program, const sigset_t *mask) {
	struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int failed = 0;

	if (shared == MAP_FAILED)
		return output_fail(NULL, "mmap: %m"), false;
	atomic_store(&shared->listener, -1);
	atomic_store(&shared->failed, 0);
	/* As fork(2), with our table of descriptors, in which its listener then stands. exec makes it two tables again. */
	on->pid = (pid_t)syscall(SYS_clone, (long)(CLONE_FILES | SIGCHLD), 0L, 0L, 0L, 0L);
	if (on->pid == 0)
		child(on->w, program, mask, shared);
	while (on->pid > 0 && (on->listener = atomic_load(&shared->listener)) < 0 &&
	       (failed = atomic_load(&shared->failed)) == 0)
		usleep(1000);
	if (on->pid < 0)
		output_fail(NULL, "clone: %m");
	else if (failed != 0)
		output_fail(failed == EBUSY
				    ? "something watches this process in the same way: a container runtime, perhaps; "
				      "run it outside"
				    : "it needs CAP_SYS_ADMIN and Linux 5.5 or newer",
			    "cannot watch system calls: seccomp: %s", strerror(failed));
	if (failed != 0)
		waitpid(on->pid, NULL, 0);
	munmap(shared, sizeof *shared);
	return on->pid > 0 && failed == 0;
}

static bool prepare(struct watching *on) {
	char path[64];
	uint32_t mine = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	on->children = open(path, O_RDONLY | O_CLOEXEC);
	task_name(getpid(), on->own_name);
	if (stat(on->w->launcher, &on->launcher) != 0 || stat("/proc/self/exe", &on->self) != 0)
		return output_fail("is /proc mounted?", "%s: %m", on->w->launcher), false;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) != 0 ||
	    setgroups(on->w->group_count, on->w->group_count > 0 ? on->w->groups : &mine) != 0)
		return output_fail("it needs CAP_SETGID", "cannot take the app's groups: %m"), false;
	return true;
}

bool learn_watch(struct learn_watch *w) {
	struct watching on = {.w = w, .pid = -1, .listener = -1};
	struct generated *filter = output_memory(malloc(sizeof *filter));
	sigset_t ours, before;
	bool is_good = learn_watch_filter(w->enforce, filter);
	const struct program program = {filter->code, filter->count};

	sigemptyset(&ours);
	for (const int *signal = (const int[]){SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD, 0}; *signal != 0; signal++)
		sigaddset(&ours, *signal);
	sigprocmask(SIG_BLOCK, &ours, &before);
	on.signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	is_good = is_good && prepare(&on) && on.signals >= 0 && seccomp_notify_alloc(&on.asked, &on.answered) == 0 &&
		  start(&on, &program, &before);
	if (is_good) {
		on.deadline = w->seconds > 0 ? now() + w->seconds : 0;
		watch_all(&on);
		close(on.listener);
	}
	if (on.asked != NULL)
		seccomp_notify_free(on.asked, on.answered);
	if (on.signals >= 0)
		close(on.signals);
	if (on.children >= 0)
		close(on.children);
	free(filter);
	/* A second Ctrl-C that is still pending shall not end us before the report. */
	return is_good;
}
