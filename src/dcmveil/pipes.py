"""Standard input and standard output in place of files: `-` on the command line.

What comes through a pipe goes through a push driver, as it comes. Where that would have to hold much, since something
at the end decides on something at the beginning, what has come and what is still to come is set aside in a file without
a name, and done as a file. An input that is a file, by redirection, is one. The bytes of the output are the same.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EPIPE
from types import TracebackType
from typing import Self

from dcmveil.aside import first_segments, new_file, set_aside, why_not
from dcmveil.descriptors import put_away
from dcmveil.errors import DcmveilError, InputError, OutputError, ReaderGone
from dcmveil.held import Segment
from dcmveil.output import STANDARD, AtomicFile
from dcmveil.report import Report
from dcmveil.rewriting import OpenedFile
from dcmveil.sinks import FileOutput
from dcmveil.sources import FileSource
from dcmveil.tasks import Task

__all__ = ["run_piped"]

_CHUNK = 1 << 18
_PIPE = 1 << 20  # bytes that wait in a pipe, if the kernel lets them
_MOST_BUFFERS = 512  # at a time; POSIX grants 16, Linux 1024
_ALL = struct.Struct("=QQ")
_COPY_RECORD = 1 << 63


def run_piped(task: Task, source: str, target: str | None) -> Report:
    """Do it, with `-` for source, target or both; without a target only say what would be done.

    Raises what is wrong with the object, InputError, OutputError, ReaderGone. What has gone to standard output by then
    is part of what would have been written, and the error's `discard` says how much.
    """
    with _input(source) as fd:
        if target is None:
            return _plan(task, fd)._replace(source=source)
        with _output(target, fd, checks=task.checks) as output:
            report = _pull(task, fd, output.fd) if _is_file(fd) else _push(task, fd, output.fd)
            output.commit()
    return report._replace(source=source, target=target)


def _pull(task: Task, fd: int, target: int) -> Report:
    source = FileSource(fd)
    output = FileOutput(fd, target, source.size, task.copy)
    try:
        report, _prefix = task.write(source, output)
        source.check()
    except DcmveilError as error:
        if target == 1:
            with suppress(OSError):
                output.finish()  # what it counts has gone out then
            error.discard = output.written
        raise
    return report


def _push(task: Task, fd: int, target: int) -> Report:
    driver, head, pieces = task.driver(), bytearray(), _pieces(fd)
    segments = first_segments(driver, pieces, head)
    if segments is None:
        del driver  # with what it holds
        with set_aside(head, pieces) as aside:
            return _pull(task, aside, target)
    del head
    _write(target, segments)
    for data in pieces:
        _write(target, driver.feed(data))
    _write(target, driver.finish())
    return driver.report()


# ---- in --------------------------------------------------------------------------------------------------------------


@contextmanager
def _input(source: str) -> Iterator[int]:
    if source != STANDARD:
        with OpenedFile(source) as file:
            yield file.fd
        return
    if sys.stdin is None:  # another file may have its number by now
        raise InputError("is closed")
    with suppress(ImportError, AttributeError, OSError):
        from fcntl import F_SETPIPE_SZ, fcntl

        fcntl(0, F_SETPIPE_SZ, _PIPE)
    yield 0


def _is_file(fd: int) -> bool:
    """A regular file of which nothing has been read."""
    return stat.S_ISREG(os.fstat(fd).st_mode) and os.lseek(fd, 0, os.SEEK_CUR) == 0


def _plan(task: Task, fd: int) -> Report:
    if _is_file(fd):
        return task.plan(FileSource(fd))
    with set_aside(bytearray(), _pieces(fd)) as aside:
        return task.plan(FileSource(aside))


def _pieces(fd: int) -> Iterator[bytes]:
    while data := _read(fd):
        yield data


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, _CHUNK)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from None


# ---- out -------------------------------------------------------------------------------------------------------------


def _output(target: str, source: int, *, checks: bool) -> AtomicFile | _StandardOutput:
    if target == STANDARD:
        return _StandardOutput(checks=checks)
    status = os.fstat(source)
    return AtomicFile(target, mode_of=status if stat.S_ISREG(status.st_mode) else None)


class _StandardOutput:
    """Standard output, or if it `checks` a file without a name, which goes there on commit."""

    def __init__(self, *, checks: bool) -> None:
        self._checks = checks
        self._is_checked = False
        self.fd = 1

    def __enter__(self) -> Self:
        if sys.stdout is None:
            raise OutputError("standard output: is closed")
        if self._checks:
            try:
                self.fd = new_file()
            except OSError as error:
                raise OutputError(f"standard output: {why_not(error)}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_aside = self.fd != 1 and not self._is_checked
        if self.fd != 1:
            put_away(self.fd)
        if isinstance(error, OSError) and error.filename is None:
            if is_aside:
                raise OutputError(f"standard output: {why_not(error)}") from None
            _raise(error)

    def commit(self) -> None:
        self._is_checked = True
        if self.fd == 1:
            return
        size = os.fstat(self.fd).st_size
        output = FileOutput(self.fd, 1, size)
        output.run(_ALL.pack(_COPY_RECORD, size))
        output.finish()


def _raise(error: OSError) -> None:
    if error.errno == EPIPE:
        raise ReaderGone("standard output: nobody reads it any more") from None
    raise OutputError(f"standard output: {error.strerror}") from None


def _write(fd: int, segments: Sequence[Segment]) -> None:
    buffers = [segment.data for segment in segments if segment.data is not None]
    for at in range(0, len(buffers), _MOST_BUFFERS):
        _write_all(fd, buffers[at : at + _MOST_BUFFERS])


def _write_all(fd: int, buffers: Sequence[bytes | bytearray | memoryview]) -> None:
    left = list(buffers)
    while left:
        sent = os.writev(fd, left)
        while left and sent >= len(left[0]):
            sent -= len(left.pop(0))
        if sent:
            left[0] = memoryview(left[0])[sent:]
