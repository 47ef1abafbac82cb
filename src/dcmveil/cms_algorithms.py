"""The algorithms of encrypted messages: content ciphers, key transport, and keys from passwords.

Which there are, and how an AlgorithmIdentifier tells each: AES and Triple-DES in CBC (RFC 3370, 3565), AES in GCM
(RFC 5084), RSAES-PKCS1-v1_5 and RSAES-OAEP (RFC 3560, 4055), PBKDF2 (RFC 8018) and the key wrapping of RFC 3211.
What cannot be read is a ValueError. What is computed, `cryptography` computes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.asn1 import TLV, Null
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from dcmveil.cms_structures import (
    GcmParameters,
    OaepParameters,
    ObjectIdentifier,
    Pbkdf2Parameters,
    algorithm,
    algorithm_of,
    as_tlv,
    identifier_of,
    parameters_of,
    tlv,
)

__all__ = [
    "CBC",
    "GCM",
    "OAEP",
    "PKCS1_V1_5",
    "BlockCipher",
    "Encryption",
    "KeyDerivation",
    "KeyTransport",
    "KeyWrap",
]

NONCE_BYTES = 12
MAC_BYTES = 16
MIN_MAC_BYTES = 12  # RFC 5084 3.2

_SHA1 = ObjectIdentifier("1.3.14.3.2.26")
_SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_DIGESTS: dict[ObjectIdentifier, Callable[[], hashes.HashAlgorithm]] = {
    _SHA1: hashes.SHA1,
    _SHA256: hashes.SHA256,
    ObjectIdentifier("2.16.840.1.101.3.4.2.2"): hashes.SHA384,
    ObjectIdentifier("2.16.840.1.101.3.4.2.3"): hashes.SHA512,
    ObjectIdentifier("2.16.840.1.101.3.4.2.4"): hashes.SHA224,
    ObjectIdentifier("2.16.840.1.101.3.4.2.5"): hashes.SHA512_224,
    ObjectIdentifier("2.16.840.1.101.3.4.2.6"): hashes.SHA512_256,
    ObjectIdentifier("2.16.840.1.101.3.4.2.7"): hashes.SHA3_224,
    ObjectIdentifier("2.16.840.1.101.3.4.2.8"): hashes.SHA3_256,
    ObjectIdentifier("2.16.840.1.101.3.4.2.9"): hashes.SHA3_384,
    ObjectIdentifier("2.16.840.1.101.3.4.2.10"): hashes.SHA3_512,
}
_HMAC_SHA1 = ObjectIdentifier("1.2.840.113549.2.7")
_HMAC_SHA256 = ObjectIdentifier("1.2.840.113549.2.9")
_HMACS: dict[ObjectIdentifier, Callable[[], hashes.HashAlgorithm]] = {
    _HMAC_SHA1: hashes.SHA1,
    _HMAC_SHA256: hashes.SHA256,
    ObjectIdentifier("1.2.840.113549.2.8"): hashes.SHA224,
    ObjectIdentifier("1.2.840.113549.2.10"): hashes.SHA384,
    ObjectIdentifier("1.2.840.113549.2.11"): hashes.SHA512,
    ObjectIdentifier("1.2.840.113549.2.12"): hashes.SHA512_224,
    ObjectIdentifier("1.2.840.113549.2.13"): hashes.SHA512_256,
    ObjectIdentifier("2.16.840.1.101.3.4.2.13"): hashes.SHA3_224,
    ObjectIdentifier("2.16.840.1.101.3.4.2.14"): hashes.SHA3_256,
    ObjectIdentifier("2.16.840.1.101.3.4.2.15"): hashes.SHA3_384,
    ObjectIdentifier("2.16.840.1.101.3.4.2.16"): hashes.SHA3_512,
}


_T = TypeVar("_T")


def _supported(table: Mapping[ObjectIdentifier, _T], identifier: ObjectIdentifier) -> _T:
    found = table.get(identifier)
    if found is None:
        raise ValueError("an algorithm that is not supported")
    return found


# ---- content ---------------------------------------------------------------------------------------------------


class BlockCipher(NamedTuple):
    """A block cipher with keys of one length, in CBC or, if `is_authenticated`, in GCM."""

    identifier: ObjectIdentifier
    algorithm: Callable[[bytes], BlockCipherAlgorithm]
    key_bytes: int
    block_bytes: int
    is_authenticated: bool = False

    def encrypt(self, key: bytes, iv: bytes, blocks: bytes) -> bytes:
        """In CBC, without padding."""
        encryptor = Cipher(self.algorithm(key), modes.CBC(iv)).encryptor()
        return encryptor.update(blocks) + encryptor.finalize()

    def decrypt(self, key: bytes, iv: bytes, blocks: bytes) -> bytes:
        """In CBC, padding and all. ValueError unless these are whole blocks."""
        decryptor = Cipher(self.algorithm(key), modes.CBC(iv)).decryptor()
        return decryptor.update(blocks) + decryptor.finalize()


CBC = {
    "des3": BlockCipher(ObjectIdentifier("1.2.840.113549.3.7"), TripleDES, 24, 8),
    "aes128": BlockCipher(ObjectIdentifier("2.16.840.1.101.3.4.1.2"), AES, 16, 16),
    "aes192": BlockCipher(ObjectIdentifier("2.16.840.1.101.3.4.1.22"), AES, 24, 16),
    "aes256": BlockCipher(ObjectIdentifier("2.16.840.1.101.3.4.1.42"), AES, 32, 16),
}
GCM = {
    "aes128": BlockCipher(ObjectIdentifier("2.16.840.1.101.3.4.1.6"), AES, 16, 16, True),
    "aes192": BlockCipher(ObjectIdentifier("2.16.840.1.101.3.4.1.26"), AES, 24, 16, True),
    "aes256": BlockCipher(ObjectIdentifier("2.16.840.1.101.3.4.1.46"), AES, 32, 16, True),
}
_BY_IDENTIFIER = {cipher.identifier: cipher for table in (CBC, GCM) for cipher in table.values()}


class Encryption(NamedTuple):
    """A ContentEncryptionAlgorithmIdentifier: a cipher with its IV or nonce, and the length of its MAC."""

    cipher: BlockCipher
    iv: bytes
    mac_bytes: int = 0

    @classmethod
    def new(cls, cipher: BlockCipher) -> Encryption:
        """With a random IV or nonce."""
        if cipher.is_authenticated:
            return cls(cipher, os.urandom(NONCE_BYTES), MAC_BYTES)
        return cls(cipher, os.urandom(cipher.block_bytes))

    @classmethod
    def of(cls, found: list[TLV]) -> Encryption:
        """As an AlgorithmIdentifier tells it."""
        cipher = _supported(_BY_IDENTIFIER, identifier_of(found))
        if not cipher.is_authenticated:
            return cls(cipher, parameters_of(found, bytes))
        parameters = parameters_of(found, GcmParameters)
        if not MIN_MAC_BYTES <= parameters.mac_bytes <= MAC_BYTES:
            raise ValueError("a MAC of a length that is not supported")
        return cls(cipher, parameters.nonce, parameters.mac_bytes)

    def identifier(self) -> list[TLV]:
        """The AlgorithmIdentifier."""
        if self.cipher.is_authenticated:
            return algorithm(self.cipher.identifier, GcmParameters(nonce=self.iv, mac_bytes=self.mac_bytes))
        return algorithm(self.cipher.identifier, self.iv)

    def encrypt(self, key: bytes, plaintext: bytes) -> tuple[bytes, bytes]:
        """The encrypted content and its MAC, which is empty in CBC."""
        if self.cipher.is_authenticated:
            encryptor = Cipher(self.cipher.algorithm(key), modes.GCM(self.iv)).encryptor()
            return encryptor.update(plaintext) + encryptor.finalize(), encryptor.tag
        padder = PKCS7(8 * self.cipher.block_bytes).padder()
        return self.cipher.encrypt(key, self.iv, padder.update(plaintext) + padder.finalize()), b""

    def decrypt(self, key: bytes, encrypted: bytes, mac: bytes, authenticated: bytes) -> tuple[bytes, bool]:
        """The plaintext, and whether it is one: with a wrong padding it is all that came out, with a wrong MAC what
        went in. ValueError for lengths that cannot be right, which anyone can see."""
        if self.cipher.is_authenticated:
            return self._decrypt_authenticated(key, encrypted, mac, authenticated)
        blocks = self.cipher.decrypt(key, self.iv, encrypted)
        unpadder = PKCS7(8 * self.cipher.block_bytes).unpadder()
        try:
            return unpadder.update(blocks) + unpadder.finalize(), True
        except ValueError:
            return blocks, False

    def _decrypt_authenticated(
        self, key: bytes, encrypted: bytes, mac: bytes, authenticated: bytes
    ) -> tuple[bytes, bool]:
        if len(mac) != self.mac_bytes:
            raise ValueError("a MAC of another length")
        mode = modes.GCM(self.iv, mac, min_tag_length=MIN_MAC_BYTES)
        decryptor = Cipher(self.cipher.algorithm(key), mode).decryptor()
        decryptor.authenticate_additional_data(authenticated)
        try:
            return decryptor.update(encrypted) + decryptor.finalize(), True
        except InvalidTag:
            return encrypted, False


# ---- RSA key transport -----------------------------------------------------------------------------------------

_RSA_ENCRYPTION = ObjectIdentifier("1.2.840.113549.1.1.1")
_RSAES_OAEP = ObjectIdentifier("1.2.840.113549.1.1.7")
_MGF1 = ObjectIdentifier("1.2.840.113549.1.1.8")
_P_SPECIFIED = ObjectIdentifier("1.2.840.113549.1.1.9")

_NO_OAEP_PARAMETERS = OaepParameters(digest=None, mask=None, label=None)


class KeyTransport(NamedTuple):
    """RSAES-PKCS1-v1_5 or RSAES-OAEP, as what `cryptography` takes and as an AlgorithmIdentifier."""

    padding: AsymmetricPadding
    identifier: list[TLV]

    @classmethod
    def of(cls, found: list[TLV]) -> KeyTransport:
        """As an AlgorithmIdentifier tells it."""
        identifier = identifier_of(found)
        if identifier == _RSA_ENCRYPTION:
            return cls(padding.PKCS1v15(), found)
        if identifier != _RSAES_OAEP:
            raise ValueError("an algorithm that is not supported")
        return cls(_oaep(parameters_of(found, OaepParameters) if len(found) > 1 else _NO_OAEP_PARAMETERS), found)


def _oaep(parameters: OaepParameters) -> padding.OAEP:
    mask = None if parameters.mask is None else algorithm_of(_parameter(parameters.mask, _MGF1))
    label = b"" if parameters.label is None else _parameter(parameters.label, _P_SPECIFIED).parse(bytes)
    return padding.OAEP(padding.MGF1(_digest(mask)), _digest(parameters.digest), label or None)


def _digest(found: list[TLV] | None) -> hashes.HashAlgorithm:
    return hashes.SHA1() if found is None else _supported(_DIGESTS, identifier_of(found))()


def _parameter(found: list[TLV], identifier: ObjectIdentifier) -> TLV:
    """The parameter of an AlgorithmIdentifier that must be this one."""
    if len(found) != 2 or identifier_of(found) != identifier:
        raise ValueError("an algorithm that is not supported")
    return found[1]


def _oaep_sha256() -> list[TLV]:
    digest = algorithm(_SHA256, Null())
    mask = [tlv(_MGF1), as_tlv(digest)]
    return algorithm(_RSAES_OAEP, OaepParameters(digest=digest, mask=mask, label=None))


PKCS1_V1_5 = KeyTransport.of(algorithm(_RSA_ENCRYPTION, Null()))
OAEP = KeyTransport.of(_oaep_sha256())


# ---- keys from passwords ---------------------------------------------------------------------------------------

_PBKDF2 = ObjectIdentifier("1.2.840.113549.1.5.12")
_PWRI_KEK = ObjectIdentifier("1.2.840.113549.1.9.16.3.9")


class KeyDerivation(NamedTuple):
    """PBKDF2, as it is told without the length of the key that it shall give."""

    salt: bytes
    iterations: int
    prf: ObjectIdentifier = _HMAC_SHA256

    @classmethod
    def of(cls, found: list[TLV] | None, key_bytes: int) -> KeyDerivation:
        """As an AlgorithmIdentifier tells it, for a key of `key_bytes`."""
        if found is None or identifier_of(found) != _PBKDF2:
            raise ValueError("an algorithm that is not supported")
        parameters = parameters_of(found, Pbkdf2Parameters)
        if parameters.key_bytes not in (None, key_bytes) or parameters.iterations < 1:
            raise ValueError("parameters that do not fit")
        prf = _HMAC_SHA1 if parameters.pseudo_random is None else identifier_of(parameters.pseudo_random)
        return cls(parameters.salt, parameters.iterations, prf)

    def identifier(self) -> list[TLV]:
        """The AlgorithmIdentifier."""
        prf = algorithm(self.prf, Null())
        parameters = Pbkdf2Parameters(salt=self.salt, iterations=self.iterations, key_bytes=None, pseudo_random=prf)
        return algorithm(_PBKDF2, parameters)

    def derive(self, password: bytes, key_bytes: int) -> bytes:
        """The key-encryption key. ValueError for a pseudo-random function that is not supported."""
        digest = _supported(_HMACS, self.prf)()
        return PBKDF2HMAC(digest, key_bytes, self.salt, self.iterations).derive(password)


class KeyWrap(NamedTuple):
    """Id-alg-PWRI-KEK with a cipher in CBC: the wrapping of RFC 3211, encrypted twice over."""

    cipher: BlockCipher
    iv: bytes

    @classmethod
    def new(cls, cipher: BlockCipher) -> KeyWrap:
        """With a random IV."""
        return cls(cipher, os.urandom(cipher.block_bytes))

    @classmethod
    def of(cls, found: list[TLV]) -> KeyWrap:
        """As an AlgorithmIdentifier tells it."""
        encryption = Encryption.of(algorithm_of(_parameter(found, _PWRI_KEK)))
        if encryption.cipher.is_authenticated:
            raise ValueError("an algorithm that is not supported")
        return cls(encryption.cipher, encryption.iv)

    def identifier(self) -> list[TLV]:
        """The AlgorithmIdentifier."""
        return [tlv(_PWRI_KEK), as_tlv(algorithm(self.cipher.identifier, self.iv))]

    def wrap(self, kek: bytes, key: bytes) -> bytes:
        """Length, check value, key, and random padding to two blocks or more (RFC 3211 2.3.1)."""
        formatted = bytes([len(key)]) + _check_value(key) + key
        blocks = max(2, -(-len(formatted) // self.cipher.block_bytes))
        formatted += os.urandom(blocks * self.cipher.block_bytes - len(formatted))
        once = self.cipher.encrypt(kek, self.iv, formatted)
        return self.cipher.encrypt(kek, once[-self.cipher.block_bytes :], once)

    def unwrap(self, kek: bytes, wrapped: bytes) -> bytes:
        """The key. ValueError if its check value is another one (RFC 3211 2.3.2)."""
        size = self.cipher.block_bytes
        last_of_once = self.cipher.decrypt(kek, wrapped[-2 * size : -size], wrapped[-size:])
        once = self.cipher.decrypt(kek, last_of_once, wrapped)
        formatted = self.cipher.decrypt(kek, self.iv, once)
        key = formatted[4 : 4 + formatted[0]]
        if len(key) != formatted[0] or formatted[1:4] != _check_value(key):
            raise ValueError("not a wrapped key")
        return key


def _check_value(key: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in key[:3])
