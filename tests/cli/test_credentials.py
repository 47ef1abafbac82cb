"""Passwords and passphrases, and where they come from; tables of another edition, and notes about what is ignored."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from dcmveil.errors import DcmveilError
from tests.cli.support import MARK, image, invoke, one_line, process
from tests.services.certificates import certificate, key_bytes, pem_of, rsa_key, write

Capture = pytest.CaptureFixture[str]
PASSPHRASE = "open s\u00e4same".encode()


@pytest.fixture
def folder(tmp_path: Path, capfd: Capture) -> Path:
    """An object, the same encrypted, and its key under a passphrase."""
    (tmp_path / "in.dcm").write_bytes(image())
    write(tmp_path / "cert.pem", pem_of(certificate(rsa_key())))
    write(tmp_path / "locked.pem", key_bytes(rsa_key(), passphrase=PASSPHRASE))
    said = invoke(capfd, "-c", tmp_path / "cert.pem", tmp_path / "in.dcm", tmp_path / "crypt.dcm")
    assert said == (0, "", "")
    return tmp_path


def restore(folder: Path) -> list[object]:
    return ["-d", "-k", folder / "locked.pem", folder / "crypt.dcm", folder / "out.dcm"]


# ---- passphrases -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_passphrase_from_a_file(end: bytes, folder: Path, capfd: Capture) -> None:
    write(folder / "passphrase", PASSPHRASE + end)
    said = invoke(capfd, "--key-password-file", folder / "passphrase", *restore(folder))
    assert said == (0, "", "")
    assert (folder / "out.dcm").read_bytes() == image()


def test_a_passphrase_from_standard_input_without_a_terminal(folder: Path) -> None:
    """As gdcmanon reads it. What follows the line is left alone."""
    write(folder / "input", PASSPHRASE + b"\nmore\n")
    with (folder / "input").open("rb") as stdin:
        said = process(*restore(folder), stdin=stdin, start_new_session=True)
    assert said == (0, "", "")
    assert (folder / "out.dcm").read_bytes() == image()


@pytest.mark.parametrize(
    ("given", "says"),
    [(b"", "is encrypted: --key-password-file"), (b"\n", "locked.pem"), (b"wrong\n", "wrong passphrase")],
)
def test_a_passphrase_that_is_missing_or_wrong(given: bytes, says: str, folder: Path) -> None:
    write(folder / "input", given)
    with (folder / "input").open("rb") as stdin:
        one_line(process(*restore(folder), stdin=stdin, start_new_session=True), "locked.pem", says)
    one_line(process(*restore(folder), setup=lambda: os.close(0), start_new_session=True), "locked.pem")
    assert not (folder / "out.dcm").exists()


# What a shell does for a process that it starts on a terminal.
ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "dcmveil", *sys.argv[1:]])
"""


def typed(answer: bytes, folder: Path) -> tuple[int, bytes]:
    """Exit status, and what was to be seen on the terminal, when this is typed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", ON_TERMINAL, *map(str, restore(folder))]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as running:
        os.close(theirs)
        seen = b""
        while b"locked.pem: " not in seen:
            seen += os.read(ours, 4096)
        os.write(ours, answer + b"\n")
        with suppress(OSError):  # what Linux says when the other end is closed
            while more := os.read(ours, 4096):
                seen += more
        status = running.wait(20)
    os.close(ours)
    return status, seen.strip()


def test_a_passphrase_is_asked_for_on_a_terminal(folder: Path) -> None:
    """And is not shown there."""
    question = f"Enter passphrase for {folder}/locked.pem:".encode()
    assert typed(PASSPHRASE, folder) == (0, question)
    assert (folder / "out.dcm").read_bytes() == image()
    (folder / "out.dcm").unlink()
    message = b" dcmveil: what was typed is not text in the encoding of the terminal"
    assert typed(b"\xff open", folder) == (1, question + message)


def test_a_key_that_is_not_encrypted_needs_no_passphrase(folder: Path, capfd: Capture) -> None:
    write(folder / "locked.pem", key_bytes(rsa_key()))
    assert invoke(capfd, "--key-password-file", folder / "missing", *restore(folder)) == (0, "", "")


# ---- passwords -------------------------------------------------------------------------------------------------


def test_a_password_is_the_bytes_of_the_argument(folder: Path, capfd: Capture) -> None:
    write(folder / "password", b"p\xc3\xa4\xff\n")
    name, target = folder / "in.dcm", folder / "back.dcm"
    assert invoke(capfd, "-p", "p\u00e4\udcff", name, folder / "p.dcm").status == 0
    assert invoke(capfd, "-d", "--password-file", folder / "password", folder / "p.dcm", target) == (0, "", "")
    assert target.read_bytes() == image()


def test_a_password_may_come_from_a_pipe(folder: Path) -> None:
    """Process substitution of the shell: no file that others could read."""
    write(folder / "input", b"VEILME pw")
    with (folder / "input").open("rb") as stdin:
        said = process("--password-file", "/dev/stdin", folder / "in.dcm", folder / "p.dcm", stdin=stdin)
    assert said == (0, "", "")
    assert MARK not in (folder / "p.dcm").read_bytes()


@pytest.mark.parametrize(
    "wrong",
    ["--pasword=VEILME", "--passw=VEILME", "--des=VEILME", "--aes256=VEILME", "-zVEILME", "--dumb=VEILME", "-e=VEILME"],
)
def test_a_mistyped_option_does_not_show_what_it_was_given(wrong: str, folder: Path, capfd: Capture) -> None:
    one_line(invoke(capfd, wrong, folder / "in.dcm", folder / "out.dcm"), wrong[:2])


# ---- tables of another edition ---------------------------------------------------------------------------------


def test_the_tables_of_a_folder_are_loaded_first(folder: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """By option, or from the environment, which counts for less; a folder of GDCM's is only told of if asked for."""
    loaded: list[str] = []

    def load_resources(name: str) -> list[str]:
        loaded.append(name)
        if name == "bad":
            raise DcmveilError("bad/dictionary.tsv:7: VR expected")
        return ["dictionary.tsv"] if name == "good" else []

    monkeypatch.setitem(sys.modules, "dcmveil.resources", SimpleNamespace(load_resources=load_resources))
    command = [folder / "in.dcm", folder / "out.dcm"]
    assert invoke(capfd, "--resources-path", "good", *command) == (0, "", "")
    note = "dcmveil: note: gdcm: has no tables of dcmveil; the built-in ones are used\n"
    assert invoke(capfd, "--resources-path", "gdcm", *command) == (0, "", note)
    one_line(invoke(capfd, "--resources-path", "bad", *command), "bad/dictionary.tsv:7")
    monkeypatch.setenv("GDCM_RESOURCES_PATH", "gdcm")
    assert invoke(capfd, *command) == (0, "", "")
    assert invoke(capfd, "-V", *command) == (0, "", note)
    assert invoke(capfd, "--resources-path", "good", *command) == (0, "", "")
    monkeypatch.setenv("GDCM_RESOURCES_PATH", "bad")
    one_line(invoke(capfd, *command), "bad/dictionary.tsv:7")
    one_line(invoke(capfd, "--dumb", "--remove", "10,10", *command), "bad/dictionary.tsv:7")
    assert invoke(capfd, "-h").status == 0
    monkeypatch.setenv("GDCM_RESOURCES_PATH", "")
    assert invoke(capfd, *command) == (0, "", "")
    assert loaded == ["good", "gdcm", "bad", "gdcm", "gdcm", "good", "bad", "bad"]
