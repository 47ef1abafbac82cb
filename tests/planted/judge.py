"""What is left of the planted persons in outputs, and how many of the other words: the two figures."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import pydicom
from pydicom.dataset import Dataset

from .plant import Planted

__all__ = ["Figures", "judge", "texts", "words"]

# Words, and single characters of scripts that are written without spaces.
_WORD = re.compile(r"[\u3000-\u9fff\uac00-\ud7af]|[^\W_\u3000-\u9fff\uac00-\ud7af]+")


class Figures(NamedTuple):
    """Over any number of files: identities that were planted and that are left, other words that were and are there."""

    planted: int = 0
    left: tuple[str, ...] = ()
    words: int = 0
    kept: int = 0
    lost: tuple[str, ...] = ()

    def plus(self, other: Figures) -> Figures:
        return Figures(*(one + more for one, more in zip(self, other, strict=True)))

    @property
    def share(self) -> float:
        """Of the words that identify nobody, how many stayed."""
        return self.kept / self.words if self.words else 1.0

    def __str__(self) -> str:
        gone = self.planted - len(self.left)
        return (
            f"identities gone: {gone} of {self.planted}; "
            f"other words kept: {self.kept} of {self.words} ({100 * self.share:.2f} %)"
        )


def judge(planted: Planted, data: bytes) -> Figures:
    """What became of a planted file in an output. What is left is told with the place, for the names are invented."""
    dataset = pydicom.dcmread(io.BytesIO(data), force=True)
    found = [*texts(dataset)]
    left = [f"{planted.name}: {identity!r} in {place}" for identity, place in _left(planted, data, found)]
    by_path = defaultdict(list)
    for path, text in found:
        by_path[path].append(words(text))
    total = kept = 0
    lost = []
    for expected in planted.kept:
        wanted = words(" ".join(expected.parts))
        best = max((_common(wanted, got) for got in by_path.get(expected.path, [])), default=0)
        total, kept = total + len(wanted), kept + best
        if best < len(wanted):
            lost.append(f"{planted.name}: {len(wanted) - best} of {wanted} at {show(expected.path)}")
    return Figures(len(planted.identities), tuple(left), total, kept, tuple(lost))


def words(text: str) -> list[str]:
    return _WORD.findall(text)


def show(path: tuple[int, ...]) -> str:
    return ">".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in path)


def texts(dataset: Dataset, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], str]]:
    """Every Value as text, with its path of tags; the blocks of private ones do not count."""
    for element in dataset:
        tag = int(element.tag)
        here = (*path, tag & 0xFFFF00FF if element.tag.is_private and tag & 0xFFFF > 0xFF else tag)
        if element.VR == "SQ":
            for item in element.value:
                yield from texts(item, here)
        elif isinstance(element.value, bytes):
            yield here, element.value.decode("latin-1")
        elif element.VM > 1:
            yield from ((here, str(value)) for value in element.value)
        else:
            yield here, str(element.value)


def _left(planted: Planted, data: bytes, found: list[tuple[tuple[int, ...], str]]) -> Iterator[tuple[str, str]]:
    """Identities in an output: in texts whatever their case, and in bytes as they were written or in capitals."""
    everything = "\n".join(text for _path, text in found).casefold()
    for identity in sorted(planted.identities):
        if identity.casefold() in everything:
            yield identity, next((show(path) for path, text in found if identity.casefold() in text.casefold()), "?")
        elif any(code in data for code in _codes(identity, planted.codecs)):
            yield identity, "bytes"


def _codes(identity: str, codecs: tuple[str, ...]) -> set[bytes]:
    """The bytes of a text in each character set that has it; of ISO 2022 without the escape sequences around."""
    codes = set()
    for codec in codecs:
        for text in (identity, identity.upper(), identity.lower()):
            try:
                codes.add(re.sub(rb"\A\x1b\$?[(]?[A-Z@]|\x1b\([BJ]\Z", b"", text.encode(codec)))
            except UnicodeEncodeError:
                continue
    return codes


def _common(wanted: list[str], got: list[str]) -> int:
    """How many of the wanted words are there, in their order: the longest common subsequence."""
    row = [0] * (len(got) + 1)
    for one in wanted:
        before = 0
        for index, other in enumerate(got, 1):
            before, row[index] = row[index], before + 1 if one == other else max(row[index], row[index - 1])
    return row[-1]
