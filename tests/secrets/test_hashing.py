"""Leak channel 20: who knows how UIDs and pseudonyms are made, but not the secret, can test no guess at them."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from dcmveil import Policy, deidentify_file
from dcmveil.dates import DateShifter
from dcmveil.pseudonyms import Pseudonyms
from dcmveil.uids import UidMapper, new_secret
from tests.cli.support import invoke, one_line
from tests.conftest import SAMPLE_IMAGE
from tests.services.certificates import write

ONE, OTHER = b"a secret of 16 b", b"a secret of 16 c"
SAMPLE = pydicom.dcmread(SAMPLE_IMAGE)
OLD = {name: str(SAMPLE[name].value).encode() for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
IDENTITY = {name: str(SAMPLE[name].value).encode() for name in ("PatientID", "PatientName", "AccessionNumber")}
NO_SECRETS = [b"", b"\0", bytes(16), bytes(32), b"dcmveil", b"secret", b"password", b"dcmveil/uid"]
DIGESTS = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s"]


def guesses(value: bytes, kind: bytes) -> Iterator[bytes]:
    """Digests of a known original by the public algorithm and by what others take: no secret, or one easily guessed."""
    for text in (value, b"dcmveil/" + kind + b"\0" + value, value + b"\0"):
        yield from (hashlib.new(name, text).digest() for name in DIGESTS)
        yield from (hmac.digest(key, text, "sha256") for key in [*NO_SECRETS, value])


def as_uids(digest: bytes) -> Iterator[str]:
    """Under 2.25, as a UUID of each version that is made of a digest, and as it is."""
    for size in (12, 16):
        number = int.from_bytes(digest[:size], "big")
        yield f"2.25.{number}"
        for version in (3, 4, 5, 8):
            marked = number & ~(0xF << 76) | version << 76
            yield f"2.25.{marked & ~(0b11 << 62) | 0b10 << 62}"


def deidentified(target: Path, secret: bytes | None) -> pydicom.Dataset:
    names = dict.fromkeys(("patient_id", "patient_name", "accession_number"), "keyed")
    deidentify_file(SAMPLE_IMAGE, target, Policy(secret=secret, **names))  # type: ignore[arg-type]
    return pydicom.dcmread(target)


def test_leak_channel_20_the_guesses_would_hit_what_has_no_secret() -> None:
    """The judge finds the UIDs of a tool that has none: those of a zero key, and of SHA-256 alone."""
    uid = OLD["StudyInstanceUID"]
    found = {made for digest in guesses(uid, b"uid") for made in as_uids(digest)}
    assert UidMapper(bytes(16)).map(uid).decode() in found
    assert f"2.25.{int.from_bytes(hashlib.sha256(uid).digest()[:16], 'big')}" in found


@pytest.mark.parametrize("secret", [None, ONE, OTHER], ids=["none", "one", "other"])
def test_leak_channel_20_no_uid_is_that_of_the_public_algorithm(secret: bytes | None, tmp_path: Path) -> None:
    made = deidentified(tmp_path / "out.dcm", secret)
    for name, old in OLD.items():
        assert str(made[name].value) not in {uid for digest in guesses(old, b"uid") for uid in as_uids(digest)}


def test_leak_channel_20_no_pseudonym_is_that_of_the_public_algorithm(tmp_path: Path) -> None:
    made = deidentified(tmp_path / "out.dcm", ONE)
    kinds = {"PatientID": b"patient-id", "PatientName": b"patient-id", "AccessionNumber": b"accession-number"}
    values = {**IDENTITY, "PatientName": IDENTITY["PatientID"]}
    for name, kind in kinds.items():
        texts = {b32encode(digest[:10]).decode()[:12] for digest in guesses(values[name], kind)}
        assert str(made[name].value) not in texts


def test_leak_channel_20_the_same_secret_agrees_and_two_differ(tmp_path: Path) -> None:
    """In every UID and pseudonym; without a secret every run differs."""
    made = [deidentified(tmp_path / "out.dcm", secret) for secret in (ONE, ONE, OTHER, None, None)]
    for name in (*OLD, *IDENTITY):
        one, again, *others = (str(dataset[name].value) for dataset in made)
        assert one == again
        assert len({one, *others}) == 4


@pytest.mark.parametrize("bits", range(128))
def test_leak_channel_20_every_bit_of_the_secret_counts(bits: int) -> None:
    changed = (int.from_bytes(ONE, "big") ^ 1 << bits).to_bytes(16, "big")
    uid = OLD["StudyInstanceUID"]
    assert UidMapper(changed).map(uid) != UidMapper(ONE).map(uid)


def test_leak_channel_20_a_secret_has_128_bits_at_least(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    short = ONE[:15]
    for make in (UidMapper, Pseudonyms, DateShifter, lambda secret: Policy(secret=secret)):
        with pytest.raises(ValueError, match="16 bytes") as caught:
            make(short)
        assert short.decode() not in str(caught.value)
    write(tmp_path / "secret", short + b"\n\r\n")  # ends of lines do not count
    one_line(invoke(capfd, "--secret-file", tmp_path / "secret", SAMPLE_IMAGE, tmp_path / "out.dcm"), "16 bytes")
    assert len(new_secret()) >= 16
    assert len({new_secret() for _ in range(100)}) == 100
