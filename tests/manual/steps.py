# SPDX-License-Identifier: ISC
"""Does what an example says, inside its world, as its reader would: types the commands, puts files where they belong.

A file that another program reads (cron, supervisor, systemd, docker) is then used as that program would use it.
"""
import ctypes
import json
import os
import pwd
import re
import shlex
import subprocess
import time
from pathlib import Path

from pages import File

SECONDS = 30
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Not the pipe that the check reads: what an example leaves running would hold it open.
SAID, PLACE = Path("/tmp/.said"), Path("/tmp/.place")


class Rotten(Exception):
    """An example does not do what the page says."""


def start(who, line, directory=None, **environment):
    """A shell of that user, with what a login gives; LANG is left out, as messages of other programs follow it."""
    entry = pwd.getpwnam(who)
    login = {"HOME": entry.pw_dir, "USER": who, "LOGNAME": who, "SHELL": "/bin/sh", "PATH": PATH, "TERM": "dumb"}
    SAID.unlink(missing_ok=True)
    with SAID.open("wb") as output:
        return subprocess.Popen(
            ["/bin/sh", "-c", line],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=entry.pw_uid,
            group=entry.pw_gid,
            extra_groups=[entry.pw_gid],
            umask=0o022,
            cwd=directory,
            env=login | environment,
            start_new_session=True,
        )


def end(process, what):
    try:
        return process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Rotten(f"{what}: still running after {SECONDS} s:\n{SAID.read_text()}") from None


def must_end_well(process, what):
    status = end(process, what)
    if status:
        raise Rotten(f"{what}: status {status}:\n{SAID.read_text()}")


class Session:
    """Where each user stands goes on from command to command."""

    def __init__(self):
        self.where = {}

    def type(self, command):
        if command.text.startswith("apt "):
            return  # what it installs is here, or the check was skipped
        PLACE.write_text("")
        PLACE.chmod(0o666)
        place = self.where.get(command.who, pwd.getpwnam(command.who).pw_dir)
        script = f"exec 3>{PLACE}; cd {shlex.quote(place)} || exit 99\n{command.text}\ns=$?; pwd >&3; exit $s"
        status = end(start(command.who, script), command.text)
        self.where[command.who] = PLACE.read_text().strip() or place
        text = SAID.read_text()
        # README has no place for a status: there, what is printed says it.
        expected = 0 if command.status is None and not command.printed else command.status
        if expected is not None and status != expected:
            raise Rotten(f"status {status}, not {expected}:\n{text}")
        if command.printed and not fits(command.printed, text):
            raise Rotten("the page shows:\n" + "\n".join(command.printed) + "\nbut this is printed:\n" + text)


def pattern_of(line):
    if line.strip() == "...":
        return "(?:.*\n)*"
    pattern = ".*".join(re.escape(part) for part in line.rstrip().split("..."))
    if os.uname().machine != "x86_64":  # which has other numbers of system calls
        pattern = re.sub(r"\d+", r"\\d+", pattern)
    return pattern + " *\n"


def fits(shown, printed):
    lines = "\n".join(shown).strip("\n").split("\n")
    return re.fullmatch("".join(map(pattern_of, lines)), printed.strip("\n") + "\n") is not None


def has_landlock():
    return ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


def install(file):
    path = Path(file.path)
    text = file.text
    if settings(text, "runas-app") and (settings(text, "write") or settings(text, "tmp")) and not has_landlock():
        text += "write_enforce = best-effort\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600 if path.suffix == ".env" else 0o644)


def settings(text, key):
    """The values of its KEY=VALUE lines."""
    return re.findall(rf"^{key} *= *(.+)$", text, re.MULTILINE)


def in_policy(app, key):
    return settings(Path(f"/etc/runas-app/{app}.conf").read_text(), key)[0]


def serve(line, reload=None):
    """A server in the foreground: what was started becomes the app's process, has workers, and ends when told to."""
    server = start("root", "exec " + line)
    workers = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    until = time.monotonic() + SECONDS
    while server.poll() is None and time.monotonic() < until and not workers.read_text():
        time.sleep(0.05)
    if server.poll() is not None or time.monotonic() >= until:
        raise Rotten(f"{line}: serves nothing, status {server.poll()}:\n{SAID.read_text()}")
    user = pwd.getpwnam(in_policy(re.search(r"runas-app ([a-z-]+) --", line)[1], "user")).pw_uid
    ids = re.search(r"^Uid:\s+(.*)$", Path(f"/proc/{server.pid}/status").read_text(), re.MULTILINE)[1].split()
    if ids != [str(user)] * 4:
        raise Rotten(f"{line}: runs as {ids}, not {user}")
    if reload:
        must_end_well(start("root", reload, MAINPID=str(server.pid)), reload)
        time.sleep(0.3)
        if server.poll() is not None:
            raise Rotten(f"{reload}: ends the server, status {server.poll()}")
    server.terminate()
    end(server, line + ": SIGTERM")


def cron(text):
    """The lines of /etc/cron.d/NAME, each run once with cron's PATH."""
    for line in text.splitlines():
        timed = re.fullmatch(r"(?:[0-9*/,-]+\s+){5}(\S+)\s+(.+)", line)
        if timed:
            user, command = timed.groups()
            must_end_well(start(user, command, pwd.getpwnam(user).pw_dir, PATH="/usr/bin:/bin"), "cron: " + command)


def image(text):
    """ENTRYPOINT and CMD as a runtime executes them, without a setuid bit: as root, and as the app's user already."""
    lists = [re.search(rf"^{key} (\[.*\])$", text, re.MULTILINE)[1] for key in ("ENTRYPOINT", "CMD")]
    words = [word for each in lists for word in json.loads(each)]
    user, group = int(in_policy("app", "user")), int(in_policy("app", "group"))
    os.chmod("/usr/local/bin/runas-app", 0o755)
    for ids in ((0, 0), (user, group)):
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            user=ids[0],
            group=ids[1],
            extra_groups=[],
            env={"PATH": PATH},
        )
        if done.returncode or done.stdout.split() != [str(user)]:
            raise Rotten(f"{words} as {ids}: status {done.returncode}:\n{done.stdout}{done.stderr}")
    os.chmod("/usr/local/bin/runas-app", 0o4755)


def use(file):
    if file.path == "Dockerfile":
        image(file.text)
        return
    install(file)
    if file.path.startswith("/etc/cron.d/"):
        cron(file.text)
    elif file.path.startswith("/etc/supervisor/"):
        serve(settings(file.text, "command")[0])
    elif file.path.endswith(".service"):
        serve(settings(file.text, "ExecStart")[0], settings(file.text, "ExecReload")[0])


def do(example):
    """What is not as shown, or None."""
    session = Session()
    for step in example.steps:
        try:
            if isinstance(step, File):
                use(step)
            else:
                session.type(step)
        except Rotten as why:
            what = step.path if isinstance(step, File) else step.text
            return f"{example.page}, {example.title}: {what}: {why}"
    return None
