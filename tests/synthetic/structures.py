"""An RT Structure Set (PS3.3 A.19) with a header of tens of MB: contours, each naming the image below it.

The shape is that of a real one: a few structures, contours on many slices, some hundreds of distinct UIDs
which the contours repeat. The Sequences of contours have undefined length, so nothing is counted ahead.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.synthetic.encode import (
    ITEM_DELIMITATION,
    SEQUENCE_DELIMITATION,
    UNDEFINED,
    element,
    file_head,
    header,
    item,
    item_header,
    plain,
    sequence,
    uid,
)
from tests.synthetic.images import CT_IMAGE, CT_PATIENT_AND_STUDY
from tests.synthetic.stream import Chunk

__all__ = ["RT_STRUCTURE_SET", "rt_structure_set"]

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
_STUDY_COMPONENT = "1.2.840.10008.3.1.2.3.1"
_POINTS = 60


def rt_structure_set(contours: int = 39_000, *, slices: int = 300, structures: int = 20) -> Iterator[Chunk]:
    """An RT Structure Set of `contours` contours of 60 points, about 1.3 kB each: the default makes 50 MB."""
    yield file_head(RT_STRUCTURE_SET, uid(1, 4))
    yield element(0x00080016, "UI", RT_STRUCTURE_SET) + element(0x00080018, "UI", uid(1, 4))
    yield (plain(CT_PATIENT_AND_STUDY) + element(0x0020000D, "UI", uid(2, 1)) + element(0x0020000E, "UI", uid(3, 4)))
    yield _structure_set(slices, structures)
    yield header(0x30060039, "SQ", UNDEFINED)
    for structure in range(structures):
        yield from _roi_contours(structure, range(structure, contours, structures), slices)
    yield SEQUENCE_DELIMITATION
    yield sequence(0x30060080, *map(_observation, range(structures)))


def _structure_set(slices: int, structures: int) -> bytes:
    """The Structure Set Module up to Structure Set ROI Sequence."""
    labels = element(0x30060002, "SH", "PLANNING") + element(0x30060004, "LO", "Planning structures")
    dates = element(0x30060008, "DA", "20240229") + element(0x30060009, "TM", "101112")
    return labels + dates + _frame_of_reference(slices) + sequence(0x30060020, *map(_roi, range(structures)))


def _frame_of_reference(slices: int) -> bytes:
    series = element(0x0020000E, "UI", uid(3, 1)) + sequence(0x30060016, *(item(_image(n)) for n in range(slices)))
    study = element(0x00081150, "UI", _STUDY_COMPONENT) + element(0x00081155, "UI", uid(2, 1))
    study += sequence(0x30060014, item(series))
    return sequence(0x30060010, item(element(0x00200052, "UI", uid(4, 1)) + sequence(0x30060012, item(study))))


def _image(number: int) -> bytes:
    return element(0x00081150, "UI", CT_IMAGE) + element(0x00081155, "UI", uid(6, 3, 1000 + number))


def _roi(number: int) -> bytes:
    content = element(0x30060022, "IS", str(number + 1)) + element(0x30060024, "UI", uid(4, 1))
    content += element(0x30060026, "LO", f"Structure {number}") + element(0x30060028, "ST", "Drawn by Example")
    return item(content + element(0x30060036, "CS", "MANUAL"))


def _roi_contours(structure: int, contours: range, slices: int) -> Iterator[bytes]:
    yield item_header() + element(0x3006002A, "IS", "255\\0\\0") + header(0x30060040, "SQ", UNDEFINED)
    for number in contours:
        yield _contour(number, number // contours.step % slices)
    yield SEQUENCE_DELIMITATION + element(0x30060084, "IS", str(structure + 1)) + ITEM_DELIMITATION


def _contour(number: int, plane: int) -> bytes:
    points = "\\".join(f"{number % 97 + n}.25\\{n * 2 - 60}.5\\{plane}.125" for n in range(_POINTS))
    content = sequence(0x30060016, item(_image(plane))) + element(0x30060042, "CS", "CLOSED_PLANAR")
    content += element(0x30060046, "IS", str(_POINTS)) + element(0x30060048, "IS", str(number + 1))
    return item(content + element(0x30060050, "DS", points))


def _observation(number: int) -> bytes:
    content = element(0x30060082, "IS", str(number + 1)) + element(0x30060084, "IS", str(number + 1))
    content += element(0x30060085, "SH", "Seen by Example") + element(0x300600A4, "CS", "ORGAN")
    return item(content + element(0x300600A6, "PN", "Interpreter^Ida"))
