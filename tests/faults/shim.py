"""The preloaded library: made when needed, and told what to do by a struct that all processes share (shim.h.in)."""

from __future__ import annotations

import ctypes
import enum
import mmap
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sysconfig import get_path

__all__ = ["How", "Kind", "Shim"]

HERE = Path(__file__).parent


class Kind(enum.IntEnum):
    """Kinds of calls, as the enum of the same name in shim.h.in."""

    READ = 0
    WRITE = 1
    OPEN = 2
    CLOSE = 3
    SYNC = 4
    RENAME = 5
    LINK = 6
    UNLINK = 7
    TRUNCATE = 8
    MKDIR = 9
    COPY = 10
    SPLICE = 11
    ALLOCATE = 12
    MMAP = 13
    MALLOC = 14
    STAT = 15
    SEEK = 16
    DUP = 17
    CHMOD = 18
    LIST = 19
    PIPE = 20
    CONTROL = 21
    FORK = 22


class How(enum.IntEnum):
    ONCE = 0
    FROM_THEN_ON = 1
    KILL = 2
    FOR_A_WHILE = 3  # a thousand calls


MOST_TRACED = 1 << 19  # as in shim.h.in


class _State(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int32),
        ("how", ctypes.c_int32),
        ("error", ctypes.c_int32),
        ("most", ctypes.c_int32),
        ("at", ctypes.c_int64),
        ("refuses_nameless", ctypes.c_int32),
        ("clones", ctypes.c_int32),
        ("standard", ctypes.c_int32),
        ("unused", ctypes.c_int32),
        ("changes", ctypes.c_int64),
        ("place", ctypes.c_uint64),
        ("hits", ctypes.c_int64),
        ("met", ctypes.c_uint64),
        ("traces", ctypes.c_int64),
        ("late", ctypes.c_int64),
        ("counts", ctypes.c_int64 * len(Kind)),
        ("root", ctypes.c_char * 512),
        ("places", ctypes.c_uint64 * MOST_TRACED),
    )


class Shim:
    """The library and its struct, both in `folder`; what concerns files below `root` counts."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._library, self._shared = folder / "shim.so", folder / "state"
        flags = ["-shared", "-fPIC", "-O2", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Werror"]
        flags += ["-isystem", get_path("include")]
        sources = [HERE / "shim.c.in", HERE / "stacks.c.in"]
        subprocess.run(["gcc", *flags, "-o", self._library, "-x", "c", *sources, "-ldl"], check=True)
        self._shared.write_bytes(bytes(ctypes.sizeof(_State)))
        with self._shared.open("r+b") as file:
            self._state = _State.from_buffer(mmap.mmap(file.fileno(), 0))
        self._state.root = os.fsencode(root)
        self.plan(None)

    def environment(self, *, armed: bool = False) -> dict[str, str]:
        """For a process under it. `armed`: from its start."""
        return {
            **os.environ,
            "LD_PRELOAD": str(self._library),
            "FAULTS_STATE": str(self._shared),
            **({"FAULTS_ARMED": "1"} if armed else {}),
        }

    def world(self, *, nameless: bool = True, clones: bool = False, standard: int = 0) -> None:
        """What the file system can do, and which of the standard descriptors count (bits)."""
        self._state.refuses_nameless = not nameless
        self._state.clones = clones
        self._state.standard = standard

    def plan(
        self, kind: Kind | None, at: int = 0, how: How = How.ONCE, error: int = 0, most: int = 1, place: int = 0
    ) -> None:
        """Which call fails, how, and with what errno; without one it handles `most` bytes. An allocation may be called
        by its place instead. All counts begin anew."""
        state = self._state
        state.place = place
        state.kind, state.at, state.how, state.error, state.most = -1 if kind is None else kind, at, how, error, most
        state.hits = state.late = state.met = state.changes = 0
        for index in Kind:
            state.counts[index] = 0

    @property
    def hits(self) -> int:
        """Calls that failed."""
        return int(self._state.hits)

    @property
    def late(self) -> int:
        """Of those, how many closed what had been written."""
        return int(self._state.late)

    @property
    def met(self) -> int:
        """The place of the first of them, if it was an allocation."""
        return int(self._state.met)

    @contextmanager
    def tracing(self) -> Iterator[None]:
        """Meanwhile the place of each allocation is noted."""
        self._state.traces = 1
        try:
            yield
        finally:
            self._state.traces = 0

    def places(self) -> list[int]:
        """Of all allocations, in their order."""
        count = self._state.counts[Kind.MALLOC]
        assert count <= MOST_TRACED
        return list(self._state.places[:count])

    def counts(self) -> dict[Kind, int]:
        """Calls since the last plan, kinds without any left out."""
        return {kind: int(self._state.counts[kind]) for kind in Kind if self._state.counts[kind]}
