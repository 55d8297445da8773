# SPDX-License-Identifier: ISC
"""The kernel's own answers: a copy of a filter in which "allow" and "log" became errnos that nobody else uses is loaded
into a child, and is asked only where a mark stands in the last argument: no call is done, and nothing else is disturbed."""
import ctypes
import mmap
import os
import struct

from bpf import ALL, ALLOW, JEQ, LD_ABS, LOG, RET, errno_action, words_of
from meaning import NUMBERS, PROOF_PROFILE, PROOF_TERMINAL, X86_64

MARK, AT_MARK = 0x5ECC0DE5, 16 + 8 * 5
SAID_ALLOW, SAID_LOG = 4001, 4002
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
GARBAGE = ALL << 32
GETPID = {X86_64: 39}
NO_FILTERS = 77


class Disagrees(Exception):
    """The kernel answers otherwise than the text means."""


def marked_copy(code):
    instructions = [(LD_ABS, 0, 0, AT_MARK), (JEQ, 1, 0, MARK), (RET, 0, 0, ALLOW)]
    said = {ALLOW: errno_action(SAID_ALLOW), LOG: errno_action(SAID_LOG)}
    for operation, if_true, if_false, k in code:
        instructions.append((operation, if_true, if_false, said.get(k, k) if operation == RET else k))
    return b"".join(struct.pack("<HBBI", *each) for each in instructions)


def asked(means):
    """A few arguments for each number, and those round each alternative that does not look at the mark's place."""
    for number in [*range(NUMBERS), PROOF_TERMINAL, PROOF_PROFILE]:
        if number in (335, 336) and means.arch == X86_64:
            continue  # the kernel answers its own trampolines before any filter does
        rules = means.rules(number)
        if any(at == 5 for rule in rules for at, _, _ in rule):
            continue
        rows = [[0] * 5, [GARBAGE | 1] * 5]
        for rule in sorted(map(sorted, rules)):
            for rest in (0, GARBAGE):
                row = [rest] * 5
                for at, _, value in rule:
                    row[at] = rest | value
                rows += [row, [word ^ 1 for word in row], [word ^ 0x80000000 for word in row]]
        for row in rows:
            yield number, [*row, MARK]


def expected(means, number, arguments):
    action = means.action(words_of(number, means.arch, arguments))
    return {ALLOW: SAID_ALLOW, LOG: SAID_LOG}.get(action, action & 0xFFFF)


def load(libc, code):
    data = marked_copy(code)
    held = ctypes.create_string_buffer(data, len(data))
    filter_and_count = struct.pack("@HP", len(data) // 8, ctypes.addressof(held))
    return (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and
            libc.prctl(PR_SET_SECCOMP, MODE_FILTER, filter_and_count, 0, 0) == 0)


def ask(name, program, means):
    """How many calls the kernel was asked, 0 when it takes no filters; raises Disagrees."""
    rows = list(asked(means))
    libc = ctypes.CDLL(None, use_errno=True)
    calls = [(ctypes.c_long(number), *map(ctypes.c_ulong, arguments)) for number, arguments in rows]
    answers = mmap.mmap(-1, 4 * len(rows))
    child = os.fork()
    if child == 0:
        status = NO_FILTERS
        try:
            if load(libc, program.code):
                status = 1
                for at, call in enumerate(calls):
                    ctypes.set_errno(0)
                    libc.syscall(*call)
                    struct.pack_into("<I", answers, 4 * at, ctypes.get_errno())
                status = 0
        finally:
            # A call of fewer arguments would leave the mark in its register.
            libc.syscall(*map(ctypes.c_ulong, (GETPID[means.arch], 0, 0, 0, 0, 0, 0)))
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    if os.waitstatus_to_exitcode(status) == NO_FILTERS:
        return 0
    if status != 0:
        raise Disagrees(f"{name}: the child ended with {status:#x}")
    for (number, arguments), (answer,) in zip(rows, struct.iter_unpack("<I", answers)):
        if answer != expected(means, number, arguments):
            raise Disagrees(f"{name}: call {number}, {' '.join(map(hex, arguments))}: the kernel says {answer}, "
                            f"the text {expected(means, number, arguments)}")
    return len(rows)
