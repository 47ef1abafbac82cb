"""Runs over a folder that are ended at random moments: what has its final name is whole, and --resume does the rest."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.conftest import SAMPLE_IMAGE
from tests.faults.judge import TEMPORARY
from tests.faults.scenes import SECRET
from tests.faults.server import Ended, Server
from tests.faults.shim import Shim
from tests.hostile.forms import DEFLATED, EXPLICIT
from tests.push.objects import PIXELS, image, noise
from tests.services.certificates import certificate, key_bytes, pem_of, rsa_key, write

__all__ = ["BAD", "MODES", "Kills", "killing", "moments"]

FILES = 40
BAD = (
    "partial files", "false success", "left names", "not resumed", "missing after --resume", "touched inputs", "hangs"
)  # fmt: skip
LONGER = 1.1  # times a clean run: some signals are to come at its end


class Mode(NamedTuple):
    """How a folder is processed, and who gets the signal: the first process, all, or one that it has started."""

    sealed: bool = False
    jobs: int = 1
    whom: str = "first"

    @property
    def name(self) -> str:
        return f"-e{' -c' * self.sealed}{f' --jobs {self.jobs}' * (self.jobs > 1)}, to {self.whom}"


MODES = (
    Mode(),
    Mode(sealed=True),
    Mode(jobs=2),
    Mode(jobs=2, whom="all"),
    Mode(jobs=2, whom="one"),
    Mode(sealed=True, jobs=2, whom="all"),
)


class Kills:
    """A folder of inputs, and what a clean run makes of it."""

    def __init__(self, folder: Path, *, nameless: bool) -> None:
        self._folder, self._nameless = folder, nameless
        self._in, self._out, self._back = folder / "in", folder / "out", folder / "back"
        self._inputs = self._make_inputs()
        write(folder / "secret", SECRET)
        write(folder / "certificate", pem_of(certificate(rsa_key())))
        write(folder / "key", key_bytes(rsa_key()))
        self._shim = Shim(folder, folder)
        self._shim.world(nameless=nameless)
        self._server = Server(self._shim.environment())
        self._run("-r", *self._arguments(Mode()))
        self._whole = contents(self._out)
        assert self._whole.keys() == self._inputs.keys()
        self._untouched = self._look()
        self._seconds: dict[Mode, float] = {}

    def close(self) -> None:
        self._server.close()

    def _make_inputs(self) -> dict[str, bytes]:
        kinds = (
            SAMPLE_IMAGE.read_bytes(),
            image(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(400_000))),
            image(DEFLATED, EXPLICIT.element(PIXELS, "OW", noise(3000) * 2)),
            image(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(1_100_000))),
        )
        for number in range(FILES):
            path = self._in / f"{number % 3}" / f"{number:02}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(kinds[number % len(kinds)])
        return contents(self._in)

    def _look(self) -> list[tuple[int, ...]]:
        paths = sorted(path for path in self._in.rglob("*") if path.is_file())
        return [(status.st_ino, status.st_ctime_ns, status.st_size) for status in map(os.stat, paths)]

    def _arguments(self, mode: Mode) -> list[str]:
        options = ["--secret-file", str(self._folder / "secret"), "--jobs", str(mode.jobs)]
        options += ["-c", str(self._folder / "certificate")] * mode.sealed
        return ["-r", *options, str(self._in), str(self._out)]

    def _run(self, *arguments: str, kill: tuple[int, float, str] | None = None) -> Ended:
        return self._server.run(list(arguments), self._folder / "log", temporary=self._folder, kill=kill)

    def seconds(self, mode: Mode) -> float:
        """What a clean run takes."""
        if mode not in self._seconds:
            shutil.rmtree(self._out)
            began = time.monotonic()
            assert self._run(*self._arguments(mode)) == (0, True)
            self._seconds[mode] = time.monotonic() - began
        return self._seconds[mode]

    def kill(self, mode: Mode, number: int, moment: float) -> Counter[str]:
        """End a run at a moment (1: when a clean one would be over), and look at what it has left. What it counts are
        signals that came in time, files, and whatever was wrong."""
        seconds = self.seconds(mode) * moment
        shutil.rmtree(self._out, ignore_errors=True)
        ended = self._run(*self._arguments(mode), kill=(number, seconds, mode.whom))
        found = Counter({"signals": int(ended.status != 0), "too late": int(ended.status == 0)})
        found["hangs"] += not ended.is_alone
        self._look_at(found, mode, "whole files")
        found["false success"] += ended.status == 0 and found["whole files"] != FILES
        found["left names"] += self._left(number)
        resumed = self._run("--resume", *self._arguments(mode))
        found["not resumed"] += resumed != (0, True)
        self._look_at(found, mode, "files after --resume")
        found["touched inputs"] += self._look() != self._untouched
        return found

    def _look_at(self, found: Counter[str], mode: Mode, name: str) -> None:
        there = {path: data for path, data in contents(self._out).items() if TEMPORARY not in path}
        whole = self._restored() if mode.sealed else there
        expected = self._inputs if mode.sealed else self._whole
        found[name] += sum(whole.get(path) == expected[path] for path in there)
        found["partial files"] += sum(whole.get(path) != expected[path] for path in there)
        found["missing after --resume"] += len(expected) - len(there) if name.endswith("resume") else 0

    def _restored(self) -> dict[str, bytes]:
        """All outputs that there are, restored."""
        shutil.rmtree(self._back, ignore_errors=True)
        if self._out.exists():
            self._run("-r", "-d", "-k", str(self._folder / "key"), str(self._out), str(self._back))
        return contents(self._back)

    def _left(self, number: int) -> int:
        """Temporary names; where there are no files without a name, nobody can take them away after SIGKILL."""
        left = list(self._folder.rglob(f"{TEMPORARY}*"))
        return len(left) if self._nameless or number != signal.SIGKILL else 0


def contents(folder: Path) -> dict[str, bytes]:
    """The files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@contextmanager
def killing(folder: Path, *, nameless: bool = True) -> Iterator[Kills]:
    kills = Kills(folder, nameless=nameless)
    try:
        yield kills
    finally:
        kills.close()


def moments(seed: int) -> Iterator[float]:
    """Spread over the whole run, and a little more."""
    dice = random.Random(seed)
    while True:
        yield dice.random() * LONGER
