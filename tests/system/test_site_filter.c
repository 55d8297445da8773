/* SPDX-License-Identifier: ISC */
/* The site's own profiles, from the text to the launch: only a whole, fresh filter that root alone could write is loaded. */
#include "policy/program.h"
#include "world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROFILES "/etc/runas-app/profiles"
#define MKDIR WORLD_LIST("app", "--", "/usr/bin/mkdir", "/srv/ra_app/made")

TestSuite(site_filter, .timeout = 60);

static const char text[] = "runas-profile = 1\ninclude = shared\nrefuse = mkdir mkdirat\n";
static const char shared_text[] = "runas-profile = 1 part\ninclude = @app-server\n";

static struct world_run *
policy_tool(const char *name)
{
	char program[256];

	snprintf(program, sizeof(program), "%s", world_built("runas-policy"));
	return world_run(&(struct world_call){ .who = &world_root, .argv = WORLD_LIST(program, "compile", name) });
}

static void
compile(const char *name)
{
	const struct world_run *run = policy_tool(name);

	cr_assert(world_exited(run, 0), "compile %s: %s", name, run->err);
}

/* The policy `app` with the site profile `mine`, which refuses mkdir and includes `shared`; compiled. */
static void
set_up(void)
{
	world_enter();
	world_directory(PROFILES, 0, 0, 0755);
	world_file(PROFILES "/mine.profile", 0, 0, 0644, text);
	world_file(PROFILES "/shared.profile", 0, 0, 0644, shared_text);
	world_app_policy("app", "syscalls = mine\n");
	compile("mine");
}

static size_t
read_filter(unsigned char *bytes, size_t size)
{
	int fd = open(PROFILES "/mine.filter", O_RDONLY | O_CLOEXEC);
	ssize_t length = read(fd, bytes, size);

	cr_assert(length > (ssize_t)sizeof(struct program_header));
	close(fd);
	return (size_t)length;
}

/* By root and by the deployer, with the reason and what mends it; somebody else learns nothing. */
static void
expect_refused(const char *word, const char *file)
{
	const struct world_person *const entitled[] = { &world_root, &world_deploy };
	char bracketed[64];

	snprintf(bracketed, sizeof(bracketed), "[%s]", word);
	for (size_t i = 0; i < 2; i++) {
		world_log();
		const struct world_run *run = world_launch(entitled[i], MKDIR);
		world_expect_refused(run, 125, bracketed);
		cr_expect(strstr(run->err, file) != NULL, "the file is not named, %s: %s", file, run->err);
		cr_expect(strstr(run->err, "\nhint: runas-policy compile mine\n") != NULL, "%s", run->err);
		cr_expect_eq(world_log(), 1);
		cr_expect(strstr(world_log_line(0), "decision=refuse") != NULL, "%s", world_log_line(0));
		cr_expect(strstr(world_log_line(0), word) != NULL, "%s", world_log_line(0));
	}
	const struct world_run *run = world_launch(&world_other, MKDIR);
	world_expect_refused(run, 126, "[not-permitted]");
	cr_expect(strstr(run->err, "mine") == NULL && strstr(run->err, word) == NULL, "%s", run->err);
	cr_expect_neq(access("/srv/ra_app/made", F_OK), 0, "it ran");
}

/* The command that the message gives. */
static void
expect_mended(void)
{
	compile("mine");
	const struct world_run *run = world_launch(&world_deploy, WORLD_LIST("app", "--", WORLD_PROBE));
	cr_expect(world_exited(run, 0), "%s", run->err);
}

Test(site_filter, decides_what_the_app_may_call)
{
	set_up();
	const struct world_run *run = world_launch(&world_deploy, MKDIR);
	cr_expect(strstr(run->err, "Operation not permitted") != NULL, "%s", run->err);
	cr_expect_neq(access("/srv/ra_app/made", F_OK), 0);
	run = world_launch(&world_deploy, WORLD_LIST("app", "--", WORLD_PROBE));
	world_expect_app(run);

	world_file(PROFILES "/mine.profile", 0, 0, 0644, "runas-profile = 1\ninclude = shared\n");
	compile("mine");
	run = world_launch(&world_deploy, MKDIR);
	cr_expect(world_exited(run, 0), "%s", run->err);
	cr_expect_eq(access("/srv/ra_app/made", F_OK), 0);
}

