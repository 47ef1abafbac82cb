"""`-` for standard input and standard output: the bytes of the output are those of a file, however they come."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from zlib import crc32

import pytest

from dcmveil.tasks import Deidentify, Reidentify
from tests.cli.piping import (
    NATIVE,
    POLICY,
    SAMPLE,
    SEALED,
    TASKS,
    Done,
    by_file,
    run,
    through,
)
from tests.cli.support import BAD, MARK, image
from tests.hostile.forms import DEFLATED, EXPLICIT
from tests.push.objects import MIB, PIXELS, held_back, noise, uid_free
from tests.push.objects import image as with_patient
from tests.reference.files import Sample, samples
from tests.reversible.support import opener

# ---- every file ------------------------------------------------------------------------------------------------


def few() -> list[Sample]:
    """Every twelfth of the files."""
    return samples()[::12]


def same_as_from_files(sample: Sample, folder: Path) -> None:
    data, seed = sample.path.read_bytes(), crc32(sample.name.encode())
    for task in TASKS.values():
        wanted = by_file(task, sample.path, folder / "out")
        (folder / "out").unlink(missing_ok=True)
        assert through(task, data, _random(seed), folder) == wanted
        if len(data) < 3000:
            assert through(task, data, cycle([1]), folder) == wanted


def restored_as_from_files(sample: Sample, folder: Path) -> None:
    """Sealed anew each time: what is restored has to be the file."""
    data = sample.path.read_bytes()
    sealed = through(Deidentify(SEALED), data, _random(3), folder)
    if isinstance(sealed, str):
        assert sealed == by_file(Deidentify(SEALED), sample.path, folder / "out")
        return
    assert through(Reidentify(opener()), sealed, _random(4), folder) == data


def _random(seed: int) -> Iterator[int]:
    chooser = random.Random(seed)
    while True:
        yield chooser.choice([1, 50, 4096, 65_536, 300_000])


@pytest.mark.parametrize("sample", few(), ids=lambda sample: sample.name)
def test_a_file_and_a_pipe_come_to_the_same(sample: Sample, tmp_path: Path) -> None:
    same_as_from_files(sample, tmp_path)
    restored_as_from_files(sample, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_every_file_and_a_pipe_come_to_the_same(sample: Sample, tmp_path: Path) -> None:
    same_as_from_files(sample, tmp_path)
    restored_as_from_files(sample, tmp_path)


@pytest.mark.parametrize("name", held_back())
def test_long_objects_come_to_the_same(name: str, tmp_path: Path) -> None:
    data = held_back()[name]
    (tmp_path / "in").write_bytes(data)
    for task in TASKS.values():
        assert through(task, data, _random(1), tmp_path) == by_file(task, tmp_path / "in", tmp_path / "out")


def test_what_is_set_aside_comes_to_the_same(aside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever small pieces it comes, and wherever it is found to be too long."""
    data = uid_free(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(200_000)))
    (tmp_path / "in").write_bytes(data)
    wanted = by_file(Deidentify(POLICY), tmp_path / "in", tmp_path / "out")
    for enough in (0, 1, 1000, len(data) - 1, len(data)):
        monkeypatch.setattr("dcmveil.aside._ENOUGH", enough)
        for sizes in ([1, 2, 70_000], [50_000], [1 << 20]):
            assert through(Deidentify(POLICY), data, cycle(sizes), tmp_path) == wanted


def test_what_is_long_only_when_inflated_is_set_aside(aside: Path, tmp_path: Path) -> None:
    """More than may be held comes out of a few bytes at once."""
    zeros = [DEFLATED.element(PIXELS, "OW", bytes(100 * MIB))]
    data = uid_free(DEFLATED, *zeros)
    (tmp_path / "in").write_bytes(data)
    wanted = by_file(Deidentify(POLICY), tmp_path / "in", tmp_path / "out")
    assert isinstance(wanted, bytes)
    assert through(Deidentify(POLICY), data, cycle([1 << 20]), tmp_path) == wanted


# ---- processes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [["-e"], ["--dumb", "--replace", "PatientName=Doe^Jane"]], ids=["-e", "--dumb"])
def test_in_and_out_in_all_combinations(mode: list[str], secret: Path, tmp_path: Path) -> None:
    more = ["--secret-file", secret] if mode == ["-e"] else []
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(NATIVE)
    assert run(*mode, *more, source, target) == Done(0, b"", "")
    wanted = target.read_bytes()
    assert run(*mode, *more, "-", "-", data=NATIVE) == Done(0, wanted, "")
    assert run(*mode, *more, "-", "-", data=NATIVE, sizes=_random(7)) == Done(0, wanted, "")
    assert run(*mode, *more, source, "-") == Done(0, wanted, "")
    with source.open("rb") as file:
        assert run(*mode, *more, "-", "-", stdin=file) == Done(0, wanted, "")
    with source.open("rb") as file:  # what has been read of it is not part of the object
        file.seek(0)
        assert run(*mode, *more, "-i", "-", "-o", tmp_path / "redirected", stdin=file) == Done(0, b"", "")
    assert run(*mode, *more, "-", tmp_path / "from a pipe", data=NATIVE) == Done(0, b"", "")
    with (tmp_path / "appended").open("wb") as file:
        file.write(b"before")
        file.flush()
        assert run(*mode, *more, "-", "-", data=NATIVE, stdout=file, capture_output=False).status == 0
    assert (tmp_path / "redirected").read_bytes() == (tmp_path / "from a pipe").read_bytes() == wanted
    assert (tmp_path / "appended").read_bytes() == b"before" + wanted


