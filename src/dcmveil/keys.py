"""Files with a certificate or a private key: read, told from each other, and refused if too weak.

RSA only (PS3.15 annex E.1 names no other key transport). What is weak, expired or meant for something else is refused
with what is wrong and how to use it all the same. No message holds a byte of a key or a passphrase.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from dcmveil.descriptors import opening, read_most
from dcmveil.errors import KeyFileError, show_path

__all__ = ["load_certificates", "load_private_key"]

MAX_BYTES = 1 << 20
MIN_KEY_BITS = 2048

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)

_Path = str | os.PathLike[str]
_Warn = Callable[[str], None]


def load_certificates(path: _Path, *, allow_weak: bool = False, warn: _Warn) -> list[x509.Certificate]:
    """The certificate in a file, PEM or DER; of several the first, as gdcmanon does.

    KeyFileError if there is none, if its key is not RSA, and, unless `allow_weak` makes them warnings, if the key is
    short, the certificate not valid today, or the key not meant for encrypting keys. A file that anybody may change is
    a warning: it says who can read the originals.
    """
    data, mode = _read(path)
    try:
        load = x509.load_pem_x509_certificate if _LABEL.search(data) else x509.load_der_x509_certificate
        certificate = load(data)
    except ValueError:
        raise _not_a(path, "certificate", data) from None
    if stat.S_ISREG(mode) and mode & stat.S_IWOTH:
        warn(f"{show_path(path)}: anybody may change this certificate (mode {stat.S_IMODE(mode):04o})")
    _check(path, _weaknesses_of_certificate(path, certificate), allow_weak, warn)
    return [certificate]


def load_private_key(
    path: _Path, *, password: Callable[[], bytes | None], allow_weak: bool = False, warn: _Warn
) -> RSAPrivateKey:
    """The RSA key in a file, PEM or DER, PKCS #8 or traditional; `password` is called if it is encrypted.

    KeyFileError if there is none, if the passphrase is missing or wrong, if the key is not RSA or, unless `allow_weak`
    makes that a warning, if it is short. A file that others than its owner may get at is a warning.
    """
    data, mode = _read(path)
    key = _decoded(path, data, password)
    if not isinstance(key, RSAPrivateKey):
        raise KeyFileError(f"{show_path(path)}: the private key is not an RSA key; no other can be used")
    if stat.S_ISREG(mode) and mode & _OTHERS:
        warn(f"{show_path(path)}: others than its owner may get at this private key (mode {stat.S_IMODE(mode):04o})")
    _check(path, _weaknesses_of_key(key), allow_weak, warn)
    return key


# ---- files -----------------------------------------------------------------------------------------------------


def _read(path: _Path) -> tuple[bytes, int]:
    """What is in a regular file or a pipe, such as a shell's process substitution, and the file's mode."""
    try:
        with opening(path, _READ) as fd:  # non-blocking, for the open only: a FIFO may have nobody at its other end
            mode = os.fstat(fd).st_mode
            os.set_blocking(fd, True)
            data = read_most(fd, MAX_BYTES + 1) if stat.S_ISREG(mode) or stat.S_ISFIFO(mode) else None
    except OSError as error:
        raise KeyFileError(f"{show_path(path)}: not read: {error.strerror or 'failed'}") from None
    except ValueError:
        raise KeyFileError(f"{show_path(path)}: not read: there can be no such path") from None
    if data is None:
        raise KeyFileError(f"{show_path(path)}: neither a file nor a pipe")
    if len(data) > MAX_BYTES:
        raise KeyFileError(f"{show_path(path)}: more than 1 MiB, too large for a certificate or a key")
    return data, mode


def _not_a(path: _Path, wanted: str, data: bytes) -> KeyFileError:
    """The error for a file that is not what it should be, saying what it is instead."""
    found = _kind_of(data)
    if not data:
        return KeyFileError(f"{show_path(path)}: is empty, no {wanted}")
    if found is None or found == wanted:
        return KeyFileError(f"{show_path(path)}: holds no {wanted} that can be read, neither in PEM nor in DER")
    return KeyFileError(f"{show_path(path)}: holds a {found}, not a {wanted}")


def _kind_of(data: bytes) -> str | None:
    """What a file seems to be: of PEM the first label, of DER what can be read."""
    label = _LABEL.search(data)
    if label is not None:
        return next((kind for words, kind in _KINDS.items() if words in label[1]), None)
    for kind, load in (("certificate", x509.load_der_x509_certificate), ("private key", _load_der)):
        try:
            load(data)
        except (ValueError, UnsupportedAlgorithm):
            continue
        except TypeError:  # encrypted
            pass
        return kind
    return None


_KINDS = {
    b"PRIVATE KEY": "private key",
    b"PUBLIC KEY": "public key",
    b"CERTIFICATE REQUEST": "certificate signing request",
    b"CERTIFICATE": "certificate",
}


def _load_der(data: bytes) -> object:
    return load_der_private_key(data, None)


# ---- private keys ----------------------------------------------------------------------------------------------


def _decoded(path: _Path, data: bytes, password: Callable[[], bytes | None]) -> object:
    block = _PRIVATE_KEY.search(data)
    load = load_der_private_key if block is None else load_pem_private_key
    data = data if block is None else block[0] + b"\n"
    try:
        return load(data, None)
    except TypeError:  # what tells that it is encrypted
        pass
    except (ValueError, UnsupportedAlgorithm):
        raise _not_a(path, "private key", data) from None
    passphrase = password()
    if passphrase is None:
        raise KeyFileError(f"{show_path(path)}: the private key is encrypted: --key-password-file gives its passphrase")
    try:
        return load(data, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(f"{show_path(path)}: wrong passphrase for the private key, or it is damaged") from None


# ---- what is weak ----------------------------------------------------------------------------------------------


def _check(path: _Path, weaknesses: Iterator[str], allow_weak: bool, warn: _Warn) -> None:
    for weakness in weaknesses:
        if not allow_weak:
            raise KeyFileError(f"{show_path(path)}: {weakness}; --allow-weak uses it all the same")
        warn(f"{show_path(path)}: {weakness}")


def _weaknesses_of_key(key: RSAPrivateKey | RSAPublicKey) -> Iterator[str]:
    if key.key_size < MIN_KEY_BITS:
        yield f"an RSA key of {key.key_size} bits, fewer than {MIN_KEY_BITS}"


def _weaknesses_of_certificate(path: _Path, certificate: x509.Certificate) -> Iterator[str]:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{show_path(path)}: the certificate has a key that cannot be used") from None
    if not isinstance(key, RSAPublicKey):
        raise KeyFileError(f"{show_path(path)}: the certificate is not one of an RSA key; no other can be used")
    yield from _weaknesses_of_key(key)
    now = datetime.now(UTC)
    if now < certificate.not_valid_before_utc:
        yield f"the certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    if now > certificate.not_valid_after_utc:
        yield f"the certificate has expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    yield from _weaknesses_of_usage(certificate)


def _weaknesses_of_usage(certificate: x509.Certificate) -> Iterator[str]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    except ValueError:
        yield "the extensions of the certificate cannot be read"
        return
    if not usage.key_encipherment:
        yield "the certificate's key usage does not include key encipherment"
