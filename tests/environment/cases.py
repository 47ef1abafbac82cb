"""The environment cases by number, and the table of their tests: `python -m tests.environment.cases` writes CASES.md.

A test says in its name which cases it is of: test_case_05_..., test_cases_09_and_40_..., test_cases_17_to_19_...
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["CASES", "TABLE", "table", "told_of"]

TESTS = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("CASES.md")

CASES = {
    1: "a folder given as a file",
    2: "missing input",
    3: "FIFO as input",
    4: "FIFO without a writer",
    5: "same input and output",
    6: "same input and output, cut input",
    7: "output is a planted symbolic link",
    8: "output is a hard link to the input",
    9: "output /dev/full",
    10: "standard output on /dev/full",
    11: "disk full: file size limit",
    12: "12 file descriptors",
    13: "output folder not writable",
    14: "old output, bad input",
    15: "old output, disk full",
    16: "mode of the output",
    17: "newline in the name",
    18: "name that is not UTF-8",
    19: "name starting with a dash",
    20: "symbolic link loop in the input folder",
    21: "symbolic link out of the input folder",
    22: "8 runs onto one output",
    23: "SIGKILL at 40 random points",
    24: "SIGTERM at 40 random points",
    25: "EIO on read, write, close",
    26: "input that grows, shrinks, is written over or replaced while it is read",
    27: "1,000,000 files in one folder",
    28: "names that differ in case only",
    29: "two runs into one folder",
    30: "read-only folder without root",
    31: "SIGPIPE",
    32: "closed standard streams",
    33: "standard input that is a terminal",
    34: "folder replaced by a link between listing and opening",
    35: "RLIMIT_AS from 30 to 300 MiB",
    36: "clock going backwards",
    37: "no HOME, locale C",
    38: "extended attributes and access lists",
    39: "no further process",
    40: "devices",
    41: "output folder within the input folder and the other way round",
}
# Where another part of the tests has every call fail in turn.
ELSEWHERE = {25: "faults/test_faults.py"}

_NAME = re.compile(r"test_cases?_(\d\d)(?:_(and|to)_(\d\d))?_")


class Told(NamedTuple):
    """A test of a case, and what happens."""

    place: str
    happens: str


def told_of() -> dict[int, list[Told]]:
    """The tests of each case, as their sources have them."""
    found: dict[int, list[Told]] = defaultdict(list)
    for path in sorted(path for part in ("cli", "environment") for path in (TESTS / part).glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for number in _numbers(node.name):
                    says = (ast.get_docstring(node) or "").split("\n")[0]
                    found[number].append(Told(f"{path.relative_to(TESTS)}::{node.name}", says))
    for number, place in ELSEWHERE.items():
        if (TESTS / place).exists():
            found[number].append(Told(place, "Every call fails once, and from then on: nothing partial, nothing lost."))
    return found


def _numbers(name: str) -> Iterator[int]:
    match = _NAME.match(name)
    if match is None:
        return
    first, how, last = match.groups()
    yield from range(int(first), int(last) + 1) if how == "to" else (int(one) for one in (first, last) if one)


def table() -> str:
    """CASES.md: case, what it is, test, what happens."""
    rows = [
        f"| {number} | {CASES[number]} | `{test.place}` | {test.happens} |"
        for number, tests in sorted(told_of().items())
        for test in tests
    ]
    head = "# Environment cases\n\nWritten by `python -m tests.environment.cases`; a test compares.\n"
    return "\n".join([head, "| case | | test | what happens |", "| ---: | --- | --- | --- |", *rows, ""])


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
