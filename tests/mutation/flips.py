"""Every byte of small objects changed to eight others: no crash, no second, and no marker in what is accepted.

The objects are made of all there is in a header, with markers in what the Basic Profile takes away. A byte that is
changed may turn the tag or the VR of such an element, or a length before it, so that by the bytes there is no such
element any more: a marker may stay if, and only if, pydicom finds it in the output in an Attribute that the Profile
keeps, with the VR of the dictionary.
"""

from __future__ import annotations

import random
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from io import BytesIO
from typing import NamedTuple

import pydicom
from pydicom.dataset import Dataset

from dcmveil import Deidentifier, Editor, Policy, Reidentifier
from dcmveil.errors import DcmveilError
from tests.editing.support import edits
from tests.hostile.forms import BIG, DEFLATED, EXPLICIT, FORMS, IMPLICIT, UNDEFINED, Form, inflated
from tests.push.support import Driver
from tests.reference import tables
from tests.reversible.keys import Glass, envelope, opener, reversible

__all__ = ["MODES", "Counts", "counted", "objects"]

MARK = b"VEILME0001"
SECONDS = 1.0
CHANGES = 8
POLICY = Policy(secret=b"a secret of sixteen bytes or more", existing_encrypted="remove")
EDITS = edits(("remove", "0010,0010"), ("replace", "0040,a043>0008,0100=X"))
KEPT, CODE, NAME, PIXELS = 0x0040A043, 0x00080100, 0x00100010, 0x7FE00010
JPEG = Form("JPEG", "1.2.840.10008.1.2.4.50")


# ---- the objects -----------------------------------------------------------------------------------------------------


def front(form: Form) -> bytes:
    return form.element(0x00080005, "CS", "ISO_IR 100") + form.common() + form.element(0x00080020, "DA", "20200101")


def names(form: Form) -> bytes:
    more = form.element(0x00100020, "LO", MARK) + form.element(0x00104000, "LT", MARK)
    return form.element(NAME, "PN", MARK) + more


def back(form: Form) -> bytes:
    return form.element(0x00280010, "US", form.pack("H", 2)) + form.element(PIXELS, "OW", bytes(8))


def plain(form: Form) -> bytes:
    return form.file(front(form) + names(form) + form.element(0x0020000D, "UI", "2.999.1") + back(form))


def nested(form: Form) -> bytes:
    """In Items of defined and of undefined length, within each other."""
    inner = form.element(CODE, "SH", "A") + names(form)
    deep = form.sequence(0x00082218, form.item(inner), form.open_item(inner), open_end=True)
    return form.file(front(form) + form.sequence(KEPT, form.item(inner + deep), form.open_item(deep)) + back(form))


def private(form: Form) -> bytes:
    creator = form.element(0x00290010, "LO", "SIEMENS CSA HEADER")
    inner = form.sequence(0x00291020, form.open_item(names(form)), open_end=True)
    return form.file(front(form) + creator + form.element(0x00291010, "UT", MARK) + inner + back(form))


def unknown_vr(form: Form) -> bytes:
    """A Sequence in UN, which holds Implicit VR, and one whose length is not told."""
    item = IMPLICIT.item(IMPLICIT.element(CODE, "SH", "A") + names(IMPLICIT))
    open_item = IMPLICIT.open_item(names(IMPLICIT))
    whole = form.sequence(KEPT, item, vr="UN") + form.sequence(0x0040A168, open_item, vr="UN", open_end=True)
    return form.file(front(form) + whole + back(form))


def encapsulated(form: Form) -> bytes:
    end = form.item(tag=0xFFFEE0DD)
    pixels = form.header(PIXELS, "OB", UNDEFINED) + form.item() + form.item(b"\xff\xd8\xff\xd9") + end
    return form.file(front(form) + names(form) + pixels + form.element(0xFFFCFFFC, "OB", MARK))


def bare(form: Form) -> bytes:
    """Neither preamble nor File Meta Information."""
    return front(form) + names(form) + back(form)


def without_preamble_in(form: Form) -> bytes:
    head = form.head(more=[EXPLICIT.element(0x00020016, "AE", MARK)], preamble=MARK * 2)
    return head + front(form) + names(form) + back(form)


def sealed(form: Form) -> bytes:
    """With Encrypted Attributes: a CMS message, made of the same bytes each time but for its keys."""
    driver = Deidentifier(reversible(envelope()))
    segments = [*driver.feed(nested(form)), *driver.finish()]
    return b"".join(bytes(segment.data or b"") for segment in segments)


def glass(form: Form) -> bytes:
    """The same with its originals to be read by all, so that each byte of them is changed, too."""
    driver = Deidentifier(reversible(Glass()))
    segments = [*driver.feed(plain(form)), *driver.finish()]
    return b"".join(bytes(segment.data or b"") for segment in segments)


