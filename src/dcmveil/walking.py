"""A whole file gone through forward, header by header, without what can be no text: for those who look at Values.

Not looked at are Pixel Data and its like (7FE0,xxxx), Fragments, ciphertext (0400,0520), and Values of binary VRs over
64 KiB. Nesting needs no stack for that: behind the header of a Sequence that of an Item follows, behind that one the
next element, whatever the lengths say. The files are our own, so they are well formed; one that is not is an error
where it can be noticed, and always comes to an end. A Sequence that Explicit VR calls UN, and one in Implicit VR that
is not in the dictionary, counts as a Value where its length is defined.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from dcmveil import _tables
from dcmveil.encode import Encoding
from dcmveil.errors import ParseError
from dcmveil.sources import DeflatedSource, ForwardSource, Source
from dcmveil.tags import format_path

__all__ = ["OVERLAP", "Path", "Piece", "Token", "Walk"]

OVERLAP = 512  # bytes that two windows have in common
_FIRST_WINDOW = 1 << 16
_SMALL_WINDOW = 1 << 12  # behind bulk: most likely one header, then bulk again
_LARGE_WINDOW = 1 << 18

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DELIMITER_GROUP, _PIXEL_GROUP, _META_GROUP = 0xFFFE, 0x7FE0, 0x0002
_PIXEL_DATA, _ENCRYPTED_CONTENT, _TRANSFER_SYNTAX = 0x7FE00010, 0x04000520, 0x00020010
_PREFIX = 132  # preamble and "DICM"
_META_LENGTH_SIZE = 4  # Value of (0002,0000)
_LEAST_HEADER, _MOST_HEADER = 8, 12
_UNDEFINED = 0xFFFFFFFF
_BULK = 1 << 16
_BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_SHORT_VRS = frozenset(
    "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)  # with a Value Length of 16 bits
_CAPITALS = re.compile("[A-Z]{2}")  # a VR; an unknown one has a Value Length of 32 bits (PS3.5 7.1.2)
_IMPLICIT, _BIG_ENDIAN, _DEFLATED = 1, 2, 8  # flags of a Transfer Syntax
_LONGEST_UID = 64
_NOT_SKIMMED = frozenset({_DELIMITER_GROUP, _PIXEL_GROUP, _ENCRYPTED_CONTENT >> 16})

_Search = Callable[[bytes], object]
_Header = tuple[int, str, int, int]  # tag, VR, Value Length, length of the header itself


class Token(NamedTuple):
    """A header that was read, offsets in bytes of the logical stream (`dcmveil.sources`).

    `vr` is empty for Items and delimiters, that of the dictionary in Implicit VR, and UN if there is none.
    """

    start: int
    tag: int
    vr: str
    length: int
    value: int

    @property
    def is_text(self) -> bool:
        """Has it a Value that is looked at?"""
        return bool(self.vr) and self.vr != "SQ" and self.length != _UNDEFINED and not self.is_bulk

    @property
    def is_bulk(self) -> bool:
        return (
            self.tag >> 16 == _PIXEL_GROUP
            or self.tag == _ENCRYPTED_CONTENT
            or (self.length > _BULK and self.vr in _BINARY_VRS and _vr_of(self.tag) != "SQ")
        )


class Piece(NamedTuple):
    """Some bytes of a Value; pieces of one Value overlap."""

    data: bytes
    is_first: bool
    is_last: bool

    def has_whole(self, start: int, stop: int) -> bool:
        """Is what is beside `data[start:stop]` here, or nothing? If not, a neighbouring piece has it whole."""
        return (start > 0 or self.is_first) and (stop < len(self.data) or self.is_last)


class Walk:
    """One pass over a file. Raises ParseError and InputError."""

    def __init__(self, source: Source) -> None:
        self._layout = _Layout.of(source)
        is_deflated = self._layout.is_deflated
        self._tape = _Tape(DeflatedSource(source, self._layout.dataset_start) if is_deflated else _PlainSource(source))

    def pass_over_all(self, search: _Search) -> None:
        """Show all bytes that are looked at, headers too, in overlapping windows; some others may be among them."""
        self._tape.search = search
        for _token in self.tokens(skims=True):
            pass
        self._tape.show()

    def tokens(self, *, skims: bool = False) -> Iterator[Token]:
        """All headers. Before the next is asked for, `pieces` may be.

        If it only `skims`, what is short is passed over untold, with all that is in it.
        """
        tape = self._tape
        state = _State(self._layout)
        tape.pass_over(self._layout.dataset_start if skims else _PREFIX)
        while True:
            encoding = state.encoding_at(tape.position)
            if skims:
                tape.skim(_READERS[encoding])
            header = tape.peek(_MOST_HEADER)
            if not header:
                return
            start = tape.position
            tag, vr, length, size = _header(header, encoding, start)
            (tape.skip if state.in_fragments else tape.pass_over)(size)
            token = Token(start, tag, vr, length, start + size)
            yield token
            if state.step(token):
                rest = token.value + length - tape.position
                (tape.skip if state.in_fragments or token.is_bulk else tape.pass_over)(rest)

    def pieces(self, length: int) -> Iterator[Piece]:
        """The Value of the token last told, in pieces."""
        is_first, data = True, b""
        while True:
            more = self._tape.take(length)
            length -= len(more)
            data = data[-OVERLAP:] + more
            yield Piece(data, is_first, not length)
            if not length:
                return
            is_first = False


class _State:
    """What the next header depends on."""

    def __init__(self, layout: _Layout) -> None:
        self._layout = layout
        self._unknown = 0  # Sequences of undefined length, open within a UN of undefined length, itself included
        self.in_fragments = False

    def encoding_at(self, position: int) -> Encoding:
        if position < self._layout.dataset_start:
            return Encoding.EXPLICIT_LE
        return Encoding.IMPLICIT_LE if self._unknown else self._layout.encoding  # UN: PS3.5 6.2.2

    def step(self, token: Token) -> bool:
        """Take note of a token. Is it followed by a Value, not by one more header?"""
        if token.tag == _SEQUENCE_END:
            self._unknown -= bool(self._unknown and not self.in_fragments)
            self.in_fragments = False
        elif token.length != _UNDEFINED:
            return self.in_fragments if token.tag == _ITEM else token.vr not in ("", "SQ")
        elif token.tag == _PIXEL_DATA and token.vr != "SQ":
            self.in_fragments = True
        elif token.vr and (self._unknown or token.vr == "UN"):
            self._unknown += 1
        return False


class Path:
    """Where a token stands: to be shown all of them."""

    def __init__(self) -> None:
        self._open: list[tuple[int, int, int | None]] = []  # tag of a Sequence, number of the Item, end if defined

    def follow(self, token: Token) -> None:
        while self._open and self._open[-1][2] is not None and self._open[-1][2] <= token.start:
            self._open.pop()
        if token.tag == _ITEM and self._open:
            tag, item, stop = self._open[-1]
            self._open[-1] = tag, item + 1, stop
        elif token.tag == _SEQUENCE_END and self._open:
            self._open.pop()
        elif token.length == _UNDEFINED or token.vr == "SQ":
            self._open.append((token.tag, 0, None if token.length == _UNDEFINED else token.value + token.length))

    def of(self, tag: int) -> str:
        """The path of an element at this place, as messages show it."""
        return format_path([(sequence, item) for sequence, item, _stop in self._open], tag)


# ---- bytes ---------------------------------------------------------------------------------------------------------


class _PlainSource:
    """A file that is read forward."""

    def __init__(self, source: Source) -> None:
        self._file = source
        self.position = 0

    def read(self, count: int) -> bytes:
        data = self._file.read_at(self.position, count)
        self.position += len(data)
        return data

    def skip(self, count: int) -> int:
        count = min(count, self._file.size - self.position)
        self.position += count
        return count


class _Tape:
    """The bytes of a source, forward, through a window. `search` is shown what is passed over, not what is skipped."""

    def __init__(self, source: ForwardSource) -> None:
        self.search: _Search | None = None
        self._source = source
        self._window = b""
        self._start = 0  # offset of the window
        self._at = 0  # within the window
        self._shown = 0  # up to here
        self._since = 0  # from here on without a gap
        self._size = _FIRST_WINDOW

    @property
    def position(self) -> int:
        return self._start + self._at

    def peek(self, count: int) -> bytes:
        """The next bytes, without passing over them; fewer only at the end."""
        if len(self._window) - self._at < count:
            self._refill()
        return self._window[self._at : self._at + count]

    def take(self, most: int) -> bytes:
        """Pass over some bytes, one at least, and give them."""
        if most and self._at == len(self._window) and not self._refill():
            raise _unreadable(self.position)
        taken = self._window[self._at : self._at + most]
        self._at += len(taken)
        return taken

    def pass_over(self, count: int) -> None:
        while count > len(self._window) - self._at:
            count -= len(self._window) - self._at
            self._at = len(self._window)
            if not self._refill():
                raise _unreadable(self.position)
        self._at += count

    def skim(self, read: Callable[[bytes], _Header]) -> None:
        """Pass over elements that are whole within the window and too short to be bulk, nested ones with them."""
        window, at, end = self._window, self._at, len(self._window)
        while end - at >= _MOST_HEADER:
            tag, _vr, length, size = read(window[at : at + _MOST_HEADER])
            if length > _BULK or length > end - at - size or tag >> 16 in _NOT_SKIMMED:
                break
            at += size + length
        self._at = at

    def skip(self, count: int) -> None:
        self.show()
        unread = count - (len(self._window) - self._at)
        if unread <= 0:
            self._at += count
            self._shown = self._since = self._at
            return
        stop = self.position + count
        if self._source.skip(unread) < unread:
            raise _unreadable(self.position)
        self._window, self._start = b"", stop
        self._at = self._shown = self._since = 0
        self._size = _SMALL_WINDOW

    def show(self) -> None:
        """Show what has been passed over since the last time."""
        if self.search is not None and self._at > self._shown:
            self.search(self._window[max(self._since, self._shown - OVERLAP) : self._at])
            self._shown = self._at

    def _refill(self) -> bool:
        """Move the window on. False at the end."""
        self.show()
        more = self._source.read(self._size)
        self._size = min(2 * self._size, _LARGE_WINDOW)
        gone = max(0, self._at - OVERLAP)
        self._window = self._window[gone:] + more
        self._start, self._at = self._start + gone, self._at - gone
        self._shown, self._since = max(0, self._shown - gone), max(0, self._since - gone)
        return bool(more)


# ---- headers -------------------------------------------------------------------------------------------------------


def _reader(encoding: Encoding) -> Callable[[bytes], _Header]:
    """What reads the header at the beginning of some bytes. Raises struct.error if it is cut short."""
    tag_and_length = struct.Struct(f"{encoding.order}HHI").unpack_from
    short_length = struct.Struct(f"{encoding.order}6xH").unpack_from
    long_length = struct.Struct(f"{encoding.order}8xI").unpack_from
    is_implicit = encoding is Encoding.IMPLICIT_LE

    def read(data: bytes) -> _Header:
        group, element, length = tag_and_length(data)
        tag = group << 16 | element
        if group == _DELIMITER_GROUP:
            return tag, "", length, _LEAST_HEADER
        if is_implicit:
            return tag, _vr_of(tag), length, _LEAST_HEADER
        vr = data[4:6].decode("latin_1")
        if vr in _SHORT_VRS or not _CAPITALS.fullmatch(vr):
            return tag, vr, short_length(data)[0], _LEAST_HEADER
        return tag, vr, long_length(data)[0], _MOST_HEADER

    return read


_READERS = {encoding: _reader(encoding) for encoding in Encoding}


def _header(data: bytes, encoding: Encoding, at: int) -> _Header:
    try:
        return _READERS[encoding](data)
    except struct.error:
        raise _unreadable(at) from None


@lru_cache(4096)
def _vr_of(tag: int) -> str:
    return _tables.dictionary_vr(tag) or "UN"


class _Layout(NamedTuple):
    """Where the Data Set begins and how it is encoded."""

    dataset_start: int
    encoding: Encoding
    is_deflated: bool

    @classmethod
    def of(cls, file: Source) -> _Layout:
        """By the File Meta Information, which this package always writes."""
        tag, _vr, _length, size = _header(file.read_at(_PREFIX, _MOST_HEADER), Encoding.EXPLICIT_LE, _PREFIX)
        at = _PREFIX + size + _META_LENGTH_SIZE
        stop = at + int.from_bytes(file.read_at(_PREFIX + size, _META_LENGTH_SIZE), "little")
        flags = None
        while tag >> 16 == _META_GROUP and at < stop:
            tag, _vr, length, size = _header(file.read_at(at, _MOST_HEADER), Encoding.EXPLICIT_LE, at)
            if tag == _TRANSFER_SYNTAX:
                uid = file.read_at(at + size, min(length, _LONGEST_UID)).strip(b" \0")
                flags = _tables.transfer_syntax_flags(uid.decode("latin_1"))
            at += size + length
        if at != stop or flags is None:
            raise _unreadable(at)
        implicit = Encoding.IMPLICIT_LE if flags & _IMPLICIT else Encoding.EXPLICIT_LE
        return cls(at, Encoding.EXPLICIT_BE if flags & _BIG_ENDIAN else implicit, bool(flags & _DEFLATED))


def _unreadable(at: int) -> ParseError:
    return ParseError("the output cannot be read, so it cannot be verified", offset=at)
