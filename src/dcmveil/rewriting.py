"""The pull driver: one object is scanned, planned, answered and written.

The header is read in windows, bulk is passed over unread; then the output is written from the Plan. Nothing is
written before the whole input has been planned and answered, unless so many edits are held that those which depend
on nothing that follows are written first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from errno import ENODATA
from typing import TYPE_CHECKING, Any, Self

from dcmveil._planner import Planner
from dcmveil.descriptors import put_away
from dcmveil.errors import InputError, Refused
from dcmveil.iods import is_known
from dcmveil.lines import Lines
from dcmveil.questions import Answers, Rewriting
from dcmveil.report import EditLine, Report
from dcmveil.resolver import Resolver
from dcmveil.sinks import DeflateWriter, Output, copy_script
from dcmveil.sources import DeflatedSource, FileSource, RangeReader, Source
from dcmveil.tags import format_path
from dcmveil.trees import Beneath

if TYPE_CHECKING:
    from dcmveil.risks import Risk

__all__ = [
    "SHRANK",
    "Completion",
    "OpenedFile",
    "Rewrite",
    "Writer",
    "input_may_shrink",
    "reader_of",
    "report_of",
    "scan",
]

_FIRST_WINDOW = 1 << 16
_SMALL_WINDOW = 1 << 12  # after bulk: most likely one Fragment header, then bulk again
_LARGE_WINDOW = 1 << 18
_SCRIPT = 1 << 16
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC

Completion = Callable[[Planner, Resolver, RangeReader], str | None]

SHRANK = "shrank while it was being read"


class OpenedFile(FileSource):
    """A regular file, open as long as the context; opening anything else could wait forever. Raises InputError."""

    def __init__(self, source: str | os.PathLike[str]) -> None:
        try:
            fd = _open(source)
        except OSError as error:
            raise InputError(f"cannot be opened: {error.strerror}") from error
        try:
            super().__init__(fd)
            if not stat.S_ISREG(self.status.st_mode):
                raise InputError("is no regular file")
        except BaseException:
            put_away(fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        put_away(self.fd)


def _open(source: str | os.PathLike[str]) -> int:
    """Not if it is seen to be something else: whoever waits at the other end of a pipe would notice, or a device."""
    if isinstance(source, Beneath):
        return source.open(_READ)
    if not stat.S_ISREG(os.stat(source).st_mode):
        raise InputError("is no regular file")
    return os.open(source, _READ)


@contextmanager
def input_may_shrink() -> Iterator[None]:
    """Around the execution of scripts: both executors tell by ENODATA that the input has become shorter."""
    try:
        yield
    except OSError as error:
        if error.errno == ENODATA:
            raise InputError(SHRANK) from None
        raise


def scan(planner: Planner, source: Source, after_window: Callable[[], None] = lambda: None) -> bytes:
    """Show the Planner all it needs to see of an input; afterwards it is finished.

    Returns the first bytes of that: an ordinary header need not be read once more."""
    window, head, size = _FIRST_WINDOW, b"", source.size
    while planner.position < size:
        data = source.read_at(planner.position, window)
        if not data:
            raise InputError(SHRANK)
        head = head or data
        fed = planner.feed(data)
        if not (planner.deflated and planner.has_begun) and fed < len(data):  # it stops once, where the Data Set begins
            planner.feed(memoryview(data)[fed:])
        if planner.deflated and planner.has_begun:
            _scan_deflated(planner, source, after_window)
            break
        after_window()
        unseen = min(planner.ahead, size - planner.position)
        planner.advance(unseen)
        window = _SMALL_WINDOW if unseen >= _SMALL_WINDOW else min(2 * window, _LARGE_WINDOW)
    planner.finish()
    return head


def _scan_deflated(planner: Planner, source: Source, after_window: Callable[[], None]) -> None:
    inflated = DeflatedSource(source, planner.dataset_start)
    inflated.skip(planner.dataset_start)
    while data := inflated.read(_FIRST_WINDOW):
        planner.feed(data)
        after_window()


def reader_of(planner: Planner, source: Source, head: bytes) -> RangeReader:
    """Reads from the stream that the Plan's offsets are about; `head` is what `scan` has returned."""
    return RangeReader(source, planner.dataset_start if planner.deflated else None, head)


class Writer:
    """Executes a Plan's script over a source into an output."""

    def __init__(self, source: Source, output: Output) -> None:
        self._source = source
        self.output = output
        self._inflated: tuple[DeflatedSource, DeflateWriter] | None = None

    def write(self, planner: Planner) -> None:
        """Execute what is settled. A deflated Data Set that does not change at all is one COPY like any other."""
        plan = planner.plan
        if planner.deflated and (self._inflated or len(plan)):
            self._write_deflated(planner)
            return
        if planner.deflated:
            plan.close_input(self._source.size)
        while script := plan.script(_SCRIPT):
            self.output.run(script)

    def _write_deflated(self, planner: Planner) -> None:
        """The script is in terms of the inflated stream: inflate once more, and deflate what comes out."""
        if self._inflated is None:
            prefix = planner.plan.prefix_size(planner.dataset_start)
            source = DeflatedSource(self._source, planner.dataset_start)
            self._inflated = source, DeflateWriter(self.output.write, raw_length=prefix)
        source, writer = self._inflated
        while script := planner.plan.script(_SCRIPT):
            copy_script(source, script, writer.write)

    def finish(self) -> None:
        """Write what is held back."""
        if self._inflated:
            self._inflated[1].finish()
        self.output.finish()


