"""The Copier does what its script says, whatever the descriptors do, and says what went wrong."""

from __future__ import annotations

import errno
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from dcmveil._copier import Copier
from tests.sink.scripts import (
    INPUT,
    KIB,
    MIB,
    Segment,
    copy,
    data,
    meaning_of,
    opened,
    run_python,
    script_of,
    segment_lists,
)
from tests.sink.signals import Interrupted, interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator

TO_TARGET = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    path = tmp_path_factory.mktemp("copier") / "in"
    path.write_bytes(INPUT)
    with opened(path) as fd:
        yield fd


def execute(source: int, target: Path, *scripts: bytes) -> int:
    with opened(target, TO_TARGET) as fd:
        copier = Copier(source, fd, size=len(INPUT))
        for script in scripts:
            copier.run(script)
        copier.finish()
        return copier.written


@given(segments=segment_lists)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_does_what_the_naive_executor_does(source: int, tmp_path: Path, segments: list[Segment]) -> None:
    wanted = meaning_of(segments)
    assert execute(source, tmp_path / "out", script_of(segments)) == len(wanted)
    assert (tmp_path / "out").read_bytes() == wanted


@given(segments=segment_lists)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_script_or_many_is_the_same(source: int, tmp_path: Path, segments: list[Segment]) -> None:
    execute(source, tmp_path / "out", *(script_of([s]) for s in segments))
    assert (tmp_path / "out").read_bytes() == meaning_of(segments)


def test_written_counts_what_is_still_in_the_buffer(source: int, tmp_path: Path) -> None:
    with opened(tmp_path / "out", TO_TARGET) as fd:
        copier = Copier(source, fd, size=len(INPUT))
        copier.run(data(b"abc") + copy(0, MIB))
        assert copier.written == MIB + 3
        assert os.fstat(fd).st_size == MIB
        copier.finish()
        assert os.fstat(fd).st_size == copier.written == MIB + 3


def test_writes_from_where_the_target_stands_and_moves_no_offset_of_the_source(source: int, tmp_path: Path) -> None:
    os.lseek(source, 5, os.SEEK_SET)
    with opened(tmp_path / "out", TO_TARGET) as fd:
        os.write(fd, b"head")
        copier = Copier(source, fd, size=len(INPUT))
        copier.run(copy(0, 300 * KIB))
        copier.finish()
    assert (tmp_path / "out").read_bytes() == b"head" + INPUT[: 300 * KIB]
    assert os.lseek(source, 0, os.SEEK_CUR) == 5


def test_tiny_segments_cost_no_system_call_each(source: int, tmp_path: Path) -> None:
    def calls() -> int:
        counted = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        return int(counted["syscr"]) + int(counted["syscw"])

    segments: list[Segment] = [(start, 20) for start in range(0, len(INPUT) - 20, 30)]
    script = script_of(segments)
    before = calls()
    execute(source, tmp_path / "out", script)
    assert calls() - before < 60
    assert (tmp_path / "out").read_bytes() == meaning_of(segments)


@pytest.mark.parametrize(
    "script",
    [
        b"\0" * 7,
        data(b"four")[:-1],
        copy(0, 1)[:-1],
        copy(0, len(INPUT) + 1),
        copy(len(INPUT) + 1, 0),
        copy(1, (1 << 64) - 1),
        copy((1 << 63) - 1, 1),
        data(b"")[:-1] + b"\x7f",
    ],
)
def test_malformed_script_is_refused(source: int, tmp_path: Path, script: bytes) -> None:
    with pytest.raises(ValueError, match="malformed segment script"):
        execute(source, tmp_path / "out", script)


def test_a_pipe_that_drains_slowly_gets_everything(source: int) -> None:
    segments: list[Segment] = [b"x" * 70_000, (0, 2 * MIB), b"y", (3, 50)]
    read_end, write_end = os.pipe()
    received = list[bytes]()

    def drain() -> None:
        while piece := os.read(read_end, 1000):
            received.append(piece)

    reader = threading.Thread(target=drain)
    reader.start()
    copier = Copier(source, write_end, size=len(INPUT))
    copier.run(script_of(segments))
    copier.finish()
    os.close(write_end)
    reader.join()
    os.close(read_end)
    assert b"".join(received) == meaning_of(segments)


