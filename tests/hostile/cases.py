"""Every leak channel as small files, numbered, each with a marker of its own and with what has to become of it.

A case is named by the number of its channel, what it is, the form, and where it stands: `7-private date-big-endian-UN`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Literal, NamedTuple

from dcmveil import _tables
from tests.hostile.carriers import CHARACTER_SETS, MORE, REFUSED, RISKY, STAYING
from tests.hostile.channels import (
    CHANNELS,
    EXPLICIT_ONLY,
    FOREIGN,
    MARK,
    NAME,
    OUTSIDE,
    PRIVATE,
    REPEATED,
    SEQUENCE,
    SPECIAL,
    TAILS,
    TOP_CHANNELS,
    UIDS,
    VR_TRICKS,
    WRAPS,
    Channel,
    meta_element,
)
from tests.hostile.forms import EXPLICIT, FORMS, Form

__all__ = ["Case", "cases", "closed", "kept"]

DIGITS = b"19480317"  # a date, and part of UIDs
ANY = b"LEAK"  # what all markers begin with
Expected = Literal["gone", "gone or refused", "refused", "stays"]
TOP_NUMBERS = {"instance": 12, "behind pixels": 7, "behind fragments": 9}


class Case(NamedTuple):
    """A file. `markers` are its own; what follows the channel and has to come out as it was is `kept`."""

    channel: int
    name: str
    expected: Expected
    data: bytes
    markers: tuple[bytes, ...]
    kept: bytes = b""

    @property
    def id(self) -> str:
        return f"{self.channel}-{self.name}"


def own(number: int) -> tuple[bytes, bytes]:
    """The markers of a case: as long as those of the channels, so that no length changes."""
    day = date(1905, 1, 1) + timedelta(days=number)
    return b"LEAK%05dX" % number, day.strftime("%Y%m%d").encode()


def marked(data: bytes, number: int) -> bytes:
    mark, digits = own(number)
    return data.replace(MARK, mark).replace(MARK[:-1], mark[:-1]).replace(MARK[:7], mark[:7]).replace(DIGITS, digits)


def kept(form: Form) -> bytes:
    """What follows a channel and has to come out as it went in."""
    return form.element(0x00280010, "US", form.pack("H", 50)) + form.element(0x00280011, "US", form.pack("H", 60))


class Numbering:
    """Makes cases, each with markers of its own."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, channel: int, name: str, expected: Expected, form: Form, dataset: bytes, more: bytes = b"") -> Case:
        """A Data Set in a form, with the marker put in before it is deflated."""
        return self.whole(channel, f"{name}-{form.name}", expected, form.file(self.next(dataset)) + self.now(more))

    def whole(self, channel: int, name: str, expected: Expected, data: bytes, kept: bytes = b"") -> Case:
        mark, digits = own(self.count)
        return Case(channel, name, expected, data, (mark[:-1], digits, ANY), kept)

    def next(self, data: bytes) -> bytes:
        self.count += 1
        return self.now(data)

    def now(self, data: bytes) -> bytes:
        return marked(data, self.count)


def channel_of(name: str) -> int:
    """The number of an element channel."""
    if "group length" in name:
        return 6
    numbers = ((PRIVATE, 7), (FOREIGN, 4), (VR_TRICKS, 8), (REPEATED, 9), (SPECIAL, 10), (UIDS, 12))
    return next(number for channels, number in numbers if name in channels)


@cache
def cases() -> tuple[Case, ...]:
    """All of them, in the order of their channels."""
    found = _all(Numbering())
    return tuple(sorted(found, key=lambda case: case.channel))


def closed() -> list[Case]:
    """Those of which nothing may come out."""
    return [case for case in cases() if case.expected != "stays"]


def _all(numbering: Numbering) -> Iterator[Case]:
    yield from _table(numbering)
    numbered = {name: (channel_of(name), channel) for name, channel in CHANNELS.items()}
    numbered |= {name: (11, channel) for name, channel in CHARACTER_SETS.items()}
    yield from _anywhere(numbering, numbered | MORE)
    yield from _at_top(numbering)
    yield from _outside(numbering)
    yield from _staying(numbering)


def _anywhere(numbering: Numbering, channels: dict[str, tuple[int, Channel]]) -> Iterator[Case]:
    """In each form, at top level and nested in three ways."""
    for name, (number, channel) in channels.items():
        for form in FORMS:
            for where, wrap in WRAPS.items():
                if name in EXPLICIT_ONLY and (form.implicit or where == "UN"):
                    continue  # Implicit VR has no VR to be wrong
                dataset = form.common() + wrap(form, channel) + kept(form)
                if name.startswith("Specific Character Set") and where == "top":
                    dataset = channel(form) + form.common() + kept(form)
                case = numbering.of(number, f"{name}-{where}", "gone", form, dataset)
                # An Attribute that this one is may have been one of the channel.
                yield case if name.startswith("Rows") else case._replace(kept=kept(form))


