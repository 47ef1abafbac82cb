"""More channels: character sets, blobs, Pixel Data and what is in it, directories.

`STAYING` are those that the Basic Profile keeps as they are: nobody but the user can say what is in them. What headers
cannot settle is told of as a risk.
"""

from __future__ import annotations

from tests.hostile.channels import MARK, NAME, PIXELS, SEQUENCE, Channel, holding, sequence
from tests.hostile.forms import EXPLICIT, Form

__all__ = ["CHARACTER_SETS", "MORE", "REFUSED", "RISKY", "STAYING"]

DIRECTORY = "1.2.840.10008.1.3.10"
BASELINE = "1.2.840.10008.1.2.4.50"
OVERLAY = 0x60000102


def in_set(terms: bytes, name: bytes) -> Channel:
    """A name in a Specific Character Set, right or wrong."""
    return lambda form: form.element(0x00080005, "CS", terms) + form.element(NAME, "PN", name)


CHARACTER_SETS: dict[str, Channel] = {
    "escapes of ISO 2022": in_set(b"\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B^" + MARK),
    "escape that is cut": in_set(b"\\ISO 2022 IR 87", MARK + b"\x1b$B;"),
    "5C as second byte": in_set(b"GB18030", b"\x81\x5c" + MARK),
    "bad UTF-8": in_set(b"ISO_IR 192", b"\xff\xfe\xc3" + MARK),
    "unknown set": in_set(b"ISO_IR 999", MARK),
    "NULs in a text": in_set(b"ISO_IR 100", b"A\0\0" + MARK + b"\0"),
    "controls in a text": in_set(b"ISO_IR 100", b"\x01\x07\x1f" + MARK),
    "Specific Character Set": holding(0x00080005, "CS"),
    "Specific Character Set behind one": holding(0x00080005, "CS", b"ISO_IR 100\\" + MARK),
}

MORE: dict[str, tuple[int, Channel]] = {
    "Private Creator with its name": (7, lambda form: form.element(0x00110010, "LO", MARK)),
    "CSA header": (7, holding(0x00291010, "OB", b"SV10\4\3\2\1\2\0\0\0M\0\0\0PatientName\0" + MARK)),
    "name within private": (7, sequence(0x00211001, inner=NAME)),
    "name within private UN": (7, sequence(0x00211001, vr="UN", open_end=True, inner=NAME)),
    "Implicit VR among Explicit": (8, lambda form: form.element(0x00081111, "SQ") + form.element(NAME, "PN", MARK)),
    "Pixel Data twice": (
        9,
        lambda form: form.element(PIXELS, "OW", bytes(2)) + form.element(NAME, "PN", MARK) + form.element(PIXELS, "OW"),
    ),
    "comments": (10, holding(0x00204000, "LT")),
    "URL": (10, holding(0x00081190, "UR")),
    "request URL": (10, holding(0x0040E010, "UR")),
    "waveform annotation": (10, sequence(0x0040B020, inner=0x00700006)),
    "SOP Class that is none": (12, holding(0x00081150, "UI", b"2.999." + MARK)),
    "SOP Class behind NUL": (12, holding(0x00081150, "UI", b"1.2.840.10008.5.1.4.1.1.2\0" + MARK)),
    "Coding Scheme UID that is none": (12, holding(0x0008010C, "UI")),
}

# Malformed, or what no policy of defaults lets through.
REFUSED: dict[str, tuple[int, Channel]] = {
    "stray delimiter": (9, lambda form: form.item(tag=0xFFFEE00D) + form.element(NAME, "PN", MARK)),
    "bare Item": (9, lambda form: form.item(form.element(NAME, "PN", MARK))),
    "payload of a delimiter": (
        9,
        lambda form: form.header(SEQUENCE, "SQ", 0xFFFFFFFF) + form.item(MARK, tag=0xFFFEE0DD),
    ),
    "overlay in Pixel Data": (10, lambda form: form.element(OVERLAY, "US", form.pack("H", 15)) + pixels(form)),
    "cleartext among Encrypted Attributes": (
        10,
        lambda form: form.sequence(0x04000500, form.item(form.element(NAME, "PN", MARK))),
    ),
    "missing delimiter": (13, lambda form: form.header(PIXELS, "OB", 0xFFFFFFFF) + form.item() + form.item(MARK)),
    "directory": (14, lambda form: form.element(0x00020002, "UI", DIRECTORY) + directory(form)),
}


def pixels(form: Form, value: bytes = MARK) -> bytes:
    return form.element(PIXELS, "OW", value)


def directory(form: Form) -> bytes:
    """Records that refer to a file outside, and to themselves."""
    record = form.element(0x00041400, "UL", form.pack("I", 0x100)) + form.element(
        0x00041420, "UL", form.pack("I", 0x100)
    )
    outside = form.element(0x00041500, "CS", b"..\\..\\" + MARK)
    return form.sequence(0x00041220, form.item(record + outside))


STAYING: dict[str, tuple[int, Channel]] = {
    "kept text": (10, holding(0x00080070, "LO")),
    "overlay bits that nothing declares": (10, pixels),
    "pixels": (13, pixels),
    "bytes past Rows and Columns": (
        13,
        lambda form: (
            form.element(0x00280010, "US", form.pack("H", 1))
            + form.element(0x00280011, "US", form.pack("H", 1))
            + pixels(form, bytes(2) + MARK)
        ),
    ),
    "LUT Data": (13, holding(0x00283006, "OW")),
    "ICC Profile": (13, holding(0x00282000, "OB")),
    "private SOP Class": (12, holding(0x00081150, "UI", b"2.999.19480317.5")),
}


def encapsulated(*fragments: bytes, table: bytes = b"") -> bytes:
    """A JPEG object."""
    items = [EXPLICIT.item(table), *map(EXPLICIT.item, fragments)]
    dataset = EXPLICIT.common() + EXPLICIT.sequence(PIXELS, *items, vr="OB", open_end=True)
    return EXPLICIT.file(dataset, syntax=BASELINE)


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


START, END = b"\xff\xd8", b"\xff\xd9"
RISKY: dict[str, bytes] = {
    "JPEG comment": encapsulated(START + segment(0xFE, MARK) + END),
    "EXIF": encapsulated(START + segment(0xE1, b"Exif\0\0" + MARK) + END),
    "comment in the second Fragment": encapsulated(
        START + segment(0xE0, b"JFIF\0\0") + END, START + segment(0xFE, MARK) + END
    ),
    "behind the end of the image": encapsulated(START + END + MARK),
    "offset table": encapsulated(START + END, table=MARK + b"12"),
}
