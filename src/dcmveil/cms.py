"""Encrypted Content (0400,0520): sealed and opened as a Cryptographic Message Syntax message (PS3.15 annex E.1).

An Envelope writes EnvelopedData (RFC 5652) for certificates (RSA key transport) and for a password (PBKDF2), in the
layout of gdcmanon, or AuthEnvelopedData (RFC 5083). An Opener reads these and what other writers make of the same
parts, with any recipients beside those it can read.

An Opener is no oracle: whatever fails, there is one error, raised in one place. A content-encryption key that could not
be unwrapped is replaced by a random one, with which the same work is done for nothing (RFC 3218); and what comes out
without a padding, or with another MAC, is looked at like a plaintext, for the time that takes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.asn1 import SetOf, encode_der
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from dcmveil.cms_algorithms import (
    CBC,
    GCM,
    MAC_BYTES,
    OAEP,
    PKCS1_V1_5,
    BlockCipher,
    Encryption,
    KeyDerivation,
    KeyTransport,
    KeyWrap,
)
from dcmveil.cms_structures import (
    AUTH_ENVELOPED_DATA,
    DATA,
    ENVELOPED_DATA,
    AuthEnvelopedData,
    AuthEnvelopedDataInfo,
    EncryptedContentInfo,
    EnvelopedData,
    EnvelopedDataInfo,
    KeyTransRecipientInfo,
    Message,
    PasswordRecipientInfo,
    issuer_and_serial_number,
    read_message,
)
from dcmveil.errors import DecryptionError
from dcmveil.room import need_room

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

__all__ = ["CIPHERS", "Envelope", "Opener"]

CIPHERS = tuple(CBC)

_COPIES = 2  # of a message, made by code in Rust
_WORKING = 4 << 20  # bytes, whatever the length

ITERATIONS = 600_000  # of PBKDF2 with HMAC-SHA256, when writing
SALT_BYTES = 16

# What a hostile message may cost: recipients tried, bytes decrypted for all of them, iterations of PBKDF2 for all.
MAX_TRIES = 64
MAX_TRIED_BYTES = 1 << 30
MAX_ITERATIONS = 10_000_000
KEYS_REMEMBERED = 64
LAYOUTS_REMEMBERED = 64
MAX_LAYOUT_BYTES = 1 << 16  # of a plaintext: with a longer one, encoding is not what takes the time


# ---- writing ---------------------------------------------------------------------------------------------------


class _CertificateRecipient:
    """RSA key transport to whoever holds the private key of a certificate."""

    def __init__(self, certificate: Certificate, transport: KeyTransport) -> None:
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise ValueError("the certificate must be one of an RSA key")
        self._key = key
        self._name = issuer_and_serial_number(certificate.tbs_certificate_bytes)
        self._transport = transport

    def parts(self, key: bytes) -> list[bytes]:
        """What is different in each message."""
        return [self._key.encrypt(key, self._transport.padding)]

    def info(self, parts: Iterator[bytes]) -> KeyTransRecipientInfo:
        """The structure with its parts."""
        return KeyTransRecipientInfo(
            version=0,
            recipient=self._name,
            key_encryption=self._transport.identifier,
            encrypted_key=next(parts),
        )


class _PasswordRecipient:
    """A key-encryption key from a password: one salt, and the key derived once, before threads or forks can be."""

    def __init__(self, password: bytes, cipher: BlockCipher) -> None:
        self._cipher = cipher
        derivation = KeyDerivation(os.urandom(SALT_BYTES), ITERATIONS)
        self._identifier = derivation.identifier()
        self._kek = derivation.derive(password, cipher.key_bytes)

    def parts(self, key: bytes) -> list[bytes]:
        """What is different in each message."""
        wrap = KeyWrap.new(self._cipher)
        return [wrap.iv, wrap.wrap(self._kek, key)]

    def info(self, parts: Iterator[bytes]) -> PasswordRecipientInfo:
        """The structure with its parts."""
        return PasswordRecipientInfo(
            version=0,
            key_derivation=self._identifier,
            key_encryption=KeyWrap(self._cipher, next(parts)).identifier(),
            encrypted_key=next(parts),
        )


class _Layout:
    """The DER of messages whose parts have certain lengths: encoded once, and later on only filled in.

    The parts are octet strings, so all else is the same in each; but for the order of recipients that differ in
    nothing else, which nobody looks at.
    """

    def __init__(self, encode: Callable[[Iterator[bytes]], bytes], parts: Sequence[bytes]) -> None:
        marks = [os.urandom(len(part)) for part in parts]
        message = encode(iter(marks))
        places = sorted((message.find(mark), number) for number, mark in enumerate(marks) if mark)
        if any(message.count(mark) != 1 for mark in marks if mark):
            raise ValueError("a mark stands elsewhere too")
        self._pieces: list[bytes | int] = []
        at = 0
        for place, number in places:
            self._pieces += [message[at:place], number]
            at = place + len(marks[number])
        self._pieces.append(message[at:])

    def fill(self, parts: Sequence[bytes]) -> bytes:
        """The message with these parts."""
        return b"".join([parts[piece] if isinstance(piece, int) else piece for piece in self._pieces])


class Envelope:
    """Seals plaintexts for the holders of certificates' keys, for those who know a password, or for both.

    `cipher`, one of CIPHERS, encrypts the content; `authenticated` takes AES in GCM, so that no change stays
    unnoticed; `oaep` takes RSAES-OAEP with SHA-256 instead of PKCS #1 v1.5. ValueError without any recipient, for an
    empty password, an unknown cipher, a certificate of another key than RSA, and Triple-DES with `authenticated`.
    Immutable; may be used by several threads, and after a fork. To make one with a password takes some 0.1 s.
    """

    def __init__(
        self,
        certificates: Sequence[Certificate] = (),
        password: bytes | None = None,
        *,
        cipher: str = "aes256",
        authenticated: bool = False,
        oaep: bool = False,
    ) -> None:
        ciphers = GCM if authenticated else CBC
        if cipher not in ciphers:
            raise ValueError(f"the cipher must be one of {', '.join(ciphers)}")
        _check_recipients(certificates, password)
        self._cipher = ciphers[cipher]
        self._makers: list[_CertificateRecipient | _PasswordRecipient] = [
            _CertificateRecipient(certificate, OAEP if oaep else PKCS1_V1_5) for certificate in certificates
        ]
        if password is not None:
            self._makers.append(_PasswordRecipient(password, CBC[cipher]))
        self._version = 0 if password is None else 3  # RFC 5652 6.1
        self._layouts: dict[tuple[int, ...], _Layout] = {}

    def __repr__(self) -> str:
        return "Envelope(...)"

    def seal(self, plaintext: bytes) -> bytes:
        """A message, in DER, that holds the plaintext encrypted with a key of its own."""
        need_room(_COPIES * len(plaintext) + _WORKING)
        key = os.urandom(self._cipher.key_bytes)
        encryption = Encryption.new(self._cipher)
        parts = [part for maker in self._makers for part in maker.parts(key)]
        parts += [encryption.iv, *encryption.encrypt(key, plaintext)]
        sizes = tuple(map(len, parts))
        if sizes in self._layouts:
            return self._layouts[sizes].fill(parts)
        if len(plaintext) <= MAX_LAYOUT_BYTES and len(self._layouts) < LAYOUTS_REMEMBERED:
            with suppress(ValueError):  # once in 2**64 times, and then the next one may do
                self._layouts[sizes] = _Layout(self._encoded, parts)
        return self._encoded(iter(parts))

    def _encoded(self, parts: Iterator[bytes]) -> bytes:
        """The message with its parts: those of each recipient, IV, encrypted content, MAC."""
        recipients: SetOf[Any] = SetOf([maker.info(parts) for maker in self._makers])
        encryption = Encryption(self._cipher, next(parts), MAC_BYTES if self._cipher.is_authenticated else 0)
        content = EncryptedContentInfo(content_type=DATA, encryption=encryption.identifier(), encrypted=next(parts))
        mac = next(parts)
        if self._cipher.is_authenticated:
            authenticated = AuthEnvelopedData(version=0, recipients=recipients, content=content, mac=mac)
            return encode_der(AuthEnvelopedDataInfo(content_type=AUTH_ENVELOPED_DATA, content=authenticated))
        enveloped = EnvelopedData(version=self._version, recipients=recipients, content=content)
        return encode_der(EnvelopedDataInfo(content_type=ENVELOPED_DATA, content=enveloped))


def _check_recipients(keys: object, password: bytes | None) -> None:
    if password == b"":
        raise ValueError("the password must not be empty")
    if not keys and password is None:
        raise ValueError("a key or a password is needed")


# ---- reading ---------------------------------------------------------------------------------------------------


class _Budget:
    """How many iterations one message may still ask for."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, iterations: int) -> None:
        if iterations > self._left:
            raise ValueError("too many iterations")
        self._left -= iterations


