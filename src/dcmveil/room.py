"""Room in memory for what ends the process where there is none, and could not be told of then: code in Rust."""

from __future__ import annotations

from dcmveil._process import has_room

__all__ = ["need_room"]

_ROOM = 32 << 20  # for the library itself; measured: 15 MiB of addresses


def need_room(count: int = _ROOM) -> None:
    """Raises MemoryError unless so many bytes more can be had now."""
    if not has_room(count):
        raise MemoryError
