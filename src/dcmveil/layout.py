"""The text of a statement: paragraphs, points and lists of words, of about 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

__all__ = ["WIDTH", "paragraphs", "points", "words"]

WIDTH = 100


def paragraphs(*texts: str) -> list[str]:
    """Each text as lines."""
    return [textwrap.fill(text, WIDTH) for text in texts]


def points(texts: Iterable[str]) -> str:
    """The texts as points of one list."""
    return "\n".join(textwrap.fill(text, WIDTH, initial_indent="- ", subsequent_indent="  ") for text in texts)


def words(unbroken: Iterable[str]) -> str:
    """Words that are not broken, spaces and all, as many to a line as fit."""
    joined = " ".join(word.replace(" ", "\0") for word in unbroken)
    return textwrap.fill(joined, WIDTH, break_on_hyphens=False, break_long_words=False).replace("\0", " ")
