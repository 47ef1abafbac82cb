"""Leak channel 27: what nobody has foreseen is one line without a Value, and exit status 1. Never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dcmveil import cli
from tests.cli.support import Said, image, invoke, listing, one_line


class Panic(BaseException):
    """As what comes out of Rust: no Exception."""


def unencodable() -> UnicodeError:
    return UnicodeEncodeError("ascii", "VEILME", 0, 6, "VEILME")


ERRORS = {
    "Exception": lambda: Exception("VEILME"),
    "KeyError": lambda: KeyError("VEILME"),
    "AssertionError": lambda: AssertionError("VEILME"),
    "RuntimeError": lambda: RuntimeError("VEILME\nVEILME"),
    "RecursionError": lambda: RecursionError("VEILME"),
    "MemoryError": lambda: MemoryError("VEILME"),
    "UnicodeError": unencodable,
    "StopIteration": lambda: StopIteration("VEILME"),
    "ImportError": lambda: ImportError("VEILME.so: no version information", name="cryptography.hazmat", path="VEILME"),
    "ImportError without a name": lambda: ImportError("VEILME"),
    "SystemExit": lambda: SystemExit("VEILME"),
    "KeyboardInterrupt": lambda: KeyboardInterrupt("VEILME"),
    "panic": lambda: Panic("VEILME"),
}
PLACES = ["cli.parse", "cli._task", "cli._process", "cli.outcomes_of", "cli.Tally.add", "cli.tell", "cli.put_edits",
          "batch._run", "tasks.plan_file", "journal.json.dumps"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_leak_channel_27_an_unforeseen_error_is_one_line(
    error: type, place: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it comes from; in what is done to a file it is that file's failure."""
    from dcmveil import journal  # loaded only where it is needed

    assert journal

    def broken(*_arguments: object, **_more: object) -> None:
        raise error()

    (tmp_path / "in").write_bytes(image())
    monkeypatch.setattr(f"dcmveil.{place}", broken)
    said = invoke(capfd, "--dry-run", "--report", tmp_path / "report", tmp_path / "in")
    one_line(said)
    told = (tmp_path / "report").read_text() if (tmp_path / "report").exists() else ""
    assert "VEILME" not in told


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("MemoryError", "not enough memory"),
        ("ImportError", "the Python package cryptography cannot be loaded: it is damaged or missing"),
        ("ImportError without a name", "the Python package ? cannot be loaded: it is damaged or missing"),
        ("KeyboardInterrupt", "interrupted"),
    ],
)
def test_leak_channel_27_what_can_be_put_right_is_told(
    kind: str, says: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_options: object) -> None:
        raise ERRORS[kind]()

    monkeypatch.setattr(cli, "_task", broken)
    assert invoke(capfd, "--dry-run", "in") == (1, "", f"dcmveil: {says}\n")


def command(script: str, *arguments: object, cwd: Path) -> Said:
    """Run a command line as the console script does, after something has been broken."""
    command = [
        sys.executable,
        "-c",
        f"from dcmveil import __main__\n{script}\n__main__.command()",
        *map(str, arguments),
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, cwd=cwd, text=True, check=False, timeout=60
    )
    return Said(done.returncode, done.stdout, done.stderr)


