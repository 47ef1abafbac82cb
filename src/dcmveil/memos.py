"""Memos: what has been worked out and may be needed again, for as long as there is room."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

__all__ = ["LONGEST_MEMO", "Memo", "Remembering"]

LONGEST_MEMO = 256  # bytes or characters: so many Values of any length would take as much memory as somebody wants

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembering(Generic[V]):
    """A function of a Value that remembers what came of the `most` it was last called with, but not of long ones.

    May be used by several threads if the function may. It may hold Values, its repr does not.
    """

    def __init__(self, most: int, function: Callable[..., V]) -> None:
        self._function = function
        self._known = lru_cache(most)(function)
        self.cache_info = self._known.cache_info

    def __repr__(self) -> str:
        return "Remembering(...)"

    def __call__(self, value: bytes, *more: Hashable) -> V:
        """`more` says what it is the Value of."""
        return self._known(value, *more) if len(value) <= LONGEST_MEMO else self._function(value, *more)


class Memo(Generic[K, V]):
    """A dictionary of at most `most` entries; when it is full it begins anew. May be used by several threads.

    It may hold Values, its repr does not.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.entries: dict[K, V] = {}  # to be looked at
        self.find = self.entries.get

    def __repr__(self) -> str:
        return f"Memo({len(self.entries)} of {self._most})"

    def keep(self, key: K, value: V) -> V:
        """Remember a value, which is returned."""
        if len(self.entries) >= self._most:
            self.entries.clear()
        self.entries[key] = value
        return value
