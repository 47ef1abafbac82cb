"""Whoever has the certificate can encrypt anything: an error or the Attributes, never a crash, never half a file."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmveil import deidentify_file
from dcmveil.errors import DcmveilError, DecryptionError, InputError, ParseError
from dcmveil.recompressing import Settings
from dcmveil.reidentifying import reidentify_file
from dcmveil.report import Report
from dcmveil.reversal import Deflated, Way, pack
from tests.hostile.forms import BIG, DEFLATED, EXPLICIT, FORMS, IMPLICIT, UNDEFINED, Form
from tests.reference.files import CHECKOUT
from tests.reversible.keys import (
    ENCRYPTED_ATTRIBUTES,
    EXPLICIT_SYNTAX,
    MODIFIED,
    SYNTAX,
    Glass,
    encrypted_attributes,
    envelope,
    opener,
    reversible,
    sent,
)

NAME = EXPLICIT.element(0x00100010, "PN", "DOE^JOHN")
UID = EXPLICIT.element(0x00080018, "UI", "2.999.8.8")
COPY, BULK, SKIP, TEXT, RAW = range(5)
SHIFT = 29
ROOM = 500 << 20


def plaintext(*elements: bytes, behind: bytes = b"") -> bytes:
    return EXPLICIT.sequence(MODIFIED, EXPLICIT.item(b"".join(elements))) + behind


def restored(data: bytes, folder: Path, opens: object = None) -> tuple[bytes, Report] | str:
    """What -d makes of a file, or its error, and then what was there before still is."""
    source, target = folder / "hostile.dcm", folder / "restored.dcm"
    source.write_bytes(data)
    target.write_bytes(b"what was there before")
    try:
        report = reidentify_file(source, target, opens or Glass())
    except DcmveilError as error:
        assert target.read_bytes() == b"what was there before"
        assert "\n" not in str(error)
        return str(error)
    finally:
        assert sorted(path.name for path in folder.iterdir()) == ["hostile.dcm", "restored.dcm"]
    assert report.bytes_out == target.stat().st_size
    return target.read_bytes(), report


def read(outcome: tuple[bytes, Report] | str) -> pydicom.Dataset:
    assert not isinstance(outcome, str), outcome
    return pydicom.dcmread(BytesIO(outcome[0]))


# ---- originals that are not those of any file -------------------------------------------------------------------

REFUSED = {
    "File Meta Information": plaintext(EXPLICIT.element(0x00020010, "UI", "1.2.840.10008.1.2"), NAME),
    "Command Set": plaintext(EXPLICIT.element(0x00000100, "US", b"\1\0"), NAME),
    "directory": plaintext(EXPLICIT.element(0x00041220, "SQ"), NAME),
    "Item": plaintext(NAME, EXPLICIT.item(NAME)),
    "delimiter": plaintext(NAME, EXPLICIT.item(tag=0xFFFEE0DD)),
    "group FFFE": plaintext(NAME, EXPLICIT.element(0xFFFE0010, "LO", "A")),
    "duplicate": plaintext(NAME, NAME),
    "duplicate, not next to it": plaintext(NAME, UID, NAME),
    "long Pixel Data": plaintext(EXPLICIT.element(0x7FE00010, "OW", b"12", length=0xFFFFFFF0)),
    "deep": plaintext((EXPLICIT.header(0x00081140, "SQ", UNDEFINED) + EXPLICIT.item(length=UNDEFINED)) * 5000),
    "nothing": b"",
    "zeros": bytes(4096),
    "our mark alone": b"DCMVEIL REVERSAL" * 256,
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_no_data_set_holds_is_an_error(data: bytes, form: Form, tmp_path: Path) -> None:
    assert restored(sent(data, form=form), tmp_path) == str(DecryptionError())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_attributes_in_any_order_go_to_their_places(form: Form, tmp_path: Path) -> None:
    late = EXPLICIT.element(0x00400280, "ST", "comment")
    data_set = read(restored(sent(plaintext(late, NAME, UID), form=form), tmp_path))
    assert [int(tag) for tag in sorted(data_set.keys())] == [0x00080016, 0x00080018, 0x00100010, 0x00280010, 0x00400280]
    assert data_set.file_meta.MediaStorageSOPInstanceUID == data_set.SOPInstanceUID == "2.999.8.8"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_thousands_of_attributes(form: Form, tmp_path: Path) -> None:
    many = [EXPLICIT.element(0x00110000 | number, "LO", "A") for number in range(0x1000, 0x1000 + 5000)]
    data_set = read(restored(sent(plaintext(*many), form=form), tmp_path))
    assert len(data_set) == 5003


def test_pixel_data_can_be_replaced_by_other_pixel_data(tmp_path: Path) -> None:
    pixels = EXPLICIT.element(0x7FE00010, "OW", bytes(1 << 20))
    data_set = read(restored(sent(plaintext(pixels)), tmp_path))
    assert len(data_set.PixelData) == 1 << 20


@pytest.mark.parametrize("form", [IMPLICIT, BIG], ids=lambda form: form.name)
def test_what_another_encoding_cannot_say_is_un_or_an_error(form: Form, tmp_path: Path) -> None:
    """Never a file that cannot be read any more."""
    odd = [EXPLICIT.element(0x00081140, "LO", b"no Items"), EXPLICIT.element(0x00081199, "UN", b"no Items either"),
           EXPLICIT.element(0x00100010, "SQ", b"no Items"), EXPLICIT.element(0x00100020, "ZZ", b"A ")]  # fmt: skip
    for element in odd:
        outcome = restored(sent(plaintext(UID, element), form=form), tmp_path)
        if not isinstance(outcome, str):
            again = tmp_path / "restored.dcm"
            with pytest.raises(DcmveilError, match="Encrypted Attributes"):
                reidentify_file(again, tmp_path / "again.dcm", Glass())  # scanned whole, and nothing there to restore


@pytest.mark.parametrize("value", [b"\xff\xfe", b"1.2.3\\4.5.6", b"9" * 70, b"A" * 0xFFFE, b"", b"..", b"\n"])
@pytest.mark.parametrize("tag", [0x00080016, 0x00080018], ids=hex)
def test_uids_that_are_none_do_not_get_out_of_hand(tag: int, value: bytes, tmp_path: Path) -> None:
    outcome = restored(sent(plaintext(EXPLICIT.element(tag, "UI", value))), tmp_path)
    if not isinstance(outcome, str):
        with pytest.raises(DcmveilError, match="Encrypted Attributes"):
            reidentify_file(tmp_path / "restored.dcm", tmp_path / "again.dcm", Glass())


def test_originals_may_hold_what_is_encrypted_once_more(tmp_path: Path) -> None:
    """An object that was encrypted twice has its older Encrypted Attributes again."""
    inner = encrypted_attributes(EXPLICIT, plaintext(NAME))
    outcome = restored(sent(plaintext(UID, inner)), tmp_path)
    data_set = read(outcome)
    assert data_set[0x04000500].value[0][0x04000520].value == plaintext(NAME)
    assert "PatientName" not in data_set


# ---- ways that lead nowhere ------------------------------------------------------------------------------------


def words(*operations: tuple[int, int] | int) -> bytes:
    return b"".join(
        struct.pack("<I", word if isinstance(word, int) else word[0] << SHIFT | word[1]) for word in operations
    )


CONTENT = UID + NAME
SENT = len(sent(b"")) - len(encrypted_attributes(EXPLICIT, b""))  # bytes of the file but for its Encrypted Attributes
DIGEST = hashlib.sha256(b"").digest()


def way(operations: bytes, raw: bytes = b"", size: int = 0, digest: bytes = DIGEST) -> Way:
    return Way(operations, raw, size, digest, None)


def skipping(*operations: tuple[int, int] | int, raw: bytes = b"", size: int, told: bytes = b"") -> Way:
    """A way that passes over the file; what it says it makes has the digest of `told`."""
    return way(words((SKIP, SENT), *operations), raw, size, hashlib.sha256(told).digest())


WRONG = {
    "past the file": way(words((COPY, SENT + 1))),
    "far past the file": way(words(*[(COPY, 0x1FFFFFFF)] * 40)),
    "not to its end": way(words((COPY, SENT - 1))),
    "the digest of another file": way(words((COPY, SENT)), size=SENT, digest=bytes(32)),
    "another size": way(words((COPY, SENT)), size=SENT + 1),
    "no operations": way(b""),
    "text past its end": skipping((TEXT, len(CONTENT) + 9), 0, size=len(CONTENT) + 9, told=CONTENT),
    "text from past its end": skipping((TEXT, 4), len(CONTENT) + 50, size=4),
    "text that says not from where": skipping((TEXT, 4), size=4),
    "raw past its end": skipping((RAW, 9), raw=b"raw!", size=9, told=b"raw!"),
    "raw where there is none": skipping((RAW, 9), size=9),
    "no such operation, 5": skipping((5, 4), raw=b"raw!", size=4, told=b"raw!"),
    "no such operation, 7": skipping((7, 4), raw=b"raw!", size=4, told=b"raw!"),
    "no digest": way(words((SKIP, SENT)), digest=b""),
    "operations cut short": way(words((SKIP, SENT)) + b"\0\0"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_ways_are_not_taken(wrong: Way, tmp_path: Path) -> None:
    """An error, or Attribute by Attribute, with a notice."""
    outcome = restored(sent(pack(CONTENT, wrong, added=[])), tmp_path)
    if isinstance(outcome, str):
        assert outcome == str(DecryptionError())
        return
    assert read(outcome).PatientName == "DOE^JOHN"
    assert "Attribute by Attribute" in (outcome[1].notice or "")


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("form", [IMPLICIT, DEFLATED], ids=lambda form: form.name)
def test_wrong_ways_are_not_taken_in_other_encodings(wrong: Way, form: Form, tmp_path: Path) -> None:
    deflated = Deflated(0, b"stream") if form.deflated else None
    outcome = restored(sent(pack(CONTENT, wrong._replace(deflated=deflated), added=[]), form=form), tmp_path)
    assert isinstance(outcome, tuple) or outcome == str(DecryptionError())


SETTINGS = [
    (99, 8, -15),
    (-3, 8, -15),
    (6, 0, -15),
    (6, 10, -15),
    (6, 8, 0),
    (6, 8, 99),
    (6, 8, -7),
    (-128, -128, -128),
]


@pytest.mark.parametrize("numbers", SETTINGS, ids=str)
def test_no_settings_of_zlib_are_believed(numbers: tuple[int, int, int], tmp_path: Path) -> None:
    made = Deflated(0, b"", Settings(*numbers, b"", bytes(32)))
    data = sent(b"", form=DEFLATED)
    size = len(DEFLATED.head()) + len(DEFLATED.common()) + len(EXPLICIT.element(0x00280010, "US", b"\1\0"))
    leads = Way(words((SKIP, size)), b"", 0, DIGEST, made)
    data = sent(pack(CONTENT, leads, added=[]), form=DEFLATED)
    outcome = restored(data, tmp_path)
    assert isinstance(outcome, tuple) or outcome == str(DecryptionError())


def sealed(elements: bytes) -> bytes:
    """A plaintext of ours with other elements between the marks."""
    whole = pack(b"", None, added=[])
    padding = EXPLICIT.header(0x040110FE, "OB", 0)[:-4]
    head = plaintext(NAME) + EXPLICIT.element(0x04010010, "LO", "DCMVEIL REVERSAL 1") + elements
    missing = -(len(head) + 12 + 60) % 4096
    data = head + padding + struct.pack("<I", missing) + bytes(missing) + whole[-60:-32]
    return data + hashlib.sha256(data).digest()


OURS = {
    "nothing": b"",
    "operations alone": EXPLICIT.element(0x04011001, "OB", words((SKIP, SENT))),
    "a short digest": EXPLICIT.element(0x04011001, "OB", b"") + EXPLICIT.element(0x04011004, "OB", b"1234"),
    "operations that are a Sequence": EXPLICIT.sequence(0x04011001, EXPLICIT.item(), open_end=True),
    "a short deflated stream": EXPLICIT.element(0x04011001, "OB", b"") + EXPLICIT.element(0x04011004, "OB", bytes(40))
    + EXPLICIT.element(0x04011005, "OB", b"12"),
    "tags cut short": EXPLICIT.element(0x04011003, "OB", b"12"),
    "tags of File Meta and Items": EXPLICIT.element(0x04011003, "OB", struct.pack("<3I", 0x00020010, 0xFFFEE000, 0)),
    "a tag twice": EXPLICIT.element(0x04011003, "OB", struct.pack("<2I", 0x00120062, 0x00120062)),
    "a restored tag as added": EXPLICIT.element(0x04011003, "OB", struct.pack("<I", 0x00100010)),
    "the Encrypted Attributes as added": EXPLICIT.element(0x04011003, "OB", struct.pack("<I", 0x04000500)),
    "a short number": EXPLICIT.element(0x04011006, "OB", b"12"),
    "no number": EXPLICIT.element(0x04011006, "OB", b""),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("elements", OURS.values(), ids=OURS)
def test_plaintexts_like_ours_that_are_not(elements: bytes, form: Form, tmp_path: Path) -> None:
    outcome = restored(sent(sealed(elements), form=form), tmp_path)
    if isinstance(outcome, str):
        assert outcome == str(DecryptionError())
    else:
        assert read(outcome).PatientName == "DOE^JOHN"


def with_little_memory(data: bytes) -> None:
    """An error or a file, where there is no room for much; what is refused is refused by an error of ours."""
    import resource
    import tempfile

    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    with tempfile.TemporaryDirectory() as folder, suppress(DcmveilError):
        restored(data, Path(folder))


def repeat_text() -> None:
    """A small plaintext that says a great file."""
    size, said = 1 << 20, 600
    content = EXPLICIT.element(0x00204000, "UT", bytes(size))
    digest = hashlib.sha256()
    for _ in range(said):
        digest.update(content[:size])
    leads = way(words((SKIP, SENT), *[word for _ in range(said) for word in ((TEXT, size), 0)]), size=said * size)
    with_little_memory(sent(pack(content, leads._replace(digest=digest.digest()), added=[])))


def crowd() -> None:
    """A million Attributes in 8 MiB."""
    with_little_memory(sent(plaintext(EXPLICIT.element(0x00111010, "LO") * 1_000_000)))


@pytest.mark.parametrize("make", [repeat_text, crowd], ids=lambda make: make.__name__)
def test_a_plaintext_costs_not_much_more_memory_than_its_size(make: Callable[[], None]) -> None:
    call = f"from {__name__} import {make.__name__}; {make.__name__}()"
    done = subprocess.run([sys.executable, "-c", call], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-300:]


# ---- all of it at random ---------------------------------------------------------------------------------------

ELEMENTS = st.lists(
    st.sampled_from([NAME, UID, EXPLICIT.element(0x00081140, "SQ"), *OURS.values()])
    | st.builds(
        lambda tag, vr, value: EXPLICIT.element(tag, vr, value, length=len(value)),
        st.integers(0x00080000, 0xFFFFFFFF),
        st.sampled_from(["LO", "SQ", "UN", "OB", "US", "ZZ"]),
        st.binary(max_size=12),
    )
    | st.binary(max_size=12),
    max_size=6,
).map(b"".join)
WAYS = st.builds(
    way,
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 400)) | st.integers(0, 60), max_size=6).map(
        lambda o: words(*o)
    ),
    st.binary(max_size=20),
    st.integers(0, 1000),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(elements=ELEMENTS, leads=st.none() | WAYS, form=st.sampled_from(FORMS), data=st.data())
def test_any_plaintext_ends_in_a_file_or_an_error(
    elements: bytes, leads: Way | None, form: Form, data: st.DataObject, tmp_path: Path
) -> None:
    said = data.draw(
        st.sampled_from([pack(elements, leads, added=[0x00100010]), plaintext(elements), sealed(elements), elements])
    )
    restored(sent(said, form=form, syntax=EXPLICIT_SYNTAX), tmp_path)


def test_the_real_envelope_is_no_other(tmp_path: Path) -> None:
    """The same by way of CMS: what Glass stands for in these tests."""
    data = sent(plaintext(NAME), seals=envelope())
    assert read(restored(data, tmp_path, opener())).PatientName == "DOE^JOHN"
    assert restored(sent(REFUSED["duplicate"], seals=envelope()), tmp_path, opener()) == str(DecryptionError())


def test_only_so_many_items_are_tried(tmp_path: Path) -> None:
    """Each may cost ten million iterations, and anyone can make thousands."""
    tried = []

    class Counting(Glass):
        def open(self, blob: bytes, *, accept: Callable[[bytes], bool]) -> bytes:
            tried.append(blob)
            raise DecryptionError

    rows = EXPLICIT.element(SYNTAX, "UI", EXPLICIT_SYNTAX) + EXPLICIT.element(0x04000520, "OB", b"no CMS")
    item = EXPLICIT.item(rows)
    source = tmp_path / "in.dcm"
    source.write_bytes(EXPLICIT.file(EXPLICIT.common() + EXPLICIT.sequence(ENCRYPTED_ATTRIBUTES, *[item] * 1000)))
    with pytest.raises(DecryptionError):
        reidentify_file(source, tmp_path / "out.dcm", Counting())
    assert 0 < len(tried) <= 16


@pytest.mark.parametrize("form", [EXPLICIT, DEFLATED], ids=lambda form: form.name)
def test_an_input_that_shrinks_is_told_as_the_input(form: Form, tmp_path: Path) -> None:
    """Not as an output that could not be written."""
    source, ours, back = (tmp_path / name for name in ("in.dcm", "ours.dcm", "back.dcm"))
    source.write_bytes(form.file(form.common() + form.element(0x7FE00010, "OW", bytes(range(256)) * 400)))
    deidentify_file(source, ours, reversible(Glass()))

    class Shrinking(Glass):
        def open(self, blob: bytes, *, accept: Callable[[bytes], bool]) -> bytes:
            os.truncate(ours, ours.stat().st_size - 100)
            return super().open(blob, accept=accept)

    with pytest.raises((InputError, ParseError)) as caught:
        reidentify_file(ours, back, Shrinking())
    assert "not written" not in str(caught.value)
    assert not back.exists()
