"""Objects with what makes a push driver wait, or lets it go on: long Values and headers, Sequences of all kinds."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.hostile.forms import EXPLICIT, FORMS, IMPLICIT, SC_IMAGE, UNDEFINED, Form, meta_element

__all__ = [
    "ENCAPSULATED",
    "LONG",
    "MIB",
    "PIXELS",
    "encapsulated",
    "fragments",
    "held_back",
    "image",
    "noise",
    "patient",
    "rows",
    "structures",
    "uid_free",
]

MIB = 1 << 20
LONG = 3 * MIB // 2 + 2  # bytes of a Value that is to go out before the end
ENCAPSULATED = Form("encapsulated", "1.2.840.10008.1.2.4.50")
PIXELS = 0x7FE00010
MARK = b"VEILME0001"  # in Values: none may be seen in a message
ANATOMIC_REGION = 0x00082218  # a Sequence that the Basic Profile keeps
REQUEST = 0x00400275  # one that it removes


def patient(form: Form) -> bytes:
    return form.element(0x00100010, "PN", MARK) + form.element(0x00100020, "LO", "VEILME0002")


def rows(form: Form) -> bytes:
    return form.element(0x00280010, "US", form.pack("H", 8)) + form.element(0x00280011, "US", form.pack("H", 9))


def noise(count: int, seed: int = 0) -> bytes:
    """Bytes that differ from one place to the next, so that a range in the wrong place is seen."""
    return random.Random(seed).randbytes(count)


def image(form: Form, *more: bytes, before: bytes = b"") -> bytes:
    """A file with a Patient, after whose Image Pixel Attributes come `more` elements."""
    return form.file(form.common() + before + patient(form) + rows(form) + b"".join(more))


def uid_free(form: Form, *more: bytes) -> bytes:
    """The same without a SOP Instance UID of its own, which is known to be absent only at the end."""
    return form.file(form.element(0x00080016, "UI", SC_IMAGE) + patient(form) + rows(form) + b"".join(more))


def fragments(*lengths: int) -> bytes:
    """An encapsulated Pixel Data element with an empty offset table (PS3.5 A.4)."""
    form = ENCAPSULATED
    items = [form.item(noise(length, number)) for number, length in enumerate(lengths)]
    return form.header(PIXELS, "OB", UNDEFINED) + form.item() + b"".join(items) + form.item(tag=0xFFFEE0DD)


def encapsulated(*lengths: int) -> bytes:
    return image(ENCAPSULATED, fragments(*lengths))


def held_back(size: int = LONG) -> dict[str, bytes]:
    """Files of well over 1 MiB, all of which may go out before their end."""
    form, pixels = EXPLICIT, noise(size)
    native = form.element(PIXELS, "OW", pixels)
    item = form.element(0x00080100, "SH", "T-D3000") + form.element(0x00420011, "OB", pixels)
    filler = b"".join(form.element(0x00280014 + n, "OB", noise(40_000, n)) for n in range(40))
    return {
        "native": image(form, native),
        "implicit": image(IMPLICIT, IMPLICIT.element(PIXELS, "OW", pixels)),
        "fragments": encapsulated(*[30_000] * (size // 30_000)),
        "one long Fragment": encapsulated(10, size, 12),
        "in Items of undefined length": image(
            form, form.sequence(0x00880200, form.open_item(item), open_end=True), native
        ),
        "in Items of defined length": image(form, form.sequence(0x00880200, form.item(item)), native),
        "behind a long header": image(form, filler, native),
        "before edits": image(form, native, form.element(0xFFFAFFFA, "SQ"), form.element(0xFFFCFFFC, "OB", bytes(300))),
        "behind a Value that goes": image(form, form.element(0x00291010, "OB", pixels), native),
        "behind a Sequence that goes": image(
            form, form.sequence(0x00400275, form.open_item(item), open_end=True), native
        ),
    }


def structures(seed: int) -> Iterator[tuple[str, bytes]]:
    """Files in every encoding with Sequences of all kinds: kept, removed and private, of either kind of length."""
    chooser = random.Random(seed)
    for form in (*FORMS, ENCAPSULATED):
        yield f"{form.name} {seed}", _structure(form, chooser)


def _structure(form: Form, chooser: random.Random) -> bytes:
    kept, removed = (_sequence(form, tag, chooser, 0) for tag in (ANATOMIC_REGION, REQUEST))
    creator = form.element(0x00290010, "LO", "DCMVEIL TEST")
    private = form.sequence(0x00291010, form.open_item(_leaf(form, chooser)), vr="SQ", open_end=True)
    comments = form.element(0x00104000, "UT", noise(chooser.choice([10, 3000, 60_000])).hex())
    pixels = fragments(7, chooser.randrange(1000) * 2, 4) if form is ENCAPSULATED else form.element(
        PIXELS, "OW", noise(chooser.randrange(4000) * 2)
    )  # fmt: skip
    parts = [kept, patient(form), rows(form), creator, private, removed]
    parts.insert(2, comments)
    chosen = [part for part in parts if chooser.random() < 0.8]
    tail = form.element(0xFFFCFFFC, "OB", bytes(chooser.randrange(50) * 2))
    more = [meta_element(0x00020016, "AE", "STORE_01")] * chooser.randrange(2)
    return form.file(form.common() + b"".join(chosen) + pixels + tail, more=more)


def _sequence(form: Form, tag: int, chooser: random.Random, depth: int) -> bytes:
    items = []
    for _ in range(chooser.randrange(4)):
        content = _leaf(form, chooser) + form.element(0x00100010, "PN", MARK) * chooser.randrange(2)
        if depth < 3:
            content += _sequence(form, 0x0040A043, chooser, depth + 1)
        items.append(form.open_item(content) if chooser.random() < 0.5 else form.item(content))
    return form.sequence(tag, *items, open_end=chooser.random() < 0.5)


def _leaf(form: Form, chooser: random.Random) -> bytes:
    return form.element(0x00080100, "SH", "T-D3000") + form.element(
        0x00080104, "LO", noise(chooser.choice([0, 6, 200, 6000])).hex()
    )  # fmt: skip
