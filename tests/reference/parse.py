"""Reads a file into the tree of `model`, with pydicom's element generator as the parser.

What pydicom can not represent is walked here, and only that: its Data Sets are dictionaries, so of duplicate
tags only the last would be left. Items (FFFE,E000) are therefore walked here and pydicom is asked for the
elements inside each; so are Sequences of undefined length. A VR that is not one of the 34 has a 4-byte length
if it is two capitals (PS3.5 table 7.1-1), else a 2-byte one (as dcmdump reads GH179A.dcm). Detection without
File Meta follows dcmdump: is there a VR, and which byte order makes the group number small.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pydicom.config
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filereader import data_element_generator
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

from . import tables
from .model import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Element,
    Encoding,
    Parsed,
    RefusalError,
    UnreadableError,
    first_value,
)

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_DELIMITATION, SEQUENCE_DELIMITATION = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
UN_CONTENT = Encoding(implicit=True, little=True)
META = Encoding(implicit=False, little=True)
VRS = {str(vr) for vr in STANDARD_VR}


class Header:
    """A `stop_when` for pydicom's generator: it remembers the header at which reading stopped, if it did."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.tag, self.length, self.stopped = 0, 0, False
        self.vr: str | None = None

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        self.tag, self.vr, self.length = int(tag), vr, length
        self.stopped = self._is_future_vr() or (length == UNDEFINED and self._is_sequence())
        return self.stopped

    @property
    def size(self) -> int:
        """Bytes from the start of the header to the value, as pydicom counts them."""
        return 12 if not self.encoding.implicit and self.vr in EXPLICIT_VR_LENGTH_32 else 8

    def _is_future_vr(self) -> bool:
        return self.vr is not None and self.vr not in VRS and self.vr.isalpha() and self.vr.isupper()

    def _is_sequence(self) -> bool:
        if self.vr is None:
            return self.tag != PIXEL_DATA
        return self.vr in ("SQ", "UN")


def read_file(path: Path) -> Parsed:
    """The tree of a file; raises UnreadableError, or RefusalError if it is no DICOM or its Transfer Syntax no use."""
    data = path.read_bytes()
    with _reading():
        return _read(data, _start(data))


def read_meta(path: Path) -> list[Element]:
    """The File Meta Information only."""
    data = path.read_bytes()
    with _reading():
        stream = BytesIO(data[_start(data) :])
        return _meta(stream)


def read_elements(data: bytes, encoding: Encoding) -> list[Element]:
    """The Data Elements of `data` to its end."""
    with _reading():
        return _whole(data, encoding)


def read_items(data: bytes, encoding: Encoding) -> list[list[Element]]:
    """The Items of a Sequence of defined length that was not looked into."""
    with _reading():
        return _items(BytesIO(data), encoding, len(data))


def _whole(data: bytes, encoding: Encoding) -> list[Element]:
    elements, delimited = _elements(BytesIO(data), encoding)
    if delimited:
        raise UnreadableError("Item Delimitation Item outside an Item of undefined length")
    return elements


