"""Long Values stand at offsets congruent to those of the input modulo 4096, by a pad in the File Meta Information.

Then kernels can share or copy whole blocks. It depends on the object alone.
"""

from __future__ import annotations

import io
from itertools import cycle
from pathlib import Path
from typing import Any

import pydicom
import pytest

from dcmveil import Deidentifier, Edits, Policy, deidentify_file, edit_file, parse_operation, reidentify_file
from tests.hostile.forms import BIG, EXPLICIT, IMPLICIT, Form
from tests.push.objects import ENCAPSULATED, MIB, PIXELS, fragments, image, noise
from tests.push.support import assembled, fed
from tests.reversible.support import SECRET, envelope, opener, run, tools

POLICY = Policy(secret=SECRET)
SEALED = Policy(secret=SECRET, envelope=envelope())
MARK = noise(64, 99)  # where the bulk is
CREATOR, PAD = 0x00020100, 0x00020102


def bulk(size: int) -> bytes:
    return MARK + noise(size - len(MARK))


def native(form: Form = EXPLICIT, size: int = MIB, filler: int = 0) -> bytes:
    before = b"".join(
        form.element(0x00282000, "OB", bytes(part)) for part in (filler - filler // 2, filler // 2) if part
    )
    return image(form, before, form.element(PIXELS, "OW", bulk(size)))


def many_fragments(first: int, size: int = MIB) -> bytes:
    element = fragments(first, size)
    at = element.index(noise(size, 1)[:64])
    return image(ENCAPSULATED, element[:at] + bulk(size) + element[at + size :])


def processed(data: bytes, folder: Path, policy: Policy = POLICY) -> bytes:
    """From a file and in pieces, which has to come to the same, but for what is encrypted anew."""
    (folder / "in").write_bytes(data)
    deidentify_file(folder / "in", folder / "out", policy)
    found = (folder / "out").read_bytes()
    pushed = assembled(fed(Deidentifier(policy), data, cycle([40_000])), data)
    assert pushed == found or policy is SEALED
    assert pushed.index(MARK) == found.index(MARK)
    return found


def meta_of(data: bytes) -> Any:
    return pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).file_meta


OBJECTS = {
    "native": native(),
    "implicit": native(IMPLICIT),
    "big endian": native(BIG),
    "another offset": native(filler=1236),
    "two bytes further": native(filler=1240),
    "at 1 MiB": native(filler=MIB - 1000),
    "a Fragment": many_fragments(2),
    "behind many bytes": many_fragments(333_334),
    "longer": native(size=MIB + 2),
}


@pytest.mark.parametrize("policy", [POLICY, SEALED], ids=["plain", "sealed"])
@pytest.mark.parametrize("name", OBJECTS)
def test_bulk_is_congruent(name: str, policy: Policy, tmp_path: Path) -> None:
    data = OBJECTS[name]
    out = processed(data, tmp_path, policy)
    assert (out.index(MARK) - data.index(MARK)) % 4096 == 0
    meta = meta_of(out)
    assert meta[CREATOR].value
    assert not any(meta[PAD].value)
    assert len(meta[PAD].value) < 8192
    length = int.from_bytes(out[140:144], "little")
    assert out[144 + length :][:2] == (b"\0\x08" if name == "big endian" else b"\x08\0")


SHORT = {
    "two bytes less than 1 MiB": native(size=MIB - 2),
    "beyond the first MiB": native(filler=MIB),
    "a Fragment that is less": many_fragments(2, MIB - 2),
    "removed": image(EXPLICIT, EXPLICIT.element(0x00291010, "OB", bytes(MIB)), EXPLICIT.element(PIXELS, "OW", MARK)),
}


@pytest.mark.parametrize("policy", [POLICY, SEALED], ids=["plain", "sealed"])
@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_done_for_others(name: str, policy: Policy, tmp_path: Path) -> None:
    meta = meta_of(processed(SHORT[name], tmp_path, policy))
    assert CREATOR not in meta
    assert PAD not in meta


def test_nothing_is_done_where_nothing_else_is(tmp_path: Path) -> None:
    data = native(filler=1236)
    assert processed(data, tmp_path, Policy.identity()) == data
    edits = Edits([parse_operation("replace", "PatientName=A long name^instead")])
    edit_file(tmp_path / "in", tmp_path / "out", edits)
    assert len((tmp_path / "out").read_bytes()) == len(data) + 20 - 10
    assert CREATOR not in meta_of((tmp_path / "out").read_bytes())


def test_once_more_is_still_congruent(tmp_path: Path) -> None:
    """The pad of an input does not stay: it is the File Meta Information that is new."""
    once = processed(native(filler=1236), tmp_path)
    twice = processed(once, tmp_path)
    assert (twice.index(MARK) - once.index(MARK)) % 4096 == 0
    assert len(twice) < len(once) + 8192


@pytest.mark.parametrize("name", OBJECTS)
def test_it_is_restored_byte_for_byte(name: str, tmp_path: Path) -> None:
    processed(OBJECTS[name], tmp_path, SEALED)
    report = reidentify_file(tmp_path / "out", tmp_path / "back", opener())
    assert (tmp_path / "back").read_bytes() == OBJECTS[name]
    assert report.notice is None


@pytest.mark.parametrize("tool", [*tools("dcmdump"), *tools("gdcmdump")])
@pytest.mark.parametrize("name", ["native", "implicit", "big endian"])
def test_others_read_it(name: str, tool: str, tmp_path: Path) -> None:
    processed(OBJECTS[name], tmp_path, SEALED)
    said = run(tool, tmp_path / "out")
    assert b"0002,0102" in said
    assert b"7fe0,0010" in said.lower()


@pytest.mark.parametrize("tool", tools("gdcmanon"))
def test_gdcmanon_restores_it(tool: str, tmp_path: Path) -> None:
    from tests.services.certificates import key_bytes, rsa_key

    processed(OBJECTS["another offset"], tmp_path, SEALED)
    (tmp_path / "key").write_bytes(key_bytes(rsa_key(0)))
    run(tool, "-d", "-k", tmp_path / "key", tmp_path / "out", tmp_path / "back")
    restored = pydicom.dcmread(tmp_path / "back")
    assert restored.PatientName == "VEILME0001"
    assert restored.PixelData[:64] == MARK
