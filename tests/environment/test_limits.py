"""A machine that has little: descriptors, memory, processes, a home, a language, a clock."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import image, listing
from tests.hostile.forms import EXPLICIT

SOURCE = image(EXPLICIT, EXPLICIT.element(0x7FE00010, "OW", bytes(400_000)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file, a folder of some, a secret and a password."""
    (tmp_path / "in").mkdir()
    for number in range(5):
        (tmp_path / "in" / f"{number}.dcm").write_bytes(SOURCE)
    (tmp_path / "in.dcm").write_bytes(SOURCE)
    for name in ("secret", "password"):
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_bytes(b"sixteen bytes or more")
    return tmp_path


def run(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    return started([sys.executable, "-m", "dcmveil", *arguments], **more)


def started(command: Sequence[object], **more: Any) -> subprocess.CompletedProcess[str]:
    """A process that has ended."""
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run([*map(str, command)], check=False, timeout=60, text=True, **pipes, **more)


def limit(what: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(what, (most, most))


# ---- descriptors -----------------------------------------------------------------------------------------------

MODE_OF_FOLDERS = "-e, a folder"
MODES: dict[str, Sequence[object]] = {
    "-e": ["{}/in.dcm", "{}/out"],
    MODE_OF_FOLDERS: ["-r", "{}/in", "{}/out"],
    "-e, reversible": ["--password-file", "{}/password", "{}/in.dcm", "{}/out"],
    "--dumb": ["--dumb", "--empty", "10,10", "{}/in.dcm", "{}/out"],
}


@pytest.mark.parametrize(
    "mode", [MODE_OF_FOLDERS, *(pytest.param(mode, marks=pytest.mark.ci) for mode in MODES if mode != MODE_OF_FOLDERS)]
)
def test_case_12_few_file_descriptors_will_do(mode: str, folder: Path) -> None:
    """12 of them do for one process."""
    done = run(*(str(part).format(folder) for part in MODES[mode]), preexec_fn=limit(resource.RLIMIT_NOFILE, 12))
    assert done.returncode == 0, done
    assert (folder / "out").exists()


# Python itself needs some to start.
LIMITED = """
import resource, sys
from dcmveil.__main__ import command
most = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
command()
"""


@pytest.mark.ci
@pytest.mark.parametrize("jobs", [1, 3])
def test_case_12_fewer_file_descriptors_are_an_error_or_do(jobs: int, folder: Path) -> None:
    """Whatever is missing is told of; an output is whole or not there."""
    expected = folder / "expected"
    command = ["--jobs", jobs, "--secret-file", folder / "secret", folder / "in"]
    assert run(*command, expected).returncode == 0
    for most in range(3, 24):
        done = started([sys.executable, "-c", LIMITED, most, *command, folder / "out"])
        check_outcome(done, folder / "out", expected)


def check_outcome(done: subprocess.CompletedProcess[str], target: Path, expected: Path) -> None:
    """Status 0 and all of it, or status 1, at least a line, no traceback, and nothing that is not whole."""
    assert done.returncode in (0, 1), done
    assert "Traceback" not in done.stderr, done
    assert "internal error" not in done.stderr, done
    assert "VEILME" not in done.stdout + done.stderr
    if done.returncode:
        assert done.stderr, done
        names = set(listing(target)) if target.exists() else set()
        assert names <= set(listing(expected)), done
    else:
        names = set(listing(expected))
    for name in names:
        assert (target / name).read_bytes() == (expected / name).read_bytes()
        (target / name).unlink()


# ---- memory ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["-e", "-e, reversible", "-d"])
def test_case_35_little_memory_is_an_error_or_will_do(mode: str, folder: Path) -> None:
    """From 30 to 300 MiB of addresses: one line and no output, or all of it; no signal."""
    step_through(mode, folder, range(30, 301, 5))


@pytest.mark.ci
@pytest.mark.parametrize("mode", ["-e", "-e, reversible", "-d"])
def test_case_35_hardly_any_memory(mode: str, folder: Path) -> None:
    """As with more, in the steps that matter."""
    step_through(mode, folder, range(30, 91, 5))


def step_through(mode: str, folder: Path, steps: range) -> None:
    password = [] if mode == "-e" else ["--password-file", folder / "password"]
    source, target = folder / "in.dcm", folder / "out"
    if mode == "-d":
        assert run(*password, source, folder / "veiled").returncode == 0
        password, source = ["-d", *password], folder / "veiled"
    statuses = []
    for mib in steps:
        done = run(*password, source, target, preexec_fn=limit(resource.RLIMIT_AS, mib << 20))
        statuses.append(done.returncode)
        if done.returncode == 0:
            assert target.stat().st_size >= len(SOURCE)
            target.unlink()
        else:
            assert (done.returncode, done.stderr.count("\n")) == (1, 1), (mib, done)
            assert "not enough memory" in done.stderr, (mib, done)
        assert listing(folder / "in") == [f"{number}.dcm" for number in range(5)]
        assert not target.exists()
    assert statuses == sorted(statuses, reverse=True)
    assert statuses[-1] == 0


# ---- processes -------------------------------------------------------------------------------------------------


# Root is not limited, so the process becomes somebody else, with all loaded that it could not load then.
ALONE = """
import os, resource, sys
from dcmveil import cli
cli.run([*sys.argv[1:-1], sys.argv[-1] + "/before"])
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65533)
    os.setuid(65533)
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.mark.ci
def test_case_39_no_further_process_can_be_started(folder: Path) -> None:
    """One line and status 1."""
    for above in (folder, *folder.parents[:3]):
        above.chmod(above.stat().st_mode | 0o011)
    (folder / "out").mkdir()
    (folder / "out").chmod(0o777)
    done = started([sys.executable, "-c", ALONE, "--jobs", 3, folder / "in", folder / "out"])
    assert done.returncode == 1, done
    assert done.stderr.endswith("dcmveil: no process can be started: Resource temporarily unavailable\n")
    assert [name for name in listing(folder / "out") if not name.startswith("before")] == []


# ---- home, language, clock -------------------------------------------------------------------------------------


NO_LANGUAGE = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    "env",
    [pytest.param({}, marks=pytest.mark.ci), pytest.param({"LC_ALL": "C"}, marks=pytest.mark.ci), NO_LANGUAGE],
    ids=["empty", "C", "POSIX"],
)
def test_case_37_no_home_and_no_language(env: dict[str, str], folder: Path) -> None:
    """The same bytes; a name that is not ASCII is opened and told of."""
    name = folder / "n\u00e4me.dcm"
    name.write_bytes(b"VEILME0001, which is not DICOM")
    expected, target = folder / "expected", folder / "out"
    command = ["--secret-file", folder / "secret", folder / "in.dcm"]
    assert run(*command, expected).returncode == 0
    assert run(*command, target, env=env).returncode == 0
    assert target.read_bytes() == expected.read_bytes()
    done = run(name, folder / "other", env=env)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "not a DICOM file" in done.stderr


BACKWARDS = """
import itertools, sys, time
seconds = itertools.count(2e9, -3600.0)
time.time = time.monotonic = lambda: next(seconds)
from dcmveil import cli
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.mark.parametrize("jobs", [1, pytest.param(3, marks=pytest.mark.ci)])
def test_case_36_a_clock_that_goes_backwards(jobs: int, folder: Path) -> None:
    """The same bytes: nothing that is written depends on a clock."""
    command = ["--jobs", str(jobs), "--secret-file", folder / "secret", folder / "in"]
    assert run(*command, folder / "expected").returncode == 0
    backwards = [sys.executable, "-c", BACKWARDS, *command, folder / "out"]
    done = subprocess.run(backwards, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done
    check_outcome(done, folder / "out", folder / "expected")
