"""Objects as rows, edited row by row: what an edit has to come to, to the byte, without anything of dcmveil."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from dcmveil.editing import Edits, edit_file
from dcmveil.operations import parse_operation
from dcmveil.report import Report
from tests.hostile.forms import Form

# (tag, VR, Value): text or bytes, ("H", 1, 2) for numbers, a list of Items, each a list of rows.
Row = tuple[int, str, Any]
Path_ = Sequence[tuple[int, int | None]]
Kind = Literal["empty", "clear", "remove", "replace"]

ROWS: list[Row] = [
    (0x00080000, "UL", ("I", 9999)),
    (0x00080005, "CS", "ISO_IR 100"),
    (0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"),
    (0x00080018, "UI", "2.999.7.7"),
    (0x00081140, "SQ", [[(0x00081150, "UI", "1.2.3"), (0x00081155, "UI", "1.2.4")], [(0x00081150, "UI", "1.2.3")]]),
    (0x00090010, "LO", "SOMEBODY"),
    (0x00091002, "LO", "private"),
    (0x00100010, "PN", "DOE^JOHN"),
    (0x00100020, "LO", "12345"),
    (0x00280010, "US", ("H", 7)),
    (0x00400275, "SQ", [[(0x00400007, "LO", "knee"), (0x00400008, "SQ", [[(0x00080100, "SH", "A")], []])], [], []]),
    (0x7FE00010, "OW", bytes(300)),
]
WRITTEN = {"PN": "ROE^JANE", "LO": "others", "SH": "code", "DA": "20200229", "UI": "2.999.1", "US": "513", "FD": "1.5"}


def encoded(form: Form, rows: Sequence[Row], *, open_end: bool = False) -> bytes:
    """A Data Set; with `open_end` Sequences and Items are of undefined length."""
    return b"".join(_element(form, row, open_end) for row in rows)


def _element(form: Form, row: Row, open_end: bool) -> bytes:
    tag, vr, value = row
    if isinstance(value, tuple):
        return form.element(tag, vr, form.pack(value[0], *value[1:]))
    if not isinstance(value, list):
        return form.element(tag, vr, value)
    contents = [encoded(form, item, open_end=open_end) for item in value]
    items = [form.open_item(content) if open_end else form.item(content) for content in contents]
    return form.sequence(tag, *items, open_end=open_end)


def changed(rows: Sequence[Row], path: Path_, row: Row | None, *, tag: int, inserts: bool) -> list[Row]:
    """With the element replaced by `row`, or gone; what is not there yet goes to its place in tag order."""
    if path:
        return [_descended(old, path, row, tag=tag, inserts=inserts) for old in rows]
    others = [old for old in rows if old[0] != tag]
    if row is None or (len(others) == len(rows) and not inserts):
        return others
    return sorted([*others, row], key=lambda old: old[0])


def _descended(old: Row, path: Path_, row: Row | None, *, tag: int, inserts: bool) -> Row:
    (sequence, number), *inward = path
    if old[0] != sequence or not isinstance(old[2], list):
        return old
    items = [
        changed(item, inward, row, tag=tag, inserts=inserts) if number in (None, position) else item
        for position, item in enumerate(old[2], 1)
    ]
    return sequence, old[1], items


def argument(path: Path_, tag: int, value: str | None = None) -> str:
    """As on a command line."""
    steps = [f"{sequence:08x}" + (f"[{number}]" if number else "") + ">" for sequence, number in path]
    return "".join(steps) + f"{tag >> 16:04x},{tag & 0xFFFF:04x}" + ("" if value is None else f"={value}")


def edits(*operations: tuple[Kind, str]) -> Edits:
    return Edits([parse_operation(kind, text) for kind, text in operations])


def edited(data: bytes, folder: Path, *operations: tuple[Kind, str]) -> bytes:
    """What the operations make of a file."""
    return edited_with_report(data, folder, *operations)[0]


def edited_with_report(data: bytes, folder: Path, *operations: tuple[Kind, str]) -> tuple[bytes, Report]:
    source, target = folder / "in.dcm", folder / "out.dcm"
    source.write_bytes(data)
    target.unlink(missing_ok=True)
    report = edit_file(source, target, edits(*operations))
    assert source.read_bytes() == data
    assert report.bytes_out == target.stat().st_size
    return target.read_bytes(), report


def comparable(form: Form, data: bytes) -> bytes:
    """The file as it is, or inflated: what deflates it is not told."""
    head = len(form.head())
    return data[:head] + zlib.decompressobj(-15).decompress(data[head:]) if form.deflated else data
