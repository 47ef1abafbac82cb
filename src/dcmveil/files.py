"""The pull driver: one file in, one file out.

The header is read in windows, bulk is passed over unread; then the output is written from the Plan. Nothing is
written before the whole input has been planned and answered, and the output appears only when whole.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENODATA
from typing import Any, NamedTuple

from dcmveil._copier import Copier
from dcmveil._planner import Planner
from dcmveil.errors import InputError
from dcmveil.iods import is_known
from dcmveil.output import AtomicFile
from dcmveil.policy import Policy
from dcmveil.resolver import Resolver
from dcmveil.sources import DeflatedSource, DeflateWriter, FileSource, copy_script
from dcmveil.tags import format_path

__all__ = ["EditLine", "Report", "deidentify_file", "plan_file"]

_FIRST_WINDOW = 1 << 16
_SMALL_WINDOW = 1 << 12  # after bulk: most likely one Fragment header, then bulk again
_LARGE_WINDOW = 1 << 18
_SCRIPT = 1 << 16
_SHRANK = "shrank while it was being read"


class EditLine(NamedTuple):
    """One planned edit, for a dry run: no Value, and nothing made from one.

    `old_length` and `new_length` are bytes of the whole Data Element.
    """

    path: str
    tag: int
    action: str
    decision: str
    old_length: int
    new_length: int
    reason: str


class Report(NamedTuple):
    """What was done to one object. `counts` has the number of elements per (reason, decision)."""

    source: str
    target: str | None
    transfer_syntax: str
    sop_class: str | None
    bytes_in: int
    bytes_out: int | None
    counts: dict[tuple[str, str], int]
    edits: tuple[EditLine, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON. The SOP Class UID is only shown if it is one of the Standard's."""
        return {
            "source": self.source,
            "target": self.target,
            "status": "ok",
            "transfer_syntax": self.transfer_syntax,
            "sop_class": self.sop_class,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "counts": [
                {"reason": reason, "decision": decision, "elements": count}
                for (reason, decision), count in sorted(self.counts.items())
            ],
        }


def deidentify_file(source: str | os.PathLike[str], target: str | os.PathLike[str], policy: Policy) -> Report:
    """De-identify the file `source` into `target` (PS3.15 E.1.1).

    `target` appears under its name only when whole; one that exists is replaced then, or stays as it was if anything
    goes wrong. `source` and `target` may be the same. Memory does not grow with the file.

    Raises ParseError for an input that is not well formed, Refused for one the Policy does not let through,
    LimitExceeded, InputError and OutputError; all are DcmveilErrors.
    """
    with _opened(source) as fd, AtomicFile(target, mode_of=os.fstat(fd)) as output:
        size = os.fstat(fd).st_size
        rewrite = _Rewrite(fd, size, policy)
        rewrite.run(_Writer(fd, output.fd, size))
        output.commit()
    return rewrite.report(str(source), str(target))


def plan_file(source: str | os.PathLike[str], policy: Policy) -> Report:
    """What `deidentify_file` would do, edit by edit, without doing it. Raises the same, but OutputError.

    All edits are held at once, some 300 bytes each.
    """
    with _opened(source) as fd:
        rewrite = _Rewrite(fd, os.fstat(fd).st_size, policy)
        rewrite.run(None)
    return rewrite.report(str(source), None)


@contextmanager
def _opened(source: str | os.PathLike[str]) -> Iterator[int]:
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


class _Writer:
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


class _Rewrite:
    """One file on its way: scan, and whenever many edits are held, answer and write what can be written."""

    def __init__(self, fd: int, size: int, policy: Policy) -> None:
        self._fd = fd
        self._size = size
        self._policy = policy
        self._planner = policy.planner()
        self._resolver = Resolver(self._planner, policy)
        self._edits: list[EditLine] = []
        self._written: int | None = None

    def run(self, writer: _Writer | None) -> None:
        """Scan the file and write it; without a writer collect the edits instead."""
        try:
            self._scan(writer)
            self._planner.finish()
            self._write(writer)
            if writer is not None:
                self._written = writer.finish()
        except OSError as error:
            if error.errno == ENODATA:  # how both executors of scripts tell that the input has become shorter
                raise InputError(_SHRANK) from None
            raise

    def _scan(self, writer: _Writer | None) -> None:
        """Show the Planner all it needs to see."""
        planner, source = self._planner, FileSource(self._fd)
        window = _FIRST_WINDOW
        while planner.position < self._size:
            data = source.read_at(planner.position, window)
            if not data:
                raise InputError(_SHRANK)
            planner.feed(data)
            if planner.deflated and planner.dataset_start:
                self._scan_deflated(writer)
                return
            self._relieve(writer)
            unseen = min(planner.ahead, self._size - planner.position)
            planner.advance(unseen)
            window = _SMALL_WINDOW if unseen >= _SMALL_WINDOW else min(2 * window, _LARGE_WINDOW)

    def _scan_deflated(self, writer: _Writer | None) -> None:
        source = DeflatedSource(self._fd, self._planner.dataset_start)
        source.skip(self._planner.dataset_start)
        while data := source.read(_FIRST_WINDOW):
            self._planner.feed(data)
            self._relieve(writer)

    def _relieve(self, writer: _Writer | None) -> None:
        """If many edits are held, write those whose turn has come."""
        planner = self._planner
        # Each round costs as much as all that is held: worth while only if that gets much less.
        if planner.crowded and 2 * planner.cut() >= len(planner.plan) and self._resolver.is_ready():
            self._write(writer)
            planner.drop()

    def _write(self, writer: _Writer | None) -> None:
        self._resolver.answer()
        if writer is None:
            self._edits += map(self._edit_line, self._planner.plan.edits())
            while self._planner.plan.script(_SCRIPT):
                pass  # what is not said cannot be dropped
        else:
            writer.write(self._planner)

    def report(self, source: str, target: str | None) -> Report:
        """What was done, under the names the caller used."""
        rules = self._policy.rules
        sop_class = self._resolver.facts().iod_sop_class
        return Report(
            source=source,
            target=target,
            transfer_syntax=self._planner.transfer_syntax or "",
            sop_class=sop_class if is_known(sop_class) else None,
            bytes_in=self._size,
            bytes_out=self._written,
            counts={(rules[rule].reason, what): count for (rule, what), count in self._planner.plan.summary().items()},
            edits=tuple(self._edits),
        )

    def _edit_line(self, edit: tuple[tuple[tuple[int, int], ...], int, int, int, str, int, int]) -> EditLine:
        steps, tag, number, key, decision, old, new = edit
        action, reason = self._resolver.action(key, number), self._policy.rules[number].reason
        return EditLine(format_path(steps, tag), tag, action, decision, old, new, reason)
