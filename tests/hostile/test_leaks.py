"""No marker comes out: one small object per channel, in every encoding, at top level and nested."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmveil import Policy, _tables, deidentify_file
from dcmveil.errors import ParseError, Refused
from tests.hostile.channels import CHANNELS, EXPLICIT_ONLY, MARK, OUTSIDE, TAILS, TOP_CHANNELS, WRAPS, Channel
from tests.hostile.forms import EXPLICIT, FORMS, Form, inflated

POLICY = Policy(secret=b"a secret of sixteen bytes or more")
MARKERS = (b"VEILME", b"19480317")


def output(data: bytes, folder: Path, policy: Policy = POLICY) -> bytes:
    """The output, inflated where it is deflated, without any marker."""
    (folder / "in.dcm").write_bytes(data)
    deidentify_file(folder / "in.dcm", folder / "out.dcm", policy)
    out = inflated((folder / "out.dcm").read_bytes())
    assert not [marker for marker in MARKERS if marker in out]
    return out


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_is_closed(name: str, wrap, form: Form, tmp_path: Path) -> None:
    """R1, R2, R6, R10, R13, R19, R22, R23, R24, R25, R29, R43, R66: at every depth, in every encoding.

    What is kept beside it is byte for byte the same."""
    if name in EXPLICIT_ONLY and (form.implicit or wrap is WRAPS["UN"]):
        name = "name late"  # Implicit VR has no VR to be wrong
    out = output(form.file(form.common() + wrap(form, CHANNELS[name]) + kept(form)), tmp_path)
    assert kept(form) in out


def kept(form: Form) -> bytes:
    """What follows a channel and has to come out as it went in."""
    return form.element(0x00280010, "US", form.pack("H", 50)) + form.element(0x00280011, "US", form.pack("H", 60))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("channel", TOP_CHANNELS.values(), ids=TOP_CHANNELS)
def test_a_channel_of_the_top_level_is_closed(channel: Channel, form: Form, tmp_path: Path) -> None:
    """R16, R17, R42: what the De-identifier sets is not what was there."""
    output(form.file(form.common() + channel(form)), tmp_path)


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_from_outside_the_data_set(name: str, tmp_path: Path) -> None:
    """R18: preamble and File Meta Information are written new; nothing behind a deflate stream is copied."""
    out = output(OUTSIDE[name], tmp_path)
    assert out[:132] == bytes(128) + b"DICM"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("name", TAILS)
def test_nothing_from_behind_the_data_set(name: str, form: Form, tmp_path: Path) -> None:
    """R1: an error, or removed as the elements that they could be taken for."""
    try:
        output(form.file(form.common() + kept(form)) + TAILS[name], tmp_path)
    except (ParseError, Refused):
        assert not (tmp_path / "out.dcm").exists()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_of_encrypted_attributes_that_are_kept_only_these_stay(form: Form, tmp_path: Path) -> None:
    """R32, R37: cleartext beside the ciphertext goes, a private element as well as a name."""
    syntax = form.element(0x04000510, "UI", "1.2.840.10008.1.2.1")
    secret = form.element(0x00090010, "LO", MARK) + form.element(0x00100010, "PN", MARK)
    code = form.element(0x00080060, "CS", MARK) + form.sequence(0x04000550, form.item(secret))
    item = form.item(secret + syntax + form.element(0x04000520, "OB", b"cipher") + code)
    data = form.file(form.common() + form.sequence(0x04000500, item))
    out = output(data, tmp_path, Policy(existing_encrypted="keep"))
    assert b"cipher" in out
    assert syntax in out
    assert b"cipher" not in output(data, tmp_path, Policy(existing_encrypted="remove"))


@pytest.mark.parametrize("claim", [None, b"YES", b"NO"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_pixels_are_not_said_to_be_clean(form: Form, claim: bytes | None, tmp_path: Path) -> None:
    """R44: nobody has looked at them, so Burned In Annotation stays as it is, or absent."""
    annotation = b"" if claim is None else form.element(0x00280301, "CS", claim)
    pixels = form.element(0x7FE00010, "OW", b"pixels")
    out = output(form.file(form.common() + annotation + pixels), tmp_path)
    assert pixels in out
    assert out.count(form.pack("HH", 0x0028, 0x0301)) == (claim is not None)
    assert annotation in out


# ---- Table E.1-1 in full ---------------------------------------------------------------------------------------

TEXT = frozenset("AE CS LO LT PN SH ST UC UT UR OB OW UN".split())
VALUES = {"DA": b"19480317", "DT": b"19480317071342", "TM": b"071342.1948", "UI": b"2.999.19480317.1", "AS": b"048Y"}


def row(form: Form, tag: int) -> bytes:
    """An element for a row of the table, with a marker in its Value or, of a Sequence, in a name inside."""
    vr = _tables.dictionary_vr(tag) or "LO"
    if vr == "SQ":
        return form.sequence(tag, form.item(form.element(0x00100010, "PN", MARK)))
    return form.element(tag, vr, VALUES.get(vr, MARK if vr in TEXT else b"19480317"))


def rows() -> list[int]:
    """The tags, repeating groups by their first, private ones and those that are refused left out."""
    refused = (0x04000500, 0x60000102)
    return [tag for tag, _mask, _action, _options in _tables.confidentiality() if tag not in refused]


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_no_row_of_table_e_1_1_lets_its_value_through(form: Form, wrap, tmp_path: Path) -> None:
    """R1, R2, R3, R4, R5, R8, R9: each of the 657 rows with a marker of its own, together and in tag order."""
    data = wrap(form, lambda inner: b"".join(row(inner, tag) for tag in sorted(rows())))
    out = output(form.file(form.common() + data), tmp_path)
    for value in (*VALUES.values(), MARK):
        assert value not in out


def test_each_row_alone(tmp_path: Path) -> None:
    """R2: a row is not only safe because another one was there."""
    for tag in rows():
        if tag >> 16 != 0x0004:  # a directory record without SOP Class is a DICOMDIR
            output(EXPLICIT.file(EXPLICIT.common() + row(EXPLICIT, tag)), tmp_path)
