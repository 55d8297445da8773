# SPDX-License-Identifier: ISC
"""The examples of the manuals and of README, as their reader sees them: files, commands, and what these print.

In a literal block, `# /PATH` (`; /PATH`, `# Dockerfile`) in the first line begins a file; `# COMMAND` is typed by root,
`NAME$ COMMAND` by that user and `$ COMMAND` by deploy; what stands below a command is printed by it. `...` is any
text, and alone in a line any lines. The page's comment `.\\" status: N` says how the next command ends; else it is 0.
"""
import re
from dataclasses import dataclass, field


@dataclass
class File:
    path: str
    text: str


@dataclass
class Command:
    who: str
    text: str
    status: int | None = 0  # None: any, as README's text has no place for it
    printed: list[str] = field(default_factory=list)


@dataclass
class Example:
    page: str
    title: str
    steps: list = field(default_factory=list)


PROMPT = re.compile(r"(?:([a-z]*)\$|#) (?! )(.+)")
FILE = re.compile(r"[#;] (/\S+|Dockerfile)(?:  .*)?")


def ends_file(before, line):
    """`# ` alone does not: files have comments."""
    return re.match(r"[a-z]+\$ ", line) or (before == "" and FILE.fullmatch(line))


def steps_of(lines, statuses=None):
    """One literal block; `statuses` has those that are known, by line. None: not even 0 is."""
    steps = []
    at = 0
    while at < len(lines):
        named = FILE.fullmatch(lines[at])
        if named:
            end = at + 1
            while end < len(lines) and not ends_file(lines[end - 1], lines[end]):
                end += 1
            steps.append(File(named[1], "\n".join(lines[at:end]).rstrip("\n") + "\n"))
            at = end
            continue
        typed = PROMPT.fullmatch(lines[at])
        if typed:
            text, first = typed[2], at
            while text.endswith("\\"):
                at += 1
                text += "\n" + lines[at]
            who = "root" if lines[first].startswith("#") else typed[1] or "deploy"
            steps.append(Command(who, text, None if statuses is None else statuses.get(first, 0)))
        elif steps and isinstance(steps[-1], Command):
            steps[-1].printed.append(lines[at])
        elif lines[at].strip():
            return []  # a drawing, a list, a piece of a file
        at += 1
    return steps


def plain(text):
    """A line of a literal block without roff's escapes."""
    return re.sub(r"\\&", "", text).replace(r"\-", "-").replace(r"\e", "\\")


def manual(path):
    """One example for each .Ss below EXAMPLES; before that, what .Dl lines show makes one for each .Ss or .Sh."""
    name = path.name
    examples, example, inside, block = [], None, None, []
    statuses, status = {}, 0
    section = title = ""

    def add(steps):
        nonlocal example
        if not steps:
            return
        if not example or example.title != title:
            example = Example(name, title)
            examples.append(example)
        example.steps += steps

    for line in path.read_text().splitlines():
        comment = re.fullmatch(r'\.\\" status: (\d+)', line)
        if comment:
            status = int(comment[1])
        elif line.startswith((".Sh ", ".Ss ")):
            section = line[4:] if line.startswith(".Sh ") else section
            title = line[4:].strip('"')
        elif line.startswith(".Bd -literal"):
            inside, block, statuses = True, [], {}
        elif line == ".Ed":
            inside = False
            add(steps_of(block, statuses))
        elif inside and not line.startswith("."):
            if status and PROMPT.fullmatch(plain(line)):
                statuses[len(block)], status = status, 0
            block.append(plain(line))
        elif line.startswith(".Dl "):
            add(steps_of([plain(line[4:])], {0: status}))
            status = 0
    return examples


def readme(path, titles):
    """One example for each of these sections, of what is indented by four blanks."""
    lines = path.read_text().splitlines()
    heads = [at for at in range(len(lines) - 1) if re.fullmatch(r"-{3,}|={3,}", lines[at + 1]) and lines[at]]
    examples = []
    for head, end in zip(heads, heads[1:] + [len(lines)]):
        if lines[head] not in titles:
            continue
        example = Example(path.name, lines[head])
        block = []
        for line in lines[head + 2 : end] + ["end"]:
            if line.startswith("    "):
                block.append(line[4:])
            elif line:
                example.steps += steps_of(block)
                block = []
            elif block:
                block.append("")
        examples.append(example)
    return examples
