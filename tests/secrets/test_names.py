"""Leak channel 16: what a file is called, often a patient's name, is in no output, and in no log by default."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from dcmveil.batch import Failure, Job, Outcome
from dcmveil.cms import Opener
from dcmveil.numbering import numbered
from tests.cli.support import BAD, image, invoke, listing
from tests.hostile.forms import FORMS, Form, inflated
from tests.services.certificates import certificate, key_bytes, pem_of, rsa_key, write

Capture = pytest.CaptureFixture[str]
FOLDER, NAME = "WILSON 19480317", "WILSON^WOODROW.dcm"
SPELLINGS = (b"WILSON", b"Wilson", b"WOODROW", b"19480317")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is called like a patient, as is the object in it, and keys."""
    (tmp_path / FOLDER).mkdir()
    write(tmp_path / FOLDER / NAME, image())
    write(tmp_path / "cert", pem_of(certificate(rsa_key())))
    write(tmp_path / "key", key_bytes(rsa_key()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(data: bytes) -> list[bytes]:
    """The spellings of the name that are in some bytes, also in UTF-16 and in hexadecimal."""
    forms = ((text, text.decode().encode("utf-16-le"), text.hex().encode()) for text in SPELLINGS)
    return [form for some in forms for form in some if form in data]


def everything(path: Path) -> Iterator[bytes]:
    """The bytes of an output, inflated as well, and of what is encrypted in it."""
    yield path.read_bytes()
    yield inflated(path.read_bytes())
    encrypted = pydicom.dcmread(path).get("EncryptedAttributesSequence")
    if encrypted:
        yield Opener(rsa_key()).open(encrypted[0].EncryptedContent)
    yield from (name.encode() + os.getxattr(path, name) for name in os.listxattr(path))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("options", [(), ("-c", "cert"), ("--dumb", "--remove", "10,10")], ids=lambda given: given[:1])
def test_leak_channel_16_the_name_of_the_input_is_in_no_output(
    options: tuple[str, ...], form: Form, place: Path, capfd: Capture
) -> None:
    """Nor in what is encrypted, nor said when all goes well."""
    source = write(place / FOLDER / NAME, image(form))
    assert invoke(capfd, *options, source, "out.dcm") == (0, "", "")
    assert [spelling for data in everything(place / "out.dcm") for spelling in told(data)] == []


def test_leak_channel_16_nor_when_it_comes_back(place: Path, capfd: Capture) -> None:
    assert invoke(capfd, "-c", "cert", f"{FOLDER}/{NAME}", "crypt.dcm") == (0, "", "")
    (place / "crypt.dcm").rename(place / FOLDER / "Wilson")
    assert invoke(capfd, "-d", "-k", "key", f"{FOLDER}/Wilson", "back.dcm") == (0, "", "")
    assert (place / "back.dcm").read_bytes() == image()


def test_leak_channel_16_nor_through_a_pipe(place: Path) -> None:
    with (place / FOLDER / NAME).open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-m", "dcmveil", "-c", "cert", "-", "-"], stdin=source, capture_output=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")
    write(place / "out.dcm", done.stdout)
    assert [spelling for data in everything(place / "out.dcm") for spelling in told(data)] == []


def test_leak_channel_16_a_folder_run_tells_of_what_failed_and_of_nothing_else(place: Path, capfd: Capture) -> None:
    """By path, on stderr: somebody has to find it. Outputs are called like their inputs."""
    write(place / FOLDER / "bad.dcm", BAD)
    status, out, err = invoke(capfd, "-r", ".", place.parent / "out")
    assert (status, out) == (1, "")
    assert [line for line in err.splitlines() if told(line.encode()) and "bad.dcm" not in line] == []
    assert f"{FOLDER}/{NAME}" in listing(place.parent / "out")


# ---- --quiet-names ---------------------------------------------------------------------------------------------


def troubled(place: Path) -> None:
    """A folder in which about everything goes wrong that has a file name in its message."""
    write(place / FOLDER / "bad WILSON.dcm", BAD)
    (place / FOLDER / "gone WILSON").symlink_to("WOODROW")
    os.mkfifo(place / FOLDER / "pipe WILSON")
    (place / FOLDER / "taken WILSON").write_bytes(image())
    (place / "out" / FOLDER / "taken WILSON").mkdir(parents=True)
    (place / FOLDER / "below WILSON").mkdir()
    (place / FOLDER / "below WILSON" / NAME).write_bytes(image())
    (place / "out" / FOLDER / "below WILSON").write_bytes(b"in the way")
    (place / FOLDER / "WILSON\u00e4\n19480317").write_bytes(BAD)


@pytest.mark.parametrize("options", [(), ("--jobs", "2"), ("--dry-run",), ("-c", "cert")], ids=" ".join)
def test_leak_channel_16_quiet_names_call_files_by_number(
    options: tuple[str, ...], place: Path, capfd: Capture
) -> None:
    """In messages at any level, in a dry run, and in the report; outputs are the same."""
    troubled(place)
    (place / "in").mkdir()
    (place / FOLDER).rename(place / "in" / FOLDER)
    status, out, err = invoke(capfd, "--quiet-names", *options, "-r", "-D", "--report", "report", "in", "out")
    report = (place / "report").read_bytes()
    assert status == 1
    assert told(out.encode() + err.encode() + report) == []
    assert "file 1: " in err
    assert [json.loads(line)["source"] for line in report.splitlines()] == [
        f"file {number}" for number in range(1, report.count(b"\n") + 1)
    ]
    assert report.count(b"\n") >= 7
    assert options == ("--dry-run",) or f"{FOLDER}/{NAME}" in listing(place / "out")


def test_leak_channel_16_numbers_follow_the_sorted_names_and_leave_reasons(place: Path, capfd: Capture) -> None:
    for name in ("a", "b", "c"):
        write(place / FOLDER / name, BAD if name == "b" else image())
    (place / FOLDER / NAME).unlink()
    plain = invoke(capfd, FOLDER, "out").err
    quiet = invoke(capfd, "--quiet-names", FOLDER, "out").err
    assert quiet == plain.replace(f"{FOLDER}/b", "file 2")


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("offset 5: Value Length expected", "offset 5: Value Length expected"),
        ("out/WILSON/x.dcm: not written: No space left on device", "...: not written: No space left on device"),
        ("in/WILSON/x.dcm: not read: /srv/WILSON/y.dcm is gone", "not done: OutputError"),
        ("folder cannot be used: /srv/out/WILSON: exists", "not done: OutputError"),
        ("WILSONIAN", "WILSONIAN"),
    ],
)
def test_leak_channel_16_of_a_message_stays_what_is_no_name(message: str, left: str) -> None:
    job = Job("in/WILSON/x.dcm", "out/WILSON/x.dcm")
    (found,) = numbered([Outcome(job, failure=Failure("OutputError", message))])
    assert found == Outcome(Job("file 1", "file 1"), failure=Failure("OutputError", left))
