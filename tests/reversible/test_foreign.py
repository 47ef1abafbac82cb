"""Objects that others have de-identified: openssl encrypts, pydicom writes, in any form that PS3.15 E.1 allows.

The de-identified object is made by hand: some Attributes removed, some replaced, one within a Sequence, and the
markers added. What was there before must come back, and the markers go.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from dcmveil.cms import Envelope, Opener
from dcmveil.errors import DecryptionError, Refused
from tests.reversible.compare import differences, elements
from tests.reversible.support import (
    PASSWORD,
    UNDECIPHERABLE,
    bundled,
    certificate_of,
    deidentify,
    envelope,
    opener,
    reidentify,
    run,
    tools,
)
from tests.services.certificates import rsa_key

OPENSSL = tools("openssl")
IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
)
FILES = {
    "explicit": "MR_small.dcm",
    "implicit": "rtplan.dcm",
    "big endian": "MR_small_bigendian.dcm",
    "deflated": "image_dfl.dcm",
    "encapsulated": "JPEG2000.dcm",
    "nested": "test-SR.dcm",
}
LOST = (
    "PatientBirthDate",
    "StudyDate",
    "ReferringPhysicianName",
    "StudyTime",
    "ContentSequence",
    "DoseReferenceSequence",
)
MARKERS = ("(0012,0062)", "(0012,0063)", "(0012,0064)", "(0400,0500)")


class Object(NamedTuple):
    """An original, and what a foreign De-identifier takes out of it."""

    path: Path
    originals: Dataset


def quietly(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(path)


@cache
def foreign(kind: str) -> Object:
    path = bundled(FILES[kind])
    dataset, originals = quietly(path), Dataset()
    for keyword in (*LOST, "PatientName", "PatientID", "SOPInstanceUID"):
        if keyword in dataset:
            originals[keyword] = dataset[keyword]
    return Object(path, originals)


def plaintext(originals: Dataset, syntax: str = EXPLICIT, *, undefined: bool = False) -> bytes:
    """A Modified Attributes Sequence with the originals, in a Transfer Syntax."""
    content = Dataset()
    content.ModifiedAttributesSequence = Sequence([originals])
    content["ModifiedAttributesSequence"].is_undefined_length = undefined
    originals.is_undefined_length_sequence_item = undefined
    target = DicomBytesIO()
    uid = UID(syntax)
    target.is_implicit_VR, target.is_little_endian = uid.is_implicit_VR, uid.is_little_endian
    write_dataset(target, content)
    encoded = target.getvalue()
    if syntax != DEFLATED:
        return encoded
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(encoded) + compressor.flush()


def write(found: Object, target: Path, items: list[tuple[str, bytes]], *, undefined: bool = False) -> None:
    """The de-identified object, with (Encrypted Content Transfer Syntax UID, Encrypted Content) for each Item."""
    dataset = quietly(found.path)
    for keyword in LOST:
        if keyword in dataset:
            del dataset[keyword]
    dataset.PatientName, dataset.PatientID, dataset.SOPInstanceUID = "REMOVED", "REMOVED", "2.25.1"
    dataset.PatientIdentityRemoved, dataset.DeidentificationMethod = "YES", "another implementation"
    dataset.DeidentificationMethodCodeSequence = Sequence([code("113100", "DCM")])
    dataset.EncryptedAttributesSequence = Sequence([encrypted(*item) for item in items])
    dataset["EncryptedAttributesSequence"].is_undefined_length = undefined
    for item in dataset.EncryptedAttributesSequence:
        item.is_undefined_length_sequence_item = undefined
    dataset.save_as(target)


def code(value: str, scheme: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = value, scheme
    return item


def encrypted(syntax: str, content: bytes) -> Dataset:
    item = Dataset()
    item.EncryptedContentTransferSyntaxUID = syntax
    item.EncryptedContent = content + b"\0" * (len(content) % 2)
    return item


def assert_restored(found: Object, source: Path, opening: Opener | None = None) -> None:
    back = source.with_name("back.dcm")
    assert reidentify(source, back, opening).notice is None
    restored = elements(back)
    assert differences(elements(found.path), restored) == []
    assert not restored.keys() & set(MARKERS)
    assert dcmread(back).file_meta.MediaStorageSOPInstanceUID == quietly(found.path).SOPInstanceUID


Seal = Callable[[bytes, str], bytes]


@pytest.fixture
def seal(keys: Path, tmp_path: Path) -> Seal:
    """Encrypt by openssl, with the options that follow its cipher: names of certificates, most of them."""

    def sealed(content: bytes, options: str = "cert.pem") -> bytes:
        (tmp_path / "plain").write_bytes(content)
        words = [str(keys / word) if word.endswith(".pem") else word for word in options.split()]
        command = ("openssl", "cms", "-encrypt", "-binary", "-outform", "DER", "-in", tmp_path / "plain")
        cipher = () if "-aes" in options else ("-aes256",)
        return run(*command, *cipher, *words)

    return sealed


# ---- messages --------------------------------------------------------------------------------------------------

FORMS = {
    "DER": "cert.pem",
    "BER": "-stream cert.pem",
    "key identifier": "-keyid cert.pem",
    "BER, key identifier": "-stream -keyid cert.pem",
    "OAEP": "-recip cert.pem -keyopt rsa_padding_mode:oaep",
    "OAEP with SHA-256": "-recip cert.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256",
    "first of two": "cert.pem other.pem",
    "second of two": "other.pem cert.pem",
    "third of five": "other.pem other.pem cert.pem other.pem other.pem",
    "beside a password": "-pwri_password other -recip cert.pem",
    "AES-128 GCM": "-aes-128-gcm cert.pem",
    "BER, AES-256 GCM": "-stream -aes-256-gcm cert.pem",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("openssl", OPENSSL)
def test_messages_in_any_form(openssl: str, form: str, seal: Seal, tmp_path: Path) -> None:
    found = foreign("explicit")
    write(found, tmp_path / "theirs.dcm", [(EXPLICIT, seal(plaintext(found.originals), FORMS[form]))])
    assert_restored(found, tmp_path / "theirs.dcm")


@pytest.mark.parametrize("form", ["-pwri_password {}", "-stream -pwri_password {} -recip other.pem"])
@pytest.mark.parametrize("openssl", OPENSSL)
def test_a_password(openssl: str, form: str, seal: Seal, tmp_path: Path) -> None:
    found, word = foreign("explicit"), "abracadabra"
    write(found, tmp_path / "theirs.dcm", [(EXPLICIT, seal(plaintext(found.originals), form.format(word)))])
    assert_restored(found, tmp_path / "theirs.dcm", Opener(password=word.encode()))


# ---- contents --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED])
@pytest.mark.parametrize("kind", FILES)
def test_contents_in_any_encoding(kind: str, syntax: str, undefined: bool, tmp_path: Path) -> None:
    """Of the plaintext and of the file, each with lengths of either kind; encrypted by ours, for speed."""
    found = foreign(kind)
    content = envelope().seal(plaintext(found.originals, syntax, undefined=undefined))
    write(found, tmp_path / "theirs.dcm", [(syntax, content)], undefined=undefined)
    assert_restored(found, tmp_path / "theirs.dcm")


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG_ENDIAN, DEFLATED])
@pytest.mark.parametrize("openssl", OPENSSL)
def test_contents_that_openssl_encrypted(openssl: str, syntax: str, seal: Seal, tmp_path: Path) -> None:
    found = foreign("nested")
    write(found, tmp_path / "theirs.dcm", [(syntax, seal(plaintext(found.originals, syntax), "-stream cert.pem"))])
    assert_restored(found, tmp_path / "theirs.dcm")


def test_the_second_item_is_for_us(tmp_path: Path) -> None:
    """PS3.15 E.1.1: an Item for each group of recipients."""
    found = foreign("explicit")
    content = plaintext(found.originals)
    items = [(EXPLICIT, Envelope([certificate_of(1)]).seal(content)), (EXPLICIT, envelope().seal(content))]
    write(found, tmp_path / "theirs.dcm", items)
    assert_restored(found, tmp_path / "theirs.dcm")
    assert_restored(found, tmp_path / "theirs.dcm", Opener(rsa_key(1)))
    write(found, tmp_path / "theirs.dcm", [("1.2.840.10008.1.2.4.50", b"\0\0"), (EXPLICIT, b""), *items])
    assert_restored(found, tmp_path / "theirs.dcm")


def test_zero_bytes_behind_the_message(tmp_path: Path) -> None:
    found = foreign("explicit")
    write(found, tmp_path / "theirs.dcm", [(EXPLICIT, envelope().seal(plaintext(found.originals)) + bytes(10))])
    assert_restored(found, tmp_path / "theirs.dcm")


def test_elements_behind_the_modified_attributes_sequence(tmp_path: Path) -> None:
    found = foreign("explicit")
    content = plaintext(found.originals) + bytes.fromhex("0104 1000 4c4f 0600") + b"OTHERS"
    write(found, tmp_path / "theirs.dcm", [(EXPLICIT, envelope().seal(content))])
    assert_restored(found, tmp_path / "theirs.dcm")


@pytest.mark.parametrize("length", ["defined", "undefined"])
def test_an_encrypted_attributes_sequence_as_un(length: str, tmp_path: Path) -> None:
    """What a program writes that does not know the Attribute: Implicit VR Little Endian inside (PS3.5 6.2.2)."""
    found, target = foreign("explicit"), tmp_path / "theirs.dcm"
    write(found, target, [(EXPLICIT, envelope().seal(plaintext(found.originals)))])
    data = target.read_bytes()
    start = data.index(bytes.fromhex("0004 0005") + b"SQ")
    stop = start + 12 + int.from_bytes(data[start + 8 : start + 12], "little")
    value = implicit_items(quietly(target).EncryptedAttributesSequence)
    size, end = (len(value).to_bytes(4, "little"), b"") if length == "defined" else (b"\xff" * 4, SEQUENCE_DELIMITATION)
    target.write_bytes(data[: start + 4] + b"UN\0\0" + size + value + end + data[stop:])
    assert_restored(found, target)


SEQUENCE_DELIMITATION = bytes.fromhex("feff dde0 00000000")


def implicit_items(sequence: Sequence) -> bytes:
    target = DicomBytesIO()
    target.is_implicit_VR, target.is_little_endian = True, True
    for item in sequence:
        one = DicomBytesIO()
        one.is_implicit_VR, one.is_little_endian = True, True
        write_dataset(one, item)
        target.write(bytes.fromhex("feff 00e0") + len(one.getvalue()).to_bytes(4, "little") + one.getvalue())
    return target.getvalue()


def test_the_encrypted_content_as_un(tmp_path: Path) -> None:
    found, target = foreign("explicit"), tmp_path / "theirs.dcm"
    write(found, target, [(EXPLICIT, envelope().seal(plaintext(found.originals)))])
    data = target.read_bytes()
    header = bytes.fromhex("0004 2005")
    assert data.count(header + b"OB") == 1
    target.write_bytes(data.replace(header + b"OB", header + b"UN"))
    assert_restored(found, target)


# ---- markers ---------------------------------------------------------------------------------------------------


def test_markers_that_the_original_had_come_back(tmp_path: Path) -> None:
    path = tmp_path / "original.dcm"
    dataset = quietly(bundled("MR_small.dcm"))
    dataset.PatientIdentityRemoved = "NO"
    dataset.DeidentificationMethodCodeSequence = Sequence([code("1", "99LOCAL")])
    dataset.save_as(path)
    originals = Dataset()
    for keyword in ("PatientIdentityRemoved", "DeidentificationMethodCodeSequence", "PatientName", "PatientID", *LOST):
        if keyword in dataset:
            originals[keyword] = dataset[keyword]
    originals.SOPInstanceUID = dataset.SOPInstanceUID
    found = Object(path, originals)
    write(found, tmp_path / "theirs.dcm", [(EXPLICIT, envelope().seal(plaintext(originals)))])
    reidentify(tmp_path / "theirs.dcm", tmp_path / "back.dcm")
    assert differences(elements(path), elements(tmp_path / "back.dcm")) == []


def test_nested_markers_stay(tmp_path: Path) -> None:
    """What the Profile adds stands at the top level."""
    path = tmp_path / "original.dcm"
    dataset = quietly(bundled("MR_small.dcm"))
    item = code("1", "99LOCAL")
    item.PatientIdentityRemoved = "YES"
    dataset.ProcedureCodeSequence = Sequence([item])
    dataset.save_as(path)
    found = Object(path, foreign("explicit").originals)
    write(found, tmp_path / "theirs.dcm", [(EXPLICIT, envelope().seal(plaintext(found.originals)))])
    assert_restored(found, tmp_path / "theirs.dcm")


# ---- what cannot be restored -----------------------------------------------------------------------------------


def test_without_encrypted_attributes_there_is_nothing_to_restore(tmp_path: Path) -> None:
    for name in FILES.values():
        with pytest.raises(Refused) as caught:
            reidentify(bundled(name), tmp_path / "back.dcm")
        assert caught.value.reason == "not-encrypted"
    assert list(tmp_path.iterdir()) == []


def wrong() -> Iterator[tuple[str, str, Opener]]:
    """Who it was encrypted for, and who tries to open it."""
    yield "another key", "certificate", Opener(rsa_key(1))
    yield "another password", "password", Opener(password=PASSWORD + b"!")
    yield "no recipient with a password", "certificate", opener("password")
    yield "no recipient with a key", "password", opener("certificate")
    yield "both wrong", "both", Opener(rsa_key(1), b"another")


def failure(source: Path, opening: Opener | None = None) -> str:
    back = source.with_name("back.dcm")
    back.write_bytes(b"as it was")
    with pytest.raises(DecryptionError) as caught:
        reidentify(source, back, opening)
    assert back.read_bytes() == b"as it was"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value)


@pytest.mark.parametrize("case", list(wrong()), ids=lambda case: case[0])
def test_who_is_no_recipient_is_told_nothing(case: tuple[str, str, Opener], tmp_path: Path) -> None:
    _name, who, opening = case
    deidentify(bundled("MR_small.dcm"), tmp_path / "ours.dcm", envelope(who))
    assert failure(tmp_path / "ours.dcm", opening) == UNDECIPHERABLE


DAMAGED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "no plaintext": (EXPLICIT, lambda _content: b""),
    "another first element": (EXPLICIT, lambda content: bytes.fromhex("1000 1000 504e 0000") + content),
    "cut off": (EXPLICIT, lambda content: content[:-1]),
    "another syntax than it says": (BIG_ENDIAN, lambda content: content),
    "not deflated": (DEFLATED, lambda content: content),
    "an encapsulated syntax": ("1.2.840.10008.1.2.4.50", lambda content: content),
    "no syntax": ("", lambda content: content),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_cannot_be_read_is_told_like_a_wrong_key(case: str, tmp_path: Path) -> None:
    syntax, damage = DAMAGED[case]
    found = foreign("explicit")
    write(found, tmp_path / "theirs.dcm", [(syntax, envelope().seal(damage(plaintext(found.originals))))])
    assert failure(tmp_path / "theirs.dcm") == UNDECIPHERABLE


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"no message"], ids=["empty", "zeros", "text"])
def test_what_is_no_message_is_told_like_a_wrong_key(content: bytes, tmp_path: Path) -> None:
    write(foreign("explicit"), tmp_path / "theirs.dcm", [(EXPLICIT, content)])
    assert failure(tmp_path / "theirs.dcm") == UNDECIPHERABLE


def test_a_sequence_without_items_is_told_like_a_wrong_key(tmp_path: Path) -> None:
    write(foreign("explicit"), tmp_path / "theirs.dcm", [])
    assert failure(tmp_path / "theirs.dcm") == UNDECIPHERABLE
