"""The process with originals in its memory: no core dump, no other reader, and nothing in files that others see."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from dcmveil import Policy, deidentify_file, shielding
from dcmveil.credentials import hide_passwords
from dcmveil.output import nameless
from tests.cli.support import image, listing
from tests.secrets.support import AS_USER, as_user, is_reading, proc, running, until
from tests.services.certificates import certificate, key_bytes, pem_of, rsa_key, write

GET_DUMPABLE = 3  # of prctl(2)
WAITING = ["-m", "dcmveil", "-", "out.dcm"]


def dumpable() -> int:
    return int(ctypes.CDLL(None).prctl(GET_DUMPABLE, 0, 0, 0, 0))


def begin(process: subprocess.Popen[bytes]) -> None:
    """Half an object, and it is waited for that it has been read."""
    assert process.stdin is not None
    process.stdin.write(image()[:200])
    process.stdin.flush()
    assert until(lambda: is_reading(process)), process.stderr


def may_dump() -> None:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def test_leak_channel_18_memory_is_in_no_core_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may dump core, and is aborted with an object in its memory, does not."""
    monkeypatch.chdir(tmp_path)
    with running(*WAITING, setup=may_dump) as process:
        begin(process)
        limits = proc(process, "limits").read_text().splitlines()
        assert [line.split()[4:6] for line in limits if "core file" in line] == [["0", "0"]]
        os.kill(process.pid, signal.SIGABRT)
        _pid, status = os.waitpid(process.pid, 0)
        process.returncode = -signal.SIGABRT
    assert os.WTERMSIG(status) == signal.SIGABRT
    assert not os.WCOREDUMP(status)
    assert listing(tmp_path) == []


def test_leak_channel_18_memory_is_read_by_no_other_process(public: Path) -> None:
    """Nobody's processes could read each other's memory and environment; that of this one belongs to root."""
    with running("-c", AS_USER, "pass", "-", public / "out.dcm") as process:
        begin(process)
        assert proc(process, "mem").stat().st_uid == 0
        assert proc(process, "environ").stat().st_uid == 0
        spy = f"open('/proc/{process.pid}/environ', 'rb').read()"
        user = [] if os.geteuid() else ["import os; os.setgid(65534); os.setuid(65534)"]
        done = subprocess.run(
            [sys.executable, "-c", ";".join([*user, spy])], capture_output=True, text=True, check=False
        )
        assert "PermissionError" in done.stderr
    assert listing(public) == []


# Says on stderr what the kernel says of a process that is at work.
TELLING = """
import resource
work = tasks.Deidentify.run
def told(*args):
    report = work(*args)
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
    return report._replace(notice=f"dumpable {dumpable}, core {resource.getrlimit(resource.RLIMIT_CORE)}")
tasks.Deidentify.run = told
"""
# Fails where a file would need a name before it is whole.
NAMELESS = "output._unpredictable_name = None"


@pytest.mark.parametrize("jobs", [1, 2])
def test_leak_channel_18_a_user_s_outputs_appear_all_the_same(jobs: int, public: Path) -> None:
    """Also from files without a name, which are linked by way of /proc/self/fd, and from processes of --jobs."""
    (public / "in").mkdir()
    for name in "abcd":
        write(public / "in" / name, image(), 0o644)
    said = as_user("--jobs", jobs, public / "in", public / "out", before=TELLING + NAMELESS)
    told = [line.partition(": dumpable ")[2] for line in said.err.splitlines()]
    assert (said.status, told) == (0, ["0, core (0, 0)"] * 4)
    assert listing(public / "out") == list("abcd")


def test_leak_channel_18_a_user_restores_what_was_encrypted(public: Path) -> None:
    write(public / "cert", pem_of(certificate(rsa_key())), 0o644)
    write(public / "key", key_bytes(rsa_key()), 0o644)
    write(public / "in.dcm", image(), 0o644)
    assert as_user("-c", public / "cert", public / "in.dcm", public / "crypt", before=NAMELESS).status == 0
    assert as_user("-d", "-k", public / "key", public / "crypt", public / "back", before=NAMELESS).status == 0
    assert (public / "back").read_bytes() == image()


PIPED = """
reader, writer = os.pipe()
os.write(writer, b"VEILME the password")
os.close(writer)
sys.argv[:] = [argument.replace("FD", f"/dev/fd/{reader}") for argument in sys.argv]
"""


@pytest.mark.ci
def test_leak_channel_18_a_user_s_descriptors_have_paths_all_the_same(public: Path) -> None:
    """Process substitution, by way of /proc/self/fd, which belongs to root then."""
    write(public / "in.dcm", image(), 0o644)
    for arguments in (("in.dcm", "crypt"), ("-d", "crypt", "back")):
        *options, source, target = arguments
        command = [*options, "--password-file", "FD", public / source, public / target]
        assert as_user(*command, before=PIPED) == (0, "", "")
    assert (public / "back").read_bytes() == image()


