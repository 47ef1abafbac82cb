"""Bare Data Sets in memory, judged by pydicom: what is in them, the same in another encoding, and any damage."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from io import BytesIO

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from dcmveil._elements import count_items, is_ordered, list_elements, recode
from dcmveil.encode import Encoding
from dcmveil.errors import LimitExceeded, ParseError
from tests.hostile.forms import BIG, EXPLICIT, IMPLICIT, PLAIN_FORMS, UNDEFINED, Form
from tests.reference.files import CHECKOUT, samples

ENCODINGS = {EXPLICIT: Encoding.EXPLICIT_LE, IMPLICIT: Encoding.IMPLICIT_LE, BIG: Encoding.EXPLICIT_BE}
NUMBERS = {encoding: form for form, encoding in ENCODINGS.items()}
DEEPEST = 64
MAX_SIZE = 30 << 10


# ---- against pydicom -------------------------------------------------------------------------------------------


@cache
def readable() -> dict[str, dict[Encoding, bytes]]:
    """Data Sets that pydicom reads, as it writes them in all three encodings."""
    found = {}
    for sample in samples():
        if sample.path.stat().st_size > MAX_SIZE or not sample.name.startswith("pydicom/data/"):
            continue
        with warnings.catch_warnings(), suppress(Exception):  # what pydicom cannot read or write, it cannot judge
            warnings.simplefilter("ignore")
            data_set = pydicom.dcmread(sample.path)
            assert all(True for _ in data_set.iterall())  # decoded, so that it can be encoded otherwise
            found[sample.name] = {encoding: encoded(data_set, encoding) for encoding in Encoding}
    return found


def encoded(data_set: Dataset, encoding: Encoding) -> bytes:
    """By pydicom, without File Meta Information."""
    file = DicomBytesIO()
    file.is_implicit_VR = encoding is Encoding.IMPLICIT_LE
    file.is_little_endian = encoding is not Encoding.EXPLICIT_BE
    bare = Dataset(dict(data_set.items()))
    bare.set_original_encoding(*data_set.original_encoding, data_set._character_set)
    write_dataset(file, bare)
    return file.getvalue()


def read(data: bytes, encoding: Encoding) -> Dataset:
    return read_dataset(BytesIO(data), encoding is Encoding.IMPLICIT_LE, encoding is not Encoding.EXPLICIT_BE)


def places(data_set: Dataset, level: int = 0, item: int = 0) -> Iterator[tuple[int, int, int]]:
    """(level, Item, tag) in the order of the Data Set."""
    for element in data_set:
        yield level, item, int(element.tag)
        if element.VR == "SQ":
            for number, content in enumerate(element.value, 1):
                yield from places(content, level + 1, number)


def same(one: Dataset, other: Dataset, *, tells_vr: bool, turned: bool) -> bool:
    """Equal as far as the encodings can tell: in Implicit VR there is none but the dictionary's."""
    if one.keys() != other.keys():
        return False
    pairs = [(one[tag], other[tag]) for tag in sorted(one.keys()) if tells_vr or not tag.is_private]
    return all(same_element(*pair, tells_vr=tells_vr, turned=turned) for pair in pairs)


def same_element(one: DataElement, other: DataElement, *, tells_vr: bool, turned: bool) -> bool:
    if one.VR == other.VR == "SQ":
        items = zip(one.value, other.value, strict=True)
        return all(same(*pair, tells_vr=tells_vr, turned=turned) for pair in items)
    if one.VR == other.VR == "OW" and turned and one.value:
        return bytes(one.value) == words_turned(bytes(other.value))
    if {one.VR, other.VR} == {"US", "SS"} and not tells_vr:
        return True  # which it is, other Attributes tell
    return (one.value or None) == (other.value or None)


def words_turned(value: bytes) -> bytes:
    return b"".join(value[at : at + 2][::-1] for at in range(0, len(value), 2))


@pytest.mark.parametrize("encoding", Encoding, ids=lambda encoding: encoding.name)
def test_every_element_that_pydicom_sees_is_listed(encoding: Encoding) -> None:
    for name, written in readable().items():
        data = written[encoding]
        rows = list_elements(data, encoding, levels=DEEPEST)
        listed = [(level, item, tag) for level, item, tag, *_rest in rows]
        found = read(data, encoding)
        if encoding is not Encoding.IMPLICIT_LE:
            assert listed == list(places(found)), name
        top = [row for row in rows if row[0] == 0]
        assert [row[2] for row in top] == [int(tag) for tag in sorted(found.keys())], name
        assert [row[4] for row in top] == [0, *(row[6] for row in top)][: len(top)], name
        assert not top or top[-1][6] == len(data), name
    assert len(readable()) > 30


