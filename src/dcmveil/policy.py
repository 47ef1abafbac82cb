"""Policy: what to do with an object, compiled once and shared by all that are processed."""

from __future__ import annotations

from typing import Literal, NamedTuple, NoReturn, Protocol, Self

from dcmveil._planner import Planner
from dcmveil._policy import RuleTable
from dcmveil.deidentifying import DeidentifyingAnswers, Leave
from dcmveil.profile import compile_basic_profile, compile_identity
from dcmveil.rules import Rule
from dcmveil.uids import UidMapper, new_secret

__all__ = ["MAX_ORIGINALS", "Limits", "Policy", "Sealer"]

MAX_LIMIT = (1 << 31) - 1
MAX_ORIGINALS = 16 << 20  # bytes
MOST_ORIGINALS = 100 << 20


class Limits(NamedTuple):
    """Bounds on what one object may cost. Reaching one is a LimitExceeded, never a partial output.

    `max_depth` in nested Sequences, `max_edits` in changed elements held at a time (32 bytes of memory each),
    `max_held` in bytes of original and replaced Values held at a time. A Sequence or Item of defined length above
    `hold_limit` bytes is written with undefined length, so that its new length need not be known before its content.
    From `drain_at` edits on, those that depend on nothing that follows are written and forgotten.
    """

    max_depth: int = 1024
    max_edits: int = 2_000_000
    max_held: int = 64 << 20
    hold_limit: int = 1 << 20
    drain_at: int = 1 << 15

    def without_holding(self) -> Limits:
        """The same, but Value Lengths are patched, however long: nothing is made undefined that was not."""
        return self._replace(hold_limit=MAX_LIMIT)

    def check(self) -> None:
        """ValueError if a limit is out of its range."""
        for name, value in self._asdict().items():
            most = 1 << 15 if name == "max_depth" else MAX_LIMIT
            if not 0 <= value <= most:
                raise ValueError(f"{name} must be from 0 to {most}")


class Sealer(Protocol):
    """What encrypts the originals: `dcmveil.cms.Envelope`, which is loaded only by those that make one."""

    def seal(self, plaintext: bytes) -> bytes: ...


class Policy:
    """The Basic Profile of PS3.15 2026d, without Options. Immutable; may be used by several threads.

    `secret`: at least 16 bytes; the same secret maps the same UID to the same new one on any machine (None: random,
    for this Policy only). `root_uid`: root of new UIDs (None: `2.25`). `existing_encrypted`: what to do
    with an object that has an Encrypted Attributes Sequence: "refuse" it, "remove" the Sequence or "keep" it.
    `allow_embedded_overlays`: let objects pass that have overlay bits within their Pixel Data, which stay.
    `envelope`: what encrypts the originals into an Encrypted Attributes Sequence (0400,0500), for a Re-identifier to
    restore them; None: they are gone. `max_originals`: bytes of originals that one object may have; one with more is
    refused or, with `drop_large_originals`, loses the largest for good.

    Raises ValueError for a short secret, a root that leaves fewer than 96 bits, limits out of range, and for an
    envelope beside "keep": an object has one Encrypted Attributes Sequence.
    """

    allow_embedded_overlays: bool
    drop_large_originals: bool
    envelope: Sealer | None
    existing_encrypted: Literal["refuse", "remove", "keep"]
    keeps_everything: bool
    limits: Limits
    max_originals: int
    rules: tuple[Rule, ...]
    table: RuleTable
    uids: UidMapper

    __slots__ = (
        "allow_embedded_overlays",
        "drop_large_originals",
        "envelope",
        "existing_encrypted",
        "keeps_everything",
        "limits",
        "max_originals",
        "rules",
        "table",
        "uids",
    )

    def __init__(
        self,
        *,
        secret: bytes | None = None,
        root_uid: str | None = None,
        existing_encrypted: Literal["refuse", "remove", "keep"] = "refuse",
        allow_embedded_overlays: bool = False,
        envelope: Sealer | None = None,
        max_originals: int = MAX_ORIGINALS,
        drop_large_originals: bool = False,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        keeps_everything: bool = False,
    ) -> None:
        limits.check()
        if existing_encrypted not in ("refuse", "remove", "keep"):
            raise ValueError("existing_encrypted must be refuse, remove or keep")
        if envelope is not None and (keeps_everything or existing_encrypted == "keep"):
            raise ValueError(
                "an Encrypted Attributes Sequence cannot be kept beside a new one; one removed is restored"
            )
        if not 0 < max_originals <= MOST_ORIGINALS:
            raise ValueError(f"max_originals must be from 1 to {MOST_ORIGINALS} bytes")
        if keeps_everything:
            rules, table = compile_identity()
        else:
            rules, table = compile_basic_profile(existing_encrypted, reversible=envelope is not None)
        values = {
            "allow_embedded_overlays": allow_embedded_overlays,
            "drop_large_originals": drop_large_originals,
            "envelope": envelope,
            "existing_encrypted": existing_encrypted,
            "keeps_everything": keeps_everything,
            "limits": limits,
            "max_originals": max_originals,
            "rules": rules,
            "table": table,
            "uids": UidMapper(new_secret() if secret is None else secret, root_uid),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Policy cannot be changed")

    def __repr__(self) -> str:
        return (
            f"Policy(existing_encrypted={self.existing_encrypted!r}, "
            f"allow_embedded_overlays={self.allow_embedded_overlays}, keeps_everything={self.keeps_everything}, ...)"
        )

    @classmethod
    def identity(cls) -> Self:
        """A Policy that keeps everything: the output is the input, byte for byte."""
        return cls(keeps_everything=True)

    def planner(self) -> Planner:
        """A new Planner for one object."""
        if self.envelope is None:
            return Planner(self.table, **self.limits._asdict())
        # All originals go into one place, so nothing is written before all is known: no need for undefined lengths.
        held = max(self.limits.max_held, 3 * self.max_originals)
        limits = self.limits.without_holding()._replace(max_held=held)
        return Planner(self.table, **limits._asdict(), notes_bulk=True)

    def answers(self) -> DeidentifyingAnswers:
        """What to answer for one object."""
        leave = Leave(self.existing_encrypted != "refuse", self.allow_embedded_overlays)
        return DeidentifyingAnswers(self.rules, self.uids, leave, keeps_everything=self.keeps_everything)
