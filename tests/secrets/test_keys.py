"""Leak channels 21, 24 and 25: how keys travel, which are too weak, and who may read the files they are in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from cryptography import x509

from tests.cli.support import image, invoke, one_line
from tests.hostile.forms import EXPLICIT
from tests.services.certificates import certificate, ec_key, key_bytes, pem_of, rsa_key, write

Capture = pytest.CaptureFixture[str]

# Object identifiers in DER (RFC 3370, RFC 3560).
RSAES_PKCS1_V1_5 = bytes.fromhex("06092a864886f70d010101")
RSAES_OAEP = bytes.fromhex("06092a864886f70d010107")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An object, a certificate and its key, which nobody else may read."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in.dcm", image())
    write(tmp_path / "cert", pem_of(certificate(rsa_key())))
    write(tmp_path / "key", key_bytes(rsa_key()))
    return tmp_path


def encrypted_content(path: Path) -> bytes:
    return bytes(pydicom.dcmread(path)[0x04000500].value[0][0x04000520].value)


@pytest.mark.parametrize(
    ("options", "used"), [([], RSAES_PKCS1_V1_5), (["--oaep"], RSAES_OAEP)], ids=["default", "oaep"]
)
def test_leak_channel_21_keys_travel_as_the_standard_says_or_by_oaep(
    options: list[str], used: bytes, folder: Path, capfd: Capture
) -> None:
    """PS3.15 E.1.1 and gdcmanon want RSAES-PKCS1-v1_5; -d reads both without being told."""
    assert invoke(capfd, *options, "-c", "cert", "in.dcm", "crypt.dcm") == (0, "", "")
    content = encrypted_content(folder / "crypt.dcm")
    assert [known for known in (RSAES_PKCS1_V1_5, RSAES_OAEP) if known in content] == [used]
    assert invoke(capfd, "-d", "-k", "key", "crypt.dcm", "back.dcm") == (0, "", "")
    assert (folder / "back.dcm").read_bytes() == image()


# ---- weak choices ----------------------------------------------------------------------------------------------

WEAK: dict[str, tuple[Callable[[], x509.Certificate], str]] = {
    "short key": (lambda: certificate(rsa_key(bits=1024)), "an RSA key of 1024 bits, fewer than 2048"),
    "expired": (lambda: certificate(rsa_key(), days=(-10, -5)), "the certificate has expired on"),
    "not yet valid": (lambda: certificate(rsa_key(), days=(5, 10)), "the certificate is not valid before"),
    "key usage": (lambda: certificate(rsa_key(), usage="digital_signature"), "does not include key encipherment"),
}


@pytest.mark.parametrize("kind", WEAK)
def test_leak_channel_24_a_weak_certificate_is_refused_unless_allowed(kind: str, folder: Path, capfd: Capture) -> None:
    make, says = WEAK[kind]
    write(folder / "cert", pem_of(make()))
    one_line(invoke(capfd, "-c", "cert", "in.dcm", "out.dcm"), f"cert: {says}" if kind != "key usage" else says)
    assert not (folder / "out.dcm").exists()
    status, out, err = invoke(capfd, "--allow-weak", "-c", "cert", "in.dcm", "out.dcm")
    assert (status, out, err.count("\n")) == (0, "", 1)
    assert err.startswith("dcmveil: warning: cert: ")
    assert says in err


def test_leak_channel_24_a_short_private_key_is_refused_unless_allowed(folder: Path, capfd: Capture) -> None:
    write(folder / "cert", pem_of(certificate(rsa_key(bits=1024))))
    write(folder / "key", key_bytes(rsa_key(bits=1024)))
    assert invoke(capfd, "--allow-weak", "-c", "cert", "in.dcm", "crypt.dcm").status == 0
    one_line(invoke(capfd, "-d", "-k", "key", "crypt.dcm", "back.dcm"), "key: an RSA key of 1024 bits")
    assert invoke(capfd, "-d", "--allow-weak", "-k", "key", "crypt.dcm", "back.dcm").status == 0
    assert (folder / "back.dcm").read_bytes() == image()


def test_leak_channel_24_no_other_key_than_rsa(folder: Path, capfd: Capture) -> None:
    write(folder / "cert", pem_of(certificate(ec_key())))
    write(folder / "key", key_bytes(ec_key()))
    for options in ([], ["--allow-weak"]):
        one_line(
            invoke(capfd, *options, "-c", "cert", "in.dcm", "out.dcm"), "cert: the certificate is not one of an RSA key"
        )
        one_line(
            invoke(capfd, "-d", *options, "-k", "key", "in.dcm", "out.dcm"), "key: the private key is not an RSA key"
        )


def test_leak_channel_24_triple_des_is_warned_of(folder: Path, capfd: Capture) -> None:
    """PS3.15 names it, and gdcmanon has it: it is used if it is asked for."""
    warning = "dcmveil: warning: --des3: Triple-DES is weak; without it AES-256 is used\n"
    assert invoke(capfd, "--des3", "-c", "cert", "in.dcm", "out.dcm") == (0, "", warning)


# ---- files -----------------------------------------------------------------------------------------------------

MODES = [0o600, 0o640, *(pytest.param(mode, marks=pytest.mark.ci) for mode in (0o400, 0o604, 0o620, 0o602, 0o777))]


@pytest.mark.parametrize("mode", MODES, ids=oct)
def test_leak_channel_25_files_that_others_may_get_at_are_warned_of(mode: int, folder: Path, capfd: Capture) -> None:
    """Of keys, secrets, passwords and passphrases; they are used, for containers mount them as they like."""
    write(folder / "secret", b"VEILME, 16 bytes or more", mode)
    write(folder / "password", b"VEILME password", mode)
    write(folder / "locked", key_bytes(rsa_key(), passphrase=b"VEILME passphrase"), mode)
    write(folder / "phrase", b"VEILME passphrase", mode)
    expected = {"secret": "secret", "password": "password", "locked": "private key", "phrase": "passphrase"}
    said = invoke(capfd, "-c", "cert", "--secret-file", "secret", "--password-file", "password", "in.dcm", "crypt.dcm")
    assert said.status == 0
    back = invoke(capfd, "-d", "-k", "locked", "--key-password-file", "phrase", "crypt.dcm", "back.dcm")
    assert back.status == 0
    warnings = {
        f"dcmveil: warning: {name}: others than its owner may get at this {what} (mode {mode:04o})"
        for name, what in expected.items()
    }
    assert set((said.err + back.err).splitlines()) == (warnings if mode & 0o077 else set())


@pytest.mark.ci
def test_leak_channel_25_secrets_may_come_by_descriptor(folder: Path) -> None:
    """As a shell's process substitution gives them: in no file, in no argument, and without a warning."""
    write(folder / "locked", key_bytes(rsa_key(), passphrase=b"VEILME passphrase"))

    def given(secret: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        reader, writer = os.pipe()
        os.write(writer, secret)
        os.close(writer)
        command: list[Any] = [sys.executable, "-m", "dcmveil", *arguments]
        command = [argument.replace("FD", f"/dev/fd/{reader}") for argument in command]
        try:
            return subprocess.run(command, pass_fds=[reader], capture_output=True, check=False, timeout=60)
        finally:
            os.close(reader)

    runs = [
        given(b"VEILME password\n", "-c", "cert", "--password-file", "FD", "in.dcm", "crypt.dcm"),
        given(b"VEILME password", "-d", "--password-file", "FD", "crypt.dcm", "back1.dcm"),
        given(b"VEILME passphrase", "-d", "-k", "locked", "--key-password-file", "FD", "crypt.dcm", "back2.dcm"),
        given(b"VEILME, sixteen bytes or more", "--secret-file", "FD", "in.dcm", "keyed.dcm"),
        given(key_bytes(rsa_key()), "-d", "-k", "FD", "crypt.dcm", "back3.dcm"),
    ]
    assert [(run.returncode, run.stdout, run.stderr) for run in runs] == [(0, b"", b"")] * 5
    assert {(folder / f"back{number}.dcm").read_bytes() for number in (1, 2, 3)} == {image()}


# ---- lengths ---------------------------------------------------------------------------------------------------

KEYED = ["--secret-file", "secret", "--patient-name", "empty"]


@pytest.mark.parametrize("options", [[], ["--authenticated"], ["--des3"], ["--oaep"]], ids=str)
def test_leak_channel_26_the_length_tells_nothing_of_a_name(options: list[str], folder: Path, capfd: Capture) -> None:
    """Of 5 letters or of 60: neither the blob nor the file is longer. (New UIDs have lengths that the secret makes.)"""
    write(folder / "secret", b"sixteen bytes or more")
    lengths = set()
    for letters in (1, 5, 20, 59, 60):
        name = EXPLICIT.element(0x00100010, "PN", b"N" * letters)
        write(folder / "in.dcm", EXPLICIT.file(EXPLICIT.common() + name))
        assert invoke(capfd, *options, *KEYED, "-c", "cert", "in.dcm", "out.dcm").status == 0
        lengths.add((len(encrypted_content(folder / "out.dcm")), (folder / "out.dcm").stat().st_size))
    assert len(lengths) == 1
