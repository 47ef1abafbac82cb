"""The Basic Application Level Confidentiality Profile (PS3.15 2026d, Annex E) as rules over tags.

Facts come from the tables; this module holds the decisions the Standard leaves open, each in one place:
what the table does not name but is known to identify (`_GAP_ACTIONS`), what must not stay although no table says so
(`_FOREIGN_GROUPS`, `_OVERLAYS`, `_MAC_PARAMETERS_SEQUENCE`, `_SPECIAL`), and what has to be there in the end
(`_ANCHORS`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dcmveil import _tables
from dcmveil._policy import RuleTable
from dcmveil.iods import X_UNLESS_TYPE_1
from dcmveil.rules import KEEP, Rule

__all__ = ["ENCRYPTED_ATTRIBUTES_SEQUENCE", "compile_basic_profile", "compile_identity"]

_ALL = 0xFFFFFFFF
_GROUP = 0xFFFF0000

# Plain X in the table, although some IODs require a Value (E.1.1: the De-identifier answers for conformance).
_X_UNLESS_TYPE_1 = frozenset({0x00080201, 0x00700082, 0x00700083})
_U_INSTEAD = frozenset({0x006A0003})  # Annotation Group UID: D in the table, but references have to keep matching

_FOREIGN_GROUPS = (0x00000000, 0x00020000, 0x00040000, 0x00060000)  # commands, File Meta, media directories (R19)
_OVERLAYS = (0x60000000, 0xFF000000)  # R22: the whole group, its Overlay Data being X
_MAC_PARAMETERS_SEQUENCE = 0x4FFE0001  # R24: of no use without the signatures

_GAP_ACTIONS = {"temporal": "X", "person-name": "X", "structural": "K"}  # all other roles: U

ENCRYPTED_ATTRIBUTES_SEQUENCE = 0x04000500
_ENCRYPTED_MEMBERS = (0x04000510, 0x04000520)  # R32: exactly these

# What the De-identifier sets at top level (R16, R17, R42).
_ANCHORS = (
    (0x00120062, Rule("identity removed", "R16: Patient Identity Removed")),
    (0x00120063, Rule("method text", "R17: De-identification Method")),
    (0x00120064, Rule("method codes", "R17: De-identification Method Code Sequence")),
    (0x00280303, Rule("dates removed", "R42: Longitudinal Temporal Information Modified")),
)

_ENCRYPTED_ANCHOR = (
    ENCRYPTED_ATTRIBUTES_SEQUENCE,
    Rule("encrypted attributes", "R31: Encrypted Attributes Sequence"),
)

_WATCHED = (
    (0x00080005, _ALL),  # Specific Character Set: what is encrypted is in it
    (0x00080016, _ALL),  # SOP Class UID: the IOD
    (0x00080018, _ALL),  # SOP Instance UID: for the File Meta Information
    (0x00080100, _ALL),  # Code Value and Coding Scheme Designator, in De-identification Method Code Sequence
    (0x00080102, _ALL),
    (0x00041220, _ALL),  # Directory Record Sequence
    (0x60000102, 0xFF00FFFF),  # Overlay Bit Position
    (0x60003000, 0xFF00FFFF),  # Overlay Data
)

_SPECIAL = {
    "private": Rule("X", "private (R43)"),
    "unknown": Rule("X", "not in the dictionary of PS3.6"),
    "group_length": Rule("X", "group length (R29)"),
    "vr": Rule("X", "VR is not the dictionary's"),
    "duplicate": Rule("X", "repeated"),
    "member": Rule("X", "not an Attribute of an Encrypted Attributes Sequence Item (R32)"),
    "meta": Rule("file meta", "R18: File Meta Information is written new"),
}


class _Compiler:
    """Numbers rules as they come up and collects the overrides for the table."""

    def __init__(self) -> None:
        self.numbers = {KEEP: 0}
        self.overrides: list[tuple[int, int, int]] = []

    def number(self, rule: Rule) -> int:
        return self.numbers.setdefault(rule, len(self.numbers))

    def override(self, tag: int, mask: int, rule: Rule) -> None:
        self.overrides.append((tag, mask, self.number(rule)))

    def table(
        self, watched: tuple[tuple[int, int], ...], anchors: Sequence[tuple[int, Rule]], special: dict[str, Rule]
    ) -> tuple[tuple[Rule, ...], RuleTable]:
        numbered_anchors = [(tag, self.number(rule), True, False, None) for tag, rule in anchors]
        numbered_special = {kind: self.number(rule) for kind, rule in special.items()}
        rules = tuple(self.numbers)
        table = RuleTable(
            behaviours=[rule.behaviour for rule in rules],
            overrides=self.overrides,
            watched=list(watched),
            members=list(_ENCRYPTED_MEMBERS),
            places=[numbered_anchors],
            special=numbered_special,
        )
        return rules, table


def _add_table(compiler: _Compiler) -> None:
    """Table E.1-1, column Basic Prof."""
    for tag, mask, action, _options in _tables.confidentiality():
        if tag in _X_UNLESS_TYPE_1:
            compiler.override(tag, mask, Rule(X_UNLESS_TYPE_1, "Table E.1-1: X, but D where Type 1"))
        else:
            action = "U" if tag in _U_INSTEAD else action
            compiler.override(tag, mask, Rule(action, f"Table E.1-1: {action}"))


def _add_gaps(compiler: _Compiler) -> None:
    """UIDs, dates and person names that Table E.1-1 does not name (R13, R26)."""
    for tag, role in _tables.gaps():
        action = _GAP_ACTIONS.get(role, "U")
        if action != "K":
            compiler.override(tag, _ALL, Rule(action, f"not in Table E.1-1: {role}"))


def _add_encrypted(compiler: _Compiler, existing_encrypted: str) -> None:
    action = {"refuse": "refuse", "remove": "X", "keep": "members"}[existing_encrypted]
    compiler.override(ENCRYPTED_ATTRIBUTES_SEQUENCE, _ALL, Rule(action, "R37: Encrypted Attributes Sequence"))


def compile_basic_profile(existing_encrypted: str, *, reversible: bool) -> tuple[tuple[Rule, ...], RuleTable]:
    """The rules by number, and the table that gives each tag its number.

    `existing_encrypted` says what becomes of an Encrypted Attributes Sequence: "refuse", "remove" or "keep". If it is
    to be `reversible`, the Data Set gets one of our own.
    """
    compiler = _Compiler()
    _add_gaps(compiler)
    _add_table(compiler)
    _add_encrypted(compiler, existing_encrypted)
    compiler.override(*_OVERLAYS, Rule("X", "R22: overlay group"))
    compiler.override(_MAC_PARAMETERS_SEQUENCE, _ALL, Rule("X", "R24: MAC Parameters Sequence"))
    for group in _FOREIGN_GROUPS:
        compiler.override(group, _GROUP, Rule("X", "group does not belong into a Data Set (R19)"))
    anchors = sorted([*_ANCHORS, _ENCRYPTED_ANCHOR]) if reversible else _ANCHORS
    return compiler.table(_WATCHED, anchors, _SPECIAL)


def compile_identity() -> tuple[tuple[Rule, ...], RuleTable]:
    """Rules that keep everything."""
    return _Compiler().table((), (), dict.fromkeys(_SPECIAL, KEEP))
