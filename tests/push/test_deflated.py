"""Deflated Data Sets in pieces: bounded memory whatever the ratio, and the same errors as from a file (PS3.5 A.5)."""

from __future__ import annotations

import subprocess
import sys
import zlib
from itertools import cycle
from pathlib import Path

import pytest

from dcmveil import Deidentifier, Editor, Edits, Policy, deidentify_file, parse_operation
from dcmveil.errors import DcmveilError, LimitExceeded
from tests.hostile.forms import DEFLATED
from tests.push.objects import MIB, PIXELS, image, noise, patient, rows
from tests.push.support import assembled, fed, random_chunks, skipped
from tests.reversible.support import SECRET

POLICY = Policy(secret=SECRET)
DATA_SET = DEFLATED.common() + patient(DEFLATED) + rows(DEFLATED) + DEFLATED.element(PIXELS, "OW", noise(30_000))
HEAD = DEFLATED.head()

# A native Pixel Data of 1 GB of zeros, deflated as it is read: VmHWM is that of this process alone.
BOMB = """
import zlib
from pathlib import Path
from dcmveil import Deidentifier, Policy
from tests.hostile.forms import DEFLATED
from tests.push.objects import PIXELS, patient, rows

def pieces():
    deflater = zlib.compressobj(9, wbits=-15)
    yield DEFLATED.head()
    before = DEFLATED.common() + patient(DEFLATED) + rows(DEFLATED)
    yield deflater.compress(before + DEFLATED.header(PIXELS, "OW", 1 << 30))
    zeros = bytes(1 << 20)
    for _ in range(1 << 10):
        yield deflater.compress(zeros)
    yield deflater.flush()

driver = Deidentifier(Policy(secret=bytes(32)))
gone = sum(len(one.data) for piece in pieces() for one in driver.feed(piece))
gone += sum(len(one.data) for one in driver.finish())
assert driver.report().bytes_out == gone > 1_000_000, gone
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]))
"""


def outcome(data: bytes, folder: Path, policy: Policy = POLICY) -> bytes | str:
    (folder / "in").write_bytes(data)
    try:
        deidentify_file(folder / "in", folder / "out", policy)
    except DcmveilError as error:
        return str(error)
    return (folder / "out").read_bytes()


def pushed(data: bytes, size: int, policy: Policy = POLICY) -> bytes | str:
    try:
        return assembled(fed(Deidentifier(policy), data, cycle([size])), data)
    except DcmveilError as error:
        return str(error)


def deflated(data: bytes, level: int = 6, wbits: int = -15) -> bytes:
    deflater = zlib.compressobj(level, wbits=wbits)
    return deflater.compress(data) + deflater.flush()


@pytest.mark.slow
def test_a_bomb_takes_no_memory() -> None:
    done = subprocess.run([sys.executable, "-c", BOMB], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 64 * 1024  # KiB


def test_what_a_bomb_holds_is_bounded() -> None:
    data = image(DEFLATED, DEFLATED.element(PIXELS, "OW", bytes(40 * MIB)))
    assert len(data) < 60_000
    driver, most, segments = Deidentifier(POLICY), 0, []
    for at in range(0, len(data), 512):
        segments += driver.feed(data[at : at + 512])
        most = max(most, driver.held)
    assert most < 3 * MIB
    out = assembled(segments + driver.finish(), data)
    length = int.from_bytes(out[140:144], "little")
    assert len(zlib.decompress(out[144 + length :], -15)) > 40 * MIB


def test_one_that_waits_is_held_to_the_limit() -> None:
    """Inflated: what is fed may be short."""
    data_set = DEFLATED.element(0x00080016, "UI", "1.2.3") + DEFLATED.element(PIXELS, "OW", bytes(100 * MIB))
    driver = Deidentifier(POLICY)
    with pytest.raises(LimitExceeded, match="as a file"):
        driver.feed(HEAD + deflated(data_set))
    assert driver.held <= POLICY.limits.max_held


@pytest.mark.ci
@pytest.mark.parametrize("size", [1, 2, 3, 1000, 1 << 20])
@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("wbits", [-15, -9, 15], ids=["raw", "small window", "zlib envelope"])
def test_however_it_was_deflated(wbits: int, level: int, size: int, tmp_path: Path) -> None:
    data = HEAD + deflated(DATA_SET, level, wbits)
    found = pushed(data, size)
    assert found == outcome(data, tmp_path)
    assert isinstance(found, bytes)


@pytest.mark.parametrize("behind", [b"\0", b"\0\0", b"VEILME0001" * 5000])
@pytest.mark.parametrize("size", [1, 1000, 1 << 20])
def test_bytes_behind_the_stream_are_dropped(behind: bytes, size: int, tmp_path: Path) -> None:
    data = HEAD + deflated(DATA_SET)
    found = pushed(data + behind, size)
    assert found == pushed(data, size) == outcome(data + behind, tmp_path)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_cut_stream_fails_as_from_a_file(size: int, tmp_path: Path) -> None:
    data = HEAD + deflated(DATA_SET)
    stops = [*range(len(HEAD) - 3, len(HEAD) + 12), *range(len(HEAD) + 12, len(data), 3001), len(data) - 1]
    found = {stop: (pushed(data[:stop], size), outcome(data[:stop], tmp_path)) for stop in stops}
    assert {stop: both for stop, both in found.items() if both[0] != both[1]} == {}
    assert all(isinstance(one, str) for one, _other in found.values())


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_corrupt_stream_fails_as_from_a_file(size: int, tmp_path: Path) -> None:
    stream = deflated(DATA_SET, 9)
    differing = {}
    for at in (0, 1, 5, 40, len(stream) // 2, len(stream) - 2):
        broken = bytearray(stream)
        broken[at] ^= 0xFF
        both = pushed(HEAD + bytes(broken), size), outcome(HEAD + bytes(broken), tmp_path)
        if both[0] != both[1]:
            differing[at] = both
    assert differing == {}


def test_one_that_stays_as_it_is(tmp_path: Path) -> None:
    """The stream is not made anew if nothing in it changes."""
    data = HEAD + deflated(DATA_SET, 1) + b"behind"
    nothing = Edits([parse_operation("remove", "0010,1010"), parse_operation("clear", "0010,1020")])
    for way in (fed, skipped):
        assert assembled(way(Editor(nothing), data, random_chunks(3)), data) == data
        assert assembled(way(Deidentifier(Policy.identity()), data, random_chunks(3)), data) == data
