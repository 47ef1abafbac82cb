"""--jobs and --resume: the same outputs and messages from several processes, and no more work than is missing."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import active_children
from multiprocessing.context import ForkProcess
from operator import length_hint
from pathlib import Path

import pytest

from dcmveil import tasks, workers
from dcmveil.errors import DcmveilError
from dcmveil.files import deidentify_file
from dcmveil.policy import Policy
from dcmveil.report import Report
from dcmveil.trees import Beneath
from dcmveil.workers import in_processes
from tests.cli.support import BAD, MARK, TALLY, image, invoke, listing, one_line, process, tally
from tests.hostile.forms import EXPLICIT, FORMS
from tests.services.certificates import certificate, key_bytes, pem_of, rsa_key, write

Capture = pytest.CaptureFixture[str]
FILES = 200
LONG = 60.0  # seconds, after which what is waited for will never come


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Many small files in all encodings, in several folders; some are bad and some refused."""
    source = tmp_path / "in"
    for number in range(FILES):
        path = source / f"{number % 7}" / f"{number:03}"
        path.parent.mkdir(parents=True, exist_ok=True)
        more = EXPLICIT.element(0x7FE00010, "OW", bytes(number * 100))
        path.write_bytes(image(FORMS[number % len(FORMS)]) if number % 2 else image(EXPLICIT, more))
    (source / "3" / "bad").write_bytes(BAD)
    (source / "4" / "cut").write_bytes(image()[:-1])
    (source / "5" / "nowhere").symlink_to("nothing")
    return source


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(b"sixteen bytes or more")
    path.chmod(0o600)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in listing(folder) if (folder / name).is_file()}


# ---- --jobs ----------------------------------------------------------------------------------------------------


def test_several_processes_do_what_one_does(tree: Path, secret: Path, tmp_path: Path, capfd: Capture) -> None:
    """The same bytes, and the same said about them, in the same order."""
    runs = []
    for jobs in (1, 3):
        report, target = tmp_path / f"report{jobs}", tmp_path / "out"
        said = invoke(capfd, "--jobs", jobs, "-D", "-r", "--secret-file", secret, "--report", report, tree, target)
        runs.append((said, contents(target), report.read_text()))
        target.rename(tmp_path / f"out{jobs}")
    assert runs[0] == runs[1]
    assert len(runs[0][1]) == FILES
    assert (tmp_path / "out3" / "6" / "195").stat().st_mode == (tmp_path / "out1" / "6" / "195").stat().st_mode


def test_a_dry_run_by_several_processes(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """With one secret for all runs: new UIDs differ in length, which a dry run tells."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"a secret of the tests")
    secret.chmod(0o600)
    dry = ("--secret-file", secret, "--dry-run", "-r", tree)
    assert invoke(capfd, "--jobs", 3, *dry) == invoke(capfd, *dry)
    assert tally(capfd, "--jobs", 3, *dry)["done"] == FILES


def test_processes_have_one_secret(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """Without a secret file it is made once: equal files stay equal."""
    for number in range(40):
        (tree / f"{number}.dcm").write_bytes(image())
    assert invoke(capfd, "--jobs", 3, tree, tmp_path / "out") == (0, "", "")
    assert len(set(contents(tmp_path / "out").values())) == 1


@pytest.mark.parametrize("number", ["0", "-1", "2.5", "many", "", "\u0663", "257", "9" * 5000])
def test_a_number_of_processes_is_a_number(number: str, tree: Path, tmp_path: Path, capfd: Capture) -> None:
    one_line(invoke(capfd, f"--jobs={number}", tree, tmp_path / "out"), "--jobs", "from 1 to 256")
    assert not (tmp_path / "out").exists()


def test_there_and_back_by_several_processes(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """The originals are encrypted and restored; one Envelope serves all processes."""
    for path in (tree / "3" / "bad", tree / "4" / "cut", tree / "5" / "nowhere"):
        path.unlink()
    write(tmp_path / "cert", pem_of(certificate(rsa_key())))
    write(tmp_path / "key", key_bytes(rsa_key()))
    write(tmp_path / "password", b"pw")
    there, back = tmp_path / "there", tmp_path / "back"
    password = ["--password-file", tmp_path / "password"]
    assert invoke(capfd, "--jobs", 3, "-r", "-c", tmp_path / "cert", *password, tree, there) == (0, "", "")
    assert not any(b"VEILME" in data for data in contents(there).values())
    for who in (["-k", tmp_path / "key"], password):
        assert invoke(capfd, "--jobs", 3, "-r", "-d", *who, there, back) == (0, "", "")
        assert contents(back) == contents(tree)
        shutil.rmtree(back)


def test_one_file_starts_no_process(
    sample_image: Path, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(workers, "in_processes")
    assert invoke(capfd, "--jobs", 8, sample_image, tmp_path / "out") == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_killed_fails_one_file(
    number: signal.Signals, tree: Path, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others are processed, those that it had been given as well."""

    def deadly(source: Beneath, target: Beneath, policy: Policy, *, copy: str) -> Report:
        if source.name == "100":
            os.kill(os.getpid(), number)
        return deidentify_file(source, target, policy, copy=copy)

    monkeypatch.setattr(tasks, "deidentify_file", deadly)
    said = invoke(capfd, "--jobs", 3, "-r", tree / "2", tmp_path / "out")
    one_line(said, tree / "2" / "100", f"the process that worked on it was ended by signal {int(number)}")
    assert set(listing(tree / "2")) - set(listing(tmp_path / "out")) == {"100"}


def test_an_error_on_stdout_ends_the_processes(tree: Path) -> None:
    with open("/dev/full", "wb") as full:
        said = process("--jobs", 3, "--dry-run", "-r", tree, stdout=full)
    assert (said.status, said.err.splitlines()[-1]) == (1, "dcmveil: standard output: No space left on device")


# A command line whose files take a long time: all has been written then, and nothing has a name.
SLOW = """
import os, sys, time
from dcmveil import cli
from dcmveil.output import AtomicFile
AtomicFile.commit = lambda output: (os.write(1, b"slow\\n"), time.sleep(600))
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.fixture
def running(tree: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run with three processes, each of them in the middle of a file, in a process group of its own."""
    command = [sys.executable, "-c", SLOW, "--jobs", "3", tree, tmp_path / "out"]
    for number in range(10):
        (tree / f"{number}.dcm").write_bytes(image())
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as started:
        try:
            wait_until_slow(started)
            yield started
        finally:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGKILL)


