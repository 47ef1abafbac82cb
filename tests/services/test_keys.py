"""Files with keys and certificates: which are read, which are refused and why, and that nobody leaks a secret."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

from dcmveil.errors import KeyFileError
from dcmveil.keys import load_certificates, load_private_key
from tests.services.certificates import certificate, ec_key, key_bytes, pem_of, rsa_key, write

PASSPHRASE = b"open sesame"
CERTIFICATE = certificate(rsa_key())
WEAK = rsa_key(bits=1024)
OPENSSL = [tool for tool in ("openssl",) if shutil.which(tool)]


def no_password() -> bytes | None:
    raise AssertionError("no passphrase is needed")


def read_certificate(path: Path | str, **options: Any) -> tuple[x509.Certificate, list[str]]:
    warnings: list[str] = []
    (found,) = load_certificates(path, warn=warnings.append, **options)
    return found, warnings


def read_key(
    path: Path | str, password: Callable[[], bytes | None] = no_password, **options: Any
) -> tuple[rsa.RSAPrivateKey, list[str]]:
    warnings: list[str] = []
    return load_private_key(path, password=password, warn=warnings.append, **options), warnings


def refusal(read: Callable[..., object], path: Path | str, *arguments: Any, **options: Any) -> str:
    """The one line of the error, which names the file and chains to nothing that could show a secret."""
    with pytest.raises(KeyFileError) as caught:
        read(path, *arguments, **options)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert text.isprintable()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return text.removeprefix(f"{path}: ")


# ---- certificates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER], ids=["PEM", "DER"])
def test_a_certificate_is_read(encoding: Encoding, tmp_path: Path) -> None:
    path = write(tmp_path / "cert", CERTIFICATE.public_bytes(encoding))
    assert read_certificate(path) == (CERTIFICATE, [])


def test_of_several_certificates_the_first_is_taken(tmp_path: Path) -> None:
    others = pem_of(certificate(rsa_key(1)))
    path = write(tmp_path / "cert", b"subject=/CN=x\n" + pem_of(CERTIFICATE) + others)
    assert read_certificate(path) == (CERTIFICATE, [])
    path = write(tmp_path / "cert", key_bytes(rsa_key()) + pem_of(CERTIFICATE) + others)
    assert read_certificate(path) == (CERTIFICATE, [])


def test_a_certificate_without_key_usage_may_be_used_for_anything(tmp_path: Path) -> None:
    path = write(tmp_path / "cert", pem_of(certificate(rsa_key(), usage=None)))
    assert read_certificate(path)[1] == []


WEAK_CERTIFICATES: dict[str, tuple[Callable[[], x509.Certificate], str]] = {
    "short": (lambda: certificate(WEAK), "an RSA key of 1024 bits, fewer than 2048"),
    "expired": (lambda: certificate(rsa_key(), days=(-10, -5)), "the certificate has expired on "),
    "early": (lambda: certificate(rsa_key(), days=(5, 10)), "the certificate is not valid before "),
    "signing": (
        lambda: certificate(rsa_key(), usage="digital_signature"),
        "the certificate's key usage does not include key encipherment",
    ),
}


@pytest.mark.parametrize("kind", WEAK_CERTIFICATES)
def test_a_weak_certificate_is_refused_unless_allowed(kind: str, tmp_path: Path) -> None:
    make, text = WEAK_CERTIFICATES[kind]
    path = write(tmp_path / "cert", pem_of(make()))
    message = refusal(read_certificate, path)
    assert message.startswith(text)
    assert message.endswith("; --allow-weak uses it all the same")
    found, (warning,) = read_certificate(path, allow_weak=True)
    assert found.public_key()
    assert warning.startswith(f"{path}: {text}")


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o646, 0o666])
def test_a_certificate_that_anybody_may_change_is_warned_of(mode: int, tmp_path: Path) -> None:
    path = write(tmp_path / "cert", pem_of(CERTIFICATE), mode)
    expected = [f"{path}: anybody may change this certificate (mode {mode:04o})"]
    assert read_certificate(path)[1] == (expected if mode & 0o002 else [])


def test_all_that_is_weak_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path / "cert", pem_of(certificate(WEAK, days=(-10, -5), usage="crl_sign")))
    assert len(read_certificate(path, allow_weak=True)[1]) == 3


@pytest.mark.parametrize("allow_weak", [False, True])
def test_no_other_key_than_rsa_is_taken(allow_weak: bool, tmp_path: Path) -> None:
    path = write(tmp_path / "cert", pem_of(certificate(ec_key())))
    assert "not one of an RSA key" in refusal(read_certificate, path, allow_weak=allow_weak)
    path = write(tmp_path / "key", key_bytes(ec_key()))
    assert "not an RSA key" in refusal(read_key, path, allow_weak=allow_weak)


def public_key() -> bytes:
    return rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


NOT_CERTIFICATES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "is empty, no certificate"),
    "garbage": (lambda: b"garbage", "holds no certificate that can be read, neither in PEM nor in DER"),
    "damaged": (
        lambda: pem_of(CERTIFICATE).replace(b"M", b"N", 3),
        "holds no certificate that can be read, neither in PEM nor in DER",
    ),
    "key": (lambda: key_bytes(rsa_key()), "holds a private key, not a certificate"),
    "encrypted key": (
        lambda: key_bytes(rsa_key(), passphrase=PASSPHRASE, encoding=Encoding.DER),
        "holds a private key, not a certificate",
    ),
    "key in DER": (
        lambda: key_bytes(rsa_key(), encoding=Encoding.DER),
        "holds a private key, not a certificate",
    ),
    "public key": (public_key, "holds a public key, not a certificate"),
    "too much": (lambda: bytes(1 + (1 << 20)), "more than 1 MiB, too large for a certificate or a key"),
}


@pytest.mark.parametrize("kind", NOT_CERTIFICATES)
def test_what_is_no_certificate_is_told(kind: str, tmp_path: Path) -> None:
    make, text = NOT_CERTIFICATES[kind]
    assert refusal(read_certificate, write(tmp_path / "cert", make())) == text


# ---- private keys ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER], ids=["PEM", "DER"])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=["pkcs8", "pkcs1"])
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])
def test_a_key_is_read(passphrase: bytes | None, form: PrivateFormat, encoding: Encoding, tmp_path: Path) -> None:
    if passphrase and form == PrivateFormat.TraditionalOpenSSL and encoding == Encoding.DER:
        return  # there is no such thing
    path = write(tmp_path / "key", key_bytes(rsa_key(), form=form, encoding=encoding, passphrase=passphrase))
    found, warnings = read_key(path, (lambda: passphrase) if passphrase else no_password)
    assert found.private_numbers() == rsa_key().private_numbers()
    assert warnings == []


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=["pkcs8", "pkcs1"])
def test_a_passphrase_that_is_missing_or_wrong_is_told(form: PrivateFormat, tmp_path: Path) -> None:
    path = write(tmp_path / "key", key_bytes(rsa_key(), form=form, passphrase=PASSPHRASE))
    missing = refusal(read_key, path, lambda: None)
    assert missing == "the private key is encrypted: --key-password-file gives its passphrase"
    for wrong in (b"", b"abracadabra", b"x" * 5000):
        text = refusal(read_key, path, lambda wrong=wrong: wrong)
        assert text == "wrong passphrase for the private key, or it is damaged"


def test_a_key_beside_its_certificate_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "both", pem_of(CERTIFICATE) + key_bytes(rsa_key()) + pem_of(CERTIFICATE))
    assert read_key(path)[0].private_numbers() == rsa_key().private_numbers()


NOT_KEYS: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "is empty, no private key"),
    "garbage": (lambda: b"\x30\x03\x02\x01\x00", "holds no private key that can be read, neither in PEM nor in DER"),
    "certificate": (lambda: pem_of(CERTIFICATE), "holds a certificate, not a private key"),
    "certificate in DER": (
        lambda: CERTIFICATE.public_bytes(Encoding.DER),
        "holds a certificate, not a private key",
    ),
    "public key": (public_key, "holds a public key, not a private key"),
    "damaged": (
        lambda: key_bytes(rsa_key()).replace(b"M", b"N", 3),
        "holds no private key that can be read, neither in PEM nor in DER",
    ),
}


@pytest.mark.parametrize("kind", NOT_KEYS)
def test_what_is_no_key_is_told(kind: str, tmp_path: Path) -> None:
    make, text = NOT_KEYS[kind]
    assert refusal(read_key, write(tmp_path / "key", make())) == text


def test_a_short_key_is_refused_unless_allowed(tmp_path: Path) -> None:
    path = write(tmp_path / "key", key_bytes(WEAK))
    assert refusal(read_key, path).startswith("an RSA key of 1024 bits, fewer than 2048; --allow-weak")
    assert read_key(path, allow_weak=True)[1] == [f"{path}: an RSA key of 1024 bits, fewer than 2048"]


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o644, 0o604, 0o620, 0o602])
def test_a_key_that_others_may_read_is_warned_of(mode: int, tmp_path: Path) -> None:
    path = write(tmp_path / "key", key_bytes(rsa_key()), mode)
    expected = [f"{path}: others than its owner may get at this private key (mode {mode:04o})"]
    assert read_key(path)[1] == (expected if mode & 0o077 else [])


@pytest.mark.parametrize("tool", OPENSSL)
def test_encrypted_keys_of_openssl_are_read(tool: str, tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", key_bytes(rsa_key()))
    for options in ("rsa -traditional -aes256", "rsa -traditional -des3", "pkcs8 -topk8", "pkcs8 -topk8 -outform DER"):
        path = tmp_path / "key"
        command = [tool, *options.split(), "-in", plain, "-out", path, "-passout", f"pass:{PASSPHRASE.decode()}"]
        subprocess.run(command, check=True, capture_output=True)
        path.chmod(0o600)
        assert read_key(path, lambda: PASSPHRASE)[0].private_numbers() == rsa_key().private_numbers()


# ---- what may be at a path -------------------------------------------------------------------------------------


def test_a_pipe_is_read_as_process_substitution_makes_it() -> None:
    reader, writer = os.pipe()
    data = pem_of(CERTIFICATE)
    slow = threading.Timer(0.1, lambda: (os.write(writer, data[:50]), os.write(writer, data[50:]), os.close(writer)))
    slow.start()
    try:
        assert read_certificate(f"/dev/fd/{reader}")[0] == CERTIFICATE
    finally:
        slow.join()
        os.close(reader)


def test_what_is_neither_file_nor_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    refusals = {
        tmp_path / "fifo": "is empty, no certificate",  # nobody writes to it: no waiting for somebody
        tmp_path: "neither a file nor a pipe",
        Path("/dev/null"): "neither a file nor a pipe",
        tmp_path / "absent": "not read: No such file or directory",
        "a\0b": "not read",
    }
    for path, text in refusals.items():
        with pytest.raises(KeyFileError, match=text):
            read_certificate(path)
