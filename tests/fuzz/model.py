# SPDX-License-Identifier: ISC
"""What a policy means, said a second time.

Written from the documents (runas-app.conf(5) and what the headers of src/policy promise), not from the code, and in
another manner: regular expressions and lists where the code walks bytes. Bytes in, plain Python values out; None is
"refused". Where the documents leave something open, it says what.
"""
import ipaddress
import re

ACCOUNT = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
APP = re.compile(rb"[a-z][a-z0-9_-]{0,30}")
VARIABLE = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{0,255}")
NUMBER = re.compile(rb"0|[1-9][0-9]*")
CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
PARTS = re.compile(rb"/|(?:/[^/]+)+")
UNLIMITED = 2**64 - 1
BLANKS = b" \t"

SHIPPED_NAMES = b"HOME USER LOGNAME SHELL PATH PWD LISTEN_*"  # set by runas-app(8)
BY_DEFAULT = b"LANG LC_* TERM TZ COLORTERM"
SYSTEMD = b"NOTIFY_SOCKET WATCHDOG_PID WATCHDOG_USEC"
# "What loaders and interpreters obey": the document names the first four "and the like"; the others are from ld.so(8),
# environ(7) and the interpreters' own manuals.
OBEYED = (b"LD_* RUBYOPT PYTHON* NODE_OPTIONS "
          b"GLIBC_* GCONV_* GETCONF_* MALLOC_* MUSL_* LOCPATH NLSPATH RES_OPTIONS HOSTALIASES LOCALDOMAIN RESOLV_* "
          b"TERMINFO TERMINFO_* TERMCAP TZDIR NIS_PATH "
          b"ENV BASH_ENV BASHOPTS SHELLOPTS IFS CDPATH GLOBIGNORE PS4 BASH_FUNC_* PROMPT_COMMAND ZDOTDIR "
          b"RUBYLIB RUBYPATH RUBYSHELL RUBY_* GEM_* BUNDLE_* PERL5* PERLLIB PERL_* PERLIO* "
          b"NODE_PATH NODE_REPL_* JAVA_* JDK_JAVA_* _JAVA_* CLASSPATH "
          b"PHPRC PHP_INI_* LUA_* TCLLIBPATH OPENSSL_* DOTNET_* ERL_* GUNICORN_CMD_ARGS UWSGI_*")


def is_covered(name, words):
    """NAME or PREFIX*"""
    return any(name.startswith(w[:-1]) if w.endswith(b"*") else name == w for w in words.split())


def number(value, least, most):
    if not NUMBER.fullmatch(value) or not least <= int(value) <= most:
        return None
    return int(value)


def signed(value, least, most):
    minus = value.startswith(b"-")
    if not NUMBER.fullmatch(value[minus:]) or value == b"-0":
        return None
    n = int(value)
    return n if least <= n <= most else None


def is_path(value):
    return (len(value) < 4096 and PARTS.fullmatch(value) is not None and not CONTROL.search(value)
            and not {b".", b".."} & set(value.split(b"/")))


def is_below(path, base):
    return base == b"/" or path == base or path.startswith(base + b"/")


# --- shapes: a value's meaning as fuzz-answer prints it, "" when it means what it says, None when it is refused ---


def choice(*words):
    return lambda value: "" if value in words else None


def account(value):
    return "" if ACCOUNT.fullmatch(value) or number(value, 0, 2**32 - 2) is not None else None


def umask(value):
    return str(int(value, 8)) if re.fullmatch(rb"0?[0-7]{3}", value) else None


def path(value):
    return "" if is_path(value) else None


def search(value):
    parts = value.split(b":")
    return "" if len(parts) <= 16 and all(map(is_path, parts)) else None


def pattern(value):
    return "" if tokens(value) is not None else None


def assignment(value):
    name, equals, rest = value.partition(b"=")
    quoted = len(rest) > 1 and rest[:1] in (b'"', b"'") and rest[-1:] == rest[:1]
    return "" if equals and VARIABLE.fullmatch(name) and not quoted else None


