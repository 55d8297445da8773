#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""differential.py [-n CASES] [-s SEED] ANSWER...: does each program ANSWER (answer.c) say what model.py says?

The questions: single bytes of small policies changed, every one that CASES allows; the fixtures, shaken; command
lines made of patterns, and nearly; account files and environments made of good and bad parts. The same SEED asks the
same questions. Status 1 when an answer differs: then the documents decide who is wrong.
"""
import argparse
import collections
import itertools
import random
import re
import subprocess
import sys

import model
import seeds

SMALL = (b"runas-app = 1\nallow_users = deploy 4001\nuser = app\ngroups = web none2\numask = 027\n"
         b"path = /bin:/usr/bin\nlimit_nofile = 64:4096\n",
         b"runas-app = 1\nuser = 4002\ngroup=app\nserve = /bin/a {int} *\nlisten = tcp 127.0.0.1:80\n"
         b"listen = tcp [::1]:8000\nsyscalls = complain @app-server\nnice = -5\n",
         b"# x\nrunas-app = 1\nuser = a\nwrite = /srv/a\ntmp = /srv/b\nenv = A=\"b\nenv_keep = RAILS_* B\n"
         b"command = /bin/x {a|b} --p={path:/srv} \"y z\"\nkeep_fds = 3 31\nlog = none\n")
INTERESTING = (b"0", b"9", b"-", b"/", b"\n", b" ", b"\t", b"#", b"=", b'"', b"{", b"}", b"*", b"|", b":", b".", b",",
               b"\0", b"\r", b"\x7f", b"\xff", b"..", b"//", b"none", b"root", b"4294967295", b"18446744073709551616")


def hexed(*parts):
    return " ".join(part.hex() or "-" for part in parts)


# --- questions: (line for ANSWER, line that the model expects or a function that judges the answer) ---


def about_policy(text):
    settings = model.policy(text)
    if settings is None:
        return "policy " + hexed(text), "refuse"
    said = (f"{key.decode()}={value.hex()}" + (f"={meaning}" if meaning else "") for key, value, meaning in settings)
    return "policy " + hexed(text), " ".join(("accept", *said))


def about_match(lines, directory, words):
    text = b"runas-app = 1\nuser = app\n" + lines
    question = "match " + hexed(text, directory, *words)
    settings = model.policy(text)
    expected = model.match(settings, directory, words) if settings is not None else None
    if expected is None:
        return question, "refuse"
    key, path, numbers = expected

    def judge(answer):
        parts = answer.split(" ")
        return (parts[0] == "allow" and parts[1] == key and int(parts[2]) in numbers
                and parts[3] == (path.hex() or "-"))
    judge.expected = f"allow {key} {numbers} {path!r}"
    return question, judge


def about_accounts(lines, size, passwd, group):
    text = b"runas-app = 1\n" + lines
    question = "accounts " + hexed(text, str(size).encode(), passwd, group)
    settings = model.policy(text)
    if settings is None:
        return question, "refuse"
    (state, entry), wanted = model.accounts(settings, size, passwd, group)
    said = ["accept", state]
    if entry is not None:
        said += [str(entry[0]), str(entry[1]), hexed(*entry[2:])]
    said += [f"{key.decode()}={value.hex()}={how}" + (f"={id_}" if how == "found" else "") for key, value, how, id_ in wanted]
    return question, " ".join(said)


def about_environment(lines, trusted, secrets, pairs):
    text = b"runas-app = 1\nuser = app\n" + lines
    question = "environment " + hexed(text, b"1" if trusted else b"0", secrets, *pairs)
    settings = model.policy(text)
    expected = model.environment(settings, trusted, secrets, pairs) if settings is not None else None
    if expected is None:
        return question, "refuse"
    sure, doubtful = expected

    def judge(answer):
        verdict, *parts = answer.split(" ")
        if verdict == "refuse":
            return bool(doubtful)
        said = [bytes.fromhex(p) for p in parts]
        return [p for p in said if p.partition(b"=")[0] not in doubtful] == sure
    judge.expected = f"accept {sure} and perhaps {doubtful}"
    return question, judge


# --- what is asked ---


def single_bytes():
    """Every byte of the small policies replaced, taken out, or preceded by every other byte."""
    for text in SMALL:
        yield text
        for at in range(len(text)):
            yield text[:at] + text[at + 1:]
            for byte in range(256):
                yield text[:at] + bytes([byte]) + text[at + 1:]
                yield text[:at] + bytes([byte]) + text[at:]


def at_caps():
    """As much as the format takes, and one more."""
    start = b"runas-app = 1\nuser = app\n"
    for more in (0, 1):
        for key, (times, _) in model.KEYS.items():
            value = {b"listen": lambda n: b"tcp 0.0.0.0:%d" % (n + 1), b"env": lambda n: b"A%d=b" % n, b"keep_fds": lambda n: b"3",
                     b"env_keep": lambda n: b"A", b"command": lambda n: b"/bin/x", b"serve": lambda n: b"/bin/x",
                     b"groups": lambda n: b"g"}.get(key, lambda n: b"/a/%d" % n)
            if key.startswith(b"allow_"):
                value = lambda n: b"a"
            rest = {b"listen": b"serve = /bin/x\n", b"serve": b"listen = tcp [::]:1\n"}.get(key, b"")
            yield start + rest + b"".join(key + b" = " + value(n) + b"\n" for n in range(times + more))
            if times == model.LIST:
                yield start + rest + key + b" = " + b" ".join(value(n) for n in range(times + more))
        yield start + b"write = /a\n" * 63 + b"tmp = /b\n" * more
        yield start + b"#" * (4096 + more)
        yield start + b"env = A=" + b"x" * (4088 + more)
        yield start + b"home = /" + b"x" * (4087 + more)
        yield start + b"path = " + b":".join([b"/a"] * (16 + more))
        yield start + b"env = " + b"N" * (256 + more) + b"=x"
        yield start + b"user = " + b"n" * (32 + more)
        yield b"runas-app = 1\nuser = " + b"n" * (32 + more)
        yield start + b"syscalls = " + b"n" * (31 + more)
        yield start + b"limit_as = %d" % (2**63 - 1 + more)
        yield start + b"allow_users = %d" % (2**32 - 2 + more)


def shaken(rng, text):
    """A few of its bytes, words and lines changed, taken out, doubled or moved."""
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        at = rng.randrange(len(text) + 1)
        to = min(len(text), at + rng.choice((0, 1, 1, 2, 5)))
        lines = text.split(b"\n")
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:at] + rng.choice(INTERESTING) + text[to:]
        elif kind == 1:
            text = text[:at] + text[to:]
        elif kind == 2:
            text = text[:at] + bytes([rng.randrange(256)]) + text[to:]
        elif kind == 3:
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
            text = b"\n".join(lines)
        elif kind == 4:
            rng.shuffle(lines)
            text = b"\n".join(sorted(lines, key=lambda line: not line.startswith((b"#", b"runas-app"))))
        else:
            words = re.split(rb"([ \t\n:=|/]+)", text)
            words[rng.randrange(len(words))] = rng.choice(words + list(INTERESTING))
            text = b"".join(words)
    return text


HOLES = (b"{int}", b"{word}", b"{a|b|c}", b"{path:/srv/app}", b"{path:/}", b"{-x|--y=z}")
PIECES = (b"a", b"-", b"--port=", b"x.rb", b"/srv/app", b"7", b"_", b"/", b".rb", b"=")
VALUES = {b"{int}": (b"0", b"7", b"0123456789", b"01234567890", b"-1", b"", b"1a", b" 1", b"\xd9\xa1"),
          b"{word}": (b"a", b"A_b.c,d:e@f%g+h=i-j", b"-x", b"/x", b"", b"a b", b"a/b", b"a\n", b".x", b"9", b"a\xff"),
          b"{a|b|c}": (b"a", b"b", b"c", b"", b"a|b", b"d", b"ab", b"A"),
          b"{path:/srv/app}": (b"/srv/app", b"/srv/app/x", b"/srv/app/x/y z", b"/srv/appx", b"/srv", b"/srv/app/",
                               b"/srv/app/../x", b"/srv/app/./x", b"/srv//app", b"srv/app", b"/srv/app/..x", b"/srv/app/\n"),
          b"{path:/}": (b"/", b"/x", b"//", b"x", b"/..", b"/x/"),
          b"{-x|--y=z}": (b"-x", b"--y=z", b"-y", b"--y")}
FIRST = (b"/bin/x", b"/usr/bin/x", b"/srv/app/bin/x", b"/srv/app/y", b"/bin/y", b'"/bin/x y"', b'"/bin/x"')


def random_token(rng):
    """(as the pattern writes it, something that may be typed for it)"""
    kind = rng.randrange(5)
    if kind == 0:
        word = rng.choice(PIECES) + rng.choice((b"", rng.choice(PIECES)))
        return word, word
    if kind == 1:
        word = rng.choice((b"a b", b"", b"{int}", b"*", b"a\tb", b"x"))
        return b'"' + word + b'"', word
    hole = rng.choice(HOLES)
    head, tail = (rng.choice((b"", b"", b"", rng.choice(PIECES))) for _ in range(2))
    return head + hole + tail, head + rng.choice(VALUES[hole]) + tail


def random_match(rng):
    lines, typed = [], []
    for _ in range(rng.choice((1, 1, 2, 3))):
        first = rng.choice(FIRST)
        pairs = [random_token(rng) for _ in range(rng.randrange(4))]
        words = [first] + [p[0] for p in pairs]
        rest = rng.random() < 0.3
        if rng.random() < 0.05:
            words = []
            rest = True
        line = rng.choice((b" ", b"  ", b"\t")).join(words + [b"*"] * rest)
        if rng.random() < 0.03:
            line = shaken(rng, line)
        lines.append(rng.choice((b"command", b"command", b"serve")) + b" = " + line)
        path = first.strip(b'"')
        typed.append([rng.choice((path, path.rpartition(b"/")[2], path.removeprefix(b"/srv/app/")))] + [p[1] for p in pairs]
                     + [b"more"] * rng.choice((0, 0, 0, 1)))
    if any(line.startswith(b"serve") for line in lines):
        lines.append(b"listen = tcp 0.0.0.0:80")
    words = rng.choice(typed)
    if rng.random() < 0.3:
        words[rng.randrange(len(words))] = rng.choice((b"x", b"-x", b"/bin/x", b"a", b"*", b"{int}"))
    if rng.random() < 0.1:
        words.pop()
    if len(words) > 1 and rng.random() < 0.1:
        rng.shuffle(words)
    words = [w for w in (w.replace(b"\0", b"") for w in words)]
    return b"\n".join(lines), rng.choice((b"/srv/app", b"/srv", b"/", b"")), words if words and words[0] else [b"x"]


NAMES = (b"app", b"web", b"deploy", b"root", b"App", b"a", b"_x", b"app-1", b"4002", b"x" * 32)
BAD_NAMES = (b"+app", b"-", b"", b"x" * 33, b"1app", b"ap p", b"app$", b"\xe4pp")
IDS = (b"0", b"4001", b"4002", b"4294967294", b"4294967295", b"4294967296", b"-1", b"04002", b"", b"4002 ", b"0x10")


def random_entry(rng, fields):
    name = rng.choice(NAMES) if rng.random() < 0.85 else rng.choice(BAD_NAMES)
    parts = [name, b"x", rng.choice(IDS[:3]) if rng.random() < 0.8 else rng.choice(IDS)]
    if fields == 7:
        parts += [rng.choice(IDS[:3]) if rng.random() < 0.8 else rng.choice(IDS), rng.choice((b"", b"The App", b"\xe4", b"a\tb")),
                  rng.choice((b"/srv/app", b"", b"srv", b"/", b"/" + b"h" * 4094, b"/" + b"h" * 4095)), rng.choice((b"/bin/sh", b"", b"sh"))]
    else:
        parts += [rng.choice((b"", b"a,b", b"m" * 100))]
    if rng.random() < 0.05:
        parts = parts[:-1] if rng.random() < 0.5 else parts + [b""]
    return b":".join(parts)


def random_accounts(rng):
    lines = [b"user = " + rng.choice(NAMES)]
    for key in (b"group", b"groups", b"allow_users", b"allow_groups"):
        if rng.random() < 0.6:
            words = rng.sample(NAMES, rng.randrange(1, 4))
            lines.append(key + b" = " + b" ".join(words[:1] if key == b"group" else words))
    files = [b"\n".join(random_entry(rng, fields) for _ in range(rng.randrange(6))) for fields in (7, 4)]
    files = [f + rng.choice((b"", b"\n", b"\n\n")) for f in files]
    if rng.random() < 0.2:
        files = [shaken(rng, f) for f in files]
    size = rng.choice((1, 5, 16, 33, 64, 65536))
    if size < 65536 and rng.random() < 0.3:
        # What stands behind as much of a line as the reader has room for looks like an entry: chfn(1) would do.
        files = [b"g" * size * rng.randrange(1, 3) + f for f in files]
    return b"\n".join(lines), size, *files


VARIABLES = (b"LANG", b"LC_ALL", b"TZ", b"TERM", b"HOME", b"PATH", b"LD_PRELOAD", b"RUBYOPT", b"PYTHONPATH", b"RAILS_ENV",
             b"RAILS_X", b"NOTIFY_SOCKET", b"WATCHDOG_PID", b"LISTEN_FDS", b"A", b"B", b"TMPDIR", b"1A", b"A B", b"", b"GEM_HOME")
CONTENTS = (b"", b"C.UTF-8", b"production", b"a b", b"a\tb", b"a\nb", b"/etc/x", b":/etc/localtime", b"'q'", b'"q"', b'"',
            b"\xff", b"x=y", b"#")


def random_environment(rng):
    def pair():
        return rng.choice(VARIABLES) + b"=" + rng.choice(CONTENTS)
    lines = [b"env = " + pair() for _ in range(rng.randrange(3))]
    words = (b"RAILS_*", b"A", b"B", b"none", b"*", b"@systemd", b"LD_*", b"GEM_HOME", b"LANG", b"X_*", b"RAILS*", b"TMPDIR", b"NO_SUCH")
    if rng.random() < 0.7:
        lines.append(b"env_keep = " + b" ".join(rng.sample(words, rng.randrange(1, 4))))
    secrets = b"\n".join(rng.choice((pair, lambda: b"# c", lambda: b"", lambda: b" \t", lambda: b"export A=b"))()
                         for _ in range(rng.randrange(3)))
    pairs = [pair() if rng.random() < 0.95 else b"A" for _ in range(rng.randrange(6))]
    return b"\n".join(lines), rng.random() < 0.5, secrets, [p for p in pairs if p]


def random_address(rng):
    """Two C libraries and Python read them: inet_pton(3) is not written alike everywhere."""
    if rng.random() < 0.3:
        host = b".".join(rng.choice((b"0", b"1", b"255", b"256", b"01", b"127", b"", b"0x1")) for _ in range(rng.choice((4, 4, 4, 3, 5))))
    else:
        groups = [rng.choice((b"0", b"1", b"ff", b"00ff", b"FFFF", b"12345", b"g", b"")) for _ in range(rng.choice((8, 8, 7, 6, 3, 2, 1, 9)))]
        host = b":".join(groups)
        if rng.random() < 0.5:
            at = rng.randrange(len(groups) + 1)
            host = b":".join(groups[:at]) + b"::" + b":".join(groups[at:])
        if rng.random() < 0.2:
            host += b":" * rng.randrange(2) + b"1.2.3.4"
        host = b"[" + host + b"]" if rng.random() < 0.95 else host
    port = rng.choice((b"80", b"80", b"80", b"0", b"65535", b"65536", b"080", b"", b"-1", b"+1"))
    return b"runas-app = 1\nuser = app\nserve = /bin/x\nlisten = tcp " + host + b":" + port


def questions(rng, cases):
    quarter = cases // 4
    for text in rng.sample(list(single_bytes()), min(quarter, 400000)) if quarter < 200000 else single_bytes():
        yield about_policy(text)
    for text in at_caps():
        yield about_policy(text)
    texts = [text for _, text in seeds.policies() if len(text) < 6000]
    for text in texts:
        yield about_policy(text)
    for _ in range(quarter):
        yield about_policy(shaken(rng, rng.choice(texts)))
    for _ in range(quarter):
        yield about_match(*random_match(rng))
    for _ in range(quarter // 4):
        yield about_policy(random_address(rng))
    for _ in range(quarter // 2):
        yield about_accounts(*random_accounts(rng))
    for _ in range(quarter // 2):
        yield about_environment(*random_environment(rng))


def documented_words():
    page = (seeds.TOP / "src/man/runas-app.8").read_text()
    return set(re.findall(r"B[qo] ([a-z-]+)", page))


def agrees(answer, expected, words):
    if answer.startswith("refuse"):
        word = answer.split(" ")[1]
        if words and word not in words:
            return False
    if callable(expected):
        return expected(answer)
    return answer.startswith("refuse") if expected == "refuse" else answer == expected


def readable(question):
    kind, *fields = question.split(" ")
    return kind + "".join("\n    " + repr(b"" if f == "-" else bytes.fromhex(f)) for f in fields)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("-n", type=int, default=20000, metavar="CASES")
    options.add_argument("-s", default="1", metavar="SEED")
    options.add_argument("answer", nargs="+")
    options = options.parse_args()
    rng = random.Random(options.s)
    words = documented_words()
    asked, wrong, counts = 0, 0, collections.Counter()
    every = questions(rng, options.n)
    while batch := list(itertools.islice(every, 50000)):
        asked += len(batch)
        given = "".join(question + "\n" for question, _ in batch)
        for program in options.answer:
            run = subprocess.run([program], input=given, capture_output=True, text=True, check=False)
            answers = run.stdout.splitlines()
            if run.returncode != 0 or len(answers) != len(batch):
                print(f"{program}: status {run.returncode} after {len(answers)} answers\n{run.stderr[-3000:]}")
                if len(answers) < len(batch):
                    print(readable(batch[len(answers)][0]))
                return 1
            for (question, expected), answer in zip(batch, answers):
                counts[question.split(" ")[0], answer.split(" ")[0]] += program == options.answer[0]
                if agrees(answer, expected, words):
                    continue
                wrong += 1
                if wrong <= 10:
                    print(f"{program} and the model differ:\n  {readable(question)}\n  it says:  {answer}\n"
                          f"  expected: {getattr(expected, 'expected', expected)}")
    said = ", ".join(f"{kind} {n} {verdict}" for (kind, verdict), n in sorted(counts.items()))
    print(f"differential: {asked} questions to {len(options.answer)} programs, {wrong} answers differ from the model ({said})")
    return 1 if wrong or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
