"""Action U: UIDs replaced by others, the same for the same secret in any run (PS3.15 E.1.1, E.3.9).

The new UID is a keyed digest of the old one: HMAC-SHA256 with the secret over ``b"dcmveil/uid\\0" + uid``.
Without a root its first 128 bits become a UUID of version 8 (RFC 9562) under 2.25 (PS3.5 B.2), with a root as
many leading bits as fit into 64 characters. There is no table to keep, and without the secret no way to test
a guess at the original. UIDs of the Standard itself (SOP Classes, Transfer Syntaxes, context groups ...) are
never replaced.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache, partial

from dcmveil import _tables
from dcmveil.memos import Remembering

__all__ = ["UidMapper", "check_root", "is_well_formed", "new_secret"]

SECRET_BYTES = 32
MIN_SECRET_BYTES = 16
MAX_UID_CHARACTERS = 64
MIN_BITS = 96  # fewer make collisions within large archives thinkable: 2**48 UIDs for an even chance
MAX_BITS = 128
MEMO_ENTRIES = 4096

_UID = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")
_PADDING = b"\0 "


def new_secret() -> bytes:
    """A random secret for one run."""
    return os.urandom(SECRET_BYTES)


def is_well_formed(uid: bytes) -> bool:
    """Whether this is a UID by PS3.5 section 9.1: numbers without leading zeros, dots, at most 64 bytes."""
    return len(uid) <= MAX_UID_CHARACTERS and _UID.fullmatch(uid) is not None


def _bits_under(root: str) -> int:
    """How many bits of the digest fit, in decimal, behind the root and a dot."""
    digits = MAX_UID_CHARACTERS - len(root) - 1
    return min(MAX_BITS, (10**digits).bit_length() - 1) if digits > 0 else 0


def check_root(root: str) -> None:
    """ValueError unless new UIDs can be made under this root."""
    if not root.isascii() or not is_well_formed(root.encode("ascii")):
        raise ValueError("the UID root must be numbers without leading zeros, separated by dots")
    if _tables.is_well_known_uid(root.encode("ascii")):
        raise ValueError("the UID root must not be one of the DICOM Standard")
    if _bits_under(root) < MIN_BITS:
        raise ValueError(f"the UID root is too long: it leaves fewer than {MIN_BITS} bits for new UIDs")


def _uuid8(digest: bytes) -> int:
    """The first 128 bits of a digest as a UUID of version 8 and the variant of RFC 9562."""
    number = int.from_bytes(digest[:16], "big")
    number = number & ~(0xF << 76) | 8 << 76
    return number & ~(0b11 << 62) | 0b10 << 62


@cache
def _hmac() -> Callable[[bytes, bytes, str], bytes]:
    """Loaded when first used: it is the only user of OpenSSL in this package, which takes milliseconds."""
    import hmac

    return hmac.digest


def _new_uid(secret: bytes, root: str | None, uid: bytes) -> bytes:
    digest = _hmac()(secret, b"dcmveil/uid\0" + uid, "sha256")
    if root is None:
        return b"2.25.%d" % _uuid8(digest)
    number = int.from_bytes(digest, "big") >> (256 - _bits_under(root))
    return b"%s.%d" % (root.encode("ascii"), number)


class UidMapper:
    """Maps UIDs to new ones with a secret of at least 16 bytes, under `root` or, if that is None, under 2.25.

    ValueError for a secret that is too short and for a root that check_root refuses. May be used by several
    threads.
    """

    def __init__(self, secret: bytes, root: str | None = None) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret must have at least {MIN_SECRET_BYTES} bytes")
        if root is not None:
            check_root(root)
        self._new_uid = Remembering(MEMO_ENTRIES, partial(_new_uid, bytes(secret), root))

    def __repr__(self) -> str:
        return "UidMapper(...)"

    def map(self, uid: bytes) -> bytes:
        """The new UID for one Value (without padding, well-formed or not)."""
        return self._new_uid(uid)

    def map_value(self, value: bytes) -> bytes | None:
        """The new Value field, padded to even length, for that of a UI element with any number of Values.

        None if it holds nothing to replace. Empty Values stay empty.
        """
        old = value.strip(_PADDING)
        if b"\\" in value:
            components = [component.strip(_PADDING) for component in value.split(b"\\")]
            joined = b"\\".join([uid if _stays(uid) else self._new_uid(uid) for uid in components])
            old = b"\\".join(components)
        else:
            joined = old if _stays(old) else self._new_uid(old)
        if joined == old:
            return None
        return joined + b"\0" * (len(joined) % 2)


def _stays(uid: bytes) -> bool:
    return not uid or (_tables.is_well_known_uid(uid) and is_well_formed(uid))