def keep_word(value):
    if value in (b"*", b"none", b"@systemd"):
        return ""
    stem = value[:-1] if len(value) > 2 and value.endswith(b"_*") else value
    return "" if VARIABLE.fullmatch(stem) and not is_covered(stem, SHIPPED_NAMES + b" " + OBEYED) else None


def profile(value):
    words = value.split()
    complains = len(words) == 2 and words[0] == b"complain"
    if len(words) != 1 + complains or words == [b"complain"]:
        return None
    name = words[-1]
    shipped = name.startswith(b"@")
    none = name == b"none"
    if not APP.fullmatch(name[shipped:]) or (none and complains):
        return None
    return f"{name[shipped:].hex()}:{none:d}{not none and not shipped:d}{complains:d}"


def limit(value):
    halves = value.split(b":")
    if len(halves) > 2:
        return None
    read = [UNLIMITED if h == b"unlimited" else number(h, 0, 2**63 - 1) for h in halves]
    if None in read or read[0] > read[-1]:
        return None
    return f"{read[0]}:{read[-1]}"


def listen(value):
    words = value.split()
    if len(words) != 2 or words[0] != b"tcp":
        return None
    address, colon, port = words[1].rpartition(b":")
    bracketed = address.startswith(b"[") and address.endswith(b"]")
    if not colon or number(port, 1, 65535) is None or b"%" in address:
        return None
    try:
        text = address.decode("ascii")
        packed = (ipaddress.IPv6Address(text[1:-1]) if bracketed else ipaddress.IPv4Address(text)).packed
    except ValueError:
        return None
    return f"{packed.hex()}:{int(port)}"


def between(least, most):
    def read(value):
        n = signed(value, least, most)
        return None if n is None else str(n)
    return read


# how often, shape; 64 words of a list are counted one by one
LIST, LINES, ONCE = 64, 256, 1
KEYS = {
    b"runas-app": (ONCE, choice(b"1")), b"allow_users": (LIST, account), b"allow_groups": (LIST, account),
    b"user": (ONCE, account), b"group": (ONCE, account), b"groups": (LIST, account), b"umask": (ONCE, umask),
    b"directory": (ONCE, path), b"directory_below": (LINES, path), b"home": (ONCE, path), b"shell": (ONCE, path),
    b"path": (ONCE, search), b"command": (LINES, pattern), b"serve": (LINES, pattern), b"listen": (16, listen),
    b"env": (LINES, assignment), b"env_keep": (LIST, keep_word), b"env_file": (ONCE, path),
    b"syscalls": (ONCE, profile), b"write": (63, path), b"tmp": (ONCE, path),
    b"write_enforce": (ONCE, choice(b"required", b"strict", b"best-effort")),
    b"nice": (ONCE, between(-20, 19)), b"oom_score_adj": (ONCE, between(-1000, 1000)),
    b"keep_fds": (LIST, between(3, 31)), b"stdio_chown": (ONCE, choice(b"yes", b"no")),
    b"log": (ONCE, choice(b"syslog", b"required", b"none")),
}
for _name in (b"cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio "
              b"rttime").split():
    KEYS[b"limit_" + _name] = (ONCE, limit)


def split(line):
    """(key, values) of a line; None: refused; (): it says nothing."""
    if len(line) > 4096 or CONTROL.search(line.replace(b"\t", b" ")):
        return None
    stripped = line.strip(BLANKS)
    if not stripped or stripped.startswith(b"#"):
        return ()
    key, equals, value = line.partition(b"=")
    key = key.strip(BLANKS)
    if not equals or key not in KEYS or not value.strip(BLANKS):
        return None
    if KEYS[key][0] == LIST:
        return key, value.split()
    return key, [value.lstrip(BLANKS) if key == b"env" else value.strip(BLANKS)]


def policy(bytes_):
    """The settings as [(key, value, meaning)], in their order."""
    settings = []
    for line in bytes_.split(b"\n"):
        read = split(line)
        if read is None:
            return None
        if not read:
            continue
        key, values = read
        times, shape = KEYS[key]
        for value in values:
            meaning = shape(value)
            if meaning is None or (not settings) != (key == b"runas-app"):
                return None
            settings.append((key, value, meaning))
            if sum(s[0] == key for s in settings) > times:
                return None
    return settings if is_consistent(settings) else None


