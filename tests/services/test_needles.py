"""The forms an identifying Value can stand in, and where they count."""

from __future__ import annotations

import pytest

from dcmveil.needles import LONGEST, Guard, needles_of, stands_alone

PATIENT_NAME, PATIENT_ID, BIRTH_DATE, STUDY_UID, COMMENTS = 0x00100010, 0x00100020, 0x00100030, 0x0020000D, 0x00104000
LATIN_1, UTF_8, JAPANESE, KOREAN = b"ISO_IR 100", b"ISO_IR 192", b"\\ISO 2022 IR 87", b"\\ISO 2022 IR 149"


def forms(vr: str, value: bytes, *sets: bytes | None) -> set[bytes]:
    return set(needles_of([(PATIENT_NAME, vr, value)], sets or [None]))


def is_found(data: bytes, vr: str, value: bytes, *sets: bytes | None) -> bool:
    needles = needles_of([(PATIENT_NAME, vr, value)], sets or [None])
    data = data.lower()
    return any(
        stands_alone(data, at, at + len(form), needle.guard)
        for form, needle in needles.items()
        for at in range(len(data))
        if data.startswith(form, at)
    )


@pytest.mark.parametrize(
    "text",
    [
        b"Vandenberg^Johanna^Maria",
        b"VANDENBERG^JOHANNA",
        b"report on Johanna, 45",
        b"(vandenberg)",
        b"Johanna Vandenberg",
        b"Lee Ann",
        b"ann lee",
        b"Lee, Ann",
        b"seen: Lee^Ann.",
    ],
)
def test_a_name_is_found_in_all_its_orders(text: bytes) -> None:
    assert is_found(text, "PN", b"Vandenberg^Johanna^Maria ") or is_found(text, "PN", b"Lee^Ann^^^=")


@pytest.mark.parametrize("text", [b"sleeann", b"Johannas", b"Lee", b"Ann", b"Le e Ann", b"Kim^Ann"])
def test_parts_of_words_and_short_components_are_no_names(text: bytes) -> None:
    assert not is_found(text, "PN", b"Lee^Ann")
    assert not is_found(text, "PN", b"Vandenberg^Johanna^Maria")


def test_component_groups_are_found_alone() -> None:
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう".encode()
    for text in ("山田^太郎", "山田 太郎", "太郎 山田", "やまだ", "様山田様"):
        assert is_found(text.encode(), "PN", name, UTF_8)
    assert not is_found("山".encode(), "PN", name, UTF_8)


@pytest.mark.parametrize("written_in", ["latin_1", "utf_8"])
def test_a_text_is_found_in_another_character_set_than_its_own(written_in: str) -> None:
    name = "Müller^Jürgen"
    for own in (LATIN_1, UTF_8):
        value = name.encode("latin_1" if own is LATIN_1 else "utf_8")
        assert is_found("Herr Müller kam".encode(written_in), "PN", value, own)
        assert is_found("JüRGEN MüLLER".encode(written_in), "PN", value, own)


def test_bytes_that_their_set_does_not_have_are_found_as_they_are() -> None:
    assert is_found(b"x M\xfcller x", "PN", b"M\xfcller^Anna", None)


