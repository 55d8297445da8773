# SPDX-License-Identifier: ISC
"""The filters that a program or a compiled file holds, as its bytes say."""
import struct

MACHINES = {62: ("x86-64", 0xC000003E, 8), 183: ("arm64", 0xC00000B7, 1027)}  # name, AUDIT_ARCH, R_..._RELATIVE
FNV_START, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


class Executable:
    """A 64-bit position-independent program: what its memory holds before the first instruction."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.file = file.read()
        if self.file[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no 64-bit little-endian program")
        self.machine, self.arch, relative = MACHINES[struct.unpack_from("<H", self.file, 18)[0]]
        segments_at, sections_at = struct.unpack_from("<QQ", self.file, 32)
        segment_count, _, section_count = struct.unpack_from("<HHH", self.file, 56)
        self.segments = [struct.unpack_from("<IIQQQQQQ", self.file, segments_at + 56 * i) for i in range(segment_count)]
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.file, sections_at + 64 * i) for i in range(section_count)]
        self.pointers = {}
        for _, kind, _, _, at, size, *_ in self.sections:
            if kind == 4:  # SHT_RELA
                for place, info, addend in struct.iter_unpack("<QQQ", self.file[at : at + size]):
                    if info == relative:
                        self.pointers[place] = addend

    def at(self, address, size):
        for kind, _, offset, virtual, _, file_size, _, _ in self.segments:
            if kind == 1 and virtual <= address and address + size <= virtual + file_size:
                return self.file[offset + address - virtual :][:size]
        raise ValueError(f"{address:#x} is in no file segment")

    def symbol(self, wanted):
        for _, kind, _, _, at, size, link, *_ in self.sections:
            if kind != 2:  # SHT_SYMTAB
                continue
            names = self.sections[link][4]
            for name, _, _, _, value, length in struct.iter_unpack("<IBBHQQ", self.file[at : at + size]):
                if self.file.startswith(b"\0" + wanted.encode() + b"\0", names + name - 1):
                    return value, length
        raise ValueError(f"no symbol {wanted}")

    def program(self, at):
        """struct program: a pointer and a count."""
        count = struct.unpack("<I", self.at(at + 8, 4))[0]
        return self.at(self.pointers[at], 8 * count)


def shipped(unstripped, installed):
    """(terminal filter, {profile: (enforce, complain)}): symbols of the one, bytes of the other."""
    place, size = unstripped.symbol("shipped_programs")
    profiles = {}
    for row in range(place, place + size, 40):
        name = installed.at(installed.pointers[row], 64).split(b"\0", 1)[0].decode()
        profiles[name] = installed.program(row + 8), installed.program(row + 24)
    arch = struct.unpack("<I", installed.at(unstripped.symbol("shipped_arch")[0], 4))[0]
    if arch != installed.arch:
        raise ValueError(f"the filters are said to be for {arch:#x}")
    return installed.program(unstripped.symbol("shipped_terminal")[0]), profiles


def fnv(data):
    digest = FNV_START
    for byte in data:
        digest = (digest ^ byte) * FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return digest


def compiled_file(data, arch, sources):
    """(enforce, complain) of a NAME.filter that was made from these texts, the profile's own first."""
    magic, digest, version, for_arch, enforce, complain, count, zero = struct.unpack_from("<8sQIIIIII", data)
    named = [struct.unpack_from("<32sQ", data, 40 + 40 * i) for i in range(16)]
    expected = [(name.encode().ljust(32, b"\0"), fnv(text.encode())) for name, text in sources]
    if (magic, version, for_arch, count, zero) != (b"runasBPF", 2, arch, len(sources), 0) or fnv(data[16:]) != digest:
        raise ValueError("the header is not that of a compiled profile")
    unused = [(bytes(32), 0)] * (16 - count)
    if named[:1] != expected[:1] or sorted(named[:count]) != sorted(expected) or named[count:] != unused:
        raise ValueError("the header does not name the texts that it was made from")
    if len(data) != 680 + 8 * (enforce + complain):
        raise ValueError("the file is longer or shorter than its two programs")
    return data[680 : 680 + 8 * enforce], data[680 + 8 * enforce :]
