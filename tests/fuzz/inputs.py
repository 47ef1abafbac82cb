"""What an input of a fuzzer says: four bytes of choices, then the object, with or without a preamble."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["HEAD", "PREAMBLE", "SYNTAXES", "Choices", "chosen", "stepped"]

HEAD = 4
PREAMBLE = bytes(128) + b"DICM"
_AS_IT_IS, _WITH_PREAMBLE = 0, 1
# Of a Data Set alone, by the third byte; the others say that the object is a file, with a preamble or to be given one.
SYNTAXES = {
    2: "1.2.840.10008.1.2.1",
    3: "1.2.840.10008.1.2",
    4: "1.2.840.10008.1.2.2",
    5: "1.2.840.10008.1.2.1.99",
    6: "1.2.840.10008.1.2.4.50",
}
_STEPS = (1, 2, 3, 5, 7, 11, 16, 64)


class Choices(NamedTuple):
    """Of policy and limits by the first byte, of pieces and what else to do by the second, of syntax by the third."""

    kind: int
    variant: int
    step: int
    flags: int
    syntax: str | None
    seed: int


def chosen(data: memoryview) -> tuple[Choices, memoryview | bytes]:
    """The choices, and the object: a view of the rest, so that what reads past it is seen."""
    first, second, third, seed = data[:HEAD]
    body: memoryview | bytes = data[HEAD:]
    if third & 7 == _WITH_PREAMBLE:
        body = PREAMBLE + bytes(body)
    choices = Choices(first & 15, first >> 4, _STEPS[second & 7], second >> 3, SYNTAXES.get(third & 7), seed)
    return choices, body


def stepped(size: int, step: int) -> Iterator[tuple[int, int]]:
    """Where pieces begin and end: of `step` bytes, and each fourth longer."""
    at = number = 0
    while at < size:
        stop = min(size, at + (step if number % 4 else 4 * step))
        yield at, stop
        at, number = stop, number + 1
