"""What three other readers see in a file: pydicom, dcmdump of DCMTK and gdcmdump of GDCM, each as the same tree.

Values are left out: what is compared is which elements there are, how they nest, and how long their Values are. The
order of elements, of which readers make what they like, does not count, and what is below Pixel Data neither.
"""

from __future__ import annotations

import re
import subprocess
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

__all__ = ["DCMDUMP", "GDCMDUMP", "Node", "dcmdump", "flat", "gdcmdump", "pydicom_tree"]

# Correction off, since it is what a file holds that counts; UN as others read it; no byte of a Value can end a line.
DCMDUMP = ["dcmdump", "-q", "-dc", "+uc", "-Un", "+Qo", "+F"]
GDCMDUMP = ["gdcmdump"]
CHARACTER_SET = 0x00080005
PIXELS = 0x7FE00010
ITEM = 0xFFFEE000
SEQUENCE_END = 0xFFFEE0DD
_LINE = re.compile(rb"( *)\(([0-9a-f]{4}),([0-9a-f]{4})\) (..)(.*)", re.DOTALL)
_DCMTK_LENGTH = re.compile(rb"# +(u/l|\d+), *\d+ [^#]*\Z")
_GDCM_LENGTH = re.compile(rb"# (u/l|\d+)(?: \(\d+\))?,[^#]*\Z")


class Node(NamedTuple):
    """An element: its tag, and either the length of its Value or its Items."""

    tag: int
    length: int | None
    items: tuple[tuple[Node, ...], ...] | None = None


Tree = tuple[Node, ...]


def flat(tree: Tree, path: str = "") -> Iterator[str]:
    """One text for each element, to be compared and shown."""
    for node in tree:
        here = f"{path}({node.tag >> 16:04X},{node.tag & 0xFFFF:04X})"
        yield here + (f" {len(node.items)} Items" if node.items else f" {node.length or 0}")
        for number, item in enumerate(node.items or (), 1):
            yield from flat(item, f"{here}[{number}]>")


def _ordered(nodes: Iterable[Node]) -> Tree:
    return tuple(sorted(nodes, key=lambda node: node.tag))


# ---- pydicom -----------------------------------------------------------------------------------------------------


def pydicom_tree(path: Path) -> Tree | None:
    """The Data Set as pydicom reads it, None if it does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _of_dataset(pydicom.dcmread(path, force=True))
        except Exception:  # it may be anything
            return None


def _of_dataset(dataset: Dataset) -> Tree:
    # All as they are in the file before any is converted, which converts others as well.
    raw = {int(tag): dataset.get_item(tag) for tag in list(dataset.keys())}
    return _ordered(_of_element(dataset, tag, element) for tag, element in raw.items())


def _of_element(dataset: Dataset, tag: int, raw: object) -> Node:
    if tag == PIXELS:
        return Node(tag, None, ())
    element = dataset[tag]
    if element.VR == "SQ":
        return Node(tag, None, tuple(_of_dataset(item) for item in element.value))
    if isinstance(raw, RawDataElement) and tag != CHARACTER_SET:
        return Node(tag, raw.length)
    return Node(tag, None if tag == CHARACTER_SET else 0)  # it alone has been read by then, or it is empty


# ---- those that write text ---------------------------------------------------------------------------------------


class _Line(NamedTuple):
    depth: int
    tag: int
    length: int | None
    is_sequence: bool


def _lines(text: bytes, length_of: re.Pattern[bytes]) -> Iterator[_Line]:
    for line in re.split(rb"\n(?= *\([0-9a-f]{4},[0-9a-f]{4}\) )", b"\n" + text):
        found = _LINE.match(line.rstrip())
        if found:
            size = length_of.search(found[5])
            length = None if size is None or size[1] == b"u/l" else int(size[1])
            is_sequence = found[4] == b"SQ" or found[5].startswith((b" (Sequence ", b" (PixelSequence "))
            tag = int(found[2] + found[3], 16)
            yield _Line(len(found[1]) // 2, tag, length, is_sequence)


def _tree(lines: list[_Line], start: int, depth: int) -> tuple[Tree, int]:
    """The elements at a depth from a line on, and the line behind them."""
    nodes: list[Node] = []
    while start < len(lines) and lines[start].depth == depth and lines[start].tag >> 16 != 0xFFFE:
        line, start = lines[start], start + 1
        items: list[Tree] = []
        while start < len(lines) and lines[start].depth > depth:
            inner, start = _item(lines, start, depth + 1)
            items.append(inner)
        if start < len(lines) and lines[start].depth == depth and lines[start].tag == SEQUENCE_END:
            start += 1
        if line.tag == PIXELS:
            nodes.append(Node(line.tag, None, ()))
        elif line.is_sequence or items:
            nodes.append(Node(line.tag, None, tuple(items)))
        else:
            nodes.append(Node(line.tag, None if line.tag == CHARACTER_SET else line.length))
    return _ordered(nodes), start


def _item(lines: list[_Line], start: int, depth: int) -> tuple[Tree, int]:
    """An Item at a depth: its line, and what is deeper."""
    inner, start = _tree(lines, start + 1, depth + 1)
    while start < len(lines) and lines[start].depth == depth and lines[start].tag != ITEM:
        start += 1  # the end of the Item
    return inner, start


def _dataset(text: bytes, length_of: re.Pattern[bytes]) -> Tree | None:
    """From the text that one of the programs prints for one file."""
    _head, mark, body = text.partition(b"# Dicom-Data-Set\n")
    lines = list(_lines(body, length_of))
    if not mark:
        return None
    tree, stop = _tree(lines, 0, 0)
    while stop < len(lines):  # a delimiter or Item that closes or opens nothing
        more, after = _tree(lines, stop + 1, lines[stop].depth)
        tree += (Node(lines[stop].tag, None), *more)
        stop = after
    return tree


def dcmdump(paths: list[Path]) -> dict[Path, tuple[Tree | None, bytes]]:
    """Each of the files as dcmdump reads it, None if it does not, with all that it prints."""
    run = subprocess.run([*DCMDUMP, *map(str, paths)], capture_output=True, check=False, timeout=600)
    texts = dict.fromkeys(paths, b"")
    for part in re.split(rb"^# dcmdump \(\d+/\d+\): ", b"\n" + run.stdout, flags=re.MULTILINE)[1:]:
        name, _end, text = part.partition(b"\n")
        texts[Path(name.decode())] = text
    return {path: (_dataset(text, _DCMTK_LENGTH), text) for path, text in texts.items()}


def gdcmdump(path: Path) -> tuple[Tree | None, bytes]:
    """A file as gdcmdump reads it, None if it does not or has crashed, with all that it prints."""
    run = subprocess.run([*GDCMDUMP, str(path)], capture_output=True, check=False, timeout=60)
    return (None if run.returncode else _dataset(run.stdout, _GDCM_LENGTH)), run.stdout
