"""The files that the benchmark page is about: folders of one CT series, and single large ones."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import pydicom

from tests.synthetic import Chunk, ct_image, encapsulated_image, native_image, write_stream

__all__ = ["MEBIBYTE", "ct_series", "large_file"]

MEBIBYTE = 1 << 20


def ct_series(folder: Path, rows: int, count: int) -> Path:
    """`count` CT Images of `rows` x `rows` pixels, which differ as those of a series do."""
    folder.mkdir(parents=True)
    image = pydicom.dcmread(io.BytesIO(b"".join(chunk for chunk in ct_image(rows, rows) if isinstance(chunk, bytes))))
    for number in range(1, count + 1):
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(f"2.999.1.2.{number}")
        image.InstanceNumber = number
        image.SliceLocation = f"{number * 0.5}"
        image.ContentTime = f"10{number // 60 % 60:02}{number % 60:02}"
        image.save_as(folder / f"{number:05}.dcm")
    return folder


def large_file(path: Path, size: int, *, encapsulated: bool) -> Path:
    """A file with `size` bytes of Pixel Data that are no holes, which `cp` would leave out: native, or Fragments of
    1 MiB with an extended offset table."""
    chunks: Iterable[Chunk] = encapsulated_image(size >> 20, MEBIBYTE) if encapsulated else native_image(size)
    write_stream(path, chunks, sparse=False)
    return path
