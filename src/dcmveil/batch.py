"""Many files: walking folders, what was done to each, and going on after one that fails."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dcmveil.errors import DcmveilError, InputError, OutputError, Refused
from dcmveil.files import Report, deidentify_file, plan_file
from dcmveil.policy import Policy

__all__ = ["Job", "Outcome", "jobs_of", "run_job", "write_report"]


@dataclass(frozen=True, slots=True)
class Job:
    """One file to process; `problem` if it is clear beforehand that it cannot be."""

    source: Path
    target: Path | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: a report or an error."""

    job: Job
    report: Report | None = None
    error: DcmveilError | None = None

    def as_dict(self) -> dict[str, object]:
        """For JSON, one object per file."""
        if self.report is not None:
            return self.report.as_dict()
        refused = self.error.reason if isinstance(self.error, Refused) else None
        return {
            "source": str(self.job.source),
            "target": None if self.job.target is None else str(self.job.target),
            "status": "refused" if refused else "error",
            "reason": refused or type(self.error).__name__,
            "message": str(self.error),
        }


def jobs_of(source: Path, target: Path | None, *, recursive: bool) -> Iterator[Job]:
    """The jobs for a file, or for the files of a folder in the order of their names.

    Names beginning with a dot are left out; folders below only with `recursive`. Symbolic links and special
    files get a job with a `problem`. Folders of the output are made as they are needed.
    """
    if not source.is_dir():
        yield Job(source, target)
        return
    if target is not None:
        _check_folders(source, target)
    yield from _walk(source, target, target.resolve() if target else None, recursive)


def _check_folders(source: Path, target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target}: is no folder, but the input is one")
    if target.resolve() == source.resolve():
        raise OutputError("input and output folder must differ")


def _walk(source: Path, target: Path | None, avoid: Path | None, recursive: bool) -> Iterator[Job]:
    try:
        entries = sorted(os.scandir(source), key=lambda entry: entry.name)
        if target is not None:
            target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        yield Job(source, target, f"folder cannot be used: {error.strerror}")
        return
    for entry in entries:
        path = source / entry.name
        below = None if target is None else target / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if recursive and path.resolve() != avoid:
                yield from _walk(path, below, avoid, recursive)
        elif entry.is_file(follow_symlinks=False):
            yield Job(path, below)
        else:
            yield Job(path, below, "is a symbolic link or special file: not followed")


def run_job(job: Job, policy: Policy) -> Outcome:
    """Process one file, or plan it if it has no target. Never raises what is wrong with that one file."""
    try:
        if job.problem is not None:
            raise InputError(job.problem)
        if job.target is None:
            return Outcome(job, plan_file(job.source, policy))
        return Outcome(job, deidentify_file(job.source, job.target, policy))
    except DcmveilError as error:
        return Outcome(job, error=error)
    except Exception as error:
        return Outcome(job, error=DcmveilError(_internal(error)))


def _internal(error: BaseException) -> str:
    """A bug of ours in one line: its kind and place. Its own text may hold a Value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "?" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"internal error, please report: {type(error).__name__} at {place}"


def write_report(file: IO[str]) -> Callable[[Outcome], None]:
    """A function that appends outcomes to `file`, one JSON object a line."""

    def write(outcome: Outcome) -> None:
        file.write(json.dumps(outcome.as_dict(), ensure_ascii=True) + "\n")

    return write
