"""Who imports whom within dcmveil, read from the sources of src (Python) and ext (Cython, its cimports as well).

Imports inside functions and under TYPE_CHECKING count like any other. A module of ext has one name for its .pyx
and .pxd. The package itself, `dcmveil`, goes by the name "__init__".
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "dcmveil"

# `from a.b cimport x, y`, also over several lines in parentheses, and `cimport a.b`; the same with import.
_FROM = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+c?import[ \t]+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_PLAIN = re.compile(r"^[ \t]*c?import[ \t]+([^\n(]+)", re.MULTILINE)
_COMMENT = re.compile(r"#[^\n]*")

# The dotted name of a module, and the names taken from it (none: the module itself).
Import = tuple[str, tuple[str, ...]]


def python_imports(text: str) -> Iterator[Import]:
    """The imports of a Python module."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:  # the package is flat
                module = f"{PACKAGE}.{module}".rstrip(".")
            yield module, tuple(alias.name for alias in node.names)


def cython_imports(text: str) -> Iterator[Import]:
    """The imports and cimports of a Cython module."""
    text = _COMMENT.sub("", text)
    for module, names in _FROM.findall(text):
        yield module, tuple(_names(names.strip("() \n")))
    for modules in _PLAIN.findall(text):
        yield from ((module, ()) for module in _names(modules))


def _names(text: str) -> list[str]:
    """`a as b, c` as a, c."""
    return [part.split()[0] for part in text.split(",") if part.strip()]


def sources() -> Iterator[tuple[str, Path]]:
    """Each source with the name of its module. What is generated or a stub is none."""
    for path in sorted((ROOT / "src" / PACKAGE).rglob("*.py")):
        yield path.stem, path
    for path in sorted((ROOT / "ext" / PACKAGE).glob("*.p[yx][xd]")):
        if path.stem != "__init__":  # empty: it makes the folder a package for cimport
            yield path.stem, path


def all_imports() -> dict[str, list[Import]]:
    """The imports of every module of the package, as they are written."""
    found: dict[str, list[Import]] = defaultdict(list)
    for name, path in sources():
        read = python_imports if path.suffix == ".py" else cython_imports
        found[name] += read(path.read_text(encoding="utf-8"))
    return dict(found)


@cache
def graph() -> dict[str, set[str]]:
    """For every module of the package the modules of the package that it imports."""
    imports = all_imports()
    return {name: set(_own(found, imports.keys())) - {name} for name, found in imports.items()}


def _own(imports: list[Import], modules: Container[str]) -> Iterator[str]:
    for module, names in imports:
        package, _, rest = module.partition(".")
        if package != PACKAGE:
            continue
        if rest:
            yield rest.split(".")[0]
        else:
            yield from (name if name in modules else "__init__" for name in names or ("__init__",))
