"""What was done to an object, for people and programs; never a Value."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["EditLine", "Report"]


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
    """What was done to one object.

    `counts` has the number of elements per (reason, decision), `notice` what the user should know of the result."""

    source: str
    target: str | None
    transfer_syntax: str
    sop_class: str | None
    bytes_in: int
    bytes_out: int | None
    counts: dict[tuple[str, str], int]
    edits: tuple[EditLine, ...] = ()
    notice: str | None = None

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
            "notice": self.notice,
            "counts": [
                {"reason": reason, "decision": decision, "elements": count}
                for (reason, decision), count in sorted(self.counts.items())
            ],
        }