def test_a_redirected_file_that_has_been_read_in_part(secret: Path, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"behind this line:\n" + SAMPLE.read_bytes())
    with (tmp_path / "in").open("rb", buffering=0) as file:
        file.seek(18)
        found = run("--secret-file", secret, "-", "-", stdin=file)
    assert found == run("--secret-file", secret, SAMPLE, "-")
    assert found.status == 0


def test_byte_by_byte(secret: Path) -> None:
    data = image()
    assert run("--secret-file", secret, "-", "-", data=data, sizes=cycle([1])) == run(
        "--secret-file", secret, "-", "-", data=data
    )  # fmt: skip


def test_a_slow_writer(secret: Path, aside: Path) -> None:
    """Which the reader waits for, however it reads."""
    data = SAMPLE.read_bytes()
    size = cycle([len(data) // 5 + 1])
    for mode in (["--secret-file", secret], ["--secret-file", secret, "--verify"]):
        wanted = run(*mode, "-", "-", data=data)
        assert wanted.status == 0
        assert run(*mode, "-", "-", data=data, sizes=size, pause=0.03) == wanted


def test_it_goes_out_while_it_comes(secret: Path) -> None:
    """Who writes waits for what comes out before it writes the rest: a program that waited would never end."""
    command = [sys.executable, "-m", "dcmveil", "--secret-file", str(secret), "-", "-"]
    has_come = threading.Event()
    read, write = os.pipe()

    def send() -> None:
        with os.fdopen(write, "wb", buffering=0) as pipe:
            pipe.write(NATIVE[: 2 * MIB])
            assert has_come.wait(60)
            pipe.write(NATIVE[2 * MIB :])

    with subprocess.Popen(command, stdin=read, stdout=subprocess.PIPE) as process:
        os.close(read)
        writer = threading.Thread(target=send)
        writer.start()
        assert process.stdout is not None
        first = process.stdout.read(MIB)
        has_come.set()
        rest = process.stdout.read()
        writer.join()
        assert process.wait(60) == 0
    assert first + rest == run("--secret-file", secret, "-", "-", data=NATIVE).out


def test_sealed_and_restored(keys: Path, aside: Path) -> None:
    for data in (SAMPLE.read_bytes(), uid_free(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(9 * MIB)))):
        sealed = run("-e", "-c", keys / "cert", "-", "-", data=data)
        assert (sealed.status, sealed.err) == (0, "")
        assert MARK not in sealed.out
        assert run("-d", "-k", keys / "key", "-", "-", data=sealed.out) == Done(0, data, "")
        assert run("-d", "-k", keys / "key", "-", keys / "back", data=sealed.out) == Done(0, b"", "")
        assert (keys / "back").read_bytes() == data


def test_a_dry_run_of_what_comes(secret: Path, aside: Path, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(NATIVE)
    wanted = run("--dry-run", "--secret-file", secret, tmp_path / "in")
    found = run("--dry-run", "--secret-file", secret, "-", data=NATIVE)
    assert (found.status, found.err) == (wanted.status, wanted.err) == (0, "")
    first, rest = found.out.split(b"\n", 1)
    assert first.startswith(b"# -: ")
    assert rest == wanted.out.split(b"\n", 1)[1]


def test_the_report_names_the_pipe(secret: Path, tmp_path: Path) -> None:
    import json

    for source, target, data in (("-", "-", NATIVE), ("-", str(tmp_path / "out"), NATIVE), (str(SAMPLE), "-", None)):
        report = tmp_path / "report.jsonl"
        done = run("--secret-file", secret, "--report", report, source, target, data=data)
        assert done.status == 0
        (line,) = map(json.loads, report.read_text().splitlines())
        assert (line["source"], line["target"], line["status"]) == (source, target, "ok")
        assert line["bytes_in"] == len(data or SAMPLE.read_bytes())
        assert line["bytes_out"] == (len(done.out) or (tmp_path / "out").stat().st_size)
    run("--report", report, "-", "-", data=BAD)
    (line,) = map(json.loads, report.read_text().splitlines())
    assert (line["source"], line["target"], line["status"]) == ("-", "-", "refused")


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_what_comes_from_a_pipe_is_for_the_owner(umask: int, tmp_path: Path) -> None:
    done = run("-", tmp_path / "out", data=SAMPLE.read_bytes(), preexec_fn=lambda: os.umask(umask))
    assert done.status == 0
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


# ---- memory ----------------------------------------------------------------------------------------------------

MOST_RSS = 40 << 10  # KiB
PEAK = """
import os, sys
read, write = os.pipe()
pid = os.fork()
if not pid:
    os.dup2(read, 0), os.close(write)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(sys.executable, [sys.executable, "-m", "dcmveil", *sys.argv[2:]])
os.close(read)
with open(sys.argv[1], "rb") as head:
    os.write(write, head.read())
zeros = bytes(1 << 20)
for _ in range(300):
    os.write(write, zeros)
os.close(write)
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flows", "is set aside", "is verified"])
def test_memory_does_not_grow_with_the_object(kind: str, secret: Path, aside: Path, tmp_path: Path) -> None:
    make = uid_free if kind == "is set aside" else with_patient
    (tmp_path / "head").write_bytes(make(EXPLICIT, EXPLICIT.header(PIXELS, "OW", 300 * MIB)))
    more = ["--verify"] if kind == "is verified" else []
    command = [sys.executable, "-c", PEAK, tmp_path / "head", "--secret-file", secret, *more, "-", "-"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, timeout=120)
    status, peak = map(int, done.stdout.split())
    assert status == 0, done.stderr
    assert peak < (MOST_RSS if kind == "flows" else 2 * MOST_RSS)
