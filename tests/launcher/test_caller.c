/* SPDX-License-Identifier: ISC */
/* Who asked, as the kernel says it. */
#include "tests/launcher/room.h"

TestSuite(caller, .timeout = 60);

static uint32_t groups[CALLER_MAX_GROUPS];
static char cwd[4096];
static char *variables[] = {(char *)"SUDO_UID=0", (char *)"USER=root", NULL};

static struct caller identify(void) {
	const struct entered entered = {.environment = variables};
	struct caller c = caller_identify(&entered, groups, &room_report);
	ROOM_EXPECT(c.environment == variables && c.pid == (uint32_t)getpid());
	ROOM_EXPECT(c.cwd.length == 0, "asked only for directory_below");
	c.cwd = caller_directory(cwd, &room_report);
	return c;
}

static void setuid_caller(void) {
	const gid_t mine[] = {27, 4020};
	struct caller c;

	ROOM_EXPECT(chdir("/usr") == 0);
	room_become_setuid(mine, 2);
	c = identify();
	ROOM_EXPECT(c.uid.value == ROOM_CALLER && c.gid.value == ROOM_CALLER);
	ROOM_EXPECT(c.has_root && !c.is_uniform && !caller_is_root(&c));
	ROOM_EXPECT(c.group_count == 2 && c.groups[0] == 27 && c.groups[1] == 4020);
	ROOM_EXPECT(text_is(c.cwd, "/usr"));
}

Test(caller, through_the_setuid_bit) { room_passes(setuid_caller); }

static void real_root(void) {
	struct caller c;

	ROOM_EXPECT(setgroups(0, NULL) == 0);
	c = identify();
	ROOM_EXPECT(c.uid.value == 0 && c.has_root && c.is_uniform && caller_is_root(&c) && c.group_count == 0);
}

Test(caller, real_root) { room_passes(real_root); }

static void app_itself(void) {
	struct caller c;

	room_become_app();
	c = identify();
	ROOM_EXPECT(c.uid.value == ROOM_APP && !c.has_root && c.is_uniform && c.group_count == 3);
}

Test(caller, without_root) { room_passes(app_itself); }

/* Effective root that is not saved, and the other way round, is no root to rely on. */
static void half_root(void) {
	ROOM_EXPECT(setresuid(ROOM_CALLER, 0, ROOM_APP) == 0);
	ROOM_EXPECT(!identify().has_root);
	ROOM_EXPECT(setresuid(ROOM_CALLER, ROOM_APP, 0) == 0);
	ROOM_EXPECT(!identify().has_root && !identify().is_uniform);
}

Test(caller, half_of_root_is_none) { room_passes(half_root); }

/* Started without root, every id has to be the app user's. */
static void mixed(void) {
	static const struct {
		uid_t u[3];
		gid_t g[3];
	} ids[] = {
		{{ROOM_APP, ROOM_WEB, ROOM_APP}, {ROOM_APP, ROOM_APP, ROOM_APP}},
		{{ROOM_APP, ROOM_APP, ROOM_WEB}, {ROOM_APP, ROOM_APP, ROOM_APP}},
		{{ROOM_APP, ROOM_APP, ROOM_APP}, {ROOM_APP, ROOM_WEB, ROOM_APP}},
		{{ROOM_APP, ROOM_APP, ROOM_APP}, {ROOM_APP, ROOM_APP, ROOM_WEB}},
	};

	ROOM_EXPECT(prctl(PR_SET_SECUREBITS, 1 << 2) == 0); /* SECBIT_NO_SETUID_FIXUP: root's rights stay with us */
	for (size_t i = 0; i < COUNT(ids); i++) {
		ROOM_EXPECT(setresgid(ids[i].g[0], ids[i].g[1], ids[i].g[2]) == 0);
		ROOM_EXPECT(setresuid(ids[i].u[0], ids[i].u[1], ids[i].u[2]) == 0);
		ROOM_EXPECT(!identify().is_uniform, "%zu", i);
	}
}

Test(caller, one_id_of_another_is_not_uniform) { room_passes(mixed); }

static void groups_fail(void) {
	room_answer(SYS_getgroups, EPERM);
	identify();
}

static void groups_are_hidden(void) {
	const gid_t mine[] = {27, 4020};

	room_become_setuid(mine, 2);
	room_answer_where(SYS_getgroups, CALLER_MAX_GROUPS, -1, 0);
	identify();
}

Test(caller, groups_that_cannot_be_read_are_not_none) {
	room_refuses(groups_fail, 125, "[caller]");
	room_refuses(groups_are_hidden, 125, "[caller]");
}

static void cwd_lies(void) {
	room_answer(SYS_getcwd, 0);
	identify();
}

static void outside(void) {
	ROOM_EXPECT(chdir("/usr") == 0 && chroot("/tmp") == 0);
	ROOM_EXPECT(identify().cwd.length == 0);
}

Test(caller, what_is_no_path_is_no_cwd) {
	room_passes(outside);
	room_refuses(cwd_lies, 125, "directory");
}

static void many_groups(void) {
	static gid_t many[CALLER_MAX_GROUPS];
	struct caller c;

	for (unsigned i = 0; i < CALLER_MAX_GROUPS; i++)
		many[i] = 100000 + i;
	ROOM_EXPECT(setgroups(CALLER_MAX_GROUPS, many) == 0);
	c = identify();
	ROOM_EXPECT(c.group_count == CALLER_MAX_GROUPS &&
		    c.groups[CALLER_MAX_GROUPS - 1] == 100000 + CALLER_MAX_GROUPS - 1);
}

Test(caller, as_many_groups_as_linux_gives) { room_passes(many_groups); }

static void deleted_directory(void) {
	char path[] = "/tmp/caller.XXXXXX";

	ROOM_EXPECT(mkdtemp(path) != NULL && chdir(path) == 0 && rmdir(path) == 0);
	ROOM_EXPECT(identify().cwd.length == 0);
}

Test(caller, a_deleted_directory_is_no_cwd) { room_passes(deleted_directory); }

static long lie;

static void lied_to(void) {
	const gid_t mine[] = {27, 4020};

	room_become_setuid(mine, 2);
	room_answer(lie, 0);
	identify();
}

/* getgroups that answers 0 says what is true of many: no groups. It allows nobody anything. */
Test(caller, calls_that_answer_0_without_being_done_are_noticed) {
	static const long lies[] = {SYS_getresuid, SYS_getresgid};

	for (size_t i = 0; i < COUNT(lies); i++) {
		lie = lies[i];
		room_refuses(lied_to, 125, lie == SYS_getresuid ? NULL : "[caller]");
	}
}

static void explained(void) {
	struct problem why = {0};

	room_become_app();
	caller_explain(&why);
	ROOM_EXPECT(why.status == PROBLEM_DENIED && strcmp(why.word, "not-root") == 0 && why.hint != NULL);
	ROOM_EXPECT(strstr(why.what, "is not setuid root") != NULL, "%s", why.what);
	/* Without it, too, the file would not be: a container's setting is not to blame. */
	ROOM_EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	caller_explain(&why);
	ROOM_EXPECT(strstr(why.what, "is not setuid root") != NULL, "%s", why.what);
}

Test(caller, why_there_is_no_root) { room_passes(explained); }
