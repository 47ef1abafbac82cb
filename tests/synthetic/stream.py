"""Chunks of a file that is never whole in memory, and the one function that writes them.

A `Hole` stands for zero bytes. On disk it may stay a hole of a sparse file (8 GiB cost nothing) or be written
out, which a fair comparison with `cp` needs: `cp` looks for holes and would skip them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Chunk", "Hole", "write_stream"]

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Hole:
    """`length` zero bytes."""

    length: int

    def __len__(self) -> int:
        return self.length


Chunk = bytes | Hole


def write_stream(path: Path, chunks: Iterable[Chunk], *, sparse: bool = True) -> int:
    """Write `chunks` to `path` and return its size in bytes.

    With `sparse` a `Hole` is left out of the file system's blocks; without, it is filled with bytes that no
    file system compresses or deduplicates inside one file.
    """
    with open(path, "wb", buffering=_BLOCK) as file:
        for chunk in chunks:
            if isinstance(chunk, bytes):
                file.write(chunk)
            elif sparse:
                file.seek(chunk.length, os.SEEK_CUR)
            else:
                file.writelines(_noise(file.tell(), chunk.length))
        size = file.tell()
        file.truncate(size)
    return size


def _noise(seed: int, length: int) -> Iterable[bytes]:
    """`length` bytes that look random, the same ones for the same `seed`, at disk speed: each block is one
    pseudo-random block under a fresh header."""
    block = hashlib.shake_128(seed.to_bytes(8, "big")).digest(_BLOCK)
    for start in range(0, length, _BLOCK):
        head = hashlib.shake_128((seed + start).to_bytes(8, "big")).digest(64)
        yield (head + block[64:])[: length - start]
