"""Standard input and output that are closed, full, in the way or of no object: one line, and nothing left anywhere."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from tests.cli.piping import (
    NATIVE,
    SAMPLE,
    fails,
    run,
)
from tests.cli.support import BAD, image, listing
from tests.hostile.forms import EXPLICIT
from tests.push.objects import MIB, PIXELS, noise, uid_free
from tests.push.objects import image as with_patient


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
