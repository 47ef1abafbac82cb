"""The reference reads and compares what it must: hand-encoded files, and the words it finds for differences."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from .compare import Comparison, file_differences
from .files import Sample
from .model import NOBODY, Element, Encoding, Expected, RefusalError, UnreadableError
from .parse import read_elements, read_file

EXPLICIT, IMPLICIT, BIG = Encoding(False, True), Encoding(True, True), Encoding(False, False)
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF


def tag(number: int, order: str = "<") -> bytes:
    return struct.pack(order + "HH", number >> 16, number & 0xFFFF)


def short(number: int, vr: bytes, value: bytes, order: str = "<") -> bytes:
    return tag(number, order) + vr + struct.pack(order + "H", len(value)) + value


def long(number: int, vr: bytes, value: bytes, length: int | None = None, order: str = "<") -> bytes:
    size = len(value) if length is None else length
    return tag(number, order) + vr + struct.pack(order + "HL", 0, size) + value


def bare(number: int, value: bytes, length: int | None = None, order: str = "<") -> bytes:
    return tag(number, order) + struct.pack(order + "L", len(value) if length is None else length) + value


def part10(meta: bytes, rest: bytes) -> bytes:
    return bytes(128) + b"DICM" + meta + rest


def syntax(uid: bytes) -> bytes:
    return short(0x00020010, b"UI", uid + b"\0" * (len(uid) % 2))


def read(tmp_path: Path, data: bytes) -> list[Element]:
    path = tmp_path / "in"
    path.write_bytes(data)
    return read_file(path).data_set


NAME = Element(0x00100010, "PN", b"A^B ")
NAME_BYTES = short(0x00100010, b"PN", b"A^B ")


def test_duplicate_tags_are_all_there() -> None:
    inner = bare(ITEM, NAME_BYTES * 2)
    data = NAME_BYTES * 2 + long(0x00120064, b"SQ", inner)
    assert read_elements(data, EXPLICIT) == [NAME, NAME, Element(0x00120064, "SQ", [[NAME, NAME]])]


@pytest.mark.parametrize("sequence_defined", [True, False])
@pytest.mark.parametrize("item_defined", [True, False])
def test_defined_and_undefined_lengths_give_the_same_tree(sequence_defined: bool, item_defined: bool) -> None:
    def item(content: bytes) -> bytes:
        return bare(ITEM, content) if item_defined else bare(ITEM, content, UNDEFINED) + bare(ITEM_END, b"")

    def sequence(number: int, items: bytes) -> bytes:
        if sequence_defined:
            return long(number, b"SQ", items)
        return long(number, b"SQ", items, UNDEFINED) + bare(SEQUENCE_END, b"")

    data = sequence(0x52009230, item(sequence(0x00082218, item(b"") + item(NAME_BYTES))) + item(b"")) + NAME_BYTES
    inner = Element(0x00082218, "SQ", [[], [NAME]])
    assert read_elements(data, EXPLICIT) == [Element(0x52009230, "SQ", [[inner], []]), NAME]


@pytest.mark.parametrize(("encoding", "order"), [(EXPLICIT, "<"), (BIG, ">")])
def test_un_sequences_are_implicit_little_endian(encoding: Encoding, order: str) -> None:
    items = bare(ITEM, bare(0x00100010, b"A^B "), UNDEFINED) + bare(ITEM_END, b"")
    undefined = long(0x00082218, b"UN", items + bare(SEQUENCE_END, b""), UNDEFINED, order)
    defined = long(0x00082218, b"UN", items, None, order)
    expected = Element(0x00082218, "UN", [[Element(0x00100010, None, b"A^B ")]])
    assert read_elements(undefined + defined, encoding) == [expected, expected]


def test_private_content_of_defined_length_is_not_looked_at() -> None:
    data = long(0x00091001, b"SQ", b"rubbish ") + NAME_BYTES
    assert read_elements(data, EXPLICIT) == [Element(0x00091001, "SQ", b"rubbish "), NAME]


@pytest.mark.parametrize("number", [0x00080018, 0x00280010, 0x00420011, 0x00101234])
def test_undefined_length_makes_a_sequence_where_there_are_no_vrs(number: int) -> None:
    """PS3.5 7.5: whatever the dictionary says, and with a Sequence in it; but Pixel Data has Fragments."""
    inner = bare(0x00082218, bare(SEQUENCE_END, b""), UNDEFINED) + bare(0x00100010, b"A^B ")
    items = bare(ITEM, inner) + bare(SEQUENCE_END, b"")
    tree = [Element(0x00082218, None, []), Element(0x00100010, None, b"A^B ")]
    assert read_elements(bare(number, items, UNDEFINED), IMPLICIT) == [Element(number, None, [tree])]
    fragment = bare(ITEM, b"abcd")
    pixels = bare(0x7FE00010, fragment + bare(SEQUENCE_END, b""), UNDEFINED)
    assert read_elements(pixels, IMPLICIT) == [Element(0x7FE00010, None, fragment)]


def test_implicit_private_sequence_of_undefined_length_is_walked() -> None:
    items = bare(ITEM, bare(0x00091002, b"ab"), UNDEFINED) + bare(ITEM_END, b"") + bare(SEQUENCE_END, b"")
    data = bare(0x00091001, items, UNDEFINED) + bare(0x00100010, b"A^B ")
    private = Element(0x00091001, None, [[Element(0x00091002, None, b"ab")]])
    assert read_elements(data, IMPLICIT) == [private, Element(0x00100010, None, b"A^B ")]


def test_fragments_are_raw_bytes() -> None:
    fragments = bare(ITEM, b"") + bare(ITEM, b"\xfe\xff\xdd\xe0\0\0\0\0")
    data = long(0x7FE00010, b"OB", fragments + bare(SEQUENCE_END, b""), UNDEFINED) + NAME_BYTES
    assert read_elements(data, EXPLICIT) == [Element(0x7FE00010, "OB", fragments), NAME]


def test_vrs_that_are_none() -> None:
    data = short(0x00280120, b"  ", b"\0\0") + long(0x00280121, b"ZZ", b"\1\0") + NAME_BYTES
    expected = [Element(0x00280120, "  ", b"\0\0"), Element(0x00280121, "ZZ", b"\1\0"), NAME]
    assert read_elements(data, EXPLICIT) == expected


@pytest.mark.parametrize(
    "data",
    [
        NAME_BYTES[:-1],
        long(0x00082218, b"SQ", bare(ITEM, NAME_BYTES, UNDEFINED)),
        long(0x00082218, b"SQ", bare(ITEM, NAME_BYTES), UNDEFINED),
        long(0x00082218, b"SQ", bare(ITEM, NAME_BYTES, 200)),
        long(0x00082218, b"SQ", NAME_BYTES),
        NAME_BYTES + bare(ITEM_END, b""),
    ],
)
def test_malformed_is_unreadable(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError):
        read(tmp_path, part10(syntax(b"1.2.840.10008.1.2.1"), data))


def test_file_meta_ends_with_its_group(tmp_path: Path) -> None:
    wrong_length = short(0x00020000, b"UL", b"\1\0\0\0")
    data = part10(wrong_length + syntax(b"1.2.840.10008.1.2"), bare(0x00100010, b"A^B "))
    assert read(tmp_path, data) == [Element(0x00100010, None, b"A^B ")]


def test_deflated(tmp_path: Path) -> None:
    deflate = zlib.compressobj(wbits=-15)
    rest = deflate.compress(NAME_BYTES) + deflate.flush() + b"\0"
    assert read(tmp_path, part10(syntax(b"1.2.840.10008.1.2.1.99 "), rest)) == [NAME]


@pytest.mark.parametrize("uid", [b"1.2.3", b"1.2.840.10008.1.2.7.1", b"1.2.840.10008.1.2.6.2"])
def test_unusable_transfer_syntax_is_refused(uid: bytes, tmp_path: Path) -> None:
    with pytest.raises(RefusalError) as caught:
        read(tmp_path, part10(syntax(uid), b""))
    assert caught.value.reason == "transfer-syntax"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (NAME_BYTES, [NAME]),
        (short(0x00100010, b"PN", b"A^B ", ">"), [NAME]),
        (bare(0x00100010, b"A^B "), [Element(0x00100010, None, b"A^B ")]),
        (syntax(b"1.2.840.10008.1.2.2") + short(0x00100010, b"PN", b"A^B ", ">"), [NAME]),
    ],
)
def test_no_preamble(data: bytes, expected: list[Element], tmp_path: Path) -> None:
    assert read(tmp_path, data) == expected


@pytest.mark.parametrize("data", [b"", b"A README, not a DICOM file\n", b"\x1f\x8b\x08\x08 zip", b"{\n}"])
def test_not_dicom(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(RefusalError) as caught:
        read(tmp_path, data)
    assert caught.value.reason == "not-dicom"


def test_tree_has_the_elements_that_pydicom_sees(sample: Sample) -> None:
    """Public elements at every depth. GH179A.dcm: pydicom loses everything behind a VR of two spaces."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            seen = set(public_elements_of_pydicom(pydicom.dcmread(sample.path, force=True), ()))
            ours = set(public_elements(read_file(sample.path).data_set, ()))
        except (RefusalError, UnreadableError, NotImplementedError):
            return
    assert seen <= ours if sample.path.name == "GH179A.dcm" else seen == ours


