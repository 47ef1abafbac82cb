"""Outcomes without the names of their files, which may be those of patients: for logs that others read.

A file is called by its number in the order of the run, which is that of the sorted names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dcmveil.batch import Failure, Outcome
from dcmveil.errors import show_path

__all__ = ["numbered"]


def numbered(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """The same outcomes, with `file 1` and so on for the names of inputs and outputs."""
    for number, outcome in enumerate(outcomes, 1):
        yield _called(outcome, f"file {number}")


def _called(outcome: Outcome, name: str) -> Outcome:
    job, report, failure = outcome
    paths = [path for path in (job.source, job.target) if path is not None]
    if report is not None:
        report = report._replace(source=name, target=None if report.target is None else name)
    if failure is not None:
        failure = failure._replace(message=_without(paths, failure))
    return Outcome(job._replace(source=name, target=None if job.target is None else name), report, failure)


def _without(paths: list[str], failure: Failure) -> str:
    """The message without these paths; nothing but the reason if a part of one is still in it."""
    message = failure.message
    for path in paths:
        message = message.replace(show_path(path), "...")
    parts = {show_path(part) for path in paths for part in path.split("/") if part.strip(".")}
    if any(re.search(rf"(?<!\w){re.escape(part.strip(chr(39)))}(?!\w)", message) for part in parts):
        return f"not done: {failure.reason}"
    return message
