"""Text in every Specific Character Set: the examples of PS3.5, what is read back, and what does not fit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import charset as pydicom_charset

from dcmveil.charsets import TextError, encode_text

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


@pytest.mark.parametrize(
    ("character_set", "text", "expected"),
    [
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
    ],
)  # fmt: skip
def test_writes(character_set: str, text: str, expected: bytes) -> None:
    assert encode_text(text, character_set.encode(), delimiters=NAME) == expected


def test_lines_begin_with_what_value_1_names() -> None:
    """PS3.5 I.3"""
    written = encode_text("길동\r\n길동\t길\f동", b"\\ISO 2022 IR 149")
    assert written.count(b"\x1b$)C") == 4
    written = encode_text("山\r\n田^太\\郎", b"\\ISO 2022 IR 87")
    assert written == b"\x1b$B;3\x1b(B\r\n\x1b$BED\x1b(B^\x1b$BB@\x1b(B\\\x1b$BO:\x1b(B"


@pytest.mark.parametrize("character_set", [None, b"", b" ", b"ISO_IR 6", b"\\ISO 2022 IR 87", b"ISO_IR 999", b"\xff"])
def test_ascii_is_ascii_in_every_set(character_set: bytes | None) -> None:
    assert encode_text(ASCII, character_set) == ASCII.encode()


@pytest.mark.parametrize(("term", "codec"), SINGLE.items())
def test_single_sets_have_all_that_python_knows(term: str, codec: str) -> None:
    """But for control characters, and for what is not in JIS X 0201 but in Shift JIS."""
    missing = []
    for character in map(chr, [*range(0x20, 0x7F), *range(0xA0, 0xD800)]):
        expected = character.encode(codec, "ignore")
        try:
            assert encode_text(character, term.encode(), delimiters=NAME) == expected != b""
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
