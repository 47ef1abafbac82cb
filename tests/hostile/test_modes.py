"""Every leak channel in every mode: one file after another, folders, pipes, dry runs, with the originals encrypted.

No marker is in an output, in what is said, in a report or in a dry run. Of encrypted originals it is only within what
the holder of the key gets back, byte for byte.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from dcmveil import Deidentifier, Policy, Segment, deidentify_file, reidentify_file
from dcmveil.errors import DcmveilError
from tests.cli.support import invoke
from tests.hostile.__main__ import main
from tests.hostile.cases import Case, cases
from tests.hostile.forms import inflated
from tests.reversible.keys import envelope, opener
from tests.services.certificates import certificate, pem_of, rsa_key

SECRET = b"a secret of sixteen bytes or more"
ANY_DIGITS = re.compile(rb"(?<![0-9])19[0-3][0-9]{5}(?![0-9])")


def sample(step: int) -> list[Case]:
    """Some of all channels: every one that there is once, and every so-manieth."""
    first = {case.channel: case for case in reversed(cases())}
    return [*first.values(), *cases()[::step]]


def written(folder: Path, chosen: list[Case]) -> dict[str, Case]:
    """The cases as files of a new folder, by their names."""
    folder.mkdir()
    named = {f"{number:04}": case for number, case in enumerate(chosen)}
    for name, case in named.items():
        (folder / name).write_bytes(case.data)
    return named


def leaks(named: dict[str, Case], folder: Path) -> list[str]:
    """The cases that have left something in their outputs, or have none though they should."""
    found = []
    for name, case in named.items():
        path = folder / name
        out = inflated(path.read_bytes()) if path.exists() else b""
        fate = "stays" if any(marker in out for marker in case.markers) else "gone" if out else "refused"
        found += [] if fate in case.expected else [f"{case.id}: {fate}"]
    return found


@cache
def dates() -> set[bytes]:
    return {marker for case in cases() for marker in case.markers if marker.isdigit()}


def told(text: bytes) -> list[bytes]:
    """Markers in what a program says: as text, in hexadecimal, or the digits of one of the dates."""
    found = [match for match in ANY_DIGITS.findall(text) if match in dates()]
    return found + [part for part in (b"LEAK", b"VEILME", b"LEAK".hex().encode(), b"76, 69, 65, 75") if part in text]


def through_folders(chosen: list[Case], tmp_path: Path, capfd: pytest.CaptureFixture[str], *more: object) -> None:
    """A folder run at the highest level of detail, and before it a dry run."""
    named = written(tmp_path / "in", chosen)
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "secret").chmod(0o600)
    report = tmp_path / "report"
    options = ["-e", "-r", "-D", "--secret-file", tmp_path / "secret", "--report", report, *more]
    dry = invoke(capfd, *options, "--dry-run", tmp_path / "in")
    assert not told((dry.out + dry.err).encode() + report.read_bytes())
    real = invoke(capfd, *options, tmp_path / "in", tmp_path / "out")
    assert not told((real.out + real.err).encode() + report.read_bytes())
    assert report.read_text().count("\n") == len(named)
    assert leaks(named, tmp_path / "out") == []


def test_leak_channels_1_to_15_through_folders(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    through_folders(sample(100), tmp_path, capfd)


@pytest.mark.ci
def test_leak_channels_1_to_15_all_through_folders(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    through_folders(list(cases()), tmp_path, capfd)


@pytest.mark.ci
def test_leak_channels_1_to_15_encrypted_through_folders(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cert.pem").write_bytes(pem_of(certificate(rsa_key())))
    through_folders(sample(8), tmp_path, capfd, "-c", tmp_path / "cert.pem")


def pushed(case: Case, size: int) -> bytes:
    """The output of a push driver fed in pieces, b"" if it is refused."""
    deidentifier, out = Deidentifier(Policy(secret=SECRET)), list[Segment]()
    try:
        for start in range(0, len(case.data), size):
            out += deidentifier.feed(case.data[start : start + size])
        out += deidentifier.finish()
    except DcmveilError as error:
        assert not told(str(error).encode())
        assert not any(marker in bytes(part.data or b"") for part in out for marker in case.markers), case.id
        return b""
    return b"".join(bytes(part.data or b"") for part in out)


def test_leak_channels_1_to_15_in_pieces() -> None:
    """As pipes and sockets deliver them; what has gone out before an error has no marker either."""
    for case in sample(300):
        out = inflated(pushed(case, 500))
        fate = "stays" if any(marker in out for marker in case.markers) else "gone" if out else "refused"
        assert fate in case.expected, case.id


def piped(data: bytes, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """A command line between pipes."""
    command = [sys.executable, "-m", "dcmveil", *map(str, arguments), "-", "-"]
    return subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)


@pytest.mark.ci
def test_leak_channels_1_to_15_through_pipes(tmp_path: Path) -> None:
    """What a pipe gets before an input turns out to be wrong has no marker either."""
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "secret").chmod(0o600)
    for case in sample(100):
        run = piped(case.data, "-e", "-D", "--secret-file", tmp_path / "secret")
        assert not told(run.stderr), case.id
        if run.returncode == 0:
            out = inflated(run.stdout)
            assert ("stays" if any(marker in out for marker in case.markers) else "gone") in case.expected, case.id
        else:
            assert "refused" in case.expected, case.id
            assert not any(marker in run.stdout for marker in case.markers), case.id


def encrypted(chosen: list[Case], folder: Path) -> None:
    """No marker beside the ciphertext; what the holder of the key gets back is the input."""
    policy = Policy(secret=SECRET, envelope=envelope())
    source, target, back = folder / "in", folder / "out", folder / "back"
    for case in chosen:
        source.write_bytes(case.data)
        try:
            deidentify_file(source, target, policy)
        except DcmveilError as error:
            assert "refused" in case.expected, case.id
            assert not told(str(error).encode())
            continue
        out = inflated(target.read_bytes())
        assert ("stays" if any(marker in out for marker in case.markers) else "gone") in case.expected, case.id
        reidentify_file(target, back, opener())
        assert back.read_bytes() == case.data, case.id


def test_leak_channels_1_to_15_with_the_originals_encrypted(tmp_path: Path) -> None:
    encrypted(sample(300), tmp_path)


@pytest.mark.ci
def test_leak_channels_1_to_15_many_with_the_originals_encrypted(tmp_path: Path) -> None:
    encrypted(sample(8), tmp_path)


@pytest.mark.slow
def test_leak_channels_1_to_15_all_with_the_originals_encrypted(tmp_path: Path) -> None:
    encrypted(list(cases()), tmp_path)


def test_the_search_finds_what_is_left(tmp_path: Path) -> None:
    """Inputs taken for outputs are leaks, all but those that may stay; and what is said is searched."""
    named = written(tmp_path / "out", sample(60))
    found = leaks(named, tmp_path / "out")
    stays = sum(case.expected == "stays" for case in named.values())
    assert len(found) >= 0.95 * (len(named) - stays)
    assert told(b"a line with LEAK00007X in it")
    assert told(b"a date " + cases()[20].markers[1])
    assert told(b"LEAK".hex().encode())


@pytest.mark.ci
def test_all_files_can_be_had_with_an_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m tests.hostile channels FOLDER`: each file as it is here, its channel, and what has to become of it."""
    assert main(["channels", str(tmp_path / "files")]) == 0
    assert f"{len(cases())} files" in capsys.readouterr().out
    with (tmp_path / "files" / "index.tsv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    assert [(line["case"], line["expected"]) for line in lines] == [(case.id, case.expected) for case in cases()]
    for line, case in list(zip(lines, cases(), strict=True))[::50]:
        assert (tmp_path / "files" / line["file"]).read_bytes() == case.data
        assert line["markers"].split()[:2] == [marker.decode() for marker in case.markers[:2]]
    assert main(["channels", str(tmp_path / "files")]) == 1  # it is there
    assert main([]) == 2
