"""Inputs of a run on URLs: a Source by position with as few requests as will do, and the stream of a server without
ranges.

A request takes about as long as a MiB. So what lies less than that ahead is read along, in windows that grow up to it;
behind a long Value the windows are as small as they are asked for. Many small Fragments thus come as large windows in a
row, a single long Value costs next to nothing.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

from dcmveil.cloud_ranges import HttpObject, S3Object
from dcmveil.cloud_stores import EXTRA, Remote, StoredObject, file_system
from dcmveil.cloud_urls import is_url, scheme_of
from dcmveil.errors import DcmveilError, InputError
from dcmveil.rewriting import SHRANK, OpenedFile
from dcmveil.sources import FileSource

__all__ = ["Input", "LocalInput", "RemoteInput", "StreamInput", "opened_input", "s3_file_system"]

_FIRST_WINDOW = 1 << 16
_LARGEST_WINDOW = 1 << 20
_NEAR = 1 << 20
_GROWTH = 4
_MOST_KEPT = 1 << 22
_PIECE = 1 << 18
_PATIENT = {"read_timeout": 300}  # seconds: to put parts together, or to copy one, takes its time


class Input(Protocol):
    """A Source (`dcmveil.sources`) of which long ranges can be had piece by piece."""

    size: int

    def read_at(self, position: int, count: int) -> bytes:
        """The `count` bytes from `position` on; fewer only where the input ends. Raises InputError."""

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop`, as they come. Raises InputError."""

    def check(self) -> None:
        """Raises InputError if the input is no longer what it was when it was opened."""


class LocalInput(FileSource):
    """A regular file."""

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        while start < stop:
            piece = self.read_at(start, min(_PIECE, stop - start))
            if not piece:
                raise InputError(SHRANK)
            start += len(piece)
            yield piece


class RemoteInput:
    """An object in a store."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.size = remote.size
        self._window = len(remote.head)
        self._windows = [(0, remote.head)] if remote.head else []

    def read_at(self, position: int, count: int) -> bytes:
        stop = min(position + count, self.size)
        found = []
        while position < stop:
            start, data = self._window_at(position, stop)
            piece = data[position - start : stop - start]
            position += len(piece)
            found.append(piece)
        return found[0] if len(found) == 1 else b"".join(found)

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        if stop - start > _LARGEST_WINDOW:
            yield from self.remote.pieces(start, stop)
        else:
            yield self.read_at(start, stop - start)

    def check(self) -> None:
        self.remote.check()

    def _window_at(self, position: int, stop: int) -> tuple[int, bytes]:
        for start, data in reversed(self._windows):
            if start <= position < start + len(data):
                return start, data
        self._window = self._next_window(position, stop)
        data = self.remote.read(position, min(position + self._window, self.size))
        while len(self._windows) > 1 and sum(len(kept) for _start, kept in self._windows[1:]) > _MOST_KEPT - len(data):
            del self._windows[1]  # the first one stays: it has what most questions are about
        self._windows.append((position, data))
        return position, data

    def _next_window(self, position: int, stop: int) -> int:
        """Bytes to read from `position` on."""
        wanted = stop - position
        if not self._windows:
            return max(wanted, _FIRST_WINDOW)
        start, data = self._windows[-1]
        if 0 <= position - start - len(data) < _NEAR:
            wanted = max(wanted, min(_GROWTH * self._window, _LARGEST_WINDOW))
        return wanted


class StreamInput:
    """What can be had in order and once only."""

    def __init__(self, whole: Generator[bytes, None, None]) -> None:
        self.whole = whole


def s3_file_system() -> Any:
    """That of fsspec, with a session of its own. One for the process, as fsspec has them. Raises as `file_system`."""
    return _s3_of(os.getpid())


@cache
def _s3_of(_process: int) -> Any:
    try:
        from fsspec.config import conf

        from dcmveil.cloud_session import lean_session
    except ImportError:
        raise DcmveilError(EXTRA) from None
    patient = {**_PATIENT, **conf.get("s3", {}).get("config_kwargs", {})}
    return file_system("s3://", session=lean_session(), config_kwargs=patient)


@contextmanager
def opened_input(source: str) -> Iterator[LocalInput | RemoteInput | StreamInput]:
    """The input under a URL or a path. Raises InputError, and DcmveilError if what a URL needs is not installed."""
    if not is_url(source):
        with OpenedFile(source) as file:
            yield LocalInput(file.fd)
        return
    scheme = scheme_of(source)
    if scheme in ("http", "https"):
        web = HttpObject(source)
        yield RemoteInput(web) if web.whole is None else StreamInput(web.whole)
    elif scheme in ("s3", "s3a"):
        yield RemoteInput(S3Object(s3_file_system(), source))
    else:
        yield RemoteInput(StoredObject(file_system(source), source))
