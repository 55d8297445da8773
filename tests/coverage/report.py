#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Prints a table of what the tests reach, and every gap; fails when a gap has no line in the list of exceptions.

Usage: report.py EXCEPTIONS LCOV JSON [MCDC-JSON], all but the first from `llvm-cov export`.
EXCEPTIONS: blocks of one line `FILE FUNCTION KIND TEXT` and indented lines that say why; KIND is `line`, `true`, `false`
(a condition that never was that) or `pair` (a condition never shown to decide alone); TEXT is the line or the condition.
A FILE or FUNCTION of `*` is any, a `*` at the end of TEXT is any rest. An exception that is reached after all, or whose text is gone, is an error: the list stays as short as it can be.
"""
import json
import os
import sys

MOST = 72  # bytes of a condition: enough to know it by
MCDC_BRANCH = 6  # llvm::coverage::CounterMappingRegion::RegionKind
MEASURED = ("src/launcher/", "src/policy/")


def plain(name):
    """src/... of a path, or None where it is not measured."""
    name = os.path.normpath(name)
    for room in MEASURED:
        if room in name:
            return name[name.index(room):]
    return None


class Source:
    def __init__(self, name):
        self.name = name
        with open(name, encoding="utf-8") as file:
            self.lines = file.read().split("\n")
        self.functions = []  # (first, last, name)

    def text(self, first, first_column, last, last_column):
        part = self.lines[first - 1:last]
        part[-1] = part[-1][:last_column - 1]
        part[0] = part[0][first_column - 1:]
        words = " ".join(" ".join(part).split())
        return words if len(words) <= MOST else words[:MOST].rstrip() + " ..."

    def function(self, line):
        return next((name for first, last, name in self.functions if first <= line <= last), "-")


class Tally:
    def __init__(self):
        self.reached = {"lines": 0, "branches": 0, "pairs": 0}
        self.all = {"lines": 0, "branches": 0, "pairs": 0}

    def add(self, what, is_reached):
        self.all[what] += 1
        self.reached[what] += is_reached

    def words(self, what):
        whole, part = self.all[what], self.reached[what]
        return "-" if whole == 0 else f"{part}/{whole} {100 * part / whole:.1f}%"


def read_lines(path):
    """{file: {line: count}}"""
    counts, current = {}, None
    with open(path, encoding="utf-8") as file:
        for record in file:
            if record.startswith("SF:"):
                current = counts.setdefault(plain(record[3:].strip()), {})
            elif record.startswith("DA:"):
                line, count = record[3:].split(",")[:2]
                current[int(line)] = int(count)
    return counts


def read_export(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)["data"][0]


def read_exceptions(path):
    """{(file, function, kind, text): reason}"""
    exceptions, key = {}, None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t":
                exceptions[key] += line.split()
                continue
            parts = line.rstrip("\n").split(" ", 3)
            if len(parts) != 4 or parts[2] not in ("line", "true", "false", "pair") or tuple(parts) in exceptions:
                sys.exit(f"{path}:{number}: FILE FUNCTION line|true|false|pair TEXT, once")
            key = tuple(parts)
            exceptions[key] = []
    for key, reason in exceptions.items():
        if not reason:
            sys.exit(f"{path}: {' '.join(key)}: says no reason")
    return exceptions


def fits(rule, key):
    """Is this gap what the exception speaks of?"""
    is_text = key[3].startswith(rule[3][:-1]) if rule[3].endswith("*") else key[3] == rule[3]
    return is_text and key[2] == rule[2] and rule[0] in ("*", key[0]) and rule[1] in ("*", key[1])


def collect_gaps(lines, branches, pairs):
    """Tallies of each file, and the gaps: [(key, place)]."""
    sources, tallies, gaps = {}, {}, []

    def gap(source, first, column, kind, text):
        gaps.append(((source.name, source.function(first), kind, text), f"{source.name}:{first}:{column}"))

    for name in sorted(filter(None, lines)):
        sources[name] = Source(name)
        tallies[name] = Tally()
    for function in branches["functions"]:
        name = plain(function["filenames"][0])
        if name in sources:
            region = function["regions"][0]
            sources[name].functions.append((region[0], region[2], function["name"].split(":")[-1].split(";")[-1]))
    for name, source in sources.items():
        for line, count in sorted(lines[name].items()):
            tallies[name].add("lines", count > 0)
            if count == 0:
                gap(source, line, 1, "line", " ".join(source.lines[line - 1].split()))
    for file in branches["files"]:
        name = plain(file["filename"])
        if name not in sources:
            continue
        for branch in file["branches"]:
            for kind, count in (("true", branch[4]), ("false", branch[5])):
                tallies[name].add("branches", count > 0)
                if count == 0:
                    gap(sources[name], branch[0], branch[1], kind, sources[name].text(*branch[:4]))
    for file in pairs["files"] if pairs else []:
        name = plain(file["filename"])
        if name not in sources:
            continue
        conditions = [branch for branch in file["branches"] if branch[8] == MCDC_BRANCH]
        for record in file["mcdc_records"]:
            inside = sorted({tuple(branch[:4]) for branch in conditions
                             if record[:2] <= branch[:2] and branch[2:4] <= record[2:4]})
            shown = next(part for part in record if isinstance(part, list))
            for index, is_shown in enumerate(shown):
                tallies[name].add("pairs", is_shown)
                if not is_shown:
                    place = inside[index] if len(inside) == len(shown) else tuple(record[:4])
                    gap(sources[name], place[0], place[1], "pair", sources[name].text(*place))
    return tallies, gaps


def print_table(tallies):
    rows = [("", "lines", "branches", "MC/DC (unit tests)")]
    total = Tally()
    for name, tally in tallies.items():
        rows.append((name, tally.words("lines"), tally.words("branches"), tally.words("pairs")))
        for what in total.all:
            total.all[what] += tally.all[what]
            total.reached[what] += tally.reached[what]
    rows.append(("total", total.words("lines"), total.words("branches"), total.words("pairs")))
    for row in rows:
        print(f"{row[0]:<32} {row[1]:>16} {row[2]:>16} {row[3]:>20}")


def main(exceptions_path, lines_path, branches_path, pairs_path=None):
    exceptions = read_exceptions(exceptions_path)
    tallies, gaps = collect_gaps(read_lines(lines_path), read_export(branches_path),
                                 read_export(pairs_path) if pairs_path else None)
    print_table(tallies)
    bad = [(key, place) for key, place in gaps if not any(fits(rule, key) for rule in exceptions)]
    stale = [rule for rule in exceptions if not any(fits(rule, key) for key, _ in gaps)
             and (pairs_path or rule[2] != "pair")]
    for (_, function, kind, text), place in bad:
        print(f"{place}: {function}: {'never reached' if kind == 'line' else 'never shown: ' + kind}: {text}")
    for key in stale:
        print(f"{exceptions_path}: {' '.join(key)}: is reached, or is there no more: take it out")
    print(f"{len(gaps)} gaps, {len(gaps) - len(bad)} of them justified in {exceptions_path}, {len(bad)} not, "
          f"{len(stale)} justified without need")
    return 1 if bad or stale else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
