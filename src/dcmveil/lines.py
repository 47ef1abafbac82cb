"""Many lines that are much alike, held deflated: the edits of a dry run, of which a small file may have millions."""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, overload

from dcmveil.report import EditLine

__all__ = ["Lines"]

_BLOCK = 1024  # lines


class Lines(Sequence[EditLine]):
    """A sequence that only grows. The newest lines are held as they are, all others in deflated blocks."""

    __slots__ = ("_blocks", "_newest")
    __hash__ = None  # type: ignore[assignment]  # as that of a list

    def __init__(self, lines: Iterable[EditLine] = ()) -> None:
        self._blocks: list[bytes] = []
        self._newest: list[EditLine] = []
        self.extend(lines)

    def __repr__(self) -> str:
        return f"Lines({len(self)})"

    def extend(self, lines: Iterable[EditLine]) -> None:
        """Put more lines behind the last one."""
        more = iter(lines)
        while taken := list(islice(more, _BLOCK - len(self._newest))):
            self._newest += taken
            if len(self._newest) == _BLOCK:
                plain = [tuple(line) for line in self._newest]
                self._blocks.append(zlib.compress(marshal.dumps(plain), 1))
                self._newest.clear()

    def __len__(self) -> int:
        return len(self._blocks) * _BLOCK + len(self._newest)

    def __iter__(self) -> Iterator[EditLine]:
        for number in range(len(self._blocks)):
            yield from self._block(number)
        yield from self._newest

    @overload
    def __getitem__(self, index: int) -> EditLine: ...
    @overload
    def __getitem__(self, index: slice) -> list[EditLine]: ...
    def __getitem__(self, index: int | slice) -> EditLine | list[EditLine]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        return self._block(place // _BLOCK)[place % _BLOCK]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    def _block(self, number: int) -> list[EditLine]:
        if number == len(self._blocks):
            return self._newest
        plain: list[Any] = marshal.loads(zlib.decompress(self._blocks[number]))
        return [EditLine._make(line) for line in plain]
