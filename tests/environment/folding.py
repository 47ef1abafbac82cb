"""A folder whose file system takes names for equal that differ in case only, and keeps the case they were given in.

There is none that every machine can mount, so the calls of the program that have a name and the descriptor of its
folder get the name that is there. Processes that are forked get it as well.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

_WITH_ONE_NAME = ("open", "mkdir", "stat", "lstat", "unlink")
_WITH_TWO_NAMES = ("link", "rename")


def fold_case(monkeypatch: pytest.MonkeyPatch, folder: Path, *, hard_links: bool = True) -> None:
    """From here on `folder` and what is below it is such a one, perhaps without hard links, as FAT."""
    for name in _WITH_ONE_NAME:
        monkeypatch.setattr(os, name, partial(_with_one_name, getattr(os, name), os.path.realpath(folder)))
    for name in _WITH_TWO_NAMES:
        call = getattr(os, name) if hard_links or name != "link" else _no_link
        monkeypatch.setattr(os, name, partial(_with_two_names, call, os.path.realpath(folder)))


def _with_one_name(call: Callable[..., Any], top: str, path: Any, *arguments: Any, **more: Any) -> Any:
    return call(_stored(top, path, more.get("dir_fd")), *arguments, **more)


def _with_two_names(call: Callable[..., Any], top: str, source: Any, target: Any, **more: Any) -> Any:
    return call(source, _stored(top, target, more.get("dst_dir_fd")), **more)


def _no_link(*_arguments: object, **_more: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def _stored(top: str, name: Any, folder: int | None) -> Any:
    """The name that is there, if there is one that is equal."""
    if folder is None or not os.readlink(f"/proc/self/fd/{folder}").startswith(top):
        return name
    names = os.listdir(f"/proc/self/fd/{folder}")
    return next((other for other in names if other.casefold() == name.casefold()), name)
