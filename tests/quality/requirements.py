"""Which requirement has which tests: `python tests/quality/requirements.py` prints the index.

The requirements of PS3.15 Annex E on a De-identifier go by the numbers R1 to R66. A test that proves one says so in
its docstring: "R13, R14: ...". R26a and its like belong to R26.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ALL = frozenset(range(1, 67))

# Out of reach by design: pixels are not looked at (E.3.1, E.3.2).
PIXELS = frozenset({45, 46})
REQUIRED = ALL - PIXELS

_NUMBER = re.compile(r"\bR([1-9][0-9]?)[a-z]?\b")


def numbers(docstring: str | None) -> set[int]:
    """The requirements that a docstring names."""
    return {int(number) for number in _NUMBER.findall(docstring or "")}


def tests_of(path: Path) -> Iterator[tuple[str, set[int]]]:
    """Each test function of a module, also one within a class, and the requirements it names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, numbers(ast.get_docstring(node))


def index(folder: Path = TESTS) -> dict[int, list[str]]:
    """For every requirement that is named the tests that name it, as `folder/test_module.py::test_function`."""
    found: dict[int, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for test, named in tests_of(path):
            for number in named:
                found[number].append(f"{path.relative_to(folder).as_posix()}::{test}")
    return dict(found)


def main() -> int:
    """Print the index, one line per requirement and test; the status is 1 if a requirement has none."""
    found = index()
    for number in sorted(ALL):
        missing = "MISSING" if number in REQUIRED else "out of reach: pixels"
        for place in found.get(number, [missing]):
            print(f"R{number:<4}{place}")
    return int(not found.keys() >= REQUIRED)


if __name__ == "__main__":
    sys.exit(main())
