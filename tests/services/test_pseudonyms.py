"""Pseudonyms against a computation of their own, maps of a site's own, and that nobody sees a Value."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import os
import re
import threading
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmveil import pseudonyms
from dcmveil.errors import Refused, ResourceError
from dcmveil.pseudonyms import Pseudonyms, pseudonym, read_pairs

SECRET = bytes(range(32))
ACCESSION_NUMBER, PATIENT_NAME, PATIENT_ID, STUDY_ID = 0x00080050, 0x00100010, 0x00100020, 0x00200010
KINDS = {
    ACCESSION_NUMBER: b"accession-number",
    PATIENT_NAME: b"patient-name",
    PATIENT_ID: b"patient-id",
    STUDY_ID: b"study-id",
}
ARGUMENTS = {
    ACCESSION_NUMBER: "accession_number",
    PATIENT_NAME: "patient_name",
    PATIENT_ID: "patient_id",
    STUDY_ID: "study_id",
}
ALL_KEYED = Pseudonyms(SECRET, **dict.fromkeys(ARGUMENTS.values(), "keyed"))
ALL_MAPPED = Pseudonyms(SECRET, **{argument: {"4711": "NEW"} for argument in ARGUMENTS.values()})
EVERY_TAG = pytest.mark.parametrize("tag", KINDS)

texts = st.text(min_size=1, max_size=20).filter(lambda text: text == text.strip(" \0"))


def expected(kind: bytes, value: bytes, secret: bytes = SECRET) -> str:
    digest = hmac.new(secret, b"dcmveil/" + kind + b"\x00" + value, hashlib.sha256).digest()
    return base64.b32encode(digest)[:12].decode()


# ---- keyed -----------------------------------------------------------------------------------------------------


def test_a_pseudonym_is_a_frozen_value() -> None:
    """R14: what was replaced once must be replaced so by every later version."""
    assert pseudonym(SECRET, b"patient-id", b"4711") == "XRKWDFVLB5V2"
    assert ALL_KEYED.replacement(PATIENT_ID, "4711", patient_id="4711") == "XRKWDFVLB5V2"


@given(st.binary(min_size=16, max_size=40), st.sampled_from(sorted(KINDS.values())), st.binary(max_size=80))
def test_a_pseudonym_is_the_head_of_a_keyed_digest(secret: bytes, kind: bytes, value: bytes) -> None:
    """R14, R28: never an unkeyed hash."""
    new = pseudonym(secret, kind, value)
    assert new == expected(kind, value, secret)
    assert re.fullmatch("[A-Z2-7]{12}", new)


@EVERY_TAG
@given(value=texts)
def test_each_attribute_has_pseudonyms_of_its_own(tag: int, value: str) -> None:
    """R14"""
    new = ALL_KEYED.replacement(tag, value, patient_id="")
    assert new == expected(KINDS[tag], value.encode())


def test_text_that_is_no_unicode_has_a_pseudonym_too() -> None:
    undecodable = b"M\xfcller".decode("utf-8", "surrogateescape")
    new = ALL_KEYED.replacement(PATIENT_NAME, undecodable, patient_id="")
    assert new == expected(b"patient-name", b"M\xed\xb3\xbcller")


def test_ten_thousand_patients_do_not_merge() -> None:
    """R14: a pseudonym for each, the same from whoever has the secret; none in common with another secret."""
    patients = [f"PATIENT-{number:05}" for number in range(10_000)]
    first, again, other = (
        [made.replacement(PATIENT_ID, patient, patient_id=patient) for patient in patients]
        for made in (ALL_KEYED, Pseudonyms(SECRET, patient_id="keyed"), Pseudonyms(SECRET[::-1], patient_id="keyed"))
    )
    assert first == again
    assert len(set(first)) == len(patients)
    assert set(first).isdisjoint(other)


@given(texts, texts)
def test_a_patient_is_called_by_the_pseudonym_of_the_id(name: str, patient_id: str) -> None:
    """R14: however the name is spelled, and if it is the only one of the two that is keyed."""
    new = ALL_KEYED.replacement(PATIENT_NAME, name, patient_id=patient_id)
    assert new == ALL_KEYED.replacement(PATIENT_ID, patient_id, patient_id=patient_id)
    assert new == Pseudonyms(SECRET, patient_name="keyed").replacement(PATIENT_NAME, name, patient_id=patient_id)


@pytest.mark.parametrize("patient_id", ["", " ", "\0\0"])
def test_a_patient_without_id_is_called_by_the_name(patient_id: str) -> None:
    new = ALL_KEYED.replacement(PATIENT_NAME, "DOE^JOHN ", patient_id=patient_id)
    assert new == expected(b"patient-name", b"DOE^JOHN")


@pytest.mark.parametrize("padded", ["4711 ", " 4711", "4711\0", "\0 4711 \0"])
def test_padding_does_not_matter(padded: str) -> None:
    """R14"""
    mapped = Pseudonyms(SECRET, patient_id={"4711 ": "A"})
    assert ALL_KEYED.replacement(PATIENT_ID, padded, patient_id=padded) == "XRKWDFVLB5V2"
    assert ALL_KEYED.replacement(PATIENT_NAME, "DOE^JOHN", patient_id=padded) == "XRKWDFVLB5V2"
    assert mapped.replacement(PATIENT_ID, padded, patient_id=padded) == "A"


def test_memo_is_bounded_and_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonyms, "MEMO_ENTRIES", 8)
    made = Pseudonyms(SECRET, study_id="keyed")
    first = [made.replacement(STUDY_ID, str(number), patient_id="") for number in range(50)]
    assert first == [made.replacement(STUDY_ID, str(number), patient_id="") for number in range(50)]
    assert made._pseudonym.cache_info().currsize == 8


def test_threads_agree() -> None:
    made, found = Pseudonyms(SECRET, study_id="keyed"), []
    work = [str(number) for number in range(500)]
    threads = [
        threading.Thread(target=lambda: found.append([made.replacement(STUDY_ID, old, patient_id="") for old in work]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[expected(b"study-id", old.encode()) for old in work]] * 4


# ---- AE titles -------------------------------------------------------------------------------------------------


def test_every_ae_title_of_a_value_is_replaced() -> None:
    """R56: cleaned, so that equal ones can still be told to be so."""
    scanner, archive = (expected(b"ae-title", title).encode() for title in (b"CT1", b"ARCHIVE"))
    assert ALL_KEYED.ae_title(b"CT1 ") == Pseudonyms(SECRET).ae_title(b" CT1") == scanner
    assert ALL_KEYED.ae_title(b"CT1\\ \\ARCHIVE\\CT1\0") == b"\\".join([scanner, b"", archive, scanner]) + b" "


@pytest.mark.parametrize(("value", "new"), [(b"", b""), (b"  ", b""), (b"\\", b"\\ "), (b" \\\0\\", b"\\\\")])
def test_empty_ae_titles_stay_empty(value: bytes, new: bytes) -> None:
    assert ALL_KEYED.ae_title(value) == new


# ---- choices ---------------------------------------------------------------------------------------------------


def test_there_are_four_attributes() -> None:
    assert Pseudonyms.attributes == tuple(KINDS)
    with pytest.raises(KeyError):
        ALL_KEYED.replacement(0x00100030, "19700101", patient_id="4711")


@EVERY_TAG
def test_each_attribute_has_a_choice_of_its_own(tag: int) -> None:
    made = Pseudonyms(SECRET, **{ARGUMENTS[tag]: {"4711": "NEW"}})
    found = {other: made.replacement(other, "4711", patient_id="4711") for other in KINDS}
    assert found == {**dict.fromkeys(KINDS), tag: "NEW"}


@EVERY_TAG
@pytest.mark.parametrize("value", ["", " ", "\0"])
def test_an_empty_value_stays_empty(tag: int, value: str) -> None:
    assert ALL_KEYED.replacement(tag, value, patient_id="4711") == ""
    assert ALL_MAPPED.replacement(tag, value, patient_id="4711") == ""
    assert Pseudonyms(SECRET).replacement(tag, value, patient_id="4711") is None


@EVERY_TAG
def test_what_is_not_in_the_map_is_refused_and_not_shown(tag: int) -> None:
    with pytest.raises(Refused) as caught:
        ALL_MAPPED.replacement(tag, "SECRET4712", patient_id="SECRET4712")
    assert caught.value.reason == "not-in-map"
    group, element = divmod(tag, 1 << 16)
    assert str(caught.value).startswith(f"({group:04X},{element:04X}): ")
    assert "4712" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_map_is_taken_as_it_was() -> None:
    old = {"4711": "NEW"}
    made = Pseudonyms(SECRET, study_id=MappingProxyType(old))
    old["4711"] = "NEWER"
    assert made.replacement(STUDY_ID, "4711", patient_id="") == "NEW"


@pytest.mark.parametrize(
    ("tag", "most"), [(ACCESSION_NUMBER, 16), (PATIENT_NAME, 64), (PATIENT_ID, 64), (STUDY_ID, 16)]
)
def test_new_values_fit_into_the_vr(tag: int, most: int) -> None:
    Pseudonyms(SECRET, **{ARGUMENTS[tag]: {"4711": "N" * most}})
    with pytest.raises(ValueError, match=f": a new Value in the map has more than {most} characters") as caught:
        Pseudonyms(SECRET, **{ARGUMENTS[tag]: {"4711": "N", "4712": "N" * (most + 1)}})
    assert "4712" not in str(caught.value)
    assert "NN" not in str(caught.value)


@EVERY_TAG
@pytest.mark.parametrize("new", ["A\\B", "A\nB", "A\x1b(B", "\x7f", "\x85"])
def test_new_values_are_single_and_plain(tag: int, new: str) -> None:
    with pytest.raises(ValueError, match="holds a control character or a backslash"):
        Pseudonyms(SECRET, **{ARGUMENTS[tag]: {"4711": new}})


@pytest.mark.parametrize("choice", ["", "Keyed", "map.csv"])
def test_refuses_other_choices(choice: str) -> None:
    with pytest.raises(ValueError, match='Patient ID: "empty", "keyed" or a mapping expected'):
        Pseudonyms(SECRET, patient_id=choice)


def test_refuses_short_secrets_and_never_shows_anything() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Pseudonyms(b"fifteen bytes!!")
    assert repr(Pseudonyms(b"a secret that is long", patient_id={"4711": "NEW"})) == "Pseudonyms(...)"


# ---- maps of a site's own --------------------------------------------------------------------------------------


def pairs_of(folder: Path, content: str | bytes) -> dict[str, str]:
    path = folder / "pairs.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_pairs(str(path))


def refusal(folder: Path, content: str | bytes) -> str:
    """What the error says behind the path; it is one line, and chains to nothing that could show a Value."""
    with pytest.raises(ResourceError) as caught:
        pairs_of(folder, content)
    text = str(caught.value)
    assert text.isprintable()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return text.removeprefix(f"{folder / 'pairs.csv'}:")


@pytest.mark.parametrize(
    ("header", "bom", "end"),
    list(itertools.product(["", "id_old,id_new", "old,new"], ["", "\ufeff"], ["\n", "\r\n", "\r"])),
)
def test_pairs_are_read(tmp_path: Path, header: str, bom: str, end: str) -> None:
    lines = [header] * bool(header) + [
        "4711,A",
        '"DOE, ""J""",M\u00fcller',
        "",
        " 4712 ,B ",
        "4711,A",
        "4713,",
        "id_old,id_new",
    ]
    expected = {"4711": "A", 'DOE, "J"': "M\u00fcller", "4712": "B", "4713": "", "id_old": "id_new"}
    assert pairs_of(tmp_path, bom + end.join(lines)) == expected
    assert pairs_of(tmp_path, bom + end.join(lines) + end) == expected


