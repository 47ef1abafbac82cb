"""An object that goes out while it comes in: what the push drivers do where nothing has to wait for its end.

In rounds, as in the pull driver: what has been planned by now is answered and written, and forgotten. Between rounds
long Values go through as they come. Of a deflated Data Set the inflated stream is looked at, and deflated anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dcmveil._planner import Planner
from dcmveil.errors import ParseError
from dcmveil.held import Held, Segment
from dcmveil.questions import Rewriting
from dcmveil.report import Report
from dcmveil.resolver import Resolver
from dcmveil.rewriting import report_of
from dcmveil.sinks import DeflateWriter, SegmentOutput, without_first
from dcmveil.sources import CORRUPT, CUT_SHORT, Inflater

if TYPE_CHECKING:
    from typing import Protocol

    class Other(Protocol):
        """What takes over where nothing can go out before the end."""

        def feed(self, data: bytes) -> list[Segment]: ...
        def advance(self, count: int) -> list[Segment]: ...
        def finish(self) -> tuple[list[Segment], Report]: ...


__all__ = ["Flowing"]

_BULK = 1 << 16  # bytes of a Value before which a round is worth while,
_ROUND = 1 << 18  # and those from one round to the next
_SCRIPT = 1 << 16


class Flowing:
    """One object. `gather` makes what takes over for one that is deflated and may turn out not to change at all."""

    def __init__(
        self,
        held: Held,
        rewriting: Rewriting,
        gather: Callable[[Held, Planner], Any],
        transfer_syntax: str | None,
        *,
        file_meta: bool,
    ) -> None:
        self._held = held
        self._rewriting = rewriting
        self._gather = gather
        self._other: Other | None = None
        self._file_meta = file_meta
        self._planner = rewriting.planner(transfer_syntax=transfer_syntax)
        self._answers = rewriting.answers(file_meta=file_meta)
        self._resolver = Resolver(self._planner, self._answers)
        self._output = SegmentOutput(held)
        self._inflater: Inflater | None = None
        self._deflater: DeflateWriter | None = None
        self._has_written = False
        self._omitted = 0  # bytes that are still to be left out
        self._next_round = 0
        self._bulk_end = 0
        self._bytes_in = 0

    @property
    def ahead(self) -> int:
        """Bytes that need not be fed: none of a deflated Data Set, nor before a Data Set begins."""
        return 0 if self._planner.deflated or not self._planner.has_begun else self._planner.ahead

    def feed(self, data: bytes) -> list[Segment]:
        """The next bytes of the input."""
        self._bytes_in += len(data)
        if self._other is not None:
            return self._other.feed(data)
        if self._inflater is None:
            self._look_at(data)
        elif data:  # nothing would say that there is no more
            self._inflate(data)
        return self._taken()

    def advance(self, count: int) -> list[Segment]:
        """Bytes that are not shown."""
        self._bytes_in += count
        if self._other is not None:
            return self._other.advance(count)
        self._planner.advance(count)
        self._held.skip(count)
        self._release()
        return self._taken()

    def finish(self) -> tuple[list[Segment], Report]:
        """The last segments, and what was done."""
        if self._other is not None:
            return self._other.finish()
        if self._inflater is not None:
            self._inflate(b"")
            if not self._inflater.is_done:
                raise ParseError(CUT_SHORT, offset=self._planner.position)
        self._planner.finish()
        self._resolver.answer()
        self._write()
        if self._deflater is not None:
            self._deflater.finish()
        done = report_of(self._rewriting, self._planner, self._resolver, self._answers)
        return self._taken(), done._replace(bytes_in=self._bytes_in)

    # -- in --

    def _look_at(self, data: bytes) -> None:
        """Bytes of the logical stream."""
        self._held.add(data)
        at = 0
        while at < len(data):
            at += self._planner.feed(memoryview(data)[at:])
            if self._planner.deflated and self._planner.has_begun and self._inflater is None:
                self._begin_to_inflate()
                return
        self._release()

    def _begin_to_inflate(self) -> None:
        if not self._rewriting.changes_all:
            self._other = self._gather(self._held, self._planner)
            return
        self._inflater = Inflater()
        if begun := self._held.take_back(self._planner.dataset_start):
            self._inflate(begun)

    def _inflate(self, data: bytes) -> None:
        if self._inflater is None:
            raise ValueError("not deflated")
        try:
            for block in self._inflater.inflate(data):
                self._look_at(block)
        except zlib.error:
            raise ParseError(CORRUPT, offset=self._planner.position) from None

    # -- out --

    def _release(self) -> None:
        """Write what can be written."""
        planner = self._planner
        if self._has_written and planner.is_idle:
            self._copy(*planner.flow())
        elif self._is_due():
            self._next_round = planner.position + _ROUND
            planner.cut()
            if not self._resolver.is_ready():
                return
            self._resolver.answer()
            self._write()
            planner.drop()
        if self._has_written:
            self._held.drop(planner.needed)

    def _is_due(self) -> bool:
        planner = self._planner
        if not (planner.has_begun and planner.can_cut and self._resolver.may_write()):
            return False
        end = planner.position + planner.ahead
        if planner.ahead >= _BULK and end != self._bulk_end:
            self._bulk_end = end
            return True
        return planner.position >= self._next_round

    def _write(self) -> None:
        plan = self._planner.plan
        if not self._has_written:
            self._has_written = True
            self._resolver.align()
            prefix = plan.prefix_size(self._planner.dataset_start)
            self._omitted = 0 if self._file_meta else prefix
            if self._inflater is not None:
                self._deflater = DeflateWriter(self._output.write, raw_length=prefix)
        while script := plan.script(_SCRIPT):
            if self._deflater is None:
                self._output.run(script)
            else:
                self._deflate(SegmentOutput(self._held), script)

    def _copy(self, start: int, stop: int) -> None:
        if self._deflater is None:
            self._output.copy(start, stop)
        else:
            inflated = SegmentOutput(self._held)
            inflated.copy(start, stop)
            self._deflate(inflated, b"")

    def _deflate(self, inflated: SegmentOutput, script: bytes) -> None:
        inflated.run(script)
        for segment in inflated.take():
            if self._deflater is not None and segment.data is not None:
                self._deflater.write(segment.data)

    def _taken(self) -> list[Segment]:
        """What has been written since it was last asked for."""
        segments = self._output.take()
        if self._omitted and segments:
            length = sum([segment.length for segment in segments])
            segments = without_first(segments, self._omitted)
            self._omitted = max(0, self._omitted - length)
        return segments
