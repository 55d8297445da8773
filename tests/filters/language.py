# SPDX-License-Identifier: ISC
"""What a profile's text says, read by the rules of runas-app.profile(5) and by nothing else.

Knows no more of the programs under test than that manual does. Numbers and constants come from the kernel's headers.
"""
import re
import subprocess

# Calls that are newer than the headers of Debian 12, from the kernel's syscall tables (scripts/syscall.tbl and
# arch/x86/entry/syscalls/syscall_64.tbl, Linux 6.17).
NEWER = {
    "set_mempolicy_home_node": 450, "cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453, "futex_wake": 454,
    "futex_wait": 455, "futex_requeue": 456, "statmount": 457, "listmount": 458, "lsm_get_self_attr": 459,
    "lsm_set_self_attr": 460, "lsm_list_modules": 461, "mseal": 462, "setxattrat": 463, "getxattrat": 464,
    "listxattrat": 465, "removexattrat": 466, "open_tree_attr": 467, "file_getattr": 468, "file_setattr": 469,
}
NEWER_X86_64 = {"uretprobe": 335, "uprobe": 336}

# personality(2); the other constants of the manual are macros of the headers.
PERSONALITY = {"PER_LINUX": 0, "PER_QUERY": 0xFFFFFFFF, "ADDR_NO_RANDOMIZE": 0x0040000}
HEADERS = ("asm/unistd.h", "sys/socket.h", "linux/netlink.h", "linux/sched.h", "asm/ioctls.h")
CONSTANT = re.compile("AF_[A-Z0-9]+|NETLINK_ROUTE|CLONE_NEW[A-Z]+|TIOC[A-Z]+|__NR.*|PF_[A-Z0-9]+")


class Wrong(Exception):
    """A text that the manual does not allow."""


class Names:
    """Names of calls and constants on one architecture, by the headers of the compiler that builds for it."""

    def __init__(self, compiler, is_x86_64):
        source = "".join(f"#include <{header}>\n" for header in HEADERS)
        said = subprocess.run(compiler.split() + ["-E", "-dM", "-x", "c", "-"], input=source, stdout=subprocess.PIPE,
                              encoding="ascii", check=True).stdout
        macros = dict(re.findall(r"^#define (\w+) (\S+)$", said, re.M))
        values = {}
        for name in filter(CONSTANT.fullmatch, macros):
            value = macros[name]
            while value in macros:
                value = macros[value]
            if re.fullmatch("0x[0-9a-fA-F]+|[0-9]+", value):
                values[name] = int(value, 0)
        self.constants = {**values, **PERSONALITY}
        self.calls = {name[5:]: number for name, number in values.items() if name.startswith("__NR_")}
        for name in ("syscalls", "arch_specific_syscall"):  # counts, not calls
            self.calls.pop(name, None)
        newer = {**NEWER, **(NEWER_X86_64 if is_x86_64 else {})}
        for name, number in newer.items():
            if self.calls.setdefault(name, number) != number:
                raise Wrong(f"the headers give {name} another number")

    def number(self, word):
        if re.fullmatch("[0-9]+|0x[0-9a-fA-F]+", word):
            return int(word, 16 if word.startswith("0x") else 10)
        return self.constants[word]


def condition(words, names):
    """argN == VALUE, or argN & MASK == VALUE: (N, mask, value)."""
    if len(words) == 3 and words[1] == "==":
        mask, value = 0xFFFFFFFF, words[2]
    elif len(words) == 5 and words[1] == "&" and words[3] == "==":
        mask, value = names.number(words[2]), words[4]
    else:
        raise Wrong(f"condition {words}")
    if not re.fullmatch("arg[0-5]", words[0]):
        raise Wrong(f"argument {words[0]}")
    return int(words[0][3]), mask, names.number(value)


def split_by(words, word):
    parts = [[]]
    for each in words:
        if each == word:
            parts.append([])
        else:
            parts[-1].append(each)
    return parts


def read_statements(text):
    for line in text.split("\n"):
        line = line.split("#")[0].strip(" \t")
        if line:
            key, equals, value = line.partition("=")
            if not equals or not value.split():
                raise Wrong(line)
            yield key.strip(" \t"), value.split()


class Profile:
    """calls: name -> "refuse", "missing", or the set of its alternatives; an alternative without conditions is "always"."""

    def __init__(self, label, texts, names):
        self.part = False
        own, included = {}, {}
        for at, (key, words) in enumerate(read_statements(texts[label])):
            if (key == "runas-profile") != (at == 0):
                raise Wrong(f"{label}: {key} does not stand here")
            if at == 0:
                if words not in (["1"], ["1", "part"]):
                    raise Wrong(f"{label}: version {words}")
                self.part = words[1:] == ["part"]
            elif key == "include":
                if own:
                    raise Wrong(f"{label}: include below other statements")
                for word in words:
                    for name, said in Profile(word, texts, names).calls.items():
                        included.setdefault(name, []).append(said)
            elif key == "allow" and words[1:2] == ["if"]:
                rule = frozenset(condition(part, names) for part in split_by(words[2:], "and"))
                if not isinstance(own.setdefault(words[0], set()), set) or frozenset() in own[words[0]]:
                    raise Wrong(f"{label}: {words[0]} has another answer already")
                own[words[0]].add(rule)
            elif key in ("allow", "refuse", "missing"):
                for word in words:
                    said = {frozenset()} if key == "allow" else key
                    if own.setdefault(word, said) != said:
                        raise Wrong(f"{label}: {word} has another answer already")
            else:
                raise Wrong(f"{label}: {key}")
        for name, said in included.items():
            if name not in own and any(each != said[0] for each in said):
                raise Wrong(f"{label}: included files disagree about {name}")
        self.calls = {**{name: said[0] for name, said in included.items()}, **own}

    def table(self, names):
        """By number, for the architecture of these names; what it has not is passed over."""
        return {names.calls[name]: said for name, said in self.calls.items() if name in names.calls}


def is_allowed(said, arguments):
    """Whether what a profile says of a call allows it with these arguments: by their low 32 bits."""
    return isinstance(said, set) and any(
        all(arguments[at] & 0xFFFFFFFF & mask == value for at, mask, value in rule) for rule in said
    )
