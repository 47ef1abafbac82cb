"""Text in every Specific Character Set, written and read: the examples of PS3.5, pydicom, and what does not fit."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import charset as pydicom_charset
from pydicom import dcmread
from pydicom.data import get_charset_files

from dcmveil.charsets import TextError, decode_text, encode_text, same_sets

NAME = "\\^="
SINGLE = {
    "ISO_IR 100": "latin_1", "ISO_IR 101": "iso8859_2", "ISO_IR 109": "iso8859_3", "ISO_IR 110": "iso8859_4",
    "ISO_IR 126": "iso8859_7", "ISO_IR 127": "iso8859_6", "ISO_IR 138": "iso8859_8", "ISO_IR 144": "iso8859_5",
    "ISO_IR 148": "iso8859_9", "ISO_IR 166": "tis_620", "ISO_IR 13": "shift_jis", "ISO_IR 203": "iso8859_15",
    "ISO_IR 192": "utf_8", "GB18030": "gb18030", "GBK": "gbk",
}  # fmt: skip
ASCII = "".join(map(chr, range(0x20, 0x7F)))
# What each set of ISO 2022 has beside ASCII, or some of it.
BESIDE = {
    "6": "", "13": "ﾔﾏﾀﾞﾛｳ｡ｰ", "58": "张小东一", "87": "山田太郎やまだЖ", "100": "ÄÖÜßéÿ", "101": "ŁłŽŐű",
    "109": "ĦħĜŭ", "110": "ĸŖĐŲ", "126": "ΔιονυσίοςΩ", "127": "قبانيلنزار", "138": "שרוןדבורה", "144": "ЛюкЖДЯ",
    "148": "ĞğİŞÇ", "149": "洪吉洞홍길동", "159": "ă佔鷗龢", "166": "นามสกุล฿",
}  # fmt: skip


EXAMPLES = [
    # PS3.5 H.3.1, H.3.2, I.2, K.2
    ("\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ^たろう",
     b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"),
    ("ISO 2022 IR 13\\ISO 2022 IR 87", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
     b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J"),
    ("\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동",
     b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"),
    ("\\ISO 2022 IR 58", "Zhang^XiaoDong=张^小东=", b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="),
    # J.1, J.3
    ("ISO_IR 192", "Wang^XiaoDong=王^小东", "Wang^XiaoDong=王^小东".encode()),
    ("GB18030", "Wang^XiaoDong=王^小东", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab"),
    # what was designated beside ASCII is put back before a delimiter, and at the end
    ("ISO 2022 IR 100\\ISO 2022 IR 144", "éИ^éИ", b"\xe9\x1b-L\xb8\x1b-A^\xe9\x1b-L\xb8\x1b-A"),
    ("ISO 2022 IR 100\\ISO 2022 IR 87", "é山é=é", b"\xe9\x1b$B;3\x1b(B\x1b-A\xe9=\xe9"),
    ("ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 87", "И山 a^", b"\x1b-L\xb8\x1b$B;3\x1b(B a\x1b-A^"),
    # without extensions
    ("ISO_IR 100\0", "Müller^Jörg", b"M\xfcller^J\xf6rg"),
    (" ISO_IR 6 ", "Mueller", b"Mueller"),
    ("ISO 2022 IR 100", "é", b"\xe9"),
    ("ISO_IR 13", "ﾔﾏﾀﾞ", b"\xd4\xcf\xc0\xde"),
    # wrong, but common
    ("ISO_IR 100\\ISO 2022 IR 144", "éИ", b"\xe9\x1b-L\xb8\x1b-A"),
    ("ISO_IR 6\\ISO 2022 IR 87", "山", b"\x1b$B;3\x1b(B"),
    ("ISO 2022 IR 87", "a山", b"a\x1b$B;3\x1b(B"),
    ("ISO 2022 IR 149", "홍", b"\x1b$)C\xc8\xab"),
]  # fmt: skip


@pytest.mark.parametrize(("character_set", "text", "expected"), EXAMPLES)
def test_writes(character_set: str, text: str, expected: bytes) -> None:
    assert encode_text(text, character_set.encode(), delimiters=NAME) == expected


@pytest.mark.parametrize(("character_set", "text", "written"), EXAMPLES)
def test_reads(character_set: str, text: str, written: bytes) -> None:
    assert decode_text(written, character_set.encode(), delimiters=NAME) == text


def test_lines_begin_with_what_value_1_names() -> None:
    """PS3.5 I.3"""
    written = encode_text("길동\r\n길동\t길\f동", b"\\ISO 2022 IR 149")
    assert written.count(b"\x1b$)C") == 4
    written = encode_text("山\r\n田^太\\郎", b"\\ISO 2022 IR 87")
    assert written == b"\x1b$B;3\x1b(B\r\n\x1b$BED\x1b(B^\x1b$BB@\x1b(B\\\x1b$BO:\x1b(B"


@pytest.mark.parametrize("character_set", [None, b"", b" ", b"ISO_IR 6", b"\\ISO 2022 IR 87", b"ISO_IR 999", b"\xff"])
def test_ascii_is_ascii_in_every_set(character_set: bytes | None) -> None:
    assert encode_text(ASCII, character_set) == ASCII.encode()
    assert decode_text(ASCII.encode(), character_set) == ASCII


@pytest.mark.parametrize(("term", "codec"), SINGLE.items())
def test_single_sets_have_all_that_python_knows(term: str, codec: str) -> None:
    """But for control characters, and for what is not in JIS X 0201 but in Shift JIS."""
    missing = []
    for character in map(chr, [*range(0x20, 0x7F), *range(0xA0, 0xD800)]):
        expected = character.encode(codec, "ignore")
        try:
            assert encode_text(character, term.encode(), delimiters=NAME) == expected != b""
            assert decode_text(expected, term.encode(), delimiters=NAME) == character
        except TextError:
            missing += [character] if expected else []
    assert not missing or (term == "ISO_IR 13" and {"~", "¥", "‾"} < set(missing))


# It means to have Python's codec for GB 2312 take the escape sequence away, which that does not do.
LEFT_BY_PYDICOM = "\x1b$)A"
PAIRS = [("6", *rest) for rest in (["87"], ["87", "159"], ["149"], ["58"], ["144", "126"], ["13", "87", "149"])] + [
    ("100", "144", "101"), ("13", "87"), ("13", "87", "159"), ("100", "87", "148"), ("144", "100", "149"),
    ("166", "138", "127"), ("109", "110"),
]  # fmt: skip


@pytest.mark.parametrize("numbers", PAIRS, ids="+".join)
@settings(max_examples=40)
@given(st.data())
def test_code_extensions_are_read_back(numbers: tuple[str, ...], data: st.DataObject) -> None:
    letters = "".join(BESIDE[number] for number in numbers)
    text = data.draw(st.text(st.sampled_from(letters + "abc Z^=12"), max_size=30))
    character_set = [f"ISO 2022 IR {number}" for number in numbers]
    written = encode_text(text, "\\".join(character_set).encode(), delimiters=NAME)
    encodings = pydicom_charset.convert_encodings(character_set)
    fragments = [pydicom_charset.decode_bytes(part, encodings, {0x5E, 0x3D}) for part in written.split(b"=")]
    assert "=".join(fragments).replace(LEFT_BY_PYDICOM, "") == text
    assert decode_text(written, "\\".join(character_set).encode(), delimiters=NAME) == text


@pytest.mark.parametrize(
    ("character_set", "text"),
    [
        (None, "é"), ("", "é"), ("ISO_IR 6", "é"), ("ISO_IR 100", "Ł"), ("ISO_IR 100", "e\u0301"),
        ("ISO_IR 13", "山"), ("ISO_IR 13", "~"), ("ISO_IR 13", "¥"), ("ISO_IR 13", "‾"), ("ISO 2022 IR 13\\", "é"),
        ("\\ISO 2022 IR 87", "é"), ("\\ISO 2022 IR 87", "ﾔ"), ("\\ISO 2022 IR 149", "\u3164"),
        ("\\ISO 2022 IR 149", "뷁"), ("ISO_IR 192\\ISO 2022 IR 87", "山"), ("GBK", "\U0001f600"),
        ("ISO_IR 192", "\ud800"), ("ISO_IR 999", "é"), ("ISO_IR 87", "山"), ("ISO IR 100", "é"),
        ("\\UTF-8", "é"), ("\\\\ISO 2022 IR 87", "山"),
    ],
)  # fmt: skip
def test_what_a_set_does_not_have_is_an_error(character_set: str | None, text: str) -> None:
    with pytest.raises(TextError) as caught:
        encode_text(text, None if character_set is None else character_set.encode())
    assert text not in str(caught.value)
    assert caught.value.__cause__ is None


# ---- reading ---------------------------------------------------------------------------------------------------


def names_in_real_files() -> Iterator[tuple[str, bytes, bytes, str]]:
    """File, (0008,0005), bytes and text of the Patient's Names in the files that pydicom has for character sets."""
    for path in get_charset_files("chr*.dcm"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data_set = dcmread(path)
            if "PatientName" not in data_set:
                continue
            name, terms = data_set.PatientName, data_set.get("SpecificCharacterSet", "")
            joined = "\\".join([terms] if isinstance(terms, str) else terms)
            yield path, joined.encode(), name.original_string, str(name)


def test_names_in_real_files_are_read_as_pydicom_reads_them() -> None:
    seen = 0
    for path, character_set, data, text in names_in_real_files():
        read = decode_text(data, character_set, delimiters=NAME)
        assert read == text, path
        assert decode_text(encode_text(read, character_set, delimiters=NAME), character_set, delimiters=NAME) == read
        seen += 1
    assert seen >= 10


@pytest.mark.parametrize("number", sorted(set(BESIDE) - {"6", "13", "58"}))
@settings(max_examples=30)
@given(st.data())
def test_what_pydicom_writes_is_read(number: str, data: st.DataObject) -> None:
    """But for GB 2312, which it writes with a codec that has no escape sequences."""
    term = f"ISO 2022 IR {number}"
    text = data.draw(st.text(st.sampled_from(BESIDE[number] + "abc 1"), min_size=1, max_size=20))
    written = pydicom_charset.encode_string(text, pydicom_charset.convert_encodings(["", term]))
    assert decode_text(written, f"\\{term}".encode()) == text


@pytest.mark.parametrize(
    ("character_set", "data", "text"),
    [
        # undeclared, or with a term that does not allow code extensions
        (None, b"\x1b$B;3\x1b(B a", "山 a"),
        (b"ISO_IR 100", b"\xe9\x1b-L\xb8", "éИ"),
        (b"ISO_IR 6", b"\x1b$(D0'\x1b(J~", "丣~"),
        (b"\\ISO 2022 IR 87", b"\x1b$)A\xd5\xc5\x1b$)C\xfb\xf3\x1b)I\xd4", "张洪ﾔ"),
        # JIS X 0208 of 1978, and of 1983 with one byte more
        (b"\\ISO 2022 IR 87", b"\x1b$@;3\x1b$(BED", "山田"),
        # nothing is designated, but there is one set only that it can be of
        (b"ISO 2022 IR 149", b"\xc8\xab^\xb1\xe6", "홍^길"),
        (b"\\ISO 2022 IR 149", b"\x1b$)C\xc8\xab^\xb1\xe6", "홍^길"),
        (b"\\ISO 2022 IR 87\\ISO 2022 IR 144", b"\xb8", "И"),
        # G1 stays what it is beside kanji and after them
        (b"ISO 2022 IR 13\\ISO 2022 IR 87", b"\xd4\x1b$B;3\xd4\x1b(J\xd4", "ﾔ山ﾔﾔ"),
        (b"ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 87", b"\x1b-L\xb8\x1b$B;3\x1b(B\xb8^\xe9", "И山И^é"),
        # a space among kanji, the halves of kanji that look like delimiters, and a line that ends them
        (b"\\ISO 2022 IR 87", b"\x1b$B;3 ED\x1b(B", "山 田"),
        (b"\\ISO 2022 IR 87", b"\x1b$B%^%=%\\\x1b(B^", "マソボ^"),
        (b"\\ISO 2022 IR 87", b"\x1b$B;3\r\nED\x1b$BED", "山\r\nED田"),
        (b"ISO 2022 IR 100\\ISO 2022 IR 87", b"\x1b$B;3\nED\xe9ED", "山\nEDéED"),
        # a second byte that looks like a delimiter
        (b"GB18030", "\N{CJK UNIFIED IDEOGRAPH-8A95}\\a".encode("gb18030"), "\N{CJK UNIFIED IDEOGRAPH-8A95}\\a"),
        (b"GBK", b"\x81\x5c\x81\x5e", "乗乛"),
        # whole syllables made of their parts
        (b"\\ISO 2022 IR 149", b"\x1b$)C" + "뷁".encode("euc_kr"), "뷁"),
        (b"ISO 2022 IR 13", b"~\xd4", "~ﾔ"),
        (b"ISO_IR 192", b"", ""),
        (b"ISO 2022 IR 100\\ISO 2022 IR 87", b"\x1b$B", ""),
    ],
)  # fmt: skip
def test_more_is_read_than_is_written(character_set: bytes | None, data: bytes, text: str) -> None:
    assert decode_text(data, character_set, delimiters=NAME) == text


@pytest.mark.parametrize(
    ("character_set", "data"),
    [
        (None, b"\xe9"), (b"", b"\xe9"), (b"ISO_IR 192", b"\xe9t\xe9"), (b"ISO_IR 192", b"\xed\xa0\x80"),
        (b"GB18030", b"\xd5"), (b"ISO_IR 126", b"\xff"), (b"ISO_IR 13", b"\x93\xfa"), (b"ISO_IR 13", b"\xfa"),
        (b"ISO_IR 999", b"\xe9"), (b"\xff", b"\xe9"), (b"ISO_IR 192\\ISO 2022 IR 87", b"\xc3\xa9"),
        (b"\\ISO 2022 IR 87", b"\xe9"), (b"\\ISO 2022 IR 87", b"\x1b$B;"), (b"\\ISO 2022 IR 87", b"\x1b$B;3E\r"),
        (b"\\ISO 2022 IR 87", b"\x1b$B; 3"), (b"\\ISO 2022 IR 87", b"\x1b$B\x7f\x7f"), (b"\\ISO 2022 IR 87", b"a\x1b"),
        (b"\\ISO 2022 IR 149", b"\x1b$)C\xc8"), (b"\\ISO 2022 IR 149", b"\x1b$)C\xc8a"),
        (b"\\ISO 2022 IR 149\\ISO 2022 IR 58", b"\x1b$)C\xc8\xab^\xc8\xab"), (b"\\ISO 2022 IR 159", b"\x1b$(D0"),
        (b"ISO_IR 100", b"\x1b[1m"), (b"ISO_IR 100", b"\x1b%G\xc3\xa9"), (b"ISO_IR 192", b"\x1b$B;3\x1b(B"),
        (b"ISO_IR 999", b"\x1b(B"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_in_a_set_is_an_error(character_set: bytes | None, data: bytes) -> None:
    with pytest.raises(TextError) as caught:
        decode_text(data, character_set, delimiters=NAME)
    assert str(caught.value) == "a text is not in the Specific Character Set that is given for it"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([b"\x1b", b"$B", b"(B", b"-L", b")I", b"$)C", b"\n", b"^", b" "]) | st.binary(max_size=4)),
    st.sampled_from(["", "ISO_IR 13", "ISO_IR 192", "GBK", *("\\".join(f"ISO 2022 IR {n}" for n in p) for p in PAIRS)]),
)
def test_any_bytes_are_text_or_an_error(parts: list[bytes], character_set: str) -> None:
    """And all that is text has no escape sequences in it any more."""
    try:
        text = decode_text(b"".join(parts), character_set.encode(), delimiters=NAME)
    except TextError:
        return
    assert "\x1b" not in text


@pytest.mark.parametrize(
    "part", [b"\x1b$B", b"\x1b$B;3\x1b(B", b"\xe9", b"a^", b"\x1b", b"\x1b-", b"-", b"\x1b$B;3 ", b"\n"]
)
def test_reading_takes_no_more_than_linear_time(part: bytes) -> None:
    """Measured by how much longer ten times as much takes; a hundred times would be quadratic."""

    def seconds(size: int) -> float:
        data, begin = b"\x1b" + part * size, time.process_time()
        try:
            decode_text(data, b"ISO 2022 IR 100\\ISO 2022 IR 87", delimiters=NAME)
        except TextError:
            pass
        return time.process_time() - begin

    assert seconds(100_000) < 40 * max(seconds(10_000), 0.002)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (None, b"", True), (b"", b"ISO_IR 6 ", True), (b"ISO_IR 100", b"ISO 2022 IR 100\0", True),
        (b"\\ISO 2022 IR 87", b"ISO 2022 IR 6 \\ ISO 2022 IR 87", True), (b"ISO_IR 999", b"ISO_IR 999", True),
        (b"ISO_IR 100", b"ISO_IR 192", False), (b"\\ISO 2022 IR 87", b"ISO 2022 IR 87", False),
        (b"ISO_IR 100", b"ISO_IR 100\\ISO 2022 IR 144", False), (None, b"ISO_IR 192", False),
        (b"\xfe", b"\xff", False),
    ],
)  # fmt: skip
def test_sets_are_the_same_by_what_they_are(one: bytes | None, other: bytes | None, expected: bool) -> None:
    assert same_sets(one, other) is same_sets(other, one) is expected
