"""New UIDs (PS3.15 E.1.1): the same for the same old one and secret; those of the Standard stay as they are."""

from __future__ import annotations

import hmac
import math
import re
import uuid

from . import tables
from .model import Settings, padded

DUMMY_UID = b"2.25.2677542441955234605162594322160111148"


def mapped_value(value: bytes, settings: Settings) -> bytes:
    """The value with each UID mapped; the very same bytes if none changes."""
    components = [component.strip(b"\0 ") for component in value.split(b"\\")]
    mapped = [c if not c or is_well_known(c) else mapped_uid(c, settings) for c in components]
    return value if mapped == components else padded(b"\\".join(mapped), "UI")


def is_well_known(uid: bytes) -> bool:
    """Whether it is a well-formed UID of the Standard, which are never replaced."""
    text = uid.decode("latin-1")
    if len(text) > 64 or not re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*", text):
        return False
    return f"{text}.".startswith("1.2.840.10008.") or text in tables.well_known_uids()


def mapped_uid(uid: bytes, settings: Settings) -> bytes:
    """HMAC-SHA256 under the secret: a UUID of version 8 (RFC 9562) under 2.25, or a number under the root."""
    digest = hmac.new(settings.secret, b"dcmveil/uid\0" + uid, "sha256").digest()
    if settings.root_uid is None:
        octets = bytearray(digest[:16])
        octets[6] = octets[6] & 0x0F | 0x80
        octets[8] = octets[8] & 0x3F | 0x80
        return b"2.25.%d" % uuid.UUID(bytes=bytes(octets)).int
    bits = min(128, math.floor((64 - len(settings.root_uid) - 1) * math.log2(10)))
    return settings.root_uid.encode("ascii") + b".%d" % (int.from_bytes(digest, "big") >> 256 - bits)
