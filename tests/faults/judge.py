"""What became of the files of a run: whole, absent, or anything else, which is a fault of ours."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.data.identity import MARKERS
from tests.faults.scenes import Scene, Stage
from tests.faults.server import Ended
from tests.faults.shim import How, Kind

__all__ = ["Expected", "Fault", "Judge", "Verdict"]

JOURNALS = ("report", "map")
TEMPORARY = ".dcmveil-"
UNRAISABLE = (
    "dcmveil: not enough memory",
    "dcmveil: internal error, please report: RuntimeError at threading0py:0",
)


class Fault(NamedTuple):
    """A call of a kind, and how it fails; with no error it handles fewer bytes."""

    kind: Kind
    at: int
    how: How
    error: int = 0
    retried: bool = False  # the run has to take no notice of it
    is_late: bool = False  # it said that something written before has been lost
    place: int = 0  # of an allocation, instead of its number; it is the same in all forks of one process

    def __str__(self) -> str:
        what = os.strerror(self.error) if self.error else "short"
        return f"{self.kind.name.lower()} {self.at} {self.how.name.lower()}: {what}"


class Verdict(NamedTuple):
    """What is wrong, a word and more of it; nothing if `word` is empty."""

    word: str = ""
    text: str = ""


@dataclass
class Expected:
    """What a clean run leaves."""

    outputs: dict[str, bytes]
    stdout: bytes
    journals: dict[str, bytes]
    counts: dict[Kind, int]
    said: str


class Judge:
    """`restores` says whether the file at a path restores to an input, for outputs that are new each time."""

    def __init__(self, stage: Stage, restores: Callable[[Path, Path], bool]) -> None:
        self._stage = stage
        self._restores = restores

    def verdict(self, scene: Scene, expected: Expected, ended: Ended, fault: Fault | None) -> Verdict:
        """The first thing that is wrong."""
        for found in self._all(scene, expected, ended, fault):
            if found.word:
                return found
        return Verdict()

    def _all(self, scene: Scene, expected: Expected, ended: Ended, fault: Fault | None) -> Iterator[Verdict]:
        if self._stage.look() != self._stage.untouched:
            yield Verdict("LOST", "the input was touched")
        states = {name: self._state(scene, expected, name) for name in scene.outputs}
        for name, state in states.items():
            if state in ("partial", "lost"):
                yield Verdict(state.upper(), name)
        succeeded = ended.status == 0
        for name in [name for name in scene.outputs if states[name] != "whole" and succeeded]:
            yield Verdict("FALSE SUCCESS", f"{name} is {states[name]}")
        if succeeded and not self._is_stdout_whole(scene, expected):
            yield Verdict("FALSE SUCCESS", "standard output is not whole")
        yield self._journals(scene, expected, states, succeeded)
        yield self._left(scene, ended, fault)
        if fault is not None and fault.retried and not succeeded:
            yield Verdict("NOT RETRIED", self.said())
        if fault is not None and fault.is_late and succeeded:
            yield Verdict("FALSE SUCCESS", "an error on closing what was written")
        if succeeded and _is_of_memory(fault) and _told(self.said()) != _told(expected.said):
            yield Verdict("FALSE SUCCESS", f"but for what it said: {self.said()}")
        yield self._end(ended, fault)

    # -- outputs --

    def _state(self, scene: Scene, expected: Expected, name: str) -> str:
        path = self._stage.out / name
        is_old = name in scene.old
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return "lost" if is_old else "absent"
        if self._is_whole(scene, expected, name, data):
            return "whole"
        return "old" if is_old and data == self._stage.old(scene, name, expected.outputs) else "partial"

    def _is_whole(self, scene: Scene, expected: Expected, name: str, data: bytes) -> bool:
        if data == expected.outputs[name]:
            return True
        return self._is_sealed(scene, self._stage.out / name, data, scene.outputs[name])

    def _is_stdout_whole(self, scene: Scene, expected: Expected) -> bool:
        path = Path(f"{self._stage.log}.out")
        if scene.stdout is None:
            return path.read_bytes() == expected.stdout
        data = path.read_bytes()
        return data == expected.stdout or self._is_sealed(scene, path, data, scene.stdout)

    def _is_sealed(self, scene: Scene, path: Path, data: bytes, name: str) -> bool:
        """Does it restore to its input, and not tell what is in that itself?"""
        tells = any(marker in data for marker in MARKERS)
        return scene.restores and not tells and self._restores(path, self._stage.inputs / name)

    # -- what is said of them --

    def _journals(self, scene: Scene, expected: Expected, states: dict[str, str], succeeded: bool) -> Verdict:
        """The report says "ok" of what is whole only, and both are complete where all was done."""
        found = {name: self._read(name) for name in JOURNALS if f"{{o}}/{name}" in scene.arguments}
        if scene.again and not succeeded:  # of another run, perhaps
            found = {name: data for name, data in found.items() if data != expected.journals[name]}
        if "report" in found:
            lines = (found["report"] or b"").split(b"\n")[:-1]
            for told in map(json.loads, lines):
                name = told["target"] and os.path.relpath(told["target"], self._stage.out)
                if told["status"] == "ok" and name and states[name] != "whole":
                    return Verdict("FALSE SUCCESS", f"the report says that {name} is")
            if succeeded and len(lines) != expected.journals["report"].count(b"\n"):
                return Verdict("FALSE SUCCESS", "the report has other lines")
        if "map" in found:
            list(csv.reader(io.StringIO((found["map"] or b"").decode()), strict=True))
            if succeeded and found["map"] != expected.journals["map"]:
                return Verdict("FALSE SUCCESS", "the map is not whole")
        return Verdict()

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._stage.out / name).read_bytes()
        except FileNotFoundError:
            return None

    # -- what else there is --

    def _left(self, scene: Scene, ended: Ended, fault: Fault | None) -> Verdict:
        """Names that should not be there. After a kill one may have the temporary name of a file system without
        nameless files, or that of the moment before an old output is replaced."""
        allowed = {*scene.outputs, *scene.old, *JOURNALS}
        for top in (self._stage.out, self._stage.temporary):
            for folder, _folders, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    is_known = os.path.relpath(path, self._stage.out) in allowed
                    if not (is_known or _is_excused(path, scene, ended, fault)):
                        return Verdict("LEFT", path)
        return Verdict()

    # -- how it ended --

    def _end(self, ended: Ended, fault: Fault | None) -> Verdict:
        said = self.said()
        if ended.status == -signal.SIGALRM or not ended.is_alone:
            return Verdict("HANGS", said)
        if ended.status < 0 and -ended.status not in _signals(fault):
            return Verdict("DIED", f"{signal.Signals(-ended.status).name} {said}")
        if any(marker.decode() in said for marker in MARKERS):
            return Verdict("NOISE", "a Value")
        was_killed = fault is not None and fault.how is How.KILL
        if not (was_killed or _is_of_memory(fault)) and any(map(_is_noise, said.splitlines())):
            return Verdict("NOISE", said)
        return Verdict()

    def said(self) -> str:
        """What it said."""
        return Path(f"{self._stage.log}.err").read_text(errors="replace")


def _told(said: str) -> list[str]:
    """Its lines. Times are others in each run. A finalizer that has no memory, and a new process that has none for the
    locks of its threads, of which it has but one, cannot fail but by saying so."""
    lines = re.sub(r"[0-9.]+", "0", said).splitlines()
    return [line for line in lines if line not in UNRAISABLE]


def _is_noise(line: str) -> bool:
    """Not a line of ours, or one that calls a failing machine a bug."""
    return not line.startswith("dcmveil: ") or "internal error" in line


def _is_of_memory(fault: Fault | None) -> bool:
    """Then others may have a word as well: the Rust of cryptography panics or aborts, and a fork of CPython that cannot
    have new locks ends before it comes to us. OpenSSL has errors of its own, which are not foreseen each."""
    return fault is not None and fault.kind in (Kind.MMAP, Kind.MALLOC)


def _signals(fault: Fault | None) -> set[int]:
    """By which a run may end."""
    if fault is None:
        return set()
    if fault.error == errno.EPIPE:  # nobody reads standard output any more
        return {signal.SIGPIPE}
    return {signal.SIGKILL} if fault.how is How.KILL else {signal.SIGABRT} if _is_of_memory(fault) else set()


def _is_excused(path: str, scene: Scene, ended: Ended, fault: Fault | None) -> bool:
    if fault is None or not os.path.basename(path).startswith(TEMPORARY):
        return False
    if fault.how is How.KILL:
        return not scene.nameless or (bool(scene.old) and fault.kind is Kind.RENAME)
    if fault.how is How.FOR_A_WHILE:  # without memory for a single object Python calls nothing that would remove it
        return not scene.nameless or bool(scene.old)
    if _is_of_memory(fault):
        return not scene.nameless and (ended.status < 0 or scene.is_shared_out)
    return fault.kind is Kind.UNLINK and fault.how is How.FROM_THEN_ON
