"""Tags as people write them: (0010,0010), and the path of a nested Data Element.

A tag is an integer 0xGGGGEEEE. A path names each enclosing Sequence with the number of its Item in brackets,
from the Data Set inwards: ``(5200,9230)[3]>(0020,9111)[1]>(0018,9074)``. Paths are the only thing about a
Data Element that this package's messages show; there is never a Value in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["format_path", "format_tag", "parse_tag"]

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
    steps = [f"{format_tag(sequence)}[{item}]" for sequence, item in enclosing]
    return ">".join([*steps, format_tag(tag)])


def parse_tag(text: str) -> int:
    """The tag written as ``(gggg,eeee)``, ``gggg,eeee`` or ``ggggeeee``; ValueError for anything else."""
    match = _TAG.fullmatch(text)
    if match is None or text.startswith("(") != text.endswith(")"):
        raise ValueError("a tag is written as eight hexadecimal digits, such as (0010,0010)")
    return int(match[1] + match[2], 16)
