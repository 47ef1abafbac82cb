"""No password, key, secret or Value in what any public object says of itself, nor in what an exception holds."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import dcmveil
from dcmveil import tasks
from dcmveil.cms import Envelope, Opener
from dcmveil.dates import DateShifter
from dcmveil.errors import DcmveilError
from dcmveil.pseudonyms import Pseudonyms
from dcmveil.reversal import unpack
from dcmveil.uids import UidMapper
from tests.cli.support import image
from tests.hostile.forms import EXPLICIT
from tests.services.certificates import certificate, key_bytes, rsa_key

SECRET, PASSWORD = b"VEILME the secret", b"VEILME the password"
PRIME = rsa_key().private_numbers().p
TABOO = ["VEILME", SECRET.hex(), PASSWORD.hex(), str(PRIME), f"{PRIME:x}", "86, 69, 73, 76"]


def is_silent(thing: object) -> bool:
    """As people and programs see it; containers show what is in them."""
    shown = f"{thing!r}{thing}{thing!a}{[thing]}".lower()
    return not any(word.lower() in shown for word in TABOO)


def laden() -> bytes:
    """An object with the word in its preamble, its Patient ID and its comments."""
    more = EXPLICIT.element(0x00100020, "LO", "VEILME0001") + EXPLICIT.element(0x00104000, "LT", "VEILME was here.")
    return b"VEILME".ljust(128, b"!") + image(EXPLICIT, more)[128:]


def objects(folder: Path) -> Iterator[tuple[str, object]]:
    """One of everything that the package gives out and that knows a secret or has seen a Value."""
    source, target = folder / "in.dcm", folder / "out.dcm"
    source.write_bytes(laden())
    envelope = Envelope([certificate(rsa_key())], PASSWORD)
    rules = dcmveil.parse_rules([{"tag": "StationName", "action": "replace", "value": "VEILME"}])
    policy = dcmveil.Policy(
        secret=SECRET, envelope=envelope, rules=rules, patient_id={"VEILME0001": "VEILME0002", "": ""},
        drop_words=["VEILME"], keep_words=["VEILME"], settings={0x00120040: "VEILME"}, patient_name="keyed",
        records_pairs=True, options=dcmveil.Options(clean_descriptors=True, modify_dates=True),
    )  # fmt: skip
    opener = Opener(rsa_key(), PASSWORD)
    edits = dcmveil.Edits([dcmveil.parse_operation("replace", "10,20=VEILME")])
    yield from {"Envelope": envelope, "Opener": opener, "Policy": policy, "UserRule": rules[0], "Edits": edits}.items()
    yield "Operation", dcmveil.parse_operation("replace", "PatientID=VEILME")
    yield "Options", dcmveil.Options(retain_uids=True)
    yield "Limits", policy.limits
    report = dcmveil.deidentify_file(source, target, policy)
    yield "Report", report
    yield "Report with edits", dcmveil.plan_file(source, policy)
    yield "EditLine", dcmveil.plan_file(source, policy).edits[0]
    yield "Report of -d", dcmveil.reidentify_file(target, folder / "back.dcm", opener)
    for driver, segments in driven(source.read_bytes(), target.read_bytes(), policy, opener, edits):
        yield type(driver).__name__, driver
        yield from (("Segment", segment) for segment in segments)
    yield from (("task", task) for task in (tasks.Deidentify(policy), tasks.Reidentify(opener), tasks.Edit(edits)))
    yield from ((made.__name__, made(SECRET)) for made in (UidMapper, DateShifter, Pseudonyms))


def driven(source: bytes, target: bytes, policy: Any, opener: Any, edits: Any) -> Iterator[tuple[Any, list[Any]]]:
    for driver, data in (
        (dcmveil.Deidentifier(policy), source),
        (dcmveil.Reidentifier(opener), target),
        (dcmveil.Editor(edits), source),
    ):
        segments = [*driver.feed(data[:300])]
        yield driver, segments
        yield driver, [*driver.feed(data[300:]), *driver.finish()]


def test_leak_channel_27_no_public_object_shows_a_secret(tmp_path: Path) -> None:
    """Every class of the package's face is among them."""
    found = list(objects(tmp_path))
    assert [name for name, thing in found if not is_silent(thing)] == []
    classes = {name for name in dcmveil.__all__ if isinstance(getattr(dcmveil, name), type)}
    assert classes <= {type(thing).__name__ for _name, thing in found}


