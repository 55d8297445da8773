# SPDX-License-Identifier: ISC
"""Does what an example says, inside its world, as its reader would: types the commands, and puts the files where they belong.
A file that another program reads (cron, supervisor, systemd, docker) is then used as that program would use it."""
import json
import os
import pwd
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

from pages import Command, File

SECONDS = 30
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Rotten(Exception):
    pass


def as_user(name):
    """For subprocess: ids, and what a login gives; LANG is left out as messages of other programs follow it."""
    entry = pwd.getpwnam(name)
    environment = {"HOME": entry.pw_dir, "USER": name, "LOGNAME": name, "SHELL": "/bin/sh", "PATH": PATH, "TERM": "dumb"}
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [entry.pw_gid], "env": environment, "umask": 0o022}


class Session:
    def __init__(self):
        self.where = {}

    def type(self, command):
        """In a shell that goes on where the last command of that user stood; what is left running keeps no pipe of ours."""
        home = pwd.getpwnam(command.who).pw_dir
        said, place = Path("/tmp/.said"), Path("/tmp/.place")
        said.unlink(missing_ok=True)  # a server in the background still writes to the one of its own start
        place.write_text("")
        place.chmod(0o666)
        if command.text.startswith("apt "):
            return  # what it installs is here, or the check was skipped
        script = f"exec 3>{place}; cd {shlex.quote(self.where.get(command.who, home))} || exit 99\n{command.text}\ns=$?; pwd >&3; exit $s"
        with said.open("wb") as output:
            try:
                ended = subprocess.run(["/bin/sh", "-c", script], stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=SECONDS, start_new_session=True, **as_user(command.who))
            except subprocess.TimeoutExpired:
                raise Rotten(f"still running after {SECONDS} s; so far:\n{said.read_text()}") from None
        self.where[command.who] = place.read_text().strip() or home
        text = said.read_text()
        if command.status is not None and ended.returncode != command.status:
            raise Rotten(f"status {ended.returncode}, not {command.status}:\n{text}")
        if command.status is None and not command.printed and ended.returncode != 0:
            raise Rotten(f"status {ended.returncode}:\n{text}")
        if command.printed and not fits(command.printed, text):
            raise Rotten("the page shows:\n" + "\n".join(command.printed) + "\nbut this is printed:\n" + text)


def fits(shown, printed):
    """`...` alone in a line is any lines, in a line any text. Only x86-64 has its numbers of system calls."""

    def line(text):
        pattern = ".*".join(re.escape(part.rstrip() if at == len(text.split("...")) - 1 else part) for at, part in enumerate(text.split("...")))
        return pattern if os.uname().machine == "x86_64" else re.sub(r"\d+", r"\\d+", pattern)

    wanted = "".join("(?:.*\n)*" if text.strip() == "..." else line(text) + "[ ]*\n" for text in "\n".join(shown).strip("\n").split("\n"))
    return re.fullmatch(wanted, printed.strip("\n") + "\n") is not None


def install(file):
    path = Path(file.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.text)
    path.chmod(0o600 if path.suffix == ".env" else 0o644)


def settings(text, key):
    """The values of KEY=VALUE lines, continued ones joined."""
    return re.findall(rf"^{key} *= *(.+)$", text.replace("\\\n", " "), re.MULTILINE)


def serve(line, reload=None):
    """A server in the foreground: the process that was started becomes the app's, stays, and ends when it is told to."""
    said = Path("/tmp/.served")
    with said.open("wb") as output:
        server = subprocess.Popen(["/bin/sh", "-c", "exec " + line], stdin=subprocess.DEVNULL, stdout=output, stderr=output, **as_user("root"))
    name = re.search(r"runas-app ([a-z-]+) --", line)[1]
    user = pwd.getpwnam(settings(Path(f"/etc/runas-app/{name}.conf").read_text(), "user")[0]).pw_uid
    until = time.monotonic() + SECONDS
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    while server.poll() is None and time.monotonic() < until and not (os.stat(f"/proc/{server.pid}").st_uid in (user, 0) and children.read_text()):
        time.sleep(0.05)
    if server.poll() is not None or time.monotonic() >= until:
        raise Rotten(f"{line}: serves nothing, status {server.poll()}:\n{said.read_text()}")
    ids = re.search(r"^Uid:\s+(.*)$", Path(f"/proc/{server.pid}/status").read_text(), re.MULTILINE)[1].split()
    if ids != [str(user)] * 4:
        raise Rotten(f"{line}: runs as {ids}, not {user}")
    if reload:
        done = subprocess.run(["/bin/sh", "-c", reload], capture_output=True, timeout=SECONDS, **{**as_user("root"), "env": {"PATH": PATH, "MAINPID": str(server.pid)}})
        time.sleep(0.3)
        if done.returncode or server.poll() is not None:
            raise Rotten(f"{reload}: status {done.returncode}, the server's {server.poll()}:\n{done.stderr.decode()}{said.read_text()}")
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        raise Rotten(f"{line}: SIGTERM does not end it") from None


def cron(text):
    """The lines of /etc/cron.d/NAME, each run once with cron's environment."""
    for line in text.splitlines():
        if not line or line.startswith("#") or "=" in line.split()[0]:
            continue
        user, command = re.fullmatch(r"(?:\S+\s+){5}(\S+)\s+(.+)", line).groups()
        how = as_user(user)
        how["env"] |= {"PATH": "/usr/bin:/bin"}
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, cwd=how["env"]["HOME"], **how)
        if done.returncode:
            raise Rotten(f"cron: {command}: status {done.returncode}:\n{done.stdout}{done.stderr}")


def image(text):
    """ENTRYPOINT and CMD as a runtime executes them: as root, and as the app's user without a setuid bit."""
    words = json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)[1]) + json.loads(re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)[1])
    user, group = (int(settings(Path("/etc/runas-app/app.conf").read_text(), key)[0]) for key in ("user", "group"))
    os.chmod("/usr/local/bin/runas-app", 0o755)
    for who in ({"user": 0, "group": 0, "extra_groups": []}, {"user": user, "group": group, "extra_groups": []}):
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, env={"PATH": PATH}, **who)
        if done.returncode or done.stdout.split() != [str(user)]:
            raise Rotten(f"{words} as {who}: status {done.returncode}:\n{done.stdout}{done.stderr}")
    os.chmod("/usr/local/bin/runas-app", 0o4755)


def use(file):
    if file.path == "Dockerfile":
        return image(file.text)
    install(file)
    if file.path.startswith("/etc/cron.d/"):
        cron(file.text)
    elif file.path.startswith("/etc/supervisor/"):
        serve(settings(file.text, "command")[0])
    elif file.path.endswith(".service"):
        serve(settings(file.text, "ExecStart")[0], settings(file.text, "ExecReload")[0])
    return None


def do(example):
    session = Session()
    for step in example.steps:
        try:
            if isinstance(step, File):
                use(step)
            elif isinstance(step, Command):
                session.type(step)
        except Rotten as why:
            what = step.path if isinstance(step, File) else step.text
            return f"{example.page}, {example.title}: {what}: {why}"
    return None