@contextmanager
def _reading() -> Iterator[None]:
    """pydicom takes VRs as they stand: no guesses, no switch to Implicit VR, no warnings. Its errors become ours."""
    saved = pydicom.config.replace_un_with_known_vr, pydicom.config.assume_implicit_vr_switch
    pydicom.config.replace_un_with_known_vr = pydicom.config.assume_implicit_vr_switch = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (struct.error, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise UnreadableError(type(error).__name__) from error
    finally:
        pydicom.config.replace_un_with_known_vr, pydicom.config.assume_implicit_vr_switch = saved


def _start(data: bytes) -> int:
    """Where File Meta Information begins: behind preamble and prefix if there are any."""
    return 132 if data[128:132] == b"DICM" else 0


def _read(data: bytes, start: int) -> Parsed:
    stream = BytesIO(data[start:])
    meta = _meta(stream)
    rest = stream.read()
    transfer_syntax = first_value(meta, 0x00020010, "UI").decode("latin-1") or _detected(rest)
    flags = tables.transfer_syntaxes().get(transfer_syntax)
    if flags is None:
        raise RefusalError("transfer-syntax")
    if "DEFLATED" in flags:
        rest = zlib.decompressobj(-zlib.MAX_WBITS).decompress(rest)
    encoding = Encoding("IVR" in flags, "LE" in flags)
    identified = start > 0 or bool(meta)
    data_set = read_elements(rest, encoding) if identified else _bare(rest, encoding)
    return Parsed(data[:128] if start else None, meta, data_set, transfer_syntax, encoding)


def _bare(data: bytes, encoding: Encoding) -> list[Element]:
    """A Data Set without preamble and File Meta: only its being readable tells that it is one."""
    try:
        elements = read_elements(data, encoding)
    except UnreadableError as error:
        raise RefusalError("not-dicom") from error
    if not elements:
        raise RefusalError("not-dicom")
    return elements


def _meta(stream: BytesIO) -> list[Element]:
    """Group 0002, Explicit VR Little Endian; it ends where the group ends, whatever (0002,0000) says."""
    if stream.getvalue()[:2] != b"\2\0":
        return []
    generator = data_element_generator(stream, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    return [_plain(raw, META) for raw in generator]


def _detected(data: bytes) -> str:
    """The Transfer Syntax dcmdump assumes where none is declared."""
    group = data[:2].ljust(2, b"\0")
    swapped = int.from_bytes(group, "little") > 0xFF >= int.from_bytes(group, "big")
    if data[4:6].decode("latin-1") in VRS:
        return EXPLICIT_BIG if swapped else EXPLICIT_LITTLE
    if swapped:
        raise RefusalError("not-dicom")
    return IMPLICIT_LITTLE


def _elements(stream: BytesIO, encoding: Encoding) -> tuple[list[Element], bool]:
    """Elements up to an Item Delimitation Item (then True) or to the end of the stream."""
    elements: list[Element] = []
    while True:
        header, after = Header(encoding), stream.tell()
        for raw in data_element_generator(stream, encoding.implicit, encoding.little, stop_when=header):
            elements.append(_with_items(_plain(raw, encoding), encoding))
            after = stream.tell()
        if not header.stopped:
            return elements, _delimited(stream.getvalue()[after : stream.tell()], encoding)
        stream.seek(header.size, 1)
        elements.append(_undefined(stream, header) if header.length == UNDEFINED else _future(stream, header))


def _delimited(consumed: bytes, encoding: Encoding) -> bool:
    """Whether the generator ended at an Item Delimitation Item, by what it took after the last element."""
    return len(consumed) == 8 and _tag(consumed, encoding) == ITEM_DELIMITATION


def _plain(raw: RawDataElement | DataElement, encoding: Encoding) -> Element:
    """pydicom's element as ours, without the VR it looks up; `Header` never lets a DataElement through."""
    assert isinstance(raw, RawDataElement)
    value = raw.value or b""
    if raw.length not in (len(value), UNDEFINED):
        raise UnreadableError("value beyond the end")
    return Element(int(raw.tag), None if encoding.implicit else raw.VR, value)


def _with_items(element: Element, encoding: Encoding) -> Element:
    """A Sequence of defined length gets its Items; private and unknown content is not looked at."""
    sequence = tables.dictionary_vrs(element.tag) == ("SQ",) and not element.tag >> 16 & 1
    if not sequence or element.vr not in ("SQ", "UN", None):
        return element
    assert isinstance(element.value, bytes)
    inner = UN_CONTENT if element.vr == "UN" else encoding
    stream = BytesIO(element.value)
    return Element(element.tag, element.vr, _items(stream, inner, len(element.value)))


def _undefined(stream: BytesIO, header: Header) -> Element:
    inner = UN_CONTENT if header.vr == "UN" else header.encoding
    return Element(header.tag, header.vr, _items(stream, inner, None))


def _future(stream: BytesIO, header: Header) -> Element:
    """A VR of two capitals that is none of the 34: 2 reserved bytes and a 4-byte length."""
    length = struct.unpack("<L" if header.encoding.little else ">L", stream.read(4))[0]
    value = stream.read(length)
    if len(value) < length:
        raise UnreadableError("value beyond the end")
    return Element(header.tag, header.vr, value)


def _items(stream: BytesIO, encoding: Encoding, end: int | None) -> list[list[Element]]:
    """Items up to `end`, or up to the Sequence Delimitation Item if `end` is None."""
    items: list[list[Element]] = []
    while end is None or stream.tell() < end:
        header = stream.read(8)
        if len(header) < 8:
            raise UnreadableError("Sequence without its end")
        tag, length = _tag(header, encoding), struct.unpack("<L" if encoding.little else ">L", header[4:])[0]
        if tag == SEQUENCE_DELIMITATION and end is None:
            return items
        if tag != ITEM:
            raise UnreadableError("no Item where one must be")
        items.append(_item(stream, encoding, length))
    return items


def _item(stream: BytesIO, encoding: Encoding, length: int) -> list[Element]:
    if length == UNDEFINED:
        elements, delimited = _elements(stream, encoding)
        if not delimited:
            raise UnreadableError("Item without its end")
        return elements
    content = stream.read(length)
    if len(content) < length:
        raise UnreadableError("Item beyond the end")
    return _whole(content, encoding)


def _tag(data: bytes, encoding: Encoding) -> int:
    group, element = struct.unpack("<HH" if encoding.little else ">HH", data[:4])
    return int(group << 16 | element)
