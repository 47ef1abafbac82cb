"""No marker comes out: each leak channel in every encoding, at top level and nested, as `cases` makes them."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from dcmveil import Policy, deidentify_file
from dcmveil.errors import DcmveilError, Refused
from tests.hostile.cases import Case, cases, row, rows
from tests.hostile.channels import MARK
from tests.hostile.forms import FORMS, Form, inflated

__all__ = ["row", "rows"]

POLICY = Policy(secret=b"a secret of sixteen bytes or more")
SINGLE_ROWS = [case for case in cases() if case.channel == 1 and case.name.startswith("(")]
ALL = [case for case in cases() if case not in SINGLE_ROWS]
META = {0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013}


def output(data: bytes, folder: Path, policy: Policy = POLICY) -> bytes:
    """The output, inflated where it is deflated."""
    (folder / "in.dcm").write_bytes(data)
    deidentify_file(folder / "in.dcm", folder / "out.dcm", policy)
    return inflated((folder / "out.dcm").read_bytes())


def fate(case: Case, folder: Path) -> str:
    """What has become of it, in the words of `Case.expected`; what is kept beside it is byte for byte the same."""
    try:
        out = output(case.data, folder)
    except DcmveilError:
        assert not (folder / "out.dcm").exists()
        return "refused"
    assert out[:132] == bytes(128) + b"DICM"
    assert case.kept in out
    return "stays" if any(marker in out for marker in case.markers) else "gone"


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_leak_channel(case: Case, tmp_path: Path) -> None:
    """R1, R2, R3, R4, R5, R6, R8, R9, R10, R13, R16, R17, R18, R19, R22, R23, R24, R25, R29, R42, R43, R66: at every
    depth, in every encoding.

    What stays is what the Basic Profile keeps, or what is in Pixel Data; of the rest nothing does."""
    assert fate(case, tmp_path) in case.expected


@pytest.mark.ci
def test_leak_channel_1_each_row_alone(tmp_path: Path) -> None:
    """R2: a row is not only safe because another one was there."""
    for case in SINGLE_ROWS:
        assert fate(case, tmp_path) == "gone", case.id
        (tmp_path / "out.dcm").unlink()


def test_cases_are_complete() -> None:
    """Fifteen channels; each case has a name of its own, and markers that are in it and in no other."""
    assert {case.channel for case in cases()} == set(range(1, 16))
    assert max(Counter(case.id for case in cases()).values()) == 1
    assert max(Counter(case.markers[0] for case in cases() if case.channel != 15).values()) == 1
    for case in cases():
        assert any(marker in inflated_input(case) for marker in case.markers), case.id
    table = [case for case in cases() if case.name.startswith("Table E.1-1")]
    assert len(table) == 3 * len(FORMS)
    assert all(len(set(case.markers)) == 2 * len(rows()) for case in table)
    assert len(rows()) > 640


def inflated_input(case: Case) -> bytes:
    return inflated(case.data) if case.data[128:132] == b"DICM" else case.data


@pytest.mark.parametrize("case", [case for case in cases() if case.channel in (2, 3)], ids=lambda case: case.id)
def test_leak_channel_3_file_meta_information_is_written_new(case: Case, tmp_path: Path) -> None:
    """R18: these elements and no others, whatever there was."""
    out = pydicom.dcmread(io.BytesIO(output(case.data, tmp_path)))
    assert {int(tag) for tag in out.file_meta.keys()} <= META  # noqa: SIM118 - a Data Set is no dictionary
    if "SOPInstanceUID" in out:
        assert out.file_meta.MediaStorageSOPInstanceUID == out.SOPInstanceUID


@pytest.mark.parametrize(
    "case", [case for case in ALL if "JPEG" in case.name or "EXIF" in case.name], ids=lambda c: c.id
)
def test_leak_channel_13_what_is_in_fragments_is_told(case: Case, tmp_path: Path) -> None:
    """It is not rewritten, but reported, and refused if that is asked for."""
    (tmp_path / "in.dcm").write_bytes(case.data)
    report = deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", Policy(assesses_risks=True))
    assert "jpeg-segments" in [risk.word for risk in report.risks]
    assert not any(marker.decode() in repr(report) for marker in case.markers)
    with pytest.raises(Refused):
        deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", Policy(refuses_risks=True))


def values(dataset: Dataset) -> list[bytes]:
    """All Values as another reader has them, at every depth."""
    found = []
    for element in dataset:
        if element.VR == "SQ":
            found += [value for item in element.value for value in values(item)]
        else:
            found.append(element.value if isinstance(element.value, bytes) else str(element.value).encode())
    return found


@pytest.mark.ci
@pytest.mark.filterwarnings("ignore")
def test_leak_channels_as_pydicom_reads_them(tmp_path: Path) -> None:
    """It can read every output, and finds no marker in any."""
    for case in cases():
        if case.expected != "stays" and fate(case, tmp_path) == "gone":
            found = values(pydicom.dcmread(tmp_path / "out.dcm"))
            assert not [value for value in found if any(marker in value for marker in case.markers)], case.id
        (tmp_path / "out.dcm").unlink(missing_ok=True)


# ---- what takes more than a file -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_leak_channel_10_of_encrypted_attributes_that_are_kept_only_these_stay(form: Form, tmp_path: Path) -> None:
    """R32, R37: cleartext beside the ciphertext goes, a private element as well as a name."""
    syntax = form.element(0x04000510, "UI", "1.2.840.10008.1.2.1")
    secret = form.element(0x00090010, "LO", MARK) + form.element(0x00100010, "PN", MARK)
    code = form.element(0x00080060, "CS", MARK) + form.sequence(0x04000550, form.item(secret))
    item = form.item(secret + syntax + form.element(0x04000520, "OB", b"cipher") + code)
    data = form.file(form.common() + form.sequence(0x04000500, item))
    out = output(data, tmp_path, Policy(existing_encrypted="keep"))
    assert b"cipher" in out
    assert syntax in out
    assert MARK not in out
    assert b"cipher" not in output(data, tmp_path, Policy(existing_encrypted="remove"))


@pytest.mark.parametrize("claim", [None, b"YES", b"NO"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_leak_channel_13_pixels_are_not_said_to_be_clean(form: Form, claim: bytes | None, tmp_path: Path) -> None:
    """R44: nobody has looked at them, so Burned In Annotation stays as it is, or absent."""
    annotation = b"" if claim is None else form.element(0x00280301, "CS", claim)
    pixels = form.element(0x7FE00010, "OW", b"pixels")
    out = output(form.file(form.common() + annotation + pixels), tmp_path)
    assert pixels in out
    assert out.count(form.pack("HH", 0x0028, 0x0301)) == (claim is not None)
    assert annotation in out


@pytest.mark.parametrize(
    "terms", [b"ISO_IR 192", b"GB18030 ", b"\\ISO 2022 IR 87", b"ISO_IR 100\\ISO 2022 IR 149", b""]
)
def test_leak_channel_11_character_sets_of_the_standard_stay(terms: bytes, tmp_path: Path) -> None:
    for form in FORMS:
        element = form.element(0x00080005, "CS", terms)
        data = form.file(element + form.common() + form.sequence(0x0040A043, form.item(element)))
        assert output(data, tmp_path).count(element) == 2


@pytest.mark.parametrize("uid", ["2.999.5.6", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.113619.4.5\\2.999.1", ""])
def test_leak_channel_12_sop_classes_stay(uid: str, tmp_path: Path) -> None:
    """Private ones too: nobody can say what such an object is without."""
    for form in FORMS:
        element = form.element(0x00081150, "UI", uid)
        assert element in output(form.file(form.common() + form.sequence(0x0040A043, form.item(element))), tmp_path)