def _anything(_plaintext: bytes) -> bool:
    return True


class Opener:
    """Opens messages with a private key, a password, or whichever of the two fits. ValueError without either.

    May be used by several threads, and after a fork. Keys derived from the password are remembered.
    """

    def __init__(self, key: RSAPrivateKey | None = None, password: bytes | None = None) -> None:
        _check_recipients(key, password)
        self._key = key
        self._password = password
        self._derive = lru_cache(KEYS_REMEMBERED)(self._derive_anew)

    def __repr__(self) -> str:
        return "Opener(...)"

    def open(self, blob: bytes, *, accept: Callable[[bytes], bool] = _anything) -> bytes:
        """The plaintext of a message in DER or BER, zero bytes behind it or not.

        A wrong key can give a plaintext that means nothing, once in some 60,000 times for each recipient that it is
        tried on; `accept` tells whether to take it. It is asked of what is no plaintext as well, and its answer not
        heeded. Raises DecryptionError, which does not tell why.
        """
        need_room(_COPIES * len(blob) + _WORKING)
        plaintext = self._plaintext(blob, accept)
        if plaintext is None:
            raise DecryptionError
        return plaintext

    def _plaintext(self, blob: bytes, accept: Callable[[bytes], bool]) -> bytes | None:
        try:
            message = read_message(blob)
            encryption = Encryption.of(message.content.encryption)
        except ValueError:
            return None
        if encryption.cipher.is_authenticated != (message.mac is not None):
            return None
        tries = min(MAX_TRIES, MAX_TRIED_BYTES // (len(message.content.encrypted) + 1))
        for key in islice(self._content_keys(message.recipients), tries):
            plaintext, is_one = _decrypt(message, encryption, key)
            if accept(plaintext) and is_one:
                return plaintext
        return None

    def _content_keys(self, recipients: Iterable[object]) -> Iterator[bytes | None]:
        """What comes of each recipient that our key or password might fit; None for a failure.

        Which certificate a recipient names is not looked at: it may be another one with the same key.
        """
        budget = _Budget(MAX_ITERATIONS)
        for recipient in recipients:
            if isinstance(recipient, KeyTransRecipientInfo) and self._fits(recipient):
                yield self._transported_key(recipient)
            elif isinstance(recipient, PasswordRecipientInfo) and self._password is not None:
                yield self._wrapped_key(recipient, budget)

    def _fits(self, recipient: KeyTransRecipientInfo) -> bool:
        return self._key is not None and len(recipient.encrypted_key) == (self._key.key_size + 7) // 8

    def _transported_key(self, recipient: KeyTransRecipientInfo) -> bytes | None:
        assert self._key is not None
        try:
            transport = KeyTransport.of(recipient.key_encryption)
            return self._key.decrypt(recipient.encrypted_key, transport.padding)
        except (ValueError, UnsupportedAlgorithm):
            return None

    def _wrapped_key(self, recipient: PasswordRecipientInfo, budget: _Budget) -> bytes | None:
        try:
            wrap = KeyWrap.of(recipient.key_encryption)
            derivation = KeyDerivation.of(recipient.key_derivation, wrap.cipher.key_bytes)
            budget.take(derivation.iterations)
            return wrap.unwrap(self._derive(derivation, wrap.cipher.key_bytes), recipient.encrypted_key)
        except (ValueError, UnsupportedAlgorithm):
            return None

    def _derive_anew(self, derivation: KeyDerivation, key_bytes: int) -> bytes:
        assert self._password is not None
        return derivation.derive(self._password, key_bytes)


def _decrypt(message: Message, encryption: Encryption, key: bytes | None) -> tuple[bytes, bool]:
    """The plaintext, and whether it is one. Without a key that fits the same is done with a random one."""
    size = encryption.cipher.key_bytes
    is_real = key is not None and len(key) == size
    used = key if key is not None and is_real else os.urandom(size)
    try:
        found, is_one = encryption.decrypt(used, message.content.encrypted, message.mac or b"", message.authenticated)
    except ValueError:
        return message.content.encrypted, False
    return found, is_one and is_real