BROKEN = {
    "an import": "import sys; sys.modules['dcmveil.cli'] = None",
    "an interrupt while loading": """
import sys
class Finder:
    def find_spec(name, *rest):
        if name == "dcmveil.cli": raise KeyboardInterrupt("VEILME")
sys.meta_path.insert(0, Finder)""",
    "no memory while loading": """
import sys
class Finder:
    def find_spec(name, *rest):
        if name == "dcmveil.cli": raise MemoryError("VEILME")
sys.meta_path.insert(0, Finder)""",
    "cryptography": """
import sys
class Finder:
    def find_spec(name, *rest):
        if name == "cryptography": raise ImportError("VEILME.so", name=name)
sys.meta_path.insert(0, Finder)""",
    "tables": "import sys; sys.modules['dcmveil._tables'] = None",
    "the command line": "import dcmveil.cli; dcmveil.cli.parse = None",
    "an exit": "import dcmveil.cli; dcmveil.cli.run = lambda arguments: sys.exit('VEILME'); import sys",
    "an error that has no text": """
import dcmveil.cli
class Odd(Exception):
    def __str__(self): raise ValueError("VEILME")
def run(arguments): raise Odd
dcmveil.cli.run = run""",
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_leak_channel_27_a_broken_installation_is_one_line(script: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(image())
    (tmp_path / "cert").write_bytes(b"VEILME")
    said = command(script, "-c", "cert", "in", "out", cwd=tmp_path)
    one_line(said)
    assert listing(tmp_path) == ["cert", "in"]


def test_leak_channel_27_what_cannot_be_raised_is_one_line(tmp_path: Path) -> None:
    """An error in a finalizer: Python would print its text, and go on."""
    script = """
import dcmveil.cli
run = dcmveil.cli.run
class Last:
    def __del__(self): raise ValueError("VEILME")
def odd(arguments):
    Last()
    return run(arguments)
dcmveil.cli.run = odd"""
    (tmp_path / "in").write_bytes(image())
    said = command(script, "in", "out", cwd=tmp_path)
    assert (said.status, said.out) == (0, "")
    assert said.err == "dcmveil: internal error, please report: ValueError at <string>:6\n"


def test_leak_channel_27_warnings_of_libraries_are_not_shown(tmp_path: Path) -> None:
    """They have several lines, one of them of a source; unless Python was asked for them."""
    script = """
import dcmveil.cli
def warned(arguments):
    import warnings
    warnings.warn("VEILME")
    return 0
dcmveil.cli.run = warned"""
    assert command(script, cwd=tmp_path) == (0, "", "")


def test_leak_channel_27_an_interrupt_at_the_end_of_a_process_of_jobs_is_no_line(tmp_path: Path) -> None:
    script = """
from dcmveil import workers
def late(): raise KeyboardInterrupt
workers.end_as_told = late"""
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "in" / name).write_bytes(image())
    said = command(script, "--jobs", 2, "in", "out", cwd=tmp_path)
    assert said.err.count("\n") == 1
    assert "3 done" in said.err


@pytest.mark.parametrize(
    "kind",
    [
        "BaseException",
        *(pytest.param(kind, marks=pytest.mark.ci) for kind in ("Exception", "MemoryError", "SystemExit")),
    ],
)
def test_leak_channel_27_an_error_in_a_process_of_jobs_is_one_line(kind: str, tmp_path: Path) -> None:
    """multiprocessing would print a traceback; the file counts as lost, and the others go on."""
    script = f"""
import os
from dcmveil import batch, workers
answer, ours = workers.pickle.dumps, os.getpid()
def broken(value):
    if os.getpid() != ours and any("bad" in outcome.job.source for outcome in value): raise {kind}("VEILME")
    return answer(value)
workers.pickle.dumps = broken"""
    (tmp_path / "in").mkdir()
    for name in ("a", "bad", "c"):
        (tmp_path / "in" / name).write_bytes(image())
    said = command(script, "--jobs", 2, "in", "out", cwd=tmp_path)
    first, tally = said.err.splitlines()
    assert first == "dcmveil: in/bad: the process that worked on it ended with status 1"
    assert tally.startswith("dcmveil: 2 done, 0 refused, 1 failed, ")
    assert (said.status, said.out) == (1, "")
    assert "a" in listing(tmp_path / "out")
    assert "c" in listing(tmp_path / "out")


def test_leak_channel_27_a_panic_is_the_failure_of_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of cryptography, which is written in Rust: the other files of the folder are done."""
    from dcmveil import batch

    run = batch._run

    def panics(task: object, source: object, target: object) -> object:
        if "bad" in str(source):
            raise Panic("VEILME")
        return run(task, source, target)  # type: ignore[arg-type]

    (tmp_path / "in").mkdir()
    for name in ("a", "bad", "c"):
        (tmp_path / "in" / name).write_bytes(image())
    monkeypatch.setattr(batch, "_run", panics)
    assert cli.run([str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    assert listing(tmp_path / "out") == ["a", "c"]


LIBRARY = """
import logging, threading
from dcmveil import cloud
def run_url(*places):
    logging.getLogger("asyncio").error("VEILME")
    logging.warning("VEILME")
    thread = threading.Thread(target=lambda: "VEILME".index("x"))
    thread.start()
    thread.join()
    raise ValueError("VEILME")
cloud.run_url = run_url"""


def test_leak_channel_27_what_libraries_of_stores_say_is_not_shown(tmp_path: Path) -> None:
    """asyncio tells of errors that nobody waits for, with a traceback; threads print theirs."""
    said = command(LIBRARY, "s3://bucket/in", "out", cwd=tmp_path)
    one_line(said, "dcmveil: s3://bucket/in: internal error, please report: ValueError at <string>:11")
