"""`-` for standard input and standard output: the bytes of the output are those of a file, however they come."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import pytest

from dcmveil import Edits, Options, Policy, parse_operation, pipes
from dcmveil.errors import DcmveilError
from dcmveil.tasks import Deidentify, Edit, Reidentify, Task
from tests.cli.support import BAD, MARK, image, listing
from tests.hostile.forms import DEFLATED, EXPLICIT
from tests.push.objects import MIB, PIXELS, held_back, noise, uid_free
from tests.push.objects import image as with_patient
from tests.reference.files import CHECKOUT, Sample, samples
from tests.reversible.support import SECRET, certificate_of, envelope, opener
from tests.services.certificates import key_bytes, pem_of, rsa_key

SAMPLE = CHECKOUT / "tests/data/sample.dcm"
POLICY = Policy(secret=SECRET)
CLEANED = Policy(secret=SECRET, options=Options(clean_descriptors=True), verifies=True)
SEALED = Policy(secret=SECRET, envelope=envelope())
EDITS = Edits([parse_operation("replace", "PatientName=Doe^Jane"), parse_operation("empty", "FFFC,FFFC")])
TASKS: dict[str, Task] = {"-e": Deidentify(POLICY), "cleaned": Deidentify(CLEANED), "--dumb": Edit(EDITS)}
NATIVE = with_patient(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(3 * MIB)))


class Done(NamedTuple):
    """What came of a process."""

    status: int
    out: bytes
    err: str


def writes(data: bytes, sizes: Iterator[int], pause: float = 0) -> Callable[[int], None]:
    """Writes to a descriptor, and closes it; who reads may have gone."""

    def write(fd: int) -> None:
        at = 0
        try:
            while at < len(data):
                at += os.write(fd, data[at : at + next(sizes)])
                if pause:
                    time.sleep(pause)
        except BrokenPipeError:
            pass
        finally:
            os.close(fd)

    return write


@contextmanager
def piped(data: bytes, sizes: Iterator[int], pause: float = 0) -> Iterator[int]:
    """The end of a pipe from which all that comes."""
    read, write = os.pipe()
    writer = threading.Thread(target=writes(data, sizes, pause), args=(write,))
    writer.start()
    try:
        yield read
    finally:
        os.close(read)
        writer.join()


def through(task: Task, data: bytes, sizes: Iterator[int], folder: Path) -> bytes | str:
    """The output of `- -` but for the numbers of the descriptors, in this process."""
    target = folder / "piped"
    fd = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with piped(data, sizes) as read:
            report = pipes._push(task, read, fd)
        assert report.bytes_in == len(data)
    except DcmveilError as error:
        return str(error)
    finally:
        os.close(fd)
    return target.read_bytes()


def by_file(task: Task, source: Path, target: Path) -> bytes | str:
    try:
        task.run(str(source), str(target))
    except DcmveilError as error:
        return str(error)
    return target.read_bytes()


def run(
    *arguments: object, data: bytes | None = None, sizes: Iterator[int] | None = None, pause: float = 0, **more: Any
) -> Done:
    """A process, to which data is written as it can be, or by so many bytes at a time."""
    command = [sys.executable, "-m", "dcmveil", *map(str, arguments)]
    options: dict[str, Any] = {"capture_output": True, "timeout": 60, **more}
    if sizes is not None and data is not None:
        with piped(data, sizes, pause) as read:
            done = subprocess.run(command, check=False, stdin=read, **options)
    elif data is not None:
        done = subprocess.run(command, check=False, input=data, **options)
    else:
        done = subprocess.run(command, check=False, **options)
    return Done(done.returncode, done.stdout or b"", (done.stderr or b"").decode())


def fails(done: Done, *parts: str) -> None:
    """In one line, with nothing on standard output."""
    assert (done.status, done.out, done.err.count("\n")) == (1, b"", 1), done
    assert [part for part in parts if part not in done.err] == [], done.err
    assert "VEILME" not in done.err
    assert "internal" not in done.err


@pytest.fixture
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where inputs are set aside; nothing may be left there."""
    folder = tmp_path / "aside"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    if folder.exists():
        assert listing(folder) == []


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with a certificate, its key, and the key under a passphrase."""
    (tmp_path / "cert").write_bytes(pem_of(certificate_of()))
    for name, passphrase in (("key", None), ("locked", b"a passphrase")):
        (tmp_path / name).write_bytes(key_bytes(rsa_key(0), passphrase=passphrase))
        (tmp_path / name).chmod(0o600)
    return tmp_path


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


# ---- what goes wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"", b"\0", BAD, BAD * 100_000, image()[:-1]], ids=["none", "1", "bad", "long", "cut"]
)
def test_what_is_no_object(data: bytes, keys: Path, aside: Path) -> None:
    for mode in (["-e"], ["-e", "-c", keys / "cert"], ["-e", "--verify"], ["-d", "-k", keys / "key"],
                 ["--dumb", "--remove", "PatientName"]):  # fmt: skip
        fails(run(*mode, "-", "-", data=data), "standard input: ")
    fails(run("-", keys / "out", data=data), "standard input: ")
    assert not (keys / "out").exists()


@pytest.mark.parametrize("size", [1 << 20, 10_000])
def test_an_error_says_what_is_to_be_discarded(size: int, secret: Path, tmp_path: Path) -> None:
    cut = NATIVE[:-2]
    done = run("--secret-file", secret, "-", "-", data=cut, sizes=cycle([size]))
    assert done.status == 1
    assert len(done.out) > MIB
    assert done.err.count("\n") == 1
    assert f"the {len(done.out)} bytes that went to standard output before are to be discarded" in done.err
    fails(run("--secret-file", secret, "-", tmp_path / "out", data=cut))
    assert "discard" not in run("--secret-file", secret, "-", tmp_path / "out", data=cut).err
    assert listing(tmp_path) == ["secret"]


def test_so_does_an_error_of_a_redirected_file(secret: Path, tmp_path: Path) -> None:
    """Of which part is written where so many edits are held that it would take too much memory."""
    many = b"".join(EXPLICIT.element(0x00291000 + n % 256, "LO", "VEILME") for n in range(100_000))
    data = with_patient(EXPLICIT, many, EXPLICIT.element(0x00281199, "UI", "1.2.3"))
    (tmp_path / "in").write_bytes(data[:-1])
    done = run("--secret-file", secret, tmp_path / "in", "-")
    assert done.status == 1
    assert done.err.count("\n") == 1
    assert len(done.out) > 0
    assert f"the {len(done.out)} bytes that went to standard output before are to be discarded" in done.err


def test_nothing_is_read_or_written_that_is_closed(tmp_path: Path) -> None:
    def close(*numbers: int) -> Callable[[], None]:
        return lambda: [os.close(number) for number in numbers] and None

    fails(run("-", "-", preexec_fn=close(0)), "standard input: ", "closed")
    fails(run("-", tmp_path / "out", preexec_fn=close(0)), "standard input: ", "closed")
    for arguments in ((SAMPLE, "-"), ("-", "-")):
        done = run(*arguments, data=SAMPLE.read_bytes(), preexec_fn=close(1))
        fails(done, "standard output: is closed")
    fails(run("-", "-", preexec_fn=close(0, 1)), "closed")
    assert listing(tmp_path) == []


def test_who_stops_reading_is_told_nothing(secret: Path) -> None:
    """The status is that of one whom SIGPIPE has ended: 141 in a shell."""
    for arguments in (("-", "-"), (SAMPLE, "-")):
        read, write = os.pipe()
        os.close(read)
        done = run("--secret-file", secret, *arguments, data=NATIVE, stdout=write, capture_output=False,
            stderr=subprocess.PIPE)  # fmt: skip
        os.close(write)
        assert (done.status, done.err) == (-signal.SIGPIPE, "")


def test_head_takes_what_it_wants() -> None:
    script = '"$0" -m dcmveil - - | head -c 100 >/dev/null; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(["bash", "-c", script, sys.executable], input=NATIVE, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"141\n", b"")


@pytest.mark.parametrize("more", [[], ["--verify"]], ids=["plain", "verified"])
def test_a_full_device(more: list[str], aside: Path) -> None:
    for arguments in (("-", "-"), (SAMPLE, "-")):
        with open("/dev/full", "wb") as full:
            done = run(*more, *arguments, data=NATIVE, stdout=full, stderr=subprocess.PIPE, capture_output=False)
        fails(done, "standard output: No space left on device")


@pytest.mark.parametrize("way", ["input", "output"])
def test_nowhere_to_set_aside(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "absent"))
    data = uid_free(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(9 * MIB)))
    done = run(*(["--verify"] if way == "output" else []), "-", "-", data=data)
    fails(done, "cannot be set aside in", "absent (TMPDIR)", "No such file or directory")
    assert "standard output" in done.err or way == "input"


@pytest.mark.parametrize("way", ["input", "output"])
def test_no_room_to_set_aside(way: str, aside: Path, secret: Path) -> None:
    """A limit on the size of files stands for a full disk."""

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))

    size = 9 * MIB if way == "input" else 2 * MIB
    data = uid_free(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(size)))
    more = ["--verify"] if way == "output" else []
    done = run("--secret-file", secret, *more, "-", "-", data=data, preexec_fn=small)
    fails(done, "cannot be set aside in", "(TMPDIR): File too large")


def test_nothing_is_left_when_it_is_killed(aside: Path) -> None:
    data = uid_free(EXPLICIT, EXPLICIT.header(PIXELS, "OW", 40 * MIB) + noise(20 * MIB))
    command = [sys.executable, "-m", "dcmveil", "-", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(data)  # it returns when all but what fits into the pipe has been set aside
        process.stdin.flush()
        assert [name for name in _open_files(process.pid) if str(aside) in name]
        process.kill()
        process.wait()
        process.stdin.close()
    assert listing(aside) == []


def _open_files(pid: int) -> list[str]:
    folder = Path(f"/proc/{pid}/fd")
    return [os.readlink(entry) for entry in folder.iterdir()]


def test_a_passphrase_is_not_read_from_the_object(keys: Path) -> None:
    """Without a terminal there is nobody to ask."""
    done = run("-d", "-k", keys / "locked", "-", "-", data=b"a passphrase\n" + NATIVE, start_new_session=True)
    fails(done, "passphrase")


def test_nothing_is_restored_of_what_was_changed(keys: Path, aside: Path) -> None:
    sealed = run("-e", "-c", keys / "cert", "-", "-", data=SAMPLE.read_bytes()).out
    middle = sealed.index(b"\x00\x04\x20\x05") + 500
    broken = bytearray(sealed)
    broken[middle] ^= 1
    fails(run("-d", "-k", keys / "key", "-", "-", data=bytes(broken)))
    fails(run("-d", "-k", keys / "key", "-", "-", data=sealed[:-1]))
    fails(run("-d", "-k", keys / "key", "-", "-", data=SAMPLE.read_bytes()), "not")


def test_folders_and_terminals_are_no_place(tmp_path: Path) -> None:
    fails(run(tmp_path, "-"), "standard output cannot be OUT for a folder")
    leader, follower = os.openpty()
    done = run(SAMPLE, "-", stdout=follower, stderr=subprocess.PIPE, capture_output=False)
    os.close(leader)
    os.close(follower)
    fails(done, "terminal")


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
