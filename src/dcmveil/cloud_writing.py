"""Outputs of a run on URLs: into a file, or by a file of fsspec into an object. S3 has module `cloud_upload`.

Segments come in order, bytes or ranges of the input. Nothing appears under a target's name before `commit`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Mapping
from contextlib import suppress
from operator import itemgetter
from types import TracebackType
from typing import Any, Protocol, Self

from dcmveil.cloud_reading import Input, LocalInput, RemoteInput, StreamInput
from dcmveil.cloud_stores import file_system, writing
from dcmveil.held import Held, Segment
from dcmveil.output import AtomicFile
from dcmveil.sinks import SegmentOutput
from dcmveil.sources import Source

__all__ = ["FileTarget", "ScriptOutput", "StoreTarget", "Target"]

_MOST_KEPT = 64 << 20
_GATHERED = 1 << 18


class Target(Protocol):
    """A context manager: what has been given to it appears when `commit` returns, and else never."""

    @property
    def methods(self) -> Mapping[str, int]:
        """Bytes of the input by how they were copied."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, data: bytes | memoryview) -> None:
        """The next bytes."""

    def copy(self, source: Input, start: int, stop: int) -> None:
        """The next bytes, which are in the input."""

    def settle(self) -> None:
        """All has been given. Do what needs the input, which may be looked at once more before `commit`."""

    def commit(self) -> None:
        """Let it appear."""


class _Plain(ABC):
    """Copies by reading and writing."""

    def __init__(self) -> None:
        self._copied = 0

    @property
    def methods(self) -> Mapping[str, int]:
        return {"readwrite": self._copied} if self._copied else {}

    @abstractmethod
    def write(self, data: bytes | memoryview) -> None:
        """The next bytes."""

    def settle(self) -> None:  # noqa: B027 - not for others to write
        """Nothing waits here."""

    def copy(self, source: Input, start: int, stop: int) -> None:
        for piece in source.pieces(start, stop):
            self._copied += len(piece)
            self.write(piece)


class FileTarget(_Plain):
    """A file; as readable as the input if that is one, else for the owner only."""

    def __init__(self, path: str, source: LocalInput | RemoteInput | StreamInput) -> None:
        super().__init__()
        self._file = AtomicFile(path, mode_of=source.status if isinstance(source, LocalInput) else None)
        self._gathered = bytearray()

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def write(self, data: bytes | memoryview) -> None:
        self._gathered += data
        if len(self._gathered) >= _GATHERED:
            self._flush()

    def commit(self) -> None:
        self._flush()
        self._file.commit()

    def _flush(self) -> None:
        with memoryview(self._gathered) as view:
            sent = 0
            while sent < len(view):
                sent += os.write(self._file.fd, view[sent:])
        self._gathered.clear()


class StoreTarget(_Plain):
    """An object of any store whose files in fsspec are finished by closing them: it is not there before."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._fs = file_system(url)
        self._file: Any = None

    def __enter__(self) -> Self:
        with writing(self._url):
            self._file = self._fs.open(self._url, "wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with suppress(Exception):
                self._file.discard()
            self._file.closed = True  # or it would be finished when it is collected
            self._file = None

    def write(self, data: bytes | memoryview) -> None:
        with writing(self._url):
            self._file.write(data)

    def commit(self) -> None:
        with writing(self._url):
            self._file.close()
        self._file = None


# ---- from scripts ----------------------------------------------------------------------------------------------------


class ScriptOutput:
    """An Output (`dcmveil.sinks`) into a Target. `keeps` what it needs to be read once more as a Source."""

    def __init__(self, source: Input, target: Target, *, keeps: bool) -> None:
        nothing_held = Held(0)
        nothing_held.skip(source.size)
        self._source = source
        self._target = target
        self._segments = SegmentOutput(nothing_held)
        self._kept = _Kept(source) if keeps else None

    @property
    def written(self) -> int:
        return self._segments.written

    @property
    def methods(self) -> Mapping[str, int]:
        return self._target.methods

    def show(self, head: bytes) -> None:
        """The input has them still."""

    def run(self, script: bytes) -> None:
        self._segments.run(script)
        self._pass_on()

    def write(self, data: bytes) -> None:
        self._segments.write(data)
        self._pass_on()

    def finish(self) -> None:
        """Nothing is held back here."""

    def source(self) -> Source:
        if self._kept is None:
            raise ValueError("was not to be kept")
        return self._kept

    def _pass_on(self) -> None:
        for segment in self._segments.take():
            if self._kept is not None:
                self._kept.add(segment)
            if segment.data is not None:
                self._target.write(segment.data)
            elif segment.start is not None and segment.stop is not None:
                self._target.copy(self._source, segment.start, segment.stop)


class _Kept:
    """What has been written, as a Source: new bytes as they are, ranges by reading the input. LimitExceeded for more
    than 64 MiB of new bytes."""

    def __init__(self, source: Input) -> None:
        self._source = source
        self._made = Held(_MOST_KEPT)
        self._ranges: list[tuple[int, int, int]] = []  # of the output: from, to, and where in the input
        self.size = 0

    def add(self, segment: Segment) -> None:
        if segment.data is not None:
            self._made.add(bytes(segment.data))
        elif segment.start is not None:
            self._ranges.append((self.size, self.size + segment.length, segment.start))
            self._made.skip(segment.length)
        self.size += segment.length

    def read_at(self, position: int, count: int) -> bytes:
        found = []
        for segment in self._made.segments(position, min(position + count, self.size)):
            if segment.data is not None:
                found.append(bytes(segment.data))
            elif segment.start is not None and segment.stop is not None:
                found += self._read(segment.start, segment.stop)
        return b"".join(found)

    def _read(self, start: int, stop: int) -> list[bytes]:
        found = []
        index = bisect_right(self._ranges, start, key=itemgetter(0)) - 1
        while start < stop:
            first, last, at = self._ranges[index]
            end = min(stop, last)
            found.append(self._source.read_at(at + start - first, end - start))
            start, index = end, index + 1
        return found
