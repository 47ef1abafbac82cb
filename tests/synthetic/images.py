"""Single images: an ordinary CT slice, a native image of any size, an encapsulated one with many Fragments.

The Value Length of a native Pixel Data is 32 bits and even: at most 4 GiB - 2. A larger native file therefore
carries the rest in Float Pixel Data (7FE0,0008) and Double Float Pixel Data (7FE0,0009). PS3.3 makes the
three exclusive in one image, PS3.5 does not, and a rewriter has to pass them all. An encapsulated Pixel Data
has no such bound (PS3.5 A.4), so the 8 GiB encapsulated file is valid in every respect.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.synthetic.encode import (
    ENCAPSULATED,
    SEQUENCE_DELIMITATION,
    UNDEFINED,
    Row,
    code_item,
    element,
    file_head,
    header,
    in_order,
    item,
    item_header,
    plain,
    sequence,
    uid,
)
from tests.synthetic.stream import Chunk, Hole

__all__ = [
    "CT_IMAGE",
    "CT_PATIENT_AND_STUDY",
    "ct_image",
    "encapsulated_image",
    "image_pixel",
    "native_image",
]

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MULTI_FRAME_TRUE_COLOR = "1.2.840.10008.5.1.4.1.1.7.4"
_LARGEST_VALUE = 0xFFFFFFF0  # a multiple of 8 below the largest even Value Length, for the sake of OD
_FRAMES_PER_TABLE_CHUNK = 4096

# Groups 0008 (behind the SOP UIDs) to 0010, as a scanner fills them in: 39 elements.
CT_PATIENT_AND_STUDY: tuple[Row, ...] = (
    (0x00080020, "DA", "20240229"),
    (0x00080021, "DA", "20240229"),
    (0x00080022, "DA", "20240229"),
    (0x00080023, "DA", "20240229"),
    (0x0008002A, "DT", "20240229101112.123456"),
    (0x00080030, "TM", "101112.123456"),
    (0x00080031, "TM", "101113.123456"),
    (0x00080032, "TM", "101114.123456"),
    (0x00080033, "TM", "101115.123456"),
    (0x00080050, "SH", "ACC0042"),
    (0x00080060, "CS", "CT"),
    (0x00080070, "LO", "Example Imaging"),
    (0x00080080, "LO", "Example Hospital"),
    (0x00080081, "ST", "1 Example Road, Exampletown"),
    (0x00080090, "PN", "Referrer^Rita"),
    (0x00080201, "SH", "+0100"),
    (0x00081010, "SH", "CTSTATION1"),
    (0x00081030, "LO", "CT thorax abdomen"),
    (0x0008103E, "LO", "Thorax 1.0 soft"),
    (0x00081040, "LO", "Radiology"),
    (0x00081050, "PN", "Performer^Paul"),
    (0x00081070, "PN", "Operator^Olga"),
    (0x00081090, "LO", "Examplar 64"),
    (0x00082111, "ST", "Made for a benchmark"),
    (0x00083010, "UI", uid(5, 1)),
    (0x00100010, "PN", "Example^Patient^Test"),
    (0x00100020, "LO", "PID0042"),
    (0x00100021, "LO", "EXAMPLE"),
    (0x00100030, "DA", "19480317"),
    (0x00100040, "CS", "O"),
    (0x00101000, "LO", "OLD0042"),
    (0x00101010, "AS", "075Y"),
    (0x00101020, "DS", "1.75"),
    (0x00101030, "DS", "75"),
    (0x00101040, "LO", "2 Example Road"),
    (0x00102154, "SH", "+00 0000 0000"),
    (0x00102180, "SH", "Example"),
    (0x001021B0, "LT", "None known"),
    (0x00104000, "LT", "Nothing to remark"),
)

# Acquisition and relationship: 51 elements, with a small private block.
_CT_ACQUISITION: tuple[Row, ...] = (
    (0x00090010, "LO", "SYNTHETIC PRIVATE"),
    (0x00091001, "LO", "private value"),
    (0x00091002, "DS", "1.5\\2.5"),
    (0x00091003, "OB", bytes(range(64))),
    (0x00180010, "LO", "IODINE"),
    (0x00180015, "CS", "CHEST"),
    (0x00180022, "CS", "HELICAL MODE"),
    (0x00180050, "DS", "1.0"),
    (0x00180060, "DS", "120"),
    (0x00180090, "DS", "500"),
    (0x00181000, "LO", "SN0042"),
    (0x00181002, "UI", uid(5, 2)),
    (0x00181020, "LO", "1.2.3"),
    (0x00181030, "LO", "Thorax routine"),
    (0x00181100, "DS", "350"),
    (0x00181110, "DS", "1085.6"),
    (0x00181111, "DS", "595"),
    (0x00181120, "DS", "0"),
    (0x00181130, "DS", "154.5"),
    (0x00181140, "CS", "CW"),
    (0x00181150, "IS", "500"),
    (0x00181151, "IS", "180"),
    (0x00181152, "IS", "90"),
    (0x00181160, "SH", "WEDGE_2"),
    (0x00181170, "IS", "22"),
    (0x00181190, "DS", "1.2"),
    (0x00181200, "DA", "20240201"),
    (0x00181201, "TM", "070000"),
    (0x00181210, "SH", "B30f"),
    (0x00185100, "CS", "HFS"),
    (0x00189305, "FD", 0.5),
    (0x00189306, "FD", 0.6),
    (0x00189307, "FD", 38.4),
    (0x00189309, "FD", 76.8),
    (0x00189310, "FD", 38.4),
    (0x00189311, "FD", 1.0),
    (0x00189345, "FD", 7.25),
    (0x0020000D, "UI", uid(2, 1)),
    (0x0020000E, "UI", uid(3, 1)),
    (0x00200010, "SH", "STUDY42"),
    (0x00200011, "IS", "2"),
    (0x00200012, "IS", "1"),
    (0x00200013, "IS", "77"),
    (0x00200020, "CS", "L\\P"),
    (0x00200032, "DS", "-175\\-175\\-300.5"),
    (0x00200037, "DS", "1\\0\\0\\0\\1\\0"),
    (0x00200052, "UI", uid(4, 1)),
    (0x00200060, "CS"),
    (0x00201040, "LO"),
    (0x00201041, "DS", "-300.5"),
    (0x00204000, "LT", "Slice 77"),
)

_CT_GENERAL: tuple[Row, ...] = (
    (0x00080005, "CS", "ISO_IR 100"),
    (0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
    (0x00080016, "UI", CT_IMAGE),
    (0x00080018, "UI", uid(1, 1)),
)

# Display and procedure.
_CT_DISPLAY: tuple[Row, ...] = (
    (0x00281050, "DS", "40\\-600"),
    (0x00281051, "DS", "400\\1200"),
    (0x00281052, "DS", "-1024"),
    (0x00281053, "DS", "1"),
    (0x00281054, "LO", "HU"),
    (0x00321032, "PN", "Requester^Ruth"),
    (0x00321033, "LO", "Ward 7"),
    (0x00321060, "LO", "CT thorax abdomen"),
    (0x00400244, "DA", "20240229"),
    (0x00400245, "TM", "101000"),
    (0x00400253, "SH", "PPS0042"),
    (0x00400254, "LO", "CT thorax abdomen"),
)


def image_pixel(rows: int, columns: int, bits: int = 16, frames: int | None = None) -> bytes:
    """The Image Pixel Module without Pixel Data: MONOCHROME2, one sample, signed where it has 16 bits."""
    number = b"" if frames is None else element(0x00280008, "IS", str(frames))
    front = element(0x00280002, "US", 1) + element(0x00280004, "CS", "MONOCHROME2") + number
    sizes = (
        (0x00280010, rows),
        (0x00280011, columns),
        (0x00280100, bits),
        (0x00280101, bits),
        (0x00280102, bits - 1),
    )
    return front + b"".join(element(tag, "US", n) for tag, n in sizes) + element(0x00280103, "US", int(bits == 16))


def ct_image(rows: int = 512, columns: int = 512) -> Iterator[Chunk]:
    """A CT Image of about 130 elements and a smooth 16-bit pattern; 512 x 512 makes about 527 kB."""
    elements = [element(*row) for row in _CT_GENERAL + CT_PATIENT_AND_STUDY + _CT_ACQUISITION + _CT_DISPLAY]
    yield file_head(CT_IMAGE, uid(1, 1))
    yield in_order([*elements, *_references(), image_pixel(rows, columns), _request()])
    yield header(0x7FE00010, "OW", rows * columns * 2)
    for row in range(rows):
        yield struct.pack(f"<{columns}h", *(((row * column) >> 6) - 1024 for column in range(columns)))


def native_image(pixel_bytes: int, *, instance: int = 1) -> Iterator[Chunk]:
    """A native image with `pixel_bytes` (even) of bulk as `Hole`s; above 4 GiB see the head of this file."""
    shape = image_pixel(min(pixel_bytes >> 10, 65535), 1024, 8)
    yield _bulk_head(SECONDARY_CAPTURE, instance) + shape
    extra = max(0, pixel_bytes - _LARGEST_VALUE) & ~7
    float_bytes = min(extra, _LARGEST_VALUE)
    values = (0x7FE00008, "OF", float_bytes), (0x7FE00009, "OD", extra - float_bytes)
    for tag, vr, length in (*values, (0x7FE00010, "OB", pixel_bytes - extra)):
        if length:
            yield header(tag, vr, length)
            yield Hole(length)


def encapsulated_image(fragments: int, fragment_bytes: int, *, extended: bool = True) -> Iterator[Chunk]:
    """Multi-frame Encapsulated Pixel Data, one Fragment of `fragment_bytes` (even) to a frame, as `Hole`s.

    With `extended` the Extended Offset Table (7FE0,0001) and its lengths (7FE0,0002), 16 bytes a frame.
    """
    yield _bulk_head(MULTI_FRAME_TRUE_COLOR, 2, ENCAPSULATED) + image_pixel(1024, 1024, 8, fragments)
    if extended:
        yield header(0x7FE00001, "OV", fragments * 8)
        yield from _offsets(fragments, 8 + fragment_bytes)
        yield header(0x7FE00002, "OV", fragments * 8)
        yield from _offsets(fragments, 0, fragment_bytes)
    yield header(0x7FE00010, "OB", UNDEFINED) + item_header(0)
    for _ in range(fragments):
        yield item_header(fragment_bytes)
        yield Hole(fragment_bytes)
    yield SEQUENCE_DELIMITATION


def _offsets(count: int, step: int, first: int = 0) -> Iterator[bytes]:
    """`count` 64-bit numbers from `first` on, `step` apart."""
    for start in range(0, count, _FRAMES_PER_TABLE_CHUNK):
        numbers = range(start, min(count, start + _FRAMES_PER_TABLE_CHUNK))
        yield struct.pack(f"<{len(numbers)}Q", *(first + n * step for n in numbers))


def _references() -> tuple[bytes, bytes]:
    """Two references to other instances: 10 elements."""
    reference = element(0x00081150, "UI", CT_IMAGE) + element(0x00081155, "UI", uid(1, 2))
    purpose = sequence(0x0040A170, code_item("121311", "DCM", "Localizer"))
    return sequence(0x00081140, item(reference + purpose)), sequence(0x00082112, item(reference), undefined=True)


def _request() -> bytes:
    """Request Attributes Sequence: 4 elements."""
    rows: tuple[Row, ...] = (
        (0x00321060, "LO", "CT thorax abdomen"),
        (0x00400007, "LO", "CT"),
        (0x00401001, "SH", "RP0042"),
    )
    return sequence(0x00400275, item(plain(rows)))


def _bulk_head(sop_class: str, instance: int, syntax: str | None = None) -> bytes:
    """Everything before the Image Pixel Module of an image whose header does not matter."""
    head = file_head(sop_class, uid(1, instance), *([syntax] if syntax else []))
    head += element(0x00080016, "UI", sop_class) + element(0x00080018, "UI", uid(1, instance))
    ids = element(0x0020000D, "UI", uid(2, 1)) + element(0x0020000E, "UI", uid(3, 1))
    return head + plain(CT_PATIENT_AND_STUDY) + ids
