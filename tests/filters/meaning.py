# SPDX-License-Identifier: ISC
"""What each filter must answer, and whether it does."""
import random
import struct

from bpf import ALL, ALLOW, ALU_AND, ARCH, JA, JEQ, JGE, JGT, KILL, LD_ABS, LOG, NUMBER, RET
from bpf import Bad, Program, argument_word, errno_action, words_of
from language import is_allowed

EPERM, ENOSYS = 1, 38
# src/policy/program.h: the numbers by which a loaded filter shows that it is there.
PROOF_TERMINAL, PROOF_PROFILE = 0x3FFF0001, 0x3FFF0002
ANSWER_TERMINAL, ANSWER_PROFILE = errno_action(55), errno_action(56)
X32 = 0x40000000
I386, ARM = 0x40000003, 0x40000028
X86_64, ARM64 = 0xC000003E, 0xC00000B7
OTHERS = (I386, ARM, X86_64, ARM64, 0)
NUMBERS = 1024


class Meaning:
    """table: number -> what is said of it; complains: what is not allowed is logged and done.

    Whatever is said of ioctl: two of its requests type into the terminal, and are refused.
    """

    def __init__(self, arch, names, table, complains=False):
        self.arch, self.table, self.complains = arch, table, complains
        self.ioctl = names.calls["ioctl"]
        self.typing = {frozenset([(1, ALL, names.constants[request])]) for request in ("TIOCSTI", "TIOCLINUX")}

    def types(self, words):
        return words[NUMBER] == self.ioctl and is_allowed(self.typing, [words[argument_word(at)] for at in range(6)])

    def is_ours(self, number, arch):
        # -1 is no call of any ABI: a tracer writes it to skip one.
        return arch == self.arch and not (arch == X86_64 and X32 <= number < ALL)

    def action(self, words):
        number = words[NUMBER]
        if not self.is_ours(number, words[ARCH]):
            return KILL
        if number == PROOF_PROFILE:
            return ANSWER_PROFILE
        if self.types(words):
            return errno_action(EPERM)
        said = self.table.get(number, "missing")
        if number == PROOF_TERMINAL or is_allowed(said, [words[argument_word(at)] for at in range(6)]):
            return ALLOW
        if self.complains:
            return LOG
        return errno_action(EPERM if said == "refuse" else ENOSYS)

    def rules(self, number):
        """Combinations of arguments that an answer may depend on."""
        said = self.table.get(number)
        rules = said if isinstance(said, set) else set()
        if number == self.ioctl:
            others = {frozenset(each for each in rule if each[0] != 1) for rule in rules}
            rules = rules | self.typing | {other | request for other in others for request in self.typing}
        return rules


class Terminal(Meaning):
    """Without a profile: everything but the two requests of ioctl."""

    def __init__(self, arch, names):
        super().__init__(arch, names, {})

    def action(self, words):
        if not self.is_ours(words[NUMBER], words[ARCH]):
            return KILL
        if words[NUMBER] == PROOF_TERMINAL:
            return ANSWER_TERMINAL
        return errno_action(EPERM) if self.types(words) else ALLOW


def asked_numbers(program, meaning, arch, twice):
    numbers = set(program.edges(NUMBER, {ARCH: arch})) | {PROOF_TERMINAL, PROOF_PROFILE}
    if arch == meaning.arch or twice:
        numbers |= set(range(NUMBERS))
    if twice:
        numbers |= {number | X32 for number in range(NUMBERS)}
    return sorted(numbers)


def asked_arguments(meaning, number):
    """Arguments round each alternative: rest 0 and rest 1, each of their 384 bits wrong once; and arbitrary ones."""
    for rule in sorted(filter(None, map(sorted, meaning.rules(number)))):
        for rest in (0, (1 << 64) - 1):
            base = [rest] * 6
            for at, mask, value in rule:
                base[at] = base[at] & ~mask | value
            yield base
            for bit in range(384):
                yield [word ^ (1 << bit % 64 if at == bit // 64 else 0) for at, word in enumerate(base)]
    dice = random.Random(number)
    yield [(1 << 64) - 1] * 6
    for _ in range(4):
        yield [dice.getrandbits(64) for _ in range(6)]


def disagreement(program, meaning, count=None, twice=True):
    """The first call that the program answers otherwise than its text means, as words; None when there is none.

    Every number of 32 bits and every architecture falls between edges that are asked on both sides, and all arguments into
    classes of which one is asked: so this decides about all calls that there can be. `twice` asks about numbers and arguments
    that were not chosen by looking at the program, too.
    """
    arches = set(program.edges(ARCH, {})) | {meaning.arch, *OTHERS}
    evaluated = 0

    def wrong(words):
        nonlocal evaluated
        evaluated += 1
        return program.answer(words) != meaning.action(words)

    for arch in sorted(arches):
        for number in asked_numbers(program, meaning, arch, twice):
            ours = meaning.is_ours(number, arch)
            atoms = {(argument_word(at), mask, value) for rule in meaning.rules(number) for at, mask, value in rule}
            for words in program.classes(number, arch, atoms if ours else set()):
                if wrong(words):
                    return words
            if twice and ours and number < NUMBERS:
                for arguments in asked_arguments(meaning, number):
                    if wrong(words_of(number, arch, arguments)):
                        return words_of(number, arch, arguments)
    if count is not None:
        count.append(evaluated)
    return None


def changed_programs(code):
    """The program with one instruction changed: jumps swapped, constants off by one bit, other words and answers. Left
    out is what changes no answer: what nothing leads to, halves of which no bit is compared, where a tree is split."""
    reached = {0}
    for at, (operation, if_true, if_false, k) in enumerate(code):
        if operation in (JEQ, JGT, JGE):
            reached |= {at + 1 + if_true, at + 1 + if_false}
        elif operation != RET:
            reached.add(at + 1 + (k if operation == JA else 0))
    for at in sorted(reached):
        operation, if_true, if_false, k = code[at]
        if operation == LD_ABS and code[at + 1][0] == ALU_AND and code[at + 1][3] == 0:
            continue
        changes = [(operation, if_true, if_false, k ^ bit) for bit in (4, 1 << 4, 1 << 16, 1 << 30) if operation != JGT]
        if if_true != if_false:
            changes.append((operation, if_false, if_true, k))
        for change in changes:
            yield change, at, [*code[:at], change, *code[at + 1 :]]


def is_noticed(code, meaning):
    data = b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
    try:
        return disagreement(Program(data), meaning, twice=False) is not None
    except Bad:
        return True
