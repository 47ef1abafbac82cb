"""A byte-level encoder for all forms a Data Set may have on the wire, and for those it may not.

PS3.5 section 7, Annex A; PS3.10 section 7.1. Nothing is checked: any length may be claimed, any VR written.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import NamedTuple

__all__ = [
    "BIG",
    "DEFLATED",
    "EXPLICIT",
    "FORMS",
    "IMPLICIT",
    "LONG",
    "PLAIN_FORMS",
    "UNDEFINED",
    "Form",
    "inflated",
    "meta_element",
]

UNDEFINED = 0xFFFFFFFF
SC_IMAGE = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture: nothing in it is of Type 1 that could get a dummy
INSTANCE = "2.999.7.7"

# PS3.5 7.1.2: these VRs have a Value Length of 32 bits, and so has any two-letter VR that is not known.
LONG = frozenset("OB OD OF OL OV OW SQ SV UC UN UR UT UV VE ZZ".split())


class Form(NamedTuple):
    """A Transfer Syntax, as far as it changes the bytes."""

    name: str
    syntax: str
    big: bool = False
    implicit: bool = False
    deflated: bool = False

    def pack(self, layout: str, *numbers: int) -> bytes:
        return struct.pack((">" if self.big else "<") + layout, *numbers)

    def header(self, tag: int, vr: str | bytes, length: int) -> bytes:
        """Tag, VR and Value Length of a Data Element; the VR is left out in Implicit VR."""
        front = self.pack("HH", tag >> 16, tag & 0xFFFF)
        if self.implicit:
            return front + self.pack("I", length)
        code = vr.encode() if isinstance(vr, str) else vr
        if code.decode("latin-1") in LONG:
            return front + code + b"\0\0" + self.pack("I", length)
        return front + code + self.pack("H", length)

    def element(self, tag: int, vr: str | bytes, value: str | bytes = b"", *, length: int | None = None) -> bytes:
        """A Data Element; `length` is claimed instead of that of the Value, which else is padded to even length."""
        data = value.encode() if isinstance(value, str) else value
        if length is None:
            data += (b"\0" if vr in ("UI", "OB", "UN") else b" ") * (len(data) % 2)
            length = len(data)
        return self.header(tag, vr, length) + data

    def item(self, content: bytes = b"", *, length: int | None = None, tag: int = 0xFFFEE000) -> bytes:
        """An Item, or anything of its kind; of undefined length it ends as the content does."""
        size = len(content) if length is None else length
        return self.pack("HHI", tag >> 16, tag & 0xFFFF, size) + content

    def open_item(self, content: bytes = b"") -> bytes:
        """A whole Item of undefined length."""
        return self.item(content, length=UNDEFINED) + self.item(tag=0xFFFEE00D)

    def sequence(self, tag: int, *items: bytes, vr: str = "SQ", open_end: bool = False) -> bytes:
        """A whole Sequence; with `open_end` of undefined length. That of UN is Little Endian (PS3.5 6.2.2)."""
        content = b"".join(items)
        if open_end:
            end = (EXPLICIT if vr == "UN" else self).item(tag=0xFFFEE0DD)
            return self.header(tag, vr, UNDEFINED) + content + end
        return self.header(tag, vr, len(content)) + content

    def head(self, *, syntax: str | None = None, preamble: bytes = b"", more: Iterable[bytes] = ()) -> bytes:
        """Preamble, prefix and File Meta Information; `more` are further elements of it."""
        rows = [meta_element(0x00020001, "OB", b"\0\1"), meta_element(0x00020002, "UI", SC_IMAGE)]
        rows += [meta_element(0x00020003, "UI", INSTANCE), meta_element(0x00020010, "UI", syntax or self.syntax)]
        meta = b"".join([*rows, *more])
        return (
            preamble.ljust(128, b"\0") + b"DICM" + meta_element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
        )

    def common(self) -> bytes:
        """SOP Class and SOP Instance UID, with which a Data Set begins."""
        return self.element(0x00080016, "UI", SC_IMAGE) + self.element(0x00080018, "UI", INSTANCE)

    def file(
        self, dataset: bytes, *, syntax: str | None = None, preamble: bytes = b"", more: Iterable[bytes] = ()
    ) -> bytes:
        """A whole file. A Data Set is deflated here if the form is."""
        head = self.head(syntax=syntax, preamble=preamble, more=more)
        if not self.deflated:
            return head + dataset
        deflater = zlib.compressobj(wbits=-15)
        return head + deflater.compress(dataset) + deflater.flush()


EXPLICIT = Form("explicit", "1.2.840.10008.1.2.1")
IMPLICIT = Form("implicit", "1.2.840.10008.1.2", implicit=True)
BIG = Form("big-endian", "1.2.840.10008.1.2.2", big=True)
DEFLATED = Form("deflated", "1.2.840.10008.1.2.1.99", deflated=True)
PLAIN_FORMS = (EXPLICIT, IMPLICIT, BIG)
FORMS = (*PLAIN_FORMS, DEFLATED)


def meta_element(tag: int, vr: str, value: str | bytes) -> bytes:
    """An element of the File Meta Information: always Explicit VR Little Endian."""
    return EXPLICIT.element(tag, vr, value)


def inflated(data: bytes) -> bytes:
    """The bytes of a file that a marker is looked for in: as they are, and behind them what can be inflated."""
    if DEFLATED.syntax.encode() not in data[:400]:
        return data
    (length,) = struct.unpack_from("<I", data, 140)
    return data + zlib.decompressobj(-15).decompress(data[144 + length :])