def test_leak_channel_18_a_process_that_is_not_ours_is_left_as_it_is(tmp_path: Path) -> None:
    """Whoever embeds the package shields the process, or not."""
    script = """
import ctypes, resource
def state():
    return ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)
before = state()
from dcmveil import deidentify_file, Policy, shield_process, cli
deidentify_file("in.dcm", "out.dcm", Policy())
assert cli.run(["in.dcm", "out.dcm"]) == 0
assert state() == before
assert shield_process() == (ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0)
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
"""
    (tmp_path / "in.dcm").write_bytes(image())
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


def test_leak_channel_18_what_is_set_aside_is_its_owner_s(tmp_path: Path) -> None:
    """Without a name, and for its owner alone, whatever the umask is."""
    umask = os.umask(0)
    try:
        fd = nameless(str(tmp_path))
    finally:
        os.umask(umask)
    assert os.fstat(fd).st_mode & 0o777 == 0o600
    assert listing(tmp_path) == []
    os.close(fd)


def test_leak_channel_18_no_file_is_left_of_a_process_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where the output will be, nor where things are set aside; and no other's file is cleaned up."""
    (tmp_path / "aside").mkdir()
    other = ".dcmveil-" + "0" * 32
    (tmp_path / other).write_bytes(b"of another run")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "aside"))
    with running(*WAITING[:2], "-p", "pw", *WAITING[2:]) as process:
        begin(process)
        process.kill()
    assert listing(tmp_path) == [other, "aside"]


def test_leak_channel_19_only_the_mode_of_the_input_is_kept(public: Path) -> None:
    """Not its times, nor its extended attributes; and never more of its mode than the umask lets through."""
    source, target = public / "in.dcm", public / "out.dcm"
    write(source, image(), 0o644)
    os.utime(source, ns=(10**18, 10**18))
    os.setxattr(source, "user.patient", b"VEILME")
    umask = os.umask(0o077)
    try:
        deidentify_file(source, target, Policy())
    finally:
        os.umask(umask)
    found = target.stat()
    assert found.st_mtime_ns > 10**18
    assert found.st_atime_ns > 10**18
    assert found.st_mode & 0o7777 == 0o600
    assert os.listxattr(target) == []


# ---- arguments -------------------------------------------------------------------------------------------------

GIVEN = {
    "-p X": ["-p", "VEILME pw"],
    "-pX": ["-pVEILME pw"],
    "-rpX": ["-rpVEILME pw"],
    "--password X": ["--password", "VEILME pw"],
    "--password=X": ["--password=VEILME pw"],
    "repeated": ["-p", "VEILME 1", "-p", "VEILME pw"],
    "not ASCII": ["-p", os.fsdecode(b"VEILME\xff\xc3\xa4")],
}


@pytest.mark.parametrize(
    "given",
    [pytest.param(given, id=kind, marks=[pytest.mark.ci] * (kind != "-p X")) for kind, given in GIVEN.items()],
)
def test_leak_channel_25_a_password_is_wiped_from_the_arguments(
    given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ps(1) shows them, while the process runs; all else can still be seen. And it is said."""
    monkeypatch.chdir(tmp_path)
    command = [*WAITING[:2], *given, *WAITING[2:]]
    with running(*command) as process:
        begin(process)
        shown = proc(process, "cmdline").read_bytes().split(b"\0")
        assert len(shown) == 1 + len(command) + 1
        assert shown[-3:] == [b"-", b"out.dcm", b""]
        assert [part for part in shown if b"VEILME" in part] == []
        assert [len(part) for part in shown[1:-1]] == [len(os.fsencode(part)) for part in command]
        _out, err = process.communicate(image()[200:], timeout=30)
    assert process.returncode == 0
    assert err.startswith(b"dcmveil: warning: -p: other users of this machine could see the password at the start; ")
    assert err.count(b"\n") == 1


def odd_files() -> dict[str, dict[str, bytes | None]]:
    """What /proc may tell instead of where the arguments are; None for a file that is absent."""
    stat = Path("/proc/self/stat").read_bytes()
    return {
        "nothing": {"/proc/self/cmdline": None},
        "no numbers": {"/proc/self/cmdline": b"a\0", "/proc/self/stat": b"1 (a) S" + b" x" * 60},
        "few": {"/proc/self/cmdline": b"a\0", "/proc/self/stat": b"1 (a) S"},
        "zeros": {"/proc/self/cmdline": b"", "/proc/self/stat": b"1 (a) S" + b" 0" * 60},
        "other lengths": {"/proc/self/cmdline": b"a\0", "/proc/self/stat": stat},
        "other bytes": {"/proc/self/cmdline": bytes(len(Path("/proc/self/cmdline").read_bytes()))},
    }


@pytest.mark.parametrize("kind", odd_files())
def test_leak_channel_25_a_password_that_cannot_be_wiped_is_told_of(
    kind: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no /proc, or it tells something that does not fit, nothing is written to."""
    real, files = shielding._read, odd_files()[kind]

    def read(path: str) -> bytes:
        found = files.get(path, b"")
        if found is None:
            raise FileNotFoundError(path)
        return found if path in files else real(path)

    monkeypatch.setattr(shielding, "_read", read)
    hide_passwords(Namespace(passwords=["VEILME pw"]))
    says = (
        "dcmveil: warning: -p: other users of this machine can see the password; --password-file keeps it from them\n"
    )
    assert capfd.readouterr().err == says
