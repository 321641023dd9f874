"""Writes the docstrings of the native module into its stubs, which is where editors look for them.

    python stub_docs.py [--check]

What the stubs say of types is written by hand; what they say in words is the module's own, of the installed package. With
`--check` nothing is written, and a stub that would change ends the program with 1.
"""

import ast
import importlib
import inspect
import sys
import textwrap
from pathlib import Path
from typing import TypeAlias

PACKAGE = Path(__file__).parents[1] / "sealite"
STUBS = {"_native.pyi": "sealite._native", "_dbapi2.pyi": "sealite._dbapi2"}

Documented: TypeAlias = ast.ClassDef | ast.FunctionDef


def main() -> None:
    stale = []
    for file, module in STUBS.items():
        path = PACKAGE / file
        text = path.read_text("utf-8")
        told = documented(without(text), importlib.import_module(module))
        if told != text:
            stale.append(file)
            if "--check" not in sys.argv:
                path.write_text(told, "utf-8")
    if "--check" in sys.argv and stale:
        sys.exit(f"python python/tools/stub_docs.py writes anew: {', '.join(stale)}")


def definitions(text: str) -> list[Documented]:
    """Classes and functions, the last first: what changes one leaves the lines of the others as they are."""
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, Documented)]
    return sorted(found, key=lambda node: node.lineno, reverse=True)


def without(text: str) -> str:
    """The stub without any docstring, each body as short as it goes."""
    lines = text.splitlines()
    for node in definitions(text):
        if ast.get_docstring(node) is None:
            continue
        first = node.body[0]
        assert first.end_lineno is not None
        del lines[first.lineno - 1 : first.end_lineno]
        if len(node.body) == 1:
            head, mark, comment = lines[first.lineno - 2].partition("  #")
            lines[first.lineno - 2] = f"{head} ...{mark}{comment}"
    # The blank lines behind docstrings, too.
    last = lines.pop()
    for at, line in reversed(list(enumerate(lines))):
        following = lines[at + 1] if at + 1 < len(lines) else last
        alone = lines[at - 1].endswith(": ...") and following.startswith(("def ", "class "))
        if not line and (following.startswith(" ") or alone):
            del lines[at]
    return "\n".join([*lines, last]) + "\n"


def documented(text: str, module: object) -> str:
    """The stub with the docstrings that the module has."""
    lines = text.splitlines()
    nodes = definitions(text)
    owners = {member: node.name for node in nodes if isinstance(node, ast.ClassDef) for member in node.body}
    for node in nodes:
        owner = owners.get(node)
        doc = words(getattr(module, owner, None) if owner else module, node.name)
        if doc is None:
            continue
        body = node.body[0]
        # The header of a class is one line; that of a function ends where its body is.
        last = node.lineno
        if isinstance(body, ast.Expr) and isinstance(body.value, ast.Constant) and body.value.value is ...:
            last = body.lineno
            lines[last - 1] = lines[last - 1].replace(": ...", ":", 1)
        told = textwrap.indent(doc, " " * (node.col_offset + 4)).splitlines()
        lines[last:last] = told if lines[last : last + 1] in ([], [""]) else [*told, ""]
    return "\n".join(lines) + "\n"


def words(owner: object, name: str) -> str | None:
    """The docstring as source text. Of the methods that Python itself calls there is none: their words are Python's."""
    if name.startswith("__"):
        return None
    value = vars(owner).get(name) if isinstance(owner, type) else getattr(owner, name, None)
    value = value.__func__ if isinstance(value, staticmethod) else value
    doc = inspect.cleandoc(getattr(value, "__doc__", None) or "")
    if not doc or '"""' in doc:
        return None
    raw = "r" if "\\" in doc else ""
    end = "\n" if "\n" in doc or doc.endswith('"') else ""
    return f'{raw}"""{doc}{end}"""'


if __name__ == "__main__":
    main()
