# SPDX-License-Identifier: ISC
"""Classic BPF as seccomp runs it, after the kernel's words (linux/filter.h, linux/seccomp.h, seccomp(2)).

A program is bytes. `Program` refuses what the kernel's checker would refuse, `answer` runs one call, and `classes` finds
calls that stand for all others: two calls of one class take the same way through the program.
"""
import itertools
import struct

ALLOW, LOG, KILL = 0x7FFF0000, 0x7FFC0000, 0x80000000
ALL = 0xFFFFFFFF
NUMBER, ARCH = 0, 1  # the words of struct seccomp_data; the two halves of argument N follow at 4 + 2 N

LD_ABS, ALU_AND, RET, JA, JEQ, JGT, JGE, JSET = 0x20, 0x54, 0x06, 0x05, 0x15, 0x25, 0x35, 0x45
MOST_CALLS = 200000


class Bad(Exception):
    """The program, or what is asked of it, is not what this file understands."""


def errno_action(errno):
    return 0x00050000 | errno


def argument_word(argument, high=False):
    return 4 + 2 * argument + high


def words_of(number, arch, arguments):
    words = [number, arch, 0, 0]
    for argument in arguments:
        words += [argument & ALL, argument >> 32]
    return words


class Program:
    def __init__(self, data):
        if len(data) % 8 or not 0 < len(data) // 8 <= 4096:
            raise Bad(f"{len(data)} bytes are no program")
        self.code = list(struct.iter_unpack("<HBBI", data))
        count = len(self.code)
        for at, (code, if_true, if_false, k) in enumerate(self.code):
            if code == LD_ABS:
                good = k % 4 == 0 and k < 64
            elif code == JA:
                good = at + 1 + k < count
            elif code in (JEQ, JGT, JGE, JSET):
                good = at + 1 + max(if_true, if_false) < count
            else:
                good = code in (ALU_AND, RET)
            if not good:
                raise Bad(f"instruction {at} is {code:#x} {if_true} {if_false} {k:#x}")
        if self.code[-1][0] != RET:
            raise Bad("the last instruction does not return")

    def answer(self, words):
        accumulator = at = 0
        while True:
            code, if_true, if_false, k = self.code[at]
            at += 1
            if code == LD_ABS:
                accumulator = words[k // 4]
            elif code == ALU_AND:
                accumulator &= k
            elif code == RET:
                return k
            elif code == JA:
                at += k
            else:
                at += if_true if compare(code, accumulator, k) else if_false

    def comparisons(self, known):
        """What is asked of words whose value is not known: (word, mask, code, k)."""
        found, seen, pending = set(), set(), [(0, None, 0)]
        while pending:
            state = pending.pop()
            if state in seen:
                continue
            seen.add(state)
            at, word, mask = state
            code, if_true, if_false, k = self.code[at]
            at += 1
            if code == LD_ABS:
                pending.append((at, k // 4, ALL))
            elif code == ALU_AND:
                pending.append((at, word, mask & k))
            elif code == JA:
                pending.append((at + k, word, mask))
            elif code != RET:
                if word is None:
                    raise Bad("a comparison before anything was loaded")
                if word in known:
                    pending.append((at + (if_true if compare(code, known[word] & mask, k) else if_false), word, mask))
                    continue
                found.add((word, mask, code, k))
                pending += [(at + if_true, word, mask), (at + if_false, word, mask)]
        return found

    def edges(self, word, known):
        """Values of one word between which the program's answers can change: both ends of every interval."""
        ends = {0, ALL}
        for asked, mask, code, k in self.comparisons(known):
            if asked != word:
                continue
            if mask != ALL or code == JSET:
                raise Bad(f"word {word} is compared under a mask")
            ends |= {k - 1, k, k + 1}
        return sorted(end for end in ends if 0 <= end <= ALL)

    def classes(self, number, arch, also):
        """Words of calls that stand for every call with this number: each combination of the program's own
        comparisons of arguments, and of `also`, a set of (word, mask, value), that any argument can meet."""
        asked = set(also)
        for word, mask, code, k in self.comparisons({NUMBER: number, ARCH: arch}):
            if word < 4:
                raise Bad(f"call {number:#x}: word {word} is looked at")
            if code == JEQ:
                asked.add((word, mask, k))
            elif code == JSET:
                asked.add((word, mask & k, 0))
            else:
                raise Bad(f"call {number:#x}: arguments are compared by {code:#x}")
        values, calls = {}, 1
        for word in sorted({row[0] for row in asked}):
            values[word] = representatives([row[1:] for row in sorted(asked) if row[0] == word])
            calls *= len(values[word])
        if calls > MOST_CALLS:
            raise Bad(f"call {number:#x}: {calls} classes of arguments")
        for chosen in itertools.product(*values.values()):
            words = words_of(number, arch, [0] * 6)
            for word, value in zip(values, chosen):
                words[word] = value
            yield words


def compare(code, value, k):
    if code == JEQ:
        return value == k
    if code == JGT:
        return value > k
    if code == JGE:
        return value >= k
    return value & k != 0


def representatives(tests):
    """One 32-bit value for each set of (mask, value) tests that can hold together while all others fail."""
    found = []

    def split(at, fixed, bits, failing):
        if at == len(tests):
            value = avoid(fixed, bits, failing)
            if value is not None:
                found.append(value)
            return
        mask, value = tests[at]
        if value & ~mask == 0 and (bits ^ value) & fixed & mask == 0:
            split(at + 1, fixed | mask, bits | value, failing)
        split(at + 1, fixed, bits, failing + [(mask, value)])

    split(0, 0, 0, [])
    return found


def avoid(fixed, bits, failing):
    """A value with the fixed bits that meets none of the failing tests; None when there is none."""
    for at, (mask, value) in enumerate(failing):
        if value & ~mask or (bits ^ value) & fixed & mask:
            continue
        for bit in range(32):
            one = 1 << bit
            if mask & one and not fixed & one:
                # Wrong in this bit, and so that no way is tried twice right in those before it.
                chosen = avoid(fixed | one, bits | (~value & one), failing[at + 1 :])
                if chosen is not None:
                    return chosen
        return None
    return bits