@pytest.mark.parametrize(
    "text",
    [b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", b"kanja \x1b$B;3EDMM\x1b(B", b"\x1b$B4<<T;3ED\x1b(B", "患者山田様".encode()],
)
def test_kanji_are_found_within_a_run(text: bytes) -> None:
    assert is_found(text, "PN", b"Yamada^T=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", JAPANESE)


def test_kanji_are_not_found_in_ascii() -> None:
    assert not is_found(b"code ;3ED here", "PN", b"Yamada^T=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", JAPANESE)
    assert not is_found(b"\x1b$BMM\x1b(B ;3ED here", "PN", b"=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", JAPANESE)


def test_a_word_behind_an_escape_sequence_stands_alone() -> None:
    assert is_found(b"\x1b$B;3ED\x1b(BYamada", "PN", b"Yamada^Tarou", JAPANESE)


def test_hangul_is_found() -> None:
    name = b"Hong^Gildong=" + b"\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
    for text in (b"\x1b$)Cx \xb1\xe6\xb5\xbf", "길동".encode(), "홍^길동".encode()):
        assert is_found(text, "PN", name, KOREAN)


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        (b"PID-998877", b"xPID-998877x", True),
        (b"PID-998877 ", b"pid-998877", True),
        (b"AB12", b"(ab12)", True),
        (b"AB12", b"AB123", False),
        (b"AB12", b"CAB12", False),
        (b"AB1", b"AB1", False),
        (b"12345", b"A12345B", True),
        (b"12345", b"123456", False),
        (b"12345", b"012345", False),
        (b"12345", b"0.12345", False),
        (b"12345", b"12345.5", False),
        (b"12345", b"No. 12345.", True),
        (b"1234", b"1234", False),
        (b"one\\PID-998877", b"PID-998877", True),
    ],
)
def test_ids(value: bytes, text: bytes, expected: bool) -> None:
    assert is_found(text, "LO", value) is expected


@pytest.mark.parametrize(
    ("vr", "value", "text", "expected"),
    [
        ("DA", b"19700523", b"on 19700523", True),
        ("DA", b"1970.05.23", b"on 19700523", True),
        ("DA", b"1970.05.23", b"on 1970.05.23", True),
        ("DA", b"19700523", b"197005231", False),
        ("DT", b"19700523101112.5+0100", b"19700523", True),
        ("DT", b"19700523101112.5+0100", b"at 19700523101112.5+0100", True),
        ("DT", b"197005", b"197005", False),
        ("TM", b"101112", b"101112", False),
        ("AS", b"045Y", b"045Y", False),
        ("DS", b"12345.5", b"12345.5", False),
        ("SQ", b"Vandenberg", b"Vandenberg", False),
        ("UI", b"1.2.3.45", b"1.2.3.45\0", True),
        ("UI", b"1.2.3.45\0", b"1.2.3.456", False),
        ("UI", b"1.2.3.45", b"1.2.3.45.6", False),
        ("UI", b"1.2.3.45", b"11.2.3.45", False),
        ("UI", b"1.2.840.10008.1.2", b"1.2.840.10008.1.2", False),
        ("UI", b"1.2.3.45\\1.2.3.46", b"1.2.3.46", True),
        ("UN", b"Vandenberg", b"Vandenberg", True),
        ("UN", b"\1\2\3\4", b"\1\2\3\4", False),
        ("UN", bytes(range(32)), b"x" + bytes(range(32)), True),
    ],
)
def test_other_values(vr: str, value: bytes, text: bytes, expected: bool) -> None:
    assert is_found(text, vr, value) is expected


@pytest.mark.parametrize("vr", ["LT", "ST", "UT"])
def test_a_long_text_is_found_by_its_beginning(vr: str) -> None:
    text = b"Findings of the day, in many words: " * 100
    assert max(map(len, forms(vr, text))) == LONGEST
    assert is_found(b"xx" + text[:300], vr, text)
    assert forms(vr, b"one\\two, three") == {b"one\\two, three"}


def test_every_form_knows_its_original() -> None:
    values = [(PATIENT_ID, "LO", b"PID-998877"), (BIRTH_DATE, "DA", b"19700523"), (STUDY_UID, "UI", b"1.2.3.45")]
    needles = needles_of(values, [None])
    assert {form: needle.original for form, needle in needles.items()} == {
        b"pid-998877": PATIENT_ID,
        b"19700523": BIRTH_DATE,
        b"1.2.3.45": STUDY_UID,
    }
    assert needles[b"19700523"].guard is Guard.NUMBER


def test_the_same_value_in_two_character_sets_has_the_forms_of_both() -> None:
    assert forms("LO", b"K\xf6ln-Mitte", LATIN_1) >= {"köln-mitte".encode(), "köln-mitte".encode("latin_1")}
    assert "kцln-mitte".encode() in forms("LO", b"K\xe6ln-Mitte", LATIN_1, b"ISO_IR 144")
