"""The De-identifier's Encrypted Attributes (PS3.15 E.1.1): what is lost is gathered, encrypted and put into its place.

Called when the Plan is settled and nothing has been written. The originals are ranges of the input, whole Data
Elements of the top level, so that any Re-identifier can put them back; besides them goes what ours needs to get back
the very bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from dcmveil._inverse import Inverse
from dcmveil._plan import Plan
from dcmveil._planner import Planner
from dcmveil.encode import Encoding, encode_element, encode_sequence
from dcmveil.errors import Refused
from dcmveil.originals import explicit, pairs
from dcmveil.policy import Policy, Sealer
from dcmveil.profile import ENCRYPTED_ATTRIBUTES_SEQUENCE
from dcmveil.questions import INSERTED, Question
from dcmveil.recompressing import find_settings
from dcmveil.resolver import Resolver
from dcmveil.reversal import MAX_PLAINTEXT, Deflated, Way, pack
from dcmveil.sources import RangeReader

__all__ = ["seal_originals"]

_ENCRYPTED_CONTENT_TRANSFER_SYNTAX_UID = 0x04000510
_ENCRYPTED_CONTENT = 0x04000520
_EXPLICIT_VR_LITTLE_ENDIAN = b"1.2.840.10008.1.2.1"
_SOP_INSTANCE_UID = 0x00080018  # other Re-identifiers insist on it, changed or not
_SCRIPT = 1 << 16
# The pad before bulk depends on how long the Sequence is, which holds how to take the pad away again. But its length
# does not depend on how long the pad is, so a second one has the length that the first has told.
_ATTEMPTS = 3

_Ranges = list[tuple[int, int]]


def seal_originals(policy: Policy, planner: Planner, resolver: Resolver, reader: RangeReader) -> str | None:
    """Give the Plan its Encrypted Attributes Sequence. Returns what the user should know: what was left out.

    Raises Refused if there is more to encrypt than `Policy.max_originals` bytes.
    """
    if policy.envelope is None:
        raise ValueError("no envelope")
    rules = policy.rules
    place = next(asked.key for asked in resolver.asked() if rules[asked.rule].action == "encrypted attributes")
    size = policy.sealed_size()
    for _attempt in range(_ATTEMPTS):
        is_aligned = resolver.align(place, size)
        sequence, notice = _sealed(policy.envelope, policy, planner, resolver, reader)
        if not is_aligned or len(sequence) == size:
            break
        size = policy.sealed_size(len(sequence))
    planner.plan.amend(place, sequence)
    return notice


def _sealed(
    envelope: Sealer, policy: Policy, planner: Planner, resolver: Resolver, reader: RangeReader
) -> tuple[bytes, str | None]:
    """The Encrypted Attributes Sequence, and what the user should know."""
    plaintext, notice = _plaintext(policy, planner, resolver, reader)
    encoding = Encoding(planner.encoding)
    syntax = encode_element(encoding, _ENCRYPTED_CONTENT_TRANSFER_SYNTAX_UID, "UI", _EXPLICIT_VR_LITTLE_ENDIAN)
    content = encode_element(encoding, _ENCRYPTED_CONTENT, "OB", envelope.seal(plaintext))
    return encode_sequence(encoding, ENCRYPTED_ATTRIBUTES_SEQUENCE, [syntax + content]), notice


def _added(asked: list[Question]) -> list[int]:
    """Tags of the Attributes of the top level that the input did not have."""
    tags = sorted(question.tag for question in asked if question.kind == INSERTED and not question.parent)
    return [tag for tag in tags if tag >> 16 != 2 and tag != ENCRYPTED_ATTRIBUTES_SEQUENCE]


def _plaintext(policy: Policy, planner: Planner, resolver: Resolver, reader: RangeReader) -> tuple[bytes, str | None]:
    plan, encoding = planner.plan, Encoding(planner.encoding)
    ranges = plan.originals(also=_SOP_INSTANCE_UID)
    fitting = pairs(ranges)
    added, character_set = _added(resolver.asked()), resolver.facts().character_set
    try:
        _check_size(_length(fitting), policy)
        content, same = explicit(reader.gather(fitting), encoding)
        way = _way(policy, planner, reader, ranges if same else b"")
        plaintext = pack(content, way, added=added, character_set=character_set)
        _check_size(len(plaintext), policy, MAX_PLAINTEXT)
        return plaintext, None
    except Refused:
        if not policy.drop_large_originals:
            raise
    ranges_of_each = pairs(plan.originals(merge=False, also=_SOP_INSTANCE_UID))
    fitting = _fitting(ranges_of_each, policy.max_originals)
    content, _same = explicit(reader.gather(fitting), encoding)
    left_out = len(ranges_of_each) - len(fitting)
    plaintext = pack(content, None, added=added, left_out=left_out, character_set=character_set)
    if not left_out:
        return plaintext, "too large to be kept byte for byte; its Attributes can be restored"
    return plaintext, f"{left_out} originals left out as too large, for good; the others can be restored"


def _fitting(ranges: _Ranges, room: int) -> _Ranges:
    """The smaller ones, as many as there is room for."""
    kept = []
    for start, stop in sorted(ranges, key=lambda range: range[1] - range[0]):
        room -= stop - start
        if room < 0:
            break
        kept.append((start, stop))
    return sorted(kept)


def _check_size(size: int, policy: Policy, most: int | None = None) -> None:
    most = policy.max_originals if most is None else most
    if size > most:
        raise Refused(
            "originals-too-large",
            f"{size} bytes of originals to encrypt, {most} at most (--max-originals); "
            "--drop-large-originals leaves the largest out, unrecoverably",
        )


def _way(policy: Policy, planner: Planner, reader: RangeReader, text: bytes) -> Way:
    """How to get back the very bytes, with the ranges of the input that stand in the originals as they are."""
    plan = planner.plan
    inverse = Inverse(text, plan.bulk())
    while script := plan.script(_SCRIPT):
        inverse.add(script)
    plan.restart()
    operations, lost, bulk = inverse.finish(_size(plan))
    _check_size(_length(pairs(lost)), policy)
    digest = hashlib.sha256()
    for start, stop in _between(pairs(bulk), _size(plan)):
        for piece in reader.pieces(start, stop):
            digest.update(piece)
    deflated = _deflated(policy, reader) if planner.deflated else None
    return Way(operations, reader.gather(pairs(lost)), _size(plan), digest.digest(), deflated)


def _deflated(policy: Policy, reader: RangeReader) -> Deflated:
    """The deflated Data Set as it is, for another's compressor makes other bytes; if it is too long, how to make it."""
    prefix, size = reader.deflated()
    if size - prefix <= policy.max_originals:
        return Deflated(prefix, reader.stored(prefix, size))
    settings = find_settings(reader.source, prefix, size)
    if settings is None:
        _check_size(size - prefix, policy)
    return Deflated(prefix, b"", settings)


def _size(plan: Plan) -> int:
    if plan.size is None:
        raise ValueError("the input is not at its end")
    return plan.size


def _length(ranges: _Ranges) -> int:
    return sum([stop - start for start, stop in ranges])


def _between(ranges: _Ranges, size: int) -> Iterator[tuple[int, int]]:
    """What the ranges leave of the input."""
    at = 0
    for start, stop in ranges:
        yield at, start
        at = stop
    yield at, size
