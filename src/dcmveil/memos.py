"""Memos: what has been worked out and may be needed again, for as long as there is room."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Memo"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(Generic[K, V]):
    """A dictionary of at most `most` entries; when it is full it begins anew. May be used by several threads.

    It may hold Values, its repr does not.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: dict[K, V] = {}
        self.find = self._entries.get

    def __repr__(self) -> str:
        return f"Memo({len(self._entries)} of {self._most})"

    def keep(self, key: K, value: V) -> V:
        """Remember a value, which is returned."""
        if len(self._entries) >= self._most:
            self._entries.clear()
        self._entries[key] = value
        return value
