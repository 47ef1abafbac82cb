"""What PS3.15 E.1.1 and E.1.2 and PS3.3 C.12.1.1.4 say of Encrypted Attributes, one by one, judged by pydicom."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from dcmveil import Envelope, Opener, deidentify_file, reidentify_file
from dcmveil.cms import CIPHERS
from tests.hostile.forms import EXPLICIT, IMPLICIT
from tests.reversible.keys import CONTENT, SYNTAX, envelope, opener, reversible
from tests.reversible.support import bundled
from tests.services.certificates import certificate

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample.dcm"
FILES = ["CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm", "rtplan.dcm"]


def sealed(source: Path, folder: Path, **options: Any) -> Dataset:
    """The de-identified file, read."""
    deidentify_file(source, folder / "sealed.dcm", reversible(envelope(**options)))
    return pydicom.dcmread(folder / "sealed.dcm")


def item_of(dataset: Dataset) -> Dataset:
    sequence = dataset[0x04000500].value
    assert len(sequence) == 1
    return sequence[0]


def plaintext_of(dataset: Dataset) -> Dataset:
    """What is encrypted, decrypted and read."""
    plaintext = opener().open(item_of(dataset)[0x04000520].value)
    return read_dataset(BytesIO(plaintext), is_implicit_VR=False, is_little_endian=True)


@pytest.mark.parametrize("name", FILES)
def test_the_originals_stand_in_one_item(name: str, tmp_path: Path) -> None:
    """R30: Modified Attributes Sequence, one Item, the protected Attributes; no Value in it that did not change."""
    original, dataset = pydicom.dcmread(bundled(name)), sealed(bundled(name), tmp_path)
    (item,) = plaintext_of(dataset)[0x04000550].value
    changed = {element.tag for element in original if element.tag not in dataset or dataset[element.tag] != element}
    kept = {element.tag for element in item if not element.is_empty} - changed
    assert changed <= {element.tag for element in item}
    assert not kept
    assert all(item[tag].value == original[tag].value for tag in changed if item[tag].VR == original[tag].VR)


@pytest.mark.parametrize("name", FILES)
def test_the_item_has_exactly_two_attributes(name: str, tmp_path: Path) -> None:
    """R31, R32: encoded with a DICOM Transfer Syntax, encrypted, an Item of Encrypted Attributes Sequence."""
    item = item_of(sealed(bundled(name), tmp_path))
    assert [element.tag for element in item] == [0x04000510, 0x04000520]
    assert item[0x04000510].value == "1.2.840.10008.1.2.1"
    assert item[0x04000520].VR == "OB"
    assert len(item[0x04000520].value) % 2 == 0


@pytest.mark.parametrize("cipher", CIPHERS)
def test_key_transport_is_rsa_and_content_aes_or_triple_des(cipher: str, tmp_path: Path) -> None:
    """R33, R34, R38: RSA by RFC 2313, content by AES of any length or Triple-DES, Enveloped-data, padded."""
    dataset = sealed(SAMPLE, tmp_path, cipher=cipher)
    content = item_of(dataset)[0x04000520].value
    assert bytes.fromhex("06092a864886f70d010703") in content[:40]  # id-envelopedData
    assert bytes.fromhex("06092a864886f70d010101") in content[:400]  # rsaEncryption
    reidentify_file(tmp_path / "sealed.dcm", tmp_path / "restored.dcm", opener())
    assert (tmp_path / "restored.dcm").read_bytes() == SAMPLE.read_bytes()


def test_a_sequence_with_a_nested_uid_is_encrypted_whole(tmp_path: Path) -> None:
    """R36: a SOP Instance UID within a Sequence means the enclosing Attribute of the top level."""
    name = "rtplan.dcm"
    original = pydicom.dcmread(bundled(name))
    (item,) = plaintext_of(sealed(bundled(name), tmp_path))[0x04000550].value
    assert item.ReferencedStructureSetSequence == original.ReferencedStructureSetSequence
    assert item.SOPInstanceUID == original.SOPInstanceUID


@pytest.mark.parametrize("bits", [2048, 3072])
def test_keys_of_any_size_do(bits: int, tmp_path: Path) -> None:
    """R35: no RSA key size is prescribed."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    deidentify_file(SAMPLE, tmp_path / "sealed.dcm", reversible(Envelope([certificate(key)])))
    reidentify_file(tmp_path / "sealed.dcm", tmp_path / "restored.dcm", Opener(key))
    assert (tmp_path / "restored.dcm").read_bytes() == SAMPLE.read_bytes()


def test_what_others_encrypted_loses_the_markers(tmp_path: Path) -> None:
    """R38, R39, R40: decrypted by its Transfer Syntax, moved to the top level, De-identification Method gone.

    Patient Identity Removed goes too, as with gdcmanon: the object is as it was before."""
    inner = IMPLICIT.element(0x00080018, "UI", "1.2.3.4") + IMPLICIT.element(0x00100010, "PN", "DOE^JANE")
    plaintext = IMPLICIT.sequence(0x04000550, IMPLICIT.item(inner))
    rows = EXPLICIT.element(SYNTAX, "UI", "1.2.840.10008.1.2")
    rows += EXPLICIT.element(CONTENT, "OB", envelope().seal(plaintext))
    source = tmp_path / "sealed.dcm"
    source.write_bytes(
        EXPLICIT.file(
            EXPLICIT.element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2")
            + EXPLICIT.element(0x00080018, "UI", "1.2.3")
            + EXPLICIT.element(0x00120062, "CS", "YES")
            + EXPLICIT.element(0x00120063, "LO", "somehow")
            + EXPLICIT.sequence(0x04000500, EXPLICIT.item(rows))
        )
    )
    reidentify_file(source, tmp_path / "restored.dcm", opener())
    dataset = pydicom.dcmread(tmp_path / "restored.dcm")
    assert [str(element.tag) for element in dataset] == ["(0008,0016)", "(0008,0018)", "(0010,0010)"]
    assert (dataset.SOPInstanceUID, dataset.PatientName) == ("1.2.3.4", "DOE^JANE")
    assert dataset.file_meta.MediaStorageSOPInstanceUID == "1.2.3.4"
