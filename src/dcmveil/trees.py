"""Folders that are held open, and the files beneath them, which are opened name by name: no link is followed.

A path is looked up anew by every call that takes it, and leads elsewhere as soon as somebody has put a symbolic link
where a folder was. So what has been found in a listing is opened from the descriptor of the top folder downwards, and
a link on the way is an error. A process that is forked has the descriptors as well.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterator
from contextlib import contextmanager
from errno import ELOOP, EMLINK, ENOTDIR
from heapq import nsmallest
from operator import attrgetter

from dcmveil.descriptors import put_away
from dcmveil.errors import InputError

__all__ = ["Beneath", "Tree", "is_within"]

_NAMES = 1 << 15  # held at a time
_READ = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_IS_LINK = (ELOOP, EMLINK)  # what O_NOFOLLOW is answered with, on FreeBSD the second


class Tree:
    """A folder, given by its path, which may be a link, and what is beneath it, given by relative paths.

    `avoiding` is a folder that no link may lead into. Raises OSError if it cannot be opened.
    """

    def __init__(self, path: str, *, avoiding: str | None = None) -> None:
        self.path = path
        self.real = os.path.realpath(path)
        self._avoiding = None if avoiding is None else os.path.realpath(avoiding)
        self._top = os.open(path, _FOLDER)
        self._held, self._relative = self._top, ""  # the folder that was asked for last

    def folder(self, relative: str) -> int:
        """The descriptor of a folder, good until another one is asked for. Raises OSError with the whole path."""
        if relative != self._relative:
            try:
                self._hold(self._open(relative), relative)
            except OSError as error:
                raise OSError(error.errno, self._reason(error), os.path.join(self.path, relative)) from None
        return self._held

    def _open(self, relative: str) -> int:
        if not relative:
            return self._top
        parent, _slash, name = relative.rpartition("/")
        if parent == self._relative:
            return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._held)
        opened = self._top
        for name in relative.split("/"):
            above = opened
            try:
                opened = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=above)
            finally:
                if above != self._top:
                    put_away(above)
        return opened

    def _hold(self, folder: int, relative: str) -> None:
        before, self._held, self._relative = self._held, folder, relative
        if before != self._top:
            put_away(before)

    @staticmethod
    def _reason(error: OSError) -> str:
        is_other = error.errno in (ENOTDIR, *_IS_LINK)
        return "is no folder, or a symbolic link: not followed" if is_other else str(error.strerror)

    def make(self, relative: str) -> bool:
        """Make a folder if it is not there. Returns whether it was made."""
        parent, _slash, name = relative.rpartition("/")
        above = self.folder(parent)
        try:
            os.mkdir(name, dir_fd=above)
            made = True
        except FileExistsError:
            made = False
        self.folder(relative)
        return made

    def status(self, relative: str) -> os.stat_result:
        """Of what is there, a link itself."""
        parent, _slash, name = relative.rpartition("/")
        return os.stat(name or os.curdir, dir_fd=self.folder(parent), follow_symlinks=False)

    def names(self, relative: str) -> Iterator[dict[str, bool]]:
        """The names in a folder that do not begin with a dot: some at a time, in order, no more than that are held.
        Each with whether it was seen to be a regular file, no link."""
        last = ""
        while True:
            with self._listing(relative) as entries:
                wanted = (entry for entry in entries if entry.name > last and not entry.name.startswith("."))
                some = {entry.name: _is_file(entry) for entry in nsmallest(_NAMES, wanted, key=attrgetter("name"))}
            yield some
            if len(some) < _NAMES:
                return
            last = max(some)

    def among(self, relative: str, wanted: Container[str]) -> set[str]:
        """The names in a folder that are among others, letter by letter."""
        with self._listing(relative) as entries:
            return {entry.name for entry in entries if entry.name in wanted}

    @contextmanager
    def _listing(self, relative: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        fd = os.open(os.curdir, _READ, dir_fd=self.folder(relative))
        try:
            with os.scandir(fd) as entries:
                yield entries
        finally:
            put_away(fd)

    def follow(self, relative: str) -> Beneath:
        """The regular file beneath that a link leads to. Raises InputError if it leads anywhere else."""
        try:
            real = os.path.realpath(os.path.join(self.path, relative), strict=True)
            if not is_within(real, self.real) or (self._avoiding is not None and is_within(real, self._avoiding)):
                raise InputError("is a symbolic link that leads out of the input: not followed")
            place = real[len(os.path.join(self.real, "")) :]
            mode = self.status(place).st_mode
        except OSError as error:
            raise InputError(f"is a symbolic link that cannot be followed: {error.strerror}") from None
        if stat.S_ISDIR(mode):
            raise InputError("is a symbolic link to a folder: not followed")
        if not stat.S_ISREG(mode):
            raise InputError("is a symbolic link to no regular file: not followed")
        return Beneath(self, place)


class Beneath(os.PathLike[str]):
    """A file beneath a Tree. Its path is for people to read.

    With `is_new` nothing is to be there under this name, in whatever way the file system takes names for equal.
    """

    __slots__ = ("_parent", "_path", "_tree", "is_new", "name")

    def __init__(self, tree: Tree, relative: str, path: str | None = None, *, is_new: bool = False) -> None:
        self._tree = tree
        self._path = path
        self._parent, _slash, self.name = relative.rpartition("/")
        self.is_new = is_new

    def __fspath__(self) -> str:
        return os.path.join(self._tree.path, self._parent, self.name) if self._path is None else self._path

    __str__ = __fspath__

    def folder(self) -> int:
        """The descriptor of the folder it is in, good until the Tree is asked for another one. Raises OSError."""
        return self._tree.folder(self._parent)

    def open(self, flags: int) -> int:
        """A descriptor of the file, or of the one beneath the same Tree that it is a link to. Raises OSError, or
        InputError for a link that leads anywhere else."""
        try:
            return self._open(flags)
        except OSError as error:
            if error.errno not in _IS_LINK:
                raise
        return self._tree.follow(os.path.join(self._parent, self.name))._open(flags)

    def _open(self, flags: int) -> int:
        return os.open(self.name, flags | os.O_NOFOLLOW, dir_fd=self.folder())


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def is_within(path: str, folder: str) -> bool:
    """Of two real paths, is one the other or below it?"""
    return path == folder or path.startswith(os.path.join(folder, ""))