@pytest.mark.parametrize("encoding", [Encoding.EXPLICIT_LE, Encoding.EXPLICIT_BE], ids=lambda encoding: encoding.name)
def test_values_stand_where_they_are_said_to_stand(encoding: Encoding) -> None:
    for name, written in readable().items():
        data = written[encoding]
        raw = read(data, encoding)
        for level, _item, tag, vr, _start, value, stop in list_elements(data, encoding):
            assert level == 0
            expected = raw.get_item(tag)
            assert vr == expected.VR, name
            if isinstance(expected, RawDataElement) and expected.length != UNDEFINED:
                assert data[value:stop] == (expected.value or b""), name


@pytest.mark.parametrize("target", Encoding, ids=lambda encoding: encoding.name)
@pytest.mark.parametrize("source", Encoding, ids=lambda encoding: encoding.name)
def test_recoded_data_sets_say_the_same(source: Encoding, target: Encoding) -> None:
    for name, written in readable().items():
        data = written[source]
        other = recode(data, source, target)
        one = read(data, source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tells_vr = Encoding.IMPLICIT_LE not in (source, target)
            turned = (source is Encoding.EXPLICIT_BE) != (target is Encoding.EXPLICIT_BE)
            assert same(one, read(other, target), tells_vr=tells_vr, turned=turned), name
        assert recode(other, target, target) == other, name


# ---- forms that files rarely have ------------------------------------------------------------------------------


def small(form: Form) -> bytes:
    """One of each: short and long form, private, unknown, UN and nested Sequences of either length, Fragments."""
    inner = form.element(0x00080100, "SH", "A") + form.element(0x00280010, "US", form.pack("H", 7))
    implicit = IMPLICIT.element(0x00081150, "UI", "1.2.840.10008.1.1")
    parts = [
        form.element(0x00080016, "UI", "1.2.840.10008.1.1"),
        form.sequence(0x00081140, form.item(inner), form.open_item(inner)),
        form.sequence(0x00081199, form.open_item(form.sequence(0x00081140, form.item(inner))), open_end=True),
        form.element(0x00090010, "LO", "SOMEBODY"),
        form.sequence(0x00091001, form.item(inner), vr="SQ", open_end=True),
        form.element(0x00091002, "UN", b"\1\2"),
        form.sequence(0x00400275, EXPLICIT.item(implicit), vr="UN") if not form.implicit else b"",
        form.sequence(0x0040A730, EXPLICIT.open_item(implicit), vr="UN", open_end=True) if not form.implicit else b"",
        form.element(0x7FE00010, "OW", form.pack("HH", 1, 2)),
    ]
    return b"".join(parts)


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_levels_say_how_far_down(form: Form) -> None:
    encoding = ENCODINGS[form]
    rows = {levels: list_elements(small(form), encoding, levels=levels) for levels in (1, 2, 3, 9)}
    assert [max(row[0] for row in rows[levels]) for levels in (1, 2, 3, 9)] == [0, 1, 2, 2]
    for levels in (1, 2, 3):
        assert [row for row in rows[9] if row[0] < levels] == rows[levels]
    inside = [(row[1], row[2]) for row in rows[2] if row[0] == 1][:4]
    assert inside == [(item, tag) for item in (1, 2) for tag in (0x00080100, 0x00280010)]


@pytest.mark.parametrize("open_end", [False, True])
@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_items_are_counted_the_empty_ones_too(form: Form, open_end: bool) -> None:
    """Those of all Sequences at the top level, and none of those within."""
    name = form.element(0x00100010, "PN", "DOE")
    within = form.sequence(0x00081199, form.item(name), form.item(), open_end=open_end)
    items = [form.open_item(name), form.item(), form.item(within), form.open_item()]
    for count in range(5):
        data = form.sequence(0x00081140, *items[:count], open_end=open_end)
        assert count_items(data, ENCODINGS[form]) == count
        more = form.sequence(0x00400275, form.item(), open_end=open_end)
        assert count_items(data + name + more, ENCODINGS[form]) == count + 1
    assert count_items(name, ENCODINGS[form]) == 0
    assert count_items(b"", ENCODINGS[form]) == 0


def test_order_is_that_of_tags_at_the_top_level() -> None:
    name, uid = EXPLICIT.element(0x00100010, "PN", "DOE"), EXPLICIT.element(0x00080018, "UI", "1.2")
    within = EXPLICIT.sequence(0x00081140, EXPLICIT.item(name + uid))
    open_one = EXPLICIT.sequence(0x00081140, EXPLICIT.open_item(name + uid), open_end=True)
    for data in (b"", name, uid + name, uid + within + name, uid + open_one + name):
        assert is_ordered(data)
    for data in (name + uid, name + name, uid + name + within, uid + EXPLICIT.element(0x00100010, "ZZ", "DOE")):
        assert not is_ordered(data)


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_ends_of_sequences_are_those_of_their_bytes(form: Form) -> None:
    data = small(form)
    rows = [row for row in list_elements(data, ENCODINGS[form], levels=9) if row[0] == 0]
    assert [row[4] for row in rows[1:]] == [row[6] for row in rows[:-1]]
    assert rows[-1][6] == len(data)


@pytest.mark.parametrize("target", Encoding, ids=lambda encoding: encoding.name)
@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_recoding_what_was_recoded_changes_nothing(form: Form, target: Encoding) -> None:
    """And back again it is what the first encoding makes of it with undefined lengths."""
    once = settled(small(form), ENCODINGS[form], target)
    assert recode(once, target, target) == once
    if target is not Encoding.IMPLICIT_LE:
        normal = recode(small(form), ENCODINGS[form], ENCODINGS[form])
        assert recode(once, target, ENCODINGS[form]) == normal


def settled(data: bytes, source: Encoding, target: Encoding) -> bytes:
    """Recoded; what was UN of defined length is only seen to be a Sequence once it is in Implicit VR."""
    once = recode(data, source, target)
    return recode(once, target, target) if target is Encoding.IMPLICIT_LE is not source else once


def test_numbers_are_turned_round_unit_by_unit() -> None:
    widths = {"US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4, "FD": 8, "SV": 8,
              "UV": 8, "OD": 8, "OV": 8, "OB": 1, "UN": 1, "LO": 1, "UI": 1, "UT": 1}  # fmt: skip
    value = bytes(range(16))
    for vr, width in widths.items():
        turned = b"".join(value[at : at + width][::-1] for at in range(0, 16, width))
        big = recode(EXPLICIT.element(0x00091001, vr, value), Encoding.EXPLICIT_LE, Encoding.EXPLICIT_BE)
        assert big == BIG.element(0x00091001, vr, turned), vr
        assert recode(big, Encoding.EXPLICIT_BE, Encoding.EXPLICIT_LE) == EXPLICIT.element(0x00091001, vr, value)


def test_bytes_beyond_the_last_number_stay_where_they_are() -> None:
    odd = EXPLICIT.element(0x00091001, "UL", b"\1\2\3\4\5\6\7", length=7)
    big = BIG.element(0x00091001, "UL", b"\4\3\2\1\5\6\7", length=7)
    assert recode(odd, Encoding.EXPLICIT_LE, Encoding.EXPLICIT_BE) == big


def test_fragments_keep_their_bytes_in_any_explicit_encoding() -> None:
    def pixels(form: Form) -> bytes:
        return form.sequence(0x7FE00010, form.item(), form.item(b"\1\2\3\4"), vr="OB", open_end=True)

    assert recode(pixels(EXPLICIT), Encoding.EXPLICIT_LE, Encoding.EXPLICIT_BE) == pixels(BIG)
    rows = list_elements(pixels(EXPLICIT), Encoding.EXPLICIT_LE, levels=9)
    assert [(row[2], row[6]) for row in rows] == [(0x7FE00010, len(pixels(EXPLICIT)))]


@pytest.mark.parametrize("length", [0xFFFE, 0x10000])
def test_a_value_too_long_for_its_vr_becomes_un(length: int) -> None:
    text = IMPLICIT.element(0x00100010, "PN", b"A" * length)
    vr = "UN" if length > 0xFFFF else "PN"
    expected = EXPLICIT.element(0x00100010, vr, b"A" * length)
    assert recode(text, Encoding.IMPLICIT_LE, Encoding.EXPLICIT_LE) == expected


def test_no_vr_of_the_standard_becomes_un() -> None:
    first = EXPLICIT.element(0x00080016, "UI", "1.2")
    odd = first + EXPLICIT.element(0x00100010, "ZZ", b"AB")
    expected = first + EXPLICIT.element(0x00100010, "UN", b"AB")
    assert recode(odd, Encoding.EXPLICIT_LE, Encoding.EXPLICIT_LE) == expected
    assert [row[3] for row in list_elements(odd, Encoding.EXPLICIT_LE)] == ["UI", None]


def test_nothing_holds_nothing() -> None:
    for encoding in Encoding:
        assert list_elements(b"", encoding) == []
        assert recode(b"", encoding, Encoding.EXPLICIT_BE) == b""


# ---- damage ----------------------------------------------------------------------------------------------------


def outcome(data: bytes, encoding: Encoding) -> bool:
    """Listed and recoded? Else errors of ours, and of a list all that it says is within the data."""
    try:
        rows = list_elements(data, encoding, levels=9)
    except (ParseError, LimitExceeded):
        rows = None
    for _level, _item, _tag, _vr, start, value, stop in rows or []:
        assert 0 <= start < value <= stop <= len(data)
    with suppress(ParseError, LimitExceeded):
        assert count_items(data, encoding) <= len(data) // 8
    with suppress(ParseError, LimitExceeded):
        is_ordered(data)
    for target in Encoding:
        try:
            other = settled(data, encoding, target)
        except (ParseError, LimitExceeded):
            continue
        assert recode(other, target, target) == other
    return rows is not None


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_cut_at_every_byte_it_is_whole_only_between_elements(form: Form) -> None:
    data = small(form)
    ends = {0, *(row[6] for row in list_elements(data, ENCODINGS[form]))}
    assert {size for size in range(len(data) + 1) if outcome(data[:size], ENCODINGS[form])} == ends


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_every_byte_changed_ends_in_a_list_or_an_error_of_ours(form: Form) -> None:
    data = small(form)
    for at in range(len(data)):
        for byte in (0, 1, 0x51, 0x53, 0x7F, 0xFE, 0xFF):
            outcome(data[:at] + bytes([byte]) + data[at + 1 :], ENCODINGS[form])


PIECES = st.sampled_from(
    [EXPLICIT.header(0x00081140, "SQ", UNDEFINED), EXPLICIT.header(0x00081140, "UN", UNDEFINED)]
    + [form.item(length=length, tag=tag) for form in (EXPLICIT, BIG)
       for tag in (0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD) for length in (0, UNDEFINED, 0xFFFFFFFE)]
    + [form.element(0x00080100, "SH", "A") for form in PLAIN_FORMS]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=12), max_size=20).map(b"".join), st.sampled_from(Encoding))
