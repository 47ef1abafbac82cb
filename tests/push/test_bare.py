"""Data Sets without File Meta Information, as a DIMSE message has them: their Transfer Syntax is given."""

from __future__ import annotations

from contextlib import suppress
from itertools import cycle
from pathlib import Path

import pytest

from dcmveil import Deidentifier, Editor, Edits, Policy, Reidentifier, deidentify_file, edit_file, parse_operation
from dcmveil.errors import DcmveilError, Refused
from tests.hostile.forms import BIG, DEFLATED, EXPLICIT, IMPLICIT, Form
from tests.push.objects import ENCAPSULATED, MIB, PIXELS, fragments, image, noise, patient, structures
from tests.push.support import assembled, fed, random_chunks, skipped
from tests.reversible.support import SECRET, envelope, opener

POLICY = Policy(secret=SECRET)
SEALED = Policy(secret=SECRET, envelope=envelope())
EDITS = Edits(
    [parse_operation("replace", "PatientName=Doe^Jane"), parse_operation("replace", "SOPInstanceUID=2.999.1")]
)
OWN_BLOCK = Edits([parse_operation("replace", "0029,10,DCMVEIL OTHER=x")])
FORMS = {form.name: form for form in (EXPLICIT, IMPLICIT, BIG, DEFLATED, ENCAPSULATED)}


def data_set_of(data: bytes) -> bytes:
    """What stands behind the File Meta Information."""
    return data[144 + int.from_bytes(data[140:144], "little") :]


def small(form: Form) -> bytes:
    pixels = fragments(10, 3000) if form is ENCAPSULATED else form.element(PIXELS, "OW", noise(5000))
    return image(form, form.sequence(0x00082218, form.item(patient(form))), pixels)


def long(form: Form) -> bytes:
    pixels = fragments(10, MIB) if form is ENCAPSULATED else form.element(PIXELS, "OW", noise(MIB))
    return image(form, pixels)


OBJECTS = {f"{name}, {kind.__name__}": (form, kind(form)) for name, form in FORMS.items() for kind in (small, long)}
OBJECTS |= {name: (FORMS[name.rsplit(" ", 1)[0]], data) for name, data in structures(1)}


def from_file(data: bytes, folder: Path, policy: Policy = POLICY) -> bytes:
    (folder / "in").write_bytes(data)
    deidentify_file(folder / "in", folder / "out", policy)
    return (folder / "out").read_bytes()


@pytest.mark.parametrize("way", [fed, skipped])
@pytest.mark.parametrize("name", OBJECTS)
def test_what_comes_out_is_the_data_set_of_the_file(name: str, way: object, tmp_path: Path) -> None:
    form, data = OBJECTS[name]
    bare, wanted = data_set_of(data), from_file(data, tmp_path)
    driver = Deidentifier(POLICY, transfer_syntax=form.syntax, file_meta=False)
    assert assembled(way(driver, bare, random_chunks(1)), bare) == data_set_of(wanted)  # type: ignore[operator]
    assert driver.report().bytes_out == len(data_set_of(wanted))
    assert driver.report().transfer_syntax == form.syntax


@pytest.mark.parametrize("name", OBJECTS)
def test_with_file_meta_it_is_the_file(name: str, tmp_path: Path) -> None:
    """But for the pad, which depends on where bulk was."""
    form, data = OBJECTS[name]
    bare, wanted = data_set_of(data), from_file(data, tmp_path)
    out = assembled(fed(Deidentifier(POLICY, transfer_syntax=form.syntax), bare, cycle([3000])), bare)
    assert data_set_of(out) == data_set_of(wanted)
    assert out[:132] == bytes(128) + b"DICM"
    if not name.endswith("long"):
        assert out == wanted


@pytest.mark.parametrize("name", OBJECTS)
def test_a_file_can_come_out_as_a_data_set(name: str, tmp_path: Path) -> None:
    _form, data = OBJECTS[name]
    wanted = data_set_of(from_file(data, tmp_path))
    for way in (fed, skipped):
        assert assembled(way(Deidentifier(POLICY, file_meta=False), data, random_chunks(2)), data) == wanted


