"""The pull driver: one file is scanned, planned, answered and written.

The header is read in windows, bulk is passed over unread; then the output is written from the Plan. Nothing is
written before the whole input has been planned and answered, unless so many edits are held that those which depend
on nothing that follows are written first.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from errno import ENODATA
from typing import TYPE_CHECKING

from dcmveil._copier import Copier
from dcmveil._planner import Planner
from dcmveil.errors import InputError, Refused
from dcmveil.iods import is_known
from dcmveil.questions import Rewriting
from dcmveil.report import EditLine, Report
from dcmveil.resolver import Resolver
from dcmveil.sources import DeflatedSource, DeflateWriter, FileSource, RangeReader, copy_script
from dcmveil.tags import format_path

if TYPE_CHECKING:
    from dcmveil.risks import Risk

__all__ = ["Completion", "Rewrite", "Writer", "input_may_shrink", "opened", "reader_of", "scan"]

_FIRST_WINDOW = 1 << 16
_SMALL_WINDOW = 1 << 12  # after bulk: most likely one Fragment header, then bulk again
_LARGE_WINDOW = 1 << 18
_SCRIPT = 1 << 16

Completion = Callable[[Planner, Resolver, RangeReader], str | None]

_SHRANK = "shrank while it was being read"


@contextmanager
def opened(source: str | os.PathLike[str]) -> Iterator[int]:
    """A descriptor of a regular file; opening anything else could wait forever."""
    try:
        fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InputError("is no regular file")
        yield fd
    finally:
        os.close(fd)


@contextmanager
def input_may_shrink() -> Iterator[None]:
    """Around the execution of scripts: both executors tell by ENODATA that the input has become shorter."""
    try:
        yield
    except OSError as error:
        if error.errno == ENODATA:
            raise InputError(_SHRANK) from None
        raise


def scan(planner: Planner, fd: int, size: int, after_window: Callable[[], None] = lambda: None) -> bytes:
    """Show the Planner all it needs to see of the `size` bytes of a file; afterwards it is finished.

    Returns the first bytes of the file: an ordinary header need not be read once more."""
    source = FileSource(fd)
    window, head = _FIRST_WINDOW, b""
    while planner.position < size:
        data = source.read_at(planner.position, window)
        if not data:
            raise InputError(_SHRANK)
        head = head or data
        planner.feed(data)
        if planner.deflated and planner.dataset_start:
            _scan_deflated(planner, fd, after_window)
            break
        after_window()
        unseen = min(planner.ahead, size - planner.position)
        planner.advance(unseen)
        window = _SMALL_WINDOW if unseen >= _SMALL_WINDOW else min(2 * window, _LARGE_WINDOW)
    planner.finish()
    return head


def _scan_deflated(planner: Planner, fd: int, after_window: Callable[[], None]) -> None:
    source = DeflatedSource(fd, planner.dataset_start)
    source.skip(planner.dataset_start)
    while data := source.read(_FIRST_WINDOW):
        planner.feed(data)
        after_window()


def reader_of(planner: Planner, fd: int, head: bytes) -> RangeReader:
    """Reads from the stream that the Plan's offsets are about; `head` is what `scan` has returned."""
    return RangeReader(fd, planner.dataset_start if planner.deflated else None, head)


class Writer:
    """Executes a Plan's script from one descriptor into another."""

    def __init__(self, source: int, target: int, size: int) -> None:
        self._source = source
        self._target = target
        self._size = size
        self._copier: Copier | None = None
        self._inflated: tuple[DeflatedSource, DeflateWriter] | None = None

    def write(self, planner: Planner) -> None:
        """Execute what is settled. A deflated Data Set that does not change at all is one COPY like any other."""
        plan = planner.plan
        if planner.deflated and (self._inflated or len(plan)):
            self._write_deflated(planner)
            return
        if planner.deflated:
            plan.close_input(self._size)
        if self._copier is None:
            self._copier = Copier(self._source, self._target, size=self._size)
        while script := plan.script(_SCRIPT):
            self._copier.run(script)

    def _write_deflated(self, planner: Planner) -> None:
        """The script is in terms of the inflated stream: inflate once more, and deflate what comes out."""
        if self._inflated is None:
            prefix = planner.plan.prefix_size(planner.dataset_start)
            source = DeflatedSource(self._source, planner.dataset_start)
            self._inflated = source, DeflateWriter(self._target, raw_length=prefix)
        source, writer = self._inflated
        while script := planner.plan.script(_SCRIPT):
            copy_script(source, script, writer.write)

    def finish(self) -> int:
        """Write what is held back; returns the bytes of the output."""
        ended = self._inflated[1] if self._inflated else self._copier
        if ended is None:
            raise ValueError("nothing was written")
        ended.finish()
        return ended.written


