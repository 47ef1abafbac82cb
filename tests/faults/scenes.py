"""The runs whose calls fail: command lines over files and folders, what is there before, and what has to come out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import SAMPLE_IMAGE
from tests.hostile.forms import DEFLATED, EXPLICIT
from tests.push.objects import PIXELS, image, noise
from tests.services.certificates import certificate, key_bytes, pem_of, rsa_key, write

__all__ = ["OLD", "SCENES", "Scene", "Stage"]

OLD = b"an old output"
SECRET = b"a secret that is long enough"
BULK = (1 << 20) + 9002  # bytes of Pixel Data that are copied as bulk, with an end that is no whole page
WEAK = 1024  # bits of a key: to check a longer one takes more time than all else of a run
FILES = ("one/plain", "one/bulk", "one/deflated", "tree/a", "tree/b", "tree/sub/c")


@dataclass(frozen=True)
class Scene:
    """One command line. In `arguments` {i} is the folder of inputs, {s} that of sealed ones, {o} that of outputs, {k}
    that of keys. `outputs` are names below {o}, each with the input it is of; `old` those that are there before.
    """

    name: str
    arguments: str
    outputs: dict[str, str] = field(default_factory=dict)
    old: tuple[str, ...] = ()
    stdin: str | None = None
    stdout: str | None = None  # the input it is of
    restores: bool = False  # outputs are not the same each time: they have to restore to their inputs
    nameless: bool = True
    clones: bool = False
    again: bool = False  # report and map of such a run are there before

    @property
    def command(self) -> list[str]:
        return self.arguments.split()

    @property
    def is_shared_out(self) -> bool:
        """By several processes, which do not make their calls in the same order each time."""
        return "--jobs" in self.arguments

    @property
    def is_piped(self) -> bool:
        return self.stdin is not None or self.stdout is not None


_E = "--secret-file {k}/secret"
_C = f"--allow-weak -c {{k}}/certificate {_E}"
_D = "--allow-weak -d -k {k}/key"
_EDIT = "--dumb --replace 0010,0010=Nobody --remove 0008,0080"
_TREE = {"a": "tree/a", "b": "tree/b", "sub/c": "tree/sub/c"}


def _files() -> Iterator[Scene]:
    for name in ("plain", "bulk", "deflated"):
        one = {"x": f"one/{name}"}
        yield Scene(f"-e {name}", f"{_E} {{i}}/one/{name} {{o}}/x", one)
        yield Scene(f"-e -c {name}", f"{_C} {{i}}/one/{name} {{o}}/x", one, restores=True)
        yield Scene(f"-d {name}", f"{_D} {{s}}/one/{name} {{o}}/x", one)
        yield Scene(f"--dumb {name}", f"{_EDIT} {{i}}/one/{name} {{o}}/x", one)
    bulk = {"x": "one/bulk"}
    for method in ("readwrite", "splice", "reflink", "auto"):
        line = f"{_E} --copy {method} {{i}}/one/bulk {{o}}/x"
        yield Scene(f"--copy {method}", line, bulk, clones=method in ("reflink", "auto"))
    plain = {"x": "one/plain"}
    yield Scene("old output", f"{_E} {{i}}/one/plain {{o}}/x", plain, old=("x",))
    yield Scene("old output -d", f"{_D} {{s}}/one/plain {{o}}/x", plain, old=("x",))
    yield Scene("in place", f"{_E} {{o}}/x {{o}}/x", plain, old=("x",))
    yield Scene("named", f"{_E} {{i}}/one/plain {{o}}/x", plain, nameless=False)
    yield Scene("named bulk", f"{_E} {{i}}/one/bulk {{o}}/x", bulk, nameless=False)
    yield Scene("named old output", f"{_E} {{i}}/one/plain {{o}}/x", plain, old=("x",), nameless=False)
    yield Scene("named -d", f"{_D} {{s}}/one/plain {{o}}/x", plain, nameless=False)
    yield Scene("--verify", f"--verify --clean-descriptors {_E} {{i}}/one/plain {{o}}/x", plain)
    yield Scene("--dry-run", f"--dry-run {_E} --report {{o}}/report {{i}}/one/plain")


def _pipes() -> Iterator[Scene]:
    for name in ("plain", "bulk", "deflated"):
        path = f"one/{name}"
        yield Scene(f"pipe {name}", f"{_E} - -", stdin=path, stdout=path)
        yield Scene(f"pipe -e -c {name}", f"{_C} - -", stdin=path, stdout=path, restores=True)
        yield Scene(f"pipe -d {name}", f"{_D} - -", stdin=f"sealed/{name}", stdout=path)
        yield Scene(f"pipe to file {name}", f"{_E} - {{o}}/x", {"x": path}, stdin=path)
        yield Scene(f"file to pipe {name}", f"{_E} {{i}}/{path} -", stdin=path, stdout=path)
    yield Scene("pipe --dumb", f"{_EDIT} - -", stdin="one/plain", stdout="one/plain")
    yield Scene("pipe named -d", f"{_D} - -", stdin="sealed/plain", stdout="one/plain", nameless=False)
    long = "one/long"
    yield Scene("pipe aside", f"{_C} - {{o}}/x", {"x": long}, stdin=long, restores=True)
    yield Scene("pipe aside named", f"{_C} - {{o}}/x", {"x": long}, stdin=long, restores=True, nameless=False)


def _folders() -> Iterator[Scene]:
    for jobs in ("", " --jobs 2"):
        yield Scene(f"folder -e{jobs}", f"-r {_E}{jobs} {{i}}/tree {{o}}", _TREE)
        yield Scene(f"folder -e -c{jobs}", f"-r {_C}{jobs} {{i}}/tree {{o}}", _TREE, restores=True)
        yield Scene(f"folder -d{jobs}", f"-r {_D}{jobs} {{s}}/tree {{o}}", _TREE)
        yield Scene(f"folder --dumb{jobs}", f"-r {_EDIT}{jobs} {{i}}/tree {{o}}", _TREE)
        told = f"-r {_E}{jobs} --report {{o}}/report --map {{o}}/map {{i}}/tree {{o}}/t"
        yield Scene(f"folder --report --map{jobs}", told, {f"t/{name}": of for name, of in _TREE.items()})
        yield Scene(f"folder told again{jobs}", told, {f"t/{name}": of for name, of in _TREE.items()}, again=True)
        resumed = f"-r {_E}{jobs} --resume {{i}}/tree {{o}}"
        yield Scene(f"folder --resume{jobs}", resumed, _TREE, old=("a",))
        yield Scene(f"folder old outputs{jobs}", f"-r {_E}{jobs} {{i}}/tree {{o}}", _TREE, old=("a", "sub/c"))
        yield Scene(f"folder named{jobs}", f"-r {_E}{jobs} {{i}}/tree {{o}}", _TREE, old=("a",), nameless=False)


SCENES: dict[str, Scene] = {scene.name: scene for scene in (*_files(), *_pipes(), *_folders())}


class Stage:
    """A folder with inputs, keys and room for outputs. `root` is all of it that counts."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.inputs, self.sealed, self.keys = self.root / "in", self.root / "sealed", self.root / "keys"
        self.out, self.temporary = self.root / "out", self.root / "tmp"
        self.log, self.aside = folder / "log", folder / "aside"
        for path in (self.inputs, self.sealed, self.keys, self.out, self.temporary):
            path.mkdir(parents=True)
        self._make_inputs()
        write(self.keys / "secret", SECRET)
        write(self.keys / "certificate", pem_of(certificate(rsa_key(bits=WEAK))))
        write(self.keys / "key", key_bytes(rsa_key(bits=WEAK)))
        self.untouched = self.look()

    def _make_inputs(self) -> None:
        plain = SAMPLE_IMAGE.read_bytes()
        pixels = EXPLICIT.element(PIXELS, "OW", noise(BULK))
        contents = {
            "one/plain": plain,
            "one/bulk": image(EXPLICIT, pixels),
            "one/deflated": image(DEFLATED, EXPLICIT.element(PIXELS, "OW", noise(3000) * 2)),
            "one/long": image(EXPLICIT, *[EXPLICIT.element(PIXELS, "OW", noise(9 << 19))]),
            "tree/a": plain,
            "tree/b": image(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(300_000))),
            "tree/sub/c": image(DEFLATED, EXPLICIT.element(PIXELS, "OW", noise(3000) * 2)),
        }
        for name, data in contents.items():
            path = self.inputs / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def arguments(self, scene: Scene) -> list[str]:
        places = {"i": self.inputs, "s": self.sealed, "o": self.out, "k": self.keys}
        return [part.format(**places) for part in scene.command]

    def stdin(self, scene: Scene) -> Path | None:
        """Where what comes through the pipe is; a pipe is there as soon as standard output is one."""
        if not scene.is_piped:
            return None
        name = scene.stdin or "one/plain"
        return self.sealed / name.replace("sealed", "one") if name.startswith("sealed") else self.inputs / name

    def prepare(self, scene: Scene, whole: dict[str, bytes], journals: dict[str, bytes]) -> None:
        """What is there before the run; with --resume what is there is whole."""
        for folder in (self.out, self.temporary):
            for entry in os.scandir(folder):
                shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
        for name in scene.old:
            path = self.out / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(self.old(scene, name, whole))
        for name, data in journals.items():
            if scene.again:
                (self.out / name).write_bytes(data)

    def old(self, scene: Scene, name: str, whole: dict[str, bytes]) -> bytes:
        """What an old output is."""
        if scene.name == "in place":
            return (self.inputs / scene.outputs[name]).read_bytes()
        return whole.get(name, OLD) if "--resume" in scene.arguments else OLD

    def look(self) -> dict[str, tuple[int, ...]]:
        """All that must not change, with what would tell that it had: the time of the last change of an inode too."""
        found = {}
        for top in (self.inputs, self.sealed, self.keys):
            for folder, _folders, names in os.walk(top):
                for path in (folder, *(os.path.join(folder, name) for name in names)):
                    status = os.lstat(path)
                    found[path] = (
                        status.st_ino,
                        status.st_mode,
                        status.st_size,
                        status.st_mtime_ns,
                        status.st_ctime_ns,
                    )
        return found
