/* SPDX-License-Identifier: ISC */
/*
 * Application servers under the profile that they get without asking, @app-server: 200 requests each, once in force, and
 * once under `runas-policy learn`, which sees every call that the profile would have refused.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"
#include "world.h"

TestSuite(servers, .timeout = 120);

#define HOME "/srv/ra_app"

enum { PORT = 8000, REQUESTS = 200 };

/* glibc asks for a thread by clone3 first, is told ENOSYS, and takes clone, whose flags a filter can look at. */
#define THREADS "clone3"

struct kind {
	const char *program;
	const char *const *argv; /* what the deployer types */
	const char *refused;	 /* what it asks for all the same, and does without: words of learn's notes */
	int signal;		 /* that ends it */
};

/* What an app does: it writes a log line and a temporary file, and at times it starts a program. */
/* clang-format off */
#define PYTHON_WORK \
	"import os, subprocess, tempfile\n" \
	"served = 0\n" \
	"def work():\n" \
	"    global served\n" \
	"    served += 1\n" \
	"    with open('app.log', 'a') as log: log.write('request\\n')\n" \
	"    with tempfile.TemporaryFile() as file: file.write(b'text')\n" \
	"    if served % 20 == 1: subprocess.run(['/bin/true'], check=True)\n" \
	"    return ('hello from %d\\n' % os.getuid()).encode()\n"

static const char wsgi_app[] =
	PYTHON_WORK
	"def application(environ, start):\n"
	"    body = work()\n"
	"    start('200 OK', [('Content-Type', 'text/plain')])\n"
	"    return [body]\n";

static const char asyncio_app[] =
	PYTHON_WORK
	"import asyncio\n"
	"async def answer(reader, writer):\n"
	"    while (await reader.readline()).strip(): pass\n"
	"    body = await asyncio.get_running_loop().run_in_executor(None, work)\n"
	"    if served % 20 == 1: await (await asyncio.create_subprocess_exec('/bin/true')).wait()\n"
	"    writer.write(b'HTTP/1.0 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\n' + body)\n"
	"    await writer.drain()\n"
	"    writer.close()\n"
	"async def main():\n"
	"    async with await asyncio.start_server(answer, '127.0.0.1', 8000) as server: await server.serve_forever()\n"
	"asyncio.run(main())\n";

static const char ruby_app[] =
	"require 'tempfile'\n"
	"served = 0\n"
	"run(lambda do |env|\n"
	"  served += 1\n"
	"  File.open('app.log', 'a') { |log| log.puts 'request' }\n"
	"  Tempfile.create('app') { |file| file.write('text') }\n"
	"  system('/bin/true', exception: true) if served % 20 == 1\n"
	"  [200, { 'Content-Type' => 'text/plain' }, [\"hello from #{Process.uid}\\n\"]]\n"
	"end)\n";

static const char node_app[] =
	"const fs = require('fs'), http = require('http'), os = require('os'), child = require('child_process');\n"
	"let served = 0;\n"
	"http.createServer(async (request, response) => {\n"
	"  served++;\n"
	"  await fs.promises.appendFile('app.log', 'request\\n');\n"
	"  const directory = await fs.promises.mkdtemp(os.tmpdir() + '/app-');\n"
	"  await fs.promises.rmdir(directory);\n"
	"  if (served % 20 == 1) await new Promise((done, fail) => child.execFile('/bin/true', error => error ? fail(error) : done()));\n"
	"  response.writeHead(200, { 'Content-Type': 'text/plain' });\n"
	"  response.end('hello from ' + process.getuid() + '\\n');\n"
	"}).listen(8000, '127.0.0.1');\n";
/* clang-format on */

static const struct kind gunicorn = {
	.program = "/usr/bin/gunicorn",
	.argv = WORLD_LIST("gunicorn", "app:application", "--bind", "127.0.0.1:8000", "--workers", "2"),
	.refused = "",
	.signal = SIGTERM};

static const struct kind uwsgi = {.program = "/usr/bin/uwsgi-core",
				  .argv = WORLD_LIST("uwsgi-core", "--plugins", "python3,http", "--http",
						     "127.0.0.1:8000", "--wsgi-file", "app.py", "--master",
						     "--processes", "2", "--enable-threads", "--die-on-term"),
				  .refused = "",
				  .signal = SIGTERM};

static const struct kind asyncio = {.program = "/usr/bin/python3",
				    .argv = WORLD_LIST("python3", "asyncio_app.py"),
				    .refused = THREADS,
				    .signal = SIGTERM};

static const struct kind puma = {
	.program = "/usr/bin/puma",
	.argv = WORLD_LIST("puma", "--bind", "tcp://127.0.0.1:8000", "--workers", "2", "--environment", "production"),
	.refused = THREADS,
	.signal = SIGTERM};

