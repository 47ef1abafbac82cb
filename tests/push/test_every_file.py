"""Whatever the pieces a file comes in, what goes out is what the file drivers write, or the same error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from zlib import crc32

import pytest

from dcmveil import (
    Deidentifier,
    Editor,
    Edits,
    Options,
    Policy,
    Reidentifier,
    deidentify_file,
    edit_file,
    parse_operation,
    reidentify_file,
)
from dcmveil.errors import DcmveilError
from tests.push.support import CHUNKINGS, Driver, assembled, fed, skipped
from tests.reference.files import Sample
from tests.reversible.support import SECRET, envelope, opener

PLAIN = Policy(secret=SECRET)
CLEANED = Policy(secret=SECRET, options=Options(modify_dates=True, clean_descriptors=True, retain_safe_private=True))
SEALED = Policy(secret=SECRET, envelope=envelope())
FLOWING = Edits([parse_operation("replace", "PatientName=Doe^Jane"), parse_operation("remove", "0008,0020")])
WAITING = Edits([parse_operation("replace", "0010,4000=D\u00f6e"), parse_operation("empty", "0009,10,DCMVEIL TEST")])
BYTE_BY_BYTE = 6_000  # bytes of a file, that it does not take too long


def by_file(source: Path, target: Path, work: Callable[[Path, Path], object]) -> bytes | str:
    """The output, or the error."""
    try:
        work(source, target)
    except DcmveilError as error:
        return str(error)
    return target.read_bytes()


def agree(sample: Sample, expected: bytes | str, make: Callable[[], Driver]) -> None:
    data = sample.path.read_bytes()
    seed = crc32(sample.name.encode())
    ways = [(fed, sizes(seed)) for sizes in CHUNKINGS.values()]
    ways += [(skipped, CHUNKINGS[name](seed + 1)) for name in ("64 KiB", "random")]
    if len(data) <= BYTE_BY_BYTE:
        ways.append((fed, cycle([1])))
    for way, sizes in ways:
        found: bytes | str
        try:
            found = assembled(way(make(), data, sizes), data)
        except DcmveilError as error:
            found = str(error)
        assert found == expected


def test_de_identified(sample: Sample, tmp_path: Path) -> None:
    expected = by_file(sample.path, tmp_path / "out", lambda source, target: deidentify_file(source, target, PLAIN))
    agree(sample, expected, lambda: Deidentifier(PLAIN))


@pytest.mark.ci
def test_with_everything_held(sample: Sample, tmp_path: Path) -> None:
    expected = by_file(sample.path, tmp_path / "out", lambda source, target: deidentify_file(source, target, CLEANED))
    agree(sample, expected, lambda: Deidentifier(CLEANED))


@pytest.mark.ci
@pytest.mark.parametrize("edits", [FLOWING, WAITING], ids=["at once", "held"])
def test_edited(sample: Sample, edits: Edits, tmp_path: Path) -> None:
    expected = by_file(sample.path, tmp_path / "out", lambda source, target: edit_file(source, target, edits))
    agree(sample, expected, lambda: Editor(edits))


@pytest.mark.ci
def test_sealed_and_restored(sample: Sample, tmp_path: Path) -> None:
    """Sealed anew each time, so the originals are compared, and all outside the Encrypted Attributes in length."""
    sealed = tmp_path / "sealed"
    with suppress(DcmveilError):
        deidentify_file(sample.path, sealed, SEALED)
    if not sealed.exists():
        return
    data, seed = sample.path.read_bytes(), crc32(sample.name.encode())
    for way in (fed, skipped):
        pushed = assembled(way(Deidentifier(SEALED), data, CHUNKINGS["random"](seed)), data)
        if b"1.2.840.10008.1.2.1.99" not in pushed:  # ciphertext is deflated to other lengths each time
            assert len(pushed) == len(sealed.read_bytes())
        (tmp_path / "pushed").write_bytes(pushed)
        reidentify_file(tmp_path / "pushed", tmp_path / "restored", opener())
        assert (tmp_path / "restored").read_bytes() == data
        for back in (fed, skipped):
            restored = back(Reidentifier(opener()), pushed, CHUNKINGS["random"](seed))
            assert assembled(restored, pushed) == data


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "cleaned", "edited", "sealed"])
def test_byte_by_byte(sample: Sample, kind: str, tmp_path: Path) -> None:
    """However long it is."""
    data = sample.path.read_bytes()
    expected = by_file(sample.path, tmp_path / "out", WORKS[kind])
    found: bytes | str
    try:
        found = assembled(fed(MAKES[kind](), data, cycle([1])), data)
    except DcmveilError as error:
        found = str(error)
    if kind != "sealed" or isinstance(expected, str):
        assert found == expected
        return
    assert isinstance(found, bytes)
    assert assembled(fed(Reidentifier(opener()), found, cycle([1])), found) == data


WORKS: dict[str, Callable[[Path, Path], object]] = {
    "plain": lambda source, target: deidentify_file(source, target, PLAIN),
    "cleaned": lambda source, target: deidentify_file(source, target, CLEANED),
    "edited": lambda source, target: edit_file(source, target, FLOWING),
    "sealed": lambda source, target: deidentify_file(source, target, SEALED),
}
MAKES: dict[str, Callable[[], Driver]] = {
    "plain": lambda: Deidentifier(PLAIN),
    "cleaned": lambda: Deidentifier(CLEANED),
    "edited": lambda: Editor(FLOWING),
    "sealed": lambda: Deidentifier(SEALED),
}
