"""Count the calls of a clean run, then make each of them fail."""

from __future__ import annotations

import errno
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from dcmveil import Opener, load_private_key, reidentify_file
from dcmveil.errors import DcmveilError
from tests.faults.judge import JOURNALS, Expected, Fault, Judge, Verdict
from tests.faults.scenes import FILES, Scene, Stage
from tests.faults.server import Ended, Processes, Server
from tests.faults.shim import How, Kind, Shim

__all__ = ["FILE_KINDS", "MEMORY_KINDS", "Campaign", "Run", "Tally", "faults_of", "sample", "stage"]

_E = errno
ERRORS: dict[Kind, tuple[int, ...]] = {
    Kind.READ: (_E.EIO, _E.ESTALE, _E.ENOMEM),
    Kind.WRITE: (_E.EIO, _E.ENOSPC, _E.EDQUOT, _E.EFBIG, _E.EPIPE),
    Kind.OPEN: (
        _E.EACCES, _E.EMFILE, _E.ENFILE, _E.ENOSPC, _E.EDQUOT, _E.EIO, _E.ENOMEM, _E.EROFS, _E.ESTALE, _E.EEXIST,
        _E.EOPNOTSUPP, _E.EISDIR, _E.ENOENT, _E.EPERM,
    ),
    Kind.CLOSE: (_E.EIO, _E.ENOSPC, _E.EDQUOT),
    Kind.SYNC: (_E.EIO, _E.ENOSPC, _E.EDQUOT, _E.EROFS, _E.EINVAL),
    Kind.RENAME: (_E.EIO, _E.ENOSPC, _E.EDQUOT, _E.EACCES, _E.EPERM, _E.EROFS, _E.ESTALE, _E.EXDEV, _E.ENOENT),
    Kind.LINK: (
        _E.EIO, _E.ENOSPC, _E.EDQUOT, _E.EACCES, _E.EPERM, _E.EROFS, _E.ESTALE, _E.EXDEV, _E.ENOENT, _E.EEXIST,
        _E.EMLINK, _E.EOPNOTSUPP,
    ),
    Kind.UNLINK: (_E.EIO, _E.EACCES, _E.EPERM, _E.EROFS, _E.EBUSY),
    Kind.TRUNCATE: (_E.EIO, _E.ENOSPC, _E.EPERM),
    Kind.MKDIR: (_E.EIO, _E.ENOSPC, _E.EDQUOT, _E.EACCES, _E.EROFS, _E.EEXIST, _E.EMLINK),
    Kind.COPY: (_E.EIO, _E.ENOSPC, _E.EDQUOT, _E.EXDEV, _E.EOPNOTSUPP, _E.EINVAL, _E.EPERM),
    Kind.SPLICE: (_E.EIO, _E.ENOSPC, _E.EDQUOT, _E.EINVAL, _E.ENOMEM),
    Kind.ALLOCATE: (_E.EIO, _E.ENOSPC, _E.EOPNOTSUPP, _E.EDQUOT),
    Kind.MMAP: (_E.ENOMEM, _E.EAGAIN),
    Kind.MALLOC: (_E.ENOMEM,),
    Kind.STAT: (_E.EIO, _E.EACCES, _E.ESTALE, _E.ENOENT, _E.ENOMEM),
    Kind.SEEK: (_E.EIO, _E.ESPIPE),
    Kind.DUP: (_E.EMFILE, _E.ENFILE),
    Kind.CHMOD: (_E.EIO, _E.EPERM, _E.EROFS),
    Kind.LIST: (_E.EIO, _E.EACCES, _E.EMFILE, _E.ENOMEM),
    Kind.PIPE: (_E.EMFILE, _E.ENFILE),
    Kind.CONTROL: (_E.EPERM, _E.EINVAL, _E.ENOTTY),
    Kind.FORK: (_E.EAGAIN, _E.ENOMEM),
}  # fmt: skip
MEMORY_KINDS = (Kind.MMAP, Kind.MALLOC)
FILE_KINDS = tuple(kind for kind in Kind if kind not in MEMORY_KINDS)
# Calls that a signal may interrupt, and those that may do less than they were asked for: nobody has to notice.
INTERRUPTED = (
    Kind.READ, Kind.WRITE, Kind.OPEN, Kind.CLOSE, Kind.SYNC, Kind.TRUNCATE, Kind.COPY, Kind.SPLICE, Kind.ALLOCATE,
    Kind.CHMOD,
)  # fmt: skip
SHORT = (Kind.READ, Kind.WRITE, Kind.COPY, Kind.SPLICE)
FEW = 509  # bytes at most that all calls from one on handle