Test(site_filter, complaining_lets_all_pass_but_the_terminal)
{
	set_up();
	world_app_policy("app", "syscalls = complain mine\n");
	const struct world_run *run = world_launch(&world_deploy, MKDIR);
	cr_expect(world_exited(run, 0), "%s", run->err);
	cr_expect_eq(access("/srv/ra_app/made", F_OK), 0);
	world_expect_app(world_launch(&world_deploy, WORLD_LIST("app", "--", WORLD_PROBE)));
	cr_expect_eq(world_log(), 2);
	for (size_t i = 0; i < 2; i++)
		cr_expect(strstr(world_log_line(i), "complain mine") != NULL, "%s", world_log_line(i));
}

/* A personality that no server asks for, and that needs no right. */
Test(site_filter, a_shipped_profile_that_complains_is_not_the_one_that_refuses)
{
	static const char *const policies[] = { "syscalls = @app-server\n", "syscalls = complain @app-server\n" };

	set_up();
	for (size_t i = 0; i < 2; i++) {
		world_app_policy("app", policies[i]);
		const struct world_run *run = world_launch(
			&world_deploy, WORLD_LIST("app", "--", "/usr/bin/setarch", "-R", "/bin/true"));
		cr_expect_eq(world_exited(run, 0), i == 1, "%s%s", policies[i], run->err);
	}
}

Test(site_filter, truncated_is_refused)
{
	static const size_t lengths[] = { 0, 1, sizeof(struct program_header) - 1, sizeof(struct program_header), sizeof(struct program_header) + 800 };
	unsigned char bytes[PROGRAM_MAX_FILE];

	set_up();
	size_t length = read_filter(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		world_file_bytes(PROFILES "/mine.filter", 0, 0, 0644, bytes, lengths[i]);
		expect_refused("filter-truncated", "mine.filter");
	}
	world_file_bytes(PROFILES "/mine.filter", 0, 0, 0644, bytes, length - 1);
	expect_refused("filter-truncated", "mine.filter");
	expect_mended();
}

Test(site_filter, of_another_architecture_is_refused)
{
	unsigned char bytes[PROGRAM_MAX_FILE];

	set_up();
	size_t length = read_filter(bytes, sizeof(bytes));
	bytes[offsetof(struct program_header, arch)] ^= 0x40;
	world_file_bytes(PROFILES "/mine.filter", 0, 0, 0644, bytes, length);
	expect_refused("filter-arch", "mine.filter");
	expect_mended();
}

/* Attack G1. Whole, fresh and root's, but without what every filter has had since. */
Test(site_filter, of_an_older_format_is_refused)
{
	const size_t behind = offsetof(struct program_header, format);
	unsigned char bytes[PROGRAM_MAX_FILE];
	struct program_header header;

	set_up();
	size_t length = read_filter(bytes, sizeof(bytes));
	memcpy(&header, bytes, sizeof(header));
	header.format = PROGRAM_FORMAT - 1;
	memcpy(bytes, &header, sizeof(header));
	header.digest = program_digest(bytes + behind, length - behind);
	memcpy(bytes, &header, sizeof(header));
	world_file_bytes(PROFILES "/mine.filter", 0, 0, 0644, bytes, length);
	expect_refused("filter-magic", "mine.filter");
	expect_mended();
}

Test(site_filter, damaged_or_of_another_kind_is_refused)
{
	unsigned char bytes[PROGRAM_MAX_FILE];

	set_up();
	size_t length = read_filter(bytes, sizeof(bytes));
	bytes[length - 3] ^= 1;
	world_file_bytes(PROFILES "/mine.filter", 0, 0, 0644, bytes, length);
	expect_refused("filter-damaged", "mine.filter");
	memset(bytes, '#', 4096);
	world_file_bytes(PROFILES "/mine.filter", 0, 0, 0644, bytes, 4096);
	expect_refused("filter-magic", "mine.filter");
	expect_mended();
}

Test(site_filter, oversized_is_refused)
{
	static unsigned char bytes[PROGRAM_MAX_FILE + 1];

	set_up();
	size_t length = read_filter(bytes, sizeof(bytes));
	world_file_bytes(PROFILES "/mine.filter", 0, 0, 0644, bytes, length + 8);
	expect_refused("filter-size", "mine.filter");
	world_file_bytes(PROFILES "/mine.filter", 0, 0, 0644, bytes, sizeof(bytes));
	expect_refused("policy-size", "mine.filter");
	cr_assert_eq(truncate(PROFILES "/mine.filter", (off_t)2 << 30), 0);
	expect_refused("policy-size", "mine.filter");
	expect_mended();
}

