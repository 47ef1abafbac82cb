"""Corners of small parts: what does not fit, what is not there, and processes that do not end."""

from __future__ import annotations

import errno
import os
import signal
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dcmveil import Policy, output, workers
from dcmveil.batch import _in_units
from dcmveil.cms_algorithms import CBC, GCM, Encryption, KeyWrap
from dcmveil.cms_structures import as_tlv, tlv
from dcmveil.errors import OutputError
from dcmveil.held import Held, Segment
from dcmveil.moments import find_dates
from dcmveil.namings import find_namings
from dcmveil.options import Options
from dcmveil.output import AtomicFile
from dcmveil.pipes import ReaderGone, _raise
from dcmveil.privates import _statuses
from dcmveil.sinks import SegmentOutput, without_first
from dcmveil.userrules import parse_rules
from dcmveil.workers import _Numbered, _Worker
from tests.engine.support import SECRET, rewritten
from tests.hostile.forms import EXPLICIT as E

CHARACTERISTICS, GROUP, CREATOR = 0x00080300, 0x00080301, 0x00080302


# ---- segments ----------------------------------------------------------------------------------------------------


def test_short_pieces_are_joined_but_not_without_end() -> None:
    """All bytes come out, and no piece is held back until the end of a long object."""
    made = SegmentOutput(Held(0))
    for number in range(1000):
        made.write(b"%04d" % number * 100)
    segments = made.take()
    assert b"".join(bytes(segment.data or b"") for segment in segments) == b"".join(
        b"%04d" % number * 100 for number in range(1000)
    )
    assert 1 < len(segments) < 100
    assert all(segments)


def test_what_is_left_out_may_end_within_a_segment_or_between_two() -> None:
    segments = [Segment(None, None, b"abc"), Segment(10, 14, None), Segment(None, None, b"xyz")]
    for count in range(12):
        left = without_first(segments, count)
        assert sum(segment.length for segment in left) == max(0, 10 - count)
        assert all(segment.length for segment in left)
    assert without_first(segments, 5) == [Segment(12, 14, None), Segment(None, None, b"xyz")]


# ---- processes ---------------------------------------------------------------------------------------------------


def worker(**attributes: Any) -> Any:
    found = object.__new__(_Worker)
    vars(found).update(attributes)
    return found