@pytest.mark.parametrize("name", OBJECTS)
def test_edited(name: str, tmp_path: Path) -> None:
    form, data = OBJECTS[name]
    bare = data_set_of(data)
    (tmp_path / "in").write_bytes(data)
    for edits in (EDITS, OWN_BLOCK):
        edit_file(tmp_path / "in", tmp_path / "out", edits)
        wanted = data_set_of((tmp_path / "out").read_bytes())
        for way in (fed, skipped):
            driver = Editor(edits, transfer_syntax=form.syntax, file_meta=False)
            assert assembled(way(driver, bare, random_chunks(3)), bare) == wanted


@pytest.mark.parametrize("name", OBJECTS)
def test_sealed_and_restored(name: str) -> None:
    form, data = OBJECTS[name]
    bare = data_set_of(data)
    driver = Deidentifier(SEALED, transfer_syntax=form.syntax, file_meta=False)
    sealed = assembled(fed(driver, bare, random_chunks(4)), bare)
    assert b"VEILME" not in sealed
    for way in (fed, skipped):
        back = Reidentifier(opener(), transfer_syntax=form.syntax, file_meta=False)
        assert assembled(way(back, sealed, random_chunks(5)), sealed) == bare
        assert back.report().notice is None


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)
def test_one_that_does_not_begin_as_a_file_does_is_restored(form: Form) -> None:
    """By what it has become, a file, there is no telling that it was none, but its Transfer Syntax is known."""
    data = form.element(0x7FE00010, "OW", bytes(64)) + form.element(0x00100010, "PN", "Doe^Ann")
    if form.deflated:
        data = data_set_of(form.file(data))
    sealed = assembled(fed(Deidentifier(SEALED, transfer_syntax=form.syntax), data, cycle([100])), data)
    assert assembled(fed(Reidentifier(opener()), sealed, cycle([100])), sealed) == data


@pytest.mark.parametrize("syntax", ["1.2.3", "", "1.2.840.10008.1.1", "\u00e4", "1" * 100])
def test_a_transfer_syntax_that_cannot_be_read(syntax: str) -> None:
    for make in (
        lambda: Deidentifier(POLICY, transfer_syntax=syntax),
        lambda: Deidentifier(SEALED, transfer_syntax=syntax),
        lambda: Editor(EDITS, transfer_syntax=syntax),
        lambda: Editor(OWN_BLOCK, transfer_syntax=syntax),
        lambda: Reidentifier(opener(), transfer_syntax=syntax),
    ):
        with pytest.raises(Refused) as caught:
            make()
        assert caught.value.reason == "transfer-syntax"


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG, ENCAPSULATED], ids=lambda form: form.name)
def test_a_file_where_there_should_be_a_data_set(form: Form, size: int) -> None:
    with pytest.raises(DcmveilError) as caught:
        fed(Deidentifier(POLICY, transfer_syntax=form.syntax), small(form), cycle([size]))
    assert "VEILME" not in str(caught.value)
    assert caught.value.discard == 0


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_file_meta_in_a_data_set_goes(size: int) -> None:
    """It is not what it looks like, nor anything the Standard knows there."""
    meta, bare = small(EXPLICIT)[132:], data_set_of(small(EXPLICIT))
    found = [
        assembled(
            fed(Deidentifier(POLICY, transfer_syntax=EXPLICIT.syntax, file_meta=False), data, cycle([size])), data
        )
        for data in (meta, bare)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)
def test_an_empty_one_is_none(form: Form) -> None:
    for driver in (
        Deidentifier(POLICY, transfer_syntax=form.syntax),
        Deidentifier(SEALED, transfer_syntax=form.syntax),
    ):
        assert driver.feed(b"") == []
        with pytest.raises(DcmveilError, match=r"no Data Element|ends where its deflated Data Set should begin"):
            driver.finish()


def test_a_cut_one_fails() -> None:
    for name, (form, data) in OBJECTS.items():
        bare = data_set_of(data)[:-3]
        driver = Deidentifier(POLICY, transfer_syntax=form.syntax)
        found = b""
        with suppress(DcmveilError):
            found = assembled(fed(driver, bare, cycle([5000])), bare)
        assert (name, found) == (name, b"")
