/* SPDX-License-Identifier: ISC */
#include "launcher/stages.h"

#include <sys/socket.h>
#include <sys/un.h>

#define MAX_MESSAGE 6144
#define MAX_OBJECT 512 /* bytes of a path */
#define MAX_QUOTED 256 /* bytes of the command, and of anything else that a caller chose */

_Static_assert(MAX_MESSAGE <= CALLER_MAX_GROUPS * sizeof(uint32_t), "a message fits into scratch");

/* before ends with the opening quote. */
static void add_quoted(struct sink *s, const char *before, struct text t) {
	sink_words(s, before);
	sink_escaped(s, (struct text){t.at, t.length < MAX_QUOTED ? t.length : MAX_QUOTED});
	sink_byte(s, '"');
}

static void add_reason(struct sink *s, const struct report *to, const struct problem *why) {
	const bool is_policy = why->line > 0 || text_starts(text_of(why->word), text_of("policy"));
	const struct text object = why->object.length > 0 || !is_policy ? why->object : to->file;

	sink_escaped(s, (struct text){object.at, object.length < MAX_OBJECT ? object.length : MAX_OBJECT});
	if (why->line > 0)
		sink_number(s, ":", why->line);
	sink_words(s, object.length > 0 ? ": " : "");
	sink_words(s, why->what);
	if (why->about.length > 0)
		add_quoted(s, " \"", why->about);
	sink_words(s, why->error != 0 ? ": " : "");
	sink_words(s, why->error != 0 ? strerror(why->error) : "");
}

static bool send_line(const struct sink *s) {
	const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const bool is_open = fd > STDERR_FILENO; /* 0 to 2 are taken: such an answer is a filter's */
	const bool is_sent = is_open && sendto(fd, s->at, s->used, MSG_NOSIGNAL, (const struct sockaddr *)&log,
					       sizeof(log)) == (ssize_t)s->used;
	return is_open && close(fd) == 0 && is_sent;
}

/* Ident and fields are constant; what the caller chose is quoted, escaped and capped (CVE-2023-28486). */
static void begin_line(struct sink *s, const struct report *to, const char *start) {
	char words[MAX_QUOTED];
	struct sink command = {.at = words, .size = sizeof(words)};

	sink_number(s, start, (uint64_t)getpid());
	sink_number(s, "]: caller=", to->caller->uid.value);
	add_quoted(s, " app=\"", to->request->app);
	for (size_t i = 0; i < to->request->words && !command.full; i++) {
		sink_words(&command, i > 0 ? " " : "");
		sink_words(&command, to->request->command[i]);
	}
	add_quoted(s, " command=\"", (struct text){words, command.used});
}

bool report_allowed(const struct report *to, const struct launch_plan *plan, struct text syscalls) {
	struct sink s = {.at = (char *)to->scratch, .size = MAX_MESSAGE};
	begin_line(&s, to, "<86>runas-app["); /* authpriv.info */
	sink_number(&s, " decision=allow user=", plan->uid.value);
	add_quoted(&s, " syscalls=\"", syscalls);
	if (plan->landlock_abi >= 0) { /* what is not limited is said at every launch */
		sink_number(&s, " landlock=", (uint64_t)plan->landlock_abi); /* 0: the kernel has none */
		sink_words(&s, plan->landlock_abi == 2 ? " unlimited=truncate" : "");
	}
	return text_is(to->log, "none") || send_line(&s);
}

/* Leaves root for the caller's ids for good. false: nothing may be written to what is the caller's. */
static bool become_caller(const struct report *to) {
	const struct caller *c = to->caller;
	uid_t real = 0, effective = 1, saved = 1;

	if (syscall(SYS_close_range, 3U, ~0U, 0U) != 0 || syscall(SYS_getresuid, &real, &effective, &saved) != 0)
		return false;
	if (effective != 0) /* never root, or not any more; half-way between is silence */
		return real == effective && effective == saved;
	if (c == NULL || c->uid.value == 0)
		return c == NULL ? identity_set_user(real) : saved == 0;
	return (identity_has_groups(c->gid.value, c->groups, c->group_count, to->scratch) ||
		identity_set_groups(c->gid.value, c->groups, c->group_count, to->scratch)) &&
	       identity_set_user(c->uid.value);
}

_Noreturn void report_leave(const struct report *to, int fd, struct text words, int status) {
	entry_ignore_pipe(); /* that nobody reads does not change our status */
	/* A full pipe may hold us as long as its reader likes: not with the sockets of `listen`. close is left, too. */
	for (int held = POLICY_FD_FIRST; to->is_sealed && held <= POLICY_FD_LAST; held++)
		(void)syscall(SYS_close, (long)held);
	if (to->is_sealed || (become_caller(to) && entry_unblock_signals()))
		(void)!write(fd, words.at, words.length); /* whether it arrived, nobody is left to tell */
	_exit(status);
}

_Noreturn void report_problem(const struct report *to, const struct problem *why) {
	const bool is_told = to->is_entitled || text_is_choice(text_of(why->word), text_of("usage|no-such-app|entry"));
	const struct problem hidden = {.status = PROBLEM_DENIED, .word = "not-permitted", .what = "not permitted"};
	const struct problem *told = is_told ? why : &hidden;
	const struct text app = to->request != NULL ? to->request->app : (struct text){0};
	char bytes[MAX_MESSAGE], words[MAX_MESSAGE / 4];
	struct sink s = {.at = bytes, .size = sizeof(bytes)}, reason = {.at = words, .size = sizeof(words)};

	if (app.length > 0 && !to->is_sealed && !text_is(to->log, "none")) {
		begin_line(&s, to, "<84>runas-app["); /* authpriv.warning */
		sink_words(&s, " decision=refuse word=");
		sink_words(&s, why->word);
		add_reason(&reason, to, why);
		add_quoted(&s, " reason=\"", (struct text){words, reason.used});
		(void)send_line(&s);
		s.used = 0;
	}
	sink_words(&s, "runas-app: ");
	sink_text(&s, app);
	sink_words(&s, app.length > 0 ? ": " : "");
	add_reason(&s, to, told);
	sink_words(&s, " [");
	sink_words(&s, told->word);
	sink_words(&s, told->hint != NULL ? "]\nhint: " : "]");
	sink_words(&s, told->hint != NULL ? told->hint : "");
	sink_escaped(&s, told->hint_about);
	sink_byte(&s, '\n');
	report_leave(to, STDERR_FILENO, (struct text){bytes, s.used}, (int)told->status);
}

_Noreturn void report_stage(const struct report *to, const char *word, const char *what, const char *hint, int error) {
	report_problem(to, &(struct problem){.status = PROBLEM_SELF, .word = word, .object = text_of(what),
					     .what = error == 0 ? "did not take effect" : "failed",
					     .hint = hint, .error = error});
}

void must(bool is_done, const struct report *to, const char *word, const char *object, const char *hint) {
	if (!is_done)
		report_stage(to, word, object, hint, errno);
	errno = 0;
}
