"""Two DICOM files compared element by element at every depth, as pydicom reads them.

What is compared is the raw Value, brought to Little Endian. Differences are told by tag path, never by Value.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pydicom
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

# Group length (PS3.5 7.2) is about an encoding, and retired: whoever writes a file anew may leave it out.
# Data Set Trailing Padding (PS3.10 7.2) is no Attribute of anything.
NO_ATTRIBUTE = (",0000)", "(FFFC,FFFC)")

# Attributes of the De-identifier (PS3.15 E.1.1), which gdcmanon -d leaves where gdcmanon -e has not put them.
METHOD_CODE_SEQUENCE = "(0012,0064)"
LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED = "(0028,0303)"

# Encapsulated Pixel Data are OB (PS3.5 A.4): whoever writes a file anew may put that right.
OTHER_VRS = {("(7FE0,0010)", "OW", "OB"), ("(7FE0,0010)", "OB or OW", "OB")}

_WIDTHS = {"US": 2, "SS": 2, "AT": 2, "OW": 2, "UL": 4, "SL": 4, "FL": 4, "OL": 4, "OF": 4, "FD": 8, "OD": 8, "SV": 8,
           "UV": 8, "OV": 8}  # fmt: skip
_TEXT = frozenset("AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split())


class Element(NamedTuple):
    """VR and Value of an element, in Little Endian; of a Sequence the number of Items."""

    vr: str
    value: bytes

    def __repr__(self) -> str:
        return f"Element({self.vr}, {len(self.value)} bytes)"


Elements = dict[str, Element]


@lru_cache(64)
def original(path: Path) -> Elements:
    """Like `elements`, of a file that stays as it is."""
    return elements(path)


def elements(path: Path) -> Elements:
    """All elements of the Data Set of a file under their tag paths, such as ``(0008,1140)[1]>(0008,1155)``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
        big_endian = dataset.original_encoding[1] is False
        return dict(_walk(dataset, "", big_endian))


def _walk(dataset: Dataset, path: str, big_endian: bool) -> Iterator[tuple[str, Element]]:
    # All at once, before anything is asked of the Dataset: it decodes other elements on the way.
    for tag, raw in sorted((tag, dataset.get_item(tag)) for tag in dataset.keys()):  # noqa: SIM118 - not the values
        place = f"{path}({tag.group:04X},{tag.element:04X})"
        if _is_sequence(dataset, tag, raw):
            items = dataset[tag].value
            yield place, Element("SQ", b"%d Items" % len(items))
            for number, item in enumerate(items, 1):
                yield from _walk(item, f"{place}[{number}]>", big_endian)
        else:
            vr = _vr(raw)
            yield place, Element(vr, _bytes(raw.value, vr, big_endian))


def _is_sequence(dataset: Dataset, tag: pydicom.tag.BaseTag, raw: object) -> bool:
    if isinstance(raw, pydicom.DataElement):
        return raw.VR == "SQ"
    return _vr(raw) == "SQ" or (_vr(raw) == "UN" and dataset[tag].VR == "SQ")


def _bytes(value: object, vr: str, big_endian: bool) -> bytes:
    """The raw Value; of what pydicom has decoded already, such as the character set, as it was."""
    if isinstance(value, bytes):
        return _swapped(value, vr) if big_endian else value
    if isinstance(value, int):
        return value.to_bytes(_WIDTHS[vr], "little", signed=value < 0)
    parts = value if isinstance(value, list | MultiValue) else [value or ""]
    return "\\".join(map(str, parts)).encode()


def _vr(raw: object) -> str:
    """As the file has it, or for Implicit VR the dictionary; UN if that has none."""
    if raw.VR is not None:
        return raw.VR
    try:
        return pydicom.datadict.dictionary_VR(raw.tag)
    except KeyError:
        return "UN"


def _swapped(value: bytes, vr: str) -> bytes:
    width = _WIDTHS.get(vr[:2], 1)
    swapped = bytearray(value)
    for at in range(width if width > 1 else 0):
        swapped[at::width] = value[width - 1 - at :: width]
    return bytes(swapped)


def differences(
    original: Elements, restored: Elements, *, added: Iterable[str] = (), other: Iterable[str] = (), vrs: bool = True
) -> list[str]:
    """What is wrong with `restored`, to a line each.

    Only what begins with `added` may be there without being in the original, and only what begins with `other` be
    different or missing. Group lengths and padding do not count, nor without `vrs` what VR an element has.
    """
    return [*_lost(original, restored, tuple(other), vrs), *_surplus(original, restored, (*added, *other))]


def _lost(original: Elements, restored: Elements, other: tuple[str, ...], vrs: bool) -> list[str]:
    found = []
    for place, element in original.items():
        if place.endswith(NO_ATTRIBUTE) or place.startswith(other):
            continue
        if place not in restored:
            found.append(f"{place}: lost")
        elif not _same(place, element, restored[place], vrs):
            found.append(f"{place}: {restored[place]!r}, was {element!r}")
    return found


def _surplus(original: Elements, restored: Elements, added: tuple[str, ...]) -> list[str]:
    return [
        f"{place}: added"
        for place in restored
        if place not in original and not place.endswith(NO_ATTRIBUTE) and not place.startswith(added)
    ]


def _same(place: str, one: Element, other: Element, vrs: bool) -> bool:
    """The same VR and Value; padding of text does not count."""
    if vrs and not _same_vr(one.vr, other.vr) and (place, one.vr, other.vr) not in OTHER_VRS:
        return False
    if one.vr in _TEXT or other.vr in _TEXT:
        return one.value.rstrip(b" \0") == other.value.rstrip(b" \0")
    return one.value == other.value


def _same_vr(one: str, other: str) -> bool:
    """UN can be any VR (PS3.5 6.2.2), and for Implicit VR the dictionary may leave a choice."""
    return one == other or "UN" in (one, other) or one in other.split(" or ") or other in one.split(" or ")


def top(place: str) -> str:
    """The Attribute of the top level that an element is part of."""
    return place.split("[")[0]
