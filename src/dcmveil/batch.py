"""Many files: walking folders, what was done to each, and going on after one that fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from errno import EINVAL
from pathlib import Path
from typing import IO, NamedTuple

from dcmveil.errors import DcmveilError, InputError, OutputError, Refused, show_path
from dcmveil.files import Report, deidentify_file, plan_file
from dcmveil.policy import Policy

__all__ = ["Job", "Outcome", "jobs_of", "run_job", "write_report"]


class Job(NamedTuple):
    """One file to process; `problem` if it is clear beforehand that it cannot be."""

    source: Path
    target: Path | None
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
    yield from _walk(source, target, recursive)


def _check_folders(source: Path, target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise OutputError(f"{show_path(target)}: is no folder, but the input is one")
    if target.resolve() == source.resolve():
        raise OutputError(f"{show_path(target)}: input and output folder must differ")


def _walk(source: Path, target: Path | None, recursive: bool) -> Iterator[Job]:
    """Depth first. The stack is a list: folders may be nested deeper than Python calls may be."""
    bounds = source.resolve(), None if target is None else target.resolve()
    waiting = [(Job(source, target), True)]
    while waiting:
        job, is_folder = waiting.pop()
        if not is_folder:
            yield job
            continue
        try:
            waiting += reversed(_entries(job, *bounds, recursive=recursive))
        except OSError as error:
            where = "" if error.filename in (None, str(job.source)) else f"{show_path(error.filename)}: "
            yield job._replace(problem=f"folder cannot be used: {where}{error.strerror}")


def _entries(folder: Job, root: Path, avoid: Path | None, *, recursive: bool) -> list[tuple[Job, bool]]:
    """What is in a folder, by name, and whether it is a folder to go into: not the one of the output, if that is here.

    Raises OSError if the folder cannot be read or the one for the output not be made."""
    entries = sorted(os.scandir(folder.source), key=lambda entry: entry.name)
    if folder.target is not None and avoid is not None:
        if _hits_input(folder.target.resolve(), root, avoid):
            raise OSError(EINVAL, "its output would fall into the input folder")
        folder.target.mkdir(parents=True, exist_ok=True)
    found = []
    for entry in entries:
        path = folder.source / entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name.startswith(".") or (is_folder and not (recursive and path.resolve() != avoid)):
            continue
        ordinary = is_folder or entry.is_file(follow_symlinks=False)
        problem = None if ordinary else "is a symbolic link or special file: not followed"
        target = None if folder.target is None else folder.target / entry.name
        found.append((Job(path, target, problem), is_folder))
    return found


def _hits_input(place: Path, root: Path, target: Path) -> bool:
    """Is `place` within the input folder, and not only because the whole output folder is?"""
    return place.is_relative_to(root) and not (target.is_relative_to(root) and place.is_relative_to(target))


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
    import json

    def write(outcome: Outcome) -> None:
        file.write(json.dumps(outcome.as_dict(), ensure_ascii=True) + "\n")

    return write
