"""The classes of flaws that parsers of DICOM had, each with its number, and an input as it was for them.

1 a length trusted before it is checked     8 out of bounds in a codec or table
2 decompression bombs                       9 VRs confused
3 recursion                                10 NULL, freed twice, used after free
4 quadratic or exponential work            11 paths made of what is in a file
5 endless loops                            12 preambles that are programs
6 integer overflow in sizes                13 padding oracles
7 underflow in the index of Fragments      14 Values in logs and errors
"""

from __future__ import annotations

import gc
import resource
import sys
from pathlib import Path

import pytest

from dcmveil import Deidentifier, Policy, Reidentifier, deidentify_file
from dcmveil.errors import DcmveilError, DecryptionError
from dcmveil.sources import DeflatedSource
from tests.hostile.forms import DEFLATED, EXPLICIT, FORMS, IMPLICIT, PLAIN_FORMS, UNDEFINED, Form, meta_element
from tests.mutation.cases import CASES, JPEG, MARK, RLE, file, fragments, name, rows
from tests.mutation.shapes import KEPT, nest
from tests.mutation.work import steps
from tests.reversible.keys import encrypted_attributes, opener

POLICY = Policy(secret=b"a secret of sixteen bytes or more")
PIXELS = 0x7FE00010


def done(data: bytes, driver: Deidentifier | Reidentifier | None = None) -> bytes | str:
    """The output, or the error, which is one line without a Value."""
    driver = Deidentifier(POLICY) if driver is None else driver
    try:
        segments = [*driver.feed(data), *driver.finish()]
    except DcmveilError as error:
        assert "\n" not in str(error)
        assert MARK.decode() not in str(error)
        return str(error)
    return b"".join(bytes(segment.data or b"") for segment in segments)


def peak_of(data: bytes) -> int:
    """KiB by which the process has grown at its largest; nothing that is claimed in `data` may count."""
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done(data)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


LENGTHS = {
    "unknown VR in the meta": EXPLICIT.head(more=[EXPLICIT.header(0x00020099, "ZZ", 0xFFFFFFF0)]) + bytes(64),
    "UN of undefined length": file(EXPLICIT.header(0x00291010, "UN", UNDEFINED) + bytes(64)),
    "unknown VR": file(EXPLICIT.header(0x00291010, "ZZ", 0xFFFFFFF0) + bytes(64)),
    "kept": file(EXPLICIT.header(0x00283006, "OW", 0xFFFFFFF0) + bytes(64)),
    "UID": IMPLICIT.file(IMPLICIT.common() + IMPLICIT.header(0x0020000D, "UI", 0xFFFFFFF0) + bytes(64)),
}


@pytest.mark.parametrize("what", LENGTHS)
def test_flaw_1_a_length_is_believed_when_the_bytes_are_there(what: str) -> None:
    assert isinstance(done(LENGTHS[what]), str)
    assert peak_of(LENGTHS[what]) < 4 << 10


def test_flaw_2_a_stream_is_inflated_a_window_at_a_time() -> None:
    """16 MiB of zeros in some 16 kB; no more than a window is ever asked for, or given."""
    data = DEFLATED.file(DEFLATED.common() + DEFLATED.element(PIXELS, "OB", bytes(16 << 20)))
    given = Given(data)
    source = DeflatedSource(given, len(DEFLATED.head()))
    largest = 0
    while block := source.read(1 << 16):
        largest = max(largest, len(block), len(source._block))
    assert source.position > 16 << 20
    assert largest <= 1 << 18
    assert given.most <= 1 << 16
    assert isinstance(done(data), bytes)


