# SPDX-License-Identifier: ISC
"""The machine of one example: its own /etc, /srv, /home, /root, /run, /tmp, /var/log and /usr/local/bin.

Runs as   root, in a mount namespace that the caller has made; it ends with that.
Given     the built programs, and the servers that scripts/bootstrap check installs.
Promises  three small apps: Rack for rails-app, WSGI for shop, a command line of PHP for blog. Their code belongs to
          deploy and can be read by the app; what the app writes is its own.
"""
import glob
import grp
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

# Of /etc, what the servers themselves need; all else is what the example makes.
KEPT = "alternatives ld.so.cache ld.so.conf ld.so.conf.d php ruby python3 python3.11 login.defs localtime".split()
ROOMS = {
    "/etc": 0o755,
    "/srv": 0o755,
    "/home": 0o755,
    "/root": 0o700,
    "/run": 0o755,
    "/tmp": 0o1777,
    "/var/log": 0o755,
    "/usr/local/bin": 0o755,
}
# Where the files of examples go.
EMPTY = (
    "/etc/runas-app/profiles",
    "/etc/cron.d",
    "/etc/logrotate.d",
    "/etc/nginx/sites-enabled",
    "/etc/sudoers.d",
    "/etc/supervisor/conf.d",
    "/etc/systemd/system",
    "/etc/tmpfiles.d",
    "/run/lock",
)
USERS = (
    ("root", 0, "/root", "/bin/sh"),
    ("www-data", 33, "/var/www", "/usr/sbin/nologin"),
    ("deploy", 4001, "/home/deploy", "/bin/sh"),
    ("rails", 4005, "/srv/rails-app", "/usr/sbin/nologin"),
    ("shop", 4006, "/srv/shop", "/usr/sbin/nologin"),
    ("blog", 4007, "/srv/blog", "/usr/sbin/nologin"),
    ("eve", 4009, "/home/eve", "/bin/sh"),
)

WSGI = """def application(environ, start_response):
    start_response('200 OK', [])
    return [b'hello']
"""
MANAGE = """import getpass, sys
print(*sys.argv, 'as', getpass.getuser())
"""
ARTISAN = """<?php
echo posix_getpwuid(posix_getuid())['name'], ": $argv[1]\\n";
if ($argv[1] == 'report') file_put_contents('/srv/blog/storage/report', 'x');
"""


def gem_lock():
    """What `bundle install` leaves; the app could not write it."""
    found = sorted(glob.glob("/usr/share/rubygems-integration/all/specifications/ra[ck][ke]-[0-9]*.gemspec"))
    gems = [re.fullmatch(r"(ra[ck][ke])-([0-9.]+)\.gemspec", os.path.basename(path)).groups() for path in found]
    specs = "".join(f"    {name} ({version})\n" for name, version in gems)
    return f"GEM\n  specs:\n{specs}\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack\n  rake\n"


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def own(path, user, group, mode):
    os.chown(path, pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid)
    os.chmod(path, mode)


def put(path, text, mode=0o644):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def serve_as_init():
    """Returns in a child; this process, the first of its namespace, buries what daemons leave, and ends with it."""
    child = os.fork()
    while child:
        ended, status = os.wait()
        if ended == child:
            os._exit(os.waitstatus_to_exitcode(status) & 255)


def enter(build, names=None):
    """`build` holds the programs; it may lie in what is hidden here. With `names`, only these users, and no apps."""
    programs = {name: (build / name).read_bytes() for name in ("runas-app", "runas-policy")}
    places = ("/mnt", "/media", "/opt")
    stage = next(place for place in places if os.path.isdir(place) and not os.path.islink(place))
    run("mount", "-t", "tmpfs", "-o", "mode=0755,suid,exec,size=256m", "manual", stage)
    rooms = {room: stage + "/" + room[1:].replace("/", "-") for room in ROOMS}
    for room, below in rooms.items():
        os.mkdir(below)
        os.chmod(below, ROOMS[room])
    for name in KEPT:
        if os.path.exists("/etc/" + name):
            run("cp", "-a", "/etc/" + name, rooms["/etc"])
    os.chdir("/")
    for room, below in rooms.items():
        run("mount", "--bind", below, room)
    for name, content in programs.items():
        Path("/usr/local/bin/" + name).write_bytes(content)
        os.chmod("/usr/local/bin/" + name, 0o4755 if name == "runas-app" else 0o755)
    for directory in EMPTY:
        os.makedirs(directory)
    accounts([user for user in USERS if names is None or user[0] in names])
    if names is None:
        app("rails-app", "rails", ("releases/1/log", "releases/1/tmp", "releases/1/tmp/pids"), {
            "releases/1/config.ru": "run(->(env) { [200, {}, ['hello']] })\n",
            "releases/1/Gemfile": "gem 'rack'\ngem 'rake'\n",
            "releases/1/Gemfile.lock": gem_lock(),
            "releases/1/Rakefile": "task('db:migrate') { puts 'migrated' }\n",
        })  # fmt: skip
        os.symlink("releases/1", "/srv/rails-app/current")
        app("shop", "shop", ("media", "tmp"), {
            "current/shop/__init__.py": "",
            "current/shop/wsgi.py": WSGI,
            "current/manage.py": MANAGE,
        })  # fmt: skip
        app("blog", "blog", ("storage", "tmp", "log"), {"current/artisan": ARTISAN})


def accounts(users):
    lines = [f"{name}:x:{number}:{number}:{name}:{home}:{shell}\n" for name, number, home, shell in users]
    put("/etc/passwd", "".join(lines))
    put("/etc/group", "".join(f"{name}:x:{number}:\n" for name, number, _, _ in users))
    put("/etc/shadow", "".join(f"{name}:*:19000::::::\n" for name, *_ in users), 0o640)
    put("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
    put("/etc/hosts", "127.0.0.1 localhost\n")
    put("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440)
    for name, _, home, _ in users:
        if home.startswith("/home/"):
            os.mkdir(home)
            shutil.chown(home, name, name)


def app(name, user, writable, files):
    home = "/srv/" + name
    for path, text in files.items():
        put(f"{home}/{path}", text)
    for place, _, names in os.walk(home):
        own(place, "deploy", user, 0o2750)
        for each in names:
            own(f"{place}/{each}", "deploy", user, 0o640)
    for path in writable:
        os.mkdir(f"{home}/{path}")
        own(f"{home}/{path}", user, user, 0o2750)
    # For the socket, as tmpfiles.d makes it at each boot.
    os.mkdir("/run/" + name)
    own("/run/" + name, user, "www-data", 0o2750)
