/* SPDX-License-Identifier: ISC */
#include "inject.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "steps.h"

const struct inject_fault inject_faults[INJECT_FAULTS] = {
	{"EPERM", INJECT_ANSWER, -EPERM},
	{"EACCES", INJECT_ANSWER, -EACCES},
	{"EINTR", INJECT_ANSWER, -EINTR},
	{"ENOMEM", INJECT_ANSWER, -ENOMEM},
	{"EAGAIN", INJECT_ANSWER, -EAGAIN},
	{"ENOSYS", INJECT_ANSWER, -ENOSYS},
	{"EINVAL", INJECT_ANSWER, -EINVAL},
	{"EIO", INJECT_ANSWER, -EIO},
	{"EMFILE", INJECT_ANSWER, -EMFILE},
	{"ENOSPC", INJECT_ANSWER, -ENOSPC},
	{"0", INJECT_ANSWER, 0},
	{"STOP", INJECT_STOP, 0},
	{"KILL", INJECT_KILL, 0},
};

/* --- the registers of the two machines that we know --- */

static void exchange_registers(pid_t child, int request, int kind, void *registers, size_t size) {
	struct iovec all = {registers, size};
	cr_assert(ptrace(request, child, (void *)(intptr_t)kind, &all) == 0, "registers: %s", strerror(errno));
}

/* At its entry: the kernel is asked for a call that it does not have, which does nothing. */
static void skip_call(pid_t child) {
#ifdef __aarch64__
	int number = -1;
	exchange_registers(child, PTRACE_SETREGSET, NT_ARM_SYSTEM_CALL, &number, sizeof(number));
#else
	struct user_regs_struct registers;
	exchange_registers(child, PTRACE_GETREGSET, NT_PRSTATUS, &registers, sizeof(registers));
	registers.orig_rax = ~0ULL;
	exchange_registers(child, PTRACE_SETREGSET, NT_PRSTATUS, &registers, sizeof(registers));
#endif
}

static void set_answer(pid_t child, int64_t answer) {
	struct user_regs_struct registers;

	exchange_registers(child, PTRACE_GETREGSET, NT_PRSTATUS, &registers, sizeof(registers));
#ifdef __aarch64__
	registers.regs[0] = (uint64_t)answer;
#else
	registers.rax = (uint64_t)answer;
#endif
	exchange_registers(child, PTRACE_SETREGSET, NT_PRSTATUS, &registers, sizeof(registers));
}

/* --- one launch --- */

static void prepare(const void *data) {
	const struct world_call *call = data;

	if (call->as_root)
		call->as_root(call->data);
	/* While root: what the tracer may do with a setuid program is what this process may do now. */
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
		_exit(WORLD_CHILD_BROKE);
}

static void prepare_as_caller(const void *data) {
	const struct world_call *call = data;

	if (call->as_caller)
		call->as_caller(call->data);
}

static void expect_stop(pid_t child, int wanted, int options) {
	int status = 0;

	cr_assert(waitpid(child, &status, WUNTRACED) == child && status >> 8 == wanted, "wait status %#x, not stop %#x",
		  (unsigned)status, (unsigned)wanted);
	cr_assert(options == 0 || ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(intptr_t)options) == 0);
}

/* Traced, and before its first instruction. The stop of PTRACE_EVENT_EXEC comes even where all signals are blocked. */
static struct world_run *start(const struct world_call *call) {
	struct world_call traced = *call;