static const struct kind unicorn = {.program = "/usr/bin/unicorn",
				    .argv = WORLD_LIST("unicorn", "--listen", "127.0.0.1:8000", "--env", "production"),
				    .refused = "",
				    .signal = SIGQUIT};

static const struct kind node = {
	.program = "/usr/bin/node", .argv = WORLD_LIST("node", "app.js"), .refused = THREADS, .signal = SIGTERM};

static void enter(const struct kind *kind) {
	world_enter();
	server_needs(kind->program);
	server_enter_network();
	world_file(HOME "/app.py", WORLD_APP, WORLD_APP, 0640, wsgi_app);
	world_file(HOME "/asyncio_app.py", WORLD_APP, WORLD_APP, 0640, asyncio_app);
	world_file(HOME "/config.ru", WORLD_APP, WORLD_APP, 0640, ruby_app);
	world_file(HOME "/app.js", WORLD_APP, WORLD_APP, 0640, node_app);
	world_app_policy("app", "syscalls = @app-server\n");
}

static struct world_run *start(const struct world_person *who, const char *const *before, const char *const *words) {
	static const char *argv[64];
	size_t count = 0;

	for (; *before; before++)
		argv[count++] = *before;
	for (; *words; words++)
		argv[count++] = *words;
	argv[count] = NULL;
	return world_start(
		&(struct world_call){.who = who, .program = *argv[0] == '/' ? argv[0] : WORLD_RUNAS, .argv = argv});
}

static void expect_requests(struct world_run *run) {
	server_first_answer(run, PORT, "/");
	for (int i = 1; i < REQUESTS; i++) {
		const char *answer = server_ask(PORT, "/");
		cr_assert(answer && strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, " 200", 4) == 0 &&
				  strstr(answer, "hello from 4002\n"),
			  "request %d: %s\n%s%s", i + 1, answer ? answer : "nobody listens", run->out, run->err);
	}
	/* Each did its work. */
	size_t lines = 0;
	for (const char *at = world_read(HOME "/app.log"); at && (at = strchr(at, '\n')); at++)
		lines++;
	cr_expect(lines == REQUESTS, "%zu lines in app.log", lines);
}

static void expect_serving(const struct kind *kind) {
	enter(kind);
	struct world_run *run = start(&world_deploy, WORLD_LIST("runas-app", "app", "--"), kind->argv);

	expect_requests(run);
	server_expect_powerless(WORLD_APP, 1);
	server_stop(run, kind->signal);
}

/* "note: NAME: PROFILE refuses it on purpose" for each call that a shipped profile refuses by name and that was asked for. */
static void expect_notes(const struct world_run *run, const char *expected) {
	static const char purpose[] = "refuses it on purpose", head[] = "note: ";
	char found[512] = "";

	for (const char *at = run->out; (at = strstr(at, head)); at += strcspn(at, "\n")) {
		const char *why = strstr(at, purpose);
		at += strlen(head);
		if (why && why < at + strcspn(at, "\n"))
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%.*s", *found ? " " : "",
				 (int)strcspn(at, ":"), at);
	}
	cr_expect(strcmp(found, expected) == 0, "refused on purpose: `%s`, not `%s`\n%s", found, expected, run->out);
}

static void expect_nothing_refused(const struct kind *kind) {
	static char tool[256];

	enter(kind);
	snprintf(tool, sizeof(tool), "%s", world_built("runas-policy"));
	struct world_run *run =
		start(&world_root, WORLD_LIST(tool, "learn", "app", "--launcher", WORLD_RUNAS, "--"), kind->argv);
	expect_requests(run);
	kill(run->pid, SIGINT);
	world_wait(run, 40);
	/* Whatever learn left would be out of sight of world_leave: it lives in learn's own mounts. */
	pid_t left[64];
	size_t count = server_processes(left, 64);
	for (size_t i = 0; i < count; i++)
		kill(left[i], SIGKILL);
	cr_expect(count == 0, "%zu processes outlived learn", count);
	cr_expect(world_exited(run, 0) && strstr(run->out, "no line is needed"), "status %#x %s%s",
		  (unsigned)run->status, run->out, run->err);
	expect_notes(run, kind->refused);
}

#define SERVER(name)                                                                                                   \
	Test(servers, name##_serves_200_requests) { expect_serving(&name); }                                           \
	Test(servers, name##_asks_for_no_call_that_is_refused) { expect_nothing_refused(&name); }

SERVER(gunicorn)
SERVER(uwsgi)
SERVER(asyncio)
SERVER(puma)
SERVER(unicorn)
SERVER(node)
