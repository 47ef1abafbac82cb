"""What was done to an object, for people and programs; never a Value."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["EditLine", "Method", "Remarks", "Report"]


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


class Method(NamedTuple):
    """How it was done, the same for all objects of a run: Options, edition of the tables, and a digest of both and of
    all rules, by which runs can be told apart. No secret goes into it."""

    options: tuple[str, ...] = ()
    edition: str = ""
    digest: str = ""


_NONE: Mapping[tuple[str, str], int] = {}


class Remarks(NamedTuple):
    """What a report has to say besides what became of elements.

    `problems` has the number of elements per (what stood in the way, decision). `pairs` are old and new UIDs and
    Patient IDs: Values, which go into the map that a user asks for and nowhere else. `made` are shifted dates.
    """

    problems: Mapping[tuple[str, str], int] = _NONE
    pairs: Sequence[tuple[str, str]] = ()
    texts: Sequence[str] = ()
    made: Collection[bytes] = ()

    def __repr__(self) -> str:
        return f"Remarks({dict(self.problems)!r}, {len(self.pairs)} pairs, {self.texts!r})"


class Report(NamedTuple):
    """What was done to one object.

    `counts` has the number of elements per (reason, decision), `notice` what the user should know of the result.
    `copied` has the bytes of the input that stay by how they were copied: "reflink", "splice", "readwrite", "server".
    `risks` are words and texts of what the header cannot settle, of which `remarks` says more."""

    source: str
    target: str | None
    transfer_syntax: str
    sop_class: str | None
    bytes_in: int
    bytes_out: int | None
    counts: Mapping[tuple[str, str], int]
    edits: Sequence[EditLine] = ()
    notice: str | None = None
    risks: tuple[tuple[str, str], ...] = ()
    remarks: Remarks = Remarks()
    method: Method = Method()
    copied: Mapping[str, int] = {}

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
            "copied": dict(self.copied),
            "notice": self.notice,
            **self.method._asdict(),
            "counts": _rows(self.counts),
            "remarks": list(self.remarks.texts),
            "problems": _rows(self.remarks.problems),
            "risks": [{"risk": word, "text": text} for word, text in self.risks],
        }


def _rows(counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [
        {"reason": reason, "decision": decision, "elements": count}
        for (reason, decision), count in sorted(counts.items())
    ]
