"""Objects to be moved, whose bulk is not the same everywhere: a range from the wrong place is seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from tests.synthetic import Chunk, native_image

__all__ = ["filled", "native"]

_BLOCK = hashlib.shake_128(b"bulk").digest(1 << 20)


def filled(chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """The bytes of a stream, with something in its holes."""
    for chunk in chunks:
        if isinstance(chunk, bytes):
            yield chunk
            continue
        for number, start in enumerate(range(0, len(chunk), len(_BLOCK))):
            yield (number.to_bytes(8, "little") + _BLOCK[8:])[: len(chunk) - start]


def native(pixel_bytes: int) -> Iterator[bytes]:
    """A native image."""
    return filled(native_image(pixel_bytes))
