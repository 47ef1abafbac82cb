"""Leak channel 17: at the highest level of detail nothing that is said holds a Value, a password or a secret."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from dcmveil import cli
from tests.hostile.test_silent import OBJECTS, has_no_marker
from tests.secrets.test_reprs import TABOO
from tests.services.certificates import certificate, key_bytes, pem_of, rsa_key, write

Capture = pytest.CaptureFixture[str]
PASSWORD, SECRET = b"VEILME the password", b"VEILME the secret"
STRIDE = 12  # of the objects, where each of them costs an RSA key

ALWAYS = ["-r", "-D", "--report", "report"]
DEIDENTIFY = ["--secret-file", "secret", "--password-file", "password", "-c", "cert", "--verify", "--clean-descriptors"]
RUNS = {
    "-e -c": ["-e", *DEIDENTIFY, "--modify-dates", "--map", "map"],
    "-e, all Options, allowed": ["-e", "--secret-file", "secret", "--allow-embedded-overlays", "--existing-encrypted",
                                 "keep", "--retain-uids", "--clean-graphics", "--clean-structured-content",
                                 "--retain-device-identity", "--retain-safe-private", "--refuse-risky"],
    "-e --dry-run": ["-e", "--dry-run", "--retain-patient-characteristics", "--patient-id", "ids.csv"],
    "-d": ["-d", "-k", "locked", "--key-password-file", "password"],
    "-d, by password": ["-d", "--password-file", "password"],
    "--dumb": ["--dumb", "--replace", "10,10=VEILME", "--empty", "10,20", "--remove", "9,10,VEILME"],
    "--dumb --dry-run": ["--dumb", "--dry-run", "--replace", "StudyDate=VEILME"],
    "--jobs": ["-e", "--jobs", "2", "--secret-file", "secret"],
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything secret in files, of which others may read some."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "cert", pem_of(certificate(rsa_key())), 0o666)
    write(tmp_path / "locked", key_bytes(rsa_key(), passphrase=PASSWORD), 0o644)
    write(tmp_path / "password", PASSWORD, 0o644)
    write(tmp_path / "secret", SECRET, 0o644)
    write(tmp_path / "ids.csv", b"VEILME0001,VEILME0002\n")
    (tmp_path / "in").mkdir()
    return tmp_path


def culprits(said: str) -> list[str]:
    return [line for line in said.splitlines() if not has_no_marker(line) or any(word in line for word in TABOO)]


def said_by(arguments: list[str], capfd: Capture) -> str:
    """All that comes of a run, and its report."""
    cli.run([*ALWAYS, *arguments, "in", "out"])
    out, err = capfd.readouterr()
    return out + err + Path("report").read_text("ascii")


@pytest.mark.parametrize("arguments", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("stride", [pytest.param(1, marks=pytest.mark.ci), 8 * STRIDE])
def test_leak_channel_17_nothing_is_said_at_the_highest_level(
    arguments: list[str], stride: int, place: Path, capfd: Capture
) -> None:
    """Of every object that can be read and every one that cannot, in each mode."""
    objects = OBJECTS[:: max(stride, STRIDE if "cert" in arguments else 1)]
    for number, (_name, data) in enumerate(objects):
        (place / "in" / f"{number:04}").write_bytes(data)
    said = said_by(arguments, capfd)
    assert said.count("\n") >= len(objects)
    assert culprits(said) == []


@pytest.mark.ci
def test_leak_channel_17_nothing_is_said_of_what_is_restored(place: Path, capfd: Capture) -> None:
    """Of what -e has encrypted, with the right key, the right password and wrong ones."""
    for number, (_name, data) in enumerate(OBJECTS[::STRIDE]):
        (place / "in" / f"{number:04}").write_bytes(data)
    cli.run([*ALWAYS, "-e", "--password-file", "password", "-c", "cert", "in", "crypt"])
    write(place / "other", key_bytes(rsa_key(1)))
    (place / "in").rename("originals")
    (place / "crypt").rename("in")
    capfd.readouterr()
    for arguments in (RUNS["-d"], RUNS["-d, by password"], ["-d", "-k", "other"], ["-d", "--password-file", "secret"]):
        said = said_by(arguments, capfd)
        assert len(list((place / "in").iterdir())) > 40
        assert culprits(said) == []


@pytest.mark.ci
def test_leak_channel_17_nothing_is_said_of_pipes(place: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through standard input, which has no name."""
    said = ""
    for _name, data in OBJECTS[::STRIDE]:
        reader, writer = os.pipe()
        os.write(writer, data[:60000])
        os.close(writer)
        with open(reader, "rb") as stdin:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stdin))
            saved = os.dup(0)
            os.dup2(reader, 0)
            try:
                cli.run(["-D", "--report", "report", "-", "out.dcm"])
            finally:
                os.dup2(saved, 0)
                os.close(saved)
        said += "".join(capfd.readouterr()) + Path("report").read_text("ascii")
    assert "standard input" in said
    assert culprits(said) == []
