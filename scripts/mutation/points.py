# SPDX-License-Identifier: ISC
"""points: where a C file can be broken by one small change, found in clang's syntax tree.

Given:    files of src/launcher and src/policy that compile.
Promises: each mutant is one replacement of source bytes; two mutants never are the same text. Those that stand in code
          that runs can be woven into one file, which becomes one mutant or another by a number.
Never:    changes what a macro of a system header expands to.
"""

import re

from clang.cindex import CursorKind as Kind, Index, StorageClass, TypeKind

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
ALWAYS_FALSE = ("fail", "policy_refuse", "problem_set", "problem_about")  # so that not looking at it changes nothing
SEES_THROUGH = (Kind.UNEXPOSED_EXPR, Kind.PAREN_EXPR)
# Which children of these are statements: from here on.
BODIES = {Kind.COMPOUND_STMT: 0, Kind.IF_STMT: 1, Kind.FOR_STMT: -1, Kind.WHILE_STMT: 1, Kind.CASE_STMT: -1}


class Mutant:
    """source[start:end] becomes text. whole: the expression round it; None where it must be a constant."""

    def __init__(self, path, source, start, end, text, function, whole):
        self.path, self.start, self.end, self.text, self.function, self.whole = path, start, end, text, function, whole
        self.number = 0
        self.line = source.count(b"\n", 0, start) + 1
        self.source_line = " ".join(source.split(b"\n")[self.line - 1].decode().split())
        before = source[start:end].decode()
        ignored = re.fullmatch(r"\(\(void\)\((.*)\), ([01])\)", text, re.DOTALL)
        becomes = f"{ignored.group(2)} (done)" if ignored and ignored.group(1) == before else text
        self.change = " ".join(f"{before} => {becomes}".split())
        self.result = source[:start] + text.encode() + source[end:]
        if whole:
            self.instead = source[whole[0] : start] + text.encode() + source[end : whole[1]]

    def __str__(self):
        return f"{self.path}:{self.line}: {self.function}: {self.change}"


def weave(source, mutants):
    """The source in which `mutant_chosen` says which of these mutants it is; 0: none."""
    by_span = {}
    for mutant in mutants:
        by_span.setdefault(mutant.whole, []).append(mutant)
    spans = sorted(by_span, key=lambda span: (span[0], -span[1]))

    def emit(start, end, inside):
        out, at = b"", start
        while inside:
            span, inside = inside[0], inside[1:]
            below = [other for other in inside if other[1] <= span[1]]
            inside = inside[len(below) :]
            body = emit(*span, below)
            is_act = any(mutant.text == "(void)0" for mutant in by_span[span])
            for mutant in reversed(by_span[span]):
                body = b"(mutant_chosen == %d ? (%s) : %s(%s))" % (mutant.number, mutant.instead, b"(void)" if is_act else b"", body)
            out += source[at : span[0]] + body
            at = span[1]
        return out + source[at:end]

    return emit(0, len(source), spans)