def wait_until_slow(started: subprocess.Popen[str]) -> None:
    """All three processes are at a file."""
    assert started.stdout is not None
    assert [started.stdout.readline() for _ in range(3)] == ["slow\n"] * 3


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(true: Callable[[], bool], seconds: float = LONG) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("whom", [os.kill, os.killpg], ids=["the first process", "all processes"])
def test_an_interrupt_ends_all_processes_quietly(
    whom: Callable[[int, int], None], running: subprocess.Popen[str], tmp_path: Path
) -> None:
    """As from a terminal, which tells all of them, and as from `kill -INT`, which tells one."""
    pids = children(running.pid)
    assert len(pids) == 3
    whom(running.pid, signal.SIGINT)
    _out, err = running.communicate(timeout=LONG)
    assert (running.returncode, err) == (1, "dcmveil: interrupted\n")
    assert not any(map(is_running, pids))
    assert listing(tmp_path / "out") == []


def test_processes_end_when_the_first_one_is_killed(tree: Path, tmp_path: Path) -> None:
    """They find their pipes closed behind the file they are at."""
    script = SLOW.replace("time.sleep(600)", "time.sleep(0.5)")
    command = [sys.executable, "-c", script, "--jobs", "3", "-r", tree, tmp_path / "out"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        wait_until_slow(started)
        pids = children(started.pid)
        started.kill()
        wait_until(lambda: not any(map(is_running, pids)))
        _out, err = started.communicate(timeout=LONG)
    assert err == ""


# ---- sharing out work ------------------------------------------------------------------------------------------


def lost(job: int, how: str) -> str:
    return f"{job} {how}"


def test_results_come_in_the_order_of_the_jobs() -> None:
    def work(job: int) -> str:
        time.sleep(0.2 if job in (0, 7) else 0)
        return f"{job} done"

    assert list(in_processes(work, iter(range(100)), 4, lost=lost)) == [f"{job} done" for job in range(100)]
    assert list(in_processes(work, iter(()), 4, lost=lost)) == []


def test_work_is_given_out_as_results_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the first job takes, and however many there are."""
    monkeypatch.setattr(workers, "_MAX_JOBS_AHEAD", 50)

    def work(job: int) -> str:
        time.sleep(0.5 if job == 0 else 0)
        return f"{job} done"

    jobs = iter(range(1000))
    results = in_processes(work, jobs, 3, lost=lost)
    assert next(results) == "0 done"
    assert 1000 - length_hint(jobs) < 50 + 3 * 2 * workers._CHUNK
    assert list(results) == [f"{job} done" for job in range(1, 1000)]


def test_many_results_in_bytes_hold_work_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_MAX_BYTES_AHEAD", 1 << 20)

    def work(job: int) -> bytes:
        time.sleep(0.5 if job == 0 else 0)
        return bytes(100_000)

    jobs = iter(range(200))
    results = in_processes(work, jobs, 3, lost=lambda _job, _how: b"")
    next(results)
    assert 200 - length_hint(jobs) < 50
    assert sum(map(len, results)) == 199 * 100_000


@pytest.mark.parametrize("deadly", [[0], [1], [5, 6, 7, 8, 9], list(range(20))])
def test_a_process_that_ends_loses_the_job_it_was_at(deadly: list[int]) -> None:
    def work(job: int) -> str:
        if job in deadly:
            os._exit(3)
        return f"{job} done"

    expected = [f"{job} ended with status 3" if job in deadly else f"{job} done" for job in range(20)]
    assert list(in_processes(work, iter(range(20)), 3, lost=lost)) == expected


def test_results_that_nobody_wants_end_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are interrupted at what they do, which has no end; what does not obey is killed, and has another status."""
    monkeypatch.setattr(workers, "_PATIENCE", LONG)

    def work(job: int) -> int:
        while job:
            time.sleep(0.01)
        return job

    before = active_children()
    results = in_processes(work, iter(range(10)), 2, lost=lambda job, _how: job)
    next(results)
    processes = set(active_children()) - set(before)
    results.close()
    assert [process.exitcode for process in processes] == [0, 0]


@pytest.mark.parametrize("possible", [0, 1, 2])
def test_with_fewer_processes_than_wanted(possible: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no more can be started those that are there do all the work."""
    start = ForkProcess.start
    started = 0

    def limited(process: ForkProcess) -> None:
        nonlocal started
        if started == possible:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        started += 1
        start(process)

    monkeypatch.setattr(ForkProcess, "start", limited)
    results = in_processes(str, iter(range(50)), 4, lost=lost)
    if possible:
        assert list(results) == [str(job) for job in range(50)]
    else:
        with pytest.raises(DcmveilError, match="no process can be started: Resource temporarily"):
            list(results)


# ---- --resume --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 3])
def test_resume_does_what_is_missing(jobs: int, tree: Path, secret: Path, tmp_path: Path, capfd: Capture) -> None:
    """Outputs that are there stay untouched, whatever is in them: they are whole."""
    target = tmp_path / "out"
    options = ["--jobs", jobs, "--secret-file", secret, "--resume", "-r"]
    assert tally(capfd, *options, tree, target) == {"done": FILES, "refused": 1, "failed": 2, "there": 0}
    before = contents(target)
    (target / "1" / "001").write_bytes(b"as it was")
    (target / "2" / "002").unlink()
    (target / "3" / "003").unlink()
    (target / "3" / "003").symlink_to(target / "1" / "001")
    (tree / "3" / "bad").write_bytes(image())
    expected = {"done": 3, "refused": 0, "failed": 2, "there": FILES - 2}
    assert tally(capfd, *options, tree, target) == expected
    after = contents(target)
    assert after.pop("1/001") == b"as it was"
    assert MARK not in after.pop("3/bad")
    assert after == {name: data for name, data in before.items() if name != "1/001"}


def test_resume_of_one_file(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "in").write_bytes(image())
    secret = tmp_path / "secret"
    secret.write_bytes(b"sixteen bytes or more")
    secret.chmod(0o600)
    command = ["--resume", "--secret-file", secret, tmp_path / "in", tmp_path / "out"]
    assert invoke(capfd, *command) == (0, "", "")
    (tmp_path / "out").write_bytes(b"as it was")
    assert invoke(capfd, *command) == (0, "", "")
    assert (tmp_path / "out").read_bytes() == b"as it was"


def test_resume_says_what_was_there_in_the_report(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    target, report = tmp_path / "out", tmp_path / "report"
    assert invoke(capfd, tree / "1", target).status == 0
    said = invoke(capfd, "--resume", "--report", report, tree / "1", target)
    assert (said.status, said.err.count("\n")) == (0, 1)
    assert "--resume without --secret-file" in said.err
    assert report.read_text().count('"status": "already there"') == len(listing(target))


def test_resume_is_not_for_a_file_that_is_its_own_output(tmp_path: Path, capfd: Capture) -> None:
    """It would be taken for done, and is the original."""
    (tmp_path / "in").write_bytes(image())
    (tmp_path / "link").symlink_to("in")
    for target in ("in", "./in", "link"):
        one_line(invoke(capfd, "--resume", tmp_path / "in", tmp_path / target), "--resume")
    one_line(invoke(capfd, "--resume", "--dry-run", tmp_path / "in"), "--resume and --dry-run")
    assert TALLY.search(capfd.readouterr().err) is None