@pytest.fixture
def alarms() -> Iterator[list[int]]:
    """A signal every 5 ms whose handler notes it."""
    seen = list[int]()
    previous = signal.signal(signal.SIGALRM, lambda number, _frame: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    yield seen
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


def test_short_and_interrupted_writes_are_continued_after_the_handler_ran(source: int, alarms: list[int]) -> None:
    read_end, write_end = os.pipe()
    received = list[bytes]()
    pause = threading.Event()

    def drain_later() -> None:
        while len(alarms) < 3:  # the pipe is full meanwhile: the Copier sits in write(2)
            pause.wait(0.005)
        while piece := os.read(read_end, MIB):
            received.append(piece)

    reader = threading.Thread(target=drain_later)
    reader.start()
    copier = Copier(source, write_end, size=len(INPUT))
    copier.run(copy(0, len(INPUT)))
    copier.finish()
    os.close(write_end)
    reader.join()
    os.close(read_end)
    assert b"".join(received) == INPUT


def test_an_exception_of_a_signal_handler_ends_a_blocked_run(source: int) -> None:
    read_end, write_end = os.pipe()
    copier = Copier(source, write_end, size=len(INPUT))
    with pytest.raises(Interrupted), interrupts(0.02, lambda: copier.written > 0):
        copier.run(copy(0, len(INPUT)))
    with pytest.raises(ValueError, match="has failed"):
        copier.finish()
    os.close(read_end)
    os.close(write_end)


def test_a_running_copier_refuses_a_second_thread(source: int) -> None:
    read_end, write_end = os.pipe()
    copier = Copier(source, write_end, size=len(INPUT))
    blocked = threading.Thread(target=copier.run, args=(copy(0, MIB),))
    blocked.start()
    first = os.read(read_end, 1)  # it is past its start, and cannot end before the pipe is drained
    with pytest.raises(ValueError, match="running in another thread"):
        copier.finish()
    rest = b""
    while len(rest) < MIB - 1:
        rest += os.read(read_end, MIB)
    blocked.join()
    copier.finish()
    os.close(read_end)
    os.close(write_end)
    assert first + rest == INPUT[:MIB]


def test_full_device_is_an_error_with_errno_and_no_content(source: int) -> None:
    with opened(Path("/dev/full"), os.O_WRONLY) as full:
        copier = Copier(source, full, size=len(INPUT))
        copier.run(data(b"VEILME"))
        with pytest.raises(OSError, match="No space left on device") as caught:
            copier.finish()
        assert caught.value.errno == errno.ENOSPC
        assert "VEILME" not in str(caught.value)
        with pytest.raises(ValueError, match="has failed"):
            copier.run(data(b""))


def test_file_size_limit_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(INPUT)
    code = """if True:
        import os, resource, signal, sys
        from dcmveil._copier import Copier
        from tests.sink.scripts import INPUT, copy
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
        source = os.open(sys.argv[1], os.O_RDONLY)
        target = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            Copier(source, target, size=len(INPUT)).run(copy(0, len(INPUT)))
        except OSError as error:
            print(error.errno, os.fstat(target).st_size)
    """
    assert run_python(code, tmp_path / "in", tmp_path / "out") == f"{errno.EFBIG} 1500000"


@pytest.mark.parametrize("length", [10, 100 * KIB, 128 * KIB, 2 * MIB], ids=str)
@pytest.mark.parametrize("missing", [1, 9])
def test_input_that_shrinks_is_an_error(tmp_path: Path, length: int, missing: int) -> None:
    path = tmp_path / "in"
    path.write_bytes(INPUT[:length])
    with opened(path) as source, opened(tmp_path / "out", TO_TARGET) as target:
        copier = Copier(source, target, size=length)
        os.truncate(path, length - missing)
        with pytest.raises(OSError, match="the input shrank") as caught:
            copier.run(copy(0, length))
        assert caught.value.errno == errno.ENODATA


def test_unreadable_input_is_an_error_that_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as folder, opened(tmp_path / "out", TO_TARGET) as target:
        copier = Copier(folder, target, size=10)
        with pytest.raises(OSError, match="reading the input: ") as caught:
            copier.run(copy(0, 10))
        assert caught.value.errno == errno.EISDIR


def test_copier_made_without_its_descriptors_does_nothing() -> None:
    copier = Copier.__new__(Copier)
    with pytest.raises(ValueError, match="has failed"):
        copier.run(data(b"x"))