def test_leak_channel_27_what_was_decrypted_does_not_show_itself(tmp_path: Path) -> None:
    """The plaintext taken apart: originals, the way back, all of it."""
    seen: list[Any] = []

    class Watched:
        def seal(self, plaintext: bytes) -> bytes:
            seen.append(unpack(plaintext, b"1.2.840.10008.1.2.1"))
            return Envelope([certificate(rsa_key())]).seal(plaintext)

    (tmp_path / "in.dcm").write_bytes(laden())
    policy = dcmveil.Policy(secret=SECRET, envelope=Watched())  # type: ignore[arg-type]
    dcmveil.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", policy)
    (reversal,) = seen
    assert reversal.originals
    assert is_silent(reversal)
    assert all(map(is_silent, (*reversal.originals, reversal.way)))


FAILING: dict[str, Callable[[Path], object]] = {
    "a short secret": lambda folder: dcmveil.Policy(secret=b"VEILME"),
    "a root": lambda folder: dcmveil.Policy(root_uid="VEILME"),
    "a choice": lambda folder: dcmveil.Policy(patient_id="VEILME"),  # type: ignore[arg-type]
    "a new Value": lambda folder: dcmveil.Policy(patient_id={"VEILME": "VEILME" * 20}),
    "a setting": lambda folder: dcmveil.deidentify_file(
        folder / "in", folder / "out", dcmveil.Policy(settings={0x00120040: "VEILME" * 20})
    ),
    "a cipher": lambda folder: Envelope([certificate(rsa_key())], PASSWORD, cipher="VEILME"),
    "an operation": lambda folder: dcmveil.parse_operation("remove", "10,20=VEILME"),
    "an operation without a tag": lambda folder: dcmveil.parse_operation("replace", "=VEILME"),
    "a certificate": lambda folder: dcmveil.load_certificates(folder / "file", warn=print),
    "a key": lambda folder: dcmveil.load_private_key(folder / "file", password=lambda: PASSWORD, warn=print),
    "a locked key": lambda folder: dcmveil.load_private_key(folder / "locked", password=lambda: PASSWORD, warn=print),
    "rules": lambda folder: dcmveil.parse_rules([{"tag": "StationName", "action": "VEILME"}]),
    "a rule's Value": lambda folder: dcmveil.parse_rules([{"tag": "Rows", "action": "replace", "value": "VEILME"}]),
    "no DICOM": lambda folder: dcmveil.deidentify_file(folder / "file", folder / "out", dcmveil.Policy()),
    "a wrong password": lambda folder: dcmveil.reidentify_file(
        folder / "crypt", folder / "out", Opener(password=PASSWORD)
    ),
    "not in the map": lambda folder: dcmveil.deidentify_file(
        folder / "in", folder / "out", dcmveil.Policy(patient_id={"VEILME": "x"})
    ),
}


@pytest.mark.parametrize("kind", FAILING)
def test_leak_channel_27_no_exception_holds_a_secret(kind: str, tmp_path: Path) -> None:
    """Not in its text, arguments, attributes, causes and contexts, nor in a traceback as Python prints it."""
    pem = b"-----BEGIN PRIVATE KEY-----\nVEILME\n-----END PRIVATE KEY-----\n"
    (tmp_path / "file").write_bytes(pem + b"VEILME" * 100)
    (tmp_path / "locked").write_bytes(key_bytes(rsa_key(), passphrase=b"another"))
    (tmp_path / "in").write_bytes(laden())
    dcmveil.deidentify_file(
        tmp_path / "in", tmp_path / "crypt", dcmveil.Policy(envelope=Envelope([certificate(rsa_key())]))
    )
    with pytest.raises((DcmveilError, ValueError)) as caught:
        FAILING[kind](tmp_path)
    todo: list[BaseException | None] = [caught.value]
    for error in todo:
        if error is not None:
            assert is_silent(error)
            assert is_silent(error.args)
            assert is_silent(vars(error))
            todo += [error.__cause__, None if error.__suppress_context__ else error.__context__]
    shown = "".join(traceback.format_exception_only(caught.value))
    assert is_silent(shown)
    assert shown.count("\n") == 1
