"""The Re-identifier and the CMS parser, on whatever somebody may send who has the certificate, or has not.

By its first byte an input is a CMS message; changes to the message in a file of ours, which is then restored to its
last byte or not at all; the plaintext of one, with its digest put right or not; or a whole file.
"""

from __future__ import annotations

import hashlib
import struct
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from dcmveil import Policy, cms
from dcmveil.cms import Envelope, Opener
from dcmveil.errors import DcmveilError, DecryptionError
from dcmveil.files import deidentify_source
from dcmveil.reidentifying import Unsealer, reidentify_source
from dcmveil.sinks import SegmentOutput
from tests.fuzz.inputs import HEAD
from tests.fuzz.objects import Glass, holding, joined
from tests.fuzz.terms import SECRET
from tests.hostile.forms import EXPLICIT, FORMS, Form

# A message may cost seconds in all, which here is a few milliseconds.
cms.ITERATIONS = 1000
cms.MAX_ITERATIONS = 10_000

PASSWORD = b"open sesame 1"
SYNTAXES = (b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99")
ENCRYPTED_ATTRIBUTES, SYNTAX, CONTENT = 0x04000500, 0x04000510, 0x04000520
MARKED = b"DCMVEIL REVERSAL"
STEP = 4096
GLASS = Glass()


def one(data: memoryview) -> None:
    """One execution."""
    if len(data) <= HEAD:
        return
    kind, form, flags, _unused = data[:HEAD]
    body = bytes(data[HEAD:])
    if kind % 4 == 0:
        opened(body)
    elif kind % 4 == 1:
        changed(body, FORMS[form % len(FORMS)], authenticated=not flags & 1)
    elif kind % 4 == 2:
        plaintext = sealed(body) if flags & 1 else body
        restored(sent(plaintext, FORMS[form % len(FORMS)], SYNTAXES[flags >> 1 & 3]), GLASS)
    else:
        restored(body, GLASS)


def restored(data: bytes, opener: Unsealer) -> bytes | str:
    """What the Re-identifier makes of a file, or its error."""
    held = holding(data)
    output = SegmentOutput(held)
    try:
        reidentify_source(held, output, opener)
    except DcmveilError as error:
        assert "\n" not in str(error)
        return str(error)
    return joined(output.take(), data)


# ---- messages ----------------------------------------------------------------------------------------------------


@cache
def openers() -> tuple[Opener, ...]:
    """One of each kind. The key is another one in each process, so seeds that can be opened are for the password."""
    key = rsa.generate_private_key(65537, 2048)
    return Opener(password=PASSWORD), Opener(key), Opener(key, PASSWORD)


def opened(message: bytes) -> None:
    """Bytes, or the one error."""
    for opener in openers():
        try:
            assert isinstance(opener.open(message), bytes)
        except DecryptionError as error:
            assert str(error) == str(DecryptionError())


@cache
def ours(form: Form, *, authenticated: bool) -> tuple[bytes, bytes, int, int]:
    """An original, what was made of it, and where the message begins and ends in that."""
    rows = form.element(0x00100010, "PN", "DOE^JOHN") + form.element(0x00100020, "LO", "12345")
    original = form.file(form.common() + rows + form.element(0x7FE00010, "OW", bytes(40)))
    messages: list[bytes] = []

    class Keeping(Envelope):
        def seal(self, plaintext: bytes) -> bytes:
            messages.append(super().seal(plaintext))
            return messages[-1]

    envelope = Keeping([], PASSWORD, authenticated=authenticated)
    held = holding(original)
    output = SegmentOutput(held)
    deidentify_source(held, output, Policy(secret=SECRET, envelope=envelope))
    made = joined(output.take(), original)
    start = made.find(messages[-1])
    return original, made, start, start + len(messages[-1])


def changed(script: bytes, form: Form, *, authenticated: bool) -> None:
    """A file of ours with bytes of its message changed: four bytes of the script say where and to what."""
    form = form if not form.deflated else EXPLICIT
    original, made, start, stop = ours(form, authenticated=authenticated)
    message = bytearray(made[start:stop])
    for at, mask, byte in struct.iter_unpack("<HBB", script[: len(script) // 4 * 4]):
        message[at % len(message)] = message[at % len(message)] & ~mask & 0xFF | byte & mask
    outcome = restored(made[:start] + bytes(message) + made[stop:], openers()[0])
    if authenticated:
        assert outcome in (original, str(DecryptionError()))


# ---- plaintexts --------------------------------------------------------------------------------------------------


def sealed(plaintext: bytes) -> bytes:
    """With padding, mark and digest at its end."""
    end = EXPLICIT.element(0x040110FF, "OB", MARKED + bytes(32))
    missing = -(len(plaintext) + 12 + len(end)) % STEP
    data = plaintext + EXPLICIT.element(0x040110FE, "OB", bytes(missing)) + end[:-32]
    return data + hashlib.sha256(data).digest()


def sent(message: bytes, form: Form, syntax: bytes) -> bytes:
    """A file with this message, or what Glass takes for one."""
    rows = form.element(SYNTAX, "UI", syntax) + form.element(CONTENT, "OB", message)
    own = form.common() + form.element(0x00280010, "US", form.pack("H", 1))
    return form.file(own + form.sequence(ENCRYPTED_ATTRIBUTES, form.item(rows)))
