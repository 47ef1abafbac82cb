"""A table of facts as a file: lines of cells, which are checked one by one.

A mistake is told with file and line. What the columns of a table mean is not known here.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["EXACT", "VR_NAMES", "Fact", "Row", "Table", "TableError", "read_edition", "read_rows", "shown"]

VR_NAMES = [
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OD", "OF", "OL", "OV",
    "OW", "PN", "SH", "SL", "SQ", "SS", "ST", "SV", "TM", "UC", "UI", "UL", "UN", "UR", "US", "UT", "UV",
]  # fmt: skip
MAX_BYTES = 64 << 20
EXACT = 0xFFFFFFFF
SHOWN = 40  # characters of a cell in a message
TAG = re.compile(r"[0-9A-Fx]{4},[0-9A-Fx]{4}")
UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
HEXADECIMAL = re.compile(r"[0-9A-F]+")
# Short enough for De-identification Method (0012,0063), which names it and is an LO.
EDITION_WORD = re.compile(r"[0-9A-Za-z]{1,6}")

Fact = tuple[Any, ...]


class TableError(Exception):
    """A table is wrong. The text, one line, names the file, the line and the mistake."""


def shown(cell: str) -> str:
    """A cell as a message quotes it."""
    return ascii(cell) if len(cell) <= SHOWN else f"{cell[:SHOWN]!a}..."


class Row(dict[str, str]):
    """One line of a table, by column name; knows where it stands."""

    where: str

    def wrong(self, mistake: str) -> TableError:
        return TableError(f"{self.where}: {mistake}")

    def choice(self, column: str, allowed: Iterable[str]) -> str:
        value = self[column]
        if value not in allowed:
            raise self.wrong(f"{column} {shown(value)} is none of {', '.join(map(repr, allowed))}")
        return value

    def text(self, column: str, longest: int | None = None) -> str:
        value = self[column]
        if not value.isascii() or not value.isprintable():
            raise self.wrong(f"{column} {shown(value)} holds other characters than printable ASCII")
        if longest is not None and len(value) > longest:
            raise self.wrong(f"{column} {shown(value)} has more than {longest} characters")
        return value

    def word(self, column: str, longest: int) -> str:
        """A text as one Value of a file has it when compared: not empty, and no padding."""
        value = self.text(column, longest)
        if value.strip() != value or not value or "\\" in value:
            raise self.wrong(f"{column} {shown(value)} is empty, or has a backslash or a space at an end")
        return value

    def hexadecimal(self, column: str, digits: int) -> int:
        value = self[column]
        if len(value) != digits or not HEXADECIMAL.fullmatch(value):
            raise self.wrong(f"{column} {shown(value)} is not {digits} hexadecimal digits in capitals")
        return int(value, 16)

    def tag(self, column: str = "tag") -> tuple[int, int]:
        """Tag and mask; the wildcard nibbles (x) are 0 in both."""
        return self.tag_of(self[column], column)

    def tag_of(self, text: str, column: str) -> tuple[int, int]:
        if not TAG.fullmatch(text):
            raise self.wrong(f"{column} {shown(text)} is not a tag such as 0010,0010 or 60xx,3000")
        digits = text.replace(",", "")
        mask = "".join("0" if digit == "x" else "F" for digit in digits)
        return int(digits.replace("x", "0"), 16), int(mask, 16)

    def exact_tag(self, column: str = "tag") -> int:
        return self.exact_tag_of(self[column], column)

    def exact_tag_of(self, text: str, column: str) -> int:
        tag, mask = self.tag_of(text, column)
        if mask != EXACT:
            raise self.wrong(f"{column} {text!r} must not hold wildcards")
        return tag

    def uid(self, column: str) -> str:
        value = self[column]
        if len(value) > 64 or not UID.fullmatch(value):
            raise self.wrong(f"{column} {shown(value)} is not a UID")
        return value

    def vrs(self, separator: str = " or ") -> list[int]:
        """The alternatives of column vr, by number."""
        alternatives = self["vr"].split(separator)
        unknown = [vr for vr in alternatives if vr not in VR_NAMES]
        if unknown:
            raise self.wrong(f"unknown VR {shown(unknown[0])}")
        return [VR_NAMES.index(vr) for vr in alternatives]


class Table(NamedTuple):
    """A file: the columns that it must have, those that tell its rows apart, and what becomes of the rows."""

    columns: tuple[str, ...]
    key: tuple[str, ...]
    facts: Callable[[list[Row]], Iterator[Fact]]


# ---- files -----------------------------------------------------------------------------------------------------


def read_text(path: Path) -> str:
    """The text of a file, with LF at the ends of its lines."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a FIFO would keep us waiting
            raise TableError(f"{path.name}:1: is not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise TableError(f"{path.name}:1: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise TableError(f"{path.name}:1: the file is larger than {MAX_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(f"{path.name}:{line}: is not UTF-8") from None


def header_of(line: str, table: Table, where: str) -> list[str]:
    names = line.split("\t")
    missing = [column for column in table.columns if names.count(column) != 1]
    if missing:
        raise TableError(f"{where}: the header must have one column {missing[0]!r}; columns are separated by tabs")
    return names


def read_rows(path: Path, table: Table) -> Iterator[Row]:
    """The rows of a file, in its order; no two of them may be equal in all columns of `table.key`."""
    header, *lines = read_text(path).removesuffix("\n").split("\n")
    names = header_of(header, table, f"{path.name}:1")
    if not lines:
        raise TableError(f"{path.name}:1: there are no rows below the header")
    seen: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(lines, start=2):
        values = line.split("\t")
        row = Row(zip(names, values, strict=False))
        row.where = f"{path.name}:{number}"
        if len(values) != len(names):
            raise row.wrong(f"{len(values)} columns instead of {len(names)}")
        identity = tuple(row[column] for column in table.key)
        if seen.setdefault(identity, number) != number:
            raise row.wrong(f"{' '.join(map(shown, identity))} is already in line {seen[identity]}")
        yield row


def read_edition(path: Path) -> str:
    """The edition that a folder names, such as 2026d."""
    word = read_text(path).removesuffix("\n")
    if not EDITION_WORD.fullmatch(word):
        raise TableError(f"{path.name}:1: {shown(word)} is not a word of 1 to 6 letters and digits, such as 2026d")
    return word