def _at_top(numbering: Numbering) -> Iterator[Case]:
    for form in FORMS:
        for name, channel in TOP_CHANNELS.items():
            if form.implicit and name == "method codes as text":
                continue  # there they are Items, whatever is meant
            yield numbering.of(TOP_NUMBERS.get(name, 10), name, "gone", form, form.common() + channel(form))
        for name, tail in TAILS.items():
            yield numbering.of(5, name, "gone or refused", form, form.common() + kept(form), tail)
        for name, (number, channel) in REFUSED.items():
            yield numbering.of(number, name, expected_of(name), form, form.common() + channel(form))
        private_class = form.element(0x00080016, "UI", MARK) + form.element(0x00080018, "UI", "2.999.7.7")
        yield numbering.of(12, "SOP Class of the object", "gone or refused", form, private_class)


def expected_of(name: str) -> Expected:
    return "gone or refused" if name == "directory" else "refused"  # its records go, if it says to be something else


def _outside(numbering: Numbering) -> Iterator[Case]:
    for name, data in OUTSIDE.items():
        number = 15 if "deflate" in name else 2 if "preamble" in name else 3
        expected: Expected = "gone"
        yield numbering.whole(number, name, expected, numbering.next(data)) if number != 15 else _deflated(name, data)
    pe = EXPLICIT.file(EXPLICIT.common(), preamble=b"MZ\x90\0" + MARK + bytes(46) + b"\x80\0\0\0")
    yield numbering.whole(2, "PE preamble", "gone", numbering.next(pe))
    for tag, name in ((0x00020002, "SOP Class"), (0x00020012, "Implementation Class")):
        data = EXPLICIT.file(EXPLICIT.element(NAME, "PN", "A"), more=[meta_element(tag, "UI", MARK)])
        yield numbering.whole(3, f"{name} of the File Meta Information", "gone or refused", numbering.next(data))
    head = bytes(128) + b"DICM" + meta_element(0x00020002, "UI", "1.2.840.10008.1.3.10")
    data = head + meta_element(0x00020010, "UI", EXPLICIT.syntax) + EXPLICIT.element(NAME, "PN", MARK)
    yield numbering.whole(14, "directory by its File Meta Information", "refused", numbering.next(data))


def _deflated(name: str, data: bytes) -> Case:
    """Its markers are those of the channel, since they are within the stream."""
    return Case(15, name, "gone", data, (MARK, DIGITS, ANY))


def _staying(numbering: Numbering) -> Iterator[Case]:
    for form in FORMS:
        for name, (number, channel) in STAYING.items():
            yield numbering.of(number, name, "stays", form, form.common() + channel(form))
    for name, data in RISKY.items():
        yield numbering.whole(13, name, "stays", numbering.next(data))


# ---- Table E.1-1 in full -------------------------------------------------------------------------------------------

TEXT = frozenset("AE CS LO LT PN SH ST UC UT UR OB OW UN".split())
VALUES = {"DT": DIGITS + b"071342", "UI": b"2.999.19480317.1"}  # others, times and ages as well: eight digits


def three_deep(form: Form, content: bytes) -> bytes:
    inner = form.sequence(SEQUENCE, form.item(form.sequence(SEQUENCE, form.item(content))))
    return form.sequence(SEQUENCE, form.open_item(inner), open_end=True)


WITHIN = {
    "top": lambda form, content: content,
    "one deep": lambda form, content: form.sequence(SEQUENCE, form.item(content)),
    "three deep": three_deep,
}


def row(form: Form, tag: int) -> bytes:
    """An element for a row of the table, with a marker in its Value or, of a Sequence, in a name inside."""
    vr = _tables.dictionary_vr(tag) or "LO"
    if vr == "SQ":
        return form.sequence(tag, form.item(form.element(NAME, "PN", MARK)))
    return form.element(tag, vr, VALUES.get(vr, MARK if vr in TEXT else DIGITS))


def rows() -> list[int]:
    """The tags, repeating groups by their first, private ones and those that are refused left out."""
    refused = (0x04000500, 0x60000102)
    return sorted(tag for tag, _mask, _action, _options in _tables.confidentiality() if tag not in refused)


def _table(numbering: Numbering) -> Iterator[Case]:
    """All rows together, each with markers of its own; and each alone."""
    for form in FORMS:
        for where, within in WITHIN.items():
            first, dataset = numbering.count + 1, b""
            for tag in rows():
                dataset += numbering.next(row(form, tag))
            markers = tuple(marker for number in range(first, numbering.count + 1) for marker in own(number))
            data = form.file(form.common() + within(form, dataset))
            yield Case(1, f"Table E.1-1-{form.name}-{where}", "gone", data, markers)
    for tag in rows():
        if tag >> 16 != 0x0004:  # a directory record without SOP Class is a DICOMDIR
            name = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
            yield numbering.of(1, name, "gone", EXPLICIT, EXPLICIT.common() + row(EXPLICIT, tag))
