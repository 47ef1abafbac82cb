"""Where an object may be cut without anybody noticing: between two Data Elements of the top level.

A Data Set does not say how long it is, nor what follows. What pydicom's reader makes of a file tells where its elements
end; a deflated Data Set has one end only, which zlib tells.
"""

from __future__ import annotations

import warnings
import zlib
from io import BytesIO
from typing import NamedTuple

import pydicom.config
from pydicom.dataelem import RawDataElement
from pydicom.filereader import data_element_generator

from tests.reference import tables

__all__ = ["Borders", "borders"]

BULK = 1 << 10  # bytes of an element from which on not every byte of it is cut at
LONG_STREAM = 1 << 13  # the same of a deflated Data Set
EDGE = 64  # bytes of it that are, all the same, at both ends
UNDEFINED = 0xFFFFFFFF


class Borders(NamedTuple):
    """`whole`: lengths of the prefixes that are objects by themselves. `bulk`: (start, stop) of long elements."""

    whole: frozenset[int]
    bulk: tuple[tuple[int, int], ...]

    def cuts(self, size: int, most: int) -> list[int]:
        """Every byte of the header; within all bulk together `most`, evenly spread."""
        inner = [(start + EDGE, stop - EDGE) for start, stop in self.bulk if stop - start > 2 * EDGE]
        skipped = {place for start, stop in inner for place in range(start, stop)}
        chosen = sorted(skipped)[:: max(1, len(skipped) // most)]
        return sorted({*chosen, *(place for place in range(size) if place not in skipped)})


def borders(data: bytes) -> Borders | None:
    """Those of a file with File Meta Information, None if pydicom does not come to the end of it."""
    if data[128:132] != b"DICM":
        return None
    stream = BytesIO(data)
    stream.seek(132)
    syntax = _meta(stream)
    start = stream.tell()
    flags = tables.transfer_syntaxes().get(syntax)
    if flags is None:
        return None
    if "DEFLATED" in flags:
        return _deflated(data, start)
    return _plain(stream, "IVR" in flags, "LE" in flags, len(data))


def _meta(stream: BytesIO) -> str:
    """The Transfer Syntax; the stream is left where the Data Set begins."""
    syntax = ""
    for raw in data_element_generator(stream, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2):
        if raw.tag == 0x00020010:
            syntax = bytes(raw.value or b"").decode("latin-1").rstrip("\0 ")
    return syntax


def _deflated(data: bytes, start: int) -> Borders | None:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflater.decompress(data[start:])
    except zlib.error:
        return None
    end = len(data) - len(inflater.unused_data)
    bulk = ((start, end),) if end - start > LONG_STREAM else ()
    return Borders(frozenset(range(end, len(data))), bulk) if inflater.eof else None


def _plain(stream: BytesIO, is_implicit: bool, is_little: bool, size: int) -> Borders | None:
    saved = pydicom.config.replace_un_with_known_vr, pydicom.config.assume_implicit_vr_switch
    pydicom.config.replace_un_with_known_vr = pydicom.config.assume_implicit_vr_switch = False
    start, ends, bulk = stream.tell(), [], []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for element in data_element_generator(stream, is_implicit, is_little):
                stop = stream.tell()
                if isinstance(element, RawDataElement) and element.length not in (len(element.value or b""), UNDEFINED):
                    return None
                if stop - start > BULK and element.tag >> 16 == 0x7FE0:
                    bulk.append((start, stop))
                ends.append(stop)
                start = stop
    except Exception:  # whatever pydicom raises on a file it can not read, it can not read it
        return None
    finally:
        pydicom.config.replace_un_with_known_vr, pydicom.config.assume_implicit_vr_switch = saved
    return Borders(frozenset(ends[:-1]), tuple(bulk)) if ends and ends[-1] == size else None
