"""Objects in memory: what the rewriters read and write."""

from __future__ import annotations

from collections.abc import Callable

from dcmveil import Segment
from dcmveil.errors import DecryptionError
from dcmveil.held import Held

__all__ = ["Glass", "holding", "joined"]


class Glass:
    """Envelope and Opener in one that leave the plaintext as it is: sealing is not what is tested here."""

    def seal(self, plaintext: bytes) -> bytes:
        return plaintext

    def open(self, blob: bytes, *, accept: Callable[[bytes], bool]) -> bytes:
        if not accept(blob):
            raise DecryptionError
        return blob


def holding(data: bytes) -> Held:
    """An input that can be read anywhere."""
    held = Held(1 << 30)
    held.add(data)
    return held


def joined(segments: list[Segment], data: bytes) -> bytes:
    """An output, of which parts are in the input."""
    return b"".join([data[one.start : one.stop] if one.data is None else one.data for one in segments])
