"""Many files: what is to be done to each, what became of it, and going on after one that fails.

Outcomes are plain data: they may come from another process.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterator, Sequence
from itertools import starmap
from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple

from dcmveil.cloud_urls import is_url, shown
from dcmveil.errors import DcmveilError, ReaderGone, Refused, internal
from dcmveil.output import STANDARD
from dcmveil.report import Report
from dcmveil.tasks import Task

if TYPE_CHECKING:
    from dcmveil.folders import Walk

__all__ = ["Failure", "Job", "Jobs", "Outcome", "Tally", "jobs_of", "outcomes_of"]

_Path = str | os.PathLike[str]


class Job(NamedTuple):
    """One file to process; `problem` if it is clear beforehand that it cannot be.

    `exists`: below a folder, an output was there already, under exactly this name.
    """

    source: str
    target: str | None
    problem: str | None = None
    exists: bool = False


class Jobs:
    """The jobs of a run, in order and once, and where their files are: below a folder they have no paths."""

    def __init__(self, jobs: Iterator[Job], walk: Walk | None = None) -> None:
        self._jobs = jobs
        self._walk = walk

    def __iter__(self) -> Iterator[Job]:
        return self._jobs

    def places(self, job: Job) -> tuple[_Path, _Path | None]:
        """Input and output of a job."""
        if self._walk is None:
            return job.source, job.target
        return self._walk.input(job.source), self._walk.output(job.target, job.exists)

    def is_done(self, job: Job) -> bool:
        """Is the output a regular file? A link in its place is not followed: it would be replaced. Below a folder a
        file does not count that the file system merely takes for it."""
        if job.target is None or (self._walk is not None and not job.exists):
            return False
        try:
            return stat.S_ISREG(os.lstat(job.target).st_mode)
        except OSError:  # whatever it is, the attempt to write will tell
            return False


class Failure(NamedTuple):
    """Why a job was not done: a word for programs and a line for people, without a Value."""

    reason: str
    message: str
    refused: bool = False


class Outcome(NamedTuple):
    """What became of a job: a report, a failure, or neither if its output was there already."""

    job: Job
    report: Report | None = None
    failure: Failure | None = None

    @property
    def status(self) -> Literal["ok", "refused", "error", "already there"]:
        if self.failure is not None:
            return "refused" if self.failure.refused else "error"
        return "already there" if self.report is None else "ok"

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """Old and new UIDs and Patient IDs, if they were to be recorded."""
        return () if self.report is None else self.report.remarks.pairs

    def as_dict(self) -> dict[str, object]:
        """For JSON, one object per file."""
        if self.report is not None:
            return self.report.as_dict()
        target = None if self.job.target is None else shown(self.job.target)
        found: dict[str, object] = {"source": shown(self.job.source), "target": target, "status": self.status}
        if self.failure is None:
            return found
        return {**found, "reason": self.failure.reason, "message": self.failure.message}


def jobs_of(source: str, target: str | None, *, recursive: bool) -> Jobs:
    """The jobs for a file, or for the files of a folder as `dcmveil.folders` finds them."""
    if source == STANDARD or not os.path.isdir(source):
        return Jobs(iter([Job(source, target)]))
    from dcmveil.folders import Walk  # a few modules that a single file does not need

    walk = Walk(source, target, recursive=recursive)
    return Jobs(starmap(Job, walk), walk)


def outcomes_of(jobs: Jobs, task: Task, *, resume: bool = False, processes: int = 1) -> Generator[Outcome, None, None]:
    """Do the jobs; the outcomes come in the order of the jobs, however many processes there are.

    With `resume` a job is not done if its output is there already: outputs appear only when whole. Close the
    iterator that is not used up, or processes go on.
    """

    def work(job: Job) -> Outcome:
        if job.problem is not None:
            return Outcome(job, failure=Failure("InputError", job.problem))
        if resume and jobs.is_done(job):
            return Outcome(job)
        return _do(job, task, *jobs.places(job))

    if processes == 1:
        yield from map(work, jobs)
        return
    from dcmveil.workers import in_processes

    yield from in_processes(work, iter(jobs), processes, lost=_lost, again=_again)


def _do(job: Job, task: Task, source: _Path, target: _Path | None) -> Outcome:
    """Process one file. Never raises what is wrong with that one file; ReaderGone if standard output has come to it."""
    try:
        return Outcome(job, _run(task, source, target))
    except Refused as error:
        return Outcome(job, failure=Failure(error.reason, _message(job, error), refused=True))
    except ReaderGone:
        raise
    except DcmveilError as error:
        return Outcome(job, failure=Failure(type(error).__name__, _message(job, error)))
    except MemoryError as error:
        return Outcome(job, failure=Failure("LimitExceeded", internal(error)))
    except OSError as error:  # a machine that fails where hardly any does: no bug of ours
        return Outcome(job, failure=Failure("OSError", error.strerror or "failed"))
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # what Rust panics with is no Exception
        return Outcome(job, failure=Failure("DcmveilError", internal(error)))


def _run(task: Task, source: _Path, target: _Path | None) -> Report:
    if not (isinstance(source, str) and isinstance(target, str | None)):
        return task.run(source, target)
    if is_url(source) or (target is not None and is_url(target)):
        from dcmveil.cloud import run_url

        return run_url(task, source, target)
    if STANDARD not in (source, target):
        return task.run(source, target)
    from dcmveil.pipes import run_piped

    return run_piped(task, source, target)


def _message(job: Job, error: DcmveilError) -> str:
    if job.target == STANDARD and error.discard:
        return f"{error}; the {error.discard} bytes that went to standard output before are to be discarded"
    return str(error)


def _lost(job: Job, how: str) -> Outcome:
    return Outcome(job, failure=Failure("ProcessLost", f"the process that worked on it {how}"))


def _again(job: Job) -> Job:
    """Its output may be there by now."""
    return job._replace(exists=True)


class Tally:
    """Counts what became of the jobs of a run, from when it is made."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._bytes = 0
        self._counts = {"ok": 0, "refused": 0, "error": 0, "already there": 0}

    def add(self, outcome: Outcome) -> None:
        self._counts[outcome.status] += 1
        if outcome.report is not None:
            self._bytes += outcome.report.bytes_in

    @property
    def failed(self) -> bool:
        """Whether anything was not done."""
        return self._counts["refused"] + self._counts["error"] > 0

    def __str__(self) -> str:
        done, refused, failed, there = self._counts.values()
        amount, seconds = _in_units(self._bytes), monotonic() - self._began
        return f"{done} done, {refused} refused, {failed} failed, {there} already there, {amount} in {seconds:.1f} s"


def _in_units(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