def test_any_bytes_end_in_a_list_or_an_error_of_ours(data: bytes, encoding: Encoding) -> None:
    outcome(data, encoding)


def test_no_length_field_is_believed() -> None:
    """4 GiB claimed, some bytes there: no memory is taken for what is not."""
    claims = []
    for form in PLAIN_FORMS:
        for length in (0xFFFFFFFE, 0x7FFFFFFF, 0x10000000):
            claims.append((form, form.element(0x7FE00010, "OW", b"\0" * 8, length=length)))
            claims.append((form, form.header(0x00081140, "SQ", length) + form.item(length=length - 8)))
            claims.append((form, form.header(0x00081140, "SQ", UNDEFINED) + form.item(b"\0" * 20, length=length)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for form, data in claims:
        assert not outcome(data, ENCODINGS[form])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10  # KiB


def damage_fragments() -> None:
    """Fragments that claim more than there is, and every byte of good ones changed."""
    for form in PLAIN_FORMS:
        for length in (2, 100, 0x10000000, 0x7FFFFFFE, 0xFFFFFFFE):
            claim = form.sequence(0x7FE00010, form.item(length=length), vr="OB", open_end=True)
            assert not outcome(claim, ENCODINGS[form])
        data = form.sequence(0x7FE00010, form.item(), form.item(b"\1\2\3\4"), vr="OB", open_end=True)
        for at in range(len(data)):
            for byte in (0, 1, 0x55, 0x7F, 0xFE, 0xFF):
                outcome(data[:at] + bytes([byte]) + data[at + 1 :], ENCODINGS[form])


def test_fragments_past_the_end_are_not_read() -> None:
    """In a process of its own: memory that is not ours ends that."""
    call = f"from {__name__} import damage_fragments; damage_fragments()"
    done = subprocess.run([sys.executable, "-c", call], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("depth", [1000, 10_000, 200_000])
def test_nesting_ends_somewhere(depth: int) -> None:
    """Items in Items, never closed; those that are closed are whole up to the limit."""
    open_ones = (EXPLICIT.header(0x00081140, "SQ", UNDEFINED) + EXPLICIT.item(length=UNDEFINED)) * depth
    closed = open_ones + (EXPLICIT.item(tag=0xFFFEE00D) + EXPLICIT.item(tag=0xFFFEE0DD)) * depth
    assert not outcome(open_ones, Encoding.EXPLICIT_LE)
    assert outcome(closed, Encoding.EXPLICIT_LE) is (depth <= 1000)


def test_errors_name_no_value() -> None:
    secret = b"DOE^JOHN"
    data = EXPLICIT.element(0x00100010, "PN", secret, length=100)
    for call in (lambda: list_elements(data, 0), lambda: recode(data, 0, 2)):
        with pytest.raises((ParseError, LimitExceeded)) as caught:
            call()
        assert "DOE" not in f"{caught.value!r} {caught.value}"


def test_sizes_of_many_elements_add_up() -> None:
    data = b"".join(EXPLICIT.element(0x00100000 + number, "LO", b"AB") for number in range(0x1000, 0x5000))
    assert len(list_elements(data, Encoding.EXPLICIT_LE)) == 0x4000
    assert len(recode(data, Encoding.EXPLICIT_LE, Encoding.IMPLICIT_LE)) == len(data)
    assert struct.unpack_from("<I", recode(data, 0, 1), 4) == (2,)
