"""The report of a run: a JSON object per file, one a line."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dcmveil.descriptors import put_away, read_start, settle, write_all
from dcmveil.errors import OutputError, show_path

if TYPE_CHECKING:
    from dcmveil.batch import Outcome

__all__ = ["report_to"]

_BEGINS = b'{"source": '


@contextmanager
def report_to(path: str) -> Iterator[Callable[[Outcome], None]]:
    """A function that adds an outcome to the report. What is no report is not overwritten: it may be the input."""
    with _errors_of(path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        with _errors_of(path):
            _make_ready(fd, path)

        def add(outcome: Outcome) -> None:
            with _errors_of(path):
                write_all(fd, json.dumps(outcome.as_dict(), ensure_ascii=True).encode("ascii") + b"\n")

        yield add
        with _errors_of(path):
            settle(fd)
    finally:
        put_away(fd)


def _make_ready(fd: int, path: str) -> None:
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        return
    if read_start(fd, len(_BEGINS)) not in (b"", _BEGINS):
        raise OutputError(f"{show_path(path)}: exists and is no report")
    os.ftruncate(fd, 0)


@contextmanager
def _errors_of(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{show_path(path)}: report not written: {error.strerror}") from None
