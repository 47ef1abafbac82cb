"""A file gone through forward: every Value that is no bulk is told and shown, bulk is neither, paths are right."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path as File

import pytest

from dcmveil.errors import ParseError
from dcmveil.files import deidentify_file
from dcmveil.policy import Policy
from dcmveil.sources import FileSource
from dcmveil.walking import OVERLAP, Path, Walk
from tests.hostile.forms import DEFLATED, EXPLICIT, FORMS, IMPLICIT, Form

PATIENT_NAME, COMMENTS, PIXEL_DATA = 0x00100010, 0x00104000, 0x7FE00010
REFERENCES, PURPOSE, MEANING = 0x00081140, 0x0040A170, 0x00080104
ENCRYPTED, CONTENT = 0x04000500, 0x04000520
ENCAPSULATED = Form("encapsulated", "1.2.840.10008.1.2.4.50")


@pytest.fixture
def opened(tmp_path: File) -> Iterator[Opener]:
    opener = Opener(tmp_path)
    yield opener
    opener.close()


class Opener:
    """Writes bytes into files, and opens these."""

    def __init__(self, folder: File) -> None:
        self._folder = folder
        self._numbers = count()
        self._descriptors: list[int] = []

    def __call__(self, data: bytes) -> int:
        path = self._folder / f"{next(self._numbers)}.dcm"
        path.write_bytes(data)
        self._descriptors.append(os.open(path, os.O_RDONLY))
        return self._descriptors[-1]

    def close(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)


def values(fd: int) -> dict[str, bytes]:
    """All Values of the Data Set that are looked at, by path."""
    walk, path, found = Walk(FileSource(fd)), Path(), {}
    for token in walk.tokens():
        path.follow(token)
        if token.is_text and token.tag >> 16 > 2:
            pieces = list(walk.pieces(token.length))
            assert [piece.is_first for piece in pieces] == [True] + [False] * (len(pieces) - 1)
            assert [piece.is_last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
            rest = [piece.data[min(OVERLAP, len(before.data)) :] for before, piece in pairwise(pieces)]
            found[path.of(token.tag)] = b"".join([pieces[0].data, *rest])
    return found


def shown(fd: int) -> bytes:
    windows: list[bytes] = []
    Walk(FileSource(fd)).pass_over_all(windows.append)
    return b"|".join(windows)


def nested(form: Form, value: bytes, *, open_end: bool) -> bytes:
    inner = form.sequence(PURPOSE, form.item(form.element(MEANING, "LO", b"first ")), form.item(), open_end=open_end)
    items = [form.item(inner), form.open_item(inner + form.element(COMMENTS, "LT", value))]
    return form.sequence(REFERENCES, *items, open_end=open_end)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("open_end", [True, False])
def test_values_at_every_depth(form: Form, open_end: bool, opened: Opener) -> None:
    data = form.file(
        form.common() + nested(form, b"deep", open_end=open_end) + form.element(PATIENT_NAME, "PN", b"Doe^Jane")
    )
    found = values(opened(data))
    assert list(found) == [
        "(0008,0016)",
        "(0008,0018)",
        "(0008,1140)[1]>(0040,A170)[1]>(0008,0104)",
        "(0008,1140)[2]>(0040,A170)[1]>(0008,0104)",
        "(0008,1140)[2]>(0010,4000)",
        "(0010,0010)",
    ]
    assert found["(0008,1140)[2]>(0010,4000)"] == b"deep"
    assert found["(0010,0010)"] == b"Doe^Jane"
    assert b"Doe^Jane" in shown(opened(data))


@pytest.mark.parametrize("form", [EXPLICIT, DEFLATED], ids=lambda form: form.name)
def test_an_unknown_sequence_is_implicit(form: Form, opened: Opener) -> None:
    inner = nested(IMPLICIT, b"deep", open_end=True)
    data = form.sequence(0x00091010, IMPLICIT.open_item(inner), vr="UN", open_end=True)
    found = values(opened(form.file(form.common() + data + form.element(COMMENTS, "LT", b"last"))))
    assert found["(0009,1010)[1]>(0008,1140)[2]>(0010,4000)"] == b"deep"
    assert found["(0010,4000)"] == b"last"


def test_a_vr_of_the_future_has_a_long_length(opened: Opener) -> None:
    data = EXPLICIT.element(0x00091010, "ZZ", b"x" * 70000) + EXPLICIT.element(COMMENTS, "LT", b"last")
    assert values(opened(EXPLICIT.file(EXPLICIT.common() + data)))["(0010,4000)"] == b"last"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("length", [100, 70_000, 300_000])
@pytest.mark.parametrize(
    ("tag", "vr"), [(PIXEL_DATA, "OW"), (0x7FE00001, "OV"), (CONTENT, "OB")], ids=["pixels", "offsets", "ciphertext"]
)
def test_bulk_is_not_looked_at(form: Form, tag: int, vr: str, length: int, opened: Opener) -> None:
    bulk = form.element(tag, vr, b"secret" * (length // 6))
    if tag == CONTENT:
        bulk = form.sequence(ENCRYPTED, form.item(bulk))
    data = form.file(form.common() + bulk + form.element(0x7FE10010, "LO", b"behind"))
    assert b"secret" not in shown(opened(data))
    found = values(opened(data))
    assert list(found) == ["(0008,0016)", "(0008,0018)", "(7FE1,0010)"]
    assert found["(7FE1,0010)"] == b"behind"


def test_fragments_are_not_looked_at(opened: Opener) -> None:
    form = ENCAPSULATED
    fragments = [form.item(b"secret" * size) for size in (0, 1, 9000, 40_000, 2)]
    data = form.sequence(PIXEL_DATA, *fragments, vr="OB", open_end=True) + form.element(0x7FE10010, "LO", b"behind")
    icon = form.sequence(0x00880200, form.item(form.sequence(PIXEL_DATA, *fragments, vr="OB", open_end=True)))
    file = form.file(form.common() + icon + data)
    assert values(opened(file))["(7FE1,0010)"] == b"behind"
    windows = shown(opened(form.file(form.common() + data)))
    assert b"secret" not in windows
    assert windows.count(b"|") == 1  # what is before them, and what is behind
    assert b"behind" in shown(opened(file))


@pytest.mark.parametrize(("vr", "is_looked_at"), [("UT", True), ("UC", True), ("OB", False), ("UN", False)])
def test_long_values_are_looked_at_if_they_are_text(vr: str, is_looked_at: bool, opened: Opener) -> None:
    value = struct.pack("<250000H", *range(50_000), *range(50_000), *range(50_000), *range(50_000), *range(50_000))
    form = EXPLICIT
    data = form.file(form.common() + form.element(0x00091010, vr, value) + form.element(COMMENTS, "LT", b"last"))
    found = values(opened(data))
    assert (found.get("(0009,1010)") == value) is is_looked_at
    assert found["(0010,4000)"] == b"last"
    assert (struct.pack("<300H", *range(40_000, 40_300)) in shown(opened(data))) is is_looked_at


def test_a_long_sequence_that_is_called_unknown_is_looked_at(opened: Opener) -> None:
    items = [IMPLICIT.item(IMPLICIT.element(COMMENTS, "LT", b"deep" * 2000))] * 10
    data = EXPLICIT.sequence(REFERENCES, *items, vr="UN") + EXPLICIT.element(COMMENTS, "LT", b"last")
    file = EXPLICIT.file(EXPLICIT.common() + data)
    assert values(opened(file))["(0008,1140)"] == b"".join(items)
    assert b"deep" in shown(opened(file))


def test_nothing_is_lost_between_windows(opened: Opener) -> None:
    """Numbered words in text of any length: each is whole in some window."""
    words = [b"word%08d" % number for number in range(30_000)]
    rows = b"".join(EXPLICIT.element(0x00091010, "LT", b" ".join(words[at : at + 500])) for at in range(0, 30_000, 500))
    windows = shown(opened(EXPLICIT.file(EXPLICIT.common() + rows)))
    assert set(re.findall(rb"word[0-9]{8}", windows)) == set(words)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("cut", [1, 3, 9])
def test_a_file_that_ends_too_early_is_an_error(form: Form, cut: int, opened: Opener) -> None:
    data = form.file(form.common() + form.element(COMMENTS, "LT", b"last"))[:-cut]
    with pytest.raises(ParseError):
        values(opened(data))
    with pytest.raises(ParseError):
        shown(opened(data))


@pytest.mark.parametrize("data", [b"", bytes(128) + b"DICM", EXPLICIT.file(b"", syntax="1.2.3"), bytes(500)])
def test_what_has_no_file_meta_information_is_an_error(data: bytes, opened: Opener) -> None:
    with pytest.raises(ParseError, match="cannot be verified"):
        Walk(FileSource(opened(data)))


def test_outputs_made_from_the_sample_are_read_to_the_end(sample_image: File, tmp_path: File) -> None:
    deidentify_file(sample_image, tmp_path / "out.dcm", Policy())
    descriptor = os.open(tmp_path / "out.dcm", os.O_RDONLY)
    try:
        tokens = list(Walk(FileSource(descriptor)).tokens())
    finally:
        os.close(descriptor)
    assert tokens[-1].tag == PIXEL_DATA
    assert tokens[-1].value + tokens[-1].length == (tmp_path / "out.dcm").stat().st_size