class Rewrite:
    """One object on its way: scan, and whenever many edits are held, answer and write what can be written.

    `complete` is called once, when all is answered and nothing has been written, and returns what the user should
    know, if anything; with it there are no rounds.
    """

    def __init__(
        self,
        source: Source,
        policy: Rewriting,
        complete: Completion | None = None,
        *,
        transfer_syntax: str | None = None,
        file_meta: bool = True,
    ) -> None:
        self._source = source
        self._policy = policy
        self._transfer_syntax = transfer_syntax
        self._complete = complete
        self._notice: str | None = None
        self._planner = policy.planner(transfer_syntax=transfer_syntax)
        self._answers = policy.answers(file_meta=file_meta)
        self._resolver = Resolver(self._planner, self._answers)
        self._edits = Lines()
        self._output: Output | None = None
        self._has_written = False
        self.prefix = 0  # bytes of output before the Data Set
        self._risks: tuple[Risk, ...] = ()

    def run(self, writer: Writer | None) -> None:
        """Scan the input and write it; without a writer collect the edits instead."""
        with input_may_shrink():
            head = scan(self._planner, self._source, lambda: self._relieve(writer))
            self._heed_own_private()
            self._resolver.answer()
            self._risks = self._answers.risks(self._resolver.facts(), self._segments)
            if self._complete is not None:
                reader = reader_of(self._planner, self._source, head)
                self._notice = self._complete(self._planner, self._resolver, reader)
            if writer is not None and not self._has_written:
                writer.output.show(head)
            self._write(writer)
            if writer is not None:
                writer.finish()
                self._output = writer.output

    def _segments(self) -> Collection[str]:
        """What is in JPEG streams besides images. Their Transfer Syntaxes are not deflated, so the input is read."""
        start = self._planner.plan.fragments_start
        if not start or self._planner.deflated:
            return ()
        from dcmveil.fragments import jpeg_segments

        return jpeg_segments(self._source.read_at, start, self._source.size)

    def _heed_own_private(self) -> None:
        """Scan once more if the object itself says what is to become of its private elements."""
        private = self._answers.own_private(self._resolver.facts())
        if private is None:
            return
        if self._has_written:
            raise Refused("disordered", "says too late what is to become of its private elements")
        self._planner = self._policy.planner(private, self._transfer_syntax)
        self._resolver = Resolver(self._planner, self._answers)
        scan(self._planner, self._source)

    def _relieve(self, writer: Writer | None) -> None:
        """If many edits are held, write those whose turn has come."""
        planner = self._planner
        if self._complete is not None or not self._resolver.may_write():
            return
        # Each round costs as much as all that is held: worth while only if that gets much less.
        if planner.crowded and 2 * planner.cut() >= len(planner.plan) and self._resolver.is_ready():
            self._resolver.answer()
            self._write(writer)
            planner.drop()
            self._has_written = True

    def _write(self, writer: Writer | None) -> None:
        if not self._has_written:
            if self._complete is None:
                self._resolver.align()
            self.prefix = self._planner.plan.prefix_size(self._planner.dataset_start)
        if writer is None:
            self._edits.extend(map(self._edit_line, self._planner.plan.edits()))
            while self._planner.plan.script(_SCRIPT):
                pass  # what is not said cannot be dropped
        else:
            writer.write(self._planner)

    def report(self, source: str, target: str | None, notice: str | None = None) -> Report:
        """What was done, under the names the caller used."""
        output = self._output
        return report_of(
            self._policy,
            self._planner,
            self._resolver,
            self._answers,
            source=source,
            target=target,
            bytes_in=self._source.size,
            bytes_out=None if output is None else output.written,
            copied={} if output is None else output.methods,
            edits=self._edits or (),
            notice=notice or self._notice,
            risks=self._risks,
        )

    def made(self) -> Collection[bytes]:
        """Values that were made for the object and may be equal to others."""
        return self._answers.remarks().made

    @property
    def resolver(self) -> Resolver:
        """What is known of the object, once it has been run."""
        return self._resolver

    def _edit_line(self, edit: tuple[tuple[tuple[int, int], ...], int, int, int, str, int, int]) -> EditLine:
        steps, tag, number, key, decision, old, new = edit
        action, reason = self._answers.action(key, number), self._answers.reason(key, number)
        return EditLine(format_path(steps, tag), tag, action, decision, old, new, reason)


def report_of(
    policy: Rewriting,
    planner: Planner,
    resolver: Resolver,
    answers: Answers,
    *,
    source: str = "",
    target: str | None = None,
    bytes_in: int | None = None,
    bytes_out: int | None = None,
    **more: Any,
) -> Report:
    """What was done to one object, as far as its Plan and the answers can tell, and what else is known."""
    facts = resolver.facts()
    sop_class = facts.iod_sop_class
    return Report(
        source=source,
        target=target,
        transfer_syntax=facts.transfer_syntax,
        sop_class=sop_class if is_known(sop_class) else None,
        bytes_in=planner.position if bytes_in is None else bytes_in,
        bytes_out=bytes_out,
        counts=answers.counts(planner.plan),
        remarks=answers.remarks(),
        method=policy.method,
        **more,
    )
