"""Who seals and who opens: a key pair, an envelope that hides nothing, and files by anybody with the certificate."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from dcmveil import Policy
from dcmveil.cms import Envelope, Opener
from dcmveil.errors import DecryptionError
from tests.hostile.forms import EXPLICIT, Form
from tests.services.certificates import certificate, rsa_key

SECRET = b"a secret for the tests of what can be undone"
EXPLICIT_SYNTAX = b"1.2.840.10008.1.2.1"
IMPLICIT_SYNTAX = b"1.2.840.10008.1.2"
BIG_SYNTAX = b"1.2.840.10008.1.2.2"
DEFLATED_SYNTAX = b"1.2.840.10008.1.2.1.99"
ENCRYPTED_ATTRIBUTES, SYNTAX, CONTENT, MODIFIED = 0x04000500, 0x04000510, 0x04000520, 0x04000550


@cache
def envelope(**options: Any) -> Envelope:
    """For the holder of the one key of these tests."""
    return Envelope([certificate(rsa_key())], **options)


@cache
def opener() -> Opener:
    return Opener(rsa_key())


class Glass:
    """Envelope and Opener in one that leave the plaintext as it is: for tests that need thousands of both."""

    def seal(self, plaintext: bytes) -> bytes:
        self.sealed = plaintext
        return plaintext

    def open(self, blob: bytes, *, accept: Callable[[bytes], bool]) -> bytes:
        if not accept(blob):
            raise DecryptionError
        return blob


def reversible(seals: Any, **options: Any) -> Policy:
    """A Policy that lets everything through that can be restored."""
    return Policy(
        secret=SECRET, envelope=seals, existing_encrypted="remove", allow_embedded_overlays=True, **options
    )  # fmt: skip


def encrypted_attributes(form: Form, blob: bytes, syntax: bytes = EXPLICIT_SYNTAX) -> bytes:
    """An Encrypted Attributes Sequence of one Item."""
    rows = form.element(SYNTAX, "UI", syntax) + form.element(CONTENT, "OB", blob)
    return form.sequence(ENCRYPTED_ATTRIBUTES, form.item(rows))


def sent(plaintext: bytes, *, syntax: bytes = EXPLICIT_SYNTAX, form: Form = EXPLICIT, seals: Any = None) -> bytes:
    """The file of somebody who has the certificate, and says whatever pleases them in the plaintext."""
    blob = (Glass() if seals is None else seals).seal(plaintext)
    rows = form.element(0x00280010, "US", form.pack("H", 1))
    return form.file(form.common() + rows + encrypted_attributes(form, blob, syntax))
