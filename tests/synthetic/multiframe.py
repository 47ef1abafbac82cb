"""Enhanced CT with Per-Frame Functional Groups (PS3.3 A.38.1, C.7.6.16): headers that outweigh their pixels.

Every Item of a file has the same length, since all numbers in it are of fixed width. So a Sequence of defined
length can state its Value Length before the first Item has been made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.synthetic.encode import (
    Row,
    code_item,
    element,
    file_head,
    header,
    item,
    plain,
    sequence,
    stream_items,
    uid,
)
from tests.synthetic.images import CT_IMAGE, CT_PATIENT_AND_STUDY, image_pixel
from tests.synthetic.stream import Chunk, Hole

__all__ = ["ENHANCED_CT", "enhanced_ct", "frame_group", "small_functional_groups"]

ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
_FIRST = 1_000_000  # frames are counted from here, so that every number has seven digits

# Functional group macros without identity, C.7.6.16.2 and C.8.15.3; 47 elements with their Sequences.
_STATIC_GROUPS: dict[int, tuple[Row, ...]] = {
    0x00189301: ((0x00189302, "CS", "SPIRAL"), (0x00189333, "CS", "NO"), (0x00189334, "CS", "NO")),
    0x00189304: (
        (0x00181120, "DS", "0"),
        (0x00181130, "DS", "154.5"),
        (0x00181140, "CS", "CW"),
        (0x00189305, "FD", 0.5),
        (0x00189306, "FD", 0.6),
        (0x00189307, "FD", 38.4),
    ),
    0x00189308: ((0x00189309, "FD", 76.8), (0x00189310, "FD", 38.4), (0x00189311, "FD", 1.0)),
    0x00189312: ((0x00181110, "DS", "1085.6"), (0x00189335, "FD", 595.0)),
    0x00189314: (
        (0x00181100, "DS", "350"),
        (0x00181210, "SH", "B30f"),
        (0x00189315, "CS", "FILTER_BACK_PROJ"),
        (0x00189316, "CS", "CONSTANT_ANGLE"),
        (0x00189319, "FD", 180.0),
        (0x00189322, "FD", (0.683, 0.683)),
    ),
    0x00189321: (
        (0x00189323, "CS", "XYZ_EC"),
        (0x00189328, "FD", 500.0),
        (0x00189330, "FD", 180.0),
        (0x00189332, "FD", 90.0),
        (0x00189345, "FD", 7.25),
    ),
    0x00189325: (
        (0x00180060, "DS", "120"),
        (0x00181160, "SH", "WEDGE_2"),
        (0x00181190, "DS", "1.2"),
        (0x00187050, "CS", "ALUMINUM"),
    ),
    0x00189326: ((0x00189313, "FD", (0.0, 0.0, -300.5)), (0x00189318, "FD", (0.0, 0.0, -300.5))),
    0x00189329: (
        (0x00089007, "CS", "ORIGINAL\\PRIMARY\\VOLUME\\NONE"),
        (0x00089205, "CS", "MONOCHROME"),
        (0x00089206, "CS", "VOLUME"),
        (0x00089207, "CS", "NONE"),
    ),
}

_PIXEL_GROUPS: dict[int, tuple[Row, ...]] = {
    0x00209116: ((0x00200037, "DS", "1\\0\\0\\0\\1\\0"),),
    0x00289110: ((0x00180050, "DS", "1.0"), (0x00180088, "DS", "0.8"), (0x00280030, "DS", "0.683\\0.683")),
    0x00289132: ((0x00281050, "DS", "40"), (0x00281051, "DS", "400"), (0x00281055, "LO", "SOFT TISSUE")),
    0x00289145: ((0x00281052, "DS", "-1024"), (0x00281053, "DS", "1"), (0x00281054, "LO", "HU")),
}


def enhanced_ct(frames: int, *, undefined: bool = False, rows: int = 16, columns: int = 16) -> Iterator[Chunk]:
    """An Enhanced CT Image of `frames` frames, about 110 elements each; `rows` x `columns` pixels.

    `undefined` gives every Sequence of the functional groups and every Item undefined length.
    """
    return _multi_frame(frames, lambda n: frame_group(n, undefined=undefined), undefined, rows, columns)


def small_functional_groups(frames: int = 100_000, *, undefined: bool = False) -> Iterator[Chunk]:
    """`frames` functional groups of about 500 bytes and 23 elements, and almost no pixels.

    100,000 of them make a header of about 50 MB, every Item of which holds a date and two UIDs to be changed.
    """
    return _multi_frame(frames, lambda n: _small_group(n, undefined), undefined, 1, 2)


def frame_group(number: int, *, undefined: bool = False) -> bytes:
    """The whole functional group Item of frame `number`, from 0."""
    parts = [_images(number, undefined), _groups(_STATIC_GROUPS, undefined), _event(number, undefined)]
    parts += [_anatomy(undefined), _content(number, undefined), _position(number, undefined)]
    parts += [_groups(_PIXEL_GROUPS, undefined), _real_world_values(undefined)]
    return item(b"".join(parts), undefined=undefined)


def _multi_frame(
    frames: int, make_item: Callable[[int], bytes], undefined: bool, rows: int, columns: int
) -> Iterator[Chunk]:
    yield file_head(ENHANCED_CT, uid(1, 3))
    yield element(0x00080008, "CS", "ORIGINAL\\PRIMARY\\VOLUME\\NONE") + element(0x00080016, "UI", ENHANCED_CT)
    yield element(0x00080018, "UI", uid(1, 3)) + plain(CT_PATIENT_AND_STUDY)
    yield element(0x0020000D, "UI", uid(2, 1)) + element(0x0020000E, "UI", uid(3, 1))
    yield element(0x00200052, "UI", uid(4, 1)) + image_pixel(rows, columns, 16, frames)
    yield sequence(0x52009229, item(b""), undefined=undefined)
    size = None if undefined else frames * len(make_item(0))
    yield from stream_items(0x52009230, (make_item(n) for n in range(frames)), size)
    yield header(0x7FE00010, "OW", frames * rows * columns * 2)
    yield Hole(frames * rows * columns * 2)


def _one(tag: int, content: bytes, undefined: bool) -> bytes:
    """A Sequence of one Item."""
    return sequence(tag, item(content, undefined=undefined), undefined=undefined)


def _groups(table: dict[int, tuple[Row, ...]], undefined: bool) -> bytes:
    return b"".join(_one(tag, plain(rows), undefined) for tag, rows in table.items())


def _code(tag: int, value: str, meaning: str, undefined: bool, scheme: str = "DCM") -> bytes:
    return sequence(tag, code_item(value, scheme, meaning, undefined=undefined), undefined=undefined)


def _instance(number: int, series: int) -> bytes:
    return element(0x00081150, "UI", CT_IMAGE) + element(0x00081155, "UI", uid(6, series, _FIRST + number))


def _source(number: int, undefined: bool) -> bytes:
    purpose = _code(0x0040A170, "121322", "Source image for image processing operation", undefined)
    return _one(0x00082112, _instance(number, 1) + purpose, undefined)


def _images(number: int, undefined: bool) -> bytes:
    """Referenced Image and Derivation Image: 18 elements."""
    purpose = _code(0x0040A170, "121311", "Localizer", undefined)
    derivation = _code(0x00089215, "113076", "Segmentation", undefined)
    references = _one(0x00081140, _instance(number, 2) + purpose, undefined)
    return references + _one(0x00089124, _source(number, undefined) + derivation, undefined)


def _event(number: int, undefined: bool) -> bytes:
    return _one(0x00189477, element(0x00083010, "UI", uid(7, _FIRST + number)), undefined)


def _anatomy(undefined: bool) -> bytes:
    region = _code(0x00082218, "51185008", "Chest", undefined, "SCT")
    return _one(0x00209071, region + element(0x00209072, "CS", "U"), undefined)


def _content(number: int, undefined: bool) -> bytes:
    """Frame Content: 12 elements, four of them identity."""
    rows: tuple[Row, ...] = (
        (0x00189074, "DT", f"20240229101112.{number % 1_000_000:06}"),
        (0x00189151, "DT", f"20240229101113.{number % 1_000_000:06}"),
        (0x00189220, "FD", 500.0),
        (0x00189236, "CS", "END_SYSTOLE"),
        (0x00209056, "SH", "STACK1"),
        (0x00209057, "UL", number + 1),
        (0x00209128, "UL", 1),
        (0x00209156, "US", number % 65536),
        (0x00209157, "UL", (1, number + 1)),
        (0x00209158, "LT", f"Comment on frame {_FIRST + number}"),
        (0x00209453, "LO", f"Frame {_FIRST + number}"),
    )
    return _one(0x00209111, plain(rows), undefined)


def _position(number: int, undefined: bool) -> bytes:
    return _one(0x00209113, element(0x00200032, "DS", f"-175\\-175\\{_FIRST + number}"), undefined)


def _real_world_values(undefined: bool) -> bytes:
    rows: tuple[Row, ...] = (
        (0x00283003, "LO", "Hounsfield Units"),
        (0x00409210, "SH", "HU"),
        (0x00409211, "SS", 3071),
        (0x00409216, "SS", -1024),
        (0x00409224, "FD", -1024.0),
        (0x00409225, "FD", 1.0),
    )
    units = _code(0x004008EA, "[hnsf'U]", "Hounsfield unit", undefined, "UCUM")
    return _one(0x00409096, plain(rows[:1]) + units + plain(rows[1:]), undefined)


def _small_group(number: int, undefined: bool) -> bytes:
    """Derivation Image, Irradiation Event, Frame Content, Plane Position and Pixel Measures only."""
    derivation = _code(0x00089215, "113072", "Multiplanar reformatting", undefined)
    before = _one(0x00089124, _source(number, undefined) + derivation, undefined) + _event(number, undefined)
    acquired = element(0x00189074, "DT", f"20240229101112.{number % 1_000_000:06}")
    content = acquired + element(0x00209157, "UL", (1, number + 1))
    behind = _position(number, undefined) + _one(0x00289110, plain(_PIXEL_GROUPS[0x00289110]), undefined)
    return item(before + _one(0x00209111, content, undefined) + behind, undefined=undefined)
