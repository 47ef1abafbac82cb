"""Is the work linear? The time of objects that are meant to be slow, beside that of a plain one of the same size.

Both are done in turn, several times, and the least of each counts: what others do on the machine only adds. Where
Python has to say something of each Value (a new UID, a cleaned text), it costs microseconds each, however many there
are: not the times of a plain file, but the growth tells then.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from dcmveil import Options, Policy, deidentify_file, plan_file
from dcmveil.editing import edit_file
from dcmveil.errors import DcmveilError
from dcmveil.reidentifying import reidentify_file
from tests.editing.support import edits
from tests.hostile.forms import EXPLICIT, IMPLICIT, PLAIN_FORMS, Form
from tests.mutation.shapes import SHAPES, plain
from tests.reversible.keys import Glass, opener, reversible
from tests.reversible.keys import envelope as sealing

__all__ = ["MODES", "NAMED", "Taken", "by_command", "growth", "lines", "taken"]

SECRET = b"a secret of sixteen bytes or more"
ALL = Options(*[True] * len(Options._fields))._replace(retain_full_dates=False)
ROUNDS = 3
# What Python has nothing to say of. The others cost microseconds a Value: 200,000 different UIDs some seconds.
NAMED = (
    "one nest", "nests", "nests that change on each level", "kept elements", "repeated elements", "removed elements",
    "every other one", "empty Items", "Items that stay", "Items with a name", "private blocks", "Fragments",
)  # fmt: skip
Work = Callable[[Path, Path], object]


class Taken(NamedTuple):
    """Least seconds of a shape and of the plain file beside it, and what was said if the shape was refused."""

    shape: str
    form: str
    mode: str
    size: int
    seconds: float
    plain: float
    said: str

    @property
    def times(self) -> float:
        return self.seconds / self.plain

    def __str__(self) -> str:
        front = f"{self.shape:32} {self.form:10} {self.mode:9} {self.size / 1e6:6.1f} MB"
        return f"{front} {self.seconds:7.3f} s {self.plain:7.4f} s {self.times:7.1f} {self.said}".rstrip()


@cache
def works() -> dict[str, Work]:
    """What is done, by the option that stands for it."""
    creator = ("remove", "19,0c,SIEMENS MR HEADER")
    operations = edits(("remove", "0010,0010"), ("replace", "0040,a043>0008,0100=X"), creator)
    return {
        "-e": partial(_deidentify, Policy()),
        "Options": partial(_deidentify, Policy(secret=SECRET, options=ALL)),
        "--verify": partial(_deidentify, Policy(secret=SECRET, verifies=True, assesses_risks=True)),
        "--dry-run": lambda source, target: plan_file(source, Policy()),
        "-e -c": partial(_deidentify, reversible(sealing(), max_originals=64 << 20)),
        "-d": lambda source, target: reidentify_file(source, target, Glass()),
        "-d, sealed": lambda source, target: reidentify_file(source, target, opener()),
        "--dumb": lambda source, target: edit_file(source, target, operations),
    }


MODES = ("-e", "Options", "--verify", "--dry-run", "-e -c", "-d", "-d, sealed", "--dumb")


def _deidentify(policy: Policy, source: Path, target: Path) -> object:
    return deidentify_file(source, target, policy)


# ---- in this process -------------------------------------------------------------------------------------------------


def taken(name: str, form: Form, mode: str, share: float = 1.0, rounds: int = ROUNDS) -> Taken:
    """One shape, with a share of its full number, in one mode."""
    make, number = SHAPES[name]
    data = make(form, max(1, int(number * share)))
    with TemporaryDirectory() as folder:
        sources = Path(folder, "shape"), Path(folder, "plain")
        sources[0].write_bytes(data)
        sources[1].write_bytes(plain(form, len(data)))
        said = _sealed(mode, sources)
        seconds: tuple[list[float], list[float]] = [], []
        for _ in range(rounds):
            for source, found in zip(sources, seconds, strict=True):
                least, told = _time(works()[mode], source, Path(folder, "out"))
                found.append(least)
                said = said or told
    return Taken(name, form.name, mode, len(data), min(seconds[0]), min(seconds[1]), said)


def _sealed(mode: str, sources: tuple[Path, Path]) -> str:
    """For `-d` the sources become what `-e -c` makes of them; one that cannot be sealed stays, and is refused."""
    said = ""
    for source in sources if mode.startswith("-d") else ():
        policy = reversible(Glass() if mode == "-d" else sealing(), max_originals=64 << 20)
        said = said or _time(partial(_deidentify, policy), source, source)[1]
    return said


def _time(work: Work, source: Path, target: Path) -> tuple[float, str]:
    """Processor time, so that the others on the machine count less."""
    said = ""
    before = time.process_time()
    try:
        work(source, target)
    except DcmveilError as error:
        said = str(error)
    return time.process_time() - before, said


def growth(name: str, form: Form, mode: str, share: float, factor: int = 4) -> float:
    """By how much the time grows for `factor` times as many."""
    few, many = (_anew(name, form, mode, some, share / 10) for some in (share, share * factor))
    return many.seconds / max(few.seconds, 1e-3)  # below that the clock decides


def _anew(name: str, form: Form, mode: str, share: float, first: float) -> Taken:
    """Once, by a Policy that remembers nothing but some `first`, with all loaded and made: few Values that it has seen
    before take no time at all, many have been forgotten again."""
    works.cache_clear()
    taken(name, form, mode, first, 1)
    return taken(name, form, mode, share, 1)


def lines(share: float = 1.0) -> Iterator[Taken]:
    """All shapes in all modes; those that are named by the requirement in all plain forms."""
    for name in SHAPES:
        for mode in MODES:
            for form in PLAIN_FORMS if name in NAMED and mode == "-e" else (_form_of(name),):
                yield taken(name, form, mode, share)


def _form_of(name: str) -> Form:
    return IMPLICIT if name == "long texts" else EXPLICIT  # where a Value may be that long


# ---- as a command ----------------------------------------------------------------------------------------------------


def by_command(name: str, form: Form, words: tuple[str, ...] = (), rounds: int = ROUNDS) -> Taken:
    """The same with whole processes, as a user has it: from start to end, by the clock."""
    make, number = SHAPES[name]
    data = make(form, number)
    with TemporaryDirectory() as folder:
        sources = Path(folder, "shape"), Path(folder, "plain")
        sources[0].write_bytes(data)
        sources[1].write_bytes(plain(form, len(data)))
        found: tuple[list[float], list[float]] = [], []
        for _ in range(rounds):
            for source, seconds in zip(sources, found, strict=True):
                seconds.append(_command(words, source, Path(folder, "out")))
    return Taken(name, form.name, " ".join(words) or "-e", len(data), min(found[0]), min(found[1]), "")


def _command(words: tuple[str, ...], source: Path, target: Path) -> float:
    before = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dcmveil", *words, source, target], check=True)
    return time.perf_counter() - before
