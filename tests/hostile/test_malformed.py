"""Each class of bad input: the right error with its place, nothing under the output's name, old output untouched."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmveil import Policy, deidentify_file
from dcmveil.errors import DcmveilError, LimitExceeded, ParseError, Refused
from tests.hostile.forms import BIG, DEFLATED, EXPLICIT, FORMS, PLAIN_FORMS, UNDEFINED, Form, meta_element
from tests.hostile.malformed import (
    ANYWHERE,
    AT_TOP,
    IN_DEFINED,
    MARK,
    NO_UNDEFINED,
    WRAPPERS,
    Broken,
    as_it_is,
    in_defined,
    in_undefined,
    undefined_lengths,
)

POLICY = Policy(secret=b"a secret of sixteen bytes or more")
OLD = b"an output that was there before"


def failure(data: bytes, folder: Path) -> DcmveilError:
    """The error that de-identifying `data` ends with, once with and once without an output to be replaced."""
    source, target = folder / "in.dcm", folder / "out.dcm"
    source.write_bytes(data)
    with pytest.raises(DcmveilError) as without:
        deidentify_file(source, target, POLICY)
    assert sorted(folder.iterdir()) == [source]
    target.write_bytes(OLD)
    with pytest.raises(DcmveilError) as replacing:
        deidentify_file(source, target, POLICY)
    assert target.read_bytes() == OLD
    assert sorted(folder.iterdir()) == [source, target]
    assert str(without.value) == str(replacing.value)
    assert MARK.decode() not in str(without.value)
    assert "\n" not in str(without.value)
    return without.value


def cases() -> Iterator[object]:
    for form in FORMS:
        for where, wrap in WRAPPERS.items():
            for make in ANYWHERE:
                yield pytest.param(form, wrap(form, make(form)), id=f"{make.__name__}-{form.name}-{where}")
        for make in AT_TOP:
            yield pytest.param(form, make(form), id=f"{make.__name__}-{form.name}-top")
            if make(form).at_end:
                yield pytest.param(form, in_undefined(form, make(form)), id=f"{make.__name__}-{form.name}-undefined")
        for number, make in enumerate(IN_DEFINED):
            yield pytest.param(form, in_defined(form, make(form)), id=f"end_of_item_{number}-{form.name}")


@pytest.mark.parametrize(("form", "broken"), list(cases()))
def test_a_fault_is_told_with_its_place(form: Form, broken: Broken, tmp_path: Path) -> None:
    """R1: nothing of an object that cannot be read to its end comes out."""
    front = form.head() + form.common()
    error = failure(form.file(form.common() + broken.data), tmp_path)
    at = len(front) + len(broken.front) + (len(broken.rest) if broken.at_end else 0)
    assert type(error) is ParseError
    assert error.args[0] == broken.says
    assert (error.offset, error.path) == (at, broken.path)
    assert str(error) == f"offset {at}, {broken.path}: {broken.says}"


@pytest.mark.parametrize("wrap", [as_it_is, in_defined, in_undefined])
@pytest.mark.parametrize(("vr", "tag"), list(undefined_lengths()))
@pytest.mark.parametrize("form", [EXPLICIT, BIG, DEFLATED], ids=lambda form: form.name)
def test_undefined_length_needs_a_vr_that_may_have_it(form: Form, vr: str, tag: int, wrap, tmp_path: Path) -> None:
    content = form.open_item(form.element(0x00080100, "SH", MARK)) + form.item(tag=0xFFFEE0DD)
    path = "(?)" if tag >> 16 & 1 else f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    broken = wrap(form, Broken(b"", form.header(tag, vr, UNDEFINED) + content, path, NO_UNDEFINED))
    error = failure(form.file(form.common() + broken.data), tmp_path)
    assert isinstance(error, ParseError)
    at = len(form.head() + form.common() + broken.front)
    assert (error.offset, error.path, error.args[0]) == (at, broken.path, NO_UNDEFINED)


def test_a_tag_that_may_be_part_of_a_value_is_not_shown(tmp_path: Path) -> None:
    """After a wrong length the scanner is inside a Value: its bytes look like a tag, and must not come out."""
    wrong = EXPLICIT.element(0x00080060, "CS", b"CT", length=0) + b"JANEDOE^"
    error = failure(EXPLICIT.file(EXPLICIT.common() + wrong), tmp_path)
    assert "(?)" in str(error) or "(" not in str(error)
    assert not any(part in str(error) for part in ("414A", "454E", "JANE", "DOE"))


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_un_of_undefined_length_holds_implicit_vr(form: Form, tmp_path: Path) -> None:
    """PS3.5 6.2.2: what is Explicit VR in there has no length that could be right."""
    content = EXPLICIT.open_item(EXPLICIT.element(0x00080100, "SH", MARK)) + EXPLICIT.item(tag=0xFFFEE0DD)
    error = failure(form.file(form.common() + form.header(0x00091001, "UN", UNDEFINED) + content), tmp_path)
    assert isinstance(error, ParseError)
    assert error.path.startswith("(?)[1]>")  # a private tag, or what looks like one, may be a Value


# ---- before the Data Set ---------------------------------------------------------------------------------------

DATASET = EXPLICIT.common() + EXPLICIT.element(0x00080060, "CS", "OT")
SYNTAX_AT = 132 + 12 + 14 + 8 + 26 + 8 + 10  # of (0002,0010) in `Form.head`

NOT_DICOM = {
    "empty": b"",
    "one byte": b"\0",
    "text": b"VEILME0001, not a DICOM file\n" * 20,
    "png": b"\x89PNG\r\n\x1a\n" + bytes(400),
    "zip": b"PK\3\4" + EXPLICIT.file(DATASET),
    "zeros": bytes(1000),
    "0xFF": b"\xff" * 1000,
    "prefix four bytes early": EXPLICIT.file(DATASET)[4:],
    "short preamble": bytes(127) + b"DICM" + DATASET,
    "implicit big endian": struct.pack(">HHI", 8, 0x16, 4) + b"1.2\0" + bytes(200),
}


@pytest.mark.parametrize("name", NOT_DICOM)
def test_what_is_not_dicom_is_refused(name: str, tmp_path: Path) -> None:
    error = failure(NOT_DICOM[name], tmp_path)
    assert isinstance(error, Refused)
    assert error.reason == ("transfer-syntax" if name == "implicit big endian" else "not-dicom")


@pytest.mark.parametrize(
    "syntax",
    [
        "2.999.1",
        "1.2.840.10008.1.2.3",
        "1.2.840.10008.1.2.1 x",
        "1.2.840.10008.1.2.11",
        "1.2.840.10008.1.20",  # Papyrus 3, and other things of the table that encode no Data Set in a file
        "1.2.840.10008.1.2.6.1",
        "1.2.840.10008.1.2.7.1",
        "1.2.840.10008.5.1.4.1.1.7",
        "1.2.840.10008.1.2.1\\1.2.840.10008.1.2",
        "VEILME0001",
        "\0VEILME0001",
        "1" * 66,
        "1" * 400,
    ],
)
def test_an_unknown_transfer_syntax_is_refused(syntax: str, tmp_path: Path) -> None:
    error = failure(EXPLICIT.file(DATASET, syntax=syntax), tmp_path)
    assert isinstance(error, Refused)
    assert error.reason == "transfer-syntax"
    assert str(error).startswith(f"offset {SYNTAX_AT}, (0002,0010): ")
    assert "expected" in str(error)


HEAD = bytes(128) + b"DICM"

META = {
    "prefix only": (HEAD, "offset 132: no Data Element after the File Meta Information"),
    "meta only": (EXPLICIT.head(), f"offset {len(EXPLICIT.head())}, (0002,0010): no Data Element"),
    "cut inside (0002,0001)": (EXPLICIT.head()[:150], "offset 144"),
    "value past the end": (
        HEAD + EXPLICIT.element(0x00020001, "OB", b"\0\1", length=400),
        "offset 146, (0002,0001): input ends inside a Value",
    ),
    "4 GB": (
        HEAD + EXPLICIT.element(0x00020102, "OB", MARK, length=0xFFFFFFFE),
        "offset 154, (0002,0102): input ends inside a Value",
    ),
    "undefined length": (
        EXPLICIT.file(DATASET, more=[EXPLICIT.header(0x00020102, "OB", UNDEFINED) + MARK]),
        f"offset {len(EXPLICIT.head())}, (0002,0102): File Meta Information element of undefined length",
    ),
    "sequence of undefined length": (
        EXPLICIT.file(DATASET, more=[EXPLICIT.sequence(0x00020102, open_end=True)]),
        f"offset {len(EXPLICIT.head())}, (0002,0102): File Meta Information element of undefined length",
    ),
}


@pytest.mark.parametrize("name", META)
def test_faults_of_the_file_meta_information(name: str, tmp_path: Path) -> None:
    data, says = META[name]
    assert str(failure(data, tmp_path)).startswith(says)


GROUP_LENGTHS = {"absent": None, "0": 0, "4": 4, "2 short": -2, "2 long": 2, "huge": 0xFFFFFFFF, "odd": 1}


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("name", GROUP_LENGTHS)
def test_a_wrong_group_length_of_the_file_meta_information_does_no_harm(name: str, form: Form, tmp_path: Path) -> None:
    """R18: it ends where group 0002 ends, and is written anew."""
    data, claimed = form.file(form.common() + form.element(0x00080060, "CS", "OT")), GROUP_LENGTHS[name]
    if claimed is None:
        data = data[:132] + data[144:]
    else:
        (right,) = struct.unpack_from("<I", data, 140)
        number = right + claimed if name.startswith("2") else claimed
        data = data[:140] + struct.pack("<I", number) + data[144:]
    (tmp_path / "in").write_bytes(data)
    deidentify_file(tmp_path / "in", tmp_path / "out", POLICY)
    out = (tmp_path / "out").read_bytes()
    (length,) = struct.unpack_from("<I", out, 140)
    assert out[144 + length :][:4] == form.pack("HH", 0x0008, 0x0016)


# ---- refused though well-formed --------------------------------------------------------------------------------

ENCRYPTED = EXPLICIT.sequence(0x04000500, EXPLICIT.item(EXPLICIT.element(0x04000520, "OB", MARK)))
DIRECTORY = "1.2.840.10008.1.3.10"
REFUSED = {
    "dicomdir by SOP Class": ("dicomdir", EXPLICIT.element(0x00080016, "UI", DIRECTORY)),
    "dicomdir by records": ("dicomdir", EXPLICIT.sequence(0x00041220, EXPLICIT.item())),
    "encrypted": ("encrypted-attributes", DATASET + ENCRYPTED),
    "encrypted, nested": ("encrypted-attributes", DATASET + EXPLICIT.sequence(0x0040A043, EXPLICIT.item(ENCRYPTED))),
    "encrypted, as UT": ("encrypted-attributes", DATASET + EXPLICIT.element(0x04000500, "UT", MARK)),
    "overlay": ("embedded-overlay", DATASET + EXPLICIT.element(0x60020102, "US", b"\x0f\0")),
    "overlay of odd length": ("embedded-overlay", DATASET + EXPLICIT.element(0x601E0102, "US", b"\0\0\1\0")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_policy_does_not_let_through_is_refused(name: str, tmp_path: Path) -> None:
    """R20, R22, R37: a DICOMDIR, overlay bits in Pixel Data, an Encrypted Attributes Sequence."""
    reason, dataset = REFUSED[name]
    error = failure(EXPLICIT.file(dataset), tmp_path)
    assert isinstance(error, Refused)
    assert error.reason == reason


def test_a_dicomdir_by_its_file_meta_information_is_refused(tmp_path: Path) -> None:
    """R20: whatever the Data Set says."""
    meta = meta_element(0x00020002, "UI", DIRECTORY) + meta_element(0x00020010, "UI", EXPLICIT.syntax)
    error = failure(HEAD + meta + DATASET, tmp_path)
    assert isinstance(error, Refused)
    assert error.reason == "dicomdir"


def test_limits_are_errors_of_their_own(tmp_path: Path) -> None:
    many = EXPLICIT.element(0x00100010, "PN", MARK) * 50
    (tmp_path / "in").write_bytes(EXPLICIT.file(EXPLICIT.common() + many))
    limits = POLICY.limits._replace(max_edits=20)
    with pytest.raises(LimitExceeded):
        deidentify_file(tmp_path / "in", tmp_path / "out", Policy(limits=limits))
    assert not (tmp_path / "out").exists()