class Finder:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.source = file.read()
        self.is_pure = path.startswith("src/policy/")
        self.found = {}
        self.function = "(file)"
        self.asked = set()
        self.is_constant = True

    def add(self, start, end, text, whole=None):
        if self.source[start:end].decode() != text and 0 <= start < end:
            whole = None if self.is_constant else whole or (start, end)
            self.found.setdefault((start, end, text), (self.function, whole))

    @staticmethod
    def span(node):
        return node.extent.start.offset, node.extent.end.offset

    @staticmethod
    def inner(node):
        while node.kind in SEES_THROUGH:
            below = list(node.get_children())
            if len(below) != 1:
                break
            node = below[0]
        return node

    def operator(self, node):
        """(word, start, end) of a binary operator that stands in the file itself."""
        left, right = list(node.get_children())
        start, end = self.span(left)[1], self.span(right)[0]
        match = re.fullmatch(rb"[\s)]*([-+*/%<>=!&|^,]+)[\s(]*", self.source[start:end])
        if not match or start >= end:
            return None
        return match.group(1).decode(), start + match.start(1), start + match.end(1)

    def word(self, node):
        found = self.operator(node) if node.kind == Kind.BINARY_OPERATOR else None
        return found[0] if found else ""

    def calls(self, node):
        if node.kind == Kind.CALL_EXPR and node.spelling != "__errno_location":
            return True
        return any(self.calls(below) for below in node.get_children())

    def truth(self, node, values="01"):
        """An expression that is asked: true or false? Values that a neighbour stands for already are left out."""
        node = self.inner(node)
        start, end = self.span(node)
        if (start, end, node.kind) in self.asked:
            return
        self.asked.add((start, end, node.kind))
        children = list(node.get_children())
        word = self.word(node)
        for value in values:
            if self.source[start:end] != {"0": b"false", "1": b"true"}[value]:
                self.add(start, end, value)
        if word in ("&&", "||"):
            for child in children:
                self.truth(child, "" if self.word(self.inner(child)) == word else "1" if word == "&&" else "0")
        elif node.kind == Kind.UNARY_OPERATOR and self.source[start : start + 1] == b"!":
            self.truth(children[0], "")
        elif node.kind == Kind.CONDITIONAL_OPERATOR:
            for child in children:
                self.truth(child)
        elif not self.is_pure and self.calls(node) and node.spelling not in ALWAYS_FALSE:
            for value in values:  # the act stays, and its result is not looked at
                self.add(start, end, f"((void)({self.source[start:end].decode()}), {value})")

    def visit(self, node, parent):
        children = list(node.get_children())
        kind = node.kind
        if kind == Kind.STATIC_ASSERT:
            return
        if kind == Kind.FUNCTION_DECL:
            if not node.is_definition():
                return
            self.function, self.is_constant = node.spelling, False
            self.returns_truth = node.result_type.get_canonical().kind == TypeKind.BOOL
        elif kind in (Kind.IF_STMT, Kind.WHILE_STMT, Kind.CONDITIONAL_OPERATOR):
            self.truth(children[0])
        elif kind == Kind.DO_STMT:
            self.truth(children[-1])
        elif kind == Kind.FOR_STMT:
            self.visit_for(node, children)
        elif kind == Kind.RETURN_STMT and children and self.returns_truth:
            self.truth(children[0])
        elif kind == Kind.VAR_DECL and node.type.get_canonical().kind == TypeKind.BOOL and children:
            self.truth(children[-1])
        elif kind == Kind.CALL_EXPR:
            self.visit_call(node)
        elif kind == Kind.UNEXPOSED_EXPR and node.type.get_canonical().kind == TypeKind.BOOL:
            self.truth(node)
        elif kind == Kind.BINARY_OPERATOR:
            self.visit_binary(node, children)
        elif kind == Kind.INTEGER_LITERAL and self.is_pure:
            self.visit_number(node, parent)
        for child in children[BODIES.get(kind, len(children)) :]:
            self.visit_statement(child)
        was_constant = self.is_constant
        self.is_constant = was_constant or (kind == Kind.VAR_DECL and self.needs_constants(node))
        for child in children:
            self.visit(child, node)
        self.is_constant = was_constant
        if kind == Kind.FUNCTION_DECL:
            self.function, self.is_constant = "(file)", True

    @staticmethod
    def needs_constants(node):
        return node.storage_class == StorageClass.STATIC or node.type.get_canonical().kind == TypeKind.CONSTANTARRAY

    def visit_for(self, node, children):
        depth, ends = 0, []
        for token in node.get_tokens():
            depth += (token.spelling in "([{") - (token.spelling in ")]}") if len(token.spelling) == 1 else 0
            if token.spelling == ";" and depth == 1:
                ends.append(token.extent.start.offset)
            if len(ends) == 2:
                break
        for child in children[:-1]:
            if ends[0] < self.span(child)[0] < ends[1]:
                self.truth(child)

    def visit_call(self, node):
        if node.referenced is None:
            return
        for parameter, argument in zip(node.referenced.get_arguments(), node.get_arguments()):
            if parameter.type.get_canonical().kind == TypeKind.BOOL:
                self.truth(argument)

    def visit_binary(self, node, children):
        found = self.operator(node)
        if not found:
            return
        word, start, end = found
        if word in COMPARISONS and (word not in ("==", "!=") or (*self.span(node), node.kind) not in self.asked):
            self.add(start, end, COMPARISONS[word], self.span(node))
        elif word in ("&&", "||"):
            self.truth(node)
        elif word == "=" and children[0].type.get_canonical().kind == TypeKind.BOOL:
            self.truth(children[1])
        elif word == "|":
            for child in children:
                inside = self.inner(child)
                start, end = self.span(child)
                if self.word(inside) != "|" and self.source[start:end] != b"O_RDONLY":  # which is 0
                    self.add(start, end, "0")

    def visit_number(self, node, parent):
        start, end = self.span(node)
        word = self.source[start:end].decode()
        if not re.fullmatch(r"[1-9][0-9]*|0[0-7]+", word):
            return
        if self.word(parent) in ("<", "<=", ">", ">="):
            return  # the neighbour is there already
        value = int(word, 8 if word[0] == "0" else 10)
        self.add(start, end, str(value + 1))
        self.add(start, end, str(value - 1))

    def visit_statement(self, node):
        inside = self.inner(node)
        if inside.kind == Kind.CSTYLE_CAST_EXPR:
            inside = self.inner(list(inside.get_children())[-1])
        if inside.kind == Kind.CALL_EXPR:
            self.add(*self.span(node), "(void)0")

    def mutants(self):
        flags = ["-std=gnu17", "-D_GNU_SOURCE=", "-Isrc", "-I."]
        unit = Index.create().parse(self.path, args=flags)
        wrong = [str(note) for note in unit.diagnostics if note.severity >= 3]
        if wrong:
            raise SystemExit(f"mutate: clang does not understand {self.path}: {wrong[0]}")
        for node in unit.cursor.get_children():
            if node.location.file is not None and node.location.file.name == self.path:
                self.visit(node, unit.cursor)
        self.is_constant = True
        for match in re.finditer(rb"(?m)^#define [A-Z_]+ +(?:0x[0-9a-fA-F]+|[1-9][0-9]*)(?=U?L?\s)", self.source):
            word = match.group(0).split()[-1]
            for step in (1, -1):
                self.add(match.end() - len(word), match.end(), str(int(word, 0) + step))
        return [Mutant(self.path, self.source, *key, *rest) for key, rest in sorted(self.found.items())]


def find(path):
    return Finder(path).mutants()
