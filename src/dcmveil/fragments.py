"""What compressed frames carry beside pixels: comment and application segments of the JPEG family.

Encapsulated Pixel Data (PS3.5 A.4) is a Basic Offset Table and Fragments. A frame begins with the Fragment that has a
start of JPEG or JPEG-LS (ITU-T T.81, T.87), of a JPEG 2000 codestream, HTJ2K or not (T.800), or of boxes around one
(T.800 I, JPEG XL: ISO/IEC 18181-2), and goes on until the next such. Headers are walked from marker to marker by reads
of a few bytes; coded data is jumped over, or ends the walk where its length is not told. So what stands between two
scans of a JPEG frame is not found.

The bytes may be hostile: every length is compared by subtraction with what is left, every step advances, and a frame
has no more than so many markers. The work is linear in the number of Fragments.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

__all__ = ["UNREAD", "jpeg_segments"]

UNREAD = "unread"  # a frame is not as its standard wants it, or has too many markers: there may be more in it
_OTHER = "other segment"
_TRAILING = "trailing"  # a frame does not end with its end marker

_Read = Callable[[int, int], bytes]

_ITEM = (0xFFFE, 0xE000)
_ITEM_HEADER = 8
_UNDEFINED = 0xFFFFFFFF
_LOOK = 96  # bytes of one read
_TAIL = 64
_MAX_MARKERS = 4096  # of a frame


def jpeg_segments(read: _Read, start: int, size: int, big_endian: bool = False) -> frozenset[str]:
    """Which segments and boxes there are that may hold text: "COM", "APP1", "XML box" and so on.

    `read(position, count)` gives bytes of a stream of `size` bytes; at `start` the first Item of encapsulated Pixel
    Data begins. Left out are APP0 with nothing but JFIF, APP14 of Adobe, APP8 of SPIFF and of the colour transform of
    JPEG-LS, and comments of JPEG 2000 that are nothing but name and version of an encoder. "trailing": bytes behind
    the end marker of a frame, or none such; `UNREAD`: there may be more.
    """
    fragments = _fragments(read, start, size, ">HHI" if big_endian else "<HHI")
    next(fragments, None)  # the Basic Offset Table
    found: set[str] = set()
    first = next(fragments, None)
    while first is not None:
        frame = _Frame(read, first, fragments)
        walk = _walk_of(first)
        if walk is not None:
            found.update(walk(frame))
        if not frame.ends_well() and walk in (_jpeg, _codestream):
            found.add(_TRAILING)
        first = frame.next_first
    return frozenset(found)


# ---- Fragments and frames ------------------------------------------------------------------------------------------


class _Fragment(NamedTuple):
    start: int
    length: int
    head: bytes


def _fragments(read: _Read, start: int, size: int, header: str) -> Iterator[_Fragment]:
    """The Items, to the delimiter or whatever else is no Item of defined length."""
    while size - start >= _ITEM_HEADER:
        seen = read(start, _ITEM_HEADER + _LOOK)
        if len(seen) < _ITEM_HEADER:
            return
        *tag, length = struct.unpack_from(header, seen)
        start += _ITEM_HEADER
        if tuple(tag) != _ITEM or length == _UNDEFINED or length > size - start:
            return
        yield _Fragment(start, length, seen[_ITEM_HEADER : _ITEM_HEADER + length])
        start += length


class _Frame:
    """A frame, read forward only: its Fragments one behind the other."""

    def __init__(self, read: _Read, first: _Fragment, fragments: Iterator[_Fragment]) -> None:
        self._read = read
        self._fragments = fragments
        self._before: _Fragment | None = None
        self._fragment = first
        self._at = 0  # within the Fragment
        self._seen, self._seen_at = first.head, 0
        self._is_over = False
        self.position = 0  # within the frame
        self.next_first: _Fragment | None = None

    def take(self, count: int) -> bytes:
        """The next bytes, `_LOOK` at most; fewer only where the frame ends."""
        taken = b""
        while len(taken) < count and self._settle():
            piece = self._look(min(count - len(taken), self._left()))
            if not piece:
                break
            self._at += len(piece)
            taken += piece
        self.position += len(taken)
        return taken

    def skip(self, count: int) -> None:
        self.position += count
        while count and self._settle():
            step = min(count, self._left())
            self._at += step
            count -= step

    def step_back(self) -> None:
        """By the byte taken last."""
        self._at -= 1
        self.position -= 1

    def ends_well(self) -> bool:
        """Pass over what is left. Is an end marker the last that there is, but for padding?"""
        while not self._is_over:
            self._at = self._fragment.length
            self._settle()
        end = self._tail(self._before) + self._tail(self._fragment)
        return end.rstrip(b"\0\xff").endswith(b"\xff\xd9")

    def _tail(self, fragment: _Fragment | None) -> bytes:
        if fragment is None:
            return b""
        length = min(fragment.length, _TAIL)
        return self._read(fragment.start + fragment.length - length, length)

    def _left(self) -> int:
        return self._fragment.length - self._at

    def _settle(self) -> bool:
        """Is there a byte left, here or in a Fragment that follows?"""
        while not self._left() and not self._is_over:
            following = next(self._fragments, None)
            if following is None or _walk_of(following):
                self._is_over = True
                self.next_first = following
            else:
                self._before, self._fragment, self._at = self._fragment, following, 0
                self._seen, self._seen_at = following.head, 0
        return not self._is_over

    def _look(self, count: int) -> bytes:
        at = self._at - self._seen_at
        if not 0 <= at <= len(self._seen) - count:
            self._seen = self._read(self._fragment.start + self._at, min(_LOOK, self._left()))
            self._seen_at, at = self._at, 0
        return self._seen[at : at + count]


# ---- JPEG, JPEG-LS -------------------------------------------------------------------------------------------------

_SOI, _EOI, _SOS, _COM, _APP0 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0
_OF_THE_IMAGE = frozenset([*range(0xC0, 0xE0), 0xF7, 0xF8])  # SOF and tables, SOF and parameters of JPEG-LS
_HARMLESS = (
    (0xE0, re.compile(rb"JFIF\0.{7}\0\0", re.DOTALL)),  # no thumbnail
    (0xE8, re.compile(rb"mrfx.|SPIFF\0.{24}|\0\0\0\x01\xff\xd8", re.DOTALL)),  # SPIFF without a directory
    (0xEE, re.compile(rb"Adobe.{7}", re.DOTALL)),
)


def _jpeg(frame: _Frame) -> Iterator[str]:
    """From SOI to the first scan."""
    for _ in range(_MAX_MARKERS):
        lead, code = frame.take(2).ljust(2, b"\0")
        if lead != 0xFF or code in (_SOS, _EOI):
            if lead != 0xFF:
                yield UNREAD
            return
        if code == 0xFF:  # a fill byte
            frame.step_back()
        elif code != _SOI:
            name = _segment(frame, code)
            if name:
                yield name
    yield UNREAD


def _segment(frame: _Frame, code: int) -> str:
    """Pass over a segment; its name if it may hold text."""
    length = int.from_bytes(frame.take(2), "big") - 2
    if length < 0:
        return UNREAD
    content = frame.take(min(length, _LOOK))
    frame.skip(length - len(content))
    if code == _COM:
        return "COM"
    if code & 0xF0 == _APP0:
        is_harmless = any(code == one and form.fullmatch(content) for one, form in _HARMLESS)
        return "" if is_harmless else f"APP{code - _APP0}"
    return "" if code in _OF_THE_IMAGE else _OTHER


# ---- JPEG 2000 -----------------------------------------------------------------------------------------------------

_COMMENT, _TILE_PART, _TILE_DATA, _END = 0xFF64, 0xFF90, 0xFF93, 0xFFD9
_ALONE = range(0xFF30, 0xFF40)  # markers without a segment
_OF_THE_CODESTREAM = range(0xFF50, 0xFF94)  # of parts 1, 2 and 15
_ENCODER = re.compile(
    rb"(Created by |Creator: )?(GDCM/)?(OpenJPEG|OpenJPH|JasPer|Grok|Kakadu)([ -]*([Vv]er(sion)? *|v)?[0-9.]+)?\0*"
)


def _codestream(frame: _Frame) -> Iterator[str]:
    """From SOC to EOC, over the data of all tile-parts."""
    frame.take(2)
    tile_stop = 0
    for _ in range(_MAX_MARKERS):
        at = frame.position
        marker = int.from_bytes(frame.take(2), "big")
        if marker == _END or (marker == _TILE_DATA and not tile_stop):
            return
        if marker == _TILE_DATA and tile_stop > at:
            frame.skip(tile_stop - frame.position)
        elif marker not in _ALONE:
            content, is_whole = _parameters(frame, marker)
            if not is_whole:
                yield UNREAD
                return
            if marker == _TILE_PART:
                length = int.from_bytes(content[2:6], "big")
                tile_stop = at + length if length else 0  # 0: to the end of the codestream
            if marker not in _OF_THE_CODESTREAM:
                yield _OTHER
            if marker == _COMMENT and not _ENCODER.fullmatch(content[2:]):
                yield "COM"
    yield UNREAD


def _parameters(frame: _Frame, marker: int) -> tuple[bytes, bool]:
    """Content of a marker segment, as much as is of interest, and whether there is one."""
    length = int.from_bytes(frame.take(2), "big") - 2
    if marker < 0xFF00 or length < 0:
        return b"", False
    content = frame.take(min(length, _LOOK))
    frame.skip(length - len(content))
    return content, True


# ---- boxes ---------------------------------------------------------------------------------------------------------

_BOX_NAMES = {b"xml ": "XML box", b"uuid": "UUID box", b"Exif": "Exif box"}
_PLAIN_BOXES = frozenset({b"jP  ", b"JXL ", b"ftyp", b"jp2h", b"jxlc", b"jxlp", b"jxll", b"jxli", b"rreq"})


def _boxes(frame: _Frame) -> Iterator[str]:
    """JP2 or JPEG XL container."""
    for _ in range(_MAX_MARKERS):
        at = frame.position
        header = frame.take(8)
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if not header.strip(b"\0"):  # the end, or padding
            return
        if length == 1:
            length = int.from_bytes(frame.take(8), "big")
        if kind == b"jp2c":
            yield from _codestream(frame)
        elif kind not in _PLAIN_BOXES:
            yield _BOX_NAMES.get(kind, "other box")
        if length == 0:
            return
        if length < frame.position - at:
            yield UNREAD
            return
        frame.skip(at + length - frame.position)
    yield UNREAD


_STARTS = (
    (b"\xff\xd8\xff", _jpeg),
    (b"\xff\x4f\xff\x51", _codestream),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _boxes),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _boxes),
)


def _walk_of(fragment: _Fragment) -> Callable[[_Frame], Iterator[str]] | None:
    """How the frame is walked that begins with this Fragment; None if no frame is seen to begin there."""
    return next((walk for start, walk in _STARTS if fragment.head.startswith(start)), None)