def is_consistent(settings):
    of = {}
    for key, value, _ in settings:
        of.setdefault(key, []).append(value)
    writes = of.get(b"write", []) + of.get(b"tmp", [])
    names = [value.partition(b"=")[0] for value in of.get(b"env", [])]
    return not (
        b"user" not in of
        or any(v in (b"0", b"root") for k in (b"user", b"group", b"groups") for v in of.get(k, []))
        or (b"none" in of.get(b"groups", []) and len(of[b"groups"]) > 1)
        or any(is_covered(n, SHIPPED_NAMES) for n in names)
        or (b"TMPDIR" in names and b"tmp" in of)
        or len(set(names)) < len(names)
        or len(set(of.get(b"listen", []))) < len(of.get(b"listen", []))
        or (b"listen" in of) != (b"serve" in of)
        or (b"listen" in of and b"keep_fds" in of)
        or (b"write_enforce" in of and not writes)
        or any(w in (b"/", b"/dev", b"/proc") for w in writes)
        or any(a != b and is_below(a, b) for a in writes for b in writes))


# --- command patterns ---


def tokens(text):
    """[(head, hole, tail)], hole None for a literal one; a final * is the string "*"."""
    ret = []
    text = text.strip(BLANKS)
    while text:
        if text.startswith(b'"'):
            quoted = re.match(rb'"([^"]*)"(?=[ \t]|$)', text)
            if quoted is None:
                return None
            ret.append((quoted[1], None, b""))
            text = text[quoted.end():].strip(BLANKS)
            continue
        word = re.match(rb"[^ \t]+", text)[0]
        text = text[len(word):].strip(BLANKS)
        if word == b"*" and not text:
            ret.append("*")
            break
        parts = re.fullmatch(rb'([^{}*"]*)(?:\{([^{}*"]*)\}([^{}*"]*))?', word, re.S)
        if parts is None or (parts[2] is not None and not is_hole(parts[2])):
            return None
        ret.append((parts[1], parts[2], parts[3] or b""))
    if not ret or (ret[0] != "*" and (ret[0][1] is not None or not is_path(ret[0][0]))):
        return None
    return ret


def is_hole(hole):
    if hole.startswith(b"path:"):
        return is_path(hole[5:])
    return hole in (b"int", b"word") or (b"|" in hole and all(hole.split(b"|")))


def fits_hole(hole, tail, part):
    if hole == b"int":
        return re.fullmatch(rb"[0-9]{1,10}", part) is not None
    if hole == b"word":
        return re.fullmatch(rb"[A-Za-z0-9_][A-Za-z0-9_.,:@%+=-]*", part) is not None
    if hole.startswith(b"path:"):
        # "/dir or a path below it": with something behind the hole, /dir itself would be another name beside /dir.
        return is_path(part) and is_below(part, hole[5:]) and not (tail and part == hole[5:])
    return part in hole.split(b"|")


def fits(token, word):
    head, hole, tail = token
    if hole is None:
        return word == head
    return (len(word) >= len(head) + len(tail) and word.startswith(head) and word.endswith(tail)
            and fits_hole(hole, tail, word[len(head):len(word) - len(tail)]))


def typed_as(path_, directory):
    """What may be typed for the first word of a pattern."""
    ret = {path_, path_.rpartition(b"/")[2]}
    if len(directory) > 1 and is_below(path_, directory) and path_ != directory:
        ret.add(path_[len(directory) + 1:])
    return ret - {b""}


def match(settings, directory, words):
    """(key, path, numbers of the lines that it may be); path is empty for a lone *."""
    lines = [(key, tokens(value)) for key, value, _ in settings if key in (b"command", b"serve")]
    fitting = []
    # "Two different first tokens with one basename: the caller must type a path."
    if len({t[0][0] for _, t in lines if t[0] != "*" and t[0][0].rpartition(b"/")[2] == words[0]}) > 1:
        return None
    for n, (key, line) in enumerate(lines):
        if line[0] == "*":
            fitting.append((0, key == b"serve", n, b""))
            continue
        rest = line[-1] == "*"
        literal = line[1:len(line) - rest]
        if (words[0] in typed_as(line[0][0], directory) and len(words) >= 1 + len(literal)
                and (rest or len(words) == 1 + len(literal))
                and all(fits(t, w) for t, w in zip(literal, words[1:]))):
            fitting.append((1 if rest else 2, key == b"serve", n, line[0][0]))
    if not fitting:
        return None
    best = max(f[:2] for f in fitting)
    taken = [f for f in fitting if f[:2] == best]
    return ("serve" if best[1] else "command"), taken[0][3], [f[2] for f in taken]


