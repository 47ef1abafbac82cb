"""The proof: what is left of the originals in an output is found, wherever and however encoded, and nothing else is."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest

from dcmveil import provenance
from dcmveil.errors import ParseError
from dcmveil.files import deidentify_file
from dcmveil.policy import Policy
from dcmveil.sources import FileSource
from dcmveil.verifying import Finding, Verifier
from tests.data.identity import IDENTITY
from tests.hostile.forms import DEFLATED, EXPLICIT, FORMS, IMPLICIT, Form

PATIENT_NAME, PATIENT_ID, BIRTH_DATE, INSTITUTION = 0x00100010, 0x00100020, 0x00100030, 0x00080080
MANUFACTURER, CONTENT_DATE, METHOD, COMMENTS = 0x00080070, 0x00080023, 0x00120063, 0x00104000
SEQUENCE, MEANING, PIXEL_DATA = 0x00081140, 0x00080104, 0x7FE00010
ORIGINALS = [
    (PATIENT_NAME, "PN", b"Vandenberg^Johanna"),
    (PATIENT_ID, "LO", b"998877"),
    (BIRTH_DATE, "DA", b"19700523"),
]

_Values = Iterable[tuple[int, str, bytes]]


@contextmanager
def opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def finding(
    folder: Path, dataset: bytes, *, form: Form = EXPLICIT, values: _Values = ORIGINALS, allowed: Iterable[bytes] = ()
) -> Finding | None:
    (folder / "out.dcm").write_bytes(form.file(form.common() + dataset))
    with opened(folder / "out.dcm") as fd:
        return Verifier(values, [b"ISO_IR 100"], allowed=allowed).check(FileSource(fd))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_an_original_is_found_with_its_place(form: Form, folder: Path) -> None:
    assert finding(folder, form.element(COMMENTS, "LT", b"born 19700523"), form=form) == (BIRTH_DATE, "(0010,4000)")
    assert finding(folder, form.element(COMMENTS, "LT", b"born last year"), form=form) is None


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("open_end", [True, False])
def test_the_innermost_element_is_named(form: Form, open_end: bool, folder: Path) -> None:
    inner = form.sequence(SEQUENCE, form.item(), form.item(form.element(MEANING, "LO", b"Mrs VANDENBERG")))
    outer = form.sequence(SEQUENCE, form.open_item(inner), open_end=open_end)
    place = "(0008,1140)[1]>(0008,1140)[2]>(0008,0104)"
    assert finding(folder, outer + form.element(COMMENTS, "LT", b"1"), form=form) == (PATIENT_NAME, place)


@pytest.mark.parametrize("neighbour", [0x00320010, 0x00380010, 0x00410010])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_headers_beside_a_value_are_no_digits_of_it(form: Form, neighbour: int, folder: Path) -> None:
    """Group 0032 begins with a 2, and a length of 0x36 is a 6."""
    text = b"x" * (0x36 - 6) + b"998877"
    dataset = form.element(COMMENTS, "LO", b"998877") + form.element(neighbour, "LO", text)
    assert finding(folder, dataset, form=form) == (PATIENT_ID, "(0010,4000)")
    assert finding(folder, form.element(neighbour, "LO", b"998877" + text), form=form) is not None


def test_a_form_that_is_found_by_chance_does_not_count(folder: Path) -> None:
    within = EXPLICIT.element(COMMENTS, "LT", b"0199887712 and Svandenbergs")
    across = EXPLICIT.element(MEANING, "LO", b"9988") + EXPLICIT.element(COMMENTS, "LT", b"77")
    assert finding(folder, within + across) is None


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_bulk_is_passed_over(form: Form, folder: Path) -> None:
    text = b"Vandenberg^Johanna " * 10_000
    bulk = form.element(PIXEL_DATA, "OW", text) + form.element(0x7FE10010, "OB", text)
    content = form.sequence(0x04000500, form.item(form.element(0x04000520, "OB", b"Vandenberg^Johanna ")))
    assert finding(folder, content + bulk, form=form) is None
    last = form.element(0x7FE10020, "LO", b"Vandenberg^Johanna")
    assert finding(folder, content + bulk + last, form=form) == (PATIENT_NAME, "(7FE1,0020)")


@pytest.mark.parametrize("at", [0, 100, 65_400, 65_530, 65_536, 262_100, 400_000])
@pytest.mark.parametrize("form", [EXPLICIT, DEFLATED], ids=lambda form: form.name)
def test_long_text_is_searched_from_end_to_end(form: Form, at: int, folder: Path) -> None:
    text = b"." * at + b"Vandenberg" + b"." * (400_010 - at)
    assert finding(folder, form.element(COMMENTS, "UT", text), form=form) == (PATIENT_NAME, "(0010,4000)")
    glued = b"." * at + b"Vandenbergx" + b"." * (400_010 - at)
    assert finding(folder, form.element(COMMENTS, "UT", glued), form=form) is None


def test_text_within_an_unknown_element_is_found(folder: Path) -> None:
    inner = IMPLICIT.open_item(IMPLICIT.element(COMMENTS, "LT", b"Vandenberg"))
    dataset = EXPLICIT.sequence(0x00091010, inner, vr="UN", open_end=True)
    assert finding(folder, dataset) == (PATIENT_NAME, "(0009,1010)[1]>(0010,4000)")


def test_file_meta_information_is_searched_too(folder: Path) -> None:
    (folder / "out.dcm").write_bytes(EXPLICIT.file(EXPLICIT.common()))
    with opened(folder / "out.dcm") as fd:
        found = Verifier([(0x00080018, "UI", b"2.999.7.7")], []).check(FileSource(fd))
    assert found == (0x00080018, "(0002,0003)")


@pytest.mark.parametrize(
    ("tag", "vr", "text"),
    [
        (METHOD, "LO", provenance.method()),
        (METHOD, "LO", b"by hand\\Clean Graphics Option"),
        (MEANING, "LO", b"Basic Application Confidentiality Profile"),
        (CONTENT_DATE, "DA", b"19000101"),
        (PATIENT_NAME, "PN", b"REMOVED"),
        (0x00020013, "SH", provenance.IMPLEMENTATION_VERSION_NAME),
        (0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7"),
    ],
)
def test_what_is_written_by_us_is_no_original(tag: int, vr: str, text: bytes, folder: Path) -> None:
    words = [b"Graphics^Basic", b"Confidentiality^Dcmveil", b"REMOVED", b"Application"]
    values = [
        *((PATIENT_NAME, "PN", word) for word in words),
        (PATIENT_ID, "LO", b"10008"),
        (BIRTH_DATE, "DA", b"19000101"),
    ]
    assert finding(folder, EXPLICIT.element(tag, vr, text), values=values) is None


def test_our_words_in_other_texts_are_originals(folder: Path) -> None:
    values = [(PATIENT_NAME, "PN", b"Graphics^Basic")]
    assert finding(folder, EXPLICIT.element(COMMENTS, "LT", b"Mr Graphics"), values=values) is not None


def test_an_allowed_value_may_stand_as_a_whole_only(folder: Path) -> None:
    allowed = [b"19700523", b"Vandenberg Clinic "]
    dataset = EXPLICIT.element(CONTENT_DATE, "DA", b"19700523") + EXPLICIT.element(
        INSTITUTION, "LO", b"X\\VANDENBERG Clinic"
    )
    assert finding(folder, dataset, allowed=allowed) is None
    assert finding(folder, dataset) is not None
    assert finding(folder, EXPLICIT.element(COMMENTS, "LT", b"born 19700523"), allowed=allowed) is not None
    assert finding(folder, EXPLICIT.element(INSTITUTION, "LO", b"Vandenberg"), allowed=allowed) is not None


def test_without_originals_there_is_nothing_to_find(folder: Path) -> None:
    assert finding(folder, EXPLICIT.element(COMMENTS, "LT", b"Vandenberg"), values=[]) is None


def test_a_file_that_cannot_be_read_is_not_verified(folder: Path) -> None:
    (folder / "out.dcm").write_bytes(EXPLICIT.file(EXPLICIT.common() + EXPLICIT.element(COMMENTS, "LT", b"1234"))[:-1])
    with opened(folder / "out.dcm") as fd, pytest.raises(ParseError):
        Verifier(ORIGINALS, []).check(FileSource(fd))


def test_no_value_is_shown() -> None:
    assert "Vandenberg" not in repr(Verifier(ORIGINALS, [None]))
    assert "andenberg" not in repr(Finding(PATIENT_NAME, "(0010,4000)"))


def test_memory_does_not_grow_with_the_file(folder: Path) -> None:
    (folder / "out.dcm").write_bytes(
        EXPLICIT.file(
            EXPLICIT.common() + b"".join(EXPLICIT.element(0x00091010, "UT", bytes(1 << 20)) for _ in range(12))
        )
    )
    tracemalloc.start()
    with opened(folder / "out.dcm") as fd:
        assert Verifier(ORIGINALS, []).check(FileSource(fd)) is None
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


def test_the_sample_is_clean_afterwards_and_was_not_before(sample_image: Path, folder: Path) -> None:
    """R1: every text of the invented patient, looked for in what is left."""
    tags = {tag for tag, *_rest in IDENTITY} - {0x00041130, 0x0008F00E}
    dataset = pydicom.dcmread(sample_image)
    raw = [dataset.get_item(tag) for tag in sorted(tags) if tag in dataset]
    values = [(int(one.tag), one.VR, one.value) for one in raw if isinstance(one.value, bytes) and one.VR != "SQ"]
    verifier = Verifier(values, [b"ISO_IR 192"])
    assert len(values) > 50
    deidentify_file(sample_image, folder / "out.dcm", Policy())
    with opened(folder / "out.dcm") as output, opened(sample_image) as original:
        assert verifier.check(FileSource(output)) is None
        assert verifier.check(FileSource(original)) is not None
