"""Every prefix of real files: an error and no output, but for those that are objects by themselves.

A prefix that ends inside an element, Item, Sequence, Fragment or deflate stream has to be an error, in each mode and by
both drivers. One that ends between two elements of the top level is an object, which nobody can tell from one that was
meant so: it is de-identified as that, or refused for what it lacks.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from hashlib import sha256
from typing import NamedTuple

from dcmveil import Deidentifier, Editor, Policy, Reidentifier
from dcmveil.errors import DcmveilError
from dcmveil.files import deidentify_source
from dcmveil.sinks import FileOutput
from dcmveil.sources import FileSource
from tests.editing.support import edits
from tests.mutation.borders import Borders, borders
from tests.push.support import Driver
from tests.reference.files import samples
from tests.reversible.keys import Glass, reversible

__all__ = ["FILES", "MODES", "Counts", "chosen", "counted"]

FILES = 40
PER_SYNTAX = 2
IN_BULK = 200  # cuts in the bulk of a file
POLICY = Policy(secret=b"a secret of sixteen bytes or more", existing_encrypted="remove", allow_embedded_overlays=True)
EDITS = edits(("remove", "0010,0010"), ("replace", "0010,0020=X"), ("empty", "0008,1140>0008,1155"))


class Counts(NamedTuple):
    """Prefixes by what has to become of them, and those of which something else did, by name and length."""

    files: int = 0
    cut: int = 0
    whole: int = 0
    accepted: int = 0  # of those that are objects by themselves
    wrong: tuple[str, ...] = ()

    def plus(self, other: Counts) -> Counts:
        return Counts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class File(NamedTuple):
    """A real file, as it is or sealed, and where it may be cut unseen."""

    name: str
    syntax: str
    data: bytes
    borders: Borders


# ---- which files -----------------------------------------------------------------------------------------------------


@cache
def chosen(count: int = FILES) -> tuple[File, ...]:
    """Of each Transfer Syntax the smallest, then from all sizes: different files that are de-identified as they are."""
    found: dict[bytes, File] = {}
    for sample in samples():
        data = sample.path.read_bytes()
        syntax = _syntax(data) if len(data) <= 1 << 20 else None
        where = borders(data) if syntax else None
        if syntax and where:
            found.setdefault(sha256(data).digest(), File(sample.name, syntax, data, where))
    by_syntax: dict[str, list[File]] = {}
    for file in sorted(found.values(), key=lambda file: (len(file.data), file.name)):
        by_syntax.setdefault(file.syntax, []).append(file)
    first = [file for files in by_syntax.values() for file in files[:PER_SYNTAX]]
    rest = [file for files in by_syntax.values() for file in files[PER_SYNTAX:]]
    step = max(1, len(rest) // max(1, count - len(first)))
    return tuple([*first, *rest[::step]][:count])


def _syntax(data: bytes) -> str | None:
    """The Transfer Syntax of a file that is de-identified, None for any other."""
    try:
        driver = Deidentifier(POLICY)
        driver.feed(data)
        driver.finish()
    except DcmveilError:
        return None
    return driver.report().transfer_syntax


# ---- what is done to a prefix ----------------------------------------------------------------------------------------


def push(make: Callable[[], Driver], data: bytes) -> None:
    """What goes out before an error is said to be no object."""
    driver = make()
    driver.feed(data)
    driver.finish()


def pull(data: bytes) -> None:
    """From a file into another one, neither of which has a name."""
    source, target = os.memfd_create("source"), os.memfd_create("target")
    try:
        os.write(source, data)
        deidentify_source(FileSource(source), FileOutput(source, target, len(data)), POLICY)
    finally:
        os.close(source)
        os.close(target)


MODES: dict[str, Callable[[bytes], None]] = {
    "-e": partial(push, partial(Deidentifier, POLICY)),
    "-e, pulled": pull,
    "-d": partial(push, lambda: Reidentifier(Glass())),
    "--dumb": partial(push, partial(Editor, EDITS)),
}


def input_of(file: File, mode: str) -> File | None:
    """The file itself; for `-d` what `-e -c` makes of it, encrypted by nobody: each prefix would cost a decryption."""
    if mode != "-d":
        return file
    driver = Deidentifier(reversible(Glass()))
    segments = [*driver.feed(file.data), *driver.finish()]
    data = b"".join(bytes(segment.data or b"") for segment in segments)
    where = borders(data)
    return file._replace(data=data, borders=where) if where else None


# ---- counting --------------------------------------------------------------------------------------------------------


def counted(mode: str, share: float = 1.0, files: Iterable[File] | None = None) -> Counts:
    """All prefixes of all files, or a share of them, chosen at random but always the same; whole ones go first."""
    counts = Counts()
    for file in chosen() if files is None else files:
        given = input_of(file, mode)
        if given is not None:
            counts = counts.plus(_of_file(given, mode, share))
    return counts


def _of_file(file: File, mode: str, share: float) -> Counts:
    cuts = list(_sampled(file, share))
    whole = [cut for cut in cuts if cut in file.borders.whole]
    accepted = [cut for cut in cuts if _is_accepted(file.data[:cut], mode)]
    wrong = tuple(f"{mode}: {file.name}: {cut}" for cut in accepted if cut not in file.borders.whole)
    return Counts(1, len(cuts) - len(whole), len(whole), len(accepted) - len(wrong), wrong)


def _sampled(file: File, share: float) -> Iterator[int]:
    cuts = file.borders.cuts(len(file.data), IN_BULK)
    if share >= 1:
        return iter(cuts)
    chooser = random.Random(len(file.data))
    return iter(sorted(chooser.sample(cuts, max(4, int(len(cuts) * share)))))


def _is_accepted(data: bytes, mode: str) -> bool:
    """Anything but one error of ours is a crash, and ends the run."""
    try:
        MODES[mode](data)
    except DcmveilError as error:
        assert "\n" not in str(error)
        return False
    return True
