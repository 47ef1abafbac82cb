"""A long object goes out while it comes in, and little of it is held."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dcmveil import Deidentifier, Editor, Edits, Policy, Segment, deidentify_file, edit_file, parse_operation
from dcmveil.errors import LimitExceeded
from dcmveil.policy import Limits
from dcmveil.streaming import Driver
from tests.hostile.forms import EXPLICIT, meta_element
from tests.push.objects import LONG, MIB, PIXELS, held_back, image, noise, patient, rows, uid_free
from tests.push.support import assembled, fed, in_chunks
from tests.reversible.support import SECRET, envelope

POLICY = Policy(secret=SECRET)
EDITS = Edits([parse_operation("replace", "PatientName=Doe^Jane"), parse_operation("empty", "FFFC,FFFC")])
MOST_HELD = 3 * MIB
REFERENCE_LOCATION = 0x00189901  # its description is kept
DRIVERS: dict[str, tuple[Callable[[], Driver], Callable[[Path, Path], object]]] = {
    "de-identified": (lambda: Deidentifier(POLICY), lambda source, target: deidentify_file(source, target, POLICY)),
    "edited": (lambda: Editor(EDITS), lambda source, target: edit_file(source, target, EDITS)),
}


def flowed(driver: Driver, data: bytes, size: int, *, advances: bool) -> tuple[bytes, int, int]:
    """The output, the bytes that had gone out before the last of the input came, and the most that was held."""
    segments: list[Segment] = []
    before = most = at = 0
    while at < len(data):
        before = sum(segment.length for segment in segments)
        if advances and driver.ahead >= 4096:
            count = min(driver.ahead, len(data) - at)
            segments += driver.advance(count)
        else:
            count = min(size, len(data) - at)
            segments += driver.feed(data[at : at + count])
        at += count
        most = max(most, driver.held)
    return assembled(segments + driver.finish(), data), before, most


@pytest.mark.parametrize("advances", [False, True], ids=["fed", "advanced"])
@pytest.mark.parametrize("kind", held_back())
@pytest.mark.parametrize("what", DRIVERS)
def test_it_goes_out_before_the_end(what: str, kind: str, advances: bool, tmp_path: Path) -> None:
    make, by_file = DRIVERS[what]
    data = held_back()[kind]
    (tmp_path / "in").write_bytes(data)
    by_file(tmp_path / "in", tmp_path / "out")
    out, before, most = flowed(make(), data, 50_000, advances=advances)
    assert out == (tmp_path / "out").read_bytes()
    assert before > 0
    assert most < MOST_HELD


def test_bulk_goes_out_as_it_comes() -> None:
    """As ranges of the input, with the bytes that were fed."""
    data = image(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(2 * MIB)))
    driver = Deidentifier(POLICY)
    driver.feed(data[:50_000])
    for at in range(50_000, len(data) - 50_000, 50_000):
        (segment,) = driver.feed(data[at : at + 50_000])
        assert (segment.start, segment.stop, segment.data) == (at, at + 50_000, data[at : at + 50_000])
    assert driver.held == 0


def test_what_is_advanced_over_is_a_range_without_bytes() -> None:
    data = image(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(2 * MIB)))
    driver = Deidentifier(POLICY)
    driver.feed(data[:10_000])
    ahead = driver.ahead
    assert ahead == len(data) - 10_000
    assert driver.advance(1000) == [Segment(10_000, 11_000, None)]
    assert driver.advance(ahead - 1000) == [Segment(11_000, len(data), None)]
    driver.finish()
    assert driver.report().bytes_in == len(data)


@pytest.mark.parametrize("kind", ["no UID", "cleaned", "sealed"])
def test_what_has_to_be_seen_as_a_whole_waits(kind: str) -> None:
    """Without a SOP Instance UID of its own an object gets that of the File Meta Information, or a new one."""
    pixels = EXPLICIT.element(PIXELS, "OW", noise(2 * MIB))
    data = uid_free(EXPLICIT, pixels) if kind == "no UID" else image(EXPLICIT, pixels)
    policy = {"no UID": POLICY, "cleaned": Policy(verifies=True), "sealed": Policy(envelope=envelope())}[kind]
    driver = Deidentifier(policy)
    pieces = in_chunks(data, iter([300_000] * 100))
    assert [segment for piece in pieces for segment in driver.feed(piece)] == []
    assert driver.held == len(data)
    assert sum(segment.length for segment in driver.finish()) > 2 * MIB


@pytest.mark.parametrize("kind", ["no UID", "sealed"])
def test_but_not_what_is_advanced_over(kind: str) -> None:
    pixels = EXPLICIT.element(PIXELS, "OW", noise(2 * MIB))
    data = uid_free(EXPLICIT, pixels) if kind == "no UID" else image(EXPLICIT, pixels)
    driver = Deidentifier(POLICY if kind == "no UID" else Policy(envelope=envelope()))
    driver.feed(data[:5000])
    driver.advance(driver.ahead)
    assert driver.held == 5000
    assert driver.finish()[-1].data is None


@pytest.mark.parametrize("kind", ["no UID", "text that is read to its end before it is kept"])
def test_no_more_is_held_than_the_limit(kind: str) -> None:
    pixels = EXPLICIT.element(PIXELS, "OW", noise(2 * MIB))
    text = EXPLICIT.element(REFERENCE_LOCATION, "UT", b"x" * 2 * MIB)
    data = uid_free(EXPLICIT, pixels) if kind == "no UID" else image(EXPLICIT, text + pixels)
    driver = Deidentifier(Policy(limits=Limits(max_held=MIB)))
    with pytest.raises(LimitExceeded) as caught:
        fed(driver, data, iter([100_000] * 100))
    text = str(caught.value)
    assert f"more than {MIB} bytes" in text
    for advice in ("advance over long Values", "as a file", "raise max_held"):
        assert advice in text
    assert caught.value.discard == 0
    assert driver.held <= MIB


def test_what_was_dropped_is_not_held(tmp_path: Path) -> None:
    """A limit that is far shorter than the object."""
    for name, data in held_back().items():
        policy = Policy(secret=SECRET, limits=Limits(max_held=3 * MIB // 2))
        (tmp_path / "in").write_bytes(data)
        deidentify_file(tmp_path / "in", tmp_path / "out", policy)
        out, _before, most = flowed(Deidentifier(policy), data, 7000, advances=False)
        assert (name, out) == (name, (tmp_path / "out").read_bytes())
        assert most <= 3 * MIB // 2


@pytest.mark.parametrize("advances", [False, True], ids=["fed", "advanced"])
@pytest.mark.parametrize("what", ["de-identified", "edited", "edited UIDs"])
def test_long_file_meta_is_no_hindrance(what: str, advances: bool, tmp_path: Path) -> None:
    """It is written anew, or with other UIDs, once it has come as a whole."""
    form = EXPLICIT
    private = [meta_element(0x00020100, "UI", "2.999.1"), meta_element(0x00020102, "OB", noise(LONG))]
    data_set = form.common() + patient(form) + rows(form) + form.element(PIXELS, "OW", noise(2 * MIB, 1))
    data = form.file(data_set, more=private)
    uids = Edits([parse_operation("replace", "SOPInstanceUID=2.999.1"), parse_operation("empty", "PatientName")])
    edited = (lambda: Editor(uids), lambda source, target: edit_file(source, target, uids))
    make, by_file = {**DRIVERS, "edited UIDs": edited}[what]
    (tmp_path / "in").write_bytes(data)
    by_file(tmp_path / "in", tmp_path / "out")
    out, before, _most = flowed(make(), data, 50_000, advances=advances)
    assert out == (tmp_path / "out").read_bytes()
    assert before > 0
