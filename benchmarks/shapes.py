"""The files whose memory is measured: the generators of the tests, a large document, and deflated Data Sets.

None is ever whole in memory. Runs of zero bytes are holes, which cost no disk, where nothing compresses them.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterable, Iterator

from tests.synthetic import (
    Chunk,
    Hole,
    encapsulated_image,
    enhanced_ct,
    native_image,
    rt_structure_set,
    small_functional_groups,
)
from tests.synthetic.encode import element, file_head, header, plain, uid
from tests.synthetic.images import CT_PATIENT_AND_STUDY, image_pixel

__all__ = ["LARGE", "MEBIBYTE", "SMALL", "deflated_image", "encapsulated_pdf"]

MEBIBYTE = 1 << 20
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
DEFLATED = "1.2.840.10008.1.2.1.99"


def encapsulated_pdf(size: int) -> Iterator[Chunk]:
    """An Encapsulated PDF (PS3.3 A.45.1) whose document has `size` bytes, an even number."""
    front = b"%PDF-1.7\n\n"
    yield file_head(ENCAPSULATED_PDF, uid(1, 7)) + _general(ENCAPSULATED_PDF, 7)
    yield element(0x00200013, "IS", "1") + element(0x00280301, "CS", "NO")
    yield element(0x00420010, "ST", "Letter to Referrer^Rita") + header(0x00420011, "OB", size) + front
    yield Hole(size - len(front))
    yield element(0x00420012, "LO", "application/pdf")


def deflated_image(pixel_bytes: int, *, noise: bool) -> Iterator[Chunk]:
    """A native image of `pixel_bytes`, whole MiB, in Deflated Explicit VR Little Endian (PS3.5 A.5).

    With `noise` it is as long as its pixels; without, all of them are zero: a thousandth of that.
    """
    yield file_head(SECONDARY_CAPTURE, uid(1, 8), DEFLATED)
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for piece in _image(pixel_bytes, noise):
        yield compressor.compress(piece)
    yield compressor.flush()


def _image(pixel_bytes: int, noise: bool) -> Iterator[bytes]:
    yield _general(SECONDARY_CAPTURE, 8) + image_pixel(pixel_bytes >> 15, 1 << 15, 8)
    yield header(0x7FE00010, "OB", pixel_bytes)
    # Deflate looks back by 32 KiB: a block of 1 MiB may repeat.
    block = random.Random(8).randbytes(MEBIBYTE) if noise else bytes(MEBIBYTE)
    for _ in range(pixel_bytes // MEBIBYTE):
        yield block


def _general(sop_class: str, instance: int) -> bytes:
    """SOP Common, Patient and Study."""
    head = element(0x00080016, "UI", sop_class) + element(0x00080018, "UI", uid(1, instance))
    ids = element(0x0020000D, "UI", uid(2, 1)) + element(0x0020000E, "UI", uid(3, 1))
    return head + plain(CT_PATIENT_AND_STUDY) + ids


Shapes = dict[str, Callable[[], Iterable[Chunk]]]
SMALL: Shapes = {
    "native, 64 MiB": lambda: native_image(64 * MEBIBYTE),
    "encapsulated, 64 Fragments of 1 MiB": lambda: encapsulated_image(64, MEBIBYTE),
    "100,000 Fragments": lambda: encapsulated_image(100_000, 64),
    "enhanced multi-frame, 2,000 frames, 220,000 elements": lambda: enhanced_ct(2000),
    "100,000 functional-group Items, defined lengths": small_functional_groups,
    "100,000 functional-group Items, undefined lengths": lambda: small_functional_groups(undefined=True),
    "RT Structure Set, 39,000 contours": rt_structure_set,
}
LARGE: Shapes = {
    "native, 1 GiB": lambda: native_image(1024 * MEBIBYTE),
    "encapsulated, 6,144 Fragments of 1 MiB, extended offset table": lambda: encapsulated_image(6144, MEBIBYTE),
    "Encapsulated PDF, 300 MB": lambda: encapsulated_pdf(300_000_000),
    "deflated, 200 MiB of noise": lambda: deflated_image(200 * MEBIBYTE, noise=True),
    "deflated, inflates to 1 GiB": lambda: deflated_image(1024 * MEBIBYTE, noise=False),
}
