"""Retain Safe Private (PS3.15 E.3.10): which private elements stay.

Safe is what Table E.3.10-1 lists, by Private Creator, group and low byte, and what an object says of itself in its
Private Data Element Characteristics Sequence (0008,0300). An object may also name what is identifying, and that goes
before the table. All else that is private goes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dcmveil import _tables

__all__ = ["CHARACTERISTICS", "WATCHED_PLACES", "Row", "revised", "safe_rows"]

CHARACTERISTICS = 0x00080300
_GROUP, _CREATOR, _BLOCK_STATUS, _NONIDENTIFYING = 0x00080301, 0x00080302, 0x00080303, 0x00080304
_ACTIONS, _IDENTIFYING, _ACTION = 0x00080305, 0x00080306, 0x00080307
# Where the Values are that have to be known: (path of Sequences, tag).
WATCHED_PLACES = (
    *(((CHARACTERISTICS,), tag) for tag in (_GROUP, _CREATOR, _BLOCK_STATUS, _NONIDENTIFYING)),
    *(((CHARACTERISTICS, _ACTIONS), tag) for tag in (_IDENTIFYING, _ACTION)),
)
_UI = 1 << _tables.vr_index("UI")
_TEXTS = sum(1 << _tables.vr_index(vr) for vr in ("LO", "LT", "SH", "ST", "UC", "UT"))
_SQ = 1 << _tables.vr_index("SQ")
_MOST_PRIVATE_FIRST = ("X", "Z", "D", "U", "UID", "K", "safe")
_KNOWN_ACTIONS = frozenset({"D", "Z", "X", "U"})  # (0008,0307); what else it says is taken for X

# Creator, group, low byte (None: every element of the block), set of VRs (0: any but SQ, None: SQ as well), action.
Row = tuple[bytes, int, int | None, int | None, str]
Watched = tuple[int, int, int, bytes | None]  # as `Plan.watched` has it


def safe_rows(*, keeps_uids: bool) -> Iterator[Row]:
    """Table E.3.10-1; what is a UID by it, and does not say so, is one unless these are retained."""
    for creator, group, low, vrs in _tables.safe_private():
        action = "text" if vrs and not vrs & ~_TEXTS else "K"
        yield creator, group, low, vrs, "UID" if vrs == _UI and not keeps_uids else action


class _Status(NamedTuple):
    """One Item of the Sequence, without what is not well formed in it."""

    creator: bytes
    group: int
    status: str
    nonidentifying: tuple[int, ...]
    actions: tuple[tuple[int, str], ...]


def revised(rows: Sequence[Row], watched: Iterable[Watched], order: str) -> list[Row]:
    """The rows with what an object says of its private blocks, which goes first.

    `watched` is that of a Plan with `WATCHED_PLACES`, `order` the byte order of its numbers as struct writes it.
    """
    said = list(_statuses(watched, order))
    unsafe = {(block.creator, block.group) for block in said if block.status == "UNSAFE"}
    listed = {row[:3]: row if row[3] == _SQ else (*row[:3], None, row[4]) for row in rows if row[3] in (_SQ, _UI)}
    own = [row for block in said for row in _rows_of(block, listed)]
    own.sort(key=lambda row: _MOST_PRIVATE_FIRST.index(row[-1]))
    return [*own, *(row for row in rows if row[:2] not in unsafe)]


def _rows_of(block: _Status, listed: Mapping[tuple[bytes, int, int | None], Row]) -> Iterator[Row]:
    """What the table lists as a Sequence or a UID is one, whatever the object says of it."""
    for low, action in block.actions:
        yield block.creator, block.group, low, 0, action
    for low in block.nonidentifying:
        yield listed.get((block.creator, block.group, low)) or (block.creator, block.group, low, None, "safe")
    if block.status == "SAFE":
        yield block.creator, block.group, None, None, "safe"
    elif block.status == "UNSAFE":
        yield block.creator, block.group, None, 0, "X"


def _statuses(watched: Iterable[Watched], order: str) -> Iterator[_Status]:
    for item in _items(watched):
        creator = (item.first(_CREATOR) or b"").strip(b" \0")
        groups = _numbers(item.first(_GROUP), order)
        if creator and len(groups) == 1:
            status = (item.first(_BLOCK_STATUS) or b"").strip(b" \0").decode("latin-1")
            nonidentifying = _low_bytes(item.first(_NONIDENTIFYING), order)
            if not item.is_legible():  # something in it identifies, and nobody knows what
                status, nonidentifying = "UNSAFE", ()
            yield _Status(creator, groups[0], status, nonidentifying, tuple(item.actions(order)))


class _Item(NamedTuple):
    """One Item: its own elements, and those of the Items of Deidentification Action Sequence in it."""

    own: dict[int, bytes | None]
    inner: list[dict[int, bytes | None]]

    def first(self, tag: int) -> bytes | None:
        return self.own.get(tag)

    def is_legible(self) -> bool:
        """Are the lists of what identifies numbers, and not too long to be known?"""
        lists = (item.get(_IDENTIFYING, b"") for item in self.inner)
        return all(one is not None and len(one) % 2 == 0 for one in lists)

    def actions(self, order: str) -> Iterator[tuple[int, str]]:
        for item in self.inner:
            action = (item.get(_ACTION) or b"").strip(b" \0").decode("latin-1")
            for low in _low_bytes(item.get(_IDENTIFYING), order):
                yield low, action if action in _KNOWN_ACTIONS else "X"


def _items(watched: Iterable[Watched]) -> list[_Item]:
    """The watched elements by Item. They come in the order of the input, so a new number begins a new Item, and so does
    a group where the Sequence is repeated."""
    found: list[_Item] = []
    outer = inner = 0
    for tag, parent, number, value in watched:
        if parent == CHARACTERISTICS and tag != _ACTIONS:
            if number != outer or not found or (tag == _GROUP and tag in found[-1].own):
                found.append(_Item({}, []))
                outer, inner = number, 0
            found[-1].own.setdefault(tag, value)
        elif parent == _ACTIONS and found:
            if number != inner:
                found[-1].inner.append({})
                inner = number
            found[-1].inner[-1].setdefault(tag, value)
    return found


def _numbers(value: bytes | None, order: str) -> tuple[int, ...]:
    if not value or len(value) % 2:
        return ()
    return struct.unpack(f"{order}{len(value) // 2}H", value)


def _low_bytes(value: bytes | None, order: str) -> tuple[int, ...]:
    """Elements by their lowest 8 bits; those who write whole element numbers mean the same."""
    return tuple(number & 0xFF for number in _numbers(value, order))
