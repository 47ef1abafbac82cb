"""The Re-identifier (PS3.15 E.1.2): decrypt, check, and only then write.

A file of ours that is as we wrote it is restored byte for byte, from its plan; any other one Attribute by Attribute.
A plan is applied whole or not at all: the header it makes must have the digest that the original had.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import NamedTuple, Protocol

from dcmveil._elements import list_elements
from dcmveil._inverse import KINDS, RUN_BITS, restoring_script
from dcmveil._planner import Planner
from dcmveil._policy import RuleTable
from dcmveil.encode import Encoding, encode_element
from dcmveil.errors import DecryptionError, LimitExceeded, ParseError, Refused
from dcmveil.originals import pairs
from dcmveil.output import AtomicFile
from dcmveil.policy import Limits
from dcmveil.profile import ENCRYPTED_ATTRIBUTES_SEQUENCE
from dcmveil.recompressing import Recompressor
from dcmveil.report import Report
from dcmveil.restoring import Restoration
from dcmveil.reversal import Deflated, Reversal, Way, unpack
from dcmveil.rewriting import OpenedFile, Rewrite, Writer, input_may_shrink, reader_of, scan
from dcmveil.sinks import FileOutput, Output, copy_script
from dcmveil.sources import DeflatedSource, RangeReader, Source

__all__ = ["Restorer", "Unsealer", "locating", "reidentify_file", "reidentify_source"]

_Path = str | os.PathLike[str]

_ENCRYPTED_CONTENT_TRANSFER_SYNTAX_UID = 0x04000510
_ENCRYPTED_CONTENT = 0x04000520
_MAX_ENCRYPTED = 256 << 20
_MAX_ITEMS = 16  # that are tried: each may cost seconds, and anyone can make them

PARTIAL = "was too large to be kept byte for byte: restored Attribute by Attribute"
RECOMPRESSED = "restored, but for the compression of the deflated Data Set: this zlib makes other bytes"
CHANGED = "changed since it was de-identified: restored Attribute by Attribute, not byte for byte"


class Unsealer(Protocol):
    """What decrypts: `dcmveil.cms.Opener`."""

    def open(self, blob: bytes, *, accept: Callable[[bytes], bool]) -> bytes: ...


def reidentify_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    opener: Unsealer,
    limits: Limits = Limits(),  # noqa: B008 - immutable
    *,
    copy: str = "auto",
) -> Report:
    """Restore the original of the file `source` in `target`, with what `opener` can decrypt.

    A file of ours is restored byte for byte, or `Report.notice` says how it was; another's is restored Attribute by
    Attribute. `target` appears under its name only when whole, and if it is one that can be read.
    Raises Refused for a file without Encrypted Attributes, DecryptionError if they cannot be decrypted or are damaged,
    and as `deidentify_file`.
    """
    with OpenedFile(source) as file:
        restorer = Restorer(file, opener, limits)  # before there is an output
        with AtomicFile(target, mode_of=file.status) as output:
            report = restorer.restore(FileOutput(file.fd, output.fd, file.size, copy))
            file.check()
            output.commit()
    return report._replace(source=str(source), target=str(target))


def reidentify_source(
    source: Source,
    output: Output,
    opener: Unsealer,
    limits: Limits = Limits(),  # noqa: B008 - immutable
    *,
    transfer_syntax: str | None = None,
) -> tuple[Report, int]:
    """Restore the original of what is read from `source`. Returns a report without names, and the bytes of output
    before the Data Set. Only when it returns what has been written is known to be one. Raises as `reidentify_file`."""
    restorer = Restorer(source, opener, limits, transfer_syntax=transfer_syntax)
    return restorer.restore(output), restorer.restored_start


class Restorer:
    """What can be restored from one source: it is found and decrypted when this is made.

    With a `transfer_syntax` the source is a Data Set alone. Raises as `reidentify_file`.
    """

    def __init__(self, source: Source, opener: Unsealer, limits: Limits, *, transfer_syntax: str | None = None) -> None:
        self._source = source
        self._limits = limits
        self._transfer_syntax = transfer_syntax
        self._found = _find(source, limits, transfer_syntax)
        self._reversal = _decrypt(self._found, opener)
        self.restored_start = 0  # of the Data Set in what has been restored

    def restore(self, output: Output) -> Report:
        """Write the original. When it returns, what was written can be read, but only then."""
        found, reversal = self._found, self._reversal
        if reversal.way is not None and _fits(found, reversal.way, reversal.content):
            with input_may_shrink():
                is_same = _write_original(self._source, output, found, reversal.way, reversal.content)
            self._check(output)
            return _report(found, self._source.size, output, len(reversal.originals), None if is_same else RECOMPRESSED)
        rewrite = Rewrite(
            self._source, Restoration(reversal, self._limits), transfer_syntax=self._transfer_syntax
        )  # fmt: skip
        rewrite.run(Writer(self._source, output))
        self._check(output)
        return rewrite.report("", None, _notice(reversal))

    def _check(self, output: Output) -> None:
        """What was decrypted may have been made by anyone: nothing goes out that cannot be read any more."""
        known = self._transfer_syntax or self._found.planner.transfer_syntax
        for syntax in (None, known):  # a file, or a Data Set alone again, which need not begin as files do
            with suppress(ParseError, LimitExceeded, Refused):
                planner = Planner(locating(), transfer_syntax=syntax, **self._limits._asdict())
                scan(planner, output.source())
                self.restored_start = planner.dataset_start
                return
        raise Refused(
            "not-restorable", "with what was encrypted put back, the file as it is now could not be read any more"
        )


# ---- finding ---------------------------------------------------------------------------------------------------


class _Found(NamedTuple):
    """Where the Encrypted Attributes Sequence stands in the logical stream, and its bytes."""

    planner: Planner
    start: int
    stop: int
    element: bytes
    reader: RangeReader


def _find(source: Source, limits: Limits, transfer_syntax: str | None) -> _Found:
    """Scan the whole file; it has to be well formed."""
    planner = Planner(locating(), transfer_syntax=transfer_syntax, **limits.without_holding()._asdict())
    head = scan(planner, source)
    plan = planner.plan
    for asked in plan.questions():
        plan.answer(asked[0], "remove")
    plan.settle()
    ranges = pairs(plan.originals(merge=False))
    if not ranges:
        raise Refused("not-encrypted", "has no Encrypted Attributes Sequence: nothing to restore")
    start, stop = ranges[0]
    if stop - start > _MAX_ENCRYPTED:
        raise LimitExceeded(f"an Encrypted Attributes Sequence of more than {_MAX_ENCRYPTED} bytes", offset=start)
    reader = reader_of(planner, source, head)
    return _Found(planner, start, stop, reader.between(start, stop), reader)


@cache
def locating() -> RuleTable:
    """What finds the Encrypted Attributes Sequence."""
    special = dict.fromkeys(("private", "unknown", "group_length", "vr", "duplicate", "member", "meta"), 0)
    places = [(ENCRYPTED_ATTRIBUTES_SEQUENCE, 1, False, False, None)]
    return RuleTable(behaviours=["keep", "remove"], special=special, places=[places])


def _decrypt(found: _Found, opener: Unsealer) -> Reversal:
    """The first Item that can be opened."""
    for syntax, blob in _contents(found)[:_MAX_ITEMS]:
        with suppress(DecryptionError):
            return _open(opener, syntax, blob)
    raise DecryptionError


def _open(opener: Unsealer, syntax: bytes, blob: bytes) -> Reversal:
    """By whichever recipient gives something that makes sense."""
    unpacked: list[Reversal] = []

    def accept(plaintext: bytes) -> bool:
        unpacked.clear()  # it may have been asked of what is no plaintext
        with suppress(DecryptionError):
            unpacked.append(unpack(plaintext, syntax))
        return bool(unpacked)

    opener.open(blob, accept=accept)
    return unpacked[0]


def _contents(found: _Found) -> list[tuple[bytes, bytes]]:
    """Encrypted Content Transfer Syntax UID and Encrypted Content of each Item."""
    items: dict[int, dict[int, bytes]] = {}
    try:
        rows = _rows(found.element, Encoding(found.planner.encoding))
    except (ParseError, LimitExceeded):
        raise DecryptionError from None
    for level, item, tag, _vr, _start, value, stop in rows:
        if level == 1:
            items.setdefault(item, {}).setdefault(tag, found.element[value:stop])
    wanted = (_ENCRYPTED_CONTENT_TRANSFER_SYNTAX_UID, _ENCRYPTED_CONTENT)
    return [(item[wanted[0]], item[wanted[1]]) for item in items.values() if item.keys() >= set(wanted)]


def _rows(element: bytes, encoding: Encoding) -> list[tuple[int, int, int, str | None, int, int, int]]:
    """The Sequence and what is in its Items; one in UN of defined length is in Implicit VR inside (PS3.5 6.2.2)."""
    rows = list_elements(element, encoding, levels=2)
    _level, _item, _tag, vr, _start, value, _stop = rows[0]
    if vr != "UN" or len(rows) > 1:
        return rows
    inner = encode_element(Encoding.IMPLICIT_LE, ENCRYPTED_ATTRIBUTES_SEQUENCE, "SQ", element[value:])[:8]
    shift = value - len(inner)
    found = list_elements(inner + element[value:], Encoding.IMPLICIT_LE, levels=2)
    return [
        (level, item, tag, vr, start + shift, at + shift, stop + shift)
        for level, item, tag, vr, start, at, stop in found
    ]


# ---- restoring -------------------------------------------------------------------------------------------------


def _notice(reversal: Reversal) -> str | None:
    if reversal.left_out:
        return f"{reversal.left_out} originals were left out as too large: the others are restored"
    if reversal.is_ours and reversal.way is None:
        return PARTIAL
    return CHANGED if reversal.is_ours else None


def _report(found: _Found, size: int, output: Output, originals: int, notice: str | None) -> Report:
    return Report(
        source="",
        target="",
        transfer_syntax=found.planner.transfer_syntax or "",
        sop_class=None,
        bytes_in=size,
        bytes_out=output.written,
        counts={("byte for byte", "restore"): originals},
        copied=output.methods,
        notice=notice,
    )


def _fits(found: _Found, way: Way, content: bytes) -> bool:
    """Would the way lead from this file to the original? Nothing is written to find out."""
    digest = hashlib.sha256()
    try:
        for piece in _header_made(found, way, content):
            digest.update(piece)
    except ValueError:
        return False
    return digest.digest() == way.digest


def _header_made(found: _Found, way: Way, content: bytes) -> Iterator[bytes]:
    """What the way makes of the file, but for long Values. ValueError if it leads out of it, or elsewhere.

    Each byte of the text is taken once at most, so that a way makes no more than it holds."""
    if found.planner.plan.size is None or found.planner.deflated != (way.deflated is not None):
        raise ValueError("another kind of file")
    at = made = text_at = raw_at = 0
    size = found.planner.plan.size - (found.stop - found.start)
    for kind, length, start in _operations(way.operations):
        if kind in ("copy", "bulk", "skip"):
            at += length
            if at > size:
                raise ValueError("past the end of the file")
            if kind == "copy":
                yield from _pieces(found, at - length, at)
        elif kind == "text" and text_at <= start <= len(content) - length:
            text_at = start + length
            yield content[start:text_at]
        elif kind == "raw" and length <= len(way.raw) - raw_at:
            raw_at += length
            yield way.raw[raw_at - length : raw_at]
        else:
            raise ValueError("no such operation, or past the end of the text")
        made += length if kind != "skip" else 0
    if (at, made) != (size, way.size):
        raise ValueError("another size")


def _operations(operations: bytes) -> Iterator[tuple[str, int, int]]:
    """Kind, bytes, and of text from where. What is no operation has kind "?"."""
    words = struct.iter_unpack("<I", operations[: len(operations) // 4 * 4])
    for (word,) in words:
        number, length = word >> RUN_BITS, word & (1 << RUN_BITS) - 1
        kind = KINDS[number] if number < len(KINDS) and length else "?"
        yield kind, length, next(words, (1 << 32,))[0] if kind == "text" else 0


def _pieces(found: _Found, start: int, stop: int) -> Iterator[bytes]:
    """Bytes of the file, counted without its Encrypted Attributes Sequence."""
    gap, size = found.start, found.stop - found.start
    for first, last in ((start, min(stop, gap)), (max(start, gap) + size, stop + size)):
        yield from found.reader.pieces(first, last)


def _write_original(source: Source, output: Output, found: _Found, way: Way, content: bytes) -> bool:
    """Returns whether what has been written is the original."""
    script = restoring_script(way.operations, content, way.raw, found.start, found.stop)
    is_same = True
    if way.deflated is None:
        output.run(script)
    else:
        writer = _DeflatedOriginal(output, way.deflated)
        copy_script(DeflatedSource(source, found.planner.dataset_start), script, writer.write)
        is_same = writer.finish()
    output.finish()
    return is_same


class _DeflatedOriginal:
    """Writes what comes before the Data Set as it comes, and for that itself the stream as it was made."""

    def __init__(self, output: Output, deflated: Deflated) -> None:
        self._output = output
        self._left = deflated.prefix
        self._stream = deflated.stream
        self._recompressor = Recompressor(deflated.settings) if deflated.settings is not None else None

    def write(self, data: bytes) -> None:
        before, rest = data[: self._left], data[self._left :]
        self._left -= len(before)
        self._output.write(before)
        if self._recompressor is not None:
            self._output.write(self._recompressor.compress(rest))

    def finish(self) -> bool:
        last, is_same = (self._stream, True) if self._recompressor is None else self._recompressor.finish()
        self._output.write(last)
        return is_same
