"""Make `sample.dcm`: a small CT Image that carries an invented identity in every channel DICOM has.

    python -m tests.data.make_sample

The standard library alone, and the same bytes on every run. The channels: preamble, File Meta Information,
ordinary attributes, private blocks, Sequences three deep in every length encoding and as UN, icon, curve,
overlay, group lengths, unknown and misplaced elements, elements behind Pixel Data.
"""

from __future__ import annotations

import re
import struct
from itertools import count
from pathlib import Path

from tests.data.identity import CT_IMAGE, IDENTITY, INSTANCE, KEPT, LATE, MARKER, NUMBERED, SERIES, STUDY
from tests.synthetic.encode import (
    SEQUENCE_DELIMITATION,
    UNDEFINED,
    Row,
    code_item,
    element,
    file_head,
    header,
    implicit_element,
    in_order,
    item,
    plain,
    sequence,
    uid,
)

__all__ = ["PATH", "build", "kept_elements"]

PATH = Path(__file__).with_name("sample.dcm")
_SIDE = 64
_ARCHIVE = (0x00080070, "LO", "Example Archive")
_PURPOSE = code_item("121311", "DCM", "Localizer")
_CHEST: tuple[Row, ...] = (
    (0x00080100, "SH", "51185008"),
    (0x00080102, "SH", "SCT"),
    (0x00080104, "LO", "Chest"),
)
_LOCAL_CODE: tuple[Row, ...] = (
    (0x00080100, "SH", "LOCAL1"),
    (0x00080102, "SH", "99LOCAL"),
    (0x00080104, "LO", "Kept code"),
)


def build() -> bytes:
    """The whole file, with its text markers numbered in the order in which they stand."""
    elements = [element(*row) for row in IDENTITY + KEPT + LATE]
    elements += [*_sequences(), *_private(), _icon(), _pixel_data(), _signatures()]
    data = _head() + in_order(elements)
    numbers = count(1)
    return re.sub(re.escape(NUMBERED), lambda _: b"%b%03d" % (MARKER, next(numbers)), data)


def kept_elements() -> list[bytes]:
    """Encoded Data Elements that stand in the input and have to stand in the output, byte for byte."""
    nested = [sequence(0x0040A170, _PURPOSE), plain(_LOCAL_CODE), *(implicit_element(*row) for row in _CHEST)]
    return [*(element(*row) for row in KEPT), *nested, element(*_ARCHIVE), _pixel_data()]


def _head() -> bytes:
    """A TIFF header as of a dual-personality file, its text in the preamble, and a talkative File Meta."""
    preamble = b"II*\0\x80\0\0\0VEILME###^Preamble 19480317"
    meta = [element(tag, "AE", "VEILME###") for tag in (0x00020016, 0x00020017, 0x00020018)]
    meta += [
        element(0x00020100, "UI", uid(19480317, 20)),
        element(0x00020102, "OB", b"VEILME### in File Meta"),
    ]
    return file_head(CT_IMAGE, INSTANCE, preamble=preamble, more=meta)


def _reference(number: int) -> bytes:
    """Referenced SOP Class and Instance UID."""
    return element(0x00081150, "UI", CT_IMAGE) + element(0x00081155, "UI", uid(19480317, number))


def _sequences() -> list[bytes]:
    """Standard Sequences: removed ones, and kept ones with identity inside."""
    other = element(0x00100020, "LO", "VEILME###") + element(0x00100022, "CS", "TEXT")
    request = element(0x00321060, "LO", "VEILME###") + element(0x00401001, "SH", "VEILME###")
    original = element(0x00100010, "PN", "VEILME###^Former") + element(0x0020000D, "UI", uid(19480317, 30))
    empty = sequence(0x00081032, undefined=True), sequence(0x0008103F, item(b""), item(b"", undefined=True))
    return [
        *empty,
        sequence(0x00081110, item(_reference(31))),
        _referenced_series(),
        sequence(0x00081140, item(_reference(32) + sequence(0x0040A170, _PURPOSE)), undefined=True),
        sequence(0x00101002, item(other, undefined=True), item(other)),
        _region_as_un(),
        _source_images_as_un(),
        _equipment(),
        sequence(0x00400275, item(request), undefined=True),
        sequence(0x04000561, item(sequence(0x04000550, item(original)))),
    ]


