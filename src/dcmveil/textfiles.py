"""Text files that a user names: lists of words, old and new Values. What is wrong is told with file and line only."""

from __future__ import annotations

import os
import stat

from dcmveil.descriptors import opening, read_most
from dcmveil.errors import ResourceError, show_path

__all__ = ["read_text"]

_AT_ONCE = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO would keep us waiting


def read_text(path: str, most: int) -> str:
    """The text of a regular file in UTF-8 of at most `most` bytes, with or without a byte order mark.

    ResourceError, one line without anything of what is in it, for all else.
    """
    try:
        with opening(path, _AT_ONCE) as fd:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise ResourceError(f"{show_path(path)}: is not a regular file")
            data = read_most(fd, most + 1)
    except OSError as error:
        raise ResourceError(f"{show_path(path)}: {error.strerror}") from None
    if len(data) > most:
        raise ResourceError(f"{show_path(path)}: is larger than {most >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ResourceError(f"{show_path(path)}:{line}: is not UTF-8") from None