Place = tuple[int, ...]


def public_elements(elements: list[Element], path: Place) -> Iterator[Place]:
    for element in elements:
        if not element.tag >> 16 & 1:
            yield (*path, element.tag)
            for number, item in enumerate(element.items):
                yield from public_elements(item, (*path, element.tag, number))


def public_elements_of_pydicom(data_set: pydicom.Dataset, path: Place) -> Iterator[Place]:
    for element in data_set:
        if not element.tag.is_private:
            yield (*path, int(element.tag))
            for number, item in enumerate(element.value if element.VR == "SQ" else ()):
                yield from public_elements_of_pydicom(item, (*path, int(element.tag), number))


def test_differences_name_place_and_kind_but_no_value() -> None:
    wanted = [NAME, Element(0x00082218, "SQ", [[NAME], []]), Element(0x00280010, "US", b"\1\0"), NAME]
    got = [Element(0x00082218, "UN", [[]]), NAME._replace(value=b"C^D "), Element(0x00280011, "US", b"\1\0")]
    compare = Comparison(EXPLICIT, NOBODY)
    assert compare.differences(wanted, wanted) == []
    assert compare.differences(wanted, got) == [
        "(0008,2218): VR UN, expected SQ",
        "(0008,2218): 1 Items, expected 2 Items",
        "(0008,2218)[1]>(0010,0010): missing",
        "(0010,0010): other value (4 bytes, expected 4 bytes)",
        "(0010,0010)#2: missing",
        "(0028,0010): missing",
        "(0028,0011): must not be there",
        "Data Set: other order",
    ]


def test_file_differences_look_at_preamble_and_file_meta(tmp_path: Path) -> None:
    meta = syntax(b"1.2.840.10008.1.2.1")
    (tmp_path / "out").write_bytes(b"II*\0" + bytes(124) + b"DICM" + meta + NAME_BYTES)
    expected = Expected([Element(0x00020001, "OB", b"\0\1")], [NAME])
    assert file_differences(expected, tmp_path / "out") == [
        "preamble: not 128 zero bytes",
        "File Meta (0002,0001): missing",
        "File Meta (0002,0010): must not be there",
    ]
