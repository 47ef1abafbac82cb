"""What a push driver is not for is a ValueError, and changes nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from dcmveil import Deidentifier, Editor, Edits, Policy, Reidentifier, deidentify_file, parse_operation, parse_rules
from dcmveil.errors import DcmveilError, ParseError
from dcmveil.streaming import Driver
from tests.hostile.forms import EXPLICIT, IMPLICIT
from tests.push.objects import LONG, MIB, PIXELS, held_back, image, noise, structures
from tests.push.support import assembled, fed, random_chunks
from tests.reversible.support import SECRET, envelope, opener

POLICY = Policy(secret=SECRET)
SEALED = Policy(secret=SECRET, envelope=envelope())
EDITS = Edits([parse_operation("replace", "PatientName=Doe^Jane")])
OBJECT = image(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(LONG)))
MAKERS = {
    "Deidentifier": lambda: Deidentifier(POLICY),
    "one that waits": lambda: Deidentifier(SEALED),
    "Editor": lambda: Editor(EDITS),
    "Reidentifier": lambda: Reidentifier(opener()),
}


def refuses_all(driver: Driver, match: str) -> None:
    for call in (lambda: driver.feed(b"x"), lambda: driver.feed(b""), lambda: driver.advance(0), driver.finish):
        with pytest.raises(ValueError, match=match):
            call()


@pytest.mark.parametrize("name", ["Deidentifier", "one that waits", "Editor"])
def test_nothing_comes_after_the_end(name: str) -> None:
    driver = MAKERS[name]()
    fed(driver, OBJECT, cycle([100_000]))
    before = driver.report()
    refuses_all(driver, "has finished")
    assert driver.report() == before


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_comes_after_an_error(name: str) -> None:
    driver = MAKERS[name]()
    with pytest.raises(DcmveilError):
        fed(driver, b"VEILME0001, which is not DICOM" * 100, cycle([50]))
    refuses_all(driver, "has failed")
    with pytest.raises(ValueError, match="has not finished"):
        driver.report()


@pytest.mark.parametrize("name", MAKERS)
def test_there_is_no_report_before_the_end(name: str) -> None:
    driver = MAKERS[name]()
    with pytest.raises(ValueError, match="has not finished"):
        driver.report()
    driver.feed(OBJECT)
    with pytest.raises(ValueError, match="has not finished"):
        driver.report()


@pytest.mark.parametrize("name", ["Deidentifier", "one that waits", "Editor"])
def test_no_further_than_ahead(name: str) -> None:
    """And then it goes on as if nothing had been."""
    driver = MAKERS[name]()
    segments = driver.feed(OBJECT[:5000])
    for count in (-1, driver.ahead + 1, 1 << 70):
        with pytest.raises(ValueError, match="ahead"):
            driver.advance(count)
    ahead = driver.ahead
    assert ahead == len(OBJECT) - 5000
    segments += driver.advance(ahead)
    with pytest.raises(ValueError, match="ahead"):
        driver.advance(1)
    assert len(assembled(segments + driver.finish(), OBJECT)) > LONG


def test_only_bytes_can_be_fed() -> None:
    driver: Any = Deidentifier(POLICY)
    for wrong in (5, "text", None, [1, 2]):
        with pytest.raises(TypeError):
            driver.feed(wrong)
    assert len(assembled(fed(driver, OBJECT, cycle([100_000])), OBJECT)) > LONG


@pytest.mark.parametrize("kind", [bytearray, lambda data: memoryview(bytearray(data))])
def test_what_was_fed_may_change_afterwards(kind: Any) -> None:
    """One buffer for all, as sockets are read."""
    for name in ("Deidentifier", "Editor"):
        wanted = assembled(fed(MAKERS[name](), OBJECT, cycle([70_000])), OBJECT)
        driver, buffer, segments = MAKERS[name](), bytearray(70_000), []
        for at in range(0, len(OBJECT), 70_000):
            piece = OBJECT[at : at + 70_000]
            buffer[: len(piece)] = piece
            view = memoryview(buffer)[: len(piece)]
            segments += driver.feed(view if kind is not bytearray else bytearray(view))
            buffer[:] = bytes(70_000)
        assert assembled(segments + driver.finish(), OBJECT) == wanted


def test_segments_stay_as_they_are() -> None:
    """What is handed out does not change by what is fed later."""
    for _name, data in structures(4):
        driver, segments, copies = Deidentifier(POLICY), [], []
        for at in range(0, len(data), 11):
            new = driver.feed(data[at : at + 11])
            segments += new
            copies += [bytes(one.data or b"") for one in new]
        assert [bytes(one.data or b"") for one in segments] == copies


def test_a_driver_is_not_called_from_within_itself() -> None:
    """Not by a function of the user's own either, which is called while the driver is at work."""
    said = []

    def again(_text: str) -> str:
        for call in (lambda: driver.feed(b"x"), lambda: driver.advance(0), driver.finish):
            try:
                call()
            except ValueError as error:
                said.append(str(error))
        return "NEW"

    policy = Policy(secret=SECRET, rules=parse_rules([{"tag": "PatientID", "action": "call", "value": again}]))
    driver = Deidentifier(policy)
    out = assembled(fed(driver, OBJECT, cycle([100_000])), OBJECT)
    assert said == ["is in use: one caller at a time"] * 3
    assert b"NEW " in out


