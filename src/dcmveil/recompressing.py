"""Getting a deflate stream back that is too long to be kept: with the settings it was made with.

Compressors are deterministic, and most files were made by zlib with one of few settings. The De-identifier tries them
on the original, each no further than to the first byte that differs; the Re-identifier compresses anew, and a digest
tells whether its zlib still makes the same bytes.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dcmveil.sources import DeflatedSource, RangeReader, Source

__all__ = ["Recompressor", "Settings", "check_settings", "find_settings"]

_WINDOW = 1 << 18
_LEVELS = (6, 9, 1, 2, 3, 4, 5, 7, 8, 0, -1)
_MEMORY_LEVELS = (8, 9)
_MAX_TAIL = 4096  # bytes behind the stream: padding


class Settings(NamedTuple):
    """How a deflate stream was made; `tail` is what stands behind it, `digest` the SHA-256 of both."""

    level: int
    memory_level: int
    window_bits: int
    tail: bytes
    digest: bytes

    def __repr__(self) -> str:
        return f"Settings({self.level}, {self.memory_level}, {self.window_bits})"

    def compressor(self) -> zlib._Compress:
        """A new one."""
        return zlib.compressobj(self.level, zlib.DEFLATED, self.window_bits, self.memory_level)


def check_settings(settings: Settings) -> None:
    """ValueError for settings that `find_settings` cannot have found."""
    known = settings.level in _LEVELS and settings.memory_level in _MEMORY_LEVELS
    if not known or abs(settings.window_bits) != zlib.MAX_WBITS or len(settings.digest) != hashlib.sha256().digest_size:
        raise ValueError("no settings of a deflate stream")


class Recompressor:
    """Compresses what comes, and tells in the end whether it is what it was."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._compressor = settings.compressor()
        self._digest = hashlib.sha256()

    def compress(self, data: bytes) -> bytes:
        """The next bytes of the stream, perhaps none."""
        return self._seen(self._compressor.compress(data))

    def finish(self) -> tuple[bytes, bool]:
        """The last bytes, and whether all of it is the original."""
        last = self._seen(self._compressor.flush() + self._settings.tail)
        return last, self._digest.digest() == self._settings.digest

    def _seen(self, data: bytes) -> bytes:
        self._digest.update(data)
        return data


def find_settings(source: Source, dataset_start: int, size: int) -> Settings | None:
    """The settings that make the deflated Data Set of a file of `size` bytes; None if there are none we know."""
    reader = RangeReader(source)
    head = reader.stored(dataset_start, min(size, dataset_start + _WINDOW))
    for level in _LEVELS:
        for memory_level in _MEMORY_LEVELS:
            for bits in (-zlib.MAX_WBITS, zlib.MAX_WBITS):
                settings = Settings(level, memory_level, bits, b"", b"")
                if _begins_so(settings, source, dataset_start, head):
                    found = _confirmed(settings, source, dataset_start, size, reader)
                    if found is not None:
                        return found
    return None


def _inflated(source: Source, dataset_start: int) -> Iterator[bytes]:
    inflated = DeflatedSource(source, dataset_start)
    inflated.skip(dataset_start)
    while data := inflated.read(_WINDOW):
        yield data


def _begins_so(settings: Settings, source: Source, dataset_start: int, head: bytes) -> bool:
    """Are the first bytes that these settings make those of the file? Most are told apart here."""
    compressor, made = settings.compressor(), b""
    for data in _inflated(source, dataset_start):
        made += compressor.compress(data)
        if made[: len(head)] != head[: len(made)]:
            return False
        if len(made) >= len(head):
            return True
    return True


def _confirmed(
    settings: Settings, source: Source, dataset_start: int, size: int, reader: RangeReader
) -> Settings | None:
    """The settings with tail and digest, if all of the stream is what they make."""
    digest, at = hashlib.sha256(), dataset_start
    for made in _made(settings.compressor(), _inflated(source, dataset_start)):
        if made != reader.stored(at, min(size, at + len(made))):
            return None
        digest.update(made)
        at += len(made)
    if size - at > _MAX_TAIL:
        return None
    tail = reader.stored(at, size)
    digest.update(tail)
    return settings._replace(tail=tail, digest=digest.digest())


def _made(compressor: zlib._Compress, blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield compressor.compress(block)
    yield compressor.flush()
