"""Walking folders: which files there are, and where their outputs go.

Names come sorted, and no listing is held whole: of a folder with a million files only so many names at a time, each
time by reading it once more. Symbolic links are followed to regular files within the input folder and nowhere else.
No output falls into the input folder, or a second run would find it there, nor among those of another folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from errno import EINVAL
from heapq import nsmallest
from typing import NamedTuple

from dcmveil.errors import OutputError, show_path

__all__ = ["Found", "walk"]

_NAMES = 1 << 15  # held at a time


class Found(NamedTuple):
    """An input file and its output; `problem` if it is clear beforehand that it cannot be processed."""

    source: str
    target: str | None
    problem: str | None = None


def walk(source: str, target: str | None, *, recursive: bool) -> Iterator[Found]:
    """The files of the folder `source`, in the order of their names, with where their outputs go below `target`.

    Names beginning with a dot are left out; folders below only with `recursive`. Links that lead elsewhere and
    special files come with a problem, and so does a folder that cannot be used. Folders of the output are made as
    needed. Raises OutputError if `target` is no folder or the same as `source`.
    """
    if target is not None:
        _check_folders(source, target)
    return _Walk(source, target, recursive).found(Found(source, target))


def _check_folders(source: str, target: str) -> None:
    if os.path.exists(target):
        if not os.path.isdir(target):
            raise OutputError(f"{show_path(target)}: is no folder, but the input is one")
        if os.path.samefile(source, target):
            raise OutputError(f"{show_path(target)}: input and output folder must differ")


class _Walk:
    """One walk: what must be known of all its folders."""

    def __init__(self, source: str, target: str | None, recursive: bool) -> None:
        self._root = os.path.realpath(source)
        self._target = None if target is None else os.path.realpath(target)
        self._recursive = recursive
        self._outputs: set[tuple[int, int]] = set()  # device and inode: however many ways lead there

    def found(self, top: Found) -> Iterator[Found]:
        """Depth first. The stack is a list: folders may be nested deeper than Python calls may be."""
        way = [self._entries(top)]
        while way:
            entry = next(way[-1], None)
            if entry is None:
                way.pop()
            elif isinstance(entry, _Folder):
                way.append(self._entries(entry.place))
            else:
                yield entry

    def _entries(self, folder: Found) -> Iterator[Found | _Folder]:
        """What is in a folder; the folder itself, with the problem, if it or that of the output cannot be used."""
        try:
            os.scandir(folder.source).close()  # what cannot be read needs no output
            self._prepare_output(folder.target)
            for name in _sorted_names(folder.source):
                place = Found(
                    os.path.join(folder.source, name),
                    None if folder.target is None else os.path.join(folder.target, name),
                )
                entry = self._look_at(place)
                if entry is not None:
                    yield entry
        except OSError as error:
            where = "" if error.filename in (None, folder.source) else f"{show_path(error.filename)}: "
            yield folder._replace(problem=f"folder cannot be used: {where}{error.strerror}")

    def _prepare_output(self, target: str | None) -> None:
        if target is None:
            return
        if self._hits_input(os.path.realpath(target)):
            raise OSError(EINVAL, "its output would fall into the input folder")
        os.makedirs(target, exist_ok=True)
        here = _identity(os.stat(target))
        if here in self._outputs:
            raise OSError(EINVAL, "its output would fall among that of another folder")
        self._outputs.add(here)

    def _hits_input(self, place: str) -> bool:
        """Is `place` within the input folder, and not only because the whole output folder is?"""
        if self._target is None or not _is_within(place, self._root):
            return False
        return not (_is_within(self._target, self._root) and _is_within(place, self._target))

    def _look_at(self, place: Found) -> Found | _Folder | None:
        """A file, a folder to go into, or None for what is left out."""
        try:
            status = os.lstat(place.source)
        except OSError as error:
            return place._replace(problem=f"cannot be looked at: {error.strerror}")
        if stat.S_ISDIR(status.st_mode):
            enter = self._recursive and _identity(status) not in self._outputs
            return _Folder(place) if enter else None
        if stat.S_ISLNK(status.st_mode):
            return place._replace(problem=self._problem_of_link(place.source))
        if not stat.S_ISREG(status.st_mode):
            return place._replace(problem="is no regular file: not read")
        return place

    def _problem_of_link(self, path: str) -> str | None:
        """None if it leads to a regular file of the input."""
        try:
            real = os.path.realpath(path, strict=True)
            mode = os.stat(real).st_mode
        except OSError as error:
            return f"is a symbolic link that cannot be followed: {error.strerror}"
        if stat.S_ISDIR(mode):
            return "is a symbolic link to a folder: not followed"
        if not _is_within(real, self._root) or (self._target is not None and _is_within(real, self._target)):
            return "is a symbolic link that leads out of the input: not followed"
        return None if stat.S_ISREG(mode) else "is a symbolic link to no regular file: not followed"


class _Folder(NamedTuple):
    """A folder to go into."""

    place: Found


def _sorted_names(folder: str) -> Iterator[str]:
    """The names in a folder that do not begin with a dot."""
    last = ""
    while True:
        with os.scandir(folder) as entries:
            names = (entry.name for entry in entries)
            some = nsmallest(_NAMES, (name for name in names if name > last and not name.startswith(".")))
        yield from some
        if len(some) < _NAMES:
            return
        last = some[-1]


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))
