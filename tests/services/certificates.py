"""Throwaway keys and certificates. Keys are made once per size and number: that is what takes time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)


@lru_cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same key for the same number."""
    return rsa.generate_private_key(65537, bits)


@lru_cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    key: Any, *, days: tuple[int, int] = (-1, 365), usage: str | None = "key_encipherment", name: str = "recipient"
) -> x509.Certificate:
    """Self-signed, valid from and until so many days from now; with one key usage or, for None, no extension at all.

    With a usage it also has a SubjectKeyIdentifier.
    """
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start, end = (datetime.now(UTC) + timedelta(days=day) for day in days)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
    if usage is not None:
        builder = builder.add_extension(_usage(usage), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256())


def _usage(allowed: str) -> x509.KeyUsage:
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign"
    usages = {name: name == allowed for name in [*names.split(), "crl_sign", "encipher_only", "decipher_only"]}
    return x509.KeyUsage(**usages)


def pem_of(found: x509.Certificate) -> bytes:
    return found.public_bytes(Encoding.PEM)


def key_bytes(
    key: Any,
    *,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encoding: Encoding = Encoding.PEM,
    passphrase: bytes | None = None,
) -> bytes:
    encryption: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        encryption = BestAvailableEncryption(passphrase)
    serialized: bytes = key.private_bytes(encoding, form, encryption)
    return serialized


def write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path
