# SPDX-License-Identifier: ISC
"""Profiles made by chance, always the same ones: much that nobody would write, all of it allowed by the manual."""
import random

NEEDED = "write close execve exit exit_group rt_sigreturn"
# Few bits and few values, so that alternatives overlap, repeat and contradict each other.
MASKS = (0x1, 0x3, 0xFF, 0xFF00, 0x80000000, 0x7E020000, 0xFFFFFFFF, 0xFFFFFFFE, 0x10001)


def rule(dice, arguments):
    conditions = []
    for argument in dice.sample(arguments, dice.randrange(1, 4)):
        mask = dice.choice(MASKS)
        value = dice.choice((0, 1, 2, 3, 0x1234, 0x80000000, 0xFFFFFFFF, dice.getrandbits(32))) & mask
        if mask == 0xFFFFFFFF and dice.random() < 0.7:
            conditions.append(f"arg{argument} == {value}")
        else:
            conditions.append(f"arg{argument} & {mask:#x} == {value:#x}")
    return " and ".join(conditions)


def text(dice, calls, parts):
    lines = ["runas-profile = 1"]
    includes = [dice.choice(("@app-server", "@web-static", "@app-server-debug"))] if dice.random() < 0.5 else []
    if parts and dice.random() < 0.5 and not includes:
        includes.append(dice.choice(parts))
    if includes:
        lines.append("include = " + " ".join(includes))
    lines.append(f"allow = {NEEDED} # needed")
    left = [name for name in calls if name not in NEEDED.split()]
    dice.shuffle(left)
    for key in ("refuse", "missing"):
        for _ in range(dice.randrange(3)):
            lines.append(f"{key} = " + " ".join(left.pop() for _ in range(dice.randrange(1, 12))))
    lines.append("allow = " + " ".join(left.pop() for _ in range(dice.randrange(1, 200))) + " # by chance")
    for _ in range(dice.randrange(1, 12)):
        name, arguments = left.pop(), dice.sample(range(6), 3)
        lines += [f"allow = {name} if {rule(dice, arguments)} # by chance" for _ in range(dice.choice((1, 1, 2, 3, 5)))]
    return "\n".join(lines) + "\n"


def profiles(count, names):
    """Label -> text; some are parts that others include."""
    dice, made, parts = random.Random(6), {}, []
    for at in range(count):
        label = f"chance{at}"
        made[label] = text(dice, sorted(names.calls), parts)
        if at % 4 == 0:
            made[label] = made[label].replace("= 1\n", "= 1 part\n", 1)
            parts.append(label)
    return made
