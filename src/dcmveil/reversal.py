"""What is encrypted: the originals as PS3.15 E.1.1 asks, and behind them how to get the file back byte for byte.

    (0400,0550) Modified Attributes Sequence: one Item with the original Attributes of the top level, whole Sequences
                where something inside changed
    (0401,0010) Private Creator
    (0401,1001) operations (module `_inverse`)     (0401,1002) raw bytes for them
    (0401,1003) tags of the Attributes that the De-identifier added (uint32 each)
    (0401,1004) bytes of the original (uint64), SHA-256 of all of it but long Values
    (0401,1005) deflated Data Set as it was made   (0401,1006) number of originals that were left out (uint32)
    (0401,1007) Specific Character Set of the originals
    (0401,10FE) padding, up to a multiple of 4096 bytes in all: the length of a name cannot be told from outside
    (0401,10FF) a mark and the SHA-256 of everything before it

Explicit VR Little Endian. Other implementations read the first and pass over the rest. The digest at the end makes a
flipped bit an error; what is a file of ours is marked at either end, so that no one flip takes it for another's.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import NamedTuple

from dcmveil._elements import count_items, list_elements, recode
from dcmveil.encode import Encoding, encode_element
from dcmveil.errors import DecryptionError, LimitExceeded, ParseError
from dcmveil.originals import FOREIGN_GROUPS
from dcmveil.recompressing import Settings, check_settings

__all__ = ["MAX_PLAINTEXT", "Deflated", "Original", "Reversal", "Way", "pack", "unpack"]

_MODIFIED_ATTRIBUTES_SEQUENCE = 0x04000550
_CREATOR_TAG, _OPERATIONS, _RAW, _ADDED, _DIGEST, _DEFLATED, _LEFT_OUT, _CHARACTER_SET, _PADDING, _SEAL = (
    0x04010010, 0x04011001, 0x04011002, 0x04011003, 0x04011004, 0x04011005, 0x04011006, 0x04011007, 0x040110FE,
    0x040110FF,
)  # fmt: skip
_CREATOR = b"DCMVEIL REVERSAL 1"
_MARK = b"DCMVEIL REVERSAL"
_STEP = 4096
_SEAL_SIZE = 12 + len(_MARK) + 32
_DIGEST_SIZE = 8 + 32
_MAX_INFLATED = 64 << 20
MAX_PLAINTEXT = 240 << 20  # what is longer would not be opened again
_MAX_ADDED = 64

_ENCODINGS = {
    b"1.2.840.10008.1.2": Encoding.IMPLICIT_LE,
    b"1.2.840.10008.1.2.1": Encoding.EXPLICIT_LE,
    b"1.2.840.10008.1.2.2": Encoding.EXPLICIT_BE,
    b"1.2.840.10008.1.2.1.99": Encoding.EXPLICIT_LE,
}
_DEFLATED_SYNTAX = b"1.2.840.10008.1.2.1.99"


class Original(NamedTuple):
    """A Data Element of the original, in Explicit VR Little Endian, `header` bytes of it. Its repr shows no Value."""

    tag: int
    element: bytes
    header: int

    def __repr__(self) -> str:
        return f"Original(tag={self.tag:#010x})"


class Deflated(NamedTuple):
    """The deflated Data Set of an original, to the end of the file, and how many bytes stand before it.

    Either the stream as it was, or if that is too long how to make it."""

    prefix: int
    stream: bytes
    settings: Settings | None = None

    def __repr__(self) -> str:
        return f"Deflated(prefix={self.prefix})"


class Way(NamedTuple):
    """The way back to the original file, byte for byte."""

    operations: bytes
    raw: bytes
    size: int
    digest: bytes
    deflated: Deflated | None

    def __repr__(self) -> str:
        return f"Way(size={self.size})"


class Reversal(NamedTuple):
    """What was decrypted. `way` is None for what is not ours, or was never complete (`left_out`)."""

    originals: tuple[Original, ...]
    content: bytes
    is_ours: bool
    added: tuple[int, ...]
    left_out: int
    character_set: bytes | None
    way: Way | None

    def __repr__(self) -> str:
        return f"Reversal({len(self.originals)} originals, is_ours={self.is_ours})"


# Undefined lengths: an original may be odd in length, which no Value Length should be.
_MODIFIED_ATTRIBUTES = bytes.fromhex("00045005 5351 0000 ffffffff  feff00e0 ffffffff")
_END = bytes.fromhex("feff0de0 00000000  feffdde0 00000000")
_END_AND_CREATOR = _END + encode_element(Encoding.EXPLICIT_LE, _CREATOR_TAG, "LO", _CREATOR)


def pack(
    content: bytes, way: Way | None, *, added: list[int], left_out: int = 0, character_set: bytes | None = None
) -> bytes:
    """The plaintext; `content` are the originals, in Explicit VR Little Endian and tag order."""
    elements = [_MODIFIED_ATTRIBUTES, content, _END_AND_CREATOR]
    if way is not None:
        elements += [_element(_OPERATIONS, b"OB", way.operations), _element(_RAW, b"OB", way.raw)]
    elements.append(_element(_ADDED, b"OB", struct.pack(f"<{len(added)}I", *added)))
    if way is not None:
        elements.append(_element(_DIGEST, b"OB", struct.pack("<Q", way.size) + way.digest))
        if way.deflated is not None:
            elements.append(_element(_DEFLATED, b"OB", _pack_deflated(way.deflated)))
    if left_out:
        elements.append(_element(_LEFT_OUT, b"OB", struct.pack("<I", left_out)))
    if character_set:
        elements.append(_element(_CHARACTER_SET, b"OB", character_set))
    return _seal(b"".join(elements))


_DEFLATED_HEAD = struct.Struct("<QQbbb")  # prefix, bytes that follow, level (-2: the stream itself), memory, window
_STREAM = -2


def _pack_deflated(deflated: Deflated) -> bytes:
    settings = deflated.settings
    if settings is None:
        return _DEFLATED_HEAD.pack(deflated.prefix, len(deflated.stream), _STREAM, 0, 0) + deflated.stream
    numbers = (settings.level, settings.memory_level, settings.window_bits)
    return _DEFLATED_HEAD.pack(deflated.prefix, len(settings.tail), *numbers) + settings.tail + settings.digest


def _unpack_deflated(value: bytes) -> Deflated:
    prefix, length, level, memory_level, window_bits = _DEFLATED_HEAD.unpack_from(value)
    kept = value[_DEFLATED_HEAD.size : _DEFLATED_HEAD.size + length]
    if level == _STREAM:
        return Deflated(prefix, kept)
    digest = value[_DEFLATED_HEAD.size + length :][:32]
    settings = Settings(level, memory_level, window_bits, kept, digest)
    check_settings(settings)
    return Deflated(prefix, b"", settings)


_LONG = struct.Struct("<HH2sHI")


def _element(tag: int, vr: bytes, value: bytes) -> bytes:
    """One of our own, of a VR with 32-bit Value Length."""
    return _LONG.pack(tag >> 16, tag & 0xFFFF, vr, 0, len(value) + len(value) % 2) + value + bytes(len(value) % 2)


_SEALED = _element(_SEAL, b"OB", _MARK + bytes(32))[:-32]


def _seal(data: bytes) -> bytes:
    """Pad it, and put mark and digest at its end."""
    missing = -(len(data) + 12 + _SEAL_SIZE) % _STEP
    padding = _LONG.pack(_PADDING >> 16, _PADDING & 0xFFFF, b"OB", 0, missing) + bytes(missing)
    data = b"".join([data, padding, _SEALED])
    return data + hashlib.sha256(data).digest()


# ---- back ------------------------------------------------------------------------------------------------------


def unpack(plaintext: bytes, syntax: bytes) -> Reversal:
    """Take apart what was decrypted; `syntax` is its Encrypted Content Transfer Syntax UID.

    DecryptionError for all that is damaged or not as PS3.15 E.1.1 wants it.
    """
    try:
        return _unpack(plaintext, syntax.rstrip(b"\0 "))
    except (ParseError, LimitExceeded, ValueError, struct.error, zlib.error):
        raise DecryptionError from None


def _unpack(plaintext: bytes, syntax: bytes) -> Reversal:
    is_ours = _has_mark(plaintext)
    is_whole = hashlib.sha256(plaintext[:-32]).digest() == plaintext[-32:]  # always: the time must not tell of the mark
    if is_ours and not is_whole:
        raise ValueError("the digest is wrong")
    plaintext = _explicit(plaintext, syntax)
    rows = list_elements(plaintext, Encoding.EXPLICIT_LE, levels=2)
    top = {tag: (value, stop) for level, _item, tag, _vr, _start, value, stop in rows if level == 0}
    if not rows or rows[0][2] != _MODIFIED_ATTRIBUTES_SEQUENCE or rows[0][3] != "SQ":
        raise ValueError("no Modified Attributes Sequence")
    if not is_ours and _CREATOR_TAG in top and plaintext[slice(*top[_CREATOR_TAG])].startswith(_MARK):
        raise ValueError("a mark without the other")
    originals = _originals(plaintext, rows)
    content = plaintext[originals[0][1] : originals[-1][3]] if originals else b""
    found = tuple(Original(tag, plaintext[start:stop], value - start) for tag, start, value, stop in originals)
    if not is_ours:
        return Reversal(found, content, False, (), 0, None, None)
    return _ours(found, content, {tag: plaintext[value:stop] for tag, (value, stop) in top.items()})


def _has_mark(plaintext: bytes) -> bool:
    return plaintext[-_SEAL_SIZE:-32].endswith(_MARK) and len(plaintext) % _STEP == 0


def _explicit(plaintext: bytes, syntax: bytes) -> bytes:
    encoding = _ENCODINGS.get(syntax)
    if encoding is None:
        raise ValueError("unknown Transfer Syntax")
    if syntax == _DEFLATED_SYNTAX:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        plaintext = inflater.decompress(plaintext, _MAX_INFLATED)
        if not inflater.eof:
            raise ValueError("too long, or cut short")
    return plaintext if encoding is Encoding.EXPLICIT_LE else recode(plaintext, encoding, Encoding.EXPLICIT_LE)


def _originals(
    plaintext: bytes, rows: list[tuple[int, int, int, str | None, int, int, int]]
) -> list[tuple[int, int, int, int]]:
    """Tag and offsets of header, Value and end of each, in the one Item of the first element."""
    stop = rows[0][6]
    members = [
        (tag, start, value, end) for level, _i, tag, _vr, start, value, end in rows[1:] if level == 1 and end <= stop
    ]
    tags = [tag for tag, *_offsets in members]
    if count_items(plaintext[:stop], Encoding.EXPLICIT_LE) != 1:
        raise ValueError("one Item expected")
    if any(tag >> 16 in FOREIGN_GROUPS for tag in tags) or len(set(tags)) < len(tags):
        raise ValueError("not Attributes of a Data Set, or repeated")
    return members


def _ours(originals: tuple[Original, ...], content: bytes, top: dict[int, bytes]) -> Reversal:
    if len(top.get(_ADDED, b"")) > 4 * _MAX_ADDED:
        raise ValueError("more was added than there are markers")
    added = struct.unpack(f"<{len(top[_ADDED]) // 4}I", top[_ADDED]) if _ADDED in top else ()
    left_out = struct.unpack("<I", top[_LEFT_OUT])[0] if _LEFT_OUT in top else 0
    return Reversal(originals, content, True, added, left_out, top.get(_CHARACTER_SET, b"").rstrip(b"\0"), _way(top))


def _way(top: dict[int, bytes]) -> Way | None:
    if _OPERATIONS not in top:
        return None
    deflated = None
    if _DEFLATED in top:
        deflated = _unpack_deflated(top[_DEFLATED])
    if len(top.get(_DIGEST, b"")) < _DIGEST_SIZE or len(top[_OPERATIONS]) % 4:
        raise ValueError("a way without its end")
    size = struct.unpack_from("<Q", top[_DIGEST])[0]
    return Way(top[_OPERATIONS], top.get(_RAW, b""), size, top[_DIGEST][8:40], deflated)