class Given:
    """A Source that knows how much it was asked for at once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.most = 0

    def read_at(self, position: int, count: int) -> bytes:
        self.most = max(self.most, count)
        return self._data[position : position + count]


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("is_open", [True, False], ids=["undefined", "defined"])
def test_flaw_3_depth_costs_no_stack(form: Form, is_open: bool) -> None:
    """1,000 Sequences within each other, where Python may call no deeper than now and a little more."""
    data = form.file(form.common() + nest(form, name(form), 1000, is_open=is_open))
    depth, limit = 0, sys.getrecursionlimit()
    frame = sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(depth + 60)
    try:
        output = done(data)
    finally:
        sys.setrecursionlimit(limit)
    assert isinstance(output, bytes)
    assert MARK not in output


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_flaw_4_each_level_is_looked_at_once(form: Form) -> None:
    """Nested defined lengths: where each level is read twice, 26 of them take seconds, and 200 never end."""
    few, many = (form.file(form.common() + nest(form, name(form), depth, is_open=False)) for depth in (250, 1000))
    done(few)
    small, large = steps(lambda: done(few)), steps(lambda: done(many))
    assert large < 5 * small
    assert isinstance(done(many), bytes)


LOOPS = {
    "no group length": file()[:132] + file()[144:],
    "group length 0": file()[:140] + bytes(4) + file()[144:],
    "Items of no length": file(EXPLICIT.sequence(KEPT, *[EXPLICIT.item()] * 1000)),
    "elements of no length": file(EXPLICIT.element(0x00280010, "US") * 1000),
    "Fragments of no length": JPEG.file(JPEG.common() + fragments(*[b""] * 1000)),
    "JPEG segments of no length": JPEG.file(JPEG.common() + fragments(b"\xff\xd8" + b"\xff\xe0\0\0" * 1000)),
    "an empty deflate stream": DEFLATED.head() + b"\3\0",
    "deflate blocks of no length": DEFLATED.head() + b"\0\0\0\xff\xff" * 1000 + b"\3\0",
}


@pytest.mark.parametrize("what", LOOPS)
def test_flaw_5_every_step_takes_bytes(what: str) -> None:
    """It ends, whole and byte by byte, with the same; also where segments of JPEG streams are looked at."""
    data = LOOPS[what]
    for policy in (POLICY, Policy(secret=bytes(16), assesses_risks=True)):
        whole = done(data, Deidentifier(policy))
        driver = Deidentifier(policy)
        try:
            pieces = [segment for at in range(len(data)) for segment in driver.feed(data[at : at + 1])]
            pieces += driver.finish()
        except DcmveilError as error:
            assert str(error) == whole
        else:
            assert b"".join(bytes(segment.data or b"") for segment in pieces) == whole


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_flaw_6_sizes_are_not_multiplied(form: Form) -> None:
    """Rows, Columns, Samples and Frames whose product passes 2**32 and 2**64: nobody here needs it."""
    shape = b"".join(form.element(tag, "US", b"\xff\xff") for tag in (0x00280002, 0x00280010, 0x00280011, 0x00280100))
    frames = form.element(0x00280008, "IS", "4294967295")
    pixels = form.element(PIXELS, "OW", bytes(8))
    output = done(form.file(form.common() + name(form) + frames + shape + pixels))
    assert isinstance(output, bytes)
    assert form.deflated or output.endswith(pixels)


@pytest.mark.parametrize("length", [0xFFFFFFFE, 0xFFFFFFFD, 0x80000000, 0x7FFFFFFF])
@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_flaw_6_lengths_do_not_wrap(form: Form, length: int) -> None:
    """Of an element, an Item, and an Item within one: where they end is past what encloses them, not before."""
    item = form.item(name(form), length=length)
    for dataset in (
        form.element(0x00283006, "OW", MARK, length=length) if form.implicit else form.header(0x00283006, "OW", length),
        form.sequence(KEPT, item),
        form.header(KEPT, "SQ", length) + item,
        form.sequence(KEPT, form.item(form.sequence(KEPT, item))),
    ):
        assert isinstance(done(form.file(form.common() + dataset + rows(form))), str)


@pytest.mark.parametrize("length", [1, 3, 7, 8, 9])
def test_flaw_7_a_fragment_ends_where_it_says(length: int) -> None:
    """One that is short of bytes takes them from nowhere: what follows is no Item, or is not there."""
    short = EXPLICIT.header(PIXELS, "OB", UNDEFINED) + EXPLICIT.item() + EXPLICIT.item(bytes(length), length=length + 2)
    assert isinstance(done(JPEG.file(JPEG.common() + short)), str)
    assert isinstance(done(JPEG.file(JPEG.common() + short + EXPLICIT.item(tag=0xFFFEE0DD))), str)


@pytest.mark.parametrize("table", [b"", b"\1", b"\xff" * 64, b"\x10\0\0\0" + b"\xff" * 60], ids=range(4))
def test_flaw_8_tables_are_copied_not_followed(table: bytes) -> None:
    """RLE tables, offset tables, palettes, boxes: with what stands in them, whatever that is."""
    pixels = fragments(table + b"\0" * (len(table) % 2), b"\0\0\0\x0cjP  \r\n\x87\n\xff\xff\xff\xff")
    for form in (RLE, JPEG):
        output = done(form.file(form.common() + name(form) + pixels))
        assert isinstance(output, bytes)
        assert output.endswith(pixels)


VRS = [b"Pi", b"pn", b"??", b"\0\0", b"\xff\xff", b"ZZ", b"QQ", b"S\0"]


@pytest.mark.parametrize("vr", VRS, ids=repr)
@pytest.mark.parametrize("form", [form for form in PLAIN_FORMS if not form.implicit], ids=lambda form: form.name)
def test_flaw_9_the_tag_decides(form: Form, vr: bytes) -> None:
    """A VR that nobody knows takes a name away all the same, or is an error, whatever length it is read to have."""
    for header in (form.pack("HH", 0x0010, 0x0010) + vr + form.pack("H", 10), form.header(0x00100010, "ZZ", 10)):
        output = done(form.file(form.common() + header + MARK + rows(form)))
        assert isinstance(output, str) or MARK not in output


def test_flaw_10_what_is_missing_is_missed() -> None:
    """Objects that lack an element, any one of them, and Drivers that are asked again after an error."""
    parts = [EXPLICIT.common()[:34], EXPLICIT.common()[34:], name(), rows(), EXPLICIT.element(PIXELS, "OW", bytes(8))]
    for missing in range(len(parts)):
        assert isinstance(done(EXPLICIT.file(b"".join(parts[:missing] + parts[missing + 1 :]))), bytes)
    driver = Deidentifier(POLICY)
    with pytest.raises(DcmveilError):
        driver.feed(CASES["case 7, Item alone"].make())
    for again in (lambda: driver.feed(b"x"), driver.finish, driver.report):
        with pytest.raises(ValueError, match="has"):
            again()


@pytest.mark.parametrize("text", ["../../../../tmp/VEILME0001", "/tmp/VEILME0001", "..\\..\\VEILME0001", "\0"])
def test_flaw_11_nothing_in_a_file_names_a_file(text: str, tmp_path: Path) -> None:
    """UIDs, AE titles, file IDs: the output stands where it was asked for, and nothing else anywhere."""
    meta = [meta_element(0x00020016, "AE", text)]
    ids = EXPLICIT.element(0x00041500, "CS", text) + EXPLICIT.element(0x00080016, "UI", text)
    dataset = ids + EXPLICIT.element(0x00080018, "UI", text) + EXPLICIT.element(0x00080054, "AE", text) + rows()
    folder = tmp_path / "within"
    folder.mkdir()
    (folder / "in").write_bytes(EXPLICIT.file(dataset, more=meta))
    deidentify_file(folder / "in", folder / "out", POLICY)
    assert sorted(tmp_path.rglob("*")) == [folder, folder / "in", folder / "out"]
    assert not Path("/tmp/VEILME0001").exists()


@pytest.mark.parametrize("start", [b"MZ", b"\x7fELF", b"#!/bin/sh\n", b"II*\0", b"%PDF-1.7", b"PK\3\4"], ids=repr)
def test_flaw_12_a_preamble_is_zeros(start: bytes) -> None:
    output = done(EXPLICIT.file(EXPLICIT.common() + name(), preamble=start + MARK * 5))
    assert isinstance(output, bytes)
    assert output[:128] == bytes(128)


def test_flaw_13_all_that_fails_to_decrypt_fails_alike() -> None:
    """No CMS, one for others, one cut, one with its last block changed: one message."""
    sealed = DecryptionError()
    blobs = [b"", b"0", MARK, b"\x30\x80\0\0", bytes(4096), b"\x30\x82\xff\xff" + bytes(100)]
    for blob in blobs:
        data = EXPLICIT.file(EXPLICIT.common() + rows() + encrypted_attributes(EXPLICIT, blob))
        assert done(data, Reidentifier(opener())) == str(sealed)


@pytest.mark.parametrize(
    "what", sorted(name for name in CASES if CASES[name].outcome == "error" and "100000" not in name)
)
def test_flaw_14_an_error_shows_no_value(what: str) -> None:
    """Of all cases that are errors: the places, lengths what was expected, and no more."""
    if not what.startswith("case 12"):
        assert isinstance(done(CASES[what].make()), str)