def test_one_caller_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second thread is turned away while the first is at work, and the first gets on."""
    driver, is_in, may_go = Deidentifier(POLICY), threading.Event(), threading.Event()
    engine: Any = driver._engine
    feed = engine.feed

    def slow(data: bytes) -> Any:
        is_in.set()
        assert may_go.wait(60)
        return feed(data)

    monkeypatch.setattr(engine, "feed", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(driver.feed, OBJECT[:5000])
        assert is_in.wait(60)
        for call in (lambda: driver.feed(b"x"), lambda: driver.advance(0), driver.finish):
            with pytest.raises(ValueError, match="one caller at a time"):
                call()
        may_go.set()
        segments = first.result()
    segments += driver.feed(OBJECT[5000:])
    wanted = assembled(fed(Deidentifier(POLICY), OBJECT, cycle([5000])), OBJECT)
    assert assembled(segments + driver.finish(), OBJECT) == wanted


def test_many_drivers_share_a_policy() -> None:
    """In threads, at the same time, with the same Policy: each gives what it gives alone."""
    objects = [data for seed in range(4) for _name, data in structures(seed)]
    alone = [assembled(fed(Deidentifier(POLICY), data, cycle([900])), data) for data in objects]
    barrier = threading.Barrier(4)
    shared = Policy(secret=SECRET)

    def work(number: int) -> list[bytes]:
        barrier.wait(60)
        return [assembled(fed(Deidentifier(shared), data, random_chunks(number)), data) for data in objects]

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(work, range(4)):
            assert found == alone


# ---- errors ----------------------------------------------------------------------------------------------------


def test_the_error_says_how_much_is_to_be_discarded(tmp_path: Path) -> None:
    for name, data in held_back().items():
        for form in (data[:-1], data + b"\x08\0\x05\0XX\2\0"):
            driver, gone = Deidentifier(POLICY), 0
            with pytest.raises(ParseError) as caught:  # noqa: PT012
                for at in range(0, len(form), 30_000):
                    gone += sum(segment.length for segment in driver.feed(form[at : at + 30_000]))
                driver.finish()
            assert (name, caught.value.discard) == (name, gone)
            assert gone > 0
            (tmp_path / "in").write_bytes(form)
            with pytest.raises(ParseError) as by_file:
                deidentify_file(tmp_path / "in", tmp_path / "out", POLICY)
            assert str(caught.value) == str(by_file.value)
            assert by_file.value.discard == 0


def test_no_value_is_shown() -> None:
    for form in (EXPLICIT, IMPLICIT):
        data = image(form, form.element(PIXELS, "OW", noise(MIB)))
        driver = Deidentifier(POLICY)
        segments = driver.feed(data[:-10])
        shown = [repr(driver), repr(driver._held), *map(repr, segments)]
        with pytest.raises(ParseError) as caught:
            driver.finish()
        shown += [str(caught.value), repr(caught.value)]
        assert not [text for text in shown if "VEILME" in text or "\\x" in text]


def test_what_never_came_back_is_not_to_be_discarded() -> None:
    """All at once: the segments of what was good are lost with the error, so nothing has gone out."""
    stray = bytes.fromhex("feff0de0 00000000")
    driver = Deidentifier(POLICY)
    with pytest.raises(ParseError) as caught:
        driver.feed(OBJECT + stray + bytes(MIB))
    assert caught.value.discard == 0
