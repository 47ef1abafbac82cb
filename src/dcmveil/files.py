"""The pull driver: one file in, one file out.

The header is read in windows, bulk is passed over unread; then the output is written from the Plan. Nothing is
written before the whole input has been planned and answered, and the output appears only when whole.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dcmveil import _tables
from dcmveil._copier import Copier
from dcmveil._planner import Planner
from dcmveil.errors import InputError, Refused
from dcmveil.output import AtomicFile
from dcmveil.policy import Policy
from dcmveil.resolver import resolve_plan
from dcmveil.sources import DeflatedSource, DeflateWriter, FileSource, copy_script
from dcmveil.tags import format_path

__all__ = ["EditLine", "Report", "deidentify_file", "plan_file"]

_FIRST_WINDOW = 1 << 16
_SMALL_WINDOW = 1 << 12  # after bulk: most likely one Fragment header, then bulk again
_LARGE_WINDOW = 1 << 18
_SCRIPT = 1 << 16


@dataclass(frozen=True, slots=True)
class EditLine:
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


@dataclass(frozen=True, slots=True)
class Report:
    """What was done to one object. `counts` has the number of elements per (reason, decision)."""

    source: str
    target: str | None
    transfer_syntax: str
    sop_class: str | None
    bytes_in: int
    bytes_out: int | None
    counts: dict[tuple[str, str], int]
    edits: tuple[EditLine, ...] = field(default=())

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
    goes wrong. `source` and `target` may be the same. Memory does not grow with the file, only with the number of
    elements that change.

    Raises ParseError for an input that is not well formed, Refused for one the Policy does not let through,
    LimitExceeded, InputError and OutputError; all are DcmveilErrors.
    """
    with _opened(Path(source)) as fd:
        planned = _plan(fd, policy)
        with AtomicFile(Path(target), mode_of=os.fstat(fd)) as output:
            written = planned.write(output.fd)
            output.commit()
    return planned.report(str(source), str(target), written)


def plan_file(source: str | os.PathLike[str], policy: Policy) -> Report:
    """What `deidentify_file` would do, edit by edit, without doing it. Raises the same, but OutputError."""
    with _opened(Path(source)) as fd:
        planned = _plan(fd, policy)
        return planned.report(str(source), None, None, edits=True)


@contextmanager
def _opened(source: Path) -> Iterator[int]:
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


@dataclass(frozen=True, slots=True)
class _Planned:
    """A settled Plan of an open file."""

    fd: int
    planner: Planner
    policy: Policy
    sop_class: str | None
    file_size: int

    def write(self, fd: int) -> int:
        """Execute the Plan into `fd`; returns the bytes written."""
        if not self.planner.deflated or len(self.planner.plan) == 0:
            return self._write_plain(fd)
        return self._write_deflated(fd)

    def _write_plain(self, fd: int) -> int:
        plan = self.planner.plan
        copier = Copier(self.fd, fd, size=self.file_size)
        if self.planner.deflated:
            plan.close_input(self.file_size)  # nothing changes: the deflate stream is one COPY like any other
        while script := plan.script(_SCRIPT):
            copier.run(script)
        copier.finish()
        return copier.written

    def _write_deflated(self, fd: int) -> int:
        """The script is in terms of the inflated stream: inflate once more, and deflate what comes out."""
        plan = self.planner.plan
        source = DeflatedSource(self.fd, self.planner.dataset_start)
        writer = DeflateWriter(fd, raw_length=plan.prefix_size(self.planner.dataset_start))
        while script := plan.script(_SCRIPT):
            copy_script(source, script, writer.write)
        writer.finish()
        return writer.written

    def report(self, source: str, target: str | None, written: int | None, *, edits: bool = False) -> Report:
        plan, rules = self.planner.plan, self.policy.rules
        return Report(
            source=source,
            target=target,
            transfer_syntax=self.planner.transfer_syntax or "",
            sop_class=self.sop_class,
            bytes_in=self.file_size,
            bytes_out=written,
            counts={(rules[rule].reason, what): count for (rule, what), count in plan.summary().items()},
            edits=tuple(map(self._edit_line, plan.edits())) if edits else (),
        )

    def _edit_line(self, edit: tuple[tuple[tuple[int, int], ...], int, int, int, str, int, int]) -> EditLine:
        steps, tag, rule, _vr, decision, old, new = edit
        rule_ = self.policy.rules[rule]
        return EditLine(format_path(steps, tag), tag, rule_.action, decision, old, new, rule_.reason)


def _plan(fd: int, policy: Policy) -> _Planned:
    planner = policy.planner()
    try:
        size = os.fstat(fd).st_size
        _scan(fd, planner, size)
        planner.finish()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error
    facts = resolve_plan(planner, policy)
    sop_class = facts.iod_sop_class
    if sop_class is not None and not _tables.is_well_known_uid(sop_class.encode("ascii")):
        sop_class = None
    return _Planned(fd, planner, policy, sop_class, size)


def _scan(fd: int, planner: Planner, size: int) -> None:
    """Show the Planner all it needs to see."""
    window = _FIRST_WINDOW
    while planner.position < size:
        data = os.pread(fd, window, planner.position)
        if not data:
            raise Refused("not-dicom", "the file shrank while it was read") if not planner.position else InputError(
                "the file shrank while it was being read"
            )
        used = planner.feed(data)
        if planner.deflated and planner.transfer_syntax and used < len(data):
            return _scan_deflated(fd, planner)
        window = min(2 * window, _LARGE_WINDOW)
        if planner.ahead:
            planner.advance(min(planner.ahead, size - planner.position))
            window = _SMALL_WINDOW
    return None


def _scan_deflated(fd: int, planner: Planner) -> None:
    source = DeflatedSource(fd, planner.dataset_start)
    source.skip(planner.dataset_start)
    while data := source.read(_FIRST_WINDOW):
        at = 0
        while at < len(data):
            at += planner.feed(data[at:])