def test_jobs_that_do_not_fit_into_a_pipe_are_sent_fewer_at_a_time() -> None:
    """One that is too long by itself is sent all the same: the process reads while it is written."""
    sent: list[bytes] = []
    made = worker(given=deque(), connection=SimpleNamespace(send_bytes=sent.append))
    chunk = [_Numbered(number, "x" * (workers._CHUNK_BYTES // 3)) for number in range(8)]
    left = made.give(chunk)
    assert [*made.given, *left] == chunk
    assert 0 < len(made.given) < 4
    assert len(sent[0]) <= workers._CHUNK_BYTES
    long = [_Numbered(8, "x" * workers._CHUNK_BYTES * 2)]
    assert made.give(long) == []


class Process:
    """One that ends when it is killed, or has ended."""

    def __init__(self, exitcode: int | None) -> None:
        self.exitcode, self.pid, self.killed = exitcode, os.getpid(), 0

    def join(self, _seconds: float | None = None) -> None:
        """It does not."""

    def kill(self) -> None:
        self.killed += 1
        self.exitcode = -signal.SIGKILL


def test_a_process_that_does_not_end_is_killed_and_one_that_has_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted: list[int] = []
    monkeypatch.setattr(workers.os, "kill", lambda pid, number: interrupted.append(number))
    for exitcode, told in ((None, "does not answer any more"), (-9, "was ended by signal 9"), (3, "with status 3")):
        process = Process(exitcode)
        made = worker(process=process, connection=SimpleNamespace(close=lambda: None))
        assert told in made.end()
        made.interrupt()
        made.wait_or_kill()
        assert process.killed == (exitcode is None)
    assert interrupted == [signal.SIGINT]


# ---- outputs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lacking", ["_has_descriptor_paths", "_NAMELESS"])
def test_without_files_without_a_name_there_is_a_temporary_one(
    lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on systems without O_TMPFILE, or without /proc."""
    monkeypatch.setattr(output, lacking, 0 if lacking == "_NAMELESS" else lambda _fd: False)
    target = tmp_path / "out"
    with AtomicFile(target, mode_of=None) as file:
        os.write(file.fd, b"whole")
        assert len(list(tmp_path.iterdir())) == 1
        assert not target.exists()
        file.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert target.read_bytes() == b"whole"


def test_a_reader_that_goes_is_told_from_a_pipe_that_fails() -> None:
    with pytest.raises(ReaderGone):
        _raise(OSError(errno.EPIPE, "Broken pipe"))
    with pytest.raises(OutputError, match="No space left") as caught:
        _raise(OSError(errno.ENOSPC, "No space left on device"))
    assert not isinstance(caught.value, ReaderGone)


def test_amounts_are_told_in_units_to_the_largest() -> None:
    amounts = [_in_units(5 << shift) for shift in range(0, 60, 10)]
    assert amounts == ["5 bytes", "5.0 KiB", "5.0 MiB", "5.0 GiB", "5.0 TiB", "5120.0 TiB"]


# ---- messages ----------------------------------------------------------------------------------------------------


def test_a_mac_of_another_length_than_was_told_is_none() -> None:
    encryption = Encryption.new(GCM["aes256"])
    encrypted, mac = encryption.encrypt(bytes(32), b"VEILME")
    assert encryption.decrypt(bytes(32), encrypted, mac, b"") == (b"VEILME", True)
    for wrong in (mac[:-1], mac + b"\0", b""):
        with pytest.raises(ValueError, match="of another length"):
            encryption.decrypt(bytes(32), encrypted, wrong, b"")


def test_a_key_is_not_wrapped_in_an_authenticated_cipher() -> None:
    """RFC 3211 is for CBC: anything else has no check value."""
    good = KeyWrap.new(CBC["aes256"])
    assert KeyWrap.of(good.identifier()) == good
    told = [good.identifier()[0], as_tlv(Encryption.new(GCM["aes256"]).identifier())]
    with pytest.raises(ValueError, match="not supported"):
        KeyWrap.of(told)
    assert tlv(5) != told[0]


# ---- texts -------------------------------------------------------------------------------------------------------


def test_a_day_that_no_month_has_is_no_date() -> None:
    """What is left of it is a month, which is a moment as well."""
    assert ("20200312",) in [moment.meanings for moment in find_dates("12 March 2020")]
    assert [(moment.start, moment.meanings) for moment in find_dates("45 March 2020")] == [(3, ())]


def test_a_label_without_a_name_or_number_behind_it_names_nobody() -> None:
    assert find_namings("\u6c0f\u540d: \u5c71\u7530")
    assert find_namings("\u6c0f\u540d: 12") == []
    assert find_namings("ID: 4711")
    assert find_namings("ID: 4") == []


def test_words_to_be_dropped_may_be_no_words() -> None:
    policy = Policy(secret=SECRET, options=Options(clean_descriptors=True), drop_words=["--", "", "Veilme"])
    data = E.file(E.common() + E.element(0x00081030, "LO", "Head -- veilme"))
    output = rewritten(data, policy)
    assert b"veilme" not in output
    assert E.element(0x00081030, "LO", "Head") in output


# ---- what is not there -------------------------------------------------------------------------------------------


def test_a_condition_on_what_is_absent_is_not_met() -> None:
    rules = parse_rules([{"tag": "PatientComments", "action": "keep", "when": {"BodyPartExamined": "HEAD"}}])
    comment = E.element(0x00104000, "LT", "VEILME")
    policy = Policy(secret=SECRET, rules=rules)
    part = E.element(0x00180015, "CS", "HEAD")
    assert comment not in rewritten(E.file(E.common() + comment), policy)
    assert comment in rewritten(E.file(E.common() + comment + part), policy)


def test_a_block_without_a_creator_is_nobody_s() -> None:
    group = (GROUP, CHARACTERISTICS, 1, b"\x19\0")
    assert list(_statuses([group], "<")) == []
    assert list(_statuses([group, (CREATOR, CHARACTERISTICS, 1, b"  ")], "<")) == []
    assert [status[0] for status in _statuses([group, (CREATOR, CHARACTERISTICS, 1, b"ACME")], "<")] == [b"ACME"]