def faults_of(counts: dict[Kind, int], kinds: tuple[Kind, ...]) -> Iterator[Fault]:
    """Every fault that a run with so many calls may meet."""
    for kind in kinds:
        for at in range(1, counts.get(kind, 0) + 1):
            for error in ERRORS[kind]:
                yield Fault(kind, at, How.ONCE, error)
                yield Fault(kind, at, How.FROM_THEN_ON, error)
            if kind in INTERRUPTED:
                yield Fault(kind, at, How.ONCE, errno.EINTR, retried=True)
            if kind in SHORT:
                yield Fault(kind, at, How.ONCE, retried=True)
            yield Fault(kind, at, How.KILL)
        if kind in SHORT and counts.get(kind):
            yield Fault(kind, 1, How.FROM_THEN_ON, retried=True)


def sample(scene: Scene, faults: list[Fault], most: int | None) -> list[Fault]:
    """At most so many of them, the same ones each time."""
    return faults if most is None or len(faults) <= most else random.Random(scene.name).sample(faults, most)


class Run(NamedTuple):
    """How one ended, what is wrong with it, how many calls failed, and where the first of them was, if it was an
    allocation."""

    ended: Ended
    verdict: Verdict
    hits: int
    place: int


class Tally:
    """Runs, and what was wrong with them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[tuple[str, Fault, Verdict]] = []

    def add(self, scene: Scene, fault: Fault, run: Run) -> None:
        status = "killed" if run.ended.status < 0 else "failed" if run.ended.status else "succeeded"
        self.counts.update(["runs", status, *(["missed"] if not run.hits else [])])
        self.counts["faults"] += run.hits
        if run.verdict.word:
            self.counts[run.verdict.word] += 1
            self.wrong.append((scene.name, fault, run.verdict))

    def __iadd__(self, other: Tally) -> Self:
        self.counts += other.counts
        self.wrong += other.wrong
        return self


class Campaign:
    """A stage, the shim and a server: runs scenes, clean or with a fault."""

    def __init__(self, folder: Path, *, allocator: str | None = None, forks: bool = True) -> None:
        self.stage = Stage(folder)
        self.shim = Shim(folder, self.stage.root)
        environment = self.shim.environment()
        if allocator is not None:
            environment["PYTHONMALLOC"] = allocator
        self._server = Server(environment) if forks else Processes(self.shim.environment(armed=True))
        self._opener = Opener(_key(self.stage.keys / "key"))
        self._judge = Judge(self.stage, self._restores)
        self._seal()

    def close(self) -> None:
        self._server.close()

    @contextmanager
    def broken(self, code: str) -> Iterator[None]:
        """Python that breaks what is tested, in each run."""
        self._server.sabotage = code
        try:
            yield
        finally:
            self._server.sabotage = ""

    def _seal(self) -> None:
        """The inputs encrypted, for scenes that restore them."""
        for name in FILES:
            path = self.stage.sealed / name
            path.parent.mkdir(parents=True, exist_ok=True)
            arguments = [
                "--allow-weak",
                "-c",
                str(self.stage.keys / "certificate"),
                str(self.stage.inputs / name),
                str(path),
            ]
            self._run(arguments)
            assert path.exists(), self._judge.said()
        self.stage.untouched = self.stage.look()

    def _run(self, arguments: list[str], stdin: Path | None = None) -> Ended:
        return self._server.run(arguments, self.stage.log, stdin=stdin, temporary=self.stage.temporary)

    def _restores(self, path: Path, original: Path) -> bool:
        """As this process finds, which is under no shim."""
        try:
            reidentify_file(path, self.stage.aside, self._opener)
        except DcmveilError:
            return False
        return self.stage.aside.read_bytes() == original.read_bytes()

    def expected(self, scene: Scene) -> Expected:
        """What a clean run does. With --resume all is made anew first, so as to know what is whole."""
        out = self.stage.out
        whole = self._whole(scene) if "--resume" in scene.arguments else {}
        journals: dict[str, bytes] = {}
        for _time in range(1 + scene.again):
            self._clean(scene, whole, journals)
            journals = {name: (out / name).read_bytes() for name in JOURNALS if (out / name).exists()}
        outputs = {name: (out / name).read_bytes() for name in scene.outputs}
        stdout = Path(f"{self.stage.log}.out").read_bytes()
        return Expected(outputs, stdout, journals, self.shim.counts(), self._judge.said())

    def _whole(self, scene: Scene) -> dict[str, bytes]:
        self.shim.plan(None)
        shutil.rmtree(self.stage.out)
        self.stage.out.mkdir()
        self._run(self.stage.arguments(scene))
        return {name: (self.stage.out / name).read_bytes() for name in scene.outputs}

    def _clean(self, scene: Scene, whole: dict[str, bytes], journals: dict[str, bytes]) -> None:
        self.stage.prepare(scene, whole, journals)
        self._world(scene)
        self.shim.plan(None)
        ended = self._run(self.stage.arguments(scene), self.stage.stdin(scene))
        assert ended == (0, True), (scene.name, ended, self._judge.said())

    def _world(self, scene: Scene) -> None:
        standard = (scene.stdin is not None) | (scene.stdout is not None) << 1
        self.shim.world(nameless=scene.nameless, clones=scene.clones, standard=standard)

    def trace(self, scene: Scene, expected: Expected) -> list[int]:
        """The places of all allocations of a clean run."""
        with self.shim.tracing():
            self._clean(scene, expected.outputs, expected.journals)
        return self.shim.places()

    def fail(self, scene: Scene, expected: Expected, fault: Fault) -> Run:
        """One run with one fault."""
        self.stage.prepare(scene, expected.outputs, expected.journals)
        self._world(scene)
        most = FEW if fault.how is How.FROM_THEN_ON else 1
        self.shim.plan(fault.kind, fault.at, fault.how, fault.error, most, fault.place)
        ended = self._run(self.stage.arguments(scene), self.stage.stdin(scene))
        fault = fault._replace(is_late=self.shim.late > 0 and not fault.retried and not scene.is_piped)
        return Run(ended, self._judge.verdict(scene, expected, ended, fault), self.shim.hits, self.shim.met)

    def run(self, scene: Scene, kinds: tuple[Kind, ...] = FILE_KINDS, *, most: int | None = None) -> Tally:
        """Every fault of these kinds, or `most` of them, the same ones each time."""
        expected, tally = self.expected(scene), Tally()
        for fault in sample(scene, list(faults_of(expected.counts, kinds)), most):
            tally.add(scene, fault, self.fail(scene, expected, fault))
        return tally


def _key(path: Path) -> RSAPrivateKey:
    return load_private_key(path, password=lambda: None, allow_weak=True, warn=lambda _text: None)


@contextmanager
def stage(folder: Path, *, allocator: str | None = None, forks: bool = True) -> Iterator[Campaign]:
    """A campaign, whose server ends with this."""
    campaign = Campaign(folder, allocator=allocator, forks=forks)
    try:
        yield campaign
    finally:
        campaign.close()
