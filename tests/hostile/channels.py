"""Channels through which something of a patient may leave with an object, each as bytes that hold a marker.

A channel is a function from the Form to elements of a Data Set, of which none may come out as it went in. `OUTSIDE`
are those that are not in the Data Set: preamble, File Meta Information, what follows.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.hostile.forms import DEFLATED, EXPLICIT, IMPLICIT, UNDEFINED, Form, meta_element

__all__ = ["CHANNELS", "MARK", "OUTSIDE", "TOP_CHANNELS", "WRAPS", "Channel"]

MARK = b"VEILME0001"
NAME = 0x00100010
SEQUENCE = 0x0040A043  # Concept Name Code Sequence: kept, and looked into
STUDY = 0x0020000D  # U
SOP_INSTANCE = 0x00080018
PIXELS = 0x7FE00010
WELL_KNOWN = b"1.2.840.10008.1.2.1"

Channel = Callable[[Form], bytes]


def holding(tag: int, vr: str | bytes, value: bytes = MARK) -> Channel:
    return lambda form: form.element(tag, vr, value)


def sequence(tag: int, *, vr: str = "SQ", open_end: bool = False, inner: int = 0x00080060) -> Channel:
    """A Sequence whose one Item has an attribute that would be kept elsewhere."""

    def make(form: Form) -> bytes:
        within = IMPLICIT if vr == "UN" else form
        content = within.element(inner, "CS", MARK)
        item = within.open_item(content) if open_end else within.item(content)
        return form.sequence(tag, item, vr=vr, open_end=open_end)

    return make


def with_creator(tag: int, vr: str) -> Channel:
    creator = tag & 0xFFFF0000 | 0x10
    return lambda form: form.element(creator, "LO", b"SIEMENS CSA HEADER") + form.element(tag, vr, MARK)


PRIVATE: dict[str, Channel] = {
    "private with creator": with_creator(0x00291010, "OB"),
    "private without creator": holding(0x00291010, "LO"),
    "private creator": holding(0x00090010, "LO"),
    "private below 0010": holding(0x00090001, "LO"),
    "private in group FFFF": holding(0xFFFF1001, "UT"),
    **{f"private in group {group:04X}": holding(group << 16 | 0x1001, "LO") for group in (1, 3, 5, 7, 0x7FE1)},
    "private date": holding(0x00191001, "DA"),
    "private Sequence": sequence(0x00211001, open_end=True),
    "private Sequence of defined length": sequence(0x00211001),
    "private UN": sequence(0x00211001, vr="UN"),
    "private UN of undefined length": sequence(0x00211001, vr="UN", open_end=True),
    "private within private": lambda form: form.sequence(
        0x00211001, form.item(form.sequence(0x00231001, form.item(form.element(0x00251001, "LO", MARK))))
    ),
    "private group length": holding(0x00090000, "UL"),
}

FOREIGN: dict[str, Channel] = {
    "command": holding(0x00000010, "LO"),
    "command set": holding(0x00001000, "UI"),
    "File Meta Information": holding(0x00020016, "AE"),
    "directory": holding(0x00041130, "CS"),
    "group 0006": holding(0x00060010, "LO"),
    "group length": holding(0x00100000, "UL"),
    "group length as text": holding(0x00280000, "UT"),
    "group length as Sequence": sequence(0x00280000, open_end=True),
}

NAME_VRS = [*"UN OB LO UT LT SH OW UI DS US ZZ".split(), b"\0\0", b"pn", b"??", b"P\0", b"\xff\xff"]
VR_TRICKS: dict[str, Channel] = {
    **{f"name as {vr!r}": holding(NAME, vr) for vr in NAME_VRS},
    "name as SQ": sequence(NAME),
    "name as SQ of undefined length": sequence(NAME, open_end=True),
    "name as UN of undefined length": sequence(NAME, vr="UN", open_end=True),
    **{f"kept Sequence as {vr!r}": holding(SEQUENCE, vr) for vr in ("OB", "LO", "UT", "OW", b"\0\0")},
    **{f"Rows as {vr!r}": holding(0x00280010, vr) for vr in ("LT", "UT", "UN", "OB", "ZZ", b"us", b"\0\0")},
    "Rows as SQ": sequence(0x00280010, open_end=True),
    "Image Type as UN": holding(0x00080008, "UN"),
    "Pixel Spacing as PN": holding(0x00280030, "PN"),
    "study as SQ": sequence(STUDY, open_end=True),
    "study as UN Sequence": sequence(STUDY, vr="UN", open_end=True),
    "kept Sequence as UN": lambda form: form.sequence(
        SEQUENCE, IMPLICIT.item(IMPLICIT.element(NAME, "PN", MARK)), vr="UN"
    ),
}
# Implicit VR has none to play tricks with: there a name is a name, and any bytes may be Rows.
EXPLICIT_ONLY = {name for name in VR_TRICKS if name.startswith(("Rows as", "Image Type", "Pixel Spacing", "kept"))}

REPEATED: dict[str, Channel] = {
    "name twice": lambda form: form.element(NAME, "PN", b"A") + form.element(NAME, "PN", MARK),
    "name late": lambda form: form.element(0x7FE00010, "OW", bytes(8)) + form.element(NAME, "PN", MARK),
    "descending": lambda form: form.element(0x00400244, "DA", MARK) + form.element(0x00080090, "PN", MARK),
    "study twice": lambda form: form.element(STUDY, "UI", b"2.999.1") + form.element(STUDY, "UI", MARK),
    "instance twice": lambda form: (
        form.element(SOP_INSTANCE, "UI", b"2.999.1") + form.element(SOP_INSTANCE, "UI", MARK)
    ),
    "after the padding": lambda form: form.element(0xFFFCFFFC, "OB", bytes(8)) + form.element(NAME, "PN", MARK),
}

SPECIAL: dict[str, Channel] = {
    "signatures": sequence(0xFFFAFFFA, inner=0x04000120),
    "MAC parameters": sequence(0x4FFE0001, inner=0x04000015),
    "icon": sequence(0x00880200),
    "curve": holding(0x50103000, "OW"),
    "curve label": holding(0x501E2500, "LO"),
    "audio": holding(0x50002001, "US"),
    **{f"overlay {group:04X}": holding(group << 16 | 0x3000, "OW") for group in (0x6000, 0x6002, 0x601E, 0x60FE)},
    "overlay label": holding(0x60001500, "LO"),
    "overlay description": holding(0x60000022, "LO"),
    "overlay comments": holding(0x60004000, "LT"),
    "original attributes": sequence(0x04000561, inner=NAME),
    "modified attributes": sequence(0x04000550, inner=NAME),
    "document": holding(0x00420011, "OB"),
    "structured report": sequence(0x0040A730, inner=0x0040A160),
    "graphic annotation": sequence(0x00700001, inner=0x00700006),
    "unknown attribute": holding(0x0008FFFE, "LO"),
    "unknown group": holding(0x7E000010, "UT"),
    "unknown Sequence": sequence(0x0008FFFE, open_end=True),
    "retired text": holding(0x40080115, "LT"),
    "trailing padding": holding(0xFFFCFFFC, "OB"),
    "claim of being clean": lambda form: form.element(NAME, "PN", MARK) + form.element(0x00120062, "CS", b"YES"),
}

UIDS: dict[str, Channel] = {
    "UID": holding(STUDY, "UI", b"2.999.19480317.1"),
    "UID with letters": holding(STUDY, "UI"),
    "UID that is too long": holding(STUDY, "UI", b"2.999." + b"19480317" * 12),
    "UID with leading zeros": holding(STUDY, "UI", b"2.999.019480317"),
    "UID behind NUL": holding(STUDY, "UI", WELL_KNOWN + b"\0" + MARK),
    "UID behind NULs only": holding(STUDY, "UI", b"\0\0" + MARK),
    "UID behind a space": holding(STUDY, "UI", WELL_KNOWN + b" " + MARK),
    "UID list": holding(STUDY, "UI", WELL_KNOWN + b"\\" + MARK + b"\\2.999.19480317"),
    "UID of DICOM with text": holding(STUDY, "UI", b"1.2.840.10008." + MARK),
    "UID as UN": holding(STUDY, "UN"),
    "UID as OB": holding(STUDY, "OB"),
    "UID as LO": holding(STUDY, "LO"),
    "UID not in the table": holding(0x00081167, "UI"),
    "UID over 64 KiB": lambda form: form.element(STUDY, "UN" if not form.implicit else "UI", MARK * 7000),
}

CHANNELS = {**PRIVATE, **FOREIGN, **VR_TRICKS, **REPEATED, **SPECIAL, **UIDS}

# What only the top level has: elsewhere these are attributes as any other.
TOP_CHANNELS: dict[str, Channel] = {
    "identity removed": holding(0x00120062, "CS"),
    "identity removed, repeated": lambda form: form.element(0x00120062, "CS", b"NO") + holding(0x00120062, "CS")(form),
    "method, repeated": lambda form: form.element(0x00120063, "LO", b"none") + holding(0x00120063, "LO")(form),
    "method codes, repeated": lambda form: form.sequence(0x00120064, form.item()) + sequence(0x00120064)(form),
    "method codes as text": lambda form: form.element(0x00120064, "UT", b"" if form.implicit else MARK),
    "method codes as Sequence of names": sequence(0x00120064, open_end=True, inner=NAME),
    "dates removed": holding(0x00280303, "CS"),
    "dates removed as Sequence": sequence(0x00280303, open_end=True),
    "instance": holding(SOP_INSTANCE, "UI"),
    "behind pixels": lambda form: form.element(PIXELS, "OW", bytes(4)) + form.element(0x7FE11010, "OB", MARK),
    "behind fragments": lambda form: (
        form.sequence(PIXELS, form.item(), form.item(bytes(4)), vr="OB", open_end=True)
        + form.element(0xFFFAFFFA, "UT", MARK)
    ),
}


def at_top(form: Form, channel: Channel) -> bytes:
    return channel(form)


def in_defined(form: Form, channel: Channel) -> bytes:
    return form.sequence(SEQUENCE, form.item(form.sequence(SEQUENCE, form.item(), form.item(channel(form)))))


def in_undefined(form: Form, channel: Channel) -> bytes:
    inner = form.sequence(SEQUENCE, form.open_item(channel(form)), open_end=True)
    return form.sequence(SEQUENCE, form.item(), form.open_item(inner), open_end=True)


def in_unknown(form: Form, channel: Channel) -> bytes:
    """In a Sequence encoded as UN, where all is Implicit VR (PS3.5 6.2.2)."""
    return form.sequence(SEQUENCE, IMPLICIT.item(channel(IMPLICIT)), vr="UN")


WRAPS = {"top": at_top, "defined": in_defined, "undefined": in_undefined, "UN": in_unknown}


# ---- outside the Data Set --------------------------------------------------------------------------------------

DATASET = EXPLICIT.common() + EXPLICIT.element(0x00080060, "CS", "OT")


def with_meta(*rows: bytes) -> bytes:
    return EXPLICIT.file(DATASET, more=rows)


def deflated(tail: bytes = b"", *, level: int = 6) -> bytes:
    """A deflated object with something behind its end, or in blocks that are just stored."""
    deflater = zlib.compressobj(level, wbits=-15)
    data = deflater.compress(DATASET + DEFLATED.element(NAME, "PN", MARK))
    return DEFLATED.head() + data + deflater.flush() + tail


OUTSIDE: dict[str, bytes] = {
    "preamble": EXPLICIT.file(DATASET, preamble=MARK * 12),
    "TIFF preamble": EXPLICIT.file(DATASET, preamble=b"II*\0" + MARK),
    "ELF preamble": EXPLICIT.file(DATASET, preamble=b"\x7fELF" + MARK),
    "shell preamble": EXPLICIT.file(DATASET, preamble=b"#!/bin/sh\necho VEILME0001\n"),
    **{
        f"File Meta Information {tag:04X}": with_meta(meta_element(0x00020000 | tag, vr, MARK))
        for tag, vr in ((0x12, "UI"), (0x13, "SH"), (0x16, "AE"), (0x17, "AE"), (0x18, "AE"), (0x26, "UR"))
    },
    **{
        f"File Meta Information {tag:04X}": with_meta(meta_element(0x00020000 | tag, vr, MARK))
        for tag, vr in ((0x27, "UR"), (0x28, "UR"), (0x99, "LO"), (0x100, "UI"), (0x102, "OB"), (0x1001, "UT"))
    },
    "Sequence in File Meta Information": with_meta(EXPLICIT.sequence(0x00020102, EXPLICIT.item(MARK))),
    "Media Storage SOP Instance UID": EXPLICIT.file(DATASET).replace(b"2.999.7.7", b"VEILME001"),
    "Media Storage SOP Instance UID alone": EXPLICIT.file(
        EXPLICIT.element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"), more=[meta_element(0x00020003, "UI", MARK)]
    ),
    "no preamble": EXPLICIT.element(0x00080005, "CS", "ISO_IR 100") + DATASET + EXPLICIT.element(NAME, "PN", MARK),
    "behind a deflate stream": deflated(MARK * 3),
    "a second deflate stream": deflated(deflated()[len(DEFLATED.head()) :]),
    "stored deflate blocks": deflated(level=0),
}

# Behind a Data Set there is only one thing that may follow, more of it: these are not, and most are errors.
TAILS: dict[str, bytes] = {
    "7 bytes": b"VEILME0",
    "text": b"VEILME0001 was here.",
    "a long text": MARK * 100,
    "a second file": EXPLICIT.file(DATASET + EXPLICIT.element(NAME, "PN", MARK)),
    "a ZIP": b"PK\3\4" + bytes(20) + MARK,
    "NULs and text": bytes(512) + MARK,
    "spaces and text": b" " * 512 + MARK,
    "delimiter and text": EXPLICIT.item(tag=0xFFFEE0DD) + MARK,
    "Item and text": EXPLICIT.item(MARK),
    "0xFF and text": b"\xff" * 64 + MARK,
    "lengths": struct.pack("<II", UNDEFINED, UNDEFINED) + MARK,
}
