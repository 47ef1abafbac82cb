"""Elements with text in another Specific Character Set, judged by pydicom; byte for byte where nothing changes."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_charset_files
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from dcmveil._elements import list_elements
from dcmveil.encode import Encoding
from dcmveil.errors import Refused
from dcmveil.texts import converted
from tests.hostile.forms import EXPLICIT, IMPLICIT, UNDEFINED

LATIN, UTF8, KANJI, CYRILLIC = b"ISO_IR 100", b"ISO_IR 192", b"\\ISO 2022 IR 87", b"ISO_IR 144"
MESSAGE = "an original text cannot be written in the Specific Character Set that the file has now"
AFFECTED = ["LO", "LT", "PN", "SH", "ST", "UC", "UT"]
OTHERS = ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "OB", "OW", "TM", "UI", "UN", "UR", "ZZ"]
ANY = 0x00100010
SEQUENCE = 0x00081140


def name(text: str, codec: str = "latin_1") -> bytes:
    return EXPLICIT.element(ANY, "PN", text.encode(codec))


def own(character_set: bytes) -> bytes:
    return EXPLICIT.element(0x00080005, "CS", character_set)


def open_sequence(*items: bytes, tag: int = SEQUENCE) -> bytes:
    return EXPLICIT.sequence(tag, *items, open_end=True)


OLD, NEW = name("Müller"), name("Müller", "utf_8")
ITEM, OPEN_ITEM = EXPLICIT.item(OLD), EXPLICIT.open_item(NEW)
PLAIN = EXPLICIT.item(name("Mueller "))
NUMBER = EXPLICIT.element(0x00280010, "US", b"\xe9\x1b")


# ---- one text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vr", AFFECTED)
def test_text_is_converted_in_every_vr_that_has_any(vr: str) -> None:
    old, new = (EXPLICIT.element(ANY, vr, "Grün\\Äé".encode(codec)) for codec in ("latin_1", "utf_8"))
    assert converted(old, LATIN, UTF8) == new
    assert converted(new, UTF8, LATIN) == old


@pytest.mark.parametrize("vr", OTHERS)
def test_no_other_vr_is_touched(vr: str) -> None:
    data = EXPLICIT.element(SEQUENCE, "SQ", EXPLICIT.item(NUMBER + EXPLICIT.element(ANY, vr, b"\xe9\x1b$B;3")))
    assert converted(data, LATIN, UTF8) == data


@pytest.mark.parametrize(
    ("vr", "old", "data", "new", "expected"),
    [
        ("PN", KANJI, b"a=\x1b$B;3\x1b(B^\x1b$BED\x1b(B", UTF8, "a=山^田".encode()),
        ("PN", UTF8, "a=山^田".encode(), KANJI, b"a=\x1b$B;3\x1b(B^\x1b$BED\x1b(B"),
        ("LO", UTF8, "山^田\\山".encode(), KANJI, b"\x1b$B;3\x1b(B^\x1b$BED\x1b(B\\\x1b$B;3\x1b(B"),
        # what is a delimiter, the VR tells
        ("PN", UTF8, "홍^길".encode(), b"\\ISO 2022 IR 149", b"\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6"),
        ("LO", UTF8, "홍^길\\홍".encode(), b"\\ISO 2022 IR 149", b"\x1b$)C\xc8\xab^\xb1\xe6\\\x1b$)C\xc8\xab"),
        ("LT", UTF8, "홍^길\\홍\r\n홍".encode(), b"\\ISO 2022 IR 149",
         b"\x1b$)C\xc8\xab^\xb1\xe6\\\xc8\xab\r\n\x1b$)C\xc8\xab"),
        # padding
        ("SH", LATIN, b"\xe9 ", UTF8, b"\xc3\xa9"),
        ("SH", LATIN, b" \xe9  ", UTF8, b" \xc3\xa9 "),
        ("SH", LATIN, b"\xe9\0", UTF8, b"\xc3\xa9"),
        ("LO", LATIN, b"\xe9 \\a ", UTF8, b"\xc3\xa9 \\a"),
        ("SH", None, b"\x1b(B  ", UTF8, b""),
        # one that has its escape sequences where the old set does not allow them
        ("SH", LATIN, b"\x1b$B;3\x1b(B", UTF8, "山".encode()),
        ("LO", b"GB18030", b"\x81\x5c\\a", UTF8, "乗\\a".encode()),
        ("UC", LATIN, "ÄÖÜ".encode("latin_1"), b"ISO 2022 IR 144\\ISO 2022 IR 100", b"\x1b-A\xc4\xd6\xdc\x1b-L"),
    ],
)  # fmt: skip
def test_values(vr: str, old: bytes | None, data: bytes, new: bytes | None, expected: bytes) -> None:
    assert converted(EXPLICIT.element(ANY, vr, data), old, new) == EXPLICIT.element(ANY, vr, expected)


@pytest.mark.parametrize(
    ("old", "new", "data"),
    [
        (LATIN, UTF8, b"Mueller^~\\  "), (LATIN, UTF8, b"a\0"), (b"ISO_IR 13", UTF8, b"~ "),
        (UTF8, b"ISO_IR 13", b"~ "),
        (b"ISO_IR 999", UTF8, b"a "), (LATIN, b"ISO_IR 999", b"a "), (LATIN, UTF8, b""), (LATIN, UTF8, b"odd"),
        # the same codes in both, whatever comes behind them
        (LATIN, b"ISO 2022 IR 100\\ISO 2022 IR 87", b"\xe9   "), (LATIN, b"ISO_IR 148", b"\xe9\0"),
        # the same sets: not even looked at
        (LATIN, b"ISO 2022 IR 100 ", b"\x81\x1b"), (b"", b"ISO_IR 6", b"\xe9 "), (None, b"", b"\xe9 "),
        (b"ISO_IR 999", b"ISO_IR 999\0", b"\xe9 "),
    ],
)  # fmt: skip
def test_what_need_not_change_stays_byte_for_byte(old: bytes | None, new: bytes | None, data: bytes) -> None:
    for element in (
        EXPLICIT.element(ANY, "LO", data, length=len(data)),
        EXPLICIT.sequence(SEQUENCE, EXPLICIT.item(name("A"))),
    ):
        assert converted(element, old, new) is element


# ---- Sequences -------------------------------------------------------------------------------------------------


def test_lengths_become_undefined_around_what_changes_only() -> None:
    quiet = EXPLICIT.sequence(0x00081199, PLAIN, EXPLICIT.item())
    old = EXPLICIT.sequence(SEQUENCE, EXPLICIT.item(), PLAIN, EXPLICIT.item(NUMBER + quiet + OLD + NUMBER), ITEM, PLAIN)
    new = open_sequence(EXPLICIT.item(), PLAIN, EXPLICIT.open_item(NUMBER + quiet + NEW + NUMBER), OPEN_ITEM, PLAIN)
    assert converted(old, LATIN, UTF8) == new


def test_lengths_that_are_undefined_stay_so() -> None:
    old = open_sequence(EXPLICIT.open_item(OLD), EXPLICIT.open_item(), PLAIN, ITEM)
    assert converted(old, LATIN, UTF8) == open_sequence(OPEN_ITEM, EXPLICIT.open_item(), PLAIN, OPEN_ITEM)


def test_sequences_that_end_together_end_from_the_innermost() -> None:
    old, new = ITEM, OPEN_ITEM
    for number in range(3):
        old = EXPLICIT.item(OLD + EXPLICIT.sequence(SEQUENCE + number, old, ITEM))
        new = EXPLICIT.open_item(NEW + open_sequence(new, OPEN_ITEM, tag=SEQUENCE + number))
    assert converted(EXPLICIT.sequence(SEQUENCE, old, ITEM), LATIN, UTF8) == open_sequence(new, OPEN_ITEM)


def test_items_of_the_same_number_in_two_sequences_are_two() -> None:
    item = EXPLICIT.item(
        EXPLICIT.sequence(SEQUENCE, ITEM) + EXPLICIT.sequence(0x00081199, PLAIN) + EXPLICIT.sequence(0x00089999, ITEM)
    )
    new = open_sequence(OPEN_ITEM) + EXPLICIT.sequence(0x00081199, PLAIN) + open_sequence(OPEN_ITEM, tag=0x00089999)
    assert converted(EXPLICIT.sequence(SEQUENCE, item), LATIN, UTF8) == open_sequence(EXPLICIT.open_item(new))


def test_items_with_a_character_set_of_their_own_keep_their_texts_and_all_below() -> None:
    below = EXPLICIT.sequence(0x00081199, ITEM, EXPLICIT.item(EXPLICIT.sequence(SEQUENCE, ITEM)))
    apart = EXPLICIT.item(own(CYRILLIC) + OLD + below)
    disordered = EXPLICIT.item(below + OLD + own(CYRILLIC))
    empty = EXPLICIT.item(own(b"") + OLD)
    alone = EXPLICIT.sequence(SEQUENCE, apart, disordered, empty)
    assert converted(alone, LATIN, UTF8) is alone
    beside = EXPLICIT.sequence(SEQUENCE, ITEM, apart, ITEM, disordered, empty)
    assert converted(beside, LATIN, UTF8) == open_sequence(OPEN_ITEM, apart, OPEN_ITEM, disordered, empty)


@pytest.mark.parametrize("open_end", [False, True])
def test_un_stays_whatever_is_in_it(open_end: bool) -> None:
    content = IMPLICIT.element(ANY, "PN", b"M\xfcller") + IMPLICIT.sequence(
        SEQUENCE, IMPLICIT.item(IMPLICIT.element(ANY, "PN", b"\xe9"))
    )
    unknown = EXPLICIT.sequence(0x00091001, EXPLICIT.item(content), vr="UN", open_end=open_end)
    assert converted(unknown, LATIN, UTF8) is unknown
    around = EXPLICIT.sequence(SEQUENCE, EXPLICIT.item(unknown + OLD))
    assert converted(around, LATIN, UTF8) == open_sequence(EXPLICIT.open_item(unknown + NEW))


def test_fragments_stay() -> None:
    pixels = EXPLICIT.sequence(0x7FE00010, EXPLICIT.item(), EXPLICIT.item(b"\xe9\x1b"), vr="OB", open_end=True)
    assert converted(pixels, LATIN, UTF8) is pixels


# ---- against pydicom -------------------------------------------------------------------------------------------


def read(data: bytes, character_set: bytes) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = read_dataset(BytesIO(own(character_set) + data), is_implicit_VR=False, is_little_endian=True)
        data_set.decode()
    return data_set


def texts(data: bytes, character_set: bytes) -> list[tuple[str, str]]:
    """VR and text of all that pydicom finds."""
    return [(element.VR, str(element.value)) for element in read(data, character_set).iterall() if element.VR != "SQ"][
        1:
    ]


def real_items() -> Iterator[tuple[bytes, bytes]]:
    """(0008,0005) and an Item with text, of each file that pydicom has for character sets."""
    for path in get_charset_files("chr*.dcm"):
        data_set = dcmread(path)
        terms = data_set.get("SpecificCharacterSet", "")
        raw = map(data_set.get_item, data_set.group_dataset(0x0010).keys())
        elements = [EXPLICIT.element(int(one.tag), one.VR, one.value or b"") for one in raw]
        yield "\\".join([terms] if isinstance(terms, str) else terms).encode(), EXPLICIT.item(b"".join(elements))


def test_real_texts_say_the_same_in_utf_8_and_come_back() -> None:
    seen = set()
    for character_set, item in real_items():
        old = EXPLICIT.sequence(SEQUENCE, item, EXPLICIT.item(EXPLICIT.sequence(SEQUENCE, item)))
        new = converted(old, character_set, UTF8)
        assert texts(new, UTF8) == texts(old, character_set), character_set
        assert converted(converted(new, UTF8, character_set), character_set, UTF8) == new, character_set
        seen |= {character_set} if new != old else set()
    assert len(seen) >= 8


LETTERS = "aé ИЖŁ山田ﾔ홍길^=\\"


@settings(max_examples=100)
@given(st.text(st.sampled_from(LETTERS), max_size=20), st.sampled_from(AFFECTED), st.booleans())
def test_any_text_comes_back(text: str, vr: str, is_nested: bool) -> None:
    """Through all sets at once, with code extensions."""
    rich = "\\".join(f"ISO 2022 IR {number}" for number in (100, 144, 101, 87, 13, 149)).encode()
    element = EXPLICIT.element(ANY, vr, text.rstrip().encode())
    old = open_sequence(EXPLICIT.open_item(element)) if is_nested else element
    there = converted(old, UTF8, rich)
    assert converted(there, rich, UTF8) == old
    assert there == old or not text.isascii()


# ---- what cannot be --------------------------------------------------------------------------------------------


def refuses(element: bytes, old: bytes | None, new: bytes | None) -> None:
    with pytest.raises(Refused) as caught:
        converted(element, old, new)
    assert (caught.value.reason, str(caught.value)) == ("character-set", MESSAGE)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize(
    ("old", "data", "new"),
    [
        (UTF8, "И".encode(), LATIN), (UTF8, b"\xc3\xa9", None), (LATIN, b"\xe9", b"ISO_IR 999"),
        (KANJI, b"\x1b$B;3\x1b(B", LATIN),
    ],
)  # fmt: skip
def test_text_without_a_place_in_the_new_set_is_refused(
    old: bytes | None, data: bytes, new: bytes | None, is_nested: bool
) -> None:
    element = EXPLICIT.element(ANY, "LO", data)
    refuses(EXPLICIT.sequence(SEQUENCE, PLAIN, EXPLICIT.item(element)) if is_nested else element, old, new)


@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize(
    ("old", "data", "new"),
    [
        (UTF8, b"\xe9", LATIN), (None, b"\xe9", UTF8), (b"ISO_IR 999", b"\xe9", UTF8), (LATIN, b"a\x1b[1m", UTF8),
        (KANJI, b"\x1b$B;", UTF8), (UTF8, b"a\x1b", KANJI),
    ],
)  # fmt: skip
def test_text_that_nobody_could_read_stays_as_it_is(
    old: bytes | None, data: bytes, new: bytes | None, is_nested: bool
) -> None:
    """Such as Latin 1 in a file that names no character set: no reason not to restore the file."""
    element = EXPLICIT.element(ANY, "LO", data)
    element = EXPLICIT.sequence(SEQUENCE, PLAIN, EXPLICIT.item(element)) if is_nested else element
    assert converted(element, old, new) == element


def test_text_that_gets_too_long_for_its_length_field_is_refused() -> None:
    fits, too_long = (EXPLICIT.element(ANY, "LT", b"\xe9" * count) for count in (0x7FFF, 0x8000))
    assert len(converted(fits, LATIN, UTF8)) == 8 + 0xFFFE
    refuses(too_long, LATIN, UTF8)
    unlimited = EXPLICIT.element(ANY, "UT", b"\xe9" * 0x8000)
    assert len(converted(unlimited, LATIN, UTF8)) == 12 + 0x10000


@pytest.mark.parametrize("open_end", [False, True])
def test_nesting_ends_at_64(open_end: bool) -> None:
    def nested(depth: int, innermost: bytes, *, open_end: bool) -> bytes:
        for _ in range(depth):
            item = EXPLICIT.open_item(innermost) if open_end else EXPLICIT.item(innermost)
            innermost = EXPLICIT.sequence(SEQUENCE, item, open_end=open_end)
        return innermost

    assert converted(nested(64, OLD, open_end=open_end), LATIN, UTF8) == nested(64, NEW, open_end=True)
    for depth in (65, 66, 900, 5000):
        refuses(nested(depth, OLD, open_end=open_end), LATIN, UTF8)


def test_every_cut_stays_or_is_refused_and_every_byte_changed_ends_well() -> None:
    old = EXPLICIT.sequence(SEQUENCE, PLAIN, ITEM, EXPLICIT.item(open_sequence(EXPLICIT.open_item(OLD)) + NUMBER))
    for size in range(1, len(old)):
        try:
            assert converted(old[:size], LATIN, UTF8) == old[:size]
        except Refused as refused:
            assert str(refused) == MESSAGE
    for at in range(len(old)):
        for byte in (0, 1, 0x1B, 0x51, 0x7F, 0xFE, 0xFF):
            ends_well(old[:at] + bytes([byte]) + old[at + 1 :])


PIECES = st.sampled_from(
    [EXPLICIT.header(SEQUENCE, vr, length) for vr in ("SQ", "UN", "PN") for length in (8, 20, 0xFFFE)]
    + [EXPLICIT.header(SEQUENCE, "SQ", UNDEFINED), EXPLICIT.header(SEQUENCE, "UN", UNDEFINED)]
    + [EXPLICIT.item(length=length) for length in (0, 14, UNDEFINED)]
    + [EXPLICIT.item(tag=tag, length=length) for tag in (0xFFFEE00D, 0xFFFEE0DD) for length in (0, 14)]
    + [OLD, ITEM, PLAIN, EXPLICIT.open_item(OLD), own(LATIN), open_sequence(ITEM), EXPLICIT.sequence(SEQUENCE, ITEM)]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=8), max_size=15).map(b"".join))
def test_any_bytes_end_well(data: bytes) -> None:
    ends_well(data)


def ends_well(data: bytes) -> None:
    """Refused, or converted: then it is as well formed as it was, with the same elements in the same places."""
    try:
        new = converted(data, LATIN, UTF8)
    except Refused as refused:
        assert refused.reason == "character-set"
        return
    if new == data:
        return
    rows, others = (list_elements(one, Encoding.EXPLICIT_LE, levels=66) for one in (data, new))
    assert [row[:4] for row in rows] == [row[:4] for row in others]
    for row, other in zip(rows, others, strict=True):
        if row[3] not in (*AFFECTED, "SQ"):
            assert data[row[4] : row[6]] == new[other[4] : other[6]]


@pytest.mark.ci
@pytest.mark.parametrize("new", [UTF8, CYRILLIC, b"\\ISO 2022 IR 144\\ISO 2022 IR 87"])
@pytest.mark.parametrize("form", ["long text", "many Items", "many in one Item"])
def test_time_is_linear(form: str, new: bytes) -> None:
    """Measured by how much longer ten times as much takes; a hundred times would be quadratic."""
    russian = EXPLICIT.element(ANY, "LO", "Иван".encode("gb18030"))

    def made(size: int) -> bytes:
        if form == "long text":
            return EXPLICIT.element(ANY, "UT", "Иж ".encode("gb18030") * size)
        if form == "many Items":
            return EXPLICIT.sequence(SEQUENCE, *[EXPLICIT.item(russian)] * size)
        return EXPLICIT.sequence(SEQUENCE, EXPLICIT.item(russian * size))

    def seconds(size: int) -> float:
        data, begin = made(size), time.process_time()
        assert converted(data, b"GB18030", new) != data
        return time.process_time() - begin

    short = max(seconds(2_000) for _ in range(3))  # the first one makes tables
    assert min(seconds(20_000) for _ in range(3)) < 40 * max(short, 0.002)
