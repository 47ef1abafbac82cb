"""How much can be undone: 2,000 generated objects byte for byte, and where `max_originals` ends it, what is said."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmveil import Policy, deidentify_file, sealing
from dcmveil.errors import DcmveilError, ParseError, Refused
from dcmveil.reidentifying import reidentify_file
from dcmveil.report import Report
from dcmveil.reversal import unpack
from tests.hostile.forms import DEFLATED, EXPLICIT, FORMS, PLAIN_FORMS, Form
from tests.reference.generate import generated
from tests.reversible.keys import EXPLICIT_SYNTAX, Glass, envelope, opener, reversible

OBJECTS = 2100  # of which some are DICOMDIRs, which are refused
GLASS = Glass()
LENIENT = reversible(GLASS)


# ---- whatever is accepted comes back ---------------------------------------------------------------------------


def round_trip(data: bytes, folder: Path, policy: Policy = LENIENT, opens: object = GLASS) -> Report | None:
    """-e and -d: None for an object that is refused; the report of what came back as it was."""
    source, target, back = folder / "in.dcm", folder / "out.dcm", folder / "back.dcm"
    source.write_bytes(data)
    try:
        deidentify_file(source, target, policy)
    except Refused as refused:
        assert refused.reason == "dicomdir"
        return None
    report = reidentify_file(target, back, opens)
    assert hashlib.sha256(back.read_bytes()).digest() == hashlib.sha256(data).digest()
    assert report.notice is None
    return report


@pytest.mark.ci
def test_two_thousand_generated_objects_come_back(tmp_path: Path) -> None:
    ends: Counter[bool] = Counter()

    @settings(
        max_examples=OBJECTS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(st.integers(0, (1 << 64) - 1))
    def one(seed: int) -> None:
        ends[round_trip(generated(seed), tmp_path) is not None] += 1

    one()
    assert ends[True] >= 2000, ends


@pytest.mark.parametrize("seed", range(20))
def test_generated_objects_come_back_from_the_real_envelope(seed: int, tmp_path: Path) -> None:
    policy = reversible(envelope(authenticated=bool(seed % 2)))
    round_trip(generated(seed), tmp_path, policy, opener())


@pytest.mark.parametrize("trailing", [b"", b"\0", bytes(100), b"whatever"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_preambles_and_trailing_padding_come_back(form: Form, trailing: bytes, tmp_path: Path) -> None:
    """(FFFC,FFFC), what stands behind a deflated stream, and a preamble with something in it."""
    name = form.element(0x00100010, "PN", "DOE^JOHN")
    padding = form.element(0xFFFCFFFC, "OB", trailing)
    data = form.file(form.common() + name + padding, preamble=b"II*\0") + (trailing if form.deflated else b"")
    assert round_trip(data, tmp_path) is not None


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_long_values_that_stay_are_copied(form: Form, tmp_path: Path) -> None:
    """They are in no plaintext, and so of no digest: changed in place, they come back as they are now."""
    pixels = bytes(range(256)) * 1200
    data = form.file(form.common() + form.element(0x00100010, "PN", "A") + form.element(0x7FE00010, "OW", pixels))
    assert round_trip(data, tmp_path) is not None
    assert len(GLASS.sealed) == 4096
    source, back = tmp_path / "out.dcm", tmp_path / "back.dcm"
    source.write_bytes(source.read_bytes()[:-4] + b"\1\2\3\4")
    assert reidentify_file(source, back, GLASS).notice is None
    assert back.read_bytes() == data[:-4] + b"\1\2\3\4"


# ---- too many originals ----------------------------------------------------------------------------------------

NAME = EXPLICIT.element(0x00100010, "PN", "DOE^JOHN")
COMMENTS = 0x00204000  # X in Table E.1-1: so all of it is an original
ROOM = 10_000


def commented(length: int, form: Form = EXPLICIT) -> bytes:
    rows = [form.common(), form.element(0x00100010, "PN", "DOE^JOHN"), form.element(COMMENTS, "UT", b"c" * length)]
    return form.file(b"".join(rows))


def originals(data: bytes, tmp_path: Path) -> int:
    """Bytes of the originals of an object, in Explicit VR Little Endian."""
    round_trip(data, tmp_path)
    return len(unpack(GLASS.sealed, EXPLICIT_SYNTAX).content)


def test_the_limit_is_exact(tmp_path: Path) -> None:
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    size = originals(commented(5000), tmp_path)
    target.unlink()
    source.write_bytes(commented(5000))
    with pytest.raises(Refused) as caught:
        deidentify_file(source, target, reversible(GLASS, max_originals=size - 1))
    assert caught.value.reason == "originals-too-large"
    assert not target.exists()
    deidentify_file(source, target, reversible(GLASS, max_originals=size))
    assert reidentify_file(target, tmp_path / "back.dcm", GLASS).notice is None


def test_the_refusal_names_both_ways_out_and_no_value(tmp_path: Path) -> None:
    (tmp_path / "in.dcm").write_bytes(commented(5000))
    with pytest.raises(Refused) as caught:
        deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", reversible(GLASS, max_originals=100))
    assert "--drop-large-originals" in str(caught.value)
    assert "--max-originals" in str(caught.value)
    assert "DOE" not in repr(caught.value)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_largest_is_left_out_and_the_others_come_back(form: Form, tmp_path: Path) -> None:
    source, target, back = tmp_path / "in.dcm", tmp_path / "out.dcm", tmp_path / "back.dcm"
    source.write_bytes(commented(5000, form))
    deidentify_file(source, target, reversible(GLASS, max_originals=1000, drop_large_originals=True))
    assert b"ccc" not in GLASS.sealed
    report = reidentify_file(target, back, GLASS)
    assert report.notice is not None
    assert report.notice.startswith("1 original")
    data_set = pydicom.dcmread(back)
    assert data_set.PatientName == "DOE^JOHN"
    assert data_set.SOPInstanceUID == "2.999.7.7"
    assert "ImageComments" not in data_set
    for gone in ("EncryptedAttributesSequence", "PatientIdentityRemoved", "DeidentificationMethod"):
        assert gone not in data_set


def test_what_fits_is_kept_the_small_ones_first(tmp_path: Path) -> None:
    """Of four with 1,000 bytes each and a name there is room for two and the name."""
    tags = (0x00102180, 0x00104000, 0x00204000, 0x00321060)
    rows = [EXPLICIT.element(tag, "LT", b"c" * 1000) for tag in tags]
    source, target, back = tmp_path / "in.dcm", tmp_path / "out.dcm", tmp_path / "back.dcm"
    source.write_bytes(EXPLICIT.file(EXPLICIT.common() + NAME + b"".join(rows)))
    deidentify_file(source, target, reversible(GLASS, max_originals=2500, drop_large_originals=True))
    report = reidentify_file(target, back, GLASS)
    data_set = pydicom.dcmread(back)
    assert sum(tag in data_set and data_set[tag].value == "c" * 1000 for tag in tags) == 2
    assert report.notice is not None
    assert report.notice.startswith("2 originals")


def test_with_room_for_all_nothing_is_left_out(tmp_path: Path) -> None:
    policy = reversible(GLASS, max_originals=8 << 20, drop_large_originals=True)
    assert round_trip(commented(5000), tmp_path, policy) is not None


def noise(length: int) -> bytes:
    """What does not compress."""
    return hashlib.shake_128(b"noise").digest(length)


@pytest.mark.parametrize("level", [1, 6, 9])
def test_long_deflated_streams_come_back_by_their_settings(level: int, tmp_path: Path) -> None:
    data_set = DEFLATED.common() + DEFLATED.element(0x00100010, "PN", "A") + DEFLATED.element(
        0x7FE00010, "OW", noise(30_000)
    )  # fmt: skip
    deflater = zlib.compressobj(level, wbits=-15)
    data = DEFLATED.head() + deflater.compress(data_set) + deflater.flush()
    assert round_trip(data, tmp_path, reversible(GLASS, max_originals=5000)) is not None
    assert len(GLASS.sealed) == 4096


def test_a_long_deflated_stream_of_another_compressor_is_refused(tmp_path: Path) -> None:
    """Stored blocks of odd lengths, which zlib never makes, and more of them than may be kept."""
    data_set = DEFLATED.common() + DEFLATED.element(0x7FE00010, "OW", noise(30_000))
    parts = [data_set[at : at + 777] for at in range(0, len(data_set), 777)]
    blocks = [
        bytes([part is parts[-1]]) + len(part).to_bytes(2, "little") + (len(part) ^ 0xFFFF).to_bytes(2, "little") + part
        for part in parts
    ]
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(DEFLATED.head() + b"".join(blocks))
    with pytest.raises(Refused, match="--drop-large-originals") as caught:
        deidentify_file(source, target, reversible(GLASS, max_originals=5000))
    assert caught.value.reason == "originals-too-large"
    assert not target.exists()
    assert round_trip(source.read_bytes(), tmp_path, reversible(GLASS, max_originals=100_000)) is not None
    report = deidentify_file(source, target, reversible(GLASS, max_originals=5000, drop_large_originals=True))
    assert report.notice == "too large to be kept byte for byte; its Attributes can be restored"
    assert reidentify_file(target, tmp_path / "back.dcm", GLASS).notice is not None
    assert pydicom.dcmread(tmp_path / "back.dcm").SOPInstanceUID == "2.999.7.7"


@pytest.mark.parametrize("most", [0, -1, 1 << 40])
def test_limits_out_of_range_are_refused(most: int) -> None:
    with pytest.raises(ValueError, match="max_originals"):
        reversible(GLASS, max_originals=most)


def test_an_original_of_the_greatest_size_comes_back(tmp_path: Path) -> None:
    """16 MiB but for what else there is."""
    assert round_trip(commented((16 << 20) - 1000), tmp_path, reversible(GLASS)) is not None


# ---- nothing is told -------------------------------------------------------------------------------------------


def test_nothing_that_is_kept_secret_is_in_any_repr(tmp_path: Path) -> None:
    """Values, passwords and keys: of all that a caller or a traceback could show."""
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(commented(50))
    seals = envelope(password=b"correct horse")
    report = deidentify_file(source, target, reversible(GLASS))
    found = unpack(GLASS.sealed, EXPLICIT_SYNTAX)
    shown = [seals, opener(), reversible(seals), report, report.as_dict(), found, *found.originals, found.way]
    shown += [reidentify_file(target, tmp_path / "back.dcm", GLASS)]
    text = " ".join([repr(thing) + str(thing) for thing in shown])
    for hidden in ("DOE", "correct", "c" * 12, "2.999.7.7", "undone", "private_numbers"):
        assert hidden not in text, hidden


def test_errors_tell_nothing_of_what_is_inside(tmp_path: Path) -> None:
    source, target, back = tmp_path / "in.dcm", tmp_path / "out.dcm", tmp_path / "back.dcm"
    source.write_bytes(commented(50))
    deidentify_file(source, target, reversible(envelope()))
    good = target.read_bytes()
    for at in range(len(good) - 4600, len(good), 91):
        target.write_bytes(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :])
        try:
            reidentify_file(target, back, opener())
        except DcmveilError as error:
            text = f"{error!r} {error} {error.__cause__!r}"
            assert not any(hidden in text for hidden in ("DOE", "ccc", "2.999"))
    assert pydicom.dcmread(BytesIO(good)).PatientIdentityRemoved == "YES"


@pytest.mark.parametrize("vr", [b"ZZ", b"??", b"\0\0", b"pn"])
def test_a_first_original_without_a_vr_comes_back(vr: bytes, tmp_path: Path) -> None:
    """What is encrypted begins with it, and has no File Meta Information to say that there are VRs."""
    good = EXPLICIT.element(0x00080014, "LO", "A ")
    bad = good[:4] + vr + good[6:]
    if vr == b"ZZ":  # two capitals: long form
        bad = good[:4] + vr + b"\0\0" + (2).to_bytes(4, "little") + b"A "
    common = EXPLICIT.common()
    data = EXPLICIT.file(EXPLICIT.element(0x00080005, "CS", "ISO_IR 100") + bad + common)
    assert round_trip(data, tmp_path, reversible(GLASS)) is not None


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_what_could_not_be_read_again_is_not_sealed(form: Form, tmp_path: Path) -> None:
    """A Sequence that goes is looked into, since -d will look into it as into any other."""
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(form.file(form.common() + form.element(0x04000550, "SQ", b"no Items at all")))
    with pytest.raises(ParseError, match="Item"):
        deidentify_file(source, target, LENIENT)
    assert not target.exists()
    assert deidentify_file(source, target, Policy(secret=bytes(16)))


def test_what_could_not_be_opened_again_is_not_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Originals, raw bytes and a deflate stream may each be within bounds, and all together not."""
    monkeypatch.setattr(sealing, "MAX_PLAINTEXT", 8192)
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    big = [EXPLICIT.element(0x00091001 + number, "OB", bytes(3000)) for number in range(3)]
    source.write_bytes(EXPLICIT.file(EXPLICIT.common() + EXPLICIT.element(0x00090010, "LO", "A ") + b"".join(big)))
    with pytest.raises(Refused, match="8192 at most") as caught:
        deidentify_file(source, target, reversible(GLASS))
    assert caught.value.reason == "originals-too-large"
    assert not target.exists()


def test_what_is_left_out_is_said_at_once(tmp_path: Path) -> None:
    """Not only when it is too late."""
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    big = EXPLICIT.element(0x00091001, "OB", bytes(3000))
    source.write_bytes(EXPLICIT.file(EXPLICIT.common() + EXPLICIT.element(0x00090010, "LO", "A ") + big))
    report = deidentify_file(source, target, reversible(GLASS, max_originals=2000, drop_large_originals=True))
    assert report.notice is not None
    assert "1 originals left out" in report.notice
    assert deidentify_file(source, target, reversible(GLASS)).notice is None