# --- accounts ---


def entries(bytes_, fields, size):
    """The well-formed lines, as a reader with `size` bytes of room sees them: of a longer line of /etc/group the
    beginning, of a longer one of /etc/passwd nothing."""
    for line in bytes_.split(b"\n"):
        if len(line) >= size:
            if fields == 7:
                continue
            line = line[:size]
        parts = line.split(b":")
        if len(parts) != fields or not ACCOUNT.fullmatch(parts[0]) or number(parts[2], 0, 2**32 - 2) is None:
            continue
        if fields == 7 and (number(parts[3], 0, 2**32 - 2) is None or CONTROL.search(line)):
            continue
        yield parts


def found(ids):
    if not ids:
        return "absent", None
    return ("found", ids[0]) if len(set(ids)) == 1 else ("ambiguous", None)


def accounts(settings, size, passwd, group):
    """(user, [(key, value, state, id)]): user is (state, (uid, gid, name, home, shell))."""
    people, groups = list(entries(passwd, 7, size)), list(entries(group, 4, size))
    wanted = []
    for key, value, _ in settings:
        if key not in (b"user", b"group", b"groups", b"allow_users", b"allow_groups") or (key, value) == (b"groups", b"none"):
            continue
        table = people if key in (b"user", b"allow_users") else groups
        if NUMBER.fullmatch(value):
            wanted.append((key, value, "found", int(value)))
        else:
            wanted.append((key, value) + found([int(e[2]) for e in table if e[0] == value]))
    user = next(value for key, value, _ in settings if key == b"user")
    own = [e for e in people if user in (e[0], e[2])]
    state, ids = found([(int(e[2]), int(e[3])) for e in own])
    if state != "found":
        return (state, None), wanted
    home, shell = (v if v.startswith(b"/") and len(v) < 4096 else b"" for v in own[0][5:])
    return (state, ids + (own[0][0], home, shell)), wanted


# --- environment ---


def environment(settings, trusted, secrets, pairs):
    """(NAME=value, own ones first; names of which the documents leave open whether they are kept), or None."""
    ret = [value for key, value, _ in settings if key == b"env"]
    names = {pair.partition(b"=")[0] for pair in ret}
    for line in secrets.split(b"\n"):
        if not line.strip(BLANKS) or line.startswith(b"#"):
            continue
        name = line.partition(b"=")[0]
        if CONTROL.search(line) or assignment(line) is None or is_covered(name, SHIPPED_NAMES) or name in names:
            return None
        names.add(name)
        ret.append(line)
    keep = [value for key, value, _ in settings if key == b"env_keep"]
    taken, doubtful = {}, set()
    for pair in pairs:
        name, equals, value = pair.partition(b"=")
        if not equals or name in names or not VARIABLE.fullmatch(name) or is_covered(name, SHIPPED_NAMES + b" " + OBEYED):
            continue
        words = b" ".join(w for w in keep if w not in (b"none", b"*", b"@systemd"))
        named = (is_covered(name, words) or (b"@systemd" in keep and is_covered(name, SYSTEMD))
                 or (b"*" in keep and trusted))
        usual = b"none" not in keep and is_covered(name, BY_DEFAULT)
        if not named and not usual:
            continue
        if not named and not trusted and b"/" in value:
            doubtful.add(name)  # "only while their value names no file"
            continue
        if name in doubtful:
            continue
        if name in taken or (not trusted and CONTROL.search(pair)):
            return None
        taken[name] = pair
    return ret + [pair for name, pair in taken.items() if name not in doubtful], doubtful
