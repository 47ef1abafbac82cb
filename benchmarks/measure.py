"""Wall time and peak memory of whole processes, taken in turn.

A round runs every tool once, each round beginning with another one, so that a change of the machine's load meets all
of them; what counts are the ratios within a round. Each process is started and awaited by a fresh, bare interpreter
(this file as a script): Linux carries the high-water mark of whoever starts a process over to it, and the time of
the starter's own start is not counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import IO, Any, NamedTuple, TypeVar

__all__ = ["Failed", "Run", "Spread", "in_turn", "ratios", "run"]

Name = TypeVar("Name")
_QUOTED = 600  # bytes of what a failed command said


class Failed(Exception):
    """A command that did not do what it should, with the end of what it said."""


class Run(NamedTuple):
    """Wall time from start to end and processor time of all its threads and processes, both in seconds; peak resident
    set size in KiB."""

    seconds: float
    processor: float
    peak: int


class Spread(NamedTuple):
    """Median, least and most of some figures."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        listed = list(figures)
        return cls(median(listed), min(listed), max(listed))


def run(argv: Sequence[str | os.PathLike[str]], stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None) -> Run:
    """Run `argv`, with no input and its output out of sight unless they are given.

    Failed if it cannot be started or its exit status is not 0.
    """
    with tempfile.TemporaryFile() as report, tempfile.TemporaryFile() as said:
        words = [sys.executable, "-I", "-S", __file__, str(report.fileno()), *map(str, argv)]
        streams: dict[str, Any] = {"stdin": stdin or subprocess.DEVNULL, "stdout": stdout or said, "stderr": said}
        subprocess.call(words, pass_fds=[report.fileno()], **streams)
        report.seek(0)
        numbers = report.read().split()
        if len(numbers) != 4 or int(numbers[0]):
            said.seek(max(0, said.seek(0, os.SEEK_END) - _QUOTED))
            status = numbers[0].decode() if numbers else "none"
            raise Failed(f"{os.fspath(argv[0])}: exit status {status}: {said.read().decode(errors='replace').strip()}")
    return Run(float(numbers[1]), float(numbers[2]), int(numbers[3]))


def in_turn(actions: dict[Name, Callable[[], Run]], rounds: int) -> dict[Name, list[Run]]:
    """The runs of each action, round by round."""
    runs: dict[Name, list[Run]] = {name: [] for name in actions}
    names = list(actions)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            runs[name].append(actions[name]())
    return runs


def ratios(ones: Iterable[float], others: Iterable[float]) -> Spread:
    """How many times the others each of `ones` is, round by round."""
    return Spread.of(one / other for one, other in zip(ones, others, strict=True))


def _wait(argv: list[str]) -> tuple[int, float, float, int]:
    start = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, os.environ)
    _, status, usage = os.wait4(pid, 0)
    taken = time.perf_counter() - start
    unit = 1024 if sys.platform == "darwin" else 1  # bytes there, KiB elsewhere
    return os.waitstatus_to_exitcode(status), taken, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // unit


if __name__ == "__main__":
    report_fd = int(sys.argv[1])
    os.set_inheritable(report_fd, False)
    try:
        os.write(report_fd, b"%d %.6f %.6f %d" % _wait(sys.argv[2:]))
    except OSError as error:
        sys.exit(f"could not be started: {error.strerror}")