	traced.as_root = prepare;
	traced.as_caller = prepare_as_caller;
	traced.data = call;
	struct world_run *run = world_start(&traced);
	expect_stop(run->pid, SIGSTOP, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
	cr_assert(ptrace(PTRACE_CONT, run->pid, NULL, NULL) == 0);
	expect_stop(run->pid, SIGTRAP | PTRACE_EVENT_EXEC << 8, 0);
	return run;
}

static struct world_run *finish(struct world_run *run, const struct world_call *call, enum step step, int status) {
	if (step == STEP_GONE)
		world_was_reaped(run, status);
	else
		cr_assert(ptrace(PTRACE_DETACH, run->pid, NULL, NULL) == 0 || errno == ESRCH, "%s", strerror(errno));
	world_wait(run, call->seconds ? call->seconds : 10);
	return run;
}

static void name_call(struct inject_call *call) {
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)call->number);

	if (name)
		snprintf(call->name, sizeof(call->name), "%s", name);
	else
		snprintf(call->name, sizeof(call->name), "syscall_%llu", (unsigned long long)call->number);
	free(name);
}

size_t inject_watch(const struct world_call *call, struct inject_call *calls, struct world_run **ret) {
	struct __ptrace_syscall_info info;
	struct world_run *run = start(call);
	enum step step;
	size_t count = 0;
	int status = 0;

	while ((step = steps_next(run->pid, &info, &status)) == STEP_ENTRY || step == STEP_EXIT) {
		if (step == STEP_EXIT) { /* the first is execve's, of the launcher itself */
			calls[count > 0 ? count - 1 : 0].result = info.exit.rval;
			continue;
		}
		cr_assert(count < INJECT_CALLS_MAX, "more system calls than expected");
		struct inject_call *now = &calls[count++];
		*now = (struct inject_call){.number = info.entry.nr, .when = 1};
		memcpy(now->arguments, info.entry.args, sizeof(now->arguments));
		name_call(now);
		for (size_t i = 0; i + 1 < count; i++)
			now->when += calls[i].number == now->number;
	}
	*ret = finish(run, call, step, status);
	return count;
}

static void answer_without_doing(pid_t child, int64_t answer) {
	struct __ptrace_syscall_info info;
	int status = 0;

	skip_call(child);
	cr_assert(steps_next(child, &info, &status) == STEP_EXIT, "a skipped call did not return: %#x",
		  (unsigned)status);
	set_answer(child, answer);
}

/* The call is made, and then it stands; unless it was exit_group. */
static void stop_and_go_on(struct world_run *run) {
	int status = 0;

	cr_assert(kill(run->pid, SIGSTOP) == 0 && ptrace(PTRACE_DETACH, run->pid, NULL, NULL) == 0);
	cr_assert(waitpid(run->pid, &status, WUNTRACED) == run->pid);
	if (!WIFSTOPPED(status))
		world_was_reaped(run, status);
	else
		cr_assert(kill(run->pid, SIGCONT) == 0);
}

struct world_run *inject_into(const struct world_call *call, const struct inject_call *calls, size_t index,
			      const struct inject_fault *fault) {
	struct __ptrace_syscall_info info;
	struct world_run *run = start(call);
	int status = 0;

	for (size_t seen = 0;;) {
		enum step step = steps_next(run->pid, &info, &status);
		if (step == STEP_EXIT)
			continue;
		if (step != STEP_ENTRY || info.entry.nr != calls[seen].number) {
			kill(run->pid, SIGKILL);
			finish(run, call, step, status);
			return NULL;
		}
		if (seen++ == index)
			break;
	}
	if (fault->kind == INJECT_ANSWER)
		answer_without_doing(run->pid, fault->answer);
	else if (fault->kind == INJECT_KILL)
		cr_assert(kill(run->pid, SIGKILL) == 0);
	if (fault->kind != INJECT_STOP)
		return finish(run, call, STEP_ENTRY, 0);
	stop_and_go_on(run);
	world_wait(run, call->seconds ? call->seconds : 10);
	return run;
}

struct world_run *inject_always(const struct world_call *call, uint64_t number) {
	struct __ptrace_syscall_info info;
	struct world_run *run = start(call);
	enum step step;
	int status = 0;

	while ((step = steps_next(run->pid, &info, &status)) == STEP_ENTRY || step == STEP_EXIT) {
		if (step == STEP_ENTRY && info.entry.nr == number)
			answer_without_doing(run->pid, 0);
	}
	return finish(run, call, step, status);
}