Test(site_filter, stale_is_refused)
{
	set_up();
	world_file(PROFILES "/mine.profile", 0, 0, 0644, "runas-profile = 1\ninclude = shared\nrefuse = mkdir mkdirat #\n");
	expect_refused("filter-stale", "mine.profile");
	expect_mended();
	world_file(PROFILES "/shared.profile", 0, 0, 0644, "runas-profile = 1 part\ninclude = @web-static\n");
	expect_refused("filter-stale", "shared.profile");
	expect_mended();
	cr_assert_eq(unlink(PROFILES "/shared.profile"), 0);
	expect_refused("policy-missing", "shared.profile");
}

Test(site_filter, compiled_from_another_profile_is_refused)
{
	set_up();
	world_file(PROFILES "/wide.profile", 0, 0, 0644, "runas-profile = 1\ninclude = @app-server\n");
	compile("wide");
	world_copy(PROFILES "/wide.filter", PROFILES "/mine.filter", 0644);
	expect_refused("filter-stale", "mine.filter");
	expect_mended();
}

Test(site_filter, missing_is_refused)
{
	set_up();
	cr_assert_eq(unlink(PROFILES "/mine.filter"), 0);
	expect_refused("policy-missing", "mine.filter");
	expect_mended();
}

Test(site_filter, writable_by_others_is_refused)
{
	set_up();
	cr_assert_eq(chmod(PROFILES "/mine.filter", 0664), 0);
	expect_refused("policy-mode", "mine.filter");
	expect_mended();
	cr_assert_eq(chmod(PROFILES "/mine.filter", 0646), 0);
	expect_refused("policy-mode", "mine.filter");
	expect_mended();
	cr_assert_eq(chown(PROFILES "/mine.filter", WORLD_APP, 0), 0);
	expect_refused("policy-owner", "mine.filter");
	expect_mended();
	cr_assert_eq(chmod(PROFILES "/shared.profile", 0664), 0);
	expect_refused("policy-mode", "shared.profile");
	cr_assert_eq(chmod(PROFILES "/shared.profile", 0644), 0);
	cr_assert_eq(chmod(PROFILES, 0775), 0);
	expect_refused("policy-mode", "profiles");
	cr_assert_eq(chmod(PROFILES, 0755), 0);
	expect_mended();
}

Test(site_filter, what_cannot_be_read_as_a_file_is_refused)
{
	set_up();
	cr_assert_eq(rename(PROFILES "/mine.filter", PROFILES "/real"), 0);
	cr_assert_eq(symlink("real", PROFILES "/mine.filter"), 0);
	expect_refused("policy-type", "mine.filter");
	expect_mended();
	cr_assert_eq(unlink(PROFILES "/mine.filter"), 0);
	cr_assert_eq(mkfifo(PROFILES "/mine.filter", 0644), 0);
	expect_refused("policy-type", "mine.filter");
	expect_mended();
	cr_assert_eq(unlink(PROFILES "/mine.filter"), 0);
	cr_assert_eq(mkdir(PROFILES "/mine.filter", 0755), 0);
	expect_refused("policy-type", "mine.filter");
	cr_assert_eq(rmdir(PROFILES "/mine.filter"), 0);
	expect_mended();
}

Test(site_filter, a_shipped_profile_that_nobody_ships_is_refused)
{
	set_up();
	world_app_policy("app", "syscalls = @mine\n");
	world_expect_refused(world_launch(&world_deploy, MKDIR), 125, "[filter-missing]");
	world_app_policy("app", "syscalls = @part-files\n");
	world_expect_refused(world_launch(&world_deploy, MKDIR), 125, "[filter-missing]");
}

Test(site_filter, runas_policy_never_works_with_more_rights_than_its_caller)
{
	set_up();
	world_copy(world_built("runas-policy"), "/usr/local/bin/runas-policy", 04755);
	const struct world_run *run = world_run(
		&(struct world_call){ .who = &world_other, .argv = WORLD_LIST("/usr/local/bin/runas-policy", "compile", "mine") });
	cr_expect(world_exited(run, 2), "%s", run->err);
	cr_expect(strstr(run->err, "runs with more rights than its caller") != NULL, "%s", run->err);
	cr_assert_eq(chmod("/usr/local/bin/runas-policy", 0755), 0);
	run = world_run(
		&(struct world_call){ .who = &world_other, .argv = WORLD_LIST("/usr/local/bin/runas-policy", "compile", "mine") });
	cr_expect(world_exited(run, 1), "%s", run->err);
	cr_expect(strstr(run->err, "the old filter is still in place") != NULL, "%s", run->err);
	expect_mended();
}
