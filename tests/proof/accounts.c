/* SPDX-License-Identifier: ISC */
/*
 * The reader of passwd and group: for pieces of any bytes, of any length and cut anywhere, it reads nothing beside the
 * piece and the policy, writes nothing but the record, never more than its caps, and always gets on.
 * Given: the record is accounts_begin's: it points to settings of the policy, whose values are not empty.
 */
#include "tests/proof/lookup.h"

/*@ predicate fed(struct accounts *a) = a->count <= ACCOUNTS_MAX_WANTED &&
      \forall integer i; 0 <= i < a->count ==> \valid_read(a->wanted[i].by) && \separated(a->wanted[i].by, a) &&
        a->wanted[i].by->value.length > 0 &&
        \valid_read(a->wanted[i].by->value.at + (0 .. a->wanted[i].by->value.length - 1)); */

/*@ requires readable(t) && \valid(ret) && \separated(ret, t.at + (0 .. t.length - 1));
    assigns *ret;
    ensures \result ==> *ret < 0xffffffff; */
static bool is_id(struct text t, uint64_t *ret);

/*@ requires readable(from) && readable(start) && \valid(to + (0 .. ACCOUNTS_MAX_FIELD - 1));
    requires from.length == 0 || \separated(to + (0 .. ACCOUNTS_MAX_FIELD - 1), from.at + (0 .. from.length - 1));
    assigns to[0 .. ACCOUNTS_MAX_FIELD - 1];
    ensures \result.length < ACCOUNTS_MAX_FIELD;
    ensures \result.length == 0 || \result.at == to; */
static struct text keep(char *to, struct text from, struct text start);

/*@ assigns \nothing;
    ensures \result == ACCOUNTS_FOUND || \result == ACCOUNTS_AMBIGUOUS;
    ensures before == ACCOUNTS_AMBIGUOUS || (before == ACCOUNTS_FOUND && !is_same) ==> \result == ACCOUNTS_AMBIGUOUS; */
static enum accounts_state seen(enum accounts_state before, bool is_same);

/*@ requires \valid(a) && fed(a) && readable(line) && \valid_read(line.at);
    assigns \nothing; */
static bool may_matter(const struct accounts *a, enum accounts_file file, struct text line);

/* BLOCK is 256 and FEW is 8: with others this would not be proved. */
/*@ predicate few(struct accounts *a, integer file, integer shortest) = a->count <= 8 && \forall integer i;
      0 <= i < a->count && a->wanted[i].file == file ==> shortest <= a->wanted[i].by->value.length; */

/*@ requires nth <= 256 && from + 256 + nth <= SIZE_MAX && \valid_read(at + (from .. from + 255 + nth));
    assigns \nothing;
    ensures !\result ==> \forall integer i; from <= i < from + 256 ==> at[i] != '\n' || at[i + nth] != byte; */
static bool may_start(const char *at, size_t from, size_t nth, char byte);

/* Behind none of the newlines that are passed over does a wanted name stand. */
/*@ requires \valid_read(a) && fed(a) && readable(t) && 1 <= nth <= 256 && few(a, file, nth);
    assigns \nothing;
    ensures \result <= t.length;
    ensures \forall integer i, j; 0 <= i < \result && t.at[i] == '\n' && 0 <= j < a->count &&
      a->wanted[j].file == file ==> !same(t.at + i + 1, a->wanted[j].by->value.at, a->wanted[j].by->value.length); */
static size_t pass_over(const struct accounts *a, enum accounts_file file, size_t nth, struct text t);

/*@ requires \valid_read(a) && fed(a) && readable(t) && \valid(nth) && \separated(nth, a) && 1 <= *nth;
    requires \separated(nth, t.at + (0 .. t.length - 1));
    assigns *nth;
    ensures 1 <= *nth && \result <= t.length && (t.length > 0 ==> \result > 0); */
static size_t go_on(const struct accounts *a, enum accounts_file file, size_t *nth, struct text t);

/*@ requires \valid(a) && fed(a) && readable(name);
    assigns a->wanted[0 .. ACCOUNTS_MAX_WANTED - 1];
    ensures fed(a); */
static void take_id(struct accounts *a, enum accounts_file file, struct text name, uint32_t id);

/*@ requires \valid(a) && fed(a) && readable(user.name) && readable(user.home) && readable(user.shell);
    requires user.name.length == 0 || \separated(a, user.name.at + (0 .. user.name.length - 1));
    requires user.home.length == 0 || \separated(a, user.home.at + (0 .. user.home.length - 1));
    requires user.shell.length == 0 || \separated(a, user.shell.at + (0 .. user.shell.length - 1));
    assigns a->user, a->bytes[0 .. 3 * ACCOUNTS_MAX_FIELD - 1];
    ensures fed(a); */
static void take_user(struct accounts *a, struct accounts_user user);

/*@ requires \valid(a) && readable_policy(p) && \separated(a, p) && fed(a) && readable(line);
    requires \separated(a, line.at + (0 .. line.length - 1));
    assigns *a;
    ensures fed(a); */
static void take_line(struct accounts *a, const struct policy *p, enum accounts_file file, struct text line);

/*@ requires \valid(a) && readable_policy(p) && \separated(a, p) && fed(a) && readable(piece);
    requires \separated(a, piece.at + (0 .. piece.length - 1));
    assigns *a;
    ensures fed(a) && \result <= piece.length && (piece.length > 0 ==> \result > 0); */
size_t accounts_feed(struct accounts *a, const struct policy *p, enum accounts_file file, struct text piece);

#include "src/policy/accounts.c"