@cache
def objects() -> dict[str, bytes]:
    """Twenty that are de-identified, each small."""
    makers: Iterable[Callable[[Form], bytes]] = (plain, nested, private)
    found = {f"{make.__name__}, {form.name}": make(form) for make in makers for form in FORMS}
    found |= {f"bare, {form.name}": bare(form) for form in (EXPLICIT, IMPLICIT, BIG)}
    found |= {f"UN, {form.name}": unknown_vr(form) for form in (EXPLICIT, BIG)}
    found |= {"fragments": encapsulated(JPEG), "meta": without_preamble_in(EXPLICIT), "sealed": sealed(EXPLICIT)}
    return found


@cache
def restorable() -> dict[str, bytes]:
    return {form.name: glass(form) for form in (EXPLICIT, IMPLICIT, DEFLATED)}


def given(mode: str) -> dict[str, bytes]:
    """What is changed: to restore something, something has to be sealed."""
    if mode == "-d, sealed":
        return {"sealed": objects()["sealed"]}
    return restorable() if mode == "-d" else objects()


# ---- what is done to them --------------------------------------------------------------------------------------------


class Counts(NamedTuple):
    """Changed objects, those of them that are accepted, those in which a marker stays as it may, and what was wrong."""

    changed: int = 0
    accepted: int = 0
    kept: int = 0
    slowest: float = 0.0
    wrong: tuple[str, ...] = ()

    def plus(self, other: Counts) -> Counts:
        sums = (mine + theirs for mine, theirs in zip(self[:3], other[:3], strict=True))
        return Counts(*sums, max(self.slowest, other.slowest), self.wrong + other.wrong)


def made(driver: Driver, data: bytes) -> bytes | None:
    """The output, None if there is an error of ours. Anything else is a crash, and ends the run."""
    try:
        segments = [*driver.feed(data), *driver.finish()]
    except DcmveilError as error:
        assert "\n" not in str(error)
        assert MARK.decode() not in str(error)
        return None
    return b"".join(bytes(segment.data or b"") for segment in segments)


MODES: dict[str, Callable[[], Driver]] = {
    "-e": lambda: Deidentifier(POLICY),
    "--dumb": lambda: Editor(EDITS),
    "-d": lambda: Reidentifier(Glass()),
    "-d, sealed": lambda: Reidentifier(opener()),
}


def counted(mode: str, share: float = 1.0) -> Counts:
    """Each byte of each object by eight others, or of a share of the bytes, at random but always the same ones."""
    counts = Counts()
    for name, data in given(mode).items():
        chooser = random.Random(f"{name} {share}")
        places = range(len(data)) if share >= 1 else sorted(chooser.sample(range(len(data)), int(len(data) * share)))
        for at in places:
            counts = counts.plus(_at(mode, name, data, at))
    return counts


def _at(mode: str, name: str, data: bytes, at: int) -> Counts:
    counts = Counts()
    for byte in others(data[at], at):
        before = time.process_time()
        output = made(MODES[mode](), data[:at] + bytes([byte]) + data[at + 1 :])
        seconds = time.process_time() - before
        stays = mode == "-e" and output is not None and has_marker(output)
        may = stays and output is not None and may_stay(output)
        wrong = [f"{mode}: {name}: {at}: {byte:02x}"] if stays > may or seconds > SECONDS else []
        counts = counts.plus(Counts(1, int(output is not None), int(may), seconds, tuple(wrong)))
    return counts


def others(byte: int, at: int) -> list[int]:
    """Eight bytes; those that are the byte itself, or twice the same, are others instead."""
    wanted = [0x00, 0xFF, byte ^ 0x01, byte ^ 0x80, 0x20, byte + 1 & 0xFF, byte - 1 & 0xFF]
    found = [other for other in dict.fromkeys(wanted) if other != byte]
    rest = [other for other in range(256) if other != byte and other not in found]
    return found + random.Random(at).sample(rest, CHANGES - len(found))


def has_marker(output: bytes) -> bool:
    try:
        return MARK in inflated(output)
    except zlib.error:
        return True


# ---- what may stay ---------------------------------------------------------------------------------------------------


def may_stay(output: bytes) -> bool:
    """Does another reader find each marker in Attributes that are kept, and nothing of it elsewhere?"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = list(_marked(pydicom.dcmread(BytesIO(output))))
        except Exception:  # whatever pydicom raises on what it does not read
            return False
    return bool(found) and all(found) and len(found) == inflated(output).count(MARK)


def _marked(dataset: Dataset) -> Iterator[bool]:
    """For each marker whether it stands in an Attribute that the Basic Profile keeps."""
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        vr, value = (
            raw.VR,
            raw.value if isinstance(raw.value, bytes) else b"",
        )  # its bytes, before it is given a meaning
        if dataset[tag].VR == "SQ":
            for item in dataset[tag].value:
                yield from _marked(item)
        else:
            yield from [_keeps(int(tag), vr)] * value.count(MARK)


def _keeps(tag: int, vr: str | None) -> bool:
    """Implicit VR has none."""
    vrs = tables.dictionary_vrs(tag)
    return (vr in vrs if vr else bool(vrs)) and tables.printed(tag) not in tables.basic_actions()
