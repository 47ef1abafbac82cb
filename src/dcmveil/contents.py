"""Clean Structured Content (PS3.15 E.3.4): what Table E.3.4-1 says of Content Items, by what names them.

A Content Item is named by the code in its Concept Name Code Sequence; the same concept may have another action as a
TEXT than as a COMPOSITE. Codes of SNOMED stand in the retired forms as well (SRT, SNM3 and 99SDM). What has no name, or
one that the table does not list, is decided by the type of its Value alone, as `ITEM_DEFAULTS` says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from dcmveil import _tables
from dcmveil.options import combined

__all__ = [
    "ITEM_SEQUENCES",
    "NAMED_LATE",
    "ORDINARY_TAGS",
    "REFERENCED_ITEM",
    "VALUE_TAGS",
    "VALUE_TYPES",
    "Contents",
]

# Whose Items are Content Items: Content, Acquisition Context, Specimen Preparation Step Content Item and Waveform
# Annotation Sequence.
ITEM_SEQUENCES = (0x00400555, 0x00400612, 0x0040A730, 0x0040B020)
REFERENCED_ITEM = 0x0040DB73  # Referenced Content Item Identifier: the numbers of Items from the root on

VALUE_TYPES = (
    "CODE", "COMPOSITE", "CONTAINER", "DATE", "DATETIME", "IMAGE", "NUM", "PNAME", "SCOORD", "SCOORD3D", "TABLE",
    "TCOORD", "TEXT", "TIME", "UIDREF", "WAVEFORM",
)  # fmt: skip
# The element that has the Value, for Items that do not name its type.
VALUE_TAGS = {
    0x0040A120: "DATETIME", 0x0040A121: "DATE", 0x0040A122: "TIME", 0x0040A123: "PNAME", 0x0040A124: "UIDREF",
    0x0040A160: "TEXT", 0x00700006: "TEXT",
}  # fmt: skip
# The same for Values that are treated as anywhere else as long as their Item stays for its own sake.
ORDINARY_TAGS = {0x0040A168: "CODE", 0x0040A300: "NUM", 0x0040A30A: "NUM"}

# 1 names all that the table does not list, 2 what has got its name too late.
NAMED_LATE = 2
_FIRST = 3
_RETIRED_SCHEMES = (b"SRT", b"SNM3", b"99SDM")


class _Concept(NamedTuple):
    number: int
    actions: dict[str, str]  # by value type


class Contents:
    """Table E.3.4-1 with the chosen Options (columns of the table) applied. Immutable."""

    def __init__(self, columns: Collection[str]) -> None:
        self.names: dict[bytes, int] = {}
        self._actions: dict[int, dict[str, str]] = {}
        concepts: dict[bytes, _Concept] = {}
        for scheme, code, retired, value_type, basic, options in _tables.structured_content():
            key = scheme + b"\0" + code
            concept = concepts.setdefault(key, _Concept(_FIRST + len(concepts), {}))
            concept.actions[value_type] = combined(basic, options, columns)
            self.names[key] = concept.number
            if retired:
                self.names.update((old + b"\0" + retired, concept.number) for old in _RETIRED_SCHEMES)
        self._actions = {concept.number: concept.actions for concept in concepts.values()}

    def __repr__(self) -> str:
        return f"Contents({len(self._actions)} concepts)"

    def action(self, name: int, value_type: int) -> str | None:
        """X, D, X/D, K or C for a named Content Item; None if the table does not list it with that type of Value.

        `value_type` counts `VALUE_TYPES` from 1; 0 is a type that is none of these.
        """
        actions: Mapping[str, str] = self._actions.get(name, {})
        return actions.get(VALUE_TYPES[value_type - 1]) if value_type else None
