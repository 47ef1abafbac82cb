"""A process with everything imported, of which each run is a fork: `python -m tests.faults.server`, under the shim.

A line of JSON for each run comes on standard input and one with its status goes out on standard output. The run is in
a session of its own; it is over when all of its processes are.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Ended", "Server"]

SECONDS = 20  # after which a run hangs
_PR_SET_CHILD_SUBREAPER = 36


class Ended(NamedTuple):
    """How a run ended: its status, that of a signal negative, and whether all its processes did so by themselves."""

    status: int
    is_alone: bool


class Server:
    """Our end of it."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.faults.server"]
        place = Path(__file__).parents[2]
        pipe = subprocess.PIPE
        self.sabotage = ""  # Python that breaks what is tested, to see whether that is noticed
        self._process = subprocess.Popen(command, env=environment, cwd=place, stdin=pipe, stdout=pipe, text=True)

    def run(
        self, arguments: list[str], log: Path, *, stdin: Path | None = None, temporary: Path, kill: Any = None
    ) -> Ended:
        """Run a command line. `log`.out and `log`.err are what it said; `stdin` comes through a pipe, and standard
        output is one then. `kill`: a signal, seconds, and whether all processes get it."""
        request = {
            "arguments": arguments,
            "log": str(log),
            "stdin": stdin and str(stdin),
            "temporary": str(temporary),
            "kill": kill,
            "sabotage": self.sabotage,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return Ended(*json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()


class Processes:
    """The same with a process of its own for each run, as a user starts it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self.sabotage = ""  # not heeded: these are as a user has them
        _adopt()

    def run(
        self, arguments: list[str], log: Path, *, stdin: Path | None = None, temporary: Path, kill: Any = None
    ) -> Ended:
        """As that of a Server, but that nobody is killed."""
        assert kill is None
        command = [sys.executable, "-m", "dcmveil", *arguments]
        environment = {**self._environment, "TMPDIR": str(temporary)}
        data = b"" if stdin is None else stdin.read_bytes()
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        ) as started:
            try:
                out, err = started.communicate(data, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                started.send_signal(signal.SIGALRM)
                out, err = started.communicate()
        Path(f"{log}.out").write_bytes(out)
        Path(f"{log}.err").write_bytes(err)
        return Ended(started.returncode, _wait_for_others(started.pid))

    def close(self) -> None:
        """Nothing is left."""


# ---- the other end ---------------------------------------------------------------------------------------------------


def _serve() -> None:
    arm = getattr(ctypes.CDLL(None), "faults_arm", lambda _on: None)
    _adopt()
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    _import_all()
    gc.freeze()
    for line in requests:
        print(json.dumps(_run(json.loads(line), arm)), file=answers, flush=True)


def _adopt() -> None:
    """Processes that a run leaves become our children."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _import_all() -> None:
    import dcmveil

    for module in pkgutil.iter_modules(dcmveil.__path__, "dcmveil."):
        if not module.name.startswith("dcmveil.cloud_"):
            importlib.import_module(module.name)
    for name in ("multiprocessing.popen_fork", "multiprocessing.connection", "encodings.idna", "fcntl"):
        importlib.import_module(name)


def _run(request: dict[str, Any], arm: Any) -> Ended:
    stdin, stdout, helpers = _streams(request)
    pid = os.fork()
    if pid == 0:
        _be_the_run(request, stdin, stdout, arm)
    os.close(stdin)
    os.close(stdout)
    if request["kill"] is not None:
        _kill_later(pid, *request["kill"])
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    is_alone = _wait_for_others(pid)
    for helper in helpers:
        os.waitpid(helper, 0)
    return Ended(status, is_alone)


def _be_the_run(request: dict[str, Any], stdin: int, stdout: int, arm: Any) -> None:
    os.setsid()
    errors = os.open(request["log"] + ".err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, fd in enumerate((stdin, stdout, errors)):
        os.dup2(fd, number)
    os.closerange(3, 100)
    os.environ["TMPDIR"] = request["temporary"]
    signal.alarm(SECONDS)
    exec(request["sabotage"], {"os": os})
    sys.argv[1:] = request["arguments"]
    from dcmveil.__main__ import command

    arm(1)
    try:
        command()
    except BaseException:  # as the interpreter would: it has to be seen
        arm(0)
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)


def _streams(request: dict[str, Any]) -> tuple[int, int, list[int]]:
    """Standard input and output of the run, and processes at the other ends of them, if they are pipes."""
    path = request["log"] + ".out"
    if request["stdin"] is None:
        return os.open(os.devnull, os.O_RDONLY), os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), []
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    helpers = [
        _pass_on(request["stdin"], our_out, (their_in, our_in, their_out)),
        _pass_on(our_in, path, (their_in, our_out, their_out)),
    ]
    os.close(our_out)
    os.close(our_in)
    return their_in, their_out, helpers


def _pass_on(source: str | int, target: str | int, others: tuple[int, ...]) -> int:
    """A process that copies one to the other, until there is no more, or nobody takes it."""
    pid = os.fork()
    if pid:
        return pid
    try:
        for fd in others:
            os.close(fd)
        with open(source, "rb") as reading, open(target, "wb", buffering=0) as writing:
            while data := os.read(reading.fileno(), 1 << 16):
                writing.write(data)
    finally:
        os._exit(0)


def _kill_later(pid: int, number: int, seconds: float, whom: str) -> None:
    """The first process, all, or one that it has started, if there is one yet."""
    time.sleep(seconds)
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if whom == "one" and started:
        pid = int(started[-1])
    with suppress(ProcessLookupError):  # it has ended, or has no session yet
        if whom == "all":
            os.killpg(pid, number)
            return
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _wait_for_others(group: int) -> bool:
    """Processes that the run has started come to us when it has ended. Returns whether they ended by themselves."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            pid, _status = os.waitpid(-group, os.WNOHANG)
        except ChildProcessError:
            return True
        if not pid:
            time.sleep(0.001)
    os.killpg(group, signal.SIGKILL)
    while True:
        try:
            os.waitpid(-group, 0)
        except ChildProcessError:
            return False


if __name__ == "__main__":
    _serve()
