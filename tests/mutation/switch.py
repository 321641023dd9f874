"""Writes every mutant that cargo-mutants lists into one copy of the sources, each behind a switch.

`cargo mutants` builds the crate once for each mutant. Here one build holds them all: `SEALITE_MUTANT=17` turns on the
one with that number, so that a mutant costs the tests that reach it and no compilation.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import tree_sitter_rust
from tree_sitter import Language, Node, Parser

PARSER = Parser(Language(tree_sitter_rust.language()))
# What is evaluated while compiling can't be switched while running.
CONSTANT = {
    "const_item", "static_item", "array_type", "const_block", "enum_variant", "type_arguments", "const_parameter",
}
SWITCH = (Path(__file__).parent / "switch.rs").read_text()


class Mutant:
    """One entry of the list of cargo-mutants."""

    def __init__(self, number: int, entry: dict):
        self.number = number
        self.file: str = entry["file"]
        self.name: str = entry["name"]
        self.genre: str = entry["genre"]
        self.replacement: str = entry["replacement"]
        self.line: int = entry["span"]["start"]["line"]
        self.column: int = entry["span"]["start"]["column"]
        self.returns: str = (entry["function"] or {}).get("return_type", "")


def read(text: str) -> list[Mutant]:
    """The mutants of `cargo mutants --list --json`, numbered from one."""
    return [Mutant(number, entry) for number, entry in enumerate(json.loads(text), 1)]


def ancestors(node: Node) -> Iterator[Node]:
    while node := node.parent:
        yield node


def constant(node: Node) -> bool:
    for above in ancestors(node):
        if above.type in CONSTANT:
            return True
        if above.type == "array_expression" and above.child_by_field_name("length") is not None:
            return True
        if above.type == "function_item":
            return any(c.type == "function_modifiers" and b"const" in c.text for c in above.children)
    return False


class Source:
    """A file and where its mutants go."""

    def __init__(self, text: bytes, mutants: list[Mutant]):
        self.text = text
        self.tree = PARSER.parse(text)
        self.lines = text.split(b"\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.values: dict[int, list[Mutant]] = defaultdict(list)
        self.operators: dict[int, list[Mutant]] = defaultdict(list)
        self.guards: dict[int, list[Mutant]] = defaultdict(list)
        self.arms: dict[int, list[Mutant]] = defaultdict(list)
        self.fields: dict[int, list[Mutant]] = defaultdict(list)
        self.unplaced: list[Mutant] = []
        for mutant in mutants:
            self.place(mutant)

    def offset(self, mutant: Mutant) -> int:
        line = self.lines[mutant.line - 1].decode()
        return self.starts[mutant.line - 1] + len(line[: mutant.column - 1].encode())

    def place(self, mutant: Mutant) -> None:
        start = self.offset(mutant)
        node: Node | None = self.tree.root_node.descendant_for_byte_range(start, start + 1)
        found, where = None, {}
        if mutant.genre == "FnValue" and "impl " not in mutant.returns:
            found = first(node, lambda n: n.parent is not None and n.parent.type == "block" and n.start_byte == start)
            where = self.values
        elif mutant.genre == "BinaryOperator":
            kinds = ("binary_expression", "compound_assignment_expr")
            found = node.parent if node.parent is not None and node.parent.type in kinds else None
            if found is not None and found.child_by_field_name("operator").start_byte != start:
                found = None
            where = self.operators
        elif mutant.genre == "UnaryOperator":
            found = first(node, lambda n: n.type == "unary_expression" and n.start_byte == start)
            where = self.operators
        elif mutant.genre == "MatchArmGuard":
            found = first(node, lambda n: n.parent is not None and n.parent.type == "match_pattern")
            where = self.guards
        elif mutant.genre == "MatchArm":
            found = first(node, lambda n: n.type == "match_arm" and n.start_byte == start)
            where = self.arms
            if found is not None and not any(map(catches_all, found.parent.children)):
                found = None  # What is left would not be a whole match: it doesn't compile.
        elif mutant.genre == "StructField":
            kinds = ("field_initializer", "shorthand_field_initializer")
            found = first(node, lambda n: n.type in kinds and n.start_byte == start)
            where = self.fields
        if found is None or constant(found):
            self.unplaced.append(mutant)
            return
        # Nodes have no identity of their own: a place is the byte range of its node.
        where[key(found)].append(mutant)

    def render(self) -> bytes:
        return self.node(self.tree.root_node)

    def plain(self, node: Node, replaced: dict[tuple, bytes] | None = None) -> bytes:
        """The node with what is inside it switched, and its own children replaced as told."""
        if not node.children:
            return node.text
        out, at = [], node.start_byte
        for child in node.children:
            out.append(self.text[at:child.start_byte])
            if replaced is not None and key(child) in replaced:
                out.append(replaced[key(child)])
            else:
                if node.type == "block":
                    out += [
                        on(m) + b" { " + mark(m, b"return " + m.replacement.encode() + b";") + b" }\n"
                        for m in self.values.get(key(child), ())
                    ]
                out.append(self.node(child))
            at = child.end_byte
        out.append(self.text[at:node.end_byte])
        return b"".join(out)

    def node(self, node: Node) -> bytes:
        """The node with every mutant in it, and those that it is itself."""
        text = self.changed(node)
        if node.parent is not None and node.parent.type == "match_pattern":
            arms = [(m, m.replacement.encode()) for m in self.guards.get(key(node), ())]
            return alternatives(arms, text) if arms else text
        return text

    def changed(self, node: Node) -> bytes:
        place = key(node)
        if node.type in ("binary_expression", "compound_assignment_expr") and place in self.operators:
            operator = node.child_by_field_name("operator")
            left, right = (self.node(node.child_by_field_name(side)) for side in ("left", "right"))
            arms = [(m, b"(" + left + b") " + m.replacement.encode() + b" (" + right + b")") for m in self.operators[place]]
            text = alternatives(arms, b"(" + left + b") " + operator.text + b" (" + right + b")")
            if len(text) > 4000:
                # What nests deeply would double with each level.
                arms = [(m, b"l " + m.replacement.encode() + b" r") for m in self.operators[place]]
                one = alternatives(arms, b"l " + operator.text + b" r")
                text = b"(match ((" + left + b"), (" + right + b")) { (l, r) => " + one + b" })"
            return text
        if node.type == "unary_expression" and place in self.operators:
            inner = self.node(node.children[-1])
            return alternatives([(m, inner) for m in self.operators[place]], self.plain(node))
        if node.type == "match_arm" and place in self.arms:
            pattern = node.child_by_field_name("pattern")
            off = b" && ".join(b"!" + b"crate::mutant::on(%d)" % m.number for m in self.arms[place])
            condition = pattern.child_by_field_name("condition")
            if condition is None:
                changed = self.plain(pattern) + b" if " + off
            else:
                changed = self.plain(pattern, {key(condition): off + b" && (" + self.node(condition) + b")"})
            return self.plain(node, {key(pattern): changed})
        if node.type == "struct_expression":
            body = node.child_by_field_name("body")
            arms = []
            for i, child in enumerate(body.children):
                for m in self.fields.get(key(child), ()):
                    gone = {key(child): b""}
                    if body.children[i + 1].type == ",":
                        gone[key(body.children[i + 1])] = b""
                    arms.append((m, self.plain(node, {key(body): self.plain(body, gone)})))
            if arms:
                return alternatives(arms, self.plain(node))
        return self.plain(node)


def catches_all(arm: Node) -> bool:
    pattern = arm.child_by_field_name("pattern")
    return pattern is not None and pattern.type == "match_pattern" and (pattern.text == b"_" or pattern.text.decode().isidentifier() and pattern.text.islower())


def key(node: Node) -> tuple:
    return (node.type, node.start_byte, node.end_byte)


def first(node: Node | None, fits: Callable[[Node], bool]) -> Node | None:
    """The innermost node around `node`, itself included, that fits."""
    while node is not None and not fits(node):
        node = node.parent
    return node


def on(mutant: Mutant) -> bytes:
    return b"if crate::mutant::on(%d)" % mutant.number


def mark(mutant: Mutant, text: bytes) -> bytes:
    """Marked, so that an error of the compiler names the mutant."""
    return b"/*<%d*/ %s /*%d>*/" % (mutant.number, text, mutant.number)


def alternatives(arms: list[tuple[Mutant, bytes]], otherwise: bytes) -> bytes:
    out = b"".join(on(m) + b" {\n" + mark(m, text) + b"\n} else " for m, text in arms)
    return b"(" + out + b"{ " + otherwise + b" })"


def write(root: Path, origin: Path, mutants: list[Mutant], without: set[int]) -> list[Mutant]:
    """Writes the switched sources of `origin` into `root`; the answer are mutants that can't be switched."""
    files: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        files[mutant.file].append(mutant)
    unplaced = []
    for name, of in files.items():
        source = Source((origin / name).read_bytes(), [m for m in of if m.number not in without])
        (root / name).write_bytes(source.render())
        unplaced += source.unplaced
    library = (origin / "core/src/lib.rs").read_text()
    (root / "core/src/lib.rs").write_text(library + "\nmod mutant;\n")
    (root / "core/src/mutant.rs").write_text(SWITCH)
    return unplaced