def _referenced_series() -> bytes:
    """(0008,1115)>(0008,1199)>(0040,A170): three deep, defined and undefined lengths in turn."""
    purpose = sequence(0x0040A170, _PURPOSE)
    named = element(0x00100010, "PN", "VEILME###^Deep") + element(0x0020000D, "UI", STUDY)
    deep = sequence(0x0040A170, item(plain(_LOCAL_CODE) + named, undefined=True))
    instances = [item(_reference(33) + purpose), item(_reference(34) + deep, undefined=True), item(b"")]
    series = sequence(0x00081199, *instances, undefined=True) + element(0x0020000E, "UI", SERIES)
    return sequence(0x00081115, item(series))


def _equipment() -> bytes:
    """(0018,A001) with private elements, a group length and dates inside; an Item of each length encoding."""
    named = element(0x00080000, "UL", 8) + element(*_ARCHIVE)
    named += element(0x00080080, "LO", "VEILME### Archive") + element(0x00081070, "PN", "VEILME###^Archivist")
    private = element(0x00290010, "LO", "VEILME### NESTED") + element(0x00291001, "LO", "VEILME###")
    dated = element(0x00081010, "SH", "VEILME###") + element(0x0018A002, "DT", "19480321071342")
    return sequence(0x0018A001, item(named + private), item(dated, undefined=True))


def _region_as_un() -> bytes:
    """Anatomic Region Sequence as UN of defined length: its Items are Implicit VR (PS3.5 6.2.2)."""
    code = b"".join(implicit_element(*row) for row in _CHEST)
    named = implicit_element(0x00100010, "PN", "VEILME###^Implicit") + implicit_element(0x0020000D, "UI", STUDY)
    return sequence(0x00082218, item(code + named), vr="UN")


def _source_images_as_un() -> bytes:
    """Derivation Image Sequence as UN of undefined length, a Source Image Sequence inside."""
    reference = implicit_element(0x00081150, "UI", CT_IMAGE)
    reference += implicit_element(0x00081155, "UI", uid(19480317, 35))
    nested = struct.pack("<HHI", 0x0008, 0x2112, UNDEFINED) + item(reference) + SEQUENCE_DELIMITATION
    return sequence(0x00089124, item(nested, undefined=True), undefined=True, vr="UN")


def _private() -> list[bytes]:
    """Private blocks: text, nested, implicit inside UN, without a creator, and a blob."""
    inner = element(0x00090010, "LO", "VEILME### PRIVATE") + element(0x00091002, "UI", uid(19480317, 40))
    inner += element(0x00100010, "PN", "VEILME###^Private")
    hidden = implicit_element(0x00100010, "PN", "VEILME###^Hidden")
    return [
        element(0x00090000, "UL", 99),
        element(0x00090010, "LO", "VEILME### PRIVATE"),
        element(0x00091001, "LO", "VEILME###"),
        element(0x00091002, "DS", "867530E-4"),
        sequence(0x00091010, item(sequence(0x00091010, item(inner))), undefined=True),
        sequence(0x00091011, item(hidden, undefined=True), undefined=True, vr="UN"),
        element(0x00111001, "LO", "VEILME### orphan"),
        element(0x00291010, "OB", b"\0\1\2\3VEILME### in a blob\0\xff"),
    ]


def _icon() -> bytes:
    """Icon Image Sequence: a 4 x 4 picture, here a marker in place of a face."""
    rows = (
        (0x00280002, 1),
        (0x00280010, 4),
        (0x00280011, 4),
        (0x00280100, 8),
        (0x00280101, 8),
        (0x00280102, 7),
    )
    shape = [element(tag, "US", number) for tag, number in (*rows, (0x00280103, 0))]
    shape += [
        element(0x00280004, "CS", "MONOCHROME2"),
        element(0x7FE00010, "OW", b"VEILME###".ljust(16, b"\0")),
    ]
    return sequence(0x00880200, item(in_order(shape)))


def _pixel_data() -> bytes:
    """A 64 x 64 dome of signed 16-bit samples, from air to bone."""
    middle = (_SIDE - 1) / 2
    squares = [(n - middle) ** 2 for n in range(_SIDE)]
    samples = (max(-1024, 400 - int(a + b)) for a in squares for b in squares)
    return header(0x7FE00010, "OW", _SIDE * _SIDE * 2) + struct.pack(f"<{_SIDE * _SIDE}h", *samples)


def _signatures() -> bytes:
    """Digital Signatures Sequence, which stands behind Pixel Data."""
    content = element(0x04000100, "UI", uid(19480317, 50)) + element(0x04000105, "DT", "19480321071342")
    content += element(0x04000115, "OB", b"VEILME### certificate")
    return sequence(0xFFFAFFFA, item(content, undefined=True), undefined=True)


if __name__ == "__main__":
    PATH.write_bytes(build())
