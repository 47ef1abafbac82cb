"""Generators of valid DICOM files of any size, by the standard library alone.

A file is a stream of chunks: `bytes`, or a `Hole` (a run of zero bytes that `write_stream` need not store).
No generator holds more than one Item of its file, so a test may ask for 8 GiB. Nothing here comes from a
person: every name, date and UID is invented, UIDs stand under 2.999 (the arc ITU-T X.660 keeps for examples).
"""

from __future__ import annotations

from tests.synthetic.images import ct_image, encapsulated_image, native_image
from tests.synthetic.multiframe import enhanced_ct, small_functional_groups
from tests.synthetic.stream import Chunk, Hole, write_stream
from tests.synthetic.structures import rt_structure_set

__all__ = [
    "Chunk",
    "Hole",
    "ct_image",
    "encapsulated_image",
    "enhanced_ct",
    "native_image",
    "rt_structure_set",
    "small_functional_groups",
    "write_stream",
]
