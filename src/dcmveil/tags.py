"""Tags as people write them: (0010,0010), and the path of a nested Data Element.

A tag is an integer 0xGGGGEEEE. A path names each enclosing Sequence with the number of its Item in brackets,
from the Data Set inwards: ``(5200,9230)[3]>(0020,9111)[1]>(0018,9074)``. Paths are the only thing about a
Data Element that this package's messages show; there is never a Value in them. Of a path that is longer than any honest
one the middle is left out: ``(0040,A730)[1]>(980 more)>(0040,A730)[2]>(0040,A168)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["LEFT_OUT", "MOST_STEPS", "format_path", "format_tag", "parse_tag"]

MOST_STEPS = 32  # of a path, that are shown; half of them from either end
LEFT_OUT = (
    -1
)  # in the place of the tag of a Sequence: so many steps were left out already, as the number of the Item says

_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?")


def format_tag(tag: int | None) -> str:
    """The tag as ``(gggg,eeee)``, upper-case hexadecimal; ``(?)`` for one that must not be shown."""
    if tag is None:
        return "(?)"
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def format_path(enclosing: Iterable[tuple[int | None, int]], tag: int | None) -> str:
    """The path of a Data Element.

    `enclosing` gives (tag of the Sequence, number of the Item) from the outermost inwards, and is empty at
    top level.
    """
    steps = [*enclosing]
    if len(steps) > MOST_STEPS + 1:
        half = MOST_STEPS // 2
        steps[half:-half] = [(LEFT_OUT, len(steps) - MOST_STEPS)]
    return ">".join([*(_step(sequence, item) for sequence, item in steps), format_tag(tag)])


def _step(sequence: int | None, item: int) -> str:
    return f"({item} more)" if sequence == LEFT_OUT else f"{format_tag(sequence)}[{item}]"


def parse_tag(text: str) -> int:
    """The tag written as ``(gggg,eeee)``, ``gggg,eeee`` or ``ggggeeee``; ValueError for anything else."""
    match = _TAG.fullmatch(text)
    if match is None or text.startswith("(") != text.endswith(")"):
        raise ValueError("a tag is written as eight hexadecimal digits, such as (0010,0010)")
    return int(match[1] + match[2], 16)
