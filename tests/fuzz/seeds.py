#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""seeds.py DIRECTORY: what the harnesses start from, DIRECTORY/NAME/*, made of the repository's fixtures and examples.

A seed that lies in the repository twice would be a second truth; what fuzzing found beyond these is in corpus/.
"""
import pathlib
import struct
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
PASSWD = b"root:x:0:0:root:/root:/bin/bash\ndeploy:x:4001:4001::/home/deploy:/bin/sh\n" \
         b"app:x:4002:4002:The App:/srv/app:/usr/sbin/nologin\n+::::::\n+nis:x:1:1:::\n"
GROUP = b"root:x:0:\napp:x:4002:\nweb:x:4010:www-data\nextra:x:4011:a,b,c\n+:::\n"


def policies():
    for directory in ("tests/fixtures/policy/good", "tests/fixtures/policy/bad", "policy/examples"):
        for path in sorted((TOP / directory).glob("*.conf")):
            if path.name.count(".") == 1:  # the others are other programs'
                yield path.stem, path.read_bytes()


def lines_of(policy, keys):
    return b"\n".join(line for line in policy.split(b"\n") if line.split(b"=")[0].strip() in keys)


def filters():
    """Compiled filters: a header, two programs, and their FNV-1a digest."""
    for sources, count in ((1, 1), (2, 9), (16, 300), (17, 1)):
        body = struct.pack("<IIIIII", 1, 0xC000003E, count, count + 1, sources, 0)
        for i in range(16):
            name = b"site-%d" % i if i < sources else b""
            body += struct.pack("<32sQ", name, 0x1234567890ABCDEF + i)
        body += struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000) * (2 * count + 1)
        digest = 0xCBF29CE484222325
        for byte in body:
            digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        whole = b"runasBPF" + struct.pack("<Q", digest) + body
        for mend in (0, 4, 7):
            yield bytes([mend]) + whole
        yield b"\0" + whole[:-1]


def seeds():
    for name, bytes_ in policies():
        yield "policy", bytes_
        commands = lines_of(bytes_, (b"command", b"serve", b"listen"))
        if commands and len(commands) < 3000:
            words = commands.split(b"\n")[0].split(b"=", 1)[1].split()
            typed = [b"runas-app", b"app", b"--"] + words
            yield "command", b"\x05" + commands + b"\0/srv/app\0" + b"".join(w + b"\0" for w in typed)
        rest = lines_of(bytes_, (b"env", b"env_keep", b"env_file"))
        if rest and len(rest) < 3000:
            caller = b"LANG=C.UTF-8\0TZ=:/etc/localtime\0LC_ALL=/x\0LD_PRELOAD=/x\0A=b\0RAILS_ENV=production\0"
            for trusted in (b"\0", b"\1"):
                yield "environment", trusted + rest + b"\0# secrets\nKEY=value\n\nB=c d\0" + caller
        names = lines_of(bytes_, (b"user", b"group", b"groups", b"allow_users", b"allow_groups"))
        if names and len(names) < 3000:
            yield "accounts", b"\x01\x20\xff\0" + names + b"\0" + PASSWD + b"\0" + GROUP
    for path in sorted(TOP.glob("tests/fixtures/profiles/**/*.profile")) + sorted(TOP.glob("policy/profiles/*.profile")):
        yield "profile", path.read_bytes()
    for bytes_ in filters():
        yield "program", bytes_


def main():
    target = pathlib.Path(sys.argv[1])
    for number, (name, bytes_) in enumerate(seeds()):
        (target / name).mkdir(parents=True, exist_ok=True)
        (target / name / f"seed-{number:04}").write_bytes(bytes_)


if __name__ == "__main__":
    main()
