"""Compares dcmveil's output with what the reference expects: tag paths and kinds of difference, no Values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .model import Cleaned, Element, Encoding, Expected, Identity, tag_name
from .parse import UN_CONTENT, read_file, read_items
from .texts import fault


def file_differences(expected: Expected, path: Path) -> list[str]:
    """Every difference between the file and what is expected: preamble, File Meta Information, Data Set."""
    actual = read_file(path)
    found = [] if actual.preamble == bytes(128) else ["preamble: not 128 zero bytes"]
    compare = Comparison(actual.encoding, expected.identity)
    meta, padding = without_padding(actual.meta)
    found += [f"File Meta {text}" for text in compare.differences(expected.meta, meta)]
    if padding is not None and not (padding == bytes(len(padding)) and _has_bulk(actual.data_set)):
        found.append("File Meta: padding that is none")
    return found + compare.differences(expected.data_set, actual.data_set)


def without_padding(meta: list[Element]) -> tuple[list[Element], bytes | None]:
    """File Meta Information as it would be without padding in Private Information (0002,0102), and that, if any."""
    by_tag = {element.tag: element for element in meta}
    creator, padding = by_tag.get(0x00020100), by_tag.get(0x00020102)
    if creator is None or padding is None or padding.vr != "OB" or creator.value != by_tag[0x00020012].value:
        return meta, None
    assert isinstance(creator.value, bytes)
    assert isinstance(padding.value, bytes)
    (tag, vr, length), *rest = [element for element in meta if element not in (creator, padding)]
    assert isinstance(length, bytes)
    size = int.from_bytes(length, "little") - 8 - len(creator.value) - 12 - len(padding.value)
    return [Element(tag, vr, size.to_bytes(4, "little")), *rest], padding.value


def _has_bulk(data_set: list[Element]) -> bool:
    """Something of 1 MiB or more, which padding moves to where it can be copied fast; Fragments count together here."""
    return any(isinstance(element.value, bytes) and len(element.value) >= 1 << 20 for element in data_set) or any(
        _has_bulk(item) for element in data_set for item in element.items
    )


class Comparison:
    """Compares trees of one file, which knows its encoding and what may not be left in its texts."""

    def __init__(self, encoding: Encoding, identity: Identity) -> None:
        self.encoding = encoding
        self.identity = identity

    def differences(self, expected: list[Element], actual: list[Element], path: str = "") -> list[str]:
        """Differences of two trees, each as `path: kind`. Duplicate tags are told apart by their occurrence."""
        if expected == actual:
            return []
        return list(self._differences(expected, actual, path))

    def _differences(self, expected: list[Element], actual: list[Element], path: str) -> Iterator[str]:
        wanted, got = _by_tag(expected), _by_tag(actual)
        for tag in sorted(wanted.keys() | got.keys()):
            yield from self._occurrences(wanted.get(tag, []), got.get(tag, []), path + tag_name(tag))
        if _common_order(expected, actual) != _common_order(actual, expected):
            yield f"{path or 'Data Set'}: other order"

    def _occurrences(self, wanted: list[Element], got: list[Element], place: str) -> Iterator[str]:
        """The elements of one tag, in their order; of cleaned texts nothing may be left."""
        places = [place, *(f"{place}#{number}" for number in range(2, max(len(wanted), len(got)) + 1))]
        left = list(got)
        for number, expected in enumerate(wanted):
            actual = left[0] if left else None
            some_are_gone = len(wanted) - number > len(left)
            if some_are_gone and isinstance(expected.value, Cleaned) and not self._is_taken(expected.value, actual):
                continue
            yield from self._compared(expected, actual, places[number])
            left = left[1:]
        yield from (f"{places[number]}: must not be there" for number in range(len(got) - len(left), len(got)))

    def _is_taken(self, cleaned: Cleaned, actual: Element | None) -> bool:
        """Whether an element is to be judged as what the text became: not if it may be gone, and this is another."""
        return fault(cleaned, None, self.identity) is not None or fault(cleaned, actual, self.identity) is None

    def _compared(self, expected: Element, actual: Element | None, place: str) -> Iterator[str]:
        if isinstance(expected.value, Cleaned):
            wrong = fault(expected.value, actual, self.identity)
            if wrong:
                yield f"{place}: {wrong}"
            elif actual and actual.vr != expected.vr and [actual] != expected.value.instead:
                yield f"{place}: VR {actual.vr}, expected {expected.vr}"
        elif actual is None:
            yield f"{place}: missing"
        else:
            yield from self._element(expected, actual, place)

    def _element(self, expected: Element, actual: Element, place: str) -> Iterator[str]:
        if expected.vr != actual.vr:
            yield f"{place}: VR {actual.vr}, expected {expected.vr}"
        if isinstance(expected.value, list) and isinstance(actual.value, bytes):
            actual = self._private_sequence(actual)
        if not isinstance(expected.value, list) or not isinstance(actual.value, list):
            if expected.value != actual.value:
                yield f"{place}: other value ({_size(actual)}, expected {_size(expected)})"
            return
        if len(expected.value) != len(actual.value):
            yield f"{place}: {_size(actual)}, expected {_size(expected)}"
        for number, (wanted, got) in enumerate(zip(expected.value, actual.value, strict=False), 1):
            yield from self.differences(wanted, got, f"{place}[{number}]>")

    def _private_sequence(self, actual: Element) -> Element:
        """A private Sequence of defined length as the Items it has, which are read only where it is one."""
        if not actual.tag >> 16 & 1 or not isinstance(actual.value, bytes):
            return actual
        inner = self.encoding if actual.vr == "SQ" else UN_CONTENT
        return Element(actual.tag, actual.vr, read_items(actual.value, inner))


def _by_tag(elements: list[Element]) -> dict[int, list[Element]]:
    found: dict[int, list[Element]] = {}
    for element in elements:
        found.setdefault(element.tag, []).append(element)
    return found


def _common_order(elements: list[Element], others: list[Element]) -> list[tuple[int, int]]:
    """Those of the elements whose like is among the others, by tag and occurrence."""
    counts, left, order = Counter[int](), Counter(other.tag for other in others), []
    for element in elements:
        counts[element.tag] += 1
        if counts[element.tag] <= left[element.tag]:
            order.append((element.tag, counts[element.tag]))
    return order


def _size(element: Element) -> str:
    return f"{len(element.value)} {'Items' if isinstance(element.value, list) else 'bytes'}"
