"""Many short texts, looked for in many others: which of them are in one. However many, it takes hardly longer.

They are kept sorted. Whichever of them stands at a place of a text is the last one that is not behind that in order, or
one that this begins with.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator

__all__ = ["LONGEST", "Stems"]

LONGEST = 64  # characters
_FEW = 48  # that looking for one after the other takes less time


class Stems:
    """Texts of 1 to `LONGEST` characters, all different. Immutable; it may hold Values, its repr does not."""

    __slots__ = ("_all", "_before", "_starts")

    def __init__(self, stems: Collection[str]) -> None:
        self._all = tuple(stems)
        if len(self._all) > _FEW:
            self._all = tuple(sorted(self._all))
            self._starts = frozenset(stem[0] for stem in self._all)
            self._before = _begun_with(self._all)

    def __repr__(self) -> str:
        return f"Stems({len(self._all)})"

    def any_in(self, text: str) -> bool:
        """Is any of them in a text?"""
        if len(self._all) <= _FEW:
            return any(map(text.__contains__, self._all))
        return next(self._found(text), None) is not None

    def all_in(self, text: str) -> list[str]:
        """Those that are in a text, each once."""
        if len(self._all) <= _FEW:
            return [stem for stem in self._all if stem in text]
        return [*dict.fromkeys(self._found(text))]

    def _found(self, text: str) -> Iterator[str]:
        """As often as they are in it."""
        for at, first in enumerate(text):
            if first in self._starts:
                rest = text[at : at + LONGEST]
                number = bisect_right(self._all, rest) - 1
                while number >= 0:
                    if rest.startswith(self._all[number]):
                        yield self._all[number]
                    number = self._before[number]


def _begun_with(stems: tuple[str, ...]) -> list[int]:
    """For each of them, in order, the number of the longest other one that it begins with; -1 if there is none."""
    before: list[int] = []
    for number, stem in enumerate(stems):
        last = number - 1
        while last >= 0 and not stem.startswith(stems[last]):
            last = before[last]
        before.append(last)
    return before
