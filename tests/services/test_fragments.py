"""Segments within compressed frames: found by a few bytes of each, whatever lengths they claim."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmveil.fragments import UNREAD, jpeg_segments
from tests.reference.files import Sample

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SCAN = b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\x55" * 300
SOC, SIZ = b"\xff\x4f", b"\xff\x51\0\x0a" + bytes(8)
JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
JXL_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"


def segment(code: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(content) + 2) + content


def jpeg(*segments: bytes) -> bytes:
    return SOI + b"".join(segments) + SCAN + EOI


def tile_part(data: bytes, *header: bytes) -> bytes:
    inner = b"".join(header) + b"\xff\x93" + data
    return segment(0x90, struct.pack(">HIBB", 0, 12 + len(inner), 0, 1)) + inner


def codestream(*header: bytes, tiles: Sequence[bytes] = (tile_part(b"\x80" * 50),)) -> bytes:
    return SOC + SIZ + b"".join(header) + b"".join(tiles) + EOI


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def encapsulated(*fragments: bytes, order: str = "<") -> bytes:
    items = [struct.pack(f"{order}HHI", 0xFFFE, 0xE000, len(one)) + one for one in (b"", *fragments)]
    return b"".join(items) + struct.pack(f"{order}HHI", 0xFFFE, 0xE0DD, 0)


def found(*fragments: bytes) -> set[str]:
    return found_in(encapsulated(*fragments))


def found_in(data: bytes, start: int = 0, reads: list[int] | None = None) -> set[str]:
    def read(position: int, count: int) -> bytes:
        if reads is not None:
            reads.append(count)
        return data[position : position + count]

    return set(jpeg_segments(read, start, len(data)))


JFIF = segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0")
ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
COMMENT = segment(0xFE, b"Doe^Jane")
J2K_COMMENT = segment(0x64, b"\0\1Doe^Jane")


@pytest.mark.parametrize("frame", [jpeg(), jpeg(JFIF, ADOBE, segment(0xDB, bytes(65))), jpeg(segment(0xE8, b"mrfx\1"))])
def test_what_carries_no_text_is_left_out(frame: bytes) -> None:
    assert found(frame) == set()


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([JFIF, COMMENT], {"COM"}),
        ([segment(0xE1, b"Exif\0\0" + b"x" * 5000), segment(0xED, b"Photoshop 3.0\0")], {"APP1", "APP13"}),
        ([segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\1\1Doe")], {"APP0"}),
        ([segment(0xEE, b"Adobe\0\x64\0\0\0\0\1Doe")], {"APP14"}),
        ([b"\xff" * 5 + COMMENT], {"COM"}),
        ([segment(0xFE, b"")], {"COM"}),
        ([segment(0xF3, b"Doe")], {"other segment"}),
    ],
)
def test_segments_of_jpeg(segments: list[bytes], expected: set[str]) -> None:
    assert found(jpeg(*segments)) == expected


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (codestream(), set()),
        (codestream(J2K_COMMENT), {"COM"}),
        (codestream(segment(0xE1, b"Doe^Jane")), {"other segment"}),
        (codestream(segment(0x64, b"\0\1Created by OpenJPEG version 2.5.0")), set()),
        (codestream(segment(0x64, b"\0\1Kakadu-v7.9 for Doe")), {"COM"}),
        (codestream(tiles=[tile_part(b"\x80" * 500), tile_part(b"", segment(0x64, b"\0\1Doe"))]), {"COM"}),
        (codestream(tiles=[segment(0x90, bytes(8)) + b"\xff\x93" + b"\x80" * 9]), set()),
    ],
)
def test_comments_of_jpeg_2000(frame: bytes, expected: set[str]) -> None:
    assert found(frame) == expected


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([box(b"jp2c", codestream())], set()),
        ([box(b"xml ", b"<a/>"), box(b"jp2c", codestream(segment(0x64, b"\0\1Doe")))], {"XML box", "COM"}),
        ([box(b"jp2c", codestream()), box(b"uuid", bytes(20))], {"UUID box"}),
        ([box(b"free", b"Doe"), b"\0\0\0\0jp2c" + codestream()], {"other box"}),
        ([b"\0\0\0\1xml " + struct.pack(">Q", 20) + b"<a/>", box(b"jp2h", b"")], {"XML box"}),
        ([box(b"jp2h", b""), b"\0"], set()),
        ([b"\0\0\0\x03jp2h"], {UNREAD}),
    ],
)
def test_boxes(boxes: list[bytes], expected: set[str]) -> None:
    assert found(JP2_SIGNATURE + b"".join(boxes)) == expected


def test_boxes_of_jpeg_xl() -> None:
    assert found(JXL_SIGNATURE + box(b"jxlc", bytes(9)) + box(b"Exif", bytes(9))) == {"Exif box"}


@pytest.mark.parametrize("padding", [b"", b"\0", b"\xff"])
def test_bytes_behind_the_end_are_told_but_padding_is_not(padding: bytes) -> None:
    assert found(jpeg() + padding) == set()
    assert found(jpeg() + b"Doe^Jane" + padding) == {"trailing"}
    assert found(codestream() + b"Doe^Jane" + padding) == {"trailing"}


def test_frames_follow_one_another() -> None:
    assert found(jpeg(), jpeg(COMMENT), jpeg() + b"Doe", jpeg()) == {"COM", "trailing"}


@given(st.lists(st.integers(0, 700), max_size=6), st.sampled_from([jpeg(JFIF, COMMENT), codestream(J2K_COMMENT)]))
def test_a_frame_may_be_in_any_number_of_fragments(cuts: list[int], frame: bytes) -> None:
    """The first of them has its start; what is beyond that may be cut anywhere."""
    edges = [0, *sorted({min(max(cut, 12), len(frame) - 1) for cut in cuts}), len(frame)]
    assert found(*[frame[start:stop] for start, stop in pairwise(edges)]) == {"COM"}


def test_other_compressions_are_not_looked_into() -> None:
    assert found(b"\1\0\0\0" + bytes(60), b"\0\0\1\xba" + COMMENT) == set()


def test_big_endian_items() -> None:
    data = encapsulated(jpeg(COMMENT), order=">")
    assert jpeg_segments(lambda position, count: data[position : position + count], 0, len(data), True) == {"COM"}
    assert found_in(data) == set()


@pytest.mark.parametrize(
    "frame",
    [
        SOI + b"\xff\xfe\0\1",
        SOI + b"\xff\xfe",
        SOI + b"\xff\xdb\0\4\0\0no marker" + EOI,
        SOC + b"\xff\x51\0\0",
        SOC + SIZ + b"no marker",
        codestream(tiles=[segment(0x90, struct.pack(">HIBB", 0, 4, 0, 1)) + b"\xff\x93\x80"]),
    ],
)
def test_a_frame_that_breaks_off_may_hide_something(frame: bytes) -> None:
    assert UNREAD in found(frame)


def test_the_markers_of_a_frame_are_bounded() -> None:
    reads: list[int] = []
    data = encapsulated(SOI + segment(0xDB, b"") * 200_000 + COMMENT, jpeg(JFIF))
    assert UNREAD in found_in(data, reads=reads)
    assert len(reads) < 5000


def test_little_is_read_of_much() -> None:
    reads: list[int] = []
    frame = jpeg(JFIF, segment(0xE2, bytes(60_000)), COMMENT) + bytes(1_000_000)
    data = encapsulated(*[frame] * 20)
    found_in(data, reads=reads)
    assert max(reads) < 200
    assert sum(reads) < 20 * 1000


@given(st.binary(max_size=200), st.sampled_from([b"", SOI + b"\xff", SOC + b"\xff\x51", JP2_SIGNATURE, JXL_SIGNATURE]))
def test_any_bytes_come_to_an_end(data: bytes, start: bytes) -> None:
    assert isinstance(found(start + data), set)
    assert isinstance(found_in(encapsulated() + start + data), set)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0xFFFFFFFE, 100])
def test_an_item_that_claims_more_than_there_is_ends_the_walk(length: int) -> None:
    data = encapsulated()[:8] + struct.pack("<HHI", 0xFFFE, 0xE000, length) + jpeg(COMMENT)[:90]
    assert found_in(data) == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SC_rgb_small_odd_jpeg.dcm", set()),
        ("JPEG-lossy.dcm", set()),
        ("J2K_pixelrep_mismatch.dcm", set()),
        ("SC_rgb_jls_lossy_line.dcm", set()),
        ("GDCMJ2K_TextGBR.dcm", {"UUID box"}),
        ("JPEGLSNearLossless_08.dcm", set()),
    ],
)
def test_real_files(name: str, expected: set[str], real_files: list[Sample]) -> None:
    data = next(one.path.read_bytes() for one in real_files if one.path.name == name)
    assert found_in(data, data.index(b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff") + 12) == expected
