"""File systems of their own for tests: only root can mount them, and a skipped test says what was in the way."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_XFS_SIZE = 400 << 20  # mkfs.xfs refuses less than 300 MiB
_FS_IOC_FIEMAP = 0xC020660B
_FIEMAP_FLAG_SYNC = 1
_FIEMAP_EXTENT_SHARED = 0x2000
_MOST_EXTENTS = 256


def _do(*command: str | Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{command[0]} failed: {done.stderr.strip()}")


@contextmanager
def _mounted(folder: Path, *arguments: str | Path) -> Iterator[Path]:
    folder.mkdir()
    _do("mount", *arguments, folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def xfs(folder: Path) -> Iterator[Path]:
    """An XFS whose files can share blocks, in an image in `folder`."""
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(_XFS_SIZE)
    _do("mkfs.xfs", "-q", "-m", "reflink=1", image)
    with _mounted(folder / "xfs", "-o", "loop", image) as mounted:
        yield mounted
    image.unlink()


@contextmanager
def tmpfs(folder: Path, size: int) -> Iterator[Path]:
    """A file system in memory that holds `size` bytes."""
    with _mounted(folder / "tmpfs", "-t", "tmpfs", "-o", f"size={size}", "tmpfs") as mounted:
        yield mounted


def shared_bytes(fd: int) -> int:
    """How much of a file stands in blocks that it shares with another one; a last block counts whole."""
    request = struct.pack("=QQLLLL", 0, 2**64 - 1, _FIEMAP_FLAG_SYNC, 0, _MOST_EXTENTS, 0)
    answer = bytearray(request + bytes(56 * _MOST_EXTENTS))
    fcntl.ioctl(fd, _FS_IOC_FIEMAP, answer)
    count = struct.unpack_from("=L", answer, 20)[0]
    assert count < _MOST_EXTENTS
    extents = (struct.unpack_from("=QQQQQLLLL", answer, 32 + 56 * number) for number in range(count))
    return sum(extent[2] for extent in extents if extent[5] & _FIEMAP_EXTENT_SHARED)
