"""Policy: what to do with an object, compiled once and shared by all that are processed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Self

from dcmveil._planner import Planner
from dcmveil._policy import RuleTable
from dcmveil.profile import compile_basic_profile, compile_identity
from dcmveil.rules import Rule
from dcmveil.uids import UidMapper, new_secret

__all__ = ["Limits", "Policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what one object may cost. Reaching one is a LimitExceeded, never a partial output.

    `max_depth` in nested Sequences, `max_edits` in changed elements (32 bytes of memory each), `max_held` in bytes of
    original and replaced Values held at a time. A Sequence or Item of defined length above `hold_limit` bytes
    is written with undefined length, so that its new length need not be known before its content.
    """

    max_depth: int = 1024
    max_edits: int = 2_000_000
    max_held: int = 64 << 20
    hold_limit: int = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The Basic Profile of PS3.15 2026d, without Options.

    `secret`: at least 16 bytes; the same secret maps the same UID to the same new one on any machine (None: random,
    for this Policy only). `root_uid`: root of new UIDs (None: `2.25.`). `existing_encrypted`: what to do
    with an object that has an Encrypted Attributes Sequence: "refuse" it, "remove" the Sequence or "keep" it.
    `allow_embedded_overlays`: let objects pass that have overlay bits within their Pixel Data, which stay.

    Raises ValueError for a short secret or a root that leaves fewer than 96 bits.
    """

    secret: bytes | None = field(default=None, repr=False)
    root_uid: str | None = None
    existing_encrypted: Literal["refuse", "remove", "keep"] = "refuse"
    allow_embedded_overlays: bool = False
    limits: Limits = Limits()
    keeps_everything: bool = False
    rules: tuple[Rule, ...] = field(init=False, repr=False)
    table: RuleTable = field(init=False, repr=False, compare=False)
    uids: UidMapper = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.existing_encrypted not in ("refuse", "remove", "keep"):
            raise ValueError("existing_encrypted must be refuse, remove or keep")
        rules, table = compile_identity() if self.keeps_everything else compile_basic_profile(self.existing_encrypted)
        secret = new_secret() if self.secret is None else self.secret
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "uids", UidMapper(secret, self.root_uid))

    @classmethod
    def identity(cls) -> Self:
        """A Policy that keeps everything: the output is the input, byte for byte."""
        return cls(keeps_everything=True)

    def planner(self) -> Planner:
        """A new Planner for one object."""
        limits = self.limits
        return Planner(
            self.table,
            hold_limit=limits.hold_limit,
            max_depth=limits.max_depth,
            max_edits=limits.max_edits,
            max_held=limits.max_held,
        )
