"""Compares dcmveil's output with what the reference expects: tag paths and kinds of difference, no Values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .model import Element, Expected, tag_name
from .parse import read_file

Numbered = dict[tuple[int, int], Element]


def file_differences(expected: Expected, path: Path) -> list[str]:
    """Every difference between the file and what is expected: preamble, File Meta Information, Data Set."""
    actual = read_file(path)
    found = [] if actual.preamble == bytes(128) else ["preamble: not 128 zero bytes"]
    found += [f"File Meta {text}" for text in differences(expected.meta, actual.meta)]
    return found + differences(expected.data_set, actual.data_set)


def differences(expected: list[Element], actual: list[Element], path: str = "") -> list[str]:
    """Differences of two trees, each as `path: kind`. Duplicate tags are told apart by their occurrence."""
    if expected == actual:
        return []
    return list(_differences(expected, actual, path))


def _differences(expected: list[Element], actual: list[Element], path: str) -> Iterator[str]:
    wanted, got = _numbered(expected), _numbered(actual)
    for key in sorted(wanted.keys() | got.keys()):
        place = f"{path}{tag_name(key[0])}" + (f"#{key[1] + 1}" if key[1] else "")
        if key not in got:
            yield f"{place}: missing"
        elif key not in wanted:
            yield f"{place}: must not be there"
        else:
            yield from _element(wanted[key], got[key], place)
    if [key for key in wanted if key in got] != [key for key in got if key in wanted]:
        yield f"{path or 'Data Set'}: other order"


def _numbered(elements: list[Element]) -> Numbered:
    """The elements under (tag, occurrence), in their order."""
    numbered: Numbered = {}
    for element in elements:
        occurrence = 0
        while (element.tag, occurrence) in numbered:
            occurrence += 1
        numbered[element.tag, occurrence] = element
    return numbered


def _element(expected: Element, actual: Element, place: str) -> Iterator[str]:
    if expected.vr != actual.vr:
        yield f"{place}: VR {actual.vr}, expected {expected.vr}"
    if isinstance(expected.value, bytes) or isinstance(actual.value, bytes):
        if expected.value != actual.value:
            yield f"{place}: other value ({_size(actual)}, expected {_size(expected)})"
        return
    if len(expected.value) != len(actual.value):
        yield f"{place}: {_size(actual)}, expected {_size(expected)}"
    for number, (wanted, got) in enumerate(zip(expected.value, actual.value, strict=False), 1):
        yield from differences(wanted, got, f"{place}[{number}]>")


def _size(element: Element) -> str:
    return f"{len(element.value)} {'bytes' if isinstance(element.value, bytes) else 'Items'}"