class Rewrite:
    """One file on its way: scan, and whenever many edits are held, answer and write what can be written.

    `complete` is called once, when all is answered and nothing has been written, and returns what the user should
    know, if anything; with it there are no rounds.
    """

    def __init__(
        self,
        fd: int,
        size: int,
        policy: Rewriting,
        complete: Completion | None = None,
    ) -> None:
        self._fd = fd
        self._size = size
        self._policy = policy
        self._complete = complete
        self._notice: str | None = None
        self._planner = policy.planner()
        self._answers = policy.answers()
        self._resolver = Resolver(self._planner, self._answers)
        self._edits: list[EditLine] = []
        self._written: int | None = None
        self._has_written = False
        self._risks: tuple[Risk, ...] = ()

    def run(self, writer: Writer | None) -> None:
        """Scan the file and write it; without a writer collect the edits instead."""
        with input_may_shrink():
            head = scan(self._planner, self._fd, self._size, lambda: self._relieve(writer))
            self._heed_own_private()
            self._resolver.answer()
            self._risks = self._answers.risks(self._resolver.facts(), self._segments)
            if self._complete is not None:
                self._notice = self._complete(self._planner, self._resolver, reader_of(self._planner, self._fd, head))
            self._write(writer)
            if writer is not None:
                self._written = writer.finish()

    def _segments(self) -> Collection[str]:
        """What is in JPEG streams besides images. Their Transfer Syntaxes are not deflated, so the file is read."""
        start = self._planner.plan.fragments_start
        if not start or self._planner.deflated:
            return ()
        from dcmveil.fragments import jpeg_segments

        source = FileSource(self._fd)
        return jpeg_segments(source.read_at, start, self._size)

    def _heed_own_private(self) -> None:
        """Scan once more if the object itself says what is to become of its private elements."""
        private = self._answers.own_private(self._resolver.facts())
        if private is None:
            return
        if self._has_written:
            raise Refused("disordered", "says too late what is to become of its private elements")
        self._planner = self._policy.planner(private)
        self._resolver = Resolver(self._planner, self._answers)
        scan(self._planner, self._fd, self._size)

    def _relieve(self, writer: Writer | None) -> None:
        """If many edits are held, write those whose turn has come."""
        planner = self._planner
        if self._complete is not None:
            return
        # Each round costs as much as all that is held: worth while only if that gets much less.
        if planner.crowded and 2 * planner.cut() >= len(planner.plan) and self._resolver.is_ready():
            self._resolver.answer()
            self._write(writer)
            planner.drop()
            self._has_written = True

    def _write(self, writer: Writer | None) -> None:
        if writer is None:
            self._edits += map(self._edit_line, self._planner.plan.edits())
            while self._planner.plan.script(_SCRIPT):
                pass  # what is not said cannot be dropped
        else:
            writer.write(self._planner)

    def report(self, source: str, target: str | None, notice: str | None = None) -> Report:
        """What was done, under the names the caller used."""
        counts: Counter[tuple[str, str]] = Counter()
        for (rule, what), count in self._planner.plan.summary().items():
            counts[self._answers.reason(0, rule), what] += count
        sop_class = self._resolver.facts().iod_sop_class
        remarks = self._answers.remarks()
        return Report(
            source=source,
            target=target,
            transfer_syntax=self._planner.transfer_syntax or "",
            sop_class=sop_class if is_known(sop_class) else None,
            bytes_in=self._size,
            bytes_out=self._written,
            counts=dict(counts),
            edits=tuple(self._edits),
            notice=notice or self._notice,
            risks=self._risks,
            remarks=remarks,
            method=self._policy.method,
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
