# SPDX-License-Identifier: ISC
"""The machine of one example: its own /etc, /srv, /home, /root, /run, /tmp, /var/log and /usr/local/bin, in a mount namespace
that the caller has made. Three small apps are there: Rack for rails-app, WSGI for shop, a PHP command line for blog."""
import glob
import grp
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

# Of /etc, what the servers themselves need; all else is what the example makes.
KEPT = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "php", "ruby", "python3", "python3.11", "login.defs", "localtime")
ROOMS = {"/etc": "0755", "/srv": "0755", "/home": "0755", "/root": "0700", "/run": "0755", "/tmp": "1777", "/var/log": "0755", "/usr/local/bin": "0755"}
USERS = (
    ("root", 0, "/root", "/bin/sh"),
    ("www-data", 33, "/var/www", "/usr/sbin/nologin"),
    ("deploy", 4001, "/home/deploy", "/bin/sh"),
    ("rails", 4005, "/srv/rails-app", "/usr/sbin/nologin"),
    ("shop", 4006, "/srv/shop", "/usr/sbin/nologin"),
    ("blog", 4007, "/srv/blog", "/usr/sbin/nologin"),
    ("eve", 4009, "/home/eve", "/bin/sh"),
)
def lock():
    """What `bundle install` would leave: the app cannot write it itself."""
    found = sorted(glob.glob("/usr/share/rubygems-integration/all/specifications/ra[ck][ke]-[0-9]*.gemspec"))
    gems = [re.fullmatch(r"(ra[ck][ke])-([0-9.]+)\.gemspec", os.path.basename(path)).groups() for path in found]
    specs = "".join(f"    {name} ({version})\n" for name, version in gems)
    return f"GEM\n  specs:\n{specs}\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack\n  rake\n"


APPS = {
    "/srv/rails-app": ("rails", {"releases/1/config.ru": "run(->(env) { [200, {}, ['hello']] })\n", "releases/1/Rakefile": "task('db:migrate') { puts 'migrated' }\n", "releases/1/Gemfile": "gem 'rack'\ngem 'rake'\n", "releases/1/Gemfile.lock": lock()}, ("releases/1/log", "releases/1/tmp", "releases/1/tmp/pids", "shared", "shared/log", "shared/tmp")),
    "/srv/shop": ("shop", {"current/shop/__init__.py": "", "current/shop/wsgi.py": "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'hello']\n", "current/manage.py": "import getpass, sys\nprint(*sys.argv, 'as', getpass.getuser())\n"}, ("media", "tmp")),
    "/srv/blog": ("blog", {"current/artisan": "<?php\necho posix_getpwuid(posix_getuid())['name'], \": $argv[1]\\n\";\nif ($argv[1] == 'report') file_put_contents('/srv/blog/storage/report', 'x');\n"}, ("storage", "tmp", "run", "log")),
}


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def put(path, text, owner=0, mode=0o644):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.chown(path, owner, owner)
    path.chmod(mode)


def serve_as_init():
    """Returns in a child; this process, the first of its namespace, buries what daemons leave, and ends with the child."""
    child = os.fork()
    while child:
        ended, status = os.wait()
        if ended == child:
            os._exit(os.waitstatus_to_exitcode(status) & 255)


def enter(build, users=None):
    """`build` holds runas-app and runas-policy; it may lie in what is hidden here. With `users` there are only these, and no apps."""
    programs = {name: (build / name).read_bytes() for name in ("runas-app", "runas-policy")}
    stage = next(place for place in ("/mnt", "/media", "/opt") if os.path.isdir(place) and not os.path.islink(place))
    run("mount", "-t", "tmpfs", "-o", "mode=0755,suid,exec,size=256m", "manual", stage)
    for room, mode in ROOMS.items():
        below = stage + "/" + room[1:].replace("/", "-")
        os.mkdir(below)
        os.chmod(below, int(mode, 8))
    for name in KEPT:
        if os.path.exists("/etc/" + name):
            run("cp", "-a", "/etc/" + name, stage + "/etc/")
    os.chdir("/")
    for room in ROOMS:
        run("mount", "--bind", stage + "/" + room[1:].replace("/", "-"), room)
    for name, content in programs.items():
        Path("/usr/local/bin/" + name).write_bytes(content)
        os.chmod("/usr/local/bin/" + name, 0o4755 if name == "runas-app" else 0o755)
    accounts([user for user in USERS if users is None or user[0] in users])
    if users is None:
        apps()


def accounts(users):
    put("/etc/passwd", "".join(f"{name}:x:{number}:{number}:{name}:{home}:{shell}\n" for name, number, home, shell in users))
    put("/etc/group", "".join(f"{name}:x:{number}:\n" for name, number, _, _ in users))
    put("/etc/shadow", "".join(f"{name}:*:19000::::::\n" for name, *_ in users), mode=0o640)
    put("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
    put("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", mode=0o440)
    put("/etc/hosts", "127.0.0.1 localhost\n")
    for directory in ("/etc/runas-app/profiles", "/etc/tmpfiles.d", "/etc/cron.d", "/etc/logrotate.d", "/etc/nginx/sites-enabled", "/etc/supervisor/conf.d", "/etc/systemd/system", "/etc/sudoers.d"):
        os.makedirs(directory)
    os.makedirs("/run/lock")
    for name, _, home, _ in users:
        if home.startswith("/home/"):
            os.mkdir(home)
            shutil.chown(home, name, name)


def apps():
    """Code belongs to deploy and may be read by the app; what the app writes is its own."""
    for home, (user, files, own) in APPS.items():
        group = grp.getgrnam(user).gr_gid
        for name, text in files.items():
            put(f"{home}/{name}", text)
        for place, directories, names in os.walk(home):
            for path in [place] + [place + "/" + name for name in names]:
                os.chown(path, pwd.getpwnam("deploy").pw_uid, group)
                os.chmod(path, 0o640 if path != place else 0o2750)
        for name in own:
            os.makedirs(f"{home}/{name}", exist_ok=True)
            os.chown(f"{home}/{name}", pwd.getpwnam(user).pw_uid, group)
            os.chmod(f"{home}/{name}", 0o2750)
    os.symlink("releases/1", "/srv/rails-app/current")
    for name, user in (("shop", "shop"), ("blog", "blog")):
        os.mkdir("/run/" + name, 0o750)
        os.chown("/run/" + name, pwd.getpwnam(user).pw_uid, 33)
        os.chmod("/run/" + name, 0o2750)
