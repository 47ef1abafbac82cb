"""Data Elements whose text is to be in another Specific Character Set (PS3.5 6.1.2, PS3.3 C.12.1.1.2).

For originals that go into a file whose (0008,0005) has changed since they were taken out of it: otherwise what comes
back and what was kept would not be legible together. Only the VRs that (0008,0005) affects are touched (PS3.5 6.1.2.2),
and of these only Values with something else than ASCII. An Item with a (0008,0005) of its own keeps its texts, and so
does all below it.

Everything happens on the bytes, by replacing parts of them. Where a text changes, the Sequences and Items around it get
undefined lengths (PS3.5 7.5); all else stays byte for byte. The bytes may be hostile: nothing here is recursive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dcmveil._elements import list_elements
from dcmveil.charsets import TextError, decode_text, encode_text, same_sets
from dcmveil.encode import Encoding, encode_element
from dcmveil.errors import LimitExceeded, ParseError, Refused

__all__ = ["converted"]

_DEEPEST = 64  # Sequences in Sequences
_SPECIFIC_CHARACTER_SET = 0x00080005
_DELIMITERS = {"LO": "\\", "LT": "", "PN": "\\^=", "SH": "\\", "ST": "", "UC": "\\", "UT": ""}
_NOT_PLAIN = re.compile(b"[\x1b\x80-\xff]")
_PADDING = " \0"
_HEADER = 8  # bytes of tag and length of an Item
_UNDEFINED = b"\xff\xff\xff\xff"
_ITEM_DELIMITATION = b"\xfe\xff\x0d\xe0\0\0\0\0"
_SEQUENCE_DELIMITATION = b"\xfe\xff\xdd\xe0\0\0\0\0"


def converted(element: bytes, old: bytes | None, new: bytes | None) -> bytes:
    """A whole Data Element in Explicit VR Little Endian with its text in the sets of `new` instead of those of `old`.

    Both are Values of (0008,0005), None for none. What nobody could read before stays as it is: a text that is not in
    `old`, an element that is not well formed. Refused if a text cannot be in `new`, or is nested too deep.
    """
    if same_sets(old, new) or not _NOT_PLAIN.search(element):
        return element
    try:
        return _Conversion(element, old, new).result()
    except ParseError:
        return element
    except (TextError, LimitExceeded):
        message = "an original text cannot be written in the Specific Character Set that the file has now"
        raise Refused("character-set", message) from None


class _Row(NamedTuple):
    """A Data Element as `list_elements` tells of it."""

    level: int
    item: int
    tag: int
    vr: str | None
    start: int
    value: int
    stop: int


@dataclass(eq=False, slots=True)
class _Item:
    """An Item with something in it; `start` is the offset of its header."""

    start: int
    number: int
    sequence: _Row
    parent: _Item | None
    is_apart: bool = False  # its texts are not in the character set that is to be changed

    def outwards(self) -> Iterator[_Item]:
        """This one, and those around it."""
        item: _Item | None = self
        while item is not None:
            yield item
            item = item.parent


class _Patch(NamedTuple):
    """Bytes in place of others. At one offset the end of what is deepest comes first, and the next beginning last."""

    start: int
    order: int
    stop: int
    new: bytes


class _Conversion:
    """One element on its way from `old` to `new`."""

    def __init__(self, element: bytes, old: bytes | None, new: bytes | None) -> None:
        self._element = element
        self._old = old
        self._new = new
        self._patches: list[_Patch] = []
        self._opened: set[int] = set()  # where Sequences and Items begin that have an undefined length by now

    def result(self) -> bytes:
        for row, item in _candidates(self._element):
            if item is None or not any(around.is_apart for around in item.outwards()):
                self._convert(row, item)
        return _patched(self._element, self._patches)

    def _convert(self, row: _Row, item: _Item | None) -> None:
        value, vr = self._element[row.value : row.stop], row.vr or ""
        delimiters = _DELIMITERS[vr]
        try:
            text = decode_text(value, self._old, delimiters=delimiters).rstrip(_PADDING)
        except TextError:
            return
        new = encode_text(text, self._new, delimiters=delimiters)
        if new == value.rstrip(_PADDING.encode()):
            return
        changed = encode_element(Encoding.EXPLICIT_LE, row.tag, vr, new)
        self._patches.append(_Patch(row.start, 0, row.stop, changed))
        if item is not None:
            self._open(item)

    def _open(self, innermost: _Item) -> None:
        """Undefined lengths from here to the outermost Sequence."""
        for item in innermost.outwards():
            if item.start in self._opened:
                break
            sequence, depth = item.sequence, 2 * item.sequence.level + 1
            body = item.start + _HEADER
            length = int.from_bytes(self._element[body - 4 : body], "little")
            self._undefine(item.start, body, body + length, depth + 1, _ITEM_DELIMITATION)
            if sequence.start not in self._opened:
                self._undefine(sequence.start, sequence.value, sequence.stop, depth, _SEQUENCE_DELIMITATION)

    def _undefine(self, start: int, body: int, stop: int, depth: int, delimitation: bytes) -> None:
        """Of what has its length in the last 4 bytes before `body`; `stop` counts if it is a defined one."""
        self._opened.add(start)
        if self._element[body - 4 : body] != _UNDEFINED:
            self._patches.append(_Patch(body - 4, 0, body, _UNDEFINED))
            self._patches.append(_Patch(stop, -depth, stop, delimitation))


def _patched(element: bytes, patches: list[_Patch]) -> bytes:
    if not patches:
        return element
    parts, at = [], 0
    for patch in sorted(patches):
        parts += [element[at : patch.start], patch.new]
        at = patch.stop
    return b"".join([*parts, element[at:]])


def _candidates(element: bytes) -> list[tuple[_Row, _Item | None]]:
    """The texts that are not plain ASCII, each with the Item that it stands in."""
    found = []
    for row, item in _places(element):
        if item is not None and row.tag == _SPECIFIC_CHARACTER_SET:
            item.is_apart = True
        # Within UN there is no VR, so no text either: all is Implicit VR there (PS3.5 6.2.2).
        if row.vr in _DELIMITERS and _NOT_PLAIN.search(element, row.value, row.stop):
            found.append((row, item))
    return found


def _places(element: bytes) -> Iterator[tuple[_Row, _Item | None]]:
    """All Data Elements in their order. Items are not listed: their headers come just before what is first in them."""
    around: list[_Row] = []  # the last of each level
    items: list[_Item | None] = [None]  # and the Item that it stands in
    for row in map(_Row._make, list_elements(element, Encoding.EXPLICIT_LE, levels=_DEEPEST + 2)):
        if row.level > _DEEPEST:
            raise LimitExceeded("Sequences are nested too deep")
        del around[row.level :], items[row.level + 1 :]
        item = items[-1]
        if len(items) <= row.level:
            items.append(_Item(row.start - _HEADER, row.item, around[-1], item))
        elif item is not None and item.number != row.item:
            items[-1] = _Item(row.start - _HEADER, row.item, around[-1], item.parent)
        around.append(row)
        yield row, items[-1]
