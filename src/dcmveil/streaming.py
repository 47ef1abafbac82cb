"""The push drivers: an object comes in pieces, from wherever, and goes out as segments. No files, no threads here.

    deidentifier = Deidentifier(policy)
    for piece in pieces:
        for segment in deidentifier.feed(piece): ...
    for segment in deidentifier.finish(): ...

What goes out is what `deidentify_file` would write, however the object comes. It is held back as long as something
later in it may decide on something earlier; long Values that nobody looks at go through. Whoever can get at the input
otherwise, in a file or a store, advances over them instead (`ahead`): then their segments are ranges of the input.

An object with Encrypted Attributes, or whose texts are cleaned, is held to its end, but for what was advanced over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock

from dcmveil._planner import Planner
from dcmveil.editing import Edits, edit_source, editing_of
from dcmveil.errors import DcmveilError
from dcmveil.files import deidentify_source
from dcmveil.flowing import Flowing
from dcmveil.held import Held, Segment
from dcmveil.policy import Limits, Policy
from dcmveil.questions import Rewriting
from dcmveil.reidentifying import Unsealer, locating, reidentify_source
from dcmveil.report import Report
from dcmveil.sinks import SegmentOutput, without_first

__all__ = ["Deidentifier", "Driver", "Editor", "Reidentifier"]

_WINDOW = 1 << 20  # bytes that are looked at at a time, however much is fed

_Work = Callable[[Held, SegmentOutput], tuple[Report, int]]


class _Gathering:
    """Holds an object to its end, and then does the work on it as if it were a file."""

    def __init__(self, held: Held, planner: Planner, work: _Work, *, file_meta: bool) -> None:
        self._held = held
        self._planner = planner
        self._work = work
        self._file_meta = file_meta

    @property
    def ahead(self) -> int:
        return 0 if self._planner.deflated else self._planner.bulk_ahead

    def feed(self, data: bytes) -> list[Segment]:
        self._held.add(data)
        at = 0
        while at < len(data) and not (self._planner.deflated and self._planner.has_begun):
            at += self._planner.feed(memoryview(data)[at:])
        return []

    def advance(self, count: int) -> list[Segment]:
        self._planner.advance(count)
        self._held.skip(count)
        return []

    def finish(self) -> tuple[list[Segment], Report]:
        output = SegmentOutput(self._held)
        report, prefix = self._work(self._held, output)
        segments = output.take()
        return segments if self._file_meta else without_first(segments, prefix), report


class Driver:
    """What all of them have in common: one object, one caller at a time, and nothing more after an error."""

    def __init__(self, limits: Limits) -> None:
        self._turn_lock = Lock()
        self._ended: str | None = None
        self._held = Held(limits.max_held)
        self._handed_out = 0
        self._report: Report | None = None
        self._engine: Flowing | _Gathering

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._held.size} bytes so far)"

    @property
    def ahead(self) -> int:
        """Bytes from here on that need not be fed: `advance` over them will do."""
        return self._engine.ahead

    @property
    def held(self) -> int:
        """Bytes of the input that are held at present."""
        return self._held.bytes

    def feed(self, data: bytes | bytearray | memoryview) -> list[Segment]:
        """Take the next bytes, any number of them. Returns what can go out by now, in order.

        Raises ParseError, Refused, LimitExceeded and what else `deidentify_file` raises. What has gone out is to be
        discarded then: so many bytes as the error's `discard` says. ValueError after an error or the end, and while
        another call is under way.
        """
        given = data if isinstance(data, bytes) else bytes(memoryview(data))  # the caller may change it later
        with self._turn():
            if len(given) <= _WINDOW:
                return self._gone(self._engine.feed(given))
            pieces = (given[at : at + _WINDOW] for at in range(0, len(given), _WINDOW))
            return self._gone([segment for piece in pieces for segment in self._engine.feed(piece)])

    def advance(self, count: int) -> list[Segment]:
        """Pass over so many bytes of the input, at most `ahead`, without showing them. ValueError for more."""
        if not 0 <= count <= self.ahead:
            raise ValueError("further than `ahead`")
        with self._turn():
            return self._gone(self._engine.advance(count))

    def finish(self) -> list[Segment]:
        """The object is at its end: returns the last segments. Raises as `feed`."""
        with self._turn():
            segments, self._report = self._engine.finish()
            self._ended = "has finished"
            return self._gone(segments)

    def report(self, source: str = "", target: str | None = None) -> Report:
        """What was done, once it has finished, under names for input and output."""
        if self._report is None:
            raise ValueError("has not finished")
        return self._report._replace(source=source, target=target, bytes_out=self._handed_out)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turn_lock.acquire(blocking=False):
            raise ValueError("is in use: one caller at a time")
        try:
            if self._ended is not None:
                raise ValueError(f"{self._ended}: one object each")
            self._ended = "has failed"
            yield
            if self._ended == "has failed":
                self._ended = None
        except DcmveilError as error:
            error.discard = self._handed_out
            raise
        finally:
            self._turn_lock.release()

    def _gone(self, segments: list[Segment]) -> list[Segment]:
        self._handed_out += sum([segment.length for segment in segments])
        return segments

    def _begin(self, rewriting: Rewriting, work: _Work, transfer_syntax: str | None, *, file_meta: bool) -> None:
        def gather(held: Held, planner: Planner) -> _Gathering:
            return _Gathering(held, planner, work, file_meta=file_meta)

        self._engine = gather(self._held, rewriting.planner(transfer_syntax=transfer_syntax))
        if rewriting.flows:
            self._engine = Flowing(self._held, rewriting, gather, transfer_syntax, file_meta=file_meta)
        self._engine.feed(b"")

    def _gather(self, limits: Limits, work: _Work, transfer_syntax: str | None, *, file_meta: bool) -> None:
        wide = limits.without_holding()._asdict()
        planner = Planner(locating(), transfer_syntax=transfer_syntax, notes_bulk=True, **wide)
        self._engine = _Gathering(self._held, planner, work, file_meta=file_meta)
        self._engine.feed(b"")


class Deidentifier(Driver):
    """De-identifies one object by a Policy (PS3.15 E.1.1), which several may share, in threads too.

    `transfer_syntax`: what comes is a Data Set alone in this Transfer Syntax (its UID), as a DIMSE message has it; else
    it is a file, with or without File Meta Information. Without `file_meta` a Data Set alone goes out. Raises Refused
    for a Transfer Syntax that cannot be read.
    """

    def __init__(self, policy: Policy, *, transfer_syntax: str | None = None, file_meta: bool = True) -> None:
        super().__init__(policy.limits)

        work = partial(
            deidentify_source, policy=policy, transfer_syntax=transfer_syntax, file_meta=file_meta
        )  # fmt: skip
        self._begin(policy, work, transfer_syntax, file_meta=file_meta)


class Editor(Driver):
    """Edits one object, by no profile. What comes and what goes out as with a Deidentifier."""

    def __init__(self, edits: Edits, *, transfer_syntax: str | None = None, file_meta: bool = True) -> None:
        super().__init__(edits.limits)

        work = partial(edit_source, edits=edits, transfer_syntax=transfer_syntax)
        if edits.names_creators:
            self._gather(edits.limits, work, transfer_syntax, file_meta=file_meta)
        else:
            self._begin(editing_of(self._held, edits), work, transfer_syntax, file_meta=file_meta)


class Reidentifier(Driver):
    """Restores the original of one object (PS3.15 E.1.2), with what `opener` can decrypt.

    Nothing goes out before all has been decrypted and checked. What comes and what goes out as with a Deidentifier. A
    Data Set alone is restored Attribute by Attribute, unless it went out of a Deidentifier as one.
    """

    def __init__(
        self,
        opener: Unsealer,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        *,
        transfer_syntax: str | None = None,
        file_meta: bool = True,
    ) -> None:
        super().__init__(limits)

        work = partial(reidentify_source, opener=opener, limits=limits, transfer_syntax=transfer_syntax)
        self._gather(limits, work, transfer_syntax, file_meta=file_meta)
