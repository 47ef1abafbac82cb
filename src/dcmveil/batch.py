"""Many files: what was done to each, and going on after one that fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import starmap
from typing import IO, NamedTuple

from dcmveil.errors import DcmveilError, InputError, LimitExceeded, Refused
from dcmveil.files import Report, deidentify_file, plan_file
from dcmveil.policy import Policy

__all__ = ["Job", "Outcome", "jobs_of", "run_job", "write_report"]


class Job(NamedTuple):
    """One file to process; `problem` if it is clear beforehand that it cannot be."""

    source: str
    target: str | None
    problem: str | None = None


class Outcome(NamedTuple):
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
            "source": self.job.source,
            "target": self.job.target,
            "status": "refused" if refused else "error",
            "reason": refused or type(self.error).__name__,
            "message": str(self.error),
        }


def jobs_of(source: str, target: str | None, *, recursive: bool) -> Iterator[Job]:
    """The jobs for a file, or for the files of a folder as `dcmveil.folders` finds them."""
    if not os.path.isdir(source):
        return iter([Job(source, target)])
    from dcmveil.folders import walk  # pathlib is worth its start-up time for folders only

    return starmap(Job, walk(source, target, recursive=recursive))


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
    except MemoryError:
        return Outcome(job, error=LimitExceeded("not enough memory"))
    except Exception as error:
        return Outcome(job, error=DcmveilError(_internal(error)))


def _internal(error: BaseException) -> str:
    """A bug of ours in one line: its kind and place. Its own text may hold a Value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "?" if trace is None else f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
    return f"internal error, please report: {type(error).__name__} at {place}"


def write_report(file: IO[str]) -> Callable[[Outcome], None]:
    """A function that appends outcomes to `file`, one JSON object a line."""
    import json

    def write(outcome: Outcome) -> None:
        file.write(json.dumps(outcome.as_dict(), ensure_ascii=True) + "\n")

    return write