@pytest.mark.parametrize("content", ["", "\n\n", "id_old,id_new\n", "\ufeffold,new"])
def test_there_may_be_no_pairs(tmp_path: Path, content: str) -> None:
    assert pairs_of(tmp_path, content) == {}


def test_the_header_is_the_first_line_only(tmp_path: Path) -> None:
    assert pairs_of(tmp_path, "4711,A\nold,new\n") == {"4711": "A", "old": "new"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("4711,A\n4712\n", "2: two columns expected, found 1"),
        ("id_old,id_new,more\n", "1: two columns expected, found 3"),
        ("4711;A\n", "1: two columns expected, found 1"),
        ("4711,A\n \n", "2: two columns expected, found 1"),
        ("old,new\n,A\n", "2: the old Value is empty"),
        ("4711,A\n \0,A\n", "2: the old Value is empty"),
        ("4711,A\n\n4712,B\n4711 ,B\n", "4: the old Value has another new Value further up"),
        ("4711," + "N" * 65, "1: the new Value has more than 64 characters"),
        ("4711,A\\B", "1: the new Value holds a control character or a backslash"),
        ('4711,"A\nB"\n', "2: the new Value holds a control character or a backslash"),
        ("4711,A\tB", "1: the new Value holds a control character or a backslash"),
        ("4711,A\x85B", "1: the new Value holds a control character or a backslash"),
        ('4711,A\n"4712"x,B\n', "2: is not CSV: a quote or a column too long"),
        ('4711,A\n"4712,B\n', "2: is not CSV: a quote or a column too long"),
        ("9" * 200_000 + ",A\n", "1: is not CSV: a quote or a column too long"),
        (b"4711,A\n4712,M\xfcller\n", "2: is not UTF-8"),
        ("4711,A\n".encode("utf-16"), "1: is not UTF-8"),
    ],
)
def test_mistakes_are_told_with_their_line_and_without_a_value(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    assert refusal(tmp_path, content) == message


def test_64_characters_are_not_too_many(tmp_path: Path) -> None:
    assert pairs_of(tmp_path, "4711," + "\u00fc" * 64) == {"4711": "\u00fc" * 64}


def test_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pseudonyms.MAX_BYTES == 64 * 2**20
    monkeypatch.setattr(pseudonyms, "MAX_BYTES", 2**20)
    rows = b"47110,A\n" * 2**17
    assert pairs_of(tmp_path, rows) == {"47110": "A"}
    assert refusal(tmp_path, rows + b"\n") == " is larger than 1 MiB"


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "fifo")
    for name in ("fifo", "link", "."):
        with pytest.raises(ResourceError, match=r"is not a regular file$"):
            read_pairs(str(tmp_path / name))
    with pytest.raises(ResourceError, match=r"No such file or directory$"):
        read_pairs(str(tmp_path / "none\n.csv"))
